//! Pages of differences: numbers and times.
//!
//! Source: Apache Parquet, "Delta Encoding" (DELTA_BINARY_PACKED). The slow twin is the parquet
//! crate's encoder: the tests read ours back with its decoder.
//!
//! ```text
//! page      = varint(block) varint(miniblocks) varint(count) zigzag(first) *block
//! block     = zigzag(least) width{4} *miniblock         least of the block's differences
//! miniblock = 32 numbers packed, each a difference less `least`, at the miniblock's width
//! ```

use arrow::array::{Array, ArrowPrimitiveType, AsArray};
use arrow::datatypes::{
    DataType, Int32Type, Int64Type, TimeUnit, TimestampMicrosecondType, UInt16Type, UInt32Type,
};
use parquet::basic::{Compression, Encoding, Type};
use parquet::errors::{ParquetError, Result};
use parquet::schema::types::ColumnDescPtr;

use super::hybrid::varint;
use super::pages::{Chunk, PAGE_ROWS, Pages, Range};

/// Differences a block.
const BLOCK: usize = 128;

/// Numbers that are packed at one width.
const MINIBLOCK: usize = 32;

/// Encodes one column of numbers of one row group.
pub struct Numbers {
    pages: Pages,
    /// The values of the open page.
    values: Vec<i64>,
    /// They are Parquet's INT64, not INT32.
    wide: bool,
}

/// Whether a column of that type can be encoded here.
pub fn can_encode(data_type: &DataType) -> bool {
    use DataType::*;
    matches!(data_type, UInt16 | UInt32 | Int32 | Int64 | Timestamp(TimeUnit::Microsecond, _))
}

impl Numbers {
    /// An empty chunk of that column.
    pub fn new(column: ColumnDescPtr, compression: Compression, statistics: bool) -> Numbers {
        let wide = column.physical_type() == Type::INT64;
        let values = Vec::with_capacity(PAGE_ROWS);
        Numbers { pages: Pages::new(column, compression, statistics), values, wide }
    }

    /// Appends values.
    ///
    /// # Errors
    /// The array has another type, or compressing failed.
    pub fn write(&mut self, array: &dyn Array) -> Result<()> {
        let mut from = 0;
        while from < array.len() {
            let len = (array.len() - from).min(PAGE_ROWS - self.pages.rows());
            let piece = array.slice(from, len);
            self.pages.add(len, piece.nulls());
            match piece.data_type() {
                DataType::UInt16 => self.gather::<UInt16Type>(&piece),
                DataType::UInt32 => self.gather::<UInt32Type>(&piece),
                DataType::Int32 => self.gather::<Int32Type>(&piece),
                DataType::Int64 => self.gather::<Int64Type>(&piece),
                DataType::Timestamp(TimeUnit::Microsecond, _) => {
                    self.gather::<TimestampMicrosecondType>(&piece)
                }
                other => return Err(ParquetError::General(format!("no number: {other}"))),
            }
            from += len;
            if self.pages.rows() >= PAGE_ROWS {
                self.end_page()?;
            }
        }
        Ok(())
    }

    fn gather<T: ArrowPrimitiveType<Native: Into<i64>>>(&mut self, array: &dyn Array) {
        let array = array.as_primitive::<T>();
        match array.nulls() {
            None => self.values.extend(array.values().iter().map(|&value| value.into())),
            Some(nulls) => {
                let values = array.values();
                self.values.extend(nulls.valid_indices().map(|at| values[at].into()));
            }
        }
    }

    fn end_page(&mut self) -> Result<()> {
        if self.pages.rows() == 0 {
            return Ok(());
        }
        let (values, wide) = (&self.values, self.wide);
        let range = match (values.iter().min(), values.iter().max()) {
            (Some(&least), Some(&greatest)) if self.pages.has_statistics() => Range::Numbers(least, greatest),
            _ => Range::Empty,
        };
        self.pages.end(Encoding::DELTA_BINARY_PACKED, range, |body| encode(values, wide, body))?;
        self.values.clear();
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

/// Appends numbers as differences, of Parquet's INT64 if they are `wide`, else INT32.
///
/// Numbers of 32 bits, also those without a sign, have differences of 32 bits: they wrap, and so do
/// the readers' sums.
pub fn encode(values: &[i64], wide: bool, out: &mut Vec<u8>) {
    varint(BLOCK as u64, out);
    varint((BLOCK / MINIBLOCK) as u64, out);
    varint(values.len() as u64, out);
    let Some((&first, rest)) = values.split_first() else { return zigzag(0, out) };
    zigzag(if wide { first } else { i64::from(first as i32) }, out);
    let mut last = first;
    let mut deltas = [0; BLOCK];
    for chunk in rest.chunks(BLOCK) {
        for (delta, &value) in deltas.iter_mut().zip(chunk) {
            let whole = value.wrapping_sub(std::mem::replace(&mut last, value));
            *delta = if wide { whole } else { i64::from(whole as i32) };
        }
        block(&mut deltas, chunk.len(), out);
    }
}

/// Appends the first `count` differences as one block.
fn block(deltas: &mut [i64; BLOCK], count: usize, out: &mut Vec<u8>) {
    let least = deltas[..count].iter().copied().min().unwrap_or(0);
    // What is past the last difference is packed as zeros, or not at all.
    deltas[count..].fill(least);
    zigzag(least, out);
    let widths = out.len();
    out.extend_from_slice(&[0; BLOCK / MINIBLOCK]);
    let (miniblocks, _) = deltas.as_chunks::<MINIBLOCK>();
    for (at, miniblock) in miniblocks.iter().enumerate().take(count.div_ceil(MINIBLOCK)) {
        let numbers = miniblock.map(|delta| delta.wrapping_sub(least) as u64);
        let width = u64::BITS - numbers.iter().fold(0, |all, number| all | number).leading_zeros();
        out[widths + at] = width as u8;
        pack(&numbers, width, out);
    }
}

fn pack(numbers: &[u64; MINIBLOCK], width: u32, out: &mut Vec<u8>) {
    // As many whole words of 32 bits as a number has bits.
    if width <= 32 {
        let (mut bits, mut held) = (0u64, 0);
        for &number in numbers {
            bits |= number << held;
            held += width;
            if held >= 32 {
                out.extend_from_slice(&(bits as u32).to_le_bytes());
                bits >>= 32;
                held -= 32;
            }
        }
        return;
    }
    let (mut bits, mut held) = (0u128, 0);
    for &number in numbers {
        bits |= u128::from(number) << held;
        held += width;
        if held >= 64 {
            out.extend_from_slice(&(bits as u64).to_le_bytes());
            bits >>= 64;
            held -= 64;
        }
    }
    out.extend_from_slice(&bits.to_le_bytes()[..held as usize / 8]);
}

fn zigzag(number: i64, out: &mut Vec<u8>) {
    varint(((number << 1) ^ (number >> 63)) as u64, out);
}
