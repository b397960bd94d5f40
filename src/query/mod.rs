//! Answers a PBX's request from dumps and archives, as the PBX would.
//!
//! ```text
//!  dumps ──▶ pipeline ──╮
//!                       ├──▶ which rows match ──▶ calls, page ──▶ answer
//!  archives ────────────╯
//! ```
//!
//! It wires inputs, filter and answer; what a page is stands in `plan.rs`, how it is written in
//! `writer.rs`. It must not know what was typed, nor what any vendor writes.

mod held;
mod plan;
mod sorted;
mod writer;

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use arrow::array::{BooleanArray, RecordBatch};

use crate::answer::{Facts, Row, Table};
use crate::archive::{Archive, Asked, Groups, is_archive};
use crate::convert::{Agreed, Exit, Limits, Progress};
use crate::error::{Error, Result};
use crate::filter::{Context, Filter, FilterError, request};
use crate::options::{Options, Wanted};
use crate::pipeline::{Event, Pipeline, times_of};
use crate::report::{Report, SkippedReport, Totals, peak_memory, rfc3339};
use crate::schema::Column;
use crate::source::inputs::{Brought, Input, Inputs, Place};
use crate::source::magic::{Looks, looks_like};
use crate::source::{self, Opened};
use crate::split::BLOCK;
use crate::tally::Tally;
use crate::time::Zone;
use crate::workers::Workers;
use plan::Plan;
use writer::Writer;

/// A request, and what is to answer it.
///
/// ```
/// use calltable::filter::{Context, Filter};
/// use calltable::query::{Job, query};
/// use calltable::source::inputs::expand_with_archives;
///
/// let filter = Filter::parse_query("cdrapi?format=json&minDur=8", &Context::new())?;
/// let job = Job::new(expand_with_archives(&["testdata/sample/2024"])?, filter);
/// let mut answer = Vec::new();
/// let outcome = query(job, &mut answer)?;
/// println!("{} calls: {}", outcome.facts.answered, String::from_utf8(answer)?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Job {
    /// Dumps and archives.
    pub inputs: Inputs,
    /// What is asked: a request, not SQL.
    pub filter: Filter,
    /// What the request took `now` to be, in microseconds since 1970, UTC; for the report.
    pub now: i64,
    /// What the caller takes.
    pub accept: Accept,
    /// How dumps are read; which columns and which records of a call is for the answer to say.
    pub options: Options,
    /// Threads and memory.
    pub limits: Limits,
    /// What is counted while it runs.
    pub progress: Arc<Progress>,
    /// Whether row groups of archives are left out by their statistics. The answer is the same without.
    pub skip_row_groups: bool,
}

impl Job {
    /// A job with every setting at its default.
    pub fn new(inputs: Inputs, filter: Filter) -> Job {
        Job {
            progress: Arc::new(Progress::of(&inputs)),
            inputs,
            filter,
            now: Context::new().now,
            accept: Accept::default(),
            options: Options::default(),
            limits: Limits::default(),
            skip_row_groups: true,
        }
    }
}

/// What a caller of a PBX takes, where the PBX would ask.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Accept {
    /// The vendor's own: `application/json`, `*/*`.
    #[default]
    Any,
    /// `application/octet-stream`: a Kazoo's CSV.
    OctetStream,
}

/// What came of a request.
#[derive(Debug)]
pub struct Outcome {
    /// How it ended, as `convert` would.
    pub exit: Exit,
    /// How many records matched and were answered.
    pub facts: Facts,
    /// What is wrong with the request: the answer is the empty container.
    pub wrong: Option<FilterError>,
    /// What happened to the inputs, as far as they were read: an answer that is full reads no further.
    pub report: Report,
    /// Row groups of the archives, and how many were read.
    pub groups: Groups,
    /// Calls that were too long to be held, and were cut in two.
    pub cut: u64,
}

/// What a PBX answers to a request that is wrong: the empty container. Nothing where the text is no request
/// to any PBX.
///
/// # Errors
/// Usage: `accept` is not what that PBX gives.
pub fn empty(request: &str, accept: Accept) -> Result<Option<Vec<u8>>> {
    let container = request::container(request);
    container.map(|container| Ok(plan::shape(container, accept)?.empty())).transpose()
}

