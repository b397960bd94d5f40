//! The `.arrow` and `.arrows` outputs: Arrow's IPC file and IPC stream.
//!
//! Knows how a batch must look before Arrow's own writer gets it; must not know where the bytes go,
//! nor how columns come to be. The idea: that writer writes buffers as they are, and ours are made
//! to be shared, not to be written.
//!
//! ```text
//! text   views of all columns ─▶ one arena of some MiB    each column its own bytes, no others
//! dict   what a worker met, in the order it met it        what the batch uses, in order of first use
//! ```
//!
//! Rewritten so, a batch's bytes depend on its rows alone. An IPC file allows one dictionary a
//! column for all batches, so there dict columns become text, whose views share the bytes of equal
//! values; a stream replaces a dictionary whenever it differs.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, DictionaryArray, Int32Array, ListArray, RecordBatch, StringArray,
    StringViewArray,
};
use arrow::buffer::OffsetBuffer;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Int32Type, Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::ipc::CompressionType;
use arrow::ipc::writer::{FileWriter, IpcWriteOptions, StreamWriter};

use crate::error::{Error, Result};

/// Which of Arrow's two forms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `.arrow`: ends with a footer that finds every batch.
    File,
    /// `.arrows`: batches one after another.
    Stream,
}

/// How the buffers are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// Not at all: the file can be mapped into memory.
    None,
    /// LZ4 frames.
    Lz4,
    /// Zstandard, level 1.
    Zstd,
}

/// Writes batches as Arrow IPC.
///
/// Dropped before [`ArrowSink::finish`], it leaves the output without its footer.
pub struct ArrowSink<W: Write> {
    path: PathBuf,
    schema: SchemaRef,
    writer: Writer<W>,
}

enum Writer<W: Write> {
    File(FileWriter<W>),
    Stream(StreamWriter<W>),
}

impl<W: Write> ArrowSink<W> {
    /// Begins an output of batches of `schema`, whose metadata is written too. `out` gets many
    /// small pieces, and should be buffered; `path` names it in errors.
    ///
    /// # Errors
    /// Output: the schema could not be written.
    pub fn new(out: W, path: &Path, schema: &Schema, form: Form, compression: Compression) -> Result<Self> {
        let failed = |e| failed(path, e);
        let options = options(compression).map_err(failed)?;
        let schema = match form {
            Form::File => without_dictionaries(schema),
            Form::Stream => Arc::new(schema.clone()),
        };
        let writer = match form {
            Form::File => FileWriter::try_new_with_options(out, &schema, options).map(Writer::File),
            Form::Stream => StreamWriter::try_new_with_options(out, &schema, options).map(Writer::Stream),
        };
        Ok(ArrowSink { path: path.to_path_buf(), schema, writer: writer.map_err(failed)? })
    }

    /// Writes a batch, as one batch.
    ///
    /// # Errors
    /// Output: it could not be written, or has not the columns of the schema.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        self.try_write(batch).map_err(|e| failed(&self.path, e))
    }

    fn try_write(&mut self, batch: &RecordBatch) -> std::result::Result<(), ArrowError> {
        if batch.num_rows() == 0 {
            return Ok(());
        }
        let dense = |array: &ArrayRef| match &self.writer {
            Writer::File(_) => dense(array).and_then(without_dictionary),
            Writer::Stream(_) => dense(array),
        };
        let columns = batch.columns().iter().map(dense).collect::<std::result::Result<_, _>>()?;
        let batch = RecordBatch::try_new(self.schema.clone(), columns)?;
        match &mut self.writer {
            Writer::File(writer) => writer.write(&batch),
            Writer::Stream(writer) => writer.write(&batch),
        }
    }

    /// Writes the end, flushes, and hands back what was written to.
    ///
    /// # Errors
    /// Output: the end could not be written.
    pub fn finish(self) -> Result<W> {
        let out = match self.writer {
            Writer::File(writer) => writer.into_inner(),
            Writer::Stream(writer) => writer.into_inner(),
        };
        out.map_err(|e| failed(&self.path, e))
    }
}

/// Of an I/O error only the system's sentence is told.
#[cold]
fn failed(path: &Path, error: ArrowError) -> Error {
    match error {
        ArrowError::IoError(_, error) => Error::output(path, error),
        error => Error::output(path, error),
    }
}

fn options(compression: Compression) -> std::result::Result<IpcWriteOptions, ArrowError> {
    let (codec, level) = match compression {
        Compression::None => (None, None),
        Compression::Lz4 => (Some(CompressionType::LZ4_FRAME), None),
        Compression::Zstd => (Some(CompressionType::ZSTD), Some(1)),
    };
    IpcWriteOptions::default().try_with_compression(codec)?.try_with_compression_level(level)
}

