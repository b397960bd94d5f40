//! The table of records that every framer of keyed records fills: known keys to slots, all others to strays.
//!
//! It keeps what the syntaxes have in common: which of two equal keys counts, what is rewritten and where that
//! stands, places, rejects and their lines. It must not know how a record is written.

use std::borrow::Cow;
use std::hash::BuildHasher;
use std::ops::Range;
use std::sync::Arc;

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use memchr::memchr_iter;

use super::{Checked, Counts, How, Lines, Place, Reason, Records, Reject, Span, Stray, kept, shared};
use crate::around;
use crate::format::layout::Nest;
use crate::format::{Layout, Syntax};
use crate::split::{Element, ElementKind, Unreadable};

/// Strays of one record that are compared one by one; of more the names are hashed.
const FEW: usize = 16;

/// Names that are remembered with their slots.
const MOST_ODD_NAMES: usize = 512;

/// Why a record is rejected: the reason, the field and a sentence.
pub type Refusal = (Reason, Option<String>, String);

/// The records of a block, being framed.
pub struct Table<'a> {
    /// The block's text.
    pub text: &'a [u8],
    /// What the slots mean.
    pub layout: &'a Layout,
    /// What is done with records that cannot be read as they stand.
    pub how: How,
    /// The whole text is UTF-8; else every record has to be checked by itself.
    pub is_utf8: bool,
    offset: u64,
    spans: Vec<Span>,
    strays: Vec<Stray>,
    places: Vec<Place>,
    rejects: Vec<Reject>,
    counts: Counts,
    /// Line ends in the text, if somebody has counted them.
    lines: Option<u64>,
    /// Values that had to be rewritten; they go behind the text.
    rewritten: Vec<u8>,
    /// For each slot the row, counted in `begun`, in which its key last stood, and how often it did.
    filled: Vec<(u32, u32)>,
    begun: u32,
    /// The row that was begun: its first stray, and its second keys and repairs so far.
    first_stray: usize,
    second_keys: u64,
    repaired: bool,
    /// The row's names without a slot, and how often each stood; and where they stand here, once they are many.
    names: Vec<(Span, u32)>,
    named: HashTable<u32>,
    /// Names of the block that are not spelled as the documents do, and their slots.
    odd_names: HashTable<(Box<[u8]>, Option<usize>)>,
    /// Another in every process: nobody can prepare names that hash alike.
    hasher: RandomState,
    /// Line ends before that byte, for the rejects' lines.
    counted: Lines,
    /// Where `main` and `sub` stand.
    kinds: Option<(Span, Span)>,
}

