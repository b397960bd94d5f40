//! Finds the bytes that give a CSV dump its structure, 64 bytes at a time.
//!
//! For every 64 bytes of text the scanner gives 64-bit masks: where the delimiter stands, where quotes, where
//! line ends, and between which quotes a byte is. What they mean is up to `split` and `frame`, which work on the
//! masks in plain safe code. This file must not know records, quoting rules or vendors.
//!
//! ```text
//!   text        6 0 , " A , B " , 7 \n
//!   delimiter   0 0 1 0 0 1 0 0 1 0 0      bit 0 is the first byte
//!   quote       0 0 0 1 0 0 0 1 0 0 0
//!   odd         0 0 0 1 1 1 1 0 0 0 0
//!   eol         0 0 0 0 0 0 0 0 0 0 1
//! ```
//!
//! One of the places with `unsafe` (the other is `column/views.rs`), with its sibling `structure/json.rs`: it calls the
//! vector instructions that the processor was found to have. The reason is measured: `cargo bench structure` (memchr3
//! finds the same bytes at a fifth of the speed). The slow twin is [`portable`], which also serves
//! processors without them; the tests hold the two against each other.
#![allow(unsafe_code)]

pub mod json;

/// Where the structural bytes stand among 64 bytes: bit `i` is byte `i`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Masks {
    /// Field delimiters.
    pub delimiter: u64,
    /// Double quotes.
    pub quote: u64,
    /// Line ends.
    pub eol: u64,
    /// Whether the quotes up to that byte, it included, are odd in number.
    pub odd: u64,
}

/// How many bytes one [`Masks`] tells of.
pub const STEP: usize = 64;

/// Who is told of structural bytes as they are found. What it does is compiled into the loop, with the
/// instructions that were found: so nothing is written down, and its loops over bits are as fast as can be.
pub trait Eye<M = Masks> {
    /// Sees 64 bytes, and where they stand; `false` ends the scan. To be declared `#[inline(always)]`.
    fn see(&mut self, at: usize, masks: M) -> bool;
}

/// Shows the structural bytes of `text`, 64 bytes after 64; past the end all bits but `odd` are 0. Comes back with
/// whether the scan came to the end.
pub fn each(text: &[u8], delimiter: u8, eol: u8, eye: &mut impl Eye) -> bool {
    let (steps, rest) = text.as_chunks::<STEP>();
    let goes_on = each_step(steps, delimiter, eol, eye);
    if !goes_on || rest.is_empty() {
        return goes_on;
    }
    let mut last = [0u8; STEP];
    last[..rest.len()].copy_from_slice(rest);
    // A delimiter or line end is never NUL, but say so rather than trust it.
    let valid = (1u64 << rest.len()) - 1;
    each_step(&[last], delimiter, eol, &mut Last { eye, at: steps.len() * STEP, valid })
}

/// The last bytes of a text, which are less than 64.
struct Last<'e, E> {
    eye: &'e mut E,
    at: usize,
    valid: u64,
}

impl<E: Eye> Eye for Last<'_, E> {
    #[inline(always)]
    fn see(&mut self, _: usize, mut masks: Masks) -> bool {
        masks.delimiter &= self.valid;
        masks.eol &= self.valid;
        self.eye.see(self.at, masks)
    }
}

#[cfg(target_arch = "x86_64")]
#[inline]
fn each_step(steps: &[[u8; STEP]], delimiter: u8, eol: u8, eye: &mut impl Eye) -> bool {
    if has_bits() && std::is_x86_feature_detected!("avx512bw") {
        // SAFETY: the line above found avx512bw (which implies avx512f) and the others on this processor.
        unsafe { x86::each_avx512(steps, delimiter, eol, eye) }
    } else if has_bits() && std::is_x86_feature_detected!("avx2") {
        // SAFETY: the line above found avx2 and the others on this processor.
        unsafe { x86::each_avx2(steps, delimiter, eol, eye) }
    } else {
        each_portably(steps, delimiter, eol, eye)
    }
}

/// Whether there are the instructions on bits that come with the vectors.
#[cfg(target_arch = "x86_64")]
#[inline]
fn has_bits() -> bool {
    std::is_x86_feature_detected!("pclmulqdq")
        && std::is_x86_feature_detected!("popcnt")
        && std::is_x86_feature_detected!("bmi1")
        && std::is_x86_feature_detected!("bmi2")
}

#[cfg(not(target_arch = "x86_64"))]
#[inline]
fn each_step(steps: &[[u8; STEP]], delimiter: u8, eol: u8, eye: &mut impl Eye) -> bool {
    each_portably(steps, delimiter, eol, eye)
}

fn each_portably(steps: &[[u8; STEP]], delimiter: u8, eol: u8, eye: &mut impl Eye) -> bool {
    steps.iter().enumerate().all(|(at, step)| eye.see(at * STEP, portable(step, delimiter, eol)))
}

/// The masks of 64 bytes, byte by byte: the slow twin, and the way on other processors.
pub fn portable(step: &[u8; STEP], delimiter: u8, eol: u8) -> Masks {
    let mut masks = Masks::default();
    for (at, &byte) in step.iter().enumerate() {
        masks.delimiter |= u64::from(byte == delimiter) << at;
        masks.quote |= u64::from(byte == b'"') << at;
        masks.eol |= u64::from(byte == eol) << at;
    }
    masks.odd = odd(masks.quote);
    masks
}

