//! Column chunks of values that come again: a dictionary page, and pages of codes.
//!
//! The parquet crate hashes and compares every value anew, also one that arrow has as a dictionary
//! code already; that costs more than everything else in the file (`cargo bench sink`). Here a value
//! of an arrow dictionary is looked up once a batch, a short text by its 16-byte view, and statistics
//! are made of the distinct values of a page. When the dictionary has grown too large, the values
//! that follow are written plain, as the crate does.
//!
//! Source: Apache Parquet, "Encodings" and "Page Index". The slow twin is the crate's own writer: the
//! tests read both back. This file knows one flat text column; it must not know rows or files.

use std::cell::RefCell;
use std::hash::BuildHasher;

use arrow::array::{Array, ArrayRef, AsArray, DictionaryArray, StringViewArray};
use arrow::datatypes::{DataType, Int32Type};
use bytes::Bytes;
use foldhash::fast::FixedState;
use hashbrown::HashTable;
use parquet::basic::{Compression, Encoding, PageType, Type};
use parquet::column::page::{CompressedPage, Page, PageWriter};
use parquet::column::writer::ColumnCloseResult;
use parquet::data_type::ByteArray;
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::{
    ColumnChunkMetaData, ColumnIndexBuilder, OffsetIndexBuilder, PageEncodingStats,
};
use parquet::file::statistics::{Statistics, ValueStatistics};
use parquet::file::writer::{SerializedPageWriter, TrackedWrite};
use parquet::schema::types::ColumnDescPtr;

use super::hybrid;

/// Rows a page; the same as the parquet crate's.
const PAGE_ROWS: usize = 20_000;

/// A page of plain values ends at so many bytes.
const PAGE_BYTES: usize = 1 << 20;

/// A dictionary that has so many bytes takes no more values.
const MOST_DICTIONARY_BYTES: usize = 1 << 20;

/// No statistics of a page or chunk in which a least or greatest value is longer.
const LONGEST_STATISTIC: usize = 256;

const HASHER: FixedState = FixedState::with_seed(0);

/// A finished column chunk.
pub struct Chunk {
    /// Its pages, the dictionary's first.
    pub bytes: Bytes,
    /// What the footer says of it.
    pub close: ColumnCloseResult,
}

/// Encodes one column of one row group.
pub struct DictionaryColumn {
    column: ColumnDescPtr,
    compression: Compression,
    statistics: bool,
    dictionary: Dictionary,
    page: OpenPage,
    pages: Vec<DonePage>,
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
    /// The page of codes that saw a value last: its statistics know it already.
    seen: Vec<u32>,
    is_full: bool,
}

/// The page being filled.
#[derive(Default)]
struct OpenPage {
    /// 1 for a value, 0 for null.
    levels: Vec<u32>,
    nulls: usize,
    codes: Vec<u32>,
    /// Values in place of codes, once the dictionary is full.
    plain: Vec<u8>,
    range: Range,
    /// Its number, from 1.
    number: u32,
}

/// The least and the greatest value.
#[derive(Clone, Default)]
struct Range {
    bounds: Option<(Vec<u8>, Vec<u8>)>,
    /// One of them is too long to be told.
    is_untold: bool,
}

struct DonePage {
    page: CompressedPage,
    rows: usize,
    nulls: usize,
    range: Range,
}

/// Whether a column of that type, so compressed, can be encoded here.
pub fn can_encode(data_type: &DataType, compression: Compression) -> bool {
    let is_text = match data_type {
        DataType::Utf8View => true,
        DataType::Dictionary(key, value) => **key == DataType::Int32 && **value == DataType::Utf8,
        _ => false,
    };
    is_text && matches!(compression, Compression::UNCOMPRESSED | Compression::ZSTD(_))
}

impl DictionaryColumn {
    /// An empty chunk of that column.
    pub fn new(column: ColumnDescPtr, compression: Compression, statistics: bool) -> DictionaryColumn {
        let page = OpenPage { number: 1, ..OpenPage::default() };
        DictionaryColumn {
            column,
            compression,
            statistics,
            dictionary: Dictionary::default(),
            page,
            pages: Vec::new(),
        }
    }

