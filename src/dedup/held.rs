//! Rows that wait on disk until all are known, because memory has no room for their fingerprints.
//!
//! ```text
//! rows            a run, in the order in which they came, a batch's head before its rows
//! fingerprint     sorted: equal ones stand side by side, and all but the first are duplicates'
//!  └ its number   those of the duplicates, sorted: the rows that are passed over when the run is read
//! ```
//!
//! It must not know what was seen while there was room: of that nothing comes here.

use std::path::Path;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;

use super::Fresh;
use crate::error::Result;
use crate::sort::builders::Builders;
use crate::sort::bytes::{BytesSorter, Ordered};
use crate::sort::row::Columns;
use crate::sort::run::{Reader, Writer, damaged};

/// Rows that are held back.
pub(super) struct Held {
    schema: SchemaRef,
    folder: Arc<Path>,
    memory: usize,
    rows: Writer,
    prints: BytesSorter,
    /// Rows that are held.
    count: u64,
}

/// What was held back, batch by batch, less the duplicates.
pub(super) struct Decided {
    schema: SchemaRef,
    folder: Arc<Path>,
    rows: Reader,
    duplicates: Ordered,
    /// The number of the next duplicate.
    next_duplicate: Option<u64>,
    /// The number of the next row.
    next: u64,
}

/// What stands before a batch's rows.
struct Head {
    input: usize,
    rows: u64,
    /// Duplicates that were dropped before.
    duplicates: u64,
}

impl Held {
    /// None yet. Sorting their fingerprints takes about `memory` bytes, and files in `folder`.
    ///
    /// # Errors
    /// Output: the folder takes no file.
    pub fn new(schema: &SchemaRef, folder: &Arc<Path>, memory: usize) -> Result<Held> {
        Ok(Held {
            schema: schema.clone(),
            folder: folder.clone(),
            memory,
            rows: Writer::create(folder)?,
            prints: BytesSorter::new(folder, memory),
            count: 0,
        })
    }

    /// Takes rows of an input, each by its fingerprint; those without one are duplicates of what was seen.
    ///
    /// # Errors
    /// Output: the folder has no room. Usage: the rows are not of the schema.
    pub fn push(&mut self, input: usize, rows: &RecordBatch, prints: &[Option<u128>]) -> Result<()> {
        let columns = Columns::of(rows)?;
        let held = prints.iter().flatten().count();
        let head = Head { input, rows: held as u64, duplicates: (prints.len() - held) as u64 };
        self.rows.push(&[], |out| out.extend_from_slice(&head.bytes()))?;
        for (row, print) in prints.iter().enumerate() {
            let Some(print) = print else { continue };
            self.rows.push(&[], |out| columns.append(row, out))?;
            self.prints.push(&print.to_be_bytes(), |out| out.extend_from_slice(&self.count.to_be_bytes()))?;
            self.count += 1;
        }
        Ok(())
    }

    /// Reads them again, less the duplicates.
    ///
    /// # Errors
    /// Output: the folder has no room, or a file cannot be read.
    pub fn finish(self) -> Result<Decided> {
        let mut numbers = BytesSorter::new(&self.folder, self.memory);
        let mut prints = self.prints.finish()?;
        let mut last = None;
        while let Some(entry) = prints.next()? {
            let print: Option<[u8; 16]> = entry.key.try_into().ok();
            if print == last {
                numbers.push(entry.value, |_| {})?;
            }
            last = print;
        }
        drop(prints);
        let mut duplicates = numbers.finish()?;
        let next_duplicate = next_number(&mut duplicates)?;
        let rows = Reader::open(self.rows.finish()?)?;
        let Held { schema, folder, .. } = self;
        Ok(Decided { schema, folder, rows, duplicates, next_duplicate, next: 0 })
    }
}

impl Decided {
    fn batch(&mut self) -> Result<Option<Fresh>> {
        if !self.rows.advance()? {
            return Ok(None);
        }
        let head = Head::of(self.rows.entry().value).ok_or_else(|| damaged(&self.folder))?;
        let Head { input, rows, mut duplicates } = head;
        let mut builders = Builders::new(&self.schema)?;
        for _ in 0..rows {
            if !self.rows.advance()? {
                return Err(damaged(&self.folder));
            }
            if self.next_duplicate == Some(self.next) {
                duplicates += 1;
                self.next_duplicate = next_number(&mut self.duplicates)?;
            } else {
                builders.push(self.rows.entry().value).ok_or_else(|| damaged(&self.folder))?;
            }
            self.next += 1;
        }
        let rows = builders.finish().map_err(|_| damaged(&self.folder))?;
        Ok(Some(Fresh { input, rows, duplicates }))
    }
}

impl Iterator for Decided {
    type Item = Result<Fresh>;

    fn next(&mut self) -> Option<Result<Fresh>> {
        self.batch().transpose()
    }
}

fn next_number(numbers: &mut Ordered) -> Result<Option<u64>> {
    let number = numbers.next()?;
    Ok(number.and_then(|entry| entry.key.try_into().ok()).map(u64::from_be_bytes))
}

impl Head {
    fn bytes(&self) -> Vec<u8> {
        [self.input as u64, self.rows, self.duplicates].map(u64::to_le_bytes).concat()
    }

    fn of(bytes: &[u8]) -> Option<Head> {
        let numbers: &[[u8; 8]; 3] = bytes.as_chunks().0.try_into().ok()?;
        let [input, rows, duplicates] = numbers.map(u64::from_le_bytes);
        Some(Head { input: usize::try_from(input).ok()?, rows, duplicates })
    }
}
