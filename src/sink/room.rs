//! How much may wait to be encoded: a bound that the sinks of a run share.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crate::weight;
use crate::workers::help;

/// What a batch weighs ([`weight`]), mostly.
const BATCH: u64 = 1 << 20;

/// The place for what waits.
#[derive(Debug)]
pub struct Room {
    /// The weight from which on nothing enters.
    most: u64,
    /// What the rows weigh that wait.
    waiting: Mutex<u64>,
    fewer: Condvar,
}

/// Held by all columns of a batch that still wait; the last to drop it makes room.
#[derive(Debug)]
pub struct Ticket {
    room: Arc<Room>,
    /// Rows, and the bytes of text that they came from.
    has: Mutex<(usize, u64)>,
}

impl Room {
    /// For so many batches.
    pub fn new(batches: usize) -> Arc<Room> {
        Arc::new(Room { most: batches.max(1) as u64 * BATCH, waiting: Mutex::new(0), fewer: Condvar::new() })
    }

    /// A place for rows, with none yet. Blocks while the room is full.
    pub fn enter(self: &Arc<Room>) -> Arc<Ticket> {
        while self.is_full() && help() {}
        let mut waiting = self.waiting();
        while *waiting >= self.most {
            waiting = self.fewer.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
        drop(waiting);
        Arc::new(Ticket { room: self.clone(), has: Mutex::default() })
    }

    /// Whether whoever enters must wait.
    pub fn is_full(&self) -> bool {
        *self.waiting() >= self.most
    }

    /// For how many batches it is.
    pub fn batches(&self) -> usize {
        (self.most / BATCH) as usize
    }

    fn waiting(&self) -> MutexGuard<'_, u64> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ticket {
    /// More rows take this place; comes back with how many it has, and of how many bytes.
    pub fn add(&self, rows: usize, text: u64) -> (usize, u64) {
        let mut has = self.has.lock().unwrap_or_else(PoisonError::into_inner);
        let before = weight::of(has.0, has.1);
        *has = (has.0 + rows, has.1 + text);
        *self.room.waiting() += weight::of(has.0, has.1) - before;
        *has
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let (rows, text) = *self.has.get_mut().unwrap_or_else(PoisonError::into_inner);
        *self.room.waiting() -= weight::of(rows, text);
        self.room.fewer.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_take_room_however_short_they_are() {
        let room = Room::new(2);
        let ticket = room.enter();
        assert_eq!(ticket.add(1000, BATCH), (1000, BATCH));
        assert!(!room.is_full());
        assert_eq!(ticket.add(15_384, 100), (16_384, BATCH + 100));
        assert!(room.is_full());
        drop(ticket);
        assert_eq!(*room.waiting(), 0);
    }
}
