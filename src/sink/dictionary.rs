//! Pages of dictionary codes, for values that come again.
//!
//! A value of an arrow dictionary is looked up once a batch, a short text by its 16-byte view, and
//! statistics are made of the distinct values of a page. When the dictionary has grown too large, the
//! values that follow are written plain, as the parquet crate does.
//!
//! Source: Apache Parquet, "Dictionary Encoding". The slow twin is the crate's own writer: the tests
//! read both back.

use std::hash::BuildHasher;

use arrow::array::{Array, AsArray, DictionaryArray, StringViewArray};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, Int32Type};
use foldhash::fast::RandomState;
use hashbrown::HashTable;
use parquet::basic::{Compression, Encoding};
use parquet::errors::{ParquetError, Result};
use parquet::schema::types::ColumnDescPtr;

use super::hybrid;
use super::pages::{Chunk, PAGE_ROWS, Pages, Range};
use super::texts::{PAGE_BYTES, append};
use crate::prepared::{Coded, Words};

/// A dictionary that has so many bytes takes no more values.
const MOST_DICTIONARY_BYTES: usize = 1 << 20;

/// The same for so many values: what finds them takes memory, too, in every column of the table.
const MOST_VALUES: usize = 1 << 15;

/// Rows after which a page of plain values is looked at.
const PLAIN_STEP: usize = 1024;

/// Encodes one column of one row group.
pub struct DictionaryColumn {
    pages: Pages,
    dictionary: Dictionary,
    page: OpenPage,
    /// The chunk's codes of a batch's values, found when one first occurs.
    known: Vec<u32>,
    /// The same for the words of lexicons that were seen, the last used at the end.
    lexicons: Vec<Known>,
}

/// The chunk's codes of a lexicon's words.
#[derive(Default)]
struct Known {
    lexicon: u64,
    codes: Vec<u32>,
}

/// The distinct values of the chunk.
#[derive(Default)]
struct Dictionary {
    /// Each as its length and its text: the page's own form.
    page: Vec<u8>,
    /// Where each text ends in `page`.
    ends: Vec<u32>,
    /// The codes by value; a short text's view stands for it, so that most are found without
    /// looking at their text.
    codes: HashTable<(u128, u32)>,
    /// How many of the first values `codes` knows. It is not made as long as all values are words of one lexicon,
    /// for these are known to differ.
    indexed: usize,
    lexicon: Option<u64>,
    /// Another in every process: nobody can prepare texts that hash alike.
    hasher: RandomState,
    is_full: bool,
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
    pub fn new(column: ColumnDescPtr, compression: Compression, statistics: bool) -> DictionaryColumn {
        let pages = Pages::new(column, compression, statistics);
        let (known, lexicons) = (Vec::new(), Vec::new());
        DictionaryColumn {
            pages,
            dictionary: Dictionary::default(),
            page: OpenPage::default(),
            known,
            lexicons,
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
            let codes = &column.codes[from..from + len];
            let word = |code: usize| column.words.get(code).as_bytes();
            let begin = self.page.codes.len();
            if !self.dictionary.is_full && self.page.append(codes, nulls.as_ref(), &known.codes) {
                from += len;
                self.settle()?;
                continue;
            }
            // New words are found in the order of their rows.
            self.page.codes.truncate(begin);
            let mut key =
                |at: usize| self.key(codes[at] as usize, &mut known.codes, Some(column.words.lexicon), word);
            match &nulls {
                None => (0..len).for_each(&mut key),
                Some(nulls) => nulls.valid_indices().for_each(&mut key),
            }
            from += len;
            self.settle()?;
        }
        self.lexicons.push(known);
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
                Some(text) if self.dictionary.is_full => (0..len).for_each(|_| self.plain(text)),
                Some(text) => {
                    let code = self.dictionary.code(text, view_of(text));
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
        if self.dictionary.is_full { room.min(PLAIN_STEP) } else { room }
    }

    /// Ends the page that is full, and the dictionary that has grown too large.
    fn settle(&mut self) -> Result<()> {
        if self.pages.rows() >= PAGE_ROWS || self.page.plain.len() >= PAGE_BYTES {
            self.end_page()?;
        }
        // A page holds codes or plain values, never both.
        let Dictionary { page, ends, is_full, .. } = &self.dictionary;
        if !is_full && (page.len() >= MOST_DICTIONARY_BYTES || ends.len() >= MOST_VALUES) {
            self.end_page()?;
            self.dictionary.is_full = true;
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
                    let code = self.value(array.value(at).as_bytes(), view);
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
            None => keys.iter().for_each(|&key| self.key(key as usize, &mut known, None, text)),
            Some(nulls) => {
                nulls.valid_indices().for_each(|at| self.key(keys[at] as usize, &mut known, None, text));
            }
        }
        self.known = known;
    }

    /// Appends a value by its key in a batch or lexicon.
    #[inline]
    fn key<'v>(
        &mut self,
        key: usize,
        known: &mut [u32],
        lexicon: Option<u64>,
        text_of: impl Fn(usize) -> &'v [u8],
    ) {
        if self.dictionary.is_full {
            self.plain(text_of(key));
            return;
        }
        let code = &mut known[key];
        if *code == UNKNOWN {
            let text = text_of(key);
            *code = self.dictionary.word(text, lexicon);
        }
        self.page.codes.push(*code);
    }

