//! Atomic publishing: an output appears whole, or not at all.
//!
//! Knows one file and the folder around it; must not know what is written into it. The idea, all in
//! the target's own folder, so that the rename stays within one file system:
//!
//! ```text
//! create .NAME.calltable.tmp ─▶ lock it ─▶ write ─▶ fsync ─▶ rename to NAME ─▶ fsync the folder
//! ```
//!
//! Whose the temporary file is, of several runs, is what the lock tells (`place`); which of them this process
//! has, `unfinished` knows. A target that is a link
//! keeps being one: the file is published where the link ends. Pipes and character devices (`/dev/null`)
//! cannot be renamed over and are written directly.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::source::inputs::is_same_file;
use early::Early;
pub(crate) use place::folder_of;
use place::{Place, follow_links, no_folder};

mod early;
pub mod folder;
mod place;
mod unfinished;

pub use unfinished::remove_unfinished;

/// Small writes are gathered up to so many bytes.
const BUFFER: usize = 128 << 10;

/// An output while it is being written. Its name exists only after [`Staged::publish`]; dropped
/// before, it leaves nothing.
#[derive(Debug)]
pub struct Staged {
    /// As the caller named it: for messages.
    target: PathBuf,
    out: BufWriter<File>,
    bytes: u64,
    early: Early,
    /// None where the target is written directly, and once it is published.
    place: Option<Place>,
}

/// What stands at a target before it is written.
enum Found {
    Nothing,
    File,
    Stream,
}

impl Staged {
    /// Begins the output `target`, which is replaced only with `overwrite`; one that is replaced
    /// passes its permissions on. A pipe is waited for until somebody reads it.
    ///
    /// # Errors
    /// Usage: the target exists (without `overwrite`), is a folder, or stands in none. Output:
    /// another run is writing it, or the system refuses.
    pub fn create(target: &Path, overwrite: bool) -> Result<Staged> {
        match found_at(target)? {
            Found::Stream => {
                let file =
                    OpenOptions::new().write(true).open(target).map_err(|e| Error::output(target, e))?;
                Ok(Staged::over(file, target, None))
            }
            Found::File if !overwrite => Err(exists(target)),
            Found::File | Found::Nothing => Staged::beside(target, overwrite),
        }
    }

    /// Looks whether an output could be begun at `target`, and creates nothing.
    ///
    /// # Errors
    /// Usage: the target is a folder, or stands in none. Output: it cannot be looked at.
    pub fn check(target: &Path) -> Result<()> {
        match found_at(target)? {
            Found::Stream => Ok(()),
            Found::File | Found::Nothing => Place::of(target, true).map(drop),
        }
    }

    /// Removes what a killed run has left of an output that this one does not write.
    ///
    /// # Errors
    /// Output: the system refuses.
    pub fn sweep(target: &Path) -> Result<()> {
        match found_at(target) {
            Ok(Found::File | Found::Nothing) => {
                Place::of(target, true).map_or(Ok(()), |place| place.sweep(target))
            }
            // Where nothing can be, nothing is left.
            _ => Ok(()),
        }
    }

    fn beside(target: &Path, overwrite: bool) -> Result<Staged> {
        let place = Place::of(target, overwrite)?;
        let file = place.claim(target)?;
        unfinished::note(&place.temp);
        // From here on, dropping it removes the temporary file.
        let staged = Staged::over(file, target, Some(place));
        staged.take_permissions()?;
        Ok(staged)
    }

    fn over(file: File, target: &Path, place: Option<Place>) -> Staged {
        let out = BufWriter::with_capacity(BUFFER, file);
        Staged { target: target.to_path_buf(), out, bytes: 0, early: Early::default(), place }
    }

    /// A private file must not become public by being replaced. This also looks once more whether
    /// a run that was faster has published the target since the first look.
    fn take_permissions(&self) -> Result<()> {
        let Some(place) = &self.place else { return Ok(()) };
        let failed = |e| Error::output(&self.target, e);
        let old = match fs::metadata(&place.end) {
            Ok(_) if !place.overwrite => return Err(exists(&self.target)),
            Ok(old) => old.permissions(),
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(e) => return Err(failed(e)),
        };
        let file = self.out.get_ref();
        if file.metadata().map_err(failed)?.permissions() != old {
            file.set_permissions(old).map_err(failed)?;
        }
        Ok(())
    }

    /// Appends bytes; as [`Write::write_all`], but its error is placed.
    ///
    /// # Errors
    /// Output: the system's sentence, as of a full disk.
    pub fn append(&mut self, bytes: &[u8]) -> Result<()> {
        self.write_all(bytes).map_err(|e| Error::output(&self.target, e))
    }

