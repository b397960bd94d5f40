//! Kazoo's `/cdrs`, and that of its white labels (AVP).
//!
//! Source: AVP "CDR API", "Resource Parameters" and "Use Cases"; what these leave open is as in Kazoo's
//! own source, module `crossbar_filter`.
//!
//! - `FIELD` is a field of Kazoo's own. Which column it fills is told by the table of its dumps
//!   (`format/kazoo.rs`); one that fills none is looked up in `extra`, nested ones with dots.
//! - A column may be filled from one field or else from another, and what lost stands in `extra`: so
//!   `calling_from` is what `extra` has under that name, and only without it the column.
//! - `filter_not_FIELD=VALUE` keeps also what has no such field, as Kazoo does: nothing is not VALUE.
//! - `timestamp` is when the record was created: the end of the call, where a dump has one.
//! - Fields that only repeat the timestamp stand in no column, and lists have no one value.
//! - `created_from` and `created_to` are on the start of the call.

use std::fmt;
use std::sync::Arc;

use super::expr::{Comparison, Constant, Expr, Moment, Scalar, Test, Texts};
use super::parameter::{Once, Parameter, print, quoted};
use super::{FilterError, Number};
use crate::format::{self, Fill, From};
use crate::schema::{Column, Kind};

const NAMES: [&str; 9] = [
    "created_from",
    "created_to",
    "filter_FIELD",
    "filter_not_FIELD",
    "has_key",
    "key_missing",
    "paginate",
    "page_size",
    "start_key",
];

/// 1970-01-01 in seconds since the year 0.
const GREGORIAN_EPOCH: i64 = 62_167_219_200;

/// A request to `/cdrs`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kazoo {
    /// The first start that is wanted, in Gregorian seconds.
    pub created_from: Option<u64>,
    /// The last.
    pub created_to: Option<u64>,
    /// What is asked of fields.
    pub conditions: Vec<Condition>,
    /// Whether the answer is cut into pages.
    pub paginate: Option<bool>,
    /// How many records a page has.
    pub page_size: Option<u64>,
    /// Where the page begins.
    pub start_key: Option<String>,
}

/// What is asked of a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// The field, by its own name.
    pub field: String,
    /// What is asked.
    pub asked: Asked,
}

/// What can be asked of a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// Whether it has this value.
    Is(String),
    /// Whether it has another, or none.
    IsNot(String),
    /// Whether it has any.
    IsThere,
    /// Whether it has none.
    IsMissing,
}

