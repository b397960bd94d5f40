//! Memory for spans that comes back: a block has a megabyte of them, and all are written before they are read, so what
//! stands there of an earlier use need not be cleared. Each thread has its own.

use std::cell::RefCell;

use super::Span;

/// How many pieces of memory a thread keeps, and how many spans fit the largest of them.
const MOST: usize = 2;
const TOO_LARGE: usize = 1 << 18;

thread_local! {
    static SPARE: RefCell<Vec<Vec<Span>>> = const { RefCell::new(Vec::new()) };
}

/// Spans of an earlier use, or none.
pub fn take() -> Vec<Span> {
    SPARE.with_borrow_mut(Vec::pop).unwrap_or_default()
}

/// Takes spans back that nobody needs.
pub fn give(spans: Vec<Span>) {
    if (1..=TOO_LARGE).contains(&spans.capacity()) {
        SPARE.with_borrow_mut(|spare| {
            if spare.len() < MOST {
                spare.push(spans);
            }
        });
    }
}
