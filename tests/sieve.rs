//! A filter that is asked before records are framed answers as one that is asked of the finished table, whatever
//! the lines are like.

use arrow::array::AsArray;
use arrow::datatypes::Int64Type;
use calltable::format::by_name;
use calltable::{Column, Decoder, Filter, Options, Rejected};
use proptest::prelude::*;

const HEADER: &str = "AcctId,src,dst,start,duration,billsec,clid\n";

/// What was read: the offsets of the rows, the rejects, and how many records were left out.
struct Found {
    rows: Vec<i64>,
    rejects: Vec<Rejected>,
    records: u64,
    filtered: u64,
}

fn read(text: &[u8], format: &str, filter: Option<&Filter>) -> Found {
    let options = Options { filters: filter.cloned().into_iter().collect(), ..options(format) };
    let mut decoder = Decoder::new("dump", options);
    decoder.feed(text).and_then(|()| decoder.finish()).expect("a dump");
    let (mut rows, mut rejects) = (Vec::new(), Vec::new());
    while let Some(decoded) = decoder.next_batch() {
        let batch = decoded.rows;
        // What comes out is wanted by the finished table, too.
        let wanted = filter.map(|filter| filter.matches(&batch, None).unwrap());
        assert!(wanted.is_none_or(|wanted| wanted.true_count() == batch.num_rows()));
        rows.extend(batch.column(0).as_primitive::<Int64Type>().values());
        rejects.extend(decoded.rejects);
    }
    let counts = decoder.counts();
    assert_eq!(counts.records, counts.rows + counts.rejected + counts.filtered);
    Found { rows, rejects, records: counts.records, filtered: counts.filtered }
}

fn options(format: &str) -> Options {
    let columns = vec![Column::SourceOffset, Column::Src, Column::Billsec, Column::Start, Column::Clid];
    Options { columns, format: by_name(format), ..Options::default() }
}

/// The offsets of the rows that the finished table would keep.
fn wanted(text: &[u8], format: &str, filter: &Filter) -> Vec<i64> {
    let mut decoder = Decoder::new("dump", options(format));
    decoder.feed(text).and_then(|()| decoder.finish()).expect("a dump");
    let mut rows = Vec::new();
    while let Some(decoded) = decoder.next_batch() {
        let matches = filter.matches(&decoded.rows, None).unwrap();
        let offsets = decoded.rows.column(0).as_primitive::<Int64Type>();
        rows.extend((0..matches.len()).filter(|&row| matches.value(row)).map(|row| offsets.value(row)));
    }
    rows
}

fn line() -> impl Strategy<Value = Vec<u8>> {
    let src = prop_oneof![
        6 => "53[0-9]{2}",
        6 => "[0-9]{3,11}",
        1 => Just("\"5301\"".to_string()),
        1 => Just("\"53\"\"01\"".to_string()),
        1 => Just("5301\r".to_string()),
        1 => Just("—".to_string()),
        1 => Just(String::new()),
        1 => Just("53é1".to_string()),
    ];
    let billsec = prop_oneof![8 => "[0-9]{1,3}", 1 => Just("x".to_string()), 1 => Just(String::new())];
    let clid = prop_oneof![
        4 => Just("\"Ann\" <5301>".to_string()),
        2 => Just("x".to_string()),
        1 => Just("\"a\nb\"".to_string()),
        1 => Just("a,b".to_string()),
        1 => Just("\"open".to_string()),
    ];
    let end = prop_oneof![6 => Just("\n"), 2 => Just("\r\n"), 1 => Just("\n\n")];
    let regular = (src, billsec, clid, end).prop_map(|(src, billsec, clid, end)| {
        format!("1,{src},6011,2024-05-17 12:34:56,9,{billsec},{clid}{end}").into_bytes()
    });
    prop_oneof![
        40 => regular,
        1 => Just(HEADER.as_bytes().to_vec()),
        1 => Just(b"\0\0\x001,5300,6011,2024-05-17 12:34:56,9,9,x\n".to_vec()),
        1 => Just(b"1,5300\xE9,6011,2024-05-17 12:34:56,9,9,x\n".to_vec()),
        1 => Just(b"  \n".to_vec()),
        1 => Just(b"1,5300,6011\n".to_vec()),
        1 => (10usize..40_000).prop_map(|len| [b"1,5300,6011,2024-05-17 12:34:56,9,9,", &vec![b'y'; len][..], b"\n"].concat()),
    ]
}