/// Bit `i` of the result is the parity of bits `0..=i`.
pub fn odd(mut bits: u64) -> u64 {
    for shift in [1, 2, 4, 8, 16, 32] {
        bits ^= bits << shift;
    }
    bits
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::{Eye, Masks, STEP};
    use std::arch::x86_64::*;

    /// Call only where avx512bw was detected, and `has_bits`.
    #[target_feature(enable = "avx512f,avx512bw,pclmulqdq,popcnt,bmi1,bmi2")]
    pub(super) fn each_avx512(steps: &[[u8; STEP]], delimiter: u8, eol: u8, eye: &mut impl Eye) -> bool {
        let delimiter = _mm512_set1_epi8(delimiter as i8);
        let quote = _mm512_set1_epi8(b'"' as i8);
        let eol = _mm512_set1_epi8(eol as i8);
        for (at, step) in steps.iter().enumerate() {
            // SAFETY: `step` is a reference to 64 readable bytes; loadu needs no alignment.
            let bytes = unsafe { _mm512_loadu_si512(step.as_ptr().cast()) };
            let quote = _mm512_cmpeq_epi8_mask(bytes, quote);
            let masks = Masks {
                delimiter: _mm512_cmpeq_epi8_mask(bytes, delimiter),
                quote,
                eol: _mm512_cmpeq_epi8_mask(bytes, eol),
                odd: odd(quote),
            };
            if !eye.see(at * STEP, masks) {
                return false;
            }
        }
        true
    }

    /// Call only where avx2 was detected, and `has_bits`.
    #[target_feature(enable = "avx2,pclmulqdq,popcnt,bmi1,bmi2")]
    pub(super) fn each_avx2(steps: &[[u8; STEP]], delimiter: u8, eol: u8, eye: &mut impl Eye) -> bool {
        let delimiter = _mm256_set1_epi8(delimiter as i8);
        let quote = _mm256_set1_epi8(b'"' as i8);
        let eol = _mm256_set1_epi8(eol as i8);
        for (at, step) in steps.iter().enumerate() {
            // SAFETY: `step` is a reference to 64 readable bytes, of which each load reads 32;
            // loadu needs no alignment.
            let (low, high) = unsafe {
                (_mm256_loadu_si256(step.as_ptr().cast()), _mm256_loadu_si256(step.as_ptr().add(32).cast()))
            };
            let quote = equal(low, high, quote);
            let masks = Masks {
                delimiter: equal(low, high, delimiter),
                quote,
                eol: equal(low, high, eol),
                odd: odd(quote),
            };
            if !eye.see(at * STEP, masks) {
                return false;
            }
        }
        true
    }

    #[target_feature(enable = "avx2")]
    fn equal(low: __m256i, high: __m256i, byte: __m256i) -> u64 {
        let low = _mm256_movemask_epi8(_mm256_cmpeq_epi8(low, byte)) as u32;
        let high = _mm256_movemask_epi8(_mm256_cmpeq_epi8(high, byte)) as u32;
        u64::from(low) | u64::from(high) << 32
    }

    /// A product without carries by a number of ones alone is the parity of all bits up to each.
    #[target_feature(enable = "pclmulqdq")]
    pub(super) fn odd(bits: u64) -> u64 {
        let product = _mm_clmulepi64_si128::<0>(_mm_set_epi64x(0, bits as i64), _mm_set1_epi8(-1));
        _mm_cvtsi128_si64(product) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Writes all down.
    pub struct Written<'o, M>(pub &'o mut Vec<M>);

    impl<M> Eye<M> for Written<'_, M> {
        #[inline(always)]
        fn see(&mut self, at: usize, masks: M) -> bool {
            assert_eq!(at, self.0.len() * STEP);
            self.0.push(masks);
            true
        }
    }

    fn naive(text: &[u8], delimiter: u8, eol: u8) -> Vec<Masks> {
        let padded = |piece: &[u8]| {
            let mut step = [b'x'; STEP];
            step[..piece.len()].copy_from_slice(piece);
            step
        };
        text.chunks(STEP).map(|piece| portable(&padded(piece), delimiter, eol)).collect()
    }

    proptest! {
        #[test]
        fn vector_scan_equals_its_slow_twin(text in proptest::collection::vec(
            prop_oneof![Just(b','), Just(b'"'), Just(b'\n'), any::<u8>()], 0..400)) {
            let mut found = Vec::new();
            prop_assert!(each(&text, b',', b'\n', &mut Written(&mut found)));
            prop_assert_eq!(found, naive(&text, b',', b'\n'));
            #[cfg(target_arch = "x86_64")]
            if has_bits() && std::is_x86_feature_detected!("avx2") {
                let mut found = Vec::new();
                let (steps, _) = text.as_chunks::<STEP>();
                // SAFETY: all were detected above.
                assert!(unsafe { x86::each_avx2(steps, b',', b'\n', &mut Written(&mut found)) });
                prop_assert_eq!(found, steps.iter().map(|s| portable(s, b',', b'\n')).collect::<Vec<_>>());
            }
        }
    }
}
