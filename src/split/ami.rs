//! Where the events of a captured manager connection end: at blank lines.
//!
//! ```text
//!   Asterisk Call Manager/2.10.4        a block of its own, though no blank line follows
//!   Response: Success                   a block; it is passed over
//!   Message: Authentication accepted
//!                                       blank: white space alone
//!   Event: Cdr                          a record
//!   …
//! ```
//!
//! Every block is an element: the framer tells records from others, and counts those. An event that no
//! blank line ends is cut off, for nobody knows whether its last line is whole: by the end of the capture,
//! or by the beginning of the next event or capture.

use std::ops::Range;

use memchr::memchr;

use super::{BLOCK, Cut, Element, ElementKind, Ending, MAX_RECORD, Skip, Unreadable};
use crate::format::Ami;

/// Finds where events end.
#[derive(Debug)]
pub struct Splitter {
    ami: &'static Ami,
    /// The capture ends within a block.
    is_cut: bool,
    /// What is passed over goes on in the middle of a line.
    in_line: bool,
}

impl Splitter {
    /// The splitter of a dump of that kind.
    pub fn new(ami: &'static Ami) -> Splitter {
        Splitter { ami, is_cut: false, in_line: false }
    }

    /// Cuts whole blocks off the front of `text`, which begins between two. `at_end` says that the dump
    /// ends with this text.
    pub fn cut(&mut self, text: &[u8], at_end: bool) -> Cut {
        let mut blocks = Blocks { text, ami: self.ami, elements: Vec::new(), open: None, done: 0 };
        let mut at = 0;
        while at < text.len() {
            let end = match memchr(b'\n', &text[at..]) {
                Some(length) => at + length + 1,
                None if at_end => text.len(),
                None => break,
            };
            blocks.line(at, end);
            at = end;
        }
        if at_end {
            if text.len() > MAX_RECORD && blocks.open.is_some_and(|(start, _)| start == 0) {
                return Cut::TooLarge;
            }
            self.is_cut |= blocks.open.is_some();
            blocks.cut_off();
            return Cut::Elements(text.len(), blocks.elements);
        }
        // What is blank may go, too; but a line that is not whole may be a block's first.
        let done = blocks.open.map_or(at, |(start, _)| start).max(blocks.done);
        match done {
            0 if text.len() > MAX_RECORD => Cut::TooLarge,
            0 => Cut::More,
            _ => Cut::Elements(done, blocks.elements),
        }
    }

    /// How much of `text` belongs to the block that is too large: all before a blank line.
    pub fn skip(&mut self, text: &[u8], at_end: bool) -> Skip {
        let mut at = 0;
        while let Some(length) = memchr(b'\n', &text[at..]) {
            let in_line = std::mem::replace(&mut self.in_line, false);
            if !in_line && is_blank(&text[at..at + length]) {
                return Skip { passed: at, ended: true };
            }
            at += length + 1;
        }
        if at_end || text.len() - at > BLOCK / 2 {
            self.in_line = !at_end;
            at = text.len();
        }
        Skip { passed: at, ended: at_end }
    }

    /// What is known when all text was cut.
    pub fn end(&mut self) -> Ending {
        let warning = "the capture ends within an event or a response: no blank line ends it";
        Ending { warnings: self.is_cut.then(|| warning.to_string()).into_iter().collect(), error: None }
    }
}

/// The blocks of a text.
struct Blocks<'a> {
    text: &'a [u8],
    ami: &'static Ami,
    elements: Vec<Element>,
    /// Where the open block begins, and where its last line ends.
    open: Option<(usize, usize)>,
    /// Past the last block.
    done: usize,
}

impl Blocks<'_> {
    /// The line from `start` to `end`, its line end included.
    fn line(&mut self, start: usize, end: usize) {
        let line = self.text[start..end].trim_ascii_end();
        let content = start + line.len();
        if is_blank(line) {
            self.close(ElementKind::Whole);
            self.done = end;
        } else if line.starts_with(self.ami.banner.as_bytes()) {
            self.cut_off();
            self.open = Some((start, content));
            self.close(ElementKind::Whole);
            self.done = end;
        } else if let Some((first, _)) = self.open
            && !(key_of(line) == Some(self.ami.event.as_bytes()) && self.is_event(first))
        {
            self.open = Some((first, content));
        } else {
            self.cut_off();
            self.open = Some((start, content));
        }
    }

    /// Whether the block that begins there is an event, whose key never comes again in it.
    fn is_event(&self, start: usize) -> bool {
        key_of(&self.text[start..]) == Some(self.ami.event.as_bytes())
    }

    fn close(&mut self, kind: ElementKind) {
        if let Some((start, end)) = self.open.take() {
            self.elements.push(Element::new(start, end, kind));
            self.done = end;
        }
    }

    /// The open block ends without a blank line.
    fn cut_off(&mut self) {
        let Some((start, end)) = self.open else { return };
        let block = &self.text[start..end];
        let truncated = self.ami.is_record(block) || self.ami.may_be_record(block);
        self.close(if truncated { ElementKind::Bad(Unreadable::Truncated) } else { ElementKind::Whole });
    }
}

