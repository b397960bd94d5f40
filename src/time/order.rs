//! Whether a file writes month or day first: what one date proves, and what all of them do.
//!
//! It must not know where the texts come from, how many of them there are, or what follows from
//! a verdict: the caller feeds dates and asks. The idea is to keep two votes apart. A day over 12
//! *proves* an order; the epoch in the record's own id only *shows* it, and is asked second.

use std::fmt;
use std::str::FromStr;

use super::SECOND;
use super::read::{Layout, Written};

/// How far a local time may be from the instant it names, and more: 24 hours in microseconds.
/// The two readings of an ambiguous date that differ are at least 27 days apart.
const NEAR: u64 = (86_400 * SECOND) as u64;

/// Which number of `5/6/2024` is the month.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DateOrder {
    /// `5/6/2024` is the 6th of May. Written `mdy`.
    MonthFirst,
    /// `5/6/2024` is the 5th of June. Written `dmy`.
    DayFirst,
}

impl DateOrder {
    /// `mdy` or `dmy`, as options and reports have it.
    pub fn as_str(self) -> &'static str {
        match self {
            DateOrder::MonthFirst => "mdy",
            DateOrder::DayFirst => "dmy",
        }
    }

    /// The order that this is not.
    pub(super) fn other(self) -> DateOrder {
        match self {
            DateOrder::MonthFirst => DateOrder::DayFirst,
            DateOrder::DayFirst => DateOrder::MonthFirst,
        }
    }
}

impl fmt::Display for DateOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for DateOrder {
    type Err = String;

    /// Reads `mdy` or `dmy`; the error is a sentence for the user.
    fn from_str(text: &str) -> Result<DateOrder, String> {
        match text {
            "mdy" => Ok(DateOrder::MonthFirst),
            "dmy" => Ok(DateOrder::DayFirst),
            _ => {
                Err(format!("`{text}` is no order of dates: it is `mdy` (month first) or `dmy` (day first)"))
            }
        }
    }
}

/// What one text says about the order of its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// Nothing: unreadable, empty, or a date whose layout shows its own order.
    None,
    /// Both orders read it. In wall-clock microseconds; equal where day and month are.
    Ambiguous {
        /// The time, if the first number is the month.
        month_first: i64,
        /// The time, if the first number is the day.
        day_first: i64,
    },
    /// The second number is over 12: a day.
    MonthFirst,
    /// The first number is over 12: a day.
    DayFirst,
}

/// What a text says about the order of day and month in its file.
///
/// Only whole times count, of the shapes that [`read_time`](super::read_time) reads: one that no
/// order can read is no evidence.
pub fn order_evidence(text: &[u8]) -> Evidence {
    let written = match Written::read(text.trim_ascii()) {
        Some(written) if written.layout == Layout::Open => written,
        _ => return Evidence::None,
    };
    match (written.micros(DateOrder::MonthFirst), written.micros(DateOrder::DayFirst)) {
        (Some(month_first), Some(day_first)) => Evidence::Ambiguous { month_first, day_first },
        (Some(_), None) => Evidence::MonthFirst,
        (None, Some(_)) => Evidence::DayFirst,
        (None, None) => Evidence::None,
    }
}

/// What all evidence of one sort says together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Verdict {
    /// There was none.
    #[default]
    Undecided,
    /// All of it says this.
    Decided(DateOrder),
    /// There was some for each order.
    Contradictory,
}

impl Verdict {
    /// The verdict after one more piece of evidence.
    fn and(self, order: DateOrder) -> Verdict {
        match self {
            Verdict::Undecided => Verdict::Decided(order),
            Verdict::Decided(before) if before == order => self,
            Verdict::Decided(_) | Verdict::Contradictory => Verdict::Contradictory,
        }
    }
}

/// The votes of a file's dates on their order.
#[derive(Clone, Copy, Debug, Default)]
pub struct OrderVote {
    by_day: Verdict,
    by_epoch: Verdict,
    ambiguous: bool,
}

impl OrderVote {
    /// No votes yet.
    pub fn new() -> OrderVote {
        OrderVote::default()
    }

    /// Counts a time as written, with the epoch (UTC seconds) of its record's id, if it has one.
    pub fn add(&mut self, text: &[u8], epoch: Option<i64>) {
        match order_evidence(text) {
            Evidence::None => {}
            Evidence::MonthFirst => self.by_day = self.by_day.and(DateOrder::MonthFirst),
            Evidence::DayFirst => self.by_day = self.by_day.and(DateOrder::DayFirst),
            Evidence::Ambiguous { month_first, day_first } => {
                self.ambiguous = true;
                if let Some(order) = epoch.and_then(|epoch| nearer(month_first, day_first, epoch)) {
                    self.by_epoch = self.by_epoch.and(order);
                }
            }
        }
    }

    /// What the days over 12 prove.
    pub fn by_day(&self) -> Verdict {
        self.by_day
    }

    /// What the ambiguous dates show of which only one reading is within 24 hours of the epoch.
    pub fn by_epoch(&self) -> Verdict {
        self.by_epoch
    }

    /// Whether there was a date that both orders read: else the file needs no order so far.
    pub fn saw_ambiguous(&self) -> bool {
        self.ambiguous
    }
}

