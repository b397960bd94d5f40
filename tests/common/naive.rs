//! The slow twin of `split` and `frame`: a CSV dump read by the letter of the grammar, and nothing else.
//!
//! Byte by byte, the whole text in memory, one record after another, no blocks and no vectors. It
//! shares with the fast way only what is not about framing: the format's tables, its `fit` and the
//! reading of times. Used by `slow_twin.rs` and, through `#[path]`, by the fuzz targets.
//!
//! It has no limits where the fast way has them, so texts must stay below: 1024 lines, 1 MiB.

use std::ops::Range;
use std::sync::Arc;

use calltable::Options;
use calltable::format::detect::detect;
use calltable::format::layout::Take;
use calltable::format::{Fit, Layout, Misfit, normalise};
use calltable::stages::{Dialect, Dump, Field, Form, How, Quotes, Records, Step, block};
use calltable::time::{DateOrder, read_seconds, read_time};
use calltable::{Column, Error};

/// What both ways must agree on.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) rows: Vec<Row>,
    pub(crate) rejects: Vec<Rejected>,
    pub(crate) counts: Counts,
}

/// A record that was read: its number, its place, and the values of its slots.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) number: u64,
    pub(crate) offset: u64,
    pub(crate) length: u64,
    pub(crate) values: Vec<String>,
}

/// A record that was not.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Rejected {
    pub(crate) number: u64,
    pub(crate) line: u64,
    pub(crate) offset: u64,
    pub(crate) length: u64,
    pub(crate) reason: &'static str,
    pub(crate) raw: Vec<u8>,
}

#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) records: u64,
    pub(crate) repaired: u64,
    pub(crate) repeated_headers: u64,
    pub(crate) nul_runs: u64,
    pub(crate) lines: u64,
}

/// Both ways over one dump; panics where they differ, and says nothing of a text that is no dump.
pub(crate) fn compare(text: &[u8], options: &Options) {
    let (fast, slow) = (fast(text, options), slow(text, options));
    match (fast, slow) {
        (Ok(fast), Some(slow)) => {
            let shown = String::from_utf8_lossy(text);
            assert_eq!(fast.rows, slow.rows, "rows of {shown:?}");
            assert_eq!(fast.rejects, slow.rejects, "rejects of {shown:?}");
            assert_eq!(fast.counts, slow.counts, "counts of {shown:?}");
        }
        (Err(_), None) => {}
        (fast, slow) => panic!("one finds a dump, the other none: {fast:?} {slow:?}"),
    }
}

/// The text through `Dump`, its splitter, and `frame`.
pub(crate) fn fast(text: &[u8], options: &Options) -> Result<Outcome, Error> {
    let mut dump = Dump::new("text".into(), Arc::new(options.clone()), None, 0);
    dump.buffer().extend_from_slice(text);
    dump.end();
    let mut outcome = Outcome::default();
    loop {
        match dump.step()? {
            Step::Work(work) => {
                outcome.add(block(work.block, How { encoding: options.encoding, lenient: options.lenient }))
            }
            Step::Done => return Ok(outcome),
            Step::Survey => dump.surveyed(None)?,
            Step::Need(_) => panic!("all bytes were given"),
        }
    }
}

impl Outcome {
    fn add(&mut self, records: Records) {
        let before = &self.counts;
        for (at, place) in records.places.iter().enumerate() {
            self.rows.push(Row {
                number: before.records + u64::from(place.number),
                offset: records.offset + u64::from(place.start),
                length: place.len.into(),
                values: (0..records.layout.slots())
                    .map(|slot| String::from_utf8_lossy(records.value(at, slot)).into_owned())
                    .collect(),
            });
        }
        for reject in &records.rejects {
            self.rejects.push(Rejected {
                number: before.records + reject.number,
                line: before.lines + reject.line + 1,
                offset: reject.offset,
                length: reject.length,
                reason: reject.reason.name(),
                raw: reject.raw.clone(),
            });
        }
        self.counts.records += records.counts.records;
        self.counts.repaired += records.counts.repaired;
        self.counts.repeated_headers += records.counts.repeated_headers;
        self.counts.nul_runs += records.counts.nul_runs;
        self.counts.lines += records.counts.lines;
    }
}

