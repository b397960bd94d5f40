//! Which records that follow one another are one call.
//!
//! Records of one file and one `call_id` are, and so are a main record and the subs behind it that count
//! up, where a dump gives calls no id. It must not know shapes.

use std::borrow::Cow;

use super::Row;
use crate::schema::Column;

/// What a record is to its call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Alone.
    Single,
    /// It totals the subs.
    Main,
    /// A leg.
    Sub,
}

impl Kind {
    pub(crate) fn of(row: &Row<'_>) -> Kind {
        match row.text(Column::RecordKind).as_deref() {
            Some("main") => Kind::Main,
            Some("sub") => Kind::Sub,
            _ => Kind::Single,
        }
    }
}

/// What of a record tells whether the next one is of the same call.
#[derive(Clone, Debug)]
pub(crate) struct Last<'a> {
    source: Option<Cow<'a, str>>,
    call: Option<Cow<'a, str>>,
    kind: Kind,
    index: Option<i64>,
}

impl<'a> Last<'a> {
    pub(crate) fn of(row: &Row<'a>) -> Last<'a> {
        Last {
            source: row.text(Column::Source),
            call: row.text(Column::CallId),
            kind: Kind::of(row),
            index: row.number(Column::SubIndex),
        }
    }

    /// The same, to be kept longer than the row's batch.
    pub(crate) fn into_owned(self) -> Last<'static> {
        let owned = |text: Option<Cow<'_, str>>| text.map(|text| Cow::Owned(text.into_owned()));
        Last { source: owned(self.source), call: owned(self.call), kind: self.kind, index: self.index }
    }

    /// Whether a record that comes next is of the same call.
    pub(crate) fn goes_on_with(&self, next: &Last<'_>) -> bool {
        self.source == next.source
            && match (&self.call, &next.call) {
                (Some(call), Some(next)) => call == next,
                (None, None) => self.is_nested_with(next),
                _ => false,
            }
    }

    /// Whether a record that comes next, and is of the same call, stands in the same element: subs behind
    /// their main record, or behind one another with a number that counts up.
    pub(crate) fn is_nested_with(&self, next: &Last<'_>) -> bool {
        let counts_up = next.index.zip(self.index).is_none_or(|(next, index)| next > index);
        next.kind == Kind::Sub && self.kind != Kind::Single && counts_up
    }
}

/// Where the calls of a batch begin, after the first row.
pub(crate) fn beginnings(rows: &[Row<'_>]) -> Vec<usize> {
    let mut beginnings = Vec::new();
    let mut last = rows.first().map(Last::of);
    for (at, row) in rows.iter().enumerate().skip(1) {
        let next = Last::of(row);
        if !last.is_some_and(|last| last.goes_on_with(&next)) {
            beginnings.push(at);
        }
        last = Some(next);
    }
    beginnings
}
