//! Rows as columns again, from the bytes that `row.rs` writes and describes.
//!
//! The bytes have been on disk: what is no row is told, and nothing is taken on trust.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, DictionaryArray, Int32Array, Int64Builder, ListArray, MapArray, NullBufferBuilder, RecordBatch,
    StringArray, StructArray,
};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Int32Type, SchemaRef};
use arrow::error::ArrowError;
use foldhash::fast::RandomState;
use hashbrown::HashMap;

use super::row::Form;
use crate::error::Result;

/// Columns that grow by rows.
pub struct Builders {
    schema: SchemaRef,
    columns: Vec<Builder>,
}

enum Builder {
    /// Text columns, and those with a dictionary.
    Text(Texts),
    Number(Int64Builder),
    Many {
        offsets: Vec<i32>,
        nulls: NullBufferBuilder,
        texts: Vec<Texts>,
    },
}

/// Texts one behind the other. That they are UTF-8 is asked of all at once.
struct Texts {
    bytes: Vec<u8>,
    offsets: Vec<i32>,
    nulls: NullBufferBuilder,
}

impl Builders {
    /// No rows yet.
    ///
    /// # Errors
    /// Usage: a column is of a type that the table has not.
    pub fn new(schema: &SchemaRef) -> Result<Builders> {
        let columns = schema.fields().iter().map(|field| Form::of(field).map(Builder::new));
        Ok(Builders { columns: columns.collect::<Result<_>>()?, schema: schema.clone() })
    }

    /// Appends a row; none where these are not the bytes of one.
    pub fn push(&mut self, row: &[u8]) -> Option<()> {
        let mut row = Row(row);
        self.columns.iter_mut().try_for_each(|column| column.push(&mut row))?;
        row.0.is_empty().then_some(())
    }

    /// The rows, in columns of the schema's types. A dictionary has its texts in the order of their first row.
    ///
    /// # Errors
    /// Values are not what the schema says, which those of a batch of it are.
    pub fn finish(self) -> std::result::Result<RecordBatch, ArrowError> {
        let columns = self.columns.into_iter().zip(self.schema.fields());
        let columns = columns.map(|(column, field)| column.finish(field.data_type()));
        RecordBatch::try_new(self.schema.clone(), columns.collect::<std::result::Result<_, _>>()?)
    }
}

impl Builder {
    fn new(form: Form) -> Builder {
        let many = |texts| Builder::Many {
            offsets: vec![0],
            nulls: NullBufferBuilder::new(0),
            texts: (0..texts).map(|_| Texts::new()).collect(),
        };
        match form {
            Form::Text | Form::Dict => Builder::Text(Texts::new()),
            Form::Number => Builder::Number(Int64Builder::new()),
            Form::List => many(1),
            Form::Map => many(2),
        }
    }

    fn push(&mut self, row: &mut Row<'_>) -> Option<()> {
        match self {
            Builder::Text(texts) => texts.push(row.text()?)?,
            Builder::Number(numbers) => numbers.append_option(row.number()?),
            Builder::Many { offsets, nulls, texts } => {
                let count = row.length()?.checked_sub(1);
                for _ in 0..count.unwrap_or(0) {
                    texts.iter_mut().try_for_each(|texts| texts.push(row.text()?))?;
                }
                nulls.append(count.is_some());
                offsets.push(i32::try_from(texts.first()?.offsets.len() - 1).ok()?);
            }
        }
        Some(())
    }

    fn finish(self, data_type: &DataType) -> std::result::Result<ArrayRef, ArrowError> {
        match self {
            Builder::Text(texts) if matches!(data_type, DataType::Dictionary(..)) => {
                Ok(Arc::new(dictionary(&texts.finish()?)?))
            }
            Builder::Text(texts) => cast(&texts.finish()?, data_type),
            Builder::Number(mut numbers) => cast(&numbers.finish(), data_type),
            Builder::Many { offsets, mut nulls, texts } => {
                let texts = texts.into_iter().map(Texts::finish).collect::<std::result::Result<_, _>>()?;
                many(OffsetBuffer::new(offsets.into()), nulls.finish(), texts, data_type)
            }
        }
    }
}

impl Texts {
    fn new() -> Texts {
        Texts { bytes: Vec::new(), offsets: vec![0], nulls: NullBufferBuilder::new(0) }
    }

    fn push(&mut self, text: Option<&[u8]>) -> Option<()> {
        self.bytes.extend_from_slice(text.unwrap_or_default());
        self.offsets.push(i32::try_from(self.bytes.len()).ok()?);
        self.nulls.append(text.is_some());
        Some(())
    }

    fn finish(mut self) -> std::result::Result<StringArray, ArrowError> {
        let offsets = OffsetBuffer::new(self.offsets.into());
        StringArray::try_new(offsets, self.bytes.into(), self.nulls.finish())
    }
}

/// Each text once, in the order of its first row.
fn dictionary(texts: &StringArray) -> std::result::Result<DictionaryArray<Int32Type>, ArrowError> {
    let mut words = Vec::new();
    let mut codes: HashMap<&str, i32, RandomState> = HashMap::default();
    // Rows that stand together have much in common.
    let mut last = None;
    let mut code = |text| match last {
        Some((known, code)) if known == text => code,
        _ => {
            let code = *codes.entry(text).or_insert_with(|| {
                words.push(text);
                words.len() as i32 - 1
            });
            last = Some((text, code));
            code
        }
    };
    let codes: Int32Array = texts.iter().map(|text| text.map(&mut code)).collect();
    DictionaryArray::try_new(codes, Arc::new(StringArray::from_iter_values(words)))
}

