//! Runs, and the one that they are together.
//!
//! At most [`FAN_IN`] runs are read at a time. As soon as there are so many they are merged to one that is as
//! much longer, and as soon as there are so many of those, these too: so files that are open are few, however much
//! is sorted, and each entry is written again only as often as the number of runs has digits.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::path::Path;
use std::sync::Arc;

use super::buffer::Buffer;
use super::entry::Entry;
use super::run::{Reader, Run, Writer};
use crate::error::Result;

/// Runs that are read at a time.
pub const FAN_IN: usize = 32;

/// Runs, in the order in which their entries came.
pub struct Runs {
    folder: Arc<Path>,
    /// The run that was written last, and its last key: what does not stand before that still goes there.
    open: Option<(Writer, Vec<u8>)>,
    /// The others: the first level has those that were written, each other the merged ones of the level before. What
    /// stands on a higher level came earlier.
    levels: Vec<Vec<Run>>,
}

/// The entries of some runs, in order.
pub struct Merge {
    heap: BinaryHeap<Head>,
    /// The first in the heap was given out.
    is_given: bool,
}

/// A run by its next entry.
struct Head {
    reader: Box<Reader>,
    /// Of two equal entries that of the earlier run comes first.
    number: usize,
}

impl Runs {
    /// No runs yet; their files will be in that folder.
    pub fn new(folder: &Arc<Path>) -> Runs {
        Runs { folder: folder.clone(), open: None, levels: Vec::new() }
    }

    /// Whether nothing was written.
    pub fn is_empty(&self) -> bool {
        self.open.is_none()
    }

    /// Writes entries, which are in order: as a run of their own, or behind the last one's where they go on there.
    ///
    /// # Errors
    /// Output: the folder has no room.
    pub fn write(&mut self, entries: &Buffer) -> Result<()> {
        let Some(first) = entries.get(0) else { return Ok(()) };
        if self.open.as_ref().is_some_and(|(_, last)| first.key < last.as_slice()) {
            self.close()?;
        }
        let (writer, last) = match &mut self.open {
            Some(open) => open,
            none => none.insert((Writer::create(&self.folder)?, Vec::new())),
        };
        let mut last_key = first.key;
        for entry in entries.iter() {
            writer.push(entry.key, |out| out.extend_from_slice(entry.value))?;
            last_key = entry.key;
        }
        last.clear();
        last.extend_from_slice(last_key);
        Ok(())
    }

    fn close(&mut self) -> Result<()> {
        let Some((writer, _)) = self.open.take() else { return Ok(()) };
        let mut run = writer.finish()?;
        for level in 0.. {
            if level == self.levels.len() {
                self.levels.push(Vec::new());
            }
            self.levels[level].push(run);
            if self.levels[level].len() < FAN_IN {
                break;
            }
            let runs = std::mem::take(&mut self.levels[level]);
            run = self.merged(runs)?;
        }
        Ok(())
    }

    fn merged(&self, runs: Vec<Run>) -> Result<Run> {
        let mut merge = Merge::new(runs)?;
        let mut writer = Writer::create(&self.folder)?;
        while let Some(entry) = merge.next()? {
            writer.push(entry.key, |out| out.extend_from_slice(entry.value))?;
        }
        writer.finish()
    }

    /// All entries in order; equal ones as they came.
    ///
    /// # Errors
    /// Output: the folder has no room, or a run cannot be read.
    pub fn merge(mut self) -> Result<Merge> {
        self.close()?;
        let levels = std::mem::take(&mut self.levels);
        let mut runs: Vec<Run> = levels.into_iter().rev().flatten().collect();
        while runs.len() > FAN_IN {
            // The last are the shortest, and no more of them than must be.
            let few = FAN_IN.min(runs.len() - FAN_IN + 1);
            let shortest = runs.split_off(runs.len() - few);
            runs.push(self.merged(shortest)?);
        }
        Merge::new(runs)
    }
}

impl Merge {
    fn new(runs: Vec<Run>) -> Result<Merge> {
        let mut heap = BinaryHeap::with_capacity(runs.len());
        for (number, run) in runs.into_iter().enumerate() {
            let mut reader = Box::new(Reader::open(run)?);
            if reader.advance()? {
                heap.push(Head { reader, number });
            }
        }
        Ok(Merge { heap, is_given: false })
    }

    /// How many runs have entries left.
    #[cfg(test)]
    pub fn runs(&self) -> usize {
        self.heap.len()
    }

    /// The next entry.
    ///
    /// # Errors
    /// Output: a run cannot be read.
    pub fn next(&mut self) -> Result<Option<Entry<'_>>> {
        if self.is_given
            && let Some(mut first) = self.heap.peek_mut()
            && !first.reader.advance()?
        {
            PeekMut::pop(first);
        }
        self.is_given = true;
        Ok(self.heap.peek().map(|head| head.reader.entry()))
    }
}

impl Ord for Head {
    /// The greatest in the heap is the first in order.
    fn cmp(&self, other: &Head) -> Ordering {
        let by_key = other.reader.entry().key.cmp(self.reader.entry().key);
        by_key.then(other.number.cmp(&self.number))
    }
}

impl PartialOrd for Head {
    fn partial_cmp(&self, other: &Head) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Head {
    fn eq(&self, other: &Head) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Head {}
