//! Atomic publishing: an output appears whole, or not at all.
//!
//! Knows one file and the folder around it; must not know what is written into it. The idea, all in
//! the target's own folder, so that the rename stays within one file system:
//!
//! ```text
//! create .NAME.calltable.tmp ─▶ lock it ─▶ write ─▶ fsync ─▶ rename to NAME ─▶ fsync the folder
//! ```
//!
//! The lock, and not the file's presence, says that a run is alive, for the system drops it with the
//! process: a temporary file without a lock was left by a killed run. Whoever holds the lock of the
//! file *that stands at the path* owns the path, and nobody else renames or removes it. A lock may
//! be won on a file that its owner has just renamed or removed, so a winner looks whether the path
//! still leads to it, and begins anew if not. Where the file system has no locks, only whoever
//! created the temporary file owns it, and a left-over one is the user's to remove.
//!
//! A target that is a link keeps being one: the file is published where the link ends. Pipes and
//! character devices (`/dev/null`) cannot be renamed over and are written directly.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::source::inputs::is_same_file;

/// Small writes are gathered up to so many bytes.
const BUFFER: usize = 128 << 10;

/// As many links may lead from a target to its end, as on Linux.
const MAX_LINKS: usize = 40;

/// An output while it is being written. Its name exists only after [`Staged::publish`]; dropped
/// before, it leaves nothing.
#[derive(Debug)]
pub struct Staged {
    /// As the caller named it: for messages.
    target: PathBuf,
    out: BufWriter<File>,
    bytes: u64,
    /// None where the target is written directly, and once it is published.
    place: Option<Place>,
}

/// Where a staged file stands, and where it will.
#[derive(Debug)]
struct Place {
    temp: PathBuf,
    end: PathBuf,
    overwrite: bool,
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

    fn beside(target: &Path, overwrite: bool) -> Result<Staged> {
        let place = Place::of(target, overwrite)?;
        let file = place.claim(target)?;
        // From here on, dropping it removes the temporary file.
        let staged = Staged::over(file, target, Some(place));
        staged.take_permissions()?;
        Ok(staged)
    }

    fn over(file: File, target: &Path, place: Option<Place>) -> Staged {
        let out = BufWriter::with_capacity(BUFFER, file);
        Staged { target: target.to_path_buf(), out, bytes: 0, place }
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
    /// nothing is published then.
    pub fn publish(mut self) -> Result<u64> {
        self.sync_and_rename().map_err(|e| Error::output(&self.target, e))?;
        Ok(self.bytes)
    }

    fn sync_and_rename(&mut self) -> io::Result<()> {
        self.out.flush()?;
        let Some(place) = &self.place else { return Ok(()) };
        self.out.get_ref().sync_all()?;
        if !place.overwrite && fs::symlink_metadata(&place.end).is_ok() {
            return Err(io::Error::new(
                io::ErrorKind::AlreadyExists,
                "was put there by something else meanwhile",
            ));
        }
        fs::rename(&place.temp, &place.end)?;
        let folder = folder_of(&place.end).to_path_buf();
        self.place = None;
        sync_folder(&folder)
    }
}

impl Write for Staged {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.out.write(bytes)?;
        self.bytes += count as u64;
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
            let _ = fs::remove_file(&place.temp);
        }
    }
}

impl Place {
    fn of(target: &Path, overwrite: bool) -> Result<Place> {
        let end = follow_links(target);
        let Some(name) = end.file_name() else {
            return Err(Error::usage(format!("{}: names no file", target.display())));
        };
        let folder = folder_of(&end);
        if !folder.is_dir() {
            return Err(no_folder(folder));
        }
        let mut temp = std::ffi::OsString::from(".");
        temp.push(name);
        temp.push(".calltable.tmp");
        Ok(Place { temp: folder.join(temp), end, overwrite })
    }

