//! The temporary files of this process that are neither published nor removed: for a process that has to end
//! while a run of its own cannot, as when it waits for a pipe.
//!
//! Must not know why the process ends. A path is noted when it is owned, and forgotten in one step with its
//! renaming or removal, so that nobody else's file can stand there when it is removed.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

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
    let until = Instant::now() + REMOVING;
    standing.iter().for_each(|path| remove(path, until));
    std::mem::forget(standing);
}

/// A folder of a hundred thousand parts is not removed before the process must have ended: the next run removes the
/// rest of it.
const REMOVING: Duration = Duration::from_millis(400);

/// Removes a file or a folder, as much as can be until then.
fn remove(path: &Path, until: Instant) {
    if fs::remove_file(path).is_ok() {
        return;
    }
    for entry in fs::read_dir(path).into_iter().flatten().flatten() {
        if Instant::now() >= until {
            return;
        }
        remove(&entry.path(), until);
    }
    let _ = fs::remove_dir(path);
}

fn standing() -> MutexGuard<'static, Vec<PathBuf>> {
    STANDING.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_removed_as_far_as_there_is_time() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("ds");
        for part in ["year=2024/month=01", "year=2024/month=02", "year=2025/month=01"] {
            fs::create_dir_all(root.join(part)).unwrap();
            fs::write(root.join(part).join("part-00000.parquet"), "x").unwrap();
        }
        remove(&root, Instant::now());
        assert!(root.join("year=2025/month=01/part-00000.parquet").is_file());
        remove(&root, Instant::now() + Duration::from_secs(60));
        assert!(!root.exists());
        remove(&root, Instant::now() + Duration::from_secs(60));
    }
}
