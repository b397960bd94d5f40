//! What a dataset is made of: `_manifest.json`, by which inputs are added once, and parts of a killed run are known.
//!
//! An input is known by its content: its size, and a hash of its beginning and its end. So a log that was rotated or a
//! folder that was moved is not added again, whatever its name; and one that has grown since is told, for its first
//! part is in the dataset already. The file has no times in it: the same steps leave the same bytes.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use serde::{Deserialize, Serialize};
use siphasher::sip128::{Hasher128, SipHasher24};
use std::hash::Hasher;
use walkdir::WalkDir;

use crate::error::{Error, Result};
use crate::report::LeftOut;
use crate::sink::publish::Staged;
use crate::sink::publish::folder::{is_empty, is_ours};
use crate::source::inputs::{Input, MANIFEST, Place};

/// A dataset's list of inputs and parts.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Manifest {
    /// The version of the program that wrote it last.
    pub(crate) calltable: String,
    /// What all parts have in common.
    pub(crate) shape: Shape,
    /// The inputs whose rows are in the parts.
    pub(crate) inputs: Vec<Listed>,
    /// The parts; what else is in the folder is of a killed run.
    pub(crate) parts: Vec<ListedPart>,
    /// Where the rejects are, and how many bytes of that file are of these inputs.
    #[serde(default)]
    pub(crate) rejects: Option<(String, u64)>,
    /// Of a run that has not ended: what it must still tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) unfinished: Option<LeftOut>,
}

/// What all parts of a dataset have in common.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Shape {
    /// The kind of the parts.
    pub(crate) kind: String,
    /// Whether times are wall-clock or instants; nothing before the first row.
    pub(crate) times: Option<String>,
    /// The columns of the parts and the partitions.
    pub(crate) columns: Vec<String>,
    /// What rows are told apart by.
    pub(crate) partition_by: Vec<String>,
    /// The zone of `--timezone`, if there is one.
    pub(crate) timezone: Option<String>,
    /// Which records of calls are rows, if not all.
    pub(crate) records: Option<String>,
}

/// An input that is in the dataset.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Listed {
    /// Its name, as the user gave it.
    pub(crate) source: String,
    /// What its content is known by; nothing for a pipe.
    #[serde(flatten)]
    pub(crate) print: Option<Print>,
    /// Records that were read of it.
    pub(crate) records: u64,
    /// Rows of it.
    pub(crate) written: u64,
    /// What was asked of its rows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) filters: Vec<String>,
    /// Why it was not read to its end, if it was not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<String>,
}

/// A part of the dataset.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct ListedPart {
    /// Its path in the folder.
    pub(crate) path: String,
    /// How many rows it has.
    pub(crate) rows: u64,
    /// How many bytes it has.
    pub(crate) bytes: u64,
}

/// What a file's content is known by.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Print {
    /// Its size.
    pub(crate) bytes: u64,
    /// A hash of its first 64 KiB.
    pub(crate) head: String,
    /// A hash of its last 64 KiB.
    pub(crate) tail: String,
    /// Whether it has a header at most.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(crate) is_one_line: bool,
}

/// How an input stands to a dataset.
#[derive(Debug, PartialEq)]
pub(crate) enum Standing {
    /// It is not in it; what it is to be known by, if it is no pipe.
    New(Option<Print>),
    /// It is in it, as this.
    Listed(Listed),
    /// It begins with what is in it, as this.
    Grown(Listed),
}

/// The inputs of a dataset, by their content and by their beginnings.
#[derive(Debug, Default)]
pub(crate) struct Known {
    inputs: Vec<Listed>,
    by_print: HashMap<Print, usize>,
    /// By the length of what was hashed of their beginnings, and by that hash.
    by_head: BTreeMap<usize, HashMap<String, Vec<usize>>>,
}

/// So much of a file's beginning and end is hashed.
const ENDS: u64 = 64 << 10;

