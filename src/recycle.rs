//! Buffers that come back: a block's text is read into memory that an earlier block has left.
//!
//! Fresh memory is dear: the kernel clears every page of it, at a fifth of the speed of reading into
//! memory that is warm. A block's buffer goes back on the shelf when the last column that points
//! into it is gone.

use std::sync::{Arc, Mutex, PoisonError};

/// Where buffers wait for their next use.
#[derive(Clone, Debug, Default)]
pub struct Shelf(Arc<Mutex<Vec<Vec<u8>>>>);

/// Buffers that are kept; more are freed.
const MOST: usize = 16;

/// Buffers of that capacity and more are freed: they were made for a record of unusual length.
const TOO_LARGE: usize = 8 << 20;

impl Shelf {
    /// An empty buffer of at least that capacity.
    pub fn take(&self, capacity: usize) -> Vec<u8> {
        let mut buffers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // The last that came back is the warmest.
        let fitting = buffers.iter().rposition(|buffer| buffer.capacity() >= capacity);
        fitting.map_or_else(|| Vec::with_capacity(capacity), |at| buffers.swap_remove(at))
    }

    /// Bytes whose memory comes back here when nobody needs them any more.
    pub fn lend(&self, bytes: Vec<u8>) -> Lent {
        Lent { bytes, shelf: self.clone() }
    }

    fn put(&self, mut buffer: Vec<u8>) {
        let mut buffers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if buffers.len() < MOST && (1..TOO_LARGE).contains(&buffer.capacity()) {
            buffer.clear();
            buffers.push(buffer);
        }
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
        let place = buffer.as_ptr();
        drop(shelf.lend(buffer));
        let again = shelf.take(50);
        assert_eq!((again.as_ptr(), again.len()), (place, 0));
    }

    #[test]
    fn a_buffer_that_is_too_small_stays_on_the_shelf() {
        let shelf = Shelf::default();
        drop(shelf.lend(Vec::with_capacity(10)));
        assert!(shelf.take(1000).capacity() >= 1000);
        assert_eq!(shelf.0.lock().unwrap().len(), 1);
    }
}
