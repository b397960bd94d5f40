//! Buffers that come back: a block's text is read into memory that an earlier block has left.
//!
//! Fresh memory is dear: the kernel clears every page of it, at a fifth of the speed of reading into
//! memory that is warm. A block's buffer goes back on the shelf when the last column that points
//! into it is gone.

use std::io;
use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};

/// Where buffers wait for their next use.
#[derive(Clone, Debug, Default)]
pub struct Shelf(Arc<Mutex<Vec<Vec<u8>>>>);

/// Buffers that are kept; more are freed, the smallest first.
const MOST: usize = 16;

/// Buffers of that capacity and more are freed: they were made for a record of unusual length.
const TOO_LARGE: usize = 8 << 20;

/// Bytes that are filled from the front. Behind those may stand bytes of an earlier use: room that needs no
/// zeros before something is read into it.
#[derive(Debug, Default)]
pub struct Buffer {
    bytes: Vec<u8>,
    filled: usize,
}

impl Deref for Buffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes[..self.filled]
    }
}

impl Buffer {
    /// Appends bytes.
    pub fn extend_from_slice(&mut self, more: &[u8]) {
        let filled = self.filled + more.len();
        let stale = self.bytes.len().min(filled) - self.filled;
        self.bytes[self.filled..self.filled + stale].copy_from_slice(&more[..stale]);
        self.bytes.extend_from_slice(&more[stale..]);
        self.filled = filled;
    }

    /// Appends what `read` writes into the room up to `upto` bytes in all, called until there is no room left or
    /// it comes back with 0.
    ///
    /// # Errors
    /// As `read`; what was written before stays.
    pub fn fill(
        &mut self,
        upto: usize,
        mut read: impl FnMut(&mut [u8]) -> io::Result<usize>,
    ) -> io::Result<()> {
        self.bytes.reserve(upto.saturating_sub(self.bytes.len()));
        while self.filled < upto {
            // Zeros go where nothing was before, a step at a time: what is read finds it in the nearest cache.
            if self.filled == self.bytes.len() {
                self.bytes.resize(upto.min(self.filled + STEP), 0);
            }
            let room = self.bytes.len().min(upto);
            match read(&mut self.bytes[self.filled..room])? {
                0 => break,
                more => self.filled = room.min(self.filled + more),
            }
        }
        Ok(())
    }

    /// Drops so many bytes at the front; what stands behind moves there.
    pub fn drop_front(&mut self, bytes: usize) {
        self.bytes.copy_within(bytes..self.filled, 0);
        self.filled -= bytes;
    }

    /// Drops what stands behind so many bytes.
    pub fn truncate(&mut self, len: usize) {
        self.filled = self.filled.min(len);
    }

    /// Drops all.
    pub fn clear(&mut self) {
        self.filled = 0;
    }

    /// The bytes that are filled.
    pub fn into_vec(mut self) -> Vec<u8> {
        self.bytes.truncate(self.filled);
        self.bytes
    }
}

/// Bytes that are zeroed at a time.
const STEP: usize = 128 << 10;

impl Shelf {
    /// An empty buffer of at least that capacity.
    pub fn take(&self, capacity: usize) -> Buffer {
        let mut buffers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // The last that came back is the warmest.
        let fitting = buffers.iter().rposition(|buffer| buffer.capacity() >= capacity);
        let bytes = fitting.map_or_else(|| Vec::with_capacity(capacity), |at| buffers.swap_remove(at));
        Buffer { bytes, filled: 0 }
    }

    /// Bytes whose memory comes back here when nobody needs them any more.
    pub fn lend(&self, bytes: Vec<u8>) -> Lent {
        Lent { bytes, shelf: self.clone() }
    }

    /// Takes a buffer back that nobody needs.
    pub fn take_back(&self, buffer: Buffer) {
        self.put(buffer.bytes);
    }

    fn put(&self, buffer: Vec<u8>) {
        let mut buffers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !(1..TOO_LARGE).contains(&buffer.capacity()) {
            return;
        }
        if buffers.len() == MOST {
            // One that is too small for most is of least use.
            let least = (0..MOST).min_by_key(|&at| buffers[at].capacity()).unwrap_or(0);
            if buffers[least].capacity() >= buffer.capacity() {
                return;
            }
            buffers.swap_remove(least);
        }
        buffers.push(buffer);
    }
}

/// Bytes whose memory goes back to its shelf.
#[derive(Debug)]
pub struct Lent {
    bytes: Vec<u8>,
    shelf: Shelf,
}

impl AsRef<[u8]> for Lent {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        self.shelf.put(std::mem::take(&mut self.bytes));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lent_buffer_comes_back_empty() {
        let shelf = Shelf::default();
        let mut buffer = shelf.take(100);
        buffer.extend_from_slice(b"text");
        let place = buffer.bytes.as_ptr();
        drop(shelf.lend(buffer.into_vec()));
        let again = shelf.take(50);
        assert_eq!((again.bytes.as_ptr(), again.len()), (place, 0));
    }

    #[test]
    fn small_buffers_leave_room_for_large_ones() {
        let shelf = Shelf::default();
        (0..MOST).for_each(|_| drop(shelf.lend(Vec::with_capacity(10))));
        let large = shelf.take(1000);
        let place = large.bytes.as_ptr();
        shelf.take_back(large);
        drop(shelf.lend(Vec::with_capacity(10)));
        assert_eq!(shelf.0.lock().unwrap().len(), MOST);
        assert_eq!(shelf.take(1000).bytes.as_ptr(), place);
    }

    #[test]
    fn nothing_of_an_earlier_use_is_seen() {
        let shelf = Shelf::default();
        drop(shelf.lend(b"an earlier use".to_vec()));
        let mut buffer = shelf.take(5);
        buffer.extend_from_slice(b"one");
        assert_eq!(&*buffer, b"one");
        let mut text: &[u8] = b", two and three";
        buffer.fill(8, |room| io::Read::read(&mut text, room)).unwrap();
        assert_eq!(&*buffer, b"one, two");
        buffer.drop_front(5);
        assert_eq!(&*buffer, b"two");
        buffer.extend_from_slice(b" and");
        buffer.drop_front(4);
        buffer.extend_from_slice(b" and a longer text than was there before");
        assert_eq!(buffer.into_vec(), b"and and a longer text than was there before");
    }

    #[test]
    fn a_fault_keeps_what_was_read_before() {
        let mut buffer = Buffer::default();
        let mut calls = 0;
        let outcome = buffer.fill(STEP * 3, |room| {
            calls += 1;
            room[0] = b'x';
            if calls < 3 { Ok(1) } else { Err(io::Error::other("gone")) }
        });
        assert!(outcome.is_err());
        assert_eq!(&*buffer, b"xx");
    }

    #[test]
    fn a_buffer_that_is_too_small_stays_on_the_shelf() {
        let shelf = Shelf::default();
        drop(shelf.lend(Vec::with_capacity(10)));
        assert!(shelf.take(1000).bytes.capacity() >= 1000);
        assert_eq!(shelf.0.lock().unwrap().len(), 1);
    }
}
