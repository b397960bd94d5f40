//! Number and yes-or-no columns. A value that cannot be read is a problem of its row.

use std::sync::Arc;

use arrow::array::{ArrayRef, ArrowPrimitiveType, BooleanArray, PrimitiveArray, new_null_array};
use arrow::buffer::ScalarBuffer;

use super::problem::Problems;
use super::rows::Rows;
use super::validity::Validity;
use crate::format::layout::{Source, Take};
use crate::frame::Reason;
use crate::schema::Column;
use crate::time::read_seconds;

/// A column of whole numbers; `read` says what a text is, `None` if it is no such number.
pub fn numbers<T: ArrowPrimitiveType>(
    rows: &Rows,
    column: Column,
    problems: &mut Problems,
    read: fn(&[u8]) -> Option<Option<T::Native>>,
) -> ArrayRef {
    let sources = rows.layout().sources(column);
    if sources.is_empty() {
        return new_null_array(&T::DATA_TYPE, rows.len());
    }
    let mut values = Vec::with_capacity(rows.len());
    let mut validity = Validity::new(rows.len());
    for &row in &rows.kept {
        let number = value(rows, sources, row, |slot, text| {
            read(text).unwrap_or_else(|| {
                problems.add(row, slot, Reason::BadNumber, "is not a whole number that fits");
                None
            })
        });
        validity.push(number.is_some());
        values.push(number.unwrap_or_default());
    }
    Arc::new(PrimitiveArray::<T>::new(ScalarBuffer::from(values), validity.finish()))
}

/// What `read` makes of the first source that has a value.
#[inline]
pub fn value<N>(
    rows: &Rows,
    sources: &[Source],
    row: u32,
    mut read: impl FnMut(usize, &[u8]) -> Option<N>,
) -> Option<N> {
    if let [Source { slot, take: Take::Whole }] = sources {
        return match rows.bytes(row, *slot) {
            [] => None,
            text => read(*slot, text),
        };
    }
    let (rank, text) = rows.first(sources, row)?;
    read(sources[rank].slot, text.as_bytes())
}

/// `12`, `6s`, `0:13:45`.
pub fn seconds(text: &[u8]) -> Option<Option<i32>> {
    read_seconds(text).ok()
}

/// A plain number.
pub fn plain<N: std::str::FromStr>(text: &[u8]) -> Option<Option<N>> {
    match text.trim_ascii() {
        [] => Some(None),
        text => std::str::from_utf8(text).ok()?.parse().ok().map(Some),
    }
}

/// A column of yes and no.
pub fn booleans(rows: &Rows, column: Column, problems: &mut Problems) -> ArrayRef {
    let sources = rows.layout().sources(column);
    let answer = |&row: &u32| {
        value(rows, sources, row, |slot, text| {
            yes_or_no(text).unwrap_or_else(|| {
                problems.add(row, slot, Reason::BadValue, "is neither yes nor no");
                None
            })
        })
    };
    Arc::new(rows.kept.iter().map(answer).collect::<BooleanArray>())
}

/// `yes`, `true`, `1`, or their opposites.
pub fn yes_or_no(text: &[u8]) -> Option<Option<bool>> {
    match text.trim_ascii().to_ascii_lowercase().as_slice() {
        b"" => Some(None),
        b"yes" | b"true" | b"1" => Some(Some(true)),
        b"no" | b"false" | b"0" => Some(Some(false)),
        _ => None,
    }
}
