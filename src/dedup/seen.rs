//! A set of fingerprints that grows up to a limit and says when it is there.
//!
//! They are random bits already, so the upper ones say in which slot one stands, or behind it in the next that was
//! free. Nothing else is stored: 16 bytes a slot, of which a quarter stays free.

/// Fingerprints that were seen.
#[derive(Debug)]
pub struct Seen {
    /// Zero is a free slot.
    slots: Vec<u128>,
    count: usize,
    /// There will never be more slots.
    most: usize,
}

/// Slots at first, where there may be so many.
const LEAST: usize = 1 << 12;

/// A larger table has so many times the slots, and stands beside the smaller one while it is filled.
const GROWTH: usize = 4;

impl Seen {
    /// Of so many bytes at most.
    pub fn new(memory: usize) -> Seen {
        let most = memory / size_of::<u128>() / (GROWTH + 1) * GROWTH;
        Seen { slots: Vec::new(), count: 0, most }
    }

    /// Whether so many more can be inserted. If not, it stays as it is.
    pub fn make_room(&mut self, more: usize) -> bool {
        let needed = self.count + more;
        if needed > room(self.most) {
            return false;
        }
        let mut len = self.slots.len();
        while room(len) < needed {
            len = (len * GROWTH).max(LEAST).min(self.most);
        }
        if len > self.slots.len() {
            let smaller = std::mem::replace(&mut self.slots, vec![0; len]);
            for print in smaller.into_iter().filter(|&print| print != 0) {
                let slot = self.slot(print);
                self.slots[slot] = print;
            }
        }
        true
    }

    /// Whether it is there.
    pub fn contains(&self, print: u128) -> bool {
        !self.slots.is_empty() && self.slots[self.slot(some(print))] != 0
    }

    /// Inserts one, and says whether it was not there before. There must be room.
    pub fn insert(&mut self, print: u128) -> bool {
        let print = some(print);
        let slot = self.slot(print);
        let is_new = self.slots[slot] == 0;
        self.slots[slot] = print;
        self.count += usize::from(is_new);
        is_new
    }

    /// Where it stands, or else the free slot where it would.
    fn slot(&self, print: u128) -> usize {
        let upper = print >> 64;
        let mut slot = ((upper * self.slots.len() as u128) >> 64) as usize;
        while self.slots[slot] != 0 && self.slots[slot] != print {
            slot += 1;
            if slot == self.slots.len() {
                slot = 0;
            }
        }
        slot
    }
}

/// How many a table of so many slots takes, so that there always is a free one near.
fn room(slots: usize) -> usize {
    slots / 4 * 3
}

/// The one that is a free slot's is another's, too.
fn some(print: u128) -> u128 {
    print.max(1)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    /// Fingerprints that crowd in a few slots, zero among them, at both ends of a table.
    fn print() -> impl Strategy<Value = u128> {
        (prop::sample::select(vec![0u128, 1, u128::MAX >> 8, u128::MAX - 40]), 0u128..40)
            .prop_map(|(start, more)| start + more)
    }

    proptest! {
        #[test]
        fn it_is_a_set(prints in prop::collection::vec(print(), 0..200), memory in 0usize..10_000) {
            let (mut seen, mut twin) = (Seen::new(memory), HashSet::new());
            for &print in &prints {
                let print = print.max(1);
                prop_assert_eq!(seen.contains(print), twin.contains(&print));
                if seen.make_room(1) {
                    prop_assert_eq!(seen.insert(print), twin.insert(print));
                }
            }
            prop_assert!(seen.slots.len() * size_of::<u128>() <= memory);
        }
    }

    #[test]
    fn it_grows_to_its_limit_and_forgets_nothing() {
        let memory = 1 << 20;
        let mut seen = Seen::new(memory);
        let prints =
            || (1u64..).map(|at| u128::from(at.wrapping_mul(0x9e37_79b9_7f4a_7c15)) << 64 | u128::from(at));
        let mut count = 0;
        for print in prints() {
            if !seen.make_room(1) {
                break;
            }
            assert!(seen.insert(print));
            count += 1;
        }
        assert!((memory / 32..memory / 16).contains(&count), "{count}");
        assert!(prints().take(count).all(|print| seen.contains(print) && !seen.insert(print)));
        assert!(!seen.contains(prints().nth(count).unwrap()));
        assert!(!seen.make_room(1) && seen.make_room(0));
    }

    #[test]
    fn without_memory_nothing_is_seen() {
        let mut seen = Seen::new(0);
        assert!(!seen.make_room(1) && !seen.contains(0) && !seen.contains(7));
    }
}