impl Manifest {
    /// That of a folder; none where there is no folder, or nothing in it.
    ///
    /// # Errors
    /// Usage: the folder is no dataset. Output: it cannot be read.
    pub(crate) fn load(folder: &Path) -> Result<Option<Manifest>> {
        let path = folder.join(MANIFEST);
        let shown = folder.display();
        match fs::read(&path) {
            Ok(text) => serde_json::from_slice(&text).map(Some).map_err(|error| {
                Error::usage(format!("{}: is no list of calltable's, or damaged: {error}", path.display()))
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => match is_empty(folder) {
                Ok(false) => Err(Error::usage(format!(
                    "{shown}: is not added to, for calltable did not write it: it has no {MANIFEST}"
                ))),
                Ok(true) => Ok(None),
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
                Err(error) => Err(Error::output(folder, error)),
            },
            Err(error) => Err(Error::output(&path, error)),
        }
    }

    /// Writes it; what it says holds from then on.
    ///
    /// # Errors
    /// Output: the system refuses.
    pub(crate) fn save(&self, folder: &Path) -> Result<()> {
        let path = folder.join(MANIFEST);
        let mut text = serde_json::to_vec_pretty(self).map_err(|error| Error::output(&path, error))?;
        text.push(b'\n');
        let mut staged = Staged::create(&path, true)?;
        staged.append(&text)?;
        staged.publish().map(drop)
    }

    /// Looks whether the parts are as they were written.
    ///
    /// # Errors
    /// Output: one is missing, or is another one.
    pub(crate) fn check_parts(&self, folder: &Path) -> Result<()> {
        for part in &self.parts {
            let path = folder.join(&part.path);
            let is = fs::metadata(&path).map(|file| file.len());
            if is.as_ref().ok() != Some(&part.bytes) {
                let why = is.map_or_else(|error| error.to_string(), |bytes| format!("it has {bytes} bytes"));
                let says =
                    format!("is listed by {MANIFEST} with {} bytes, and is not there so: {why}", part.bytes);
                return Err(Error::output(&path, says));
            }
        }
        Ok(())
    }

    /// Removes what a killed run has left: parts that are not listed, files that were being written, and folders in
    /// which nothing is left. Where no run was killed, parts that are not listed are somebody's.
    ///
    /// # Errors
    /// Usage: there are such parts. Output: the system refuses.
    pub(crate) fn sweep(&self, folder: &Path) -> Result<()> {
        let listed: HashSet<&str> = self.parts.iter().map(|part| part.path.as_str()).collect();
        for entry in WalkDir::new(folder).min_depth(1).contents_first(true) {
            let entry = entry.map_err(|error| Error::output(folder, error))?;
            let within = entry.path().strip_prefix(folder).unwrap_or(entry.path());
            let is_listed =
                within.to_str().is_some_and(|within| within == MANIFEST || listed.contains(within));
            if is_listed || !is_ours(&entry) {
                continue;
            }
            let is_part = entry.file_name().as_encoded_bytes().starts_with(b"part-");
            if is_part && self.unfinished.is_none() {
                return Err(Error::usage(format!(
                    "{}: is a part that {MANIFEST} does not list, and no run was killed here: move it away, or list it",
                    entry.path().display()
                )));
            }
            let removed = match entry.file_type().is_dir() {
                // Only where nothing is left in it.
                true => fs::remove_dir(entry.path()).or(Ok(())),
                false => fs::remove_file(entry.path()),
            };
            removed.map_err(|error| Error::output(entry.path(), error))?;
        }
        Ok(())
    }
}

impl Known {
    /// The inputs of a dataset.
    pub(crate) fn of(manifest: &Manifest) -> Known {
        let mut known = Known::default();
        manifest.inputs.iter().for_each(|listed| known.add(listed.clone()));
        known
    }

    fn add(&mut self, listed: Listed) {
        let Some(print) = &listed.print else { return };
        let at = self.inputs.len();
        self.by_print.entry(print.clone()).or_insert(at);
        // All dumps of a kind begin with the same header.
        if !print.is_one_line {
            let of_length = self.by_head.entry(print.bytes.min(ENDS) as usize).or_default();
            of_length.entry(print.head.clone()).or_default().push(at);
        }
        self.inputs.push(listed);
    }

    /// How an input stands to the dataset; if it is new, it is known from now on.
    ///
    /// # Errors
    /// It cannot be read.
    pub(crate) fn standing(&mut self, input: &Input) -> io::Result<Standing> {
        let (Some(print), Place::File(path)) = (Print::of(input)?, &input.place) else {
            return Ok(Standing::New(None));
        };
        if let Some(at) = self.by_print.get(&print) {
            return Ok(Standing::Listed(self.inputs[*at].clone()));
        }
        if let Some(at) = self.beginning(path, &print)? {
            return Ok(Standing::Grown(self.inputs[at].clone()));
        }
        let (source, print) = (input.name.clone(), Some(print));
        self.add(Listed { source, print: print.clone(), ..Listed::default() });
        Ok(Standing::New(print))
    }

    /// The listed input that a file has grown from.
    fn beginning(&self, path: &Path, print: &Print) -> io::Result<Option<usize>> {
        let mut file = File::open(path)?;
        let head = held_at(&mut file, 0)?;
        // There may be as many lengths as inputs: each byte is hashed once for all of them.
        let (mut hasher, mut hashed) = (SipHasher24::new(), 0);
        for (length, of_length) in self.by_head.range(1..=head.len()) {
            hasher.write(&head[hashed..*length]);
            hashed = *length;
            for at in of_length.get(&shown(&hasher)).into_iter().flatten() {
                let old = self.inputs[*at].print.as_ref().filter(|old| old.bytes < print.bytes);
                let Some(old) = old else { continue };
                if old.bytes <= ENDS || hash(&held_at(&mut file, old.bytes - ENDS)?) == old.tail {
                    return Ok(Some(*at));
                }
            }
        }
        Ok(None)
    }
}

impl Print {
    /// That of an input; none of a pipe.
    ///
    /// # Errors
    /// It cannot be read.
    pub(crate) fn of(input: &Input) -> io::Result<Option<Print>> {
        let Place::File(path) = &input.place else { return Ok(None) };
        if !fs::metadata(path)?.is_file() {
            return Ok(None);
        }
        let mut file = File::open(path)?;
        let bytes = file.metadata()?.len();
        let (head, tail) = (held_at(&mut file, 0)?, held_at(&mut file, bytes.saturating_sub(ENDS))?);
        let line = head.iter().position(|byte| *byte == b'\n').map_or(head.len(), |end| end + 1);
        let is_one_line = line as u64 == bytes;
        Ok(Some(Print { bytes, head: hash(&head), tail: hash(&tail), is_one_line }))
    }
}

fn is_false(flag: &bool) -> bool {
    !flag
}

/// The 64 KiB that begin there, or what there is of them.
fn held_at(file: &mut File, at: u64) -> io::Result<Vec<u8>> {
    let mut held = Vec::new();
    file.seek(SeekFrom::Start(at))?;
    file.take(ENDS).read_to_end(&mut held)?;
    Ok(held)
}

fn hash(bytes: &[u8]) -> String {
    let mut hasher = SipHasher24::new();
    hasher.write(bytes);
    shown(&hasher)
}

fn shown(hasher: &SipHasher24) -> String {
    let hash = hasher.finish128();
    format!("{:016x}{:016x}", hash.h1, hash.h2)
}
