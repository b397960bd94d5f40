//! The distinct texts of a column: each is known by its first bytes and its length, and only a longer
//! one is ever compared with its text.
//!
//! Millions of lookups go through this, most of them of texts that are known, and of more texts than
//! the nearest cache holds. So they are looked up many at a time, step by step and without branches
//! between the steps: then the processor waits for many places in memory at once, not for one after
//! the other. It must not know what the texts are for.

use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;

use crate::frame::Span;

/// A text to be looked up.
#[derive(Clone, Copy)]
pub struct Text<'t> {
    /// All of it.
    pub bytes: &'t [u8],
    /// What it is compared by: see [`head`].
    head: u128,
}

/// Texts in the order in which they first came.
#[derive(Debug)]
pub struct Distinct {
    /// What hashes are mixed with.
    seeds: [u64; 2],
    /// By hash: 0 where nobody is, else the upper bits of the hash, and the text's number plus one.
    table: Vec<u32>,
    /// The head of each, behind that of nobody.
    heads: Vec<u128>,
    /// Of each text the rest behind its head, in `rests`: where it begins and how long it is.
    tails: Vec<(u32, u32)>,
    rests: Vec<u8>,
}

/// Bytes of a text that its head holds. Behind them stands its length, or [`LONGER`].
const HEAD: usize = 15;
const LONGER: u8 = 255;

/// Slots of a table at first.
const LEAST: usize = 256;

/// Places of the table for each text: few texts must stand behind their own place, for the fast way looks only there.
const LEAST_PLACES: usize = 4;

/// Texts that are looked up at a time.
const LANES: usize = 16;

/// No number is known.
const UNKNOWN: u32 = u32::MAX;

/// Bits of an entry that are a number; the others are of the hash.
const NUMBER_BITS: u32 = 24;
const NUMBER: u32 = (1 << NUMBER_BITS) - 1;

/// The head of no text: what is no text's number leads to it.
const NOBODY: u128 = 254 << 120;

/// There are never more texts than this. No block brings nearly so many, and what is kept between blocks is bounded
/// by far fewer: see `library.rs`.
pub const MOST: usize = (1 << NUMBER_BITS) - 2;

/// What hashes are mixed with. Chosen anew by every process, so that nobody can prepare texts that
/// hash alike; the texts' numbers do not depend on it.
static SEEDS: LazyLock<[u64; 2]> = LazyLock::new(|| {
    let random = RandomState::new();
    [random.hash_one(1u8) | 1, random.hash_one(2u8) | 1]
});

/// Of each length, the last for all that are longer: the bytes of a head that are text, and its last byte.
const SHOWN: [(u128, u128); HEAD + 2] = {
    let mut shown = [(0, 0); HEAD + 2];
    let mut len = 0;
    while len <= HEAD {
        shown[len] = ((1 << (8 * len)) - 1, (len as u128) << 120);
        len += 1;
    }
    shown[len] = (shown[HEAD].0, (LONGER as u128) << 120);
    shown
};

/// The first bytes of a text, zeros behind its end, and its length; `window` begins with it.
#[inline(always)]
fn head(window: [u8; 16], len: usize) -> u128 {
    let (shown, length) = SHOWN[len.min(HEAD + 1)];
    u128::from_le_bytes(window) & shown | length
}

/// Whether a head does not hold all of its text.
#[inline(always)]
fn is_longer(head: u128) -> bool {
    (head >> 120) as u8 == LONGER
}

impl<'t> Text<'t> {
    /// No text at all.
    const NONE: Text<'static> = Text { bytes: &[], head: 0 };

