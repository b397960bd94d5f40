//! How times are spelt, and when two names are the same.

use crate::time::civil_from_days;

const SECOND: i64 = 1_000_000;

/// What a time is made of.
pub(super) struct Civil {
    pub(super) year: i64,
    pub(super) month: u32,
    pub(super) day: u32,
    pub(super) hour: i64,
    pub(super) minute: i64,
    pub(super) second: i64,
    /// Of the second.
    pub(super) micros: i64,
    /// From Sunday.
    pub(super) weekday: usize,
}

impl Civil {
    /// Of microseconds since 1970, by the clock that they were counted on.
    pub(super) fn of(micros: i64) -> Civil {
        let seconds = micros.div_euclid(SECOND);
        let (days, of_day) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
        let (year, month, day) = civil_from_days(days);
        Civil {
            year,
            month,
            day,
            hour: of_day / 3600,
            minute: of_day / 60 % 60,
            second: of_day % 60,
            micros: micros.rem_euclid(SECOND),
            weekday: (days + 4).rem_euclid(7) as usize,
        }
    }

    /// `2024-05-17`
    pub(super) fn date(&self) -> String {
        format!("{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }

    /// `12:34:56[.ffffff]`
    pub(super) fn time(&self) -> String {
        let whole = format!("{:02}:{:02}:{:02}", self.hour, self.minute, self.second);
        if self.micros == 0 { whole } else { format!("{whole}.{:06}", self.micros) }
    }
}

/// `2024-05-17 12:34:56[.ffffff]`
pub(super) fn clock(micros: i64) -> String {
    let civil = Civil::of(micros);
    format!("{} {}", civil.date(), civil.time())
}

/// `05/17/2024 12:34:56[.ffffff]`
pub(super) fn month_first(micros: i64) -> String {
    let civil = Civil::of(micros);
    format!("{:02}/{:02}/{:04} {}", civil.month, civil.day, civil.year, civil.time())
}

/// `Fri, 17 May 2024 12:34:56 GMT`
pub(super) fn rfc_1036(micros: i64) -> String {
    const DAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let civil = Civil::of(micros.div_euclid(SECOND) * SECOND);
    let (weekday, month) = (DAYS[civil.weekday], MONTHS[civil.month as usize - 1]);
    format!("{weekday}, {:02} {month} {:04} {} GMT", civil.day, civil.year, civil.time())
}

/// Whether headers would take two names as one: case, blanks, dots, underscores and hyphens aside.
pub(super) fn is_same_name(one: &str, other: &str) -> bool {
    letters(one).eq(letters(other))
}

fn letters(name: &str) -> impl Iterator<Item = char> {
    let is_filler = |letter: &char| matches!(letter, '.' | '_' | '-') || letter.is_whitespace();
    name.chars().filter(move |letter| !is_filler(letter)).map(|letter| letter.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        let check = |micros, expected: [&str; 3]| {
            assert_eq!([clock(micros), month_first(micros), rfc_1036(micros)], expected);
        };
        check(0, ["1970-01-01 00:00:00", "01/01/1970 00:00:00", "Thu, 01 Jan 1970 00:00:00 GMT"]);
        check(
            1_715_945_697_000_005,
            ["2024-05-17 11:34:57.000005", "05/17/2024 11:34:57.000005", "Fri, 17 May 2024 11:34:57 GMT"],
        );
        check(
            -1,
            ["1969-12-31 23:59:59.999999", "12/31/1969 23:59:59.999999", "Wed, 31 Dec 1969 23:59:59 GMT"],
        );
    }

    #[test]
    fn names() {
        let check = |one, other, expected| assert_eq!(is_same_name(one, other), expected, "{one} {other}");
        check("Callee NAT", "callee_nat", true);
        check("rate_name", "rate", false);
        check("cost", "cost#2", false);
    }
}
