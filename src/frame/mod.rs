//! Block → records: knows syntax, no vendor. What comes out is rectangular whatever the syntax was.
//!
//! One arena of bytes and `spans[record × slot]`; no `String` and no map for a record or a value.
//! What could not be framed is a reject beside it, located by its offset. Types come later.

pub mod ami;
mod checked;
pub mod clean;
pub mod csv;
pub mod json;
pub mod keyed;
pub mod sieve;
pub mod spare;
pub mod xml;

use std::sync::Arc;

pub use checked::{Checked, Utf8};
use encoding_rs::Encoding;
use memchr::memchr_iter;

use sieve::Sieve;

use crate::format::{Layout, Syntax};
use crate::split::{Block, Content, KEPT_OF_TOO_LARGE, Unreadable};

/// What the caller wants to be done with records that cannot be read as they stand.
#[derive(Clone, Copy, Debug, Default)]
pub struct How {
    /// What records are that are not UTF-8.
    pub encoding: Option<&'static Encoding>,
    /// A text with an escape that means nothing is read as it stands.
    pub lenient: bool,
}

/// Frames a block.
pub fn block(block: Block, how: How) -> Records {
    sieved(block, how, None)
}

/// Frames those records of a block that pass a sieve, where there is one and the syntax has fields by number.
pub fn sieved(block: Block, how: How, sieve: Option<&Sieve<'_>>) -> Records {
    let Block { offset, layout, content } = block;
    match content {
        Content::Records { text, irregular, lines } => {
            let sieve = sieve.map(|sieve| (sieve, &*lines));
            csv::sieved(text, &irregular, offset, layout, how.encoding, sieve)
        }
        Content::Elements { text, elements, call } => match layout.format.syntax {
            Syntax::Json(_) => json::frame(text, &elements, &call, offset, layout, how),
            Syntax::Xml(_) => xml::frame(text, &elements, &call, offset, layout, how),
            Syntax::Ami(_) => ami::frame(text, &elements, offset, layout, how),
            Syntax::Csv(_) => unreachable!("lines have no elements"),
        },
        Content::Passed { lines, repeated_header } => {
            let counts = Counts { lines, repeated_headers: repeated_header.into(), ..Counts::default() };
            Records::none(offset, layout, counts, Vec::new())
        }
        Content::Rejected { text, length, lines, why } => {
            let (reason, message) = match why {
                Unreadable::TooLarge => (Reason::TooLarge, format!("{length} bytes in one record")),
                Unreadable::NotARecord => (Reason::NotARecord, "a line above the header".to_string()),
                Unreadable::TooDeep | Unreadable::Truncated | Unreadable::Syntax => {
                    keyed::unreadable(why, &layout)
                }
            };
            let reject = Reject {
                number: 0,
                line: 0,
                offset,
                length,
                reason,
                field: None,
                message: message.into(),
                raw: text,
                around: None,
            };
            let counts = Counts { records: 1, lines, ..Counts::default() };
            Records::none(offset, layout, counts, vec![reject])
        }
    }
}

/// The text with a `?` in place of every byte that is not UTF-8: no span points at one, for such
/// records are rejected or rewritten.
fn blanked(text: &[u8]) -> Vec<u8> {
    let mut blanked = Vec::with_capacity(text.len());
    for chunk in text.utf8_chunks() {
        blanked.extend_from_slice(chunk.valid().as_bytes());
        blanked.resize(blanked.len() + chunk.invalid().len(), b'?');
    }
    blanked
}

/// A value's place in the arena. Length 0 is no value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// How many bytes.
    pub len: u32,
}

impl Span {
    /// The span from `start` up to `end`.
    pub fn new(start: usize, end: usize) -> Span {
        Span { start: start as u32, len: (end - start) as u32 }
    }

    /// Its text.
    pub fn text<'a>(&self, arena: &'a str) -> &'a str {
        &arena[self.start as usize..self.start as usize + self.len as usize]
    }

    /// Its bytes.
    pub fn of<'a>(&self, arena: &'a [u8]) -> &'a [u8] {
        &arena[self.start as usize..self.start as usize + self.len as usize]
    }
}

/// Where a record stands in its block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// First byte in the block.
    pub start: u32,
    /// How many bytes, without the line end.
    pub len: u32,
    /// Its number among the block's records, from 0, rejected ones counted.
    pub number: u32,
}

/// A value that has no slot of its own, under the name that the record gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stray {
    /// The record, by its index in the block.
    pub record: u32,
    /// Its name.
    pub name: Span,
    /// Its value.
    pub value: Span,
}

/// The framed records of one block.
#[derive(Debug)]
pub struct Records {
    /// Offset of the block in the dump.
    pub offset: u64,
    /// What the slots mean.
    pub layout: Arc<Layout>,
    /// How many bytes the block has.
    pub text_bytes: u64,
    /// The block's text, and behind it values that had to be rewritten. UTF-8 as a whole.
    pub arena: Utf8,
    /// The block's text verbatim, where some of it is not UTF-8 (the arena has `?` there).
    pub original: Option<Vec<u8>>,
    /// `spans[record × slots + slot]`.
    pub spans: Vec<Span>,
    /// Values under names that have no slot, in the order of the records.
    pub strays: Vec<Stray>,
    /// Where each record stands.
    pub places: Vec<Place>,
    /// What could not be framed, in order.
    pub rejects: Vec<Reject>,
    /// What happened.
    pub counts: Counts,
}

