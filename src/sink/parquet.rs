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
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::{DataType, FieldRef, SchemaRef};
use parquet::arrow::ArrowSchemaConverter;
use parquet::arrow::add_encoded_arrow_schema_to_metadata;
use parquet::basic::{Compression as Codec, Encoding, GzipLevel, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{
    EnabledStatistics, WriterProperties, WriterPropertiesBuilder, WriterVersion,
};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::ColumnPath;

use super::encoder::{Chunk, Encoder, Encoders, is_own};
use super::room::{Room, Ticket};
use super::{Compression, Kind, Out, Sink, Spec};
use crate::error::{Error, Result};
use crate::prepared::Prepared;
use crate::schema::{Column, Pages, Storage};
use crate::workers::{Workers, receive, unbroken};

/// A row group ends when its rows came from so many bytes of input text, however few they are.
const MAX_GROUP_TEXT: u64 = 128 << 20;

/// A Parquet file being written.
pub struct ParquetSink {
    path: PathBuf,
    writer: SerializedFileWriter<Out>,
    encoders: Encoders,
    schema: SchemaRef,
    workers: Workers,
    rows_a_group: usize,
    room: Arc<Room>,
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
    /// Batches that wait for others, because each alone is too small to wake the workers for.
    held: Option<Arc<Ticket>>,
    done: Receiver<(usize, Encoded)>,
}

/// Batches wake the workers when together they have so many rows, or come from so many bytes of text.
const WAKE_ROWS: usize = 1024;
const WAKE_TEXT: u64 = 512 << 10;

type Encoded = std::result::Result<Vec<Chunk>, String>;

/// Whether text columns may come prepared: where they are encoded by ourselves.
pub fn takes_prepared(kind: Kind, compression: Compression) -> bool {
    kind == Kind::Parquet && is_own(codec(compression))
}

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
        room: &Arc<Room>,
    ) -> Result<ParquetSink> {
        let failed = |error| failed(&spec.path, error);
        let mut properties = properties(&schema, spec).build();
        add_encoded_arrow_schema_to_metadata(&schema, &mut properties);
        let properties = Arc::new(properties);
        let descriptor = ArrowSchemaConverter::new().convert(&schema).map_err(failed)?;
        let codec = codec(spec.compression);
        let encoders = Encoders::new(&schema, &descriptor, &properties, codec).map_err(failed)?;
        let writer =
            SerializedFileWriter::new(out, descriptor.root_schema_ptr(), properties).map_err(failed)?;
        Ok(ParquetSink {
            path: spec.path.clone(),
            writer,
            encoders,
            schema,
            workers,
            rows_a_group: spec.row_group_rows,
            room: room.clone(),
            group: None,
            closing: None,
            groups: 0,
        })
    }

    fn open_group(&mut self) -> Result<&mut Group> {
        if self.group.is_none() {
            let encoders =
                self.encoders.begin(self.groups as usize).map_err(|error| failed(&self.path, error))?;
            self.groups += 1;
            let (send, done) = channel();
            let columns = columns(&self.schema, encoders, &send);
            self.group = Some(Group { columns, rows: 0, text: 0, held: None, done });
        }
        Ok(self.group.as_mut().expect("opened above"))
    }

    /// Ends the open row group: its columns are finished by the workers, while the next one begins.
    fn end_group(&mut self) -> Result<()> {
        self.settle()?;
        if let Some(mut group) = self.group.take() {
            group.held = None;
            for column in &group.columns {
                column.push(Message::Close);
                column.wake(&self.workers);
            }
            self.closing = Some(group);
        }
        Ok(())
    }

    /// Appends a finished row group to the file, its columns as they come.
    fn append(&mut self, group: Group) -> Result<()> {
        let mut encoded: Vec<Option<Vec<Chunk>>> = group.columns.iter().map(|_| None).collect();
        let mut row_group = self.writer.next_row_group().map_err(|error| failed(&self.path, error))?;
        let mut next = 0;
        while next < encoded.len() {
            let (at, chunks) =
                receive(&group.done).map_err(|_| Error::output(&self.path, "a worker thread is gone"))?;
            encoded[at] = Some(chunks.map_err(|message| Error::output(&self.path, message))?);
            while let Some(chunks) = encoded.get_mut(next).and_then(Option::take) {
                for chunk in chunks {
                    let appended = match chunk {
                        Chunk::Crate(chunk) => chunk.append_to_row_group(&mut row_group),
                        Chunk::Own(chunk) => row_group.append_column(&chunk.bytes, chunk.close),
                    };
                    appended.map_err(|error| failed(&self.path, error))?;
                }
                next += 1;
            }
        }
        row_group.close().map_err(|error| failed(&self.path, error))?;
        Ok(())
    }
}

