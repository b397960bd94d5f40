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

use std::fs;
use std::path::Path;
use std::time::Instant;

use crate::convert::{Agreed, Exit, Job, Outcome, Run, publish_report, write};
use crate::error::{Error, Result};
use crate::manifest::{Known, Listed, ListedPart, Manifest, Print, Shape, Standing};
use crate::output::{Place, Written};
use crate::report::{LeftOut, OutputReport, SkippedReport};
use crate::schema::TimeKind;
use crate::sink::publish::folder::Folder;
use crate::source::inputs::{Input, MANIFEST};

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
    let there = Manifest::load(target)?;
    let is_begun = there.is_none();
    if is_begun {
        begin(job, target)?;
    }
    let folder = Folder::open(target)?;
    // Another run may have added to it meanwhile.
    let mut manifest = Manifest::load(target)?.or(there).unwrap_or_default();
    manifest.check_parts(folder.root())?;
    manifest.sweep(folder.root())?;
    let mut run = Run::begin(job)?;
    keep_rejects(job, &manifest, &mut run)?;
    run.carried = manifest.unfinished.unwrap_or_default();
    let new = sort_out(job, &manifest, &mut run);
    let added = new.and_then(|new| steps(job, new, &mut manifest, &folder, &mut run));
    let is_done = added.is_ok() && matches!(run.verdict(job.agreed), Exit::Done | Exit::Incomplete);
    if !is_done {
        // Parts of steps that stand stay; nobody is told of another fault than the first.
        let _ = manifest.sweep(folder.root());
    }
    let outcome = publish_report(job, run, added, started)?;
    if is_begun && !is_done && manifest.inputs.is_empty() {
        // A dataset that nothing was added to is none.
        let gone = fs::remove_file(folder.root().join(MANIFEST)).and_then(|()| fs::remove_dir(folder.root()));
        gone.map_err(|error| Error::output(target, error))?;
    } else if outcome.error.is_none() && manifest.unfinished.take().is_some() {
        // From here on nothing is left to be told.
        manifest.save(folder.root())?;
    }
    Ok(outcome)
}

/// The rejects of what is in the dataset stay, and those of this run stand behind them.
fn keep_rejects(job: &Job, manifest: &Manifest, run: &mut Run) -> Result<()> {
    let Some(path) = &job.rejects else { return Ok(()) };
    let Ok(there) = fs::metadata(path).map(|file| file.len()) else { return Ok(()) };
    let listed = manifest.rejects.as_ref().filter(|(listed, _)| Path::new(listed) == path);
    // What stands behind those that are listed is of a step that was not done.
    run.tally.go_on(path, there, listed.map_or(there, |(_, bytes)| there.min(*bytes)))
}

/// A new dataset, with nothing in it.
fn begin(job: &Job, target: &Path) -> Result<()> {
    let rejects = job.rejects.as_ref().map(|path| (path.display().to_string(), 0));
    let manifest = Manifest { calltable: version(), shape: shape(job), rejects, ..Manifest::default() };
    let folder = Folder::create(target, false)?;
    manifest.save(folder.root())?;
    folder.publish()
}

/// What the parts of this job have in common, as far as that is known before the first row.
fn shape(job: &Job) -> Shape {
    let by = job.parts.iter().flat_map(|parts| &parts.partition_by);
    Shape {
        kind: job.kind.name().to_string(),
        times: None,
        columns: job.options.columns.iter().map(|column| column.name().to_string()).collect(),
        partition_by: by.map(|by| by.name().to_string()).collect(),
        timezone: job.options.zone.as_ref().map(|zone| zone.to_string()),
        records: job.options.records.name().map(str::to_string),
    }
}

const TIMES: [(&str, TimeKind); 2] = [("wall-clock", TimeKind::WallClock), ("instant", TimeKind::Instant)];

fn version() -> String {
    env!("CARGO_PKG_VERSION").to_string()
}

/// What is added must be of the same shape as what is there.
fn check_shape(job: &Job, target: &Path, there: &Shape) -> Result<()> {
    let ours = shape(job);
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
    let name = |name: &Option<String>| name.clone().unwrap_or_default();
    if there.timezone != ours.timezone {
        return differs("times are in the --timezone", &name(&there.timezone), &name(&ours.timezone));
    }
    if there.records != ours.records {
        return differs("--records are", &name(&there.records), &name(&ours.records));
    }
    Ok(())
}