impl Kazoo {
    pub(super) fn parse(parameters: &[Parameter<'_>]) -> Result<Kazoo, FilterError> {
        let mut request = Kazoo::default();
        let mut once = Once::default();
        for parameter in parameters {
            if !matches!(&*parameter.name, "has_key" | "key_missing") {
                once.check(parameter, &parameter.name)?;
            }
            match condition(parameter)? {
                Some(condition) => {
                    condition.check(parameter)?;
                    request.conditions.push(condition);
                }
                None => request.take(parameter)?,
            }
        }
        Ok(request)
    }

    fn take(&mut self, parameter: &Parameter<'_>) -> Result<(), FilterError> {
        let given = !parameter.value.is_empty();
        match &*parameter.name {
            "created_from" if given => self.created_from = Some(parameter.number()?),
            "created_to" if given => self.created_to = Some(parameter.number()?),
            "paginate" if given => {
                self.paginate = Some(parameter.choice([("true", true), ("false", false)])?);
            }
            "page_size" if given => self.page_size = Some(parameter.number()?),
            "start_key" if given => self.start_key = Some(parameter.value.to_string()),
            name if NAMES.contains(&name) => {}
            _ => return Err(parameter.unknown("kazoo", &NAMES)),
        }
        Ok(())
    }

    pub(super) fn expr(&self) -> Expr {
        let instant = |seconds: Option<u64>| seconds.map(|seconds| moment(seconds, GREGORIAN_EPOCH));
        let times = Expr::bounds(Column::Start, instant(self.created_from), instant(self.created_to));
        // A condition that cannot be asked was refused with its place.
        let conditions = self.conditions.iter().filter_map(|condition| condition.expr().ok());
        Expr::all(times.chain(conditions).collect())
    }
}

/// The condition on a field that a parameter is, if it is one.
fn condition(parameter: &Parameter<'_>) -> Result<Option<Condition>, FilterError> {
    let value = || parameter.value.to_string();
    let (field, asked) = match &*parameter.name {
        "has_key" => (value(), Asked::IsThere),
        "key_missing" => (value(), Asked::IsMissing),
        name => match (name.strip_prefix("filter_not_"), name.strip_prefix("filter_")) {
            (Some(field), _) => (field.to_string(), Asked::IsNot(value())),
            (_, Some(field)) => (field.to_string(), Asked::Is(value())),
            _ => return Ok(None),
        },
    };
    if field.is_empty() {
        return Err(parameter.wrong_name("no field is named"));
    }
    if parameter.value.is_empty() {
        return Err(parameter.wrong(format!(
            "it has no value, and no value is empty: `key_missing={field}` asks for what is not there"
        )));
    }
    Ok(Some(Condition { field, asked }))
}

impl Condition {
    /// Refuses what cannot be asked: of a field, or with a value that it cannot have.
    fn check(&self, parameter: &Parameter<'_>) -> Result<(), FilterError> {
        if let Err(rule) = Place::of(&self.field) {
            return Err(match self.asked {
                Asked::Is(_) | Asked::IsNot(_) => parameter.wrong_name(rule),
                Asked::IsThere | Asked::IsMissing => parameter.wrong(rule),
            });
        }
        self.expr().map(drop).map_err(|rule| parameter.wrong(rule))
    }

    /// The condition, or why it cannot be asked.
    fn expr(&self) -> Result<Expr, String> {
        let place = Place::of(&self.field)?;
        Ok(match &self.asked {
            Asked::Is(value) => place.first(place.equals(&self.field, value)?),
            Asked::IsNot(value) => {
                let equals = place.equals(&self.field, value)?;
                let differs = place.first(move |scalar| Expr::Not(equals(scalar).into()));
                Expr::Any(vec![differs, place.is_missing()])
            }
            Asked::IsThere => Expr::Not(place.is_missing().into()),
            Asked::IsMissing => place.is_missing(),
        })
    }
}

/// Where a field's value stands: in the first of these that has one.
struct Place {
    scalars: Vec<Scalar>,
    read: Read,
}

/// How a value of a request is to be read.
#[derive(Clone, Copy)]
enum Read {
    Text,
    Number,
    /// Seconds, 1970 being this one.
    Seconds(i64),
}

impl Place {
    fn of(field: &str) -> Result<Place, String> {
        let created = || [Column::End, Column::Start].map(Scalar::Column).into();
        let name = format::normalise(field);
        match &*name {
            "timestamp" => return Ok(Place { scalars: created(), read: Read::Seconds(GREGORIAN_EPOCH) }),
            "unixtimestamp" => return Ok(Place { scalars: created(), read: Read::Seconds(0) }),
            _ => {}
        }
        let extra = Scalar::Extra(field.into());
        let known = table().and_then(|table| Some((table, table.field(&name)?.0)));
        let Some((table, known)) = known else {
            return Ok(Place { scalars: vec![extra], read: Read::Text });
        };
        let Some((column, rank)) = column(table, known.name) else {
            return Err(format!("{} only repeats `timestamp`: ask for that", quoted(field)));
        };
        let read = match column.def().kind {
            Kind::Text | Kind::Dict => Read::Text,
            Kind::Int32 => Read::Number,
            _ => return Err(format!("{} is a list, of which nothing can be asked", quoted(field))),
        };
        let scalars = match rank {
            0 => vec![Scalar::Column(column)],
            _ => vec![extra, Scalar::Column(column)],
        };
        Ok(Place { scalars, read })
    }

