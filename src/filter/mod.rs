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

mod evaluate;
pub mod expr;
mod number;
mod pattern;

use std::collections::BTreeMap;
use std::fmt;

pub use evaluate::{Bad, Cell, Cells, Truth, evaluate};
pub use expr::Expr;
pub use number::Number;
pub use pattern::{Pattern, Piece};

/// What a request means differently today or for another PBX.
#[derive(Clone, Debug, Default)]
pub struct Context {
    /// The instant that `now` and "today" stand for, in microseconds since 1970, UTC: resolved once a run.
    pub now: i64,
    /// The members of the extension groups that the caller names.
    pub groups: BTreeMap<String, Vec<String>>,
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
