//! The `.csv` output: RFC 4180, with LF.
//!
//! Knows quotes and separators; must not know files, nor how values come to be. Null is the empty
//! field: the table has no empty texts. A field is quoted where it holds a quote, a comma, or a
//! character of a line end, and so is an only field that is empty: readers pass over blank lines,
//! and a row would be lost.

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;

use super::cells::{Cell, columns, write_bool, write_number, write_time};
use super::text_jsonl::write_object;
use crate::error::Result;

/// Appends the line of names.
pub fn header(schema: &Schema, out: &mut Vec<u8>) {
    for (at, field) in schema.fields().iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        write_text(field.name().as_bytes(), out);
    }
    out.push(b'\n');
}

/// Appends a line for each row.
///
/// # Errors
/// Usage: a column is of a type that the unified table does not have.
pub fn rows(batch: &RecordBatch, out: &mut Vec<u8>) -> Result<()> {
    let columns = columns(batch)?;
    let mut joined = Vec::new();
    for row in 0..batch.num_rows() {
        let start = out.len();
        for (at, column) in columns.iter().enumerate() {
            if at > 0 {
                out.push(b',');
            }
            write_cell(column.get(row), &mut joined, out);
        }
        if out.len() == start {
            out.extend_from_slice(b"\"\"");
        }
        out.push(b'\n');
    }
    Ok(())
}

/// `joined` is room for values that are put together before they are quoted.
fn write_cell(cell: Cell<'_>, joined: &mut Vec<u8>, out: &mut Vec<u8>) {
    match cell {
        Cell::Null => {}
        Cell::Text(text) => write_text(text.as_bytes(), out),
        Cell::Bool(value) => write_bool(value, out),
        Cell::Number(value) => write_number(value, out),
        Cell::Time(time) => write_time(time, out),
        Cell::List(texts) => {
            joined.clear();
            for (at, text) in texts.enumerate() {
                if at > 0 {
                    joined.push(b'@');
                }
                joined.extend_from_slice(text.unwrap_or_default().as_bytes());
            }
            write_text(joined, out);
        }
        Cell::Map(entries) => {
            joined.clear();
            write_object(entries, joined);
            write_text(joined, out);
        }
    }
}

/// Appends a field, quoted where any reader of CSV needs it.
pub(crate) fn write_text(text: &[u8], out: &mut Vec<u8>) {
    // Without an early end, so that it is vectorised.
    let quoted = text.iter().fold(false, |any, byte| any | matches!(byte, b'"' | b',' | b'\n' | b'\r'));
    match quoted {
        true => write_quoted(text, out),
        false => out.extend_from_slice(text),
    }
}

