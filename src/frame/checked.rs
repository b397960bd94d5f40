//! A block's text, and whether it is UTF-8: checked once, when its framing begins, and known from there on.
//!
//! Checking is going over all of the text, which comes from another processor's cache. So what was found is
//! carried by types that nobody else can make: [`Checked`] into the framing, [`Utf8`] out of it.
//!
//! One of the places with `unsafe`: it skips the second check of what is known. The reason is measured: the two
//! checks took 15 % of the time of a filter that keeps one record in a thousand.
#![allow(unsafe_code)]

use std::ops::Deref;

use super::blanked;

/// A block's text.
pub struct Checked {
    bytes: Vec<u8>,
    is_utf8: bool,
}

/// Bytes that are UTF-8.
#[derive(Debug, Default)]
pub struct Utf8(Vec<u8>);

impl Checked {
    /// Checks a text.
    pub fn new(bytes: Vec<u8>) -> Checked {
        let is_utf8 = simdutf8::basic::from_utf8(&bytes).is_ok();
        Checked { bytes, is_utf8 }
    }

    /// Its bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Whether all of it is UTF-8.
    pub fn is_utf8(&self) -> bool {
        self.is_utf8
    }

    /// All of it as text, if it is.
    pub fn valid(&self) -> Option<&str> {
        // SAFETY: `new` is the only constructor, its check of these bytes is `is_utf8`, and they never change.
        self.is_utf8.then(|| unsafe { std::str::from_utf8_unchecked(&self.bytes) })
    }

    /// The text as UTF-8, with what was rewritten behind it; and as it stands, where it is not. What is not UTF-8
    /// becomes `?`, byte for byte: no span points at one, for such records are rejected or rewritten.
    pub fn into_arena(self, rewritten: &[u8]) -> (Utf8, Option<Vec<u8>>) {
        let Checked { mut bytes, is_utf8 } = self;
        let original = (!is_utf8).then(|| {
            let shown = blanked(&bytes);
            std::mem::replace(&mut bytes, shown)
        });
        // What was rewritten of a record that was then rejected need not be UTF-8 either.
        match simdutf8::basic::from_utf8(rewritten) {
            Ok(rewritten) => bytes.extend_from_slice(rewritten.as_bytes()),
            Err(_) => bytes.extend_from_slice(&blanked(rewritten)),
        }
        (Utf8(bytes), original)
    }
}

impl Utf8 {
    /// The bytes.
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

impl Deref for Utf8 {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn an_arena_is_utf8_and_as_long_as_what_it_is_of(
            text in prop_oneof!["[a-zé—]{0,40}".prop_map(String::into_bytes), proptest::collection::vec(any::<u8>(), 0..40)],
            rewritten in prop_oneof!["[a-zé]{0,9}".prop_map(String::into_bytes), proptest::collection::vec(any::<u8>(), 0..9)],
        ) {
            let checked = Checked::new(text.clone());
            let valid = std::str::from_utf8(&text).ok();
            prop_assert_eq!((checked.valid(), checked.is_utf8()), (valid, valid.is_some()));
            let is_valid = valid.is_some();
            let (arena, original) = checked.into_arena(&rewritten);
            prop_assert!(std::str::from_utf8(&arena).is_ok());
            prop_assert_eq!(arena.len(), text.len() + rewritten.len());
            prop_assert_eq!(original, (!is_valid).then(|| text.clone()));
            if is_valid {
                prop_assert_eq!(&arena[..text.len()], &text[..]);
            }
        }
    }
}
