//! What the events of a run add up to: the report's counts, and the rejects with their places.
//!
//! Blocks know records and lines only from their own start; here, in order, they get their numbers.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::convert::{Agreed, Exit, judge};
use crate::dump::About;
use crate::error::{Error, Result};
use crate::frame::{Reason, Reject};
use crate::pipeline::{Ended, Event};
use crate::report::{InputReport, RejectsReport, Report, SkippedReport};
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
}

impl Tally {
    /// Nothing counted yet; rejects go to `path`.
    pub fn new(path: Option<&Path>) -> Tally {
        let rejects = Rejects { path: path.map(Path::to_path_buf), file: None };
        Tally { inputs: Vec::new(), by_reason: BTreeMap::new(), rejects }
    }

    /// Counts an event.
    ///
    /// # Errors
    /// A reject cannot be written.
    pub fn add(&mut self, event: Event) -> Result<()> {
        match event {
            Event::Begin(name) => {
                let report = InputReport { source: name.to_string(), ..InputReport::default() };
                self.inputs.push(InputTally { report, ..InputTally::default() });
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

    /// Counts an input that is no dump: rows that were looked at, and why it failed, if it did.
    pub fn archive(&mut self, name: &str, rows: u64, error: Option<Error>) {
        let mut report = InputReport { source: name.to_string(), ..InputReport::default() };
        report.counts.records = rows;
        report.error = error.map(|error| error.message().to_string());
        self.inputs.push(InputTally { report, ended: true, ..InputTally::default() });
    }

    /// How many inputs have begun.
    pub fn begun(&self) -> usize {
        self.inputs.len()
    }

    /// The exit code that the counts so far mean.
    pub fn verdict(&self, agreed: Agreed) -> Exit {
        let reports =
            || self.inputs.iter().filter(|input| input.skipped.is_none()).map(|input| &input.report);
        let failed = reports().filter(|input| input.error.is_some()).count() as u64;
        // Where nothing was asked for, nothing need be read.
        let is_unread = |input: &InputReport| input.error.is_some() && input.counts.records == 0;
        let read_nothing = !self.inputs.is_empty() && reports().all(is_unread);
        let records = reports().map(|input| input.counts.records).sum();
        let rejected = reports().map(|input| input.counts.rejected).sum();
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
    fn write(
        &mut self,
        source: &str,
        format: &str,
        header: Option<&str>,
        (record, line): (u64, u64),
        reject: &Reject,
    ) -> Result<()> {
        let Some(path) = &self.path else { return Ok(()) };
        if self.file.is_none() {
            self.file = Some(Staged::create(path, true)?);
        }
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
    fn publish(self) -> Result<Option<String>> {
        match (self.path, self.file) {
            (Some(path), Some(file)) => {
                file.publish()?;
                Ok(Some(path.display().to_string()))
            }
            (Some(path), None) => match std::fs::symlink_metadata(&path) {
                Ok(old) if old.is_file() => {
                    std::fs::remove_file(&path).map_err(|error| Error::output(&path, error))?;
                    Ok(None)
                }
                _ => Ok(None),
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
