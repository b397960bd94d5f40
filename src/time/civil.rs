//! Days to dates and back, in the Gregorian calendar.
//!
//! It must not know texts, clocks or zones. The idea (Howard Hinnant's) is a year that begins in
//! March: the leap day is then the last of the year, and the lengths of the months before a month
//! are a straight line rounded down, so neither way needs a table.

/// Days from 0000-03-01 to 1970-01-01.
const MARCH_OF_YEAR_0: i64 = 719_468;

/// Days in 400 years, after which the calendar repeats.
const DAYS_IN_400_YEARS: i64 = 146_097;

/// The number of the day, 1970-01-01 being 0.
///
/// `None` where the calendar has no such day, and outside the years 1 to 9999: year 0 is what
/// broken clocks and databases write, and few readers of the output could show it.
#[inline]
pub fn days_from_civil(year: u32, month: u32, day: u32) -> Option<i64> {
    let has_month = (1..=9999).contains(&year) & (1..=12).contains(&month);
    if !(has_month & (day >= 1) & (day <= month_length(year, month))) {
        return None;
    }
    let before_march = u32::from(month < 3);
    let year = year - before_march;
    let days_before_month = (153 * (month + 12 * before_march - 3) + 2) / 5;
    let days_before_year = 365 * year + year / 4 - year / 100 + year / 400;
    Some(i64::from(days_before_year + days_before_month + day - 1) - MARCH_OF_YEAR_0)
}

/// Year, month and day of the day with this number; the inverse of [`days_from_civil`], for any
/// number (years before 1 are 0, -1, …).
pub fn civil_from_days(days: i64) -> (i64, u32, u32) {
    let days = days.saturating_add(MARCH_OF_YEAR_0);
    let (cycle, of_cycle) = (days.div_euclid(DAYS_IN_400_YEARS), days.rem_euclid(DAYS_IN_400_YEARS));
    let of_cycle_years = (of_cycle - of_cycle / 1460 + of_cycle / 36_524 - of_cycle / 146_096) / 365;
    let of_year = of_cycle - (365 * of_cycle_years + of_cycle_years / 4 - of_cycle_years / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = 400 * cycle + of_cycle_years + i64::from(month < 3);
    (year, month as u32, day as u32)
}

/// Days in the month, of 1 to 12: 31 in the odd ones to July and in the even ones from August.
#[inline]
fn month_length(year: u32, month: u32) -> u32 {
    match month {
        2 => 28 + u32::from(is_leap(year)),
        _ => 30 | (month ^ (month >> 3)),
    }
}

/// Of the years that 100 divides, those that 400 divides are leap years: given that 25 divides
/// the year, 100 does where 4 does, and 400 where 16 does.
#[inline]
fn is_leap(year: u32) -> bool {
    year & (if year.is_multiple_of(25) { 15 } else { 3 }) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(date: (u32, u32, u32), days: Option<i64>) {
        assert_eq!(days_from_civil(date.0, date.1, date.2), days);
    }

    #[test]
    fn days_count_from_1970() {
        check((1970, 1, 1), Some(0));
        check((1969, 12, 31), Some(-1));
        check((2000, 3, 1), Some(11_017));
        check((1, 1, 1), Some(-719_162));
        check((9999, 12, 31), Some(2_932_896));
    }

    #[test]
    fn days_that_do_not_exist_are_none() {
        check((2023, 2, 29), None);
        check((1900, 2, 29), None);
        check((2024, 4, 31), None);
        check((2024, 13, 1), None);
        check((2024, 0, 1), None);
        check((2024, 1, 0), None);
        check((0, 1, 1), None);
        check((10_000, 1, 1), None);
        check((u32::MAX, u32::MAX, u32::MAX), None);
    }

    #[test]
    fn leap_days_exist() {
        check((2024, 2, 29), Some(19_782));
        check((2000, 2, 29), Some(11_016));
    }

    /// The slow twin counts every day from 0001-01-01, with a table.
    #[test]
    fn every_day_of_9999_years_equals_counting() {
        let mut days = -719_162;
        for year in 1..=9999 {
            let leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
            let lengths = [31, 28 + u32::from(leap), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
            for (month, length) in (1..).zip(lengths) {
                for day in 1..=length {
                    assert_eq!(days_from_civil(year, month, day), Some(days));
                    assert_eq!(civil_from_days(days), (i64::from(year), month, day));
                    days += 1;
                }
                check((year, month, length + 1), None);
            }
        }
    }

    #[test]
    fn dates_beyond_all_calendars_do_not_panic() {
        assert_eq!(civil_from_days(-719_528), (0, 1, 1));
        civil_from_days(i64::MIN);
        civil_from_days(i64::MAX);
    }
}
