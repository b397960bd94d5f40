//! A filter while reading gives what `Filter::matches` says of all rows that are read without it, for every
//! dump, however it is cut and by however many threads it is read. That is the slow twin of what
//! `column/narrow.rs` does.

use std::fs;
use std::io::Cursor;
use std::sync::Arc;

use arrow::array::{Array, RecordBatch};
use arrow::compute::{cast, concat_batches, filter_record_batch};
use arrow::datatypes::{DataType, Field, TimeUnit};
use calltable::filter::Context;
use calltable::time::Zone;
use calltable::{Column, Counts, Decoder, Filter, Options, Reader, Rejected};

/// What came of a dump.
#[derive(Debug, Default, PartialEq)]
struct Read {
    rows: Option<RecordBatch>,
    rejects: Vec<Rejected>,
    counts: Counts,
    failed: bool,
}

impl Read {
    fn len(&self) -> usize {
        self.rows.as_ref().map_or(0, RecordBatch::num_rows)
    }
}

/// Batches without rows say nothing; the views of the others may lie in any buffers.
fn joined(batches: &[RecordBatch]) -> Option<RecordBatch> {
    let batches: Vec<&RecordBatch> = batches.iter().filter(|batch| batch.num_rows() > 0).collect();
    let schema = batches.first()?.schema();
    Some(concat_batches(&schema, batches).expect("one schema"))
}

fn in_pieces(bytes: &[u8], size: usize, options: &Options) -> Read {
    let mut decoder = Decoder::new("dump", options.clone());
    let fed = bytes.chunks(size).try_for_each(|piece| decoder.feed(piece)).and_then(|()| decoder.finish());
    let (mut rejects, mut batches) = (Vec::new(), Vec::new());
    while let Some(decoded) = decoder.next_batch() {
        rejects.extend(decoded.rejects);
        batches.push(decoded.rows);
    }
    Read { rows: joined(&batches), rejects, counts: decoder.counts(), failed: fed.is_err() }
}

fn by_threads(bytes: &[u8], threads: usize, options: &Options) -> Read {
    let builder = Reader::builder().options(options.clone()).threads(threads).memory(64 << 20);
    let mut reader = builder.read("dump", Cursor::new(bytes.to_vec())).expect("threads");
    let (mut read, mut batches) = (Read::default(), Vec::new());
    while let Some(batch) = reader.next() {
        read.rejects.extend_from_slice(reader.rejects());
        match batch {
            Ok(batch) => batches.push(batch),
            Err(_) => read.failed = true,
        }
    }
    read.rejects.extend_from_slice(reader.rejects());
    Read { rows: joined(&batches), counts: reader.counts(), ..read }
}

/// The rows of a dump that match, told of all rows.
fn matching(read: &Read, filter: &Filter, zone: Option<&Zone>) -> Option<RecordBatch> {
    let rows = read.rows.as_ref()?;
    let wanted = filter.matches(rows, zone).expect("all columns");
    assert_eq!(wanted.null_count(), 0);
    Some(filter_record_batch(rows, &wanted).expect("as many as rows")).filter(|rows| rows.num_rows() > 0)
}

/// The filters, each of which looks at other columns.
fn filters() -> Vec<Filter> {
    let sql = [
        "src like '_0%'",
        "src like '5%' or dst = '6011' or answered_by is not null",
        "billsec between 1 and 60",
        "duration > 5 and disposition = 'ANSWERED'",
        "not (call_type = 'internal')",
        "call_type is null or dst_kind is not null",
        "start >= '2024-05-17 12:00' and billsec > 0",
        "\"end\" > answer or start is null",
        "channel_tech in ('PJSIP', 'SIP') and channel_port is null",
        "dstchannel_peer = channel_peer or channel_kind like 'trunk%'",
        "record_kind = 'sub' or sub_index > 1",
        "vendor = 'nexo' or format like '%xml' or source_offset > 1000",
        "extra is not null and recordfiles is null",
        "extra['Premier Caller'] is not null or extra['newvalue'] = '1' or nat",
        "length(lower(clid)) > 12 and cast(src as bigint) > 100",
        "amaflags <> 'BILLING' or port::text like '1%'",
        "true",
        "false",
    ];
    let requests = [
        "cdrapi?caller=53@,6@,0-99999&minDur=1&maxDur=600",
        "cdrapi?callee=0-0,60__&startTime=2024-01-01&endTime=now",
        "cdrapi?answeredby=@",
        "ucm-web?callType=internal,inbound&status=answered",
        "ucm-web?callerNumber=6.&callerName=a",
        "nexo?src=100-7000&disposition=ANSWERED&userfield=All",
        "yeastar?call_from=6&enable_fuzzy_search=1",
        "kazoo?filter_direction=inbound",
        "kazoo?has_key=hangup_cause",
    ];
    let context = Context::new();
    let sql = sql.iter().map(|text| Filter::sql(text).expect(text));
    let requests = requests
        .iter()
        .map(|text| Filter::parse_with(text, &context).unwrap_or_else(|error| panic!("{text}: {error}")));
    sql.chain(requests).collect()
}

