//! `extra`: every value that stands in no other column, under its own name.

use std::sync::Arc;

use arrow::array::{ArrayRef, MapBuilder, MapFieldNames, StringBuilder, new_null_array};

use super::problem::Problem;
use super::rows::Rows;
use crate::format::layout::Residue;
use crate::schema::{Column, Kind, TimeKind, data_type};

/// The map column; `lenient` are values that could not be typed, sorted by record.
pub fn extra(rows: &Rows, lenient: &[Problem]) -> ArrayRef {
    let layout = rows.layout();
    let slots: Vec<usize> =
        (0..layout.slots()).filter(|&slot| layout.residue(slot) != Residue::Never).collect();
    let mut strays = rows.strays().iter().peekable();
    if slots.is_empty() && lenient.is_empty() && strays.peek().is_none() {
        return new_null_array(&data_type(Kind::Map, TimeKind::WallClock), rows.len());
    }
    let names = MapFieldNames { entry: "entries".into(), key: "key".into(), value: "value".into() };
    let mut map = MapBuilder::new(Some(names), StringBuilder::new(), StringBuilder::new());
    let mut untyped = lenient.iter().peekable();
    for &row in &rows.kept {
        let mut entries = 0;
        let mut add = |name: &str, text: &str| {
            map.keys().append_value(name);
            map.values().append_value(text);
            entries += 1;
        };
        for &slot in &slots {
            if let Some(text) = rows.text(row, slot)
                && (layout.residue(slot) == Residue::Always || !is_taken(rows, row, slot))
            {
                add(&layout.names[slot], text);
            }
        }
        while let Some(problem) = untyped.next_if(|problem| problem.record <= row) {
            let listed = slots.contains(&problem.slot);
            if problem.record == row && !listed {
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

/// Whether some column takes its value in this record from that slot.
fn is_taken(rows: &Rows, row: u32, slot: usize) -> bool {
    rows.layout().readers(slot).any(|(column, rank)| {
        let sources: &[_] = rows.layout().sources(column);
        column != Column::CallType && rows.first(sources, row).is_some_and(|(taken, _)| taken == rank)
    })
}
