//! A duration, read by its shape: `12`, `6s`, `0:13:45`, `13:45`.
//!
//! It must not know columns, nor compare a duration with times. The idea: whole seconds or an
//! error, never a guess; what Excel made of a number (`1.9E+10`) is an error like any other.

use super::{EM_DASH, digit};

/// Reads a duration in whole seconds; an empty text or a dash (`—`) is `None`.
///
/// ```text
/// duration = ["-"] digit+                a clock that was set back gives a negative number
///          | digit+ "s"
///          | [digit+ ":"] digit+ ":" ss      in H:MM:SS the minutes, too, are two digits below 60
/// ```
///
/// # Errors
/// Any other text, and what `i32` does not hold. There is one way to be wrong, so the error says
/// nothing: the reject reason is `bad-number`.
#[allow(clippy::result_unit_err)]
#[inline]
pub fn read_seconds(text: &[u8]) -> Result<Option<i32>, ()> {
    if let Some(seconds) = few_digits(text) {
        return Ok(Some(seconds));
    }
    let text = text.trim_ascii();
    if text.is_empty() || text == EM_DASH {
        return Ok(None);
    }
    let seconds = match text {
        [b'-', digits @ ..] => -whole(digits).ok_or(())?,
        [digits @ .., b's'] => whole(digits).ok_or(())?,
        _ => match whole(text) {
            Some(seconds) => seconds,
            None => by_colons(text).ok_or(())?,
        },
    };
    i32::try_from(seconds).map(Some).map_err(|_| ())
}

/// Nearly all: digits alone, so few that any number of them fits.
#[inline]
fn few_digits(text: &[u8]) -> Option<i32> {
    if text.is_empty() || text.len() > 9 {
        return None;
    }
    let (mut value, mut is_digits) = (0i32, true);
    for &byte in text {
        let digit = byte.wrapping_sub(b'0');
        // What is no digit may make it too large; then nobody sees it.
        value = value.wrapping_mul(10).wrapping_add(i32::from(digit));
        is_digits &= digit <= 9;
    }
    is_digits.then_some(value)
}

/// `H:MM:SS` or `MM:SS`; the first number has no bound of its own.
fn by_colons(text: &[u8]) -> Option<i64> {
    match *text {
        [ref hours @ .., b':', a, b, b':', c, d] => {
            Some(3600 * whole(hours)? + 60 * sixtieth(a, b)? + sixtieth(c, d)?)
        }
        [ref minutes @ .., b':', c, d] => Some(60 * whole(minutes)? + sixtieth(c, d)?),
        _ => None,
    }
}

/// Two digits, below 60.
fn sixtieth(tens: u8, ones: u8) -> Option<i64> {
    let value = 10 * digit(tens)? + digit(ones)?;
    (value < 60).then_some(i64::from(value))
}

/// Digits alone, at least one, at most 2^32 in value: more is out of range whatever its unit.
#[inline]
fn whole(digits: &[u8]) -> Option<i64> {
    let mut value = 0;
    for &byte in digits {
        value = 10 * value + i64::from(digit(byte)?);
        if value > 1 << 32 {
            return None;
        }
    }
    (!digits.is_empty()).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(text: &str, seconds: i32) {
        assert_eq!(read_seconds(text.as_bytes()), Ok(Some(seconds)), "{text:?}");
    }

    #[track_caller]
    fn check_none(text: &str) {
        assert_eq!(read_seconds(text.as_bytes()), Ok(None), "{text:?}");
    }

    #[track_caller]
    fn check_error(text: &str) {
        assert_eq!(read_seconds(text.as_bytes()), Err(()), "{text:?}");
    }

    #[test]
    fn plain_seconds() {
        check("0", 0);
        check("12", 12);
        check(" 007\t", 7);
        check("2147483647", i32::MAX);
        check("000000000000000000000000000012", 12);
    }

    #[test]
    fn seconds_with_their_unit() {
        check("6s", 6);
        check("13s ", 13);
    }

    #[test]
    fn clock_durations() {
        check("0:13:45", 825);
        check("00:00:07", 7);
        check("13:45", 825);
        check("0:05", 5);
        check("125:00:00", 450_000);
        check("90:00", 5_400);
    }

    #[test]
    fn a_clock_set_back_gives_negative_seconds() {
        check("-1", -1);
        check("-0", 0);
        check("-2147483648", i32::MIN);
    }

    #[test]
    fn empty_and_dash_are_null() {
        check_none("");
        check_none("   ");
        check_none("—");
    }

    #[test]
    fn what_i32_does_not_hold_is_an_error() {
        check_error("2147483648");
        check_error("-2147483649");
        check_error("99999999999999999999999999999999999999");
        check_error("596524:00:00");
        check_error("99999999999:00:00");
    }

    #[test]
    fn what_is_no_whole_number_is_an_error() {
        check_error("abc");
        check_error("1.9098E+10");
        check_error("12.0");
        check_error("+5");
        check_error("-");
        check_error("s");
        check_error("-6s");
        check_error("6 s");
        check_error("1 2");
    }

    #[test]
    fn what_is_no_clock_duration_is_an_error() {
        check_error("0:60:00");
        check_error("0:00:60");
        check_error("0:0:00");
        check_error(":05");
        check_error("1:2");
        check_error("1:00:00:00");
        check_error("-1:00");
        check_error("0:13:45s");
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(text in proptest::collection::vec(any::<u8>(), 0..24)) {
            let _ = read_seconds(&text);
        }

        #[test]
        fn numbers_read_as_std_reads_them(number in -3_000_000_000i64..3_000_000_000) {
            let expected = i32::try_from(number).map(Some).map_err(|_| ());
            prop_assert_eq!(read_seconds(number.to_string().as_bytes()), expected);
        }

        #[test]
        fn texts_of_a_durations_characters_are_read_without_panic(text in "[0-9:s —\\-]{0,12}") {
            let _ = read_seconds(text.as_bytes());
        }
    }
}
