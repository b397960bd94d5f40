//! What the events of a run add up to: the report's counts, and the rejects with their places.
//!
//! Blocks know records and lines only from their own start; here, in order, they get their numbers.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::convert::{Agreed, Exit, judge};
use crate::dump::About;
use crate::error::{Error, Result};
use crate::frame::{Reason, Reject};
use crate::pipeline::{Ended, Event};
use crate::report::{InputReport, LeftOut, RejectsReport, Report, SkippedReport};
use crate::sink::publish::Staged;
use crate::sink::rejects::{RejectLine, write_line};

/// The counts of a run so far.
pub struct Tally {
    inputs: Vec<InputTally>,
    by_reason: BTreeMap<Reason, u64>,
    rejects: Rejects,
}

/// The counts of an input so far.
#[derive(Default)]
struct InputTally {
    report: InputReport,
    /// Which input of its pipeline it is, or is a member of.
    input: usize,
    /// Line ends before the next block.
    lines: u64,
    nul_runs: u64,
    ended: bool,
    /// Why it is passed over.
    skipped: Option<String>,
}

/// The rejects file: begun with the first reject.
struct Rejects {
    path: Option<PathBuf>,
    file: Option<Staged>,
    /// What is published already and stays: that file, so many bytes of it.
    kept: Option<(PathBuf, u64)>,
}

impl Tally {
    /// Nothing counted yet; rejects go to `path`.
    pub fn new(path: Option<&Path>) -> Tally {
        let rejects = Rejects { path: path.map(Path::to_path_buf), file: None, kept: None };
        Tally { inputs: Vec::new(), by_reason: BTreeMap::new(), rejects }
    }

    /// Counts an event.
    ///
    /// # Errors
    /// A reject cannot be written.
    pub fn add(&mut self, event: Event) -> Result<()> {
        match event {
            Event::Begin(name, input) => {
                let report = InputReport { source: name.to_string(), ..InputReport::default() };
                self.inputs.push(InputTally { report, input, ..InputTally::default() });
                Ok(())
            }
            Event::End(at, ended) => {
                self.inputs[at].end(*ended);
                Ok(())
            }
            Event::Batch(at, batch) => {
                let input = &mut self.inputs[at];
                let (records_before, lines_before) = (input.report.counts.records, input.lines);
                for reject in &batch.rejects {
                    *self.by_reason.entry(reject.reason).or_insert(0) += 1;
                    let place = (records_before + reject.number + 1, lines_before + reject.line + 1);
                    let (format, header) = (batch.layout.format.name, batch.layout.header.as_deref());
                    let header = header.or(reject.around.as_deref());
                    self.rejects.write(&input.report.source, format, header, place, reject)?;
                }
                let counts = &mut input.report.counts;
                counts.records += batch.counts.records;
                counts.written += batch.rows.num_rows() as u64;
                counts.filtered += batch.filtered;
                counts.rejected += batch.rejects.len() as u64;
                counts.repaired += batch.counts.repaired;
                counts.repeated_headers += batch.counts.repeated_headers;
                input.lines += batch.counts.lines;
                input.nul_runs += batch.counts.nul_runs;
                for (name, times) in &batch.notes.0 {
                    *input.report.notes.entry(name.to_string()).or_insert(0) += times;
                }
                for offset in &batch.offsets {
                    let shown = offset_name(*offset);
                    if !input.report.utc_offset.contains(&shown) {
                        input.report.utc_offset.push(shown);
                    }
                }
                Ok(())
            }
        }
    }

    /// Counts an input that is in no pipeline: rows that were looked at, and why it failed, if it did.
    pub fn other(&mut self, name: &str, rows: u64, error: Option<Error>) {
        let mut report = InputReport { source: name.to_string(), ..InputReport::default() };
        report.counts.records = rows;
        report.error = error.map(|error| error.message().to_string());
        self.inputs.push(InputTally { report, ended: true, ..InputTally::default() });
    }

    /// So many rows that were counted as written turned out to be duplicates.
    pub fn duplicates(&mut self, at: usize, rows: u64) {
        let counts = &mut self.inputs[at].report.counts;
        counts.written -= rows;
        counts.duplicates += rows;
    }

    /// What became of the inputs of a pipeline before which so many dumps had begun: of each, its records, its rows,
    /// and its fault; nothing of one that is passed over.
    pub fn of_inputs(&self, before: usize, inputs: usize) -> Vec<Option<(u64, u64, Option<String>)>> {
        let mut all = vec![None; inputs];
        for dump in self.inputs[before..].iter().filter(|dump| dump.skipped.is_none()) {
            let (records, written, error) = all[dump.input].get_or_insert((0, 0, None));
            *records += dump.report.counts.records;
            *written += dump.report.counts.written;
            *error = error.take().or_else(|| dump.report.error.clone());
        }
        all
    }

    /// How many records are rejected so far, and how many inputs have failed.
    pub fn left_out(&self) -> LeftOut {
        let reports =
            || self.inputs.iter().filter(|input| input.skipped.is_none()).map(|input| &input.report);
        LeftOut {
            rejected: reports().map(|input| input.counts.rejected).sum(),
            failed: reports().filter(|input| input.error.is_some()).count() as u64,
        }
    }

    /// Keeps the rejects that are in that file: so many of its bytes.
    ///
    /// # Errors
    /// They cannot be copied.
    pub fn go_on(&mut self, path: &Path, there: u64, bytes: u64) -> Result<()> {
        if bytes == 0 {
            return Ok(());
        }
        self.rejects.kept = Some((path.to_path_buf(), bytes));
        if there > bytes { self.rejects.begin() } else { Ok(()) }
    }

