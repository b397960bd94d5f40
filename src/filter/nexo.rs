//! Nexo's CGIs: 9006 queries calls, 9005 downloads them, 9004 deletes them; 20053 queries recordings.
//!
//! Source: Nexo CDR guide, "CDR API URL Parameters" (Tables 4 to 6), "CDR Filter Criteria", "CALL
//! RECORDING API URL Parameters" (Table 4) and the example queries.
//!
//! - An empty value is no condition, and so is `All`; the first parameter has an `&` before it.
//! - Times are the PBX's clock, to the minute: the last one is wanted to its end.
//! - Both dates given and empty are the current date to the PBX. Where rows are converted that is a
//!   mistake: nobody means an archive's calls of today.
//! - The document spells `FAILED` also `FAILD`, `Internal` also `Interval`, `CallBack` also `Call Back`.
//! - Prefixes end in `-` on the PBX, and the filter must not have it: it is added here.
//! - `src` and `dst` may be repeated: "multiple values … will be concatenated".
//! - `dst` is compared with the number before the bracket of `620(102)`, and with that within, which is
//!   who answered.
//! - A recording has a `duration` and no `billsec`, and its trunk may be that of either side.

use std::fmt;
use std::sync::Arc;

use super::expr::{Comparison, Constant, Expr, Moment, Scalar, Test, Texts};
use super::list::{self, Item, Items};
use super::parameter::{Once, Parameter, print, quoted};
use super::times::{print_local, read_local};
use super::{Context, FilterError, Number, Purpose};
use crate::decode::disposition;
use crate::schema::Column;

const MINUTE: i64 = 60_000_000;
const DAY: i64 = 24 * 60 * MINUTE;

const NAMES: [&str; 16] = [
    "startdate",
    "enddate",
    "src",
    "dst",
    "disposition",
    "userfield",
    "minbillsec",
    "maxbillsec",
    "cidname",
    "in_route",
    "IVR",
    "port",
    "trunk",
    "calltype",
    "minduration",
    "maxduration",
];

const DISPOSITIONS: [&str; 4] = ["ANSWERED", "BUSY", "FAILED", "NO ANSWER"];

/// The directions in their spelling, and the letters that they are told by.
const DIRECTIONS: [(&str, &[&str]); 5] = [
    ("Internal", &["internal", "interval"]),
    ("Outbound", &["outbound"]),
    ("Inbound", &["inbound"]),
    ("CallBack", &["callback"]),
    // Recordings alone: it is no type of call, but stands in their field.
    (CONFERENCE, &["conference"]),
];
const CONFERENCE: &str = "Conference";

/// A request to one of the CGIs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Nexo {
    /// Which of them.
    pub cgi: Cgi,
    /// The first start that is wanted, by the PBX's clock in microseconds.
    pub start_date: Option<i64>,
    /// The last, to the end of its minute.
    pub end_date: Option<i64>,
    /// Who called; nobody in particular where there is no item.
    pub src: Vec<Item>,
    /// Who was called, likewise.
    pub dst: Vec<Item>,
    /// The outcome, as `disposition` has it.
    pub disposition: Option<String>,
    /// The direction of a call, in the vendor's spelling.
    pub userfield: Option<&'static str>,
    /// The least `billsec`.
    pub min_billsec: Option<u64>,
    /// The greatest.
    pub max_billsec: Option<u64>,
    /// The prefix of the inbound route, without its `-`.
    pub cid_name: Option<String>,
    /// The inbound route, likewise.
    pub in_route: Option<String>,
    /// The voice menu, likewise.
    pub ivr: Option<String>,
    /// The GSM port.
    pub port: Option<u64>,
    /// The trunk of a recording.
    pub trunk: Option<String>,
    /// The direction of a recording's call.
    pub call_type: Option<&'static str>,
    /// The least duration of a recording.
    pub min_duration: Option<u64>,
    /// The greatest.
    pub max_duration: Option<u64>,
}

/// A CGI, by its number in the path.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Cgi {
    /// 9006: calls as JSON.
    #[default]
    Calls,
    /// 9005: calls as a file.
    Download,
    /// 9004: calls that would be deleted.
    Delete,
    /// 20053: recordings as JSON.
    Recordings,
}

impl Cgi {
    /// The CGI of that number.
    pub(super) fn by_number(number: &str) -> Option<Cgi> {
        let all = [Cgi::Calls, Cgi::Download, Cgi::Delete, Cgi::Recordings];
        all.into_iter().find(|cgi| cgi.number() == number)
    }

    fn number(self) -> &'static str {
        match self {
            Cgi::Calls => "9006",
            Cgi::Download => "9005",
            Cgi::Delete => "9004",
            Cgi::Recordings => "20053",
        }
    }
}

