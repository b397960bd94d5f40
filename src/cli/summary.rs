//! What a conversion came to, for people: what was written, what was not and why, what to do next.
//!
//! It reads the report and must not know how the figures came to be. Scripts take the report itself.

use calltable::convert::{Agreed, Exit, Job, Outcome};
use calltable::report::{InputReport, LeftOut, Report};

use super::table::{bytes, counted, grouped};

/// What was asked for, as far as the advice depends on it.
#[derive(Debug)]
pub(crate) struct Asked {
    agreed: Agreed,
    lenient: bool,
    encoding: Option<&'static str>,
    keeps_rejects: bool,
    /// The output, if it is a folder.
    folder: Option<String>,
}

impl Asked {
    /// Of this job.
    pub(crate) fn of(job: &Job) -> Asked {
        Asked {
            agreed: job.agreed,
            lenient: job.options.lenient,
            encoding: job.options.encoding.map(|encoding| encoding.name()),
            keeps_rejects: job.rejects.is_some(),
            folder: job.parts.as_ref().and_then(|_| Some(job.output.as_ref()?.display().to_string())),
        }
    }
}

/// The lines.
pub(crate) fn summary(outcome: &Outcome, asked: &Asked) -> Vec<String> {
    let report = &outcome.report;
    let mut lines = vec![headline(outcome, asked)];
    lines.extend(carried(outcome));
    lines.extend(failed(report));
    lines.extend(report.inputs.iter().filter_map(rejected_of));
    lines.extend(rejected(report, asked));
    lines.extend(notes(report));
    lines.extend(skipped(report));
    lines
}

fn headline(outcome: &Outcome, asked: &Asked) -> String {
    let report = &outcome.report;
    if !matches!(outcome.exit, Exit::Done | Exit::Incomplete) {
        return format!("nothing is published: {}", why_nothing(outcome, asked));
    }
    let read: u64 = report.inputs.iter().map(|input| input.bytes).sum();
    let inputs = format!("{} ({})", counted(report.inputs.len() as u64, "input"), bytes(read));
    format!("{}, from {inputs} in {:.2} s", written(report, asked), report.seconds)
}

/// What was written where.
fn written(report: &Report, asked: &Asked) -> String {
    let rows = report.outputs.iter().map(|output| output.rows).sum();
    let size = report.outputs.iter().map(|output| output.bytes).sum();
    let (rows, size) = (counted(rows, "row"), bytes(size));
    match (&asked.folder, report.outputs.first()) {
        (Some(folder), Some(_)) => {
            let files = counted(report.outputs.len() as u64, "file");
            format!("{folder}: {rows} in {files}, {size}")
        }
        (Some(folder), None) => format!("{folder}: nothing new"),
        (None, Some(output)) if output.path == "-" => format!("standard output: {rows}"),
        (None, output) => {
            let path = output.map_or("", |output| output.path.as_str());
            format!("{path}: {rows}, {size}")
        }
    }
}

/// What a killed run has left to be told.
fn carried(outcome: &Outcome) -> Option<String> {
    let LeftOut { rejected, failed } = outcome.carried;
    (rejected + failed > 0).then(|| {
        format!(
            "the run before was killed, and had {} and {} in the steps that it had done; its rejects stand before this \
             run's",
            counted(rejected, "reject"),
            counted(failed, "failed input")
        )
    })
}

fn why_nothing(outcome: &Outcome, asked: &Asked) -> String {
    let counts = &outcome.report.totals.counts;
    let rejects = format!("{} of {}", grouped(counts.rejected), counted(counts.records, "record"));
    match (outcome.exit, asked.agreed) {
        _ if outcome.error.is_some() => "the output cannot be written".to_string(),
        (Exit::Failed, _) => "no input could be read".to_string(),
        (_, Agreed::Count(most)) => {
            format!("{rejects} rejected, and --max-rejects agrees to {}", grouped(most))
        }
        (_, Agreed::Percent(most)) => format!("{rejects} rejected, and --max-rejects agrees to {most}%"),
        _ => {
            let failed = counted(number_failed(&outcome.report), "input");
            format!("{rejects} rejected and {failed} failed, and --strict agrees to none")
        }
    }
}

