//! Every reason for which a record is rejected: its place, its text, and what its neighbours become.

use calltable::time::DateOrder;
use calltable::{Column, Decoder, Options, Rejected};

/// What is asserted of a reject: reason, record, line, offset, length, field.
type Place = (&'static str, u64, u64, u64, u64, Option<&'static str>);

/// What came of a dump: the start of every row in it, and its rejects.
fn read(options: Options, text: &[u8]) -> (Vec<i64>, Vec<Rejected>) {
    let mut decoder = Decoder::new("dump", Options { columns: columns(), ..options });
    decoder.feed(text).and_then(|()| decoder.finish()).expect("a dump");
    let (mut rows, mut rejects) = (Vec::new(), Vec::new());
    while let Some(decoded) = decoder.next_batch() {
        let offsets = decoded.rows.column(0).as_any().downcast_ref::<arrow::array::Int64Array>();
        rows.extend_from_slice(offsets.expect("offsets").values());
        rejects.extend(decoded.rejects);
    }
    let counts = decoder.counts();
    assert_eq!(counts.records, counts.rows + counts.rejected);
    assert_eq!((counts.rows, counts.rejected), (rows.len() as u64, rejects.len() as u64));
    (rows, rejects)
}

/// The offset first, then whatever can be bad.
fn columns() -> Vec<Column> {
    let others = Column::all().filter(|column| *column != Column::SourceOffset);
    [Column::SourceOffset].into_iter().chain(others).collect()
}

/// One reject at that place, with the text that stands there; rows at the other `kept` texts.
#[track_caller]
fn check_with(options: Options, text: &[u8], place: Place, raw: &[u8], kept: &[&str]) {
    let (rows, rejects) = read(options, text);
    let [reject] = &rejects[..] else { panic!("{rejects:?}") };
    let found =
        (reject.reason, reject.record, reject.line, reject.offset, reject.length, reject.field.as_deref());
    assert_eq!(found, place, "{}", reject.message);
    assert_eq!(String::from_utf8_lossy(&reject.raw), String::from_utf8_lossy(raw));
    assert_eq!(reject.raw, raw);
    if reject.length == raw.len() as u64 {
        assert!(text[reject.offset as usize..].starts_with(raw), "the offset is that of the text");
    }
    let offset =
        |kept: &&str| text.windows(kept.len()).position(|at| at == kept.as_bytes()).expect("it") as i64;
    assert_eq!(rows, kept.iter().map(offset).collect::<Vec<_>>(), "the neighbours are rows");
}

#[track_caller]
fn check(text: &[u8], place: Place, raw: &[u8], kept: &[&str]) {
    check_with(Options::default(), text, place, raw, kept);
}

const HEADER: &str = "AcctId,src,dst,start,duration,clid\n";
const FIRST: &str = "1,6039,6011,2024-05-17 12:34:56,4,\"Ann\" <6039>\n";
const THIRD: &str = "3,6039,6011,2024-05-17 12:34:58,4,\"Bob\" <6011>\n";

/// The header, a good record, the bad one, a good record.
#[track_caller]
fn check_between(reason: &'static str, field: Option<&'static str>, bad: &[u8]) {
    let text = [HEADER.as_bytes(), FIRST.as_bytes(), bad, b"\n", THIRD.as_bytes()].concat();
    let place = (reason, 2, 3, (HEADER.len() + FIRST.len()) as u64, bad.len() as u64, field);
    check(&text, place, bad, &["1,6039", "3,6039"]);
}

#[test]
fn field_count() {
    check_between("field-count", None, b"2,6039,6011,2024-05-17 12:34:57,4");
    check_between("field-count", None, b"2,6039,6011,2024-05-17 12:34:57,4,a,b");
    // Up to the most fields that are counted, and beyond; none of them costs the records beside it.
    for fields in [1000, 65_535, 65_536, 65_537, 65_600, 200_000] {
        check_between("field-count", None, &[b"2".to_vec(), vec![b','; fields - 1]].concat());
    }
    check_between("field-count", None, b"half a reco");
    check_between("field-count", None, "\u{1f4de}".as_bytes());
}

#[test]
fn unclosed_quote() {
    check_between("unclosed-quote", None, b"2,6039,6011,2024-05-17 12:34:57,4,\"Ann");
    check_between("unclosed-quote", None, b"2,\"6039,6011,2024-05-17 12:34:57,4,Ann");
    check_between("unclosed-quote", None, b"\"");
}