fn is_dict(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Dictionary(key, value) if **key == DataType::Int32 && **value == DataType::Utf8)
}

/// The schema with text in place of dict columns.
fn without_dictionaries(schema: &Schema) -> SchemaRef {
    let field = |field: &Arc<Field>| match is_dict(field.data_type()) {
        true => Arc::new(field.as_ref().clone().with_data_type(DataType::Utf8View)),
        false => field.clone(),
    };
    let fields: Vec<_> = schema.fields().iter().map(field).collect();
    Arc::new(Schema::new_with_metadata(fields, schema.metadata().clone()))
}

/// The same values, with no bytes that none of them uses.
fn dense(array: &ArrayRef) -> std::result::Result<ArrayRef, ArrowError> {
    Ok(match array.data_type() {
        DataType::Utf8View => Arc::new(array.as_string_view().gc()),
        DataType::List(field) if *field.data_type() == DataType::Utf8View => {
            Arc::new(dense_list(array.as_list(), field)?)
        }
        kind if is_dict(kind) => Arc::new(dense_dict(array.as_dictionary())?),
        // Of all else Arrow's writer writes what the rows use.
        _ => array.clone(),
    })
}

fn dense_list(list: &ListArray, item: &Arc<Field>) -> std::result::Result<ListArray, ArrowError> {
    let offsets = list.value_offsets();
    let (first, last) = (offsets[0], offsets[list.len()]);
    let texts = list.values().slice(first as usize, (last - first) as usize);
    let offsets = OffsetBuffer::new(offsets.iter().map(|offset| offset - first).collect());
    ListArray::try_new(item.clone(), offsets, Arc::new(texts.as_string_view().gc()), list.nulls().cloned())
}

/// Keeps the texts that the rows use, in the order of their first use.
fn dense_dict(
    dict: &DictionaryArray<Int32Type>,
) -> std::result::Result<DictionaryArray<Int32Type>, ArrowError> {
    const UNUSED: i32 = -1;
    let texts = dict.values().as_string::<i32>();
    let mut new_keys = vec![UNUSED; texts.len()];
    let mut used = Vec::new();
    let renumber = |key: Option<i32>| {
        let key = key.map(|key| key as usize).filter(|&key| texts.is_valid(key))?;
        if new_keys[key] == UNUSED {
            new_keys[key] = used.len() as i32;
            used.push(texts.value(key));
        }
        Some(new_keys[key])
    };
    let keys: Int32Array = dict.keys().iter().map(renumber).collect();
    DictionaryArray::try_new(keys, Arc::new(StringArray::from_iter_values(used)))
}

/// A dict column as text whose views share the dictionary's bytes, unless separate ones are fewer:
/// short texts stand in their views.
fn without_dictionary(array: ArrayRef) -> std::result::Result<ArrayRef, ArrowError> {
    if !is_dict(array.data_type()) {
        return Ok(array);
    }
    let array = cast(&array, &DataType::Utf8View)?;
    let texts: &StringViewArray = array.as_string_view();
    let shared: usize = texts.data_buffers().iter().map(|buffer| buffer.len()).sum();
    Ok(if texts.total_buffer_bytes_used() < shared { Arc::new(texts.gc()) } else { array })
}

#[cfg(test)]
mod tests {
    use std::io::{self, Cursor};

    use arrow::array::{BooleanArray, Int64Array, StringViewBuilder, new_null_array};
    use arrow::buffer::Buffer;
    use arrow::ipc::reader::{FileReader, StreamReader};

    use super::*;
    use crate::schema::{TimeKind, schema};
    use crate::sink::cells::samples::{batch, dict, list, map, text, times};

    const FORMS: [Form; 2] = [Form::File, Form::Stream];
    const LONG: &str = "longer than the twelve bytes of a view";

    fn sink(schema: &Schema, form: Form, compression: Compression) -> ArrowSink<Vec<u8>> {
        ArrowSink::new(Vec::new(), Path::new("out"), schema, form, compression).unwrap()
    }

    fn written(batches: &[RecordBatch], form: Form) -> Vec<u8> {
        let mut sink = sink(&batches[0].schema(), form, Compression::None);
        batches.iter().for_each(|batch| sink.write(batch).unwrap());
        sink.finish().unwrap()
    }

