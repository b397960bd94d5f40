//! Columns of values that come again, built as codes of a lexicon's words.

use std::sync::Arc;

use arrow::array::{ArrayRef, DictionaryArray, Int32Array, StringArray};
use arrow::buffer::ScalarBuffer;
use arrow::datatypes::Int32Type;

use super::lexicon::{Desk, FIRST_WORD};
use super::validity::Validity;
use crate::prepared::Coded;

/// A column of these codes of a desk's words; those that say nothing are null.
pub fn coded(codes: Vec<i32>, desk: &mut Desk<'_>) -> Coded {
    let mut validity = Validity::new(codes.len());
    for codes in codes.chunks(64) {
        let bit = |bits, (at, &code): (usize, &i32)| bits | u64::from(code >= FIRST_WORD) << at;
        validity.push_many(codes.iter().enumerate().fold(0, bit), codes.len());
    }
    Coded { codes: ScalarBuffer::from(codes), nulls: validity.finish(), words: desk.words() }
}

/// A column that has the same value in every row.
pub fn constant(value: &str, rows: usize) -> ArrayRef {
    let keys = Int32Array::new(ScalarBuffer::from(vec![0; rows]), None);
    Arc::new(DictionaryArray::<Int32Type>::new(keys, Arc::new(StringArray::from_iter_values([value]))))
}
