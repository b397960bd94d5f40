//! Column chunks that are encoded here: pages, and what the footer says of them.
//!
//! The parquet crate's writer hashes and compares every value anew, and goes over each several times
//! more; that costs more than all else in the file. Here a chunk's values are gathered page by page,
//! by [`Texts`](super::texts), [`Dictionary`](super::dictionary) or [`Numbers`](super::numbers); this
//! file has what those pages have in common: null bits, compression, statistics, the page index.
//!
//! Source: Apache Parquet, "Data Pages", "Page Index". The slow twin is the crate's own writer: the
//! tests read both back. This file knows one flat column; it must not know rows or files.

use std::cell::RefCell;

use arrow::array::BooleanBufferBuilder;
use arrow::buffer::NullBuffer;
use bytes::Bytes;
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
pub const PAGE_ROWS: usize = 20_000;

/// Room in front of a page's values for its null bits: [`Pages::end_behind`].
pub const ROOM: usize = PAGE_ROWS / 8 + 32;

/// Room for what the parquet crate writes before a page.
const PAGE_HEADER: usize = 64;

/// A finished column chunk.
pub struct Chunk {
    /// Its pages, the dictionary's first.
    pub bytes: Bytes,
    /// What the footer says of it.
    pub close: ColumnCloseResult,
}

/// The pages of one column of one row group.
pub struct Pages {
    column: ColumnDescPtr,
    compression: Compression,
    statistics: bool,
    /// Which rows of the open page have a value.
    valid: BooleanBufferBuilder,
    nulls: usize,
    done: Vec<DonePage>,
    /// The body of a page while it is put together; it serves one page after the other.
    body: Vec<u8>,
}

struct DonePage {
    page: CompressedPage,
    size: PageSize,
    range: Range,
}

/// What a page has.
#[derive(Clone, Copy, Debug, Default)]
pub struct PageSize {
    /// Places of values, also where there is none; in a flat column one a row.
    pub values: usize,
    /// Rows.
    pub rows: usize,
    /// Places without a value.
    pub nulls: usize,
}

/// The least and the greatest value of a page or chunk.
#[derive(Clone, Debug, Default)]
pub enum Range {
    /// There is no value.
    #[default]
    Empty,
    /// The least and the greatest text.
    Texts(Vec<u8>, Vec<u8>),
    /// The least and the greatest number.
    Numbers(i64, i64),
    /// A text is too long to be told.
    Untold,
}

/// No statistics of a page or chunk in which a text is longer.
pub const LONGEST_STATISTIC: usize = 256;

impl Range {
    /// Takes a text in.
    pub fn text(&mut self, text: &[u8]) {
        match self {
            Range::Untold => {}
            _ if text.len() > LONGEST_STATISTIC => *self = Range::Untold,
            // Ids that count up are each greater than all before: no new memory for every one.
            Range::Texts(_, greatest) if text > greatest.as_slice() => {
                greatest.clear();
                greatest.extend_from_slice(text);
            }
            Range::Texts(least, _) if text < least.as_slice() => *least = text.to_vec(),
            Range::Texts(..) => {}
            Range::Empty | Range::Numbers(..) => *self = Range::Texts(text.to_vec(), text.to_vec()),
        }
    }

    fn merge(&mut self, other: &Range) {
        match (&mut *self, other) {
            (Range::Untold, _) | (_, Range::Empty) => {}
            (Range::Numbers(least, greatest), Range::Numbers(low, high)) => {
                (*least, *greatest) = ((*least).min(*low), (*greatest).max(*high));
            }
            (Range::Texts(..), Range::Texts(low, high)) => {
                self.text(low);
                self.text(high);
            }
            (_, other) => *self = other.clone(),
        }
    }

    /// The two bounds as Parquet writes values of that type.
    fn bytes(&self, physical: Type) -> Option<(Vec<u8>, Vec<u8>)> {
        let number = |number: i64| match physical {
            Type::INT32 => (number as i32).to_le_bytes().to_vec(),
            _ => number.to_le_bytes().to_vec(),
        };
        match self {
            Range::Empty | Range::Untold => None,
            Range::Texts(least, greatest) => Some((least.clone(), greatest.clone())),
            Range::Numbers(least, greatest) => Some((number(*least), number(*greatest))),
        }
    }

