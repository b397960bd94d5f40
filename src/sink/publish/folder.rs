//! A folder as an output: built beside its place and renamed, or added to where it stands.
//!
//! ```text
//! new:     create .NAME.calltable.tmp/ ─▶ lock it ─▶ parts ─▶ rename to NAME, or exchange it with the old one
//! added:   lock NAME ─▶ parts, each of which appears whole ─▶ the manifest, renamed last
//! ```
//!
//! A folder that calltable did not write is never replaced, and never added to. It knows the manifest's name, and the
//! names of parts; what is in them it must not know.

use std::ffi::OsStr;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use super::place::{folder_of, follow_links, no_folder, stands_at, temp_name};
use super::{exists, sync_folder_at, unfinished};
use crate::error::{Error, Result};
use crate::source::inputs::MANIFEST;

/// A folder while it is written; dropped before it is published, a new one is gone.
#[derive(Debug)]
pub struct Folder {
    /// As the caller named it: for messages.
    target: PathBuf,
    /// Where links lead from there.
    end: PathBuf,
    /// Where it is built; none where it is added to.
    temp: Option<PathBuf>,
    overwrite: bool,
    /// The lock: whoever holds it writes the folder.
    _lock: File,
    /// The lock of the folder that is to be replaced: nobody may be adding to it.
    _old: Option<File>,
}

impl Folder {
    /// Begins a new folder, which replaces one that is there only with `overwrite`.
    ///
    /// # Errors
    /// Usage: the target exists (without `overwrite`), is none of calltable's, or stands in no folder. Output:
    /// another run is writing it, or the system refuses.
    pub fn create(target: &Path, overwrite: bool) -> Result<Folder> {
        Folder::check(target, overwrite)?;
        let (end, temp) = places(target)?;
        let old = if end.is_dir() { Some(locked(target, &end)?) } else { None };
        let lock = claim(target, &temp)?;
        unfinished::note(&temp);
        Ok(Folder { target: target.into(), end, temp: Some(temp), overwrite, _lock: lock, _old: old })
    }

    /// Opens a folder to add to it.
    ///
    /// # Errors
    /// Output: another run is writing it, or the system refuses.
    pub fn open(target: &Path) -> Result<Folder> {
        let end = end_of(target);
        let lock = locked(target, &end)?;
        Ok(Folder { target: target.into(), end, temp: None, overwrite: false, _lock: lock, _old: None })
    }

    /// Looks whether a new folder could be begun, and creates nothing.
    ///
    /// # Errors
    /// As of [`create`](Folder::create).
    pub fn check(target: &Path, overwrite: bool) -> Result<()> {
        let (end, _) = places(target)?;
        match fs::metadata(&end) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(Error::output(target, error)),
            Ok(found) if !found.is_dir() => {
                Err(Error::usage(format!("{}: is a file, and a folder is asked for", target.display())))
            }
            Ok(_) if is_empty(&end).map_err(|error| Error::output(target, error))? => Ok(()),
            Ok(_) if !overwrite => Err(exists(target)),
            Ok(_) => only_ours(target, &end),
        }
    }

    /// Where its files are written.
    pub fn root(&self) -> &Path {
        self.temp.as_deref().unwrap_or(&self.end)
    }

    /// Makes the names of all that was put into it last.
    ///
    /// # Errors
    /// Output: the system refuses.
    pub fn sync(&self) -> Result<()> {
        sync_names(self.root()).map_err(|error| Error::output(&self.target, error))
    }

    /// Makes a new folder appear under its name.
    ///
    /// # Errors
    /// Output: the system refuses, or something was put there meanwhile; nothing is published then.
    pub fn publish(mut self) -> Result<()> {
        let Some(temp) = self.temp.clone() else { return Ok(()) };
        let failed = |error: io::Error| Error::output(&self.target, error);
        self.sync()?;
        let is_there = fs::symlink_metadata(&self.end).is_ok();
        match is_there && !is_empty(&self.end).unwrap_or(false) {
            true if !self.overwrite => return Err(failed(meanwhile())),
            true => unfinished::end(&temp, || exchange(&temp, &self.end)).map_err(failed)?,
            false => unfinished::end(&temp, || fs::rename(&temp, &self.end)).map_err(failed)?,
        }
        self.temp = None;
        sync_folder_at(folder_of(&self.end)).map_err(failed)?;
        // What was replaced, if anything was; the next run would take it for a killed run's.
        match fs::remove_dir_all(&temp) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::output(&temp, error)),
            _ => Ok(()),
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Some(temp) = &self.temp {
            // What cannot be removed is left without a lock: the next run takes it over.
            let _ = unfinished::end(temp, || fs::remove_dir_all(temp));
        }
    }
}

/// Makes all names in a folder last, however many there are, by having the system write all that it has of that
/// file system: to sync each folder takes a thousand times as long where there are thousands.
#[cfg(target_os = "linux")]
fn sync_names(folder: &Path) -> io::Result<()> {
    Ok(rustix::fs::syncfs(File::open(folder)?)?)
}

