//! Which zone a PBX is in: names, offsets, and how far east its clock hung at an instant.
//!
//! This is the one file that names `chrono` and `chrono-tz`, which upstream winds down in favour
//! of `jiff`: all that anyone else learns of a zone is its name and [`IanaZone::offset_at`], so a
//! change of crate is a change of this file. It must not know texts of dumps or rows.
//!
//! The tables of `chrono-tz` end with 2099: from 2100 on, a zone keeps its last offset.

use std::fmt;

use chrono::{DateTime, Offset, TimeZone};
use chrono_tz::{TZ_VARIANTS, Tz};

use super::read::read_offset;

/// The zone that a dump's clock times are in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Zone {
    /// A zone of the IANA database.
    Iana(IanaZone),
    /// Always this many seconds east of Greenwich.
    Fixed(i32),
    /// Unknown: each row's own epoch tells its offset (see [`auto_offset`](super::auto_offset)).
    Auto,
}

/// A zone of the IANA database, such as `America/Chicago`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IanaZone(Tz);

impl IanaZone {
    /// The name as the database spells it.
    pub fn name(self) -> &'static str {
        self.0.name()
    }

    /// Seconds east of Greenwich that the zone's clocks showed at an instant in UTC seconds.
    pub(super) fn offset_at(self, utc: i64) -> i32 {
        let utc = DateTime::from_timestamp(utc, 0).unwrap_or_default();
        self.0.offset_from_utc_datetime(&utc.naive_utc()).fix().local_minus_utc()
    }
}

impl Zone {
    /// Reads an IANA name (in any case), an offset (`+05:00`, `-0600`, `+05`), `UTC`, `Z` or `auto`.
    ///
    /// # Errors
    /// A sentence for the user, which names similar zones where there are some.
    pub fn parse(text: &str) -> Result<Zone, String> {
        let name = text.trim();
        if name.eq_ignore_ascii_case("auto") {
            return Ok(Zone::Auto);
        }
        if name.eq_ignore_ascii_case("UTC") || name.eq_ignore_ascii_case("Z") {
            return Ok(Zone::Fixed(0));
        }
        if name.starts_with(['+', '-']) {
            let unknown = || format!("`{name}` is no offset: write it as +05:00 or -0600, below 24 hours");
            return read_offset(name.as_bytes()).map(Zone::Fixed).ok_or_else(unknown);
        }
        let found = TZ_VARIANTS.iter().find(|zone| zone.name().eq_ignore_ascii_case(name));
        found.map(|&zone| Zone::Iana(IanaZone(zone))).ok_or_else(|| unknown_zone(name))
    }
}

/// As [`Zone::parse`] reads it.
impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Zone::Iana(zone) => f.write_str(zone.name()),
            Zone::Fixed(0) => f.write_str("UTC"),
            Zone::Fixed(offset) => {
                let (sign, minutes) = (if offset < 0 { '-' } else { '+' }, offset.unsigned_abs() / 60);
                write!(f, "{sign}{:02}:{:02}", minutes / 60, minutes % 60)
            }
            Zone::Auto => f.write_str("auto"),
        }
    }
}

/// The sentence for a name that no zone has.
#[cold]
fn unknown_zone(name: &str) -> String {
    let near = near_names(name);
    let hint = match near.split_last() {
        None => String::new(),
        Some((last, [])) => format!("; did you mean {last}?"),
        Some((last, others)) => format!("; did you mean {} or {last}?", others.join(", ")),
    };
    format!(
        "no time zone is named `{name}`{hint} (a zone is an IANA name such as America/Chicago, \
         an offset such as +05:00, `UTC`, or `auto`)"
    )
}

/// Up to three zones that are named nearly so, whole or from a slash on, the nearest first.
///
/// A typing error in four letters is allowed, so an abbreviation (`PST`) resembles nothing: its
/// neighbours in spelling (`EST`) are other zones. `Etc/GMT+5` and its like are never proposed,
/// for it is -05:00.
fn near_names(name: &str) -> Vec<&'static str> {
    let wanted = name.to_ascii_lowercase().replace(' ', "_");
    let allowed = wanted.chars().count() / 4;
    let distance = |zone: &str| {
        let zone = zone.to_ascii_lowercase();
        let tails = zone.match_indices('/').map(|(slash, _)| edits(&wanted, &zone[slash + 1..]));
        tails.fold(edits(&wanted, &zone), usize::min)
    };
    let names = TZ_VARIANTS.iter().map(|zone| zone.name());
    let names = names.filter(|name| !name.starts_with("Etc/") && !name.starts_with("GMT"));
    let mut near: Vec<_> =
        names.map(|name| (distance(name), name)).filter(|near| near.0 <= allowed).collect();
    near.sort_unstable();
    near.into_iter().take(3).map(|near| near.1).collect()
}

