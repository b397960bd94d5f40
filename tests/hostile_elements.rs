//! XML and AMI that are meant to hurt: no panic, no hang, nothing lost, and neighbours unharmed.

#[path = "common/watch.rs"]
mod watch;

use arrow::array::{Array, AsArray};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use calltable::{Column, Counts, Decoder, Options, Rejected};
use proptest::prelude::*;

use watch::within_a_minute;

const CALL: &str = "<cdr><AcctId>1</AcctId><src>6039</src><start>2024-05-17 12:34:56</start></cdr>\n";
const EVENT: &str = "Event: Cdr\r\nSource: 6039\r\nDuration: 4\r\n\r\n";

/// Reads a dump whole; whatever it is, what was counted adds up. Comes back with the rejects' reasons, too.
fn read(text: Vec<u8>) -> Result<(Counts, Vec<&'static str>, Vec<String>), String> {
    within_a_minute(move || {
        let mut decoder = Decoder::new("dump", Options::default());
        let outcome = decoder.feed(&text).and_then(|()| decoder.finish());
        let (mut rows, mut reasons) = (0, Vec::new());
        while let Some(decoded) = decoder.next_batch() {
            rows += decoded.rows.num_rows() as u64;
            for reject in &decoded.rejects {
                assert!(
                    text[reject.offset as usize..].starts_with(&reject.raw),
                    "a reject stands at its offset"
                );
                reasons.push(reject.reason);
            }
        }
        let counts = decoder.counts();
        assert_eq!(counts.records, counts.rows + counts.filtered + counts.rejected);
        assert_eq!((counts.rows, counts.rejected), (rows, reasons.len() as u64));
        let warnings = decoder.take_warnings();
        outcome.map(|()| (counts, reasons, warnings)).map_err(|error| error.message().to_string())
    })
}

/// The rows and the rejects of what stands between two good calls.
#[track_caller]
fn check(middle: &str, rows: u64, reasons: &[&str]) {
    let text = ["<root>\n", CALL, middle, CALL, "</root>\n"].concat();
    let (counts, found, _) = read(text.into_bytes()).expect("a dump");
    assert_eq!((counts.rows - 2, &found[..]), (rows, reasons));
}

/// The same within a field of a call.
#[track_caller]
fn check_value(value: &str, reasons: &[&str]) {
    let call = format!("<cdr><AcctId>2</AcctId><clid>{value}</clid></cdr>\n");
    check(&call, 1 - reasons.len() as u64, reasons);
}

#[test]
fn a_billion_laughs() {
    let mut doctype = "<?xml version=\"1.0\"?>\n<!DOCTYPE lolz [\n<!ENTITY lol \"lol\">\n".to_string();
    for level in 1..10 {
        let below = format!("&lol{};", level - 1).replace("&lol0;", "&lol;");
        doctype += &format!("<!ENTITY lol{level} \"{}\">\n", below.repeat(10));
    }
    let laughing = "<cdr><AcctId>2</AcctId><clid>&lol9;</clid></cdr>\n";
    let text = [&doctype, "]>\n<root>\n", CALL, laughing, CALL, "</root>"].concat();
    let (counts, reasons, warnings) = read(text.into_bytes()).expect("a dump");
    assert_eq!((counts.rows, &reasons[..]), (2, &["xml-syntax"][..]));
    assert!(warnings.iter().any(|warning| warning.contains("DOCTYPE")), "{warnings:?}");
}

#[test]
fn an_entity_that_names_a_file() {
    let doctype = "<!DOCTYPE root [<!ENTITY xxe SYSTEM \"file:///etc/passwd\"><!ENTITY % p SYSTEM \"http://127.0.0.1/\"> %p;]>";
    let text = [doctype, "<root>", CALL, "<cdr><src>&xxe;</src></cdr>", "</root>"].concat();
    assert_eq!(
        read(text.into_bytes()).map(|(counts, reasons, _)| (counts.rows, reasons)),
        Ok((1, vec!["xml-syntax"]))
    );
}

#[test]
fn a_doctype_of_many_mib() {
    for mib in [1, 5, 20] {
        let doctype = format!("<!DOCTYPE root [{}]>", "<!ENTITY a \"b\">\n".repeat(mib << 16));
        let text = [&doctype, "<root>", CALL, "</root>"].concat();
        let (counts, ..) = read(text.into_bytes()).expect("a dump");
        assert_eq!(counts.rows, 1, "{mib} MiB");
    }
}

#[test]
fn a_hundred_thousand_attributes() {
    let many: String = (0..100_000).map(|at| format!(" a{at}=\"{at}\"")).collect();
    check(&format!("<cdr{many}><src>1</src></cdr>"), 0, &["xml-syntax"]);
    check(&format!("<cdr><src{many}>1</src></cdr>"), 0, &["xml-syntax"]);
    let text = format!("<root{many}>{CALL}</root>");
    assert_eq!(read(text.into_bytes()).map(|(counts, ..)| counts.rows), Ok(1));
}