impl<'a> Table<'a> {
    /// No records yet.
    pub fn new(text: &'a Checked, offset: u64, layout: &'a Layout, how: How) -> Table<'a> {
        let (text, is_utf8) = (text.bytes(), text.is_utf8());
        // A guess, so that the rows need not move: a record has half a KiB or more.
        let rows = text.len() / 512 + 1;
        Table {
            text,
            layout,
            how,
            is_utf8,
            offset,
            spans: Vec::with_capacity(rows * layout.slots()),
            strays: Vec::new(),
            places: Vec::with_capacity(rows),
            rejects: Vec::new(),
            counts: Counts::default(),
            lines: None,
            rewritten: Vec::new(),
            filled: vec![(0, 0); layout.slots()],
            begun: 0,
            first_stray: 0,
            second_keys: 0,
            repaired: false,
            names: Vec::new(),
            named: HashTable::new(),
            odd_names: HashTable::new(),
            hasher: RandomState::default(),
            counted: Lines::default(),
            kinds: None,
        }
    }

    /// Tells how many line ends the text has, so that they need not be counted.
    pub fn count_lines(&mut self, lines: u64) {
        self.lines = Some(lines);
    }

    /// What was framed so far, to come back to.
    pub fn mark(&self) -> Mark {
        let (rows, strays, rewritten) = (self.places.len(), self.first_stray, self.rewritten.len());
        Mark { rows, strays, rewritten, counts: self.counts }
    }

    /// Forgets what was framed since, none of which was rejected.
    pub fn roll_back(&mut self, mark: &Mark) {
        self.places.truncate(mark.rows);
        self.first_stray = mark.strays;
        self.rewritten.truncate(mark.rewritten);
        self.counts = mark.counts;
        let end = self.text.len() + self.rewritten.len();
        self.kinds = self.kinds.filter(|(_, sub)| (sub.start + sub.len) as usize <= end);
        self.drop_begun();
    }

    /// Begins a row; one that was begun before, and not accepted, is dropped.
    pub fn begin(&mut self) {
        self.drop_begun();
        self.begun += 1;
        self.spans.resize((self.places.len() + 1) * self.layout.slots(), Span::default());
    }

    fn drop_begun(&mut self) {
        self.spans.truncate(self.places.len() * self.layout.slots());
        self.strays.truncate(self.first_stray);
        self.names.clear();
        self.named.clear();
        (self.second_keys, self.repaired) = (0, false);
    }

    /// Puts a value under the name that the record gives it. Of two equal names the first counts.
    pub fn put(&mut self, name: Span, value: Span) {
        let slot = self.slot(name);
        self.put_known(slot, name, value);
    }

    /// The slot of a name. Those that are not spelled as the documents do are remembered.
    fn slot(&mut self, name: Span) -> Option<usize> {
        let name = bytes_of(self.text, &self.rewritten, name);
        if let Some(slot) = self.layout.keys.exact(name) {
            return Some(slot);
        }
        let hash = self.hasher.hash_one(name);
        if let Some((_, slot)) = self.odd_names.find(hash, |(known, _)| **known == *name) {
            return *slot;
        }
        let slot = self.layout.keys.slot(name);
        if self.odd_names.len() < MOST_ODD_NAMES {
            self.odd_names
                .insert_unique(hash, (name.into(), slot), |(known, _)| self.hasher.hash_one(&**known));
        }
        slot
    }

    /// The same, where the slot of the name is known, or that it has none.
    #[inline]
    pub fn put_known(&mut self, slot: Option<usize>, name: Span, value: Span) {
        let times = match slot {
            Some(slot) => {
                let (row, times) = self.filled[slot];
                let times = match row == self.begun {
                    true => times + 1,
                    false if self.row().is_filled(slot) => 2,
                    false => 1,
                };
                self.filled[slot] = (self.begun, times);
                if times == 1 {
                    // A null stands nowhere: somewhere, so that it is known that something was put.
                    let null = Span { start: 1, len: 0 };
                    return self.put_at(slot, if value == Span::default() { null } else { value });
                }
                times
            }
            None => self.times(name),
        };
        self.put_stray(name, value, times);
    }

    /// Whether the row that was begun has anything in a slot.
    pub fn has_known(&mut self) -> bool {
        let slots = self.layout.slots();
        let row = self.row();
        (0..slots).any(|slot| row.is_filled(slot))
    }

    /// The row that was begun.
    pub fn row(&mut self) -> Row<'_> {
        let from = self.places.len() * self.layout.slots();
        Row(&mut self.spans[from..])
    }

    /// Puts a value into a slot of the row, whatever stood there.
    #[inline]
    pub fn put_at(&mut self, slot: usize, value: Span) {
        let row = self.places.len() * self.layout.slots();
        self.spans[row + slot] = value;
    }

    /// Puts a value beside the slots; one whose key stood there before has its number in its name.
    fn put_stray(&mut self, name: Span, value: Span, times: u32) {
        let mut name = name;
        if times > 1 {
            self.second_keys += 1;
            let own = [self.bytes(name), format!("#{times}").as_bytes()].concat();
            name = self.rewrite(&own);
        }
        self.strays.push(Stray { record: self.places.len() as u32, name, value });
    }

    /// How often a name without a slot stood in the row, this time included.
    fn times(&mut self, name: Span) -> u32 {
        let bytes = |span: Span| bytes_of(self.text, &self.rewritten, span);
        let same = |at: usize| bytes(self.names[at].0) == bytes(name);
        let known = if self.named.is_empty() {
            (0..self.names.len()).find(|&at| same(at))
        } else {
            let hash = self.hasher.hash_one(bytes(name));
            self.named.find(hash, |&at| same(at as usize)).map(|&at| at as usize)
        };
        if let Some(at) = known {
            self.names[at].1 += 1;
            return self.names[at].1;
        }
        self.names.push((name, 1));
        let from = match self.names.len() {
            0..=FEW => return 1,
            _ if self.named.is_empty() => 0,
            many => many - 1,
        };
        let hash_of =
            |at: &u32| self.hasher.hash_one(bytes_of(self.text, &self.rewritten, self.names[*at as usize].0));
        for at in from as u32..self.names.len() as u32 {
            self.named.insert_unique(hash_of(&at), at, hash_of);
        }
        1
    }

    /// Keeps a value that does not stand in the text as it is. It must be UTF-8, if its record is accepted.
    pub fn rewrite(&mut self, value: &[u8]) -> Span {
        self.rewrite_by(|out| out.extend_from_slice(value))
    }

    /// Keeps what is appended.
    pub fn rewrite_by(&mut self, append: impl FnOnce(&mut Vec<u8>)) -> Span {
        let start = self.rewritten.len();
        append(&mut self.rewritten);
        Span::new(self.text.len() + start, self.text.len() + self.rewritten.len())
    }

    /// The bytes of a value.
    pub fn bytes(&self, span: Span) -> &[u8] {
        bytes_of(self.text, &self.rewritten, span)
    }

    /// The digits of a number.
    pub fn number(&mut self, number: u64) -> Span {
        self.rewrite(number.to_string().as_bytes())
    }

    /// Puts what the nesting tells: a sub's number (a record without one is the main one), and the call's id.
    pub fn put_part(&mut self, nest: Nest, number: Option<u64>, call: Span) {
        let (main, sub) = self.kinds();
        self.put_at(nest.kind, if number.is_some() { sub } else { main });
        self.put_at(nest.group, call);
        if let Some(number) = number {
            let index = self.number(number);
            self.put_at(nest.index, index);
        }
    }

    /// `main` and `sub`, for the slot of the record's kind.
    pub fn kinds(&mut self) -> (Span, Span) {
        match self.kinds {
            Some(kinds) => kinds,
            None => {
                let kinds = (self.rewrite(b"main"), self.rewrite(b"sub"));
                *self.kinds.insert(kinds)
            }
        }
    }

    /// Says that the row was read only after a repair.
    pub fn repaired(&mut self) {
        self.repaired = true;
    }

    /// Counts a piece between the records that holds something else.
    pub fn passed_over(&mut self) {
        self.counts.passed_over += 1;
    }

    /// Accepts the row that was begun; the record's own bytes are those from `start` to `end`.
    pub fn accept(&mut self, start: usize, end: usize) {
        let number = self.counts.records as u32;
        self.places.push(Place { start: start as u32, len: (end - start) as u32, number });
        self.counts.records += 1;
        self.counts.repaired += u64::from(self.repaired);
        self.counts.duplicate_keys += self.second_keys;
        self.first_stray = self.strays.len();
        self.drop_begun();
    }

    /// Rejects the record from `start` to `end`; what was begun of its row is dropped.
    pub fn reject(
        &mut self,
        start: usize,
        end: usize,
        reason: Reason,
        field: Option<String>,
        message: String,
    ) {
        self.drop_begun();
        let line = self.counted.before(self.text, start, self.layout.dialect.eol);
        let raw = &self.text[start..end];
        self.rejects.push(Reject {
            number: self.counts.records,
            line,
            offset: self.offset + start as u64,
            length: raw.len() as u64,
            reason,
            field: field.map(|field| field.into()),
            message: shared(&message, self.rejects.last().map(|last| &last.message)),
            raw: kept(raw, reason),
            around: None,
        });
        self.counts.records += 1;
    }

    /// The same of a record of a call, whose id stands at `call`: a sub by its number, or the main one.
    pub fn reject_part(&mut self, range: Range<usize>, refusal: Refusal, call: Span, number: Option<u64>) {
        let id = String::from_utf8_lossy(self.bytes(call));
        let around = around::of_call(self.layout.format, &id, number);
        self.reject_within(range, refusal, around);
    }

    /// The same of an element that is one record.
    pub fn reject_single(&mut self, range: Range<usize>, refusal: Refusal) {
        self.reject_within(range, refusal, around::alone(self.layout));
    }

    fn reject_within(&mut self, range: Range<usize>, refusal: Refusal, around: Option<String>) {
        let (reason, field, message) = refusal;
        self.reject(range.start, range.end, reason, field, message);
        if let Some(reject) = self.rejects.last_mut() {
            reject.around = around;
        }
    }

    /// Rejects an element that the splitter found to be none; comes back with whether it did.
    pub fn is_bad(&mut self, element: &Element) -> bool {
        let ElementKind::Bad(why) = element.kind else { return false };
        let (reason, message) = unreadable(why, self.layout);
        let range = element.range();
        self.reject(range.start, range.end, reason, None, message);
        true
    }

    /// The text of a record as it is read: its own, or, where that is not UTF-8, what the encoding makes of it.
    pub fn readable(&self, start: usize, end: usize) -> Result<Cow<'a, [u8]>, (Reason, String)> {
        let raw = &self.text[start..end];
        if self.is_utf8 || std::str::from_utf8(raw).is_ok() {
            return Ok(Cow::Borrowed(raw));
        }
        let Some(encoding) = self.how.encoding else {
            return Err((Reason::InvalidUtf8, "not UTF-8; --encoding names what it is".to_string()));
        };
        let decoded = encoding.decode_without_bom_handling_and_without_replacement(raw);
        let wrong = || (Reason::InvalidUtf8, format!("neither UTF-8 nor {}", encoding.name()));
        Ok(Cow::Owned(decoded.ok_or_else(wrong)?.into_owned().into_bytes()))
    }

    /// What was framed, without the text: that is added by [`Framed::records`], when nothing borrows it.
    pub fn finish(mut self) -> Framed {
        self.drop_begun();
        let counted = || memchr_iter(self.layout.dialect.eol, self.text).count() as u64;
        self.counts.lines = self.lines.unwrap_or_else(counted);
        let Table { spans, strays, places, rejects, counts, rewritten, offset, .. } = self;
        Framed { spans, strays, places, rejects, counts, rewritten, offset }
    }
}

