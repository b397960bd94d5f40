//! Compressed dumps and archives: what is in them is read as it would be by itself, what is damaged is read
//! up to the fault, and nothing that a few bytes ask for is done without bounds.

use std::io::{Cursor, Read, Write};
use std::path::Path;

use arrow::array::AsArray;
use arrow::datatypes::{DataType, Int32Type, Int64Type};
use calltable::Reader;

const HEADER: &str = "AcctId,src,dst,start,duration,clid\n";

/// A dump of so many records, the first of that number.
fn dump(first: usize, records: usize) -> String {
    let record = |at| format!("{at},6039,6011,2024-05-17 12:34:56,4,\"Ann\" <6039>\n");
    HEADER.to_string() + &(first..first + records).map(record).collect::<String>()
}

/// What was read of an input.
#[derive(Debug, Default, PartialEq)]
struct Found {
    /// The source of every row, and its offset.
    rows: Vec<(String, i64)>,
    errors: Vec<String>,
    skipped: Vec<String>,
}

/// Reads a file of that name with these bytes; names are told without the folder.
fn read(name: &str, bytes: &[u8]) -> Found {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    gather(Reader::builder().threads(2).open(&path).unwrap(), folder.path())
}

fn gather(mut reader: Reader, folder: &Path) -> Found {
    let folder = format!("{}/", folder.display());
    let mut found = Found::default();
    for batch in reader.by_ref() {
        match batch {
            Ok(batch) => {
                let sources = batch.column_by_name("source").unwrap().as_dictionary::<Int32Type>();
                let names = sources.values().as_string::<i32>();
                let offsets = batch.column_by_name("source_offset").unwrap().as_primitive::<Int64Type>();
                let source =
                    |row: usize| names.value(sources.keys().value(row) as usize).replace(&folder, "");
                found.rows.extend((0..batch.num_rows()).map(|row| (source(row), offsets.value(row))));
            }
            Err(error) => {
                found.errors.push(error.to_string().replace(&folder, "").replace("External error: ", ""))
            }
        }
    }
    let skipped = reader.skipped().iter().map(|skipped| format!("{}: {}", skipped.source, skipped.why));
    found.skipped = skipped.map(|skipped| skipped.replace(&folder, "")).collect();
    found
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn zstd(text: &[u8]) -> Vec<u8> {
    zstd::bulk::compress(text, 1).unwrap()
}

fn bzip2(text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    bzip2::read::BzEncoder::new(text, bzip2::Compression::fast()).read_to_end(&mut bytes).unwrap();
    bytes
}

fn xz(text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    liblzma::read::XzEncoder::new(text, 1).read_to_end(&mut bytes).unwrap();
    bytes
}

fn tar(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, bytes) in members {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        // As an attacker would, who need not ask whether a name is allowed.
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_cksum();
        builder.append(&header, *bytes).unwrap();
    }
    builder.into_inner().unwrap()
}

