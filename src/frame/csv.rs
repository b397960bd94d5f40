//! CSV lines → spans.
//!
//! Nearly every record is regular: its separators are found 64 at a time and its spans written in
//! one pass ([`Framer::regular`]). Whatever is not (a wrong number of fields, irregular quotes, NULs,
//! bytes that are no UTF-8) goes record by record through the careful reader
//! ([`Framer::careful`]), which is also what the fast way is held against.

use std::sync::Arc;

use encoding_rs::Encoding;
use memchr::{memchr, memchr_iter};

use super::sieve::{Seen, Sieve};
use super::{Checked, Counts, Lines, Place, Reason, Records, Reject, Span, clean, kept, shared, spare};
use crate::csv::{Dialect, End, Field, Form, MAX_FIELDS, QuoteTracker, read_record};
use crate::format::{Fit, Layout};
use crate::split::csv::is_line;
use crate::split::{Irregular, Line, MAX_RECORD};
use crate::structure::{self, Masks, STEP};

/// Bytes that are looked at for structure at a time: small enough that the masks stay in the
/// nearest cache.
const WINDOW: usize = 1 << 14;

/// Frames the records of a block. `encoding` reads the records that are not UTF-8.
pub fn frame(
    text: Vec<u8>,
    irregular: &[Irregular],
    offset: u64,
    layout: Arc<Layout>,
    encoding: Option<&'static Encoding>,
) -> Records {
    sieved(text, irregular, offset, layout, encoding, None)
}

/// The same, of the records that pass the sieve, where there is one, with the regular lines. What is no such line
/// passes.
pub fn sieved(
    text: Vec<u8>,
    irregular: &[Irregular],
    offset: u64,
    layout: Arc<Layout>,
    encoding: Option<&'static Encoding>,
    sieve: Option<(&Sieve<'_>, &[Line])>,
) -> Records {
    let text = Checked::new(text);
    let (bytes, valid) = (text.bytes(), text.valid());
    let mut framer = Framer::new(bytes, valid, offset, &layout, encoding, sieve);
    let mut at = 0;
    for record in irregular {
        framer.regular(at, record.start);
        framer.count_lines(record.start, record.end);
        framer.careful(record.start, record.end, record.unclosed);
        at = record.end;
    }
    framer.regular(at, bytes.len());
    let Framer { mut spans, places, rejects, counts, rewritten, .. } = framer;
    spans.truncate(places.len() * layout.slots());
    let text_bytes = bytes.len() as u64;
    let (arena, original) = text.into_arena(&rewritten);
    let strays = Vec::new();
    Records { offset, layout, text_bytes, arena, original, spans, strays, places, rejects, counts }
}

/// How many lines a text has, by its first ones, and some more.
fn about_lines(text: &[u8], eol: u8) -> usize {
    let first = &text[..text.len().min(WINDOW)];
    let lines = memchr_iter(eol, first).count() + 1;
    lines * text.len().div_ceil(first.len().max(1)) * 17 / 16 + 1
}

struct Framer<'a> {
    text: &'a [u8],
    offset: u64,
    layout: &'a Layout,
    encoding: Option<&'static Encoding>,
    /// The whole text, if it is UTF-8; else every record is checked by itself.
    valid: Option<&'a str>,
    /// Bytes at which a line may begin that is no plain record: a NUL, a blank, the header's first.
    suspicious: [bool; 256],
    /// Those of the records so far; behind them stand some that mean nothing, or none.
    spans: Vec<Span>,
    places: Vec<Place>,
    rejects: Vec<Reject>,
    counts: Counts,
    /// Values that had to be rewritten; they go behind the text.
    rewritten: Vec<u8>,
    masks: Vec<Masks>,
    fields: Vec<Field>,
    /// Line ends before that byte, for the rejects' lines.
    counted: Lines,
    sieve: Option<&'a Sieve<'a>>,
    /// The regular lines from here on.
    lines: &'a [Line],
    seen: Seen,
}