/// The dumps as the decoder reads them; UTF-16 and GBK in XML are the reader's.
fn dumps() -> Vec<(String, Vec<u8>)> {
    let marks: [&[u8]; 3] = [b"\xff\xfe", b"\xfe\xff", b"<?xml version=\"1.0\" encoding=\"GBK\""];
    let mut dumps = Vec::new();
    for entry in fs::read_dir("testdata/dumps").expect("the dumps") {
        let path = entry.expect("an entry").path();
        let bytes = fs::read(&path).expect("a dump");
        if !marks.iter().any(|mark| bytes.starts_with(mark)) {
            dumps.push((path.display().to_string(), bytes));
        }
    }
    assert!(dumps.len() > 100);
    dumps
}

fn with(filter: &Filter, options: &Options) -> Options {
    Options { filters: vec![filter.clone()], ..options.clone() }
}

fn zones() -> [Options; 3] {
    let zone = |zone| Some(Zone::parse(zone).expect("a zone"));
    [
        Options::default(),
        Options { zone: zone("America/Chicago"), lenient: true, ..Options::default() },
        Options { zone: zone("+05:30"), ..Options::default() },
    ]
}

#[test]
fn every_filter_on_every_dump_as_matches_says() {
    let (mut matched, mut left_out, mut doubtful) = (0, 0, 0);
    for (at, (name, bytes)) in dumps().into_iter().enumerate() {
        for options in zones() {
            let all = in_pieces(&bytes, usize::MAX, &options);
            // The zones matter to few filters: with them each dump meets a third of all.
            let (first, step) = if options.zone.is_some() { (at % 3, 3) } else { (0, 1) };
            for filter in filters().into_iter().skip(first).step_by(step) {
                let read = in_pieces(&bytes, usize::MAX, &with(&filter, &options));
                let expected = matching(&all, &filter, options.zone.as_ref());
                assert!(read.rows == expected, "{name}: {filter}: {} rows", read.len());
                assert_eq!(read.counts.records, all.counts.records, "{name}: {filter}");
                let counts = read.counts;
                assert_eq!(
                    counts.records,
                    counts.rows + counts.filtered + counts.rejected,
                    "{name}: {filter}"
                );
                // A reject is one without the filter, too, and for the same reason, unless the row is left out.
                assert!(read.rejects.iter().all(|reject| all.rejects.contains(reject)), "{name}: {filter}");
                assert!(!options.lenient || read.rejects == all.rejects, "{name}: {filter}");
                matched += counts.rows;
                left_out += counts.filtered;
                doubtful += u64::from(!options.lenient && !read.rejects.is_empty() && counts.rows > 0);
            }
        }
    }
    assert!(matched > 1000 && left_out > 1000 && doubtful > 10, "{matched} {left_out} {doubtful}");
}

