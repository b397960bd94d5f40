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

use super::{BLOCK, Cut, Irregular, Line, MAX_RECORD, Skip};
use crate::csv::{Dialect, End, Field, QuoteTracker, Quotes, Quoting, read_record};
use crate::format::{Layout, normalise};
use crate::frame::clean;
use crate::structure::{self, Eye, Masks};

/// Bytes that the judging of one cut may read; beyond, each reading is short. Only hostile text needs
/// so many: quotes left open on most of its lines.
const JUDGING: usize = 4 * BLOCK;

/// How far one reading goes, once [`JUDGING`] is used up.
const SHORT: usize = 512;

/// How far a line is read to see whether a record begins there.
const NEIGHBOUR: usize = 16 << 10;

/// New lines that are tried to judge one record.
const LINES_TRIED: usize = 1024;

/// Finds where records end. Keeps only scratch memory from call to call.
#[derive(Debug, Default)]
pub struct Splitter {
    fields: Vec<Field>,
    /// Bytes read for judging in this cut.
    judged: usize,
    /// Lines of this cut that were tried as the start of a record, each once.
    tried: Tried,
    /// The regular lines of this cut, where they are kept.
    lines: Vec<Line>,
    keeps_lines: bool,
}

/// Lines, one behind the other, that were tried as the start of a record.
#[derive(Debug, Default)]
struct Tried {
    from: usize,
    upto: usize,
    /// Those from which one reads cleanly, in order.
    clean: Vec<usize>,
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
    /// Has the regular lines kept from now on.
    pub fn keep_lines(&mut self) {
        self.keeps_lines = true;
    }

    /// The regular lines of the last cut, if they are kept.
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// Cuts the text of whole records off the front of `text`, which begins at a record. `at_end`
    /// says that the dump ends with this text.
    pub fn cut(&mut self, text: &[u8], layout: &Layout, at_end: bool) -> Cut {
        let mut irregular = Vec::new();
        let mut at = 0;
        (self.judged, self.tried) = (0, Tried::default());
        self.lines.clear();
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
        let Dialect { delimiter, eol, .. } = layout.dialect;
        if is_other_header(&text[from..], layout) {
            return Reached::Header(from);
        }
        let found =
            Found { text, from, layout, tracker: QuoteTracker::default(), record: from, stopped: None };
        let Found { tracker, record, stopped, .. } = if self.keeps_lines {
            let lines = std::mem::take(&mut self.lines);
            let mut counted = Counted { found, lines, fields: 0, is_doubtful: false };
            structure::each(&text[from..], delimiter, eol, &mut counted);
            self.lines = counted.lines;
            counted.found
        } else {
            let mut found = found;
            structure::each(&text[from..], delimiter, eol, &mut found);
            found
        };
        let is_open = tracker.is_inside() && layout.dialect.quotes == Quotes::Device;
        let at_end = if is_open { Reached::Irregular(record) } else { Reached::End(record) };
        stopped.unwrap_or(at_end)
    }

    /// Judges the record at `start`; nothing where more text is needed to.
    fn judge(&mut self, text: &[u8], start: usize, layout: &Layout, at_end: bool) -> Option<Irregular> {
        let dialect = layout.dialect;
        // What stands before a line is no part of its first field.
        let from = text.len() - bare(&text[start..]).len();
        let first_line = memchr(dialect.eol, &text[start..]).map(|length| start + length + 1);
        let line = first_line.or(at_end.then_some(text.len()))?;
        if let End::At(_) = self.read(&text[..line], from, dialect) {
            return Some(Irregular { start, end: line, unclosed: false });
        }
        let shown = &text[..text.len().min(from + self.reach(MAX_RECORD))];
        let whole = match self.read(shown, from, dialect) {
            End::At(end) if text[end - 1] == dialect.eol || (at_end && end == text.len()) => Some(end),
            _ => None,
        };
        if let Some(end) = whole
            && clean::is_beyond_doubt(text, &self.fields, layout)
        {
            return Some(Irregular { start, end, unclosed: false });
        }
        // The quote may well be closed further on. Half a block is enough to judge by, so that every
        // cut gets on by the other half.
        if whole.is_none() && !at_end && text.len() - start < BLOCK / 2 {
            return None;
        }
        let resumes = self.resumes(text, line, whole.unwrap_or(text.len()), layout, at_end);
        Some(match (whole, resumes) {
            (Some(end), None) => Irregular { start, end, unclosed: false },
            (_, Some(end)) => Irregular { start, end, unclosed: true },
            (None, None) if at_end && self.tried.upto >= text.len() => {
                Irregular { start, end: text.len(), unclosed: true }
            }
            (None, None) => Irregular { start, end: line, unclosed: true },
        })
    }

