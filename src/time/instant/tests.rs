//! Facts about resolving local times, and the slow twin that tries every offset by definition.

use proptest::prelude::*;

use super::super::zone::IanaZone;
use super::super::{DateOrder, read_time};
use super::*;

fn micros(text: &str) -> i64 {
    read_time(text.as_bytes(), DateOrder::MonthFirst).unwrap().unwrap().micros
}

fn clock(zone: &str) -> ZoneClock {
    ZoneClock::new(&Zone::parse(zone).unwrap())
}

fn resolved(utc: &str, note: Option<DstNote>) -> Resolved {
    Resolved { utc: micros(utc), note }
}

/// A time that has one reading.
#[track_caller]
fn check(zone: &str, local: &str, utc: &str) {
    let mut clock = clock(zone);
    assert_eq!(clock.start(micros(local), None), resolved(utc, None));
    assert_eq!(clock.after(micros(local), None), resolved(utc, None));
    assert_eq!(clock.local(micros(utc)), micros(local));
}

#[track_caller]
fn check_skipped(zone: &str, local: &str, utc: &str) {
    let skipped = resolved(utc, Some(DstNote::Skipped));
    assert_eq!(clock(zone).start(micros(local), None), skipped);
    assert_eq!(clock(zone).after(micros(local), Some(0)), skipped);
}

#[track_caller]
fn check_twice(zone: &str, local: &str, epoch: Option<&str>, utc: &str) {
    let epoch = epoch.map(|epoch| micros(epoch) / SECOND);
    assert_eq!(clock(zone).start(micros(local), epoch), resolved(utc, Some(DstNote::Twice)));
}

#[track_caller]
fn check_twice_after(zone: &str, local: &str, start: Option<&str>, utc: &str) {
    let start = start.map(micros);
    assert_eq!(clock(zone).after(micros(local), start), resolved(utc, Some(DstNote::Twice)));
}

#[test]
fn a_fixed_offset_is_taken_off() {
    check("+05:00", "2024-05-17 12:34:56", "2024-05-17 07:34:56");
    check("-0600", "2024-05-17 20:00:00", "2024-05-18 02:00:00");
    check("UTC", "2024-05-17 12:34:56.789", "2024-05-17 12:34:56.789");
}

#[test]
fn auto_runs_on_utc() {
    check("auto", "2024-05-17 12:34:56", "2024-05-17 12:34:56");
}

#[test]
fn winter_and_summer_have_their_offsets() {
    check("America/Chicago", "2024-01-17 12:00:00", "2024-01-17 18:00:00");
    check("America/Chicago", "2024-07-17 12:00:00", "2024-07-17 17:00:00");
    check("Europe/Berlin", "2024-07-17 12:00:00.000001", "2024-07-17 10:00:00.000001");
}

#[test]
fn a_skipped_time_moves_forward_by_the_gap() {
    check("America/Chicago", "2024-03-10 01:59:59", "2024-03-10 07:59:59");
    check_skipped("America/Chicago", "2024-03-10 02:00:00", "2024-03-10 08:00:00");
    check_skipped("America/Chicago", "2024-03-10 02:59:59.999", "2024-03-10 08:59:59.999");
    check("America/Chicago", "2024-03-10 03:00:00", "2024-03-10 08:00:00");
}

#[test]
fn a_start_in_the_repeated_hour_is_the_earlier() {
    check("America/Chicago", "2024-11-03 00:59:59", "2024-11-03 05:59:59");
    check_twice("America/Chicago", "2024-11-03 01:00:00", None, "2024-11-03 06:00:00");
    check_twice("America/Chicago", "2024-11-03 01:59:59.999", None, "2024-11-03 06:59:59.999");
    check("America/Chicago", "2024-11-03 02:00:00", "2024-11-03 08:00:00");
}

#[test]
fn a_start_in_the_repeated_hour_is_nearest_its_epoch() {
    check_twice("America/Chicago", "2024-11-03 01:30:02", Some("2024-11-03 06:30:00"), "2024-11-03 06:30:02");
    check_twice("America/Chicago", "2024-11-03 01:30:02", Some("2024-11-03 07:30:00"), "2024-11-03 07:30:02");
    check_twice("America/Chicago", "2024-11-03 01:30:00", Some("2024-11-03 07:00:00"), "2024-11-03 06:30:00");
    check_twice("America/Chicago", "2024-11-03 01:30:00", Some("2031-01-01 00:00:00"), "2024-11-03 07:30:00");
}