/// The inputs that are new; the others are told of.
fn sort_out(job: &Job, manifest: &Manifest, run: &mut Run) -> Result<Vec<New>> {
    let mut known = Known::of(manifest);
    let mut new = Vec::new();
    for input in &job.inputs.inputs {
        let failed = |why: String| Some(Error::input(&input.name, why));
        let standing = known.standing(input, &job.progress);
        job.progress.check()?;
        match standing {
            // Reading it tells why.
            Err(_) => new.push(New { input: input.clone(), print: None }),
            Ok(Standing::New(print)) => new.push(New { input: input.clone(), print }),
            Ok(Standing::Listed(Listed { source, error: Some(error), .. })) => {
                let why = format!("is in the dataset up to a fault, as {source}: {error}");
                run.tally.other(&input.name, 0, failed(why));
            }
            Ok(Standing::Listed(listed)) => {
                let source = input.name.clone();
                run.skipped.push(SkippedReport { why: why_listed(job, &source, &listed), source });
            }
            Ok(Standing::Unreadable(listed, error)) => {
                let why = format!(
                    "begins as {}, whose records are in the dataset already, and cannot be told from it: {error}",
                    listed.source
                );
                run.tally.other(&input.name, 0, failed(why));
            }
            Ok(Standing::Grown(listed)) => {
                let bytes = listed.print.map_or(0, |print| print.bytes);
                let why = format!(
                    "has grown since its first {bytes} bytes were added to the dataset, as {}, whose records are in it \
                     already: give what is new in a file of its own, or convert into a new dataset",
                    listed.source
                );
                run.tally.other(&input.name, 0, failed(why));
            }
        }
    }
    Ok(new)
}

/// Why an input is passed over that is in the dataset.
fn why_listed(job: &Job, source: &str, listed: &Listed) -> String {
    let mut why = "in the dataset already".to_string();
    if listed.source != source {
        why += &format!(", as {}", listed.source);
    }
    // Times such as `now` are others in every run, so this cannot be an error.
    if listed.filters != filters(job) {
        let filters =
            if listed.filters.is_empty() { "none".to_string() } else { listed.filters.join(" and ") };
        why += &format!("; its rows were filtered by other filters: {filters}");
    }
    why
}

fn filters(job: &Job) -> Vec<String> {
    job.options.filters.iter().map(|filter| filter.to_string()).collect()
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
    if !new.is_empty() {
        // From here on parts that are not listed are this run's.
        manifest.unfinished.get_or_insert_default();
        manifest.save(folder.root())?;
    }
    let mut outputs = Vec::new();
    let mut from = 0;
    for end in ends.iter().copied() {
        let step = &new[from..end];
        from = end;
        let before = run.tally.begun();
        let named = |(name, _): &&(&str, TimeKind)| manifest.shape.times.as_deref() == Some(name);
        let times = TIMES.iter().find(named).map(|(_, times)| *times);
        let inputs: Vec<Input> = step.iter().map(|new| new.input.clone()).collect();
        let Some((written, times)) = write(job, inputs, times, Place::Folder(folder.root().into()), run)?
        else {
            break;
        };
        folder.sync()?;
        list(job, manifest, step, &written, times, run, before);
        let rejects = run.tally.publish_rejects()?;
        if let Some((path, bytes)) = rejects {
            manifest.rejects = Some((path.display().to_string(), bytes));
        }
        manifest.unfinished = Some(run.left_out());
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
        let name = TIMES.iter().find(|(_, kind)| *kind == times).map(|(name, _)| name.to_string());
        manifest.shape.times = name;
    }
    for (new, found) in step.iter().zip(inputs) {
        // What gave no record can be tried again.
        let Some((records, written, error)) =
            found.filter(|(records, _, error)| error.is_none() || *records > 0)
        else {
            continue;
        };
        let (source, print) = (new.input.name.clone(), new.print.clone());
        manifest.inputs.push(Listed { source, print, records, written, filters: filters(job), error });
    }
    manifest.parts.extend(listed_parts(job, &written.outputs));
}

/// The parts as the manifest has them: by their path in the folder.
fn listed_parts(job: &Job, outputs: &[OutputReport]) -> Vec<ListedPart> {
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
    let mut manifest = Manifest { shape: shape(job), ..Manifest::default() };
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
    /// What is left out so far, that of a killed run's steps with it.
    fn left_out(&self) -> LeftOut {
        let LeftOut { rejected, failed } = self.tally.left_out();
        LeftOut { rejected: rejected + self.carried.rejected, failed: failed + self.carried.failed }
    }

    /// What this run's counts and those that it was left mean.
    pub(crate) fn verdict(&self, agreed: Agreed) -> Exit {
        match self.tally.verdict(agreed) {
            // To those of a killed run nobody has agreed.
            Exit::Done if self.carried != LeftOut::default() => Exit::Incomplete,
            exit => exit,
        }
    }
}
