//! A column that has the same value in every row, as arrow has it.

use std::sync::Arc;

use arrow::array::{ArrayRef, DictionaryArray, Int32Array, StringArray};
use arrow::buffer::ScalarBuffer;
use arrow::datatypes::Int32Type;

/// A column that has the same value in every row.
pub fn array(value: &str, rows: usize) -> ArrayRef {
    let keys = Int32Array::new(ScalarBuffer::from(vec![0; rows]), None);
    Arc::new(DictionaryArray::<Int32Type>::new(keys, Arc::new(StringArray::from_iter_values([value]))))
}