#[test]
fn a_million_levels() {
    check(&format!("<cdr>{}</cdr>", "<a>".repeat(1_000_000)), 0, &["too-deep"]);
    check(&format!("<cdr>{}{}</cdr>", "<a>".repeat(1_000_000), "</a>".repeat(1_000_000)), 0, &["too-deep"]);
    check_value(&format!("{}{}", "<a>".repeat(500_000), "</a>".repeat(500_000)), &[]);
    check(&"<root>".repeat(1_000_000), 0, &[]);
}

#[test]
fn a_field_of_64_mib() {
    check_value(&"x".repeat(64 << 20), &["too-large"]);
}

/// A row's kind, its number within its call, and the call's id.
type Row = (String, Option<u32>, String);

/// The rows of a dump, and its rejects.
fn call_of(text: String) -> (Vec<Row>, Vec<Rejected>) {
    within_a_minute(move || {
        let columns = vec![Column::RecordKind, Column::SubIndex, Column::CallId];
        let mut decoder = Decoder::new("dump", Options { columns, ..Options::default() });
        decoder.feed(text.as_bytes()).and_then(|()| decoder.finish()).expect("a dump");
        let (mut rows, mut rejects) = (Vec::new(), Vec::new());
        while let Some(decoded) = decoder.next_batch() {
            rejects.extend(decoded.rejects);
            let rows_of = |column: usize| cast(decoded.rows.column(column), &DataType::Utf8).expect("text");
            let texts = [0, 1, 2].map(rows_of);
            let text = |column: usize, row: usize| {
                let texts = texts[column].as_string::<i32>();
                texts.is_valid(row).then(|| texts.value(row).to_string())
            };
            rows.extend((0..decoded.rows.num_rows()).map(|row| {
                let number = text(1, row).map(|number| number.parse().expect("a number"));
                (text(0, row).unwrap_or_default(), number, text(2, row).unwrap_or_default())
            }));
        }
        (rows, rejects)
    })
}

#[test]
fn a_call_of_any_size_is_read_record_by_record() {
    let sub = "<sub_cdr><src>6039</src><clid>\"Ann\" <6039></clid></sub_cdr>\n";
    let subs = (40 << 20) / sub.len();
    let text = format!("<root><cdr session=\"7-1\"><main_cdr/>{}</cdr><cdr/></root>", sub.repeat(subs));
    let (rows, rejects) = call_of(text);
    assert_eq!((rows.len(), rejects.len()), (subs + 2, 0));
    assert_eq!(rows[0], ("main".into(), None, "7-1".into()));
    for (at, row) in rows[1..=subs].iter().enumerate() {
        assert_eq!(row, &("sub".into(), Some(at as u32 + 1), "7-1".into()));
    }
    assert_eq!(rows[subs + 1], ("single".into(), None, String::new()));
}

#[test]
fn one_record_of_a_call_that_is_too_large_costs_no_other() {
    let large = format!("<sub_cdr><src>{}</src></sub_cdr>", "6".repeat(40 << 20));
    let text = format!("<cdr session=\"7-1\"><sub_cdr/>{large}<sub_cdr/>\n</cdr>\n<cdr/>");
    let offset = text.find(&large).expect("it stands there") as u64;
    let (rows, rejects) = call_of(text);
    let numbers: Vec<_> = rows.iter().map(|(_, number, id)| (*number, &id[..])).collect();
    assert_eq!(numbers, [(Some(1), "7-1"), (Some(3), "7-1"), (None, "")]);
    let [reject] = &rejects[..] else { panic!("{} rejects", rejects.len()) };
    let place = (reject.record, reject.reason, reject.offset, reject.length);
    assert_eq!(place, (2, "too-large", offset, large.len() as u64));
}

#[test]
fn a_name_of_megabytes() {
    let name = "x".repeat(4 << 20);
    check(&format!("<cdr><{name}>1</{name}></cdr>"), 0, &["xml-syntax"]);
    check(&format!("<cdr><a><{name}>1</{name}></a></cdr>"), 0, &["xml-syntax"]);
}

#[test]
fn a_million_elements_of_a_call() {
    let names: String = (0..500_000).map(|at| format!("<a{at}>1</a{at}>")).collect();
    check(&format!("<cdr>{names}</cdr>"), 1, &[]);
    check(&format!("<cdr>{}</cdr>", "<a>1</a>".repeat(1_000_000)), 1, &[]);
    check(&format!("<cdr>{}</cdr>", "<src>1</src>".repeat(1_000_000)), 1, &[]);
}

#[test]
fn megabytes_of_ampersands_and_angles() {
    check_value(&"&".repeat(10 << 20), &[]);
    check_value(&"&a".repeat(5 << 20), &[]);
    check_value(&"<".repeat(10 << 20), &[]);
    check_value(&"<a ".repeat(3 << 20), &[]);
    check_value(&"</a".repeat(3 << 20), &[]);
    check_value(&"<1>".repeat(3 << 20), &[]);
    check_value(&"&lt;".repeat(3 << 20), &[]);
}

