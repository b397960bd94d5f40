//! Yeastar's `cdr/search`, and `cdr/list`, which has the paging.
//!
//! Source: Yeastar P-Series "Search specific CDR" and "Query CDR list", "Request parameters".
//!
//! - Times are in the PBX's display format, which may have the month first (as in the document's
//!   examples), the day or the year. The two times of a request are in one format: if one of them
//!   shows the order, the other has it; if neither does, it is that of the dumps where that is given,
//!   else month first.
//! - An empty value is no condition.
//! - `page` without `page_size` is of 10,000 records, which is also the most.

use std::fmt;

use super::expr::{Constant, Expr, Moment};
use super::group::Group;
use super::parameter::{Once, Parameter, print, quoted};
use super::times::print_local;
use super::{Context, FilterError};
use crate::decode::disposition;
use crate::schema::Column;
use crate::time::{DateOrder, Evidence, order_evidence, read_time};

const NAMES: [&str; 11] = [
    "start_time",
    "end_time",
    "call_from",
    "call_to",
    "extension_group",
    "status",
    "enable_fuzzy_search",
    "page",
    "page_size",
    "sort_by",
    "order_by",
];

const STATUSES: [&str; 5] = ["ANSWERED", "NO ANSWER", "BUSY", "FAILED", "VOICEMAIL"];

/// The records of a page, at most and by default.
pub const MAX_PAGE_SIZE: u64 = 10_000;

/// What answers can be sorted by: the fields of the answer, and the columns that they fill.
const FIELDS: [(&str, Column); 17] = [
    ("id", Column::RecordId),
    ("time", Column::Start),
    ("timestamp", Column::Start),
    ("call_from", Column::Src),
    ("call_to", Column::Dst),
    ("uid", Column::CallId),
    ("src_addr", Column::SrcAddr),
    ("src_trunk", Column::SrcTrunkName),
    ("dst_trunk", Column::DstTrunkName),
    ("duration", Column::Duration),
    ("ring_duration", Column::Ringsec),
    ("talk_duration", Column::Billsec),
    ("disposition", Column::Disposition),
    ("call_type", Column::CallType),
    ("did_number", Column::DidNumber),
    ("dod_number", Column::DodNumber),
    ("reason", Column::HangupCause),
];

/// A request to `cdr/search`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Yeastar {
    /// The first time that is wanted, by the PBX's clock in microseconds.
    pub start_time: Option<i64>,
    /// The last.
    pub end_time: Option<i64>,
    /// The caller's number, or a part of it.
    pub call_from: Option<String>,
    /// The callee's, likewise.
    pub call_to: Option<String>,
    /// The group whose calls are wanted.
    pub extension_group: Option<Group>,
    /// Outcomes, as `disposition` has them; none for all.
    pub status: Vec<String>,
    /// Whether a part of a number is enough.
    pub fuzzy: bool,
    /// Which page is answered, from 1.
    pub page: Option<u64>,
    /// How many records a page has.
    pub page_size: Option<u64>,
    /// The field that the answer is sorted by.
    pub sort_by: Option<&'static str>,
    /// Whether the last comes first.
    pub descending: Option<bool>,
}

