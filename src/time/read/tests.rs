//! Facts about shapes of times, and the twins of the fast reader: the careful one, and a naive one.

use proptest::prelude::*;

use super::*;
use DateOrder::{DayFirst, MonthFirst};
use TimeError::{Unreadable, WrongOrder};

/// 2024-05-17 12:34:56.
const NOON: i64 = 1_715_949_296 * SECOND;

fn micros(text: &str, order: DateOrder) -> Result<Option<i64>, TimeError> {
    read_time(text.as_bytes(), order).map(|clock| clock.map(|clock| clock.micros))
}

#[track_caller]
fn check(text: &str, expected: i64) {
    assert_eq!(micros(text, MonthFirst), Ok(Some(expected)), "{text:?}");
}

#[track_caller]
fn check_day_first(text: &str, expected: i64) {
    assert_eq!(micros(text, DayFirst), Ok(Some(expected)), "{text:?}");
}

#[track_caller]
fn check_offset(text: &str, offset: i32) {
    let clock = Clock { micros: NOON, offset: Some(offset) };
    assert_eq!(read_time(text.as_bytes(), MonthFirst), Ok(Some(clock)), "{text:?}");
}

#[track_caller]
fn check_none(text: &str) {
    assert_eq!(micros(text, MonthFirst), Ok(None), "{text:?}");
}

#[track_caller]
fn check_error(text: &str, order: DateOrder, error: TimeError) {
    assert_eq!(micros(text, order), Err(error), "{text:?}");
}

#[test]
fn year_first_is_read_with_any_separator() {
    check("2024-05-17 12:34:56", NOON);
    check("2024-05-17T12:34:56", NOON);
    check("2024/05/17 12:34:56", NOON);
    check("2024/5/17T12:34:56", NOON);
    check_day_first("2024-05-17 12:34:56", NOON);
}

#[test]
fn seconds_may_be_missing() {
    check("2024-05-17 12:34", NOON - 56 * SECOND);
    check("2021/5/7 0:49", 1_620_348_540 * SECOND);
    check("1/29/2014 14:28", 1_391_005_680 * SECOND);
}

#[test]
fn hours_may_have_one_digit() {
    check("2021/3/24 1:12:45", 1_616_548_365 * SECOND);
    check("2021-03-24 1:12:45", 1_616_548_365 * SECOND);
}

#[test]
fn blanks_around_and_within_do_not_count() {
    check("  2024-05-17 12:34:56\t", NOON);
    check("2024-05-17   12:34:56", NOON);
    check("5/17/2024  12:34:56  pm \r\n", NOON);
}

#[test]
fn fractions_are_cut_after_six_digits() {
    check("2024-05-17 12:34:56.5", NOON + 500_000);
    check("2024-05-17T12:34:56.000001", NOON + 1);
    check("2024-05-17T12:34:56.0000019999999999999999999999", NOON + 1);
    check_error("2024-05-17T12:34:56.", MonthFirst, Unreadable);
    check_error("2024-05-17T12:34.5", MonthFirst, Unreadable);
}

#[test]
fn offsets_are_kept_apart() {
    check_offset("2024-05-17T12:34:56Z", 0);
    check_offset("2024-05-17 12:34:56+05:00", 18_000);
    check_offset("2024-05-17 12:34:56 -0600", -21_600);
    check_offset("2024-05-17T12:34:56.000-03:30", -12_600);
    check_offset("2024-05-17 12:34:56+02", 7_200);
    check_offset("5/17/2024 12:34:56 PM +0200", 7_200);
}

#[test]
fn offsets_that_no_clock_has_are_unreadable() {
    check_error("2024-05-17T12:34:56+24:00", MonthFirst, Unreadable);
    check_error("2024-05-17T12:34:56+05:60", MonthFirst, Unreadable);
    check_error("2024-05-17T12:34:56+5", MonthFirst, Unreadable);
    check_error("2024-05-17T12:34:56+05:0", MonthFirst, Unreadable);
    check_error("2024-05-17T12:34:56 UTC", MonthFirst, Unreadable);
}

#[test]
fn a_clock_with_an_offset_is_an_instant() {
    assert_eq!(Clock { micros: NOON, offset: Some(3600) }.instant(), Some(NOON - 3600 * SECOND));
    assert_eq!(Clock { micros: NOON, offset: None }.instant(), None);
}

