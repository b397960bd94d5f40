//! Times as requests write them: shapes that are fixed to the letter, and back to text.
//!
//! It must not know parameters or columns. Dumps are read more generously (`crate::time`); a request
//! is typed by someone who can be told what is wrong with it, and a PBX takes nothing else.

use std::ops::RangeInclusive;

use crate::time::{Clock, civil_from_days, days_from_civil};

const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;

/// From the first day to the last that can be written, in microseconds: years 1 to 9999.
pub(super) const WRITABLE: RangeInclusive<i64> = -719_162 * DAY..=2_932_897 * DAY - 1;

/// 2000-01-01, the date of a time of day without one.
const NO_DATE: i64 = 10_957;

/// What [`read_instant`] reads, for messages.
pub(super) const INSTANTS: &str = "YYYY-MM-DD, YYYY-MM-DDTHH:MM[:SS[.SSS]] or HH:MM[:SS[.SSS]], a time of day with \
                                   `Z`, `+HH:MM` or `-HH:MM` behind it if need be; ten digits (epoch seconds), or `now`";

/// An instant as UCM's `cdrapi` has it: UCM6xxx CDR guide, "CDR API URL Parameters".
///
/// ```text
/// instant = "now" | ten digits (epoch seconds) | date | [date "T"] clock [offset]
/// date    = YYYY-MM-DD                      without one: 2000-01-01
/// clock   = HH:MM[:SS[.SSS]]                without one: 00:00
/// offset  = "Z" | ("+" | "-") HH:MM         without one: UTC
/// ```
/// `now` is an argument, for it is the same all through a run.
pub(super) fn read_instant(text: &str, now: i64) -> Option<Clock> {
    let utc = |micros| Clock { micros, offset: Some(0) };
    if text == "now" {
        return Some(utc(now));
    }
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        let seconds: i64 = (text.len() == 10).then(|| text.parse().ok())??;
        return Some(utc(seconds * SECOND));
    }
    let (days, clock) = match date(text) {
        Some((days, "")) => return Some(utc(days * DAY)),
        Some((days, clock)) => (days, clock.strip_prefix('T')?),
        None => (NO_DATE, text),
    };
    let (of_day, rest) = time_of_day(clock, true)?;
    Some(Clock { micros: days * DAY + of_day, offset: Some(offset(rest)?) })
}

/// A time of the PBX's clock, in microseconds: `YYYY-MM-DD HH:MM`, and where they are allowed `:SS`.
pub(super) fn read_local(text: &str, seconds: bool) -> Option<i64> {
    let (days, clock) = date(text)?;
    let clock = clock.strip_prefix(' ')?;
    if clock.len() > 5 && !seconds {
        return None;
    }
    let (of_day, rest) = time_of_day(clock, false)?;
    rest.is_empty().then_some(days * DAY + of_day)
}

/// The day that the text begins with, and what follows it.
fn date(text: &str) -> Option<(i64, &str)> {
    let (year, rest) = number(text, 4)?;
    let (month, rest) = number(rest.strip_prefix('-')?, 2)?;
    let (day, rest) = number(rest.strip_prefix('-')?, 2)?;
    Some((days_from_civil(year, month, day)?, rest))
}

/// Microseconds since midnight, and what follows.
fn time_of_day(text: &str, fraction: bool) -> Option<(i64, &str)> {
    let (hour, rest) = number(text, 2).filter(|(hour, _)| *hour < 24)?;
    let (minute, rest) = sixtieth(rest.strip_prefix(':')?)?;
    let (second, rest) = rest.strip_prefix(':').map_or(Some((None, rest)), |rest| {
        let (second, rest) = sixtieth(rest)?;
        Some((Some(second), rest))
    })?;
    let (millis, rest) = match rest.strip_prefix('.') {
        Some(rest) if fraction && second.is_some() => number(rest, 3)?,
        _ => (0, rest),
    };
    let seconds = 3600 * hour + 60 * minute + second.unwrap_or(0);
    Some((i64::from(seconds) * SECOND + i64::from(millis) * 1000, rest))
}

/// Seconds east of Greenwich that a text says, all of it.
fn offset(text: &str) -> Option<i32> {
    let (sign, rest) = match text.as_bytes().first() {
        None => return Some(0),
        Some(b'Z') if text.len() == 1 => return Some(0),
        Some(b'+') => (1, &text[1..]),
        Some(b'-') => (-1, &text[1..]),
        _ => return None,
    };
    let (hours, rest) = number(rest, 2).filter(|(hours, _)| *hours < 24)?;
    let (minutes, rest) = sixtieth(rest.strip_prefix(':')?)?;
    rest.is_empty().then_some(sign * (3600 * hours + 60 * minutes) as i32)
}

fn sixtieth(text: &str) -> Option<(u32, &str)> {
    number(text, 2).filter(|(value, _)| *value < 60)
}

