//! What is it? Reads dumps to their end, writes nothing, and tells what `convert` would make of them:
//! their format, what their columns become, their time range, their first rows, what is wrong.
//!
//! ```text
//!   pipeline ──▶ batches in order ──▶ findings (what the dumps hold) + tally (the report's counts)
//! ```
//!
//! It counts what is decoded anyway, and must not know formats: what a dump's column becomes is told
//! by its layout. One thing it adds to the decoding: how many rows have nothing in a slot.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use arrow::array::{Array, AsArray, RecordBatch, TimestampMicrosecondArray};
use arrow::datatypes::{DataType, Int64Type, SchemaRef, TimestampMicrosecondType};
use serde::Serialize;
use serde::ser::{Error as _, SerializeSeq, Serializer};
use serde_json::Value;

use crate::column::{self, Batch};
use crate::convert::{Agreed, Exit, Limits, Progress, check_kinds};
use crate::dump::Work;
use crate::error::Result;
use crate::format::Layout;
use crate::format::layout::{Residue, Take};
use crate::frame::{self, Records, Reject};
use crate::options::Options;
use crate::pipeline::{Event, Pipeline};
use crate::report::{InputReport, Report, SkippedReport};
use crate::schema::{Column, TimeKind, project};
use crate::sink::text_jsonl;
use crate::source::inputs::Inputs;
use crate::tally::Tally;
use crate::workers::Workers;

/// How many rows, and how many problems, are shown of an input.
const SHOWN: usize = 5;

/// What came of looking at dumps.
#[derive(Clone, Debug)]
pub struct Inspection {
    /// One an input, in order.
    pub inputs: Vec<Inspected>,
    /// What was passed over in walked folders.
    pub skipped: Vec<SkippedReport>,
    /// How `convert` would end.
    pub exit: Exit,
}

/// What an input is. The fields and their order are a contract, as those of the report.
#[derive(Clone, Debug, Serialize)]
pub struct Inspected {
    /// What the report of `convert` would say; `written` are the rows that it would write.
    #[serde(flatten)]
    pub report: InputReport,
    /// Its columns, in order.
    pub columns: Vec<Found>,
    /// The earliest start, as the text outputs write times.
    pub start_min: Option<String>,
    /// The latest start.
    pub start_max: Option<String>,
    /// How many records were rejected, by reason.
    pub by_reason: BTreeMap<String, u64>,
    /// The first rows: lines of the `.jsonl` output, and objects in the JSON.
    #[serde(serialize_with = "objects")]
    pub first_rows: Vec<String>,
    /// The first rejects.
    #[serde(skip)]
    pub problems: Vec<Problem>,
}

/// Where a record stands that was rejected, and why; its text is not kept.
#[derive(Clone, Debug)]
pub struct Problem {
    /// Its number in the dump, from 1.
    pub record: u64,
    /// The line of its first byte, from 1.
    pub line: u64,
    /// The reason's name.
    pub reason: &'static str,
    /// The dump's own name of the field that cannot be read.
    pub field: Option<String>,
    /// A sentence for people.
    pub message: String,
}

/// A column of a dump.
#[derive(Clone, Debug, Serialize)]
pub struct Found {
    /// The dump's own name for it.
    pub name: String,
    /// The unified column that takes it, `extra` if none does; nothing where it only repeats others.
    pub column: Option<&'static str>,
    /// How many of the rows have nothing there.
    pub nulls: u64,
    /// All unified columns that something in it fills.
    #[serde(skip)]
    pub fills: Vec<&'static str>,
}

