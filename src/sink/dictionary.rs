//! Pages of dictionary codes, for values that come again.
//!
//! A value is looked up once: a word where it is first used in the chunk, a text where it stands. When the dictionary has
//! grown too large, or does not pay, the values that follow are written plain, as the parquet crate does.
//! Statistics are made of the distinct values of a page.
//!
//! Source: Apache Parquet, "Dictionary Encoding". The slow twin is the crate's own writer: the tests
//! read both back.

use arrow::array::{Array, AsArray, DictionaryArray, StringViewArray};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, Int32Type};
use parquet::basic::{Compression, Encoding};
use parquet::errors::{ParquetError, Result};
use parquet::schema::types::ColumnDescPtr;

use super::hybrid;
use super::pages::{Chunk, PAGE_ROWS, Pages, Range};
use super::texts::{PAGE_BYTES, append};
use super::values::Values;
use crate::prepared::{self, Coded, Plain, Words};

/// When a dictionary takes no more values.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// It has so many bytes.
    bytes: usize,
    /// It has so many values: what finds them takes memory, too, in every column of the table.
    values: usize,
    /// Of so many texts, most did not come again.
    judged: usize,
}

impl Limits {
    /// Of a column whose words are known from block to block.
    pub const WORDS: Limits = Limits { bytes: 1 << 20, values: 1 << 15, judged: usize::MAX };

    /// Of a column of longer texts, which are more.
    pub const TEXTS: Limits = Limits { bytes: 4 << 20, values: 1 << 16, judged: PAGE_ROWS / 2 };
}

/// Rows after which a page of plain values is looked at.
const PLAIN_STEP: usize = 1024;

/// Encodes one column of one row group.
pub struct DictionaryColumn {
    pages: Pages,
    limits: Limits,
    /// The distinct values of the chunk.
    values: Values,
    /// How many codes the pages that are done have.
    coded: usize,
    /// The dictionary takes no more values.
    is_full: bool,
    page: OpenPage,
    /// The chunk's codes of a batch's values, found when one first occurs.
    known: Vec<u32>,
    /// The same for the words of lexicons that were seen, the last used at the end.
    lexicons: Vec<Known>,
    /// A batch's codes without those of rows that have no value.
    present: Vec<i32>,
}

/// The chunk's codes of a lexicon's words.
#[derive(Default)]
struct Known {
    lexicon: u64,
    codes: Vec<u32>,
}

/// The values of the page being filled.
#[derive(Default)]
struct OpenPage {
    codes: Vec<u32>,
    /// Values in place of codes, once the dictionary is full.
    plain: Vec<u8>,
    /// Of the plain values; that of codes is found in the end.
    range: Range,
}

/// No code of the chunk yet.
const UNKNOWN: u32 = u32::MAX;

/// Words that are remembered, of all lexicons: there is one a worker, and one more whenever one is
/// given up.
const MOST_KNOWN: usize = 1 << 17;

/// Whether a column of that type can be encoded here.
pub fn can_encode(data_type: &DataType) -> bool {
    match data_type {
        DataType::Utf8View => true,
        DataType::Dictionary(key, value) => **key == DataType::Int32 && **value == DataType::Utf8,
        _ => false,
    }
}

impl DictionaryColumn {
    /// An empty chunk of that column.
    pub fn new(
        column: ColumnDescPtr,
        compression: Compression,
        statistics: bool,
        limits: Limits,
    ) -> DictionaryColumn {
        DictionaryColumn {
            pages: Pages::new(column, compression, statistics),
            limits,
            values: Values::default(),
            coded: 0,
            is_full: false,
            page: OpenPage::default(),
            known: Vec::new(),
            lexicons: Vec::new(),
            present: Vec::new(),
        }
    }

    /// Appends values.
    ///
    /// # Errors
    /// The array has another type, or compressing failed.
    pub fn write(&mut self, array: &dyn Array) -> Result<()> {
        self.known.clear();
        let mut from = 0;
        while from < array.len() {
            let len = self.room().min(array.len() - from);
            let piece = array.slice(from, len);
            self.pages.add(len, piece.nulls());
            match piece.data_type() {
                _ if piece.null_count() == len => {}
                DataType::Utf8View => self.views(piece.as_string_view()),
                DataType::Dictionary(..) => self.keys(piece.as_dictionary::<Int32Type>()),
                other => return Err(ParquetError::General(format!("no text: {other}"))),
            }
            from += len;
            self.settle()?;
        }
        Ok(())
    }

