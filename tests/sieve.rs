//! A filter that is asked before records are framed answers as one that is asked of the finished table, whatever
//! the lines are like.

use arrow::array::AsArray;
use arrow::datatypes::Int64Type;
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

fn read(text: &[u8], filter: Option<&Filter>) -> Found {
    let columns = vec![Column::SourceOffset, Column::Src, Column::Billsec, Column::Start, Column::Clid];
    let options = Options { columns, filters: filter.cloned().into_iter().collect(), ..Options::default() };
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

/// The offsets of the rows that the finished table would keep.
fn wanted(text: &[u8], filter: &Filter) -> Vec<i64> {
    let columns = vec![Column::SourceOffset, Column::Src, Column::Billsec, Column::Start, Column::Clid];
    let mut decoder = Decoder::new("dump", Options { columns, ..Options::default() });
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
        times in 1usize..6,
        filter in 0..FILTERS.len(),
    ) {
        let filter: Filter = FILTERS[filter].parse().unwrap();
        // Several times the same: more records than a sieve is tried on.
        let text = [HEADER.as_bytes(), &lines.concat().repeat(times)].concat();
        let (whole, sieved) = (read(&text, None), read(&text, Some(&filter)));
        prop_assert_eq!(&sieved.rows, &wanted(&text, &filter));
        prop_assert_eq!(sieved.records, whole.records);
        let lost = whole.rejects.len() - sieved.rejects.len();
        prop_assert_eq!(sieved.filtered as usize, whole.rows.len() - sieved.rows.len() + lost);
        // A record that was rejected has the same place; one that no filter wants need not be.
        for reject in &sieved.rejects {
            let of = |found: &&Rejected| {
                (found.record, found.line, found.offset, found.reason) == (reject.record, reject.line, reject.offset, reject.reason)
            };
            prop_assert!(whole.rejects.iter().find(of).is_some(), "{:?}", reject);
        }
        let framing = |found: &&Rejected| !matches!(found.reason, "bad-number" | "bad-time");
        prop_assert_eq!(
            sieved.rejects.iter().filter(framing).count(),
            whole.rejects.iter().filter(framing).count(),
        );
    }
}
