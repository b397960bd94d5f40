//! The text of a dump in pieces that know where they stand.
//!
//! Must not know what the bytes mean: where a record ends is the splitter's business, and so is
//! what it keeps of one piece for the next. The idea: the caller owns the buffer and says how full
//! it wants it, so that the rest of a record from the piece before can stand in front, and pieces
//! are cut by size alone, whatever the reads below them give. Cuts thus depend on the input only.
//!
//! ```text
//! buf:  │ kept by the caller │ appended by fill ……………… │
//!       0                    len                      upto
//! ```

use std::io::{self, Read, Seek, SeekFrom};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::text::{Encoding, TextReader};
use crate::recycle::Buffer;

/// A piece of the dump's text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chunk {
    /// Where the first byte stands: in the (decompressed) dump, or in its UTF-8 text where the
    /// dump was transcoded.
    pub offset: u64,
    /// UTF-8 text, unless the dump itself is not; cut anywhere, also within a character.
    pub bytes: Vec<u8>,
}

/// Pulls the text of a dump, piece by piece.
pub struct Chunks<R> {
    text: TextReader<R>,
    offset: u64,
    fault: Option<io::Error>,
}

impl<R: Read> Chunks<R> {
    /// From the text's first byte on.
    pub fn new(text: TextReader<R>) -> Chunks<R> {
        Chunks { offset: text.start(), text, fault: None }
    }

    /// How the dump is encoded.
    pub fn encoding(&self) -> Encoding {
        self.text.encoding()
    }

    /// The offset of the next byte that `fill` will append.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Appends to `buf` until it holds `upto` bytes or the dump ends, and tells how many bytes it
    /// appended: fewer than were missing only at the end. After an error, what was read before it
    /// stands in `buf` and is counted in `offset`.
    pub fn fill(&mut self, buf: &mut Buffer, upto: usize) -> io::Result<usize> {
        if let Some(fault) = self.fault.take() {
            return Err(fault);
        }
        let before = buf.len();
        let outcome = buf.fill(upto, |room| {
            loop {
                match self.text.read(room) {
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    read => return read,
                }
            }
        });
        let filled = buf.len() - before;
        self.offset += filled as u64;
        outcome.map(|()| filled)
    }

    /// The next `size` bytes as a piece of its own, fewer only at the end or before a fault (which
    /// the next call reports); `None` after the end.
    pub fn next_chunk(&mut self, size: usize) -> io::Result<Option<Chunk>> {
        let (offset, mut buffer) = (self.offset, Buffer::default());
        match self.fill(&mut buffer, size) {
            Err(fault) if buffer.is_empty() => return Err(fault),
            outcome => self.fault = outcome.err(),
        }
        let chunk = Chunk { offset, bytes: buffer.into_vec() };
        Ok((!chunk.bytes.is_empty()).then_some(chunk))
    }
}

/// Counts the bytes that pass through it.
pub struct Counted<R> {
    inner: R,
    taken: Arc<AtomicU64>,
}

impl<R: Read> Counted<R> {
    /// Raises `taken` by every byte that is read from `inner`.
    pub fn new(inner: R, taken: Arc<AtomicU64>) -> Counted<R> {
        Counted { inner, taken }
    }
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buf)?;
        // The bar only shows the number; it orders nothing.
        self.taken.fetch_add(n as u64, Ordering::Relaxed);
        Ok(n)
    }
}

impl<R: Seek> Seek for Counted<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.inner.seek(to)
    }
}

#[cfg(test)]
mod tests {
    use super::super::hard::{Broken, Short};
    use super::*;

    fn chunks<R: Read>(reader: R) -> Chunks<R> {
        Chunks::new(TextReader::open(reader).unwrap())
    }

    /// All pieces of `size` bytes, as (offset, text).
    fn pieces(bytes: &[u8], step: usize, size: usize) -> Vec<(u64, Vec<u8>)> {
        let mut chunks = chunks(Short { bytes, step });
        std::iter::from_fn(|| chunks.next_chunk(size).unwrap()).map(|c| (c.offset, c.bytes)).collect()
    }

    #[test]
    fn pieces_are_full_up_to_the_last_and_know_their_offset() {
        let expected = [(0, b"abcd".to_vec()), (4, b"efgh".to_vec()), (8, b"ij".to_vec())];
        assert_eq!(pieces(b"abcdefghij", 100, 4), expected);
    }

    #[test]
    fn short_reads_give_the_same_pieces() {
        let utf16: Vec<u8> =
            "\u{FEFF}é,ü\n5300,Z\u{1F4DE}\r\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        for dump in [&b"a,b\n1,2\n"[..], b"\xEF\xBB\xBFa,b\n1,2\n", &utf16, b"", b"a", b"\xEF\xBB"] {
            for size in [1, 2, 3, 5, 8, 1000] {
                for step in [1, 2, 3, 7] {
                    assert_eq!(
                        pieces(dump, step, size),
                        pieces(dump, 1 << 20, size),
                        "{dump:?} {step} {size}"
                    );
                }
            }
        }
    }

    #[test]
    fn offsets_of_utf8_count_the_mark_and_those_of_utf16_the_text() {
        assert_eq!(pieces(b"\xEF\xBB\xBFab", 9, 9), [(3, b"ab".to_vec())]);
        assert_eq!(pieces(b"\xFF\xFEa\0\xE9\0b\0", 9, 3), [(0, "aé".into()), (3, b"b".to_vec())]);
    }

    #[test]
    fn fill_keeps_what_stands_in_the_buffer() {
        let mut chunks = chunks(&b"defgh"[..]);
        let mut buf = Buffer::default();
        buf.extend_from_slice(b"abc");
        assert_eq!(chunks.fill(&mut buf, 6).unwrap(), 3);
        assert_eq!((&buf[..], chunks.offset()), (&b"abcdef"[..], 3));
        assert_eq!(chunks.fill(&mut buf, 6).unwrap(), 0, "full");
        assert_eq!(chunks.fill(&mut buf, 2).unwrap(), 0, "over full");
        assert_eq!(chunks.fill(&mut buf, 100).unwrap(), 2, "the end");
        assert_eq!(chunks.fill(&mut buf, 100).unwrap(), 0, "after the end");
        assert_eq!((&buf[..], chunks.offset()), (&b"abcdefgh"[..], 5));
    }

    #[test]
    fn what_was_read_before_a_fault_stands_in_the_buffer() {
        let mut chunks = chunks(Broken(b"abcdef"));
        let mut buf = Buffer::default();
        assert_eq!(chunks.fill(&mut buf, 100).unwrap_err().to_string(), "the disk is on fire");
        assert_eq!((&buf[..], chunks.offset()), (&b"abcdef"[..], 6));
    }

    #[test]
    fn utf16_before_a_fault_is_not_lost() {
        let mut chunks = chunks(Broken(b"\xFF\xFEa\0b\0c"));
        assert_eq!(chunks.next_chunk(100).unwrap().unwrap().bytes, b"ab");
        assert_eq!(chunks.next_chunk(100).unwrap_err().to_string(), "the disk is on fire");
    }

    #[test]
    fn counted_counts_the_bytes_of_the_file_not_of_the_text() {
        let taken = Arc::new(AtomicU64::new(0));
        let bytes: &[u8] = b"\xFF\xFEa\0b\0c\0";
        let mut chunks = chunks(Counted::new(Short { bytes, step: 3 }, taken.clone()));
        assert_eq!(chunks.next_chunk(100).unwrap().unwrap().bytes, b"abc");
        assert_eq!(taken.load(Ordering::Relaxed), 8);
    }
}
