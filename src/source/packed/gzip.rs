//! gzip: one member or several, and what may stand behind them.
//!
//! Logs are appended to as whole gzip members, and tapes and some copies fill up with NULs: both are read.
//! Anything else behind a member may be a damaged one, in which records were lost: it is a fault, after all
//! that was whole.

use std::io::{self, BufRead, BufReader, Read};

use flate2::bufread::GzDecoder;

const MAGIC: [u8; 2] = [0x1F, 0x8B];

/// All members of a gzip file, as one stream.
pub(super) struct Gzip<R> {
    member: Option<GzDecoder<BufReader<R>>>,
}

impl<R: Read> Gzip<R> {
    /// From the first member on.
    pub(super) fn new(bytes: R) -> Gzip<R> {
        Gzip { member: Some(GzDecoder::new(BufReader::with_capacity(64 << 10, bytes))) }
    }
}

impl<R: Read> Read for Gzip<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        while let Some(member) = &mut self.member {
            let read = member.read(buf)?;
            if read > 0 || buf.is_empty() {
                return Ok(read);
            }
            self.member = self.member.take().map(GzDecoder::into_inner).map(following).transpose()?.flatten();
        }
        Ok(0)
    }
}

/// The member that follows, if there is one.
fn following<R: Read>(mut bytes: BufReader<R>) -> io::Result<Option<GzDecoder<BufReader<R>>>> {
    loop {
        let held = bytes.fill_buf()?;
        let nuls = held.iter().take_while(|byte| **byte == 0).count();
        match &held[nuls..] {
            [] if held.is_empty() => return Ok(None),
            [] => {}
            // The rest of the magic may not be here yet; the decoder tells if it is another.
            [first, ..] if *first == MAGIC[0] => {
                bytes.consume(nuls);
                return Ok(Some(GzDecoder::new(bytes)));
            }
            _ => return Err(io::Error::other("bytes that are no gzip stand behind its last member")),
        }
        bytes.consume(nuls);
    }
}