/// As pyarrow, DuckDB, Polars and arrow itself may give a file's columns back.
fn in_other_types(rows: &RecordBatch, which: usize) -> RecordBatch {
    let dictionary = DataType::Dictionary(Box::new(DataType::UInt32), Box::new(DataType::LargeUtf8));
    let schema = rows.schema();
    let columns = schema.fields().iter().zip(rows.columns()).map(|(field, array)| {
        let wanted = match (array.data_type(), which) {
            (DataType::Utf8View, 0) => DataType::Utf8,
            (DataType::Utf8View, 1) => DataType::LargeUtf8,
            (DataType::Utf8View, _) => dictionary.clone(),
            (DataType::Dictionary(..), 0) => DataType::Utf8View,
            (DataType::Dictionary(..), 1) => dictionary.clone(),
            (DataType::Dictionary(..), _) => DataType::Utf8,
            (DataType::Int32 | DataType::UInt16 | DataType::UInt32, _) => DataType::Int64,
            (DataType::Timestamp(_, zone), 0) => DataType::Timestamp(TimeUnit::Nanosecond, zone.clone()),
            (DataType::Timestamp(_, Some(_)), 1) => {
                DataType::Timestamp(TimeUnit::Microsecond, Some("America/Chicago".into()))
            }
            (DataType::List(_), _) => {
                DataType::LargeList(Arc::new(Field::new("element", DataType::LargeUtf8, true)))
            }
            (other, _) => other.clone(),
        };
        (field.name().clone(), cast(array, &wanted).expect("a type that it can be"))
    });
    RecordBatch::try_from_iter(columns).expect("as many rows")
}

#[test]
fn matches_takes_the_types_that_readers_give() {
    let mut matched = 0;
    for (name, bytes) in dumps() {
        let zone = Some(Zone::parse("America/Chicago").expect("a zone"));
        let all = in_pieces(&bytes, usize::MAX, &Options { zone, lenient: true, ..Options::default() });
        let Some(rows) = all.rows else { continue };
        for which in 0..3 {
            let others = in_other_types(&rows, which);
            for filter in filters() {
                let expected = filter.matches(&rows, zone.as_ref()).expect("all columns");
                let found = filter.matches(&others, zone.as_ref());
                let found = found.unwrap_or_else(|error| panic!("{name}: {filter}: {error}"));
                assert!(found == expected, "{name}: {filter}: {which}");
                matched += found.true_count();
            }
        }
    }
    assert!(matched > 1000, "{matched}");
}

/// What `matches` says is of the columns that the filter looks at, and they need not be among those asked for.
#[test]
fn columns_that_are_not_asked_for_are_looked_at() {
    let columns = vec![Column::SourceOffset, Column::Dst];
    let mut checked = 0;
    for (name, bytes) in dumps() {
        let options = Options { lenient: true, ..Options::default() };
        let all = in_pieces(&bytes, usize::MAX, &options);
        for filter in filters() {
            let read = in_pieces(
                &bytes,
                usize::MAX,
                &Options { columns: columns.clone(), ..with(&filter, &options) },
            );
            let expected = matching(&all, &filter, None);
            let places: Vec<usize> = columns.iter().map(|column| *column as usize).collect();
            let expected = expected.map(|rows| rows.project(&places).expect("both"));
            assert!(read.rows == expected, "{name}: {filter}");
            checked += read.len();
        }
    }
    assert!(checked > 1000, "{checked}");
}

#[test]
fn a_filter_gives_the_same_however_the_dump_is_cut() {
    let filters = filters();
    for (at, (name, bytes)) in dumps().into_iter().enumerate() {
        // Every filter comes up with many dumps; all with all would take minutes.
        for filter in filters.iter().skip(at % 14).step_by(14) {
            let options = with(filter, &Options::default());
            let whole = in_pieces(&bytes, usize::MAX, &options);
            for size in [1, 2, 3, 7] {
                assert!(in_pieces(&bytes, size, &options) == whole, "{name}: {filter}: pieces of {size}");
            }
            let alone = by_threads(&bytes, 1, &options);
            for threads in [2, 8] {
                assert!(
                    by_threads(&bytes, threads, &options) == alone,
                    "{name}: {filter}: {threads} threads"
                );
            }
        }
    }
}

#[path = "common/dumps.rs"]
mod made;

#[test]
fn many_blocks_are_filtered_and_paged_alike_by_any_number_of_threads() {
    let text = made::irregular(4 << 20, 7);
    let all = by_threads(&text, 2, &Options::default());
    for filter in
        ["cdrapi?caller=600@&minDur=0", "cdrapi?callee=6011&numRecords=1000&offset=5000", "cdrapi?offset=3"]
    {
        let filter = Filter::parse(filter).expect(filter);
        let alone = by_threads(&text, 1, &with(&filter, &Options::default()));
        for threads in [2, 8] {
            let other = by_threads(&text, threads, &with(&filter, &Options::default()));
            assert!(alone == other, "{filter} by {threads} threads");
        }
        for size in [4093, usize::MAX] {
            let read = in_pieces(&text, size, &with(&filter, &Options::default()));
            assert!(read.rows == alone.rows && read.counts == alone.counts, "{filter} in pieces of {size}");
        }
        let matching = matching(&all, &filter, None).expect("some match");
        let page = filter.page().unwrap_or_default();
        let from = page.offset.unwrap_or(0) as usize;
        let len = (matching.num_rows() - from).min(page.count.unwrap_or(u64::MAX) as usize);
        assert!(len > 0 && alone.rows == Some(matching.slice(from, len)), "{filter}");
        assert_eq!(alone.counts.records, alone.counts.rows + alone.counts.filtered + alone.counts.rejected);
    }
}