    /// Appends values.
    ///
    /// # Errors
    /// The array has another type, or compressing failed.
    pub fn write(&mut self, array: &ArrayRef) -> Result<()> {
        let mut from = 0;
        while from < array.len() {
            let room = if self.dictionary.is_full { 1024 } else { PAGE_ROWS };
            let len = (array.len() - from).min(PAGE_ROWS - self.page.levels.len()).min(room);
            let piece = array.slice(from, len);
            match piece.data_type() {
                DataType::Utf8View => self.views(piece.as_string_view()),
                DataType::Dictionary(..) => self.codes(piece.as_dictionary::<Int32Type>()),
                other => return Err(ParquetError::General(format!("no text: {other}"))),
            }
            from += len;
            if self.page.levels.len() >= PAGE_ROWS || self.page.plain.len() >= PAGE_BYTES {
                self.end_page()?;
            }
            // A page holds codes or plain values, never both.
            if self.dictionary.page.len() >= MOST_DICTIONARY_BYTES && !self.dictionary.is_full {
                self.end_page()?;
                self.dictionary.is_full = true;
            }
        }
        Ok(())
    }

    fn views(&mut self, array: &StringViewArray) {
        if !self.page.levels_of(array) {
            return;
        }
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

    fn codes(&mut self, array: &DictionaryArray<Int32Type>) {
        if !self.page.levels_of(array) {
            return;
        }
        let all = array.null_count() == 0;
        let values = array.values().as_string::<i32>();
        // The chunk's code of every value that occurs, found when it first does.
        let mut known: Vec<Option<u32>> = vec![None; values.len()];
        for (at, &key) in array.keys().values().iter().enumerate() {
            if !all && array.is_null(at) {
                continue;
            }
            let key = key as usize;
            match known[key] {
                Some(code) => self.page.codes.push(code),
                None => {
                    let text = values.value(key).as_bytes();
                    known[key] = self.value(text, view_of(text));
                }
            }
        }
    }

    /// Appends a value; comes back with its code, if it has one.
    #[inline]
    fn value(&mut self, text: &[u8], view: u128) -> Option<u32> {
        let page = &mut self.page;
        if self.dictionary.is_full {
            page.plain.extend_from_slice(&(text.len() as u32).to_le_bytes());
            page.plain.extend_from_slice(text);
            if self.statistics {
                page.range.add(text);
            }
            return None;
        }
        let code = self.dictionary.code(text, view);
        page.codes.push(code);
        let seen = &mut self.dictionary.seen[code as usize];
        if self.statistics && *seen != page.number {
            *seen = page.number;
            page.range.add(text);
        }
        Some(code)
    }

    fn end_page(&mut self) -> Result<()> {
        if self.page.levels.is_empty() {
            return Ok(());
        }
        let next = OpenPage { number: self.page.number + 1, ..OpenPage::default() };
        let mut page = std::mem::replace(&mut self.page, next);
        let rows = page.levels.len();
        let mut body = Vec::with_capacity(rows * 2 + page.plain.len());
        if self.column.max_def_level() > 0 {
            let start = body.len();
            body.extend_from_slice(&[0; 4]);
            hybrid::encode(&page.levels, 1, &mut body);
            let len = (body.len() - start - 4) as u32;
            body[start..start + 4].copy_from_slice(&len.to_le_bytes());
        }
        let encoding = if self.dictionary.is_full {
            body.append(&mut page.plain);
            Encoding::PLAIN
        } else {
            let width = hybrid::width_of(self.dictionary.ends.len().saturating_sub(1) as u32);
            body.push(width as u8);
            hybrid::encode(&page.codes, width, &mut body);
            Encoding::RLE_DICTIONARY
        };
        let compressed = Page::DataPage {
            buf: compress(&body, self.compression)?,
            num_values: rows as u32,
            encoding,
            def_level_encoding: Encoding::RLE,
            rep_level_encoding: Encoding::RLE,
            statistics: None,
        };
        // The buffers serve the next page.
        (self.page.levels, self.page.codes, self.page.plain) = (page.levels, page.codes, page.plain);
        self.page.levels.clear();
        self.page.codes.clear();
        self.pages.push(DonePage {
            page: CompressedPage::new(compressed, body.len()),
            rows,
            nulls: page.nulls,
            range: page.range,
        });
        Ok(())
    }

    /// The finished chunk.
    ///
    /// # Errors
    /// Compressing failed.
    pub fn close(mut self) -> Result<Chunk> {
        self.end_page()?;
        let mut out = TrackedWrite::new(Vec::new());
        let mut writer = SerializedPageWriter::new(&mut out);
        let dictionary = Page::DictionaryPage {
            buf: compress(&self.dictionary.page, self.compression)?,
            num_values: self.dictionary.ends.len() as u32,
            encoding: Encoding::PLAIN,
            is_sorted: false,
        };
        let spec = writer.write_page(CompressedPage::new(dictionary, self.dictionary.page.len()))?;
        let mut footer = Footer::new(spec.compressed_size, spec.uncompressed_size);
        for done in self.pages {
            let encoding = done.page.encoding();
            let spec = writer.write_page(done.page)?;
            footer.add(spec.offset, spec.compressed_size, spec.uncompressed_size, encoding);
            footer.rows(done.rows, done.nulls, &done.range);
        }
        writer.close()?;
        let close = footer.close(self.column, self.compression, self.statistics)?;
        Ok(Chunk { bytes: out.into_inner()?.into(), close })
    }
}

impl Dictionary {
    fn code(&mut self, text: &[u8], view: u128) -> u32 {
        let Dictionary { page, ends, codes, seen, .. } = self;
        let text_of = |page: &[u8], code: u32| -> std::ops::Range<usize> {
            let start = if code == 0 { 0 } else { ends[code as usize - 1] as usize } + 4;
            debug_assert!(start <= page.len());
            start..ends[code as usize] as usize
        };
        let short = is_inline(view);
        // A long text's view tells where it stands, so only its length and first bytes stand for it.
        let stands_for = if short { view } else { view & u128::from(u64::MAX) };
        let hash = if short { HASHER.hash_one(view) } else { HASHER.hash_one(text) };
        let same = |&(known, code): &(u128, u32)| {
            known == stands_for && (short || &page[text_of(page, code)] == text)
        };
        if let Some(&(_, code)) = codes.find(hash, same) {
            return code;
        }
        let code = ends.len() as u32;
        let hash_of = |&(known, code): &(u128, u32)| match is_inline(known) {
            true => HASHER.hash_one(known),
            false => HASHER.hash_one(&page[text_of(page, code)]),
        };
        codes.insert_unique(hash, (stands_for, code), hash_of);
        page.extend_from_slice(&(text.len() as u32).to_le_bytes());
        page.extend_from_slice(text);
        ends.push(page.len() as u32);
        seen.push(0);
        code
    }
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

impl OpenPage {
    /// Appends the definition levels of an array; comes back with whether it has a value at all.
    fn levels_of(&mut self, array: &dyn Array) -> bool {
        let (rows, nulls) = (array.len(), array.null_count());
        self.nulls += nulls;
        match array.nulls() {
            Some(valid) if nulls > 0 && nulls < rows => self.levels.extend(valid.iter().map(u32::from)),
            _ => self.levels.resize(self.levels.len() + rows, u32::from(nulls == 0)),
        }
        nulls < rows
    }
}

impl Range {
    fn add(&mut self, text: &[u8]) {
        match &mut self.bounds {
            None => self.bounds = Some((text.to_vec(), text.to_vec())),
            Some((least, _)) if text < least.as_slice() => *least = text.to_vec(),
            Some((_, greatest)) if text > greatest.as_slice() => *greatest = text.to_vec(),
            Some(_) => {}
        }
        self.is_untold |= text.len() > LONGEST_STATISTIC;
    }

