//! Pages of lists of texts: which row each text belongs to, the texts' lengths, the texts.
//!
//! Source: Apache Parquet, "Nested Encoding", "Delta-length byte array" (DELTA_LENGTH_BYTE_ARRAY). The slow
//! twin is the parquet crate's writer: the tests read both back.
//!
//! ```text
//! page = again defined numbers(lengths) *text
//! again    0 where a row begins, 1 where it goes on
//! defined  3 a text, 2 null in place of one, 1 an empty list, 0 no list
//! ```

use arrow::array::{Array, AsArray};
use arrow::datatypes::DataType;
use parquet::basic::{Compression, Encoding};
use parquet::errors::{ParquetError, Result};
use parquet::schema::types::ColumnDescPtr;

use super::numbers;
use super::pages::{Chunk, PAGE_ROWS, PageSize, Pages, levels};
use super::texts::PAGE_BYTES;

/// Encodes one column of lists of one row group.
pub struct Lists {
    pages: Pages,
    rows: usize,
    again: Vec<u32>,
    defined: Vec<u32>,
    lengths: Vec<i64>,
    bytes: Vec<u8>,
}

/// What stands at a place of a list.
#[derive(Clone, Copy)]
enum Defined {
    NoList,
    Empty,
    Null,
    Text,
}

/// Whether a column of that type can be encoded here.
pub fn can_encode(data_type: &DataType) -> bool {
    matches!(data_type, DataType::List(item) if item.is_nullable() && *item.data_type() == DataType::Utf8View)
}

impl Lists {
    /// An empty chunk of that column.
    pub fn new(column: ColumnDescPtr, compression: Compression) -> Lists {
        let pages = Pages::new(column, compression, false);
        let (again, defined, lengths, bytes) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Lists { pages, rows: 0, again, defined, lengths, bytes }
    }

    /// Appends values.
    ///
    /// # Errors
    /// The array has another type, or compressing failed.
    pub fn write(&mut self, array: &dyn Array) -> Result<()> {
        let lists = array.as_list_opt::<i32>();
        let texts = lists.and_then(|lists| lists.values().as_string_view_opt());
        let (Some(lists), Some(texts)) = (lists, texts) else {
            return Err(ParquetError::General(format!("no lists of texts: {}", array.data_type())));
        };
        for (row, bounds) in lists.offsets().windows(2).enumerate() {
            let items = bounds[0] as usize..bounds[1] as usize;
            if lists.is_null(row) || items.is_empty() {
                self.place(0, if lists.is_null(row) { Defined::NoList } else { Defined::Empty });
            } else {
                for (at, item) in items.enumerate() {
                    self.item(at, texts.is_valid(item).then(|| texts.value(item)));
                }
            }
            self.rows += 1;
            if self.rows >= PAGE_ROWS || self.bytes.len() >= PAGE_BYTES {
                self.end_page()?;
            }
        }
        Ok(())
    }

    fn item(&mut self, at: usize, text: Option<&str>) {
        let Some(text) = text else { return self.place(at, Defined::Null) };
        self.place(at, Defined::Text);
        self.lengths.push(text.len() as i64);
        self.bytes.extend_from_slice(text.as_bytes());
    }

    fn place(&mut self, at: usize, defined: Defined) {
        self.again.push(u32::from(at > 0));
        self.defined.push(defined as u32);
    }

    fn end_page(&mut self) -> Result<()> {
        if self.rows == 0 {
            return Ok(());
        }
        let Lists { again, defined, lengths, bytes, rows, .. } = self;
        let size = PageSize { values: defined.len(), rows: *rows, nulls: defined.len() - lengths.len() };
        self.pages.end_nested(Encoding::DELTA_LENGTH_BYTE_ARRAY, size, |body| {
            levels(again, 1, body);
            levels(defined, 2, body);
            numbers::encode(lengths, false, body);
            body.extend_from_slice(bytes);
        })?;
        again.clear();
        defined.clear();
        lengths.clear();
        bytes.clear();
        *rows = 0;
        Ok(())
    }

    /// The finished chunk.
    ///
    /// # Errors
    /// Compressing failed.
    pub fn close(mut self) -> Result<Chunk> {
        self.end_page()?;
        self.pages.close(None)
    }
}
