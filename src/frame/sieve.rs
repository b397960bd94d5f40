//! Which records of a block are framed at all, where few are wanted.
//!
//! Framing costs more than a look at one or two values. So whoever knows what is wanted may bring a sieve: of
//! a regular line the fields that it asks for are found by counting separators from its start, 64 bytes at a time,
//! and what it does not keep is counted and no more. It is asked only about values that stand in the text as they
//! are. What is irregular, or quoted, passes; so does anything it has a doubt about. It must not know what the
//! values mean, nor why they are wanted.

use crate::csv::{Dialect, QuoteTracker};
use crate::structure::{self, Eye, Masks};

/// Tells whether a record may be wanted, by questions about some of its values, the cheapest first.
pub struct Sieve<'s> {
    questions: Vec<Question<'s>>,
}

/// Asks for the values of some slots.
struct Question<'s> {
    /// Of each slot the places in `bounds` of what stands before and behind it; before the first slot
    /// there is nothing.
    slots: Vec<(Option<usize>, usize)>,
    /// The separators that bound these fields, by their number in the record, from 1.
    bounds: Vec<u32>,
    keeps: Keeps<'s>,
}

/// Whether a record may be wanted that has these values.
pub type Keeps<'s> = &'s (dyn Fn(&[&str]) -> bool + 's);

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
    /// A sieve that keeps a record if each of these does that is told the values of its slots, in their order.
    pub fn new(questions: &[(&[usize], Keeps<'s>)]) -> Sieve<'s> {
        Sieve { questions: questions.iter().map(|(slots, keeps)| Question::new(slots, *keeps)).collect() }
    }

    /// Whether the record from `start` may be wanted: a regular one, which has all the fields that are asked for.
    #[inline]
    pub(super) fn passes(&self, text: &str, start: usize, dialect: Dialect) -> bool {
        self.questions.iter().all(|question| question.passes(text, start, dialect))
    }
}

impl<'s> Question<'s> {
    fn new(slots: &[usize], keeps: Keeps<'s>) -> Question<'s> {
        let mut bounds: Vec<u32> = slots.iter().flat_map(|&slot| [slot as u32, slot as u32 + 1]).collect();
        bounds.retain(|&bound| bound > 0);
        bounds.sort_unstable();
        bounds.dedup();
        let place = |bound: usize| bounds.binary_search(&(bound as u32)).ok();
        let slots = slots.iter().filter_map(|&slot| Some((place(slot), place(slot + 1)?))).collect();
        Question { slots, bounds, keeps }
    }

    #[inline]
    fn passes(&self, text: &str, start: usize, dialect: Dialect) -> bool {
        let mut bounds = Bounds::of(self, start);
        structure::each(&text.as_bytes()[start..], dialect.delimiter, dialect.eol, &mut bounds);
        let mut values = [""; MOST_SLOTS];
        for (value, &(before, behind)) in values.iter_mut().zip(&self.slots) {
            let from = before.map_or(start, |at| bounds.places[at] + 1);
            match text.get(from..bounds.places[behind]) {
                // A quoted value, or perhaps the end of a line.
                Some(text) if !text.starts_with('"') && !text.ends_with('\r') => *value = text,
                _ => return true,
            }
        }
        (self.keeps)(&values[..self.slots.len()])
    }
}

/// Slots that a question may ask for.
pub const MOST_SLOTS: usize = 8;

/// Where the bounds stand that were found in a record so far.
struct Bounds<'q> {
    wanted: &'q [u32],
    start: usize,
    tracker: QuoteTracker,
    /// How many separators the record has so far.
    count: u32,
    found: usize,
    places: [usize; 2 * MOST_SLOTS],
}

impl<'q> Bounds<'q> {
    fn of(question: &'q Question<'_>, start: usize) -> Bounds<'q> {
        let tracker = QuoteTracker::default();
        Bounds {
            wanted: &question.bounds,
            start,
            tracker,
            count: 0,
            found: 0,
            places: [start; 2 * MOST_SLOTS],
        }
    }
}

impl Eye for Bounds<'_> {
    #[inline(always)]
    fn see(&mut self, at: usize, masks: Masks) -> bool {
        let separators = (masks.delimiter | masks.eol) & !self.tracker.step(&masks).inside;
        let more = separators.count_ones();
        while let Some(&bound) = self.wanted.get(self.found) {
            if bound > self.count + more {
                break;
            }
            self.places[self.found] = self.start + at + nth(separators, bound - self.count - 1);
            self.found += 1;
        }
        self.count += more;
        self.found < self.wanted.len()
    }
}

/// The place of a bit, the lowest of those that are set being number 0.
#[inline(always)]
fn nth(mut bits: u64, number: u32) -> usize {
    for _ in 0..number {
        bits &= bits - 1;
    }
    bits.trailing_zeros() as usize
}
