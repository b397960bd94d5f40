//! Where the next record begins behind one that is broken.
//!
//! It is an object that stands where one can (behind `,`, `[`, `}`, `]`, or on a new line), and whose first key
//! is the one with which the records before began, or one that the format knows. Every `{` is looked at once,
//! and not far round it.

use memchr::memchr_iter;

use crate::format::{Json, keys::Keys};
use crate::json::{key_at, skip_blank};

/// How far round a `{` is looked.
pub const REACH: usize = 256;

/// What is looked for, and where.
pub struct Resume<'t> {
    /// The dump's envelopes and nesting.
    pub json: &'t Json,
    /// The keys of its records.
    pub keys: &'t Keys,
    /// The text.
    pub text: &'t [u8],
    /// The key with which the last good record began.
    pub first_key: &'t [u8],
    /// Records may stand under numbers.
    pub by_index: bool,
}

impl Resume<'_> {
    /// The first byte from `from` on at which a record begins, or (`true`) a document with its envelope.
    pub fn find(&self, from: usize) -> Option<(usize, bool)> {
        let from = from.min(self.text.len());
        memchr_iter(b'{', &self.text[from..]).map(|at| from + at).find_map(|at| {
            let before = self.before(at)?;
            let key = self.first_key_of(at)?;
            let one_of = |names: &[&str]| names.iter().any(|name| name.as_bytes() == key);
            if before != b',' && (one_of(self.json.roots) || one_of(self.json.wrappers)) {
                return Some((at, true));
            }
            self.is_first(key).then_some((at, false))
        })
    }

    /// What stands before an object that may be a record; a new line is one, too.
    fn before(&self, at: usize) -> Option<u8> {
        let near = &self.text[at.saturating_sub(REACH)..at];
        let bare = near.trim_ascii_end();
        let on_a_line = near[bare.len()..].contains(&b'\n');
        match bare.last() {
            Some(byte @ (b',' | b'[' | b'}' | b']')) => Some(*byte),
            Some(b':') if self.by_index => ends_in_index(&bare[..bare.len() - 1]).then_some(b','),
            Some(b':') => None,
            _ => on_a_line.then_some(b'\n'),
        }
    }

    fn first_key_of(&self, at: usize) -> Option<&[u8]> {
        let near = &self.text[at..self.text.len().min(at + REACH)];
        let (key, _) = key_at(near, skip_blank(near, 1)).ok()?;
        Some(&near[key.start..key.end])
    }

    fn is_first(&self, key: &[u8]) -> bool {
        let nested = |name: &&str| key.starts_with(name.as_bytes());
        let nesting = self.json.nesting.as_ref();
        key == self.first_key
            || self.keys.exact(key).is_some()
            || nesting.is_some_and(|nesting| {
                key == nesting.group.as_bytes() || [nesting.main, nesting.sub].iter().any(nested)
            })
    }
}

/// Whether a text ends in an index in quotes.
fn ends_in_index(text: &[u8]) -> bool {
    let text = text.trim_ascii_end();
    let Some(text) = text.strip_suffix(b"\"") else { return false };
    let digits = text.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    digits > 0 && text[..text.len() - digits].ends_with(b"\"")
}

/// Where a broken element ends that begins at `at`, where the next begins at `next`: without the index, the comma
/// and the blanks between the two.
pub fn trimmed(text: &[u8], at: usize, next: usize) -> usize {
    let mut own = text[at..next].trim_ascii_end();
    if let Some(rest) = own.strip_suffix(b":").filter(|rest| ends_in_index(rest)) {
        let rest = rest.trim_ascii_end();
        let quote = rest[..rest.len() - 1].iter().rposition(|&byte| byte == b'"').unwrap_or(0);
        own = rest[..quote].trim_ascii_end();
    }
    let own = own.strip_suffix(b",").unwrap_or(own).trim_ascii_end();
    at + own.len().max(1)
}
