//! From rows to an answer: calls put together, counted, cut to the page, written.
//!
//! ```text
//!  batch + which rows match ──▶ calls ──▶ page ──▶ shape ──▶ out, or held back until the total is known
//! ```
//!
//! Where calls are whole, the last call of a batch waits for the next batch, which may go on with it. It
//! must not know where rows come from.

use std::io::{self, Write};
use std::path::Path;

use arrow::array::{BooleanArray, RecordBatch, RecordBatchOptions, UInt64Array};
use arrow::compute::take_record_batch;
use arrow::error::ArrowError;

use super::held::Held;
use super::plan::Plan;
use super::sorted::{Key, Sorted};
use crate::answer::{Last, Row, Table, Total, beginnings};
use crate::column::compact;
use crate::error::{Error, Result};
use crate::sink::STDOUT;
use crate::time::Zone;

/// Text that is written at once.
const PIECE: usize = 64 << 10;

/// Writes an answer.
pub(super) struct Writer<'o> {
    plan: Plan,
    zone: Option<Zone>,
    out: &'o mut dyn Write,
    text: Vec<u8>,
    waits: Waits,
    pending: Option<Pending>,
    /// A call that waits is cut when it takes so many bytes.
    longest_call: usize,
    /// Calls that were cut for their length.
    pub(super) cut: u64,
}

/// Where calls wait until the answer's beginning is known.
enum Waits {
    Nowhere,
    Held(Held),
    Sorted(Sorted),
}

/// A call whose end is not seen.
struct Pending {
    parts: Vec<RecordBatch>,
    matches: bool,
    last: Last<'static>,
    bytes: usize,
}

