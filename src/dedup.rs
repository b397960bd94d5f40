//! Which rows equal an earlier one of the run, in all columns but those that say where they stood.
//!
//! Polling scripts fetch overlaps, so the same record comes in many files. Of each row its [`Fingerprint`]s are kept,
//! not the row: 128 bits by a key that each run draws anew. Two different rows of n have the same ones with a
//! probability of about n² / 2¹²⁹, which is 10⁻²¹ for a billion rows, and nobody who writes dumps can help it along:
//! that is taken as never.
//!
//! ```text
//! row ──▶ fingerprint ──▶ seen? ── yes ─▶ dropped
//!                           │ no
//!                           ├── there is room: it is new, and given back at once
//!                           └── there is none: held, and decided when all rows are known
//! ```
//!
//! Batches come back as they came, less what was dropped, whether at once or held back in between: so nothing that
//! is written of them depends on the memory. It must not know what columns mean, nor what becomes of the rows.

mod held;
mod print;
mod seen;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::Arc;

use arrow::array::{BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;
use arrow::datatypes::SchemaRef;

use self::held::Held;
use self::print::Fingerprint;
use self::seen::Seen;
use crate::error::{Error, Result};
use crate::sort::builders::Builders;
use crate::sort::row;

/// Which rows were there before.
pub(crate) struct Dedup {
    schema: SchemaRef,
    folder: Arc<Path>,
    fingerprint: Fingerprint,
    seen: Seen,
    /// Of the memory so much is for sorting what is held.
    for_sorting: usize,
    held: Option<Held>,
}

/// A batch, less the rows that were there before.
#[derive(Debug)]
pub(crate) struct Fresh {
    /// The number of its input.
    pub(crate) input: usize,
    /// The rows that are new, in order; there may be none.
    pub(crate) rows: RecordBatch,
    /// How many others there were.
    pub(crate) duplicates: u64,
}

impl Dedup {
    /// For rows of that schema. What cannot be decided within about `memory` bytes is held in files without a name
    /// in `folder`.
    ///
    /// # Errors
    /// Usage: a column of that type cannot be compared.
    pub(crate) fn new(schema: SchemaRef, folder: &Path, memory: usize) -> Result<Dedup> {
        Builders::new(&schema)?;
        let for_sorting = memory / 4;
        Ok(Dedup {
            fingerprint: Fingerprint::new(&schema),
            schema,
            folder: folder.into(),
            seen: Seen::new(memory - for_sorting),
            for_sorting,
            held: None,
        })
    }

    /// Takes rows of an input; gives back those that are new, or nothing where that will be known only in the end,
    /// of these rows and of all after them.
    ///
    /// # Errors
    /// Output: the folder has no room. Usage: the rows are not of the schema.
    pub(crate) fn push(&mut self, input: usize, rows: &RecordBatch) -> Result<Option<Fresh>> {
        row::fits(rows, &self.schema)?;
        let prints = self.fingerprint.of(rows)?;
        let held = match &mut self.held {
            Some(held) => held,
            None if self.seen.make_room(prints.len()) => return self.decide(input, rows, &prints).map(Some),
            none => none.insert(Held::new(&self.schema, &self.folder, self.for_sorting)?),
        };
        let unseen = prints.iter().map(|&print| (!self.seen.contains(print)).then_some(print));
        held.push(input, rows, &unseen.collect::<Vec<_>>())?;
        Ok(None)
    }

    fn decide(&mut self, input: usize, rows: &RecordBatch, prints: &[u128]) -> Result<Fresh> {
        let is_new: BooleanArray = prints.iter().map(|&print| Some(self.seen.insert(print))).collect();
        let duplicates = is_new.false_count();
        let rows = match duplicates {
            0 => rows.clone(),
            _ => filter_record_batch(rows, &is_new)
                .map_err(|error| Error::usage(format!("rows cannot be compared: {error}")))?,
        };
        Ok(Fresh { input, rows, duplicates: duplicates as u64 })
    }

    /// What was held back, in order.
    ///
    /// # Errors
    /// Output: the folder has no room.
    pub(crate) fn finish(self) -> Result<impl Iterator<Item = Result<Fresh>>> {
        drop(self.seen);
        Ok(self.held.map(Held::finish).transpose()?.into_iter().flatten())
    }
}
