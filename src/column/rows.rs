//! The rows of a block as the column builders see them: texts by row and slot, and which rows are kept.
//!
//! A column's value comes from the first of its sources that has one. That rule lives here, once.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use super::views::Arena;
use crate::format::Layout;
use crate::format::layout::{Source, Take};
use crate::frame::{Place, Records, Reject, Span, Stray, spare};
use crate::recycle::Shelf;
use crate::schema::Column;
use crate::time::read_seconds;

/// What the documents print for "nothing".
pub const EM_DASH: &str = "—";

/// The framed records of a block, and which of them become rows.
pub struct Rows {
    /// The block's text.
    pub arena: Arena,
    /// The records that become rows, by their index, ascending.
    pub kept: Vec<u32>,
    records: Records,
    spans: Columns,
}

/// The spans of a block, a slot's one behind the other, as the columns read them; framing puts down a record's.
struct Columns {
    spans: Vec<Span>,
    /// Places for each slot; at least as many as there are records.
    stride: usize,
    /// Of each slot, how many bytes of text its spans have.
    bytes: Vec<u64>,
}

impl Rows {
    /// All records of a block; the memory of its text goes back to the shelf.
    pub fn new(mut records: Records, shelf: &Shelf) -> Rows {
        let arena = Arena::new(std::mem::take(&mut records.arena), shelf);
        let framed = std::mem::take(&mut records.spans);
        let spans = Columns::new(&framed, records.layout.slots(), records.len());
        spare::give(framed);
        Rows { arena, kept: (0..records.len() as u32).collect(), records, spans }
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.kept.len()
    }

    /// How many records the block has, kept or not.
    pub fn records(&self) -> usize {
        self.records.len()
    }

    /// What the slots mean.
    pub fn layout(&self) -> &Layout {
        &self.records.layout
    }

    /// The same, to be kept.
    pub fn layout_ref(&self) -> &Arc<Layout> {
        &self.records.layout
    }

    /// Where a record stands in its block.
    pub fn place(&self, record: u32) -> Place {
        self.records.places[record as usize]
    }

    /// Offset of a record in the dump.
    pub fn offset(&self, record: u32) -> u64 {
        self.records.offset + u64::from(self.place(record).start)
    }

    /// A record's own bytes, verbatim.
    pub fn raw(&self, record: u32) -> &[u8] {
        let text = self.records.original.as_deref().unwrap_or(self.arena.text().as_bytes());
        let place = self.place(record);
        &text[place.start as usize..][..place.len as usize]
    }

    /// The block's own text, verbatim, without what was rewritten.
    pub fn block_text(&self) -> &[u8] {
        self.records.original.as_deref().unwrap_or(self.arena.text().as_bytes())
    }

    /// Hands the framing's rejects and counts over.
    pub fn take_rejects(&mut self) -> Vec<Reject> {
        std::mem::take(&mut self.records.rejects)
    }

    /// Values under names that have no slot, in the order of the records.
    pub fn strays(&self) -> &[Stray] {
        &self.records.strays
    }

    /// The text at a span, or nothing where it says nothing.
    pub fn present(&self, span: Span) -> Option<&str> {
        present(span.text(self.arena.text()))
    }

    /// A value's span.
    pub fn span(&self, record: u32, slot: usize) -> Span {
        self.spans.spans[slot * self.spans.stride + record as usize]
    }

