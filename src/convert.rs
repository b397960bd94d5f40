//! The main job: dumps → one typed dataset, with everything that is promised about it.
//!
//! ```text
//!   pipeline ──▶ batches in order ──▶ sink, rejects, counts ──▶ verdict ──▶ publish
//! ```
//!
//! Rejects and report are published in every outcome, first; the output only if the verdict allows.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use crate::append::{self, append, manifest_of};
use crate::error::{Error, ErrorKind, Result};
use crate::filter::Context;
use crate::manifest::Print;
use crate::options::Options;
use crate::output::{self, Output, Written, columns_read};
use crate::pipeline::{Event, Pipeline, times_of};
use crate::report::{LeftOut, OutputReport, Report, SkippedReport, Totals, peak_memory, rfc3339};
use crate::schema::{self, Column, TimeKind};
use crate::sink::partition::By;
use crate::sink::publish::folder::Folder;
use crate::sink::publish::{Staged, is_same_place};
use crate::sink::{self, Compression, Kind, Out};
use crate::source::inputs::{Input, Inputs, Place, is_same_file};
use crate::tally::Tally;
use crate::workers::{Workers, unbroken};

/// What is to be converted, and how.
///
/// ```
/// use calltable::Column;
/// use calltable::convert::{Exit, Job, convert};
/// use calltable::source::inputs::expand;
///
/// # let folder = tempfile::tempdir()?;
/// # let output = folder.path().join("calls.parquet");
/// let mut job = Job::new(expand(&["testdata/sample/2019"], &[])?, &output)?;
/// job.options.columns = vec![Column::Start, Column::Src, Column::Dst, Column::Billsec];
/// let outcome = convert(job)?;
/// assert_eq!(outcome.exit, Exit::Done);
/// println!("{} rows", outcome.report.totals.counts.written);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Job {
    /// The dumps.
    pub inputs: Inputs,
    /// How they are read.
    pub options: Options,
    /// What its filters took `now` to be, in microseconds since 1970, UTC; for the report.
    pub now: i64,
    /// Where the table goes; standard output if there is no path.
    pub output: Option<PathBuf>,
    /// What the output is.
    pub kind: Kind,
    /// How it is compressed.
    pub compression: Compression,
    /// Rows a row group; at least one.
    pub row_group_rows: usize,
    /// Whether an output that exists is replaced.
    pub overwrite: bool,
    /// Where rejected records go; nowhere if there is no path. A file there is replaced, and removed where
    /// nothing is rejected.
    pub rejects: Option<PathBuf>,
    /// How many rejects are agreed to.
    pub agreed: Agreed,
    /// Where the report goes. A file there is replaced.
    pub report: Option<PathBuf>,
    /// How the output is a folder; without it, it is a file or a stream.
    pub parts: Option<Parts>,
    /// What rows are sorted by, ascending, nulls last; those that are equal stay in order.
    pub sort_by: Vec<Column>,
    /// Whether rows are dropped that equal an earlier one in all columns but `source` and `source_offset`.
    pub dedup: bool,
    /// Threads and memory.
    pub limits: Limits,
    /// What is counted while it runs.
    pub progress: Arc<Progress>,
}

impl Job {
    /// A job with every setting at its default: the output's ending tells its kind, rejects go to the
    /// output's whole name and `.rejects.jsonl`, and there is no report.
    ///
    /// # Errors
    /// Usage: the ending tells no kind.
    pub fn new(inputs: Inputs, output: impl Into<PathBuf>) -> Result<Job> {
        let output = output.into();
        let no_kind = || {
            let kinds = Kind::ALL.map(|(name, _)| name).join(", ");
            Error::usage(format!("{}: the ending tells no kind of output: {kinds}", output.display()))
        };
        let kind = Kind::of_path(&output).ok_or_else(no_kind)?;
        let mut rejects = output.clone().into_os_string();
        rejects.push(".rejects.jsonl");
        Ok(Job {
            progress: Arc::new(Progress::of(&inputs)),
            inputs,
            options: Options::default(),
            now: Context::new().now,
            output: Some(output),
            kind,
            compression: Compression::default(),
            row_group_rows: ROW_GROUP_ROWS,
            overwrite: false,
            rejects: Some(rejects.into()),
            agreed: Agreed::default(),
            report: None,
            parts: None,
            sort_by: Vec::new(),
            dedup: false,
            limits: Limits::default(),
        })
    }
}

