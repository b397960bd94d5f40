//! The reader: where it takes dumps from, what the builder is told, what comes beside rows, and the contract
//! of a `RecordBatchReader`.

use std::fs;
use std::io::{self, Cursor, Read};
use std::path::Path;

use arrow::array::{RecordBatch, RecordBatchReader};
use arrow::datatypes::{DataType, TimeUnit};
use arrow::error::ArrowError;
use calltable::decode::{NumberPlan, PortMap};
use calltable::time::{DateOrder, Zone};
use calltable::{
    Builder, Column, Counts, Error, ErrorKind, Options, Reader, Rejected, TimeKind, Wanted, schema,
};

use crate::{BAD, DAHDI, Folder, GBK, GOOD, KAZOO, NEXO, PAGE, WEB, brought, only, text, wrong};

fn all(reader: Reader) -> String {
    reader.map(|batch| text(&batch.unwrap())).collect()
}

#[track_caller]
fn gives(builder: Builder, dump: impl Into<Vec<u8>>, rows: &str) {
    assert_eq!(all(brought(builder, dump)), rows);
}

/// What the library's own error says, within arrow's.
fn inner(error: ArrowError) -> Error {
    match error {
        ArrowError::ExternalError(error) => *error.downcast::<Error>().expect("the library's own error"),
        other => panic!("{other}"),
    }
}

// Where a reader takes dumps from.

#[test]
fn a_reader_opens_a_file() {
    let folder = Folder::of(&[("good.csv", GOOD), ("bad.csv", BAD)]);
    let reader = only(&[Column::RecordId, Column::Src]).open(folder.at("good.csv")).unwrap();
    assert_eq!(all(reader), "1,2001\n2,2002\n");
}

#[test]
fn a_reader_opens_a_folder_in_the_order_of_its_paths() {
    let folder = Folder::of(&[("b.csv", NEXO), ("a.csv", GOOD), (".c.csv", GOOD)]);
    let reader = only(&[Column::Source]).open(folder.path()).unwrap();
    let name = |name| folder.at(name).display().to_string();
    let (a, b) = (name("a.csv"), name("b.csv"));
    assert_eq!(all(reader), format!("{a}\n{a}\n{b}\n"));
}

#[test]
fn a_reader_opens_a_pattern() {
    let folder = Folder::of(&[("a1.csv", GOOD), ("a2.csv", NEXO), ("b1.csv", BAD)]);
    let reader = only(&[Column::Src]).open(folder.at("a*.csv")).unwrap();
    assert_eq!(all(reader), "2001\n2002\n101\n");
}

#[test]
fn a_reader_takes_bytes_under_the_name_that_they_are_given() {
    gives(only(&[Column::Source, Column::SourceOffset]), GOOD, "dump,30\ndump,65\n");
}

#[test]
fn what_is_not_there_is_told_by_its_path_when_it_is_opened() {
    let folder = Folder::of(&[]);
    wrong(
        Reader::builder().open(folder.at("no.csv")).map(drop),
        ErrorKind::Usage,
        &["no.csv", "no such file"],
    );
    wrong(Reader::builder().open(folder.path()).map(drop), ErrorKind::Usage, &["has no file to read"]);
}

// What the builder is told reaches the reading.

#[test]
fn columns_stand_in_their_order() {
    let reader = brought(only(&[Column::Dst, Column::Src]), GOOD);
    assert_eq!(reader.schema().fields().iter().map(|field| field.name()).collect::<Vec<_>>(), ["dst", "src"]);
    assert_eq!(all(reader), "2002,2001\ns,2002\n");
}

#[test]
fn without_columns_there_are_rows_to_be_counted() {
    let batches: Vec<RecordBatch> = brought(only(&[]), GOOD).map(Result::unwrap).collect();
    assert_eq!(batches.iter().map(RecordBatch::num_rows).sum::<usize>(), 2);
}

#[test]
fn a_bad_value_rejects_nothing_where_its_column_is_not_asked_for() {
    let dump = "AcctId,src,dst,duration\n1,2,3,abc\n";
    gives(only(&[Column::RecordId]), dump, "1\n");
    gives(only(&[Column::RecordId, Column::Duration]), dump, "");
}