/// The order whose reading alone is within 24 hours of the epoch.
fn nearer(month_first: i64, day_first: i64, epoch: i64) -> Option<DateOrder> {
    let epoch = epoch.saturating_mul(SECOND);
    match (month_first.abs_diff(epoch) <= NEAR, day_first.abs_diff(epoch) <= NEAR) {
        (true, false) => Some(DateOrder::MonthFirst),
        (false, true) => Some(DateOrder::DayFirst),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use DateOrder::{DayFirst, MonthFirst};
    use Verdict::{Contradictory, Decided, Undecided};

    /// 2024-05-06 00:00 and 2024-06-05 00:00 in seconds.
    const MAY_6: i64 = 1_714_953_600;
    const JUNE_5: i64 = 1_717_545_600;

    #[track_caller]
    fn check(text: &str, evidence: Evidence) {
        assert_eq!(order_evidence(text.as_bytes()), evidence, "{text:?}");
    }

    fn vote(dates: &[(&str, Option<i64>)]) -> OrderVote {
        let mut vote = OrderVote::new();
        dates.iter().for_each(|(text, epoch)| vote.add(text.as_bytes(), *epoch));
        vote
    }

    #[track_caller]
    fn check_days(dates: [&str; 2], verdict: Verdict) {
        assert_eq!(vote(&dates.map(|text| (text, None))).by_day(), verdict);
    }

    #[track_caller]
    fn check_epochs(dates: &[(&str, i64)], verdict: Verdict) {
        let dates: Vec<_> = dates.iter().map(|(text, epoch)| (*text, Some(*epoch))).collect();
        assert_eq!(vote(&dates).by_epoch(), verdict);
    }

    #[test]
    fn a_day_over_twelve_is_evidence() {
        check("5/13/2024 0:00", Evidence::MonthFirst);
        check("13/5/2024 0:00", Evidence::DayFirst);
        check("31-12-2024 0:00:00", Evidence::DayFirst);
    }

    #[test]
    fn days_to_twelve_are_ambiguous() {
        let (month_first, day_first) = (MAY_6 * SECOND, JUNE_5 * SECOND);
        check(" 5/6/2024 0:00 ", Evidence::Ambiguous { month_first, day_first });
        check("05-06-2024 12:00:00 AM", Evidence::Ambiguous { month_first, day_first });
        check(
            "6/6/2024 0:00",
            Evidence::Ambiguous { month_first: 1_717_632_000_000_000, day_first: 1_717_632_000_000_000 },
        );
    }

    #[test]
    fn dates_that_show_their_order_are_no_evidence() {
        check("2024-05-13 00:00:00", Evidence::None);
        check("13.5.2024 0:00", Evidence::None);
    }

    #[test]
    fn unreadable_dates_are_no_evidence() {
        check("", Evidence::None);
        check("—", Evidence::None);
        check("13/13/2024 0:00", Evidence::None);
        check("2/30/2024 0:00", Evidence::None);
        check("13/5/2024", Evidence::None);
        check("13/5/2024 25:00", Evidence::None);
        check("00/00/0000 00:00", Evidence::None);
    }

    #[test]
    fn days_over_twelve_decide() {
        check_days(["5/6/2024 0:00", "5/13/2024 0:00"], Decided(MonthFirst));
        check_days(["13/5/2024 0:00", "14/5/2024 0:00"], Decided(DayFirst));
        check_days(["5/6/2024 0:00", "6/5/2024 0:00"], Undecided);
    }

    #[test]
    fn days_of_both_orders_contradict() {
        check_days(["13/5/2024 0:00", "5/13/2024 0:00"], Contradictory);
        assert_eq!(Contradictory.and(MonthFirst), Contradictory);
    }

    #[test]
    fn the_epoch_decides_where_one_reading_is_near() {
        check_epochs(&[("5/6/2024 0:00", MAY_6 + 5 * 3600)], Decided(MonthFirst));
        check_epochs(&[("5/6/2024 0:00", JUNE_5 - 12 * 3600)], Decided(DayFirst));
        check_epochs(&[("5/6/2024 0:00", MAY_6 + 86_400)], Decided(MonthFirst));
        check_epochs(&[("5/6/2024 0:00", MAY_6), ("5/6/2024 0:00", JUNE_5)], Contradictory);
    }

    #[test]
    fn an_epoch_near_none_or_both_decides_nothing() {
        check_epochs(&[("5/6/2024 0:00", MAY_6 + 86_401)], Undecided);
        check_epochs(&[("6/6/2024 0:00", 1_717_632_000)], Undecided);
        check_epochs(&[("5/6/2024 0:00", i64::MAX), ("5/6/2024 0:00", i64::MIN)], Undecided);
    }

    #[test]
    fn ambiguous_dates_are_remembered() {
        assert!(vote(&[("5/6/2024 0:00", None)]).saw_ambiguous());
        assert!(!vote(&[("5/13/2024 0:00", None), ("2024-05-06 00:00:00", None)]).saw_ambiguous());
    }

    #[test]
    fn orders_are_spelled_mdy_and_dmy() {
        assert_eq!("mdy".parse(), Ok(MonthFirst));
        assert_eq!("dmy".parse(), Ok(DayFirst));
        assert_eq!(format!("{MonthFirst} {}", DayFirst.as_str()), "mdy dmy");
        assert!("ymd".parse::<DateOrder>().unwrap_err().starts_with("`ymd` is no order"));
    }
}
