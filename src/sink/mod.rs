//! Batches to files: one output of one kind, written whole or not at all.
//!
//! A sink takes batches in order and owns how they are encoded; where the bytes go ([`Out`]: staged
//! beside the output's place, or a stream) and when they are published is the caller's. It knows
//! Arrow's types and the unified schema; it must not know dumps.

pub mod arrow;
pub(crate) mod cells;
pub(crate) mod dataset;
mod dictionary;
mod encoder;
mod hybrid;
mod lists;
pub(crate) mod measure;
mod nested;
mod numbers;
mod pages;
pub mod parquet;
pub mod partition;
pub mod publish;
pub mod rejects;
pub mod room;
mod text;
pub mod text_csv;
pub mod text_jsonl;
mod texts;
mod values;

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ::arrow::array::RecordBatch;
use ::arrow::datatypes::SchemaRef;

use crate::error::{Error, Result};
use crate::prepared::Prepared;
use crate::workers::Workers;
use publish::Staged;
use room::Room;

/// What an output is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Apache Parquet.
    Parquet,
    /// Arrow IPC file.
    Arrow,
    /// Arrow IPC stream.
    ArrowStream,
    /// Comma-separated text.
    Csv,
    /// One JSON object a line.
    Jsonl,
}

impl Kind {
    /// Every kind, with its name, which is also its ending.
    pub const ALL: [(&'static str, Kind); 5] = [
        ("parquet", Kind::Parquet),
        ("arrow", Kind::Arrow),
        ("arrows", Kind::ArrowStream),
        ("csv", Kind::Csv),
        ("jsonl", Kind::Jsonl),
    ];

    /// The kind of that name.
    pub fn by_name(name: &str) -> Option<Kind> {
        Kind::ALL.iter().find(|(known, _)| *known == name).map(|(_, kind)| *kind)
    }

    /// Its name, which is its ending.
    pub fn name(self) -> &'static str {
        Kind::ALL.iter().find(|(_, kind)| *kind == self).map_or("", |(name, _)| name)
    }

    /// The kind that a path's ending tells.
    pub fn of_path(path: &Path) -> Option<Kind> {
        path.extension().and_then(|ending| ending.to_str()).and_then(Kind::by_name)
    }
}

/// How an output is compressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compression {
    /// The kind's own default: zstd 1 for Parquet, nothing else.
    #[default]
    Default,
    /// Not at all.
    None,
    /// zstd, of that level.
    Zstd(Option<i32>),
    /// Snappy.
    Snappy,
    /// LZ4.
    Lz4,
    /// gzip.
    Gzip,
}

impl Compression {
    /// Reads `zstd[:LEVEL]`, `snappy`, `lz4`, `gzip` or `none`, as far as `kind` can be so compressed.
    ///
    /// # Errors
    /// A usage error that names what can be used.
    pub fn parse(text: &str, kind: Kind) -> Result<Compression> {
        let compression =
            match text.split_once(':') {
                Some(("zstd", level)) => {
                    let level = level.parse().ok().filter(|level| (1..=22).contains(level));
                    Compression::Zstd(Some(level.ok_or_else(|| {
                        Error::usage(format!("--compression {text}: zstd levels are 1 to 22"))
                    })?))
                }
                None if text == "zstd" => Compression::Zstd(None),
                None if text == "snappy" => Compression::Snappy,
                None if text == "lz4" => Compression::Lz4,
                None if text == "gzip" => Compression::Gzip,
                None if text == "none" => Compression::None,
                _ => {
                    return Err(Error::usage(format!(
                        "--compression {text}: zstd[:LEVEL], snappy, lz4, gzip or none"
                    )));
                }
            };
        let fits = match kind {
            Kind::Parquet => true,
            Kind::Arrow | Kind::ArrowStream => {
                matches!(compression, Compression::None | Compression::Lz4 | Compression::Zstd(None))
            }
            Kind::Csv | Kind::Jsonl => compression == Compression::None,
        };
        match (fits, kind) {
            (true, _) => Ok(compression),
            (false, Kind::Arrow | Kind::ArrowStream) => {
                Err(Error::usage(format!("--compression {text}: Arrow files take zstd, lz4 or none")))
            }
            (false, _) => Err(Error::usage(format!("--compression {text}: a text output is not compressed"))),
        }
    }
}

/// Where an output's bytes go.
#[derive(Debug)]
pub enum Out {
    /// Beside its place, to be published at the end.
    Staged(Box<Staged>),
    /// Standard output.
    Stream(BufWriter<io::Stdout>),
}

/// What standard output is called in errors, where an output's path would stand.
pub const STDOUT: &str = "standard output";

impl Out {
    /// Standard output.
    pub fn stdout() -> Out {
        Out::Stream(BufWriter::with_capacity(128 << 10, io::stdout()))
    }

    /// How many bytes were written, if that is known.
    pub fn bytes(&self) -> Option<u64> {
        match self {
            Out::Staged(staged) => Some(staged.bytes()),
            Out::Stream(_) => None,
        }
    }

    /// Publishes what was written; comes back with its bytes, if that is known.
    ///
    /// # Errors
    /// The system refuses; nothing is published.
    pub fn publish(self) -> Result<Option<u64>> {
        match self {
            Out::Staged(staged) => staged.publish().map(Some),
            Out::Stream(mut out) => {
                out.flush().map_err(|error| Error::output(Path::new(STDOUT), unwritten(error)))?;
                Ok(None)
            }
        }
    }

