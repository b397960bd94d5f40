//! Where lexicons wait between blocks, and whether their words are shared.

use std::sync::{Arc, Mutex, PoisonError};

use super::lexicon::{Lexicons, shelves};
use super::stock::Stocks;
use crate::format::Layout;

/// Where lexicons wait for the next block. They are kept only where codes are asked for: what a
/// caller of the library gets holds the values of its own block.
#[derive(Clone, Debug, Default)]
pub struct Library(Arc<Mutex<Shelved>>);

#[derive(Debug, Default)]
struct Shelved {
    sets: Vec<Lexicons>,
    stocks: Vec<(Arc<Layout>, Supply)>,
}

/// What a new set of lexicons begins with.
#[derive(Clone, Debug)]
enum Supply {
    Shared(Arc<Stocks>),
    /// Ever new words come.
    Own,
}

/// Lexicons that have grown to so many bytes are given up for empty ones.
const MOST_BYTES: usize = 6 << 20;

/// The same for what all share.
const MOST_STOCK_BYTES: usize = 16 << 20;

/// Where a stock grew so large within so few blocks, ever new words come.
const FEW_BLOCKS: usize = 128;

/// Sets of lexicons that are kept.
const MOST_SETS: usize = 64;

impl Library {
    /// Lexicons for a block of that layout, or one that is filled like it.
    pub fn take(&self, layout: &Arc<Layout>) -> Lexicons {
        let mut shelved = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Shelved { sets, stocks } = &mut *shelved;
        let fits = |set: &Lexicons| set.is_for(layout);
        if let Some(at) = sets.iter().rposition(fits) {
            return sets.swap_remove(at);
        }
        let known = stocks.iter().find(|(of, _)| of.fills_alike(layout));
        let supply = known.map(|(_, supply)| supply.clone()).unwrap_or_else(|| {
            let supply = Supply::Shared(Arc::new(Stocks::new(shelves(layout))));
            if stocks.len() == MOST_SETS {
                stocks.remove(0);
            }
            stocks.push((layout.clone(), supply.clone()));
            supply
        });
        match supply {
            Supply::Shared(stocks) => Lexicons::new(layout, Some(stocks)),
            Supply::Own => Lexicons::new(layout, None),
        }
    }

    /// Keeps lexicons for another block, unless they have grown too large.
    pub fn put(&self, mut set: Lexicons) {
        let mut shelved = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Asked in any case: what all share grows by every block.
        let is_kept = set.stocks().is_none_or(|stocks| shelved.is_kept(stocks));
        if !is_kept || set.bytes() > MOST_BYTES {
            return;
        }
        set.forget_rows();
        if shelved.sets.len() == MOST_SETS {
            shelved.sets.remove(0);
        }
        shelved.sets.push(set);
    }
}

impl Shelved {
    /// Whether words still come from that stock, one block more having been built from it.
    fn is_kept(&mut self, stock: &Arc<Stocks>) -> bool {
        let is_it = |supply: &Supply| matches!(supply, Supply::Shared(other) if Arc::ptr_eq(other, stock));
        let Some(at) = self.stocks.iter().position(|(_, supply)| is_it(supply)) else { return false };
        let blocks = stock.count_block();
        if stock.bytes() <= MOST_STOCK_BYTES {
            return true;
        }
        self.sets.retain(|set| set.stocks().is_none_or(|other| !Arc::ptr_eq(other, stock)));
        if blocks < FEW_BLOCKS {
            self.stocks[at].1 = Supply::Own;
        } else {
            self.stocks.remove(at);
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format;

    fn layout() -> Arc<Layout> {
        Arc::new(Layout::keyed(format::by_name("ucm-cdrapi-json").expect("it is known"), b'\n', &[]))
    }

    /// A block that brings so many words that no block brought before, in one column.
    fn build(library: &Library, words: std::ops::Range<usize>) -> Option<Arc<Stocks>> {
        let mut set = library.take(&layout());
        let stocks = set.stocks().cloned();
        words.for_each(|word| {
            set.lexicon(0).code(&format!("{word} of no worth"));
        });
        library.put(set);
        stocks
    }

    fn is_same(one: &Option<Arc<Stocks>>, other: &Option<Arc<Stocks>>) -> bool {
        matches!((one, other), (Some(one), Some(other)) if Arc::ptr_eq(one, other))
    }

    #[test]
    fn a_stock_ends_where_every_block_brings_more_than_a_worker_keeps() {
        let (library, per_block) = (Library::default(), 150_000);
        let begun = build(&library, 0..0);
        for block in 0..2 {
            assert!(is_same(&begun, &build(&library, block * per_block..(block + 1) * per_block)), "{block}");
        }
        // 16 MiB came within a few blocks: nobody shares any more.
        assert!(build(&library, 0..1).is_none());
        assert!(begun.is_some_and(|begun| Arc::strong_count(&begun) == 1));
    }

    #[test]
    fn another_stock_begins_where_one_grew_slowly() {
        let library = Library::default();
        let begun = build(&library, 0..1);
        for block in 0..FEW_BLOCKS {
            assert!(is_same(&begun, &build(&library, block * 1_500..(block + 1) * 1_500)), "{block}");
        }
        assert!(is_same(&begun, &build(&library, 200_000..240_000)));
        let next = build(&library, 0..1);
        assert!(next.is_some() && !is_same(&begun, &next));
    }
}