#[test]
fn unclosed_quote_over_lines_that_are_no_records() {
    let text = format!("{HEADER}{FIRST}2,\"6039\nno record\nnor this\n{THIRD}");
    let place = ("unclosed-quote", 2, 3, (HEADER.len() + FIRST.len()) as u64, 26, None);
    check(text.as_bytes(), place, b"2,\"6039\nno record\nnor this", &["1,6039", "3,6039"]);
}

#[test]
fn unclosed_quote_in_the_last_line() {
    let text = format!("{HEADER}{FIRST}2,\"6039,x");
    let place = ("unclosed-quote", 2, 3, (HEADER.len() + FIRST.len()) as u64, 9, None);
    check(text.as_bytes(), place, b"2,\"6039,x", &["1,6039"]);
}

#[test]
fn invalid_utf8() {
    check_between("invalid-utf8", None, b"2,6039,6011,2024-05-17 12:34:57,4,Andr\xe9");
    check_between("invalid-utf8", None, b"2,\"6\"\"\xff\",6011,2024-05-17 12:34:57,4,Ann");
    check_between("invalid-utf8", None, b"2,6039,6011,2024-05-17 12:34:57,4,\xe2\x82");
}

#[test]
fn invalid_utf8_that_is_not_the_encoding_given_either() {
    let bad = b"2,6039,6011,2024-05-17 12:34:57,4,\xff\xff";
    let text = [HEADER.as_bytes(), FIRST.as_bytes(), bad, b"\n", THIRD.as_bytes()].concat();
    let place = ("invalid-utf8", 2, 3, (HEADER.len() + FIRST.len()) as u64, bad.len() as u64, None);
    let encoding = Some(encoding_rs::GBK);
    check_with(Options { encoding, ..Options::default() }, &text, place, bad, &["1,6039", "3,6039"]);
}

#[test]
fn bad_time() {
    check_between("bad-time", Some("start"), b"2,6039,6011,2024-02-30 12:34:57,4,Ann");
    check_between("bad-time", Some("start"), b"2,6039,6011,yesterday,4,Ann");
    check_between("bad-time", Some("start"), b"2,6039,6011,2024-05-17 12:34:57Z,4,Ann");
}

#[test]
fn bad_number() {
    check_between("bad-number", Some("duration"), b"2,6039,6011,2024-05-17 12:34:57,four,Ann");
    check_between("bad-number", Some("duration"), b"2,6039,6011,2024-05-17 12:34:57,1.9098E+10,Ann");
    check_between(
        "bad-number",
        Some("duration"),
        b"2,6039,6011,2024-05-17 12:34:57,99999999999999999999,Ann",
    );
}

#[test]
fn the_first_bad_field_of_several_is_named() {
    check_between("bad-time", Some("start"), b"2,6039,6011,soon,long,Ann");
}

#[test]
fn bad_value() {
    let header = "Caller Number,Callee Number,Start Time,Caller NAT\n";
    let text = format!(
        "{header}1,2,2024-05-17 12:34:56,Yes\n3,4,2024-05-17 12:34:57,maybe\n5,6,2024-05-17 12:34:58,0\n"
    );
    let place = ("bad-value", 2, 3, (header.len() + 28) as u64, 29, Some("Caller NAT"));
    check(text.as_bytes(), place, b"3,4,2024-05-17 12:34:57,maybe", &["1,2", "5,6"]);
}

#[test]
fn bad_date_order() {
    let header = "Caller Number,Callee Number,Start Time\n";
    let text = format!("{header}1,2,5/4/2024 12:34:56\n3,4,5/17/2024 12:34:57\n5,6,6/4/2024 12:34:58\n");
    let place = ("bad-date-order", 2, 3, (header.len() + 22) as u64, 22, Some("Start Time"));
    let options = Options { date_order: Some(DateOrder::DayFirst), ..Options::default() };
    check_with(options, text.as_bytes(), place, b"3,4,5/17/2024 12:34:57", &["1,2", "5,6"]);
}

#[test]
fn too_large() {
    let mut bad = b"2,6039,6011,2024-05-17 12:34:57,4,".to_vec();
    bad.resize((16 << 20) + 1, b'x');
    let text = [HEADER.as_bytes(), FIRST.as_bytes(), &bad, b"\n", THIRD.as_bytes()].concat();
    let place = ("too-large", 2, 3, (HEADER.len() + FIRST.len()) as u64, bad.len() as u64, None);
    check(&text, place, &bad[..64 << 10], &["1,6039", "3,6039"]);
}

