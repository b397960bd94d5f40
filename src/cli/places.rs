//! Where a conversion writes: the table, the rejects, the report. Told apart, from each other and
//! from the inputs, before anything is read.
//!
//! It looks at names and kinds of files only, and must not know what is written there.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use calltable::convert::Parts;
use calltable::sink::Kind;
use calltable::sink::partition::By;
use calltable::sink::publish::is_same_place;
use calltable::source::inputs::{Inputs, Place, display_name, expand, is_same_file};
use calltable::{Error, Result};

use super::args::{Output, Rejects};
use super::reading;

/// The paths that a conversion writes to.
#[derive(Debug)]
pub(crate) struct Places {
    /// The table's; none for standard output.
    pub(crate) output: Option<PathBuf>,
    /// What the table's file is.
    pub(crate) kind: Kind,
    /// How the table is a folder, if it is one.
    pub(crate) parts: Option<Parts>,
    /// Where rejected records go, if anywhere.
    pub(crate) rejects: Option<PathBuf>,
    /// Where the report goes, if anywhere.
    pub(crate) report: Option<PathBuf>,
}

impl Places {
    /// What the options mean.
    ///
    /// # Errors
    /// Usage: the output's kind is not told or told twice, or a path cannot be written to.
    pub(crate) fn of(output: &Output, rejects: &Rejects, json: bool) -> Result<Places> {
        let Some(path) = &output.path else { return Err(no_output()) };
        let parts = parts(output)?;
        let kind = match &parts {
            Some((option, _)) => folder_kind(path, output.to.as_deref(), option)?,
            None => kind(path, output.to.as_deref())?,
        };
        let is_stdout = path.as_os_str() == "-";
        if is_stdout && json {
            return Err(Error::usage(
                "--json with -o -: standard output takes the table or the report, not both; --report-file PATH \
                 writes the report to a file",
            ));
        }
        let places = Places {
            output: (!is_stdout).then(|| path.clone()),
            kind,
            parts: parts.map(|(_, parts)| parts),
            rejects: rejects.path.clone().or_else(|| beside(path)),
            report: output.report_file.clone(),
        };
        places.check()?;
        Ok(places)
    }

    /// The inputs that the arguments mean.
    ///
    /// # Errors
    /// Usage: there is no such file, or it is one that this conversion writes.
    pub(crate) fn inputs(&self, arguments: &[OsString]) -> Result<Inputs> {
        let ours: Vec<PathBuf> = self.all().map(|(_, path)| path.clone()).collect();
        let inputs = expand(arguments, &ours)?;
        // Most are yet to come, and can be no input.
        let there: Vec<_> = self.all().filter(|(_, ours)| ours.is_file()).collect();
        for input in &inputs.inputs {
            let Place::File(path) = &input.place else { continue };
            if let Some((option, _)) = there.iter().find(|(_, ours)| is_same_file(path, ours)) {
                let name = &input.name;
                return Err(Error::usage(format!(
                    "{name} is an input, and {option} would replace it: name another file"
                )));
            }
        }
        Ok(inputs)
    }

    /// The paths, each with the option that names it.
    fn all(&self) -> impl Iterator<Item = (&'static str, &PathBuf)> {
        let named = [("-o", &self.output), ("--rejects", &self.rejects), ("--report-file", &self.report)];
        named.into_iter().filter_map(|(option, path)| Some((option, path.as_ref()?)))
    }

    fn check(&self) -> Result<()> {
        let all: Vec<(&str, &PathBuf)> = self.all().collect();
        for (at, (option, path)) in all.iter().enumerate() {
            match *option == "-o" && self.parts.is_some() {
                true => check_folder(option, path)?,
                false => check_place(option, path)?,
            }
            if let Some((other, _)) = all[..at].iter().find(|(_, other)| is_same_place(path, other)) {
                let shown = display_name(path.as_os_str());
                return Err(Error::usage(format!(
                    "{option} {shown}: is the file of {other}, too; name another"
                )));
            }
        }
        Ok(())
    }
}

#[cold]
fn no_output() -> Error {
    Error::usage(
        "-o (--output) is missing: it names a file that ends in .parquet, .arrow, .arrows, .csv or .jsonl, or `-` for \
         standard output",
    )
}