/// Appends a field between quotes.
pub(crate) fn write_quoted(text: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    for piece in text.split_inclusive(|&byte| byte == b'"') {
        out.extend_from_slice(piece);
        if piece.ends_with(b"\"") {
            out.push(b'"');
        }
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{
        ArrayRef, BooleanArray, Int32Array, Int64Array, StringArray, StringViewArray, UInt16Array,
        UInt32Array,
    };
    use proptest::prelude::*;

    use super::*;
    use crate::schema::{TimeKind, schema};
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

    /// The records of a CSV, as csv-core reads them; it passes over blank lines.
    fn read(text: &str) -> Vec<Vec<String>> {
        let mut reader = csv_core::ReaderBuilder::new().build();
        let (mut bytes, mut all) = (text.as_bytes(), Vec::new());
        let (mut fields, mut ends) = (vec![0; text.len() + 1], vec![0; text.len() + 1]);
        loop {
            let (result, taken, _, count) = reader.read_record(bytes, &mut fields, &mut ends);
            bytes = &bytes[taken..];
            match result {
                csv_core::ReadRecordResult::Record => {}
                csv_core::ReadRecordResult::InputEmpty => continue,
                _ => return all,
            }
            let starts = std::iter::once(0).chain(ends[..count].iter().copied());
            let field =
                |(start, &end): (usize, &usize)| String::from_utf8(fields[start..end].to_vec()).unwrap();
            all.push(starts.zip(&ends[..count]).map(field).collect());
        }
    }

    #[test]
    fn the_header_names_every_column() {
        let mut out = Vec::new();
        header(&schema(TimeKind::Instant), &mut out);
        let line = String::from_utf8(out).unwrap();
        assert!(line.starts_with("source,source_offset,vendor,") && line.ends_with(",recordfiles,extra\n"));
    }

    #[test]
    fn null_is_empty() {
        check(vec![text(&[None]), dict(&[None]), list(&[None]), map(&[None]), text(&[Some("x")])], ",,,,x\n");
    }

    #[test]
    fn numbers_and_booleans_are_bare() {
        let columns: Vec<ArrayRef> = vec![
            Arc::new(BooleanArray::from(vec![true, false])),
            Arc::new(UInt16Array::from(vec![0, u16::MAX])),
            Arc::new(UInt32Array::from(vec![1, u32::MAX])),
            Arc::new(Int32Array::from(vec![-1, i32::MIN])),
            Arc::new(Int64Array::from(vec![12, i64::MIN])),
        ];
        check(columns, "true,0,1,-1,12\nfalse,65535,4294967295,-2147483648,-9223372036854775808\n");
    }

    #[test]
    fn instants_have_a_z() {
        let micros = [1_715_949_296_000_000, 1_715_949_296_500_000];
        let expected = "2024-05-17T12:34:56,2024-05-17T12:34:56Z\n2024-05-17T12:34:56.500000,2024-05-17T12:34:56.500000Z\n";
        check(vec![times(&micros, false), times(&micros, true)], expected);
    }

    #[test]
    fn what_would_break_the_line_is_quoted() {
        check(vec![text(&[Some("a,b")]), dict(&[Some("say \"x\"")])], "\"a,b\",\"say \"\"x\"\"\"\n");
        check(vec![text(&[Some("a\nb")]), text(&[Some("a\rb")])], "\"a\nb\",\"a\rb\"\n");
        check(vec![text(&[Some("\"")]), text(&[Some(" a'b; ")])], "\"\"\"\", a'b; \n");
    }

    #[test]
    fn an_only_column_that_is_null_is_no_blank_line() {
        check(vec![text(&[Some("a"), None, Some("b")])], "a\n\"\"\nb\n");
        check(vec![list(&[Some(&[])])], "\"\"\n");
    }

    #[test]
    fn recordfiles_are_joined() {
        check(vec![list(&[Some(&["a.wav"]), Some(&["a.wav", "b,c.wav"])])], "a.wav\n\"a.wav@b,c.wav\"\n");
    }

    #[test]
    fn extra_is_an_object() {
        check(vec![map(&[Some(&[("k", "v\"")])])], "\"{\"\"k\"\":\"\"v\\\"\"\"\"}\"\n");
    }

    #[test]
    fn plain_text_columns_are_written_too() {
        check(vec![Arc::new(StringArray::from(vec![Some("a"), None])), text(&[None, Some("b")])], "a,\n,b\n");
    }

    #[test]
    fn a_slice_writes_its_own_rows() {
        let extra = map(&[None, Some(&[("a", "1")]), Some(&[("b", "2")])]);
        let all = batch(vec![
            dict(&[Some("x"), None, Some("z")]),
            list(&[Some(&["1"]), None, Some(&["3"])]),
            extra,
        ]);
        assert_eq!(written(&all.slice(2, 1)), "z,3,\"{\"\"b\"\":\"\"2\"\"}\"\n");
        assert_eq!(written(&all.slice(1, 1)), ",,\"{\"\"a\"\":\"\"1\"\"}\"\n");
    }

    fn arb_rows() -> impl Strategy<Value = Vec<[String; 3]>> {
        prop::collection::vec(prop::array::uniform3("[a\",\r\n @é\0]{0,6}"), 1..9)
    }

    proptest! {
        #[test]
        fn csv_core_reads_every_text_back(table in arb_rows()) {
            let column = |at: usize| -> ArrayRef {
                Arc::new(table.iter().map(|row| Some(&row[at])).collect::<StringViewArray>())
            };
            let all = read(&written(&batch((0..3).map(column).collect())));
            prop_assert_eq!(&all, &table);
            let one = read(&written(&batch(vec![column(0)])));
            prop_assert_eq!(one, table.iter().map(|row| vec![row[0].clone()]).collect::<Vec<_>>());
        }
    }
}
