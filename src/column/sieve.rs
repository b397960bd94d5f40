//! The filters' conditions that can be asked of a record before it is framed.
//!
//! Those are the conditions on texts and numbers that stand in one slot each, as they are. What a sieve lets
//! pass is asked again, and all else, by [`narrow`](super::narrow); so it may let pass too much, and never
//! too little.

use std::borrow::Cow;

use super::File;
use super::cells::{Reader, text};
use super::narrow::conditions;
use super::rows::present;
use crate::filter::{Bad, Cell, Cells, Expr, Filter, Number, Truth, evaluate};
use crate::format::Layout;
use crate::format::layout::{Source, Take};
use crate::frame::sieve::{Keeps, MOST_SLOTS, Sieve};
use crate::options::Options;
use crate::schema::{Column, TimeKind};
use crate::time::Zone;

/// Calls `frame` with the sieve that the filters make under a layout, if there is one.
pub fn with_sieve<R>(
    layout: &Layout,
    file: &File,
    options: &Options,
    frame: impl FnOnce(Option<&Sieve<'_>>) -> R,
) -> R {
    // A row's offset may be that of the row before, wanted or not.
    let needs_all = file.zone == Some(Zone::Auto) && file.clocks == TimeKind::WallClock;
    if options.filters.is_empty() || needs_all {
        return frame(None);
    }
    let mut asked = Asked::default();
    let all = options.filters.iter().map(Filter::expr).flat_map(conditions);
    let conditions: Vec<&Expr> = all.filter(|expr| asked.add(&expr.columns(), layout, file)).collect();
    if conditions.is_empty() {
        return frame(None);
    }
    let beginnings = asked.beginnings(&conditions);
    let begins = |values: &[&str]| {
        let mut each = values.iter().zip(&beginnings);
        each.all(|(value, (_, texts))| texts.iter().any(|text| value.as_bytes().starts_with(text.as_bytes())))
    };
    let first: Vec<usize> = beginnings.iter().map(|(slot, _)| *slot).collect();
    let keeps = |values: &[&str]| {
        let record = Fields { asked: &asked, values, lenient: options.lenient };
        let is_unwanted = |expr: &&Expr| matches!(evaluate(expr, &record, 0), Truth::False | Truth::Unknown);
        !conditions.iter().any(is_unwanted)
    };
    // Most records fail by their first bytes in one place, which is near.
    let questions: [(&[usize], Keeps<'_>); 2] = [(&first, &begins), (&asked.slots, &keeps)];
    frame(Some(&Sieve::new(&questions[usize::from(first.is_empty())..])))
}

/// The columns that are asked for.
#[derive(Default)]
struct Asked<'a> {
    slots: Vec<usize>,
    /// By their place in `slots`.
    columns: Vec<(Column, usize, Reader<'a>)>,
}

impl<'a> Asked<'a> {
    /// Takes the columns of a condition in; whether all of them can be.
    fn add(&mut self, columns: &[Column], layout: &'a Layout, file: &'a File) -> bool {
        let before = (self.slots.len(), self.columns.len());
        let fits = !columns.is_empty() && columns.iter().all(|&column| self.add_one(column, layout, file));
        if !fits {
            self.slots.truncate(before.0);
            self.columns.truncate(before.1);
        }
        fits
    }

    /// The slots whose values must begin in one of a few ways.
    fn beginnings(&self, conditions: &[&Expr]) -> Vec<(usize, Vec<String>)> {
        let slot = |(column, texts)| {
            let (_, at, reader) = self.columns.iter().find(|(known, ..)| *known == column)?;
            matches!(reader, Reader::Slot(_)).then_some((self.slots[*at], texts))
        };
        let found = conditions.iter().filter_map(|condition| condition.beginnings().and_then(slot));
        found.take(MOST_SLOTS).collect()
    }

    fn add_one(&mut self, column: Column, layout: &'a Layout, file: &'a File) -> bool {
        let reader = Reader::of(column, layout, file);
        let slot = match reader {
            Reader::Slot(slot) => slot,
            Reader::Number([Source { slot, take: Take::Whole }], _) => *slot,
            _ => return false,
        };
        if self.columns.iter().any(|(known, ..)| *known == column) {
            return true;
        }
        let at = self.slots.iter().position(|known| *known == slot).unwrap_or(self.slots.len());
        if at == self.slots.len() {
            if at == MOST_SLOTS || slot >= layout.expected {
                return false;
            }
            self.slots.push(slot);
        }
        self.columns.push((column, at, reader));
        true
    }
}

/// A record of which only these fields are known.
struct Fields<'a> {
    asked: &'a Asked<'a>,
    values: &'a [&'a str],
    lenient: bool,
}

impl Cells for Fields<'_> {
    #[inline]
    fn cell(&self, column: Column, _: u32) -> Result<Option<Cell<'_>>, Bad> {
        let found = self.asked.columns.iter().find(|(known, ..)| *known == column);
        let Some(&(_, at, reader)) = found else { return Err(Bad) };
        let value = self.values[at];
        match reader {
            Reader::Slot(_) => Ok(present(value).and_then(text)),
            Reader::Number(..) if present(value).is_none() => Ok(None),
            Reader::Number(_, read) => match read(value.as_bytes()) {
                Some(number) => Ok(number.map(|number| Cell::Number(Number::whole(number)))),
                None if self.lenient => Ok(None),
                None => Err(Bad),
            },
            _ => Err(Bad),
        }
    }

    fn extra(&self, _: &str, _: u32) -> Result<Option<Cow<'_, str>>, Bad> {
        Err(Bad)
    }

    fn clock(&self, time: i64, _: u32) -> i64 {
        time
    }
}
