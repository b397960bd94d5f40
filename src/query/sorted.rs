//! The first calls of an order, as many as the page ends with: a heap from which the last is taken
//! whenever there is one too many. Equal ones keep the order in which they came.
//!
//! What has no value comes last, whichever end is first.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use crate::answer::Row;
use crate::schema::{Column, Kind};

/// Calls, written out, by their keys.
#[derive(Debug)]
pub(super) struct Sorted {
    heap: BinaryHeap<Call>,
    most: u64,
    came: u64,
    bytes: usize,
    /// So many bytes of calls are held at once.
    memory: usize,
}

#[derive(Debug)]
struct Call {
    key: Key,
    came: u64,
    text: Vec<u8>,
}

/// What a call is sorted by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Key {
    value: Option<Value>,
    descending: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Value {
    Number(i64),
    Text(String),
}

impl Key {
    /// A row's; record numbers are numbers where they are some.
    pub(super) fn of(row: &Row<'_>, column: Column, descending: bool) -> Key {
        let text = || Some(Value::Text(row.text(column)?.into_owned()));
        let value = match column.def().kind {
            Kind::Time => row.instant(column).map(Value::Number),
            Kind::Text | Kind::Dict if column == Column::RecordId => {
                let number = row.text(column).and_then(|text| text.parse().ok());
                number.map(Value::Number).or_else(text)
            }
            Kind::Text | Kind::Dict => text(),
            _ => row.number(column).map(Value::Number),
        };
        Key { value, descending }
    }
}

impl Ord for Key {
    fn cmp(&self, other: &Key) -> Ordering {
        match (&self.value, &other.value) {
            (Some(one), Some(other)) if self.descending => other.cmp(one),
            (Some(one), Some(other)) => one.cmp(other),
            (one, other) => one.is_none().cmp(&other.is_none()),
        }
    }
}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Key) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Call {
    fn cmp(&self, other: &Call) -> Ordering {
        (&self.key, self.came).cmp(&(&other.key, other.came))
    }
}

impl PartialOrd for Call {
    fn partial_cmp(&self, other: &Call) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Call {
    fn eq(&self, other: &Call) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Call {}

impl Sorted {
    /// Room for the first `most` calls.
    pub(super) fn new(most: u64, memory: usize) -> Sorted {
        Sorted { heap: BinaryHeap::new(), most, came: 0, bytes: 0, memory }
    }

    /// Takes a call; `write` appends its text, where it is not behind the page anyway.
    ///
    /// # Errors
    /// A sentence: the page ends too far behind to be held.
    pub(super) fn push(&mut self, key: Key, write: impl FnOnce(&mut Vec<u8>)) -> Result<(), String> {
        let came = self.came;
        self.came += 1;
        let is_full = self.heap.len() as u64 >= self.most;
        let is_behind = self.heap.peek().is_some_and(|last| (&key, came) > (&last.key, last.came));
        if self.most == 0 || is_full && is_behind {
            return Ok(());
        }
        let mut text = Vec::new();
        write(&mut text);
        text.shrink_to_fit();
        self.bytes += text.len() + size_of::<Call>();
        self.heap.push(Call { key, came, text });
        if is_full && let Some(last) = self.heap.pop() {
            self.bytes -= last.text.len() + size_of::<Call>();
        }
        if self.bytes > self.memory {
            return Err(format!(
                "what is sorted takes more than {} MiB up to the end of the page: ask for an earlier page, for fewer \
                 records by their time, or with more --memory, of which it is a quarter",
                self.memory >> 20
            ));
        }
        Ok(())
    }

    /// The calls behind the first `skip`, in order.
    pub(super) fn finish(self, skip: u64) -> impl Iterator<Item = Vec<u8>> {
        let skip = usize::try_from(skip).unwrap_or(usize::MAX);
        self.heap.into_sorted_vec().into_iter().skip(skip).map(|call| call.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_page_is_that_of_a_stable_sort(
            values in prop::collection::vec(prop::option::of(0i64..9), 0..60),
            descending: bool,
            skip in 0usize..20,
            count in 0usize..20,
        ) {
            let mut sorted = Sorted::new((skip + count) as u64, usize::MAX);
            for (at, value) in values.iter().enumerate() {
                let key = Key { value: value.map(Value::Number), descending };
                sorted.push(key, |text| text.extend_from_slice(at.to_string().as_bytes())).unwrap();
            }
            let mut expected: Vec<(usize, Option<i64>)> = values.iter().copied().enumerate().collect();
            expected.sort_by_key(|(_, value)| value.map_or((1, 0), |value| (0, if descending { -value } else { value })));
            let expected: Vec<String> =
                expected.iter().skip(skip).take(count).map(|(at, _)| at.to_string()).collect();
            let page: Vec<String> =
                sorted.finish(skip as u64).map(|text| String::from_utf8(text).unwrap()).collect();
            prop_assert_eq!(page, expected);
        }
    }

    #[test]
    fn more_than_its_memory_is_refused_by_name() {
        let mut sorted = Sorted::new(u64::MAX, 1 << 20);
        let key = || Key { value: None, descending: false };
        let refused = (0..2000).find_map(|_| sorted.push(key(), |text| text.resize(1000, b'x')).err());
        assert!(refused.is_some_and(|why| why.starts_with("what is sorted takes more than 1 MiB")));
    }
}
