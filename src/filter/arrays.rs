//! Rows of arrow columns as the evaluator sees them.
//!
//! Whoever has the unified columns as arrays asks here: a batch of a table that was read back
//! ([`Filter::matches`](super::Filter::matches)), and a block whose columns are being built. Readers of Parquet give
//! texts, dictionaries and times in several forms; each column is brought to one of few, once.
//!
//! It must not know which columns a filter looks at, nor how they were built.

use std::borrow::Cow;
use std::cell::RefCell;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, DictionaryArray, Int64Array, ListArray, MapArray, StringArray,
    StringViewArray, TimestampMicrosecondArray,
};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int32Type, TimeUnit, TimestampMicrosecondType};

use super::evaluate::{Bad, Cell};
use super::number::Number;
use crate::schema::{Column, Kind, TimeKind, data_type};
use crate::time::{Zone, ZoneClock};

/// Some columns of the unified table, by column.
pub(crate) struct Arrays {
    columns: Vec<Option<Values>>,
}

/// A column's values.
enum Values {
    View(StringViewArray),
    Utf8(StringArray),
    /// Codes of texts.
    Dict(DictionaryArray<Int32Type>, StringArray),
    Number(Int64Array),
    Bool(BooleanArray),
    Time(TimestampMicrosecondArray),
    /// Texts, of which a row has several.
    List(ListArray, StringViewArray),
    /// `extra`: names and texts.
    Map(MapArray, StringViewArray, StringViewArray),
}

impl Arrays {
    /// No column yet.
    pub(crate) fn new() -> Arrays {
        Arrays { columns: (0..Column::COUNT).map(|_| None).collect() }
    }

    /// Adds a column; the error says what its type is, and what it has to be.
    pub(crate) fn add(&mut self, column: Column, array: &ArrayRef) -> Result<(), String> {
        let values = Values::of(column.def().kind, array);
        let wrong = || {
            format!(
                "column {} is of type {}, not that of the unified table",
                column.name(),
                array.data_type()
            )
        };
        self.columns[column as usize] = Some(values.ok_or_else(wrong)?);
        Ok(())
    }

    /// Whether a column is among these.
    pub(crate) fn has(&self, column: Column) -> bool {
        self.columns[column as usize].is_some()
    }

    /// A column's value at a place; a column that is not here is not known.
    pub(crate) fn cell(&self, column: Column, at: usize) -> Result<Option<Cell<'_>>, Bad> {
        Ok(self.columns[column as usize].as_ref().ok_or(Bad)?.cell(at))
    }

    /// What `extra` has under a name at a place; of two the first.
    pub(crate) fn extra(&self, name: &str, at: usize) -> Result<Option<Cow<'_, str>>, Bad> {
        let Some(Values::Map(map, names, texts)) = &self.columns[Column::Extra as usize] else {
            return Err(Bad);
        };
        if map.is_null(at) {
            return Ok(None);
        }
        let offsets = map.value_offsets();
        let mut entries = offsets[at] as usize..offsets[at + 1] as usize;
        let found = entries.find(|&entry| names.value(entry) == name && texts.is_valid(entry));
        Ok(found.map(|entry| Cow::Borrowed(texts.value(entry))))
    }
}