    fn read(bytes: Vec<u8>, form: Form) -> std::result::Result<(SchemaRef, Vec<RecordBatch>), ArrowError> {
        let bytes = Cursor::new(bytes);
        match form {
            Form::File => {
                FileReader::try_new(bytes, None).map(|file| (file.schema(), file.flatten().collect()))
            }
            Form::Stream => {
                StreamReader::try_new(bytes, None).map(|all| (all.schema(), all.flatten().collect()))
            }
        }
    }

    /// The batch as a form shows it: in a file, dict columns are text.
    fn shown(batch: &RecordBatch, form: Form) -> RecordBatch {
        if form == Form::Stream {
            return batch.clone();
        }
        let schema = without_dictionaries(&batch.schema());
        let cast_to = |(array, field): (&ArrayRef, &Arc<Field>)| cast(array, field.data_type()).unwrap();
        let columns = batch.columns().iter().zip(schema.fields()).map(cast_to).collect();
        RecordBatch::try_new(schema, columns).unwrap()
    }

    #[track_caller]
    fn check(batches: &[RecordBatch]) {
        for form in FORMS {
            let (_, read) = read(written(batches, form), form).unwrap();
            let expected: Vec<_> = batches.iter().map(|batch| shown(batch, form)).collect();
            assert_eq!(read, expected, "{form:?}");
        }
    }

    /// A batch of every kind of column.
    fn every_kind() -> RecordBatch {
        batch(vec![
            text(&[Some("a"), None, Some(LONG)]),
            dict(&[Some("x"), None, Some(LONG)]),
            Arc::new(BooleanArray::from(vec![Some(true), None, Some(false)])),
            Arc::new(Int64Array::from(vec![Some(1), None, Some(3)])),
            times(&[1, 2, 3], false),
            times(&[1, 2, 3], true),
            list(&[Some(&["1", LONG]), None, Some(&["3"])]),
            map(&[None, Some(&[("k", "v"), ("l", LONG)]), Some(&[])]),
        ])
    }

    /// So many columns whose texts, 40 bytes each, lie side by side in one arena.
    fn over_one_arena(columns: usize, rows: usize) -> RecordBatch {
        let arena = Buffer::from(vec![b'x'; columns * rows * 40]);
        let column = |column: usize| -> ArrayRef {
            let mut texts = StringViewBuilder::new();
            let block = texts.append_block(arena.clone());
            for row in 0..rows {
                texts.try_append_view(block, ((row * columns + column) * 40) as u32, 40).unwrap();
            }
            Arc::new(texts.finish())
        };
        batch((0..columns).map(column).collect())
    }

    #[test]
    fn every_kind_of_column_reads_back() {
        check(&[every_kind()]);
    }

    #[test]
    fn slices_read_back() {
        let all = every_kind();
        check(&[all.slice(1, 2), all.slice(0, 1), all.slice(2, 1), all.slice(0, 3)]);
    }

    #[test]
    fn dictionaries_may_differ_from_batch_to_batch() {
        let of = |texts: &[Option<&str>]| batch(vec![dict(texts), dict(texts)]);
        check(&[
            of(&[Some("a"), Some("b")]),
            of(&[Some("b")]),
            of(&[None]),
            of(&[Some(LONG), Some("a"), Some(LONG)]),
        ]);
    }

    #[test]
    fn nothing_but_nulls_reads_back() {
        let schema = schema(TimeKind::Instant);
        let fields = schema.fields().iter().map(|field| field.as_ref().clone().with_nullable(true));
        let columns = schema.fields().iter().map(|field| new_null_array(field.data_type(), 2)).collect();
        check(&[RecordBatch::try_new(Arc::new(Schema::new(fields.collect::<Vec<_>>())), columns).unwrap()]);
    }

    #[test]
    fn a_table_without_rows_has_its_schema() {
        for form in FORMS {
            let empty = RecordBatch::new_empty(schema(TimeKind::WallClock));
            let (schema, batches) = read(written(&[empty], form), form).unwrap();
            assert_eq!((schema.fields().len(), batches.len()), (crate::schema::Column::COUNT, 0));
        }
    }

    #[test]
    fn an_arena_is_not_written_for_each_column() {
        let (columns, rows) = (30, 1000);
        let used = columns * rows * (16 + 40);
        for form in FORMS {
            let len = written(&[over_one_arena(columns, rows)], form).len();
            assert!((used..used + used / 50).contains(&len), "{form:?}: {len} for {used}");
        }
    }

