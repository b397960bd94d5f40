//! The page of the matching rows that a filter asks for, cut out of the batches as they come in order.
//!
//! Blocks are filtered side by side, and none knows how many rows matched before it; so this is done
//! behind them, by whoever has them in order. Rows beyond the page are left out as those are that do
//! not match.

use crate::column::Batch;
use crate::options::Options;

/// What is left of the page.
#[derive(Clone, Copy, Debug, Default)]
pub struct Paging {
    /// Rows to be passed over yet.
    skip: u64,
    /// Rows to be given out yet; nothing where all are.
    left: Option<u64>,
}

impl Paging {
    /// The page that the filters ask for: all rows, where none does.
    pub fn of(options: &Options) -> Paging {
        let page = options.page();
        Paging { skip: page.offset.unwrap_or(0), left: page.count }
    }

    /// Cuts the rows that are on the page out of the next batch.
    pub fn cut(&mut self, batch: &mut Batch) {
        let rows = batch.rows.num_rows();
        let from = (self.skip).min(rows as u64);
        let len = (rows as u64 - from).min(self.left.unwrap_or(u64::MAX));
        self.skip -= from;
        self.left = self.left.map(|left| left - len);
        let (from, len) = (from as usize, len as usize);
        if len == rows {
            return;
        }
        batch.rows = batch.rows.slice(from, len);
        for prepared in batch.prepared.iter_mut().flatten() {
            *prepared = prepared.slice(from, len);
        }
        batch.filtered += (rows - len) as u64;
        batch.text_bytes = batch.text_bytes * len as u64 / rows as u64;
    }
}