impl Values {
    /// The column in the form in which it is looked at; nothing where it is none of that kind.
    fn of(kind: Kind, array: &ArrayRef) -> Option<Values> {
        let as_type = |wanted: &DataType| cast(array, wanted).ok();
        Some(match (kind, array.data_type()) {
            (Kind::Text | Kind::Dict, DataType::Utf8View) => Values::View(array.as_string_view().clone()),
            (Kind::Text | Kind::Dict, DataType::Utf8) => Values::Utf8(array.as_string::<i32>().clone()),
            (Kind::Text | Kind::Dict, DataType::Dictionary(key, value))
                if (&**key, &**value) == (&DataType::Int32, &DataType::Utf8) =>
            {
                let codes = array.as_dictionary::<Int32Type>().clone();
                let words = codes.values().as_string::<i32>().clone();
                Values::Dict(codes, words)
            }
            (Kind::Text | Kind::Dict, DataType::LargeUtf8 | DataType::Dictionary(..) | DataType::Null) => {
                Values::View(as_type(&DataType::Utf8View)?.as_string_view_opt()?.clone())
            }
            (Kind::UInt16 | Kind::UInt32 | Kind::Int32 | Kind::Int64, found)
                if found.is_integer() || found.is_null() =>
            {
                Values::Number(as_type(&DataType::Int64)?.as_primitive_opt()?.clone())
            }
            (Kind::Bool, DataType::Boolean | DataType::Null) => {
                Values::Bool(as_type(&DataType::Boolean)?.as_boolean_opt()?.clone())
            }
            (Kind::Time, DataType::Timestamp(_, zone)) => {
                let micros = as_type(&DataType::Timestamp(TimeUnit::Microsecond, zone.clone()))?;
                Values::Time(micros.as_primitive_opt::<TimestampMicrosecondType>()?.clone())
            }
            (Kind::List, _) => {
                let list = as_type(&data_type(kind, TimeKind::WallClock))?;
                let list = list.as_list_opt::<i32>()?.clone();
                let texts = list.values().as_string_view_opt()?.clone();
                Values::List(list, texts)
            }
            (Kind::Map, DataType::Map(..)) => {
                let map = array.as_map_opt()?.clone();
                let texts = |array: &ArrayRef| {
                    Some(cast(array, &DataType::Utf8View).ok()?.as_string_view_opt()?.clone())
                };
                let (names, values) = (texts(map.keys())?, texts(map.values())?);
                Values::Map(map, names, values)
            }
            _ => return None,
        })
    }

    fn cell(&self, at: usize) -> Option<Cell<'_>> {
        fn text(text: &str) -> Cell<'_> {
            Cell::Text(Cow::Borrowed(text))
        }
        match self {
            Values::View(array) => array.is_valid(at).then(|| text(array.value(at))),
            Values::Utf8(array) => array.is_valid(at).then(|| text(array.value(at))),
            Values::Dict(codes, words) => {
                let word = codes.key(at)?;
                words.is_valid(word).then(|| text(words.value(word)))
            }
            Values::Number(array) => array.is_valid(at).then(|| Cell::Number(Number::whole(array.value(at)))),
            Values::Bool(array) => array.is_valid(at).then(|| Cell::Bool(array.value(at))),
            Values::Time(array) => array.is_valid(at).then(|| Cell::Time(array.value(at))),
            Values::List(list, texts) => list.is_valid(at).then(|| {
                let offsets = list.value_offsets();
                let range = offsets[at] as usize..offsets[at + 1] as usize;
                let texts = range.filter(|&at| texts.is_valid(at)).map(|at| texts.value(at));
                Cell::Text(Cow::Owned(texts.collect::<Vec<_>>().join("@")))
            }),
            Values::Map(map, ..) => map.is_valid(at).then_some(Cell::Bool(true)),
        }
    }
}

/// What the PBX's clock shows at a time of the table.
pub(crate) struct Clocks(Option<RefCell<ZoneClock>>);

impl Clocks {
    /// Those of a table of such times; instants without a zone that has a name or an offset are shown in UTC.
    pub(crate) fn new(times: TimeKind, zone: Option<&Zone>) -> Clocks {
        let zone = zone.filter(|zone| times == TimeKind::Instant && **zone != Zone::Auto);
        Clocks(zone.map(|zone| RefCell::new(ZoneClock::new(zone))))
    }

    /// What it shows.
    pub(crate) fn shown(&self, time: i64) -> i64 {
        self.0.as_ref().map_or(time, |clock| clock.borrow_mut().local(time))
    }
}