impl Sink for ParquetSink {
    fn write(&mut self, rows: &RecordBatch, prepared: &[Option<Prepared>], text_bytes: u64) -> Result<()> {
        let mut from = 0;
        while from < rows.num_rows() {
            let (limit, workers, room) = (self.rows_a_group, self.workers.clone(), self.room.clone());
            let group = self.open_group()?;
            let len = (rows.num_rows() - from).min(limit - group.rows);
            let text = text_bytes * len as u64 / rows.num_rows() as u64;
            let (ticket, is_enough) = group.hold(len, text, &room);
            let is_whole = len == rows.num_rows();
            for (at, (column, array)) in group.columns.iter().zip(rows.columns()).enumerate() {
                let values = match prepared.get(at) {
                    Some(Some(prepared)) => Values::Prepared(prepared.slice(from, len)),
                    _ if is_whole => Values::Array(array.clone()),
                    _ => Values::Array(array.slice(from, len)),
                };
                column.push(Message::Values { values, _ticket: ticket.clone() });
                if is_enough {
                    column.wake(&workers);
                }
            }
            group.rows += len;
            group.text += text;
            from += len;
            if group.rows == limit || group.text >= MAX_GROUP_TEXT {
                self.end_group()?;
            }
        }
        Ok(())
    }

    fn wake(&mut self) {
        let Some(group) = &mut self.group else { return };
        if group.held.take().is_some() {
            group.columns.iter().for_each(|column| column.wake(&self.workers));
        }
    }

    fn group_text(&self) -> u64 {
        self.group.as_ref().map_or(0, |group| group.text)
    }

    fn close_group(&mut self) -> Result<()> {
        self.end_group()
    }

    fn is_closing(&self) -> bool {
        self.closing.is_some()
    }

    fn settle(&mut self) -> Result<()> {
        self.closing.take().map_or(Ok(()), |group| self.append(group))
    }

    fn finish(mut self: Box<Self>) -> Result<(Out, u64)> {
        self.end_group()?;
        self.settle()?;
        let ParquetSink { path, writer, groups, .. } = *self;
        Ok((writer.into_inner().map_err(|error| failed(&path, error))?, groups))
    }
}

impl Group {
    /// The place of a batch of so many rows among those that wait, and whether the workers are to be woken
    /// for all that it has. Blocks while too much waits.
    fn hold(&mut self, rows: usize, text: u64, room: &Arc<Room>) -> (Arc<Ticket>, bool) {
        let ticket = self.held.take().unwrap_or_else(|| room.enter());
        let (rows, text) = ticket.add(rows, text);
        let is_enough = rows >= WAKE_ROWS || text >= WAKE_TEXT;
        self.held = Some(ticket.clone()).filter(|_| !is_enough);
        (ticket, is_enough)
    }
}

/// One column of a row group: what waits to be encoded, and by whom it is.
struct ColumnQueue {
    at: usize,
    field: FieldRef,
    state: Mutex<QueueState>,
    encoder: Mutex<Encoder>,
    done: Sender<(usize, Encoded)>,
}

#[derive(Default)]
struct QueueState {
    messages: VecDeque<Message>,
    /// A worker is at it, or will be.
    taken: bool,
}

/// Values of one column.
enum Values {
    Array(ArrayRef),
    Prepared(Prepared),
}

enum Message {
    /// The ticket is dropped with the message, when the values are encoded.
    Values {
        values: Values,
        _ticket: Arc<Ticket>,
    },
    Close,
}

/// The queues of a row group's columns.
fn columns(
    schema: &SchemaRef,
    encoders: Vec<Encoder>,
    done: &Sender<(usize, Encoded)>,
) -> Vec<Arc<ColumnQueue>> {
    let column = |(at, (field, encoder)): (usize, (&FieldRef, Encoder))| {
        let (field, done) = (field.clone(), done.clone());
        Arc::new(ColumnQueue { at, field, state: Mutex::default(), encoder: Mutex::new(encoder), done })
    };
    schema.fields().iter().zip(encoders).enumerate().map(column).collect()
}

