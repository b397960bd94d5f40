//! From the keys that records write to slots: looked up exactly, and only then as names are compared.
//!
//! A dump spells its keys the same way in every record, and nearly always as the documents do. So the
//! exact spelling is what has to be fast: a small table of hashes without collisions, made once a dump.
//! It must not know what a slot fills.

use std::collections::HashMap;

use super::normalise;

/// The known keys of a dump, by their slots.
#[derive(Clone, Debug, Default)]
pub struct Keys {
    names: Vec<&'static str>,
    /// By the hash of a name its slot and one more; 0 where there is none.
    table: Vec<u16>,
    /// What makes the hashes differ.
    factor: u64,
    normalised: HashMap<String, usize>,
}

/// Longer names are never known; nothing is made of them to find that out.
const LONGEST: usize = 64;

impl Keys {
    /// The keys; the first has slot 0.
    pub fn new(names: &[&'static str]) -> Keys {
        let normalised = names.iter().enumerate().rev().map(|(slot, name)| (normalise(name), slot)).collect();
        let mut keys = Keys { names: names.to_vec(), normalised, ..Keys::default() };
        let size = (names.len() * 8).next_power_of_two();
        let factors = (0..4096u64).map(|seed| (seed * 2 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        // The hashes of a few dozen names collide under most factors, but not under all.
        for (factor, size) in factors.clone().map(|f| (f, size)).chain(factors.map(|f| (f, size * 16))) {
            if keys.fill(factor, size) {
                break;
            }
        }
        keys
    }

    /// Fills the table by this factor; comes back with whether no two names fall on one place.
    fn fill(&mut self, factor: u64, size: usize) -> bool {
        self.factor = factor;
        self.table = vec![0; size];
        for (slot, name) in self.names.iter().enumerate() {
            let at = self.place(name.as_bytes());
            if self.table[at] != 0 {
                return false;
            }
            self.table[at] = slot as u16 + 1;
        }
        true
    }

    /// Where a name stands in the table: by its length, its first and its last bytes.
    #[inline]
    fn place(&self, name: &[u8]) -> usize {
        let word = match name.len() {
            0..=7 => name.iter().fold(0, |word, &byte| word << 8 | u64::from(byte)),
            length => {
                let first = u64::from_le_bytes(name[..8].try_into().expect("eight bytes"));
                let last = u64::from_le_bytes(name[length - 8..].try_into().expect("eight bytes"));
                first ^ last.rotate_left(29)
            }
        };
        let mixed = (word ^ name.len() as u64).wrapping_mul(self.factor);
        (mixed >> 32) as usize & (self.table.len() - 1)
    }

    /// The slot of a key that is spelled as the documents spell it.
    #[inline]
    pub fn exact(&self, name: &[u8]) -> Option<usize> {
        if self.table.is_empty() {
            return None;
        }
        let slot = usize::from(self.table[self.place(name)]).checked_sub(1)?;
        (self.names[slot].as_bytes() == name).then_some(slot)
    }

    /// The slot of a key.
    pub fn slot(&self, name: &[u8]) -> Option<usize> {
        self.exact(name).or_else(|| {
            let text = std::str::from_utf8(name).ok().filter(|name| name.len() <= LONGEST)?;
            self.normalised.get(&normalise(text)).copied()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::ALL;

    #[test]
    fn every_key_has_its_slot_and_no_other() {
        for format in ALL {
            let keys = Keys::new(format.keys());
            for (slot, name) in format.keys().iter().enumerate() {
                assert_eq!(keys.exact(name.as_bytes()), Some(slot), "{}: {name}", format.name);
                let odd = format!(" {}.", name.to_uppercase());
                assert_eq!(keys.slot(odd.as_bytes()), Some(slot), "{}: {odd}", format.name);
                assert_eq!(keys.exact(odd.as_bytes()), None, "{}: {odd}", format.name);
            }
        }
    }

    #[test]
    fn unknown_keys_have_no_slot() {
        let keys = Keys::new(&["src", "dst", "channel_ext"]);
        for name in ["", "s", "srcs", "channel_exT2", "#kind", "channel\u{fffd}"] {
            assert_eq!(keys.slot(name.as_bytes()), None, "{name}");
        }
        assert_eq!(Keys::default().slot(b"src"), None);
        assert_eq!(keys.slot("src ".repeat(1000).as_bytes()), None);
    }
}
