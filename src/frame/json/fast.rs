//! The fast way for records that are written like the ones before.
//!
//! A device writes the same keys in the same order, with the same blanks between. So what stands between two
//! values is remembered with the key that it ends in, and which key came next: where the same bytes stand
//! there again, the key need not be read. Where they do not, the member is read as it stands, and remembered.
//!
//! ```text
//!   {"AcctId": "9001", "src": "2001", "dst": …
//!   ╰────────╯value ╰────────╯value ╰───────╯       what is between: a step
//! ```
//!
//! It never decides anything. Whatever is irregular (a control character, a key
//! with an escape, a number that is none, subs out of order) is given up, and the careful way reads the element.

use std::ops::Range;

use super::super::Span;
use super::super::keyed::Table;
use crate::format::Nesting;
use crate::format::layout::Nest;
use crate::json::{self, MAX_DEPTH, Members, Value, key_at, skip_blank, value_at, value_end};
use crate::structure::{STEP, json::Stops};

/// The longest text between two values that is remembered.
const LONGEST: usize = 32;

/// Steps that are remembered; a dump whose records have ever new keys is read without.
const MOST: usize = 256;

/// Members of an object that are read the fast way.
const MOST_MEMBERS: usize = 1024;

/// Members of the objects within a record, all told, that are read the fast way; how deep these may be, and how long
/// their names.
const MOST_NESTED: usize = 64;
const DEEPEST: usize = 4;
const LONGEST_NESTED: usize = 256;

/// Lists nested deeper than so are read by the grammar, which knows how deep they stand.
const FLAT: usize = 16;

/// Reads elements the fast way.
pub struct Fast<'t> {
    stops: Stops<'t>,
    steps: Vec<Step>,
    /// Members of nested objects that the record may still have.
    nested_left: usize,
}

/// What stands between two values, and what it leads to.
struct Step {
    /// Its bytes, and ones in their place.
    bytes: [u128; 2],
    mask: [u128; 2],
    len: u8,
    /// Where its key stands in it.
    key: (u8, u8),
    to: To,
    /// The step that came next the last time.
    next: u32,
}

/// Where a value goes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum To {
    /// Into the slot of a known key.
    Slot(u16),
    /// Into that of the call's id.
    Group,
    /// Beside the slots.
    Stray,
    /// A record of a call: nothing is a main one.
    Part(Option<u64>),
    /// Only the careful way can tell.
    Unclear,
}

/// The steps before the first members: of an element, and of a record within a call.
const ELEMENT: usize = 0;
const PART: usize = 1;

/// The step that was not remembered: nothing is expected behind it.
const NONE: usize = 2;

/// A member that was come to: its step, its key, and where its value begins.
struct Member {
    step: usize,
    key: Range<usize>,
    to: To,
    value: usize,
}

/// What comes next in an object.
enum Next {
    Member(Member),
    /// Past its closing bracket.
    End(usize),
}

