//! The formats: each a writer in a file of its own, and one line in `FORMATS`.

mod asterisk;
mod csv;
mod kazoo;
mod nexo;
mod ucm_cdrapi;
mod ucm_web;
mod yeastar;

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
    pub(crate) call: fn(&Call, &Style, &mut Vec<u8>),
}

/// What a format leaves open.
pub(crate) struct Style {
    pub(crate) dialect: Dialect,
    /// The generation of `ucm-cdrapi-csv`, by its number of columns.
    pub(crate) columns: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// As the device writes it.
    Device,
    /// As CSV readers expect it.
    Rfc4180,
}

pub(crate) const FORMATS: &[Format] =
    &[ucm_cdrapi::FORMAT, ucm_web::FORMAT, nexo::FORMAT, yeastar::FORMAT, asterisk::FORMAT, kazoo::FORMAT];

/// The numbers that a UCM suggests for its services.
const UCM_PLAN: NumberPlan =
    NumberPlan { extension: 5000, conference: 6300, ring_group: 6400, queue: 6500, ivr: 7000, page: 6800 };
