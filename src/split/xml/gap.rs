//! What stands between elements: envelopes, or the rest of a damaged record.
//!
//! White space, comments, a DOCTYPE, the root's tags and elements that no record has are envelopes. Whatever
//! else stands there belongs to a record whose own tags are lost, and may not be lost with them.

use memchr::memchr;

use crate::format::Xml;
use crate::format::keys::Keys;
use crate::xml::{Aside, Ends, aside, end_tag, name_end, past_blanks, tag};

/// The text between elements, looked through for what is neither blank nor envelope.
pub struct Gap {
    at: usize,
    end: usize,
    /// The dump ends with it.
    is_last: bool,
    junk: Option<std::ops::Range<usize>>,
    pub(super) roots: i64,
    pub(super) nuls: u64,
    pub(super) doctypes: u64,
    /// Where a tag begins that the dump's end cuts off.
    pub(super) cut: Option<usize>,
    /// What stands there in place of a dump.
    pub(super) error: Option<String>,
}

/// What no dump has: a page that somebody's browser should have shown.
const PAGE: &str = "html";

/// How much of an error's message is shown.
const MESSAGE: usize = 300;

/// What a piece of a gap is.
enum Piece {
    Envelope,
    Junk,
}

impl Gap {
    /// The gap from `at` up to `end`; `is_last` says that the dump ends there.
    pub fn new(at: usize, end: usize, is_last: bool) -> Gap {
        Gap { at, end, is_last, junk: None, roots: 0, nuls: 0, doctypes: 0, cut: None, error: None }
    }

    /// The next run of text that belongs to no record and to no envelope.
    pub fn next(&mut self, text: &[u8], xml: &Xml, keys: &Keys) -> Option<std::ops::Range<usize>> {
        let text = &text[..self.end];
        loop {
            self.at = past_blanks(text, self.at, self.end);
            if self.at >= self.end {
                return self.junk.take();
            }
            let start = self.at;
            match self.piece(text, xml, keys) {
                Piece::Envelope => {}
                Piece::Junk => {
                    let from = self.junk.take().map_or(start, |junk| junk.start);
                    self.junk = Some(from..start + text[start..self.at].trim_ascii_end().len());
                }
            }
        }
    }

    /// Goes past what stands next, which is not blank.
    fn piece(&mut self, text: &[u8], xml: &Xml, keys: &Keys) -> Piece {
        let (start, rest) = (self.at, &text[self.at..]);
        match rest {
            [0, ..] => {
                self.nuls += 1;
                self.at += rest.iter().take_while(|&&byte| byte == 0).count();
                Piece::Envelope
            }
            [0xef, 0xbb, 0xbf, ..] => {
                self.at += 3;
                Piece::Envelope
            }
            [b'<', b'!' | b'?', ..] => match aside(text, start, true) {
                Some((kind, Ends::At(end))) if kind != Aside::Cdata => {
                    self.doctypes += u64::from(kind == Aside::Doctype);
                    self.at = end;
                    Piece::Envelope
                }
                _ => self.up_to_next(text),
            },
            [b'<', b'/', ..] => self.closing(text, xml, keys),
            [b'<', ..] => self.opening(text, xml, keys),
            _ => self.up_to_next(text),
        }
    }

    /// Text, up to the next tag.
    fn up_to_next(&mut self, text: &[u8]) -> Piece {
        let start = self.at;
        self.at = memchr(b'<', &text[start + 1..]).map_or(self.end, |next| start + 1 + next);
        if text[start] == b'<' && self.at == self.end && self.is_last {
            self.cut = Some(start);
            return Piece::Envelope;
        }
        Piece::Junk
    }

    fn closing(&mut self, text: &[u8], xml: &Xml, keys: &Keys) -> Piece {
        let start = self.at + 2;
        let end = name_end(text, start);
        let Some(after) = end_tag(text, end) else { return self.up_to_next(text) };
        self.at = after;
        let name = &text[start..end];
        self.roots -= i64::from(name == xml.root.as_bytes());
        if is_envelope(name, xml, keys) { Piece::Envelope } else { Piece::Junk }
    }

    fn opening(&mut self, text: &[u8], xml: &Xml, keys: &Keys) -> Piece {
        let start = self.at + 1;
        let end = name_end(text, start);
        let name = &text[start..end];
        let tag = match tag(text, end) {
            Some(tag) if !tag.is_broken && !name.is_empty() => tag,
            _ => return self.up_to_next(text),
        };
        self.at = tag.end;
        if !is_envelope(name, xml, keys) {
            return Piece::Junk;
        }
        if name == xml.root.as_bytes() {
            self.roots += i64::from(!tag.is_closed);
        } else if self.junk.is_some() {
            // The rest of a damaged record may have any element.
            self.pass_value(text, name);
        } else if name.eq_ignore_ascii_case(PAGE.as_bytes()) {
            self.error.get_or_insert("an HTML page in place of a dump".to_string());
        } else if !tag.is_closed
            && let Some(said) = self.pass_value(text, name)
        {
            self.hear(name, said, xml);
        }
        Piece::Envelope
    }

    /// Goes past what an envelope's own element says, if it says it in text alone.
    fn pass_value<'t>(&mut self, text: &'t [u8], name: &[u8]) -> Option<&'t [u8]> {
        let next = memchr(b'<', &text[self.at..]).map(|next| self.at + next)?;
        text[next + 1..].strip_prefix(b"/").filter(|rest| rest.starts_with(name))?;
        let end = end_tag(text, next + 2 + name.len())?;
        let said = &text[self.at..next];
        self.at = end;
        Some(said.trim_ascii())
    }

    /// Whether what an envelope says is an error.
    fn hear(&mut self, name: &[u8], said: &[u8], xml: &Xml) {
        let [message, status] = xml.error.map(|own| own.as_bytes() == name);
        let said = String::from_utf8_lossy(&said[..said.len().min(MESSAGE)]);
        if message && !said.is_empty() {
            self.error.get_or_insert(format!("an error in place of a dump: `{said}`"));
        } else if status && said.parse().is_ok_and(|number: i64| number != 0) {
            self.error.get_or_insert(format!("an error in place of a dump: `{} {said}`", xml.error[1]));
        }
    }
}

/// Whether an element of that name is no part of a record.
fn is_envelope(name: &[u8], xml: &Xml, keys: &Keys) -> bool {
    !name.is_empty()
        && ![xml.call, xml.main, xml.sub].iter().any(|own| own.as_bytes() == name)
        && keys.slot(name).is_none()
}