/// The text by the letter; nothing where it is no dump, or lines stand above its header.
pub(crate) fn slow(text: &[u8], options: &Options) -> Option<Outcome> {
    if text.iter().all(u8::is_ascii_whitespace) {
        return Some(Outcome::default());
    }
    let detected = detect(text, options.format, options.encoding).ok()?;
    assert!(detected.above.is_empty(), "texts with titles are tested elsewhere");
    let layout = detected.layout;
    let lines = count(text, layout.dialect.eol);
    let counts = Counts { lines, ..Counts::default() };
    let mut naive = Naive { text, layout, options, outcome: Outcome { counts, ..Outcome::default() } };
    let mut at = detected.body;
    while at < text.len() {
        at = naive.record(at);
    }
    Some(naive.outcome)
}

struct Naive<'a> {
    text: &'a [u8],
    layout: Arc<Layout>,
    options: &'a Options,
    outcome: Outcome,
}

impl Naive<'_> {
    fn dialect(&self) -> Dialect {
        self.layout.dialect
    }

    /// Reads what stands at `at`; comes back with where the next thing stands.
    fn record(&mut self, at: usize) -> usize {
        let start = at + before_line(&self.text[at..]);
        let line_end = self.line_end(at);
        if let Some(names) = self.header(start) {
            let line = &self.text[start..line_end];
            let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line).trim_ascii_end();
            let header = Some(String::from_utf8_lossy(line).into_owned());
            self.layout = Arc::new(Layout::new(self.layout.format, self.dialect(), &names, header));
            self.outcome.counts.repeated_headers += 1;
            return line_end;
        }
        let (end, unclosed) = self.end(start, line_end);
        self.outcome.counts.nul_runs += u64::from(self.text[at] == 0);
        self.take(start, end, unclosed);
        end
    }

    /// Where the record at `start` ends, and whether that is because a quote was never closed.
    fn end(&self, start: usize, line_end: usize) -> (usize, bool) {
        let own = read(self.text, start, self.dialect());
        if own.as_ref().is_some_and(|(_, end)| *end <= line_end) {
            return (line_end, false);
        }
        // The record crosses its line.
        if let Some((fields, end)) = &own
            && self.is_beyond_doubt(fields)
        {
            return (*end, false);
        }
        let before = own.as_ref().map_or(self.text.len(), |(_, end)| *end);
        let mut line = line_end;
        while line < before {
            let is_record =
                read(self.text, line, self.dialect()).is_some_and(|(fields, _)| self.is_clean(&fields));
            if is_record || self.header(line + before_line(&self.text[line..])).is_some() {
                return (line, true);
            }
            line = self.line_end(line);
        }
        (before, own.is_none())
    }

    /// Whether a record has a shape that only a record has.
    fn is_clean(&self, fields: &[Field]) -> bool {
        if fields.len() < 2 {
            return false;
        }
        let one_each: Vec<Range<usize>> = (0..self.layout.slots()).map(|at| at..at + 1).collect();
        let ranges = match fields.len() == self.layout.expected {
            true => one_each,
            false => match self.fit(self.text, fields) {
                Fit::Regular(ranges) | Fit::Repaired(ranges) => ranges,
                Fit::No(_) => return false,
            },
        };
        let shaped = [Column::Start, Column::Answer, Column::End, Column::Duration, Column::Billsec];
        shaped.iter().all(|&column| {
            self.layout.sources(column).iter().filter(|source| matches!(source.take, Take::Whole)).all(
                |source| {
                    let range = ranges[source.slot].clone();
                    if range.len() != 1 || range.start >= fields.len() {
                        return true;
                    }
                    let value = fields[range.start].value(self.text);
                    let is_time = |order| read_time(&value, order).is_ok();
                    match column {
                        Column::Duration | Column::Billsec => read_seconds(&value).is_ok(),
                        _ => is_time(DateOrder::MonthFirst) || is_time(DateOrder::DayFirst),
                    }
                },
            )
        })
    }

    /// Whether a record is clean without any repair, with every line break between proper quotes.
    fn is_beyond_doubt(&self, fields: &[Field]) -> bool {
        let breaks = |field: &Field| self.text[field.start..field.end].contains(&self.dialect().eol);
        let proper = fields.iter().all(|field| field.form != Form::AsIs || !breaks(field));
        let regular = || fields.len() > 1 && matches!(self.fit(self.text, fields), Fit::Regular(_));
        proper && (fields.len() == self.layout.expected || regular()) && self.is_clean(fields)
    }

    fn fit(&self, text: &[u8], fields: &[Field]) -> Fit {
        let csv = self.layout.format.csv().expect("a CSV format");
        (csv.fit)(&Misfit { names: &self.layout.normalised, text, fields })
    }

    /// The names of the line at `at`, where it is a header: it begins with a letter, the format knows
    /// its first name, and has such headers.
    fn header(&self, at: usize) -> Option<Vec<String>> {
        let line = &self.text[at..self.line_end(at)];
        let own = self.layout.header.as_ref().map(|header| header.as_bytes());
        let bare = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
        let (fields, _) = read(bare, 0, self.dialect())?;
        let names: Option<Vec<String>> =
            fields.iter().map(|field| String::from_utf8(field.value(bare).into_owned()).ok()).collect();
        let names = names?;
        let begins = names[0].starts_with(|first: char| first.is_ascii_alphabetic());
        let known = self.layout.format.field(&normalise(&names[0])).is_some();
        let is_header = begins && known && self.layout.format.is_header(&names);
        (is_header || own == Some(without_line_end(line, self.dialect()))).then_some(names)
    }

    /// Past the end of the line at `at`.
    fn line_end(&self, at: usize) -> usize {
        let eol = self.dialect().eol;
        self.text[at..].iter().position(|&byte| byte == eol).map_or(self.text.len(), |length| at + length + 1)
    }

    /// The record from `start` to `end`, as a row or as a reject.
    fn take(&mut self, start: usize, end: usize, unclosed: bool) {
        let raw = without_line_end(&self.text[start..end], self.dialect());
        if raw.iter().all(u8::is_ascii_whitespace) {
            return;
        }
        let number = self.outcome.counts.records;
        self.outcome.counts.records += 1;
        let (offset, length) = (start as u64, raw.len() as u64);
        match self.values(raw, &self.text[start + raw.len()..end], unclosed) {
            Ok(values) => self.outcome.rows.push(Row { number, offset, length, values }),
            Err(reason) => {
                let line = 1 + count(&self.text[..start], self.dialect().eol);
                let raw = raw.to_vec();
                self.outcome.rejects.push(Rejected { number, line, offset, length, reason, raw });
            }
        }
    }

    fn values(&mut self, raw: &[u8], line_end: &[u8], unclosed: bool) -> Result<Vec<String>, &'static str> {
        if unclosed {
            return Err("unclosed-quote");
        }
        let mut text = match (String::from_utf8(raw.to_vec()), self.options.encoding) {
            (Ok(text), _) => text,
            (Err(_), None) => return Err("invalid-utf8"),
            (Err(_), Some(encoding)) => {
                let decoded = encoding.decode_without_bom_handling_and_without_replacement(raw);
                decoded.ok_or("invalid-utf8")?.into_owned()
            }
        };
        text.extend(line_end.iter().map(|&byte| byte as char));
        let (fields, _) = read(text.as_bytes(), 0, self.dialect()).ok_or("unclosed-quote")?;
        let value = |field: &Field| String::from_utf8(field.value(text.as_bytes()).into_owned()).unwrap();
        let mut values: Vec<String> = if fields.len() == self.layout.expected {
            fields.iter().map(value).collect()
        } else {
            let ranges = match self.fit(text.as_bytes(), &fields) {
                Fit::Regular(ranges) => ranges,
                Fit::Repaired(ranges) => {
                    self.outcome.counts.repaired += 1;
                    ranges
                }
                Fit::No(_) => return Err("field-count"),
            };
            let joined = |range: Range<usize>| match &fields[range] {
                [] => String::new(),
                [one] => value(one),
                [first, .., last] => text[first.outer().0..last.outer().1].to_string(),
            };
            ranges.into_iter().map(joined).collect()
        };
        values.resize(self.layout.slots(), String::new());
        Ok(values)
    }
}