/// Answers a request.
///
/// # Errors
/// Usage, before anything is read; the answer cannot be written; the caller wanted an end.
pub fn query(job: Job, out: &mut dyn Write) -> Result<Outcome> {
    let started = Instant::now();
    if job.options.zone == Some(Zone::Auto) {
        return Err(Error::usage("an answer shows the clock of the PBX: name its zone, auto is none"));
    }
    let plan = match Plan::of(&job.filter, job.accept)? {
        Ok(plan) => plan,
        Err(wrong) => return answer_nothing(&job, wrong, out),
    };
    let mut run = Run::new(&job, plan, out)?;
    run.read()?;
    run.finish(started)
}

fn answer_nothing(job: &Job, wrong: FilterError, out: &mut dyn Write) -> Result<Outcome> {
    let container = job.filter.request().map(|request| request.container());
    let shape = container.map(|container| plan::shape(container, job.accept)).transpose()?;
    let text = shape.map(|shape| shape.empty()).unwrap_or_default();
    out.write_all(&text).and_then(|()| out.flush()).map_err(writer::unwritten)?;
    Ok(Outcome {
        exit: Exit::Done,
        facts: Facts::default(),
        wrong: Some(wrong),
        report: Report::default(),
        groups: Groups::default(),
        cut: 0,
    })
}

/// A request that is being answered.
struct Run<'r> {
    job: &'r Job,
    writer: Writer<'r>,
    tally: Tally,
    workers: Workers,
    options: Arc<Options>,
    whole_calls: bool,
    legs_only: bool,
    groups: Groups,
}

/// An input whose first bytes were looked at.
enum Seen {
    /// Dumps, which follow one another and whose times are of one kind.
    Dumps(Vec<Input>),
    Archive(Input, Box<Opened>, Looks),
}