/// A row of a [`Table`] that was begun.
pub struct Row<'t>(&'t mut [Span]);

impl Row<'_> {
    /// Puts a text into a slot, if nothing stands there yet; comes back with whether it did. No value stands at the
    /// very front of all.
    #[inline(always)]
    pub fn put_first(&mut self, slot: usize, value: Span) -> bool {
        let is_first = !self.is_filled(slot);
        if is_first {
            self.0[slot] = value;
        }
        is_first
    }

    /// Whether something was put there.
    #[inline(always)]
    fn is_filled(&self, slot: usize) -> bool {
        self.0[slot].start > 0
    }
}

/// What a [`Table`] held at some time.
pub struct Mark {
    rows: usize,
    strays: usize,
    rewritten: usize,
    counts: Counts,
}

/// A [`Table`] without its text.
pub struct Framed {
    spans: Vec<Span>,
    strays: Vec<Stray>,
    places: Vec<Place>,
    rejects: Vec<Reject>,
    counts: Counts,
    rewritten: Vec<u8>,
    offset: u64,
}

impl Framed {
    /// The records of the text that they were framed from.
    pub fn records(self, text: Checked, layout: Arc<Layout>) -> Records {
        let Framed { spans, strays, places, rejects, counts, rewritten, offset } = self;
        let text_bytes = text.bytes().len() as u64;
        let (arena, original) = text.into_arena(&rewritten);
        Records { offset, layout, text_bytes, arena, original, spans, strays, places, rejects, counts }
    }
}