/// A list or a map of these texts.
fn many(
    offsets: OffsetBuffer<i32>,
    nulls: Option<NullBuffer>,
    texts: Vec<StringArray>,
    data_type: &DataType,
) -> std::result::Result<ArrayRef, ArrowError> {
    let typed = |fields: &[Arc<Field>]| -> std::result::Result<Vec<ArrayRef>, ArrowError> {
        texts.iter().zip(fields).map(|(texts, field)| cast(texts, field.data_type())).collect()
    };
    match data_type {
        DataType::List(item) => {
            let texts = typed(std::slice::from_ref(item))?.swap_remove(0);
            Ok(Arc::new(ListArray::try_new(item.clone(), offsets, texts, nulls)?))
        }
        DataType::Map(entries, sorted) => {
            let DataType::Struct(fields) = entries.data_type() else { unreachable!("`Form::of` has looked") };
            let pairs = StructArray::try_new(fields.clone(), typed(fields)?, None)?;
            Ok(Arc::new(MapArray::try_new(entries.clone(), offsets, pairs, nulls, *sorted)?))
        }
        _ => unreachable!("`Form::of` has looked"),
    }
}

/// What is left of a row; each step is none where the bytes do not have what is asked for.
struct Row<'a>(&'a [u8]);

impl<'a> Row<'a> {
    fn text(&mut self) -> Option<Option<&'a [u8]>> {
        let Some(length) = self.length()?.checked_sub(1) else { return Some(None) };
        self.take(length).map(Some)
    }

    fn number(&mut self) -> Option<Option<i64>> {
        let Some(count) = self.length()?.checked_sub(1) else { return Some(None) };
        let bytes = self.take(count)?;
        let mut number = [0; 8];
        number.get_mut(..bytes.len())?.copy_from_slice(bytes);
        let unsigned = u64::from_le_bytes(number);
        Some(Some((unsigned >> 1) as i64 ^ -((unsigned & 1) as i64)))
    }

    fn length(&mut self) -> Option<u64> {
        let mut length = 0;
        for shift in (0..64).step_by(7) {
            let (&byte, rest) = self.0.split_first()?;
            self.0 = rest;
            length |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(length);
            }
        }
        None
    }

    fn take(&mut self, length: u64) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(usize::try_from(length).ok()?)?;
        self.0 = rest;
        Some(taken)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::sort::row::{Columns, append_number};
    use crate::sort::samples::{self, Sample};

    fn bytes(batch: &RecordBatch) -> Vec<Vec<u8>> {
        let columns = Columns::of(batch).unwrap();
        let row = |row| {
            let mut out = Vec::new();
            columns.append(row, &mut out);
            out
        };
        (0..batch.num_rows()).map(row).collect()
    }

    proptest! {
        #[test]
        fn rows_read_back_and_are_equal_only_if_their_bytes_are(
            rows in prop::collection::vec(samples::row(), 0..30),
            cut in 0usize..30,
        ) {
            let batch = samples::batch(&rows);
            let bytes = bytes(&batch);
            let mut builders = Builders::new(&batch.schema()).unwrap();
            bytes.iter().for_each(|row| builders.push(row).unwrap());
            prop_assert_eq!(&samples::rows(&builders.finish().unwrap()), &rows);
            for (one, one_bytes) in rows.iter().zip(&bytes) {
                for (other, other_bytes) in rows.iter().zip(&bytes) {
                    prop_assert_eq!(one == other, one_bytes == other_bytes);
                }
            }
            let cut = cut.min(rows.len());
            prop_assert_eq!(&self::bytes(&batch.slice(cut, rows.len() - cut)), &bytes[cut..]);
        }

        #[test]
        fn numbers_read_back(number: i64) {
            for number in [number, number >> 32, number >> 56, i64::MIN, i64::MAX, -1, 0, 1] {
                let mut out = Vec::new();
                append_number(Some(number), &mut out);
                prop_assert_eq!(Row(&out).number(), Some(Some(number)));
            }
        }

        #[test]
        fn other_bytes_are_no_row(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            // It must not panic; some bytes happen to be a row.
            let mut builders = Builders::new(&samples::schema()).unwrap();
            if builders.push(&bytes).is_some() {
                let _ = builders.finish();
            }
        }
    }

    #[test]
    fn a_row_that_is_cut_or_too_long_is_none() {
        let batch = samples::batch(&[Sample { many: Some(vec!["a".into()]), ..Sample::default() }]);
        let mut row = bytes(&batch).remove(0);
        for end in 0..row.len() {
            assert!(Builders::new(&batch.schema()).unwrap().push(&row[..end]).is_none(), "{end}");
        }
        row.push(0);
        assert!(Builders::new(&batch.schema()).unwrap().push(&row).is_none());
    }

    #[test]
    fn what_is_no_text_is_an_error() {
        let batch = samples::batch(&[Sample { text: Some("a".into()), ..Sample::default() }]);
        let mut row = bytes(&batch).remove(0);
        let at = row.iter().position(|&byte| byte == b'a').unwrap();
        row[at] = 0xff;
        let mut builders = Builders::new(&batch.schema()).unwrap();
        builders.push(&row).unwrap();
        assert!(builders.finish().is_err());
    }

    #[test]
    fn a_type_that_the_table_has_not_is_refused_by_name() {
        let schema = arrow::datatypes::Schema::new(vec![Field::new("weight", DataType::Float64, true)]);
        let error = Builders::new(&Arc::new(schema)).err().unwrap();
        assert_eq!(error.to_string(), "column weight: Float64 is no type of the table");
    }
}