#[test]
fn megabytes_of_asides_that_never_end() {
    check_value(&"<!--".repeat(1 << 18), &["xml-syntax"]);
    check_value(&"<![CDATA[".repeat(1 << 18), &["xml-syntax"]);
    check_value(&"<?".repeat(1 << 18), &[]);
    check_value(&"<!--<![CDATA[<?".repeat(100_000), &["xml-syntax"]);
    check(&"<!--".repeat(100_000), 0, &["xml-syntax"]);
    check(&"<!DOCTYPE<!--".repeat(50_000), 0, &["xml-syntax"]);
    check(&"<!DOCTYPE [".repeat(50_000), 0, &["xml-syntax"]);
}

#[test]
fn megabytes_of_asides() {
    check_value(&"<!---->".repeat(1 << 20), &[]);
    check_value(&"<![CDATA[]]>".repeat(1 << 20), &[]);
    check(&"<!-- <cdr> -->".repeat(1 << 20), 0, &[]);
}

#[test]
fn a_comment_of_many_mib_between_calls() {
    check(&format!("<!-- {} -->", "<cdr></cdr>\n".repeat(1 << 20)), 0, &[]);
}

#[test]
fn an_aside_that_is_never_closed_costs_its_record_alone() {
    for open in ["<!--", "<![CDATA["] {
        let text = format!("<root>{CALL}<cdr><src>{open}</src></cdr>{}</root>", CALL.repeat(300_000));
        let (counts, reasons, _) = read(text.into_bytes()).expect("a dump");
        assert_eq!((counts.rows, &reasons[..]), (300_001, &["xml-syntax"][..]), "{open}");
    }
}

#[test]
fn tags_that_are_never_closed() {
    let counted = |middle: String| {
        let (counts, ..) = read([CALL, &middle, CALL].concat().into_bytes()).expect("a dump");
        counts.rejected
    };
    assert_eq!(counted("<cdr>".repeat(200_000)), 200_000);
    assert_eq!(counted("</cdr>".repeat(100_000)), 1);
    assert_eq!(counted(format!("<cdr>{}</cdr>", "<sub_cdr>".repeat(200_000))), 200_000);
    assert_eq!(counted(format!("<cdr>{}</cdr>", "</sub_cdr>".repeat(200_000))), 1);
    assert_eq!(counted("<cdr a=\"".repeat(200_000)), 200_000);
}

#[test]
fn megabytes_of_text_that_is_no_record() {
    let (counts, ..) =
        read([CALL, &"no record at all\n".repeat(300_000), CALL].concat().into_bytes()).expect("a dump");
    assert_eq!(counts.rows, 2);
}

#[test]
fn nuls_and_blanks_between_calls() {
    check(&"\0".repeat(5 << 20), 0, &[]);
    check(&" \n".repeat(3 << 20), 0, &[]);
}

/// The rows and the rejects of what stands between two good events.
#[track_caller]
fn check_events(middle: &str, rows: u64, reasons: &[&str]) {
    let text = [EVENT, middle, EVENT].concat();
    let (counts, found, _) = read(text.into_bytes()).expect("a dump");
    assert_eq!((counts.rows - 2, &found[..]), (rows, reasons));
}

#[test]
fn events_that_are_too_large() {
    check_events(&format!("Event: Cdr\r\nSource: {}\r\n\r\n", "x".repeat(40 << 20)), 0, &["too-large"]);
    check_events(&format!("Event: Cdr\r\n{}\r\n", "A: b\r\n".repeat(4 << 20)), 0, &["too-large"]);
}

#[test]
fn megabytes_of_lines_that_may_begin_an_event() {
    for line in [
        "A: Event: Cdr\n",
        "A: Event: Event: B\n",
        "Event: Response: ",
        "Asterisk Call Manager/",
        "A: 1Event: 1 \n",
    ] {
        check_events(&format!("Event: New\n{}\n\n", line.repeat((6 << 20) / line.len())), 0, &[]);
    }
}

#[test]
fn megabytes_of_small_lines() {
    check_events(&"\r\n".repeat(2 << 20), 0, &[]);
    check_events(&format!("Event: Cdr\n{}\n", "A: b\n".repeat(1 << 20)), 1, &[]);
    check_events(&"Event: Hangup\n".repeat(1 << 19), 0, &["truncated"][..0]);
    check_events(&"Event: Cdr\n\n".repeat(100_000), 100_000, &[]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes_in_a_document(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
        let (counts, ..) = read([b"<root>", CALL.as_bytes(), &bytes, CALL.as_bytes()].concat()).expect("a dump");
        prop_assert!(counts.rows >= 1);
    }

    #[test]
    fn random_bytes_in_a_capture(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
        let (counts, ..) = read([EVENT.as_bytes(), &bytes].concat()).expect("a dump");
        prop_assert!(counts.rows >= 1);
    }
}
