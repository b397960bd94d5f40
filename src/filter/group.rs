//! Extension groups: a request names one, and the caller of this program says who is in it.
//!
//! No dump has the groups of its PBX. This file must not know which grammar asks.

use std::fmt;
use std::sync::Arc;

use super::expr::{Expr, Scalar, Test, Texts};
use super::parameter::{Parameter, quoted};
use super::{Context, FilterError};
use crate::schema::Column;

/// An extension group and its members.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Its name, or its number.
    pub name: String,
    /// The members' extensions.
    pub members: Arc<Texts>,
}

/// As the program's option has it, the members in order: `sales=1000,1001`.
impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut members: Vec<&str> = self.members.iter().map(String::as_str).collect();
        members.sort_unstable();
        write!(f, "{}={}", self.name, members.join(","))
    }
}

impl Group {
    /// The group that a parameter names.
    pub(super) fn read(parameter: &Parameter<'_>, context: &Context) -> Result<Group, FilterError> {
        let name = &*parameter.value;
        let members = context.groups.get(name).ok_or_else(|| {
            let shown = quoted(name);
            parameter.wrong(format!(
                "no extension group is named {shown}: say who is in it with `--extension-group NAME=1000,1001`"
            ))
        })?;
        Ok(Group { name: name.to_string(), members: Arc::new(members.iter().cloned().collect()) })
    }

    /// The calls of the members: who called, was called or answered is one of them.
    pub(super) fn expr(&self) -> Expr {
        let member = |column| Expr::Test(Scalar::Column(column), Test::OneOf(self.members.clone()));
        Expr::any([Column::Src, Column::Dst, Column::AnsweredBy].map(member).into())
    }
}