    fn merge(&mut self, other: &Range) {
        if let Some((least, greatest)) = &other.bounds {
            self.add(least);
            self.add(greatest);
        }
        self.is_untold |= other.is_untold;
    }
}

/// What the footer says of a chunk, while its pages are written.
struct Footer {
    compressed: usize,
    uncompressed: usize,
    data_offset: Option<u64>,
    rows: usize,
    nulls: usize,
    range: Range,
    encodings: Vec<(Encoding, i32)>,
    column_index: ColumnIndexBuilder,
    offset_index: OffsetIndexBuilder,
}

impl Footer {
    /// Of a chunk whose dictionary page has these sizes.
    fn new(compressed: usize, uncompressed: usize) -> Footer {
        Footer {
            compressed,
            uncompressed,
            data_offset: None,
            rows: 0,
            nulls: 0,
            range: Range::default(),
            encodings: Vec::new(),
            column_index: ColumnIndexBuilder::new(Type::BYTE_ARRAY),
            offset_index: OffsetIndexBuilder::new(),
        }
    }

    fn add(&mut self, offset: u64, compressed: usize, uncompressed: usize, encoding: Encoding) {
        self.data_offset.get_or_insert(offset);
        self.compressed += compressed;
        self.uncompressed += uncompressed;
        self.offset_index.append_offset_and_size(offset as i64, compressed as i32);
        match self.encodings.last_mut() {
            Some((last, pages)) if *last == encoding => *pages += 1,
            _ => self.encodings.push((encoding, 1)),
        }
    }

