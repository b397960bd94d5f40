//! What a request asks of its answer: its shape, its page, its order. The only file that knows both
//! requests and shapes.
//!
//! | request | page |
//! |---|---|
//! | `cdrapi` | `offset`, and `numRecords`: 1000, and no more |
//! | `ucm-web`, Nexo | all |
//! | Yeastar | `page` from 1 of `page_size`, which is 10,000 where only the page is given; else all |
//! | Kazoo | `page_size`, 50 where only `paginate=true` or `start_key` is given; else, or with `paginate=false`, all |
//!
//! A Kazoo's `start_key` is its own secret. Ours, which [`next_start_key`](Facts::next) gives, is how many
//! records stand on the pages before; any other is a wrong request.

use super::Accept;
use crate::answer::{Facts, Shape};
use crate::error::{Error, Result};
use crate::filter::cdrapi::Format;
use crate::filter::kazoo::Kazoo;
use crate::filter::nexo::{Cgi, Nexo};
use crate::filter::yeastar::{MAX_PAGE_SIZE, Yeastar};
use crate::filter::{Container, Filter, FilterError, Request};
use crate::schema::Column;
use crate::time::civil_from_days;

/// What is asked of an answer.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) shape: Shape,
    /// Matching calls that are passed over.
    pub(super) skip: u64,
    /// How many follow, at most.
    pub(super) count: Option<u64>,
    /// The column that they are sorted by, and whether the last comes first.
    pub(super) sort: Option<(Column, bool)>,
    /// Whether the answer tells where the next page begins.
    pub(super) tells_next: bool,
    /// What the answer says of the request.
    pub(super) facts: Facts,
}

/// The records of a page where Kazoo is not told how many.
const KAZOO_PAGE: u64 = 50;

/// The records of an answer of a UCM, at most and by default.
const CDRAPI_PAGE: u64 = 1000;

impl Plan {
    /// # Errors
    /// The request is wrong in what only an answer asks: the PBX answers with the empty container.
    pub(super) fn of(filter: &Filter, accept: Accept) -> Result<std::result::Result<Plan, FilterError>> {
        let request = filter
            .request()
            .ok_or_else(|| Error::usage("a condition in SQL is no request that a PBX answers"))?;
        let shape = shape(request.container(), accept)?;
        let all =
            Plan { shape, skip: 0, count: None, sort: None, tells_next: false, facts: Facts::default() };
        Ok(match request {
            Request::Cdrapi(request) => Ok(Plan {
                skip: request.offset.unwrap_or(0),
                count: Some(request.num_records.unwrap_or(CDRAPI_PAGE).min(CDRAPI_PAGE)),
                ..all
            }),
            Request::UcmWeb(_) => Ok(all),
            Request::Nexo(request) => Ok(Plan { facts: asked(request), ..all }),
            Request::Yeastar(request) => Ok(yeastar(request, all)),
            Request::Kazoo(request) => kazoo(request, all),
        })
    }
}

/// What a container looks like.
///
/// # Errors
/// Usage: only a Kazoo has two.
pub(super) fn shape(container: Container, accept: Accept) -> Result<Shape> {
    let shape = match (container, accept) {
        (Container::Kazoo, Accept::OctetStream) => return Ok(Shape::KAZOO_CSV),
        (_, Accept::OctetStream) => {
            return Err(Error::usage(
                "only a Kazoo answers in CSV where application/octet-stream is accepted; a UCM does with format=csv",
            ));
        }
        (Container::Kazoo, _) => Shape::KAZOO_JSON,
        (Container::Cdrapi(Format::Csv), _) => Shape::UCM_CSV,
        (Container::Cdrapi(Format::Xml), _) => Shape::UCM_XML,
        (Container::Cdrapi(Format::Json), _) => Shape::UCM_JSON,
        (Container::UcmWeb, _) => Shape::UCM_WEB_CSV,
        // What would be deleted: nothing is.
        (Container::Nexo(Cgi::Calls | Cgi::Delete), _) => Shape::NEXO_JSON,
        (Container::Nexo(Cgi::Download), _) => Shape::NEXO_CSV,
        (Container::Nexo(Cgi::Recordings), _) => Shape::NEXO_RECORDINGS,
        (Container::Yeastar, _) => Shape::YEASTAR_JSON,
    };
    Ok(shape)
}

fn yeastar(request: &Yeastar, all: Plan) -> Plan {
    let size = request.page_size.or(request.page.map(|_| MAX_PAGE_SIZE));
    let before = request.page.unwrap_or(1).saturating_sub(1);
    Plan {
        skip: before.saturating_mul(size.unwrap_or(0)),
        count: size,
        sort: request.sort_column().map(|column| (column, request.descending == Some(true))),
        ..all
    }
}

fn kazoo(request: &Kazoo, all: Plan) -> std::result::Result<Plan, FilterError> {
    let wrong = |parameter: &str, rule: &str| FilterError {
        parameter: Some(parameter.to_string()),
        position: 0,
        rule: rule.to_string(),
    };
    let skip = match &request.start_key {
        None => 0,
        Some(key) => {
            key.parse().map_err(|_| wrong("start_key", "it is none that query gave as next_start_key"))?
        }
    };
    let asks = request.page_size.is_some() || request.start_key.is_some() || request.paginate == Some(true);
    let size = (asks && request.paginate != Some(false)).then(|| request.page_size.unwrap_or(KAZOO_PAGE));
    if size == Some(0) {
        return Err(wrong("page_size", "a page has one record at least"));
    }
    let facts = Facts { page_size: size, ..Facts::default() };
    Ok(Plan { skip, count: size, tells_next: size.is_some(), facts, ..all })
}

/// The dates, as the list of recordings repeats them.
fn asked(request: &Nexo) -> Facts {
    let shown = |micros: i64| {
        let minutes = micros.div_euclid(60_000_000);
        let (year, month, day) = civil_from_days(minutes.div_euclid(24 * 60));
        let minute = minutes.rem_euclid(24 * 60);
        format!("{year:04}-{month:02}-{day:02} {:02}:{:02}", minute / 60, minute % 60)
    };
    let dates = [("startdate", request.start_date), ("enddate", request.end_date)];
    let asked = dates.into_iter().filter_map(|(name, date)| Some((name, shown(date?)))).collect();
    Facts { asked, ..Facts::default() }
}