    /// Appends values that are codes already.
    ///
    /// # Errors
    /// Compressing failed.
    pub fn write_coded(&mut self, column: &Coded) -> Result<()> {
        let mut known = self.known_of(&column.words);
        let mut from = 0;
        while from < column.len() {
            let len = self.room().min(column.len() - from);
            let nulls = column.nulls.as_ref().map(|nulls| nulls.slice(from, len));
            self.pages.add(len, nulls.as_ref());
            let mut codes = &column.codes[from..from + len];
            let mut present = std::mem::take(&mut self.present);
            if let Some(nulls) = &nulls {
                without_nulls(codes, nulls, &mut present);
                codes = &present;
            }
            self.words(codes, &column.words, &mut known.codes);
            self.present = present;
            from += len;
            self.settle()?;
        }
        self.lexicons.push(known);
        Ok(())
    }

    /// Appends the words of these codes.
    fn words(&mut self, codes: &[i32], words: &Words, known: &mut [u32]) {
        let word = |code: i32| words.get(code as usize).as_bytes();
        if self.is_full {
            codes.iter().for_each(|&code| self.plain(word(code)));
            return;
        }
        let begin = self.page.codes.len();
        self.page.codes.extend(codes.iter().map(|&code| known[code as usize]));
        let appended = &mut self.page.codes[begin..];
        if !appended.contains(&UNKNOWN) {
            return;
        }
        // New words are found in the order of their rows.
        for (own, &code) in appended.iter_mut().zip(codes) {
            if *own == UNKNOWN {
                let known = &mut known[code as usize];
                if *known == UNKNOWN {
                    *known = self.values.word(word(code), words.lexicon);
                }
                *own = *known;
            }
        }
    }

    /// Appends texts that stand one behind the other.
    ///
    /// # Errors
    /// Compressing failed.
    pub fn write_plain(&mut self, column: &Plain) -> Result<()> {
        let mut from = 0;
        while from < column.rows {
            let len = self.room().min(column.rows - from);
            let piece = column.slice(from, len);
            self.pages.add(len, piece.nulls.as_ref());
            let texts = prepared::texts(&piece.bytes);
            match self.is_full {
                false => self.values.codes(texts, &mut self.page.codes),
                true if self.pages.has_statistics() => texts.for_each(|text| self.plain(text)),
                true => self.page.plain.extend_from_slice(&piece.bytes),
            }
            from += len;
            self.settle()?;
        }
        Ok(())
    }

    /// Appends rows that have all the same value, or none.
    ///
    /// # Errors
    /// Compressing failed.
    pub fn write_same(&mut self, value: Option<&str>, rows: usize) -> Result<()> {
        let mut left = rows;
        while left > 0 {
            let len = self.room().min(left);
            self.pages.add_same(len, value.is_some());
            match value.map(str::as_bytes) {
                Some(text) if self.is_full => (0..len).for_each(|_| self.plain(text)),
                Some(text) => {
                    let code = self.values.code(text);
                    self.page.codes.resize(self.page.codes.len() + len, code);
                }
                None => {}
            }
            left -= len;
            self.settle()?;
        }
        Ok(())
    }

    /// What is known of a lexicon's words, taken out of those that are remembered.
    fn known_of(&mut self, words: &Words) -> Known {
        let found = self.lexicons.iter().rposition(|known| known.lexicon == words.lexicon);
        let mut known = found.map(|at| self.lexicons.remove(at)).unwrap_or_default();
        known.lexicon = words.lexicon;
        // Words of a batch that was built earlier are fewer, and what was known before is still.
        known.codes.resize(words.len().max(known.codes.len()), UNKNOWN);
        let mut room = MOST_KNOWN.saturating_sub(words.len());
        let is_kept =
            |known: &Known| room.checked_sub(known.codes.len()).inspect(|left| room = *left).is_some();
        // The oldest stand in front.
        self.lexicons.reverse();
        self.lexicons.retain(is_kept);
        self.lexicons.reverse();
        known
    }