    fn rows(&mut self, rows: usize, nulls: usize, range: &Range) {
        self.rows += rows;
        self.nulls += nulls;
        self.range.merge(range);
        self.offset_index.append_row_count(rows as i64);
        if range.is_untold {
            self.column_index.to_invalid();
        }
        let (least, greatest) = range.bounds.clone().unwrap_or_default();
        self.column_index.append(nulls == rows, least, greatest, nulls as i64);
    }

    fn close(
        self,
        column: ColumnDescPtr,
        compression: Compression,
        statistics: bool,
    ) -> Result<ColumnCloseResult> {
        let mut encodings = vec![Encoding::PLAIN, Encoding::RLE];
        encodings
            .extend(self.encodings.iter().map(|(encoding, _)| *encoding).filter(|e| *e != Encoding::PLAIN));
        let dictionary_page =
            PageEncodingStats { page_type: PageType::DICTIONARY_PAGE, encoding: Encoding::PLAIN, count: 1 };
        let data_pages = self.encodings.iter().map(|&(encoding, count)| PageEncodingStats {
            page_type: PageType::DATA_PAGE,
            encoding,
            count,
        });
        let mut metadata = ColumnChunkMetaData::builder(column)
            .set_compression(compression)
            .set_encodings(encodings)
            .set_page_encoding_stats(std::iter::once(dictionary_page).chain(data_pages).collect())
            .set_total_compressed_size(self.compressed as i64)
            .set_total_uncompressed_size(self.uncompressed as i64)
            .set_num_values(self.rows as i64)
            .set_dictionary_page_offset(Some(0))
            .set_data_page_offset(self.data_offset.unwrap_or(0) as i64);
        if statistics {
            let bounds = self.range.bounds.filter(|_| !self.range.is_untold);
            let (least, greatest) =
                bounds.map(|(least, greatest)| (ByteArray::from(least), ByteArray::from(greatest))).unzip();
            let values = ValueStatistics::new(least, greatest, None, Some(self.nulls as u64), false);
            metadata = metadata.set_statistics(Statistics::ByteArray(values));
        }
        let has_index = statistics && self.column_index.valid();
        Ok(ColumnCloseResult {
            bytes_written: self.compressed as u64,
            rows_written: self.rows as u64,
            metadata: metadata.build()?,
            bloom_filter: None,
            column_index: if has_index { Some(self.column_index.build()?) } else { None },
            offset_index: Some(self.offset_index.build()),
        })
    }
}

/// Compresses a page's body.
fn compress(body: &[u8], compression: Compression) -> Result<Bytes> {
    thread_local! {
        /// A zstd context, and its level: making one costs more than compressing a small page.
        static ZSTD: RefCell<Option<(i32, zstd::bulk::Compressor<'static>)>> = const { RefCell::new(None) };
    }
    let failed = |error: std::io::Error| ParquetError::General(format!("zstd: {error}"));
    match compression {
        Compression::UNCOMPRESSED => Ok(Bytes::copy_from_slice(body)),
        Compression::ZSTD(level) => ZSTD.with_borrow_mut(|held| {
            let level = level.compression_level();
            if held.as_ref().is_none_or(|(of, _)| *of != level) {
                *held = Some((level, zstd::bulk::Compressor::new(level).map_err(failed)?));
            }
            let (_, compressor) = held.as_mut().expect("made above");
            compressor.compress(body).map(Bytes::from).map_err(failed)
        }),
        other => Err(ParquetError::General(format!("{other} is not encoded here"))),
    }
}
