//! JSON elements → spans.
//!
//! An element is one record, or a call: an object that holds a main record and subs. Each is a row of its own,
//! and is rejected by itself; only where the element itself cannot be read is it one reject.
//!
//! Nearly every element is written like the one before it, and read the fast way (`json/fast.rs`); whatever is not
//! is read by the grammar, here. The two are held against each other.
//!
//! Values stand where they stood. Texts with escapes, names of nested values (`outer.inner`) and second keys
//! (`name#2`) are rewritten behind the text. A list is its own text.

mod fast;

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use super::keyed::{Framed, Refusal, Table};
use super::{Checked, How, Reason, Records, Span};
use crate::csv::MAX_FIELDS;
use crate::format::{Layout, Nesting};
use crate::json::{self, Fault, MAX_DEPTH, Members, Text, Value, key_at, skip_blank, value_at, value_end};
use crate::split::{Element, ElementKind};
use fast::Fast;

/// The longest name of a value, with the names of what it is nested in.
const LONGEST_NAME: usize = 1024;

/// Bytes of nested names that even a short record may have.
const LONGEST_NAMES: usize = 64 << 10;

/// Frames the records of a block.
pub fn frame(
    text: Vec<u8>,
    elements: &[Element],
    call: &[u8],
    offset: u64,
    layout: Arc<Layout>,
    how: How,
) -> Records {
    let text = Checked::new(text);
    let table = Table::new(&text, offset, &layout, how);
    let fast = table.is_utf8.then(|| Fast::new(&table));
    let framed = frame_by(table, elements, call, fast);
    framed.records(text, layout)
}

/// The same, by the grammar alone: the slow twin.
pub fn frame_carefully(
    text: Vec<u8>,
    elements: &[Element],
    call: &[u8],
    offset: u64,
    layout: Arc<Layout>,
    how: How,
) -> Records {
    let text = Checked::new(text);
    let framed = frame_by(Table::new(&text, offset, &layout, how), elements, call, None);
    framed.records(text, layout)
}

/// Frames the elements, the fast way where there is one.
fn frame_by<'t>(table: Table<'t>, elements: &[Element], call: &[u8], mut fast: Option<Fast<'t>>) -> Framed {
    let mut framer = Framer { table, members: Vec::new(), names_left: 0 };
    let call = framer.table.rewrite(call);
    for element in elements {
        let range = element.range();
        if framer.table.is_bad(element) {
            continue;
        }
        let is_framed = fast.as_mut().is_some_and(|fast| match element.kind {
            ElementKind::Part(number) => fast.lone_part(&mut framer.table, range.clone(), number, call),
            _ => fast.element(&mut framer.table, range.clone()),
        });
        match element.kind {
            _ if is_framed => {}
            ElementKind::Part(number) => framer.lone_part(range, number, call),
            _ => framer.element(range),
        }
    }
    if let Some(fast) = fast {
        framer.table.count_lines(fast.lines());
    }
    framer.table.finish()
}

struct Framer<'a> {
    table: Table<'a>,
    /// Scratch: the members of the call that is being framed.
    members: Vec<Range<usize>>,
    /// How many bytes the record may still take for nested names, each of which repeats those it is nested in.
    names_left: usize,
}

/// The text that a record is read from, and where that stands in the arena.
#[derive(Clone, Copy)]
struct Source<'t> {
    text: &'t [u8],
    shift: usize,
}

impl Source<'_> {
    fn span(&self, start: usize, end: usize) -> Span {
        Span::new(start + self.shift, end + self.shift)
    }
}

/// A record within a call.
struct Part {
    is_main: bool,
    /// The sub's number; nothing where its key has none.
    index: Option<u64>,
    range: Range<usize>,
}