    /// How many rows may be appended before the next [`DictionaryColumn::settle`].
    fn room(&self) -> usize {
        let room = PAGE_ROWS - self.pages.rows();
        if self.is_full { room.min(PLAIN_STEP) } else { room }
    }

    /// Ends the page that is full, and the dictionary that has grown too large.
    fn settle(&mut self) -> Result<()> {
        if self.pages.rows() >= PAGE_ROWS || self.page.plain.len() >= PAGE_BYTES {
            self.end_page()?;
        }
        // A page holds codes or plain values, never both.
        let Limits { bytes, values, .. } = self.limits;
        if !self.is_full && (self.values.page().len() >= bytes || self.values.len() >= values) {
            self.end_page()?;
            self.is_full = true;
        }
        Ok(())
    }

    fn views(&mut self, array: &StringViewArray) {
        let all = array.null_count() == 0;
        let mut last: Option<(u128, u32)> = None;
        for (at, &view) in array.views().iter().enumerate() {
            if !all && array.is_null(at) {
                continue;
            }
            match last {
                // The same short text once more.
                Some((before, code)) if before == view => self.page.codes.push(code),
                _ => {
                    let code = self.value(array.value(at).as_bytes());
                    last = code.filter(|_| is_inline(view)).map(|code| (view, code));
                }
            }
        }
    }

    fn keys(&mut self, array: &DictionaryArray<Int32Type>) {
        let values = array.values().as_string::<i32>();
        let text = |key: usize| values.value(key).as_bytes();
        let mut known = std::mem::take(&mut self.known);
        known.resize(values.len(), UNKNOWN);
        let keys = array.keys().values();
        match array.nulls() {
            None => keys.iter().for_each(|&key| self.key(key as usize, &mut known, text)),
            Some(nulls) => {
                nulls.valid_indices().for_each(|at| self.key(keys[at] as usize, &mut known, text));
            }
        }
        self.known = known;
    }

    /// Appends a value by its key in a batch.
    #[inline]
    fn key<'v>(&mut self, key: usize, known: &mut [u32], text_of: impl Fn(usize) -> &'v [u8]) {
        if self.is_full {
            self.plain(text_of(key));
            return;
        }
        let code = &mut known[key];
        if *code == UNKNOWN {
            *code = self.values.code(text_of(key));
        }
        self.page.codes.push(*code);
    }

    /// Appends a value; comes back with its code, if it has one.
    fn value(&mut self, text: &[u8]) -> Option<u32> {
        if self.is_full {
            self.plain(text);
            return None;
        }
        let code = self.values.code(text);
        self.page.codes.push(code);
        Some(code)
    }

    #[cold]
    fn plain(&mut self, text: &[u8]) {
        append(text, &mut self.page.plain);
        if self.pages.has_statistics() {
            self.page.range.text(text);
        }
    }

    fn end_page(&mut self) -> Result<()> {
        if self.pages.rows() == 0 {
            return Ok(());
        }
        let has_statistics = self.pages.has_statistics();
        let OpenPage { codes, plain, range } = &mut self.page;
        let mut range = std::mem::take(range);
        if self.is_full {
            self.pages.end(Encoding::PLAIN, range, |body| body.extend_from_slice(plain))?;
        } else {
            if has_statistics {
                range_of(&self.values, codes, &mut range);
            }
            let width = hybrid::width_of(self.values.len().saturating_sub(1) as u32);
            self.pages.end(Encoding::RLE_DICTIONARY, range, |body| {
                body.push(width as u8);
                hybrid::encode(codes, width, body);
            })?;
            self.coded += codes.len();
            self.is_full = self.coded >= self.limits.judged && self.values.len() > self.coded / 2;
        }
        codes.clear();
        plain.clear();
        Ok(())
    }

    /// The finished chunk.
    ///
    /// # Errors
    /// Compressing failed.
    pub fn close(mut self) -> Result<Chunk> {
        self.end_page()?;
        self.pages.close(Some((self.values.page(), self.values.len())))
    }
}

