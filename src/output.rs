//! The output of a conversion: one file, a stream, or a folder of parts; and what stands before it.
//!
//! ```text
//!  batches ──▶ duplicates dropped ──▶ sorted ──▶ a sink, or a dataset of many
//! ```
//!
//! What is not asked for costs nothing. It knows batches of the unified table; dumps it must not know.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;

use crate::column::Batch;
use crate::convert::{Job, Parts, Progress};
use crate::dedup::Dedup;
use crate::error::{Error, Result};
use crate::options::Options;
use crate::prepared::Prepared;
use crate::report::OutputReport;
use crate::schema::Column;
use crate::sink::dataset::{Dataset, Plan};
use crate::sink::measure::text_of;
use crate::sink::partition::{By, Partitioner};
use crate::sink::publish::folder_of;
use crate::sink::room::Room;
use crate::sink::{self, Out, STDOUT, Sink, Spec};
use crate::sort::Sorter;
use crate::workers::Workers;

/// Where rows go.
pub(crate) enum Place {
    /// One file, or a stream.
    File(Out),
    /// A folder, as it is written.
    Folder(PathBuf),
}

/// An output being written.
pub(crate) struct Output {
    dedup: Option<Dedup>,
    sorter: Option<Sorter>,
    target: Target,
    /// Which columns of the batches stand in the output, where that is not all of them.
    kept: Option<Vec<usize>>,
    rows: u64,
}

enum Target {
    File(Box<dyn Sink>, PathBuf),
    Folder(Box<Dataset>),
}

/// An output that is written to its end, and not published yet.
pub(crate) struct Written {
    /// A file's bytes, or the stream.
    pub(crate) out: Option<Out>,
    /// What was written.
    pub(crate) outputs: Vec<OutputReport>,
    /// Duplicates that were known only in the end: of which dump, and how many.
    pub(crate) duplicates: Vec<(usize, u64)>,
}

/// What of the memory that is allowed may be filled by each that holds rows back: what drops duplicates, what sorts,
/// and what is set aside of many partitions, whose open parts take as much again.
fn share(job: &Job) -> usize {
    let is_partitioned = job.parts.as_ref().is_some_and(|parts| !parts.partition_by.is_empty());
    let holders = u64::from(job.dedup) + u64::from(!job.sort_by.is_empty()) + 2 * u64::from(is_partitioned);
    (job.limits.memory / 4 / holders.max(1)) as usize
}

/// The columns that are read: those of the output, and those that it is arranged by.
pub(crate) fn columns_read(job: &Job) -> Vec<Column> {
    if job.dedup {
        return Column::all().collect();
    }
    let mut columns = job.options.columns.clone();
    let by = job.parts.iter().flat_map(|parts| &parts.partition_by).map(|by| by.column());
    for column in by.chain(job.sort_by.iter().copied()) {
        if !columns.contains(&column) {
            columns.push(column);
        }
    }
    columns
}

impl Output {
    /// Begins the output of a job whose batches have that schema.
    ///
    /// # Errors
    /// It cannot be written.
    pub(crate) fn begin(job: &Job, place: Place, schema: SchemaRef, workers: &Workers) -> Result<Output> {
        let columns = columns_read(job);
        let (_, waiting) = job.limits.blocks();
        let (folder, memory) = (spill_folder(job, &place), share(job));
        let dedup = job.dedup.then(|| Dedup::new(schema.clone(), &folder, memory)).transpose()?;
        let place_of = |column: &Column| columns.iter().position(|read| read == column);
        let keys: Vec<usize> = job.sort_by.iter().filter_map(place_of).collect();
        let sorter = || Sorter::new(schema.clone(), &keys, &folder, memory);
        let sorter = (!keys.is_empty()).then(sorter).transpose()?;
        let room = Room::new(waiting);
        let shown = job.output.clone().unwrap_or_else(|| PathBuf::from(STDOUT));
        let spec = spec(job, &shown);
        let kept = kept(&columns, &job.options, job.parts.as_ref());
        let all: Vec<usize> = (0..columns.len()).collect();
        let target = match place {
            Place::File(out) => {
                let schema = Arc::new(schema.project(&kept).map_err(|error| Error::output(&shown, error))?);
                Target::File(sink::open(out, &spec, schema, workers, &room)?, shown)
            }
            Place::Folder(root) => {
                let parts = job.parts.clone().unwrap_or_default();
                let by = &parts.partition_by;
                let partitioner = || Partitioner::new(by, &columns, job.options.zone.as_ref());
                let plan = Plan {
                    root,
                    shown,
                    spec,
                    schema,
                    kept: kept.clone(),
                    partitioner: (!by.is_empty()).then(partitioner),
                    max_rows: parts.max_file_rows.unwrap_or(u64::MAX),
                    memory,
                };
                Target::Folder(Box::new(Dataset::new(plan, workers, room)?))
            }
        };
        Ok(Output { dedup, sorter, target, kept: (kept != all).then_some(kept), rows: 0 })
    }

