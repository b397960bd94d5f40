//! `extra`: every value that stands in no other column, under its own name.

use std::sync::Arc;

use arrow::array::{ArrayRef, MapBuilder, MapFieldNames, StringBuilder, new_null_array};

use super::lexicon::Lexicons;
use super::problem::Problem;
use super::rows::Rows;
use crate::format::layout::{Residue, Take};
use crate::schema::{Column, Kind, TimeKind, data_type};

/// The map column; `lenient` are values that could not be typed, sorted by record.
pub fn extra(rows: &Rows, lenient: &[Problem], lexicons: &mut Lexicons) -> ArrayRef {
    let layout = rows.layout();
    let is_residue = |&slot: &usize| layout.residue(slot) != Residue::Never;
    let listed: Vec<usize> = (0..layout.slots()).filter(is_residue).collect();
    let slots: Vec<(usize, Taken<'_>)> = listed
        .iter()
        .filter(|&&slot| rows.is_occupied(slot))
        .map(|&slot| (slot, Taken::new(rows, slot, lexicons)))
        .filter(|(_, taken)| !taken.all())
        .collect();
    let mut strays = rows.strays().iter().peekable();
    if slots.is_empty() && lenient.is_empty() && strays.peek().is_none() {
        return new_null_array(&data_type(Kind::Map, TimeKind::WallClock), rows.len());
    }
    let names = MapFieldNames { entry: "entries".into(), key: "key".into(), value: "value".into() };
    let mut map = MapBuilder::new(Some(names), StringBuilder::new(), StringBuilder::new());
    let mut untyped = lenient.iter().peekable();
    for (at, &row) in rows.kept.iter().enumerate() {
        let mut entries = 0;
        let mut add = |name: &str, text: &str| {
            map.keys().append_value(name);
            map.values().append_value(text);
            entries += 1;
        };
        for (slot, taken) in &slots {
            if let Some(text) = rows.text(row, *slot)
                && (layout.residue(*slot) == Residue::Always || !taken.is(at, row))
            {
                add(&layout.names[*slot], text);
            }
        }
        while let Some(problem) = untyped.next_if(|problem| problem.record <= row) {
            if problem.record == row && !listed.contains(&problem.slot) {
                let text = rows.text(row, problem.slot).unwrap_or_default();
                add(&layout.names[problem.slot], text);
            }
        }
        while let Some(stray) = strays.next_if(|stray| stray.record <= row) {
            if let Some(text) = rows.present(stray.value).filter(|_| stray.record == row) {
                add(stray.name.text(rows.arena.text()), text);
            }
        }
        map.append(entries > 0).expect("as many keys as values");
    }
    Arc::new(map.finish())
}

/// Whether some column takes its value in a record from a slot.
struct Taken<'a> {
    rows: &'a Rows,
    readers: Vec<(Column, usize)>,
    /// Known of each row, where nothing but the text matters.
    by_text: Option<Vec<bool>>,
}

impl<'a> Taken<'a> {
    fn new(rows: &'a Rows, slot: usize, lexicons: &mut Lexicons) -> Taken<'a> {
        let readers = rows.layout().readers(slot).filter(|(column, _)| *column != Column::CallType);
        let mut taken = Taken { rows, readers: readers.collect(), by_text: None };
        let by_text_alone = taken.readers.iter().all(|&(column, rank)| {
            rank == 0 && !matches!(rows.layout().sources(column)[0].take, Take::WherePositive(_))
        });
        if by_text_alone && rows.layout().residue(slot) == Residue::Unless {
            let mut desk = lexicons.desk(Column::Extra);
            taken.by_text = Some(desk.are(rows, slot, |row| taken.ask(row)));
        }
        taken
    }

    /// Whether nothing is left of the slot, as far as that is told by the texts alone.
    fn all(&self) -> bool {
        self.by_text.as_ref().is_some_and(|rows| rows.iter().all(|is| *is))
    }

    fn ask(&self, row: u32) -> bool {
        self.readers.iter().any(|&(column, rank)| {
            let sources = self.rows.layout().sources(column);
            self.rows.first(sources, row).is_some_and(|(taken, _)| taken == rank)
        })
    }

    /// Of the row at that place, with that record.
    fn is(&self, at: usize, row: u32) -> bool {
        self.by_text.as_ref().map_or_else(|| self.ask(row), |rows| rows[at])
    }
}
