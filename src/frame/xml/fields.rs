//! The fields of a record: the expected one fast, any other by the grammar.

use std::ops::Range;

use memchr::{memchr, memchr2};

use super::{Fault, Framer, LONGEST_NAME, Source, shown, syntax, text_outside};
use crate::frame::Span;
use crate::xml::{Aside, Ends, aside, end_tag, is_blank, name_end, past_blanks, tag};

/// Which field follows which, and how it is spelled.
pub(super) struct Expected {
    /// By the slot before and one more, 0 being the record's start: the slot that followed the last time.
    after: Vec<u32>,
    /// By slot: `<name`, and `</name>`.
    tags: Vec<(Vec<u8>, Vec<u8>)>,
    /// The slot before, and one more.
    pub(super) before: usize,
}

impl Expected {
    pub(super) fn new(slots: usize) -> Expected {
        Expected {
            after: vec![0; slots + 1],
            tags: vec![(b"<\0".to_vec(), b"</\0>".to_vec()); slots],
            before: 0,
        }
    }

    /// Says that this field was read.
    pub(super) fn learn(&mut self, slot: usize, name: &[u8]) {
        self.after[self.before] = slot as u32;
        self.before = slot + 1;
        let (open, close) = &mut self.tags[slot];
        if &open[1..] != name {
            *open = [b"<", name].concat();
            *close = [b"</", name, b">"].concat();
        }
    }
}

impl Framer<'_> {
    /// Reads fields up to the end, or to an end tag; comes back with where that stands.
    pub(super) fn fields(&mut self, source: Source<'_>, range: Range<usize>) -> Result<usize, Fault> {
        let (text, mut at) = (&source.text[..range.end], range.start);
        loop {
            at = past_blanks(text, at, text.len());
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
        let (open, close) = &self.expected.tags[slot];
        let behind = text[at..].strip_prefix(open.as_slice())?;
        let named = at + open.len();
        let (value, end) = match behind {
            [b'>', value @ ..] => {
                let length = memchr(b'<', value)?;
                if !value[length..].starts_with(close) || memchr(b'&', &value[..length]).is_some() {
                    return None;
                }
                (named + 1..named + 1 + length, named + 1 + length + close.len())
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