/// An output that is a folder of parts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Parts {
    /// What rows are told apart by: folders in the folder.
    pub partition_by: Vec<By>,
    /// Rows of a part at most; at least one.
    pub max_file_rows: Option<u64>,
    /// Whether inputs are added to the folder that is there: those that are not in it.
    pub append: bool,
}

/// Rows in a row group, where the caller says nothing.
const ROW_GROUP_ROWS: usize = 250_000;

/// How many rejects the caller agrees to beforehand.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Agreed {
    /// None, but they do not stop the run.
    #[default]
    Unsaid,
    /// At most so many.
    Count(u64),
    /// At most so many of a hundred records.
    Percent(f64),
    /// Neither a reject nor a failed input.
    Strict,
}

/// Threads, and the resident memory that they are planned for.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Worker threads.
    pub threads: usize,
    /// Bytes; at least [`Limits::LEAST_MEMORY`].
    pub memory: u64,
}

impl Limits {
    /// The least memory that can be asked for: 64 MiB.
    pub const LEAST_MEMORY: u64 = 64 << 20;

    /// What the process holds besides blocks: code, an open row group and the one being finished,
    /// and what the allocator keeps.
    const BASE: u64 = 144 << 20;

    /// What one block and its columns hold, at most times.
    const PER_BLOCK: u64 = 8 << 20;

    /// How many blocks may be in flight: in the pipeline, and before the sink. More than a few a
    /// thread gain nothing, and cost the processor's cache.
    pub(crate) fn blocks(&self) -> (u64, usize) {
        let blocks = self.memory.saturating_sub(Limits::BASE) / Limits::PER_BLOCK;
        let most = 3 * self.threads.max(2) as u64;
        let each = (blocks / 2).clamp(2, most);
        (each, each as usize)
    }
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            threads: std::thread::available_parallelism().map_or(1, |cores| cores.get()),
            memory: 256 << 20,
        }
    }
}

/// Counters that go up while a job runs, and the caller's wish that it end.
#[derive(Debug, Default)]
pub struct Progress {
    /// Bytes of all inputs; nothing where that is not known beforehand, as of a pipe. The jobs only count: this
    /// is for whoever shows how far they are.
    pub total_bytes: Option<u64>,
    /// Bytes read.
    pub bytes: Arc<AtomicU64>,
    /// Rows written.
    pub rows: AtomicU64,
    /// Whether the job is to end, with nothing published; it looks between blocks. See [`Progress::stop`].
    pub is_stopped: Arc<AtomicBool>,
}

impl Progress {
    /// Nothing counted yet, of these inputs; their sizes are looked up.
    pub fn of(inputs: &Inputs) -> Progress {
        Progress { total_bytes: inputs.bytes(), ..Progress::default() }
    }

    /// Asks the job to end: nothing is published, and its error is [`ErrorKind::Stopped`]. One that waits for an
    /// input, as for a pipe, ends when that has given something.
    pub fn stop(&self) {
        self.is_stopped.store(true, Ordering::Relaxed);
    }

    /// An error once the job is to end.
    pub(crate) fn check(&self) -> Result<()> {
        if self.is_stopped.load(Ordering::Relaxed) { Err(Error::stopped()) } else { Ok(()) }
    }
}

/// How a job ended; the program's exit codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Every record is in the output, or was left out as asked, or its reject was agreed to.
    Done = 0,
    /// Failed, or no input could be read at all: nothing published.
    Failed = 1,
    /// Rejects or failures that were not agreed to: nothing published.
    NotAgreed = 3,
    /// Published, but some records were rejected, or some input failed.
    Incomplete = 4,
}

/// What came of a job.
#[derive(Debug)]
pub struct Outcome {
    /// How it ended.
    pub exit: Exit,
    /// What happened.
    pub report: Report,
    /// What was left out in steps of a killed run that this one has gone on from.
    pub carried: LeftOut,
    /// Why nothing is published, if that is for a fault of the output.
    pub error: Option<Error>,
}

