//! Bytes that are meant to hurt: no panic, no hang, nothing lost.
//!
//! What may not be quadratic is held against a watchdog, a minute for what takes a second or two
//! without optimisation; no test looks at a clock otherwise.

#[path = "common/dumps.rs"]
mod dumps;
#[path = "common/watch.rs"]
mod watch;

use std::io::Cursor;

use calltable::{Counts, Decoder, Options, Reader};
use proptest::prelude::*;

use watch::within_a_minute;

const HEADER: &str = "AcctId,src,dst,start,duration,clid\n";
const RECORD: &str = "1,6039,6011,2024-05-17 12:34:56,4,\"Ann\" <6039>\n";

/// Reads a dump whole; whatever it is, what was counted adds up.
fn read(text: Vec<u8>) -> Result<Counts, String> {
    within_a_minute(move || {
        let mut decoder = Decoder::new("dump", Options::default());
        let outcome = decoder.feed(&text).and_then(|()| decoder.finish());
        let (mut rows, mut rejected) = (0, 0);
        while let Some(decoded) = decoder.next_batch() {
            rows += decoded.rows.num_rows() as u64;
            rejected += decoded.rejects.len() as u64;
        }
        let counts = decoder.counts();
        assert_eq!(counts.records, counts.rows + counts.filtered + counts.rejected);
        assert_eq!((counts.rows, counts.rejected), (rows, rejected));
        outcome.map(|()| counts).map_err(|error| error.message().to_string())
    })
}

/// The dump's rows and rejects, with a good record before and behind.
#[track_caller]
fn check(middle: &[u8], rows: u64, rejected: u64) {
    let text = [HEADER.as_bytes(), RECORD.as_bytes(), middle, RECORD.as_bytes()].concat();
    let counts = read(text).expect("a dump");
    assert_eq!((counts.rows, counts.rejected), (rows + 2, rejected));
}

#[test]
fn a_line_of_64_mib() {
    let mut line = vec![b'x'; 64 << 20];
    line.push(b'\n');
    check(&line, 0, 1);
}

#[test]
fn a_line_of_64_mib_of_a_stream() {
    let mut line = vec![b'x'; 64 << 20];
    line.push(b'\n');
    let text = [HEADER.as_bytes(), RECORD.as_bytes(), &line, RECORD.as_bytes()].concat();
    let mut reader = Reader::builder().threads(2).read("dump", Cursor::new(text)).expect("threads");
    let rows: usize = reader.by_ref().map(|batch| batch.expect("a dump").num_rows()).sum();
    assert_eq!((rows, reader.counts().rejected), (2, 1));
}

#[test]
fn a_million_commas() {
    let mut line = vec![b','; 1_000_000];
    line.push(b'\n');
    check(&line, 0, 1);
}

#[test]
fn ten_mib_of_quotes() {
    let mut line = vec![b'"'; 10 << 20];
    line.push(b'\n');
    check(&line, 0, 1);
    line.insert(0, b'"');
    // Now the last is never closed.
    check(&line, 0, 1);
}

#[test]
fn ten_mib_of_empty_quoted_fields() {
    let mut line = b"\"\",".repeat(3 << 20);
    line.push(b'\n');
    check(&line, 0, 1);
}

/// `line` over and over, 4 MiB of it: each costs a bounded number of looks.
#[track_caller]
fn check_lines(line: &str) {
    let lines = (4 << 20) / line.len();
    let text = [HEADER.as_bytes(), line.repeat(lines).as_bytes()].concat();
    let counts = read(text).expect("a dump");
    assert!(counts.records > 0);
}

#[test]
fn a_quote_never_closed_on_every_line() {
    check_lines("1,6039,6011,2024-05-17 12:34:56,4,\"Ann\n");
}

#[test]
fn a_quote_never_closed_on_every_other_line() {
    check_lines("1,6039,6011,2024-05-17 12:34:56,4,\"Ann\n1,6039,6011,2024-05-17 12:34:56,4,Ann\n");
}

