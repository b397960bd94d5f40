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
    /// A call that is too large is being passed over; its own start tag is behind.
    is_skipping: bool,
}

/// What is told when the dump has ended.
#[derive(Clone, Copy, Debug, Default)]
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
}

impl Splitter {
    /// The splitter of a dump of that kind.
    pub fn new(xml: &'static Xml) -> Splitter {
        Splitter { xml, keys: Keys::new(xml.keys), seen: Seen::default(), is_skipping: false }
    }

    /// Cuts whole calls off the front of `text`, which begins between two. `at_end` says that the dump
    /// ends with this text.
    pub fn cut(&mut self, text: &[u8], at_end: bool) -> Cut {
        let mut walk = Walk::new(text, at_end, self.xml, &self.keys, self.seen);
        walk.calls();
        let end = if at_end { walk.finish() } else { walk.stop() };
        match end {
            Some(end) => {
                self.seen = walk.seen;
                Cut::Elements(end, walk.elements)
            }
            None if text.len() > MAX_RECORD => Cut::TooLarge,
            None => Cut::More,
        }
    }

    /// How much of `text` belongs to the call that is too large: all before its end tag, or before the
    /// next call.
    pub fn skip(&mut self, text: &[u8], at_end: bool) -> Skip {
        let begun = std::mem::replace(&mut self.is_skipping, true);
        let mut marks = Marks::new(text, self.xml);
        let mut at = if begun { 0 } else { 1 };
        while let Some(mark) = marks.next(at) {
            at = mark.after;
            match mark.kind {
                MarkKind::Start(Name::Call) => return self.skipped(mark.at),
                MarkKind::End(Name::Call) => match end_tag(text, mark.after) {
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
        let Seen { doctypes, calls, unclosed, nuls, roots, is_cut } = self.seen;
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
        Ending { warnings, error: None }
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
    /// Where the call that is open begins, and whether its own start tag is lost.
    open: Option<(usize, bool)>,
    /// Where the gap begins that was not looked through yet: past the last element.
    gap: usize,
    /// Where the text ends within something that may go on.
    stalled: Option<usize>,
    /// Past the last mark that was understood.
    past: usize,
}

impl<'a> Walk<'a> {
    fn new(text: &'a [u8], at_end: bool, xml: &'static Xml, keys: &'a Keys, seen: Seen) -> Self {
        Walk {
            text,
            at_end,
            xml,
            keys,
            seen,
            elements: Vec::new(),
            open: None,
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
                MarkKind::Start(_) if self.open.is_none() => {
                    self.begin(mark.at, true);
                    Some(mark.after)
                }
                MarkKind::Start(_) | MarkKind::End(_) => Some(mark.after),
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
        self.begin(mark.at, false);
        let tag = tag(self.text, mark.after)?;
        if tag.is_closed {
            self.close(tag.end);
        }
        Some(tag.end)
    }

    fn end(&mut self, mark: Mark) -> Option<usize> {
        match end_tag(self.text, mark.after) {
            Some(end) => {
                if self.open.is_some() {
                    self.close(end);
                }
                Some(end)
            }
            None if past_blanks(self.text, mark.after, self.text.len()) == self.text.len() => None,
            None => Some(mark.after),
        }
    }

    fn begin(&mut self, at: usize, is_headless: bool) {
        self.look_through(at);
        self.open = Some((at, is_headless));
    }

    /// The open call ends at `end`, its end tag included.
    fn close(&mut self, end: usize) {
        if let Some((start, _)) = self.open.take() {
            self.elements.push(Element::new(start, end, ElementKind::Whole));
            self.seen.calls += 1;
            self.gap = end;
        }
    }

    /// The open call has no end tag: it ends before its document does, or else at `next`.
    fn close_before(&mut self, next: usize) {
        let Some((start, is_headless)) = self.open else { return };
        let end = self.root_end(start, next).unwrap_or(next);
        self.seen.unclosed += u64::from(!is_headless);
        self.close(start + self.text[start..end].trim_ascii_end().len());
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
        if let Some((start, _)) = self.open {
            return (start > 0).then_some(start);
        }
        if self.gap > 0 {
            return Some(self.gap);
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

    /// The dump ends: so does what is open.
    fn finish(&mut self) -> Option<usize> {
        let end = self.text.len();
        if let Some((start, _)) = self.open {
            if end - start > MAX_RECORD {
                return (start > 0).then_some(start);
            }
            match self.root_end(start, end) {
                Some(root) => self.close_before(root),
                None => self.cut_off(start),
            }
        }
        self.look_through(end);
        Some(end)
    }

    /// The dump ends within the call at `start`: of its records those are whole that are closed.
    fn cut_off(&mut self, start: usize) {
        self.seen.is_cut = true;
        let mut marks = Marks::new(self.text, self.xml);
        let (mut at, mut closed, mut open) = (start, start, Some(start));
        while let Some(mark) = marks.next(at) {
            at = mark.after;
            match mark.kind {
                MarkKind::Aside => {
                    if let Some((_, Ends::At(end))) = aside(self.text, mark.at, true) {
                        at = end;
                    }
                }
                MarkKind::Start(Name::Main | Name::Sub) => open = Some(mark.at),
                MarkKind::End(Name::Main | Name::Sub) => {
                    if let Some(end) = end_tag(self.text, mark.after) {
                        (open, closed) = (None, end);
                    }
                }
                _ => {}
            }
        }
        let end = start + self.text[start..].trim_ascii_end().len();
        let whole = open.unwrap_or(closed);
        let whole = start + self.text[start..whole].trim_ascii_end().len();
        if closed > start {
            self.elements.push(Element::new(start, whole, ElementKind::Whole));
        }
        self.gap = whole;
        if let Some(open) = open {
            self.elements.push(Element::new(open, end, ElementKind::Bad(Unreadable::Truncated)));
            self.gap = end;
        }
        self.open = None;
    }
}

#[cfg(test)]
mod tests;
