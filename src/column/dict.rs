//! Columns of values that come again, built as codes of a lexicon's words.

use std::sync::Arc;

use arrow::array::{ArrayRef, DictionaryArray, Int32Array, StringArray};
use arrow::buffer::ScalarBuffer;
use arrow::datatypes::Int32Type;

use super::lexicon::Desk;
use super::validity::Validity;
use crate::coded::Coded;

/// A column of these codes, [`NOTHING`](super::lexicon::NOTHING) and [`NULL`](super::lexicon::NULL)
/// being null, of the words of a desk.
pub fn coded(mut codes: Vec<i32>, desk: &mut Desk<'_>) -> Coded {
    let mut validity = Validity::new(codes.len());
    for code in &mut codes {
        validity.push(*code >= 0);
        *code = (*code).max(0);
    }
    Coded { codes: ScalarBuffer::from(codes), nulls: validity.finish(), words: desk.words() }
}

/// A column that has the same value in every row.
pub fn constant(value: &str, rows: usize) -> ArrayRef {
    let keys = Int32Array::new(ScalarBuffer::from(vec![0; rows]), None);
    Arc::new(DictionaryArray::<Int32Type>::new(keys, Arc::new(StringArray::from_iter_values([value]))))
}
