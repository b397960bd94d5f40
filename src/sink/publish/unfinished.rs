//! The temporary files of this process that are neither published nor removed: for a process that has to end
//! while a run of its own cannot, as when it waits for a pipe.
//!
//! Must not know why the process ends. A path is noted when it is owned, and forgotten in one step with its
//! renaming or removal, so that nobody else's file can stand there when it is removed.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// All of them, of all runs in this process.
static STANDING: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// Notes a temporary file, or a folder, that this process owns from now on.
pub(super) fn note(path: &Path) {
    standing().push(path.to_path_buf());
}

/// Renames or removes a noted path, which is then no longer noted.
pub(super) fn end(path: &Path, ending: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
    let mut standing = standing();
    let ended = ending();
    standing.retain(|noted| noted != path);
    ended
}

/// Removes what no run of this process has published or removed yet, as far as it can be removed, for a process
/// that ends right after: from here on nothing can be published, and whoever tries waits for ever.
pub fn remove_unfinished() {
    // A rename that the system does not end must not keep the process: what is left is the next run's to remove.
    let Ok(standing) = STANDING.try_lock() else { return };
    for path in standing.iter() {
        let _ = fs::remove_file(path).or_else(|_| fs::remove_dir_all(path));
    }
    std::mem::forget(standing);
}

fn standing() -> MutexGuard<'static, Vec<PathBuf>> {
    STANDING.lock().unwrap_or_else(PoisonError::into_inner)
}
