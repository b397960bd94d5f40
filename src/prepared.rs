//! Columns prepared for a sink that writes them so: as codes of words that are kept from block to
//! block, or as texts one behind the other.
//!
//! A text is looked at once, where it stands warm in its block. One that comes again is a number from
//! there on, any other stands where it is copied from in one piece. This is how columns go from
//! [`column`](crate::column) to the sink; nobody else sees it.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, AsArray, DictionaryArray, Int32Array, StringArray, StringViewArray, UInt32Array,
};
use arrow::buffer::{Buffer, NullBuffer, ScalarBuffer};
use arrow::compute::take;
use arrow::datatypes::Int32Type;
use arrow::error::ArrowError;

/// A column, or a piece of one.
#[derive(Clone, Debug)]
pub struct Coded {
    /// The code of every row; any where there is no value.
    pub codes: ScalarBuffer<i32>,
    /// Which rows have a value; none where all have.
    pub nulls: Option<NullBuffer>,
    /// What the codes stand for.
    pub words: Words,
}

/// Texts one behind the other as Parquet's plain pages have them: each behind its length, in four
/// bytes; of the rows that have one.
#[derive(Clone, Debug)]
pub struct Plain {
    /// The texts.
    pub bytes: Buffer,
    /// Which rows have one; none where all have.
    pub nulls: Option<NullBuffer>,
    /// How many rows there are.
    pub rows: usize,
}

/// A column as a sink may ask for it in place of an array.
#[derive(Clone, Debug)]
pub enum Prepared {
    /// Codes of words.
    Coded(Coded),
    /// Texts as they stand.
    Plain(Plain),
    /// One value in all rows, or none in any.
    Same {
        /// The value.
        value: Option<Arc<str>>,
        /// How many rows there are.
        rows: usize,
    },
}

/// Words by their code. Those of one lexicon only ever grow: a code that two of them know stands for
/// the same word in both.
#[derive(Clone, Debug)]
pub struct Words {
    /// Which lexicon they are of.
    pub lexicon: u64,
    /// Together, so that taking them along costs nothing.
    segments: Arc<Vec<Arc<Segment>>>,
}

/// Words that became known together.
#[derive(Debug, Default)]
pub struct Segment {
    /// The code of its first word.
    pub first: usize,
    /// Its words, one behind the other.
    pub text: String,
    /// Where each ends in `text`.
    pub ends: Vec<u32>,
}

impl Words {
    /// No word yet.
    pub fn new(lexicon: u64) -> Words {
        Words { lexicon, segments: Arc::default() }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.segments.last().map_or(0, |segment| segment.first + segment.ends.len())
    }

    /// How many bytes of text they have.
    pub fn bytes(&self) -> usize {
        self.segments.iter().map(|segment| segment.text.len()).sum()
    }

    /// The word of a code.
    pub fn get(&self, code: usize) -> &str {
        let at = self.segments.partition_point(|segment| segment.first <= code) - 1;
        self.segments[at].get(code)
    }

    /// Appends words.
    pub fn push(&mut self, segment: Segment) {
        if segment.ends.is_empty() {
            return;
        }
        let segments = Arc::make_mut(&mut self.segments);
        segments.push(Arc::new(segment));
        // Each has at least twice as many words as the next one: they stay few, and no word is copied often.
        while let [.., before, last] = &segments[..]
            && before.ends.len() < 2 * last.ends.len()
        {
            let both = before.joined(last);
            segments.truncate(segments.len() - 2);
            segments.push(Arc::new(both));
        }
    }
}

impl Segment {
    /// Appends a word.
    pub fn push(&mut self, word: &str) {
        self.text.push_str(word);
        self.ends.push(self.text.len() as u32);
    }

    /// These words, and behind them another's.
    fn joined(&self, next: &Segment) -> Segment {
        let mut text = String::with_capacity(self.text.len() + next.text.len());
        text.extend([&*self.text, &*next.text]);
        let moved = next.ends.iter().map(|end| self.text.len() as u32 + end);
        Segment { first: self.first, text, ends: self.ends.iter().copied().chain(moved).collect() }
    }

    fn get(&self, code: usize) -> &str {
        let at = code - self.first;
        let start = if at == 0 { 0 } else { self.ends[at - 1] as usize };
        &self.text[start..self.ends[at] as usize]
    }
}

