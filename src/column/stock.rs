//! The words that codes stand for: shared by all workers, or a worker's own.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use super::distinct::{Distinct, Text};
use super::lexicon::SAY_NOTHING;
use crate::prepared::{Segment, Words};

/// Where words come from that are new to a worker.
#[derive(Debug)]
pub enum Source {
    /// A shelf of what all share.
    Shared(Arc<Stocks>, usize),
    /// Its own.
    Own(Stock),
}

/// Words that all workers share, by shelf.
#[derive(Debug, Default)]
pub struct Stocks {
    shelves: Vec<OnceLock<Mutex<Stock>>>,
    /// How much memory they have, about.
    bytes: AtomicUsize,
    /// Blocks that were built from them.
    blocks: AtomicUsize,
}

/// The words of one shelf.
#[derive(Debug)]
pub struct Stock {
    /// Known here, unless by the one worker whose they are.
    values: Distinct,
    words: Words,
    /// The newest.
    open: Segment,
}

impl Source {
    /// All words so far.
    pub fn words(&mut self) -> Words {
        match self {
            Source::Shared(stocks, shelf) => lock(stocks.stock(*shelf)).words(),
            Source::Own(stock) => stock.words(),
        }
    }

    /// The code of a word that is new to the worker; `upto` stays greater than all codes.
    pub fn add(&mut self, value: &str, upto: &mut usize) -> i32 {
        let code = match self {
            Source::Shared(stocks, shelf) => stocks.code(*shelf, value),
            Source::Own(stock) => {
                stock.open.push(value);
                stock.open.first + stock.open.ends.len() - 1
            }
        };
        *upto = (*upto).max(code + 1);
        code as i32
    }
}

/// What a word takes besides its text.
const BYTES_A_WORD: usize = 48;

impl Stocks {
    /// So many shelves.
    pub fn new(shelves: usize) -> Stocks {
        let mut stocks = Stocks::default();
        stocks.shelves.resize_with(shelves, OnceLock::new);
        stocks
    }

    /// How much memory they have, about.
    pub fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Counts a block that was built from them; comes back with how many were before.
    pub fn count_block(&self) -> usize {
        self.blocks.fetch_add(1, Ordering::Relaxed)
    }

    fn stock(&self, shelf: usize) -> &Mutex<Stock> {
        self.shelves[shelf].get_or_init(|| {
            let mut stock = Stock::new();
            for text in SAY_NOTHING {
                stock.values.number(Text::new(text.as_bytes()));
            }
            Mutex::new(stock)
        })
    }

    fn code(&self, shelf: usize, value: &str) -> usize {
        let mut stock = lock(self.stock(shelf));
        let (number, is_new) = stock.values.number(Text::new(value.as_bytes()));
        if is_new {
            stock.open.push(value);
            self.bytes.fetch_add(value.len() * 2 + BYTES_A_WORD, Ordering::Relaxed);
        }
        number
    }
}

impl Stock {
    /// Only what says nothing.
    pub fn new() -> Stock {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let words = Words::new(NEXT.fetch_add(1, Ordering::Relaxed));
        let mut stock = Stock { values: Distinct::default(), words, open: Segment::default() };
        SAY_NOTHING.iter().for_each(|text| stock.open.push(text));
        stock
    }

    /// All words so far.
    fn words(&mut self) -> Words {
        let next = Segment { first: self.open.first + self.open.ends.len(), ..Segment::default() };
        self.words.push(std::mem::replace(&mut self.open, next));
        self.words.clone()
    }
}

fn lock(stock: &Mutex<Stock>) -> MutexGuard<'_, Stock> {
    stock.lock().unwrap_or_else(PoisonError::into_inner)
}