impl Records {
    /// No records.
    fn none(offset: u64, layout: Arc<Layout>, counts: Counts, rejects: Vec<Reject>) -> Records {
        let (arena, original) = (Utf8::default(), None);
        Records {
            offset,
            layout,
            text_bytes: 0,
            arena,
            original,
            spans: Vec::new(),
            strays: Vec::new(),
            places: Vec::new(),
            rejects,
            counts,
        }
    }

    /// How many records were framed.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether none was.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// The bytes of a value; none where there is no value.
    pub fn value(&self, record: usize, slot: usize) -> &[u8] {
        self.spans[record * self.layout.slots() + slot].of(&self.arena)
    }
}

/// What happened while a block was framed. Lines and records include rejected ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Records read, rejected ones too.
    pub records: u64,
    /// Records that were read only after a repair.
    pub repaired: u64,
    /// Header lines that came again.
    pub repeated_headers: u64,
    /// Lines that began with NULs.
    pub nul_runs: u64,
    /// Records that a sieve did not keep: read, and not framed.
    pub sieved: u64,
    /// Line ends in the block.
    pub lines: u64,
    /// Keys that stood in a record a second time.
    pub duplicate_keys: u64,
    /// Pieces between the records that hold something else.
    pub passed_over: u64,
}

/// Why a record was rejected. The names are a contract: they stand in the rejects file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// A CSV record has another number of fields than its header, and no repair fits.
    FieldCount,
    /// A quote was opened and never closed.
    UnclosedQuote,
    /// The bytes are not UTF-8, nor text in the encoding given.
    InvalidUtf8,
    /// A time that cannot be read.
    BadTime,
    /// A number that cannot be read.
    BadNumber,
    /// A yes or no, or another word, that cannot be read.
    BadValue,
    /// A date that contradicts the file's date order.
    BadDateOrder,
    /// Larger than a record may be.
    TooLarge,
    /// A line that holds no record.
    NotARecord,
    /// An object that is not written as JSON is.
    JsonSyntax,
    /// A text with a backslash before what cannot follow one.
    JsonEscape,
    /// An element that is not written as XML is, nor as devices write it.
    XmlSyntax,
    /// Nested too deeply.
    TooDeep,
    /// The dump ends within it.
    Truncated,
}

impl Reason {
    /// Its name in rejects and reports.
    pub fn name(self) -> &'static str {
        match self {
            Reason::FieldCount => "field-count",
            Reason::UnclosedQuote => "unclosed-quote",
            Reason::InvalidUtf8 => "invalid-utf8",
            Reason::BadTime => "bad-time",
            Reason::BadNumber => "bad-number",
            Reason::BadValue => "bad-value",
            Reason::BadDateOrder => "bad-date-order",
            Reason::TooLarge => "too-large",
            Reason::NotARecord => "not-a-record",
            Reason::JsonSyntax => "json-syntax",
            Reason::JsonEscape => "json-escape",
            Reason::XmlSyntax => "xml-syntax",
            Reason::TooDeep => "too-deep",
            Reason::Truncated => "truncated",
        }
    }
}

/// A reject's text, shared with the reject before: a flood of them says one thing.
pub fn shared(text: &str, before: Option<&Arc<str>>) -> Arc<str> {
    match before {
        Some(before) if **before == *text => before.clone(),
        _ => text.into(),
    }
}

/// Counts a block's line ends on the way, for the lines of its rejects.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    at: usize,
    before: u64,
}

impl Lines {
    /// The line ends of `text` before the byte `at`; cheap where that only grows.
    pub(crate) fn before(&mut self, text: &[u8], at: usize, eol: u8) -> u64 {
        let (from, lines) = if self.at <= at { (self.at, self.before) } else { (0, 0) };
        self.before = lines + memchr_iter(eol, &text[from..at]).count() as u64;
        self.at = at;
        self.before
    }
}

/// What is kept of a rejected record's text.
pub(crate) fn kept(raw: &[u8], reason: Reason) -> Vec<u8> {
    let len = if reason == Reason::TooLarge { raw.len().min(KEPT_OF_TOO_LARGE) } else { raw.len() };
    raw[..len].to_vec()
}

/// A record that could not be read, with its place and its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reject {
    /// Its number among the block's records, from 0.
    pub number: u64,
    /// Line ends in the block before it.
    pub line: u64,
    /// Offset of its first byte in the dump.
    pub offset: u64,
    /// How many bytes it has, without its line end.
    pub length: u64,
    /// Why.
    pub reason: Reason,
    /// The dump's own name of the field that cannot be read.
    pub field: Option<Arc<str>>,
    /// One sentence for people.
    pub message: Arc<str>,
    /// Its text verbatim; of one that is too large only the beginning.
    pub raw: Vec<u8>,
    /// What it stood in, where its text alone does not tell what it is: see `around.rs`.
    pub around: Option<String>,
}