const KAZOO_HEADER: &str = "call_id,caller_id_number,caller_id_name,callee_id_number,duration_seconds,billing_seconds,timestamp,hangup_cause\n";

fn kazoo_line() -> impl Strategy<Value = String> {
    let src = prop_oneof![6 => "53[0-9]{2}", 6 => "[0-9]{3,11}", 1 => Just("\"5301\"".into()), 1 => Just("\"5301".into())];
    let name = prop_oneof![
        8 => Just("Ann"),
        1 => Just("\"Ann\""),
        1 => Just("An\"n"),
        1 => Just("\"Ann"),
        1 => Just("Doe, John"),
        1 => Just("\"Doe, John\""),
        1 => Just(""),
    ];
    let cause = prop_oneof![6 => Just("NORMAL_CLEARING"), 1 => Just("\"BUSY\""), 1 => Just("BUSY\"")];
    let end = prop_oneof![6 => Just("\n"), 2 => Just("\r\n")];
    (src, name, "[0-9]{1,3}", cause, end).prop_map(|(src, name, billsec, cause, end)| {
        format!("c1,{src},{name},6011,9,{billsec},63719014800,{cause}{end}")
    })
}

const FILTERS: [&str; 6] = [
    "cdrapi?caller=53@",
    "cdrapi?caller=5301,53_2&minDur=10",
    "cdrapi?caller=0-0",
    "cdrapi?minDur=100&maxDur=600",
    "src = '5301' or billsec > 900",
    "not (src like '%3%') and clid is not null",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_sieved_dump_has_the_rows_of_the_whole_one(
        lines in proptest::collection::vec(line(), 1..400),
        // Several times the same: more records than a sieve is tried on.
        times in 1usize..6,
        filter in 0..FILTERS.len(),
    ) {
        check(HEADER.as_bytes(), "ucm-cdrapi-csv", &lines.concat().repeat(times), FILTERS[filter])?;
    }

    /// There a quote may stand anywhere, and ends no later than its line.
    #[test]
    fn a_sieved_dump_of_kazoo_has_the_rows_of_the_whole_one(
        lines in proptest::collection::vec(kazoo_line(), 1..400),
        times in 1usize..6,
        filter in 0..FILTERS.len(),
        last in prop_oneof![Just("\""), Just("1,\"x"), Just("")],
    ) {
        let body = lines.concat().repeat(times) + last;
        check(KAZOO_HEADER.as_bytes(), "kazoo-csv", body.as_bytes(), FILTERS[filter])?;
    }
}

fn check(header: &[u8], format: &str, body: &[u8], filter: &str) -> Result<(), TestCaseError> {
    let filter: Filter = filter.parse().unwrap();
    let text = [header, body].concat();
    let (whole, sieved) = (read(&text, format, None), read(&text, format, Some(&filter)));
    prop_assert_eq!(&sieved.rows, &wanted(&text, format, &filter));
    prop_assert_eq!(sieved.records, whole.records);
    let lost = whole.rejects.len() - sieved.rejects.len();
    prop_assert_eq!(sieved.filtered as usize, whole.rows.len() - sieved.rows.len() + lost);
    // A record that was rejected has the same place; one that no filter wants need not be.
    for reject in &sieved.rejects {
        let of = |found: &&Rejected| {
            (found.record, found.line, found.offset, found.reason)
                == (reject.record, reject.line, reject.offset, reject.reason)
        };
        prop_assert!(whole.rejects.iter().find(of).is_some(), "{:?}", reject);
    }
    let framing = |found: &&Rejected| !matches!(found.reason, "bad-number" | "bad-time");
    prop_assert_eq!(
        sieved.rejects.iter().filter(framing).count(),
        whole.rejects.iter().filter(framing).count(),
    );
    Ok(())
}
