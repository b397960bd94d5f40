//! Finds the bytes that give a JSON dump its structure, 64 bytes at a time.
//!
//! The splitter is shown quotes, backslashes, brackets, and the bytes that may follow a text's closing quote
//! ([`each`]); the framer for all bytes at which the plain part of a text ends ([`Stops`]). What they mean is up
//! to these two. The rules for `unsafe` and the slow twin are those of `structure.rs`.

use memchr::memchr_iter;

use super::{Eye, STEP, odd};

/// Where the structural bytes stand among 64 bytes: bit `i` is byte `i`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Masks {
    /// Double quotes.
    pub quote: u64,
    /// Backslashes.
    pub backslash: u64,
    /// `{`, `}`, `[` and `]`.
    pub bracket: u64,
    /// Blanks, `:`, `,`, `}` and `]`.
    pub follow: u64,
    /// Whether the quotes up to that byte, it included, are odd in number.
    pub odd: u64,
}

/// Shows the structural bytes of `text`, 64 bytes after 64; past its end `follow` is 1, and all else 0 but `odd`.
/// Comes back with whether the scan came to the end.
pub fn each(text: &[u8], eye: &mut impl Eye<Masks>) -> bool {
    let (steps, rest) = text.as_chunks::<STEP>();
    each_step(steps, eye) && (rest.is_empty() || eye.see(steps.len() * STEP, portable(&padded(rest))))
}

/// Where the plain part of a text ends: at a quote, a backslash or a control character. One bit a byte, one word
/// for every 64 bytes; past the end all bits are 1, and so is a whole word behind it.
///
/// They are found a step at a time, so that what is found is used while its text is still near the processor.
#[derive(Debug)]
pub struct Stops<'t> {
    text: &'t [u8],
    eol: u8,
    words: Vec<u64>,
    /// So many bytes were looked at.
    seen: usize,
    /// The line ends in them.
    lines: u64,
}

/// Bytes that are looked at in one go.
const NEAR: usize = 32 << 10;

