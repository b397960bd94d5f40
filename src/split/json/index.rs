//! The brackets of a text that stand outside of its quotes, found 64 bytes at a time.
//!
//! Whether a byte stands within quotes is told by all quotes before it, so the index is made from a byte on that
//! certainly does not (the anchor). It goes as far as the quotes are regular: every closing one followed by what
//! may follow it, and no backslash outside of them. From there on the walker alone is believed.

use crate::structure::json::{Masks, each};
use crate::structure::{Eye, odd};

/// How much is looked at at a time: little at first, for the next anchor may be near.
const FIRST: usize = 1 << 10;
const MOST: usize = 1 << 14;

/// Brackets outside of quotes.
#[derive(Debug, Default)]
pub struct Index {
    /// Where they stand, in order; those before `next` are done with.
    found: Vec<u32>,
    next: usize,
    /// The text is looked at up to here.
    upto: usize,
    /// It cannot be looked at any further: the quotes are irregular there.
    is_over: bool,
    window: usize,
    quotes: Quotes,
}

/// What one 64 bytes leave to the next.
#[derive(Clone, Copy, Debug, Default)]
struct Quotes {
    /// All bits are 1 within a text.
    inside: u64,
    /// The first byte is escaped; the byte before closed a text.
    escaped: u64,
    closed: u64,
}

impl Index {
    /// Forgets everything, and begins at this byte, which stands in no text.
    pub fn anchor(&mut self, at: usize) {
        self.found.clear();
        (self.next, self.upto, self.is_over, self.window) = (0, at, false, FIRST);
        self.quotes = Quotes::default();
    }

    /// Goes to the bracket at this byte; comes back with whether it is known to stand in no text.
    pub fn seek(&mut self, text: &[u8], at: usize) -> bool {
        loop {
            while let Some(&found) = self.found.get(self.next) {
                if found as usize >= at {
                    return found as usize == at;
                }
                self.next += 1;
            }
            if !self.more(text) {
                return false;
            }
        }
    }

    /// The next bracket; nothing where none is known ([`Index::is_whole`] tells why).
    #[inline]
    pub fn next(&mut self, text: &[u8]) -> Option<usize> {
        while self.next >= self.found.len() {
            if !self.more(text) {
                return None;
            }
        }
        self.next += 1;
        Some(self.found[self.next - 1] as usize)
    }

    /// Whether the text was regular to its end.
    pub fn is_whole(&self) -> bool {
        !self.is_over
    }

    /// Looks further; comes back with whether there was more to look at.
    fn more(&mut self, text: &[u8]) -> bool {
        if self.is_over || self.upto >= text.len() {
            return false;
        }
        if self.next >= self.found.len() {
            self.found.clear();
            self.next = 0;
        }
        let window = &text[self.upto..text.len().min(self.upto + self.window)];
        self.is_over = !each(window, self);
        self.upto += window.len();
        self.window = (self.window * 2).min(MOST);
        true
    }
}

impl Eye<Masks> for Index {
    #[inline(always)]
    fn see(&mut self, at: usize, masks: Masks) -> bool {
        let (mut brackets, is_regular) = self.quotes.step(&masks);
        while brackets != 0 {
            self.found.push((self.upto + at) as u32 + brackets.trailing_zeros());
            brackets &= brackets - 1;
        }
        is_regular
    }
}

impl Quotes {
    /// The brackets outside of texts among 64 bytes, up to where the quotes are irregular, if they are.
    #[inline(always)]
    fn step(&mut self, masks: &Masks) -> (u64, bool) {
        let escaped = masks.quote & self.escaped_by(masks.backslash);
        let quote = masks.quote ^ escaped;
        // Bit i is the parity of all quotes up to byte i: 1 from an opening quote up to before the closing one.
        let odd = if escaped == 0 { masks.odd } else { odd(quote) };
        let inside = odd ^ self.inside;
        self.inside = ((inside as i64) >> 63) as u64;
        let closing = quote & !inside;
        let wrong = (closing << 1 | self.closed) & !masks.follow | masks.backslash & !inside;
        self.closed = closing >> 63;
        let brackets = masks.bracket & !inside;
        match wrong {
            0 => (brackets, true),
            _ => (brackets & ((1 << wrong.trailing_zeros()) - 1), false),
        }
    }

    /// The bytes that stand behind a backslash which is not itself escaped.
    #[inline(always)]
    fn escaped_by(&mut self, backslash: u64) -> u64 {
        if backslash == 0 {
            return std::mem::take(&mut self.escaped);
        }
        let (mut escaped, mut rest) = (self.escaped, backslash & !self.escaped);
        self.escaped = 0;
        while rest != 0 {
            let at = rest.trailing_zeros();
            if at == 63 {
                self.escaped = 1;
                break;
            }
            escaped |= 2 << at;
            rest &= !(3 << at);
        }
        escaped
    }
}