    /// Creates the temporary file and locks it, over one that a killed run left.
    ///
    /// Each further turn of the loop means that the path changed hands, or that a left-over file
    /// was removed; two that take over the same one at once cannot both pass `try_lock`.
    fn claim(&self, target: &Path) -> Result<File> {
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

#[cold]
fn no_folder(folder: &Path) -> Error {
    Error::usage(format!("{}: there is no such folder", folder.display()))
}

/// The last path of a chain of links, whether something stands there or not: `canonicalize` would
/// not follow a link to a file that is yet to come.
fn follow_links(target: &Path) -> PathBuf {
    let mut end = target.to_path_buf();
    for _ in 0..MAX_LINKS {
        let Ok(link) = fs::read_link(&end) else { break };
        end = folder_of(&end).join(link);
    }
    end
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
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

/// Whether the path itself, not a link there, leads to the open file.
#[cfg(unix)]
fn stands_at(file: &File, path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;
    let ours = file.metadata()?;
    match fs::symlink_metadata(path) {
        Ok(there) => Ok((ours.dev(), ours.ino()) == (there.dev(), there.ino())),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(e) => Err(e),
    }
}

#[cfg(not(unix))]
fn stands_at(_: &File, path: &Path) -> io::Result<bool> {
    fs::exists(path)
}

/// Makes a rename last. Folders that may not be read, and file systems that cannot sync a folder,
/// have done what they can.
#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    use io::ErrorKind::{InvalidInput, PermissionDenied, Unsupported};
    match File::open(folder).and_then(|folder| folder.sync_all()) {
        Err(e) if !matches!(e.kind(), InvalidInput | PermissionDenied | Unsupported) => Err(e),
        _ => Ok(()),
    }
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::sync::Barrier;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use crate::error::ErrorKind;

    use super::*;

    /// A folder of its own; `at` names a file in it.
    struct Dir(tempfile::TempDir);

    fn dir() -> Dir {
        Dir(tempfile::tempdir().unwrap())
    }

    impl Dir {
        fn at(&self, name: &str) -> PathBuf {
            self.0.path().join(name)
        }

        fn put(&self, name: &str, text: &str) -> PathBuf {
            fs::write(self.at(name), text).unwrap();
            self.at(name)
        }

        fn names(&self) -> Vec<String> {
            let mut names: Vec<String> = fs::read_dir(self.0.path())
                .unwrap()
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .collect();
            names.sort();
            names
        }
    }

    const TEMP: &str = ".out.calltable.tmp";

    fn write(target: &Path, overwrite: bool, text: &str) -> Result<u64> {
        let mut staged = Staged::create(target, overwrite)?;
        staged.append(text.as_bytes())?;
        staged.publish()
    }

    fn read(path: &Path) -> String {
        fs::read_to_string(path).unwrap()
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o7777
    }

    #[track_caller]
    fn refused(result: Result<impl std::fmt::Debug>, kind: ErrorKind, says: &str) {
        let error = result.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(says), "{error}");
    }

    #[test]
    fn the_name_appears_when_published() {
        let dir = dir();
        let mut staged = Staged::create(&dir.at("out"), false).unwrap();
        staged.append(b"abc").unwrap();
        assert_eq!(dir.names(), [TEMP]);
        assert_eq!(staged.publish().unwrap(), 3);
        assert_eq!(dir.names(), ["out"]);
        assert_eq!(read(&dir.at("out")), "abc");
    }

    #[test]
    fn dropped_it_leaves_nothing() {
        let dir = dir();
        Staged::create(&dir.at("out"), false).unwrap().append(b"abc").unwrap();
        assert!(dir.names().is_empty());
    }

    #[test]
    fn a_name_without_a_folder_stands_in_the_current_one() {
        assert_eq!(folder_of(Path::new("out")), Path::new("."));
        let place = Place::of(Path::new("out"), false).unwrap();
        assert_eq!(place.temp, Path::new("./.out.calltable.tmp"));
    }

    #[test]
    fn what_a_killed_run_left_is_taken_over() {
        let dir = dir();
        dir.put(TEMP, "half of a long output");
        assert_eq!(write(&dir.at("out"), false, "abc").unwrap(), 3);
        assert_eq!((dir.names(), read(&dir.at("out"))), (vec!["out".into()], "abc".into()));
    }

    #[test]
    fn a_second_run_is_refused_and_leaves_the_first_alone() {
        let dir = dir();
        let mut first = Staged::create(&dir.at("out"), false).unwrap();
        let second = Staged::create(&dir.at("out"), true);
        refused(second, ErrorKind::Output, "out: another run is writing this output");
        first.append(b"first").unwrap();
        first.publish().unwrap();
        assert_eq!(read(&dir.at("out")), "first");
    }

    #[test]
    fn after_a_run_the_next_one_may_write() {
        let dir = dir();
        for (text, overwrite) in [("first", false), ("second", true)] {
            write(&dir.at("out"), overwrite, text).unwrap();
            assert_eq!(read(&dir.at("out")), text);
        }
    }

    #[test]
    fn of_many_at_once_one_owns_the_output() {
        let dir = dir();
        let (owners, runs) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let start = Barrier::new(4);
        let run = || {
            start.wait();
            while runs.load(Ordering::SeqCst) < 100 {
                let mut staged = match Staged::create(&dir.at("out"), true) {
                    Ok(staged) => staged,
                    Err(error) => {
                        assert!(error.message().starts_with("another run"), "{error}");
                        continue;
                    }
                };
                assert_eq!(owners.fetch_add(1, Ordering::SeqCst), 0, "two runs own the output");
                staged.append(b"whole").unwrap();
                std::thread::yield_now();
                assert_eq!(owners.fetch_sub(1, Ordering::SeqCst), 1);
                match runs.fetch_add(1, Ordering::SeqCst) % 3 {
                    // A killed run: the file stays, and its lock goes.
                    0 => staged.place = None,
                    1 => drop(staged),
                    _ => assert_eq!(staged.publish().unwrap(), 5),
                }
            }
        };
        std::thread::scope(|scope| (0..4).for_each(|_| drop(scope.spawn(run))));
        assert_eq!(read(&dir.at("out")), "whole");
    }

    #[test]
    fn a_lock_on_what_stands_elsewhere_is_no_claim() {
        let dir = dir();
        let file = File::open(dir.put(TEMP, "mine")).unwrap();
        assert!(stands_at(&file, &dir.at(TEMP)).unwrap());
        fs::rename(dir.at(TEMP), dir.at("out")).unwrap();
        assert!(!stands_at(&file, &dir.at(TEMP)).unwrap());
        symlink("out", dir.at(TEMP)).unwrap();
        assert!(!stands_at(&file, &dir.at(TEMP)).unwrap());
        fs::remove_file(dir.at(TEMP)).unwrap();
        dir.put(TEMP, "another's");
        assert!(!stands_at(&file, &dir.at(TEMP)).unwrap());
    }

    #[test]
    fn an_existing_target_needs_overwrite() {
        let dir = dir();
        let out = dir.put("out", "old");
        refused(write(&out, false, "new"), ErrorKind::Usage, "out: exists already");
        assert_eq!((dir.names(), read(&out)), (vec!["out".into()], "old".into()));
        write(&out, true, "new").unwrap();
        assert_eq!(read(&out), "new");
    }

    #[test]
    fn a_target_that_appears_meanwhile_is_not_replaced() {
        let dir = dir();
        let staged = Staged::create(&dir.at("out"), false).unwrap();
        let out = dir.put("out", "theirs");
        refused(staged.publish(), ErrorKind::Output, "out: was put there by something else meanwhile");
        assert_eq!((dir.names(), read(&out)), (vec!["out".into()], "theirs".into()));
    }

    #[test]
    fn a_folder_is_no_target() {
        let dir = dir();
        fs::create_dir(dir.at("folder")).unwrap();
        refused(write(&dir.at("folder"), true, ""), ErrorKind::Usage, "folder: is a folder");
        refused(write(&dir.at("out/"), true, ""), ErrorKind::Usage, "out/: is a folder");
        refused(write(Path::new(""), true, ""), ErrorKind::Usage, "names no file");
    }

    #[test]
    fn a_missing_folder_is_named() {
        let dir = dir();
        refused(write(&dir.at("no/out"), false, ""), ErrorKind::Usage, "/no: there is no such folder");
        dir.put("file", "");
        refused(write(&dir.at("file/out"), false, ""), ErrorKind::Usage, "/file: there is no such folder");
    }

    #[test]
    fn a_link_stays_and_its_end_is_replaced() {
        let dir = dir();
        fs::create_dir(dir.at("far")).unwrap();
        dir.put("far/end", "old");
        symlink("far/middle", dir.at("out")).unwrap();
        symlink("end", dir.at("far/middle")).unwrap();
        refused(write(&dir.at("out"), false, "new"), ErrorKind::Usage, "out: exists already");
        write(&dir.at("out"), true, "new").unwrap();
        assert_eq!(fs::read_link(dir.at("out")).unwrap(), Path::new("far/middle"));
        assert_eq!((read(&dir.at("far/end")), dir.names()), ("new".into(), vec!["far".into(), "out".into()]));
    }

    #[test]
    fn a_link_to_nothing_gets_its_end() {
        let dir = dir();
        symlink("end", dir.at("out")).unwrap();
        write(&dir.at("out"), false, "new").unwrap();
        assert_eq!((dir.names(), read(&dir.at("end"))), (vec!["end".into(), "out".into()], "new".into()));
    }

    #[test]
    fn a_circle_of_links_is_refused() {
        let dir = dir();
        symlink("out", dir.at("out")).unwrap();
        refused(write(&dir.at("out"), true, ""), ErrorKind::Output, "out: Too many levels of symbolic links");
    }

    #[test]
    fn a_link_in_the_temporary_files_place_is_not_followed() {
        let dir = dir();
        let precious = dir.put("precious", "text");
        symlink(&precious, dir.at(TEMP)).unwrap();
        refused(write(&dir.at("out"), false, "new"), ErrorKind::Output, "is in the way, and no file");
        assert_eq!(read(&precious), "text");
    }

    #[test]
    fn a_new_file_has_the_permissions_of_any() {
        let dir = dir();
        write(&dir.at("out"), false, "").unwrap();
        assert_eq!(mode(&dir.at("out")), mode(&dir.put("any", "")));
    }

    #[test]
    fn a_replaced_file_passes_its_permissions_on() {
        let dir = dir();
        let out = dir.put("out", "private");
        fs::set_permissions(&out, fs::Permissions::from_mode(0o600)).unwrap();
        let staged = Staged::create(&out, true).unwrap();
        assert_eq!(mode(&dir.at(TEMP)), 0o600);
        staged.publish().unwrap();
        assert_eq!(mode(&out), 0o600);
    }

    #[test]
    fn devices_are_written_directly() {
        assert_eq!(write(Path::new("/dev/null"), false, "abc").unwrap(), 3);
        assert!(!Path::new("/dev/.null.calltable.tmp").exists());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_is_told_in_the_systems_words() {
        refused(
            write(Path::new("/dev/full"), false, "abc"),
            ErrorKind::Output,
            "/dev/full: No space left on device",
        );
        let big = "x".repeat(BUFFER + 1);
        refused(
            write(Path::new("/dev/full"), false, &big),
            ErrorKind::Output,
            "/dev/full: No space left on device",
        );
    }

    #[test]
    fn a_pipe_is_written_directly() {
        let dir = dir();
        let pipe = dir.at("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let reader = std::thread::spawn({
            let pipe = pipe.clone();
            move || read(&pipe)
        });
        assert_eq!(write(&pipe, false, "abc").unwrap(), 3);
        assert_eq!((reader.join().unwrap(), dir.names()), ("abc".into(), vec!["pipe".into()]));
    }
}