/// Reads dumps and tells what they are. All columns are decoded, whatever `options` says.
///
/// ```
/// use calltable::inspect::inspect;
/// use calltable::source::inputs::expand;
///
/// let inputs = expand(&["testdata/sample/2019"], &[])?;
/// for dump in inspect(inputs, &Default::default(), Default::default(), &Default::default())?.inputs {
///     println!("{}: {:?}, {} rows", dump.report.source, dump.report.format, dump.report.counts.written);
/// }
/// # Ok::<(), calltable::Error>(())
/// ```
///
/// # Errors
/// Usage: the dumps' times are of two kinds, or no thread can be had. Stopped: the caller wanted an end.
pub fn inspect(
    inputs: Inputs,
    options: &Options,
    limits: Limits,
    progress: &Arc<Progress>,
) -> Result<Inspection> {
    check_kinds(&inputs, options, limits.threads)?;
    let options = Arc::new(Options { columns: Column::all().collect(), ..options.clone() });
    let Inputs { inputs, skipped } = inputs;
    let mut tally = Tally::new(None);
    let mut findings: Vec<Option<Findings>> = Vec::new();
    let workers = Workers::new(limits.threads)?;
    let limit = limits.blocks().0 * crate::split::BLOCK as u64;
    let mut pipeline =
        Pipeline::new(inputs, options, workers, limit, progress.clone()).decoded_by(decode_and_count);
    let times = times_of(&pipeline.schema());
    for event in pipeline {
        match &event {
            Event::Begin(..) => findings.push(Some(Findings::default())),
            Event::Batch(at, batch) => {
                findings[*at].iter_mut().try_for_each(|findings| findings.add(batch))?;
                progress.rows.fetch_add(batch.rows.num_rows() as u64, Ordering::Relaxed);
            }
            // What is passed over is no input.
            Event::End(at, ended) if ended.skipped.is_some() => findings[*at] = None,
            Event::End(..) => {}
        }
        tally.add(event)?;
    }
    progress.check()?;
    let exit = tally.verdict(Agreed::Unsaid);
    let mut report = Report::default();
    tally.finish(&mut report)?;
    let findings = findings.into_iter().flatten();
    let inputs = findings.zip(report.inputs).map(|(findings, report)| findings.of(report, times));
    let inputs = inputs.collect::<Result<_>>()?;
    let skipped = skipped.iter().map(SkippedReport::from).chain(report.skipped).collect();
    Ok(Inspection { inputs, skipped, exit })
}

fn times_of(schema: &SchemaRef) -> TimeKind {
    match schema.field(Column::Start as usize).data_type() {
        DataType::Timestamp(_, Some(_)) => TimeKind::Instant,
        _ => TimeKind::WallClock,
    }
}

/// Decodes a block as `Work::decode` does, and counts the rows that have nothing in a slot.
fn decode_and_count(work: Work, options: &Options, schema: &SchemaRef) -> Batch {
    let Work { block, file, carry } = work;
    let records = frame::block(block, options.how());
    let held = Held::of(&records);
    let mut batch = column::build(records, &file, options, schema, carry);
    batch.empty = held.empty(&batch.rows);
    batch
}

/// Whether a value's bytes are more than the documents' sign for nothing.
fn is_something(value: &[u8]) -> bool {
    !value.is_empty() && value != "—".as_bytes()
}

/// Which slots of a block's records hold something.
struct Held {
    slots: usize,
    /// Each record's offset in the dump: by it a row finds its record again, for both are in one order.
    offsets: Vec<i64>,
    /// `held[record × slots + slot]`.
    held: Vec<bool>,
}

impl Held {
    fn of(records: &Records) -> Held {
        let slots = records.layout.slots();
        let offsets = records.places.iter().map(|place| (records.offset + u64::from(place.start)) as i64);
        let values = (0..records.len()).flat_map(|record| (0..slots).map(move |slot| (record, slot)));
        let held = values.map(|(record, slot)| is_something(records.value(record, slot)));
        Held { slots, offsets: offsets.collect(), held: held.collect() }
    }

    /// For each slot the rows that have nothing there; rejected records are no rows.
    fn empty(&self, rows: &RecordBatch) -> Vec<u64> {
        let mut empty = vec![0; self.slots];
        let mut record = 0;
        for offset in rows.column(Column::SourceOffset as usize).as_primitive::<Int64Type>().values() {
            record += self.offsets[record..].iter().take_while(|at| *at != offset).count();
            let held = &self.held[record * self.slots..][..self.slots];
            empty.iter_mut().zip(held).for_each(|(empty, held)| *empty += u64::from(!held));
        }
        empty
    }
}

/// What an input was found to hold so far.
#[derive(Default)]
struct Findings {
    /// The columns of all its headers, in the order in which they came up.
    columns: Vec<Filled>,
    /// The layout of the last block, and which of the columns each of its slots is.
    layout: Option<(Arc<Layout>, Vec<usize>)>,
    rows: u64,
    /// Before the next block.
    records: u64,
    lines: u64,
    /// The earliest and the latest start.
    starts: Option<(i64, i64)>,
    by_reason: BTreeMap<String, u64>,
    first_rows: Vec<String>,
    problems: Vec<Problem>,
}

