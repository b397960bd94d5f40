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
//! or by the beginning of the next event or capture, also in the middle of a line.

use std::ops::Range;

use memchr::{memchr, memchr3, memmem};

use super::csv::bare;
use super::{BLOCK, Cut, Element, ElementKind, Ending, MAX_RECORD, Skip, Unreadable};
use crate::format::Ami;

/// Finds where events end.
#[derive(Debug)]
pub struct Splitter {
    ami: &'static Ami,
    /// Ends a line.
    eol: u8,
    /// The capture ends within a block.
    is_cut: bool,
    /// A line began with NULs.
    saw_nuls: bool,
    /// What is passed over goes on in the middle of a line.
    in_line: bool,
}

impl Splitter {
    /// The splitter of a dump of that kind, whose lines `eol` ends.
    pub fn new(ami: &'static Ami, eol: u8) -> Splitter {
        Splitter { ami, eol, is_cut: false, saw_nuls: false, in_line: false }
    }

    /// Cuts whole blocks off the front of `text`, which begins between two. `at_end` says that the dump
    /// ends with this text.
    pub fn cut(&mut self, text: &[u8], at_end: bool) -> Cut {
        let Splitter { ami, eol, .. } = *self;
        let mut blocks = Blocks {
            text,
            ami,
            eol,
            elements: Vec::new(),
            open: None,
            in_record: false,
            done: 0,
            saw_nuls: false,
        };
        let mut at = 0;
        while at < text.len() {
            let end = match memchr(eol, &text[at..]) {
                Some(length) => at + length + 1,
                None if at_end => text.len(),
                None => break,
            };
            blocks.line(at, end);
            at = end;
        }
        self.saw_nuls |= blocks.saw_nuls;
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
        while let Some(length) = memchr(self.eol, &text[at..]) {
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
        let nuls = self.saw_nuls.then_some("NULs at the start of a line are passed over");
        let cut = "the capture ends within an event or a response: no blank line ends it";
        let warnings = nuls.into_iter().chain(self.is_cut.then_some(cut));
        Ending { warnings: warnings.map(str::to_string).collect(), error: None }
    }
}

/// The blocks of a text.
struct Blocks<'a> {
    text: &'a [u8],
    ami: &'static Ami,
    eol: u8,
    elements: Vec<Element>,
    /// Where the open block begins, and where its last line ends.
    open: Option<(usize, usize)>,
    /// That block is a record.
    in_record: bool,
    /// Past the last block.
    done: usize,
    saw_nuls: bool,
}

/// What the manager answers. (`Response` is a key of some events, too, but of none that is a record.)
const ANSWERS: [&[u8]; 5] = [b"Success", b"Error", b"Follows", b"Goodbye", b"Pong"];

