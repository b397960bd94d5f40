//! Numbers as requests and rows have them: exact, with up to nine decimals.
//!
//! It must not know where a text stands. A text that is no such number is nothing, never zero.

use std::fmt;

/// A number in billionths: all 64-bit integers and far more, exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Number(pub i128);

impl Number {
    const ONE: i128 = 1_000_000_000;
    const DECIMALS: usize = 9;

    /// A whole number.
    pub fn whole(number: i64) -> Number {
        Number(i128::from(number) * Number::ONE)
    }

    /// Reads a number, blanks about it passed over:
    ///
    /// ```text
    /// number = [ "+" | "-" ] ( digits [ "." [ digits ] ] | "." digits )
    /// ```
    ///
    /// Nothing comes of what is written otherwise, has more than nine decimals that count, or is larger
    /// than 10²⁹ or so.
    pub fn parse(text: &str) -> Option<Number> {
        let text = text.trim_ascii();
        let (is_negative, unsigned) = match text.as_bytes().first()? {
            b'-' => (true, &text[1..]),
            b'+' => (false, &text[1..]),
            _ => (false, text),
        };
        let (whole, decimals) = unsigned.split_once('.').unwrap_or((unsigned, ""));
        if whole.is_empty() && decimals.is_empty() {
            return None;
        }
        let decimals_end = decimals.trim_end_matches('0').len().max(decimals.len().min(Number::DECIMALS));
        let kept = &decimals[..decimals_end];
        if kept.len() > Number::DECIMALS {
            return None;
        }
        let missing = Number::DECIMALS - kept.len();
        let zeros = std::iter::repeat_n(b'0', missing);
        let is_digits = decimals[decimals_end..].bytes().all(|byte| byte == b'0');
        let all = whole.bytes().chain(kept.bytes()).chain(zeros);
        let number = all.into_iter().try_fold(0i128, |sum, byte| {
            let digit = byte.is_ascii_digit().then(|| i128::from(byte - b'0'))?;
            sum.checked_mul(10)?.checked_add(digit)
        })?;
        is_digits.then_some(Number(if is_negative { -number } else { number }))
    }
}

impl From<u64> for Number {
    fn from(number: u64) -> Number {
        Number(i128::from(number) * Number::ONE)
    }
}

/// Without decimals that say nothing: `-1.5`, `60`.
impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let one = Number::ONE.unsigned_abs();
        let (whole, rest) = (self.0.unsigned_abs() / one, self.0.unsigned_abs() % one);
        if self.0 < 0 {
            f.write_str("-")?;
        }
        write!(f, "{whole}")?;
        if rest > 0 {
            write!(f, ".{}", format!("{rest:09}").trim_end_matches('0'))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<&str>) {
        assert_eq!(Number::parse(text).map(|number| number.to_string()).as_deref(), expected, "{text:?}");
    }

    #[test]
    fn numbers_are_exact() {
        check("0", Some("0"));
        check("-0", Some("0"));
        check("+8", Some("8"));
        check(" 60 ", Some("60"));
        check("0060", Some("60"));
        check("-1.50", Some("-1.5"));
        check(".5", Some("0.5"));
        check("5.", Some("5"));
        check("0.000000001", Some("0.000000001"));
        check("-0.000000001", Some("-0.000000001"));
        check("1.00000000000000000000000", Some("1"));
        check("9223372036854775807", Some("9223372036854775807"));
        check("-9223372036854775808", Some("-9223372036854775808"));
        check("170141183460469231731687303715", Some("170141183460469231731687303715"));
    }

    #[test]
    fn what_is_no_number_is_nothing() {
        for text in ["", " ", "-", ".", "+.", "1e3", "1 2", "5a", "--5", "0x10", "٣", "1.5.5", "NaN", "inf"]
        {
            check(text, None);
        }
        check("0.0000000001", None);
        check("1.00000000000000000000001", None);
        check("1.a000000000", None);
        check("1.0000000000a", None);
        check("170141183460469231731687303716", None);
        check(&"9".repeat(1000), None);
    }

    #[test]
    fn order_is_that_of_the_numbers() {
        let number = |text| Number::parse(text).unwrap();
        assert!(number("-2") < number("-1.5") && number("-1.5") < number("0") && number("9") < number("10"));
        assert_eq!(number("1.50"), number("1.5"));
        assert_eq!(Number::whole(i64::MIN), number("-9223372036854775808"));
    }
}