#[inline]
fn bytes_of<'t>(text: &'t [u8], rewritten: &'t [u8], span: Span) -> &'t [u8] {
    let (start, len) = (span.start as usize, span.len as usize);
    match start.checked_sub(text.len()) {
        // A span of nothing may stand at the text's end.
        Some(start) => &rewritten[start..start + len],
        None => &text[start..start + len],
    }
}

/// What is told of an element that is none.
pub fn unreadable(why: Unreadable, layout: &Layout) -> (Reason, String) {
    let syntax = match layout.format.syntax {
        Syntax::Xml(_) => Reason::XmlSyntax,
        Syntax::Csv(_) | Syntax::Json(_) | Syntax::Ami(_) => Reason::JsonSyntax,
    };
    match why {
        Unreadable::TooLarge => (Reason::TooLarge, "too many bytes in one record".to_string()),
        Unreadable::NotARecord => (Reason::NotARecord, "no record where one should stand".to_string()),
        Unreadable::TooDeep => (Reason::TooDeep, "nested too deeply: read on at the next record".to_string()),
        Unreadable::Truncated => (Reason::Truncated, "the dump ends within this record".to_string()),
        Unreadable::Syntax => {
            (syntax, "its quotes or brackets do not match: read on at the next record".to_string())
        }
    }
}
