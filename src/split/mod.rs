//! Cuts a dump's bytes into blocks of whole records: the only stage that decides where records end.
//!
//! A quote may cross any cut, so this is done in order, on one thread, and therefore does nothing
//! else; everything after it works on blocks in parallel, and no block needs the one before.
//! It must not know columns or files; of a layout it asks only whether a record reads cleanly.

pub mod ami;
pub mod csv;
pub mod json;
pub mod xml;

use std::sync::Arc;

use memchr::memchr_iter;

use crate::format::{Layout, Syntax};
use crate::weight;

/// How many bytes a block has, unless a single record is longer; twice as many where a filter is. A constant: where
/// blocks are cut depends on the input and on that alone, never on memory, threads or timing.
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

/// How long a text's lines are is told by so many pieces of it, of so many bytes each.
const PIECES: usize = 16;
const PIECE: usize = 256;

impl Block {
    /// What it weighs ([`weight`]).
    pub fn weight(&self) -> u64 {
        let (records, text) = match &self.content {
            Content::Records { text, .. } => (about_lines(text, self.layout.dialect.eol), text.len()),
            Content::Elements { text, elements, .. } => (elements.len(), text.len()),
            Content::Rejected { text, .. } => (1, text.len()),
            Content::Passed { .. } => (0, 0),
        };
        weight::of(records, text as u64)
    }
}

/// About how many lines a text has.
fn about_lines(text: &[u8], eol: u8) -> usize {
    let pieces =
        || text.chunks(text.len().div_ceil(PIECES).max(PIECE)).map(|part| &part[..part.len().min(PIECE)]);
    let seen: usize = pieces().map(<[u8]>::len).sum();
    let ends: usize = pieces().map(|piece| memchr_iter(eol, piece).count()).sum();
    ends * text.len() / seen.max(1)
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
        /// The others, in order, if they were asked for; else none.
        lines: Vec<Line>,
    },
    /// Whole record elements, and what lies between them and is no part of any: their envelopes.
    Elements {
        /// Their text, and all between.
        text: Vec<u8>,
        /// Where they stand in it, in order.
        elements: Vec<Element>,
        /// What tells of which call they are parts, if they are: its id, or its start tag.
        call: Vec<u8>,
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

/// A record that is one regular line: it begins where the one before it ends. Offsets count in the block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    /// Past its line end.
    pub end: u32,
    /// How many fields it has; 0 where only a careful reader can tell.
    pub fields: u32,
}

/// Why the splitter rejects a piece of text as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// Longer than [`MAX_RECORD`].
    TooLarge,
    /// A line above the header that has as many fields as the header, or something else that stands where
    /// a record should.
    NotARecord,
    /// Nested too deeply.
    TooDeep,
    /// The dump ends within it.
    Truncated,
    /// It is not written by the grammar of its syntax, so that nobody can tell where it ends; the next record does.
    Syntax,
}

/// A record element of a block: one record, or the several of a call. Offsets count in the block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Element {
    /// Its first byte.
    pub start: u32,
    /// Past its last byte.
    pub end: u32,
    /// What the splitter saw of it.
    pub kind: ElementKind,
}

/// What the splitter saw of an element. No block has whole elements of two kinds, nor parts of two calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ElementKind {
    /// A whole one, as far as its brackets tell.
    Whole,
    /// The same, and the only one that its document can hold.
    Alone,
    /// One record of a call that is too large to be an element: a sub by its number, or (nothing) the main one.
    Part(Option<u64>),
    /// More records of a call that is too large, and the number of its subs so far.
    Rest(u64),
    /// None: it is rejected as it stands.
    Bad(Unreadable),
}

impl Element {
    /// An element from `start` up to `end`.
    pub fn new(start: usize, end: usize, kind: ElementKind) -> Element {
        Element { start: start as u32, end: end as u32, kind }
    }

    /// Its place in the block.
    pub fn range(&self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// What a splitter says of the text that it was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cut {
    /// No record ends in it yet: more text is needed.
    More,
    /// Whole lines of records up to this byte.
    Records(usize, Vec<Irregular>),
    /// Whole elements up to this byte; there may be none.
    Elements(usize, Vec<Element>),
    /// The text begins with a line, up to this byte, that is a header other than the one in force.
    Header(usize),
    /// The text begins with a record longer than [`MAX_RECORD`].
    TooLarge,
}

/// How much of a text belongs to a record that is too large.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Skip {
    /// So many bytes of it.
    pub passed: usize,
    /// Whether the record ends there.
    pub ended: bool,
}

