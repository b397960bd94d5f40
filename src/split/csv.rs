//! Where CSV records end: line ends outside quotes, by the grammar of `csv.rs`.
//!
//! Regular text is passed over 64 bytes at a time. Wherever the quotes are irregular the careful
//! reader reads that one record, and its verdict travels with the block, so that the framer never
//! has to decide it again.
//!
//! A quoted field may hold line breaks, and a quote that is never closed must not swallow the file.
//! Both look the same at first, so a record that crosses a line end is judged by what follows:
//!
//! ```text
//!   1201,"Doe, John            <- a quote is open at this line end
//!   1202,6011,…,4,0            <- does a whole record read cleanly from here?
//! ```
//!
//! It ends at the first line end after which a record reads cleanly (the header's number of fields,
//! times and numbers where they belong), unless the record as a whole reads so without any doubt,
//! every line break between proper quotes. If no such line follows before its end, it is a record.

use memchr::memchr;

use super::{BLOCK, Irregular, MAX_RECORD};
use crate::csv::{Dialect, End, Field, QuoteTracker, Quotes, read_record};
use crate::format::{Layout, normalise};
use crate::frame::clean;
use crate::structure::{self, Masks, STEP};

/// What the splitter says of the text that it was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cut {
    /// No record ends in it yet: more text is needed.
    More,
    /// Whole records up to this byte.
    Records(usize, Vec<Irregular>),
    /// The text begins with a line, up to this byte, that is a header other than the one in force.
    Header(usize),
    /// The text begins with a record longer than [`MAX_RECORD`].
    TooLarge,
}

/// Line ends that are looked at to judge one unclosed quote, and clean records that settle it: a
/// quoted field that holds so many whole records is not believed.
const MAX_LINES_TRIED: usize = 1024;
const CLEAN_RECORDS_THAT_SETTLE: usize = 8;

/// Finds where records end. Keeps only scratch memory from call to call.
#[derive(Debug, Default)]
pub struct Splitter {
    masks: Vec<Masks>,
    fields: Vec<Field>,
}

/// How far the splitter came.
enum Reached {
    /// All records up to here are known, and the text has no further line end.
    End(usize),
    /// The record that begins here is irregular.
    Irregular(usize),
    /// The line that begins here is a header.
    Header(usize),
}

impl Splitter {
    /// Cuts the text of whole records off the front of `text`, which begins at a record. `at_end`
    /// says that the dump ends with this text.
    pub fn cut(&mut self, text: &[u8], layout: &Layout, at_end: bool) -> Cut {
        let mut irregular = Vec::new();
        let mut at = 0;
        let end = loop {
            match self.regular(text, at, layout) {
                Reached::End(end) if at_end && end < text.len() => break text.len(),
                Reached::End(end) => break end,
                Reached::Header(start) => match memchr(layout.dialect.eol, &text[start..]) {
                    _ if start > 0 => break start,
                    Some(length) => return Cut::Header(length + 1),
                    None if at_end => return Cut::Header(text.len()),
                    None => break 0,
                },
                Reached::Irregular(start) => match self.judge(text, start, layout, at_end) {
                    Some(record) => {
                        irregular.push(record);
                        at = record.end;
                    }
                    None => break start,
                },
            }
        };
        match end {
            0 if text.len() > MAX_RECORD => Cut::TooLarge,
            0 => Cut::More,
            _ => Cut::Records(end, irregular),
        }
    }

    /// Goes over regular text from `from`, where a record begins.
    fn regular(&mut self, text: &[u8], from: usize, layout: &Layout) -> Reached {
        let Dialect { delimiter, eol, quotes } = layout.dialect;
        let (mut window, mut at, mut record) = (1 << 10, from, from);
        if is_other_header(&text[at..], layout) {
            return Reached::Header(at);
        }
        let mut tracker = QuoteTracker::default();
        while at < text.len() {
            let piece = &text[at..text.len().min(at + window)];
            structure::scan(piece, delimiter, eol, &mut self.masks);
            for (step, masks) in self.masks.iter().enumerate() {
                let (inside, irregular) = match quotes {
                    Quotes::Device => {
                        let quoting = tracker.step(masks);
                        (quoting.inside, quoting.irregular)
                    }
                    Quotes::Whole => (0, 0),
                };
                let mut ends = masks.eol & !inside & below_lowest(irregular);
                while ends != 0 {
                    record = at + step * STEP + ends.trailing_zeros() as usize + 1;
                    if is_other_header(&text[record..], layout) {
                        return Reached::Header(record);
                    }
                    ends &= ends - 1;
                }
                if irregular != 0 {
                    return Reached::Irregular(record);
                }
            }
            at += piece.len();
            window = (window * 2).min(1 << 14);
        }
        if tracker.is_inside() { Reached::Irregular(record) } else { Reached::End(record) }
    }

