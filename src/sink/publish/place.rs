//! The place of an output while it is written: whose it is, of all the runs that want it.
//!
//! The lock, and not the file's presence, says that a run is alive, for the system drops it with the
//! process: a temporary file without a lock was left by a killed run. Whoever holds the lock of the
//! file *that stands at the path* owns the path, and nobody else renames or removes it. A lock may
//! be won on a file that its owner has just renamed or removed, so a winner looks whether the path
//! still leads to it, and begins anew if not. Where the file system has no locks, only whoever
//! created the temporary file owns it, and a left-over one is the user's to remove.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// How a temporary name ends. Walked folders pass it over.
const ENDING: &str = ".calltable.tmp";

/// The longest name that file systems take, in bytes.
const LONGEST_NAME: usize = 255;

/// As many links may lead from a target to its end, as on Linux.
const MAX_LINKS: usize = 40;

/// Where a staged file stands, and where it will.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) temp: PathBuf,
    pub(super) end: PathBuf,
    pub(super) overwrite: bool,
}

impl Place {
    /// Beside the end of the links that begin at the target.
    pub(super) fn of(target: &Path, overwrite: bool) -> Result<Place> {
        let end = follow_links(target);
        let Some(name) = end.file_name() else {
            return Err(Error::usage(format!("{}: names no file", target.display())));
        };
        let folder = folder_of(&end);
        if !folder.is_dir() {
            return Err(no_folder(folder));
        }
        Ok(Place { temp: folder.join(temp_name(name)), end, overwrite })
    }

    /// Creates the temporary file and locks it, over one that a killed run left.
    ///
    /// Each further turn of the loop means that the path changed hands, or that a left-over file
    /// was removed; two that take over the same one at once cannot both pass `try_lock`.
    pub(super) fn claim(&self, target: &Path) -> Result<File> {
        let failed = |e| Error::output(target, e);
        loop {
            let (file, fresh) = match OpenOptions::new().write(true).create_new(true).open(&self.temp) {
                Ok(file) => (file, true),
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {
                    match self.open_existing().map_err(failed)? {
                        Some(file) => (file, false),
                        None => continue,
                    }
                }
                Err(e) => return Err(failed(e)),
            };
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => {
                    return Err(Error::output(target, "another run is writing this output"));
                }
                // No locks here: `create_new` succeeds for one run only, so that one owns the file.
                Err(TryLockError::Error(_)) if fresh => return Ok(file),
                Err(TryLockError::Error(e)) => return Err(self.undecided(target, &e)),
            }
            if !stands_at(&file, &self.temp).map_err(failed)? {
                continue;
            }
            if fresh {
                return Ok(file);
            }
            fs::remove_file(&self.temp).map_err(failed)?;
        }
    }

    /// Removes the temporary file that a killed run has left; that of a living one stays.
    pub(super) fn sweep(&self, target: &Path) -> Result<()> {
        let failed = |e| Error::output(target, e);
        let Ok(Some(left)) = self.open_existing() else { return Ok(()) };
        match left.try_lock() {
            Ok(()) if stands_at(&left, &self.temp).map_err(failed)? => {
                fs::remove_file(&self.temp).map_err(failed)
            }
            _ => Ok(()),
        }
    }

    /// The temporary file that stands there already, or None if it has just gone. Nothing but a
    /// plain file is opened: a link could lead to any file of the user's.
    fn open_existing(&self) -> io::Result<Option<File>> {
        let opened = fs::symlink_metadata(&self.temp).and_then(|found| match found.is_file() {
            true => OpenOptions::new().write(true).open(&self.temp),
            false => Err(io::Error::other(format!("{} is in the way, and no file", self.temp.display()))),
        });
        match opened {
            Ok(file) => Ok(Some(file)),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(e),
        }
    }

    #[cold]
    fn undecided(&self, target: &Path, e: &io::Error) -> Error {
        let temp = self.temp.display();
        let message = format!("{temp} is there, and whether another run is writing it cannot be told ({e})");
        Error::output(target, format!("{message}: remove it if none is"))
    }
}

/// `.NAME.calltable.tmp`. Of a name that leaves no room for that only the beginning, and a hash of all of it.
pub(super) fn temp_name(name: &OsStr) -> OsString {
    let mut temp = OsString::from(".");
    if 1 + name.len() + ENDING.len() <= LONGEST_NAME {
        temp.push(name);
    } else {
        let bytes = name.as_encoded_bytes();
        let begun = String::from_utf8_lossy(&bytes[..LONGEST_NAME / 3]).replace('\u{FFFD}', "");
        temp.push(format!("{begun}-{:016x}", hash(bytes)));
    }
    temp.push(ENDING);
    temp
}

/// FNV-1a: the same for every run and version.
fn hash(bytes: &[u8]) -> u64 {
    let mix = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, mix)
}

#[cold]
pub(super) fn no_folder(folder: &Path) -> Error {
    Error::usage(format!("{}: there is no such folder", folder.display()))
}

/// The last path of a chain of links, whether something stands there or not: `canonicalize` would
/// not follow a link to a file that is yet to come.
pub(super) fn follow_links(target: &Path) -> PathBuf {
    let mut end = target.to_path_buf();
    for _ in 0..MAX_LINKS {
        let Ok(link) = fs::read_link(&end) else { break };
        end = folder_of(&end).join(link);
    }
    end
}

pub(crate) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Whether the path itself, not a link there, leads to the open file.
#[cfg(unix)]
pub(super) fn stands_at(file: &File, path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;
    let ours = file.metadata()?;
    match fs::symlink_metadata(path) {
        Ok(there) => Ok((ours.dev(), ours.ino()) == (there.dev(), there.ino())),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(e) => Err(e),
    }
}

#[cfg(not(unix))]
pub(super) fn stands_at(_: &File, path: &Path) -> io::Result<bool> {
    fs::exists(path)
}
