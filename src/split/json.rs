//! Where the records of JSON documents stand, and what their envelopes say.
//!
//! ```text
//!   {"response":{"cdr_root":[ {…},{…},{…} ]},"status":0}   {"cdr_root":[ …
//!   ╰ envelope ────────────╯ ╰ elements ──╯ ╰ envelope ─╯
//! ```
//!
//! Documents follow one another with or without white space. An object in a list of records, under an index, or
//! alone in a document is an element; every other is an envelope, whose members are looked at one by one. The
//! elements are walked by their brackets alone (`json/walk.rs`).
//!
//! An element that is broken must not swallow the file: the next begins where an object does whose first key
//! is a record's, and which stands where one can (`json/resume.rs`).

mod call;
mod classify;
mod envelope;
mod index;
mod resume;
pub mod walk;

use std::mem::discriminant;
use std::ops::Range;

pub use self::classify::keys;
use self::classify::{Class, of_document};
use self::index::Index;
use self::resume::{Resume, trimmed};
use self::walk::{Turn, Walk, Walker};
use super::{Cut, Element, ElementKind, Ending, MAX_RECORD, Skip, Unreadable};
use crate::format::keys::Keys;
use crate::format::{Json, Told};
use crate::json::{Fault, key_at, skip_blank, unescape, value_end};

/// Elements of a block, however short they are: each takes room in every slot and column.
const MOST_ELEMENTS: usize = 1 << 14;

/// Members of an envelope that are remembered, and how much of each.
const TOLD: usize = 64;
const TOLD_BYTES: usize = 1024;

/// Envelopes within one another; what is nested deeper is no envelope.
const DEEPEST: usize = 16;

/// A first key, or what an object begins with up to its first value, is remembered up to so many bytes.
const BEGINNING: usize = 64;

/// Finds where records stand.
#[derive(Debug)]
pub struct Splitter {
    json: &'static Json,
    keys: Keys,
    /// What is known where the last cut ended.
    known: Known,
    /// The element that is too large, being passed over.
    skipping: Option<Skipping>,
    index: Index,
    /// Elements are walked byte by byte: the slow twin.
    slowly: bool,
    /// The last cut has parts of a call.
    has_parts: bool,
}

/// What the splitter knows at a byte of the dump.
#[derive(Clone, Debug, Default)]
struct Known {
    /// What is open: envelopes, and lists of records.
    open: Vec<Open>,
    /// The next byte opens an object that is a record of this kind, whatever it stands in.
    next_is: Option<ElementKind>,
    /// What the document's envelopes say so far; and what those of the last document that had any did.
    told: Told,
    last_told: Told,
    /// Why the dump has failed: what the first envelope said that told of an error.
    error: Option<String>,
    elements: u64,
    /// How the last good element begins, up to its first value, and its first key.
    beginning: Vec<u8>,
    first_key: Vec<u8>,
    /// The text ends within an element.
    is_truncated: bool,
    /// Runs of NULs between the elements.
    nul_runs: u64,
    /// The id of the last call that was too large to be an element.
    call: Vec<u8>,
}

#[derive(Clone, Debug)]
enum Open {
    /// A list of records.
    List,
    /// An envelope; its members are told behind this prefix, and elements may stand under numbers.
    Envelope { prefix: String, by_index: bool },
    /// A call that is too large to be an element; the number of its next sub whose key has none.
    Call(u64),
    /// A list of such a call's subs; the number of the next.
    Subs(u64),
}

#[derive(Debug)]
enum Skipping {
    /// By its brackets.
    Whole(Walker),
    /// It is broken: up to the next record.
    Broken,
}

/// What one step came to.
enum Next {
    /// Past something that is no record.
    Passed(usize),
    /// An element, and where the text goes on.
    Found(Element, usize),
    /// More text is needed.
    More,
}

impl Splitter {
    /// At the beginning of a dump.
    pub fn new(json: &'static Json) -> Splitter {
        Splitter {
            json,
            keys: Keys::new(json.keys),
            known: Known::default(),
            skipping: None,
            index: Index::default(),
            slowly: false,
            has_parts: false,
        }
    }

    /// The same, but elements are walked byte by byte: the slow twin.
    pub fn slow(json: &'static Json) -> Splitter {
        Splitter { slowly: true, ..Splitter::new(json) }
    }

