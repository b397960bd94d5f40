//! Columns of few distinct values: each is looked up once by its own text, and whatever has to be
//! made of it is made once a block.

use std::borrow::Cow;
use std::hash::BuildHasher;
use std::sync::Arc;

use arrow::array::{ArrayRef, DictionaryArray, Int32Array, StringArray};
use arrow::buffer::ScalarBuffer;
use arrow::datatypes::Int32Type;
use foldhash::fast::FixedState;
use hashbrown::HashTable;

use super::validity::Validity;

/// Builds a dictionary column from texts that live as long as the block.
pub struct Dict<'a> {
    /// Texts as they stood, with the code of what was made of each (null: nothing).
    seen: HashTable<(&'a [u8], Option<i32>)>,
    /// The text before, and its code: runs of the same are common.
    last: Option<(&'a [u8], Option<i32>)>,
    values: Vec<Cow<'a, str>>,
    /// The codes of `values`, by value.
    codes: HashTable<i32>,
    keys: Vec<i32>,
    validity: Validity,
}

/// Fixed, so that the same input gives the same bytes; what is hashed lives for one block only.
const HASHER: FixedState = FixedState::with_seed(0);

impl<'a> Dict<'a> {
    /// A column of `rows` values.
    pub fn new(rows: usize) -> Dict<'a> {
        Dict {
            seen: HashTable::new(),
            last: None,
            values: Vec::new(),
            codes: HashTable::new(),
            keys: Vec::with_capacity(rows),
            validity: Validity::new(rows),
        }
    }

    /// Appends null.
    pub fn push_null(&mut self) {
        self.push_code(None);
    }

    /// Appends what `make` makes of a text; it must be a pure function of it.
    #[inline]
    pub fn push(&mut self, text: &'a [u8], make: impl FnOnce(&'a str) -> Option<Cow<'a, str>>) {
        let code = match self.last {
            Some((last, code)) if last == text => code,
            _ => self.code(text, make),
        };
        self.last = Some((text, code));
        self.push_code(code);
    }

    /// Appends a value that was made elsewhere.
    pub fn push_value(&mut self, value: Option<Cow<'a, str>>) {
        let code = value.map(|value| self.code_of_value(value));
        self.push_code(code);
    }

    fn code(&mut self, text: &'a [u8], make: impl FnOnce(&'a str) -> Option<Cow<'a, str>>) -> Option<i32> {
        let hash = HASHER.hash_one(text);
        if let Some((_, code)) = self.seen.find(hash, |(known, _)| *known == text) {
            return *code;
        }
        // Bytes of the arena, cut where texts are: anything else would be a fault of ours.
        let made = std::str::from_utf8(text).ok().and_then(make);
        let code = made.map(|value| self.code_of_value(value));
        self.seen.insert_unique(hash, (text, code), |(text, _)| HASHER.hash_one(text));
        code
    }

    fn code_of_value(&mut self, value: Cow<'a, str>) -> i32 {
        let hash = HASHER.hash_one(value.as_ref());
        let values = &mut self.values;
        if let Some(code) = self.codes.find(hash, |code| values[*code as usize] == value) {
            return *code;
        }
        let code = values.len() as i32;
        values.push(value);
        self.codes.insert_unique(hash, code, |code| HASHER.hash_one(values[*code as usize].as_ref()));
        code
    }

    fn push_code(&mut self, code: Option<i32>) {
        self.keys.push(code.unwrap_or(0));
        self.validity.push(code.is_some());
    }

    /// The column.
    pub fn finish(self) -> ArrayRef {
        let keys = Int32Array::new(ScalarBuffer::from(self.keys), self.validity.finish());
        let values = StringArray::from_iter_values(self.values.iter().map(Cow::as_ref));
        Arc::new(DictionaryArray::<Int32Type>::new(keys, Arc::new(values)))
    }
}

/// A column that has the same value in every row.
pub fn constant(value: &str, rows: usize) -> ArrayRef {
    let keys = Int32Array::new(ScalarBuffer::from(vec![0; rows]), None);
    Arc::new(DictionaryArray::<Int32Type>::new(keys, Arc::new(StringArray::from_iter_values([value]))))
}

/// A column that has no value in any row.
pub fn nothing(rows: usize) -> ArrayRef {
    let values = Arc::new(StringArray::from_iter_values::<&str, _>([]));
    Arc::new(DictionaryArray::<Int32Type>::new(Int32Array::new_null(rows), values))
}
