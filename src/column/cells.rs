//! A block's records as the evaluator sees them: texts and numbers where they stand, all else as the
//! columns that were built of it.
//!
//! What a cell has is what the table would have. So whatever is more than a text or a number where it
//! stands (times, decoded channels, words made of others) is built by the column's own builder, over
//! the rows that are still asked for ([`narrow`](super::narrow)); until then it is not known.

use std::borrow::Cow;
use std::collections::HashSet;

use super::narrow::How;
use super::number::{plain, seconds, value, yes_or_no};
use super::rows::Rows;
use super::{File, SINGLE, time};
use crate::filter::{Arrays, Bad, Cell, Cells, Clocks, Expr, Number};
use crate::format::Layout;
use crate::format::layout::{Source, Take};
use crate::schema::{Column, Kind};

/// What is known of a block's records.
pub struct Known<'a> {
    rows: &'a Rows,
    /// By column, how its value is read from the spans.
    readers: Vec<Reader<'a>>,
    built: Arrays,
    /// Values of built columns that cannot be typed.
    bad: HashSet<(Column, u32)>,
    /// By record, its place in what was built.
    places: Vec<u32>,
    clocks: Clocks,
    offsets: Option<&'a time::Offsets>,
    lenient: bool,
}

/// How a value is read.
#[derive(Clone, Copy)]
pub enum Reader<'a> {
    /// Not from the spans.
    Built,
    /// The same in all records.
    Constant(&'a str),
    /// The record's offset in the dump.
    Offset,
    /// The text of a slot, as it stands.
    Slot(usize),
    /// The text of the first source that has one.
    Text(&'a [Source]),
    /// `single` where there is none.
    RecordKind(&'a [Source]),
    /// A number, as its column reads it.
    Number(&'a [Source], fn(&[u8]) -> Option<Option<i64>>),
    /// Yes or no.
    Bool(&'a [Source]),
}

impl<'a> Known<'a> {
    /// What stands in the spans.
    pub fn new(rows: &'a Rows, how: How<'a>) -> Known<'a> {
        let file = how.file;
        Known {
            rows,
            readers: Column::all().map(|column| Reader::of(column, rows.layout(), file)).collect(),
            built: Arrays::new(),
            bad: HashSet::new(),
            places: Vec::new(),
            clocks: Clocks::new(file.times, file.zone.as_ref()),
            offsets: how.offsets,
            lenient: how.options.lenient,
        }
    }

    /// The slot that has the one column that a condition looks at, if it is one and a text as it stands.
    pub fn only_slot(&self, condition: &Expr) -> Option<usize> {
        match condition.columns()[..] {
            [column] => match self.readers[column as usize] {
                Reader::Slot(slot) => Some(slot),
                _ => None,
            },
            _ => None,
        }
    }

    /// The same, and columns that were built of the rows that are kept; `bad` of their values cannot be typed.
    pub fn with(mut self, built: Arrays, bad: HashSet<(Column, u32)>) -> Known<'a> {
        self.places = vec![0; self.rows.records()];
        for (place, &row) in self.rows.kept.iter().enumerate() {
            self.places[row as usize] = place as u32;
        }
        (self.built, self.bad) = (built, bad);
        self
    }
}

/// A record of which only one text is asked for: most conditions are of one column, and most columns
/// are texts as they stand. So it is found once a condition where that is, not once a record.
pub struct OneText<'a>(pub Option<&'a str>);

impl Cells for OneText<'_> {
    #[inline]
    fn cell(&self, _: Column, _: u32) -> Result<Option<Cell<'_>>, Bad> {
        Ok(self.0.and_then(text))
    }

    fn extra(&self, _: &str, _: u32) -> Result<Option<Cow<'_, str>>, Bad> {
        Err(Bad)
    }

    fn clock(&self, time: i64, _: u32) -> i64 {
        time
    }
}

/// Whether a column's value stands in the spans, whatever the layout.
pub fn is_in_spans(column: Column) -> bool {
    use Column::*;
    let is_made = matches!(column, Disposition | Amaflags | CallType | DstKind | Extra | Recordfiles);
    !is_made && column.def().kind != Kind::Time && super::channel::part_of(column).is_none()
}

impl<'a> Reader<'a> {
    pub fn of(column: Column, layout: &'a Layout, file: &'a File) -> Reader<'a> {
        let sources = layout.sources(column);
        match column {
            _ if !is_in_spans(column) => Reader::Built,
            Column::Source => Reader::Constant(&file.name),
            Column::Vendor => Reader::Constant(layout.format.vendor),
            Column::Format => Reader::Constant(layout.format.name),
            Column::SourceOffset => Reader::Offset,
            Column::RecordKind => Reader::RecordKind(sources),
            Column::Nat => Reader::Bool(sources),
            Column::Duration | Column::Billsec | Column::Ringsec => {
                Reader::Number(sources, |text| Some(seconds(text)?.map(i64::from)))
            }
            Column::Port => Reader::Number(sources, |text| Some(plain::<i32>(text)?.map(i64::from))),
            Column::SubIndex => Reader::Number(sources, |text| Some(plain::<u32>(text)?.map(i64::from))),
            _ => match sources {
                [Source { slot, take: Take::Whole }] => Reader::Slot(*slot),
                _ => Reader::Text(sources),
            },
        }
    }
}

pub fn text(text: &str) -> Option<Cell<'_>> {
    Some(Cell::Text(Cow::Borrowed(text)))
}

impl Cells for Known<'_> {
    #[inline]
    fn cell(&self, column: Column, row: u32) -> Result<Option<Cell<'_>>, Bad> {
        let bad = if self.lenient { Ok(None) } else { Err(Bad) };
        Ok(match self.readers[column as usize] {
            Reader::Slot(slot) => self.rows.text(row, slot).and_then(text),
            Reader::Text(sources) => self.rows.first(sources, row).map(|(_, text)| Cell::Text(text)),
            Reader::Number(sources, read) => {
                match value(self.rows, sources, row, |_, text| Some(read(text))) {
                    None => None,
                    Some(None) => return bad,
                    Some(Some(number)) => number.map(|number| Cell::Number(Number::whole(number))),
                }
            }
            Reader::Bool(sources) => match value(self.rows, sources, row, |_, text| Some(yes_or_no(text))) {
                None => None,
                Some(None) => return bad,
                Some(Some(answer)) => answer.map(Cell::Bool),
            },
            Reader::RecordKind(sources) => match self.rows.first(sources, row) {
                Some((_, kind)) => Some(Cell::Text(kind)),
                None => text(SINGLE),
            },
            Reader::Constant(constant) => text(constant),
            Reader::Offset => Some(Cell::Number(Number::whole(self.rows.offset(row) as i64))),
            Reader::Built if self.built.has(column) => {
                if !self.bad.is_empty() && self.bad.contains(&(column, row)) {
                    return bad;
                }
                self.built.cell(column, self.places[row as usize] as usize)?
            }
            Reader::Built => return Err(Bad),
        })
    }

    fn extra(&self, name: &str, row: u32) -> Result<Option<Cow<'_, str>>, Bad> {
        match self.built.has(Column::Extra) {
            true => self.built.extra(name, self.places[row as usize] as usize),
            false => Err(Bad),
        }
    }

    fn clock(&self, time: i64, row: u32) -> i64 {
        match self.offsets {
            Some(offsets) => time.saturating_add(offsets.micros(row)),
            None => self.clocks.shown(time),
        }
    }
}