impl<'o> Writer<'o> {
    /// A quarter of the memory is for what waits.
    pub(super) fn new(plan: Plan, zone: Option<Zone>, memory: u64, out: &'o mut dyn Write) -> Writer<'o> {
        let quarter = usize::try_from(memory / 4).unwrap_or(usize::MAX);
        let waits = match (plan.sort, plan.shape.total) {
            (Some(_), _) => Waits::Sorted(Sorted::new(
                plan.count.map_or(u64::MAX, |count| plan.skip.saturating_add(count)),
                quarter,
            )),
            (None, Total::Before) => Waits::Held(Held::default()),
            (None, _) => Waits::Nowhere,
        };
        let mut text = Vec::new();
        if matches!(waits, Waits::Nowhere) {
            plan.shape.open(&plan.facts, &mut text);
        }
        Writer { plan, zone, out, text, waits, pending: None, longest_call: quarter, cut: 0 }
    }

    /// Whether no further row changes the answer.
    pub(super) fn is_full(&self) -> bool {
        let Some(count) = self.plan.count.filter(|_| self.plan.sort.is_none()) else { return false };
        let enough = self.plan.skip.saturating_add(count).saturating_add(u64::from(self.plan.tells_next));
        count == 0 || self.plan.shape.total == Total::Untold && self.plan.facts.matched >= enough
    }

    /// Takes rows, of which those matter that match; all do where nothing is said. `follows` says whether
    /// they stand right behind the rows before.
    ///
    /// # Errors
    /// The answer cannot be written.
    pub(super) fn rows(
        &mut self,
        rows: &RecordBatch,
        matching: Option<&BooleanArray>,
        follows: bool,
    ) -> Result<()> {
        let matches = |at: usize| matching.is_none_or(|matching| matching.value(at));
        if self.plan.shape.whole_calls {
            return self.calls(rows, matches, follows);
        }
        let zone = self.zone;
        let table = Table::new(rows, zone.as_ref())?;
        for at in (0..rows.num_rows()).filter(|at| matches(*at)) {
            self.call(&[table.row(at)])?;
            if self.is_full() {
                break;
            }
        }
        Ok(())
    }

    fn calls(&mut self, rows: &RecordBatch, matches: impl Fn(usize) -> bool, follows: bool) -> Result<()> {
        let zone = self.zone;
        let table = Table::new(rows, zone.as_ref())?;
        let all: Vec<Row<'_>> = table.rows().collect();
        let (Some(first), Some(last)) = (all.first(), all.last()) else { return Ok(()) };
        let mut begin = 0;
        let beginnings = beginnings(&all);
        let any = |from: usize, to: usize| (from..to).any(&matches);
        let goes_on = |pending: &Pending| follows && pending.last.goes_on_with(&Last::of(first));
        if self.pending.as_ref().is_some_and(|pending| !goes_on(pending)) {
            self.flush()?;
        }
        for end in beginnings {
            match &mut self.pending {
                Some(pending) => {
                    let part = rows.slice(begin, end - begin);
                    pending.take(&part, any(begin, end), Last::of(&all[end - 1]))?;
                    self.flush()?;
                }
                None if any(begin, end) => self.call(&all[begin..end])?,
                None => {}
            }
            begin = end;
            if self.is_full() {
                return Ok(());
            }
        }
        let rest = rows.slice(begin, all.len() - begin);
        let rest_matches = any(begin, all.len());
        let pending = self.pending.get_or_insert_with(|| Pending {
            parts: Vec::new(),
            matches: false,
            last: Last::of(last).into_owned(),
            bytes: 0,
        });
        pending.take(&rest, rest_matches, Last::of(last))?;
        if pending.bytes > self.longest_call {
            self.cut += 1;
            self.flush()?;
        }
        Ok(())
    }

    /// The waiting call has ended.
    fn flush(&mut self) -> Result<()> {
        let Some(pending) = self.pending.take().filter(|pending| pending.matches) else { return Ok(()) };
        let zone = self.zone;
        let tables: Vec<Table<'_>> =
            pending.parts.iter().map(|part| Table::new(part, zone.as_ref())).collect::<Result<_>>()?;
        let rows: Vec<Row<'_>> = tables.iter().flat_map(Table::rows).collect();
        self.call(&rows)
    }

    /// A call that matches.
    fn call(&mut self, rows: &[Row<'_>]) -> Result<()> {
        if self.is_full() {
            return Ok(());
        }
        let at = self.plan.facts.matched;
        self.plan.facts.matched += 1;
        let shape = self.plan.shape;
        if let (Waits::Sorted(sorted), Some((column, descending))) = (&mut self.waits, self.plan.sort) {
            let key = Key::of(&rows[0], column, descending);
            return sorted.push(key, |text| shape.call(rows, 0, text)).map_err(unanswered);
        }
        let is_on_page =
            at.checked_sub(self.plan.skip).is_some_and(|at| self.plan.count.is_none_or(|count| at < count));
        if !is_on_page {
            return Ok(());
        }
        shape.lead(self.plan.facts.answered, &mut self.text);
        shape.call(rows, self.plan.facts.answered, &mut self.text);
        self.plan.facts.answered += 1;
        if self.text.len() >= PIECE { self.pass_on() } else { Ok(()) }
    }

    /// Hands the text on.
    fn pass_on(&mut self) -> Result<()> {
        let passed = match &mut self.waits {
            Waits::Held(held) => held.push(&self.text),
            _ => self.out.write_all(&self.text),
        };
        self.text.clear();
        passed.map_err(unwritten)
    }

    /// Ends the answer; comes back with what it says of itself.
    ///
    /// # Errors
    /// The answer cannot be written.
    pub(super) fn finish(mut self) -> Result<crate::answer::Facts> {
        if !self.is_full() {
            self.flush()?;
        }
        let (matched, skip) = (self.plan.facts.matched, self.plan.skip);
        let end = skip.saturating_add(self.plan.count.unwrap_or(u64::MAX));
        self.plan.facts.next = (self.plan.tells_next && matched > end).then(|| end.to_string());
        let shape = self.plan.shape;
        match std::mem::replace(&mut self.waits, Waits::Nowhere) {
            Waits::Nowhere => {}
            Waits::Held(mut held) => {
                let rest = std::mem::take(&mut self.text);
                shape.open(&self.plan.facts, &mut self.text);
                self.pass_on()?;
                held.write(self.out).map_err(unwritten)?;
                self.text = rest;
            }
            Waits::Sorted(sorted) => {
                self.plan.facts.answered = matched.min(end).saturating_sub(skip);
                shape.open(&self.plan.facts, &mut self.text);
                for (at, call) in (0..).zip(sorted.finish(skip)) {
                    shape.lead(at, &mut self.text);
                    self.text.extend_from_slice(&call);
                    if self.text.len() >= PIECE {
                        self.pass_on()?;
                    }
                }
            }
        }
        shape.close(&self.plan.facts, &mut self.text);
        self.pass_on()?;
        self.out.flush().map_err(unwritten)?;
        Ok(self.plan.facts)
    }
}

impl Pending {
    fn take(&mut self, part: &RecordBatch, matches: bool, last: Last<'_>) -> Result<()> {
        // Of its own: the rows' buffers may be those of a batch, or of a block, of which they are the least part.
        let part = copied(part).map_err(|error| unanswered(error.to_string()))?;
        self.bytes += part.get_array_memory_size();
        self.parts.push(part);
        self.matches |= matches;
        self.last = last.into_owned();
        Ok(())
    }
}

/// The same rows in memory of their own.
fn copied(rows: &RecordBatch) -> std::result::Result<RecordBatch, ArrowError> {
    let all = UInt64Array::from_iter_values(0..rows.num_rows() as u64);
    let rows = take_record_batch(rows, &all)?;
    let columns = rows.columns().iter().map(|array| compact(array.clone())).collect();
    let with_rows = RecordBatchOptions::new().with_row_count(Some(rows.num_rows()));
    RecordBatch::try_new_with_options(rows.schema(), columns, &with_rows)
}

fn unanswered(why: String) -> Error {
    Error::output(Path::new(STDOUT), why)
}

pub(super) fn unwritten(error: io::Error) -> Error {
    Error::output(Path::new(STDOUT), error)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, StringArray, StringViewArray};

    use super::*;

    #[test]
    fn a_call_that_waits_takes_the_memory_of_its_own_rows() {
        let text = || (0..10_000).map(|at| Some(format!("a text that is not short, number {at}")));
        let columns: [(&str, ArrayRef); 2] = [
            ("channel", Arc::new(StringViewArray::from_iter(text()))),
            ("src", Arc::new(StringArray::from_iter(text()))),
        ];
        let rows = RecordBatch::try_from_iter(columns).unwrap();
        let (all, few) = (copied(&rows).unwrap(), copied(&rows.slice(9_998, 2)).unwrap());
        assert_eq!((all, few.clone()), (rows.clone(), rows.slice(9_998, 2)));
        assert!(few.get_array_memory_size() < 4096, "{}", few.get_array_memory_size());
    }
}
