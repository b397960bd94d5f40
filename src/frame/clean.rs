//! Whether a record "reads cleanly": the question that tells where an unclosed quote ends.
//!
//! A record is clean if it has the header's number of fields (or the format can fit it) and if
//! times and numbers stand where the header says. That is cheap, and text that slipped by a
//! field or a line practically never passes it.

use memchr::memchr;

use crate::csv::{Field, Form, MAX_FIELDS};
use crate::format::layout::Take;
use crate::format::{Fit, Layout, Misfit};
use crate::schema::Column;
use crate::time::{DateOrder, read_seconds, read_time};

/// Columns whose values have a shape of their own.
const SHAPED: [Column; 5] = [Column::Start, Column::Answer, Column::End, Column::Duration, Column::Billsec];

/// Whether these fields of `text` are a whole record of the layout.
pub fn reads_cleanly(text: &[u8], fields: &[Field], layout: &Layout) -> bool {
    if fields.len() > MAX_FIELDS || fields.len() < 2 {
        return false;
    }
    let fitted;
    let ranges = if fields.len() == layout.expected {
        None
    } else {
        match fit(text, fields, layout) {
            Fit::Repaired(ranges) | Fit::Regular(ranges) => {
                fitted = ranges;
                Some(&fitted)
            }
            Fit::No(_) => return false,
        }
    };
    let value = |slot: usize| match ranges {
        None => fields.get(slot).map(|field| field.value(text)),
        Some(ranges) if ranges[slot].len() == 1 => Some(fields[ranges[slot].start].value(text)),
        Some(_) => None,
    };
    SHAPED.iter().all(|&column| {
        layout.sources(column).iter().all(|source| match source.take {
            Take::Whole => value(source.slot).is_none_or(|text| has_shape(&text, column)),
            _ => true,
        })
    })
}

/// Whether these fields are a whole record although its lines might be records, too: nothing has to
/// be repaired, and every line break stands in a field that is properly quoted.
pub fn is_beyond_doubt(text: &[u8], fields: &[Field], layout: &Layout) -> bool {
    let breaks = |field: &Field| memchr(layout.dialect.eol, &text[field.start..field.end]).is_some();
    let is_regular = || matches!(fit(text, fields, layout), Fit::Regular(_));
    (fields.len() == layout.expected || (fields.len() > 1 && is_regular()))
        && fields.iter().all(|field| field.form != Form::AsIs || !breaks(field))
        && reads_cleanly(text, fields, layout)
}

fn has_shape(text: &[u8], column: Column) -> bool {
    match column {
        Column::Duration | Column::Billsec => read_seconds(text).is_ok(),
        _ => [DateOrder::MonthFirst, DateOrder::DayFirst].iter().any(|&order| read_time(text, order).is_ok()),
    }
}

/// What the format makes of a record that has another number of fields than its header.
pub fn fit(text: &[u8], fields: &[Field], layout: &Layout) -> Fit {
    match layout.format.csv() {
        Some(csv) => (csv.fit)(&Misfit { names: &layout.normalised, text, fields }),
        None => Fit::No("no CSV".to_string()),
    }
}
