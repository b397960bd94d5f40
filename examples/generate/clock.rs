//! When people call: a year with its working days, lunch breaks and quiet weeks.
//!
//! The office stands in Phoenix, Arizona: seven hours behind UTC and without summer time, so that local
//! times ascend throughout the year, and a reader that is told the zone finds the true instants.

use crate::random::Random;

/// Local time of the first call's day: Monday, 1 January 2024, in seconds as if it were UTC.
const YEAR_START: i64 = 1_704_067_200;
const YEAR_DAYS: i64 = 366;
/// Seconds from local time to UTC.
const TO_UTC: i64 = 7 * 3600;
const HOUR: f64 = 3600.0;

/// How busy each hour of a working day is.
const HOURS: [f64; 24] = [
    0.4, 0.2, 0.2, 0.2, 0.3, 0.8, 3.0, 12.0, 55.0, 95.0, 100.0, 92.0, 60.0, 78.0, 96.0, 90.0, 74.0, 42.0,
    16.0, 8.0, 5.0, 3.0, 1.5, 0.8,
];
/// Monday to Sunday, in percent.
const WEEKDAYS: [f64; 7] = [108.0, 102.0, 100.0, 98.0, 88.0, 18.0, 9.0];

/// A moment, in microseconds of the local wall clock.
#[derive(Clone, Copy)]
pub(crate) struct Moment(i64);

impl Moment {
    pub(crate) fn local_second(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// Microseconds since 1970, UTC.
    pub(crate) fn epoch_micros(self) -> i64 {
        self.0 + TO_UTC * 1_000_000
    }
}

/// A local second as seconds since 1970, UTC.
pub(crate) fn epoch(local_second: i64) -> i64 {
    local_second + TO_UTC
}

/// Tells when the next call comes.
pub(crate) struct Clock {
    /// Seconds since the year began.
    now: f64,
    /// Calls per second at the weight 1.
    rate: f64,
}

impl Clock {
    pub(crate) fn new(calls_a_year: f64) -> Clock {
        let weight: f64 = (0..YEAR_DAYS * 24).map(hour_weight).sum();
        Clock { now: 0.0, rate: calls_a_year.max(1.0) / weight / HOUR }
    }

    /// Calls come at random, as often as the hour has it. A wait that would end in a later hour starts
    /// anew when that hour does: random waits have no memory.
    pub(crate) fn next(&mut self, random: &mut Random) -> Moment {
        loop {
            let hour = (self.now / HOUR).floor();
            let end = (hour + 1.0) * HOUR;
            let next = self.now + random.wait(1.0 / (self.rate * hour_weight(hour as i64)));
            if next < end {
                self.now = next;
                return Moment(YEAR_START * 1_000_000 + (next * 1e6) as i64);
            }
            self.now = end;
        }
    }
}

/// `hour` counts from the start of the year.
fn hour_weight(hour: i64) -> f64 {
    let day = hour / 24;
    let quiet_weeks = day % YEAR_DAYS < 5 || day % YEAR_DAYS > 356;
    let season = if quiet_weeks { 0.35 } else { 1.0 };
    HOURS[(hour % 24) as usize] * WEEKDAYS[(day % 7) as usize] * season
}

/// A second, taken apart.
pub(crate) struct Civil {
    pub(crate) year: i64,
    pub(crate) month: i64,
    pub(crate) day: i64,
    pub(crate) hour: i64,
    pub(crate) minute: i64,
    pub(crate) second: i64,
    /// Monday is 0.
    pub(crate) weekday: i64,
}

impl Civil {
    /// Days to a date by Howard Hinnant's `civil_from_days`: years begin in March, so that the leap
    /// day comes last and months have lengths in a fixed rhythm.
    pub(crate) fn new(seconds: i64) -> Civil {
        let (days, rest) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
        let shifted = days + 719_468;
        let era = shifted.div_euclid(146_097);
        let day_of_era = shifted.rem_euclid(146_097);
        let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let march_month = (5 * day_of_year + 2) / 153;
        let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
        Civil {
            year: year_of_era + era * 400 + i64::from(month <= 2),
            month,
            day: day_of_year - (153 * march_month + 2) / 5 + 1,
            hour: rest / 3600,
            minute: rest / 60 % 60,
            second: rest % 60,
            weekday: (days + 3).rem_euclid(7),
        }
    }
}