impl Prepared {
    /// So many rows from there on.
    pub fn slice(&self, from: usize, len: usize) -> Prepared {
        match self {
            Prepared::Coded(coded) => Prepared::Coded(coded.slice(from, len)),
            Prepared::Plain(plain) => Prepared::Plain(plain.slice(from, len)),
            Prepared::Same { value, .. } => Prepared::Same { value: value.clone(), rows: len },
        }
    }

    /// The rows of each list, in its order.
    pub fn split(&self, lists: &[UInt32Array]) -> Result<Vec<Prepared>, ArrowError> {
        match self {
            Prepared::Coded(coded) => {
                let coded = |rows: &UInt32Array| coded.take(rows).map(Prepared::Coded);
                lists.iter().map(coded).collect()
            }
            Prepared::Plain(plain) => {
                let starts = plain.starts();
                Ok(lists.iter().map(|rows| Prepared::Plain(plain.take(rows, &starts))).collect())
            }
            Prepared::Same { .. } => Ok(lists.iter().map(|rows| self.slice(0, rows.len())).collect()),
        }
    }

    /// The column as arrow has it.
    pub fn into_array(self) -> ArrayRef {
        match self {
            Prepared::Coded(coded) => coded.into_array(),
            Prepared::Plain(plain) => plain.into_array(),
            Prepared::Same { value, rows } => {
                let nulls = value.is_none().then(|| NullBuffer::new_null(rows));
                let keys = Int32Array::new(vec![0; rows].into(), nulls);
                let values = StringArray::from_iter_values(value.as_deref());
                Arc::new(DictionaryArray::<Int32Type>::new(keys, Arc::new(values)))
            }
        }
    }
}

impl Plain {
    /// So many rows from there on.
    pub fn slice(&self, from: usize, len: usize) -> Plain {
        if (from, len) == (0, self.rows) {
            return self.clone();
        }
        let nulls = self.nulls.as_ref().map(|nulls| nulls.slice(from, len));
        let valid =
            |nulls: &Option<NullBuffer>, rows: usize| rows - nulls.as_ref().map_or(0, NullBuffer::null_count);
        let before = self.nulls.as_ref().map(|nulls| nulls.slice(0, from));
        let start = end_of(&self.bytes, valid(&before, from));
        let size = end_of(&self.bytes[start..], valid(&nulls, len));
        Plain { bytes: self.bytes.slice_with_length(start, size), nulls, rows: len }
    }
}

impl Plain {
    /// Where each row's text stands, its length before it; of a row that has none, the next one's.
    fn starts(&self) -> Vec<usize> {
        let mut at = 0;
        let start = |row| {
            let start = at;
            if self.has(row) {
                at += 4 + length(&self.bytes[at..]);
            }
            start
        };
        (0..self.rows).map(start).collect()
    }

    fn has(&self, row: usize) -> bool {
        self.nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row))
    }

    fn take(&self, rows: &UInt32Array, starts: &[usize]) -> Plain {
        let mut bytes = Vec::new();
        for row in rows.values().iter().map(|row| *row as usize).filter(|row| self.has(*row)) {
            let text = &self.bytes[starts[row]..];
            bytes.extend_from_slice(&text[..4 + length(text)]);
        }
        let has =
            |nulls: &NullBuffer| rows.values().iter().map(|row| nulls.is_valid(*row as usize)).collect();
        Plain { bytes: bytes.into(), nulls: self.nulls.as_ref().map(has), rows: rows.len() }
    }

    fn into_array(self) -> ArrayRef {
        let mut texts = texts(&self.bytes);
        let mut text = |row| if self.has(row) { texts.next() } else { None };
        let views = (0..self.rows).map(|row| text(row).map(|text| str::from_utf8(text).unwrap_or_default()));
        Arc::new(views.collect::<StringViewArray>())
    }
}

/// Where so many texts end.
fn end_of(bytes: &[u8], texts: usize) -> usize {
    let mut at = 0;
    for _ in 0..texts {
        at += 4 + length(&bytes[at..]);
    }
    at
}

