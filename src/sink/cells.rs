//! A batch's columns as typed cells, and how numbers and times are spelt: what both kinds of text
//! output share.
//!
//! Knows the types of the unified table; must not know quotes, separators or escapes. The idea: a
//! column's type is looked at once a batch and becomes a [`Column`] of borrowed arrays; a value is
//! then read as one of the few things that a text output can show, without copying it.

use arrow::array::{
    Array, AsArray, BooleanArray, Int32Array, Int64Array, RecordBatch, StringArray, StringViewArray,
    TimestampMicrosecondArray, UInt16Array, UInt32Array,
};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{
    DataType, Int32Type, Int64Type, TimeUnit, TimestampMicrosecondType, UInt16Type, UInt32Type,
};

use crate::error::{Error, Result};
use crate::time::civil_from_days;

/// A value, as far as a text output tells values apart.
pub(crate) enum Cell<'a> {
    Null,
    Text(&'a str),
    Bool(bool),
    Number(i64),
    Time(Time),
    List(List<'a>),
    Map(Map<'a>),
}

/// A time of the table: on the PBX's clock, or an instant in UTC.
#[derive(Clone, Copy)]
pub(crate) struct Time {
    pub(crate) micros: i64,
    pub(crate) instant: bool,
}

/// The texts from `at` to `end`.
pub(crate) struct List<'a> {
    texts: &'a StringViewArray,
    at: usize,
    end: usize,
}

/// The entries from `at` to `end`.
pub(crate) struct Map<'a> {
    keys: &'a StringArray,
    values: &'a StringArray,
    at: usize,
    end: usize,
}

/// One column of a batch.
pub(crate) struct Column<'a> {
    nulls: Option<NullBuffer>,
    values: Values<'a>,
}

