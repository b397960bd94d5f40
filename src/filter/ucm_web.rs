//! The filter form of UCM's web page.
//!
//! Source: UCM6xxx CDR guide, "CDR Filter Criteria" (Table 1); UCM6100 CDR guide, the same table. The
//! form has no URL of its own: the names of the parameters are ours.
//!
//! - What is left empty in a form is no condition.
//! - Times are the PBX's own clock, as the page shows them.
//! - `remote` is no type of call but a flag beside it: the caller's phone was connected from outside.
//! - A number is digits, and what else is dialled (`+`, `*`, `#`); the wildcards stand behind them.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use super::expr::{Comparison, Constant, Expr, Moment, Scalar, Test};
use super::group::Group;
use super::parameter::{Once, Parameter, print, quoted};
use super::pattern::{Pattern, Piece};
use super::times::{print_local, read_local};
use super::{Context, FilterError};
use crate::decode::{action_type, disposition};
use crate::schema::Column;

const NAMES: [&str; 12] = [
    "callType",
    "status",
    "srcTrunk",
    "dstTrunk",
    "actionType",
    "accountCode",
    "callerNumber",
    "callerName",
    "calleeNumber",
    "startTime",
    "endTime",
    "extensionGroup",
];

/// The types that the form offers; the last is the flag.
const CALL_TYPES: [&str; 5] = ["inbound", "outbound", "internal", "external", REMOTE];
const REMOTE: &str = "remote";

const STATUSES: [&str; 4] = ["ANSWERED", "NO ANSWER", "BUSY", "FAILED"];

/// A form that was filled in; what is empty is no condition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UcmWeb {
    /// Types of call, in small letters.
    pub call_type: Vec<String>,
    /// Outcomes, as `disposition` has them.
    pub status: Vec<String>,
    /// Trunks that the call came in by.
    pub src_trunk: Vec<String>,
    /// Trunks that it went out by.
    pub dst_trunk: Vec<String>,
    /// What the leg did, as `action_type` has it.
    pub action_type: Vec<String>,
    /// The account.
    pub account_code: Option<String>,
    /// Who called.
    pub caller_number: Option<Dialled>,
    /// A part of the caller's name, in any case.
    pub caller_name: Option<String>,
    /// Who was called.
    pub callee_number: Option<Dialled>,
    /// The first start that is wanted, by the PBX's clock in microseconds.
    pub start_time: Option<i64>,
    /// The last.
    pub end_time: Option<i64>,
    /// The group whose calls are wanted.
    pub extension_group: Option<Group>,
}

/// A number, or what it begins with.
///
/// ```text
/// dialled = { digit | "+" | "*" | "#" } { "X" | "x" } ["."]       X: one digit; ".": any run, also none
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dialled {
    /// What it begins with.
    pub digits: String,
    /// So many digits follow.
    pub more: usize,
    /// Whether anything may follow these.
    pub open: bool,
}

