//! Number and yes-or-no columns. A value that cannot be read is a problem of its row.

use std::sync::Arc;

use arrow::array::{ArrayRef, ArrowPrimitiveType, BooleanArray, PrimitiveArray};

use super::problem::Problems;
use super::rows::Rows;
use crate::frame::Reason;
use crate::schema::Column;
use crate::time::read_seconds;

/// A column of whole numbers; `read` says what a text is, `None` if it is no such number.
pub fn numbers<T: ArrowPrimitiveType>(
    rows: &Rows,
    column: Column,
    problems: &mut Problems,
    read: fn(&str) -> Option<Option<T::Native>>,
) -> ArrayRef {
    let sources = rows.layout().sources(column);
    let value = |&row: &u32| {
        let (rank, text) = rows.first(sources, row)?;
        read(&text).unwrap_or_else(|| {
            problems.add(row, sources[rank].slot, Reason::BadNumber, "is not a whole number that fits");
            None
        })
    };
    Arc::new(rows.kept.iter().map(value).collect::<PrimitiveArray<T>>())
}

/// `12`, `6s`, `0:13:45`.
pub fn seconds(text: &str) -> Option<Option<i32>> {
    read_seconds(text.as_bytes()).ok()
}

/// A plain number.
pub fn plain<N: std::str::FromStr>(text: &str) -> Option<Option<N>> {
    let text = text.trim();
    if text.is_empty() { Some(None) } else { text.parse().ok().map(Some) }
}

/// A column of yes and no.
pub fn booleans(rows: &Rows, column: Column, problems: &mut Problems) -> ArrayRef {
    let sources = rows.layout().sources(column);
    let value = |&row: &u32| {
        let (rank, text) = rows.first(sources, row)?;
        match text.trim().to_ascii_lowercase().as_str() {
            "" => None,
            "yes" | "true" | "1" => Some(true),
            "no" | "false" | "0" => Some(false),
            _ => {
                problems.add(row, sources[rank].slot, Reason::BadValue, "is neither yes nor no");
                None
            }
        }
    };
    Arc::new(rows.kept.iter().map(value).collect::<BooleanArray>())
}