    /// The first line from `line` on, and before `end`, at which a record or a header begins without doubt.
    fn resumes(
        &mut self,
        text: &[u8],
        line: usize,
        end: usize,
        layout: &Layout,
        at_end: bool,
    ) -> Option<usize> {
        if !(self.tried.from..=self.tried.upto).contains(&line) {
            self.tried = Tried { from: line, upto: line, clean: Vec::new() };
        }
        let known = self.tried.clean.partition_point(|&clean| clean < line);
        if let Some(&clean) = self.tried.clean.get(known) {
            return (clean < end).then_some(clean);
        }
        for _ in 0..LINES_TRIED {
            let at = self.tried.upto;
            if at >= end {
                return None;
            }
            let length = memchr(layout.dialect.eol, &text[at..]);
            self.tried.upto = length.map_or(text.len(), |length| at + length + 1);
            if self.begins_cleanly(text, at, layout, at_end) {
                self.tried.clean.push(at);
                return Some(at);
            }
        }
        None
    }

    /// Whether the line at `at` is a header, or a whole record reads cleanly from it.
    fn begins_cleanly(&mut self, text: &[u8], at: usize, layout: &Layout, at_end: bool) -> bool {
        let eol = layout.dialect.eol;
        let is_own =
            layout.header.as_ref().is_some_and(|own| is_line(bare(&text[at..]), own.as_bytes(), eol));
        if is_own || is_other_header(&text[at..], layout) {
            return true;
        }
        let shown = &text[..text.len().min(at + self.reach(NEIGHBOUR))];
        let ended = |end: usize| text[end - 1] == eol || (at_end && end == text.len());
        matches!(self.read(shown, at, layout.dialect), End::At(end) if end > at && ended(end))
            && clean::reads_cleanly(text, &self.fields, layout)
    }

    /// [`read_record`], with its bytes counted.
    fn read(&mut self, text: &[u8], from: usize, dialect: Dialect) -> End {
        let end = read_record(text, from, dialect, &mut self.fields);
        self.judged += match end {
            End::At(end) => end - from.min(end),
            End::Open => text.len() - from.min(text.len()),
        };
        end
    }

    /// How far a reading may go.
    fn reach(&self, wanted: usize) -> usize {
        if self.judged < JUDGING { wanted } else { wanted.min(SHORT) }
    }
}

/// The records of regular text, as they are found.
struct Found<'a> {
    text: &'a [u8],
    /// Where the scan began.
    from: usize,
    layout: &'a Layout,
    tracker: QuoteTracker,
    /// Where the last record begins.
    record: usize,
    /// What ends the regular text.
    stopped: Option<Reached>,
}

impl Found<'_> {
    /// Takes the next record's start in; whether the text goes on regularly.
    #[inline(always)]
    fn next(&mut self, record: usize) -> bool {
        self.record = record;
        // Nearly every line begins with a digit, as no header does.
        let may_be = !self.text.get(record).is_some_and(u8::is_ascii_digit);
        if may_be && is_other_header(&self.text[record..], self.layout) {
            self.stopped = Some(Reached::Header(record));
        }
        self.stopped.is_none()
    }
}

