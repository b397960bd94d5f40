//! Dumps as an arrow `RecordBatchReader`: the way in for embedders.

use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{RecordBatch, RecordBatchReader};
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use encoding_rs::Encoding;

use crate::column::Batch;
use crate::convert::{Limits, Progress};
use crate::decode::{NumberPlan, PortMap};
use crate::dump::About;
use crate::error::{Error, Result};
use crate::filter::Filter;
use crate::format;
use crate::frame::Reject;
use crate::options::{Options, Wanted};
use crate::pipeline::{Event, Pipeline};
use crate::schema::Column;
use crate::source::inputs::{Brought, Input, Inputs, Place, Skipped, expand};
use crate::source::{self};
use crate::tally::warnings_of;
use crate::time::{DateOrder, Zone};
use crate::workers::Workers;

/// Reads dumps, batch by batch, in order.
///
/// ```
/// use calltable::{Column, Reader};
///
/// let reader = Reader::builder()
///     .columns(&[Column::Src, Column::Dst, Column::Start, Column::Billsec])
///     .timezone("America/Chicago")?
///     .open("testdata/sample/2024/head-office/cdrapi-2024-05.csv")?;
/// for batch in reader {
///     println!("{} calls", batch?.num_rows());
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// A record that cannot be read is no error: [`Reader::rejects`] has those of the batch that came
/// last, and [`Reader::counts`] tells at any time how many there were. A dump that cannot be read (on) is an
/// `Err`; the dumps after it are read all the same.
pub struct Reader {
    pipeline: Pipeline,
    schema: SchemaRef,
    numbering: Numbering,
    rejects: Vec<Rejected>,
    warnings: Vec<String>,
    skipped: Vec<Skipped>,
}

/// How a [`Reader`] is to read; every setting is that of the program's option.
#[derive(Clone, Debug, Default)]
pub struct Builder {
    options: Options,
    limits: Limits,
}

/// A block's rows, and its records that are none.
#[derive(Clone, Debug)]
pub struct Decoded {
    /// The rows.
    pub rows: RecordBatch,
    /// The records that could not be read, in order.
    pub rejects: Vec<Rejected>,
}

/// A record that could not be read: where it stands, why, and its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected {
    /// The dump's name, as column `source` has it.
    pub source: String,
    /// Its number in the dump, from 1, rejected ones counted.
    pub record: u64,
    /// The line of its first byte, from 1.
    pub line: u64,
    /// Offset of its first byte in the dump.
    pub offset: u64,
    /// How many bytes it has.
    pub length: u64,
    /// Why, by the name that the rejects file uses.
    pub reason: &'static str,
    /// The dump's own name of the field that could not be read.
    pub field: Option<String>,
    /// One sentence for people.
    pub message: String,
    /// Its text; of one that is too large only the first 64 KiB.
    pub raw: Vec<u8>,
}

/// What was counted so far: `records = rows + filtered + rejected`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Records read.
    pub records: u64,
    /// Rows given out.
    pub rows: u64,
    /// Records left out: their kind was not wanted, or they do not match.
    pub filtered: u64,
    /// Records that could not be read.
    pub rejected: u64,
    /// Records that were read only after a repair.
    pub repaired: u64,
}

/// Gives the records of one dump's blocks their numbers.
#[derive(Debug, Default)]
pub(crate) struct Numbering {
    counts: Counts,
    records: u64,
    lines: u64,
    nul_runs: u64,
}

impl Numbering {
    pub(crate) fn number(&mut self, batch: Batch, source: &str) -> Decoded {
        let rejects: Vec<Rejected> =
            batch.rejects.into_iter().map(|reject| self.place(reject, source)).collect();
        self.records += batch.counts.records;
        self.lines += batch.counts.lines;
        self.nul_runs += batch.counts.nul_runs;
        self.counts.records += batch.counts.records;
        self.counts.rows += batch.rows.num_rows() as u64;
        self.counts.filtered += batch.filtered;
        self.counts.rejected += rejects.len() as u64;
        self.counts.repaired += batch.counts.repaired;
        Decoded { rows: batch.rows, rejects }
    }

    pub(crate) fn counts(&self) -> Counts {
        self.counts
    }

    fn place(&self, reject: Reject, source: &str) -> Rejected {
        Rejected {
            source: source.to_string(),
            record: self.records + reject.number + 1,
            line: self.lines + reject.line + 1,
            offset: reject.offset,
            length: reject.length,
            reason: reject.reason.name(),
            field: reject.field.map(|field| field.to_string()),
            message: reject.message.to_string(),
            raw: reject.raw,
        }
    }

    /// A dump has ended: the next one's records count from 1 again. Comes back with what its counts warn of.
    pub(crate) fn end(&mut self, about: Option<&About>) -> Vec<String> {
        let warnings = warnings_of(about, self.records, self.nul_runs);
        (self.records, self.lines, self.nul_runs) = (0, 0, 0);
        warnings
    }
}

impl Decoded {
    pub(crate) fn is_empty(&self) -> bool {
        self.rows.num_rows() == 0 && self.rejects.is_empty()
    }
}

impl Reader {
    /// How to read, with every setting at its default.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// The schema of all batches.
    pub fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    /// The records that could not be read among those of the batch that came last (which has no
    /// rows if none of its records could be).
    pub fn rejects(&self) -> &[Rejected] {
        &self.rejects
    }

    /// What was counted so far.
    pub fn counts(&self) -> Counts {
        self.numbering.counts()
    }