impl ColumnQueue {
    fn push(&self, message: Message) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).messages.push_back(message);
    }

    /// Has a worker encode what waits.
    fn wake(self: &Arc<Self>, workers: &Workers) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
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
            match unbroken(|| self.encode(&message)).flatten() {
                Ok(None) => {}
                // Nobody waits any more where the receiver is gone: the run was given up.
                Ok(Some(chunks)) => drop(self.done.send((self.at, Ok(chunks)))),
                Err(message) => drop(self.done.send((self.at, Err(message)))),
            }
        }
    }

    fn encode(&self, message: &Message) -> std::result::Result<Option<Vec<Chunk>>, String> {
        let mut encoder = self.encoder.lock().unwrap_or_else(PoisonError::into_inner);
        let outcome = match message {
            Message::Values { values: Values::Array(array), .. } => encoder.write(array).map(|()| None),
            Message::Values { values: Values::Prepared(prepared), .. } => {
                encoder.write_prepared(prepared).map(|()| None)
            }
            Message::Close => std::mem::replace(&mut *encoder, Encoder::none(&self.field)).close().map(Some),
        };
        outcome.map_err(|error| error.to_string())
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
        let mut path = vec![field.name().clone()];
        if let DataType::List(item) = field.data_type() {
            path.extend(["list".to_string(), item.name().clone()]);
        }
        let path = ColumnPath::new(path);
        let storage = column.def().storage();
        if storage.statistics {
            builder = builder.set_column_statistics_enabled(path.clone(), EnabledStatistics::Page);
        }
        builder = encoded(builder, path, &storage);
    }
    builder
}

