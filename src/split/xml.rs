//! Where the elements of an XML dump end: the end tags of the call's element.
//!
//! Only marks are looked at, found by their bytes: the names of calls and records, and what may hide
//! one (comments, CDATA, instructions, a DOCTYPE). Everything else, the fields and their text, is
//! passed over at the speed of memory; that is for the framer.
//!
//! ```text
//!   <?xml … ?> <root>  <cdr session="…"> <main_cdr> … </main_cdr> <sub_cdr> … </sub_cdr> </cdr>  <cdr> … </cdr>  </root>
//!   ╰──── gap ───────╯╰─────────────────────── one element ─────────────────────────────────────╯╰ another ──╯╰─ gap ─╯
//! ```
//!
//! A lost tag costs the record it belongs to and no more: a call that is not closed ends where the next
//! one begins, or its document ends; records without a call around them are a call of their own; what
//! stands between calls and is no envelope is the rest of a damaged record, and is rejected as one.

mod gap;
mod marks;

use std::sync::Arc;

use memchr::memmem;

use super::{BLOCK, Cut, Element, ElementKind, Ending, MAX_RECORD, Skip, Unreadable};
use crate::format::Xml;
use crate::format::keys::Keys;
use crate::xml::{Aside, Ends, aside, end_tag, past_blanks, tag};

pub use gap::Gap;
pub use marks::{Mark, MarkKind, Marks, Name};

/// Finds where calls end.
#[derive(Debug)]
pub struct Splitter {
    xml: &'static Xml,
    keys: Keys,
    seen: Seen,
    /// The call that the next text begins within.
    within: Option<Arc<Within>>,
    /// The start tag of the one that the last began within.
    tag: Vec<u8>,
    /// What is too large is being passed over; its own start tag is behind.
    is_skipping: bool,
    /// How much text a call may have before its records are given out one block after the other.
    block: usize,
}

/// A call whose records go on in the next text.
#[derive(Clone, Debug)]
struct Within {
    /// Its start tag; nothing where that is lost.
    tag: Vec<u8>,
    /// Its sub records so far.
    subs: u64,
}

/// What is told when the dump has ended.
#[derive(Clone, Debug, Default)]
struct Seen {
    doctypes: u64,
    calls: u64,
    /// Calls without an end tag.
    unclosed: u64,
    /// Runs of NULs.
    nuls: u64,
    /// How many more roots were opened than closed.
    roots: i64,
    /// The dump ends within something.
    is_cut: bool,
    /// What stands in place of a dump, between documents.
    error: Option<String>,
}

impl Splitter {
    /// The splitter of a dump of that kind.
    pub fn new(xml: &'static Xml) -> Splitter {
        let (keys, seen) = (Keys::new(xml.keys), Seen::default());
        Splitter { xml, keys, seen, within: None, tag: Vec::new(), is_skipping: false, block: BLOCK }
    }

    /// Cuts whole calls off the front of `text`, which begins between two. `at_end` says that the dump
    /// ends with this text.
    pub fn cut(&mut self, text: &[u8], at_end: bool) -> Cut {
        let mut walk = Walk::new(text, at_end, self);
        walk.calls();
        let end = if at_end { walk.finish() } else { walk.stop() };
        match end {
            Some(end) => {
                let Walk { elements, seen, rest, before, .. } = walk;
                self.tag = before.map_or(Vec::new(), |before| before.tag.clone());
                (self.seen, self.within) = (seen, rest.map(Arc::new));
                Cut::Elements(end, elements)
            }
            None if text.len() > MAX_RECORD => Cut::TooLarge,
            None => Cut::More,
        }
    }

    /// The start tag of the call that the text of the last cut began within.
    pub fn call(&self) -> Vec<u8> {
        self.tag.clone()
    }

