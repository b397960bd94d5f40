//! XML calls → spans.
//!
//! Devices write the same fields in the same order, record after record. So the field that comes next
//! is known before it is read (`Expected`), and one comparison and one search for `<` make a span of
//! it. Whatever is not as expected is read by the grammar of `xml.rs`, field by field, and says what to
//! expect the next time; the two ways are held against each other, and against quick-xml.
//!
//! What is not XML, though devices write it, is repaired where only one reading makes sense:
//!
//! - an `&` that begins no reference is text;
//! - within a field, a `<` is text that begins neither the field's own end tag nor a known element, a
//!   comment and its like: `<clid>"John Doe" <1000></clid>`. A known element there says that the end tag
//!   is lost.
//!
//! An element that no table knows goes to `extra`, those within it under its name, a dot and their own;
//! so do attributes. If the elements within it do not close each other they are text.

mod fields;
mod nested;

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use super::keyed::Table;
use super::{Checked, How, Reason, Records, Span};
use crate::format::layout::Nest;
use crate::format::{Layout, Xml};
use crate::split::xml::{Gap, MarkKind, Marks, Name};
use crate::split::{Element, ElementKind, MAX_RECORD};
use crate::xml::{Ends, aside, end_tag, past_blanks, tag};
use fields::Expected;

/// The longest name of an element, with the names of what it is nested in.
const LONGEST_NAME: usize = 1024;

/// Frames the calls of a block.
pub fn frame(
    text: Vec<u8>,
    elements: &[Element],
    call: &[u8],
    offset: u64,
    layout: Arc<Layout>,
    how: How,
) -> Records {
    let text = Checked::new(text);
    elements_of(&text, elements, call, offset, &layout, how, true).finish().records(text, layout)
}

/// The same, every field by the grammar: the slow twin.
pub fn frame_carefully(
    text: Vec<u8>,
    elements: &[Element],
    call: &[u8],
    offset: u64,
    layout: Arc<Layout>,
    how: How,
) -> Records {
    let text = Checked::new(text);
    elements_of(&text, elements, call, offset, &layout, how, false).finish().records(text, layout)
}

/// The same, with or without the fast way.
fn elements_of<'a>(
    text: &'a Checked,
    elements: &[Element],
    call: &[u8],
    offset: u64,
    layout: &'a Layout,
    how: How,
    is_fast: bool,
) -> Table<'a> {
    let mut framer = Framer::new(text, offset, layout, how, is_fast);
    for element in elements {
        if !framer.table.is_bad(element) {
            match element.kind {
                ElementKind::Rest(subs) => framer.rest(element.range(), call, subs),
                _ => framer.call(element.range()),
            }
        }
    }
    framer.table
}

/// Why a record is rejected.
type Fault = (Reason, String);

fn syntax(message: impl Into<String>) -> Fault {
    (Reason::XmlSyntax, message.into())
}

/// A name for messages.
fn shown(name: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(&name[..name.len().min(60)])
}

/// Text that is read, and where it stands in the arena: the block's own, or a record's that was decoded.
#[derive(Clone, Copy)]
struct Source<'a> {
    text: &'a [u8],
    shift: usize,
}

impl Source<'_> {
    fn span(&self, range: Range<usize>) -> Span {
        Span::new(range.start + self.shift, range.end + self.shift)
    }
}

/// A call whose start tag was read.
struct Call {
    whole: Range<usize>,
    /// What stands between its tags.
    content: Range<usize>,
    is_closed: bool,
    /// It began in a block before.
    is_rest: bool,
    id: Span,
    /// Something of its start tag is repaired: that counts in its first record, too.
    is_repaired: bool,
    /// Its other attributes; they go to its first record.
    attributes: Vec<(Span, Span)>,
    /// Its subs so far.
    subs: u64,
}

impl Call {
    fn new(whole: Range<usize>, content: Range<usize>) -> Call {
        let (id, attributes) = (Span::default(), Vec::new());
        let (is_closed, is_rest, is_repaired) = (false, false, false);
        Call { whole, content, is_closed, is_rest, id, is_repaired, attributes, subs: 0 }
    }
}

/// A record within a call.
struct Part {
    kind: Name,
    whole: Range<usize>,
    /// What stands between its tags; nothing where one is lost.
    content: Option<Range<usize>>,
}

struct Framer<'a> {
    table: Table<'a>,
    source: Source<'a>,
    layout: &'a Layout,
    xml: &'static Xml,
    nest: Nest,
    expected: Expected,
    is_fast: bool,
    /// The digits of small numbers, where they were written already.
    numbers: [Span; 64],
    /// Something of the record at hand is repaired.
    is_repaired: bool,
}

