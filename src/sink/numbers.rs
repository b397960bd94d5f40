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
        let range = match values.first() {
            Some(&first) if self.pages.has_statistics() => {
                let (least, greatest) = values
                    .iter()
                    .fold((first, first), |(least, most), &value| (least.min(value), most.max(value)));
                Range::Numbers(least, greatest)
            }
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
    let mut deltas = [0; BLOCK];
    for (befores, chunk) in values.chunks(BLOCK).zip(rest.chunks(BLOCK)) {
        for (delta, (value, before)) in deltas.iter_mut().zip(chunk.iter().zip(befores)) {
            *delta = value.wrapping_sub(*before);
        }
        if !wide {
            deltas.iter_mut().for_each(|delta| *delta = i64::from(*delta as i32));
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

/// Appends numbers of `width` bits each, the first in the lowest: as many words of 32 bits as a number has bits.
fn pack(numbers: &[u64; MINIBLOCK], width: u32, out: &mut Vec<u8>) {
    const WHOLE: usize = size_of::<u128>();
    let mut at = out.len();
    let end = at + MINIBLOCK / 8 * width as usize;
    // What is written past a number's end, the next one overwrites: copies of one size need no call.
    out.resize(end + 2 * WHOLE, 0);
    match width {
        0 => {}
        1..=31 => {
            for eight in numbers.as_chunks::<8>().0 {
                let [low, high] = fours(eight, width);
                let next = high >> (u128::BITS - 4 * width);
                out[at..at + WHOLE].copy_from_slice(&(low | high << (4 * width)).to_le_bytes());
                out[at + WHOLE..at + 2 * WHOLE].copy_from_slice(&next.to_le_bytes());
                at += width as usize;
            }
        }
        _ => {
            let (mut bits, mut held) = (0u128, 0);
            for &number in numbers {
                bits |= u128::from(number) << held;
                held += width;
                out[at..at + WHOLE].copy_from_slice(&bits.to_le_bytes());
                // Whole bytes are done with; at most 71 bits were held, so at least a byte stays free.
                at += held as usize / 8;
                bits >>= held / 8 * 8;
                held %= 8;
            }
        }
    }
    out.truncate(end);
}

/// Four numbers and the four behind them, packed; each of at most 32 bits.
#[inline]
fn fours(numbers: &[u64; 8], width: u32) -> [u128; 2] {
    let two = |at: usize| u128::from(numbers[at] | numbers[at + 1] << width);
    [two(0) | two(2) << (2 * width), two(4) | two(6) << (2 * width)]
}

fn zigzag(number: i64, out: &mut Vec<u8>) {
    varint(((number << 1) ^ (number >> 63)) as u64, out);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// The slow twin: bit by bit.
        #[test]
        fn numbers_of_every_width_are_packed(numbers: [u64; MINIBLOCK], behind in 0usize..3) {
            for width in 0..=64 {
                let numbers = numbers.map(|number| number & u64::MAX.checked_shr(64 - width).unwrap_or(0));
                let mut packed = vec![7; behind];
                pack(&numbers, width, &mut packed);
                let bits = numbers.iter().flat_map(|number| (0..width).map(move |bit| (number >> bit & 1) as u8));
                let bits: Vec<u8> = bits.collect();
                let bytes = bits.chunks(8).map(|bits| bits.iter().rev().fold(0, |byte, bit| byte << 1 | bit));
                prop_assert_eq!(&packed[..behind], &vec![7; behind]);
                prop_assert_eq!(&packed[behind..], bytes.collect::<Vec<u8>>(), "{}", width);
            }
        }
    }
}
