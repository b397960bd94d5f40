//! Pages of texts one after another: plain, or as what differs from the text before.
//!
//! Source: Apache Parquet, "Plain", "Delta Strings" (DELTA_BYTE_ARRAY). The slow twin is the parquet
//! crate's writer: the tests read both back.
//!
//! ```text
//! plain    = *( length{4} text )
//! prefixes = numbers(shared with the text before) numbers(length of the rest) *rest
//! ```

use arrow::array::{Array, AsArray, StringViewArray};
use arrow::datatypes::DataType;
use parquet::basic::{Compression, Encoding};
use parquet::errors::{ParquetError, Result};
use parquet::schema::types::ColumnDescPtr;

use super::numbers;
use super::pages::{Chunk, LONGEST_STATISTIC, PAGE_ROWS, Pages, ROOM, Range};
use crate::prepared::{self, Plain};

/// A page of texts ends at so many bytes.
pub const PAGE_BYTES: usize = 1 << 20;

/// Rows after which a page's size is looked at.
const STEP: usize = 1024;

/// Encodes one column of texts of one row group.
pub struct Texts {
    pages: Pages,
    open: Open,
    range: Range,
}

/// The texts of the open page.
enum Open {
    /// Behind room for the page's null bits, so that they need not be moved behind these.
    Plain(Vec<u8>),
    Prefixes(Prefixes),
}

#[derive(Default)]
struct Prefixes {
    shared: Vec<i64>,
    rests: Vec<i64>,
    bytes: Vec<u8>,
    last: Vec<u8>,
}

/// A text and its first bytes as a number that compares as they do.
#[derive(Clone, Copy)]
struct Text<'t> {
    bytes: &'t [u8],
    /// Zeros stand for what a short one lacks.
    head: u128,
}

/// The least, the greatest and the longest of some texts.
struct Bounds<'t> {
    least: Text<'t>,
    greatest: Text<'t>,
    longest: Text<'t>,
}

/// Of each length, and of all that are longer: the bits of a head that are text.
const SHOWN: [u128; 17] = {
    let mut shown = [u128::MAX; 17];
    let mut len = 0;
    while len < 16 {
        shown[len] = !(u128::MAX >> (8 * len));
        len += 1;
    }
    shown
};

/// Whether a column of that type can be encoded here.
pub fn can_encode(data_type: &DataType) -> bool {
    *data_type == DataType::Utf8View
}

impl Texts {
    /// An empty chunk of that column, whose texts stand one after another as they are.
    pub fn plain(column: ColumnDescPtr, compression: Compression, statistics: bool) -> Texts {
        let (pages, open) = (Pages::new(column, compression, statistics), Open::Plain(vec![0; ROOM]));
        Texts { pages, open, range: Range::Empty }
    }

    /// An empty chunk of that column, whose texts share prefixes.
    pub fn prefixes(column: ColumnDescPtr, compression: Compression, statistics: bool) -> Texts {
        let open = Open::Prefixes(Prefixes::default());
        Texts { open, ..Texts::plain(column, compression, statistics) }
    }

    /// Appends values.
    ///
    /// # Errors
    /// The array has another type, or compressing failed.
    pub fn write(&mut self, array: &dyn Array) -> Result<()> {
        let mut from = 0;
        while from < array.len() {
            let len = (array.len() - from).min(PAGE_ROWS - self.pages.rows()).min(STEP);
            let piece = array.slice(from, len);
            let Some(texts) = piece.as_string_view_opt() else {
                return Err(ParquetError::General(format!("no text: {}", piece.data_type())));
            };
            self.pages.add(len, texts.nulls());
            match texts.nulls() {
                None => (0..len).for_each(|at| self.push(texts, at)),
                Some(nulls) => nulls.valid_indices().for_each(|at| self.push(texts, at)),
            }
            from += len;
            if self.pages.rows() >= PAGE_ROWS || self.open.bytes() >= PAGE_BYTES {
                self.end_page()?;
            }
        }
        Ok(())
    }

    /// Appends values that stand one behind the other already.
    ///
    /// # Errors
    /// Compressing failed.
    pub fn write_plain(&mut self, column: &Plain) -> Result<()> {
        let mut from = 0;
        while from < column.rows {
            let len = (column.rows - from).min(PAGE_ROWS - self.pages.rows());
            let piece = column.slice(from, len);
            self.pages.add(len, piece.nulls.as_ref());
            let (mut bounds, has_statistics) = (None, self.pages.has_statistics());
            let texts = Text::all(&piece.bytes).inspect(|text| {
                if has_statistics {
                    Bounds::take(&mut bounds, *text);
                }
            });
            match &mut self.open {
                Open::Prefixes(prefixes) => prefixes.append_all(texts),
                Open::Plain(bytes) => {
                    bytes.extend_from_slice(&piece.bytes);
                    // Gone over for their bounds alone.
                    if has_statistics {
                        texts.for_each(drop);
                    }
                }
            }
            if let Some(bounds) = bounds {
                bounds.told().into_iter().for_each(|text| self.range.text(text.bytes));
            }
            from += len;
            if self.pages.rows() >= PAGE_ROWS || self.open.bytes() >= PAGE_BYTES {
                self.end_page()?;
            }
        }
        Ok(())
    }

