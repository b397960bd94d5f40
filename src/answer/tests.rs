//! Answers read back by `convert`: every dump of the test data, and hostile texts.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringViewArray, new_null_array};
use proptest::prelude::*;

use super::*;
use crate::reader::Reader;
use crate::schema::{Kind, TimeKind, project};
use crate::sink::text_jsonl;
use crate::time::Zone;

/// The answer that has all these rows.
fn answer(shape: &Shape, batches: &[RecordBatch], zone: Option<&Zone>) -> Vec<u8> {
    let (mut out, mut count) = (Vec::new(), 0);
    let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
    let facts = Facts { matched: rows as u64, answered: rows as u64, ..Facts::default() };
    shape.open(&facts, &mut out);
    for batch in batches {
        let table = Table::new(batch, zone).unwrap();
        let rows: Vec<Row<'_>> = table.rows().collect();
        let beginnings = if shape.whole_calls { beginnings(&rows) } else { (1..rows.len()).collect() };
        for call in
            Some(0).into_iter().chain(beginnings.iter().copied()).zip(beginnings.iter().chain([&rows.len()]))
        {
            if call.0 < *call.1 {
                shape.lead(count, &mut out);
                shape.call(&rows[call.0..*call.1], count, &mut out);
                count += 1;
            }
        }
    }
    shape.close(&facts, &mut out);
    out
}

/// The rows of a dump, if it can be read.
fn read(path: &Path) -> Option<Vec<RecordBatch>> {
    Reader::builder().threads(1).open(path).ok()?.collect::<Result<_, _>>().ok()
}

fn read_back(shape: &Shape, bytes: &[u8], zone: Option<&str>) -> Vec<RecordBatch> {
    let builder = Reader::builder().threads(1);
    let builder = zone.map_or(Ok(builder.clone()), |zone| builder.clone().timezone(zone)).unwrap();
    let mut reader = builder.read("answer", std::io::Cursor::new(bytes.to_vec())).unwrap();
    let mut batches = Vec::new();
    while let Some(batch) = reader.next() {
        batches.push(batch.unwrap_or_else(|error| panic!("{error}\n{}", String::from_utf8_lossy(bytes))));
        assert_eq!(reader.rejects(), [], "{}: {}", shape.format, String::from_utf8_lossy(bytes));
    }
    batches
}

/// The rows as lines of JSON, with these columns.
fn lines(batches: &[RecordBatch], columns: &[Column]) -> Vec<String> {
    let mut out = Vec::new();
    for batch in batches {
        let indexes: Vec<usize> =
            columns.iter().map(|column| batch.schema().index_of(column.name()).unwrap()).collect();
        text_jsonl::rows(&batch.project(&indexes).unwrap(), &mut out).unwrap();
    }
    String::from_utf8(out).unwrap().lines().map(str::to_string).collect()
}

/// What a shape's fields say, directly or as what is decoded from them.
fn held(shape: &Shape) -> Vec<Column> {
    use Column as C;
    let mut columns = shape.columns();
    columns.retain(|column| !matches!(column, C::Source | C::Extra));
    if columns.contains(&C::Dst) {
        columns.extend([C::DstNumber]);
    }
    if columns.contains(&C::Channel) {
        columns.extend(Column::all().filter(is_decoded));
        columns.extend([C::CallType]);
    }
    match shape.format {
        "ucm-cdrapi-xml" => columns.retain(|column| *column != C::SubIndex),
        "kazoo-json" | "kazoo-csv" => columns.extend([C::Disposition]),
        _ => {}
    }
    columns.sort_unstable();
    columns.dedup();
    columns
}

/// Whether a column is decoded from a channel's name.
fn is_decoded(column: &Column) -> bool {
    (Column::ChannelTech..=Column::DstchannelPort).contains(column)
}

fn dumps(prefix: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/dumps");
    let mut all: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    all.retain(|path| path.file_name().unwrap().to_string_lossy().starts_with(prefix));
    all.sort();
    all
}

/// Each dump whose name begins so, answered and read back.
fn round_trips(prefix: &str, shape: &Shape, at_least: usize, without: &[Column]) {
    let mut compared = BTreeMap::new();
    for path in dumps(prefix) {
        let Some(mut batches) = read(&path) else { continue };
        if shape.format == "ucm-cdrapi-csv" {
            batches.retain(|batch| !has_mains(batch));
        }
        let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
        if rows == 0 {
            continue;
        }
        let mut columns = held(shape);
        columns.retain(|column| !without.contains(column));
        let bytes = answer(shape, &batches, None);
        let again = read_back(shape, &bytes, None);
        let shown = format!("{}\n{}", path.display(), String::from_utf8_lossy(&bytes));
        let (before, after) = (lines(&batches, &columns), lines(&again, &columns));
        assert_eq!(before.len(), after.len(), "{shown}");
        for (before, after) in before.iter().zip(&after) {
            assert_eq!(before, after, "{shown}");
        }
        compared.insert(path, rows);
    }
    assert!(compared.len() >= at_least, "{} dumps compared", compared.len());
}

