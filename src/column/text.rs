//! Text and dictionary columns: the text as it stands, or what the format's table makes of it.

use std::borrow::Cow;

use arrow::array::{ArrayRef, new_null_array};
use arrow::buffer::Buffer;
use arrow::datatypes::DataType;

use super::desk::Desk;
use super::lexicon::{FIRST_WORD, NOTHING, NULL};
use super::rows::{EM_DASH, Rows, taken};
use super::validity::Validity;
use super::views::Views;
use crate::format::layout::{Source, Take};
use crate::frame::Span;
use crate::prepared::{Coded, Plain};
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
    let is: Option<fn(&str) -> bool> =
        NUMBERS_AND_IDS.contains(&column).then_some(|text| is_excel_number(text.as_bytes()));
    if let [Source { slot, take: Take::Whole }] =
        rows.sources(column).map(|(_, source)| source).collect::<Vec<_>>()[..]
    {
        return desk.verbatim(rows, *slot, is);
    }
    let codes = gather(rows, column, &mut desk, verbatim, NULL);
    let damaged = is.map_or(0, |is| desk.count_such(is, &codes));
    (desk.coded(codes), damaged)
}

/// A column of codes; `make` turns a source's text into the column's value.
pub fn dict(
    rows: &Rows,
    column: Column,
    mut desk: Desk<'_>,
    make: impl Fn(&str) -> Option<Cow<'_, str>>,
) -> Coded {
    let codes = gather(rows, column, &mut desk, make, NULL);
    desk.coded(codes)
}

/// A column of codes without nulls: where there is no value, it is `default`.
pub fn required_dict(rows: &Rows, column: Column, mut desk: Desk<'_>, default: &'static str) -> Coded {
    let default = desk.value(Some(default));
    let codes = gather(rows, column, &mut desk, verbatim, default);
    desk.coded(codes)
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
        let make = |text| taken(source, text).map(|text| made(text, &make));
        let place = (rank, source.slot);
        match source.take {
            Take::WherePositive(_) => {
                desk.made(rows, place, |at| rows.holds(source, rows.kept[at]), make, &mut found);
            }
            _ => desk.made(rows, place, |_| true, make, &mut found),
        }
    }
    found.iter_mut().for_each(|code| *code = if *code < FIRST_WORD { default } else { *code });
    found
}

/// A text column as it stands, each text behind its length, and how many of its values Excel has
/// damaged.
pub fn plain(rows: &Rows, column: Column) -> (Plain, u64) {
    let sources: Vec<&Source> = rows.sources(column).map(|(_, source)| source).collect();
    let watched = NUMBERS_AND_IDS.contains(&column);
    if let [Source { slot, take: Take::Whole }] = sources[..] {
        return plain_slot(rows, *slot, watched);
    }
    // Room for texts of a usual length, so that little has to be moved as they grow.
    let mut bytes = Vec::with_capacity(rows.len() * 32);
    let (mut validity, mut damaged) = (Validity::new(rows.len()), 0);
    for &row in &rows.kept {
        let text = match sources.iter().find_map(|source| found(rows, source, row)) {
            Some(Found::Span(span)) => Some(Cow::Borrowed(span.of(rows.arena.bytes()))),
            Some(Found::Text(text)) => Some(Cow::Owned(text.into_owned().into_bytes())),
            None => None,
        };
        validity.push(text.is_some());
        if let Some(text) = text {
            bytes.extend_from_slice(&(text.len() as u32).to_le_bytes());
            bytes.extend_from_slice(&text);
            damaged += u64::from(watched && is_excel_number(&text));
        }
    }
    (Plain { bytes: Buffer::from_vec(bytes), nulls: validity.finish(), rows: rows.len() }, damaged)
}

/// The same of one slot's texts.
fn plain_slot(rows: &Rows, slot: usize, watched: bool) -> (Plain, u64) {
    let all = rows.arena.bytes();
    let mut bytes = vec![0; rows.text_bytes(slot) as usize + rows.len() * 4 + CHUNK];
    let (mut filled, mut validity, mut damaged) = (0, Validity::new(rows.len()), 0);
    for spans in rows.spans(slot, 0..rows.len()).chunks(64) {
        let mut valid = 0u64;
        for (at, span) in spans.iter().enumerate() {
            let text = span.of(all);
            if text.is_empty() || text == EM_DASH.as_bytes() {
                continue;
            }
            valid |= 1 << at;
            bytes[filled..filled + 4].copy_from_slice(&span.len.to_le_bytes());
            filled += 4;
            copy(&all[span.start as usize..], text.len(), &mut bytes[filled..]);
            filled += text.len();
            damaged += u64::from(watched && is_excel_number(text));
        }
        validity.push_many(valid, spans.len());
    }
    bytes.truncate(filled);
    (Plain { bytes: Buffer::from_vec(bytes), nulls: validity.finish(), rows: rows.len() }, damaged)
}

/// Texts are copied so many bytes at a time.
const CHUNK: usize = 32;

/// Copies the first `len` bytes, and maybe some behind them. A copy of a size that is known when this is compiled
/// is a few instructions, any other is a call.
#[inline]
fn copy(from: &[u8], len: usize, to: &mut [u8]) {
    let (Some(first), Some(to_first)) = (from.first_chunk::<CHUNK>(), to.first_chunk_mut()) else {
        return to[..len].copy_from_slice(&from[..len]);
    };
    *to_first = *first;
    let mut at = CHUNK;
    while at < len {
        match (from[at..].first_chunk::<CHUNK>(), to[at..].first_chunk_mut()) {
            (Some(from), Some(to)) => *to = *from,
            _ => return to[at..len].copy_from_slice(&from[at..len]),
        }
        at += CHUNK;
    }
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