fn encoded(builder: WriterPropertiesBuilder, path: ColumnPath, storage: &Storage) -> WriterPropertiesBuilder {
    let encoding = match storage.pages {
        Pages::Dictionary | Pages::Repeated => return builder,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{TimeKind, project};
    use crate::sink::publish::Staged;
    use crate::sink::{Kind, open};
    use arrow::array::{
        DictionaryArray, Int32Array, Int64Array, StringViewArray, TimestampMicrosecondArray, UInt16Array,
        UInt32Array,
    };
    use arrow::compute::concat_batches;
    use arrow::datatypes::Int32Type;
    use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
    use parquet::file::reader::FileReader;
    use parquet::file::serialized_reader::SerializedFileReader;
    use proptest::prelude::*;

    /// One column a way of storing them (`vendor` and `source_offset` are never null).
    const STORED: [Column; 10] = [
        Column::Vendor,
        Column::Lastapp,
        Column::Src,
        Column::Uniqueid,
        Column::CallId,
        Column::Duration,
        Column::Start,
        Column::SourceOffset,
        Column::ChannelPort,
        Column::SubIndex,
    ];

    /// A batch of those columns, as the sink gets them.
    fn batch(texts: &[Option<String>]) -> RecordBatch {
        let required: DictionaryArray<Int32Type> =
            texts.iter().map(|text| Some(text.as_deref().unwrap_or("none"))).collect();
        let nullable: DictionaryArray<Int32Type> = texts.iter().map(|text| text.as_deref()).collect();
        let views: StringViewArray = texts.iter().map(|text| text.as_deref()).collect();
        // Numbers of every width, the least and the greatest among them.
        let number = |text: &Option<String>| {
            let bytes = text.as_deref()?.bytes();
            Some(bytes.fold(0, |number: i64, byte| number.wrapping_mul(1 << 9).wrapping_add(byte.into())))
        };
        let wide = |text: &Option<String>| match text.as_deref() {
            Some("a") => Some(i64::MIN),
            Some("b") => Some(i64::MAX),
            _ => number(text),
        };
        let narrow = |text: &Option<String>| match text.as_deref() {
            Some("a") => Some(i32::MIN),
            Some("b") => Some(i32::MAX),
            _ => number(text).map(|number| number as i32),
        };
        let columns: [ArrayRef; 10] = [
            Arc::new(required),
            Arc::new(nullable),
            Arc::new(views.clone()),
            Arc::new(views.clone()),
            Arc::new(views),
            Arc::new(texts.iter().map(narrow).collect::<Int32Array>()),
            Arc::new(texts.iter().map(wide).collect::<TimestampMicrosecondArray>()),
            Arc::new(texts.iter().map(|text| Some(wide(text).unwrap_or(7))).collect::<Int64Array>()),
            Arc::new(texts.iter().map(|text| number(text).map(|n| n as u16)).collect::<UInt16Array>()),
            Arc::new(texts.iter().map(|text| narrow(text).map(|n| n as u32)).collect::<UInt32Array>()),
        ];
        RecordBatch::try_new(project(&STORED, TimeKind::WallClock), columns.to_vec()).unwrap()
    }

    /// Writes the batches, once by our own encoder and once by the crate's, and reads both back.
    fn check(batches: &[RecordBatch], row_group_rows: usize) {
        let folder = tempfile::tempdir().unwrap();
        let schema = batches[0].schema();
        let expected = concat_batches(&schema, batches).unwrap();
        // Snappy is not encoded by ourselves: the crate's writer is the slow twin.
        for (name, compression) in
            [("own", Compression::Default), ("plain", Compression::None), ("twin", Compression::Snappy)]
        {
            let path = folder.path().join(name);
            let spec = Spec {
                path: path.clone(),
                kind: Kind::Parquet,
                compression,
                row_group_rows,
                metadata: Vec::new(),
            };
            let out = Out::Staged(Box::new(Staged::create(&path, false).unwrap()));
            let mut sink =
                open(out, &spec, schema.clone(), &Workers::new(2).unwrap(), &Room::new(2)).unwrap();
            batches.iter().for_each(|batch| sink.write(batch, &[], 100).unwrap());
            let (out, groups) = sink.finish().unwrap();
            out.publish().unwrap();
            assert_eq!(groups as usize, expected.num_rows().div_ceil(row_group_rows));
            let file = std::fs::File::open(&path).unwrap();
            let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap();
            let read: Vec<RecordBatch> = reader.map(|batch| batch.unwrap()).collect();
            let read = concat_batches(&schema, &read).unwrap();
            for (ours, theirs) in read.columns().iter().zip(expected.columns()) {
                assert_eq!(&values(ours), &values(theirs), "{name}");
            }
        }
        same_statistics(&folder.path().join("own"), &folder.path().join("twin"));
    }

    /// A column's values, whatever codes a dictionary gives them.
    fn values(array: &ArrayRef) -> ArrayRef {
        match array.data_type() {
            DataType::Dictionary(..) => arrow::compute::cast(array, &DataType::Utf8).unwrap(),
            _ => array.clone(),
        }
    }

    fn same_statistics(ours: &Path, theirs: &Path) {
        let open = |path: &Path| SerializedFileReader::new(std::fs::File::open(path).unwrap()).unwrap();
        let (ours, theirs) = (open(ours), open(theirs));
        for (ours, theirs) in ours.metadata().row_groups().iter().zip(theirs.metadata().row_groups()) {
            assert_eq!(ours.num_rows(), theirs.num_rows());
            for (ours, theirs) in ours.columns().iter().zip(theirs.columns()) {
                let (ours, theirs) = (ours.statistics().unwrap(), theirs.statistics().unwrap());
                assert_eq!(ours.null_count_opt(), theirs.null_count_opt());
                // The crate cuts long values; ours are whole, or not told.
                if theirs.min_is_exact() && theirs.max_is_exact() && ours.min_bytes_opt().is_some() {
                    assert_eq!(ours.min_bytes_opt(), theirs.min_bytes_opt());
                    assert_eq!(ours.max_bytes_opt(), theirs.max_bytes_opt());
                }
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn own_pages_read_back_as_the_crates_do(
            batches in proptest::collection::vec(
                proptest::collection::vec(proptest::option::of("[ab]{0,3}|[a-z]{10,30}|é{6}"), 1..300), 1..5),
            row_group_rows in 1usize..700,
        ) {
            check(&batches.iter().map(|texts| batch(texts)).collect::<Vec<_>>(), row_group_rows);
        }
    }

    #[test]
    fn a_dictionary_that_grows_too_large_goes_on_plain() {
        let distinct = |from: usize| {
            (0..30_000).map(|at| Some(format!("a text of its own, number {}", from + at))).collect::<Vec<_>>()
        };
        check(
            &[batch(&distinct(0)), batch(&distinct(20_000)), batch(&[None, Some("x".repeat(5000))])],
            250_000,
        );
    }

    #[test]
    fn a_column_without_a_value_is_read_back() {
        check(&[batch(&vec![None; 25_000])], 10_000);
    }
}
