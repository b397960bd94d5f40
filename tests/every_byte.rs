//! Each byte of a small dump of each format changed, dropped or doubled: nothing panics, what is
//! counted adds up, and the records before the one that was changed stay what they were.

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use calltable::time::DateOrder;
use calltable::{Column, Decoder, Error, Options};

/// The rows of a dump. The date order is given: a byte may change what the dates of a file tell.
fn read(text: &[u8]) -> Result<RecordBatch, Error> {
    let options = Options { date_order: Some(DateOrder::MonthFirst), ..Options::default() };
    let mut decoder = Decoder::new("dump", options);
    decoder.feed(text)?;
    decoder.finish()?;
    let (mut batches, mut rejected) = (Vec::new(), 0);
    while let Some(decoded) = decoder.next_batch() {
        rejected += decoded.rejects.len() as u64;
        let raws = decoded.rejects.iter().map(|reject| (reject.offset as usize, &reject.raw));
        raws.for_each(|(offset, raw)| {
            assert!(text[offset..].starts_with(raw), "a reject stands at its offset")
        });
        batches.push(decoded.rows);
    }
    let counts = decoder.counts();
    let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
    assert_eq!(counts.records, counts.rows + counts.filtered + counts.rejected);
    assert_eq!((counts.rows, counts.rejected), (rows as u64, rejected));
    let schema = batches
        .first()
        .map_or_else(|| calltable::schema(calltable::TimeKind::WallClock), RecordBatch::schema);
    Ok(concat_batches(&schema, &batches).expect("one schema"))
}

/// Where the rows begin.
fn offsets(rows: &RecordBatch) -> Vec<usize> {
    let column = rows.column_by_name(Column::SourceOffset.name()).expect("it was asked for");
    let column = column.as_any().downcast_ref::<arrow::array::Int64Array>().expect("offsets");
    column.values().iter().map(|&offset| offset as usize).collect()
}

/// `text` changed at `at`, in one way after the other.
fn changes(text: &[u8], at: usize) -> impl Iterator<Item = Vec<u8>> {
    let put = move |bytes: &[u8]| [&text[..at], bytes, &text[at + 1..]].concat();
    let byte = text[at];
    let flipped =
        [byte ^ 1, byte ^ 0x20, byte ^ 0x80, b'"', b',', b'\n', b'\r', b'{', b'}', b'\\', b'<', b'&', 0]
            .map(|byte| vec![byte]);
    flipped
        .into_iter()
        .chain([vec![], vec![byte, byte]])
        .map(move |bytes| put(&bytes))
        .collect::<Vec<_>>()
        .into_iter()
}

#[track_caller]
fn check(dump: &str, records: usize) {
    let text = std::fs::read(format!("testdata/dumps/{dump}.csv")).expect("the dump");
    // Three records are enough to have a first, a middle and a last.
    let ends: Vec<usize> =
        text.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1).collect();
    check_text(&text[..ends.get(records).copied().unwrap_or(text.len())], 1);
}

/// Of a dump whose elements have so many records each, which may be lost together.
#[track_caller]
fn check_whole(dump: &str, together: usize) {
    check_text(&std::fs::read(format!("testdata/dumps/{dump}")).expect("the dump"), together);
}

#[track_caller]
fn check_text(text: &[u8], together: usize) {
    let whole = read(text).expect("a dump");
    let begins = offsets(&whole);
    assert!(begins.len() >= 2, "{} rows", begins.len());
    for at in 0..text.len() {
        let before = begins.iter().filter(|&&begin| begin <= at).count().saturating_sub(1);
        let before = before / together * together;
        for changed in changes(text, at) {
            let shown = || format!("byte {at}: {:?}", String::from_utf8_lossy(&changed));
            match read(&changed) {
                Ok(rows) if at >= begins[0] => {
                    assert!(rows.num_rows() >= before, "{}", shown());
                    assert!(rows.slice(0, before) == whole.slice(0, before), "{}", shown());
                }
                Ok(_) => {}
                Err(error) => assert!(at < begins[1], "{}: {error}", shown()),
            }
        }
    }
}

#[test]
fn ucm_cdrapi() {
    check("cdrapi-32", 3);
}

#[test]
fn ucm_web() {
    check("web-6100-guide", 3);
}

#[test]
fn nexo() {
    check("nexo-guide", 3);
}

#[test]
fn kazoo() {
    check("kazoo-documented-names", 3);
}

#[test]
fn kazoo_realigned() {
    check("kazoo-34", 3);
}

#[test]
fn yeastar() {
    check("yeastar", 3);
}

#[test]
fn asterisk() {
    check("asterisk-18", 3);
}

#[test]
fn ucm_cdrapi_json() {
    check_whole("cdrapi-json-three.json", 1);
}

#[test]
fn ucm_cdrapi_json_nested() {
    check_whole("cdrapi-json-three-nested.json", 2);
}

#[test]
fn nexo_json() {
    check_whole("nexo-recordings-json-keyed.json", 1);
}

#[test]
fn kazoo_json() {
    check_whole("kazoo-json-two.json", 1);
}

#[test]
fn yeastar_json() {
    check_whole("yeastar-json.json", 1);
}

#[test]
fn ucm_cdrapi_xml() {
    check_whole("cdrapi-xml-features.xml", 1);
}

#[test]
fn ucm_cdrapi_xml_nested() {
    check_whole("cdrapi-xml-three-nested.xml", 2);
}

#[test]
fn ami() {
    check_whole("ami-values.txt", 1);
}
