//! Parquet's hybrid of runs and packed bits, for dictionary codes and definition levels.
//!
//! Source: Apache Parquet, "Encodings", "Run Length Encoding / Bit-Packing Hybrid". It must not
//! know what the numbers are.
//!
//! ```text
//! run     = varint(length << 1) value            value in the whole bytes that `width` bits need
//! packed  = varint(groups << 1 | 1) bits         groups of eight, the lowest bit first
//! ```

/// Numbers are packed eight at a time.
const GROUP: usize = 8;

/// Runs of fewer groups are packed: beside packed groups a run costs a header more.
const LEAST_RUN: usize = 2 * GROUP;

/// Appends the numbers, each of at most `width` bits.
pub fn encode(numbers: &[u32], width: u32, out: &mut Vec<u8>) {
    let (mut at, mut packed_from) = (0, 0);
    // Runs are looked for where groups begin, so that the groups packed before one are whole.
    while let Some(group) = numbers.get(at..at + GROUP) {
        let first = group[0];
        let is_run = group.iter().fold(0, |differs, number| differs | (number ^ first)) == 0;
        let run = if is_run { run_length(&numbers[at..]) } else { 0 };
        if run < LEAST_RUN {
            at += GROUP;
            continue;
        }
        pack(&numbers[packed_from..at], width, out);
        varint((run as u64) << 1, out);
        out.extend_from_slice(&first.to_le_bytes()[..width.div_ceil(8) as usize]);
        at += run;
        packed_from = at;
    }
    pack(&numbers[packed_from..], width, out);
}

/// How often the first number comes in a row.
fn run_length(numbers: &[u32]) -> usize {
    let first = numbers[0];
    let mut whole = 0;
    for piece in numbers.as_chunks::<32>().0 {
        if piece.iter().fold(0, |differs, number| differs | (number ^ first)) != 0 {
            break;
        }
        whole += 32;
    }
    let rest = &numbers[whole..];
    whole + rest.iter().position(|&number| number != first).unwrap_or(rest.len())
}

/// Appends numbers packed; the last group is filled with zeros.
fn pack(numbers: &[u32], width: u32, out: &mut Vec<u8>) {
    if numbers.is_empty() {
        return;
    }
    let (groups, rest) = numbers.as_chunks::<GROUP>();
    varint(((groups.len() + usize::from(!rest.is_empty())) as u64) << 1 | 1, out);
    if width <= 16 {
        pack_narrow(groups, width, out);
    } else {
        groups.iter().for_each(|group| pack_group(group, width, out));
    }
    if !rest.is_empty() {
        let mut last = [0; GROUP];
        last[..rest.len()].copy_from_slice(rest);
        pack_group(&last, width, out);
    }
}

/// The same for groups of numbers of at most 16 bits. Each is written as 16 bytes, of which the next one overwrites
/// what is too many: copies of one size need no call.
fn pack_narrow(groups: &[[u32; GROUP]], width: u32, out: &mut Vec<u8>) {
    const WHOLE: usize = size_of::<u128>();
    let mut at = out.len();
    out.resize(at + groups.len() * width as usize + WHOLE, 0);
    for group in groups {
        out[at..at + WHOLE].copy_from_slice(&narrow(group, width).to_le_bytes());
        at += width as usize;
    }
    out.truncate(at);
}

#[inline]
fn narrow(group: &[u32; GROUP], width: u32) -> u128 {
    // Four of at most 16 bits fit a word.
    let four = |half: usize| {
        let number = |at: usize| u64::from(group[half * 4 + at]) << (at as u32 * width);
        number(0) | number(1) | number(2) | number(3)
    };
    u128::from(four(0)) | u128::from(four(1)) << (4 * width)
}

