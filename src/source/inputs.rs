//! Which inputs are meant: files, folders, patterns and `-` become a list of files to read.
//!
//! Must not know what the files hold, and opens none of them; only names, kinds and sizes of
//! files are looked at, so that wrong usage is told before anything is read. The idea: the arguments are
//! taken one by one into a `Gathering`, which knows each file by its identity (device and inode)
//! and so takes it once, and which notes what it passes over in the folders that it walks.
//!
//! What is named or matched must be a dump, and is an input whatever its name is. In a walked
//! folder hidden files, our own outputs, links and devices are passed over, and said to be.

use std::collections::{HashMap, HashSet};
use std::ffi::OsStr;
use std::fmt::Write;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use walkdir::{DirEntry, WalkDir};

use super::Bytes;
use super::pattern::{self, is_absent, is_hidden, is_pattern};
use crate::error::{Error, Result};

/// How the names of our outputs end. Those of `.csv` and `.jsonl` outputs tell nothing.
const OUTPUT_ENDINGS: &[&str] = &[".parquet", ".arrow", ".arrows", ".rejects.jsonl"];
/// Those of them that can be read again.
const ARCHIVE_ENDINGS: &[&str] = &[".parquet", ".arrow", ".arrows"];
/// What a dataset's list of inputs and parts is called; a name that readers skip.
pub const MANIFEST: &str = "_manifest.json";
const UNFINISHED_ENDING: &str = ".calltable.tmp";

/// One thing to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// As the user named it, or its folder; bytes that are not UTF-8 show as `\xNN`.
    pub name: String,
    /// Where it is read from.
    pub place: Place,
    /// Whether it was only found by walking a folder: then it may be passed over if its content
    /// shows that nobody can have meant it. What is named or matched must be a dump.
    pub walked: bool,
}

/// Where an input is read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// `-`: standard input.
    Stdin,
    /// A file, a pipe, or a folder that cannot be read (opening it tells why).
    File(PathBuf),
    /// Bytes that a caller of the library brings.
    Brought(Brought),
}

/// A caller's bytes; they can be taken once.
#[derive(Clone)]
pub struct Brought(Arc<Mutex<Option<Bytes>>>);

impl Brought {
    /// These bytes.
    pub fn new(bytes: impl Read + Send + 'static) -> Brought {
        Brought(Arc::new(Mutex::new(Some(Box::new(bytes)))))
    }

    /// The bytes, for the first who asks.
    pub(super) fn take(&self) -> Option<Bytes> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl PartialEq for Brought {
    fn eq(&self, other: &Brought) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Brought {}

impl std::fmt::Debug for Brought {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Brought")
    }
}

/// Something in a walked folder that is not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// Its name, as an input's; of a folder that is passed over as a whole, the folder's.
    pub source: String,
    /// A phrase for people, such as `hidden`.
    pub why: String,
}

/// What the arguments mean.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inputs {
    /// In the order of the arguments, and within a folder or pattern by the bytes of the path.
    pub inputs: Vec<Input>,
    /// What was passed over in walked folders, in the same order.
    pub skipped: Vec<Skipped>,
}

impl Inputs {
    /// How many bytes all of them have; nothing where one's size is not known, as that of a pipe.
    pub fn bytes(&self) -> Option<u64> {
        let size = |input: &Input| match &input.place {
            Place::File(path) => fs::metadata(path).ok().filter(fs::Metadata::is_file).map(|file| file.len()),
            Place::Stdin | Place::Brought(_) => None,
        };
        self.inputs.iter().map(size).sum()
    }
}

/// The inputs that the arguments mean. `ours` is what this run writes (output, rejects, report):
/// passed over in walked folders, along with all that it holds if it is a folder.
pub fn expand(arguments: &[impl AsRef<OsStr>], ours: &[PathBuf]) -> Result<Inputs> {
    let ours = ours.iter().filter_map(|path| Identity::of(path)).collect();
    gather(arguments, Gathering { ours, ..Gathering::default() })
}

/// The same, but a folder of archives is read, too: of one in which nothing else is to be read, and
/// calltable's own Parquet and Arrow files are. Beside dumps, they are passed over: they may be of these.
pub fn expand_with_archives(arguments: &[impl AsRef<OsStr>]) -> Result<Inputs> {
    gather(arguments, Gathering { with_archives: true, ..Gathering::default() })
}

fn gather(arguments: &[impl AsRef<OsStr>], mut gathering: Gathering) -> Result<Inputs> {
    if arguments.is_empty() {
        return Err(Error::usage("no input is named"));
    }
    for argument in arguments {
        gathering.add(argument.as_ref())?;
    }
    Ok(gathering.finish())
}

/// A path for people: what is UTF-8 as it is, other bytes as `\xNN`.
pub fn display_name(path: &OsStr) -> String {
    display_bytes(path.as_encoded_bytes())
}

/// The same for the name of an archive's member.
pub fn display_bytes(name: &[u8]) -> String {
    let mut shown = String::new();
    for part in name.utf8_chunks() {
        shown.push_str(part.valid());
        for byte in part.invalid() {
            write!(shown, "\\x{byte:02X}").expect("a String can be written to");
        }
    }
    shown
}