impl<'r> Run<'r> {
    fn new(job: &'r Job, plan: Plan, out: &'r mut dyn Write) -> Result<Run<'r>> {
        let whole_calls = plan.shape.whole_calls;
        let mut columns = plan.shape.columns();
        columns.extend(plan.sort.map(|(column, _)| column));
        // Rows are left out where they are read; of a call only its other rows tell whether it matters.
        let filters = if whole_calls { Vec::new() } else { vec![job.filter.clone()] };
        if whole_calls {
            columns.extend(job.filter.columns());
        }
        columns.sort_unstable();
        columns.dedup();
        // A UCM's CSV has the legs of a call; a call that is answered whole has all its records.
        let legs_only = plan.shape.legs_only;
        let records = if legs_only { Wanted::Legs } else { Wanted::All };
        let options = Options { columns, records, filters, ..job.options.clone() };
        options.check()?;
        Ok(Run {
            job,
            writer: Writer::new(plan, job.options.zone, job.limits.memory, out),
            tally: Tally::new(None),
            workers: Workers::new(job.limits.threads)?,
            options: Arc::new(options),
            whole_calls,
            legs_only,
            groups: Groups::default(),
        })
    }

    /// Reads the inputs, as far as the answer needs them.
    fn read(&mut self) -> Result<()> {
        let inputs = &self.job.inputs.inputs;
        let mut at = 0;
        while at < inputs.len() && !self.writer.is_full() {
            let (seen, count) = self.look(at);
            match seen {
                Ok(Seen::Dumps(dumps)) => self.dumps(dumps)?,
                Ok(Seen::Archive(input, opened, looks)) => self.archive(&input, *opened, looks)?,
                Err(error) => self.tally.other(&inputs[at].name, 0, Some(error)),
            }
            at += count;
        }
        Ok(())
    }

    /// Looks at the input there, and at those behind it that can be read in one go.
    fn look(&self, at: usize) -> (Result<Seen>, usize) {
        let inputs = &self.job.inputs.inputs;
        let input = inputs[at].clone();
        let is_file = |input: &Input| matches!(&input.place, Place::File(path) if path.is_file());
        let opened = match source::open(&input) {
            Ok(opened) => opened,
            Err(error) => return (Err(error), 1),
        };
        let looks = looks_like(&opened.head);
        if is_archive(looks) {
            return (Ok(Seen::Archive(input, Box::new(opened), looks)), 1);
        }
        if !is_file(&input) {
            // What was read of it stands before the rest again.
            let place = Place::Brought(Brought::new(opened.reader));
            return (Ok(Seen::Dumps(vec![Input { place, ..input }])), 1);
        }
        let times = times_of(&input, &self.options);
        let alike = |input: &&Input| {
            is_file(input)
                && source::open(input).is_ok_and(|opened| !is_archive(looks_like(&opened.head)))
                && times_of(input, &self.options) == times
        };
        let more = inputs[at + 1..].iter().take(MOST_AT_ONCE).take_while(alike).cloned();
        let dumps: Vec<Input> = std::iter::once(input).chain(more).collect();
        let count = dumps.len();
        (Ok(Seen::Dumps(dumps)), count)
    }

    fn dumps(&mut self, dumps: Vec<Input>) -> Result<()> {
        let before = self.tally.begun();
        let limit = self.job.limits.blocks().0 * BLOCK as u64;
        let (options, workers) = (self.options.clone(), self.workers.clone());
        let pipeline = Pipeline::new(dumps, options, workers, limit, self.job.progress.clone()).unpaged();
        for event in pipeline {
            if let Event::Batch(_, batch) = &event {
                let matches = || self.job.filter.matches(&batch.rows, self.options.zone.as_ref());
                let matching = self.whole_calls.then(matches).transpose()?;
                self.writer.rows(&batch.rows, matching.as_ref(), true)?;
                self.job.progress.rows.fetch_add(batch.rows.num_rows() as u64, Ordering::Relaxed);
            }
            self.tally.add(event.behind(before))?;
            if self.writer.is_full() {
                return Ok(());
            }
        }
        self.job.progress.check()
    }

    fn archive(&mut self, input: &Input, opened: Opened, looks: Looks) -> Result<()> {
        let size = opened.size.unwrap_or(0);
        let condition = match self.job.skip_row_groups {
            true => self.job.filter.expr().clone(),
            false => crate::filter::Expr::Always(Some(true)),
        };
        let mut columns = self.options.columns.clone();
        columns.extend(self.job.filter.columns());
        columns.extend(self.legs_only.then_some(Column::RecordKind));
        columns.sort_unstable();
        columns.dedup();
        let mut needed = self.job.filter.columns();
        needed.extend(self.legs_only.then_some(Column::RecordKind));
        needed.extend(self.whole_calls.then_some(Column::CallId));
        let asked =
            Asked { columns, needed, condition, zone: self.options.zone, whole_calls: self.whole_calls };
        let mut archive = match Archive::open(input, opened, looks, asked) {
            Ok(archive) => archive,
            Err(error) => {
                self.tally.other(&input.name, 0, Some(error));
                return Ok(());
            }
        };
        self.groups.all += archive.groups.all;
        self.groups.read += archive.groups.read;
        let mut fault = None;
        while !self.writer.is_full()
            && let Some(part) = archive.next()
        {
            self.job.progress.check()?;
            match part {
                Ok(part) => {
                    let matching = self.matching(&part.rows)?;
                    self.writer.rows(&part.rows, Some(&matching), part.follows)?;
                    self.job.progress.rows.fetch_add(part.rows.num_rows() as u64, Ordering::Relaxed);
                }
                Err(error) => fault = Some(error),
            }
        }
        self.job.progress.bytes.fetch_add(size, Ordering::Relaxed);
        self.tally.other(&input.name, archive.rows, fault);
        Ok(())
    }

    /// Which rows of an archive match; main records do not, where legs alone are answered.
    fn matching(&self, rows: &RecordBatch) -> Result<BooleanArray> {
        let matching = self.job.filter.matches(rows, self.options.zone.as_ref())?;
        if !self.legs_only {
            return Ok(matching);
        }
        let table = Table::new(rows, None)?;
        let is_main = |row: Row<'_>| row.text(Column::RecordKind).as_deref() == Some("main");
        Ok(table
            .rows()
            .zip(matching.values().iter())
            .map(|(row, matches)| Some(matches && !is_main(row)))
            .collect())
    }

    fn finish(self, started: Instant) -> Result<Outcome> {
        let cut = self.writer.cut;
        let exit = self.tally.verdict(Agreed::Unsaid);
        // Where nothing could be read, there is no answer, not even an empty one.
        let facts = if exit == Exit::Failed { Facts::default() } else { self.writer.finish()? };
        let mut report = Report {
            skipped: self.job.inputs.skipped.iter().map(SkippedReport::from).collect(),
            threads: self.workers.threads(),
            now: rfc3339(self.job.now),
            version: env!("CARGO_PKG_VERSION").to_string(),
            ..Report::default()
        };
        self.tally.finish(&mut report)?;
        report.totals = Totals::of(&report.inputs);
        report.seconds = started.elapsed().as_secs_f64();
        report.peak_memory_bytes = peak_memory();
        Ok(Outcome { exit, facts, wrong: None, report, groups: self.groups, cut })
    }
}

/// Dumps that are looked at before the first of them is read.
const MOST_AT_ONCE: usize = 64;

#[cfg(test)]
mod tests;