impl Blocks<'_> {
    /// The line from `start` to `end`, its line end included.
    fn line(&mut self, start: usize, end: usize) {
        let has_nuls = self.text[start] == 0;
        self.saw_nuls |= has_nuls;
        let line = bare(&self.text[start..end]);
        let start = end - line.len();
        let line = line.trim_ascii_end();
        let content = start + line.len();
        if is_blank(line) {
            // Where a crash has left nothing but NULs the rest of the block stood.
            if has_nuls {
                self.cut_off()
            } else {
                self.close(ElementKind::Whole)
            }
            self.done = end;
        } else if let Some(at) = self.glued(line) {
            let first = self.open.map_or(start, |(first, _)| first);
            let own = self.text[first..start + at].trim_ascii_end();
            self.open = Some((first, first + own.len())).filter(|_| !own.is_empty());
            self.cut_off();
            self.line(start + at, end);
        } else if line.starts_with(self.ami.banner.as_bytes()) {
            self.cut_off();
            self.open = Some((start, content));
            self.close(ElementKind::Whole);
            self.done = end;
        } else if let Some((first, _)) = self.open
            && !self.cuts_off(first, line)
        {
            self.open = Some((first, content));
            self.in_record |= self.ami.is_record(line, self.eol);
        } else {
            self.cut_off();
            self.open = Some((start, content));
            self.in_record = self.ami.is_record(line, self.eol);
        }
    }

    /// Where another block begins in the middle of a line: the one that it belonged to was cut off, and what came next
    /// was written right behind it.
    fn glued(&self, line: &[u8]) -> Option<usize> {
        let Ami { banner, record, .. } = *self.ami;
        let value = key_and_value(line, self.eol).map_or(line.len(), |(_, value)| value.start);
        // Behind a blank it is what somebody wrote into a field, unless a record was cut off before its value.
        let may_be_cut = self.in_record || line.starts_with(b"Event: ");
        let is_cut = |at: usize| line[at - 1] != b' ' || (may_be_cut && at == value);
        let is_word = |said: &[u8]| !said.is_empty() && said.iter().all(u8::is_ascii_alphanumeric);
        let event = |at: usize, said: &[u8]| match at < value {
            // Within a key; of other events `UserEvent` is one.
            true if self.in_record => is_word(said),
            true => said == record.as_bytes() && line[..at] != *b"User",
            false => is_cut(at) && is_word(said),
        };
        let response = |at: usize, said: &[u8]| self.in_record && is_cut(at) && ANSWERS.contains(&said);
        let version = |at: usize, said: &[u8]| {
            is_cut(at) && said.first().is_some_and(u8::is_ascii_digit) && !said.contains(&b' ')
        };
        let find = |key: &str, is_begin: &dyn Fn(usize, &[u8]) -> bool| {
            memmem::find_iter(line, key).find(|&at| at > 0 && is_begin(at, &line[at + key.len()..]))
        };
        let found = [find("Event: ", &event), find("Response: ", &response), find(banner, &version)];
        found.into_iter().flatten().min()
    }

    /// Whether a line begins another block, though no blank line ended the one that began at `first`.
    fn cuts_off(&self, first: usize, line: &[u8]) -> bool {
        let Some((key, value)) = key_and_value(line, self.eol) else { return false };
        let (key, value) = (&line[key], &line[value]);
        key == self.ami.event.as_bytes() && self.is_event(first)
            || key == b"Response" && self.in_record && ANSWERS.contains(&value)
    }

    /// Whether the block that begins there is an event, whose key never comes again in it.
    fn is_event(&self, start: usize) -> bool {
        key_of(&self.text[start..]) == Some(self.ami.event.as_bytes())
    }

    fn close(&mut self, kind: ElementKind) {
        self.in_record = false;
        if let Some((start, end)) = self.open.take() {
            self.elements.push(Element::new(start, end, kind));
            self.done = end;
        }
    }

    /// The open block ends without a blank line.
    fn cut_off(&mut self) {
        let Some((start, end)) = self.open else { return };
        let block = &self.text[start..end];
        let truncated = self.in_record || self.ami.may_be_record(block);
        self.close(if truncated { ElementKind::Bad(Unreadable::Truncated) } else { ElementKind::Whole });
    }
}

fn is_blank(line: &[u8]) -> bool {
    line.iter().all(u8::is_ascii_whitespace)
}

/// What stands before the first colon of a text's first line.
fn key_of(text: &[u8]) -> Option<&[u8]> {
    let end = memchr3(b':', b'\n', b'\r', text)?;
    (text[end] == b':').then_some(&text[..end])
}

/// Where the key and the value stand on a line, which `eol` may end: behind the colon one blank is none of the value's.
pub fn key_and_value(line: &[u8], eol: u8) -> Option<(Range<usize>, Range<usize>)> {
    let end = line.strip_suffix(&[eol]).unwrap_or(line);
    let end = end.strip_suffix(b"\r").unwrap_or(end).len();
    let start = end - bare(&line[..end]).len();
    let colon = start + memchr(b':', &line[start..end]).filter(|colon| *colon > 0)?;
    let value = colon + 1 + usize::from(line[colon + 1..end].starts_with(b" "));
    Some((start..colon, value..end))
}