#[test]
fn a_format_is_taken_at_its_word() {
    let builder = only(&[Column::Format]).format("nexo-csv").unwrap();
    gives(builder, "2021-05-07 01:05:02,101,620(102),pstn2,,,,6s,,,,,,,\n", "nexo-csv\n");
    let mut reader = brought(only(&[]).format("kazoo-csv").unwrap(), GOOD);
    assert_eq!(inner(reader.next().unwrap().unwrap_err()).kind(), ErrorKind::Input);
}

#[test]
fn a_zone_makes_instants() {
    let builder = || only(&[Column::Start]);
    gives(builder(), NEXO, "2021-05-07T01:05:02\n");
    gives(builder().timezone("America/Chicago").unwrap(), NEXO, "2021-05-07T06:05:02Z\n");
    let zoned = brought(builder().timezone("-05:00").unwrap(), NEXO).schema();
    let instant = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    assert_eq!(zoned.field(0).data_type(), &instant);
}

#[test]
fn records_are_left_out_and_counted() {
    let builder = |wanted| only(&[Column::RecordKind]).records(wanted);
    gives(builder(Wanted::All), WEB, "main\nsub\n");
    gives(builder(Wanted::Calls), WEB, "main\n");
    let mut reader = brought(builder(Wanted::Legs), WEB);
    assert_eq!(text(&reader.next().unwrap().unwrap()), "sub\n");
    assert_eq!(reader.counts(), Counts { records: 2, rows: 1, filtered: 1, ..Counts::default() });
}

#[test]
fn a_date_order_is_taken_at_its_word() {
    let builder = |order| only(&[Column::Start]).records(Wanted::Calls).date_order(order);
    gives(builder(DateOrder::MonthFirst), WEB, "2018-03-04T09:05:00\n");
    gives(builder(DateOrder::DayFirst), WEB, "2018-04-03T09:05:00\n");
}

#[test]
fn an_encoding_reads_what_is_not_utf_8() {
    gives(only(&[Column::SrcName]), GBK, "");
    gives(only(&[Column::SrcName]).encoding("gbk").unwrap(), GBK, "中\n");
}

#[test]
fn ports_and_plan_name_what_the_dump_does_not() {
    let ports = PortMap::parse("fxs=5").unwrap();
    gives(only(&[Column::ChannelKind]), DAHDI, "analog\n");
    gives(only(&[Column::ChannelKind]).ports(ports), DAHDI, "fxs\n");
    let plan = NumberPlan::parse("ivr=none,queue=620").unwrap();
    gives(only(&[Column::DstKind]).number_plan(plan), NEXO, "queue\n");
}

#[test]
fn lenient_keeps_the_record_and_the_text() {
    let columns = [Column::RecordId, Column::Duration, Column::Extra];
    gives(only(&columns), BAD, "1,64,\n4,64,\n");
    let expected = "1,64,\n2,,\"{\"\"duration\"\":\"\"abc\"\"}\"\n4,64,\n";
    gives(only(&columns).lenient(true), BAD, expected);
}

#[test]
fn options_are_the_same_settings_at_once() {
    let zone = Some(Zone::parse("UTC").unwrap());
    let options = Options { columns: vec![Column::Start], zone, ..Options::default() };
    gives(Reader::builder().options(options), NEXO, "2021-05-07T01:05:02Z\n");
}

#[test]
fn threads_and_memory_change_no_batch() {
    let mut dump = BAD.to_string();
    (0..40_000).for_each(|id| dump += &format!("{id},2001,2002,2024-05-17 12:34:56,64\n"));
    let read = |threads, memory| -> Vec<RecordBatch> {
        let builder = only(&[Column::SourceOffset, Column::Dst]).threads(threads).memory(memory);
        brought(builder, &*dump).map(Result::unwrap).collect()
    };
    let alone = read(1, 64 << 20);
    assert!(alone.len() > 1, "more than a block");
    for (threads, memory) in [(0, 0), (2, 64 << 20), (8, 1 << 30)] {
        assert!(read(threads, memory) == alone, "{threads} threads, {memory} bytes");
    }
}

#[test]
fn what_names_nothing_is_wrong_usage() {
    let builder = Reader::builder;
    wrong(builder().format("acme-csv"), ErrorKind::Usage, &["`acme-csv`", "ucm-cdrapi-csv", "asterisk-csv"]);
    wrong(builder().timezone("Mars/Olympus"), ErrorKind::Usage, &["Mars/Olympus"]);
    wrong(builder().encoding("klingon"), ErrorKind::Usage, &["klingon", "gbk"]);
    wrong(builder().encoding("utf-16"), ErrorKind::Usage, &["byte order mark"]);
}

