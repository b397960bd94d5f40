//! `recordfiles`: the files of one text, as a list.

use std::sync::Arc;

use arrow::array::{ArrayRef, ListArray, StringViewBuilder};
use arrow::buffer::{NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{DataType, Field};

use super::rows::Rows;
use crate::decode::record_files;
use crate::schema::Column;

/// A list column; a text without a file in it is null.
///
/// The names are copied while they are near the processor: a sink that takes all other texts prepared would else be
/// the last to hold the block's text, and look for them in it when it is far.
pub fn files(rows: &Rows, column: Column) -> ArrayRef {
    let sources = rows.layout().sources(column);
    let text: u64 = sources.iter().map(|source| rows.text_bytes(source.slot)).sum();
    let block = u32::try_from(text).unwrap_or(u32::MAX).max(1);
    let mut items = StringViewBuilder::with_capacity(rows.len()).with_fixed_block_size(block);
    let mut offsets = Vec::with_capacity(rows.len() + 1);
    let mut valid = Vec::with_capacity(rows.len());
    let mut count = 0;
    offsets.push(0);
    for &row in &rows.kept {
        let before = count;
        if let Some((_, text)) = rows.first(sources, row) {
            for file in record_files(&text) {
                items.append_value(file);
                count += 1;
            }
        }
        offsets.push(count);
        valid.push(count > before);
    }
    let item = Arc::new(Field::new("item", DataType::Utf8View, true));
    let nulls = Some(NullBuffer::from(valid)).filter(|nulls| nulls.null_count() > 0);
    Arc::new(ListArray::new(
        item,
        OffsetBuffer::new(ScalarBuffer::from(offsets)),
        Arc::new(items.finish()),
        nulls,
    ))
}
