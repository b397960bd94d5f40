//! Adding to a dataset: the inputs that its manifest does not list, in steps that each stand when they are done.
//!
//! ```text
//! lock ─▶ manifest ─▶ remove what a killed run left ─▶ inputs that are new ─▶ steps of them ─╮
//!             ╭───────────────────────────────────────────────────────────────────────────────╯
//!             ╰─▶ parts ─▶ rejects ─▶ manifest, renamed last ─▶ the next step
//! ```
//!
//! Where a step ends is told by the sizes of its inputs alone: a run that goes on behind a killed one leaves the same
//! bytes as one that was never killed.

use std::path::Path;
use std::time::Instant;

use crate::convert::{Agreed, Exit, Job, Outcome, Run, publish_report, write};
use crate::error::{Error, Result};
use crate::manifest::{Known, Listed, ListedPart, Manifest, Print, Shape, Standing, Unfinished};
use crate::output::{Place, Written};
use crate::report::{OutputReport, SkippedReport};
use crate::schema::TimeKind;
use crate::sink::publish::folder::Folder;
use crate::source::inputs::Input;

/// A step ends with the input with which its inputs have so many bytes, or are so many.
const STEP_BYTES: u64 = 1 << 30;
const STEP_INPUTS: usize = 1000;

/// An input that is to be added.
struct New {
    input: Input,
    print: Option<Print>,
}

/// Looks whether the output can be added to, before anything is read or written.
pub(crate) fn check(job: &Job, target: &Path) -> Result<()> {
    match Manifest::load(target)? {
        None => Folder::check(target, false),
        Some(manifest) => check_shape(job, target, &manifest.shape),
    }
}

/// Adds a job's inputs to its output.
pub(crate) fn append(job: &Job, target: &Path, started: Instant) -> Result<Outcome> {
    let mut manifest = match Manifest::load(target)? {
        Some(manifest) => manifest,
        None => begin(job, target)?,
    };
    let folder = Folder::open(target)?;
    // Another run may have added to it meanwhile.
    manifest = Manifest::load(target)?.unwrap_or(manifest);
    manifest.sweep(folder.root())?;
    let mut run = Run::begin(job)?;
    let new = sort_out(job, &manifest, &mut run)?;
    if let Some(unfinished) = &manifest.unfinished {
        run.carried = (unfinished.rejected, unfinished.failed);
        let rejects = unfinished.rejects.as_ref().map(|(path, bytes)| (path.into(), *bytes));
        let is_there = |(path, bytes): &(std::path::PathBuf, u64)| {
            std::fs::metadata(path).is_ok_and(|file| file.len() >= *bytes)
        };
        rejects.filter(is_there).map_or(Ok(()), |rejects| run.tally.go_on(rejects))?;
    }
    if new.is_empty() {
        run.tally.leave_rejects();
    }
    let added = steps(job, new, &mut manifest, &folder, &mut run);
    if added.is_err() {
        // Those of the steps that stand stay; nobody is told of another fault than the first.
        let _ = manifest.sweep(folder.root());
    }
    let outcome = publish_report(job, run, added, started)?;
    // From here on nothing is left to be told.
    if outcome.error.is_none() && manifest.unfinished.take().is_some() {
        manifest.save(folder.root())?;
    }
    Ok(outcome)
}

/// A new dataset, with nothing in it.
fn begin(job: &Job, target: &Path) -> Result<Manifest> {
    let shape = Shape { times: None, ..shape(job, TimeKind::WallClock) };
    let manifest = Manifest { calltable: version(), shape, ..Manifest::default() };
    let folder = Folder::create(target, false)?;
    manifest.save(folder.root())?;
    folder.publish()?;
    Ok(manifest)
}