/// What is framed of the open record.
struct Open {
    /// Where it begins, and where its open field does.
    record: usize,
    field: usize,
    /// Where its spans begin among all, and where that of the open field will stand.
    row: usize,
    next: usize,
}

impl<'a> Framer<'a> {
    fn new(
        text: &'a [u8],
        valid: Option<&'a str>,
        offset: u64,
        layout: &'a Layout,
        encoding: Option<&'static Encoding>,
        sieve: Option<(&'a Sieve<'a>, &'a [Line])>,
    ) -> Self {
        let mut suspicious = [false; 256];
        let first_of_header = layout.header.as_ref().and_then(|header| header.bytes().next());
        for byte in [0, b' ', b'\t', b'\r', b'\n', b'\x0c'].into_iter().chain(first_of_header) {
            suspicious[byte as usize] = true;
        }
        let room = if sieve.is_some() { 0 } else { about_lines(text, layout.dialect.eol) };
        let (sieve, lines) = sieve.map_or((None, &[][..]), |(sieve, lines)| (Some(sieve), lines));
        Framer {
            text,
            offset,
            layout,
            encoding,
            valid,
            suspicious,
            spans: spare::take(),
            places: Vec::with_capacity(room),
            rejects: Vec::new(),
            counts: Counts::default(),
            rewritten: Vec::new(),
            masks: Vec::new(),
            fields: Vec::new(),
            counted: Lines::default(),
            sieve,
            lines,
            seen: Seen::default(),
        }
    }

    /// Frames the records from `at` to `end`, all of them regular to the splitter.
    fn regular(&mut self, mut at: usize, end: usize) {
        let Dialect { delimiter, eol, .. } = self.layout.dialect;
        while at < end {
            let read = match (self.sieve, self.valid) {
                (Some(sieve), Some(text)) if self.seen.pays() && !self.lines.is_empty() => {
                    self.sieved(at, end, sieve, text)
                }
                _ => {
                    let mut masks = std::mem::take(&mut self.masks);
                    structure::scan(&self.text[at..end.min(at + WINDOW)], delimiter, eol, &mut masks);
                    let read = self.window(at, &masks);
                    self.masks = masks;
                    read
                }
            };
            at = match read {
                // The record is irregular after all, longer than the window, or the text's last
                // one and without a line end: the careful reader finds its end.
                Err(record) => self.one(record, end),
                Ok(next) => next,
            };
        }
    }

    /// Frames whole records from the masks of the text at `from`; comes back with where the next
    /// record begins, or with the record that has to be read carefully.
    fn window(&mut self, from: usize, masks: &[Masks]) -> Result<usize, usize> {
        let (slots, text) = (self.layout.slots(), self.text);
        let mut tracker = QuoteTracker::default();
        let lines: u32 = masks.iter().map(|masks| masks.eol.count_ones()).sum();
        let mut open = Open { record: from, field: from, row: self.places.len() * slots, next: 0 };
        open.next = open.row;
        self.make_room(&open, (lines as usize + 1) * slots);
        for (step, masks) in masks.iter().enumerate() {
            let quoting = tracker.step(masks);
            if quoting.irregular != 0 {
                return Err(open.record);
            }
            let base = from + step * STEP;
            let (mut delimiters, mut ends) = (masks.delimiter & !quoting.inside, masks.eol);
            loop {
                // Those up to the first line end, or all.
                let line = delimiters & (ends ^ ends.wrapping_sub(1));
                delimiters ^= line;
                self.fields(&mut open, text, base, line)?;
                if ends == 0 {
                    break;
                }
                let stop = base + ends.trailing_zeros() as usize;
                ends &= ends - 1;
                self.line_end(&mut open, text, stop)?;
            }
        }
        if open.record == from { Err(from) } else { Ok(open.record) }
    }

    /// Room for so many more spans: a line may have more fields than there are slots.
    #[inline]
    fn make_room(&mut self, open: &Open, more: usize) {
        if self.spans.len() < open.next + more {
            self.spans.resize(open.next + more, Span::default());
        }
    }

    /// Writes the spans of the fields that end where bits are set, bit 0 being the byte at `base`; an error is the
    /// record that has to be read carefully.
    #[inline(always)]
    fn fields(&mut self, open: &mut Open, text: &[u8], base: usize, mut ends: u64) -> Result<(), usize> {
        let count = ends.count_ones() as usize;
        self.make_room(open, count + self.layout.slots());
        let (mut field, mut quoted) = (open.field, 0u64);
        for (at, span) in self.spans[open.next..][..count].iter_mut().enumerate() {
            let stop = base + ends.trailing_zeros() as usize;
            ends &= ends.wrapping_sub(1);
            *span = Span::new(field, stop);
            quoted |= u64::from(text[field] == b'"') << at;
            field = stop + 1;
        }
        open.field = field;
        while quoted != 0 {
            self.unquote(open.next + quoted.trailing_zeros() as usize, open)?;
            quoted &= quoted - 1;
        }
        open.next += count;
        Ok(())
    }

    /// Takes the quotes off a field.
    fn unquote(&mut self, at: usize, open: &Open) -> Result<(), usize> {
        let Span { start, len } = self.spans[at];
        match self.span(start as usize, (start + len) as usize) {
            Some(span) => self.spans[at] = span,
            None => return Err(open.record),
        }
        Ok(())
    }

    /// Ends the record whose line ends at `stop`.
    #[inline(always)]
    fn line_end(&mut self, open: &mut Open, text: &[u8], stop: usize) -> Result<(), usize> {
        let (slots, expected) = (self.layout.slots(), self.layout.expected);
        let end = if stop > open.field { stop - usize::from(text[stop - 1] == b'\r') } else { stop };
        self.spans[open.next] = Span::new(open.field, end);
        if text[open.field] == b'"' {
            self.unquote(open.next, open)?;
        }
        open.next += 1;
        self.counts.lines += 1;
        if open.next - open.row == expected && self.is_plain(open.record, stop) {
            self.accept(open.record, end);
            self.make_room(open, slots - expected);
            self.spans[open.next..open.row + slots].fill(Span::default());
            open.row += slots;
        } else {
            self.careful(open.record, stop + 1, false);
            open.row = self.places.len() * slots;
        }
        (open.record, open.field, open.next) = (stop + 1, stop + 1, open.row);
        Ok(())
    }

    /// Frames those of the regular lines from `at` to `end` that pass the sieve; the others are counted. Comes back as
    /// [`Framer::window`].
    fn sieved(&mut self, at: usize, end: usize, sieve: &Sieve<'_>, text: &str) -> Result<usize, usize> {
        let mut record = at;
        while let Some((line, rest)) = self.lines.split_first()
            && line.end as usize <= end
            && self.seen.pays()
        {
            self.lines = rest;
            // Those before were read otherwise.
            if line.end as usize > record {
                self.sift(record, *line, sieve, text);
                record = line.end as usize;
            }
        }
        if record == at { Err(record) } else { Ok(record) }
    }

    /// Frames the line that begins at `record` if it passes the sieve, and else counts it.
    #[inline]
    fn sift(&mut self, record: usize, line: Line, sieve: &Sieve<'_>, text: &str) {
        let end = line.end as usize;
        if line.fields as usize != self.layout.expected || !self.is_plain(record, end - 1) {
            self.counts.lines += 1;
            self.careful(record, end, false);
            return;
        }
        self.seen.tested += 1;
        if sieve.passes(text, record, self.layout.dialect) {
            self.seen.passed += 1;
            self.whole(record, end);
        } else {
            self.counts.lines += 1;
            self.counts.records += 1;
            self.counts.sieved += 1;
        }
    }

    /// Frames one record that is known to be regular and whole.
    fn whole(&mut self, record: usize, next: usize) {
        let sieve = self.sieve.take();
        self.regular(record, next);
        self.sieve = sieve;
    }

    /// The span of the field from `start` to `end`, or nothing where only the careful reader can tell.
    fn span(&mut self, start: usize, end: usize) -> Option<Span> {
        let text = &self.text[start..end];
        if text.first() != Some(&b'"') {
            return Some(Span::new(start, end));
        }
        let whole = text.len() >= 2 && text[text.len() - 1] == b'"';
        if !whole {
            // Verbatim, for a producer that writes so.
            return (self.layout.dialect.quotes == crate::csv::Quotes::Device).then(|| Span::new(start, end));
        }
        let inner = &text[1..text.len() - 1];
        let Some(first) = memchr(b'"', inner) else { return Some(Span::new(start + 1, end - 1)) };
        let start = self.rewritten.len();
        undouble_all(inner, first, &mut self.rewritten)
            .then(|| Span::new(self.text.len() + start, self.text.len() + self.rewritten.len()))
    }

    /// Keeps a value that does not stand in the text as it is.
    fn rewrite(&mut self, value: &[u8]) -> Span {
        let start = self.text.len() + self.rewritten.len();
        self.rewritten.extend_from_slice(value);
        Span::new(start, start + value.len())
    }

    /// Whether the line from `record` to `stop` is a record and nothing else.
    fn is_plain(&self, record: usize, stop: usize) -> bool {
        !self.suspicious[self.text[record] as usize]
            && (self.valid.is_some() || std::str::from_utf8(&self.text[record..stop]).is_ok())
    }

    fn accept(&mut self, start: usize, end: usize) {
        let number = self.counts.records as u32;
        self.places.push(Place { start: start as u32, len: (end - start) as u32, number });
        self.counts.records += 1;
    }

    /// Finds the end of the record at `record`, which the splitter found whole, and reads it carefully.
    fn one(&mut self, record: usize, end: usize) -> usize {
        let mut fields = std::mem::take(&mut self.fields);
        let next = match read_record(&self.text[..end], record, self.layout.dialect, &mut fields) {
            End::At(next) => next,
            End::Open => end,
        };
        self.fields = fields;
        self.count_lines(record, next);
        self.careful(record, next, false);
        next
    }

    /// Counts the line ends of a record that was not found by them. Those of a regular one are its own.
    fn count_lines(&mut self, start: usize, end: usize) {
        self.counts.lines += memchr_iter(self.layout.dialect.eol, &self.text[start..end]).count() as u64;
    }

    /// The careful way for the record from `start` to `end`, line end included.
    fn careful(&mut self, start: usize, end: usize, unclosed: bool) {
        let whole = without_line_end(&self.text[start..end], self.layout.dialect);
        let nuls = whole.iter().take_while(|&&byte| byte == 0).count();
        let line = &whole[nuls..];
        if nuls > 0 {
            self.counts.nul_runs += 1;
        }
        let eol = self.layout.dialect.eol;
        if line.iter().all(u8::is_ascii_whitespace) {
            return;
        }
        if self.layout.header.as_ref().is_some_and(|header| is_line(line, header.as_bytes(), eol)) {
            self.counts.repeated_headers += 1;
            return;
        }
        let start = start + nuls;
        match self.read_carefully(start, start + line.len(), end, unclosed) {
            Ok(()) => self.accept(start, start + line.len()),
            Err((reason, message)) => self.reject(start, start + line.len(), reason, message),
        }
    }

    /// Writes the spans of a record, whose line end goes up to `next`, or says why it is rejected.
    fn read_carefully(
        &mut self,
        start: usize,
        end: usize,
        next: usize,
        unclosed: bool,
    ) -> Result<(), (Reason, String)> {
        let raw = &self.text[start..end];
        if raw.len() > MAX_RECORD {
            return Err((Reason::TooLarge, format!("{} bytes in one record", raw.len())));
        }
        if unclosed {
            return Err((Reason::UnclosedQuote, "a quote is opened and never closed".to_string()));
        }
        if self.valid.is_some() || std::str::from_utf8(raw).is_ok() {
            return self.read_text(self.text, start, next, 0);
        }
        let Some(encoding) = self.encoding else {
            return Err((Reason::InvalidUtf8, "not UTF-8; --encoding names what it is".to_string()));
        };
        let decoded = encoding.decode_without_bom_handling_and_without_replacement(&self.text[start..next]);
        let Some(decoded) = decoded else {
            return Err((Reason::InvalidUtf8, format!("neither UTF-8 nor {}", encoding.name())));
        };
        let shift = self.rewrite(decoded.as_bytes()).start as usize;
        self.read_text(decoded.as_bytes(), 0, decoded.len(), shift)
    }

    /// Reads the record from `start` to `end` of `text`, which stands at `shift` in the arena.
    fn read_text(
        &mut self,
        text: &[u8],
        start: usize,
        end: usize,
        shift: usize,
    ) -> Result<(), (Reason, String)> {
        let mut fields = std::mem::take(&mut self.fields);
        let text = &text[..end];
        let outcome = match read_record(text, start, self.layout.dialect, &mut fields) {
            End::Open => Err((Reason::UnclosedQuote, "a quote is opened and never closed".to_string())),
            End::At(_) if fields.len() > MAX_FIELDS => {
                Err((Reason::FieldCount, format!("more than {MAX_FIELDS} fields")))
            }
            End::At(_) => self.place_fields(text, &fields, shift),
        };
        self.fields = fields;
        outcome
    }

    fn place_fields(&mut self, text: &[u8], fields: &[Field], shift: usize) -> Result<(), (Reason, String)> {
        let row = self.places.len() * self.layout.slots();
        self.spans.truncate(row);
        if fields.len() == self.layout.expected {
            for field in fields {
                let span = self.careful_span(text, field, shift);
                self.spans.push(span);
            }
        } else {
            let ranges = match clean::fit(text, fields, self.layout) {
                Fit::Regular(ranges) => ranges,
                Fit::Repaired(ranges) => {
                    self.counts.repaired += 1;
                    ranges
                }
                Fit::No(message) => return Err((Reason::FieldCount, message)),
            };
            for range in ranges {
                let span = match &fields[range] {
                    [] => Span::default(),
                    [field] => self.careful_span(text, field, shift),
                    [first, .., last] => Span::new(first.outer().0 + shift, last.outer().1 + shift),
                };
                self.spans.push(span);
            }
        }
        self.spans.resize(row + self.layout.slots(), Span::default());
        Ok(())
    }

    fn careful_span(&mut self, text: &[u8], field: &Field, shift: usize) -> Span {
        match field.form {
            Form::AsIs | Form::Quoted => Span::new(field.start + shift, field.end + shift),
            Form::Doubled => self.rewrite(&field.value(text)),
        }
    }

    fn reject(&mut self, start: usize, end: usize, reason: Reason, message: String) {
        let line = self.counted.before(self.text, start, self.layout.dialect.eol);
        let raw = &self.text[start..end];
        self.rejects.push(Reject {
            number: self.counts.records,
            line,
            offset: self.offset + start as u64,
            length: raw.len() as u64,
            reason,
            field: None,
            message: shared(&message, self.rejects.last().map(|last| &last.message)),
            raw: kept(raw, reason),
        });
        self.counts.records += 1;
    }
}

/// Appends a value in which `""` becomes `"`, if every quote in it, the first of which is known, is one of a pair.
fn undouble_all(inner: &[u8], first: usize, value: &mut Vec<u8>) -> bool {
    let (begin, mut at, mut quote) = (value.len(), 0, Some(first));
    while let Some(next) = quote {
        if inner.get(next + 1) != Some(&b'"') {
            value.truncate(begin);
            return false;
        }
        value.extend_from_slice(&inner[at..=next]);
        at = next + 2;
        quote = memchr(b'"', &inner[at..]).map(|quote| at + quote);
    }
    value.extend_from_slice(&inner[at..]);
    true
}

/// A line without its line end.
fn without_line_end(line: &[u8], dialect: Dialect) -> &[u8] {
    match line {
        [line @ .., end] if *end == dialect.eol => match line {
            [line @ .., b'\r'] if dialect.eol == b'\n' => line,
            _ => line,
        },
        _ => line.strip_suffix(b"\r").unwrap_or(line),
    }
}