    /// A text that stands alone.
    pub fn new(bytes: &'t [u8]) -> Text<'t> {
        let mut window = [0; 16];
        let shown = bytes.len().min(16);
        window[..shown].copy_from_slice(&bytes[..shown]);
        Text { bytes, head: head(window, bytes.len()) }
    }

    /// The head of a text that stands in a longer one: it need not be copied to look at it.
    #[inline(always)]
    fn head_within(all: &[u8], span: Span) -> u128 {
        let start = span.start as usize;
        match all.get(start..start + 16).and_then(<[u8]>::first_chunk) {
            Some(window) => head(*window, span.len as usize),
            None => Text::new(span.of(all)).head,
        }
    }

    /// What its head does not hold.
    #[inline]
    fn rest(&self) -> &'t [u8] {
        self.bytes.get(HEAD..).unwrap_or_default()
    }
}

impl Default for Distinct {
    fn default() -> Distinct {
        let (table, heads, tails, rests) = (Vec::new(), vec![NOBODY], Vec::new(), Vec::new());
        Distinct { seeds: *SEEDS, table, heads, tails, rests }
    }
}

impl Distinct {
    /// How much memory they have, about.
    pub fn bytes(&self) -> usize {
        self.rests.len() + self.table.len() * size_of::<u32>() + self.heads.len() * (16 + 8)
    }

    /// The number of a text, and whether it is a new one.
    ///
    /// # Panics
    /// There are [`MOST`] texts already, and this is not one of them.
    #[inline]
    pub fn number(&mut self, text: Text<'_>) -> (usize, bool) {
        let hash = self.hash(text.head, text.rest());
        let mask = self.table.len().wrapping_sub(1);
        let mut at = hash as usize & mask;
        while let Some(&entry) = self.table.get(at) {
            if entry == 0 {
                break;
            }
            let number = (entry & NUMBER) as usize - 1;
            if entry >> NUMBER_BITS == tag(hash) && self.is(number, text) {
                return (number, false);
            }
            at = (at + 1) & mask;
        }
        (self.insert(hash, text), true)
    }

    /// Tells of each text where it stands, its number, and, where it is a new one, the text.
    #[inline]
    pub fn number_all<'t>(
        &mut self,
        mut texts: impl Iterator<Item = (usize, Text<'t>)>,
        mut tell: impl FnMut(usize, usize, Option<Text<'t>>),
    ) {
        let (mut lanes, mut heads, mut places) = ([Text::NONE; LANES], [0; LANES], [0; LANES]);
        loop {
            let mut filled = 0;
            for (at, text) in texts.by_ref().take(LANES) {
                (places[filled], lanes[filled], heads[filled]) = (at, text, text.head);
                filled += 1;
            }
            let known = self.known(&heads, |lane| lanes[lane].rest());
            for lane in 0..filled {
                let (number, is_new) = match known[lane] {
                    UNKNOWN => self.number(lanes[lane]),
                    number => (number as usize, false),
                };
                tell(places[lane], number, is_new.then_some(lanes[lane]));
            }
            if filled < LANES {
                return;
            }
        }
    }

    /// Writes what stands in `made` for the number of each span's text; for a new text `make` makes it.
    #[inline]
    pub fn look_up_spans<'t>(
        &mut self,
        all: &'t [u8],
        spans: &[Span],
        out: &mut [i32],
        made: &mut Vec<i32>,
        mut make: impl FnMut(&'t [u8]) -> i32,
    ) {
        let (mut lanes, mut heads, mut last) = ([Span::default(); LANES], [0; LANES], None);
        for (spans, out) in spans.chunks(LANES).zip(out.chunks_mut(LANES)) {
            lanes[..spans.len()].copy_from_slice(spans);
            for (head, span) in heads.iter_mut().zip(&lanes) {
                *head = Text::head_within(all, *span);
            }
            // Texts are often all the same for a while.
            if let Some((head, made)) = last
                && heads.iter().fold(0, |differ, other| differ | (head ^ other)) == 0
            {
                out.fill(made);
                continue;
            }
            let known = self.known(&heads, |lane| &lanes[lane].of(all)[HEAD..]);
            for (lane, out) in out.iter_mut().enumerate() {
                let mut number = known[lane] as usize;
                if known[lane] == UNKNOWN {
                    let text = Text { bytes: lanes[lane].of(all), head: heads[lane] };
                    let is_new;
                    (number, is_new) = self.number(text);
                    if is_new {
                        made.push(make(text.bytes));
                    }
                }
                *out = made[number];
            }
            last = out.last().map(|made| (heads[out.len() - 1], *made)).filter(|(head, _)| !is_longer(*head));
        }
    }

    /// The numbers of known texts, in their order; [`UNKNOWN`] for any that [`Distinct::number`] must
    /// be asked for. `rest` tells of a longer text what its head does not hold.
    #[inline]
    fn known<'t>(&self, heads: &[u128; LANES], rest: impl Fn(usize) -> &'t [u8]) -> [u32; LANES] {
        let mut numbers = [UNKNOWN; LANES];
        let Some(mask) = self.table.len().checked_sub(1) else { return numbers };
        let (mut hashes, mut entries, mut longer) = ([0; LANES], [0; LANES], 0u32);
        for (lane, (hash, head)) in hashes.iter_mut().zip(heads).enumerate() {
            *hash = mixed(*head, self.seeds[0], self.seeds[1]);
            longer |= u32::from(is_longer(*head)) << lane;
        }
        each_bit(longer, |lane| hashes[lane] = hash_long(hashes[lane], rest(lane), self.seeds[0]));
        for (entry, hash) in entries.iter_mut().zip(&hashes) {
            *entry = self.table[*hash as usize & mask];
        }
        for (lane, known) in numbers.iter_mut().enumerate() {
            // The head tells nearly all apart; what hashes alike and is not it is asked for.
            let at = entries[lane] & NUMBER;
            *known = if self.heads[at as usize] == heads[lane] { at - 1 } else { UNKNOWN };
        }
        each_bit(longer, |lane| {
            if numbers[lane] != UNKNOWN && !self.has_rest(numbers[lane] as usize, rest(lane)) {
                numbers[lane] = UNKNOWN;
            }
        });
        numbers
    }