/// Why a member of an archive is passed over, told by its name.
pub fn why_pass_over(name: &str) -> Option<&'static str> {
    let mut parts = name.split(['/', '\\']).filter(|part| !part.is_empty() && !matches!(*part, "." | ".."));
    let last = parts.clone().next_back().unwrap_or_default();
    if parts.any(|part| part.starts_with('.') || part == "__MACOSX") {
        Some("hidden")
    } else if last == MANIFEST || OUTPUT_ENDINGS.iter().any(|ending| last.ends_with(ending)) {
        Some("an output of calltable, by its name")
    } else {
        None
    }
}

/// Whether two paths lead to the same file, which is there.
pub fn is_same_file(one: &Path, other: &Path) -> bool {
    Identity::of(one).is_some_and(|identity| Identity::of(other) == Some(identity))
}

/// What makes two paths the same file.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Identity {
    #[cfg(unix)]
    Inode(u64, u64),
    #[cfg(not(unix))]
    Canonical(PathBuf),
}

impl Identity {
    /// `None` if there is no such file, or it cannot be looked at.
    #[cfg(unix)]
    fn of(path: &Path) -> Option<Identity> {
        use std::os::unix::fs::MetadataExt;
        fs::metadata(path).ok().map(|file| Identity::Inode(file.dev(), file.ino()))
    }

    #[cfg(not(unix))]
    fn of(path: &Path) -> Option<Identity> {
        fs::canonicalize(path).ok().map(Identity::Canonical)
    }
}

/// A path that an argument led to.
struct Reached {
    path: PathBuf,
    walked: bool,
}

#[derive(Default)]
struct Gathering {
    ours: HashSet<Identity>,
    /// Whether archives in folders of nothing else are read.
    with_archives: bool,
    inputs: Vec<Input>,
    /// Where in `inputs` a file stands already.
    known: HashMap<Identity, usize>,
    skipped: Vec<(PathBuf, Skipped)>,
}

impl Gathering {
    fn add(&mut self, argument: &OsStr) -> Result<()> {
        let path = Path::new(argument);
        if argument.is_empty() {
            return Err(Error::usage("an input's name is empty"));
        }
        if argument == "-" {
            return self.add_stdin();
        }
        match fs::metadata(path) {
            Ok(file) if file.is_dir() => self.add_folder(path),
            Err(_) if is_pattern(argument) => self.add_pattern(argument),
            Err(error) if is_absent(&error) => Err(absent(path)),
            // Also what exists but cannot be looked at: opening it tells why.
            Ok(_) | Err(_) => {
                self.add_file(Reached { path: path.to_owned(), walked: false });
                Ok(())
            }
        }
    }

    fn add_stdin(&mut self) -> Result<()> {
        if self.inputs.iter().any(|input| input.place == Place::Stdin) {
            return Err(Error::usage("standard input (-) is named twice"));
        }
        self.inputs.push(Input { name: "-".into(), place: Place::Stdin, walked: false });
        Ok(())
    }

    fn add_folder(&mut self, folder: &Path) -> Result<()> {
        let before = self.skipped.len();
        let reached = self.walk(folder);
        self.add_all(reached, before, || format!("the folder {} has no file to read", shown(folder)))
    }

    fn add_pattern(&mut self, argument: &OsStr) -> Result<()> {
        let shown = display_name(argument);
        let Some(pattern) = argument.to_str() else {
            return Err(Error::usage(format!("no such file: {shown} (and a pattern must be UTF-8)")));
        };
        let paths = pattern::matches(pattern)
            .map_err(|e| Error::usage(format!("no such file: {shown} (and as a pattern: {})", e.msg)))?;
        let before = self.skipped.len();
        let mut reached = Vec::new();
        for path in paths {
            match path.is_dir() {
                true => reached.extend(self.walk(&path)),
                false => reached.push(Reached { path, walked: false }),
            }
        }
        self.add_all(reached, before, || format!("the pattern {shown} matches no file"))
    }

    /// Adds what an argument led to, by the bytes of the path; nothing at all is wrong usage.
    fn add_all(&mut self, mut reached: Vec<Reached>, before: usize, none: impl Fn() -> String) -> Result<()> {
        self.skipped[before..].sort_by(|(a, _), (b, _)| bytes(a).cmp(bytes(b)));
        if reached.is_empty() {
            return Err(Error::usage(none() + &but_skipped(&self.skipped[before..])));
        }
        reached.sort_by(|a, b| bytes(&a.path).cmp(bytes(&b.path)));
        reached.into_iter().for_each(|reached| self.add_file(reached));
        Ok(())
    }

    /// A file that is reached twice stands where it was reached first, and is as much meant as the
    /// more explicit of the two.
    fn add_file(&mut self, Reached { path, walked }: Reached) {
        let identity = Identity::of(&path);
        if let Some(&at) = identity.as_ref().and_then(|identity| self.known.get(identity)) {
            self.inputs[at].walked &= walked;
            return;
        }
        self.known.extend(identity.map(|identity| (identity, self.inputs.len())));
        self.inputs.push(Input { name: shown(&path), place: Place::File(path), walked });
    }