/// What the parts of this job have in common.
pub(crate) fn shape(job: &Job, times: TimeKind) -> Shape {
    let times = match times {
        TimeKind::WallClock => WALL_CLOCK,
        TimeKind::Instant => INSTANT,
    };
    let by = job.parts.iter().flat_map(|parts| &parts.partition_by);
    Shape {
        kind: job.kind.name().to_string(),
        times: Some(times.to_string()),
        columns: job.options.columns.iter().map(|column| column.name().to_string()).collect(),
        partition_by: by.map(|by| by.name().to_string()).collect(),
    }
}

const WALL_CLOCK: &str = "wall-clock";
const INSTANT: &str = "instant";

pub(crate) fn version() -> String {
    env!("CARGO_PKG_VERSION").to_string()
}

/// What is added must be of the same shape as what is there.
fn check_shape(job: &Job, target: &Path, there: &Shape) -> Result<()> {
    let ours = shape(job, TimeKind::WallClock);
    let differs = |what: &str, there: &str, ours: &str| {
        let none = |text: &str| if text.is_empty() { "none".to_string() } else { text.to_string() };
        Err(Error::usage(format!(
            "{}: its {what}: {}; asked for are: {}. One dataset has one shape: ask for the same, or name another folder",
            target.display(),
            none(there),
            none(ours)
        )))
    };
    if there.kind != ours.kind {
        return differs("parts are", &there.kind, &ours.kind);
    }
    if there.partition_by != ours.partition_by {
        return differs("partitions are by", &there.partition_by.join(","), &ours.partition_by.join(","));
    }
    if there.columns != ours.columns {
        return differs("columns are", &there.columns.join(","), &ours.columns.join(","));
    }
    if job.options.zone.is_some() && there.times.as_deref() == Some(WALL_CLOCK) {
        return differs("times are", "wall-clock times without a zone", "instants, by --timezone");
    }
    Ok(())
}

/// The inputs that are new; the others are told of.
fn sort_out(job: &Job, manifest: &Manifest, run: &mut Run) -> Result<Vec<New>> {
    let mut known = Known::of(manifest);
    let mut new = Vec::new();
    for input in &job.inputs.inputs {
        match known.standing(input) {
            // Reading it tells why.
            Err(_) => new.push(New { input: input.clone(), print: None }),
            Ok(Standing::New(print)) => new.push(New { input: input.clone(), print }),
            Ok(Standing::Listed(source)) => {
                let why = match source == input.name {
                    true => "in the dataset already".to_string(),
                    false => format!("in the dataset already, as {source}"),
                };
                run.skipped.push(SkippedReport { source: input.name.clone(), why });
            }
            Ok(Standing::Grown(bytes)) => {
                let why = format!(
                    "has grown since its first {bytes} bytes were added to the dataset, whose records are in it already: \
                     give what is new in a file of its own, or convert into a new dataset"
                );
                run.tally.other(&input.name, 0, Some(Error::input(&input.name, why)));
            }
        }
    }
    Ok(new)
}

/// The ends of steps: after so many inputs each.
fn ends(job: &Job, new: &[New]) -> Vec<usize> {
    let mut ends = Vec::new();
    let (mut bytes, mut begun) = (0, 0);
    for (at, input) in new.iter().enumerate() {
        bytes += input.print.as_ref().map_or(0, |print| print.bytes);
        if bytes >= STEP_BYTES || at + 1 - begun == STEP_INPUTS {
            ends.push(at + 1);
            (bytes, begun) = (0, at + 1);
        }
    }
    // What looks at all rows of a run, or may refuse all, is one step.
    if job.is_whole() {
        ends.clear();
    }
    if !new.is_empty() && ends.last() != Some(&new.len()) {
        ends.push(new.len());
    }
    ends
}

