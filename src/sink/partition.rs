//! Which folder of a dataset a row belongs into: hive's `name=value`, a level a column.
//!
//! ```text
//! --partition-by year,month,vendor ──▶ year=2024/month=05/vendor=grandstream
//! ```
//!
//! How a folder is spelled is `hive`'s business. It knows the unified table; it must not know files.

use std::collections::HashMap;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{Int32Type, TimestampMicrosecondType};

use crate::error::{Error, Result};
use crate::hive::level;
use crate::prepared::{Prepared, texts};
use crate::schema::{Column, Kind};
use crate::time::{Zone, ZoneClock, civil_from_days};

/// What rows are told apart by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// The year of `start`: `2024`.
    Year,
    /// Its month: `05`.
    Month,
    /// Its date: `2024-05-17`.
    Date,
    /// A column of few distinct values.
    Column(Column),
}

const MICROS_A_DAY: i64 = 86_400_000_000;

impl By {
    /// Reads a list such as `year,month,vendor`.
    ///
    /// # Errors
    /// Usage: a name that nothing can be partitioned by, or one that stands twice.
    pub fn parse_list(list: &str) -> Result<Vec<By>> {
        let mut all = Vec::new();
        for name in list.split(',').map(str::trim) {
            let by = By::parse(name).ok_or_else(|| {
                Error::usage(format!(
                    "--partition-by {list}: rows cannot be told apart by `{name}`, but by year, month, date, vendor, \
                     call_type, or another column that `calltable schema` calls a dictionary"
                ))
            })?;
            if all.contains(&by) {
                return Err(Error::usage(format!(
                    "--partition-by {list}: {name} stands twice; name it once"
                )));
            }
            all.push(by);
        }
        Ok(all)
    }

    fn parse(name: &str) -> Option<By> {
        match name {
            "year" => Some(By::Year),
            "month" => Some(By::Month),
            "date" => Some(By::Date),
            _ => Column::by_name(name).filter(|column| column.def().kind == Kind::Dict).map(By::Column),
        }
    }

    /// Its name, as it stands in folders.
    pub fn name(self) -> &'static str {
        match self {
            By::Year => "year",
            By::Month => "month",
            By::Date => "date",
            By::Column(column) => column.name(),
        }
    }

    /// The column of the table that it is told by.
    pub fn column(self) -> Column {
        match self {
            By::Year | By::Month | By::Date => Column::Start,
            By::Column(column) => column,
        }
    }
}

/// Puts rows to their partitions.
pub struct Partitioner {
    by: Vec<By>,
    /// Where each of them stands in the batches.
    at: Vec<usize>,
    /// The clock of `start`; none where it stands as written.
    clock: Option<ZoneClock>,
}

/// The rows of a batch by partition.
pub struct Partitions {
    /// The partitions' folders, in the order of their first rows.
    pub folders: Vec<String>,
    /// Which of them each row belongs into.
    pub of: Vec<u32>,
}

/// A value of each row, as a number, and what the numbers stand for.
struct Values {
    of: Vec<u32>,
    texts: Vec<Option<String>>,
}

impl Partitioner {
    /// By these columns of batches that have `columns`; `zone` is that of instants, if the caller named one.
    pub fn new(by: &[By], columns: &[Column], zone: Option<&Zone>) -> Partitioner {
        let place = |by: &By| columns.iter().position(|column| *column == by.column());
        let at = by.iter().filter_map(place).collect();
        let clock = zone.map(ZoneClock::new);
        Partitioner { by: by.to_vec(), at, clock }
    }

    /// The partitions of a batch's rows.
    pub fn split(&mut self, rows: &RecordBatch, prepared: &[Option<Prepared>]) -> Partitions {
        let mut all = Partitions { folders: vec![String::new()], of: vec![0; rows.num_rows()] };
        for (by, at) in self.by.clone().into_iter().zip(self.at.clone()) {
            let values = match (by, prepared.get(at)) {
                (By::Column(_), Some(Some(prepared))) => of_prepared(prepared),
                (By::Column(_), _) => of_array(rows.column(at)),
                _ => self.of_times(by, rows.column(at)),
            };
            all = all.within(by, &values);
        }
        all
    }