enum Values<'a> {
    View(&'a StringViewArray),
    Text(&'a StringArray),
    Dict { keys: &'a [i32], texts: &'a StringArray },
    Bool(&'a BooleanArray),
    UInt16(&'a UInt16Array),
    UInt32(&'a UInt32Array),
    Int32(&'a Int32Array),
    Int64(&'a Int64Array),
    Time { micros: &'a TimestampMicrosecondArray, instant: bool },
    List { offsets: &'a [i32], texts: &'a StringViewArray },
    Map { offsets: &'a [i32], keys: &'a StringArray, values: &'a StringArray },
}

/// The batch's columns, in order.
///
/// # Errors
/// Usage: a column is of a type that the unified table does not have.
pub(crate) fn columns(batch: &RecordBatch) -> Result<Vec<Column<'_>>> {
    let fields = batch.schema_ref().fields();
    let resolve = |(at, array): (usize, _)| {
        Column::of(array).ok_or_else(|| {
            let field = &fields[at];
            Error::usage(format!("column {}: {} cannot be written as text", field.name(), field.data_type()))
        })
    };
    batch.columns().iter().map(AsRef::as_ref).enumerate().map(resolve).collect()
}

impl<'a> Column<'a> {
    fn of(array: &'a dyn Array) -> Option<Column<'a>> {
        let values = match array.data_type() {
            DataType::Utf8View => Values::View(array.as_string_view()),
            DataType::Utf8 => Values::Text(array.as_string()),
            DataType::Dictionary(_, _) => {
                let dict = array.as_dictionary_opt::<Int32Type>()?;
                Values::Dict { keys: dict.keys().values(), texts: dict.values().as_string_opt()? }
            }
            DataType::Boolean => Values::Bool(array.as_boolean()),
            DataType::UInt16 => Values::UInt16(array.as_primitive::<UInt16Type>()),
            DataType::UInt32 => Values::UInt32(array.as_primitive::<UInt32Type>()),
            DataType::Int32 => Values::Int32(array.as_primitive::<Int32Type>()),
            DataType::Int64 => Values::Int64(array.as_primitive::<Int64Type>()),
            DataType::Timestamp(TimeUnit::Microsecond, zone) => {
                let instant = zone.is_some();
                Values::Time { micros: array.as_primitive::<TimestampMicrosecondType>(), instant }
            }
            DataType::List(_) => {
                let list = array.as_list::<i32>();
                Values::List { offsets: list.value_offsets(), texts: list.values().as_string_view_opt()? }
            }
            DataType::Map(_, _) => {
                let map = array.as_map();
                let (keys, values) = (map.keys().as_string_opt()?, map.values().as_string_opt()?);
                Values::Map { offsets: map.value_offsets(), keys, values }
            }
            _ => return None,
        };
        // Logical ones: a dictionary may also hold its null among its values.
        Some(Column { nulls: array.logical_nulls(), values })
    }

    /// The value of a row.
    pub(crate) fn get(&self, row: usize) -> Cell<'a> {
        if self.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
            return Cell::Null;
        }
        let range = |offsets: &[i32]| (offsets[row] as usize, offsets[row + 1] as usize);
        match self.values {
            Values::View(texts) => Cell::Text(texts.value(row)),
            Values::Text(texts) => Cell::Text(texts.value(row)),
            Values::Dict { keys, texts } => Cell::Text(texts.value(keys[row] as usize)),
            Values::Bool(values) => Cell::Bool(values.value(row)),
            Values::UInt16(values) => Cell::Number(values.value(row).into()),
            Values::UInt32(values) => Cell::Number(values.value(row).into()),
            Values::Int32(values) => Cell::Number(values.value(row).into()),
            Values::Int64(values) => Cell::Number(values.value(row)),
            Values::Time { micros, instant } => Cell::Time(Time { micros: micros.value(row), instant }),
            Values::List { offsets, texts } => {
                let (at, end) = range(offsets);
                Cell::List(List { texts, at, end })
            }
            Values::Map { offsets, keys, values } => {
                let (at, end) = range(offsets);
                Cell::Map(Map { keys, values, at, end })
            }
        }
    }
}

impl<'a> Iterator for List<'a> {
    type Item = Option<&'a str>;

    fn next(&mut self) -> Option<Option<&'a str>> {
        let at = (self.at < self.end).then_some(self.at)?;
        self.at += 1;
        Some(self.texts.is_valid(at).then(|| self.texts.value(at)))
    }
}

impl<'a> Iterator for Map<'a> {
    type Item = (&'a str, Option<&'a str>);

    fn next(&mut self) -> Option<(&'a str, Option<&'a str>)> {
        let at = (self.at < self.end).then_some(self.at)?;
        self.at += 1;
        Some((self.keys.value(at), self.values.is_valid(at).then(|| self.values.value(at))))
    }
}

/// Appends `true` or `false`.
pub(crate) fn write_bool(value: bool, out: &mut Vec<u8>) {
    out.extend_from_slice(if value { b"true" } else { b"false" });
}

/// Appends a number in decimal.
pub(crate) fn write_number(value: i64, out: &mut Vec<u8>) {
    let mut digits = [0; 20];
    let mut at = digits.len();
    let mut rest = value.unsigned_abs();
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if value < 0 {
        out.push(b'-');
    }
    out.extend_from_slice(&digits[at..]);
}

/// Appends `2024-05-17T12:34:56[.ffffff][Z]`. Years that have no four digits are written with
/// their sign, as ISO 8601 has it; none of the known dumps can hold one.
pub(crate) fn write_time(time: Time, out: &mut Vec<u8>) {
    let (seconds, micros) = (time.micros.div_euclid(1_000_000), time.micros.rem_euclid(1_000_000));
    let (days, of_day) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let (year, month, day) = civil_from_days(days);
    let mut text = *b"0000-00-00T00:00:00.000000";
    put(&mut text[5..7], month.into());
    put(&mut text[8..10], day.into());
    put(&mut text[11..13], of_day / 3600);
    put(&mut text[14..16], of_day / 60 % 60);
    put(&mut text[17..19], of_day % 60);
    put(&mut text[20..26], micros);
    let end = if micros == 0 { 19 } else { 26 };
    if (0..=9999).contains(&year) {
        put(&mut text[0..4], year);
        out.extend_from_slice(&text[..end]);
    } else {
        if year > 0 {
            out.push(b'+');
        }
        write_number(year, out);
        out.extend_from_slice(&text[4..end]);
    }
    if time.instant {
        out.push(b'Z');
    }
}

/// Fills a place with a number's last digits.
fn put(place: &mut [u8], mut value: i64) {
    for digit in place.iter_mut().rev() {
        *digit = b'0' + (value % 10) as u8;
        value /= 10;
    }
}

/// Batches that the tests of the text outputs share.
#[cfg(test)]
pub(super) mod samples {
    use std::sync::Arc;

    use arrow::array::{
        ArrayRef, DictionaryArray, ListBuilder, MapBuilder, MapFieldNames, StringBuilder, StringViewBuilder,
    };
    use arrow::datatypes::{Field, Schema};

    use super::*;
    use crate::schema::{Kind, TimeKind, data_type};

    /// A batch of nullable columns, named a, b, c, …
    pub(crate) fn batch(columns: Vec<ArrayRef>) -> RecordBatch {
        let field = |(name, array): (char, &ArrayRef)| Field::new(name, array.data_type().clone(), true);
        let schema = Schema::new(('a'..).zip(&columns).map(field).collect::<Vec<_>>());
        RecordBatch::try_new(Arc::new(schema), columns).unwrap()
    }

    pub(crate) fn text(values: &[Option<&str>]) -> ArrayRef {
        Arc::new(values.iter().collect::<StringViewArray>())
    }

    pub(crate) fn dict(values: &[Option<&str>]) -> ArrayRef {
        Arc::new(values.iter().copied().collect::<DictionaryArray<Int32Type>>())
    }

    pub(crate) fn times(values: &[i64], instant: bool) -> ArrayRef {
        let times = TimestampMicrosecondArray::from(values.to_vec());
        Arc::new(times.with_timezone_opt(instant.then_some("UTC")))
    }

    pub(crate) fn list(rows: &[Option<&[&str]>]) -> ArrayRef {
        let mut list = ListBuilder::new(StringViewBuilder::new());
        for row in rows {
            row.iter().copied().flatten().for_each(|text| list.values().append_value(text));
            list.append(row.is_some());
        }
        Arc::new(list.finish())
    }

    /// A row of `extra`: null, or its entries.
    pub(crate) type Entries<'a> = Option<&'a [(&'a str, &'a str)]>;

    pub(crate) fn map(rows: &[Entries<'_>]) -> ArrayRef {
        let names = MapFieldNames { entry: "entries".into(), key: "key".into(), value: "value".into() };
        let mut map = MapBuilder::new(Some(names), StringBuilder::new(), StringBuilder::new());
        for row in rows {
            for (key, value) in row.iter().copied().flatten() {
                map.keys().append_value(key);
                map.values().append_value(value);
            }
            map.append(row.is_some()).unwrap();
        }
        let map = map.finish();
        assert_eq!(*map.data_type(), data_type(Kind::Map, TimeKind::Instant));
        Arc::new(map)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{DictionaryArray, Float64Array};
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check_time(micros: i64, instant: bool, expected: &str) {
        let mut out = Vec::new();
        write_time(Time { micros, instant }, &mut out);
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn whole_seconds_have_no_fraction() {
        check_time(1_715_949_296_000_000, false, "2024-05-17T12:34:56");
        check_time(1_715_949_296_000_000, true, "2024-05-17T12:34:56Z");
    }

    #[test]
    fn a_fraction_has_six_digits() {
        check_time(1_715_949_296_050_000, false, "2024-05-17T12:34:56.050000");
        check_time(1_715_949_296_000_001, true, "2024-05-17T12:34:56.000001Z");
    }

    #[test]
    fn times_before_1970_count_forwards() {
        check_time(-1, false, "1969-12-31T23:59:59.999999");
        check_time(-62_167_219_200_000_000, false, "0000-01-01T00:00:00");
    }

    #[test]
    fn years_of_other_than_four_digits_have_a_sign() {
        check_time(-62_167_219_200_000_001, false, "-1-12-31T23:59:59.999999");
        check_time(253_402_300_800_000_000, false, "+10000-01-01T00:00:00");
        check_time(i64::MAX, true, "+294247-01-10T04:00:54.775807Z");
        check_time(i64::MIN, true, "-290308-12-21T19:59:05.224192Z");
    }

    #[test]
    fn a_null_among_a_dictionarys_values_is_null() {
        let texts = Arc::new(StringArray::from(vec![Some("x"), None]));
        let dict = DictionaryArray::new(Int32Array::from(vec![0, 1]), texts);
        let column = Column::of(&dict).unwrap();
        assert!(matches!(column.get(0), Cell::Text("x")));
        assert!(matches!(column.get(1), Cell::Null));
    }

    #[test]
    fn a_type_that_the_table_does_not_have_is_wrong_usage() {
        let batch = samples::batch(vec![Arc::new(Float64Array::from(vec![0.5]))]);
        let error = columns(&batch).err().unwrap();
        assert_eq!(error.to_string(), "column a: Float64 cannot be written as text");
    }

    proptest! {
        #[test]
        fn numbers_equal_the_standard_librarys(value: i64) {
            for value in [value, value >> 32, value >> 56, i64::MIN, 0] {
                let mut out = Vec::new();
                write_number(value, &mut out);
                prop_assert_eq!(String::from_utf8(out).unwrap(), value.to_string());
            }
        }
    }
}