    /// The files below a folder, in no order. A folder that cannot be read is among them.
    fn walk(&mut self, root: &Path) -> Vec<Reached> {
        let mut reached = Vec::new();
        let mut archives = Vec::new();
        let mut walk = WalkDir::new(root).min_depth(1).into_iter();
        while let Some(entry) = walk.next() {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    let path = error.path().unwrap_or(root).to_owned();
                    reached.push(Reached { path, walked: true });
                    continue;
                }
            };
            let is_dir = entry.file_type().is_dir();
            if self.with_archives && is_archive(&entry) {
                archives.push(entry.into_path());
                continue;
            }
            if let Some(why) = self.why_skip(&entry) {
                if is_dir {
                    walk.skip_current_dir();
                }
                let skipped = Skipped { source: shown(entry.path()), why: why.into() };
                self.skipped.push((entry.into_path(), skipped));
            } else if !is_dir {
                reached.push(Reached { path: entry.into_path(), walked: true });
            }
        }
        if reached.is_empty() {
            reached.extend(archives.into_iter().map(|path| Reached { path, walked: true }));
        } else {
            let why = "an archive beside dumps, which it may have been made of: name it to ask it";
            let skipped = |path: &PathBuf| Skipped { source: shown(path), why: why.into() };
            self.skipped.extend(archives.into_iter().map(|path| (path.clone(), skipped(&path))));
        }
        reached
    }

    fn why_skip(&self, entry: &DirEntry) -> Option<&'static str> {
        let name = entry.file_name();
        let ends = |ending: &&str| name.as_encoded_bytes().ends_with(ending.as_bytes());
        let kind = entry.file_type();
        if self.is_ours(entry.path()) {
            Some("written by this run")
        } else if is_hidden(name) {
            Some(if ends(&UNFINISHED_ENDING) { "an unfinished output of calltable" } else { "hidden" })
        } else if kind.is_symlink() {
            Some("a link, and links in folders are not followed")
        } else if kind.is_dir() {
            None
        } else if !kind.is_file() {
            Some("neither a file nor a folder")
        } else if name == MANIFEST || OUTPUT_ENDINGS.iter().any(ends) {
            Some("an output of calltable, by its name")
        } else if is_part(entry) {
            Some("a part of a dataset of calltable")
        } else {
            None
        }
    }

    fn is_ours(&self, path: &Path) -> bool {
        !self.ours.is_empty() && Identity::of(path).is_some_and(|identity| self.ours.contains(&identity))
    }

    /// What one argument passed over and another names is an input and nothing else; what two
    /// arguments passed over is told once.
    fn finish(self) -> Inputs {
        let mut told = HashSet::new();
        let is_input =
            |path: &Path| Identity::of(path).is_some_and(|identity| self.known.contains_key(&identity));
        let skipped =
            self.skipped.into_iter().filter(|(path, _)| !is_input(path) && told.insert(path.clone()));
        Inputs { skipped: skipped.map(|(_, skipped)| skipped).collect(), inputs: self.inputs }
    }
}

/// Whether a walked file is a table that this program wrote, by its name.
fn is_archive(entry: &DirEntry) -> bool {
    let name = entry.file_name();
    let ends = |ending: &&&str| name.as_encoded_bytes().ends_with(ending.as_bytes());
    entry.file_type().is_file() && !is_hidden(name) && ARCHIVE_ENDINGS.iter().any(|ending| ends(&ending))
}

/// Whether a walked file has the name of a dataset's part, and its folder or one around it a manifest.
fn is_part(entry: &DirEntry) -> bool {
    let is_named_so = entry.file_name().as_encoded_bytes().starts_with(b"part-");
    let mut folders = entry.path().ancestors().skip(1).take(entry.depth());
    is_named_so && folders.any(|folder| folder.join(MANIFEST).is_file())
}

fn shown(path: &Path) -> String {
    display_name(path.as_os_str())
}

fn bytes(path: &Path) -> &[u8] {
    path.as_os_str().as_encoded_bytes()
}

#[cold]
fn absent(path: &Path) -> Error {
    match fs::symlink_metadata(path) {
        Ok(_) => Error::usage(format!("{} is a link to something that does not exist", shown(path))),
        Err(_) => Error::usage(format!("no such file or folder: {}", shown(path))),
    }
}

/// Helps whoever wonders why a folder that has files is said to have none.
#[cold]
fn but_skipped(skipped: &[(PathBuf, Skipped)]) -> String {
    match skipped {
        [] => String::new(),
        [(_, first)] => format!(" (passed over: {}, {})", first.source, first.why),
        [(_, first), others @ ..] => {
            format!(" (passed over: {}, {}; and {} more)", first.source, first.why, others.len())
        }
    }
}

#[cfg(test)]
mod tests;
