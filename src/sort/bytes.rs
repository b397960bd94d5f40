//! Entries in the order of their keys, in bounded memory, whatever they mean.
//!
//! As long as all of them fit into memory no file is touched.

use std::path::Path;
use std::sync::Arc;

use super::buffer::Buffer;
use super::entry::Entry;
use super::merge::{Merge, Runs};
use crate::error::Result;

/// Sorts entries by their keys, byte by byte; equal ones stay in the order in which they came.
pub struct BytesSorter {
    memory: usize,
    buffer: Buffer,
    runs: Runs,
}

/// Entries in order.
pub enum Ordered {
    /// All of them are in memory; the number is that of the next.
    InMemory(Buffer, usize),
    /// All of them are on disk.
    Merged(Merge),
}

impl BytesSorter {
    /// What does not fit into about `memory` bytes goes to files without a name in `folder`.
    pub fn new(folder: &Arc<Path>, memory: usize) -> BytesSorter {
        BytesSorter { memory, buffer: Buffer::default(), runs: Runs::new(folder) }
    }

    /// Takes an entry, whose value is what `value` appends.
    ///
    /// # Errors
    /// Output: the folder has no room.
    pub fn push(&mut self, key: &[u8], value: impl FnOnce(&mut Vec<u8>)) -> Result<()> {
        if self.buffer.is_full(self.memory) {
            self.spill()?;
        }
        self.buffer.push(key, value);
        Ok(())
    }

    /// The entries in order.
    ///
    /// # Errors
    /// Output: the folder has no room.
    pub fn finish(mut self) -> Result<Ordered> {
        if self.runs.is_empty() {
            self.buffer.sort();
            return Ok(Ordered::InMemory(self.buffer, 0));
        }
        self.spill()?;
        drop(self.buffer);
        self.runs.merge().map(Ordered::Merged)
    }

    fn spill(&mut self) -> Result<()> {
        self.buffer.sort();
        self.runs.write(&self.buffer)?;
        self.buffer.clear();
        Ok(())
    }
}

impl Ordered {
    /// The next entry.
    ///
    /// # Errors
    /// Output: it cannot be read again.
    pub fn next(&mut self) -> Result<Option<Entry<'_>>> {
        match self {
            Ordered::InMemory(buffer, next) => {
                *next += 1;
                Ok(buffer.get(*next - 1))
            }
            Ordered::Merged(merge) => merge.next(),
        }
    }
}