#[test]
fn too_large_at_the_end() {
    let bad = vec![b'x'; 40 << 20];
    let text = [HEADER.as_bytes(), FIRST.as_bytes(), &bad].concat();
    let place = ("too-large", 2, 3, (HEADER.len() + FIRST.len()) as u64, bad.len() as u64, None);
    check(&text, place, &bad[..64 << 10], &["1,6039"]);
}

#[test]
fn as_large_as_a_record_may_be() {
    let mut large = b"2,6039,6011,2024-05-17 12:34:57,4,".to_vec();
    large.resize(16 << 20, b'x');
    let text = [HEADER.as_bytes(), FIRST.as_bytes(), &large, b"\n", THIRD.as_bytes()].concat();
    let (rows, rejects) = read(Options::default(), &text);
    assert_eq!((rows.len(), rejects), (3, vec![]));
}

#[test]
fn not_a_record() {
    let header = "Caller Number,Callee Number,Start Time\n";
    let text = format!("Calls of May\nby,our,office\n{header}1,2,2024-05-17 12:34:56\n");
    check(text.as_bytes(), ("not-a-record", 1, 2, 13, 13, None), b"by,our,office", &["1,2"]);
}

#[test]
fn offsets_count_the_byte_order_mark() {
    let text = format!("\u{feff}{HEADER}{FIRST}bad\n{THIRD}");
    let place = ("field-count", 2, 3, (3 + HEADER.len() + FIRST.len()) as u64, 3, None);
    check(text.as_bytes(), place, b"bad", &["1,6039", "3,6039"]);
}

#[test]
fn nuls_before_a_record_are_no_part_of_it() {
    let text = format!("{HEADER}{FIRST}\0\0bad\n\0{THIRD}");
    let place = ("field-count", 2, 3, (HEADER.len() + FIRST.len() + 2) as u64, 3, None);
    check(text.as_bytes(), place, b"bad", &["1,6039", "3,6039"]);
}

#[test]
fn lines_within_quotes_and_blank_ones_count_as_lines_not_as_records() {
    let two = "2,\"two\r\nlines\",6011,2024-05-17 12:34:57,4,Ann\r\n";
    let text = format!("{HEADER}{two}\r\n  \n{HEADER}bad\r\n{THIRD}");
    let place = ("field-count", 2, 7, (2 * HEADER.len() + two.len() + 5) as u64, 3, None);
    check(text.as_bytes(), place, b"bad", &["2,\"two", "3,6039"]);
}

#[test]
fn a_bare_cr_ends_lines() {
    let text = format!("{HEADER}{FIRST}bad\n{THIRD}").replace('\n', "\r");
    let place = ("field-count", 2, 3, (HEADER.len() + FIRST.len()) as u64, 3, None);
    check(text.as_bytes(), place, b"bad", &["1,6039", "3,6039"]);
}

#[test]
fn places_go_on_from_block_to_block() {
    let mut text = HEADER.to_string();
    while text.len() < 3 << 20 {
        text += FIRST;
    }
    let good = (text.len() - HEADER.len()) / FIRST.len();
    let (record, line, offset) = (good as u64 + 1, good as u64 + 2, text.len() as u64);
    text += "2,6039,6011,never,4,Ann\nbad\n";
    text += THIRD;
    let (rows, rejects) = read(Options::default(), text.as_bytes());
    assert_eq!(rows.len(), good + 1);
    let places: Vec<_> = rejects.iter().map(|reject| (reject.record, reject.line, reject.offset)).collect();
    assert_eq!(places, [(record, line, offset), (record + 1, line + 1, offset + 24)]);
}

#[test]
fn leniently_a_bad_value_costs_only_itself() {
    let text = format!("{HEADER}{FIRST}2,6039,6011,never,four,Ann\n{THIRD}");
    let (rows, rejects) = read(Options { lenient: true, ..Options::default() }, text.as_bytes());
    assert_eq!((rows.len(), rejects), (3, vec![]));
}

#[test]
fn a_bad_value_in_a_column_that_is_not_wanted_costs_nothing() {
    let text = format!("{HEADER}{FIRST}2,6039,6011,never,four,Ann\n{THIRD}");
    let options = Options { columns: vec![Column::Src], ..Options::default() };
    let mut decoder = Decoder::new("dump", options);
    decoder.feed(text.as_bytes()).and_then(|()| decoder.finish()).expect("a dump");
    assert_eq!((decoder.counts().rows, decoder.counts().rejected), (3, 0));
}