/// Converts dumps into one table.
///
/// # Errors
/// Only what can be told before anything is written: wrong usage, and an output that cannot be begun.
/// Whatever happens later is in the [`Outcome`].
pub fn convert(job: Job) -> Result<Outcome> {
    let started = Instant::now();
    check(&job)?;
    check_kinds(&job.inputs, &job.options, job.limits.threads)?;
    match (&job.output, &job.parts) {
        (Some(target), Some(parts)) if parts.append => append(&job, target, started),
        (Some(target), Some(_)) => {
            let folder = Folder::create(target, job.overwrite)?;
            convert_to_folder(&job, folder, started)
        }
        (Some(path), None) => {
            let out = Out::Staged(Box::new(Staged::create(path, job.overwrite)?));
            convert_to_file(&job, out, started)
        }
        (None, _) => convert_to_file(&job, Out::stdout(), started),
    }
}

fn convert_to_file(job: &Job, out: Out, started: Instant) -> Result<Outcome> {
    let mut run = Run::begin(job)?;
    let written = write(job, job.inputs.inputs.clone(), None, output::Place::File(out), &mut run);
    let (out, outputs) = match written {
        Ok(Some((Written { out, outputs, .. }, _))) => (out, Ok(outputs)),
        Ok(None) => (None, Ok(Vec::new())),
        Err(error) => (None, Err(error)),
    };
    publish(job, run, outputs, started, move || out.map_or(Ok(()), |out| out.publish().map(drop)))
}

fn convert_to_folder(job: &Job, folder: Folder, started: Instant) -> Result<Outcome> {
    let mut run = Run::begin(job)?;
    // What cannot be read fails when it is read.
    let prints = job.inputs.inputs.iter().map(|input| Print::of(input).unwrap_or(None)).collect();
    let place = output::Place::Folder(folder.root().into());
    let written = write(job, job.inputs.inputs.clone(), None, place, &mut run).and_then(|written| {
        let Some((written, times)) = written else { return Ok(None) };
        manifest_of(job, prints, &written, times, &run).save(folder.root())?;
        Ok(Some(written.outputs))
    });
    let is_written = matches!(written, Ok(Some(_)));
    let outputs = written.map(Option::unwrap_or_default);
    publish(job, run, outputs, started, move || if is_written { folder.publish() } else { Ok(()) })
}

/// A run, and what it counts.
pub(crate) struct Run {
    pub(crate) tally: Tally,
    workers: Workers,
    /// Inputs that are passed over besides those of walked folders.
    pub(crate) skipped: Vec<SkippedReport>,
    /// What was left out in steps of a run that was killed.
    pub(crate) carried: LeftOut,
}

impl Run {
    pub(crate) fn begin(job: &Job) -> Result<Run> {
        let tally = Tally::new(job.rejects.as_deref());
        Ok(Run {
            tally,
            workers: Workers::new(job.limits.threads)?,
            skipped: Vec::new(),
            carried: LeftOut::default(),
        })
    }
}

/// What cannot be done is told before anything is read or written.
fn check(job: &Job) -> Result<()> {
    job.options.check()?;
    if job.options.columns.is_empty() {
        return Err(Error::usage("a table of no columns is asked for"));
    }
    if job.row_group_rows == 0 {
        return Err(Error::usage("a row group of no rows is asked for"));
    }
    if let Some(column) =
        job.sort_by.iter().find(|column| matches!(column.def().kind, schema::Kind::List | schema::Kind::Map))
    {
        return Err(Error::usage(format!("--sort-by {}: a list has no order to sort by", column.name())));
    }
    if let Some(parts) = &job.parts {
        check_parts(job, parts)?;
    }
    check_places(job)
}

/// A folder can be what is asked for.
fn check_parts(job: &Job, parts: &Parts) -> Result<()> {
    let Some(target) = &job.output else {
        return Err(Error::usage("parts are asked for of standard output, which is no folder"));
    };
    if parts.max_file_rows == Some(0) {
        return Err(Error::usage("parts of no rows are asked for"));
    }
    let is_in_folders = |column: &Column| parts.partition_by.contains(&By::Column(*column));
    if job.options.columns.iter().all(is_in_folders) {
        return Err(Error::usage(
            "all columns stand in the names of folders, and none is left for the files",
        ));
    }
    match parts.append {
        true if job.overwrite => Err(Error::usage("a folder is either added to or replaced")),
        true => append::check(job, target),
        false => Folder::check(target, job.overwrite),
    }
}

