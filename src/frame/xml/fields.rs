//! The fields of a record: the expected one fast, any other by the grammar.

use std::ops::Range;

use memchr::memchr2;

use super::{Fault, Framer, LONGEST_NAME, Source, shown, syntax, text_outside};
use crate::frame::Span;
use crate::xml::{Aside, Ends, aside, end_tag, is_blank, name_end, past_blanks, tag};

/// Which field follows which, and how it is spelled.
pub(super) struct Expected {
    /// By the slot before and one more, 0 being the record's start: the slot that followed the last time.
    after: Vec<u32>,
    /// By slot.
    names: Vec<Spelled>,
    /// The slot before, and one more.
    pub(super) before: usize,
}

/// A name that is compared in one step: its bytes, and a mask of as many.
#[derive(Clone, Copy)]
struct Spelled {
    bytes: u128,
    mask: u128,
    length: usize,
}

/// No text is that.
const UNKNOWN: Spelled = Spelled { bytes: 1, mask: 0, length: 0 };

impl Spelled {
    /// A name of at most sixteen bytes; a longer one is never expected.
    fn new(name: &[u8]) -> Spelled {
        let mut bytes = [0; 16];
        let Some(front) = bytes.get_mut(..name.len()) else { return UNKNOWN };
        front.copy_from_slice(name);
        let mask = u128::MAX.checked_shr(128 - 8 * name.len() as u32).unwrap_or(0);
        Spelled { bytes: u128::from_le_bytes(bytes), mask, length: name.len() }
    }

    /// Whether it stands at `at`. Of the text's last bytes the careful way may tell.
    #[inline]
    fn stands(&self, text: &[u8], at: usize) -> bool {
        let bytes = text.get(at..).and_then(|text| text.first_chunk::<16>());
        bytes.is_some_and(|bytes| u128::from_le_bytes(*bytes) & self.mask == self.bytes)
    }
}

impl Expected {
    pub(super) fn new(slots: usize) -> Expected {
        Expected { after: vec![0; slots + 1], names: vec![UNKNOWN; slots], before: 0 }
    }

    /// Says that this field was read.
    pub(super) fn learn(&mut self, slot: usize, name: &[u8]) {
        self.after[self.before] = slot as u32;
        self.before = slot + 1;
        self.names[slot] = Spelled::new(name);
    }
}