impl<'t> Stops<'t> {
    /// Nothing is looked at yet.
    pub fn new(text: &'t [u8], eol: u8) -> Stops<'t> {
        let mut words = Vec::with_capacity(text.len() / STEP + 2);
        words.push(!0);
        Stops { text, eol, words, seen: 0, lines: 0 }
    }

    /// The words; those of the bytes before the one told to [`Stops::look`] are true, the last is all ones.
    #[inline]
    pub fn words(&self) -> &[u64] {
        &self.words
    }

    /// Looks at the text up to that byte at least.
    #[inline]
    pub fn look(&mut self, upto: usize) {
        while self.seen < upto.min(self.text.len()) {
            self.more();
        }
    }

    fn more(&mut self) {
        let near = &self.text[self.seen..self.text.len().min(self.seen + NEAR)];
        let (steps, rest) = near.as_chunks::<STEP>();
        self.words.pop();
        self.lines += stops_of(steps, self.eol, &mut self.words);
        if !rest.is_empty() {
            let (stops, ends) = portable_stops(&padded(rest), self.eol);
            self.words.push(stops | !0 << rest.len());
            self.lines += u64::from(ends);
        }
        self.words.push(!0);
        self.seen += near.len();
    }

    /// How many line ends the text has.
    pub fn lines(&self) -> u64 {
        self.lines + memchr_iter(self.eol, &self.text[self.seen..]).count() as u64
    }
}

/// Less than 64 bytes, with blanks behind them.
fn padded(rest: &[u8]) -> [u8; STEP] {
    let mut last = [b' '; STEP];
    last[..rest.len()].copy_from_slice(rest);
    last
}

#[cfg(target_arch = "x86_64")]
#[inline]
fn each_step(steps: &[[u8; STEP]], eye: &mut impl Eye<Masks>) -> bool {
    if super::has_bits() && std::is_x86_feature_detected!("avx512bw") {
        // SAFETY: the line above found avx512bw (which implies avx512f) and the others on this processor.
        unsafe { x86::each_avx512(steps, eye) }
    } else if super::has_bits() && std::is_x86_feature_detected!("avx2") {
        // SAFETY: the line above found avx2 and the others on this processor.
        unsafe { x86::each_avx2(steps, eye) }
    } else {
        each_portably(steps, eye)
    }
}

#[cfg(target_arch = "x86_64")]
fn stops_of(steps: &[[u8; STEP]], eol: u8, out: &mut Vec<u64>) -> u64 {
    if std::is_x86_feature_detected!("avx512bw") {
        // SAFETY: the line above found avx512bw (which implies avx512f) on this processor.
        unsafe { x86::stops_avx512(steps, eol, out) }
    } else if std::is_x86_feature_detected!("avx2") {
        // SAFETY: the line above found avx2 on this processor.
        unsafe { x86::stops_avx2(steps, eol, out) }
    } else {
        stops_portably(steps, eol, out)
    }
}

#[cfg(not(target_arch = "x86_64"))]
#[inline]
fn each_step(steps: &[[u8; STEP]], eye: &mut impl Eye<Masks>) -> bool {
    each_portably(steps, eye)
}

#[cfg(not(target_arch = "x86_64"))]
fn stops_of(steps: &[[u8; STEP]], eol: u8, out: &mut Vec<u64>) -> u64 {
    stops_portably(steps, eol, out)
}

fn each_portably(steps: &[[u8; STEP]], eye: &mut impl Eye<Masks>) -> bool {
    steps.iter().enumerate().all(|(at, step)| eye.see(at * STEP, portable(step)))
}

/// The masks of 64 bytes, byte by byte: the slow twin, and the way on other processors.
pub fn portable(step: &[u8; STEP]) -> Masks {
    let mut masks = Masks::default();
    for (at, &byte) in step.iter().enumerate() {
        masks.quote |= u64::from(byte == b'"') << at;
        masks.backslash |= u64::from(byte == b'\\') << at;
        masks.bracket |= u64::from(matches!(byte, b'{' | b'}' | b'[' | b']')) << at;
        let may_follow = matches!(byte, b' ' | b'\n' | b'\r' | b'\t' | b':' | b',' | b'}' | b']');
        masks.follow |= u64::from(may_follow) << at;
    }
    masks.odd = odd(masks.quote);
    masks
}

fn stops_portably(steps: &[[u8; STEP]], eol: u8, out: &mut Vec<u64>) -> u64 {
    let mut lines = 0;
    out.extend(steps.iter().map(|step| {
        let (stops, ends) = portable_stops(step, eol);
        lines += u64::from(ends);
        stops
    }));
    lines
}

/// The stops of 64 bytes, and how many line ends there are, byte by byte.
fn portable_stops(step: &[u8; STEP], eol: u8) -> (u64, u32) {
    let is_stop = |byte: u8| byte == b'"' || byte == b'\\' || byte < b' ';
    step.iter().enumerate().fold((0, 0), |(stops, lines), (at, &byte)| {
        (stops | u64::from(is_stop(byte)) << at, lines + u32::from(byte == eol))
    })
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::super::x86::odd;
    use super::{Eye, Masks, STEP};
    use std::arch::x86_64::*;

    /// Call only where avx512bw was detected, and `has_bits`.
    #[target_feature(enable = "avx512f,avx512bw,pclmulqdq,popcnt,bmi1,bmi2")]
    pub(super) fn each_avx512(steps: &[[u8; STEP]], eye: &mut impl Eye<Masks>) -> bool {
        let is = |bytes: __m512i, byte: u8| _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8(byte as i8));
        for (at, step) in steps.iter().enumerate() {
            // SAFETY: `step` is a reference to 64 readable bytes; loadu needs no alignment.
            let bytes = unsafe { _mm512_loadu_si512(step.as_ptr().cast()) };
            // `[` and `{`, `]` and `}` differ in this bit alone.
            let folded = _mm512_or_si512(bytes, _mm512_set1_epi8(0x20));
            let (open, close) = (is(folded, b'{'), is(folded, b'}'));
            let blank = is(bytes, b' ') | is(bytes, b'\n') | is(bytes, b'\r') | is(bytes, b'\t');
            let quote = is(bytes, b'"');
            let masks = Masks {
                quote,
                backslash: is(bytes, b'\\'),
                bracket: open | close,
                follow: blank | close | is(bytes, b':') | is(bytes, b','),
                odd: odd(quote),
            };
            if !eye.see(at * STEP, masks) {
                return false;
            }
        }
        true
    }