/// Exactly so many digits.
fn number(text: &str, width: usize) -> Option<(u32, &str)> {
    let digits = text.get(..width)?;
    let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
    Some((is_number.then(|| digits.parse().ok())??, &text[width..]))
}

/// An instant as [`read_instant`] reads it.
pub(super) fn print_instant(time: Clock) -> String {
    let offset = time.offset.unwrap_or(0);
    let (sign, minutes) = (if offset < 0 { '-' } else { '+' }, offset.unsigned_abs() / 60);
    let zone = match minutes {
        0 => "Z".to_string(),
        _ => format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60),
    };
    let millis = time.micros.rem_euclid(SECOND) / 1000;
    let fraction = if millis > 0 { format!(".{millis:03}") } else { String::new() };
    let seconds = print_local(time.micros, '-').replacen(' ', "T", 1);
    format!("{seconds}{fraction}{zone}")
}

/// A time of the PBX's clock to the second: `YYYY-MM-DD HH:MM:SS`, the date with that separator.
pub(super) fn print_local(micros: i64, separator: char) -> String {
    let (days, second) = (micros.div_euclid(DAY), micros.rem_euclid(DAY) / SECOND);
    let (year, month, day) = civil_from_days(days);
    format!(
        "{year:04}{separator}{month:02}{separator}{day:02} {:02}:{:02}:{:02}",
        second / 3600,
        second / 60 % 60,
        second % 60
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// 2024-05-17T12:34:56.789Z
    const NOW: i64 = 1_715_949_296_789_000;

    #[track_caller]
    fn check(text: &str, expected: Option<&str>) {
        let found = read_instant(text, NOW);
        assert_eq!(found.map(print_instant).as_deref(), expected, "{text}");
        assert_eq!(found.and_then(|time| read_instant(&print_instant(time), 0)), found, "{text}");
    }

    #[test]
    fn instants() {
        check("2013-01-23", Some("2013-01-23T00:00:00Z"));
        check("2013-01-23T00:00", Some("2013-01-23T00:00:00Z"));
        check("2013-07-01T00:00:00-06:00", Some("2013-07-01T00:00:00-06:00"));
        check("2013-07-01T23:59:59.999+05:30", Some("2013-07-01T23:59:59.999+05:30"));
        check("2013-07-01T12:00Z", Some("2013-07-01T12:00:00Z"));
        check("12:34", Some("2000-01-01T12:34:00Z"));
        check("12:34:56.789+01:00", Some("2000-01-01T12:34:56.789+01:00"));
        check("now", Some("2024-05-17T12:34:56.789Z"));
        check("1358899200", Some("2013-01-23T00:00:00Z"));
        check("0000000000", Some("1970-01-01T00:00:00Z"));
        check("0001-01-01T00:00+23:59", Some("0001-01-01T00:00:00+23:59"));
        check("9999-12-31T23:59:59.999-23:59", Some("9999-12-31T23:59:59.999-23:59"));
    }

    #[test]
    fn texts_that_are_no_instants() {
        for text in [
            "",
            "Now",
            "135889920",
            "13588992000",
            "2013-01-23Z",
            "2013-01-23T",
            "2013-01-23 00:00",
            "2013-1-23",
            "2013-02-29",
            "0000-01-01",
            "2013-01-23T24:00",
            "2013-01-23T12:60",
            "2013-01-23T12:00:60",
            "2013-01-23T12:00:00.5",
            "2013-01-23T12:00:00.5000",
            "2013-01-23T12:00.500",
            "2013-01-23T12:00+0100",
            "2013-01-23T12:00+24:00",
            "2013-01-23T12:00 01:00",
            "2013-01-23T12:00z",
            "T12:00",
            "1:00",
            "12:00:0",
            "ü012-01-01",
            "2013-01-23T12:00ü",
        ] {
            check(text, None);
        }
    }

    #[test]
    fn local_times() {
        let check = |text, seconds, expected: Option<&str>| {
            let found = read_local(text, seconds).map(|micros| print_local(micros, '-'));
            assert_eq!(found.as_deref(), expected, "{text}");
        };
        check("2021-05-07 00:00", false, Some("2021-05-07 00:00:00"));
        check("2021-05-07 23:59:58", true, Some("2021-05-07 23:59:58"));
        check("1969-12-31 23:59", true, Some("1969-12-31 23:59:00"));
        check("2021-05-07 23:59:58", false, None);
        check("2021-05-07 23:59:58.000", true, None);
        check("2021-05-07T23:59", true, None);
        check("2021-05-07", true, None);
        check("2021-05-07 ", true, None);
        check("2021-05-0723:59", true, None);
        check("05/07/2021 23:59", true, None);
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_not(text in any::<String>(), other in "[0-9TZ:.+-]{0,30}") {
            for text in [text, other] {
                if let Some(time) = read_instant(&text, 0) {
                    prop_assert_eq!(read_instant(&print_instant(time), 0), Some(time));
                }
                let _ = read_local(&text, true);
            }
        }
    }
}