impl Yeastar {
    pub(super) fn parse(parameters: &[Parameter<'_>], context: &Context) -> Result<Yeastar, FilterError> {
        let mut request = Yeastar::default();
        let mut once = Once::default();
        let order = display_order(parameters, context)?;
        for parameter in parameters {
            if !NAMES.contains(&&*parameter.name) {
                return Err(parameter.unknown("yeastar", &NAMES));
            }
            once.check(parameter, &parameter.name)?;
            if !parameter.value.is_empty() {
                request.take(parameter, order, context)?;
            }
        }
        Ok(request)
    }

    fn take(
        &mut self,
        parameter: &Parameter<'_>,
        order: DateOrder,
        context: &Context,
    ) -> Result<(), FilterError> {
        let text = || Some(parameter.value.to_string());
        match &*parameter.name {
            "start_time" => self.start_time = Some(time(parameter, order)?),
            "end_time" => self.end_time = Some(time(parameter, order)?),
            "call_from" => self.call_from = text(),
            "call_to" => self.call_to = text(),
            "extension_group" => self.extension_group = Some(Group::read(parameter, context)?),
            "status" => {
                let spelled = |word: &str| disposition(word).map_or_else(String::new, String::from);
                self.status = parameter.words(&STATUSES, spelled)?;
            }
            "enable_fuzzy_search" => self.fuzzy = parameter.choice([("0", false), ("1", true)])?,
            "page" => self.page = Some(from_one(parameter)?),
            "page_size" => self.page_size = Some(page_size(parameter)?),
            "sort_by" => self.sort_by = Some(parameter.choice(FIELDS.map(|(name, _)| (name, name)))?),
            _ => self.descending = Some(parameter.choice([("asc", false), ("desc", true)])?),
        }
        Ok(())
    }

    /// The column that the answer is sorted by.
    pub fn sort_column(&self) -> Option<Column> {
        let name = self.sort_by?;
        FIELDS.iter().find(|(field, _)| *field == name).map(|(_, column)| *column)
    }

    pub(super) fn expr(&self) -> Expr {
        let number = |number: &String, column| match self.fuzzy {
            true => Expr::contains(column, number, false),
            false => Expr::one_of(column, [number]),
        };
        let mut all: Vec<Expr> = Vec::new();
        all.extend(self.call_from.as_ref().map(|caller| number(caller, Column::Src)));
        all.extend(self.call_to.as_ref().map(|callee| number(callee, Column::DstNumber)));
        all.extend(self.extension_group.as_ref().map(Group::expr));
        if !self.status.is_empty() {
            all.push(Expr::one_of(Column::Disposition, &self.status));
        }
        let clock = |time: Option<i64>| time.map(|time| Constant::Time(Moment::Clock(time)));
        all.extend(Expr::bounds(Column::Start, clock(self.start_time), clock(self.end_time)));
        Expr::all(all)
    }
}

/// Whether the PBX shows the month or the day first, by what the times themselves say.
fn display_order(parameters: &[Parameter<'_>], context: &Context) -> Result<DateOrder, FilterError> {
    let mut shown = None;
    for parameter in parameters.iter().filter(|given| given.name == "start_time" || given.name == "end_time")
    {
        let order = match order_evidence(parameter.value.as_bytes()) {
            Evidence::MonthFirst => DateOrder::MonthFirst,
            Evidence::DayFirst => DateOrder::DayFirst,
            Evidence::None | Evidence::Ambiguous { .. } => continue,
        };
        if shown.is_some_and(|before| before != order) {
            return Err(parameter.wrong("one of the times has the month first, the other the day"));
        }
        shown = Some(order);
    }
    Ok(shown.or(context.date_order).unwrap_or(DateOrder::MonthFirst))
}

fn time(parameter: &Parameter<'_>, order: DateOrder) -> Result<i64, FilterError> {
    match read_time(parameter.value.as_bytes(), order) {
        Ok(Some(time)) if time.offset.is_none() => Ok(time.micros),
        _ => Err(parameter.wrong(format!(
            "{} is no time: it is MM/DD/YYYY HH:MM:SS, DD/MM/YYYY HH:MM:SS or YYYY/MM/DD HH:MM:SS, as the PBX \
             displays it, also with `-` for `/` or with AM or PM",
            quoted(&parameter.value)
        ))),
    }
}

fn from_one(parameter: &Parameter<'_>) -> Result<u64, FilterError> {
    match parameter.number()? {
        0 => Err(parameter.wrong("it is counted from 1")),
        number => Ok(number),
    }
}

fn page_size(parameter: &Parameter<'_>) -> Result<u64, FilterError> {
    match from_one(parameter)? {
        number if number > MAX_PAGE_SIZE => Err(parameter.wrong("a page has 10000 records at most")),
        number => Ok(number),
    }
}

/// The request with what is not empty, its times with the year first.
impl fmt::Display for Yeastar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = |number: Option<u64>| number.map(|number| number.to_string());
        let time = |time: Option<i64>| time.map(|time| print_local(time, '/') + &fraction(time));
        let values = [
            time(self.start_time),
            time(self.end_time),
            self.call_from.clone(),
            self.call_to.clone(),
            self.extension_group.as_ref().map(|group| group.name.clone()),
            (!self.status.is_empty()).then(|| self.status.join(",")),
            self.fuzzy.then(|| "1".to_string()),
            number(self.page),
            number(self.page_size),
            self.sort_by.map(str::to_string),
            self.descending.map(|last| if last { "desc" } else { "asc" }.to_string()),
        ];
        let given: Vec<_> =
            NAMES.into_iter().zip(values).filter_map(|(name, value)| Some((name, value?))).collect();
        print(f, "yeastar", &given)
    }
}

/// The fraction of the second, where there is one.
fn fraction(micros: i64) -> String {
    match micros.rem_euclid(1_000_000) {
        0 => String::new(),
        fraction => format!(".{fraction:06}"),
    }
}