    /// The spans of a slot in these rows.
    pub fn spans(&self, slot: usize, rows: Range<usize>) -> Cow<'_, [Span]> {
        match self.len() == self.records() {
            true => Cow::Borrowed(&self.spans.spans[slot * self.spans.stride..][rows]),
            false => self.kept[rows].iter().map(|&record| self.span(record, slot)).collect(),
        }
    }

    /// A value's bytes; none where it is empty or the sign for nothing.
    #[inline]
    pub fn bytes(&self, record: u32, slot: usize) -> &[u8] {
        let span = self.span(record, slot);
        let bytes = &self.arena.bytes()[span.start as usize..][..span.len as usize];
        if bytes == EM_DASH.as_bytes() { &[] } else { bytes }
    }

    /// A value's text, or nothing where it is empty or the sign for nothing.
    pub fn text(&self, record: u32, slot: usize) -> Option<&str> {
        present(self.span(record, slot).text(self.arena.text()))
    }

    /// The sources of a column that have anything to say in this block, with their ranks, in the order
    /// in which they are tried.
    pub fn sources(&self, column: Column) -> impl Iterator<Item = (usize, &Source)> {
        self.layout().sources(column).iter().enumerate().filter(|(_, source)| self.is_occupied(source.slot))
    }

    /// Whether any record has something in a slot.
    pub fn is_occupied(&self, slot: usize) -> bool {
        self.spans.bytes[slot] > 0
    }

    /// How many bytes of text stand in a slot.
    pub fn text_bytes(&self, slot: usize) -> u64 {
        match self.len() == self.records() {
            true => self.spans.bytes[slot],
            false => self.kept.iter().map(|&record| u64::from(self.span(record, slot).len)).sum(),
        }
    }

    /// A column's value in a record: the first of its sources that has one, and that source's rank.
    pub fn first(&self, sources: &[Source], record: u32) -> Option<(usize, Cow<'_, str>)> {
        sources.iter().enumerate().find_map(|(rank, source)| Some((rank, self.take(source, record)?)))
    }

    /// A text column's value in a record.
    pub fn value(&self, column: Column, record: u32) -> Option<Cow<'_, str>> {
        self.first(self.layout().sources(column), record).map(|(_, text)| text)
    }

    /// What one source yields in a record.
    pub fn take(&self, source: &Source, record: u32) -> Option<Cow<'_, str>> {
        let text = self.text(record, source.slot)?;
        if self.holds(source, record) { taken(source, text) } else { None }
    }

    /// Whether a source's condition holds in a record.
    #[inline]
    pub fn holds(&self, source: &Source, record: u32) -> bool {
        match source.take {
            Take::WherePositive(other) => self.is_positive(record, other),
            _ => true,
        }
    }

    fn is_positive(&self, record: u32, slot: usize) -> bool {
        matches!(read_seconds(self.bytes(record, slot)), Ok(Some(seconds)) if seconds > 0)
    }
}

/// Spans that lie in one line of the processor's cache.
const NEAR: usize = 8;

impl Columns {
    /// Turns the records' spans, each record's behind the one before.
    fn new(records: &[Span], slots: usize, len: usize) -> Columns {
        // An odd number of cache lines: places of many slots at once do not take each other's in the cache.
        let stride = (len.div_ceil(NEAR) | 1) * NEAR;
        let mut spans = spare::take();
        spans.resize(spans.len().max(slots * stride), Span::default());
        let mut at = 0;
        for records in records.chunks(NEAR * slots.max(1)) {
            turn(records, slots, &mut spans[at..], stride);
            at += NEAR;
        }
        let bytes = |slot: usize| spans[slot * stride..][..len].iter().map(|span| u64::from(span.len)).sum();
        Columns { bytes: (0..slots).map(bytes).collect(), spans, stride }
    }
}

impl Drop for Columns {
    fn drop(&mut self) {
        spare::give(std::mem::take(&mut self.spans));
    }
}

/// Puts a few records' spans where their slots' stand.
fn turn(records: &[Span], slots: usize, spans: &mut [Span], stride: usize) {
    for slot in 0..slots {
        let near = &mut spans[slot * stride..][..NEAR];
        for (span, record) in near.iter_mut().zip(records.chunks_exact(slots)) {
            *span = record[slot];
        }
    }
}

/// What a source makes of its slot's text, which says something.
pub fn taken<'a>(source: &Source, text: &'a str) -> Option<Cow<'a, str>> {
    match source.take {
        Take::Part(part) => part(text).filter(|part| !part.is_empty()),
        Take::Whole | Take::Clock | Take::Gregorian(_) | Take::Epoch(_) | Take::WherePositive(_) => {
            Some(Cow::Borrowed(text))
        }
    }
}

/// A text, unless it says nothing.
pub fn present(text: &str) -> Option<&str> {
    (!text.is_empty() && text != EM_DASH).then_some(text)
}