fn is_blank(line: &[u8]) -> bool {
    line.iter().all(u8::is_ascii_whitespace)
}

/// What stands before the first colon of a text's first line.
fn key_of(text: &[u8]) -> Option<&[u8]> {
    let end = memchr::memchr2(b':', b'\n', text)?;
    (text[end] == b':').then_some(&text[..end])
}

/// Where the key and the value stand on a line: behind the colon one blank is none of the value's.
pub fn key_and_value(line: &[u8]) -> Option<(Range<usize>, Range<usize>)> {
    let end = line.strip_suffix(b"\n").unwrap_or(line);
    let end = end.strip_suffix(b"\r").unwrap_or(end).len();
    let colon = memchr(b':', &line[..end]).filter(|colon| *colon > 0)?;
    let value = colon + 1 + usize::from(line[colon + 1..end].starts_with(b" "));
    Some((0..colon, value..end))
}

impl Ami {
    /// Whether a block is an event that is a record.
    pub fn is_record(&self, block: &[u8]) -> bool {
        block.split(|&byte| byte == b'\n').any(|line| {
            key_and_value(line).is_some_and(|(key, value)| {
                &line[key] == self.event.as_bytes() && line[value].trim_ascii() == self.record.as_bytes()
            })
        })
    }

    /// Whether a block that is cut off in its first line may have become a record.
    fn may_be_record(&self, block: &[u8]) -> bool {
        let first = format!("{}: {}", self.event, self.record);
        block.len() > self.event.len() + 2 && first.as_bytes().starts_with(block)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format;

    fn ami() -> &'static Ami {
        format::by_name("ami").and_then(|format| format.ami()).expect("it is known")
    }

    /// The text of every element of a text, in pieces of so many bytes; those that are cut off with a `!`.
    fn elements(text: &str, size: usize) -> Vec<String> {
        let (mut splitter, mut found, mut start, mut shown) = (Splitter::new(ami()), Vec::new(), 0, 0);
        while start < text.len() {
            shown = (shown + size).min(text.len());
            let at_end = shown == text.len();
            match splitter.cut(&text.as_bytes()[start..shown], at_end) {
                Cut::Elements(end, elements) => {
                    for element in elements {
                        let piece = &text[start..][element.range()];
                        let mark = if element.kind == ElementKind::Whole { "" } else { "!" };
                        found.push(format!("{mark}{piece}"));
                    }
                    start += end;
                }
                Cut::More => assert!(!at_end),
                other => panic!("{other:?}"),
            }
        }
        found
    }

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        for size in [1, 2, 7, 1000] {
            assert_eq!(elements(text, size), expected, "{size} bytes at a time");
        }
    }

    #[test]
    fn blocks_end_at_blank_lines() {
        check("\nEvent: A\nB: c\n\nEvent: Cdr\n  \n", &["Event: A\nB: c", "Event: Cdr"]);
        check("Event: A\r\nB: c\r\n\r\nD: e\r\n\r\n", &["Event: A\r\nB: c", "D: e"]);
    }

    #[test]
    fn a_banner_is_a_block_of_its_own() {
        check(
            "Asterisk Call Manager/2.10.4\nResponse: Success\n\n",
            &["Asterisk Call Manager/2.10.4", "Response: Success"],
        );
    }

    #[test]
    fn an_event_without_a_blank_line_is_cut_off() {
        check("Event: Cdr\nDuration: 1", &["!Event: Cdr\nDuration: 1"]);
        check("Event: Cdr\nDuration: 12\n", &["!Event: Cdr\nDuration: 12"]);
        check("Event: Cdr\nDur", &["!Event: Cdr\nDur"]);
        check("Event: Cd", &["!Event: Cd"]);
        check("Event: Newchannel\nDur", &["Event: Newchannel\nDur"]);
    }

    #[test]
    fn the_next_event_cuts_one_off() {
        check("Event: Cdr\nA: b\nEvent: Cdr\nC: d\n\n", &["!Event: Cdr\nA: b", "Event: Cdr\nC: d"]);
        check(
            "Event: Cdr\nA: b\nAsterisk Call Manager/1\nC: d\n\n",
            &["!Event: Cdr\nA: b", "Asterisk Call Manager/1", "C: d"],
        );
    }

    #[test]
    fn keys_end_at_the_first_colon() {
        let of = |line: &'static str| {
            key_and_value(line.as_bytes()).map(|(key, value)| (&line[key], &line[value]))
        };
        assert_eq!(of("LastData: a:b\r\n"), Some(("LastData", "a:b")));
        assert_eq!(of("UserField:"), Some(("UserField", "")));
        assert_eq!(of("A:  b "), Some(("A", " b ")));
        assert_eq!((of("none"), of(": none")), (None, None));
    }
}