#[test]
fn a_quote_never_closed_that_no_record_follows() {
    check_lines("\"Ann\n");
    check_lines("\"\n");
}

/// Within quotes or without: wherever the reading of such lines begins, it goes on to the end.
#[test]
fn quotes_that_stay_open_wherever_one_begins() {
    check_lines("\"\",x\"y,\"\n");
}

#[test]
fn one_quote_before_megabytes_of_other_lines() {
    let text = [HEADER, "1,\"2\n", &"no record at all\n".repeat(300_000)].concat();
    assert_eq!(read(text.into_bytes()).map(|counts| counts.rows), Ok(0));
}

#[test]
fn one_quote_before_megabytes_of_records() {
    check(["1,\"2\n", &RECORD.repeat(80_000)].concat().as_bytes(), 80_000, 1);
}

#[test]
fn one_quoted_field_of_many_mib_of_lines() {
    let field = "some text\n".repeat(1 << 20);
    let line = format!("1,\"{field}\",6011,2024-05-17 12:34:56,4,x\n");
    let counts = read([HEADER, RECORD, &line, RECORD].concat().into_bytes()).expect("a dump");
    assert_eq!(counts.records, counts.rows + counts.rejected);
    assert!(counts.rows >= 2);
}

#[test]
fn a_thousand_header_changes() {
    let mut text = String::new();
    for change in 0..1000 {
        text += if change % 2 == 0 {
            "AcctId,src,dst,start\n1,2,3,2024-05-17 12:34:56\n"
        } else {
            "AcctId,dst,src\n1,2,3\n"
        };
    }
    assert_eq!(read(text.into_bytes()).map(|counts| (counts.rows, counts.rejected)), Ok((1000, 0)));
}

#[test]
fn a_hundred_thousand_repeated_headers() {
    let text = [HEADER, RECORD].concat().repeat(100_000);
    assert_eq!(read(text.into_bytes()).map(|counts| counts.rows), Ok(100_000));
}

#[test]
fn a_header_of_a_hundred_thousand_columns() {
    let names: String = (0..100_000).map(|at| format!(",column {at}")).collect();
    let text = format!("AcctId,src,dst{names}\n1,2,3{}\n", ",x".repeat(100_000));
    let _ = read(text.into_bytes());
}

#[test]
fn a_header_of_the_same_name_over_and_over() {
    let text = format!("AcctId,src,dst{}\n1,2,3{}\n", ",src".repeat(10_000), ",x".repeat(10_000));
    assert_eq!(read(text.into_bytes()).map(|counts| counts.rows), Ok(1));
}

#[test]
fn nothing_and_nuls() {
    assert_eq!(read(Vec::new()), Ok(Counts::default()));
    assert_eq!(read(b"\n \r\n".to_vec()), Ok(Counts::default()));
    assert!(read(vec![0; 5 << 20]).is_err());
    check(&[vec![0; 5 << 20], b"\n".to_vec()].concat(), 0, 0);
}

#[test]
fn megabytes_of_line_ends() {
    check(&[b'\n'; 5 << 20], 0, 0);
    check(&b"\r\n".repeat(2 << 20), 0, 0);
}

#[test]
fn records_with_everything_wrong() {
    let counts = read(dumps::irregular(2 << 20, 7)).expect("a dump");
    assert!(counts.rows > 5000 && counts.rejected > 50, "{counts:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
        let _ = read(bytes);
    }

    #[test]
    fn random_bytes_behind_a_header(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
        prop_assert!(read([HEADER.as_bytes(), &bytes].concat()).is_ok());
    }

    #[test]
    fn random_values(values in prop::collection::vec("[0-9:/. TZ+\\-PMa—]{0,24}", 60)) {
        let mut text = HEADER.to_string();
        for record in values.chunks(6) {
            text += &format!("{}\n", record.join(","));
        }
        prop_assert!(read(text.into_bytes()).is_ok_and(|counts| counts.records <= 10));
    }
}