    fn statistics(&self, physical: Type, nulls: usize) -> Statistics {
        let nulls = Some(nulls as u64);
        let numbers =
            if let Range::Numbers(least, greatest) = self { Some((*least, *greatest)) } else { None };
        let (least, greatest) = numbers.unzip();
        match physical {
            Type::INT32 => {
                let int = |number: Option<i64>| number.map(|number| number as i32);
                Statistics::Int32(ValueStatistics::new(int(least), int(greatest), None, nulls, false))
            }
            Type::INT64 => Statistics::Int64(ValueStatistics::new(least, greatest, None, nulls, false)),
            _ => {
                let (least, greatest) = self.bytes(physical).unzip();
                let text = |bytes: Option<Vec<u8>>| bytes.map(ByteArray::from);
                Statistics::ByteArray(ValueStatistics::new(text(least), text(greatest), None, nulls, false))
            }
        }
    }
}

/// A dictionary page: its body, and how many values it has.
pub type DictionaryPage<'a> = (&'a [u8], usize);

impl Pages {
    /// No page yet.
    pub fn new(column: ColumnDescPtr, compression: Compression, statistics: bool) -> Pages {
        let (valid, done, body) = (BooleanBufferBuilder::new(PAGE_ROWS), Vec::new(), Vec::new());
        Pages { column, compression, statistics, valid, nulls: 0, done, body }
    }

    /// Whether statistics are written.
    pub fn has_statistics(&self) -> bool {
        self.statistics
    }

    /// How many rows the open page has.
    pub fn rows(&self) -> usize {
        self.valid.len()
    }

    /// Takes so many more rows, of which these are null.
    pub fn add(&mut self, rows: usize, nulls: Option<&NullBuffer>) {
        match nulls {
            Some(nulls) => {
                self.valid.append_buffer(nulls.inner());
                self.nulls += nulls.null_count();
            }
            None => self.add_same(rows, true),
        }
    }

    /// Takes so many more rows, of which all or none have a value.
    pub fn add_same(&mut self, rows: usize, valid: bool) {
        self.valid.append_n(rows, valid);
        self.nulls += if valid { 0 } else { rows };
    }

    /// Ends the open page; `values` appends its values.
    ///
    /// # Errors
    /// Compressing failed.
    pub fn end(&mut self, encoding: Encoding, range: Range, values: impl FnOnce(&mut Vec<u8>)) -> Result<()> {
        let size = self.begin_body();
        values(&mut self.body);
        let body = std::mem::take(&mut self.body);
        self.compressed(encoding, size, range, &body)?;
        self.body = body;
        Ok(())
    }

    /// Ends the open page, whose values stand behind [`ROOM`] bytes, which are overwritten.
    ///
    /// # Errors
    /// Compressing failed.
    pub fn end_behind(&mut self, encoding: Encoding, range: Range, values: &mut [u8]) -> Result<()> {
        let size = self.begin_body();
        let begin = ROOM - self.body.len();
        values[begin..ROOM].copy_from_slice(&self.body);
        self.compressed(encoding, size, range, &values[begin..])
    }

    /// Begins a page's body by the null bits of its rows.
    fn begin_body(&mut self) -> PageSize {
        let (rows, nulls) = (self.valid.len(), std::mem::take(&mut self.nulls));
        let body = &mut self.body;
        body.clear();
        if self.column.max_def_level() > 0 {
            behind_length(body, |body| hybrid::encode_bits(self.valid.as_slice(), rows, rows - nulls, body));
        }
        self.valid.truncate(0);
        PageSize { values: rows, rows, nulls }
    }

    /// Ends a page of a nested column, whose rows were not told by [`Pages::add`]; `write` appends its [`levels`],
    /// then its values.
    ///
    /// # Errors
    /// Compressing failed.
    pub fn end_nested(
        &mut self,
        encoding: Encoding,
        size: PageSize,
        write: impl FnOnce(&mut Vec<u8>),
    ) -> Result<()> {
        let mut body = std::mem::take(&mut self.body);
        body.clear();
        write(&mut body);
        self.compressed(encoding, size, Range::Empty, &body)?;
        self.body = body;
        Ok(())
    }

