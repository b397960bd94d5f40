//! Which rows are wanted: one expression over the unified columns, whatever language it was asked in.
//!
//! ```text
//!  cdrapi?…  ucm-web?…  nexo?…  yeastar?…  kazoo?…      one small parser each: text → Request
//!      ╰─────────┴─────────┴────────┴─────────╯
//!                          │  compiled with the `Context`: now, extension groups
//!  SQL condition ────────▶ Expr ────▶ evaluate(row of anything that has `Cells`)
//! ```
//!
//! The parsers know no rows, the expression knows no vendor, and evaluation exists once
//! ([`evaluate`]): a block's spans and a batch of arrow columns are both only [`Cells`] to it.

pub mod request;

mod parameter;

pub mod cdrapi;
pub mod kazoo;
pub mod nexo;
pub mod ucm_web;
pub mod yeastar;

mod group;
mod list;
mod times;

pub mod expr;

mod arrays;
mod digits;
mod evaluate;
mod matches;
mod number;
mod pattern;
mod sql;

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::schema::Column;
use crate::time::{DateOrder, Zone, ZoneClock};

pub(crate) use arrays::{Arrays, Clocks};
pub use digits::{DigitRange, DigitRanges};
pub use evaluate::{Bad, Cell, Cells, Truth, evaluate};
pub use expr::Expr;
pub use group::Group;
pub use list::Item;
pub use number::Number;
pub use pattern::{Pattern, Piece};
pub use request::{Container, Request};

/// A condition on rows, and the words in which it was asked.
///
/// It prints as what reads as an equal filter. A request does so in its shortest form: without a host,
/// without what is the default, with `now` and today as the times that they were.
#[derive(Clone, Debug, PartialEq)]
pub struct Filter {
    text: Arc<str>,
    expr: Expr,
    request: Option<Request>,
}

impl Filter {
    /// Reads a request in any of the five grammars, for rows that are to be converted: at this moment, and
    /// without extension groups.
    ///
    /// ```
    /// use calltable::Filter;
    ///
    /// let filter = Filter::parse("https://192.168.254.200:8443/cdrapi?format=CSV&caller=05302-5304,53@&minDur=8")?;
    /// assert_eq!(filter.to_string(), "cdrapi?caller=5302-5304,53@&minDur=8");
    /// let error = Filter::parse("cdrapi?caller=5300,,5303").unwrap_err();
    /// assert_eq!(error.to_string(), "at byte 19: caller: a list must not have two commas side by side");
    /// # Ok::<(), calltable::FilterError>(())
    /// ```
    ///
    /// # Errors
    /// The rule that the request breaks, and where. So are requests for a page that no PBX would give,
    /// and for a day that depends on the clock.
    pub fn parse(request: &str) -> Result<Filter, FilterError> {
        Filter::parse_with(request, &Context::new())
    }

    /// The same, with what it means here and now.
    ///
    /// # Errors
    /// As [`Filter::parse`].
    pub fn parse_with(request: &str, context: &Context) -> Result<Filter, FilterError> {
        Request::parse(request, context, Purpose::Rows).map(Filter::from)
    }

    /// Reads a request that is to be answered as the PBX would: what it takes is taken.
    ///
    /// # Errors
    /// The rule that the request breaks, and where: the PBX answers with the empty [`Container`]
    /// ([`request::container`]).
    pub fn parse_query(request: &str, context: &Context) -> Result<Filter, FilterError> {
        Request::parse(request, context, Purpose::Answer).map(Filter::from)
    }

    /// The condition.
    pub fn expr(&self) -> &Expr {
        &self.expr
    }

    /// The columns that it looks at, in the table's order, each once.
    pub fn columns(&self) -> Vec<Column> {
        self.expr.columns()
    }

    /// The page that the rows are cut to, as it is written; none where none is.
    pub fn page(&self) -> Option<Page> {
        self.request()?.page()
    }

    /// The request; none where it was asked in SQL.
    pub fn request(&self) -> Option<&Request> {
        self.request.as_ref()
    }
}

impl From<Request> for Filter {
    fn from(request: Request) -> Filter {
        Filter { text: request.to_string().into(), expr: request.expr(), request: Some(request) }
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// What a filter prints: a request, or where the text is the address of none, a SQL condition.
impl FromStr for Filter {
    type Err = FilterError;

    fn from_str(text: &str) -> Result<Filter, FilterError> {
        if request::container(text).is_some() {
            return Filter::parse(text);
        }
        // A mistyped address is one word, a condition hardly ever is.
        let is_word = !text.contains(|letter: char| letter.is_whitespace());
        Filter::sql(text).or_else(|error| if is_word { Filter::parse(text) } else { Err(error) })
    }
}

/// What a request is read for. A PBX takes more than makes sense where rows are converted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Purpose {
    /// Rows are converted.
    Rows,
    /// The request is answered.
    Answer,
}

/// What a request means differently today or for another PBX.
#[derive(Clone, Debug, Default)]
pub struct Context {
    /// The instant that `now` and "today" stand for, in microseconds since 1970, UTC: resolved once a run.
    pub now: i64,
    /// The members of the extension groups that the caller names.
    pub groups: BTreeMap<String, Vec<String>>,
    /// The zone of the PBX, which tells its date; UTC where none is given.
    pub zone: Option<Zone>,
    /// Whether dates that do not tell have the month or the day first; the month where none is given.
    pub date_order: Option<DateOrder>,
}

impl Context {
    /// This moment, and nothing else.
    pub fn new() -> Context {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_micros();
        Context { now: i64::try_from(now).unwrap_or(i64::MAX), ..Context::default() }
    }

    /// This moment to the millisecond, which is as much as a request can write.
    fn now(&self) -> i64 {
        written(self.now).div_euclid(1000) * 1000
    }

    /// What the clock of the PBX shows now.
    fn clock(&self) -> i64 {
        let zone = self.zone.unwrap_or(Zone::Fixed(0));
        written(ZoneClock::new(&zone).local(self.now))
    }
}

/// The time, or the one nearest to it that can be written.
fn written(time: i64) -> i64 {
    time.clamp(*times::WRITABLE.start(), *times::WRITABLE.end())
}

/// What is wrong with a request, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilterError {
    /// The parameter concerned, as it is written; none where it is the request as a whole, or SQL.
    pub parameter: Option<String>,
    /// The byte of the request's text at which it is seen.
    pub position: usize,
    /// The rule that is broken, as a sentence without a full stop.
    pub rule: String,
}

/// Which of the matching records are answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// Matching records that are passed over.
    pub offset: Option<u64>,
    /// Matching records that follow, at most.
    pub count: Option<u64>,
}

impl fmt::Display for FilterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at byte {}: ", self.position)?;
        if let Some(parameter) = &self.parameter {
            write!(f, "{parameter}: ")?;
        }
        f.write_str(&self.rule)
    }
}

impl std::error::Error for FilterError {}
