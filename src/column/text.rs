//! Text and dictionary columns: the text as it stands, or what the format's table makes of it.

use std::borrow::Cow;

use arrow::array::{ArrayRef, new_null_array};
use arrow::datatypes::DataType;

use super::lexicon::{Desk, NOTHING, NULL};
use super::rows::{Rows, taken};
use super::views::Views;
use crate::coded::Coded;
use crate::format::layout::{Source, Take};
use crate::frame::Span;
use crate::schema::Column;

/// Columns of phone numbers and ids, in which Excel leaves `1.9098E+10`.
const NUMBERS_AND_IDS: &[Column] = &[
    Column::RecordId,
    Column::CallId,
    Column::Uniqueid,
    Column::OtherLegCallId,
    Column::Accountcode,
    Column::Src,
    Column::Dst,
    Column::AnsweredBy,
    Column::ChannelExt,
    Column::DstchannelExt,
    Column::Chanext,
    Column::Dstchanext,
    Column::ActionOwner,
    Column::DidNumber,
    Column::DodNumber,
];

/// A text column, and how many of its values Excel has damaged.
pub fn text(rows: &Rows, column: Column) -> (ArrayRef, u64) {
    let sources: Vec<&Source> = rows.sources(column).map(|(_, source)| source).collect();
    if sources.is_empty() {
        return (new_null_array(&DataType::Utf8View, rows.len()), 0);
    }
    let mut views = Views::new(&rows.arena, rows.len());
    let watched = NUMBERS_AND_IDS.contains(&column);
    let mut damaged = 0;
    for &row in &rows.kept {
        match sources.iter().find_map(|source| found(rows, source, row)) {
            None => views.push_null(),
            Some(Found::Span(span)) => {
                views.push_span(span);
                damaged += u64::from(watched && is_excel_number(span.of(rows.arena.bytes())));
            }
            Some(Found::Text(text)) => {
                views.push(&text);
                damaged += u64::from(watched && is_excel_number(text.as_bytes()));
            }
        }
    }
    (views.finish(), damaged)
}

/// A source's value in a record: where it stands, or what was made of it.
enum Found<'a> {
    Span(Span),
    Text(Cow<'a, str>),
}

#[inline]
fn found<'a>(rows: &'a Rows, source: &Source, row: u32) -> Option<Found<'a>> {
    match source.take {
        Take::Whole if rows.bytes(row, source.slot).is_empty() => None,
        Take::Whole => Some(Found::Span(rows.span(row, source.slot))),
        _ => rows.take(source, row).map(Found::Text),
    }
}

/// `1.9098E+10`: what Excel makes of a long number.
fn is_excel_number(bytes: &[u8]) -> bool {
    let Some(at) = bytes.len().checked_sub(4) else { return false };
    bytes[at + 1] == b'+'
        && bytes[at] == b'E'
        && at > 0
        && bytes[at + 2..].iter().all(u8::is_ascii_digit)
        && bytes[..at].iter().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b',' | b'-'))
}

/// A text column as codes, and how many of its values Excel has damaged.
pub fn coded(rows: &Rows, column: Column, mut desk: Desk<'_>) -> (Coded, u64) {
    let codes = match rows.sources(column).map(|(_, source)| source).collect::<Vec<_>>()[..] {
        [Source { slot, take: Take::Whole }] => {
            let mut codes = vec![NULL; rows.len()];
            desk.verbatim(rows.texts(*slot), &mut codes);
            codes
        }
        _ => gather(rows, column, &mut desk, verbatim, NULL),
    };
    let mut damaged = 0;
    if NUMBERS_AND_IDS.contains(&column) {
        let such = desk.such(|text| is_excel_number(text.as_bytes()));
        if !such.is_empty() {
            damaged = codes.iter().filter(|code| such.contains(code)).count() as u64;
        }
    }
    (super::dict::coded(codes, &mut desk), damaged)
}

/// A column of codes; `make` turns a source's text into the column's value.
pub fn dict(
    rows: &Rows,
    column: Column,
    mut desk: Desk<'_>,
    make: impl Fn(&str) -> Option<Cow<'_, str>>,
) -> Coded {
    let codes = gather(rows, column, &mut desk, make, NULL);
    super::dict::coded(codes, &mut desk)
}

/// A column of codes without nulls: where there is no value, it is `default`.
pub fn required_dict(rows: &Rows, column: Column, mut desk: Desk<'_>, default: &'static str) -> Coded {
    let default = desk.value(Some(default));
    let codes = gather(rows, column, &mut desk, verbatim, default);
    super::dict::coded(codes, &mut desk)
}

/// The code of the first source's text that says something, made a value; each text is looked at
/// once a source.
fn gather(
    rows: &Rows,
    column: Column,
    desk: &mut Desk<'_>,
    make: impl Fn(&str) -> Option<Cow<'_, str>>,
    default: i32,
) -> Vec<i32> {
    let mut found = vec![NOTHING; rows.len()];
    for (rank, source) in rows.sources(column) {
        let open: Vec<bool> = found.iter().map(|&code| code == NOTHING).collect();
        let is_wanted = |at: usize| open[at] && rows.holds(source, rows.kept[at]);
        let texts = rows.texts(source.slot).filter(|&(at, _)| is_wanted(at));
        desk.made(rank, texts, |text| taken(source, text).map(|text| made(text, &make)), &mut found);
    }
    found.iter_mut().filter(|code| **code < 0).for_each(|code| *code = default);
    found
}

/// `make` of what a source yields.
fn made<'a>(text: Cow<'a, str>, make: impl Fn(&str) -> Option<Cow<'_, str>>) -> Option<Cow<'a, str>> {
    match text {
        Cow::Borrowed(text) => make(text),
        Cow::Owned(text) => make(&text).map(|value| Cow::Owned(value.into_owned())),
    }
}

/// A value that needs nothing made of it.
pub fn verbatim(text: &str) -> Option<Cow<'_, str>> {
    Some(Cow::Borrowed(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn excel_numbers_are_told_from_numbers_and_names() {
        for damaged in ["1.9098E+10", "2E+09", "1,9098E+10"] {
            assert!(is_excel_number(damaged.as_bytes()), "{damaged}");
        }
        for whole in ["19098", "E+10", "LINE+10", "1.9098E+1x", "+10", ""] {
            assert!(!is_excel_number(whole.as_bytes()), "{whole}");
        }
    }
}
