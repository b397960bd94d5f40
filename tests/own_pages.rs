//! Parquet pages that are encoded by ourselves, from texts that are prepared for them, hold what the
//! parquet crate's writer makes of arrow's arrays: one dump of many values, written both ways.

use std::fmt::Write;
use std::fs::File;
use std::io::Cursor;
use std::path::Path;

use arrow::array::{Array, ArrayRef, RecordBatch};
use arrow::compute::{cast, concat_batches};
use arrow::datatypes::DataType;
use calltable::convert::{Exit, Job, Limits, convert};
use calltable::sink::Compression;
use calltable::source::inputs::{Brought, Input, Inputs, Place};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

const HEADER: &str = "AcctId,accountcode,src,dst,dcontext,clid,channel,dstchannel,lastapp,lastdata,start,answer,end,\
    duration,billsec,disposition,amaflags,uniqueid,userfield,channel_ext,dstchannel_ext,service,caller_name,\
    recordfiles,dstanswer,chanext,dstchanext,session,action_owner,action_type,src_trunk_name,dst_trunk_name\n";

/// Calls of numbers that come again and numbers that do not, with empty values, dashes for nothing,
/// names of every length, and more distinct texts than a dictionary takes.
fn dump(rows: usize) -> String {
    let mut text = HEADER.to_string();
    for row in 0..rows {
        let (few, many) = (row * 7 % 300, row * 7919 % 50_000);
        let name = "Müller-Lüdenscheidt ".repeat(row % 3);
        let nothing = ["", "—"][row % 2];
        let dst = if row % 5 == 0 { "s".to_string() } else { format!("00{many}") };
        let answered = if row % 4 == 0 { nothing.to_string() } else { format!("{few}") };
        let files = ["", "a/1.wav@", "@", "b/2.wav@c/3.wav@"][row % 4].replace('/', &format!("{row}/"));
        let channel = match row % 6 {
            0 => format!("DAHDI/{}-1", row % 9),
            1 => format!("Local/{few}@from-internal-{row:08x};2"),
            2 => format!("PJSIP/trunk_{}-{row:08x}", row % 5),
            3 if row % 4 == 0 => String::new(),
            _ => format!("PJSIP/{few}-{row:08x}"),
        };
        writeln!(
            text,
            "{row},{nothing},{few},{dst},from-internal,\"\"\"{name}{few}\"\" <{few}>\",{channel},\
             PJSIP/trunk_{}/{many}-{row:08x},Dial,\"PJSIP/{many},60,{name}\",2024-05-17 12:{:02}:{:02},,\
             2024-05-17 13:00:00,{},{},ANSWERED,DOCUMENTATION,17159{row:05}.{row},,{few},{answered},,{},\
             {files},{answered},,{many},17159{row:05}-{few},{few},DIAL[{many}],,trunk {}",
            row % 3,
            row / 60 % 60,
            row % 60,
            row % 999,
            row % 2,
            if row % 7 == 0 { "" } else { &name },
            row % 20,
        )
        .unwrap();
    }
    text
}

fn write(text: &str, path: &Path, compression: Compression, threads: usize) {
    let place = Place::Brought(Brought::new(Cursor::new(text.as_bytes().to_vec())));
    let inputs = Inputs {
        inputs: vec![Input { name: "dump".to_string(), place, walked: false }],
        skipped: Vec::new(),
    };
    let job = Job::new(inputs, path).unwrap();
    let limits = Limits { threads, ..Limits::default() };
    let outcome = convert(Job { compression, row_group_rows: 70_001, limits, ..job }).unwrap();
    assert_eq!(outcome.exit, Exit::Done, "{:?} {:?}", outcome.error, outcome.report.totals.counts);
}

fn read(path: &Path) -> RecordBatch {
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(path).unwrap()).unwrap();
    let schema = reader.schema().clone();
    let batches: Vec<RecordBatch> = reader.build().unwrap().map(|batch| batch.unwrap()).collect();
    concat_batches(&schema, &batches).unwrap()
}

/// A column's values, whatever codes a dictionary gives them.
fn values(array: &ArrayRef) -> ArrayRef {
    match array.data_type() {
        DataType::Dictionary(..) => cast(array, &DataType::Utf8).unwrap(),
        _ => array.clone(),
    }
}

#[test]
fn own_pages_hold_what_the_crates_do() {
    let (folder, text) = (tempfile::tempdir().unwrap(), dump(100_000));
    let (own, twin) = (folder.path().join("own.parquet"), folder.path().join("twin.parquet"));
    write(&text, &own, Compression::Default, 2);
    write(&text, &twin, Compression::Snappy, 2);
    let (ours, theirs) = (read(&own), read(&twin));
    assert_eq!((ours.num_rows(), ours.schema()), (100_000, theirs.schema()));
    for (at, field) in ours.schema().fields().iter().enumerate() {
        assert_eq!(&values(ours.column(at)), &values(theirs.column(at)), "{}", field.name());
    }
    let nulls = |name: &str| ours.column_by_name(name).unwrap().null_count();
    assert_eq!((nulls("accountcode"), nulls("dst_number"), nulls("lastdata")), (100_000, 20_000, 0));
}

/// Calls of which none has a text that another has: what is kept of texts is soon too much.
fn strange(rows: usize) -> String {
    let mut text = HEADER.to_string();
    for row in 0..rows {
        writeln!(
            text,
            "{row},a{row},s{row},d{row},c{row},\"\"\"Ann {row}\"\" <s{row}>\",PJSIP/s{row}-{row:08x},\
             PJSIP/trunk_{row}/d{row}-{row:08x},app{row},data {row},2024-05-17 12:00:00,,2024-05-17 13:00:00,\
             1,1,ANSWERED,DOCUMENTATION,{row}.{row},user {row},x{row},y{row},service {row},Ann {row},,z{row},u{row},\
             v{row},{row}-s{row},o{row},DIAL[d{row}],from {row},to {row}"
        )
        .unwrap();
    }
    text
}

#[test]
fn own_pages_hold_what_the_crates_do_where_no_text_comes_twice() {
    let (folder, text) = (tempfile::tempdir().unwrap(), strange(60_000));
    let path = |name: &str| folder.path().join(name);
    write(&text, &path("one.parquet"), Compression::Default, 1);
    write(&text, &path("three.parquet"), Compression::Default, 3);
    write(&text, &path("twin.parquet"), Compression::Snappy, 2);
    assert!(std::fs::read(path("one.parquet")).unwrap() == std::fs::read(path("three.parquet")).unwrap());
    let (ours, theirs) = (read(&path("one.parquet")), read(&path("twin.parquet")));
    for (at, field) in ours.schema().fields().iter().enumerate() {
        assert_eq!(&values(ours.column(at)), &values(theirs.column(at)), "{}", field.name());
    }
}

#[test]
fn own_pages_are_the_same_for_any_number_of_threads() {
    let (folder, text) = (tempfile::tempdir().unwrap(), dump(30_000));
    let bytes = |threads: usize| {
        let path = folder.path().join(format!("{threads}.parquet"));
        write(&text, &path, Compression::Default, threads);
        std::fs::read(path).unwrap()
    };
    let one = bytes(1);
    assert!([2, 3, 8].iter().all(|&threads| bytes(threads) == one));
}
