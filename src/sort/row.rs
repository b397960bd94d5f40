//! A row as bytes; `builders.rs` makes columns of them again.
//!
//! The bytes are unambiguous: two rows of the same columns have the same bytes if and only if all their values are
//! equal, whatever arrays they stood in. They say nothing of order. It must not know what columns mean.
//!
//! ```text
//! value  = text | number | many          by the column's type; one behind the other, in the columns' order
//! text   = 0                             null
//!        | length + 1, bytes
//! number = 0                             null
//!        | count + 1, so many bytes      the least first, zeros behind the last left out; the sign in the lowest bit
//! many   = 0                             null
//!        | count + 1, so many texts      a list's items; a map's keys and values in turn, counted as pairs
//! ```
//!
//! Lengths and counts have seven bits a byte, the lowest first; the others' highest bit is set.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Int32Array, Int64Array, RecordBatch, StringArray, StringViewArray,
};
use arrow::buffer::NullBuffer;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Int32Type, Schema};
use arrow::error::ArrowError;

use crate::error::{Error, Result};
use crate::schema::map_fields;

/// Whether a batch's columns are of a schema's types.
///
/// # Errors
/// Usage: they are not.
pub fn fits(batch: &RecordBatch, schema: &Schema) -> Result<()> {
    fn types(schema: &Schema) -> impl Iterator<Item = &DataType> {
        schema.fields().iter().map(|field| field.data_type())
    }
    if types(batch.schema_ref()).eq(types(schema)) {
        return Ok(());
    }
    Err(Error::usage("a batch has other columns than its table"))
}

/// A batch's columns, as rows are read from them.
pub struct Columns(Vec<Values>);

enum Values {
    Text(StringViewArray),
    Dict { codes: Int32Array, texts: StringArray },
    Number(Int64Array),
    Many { offsets: Vec<i32>, nulls: Option<NullBuffer>, texts: Vec<StringViewArray> },
}

impl Columns {
    /// The columns of a batch.
    ///
    /// # Errors
    /// Usage: one is of a type that the table has not.
    pub fn of(batch: &RecordBatch) -> Result<Columns> {
        let columns = batch.columns().iter().zip(batch.schema_ref().fields());
        let values = |(array, field): (&ArrayRef, &Arc<Field>)| {
            Values::of(array, Form::of(field)?).map_err(|error| unfit(field, error))
        };
        columns.map(values).collect::<Result<_>>().map(Columns)
    }

    /// Appends a row.
    pub fn append(&self, row: usize, out: &mut Vec<u8>) {
        for values in &self.0 {
            match values {
                Values::Text(texts) => append_text(text(texts, row), out),
                Values::Dict { codes, texts } => {
                    let code = codes.is_valid(row).then(|| codes.value(row) as usize);
                    let code = code.filter(|&code| texts.is_valid(code));
                    append_text(code.map(|code| texts.value(code)), out);
                }
                Values::Number(numbers) => {
                    append_number(numbers.is_valid(row).then(|| numbers.value(row)), out);
                }
                Values::Many { offsets, nulls, texts } => {
                    let is_null = nulls.as_ref().is_some_and(|nulls| nulls.is_null(row));
                    let range = offsets[row] as usize..offsets[row + 1] as usize;
                    append_texts((!is_null).then_some(range), texts, out);
                }
            }
        }
    }
}

impl Values {
    fn of(array: &ArrayRef, form: Form) -> std::result::Result<Values, ArrowError> {
        Ok(match form {
            Form::Text => Values::Text(array.as_string_view().clone()),
            Form::Dict => {
                let dict = array.as_dictionary::<Int32Type>();
                Values::Dict { codes: dict.keys().clone(), texts: dict.values().as_string().clone() }
            }
            Form::Number => Values::Number(cast(array, &DataType::Int64)?.as_primitive().clone()),
            Form::List => {
                let list = array.as_list::<i32>();
                Values::many(list.offsets(), list.nulls(), &[list.values()])?
            }
            Form::Map => {
                let map = array.as_map();
                Values::many(map.offsets(), map.nulls(), &[map.keys(), map.values()])?
            }
        })
    }

    /// Of the texts those alone that the rows show, for the batch may be a slice.
    fn many(
        offsets: &[i32],
        nulls: Option<&NullBuffer>,
        texts: &[&ArrayRef],
    ) -> std::result::Result<Values, ArrowError> {
        let (first, last) = (offsets[0], offsets[offsets.len() - 1]);
        let shown = |texts: &&ArrayRef| {
            let shown = texts.slice(first as usize, (last - first) as usize);
            Ok(cast(&shown, &DataType::Utf8View)?.as_string_view().clone())
        };
        let texts = texts.iter().map(shown).collect::<std::result::Result<_, ArrowError>>()?;
        let offsets = offsets.iter().map(|offset| offset - first).collect();
        Ok(Values::Many { offsets, nulls: nulls.cloned(), texts })
    }
}

fn text(texts: &StringViewArray, at: usize) -> Option<&str> {
    texts.is_valid(at).then(|| texts.value(at))
}

fn append_text(text: Option<&str>, out: &mut Vec<u8>) {
    let Some(text) = text else { return append_length(0, out) };
    append_length(text.len() as u64 + 1, out);
    out.extend_from_slice(text.as_bytes());
}

/// Appends a number, or null.
pub(super) fn append_number(number: Option<i64>, out: &mut Vec<u8>) {
    let Some(number) = number else { return append_length(0, out) };
    let unsigned = (number << 1 ^ number >> 63) as u64;
    let count = (71 - unsigned.leading_zeros() as usize) / 8;
    append_length(count as u64 + 1, out);
    out.extend_from_slice(&unsigned.to_le_bytes()[..count]);
}

fn append_texts(range: Option<Range<usize>>, texts: &[StringViewArray], out: &mut Vec<u8>) {
    let Some(range) = range else { return append_length(0, out) };
    append_length(range.len() as u64 + 1, out);
    for at in range {
        texts.iter().for_each(|texts| append_text(text(texts, at), out));
    }
}

fn append_length(mut length: u64, out: &mut Vec<u8>) {
    while length >= 0x80 {
        out.push(length as u8 | 0x80);
        length >>= 7;
    }
    out.push(length as u8);
}

/// How the values of a column are written.
#[derive(Clone, Copy, Debug)]
pub(super) enum Form {
    /// A text column.
    Text,
    /// Texts by a dictionary.
    Dict,
    /// Numbers, times, yes and no.
    Number,
    /// A list of texts.
    List,
    /// A map from text to text.
    Map,
}

impl Form {
    /// That of a column.
    ///
    /// # Errors
    /// Usage: it is of a type that the table has not.
    pub(super) fn of(field: &Field) -> Result<Form> {
        use DataType as D;
        match field.data_type() {
            D::Utf8View => Ok(Form::Text),
            D::Dictionary(codes, texts) if **codes == D::Int32 && **texts == D::Utf8 => Ok(Form::Dict),
            D::Boolean | D::UInt16 | D::UInt32 | D::Int32 | D::Int64 | D::Timestamp(..) => Ok(Form::Number),
            D::List(item) if *item.data_type() == D::Utf8View => Ok(Form::List),
            D::Map(entries, _) if *entries.data_type() == D::Struct(map_fields()) => Ok(Form::Map),
            other => Err(unfit(field, format!("{other} is no type of the table"))),
        }
    }
}

#[cold]
fn unfit(field: &Field, why: impl fmt::Display) -> Error {
    Error::usage(format!("column {}: {why}", field.name()))
}