impl Nexo {
    pub(super) fn parse(
        cgi: Cgi,
        parameters: &[Parameter<'_>],
        context: &Context,
        purpose: Purpose,
    ) -> Result<Nexo, FilterError> {
        let mut request = Nexo { cgi, ..Nexo::default() };
        let mut once = Once::default();
        for parameter in parameters {
            let name = if parameter.name == "Port" { "port" } else { &*parameter.name };
            if !NAMES.contains(&name) {
                return Err(parameter.unknown("nexo", &NAMES));
            }
            if !matches!(name, "src" | "dst") {
                once.check(parameter, name)?;
            }
            if !parameter.value.is_empty() {
                request.take(name, parameter)?;
            }
        }
        request.empty_dates(parameters, context, purpose)?;
        Ok(request)
    }

    fn take(&mut self, name: &str, parameter: &Parameter<'_>) -> Result<(), FilterError> {
        match name {
            "startdate" => self.start_date = Some(date(parameter)?),
            "enddate" => self.end_date = Some(date(parameter)?),
            "src" => self.src.extend(list::read(parameter, Items::Plain)?),
            "dst" => self.dst.extend(list::read(parameter, Items::Plain)?),
            "disposition" => self.disposition = outcome(parameter)?,
            "userfield" => self.userfield = direction(parameter, &DIRECTIONS[..4])?,
            "minbillsec" => self.min_billsec = Some(parameter.number()?),
            "maxbillsec" => self.max_billsec = Some(parameter.number()?),
            "cidname" => self.cid_name = Some(prefix(parameter)?),
            "in_route" => self.in_route = Some(prefix(parameter)?),
            "IVR" => self.ivr = Some(prefix(parameter)?),
            "port" if parameter.value == "-1" => {}
            "port" => self.port = Some(parameter.number()?).filter(|port| *port > 0),
            "trunk" => self.trunk = Some(parameter.value.to_string()).filter(|trunk| !is_all(trunk)),
            "calltype" => self.call_type = direction(parameter, &DIRECTIONS)?,
            "minduration" => self.min_duration = Some(parameter.number()?),
            _ => self.max_duration = Some(parameter.number()?),
        }
        Ok(())
    }

    /// What both dates given and empty are.
    fn empty_dates(
        &mut self,
        parameters: &[Parameter<'_>],
        context: &Context,
        purpose: Purpose,
    ) -> Result<(), FilterError> {
        let empty = |name| parameters.iter().find(|given| given.name == name && given.value.is_empty());
        let (Some(_), Some(end)) = (empty("startdate"), empty("enddate")) else { return Ok(()) };
        if purpose == Purpose::Rows {
            return Err(end.wrong(
                "both dates are empty, which is the current date to the PBX: leave both out for all dates",
            ));
        }
        let today = context.clock().div_euclid(DAY) * DAY;
        (self.start_date, self.end_date) = (Some(today), Some(today + DAY - MINUTE));
        Ok(())
    }

    pub(super) fn expr(&self) -> Expr {
        let clock = |time| Constant::Time(Moment::Clock(time));
        let end = self.end_date.map(|minute| minute + MINUTE - 1);
        let seconds = |seconds: Option<u64>| seconds.map(Number::from).map(Constant::Number);
        let mut all = Vec::new();
        all.extend(Expr::bounds(Column::Start, self.start_date.map(clock), end.map(clock)));
        all.extend(self.parties());
        all.extend(self.disposition.as_ref().map(|word| Expr::one_of(Column::Disposition, [word])));
        all.extend([self.userfield, self.call_type].into_iter().flatten().map(of_direction));
        all.extend(Expr::bounds(Column::Billsec, seconds(self.min_billsec), seconds(self.max_billsec)));
        all.extend(self.routes());
        all.extend(self.trunk.as_deref().map(by_trunk));
        all.extend(talked(seconds(self.min_duration), seconds(self.max_duration)));
        Expr::all(all)
    }

    /// Who called, and who was called or answered.
    fn parties(&self) -> impl Iterator<Item = Expr> {
        let number = |column| Scalar::OrEmpty(Scalar::BeforeBracket(Scalar::Column(column).into()).into());
        let src = (!self.src.is_empty()).then(|| list::any_of(&self.src, &number(Column::Src)));
        let dst = (!self.dst.is_empty()).then(|| {
            let within = list::any_of(&self.dst, &Scalar::Column(Column::AnsweredBy));
            Expr::Any(vec![list::any_of(&self.dst, &number(Column::Dst)), within])
        });
        src.into_iter().chain(dst)
    }

    /// By which way the call came.
    fn routes(&self) -> impl Iterator<Item = Expr> {
        let prefixes = [
            (&self.cid_name, Column::CidPrefix),
            (&self.in_route, Column::InRoute),
            (&self.ivr, Column::Ivr),
        ];
        let prefixes = prefixes.into_iter().filter_map(|(prefix, column)| {
            let prefix = prefix.as_ref()?;
            Some(Expr::one_of(column, [prefix.clone(), format!("{prefix}-")]))
        });
        let port = self.port.map(|port| {
            let port = Scalar::Constant(Constant::Number(Number::from(port)));
            Expr::Compare(Scalar::Column(Column::Port), Comparison::Equal, port)
        });
        prefixes.chain(port)
    }
}

/// A conference is no type of call: the word stands in the field alone.
fn of_direction(word: &'static str) -> Expr {
    if word == CONFERENCE {
        let text = Scalar::Lower(Scalar::Column(Column::Userfield).into());
        return Expr::Test(text, Test::OneOf(Arc::new(Texts::from_iter([word.to_lowercase()]))));
    }
    Expr::one_of(Column::CallType, [word.to_lowercase()])
}

/// A recording's trunk stands in `extra`, a call's on its side.
fn by_trunk(name: &str) -> Expr {
    let is_named = |of| Expr::Test(of, Test::OneOf(Arc::new(Texts::from_iter([name.to_string()]))));
    Expr::Any(vec![
        is_named(Scalar::Extra("trunk".into())),
        is_named(Scalar::Column(Column::SrcTrunkName)),
        is_named(Scalar::Column(Column::DstTrunkName)),
    ])
}

/// Bounds on `billsec`, or where there is none (recordings) on `duration`.
fn talked(least: Option<Constant>, most: Option<Constant>) -> impl Iterator<Item = Expr> {
    let bounds = |column| Expr::bounds(column, least.clone(), most.clone());
    let pairs: Vec<_> = bounds(Column::Billsec).zip(bounds(Column::Duration)).collect();
    pairs.into_iter().map(|(talked, lasted)| {
        let no_billsec = Expr::Test(Scalar::Column(Column::Billsec), Test::IsNull);
        Expr::Any(vec![talked, Expr::All(vec![no_billsec, lasted])])
    })
}

fn is_all(word: &str) -> bool {
    word.eq_ignore_ascii_case("All")
}

fn date(parameter: &Parameter<'_>) -> Result<i64, FilterError> {
    read_local(&parameter.value, false).ok_or_else(|| {
        parameter.wrong(format!("{} is no time: it is YYYY-MM-DD HH:MM", quoted(&parameter.value)))
    })
}

/// An outcome, or nothing for all of them.
fn outcome(parameter: &Parameter<'_>) -> Result<Option<String>, FilterError> {
    let text = &*parameter.value;
    let word = if text.eq_ignore_ascii_case("FAILD") { Some("FAILED".into()) } else { disposition(text) };
    match word {
        _ if is_all(text) => Ok(None),
        Some(word) if DISPOSITIONS.contains(&&*word) => Ok(Some(word.into_owned())),
        _ => {
            let known = DISPOSITIONS.join(", ");
            Err(parameter.wrong(format!("{} is no outcome: it is {known} or All", quoted(text))))
        }
    }
}

/// A direction, or nothing for all of them.
fn direction(
    parameter: &Parameter<'_>,
    known: &[(&'static str, &[&str])],
) -> Result<Option<&'static str>, FilterError> {
    let text = &*parameter.value;
    let letters = text.replace(' ', "").to_ascii_lowercase();
    let found = known.iter().find(|(_, spellings)| spellings.contains(&&*letters));
    match found {
        Some((word, _)) => Ok(Some(*word)),
        None if is_all(text) => Ok(None),
        None => {
            let words: Vec<&str> = known.iter().map(|(word, _)| *word).collect();
            Err(parameter.wrong(format!(
                "{} is no direction: it is {} or All",
                quoted(text),
                words.join(", ")
            )))
        }
    }
}

/// A prefix without the `-` that it ends in on the PBX.
fn prefix(parameter: &Parameter<'_>) -> Result<String, FilterError> {
    match parameter.value.find('-') {
        Some(at) => {
            Err(parameter.wrong_at(at, "a `-` must not be used: leave out the one that ends the prefix"))
        }
        None => Ok(parameter.value.to_string()),
    }
}

/// The request with what is a condition.
impl fmt::Display for Nexo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = |number: Option<u64>| number.map(|number| number.to_string());
        let list = |items: &[Item]| (!items.is_empty()).then(|| list::print(items));
        let date = |time: Option<i64>| time.map(|time| print_local(time, '-')[..16].to_string());
        let word = |word: Option<&'static str>| word.map(str::to_string);
        let values = [
            date(self.start_date),
            date(self.end_date),
            list(&self.src),
            list(&self.dst),
            self.disposition.clone(),
            word(self.userfield),
            number(self.min_billsec),
            number(self.max_billsec),
            self.cid_name.clone(),
            self.in_route.clone(),
            self.ivr.clone(),
            number(self.port),
            self.trunk.clone(),
            word(self.call_type),
            number(self.min_duration),
            number(self.max_duration),
        ];
        let given: Vec<_> =
            NAMES.into_iter().zip(values).filter_map(|(name, value)| Some((name, value?))).collect();
        match self.cgi {
            Cgi::Calls => print(f, "nexo", &given),
            cgi => print(f, &format!("cgi/webserve/{}", cgi.number()), &given),
        }
    }
}
