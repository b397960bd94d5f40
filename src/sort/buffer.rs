//! Entries in memory: their bytes one behind the other, and a place for each, which is what is sorted.
//!
//! A place has the first 16 bytes of the key, so that most comparisons do not go to the entry itself.

use std::cmp::Ordering;

use super::entry::Entry;

/// Entries, in the order in which they came until they are sorted.
#[derive(Debug)]
pub struct Buffer {
    bytes: Vec<u8>,
    places: Vec<Place>,
    /// No entry stands behind a greater one.
    in_order: bool,
}

/// Where an entry stands.
#[derive(Clone, Copy, Debug)]
struct Place {
    /// The first bytes of the key, as numbers that compare as they do; zeros behind its end.
    head: [u64; 2],
    key_len: u32,
    at: u32,
}

const HEAD: usize = 16;

/// A buffer of so many bytes is full, whatever memory there is: its places have 32 bits.
const MOST: usize = u32::MAX as usize;

impl Default for Buffer {
    fn default() -> Buffer {
        Buffer { bytes: Vec::new(), places: Vec::new(), in_order: true }
    }
}

impl Buffer {
    /// Whether it takes so many bytes of memory, and another entry would go beyond.
    pub fn is_full(&self, memory: usize) -> bool {
        let taken = self.bytes.len() + self.places.len() * size_of::<Place>();
        !self.is_empty() && (taken >= memory || self.bytes.len() >= MOST)
    }

    /// Whether there are no entries.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Appends an entry, whose value is what `value` appends.
    pub fn push(&mut self, key: &[u8], value: impl FnOnce(&mut Vec<u8>)) {
        let place = Place { head: head(key), key_len: key.len() as u32, at: self.bytes.len() as u32 };
        Entry::append(&mut self.bytes, key, value);
        let follows = |last: &Place| last.compare(&place, &self.bytes).is_le();
        self.in_order = self.in_order && self.places.last().is_none_or(follows);
        self.places.push(place);
    }

    /// Brings them into the order of their keys; equal ones stay as they came.
    pub fn sort(&mut self) {
        if !self.in_order {
            let bytes = &self.bytes;
            self.places.sort_unstable_by(|one, other| one.compare(other, bytes));
            self.in_order = true;
        }
    }

    /// An entry by its number.
    pub fn get(&self, number: usize) -> Option<Entry<'_>> {
        self.places.get(number).map(|place| place.entry(&self.bytes))
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = Entry<'_>> {
        self.places.iter().map(|place| place.entry(&self.bytes))
    }

    /// Drops them, and keeps the memory for others.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.places.clear();
        self.in_order = true;
    }
}

impl Place {
    /// By the keys, then by what came first.
    fn compare(&self, other: &Place, bytes: &[u8]) -> Ordering {
        let key_len = |place: &Place| place.key_len as usize;
        let by_key = || {
            // Two keys that end within their heads, and have the same, differ in zeros at the end or not at all.
            if key_len(self) <= HEAD && key_len(other) <= HEAD {
                key_len(self).cmp(&key_len(other))
            } else {
                self.entry(bytes).key.cmp(other.entry(bytes).key)
            }
        };
        self.head.cmp(&other.head).then_with(by_key).then(self.at.cmp(&other.at))
    }

    fn entry<'a>(&self, bytes: &'a [u8]) -> Entry<'a> {
        Entry::read(bytes, self.at as usize).expect("an entry was appended there").0
    }
}

fn head(key: &[u8]) -> [u64; 2] {
    let mut head = [0; HEAD];
    let len = key.len().min(HEAD);
    head[..len].copy_from_slice(&key[..len]);
    let head = u128::from_be_bytes(head);
    [(head >> 64) as u64, head as u64]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key() -> impl Strategy<Value = Vec<u8>> {
        // Keys that are alike: with a common beginning around the length of a head, and zeros at the end.
        (0usize..20, prop::collection::vec(0u8..3, 0..4))
            .prop_map(|(same, rest)| [vec![0; same], rest].concat())
    }

    proptest! {
        #[test]
        fn the_order_is_that_of_a_stable_sort(keys in prop::collection::vec(key(), 0..80)) {
            let mut buffer = Buffer::default();
            for (number, key) in keys.iter().enumerate() {
                buffer.push(key, |out| out.push(number as u8));
            }
            buffer.sort();
            let mut expected: Vec<(&[u8], u8)> = keys.iter().map(Vec::as_slice).zip(0..).collect();
            expected.sort_by_key(|(key, _)| *key);
            let sorted: Vec<_> = buffer.iter().map(|entry| (entry.key, entry.value[0])).collect();
            prop_assert_eq!(sorted, expected);
        }
    }

    #[test]
    fn order_is_noticed_and_forgotten() {
        let mut buffer = Buffer::default();
        for (key, in_order) in [("a", true), ("b", true), ("b", true), ("a", false), ("c", false)] {
            buffer.push(key.as_bytes(), |_| {});
            assert_eq!(buffer.in_order, in_order);
        }
        buffer.clear();
        assert!(buffer.in_order && buffer.is_empty());
    }

    #[test]
    fn one_entry_always_has_room() {
        let mut buffer = Buffer::default();
        assert!(!buffer.is_full(0));
        buffer.push(b"key", |out| out.extend_from_slice(&[0; 100]));
        assert!(buffer.is_full(100));
        assert!(!buffer.is_full(1000));
    }
}