    fn of_times(&mut self, by: By, starts: &dyn Array) -> Values {
        let starts = starts.as_primitive::<TimestampMicrosecondType>();
        let mut values = Numbered::default();
        for start in starts {
            let local = start.map(|start| self.clock.as_mut().map_or(start, |clock| clock.local(start)));
            values.add(local.map(|local| local.div_euclid(MICROS_A_DAY)));
        }
        values.told(|days| {
            let (year, month, day) = civil_from_days(*days);
            match by {
                By::Year => format!("{year:04}"),
                By::Month => format!("{month:02}"),
                _ => format!("{year:04}-{month:02}-{day:02}"),
            }
        })
    }
}

impl Partitions {
    /// The same, told apart by one more column.
    fn within(self, by: By, values: &Values) -> Partitions {
        let mut known: HashMap<(u32, u32), u32> = HashMap::new();
        // Two values may be one text, as the days of a year.
        let mut known_folders: HashMap<String, u32> = HashMap::new();
        let mut folders = Vec::new();
        let mut place = |before: u32, value: u32| {
            *known.entry((before, value)).or_insert_with(|| {
                let text = values.texts[value as usize].as_deref();
                let folder = level(&self.folders[before as usize], by.name(), text);
                *known_folders.entry(folder.clone()).or_insert_with(|| {
                    folders.push(folder);
                    folders.len() as u32 - 1
                })
            })
        };
        let of = self.of.iter().zip(&values.of).map(|(before, value)| place(*before, *value)).collect();
        Partitions { folders, of }
    }
}

/// Numbers for values, in the order in which they come.
struct Numbered<K> {
    known: HashMap<Option<K>, u32>,
    of: Vec<u32>,
    /// The value before, and its number: most come again.
    last: Option<(Option<K>, u32)>,
}

impl<K> Default for Numbered<K> {
    fn default() -> Numbered<K> {
        Numbered { known: HashMap::new(), of: Vec::new(), last: None }
    }
}

impl<K: Copy + Eq + std::hash::Hash> Numbered<K> {
    fn add(&mut self, value: Option<K>) {
        let number = match self.last {
            Some((last, number)) if last == value => number,
            _ => {
                let next = self.known.len() as u32;
                *self.known.entry(value).or_insert(next)
            }
        };
        self.last = Some((value, number));
        self.of.push(number);
    }

    fn told(self, text: impl Fn(&K) -> String) -> Values {
        let mut texts = vec![None; self.known.len()];
        self.known.iter().for_each(|(value, number)| texts[*number as usize] = value.as_ref().map(&text));
        Values { of: self.of, texts }
    }
}

fn of_prepared(prepared: &Prepared) -> Values {
    match prepared {
        Prepared::Coded(coded) => {
            let mut values = Numbered::default();
            for (row, code) in coded.codes.iter().enumerate() {
                let has = coded.nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row));
                values.add(has.then_some(*code));
            }
            values.told(|code| coded.words.get(*code as usize).to_string())
        }
        Prepared::Same { value, rows } => {
            Values { of: vec![0; *rows], texts: vec![value.as_deref().map(str::to_string)] }
        }
        Prepared::Plain(plain) => {
            let (mut values, mut texts) = (Numbered::default(), texts(&plain.bytes));
            for row in 0..plain.rows {
                let has = plain.nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row));
                values.add(if has { texts.next() } else { None });
            }
            values.told(|text| String::from_utf8_lossy(text).into_owned())
        }
    }
}

