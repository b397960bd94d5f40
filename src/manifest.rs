//! What a dataset is made of: `_manifest.json`, by which inputs are added once, and parts of a killed run are known.
//!
//! How an input is known again is told in `known`. The file has no times in it: the same steps leave the same bytes.

mod known;

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};
use walkdir::WalkDir;

use crate::error::{Error, Result};
use crate::report::LeftOut;
use crate::sink::publish::Staged;
use crate::sink::publish::folder::{is_empty, is_ours};
use crate::source::inputs::MANIFEST;
pub(crate) use known::{Known, Print, Standing};

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