#[test]
fn a_column_stands_once() {
    let twice = [Column::Src, Column::Dst, Column::Src];
    wrong(
        Reader::builder().columns(&twice).read("dump", io::empty()).map(drop),
        ErrorKind::Usage,
        &["src", "twice"],
    );
}

// What a reader gives beside rows.

#[test]
fn rejects_come_with_the_batch_that_they_stand_in() {
    let mut reader = brought(only(&[Column::RecordId, Column::Duration]), BAD);
    assert!(reader.rejects().is_empty(), "before the first batch");
    assert_eq!(text(&reader.next().unwrap().unwrap()), "1,64\n4,64\n");
    let [number, fields] = reader.rejects() else { panic!("{:?}", reader.rejects()) };
    let place = |reject: &Rejected| (reject.record, reject.line, reject.offset, reject.length);
    assert_eq!((place(number), place(fields)), ((2, 3, 65, 35), (3, 4, 101, 6)));
    assert_eq!((number.reason, number.field.as_deref()), ("bad-number", Some("duration")));
    assert_eq!((fields.reason, &fields.raw[..]), ("field-count", &b"3,2001"[..]));
    assert!(reader.next().is_none());
    assert!(reader.rejects().is_empty(), "each is given once");
}

#[test]
fn a_dump_of_rejects_alone_gives_a_batch_without_rows() {
    let mut reader = brought(only(&[Column::Duration]), "AcctId,src,dst,duration\n1,2,3,abc\n");
    assert_eq!(reader.next().unwrap().unwrap().num_rows(), 0);
    assert_eq!(reader.rejects().len(), 1);
}

#[test]
fn places_count_anew_in_every_dump_and_say_which_it_is() {
    let folder = Folder::of(&[("a.csv", BAD), ("b.csv", BAD)]);
    let mut reader = only(&[Column::RecordId, Column::Duration]).open(folder.path()).unwrap();
    let mut places = Vec::new();
    while reader.next().transpose().unwrap().is_some() {
        let place = |reject: &Rejected| {
            (Path::new(&reject.source).file_name().unwrap().to_owned(), reject.record, reject.line)
        };
        places.extend(reader.rejects().iter().map(place));
    }
    let expected = [("a.csv", 2, 3), ("a.csv", 3, 4), ("b.csv", 2, 3), ("b.csv", 3, 4)];
    assert_eq!(places, expected.map(|(name, record, line)| (name.into(), record, line)));
}

#[test]
fn counts_add_up_over_all_dumps() {
    let folder = Folder::of(&[("a.csv", BAD), ("b.csv", GOOD)]);
    let mut reader = only(&[Column::Duration]).open(folder.path()).unwrap();
    assert!(reader.by_ref().all(|batch| batch.is_ok()));
    assert_eq!(reader.counts(), Counts { records: 6, rows: 4, rejected: 2, ..Counts::default() });
}

#[test]
fn warnings_name_the_dump_and_are_taken_once() {
    let mut reader = brought(only(&[Column::Start]), WEB);
    while reader.next().is_some() {}
    let warnings = reader.take_warnings();
    assert!(
        matches!(&warnings[..], [one] if one.starts_with("dump: ") && one.contains("month first")),
        "{warnings:?}"
    );
    assert!(reader.take_warnings().is_empty());
}

#[test]
fn a_reader_warns_as_the_program_does() {
    let page = format!("AcctId,src,dst\n{}", "1,2,3\n".repeat(1000));
    let mut reader = brought(only(&[Column::Src]), page);
    while reader.next().is_some() {}
    assert!(reader.take_warnings().concat().contains("exactly 1000 records"), "one page of more");
    let mut reader = brought(only(&[Column::Src]), "AcctId,src,dst\n\0\0\x001,2,3\n");
    while reader.next().is_some() {}
    assert!(reader.take_warnings().concat().contains("NULs"), "NULs that are passed over");
}