    /// Appends a value; comes back with its code, if it has one.
    fn value(&mut self, text: &[u8], view: u128) -> Option<u32> {
        if self.dictionary.is_full {
            self.plain(text);
            return None;
        }
        let code = self.dictionary.code(text, view);
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
        if has_statistics && !self.dictionary.is_full {
            self.dictionary.range_of(codes, &mut range);
        }
        if self.dictionary.is_full {
            self.pages.end(Encoding::PLAIN, range, |body| body.extend_from_slice(plain))?;
        } else {
            let width = hybrid::width_of(self.dictionary.ends.len().saturating_sub(1) as u32);
            self.pages.end(Encoding::RLE_DICTIONARY, range, |body| {
                body.push(width as u8);
                hybrid::encode(codes, width, body);
            })?;
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
        self.pages.close(Some((&self.dictionary.page, self.dictionary.ends.len())))
    }
}

impl OpenPage {
    /// Appends the chunk's codes of a batch's, without those that are null; whether all are known.
    fn append(&mut self, codes: &[i32], nulls: Option<&NullBuffer>, known: &[u32]) -> bool {
        let begin = self.codes.len();
        let Some(nulls) = nulls else {
            self.codes.extend(codes.iter().map(|&code| known[code as usize]));
            return !self.codes[begin..].contains(&UNKNOWN);
        };
        self.codes.resize(begin + codes.len() + 64, 0);
        let mut filled = begin;
        for (mut bits, codes) in nulls.inner().bit_chunks().iter_padded().zip(codes.chunks(64)) {
            if bits == 0 {
                continue;
            }
            let Some(out) = self.codes[filled..].first_chunk_mut::<64>() else { break };
            // Written in any case, and kept where the bit is set: there are as many places as rows.
            let mut kept = 0;
            for &code in codes {
                out[kept & 63] = known[code as usize];
                kept += (bits & 1) as usize;
                bits >>= 1;
            }
            filled += kept;
        }
        self.codes.truncate(filled);
        !self.codes[begin..].contains(&UNKNOWN)
    }
}

impl Dictionary {
    /// The text of a code.
    fn text(&self, code: u32) -> &[u8] {
        &self.page[text_of(&self.ends, code)]
    }

    /// Takes the texts of these codes into a range, each once.
    fn range_of(&self, codes: &[u32], range: &mut Range) {
        let mut seen = vec![false; self.ends.len()];
        codes.iter().for_each(|&code| seen[code as usize] = true);
        let occur = seen.iter().enumerate().filter(|(_, seen)| **seen);
        occur.for_each(|(code, _)| range.text(self.text(code as u32)));
    }

    /// The code of a word that is asked for the first time; it may stand here from elsewhere.
    fn word(&mut self, text: &[u8], lexicon: Option<u64>) -> u32 {
        if self.ends.is_empty() {
            self.lexicon = lexicon;
        }
        if self.indexed == 0 && lexicon.is_some() && self.lexicon == lexicon {
            return self.push(text);
        }
        self.code(text, view_of(text))
    }

    fn push(&mut self, text: &[u8]) -> u32 {
        append(text, &mut self.page);
        self.ends.push(self.page.len() as u32);
        self.ends.len() as u32 - 1
    }

    /// Makes all values known to `codes`.
    fn index(&mut self) {
        while self.indexed < self.ends.len() {
            let code = self.indexed as u32;
            let text = text_of(&self.ends, code);
            let view = view_of(&self.page[text.clone()]);
            let Dictionary { page, ends, codes, hasher, .. } = self;
            codes.insert_unique(
                hash_of(hasher, view, &page[text]),
                (stands_for(view), code),
                |&(known, code)| hash_of(hasher, known, &page[text_of(ends, code)]),
            );
            self.indexed += 1;
        }
    }

    /// The code of a text, which may be a new one.
    fn code(&mut self, text: &[u8], view: u128) -> u32 {
        self.index();
        let Dictionary { page, ends, codes, hasher, .. } = &*self;
        let hash = hash_of(hasher, view, text);
        let same = |&(known, code): &(u128, u32)| {
            known == stands_for(view) && (is_inline(view) || &page[text_of(ends, code)] == text)
        };
        if let Some(&(_, code)) = codes.find(hash, same) {
            return code;
        }
        let code = self.push(text);
        self.index();
        code
    }
}

/// A long text's view tells where it stands, so only its length and first bytes stand for it.
fn stands_for(view: u128) -> u128 {
    if is_inline(view) { view } else { view & u128::from(u64::MAX) }
}

fn hash_of(hasher: &RandomState, view: u128, text: &[u8]) -> u64 {
    if is_inline(view) { hasher.hash_one(view) } else { hasher.hash_one(text) }
}

/// Where a code's text stands in the page, behind its length.
fn text_of(ends: &[u32], code: u32) -> std::ops::Range<usize> {
    let start = if code == 0 { 0 } else { ends[code as usize - 1] as usize } + 4;
    start..ends[code as usize] as usize
}

/// Whether a view holds its whole text.
fn is_inline(view: u128) -> bool {
    (view as u32) <= 12
}

/// The view of a text, as far as [`Dictionary`] looks at it.
fn view_of(text: &[u8]) -> u128 {
    let shown = if text.len() <= 12 { text } else { &text[..4] };
    let mut bytes = [0; 16];
    bytes[..4].copy_from_slice(&(text.len() as u32).to_le_bytes());
    bytes[4..4 + shown.len()].copy_from_slice(shown);
    u128::from_le_bytes(bytes)
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
        DictionaryColumn::new(schema.column(0), Compression::UNCOMPRESSED, true)
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