/// A column, and how many rows have something there.
struct Filled {
    name: String,
    /// The name as names are compared.
    key: String,
    fills: Vec<&'static str>,
    column: Option<&'static str>,
    filled: u64,
    /// It is shown though no row has anything there.
    is_named: bool,
    /// What the nesting tells, under no name of the dump.
    is_synthetic: bool,
    /// It has no slot: rows have it under its own name in `extra`.
    is_stray: bool,
}

impl Filled {
    /// Whether it is a column of the dump: one that only the nesting fills is none.
    fn is_shown(&self) -> bool {
        self.is_named || (self.filled > 0 && !self.is_synthetic)
    }
}

/// Names without a slot that are counted; hostile dumps have a new one in every record.
const MOST_STRAYS: usize = 1000;

impl Findings {
    fn add(&mut self, batch: &Batch) -> Result<()> {
        self.enter(&batch.layout);
        let rows = batch.rows.num_rows();
        if let Some((layout, columns)) = &self.layout {
            for (slot, &at) in columns.iter().enumerate() {
                self.columns[at].filled += rows as u64 - empty(batch, layout, slot);
            }
        }
        self.add_strays(batch);
        if let Some((min, max)) = starts(&batch.rows) {
            let (earliest, latest) = self.starts.unwrap_or((min, max));
            self.starts = Some((earliest.min(min), latest.max(max)));
        }
        let wanted = SHOWN.saturating_sub(self.first_rows.len()).min(rows);
        self.first_rows.extend(json_rows(&batch.rows.slice(0, wanted))?);
        self.count_rejects(batch);
        self.rows += rows as u64;
        self.records += batch.counts.records;
        self.lines += batch.counts.lines;
        Ok(())
    }

    /// Counts what stands under names that have no slot.
    fn add_strays(&mut self, batch: &Batch) {
        if batch.layout.format.keys().is_empty() {
            return;
        }
        let extra = batch.rows.column(Column::Extra as usize).as_map();
        for name in extra.keys().as_string::<i32>().iter().flatten() {
            match self.columns.iter().position(|column| column.name == name) {
                Some(known) => self.columns[known].filled += u64::from(self.columns[known].is_stray),
                None if self.columns.len() >= batch.layout.slots() + MOST_STRAYS => {}
                None => self.columns.push(Filled {
                    name: name.to_string(),
                    key: name.to_string(),
                    fills: vec![Column::Extra.name()],
                    column: Some(Column::Extra.name()),
                    filled: 1,
                    is_named: true,
                    is_synthetic: false,
                    is_stray: true,
                }),
            }
        }
    }

    /// Finds the columns of a layout, which is that of the block before in nearly all cases.
    fn enter(&mut self, layout: &Arc<Layout>) {
        if self.layout.as_ref().is_some_and(|(last, _)| Arc::ptr_eq(last, layout)) {
            return;
        }
        let mut columns = Vec::with_capacity(layout.slots());
        for (slot, name) in layout.names.iter().enumerate() {
            let key = crate::format::normalise(name);
            let known = self.columns.iter().position(|known| known.key == key);
            columns.push(known.unwrap_or(self.columns.len()));
            if known.is_none() {
                self.columns.push(Filled {
                    name: name.clone(),
                    key,
                    fills: fills(layout, slot),
                    column: taker(layout, slot).map(Column::name).or_else(|| left_over(layout, slot)),
                    filled: 0,
                    is_named: layout.is_named(slot),
                    is_synthetic: layout.is_synthetic(slot),
                    is_stray: false,
                });
            }
        }
        self.layout = Some((layout.clone(), columns));
    }

    fn count_rejects(&mut self, batch: &Batch) {
        for reject in &batch.rejects {
            *self.by_reason.entry(reject.reason.name().to_string()).or_insert(0) += 1;
        }
        let problem = |reject: &Reject| Problem {
            record: self.records + reject.number + 1,
            line: self.lines + reject.line + 1,
            reason: reject.reason.name(),
            field: reject.field.as_deref().map(str::to_string),
            message: reject.message.to_string(),
        };
        let wanted = SHOWN.saturating_sub(self.problems.len());
        self.problems.extend(batch.rejects.iter().take(wanted).map(problem));
    }

