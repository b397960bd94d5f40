//! Rows for tests, of every type that the table has: few values, so that many are equal.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, DictionaryArray, Int32Array, Int64Array, ListBuilder, MapBuilder,
    MapFieldNames, RecordBatch, StringArray, StringBuilder, StringViewArray, StringViewBuilder,
    TimestampMicrosecondArray, UInt16Array, UInt32Array,
};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Int32Type, Int64Type, Schema, SchemaRef, TimestampMicrosecondType};
use proptest::prelude::*;

use crate::schema::{Kind, TimeKind, data_type};

/// A row.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Sample {
    pub source: Option<String>,
    pub text: Option<String>,
    pub other: Option<String>,
    pub dict: Option<String>,
    pub yes: Option<bool>,
    pub short: Option<u16>,
    pub number: Option<u32>,
    pub signed: Option<i32>,
    pub source_offset: Option<i64>,
    pub time: Option<i64>,
    pub many: Option<Vec<String>>,
    pub extra: Option<Vec<(String, String)>>,
}

/// Columns that can be sorted by: all but the list and the map.
pub const KEYS: usize = 10;

pub fn schema() -> SchemaRef {
    use Kind as K;
    let kinds = [
        ("source", K::Dict),
        ("text", K::Text),
        ("other", K::Text),
        ("dict", K::Dict),
        ("yes", K::Bool),
        ("short", K::UInt16),
        ("number", K::UInt32),
        ("signed", K::Int32),
        ("source_offset", K::Int64),
        ("time", K::Time),
        ("many", K::List),
        ("extra", K::Map),
    ];
    let fields = kinds.map(|(name, kind)| Field::new(name, data_type(kind, TimeKind::Instant), true));
    Arc::new(Schema::new(fields.to_vec()))
}

/// A row of any values.
pub fn row() -> impl Strategy<Value = Sample> {
    let text =
        || prop::option::of(prop::sample::select(vec!["", "0", "a", "ab", "longer than a view holds"]));
    let text = move || text().prop_map(|text| text.map(str::to_string));
    let texts = (text(), text(), text(), text());
    let short = prop::option::of(prop::sample::select(vec![0, 1, u16::MAX]));
    let number = prop::option::of(prop::sample::select(vec![0, 1, u32::MAX]));
    let signed = prop::option::of(prop::sample::select(vec![0, -1, i32::MIN, i32::MAX]));
    let source_offset = || prop::option::of(prop::sample::select(vec![0, -1, 300, i64::MIN, i64::MAX]));
    let numbers = (any::<Option<bool>>(), short, number, signed, source_offset(), source_offset());
    let item = || text().prop_map(Option::unwrap_or_default);
    let many = prop::option::of(prop::collection::vec(item(), 0..3));
    let extra = prop::option::of(prop::collection::vec((item(), item()), 0..3));
    (texts, numbers, many, extra).prop_map(|(texts, numbers, many, extra)| {
        let (source, text, other, dict) = texts;
        let (yes, short, number, signed, source_offset, time) = numbers;
        Sample { source, text, other, dict, yes, short, number, signed, source_offset, time, many, extra }
    })
}

/// Rows as a batch; its dictionaries have the texts backwards, some twice, one not used, and null by code or by text.
pub fn batch(rows: &[Sample]) -> RecordBatch {
    fn column<T, A: FromIterator<T> + Array + 'static>(
        rows: &[Sample],
        of: impl Fn(&Sample) -> T,
    ) -> ArrayRef {
        Arc::new(rows.iter().map(of).collect::<A>())
    }
    let time = TimestampMicrosecondArray::from_iter(rows.iter().map(|row| row.time)).with_timezone("UTC");
    let columns: Vec<ArrayRef> = vec![
        dict(rows.iter().map(|row| row.source.as_deref())),
        column::<_, StringViewArray>(rows, |row| row.text.clone()),
        column::<_, StringViewArray>(rows, |row| row.other.clone()),
        dict(rows.iter().map(|row| row.dict.as_deref())),
        column::<_, BooleanArray>(rows, |row| row.yes),
        column::<_, UInt16Array>(rows, |row| row.short),
        column::<_, UInt32Array>(rows, |row| row.number),
        column::<_, Int32Array>(rows, |row| row.signed),
        column::<_, Int64Array>(rows, |row| row.source_offset),
        Arc::new(time),
        list(rows),
        map(rows),
    ];
    RecordBatch::try_new(schema(), columns).unwrap()
}