    /// Publishes the rejects so far; comes back with where they are, and how many bytes.
    ///
    /// # Errors
    /// They cannot be published.
    pub fn publish_rejects(&mut self) -> Result<Option<(PathBuf, u64)>> {
        self.rejects.publish_so_far()?;
        Ok(self.rejects.kept.clone())
    }

    /// How many inputs have begun.
    pub fn begun(&self) -> usize {
        self.inputs.len()
    }

    /// The exit code that the counts so far mean.
    pub fn verdict(&self, agreed: Agreed) -> Exit {
        let reports =
            || self.inputs.iter().filter(|input| input.skipped.is_none()).map(|input| &input.report);
        let LeftOut { rejected, failed } = self.left_out();
        // Where nothing was asked for, nothing need be read.
        let is_unread = |input: &InputReport| input.error.is_some() && input.counts.records == 0;
        let read_nothing = !self.inputs.is_empty() && reports().all(is_unread);
        let records = reports().map(|input| input.counts.records).sum();
        judge(read_nothing, failed, records, rejected, agreed)
    }

    /// Ends the counting: fills the report, and publishes the rejects or removes old ones.
    ///
    /// # Errors
    /// The rejects cannot be published.
    pub fn finish(self, report: &mut Report) -> Result<()> {
        let published = self.rejects.publish();
        let by_reason =
            self.by_reason.iter().map(|(reason, times)| (reason.name().to_string(), *times)).collect();
        let path = published.as_ref().ok().cloned().flatten();
        report.rejects = RejectsReport { path, by_reason };
        for InputTally { report: input, skipped, .. } in self.inputs {
            match skipped {
                Some(why) => report.skipped.push(SkippedReport { source: input.source, why }),
                None => report.inputs.push(input),
            }
        }
        published.map(drop)
    }
}

impl InputTally {
    fn end(&mut self, ended: Ended) {
        if std::mem::replace(&mut self.ended, true) {
            return;
        }
        self.skipped = ended.skipped;
        let report = &mut self.report;
        report.encoding = ended.encoding.map(str::to_string);
        report.bytes = ended.bytes;
        report.warnings.extend(ended.warnings);
        report.error = ended.error.map(|error| match error.offset() {
            Some(offset) => format!("at byte {offset}: {}", error.message()),
            None => error.message().to_string(),
        });
        let counted = warnings_of(ended.about.as_ref(), report.counts.records, self.nul_runs);
        report.warnings.extend(counted);
        let Some(about) = ended.about else { return };
        report.format = about.format.map(|format| format.name.to_string());
        report.date_order = about.date_order.map(|order| order.as_str().to_string());
        let repeated = about.layout.map_or(0, |layout| layout.repeated_names);
        if repeated > 0 {
            *report.notes.entry("duplicate-key".to_string()).or_insert(0) += repeated;
        }
    }
}

/// What only the counts of a dump show, when it has ended.
pub fn warnings_of(about: Option<&About>, records: u64, nul_runs: u64) -> Vec<String> {
    let mut warnings = Vec::new();
    if nul_runs > 0 {
        warnings.push(format!("NULs at the start of {nul_runs} lines are passed over"));
    }
    let format = about.and_then(|about| about.format);
    if format.and_then(|format| format.csv()).and_then(|csv| csv.page) == Some(records) {
        warnings.push(format!(
            "exactly {records} records: probably one page of more; ask the PBX for the next with offset={records}"
        ));
    }
    warnings
}

impl Rejects {
    /// Begins the file, with what is kept of the one before.
    fn begin(&mut self) -> Result<()> {
        let (Some(path), None) = (&self.path, &self.file) else { return Ok(()) };
        let mut file = Staged::create(path, true)?;
        if let Some((old, bytes)) = &self.kept {
            let copied = File::open(old).and_then(|old| io::copy(&mut old.take(*bytes), &mut file));
            copied.map_err(|error| Error::output(path, error))?;
        }
        self.file = Some(file);
        Ok(())
    }

    fn publish_so_far(&mut self) -> Result<()> {
        let (Some(path), Some(file)) = (&self.path, self.file.take()) else { return Ok(()) };
        self.kept = Some((path.clone(), file.publish()?));
        Ok(())
    }

    fn write(
        &mut self,
        source: &str,
        format: &str,
        header: Option<&str>,
        (record, line): (u64, u64),
        reject: &Reject,
    ) -> Result<()> {
        self.begin()?;
        let Some(file) = &mut self.file else { return Ok(()) };
        let mut text = Vec::with_capacity(reject.raw.len() + 512);
        let line = RejectLine {
            source,
            format,
            record,
            line,
            offset: reject.offset,
            length: reject.length,
            reason: reject.reason.name(),
            field: reject.field.as_deref(),
            message: &reject.message,
            header,
            raw: &reject.raw,
            raw_cut: reject.reason == Reason::TooLarge && (reject.raw.len() as u64) < reject.length,
        };
        write_line(&line, &mut text);
        file.append(&text)
    }

    /// Publishes the file, or removes an old one where there are no rejects; comes back with its path.
    fn publish(mut self) -> Result<Option<String>> {
        self.publish_so_far()?;
        match (self.path, self.kept) {
            (Some(path), Some(_)) => Ok(Some(path.display().to_string())),
            (Some(path), None) => match std::fs::symlink_metadata(&path) {
                Ok(old) if old.is_file() => {
                    std::fs::remove_file(&path).map_err(|error| Error::output(&path, error))?;
                    Staged::sweep(&path)?;
                    Ok(None)
                }
                _ => Staged::sweep(&path).map(|()| None),
            },
            (None, _) => Ok(None),
        }
    }
}

/// `+05:00`.
fn offset_name(seconds: i32) -> String {
    let sign = if seconds < 0 { '-' } else { '+' };
    let minutes = seconds.unsigned_abs() / 60;
    format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
}