    /// What the caller should know of the dumps that have ended, each sentence once.
    pub fn take_warnings(&mut self) -> Vec<String> {
        std::mem::take(&mut self.warnings)
    }

    /// What was passed over so far in a walked folder, and why.
    pub fn skipped(&self) -> &[Skipped] {
        &self.skipped
    }
}

impl Iterator for Reader {
    type Item = std::result::Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.rejects.clear();
        loop {
            match self.pipeline.next()? {
                Event::Begin(..) => {}
                Event::Batch(at, batch) => {
                    let decoded = self.numbering.number(*batch, self.pipeline.name(at));
                    self.rejects.extend(decoded.rejects);
                    if decoded.rows.num_rows() > 0 || !self.rejects.is_empty() {
                        return Some(Ok(decoded.rows));
                    }
                }
                Event::End(at, ended) => {
                    let name = self.pipeline.name(at).to_string();
                    let counted = self.numbering.end(ended.about.as_ref());
                    let warnings = ended.warnings.iter().chain(&counted);
                    self.warnings.extend(warnings.map(|warning| format!("{name}: {warning}")));
                    self.skipped.extend(ended.skipped.map(|why| Skipped { source: name.clone(), why }));
                    if let Some(error) = ended.error {
                        return Some(Err(ArrowError::ExternalError(Box::new(error))));
                    }
                }
            }
        }
    }
}

impl RecordBatchReader for Reader {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }
}

impl Builder {
    /// The dumps' format by name, in place of telling it from the content.
    ///
    /// # Errors
    /// There is no such format.
    pub fn format(mut self, name: &str) -> Result<Builder> {
        let unknown = || Error::usage(format!("there is no format `{name}`: {}", format::names()));
        self.options.format = Some(format::by_name(name).ok_or_else(unknown)?);
        Ok(self)
    }

    /// Only these columns, in this order; the others are not decoded.
    pub fn columns(mut self, columns: &[Column]) -> Builder {
        self.options.columns = columns.to_vec();
        self
    }

    /// Which records of nested calls become rows.
    pub fn records(mut self, wanted: Wanted) -> Builder {
        self.options.records = wanted;
        self
    }

    /// Only rows that match; of several filters, those that match all.
    pub fn filter(mut self, filter: Filter) -> Builder {
        self.options.filters.push(filter);
        self
    }

    /// The zone of the PBX: an IANA name, an offset, or `auto`. Times become instants.
    ///
    /// # Errors
    /// There is no such zone.
    pub fn timezone(mut self, zone: &str) -> Result<Builder> {
        self.options.zone = Some(Zone::parse(zone).map_err(Error::usage)?);
        Ok(self)
    }

    /// Whether dates have the month or the day first.
    pub fn date_order(mut self, order: DateOrder) -> Builder {
        self.options.date_order = Some(order);
        self
    }

    /// The encoding of records that are not UTF-8, by a WHATWG label.
    ///
    /// # Errors
    /// There is no such encoding.
    pub fn encoding(mut self, label: &str) -> Result<Builder> {
        let encoding: &'static Encoding = source::encoding::by_label(label)?;
        self.options.encoding = Some(encoding);
        Ok(self)
    }

    /// Which analog ports are lines and which are phones.
    pub fn ports(mut self, ports: PortMap) -> Builder {
        self.options.ports = ports;
        self
    }

    /// What the PBX's numbers are.
    pub fn number_plan(mut self, plan: NumberPlan) -> Builder {
        self.options.plan = plan;
        self
    }

    /// A value that cannot be typed is null, and its text goes to `extra`, in place of a reject.
    pub fn lenient(mut self, lenient: bool) -> Builder {
        self.options.lenient = lenient;
        self
    }

    /// Worker threads; by default one for every core.
    pub fn threads(mut self, threads: usize) -> Builder {
        self.limits.threads = threads.max(1);
        self
    }

    /// Memory in bytes that blocks in flight are planned for.
    pub fn memory(mut self, bytes: u64) -> Builder {
        self.limits.memory = bytes.max(Limits::LEAST_MEMORY);
        self
    }

    /// All settings of the reading at once.
    pub fn options(mut self, options: Options) -> Builder {
        self.options = options;
        self
    }

    /// Opens a file, or all dumps of a folder or of a glob pattern.
    ///
    /// # Errors
    /// Usage: there is no such file, a column stands twice, or no thread can be started.
    pub fn open(self, path: impl AsRef<Path>) -> Result<Reader> {
        self.start(expand(&[path.as_ref()], &[])?)
    }

    /// Reads bytes that the caller brings; `name` is what column `source` says.
    ///
    /// # Errors
    /// Usage: a column stands twice, or no thread can be started.
    pub fn read(self, name: &str, bytes: impl Read + Send + 'static) -> Result<Reader> {
        let place = Place::Brought(Brought::new(bytes));
        let input = Input { name: name.to_string(), place, walked: false };
        self.start(Inputs { inputs: vec![input], skipped: Vec::new() })
    }

    fn start(self, inputs: Inputs) -> Result<Reader> {
        self.options.check()?;
        let workers = Workers::new(self.limits.threads)?;
        let (queued, _) = self.limits.blocks();
        let limit = queued * crate::split::BLOCK as u64;
        let mut pipeline = Pipeline::new(
            inputs.inputs,
            Arc::new(self.options),
            workers,
            limit,
            Arc::new(Progress::default()),
        );
        let schema = pipeline.schema();
        Ok(Reader {
            pipeline,
            schema,
            numbering: Numbering::default(),
            rejects: Vec::new(),
            warnings: Vec::new(),
            skipped: inputs.skipped,
        })
    }
}