#[test]
fn month_first_is_read_where_it_is_the_order() {
    check("5/17/2024 12:34:56", NOON);
    check("05-17-2024 12:34:56", NOON);
    check("7/13/2018 12:00:32 PM", 1_531_483_232 * SECOND);
    check("05/30/2022 14:53:41", 1_653_922_421 * SECOND);
}

#[test]
fn day_first_is_read_where_it_is_the_order() {
    check_day_first("17/5/2024 12:34:56", NOON);
    check_day_first("17-05-2024 12:34:56", NOON);
    check_day_first("7/5/2021 0:49", 1_620_348_540 * SECOND);
}

#[test]
fn dots_are_day_first_in_any_order() {
    check("17.5.2024 12:34:56", NOON);
    check_day_first("17.05.2024 12:34:56", NOON);
    check_error("5.17.2024 12:34:56", MonthFirst, Unreadable);
    check_error("2024.05.17 12:34:56", MonthFirst, Unreadable);
}

#[test]
fn a_date_of_the_other_order_is_told_apart() {
    check_error("17/5/2024 12:34:56", MonthFirst, WrongOrder);
    check_error("5/17/2024 12:34:56", DayFirst, WrongOrder);
    check_error("31/4/2024 12:34:56", MonthFirst, Unreadable);
    check_error("17/5/2024 25:00:00", MonthFirst, Unreadable);
}

#[test]
fn noon_and_midnight_are_twelve_o_clock() {
    check("5/17/2024 12:34:56 AM", NOON - 43_200 * SECOND);
    check("5/17/2024 12:34:56pm", NOON);
    check("5/17/2024 1:34:56 Pm", NOON + 3_600 * SECOND);
    check("2024-05-17 01:34 PM", NOON + 3_544 * SECOND);
}

#[test]
fn halves_of_the_day_have_hours_1_to_12() {
    check_error("5/17/2024 0:34:56 AM", MonthFirst, Unreadable);
    check_error("5/17/2024 13:34:56 PM", MonthFirst, Unreadable);
    check_error("5/17/2024 12:34:56 XM", MonthFirst, Unreadable);
    check_error("5/17/2024 12:34:56 PMs", MonthFirst, Unreadable);
}

#[test]
fn empty_dash_and_zero_date_are_null() {
    check_none("");
    check_none("  \t");
    check_none("—");
    check_none(" — ");
    check_none("0000-00-00 00:00:00");
    check_none("0000-00-00T00:00:00.000000Z");
    check_none("00/00/0000 0:00");
}

#[test]
fn half_a_zero_date_is_unreadable() {
    check_error("0000-00-00 00:00:01", MonthFirst, Unreadable);
    check_error("0000-05-17 12:34:56", MonthFirst, Unreadable);
    check_error("2024-00-00 00:00:00", MonthFirst, Unreadable);
}

#[test]
fn days_that_do_not_exist_are_unreadable() {
    check_error("2023-02-29 12:00:00", MonthFirst, Unreadable);
    check_error("2024-04-31 12:00:00", MonthFirst, Unreadable);
    check_error("2024-13-01 12:00:00", MonthFirst, Unreadable);
    check("2024-02-29 00:00:00", 1_709_164_800 * SECOND);
}

#[test]
fn times_of_day_that_do_not_exist_are_unreadable() {
    check_error("2024-05-17 24:00:00", MonthFirst, Unreadable);
    check_error("2024-05-17 23:60:00", MonthFirst, Unreadable);
    check_error("2016-12-31 23:59:60", MonthFirst, Unreadable);
    check("2024-05-17 23:59:59", NOON + 41_103 * SECOND);
}

#[test]
fn what_lacks_a_part_is_unreadable() {
    check_error("2024-05-17", MonthFirst, Unreadable);
    check_error("12:34:56", MonthFirst, Unreadable);
    check_error("2024-05-17 12", MonthFirst, Unreadable);
    check_error("2024-05-17 12:3", MonthFirst, Unreadable);
    check_error("2024-05-1712:34:56", MonthFirst, Unreadable);
    check_error("5/17/24 12:34:56", MonthFirst, Unreadable);
}

#[test]
fn what_has_more_than_a_time_is_unreadable() {
    check_error("2024-05-17 12:34:56x", MonthFirst, Unreadable);
    check_error("2024-05-17 12:34:567", MonthFirst, Unreadable);
    check_error("2024-05/17 12:34:56", MonthFirst, Unreadable);
    check_error("45429.52426", MonthFirst, Unreadable);
    check_error("— —", MonthFirst, Unreadable);
}