    fn compressed(&mut self, encoding: Encoding, size: PageSize, range: Range, body: &[u8]) -> Result<()> {
        let page = Page::DataPage {
            buf: compress(body, self.compression)?,
            num_values: size.values as u32,
            encoding,
            def_level_encoding: Encoding::RLE,
            rep_level_encoding: Encoding::RLE,
            statistics: None,
        };
        let page = CompressedPage::new(page, body.len());
        self.done.push(DonePage { page, size, range });
        Ok(())
    }

    /// The finished chunk.
    ///
    /// # Errors
    /// Compressing failed.
    pub fn close(self, dictionary: Option<DictionaryPage<'_>>) -> Result<Chunk> {
        let sizes = self.done.iter().map(|done| done.page.compressed_size() + PAGE_HEADER);
        let mut out = TrackedWrite::new(Vec::with_capacity(sizes.sum()));
        let mut writer = SerializedPageWriter::new(&mut out);
        let mut footer = Footer::new(self.column.physical_type(), dictionary.is_some());
        if let Some((body, values)) = dictionary {
            let page = Page::DictionaryPage {
                buf: compress(body, self.compression)?,
                num_values: values as u32,
                encoding: Encoding::PLAIN,
                is_sorted: false,
            };
            let spec = writer.write_page(CompressedPage::new(page, body.len()))?;
            footer.sizes(spec.compressed_size, spec.uncompressed_size);
        }
        for done in self.done {
            let encoding = done.page.encoding();
            let spec = writer.write_page(done.page)?;
            footer.add(spec.offset, spec.compressed_size, spec.uncompressed_size, encoding);
            footer.values(done.size, &done.range);
        }
        writer.close()?;
        let close = footer.close(self.column, self.compression, self.statistics)?;
        Ok(Chunk { bytes: out.into_inner()?.into(), close })
    }
}

/// What the footer says of a chunk, while its pages are written.
struct Footer {
    physical: Type,
    has_dictionary: bool,
    compressed: usize,
    uncompressed: usize,
    data_offset: Option<u64>,
    size: PageSize,
    range: Range,
    encodings: Vec<(Encoding, i32)>,
    column_index: ColumnIndexBuilder,
    offset_index: OffsetIndexBuilder,
}

impl Footer {
    fn new(physical: Type, has_dictionary: bool) -> Footer {
        Footer {
            physical,
            has_dictionary,
            compressed: 0,
            uncompressed: 0,
            data_offset: None,
            size: PageSize::default(),
            range: Range::default(),
            encodings: Vec::new(),
            column_index: ColumnIndexBuilder::new(physical),
            offset_index: OffsetIndexBuilder::new(),
        }
    }

    fn sizes(&mut self, compressed: usize, uncompressed: usize) {
        self.compressed += compressed;
        self.uncompressed += uncompressed;
    }

    fn add(&mut self, offset: u64, compressed: usize, uncompressed: usize, encoding: Encoding) {
        self.data_offset.get_or_insert(offset);
        self.sizes(compressed, uncompressed);
        self.offset_index.append_offset_and_size(offset as i64, compressed as i32);
        match self.encodings.last_mut() {
            Some((last, pages)) if *last == encoding => *pages += 1,
            _ => self.encodings.push((encoding, 1)),
        }
    }

    fn values(&mut self, page: PageSize, range: &Range) {
        self.size.values += page.values;
        self.size.rows += page.rows;
        self.size.nulls += page.nulls;
        self.range.merge(range);
        self.offset_index.append_row_count(page.rows as i64);
        if matches!(range, Range::Untold) {
            self.column_index.to_invalid();
        }
        let (least, greatest) = range.bytes(self.physical).unwrap_or_default();
        self.column_index.append(page.nulls == page.values, least, greatest, page.nulls as i64);
    }

