//! `calltable inspect`: what is it? The library reads; this shows what it found, as a page a dump.

use std::io::{IsTerminal, stderr, stdout};

use calltable::convert::Exit;
use calltable::inspect::{Found, Inspected, Problem, inspect};
use calltable::report::InputReport;
use calltable::source::inputs::expand;
use calltable::{Column, Result};
use serde_json::Value;

use super::args::Inspect;
use super::progress::Shown;
use super::signals::Signals;
use super::table::{aligned, bytes, counted, grouped};
use super::{filters, reading, say, streams};

/// Reads the dumps; the exit code is that of converting them.
pub(crate) fn run(typed: &Inspect, json: bool, signals: &Signals) -> Result<Exit> {
    let mut options = reading::options(&typed.reading)?;
    options.records = reading::records(typed.filters.records);
    let context = filters::context(&typed.filters.groups, &options)?;
    options.filters = filters::filters(&typed.filters, &context)?;
    let limits = reading::limits(&typed.running)?;
    streams::check_input(&typed.inputs.paths)?;
    let inputs = expand(&typed.inputs.paths, &[])?;
    let counters = signals.progress(&inputs);
    let shown = Shown::start(typed.running.progress, &counters, false);
    let found = inspect(inputs, &options, limits, &counters);
    drop(shown);
    let found = found?;
    if json {
        say::json(&found.inputs)?;
    } else {
        let mut pages: Vec<String> = found.inputs.iter().map(|input| page(input).join("\n")).collect();
        let skipped =
            found.skipped.iter().map(|file| format!("{}\n  passed over  {}", file.source, file.why));
        pages.extend(skipped);
        say::result(&(pages.join("\n\n") + "\n"))?;
    }
    // Who sees the pages has seen it all.
    if json || !stdout().is_terminal() || !stderr().is_terminal() {
        let reports: Vec<InputReport> = found.inputs.iter().map(|input| input.report.clone()).collect();
        say::diagnostics(&reports);
    }
    Ok(found.exit)
}

/// The lines of one dump.
fn page(input: &Inspected) -> Vec<String> {
    let mut lines = vec![say::visible(&input.report.source)];
    lines.extend(aligned(&facts(input), &[]).into_iter().map(|line| format!("  {line}")));
    lines.extend(section("columns", columns(input)));
    lines.extend(section("first rows", first_rows(&input.first_rows)));
    lines.extend(section("problems", problems(input)));
    lines
}

fn section(title: &str, lines: Vec<String>) -> Vec<String> {
    let title = (!lines.is_empty()).then(|| format!("\n  {title}"));
    title.into_iter().chain(lines.into_iter().map(|line| format!("    {line}"))).collect()
}

/// What is known of it as a whole: a name and a text each.
fn facts(input: &Inspected) -> Vec<[String; 2]> {
    let report = &input.report;
    let mut facts: Vec<[String; 2]> = Vec::new();
    let mut add = |name: &str, text: Option<String>| {
        facts.extend(text.map(|text| [name.to_string(), text]));
    };
    add("failed", report.error.clone());
    add("format", report.format.clone());
    add("encoding", report.encoding.clone());
    let was_read = report.error.is_none() || report.counts.records > 0;
    add("size", was_read.then(|| bytes(report.bytes)));
    add("records", was_read.then(|| records(report)));
    let from_to = |(from, to): (&String, &String)| format!("{from} to {to}");
    add("start", input.start_min.as_ref().zip(input.start_max.as_ref()).map(from_to));
    add(
        "dates",
        report.date_order.as_deref().map(|order| match order {
            "mdy" => "month first (mdy)".to_string(),
            _ => "day first (dmy)".to_string(),
        }),
    );
    add("offsets", (!report.utc_offset.is_empty()).then(|| report.utc_offset.join(", ")));
    let notes: Vec<String> =
        report.notes.iter().map(|(name, times)| format!("{name} {}", grouped(*times))).collect();
    add("counted", (!notes.is_empty()).then(|| notes.join(", ")));
    report.warnings.iter().for_each(|warning| add("warning", Some(warning.clone())));
    facts
}

fn records(report: &InputReport) -> String {
    let counts = &report.counts;
    let all = [
        (counts.filtered, "left out"),
        (counts.rejected, "rejected"),
        (counts.repaired, "repaired"),
        (counts.repeated_headers, "repeated headers"),
    ];
    let others = all.iter().filter(|(number, _)| *number > 0);
    let others: String = others.map(|(number, what)| format!(", {} {what}", grouped(*number))).collect();
    format!("{}: {}{others}", grouped(counts.records), counted(counts.written, "row"))
}

/// The dump's own names, what they become, and where nothing stands.
fn columns(input: &Inspected) -> Vec<String> {
    if input.columns.is_empty() {
        return Vec::new();
    }
    let head = ["column", "becomes", "nulls"].map(str::to_string);
    let row = |found: &Found| {
        let becomes = if found.fills.is_empty() { "-".to_string() } else { found.fills.join(", ") };
        [found.name.clone(), becomes, grouped(found.nulls)]
    };
    let rows: Vec<_> = std::iter::once(head).chain(input.columns.iter().map(row)).collect();
    aligned(&rows, &[2])
}

/// The columns that tell most of a call.
const TELLING: [Column; 8] = [
    Column::Start,
    Column::Src,
    Column::SrcName,
    Column::Dst,
    Column::Disposition,
    Column::Duration,
    Column::Billsec,
    Column::CallType,
];

fn first_rows(lines: &[String]) -> Vec<String> {
    if lines.is_empty() {
        return Vec::new();
    }
    let head = TELLING.map(|column| column.name().to_string());
    let row = |line: &String| {
        let row: Value = serde_json::from_str(line).unwrap_or_default();
        TELLING.map(|column| cell(&row[column.name()]))
    };
    let rows: Vec<_> = std::iter::once(head).chain(lines.iter().map(row)).collect();
    aligned(&rows, &[5, 6])
}

/// So much of a text is shown.
const WIDEST: usize = 30;

fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) if text.chars().count() > WIDEST => {
            text.chars().take(WIDEST - 1).chain(['…']).collect()
        }
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// How often each reason came up, then the first of them.
fn problems(input: &Inspected) -> Vec<String> {
    let by_reason = input.by_reason.iter().map(|(reason, times)| format!("{} {reason}", grouped(*times)));
    let first = input.problems.iter().map(|problem| say::visible(&told(problem)));
    by_reason.chain(first).collect()
}

fn told(problem: &Problem) -> String {
    let Problem { record, line, reason, field, message } = problem;
    let field = field.as_ref().map_or(String::new(), |field| format!(" in {field}"));
    format!("line {line}, record {record}: {reason}{field}: {message}")
}
