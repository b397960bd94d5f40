//! Which records of a block are framed at all, where few are wanted.
//!
//! Framing costs more than a look at one or two values. So whoever knows what is wanted may bring a sieve: of
//! a regular record the fields that it asks for are found by counting separators, 64 bytes at a time, and what it
//! does not keep is counted and no more. It is asked only about values that stand in the text as they
//! are. What is irregular, or quoted, passes; so does anything it has a doubt about. It must not know what the
//! values mean, nor why they are wanted.

/// Asks for the values of some slots, and tells whether a record may be wanted.
pub struct Sieve<'s> {
    /// Of each slot the places in `bounds` of what stands before and behind it; before the first slot
    /// there is nothing.
    slots: Vec<(Option<usize>, usize)>,
    /// The separators that bound these fields, by their number in the record, from 1.
    bounds: Vec<u32>,
    keeps: &'s (dyn Fn(&[&str]) -> bool + 's),
}

/// More records than that, of which more than a quarter pass: framing each is cheaper than looking twice.
const TRIED: u64 = 512;

/// What a sieve has seen of a block.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Seen {
    pub(super) tested: u64,
    pub(super) passed: u64,
}

impl Seen {
    /// Whether a sieve is worth its look.
    pub(super) fn pays(self) -> bool {
        self.tested < TRIED || self.passed * 4 < self.tested
    }
}

impl<'s> Sieve<'s> {
    /// A sieve that is told the values of these slots, in their order.
    pub fn new(slots: &[usize], keeps: &'s (dyn Fn(&[&str]) -> bool + 's)) -> Sieve<'s> {
        let mut bounds: Vec<u32> = slots.iter().flat_map(|&slot| [slot as u32, slot as u32 + 1]).collect();
        bounds.retain(|&bound| bound > 0);
        bounds.sort_unstable();
        bounds.dedup();
        let place = |bound: usize| bounds.binary_search(&(bound as u32)).ok();
        let slots = slots.iter().filter_map(|&slot| Some((place(slot), place(slot + 1)?))).collect();
        Sieve { slots, bounds, keeps }
    }

    /// Whether the record from `start` may be wanted, whose bounds stand there.
    #[inline]
    pub(super) fn passes(&self, text: &str, start: usize, bounds: &Bounds) -> bool {
        let mut values = [""; MOST_SLOTS];
        for (value, &(before, behind)) in values.iter_mut().zip(&self.slots) {
            let from = before.map_or(start, |at| bounds.places[at] + 1);
            *value = &text[from..bounds.places[behind]];
            // A quoted value, or perhaps the end of a line.
            if value.starts_with('"') || value.ends_with('\r') {
                return true;
            }
        }
        (self.keeps)(&values[..self.slots.len()])
    }
}

/// Slots that a sieve may ask for.
pub const MOST_SLOTS: usize = 8;

/// Where the bounds stand that were found in a record so far.
#[derive(Default)]
pub(super) struct Bounds {
    /// How many separators the record has so far.
    count: u32,
    found: usize,
    places: [usize; 2 * MOST_SLOTS],
}

impl Bounds {
    /// Takes in separators that stand at `base`, all of one record.
    #[inline]
    pub(super) fn take(&mut self, sieve: &Sieve<'_>, separators: u64, base: usize) {
        let more = separators.count_ones();
        while let Some(&bound) = sieve.bounds.get(self.found) {
            if bound > self.count + more {
                break;
            }
            self.places[self.found] = base + nth(separators, bound - self.count - 1);
            self.found += 1;
        }
        self.count += more;
    }

    /// How many separators the record has, its line end included.
    pub(super) fn count(&self) -> usize {
        self.count as usize
    }

    /// The next record begins.
    pub(super) fn clear(&mut self) {
        (self.count, self.found) = (0, 0);
    }
}

/// The place of a bit, the lowest of those that are set being number 0.
#[inline]
fn nth(mut bits: u64, number: u32) -> usize {
    for _ in 0..number {
        bits &= bits - 1;
    }
    bits.trailing_zeros() as usize
}