    /// Whether there is no value.
    fn is_missing(&self) -> Expr {
        Expr::all(self.scalars.iter().map(is_null).collect())
    }

    /// Whether something holds of the first value that there is; not true where there is none.
    fn first(&self, holds: impl Fn(&Scalar) -> Expr) -> Expr {
        let of = |at: usize| {
            let before = self.scalars[..at].iter().map(is_null);
            Expr::all(before.chain([holds(&self.scalars[at])]).collect())
        };
        Expr::any((0..self.scalars.len()).map(of).collect())
    }

    /// What asks of a value whether it is this one.
    fn equals(&self, field: &str, value: &str) -> Result<impl Fn(&Scalar) -> Expr, String> {
        let constant = match self.read {
            Read::Text => None,
            Read::Number => Some(Constant::Number(Number::from(number(field, value)?))),
            Read::Seconds(epoch) => Some(moment(number(field, value)?, epoch)),
        };
        let texts = Arc::new(Texts::from_iter([value.to_string()]));
        Ok(move |scalar: &Scalar| match &constant {
            Some(constant) => {
                Expr::Compare(scalar.clone(), Comparison::Equal, Scalar::Constant(constant.clone()))
            }
            None => Expr::Test(scalar.clone(), Test::OneOf(Arc::clone(&texts))),
        })
    }
}

fn is_null(scalar: &Scalar) -> Expr {
    Expr::Test(scalar.clone(), Test::IsNull)
}

fn table() -> Option<&'static format::Format> {
    format::by_name("kazoo-json")
}

/// The first column that a field fills as it stands, and its rank among the fields that do.
fn column(table: &format::Format, field: &str) -> Option<(Column, usize)> {
    let columns = match table.fill {
        Fill::Always(columns) => columns,
        Fill::ByHeader(columns) => columns(&[]),
    };
    columns.iter().find_map(|(column, sources)| {
        let rank = sources.iter().position(|source| matches!(source, From::Field(name) if *name == field))?;
        (!matches!(column.def().kind, Kind::Time)).then_some((*column, rank))
    })
}

fn number(field: &str, value: &str) -> Result<u64, String> {
    let is_number = value.bytes().all(|byte| byte.is_ascii_digit());
    let digits = value.bytes().map(|byte| u64::from(byte.wrapping_sub(b'0')));
    let number = digits.fold(0, |number: u64, digit| number.saturating_mul(10).saturating_add(digit));
    is_number
        .then_some(number)
        .ok_or_else(|| format!("{} is a number, and {} is none", quoted(field), quoted(value)))
}

/// So many seconds, 1970 being `epoch`.
fn moment(seconds: u64, epoch: i64) -> Constant {
    let seconds = i64::try_from(seconds).unwrap_or(i64::MAX).saturating_sub(epoch);
    Constant::Time(Moment::Instant(seconds.saturating_mul(1_000_000)))
}

/// The request with what is not empty, the conditions in their order.
impl fmt::Display for Kazoo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = |number: Option<u64>| number.map(|number| number.to_string());
        let mut given: Vec<(String, String)> = Vec::new();
        let mut add = |name: &str, value: Option<String>| {
            given.extend(value.map(|value| (name.to_string(), value)));
        };
        add("created_from", number(self.created_from));
        add("created_to", number(self.created_to));
        for Condition { field, asked } in &self.conditions {
            match asked {
                Asked::Is(value) => add(&format!("filter_{field}"), Some(value.clone())),
                Asked::IsNot(value) => add(&format!("filter_not_{field}"), Some(value.clone())),
                Asked::IsThere => add("has_key", Some(field.clone())),
                Asked::IsMissing => add("key_missing", Some(field.clone())),
            }
        }
        add("paginate", self.paginate.map(|yes| yes.to_string()));
        add("page_size", number(self.page_size));
        add("start_key", self.start_key.clone());
        let given: Vec<_> = given.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
        print(f, "kazoo", &given)
    }
}
