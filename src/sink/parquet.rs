//! Parquet: column chunks are encoded by the workers, and appended in order by the caller's thread.
//!
//! ```text
//!  write(batch) ──▶ one queue a column ──▶ workers: encode, compress ──▶ column chunks
//!                                                                             │ in order
//!                                                    row group, file  ◀───────┘
//! ```
//!
//! A column of a row group is encoded by one worker at a time, batch after batch, so its pages
//! depend on the batches alone; different columns are encoded side by side. A batch counts as
//! waiting until all its columns are encoded, and only so many may wait: memory is bounded, and
//! encoding, the dearest stage, holds the reader back.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::{FieldRef, SchemaRef};
use parquet::arrow::ArrowSchemaConverter;
use parquet::arrow::add_encoded_arrow_schema_to_metadata;
use parquet::arrow::arrow_writer::{
    ArrowColumnChunk, ArrowColumnWriter, ArrowRowGroupWriterFactory, compute_leaves,
};
use parquet::basic::{Compression as Codec, Encoding, GzipLevel, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{
    EnabledStatistics, WriterProperties, WriterPropertiesBuilder, WriterVersion,
};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::ColumnPath;

use super::{Compression, Out, Sink, Spec};
use crate::error::{Error, Result};
use crate::schema::{Column, Storage};
use crate::workers::{Workers, panic_text};

/// A row group ends when its rows came from so many bytes of input text, however few they are.
const MAX_GROUP_TEXT: u64 = 128 << 20;

/// A Parquet file being written.
pub struct ParquetSink {
    path: PathBuf,
    writer: SerializedFileWriter<Out>,
    factory: ArrowRowGroupWriterFactory,
    schema: SchemaRef,
    workers: Workers,
    rows_a_group: usize,
    waiting: Arc<Waiting>,
    group: Option<Group>,
    /// A row group whose columns are being finished.
    closing: Option<Group>,
    groups: u64,
}

/// A row group being encoded.
struct Group {
    columns: Vec<Arc<ColumnQueue>>,
    rows: usize,
    text: u64,
    done: Receiver<(usize, Encoded)>,
}

type Encoded = std::result::Result<Vec<ArrowColumnChunk>, String>;

impl ParquetSink {
    /// Begins a file.
    ///
    /// # Errors
    /// The output cannot be written.
    pub fn new(
        out: Out,
        spec: &Spec,
        schema: SchemaRef,
        workers: Workers,
        most_waiting: usize,
    ) -> Result<ParquetSink> {
        let failed = |error| failed(&spec.path, error);
        let mut properties = properties(&schema, spec).build();
        add_encoded_arrow_schema_to_metadata(&schema, &mut properties);
        let descriptor = ArrowSchemaConverter::new().convert(&schema).map_err(failed)?;
        let writer = SerializedFileWriter::new(out, descriptor.root_schema_ptr(), Arc::new(properties))
            .map_err(failed)?;
        let factory = ArrowRowGroupWriterFactory::new(&writer, schema.clone());
        let waiting =
            Arc::new(Waiting { most: most_waiting.max(1), batches: Mutex::new(0), fewer: Condvar::new() });
        Ok(ParquetSink {
            path: spec.path.clone(),
            writer,
            factory,
            schema,
            workers,
            rows_a_group: spec.row_group_rows,
            waiting,
            group: None,
            closing: None,
            groups: 0,
        })
    }

    fn open_group(&mut self) -> Result<&mut Group> {
        if self.group.is_none() {
            let writers = self
                .factory
                .create_column_writers(self.groups as usize)
                .map_err(|e| failed(&self.path, e))?;
            self.groups += 1;
            let (send, done) = channel();
            self.group =
                Some(Group { columns: columns(&self.schema, writers, &send)?, rows: 0, text: 0, done });
        }
        Ok(self.group.as_mut().expect("opened above"))
    }

    /// Ends the open row group: its columns are finished by the workers, while the next one begins.
    fn close_group(&mut self) -> Result<()> {
        self.append_closing()?;
        if let Some(group) = self.group.take() {
            for column in &group.columns {
                column.push(Message::Close, &self.workers);
            }
            self.closing = Some(group);
        }
        Ok(())
    }

    /// Waits for the row group that is being finished, and appends it to the file.
    fn append_closing(&mut self) -> Result<()> {
        let Some(group) = self.closing.take() else { return Ok(()) };
        let mut encoded: Vec<Option<Vec<ArrowColumnChunk>>> = group.columns.iter().map(|_| None).collect();
        let mut row_group = self.writer.next_row_group().map_err(|error| failed(&self.path, error))?;
        let mut next = 0;
        while next < encoded.len() {
            let (at, chunks) =
                group.done.recv().map_err(|_| Error::output(&self.path, "a worker thread is gone"))?;
            encoded[at] = Some(chunks.map_err(|message| Error::output(&self.path, message))?);
            while let Some(chunks) = encoded.get_mut(next).and_then(Option::take) {
                for chunk in chunks {
                    chunk.append_to_row_group(&mut row_group).map_err(|error| failed(&self.path, error))?;
                }
                next += 1;
            }
        }
        row_group.close().map_err(|error| failed(&self.path, error))?;
        Ok(())
    }
}

impl Sink for ParquetSink {
    fn write(&mut self, rows: &RecordBatch, text_bytes: u64) -> Result<()> {
        let mut from = 0;
        while from < rows.num_rows() {
            self.waiting.wait();
            let (limit, workers, waiting) = (self.rows_a_group, self.workers.clone(), self.waiting.clone());
            let group = self.open_group()?;
            let len = (rows.num_rows() - from).min(limit - group.rows);
            let piece = rows.slice(from, len);
            let ticket = Arc::new(Ticket::new(waiting));
            for (column, array) in group.columns.iter().zip(piece.columns()) {
                column.push(Message::Array(array.clone(), ticket.clone()), &workers);
            }
            group.rows += len;
            group.text += text_bytes * len as u64 / rows.num_rows() as u64;
            from += len;
            if group.rows == limit || group.text >= MAX_GROUP_TEXT {
                self.close_group()?;
            }
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<(Out, u64)> {
        self.close_group()?;
        self.append_closing()?;
        let ParquetSink { path, writer, groups, .. } = *self;
        Ok((writer.into_inner().map_err(|error| failed(&path, error))?, groups))
    }
}

/// How many batches wait to be encoded.
struct Waiting {
    most: usize,
    batches: Mutex<usize>,
    fewer: Condvar,
}

impl Waiting {
    fn wait(&self) {
        let mut batches = self.batches.lock().unwrap_or_else(PoisonError::into_inner);
        while *batches >= self.most {
            batches = self.fewer.wait(batches).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// Held by all columns of a batch that still wait; the last to drop it makes room for another batch.
struct Ticket(Arc<Waiting>);

impl Ticket {
    fn new(waiting: Arc<Waiting>) -> Ticket {
        *waiting.batches.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        Ticket(waiting)
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        *self.0.batches.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        self.0.fewer.notify_one();
    }
}

/// One column of a row group: what waits to be encoded, and by whom it is.
struct ColumnQueue {
    at: usize,
    field: FieldRef,
    state: Mutex<QueueState>,
    writers: Mutex<Vec<ArrowColumnWriter>>,
    done: Sender<(usize, Encoded)>,
}

#[derive(Default)]
struct QueueState {
    messages: VecDeque<Message>,
    /// A worker is at it, or will be.
    taken: bool,
}

enum Message {
    Array(ArrayRef, Arc<Ticket>),
    Close,
}

fn columns(
    schema: &SchemaRef,
    writers: Vec<ArrowColumnWriter>,
    done: &Sender<(usize, Encoded)>,
) -> Result<Vec<Arc<ColumnQueue>>> {
    let mut writers = writers.into_iter();
    let column = |(at, field): (usize, &FieldRef)| {
        let leaves = if field.data_type().is_nested() { leaves(field) } else { 1 };
        Arc::new(ColumnQueue {
            at,
            field: field.clone(),
            state: Mutex::default(),
            writers: Mutex::new(writers.by_ref().take(leaves).collect()),
            done: done.clone(),
        })
    };
    Ok(schema.fields().iter().enumerate().map(column).collect())
}

/// How many Parquet columns a nested column is.
fn leaves(field: &FieldRef) -> usize {
    let empty = arrow::array::new_empty_array(field.data_type());
    compute_leaves(field, &empty).map_or(1, |leaves| leaves.len())
}

impl ColumnQueue {
    fn push(self: &Arc<Self>, message: Message, workers: &Workers) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.messages.push_back(message);
        if !std::mem::replace(&mut state.taken, true) {
            let column = self.clone();
            workers.spawn(move || column.work());
        }
    }

    /// Encodes what waits, until nothing does.
    fn work(&self) {
        loop {
            let message = {
                let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
                match state.messages.pop_front() {
                    Some(message) => message,
                    None => {
                        state.taken = false;
                        return;
                    }
                }
            };
            let work = std::panic::AssertUnwindSafe(|| self.encode(&message));
            let outcome =
                std::panic::catch_unwind(work).unwrap_or_else(|panic| Err(panic_text(panic.as_ref())));
            match outcome {
                Ok(None) => {}
                // Nobody waits any more where the receiver is gone: the run was given up.
                Ok(Some(chunks)) => drop(self.done.send((self.at, Ok(chunks)))),
                Err(message) => drop(self.done.send((self.at, Err(message)))),
            }
        }
    }

    fn encode(&self, message: &Message) -> std::result::Result<Option<Vec<ArrowColumnChunk>>, String> {
        let mut writers = self.writers.lock().unwrap_or_else(PoisonError::into_inner);
        let text = |error: ParquetError| error.to_string();
        match message {
            Message::Array(array, _) => {
                for (leaf, writer) in
                    compute_leaves(&self.field, array).map_err(text)?.iter().zip(writers.iter_mut())
                {
                    writer.write(leaf).map_err(text)?;
                }
                Ok(None)
            }
            Message::Close => {
                let chunks = writers.drain(..).map(ArrowColumnWriter::close);
                chunks.collect::<parquet::errors::Result<Vec<_>>>().map(Some).map_err(text)
            }
        }
    }
}

/// How the file is written, column by column as `schema.rs` says.
fn properties(schema: &SchemaRef, spec: &Spec) -> WriterPropertiesBuilder {
    let metadata =
        spec.metadata.iter().map(|(key, value)| KeyValue::new(key.clone(), value.clone())).collect();
    let mut builder = WriterProperties::builder()
        .set_writer_version(WriterVersion::PARQUET_1_0)
        .set_created_by(concat!("calltable ", env!("CARGO_PKG_VERSION")).to_string())
        .set_key_value_metadata(Some(metadata))
        .set_compression(codec(spec.compression))
        .set_statistics_enabled(EnabledStatistics::None);
    for field in schema.fields() {
        let Some(column) = Column::by_name(field.name()) else { continue };
        let path = ColumnPath::from(field.name().as_str());
        let storage = column.def().storage();
        if storage.statistics {
            builder = builder.set_column_statistics_enabled(path.clone(), EnabledStatistics::Page);
        }
        builder = encoded(builder, path, &storage);
    }
    builder
}

fn encoded(builder: WriterPropertiesBuilder, path: ColumnPath, storage: &Storage) -> WriterPropertiesBuilder {
    use crate::schema::Pages;
    let encoding = match storage.pages {
        Pages::Dictionary => return builder,
        Pages::Plain => Encoding::PLAIN,
        Pages::Deltas => Encoding::DELTA_BINARY_PACKED,
        Pages::SharedPrefixes => Encoding::DELTA_BYTE_ARRAY,
        Pages::Lengths => Encoding::DELTA_LENGTH_BYTE_ARRAY,
    };
    builder.set_column_dictionary_enabled(path.clone(), false).set_column_encoding(path, encoding)
}

fn codec(compression: Compression) -> Codec {
    let zstd = |level| Codec::ZSTD(ZstdLevel::try_new(level).unwrap_or_default());
    match compression {
        Compression::Default => zstd(1),
        Compression::Zstd(level) => zstd(level.unwrap_or(1)),
        Compression::None => Codec::UNCOMPRESSED,
        Compression::Snappy => Codec::SNAPPY,
        Compression::Lz4 => Codec::LZ4_RAW,
        Compression::Gzip => Codec::GZIP(GzipLevel::default()),
    }
}

/// Of an I/O error only the system's sentence is told.
#[cold]
fn failed(path: &Path, error: ParquetError) -> Error {
    match error {
        ParquetError::External(error) => Error::output(path, error),
        error => Error::output(path, error),
    }
}