fn of_array(array: &dyn Array) -> Values {
    let array = array.as_dictionary::<Int32Type>();
    let words = array.values().as_string::<i32>();
    let mut values = Numbered::default();
    array.keys().iter().for_each(|key| values.add(key));
    values.told(|key| words.value(*key as usize).to_string())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, DictionaryArray, TimestampMicrosecondArray};

    use super::*;
    use crate::hive::NULL;
    use crate::schema::{TimeKind, project};

    const COLUMNS: [Column; 2] = [Column::Start, Column::CallType];

    fn rows(starts: &[Option<i64>], types: &[Option<&str>], times: TimeKind) -> RecordBatch {
        let starts: TimestampMicrosecondArray = starts.iter().copied().collect();
        let starts = if times == TimeKind::Instant { starts.with_timezone("UTC") } else { starts };
        let types: DictionaryArray<Int32Type> = types.iter().copied().collect();
        let columns: [ArrayRef; 2] = [Arc::new(starts), Arc::new(types)];
        RecordBatch::try_new(project(&COLUMNS, times), columns.to_vec()).unwrap()
    }

    fn folders(list: &str, rows: &RecordBatch, zone: Option<Zone>) -> Vec<String> {
        let by = By::parse_list(list).unwrap();
        let split = Partitioner::new(&by, &COLUMNS, zone.as_ref()).split(rows, &[]);
        split.of.iter().map(|at| split.folders[*at as usize].clone()).collect()
    }

    const HOUR: i64 = 3_600_000_000;

    #[test]
    fn times_are_told_by_their_local_date() {
        let starts = [Some(0), Some(25 * HOUR), Some(-1), None, Some(20_000 * 24 * HOUR)];
        let wall = rows(&starts, &[None; 5], TimeKind::WallClock);
        assert_eq!(
            folders("date", &wall, None),
            [
                "date=1970-01-01",
                "date=1970-01-02",
                "date=1969-12-31",
                "date=__HIVE_DEFAULT_PARTITION__",
                "date=2024-10-04"
            ]
        );
        assert_eq!(folders("year,month", &wall, None)[2], "year=1969/month=12");
        let instants = rows(&starts, &[None; 5], TimeKind::Instant);
        assert_eq!(folders("date", &instants, None)[2], "date=1969-12-31");
        let zone = || Zone::parse("+01:00").ok();
        assert_eq!(folders("date", &instants, zone())[2], "date=1970-01-01");
    }

    #[test]
    fn two_days_of_a_year_are_one_partition() {
        let rows = rows(&[Some(0), Some(25 * HOUR), Some(0)], &[None; 3], TimeKind::WallClock);
        let by = By::parse_list("year").unwrap();
        let split = Partitioner::new(&by, &COLUMNS, None).split(&rows, &[]);
        assert_eq!((split.folders, split.of), (vec!["year=1970".to_string()], vec![0, 0, 0]));
    }

    #[test]
    fn values_are_percent_encoded() {
        let types = [Some("in/out"), Some("ünlü a=b%"), Some(".."), None, Some("a-b_c.d~"), Some(NULL)];
        let rows = rows(&[None; 6], &types, TimeKind::WallClock);
        assert_eq!(
            folders("call_type", &rows, None),
            [
                "call_type=in%2Fout",
                "call_type=%C3%BCnl%C3%BC%20a%3Db%25",
                "call_type=..",
                "call_type=__HIVE_DEFAULT_PARTITION__",
                "call_type=a-b_c.d~",
                "call_type=%5F_HIVE_DEFAULT_PARTITION__"
            ]
        );
        assert_eq!(
            folders("call_type,year", &rows, None)[0],
            "call_type=in%2Fout/year=__HIVE_DEFAULT_PARTITION__"
        );
    }

    #[test]
    fn lists_that_cannot_be_are_wrong_usage() {
        let error = |list| By::parse_list(list).unwrap_err().to_string();
        assert!(error("year,src").contains("`src`"), "{}", error("year,src"));
        assert!(error("year, year").contains("year stands twice"));
        assert!(error("").contains("``"));
        assert!(By::parse_list("year, month,date,vendor,call_type,disposition").is_ok());
    }
}
