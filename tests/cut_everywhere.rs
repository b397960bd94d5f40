//! However a dump is cut and by however many threads it is read, the rows, rejects and counts are the same.

#[path = "common/dumps.rs"]
mod dumps;

use std::fs;
use std::io::Cursor;

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use calltable::{Counts, Decoder, Options, Reader, Rejected};

/// All that came of a dump.
#[derive(Debug, Default, PartialEq)]
struct Read {
    rows: Option<RecordBatch>,
    rejects: Vec<Rejected>,
    counts: Counts,
    warnings: Vec<String>,
    error: Option<String>,
}

fn joined(batches: &[RecordBatch]) -> Option<RecordBatch> {
    let schema = batches.first()?.schema();
    Some(concat_batches(&schema, batches).expect("one schema"))
}

/// Through the decoder, in pieces of so many bytes.
fn in_pieces(bytes: &[u8], size: usize) -> Read {
    let mut decoder = Decoder::new("dump", Options::default());
    let fed = bytes.chunks(size).try_for_each(|piece| decoder.feed(piece)).and_then(|()| decoder.finish());
    let mut read = Read { error: fed.err().map(|error| error.message().to_string()), ..Read::default() };
    let mut batches = Vec::new();
    while let Some(decoded) = decoder.next_batch() {
        read.rejects.extend(decoded.rejects);
        batches.push(decoded.rows);
    }
    Read { rows: joined(&batches), counts: decoder.counts(), warnings: decoder.take_warnings(), ..read }
}

/// Through the reader, with so many threads.
fn by_threads(bytes: &[u8], threads: usize) -> Read {
    let reader =
        Reader::builder().threads(threads).memory(64 << 20).read("dump", Cursor::new(bytes.to_vec()));
    let mut reader = reader.expect("threads");
    let (mut read, mut batches) = (Read::default(), Vec::new());
    while let Some(batch) = reader.next() {
        read.rejects.extend_from_slice(reader.rejects());
        match batch {
            Ok(batch) => batches.push(batch),
            Err(error) => read.error = Some(error.to_string()),
        }
    }
    // Those behind the last row.
    read.rejects.extend_from_slice(reader.rejects());
    let warnings = reader.take_warnings().iter().map(|warning| warning.replace("dump: ", "")).collect();
    Read { rows: joined(&batches), counts: reader.counts(), warnings, ..read }
}

/// The two ways word an error differently, and a block without rows is a batch to one of them only.
fn same(one: &Read, other: &Read, how: &str) {
    let rows = |read: &Read| read.rows.clone().filter(|rows| rows.num_rows() > 0);
    assert_eq!(one.error.is_some(), other.error.is_some(), "{how}: {:?} {:?}", one.error, other.error);
    assert_eq!(one.counts, other.counts, "{how}: counts");
    assert_eq!(one.rejects, other.rejects, "{how}: rejects");
    assert_eq!(one.warnings, other.warnings, "{how}: warnings");
    assert!(rows(one) == rows(other), "{how}: rows");
}

#[test]
fn every_dump_in_small_pieces_and_with_many_threads() {
    let mut dumps = 0;
    for entry in fs::read_dir("testdata/dumps").expect("the dumps") {
        let path = entry.expect("an entry").path();
        let (name, bytes) = (path.display().to_string(), fs::read(&path).expect("a dump"));
        let alone = by_threads(&bytes, 1);
        for threads in [2, 8] {
            same(&alone, &by_threads(&bytes, threads), &format!("{name} by {threads} threads"));
        }
        // Only the reader transcodes UTF-16 and what XML declares, and looks for other kinds of files.
        let marks: [&[u8]; 3] = [b"\xff\xfe", b"\xfe\xff", b"<?xml version=\"1.0\" encoding=\"GBK\""];
        let is_text = !marks.iter().any(|mark| bytes.starts_with(mark));
        if is_text && alone.error.is_none() {
            let whole = in_pieces(&bytes, bytes.len().max(1));
            same(&alone, &whole, &format!("{name} by the decoder"));
            for size in [1, 2, 3, 7] {
                same(&whole, &in_pieces(&bytes, size), &format!("{name} in pieces of {size}"));
            }
        }
        dumps += 1;
    }
    assert!(dumps > 100, "{dumps}");
}

/// A few MiB, so that blocks end within, before and behind every kind of irregular record.
#[test]
fn many_blocks_with_irregular_records_among_them() {
    for seed in 0..3 {
        let text = dumps::irregular(5 << 20, seed);
        let alone = by_threads(&text, 1);
        let counts = alone.counts;
        assert!(alone.error.is_none(), "{:?}", alone.error);
        assert!(counts.rows > 10_000 && counts.rejected > 100 && counts.repaired > 100, "{counts:?}");
        assert_eq!(counts.records, counts.rows + counts.filtered + counts.rejected);
        for threads in [2, 8] {
            same(&alone, &by_threads(&text, threads), &format!("seed {seed} by {threads} threads"));
        }
        for size in [4093, 1 << 20, usize::MAX] {
            same(&alone, &in_pieces(&text, size.min(text.len())), &format!("seed {seed}, pieces of {size}"));
        }
    }
}

/// The same records with a block's end at every byte of an irregular one.
#[test]
fn a_block_may_end_at_any_byte_of_a_record() {
    let block = calltable::stages::BLOCK;
    let header = "AcctId,src,dst,start,duration,clid\n";
    let record = |id: usize| format!("{id},6039,6011,2024-05-17 12:34:56,4,\"Ann Example\" <6039>\n");
    let irregular =
        "a,\"two\r\nlines\",6011,2024-05-17 12:34:56,4,\"b\nc\" <1>\nb,\"open,6011,2024-05-17 12:34:56,4,x\n";
    let filler = "6".repeat(64);
    for shift in 0..irregular.len() + 4 {
        let mut text = header.to_string();
        for id in 0.. {
            let left = (header.len() + block - shift).saturating_sub(text.len());
            if left < 200 {
                let fixed = ",1,2,2024-05-17 12:34:56,4,x\n".len();
                text += &format!(
                    "{filler}{},1,2,2024-05-17 12:34:56,4,x\n",
                    "7".repeat(left - fixed - filler.len())
                );
                break;
            }
            text += &record(id);
        }
        assert_eq!(text.len(), header.len() + block - shift);
        text += irregular;
        text += &record(1).repeat(20);
        let read = in_pieces(text.as_bytes(), text.len());
        assert_eq!(read.counts.records, read.counts.rows + 1, "{shift}");
        let reject = &read.rejects[..];
        let at = text.find("b,\"open").unwrap();
        assert!(
            matches!(reject, [one] if one.offset == at as u64 && one.reason == "unclosed-quote"),
            "{shift}"
        );
        let line = 1 + text[..at].matches('\n').count();
        assert_eq!((reject[0].line, reject[0].record), (line as u64, read.counts.records - 20), "{shift}");
        same(&read, &by_threads(text.as_bytes(), 2), &format!("{shift}"));
    }
}
