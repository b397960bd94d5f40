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

/// A disk that took longer once is not asked again.
const LONGEST: Duration = Duration::from_millis(500);

/// A thread of this process waits for the disk, and one is enough, whatever the number of outputs; or the disk was
/// found to be slow.
static IS_TAKEN: AtomicBool = AtomicBool::new(false);

/// How much of a file may not be on the disk.
#[derive(Debug, Default)]
pub(super) struct Early {
    behind: u64,
}

impl Early {
    /// So many more bytes were written to the file at `path`.
    pub(super) fn wrote(&mut self, bytes: usize, path: &Path) {
        self.behind += bytes as u64;
        if self.behind >= STEP && !IS_TAKEN.swap(true, Ordering::AcqRel) {
            self.behind = 0;
            let path = path.to_path_buf();
            let wait = move || {
                let is_slow = waited(&path) > LONGEST;
                IS_TAKEN.store(is_slow, Ordering::Release);
            };
            if thread::Builder::new().name("calltable-disk".into()).spawn(wait).is_err() {
                IS_TAKEN.store(false, Ordering::Release);
            }
        }
    }
}

/// How long it took until a file was on the disk.
fn waited(path: &Path) -> Duration {
    let begun = Instant::now();
    // Gone where the output was published or given up meanwhile.
    let _ = File::open(path).and_then(|file| file.sync_data());
    begun.elapsed()
}
