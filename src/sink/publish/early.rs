//! Brings what is written to the disk while more is being written, so that little is left to wait for when an output
//! is published.
//!
//! It changes nothing but when that happens, and must not know whether it did: what has to be on the disk, the
//! publisher asks for itself. It opens the file anew, so that neither the lock nor an error of the system, which
//! tells it once to each who has opened the file, is taken from the publisher.
//!
//! A process cannot end before such a wait does. So it is for fast disks alone, where it pays, and a signal is
//! answered in time.

use std::fs::File;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Bytes that are written before the disk is asked.
const STEP: u64 = 32 << 20;

/// A thread of this process is waiting for the disk: one is enough, whatever the number of outputs.
static IS_WAITING: AtomicBool = AtomicBool::new(false);

/// A disk that took longer once is not asked again.
const LONGEST: Duration = Duration::from_millis(500);

/// It did.
static IS_SLOW: AtomicBool = AtomicBool::new(false);

/// How much of a file may not be on the disk.
#[derive(Debug, Default)]
pub(super) struct Early {
    behind: u64,
}

impl Early {
    /// So many more bytes were written to the file at `path`.
    pub(super) fn wrote(&mut self, bytes: usize, path: &Path) {
        self.behind += bytes as u64;
        let is_due = self.behind >= STEP && !IS_SLOW.load(Ordering::Relaxed);
        if is_due && !IS_WAITING.swap(true, Ordering::AcqRel) {
            self.behind = 0;
            let path = path.to_path_buf();
            let wait = move || {
                let begun = Instant::now();
                // Gone where the output was published or given up meanwhile.
                let _ = File::open(path).and_then(|file| file.sync_data());
                IS_SLOW.fetch_or(begun.elapsed() > LONGEST, Ordering::Relaxed);
                IS_WAITING.store(false, Ordering::Release);
            };
            let is_started = thread::Builder::new().name("calltable-disk".into()).spawn(wait).is_ok();
            IS_WAITING.fetch_and(is_started, Ordering::AcqRel);
        }
    }
}