    /// All that is known of the input.
    fn of(self, report: InputReport, times: TimeKind) -> Result<Inspected> {
        let found = |column: Filled| Found {
            nulls: self.rows - column.filled,
            name: column.name,
            column: column.column,
            fills: column.fills,
        };
        let shown = |time: Option<i64>| time.map(|time| time_text(time, times)).transpose();
        Ok(Inspected {
            columns: self.columns.into_iter().filter(Filled::is_shown).map(found).collect(),
            start_min: shown(self.starts.map(|(earliest, _)| earliest))?,
            start_max: shown(self.starts.map(|(_, latest)| latest))?,
            by_reason: self.by_reason,
            first_rows: self.first_rows,
            problems: self.problems,
            report,
        })
    }
}

/// How many rows of a batch have nothing in a slot: where a column is filled by it alone, the nulls
/// of that (a zero date is one), else the empty texts.
fn empty(batch: &Batch, layout: &Layout, slot: usize) -> u64 {
    let alone = taker(layout, slot).filter(|column| {
        let sources = layout.sources(*column);
        sources.len() == 1 && is_whole(&sources[0].take)
    });
    match alone {
        Some(column) => batch.rows.column(column as usize).logical_null_count() as u64,
        None => batch.empty.get(slot).copied().unwrap_or(0),
    }
}

/// The unified column that stands for a slot: that of its own name, else one that takes it as it
/// stands, else one that takes a part. What kind of call it was is only told by it.
fn taker(layout: &Layout, slot: usize) -> Option<Column> {
    let rank = |(column, rank): &(Column, usize)| {
        let whole = is_whole(&layout.sources(*column)[*rank].take);
        let same_name = crate::format::normalise(column.name()) == layout.normalised[slot];
        (!whole, !same_name, *column == Column::CallType, *rank)
    };
    layout.readers(slot).min_by_key(rank).map(|(column, _)| column)
}

fn is_whole(take: &Take) -> bool {
    matches!(take, Take::Whole | Take::Clock | Take::Gregorian(None) | Take::Epoch(None))
}

/// Where a slot goes that no column takes.
fn left_over(layout: &Layout, slot: usize) -> Option<&'static str> {
    (layout.residue(slot) == Residue::Always).then(|| Column::Extra.name())
}

fn fills(layout: &Layout, slot: usize) -> Vec<&'static str> {
    let mut fills: Vec<&str> = layout.readers(slot).map(|(column, _)| column.name()).collect();
    fills.extend(left_over(layout, slot));
    fills.dedup();
    fills
}

fn starts(rows: &RecordBatch) -> Option<(i64, i64)> {
    let starts = rows.column(Column::Start as usize).as_primitive::<TimestampMicrosecondType>();
    let known = || starts.iter().flatten();
    Some((known().min()?, known().max()?))
}

/// Rows as lines of JSON.
fn json_rows(rows: &RecordBatch) -> Result<Vec<String>> {
    let mut text = Vec::new();
    text_jsonl::rows(rows, &mut text)?;
    Ok(String::from_utf8_lossy(&text).lines().map(str::to_string).collect())
}

/// Lines of JSON as what they say.
fn objects<S: Serializer>(lines: &[String], serializer: S) -> std::result::Result<S::Ok, S::Error> {
    let mut objects = serializer.serialize_seq(Some(lines.len()))?;
    for line in lines {
        let object: Value = serde_json::from_str(line).map_err(S::Error::custom)?;
        objects.serialize_element(&object)?;
    }
    objects.end()
}

/// A time as the text outputs write it.
fn time_text(time: i64, times: TimeKind) -> Result<String> {
    let zone = (times == TimeKind::Instant).then_some("UTC");
    let array = TimestampMicrosecondArray::from(vec![time]).with_timezone_opt(zone);
    let rows = RecordBatch::try_new(project(&[Column::Start], times), vec![Arc::new(array)]);
    let lines = json_rows(&rows.expect("the column is of the schema's type"))?;
    let row: Value = serde_json::from_str(&lines[0]).expect("it was just written");
    Ok(row[Column::Start.name()].as_str().unwrap_or_default().to_string())
}