    /// The same in a folder whose names are made to last later, all at once.
    ///
    /// # Errors
    /// As of [`publish`](Out::publish).
    pub fn publish_in(self) -> Result<Option<u64>> {
        match self {
            Out::Staged(staged) => staged.publish_in().map(Some),
            Out::Stream(_) => self.publish(),
        }
    }
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Out::Staged(staged) => staged.write(bytes),
            Out::Stream(out) => out.write(bytes).map_err(unwritten),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Out::Staged(staged) => staged.flush(),
            Out::Stream(out) => out.flush().map_err(unwritten),
        }
    }
}

/// The system's words alone would leave open what is wrong with a stream that has no path.
#[cold]
fn unwritten(error: io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("cannot be written: {error}"))
}

/// What an output is to be.
#[derive(Clone, Debug)]
pub struct Spec {
    /// Its path, for errors.
    pub path: PathBuf,
    /// What it is.
    pub kind: Kind,
    /// How it is compressed.
    pub compression: Compression,
    /// Rows a row group.
    pub row_group_rows: usize,
    /// Key-value metadata: version and the options that change rows or columns.
    pub metadata: Vec<(String, String)>,
}

/// One output being written.
pub trait Sink {
    /// Takes the next rows, which came from so many bytes of input text; columns that stand in
    /// `prepared` (none, but for a sink that asks for them) have no values in `rows`. May wait until
    /// earlier rows are encoded.
    fn write(&mut self, rows: &RecordBatch, prepared: &[Option<Prepared>], text_bytes: u64) -> Result<()>;

    /// Has the workers encode what waits for more rows to be worth their while.
    fn wake(&mut self) {}

    /// Bytes of input text that the rows of the open row group came from.
    fn group_text(&self) -> u64 {
        0
    }

    /// Ends the open row group; it is finished beside what follows.
    fn close_group(&mut self) -> Result<()> {
        Ok(())
    }

    /// Whether an ended row group is held, because it is being finished.
    fn is_closing(&self) -> bool {
        false
    }

    /// Waits for the row group that is being finished, and writes it.
    fn settle(&mut self) -> Result<()> {
        Ok(())
    }

    /// Writes the end; comes back with the output, to be published, and with the number of row groups.
    fn finish(self: Box<Self>) -> Result<(Out, u64)>;
}

/// Opens a sink; what waits to be encoded has its place in `room`.
///
/// # Errors
/// The output cannot be written.
pub fn open(
    out: Out,
    spec: &Spec,
    schema: SchemaRef,
    workers: &Workers,
    room: &Arc<Room>,
) -> Result<Box<dyn Sink>> {
    let metadata = || spec.metadata.iter().cloned().collect();
    let described = || ::arrow::datatypes::Schema::clone(&schema).with_metadata(metadata());
    let compressed = match spec.compression {
        Compression::Zstd(_) => arrow::Compression::Zstd,
        Compression::Lz4 => arrow::Compression::Lz4,
        _ => arrow::Compression::None,
    };
    let arrow = |out, form| arrow::ArrowSink::new(out, &spec.path, &described(), form, compressed);
    let most_waiting = room.batches();
    Ok(match spec.kind {
        Kind::Parquet => Box::new(parquet::ParquetSink::new(out, spec, schema, workers.clone(), room)?),
        Kind::Arrow => Box::new(arrow(out, arrow::Form::File)?),
        Kind::ArrowStream => Box::new(arrow(out, arrow::Form::Stream)?),
        Kind::Csv => Box::new(text::TextSink::csv(out, spec, &schema, workers.clone(), most_waiting)?),
        Kind::Jsonl => Box::new(text::TextSink::jsonl(out, spec, workers.clone(), most_waiting)),
    })
}

impl Sink for arrow::ArrowSink<Out> {
    fn write(&mut self, rows: &RecordBatch, _: &[Option<Prepared>], _: u64) -> Result<()> {
        arrow::ArrowSink::write(self, rows)
    }

    fn finish(self: Box<Self>) -> Result<(Out, u64)> {
        Ok((arrow::ArrowSink::finish(*self)?, 0))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use ::arrow::array::DictionaryArray;
    use ::arrow::datatypes::Int8Type;

    use super::*;
    use crate::schema::{Column, TimeKind, project};

    /// Rows that no column of the table can be: Parquet's workers panic over them, the others say so.
    fn broken(rows: usize) -> RecordBatch {
        let texts: DictionaryArray<Int8Type> = (0..rows).map(|_| Some("a")).collect();
        RecordBatch::try_from_iter([("src", Arc::new(texts) as _)]).unwrap()
    }

    /// Writes them; what the sink says.
    fn written(kind: Kind, threads: usize) -> Result<()> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out");
        let spec = Spec {
            path: path.clone(),
            kind,
            compression: Compression::None,
            row_group_rows: 5000,
            metadata: Vec::new(),
        };
        let out = Out::Staged(Box::new(Staged::create(&path, false)?));
        let workers = Workers::new(threads)?;
        let schema = project(&[Column::Src], TimeKind::WallClock);
        let mut sink = open(out, &spec, schema, &workers, &Room::new(2))?;
        for _ in 0..20 {
            sink.write(&broken(2000), &[None], 100_000)?;
        }
        sink.finish().map(drop)
    }

    #[test]
    fn rows_that_cannot_be_encoded_are_an_error_and_nothing_hangs() {
        for (name, kind) in Kind::ALL {
            for threads in [1, 4] {
                let (done, result) = std::sync::mpsc::channel();
                std::thread::spawn(move || done.send(written(kind, threads)));
                let said = result.recv_timeout(Duration::from_secs(60)).expect("it ends");
                let error = said.expect_err(name);
                let said = error.to_string();
                assert!(said.contains("out: ") || said.contains("column src"), "{name}: {said}");
            }
        }
    }
}
