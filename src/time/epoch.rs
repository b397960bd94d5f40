//! The instant that a record's own id carries, and the offset that follows from it.
//!
//! It must not know zones, rows or which column an id stands in. The idea: Asterisk names a call
//! by the second (UTC) at which its channel was made, and the UCM a session by the microsecond, so
//! the id tells what the local times leave open: their order, their reading in the hour that
//! occurs twice, and the offset of a PBX whose zone nobody knows.

use super::{SECOND, digit};

/// The epochs of 1990-01-01 and 2200-01-01: what lies outside was no clock's reading.
const EPOCHS: std::ops::Range<i64> = 631_152_000..7_258_118_400;

/// All offsets are multiples of a quarter of an hour (since 1980 without exception).
const QUARTER: i64 = 900;

/// The epoch, in UTC seconds, that an id begins or ends with.
///
/// ```text
/// id = [system "-"] seconds "." digit+     Asterisk's uniqueid: 1447207127.4182, pbx-1447207127.4182
///    | ( micros | seconds ) "-" anything   the UCM's session:   1447207127558984-6039
///    | seconds                             the Nexo's UniqueID: 1531497605
/// seconds = 10 digits (9 before a ".": until 2001)      micros = 16 digits
/// ```
/// `None` for any other text, and for what is outside the years 1990 to 2199. Trimmed of blanks.
pub fn epoch_of_id(text: &[u8]) -> Option<i64> {
    let text = text.trim_ascii();
    by_dot(text).or_else(|| by_head(text)).filter(|epoch| EPOCHS.contains(epoch))
}

/// The seconds before the last dot, after which only digits follow.
fn by_dot(text: &[u8]) -> Option<i64> {
    let dot = text.iter().rposition(|&byte| byte == b'.')?;
    let (head, count) = (&text[..dot], &text[dot + 1..]);
    let seconds = match head.iter().rposition(|&byte| byte == b'-') {
        Some(hyphen) => &head[hyphen + 1..],
        None => head,
    };
    let plausible =
        matches!(seconds.len(), 9 | 10) && !count.is_empty() && count.iter().all(u8::is_ascii_digit);
    if plausible { number(seconds) } else { None }
}

/// The digits before the first hyphen, or all of them.
fn by_head(text: &[u8]) -> Option<i64> {
    let hyphen = text.iter().position(|&byte| byte == b'-');
    let head = &text[..hyphen.unwrap_or(text.len())];
    match (head.len(), hyphen) {
        (10, _) => number(head),
        (16, Some(_)) => Some(number(head)? / SECOND),
        _ => None,
    }
}

/// The value of up to 18 digits.
fn number(digits: &[u8]) -> Option<i64> {
    digits.iter().try_fold(0, |value, &byte| Some(10 * value + i64::from(digit(byte)?)))
}

/// The offset, in seconds east, of a PBX that wrote `local_start` (wall-clock microseconds) for
/// the instant `epoch` (UTC seconds).
///
/// It is the multiple of 15 minutes from which their difference is at most 60 seconds away: the
/// start is written a little after the channel was made. `None` where there is no such multiple
/// (a later leg has the id of the first) and beyond 15 hours.
pub fn auto_offset(local_start: i64, epoch: i64) -> Option<i32> {
    let difference = local_start.checked_sub(epoch.checked_mul(SECOND)?)?;
    let quarters = difference.checked_add(QUARTER * SECOND / 2)?.div_euclid(QUARTER * SECOND);
    let off_by = difference.abs_diff(quarters * QUARTER * SECOND);
    let offset = quarters * QUARTER;
    (off_by <= 60 * SECOND as u64 && offset.abs() <= 15 * 3600).then_some(offset as i32)
}

#[cfg(test)]
mod tests {
    use super::super::{DateOrder, read_time};
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(id: &str, epoch: i64) {
        assert_eq!(epoch_of_id(id.as_bytes()), Some(epoch), "{id:?}");
    }

    #[track_caller]
    fn check_none(id: &str) {
        assert_eq!(epoch_of_id(id.as_bytes()), None, "{id:?}");
    }