/// Levenshtein's distance: how many characters must be added, dropped or changed.
fn edits(from: &str, to: &str) -> usize {
    let mut row: Vec<usize> = (0..=to.chars().count()).collect();
    for (above, a) in from.chars().enumerate() {
        let mut corner = row[0];
        row[0] = above + 1;
        for (i, b) in to.chars().enumerate() {
            let changed = corner + usize::from(a != b);
            corner = row[i + 1];
            row[i + 1] = changed.min(corner + 1).min(row[i] + 1);
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, name: &str) {
        assert_eq!(Zone::parse(text).map(|zone| zone.to_string()), Ok(name.to_owned()), "{text:?}");
    }

    #[track_caller]
    fn check_error(text: &str, sentence: &str) {
        let error = Zone::parse(text).unwrap_err();
        assert!(error.starts_with(sentence), "{text:?}: {error}");
    }

    #[test]
    fn iana_names_are_zones() {
        check("America/Chicago", "America/Chicago");
        check(" america/new_york ", "America/New_York");
        check("US/Central", "US/Central");
        check("EST5EDT", "EST5EDT");
    }

    #[test]
    fn offsets_are_zones() {
        check("+05:00", "+05:00");
        check("-0600", "-06:00");
        check("-00:30", "-00:30");
        check("+05", "+05:00");
        check("+0000", "UTC");
    }

    #[test]
    fn utc_z_and_auto_are_zones() {
        check("UTC", "UTC");
        check("utc", "UTC");
        check("Z", "UTC");
        check("auto", "auto");
    }

    #[test]
    fn offsets_beyond_a_day_are_errors() {
        check_error("+24:00", "`+24:00` is no offset");
        check_error("-5", "`-5` is no offset");
        check_error("+5:00", "`+5:00` is no offset");
    }

    #[test]
    fn misspelled_names_get_near_ones() {
        check_error(
            "America/Chigaco",
            "no time zone is named `America/Chigaco`; did you mean America/Chicago?",
        );
        check_error("New York", "no time zone is named `New York`; did you mean America/New_York?");
        check_error("Pekin", "no time zone is named `Pekin` (a zone is");
        check_error("Sanghai", "no time zone is named `Sanghai`; did you mean Asia/Shanghai?");
        check_error(
            "Indiana/Knoxx",
            "no time zone is named `Indiana/Knoxx`; did you mean America/Indiana/Knox?",
        );
    }

    #[test]
    fn far_names_get_the_grammar_alone() {
        check_error("PST", "no time zone is named `PST` (a zone is an IANA name such as America/Chicago");
        check_error("GMT+5", "no time zone is named `GMT+5` (a zone is");
        check_error("", "no time zone is named `` (a zone is");
        check_error("ЖЖЖЖЖЖЖЖ", "no time zone is named `ЖЖЖЖЖЖЖЖ` (a zone is");
    }

    #[test]
    fn offsets_hold_at_an_instant() {
        let Ok(Zone::Iana(monrovia)) = Zone::parse("Africa/Monrovia") else { panic!() };
        assert_eq!(monrovia.offset_at(0), -2_670);
        assert_eq!(monrovia.offset_at(1_715_949_296), 0);
    }

    #[test]
    fn every_zone_has_an_offset_at_any_time() {
        for zone in TZ_VARIANTS {
            for utc in [i64::MIN, -62_167_219_200, 0, 4_102_444_800, 253_402_300_799, i64::MAX] {
                assert!(IanaZone(zone).offset_at(utc).abs() < 26 * 3600);
            }
        }
    }

    #[test]
    fn edits_are_counted() {
        assert_eq!(edits("", "abc"), 3);
        assert_eq!(edits("kitten", "sitting"), 3);
        assert_eq!(edits("same", "same"), 0);
    }
}