#[test]
fn what_is_passed_over_in_a_folder_is_told() {
    let folder =
        Folder::of(&[("a.csv", GOOD), (".b.csv", GOOD), ("c.png", "\u{89}PNG"), ("d.parquet", "PAR1")]);
    fs::write(folder.at("c.png"), b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR").unwrap();
    let mut reader = only(&[Column::Src]).open(folder.path()).unwrap();
    assert!(reader.by_ref().all(|batch| batch.is_ok()));
    let name = |source: &str| Path::new(source).file_name().unwrap().to_str().unwrap().to_owned();
    let skipped: Vec<String> = reader.skipped().iter().map(|file| name(&file.source)).collect();
    assert_eq!(skipped, [".b.csv", "d.parquet", "c.png"]);
}

// The contract of a `RecordBatchReader`.

fn is_what_arrow_wants(_: &(impl RecordBatchReader + Send + 'static)) {}

#[test]
fn the_schema_is_that_of_every_batch_of_every_dump() {
    let folder = Folder::of(&[("a.csv", GOOD), ("b.csv", NEXO), ("c.csv", WEB)]);
    let mut reader = Reader::builder().open(folder.path()).unwrap();
    is_what_arrow_wants(&reader);
    let before = RecordBatchReader::schema(&reader);
    assert_eq!(before, schema(TimeKind::WallClock));
    let batches: Vec<RecordBatch> = reader.by_ref().map(Result::unwrap).collect();
    assert_eq!(batches.len(), 3);
    assert!(batches.iter().all(|batch| batch.schema() == before));
    assert_eq!(reader.schema(), before);
}

#[test]
fn a_dump_that_is_none_is_an_error_and_the_next_is_read() {
    let folder = Folder::of(&[("a.csv", GOOD), ("b.html", PAGE), ("c.csv", NEXO)]);
    let mut reader = only(&[Column::Src]).open(folder.path()).unwrap();
    assert_eq!(text(&reader.next().unwrap().unwrap()), "2001\n2002\n");
    let error = inner(reader.next().unwrap().unwrap_err());
    assert_eq!((error.kind(), error.file()), (ErrorKind::Input, folder.at("b.html").to_str()));
    assert!(error.message().contains("HTML"), "{error}");
    assert_eq!(text(&reader.next().unwrap().unwrap()), "101\n");
    assert!(reader.next().is_none() && reader.next().is_none());
}

#[test]
fn a_dump_with_the_other_kind_of_times_is_an_error_and_the_next_is_read() {
    let folder = Folder::of(&[("a.csv", NEXO), ("b.csv", KAZOO), ("c.csv", GOOD)]);
    let mut reader = only(&[Column::Src]).open(folder.path()).unwrap();
    assert_eq!(text(&reader.next().unwrap().unwrap()), "101\n");
    let error = inner(reader.next().unwrap().unwrap_err());
    assert!(error.to_string().contains("b.csv") && error.message().contains("--timezone"), "{error}");
    assert_eq!(text(&reader.next().unwrap().unwrap()), "2001\n2002\n");
}

/// Bytes that end in a fault.
struct Broken(Cursor<Vec<u8>>);

impl Read for Broken {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        match self.0.read(bytes)? {
            0 => Err(io::Error::other("the line is dead")),
            count => Ok(count),
        }
    }
}

#[test]
fn the_rows_before_a_fault_come_before_its_error() {
    let mut reader = only(&[Column::Src]).read("dump", Broken(Cursor::new(GOOD.into()))).unwrap();
    assert_eq!(text(&reader.next().unwrap().unwrap()), "2001\n2002\n");
    let error = inner(reader.next().unwrap().unwrap_err());
    assert_eq!((error.file(), error.offset()), (Some("dump"), Some(GOOD.len() as u64)));
    assert!(error.message().contains("the line is dead"), "{error}");
    assert!(reader.next().is_none());
}

#[test]
fn an_empty_dump_has_a_schema_and_no_batch() {
    for dump in ["", "\n\n", "AcctId,src,dst\n"] {
        let mut reader = brought(only(&[Column::Src, Column::Start]), dump);
        assert_eq!(reader.schema().fields().len(), 2, "{dump:?}");
        assert!(reader.next().is_none(), "{dump:?}");
        assert_eq!(reader.counts(), Counts::default(), "{dump:?}");
    }
}

#[test]
fn without_any_dump_the_schema_is_that_of_the_options() {
    let mut reader = brought(only(&[Column::Start]).timezone("UTC").unwrap(), PAGE);
    let instant = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    assert_eq!(reader.schema().field(0).data_type(), &instant);
    assert!(reader.next().unwrap().is_err() && reader.next().is_none());
}