    /// How much of `text` belongs to the call, or to the record within one, that is too large: all up to
    /// its end tag, or to where the next begins.
    pub fn skip(&mut self, text: &[u8], at_end: bool) -> Skip {
        let begun = std::mem::replace(&mut self.is_skipping, true);
        if !begun
            && let Some(within) = &mut self.within
            && text.starts_with(format!("<{}", self.xml.sub).as_bytes())
        {
            Arc::make_mut(within).subs += 1;
        }
        let is_part = self.within.is_some();
        let mut marks = Marks::new(text, self.xml);
        let mut at = if begun { 0 } else { 1 };
        while let Some(mark) = marks.next(at) {
            at = mark.after;
            match mark.kind {
                MarkKind::Start(Name::Call) => return self.skipped(mark.at),
                MarkKind::Start(_) | MarkKind::End(Name::Call) if is_part => return self.skipped(mark.at),
                MarkKind::End(name) if is_part == (name != Name::Call) => match end_tag(text, mark.after) {
                    Some(end) => return self.skipped(end),
                    None if !at_end && text.len() - mark.at < BLOCK / 2 => {
                        return Skip { passed: mark.at, ended: false };
                    }
                    None => {}
                },
                _ => {}
            }
        }
        let kept = if at_end { 0 } else { self.xml.call.len() + 3 };
        Skip { passed: text.len().saturating_sub(kept), ended: at_end }
    }

    fn skipped(&mut self, passed: usize) -> Skip {
        self.is_skipping = false;
        Skip { passed, ended: true }
    }

    /// What is known when all text was cut.
    pub fn end(&mut self) -> Ending {
        let Seen { doctypes, calls, unclosed, nuls, roots, is_cut, error } = std::mem::take(&mut self.seen);
        let (call, root) = (self.xml.call, self.xml.root);
        let mut warnings = Vec::new();
        if doctypes > 0 {
            warnings.push("a DOCTYPE is passed over unread".to_string());
        }
        if unclosed > 0 {
            warnings.push(format!("{unclosed} <{call}> without an end tag"));
        }
        if nuls > 0 {
            warnings.push("NULs between the records are passed over".to_string());
        }
        if is_cut || roots > 0 {
            warnings.push(format!("the dump ends before </{root}>: it is cut off"));
        }
        if self.xml.page == Some(calls) {
            warnings.push(format!(
                "exactly {calls} calls: probably one page of more; ask the PBX for the next with offset={calls}"
            ));
        }
        Ending { warnings, error }
    }
}

/// One pass over a text.
struct Walk<'a> {
    text: &'a [u8],
    at_end: bool,
    xml: &'static Xml,
    keys: &'a Keys,
    seen: Seen,
    elements: Vec<Element>,
    open: Option<Open>,
    /// What the block before knew of the call that is open.
    before: Option<Arc<Within>>,
    /// What the next block must know of it.
    rest: Option<Within>,
    block: usize,
    /// Where the gap begins that was not looked through yet: past the last element.
    gap: usize,
    /// Where the text ends within something that may go on.
    stalled: Option<usize>,
    /// Past the last mark that was understood.
    past: usize,
}

/// A call that is open.
#[derive(Clone, Copy, Debug)]
struct Open {
    /// Where it begins in the text.
    start: usize,
    kind: Opened,
    /// Past the last of its records that is whole; else where it begins.
    whole: usize,
    /// Where the record begins that is open.
    part: Option<usize>,
    /// Its subs, and those of them that are whole.
    subs: (u64, u64),
}

/// What a call begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Opened {
    /// Its own start tag.
    Tagged,
    /// A record; the start tag is lost.
    Headless,
    /// It began in a block before.
    Within,
}

impl<'a> Walk<'a> {
    fn new(text: &'a [u8], at_end: bool, splitter: &'a Splitter) -> Self {
        let Splitter { xml, keys, seen, within, block, .. } = splitter;
        let going_on = |within: &Arc<Within>| Open {
            start: 0,
            kind: Opened::Within,
            whole: 0,
            part: None,
            subs: (within.subs, within.subs),
        };
        Walk {
            text,
            at_end,
            xml,
            keys,
            seen: seen.clone(),
            elements: Vec::new(),
            open: within.as_ref().map(going_on),
            before: within.clone(),
            rest: None,
            block: *block,
            gap: 0,
            stalled: None,
            past: 0,
        }
    }

    /// Goes over the marks.
    fn calls(&mut self) {
        let mut marks = Marks::new(self.text, self.xml);
        let mut at = 0;
        while let Some(mark) = marks.next(at) {
            let next = match mark.kind {
                // A longer name may stand there.
                _ if mark.after == self.text.len() && !self.at_end => None,
                MarkKind::Aside => self.aside(mark),
                MarkKind::Start(Name::Call) => self.start(mark),
                MarkKind::End(Name::Call) => self.end(mark),
                MarkKind::Start(name) => self.part_start(mark, name),
                MarkKind::End(_) => self.part_end(mark),
            };
            match next {
                Some(next) => (at, self.past) = (next, next),
                None => {
                    self.stalled = Some(mark.at);
                    return;
                }
            }
        }
    }