impl Framer<'_> {
    fn element(&mut self, range: Range<usize>) {
        let nesting = self.table.layout.format.json().and_then(|json| json.nesting.as_ref());
        let parts = nesting.map(|nesting| self.parts(&range, nesting));
        match parts {
            None => self.single(range),
            Some(Ok(parts)) if parts.is_empty() => self.single(range),
            Some(Ok(parts)) => self.call(range, parts),
            Some(Err(fault)) => self.refuse(range, refusal(fault)),
        }
    }

    /// The records within an element, the main one first and the subs by their numbers; none where it is
    /// itself a record. What else it holds stands in `members`.
    fn parts(&mut self, range: &Range<usize>, nesting: &Nesting) -> Result<Vec<Part>, Fault> {
        let text = &self.table.text[..range.end];
        self.members.clear();
        let mut parts = Vec::new();
        let mut members = Members::new(text, range.start);
        while let Some(at) = members.next(text)? {
            let (key, value) = key_at(text, at)?;
            let name = &text[key.start..key.end];
            let end = json::bracket_end(text, value)?;
            members.pass(end);
            match nesting.number(name) {
                Some(None) if text[value] == b'{' => {
                    parts.push(Part { is_main: true, index: None, range: value..end });
                }
                Some(Some(index)) if text[value] == b'{' => {
                    parts.push(Part { is_main: false, index, range: value..end });
                }
                Some(Some(index)) if text[value] == b'[' => list_of_subs(text, value, index, &mut parts)?,
                _ => self.members.push(at..end),
            }
        }
        number(&mut parts);
        Ok(parts)
    }

    /// A record of a call that is no element.
    fn lone_part(&mut self, range: Range<usize>, number: Option<u64>, call: Span) {
        let Some(nest) = self.table.layout.nest else { return self.single(range) };
        let framed = self.record(range.clone(), |framer| {
            framer.table.put_part(nest, number, call);
            Ok(())
        });
        if let Err(refusal) = framed {
            self.table.reject_part(range, refusal, call, number);
        }
    }

    fn single(&mut self, range: Range<usize>) {
        let is_known = |framer: &mut Self| match framer.table.has_known() {
            true => Ok(()),
            false => Err((Reason::NotARecord, None, "none of its keys is a record's".to_string())),
        };
        if let Err(refusal) = self.record(range.clone(), is_known) {
            self.table.reject_single(range, refusal);
        }
    }

    fn call(&mut self, range: Range<usize>, parts: Vec<Part>) {
        let Some(nest) = self.table.layout.nest else { return };
        if let Err((reason, message)) = self.own_text(&range, &parts) {
            return self.refuse(range, (reason, None, message));
        }
        let group = match self.group() {
            Ok(group) => group,
            Err(refusal) => return self.refuse(range, refusal),
        };
        let mut own = std::mem::take(&mut self.members);
        for part in parts {
            let number = part.index.filter(|_| !part.is_main);
            let framed = self.record(part.range.clone(), |framer| {
                framer.table.put_part(nest, number, group);
                // What the call says besides goes with its first record.
                own.iter().try_for_each(|member| framer.own_member(member.clone()))
            });
            match framed {
                Ok(()) => own.clear(),
                Err(refusal) => self.table.reject_part(part.range, refusal, group, number),
            }
        }
        self.members = own;
    }

    /// Whether what the call holds besides its records can be read.
    fn own_text(&self, range: &Range<usize>, parts: &[Part]) -> Result<(), (Reason, String)> {
        if self.table.is_utf8 {
            return Ok(());
        }
        let mut inner: Vec<&Range<usize>> = parts.iter().map(|part| &part.range).collect();
        inner.sort_by_key(|part| part.start);
        let mut at = range.start;
        for part in inner.into_iter().map(Some).chain([None]) {
            let end = part.map_or(range.end, |part| part.start);
            if std::str::from_utf8(&self.table.text[at..end]).is_err() {
                return Err((Reason::InvalidUtf8, "not UTF-8 outside of its records".to_string()));
            }
            at = part.map_or(end, |part| part.end);
        }
        Ok(())
    }

    /// The call's id.
    fn group(&mut self) -> Result<Span, Refusal> {
        let nesting = self.table.layout.format.json().and_then(|json| json.nesting.as_ref());
        let Some(nesting) = nesting else { return Ok(Span::default()) };
        let source = Source { text: self.table.text, shift: 0 };
        for at in 0..self.members.len() {
            let member = self.members[at].clone();
            let (key, value) = key_at(source.text, member.start).map_err(refusal)?;
            if &source.text[key.start..key.end] == nesting.group.as_bytes() {
                self.members.remove(at);
                return self.scalar(source, key, value, member.end);
            }
        }
        Ok(Span::default())
    }

    /// A member of the call itself, which no slot of its records is for.
    fn own_member(&mut self, member: Range<usize>) -> Result<(), Refusal> {
        let source = Source { text: self.table.text, shift: 0 };
        let (key, value) = key_at(source.text, member.start).map_err(refusal)?;
        let name = self.name(source, key)?;
        if matches!(source.text[value], b'{') {
            return self.object(source, value, Some(name), 1).map(drop);
        }
        let value = self.scalar(source, key, value, member.end)?;
        self.table.put_known(None, name, value);
        Ok(())
    }

    /// Frames the record whose object stands at this range; `more` puts what stands outside of it.
    fn record(
        &mut self,
        range: Range<usize>,
        more: impl FnOnce(&mut Self) -> Result<(), Refusal>,
    ) -> Result<(), Refusal> {
        self.table.begin();
        self.names_left = LONGEST_NAMES + 4 * range.len();
        let readable = self.table.readable(range.start, range.end);
        let readable = readable.map_err(|(reason, message)| (reason, None, message))?;
        let is_whole = match &readable {
            Cow::Borrowed(_) => {
                let source = Source { text: &self.table.text[..range.end], shift: 0 };
                self.whole(source, range.start)? == range.end
            }
            Cow::Owned(decoded) => {
                let shift = self.table.rewrite(decoded).start as usize;
                self.whole(Source { text: decoded, shift }, 0)? == decoded.len()
            }
        };
        if !is_whole {
            return Err((
                Reason::JsonSyntax,
                None,
                "something stands behind its closing bracket".to_string(),
            ));
        }
        more(self)?;
        self.table.accept(range.start, range.end);
        Ok(())
    }

    /// The members of a record; comes back with where it ends.
    fn whole(&mut self, source: Source<'_>, open: usize) -> Result<usize, Refusal> {
        if source.text.get(skip_blank(source.text, open + 1)) == Some(&b'}') {
            return Err((Reason::NotARecord, None, "an object that holds nothing".to_string()));
        }
        self.object(source, open, None, 0)
    }

    /// Puts the members of an object that is `depth` deep in its record, under `prefix` and a dot.
    fn object(
        &mut self,
        source: Source<'_>,
        open: usize,
        prefix: Option<Span>,
        depth: usize,
    ) -> Result<usize, Refusal> {
        if depth >= MAX_DEPTH {
            return Err(refusal(Fault::TooDeep));
        }
        let text = source.text;
        let mut members = Members::new(text, open);
        let mut count = 0;
        while let Some(at) = members.next(text).map_err(refusal)? {
            count += 1;
            if count > MAX_FIELDS {
                return Err((Reason::FieldCount, None, format!("more than {MAX_FIELDS} keys")));
            }
            let (key, value) = key_at(text, at).map_err(refusal)?;
            let own = self.name(source, key)?;
            let name = self.nested(prefix, own)?;
            if text.get(value) == Some(&b'{') {
                members.pass(self.object(source, value, Some(name), depth + 1)?);
                continue;
            }
            let end = value_end(text, value, depth).map_err(refusal)?;
            let span = self.scalar(source, key, value, end)?;
            self.put(prefix, name, span);
            members.pass(end);
        }
        if members.trailing_comma {
            self.table.repaired();
        }
        Ok(members.end())
    }

    /// Puts a value; the id of a call that is one record goes where that of a call of several does.
    fn put(&mut self, prefix: Option<Span>, name: Span, value: Span) {
        let json = self.table.layout.format.json();
        let group = json.and_then(|json| json.nesting.as_ref()).map(|nesting| nesting.group.as_bytes());
        match self.table.layout.nest {
            Some(nest) if prefix.is_none() && Some(self.table.bytes(name)) == group => {
                self.table.put_known(Some(nest.group), name, value);
            }
            _ => self.table.put(name, value),
        }
    }

    /// What a key says.
    fn name(&mut self, source: Source<'_>, key: Text) -> Result<Span, Refusal> {
        let name = self.text(source, key).map_err(|()| {
            (Reason::JsonEscape, None, "a key with a backslash that begins no escape".to_string())
        })?;
        if name.len as usize > LONGEST_NAME {
            return Err((Reason::JsonSyntax, None, format!("a key of {} bytes", name.len)));
        }
        Ok(name)
    }

    /// A name behind that of what it is nested in.
    fn nested(&mut self, prefix: Option<Span>, own: Span) -> Result<Span, Refusal> {
        let Some(prefix) = prefix else { return Ok(own) };
        let name = [self.table.bytes(prefix), b".", self.table.bytes(own)].concat();
        if name.len() > LONGEST_NAME {
            return Err((Reason::TooDeep, None, format!("nested keys of {} bytes", name.len())));
        }
        let Some(left) = self.names_left.checked_sub(name.len()) else {
            return Err((Reason::TooDeep, None, "its nested keys are far longer than itself".to_string()));
        };
        self.names_left = left;
        Ok(self.table.rewrite(&name))
    }

    /// The span of a value that is no object, and ends at `end`.
    fn scalar(&mut self, source: Source<'_>, key: Text, value: usize, end: usize) -> Result<Span, Refusal> {
        let text = source.text;
        match value_at(text, value).map_err(refusal)? {
            Value::Text(found) => self.text(source, found).map_err(|()| {
                let field = String::from_utf8_lossy(&text[key.start..key.end]).into_owned();
                (Reason::JsonEscape, Some(field), "a backslash that begins no escape".to_string())
            }),
            Value::Bare(start, end) => Ok(source.span(start, end)),
            Value::Null(_) => Ok(Span::default()),
            // Nothing in it is nothing.
            Value::List | Value::Object if skip_blank(text, value + 1) + 1 == end => Ok(Span::default()),
            Value::List | Value::Object => Ok(source.span(value, end)),
        }
    }

    /// What a text says.
    fn text(&mut self, source: Source<'_>, text: Text) -> Result<Span, ()> {
        let inner = &source.text[text.start..text.end];
        if inner.iter().any(|&byte| byte < b' ') {
            self.table.repaired();
        }
        if !text.escaped {
            return Ok(source.span(text.start, text.end));
        }
        let mut outcome = Ok(false);
        let span = self.table.rewrite_by(|out| outcome = json::unescape(inner, out));
        match outcome {
            Ok(repaired) => {
                if repaired {
                    self.table.repaired();
                }
                Ok(span)
            }
            Err(_) if self.table.how.lenient => {
                self.table.repaired();
                Ok(source.span(text.start, text.end))
            }
            Err(_) => Err(()),
        }
    }

    fn refuse(&mut self, range: Range<usize>, (reason, field, message): Refusal) {
        self.table.reject(range.start, range.end, reason, field, message);
    }
}