/// Output, rejects and report can be written where they go, and replace neither an input nor each other.
fn check_places(job: &Job) -> Result<()> {
    let all = [("the output", &job.output), ("the rejects", &job.rejects), ("the report", &job.report)];
    let places: Vec<(&str, &Path)> =
        all.into_iter().filter_map(|(what, path)| Some((what, path.as_deref()?))).collect();
    for (at, (what, path)) in places.iter().enumerate() {
        if *what == "the output" && job.parts.is_some() {
            check_holds_none(path, &job.inputs)?;
            continue;
        }
        Staged::check(path)?;
        let clash =
            |with: &str| Err(Error::usage(format!("{}: {what} would replace {with}", path.display())));
        if let Some((other, _)) = places[..at].iter().find(|(_, other)| is_same_place(path, other)) {
            return clash(other);
        }
        let is_there = path.is_file();
        let is_it = |input: &&Input| matches!(&input.place, Place::File(input) if is_there && is_same_file(input, path));
        if let Some(input) = job.inputs.inputs.iter().find(is_it) {
            return clash(&format!("the input {}", input.name));
        }
    }
    Ok(())
}

/// A folder that is replaced or added to must not have an input in it.
fn check_holds_none(folder: &Path, inputs: &Inputs) -> Result<()> {
    let Ok(end) = folder.canonicalize() else { return Ok(()) };
    let is_within = |input: &&Input| match &input.place {
        Place::File(path) => path.canonicalize().is_ok_and(|path| path.starts_with(&end)),
        Place::Stdin | Place::Brought(_) => false,
    };
    match inputs.inputs.iter().find(is_within) {
        None => Ok(()),
        Some(input) => Err(Error::usage(format!(
            "{}: the input {} is in it: name another folder",
            folder.display(),
            input.name
        ))),
    }
}

/// A dump of the other kind of times is told before the start, where files can be looked at.
pub(crate) fn check_kinds(inputs: &Inputs, options: &Options, threads: usize) -> Result<()> {
    if options.zone.is_some() || inputs.inputs.len() < 2 {
        return Ok(());
    }
    let look = |input: &Input| match &input.place {
        // What fails here fails again where it is read, and is told there.
        Place::File(path) if path.is_file() => unbroken(|| times_of(input, options)).ok().flatten(),
        _ => None,
    };
    let found = Workers::new(threads)?.each(&inputs.inputs, look);
    let mut first = None;
    for (input, times) in inputs.inputs.iter().zip(found) {
        let Some(times) = times else { continue };
        match first {
            None => first = Some((times, input)),
            Some((before, _)) if before == times => {}
            Some((_, other)) => {
                return Err(Error::usage(format!(
                    "{} and {}: one has wall-clock times without a zone, the other instants; --timezone makes instants of all",
                    other.name, input.name
                )));
            }
        }
    }
    Ok(())
}

/// Writes all rows of these inputs, and comes back with what the table's times are. An output is only finished if the
/// verdict will allow to publish it.
pub(crate) fn write(
    job: &Job,
    inputs: Vec<Input>,
    times: Option<TimeKind>,
    place: output::Place,
    run: &mut Run,
) -> Result<Option<(Written, TimeKind)>> {
    let workers = run.workers.clone();
    workers.lead(|| write_all(job, inputs, times, place, run))
}

fn appends(job: &Job) -> bool {
    job.parts.as_ref().is_some_and(|parts| parts.append)
}

fn write_all(
    job: &Job,
    inputs: Vec<Input>,
    times: Option<TimeKind>,
    place: output::Place,
    run: &mut Run,
) -> Result<Option<(Written, TimeKind)>> {
    let (queued, _) = job.limits.blocks();
    let options = Arc::new(Options { columns: columns_read(job), ..job.options.clone() });
    let limit = queued * crate::split::BLOCK as u64;
    let mut pipeline = Pipeline::new(inputs, options, run.workers.clone(), limit, job.progress.clone());
    pipeline = pipeline.with_times(times);
    let is_arranged = job.dedup || !job.sort_by.is_empty();
    if !is_arranged && sink::parquet::takes_prepared(job.kind, job.compression) {
        pipeline = pipeline.prepared();
    }
    let is_first = times.is_none();
    let schema = pipeline.schema();
    // A dataset of empty files leaves it to the first dump what its times are.
    let even_without_rows = is_first && (pipeline.is_decided() || !appends(job));
    let times = pipeline.times();
    let mut output = Output::begin(job, place, schema, &run.workers)?;
    let before = run.tally.begun();
    for event in &mut pipeline {
        let event = event.behind(before);
        let mut duplicates = None;
        if let Event::Batch(at, batch) = &event {
            duplicates = Some((*at, output.write(*at, batch)?));
            job.progress.rows.fetch_add(batch.rows.num_rows() as u64, Ordering::Relaxed);
        }
        run.tally.add(event)?;
        duplicates.into_iter().for_each(|(at, rows)| run.tally.duplicates(at, rows));
    }
    job.progress.check()?;
    if !matches!(run.tally.verdict(job.agreed), Exit::Done | Exit::Incomplete) {
        return Ok(None);
    }
    let written = output.finish(even_without_rows, &job.progress)?;
    job.progress.check()?;
    written.duplicates.iter().for_each(|(at, rows)| run.tally.duplicates(*at, *rows));
    Ok(Some((written, times)))
}