impl<'a> Framer<'a> {
    fn new(text: &'a Checked, offset: u64, layout: &'a Layout, how: How, is_fast: bool) -> Self {
        Framer {
            table: Table::new(text, offset, layout, how),
            source: Source { text: text.bytes(), shift: 0 },
            layout,
            xml: layout.format.xml().expect("the format is XML"),
            nest: layout.nest.expect("an XML call may be nested"),
            expected: Expected::new(layout.slots()),
            is_fast,
            numbers: [Span::default(); 64],
            is_repaired: false,
        }
    }

    /// Frames the records of one call.
    fn call(&mut self, whole: Range<usize>) {
        let call = self.opening(whole.clone());
        self.records(whole, call);
    }

    /// Frames more records of one that began in a block before, where it had so many subs.
    fn rest(&mut self, whole: Range<usize>, tag: &[u8], subs: u64) {
        let call = self.going_on(whole.clone(), tag, subs);
        self.records(whole, call);
    }

    fn records(&mut self, whole: Range<usize>, call: Result<Call, Fault>) {
        let mut call = match call {
            Ok(call) => call,
            Err((reason, message)) => {
                return self.table.reject(whole.start, whole.end, reason, None, message);
            }
        };
        let mut at = past_blanks(self.source.text, call.content.start, call.content.end);
        if !self.is_text(&whole) {
            self.carefully(at, &mut call);
        } else if call.is_rest || self.part_at(at, call.content.end).is_some() {
            while at < call.content.end {
                match self.part(at, &mut call) {
                    Some(next) => at = past_blanks(self.source.text, next, call.content.end),
                    None => return self.carefully(at, &mut call),
                }
            }
        } else {
            self.flat(at, &mut call);
        }
    }

    fn is_text(&self, range: &Range<usize>) -> bool {
        self.table.is_utf8 || simdutf8::basic::from_utf8(&self.source.text[range.clone()]).is_ok()
    }

    /// A call that began in a block before, whose start tag comes from there.
    fn going_on(&mut self, whole: Range<usize>, tag: &[u8], subs: u64) -> Result<Call, Fault> {
        let close = own_end(&self.source.text[whole.clone()], self.xml.call.as_bytes());
        let end = close.map_or(whole.end, |close| whole.start + close);
        let mut call = Call::new(whole.clone(), whole.start..end);
        (call.is_rest, call.subs) = (true, subs);
        let named = 1 + self.xml.call.len();
        if tag.len() > named {
            let tag = match (std::str::from_utf8(tag), self.table.how.encoding) {
                (Ok(tag), _) => Cow::Borrowed(tag),
                (Err(_), Some(encoding)) => encoding.decode_without_bom_handling(tag).0,
                (Err(_), None) => Cow::Borrowed(""),
            };
            let shift = self.table.rewrite(tag.as_bytes()).start as usize;
            let source = Source { text: tag.as_bytes(), shift };
            let attributes = named.min(tag.len())..tag.len().saturating_sub(1);
            if !attributes.is_empty() {
                self.read_attributes(source, attributes, &mut call)?;
            }
            // They went to its first record.
            call.attributes.clear();
            call.is_repaired = false;
        }
        Ok(call)
    }

    /// Reads the call's start tag, if it still has one.
    fn opening(&mut self, whole: Range<usize>) -> Result<Call, Fault> {
        let text = &self.source.text[..whole.end];
        let name = self.xml.call.as_bytes();
        let mut call = Call::new(whole.clone(), whole.clone());
        let named = whole.start + 1 + name.len();
        if self.part_at(whole.start, whole.end).is_none() {
            let tag = tag(text, named).filter(|tag| !tag.is_broken);
            let tag =
                tag.ok_or_else(|| syntax(format!("the start tag of <{}> has no end", self.xml.call)))?;
            call.content = tag.end..tag.end;
            call.is_closed = tag.is_closed;
            let attributes = named..tag.end - 1 - usize::from(tag.is_closed);
            self.call_attributes(attributes, &mut call)?;
            if tag.is_closed {
                return Ok(call);
            }
        }
        let close = own_end(text, name).filter(|close| *close >= call.content.start);
        call.is_closed = close.is_some();
        call.content.end = close.unwrap_or(whole.end);
        Ok(call)
    }

    fn call_attributes(&mut self, tag: Range<usize>, call: &mut Call) -> Result<(), Fault> {
        let source = self.source;
        if past_blanks(source.text, tag.start, tag.end) == tag.end {
            return Ok(());
        }
        match self.table.readable(tag.start, tag.end)? {
            Cow::Borrowed(_) => self.read_attributes(source, tag, call),
            Cow::Owned(text) => {
                let shift = self.table.rewrite(&text).start as usize;
                self.read_attributes(Source { text: &text, shift }, 0..text.len(), call)
            }
        }
    }