#[test]
fn an_epoch_is_looked_up_only_in_the_repeated_hour() {
    let mut clock = clock("America/Chicago");
    for time in ["2024-05-17 12:00:00", "2024-03-10 02:30:00", "2024-05-18 12:00:00"] {
        clock.start_with(micros(time), || panic!("{time} has no two readings"));
    }
}

#[test]
fn an_end_in_the_repeated_hour_is_not_before_its_start() {
    check_twice_after("America/Chicago", "2024-11-03 01:30:00", None, "2024-11-03 06:30:00");
    check_twice_after(
        "America/Chicago",
        "2024-11-03 01:30:00",
        Some("2024-11-03 05:59:00"),
        "2024-11-03 06:30:00",
    );
    check_twice_after(
        "America/Chicago",
        "2024-11-03 01:30:00",
        Some("2024-11-03 06:30:00"),
        "2024-11-03 06:30:00",
    );
    check_twice_after(
        "America/Chicago",
        "2024-11-03 01:10:00",
        Some("2024-11-03 06:50:00"),
        "2024-11-03 07:10:00",
    );
}

#[test]
fn an_end_before_its_start_is_the_reading_nearest_it() {
    check_twice_after(
        "America/Chicago",
        "2024-11-03 01:29:59",
        Some("2024-11-03 07:30:00"),
        "2024-11-03 07:29:59",
    );
}

#[test]
fn lord_howe_changes_by_half_an_hour() {
    check_skipped("Australia/Lord_Howe", "2024-10-06 02:15:00", "2024-10-05 15:45:00");
    check_twice("Australia/Lord_Howe", "2024-04-07 01:45:00", None, "2024-04-06 14:45:00");
    check("Australia/Lord_Howe", "2024-04-07 01:29:59", "2024-04-06 14:29:59");
    check("Australia/Lord_Howe", "2024-04-07 02:00:00", "2024-04-06 15:30:00");
}

#[test]
fn monrovia_was_off_by_seconds_until_1972() {
    check("Africa/Monrovia", "1971-12-31 23:00:00", "1971-12-31 23:44:30");
    check_skipped("Africa/Monrovia", "1972-01-07 00:10:00", "1972-01-07 00:54:30");
    check("Africa/Monrovia", "1972-01-07 00:44:30", "1972-01-07 00:44:30");
}

#[test]
fn samoa_skipped_a_whole_day() {
    check("Pacific/Apia", "2011-12-29 23:59:59", "2011-12-30 09:59:59");
    check_skipped("Pacific/Apia", "2011-12-30 12:00:00", "2011-12-30 22:00:00");
    check("Pacific/Apia", "2011-12-31 00:00:00", "2011-12-30 10:00:00");
}

#[test]
fn kwajalein_had_a_day_twice_and_skipped_another() {
    check_skipped("Pacific/Kwajalein", "1993-08-21 12:00:00", "1993-08-22 00:00:00");
    check_twice("Pacific/Kwajalein", "1969-09-30 06:00:00", None, "1969-09-29 19:00:00");
}

#[test]
fn times_before_1970_and_after_2037_are_read() {
    check("America/New_York", "1950-07-01 12:00:00", "1950-07-01 16:00:00");
    check("America/New_York", "1850-07-01 12:00:00", "1850-07-01 16:56:02");
    check("America/New_York", "0001-01-01 00:00:00", "0001-01-01 04:56:02");
    check("America/New_York", "2060-07-01 12:00:00", "2060-07-01 16:00:00");
    check("America/New_York", "2099-07-01 12:00:00", "2099-07-01 16:00:00");
}

#[test]
fn the_tables_end_with_2099() {
    check("America/New_York", "2150-07-01 12:00:00", "2150-07-01 17:00:00");
    check("America/New_York", "9998-07-01 12:00:00", "9998-07-01 17:00:00");
}

#[test]
fn times_far_apart_in_any_order_are_read_by_one_clock() {
    let mut clock = clock("Europe/Berlin");
    for _ in 0..2 {
        assert_eq!(clock.start(micros("2150-07-01 12:00:00"), None), resolved("2150-07-01 11:00:00", None));
        assert_eq!(clock.start(micros("1850-07-01 12:00:00"), None), resolved("1850-07-01 11:06:32", None));
        assert_eq!(clock.local(micros("2024-07-01 10:00:00")), micros("2024-07-01 12:00:00"));
    }
}

