//! How much text the rows of a batch have: what stands for the bytes that they came from, where nobody knows those
//! any more. It is told by the rows alone, however they lie in memory.

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::DataType;

/// Bytes of input that a row counts as besides its texts: numbers, times, delimiters.
const A_ROW: u64 = 100;

/// About how many bytes of input rows came from.
pub(crate) fn text_of(rows: &RecordBatch) -> u64 {
    let texts: u64 = rows.columns().iter().map(|column| texts(column)).sum();
    rows.num_rows() as u64 * A_ROW + texts
}

fn texts(array: &dyn Array) -> u64 {
    match array.data_type() {
        DataType::Utf8View => array.as_string_view().lengths().map(u64::from).sum(),
        DataType::Utf8 => {
            let offsets = array.as_string::<i32>().value_offsets();
            (offsets[array.len()] - offsets[0]) as u64
        }
        DataType::List(_) => {
            let list = array.as_list::<i32>();
            let (from, to) = (list.value_offsets()[0] as usize, list.value_offsets()[array.len()] as usize);
            texts(&list.values().slice(from, to - from))
        }
        DataType::Map(..) => {
            let map = array.as_map();
            let (from, to) = (map.value_offsets()[0] as usize, map.value_offsets()[array.len()] as usize);
            texts(&map.keys().slice(from, to - from)) + texts(&map.values().slice(from, to - from))
        }
        _ => 0,
    }
}
