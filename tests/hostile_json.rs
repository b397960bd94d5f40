//! JSON that is meant to hurt: no panic, no hang, nothing lost, and the records before and behind are read.

#[path = "common/watch.rs"]
mod watch;

use std::io::Cursor;

use calltable::{Counts, Decoder, Options, Reader};

use watch::within_a_minute;

const RECORD: &str = r#"{"AcctId":"1","src":"6039","dst":"6011","start":"2024-05-17 12:34:56"}"#;

/// What is counted, and the reasons of the rejects.
fn read(text: String) -> (Counts, Vec<&'static str>) {
    within_a_minute(move || {
        let mut decoder = Decoder::new("dump", Options::default());
        decoder.feed(text.as_bytes()).and_then(|()| decoder.finish()).expect("a dump");
        let mut reasons = Vec::new();
        while let Some(decoded) = decoder.next_batch() {
            reasons.extend(decoded.rejects.iter().map(|reject| reject.reason));
        }
        let counts = decoder.counts();
        assert_eq!(counts.records, counts.rows + counts.filtered + counts.rejected);
        (counts, reasons)
    })
}

/// An element between two good ones, in a list and on lines of its own.
#[track_caller]
fn check(element: &str, reason: &str) {
    for text in [
        format!("{{\"cdr_root\":[{RECORD},{element},{RECORD}],\"status\":0}}"),
        format!("{RECORD}\n{element}\n{RECORD}\n"),
    ] {
        let (counts, reasons) = read(text);
        let expected: Vec<&str> = Some(reason).filter(|reason| !reason.is_empty()).into_iter().collect();
        assert_eq!(reasons, expected);
        assert_eq!(counts.rows, 3 - expected.len() as u64);
    }
}

fn with(member: &str) -> String {
    RECORD.replace("\"dst\"", &format!("{member},\"dst\""))
}

#[test]
fn deep_nesting() {
    check(&with(&format!("\"x\":{}{}", "[".repeat(100_000), "]".repeat(100_000))), "too-deep");
    check(&with(&format!("\"x\":{}1{}", "{\"y\":".repeat(100_000), "}".repeat(100_000))), "too-deep");
}

#[test]
fn deep_nesting_that_never_closes() {
    check(&with(&format!("\"x\":{}1", "{\"y\":".repeat(100_000))), "too-deep");
    check(&with(&format!("\"x\":{}", "[".repeat(100_000))), "too-deep");
}

#[test]
fn a_hundred_thousand_keys() {
    let keys = |name: fn(usize) -> String| {
        (0..100_000).map(|at| format!("\"{}\":1", name(at))).collect::<Vec<_>>().join(",")
    };
    check(&with(&keys(|at| format!("k{at}"))), "field-count");
    check(&with(&keys(|_| "same".to_string())), "field-count");
}

#[test]
fn thirty_thousand_keys() {
    let keys: Vec<String> = (0..30_000).map(|at| format!("\"k{}\":1", at % 20_000)).collect();
    check(&with(&keys.join(",")), "");
}

#[test]
fn long_keys_and_values() {
    check(&with(&format!("\"{}\":1", "k".repeat(1 << 20))), "json-syntax");
    check(&with(&format!("\"x\":{}", "9".repeat(4 << 20))), "");
    check(&with(&format!("\"x\":\"{}\"", "v".repeat(4 << 20))), "");
    check(&with(&format!("\"x\":\"{}\"", "\\\\".repeat(2 << 20))), "");
}

/// Each name is as long as that of all it stands in.
#[test]
fn nested_names_do_not_pile_up() {
    let key = "k".repeat(900);
    let inner: Vec<String> = (0..20_000).map(|at| format!("\"{at}\":1")).collect();
    check(&with(&format!("\"{key}\":{{{}}}", inner.join(","))), "too-deep");
}

#[test]
fn an_element_of_64_mib() {
    let element = with(&format!("\"x\":\"{}\"", "v".repeat(64 << 20)));
    check(&element, "too-large");
    let text = format!("{{\"cdr_root\":[{RECORD},{element},{RECORD}]}}");
    let mut reader = Reader::builder().threads(2).read("dump", Cursor::new(text)).expect("threads");
    let rows: usize = reader.by_ref().map(|batch| batch.expect("a dump").num_rows()).sum();
    assert_eq!((rows, reader.counts().rejected), (2, 1));
}

/// 4 MiB of the same: each costs a bounded number of looks.
#[track_caller]
fn check_many(piece: &str) {
    for between in [",", "\n", ""] {
        let many = format!("{piece}{between}").repeat((4 << 20) / piece.len());
        let (counts, _) = read(format!("{{\"cdr_root\":[{RECORD},{many}{RECORD}]}}"));
        assert!(counts.records >= 2);
        let (counts, _) = read(format!("{RECORD}\n{many}{RECORD}"));
        assert!(counts.records >= 2);
    }
}

#[test]
fn many_broken_pieces() {
    for piece in [
        r#"{"src":"1"#,
        r#"{"src":"1","dst":"2"#,
        r#"{"src":"1","dst""#,
        r#"{"src":"#,
        r#"{"src""#,
        "{\"",
        "{",
        "}",
        "]",
        "[",
        "\"",
        "\\",
        "x",
        "{ ",
        r#"{"sub_cdr_1":{"src":"#,
        r#""1":{"#,
        r#"{"cdr_root":["#,
    ] {
        check_many(piece);
    }
}

#[test]
fn many_blanks() {
    let blanks = " \n".repeat(8 << 20);
    check(&RECORD.replace("\":", &format!("\":{}", &blanks[..1 << 20])), "");
    let within = &blanks[..16 << 10];
    let list =
        format!("{{\"cdr_root\":{within}[{blanks}{RECORD}{blanks},{blanks}{RECORD}{blanks}]{blanks}}}");
    let (counts, _) = read(format!("{RECORD}{list}"));
    assert_eq!(counts.rows, 3);
}

/// Longer than a record may be; each of its records is one.
#[test]
fn a_call_of_sixty_thousand_subs() {
    let sub = RECORD.replace("\"dst\"", &format!("\"lastdata\":\"{}\",\"dst\"", "x".repeat(200)));
    let subs: Vec<String> = (1..=60_000).map(|at| format!("\"sub_cdr_{at}\":{sub}")).collect();
    let listed = vec![sub.clone(); 60_000].join(",");
    for call in [
        format!("{{\"cdr\":\"7-1\",\"main_cdr\":{RECORD},{}}}", subs.join(",")),
        format!("{{\"main_cdr\":{RECORD},\"sub_cdr\":[{listed}]}}"),
    ] {
        let (counts, reasons) = read(format!("{{\"cdr_root\":[{RECORD},{call},{RECORD}],\"status\":0}}"));
        assert_eq!((counts.rows, reasons.len()), (60_003, 0));
        let (counts, reasons) = read(format!("[{call},{call}]"));
        assert_eq!((counts.rows, reasons.len()), (120_002, 0));
        let (counts, reasons) = read(format!("{RECORD}\n{}\n{RECORD}\n", call.replacen("\"xx", "\"\\xx", 1)));
        assert_eq!((counts.rows, reasons), (60_002, vec!["json-escape"]));
    }
}