    fn read_attributes(
        &mut self,
        source: Source<'_>,
        tag: Range<usize>,
        call: &mut Call,
    ) -> Result<(), Fault> {
        self.is_repaired = false;
        for (name, value) in self.attributes(source, tag, self.xml.call.as_bytes())? {
            if &source.text[name.clone()] == self.xml.id.as_bytes() && call.id.len == 0 {
                call.id = value;
            } else {
                call.attributes.push((source.span(name), value));
            }
        }
        call.is_repaired = self.is_repaired;
        Ok(())
    }

    /// Whether a record within a call begins at `at`: which, and where its name ends.
    fn part_at(&self, at: usize, end: usize) -> Option<(Name, usize)> {
        let rest = self.source.text[at..end].strip_prefix(b"<")?;
        let names = [(self.xml.sub, Name::Sub), (self.xml.main, Name::Main)];
        names.iter().find_map(|&(name, kind)| {
            let behind = rest.strip_prefix(name.as_bytes())?;
            let ends =
                behind.first().is_some_and(|&byte| matches!(byte, b'>' | b'/') || byte.is_ascii_whitespace());
            ends.then_some((kind, at + 1 + name.len()))
        })
    }

    /// A call without records within it is a record itself.
    fn flat(&mut self, at: usize, call: &mut Call) {
        let (start, end) = (call.whole.start, call.whole.end);
        let fault = match self.record(self.source, at..call.content.end, Name::Call, call) {
            Ok(()) if call.is_closed => return self.accept(start, end, call),
            Ok(()) => syntax(format!("<{}> has no end tag", self.xml.call)),
            Err(fault) => fault,
        };
        if self.parts(at, call).is_empty() {
            self.table.reject(start, end, fault.0, None, fault.1);
        } else {
            self.carefully(at, call);
        }
    }

    /// The record at `at`, if there is one and nothing about its tags is in doubt; comes back with its end.
    fn part(&mut self, at: usize, call: &mut Call) -> Option<usize> {
        let (kind, named) = self.part_at(at, call.content.end)?;
        let text = &self.source.text[..call.content.end];
        if text.get(named) != Some(&b'>') {
            return None;
        }
        self.begin(call);
        let close = self.fields(self.source, named + 1..text.len()).ok()?;
        let name = self.name(kind);
        text[close..].strip_prefix(b"</")?.strip_prefix(name.as_bytes())?;
        let end = end_tag(text, close + 2 + name.len())?;
        self.place(kind, call);
        self.accept(at, end, call);
        Some(end)
    }