fn dict<'a>(texts: impl Iterator<Item = Option<&'a str>>) -> ArrayRef {
    let texts: Vec<Option<&str>> = texts.collect();
    let words: Vec<Option<&str>> =
        [Some("not used")].into_iter().chain(texts.iter().copied().rev()).collect();
    let code = |(at, text): (usize, &Option<&str>)| {
        let is_null_by_code = text.is_none() && at % 2 == 0;
        (!is_null_by_code).then_some((texts.len() - at) as i32)
    };
    let codes: Int32Array = texts.iter().enumerate().map(code).collect();
    Arc::new(DictionaryArray::<Int32Type>::new(codes, Arc::new(StringArray::from(words))))
}

fn list(rows: &[Sample]) -> ArrayRef {
    let mut list = ListBuilder::new(StringViewBuilder::new());
    for row in rows {
        row.many.iter().flatten().for_each(|text| list.values().append_value(text));
        list.append(row.many.is_some());
    }
    Arc::new(list.finish())
}

fn map(rows: &[Sample]) -> ArrayRef {
    let names = MapFieldNames { entry: "entries".into(), key: "key".into(), value: "value".into() };
    let mut map = MapBuilder::new(Some(names), StringBuilder::new(), StringBuilder::new());
    for row in rows {
        for (key, value) in row.extra.iter().flatten() {
            map.keys().append_value(key);
            map.values().append_value(value);
        }
        map.append(row.extra.is_some()).unwrap();
    }
    Arc::new(map.finish())
}

/// A batch's rows.
pub fn rows(batch: &RecordBatch) -> Vec<Sample> {
    assert_eq!(batch.schema(), schema());
    (0..batch.num_rows()).map(|row| sample(batch, row)).collect()
}

fn sample(batch: &RecordBatch, row: usize) -> Sample {
    let texts = |array: &ArrayRef| -> Vec<Option<String>> {
        // Not to views: that cast takes a null among a dictionary's texts for an empty one.
        let texts = cast(array, &DataType::Utf8).unwrap();
        texts.as_string::<i32>().iter().map(|text| text.map(str::to_string)).collect()
    };
    let text = |column: usize| texts(&batch.column(column).slice(row, 1)).remove(0);
    let number = |column: usize| {
        let number = cast(&batch.column(column).slice(row, 1), &DataType::Int64).unwrap();
        number.as_primitive::<Int64Type>().iter().next().unwrap()
    };
    let many = batch.column(10).as_list::<i32>();
    let extra = batch.column(11).as_map();
    let pairs = || {
        let entries = extra.value(row);
        let (keys, values) = (texts(entries.column(0)), texts(entries.column(1)));
        keys.into_iter().flatten().zip(values.into_iter().flatten()).collect()
    };
    Sample {
        source: text(0),
        text: text(1),
        other: text(2),
        dict: text(3),
        yes: number(4).map(|yes| yes == 1),
        short: number(5).map(|short| short as u16),
        number: number(6).map(|number| number as u32),
        signed: number(7).map(|signed| signed as i32),
        source_offset: number(8),
        time: batch.column(9).as_primitive::<TimestampMicrosecondType>().slice(row, 1).iter().next().unwrap(),
        many: many.is_valid(row).then(|| texts(&many.value(row)).into_iter().flatten().collect()),
        extra: extra.is_valid(row).then(pairs),
    }
}