    #[test]
    fn slices_together_are_as_long_as_the_whole() {
        let whole = over_one_arena(3, 10_000);
        let slices: Vec<_> = (0..10).map(|at| whole.slice(at * 1000, 1000)).collect();
        for form in FORMS {
            let (one, ten) =
                (written(std::slice::from_ref(&whole), form).len(), written(&slices, form).len());
            assert!(ten < one + one / 50, "{form:?}: {ten} against {one}");
        }
    }

    #[test]
    fn equal_values_of_a_dictionary_share_their_bytes() {
        let values = batch(vec![dict(&[Some(LONG); 10_000])]);
        assert!(written(std::slice::from_ref(&values), Form::File).len() < 10_000 * 16 + 2000);
        assert!(written(&[values], Form::Stream).len() < 10_000 * 4 + 2000);
    }

    #[test]
    fn short_values_of_a_dictionary_stand_in_their_views() {
        let array = without_dictionary(dense(&dict(&[Some("a"), Some("b")])).unwrap()).unwrap();
        assert!(array.as_string_view().data_buffers().is_empty());
    }

    #[test]
    fn the_bytes_do_not_tell_how_a_dictionary_came_to_be() {
        let of = |keys: Vec<i32>, texts: Vec<&str>| -> ArrayRef {
            Arc::new(DictionaryArray::new(Int32Array::from(keys), Arc::new(StringArray::from(texts))))
        };
        let (lean, fat) = (of(vec![0, 1, 0], vec![LONG, "b"]), of(vec![2, 0, 2], vec!["b", "unused", LONG]));
        for form in FORMS {
            assert_eq!(
                written(&[batch(vec![lean.clone()])], form),
                written(&[batch(vec![fat.clone()])], form)
            );
        }
    }

    #[test]
    fn metadata_is_written_and_the_same_each_time() {
        let pairs: Vec<_> = ('a'..='z').map(|key| (key.to_string(), "value".to_string())).collect();
        for form in FORMS {
            let write = || {
                let schema = Schema::empty().with_metadata(pairs.iter().cloned().collect());
                sink(&schema, form, Compression::None).finish().unwrap()
            };
            assert_eq!(write(), write());
            assert_eq!(read(write(), form).unwrap().0.metadata(), &pairs.iter().cloned().collect());
        }
    }

    #[test]
    fn compressed_batches_read_back_and_are_smaller() {
        let batch = over_one_arena(3, 1000);
        for form in FORMS {
            for compression in [Compression::Lz4, Compression::Zstd] {
                let mut sink = sink(&batch.schema(), form, compression);
                sink.write(&batch).unwrap();
                let bytes = sink.finish().unwrap();
                assert!(bytes.len() < 3 * 1000 * 40);
                assert_eq!(read(bytes, form).unwrap().1, std::slice::from_ref(&batch));
            }
        }
    }

    /// A disk that is full after so many bytes.
    struct Disk<'a> {
        room: usize,
        held: &'a mut Vec<u8>,
    }

    impl Write for Disk<'_> {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if self.held.len() + bytes.len() > self.room {
                return Err(io::ErrorKind::StorageFull.into());
            }
            self.held.extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_full_disk_is_told_in_the_systems_words() {
        let (schema, mut held) = (every_kind().schema(), Vec::new());
        let whole = written(&[every_kind()], Form::File).len();
        for room in [0, whole / 2, whole - 1] {
            held.clear();
            let disk = Disk { room, held: &mut held };
            let error = ArrowSink::new(disk, Path::new("out"), &schema, Form::File, Compression::None)
                .and_then(|mut sink| sink.write(&every_kind()).and_then(|()| sink.finish()).map(drop))
                .unwrap_err();
            assert_eq!(error.to_string(), "out: no storage space", "after {room} of {whole} bytes");
        }
    }

    #[test]
    fn dropped_it_has_no_footer() {
        for form in FORMS {
            let (mut held, whole) = (Vec::new(), written(&[every_kind()], form));
            let disk = Disk { room: usize::MAX, held: &mut held };
            let schema = every_kind().schema();
            let mut sink = ArrowSink::new(disk, Path::new("out"), &schema, form, Compression::None).unwrap();
            sink.write(&every_kind()).unwrap();
            drop(sink);
            assert!(held.len() < whole.len() && whole.starts_with(&held));
        }
    }

    #[test]
    fn a_batch_of_other_columns_is_refused() {
        let mut sink = sink(&every_kind().schema(), Form::Stream, Compression::None);
        let error = sink.write(&batch(vec![text(&[Some("a")])])).unwrap_err();
        assert!(error.to_string().starts_with("out: "), "{error}");
    }
}
