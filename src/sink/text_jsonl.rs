//! The `.jsonl` output: one object a row, with every column in order.
//!
//! Knows JSON; must not know files, nor how values come to be. Null is `null`, numbers and booleans
//! are bare, times are text, `recordfiles` is an array and `extra` an object. serde_json escapes
//! the texts, straight into the output.

use arrow::array::RecordBatch;

use super::cells::{Cell, List, Map, columns, write_bool, write_number, write_time};
use crate::error::Result;

/// Appends a line for each row.
///
/// # Errors
/// Usage: a column is of a type that the unified table does not have.
pub fn rows(batch: &RecordBatch, out: &mut Vec<u8>) -> Result<()> {
    let columns = columns(batch)?;
    let keys: Vec<Vec<u8>> = batch.schema_ref().fields().iter().map(|field| key(field.name())).collect();
    for row in 0..batch.num_rows() {
        out.push(b'{');
        for (at, (column, key)) in columns.iter().zip(&keys).enumerate() {
            if at > 0 {
                out.push(b',');
            }
            out.extend_from_slice(key);
            write_cell(column.get(row), out);
        }
        out.extend_from_slice(b"}\n");
    }
    Ok(())
}

/// A name and the colon, as they stand in every row.
fn key(name: &str) -> Vec<u8> {
    let mut key = Vec::new();
    write_text(name, &mut key);
    key.push(b':');
    key
}

fn write_cell(cell: Cell<'_>, out: &mut Vec<u8>) {
    match cell {
        Cell::Null => out.extend_from_slice(b"null"),
        Cell::Text(text) => write_text(text, out),
        Cell::Bool(value) => write_bool(value, out),
        Cell::Number(value) => write_number(value, out),
        Cell::Time(time) => {
            out.push(b'"');
            write_time(time, out);
            out.push(b'"');
        }
        Cell::List(texts) => write_array(texts, out),
        Cell::Map(entries) => write_object(entries, out),
    }
}

fn write_array(texts: List<'_>, out: &mut Vec<u8>) {
    out.push(b'[');
    for (at, text) in texts.enumerate() {
        if at > 0 {
            out.push(b',');
        }
        write_text_or_null(text, out);
    }
    out.push(b']');
}

/// Appends the entries as an object; the CSV has them so, too.
pub(super) fn write_object(entries: Map<'_>, out: &mut Vec<u8>) {
    out.push(b'{');
    for (at, (key, value)) in entries.enumerate() {
        if at > 0 {
            out.push(b',');
        }
        write_text(key, out);
        out.push(b':');
        write_text_or_null(value, out);
    }
    out.push(b'}');
}

fn write_text_or_null(text: Option<&str>, out: &mut Vec<u8>) {
    match text {
        Some(text) => write_text(text, out),
        None => out.extend_from_slice(b"null"),
    }
}

