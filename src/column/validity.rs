//! Which values of a column are there: one bit each.

use arrow::buffer::{BooleanBuffer, Buffer, NullBuffer};

/// The validity of a column while it is built.
pub struct Validity {
    words: Vec<u64>,
    /// The bits that fill no word yet.
    open: u64,
    len: usize,
    valid: usize,
}

impl Validity {
    /// For a column of some `rows` values.
    pub fn new(rows: usize) -> Validity {
        Validity { words: Vec::with_capacity(rows / 64 + 1), open: 0, len: 0, valid: 0 }
    }

    /// Appends one.
    #[inline]
    pub fn push(&mut self, valid: bool) {
        self.open |= u64::from(valid) << (self.len % 64);
        self.valid += usize::from(valid);
        self.len += 1;
        if self.len.is_multiple_of(64) {
            self.words.push(std::mem::take(&mut self.open));
        }
    }

    /// The null buffer, where something is null.
    pub fn finish(mut self) -> Option<NullBuffer> {
        if self.valid == self.len {
            return None;
        }
        self.words.push(self.open);
        // Arrow's bits stand in bytes, the first in the lowest of each.
        self.words.iter_mut().for_each(|word| *word = word.to_le());
        Some(NullBuffer::new(BooleanBuffer::new(Buffer::from_vec(self.words), 0, self.len)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_equal_those_of_arrows_own_builder() {
        for rows in [0, 1, 7, 8, 9, 64, 100] {
            let valid: Vec<bool> = (0..rows).map(|at| at % 3 != 0).collect();
            let mut validity = Validity::new(rows / 2);
            valid.iter().for_each(|&valid| validity.push(valid));
            let nulls = NullBuffer::from(valid);
            assert_eq!(validity.finish(), Some(nulls).filter(|nulls| nulls.null_count() > 0));
        }
    }
}
