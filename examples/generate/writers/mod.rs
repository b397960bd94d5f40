//! The formats: each a writer in a file of its own, and one line in `FORMATS`. How CSV, JSON and XML are
//! written stands in a file each, too.

mod csv;
mod json;
mod xml;

mod ami;
mod asterisk;
mod kazoo;
mod kazoo_json;
mod nexo;
mod nexo_json;
mod ucm_cdrapi;
mod ucm_cdrapi_csv;
mod ucm_cdrapi_json;
mod ucm_cdrapi_xml;
mod ucm_web;
mod yeastar;
mod yeastar_json;

use crate::call::Call;
use crate::office::NumberPlan;

/// One kind of dump.
pub(crate) struct Format {
    pub(crate) name: &'static str,
    /// Which numbers the office has in such a system.
    pub(crate) plan: NumberPlan,
    /// About how many bytes a call takes, to spread a file's calls over the year.
    pub(crate) call_bytes: fn(&Style) -> f64,
    /// Appends what the dump begins with.
    pub(crate) start: fn(&Style, &mut Vec<u8>),
    /// Appends all records of a call.
    pub(crate) call: fn(&Call, &Style, &mut Dump),
    /// Appends what a dump of so many records ends with.
    pub(crate) end: fn(&Style, u64, &mut Vec<u8>),
}

/// What a format leaves open.
pub(crate) struct Style {
    pub(crate) dialect: Dialect,
    /// The generation of `ucm-cdrapi`, by its number of fields.
    pub(crate) columns: usize,
    pub(crate) nesting: Nesting,
}

impl Style {
    /// Whether a call has a main record, and its legs are subs.
    fn nests(&self, call: &Call) -> bool {
        self.nesting == Nesting::All || call.legs.len() > 1
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// As the device writes it.
    Device,
    /// As CSV readers and XML parsers expect it.
    Standard,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Nesting {
    /// Each call has a main record.
    All,
    /// Calls of one leg have none.
    Some,
}

/// A dump in the making: the text that is not yet written out, and the records that stand so far.
#[derive(Default)]
pub(crate) struct Dump {
    pub(crate) text: Vec<u8>,
    pub(crate) records: u64,
}

impl Dump {
    /// Begins a record of a list: sets it apart from the one before, and returns how many there are before.
    fn separate_by(&mut self, separator: &str) -> u64 {
        if self.records > 0 {
            self.text.extend_from_slice(separator.as_bytes());
        }
        self.records += 1;
        self.records - 1
    }
}

/// The end of a dump that simply ends.
fn no_end(_: &Style, _: u64, _: &mut Vec<u8>) {}

pub(crate) const FORMATS: &[Format] = &[
    ucm_cdrapi_csv::FORMAT,
    ucm_cdrapi_json::FORMAT,
    ucm_cdrapi_json::LINES_FORMAT,
    ucm_cdrapi_xml::FORMAT,
    ucm_web::FORMAT,
    nexo::FORMAT,
    nexo_json::FORMAT,
    nexo_json::RECORDINGS_FORMAT,
    yeastar::FORMAT,
    yeastar_json::FORMAT,
    asterisk::FORMAT,
    ami::FORMAT,
    kazoo::FORMAT,
    kazoo_json::FORMAT,
];

/// The numbers that a UCM suggests for its services.
const UCM_PLAN: NumberPlan =
    NumberPlan { extension: 5000, conference: 6300, ring_group: 6400, queue: 6500, ivr: 7000, page: 6800 };
