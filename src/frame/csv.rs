//! CSV lines → spans.
//!
//! Nearly every record is regular: its separators are found 64 at a time and its spans written in
//! one pass ([`Framer::run`]). Whatever is not (a wrong number of fields, irregular quotes, NULs,
//! bytes that are no UTF-8) goes record by record through the careful reader
//! ([`Framer::careful`]), which is also what the fast way is held against.

use std::sync::Arc;

use encoding_rs::Encoding;
use memchr::{memchr, memchr_iter};

use super::sieve::{Seen, Sieve};
use super::{Checked, Counts, Lines, Place, Reason, Records, Reject, Span, clean, kept, shared, spare};
use crate::csv::{Dialect, End, Field, Form, MAX_FIELDS, QuoteTracker, read_record};
use crate::format::{Fit, Layout};
use crate::split::csv::{bare, is_line};
use crate::split::{Irregular, Line, MAX_RECORD};
use crate::structure::{self, Eye, Masks};

/// How much of a text tells about how many lines it has.
const SAMPLE: usize = 1 << 14;

/// Rows for which room is made at a time.
const MORE_ROWS: usize = 64;

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
    let first = &text[..text.len().min(SAMPLE)];
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
    /// Bytes at which a line may begin that is no plain record: a NUL, a blank, a byte order mark's, the header's first.
    suspicious: [bool; 256],
    /// Those of the records so far; behind them stand some that mean nothing, or none.
    spans: Vec<Span>,
    places: Vec<Place>,
    rejects: Vec<Reject>,
    counts: Counts,
    /// Values that had to be rewritten; they go behind the text.
    rewritten: Vec<u8>,
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

/// Regular records, framed as their structure is seen.
struct Run<'f, 'a> {
    framer: &'f mut Framer<'a>,
    from: usize,
    tracker: QuoteTracker,
    open: Open,
}

impl Eye for Run<'_, '_> {
    #[inline(always)]
    fn see(&mut self, at: usize, masks: Masks) -> bool {
        self.step(self.from + at, masks).is_some()
    }
}