    /// Cuts whole elements, and the envelope text round them, off the front of `text`.
    pub fn cut(&mut self, text: &[u8], at_end: bool) -> Cut {
        let mut step = Step {
            json: self.json,
            keys: &self.keys,
            text,
            at_end,
            known: self.known.clone(),
            kind: None,
            index: &mut self.index,
            slowly: self.slowly,
        };
        step.index.anchor(0);
        let mut elements = Vec::new();
        let mut done = 0;
        while done < text.len() && elements.len() < MOST_ELEMENTS {
            match step.next(done) {
                Next::Passed(at) => done = at,
                Next::Found(element, at) => {
                    elements.push(element);
                    done = at;
                }
                Next::More if done == 0 && text.len() > MAX_RECORD => match step.open_call() {
                    Some(at) => done = at,
                    None => break,
                },
                Next::More => break,
            }
        }
        match done {
            0 if text.len() > MAX_RECORD => {
                self.skipping = Some(Skipping::Whole(Walker::default()));
                Cut::TooLarge
            }
            0 => Cut::More,
            _ => {
                self.has_parts = matches!(step.kind, Some(ElementKind::Part(_)));
                self.known = step.known;
                Cut::Elements(done, elements)
            }
        }
    }

    /// The id of the call that the elements of the last cut are parts of, if they are.
    pub fn call(&self) -> Vec<u8> {
        if self.has_parts { self.known.call.clone() } else { Vec::new() }
    }

    /// How much of the text belongs to the element that is too large.
    pub fn skip(&mut self, text: &[u8], at_end: bool) -> Skip {
        let mut from = 0;
        if let Some(Skipping::Whole(walker)) = &mut self.skipping {
            match walker.walk(text, 0) {
                Walk::End(end) => return self.skipped(end),
                Walk::Open => return Skip { passed: text.len(), ended: false },
                Walk::Broken { from: broken, .. } | Walk::TooDeep(broken) => from = broken,
            }
            self.skipping = Some(Skipping::Broken);
        }
        let Splitter { json, keys, known, .. } = &*self;
        let resume = Resume { json, keys, text, first_key: &known.first_key, by_index: known.by_index() };
        match resume.find(from) {
            Some((next, is_document)) => {
                if is_document {
                    self.known.open.clear();
                }
                self.skipped(next)
            }
            None if at_end => self.skipped(text.len()),
            // What begins in the last bytes may go on behind them.
            None => Skip { passed: text.len().saturating_sub(resume::REACH).max(1), ended: false },
        }
    }

    fn skipped(&mut self, passed: usize) -> Skip {
        self.skipping = None;
        self.known.next_is = None;
        self.known.elements += 1;
        Skip { passed, ended: true }
    }

    /// What is known at the end of the dump.
    pub fn end(&mut self) -> Ending {
        let known = &mut self.known;
        let mut warnings = Vec::new();
        if !known.open.is_empty() && !known.is_truncated {
            warnings.push("the dump ends within a document: records may be missing".to_string());
            known.settle(self.json);
        }
        if known.nul_runs > 0 {
            warnings.push(format!("NULs between records are passed over in {} places", known.nul_runs));
        }
        warnings.extend((self.json.missing)(&known.last_told, known.elements));
        Ending { warnings, error: known.error.take() }
    }

    /// How many elements there were, and what the envelopes said: for telling what dump it is.
    pub fn heard(&mut self) -> (u64, Told, Option<String>) {
        let known = &mut self.known;
        if !known.open.is_empty() {
            known.settle(self.json);
        }
        (known.elements, std::mem::take(&mut known.last_told), known.error.take())
    }
}

impl Known {
    /// Whether elements may stand under numbers here.
    fn by_index(&self) -> bool {
        matches!(self.open.last(), Some(Open::Envelope { by_index: true, .. }))
    }

    /// A document has ended, or the dump has within it: what it said is judged.
    fn settle(&mut self, json: &Json) {
        if let Some(message) = (json.error)(&self.told) {
            self.error.get_or_insert(format!("an error in place of a dump: `{message}`"));
        }
        let told = std::mem::take(&mut self.told);
        if !told.0.is_empty() {
            self.last_told = told;
        }
    }

    fn tell(&mut self, name: String, value: Option<&[u8]>) {
        if self.told.0.len() < TOLD && name.len() < TOLD_BYTES {
            let shown = |value: &[u8]| {
                let value = &value[..value.len().min(TOLD_BYTES)];
                let mut plain = Vec::new();
                let plain = unescape(value, &mut plain).map_or(value, |_| &plain);
                String::from_utf8_lossy(plain).into_owned()
            };
            self.told.0.push((name, value.map(shown)));
        }
    }

    /// Remembers how a good element begins.
    fn remember(&mut self, element: &[u8]) {
        if element.starts_with(&self.beginning) && !self.beginning.is_empty() {
            return;
        }
        let short = &element[..element.len().min(BEGINNING)];
        let Ok((key, value)) = key_at(short, skip_blank(short, 1)) else { return };
        if value < short.len() {
            self.beginning = short[..=value].to_vec();
            self.first_key = short[key.start..key.end].to_vec();
        }
    }
}