    /// Appends rows without a value.
    ///
    /// # Errors
    /// Compressing failed.
    pub fn write_nulls(&mut self, rows: usize) -> Result<()> {
        let mut left = rows;
        while left > 0 {
            let len = left.min(PAGE_ROWS - self.pages.rows());
            self.pages.add_same(len, false);
            left -= len;
            if self.pages.rows() >= PAGE_ROWS {
                self.end_page()?;
            }
        }
        Ok(())
    }

    #[inline]
    fn push(&mut self, texts: &StringViewArray, at: usize) {
        let text = texts.value(at).as_bytes();
        match &mut self.open {
            Open::Plain(bytes) => append(text, bytes),
            Open::Prefixes(prefixes) => prefixes.append(text),
        }
        if self.pages.has_statistics() {
            self.range.text(text);
        }
    }

    fn end_page(&mut self) -> Result<()> {
        if self.pages.rows() == 0 {
            return Ok(());
        }
        let range = std::mem::take(&mut self.range);
        match &mut self.open {
            Open::Plain(bytes) => {
                self.pages.end_behind(Encoding::PLAIN, range, bytes)?;
                bytes.truncate(ROOM);
            }
            Open::Prefixes(prefixes) => {
                self.pages.end(Encoding::DELTA_BYTE_ARRAY, range, |body| prefixes.take(body))?;
            }
        }
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

/// Appends a text behind its length.
#[inline]
pub fn append(text: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(&(text.len() as u32).to_le_bytes());
    out.extend_from_slice(text);
}

impl Open {
    fn bytes(&self) -> usize {
        match self {
            Open::Plain(bytes) => bytes.len() - ROOM,
            Open::Prefixes(Prefixes { bytes, .. }) => bytes.len(),
        }
    }
}

impl<'t> Text<'t> {
    /// The texts of a plain page.
    fn all(mut bytes: &'t [u8]) -> impl Iterator<Item = Text<'t>> {
        std::iter::from_fn(move || {
            let text = prepared::first_text(bytes)?;
            let window = bytes[4..].first_chunk().copied().unwrap_or_else(|| {
                let mut window = [0; 16];
                window[..text.len().min(16)].copy_from_slice(&text[..text.len().min(16)]);
                window
            });
            bytes = &bytes[4 + text.len()..];
            Some(Text { bytes: text, head: u128::from_be_bytes(window) & SHOWN[text.len().min(16)] })
        })
    }

    fn is_less_than(&self, other: &Text<'_>) -> bool {
        if self.head == other.head { self.bytes < other.bytes } else { self.head < other.head }
    }
}

impl<'t> Bounds<'t> {
    /// Takes one more text in.
    #[inline]
    fn take(bounds: &mut Option<Bounds<'t>>, text: Text<'t>) {
        let bounds = bounds.get_or_insert(Bounds { least: text, greatest: text, longest: text });
        if text.is_less_than(&bounds.least) {
            bounds.least = text;
        } else if bounds.greatest.is_less_than(&text) {
            bounds.greatest = text;
        }
        if text.bytes.len() > bounds.longest.bytes.len() {
            bounds.longest = text;
        }
    }

    /// What a range is told of them; where one is too long to be told, that it is.
    fn told(&self) -> [&Text<'t>; 2] {
        let is_told = self.longest.bytes.len() <= LONGEST_STATISTIC;
        [if is_told { &self.least } else { &self.longest }, &self.greatest]
    }
}

impl Prefixes {
    /// Appends texts one after the other.
    fn append_all<'t>(&mut self, mut texts: impl Iterator<Item = Text<'t>>) {
        let Some(mut last) = texts.next() else { return };
        self.append(last.bytes);
        for text in texts {
            // What the heads have in common, unless one of them ends before.
            let head = (text.head ^ last.head).leading_zeros() as usize / 8;
            let shared = match head {
                16 => shared(last.bytes, text.bytes),
                _ => head.min(last.bytes.len()).min(text.bytes.len()),
            };
            self.push(text.bytes, shared);
            last = text;
        }
        self.last.clear();
        self.last.extend_from_slice(last.bytes);
    }

    fn append(&mut self, text: &[u8]) {
        let shared = shared(&self.last, text);
        self.push(text, shared);
        self.last.truncate(shared);
        self.last.extend_from_slice(&text[shared..]);
    }

    #[inline]
    fn push(&mut self, text: &[u8], shared: usize) {
        self.shared.push(shared as i64);
        self.rests.push((text.len() - shared) as i64);
        self.bytes.extend_from_slice(&text[shared..]);
    }

    /// Appends the page to `body`; the next one begins anew.
    fn take(&mut self, body: &mut Vec<u8>) {
        numbers::encode(&self.shared, false, body);
        numbers::encode(&self.rests, false, body);
        body.extend_from_slice(&self.bytes);
        self.shared.clear();
        self.rests.clear();
        self.bytes.clear();
        self.last.clear();
    }
}

/// How many bytes two texts have in common at their beginning.
fn shared(one: &[u8], other: &[u8]) -> usize {
    let (ones, others) = (one.as_chunks::<8>().0, other.as_chunks::<8>().0);
    let words = ones.iter().zip(others).take_while(|(one, other)| one == other).count() * 8;
    words + one[words..].iter().zip(&other[words..]).take_while(|(one, other)| one == other).count()
}