    /// Past an aside; a new document ends the call that is open.
    fn aside(&mut self, mark: Mark) -> Option<usize> {
        let Some((kind, ends)) = aside(self.text, mark.at, self.at_end) else { return Some(mark.after) };
        let is_prolog = kind == Aside::Doctype || self.text[mark.at..].starts_with(b"<?xml ");
        match ends {
            Ends::Later => None,
            Ends::Never => Some(mark.after),
            Ends::At(end) => {
                if is_prolog && self.open.is_some() {
                    self.close_before(mark.at);
                }
                Some(end)
            }
        }
    }

    fn start(&mut self, mark: Mark) -> Option<usize> {
        if self.open.is_some() {
            self.close_before(mark.at);
        }
        self.begin(mark.at, Opened::Tagged);
        let tag = tag(self.text, mark.after)?;
        if tag.is_closed {
            self.close(mark.at, tag.end);
        }
        Some(tag.end)
    }

    /// A record within a call begins.
    fn part_start(&mut self, mark: Mark, name: Name) -> Option<usize> {
        if self.open.is_none() {
            self.begin(mark.at, Opened::Headless);
        }
        let open = self.open.as_mut()?;
        open.part = Some(mark.at);
        open.subs.0 += u64::from(name == Name::Sub);
        let tag = tag(self.text, mark.after)?;
        if tag.is_closed {
            (open.part, open.whole, open.subs.1) = (None, tag.end, open.subs.0);
        }
        Some(tag.end)
    }

    fn part_end(&mut self, mark: Mark) -> Option<usize> {
        match end_tag(self.text, mark.after) {
            Some(end) => {
                if let Some(open) = self.open.as_mut().filter(|open| open.part.is_some()) {
                    (open.part, open.whole, open.subs.1) = (None, end, open.subs.0);
                }
                Some(end)
            }
            None if past_blanks(self.text, mark.after, self.text.len()) == self.text.len() => None,
            None => Some(mark.after),
        }
    }

    fn end(&mut self, mark: Mark) -> Option<usize> {
        match end_tag(self.text, mark.after) {
            Some(end) => {
                if self.open.is_some() {
                    self.close(mark.at, end);
                }
                Some(end)
            }
            None if past_blanks(self.text, mark.after, self.text.len()) == self.text.len() => None,
            None => Some(mark.after),
        }
    }

    fn begin(&mut self, start: usize, kind: Opened) {
        self.look_through(start);
        self.open = Some(Open { start, kind, whole: start, part: None, subs: (0, 0) });
    }

    /// The open call ends at `end`, and what stands in it at `own`, where its end tag begins.
    fn close(&mut self, own: usize, end: usize) {
        let Some(open) = self.open.take() else { return };
        self.seen.calls += 1;
        if open.kind == Opened::Within && open.whole == 0 && open.part.is_none() {
            self.look_through(own);
        } else {
            self.element(open, end);
        }
        self.gap = end;
    }

    /// The text of the open call up to `end` is an element.
    fn element(&mut self, open: Open, end: usize) {
        let (start, kind) = match open.kind {
            Opened::Within => {
                let subs = self.before.as_ref().map_or(0, |before| before.subs);
                (past_blanks(self.text, 0, end), ElementKind::Rest(subs))
            }
            _ => (open.start, ElementKind::Whole),
        };
        self.elements.push(Element::new(start, end, kind));
    }

    /// The open call has no end tag: it ends before its document does, or else at `next`.
    fn close_before(&mut self, next: usize) {
        let Some(open) = self.open else { return };
        let end = self.root_end(open.start, next).unwrap_or(next);
        let end = open.start + self.text[open.start..end].trim_ascii_end().len();
        self.seen.unclosed += u64::from(open.kind != Opened::Headless);
        self.close(end, end);
    }

    /// Where the document's end tag stands between `from` and `to`.
    fn root_end(&self, from: usize, to: usize) -> Option<usize> {
        let close = format!("</{}", self.xml.root);
        let mut finds = memmem::find_iter(&self.text[from..to], close.as_bytes()).map(|found| from + found);
        finds.find(|at| end_tag(self.text, at + close.len()).is_some())
    }

