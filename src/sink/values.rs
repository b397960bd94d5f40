//! The distinct texts of a column chunk: each once, in the order in which they first came, as the chunk's
//! dictionary page has them.
//!
//! A text is found by its hash. Where many are looked up, their places in the table are looked at together, so that the
//! processor waits for many of them at once. This file must not know pages or rows.

use std::hash::{BuildHasher, Hasher};
use std::ops::Range;

use foldhash::fast::RandomState;

use super::texts::append;

/// The distinct texts, and where each is.
#[derive(Default)]
pub struct Values {
    /// Each as its length and its text: the page's own form.
    page: Vec<u8>,
    /// Where each text ends in `page`.
    ends: Vec<u32>,
    /// By hash: 0 where nobody is, else the upper bits of the hash, and the code plus one.
    table: Vec<u32>,
    /// How many of the first texts stand in `table`. It is not made as long as all are words of one lexicon, for
    /// these are known to differ.
    indexed: usize,
    /// Whose word the first text was.
    lexicon: Option<u64>,
    /// Another in every process: nobody can prepare texts that hash alike.
    hasher: RandomState,
}

/// Bits of an entry of the table that are a code; the others are of the hash.
const CODE_BITS: u32 = 20;

/// There are never more texts than this: a column stops long before.
const MOST: usize = (1 << CODE_BITS) - 2;

/// Places of a table at first, and for each text at least.
const LEAST: usize = 256;
const LEAST_PLACES: usize = 2;

/// Texts that are looked up at a time.
const LANES: usize = 16;

impl Values {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// The dictionary page's body.
    pub fn page(&self) -> &[u8] {
        &self.page
    }

    /// The text of a code.
    pub fn text(&self, code: u32) -> &[u8] {
        &self.page[self.place(code)]
    }

    /// The code of a text, which may be a new one.
    pub fn code(&mut self, text: &[u8]) -> u32 {
        self.index();
        self.indexed_code(text, self.hash(text))
    }

    /// Appends the codes of texts, which may be new ones.
    pub fn codes<'t>(&mut self, mut texts: impl Iterator<Item = &'t [u8]>, codes: &mut Vec<u32>) {
        self.index();
        let (mut lanes, mut entries) = ([(&[][..], 0); LANES], [0; LANES]);
        loop {
            let mut filled = 0;
            for (lane, text) in lanes.iter_mut().zip(texts.by_ref().take(LANES)) {
                *lane = (text, self.hash(text));
                filled += 1;
            }
            for (entry, (_, hash)) in entries.iter_mut().zip(&lanes) {
                *entry =
                    self.table.get(*hash as usize & (self.table.len().wrapping_sub(1))).map_or(0, |e| *e);
            }
            for (&entry, &(text, hash)) in entries[..filled].iter().zip(&lanes) {
                let is_it = entry != 0 && self.is(entry, hash, text);
                codes.push(if is_it { code_of(entry) } else { self.indexed_code(text, hash) });
            }
            if filled < LANES {
                return;
            }
        }
    }

    /// The code of a lexicon's word that is asked for the first time; it may stand here from elsewhere.
    pub fn word(&mut self, text: &[u8], lexicon: u64) -> u32 {
        if self.ends.is_empty() {
            self.lexicon = Some(lexicon);
        }
        if self.indexed == 0 && self.lexicon == Some(lexicon) {
            return self.push(text);
        }
        self.code(text)
    }

    fn push(&mut self, text: &[u8]) -> u32 {
        assert!(self.ends.len() < MOST, "a column has stopped before");
        append(text, &mut self.page);
        self.ends.push(self.page.len() as u32);
        self.ends.len() as u32 - 1
    }

    /// The same, where all texts are in the table.
    fn indexed_code(&mut self, text: &[u8], hash: u64) -> u32 {
        let mask = self.table.len().wrapping_sub(1);
        let mut at = hash as usize & mask;
        while let Some(&entry) = self.table.get(at).filter(|entry| **entry != 0) {
            if self.is(entry, hash, text) {
                return code_of(entry);
            }
            at = (at + 1) & mask;
        }
        let code = self.push(text);
        self.index();
        code
    }

    /// Whether an entry is this text's.
    #[inline]
    fn is(&self, entry: u32, hash: u64, text: &[u8]) -> bool {
        entry >> CODE_BITS == tag(hash) && self.text(code_of(entry)) == text
    }

    /// Puts all texts into the table.
    fn index(&mut self) {
        if self.ends.len() * LEAST_PLACES > self.table.len() {
            let places = (self.ends.len() * LEAST_PLACES * 2).next_power_of_two().max(LEAST);
            self.table = vec![0; places];
            self.indexed = 0;
        }
        while self.indexed < self.ends.len() {
            let code = self.indexed as u32;
            let hash = self.hash(self.text(code));
            let mask = self.table.len() - 1;
            let mut at = hash as usize & mask;
            while self.table[at] != 0 {
                at = (at + 1) & mask;
            }
            self.table[at] = tag(hash) << CODE_BITS | (code + 1);
            self.indexed += 1;
        }
    }

    #[inline]
    fn hash(&self, text: &[u8]) -> u64 {
        let mut hasher = self.hasher.build_hasher();
        hasher.write(text);
        hasher.finish()
    }

    /// Where a code's text stands in the page, behind its length.
    fn place(&self, code: u32) -> Range<usize> {
        let start = if code == 0 { 0 } else { self.ends[code as usize - 1] as usize } + 4;
        start..self.ends[code as usize] as usize
    }
}

fn code_of(entry: u32) -> u32 {
    (entry & ((1 << CODE_BITS) - 1)) - 1
}

fn tag(hash: u64) -> u32 {
    (hash >> (u64::BITS - (u32::BITS - CODE_BITS))) as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn codes_are_the_places_where_texts_first_came(
            texts in proptest::collection::vec("[ab]{0,3}|[ab]{8}|[a-c]{30,34}", 0..1500), many in any::<bool>(),
        ) {
            let mut seen: Vec<&str> = Vec::new();
            let expected: Vec<u32> = texts.iter().map(|text| {
                let at = seen.iter().position(|known| known == text);
                at.unwrap_or_else(|| { seen.push(text); seen.len() - 1 }) as u32
            }).collect();
            let (mut values, mut codes) = (Values::default(), Vec::new());
            match many {
                true => values.codes(texts.iter().map(|text| text.as_bytes()), &mut codes),
                false => codes.extend(texts.iter().map(|text| values.code(text.as_bytes()))),
            }
            prop_assert_eq!(codes, expected);
            let page: Vec<&[u8]> = (0..values.len() as u32).map(|code| values.text(code)).collect();
            prop_assert_eq!(page, seen.iter().map(|text| text.as_bytes()).collect::<Vec<_>>());
        }
    }

    #[test]
    fn words_of_a_lexicon_and_texts_from_elsewhere_stand_once() {
        let mut values = Values::default();
        assert_eq!(["a", "b"].map(|word| values.word(word.as_bytes(), 1)), [0, 1]);
        assert_eq!(["b", "c"].map(|word| values.word(word.as_bytes(), 2)), [1, 2]);
        assert_eq!((values.code(b"a"), values.code(b"d"), values.word(b"c", 1)), (0, 3, 2));
        assert_eq!(values.len(), 4);
    }
}