fn has_mains(batch: &RecordBatch) -> bool {
    Table::new(batch, None).unwrap().rows().any(|row| row.text(Column::RecordKind).as_deref() == Some("main"))
}

#[test]
fn ucm_csv_reads_back() {
    round_trips("cdrapi-", &Shape::UCM_CSV, 60, &[]);
}

#[test]
fn ucm_xml_reads_back() {
    round_trips("cdrapi-", &Shape::UCM_XML, 60, &[]);
}

#[test]
fn ucm_json_reads_back() {
    round_trips("cdrapi-", &Shape::UCM_JSON, 60, &[]);
}

#[test]
fn ucm_web_reads_back() {
    round_trips("web-", &Shape::UCM_WEB_CSV, 20, &[]);
}

#[test]
fn nexo_json_reads_back() {
    round_trips("nexo-json-", &Shape::NEXO_JSON, 2, &[]);
    round_trips("nexo-", &Shape::NEXO_JSON, 5, &[Column::Port]);
}

#[test]
fn nexo_csv_reads_back() {
    round_trips("nexo-", &Shape::NEXO_CSV, 5, &[]);
}

#[test]
fn nexo_recordings_read_back() {
    round_trips("nexo-recordings-", &Shape::NEXO_RECORDINGS, 2, &[]);
}

#[test]
fn yeastar_json_reads_back() {
    round_trips("yeastar", &Shape::YEASTAR_JSON, 4, &[]);
}

#[test]
fn kazoo_json_reads_back() {
    round_trips("kazoo-", &Shape::KAZOO_JSON, 12, &[]);
}

#[test]
fn kazoo_csv_reads_back() {
    round_trips("kazoo-", &Shape::KAZOO_CSV, 12, &[]);
}

#[test]
fn instants_are_told_on_the_clock_of_their_zone() {
    let path = dumps("cdrapi-32.csv").remove(0);
    let zone = "America/Chicago";
    let batches: Vec<RecordBatch> = Reader::builder()
        .threads(1)
        .timezone(zone)
        .unwrap()
        .open(&path)
        .unwrap()
        .map(Result::unwrap)
        .collect();
    for shape in [Shape::UCM_CSV, Shape::UCM_XML, Shape::UCM_JSON] {
        let bytes = answer(&shape, &batches, Some(&Zone::parse(zone).unwrap()));
        let columns = held(&shape);
        assert_eq!(lines(&batches, &columns), lines(&read_back(&shape, &bytes, Some(zone)), &columns));
        let plain = answer(&shape, &read(&path).unwrap(), None);
        assert_eq!(String::from_utf8(bytes), String::from_utf8(plain), "the clock shows what the dump says");
    }
}

#[test]
fn nothing_is_an_empty_container() {
    let check =
        |shape: &Shape, expected: &str| assert_eq!(String::from_utf8(shape.empty()).unwrap(), expected);
    check(&Shape::UCM_XML, "<root>\n</root>\n");
    check(&Shape::UCM_JSON, "{\"cdr_root\":[]}\n");
    check(&Shape::NEXO_JSON, "{\"json_array_astcdrs\":{}}\n");
    check(&Shape::NEXO_RECORDINGS, "{\"json_obj_filter\":{},\"totalcount\":0}\n");
    check(&Shape::YEASTAR_JSON, "{\"errcode\":0,\"errmsg\":\"SUCCESS\",\"total_number\":0,\"data\":[]}\n");
    check(&Shape::KAZOO_JSON, "{\"data\":[],\"page_size\":0}\n");
    let columns = |shape: &Shape| String::from_utf8(shape.empty()).unwrap().split(',').count();
    assert_eq!(columns(&Shape::UCM_CSV), 32);
    assert!(String::from_utf8(Shape::UCM_CSV.empty()).unwrap().starts_with("AcctId,accountcode,src,dst,"));
    assert_eq!(columns(&Shape::UCM_WEB_CSV), 29);
    assert_eq!(columns(&Shape::NEXO_CSV), 15);
    assert_eq!(columns(&Shape::KAZOO_CSV), 35);
}

