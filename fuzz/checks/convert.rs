//! A whole dump through the decoder: what is counted adds up, and random pieces and thread counts give the same rows.

use std::io::Cursor;

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use calltable::{Counts, Decoder, Options, Reader, Rejected};

type Read = (Option<RecordBatch>, Vec<Rejected>, Counts, bool);

fn read<'a>(mut pieces: impl Iterator<Item = &'a [u8]>) -> Read {
    let mut decoder = Decoder::new("fuzz", Options::default());
    let read = pieces.try_for_each(|piece| decoder.feed(piece)).and_then(|()| decoder.finish());
    let (mut batches, mut rejects) = (Vec::new(), Vec::new());
    while let Some(decoded) = decoder.next_batch() {
        rejects.extend(decoded.rejects);
        batches.push(decoded.rows);
    }
    let counts = decoder.counts();
    assert_eq!(counts.records, counts.rows + counts.filtered + counts.rejected);
    let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
    assert_eq!((counts.rows, counts.rejected), (rows as u64, rejects.len() as u64));
    let rows = batches.first().map(|batch| concat_batches(&batch.schema(), &batches).expect("one schema"));
    (rows, rejects, counts, read.is_ok())
}

/// The same through the reader, which unpacks, too, and works with so many threads: the rows, if all was read.
fn read_by(threads: usize, text: &[u8]) -> Option<Vec<RecordBatch>> {
    let reader = Reader::builder().threads(threads).read("fuzz", Cursor::new(text.to_vec())).ok()?;
    reader.collect::<Result<Vec<_>, _>>().ok()
}

/// Panics where something is wrong. The last two bytes say how the rest is cut: so any dump is a seed as it stands.
pub fn check(data: &[u8]) {
    let [text @ .., first, second] = data else { return };
    let whole = read([text].into_iter());
    let (head, tail) = text.split_at(text.len().min(*first as usize));
    assert_eq!(whole, read([head].into_iter().chain(tail.chunks(1 + *second as usize))));
    let threads = 1 + *second as usize % 3;
    assert_eq!(read_by(threads, text), read_by(4 - threads, text));
}