/// Appends a text between quotes, escaped.
pub(crate) fn write_text(text: &str, out: &mut Vec<u8>) {
    serde_json::to_writer(out, text).expect("memory takes every text");
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, BooleanArray, Int64Array, UInt16Array};
    use arrow::array::{ListBuilder, StringViewBuilder, new_null_array};
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::schema::{COLUMNS, TimeKind, schema};
    use crate::sink::cells::samples::{batch, dict, list, map, text, times};

    fn written(batch: &RecordBatch) -> String {
        let mut out = Vec::new();
        rows(batch, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[track_caller]
    fn check(columns: Vec<ArrayRef>, expected: &str) {
        assert_eq!(written(&batch(columns)), expected);
    }

    #[test]
    fn null_is_null() {
        let columns = vec![text(&[None]), dict(&[None]), list(&[None]), map(&[None])];
        check(columns, "{\"a\":null,\"b\":null,\"c\":null,\"d\":null}\n");
    }

    #[test]
    fn every_column_of_the_table_can_be_written() {
        for times in [TimeKind::WallClock, TimeKind::Instant] {
            let schema = schema(times);
            let nulls = schema.fields().iter().map(|field| new_null_array(field.data_type(), 1)).collect();
            let nullable = schema.fields().iter().map(|field| field.as_ref().clone().with_nullable(true));
            let schema = Arc::new(arrow::datatypes::Schema::new(nullable.collect::<Vec<_>>()));
            let line = written(&RecordBatch::try_new(schema, nulls).unwrap());
            let Value::Object(row) = serde_json::from_str(&line).unwrap() else { panic!("{line}") };
            assert!(row.keys().map(String::as_str).eq(COLUMNS.map(|def| def.name)), "{line}");
        }
    }

    #[test]
    fn numbers_and_booleans_are_bare() {
        let columns: Vec<ArrayRef> = vec![
            Arc::new(BooleanArray::from(vec![Some(true), Some(false), None])),
            Arc::new(UInt16Array::from(vec![Some(7), None, Some(0)])),
            Arc::new(Int64Array::from(vec![i64::MAX, -1, 0])),
        ];
        let expected = concat!(
            "{\"a\":true,\"b\":7,\"c\":9223372036854775807}\n",
            "{\"a\":false,\"b\":null,\"c\":-1}\n",
            "{\"a\":null,\"b\":0,\"c\":0}\n"
        );
        check(columns, expected);
    }

    #[test]
    fn times_are_text() {
        let micros = [1_715_949_296_000_001];
        let expected = "{\"a\":\"2024-05-17T12:34:56.000001\",\"b\":\"2024-05-17T12:34:56.000001Z\"}\n";
        check(vec![times(&micros, false), times(&micros, true)], expected);
    }

    #[test]
    fn recordfiles_is_an_array() {
        check(
            vec![list(&[Some(&["a.wav", "b\"c"]), Some(&[])])],
            "{\"a\":[\"a.wav\",\"b\\\"c\"]}\n{\"a\":[]}\n",
        );
    }

    #[test]
    fn a_null_in_an_array_is_null() {
        let mut list = ListBuilder::new(StringViewBuilder::new());
        list.values().append_option(None::<&str>);
        list.append(true);
        check(vec![Arc::new(list.finish())], "{\"a\":[null]}\n");
    }

    #[test]
    fn extra_is_an_object_in_its_own_order() {
        let extra = map(&[Some(&[("z", "1"), ("a.b", "2"), ("k\"", "\n")]), Some(&[])]);
        check(vec![extra], "{\"a\":{\"z\":\"1\",\"a.b\":\"2\",\"k\\\"\":\"\\n\"}}\n{\"a\":{}}\n");
    }

    #[test]
    fn control_characters_are_escaped() {
        check(vec![text(&[Some("\u{0}\u{1f}\t\\/\u{7f}é")])], "{\"a\":\"\\u0000\\u001f\\t\\\\/\u{7f}é\"}\n");
    }

    #[test]
    fn a_slice_writes_its_own_rows() {
        let all = batch(vec![dict(&[Some("x"), Some("z")]), list(&[Some(&["1"]), Some(&["3"])])]);
        assert_eq!(written(&all.slice(1, 1)), "{\"a\":\"z\",\"b\":[\"3\"]}\n");
    }

    fn arb_row() -> impl Strategy<Value = [String; 3]> {
        (".{0,9}", "[a\\\\\"\n\0]{0,4}", ".*").prop_map(|(a, b, c)| [a, b, c])
    }

    proptest! {
        #[test]
        fn serde_json_reads_every_text_back([a, b, c] in arb_row()) {
            let entry = [(b.as_str(), c.as_str())];
            let columns = vec![text(&[Some(&a)]), list(&[Some(&[&b, &c])]), map(&[Some(&entry)])];
            let row: Value = serde_json::from_str(&written(&batch(columns))).unwrap();
            prop_assert_eq!(row, json!({"a": a, "b": [b, c], "c": {b: c}}));
        }

        #[test]
        fn a_line_holds_a_row([a, b, c] in arb_row()) {
            let text = written(&batch(vec![text(&[Some(&a), Some(&b), Some(&c)])]));
            let rows: Vec<Value> = text.split_terminator('\n').map(|line| serde_json::from_str(line).unwrap()).collect();
            prop_assert_eq!(rows, [json!({"a": a}), json!({"a": b}), json!({"a": c})]);
        }
    }
}