    /// Call only where avx512bw was detected.
    #[target_feature(enable = "avx512f,avx512bw")]
    pub(super) fn stops_avx512(steps: &[[u8; STEP]], eol: u8, out: &mut Vec<u64>) -> u64 {
        let mut lines = 0;
        out.extend(steps.iter().map(|step| {
            // SAFETY: `step` is a reference to 64 readable bytes; loadu needs no alignment.
            let bytes = unsafe { _mm512_loadu_si512(step.as_ptr().cast()) };
            let ends = _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8(eol as i8));
            lines += u64::from(ends.count_ones());
            _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8(b'"' as i8))
                | _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8(b'\\' as i8))
                | _mm512_cmplt_epu8_mask(bytes, _mm512_set1_epi8(b' ' as i8))
        }));
        lines
    }

    /// Call only where avx2 was detected, and `has_bits`.
    #[target_feature(enable = "avx2,pclmulqdq,popcnt,bmi1,bmi2")]
    pub(super) fn each_avx2(steps: &[[u8; STEP]], eye: &mut impl Eye<Masks>) -> bool {
        for (at, step) in steps.iter().enumerate() {
            let (low, high) = halves(step);
            let is = |byte: u8| {
                let byte = _mm256_set1_epi8(byte as i8);
                bits(_mm256_cmpeq_epi8(low, byte), _mm256_cmpeq_epi8(high, byte))
            };
            let half = |bytes: __m256i| {
                let is = |bytes: __m256i, byte: u8| _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(byte as i8));
                let or = |one: __m256i, other: __m256i| _mm256_or_si256(one, other);
                // `[` and `{`, `]` and `}` differ in this bit alone.
                let folded = or(bytes, _mm256_set1_epi8(0x20));
                let (open, close) = (is(folded, b'{'), is(folded, b'}'));
                let blank = or(or(is(bytes, b' '), is(bytes, b'\n')), or(is(bytes, b'\r'), is(bytes, b'\t')));
                (or(open, close), or(or(blank, close), or(is(bytes, b':'), is(bytes, b','))))
            };
            let ((bracket, follow), (bracket_high, follow_high)) = (half(low), half(high));
            let quote = is(b'"');
            let masks = Masks {
                quote,
                backslash: is(b'\\'),
                bracket: bits(bracket, bracket_high),
                follow: bits(follow, follow_high),
                odd: odd(quote),
            };
            if !eye.see(at * STEP, masks) {
                return false;
            }
        }
        true
    }

    /// Call only where avx2 was detected.
    #[target_feature(enable = "avx2")]
    pub(super) fn stops_avx2(steps: &[[u8; STEP]], eol: u8, out: &mut Vec<u64>) -> u64 {
        let mut lines = 0;
        out.extend(steps.iter().map(|step| {
            let (low, high) = halves(step);
            let end = _mm256_set1_epi8(eol as i8);
            let ends = bits(_mm256_cmpeq_epi8(low, end), _mm256_cmpeq_epi8(high, end));
            lines += u64::from(ends.count_ones());
            let half = |bytes: __m256i| {
                let is = |byte: u8| _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(byte as i8));
                // Below a blank is what is not changed by taking the lesser of it and 31.
                let control = _mm256_cmpeq_epi8(_mm256_min_epu8(bytes, _mm256_set1_epi8(31)), bytes);
                _mm256_or_si256(control, _mm256_or_si256(is(b'"'), is(b'\\')))
            };
            bits(half(low), half(high))
        }));
        lines
    }

    #[target_feature(enable = "avx2")]
    fn halves(step: &[u8; STEP]) -> (__m256i, __m256i) {
        // SAFETY: `step` is a reference to 64 readable bytes, of which each load reads 32; loadu needs
        // no alignment.
        unsafe {
            (_mm256_loadu_si256(step.as_ptr().cast()), _mm256_loadu_si256(step.as_ptr().add(32).cast()))
        }
    }

    #[target_feature(enable = "avx2")]
    fn bits(low: __m256i, high: __m256i) -> u64 {
        u64::from(_mm256_movemask_epi8(low) as u32) | u64::from(_mm256_movemask_epi8(high) as u32) << 32
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::Written;
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn stops_are_the_same_whatever_was_looked_at_before() {
        let text: Vec<u8> =
            (0..3 * NEAR + 77).map(|at| if at % 83 == 0 { b'"' } else { b'a' + (at % 7) as u8 }).collect();
        let mut whole = Stops::new(&text, b'\n');
        whole.look(usize::MAX);
        for first in [0, 1, NEAR - 1, NEAR, NEAR + 1, 3 * NEAR + 76] {
            let mut stops = Stops::new(&text, b'\n');
            stops.look(first);
            let (words, last) = stops.words().split_at(stops.words().len() - 1);
            assert_eq!((words, last), (&whole.words()[..words.len()], &[!0][..]));
            assert!(words.len() * STEP >= first);
            stops.look(text.len());
            assert_eq!(stops.words(), whole.words());
        }
    }

    proptest! {
        #[test]
        fn vector_scan_equals_its_slow_twin(text in proptest::collection::vec(
            prop_oneof![proptest::sample::select(b"\"\\{}[]:, \n\r\t\x0c\x1a;".to_vec()), any::<u8>()], 0..400)) {
            let (steps, rest) = text.as_chunks::<STEP>();
            let whole = |at: usize| steps.get(at).copied().unwrap_or_else(|| padded(rest));
            let words = text.len().div_ceil(STEP);
            let mut found = Vec::new();
            prop_assert!(each(&text, &mut Written(&mut found)));
            prop_assert_eq!(&found, &(0..words).map(|at| portable(&whole(at))).collect::<Vec<_>>());
            let mut stops = Stops::new(&text, b'\n');
            let lines = text.iter().filter(|byte| **byte == b'\n').count() as u64;
            prop_assert_eq!(stops.lines(), lines);
            stops.look(text.len());
            prop_assert_eq!(stops.lines(), lines);
            let found = stops.words();
            prop_assert_eq!(found.len(), words + 1);
            for at in 0..found.len() * STEP {
                let expected = text.get(at).is_none_or(|&byte| byte == b'"' || byte == b'\\' || byte < b' ');
                prop_assert_eq!(found[at / STEP] >> (at % STEP) & 1 == 1, expected, "{}", at);
            }
            #[cfg(target_arch = "x86_64")]
            if super::super::has_bits() && std::is_x86_feature_detected!("avx2") {
                let (mut masks, mut stops) = (Vec::new(), Vec::new());
                // SAFETY: all were detected on the line above.
                unsafe { x86::each_avx2(steps, &mut Written(&mut masks)) };
                // SAFETY: as before.
                let lines = unsafe { x86::stops_avx2(steps, b'\n', &mut stops) };
                prop_assert_eq!(masks, steps.iter().map(portable).collect::<Vec<_>>());
                let mut portably = Vec::new();
                prop_assert_eq!(lines, stops_portably(steps, b'\n', &mut portably));
                prop_assert_eq!(stops, portably);
            }
        }
    }
}
