//! UCM's `cdrapi`, the request that most billing scripts send.
//!
//! Source: UCM6xxx CDR guide, "CDR API URL Parameters", "Example Queries" and their notes; UCM6100 CDR
//! guide, the same sections.
//!
//! - What is wrong anywhere makes the UCM answer with no records at all, so every rule is checked.
//! - An empty value is wrong, but in the two times, where it is an open end.
//! - A null is the empty text to a list (`0-0` finds the calls without a caller's number), while a
//!   call without `billsec` or `start` lies within no bounds.
//! - `cdrapi` alone, or with nothing behind its `?`, asks for every record.

use std::fmt;

use super::expr::{Constant, Expr, Moment, Scalar};
use super::list::{self, Item, Items};
use super::parameter::{Once, Parameter, print, quoted};
use super::times::{INSTANTS, print_instant, read_instant};
use super::{Context, FilterError, Number, Purpose};
use crate::schema::Column;
use crate::time::Clock;

const NAMES: [&str; 10] = [
    "format",
    "numRecords",
    "offset",
    "caller",
    "callee",
    "answeredby",
    "startTime",
    "endTime",
    "minDur",
    "maxDur",
];

/// The records of one answer, at most and by default.
pub const MAX_RECORDS: u64 = 1000;

/// A request to `cdrapi`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cdrapi {
    /// The shape of the answer.
    pub format: Format,
    /// So many matching records at most.
    pub num_records: Option<u64>,
    /// So many matching records are passed over.
    pub offset: Option<u64>,
    /// Who called; nobody in particular where there is no item.
    pub caller: Vec<Item>,
    /// Who was called, likewise.
    pub callee: Vec<Item>,
    /// Who answered, likewise.
    pub answered_by: Vec<Item>,
    /// The first start that is wanted.
    pub start_time: Option<Clock>,
    /// The last.
    pub end_time: Option<Clock>,
    /// The least `billsec` that is wanted.
    pub min_dur: Option<u64>,
    /// The greatest.
    pub max_dur: Option<u64>,
}

/// The shape of an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// Lines under a header.
    #[default]
    Csv,
    /// Elements in a `<root>`.
    Xml,
    /// Objects in `cdr_root`.
    Json,
}

impl Format {
    /// The shape of that name, in any case.
    pub(super) fn by_name(name: &str) -> Option<Format> {
        [Format::Csv, Format::Xml, Format::Json]
            .into_iter()
            .find(|format| format.name().eq_ignore_ascii_case(name))
    }

    fn name(self) -> &'static str {
        match self {
            Format::Csv => "csv",
            Format::Xml => "xml",
            Format::Json => "json",
        }
    }
}

impl Cdrapi {
    pub(super) fn parse(
        parameters: &[Parameter<'_>],
        context: &Context,
        purpose: Purpose,
    ) -> Result<Cdrapi, FilterError> {
        let mut request = Cdrapi::default();
        let mut once = Once::default();
        for parameter in parameters {
            request.take(parameter, context, purpose)?;
            if !matches!(&*parameter.name, "caller" | "callee") {
                once.check(parameter, &parameter.name)?;
            }
        }
        Ok(request)
    }

    fn take(
        &mut self,
        parameter: &Parameter<'_>,
        context: &Context,
        purpose: Purpose,
    ) -> Result<(), FilterError> {
        match &*parameter.name {
            "startTime" => self.start_time = instant(parameter, context)?,
            "endTime" => self.end_time = instant(parameter, context)?,
            name if !NAMES.contains(&name) => return Err(parameter.unknown("cdrapi", &NAMES)),
            _ if parameter.value.is_empty() => {
                return Err(parameter.wrong("it has no value: only startTime and endTime may be empty"));
            }
            "format" => {
                let format = Format::by_name(&parameter.value);
                self.format = format.ok_or_else(|| {
                    parameter
                        .wrong(format!("{} is no format: it is csv, xml or json", quoted(&parameter.value)))
                })?;
            }
            "numRecords" => self.num_records = Some(records(parameter, purpose)?),
            "offset" => self.offset = Some(parameter.number()?),
            "minDur" => self.min_dur = Some(parameter.number()?),
            "maxDur" => self.max_dur = Some(parameter.number()?),
            "caller" => self.caller.extend(list::read(parameter, Items::Patterns)?),
            "callee" => self.callee.extend(list::read(parameter, Items::Patterns)?),
            _ => self.answered_by = list::read(parameter, Items::Patterns)?,
        }
        Ok(())
    }

    pub(super) fn expr(&self) -> Expr {
        let column = Scalar::Column;
        let mut all = Vec::new();
        for (items, of) in [
            (&self.caller, Column::Src),
            (&self.callee, Column::Dst),
            (&self.answered_by, Column::AnsweredBy),
        ] {
            if !items.is_empty() {
                all.push(list::any_of(items, &Scalar::OrEmpty(Box::new(column(of)))));
            }
        }
        let seconds = |seconds: Option<u64>| seconds.map(Number::from).map(Constant::Number);
        all.extend(Expr::bounds(Column::Billsec, seconds(self.min_dur), seconds(self.max_dur)));
        let instant = |time: Option<Clock>| {
            time.and_then(|time| time.instant()).map(|time| Constant::Time(Moment::Instant(time)))
        };
        all.extend(Expr::bounds(Column::Start, instant(self.start_time), instant(self.end_time)));
        Expr::all(all)
    }
}

/// A time, or an open end.
fn instant(parameter: &Parameter<'_>, context: &Context) -> Result<Option<Clock>, FilterError> {
    if parameter.value.is_empty() {
        return Ok(None);
    }
    let time = read_instant(&parameter.value, context.now());
    time.map(Some)
        .ok_or_else(|| parameter.wrong(format!("{} is no time: it is {INSTANTS}", quoted(&parameter.value))))
}

/// More than the UCM gives at once is that much to it, and a mistake where rows are converted.
fn records(parameter: &Parameter<'_>, purpose: Purpose) -> Result<u64, FilterError> {
    let records = parameter.number()?;
    if records > MAX_RECORDS && purpose == Purpose::Rows {
        return Err(parameter.wrong("the UCM gives 1000 records at most: leave numRecords out for all"));
    }
    Ok(records.min(MAX_RECORDS))
}

/// The request in its shortest form.
impl fmt::Display for Cdrapi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = |number: Option<u64>| number.map(|number| number.to_string());
        let list = |items: &[Item]| (!items.is_empty()).then(|| list::print(items));
        let format = (self.format != Format::Csv).then(|| self.format.name().to_string());
        let values = [
            format,
            number(self.num_records),
            number(self.offset),
            list(&self.caller),
            list(&self.callee),
            list(&self.answered_by),
            self.start_time.map(print_instant),
            self.end_time.map(print_instant),
            number(self.min_dur),
            number(self.max_dur),
        ];
        let given = NAMES.into_iter().zip(values).filter_map(|(name, value)| Some((name, value?)));
        print(f, "cdrapi", &given.collect::<Vec<_>>())
    }
}