#[cfg(not(target_os = "linux"))]
fn sync_names(folder: &Path) -> io::Result<()> {
    for entry in WalkDir::new(folder) {
        let entry = entry?;
        if entry.file_type().is_dir() {
            sync_folder_at(entry.path())?;
        }
    }
    Ok(())
}

/// The number of a part, told by its name; `ending` is that of its kind.
pub fn part_number(name: &OsStr, ending: &str) -> Option<u32> {
    let number = name.to_str()?.strip_prefix("part-")?.strip_suffix(ending)?.strip_suffix('.')?;
    let is_number = number.len() >= 5 && number.bytes().all(|byte| byte.is_ascii_digit());
    number.parse().ok().filter(|_| is_number)
}

/// Where links lead from a target, which may be typed with a slash behind it.
fn end_of(target: &Path) -> PathBuf {
    follow_links(target.components().as_path())
}

/// Where a folder stands in the end, and where it is built.
fn places(target: &Path) -> Result<(PathBuf, PathBuf)> {
    let end = end_of(target);
    let Some(name) = end.file_name() else {
        return Err(Error::usage(format!("{}: names no folder that can be created", target.display())));
    };
    let parent = folder_of(&end);
    if !parent.is_dir() {
        return Err(no_folder(parent));
    }
    let temp = parent.join(temp_name(name));
    Ok((end, temp))
}

/// Creates the folder and locks it, over one that a killed run left.
fn claim(target: &Path, temp: &Path) -> Result<File> {
    let failed = |error: io::Error| Error::output(target, error);
    loop {
        match fs::create_dir(temp) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                if fs::symlink_metadata(temp).is_ok_and(|found| !found.is_dir()) {
                    let why = format!("{} is in the way, and no folder", temp.display());
                    return Err(Error::output(target, why));
                }
                let lock = locked(target, temp)?;
                if stands_at(&lock, temp).map_err(failed)? {
                    fs::remove_dir_all(temp).map_err(failed)?;
                }
                continue;
            }
            Err(error) => return Err(failed(error)),
        }
        let lock = locked(target, temp)?;
        if stands_at(&lock, temp).map_err(failed)? {
            return Ok(lock);
        }
    }
}

/// The lock of a folder: the system drops it with the process.
fn locked(target: &Path, folder: &Path) -> Result<File> {
    let file = File::open(folder).map_err(|error| Error::output(target, error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Error::output(target, "another run is writing this output")),
        Err(TryLockError::Error(error)) => {
            Err(Error::output(target, format!("whether another run is writing it cannot be told: {error}")))
        }
    }
}

/// Whether nothing is in a folder.
///
/// # Errors
/// It cannot be read.
pub fn is_empty(folder: &Path) -> io::Result<bool> {
    Ok(fs::read_dir(folder)?.next().is_none())
}

/// A folder is only replaced if it has a manifest, and nothing but parts beside it.
fn only_ours(target: &Path, folder: &Path) -> Result<()> {
    let foreign = |what: &str| {
        let shown = target.display();
        Err(Error::usage(format!(
            "{shown}: is not replaced, for it holds what calltable did not write: {what}"
        )))
    };
    if !folder.join(MANIFEST).is_file() {
        return foreign(&format!("it has no {MANIFEST}"));
    }
    for entry in WalkDir::new(folder).min_depth(1) {
        let entry = entry.map_err(|error| Error::output(target, error))?;
        if !is_ours(&entry) {
            return foreign(&entry.path().display().to_string());
        }
    }
    Ok(())
}

/// Whether something in a dataset can be of calltable.
pub fn is_ours(entry: &walkdir::DirEntry) -> bool {
    let name = entry.file_name();
    match name.to_str() {
        Some(text) if entry.file_type().is_dir() => text.contains('='),
        Some(text) if entry.file_type().is_file() => {
            let ending = text.rsplit('.').next().unwrap_or_default();
            (text == MANIFEST && entry.depth() == 1)
                || part_number(name, ending).is_some()
                || (text.starts_with('.') && text.ends_with(".calltable.tmp"))
        }
        _ => false,
    }
}

fn meanwhile() -> io::Error {
    io::Error::new(io::ErrorKind::AlreadyExists, "was put there by something else meanwhile")
}

/// Puts each of two folders in the other's place, at once.
#[cfg(any(target_os = "linux", target_os = "macos"))]
fn exchange(one: &Path, other: &Path) -> io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    let exchanged = renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE);
    exchanged.map_err(|error| {
        let error = io::Error::from(error);
        io::Error::new(
            error.kind(),
            format!("the old folder cannot be exchanged for the new one here ({error}): remove it first"),
        )
    })
}

#[cfg(not(any(target_os = "linux", target_os = "macos")))]
fn exchange(_: &Path, _: &Path) -> io::Result<()> {
    Err(io::Error::other("an old folder cannot be replaced at once on this system: remove it first"))
}
