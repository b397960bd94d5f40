//! Finds the bytes that give a CSV dump its structure, 64 bytes at a time.
//!
//! For every 64 bytes of text the scanner gives three 64-bit masks: where the delimiter stands,
//! where quotes, where line ends. What they mean is up to `split` and `frame`, which work on the
//! masks in plain safe code. This file must not know records, quoting rules or vendors.
//!
//! ```text
//!   text        6 0 , " A , B " , 7 \n
//!   delimiter   0 0 1 0 0 1 0 0 1 0 0      bit 0 is the first byte
//!   quote       0 0 0 1 0 0 0 1 0 0 0
//!   eol         0 0 0 0 0 0 0 0 0 0 1
//! ```
//!
//! One of the places with `unsafe` (the other is `column/views.rs`), with its sibling `structure/json.rs`: it calls the vector instructions
//! that the processor was found to have. The reason is measured: `cargo bench structure` (memchr3 finds
//! the same bytes at a fifth of the speed). The slow twin is [`portable`], which also serves
//! processors without them; the tests hold the two against each other.
#![allow(unsafe_code)]

pub mod json;

/// Where the three kinds of structural bytes stand among 64 bytes: bit `i` is byte `i`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Masks {
    /// Field delimiters.
    pub delimiter: u64,
    /// Double quotes.
    pub quote: u64,
    /// Line ends.
    pub eol: u64,
}

/// How many bytes one [`Masks`] tells of.
pub const STEP: usize = 64;

/// The structural bytes of `text`, one [`Masks`] for every 64 bytes; past its end all bits are 0.
pub fn scan(text: &[u8], delimiter: u8, eol: u8, out: &mut Vec<Masks>) {
    out.clear();
    out.reserve(text.len() / STEP + 1);
    let (steps, rest) = text.as_chunks::<STEP>();
    scan_steps(steps, delimiter, eol, out);
    if !rest.is_empty() {
        let mut last = [0u8; STEP];
        last[..rest.len()].copy_from_slice(rest);
        let mut masks = portable(&last, delimiter, eol);
        // A delimiter or line end is never NUL, but say so rather than trust it.
        let valid = (1u64 << rest.len()) - 1;
        masks.delimiter &= valid;
        masks.eol &= valid;
        out.push(masks);
    }
}

#[cfg(target_arch = "x86_64")]
fn scan_steps(steps: &[[u8; STEP]], delimiter: u8, eol: u8, out: &mut Vec<Masks>) {
    if std::is_x86_feature_detected!("avx512bw") {
        // SAFETY: the line above found avx512bw (which implies avx512f) on this processor.
        unsafe { x86::scan_avx512(steps, delimiter, eol, out) }
    } else if std::is_x86_feature_detected!("avx2") {
        // SAFETY: the line above found avx2 on this processor.
        unsafe { x86::scan_avx2(steps, delimiter, eol, out) }
    } else {
        out.extend(steps.iter().map(|step| portable(step, delimiter, eol)));
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn scan_steps(steps: &[[u8; STEP]], delimiter: u8, eol: u8, out: &mut Vec<Masks>) {
    out.extend(steps.iter().map(|step| portable(step, delimiter, eol)));
}

/// The masks of 64 bytes, byte by byte: the slow twin, and the way on other processors.
pub fn portable(step: &[u8; STEP], delimiter: u8, eol: u8) -> Masks {
    let mut masks = Masks::default();
    for (at, &byte) in step.iter().enumerate() {
        masks.delimiter |= u64::from(byte == delimiter) << at;
        masks.quote |= u64::from(byte == b'"') << at;
        masks.eol |= u64::from(byte == eol) << at;
    }
    masks
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::{Masks, STEP};
    use std::arch::x86_64::*;

    /// Call only where avx512bw was detected.
    #[target_feature(enable = "avx512f,avx512bw")]
    pub(super) fn scan_avx512(steps: &[[u8; STEP]], delimiter: u8, eol: u8, out: &mut Vec<Masks>) {
        let delimiter = _mm512_set1_epi8(delimiter as i8);
        let quote = _mm512_set1_epi8(b'"' as i8);
        let eol = _mm512_set1_epi8(eol as i8);
        out.extend(steps.iter().map(|step| {
            // SAFETY: `step` is a reference to 64 readable bytes; loadu needs no alignment.
            let bytes = unsafe { _mm512_loadu_si512(step.as_ptr().cast()) };
            Masks {
                delimiter: _mm512_cmpeq_epi8_mask(bytes, delimiter),
                quote: _mm512_cmpeq_epi8_mask(bytes, quote),
                eol: _mm512_cmpeq_epi8_mask(bytes, eol),
            }
        }));
    }

    /// Call only where avx2 was detected.
    #[target_feature(enable = "avx2")]
    pub(super) fn scan_avx2(steps: &[[u8; STEP]], delimiter: u8, eol: u8, out: &mut Vec<Masks>) {
        let delimiter = _mm256_set1_epi8(delimiter as i8);
        let quote = _mm256_set1_epi8(b'"' as i8);
        let eol = _mm256_set1_epi8(eol as i8);
        out.extend(steps.iter().map(|step| {
            // SAFETY: `step` is a reference to 64 readable bytes, of which each load reads 32;
            // loadu needs no alignment.
            let (low, high) = unsafe {
                (_mm256_loadu_si256(step.as_ptr().cast()), _mm256_loadu_si256(step.as_ptr().add(32).cast()))
            };
            Masks {
                delimiter: equal(low, high, delimiter),
                quote: equal(low, high, quote),
                eol: equal(low, high, eol),
            }
        }));
    }

    #[target_feature(enable = "avx2")]
    fn equal(low: __m256i, high: __m256i, byte: __m256i) -> u64 {
        let low = _mm256_movemask_epi8(_mm256_cmpeq_epi8(low, byte)) as u32;
        let high = _mm256_movemask_epi8(_mm256_cmpeq_epi8(high, byte)) as u32;
        u64::from(low) | u64::from(high) << 32
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

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
            scan(&text, b',', b'\n', &mut found);
            prop_assert_eq!(found, naive(&text, b',', b'\n'));
            #[cfg(target_arch = "x86_64")]
            if std::is_x86_feature_detected!("avx2") {
                let mut found = Vec::new();
                let (steps, _) = text.as_chunks::<STEP>();
                // SAFETY: avx2 was detected on the line above.
                unsafe { x86::scan_avx2(steps, b',', b'\n', &mut found) };
                prop_assert_eq!(found, steps.iter().map(|s| portable(s, b',', b'\n')).collect::<Vec<_>>());
            }
        }
    }
}