fn steps(
    job: &Job,
    new: Vec<New>,
    manifest: &mut Manifest,
    folder: &Folder,
    run: &mut Run,
) -> Result<Vec<OutputReport>> {
    let ends = ends(job, &new);
    let mut outputs = Vec::new();
    let mut from = 0;
    for end in ends.iter().copied() {
        let step = &new[from..end];
        from = end;
        let before = run.tally.begun();
        let times = match manifest.shape.times.as_deref() {
            Some(INSTANT) => Some(TimeKind::Instant),
            Some(_) => Some(TimeKind::WallClock),
            None => None,
        };
        let inputs: Vec<Input> = step.iter().map(|new| new.input.clone()).collect();
        let Some((written, times)) = write(job, inputs, times, Place::Folder(folder.root().into()), run)?
        else {
            break;
        };
        list(job, manifest, step, &written, times, run, before);
        let rejects = run.tally.publish_rejects()?;
        let (rejected, failed) = run.left_out();
        let rejects = rejects.map(|(path, bytes)| (path.display().to_string(), bytes));
        manifest.unfinished = Some(Unfinished { rejected, failed, rejects });
        manifest.save(folder.root())?;
        outputs.extend(written.outputs);
    }
    Ok(outputs)
}

/// Enters a step into the manifest.
fn list(
    job: &Job,
    manifest: &mut Manifest,
    step: &[New],
    written: &Written,
    times: TimeKind,
    run: &Run,
    before: usize,
) {
    manifest.calltable = version();
    let inputs = run.tally.of_inputs(before, step.len());
    // Before the first row nothing is decided.
    if manifest.shape.times.is_none() && !written.outputs.is_empty() {
        manifest.shape.times = shape(job, times).times;
    }
    for (new, found) in step.iter().zip(inputs) {
        // What gave no record can be tried again.
        let Some((records, written, error)) =
            found.filter(|(records, _, error)| error.is_none() || *records > 0)
        else {
            continue;
        };
        let (source, print) = (new.input.name.clone(), new.print.clone());
        manifest.inputs.push(Listed { source, print, records, written, error });
    }
    manifest.parts.extend(listed_parts(job, &written.outputs));
}

/// The parts as the manifest has them: by their path in the folder.
pub(crate) fn listed_parts(job: &Job, outputs: &[OutputReport]) -> Vec<ListedPart> {
    let within = |path: &str| {
        let target = job.output.as_deref().unwrap_or(Path::new(""));
        Path::new(path).strip_prefix(target).map_or(path.to_string(), |path| path.display().to_string())
    };
    let part = |output: &OutputReport| ListedPart {
        path: within(&output.path),
        rows: output.rows,
        bytes: output.bytes,
    };
    outputs.iter().map(part).collect()
}

/// The manifest of a dataset that was written at once.
pub(crate) fn manifest_of(
    job: &Job,
    prints: Vec<Option<Print>>,
    written: &Written,
    times: TimeKind,
    run: &Run,
) -> Manifest {
    let mut manifest = Manifest { shape: shape(job, times), ..Manifest::default() };
    manifest.shape.times = None;
    let new = |(input, print): (&Input, Option<Print>)| New { input: input.clone(), print };
    let step: Vec<New> = job.inputs.inputs.iter().zip(prints).map(new).collect();
    list(job, &mut manifest, &step, written, times, run, 0);
    manifest
}

impl Job {
    /// Whether it looks at all rows of a run together, or may refuse all of them.
    fn is_whole(&self) -> bool {
        !self.sort_by.is_empty() || self.dedup || self.agreed != Agreed::Unsaid || self.options.pages()
    }
}

impl Run {
    /// Records rejected and inputs failed, those of a killed run's steps among them.
    fn left_out(&self) -> (u64, u64) {
        let (rejected, failed) = self.tally.left_out();
        (rejected + self.carried.0, failed + self.carried.1)
    }

    /// What this run's counts and those that it was left mean.
    pub(crate) fn verdict(&self, agreed: Agreed) -> Exit {
        match self.tally.verdict(agreed) {
            Exit::Done if self.carried != (0, 0) && agreed == Agreed::Unsaid => Exit::Incomplete,
            exit => exit,
        }
    }
}