/// The last byte that is no blank.
fn last_of(text: &[u8]) -> u8 {
    text.trim_ascii_end().last().copied().unwrap_or(0)
}

/// One cut being made.
struct Step<'t> {
    json: &'static Json,
    keys: &'t Keys,
    text: &'t [u8],
    at_end: bool,
    /// What is known where the last step ended; a step that needs more text changes nothing.
    known: Known,
    /// The kind of the good elements found so far.
    kind: Option<ElementKind>,
    index: &'t mut Index,
    slowly: bool,
}

impl Step<'_> {
    fn next(&mut self, at: usize) -> Next {
        let text = self.text;
        if self.known.next_is.is_some() {
            return self.element(at);
        }
        let (begin, nuls) = self.skip_gap(at);
        if nuls > 0 {
            self.known.nul_runs += nuls;
            return Next::Passed(begin);
        }
        let in_list = matches!(self.known.open.last(), Some(Open::List));
        match (text.get(begin), self.known.open.last()) {
            (None, _) if begin > at => Next::Passed(begin),
            (None, _) => Next::More,
            (Some(b'{'), Some(Open::List)) => self.element_behind(at, begin),
            (Some(b'{'), None) if self.begins_as_before(begin) => self.element_behind(at, begin),
            _ if begin > at => Next::Passed(begin),
            // Behind a broken one: where a key should be, a record begins.
            (Some(b'{'), Some(Open::Envelope { .. })) => self.element(begin),
            (Some(b'['), None | Some(Open::List)) if self.known.open.len() < DEEPEST => {
                self.known.open.push(Open::List);
                Next::Passed(begin + 1)
            }
            (Some(b']' | b'}'), _) => self.close(begin),
            (Some(b'{'), None) => self.document(begin),
            (Some(b'"'), Some(Open::Envelope { .. })) => self.member(begin),
            (Some(b'"'), Some(Open::Call(next))) => self.part(begin, *next),
            (Some(b'{'), Some(Open::Subs(next))) => self.listed_part(begin, *next),
            (Some(b'{'), Some(Open::Call(_))) => {
                // Behind a broken part: the next record, not of this call.
                self.known.open.pop();
                Next::Passed(begin)
            }
            (Some(b'H'), None) => self.response_head(begin),
            _ if in_list => self.no_record(begin),
            _ => self.junk(begin),
        }
    }

    /// Past blanks, commas, and what a crash or an editor leaves between records: NULs, byte order marks.
    #[inline]
    fn skip_gap(&self, mut at: usize) -> (usize, u64) {
        let mut nuls = 0;
        while let Some(&byte) = self.text.get(at) {
            match byte {
                b' ' | b'\n' | b'\r' | b'\t' | b',' => at += 1,
                0 => {
                    let run = self.text[at..].iter().take_while(|&&byte| byte == 0).count();
                    nuls += 1;
                    at += run;
                }
                0xef if self.text[at..].starts_with(b"\xef\xbb\xbf") => at += 3,
                _ => break,
            }
        }
        (at, nuls)
    }

    /// Whether an object begins like the record before, up to its first value.
    #[inline]
    fn begins_as_before(&self, at: usize) -> bool {
        !self.known.beginning.is_empty() && self.text[at..].starts_with(&self.known.beginning)
    }

    /// A bracket that closes what is open; one that closes nothing is passed over.
    fn close(&mut self, at: usize) -> Next {
        let is_list = self.text[at] == b']';
        match self.known.open.last() {
            Some(Open::List) if !is_list => {
                // The list's own bracket is missing.
                self.known.open.pop();
                self.known.open.pop();
            }
            Some(Open::Envelope { .. } | Open::Call(_)) if is_list => return Next::Passed(at + 1),
            _ => drop(self.known.open.pop()),
        }
        if self.known.open.is_empty() {
            self.known.settle(self.json);
        }
        Next::Passed(at + 1)
    }

    /// An object that is no part of another: a record, or the envelope of some.
    fn document(&mut self, at: usize) -> Next {
        match of_document(self.text, at, self.json, self.keys, self.at_end) {
            Class::Record | Class::Other => self.element(at),
            Class::Unknown => Next::More,
            Class::Envelope { by_index } => {
                self.known.open.push(Open::Envelope { prefix: String::new(), by_index });
                Next::Passed(at + 1)
            }
        }
    }

    /// The dump ends within the element at `at`.
    fn truncated(&mut self, at: usize) -> Next {
        self.known.is_truncated = true;
        let end = at + self.text[at..].trim_ascii_end().len();
        self.found(at..end, ElementKind::Bad(Unreadable::Truncated), self.text.len())
    }

    /// What stands above a response: up to the line on which a document begins.
    fn response_head(&mut self, at: usize) -> Next {
        let head = &self.text[at..];
        if !head.starts_with(b"HTTP/") && (head.len() >= 5 || self.at_end) {
            return self.junk(at);
        }
        let begins = |&line: &usize| matches!(head.get(line + 1), Some(b'{' | b'['));
        match memchr::memchr_iter(b'\n', head).find(begins) {
            Some(line) => Next::Passed(at + line + 1),
            None if self.at_end => self.junk(at),
            None => Next::More,
        }
    }

    /// An element, and the gap before it, which is passed over first where more text is needed: the text then
    /// begins with the element.
    fn element_behind(&mut self, gap: usize, at: usize) -> Next {
        match self.element(at) {
            Next::More if at > gap => Next::Passed(at),
            next => next,
        }
    }

    /// An element from its opening bracket on.
    fn element(&mut self, at: usize) -> Next {
        match self.walk(at) {
            Walk::End(end) => {
                let kind = self.known.next_is.unwrap_or(ElementKind::Whole);
                if self.kind.is_some_and(|before| discriminant(&before) != discriminant(&kind)) {
                    return Next::More;
                }
                self.kind = Some(kind);
                self.known.remember(&self.text[at..end]);
                self.found(at..end, kind, end)
            }
            Walk::Open if self.at_end => self.truncated(at),
            Walk::Open => Next::More,
            Walk::Broken { from, closes: true } if matches!(self.known.open.last(), Some(Open::List)) => {
                let end = trimmed(self.text, at, from);
                self.found(at..end, ElementKind::Bad(Unreadable::Syntax), from)
            }
            Walk::Broken { from, .. } => self.broken(at, from, Unreadable::Syntax),
            Walk::TooDeep(from) => self.broken(at, from, Unreadable::TooDeep),
        }
    }

    /// Walks the object that opens at this byte: from bracket to bracket, as far as the quotes are regular.
    fn walk(&mut self, at: usize) -> Walk {
        let text = self.text;
        if self.slowly {
            return Walker::default().walk(text, at);
        }
        if !self.index.seek(text, at) {
            self.index.anchor(at);
        }
        let mut walker = Walker::default();
        while let Some(found) = self.index.next(text) {
            let turn = walker.bracket(text[found], || last_of(&text[at..found]));
            match turn {
                Turn::On => {}
                Turn::End => return Walk::End(found + 1),
                Turn::TooDeep => return Walk::TooDeep(found),
                Turn::Broken { closes } => return Walk::Broken { from: found, closes },
            }
        }
        if self.index.is_whole() { Walk::Open } else { Walker::default().walk(text, at) }
    }

    fn found(&mut self, range: Range<usize>, kind: ElementKind, next: usize) -> Next {
        self.known.next_is = None;
        self.known.elements += 1;
        Next::Found(Element::new(range.start, range.end, kind), next)
    }

    /// Something that stands where a record should.
    fn no_record(&mut self, at: usize) -> Next {
        match value_end(self.text, at, 0) {
            Ok(end) if end == self.text.len() && !self.at_end => Next::More,
            Ok(end) => self.found(at..end, ElementKind::Bad(Unreadable::NotARecord), end),
            Err(Fault::Open) if !self.at_end => Next::More,
            Err(_) => self.junk(at),
        }
    }

    /// Something that is neither a record nor part of an envelope, up to the next record.
    fn junk(&mut self, at: usize) -> Next {
        self.broken(at, at + 1, Unreadable::NotARecord)
    }

    /// Something broken at `at`; the next record begins at `from` or behind it.
    fn broken(&mut self, at: usize, from: usize, why: Unreadable) -> Next {
        let first_key = &self.known.first_key;
        let by_index = self.known.by_index();
        let resume = Resume { json: self.json, keys: self.keys, text: self.text, first_key, by_index };
        match resume.find(from.max(at + 1)) {
            Some((next, is_document)) => {
                if is_document {
                    self.known.open.clear();
                }
                let end = trimmed(self.text, at, next);
                self.found(at..end, ElementKind::Bad(why), next)
            }
            None if self.at_end => {
                self.known.is_truncated = true;
                let end = at + self.text[at..].trim_ascii_end().len();
                self.found(at..end, ElementKind::Bad(why), self.text.len())
            }
            None => Next::More,
        }
    }
}

#[cfg(test)]
mod tests;