/// Takes the texts of these codes into a range, each once.
fn range_of(values: &Values, codes: &[u32], range: &mut Range) {
    let mut seen = vec![false; values.len()];
    codes.iter().for_each(|&code| seen[code as usize] = true);
    let occur = seen.iter().enumerate().filter(|(_, seen)| **seen);
    occur.for_each(|(code, _)| range.text(values.text(code as u32)));
}

/// The codes of rows that have a value.
fn without_nulls(codes: &[i32], nulls: &NullBuffer, present: &mut Vec<i32>) {
    present.clear();
    present.resize(codes.len() + 64, 0);
    let mut filled = 0;
    for (mut bits, codes) in nulls.inner().bit_chunks().iter_padded().zip(codes.chunks(64)) {
        if bits == 0 {
            continue;
        }
        let Some(out) = present[filled..].first_chunk_mut::<64>() else { break };
        // Written in any case, and kept where the bit is set: there are as many places as rows.
        let mut kept = 0;
        for &code in codes {
            out[kept & 63] = code;
            kept += (bits & 1) as usize;
            bits >>= 1;
        }
        filled += kept;
    }
    present.truncate(filled);
}

/// Whether a view holds its whole text.
fn is_inline(view: u128) -> bool {
    (view as u32) <= 12
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::prepared::Segment;
    use arrow::buffer::ScalarBuffer;
    use bytes::Bytes;
    use parquet::schema::parser::parse_message_type;
    use parquet::schema::types::SchemaDescriptor;

    fn column() -> DictionaryColumn {
        let message = "message m { optional binary text (STRING); }";
        let schema = SchemaDescriptor::new(Arc::new(parse_message_type(message).unwrap()));
        DictionaryColumn::new(schema.column(0), Compression::UNCOMPRESSED, true, Limits::WORDS)
    }

    /// What so many words of a lexicon are, that has these.
    fn words(lexicon: u64, texts: &[&str]) -> Words {
        let mut words = Words::new(lexicon);
        for (first, text) in texts.iter().enumerate() {
            let mut segment = Segment { first, ..Segment::default() };
            segment.push(text);
            words.push(segment);
        }
        words
    }

    fn write(batches: &[(&[i32], Words)]) -> Bytes {
        let mut column = column();
        for (codes, words) in batches {
            let coded =
                Coded { codes: ScalarBuffer::from(codes.to_vec()), nulls: None, words: words.clone() };
            column.write_coded(&coded).unwrap();
        }
        column.close().unwrap().bytes
    }

    /// The slow twin: every text is looked up.
    fn written(texts: &[&str]) -> Bytes {
        let mut column = column();
        column.write(&StringViewArray::from_iter_values(texts)).unwrap();
        column.close().unwrap().bytes
    }

    #[test]
    fn batches_that_know_fewer_words_than_those_before_them_change_nothing() {
        let (few, all) =
            (words(1, &["", "—", "a"]), words(1, &["", "—", "a", "a longer text than a view holds"]));
        let bytes = write(&[(&[3, 2], all.clone()), (&[2, 2], few), (&[3, 2], all)]);
        let long = "a longer text than a view holds";
        assert_eq!(bytes, written(&[long, "a", "a", "a", long, "a"]));
    }

    #[test]
    fn a_text_stands_once_whatever_lexicons_have_it() {
        let (one, other) = (words(1, &["a", "b", "c"]), words(2, &["c", "d", "a"]));
        let bytes = write(&[(&[1, 0], one.clone()), (&[0, 1, 2], other), (&[2], one)]);
        assert_eq!(bytes, written(&["b", "a", "c", "d", "a", "c"]));
    }

    #[test]
    fn one_value_for_all_rows_is_looked_up_as_any_other() {
        let mut column = column();
        let one = words(1, &["a", "b"]);
        let codes = ScalarBuffer::from(vec![1, 0]);
        column.write_coded(&Coded { codes, nulls: None, words: one }).unwrap();
        column.write_same(Some("a"), 2).unwrap();
        assert_eq!(column.close().unwrap().bytes, written(&["b", "a", "a", "a"]));
    }
}
