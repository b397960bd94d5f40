//! A column as codes of words that are kept from block to block.
//!
//! A text that comes again is looked up once, where it stands warm in the block, and is a number
//! from there on: what writes the column needs not look at it again. This is how columns go from
//! [`column`](crate::column) to a sink that wants them so; nobody else sees it.

use std::sync::Arc;

use arrow::array::{ArrayRef, DictionaryArray, Int32Array, StringArray};
use arrow::buffer::{NullBuffer, ScalarBuffer};
use arrow::datatypes::Int32Type;

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

/// Words by their code. Those of one lexicon only ever grow: a code that two of them know stands for
/// the same word in both.
#[derive(Clone, Debug)]
pub struct Words {
    /// Which lexicon they are of.
    pub lexicon: u64,
    segments: Vec<Arc<Segment>>,
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

/// More segments than that are made one.
const MOST_SEGMENTS: usize = 64;

impl Words {
    /// No word yet.
    pub fn new(lexicon: u64) -> Words {
        Words { lexicon, segments: Vec::new() }
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
        self.segments.push(Arc::new(segment));
        if self.segments.len() > MOST_SEGMENTS {
            let all = std::mem::take(&mut self.segments);
            let mut whole = Segment { first: 0, text: String::new(), ends: Vec::new() };
            for segment in all {
                let before = whole.text.len() as u32;
                whole.text.push_str(&segment.text);
                whole.ends.extend(segment.ends.iter().map(|end| before + end));
            }
            self.segments.push(Arc::new(whole));
        }
    }
}

impl Segment {
    /// Appends a word.
    pub fn push(&mut self, word: &str) {
        self.text.push_str(word);
        self.ends.push(self.text.len() as u32);
    }

    fn get(&self, code: usize) -> &str {
        let at = code - self.first;
        let start = if at == 0 { 0 } else { self.ends[at - 1] as usize };
        &self.text[start..self.ends[at] as usize]
    }
}

impl Coded {
    /// How many rows it has.
    pub fn len(&self) -> usize {
        self.codes.len()
    }

    /// So many rows from there on.
    pub fn slice(&self, from: usize, len: usize) -> Coded {
        let nulls = self.nulls.as_ref().map(|nulls| nulls.slice(from, len));
        Coded { codes: self.codes.slice(from, len), nulls, words: self.words.clone() }
    }

    /// The column as an arrow dictionary.
    pub fn into_array(self) -> ArrayRef {
        let words = StringArray::from_iter_values((0..self.words.len()).map(|code| self.words.get(code)));
        let keys = Int32Array::new(self.codes, self.nulls);
        Arc::new(DictionaryArray::<Int32Type>::new(keys, Arc::new(words)))
    }
}