impl Framer<'_> {
    /// Reads fields up to the end, or to an end tag; comes back with where that stands.
    pub(super) fn fields(&mut self, source: Source<'_>, range: Range<usize>) -> Result<usize, Fault> {
        let (text, mut at) = (&source.text[..range.end], range.start);
        loop {
            if text.get(at) != Some(&b'<') {
                at = past_blanks(text, at, text.len());
            }
            if let Some(next) = self.is_fast.then(|| self.expected(source, text, at)).flatten() {
                at = next;
                continue;
            }
            at = match text.get(at..at + 2) {
                Some(b"</") => return Ok(at),
                Some([b'<', b'!' | b'?']) => match aside(text, at, true) {
                    Some((Aside::Comment | Aside::Instruction, Ends::At(end))) => end,
                    _ => return Err(text_outside()),
                },
                Some([b'<', _]) => self.element(Source { text, ..source }, at)?,
                _ if at == text.len() => return Ok(at),
                _ => return Err(text_outside()),
            };
        }
    }

    /// The field at `at`, if it is the expected one and plain; comes back with its end.
    #[inline]
    fn expected(&mut self, source: Source<'_>, text: &[u8], at: usize) -> Option<usize> {
        let slot = self.expected.after[self.expected.before] as usize;
        let name = self.expected.names[slot];
        let named = at + 1 + name.length;
        if text.get(at) != Some(&b'<') || !name.stands(text, at + 1) {
            return None;
        }
        let (value, end) = match &text[named..] {
            [b'>', value @ ..] => {
                let close = named + 1 + memchr2(b'<', b'&', value)?;
                let end = close + 2 + name.length;
                if !text[close..].starts_with(b"</")
                    || !name.stands(text, close + 2)
                    || text.get(end) != Some(&b'>')
                {
                    return None;
                }
                (named + 1..close, end + 1)
            }
            [b'/', b'>', ..] => (named..named, named + 2),
            _ => return None,
        };
        self.expected.before = slot + 1;
        self.table.put_known(Some(slot), source.span(at + 1..named), source.span(value));
        Some(end)
    }

    /// The element at `at`, read by the grammar; comes back with its end.
    pub(super) fn element(&mut self, source: Source<'_>, at: usize) -> Result<usize, Fault> {
        let text = source.text;
        let name = at + 1..name_end(text, at + 1);
        if name.is_empty() {
            return Err(text_outside());
        }
        let own = &text[name.clone()];
        if name.len() > LONGEST_NAME {
            return Err(syntax(format!("a name of {} bytes", name.len())));
        }
        if self.is_record(own) {
            return Err(syntax(format!("a <{}> within a record", shown(own))));
        }
        let Some(tag) = tag(text, name.end).filter(|tag| !tag.is_broken) else {
            return Err(syntax(format!("the start tag of <{}> has no end", shown(own))));
        };
        let slot = self.layout.keys.slot(own);
        let (value, end) = match tag.is_closed {
            true => (Some(Span::default()), tag.end),
            false if slot.is_none() && self.is_nested(source, tag.end, own)? => {
                let end = self.nested(source, tag.end, &mut own.to_vec(), 1)?;
                (None, end)
            }
            false => {
                let (value, end) = self.value(source, tag.end, own)?;
                (Some(value), end)
            }
        };
        if let Some(value) = value {
            self.table.put_known(slot, source.span(name.clone()), value);
        }
        let attributes = name.end..tag.end - 1 - usize::from(tag.is_closed);
        self.stray_attributes(source, attributes, own)?;
        if let Some(slot) = slot {
            self.expected.learn(slot, own);
        }
        Ok(end)
    }

    pub(super) fn is_record(&self, name: &[u8]) -> bool {
        [self.xml.call, self.xml.main, self.xml.sub].iter().any(|record| record.as_bytes() == name)
    }

    /// A field's value and the end of its end tag; elements within it are text.
    pub(super) fn value(
        &mut self,
        source: Source<'_>,
        start: usize,
        name: &[u8],
    ) -> Result<(Span, usize), Fault> {
        let text = source.text;
        let (mut built, mut piece, mut at) = (None::<Vec<u8>>, start, start);
        loop {
            let found = memchr2(b'<', b'&', &text[at..]);
            at += found.ok_or_else(|| syntax(format!("<{}> has no end tag", shown(name))))?;
            let add: Option<(&[u8], usize)>;
            let mut buffer = [0; 4];
            if text[at] == b'&' {
                let found = self.reference(&text[at..])?;
                add = found.map(|(char, length)| (char.encode_utf8(&mut buffer).as_bytes(), at + length));
            } else {
                match self.at_angle(text, at, name)? {
                    Angle::Own(end) => {
                        let Some(mut built) = built else { return Ok((source.span(piece..at), end)) };
                        built.extend_from_slice(&text[piece..at]);
                        return Ok((self.table.rewrite(&built), end));
                    }
                    Angle::Aside(end) => add = Some((&[], end)),
                    Angle::Cdata(range, end) => add = Some((&text[range], end)),
                    Angle::Text => {
                        self.is_repaired = true;
                        add = None;
                    }
                }
            }
            match add {
                None => at += 1,
                Some((more, end)) => {
                    let built = built.get_or_insert_default();
                    built.extend_from_slice(&text[piece..at]);
                    built.extend_from_slice(more);
                    (piece, at) = (end, end);
                }
            }
        }
    }

    /// What a `<` within the field of that name is.
    fn at_angle(&self, text: &[u8], at: usize, name: &[u8]) -> Result<Angle, Fault> {
        match text.get(at + 1) {
            Some(b'/') => {
                let end = name_end(text, at + 2);
                let found = &text[at + 2..end];
                match end_tag(text, end) {
                    Some(end) if found == name => Ok(Angle::Own(end)),
                    _ if self.is_record(found) => {
                        Err(syntax(format!("<{}> is not closed before </{}>", shown(name), shown(found))))
                    }
                    _ => Ok(Angle::Text),
                }
            }
            Some(b'!' | b'?') => match aside(text, at, true) {
                Some((Aside::Cdata, Ends::At(end))) => Ok(Angle::Cdata(at + 9..end - 3, end)),
                Some((Aside::Comment | Aside::Instruction, Ends::At(end))) => Ok(Angle::Aside(end)),
                None | Some((Aside::Instruction, _)) => Ok(Angle::Text),
                Some(_) => Err(syntax(format!("within <{}> a comment or the like has no end", shown(name)))),
            },
            _ => {
                let end = name_end(text, at + 1);
                let found = &text[at + 1..end];
                let ends = text.get(end).is_some_and(|&byte| matches!(byte, b'>' | b'/') || is_blank(byte));
                if ends
                    && !found.is_empty()
                    && (self.is_record(found) || self.layout.keys.slot(found).is_some())
                {
                    return Err(syntax(format!("<{}> is not closed before <{}>", shown(name), shown(found))));
                }
                Ok(Angle::Text)
            }
        }
    }
}

/// What a `<` within a field is.
enum Angle {
    /// The field's own end tag, which ends there.
    Own(usize),
    /// A comment or an instruction, which ends there.
    Aside(usize),
    /// Text as it stands, and where its section ends.
    Cdata(Range<usize>, usize),
    /// A `<`.
    Text,
}