fn zip(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in members {
        writer.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// The rows of a dump of so many records under that name.
fn rows(source: &str, first: usize, records: usize) -> Vec<(String, i64)> {
    let text = dump(first, records);
    let starts = text.match_indices('\n').map(|(at, _)| at as i64 + 1).take(records);
    starts.map(|at| (source.to_string(), at)).collect()
}

#[track_caller]
fn check(name: &str, bytes: &[u8], expected: Vec<(String, i64)>) {
    assert_eq!(read(name, bytes), Found { rows: expected, ..Found::default() });
}

#[test]
fn each_compression_is_read_and_known_by_its_content() {
    let text = dump(1, 1000);
    for compress in [gzip as Compress, zstd, bzip2, xz] {
        check("misnamed.csv", &compress(text.as_bytes()), rows("misnamed.csv", 1, 1000));
    }
}

#[test]
fn several_members_are_one_dump() {
    let text = dump(1, 1000);
    let (one, other) = text.as_bytes().split_at(20_000);
    for compress in [gzip as Compress, zstd, bzip2, xz] {
        check("calls", &[compress(one), compress(other)].concat(), rows("calls", 1, 1000));
    }
    let skippable = [&[0x5A, 0x2A, 0x4D, 0x18, 3, 0, 0, 0][..], b"abc"].concat();
    let frames = [skippable.clone(), zstd(one), skippable, zstd(other)].concat();
    check("calls", &frames, rows("calls", 1, 1000));
}

#[test]
fn nuls_behind_gzip_are_no_fault_and_anything_else_is() {
    let whole = gzip(dump(1, 3).as_bytes());
    check("calls.gz", &[&whole[..], &[0; 100_000]].concat(), rows("calls.gz", 1, 3));
    check("calls.gz", &[&whole[..], &[0; 700], &gzip(b"4,1,2,2024-05-17 12:34:56,4,x\n")].concat(), {
        let end = dump(1, 3).len() as i64;
        [rows("calls.gz", 1, 3), vec![("calls.gz".into(), end)]].concat()
    });
    let found = read("calls.gz", &[&whole[..], b"garbage"].concat());
    assert_eq!(found.rows, rows("calls.gz", 1, 3));
    let message = "the gzip data cannot be read on: bytes that are no gzip stand behind its last member";
    assert_eq!(found.errors, [format!("calls.gz: at byte {}: {message}", dump(1, 3).len())]);
}

#[test]
fn what_is_cut_off_is_read_up_to_there_and_fails_by_name() {
    let text = dump(1, 5000);
    for compress in [gzip as Compress, zstd, bzip2, xz] {
        let whole = compress(text.as_bytes());
        for cut in [whole.len() / 2, whole.len() - 1] {
            let found = read("calls", &whole[..cut]);
            let [error] = &found.errors[..] else { panic!("{:?}", found.errors) };
            assert!(error.starts_with("calls: ") && error.contains(" data "), "{error}");
            let all = rows("calls", 1, 5000);
            assert_eq!(found.rows, all[..found.rows.len()]);
        }
    }
    let half = read("calls", &zstd(text.as_bytes())[..2000]);
    assert!(half.errors[0].contains("the Zstandard data"), "{:?}", half.errors);
}

#[test]
fn a_changed_byte_is_a_fault() {
    let text = dump(1, 500);
    let mut whole = gzip(text.as_bytes());
    let end = whole.len();
    whole[end - 6] ^= 1;
    let found = read("calls", &whole);
    assert_eq!(found.errors.len(), 1, "the sum is wrong: {:?}", found.errors);
}

#[test]
fn compressed_twice_is_read_and_thrice_is_not() {
    let text = dump(1, 3);
    check("calls", &gzip(&zstd(text.as_bytes())), rows("calls", 1, 3));
    let found = read("calls", &gzip(&gzip(&gzip(text.as_bytes()))));
    assert_eq!(found.errors, ["calls: cannot be read: compressed more than 2 times"]);
}

/// Members; those that are read, with their first record and how many; those that are passed over.
type Members = (Vec<(&'static str, Vec<u8>)>, Vec<(&'static str, usize, usize)>, [&'static str; 3]);

/// Makes an archive of members; compresses it.
type Make = fn(&[(&str, &[u8])]) -> Vec<u8>;
type Compress = fn(&[u8]) -> Vec<u8>;

/// A dump, a compressed one, sound, a hidden file, one of ours, a dump in no folder of ours.
fn members() -> Members {
    let sound = b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0".to_vec();
    let text = |first, records| dump(first, records).into_bytes();
    let members = vec![
        ("2024/may.csv", text(1, 3)),
        ("2024/june.csv.gz", gzip(&text(10, 2))),
        ("rec/1.wav", sound),
        (".hidden", b"x".to_vec()),
        ("old.parquet", b"PAR1".to_vec()),
        ("../../../etc/calls.csv", text(20, 1)),
    ];
    let read = vec![("2024/may.csv", 1, 3), ("2024/june.csv.gz", 10, 2), ("../../../etc/calls.csv", 20, 1)];
    let skipped =
        ["rec/1.wav: a WAV recording", ".hidden: hidden", "old.parquet: an output of calltable, by its name"];
    (members, read, skipped)
}

#[track_caller]
fn check_archive(name: &str, make: Make, pack: Compress) {
    let (members, read_of, skipped) = members();
    let members: Vec<(&str, &[u8])> = members.iter().map(|(name, bytes)| (*name, &bytes[..])).collect();
    let expected = Found {
        rows: read_of.iter().flat_map(|(of, first, n)| rows(&format!("{name}!{of}"), *first, *n)).collect(),
        errors: Vec::new(),
        skipped: skipped.iter().map(|skipped| format!("{name}!{skipped}")).collect(),
    };
    assert_eq!(read(name, &pack(&make(&members))), expected);
}

#[test]
fn archives_are_read_member_by_member() {
    check_archive("calls.tar", tar, <[u8]>::to_vec);
    check_archive("calls.tgz", tar, gzip);
    check_archive("calls.tar.xz", tar, xz);
    check_archive("calls.zip", zip, <[u8]>::to_vec);
}

#[test]
fn a_zip_from_a_pipe_is_read() {
    let bytes = zip(&[("may.csv", dump(1, 3).as_bytes()), ("june.csv", dump(7, 2).as_bytes())]);
    let reader = Reader::builder().read("-", Cursor::new(bytes)).unwrap();
    let found = gather(reader, Path::new("none"));
    let expected = [rows("-!may.csv", 1, 3), rows("-!june.csv", 7, 2)].concat();
    assert_eq!(found, Found { rows: expected, ..Found::default() });
}

#[test]
fn text_in_an_archive_that_is_no_dump_fails_by_name() {
    let found = read("calls.tar", &tar(&[("notes.txt", b"hello\n"), ("may.csv", dump(1, 2).as_bytes())]));
    assert_eq!(found.rows, rows("calls.tar!may.csv", 1, 2));
    let [error] = &found.errors[..] else { panic!("{:?}", found.errors) };
    assert!(error.starts_with("calls.tar!notes.txt: no known header"), "{error}");
}

#[test]
fn an_archive_within_an_archive_is_not_read() {
    let inner = zip(&[("may.csv", dump(1, 2).as_bytes())]);
    let found = read("calls.tar", &tar(&[("inner.zip", &inner), ("inner.tgz", &gzip(&tar(&[("x", b"y")])))]));
    let error = |name| format!("calls.tar!{name}: cannot be read: it is an archive within an archive");
    assert_eq!(found.errors, [error("inner.zip"), error("inner.tgz")]);
}

#[test]
fn a_tar_that_is_cut_off_fails_in_the_member_that_is() {
    let whole = tar(&[("may.csv", dump(1, 3).as_bytes()), ("june.csv", dump(1, 1000).as_bytes())]);
    let found = read("calls.tar", &whole[..20_000]);
    assert_eq!(found.rows[..3], rows("calls.tar!may.csv", 1, 3));
    let june = found.rows.len() - 3;
    assert_eq!(found.rows[3..], rows("calls.tar!june.csv", 1, 1000)[..june]);
    assert!(june > 100);
    assert!(found.errors[0].starts_with("calls.tar!june.csv: at byte "), "{:?}", found.errors);
}

#[test]
fn a_tar_that_is_cut_off_between_members_is_a_fault() {
    let one = tar(&[("may.csv", dump(1, 3).as_bytes())]);
    let whole = tar(&[("may.csv", dump(1, 3).as_bytes()), ("june.csv", dump(4, 2).as_bytes())]);
    let found = read("calls.tar", &whole[..one.len() - 1024]);
    assert_eq!(found.rows, rows("calls.tar!may.csv", 1, 3));
    assert_eq!(found.errors, ["calls.tar: the tar archive ends without its end mark: it may be cut off"]);
    // One block of NULs in place of two is as good, and so is any number of them.
    check("calls.tar", &one[..one.len() - 512], rows("calls.tar!may.csv", 1, 3));
    check("calls.tar", &[&one[..], &[0; 9 * 512]].concat(), rows("calls.tar!may.csv", 1, 3));
}

#[test]
fn a_tar_behind_a_tar_is_a_fault() {
    let (one, other) =
        (tar(&[("may.csv", dump(1, 3).as_bytes())]), tar(&[("june.csv", dump(4, 2).as_bytes())]));
    for pack in [<[u8]>::to_vec as Compress, gzip] {
        let found = read("calls.tar", &pack(&[&one[..], &other].concat()));
        assert_eq!(found.rows, rows("calls.tar!may.csv", 1, 3));
        assert_eq!(found.errors, ["calls.tar: bytes that are no part of it stand behind the tar archive"]);
    }
}

#[test]
fn the_end_of_a_compressed_tar_is_read() {
    let whole = gzip(&tar(&[("may.csv", dump(1, 3).as_bytes())]));
    let found = read("calls.tgz", &whole[..whole.len() - 1]);
    assert_eq!(found.rows, rows("calls.tgz!may.csv", 1, 3));
    assert_eq!(found.errors, ["calls.tgz: the gzip data ends in the middle"]);
}

#[test]
fn garbage_behind_compressed_data_is_a_fault() {
    for compress in [zstd as Compress, bzip2, xz] {
        let found =
            read("calls", &[&compress(dump(1, 3).as_bytes())[..], b"garbage, and some more"].concat());
        assert_eq!((found.rows, found.errors.len()), (rows("calls", 1, 3), 1), "{:?}", found.errors);
    }
}

/// What a zip gives whose list was changed; its members are `a.csv` and `b.csv`, of 2 and 3 records.
fn changed_zip(change: impl FnOnce(&mut [u8], &dyn Fn(&[u8]) -> usize)) -> Found {
    let mut bytes = zip(&[("a.csv", dump(1, 2).as_bytes()), ("b.csv", dump(1, 3).as_bytes())]);
    let clean = bytes.clone();
    let last = |mark: &[u8]| clean.windows(mark.len()).rposition(|found| found == mark).unwrap();
    change(&mut bytes, &last);
    read("calls.zip", &bytes)
}

#[test]
fn a_zip_whose_list_leaves_members_out_says_so() {
    let fault =
        "calls.zip: the zip archive lists 2 members, and 1 are read: it is damaged, or two have one name";
    let found = changed_zip(|bytes, last| {
        let end = last(b"PK\x05\x06");
        (bytes[end + 8], bytes[end + 10]) = (1, 1);
    });
    assert_eq!((found.rows, found.errors), (rows("calls.zip!a.csv", 1, 2), vec![fault.to_string()]));
    let found = changed_zip(|bytes, last| bytes[last(b"PK\x01\x02") + 46] = b'a');
    assert_eq!(found.errors, [fault]);
    assert_eq!(found.rows.len(), 3);
}

#[test]
fn a_folder_in_a_zip_that_holds_records_is_none() {
    let found = changed_zip(|bytes, last| bytes[last(b"PK\x01\x02") + 46 + 4] = b'/');
    let expected = [rows("calls.zip!a.csv", 1, 2), rows("calls.zip!b.cs/", 1, 3)].concat();
    assert_eq!((found.rows, found.errors), (expected, vec![]));
}

#[test]
fn a_zip_behind_a_program_is_whole() {
    let bytes = zip(&[("a.csv", dump(1, 2).as_bytes())]);
    let found = read("calls.zip", &[&b"PK\x03\x04 no member, but what unpacks itself"[..], &bytes].concat());
    assert_eq!((found.rows, found.errors), (rows("calls.zip!a.csv", 1, 2), vec![]));
}

#[test]
fn a_zip_whose_list_is_gone_fails_by_name() {
    let whole = zip(&[("may.csv", dump(1, 3).as_bytes())]);
    let found = read("calls.zip", &whole[..whole.len() - 10]);
    assert_eq!(found.rows, []);
    assert!(
        found.errors[0].starts_with("calls.zip: the zip archive cannot be read on"),
        "{:?}",
        found.errors
    );
}

/// Bit 0 of the flags, in the member's own header and in the list.
#[test]
fn an_encrypted_member_fails_by_name_and_costs_no_other() {
    let mut whole = zip(&[("may.csv", dump(1, 3).as_bytes()), ("june.csv", dump(4, 1).as_bytes())]);
    let listed = memchr::memmem::find(&whole, b"PK\x01\x02").unwrap();
    whole[6] |= 1;
    whole[listed + 8] |= 1;
    let found = read("calls.zip", &whole);
    assert_eq!(found.rows, rows("calls.zip!june.csv", 4, 1));
    assert_eq!(found.errors, ["calls.zip!may.csv: cannot be read: it is encrypted"]);
}

#[test]
fn an_archive_of_nothing_fails_by_name() {
    assert_eq!(read("calls.zip", &zip(&[])).errors, ["calls.zip: nothing is in it"]);
}

#[test]
fn a_thousand_members_are_read_in_order() {
    let names: Vec<String> = (0..1000).map(|at| format!("{at:04}.csv")).collect();
    let texts: Vec<String> = (0..1000).map(|at| dump(at, 1)).collect();
    let members: Vec<(&str, &[u8])> =
        names.iter().zip(&texts).map(|(name, text)| (name.as_str(), text.as_bytes())).collect();
    let expected: Vec<_> = names.iter().flat_map(|name| rows(&format!("calls.zip!{name}"), 1, 1)).collect();
    check("calls.zip", &zip(&members), expected);
}

/// The order of the dates is told by the last record, far behind the head, so the member is read twice.
#[test]
fn a_packed_dump_is_read_twice_where_its_dates_ask_for_it() {
    let line = "6039,6011,05/06/2024 10:00:00,4,ANSWERED,Internal\n";
    let header = "Caller Number,Callee Number,Start Time,Talk time,Status,Userfield\n";
    let text = header.to_string() + &line.repeat(90_000) + &line.replace("05/06", "25/06");
    let plain = read("calls.csv", text.as_bytes());
    assert_eq!((plain.rows.len(), plain.errors.len()), (90_001, 0), "{:?}", plain.errors);
    let packed = read("calls.csv", &gzip(text.as_bytes()));
    assert_eq!(packed, plain);
    let within =
        read("calls.tar", &tar(&[("a.wav", b"RIFF\x24\0\0\0WAVEfmt "), ("calls.csv", text.as_bytes())]));
    assert_eq!((within.rows.len(), within.errors), (90_001, vec![]));
}

const BAD: &str = "7,6039,6011,2024-05-17 12:34:56,x,\"A\nb\" <1>\n";

/// What `convert` made of a dump: the path of its rejects.
fn rejects_of(folder: &Path, name: &str, text: &[u8]) -> std::path::PathBuf {
    let (dump, output) = (folder.join(name), folder.join("first.jsonl"));
    std::fs::write(&dump, text).unwrap();
    let program = env!("CARGO_BIN_EXE_calltable");
    let run = std::process::Command::new(program).arg("convert").arg(&dump).arg("-o").arg(&output).output();
    assert_eq!(run.unwrap().status.code(), Some(4));
    folder.join("first.jsonl.rejects.jsonl")
}

#[test]
fn a_rejects_file_is_read_again_under_its_format_and_header() {
    let folder = tempfile::tempdir().unwrap();
    let text = [dump(1, 2).as_bytes(), BAD.as_bytes(), b"8,6039,6\xE911,2024-05-17 12:34:56,4,x\n"].concat();
    let rejects = rejects_of(folder.path(), "dump.csv", &text);
    let all = std::fs::read_to_string(&rejects).unwrap();
    assert_eq!(all.lines().count(), 2, "{all}");
    let options = calltable::Options {
        lenient: true,
        encoding: Some(calltable::source::encoding::by_label("windows-1252").unwrap()),
        ..calltable::Options::default()
    };
    let mut reader = Reader::builder().options(options).open(&rejects).unwrap();
    let batch = reader.next().unwrap().unwrap();
    let text = |column: &str| {
        let values = batch.column_by_name(column).unwrap().as_string_view();
        values.iter().map(|value| value.unwrap().to_string()).collect::<Vec<_>>()
    };
    assert_eq!(text("record_id"), ["7", "8"]);
    assert_eq!(text("dst"), ["6011", "6é11"]);
    assert_eq!(text("clid"), ["A\nb", "x"].map(|clid| clid.replace("A\nb", "\"A\nb\" <1>")));
    assert!(reader.next().is_none());
}

/// Columns of a dump's rows, in the order of their record's text, read so that bad values are null.
fn leniently(path: &Path, columns: &[&str]) -> Vec<String> {
    let options = calltable::Options { lenient: true, ..calltable::Options::default() };
    let mut reader = Reader::builder().options(options).open(path).unwrap();
    let batches: Vec<_> = reader.by_ref().map(|batch| batch.unwrap()).collect();
    let shown = |batch: &arrow::record_batch::RecordBatch, row: usize, column: &&str| {
        let column = batch.column_by_name(column).unwrap();
        let plain = match column.data_type() {
            DataType::Timestamp(..) => arrow::compute::cast(column, &DataType::Int64).unwrap(),
            _ => column.clone(),
        };
        arrow::util::display::array_value_to_string(&plain, row).unwrap()
    };
    let rows = batches.iter().flat_map(|batch| (0..batch.num_rows()).map(move |row| (batch, row)));
    rows.map(|(batch, row)| {
        columns.iter().map(|column| shown(batch, row, column)).collect::<Vec<_>>().join("|")
    })
    .collect()
}

/// Every record of this dump is bad; read again each is what it was.
#[track_caller]
fn check_reread(name: &str, text: &str, columns: &[&str], expected: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let rejects = rejects_of(folder.path(), name, text.as_bytes());
    assert_eq!(leniently(&folder.path().join(name), columns), expected, "{text}");
    assert_eq!(leniently(&rejects, columns), expected, "{}", std::fs::read_to_string(&rejects).unwrap());
}

#[test]
fn records_of_calls_are_records_of_calls_again() {
    let record = |name: &str, id: u32| {
        format!("\"{name}\":{{\"AcctId\":\"{id}\",\"src\":\"1\",\"dst\":\"2\",\"duration\":\"x\"}}")
    };
    let (main, two, nine) = (record("main_cdr", 1), record("sub_cdr_2", 2), record("sub_cdr_9", 3));
    let columns = ["record_id", "record_kind", "call_id", "sub_index"];
    let text = format!("{{\"cdr_root\":[{{\"cdr\":\"a\\\"1\",{main},{two}}},{{{nine}}}]}}");
    check_reread("a.json", &text, &columns, &["1|main|a\"1|", "2|sub|a\"1|2", "3|sub||9"]);
    let text = "<root><cdr session=\"a&quot;&amp;1\"><main_cdr><AcctId>1</AcctId><src>1</src><duration>x</duration></main_cdr>\
        <sub_cdr><AcctId>2</AcctId><src>1</src><duration>x</duration></sub_cdr></cdr>\
        <cdr><AcctId>3</AcctId><src>1</src><duration>x</duration></cdr></root>";
    check_reread("a.xml", text, &columns, &["1|main|a\"&1|", "2|sub|a\"&1|1", "3|single||"]);
}

#[test]
fn parts_that_are_no_text_are_records_of_calls_again() {
    let folder = tempfile::tempdir().unwrap();
    let part =
        |name: &str| format!("\"{name}\":{{\"AcctId\":\"1\",\"src\":\"1\",\"caller_name\":\"\u{fffd}\"}}");
    let text = format!("{{\"cdr_root\":[{{\"cdr\":\"a\",{},{}}}]}}", part("main_cdr"), part("sub_cdr_3"));
    let bytes: Vec<u8> =
        text.replace('\u{fffd}', "~").bytes().map(|byte| if byte == b'~' { 0xe9 } else { byte }).collect();
    let rejects = rejects_of(folder.path(), "a.json", &bytes);
    let encoding = calltable::source::encoding::by_label("windows-1252").ok();
    let options = calltable::Options { encoding, ..calltable::Options::default() };
    let batch = Reader::builder().options(options).open(&rejects).unwrap().next().unwrap().unwrap();
    let text = |column: &str, row| {
        arrow::util::display::array_value_to_string(batch.column_by_name(column).unwrap(), row).unwrap()
    };
    let found =
        [0, 1].map(|row| ["record_kind", "call_id", "sub_index", "src_name"].map(|column| text(column, row)));
    assert_eq!(found, [["main", "a", "", "\u{e9}"], ["sub", "a", "3", "\u{e9}"]]);
}

#[test]
fn a_record_alone_in_its_document_is_alone_again() {
    let text = r#"{"data":{"call_id":"a","hangup_cause":"x","duration_seconds":"50","billing_seconds":"5q","timestamp":"63615936000"}}"#;
    check_reread(
        "a.json",
        text,
        &["call_id", "start", "end", "billsec"],
        &["a|1448716750000000|1448716800000000|"],
    );
}

/// The reasons for which records are rejected, and the rows, where a rejects file is read again as it is.
fn reread(name: &str, text: &str) -> (u64, Vec<String>) {
    let folder = tempfile::tempdir().unwrap();
    let rejects = rejects_of(folder.path(), name, text.as_bytes());
    let again = rejects_of_file(folder.path(), &rejects);
    let found = std::fs::read_to_string(folder.path().join("again.jsonl")).unwrap();
    let reason = |line: &str| {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        line["reason"].as_str().unwrap().to_string()
    };
    (found.lines().count() as u64, again.lines().map(reason).collect())
}

/// What `convert` rejects of that file.
fn rejects_of_file(folder: &Path, file: &Path) -> String {
    let output = folder.join("again.jsonl");
    let program = env!("CARGO_BIN_EXE_calltable");
    let run = std::process::Command::new(program).arg("convert").arg(file).arg("-o").arg(&output).output();
    assert_eq!(run.unwrap().status.code(), Some(4));
    std::fs::read_to_string(folder.join("again.jsonl.rejects.jsonl")).unwrap()
}

#[test]
fn what_is_cut_off_is_cut_off_again() {
    let truncated = (0, vec!["truncated".to_string()]);
    let bad = (0, vec!["bad-number".to_string()]);
    let detail = r#"{"data":{"call_id":"c","hangup_cause":"x","timestamp":63600000000,"duration_seconds":"x"#;
    assert_eq!(reread("a.json", &format!("{detail}\"}}}}\n{detail}")), bad);
    assert_eq!(reread("a.txt", "Event: Cdr\nSource: 1\n\nEvent: Cdr\nSource: 1\nDuration: 1"), truncated);
    let events =
        "Event: Cdr\nSource: 1\nDuration: 1Event: Cdr\nSource: 2\nDuration: x\n\nEvent: Cdr\nSource: 3\n\n";
    let both = (0, vec!["truncated".to_string(), "bad-number".to_string()]);
    assert_eq!(reread("a.txt", events), both);
    assert_eq!(reread("a.txt", &events.replace('\n', "\r")), both);
    assert_eq!(reread("a.txt", "Event: Cdr\nDuration: 1\n Event: Cdr\nSource: 2\nDuration: x\n\n"), both);
}

#[test]
fn pieces_of_records_do_not_become_one() {
    let record = r#"{"AcctId":"2","src":"5","dst":"2","duration":"x"}"#;
    let bad = (0, vec!["bad-number".to_string(); 3]);
    let broken = r#"{"AcctId":"1","src":"1
M,
00","dst":"2","start":"2024-05-17 12:00:00"}"#;
    assert_eq!(reread("a.json", &format!("[M,\n{broken},\nM]").replace('M', record)), bad);
    let call = "<cdr><AcctId>2</AcctId><src>5</src><duration>x</duration></cdr>";
    let broken = "<cdr><AcctId>7</AcctId><start>2024-05-17 12:00:00</start><src>12C 34</src></cdr>";
    assert_eq!(
        reread(
            "a.xml",
            &format!("<root>C{broken}C</root>").replace('C', call).replace("<cdr><Ac", "<cdr ><Ac")
        ),
        bad
    );
}

#[test]
fn events_with_a_bare_cr_are_read_again_in_another_encoding() {
    let folder = tempfile::tempdir().unwrap();
    let events = b"Event: Cdr\rSource: 1\rUserField: \xb9\xfa\r\r".repeat(2);
    let rejects = rejects_of(folder.path(), "a.txt", &events);
    let encoding = calltable::source::encoding::by_label("gbk").ok();
    let options = calltable::Options { encoding, ..calltable::Options::default() };
    let batch = Reader::builder().options(options).open(&rejects).unwrap().next().unwrap().unwrap();
    assert_eq!(batch.num_rows(), 2);
}

#[test]
fn an_id_is_not_repeated_without_end() {
    let folder = tempfile::tempdir().unwrap();
    let subs: String =
        (0..1000).map(|at| format!(",\"sub_cdr_{at}\":{{\"src\":\"1\",\"start\":\"x\"}}")).collect();
    let text = format!("{{\"cdr_root\":[{{\"cdr\":\"{}\"{subs}}}]}}", "x".repeat(100_000));
    let rejects = rejects_of(folder.path(), "a.json", text.as_bytes());
    assert!(std::fs::metadata(&rejects).unwrap().len() < 1_000_000);
    assert_eq!(leniently(&rejects, &["record_kind"]), vec!["sub"; 1000]);
}

#[test]
fn what_is_not_whole_in_a_rejects_file_fails_and_costs_no_other() {
    let line = |raw: &str, more: &str| {
        format!(
            "{{\"source\":\"a.csv\",\"format\":\"ucm-cdrapi-csv\",\"record\":1,\"line\":2,\"offset\":35,\"length\":9,\
             \"reason\":\"too-large\",\"field\":null,\"message\":\"\",\"header\":\"{}\",\"raw\":\"{raw}\"{more}}}\n",
            HEADER.trim_end()
        )
    };
    let good = "1,6039,6011,2024-05-17 12:34:56,4,x";
    let found = read("a.rejects.jsonl", (line(good, "") + &line("2,60", ",\"raw_cut\":true")).as_bytes());
    assert_eq!(found.rows, [("a.rejects.jsonl!a.csv".to_string(), HEADER.len() as i64)]);
    let [error] = &found.errors[..] else { panic!("{:?}", found.errors) };
    assert!(
        error.ends_with(
            "records that are not whole in the rejects file, so that they cannot be read again: 1"
        ),
        "{error}"
    );

    let found = read("a.rejects.jsonl", (line(good, "") + "nonsense\n").as_bytes());
    assert_eq!(found.rows.len(), 1);
    assert!(found.errors[0].contains("line 2 is no line of a rejects file"), "{:?}", found.errors);
}