/// The exit code that these counts mean.
pub(crate) fn judge(read_nothing: bool, failed: u64, records: u64, rejected: u64, agreed: Agreed) -> Exit {
    let (too_many, agreed_to) = match agreed {
        Agreed::Unsaid => (false, rejected == 0),
        Agreed::Count(most) => (rejected > most, true),
        Agreed::Percent(most) => (rejected as f64 * 100.0 > most * records as f64, true),
        Agreed::Strict => (rejected > 0 || failed > 0, true),
    };
    match () {
        () if read_nothing && agreed != Agreed::Strict => Exit::Failed,
        () if too_many => Exit::NotAgreed,
        () if failed > 0 || !agreed_to => Exit::Incomplete,
        () => Exit::Done,
    }
}

/// Publishes rejects and report, then the output.
fn publish(
    job: &Job,
    run: Run,
    outputs: Result<Vec<OutputReport>>,
    started: Instant,
    appear: impl FnOnce() -> Result<()>,
) -> Result<Outcome> {
    let mut outcome = publish_report(job, run, outputs, started)?;
    if outcome.error.is_some() || !matches!(outcome.exit, Exit::Done | Exit::Incomplete) {
        return Ok(outcome);
    }
    if let Err(error) = appear() {
        // The report came first, and said that it would be there.
        outcome.report.outputs.clear();
        job.report.iter().for_each(|path| drop(write_report(path, &outcome.report)));
        (outcome.exit, outcome.error) = (Exit::Failed, Some(error));
    }
    Ok(outcome)
}

/// Publishes the rejects and the report of a run that has written this.
pub(crate) fn publish_report(
    job: &Job,
    run: Run,
    outputs: Result<Vec<OutputReport>>,
    started: Instant,
) -> Result<Outcome> {
    let exit = run.verdict(job.agreed);
    let (outputs, mut error) = match outputs {
        Ok(outputs) => (outputs, None),
        Err(error) if error.kind() == ErrorKind::Usage => return Err(error),
        Err(error) => (Vec::new(), Some(error)),
    };
    let passed_over = job.inputs.skipped.iter().map(SkippedReport::from).chain(run.skipped);
    let mut report = Report {
        skipped: passed_over.collect(),
        threads: run.workers.threads(),
        now: rfc3339(job.now),
        version: env!("CARGO_PKG_VERSION").to_string(),
        ..Report::default()
    };
    // A reject that is lost is a record that is lost.
    let rejects = run.tally.finish(&mut report);
    error = error.or(rejects.err());
    report.totals = Totals::of(&report.inputs);
    if error.is_none() && matches!(exit, Exit::Done | Exit::Incomplete) {
        report.outputs = outputs;
    }
    report.seconds = started.elapsed().as_secs_f64();
    report.peak_memory_bytes = peak_memory();
    if let Some(path) = &job.report {
        error = error.or(write_report(path, &report).err());
    }
    let exit = if error.is_some() { Exit::Failed } else { exit };
    Ok(Outcome { exit, report, carried: run.carried, error })
}

fn write_report(path: &Path, report: &Report) -> Result<()> {
    let mut text = serde_json::to_vec_pretty(report).map_err(|error| Error::output(path, error))?;
    text.push(b'\n');
    let mut staged = Staged::create(path, true)?;
    staged.append(&text)?;
    staged.publish().map(drop)
}