/// How many inputs failed; each was told by its error.
fn failed(report: &Report) -> Option<String> {
    let failed = number_failed(report);
    let all = counted(report.inputs.len() as u64, "input");
    (failed > 0).then(|| format!("failed: {} of {all}, see above", grouped(failed)))
}

fn number_failed(report: &Report) -> u64 {
    report.inputs.iter().filter(|input| input.error.is_some()).count() as u64
}

fn rejected_of(input: &InputReport) -> Option<String> {
    let counts = &input.counts;
    let rejected = || format!("{} of {}", grouped(counts.rejected), counted(counts.records, "record"));
    (counts.rejected > 0).then(|| format!("  {}: {} rejected", input.source, rejected()))
}

/// How many records are rejected and why, where they are, and what could be done about it.
fn rejected(report: &Report, asked: &Asked) -> Vec<String> {
    let rejected = report.totals.counts.rejected;
    if rejected == 0 {
        return Vec::new();
    }
    let reasons = &report.rejects.by_reason;
    let by_reason: Vec<String> =
        reasons.iter().map(|(name, times)| format!("{name} {}", grouped(*times))).collect();
    let mut lines = vec![format!("rejected: {}: {}", counted(rejected, "record"), by_reason.join(", "))];
    lines.extend(match &report.rejects.path {
        Some(path) => Some(format!("  their text, place and reason: {path}")),
        None if asked.keeps_rejects => None,
        None => Some("  they are kept nowhere: --rejects PATH keeps them".to_string()),
    });
    let has = |names: &[&str]| names.iter().any(|name| reasons.contains_key(*name));
    lines.extend(advice(has, asked).into_iter().map(|advice| format!("  {advice}")));
    lines
}

fn advice(has: impl Fn(&[&str]) -> bool, asked: &Asked) -> Vec<String> {
    let mut lines = Vec::new();
    if has(&["invalid-utf8"]) {
        lines.push(match asked.encoding {
            None => {
                "invalid-utf8: --encoding says what those records are in: gbk, windows-1252, …".to_string()
            }
            Some(name) => {
                format!("invalid-utf8: those records are not {name} either: try another --encoding")
            }
        });
    }
    if has(&["bad-time", "bad-number", "bad-value"]) && !asked.lenient {
        lines.push(
            "bad values: --lenient keeps the record, the value null and its text in `extra`".to_string(),
        );
    }
    if has(&["bad-date-order"]) {
        lines.push("bad-date-order: --date-order mdy or dmy says which of the two holds".to_string());
    }
    if asked.agreed == Agreed::Unsaid {
        lines.push("--max-rejects N or P% agrees to rejects beforehand, for exit code 0".to_string());
    }
    lines
}

/// Counts of things worth knowing.
fn notes(report: &Report) -> Option<String> {
    let counts = &report.totals.counts;
    let of_counts = [
        ("left out", counts.filtered),
        ("duplicates", counts.duplicates),
        ("repaired", counts.repaired),
        ("repeated headers", counts.repeated_headers),
    ];
    let of_notes = report.totals.notes.iter().map(|(name, times)| (name.as_str(), *times));
    let all = of_counts.into_iter().chain(of_notes).filter(|(_, times)| *times > 0);
    let all: Vec<String> = all.map(|(name, times)| format!("{name} {}", grouped(times))).collect();
    (!all.is_empty()).then(|| format!("counted: {}", all.join(", ")))
}

/// How many of the skipped files are named.
const NAMED: usize = 5;

/// What was passed over, a line each; the first of them.
pub fn skipped(report: &Report) -> Vec<String> {
    if report.skipped.is_empty() {
        return Vec::new();
    }
    let count = report.skipped.len();
    let mut lines = vec![format!("passed over: {}", counted(count as u64, "file"))];
    lines.extend(report.skipped.iter().take(NAMED).map(|file| format!("  {}: {}", file.source, file.why)));
    if count > NAMED {
        lines.push(format!("  and {} more", count - NAMED));
    }
    lines
}