/// The texts, in order.
pub fn texts(mut bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let text = first_text(bytes)?;
        bytes = &bytes[4 + text.len()..];
        Some(text)
    })
}

/// The first of them.
#[inline]
pub fn first_text(bytes: &[u8]) -> Option<&[u8]> {
    if bytes.is_empty() { None } else { Some(&bytes[4..4 + length(bytes)]) }
}

fn length(bytes: &[u8]) -> usize {
    u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]) as usize
}

impl Coded {
    /// How many rows it has.
    pub fn len(&self) -> usize {
        self.codes.len()
    }

    /// So many rows from there on.
    pub fn slice(&self, from: usize, len: usize) -> Coded {
        if (from, len) == (0, self.len()) {
            return self.clone();
        }
        let nulls = self.nulls.as_ref().map(|nulls| nulls.slice(from, len));
        Coded { codes: self.codes.slice(from, len), nulls, words: self.words.clone() }
    }

    fn take(&self, rows: &UInt32Array) -> Result<Coded, ArrowError> {
        let codes = take(&Int32Array::new(self.codes.clone(), self.nulls.clone()), rows, None)?;
        let (_, codes, nulls) = codes.as_primitive::<Int32Type>().clone().into_parts();
        Ok(Coded { codes, nulls, words: self.words.clone() })
    }

    /// The column as an arrow dictionary.
    pub fn into_array(self) -> ArrayRef {
        if self.words.len() <= self.len() {
            let words = StringArray::from_iter_values((0..self.words.len()).map(|code| self.words.get(code)));
            let keys = Int32Array::new(self.codes, self.nulls);
            return Arc::new(DictionaryArray::<Int32Type>::new(keys, Arc::new(words)));
        }
        self.into_array_of_its_own()
    }

    /// The same with no more words than occur: a row that is set aside alone must not take a lexicon along.
    fn into_array_of_its_own(self) -> ArrayRef {
        let (mut own, mut words) = (HashMap::new(), Vec::new());
        let mut key = |(row, &code): (usize, &i32)| {
            if self.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
                return 0;
            }
            *own.entry(code).or_insert_with(|| {
                words.push(self.words.get(code as usize));
                words.len() as i32 - 1
            })
        };
        let keys: Vec<i32> = self.codes.iter().enumerate().map(&mut key).collect();
        let keys = Int32Array::new(keys.into(), self.nulls.clone());
        Arc::new(DictionaryArray::<Int32Type>::new(keys, Arc::new(StringArray::from(words))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn an_array_has_the_words_that_occur(
            rows in proptest::collection::vec(proptest::option::of(0usize..300), 0..400), many in 1usize..300,
        ) {
            let mut words = Words::new(0);
            let mut segment = Segment::default();
            (0..many).for_each(|at| segment.push(&format!("word {at}")));
            words.push(segment);
            let codes: Vec<i32> = rows.iter().map(|row| row.map_or(0, |code| (code % many) as i32)).collect();
            let nulls = Some(NullBuffer::from_iter(rows.iter().map(Option::is_some)));
            let array = Coded { codes: codes.clone().into(), nulls, words }.into_array();
            let array = array.as_dictionary::<Int32Type>();
            let texts = array.downcast_dict::<StringArray>().unwrap();
            let found: Vec<Option<String>> = texts.into_iter().map(|text| text.map(str::to_string)).collect();
            let expected = rows.iter().zip(&codes).map(|(row, code)| row.map(|_| format!("word {code}")));
            prop_assert_eq!(found, expected.collect::<Vec<_>>());
            prop_assert!(array.values().len() <= rows.len());
        }

        #[test]
        fn words_keep_their_codes_and_their_segments_are_few(
            pieces in proptest::collection::vec(0usize..40, 0..200),
        ) {
            let mut words = Words::new(0);
            let mut kept = Vec::new();
            for many in pieces {
                let mut segment = Segment { first: words.len(), ..Segment::default() };
                (0..many).for_each(|at| segment.push(&format!("{}", segment.first + at)));
                words.push(segment);
                kept.push(words.clone());
            }
            for words in kept {
                (0..words.len()).for_each(|code| assert_eq!(words.get(code), code.to_string()));
                prop_assert!(1 << words.segments.len() <= 2 * words.len().max(1));
            }
        }
    }
}
