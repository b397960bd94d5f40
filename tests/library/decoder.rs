//! The decoder: what it gives is what the reader gives, however the bytes are cut.

use calltable::time::Zone;
use calltable::{Column, Counts, Decoder, ErrorKind, Options, Reader, Rejected};

use crate::{BAD, GBK, GOOD, WEB, brought, text, wrong};

/// Rows and rejects through the decoder, in pieces of so many bytes.
fn decoded(options: &Options, bytes: &[u8], size: usize) -> (Decoder, String, Vec<Rejected>) {
    let mut decoder = Decoder::new("dump", options.clone());
    let (mut rows, mut rejects) = (String::new(), Vec::new());
    for piece in bytes.chunks(size).map(Some).chain([None]) {
        match piece {
            Some(piece) => decoder.feed(piece).unwrap(),
            None => decoder.finish().unwrap(),
        }
        while let Some(decoded) = decoder.next_batch() {
            rows += &text(&decoded.rows);
            rejects.extend(decoded.rejects);
        }
    }
    (decoder, rows, rejects)
}

#[test]
fn a_decoder_gives_what_a_reader_gives() {
    let options = Options {
        columns: vec![Column::Source, Column::SourceOffset, Column::Start, Column::Duration, Column::SrcName],
        zone: Some(Zone::parse("America/Chicago").unwrap()),
        ..Options::default()
    };
    let page = format!("AcctId,src,dst\n\0\0\x00{}", "1,2,3\n".repeat(1000));
    for dump in [GOOD.as_bytes(), BAD.as_bytes(), WEB.as_bytes(), GBK, page.as_bytes()] {
        let mut reader = brought(Reader::builder().options(options.clone()), dump);
        let (mut rows, mut rejects) = (String::new(), Vec::new());
        while let Some(batch) = reader.next() {
            rows += &text(&batch.unwrap());
            rejects.extend_from_slice(reader.rejects());
        }
        let expected = reader.take_warnings();
        for size in [1, 5, 29, 4096] {
            let (mut decoder, decoded, rejected) = decoded(&options, dump, size);
            assert_eq!((&decoded, &rejected), (&rows, &rejects), "pieces of {size}");
            assert_eq!((decoder.counts(), decoder.schema()), (reader.counts(), Some(reader.schema())));
            let warnings = decoder.take_warnings().into_iter().map(|warning| format!("dump: {warning}"));
            assert_eq!(warnings.collect::<Vec<_>>(), expected, "pieces of {size}");
        }
    }
}

#[test]
fn a_decoder_knows_no_schema_before_the_first_batch() {
    let mut decoder = Decoder::new("dump", Options::default());
    decoder.feed(GOOD.as_bytes()).unwrap();
    assert!(decoder.schema().is_none() && decoder.next_batch().is_none(), "the head is not full");
    decoder.finish().unwrap();
    assert_eq!(decoder.next().unwrap().schema(), decoder.schema().unwrap());
}

#[test]
fn a_mark_of_utf_8_counts_as_bytes_and_is_no_text() {
    let options = Options { columns: vec![Column::SourceOffset, Column::RecordId], ..Options::default() };
    let marked = [b"\xef\xbb\xbf", GOOD.as_bytes()].concat();
    for size in [1, 2, 3, 4, 1000] {
        assert_eq!(decoded(&options, &marked, size).1, "33,1\n68,2\n", "pieces of {size}");
    }
}

#[test]
fn a_decoder_of_nothing_gives_nothing() {
    let (mut decoder, rows, rejects) = decoded(&Options::default(), b"", 1);
    assert_eq!((&*rows, rejects.len(), decoder.counts()), ("", 0, Counts::default()));
    assert!(decoder.take_warnings().concat().contains("empty"));
}

#[test]
fn a_decoder_names_what_is_no_dump() {
    let mut decoder = Decoder::new("upload-17", Options::default());
    let fed = decoder.feed(b"Invoice,Amount,Due\n1,2,3\n").and_then(|()| decoder.finish());
    wrong(fed, ErrorKind::Input, &["upload-17", "Invoice,Amount,Due"]);
    assert!(decoder.next_batch().is_none());
}