    /// How many bytes were written so far.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Makes the output appear under its name, and returns its length in bytes. What it holds is
    /// on the disk when this returns.
    ///
    /// # Errors
    /// Output: the system refuses, or without `overwrite` something was put there meanwhile;
    /// nothing is published then, but where the message says so: only its folder could not be brought to the disk.
    pub fn publish(mut self) -> Result<u64> {
        self.sync_and_rename(true).map_err(|e| Error::output(&self.target, e))?;
        Ok(self.bytes)
    }

    /// The same in a folder whose names are made to last later, all at once: what the output holds is on the disk,
    /// and its name may not be.
    ///
    /// # Errors
    /// As of [`publish`](Staged::publish).
    pub fn publish_in(mut self) -> Result<u64> {
        self.sync_and_rename(false).map_err(|e| Error::output(&self.target, e))?;
        Ok(self.bytes)
    }

    fn sync_and_rename(&mut self, is_to_last: bool) -> io::Result<()> {
        self.out.flush()?;
        let Some(place) = &self.place else { return Ok(()) };
        self.out.get_ref().sync_all()?;
        if !place.overwrite && fs::symlink_metadata(&place.end).is_ok() {
            return Err(io::Error::new(
                io::ErrorKind::AlreadyExists,
                "was put there by something else meanwhile",
            ));
        }
        // What cannot be opened is told while nothing is published.
        let folder = if is_to_last { open_folder(folder_of(&place.end))? } else { None };
        unfinished::end(&place.temp, || fs::rename(&place.temp, &place.end))?;
        self.place = None;
        let undone =
            |e: io::Error| format!("is published, but not sure to outlast a crash of the system: {e}");
        sync_folder(folder).map_err(|e| io::Error::new(e.kind(), undone(e)))
    }
}

impl Write for Staged {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.out.write(bytes)?;
        self.bytes += count as u64;
        if let Some(place) = &self.place {
            self.early.wrote(count, &place.temp);
        }
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

impl Drop for Staged {
    /// The lock is still held here, for the file is closed after this.
    fn drop(&mut self) {
        if let Some(place) = &self.place {
            // A file that cannot be removed is left without a lock: the next run takes it over.
            let _ = unfinished::end(&place.temp, || fs::remove_file(&place.temp));
        }
    }
}

/// Whether two paths lead to one file, be it there or yet to come. Streams take from many.
pub fn is_same_place(one: &Path, other: &Path) -> bool {
    if one.exists() && other.exists() {
        return one.is_file() && is_same_file(one, other);
    }
    let (one, other) = (follow_links(one), follow_links(other));
    one.file_name() == other.file_name() && is_same_file(folder_of(&one), folder_of(&other))
}

/// What stands at the target, or at the end of the links that begin there.
fn found_at(target: &Path) -> Result<Found> {
    let folder = || Error::usage(format!("{}: is a folder, not a file", target.display()));
    if target.as_os_str().as_encoded_bytes().ends_with(b"/") {
        return Err(folder());
    }
    match fs::metadata(target) {
        Ok(found) if found.is_file() => Ok(Found::File),
        Ok(found) if found.is_dir() => Err(folder()),
        Ok(found) if is_stream(found.file_type()) => Ok(Found::Stream),
        Ok(_) => Err(Error::usage(format!("{}: is neither a file nor a pipe", target.display()))),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(Found::Nothing),
        Err(e) if e.kind() == io::ErrorKind::NotADirectory => Err(no_folder(folder_of(target))),
        Err(e) => Err(Error::output(target, e)),
    }
}

#[cold]
fn exists(target: &Path) -> Error {
    Error::usage(format!("{}: exists already; --overwrite replaces it", target.display()))
}

#[cfg(unix)]
fn is_stream(kind: fs::FileType) -> bool {
    use std::os::unix::fs::FileTypeExt;
    kind.is_fifo() || kind.is_char_device()
}

#[cfg(not(unix))]
fn is_stream(_: fs::FileType) -> bool {
    false
}

/// The folder, to be synced; nothing where it may not be read: then its rename lasts as far as it does.
#[cfg(unix)]
fn open_folder(folder: &Path) -> io::Result<Option<File>> {
    match File::open(folder) {
        Err(e) if e.kind() == io::ErrorKind::PermissionDenied => Ok(None),
        opened => opened.map(Some),
    }
}

#[cfg(not(unix))]
fn open_folder(_: &Path) -> io::Result<Option<File>> {
    Ok(None)
}

/// Makes a rename last. File systems that cannot sync a folder have done what they can.
fn sync_folder(folder: Option<File>) -> io::Result<()> {
    use io::ErrorKind::{InvalidInput, PermissionDenied, Unsupported};
    match folder.map_or(Ok(()), |folder| folder.sync_all()) {
        Err(e) if !matches!(e.kind(), InvalidInput | PermissionDenied | Unsupported) => Err(e),
        _ => Ok(()),
    }
}

/// The same, of what was put into a folder.
pub(super) fn sync_folder_at(folder: &Path) -> io::Result<()> {
    sync_folder(open_folder(folder)?)
}

#[cfg(all(test, unix))]
mod tests;
