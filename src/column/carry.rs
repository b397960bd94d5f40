//! The one thing that passes from block to block: the last offset that a row's epoch has shown, for
//! `--timezone auto`, where a row without one takes that of the row before it.
//!
//! Blocks are decoded in parallel, so it passes as a baton does: a block waits for the one before it
//! only for this number, which is known as soon as that block is framed, and only if it has none of
//! its own to pass on. Blocks are started in order, so whoever is waited for is already running.

use std::sync::{Arc, Condvar, Mutex, PoisonError};

/// What the rows before a block leave it: the last offset shown, if any was.
#[derive(Debug, Default)]
pub struct Baton {
    /// Nothing until it is known.
    passed: Mutex<Option<Option<i32>>>,
    known: Condvar,
}

impl Baton {
    /// The baton of a file's first block.
    pub fn first() -> Arc<Baton> {
        Arc::new(Baton { passed: Mutex::new(Some(None)), known: Condvar::new() })
    }

    fn pass(&self, offset: Option<i32>) {
        *self.passed.lock().unwrap_or_else(PoisonError::into_inner) = Some(offset);
        self.known.notify_all();
    }

    fn wait(&self) -> Option<i32> {
        let mut passed = self.passed.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            match *passed {
                Some(offset) => return offset,
                None => passed = self.known.wait(passed).unwrap_or_else(PoisonError::into_inner),
            }
        }
    }
}

/// A block's two batons. Dropped without being passed on (a panic in between), it passes nothing on,
/// so that nobody waits for ever.
#[derive(Debug)]
pub struct Carry {
    before: Arc<Baton>,
    after: Arc<Baton>,
}

impl Carry {
    /// The carry of the block behind `before`.
    pub fn behind(before: Arc<Baton>) -> Carry {
        Carry { before, after: Arc::new(Baton::default()) }
    }

    /// What the next block waits for.
    pub fn after(&self) -> Arc<Baton> {
        self.after.clone()
    }

    /// Passes the block's last offset on, or the one that came if it has none; comes back with that.
    pub fn pass_on(&self, last: Option<i32>) -> Option<i32> {
        if last.is_some() {
            self.after.pass(last);
        }
        let before = self.before.wait();
        if last.is_none() {
            self.after.pass(before);
        }
        before
    }
}

impl Drop for Carry {
    fn drop(&mut self) {
        let passed = self.after.passed.lock().unwrap_or_else(PoisonError::into_inner).is_some();
        if !passed {
            self.after.pass(None);
        }
    }
}