    #[track_caller]
    fn check_offset(difference: i64, offset: Option<i32>) {
        assert_eq!(auto_offset((1_447_207_127 + difference) * SECOND, 1_447_207_127), offset, "{difference}");
    }

    #[track_caller]
    fn check_record(start: &str, id: &str, offset: i32) {
        let start = read_time(start.as_bytes(), DateOrder::MonthFirst).unwrap().unwrap().micros;
        assert_eq!(auto_offset(start, epoch_of_id(id.as_bytes()).unwrap()), Some(offset), "{id:?}");
    }

    #[test]
    fn a_uniqueid_begins_with_its_second() {
        check("1447207127.4182", 1_447_207_127);
        check(" 1386092800.0 ", 1_386_092_800);
        check("946684800.5", 946_684_800);
    }

    #[test]
    fn a_system_name_may_stand_before_it() {
        check("asterisk-1447207127.4182", 1_447_207_127);
        check("pbx-2.example.com-1447207127.4182", 1_447_207_127);
        check("1234567890-1447207127.4182", 1_447_207_127);
    }

    #[test]
    fn a_session_begins_with_its_microsecond() {
        check("1447207127558984-6039", 1_447_207_127);
        check("1461920017104140-", 1_461_920_017);
        check("1531497605793100-1000.5", 1_531_497_605);
        check("1461920017-1000", 1_461_920_017);
    }

    #[test]
    fn ten_digits_alone_are_a_second() {
        check("1531497605", 1_531_497_605);
    }

    #[test]
    fn other_ids_have_no_epoch() {
        check_none("");
        check_none(".");
        check_none("-");
        check_none("1447207127.");
        check_none("1447207127.x");
        check_none("14472071270.4182");
        check_none("1447207127558984");
        check_none("144720712755898-6039");
        check_none("1.44721E+09");
        check_none("20220530145555-1653893749");
        check_none("8d2a6a2e-7f5b-4a0e-9f6d-2f4c1f6f3f10");
    }

    #[test]
    fn years_outside_1990_to_2199_are_no_epoch() {
        check_none("0000000000.1");
        check_none("631151999.1");
        check("631152000.1", 631_152_000);
        check("7258118399", 7_258_118_399);
        check_none("7258118400");
        check_none("9999999999999999-1");
    }

    #[test]
    fn the_offset_is_the_nearest_quarter() {
        check_offset(0, Some(0));
        check_offset(3600, Some(3600));
        check_offset(-21_600 + 2, Some(-21_600));
        check_offset(20_700 - 1, Some(20_700));
        check_offset(-60, Some(0));
        check_offset(960, Some(900));
    }

    #[test]
    fn a_start_off_every_quarter_has_no_offset() {
        check_offset(61, None);
        check_offset(-61, None);
        check_offset(450, None);
        check_offset(961, None);
    }

    #[test]
    fn offsets_end_at_fifteen_hours() {
        check_offset(54_000, Some(54_000));
        check_offset(-54_060, Some(-54_000));
        check_offset(54_900, None);
    }

    /// Records from the vendors' documents; the last lost its seconds in Excel.
    #[test]
    fn documented_records_tell_their_offset() {
        check_record("2015-11-10 17:58:47", "1447207127.4182", -8 * 3600);
        check_record("2015-11-10 17:58:47", "1447207127558984-6039", -8 * 3600);
        check_record("2013-12-03 14:01:41", "1386100901.0", -6 * 3600);
        check_record("2016-04-29 02:53:37", "1461920017104140-1000", -6 * 3600);
        check_record("2021/5/7 0:49", "1620377388", -8 * 3600);
    }

    proptest! {
        #[test]
        fn any_bytes_have_an_epoch_or_none(id in proptest::collection::vec(any::<u8>(), 0..40)) {
            let _ = epoch_of_id(&id);
        }

        #[test]
        fn texts_of_an_ids_characters_have_an_epoch_or_none(id in "[0-9a.\\-]{0,24}") {
            let _ = epoch_of_id(id.as_bytes());
        }

        #[test]
        fn any_two_numbers_have_an_offset_or_none(start in any::<i64>(), epoch in any::<i64>()) {
            let _ = auto_offset(start, epoch);
        }
    }
}