    #[inline]
    fn is(&self, number: usize, text: Text<'_>) -> bool {
        if self.heads[number + 1] != text.head {
            return false;
        }
        text.bytes.len() <= HEAD || self.has_rest(number, text.rest())
    }

    #[inline]
    fn has_rest(&self, number: usize, rest: &[u8]) -> bool {
        let (start, len) = self.tails[number];
        self.rests[start as usize..][..len as usize] == *rest
    }

    #[cold]
    fn insert(&mut self, hash: u64, text: Text<'_>) -> usize {
        let number = self.tails.len();
        assert!(number < MOST, "room is made before a column");
        if number * LEAST_PLACES >= self.table.len() {
            self.grow();
        }
        place(&mut self.table, hash, number);
        self.heads.push(text.head);
        self.tails.push((self.rests.len() as u32, text.rest().len() as u32));
        self.rests.extend_from_slice(text.rest());
        number
    }

    #[inline]
    fn hash(&self, head: u128, rest: &[u8]) -> u64 {
        let [one, other] = self.seeds;
        let first = mixed(head, one, other);
        if is_longer(head) { hash_long(first, rest, one) } else { first }
    }

    fn grow(&mut self) {
        let mut table = vec![0; (self.table.len() * 2).max(LEAST)];
        for (number, (head, &(start, len))) in self.heads[1..].iter().zip(&self.tails).enumerate() {
            let hash = self.hash(*head, &self.rests[start as usize..][..len as usize]);
            place(&mut table, hash, number);
        }
        self.table = table;
    }
}

/// Tells the places of the bits that are set.
#[inline]
fn each_bit(mut bits: u32, mut tell: impl FnMut(usize)) {
    while bits != 0 {
        tell(bits.trailing_zeros() as usize);
        bits &= bits - 1;
    }
}