impl Eye for Found<'_> {
    #[inline(always)]
    fn see(&mut self, at: usize, masks: Masks) -> bool {
        let quoting = match self.layout.dialect.quotes {
            Quotes::Device => self.tracker.step(&masks),
            Quotes::Whole => Quoting::NONE,
        };
        let mut ends = masks.eol & !quoting.inside & below_lowest(quoting.irregular);
        while ends != 0 {
            if !self.next(self.from + at + ends.trailing_zeros() as usize + 1) {
                return false;
            }
            ends &= ends - 1;
        }
        if quoting.irregular != 0 {
            self.stopped = Some(Reached::Irregular(self.record));
        }
        quoting.irregular == 0
    }
}

/// The same, with the lines themselves.
struct Counted<'a> {
    found: Found<'a>,
    lines: Vec<Line>,
    /// Fields of the open line so far, the open one not counted.
    fields: u32,
    /// They cannot be counted so.
    is_doubtful: bool,
}

impl Eye for Counted<'_> {
    #[inline(always)]
    fn see(&mut self, at: usize, masks: Masks) -> bool {
        let mut quoting = self.found.tracker.step(&masks);
        // Where quotes may stand anywhere, and no line end is within them, the lines with irregular ones are left to
        // the careful reader, and the counting begins anew.
        let is_doubtful = quoting.irregular != 0 && self.found.layout.dialect.quotes == Quotes::Whole;
        if is_doubtful {
            (self.found.tracker, self.is_doubtful, quoting) = (QuoteTracker::default(), true, Quoting::NONE);
        }
        let mut separators = (masks.delimiter | masks.eol) & !quoting.inside;
        let mut ends = masks.eol & !quoting.inside & below_lowest(quoting.irregular);
        while ends != 0 {
            // All separators up to the line end, itself included.
            let of_line = ends ^ (ends - 1);
            let fields = self.fields + (separators & of_line).count_ones();
            let end = self.found.from + at + ends.trailing_zeros() as usize + 1;
            self.lines.push(Line { end: end as u32, fields: if self.is_doubtful { 0 } else { fields } });
            (separators, ends) = (separators & !of_line, ends & !of_line);
            (self.fields, self.is_doubtful) = (0, is_doubtful);
            if !self.found.next(end) {
                return false;
            }
        }
        self.fields += separators.count_ones();
        if quoting.irregular != 0 {
            self.found.stopped = Some(Reached::Irregular(self.found.record));
        }
        quoting.irregular == 0
    }
}

/// How much of the text belongs to a line that is too long; its line end does.
pub fn skip(text: &[u8], layout: &Layout) -> Skip {
    match memchr(layout.dialect.eol, text) {
        Some(length) => Skip { passed: length + 1, ended: true },
        None => Skip { passed: text.len(), ended: false },
    }
}

/// All bits below the lowest one set; all bits where none is.
fn below_lowest(bits: u64) -> u64 {
    if bits == 0 { !0 } else { (1 << bits.trailing_zeros()) - 1 }
}

/// Whether the line at the front of `text` is a header of the format, but not the one in force to
/// the byte. Data begins with a number or a date nearly everywhere, so this mostly looks at one
/// byte; a first field that no table knows begins no header.
#[inline(never)]
fn is_other_header(text: &[u8], layout: &Layout) -> bool {
    let line = bare(text);
    let bare = line.strip_prefix(b"\"").unwrap_or(line);
    if !bare.first().is_some_and(|byte| byte.is_ascii_alphabetic()) {
        return false;
    }
    let dialect = layout.dialect;
    let is_end = |byte: &u8| match line.first() {
        Some(b'"') => *byte == b'"',
        _ => [dialect.delimiter, dialect.eol].contains(byte),
    };
    let end = bare.iter().position(is_end);
    let name = end.and_then(|end| std::str::from_utf8(&bare[..end]).ok());
    let known = name.is_some_and(|name| layout.format.field(&normalise(name)).is_some());
    let own = layout.header.as_ref().is_some_and(|own| is_line(text, own.as_bytes(), dialect.eol));
    let begins = |names: &[String]| names[0].starts_with(|first: char| first.is_ascii_alphabetic());
    let is_header = |names: Vec<String>| begins(&names) && layout.format.is_header(&names);
    known && !own && header_names(text, dialect).is_some_and(is_header)
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
