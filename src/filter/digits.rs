//! Ranges of numbers that texts hold: of any length, digit by digit.
//!
//! What is no digit does not count, nor do zeros at the front; what has no digits is 0. So nothing is
//! ever turned into a number, and nothing can overflow. Many ranges are kept in order and without
//! overlap, so that a text is looked up and not gone through with each of them.
//!
//! This file must not know lists or requests.

use std::cmp::Ordering;

/// From one number to another, both included: digits without zeros at the front, none for 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DigitRange {
    /// The least.
    pub least: String,
    /// The greatest; where it is less than the least, nothing lies within.
    pub most: String,
}

impl DigitRange {
    /// From the digits of one text to those of another.
    pub fn new(least: &str, most: &str) -> DigitRange {
        DigitRange { least: digits(least).collect(), most: digits(most).collect() }
    }
}

/// Ranges of numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DigitRanges {
    /// In ascending order; none is empty or overlaps another.
    ranges: Vec<DigitRange>,
}

impl DigitRanges {
    /// These ranges.
    pub fn new(ranges: impl IntoIterator<Item = DigitRange>) -> DigitRanges {
        let mut ranges: Vec<DigitRange> =
            ranges.into_iter().filter(|range| key(&range.least) <= key(&range.most)).collect();
        ranges.sort_by(|a, b| key(&a.least).cmp(&key(&b.least)));
        let mut joined: Vec<DigitRange> = Vec::new();
        for range in ranges {
            match joined.last_mut() {
                Some(last) if key(&range.least) <= key(&last.most) => {
                    if key(&last.most) < key(&range.most) {
                        last.most = range.most;
                    }
                }
                _ => joined.push(range),
            }
        }
        DigitRanges { ranges: joined }
    }

    /// Whether nothing lies within.
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// Whether a text's digits, as a number, lie within one of them.
    pub fn contains(&self, text: &str) -> bool {
        let len = digits(text).count();
        let order = |bound: &str| len.cmp(&bound.len()).then_with(|| digits(text).cmp(bound.chars()));
        let found = self.ranges.binary_search_by(|range| match order(&range.least) {
            Ordering::Less => Ordering::Greater,
            _ if order(&range.most).is_gt() => Ordering::Less,
            _ => Ordering::Equal,
        });
        found.is_ok()
    }
}

/// The digits of a text without the zeros at the front.
fn digits(text: &str) -> impl Iterator<Item = char> + '_ {
    text.chars().filter(char::is_ascii_digit).skip_while(|digit| *digit == '0')
}

/// Numbers compare by their length, then digit by digit.
fn key(digits: &str) -> (usize, &str) {
    (digits.len(), digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_numbers_of_any_length() {
        let nines = "9".repeat(5000);
        let contains = |least: &str, most: &str, text: &str| {
            DigitRanges::new([DigitRange::new(least, most)]).contains(text)
        };
        assert!(contains("5300", "5303", "5302"));
        assert!(contains("5300", "5303", "05302"));
        assert!(contains("5300", "5303", "+53-02 ext"));
        assert!(contains("5300", "5303", "5300") && contains("5300", "5303", "5303"));
        assert!(!contains("5300", "5303", "5304") && !contains("5300", "5303", "53020"));
        assert!(!contains("5303", "5300", "5301"));
        assert!(!contains("5300", "", "5300"));
        assert!(contains("", "", "") && contains("", "", "Anonymous") && contains("", "", "000"));
        assert!(!contains("", "", "1") && !contains("1", "9", "Anonymous"));
        assert!(contains("1", &nines, &"8".repeat(5000)) && !contains("1", &nines, &format!("1{nines}")));
    }

    #[test]
    fn ranges_that_overlap_are_one() {
        let check = |ranges: &[(&str, &str)], expected: &[(&str, &str)]| {
            let new = |ranges: &[(&str, &str)]| -> Vec<_> {
                ranges.iter().map(|(least, most)| DigitRange::new(least, most)).collect()
            };
            assert_eq!(DigitRanges::new(new(ranges)).ranges, new(expected), "{ranges:?}");
        };
        check(&[("5", "9"), ("7", "12"), ("100", "200")], &[("5", "12"), ("100", "200")]);
        check(&[("100", "200"), ("", "99")], &[("", "99"), ("100", "200")]);
        check(&[("1", "100"), ("5", "9")], &[("1", "100")]);
        check(&[("9", "5"), ("5300", "")], &[]);
        assert!(DigitRanges::new([DigitRange::new("9", "5")]).is_empty());
    }

    #[test]
    fn a_number_is_looked_up_as_if_each_range_were_asked() {
        let ranges: Vec<_> =
            (0..50).map(|at| (20 * at + 3, 20 * at + 3 + at % 23)).chain([(7, 6), (990, 2000)]).collect();
        let of = |&(least, most): &(u32, u32)| DigitRange::new(&least.to_string(), &most.to_string());
        let all = DigitRanges::new(ranges.iter().map(of));
        for number in 0..3000 {
            let within = ranges.iter().any(|(least, most)| (*least..=*most).contains(&number));
            assert_eq!(all.contains(&format!("+{number:05}")), within, "{number}");
        }
    }
}
