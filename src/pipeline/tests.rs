//! A fault of ours costs the input that it came up in, wherever it came up; the others are read, and nothing hangs.

use std::io::{self, Cursor, Read};
use std::sync::mpsc::channel;
use std::time::Duration;

use arrow::array::AsArray;

use super::*;
use crate::schema::Column;
use crate::source::inputs::{Brought, Place};
use crate::split::Content;
use crate::time::Zone;

const HEADER: &str = "AcctId,src,dst,start,duration,uniqueid\n";
const RECORD: &str = "1,2001,2002,2024-05-17 12:34:56,64,1715949296.7\n";
const MARKED: &str = "2,BREAKS,2002,2024-05-17 12:34:56,64,1715949296.7\n";

/// A dump of some blocks, with a marked record in this one of them.
fn dump(blocks: usize, marked: Option<usize>) -> Vec<u8> {
    let mut text = HEADER.as_bytes().to_vec();
    for block in 0..blocks {
        text.extend(RECORD.repeat(30_000).bytes());
        text.extend(if marked == Some(block) { MARKED.bytes() } else { RECORD.bytes() });
    }
    text
}

/// Gives its bytes, then panics.
struct Breaking(Cursor<Vec<u8>>);

impl Read for Breaking {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let read = self.0.read(buf)?;
        assert!(read > 0, "the reader breaks");
        Ok(read)
    }
}

/// Before anything is framed.
fn breaks_in_frame(work: Work, options: &Options, schema: &SchemaRef) -> Batch {
    if let Content::Records { text, .. } = &work.block.content {
        let is_marked = memchr::memmem::find(text, b"BREAKS").is_some();
        assert!(!is_marked, "framing breaks");
    }
    work.decode(options, schema)
}

/// When the columns are there.
fn breaks_in_columns(work: Work, options: &Options, schema: &SchemaRef) -> Batch {
    let batch = work.decode(options, schema);
    let src = batch.rows.column(Column::Src as usize).as_string_view();
    assert!(src.iter().all(|src| src != Some("BREAKS")), "columns break");
    batch
}

fn brought(name: &str, bytes: impl Read + Send + 'static) -> Input {
    Input { name: name.into(), place: Place::Brought(Brought::new(bytes)), walked: false }
}

/// The rows of each input, and why it failed.
fn read(
    inputs: Vec<Input>,
    threads: usize,
    zone: Option<Zone>,
    decode: Decode,
) -> Vec<(usize, Option<String>)> {
    let (done, result) = channel();
    std::thread::spawn(move || {
        let options = Arc::new(Options { zone, ..Options::default() });
        let workers = Workers::new(threads).unwrap();
        let pipeline = Pipeline::new(inputs, options, workers, 8 << 20, Arc::default()).decoded_by(decode);
        let mut read = Vec::new();
        for event in pipeline {
            match event {
                Event::Begin(..) => read.push((0, None)),
                Event::Batch(at, batch) => read[at].0 += batch.rows.num_rows(),
                Event::End(at, ended) => read[at].1 = ended.error.map(|error| error.to_string()),
            }
        }
        done.send(read)
    });
    result.recv_timeout(Duration::from_secs(60)).expect("it ends")
}

fn told(name: &str, what: &str) -> Option<String> {
    Some(format!("{name}: internal error, please report it: {what}"))
}

#[test]
fn a_fault_of_a_worker_costs_its_input() {
    for (decode, what) in
        [(breaks_in_frame as Decode, "framing breaks"), (breaks_in_columns, "columns break")]
    {
        for threads in [1, 2, 8] {
            for zone in [None, Some(Zone::Auto)] {
                let dumps = [dump(3, None), dump(5, Some(2)), dump(3, None)];
                let inputs = dumps.into_iter().zip(["a", "b", "c"]);
                let inputs = inputs.map(|(dump, name)| brought(name, Cursor::new(dump))).collect();
                let read = read(inputs, threads, zone, decode);
                assert_eq!((read[0].clone(), read[2].clone()), ((90_003, None), (90_003, None)));
                assert_eq!(read[1].1, told("b", what));
                // What was whole before it is there.
                assert!((30_000..90_000).contains(&read[1].0), "{}", read[1].0);
            }
        }
    }
}

#[test]
fn a_fault_where_an_input_is_read_costs_that_input() {
    for threads in [1, 2] {
        let inputs = vec![
            brought("a", Cursor::new(dump(2, None))),
            brought("b", Breaking(Cursor::new(dump(9, None)))),
            brought("c", Cursor::new(dump(2, None))),
        ];
        let read = read(inputs, threads, None, Work::decode);
        assert_eq!((read[0].clone(), read[2].clone()), ((60_002, None), (60_002, None)));
        assert_eq!(read[1].1, told("b", "the reader breaks"));
        assert!(read[1].0 > 0);
    }
}

#[test]
fn a_fault_at_the_first_byte_costs_that_input() {
    let inputs =
        vec![brought("a", Breaking(Cursor::new(Vec::new()))), brought("b", Cursor::new(dump(1, None)))];
    let read = read(inputs, 2, None, Work::decode);
    assert_eq!(read, [(0, told("a", "the reader breaks")), (30_001, None)]);
}
