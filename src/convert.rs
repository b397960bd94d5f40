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

use crate::error::{Error, ErrorKind, Result};
use crate::filter::Context;
use crate::options::Options;
use crate::pipeline::{Event, Pipeline, times_of};
use crate::report::{OutputReport, Report, SkippedReport, Totals, peak_memory, rfc3339};
use crate::sink::publish::{Staged, is_same_place};
use crate::sink::{self, Compression, Kind, Out, STDOUT, Sink, Spec};
use crate::source::inputs::{Input, Inputs, Place, is_same_file};
use crate::tally::Tally;
use crate::workers::Workers;

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
            limits: Limits::default(),
        })
    }
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
    check_kinds(&job.inputs, &job.options)?;
    let out = match &job.output {
        Some(path) => Out::Staged(Box::new(Staged::create(path, job.overwrite)?)),
        None => Out::stdout(),
    };
    let mut tally = Tally::new(job.rejects.as_deref());
    let workers = Workers::new(job.limits.threads)?;
    let written = write(&job, out, &workers, &mut tally);
    let mut report = Report {
        skipped: job.inputs.skipped.iter().map(SkippedReport::from).collect(),
        threads: workers.threads(),
        now: rfc3339(job.now),
        version: env!("CARGO_PKG_VERSION").to_string(),
        ..Report::default()
    };
    let exit = tally.verdict(job.agreed);
    let rejects = tally.finish(&mut report);
    report.totals = Totals::of(&report.inputs);
    publish(&job, written, rejects, exit, report, started)
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
    check_places(job)
}

/// Output, rejects and report can be written where they go, and replace neither an input nor each other.
fn check_places(job: &Job) -> Result<()> {
    let all = [("the output", &job.output), ("the rejects", &job.rejects), ("the report", &job.report)];
    let places: Vec<(&str, &Path)> =
        all.into_iter().filter_map(|(what, path)| Some((what, path.as_deref()?))).collect();
    for (at, (what, path)) in places.iter().enumerate() {
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

/// A dump of the other kind of times is told before the start, where files can be looked at.
pub(crate) fn check_kinds(inputs: &Inputs, options: &Options) -> Result<()> {
    if options.zone.is_some() || inputs.inputs.len() < 2 {
        return Ok(());
    }
    let mut first = None;
    for input in
        inputs.inputs.iter().filter(|input| matches!(&input.place, Place::File(path) if path.is_file()))
    {
        let Some(times) = times_of(input, options) else { continue };
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

/// A finished output that is not published yet.
struct Written {
    out: Out,
    row_groups: u64,
}

/// Writes all rows; an output is only finished if the verdict will allow to publish it.
fn write(job: &Job, out: Out, workers: &Workers, tally: &mut Tally) -> Result<Option<Written>> {
    let (queued, waiting) = job.limits.blocks();
    let options = Arc::new(job.options.clone());
    let limit = queued * crate::split::BLOCK as u64;
    let mut pipeline =
        Pipeline::new(job.inputs.inputs.clone(), options, workers.clone(), limit, job.progress.clone());
    if sink::parquet::takes_prepared(job.kind, job.compression) {
        pipeline = pipeline.prepared();
    }
    let spec = Spec {
        path: job.output.clone().unwrap_or_else(|| PathBuf::from(STDOUT)),
        kind: job.kind,
        compression: job.compression,
        row_group_rows: job.row_group_rows,
        metadata: job.options.describe(),
    };
    let schema = pipeline.schema();
    let mut sink: Box<dyn Sink> = sink::open(out, &spec, schema, workers, waiting)?;
    for event in &mut pipeline {
        if let Event::Batch(_, batch) = &event {
            sink.write(&batch.rows, &batch.prepared, batch.text_bytes)?;
            job.progress.rows.fetch_add(batch.rows.num_rows() as u64, Ordering::Relaxed);
        }
        tally.add(event)?;
    }
    job.progress.check()?;
    if !matches!(tally.verdict(job.agreed), Exit::Done | Exit::Incomplete) {
        return Ok(None);
    }
    let (out, row_groups) = sink.finish()?;
    job.progress.check()?;
    Ok(Some(Written { out, row_groups }))
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
    written: Result<Option<Written>>,
    rejects: Result<()>,
    exit: Exit,
    mut report: Report,
    started: Instant,
) -> Result<Outcome> {
    let path = job.output.as_deref().unwrap_or(Path::new("-"));
    let (written, mut error) = match written {
        Ok(written) => (written, None),
        Err(error) if error.kind() == ErrorKind::Usage => return Err(error),
        Err(error) => (None, Some(error)),
    };
    // A reject that is lost is a record that is lost.
    error = error.or(rejects.err());
    let publishable = written.filter(|_| error.is_none() && matches!(exit, Exit::Done | Exit::Incomplete));
    if let Some(Written { out, row_groups }) = &publishable {
        report.outputs.push(OutputReport {
            path: path.display().to_string(),
            rows: report.totals.counts.written,
            bytes: out.bytes().unwrap_or(0),
            row_groups: *row_groups,
        });
    }
    report.seconds = started.elapsed().as_secs_f64();
    report.peak_memory_bytes = peak_memory();
    if let Some(path) = &job.report {
        error = error.or(write_report(path, &report).err());
    }
    if error.is_none()
        && let Some(Written { out, .. }) = publishable
    {
        error = out.publish().err();
        if error.is_some() {
            // The report came first, and said that it would be there.
            report.outputs.clear();
            job.report.iter().for_each(|path| drop(write_report(path, &report)));
        }
    }
    let exit = if error.is_some() { Exit::Failed } else { exit };
    Ok(Outcome { exit, report, error })
}

fn write_report(path: &Path, report: &Report) -> Result<()> {
    let mut text = serde_json::to_vec_pretty(report).map_err(|error| Error::output(path, error))?;
    text.push(b'\n');
    let mut staged = Staged::create(path, true)?;
    staged.append(&text)?;
    staged.publish().map(drop)
}
