//! Text and dictionary columns: the text as it stands, or what the format's table makes of it.

use std::borrow::Cow;

use arrow::array::{ArrayRef, new_null_array};
use arrow::datatypes::DataType;

use super::dict::Dict;
use super::rows::Rows;
use super::views::Views;
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
    let sources = rows.layout().sources(column);
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

/// A dictionary column; `make` turns a source's text into the column's value.
pub fn dict(rows: &Rows, column: Column, make: fn(&str) -> Option<Cow<'_, str>>) -> ArrayRef {
    let sources = rows.layout().sources(column);
    if sources.is_empty() {
        return super::dict::nothing(rows.len());
    }
    let mut dict = Dict::new(rows.len());
    for &row in &rows.kept {
        match sources {
            [Source { slot, take: Take::Whole }] => match rows.bytes(row, *slot) {
                [] => dict.push_null(),
                text => dict.push(text, make),
            },
            [Source { slot, take: Take::Part(part) }] => match rows.bytes(row, *slot) {
                [] => dict.push_null(),
                text => dict.push(text, |text| made(part(text), make)),
            },
            _ => match rows.first(sources, row) {
                Some((_, Cow::Borrowed(text))) => dict.push(text.as_bytes(), make),
                // Rare: what a part made is new text, which cannot be remembered by where it stands.
                Some((_, Cow::Owned(text))) => {
                    dict.push_value(make(&text).map(|value| value.into_owned().into()))
                }
                None => dict.push_null(),
            },
        }
    }
    dict.finish()
}

/// A dictionary column of what `make`, which knows the caller's options, says of each text.
pub fn dict_by(rows: &Rows, column: Column, make: impl Fn(&str) -> Option<Cow<'static, str>>) -> ArrayRef {
    let sources = rows.layout().sources(column);
    let mut dict = Dict::new(rows.len());
    for &row in &rows.kept {
        dict.push_value(rows.first(sources, row).and_then(|(_, text)| make(&text)));
    }
    dict.finish()
}

/// A dictionary column without nulls: where there is no value, it is `default`.
pub fn required_dict(rows: &Rows, column: Column, default: &'static str) -> ArrayRef {
    let sources = rows.layout().sources(column);
    if sources.is_empty() {
        return super::dict::constant(default, rows.len());
    }
    let mut dict = Dict::new(rows.len());
    for &row in &rows.kept {
        match sources {
            [Source { slot, take: Take::Whole }] => match rows.bytes(row, *slot) {
                [] => dict.push(default.as_bytes(), verbatim),
                text => dict.push(text, verbatim),
            },
            _ => {
                let value = rows.first(sources, row).map_or(Cow::Borrowed(default), |(_, text)| text);
                dict.push_value(Some(value));
            }
        }
    }
    dict.finish()
}

/// `make` of a part.
fn made<'a>(part: Option<Cow<'a, str>>, make: fn(&str) -> Option<Cow<'_, str>>) -> Option<Cow<'a, str>> {
    match part? {
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