/// Three records with a number that is none: of one the filter wants nothing else, of one it is decided
/// without that number, of one by it.
const DOUBTFUL: &[u8] = b"AcctId,src,dst,start,answer,end,duration,billsec,clid\n\
    1,53,1,2024-05-17 12:34:56,,,4,four,a\n\
    2,54,1,2024-05-17 12:34:56,,,4,four,b\n\
    3,53,1,2024-05-17 12:34:56,,never,4,4,c\n\
    4,53,1,2024-05-17 12:34:56,,,4,4,d\n";

#[test]
fn a_bad_value_rejects_only_where_it_decides() {
    let read = |condition: &str, columns: &[Column], lenient: bool| {
        let filters = vec![Filter::sql(condition).expect(condition)];
        let options = Options { filters, columns: columns.to_vec(), lenient, ..Options::default() };
        let read = in_pieces(DOUBTFUL, usize::MAX, &options);
        let rejects: Vec<(u64, &str, Option<String>)> =
            read.rejects.iter().map(|reject| (reject.record, reject.reason, reject.field.clone())).collect();
        (read.len(), read.counts.filtered, rejects)
    };
    let bad_number = |record| (record, "bad-number", Some("billsec".to_string()));
    let src = [Column::Src];
    // Not asked for, but asked about; and the other way round: what is filtered out is not typed.
    assert_eq!(read("src = '53' and billsec = 4", &src, false), (2, 1, vec![bad_number(1)]));
    assert_eq!(read("src = '54'", &[Column::Src, Column::Billsec], false), (0, 3, vec![bad_number(2)]));
    assert_eq!(read("src = '99'", &[Column::Src, Column::Billsec], false), (0, 4, vec![]));
    // Decided without it.
    assert_eq!(read("src = '53' or billsec = 4", &src, false), (3, 0, vec![bad_number(2)]));
    assert_eq!(read("billsec = 4 and \"end\" is not null", &src, false).2.len(), 1);
    // A time that is none, of a column that is not asked for.
    let bad_time = (3, "bad-time", Some("end".to_string()));
    assert_eq!(read("src = '53' and \"end\" is null", &src, false), (2, 1, vec![bad_time]));
    // Leniently it is null.
    assert_eq!(read("billsec is null", &src, true), (2, 2, vec![]));
    assert_eq!(read("\"end\" is null and billsec = 4", &src, true), (2, 2, vec![]));
}

#[test]
fn two_pages_are_wrong_usage() {
    let filters = ["cdrapi?numRecords=5", "cdrapi?offset=1"].map(|text| Filter::parse(text).expect(text));
    let builder = Reader::builder().filter(filters[0].clone()).filter(filters[1].clone());
    let error = builder.read("dump", Cursor::new(DOUBTFUL)).err().expect("two pages");
    assert!(error.to_string().contains("two filters ask for a page"), "{error}");
}

#[test]
fn a_column_that_is_missing_or_of_another_type_is_named() {
    let rows =
        in_pieces(DOUBTFUL, usize::MAX, &Options { lenient: true, ..Options::default() }).rows.expect("rows");
    let filter = Filter::sql("billsec > 5 and nat").expect("a condition");
    let without = rows.project(&[Column::Billsec as usize]).expect("one column");
    let error = filter.matches(&without, None).expect_err("nat is missing");
    assert_eq!(error.to_string(), "the filter looks at column nat, which is missing");
    let text = rows.column(Column::Src as usize).clone();
    let wrong = RecordBatch::try_from_iter([("billsec", text.clone()), ("nat", text)]).expect("two columns");
    let error = filter.matches(&wrong, None).expect_err("nat is a text");
    assert_eq!(error.to_string(), "column nat is of type Utf8View, not that of the unified table");
}
