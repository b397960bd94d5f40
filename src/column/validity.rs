//! Which values of a column are there: one bit each.

use arrow::buffer::{BooleanBuffer, Buffer, NullBuffer};

/// The validity of a column while it is built.
pub struct Validity {
    bits: Vec<u8>,
    len: usize,
    nulls: usize,
}

impl Validity {
    /// For a column of at most `rows` values.
    pub fn new(rows: usize) -> Validity {
        Validity { bits: vec![0; rows.div_ceil(8)], len: 0, nulls: 0 }
    }

    /// Appends one.
    #[inline]
    pub fn push(&mut self, valid: bool) {
        if self.len == self.bits.len() * 8 {
            self.bits.push(0);
        }
        self.bits[self.len / 8] |= u8::from(valid) << (self.len % 8);
        self.nulls += usize::from(!valid);
        self.len += 1;
    }

    /// The null buffer, where something is null.
    pub fn finish(self) -> Option<NullBuffer> {
        let bits = BooleanBuffer::new(Buffer::from_vec(self.bits), 0, self.len);
        (self.nulls > 0).then(|| NullBuffer::new(bits))
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