/// A list of subs: the first has the number of its key.
fn list_of_subs(text: &[u8], open: usize, index: Option<u64>, parts: &mut Vec<Part>) -> Result<(), Fault> {
    let mut members = Members::new(text, open);
    let mut index = index;
    while let Some(at) = members.next(text)? {
        if text[at] != b'{' {
            return Err(Fault::Expected("a sub record", at));
        }
        let end = json::bracket_end(text, at)?;
        members.pass(end);
        parts.push(Part { is_main: false, index, range: at..end });
        index = index.map(|index| index.saturating_add(1));
    }
    Ok(())
}

/// Orders the records of a call; subs whose keys have no number are counted.
fn number(parts: &mut [Part]) {
    let mut next = 1;
    for part in parts.iter_mut().filter(|part| !part.is_main) {
        let index = *part.index.get_or_insert(next);
        next = index.saturating_add(1);
    }
    parts.sort_by_key(|part| (!part.is_main, part.index));
}

fn refusal(fault: Fault) -> Refusal {
    let message = match fault {
        Fault::Open => "it ends within a value".to_string(),
        Fault::Expected(what, _) => format!("{what} is expected where something else stands"),
        Fault::TooDeep => {
            return (Reason::TooDeep, None, format!("nested more than {MAX_DEPTH} brackets deep"));
        }
    };
    (Reason::JsonSyntax, None, message)
}

#[cfg(test)]
mod tests;