/// A row of these texts; the columns beside them are null, or whatever the shape needs.
fn row_of(values: &[(Column, String)]) -> RecordBatch {
    let schema = project(&Column::all().collect::<Vec<_>>(), TimeKind::WallClock);
    let array = |column: Column| -> ArrayRef {
        let data_type = schema.field_with_name(column.name()).unwrap().data_type().clone();
        let given = values.iter().find(|(of, _)| *of == column).map(|(_, text)| text.as_str());
        let given = given.or((column == Column::RecordKind).then_some("single"));
        match given {
            None if !column.def().nullable => {
                arrow::compute::cast(&StringViewArray::from(vec!["1"]), &data_type).unwrap()
            }
            None => new_null_array(&data_type, 1),
            Some(text) => arrow::compute::cast(&StringViewArray::from(vec![text]), &data_type).unwrap(),
        }
    };
    let columns = Column::all().map(array).collect();
    RecordBatch::try_new(Arc::clone(&schema), columns).unwrap()
}

/// The columns that hold any text verbatim.
fn verbatim(shape: &Shape) -> Vec<Column> {
    use Column as C;
    let mut columns = held(shape);
    columns.retain(|column| {
        let is_text = matches!(column.def().kind, Kind::Text);
        let is_word =
            matches!(column, C::ActionTarget | C::DstNumber | C::AnsweredBy | C::SrcName | C::DstName);
        is_text && !is_word && !is_decoded(column)
    });
    if shape.format == "yeastar-json" {
        columns.retain(|column| !matches!(column, C::Clid | C::Src | C::Dst));
    }
    if shape.format.starts_with("nexo") {
        columns.retain(|column| !matches!(column, C::CallId));
    }
    columns
}

/// Texts that have what some syntax means something by.
fn hostile() -> impl Strategy<Value = String> {
    let letters = prop_oneof![
        5 => prop::sample::select("\"\"\",,;'\\<>&\n\r\t\0\u{1}\u{7f}\u{fffe}@()[]{}:= -".chars().collect::<Vec<_>>()),
        3 => prop::char::range('a', 'z'),
        1 => any::<char>(),
    ];
    let words = prop::sample::select(vec![
        "]]>", "&amp;", "&#0;", "</src>", "<cdr>", "</cdr>", "<!--", "\"},{\"", "null", "\\u0000", "1\n2,3",
        "\u{feff}",
    ]);
    prop_oneof![
        4 => prop::collection::vec(letters, 1..12).prop_map(|letters| letters.into_iter().collect::<String>()),
        1 => words.prop_map(str::to_string),
    ]
}

/// What a shape can say of a text.
fn sayable(shape: &Shape, text: &str) -> String {
    match shape.format {
        "ucm-cdrapi-xml" => {
            let cannot = |letter: char| {
                letter < ' ' && !matches!(letter, '\t' | '\n' | '\r')
                    || matches!(letter, '\u{fffe}' | '\u{ffff}')
            };
            text.replace(cannot, "\u{fffd}")
        }
        "kazoo-csv" => text.replace(['\n', '\r'], " "),
        _ => text.to_string(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 160, ..ProptestConfig::default() })]

    #[test]
    fn hostile_texts_read_back(
        texts in prop::collection::vec(prop::option::weighted(0.7, hostile()), 40),
        which in 0..Shape::ALL.len(),
    ) {
        let shape = &Shape::ALL[which];
        let columns = verbatim(shape);
        let mut values: Vec<(Column, String)> = columns
            .iter()
            .zip(texts)
            .filter_map(|(column, text)| Some((*column, text.filter(|text| text != "—")?)))
            .collect();
        // What a record is told by.
        for (column, text) in [(Column::Src, "2001"), (Column::Dst, "2002"), (Column::CallId, "c"), (Column::Uniqueid, "u")] {
            if shape.columns().contains(&column) && !values.iter().any(|(given, _)| *given == column) {
                values.push((column, text.to_string()));
            }
        }
        values.push((Column::Start, "2024-05-17T12:34:56".to_string()));
        let batch = row_of(&values);
        let bytes = answer(shape, &[batch], None);
        let again = read_back(shape, &bytes, None);
        let shown = String::from_utf8_lossy(&bytes).into_owned();
        prop_assert_eq!(again.iter().map(RecordBatch::num_rows).sum::<usize>(), 1, "{}", shown);
        let again = again.iter().find(|batch| batch.num_rows() == 1).unwrap();
        let table = Table::new(again, None).unwrap();
        for (column, text) in values.iter().filter(|(column, _)| columns.contains(column)) {
            let read = table.row(0).text(*column);
            prop_assert_eq!(read.as_deref(), Some(&*sayable(shape, text)), "{} {}: {}", shape.format, column.name(), &shown);
        }
    }
}