impl UcmWeb {
    pub(super) fn parse(parameters: &[Parameter<'_>], context: &Context) -> Result<UcmWeb, FilterError> {
        let mut request = UcmWeb::default();
        let mut once = Once::default();
        for parameter in parameters {
            if !NAMES.contains(&&*parameter.name) {
                return Err(parameter.unknown("ucm-web", &NAMES));
            }
            once.check(parameter, &parameter.name)?;
            if !parameter.value.is_empty() {
                request.take(parameter, context)?;
            }
        }
        Ok(request)
    }

    fn take(&mut self, parameter: &Parameter<'_>, context: &Context) -> Result<(), FilterError> {
        let text = || Some(parameter.value.to_string());
        match &*parameter.name {
            "callType" => self.call_type = parameter.words(&CALL_TYPES, |word| word.to_ascii_lowercase())?,
            "status" => {
                self.status = parameter
                    .words(&STATUSES, |word| disposition(word).map_or_else(String::new, String::from))?;
            }
            "srcTrunk" => self.src_trunk = names(parameter, |name| Some(name.to_string()))?,
            "dstTrunk" => self.dst_trunk = names(parameter, |name| Some(name.to_string()))?,
            "actionType" => {
                self.action_type = names(parameter, |word| action_type(word).map(String::from))?;
            }
            "accountCode" => self.account_code = text(),
            "callerNumber" => self.caller_number = Some(Dialled::read(parameter)?),
            "callerName" => self.caller_name = text(),
            "calleeNumber" => self.callee_number = Some(Dialled::read(parameter)?),
            "startTime" => self.start_time = Some(time(parameter)?),
            "endTime" => self.end_time = Some(time(parameter)?),
            _ => self.extension_group = Some(Group::read(parameter, context)?),
        }
        Ok(())
    }

    pub(super) fn expr(&self) -> Expr {
        let mut all = vec![self.call_types()];
        for (names, column) in [
            (&self.status, Column::Disposition),
            (&self.src_trunk, Column::SrcTrunkName),
            (&self.dst_trunk, Column::DstTrunkName),
            (&self.action_type, Column::ActionType),
        ] {
            all.push((!names.is_empty()).then(|| Expr::one_of(column, names)));
        }
        all.push(self.account_code.as_ref().map(|code| Expr::one_of(Column::Accountcode, [code])));
        all.push(self.caller_number.as_ref().map(|number| number.expr(Column::Src)));
        all.push(self.callee_number.as_ref().map(|number| number.expr(Column::Dst)));
        all.push(self.caller_name.as_ref().map(|name| Expr::contains(Column::SrcName, name, true)));
        all.push(self.extension_group.as_ref().map(Group::expr));
        let clock = |time: Option<i64>| time.map(|time| Constant::Time(Moment::Clock(time)));
        let times = Expr::bounds(Column::Start, clock(self.start_time), clock(self.end_time));
        Expr::all(all.into_iter().flatten().chain(times).collect())
    }

    fn call_types(&self) -> Option<Expr> {
        let (remote, types): (Vec<&String>, Vec<&String>) =
            self.call_type.iter().partition(|name| *name == REMOTE);
        let mut any = Vec::new();
        if !types.is_empty() {
            any.push(Expr::one_of(Column::CallType, types));
        }
        if !remote.is_empty() {
            let yes = Scalar::Constant(Constant::Bool(true));
            any.push(Expr::Compare(Scalar::Column(Column::Nat), Comparison::Equal, yes));
        }
        (!any.is_empty()).then(|| Expr::any(any))
    }
}

impl Dialled {
    fn read(parameter: &Parameter<'_>) -> Result<Dialled, FilterError> {
        let text = &*parameter.value;
        let (rest, open) = text.strip_suffix('.').map_or((text, false), |rest| (rest, true));
        let digits = rest.trim_end_matches(['X', 'x']);
        if let Some((at, letter)) = digits.char_indices().find(|(_, letter)| !is_dialled(*letter)) {
            let rule = match letter {
                '.' | 'X' | 'x' => "wildcards stand at the end alone: `X`s, then at most one `.`".to_string(),
                _ => format!("{letter:?} is in no number: digits, `+`, `*` and `#` are"),
            };
            return Err(parameter.wrong_at(at, rule));
        }
        Ok(Dialled { digits: digits.to_string(), more: rest.len() - digits.len(), open })
    }

    fn expr(&self, column: Column) -> Expr {
        if self.more == 0 && !self.open {
            return Expr::one_of(column, [&self.digits]);
        }
        let mut pieces: Vec<Piece> = self.digits.chars().map(Piece::Char).collect();
        pieces.extend(std::iter::repeat_n(Piece::Digit, self.more));
        if self.open {
            pieces.push(Piece::AnyRun);
        }
        Expr::Test(Scalar::Column(column), Test::Like(Arc::new(Pattern::new(pieces, false))))
    }
}

fn is_dialled(letter: char) -> bool {
    letter.is_ascii_digit() || matches!(letter, '+' | '*' | '#')
}

impl fmt::Display for Dialled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}{}", self.digits, "X".repeat(self.more), if self.open { "." } else { "" })
    }
}

/// Names, separated by commas, each once and as columns spell it.
fn names(
    parameter: &Parameter<'_>,
    spelled: impl Fn(&str) -> Option<String>,
) -> Result<Vec<String>, FilterError> {
    let mut seen = HashSet::new();
    let mut names = Vec::new();
    for (at, piece) in parameter.pieces()? {
        let name =
            spelled(piece).ok_or_else(|| parameter.wrong_at(at, format!("{} is no name", quoted(piece))))?;
        if seen.insert(name.clone()) {
            names.push(name);
        }
    }
    Ok(names)
}

fn time(parameter: &Parameter<'_>) -> Result<i64, FilterError> {
    read_local(&parameter.value, true).ok_or_else(|| {
        parameter.wrong(format!("{} is no time: it is YYYY-MM-DD HH:MM[:SS]", quoted(&parameter.value)))
    })
}

/// The request with what is not empty.
impl fmt::Display for UcmWeb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |names: &[String]| (!names.is_empty()).then(|| names.join(","));
        let time = |time: Option<i64>| time.map(|time| print_local(time, '-'));
        let values = [
            list(&self.call_type),
            list(&self.status),
            list(&self.src_trunk),
            list(&self.dst_trunk),
            list(&self.action_type),
            self.account_code.clone(),
            self.caller_number.as_ref().map(Dialled::to_string),
            self.caller_name.clone(),
            self.callee_number.as_ref().map(Dialled::to_string),
            time(self.start_time),
            time(self.end_time),
            self.extension_group.as_ref().map(|group| group.name.clone()),
        ];
        let given = NAMES.into_iter().zip(values).filter_map(|(name, value)| Some((name, value?)));
        print(f, "ucm-web", &given.collect::<Vec<_>>())
    }
}
