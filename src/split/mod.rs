//! Cuts a dump's bytes into blocks of whole records: the only stage that decides where records end.
//!
//! A quote may cross any cut, so this is done in order, on one thread, and therefore does nothing
//! else; everything after it works on blocks in parallel, and no block needs the one before.
//! It must not know columns or files; of a layout it asks only whether a record reads cleanly.

pub mod csv;

use std::sync::Arc;

use crate::format::Layout;

/// How many bytes a block has, unless a single record is longer. A constant: where blocks are cut
/// depends on the input alone, never on memory, threads or timing.
pub const BLOCK: usize = 1 << 20;

/// The longest record that is read; a longer one is rejected as `too-large`.
pub const MAX_RECORD: usize = 16 << 20;

/// How much of a record that is too large is kept for the rejects.
pub const KEPT_OF_TOO_LARGE: usize = 64 << 10;

/// Whole records of one dump under one layout: the unit of parallel work.
#[derive(Debug)]
pub struct Block {
    /// Offset of the first byte in the dump.
    pub offset: u64,
    /// What the fields of its records mean.
    pub layout: Arc<Layout>,
    /// The records.
    pub content: Content,
}

/// What a block holds.
#[derive(Debug)]
pub enum Content {
    /// Whole records, and where the irregular ones among them lie.
    Records {
        /// Their text.
        text: Vec<u8>,
        /// Records that the vectorised reader would misread, in order.
        irregular: Vec<Irregular>,
    },
    /// One record that is no record: it is rejected as a whole.
    Rejected {
        /// Its text, or the beginning of it where it is too large.
        text: Vec<u8>,
        /// How many bytes it has, without its line end.
        length: u64,
        /// How many line ends it has.
        lines: u64,
        /// Why it is rejected.
        why: Unreadable,
    },
    /// Lines that hold no record: the header, titles above it.
    Passed {
        /// How many line ends they have.
        lines: u64,
        /// They are a header that came again.
        repeated_header: bool,
    },
}

/// Why the splitter rejects a piece of text as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// Longer than [`MAX_RECORD`].
    TooLarge,
    /// A line above the header that has as many fields as the header.
    NotARecord,
}

/// A record that only the careful reader reads right; offsets count in the block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Irregular {
    /// Its first byte.
    pub start: usize,
    /// Past its last byte, the line end included.
    pub end: usize,
    /// Whether it is a record, or ends at a line end because a quote was never closed.
    pub unclosed: bool,
}