/// What the output is to be: what its ending or `--to` tells, and never two things.
fn kind(path: &Path, to: Option<&str>) -> Result<Kind> {
    let shown = display_name(path.as_os_str());
    let by_ending = Kind::of_path(path);
    let by_option = to.and_then(Kind::by_name);
    let wrong = |message: String| Err(Error::usage(message));
    match (by_ending, by_option) {
        (Some(kind), None) | (None, Some(kind)) => Ok(kind),
        (Some(kind), Some(asked)) if kind == asked => Ok(kind),
        (Some(_), Some(_)) => {
            let to = to.unwrap_or_default();
            wrong(format!("-o {shown} with --to {to}: the ending tells another kind; leave one of them out"))
        }
        (None, None) if shown == "-" => wrong(format!("-o -: --to says what is to be written: {}", kinds())),
        (None, None) if path.is_dir() => wrong(format!(
            "-o {shown}: is a folder, and a file is asked for; --partition-by, --max-file-rows or --append write into a folder"
        )),
        (None, None) => wrong(format!(
            "-o {shown}: the ending tells no kind; --to names one: {}; or --partition-by, --max-file-rows or --append \
             ask for a folder",
            kinds()
        )),
    }
}

/// The same of a folder, that an option asks for: no ending tells it, for none is that of a folder.
fn folder_kind(path: &Path, to: Option<&str>, option: &str) -> Result<Kind> {
    let shown = display_name(path.as_os_str());
    if shown == "-" {
        return Err(Error::usage(format!(
            "{option} with -o -: asks for a folder, which standard output is not"
        )));
    }
    if Kind::of_path(path).is_some() && !path.is_dir() {
        return Err(Error::usage(format!(
            "{option} with -o {shown}: asks for a folder, and the ending is a file's: leave it out, and --to says \
             what its files are"
        )));
    }
    Ok(to.and_then(Kind::by_name).unwrap_or(Kind::Parquet))
}

/// How the output is a folder, and the option that asks for it.
fn parts(output: &Output) -> Result<Option<(&'static str, Parts)>> {
    let partition_by = output.partition_by.as_deref().map(By::parse_list).transpose()?;
    let rows = output.max_file_rows.as_deref();
    let max_file_rows = rows.map(|rows| reading::count("--max-file-rows", rows, u64::MAX)).transpose()?;
    let options = [
        ("--partition-by", partition_by.is_some()),
        ("--max-file-rows", max_file_rows.is_some()),
        ("--append", output.append),
    ];
    let asks = options.into_iter().find(|(_, is_asked)| *is_asked);
    let parts =
        Parts { partition_by: partition_by.unwrap_or_default(), max_file_rows, append: output.append };
    Ok(asks.map(|(option, _)| (option, parts)))
}

fn kinds() -> String {
    Kind::ALL.map(|(name, _)| name).join(", ")
}

/// Where rejects go that no option names a place for: nowhere if the output is a stream.
fn beside(output: &Path) -> Option<PathBuf> {
    let is_stream = fs::metadata(output).is_ok_and(|found| !found.is_file() && !found.is_dir());
    if is_stream || output.as_os_str() == "-" {
        return None;
    }
    // A folder may be typed with a slash behind it.
    let mut path = output.components().as_path().as_os_str().to_os_string();
    path.push(".rejects.jsonl");
    Some(path.into())
}

/// A folder can only be put into one that is there, and not in place of a file.
fn check_folder(option: &str, path: &Path) -> Result<()> {
    let wrong = |why: &str| Err(Error::usage(format!("{option} {}: {why}", display_name(path.as_os_str()))));
    if path.as_os_str().is_empty() {
        return wrong("a folder is asked for");
    }
    if path.exists() && !path.is_dir() {
        return wrong("is a file, and a folder is asked for");
    }
    if !folder(path).is_dir() {
        return wrong("there is no folder that it could be put into");
    }
    Ok(())
}

/// A file can only be put into a folder that is there, and not in place of one.
fn check_place(option: &str, path: &Path) -> Result<()> {
    let name = path.as_os_str();
    let wrong = |why: &str| Err(Error::usage(format!("{option} {}: {why}", display_name(name))));
    if name.is_empty() || name == "-" {
        return wrong("a file is asked for");
    }
    if path.is_dir() || name.as_encoded_bytes().ends_with(b"/") {
        return wrong("is a folder, and a file is asked for");
    }
    if !folder(path).is_dir() {
        return wrong("there is no such folder");
    }
    Ok(())
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
