//! xz: what was decoded before a fault is handed out before the fault is told; the crate's own reader loses it.

use std::io::{self, BufRead, BufReader, Read};

use liblzma::stream::{Action, CONCATENATED, Status, Stream};

/// Memory of a decoder: what `xz -9` asks for, and some.
const MEMORY: u64 = 96 << 20;

/// All streams of an xz file, as one.
pub(super) struct Xz<R> {
    bytes: BufReader<R>,
    stream: Stream,
    /// What every read says that follows: that it has ended, or, once, why it is not read on.
    then: Option<io::Result<usize>>,
}

impl<R: Read> Xz<R> {
    /// From the first stream on.
    pub(super) fn new(bytes: R) -> io::Result<Xz<R>> {
        let stream = Stream::new_stream_decoder(MEMORY, CONCATENATED)?;
        Ok(Xz { bytes: BufReader::with_capacity(64 << 10, bytes), stream, then: None })
    }
}

impl<R: Read> Read for Xz<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        while self.then.is_none() && !buf.is_empty() {
            let held = self.bytes.fill_buf()?;
            let is_end = held.is_empty();
            let action = if is_end { Action::Finish } else { Action::Run };
            let (taken, given) = (self.stream.total_in(), self.stream.total_out());
            let outcome = self.stream.process(held, buf, action);
            self.bytes.consume((self.stream.total_in() - taken) as usize);
            self.then = match outcome {
                Ok(Status::StreamEnd) => Some(Ok(0)),
                Ok(Status::MemNeeded) if is_end => Some(Err(io::ErrorKind::UnexpectedEof.into())),
                Ok(_) => None,
                Err(error) => Some(Err(error.into())),
            };
            let read = (self.stream.total_out() - given) as usize;
            if read > 0 {
                return Ok(read);
            }
        }
        if buf.is_empty() { Ok(0) } else { self.then.replace(Ok(0)).unwrap_or(Ok(0)) }
    }
}