/// The fields of the record at `at`, and past its end; nothing where it ends within quotes.
fn read(text: &[u8], mut at: usize, dialect: Dialect) -> Option<(Vec<Field>, usize)> {
    let mut fields = Vec::new();
    loop {
        let (mut field, stop) = field(text, at, dialect)?;
        if text.get(stop) == Some(&dialect.delimiter) {
            fields.push(field);
            at = stop + 1;
            continue;
        }
        if field.form == Form::AsIs && dialect.eol == b'\n' && text[field.start..field.end].ends_with(b"\r") {
            field.end -= 1;
        }
        fields.push(field);
        return Some((fields, (stop + 1).min(text.len())));
    }
}

fn field(text: &[u8], at: usize, dialect: Dialect) -> Option<(Field, usize)> {
    let ends = |at: usize| text.get(at).is_none_or(|&byte| byte == dialect.delimiter || byte == dialect.eol);
    let plain = || {
        let stop = (at..).find(|&at| ends(at)).unwrap();
        (Field { start: at, end: stop, form: Form::AsIs }, stop)
    };
    if text.get(at) != Some(&b'"') {
        return Some(plain());
    }
    if dialect.quotes == Quotes::Whole {
        let line = (at..).find(|&at| text.get(at).is_none_or(|&byte| byte == dialect.eol)).unwrap();
        let device = Dialect { quotes: Quotes::Device, ..dialect };
        let quoted = field(&text[..line], at, device).filter(|(field, _)| field.form != Form::AsIs);
        return Some(quoted.unwrap_or_else(plain));
    }
    let mut form = Form::Quoted;
    let mut close = at + 1;
    while text.get(close)? != &b'"' || text.get(close + 1) == Some(&b'"') {
        if text[close] == b'"' {
            form = Form::Doubled;
            close += 1;
        }
        close += 1;
    }
    let cr = dialect.eol == b'\n' && text.get(close + 1) == Some(&b'\r');
    let ends_line = |at: usize| text.get(at).is_none_or(|&byte| byte == dialect.eol);
    if ends(close + 1) || (cr && ends_line(close + 2)) {
        let stop = close + 1 + usize::from(cr);
        return Some((Field { start: at + 1, end: close, form }, stop));
    }
    let (mut inside, mut stop) = (false, close + 1);
    while inside || !ends(stop) {
        inside ^= *text.get(stop)? == b'"';
        stop += 1;
    }
    Some((Field { start: at, end: stop, form: Form::AsIs }, stop))
}

fn without_line_end(line: &[u8], dialect: Dialect) -> &[u8] {
    let line = line.strip_suffix(&[dialect.eol]).unwrap_or(line);
    if dialect.eol == b'\n' { line.strip_suffix(b"\r").unwrap_or(line) } else { line }
}

/// What stands before a line and is none of it: NULs, a byte order mark.
fn before_line(text: &[u8]) -> usize {
    let nuls = text.iter().take_while(|&&byte| byte == 0).count();
    nuls + if text[nuls..].starts_with(b"\xef\xbb\xbf") { 3 } else { 0 }
}

fn count(text: &[u8], byte: u8) -> u64 {
    text.iter().filter(|&&other| other == byte).count() as u64
}
