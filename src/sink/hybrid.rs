//! Parquet's hybrid of runs and packed bits, for dictionary codes and definition levels.
//!
//! Source: Apache Parquet, "Encodings", "Run Length Encoding / Bit-Packing Hybrid". It must not
//! know what the numbers are.
//!
//! ```text
//! run     = varint(length << 1) value            value in the whole bytes that `width` bits need
//! packed  = varint(groups << 1 | 1) bits         groups of eight, the lowest bit first
//! ```

/// Runs shorter than a group are packed.
const GROUP: usize = 8;

/// Appends the numbers, each of at most `width` bits.
pub fn encode(numbers: &[u32], width: u32, out: &mut Vec<u8>) {
    let (mut at, mut packed_from) = (0, 0);
    while at < numbers.len() {
        let run = run_length(&numbers[at..]);
        // Packed groups are whole, so they may take the first of the run.
        let taken = (at - packed_from).next_multiple_of(GROUP) - (at - packed_from);
        if run >= taken + GROUP {
            pack(&numbers[packed_from..at + taken], width, out);
            varint(((run - taken) as u64) << 1, out);
            out.extend_from_slice(&numbers[at].to_le_bytes()[..width.div_ceil(8) as usize]);
            packed_from = at + run;
        }
        at += run;
    }
    pack(&numbers[packed_from..], width, out);
}

/// How often the first number comes in a row.
fn run_length(numbers: &[u32]) -> usize {
    let first = numbers[0];
    let near = numbers.iter().take(GROUP).position(|&number| number != first);
    if let Some(run) = near {
        return run;
    }
    // Long runs are common, too, and are passed over many numbers at a time.
    let mut whole = 0;
    for piece in numbers.as_chunks::<32>().0 {
        if piece.iter().any(|&number| number != first) {
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
    let groups = numbers.len().div_ceil(GROUP);
    varint((groups as u64) << 1 | 1, out);
    let end = out.len() + groups * width as usize;
    let (mut bits, mut held) = (0u64, 0);
    for &number in numbers {
        bits |= u64::from(number) << held;
        held += width;
        if held >= 32 {
            out.extend_from_slice(&(bits as u32).to_le_bytes());
            bits >>= 32;
            held -= 32;
        }
    }
    out.extend_from_slice(&bits.to_le_bytes()[..held.div_ceil(8) as usize]);
    out.resize(end, 0);
}

fn varint(mut number: u64, out: &mut Vec<u8>) {
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

    #[test]
    fn widths() {
        assert_eq!([0, 1, 2, 3, 4, 255, 256].map(width_of), [0, 1, 2, 2, 3, 8, 9]);
    }
}