    /// Judges the record at `start`; nothing where more text is needed to.
    fn judge(&mut self, text: &[u8], start: usize, layout: &Layout, at_end: bool) -> Option<Irregular> {
        let dialect = layout.dialect;
        // NULs at the start of a line are no part of its first field.
        let from = start + text[start..].iter().take_while(|&&byte| byte == 0).count();
        let read = read_record(text, from, dialect, &mut self.fields);
        let first_line = memchr(dialect.eol, &text[start..]).map(|length| start + length + 1);
        let ended = |end: usize| text[end - 1] == dialect.eol || at_end;
        match read {
            End::At(end) if ended(end) => {
                let one_line = first_line.is_none_or(|line| line >= end);
                if one_line || clean::is_beyond_doubt(text, &self.fields, layout) {
                    return Some(Irregular { start, end, unclosed: false });
                }
            }
            // The quote may well be closed further on.
            _ if !at_end && (first_line.is_none() || text.len() - start < BLOCK) => {
                return None;
            }
            _ => {}
        }
        let beyond = text.len() - start > MAX_RECORD;
        let Some(first_line) = first_line else {
            return at_end.then_some(Irregular { start, end: text.len(), unclosed: true });
        };
        let (tried, settled, resumes) = self.lines_that_read_cleanly(text, first_line, layout, at_end);
        if !settled && !at_end && !beyond {
            return None;
        }
        if let End::At(end) = read_record(&text[..tried], from, dialect, &mut self.fields)
            && (end < tried || text[end - 1] == dialect.eol || (at_end && end == text.len()))
            && (resumes.is_none_or(|line| line >= end) || clean::is_beyond_doubt(text, &self.fields, layout))
        {
            return Some(Irregular { start, end, unclosed: false });
        }
        let end = resumes.unwrap_or(if at_end && tried == text.len() { tried } else { first_line });
        Some(Irregular { start, end, unclosed: true })
    }

    /// Tries the lines from `line` on: how far it came, whether that settles the matter, and the
    /// first line from which a whole record reads cleanly.
    fn lines_that_read_cleanly(
        &mut self,
        text: &[u8],
        mut line: usize,
        layout: &Layout,
        at_end: bool,
    ) -> (usize, bool, Option<usize>) {
        let (mut first, mut clean) = (None, 0);
        let limit = text.len().min(line + MAX_RECORD);
        for _ in 0..MAX_LINES_TRIED {
            let read = read_record(&text[..limit], line, layout.dialect, &mut self.fields);
            let whole =
                matches!(read, End::At(end) if end > line && (text[end - 1] == layout.dialect.eol || at_end));
            if whole && clean::reads_cleanly(text, &self.fields, layout) {
                first.get_or_insert(line);
                clean += 1;
            }
            let Some(length) = memchr(layout.dialect.eol, &text[line..limit]) else {
                return (limit, false, first);
            };
            line += length + 1;
            if clean == CLEAN_RECORDS_THAT_SETTLE || line >= limit {
                return (line.min(limit), clean == CLEAN_RECORDS_THAT_SETTLE, first);
            }
        }
        (line, true, first)
    }
}

/// All bits below the lowest one set; all bits where none is.
fn below_lowest(bits: u64) -> u64 {
    if bits == 0 { !0 } else { (1 << bits.trailing_zeros()) - 1 }
}

/// Whether the line at the front of `text` is a header of the format, but not the one in force to
/// the byte. Data begins with a number or a date nearly everywhere, so this mostly looks at one
/// byte; a first field that no table knows begins no header.
fn is_other_header(text: &[u8], layout: &Layout) -> bool {
    let line = bare(text);
    let bare = line.strip_prefix(b"\"").unwrap_or(line);
    if !bare.first().is_some_and(|byte| byte.is_ascii_alphabetic()) {
        return false;
    }
    let dialect = layout.dialect;
    let field = &bare[..bare.len().min(64)];
    let end = field.iter().position(|byte| [dialect.delimiter, dialect.eol, b'"', b'\r'].contains(byte));
    let name = end.and_then(|end| std::str::from_utf8(&field[..end]).ok());
    let known = name.is_some_and(|name| layout.format.field(&normalise(name)).is_some());
    let own = layout.header.as_ref().is_some_and(|own| is_line(text, own.as_bytes(), dialect.eol));
    known && !own && header_names(text, dialect).is_some_and(|names| layout.format.is_header(&names))
}

/// The names on the line at the front of `text`, if it is whole and is text.
pub fn header_names(text: &[u8], dialect: Dialect) -> Option<Vec<String>> {
    let text = bare(text);
    let line = &text[..memchr(dialect.eol, text).unwrap_or(text.len())];
    let mut fields = Vec::new();
    match read_record(line, 0, dialect, &mut fields) {
        End::At(_) => {
            fields.iter().map(|field| String::from_utf8(field.value(line).into_owned()).ok()).collect()
        }
        End::Open => None,
    }
}

/// A line without what may stand before it: NULs that a crash left, a byte order mark.
pub fn bare(text: &[u8]) -> &[u8] {
    let nuls = text.iter().take_while(|&&byte| byte == 0).count();
    text[nuls..].strip_prefix(b"\xef\xbb\xbf").unwrap_or(&text[nuls..])
}

/// Whether `text` begins with exactly this line.
pub fn is_line(text: &[u8], line: &[u8], eol: u8) -> bool {
    let rest = text.strip_prefix(line);
    rest.is_some_and(|rest| {
        let rest = if eol == b'\n' { rest.strip_prefix(b"\r").unwrap_or(rest) } else { rest };
        rest.first().is_none_or(|&byte| byte == eol)
    })
}
