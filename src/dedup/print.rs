//! Fingerprints of rows: 128 bits of all columns but those that say where a row stood.
//!
//! SipHash, whose key is random, so that no one can write rows that differ and have the same. Of its variants that of
//! one and three rounds, which hash tables use, too: what is asked of it is only that nobody who does not see the
//! key can make two texts meet.

use std::hash::{BuildHasher, RandomState};

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use arrow::error::ArrowError;
use siphasher::sip128::SipHasher13;

use crate::error::{Error, Result};
use crate::schema::Column;
use crate::sort::row::Columns;

/// Makes fingerprints, of one schema and under one key.
pub struct Fingerprint {
    /// The columns that are compared.
    columns: Vec<usize>,
    hasher: SipHasher13,
}

impl Fingerprint {
    /// With a key that was never used before.
    pub fn new(schema: &Schema) -> Fingerprint {
        let apart = [Column::Source.name(), Column::SourceOffset.name()];
        let is_compared = |&column: &usize| !apart.contains(&schema.field(column).name().as_str());
        let random = RandomState::new();
        Fingerprint {
            columns: (0..schema.fields().len()).filter(is_compared).collect(),
            hasher: SipHasher13::new_with_keys(random.hash_one(1u8), random.hash_one(2u8)),
        }
    }

    /// Those of a batch's rows.
    ///
    /// # Errors
    /// Usage: they are not of the schema.
    pub fn of(&self, rows: &RecordBatch) -> Result<Vec<u128>> {
        let compared = rows.project(&self.columns).map_err(incomparable)?;
        let columns = Columns::of(&compared)?;
        let mut bytes = Vec::new();
        let print = |row| {
            bytes.clear();
            columns.append(row, &mut bytes);
            self.hasher.hash(&bytes).as_u128()
        };
        Ok((0..rows.num_rows()).map(print).collect())
    }
}

#[cold]
fn incomparable(error: ArrowError) -> Error {
    Error::usage(format!("rows cannot be compared: {error}"))
}