#[test]
fn years_1_to_9999_are_read() {
    check("0001-01-01 00:00:00", -62_135_596_800 * SECOND);
    check("9999-12-31 23:59:59", 253_402_300_799 * SECOND);
}

proptest! {
    #[test]
    fn regular_times_read_as_the_slow_twin_does(text in almost_regular()) {
        let slow = match read_careful(&text, MonthFirst) {
            Ok(Some(Clock { micros, offset: None })) if is_regular(&text) => Some(micros),
            _ => None,
        };
        prop_assert_eq!(read_regular(&text), slow);
    }

    #[test]
    fn regular_times_read_as_the_naive_twin_does(date in civil(), clock in (0..24u32, 0..60u32, 0..60u32)) {
        let ((year, month, day), (hour, minute, second)) = (date, clock);
        let text = format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}");
        let seconds = i64::from(hour * 3600 + minute * 60 + second);
        let expected = naive_days(year, month, day).map(|days| (days * 86_400 + seconds) * SECOND);
        prop_assert_eq!(read_regular(text.as_bytes().try_into().unwrap()), expected);
    }

    #[test]
    fn any_bytes_are_read_without_panic(text in proptest::collection::vec(any::<u8>(), 0..40)) {
        let _ = read_time(&text, DayFirst);
    }

    #[test]
    fn texts_of_a_times_characters_are_read_without_panic(text in "[0-9:./ TZAPM+\\-—]{0,30}") {
        let _ = read_time(text.as_bytes(), MonthFirst);
    }

    #[test]
    fn orders_agree_or_one_is_wrong(a in 0..40u32, b in 0..40u32, year in 1..9999u32) {
        let text = format!("{a}/{b}/{year:04} 0:00");
        let swapped = format!("{b}/{a}/{year:04} 0:00");
        prop_assert_eq!(micros(&text, MonthFirst), micros(&swapped, DayFirst));
        let proved = micros(&text, MonthFirst) == Err(WrongOrder);
        prop_assert_eq!(proved, micros(&text, DayFirst).is_ok_and(|_| a > 12));
    }
}

/// A regular time of which up to two bytes were exchanged for any others.
fn almost_regular() -> impl Strategy<Value = [u8; 19]> {
    let clock = (0..30u32, 0..70u32, 0..70u32);
    let spots = proptest::collection::vec((0..19usize, any::<u8>()), 0..3);
    (civil(), clock, spots).prop_map(|((year, month, day), (hour, minute, second), spots)| {
        let text = format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}");
        let mut text: [u8; 19] = text.into_bytes().try_into().unwrap();
        spots.into_iter().for_each(|(at, byte)| text[at] = byte);
        text
    })
}

fn civil() -> impl Strategy<Value = (u32, u32, u32)> {
    (0..10_000u32, 0..14u32, 0..33u32)
}

fn is_regular(text: &[u8; 19]) -> bool {
    let fits = |(byte, shape): (&u8, &u8)| if *shape == b'0' { byte.is_ascii_digit() } else { byte == shape };
    text.iter().zip(b"0000-00-00 00:00:00").all(fits)
}

/// Days from 1970, by adding up years and months.
fn naive_days(year: u32, month: u32, day: u32) -> Option<i64> {
    let leap = |year: u32| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let lengths = [31, 28 + u32::from(leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let length = *lengths.get(month.checked_sub(1)? as usize)?;
    let years: u32 = (1..year).map(|year| 365 + u32::from(leap(year))).sum();
    let months: u32 = lengths[..month as usize - 1].iter().sum();
    (year > 0 && (1..=length).contains(&day)).then(|| i64::from(years + months + day - 1) - 719_162)
}

proptest! {
    #[test]
    fn times_of_the_day_before_read_as_any_others(
        texts in proptest::collection::vec("(2024-05-1[789]|2024-13-01|0000-00-00|\0{10})[ T](0[0-9]|2[0-9]):[0-6][0-9]:[0-59][0-9x]", 1..20),
    ) {
        let mut usual = Usual::default();
        for text in texts {
            let one = text.as_bytes().try_into().ok().and_then(read_regular);
            prop_assert_eq!(usual.read(text.as_bytes()), one, "{}", text);
        }
    }
}