impl<'t> Fast<'t> {
    /// Nothing is remembered yet of the records of this table's text.
    pub fn new(table: &Table<'t>) -> Fast<'t> {
        let none =
            || Step { bytes: [1, 0], mask: [0, 0], len: 0, key: (0, 0), to: To::Stray, next: NONE as u32 };
        let stops = Stops::new(table.text, table.layout.dialect.eol);
        Fast { stops, steps: vec![none(), none(), none()], nested_left: 0 }
    }

    /// How many line ends the text has.
    pub fn lines(&self) -> u64 {
        self.stops.lines()
    }

    /// Frames an element; comes back with whether it did. If not, the table is as it was.
    pub fn element(&mut self, table: &mut Table<'_>, range: Range<usize>) -> bool {
        let nesting = table.layout.format.json().and_then(|json| json.nesting.as_ref());
        let mark = table.mark();
        self.nested_left = MOST_NESTED;
        self.stops.look(range.end);
        let end = match (nesting, table.layout.nest) {
            (Some(nesting), Some(nest)) => self.call_or_single(table, range.start, nesting, nest),
            _ => {
                let end = self.record(table, range.start, ELEMENT).filter(|_| table.has_known());
                end.inspect(|&end| table.accept(range.start, end))
            }
        };
        let is_framed = end == Some(range.end);
        if !is_framed {
            table.roll_back(&mark);
        }
        is_framed
    }

    /// An element that may be a call: it is one if a record of one stands in it, behind nothing but its id.
    fn call_or_single(
        &mut self,
        table: &mut Table<'_>,
        start: usize,
        nesting: &Nesting,
        nest: Nest,
    ) -> Option<usize> {
        // Of a call this row is dropped when that of its first record begins.
        table.begin();
        let (mut at, mut step, mut count) = (start + 1, ELEMENT, 0);
        let (mut group, mut is_call, mut last) = (Span::default(), false, None);
        while count < MOST_MEMBERS {
            if !is_call {
                count += self.expected(table, &mut at, &mut step);
            }
            let member = match self.next(table, Some(nesting), at, step, count == 0)? {
                Next::End(end) => {
                    if !is_call {
                        table.has_known().then(|| table.accept(start, end))?;
                    }
                    return Some(end);
                }
                Next::Member(member) => member,
            };
            (step, count) = (member.step, count + 1);
            if let To::Part(number) = member.to {
                let rank = number.map_or(0, |number| number.saturating_add(1));
                let before = count - 1 - usize::from(group.len > 0);
                if (!is_call && before > 0) || last.is_some_and(|last| last >= rank) {
                    return None;
                }
                (is_call, last) = (true, Some(rank));
                at = self.part(table, member.value, number, group, nest)?;
                continue;
            }
            if is_call || member.to == To::Unclear {
                return None;
            }
            if table.text.get(member.value) == Some(&b'{') && member.to != To::Group {
                at = self.nested(table, member.value, member.key, 0)?;
                continue;
            }
            let (value, end) = self.value(table, member.value)?;
            match member.to {
                To::Group => {
                    group = value;
                    let name = Span::new(member.key.start, member.key.end);
                    table.put_known(Some(nest.group), name, value);
                }
                to => put(table, to, member.key, value),
            }
            at = end;
        }
        None
    }

    /// Frames a record of a call that is no element; as [`Fast::element`].
    pub fn lone_part(
        &mut self,
        table: &mut Table<'_>,
        range: Range<usize>,
        number: Option<u64>,
        call: Span,
    ) -> bool {
        let Some(nest) = table.layout.nest else { return false };
        let mark = table.mark();
        self.stops.look(range.end);
        let is_framed = self.part(table, range.start, number, call, nest) == Some(range.end);
        if !is_framed {
            table.roll_back(&mark);
        }
        is_framed
    }

    /// A record within a call.
    fn part(
        &mut self,
        table: &mut Table<'_>,
        start: usize,
        number: Option<u64>,
        group: Span,
        nest: Nest,
    ) -> Option<usize> {
        if table.text.get(start) != Some(&b'{') {
            return None;
        }
        self.nested_left = MOST_NESTED;
        let end = self.record(table, start, PART)?;
        table.put_part(nest, number, group);
        table.accept(start, end);
        Some(end)
    }

    /// The members of a record; comes back with where it ends. It is not accepted yet.
    fn record(&mut self, table: &mut Table<'_>, start: usize, from: usize) -> Option<usize> {
        let nesting = table.layout.format.json().and_then(|json| json.nesting.as_ref());
        table.begin();
        let (mut at, mut step, mut count) = (start + 1, from, 0);
        while count < MOST_MEMBERS {
            count += self.expected(table, &mut at, &mut step);
            let member = match self.next(table, nesting, at, step, count == 0)? {
                // An empty one is no record.
                Next::End(end) => return (count > 0).then_some(end),
                Next::Member(member) => member,
            };
            if !matches!(member.to, To::Slot(_) | To::Stray) {
                return None;
            }
            (step, count) = (member.step, count + 1);
            if table.text.get(member.value) == Some(&b'{') {
                at = self.nested(table, member.value, member.key, 0)?;
                continue;
            }
            let (value, end) = self.value(table, member.value)?;
            put(table, member.to, member.key, value);
            at = end;
        }
        None
    }

    /// Members that are what is expected, and plain texts that have a slot; comes back with how many there are, at the
    /// place and the step that the next one is behind. Nearly all members are read by this loop.
    #[inline]
    fn expected(&self, table: &mut Table<'_>, at: &mut usize, step: &mut usize) -> usize {
        let text = table.text;
        let mut row = table.row();
        let mut count = 0;
        while count < MOST_MEMBERS / 2 {
            let next = self.steps[*step].next as usize;
            let known = &self.steps[next];
            let value = *at + known.len as usize;
            let Some(near) = text.get(*at..*at + LONGEST) else { break };
            let (To::Slot(slot), true) = (known.to, known.is_at(near)) else { break };
            if text.get(value) != Some(&b'"') {
                break;
            }
            let stop = self.stop(value + 1);
            if text.get(stop) != Some(&b'"') || !row.put_first(slot.into(), Span::new(value + 1, stop)) {
                break;
            }
            (*at, *step, count) = (stop + 1, next, count + 1);
        }
        count
    }

    /// The members of an object within a record, each under its name behind that of the object, which is a key in the
    /// text; comes back with where it ends.
    fn nested(
        &mut self,
        table: &mut Table<'_>,
        open: usize,
        key: Range<usize>,
        depth: usize,
    ) -> Option<usize> {
        let name = table.text[key].to_vec();
        self.nested_in(table, open, name, depth)
    }

    fn nested_in(
        &mut self,
        table: &mut Table<'_>,
        open: usize,
        mut name: Vec<u8>,
        depth: usize,
    ) -> Option<usize> {
        let text = table.text;
        name.push(b'.');
        let (own, mut members) = (name.len(), Members::new(text, open));
        while let Some(at) = members.next(text).ok()? {
            self.nested_left = self.nested_left.checked_sub(1)?;
            let (key, value) = key_at(text, at).ok()?;
            name.truncate(own);
            name.extend_from_slice(&text[key.start..key.end]);
            if self.stop(key.start) != key.end || name.len() > LONGEST_NESTED {
                return None;
            }
            if text.get(value) == Some(&b'{') {
                if depth == DEEPEST {
                    return None;
                }
                members.pass(self.nested_in(table, value, name.clone(), depth + 1)?);
                continue;
            }
            let (value, end) = self.value(table, value)?;
            let name = table.rewrite(&name);
            table.put(name, value);
            members.pass(end);
        }
        (!members.trailing_comma).then_some(members.end())
    }

    /// The member behind the value that ends at `at`, whose own step is `before`.
    #[inline]
    fn next(
        &mut self,
        table: &Table<'_>,
        nesting: Option<&Nesting>,
        at: usize,
        before: usize,
        is_first: bool,
    ) -> Option<Next> {
        let text = table.text;
        if text.get(at) == Some(&b'}') {
            return (!is_first).then_some(Next::End(at + 1));
        }
        let expected = self.steps[before].next as usize;
        let step = &self.steps[expected];
        if let Some(near) = text.get(at..at + LONGEST)
            && step.len > 0
            && step.is_at(near)
        {
            let key = at + step.key.0 as usize..at + step.key.1 as usize;
            let value = at + step.len as usize;
            return Some(Next::Member(Member { step: expected, key, to: step.to, value }));
        }
        self.read_next(table, nesting, at, before, is_first)
    }

    /// The same, read byte by byte, and remembered.
    #[cold]
    fn read_next(
        &mut self,
        table: &Table<'_>,
        nesting: Option<&Nesting>,
        from: usize,
        before: usize,
        is_first: bool,
    ) -> Option<Next> {
        let text = table.text;
        let mut at = skip_blank(text, from);
        if text.get(at) == Some(&b'}') {
            return (!is_first).then_some(Next::End(at + 1));
        }
        if !is_first {
            if text.get(at) != Some(&b',') {
                return None;
            }
            at = skip_blank(text, at + 1);
        }
        if text.get(at) != Some(&b'"') {
            return None;
        }
        let key = at + 1..self.stop(at + 1);
        let colon = skip_blank(text, key.end + 1);
        if text.get(key.end) != Some(&b'"')
            || text.get(colon) != Some(&b':')
            || key.len() > super::LONGEST_NAME
        {
            return None;
        }
        let value = skip_blank(text, colon + 1);
        let to = target(table, nesting, &text[key.clone()]);
        let step = self.remember(&text[from..value.min(text.len())], &key, from, to, before);
        Some(Next::Member(Member { step, key, to, value }))
    }

    /// The step with these bytes, which now is what comes behind `before`.
    fn remember(&mut self, between: &[u8], key: &Range<usize>, from: usize, to: To, before: usize) -> usize {
        if between.len() > LONGEST || before == NONE {
            return NONE;
        }
        let mut bytes = [0; LONGEST];
        bytes[..between.len()].copy_from_slice(between);
        let bytes = halves(&bytes);
        let same = |step: &Step| step.bytes == bytes && step.to == to && step.len as usize == between.len();
        let known = self.steps.iter().position(same);
        let step = match known {
            Some(step) => step,
            None if self.steps.len() >= MOST => return NONE,
            None => {
                let mut mask = [0; LONGEST];
                mask[..between.len()].fill(0xff);
                self.steps.push(Step {
                    bytes,
                    mask: halves(&mask),
                    len: between.len() as u8,
                    key: ((key.start - from) as u8, (key.end - from) as u8),
                    to,
                    next: NONE as u32,
                });
                self.steps.len() - 1
            }
        };
        self.steps[before].next = step as u32;
        step
    }

    /// The value at `at`, and where it ends; nothing where it is an object or irregular.
    #[inline]
    fn value(&self, table: &mut Table<'_>, at: usize) -> Option<(Span, usize)> {
        let text = table.text;
        if text.get(at) != Some(&b'"') {
            return bare(text, at);
        }
        let stop = self.stop(at + 1);
        if text.get(stop) == Some(&b'"') {
            return Some((Span::new(at + 1, stop), stop + 1));
        }
        self.escaped(table, at + 1, stop)
    }

    /// A text from `start` on that has an escape at `stop`.
    #[cold]
    fn escaped(&self, table: &mut Table<'_>, start: usize, mut stop: usize) -> Option<(Span, usize)> {
        let text = table.text;
        while text.get(stop) == Some(&b'\\') {
            stop = self.stop(stop + 2);
        }
        if text.get(stop) != Some(&b'"') {
            return None;
        }
        let mut plain = Ok(true);
        let span = table.rewrite_by(|out| plain = json::unescape(&text[start..stop], out));
        (plain == Ok(false)).then_some((span, stop + 1))
    }

    /// The next byte that ends the plain part of a text; the text's length where there is none.
    #[inline]
    fn stop(&self, at: usize) -> usize {
        let (mut word, shift, words) = (at / STEP, at % STEP, self.stops.words());
        // Most are near: the bits of the next 64 bytes are put together, so that it makes no difference which word
        // they stand in.
        if let Some(&[first, second]) = words.get(word..).and_then(<[u64]>::first_chunk) {
            let near = first >> shift | second << 1 << (STEP - 1 - shift);
            if near != 0 {
                return at + near.trailing_zeros() as usize;
            }
        }
        let Some(&first) = words.get(word) else { return at };
        let mut stops = first >> shift << shift;
        while stops == 0 {
            word += 1;
            // The last word is all ones.
            stops = words[word];
        }
        word * STEP + stops.trailing_zeros() as usize
    }
}

impl Step {
    /// Whether its bytes stand at the front of these.
    #[inline(always)]
    fn is_at(&self, near: &[u8]) -> bool {
        let Some(near) = near.first_chunk::<LONGEST>() else { return false };
        let near = halves(near);
        // Most are short.
        (near[0] ^ self.bytes[0]) & self.mask[0] == 0
            && (self.len <= 16 || (near[1] ^ self.bytes[1]) & self.mask[1] == 0)
    }
}

#[inline]
fn halves(bytes: &[u8; LONGEST]) -> [u128; 2] {
    let (halves, _) = bytes.as_chunks::<16>();
    [u128::from_le_bytes(halves[0]), u128::from_le_bytes(halves[1])]
}

/// Where the value of a key goes.
fn target(table: &Table<'_>, nesting: Option<&Nesting>, key: &[u8]) -> To {
    if let Some(nesting) = nesting {
        if key == nesting.group.as_bytes() {
            return To::Group;
        }
        match nesting.number(key) {
            Some(None) => return To::Part(None),
            Some(Some(Some(number))) => return To::Part(Some(number)),
            Some(Some(None)) => return To::Unclear,
            None => {}
        }
    }
    table.layout.keys.slot(key).map_or(To::Stray, |slot| To::Slot(slot as u16))
}

#[inline]
fn put(table: &mut Table<'_>, to: To, key: Range<usize>, value: Span) {
    let slot = if let To::Slot(slot) = to { Some(usize::from(slot)) } else { None };
    table.put_known(slot, Span::new(key.start, key.end), value);
}

/// A number, a word or a list.
fn bare(text: &[u8], at: usize) -> Option<(Span, usize)> {
    match value_at(text, at).ok()? {
        Value::Bare(start, end) => Some((Span::new(start, end), end)),
        Value::Null(end) => Some((Span::default(), end)),
        Value::List => {
            let end = value_end(text, at, MAX_DEPTH - FLAT).ok()?;
            let is_empty = skip_blank(text, at + 1) + 1 == end;
            Some((if is_empty { Span::default() } else { Span::new(at, end) }, end))
        }
        Value::Text(_) | Value::Object => None,
    }
}
