//! Values that cannot be typed: each costs its record, or, with `--lenient`, only itself.

use crate::frame::Reason;

/// One value that cannot be typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The record, by its index in the block.
    pub record: u32,
    /// The slot that holds the value.
    pub slot: usize,
    /// Why the record is rejected for it.
    pub reason: Reason,
    /// What the value is not.
    pub what: &'static str,
}

/// The values of a block that cannot be typed.
#[derive(Debug, Default)]
pub struct Problems {
    found: Vec<Problem>,
}

impl Problems {
    /// Notes a value that cannot be typed.
    #[cold]
    pub fn add(&mut self, record: u32, slot: usize, reason: Reason, what: &'static str) {
        self.found.push(Problem { record, slot, reason, what });
    }

    /// One problem a value, in the order of the records; within a record in that of the slots.
    pub fn sorted(mut self) -> Vec<Problem> {
        self.found.sort_by_key(|problem| (problem.record, problem.slot));
        self.found.dedup_by_key(|problem| (problem.record, problem.slot));
        self.found
    }
}