impl Run<'_, '_> {
    /// Frames what ends in 64 bytes, the first of them at `base`; nothing where the open record has to be read
    /// carefully.
    #[inline(always)]
    fn step(&mut self, base: usize, masks: Masks) -> Option<()> {
        let Run { framer, tracker, open, .. } = self;
        let quoting = tracker.step(&masks);
        if quoting.irregular != 0 {
            return None;
        }
        let (mut delimiters, mut ends) = (masks.delimiter & !quoting.inside, masks.eol);
        loop {
            // Those up to the first line end, or all.
            let line = delimiters & (ends ^ ends.wrapping_sub(1));
            delimiters ^= line;
            // Of the fields that end here all but the open one begin here, too. A loop for each case: most have no
            // quotes.
            if masks.quote != 0 || framer.text.get(open.field) == Some(&b'"') {
                framer.fields(open, base, line, true)?;
            } else {
                framer.fields(open, base, line, false)?;
            }
            if ends == 0 {
                // No record has so many: no room for more.
                return (open.next - open.row <= MAX_FIELDS).then_some(());
            }
            let stop = base + ends.trailing_zeros() as usize;
            ends &= ends - 1;
            framer.line_end(open, stop)?;
        }
    }
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
        for byte in [0, b' ', b'\t', b'\r', b'\n', b'\x0c', b'\xef'].into_iter().chain(first_of_header) {
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
            fields: Vec::new(),
            counted: Lines::default(),
            sieve,
            lines,
            seen: Seen::default(),
        }
    }

    /// Frames the records from `at` to `end`, all of them regular to the splitter.
    fn regular(&mut self, mut at: usize, end: usize) {
        while at < end {
            let read = match (self.sieve, self.valid) {
                (Some(sieve), Some(text)) if self.seen.pays() && !self.lines.is_empty() => {
                    self.sieved(at, end, sieve, text)
                }
                _ => self.run(at, end),
            };
            at = match read {
                // The record is irregular after all, or the text's last one and without a line end: the
                // careful reader finds its end.
                Err(record) => self.one(record, end),
                Ok(next) => next,
            };
        }
    }

    /// Frames whole records from `from` on, in one pass; comes back with where the next record begins, or with the
    /// record that has to be read carefully.
    fn run(&mut self, from: usize, end: usize) -> Result<usize, usize> {
        let (text, Dialect { delimiter, eol, .. }) = (self.text, self.layout.dialect);
        let row = self.places.len() * self.layout.slots();
        let open = Open { record: from, field: from, row, next: row };
        let mut run = Run { framer: self, from, tracker: QuoteTracker::default(), open };
        let is_regular = structure::each(&text[from..end], delimiter, eol, &mut run);
        let record = run.open.record;
        if is_regular && record > from { Ok(record) } else { Err(record) }
    }

    /// Room for so many spans, all told: a line may have more fields than there are slots.
    #[inline(always)]
    fn make_room(&mut self, spans: usize) {
        if self.spans.len() < spans {
            self.make_more_room(spans);
        }
    }

    #[cold]
    fn make_more_room(&mut self, spans: usize) {
        self.spans.resize(spans + MORE_ROWS * self.layout.slots(), Span::default());
    }

    /// Writes the spans of the fields that end where bits are set, bit 0 being the byte at `base`. One of them may be
    /// quoted where that is said.
    #[inline(always)]
    fn fields(&mut self, open: &mut Open, base: usize, mut ends: u64, may_be_quoted: bool) -> Option<()> {
        let count = ends.count_ones() as usize;
        self.make_room(open.next + count + self.layout.slots());
        let (text, mut field, mut quoted) = (self.text, open.field, 0u64);
        for (at, span) in self.spans[open.next..][..count].iter_mut().enumerate() {
            let stop = base + ends.trailing_zeros() as usize;
            ends &= ends.wrapping_sub(1);
            *span = Span::new(field, stop);
            if may_be_quoted {
                quoted |= u64::from(text[field] == b'"') << at;
            }
            field = stop + 1;
        }
        open.field = field;
        while quoted != 0 {
            self.unquote(open.next + quoted.trailing_zeros() as usize)?;
            quoted &= quoted - 1;
        }
        open.next += count;
        Some(())
    }

    /// Takes the quotes off a field.
    fn unquote(&mut self, at: usize) -> Option<()> {
        let Span { start, len } = self.spans[at];
        self.spans[at] = self.span(start as usize, (start + len) as usize)?;
        Some(())
    }

    /// Ends the record whose line ends at `stop`.
    #[inline(always)]
    fn line_end(&mut self, open: &mut Open, stop: usize) -> Option<()> {
        let (text, slots, expected) = (self.text, self.layout.slots(), self.layout.expected);
        let end = if stop > open.field { stop - usize::from(text[stop - 1] == b'\r') } else { stop };
        self.spans[open.next] = Span::new(open.field, end);
        if text[open.field] == b'"' {
            self.unquote(open.next)?;
        }
        open.next += 1;
        self.counts.lines += 1;
        if open.next - open.row == expected && self.is_plain(open.record, stop) {
            self.accept(open.record, end);
            self.make_room(open.row + slots);
            self.spans[open.next..open.row + slots].fill(Span::default());
            open.row += slots;
        } else {
            self.careful(open.record, stop + 1, false);
            open.row = self.places.len() * slots;
        }
        (open.record, open.field, open.next) = (stop + 1, stop + 1, open.row);
        Some(())
    }

    /// Frames those of the regular lines from `at` to `end` that pass the sieve; the others are counted. Comes back as
    /// [`Framer::run`].
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
        stop - record <= MAX_RECORD
            && !self.suspicious[self.text[record] as usize]
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
        let line = bare(whole);
        self.counts.nul_runs += u64::from(whole.starts_with(b"\0"));
        let eol = self.layout.dialect.eol;
        if line.iter().all(u8::is_ascii_whitespace) {
            return;
        }
        if self.layout.header.as_ref().is_some_and(|header| is_line(line, header.as_bytes(), eol)) {
            self.counts.repeated_headers += 1;
            return;
        }
        let start = start + whole.len() - line.len();
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
            around: None,
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