#[test]
fn notes_have_their_names() {
    assert_eq!([DstNote::Twice, DstNote::Skipped].map(DstNote::as_str), ["dst-twice", "dst-skipped"]);
}

#[test]
fn numbers_beyond_all_years_do_not_panic() {
    for zone in ["America/Chicago", "+05:00", "auto"] {
        for time in [i64::MIN, i64::MIN + 1, -1, i64::MAX - 1, i64::MAX] {
            let mut clock = clock(zone);
            clock.start(time, Some(time));
            clock.after(time, Some(time));
            clock.local(time);
        }
    }
}

/// Zones of every sort: no change, two a year, half an hour, four a year, days lost and won.
const ZONES: [&str; 12] = [
    "America/Chicago",
    "Europe/Dublin",
    "Australia/Lord_Howe",
    "Africa/Monrovia",
    "Africa/Casablanca",
    "Africa/Cairo",
    "Antarctica/Troll",
    "Pacific/Apia",
    "Pacific/Kwajalein",
    "America/Noronha",
    "Asia/Kathmandu",
    "Asia/Manila",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_clock_reads_as_the_slow_twin_does(
        zone in proptest::sample::select(&ZONES[..]),
        times in proptest::collection::vec(any_time(), 1..20),
    ) {
        let mut clock = clock(zone);
        let Ok(Zone::Iana(zone)) = Zone::parse(zone) else { panic!() };
        for time in times {
            // The hours about the last change of the clocks before the time.
            let change = last_change(zone, time);
            let shown = change + i64::from(zone.offset_at(change));
            for local in (-30..30).map(|quarter| shown + quarter * 1800 + 7).chain([time]) {
                let (readings, skipped) = slow_readings(zone, local);
                let (first, last) = match readings[..] {
                    [] => (skipped, skipped),
                    [only] => (only, only),
                    [first, .., last] => (first, last),
                };
                prop_assert_eq!(clock.start(local * SECOND, None).utc, first * SECOND);
                prop_assert_eq!(clock.start(local * SECOND, Some(last)).utc, last * SECOND);
                prop_assert_eq!(clock.after(local * SECOND, Some(last * SECOND)).utc, last * SECOND);
                let note = match readings.len() {
                    0 => Some(DstNote::Skipped),
                    1 => None,
                    _ => Some(DstNote::Twice),
                };
                prop_assert_eq!(clock.start(local * SECOND, None).note, note);
                let shown = last + i64::from(zone.offset_at(last));
                prop_assert_eq!(clock.local(last * SECOND), shown * SECOND);
            }
        }
    }
}

/// Seconds in the years 1840 to 2110.
fn any_time() -> impl Strategy<Value = i64> {
    -4_102_444_800..4_417_977_600i64
}

/// The instant of the last change of the offset before the time, by days, then by halving.
fn last_change(zone: IanaZone, time: i64) -> i64 {
    let now = zone.offset_at(time);
    let days = (0..800).map(|day| time - day * 86_400);
    let Some(mut before) = days.into_iter().find(|&day| zone.offset_at(day) != now) else { return time };
    let mut after = before + 86_400;
    while after - before > 1 {
        let middle = before.midpoint(after);
        if zone.offset_at(middle) == zone.offset_at(before) { before = middle } else { after = middle }
    }
    after
}

/// By definition: every offset of the days around is tried. Returns the readings, and the one
/// that a skipped time gets, by the offset of the last instant that was shown before it.
fn slow_readings(zone: IanaZone, local: i64) -> (Vec<i64>, i64) {
    let around = || (-120..=120).map(|quarter| local + quarter * 900);
    let mut offsets: Vec<i64> = around().map(|utc| i64::from(zone.offset_at(utc))).collect();
    let shown_before = around().rfind(|&utc| utc + i64::from(zone.offset_at(utc)) <= local);
    let before = i64::from(zone.offset_at(shown_before.unwrap()));
    offsets.sort_unstable();
    offsets.dedup();
    let mut readings: Vec<i64> = offsets.iter().map(|offset| local - offset).collect();
    readings.retain(|&utc| utc + i64::from(zone.offset_at(utc)) == local);
    readings.sort_unstable();
    (readings, local - before)
}