impl Ami {
    /// Whether a block is an event that is a record.
    pub fn is_record(&self, block: &[u8], eol: u8) -> bool {
        block.split(|&byte| byte == eol).any(|line| {
            key_and_value(line, eol).is_some_and(|(key, value)| {
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
    fn elements(text: &str, eol: u8, size: usize) -> Vec<String> {
        let (mut splitter, mut found, mut start, mut shown) = (Splitter::new(ami(), eol), Vec::new(), 0, 0);
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
            assert_eq!(elements(text, b'\n', size), expected, "{size} bytes at a time");
            if !text.contains('\r') {
                let with = |text: &str| text.replace('\n', "\r");
                let expected: Vec<String> = expected.iter().map(|text| with(text)).collect();
                assert_eq!(elements(&with(text), b'\r', size), expected, "bare CR, {size} bytes at a time");
            }
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
    fn what_is_written_right_behind_a_cut_event_is_the_next_block() {
        check("Event: Cdr\nA: 17Event: Cdr\nA: d\n\n", &["!Event: Cdr\nA: 17", "Event: Cdr\nA: d"]);
        check("Event: Cdr\nA: Event: Cdr\nA: d\n\n", &["!Event: Cdr\nA:", "Event: Cdr\nA: d"]);
        check("Event: New\nA: 17Event: Cdr\nA: d\n\n", &["Event: New\nA: 17", "Event: Cdr\nA: d"]);
        check("Event: New\nA: Event: Cdr\n\n", &["Event: New\nA: Event: Cdr"]);
        check("Event: Cdr\nA: 1\0\0Event: New\nA: d\n\n", &["!Event: Cdr\nA: 1\0\0", "Event: New\nA: d"]);
        check(
            "Event: Cdr\nA: 17Asterisk Call Manager/5.0.1\nResponse: Success\n\n",
            &["!Event: Cdr\nA: 17", "Asterisk Call Manager/5.0.1", "Response: Success"],
        );
        check(
            "Event: Cdr\nA: 1\nResponse: Success\nB: c\n\n",
            &["!Event: Cdr\nA: 1", "Response: Success\nB: c"],
        );
        check("Event: Cdr\nA: 1Response: Goodbye\n\n", &["!Event: Cdr\nA: 1", "Response: Goodbye"]);
        check("Event: CEvent: Cdr\nB: c\n\n", &["!Event: C", "Event: Cdr\nB: c"]);
        check("Event: Cdr\nDurEvent: Cdr\nB: c\n\n", &["!Event: Cdr\nDur", "Event: Cdr\nB: c"]);
        check("Event: New\nDurEvent: Cdr\nB: c\n\n", &["Event: New\nDur", "Event: Cdr\nB: c"]);
        check("Event: UserEvent\nUserEvent: Cdr\nB: c\n\n", &["Event: UserEvent\nUserEvent: Cdr\nB: c"]);
        check("Event: Cdr\nDurEvent: New\nB: c\n\n", &["!Event: Cdr\nDur", "Event: New\nB: c"]);
        check("Event: Event: Cdr\nB: c\n\n", &["Event:", "Event: Cdr\nB: c"]);
        check("Event: Cdr\nA: b\n Event: Cdr\nB: c\n\n", &["!Event: Cdr\nA: b", "Event: Cdr\nB: c"]);
        let answer = "Event: OriginateResponse\nResponse: Success";
        check(&format!("{answer}\n\n"), &[answer]);
    }

    #[test]
    fn what_somebody_wrote_into_a_field_is_no_block() {
        for value in [
            "the Event: Gala",
            "my Event: Cdr",
            "Event: a b",
            "no Response: none",
            "Asterisk Call Manager/x",
            "the Asterisk Call Manager/5.0",
            "PreEvent: a b",
        ] {
            let event = format!("Event: Cdr\nUserField: {value}\nResponse: none");
            check(&format!("{event}\n\n"), &[&event]);
        }
    }

    #[test]
    fn what_nuls_stand_in_place_of_is_lost() {
        check("Event: Cdr\nA: b\n\0\0\0", &["!Event: Cdr\nA: b"]);
        check("Event: Cdr\nA: b\n\0\0\0\nEvent: Cdr\nC: d\n\n", &["!Event: Cdr\nA: b", "Event: Cdr\nC: d"]);
    }

    #[test]
    fn nuls_and_byte_order_marks_before_a_line_are_none_of_it() {
        check("\0\0Event: Cdr\nA: b\n\n\0\n\0\0Event: New\n\n", &["Event: Cdr\nA: b", "Event: New"]);
        check("Event: A\n\n\u{feff}Event: Cdr\n\0B: c\n\n", &["Event: A", "Event: Cdr\n\0B: c"]);
    }

    #[test]
    fn keys_end_at_the_first_colon() {
        let of = |line: &'static str| {
            key_and_value(line.as_bytes(), b'\n').map(|(key, value)| (&line[key], &line[value]))
        };
        assert_eq!(of("LastData: a:b\r\n"), Some(("LastData", "a:b")));
        assert_eq!(of("UserField:"), Some(("UserField", "")));
        assert_eq!(of("A:  b "), Some(("A", " b ")));
        assert_eq!((of("none"), of(": none")), (None, None));
    }
}