/// Puts a number where its hash leads, or behind.
fn place(table: &mut [u32], hash: u64, number: usize) {
    let mask = table.len() - 1;
    let mut at = hash as usize & mask;
    while table[at] != 0 {
        at = (at + 1) & mask;
    }
    table[at] = tag(hash) << NUMBER_BITS | (number as u32 + 1);
}

#[inline]
fn tag(hash: u64) -> u32 {
    (hash >> (u64::BITS - (u32::BITS - NUMBER_BITS))) as u32
}

fn hash_long(first: u64, rest: &[u8], seed: u64) -> u64 {
    let chunks = rest.as_chunks::<16>().0.iter().map(|chunk| u128::from_le_bytes(*chunk));
    let hash = chunks.fold(first ^ rest.len() as u64, |hash, chunk| mixed(chunk, seed, hash));
    mixed(last(rest), seed, hash)
}

/// The last 16 bytes of a text; all of one that is shorter, some of them twice, for pieces of one size are read
/// without a call.
#[inline]
fn last(text: &[u8]) -> u128 {
    if let Some(last) = text.last_chunk() {
        return u128::from_le_bytes(*last);
    }
    if let (Some(first), Some(last)) = (text.first_chunk(), text.last_chunk()) {
        return u128::from(u64::from_le_bytes(*first)) | u128::from(u64::from_le_bytes(*last)) << 64;
    }
    if let (Some(first), Some(last)) = (text.first_chunk(), text.last_chunk()) {
        return u128::from(u32::from_le_bytes(*first)) | u128::from(u32::from_le_bytes(*last)) << 64;
    }
    text.iter().fold(0, |bits, &byte| bits << 8 | u128::from(byte))
}

/// The two halves of a product: every bit of it depends on every bit of both.
#[inline]
fn mixed(bits: u128, one: u64, other: u64) -> u64 {
    let product = u128::from(bits as u64 ^ one) * u128::from((bits >> 64) as u64 ^ other);
    let product = (product as u64) ^ ((product >> 64) as u64);
    // A half that happens to equal its seed must not take the other one away.
    product ^ (bits as u64).rotate_left(32) ^ (bits >> 64) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn numbers_are_those_of_a_map(
            texts in proptest::collection::vec("[ab\0]{0,3}|[ab]{13,18}|[ab]{30,35}|[a-z]{0,40}", 0..2000),
        ) {
            let all = texts.concat();
            let (mut alone, mut within) = (Distinct::default(), Distinct::default());
            let (mut made, mut spans, mut numbers) = (Vec::new(), Vec::new(), Vec::new());
            let mut known: HashMap<&str, usize> = HashMap::new();
            let mut at = 0;
            for text in &texts {
                let next = known.len();
                let is_new = !known.contains_key(text.as_str());
                let expected = (*known.entry(text).or_insert(next), is_new);
                let lanes = [Text::new(text.as_bytes()); LANES];
                let before = alone.known(&lanes.map(|text| text.head), |lane| lanes[lane].rest());
                // One that stands behind another in the table is asked for, too.
                let known = before[0] == UNKNOWN || (before[0] as usize, false) == expected;
                prop_assert!(known && before == [before[0]; LANES]);
                prop_assert_eq!(alone.number(lanes[0]), expected);
                let (mut number, mut told) = ([0], false);
                let span = [Span::new(at, at + text.len())];
                within.look_up_spans(all.as_bytes(), &span, &mut number, &mut made, |new| {
                    told = new == text.as_bytes();
                    next as i32 + 7
                });
                prop_assert_eq!((number[0] as usize, told), (expected.0 + 7, expected.1));
                spans.extend(span);
                numbers.push(expected.0 as i32 + 7);
                at += text.len();
            }
            for mut within in [within, Distinct::default()] {
                let (mut made, mut found) = (std::mem::take(&mut made), vec![0; spans.len()]);
                let mut next = 6;
                let make = |_: &[u8]| { next += 1; next };
                within.look_up_spans(all.as_bytes(), &spans, &mut found, &mut made, make);
                prop_assert_eq!(&found, &numbers);
            }
        }
    }
}
