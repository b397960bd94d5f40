//! What only unusual elements have: attributes, and elements within elements. All of it goes to `extra`.

use std::ops::Range;

use memchr::{memchr, memchr2};

use super::{Fault, Framer, LONGEST_NAME, Source, shown, syntax, text_outside};
use crate::frame::{Reason, Span};
use crate::xml::{Aside, Ends, Reference, aside, attribute, end_tag, name_end, past_blanks, reference, tag};

/// Elements within elements; deeper ones are no record of a telephone system.
const MAX_DEPTH: usize = 32;

/// Attributes of one element.
const MAX_ATTRIBUTES: usize = 64;

impl Framer<'_> {
    /// The names and values of a tag's attributes.
    pub(super) fn attributes(
        &mut self,
        source: Source<'_>,
        tag: Range<usize>,
        element: &[u8],
    ) -> Result<Vec<(Range<usize>, Span)>, Fault> {
        let (mut at, mut found) = (tag.start, Vec::new());
        loop {
            match attribute(source.text, at, tag.end) {
                Ok(None) => return Ok(found),
                Ok(Some(attribute)) if found.len() < MAX_ATTRIBUTES => {
                    self.is_repaired |= attribute.is_bare;
                    at = attribute.end();
                    let value = self.plain(source, attribute.value)?;
                    found.push((attribute.name, value));
                }
                Ok(Some(_)) => {
                    return Err(syntax(format!(
                        "<{}> has more than {MAX_ATTRIBUTES} attributes",
                        shown(element)
                    )));
                }
                Err(()) => {
                    return Err(syntax(format!("the attributes of <{}> cannot be read", shown(element))));
                }
            }
        }
    }

    /// A text in which only references mean something.
    pub(super) fn plain(&mut self, source: Source<'_>, range: Range<usize>) -> Result<Span, Fault> {
        let text = &source.text[range.clone()];
        let Some(first) = memchr(b'&', text) else { return Ok(source.span(range)) };
        let (mut value, mut at, mut piece) = (Vec::new(), first, 0);
        loop {
            let next = self.reference(&text[at..])?;
            if let Some((character, length)) = next {
                value.extend_from_slice(&text[piece..at]);
                value.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                piece = at + length;
            }
            let from = piece.max(at + 1);
            match memchr(b'&', &text[from..]) {
                Some(ahead) => at = from + ahead,
                None => break,
            }
        }
        value.extend_from_slice(&text[piece..]);
        Ok(self.table.rewrite(&value))
    }

    /// The character that an `&` stands for, and the length of its reference; nothing where it is text.
    pub(super) fn reference(&mut self, text: &[u8]) -> Result<Option<(char, usize)>, Fault> {
        match reference(text) {
            Reference::Char(character, length) => Ok(Some((character, length))),
            Reference::Text => {
                self.is_repaired = true;
                Ok(None)
            }
            Reference::Undefined(length) => {
                Err(syntax(format!("`{}` stands for nothing that XML defines", shown(&text[..length]))))
            }
        }
    }

    /// The attributes of an element, under its name, a dot and their own.
    pub(super) fn stray_attributes(
        &mut self,
        source: Source<'_>,
        tag: Range<usize>,
        element: &[u8],
    ) -> Result<(), Fault> {
        if past_blanks(source.text, tag.start, tag.end) == tag.end {
            return Ok(());
        }
        for (name, value) in self.attributes(source, tag, element)? {
            let path = [element, b".", &source.text[name]].concat();
            let path = self.table.rewrite(&path);
            self.table.put_known(None, path, value);
        }
        Ok(())
    }

    /// Whether elements stand within the unknown one of that name, and all of them close each other.
    pub(super) fn is_nested(&self, source: Source<'_>, start: usize, name: &[u8]) -> Result<bool, Fault> {
        let text = source.text;
        let (mut open, mut at, mut children) = (vec![name], start, false);
        while let Some(found) = memchr(b'<', &text[at..]) {
            at += found;
            match text.get(at + 1) {
                Some(b'!' | b'?') => match aside(text, at, true) {
                    Some((kind, Ends::At(end))) if kind != Aside::Doctype => at = end,
                    _ => return Ok(false),
                },
                Some(b'/') => {
                    let end = name_end(text, at + 2);
                    let Some(after) = end_tag(text, end).filter(|_| open.pop() == Some(&text[at + 2..end]))
                    else {
                        return Ok(false);
                    };
                    if open.is_empty() {
                        return Ok(children);
                    }
                    at = after;
                }
                _ => {
                    let end = name_end(text, at + 1);
                    let found = &text[at + 1..end];
                    if found.is_empty() {
                        at += 1;
                        continue;
                    }
                    let Some(tag) = tag(text, end).filter(|tag| !tag.is_broken && !self.is_record(found))
                    else {
                        return Ok(false);
                    };
                    if !tag.is_closed {
                        open.push(found);
                    }
                    if open.len() > MAX_DEPTH {
                        return Err((
                            Reason::TooDeep,
                            format!("more than {MAX_DEPTH} elements within <{}>", shown(name)),
                        ));
                    }
                    (children, at) = (true, tag.end);
                }
            }
        }
        Ok(false)
    }

    /// The elements within the one of that path, which all close each other, and its own text; comes back
    /// with the end of its end tag. It goes no deeper than `MAX_DEPTH`.
    pub(super) fn nested(
        &mut self,
        source: Source<'_>,
        start: usize,
        path: &mut Vec<u8>,
        depth: usize,
    ) -> Result<usize, Fault> {
        let text = source.text;
        let (mut own, mut at, mut is_leaf) = (Vec::new(), start, true);
        loop {
            let Some(found) = memchr2(b'<', b'&', &text[at..]) else { return Err(text_outside()) };
            own.extend_from_slice(&text[at..at + found]);
            at += found;
            match (text[at], text.get(at + 1)) {
                (b'&', _) => match self.reference(&text[at..])? {
                    Some((character, length)) => {
                        own.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                        at += length;
                    }
                    None => {
                        own.push(b'&');
                        at += 1;
                    }
                },
                (_, Some(b'!' | b'?')) => match aside(text, at, true) {
                    Some((Aside::Cdata, Ends::At(end))) => {
                        own.extend_from_slice(&text[at + 9..end - 3]);
                        at = end;
                    }
                    Some((_, Ends::At(end))) => at = end,
                    _ => return Err(text_outside()),
                },
                (_, Some(b'/')) => {
                    if is_leaf || !own.trim_ascii().is_empty() {
                        let (path, own) = (self.table.rewrite(path), self.table.rewrite(&own));
                        self.table.put_known(None, path, own);
                    }
                    return end_tag(text, name_end(text, at + 2)).ok_or_else(text_outside);
                }
                _ => {
                    let name = at + 1..name_end(text, at + 1);
                    let Some(tag) = tag(text, name.end).filter(|_| !name.is_empty() && depth < MAX_DEPTH + 1)
                    else {
                        self.is_repaired = true;
                        own.push(b'<');
                        at += 1;
                        continue;
                    };
                    is_leaf = false;
                    let before = path.len();
                    if before + name.len() > LONGEST_NAME {
                        return Err(syntax(format!("a name of more than {LONGEST_NAME} bytes")));
                    }
                    path.push(b'.');
                    path.extend_from_slice(&text[name.clone()]);
                    let attributes = name.end..tag.end - 1 - usize::from(tag.is_closed);
                    self.stray_attributes(source, attributes, path)?;
                    at = if tag.is_closed { tag.end } else { self.nested(source, tag.end, path, depth + 1)? };
                    path.truncate(before);
                }
            }
        }
    }
}
