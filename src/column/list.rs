//! `recordfiles`: the files of one text, as a list.

use std::sync::Arc;

use arrow::array::{ArrayRef, ListArray};
use arrow::buffer::{NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{DataType, Field};

use super::rows::Rows;
use super::views::Views;
use crate::decode::record_files;
use crate::schema::Column;

/// A list column; a text without a file in it is null.
pub fn files(rows: &Rows, column: Column) -> ArrayRef {
    let sources = rows.layout().sources(column);
    let mut items = Views::new(&rows.arena, rows.len() * 2);
    let mut offsets = Vec::with_capacity(rows.len() + 1);
    let mut valid = Vec::with_capacity(rows.len());
    let mut count = 0;
    offsets.push(0);
    for &row in &rows.kept {
        let before = count;
        if let Some((_, text)) = rows.first(sources, row) {
            for file in record_files(&text) {
                items.push(file);
                count += 1;
            }
        }
        offsets.push(count);
        valid.push(count > before);
    }
    let item = Arc::new(Field::new("item", DataType::Utf8View, true));
    let nulls = Some(NullBuffer::from(valid)).filter(|nulls| nulls.null_count() > 0);
    Arc::new(ListArray::new(item, OffsetBuffer::new(ScalarBuffer::from(offsets)), items.finish(), nulls))
}