/// What is known of a dump when all of it was cut.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ending {
    /// What the user should know.
    pub warnings: Vec<String>,
    /// Why the dump has failed, although its text was read to its end.
    pub error: Option<String>,
}

/// Finds where the records of a dump end, by its syntax.
#[derive(Debug)]
pub enum Splitter {
    /// Lines of delimited fields.
    Csv(csv::Splitter),
    /// Objects in documents.
    Json(Box<json::Splitter>),
    /// Elements in documents.
    Xml(Box<xml::Splitter>),
    /// Blocks of lines.
    Ami(ami::Splitter),
}

impl Splitter {
    /// The splitter of a dump that begins under this layout.
    pub fn new(layout: &Layout) -> Splitter {
        match &layout.format.syntax {
            Syntax::Csv(_) => Splitter::Csv(csv::Splitter::default()),
            Syntax::Json(json) => Splitter::Json(Box::new(json::Splitter::new(json))),
            Syntax::Xml(xml) => Splitter::Xml(Box::new(xml::Splitter::new(xml))),
            Syntax::Ami(ami) => Splitter::Ami(ami::Splitter::new(ami, layout.dialect.eol)),
        }
    }

    /// Cuts text of whole records off the front of `text`, which begins where the last cut ended. `at_end`
    /// says that the dump ends with this text. Until it comes back with a cut, it may be asked again with more.
    pub fn cut(&mut self, text: &[u8], layout: &Layout, at_end: bool) -> Cut {
        match self {
            Splitter::Csv(csv) => csv.cut(text, layout, at_end),
            Splitter::Json(json) => json.cut(text, at_end),
            Splitter::Xml(xml) => xml.cut(text, at_end),
            Splitter::Ami(ami) => ami.cut(text, at_end),
        }
    }

    /// How much of `text` belongs to the record that was too large; the text goes on where the last ended.
    pub fn skip(&mut self, text: &[u8], layout: &Layout, at_end: bool) -> Skip {
        match self {
            Splitter::Csv(_) => csv::skip(text, layout),
            Splitter::Json(json) => json.skip(text, at_end),
            Splitter::Xml(xml) => xml.skip(text, at_end),
            Splitter::Ami(ami) => ami.skip(text, at_end),
        }
    }

    /// Has lines kept from now on, where records are lines: for who asks for a few of them.
    pub fn keep_lines(&mut self) {
        if let Splitter::Csv(csv) = self {
            csv.keep_lines();
        }
    }

    /// The regular lines of the last cut, if they are kept.
    pub fn lines(&mut self) -> &[Line] {
        if let Splitter::Csv(csv) = self { csv.lines() } else { &[] }
    }

    /// What tells of which call the elements of the last cut are parts, if they are: its id, or its start tag.
    pub fn call(&self) -> Vec<u8> {
        match self {
            Splitter::Json(json) => json.call(),
            Splitter::Xml(xml) => xml.call(),
            Splitter::Csv(_) | Splitter::Ami(_) => Vec::new(),
        }
    }

    /// What is known when all text was cut.
    pub fn end(&mut self) -> Ending {
        match self {
            Splitter::Csv(_) => Ending::default(),
            Splitter::Json(json) => json.end(),
            Splitter::Xml(xml) => xml.end(),
            Splitter::Ami(ami) => ami.end(),
        }
    }
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

impl Line {
    /// The same, so many bytes further on.
    pub fn shifted(self, by: usize) -> Line {
        Line { end: self.end + by as u32, ..self }
    }
}

impl Irregular {
    /// The same, so many bytes further on.
    pub fn shifted(self, by: usize) -> Irregular {
        Irregular { start: self.start + by, end: self.end + by, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_about_counted() {
        assert_eq!(about_lines(b"", b'\n'), 0);
        assert_eq!(about_lines(b"a\nb\nc\n", b'\n'), 3);
        assert_eq!(about_lines(&b"0123456789012345678901234567890\n".repeat(1000), b'\n'), 1000);
        assert_eq!(about_lines(&b"\n".repeat(BLOCK + 1), b'\n'), BLOCK + 1);
        assert_eq!(about_lines(&b"x".repeat(BLOCK), b'\n'), 0);
        // Lines that are long at the front alone do not hide the others.
        let mixed = [b"x".repeat(BLOCK / 2), b"1,2\n".repeat(BLOCK / 8)].concat();
        assert_eq!(about_lines(&mixed, b'\n'), BLOCK / 8);
    }
}
