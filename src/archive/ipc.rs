//! Arrow IPC files and streams: all batches, the wanted columns of each.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek};

use arrow::error::ArrowError;
use arrow::ipc::reader::{FileReader, StreamReader};

use super::{Parts, Reading, indexes};
use crate::source::Bytes;

/// The batches of a file.
pub(super) fn file(file: File, reading: &Reading) -> Result<Parts, String> {
    let open = |file, projection| FileReader::try_new_buffered(file, projection).map_err(broken);
    let mut file = file;
    let wanted = {
        let reader = open(file.try_clone().map_err(|error| error.to_string())?, None)?;
        indexes(&reader.schema(), reading)?
    };
    file.rewind().map_err(|error| error.to_string())?;
    Ok(Box::new(open(file, Some(wanted))?.map(|batch| Ok((batch.map_err(broken)?, true)))))
}

/// The batches of a stream; its schema comes first, so the projection is made on each batch.
pub(super) fn stream(bytes: Bytes, reading: &Reading) -> Result<Parts, String> {
    let bytes = BufReader::new(Watched { inner: bytes, last: [0; 8] });
    let mut reader = StreamReader::try_new(bytes, None).map_err(broken)?;
    let wanted = indexes(&reader.schema(), reading)?;
    let mut has_ended = false;
    Ok(Box::new(std::iter::from_fn(move || {
        if has_ended {
            return None;
        }
        let Some(batch) = reader.next() else {
            has_ended = true;
            return ended(reader.get_mut()).err().map(Err);
        };
        let batch = batch.and_then(|batch| batch.project(&wanted));
        Some(batch.map(|batch| (batch, true)).map_err(broken))
    })))
}

/// What a whole stream ends with: a message without a length. Whoever stops in the middle leaves it away.
const END: [u8; 8] = [0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0];

/// Whether a stream that gives no more batches is whole.
fn ended(bytes: &mut BufReader<Watched>) -> Result<(), String> {
    if !bytes.fill_buf().map_err(|error| error.to_string())?.is_empty() {
        return Err("has bytes behind the end of its stream".to_string());
    }
    match bytes.get_ref().last == END {
        true => Ok(()),
        false => Err("ends before its end: it was cut off, or the run that wrote it failed".to_string()),
    }
}

/// Keeps the last bytes that were read.
struct Watched {
    inner: Bytes,
    last: [u8; END.len()],
}

impl Read for Watched {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buf)?;
        let new = &buf[..read];
        let kept = END.len() - new.len().min(END.len());
        self.last.rotate_left(END.len() - kept);
        self.last[kept..].copy_from_slice(&new[read - (END.len() - kept)..]);
        Ok(read)
    }
}

fn broken(error: ArrowError) -> String {
    format!("is broken: {error}")
}
