//! Text columns that keep no more of a block's text alive than they show.
//!
//! Views point into their block, and where all rows are kept nothing is copied. Of a filtered block few rows
//! may be left: then they are copied, so that a caller who keeps one row of each block does not keep
//! the dump.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ListArray};
use arrow::datatypes::DataType;

/// Whether so few rows of a block are left that their texts are better copied.
pub fn is_worth_it(rows: usize, records: usize) -> bool {
    rows * 4 < records
}

/// The column, with its texts copied where they are views.
pub fn compact(array: ArrayRef) -> ArrayRef {
    match array.data_type() {
        DataType::Utf8View => Arc::new(array.as_string_view().gc()),
        DataType::List(item) if item.data_type() == &DataType::Utf8View => {
            let list = array.as_list::<i32>();
            let texts = compact(list.values().clone());
            Arc::new(ListArray::new(item.clone(), list.offsets().clone(), texts, list.nulls().cloned()))
        }
        _ => array,
    }
}