/// Appends eight numbers, the first in the lowest bits: as many bytes as a number has bits.
#[inline]
fn pack_group(group: &[u32; GROUP], width: u32, out: &mut Vec<u8>) {
    if width <= 16 {
        out.extend_from_slice(&narrow(group, width).to_le_bytes()[..width as usize]);
        return;
    }
    let (mut bits, mut held) = (0u64, 0);
    for &number in group {
        bits |= u64::from(number) << held;
        held += width;
        if held >= 32 {
            out.extend_from_slice(&(bits as u32).to_le_bytes());
            bits >>= 32;
            held -= 32;
        }
    }
    out.extend_from_slice(&bits.to_le_bytes()[..held as usize / 8]);
}

/// Appends `len` bits, `ones` of them set, the first in the lowest of each byte, as numbers of width 1.
pub fn encode_bits(bits: &[u8], len: usize, ones: usize, out: &mut Vec<u8>) {
    if ones == 0 || ones == len {
        varint((len as u64) << 1, out);
        out.push(u8::from(ones > 0));
        return;
    }
    let bytes = len.div_ceil(8);
    varint((bytes as u64) << 1 | 1, out);
    out.extend_from_slice(&bits[..bytes]);
}

/// Appends a number, seven bits a byte, the lowest first.
pub fn varint(mut number: u64, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// How many bits the numbers up to `most` need.
pub fn width_of(most: u32) -> u32 {
    u32::BITS - most.leading_zeros()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The slow twin: reads number by number, bit by bit.
    fn decode(mut bytes: &[u8], width: u32, count: usize) -> Vec<u32> {
        let mut numbers = Vec::new();
        while numbers.len() < count {
            let (mut header, mut shift) = (0u64, 0);
            loop {
                let byte = bytes[0];
                bytes = &bytes[1..];
                header |= u64::from(byte & 0x7f) << shift;
                shift += 7;
                if byte & 0x80 == 0 {
                    break;
                }
            }
            let times = (header >> 1) as usize;
            if header & 1 == 0 {
                let len = width.div_ceil(8) as usize;
                let value = bytes[..len].iter().rev().fold(0u32, |value, byte| value << 8 | u32::from(*byte));
                bytes = &bytes[len..];
                numbers.extend(std::iter::repeat_n(value, times));
            } else {
                for number in 0..times * 8 {
                    let bit = |at: usize| u32::from(bytes[at / 8] >> (at % 8) & 1);
                    let from = number * width as usize;
                    numbers.push((0..width as usize).map(|at| bit(from + at) << at).sum());
                }
                bytes = &bytes[times * width as usize..];
            }
        }
        assert!(bytes.is_empty());
        numbers.truncate(count);
        numbers
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_read_back(
            runs in proptest::collection::vec((any::<u32>(), 1usize..40), 0..40),
            width in 1u32..=20,
        ) {
            let most = (1u64 << width) - 1;
            let numbers: Vec<u32> = runs
                .into_iter()
                .flat_map(|(number, times)| std::iter::repeat_n((u64::from(number) & most) as u32, times))
                .collect();
            let mut bytes = Vec::new();
            encode(&numbers, width, &mut bytes);
            prop_assert_eq!(decode(&bytes, width, numbers.len()), numbers);
        }
    }

    proptest! {
        #[test]
        fn bits_are_read_back(
            runs in proptest::collection::vec((any::<bool>(), 1usize..40), 1..20),
        ) {
            let all: Vec<bool> =
                runs.into_iter().flat_map(|(bit, times)| std::iter::repeat_n(bit, times)).collect();
            let mut bits = vec![0; all.len().div_ceil(8)];
            all.iter().enumerate().for_each(|(at, &bit)| bits[at / 8] |= u8::from(bit) << (at % 8));
            let mut bytes = Vec::new();
            encode_bits(&bits, all.len(), all.iter().filter(|bit| **bit).count(), &mut bytes);
            let expected: Vec<u32> = all.iter().map(|&bit| u32::from(bit)).collect();
            prop_assert_eq!(decode(&bytes, 1, expected.len()), expected);
        }
    }

    #[test]
    fn widths() {
        assert_eq!([0, 1, 2, 3, 4, 255, 256].map(width_of), [0, 1, 2, 2, 3, 8, 9]);
    }
}