    /// Takes the next batch, of the dump with that number; comes back with how many of its rows are known to be
    /// duplicates.
    ///
    /// # Errors
    /// It cannot be written.
    pub(crate) fn write(&mut self, dump: usize, batch: &Batch) -> Result<u64> {
        let Some(dedup) = &mut self.dedup else {
            return self.arranged(&batch.rows, &batch.prepared, batch.text_bytes).map(|()| 0);
        };
        let Some(fresh) = dedup.push(dump, &batch.rows)? else { return Ok(0) };
        self.arranged(&fresh.rows, &[], text_of(&fresh.rows))?;
        Ok(fresh.duplicates)
    }

    fn arranged(&mut self, rows: &RecordBatch, prepared: &[Option<Prepared>], text: u64) -> Result<()> {
        match &mut self.sorter {
            Some(sorter) => sorter.push(rows),
            None => self.put(rows, prepared, text),
        }
    }

    fn put(&mut self, rows: &RecordBatch, prepared: &[Option<Prepared>], text: u64) -> Result<()> {
        self.rows += rows.num_rows() as u64;
        match &mut self.target {
            // Its parts keep what they have of it.
            Target::Folder(dataset) => dataset.write(rows, prepared, text),
            Target::File(sink, path) => match &self.kept {
                None => sink.write(rows, prepared, text),
                Some(kept) => {
                    let rows = rows.project(kept).map_err(|error| Error::output(path, error))?;
                    let of = |at: &usize| prepared.get(*at).cloned().flatten();
                    sink.write(&rows, &kept.iter().map(of).collect::<Vec<_>>(), text)
                }
            },
        }
    }

    /// Writes what was held back, and the end.
    ///
    /// # Errors
    /// It cannot be written.
    pub(crate) fn finish(mut self, even_without_rows: bool, progress: &Progress) -> Result<Written> {
        let mut duplicates = Vec::new();
        if let Some(dedup) = self.dedup.take() {
            for fresh in dedup.finish()? {
                let fresh = fresh?;
                progress.check()?;
                duplicates.push((fresh.input, fresh.duplicates));
                self.arranged(&fresh.rows, &[], text_of(&fresh.rows))?;
            }
        }
        if let Some(sorter) = self.sorter.take() {
            for rows in sorter.finish()? {
                let rows = rows?;
                progress.check()?;
                self.put(&rows, &[], text_of(&rows))?;
            }
        }
        let (out, outputs) = match self.target {
            Target::Folder(dataset) => (None, dataset.finish(even_without_rows)?),
            Target::File(sink, path) => {
                let (out, row_groups) = sink.finish()?;
                let path =
                    if matches!(out, Out::Stream(_)) { "-".into() } else { path.display().to_string() };
                let bytes = out.bytes().unwrap_or(0);
                (Some(out), vec![OutputReport { path, rows: self.rows, bytes, row_groups }])
            }
        };
        Ok(Written { out, outputs, duplicates })
    }
}

/// Where what does not fit into memory goes: beside the output.
fn spill_folder(job: &Job, place: &Place) -> PathBuf {
    match (place, &job.output) {
        (Place::Folder(root), _) => root.clone(),
        (Place::File(Out::Staged(_)), Some(path)) => folder_of(path).to_path_buf(),
        (Place::File(_), _) => std::env::temp_dir(),
    }
}

/// Where the output's columns stand among those that are read. A partition's are told by its folders.
fn kept(columns: &[Column], options: &Options, parts: Option<&Parts>) -> Vec<usize> {
    let by = parts.map_or(&[][..], |parts| &parts.partition_by);
    let is_in_folders = |column: &Column| by.contains(&By::Column(*column));
    let stands = |column: &Column| columns.iter().position(|read| read == column);
    options.columns.iter().filter(|column| !is_in_folders(column)).filter_map(stands).collect()
}

fn spec(job: &Job, path: &Path) -> Spec {
    let mut metadata = job.options.describe();
    if let Some(parts) = job.parts.as_ref().filter(|parts| !parts.partition_by.is_empty()) {
        let by: Vec<&str> = parts.partition_by.iter().map(|by| by.name()).collect();
        metadata.push(("calltable.partition-by".to_string(), by.join(",")));
    }
    if !job.sort_by.is_empty() {
        let by: Vec<&str> = job.sort_by.iter().map(|column| column.name()).collect();
        metadata.push(("calltable.sort-by".to_string(), by.join(",")));
    }
    if job.dedup {
        metadata.push(("calltable.dedup".to_string(), "true".to_string()));
    }
    Spec {
        path: path.to_path_buf(),
        kind: job.kind,
        compression: job.compression,
        row_group_rows: job.row_group_rows,
        metadata,
    }
}