    /// Looks through the gap up to `end` for what is no envelope.
    fn look_through(&mut self, end: usize) {
        let is_last = self.at_end && end == self.text.len();
        let mut gap = Gap::new(self.gap, end, is_last);
        if past_blanks(self.text, self.gap, end) < end {
            let bad = |junk: std::ops::Range<usize>| {
                Element::new(junk.start, junk.end, ElementKind::Bad(Unreadable::Syntax))
            };
            while let Some(junk) = gap.next(self.text, self.xml, self.keys) {
                self.elements.push(bad(junk));
            }
        }
        self.seen.roots += gap.roots;
        self.seen.nuls += gap.nuls;
        self.seen.doctypes += gap.doctypes;
        self.seen.error = self.seen.error.take().or(gap.error);
        if let Some(cut) = gap.cut {
            self.seen.is_cut = true;
            let names = [self.xml.call, self.xml.main, self.xml.sub];
            if names.iter().any(|name| format!("<{name}").as_bytes().starts_with(&self.text[cut..end])) {
                self.elements.push(Element::new(cut, end, ElementKind::Bad(Unreadable::Truncated)));
            }
        }
        self.gap = end;
    }

    /// Where a block may end; nothing where more text is needed.
    fn stop(&mut self) -> Option<usize> {
        match self.open {
            Some(open) if open.start > 0 => return Some(open.start),
            Some(open) => return self.stop_within(open),
            None if self.gap > 0 => return Some(self.gap),
            None => {}
        }
        // No call begins in all this text.
        let (past, rest) = (self.past, &self.text[self.past..]);
        let last = self.stalled.or_else(|| memchr::memrchr(b'<', rest).map(|at| past + at));
        let end = match last.or((past > 0).then_some(past)) {
            Some(0) if self.text.len() <= MAX_RECORD => return None,
            Some(0) | None => self.text.len(),
            Some(last) => last,
        };
        self.look_through(end);
        Some(end)
    }

    /// Where a block may end within a call that is longer than a block: behind the last of its records
    /// that is whole, or before one that is too large.
    fn stop_within(&mut self, open: Open) -> Option<usize> {
        let end = match open.part {
            _ if self.text.len() < self.block => return None,
            _ if open.whole > 0 => open.whole,
            Some(part) if part > 0 && self.text.len() > MAX_RECORD => part,
            _ => return None,
        };
        let named = 1 + self.xml.call.len();
        let tag = match open.kind {
            Opened::Tagged => self.text[..tag(self.text, named)?.end].to_vec(),
            Opened::Headless => Vec::new(),
            Opened::Within => self.before.as_ref().map_or(Vec::new(), |before| before.tag.clone()),
        };
        if open.whole > 0 {
            self.element(open, end);
        } else {
            self.gap = if open.kind == Opened::Tagged { tag.len() } else { 0 };
            self.look_through(end);
        }
        self.rest = Some(Within { tag, subs: open.subs.1 });
        Some(end)
    }

    /// The dump ends: so does what is open.
    fn finish(&mut self) -> Option<usize> {
        let end = self.text.len();
        if let Some(open) = self.open {
            if end - open.start > MAX_RECORD {
                return self.stop();
            }
            match self.root_end(open.start, end) {
                Some(root) => self.close_before(root),
                None => self.cut_off(open),
            }
        }
        self.look_through(end);
        Some(end)
    }

    /// The dump ends within a call: of its records those are whole that are closed.
    fn cut_off(&mut self, open: Open) {
        self.seen.is_cut = true;
        let trimmed = |end: usize| open.start + self.text[open.start..end].trim_ascii_end().len();
        // A call without a record within it is one itself.
        let is_flat = open.kind == Opened::Tagged && open.whole == open.start && open.part.is_none();
        let cut = open.part.or(is_flat.then_some(open.start));
        let (whole, end) = (trimmed(cut.unwrap_or(open.whole)), trimmed(self.text.len()));
        self.gap = whole;
        if open.whole > open.start {
            self.element(open, whole);
        }
        if let Some(cut) = cut {
            self.elements.push(Element::new(cut, end, ElementKind::Bad(Unreadable::Truncated)));
            self.gap = end;
        }
        self.open = None;
    }
}

#[cfg(test)]
mod tests;