    fn name(&self, kind: Name) -> &'static str {
        match kind {
            Name::Call => self.xml.call,
            Name::Main => self.xml.main,
            Name::Sub => self.xml.sub,
        }
    }

    /// The records of a call from `at` on, where something is not as it should be: first their tags,
    /// then what stands within them and between.
    fn carefully(&mut self, at: usize, call: &mut Call) {
        let parts = self.parts(at, call);
        if !call.is_rest
            && parts.is_empty()
            && at <= past_blanks(self.source.text, call.content.start, call.content.end)
        {
            let content = call.is_closed.then_some(at..call.content.end);
            return self.one(Part { kind: Name::Call, whole: call.whole.clone(), content }, call);
        }
        let mut gap = at;
        for part in parts {
            self.between(gap..part.whole.start);
            gap = part.whole.end;
            self.one(part, call);
        }
        self.between(gap..call.content.end);
    }

    /// Where the records of a call stand, from `at` on, told by their tags alone.
    fn parts(&self, at: usize, call: &Call) -> Vec<Part> {
        let text = &self.source.text[..call.content.end];
        let mut marks = Marks::new(text, self.xml);
        let (mut at, mut parts) = (at, Vec::new());
        let mut open: Option<(Name, usize, Option<usize>)> = None;
        let lost = |(kind, start, _): (Name, usize, Option<usize>), end: usize| {
            let end = start + text[start..end].trim_ascii_end().len();
            Part { kind, whole: start..end, content: None }
        };
        while let Some(mark) = marks.next(at) {
            at = mark.after;
            match mark.kind {
                MarkKind::Aside => {
                    if let Some((_, Ends::At(end))) = aside(text, mark.at, true) {
                        at = end;
                    }
                }
                MarkKind::Start(kind) if kind != Name::Call => {
                    parts.extend(open.take().map(|open| lost(open, mark.at)));
                    match tag(text, mark.after) {
                        Some(tag) if tag.is_closed && !tag.is_broken => {
                            let content = Some(tag.end..tag.end);
                            parts.push(Part { kind, whole: mark.at..tag.end, content });
                            at = tag.end;
                        }
                        Some(tag) if !tag.is_broken => {
                            open = Some((kind, mark.at, Some(tag.end)));
                            at = tag.end;
                        }
                        _ => open = Some((kind, mark.at, None)),
                    }
                }
                MarkKind::End(kind) if kind != Name::Call => {
                    let Some(end) = end_tag(text, mark.after) else { continue };
                    at = end;
                    if let Some((opened, start, content)) = open.take() {
                        let content = content.filter(|_| opened == kind).map(|content| content..mark.at);
                        parts.push(Part { kind: opened, whole: start..end, content });
                    }
                }
                _ => {}
            }
        }
        parts.extend(open.map(|open| lost(open, text.len())));
        parts
    }

    /// Rejects what stands between records and is the rest of one.
    fn between(&mut self, range: Range<usize>) {
        let mut gap = Gap::new(range.start, range.end, false);
        while let Some(junk) = gap.next(self.source.text, self.xml, &self.layout.keys) {
            let message = format!("it stands in no record of its <{}>", self.xml.call);
            self.table.reject(junk.start, junk.end, Reason::XmlSyntax, None, message);
        }
    }

    /// One record whose place is known.
    fn one(&mut self, part: Part, call: &mut Call) {
        let Part { kind, whole, content } = part;
        let outcome = match content {
            None => Err(syntax(format!("<{}> has no end tag of its own", self.name(kind)))),
            Some(content) => self.table.readable(content.start, content.end).and_then(|text| match text {
                Cow::Borrowed(_) => self.record(self.source, content, kind, call),
                Cow::Owned(text) => {
                    let shift = self.table.rewrite(&text).start as usize;
                    self.record(Source { text: &text, shift }, 0..text.len(), kind, call)
                }
            }),
        };
        // Its number is its position, also where it is rejected.
        match outcome {
            Ok(()) => {
                self.place(kind, call);
                self.accept(whole.start, whole.end, call);
            }
            Err((reason, message)) => {
                call.subs += u64::from(kind == Name::Sub);
                match kind {
                    Name::Call => self.table.reject(whole.start, whole.end, reason, None, message),
                    _ => self.table.reject_part(whole, (reason, None, message), call.id, None),
                }
            }
        }
    }

    /// Begins a row of the call.
    fn begin(&mut self, call: &Call) {
        self.table.begin();
        self.expected.before = 0;
        self.is_repaired = call.is_repaired;
        self.table.put_at(self.nest.group, call.id);
        for &(name, value) in &call.attributes {
            self.table.put_known(None, name, value);
        }
    }

    /// Says which of the call's records it is.
    fn place(&mut self, kind: Name, call: &mut Call) {
        let (main, sub) = self.table.kinds();
        match kind {
            Name::Call => {}
            Name::Main => self.table.put_at(self.nest.kind, main),
            Name::Sub => {
                call.subs += 1;
                let number = self.number(call.subs);
                self.table.put_at(self.nest.kind, sub);
                self.table.put_at(self.nest.index, number);
            }
        }
    }

    /// The digits of a sub's number; those of the first few are written once a block.
    fn number(&mut self, number: u64) -> Span {
        let at = number as usize;
        if at >= self.numbers.len() {
            return self.table.number(number);
        }
        if self.numbers[at].len == 0 {
            self.numbers[at] = self.table.number(number);
        }
        self.numbers[at]
    }

    /// Accepts the row that was begun.
    fn accept(&mut self, start: usize, end: usize, call: &mut Call) {
        if self.is_repaired {
            self.table.repaired();
        }
        self.table.accept(start, end);
        call.is_repaired = false;
        call.attributes.clear();
    }

    /// A record whose content is all of `range`.
    fn record(
        &mut self,
        source: Source<'_>,
        range: Range<usize>,
        kind: Name,
        call: &Call,
    ) -> Result<(), Fault> {
        if range.len() > MAX_RECORD {
            return Err((Reason::TooLarge, format!("{} bytes in one record", range.len())));
        }
        self.begin(call);
        let end = range.end;
        let at = self.fields(source, range)?;
        let name = self.name(kind);
        if at < end {
            Err(syntax(format!("within <{name}> an element ends that was not begun")))
        } else {
            Ok(())
        }
    }
}

fn text_outside() -> Fault {
    syntax("text that stands in no field")
}

/// Where the end tag of that name stands that a text ends with.
fn own_end(text: &[u8], name: &[u8]) -> Option<usize> {
    let named = text.strip_suffix(b">")?.trim_ascii_end();
    named.strip_suffix(name)?.strip_suffix(b"</").map(<[u8]>::len)
}

#[cfg(test)]
mod tests;