    fn close(
        self,
        column: ColumnDescPtr,
        compression: Compression,
        statistics: bool,
    ) -> Result<ColumnCloseResult> {
        let mut encodings = vec![Encoding::RLE];
        let mut pages = Vec::new();
        if self.has_dictionary {
            encodings.push(Encoding::PLAIN);
            let (page_type, encoding) = (PageType::DICTIONARY_PAGE, Encoding::PLAIN);
            pages.push(PageEncodingStats { page_type, encoding, count: 1 });
        }
        for &(encoding, count) in &self.encodings {
            pages.push(PageEncodingStats { page_type: PageType::DATA_PAGE, encoding, count });
            if !encodings.contains(&encoding) {
                encodings.push(encoding);
            }
        }
        let mut metadata = ColumnChunkMetaData::builder(column)
            .set_compression(compression)
            .set_encodings(encodings)
            .set_page_encoding_stats(pages)
            .set_total_compressed_size(self.compressed as i64)
            .set_total_uncompressed_size(self.uncompressed as i64)
            .set_num_values(self.size.values as i64)
            .set_dictionary_page_offset(self.has_dictionary.then_some(0))
            .set_data_page_offset(self.data_offset.unwrap_or(0) as i64);
        if statistics {
            metadata = metadata.set_statistics(self.range.statistics(self.physical, self.size.nulls));
        }
        let has_index = statistics && self.column_index.valid();
        Ok(ColumnCloseResult {
            bytes_written: self.compressed as u64,
            rows_written: self.size.rows as u64,
            metadata: metadata.build()?,
            bloom_filter: None,
            column_index: if has_index { Some(self.column_index.build()?) } else { None },
            offset_index: Some(self.offset_index.build()),
        })
    }
}

/// Appends levels of at most so many bits, behind how many bytes they take.
pub fn levels(levels: &[u32], width: u32, body: &mut Vec<u8>) {
    behind_length(body, |body| hybrid::encode(levels, width, body));
}

/// Appends so many levels that are 0.
pub fn zeros(levels: usize, body: &mut Vec<u8>) {
    behind_length(body, |body| hybrid::encode_bits(&[], levels, 0, body));
}

/// Appends what `write` appends behind how many bytes it takes.
fn behind_length(body: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    let begin = body.len();
    body.extend_from_slice(&[0; 4]);
    write(body);
    let len = (body.len() - begin - 4) as u32;
    body[begin..begin + 4].copy_from_slice(&len.to_le_bytes());
}

/// What a thread compresses with.
struct Zstd {
    level: i32,
    /// Making one costs more than compressing a small page.
    context: zstd::bulk::Compressor<'static>,
    /// What comes out is of a size that nobody knows before; fresh memory for the most would be dear.
    out: Vec<u8>,
}

impl Zstd {
    fn new(level: i32) -> std::io::Result<Zstd> {
        Ok(Zstd { level, context: zstd::bulk::Compressor::new(level)?, out: Vec::new() })
    }

    fn compress(&mut self, body: &[u8]) -> std::io::Result<Bytes> {
        self.out.clear();
        self.out.reserve(zstd::zstd_safe::compress_bound(body.len()));
        self.context.compress_to_buffer(body, &mut self.out)?;
        Ok(Bytes::copy_from_slice(&self.out))
    }
}

/// Compresses a page's body.
fn compress(body: &[u8], compression: Compression) -> Result<Bytes> {
    thread_local! {
        static ZSTD: RefCell<Option<Zstd>> = const { RefCell::new(None) };
    }
    let failed = |error: std::io::Error| ParquetError::General(format!("zstd: {error}"));
    match compression {
        Compression::UNCOMPRESSED => Ok(Bytes::copy_from_slice(body)),
        Compression::ZSTD(level) => ZSTD.with_borrow_mut(|held| {
            let level = level.compression_level();
            if held.as_ref().is_none_or(|zstd| zstd.level != level) {
                *held = Some(Zstd::new(level).map_err(failed)?);
            }
            held.as_mut().expect("made above").compress(body).map_err(failed)
        }),
        other => Err(ParquetError::General(format!("{other} is not encoded here"))),
    }
}
