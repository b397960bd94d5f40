//! Yeastar P-Series: `cdr/search`.
//!
//! Source: Yeastar P-Series "Search specific CDR", "Response parameters" and "Examples".
//!
//! - What a call has not is left out; only `call_type` is empty where nothing else would tell whose record it is. `id`, `timestamp` and durations are numbers; an id that is none is a text.
//! - `total_number`, before the records, counts those of all pages.
//! - Parties pack a name and a number: `Kristin Hale<2005>`. A caller whose packed text (`clid`) says the same as
//!   `src` and `src_name` keeps it; another's is put together.
//! - `timestamp` is left out where the time is the PBX's clock and no zone is known: `time` has it then. With
//!   fractions of a second it is in milliseconds, as newer firmware has it.
//! - `time` is in the PBX's display format, which a dump of instants keeps in `extra`; else as the document's example
//!   has it, month first.
//! - `reason` ends in a blank, as the device's does.
//! - No field: `answer`, `end`, `answered_by`, channels, actions, `uniqueid`, `accountcode`, `hangup_cause`'s blanks, and
//!   what only a UCM, Nexo or Kazoo has.

use std::borrow::Cow;

use super::{Facts, Field, Row, Shape, Total, column, made, spell};
use crate::decode::Party;
use crate::schema::Column as C;
use crate::sink::text_jsonl::write_text;

/// `cdr/search`.
pub(super) const JSON: Shape = Shape {
    format: "yeastar-json",
    fields: FIELDS,
    whole_calls: false,
    legs_only: false,
    total: Total::Before,
    between: super::LIST,
    open: |facts, out| {
        let total = facts.matched;
        let head = format!("{{\"errcode\":0,\"errmsg\":\"SUCCESS\",\"total_number\":{total},\"data\":[");
        out.extend_from_slice(head.as_bytes());
    },
    call: |rows, _, out| rows.iter().for_each(|row| record(row, out)),
    close: |facts: &Facts, out| {
        out.extend_from_slice(if facts.answered > 0 { b"\n]}\n" } else { b"]}\n" });
    },
};

const FIELDS: &[Field] = &[
    column("id", C::RecordId),
    made("time", &[C::Start, C::Extra], time),
    made("call_from", &[C::Clid, C::Src, C::SrcName], caller),
    made("call_to", &[C::Dst, C::DstName, C::Extra], callee),
    made("timestamp", &[C::Start], timestamp),
    column("uid", C::CallId),
    column("src_addr", C::SrcAddr),
    column("src_trunk", C::SrcTrunkName),
    column("dst_trunk", C::DstTrunkName),
    column("duration", C::Duration),
    column("ring_duration", C::Ringsec),
    column("talk_duration", C::Billsec),
    column("disposition", C::Disposition),
    made("call_type", &[C::Userfield, C::CallType], call_type),
    column("did_number", C::DidNumber),
    column("dod_number", C::DodNumber),
    column("record_file", C::Recordfiles),
    made("reason", &[C::HangupCause], |row| Some(row.text(C::HangupCause)?.into_owned() + " ")),
];

const NUMBERS: [&str; 5] = ["id", "timestamp", "duration", "ring_duration", "talk_duration"];

/// Fields by one of which a record is known to be Yeastar's.
const TELLING: [&str; 4] = ["timestamp", "uid", "talk_duration", "call_type"];

fn record(row: &Row<'_>, out: &mut Vec<u8>) {
    out.push(b'{');
    let (mut after, mut told) = (false, false);
    for field in FIELDS {
        let is_last = field.name == "call_type";
        let text = match field.text(row) {
            Some(text) => text,
            // Empty, as the device has it, where nothing else would tell what this is.
            None if is_last && !told => Cow::Borrowed(""),
            None => continue,
        };
        told |= TELLING.contains(&field.name);
        if std::mem::replace(&mut after, true) {
            out.push(b',');
        }
        write_text(field.name, out);
        out.push(b':');
        if NUMBERS.contains(&field.name) && is_number(&text) {
            out.extend_from_slice(text.as_bytes());
        } else {
            write_text(&text, out);
        }
    }
    out.push(b'}');
}

/// Whether a text is a whole number that JSON reads, and writes, the same.
fn is_number(text: &str) -> bool {
    text.parse::<i64>().is_ok_and(|number| number.to_string() == text)
}

fn time(row: &Row<'_>) -> Option<String> {
    let shown = row.extra("time").filter(|_| row.is_instant(C::Start)).map(Into::into);
    shown.or_else(|| row.clock(C::Start).map(spell::month_first))
}

/// Epoch seconds, or milliseconds of thirteen digits.
fn timestamp(row: &Row<'_>) -> Option<String> {
    let micros = row.instant(C::Start).filter(|_| row.is_instant(C::Start))?;
    let millis = micros.div_euclid(1000).to_string();
    let has_fraction = micros.rem_euclid(1_000_000) >= 1000;
    Some(if has_fraction && millis.len() == 13 { millis } else { micros.div_euclid(1_000_000).to_string() })
}

fn caller(row: &Row<'_>) -> Option<String> {
    let (name, number) = (row.text(C::SrcName), row.text(C::Src));
    let packed = row.text(C::Clid).filter(|clid| says(clid, name.as_deref(), number.as_deref()));
    packed.map(Into::into).or_else(|| party(name.as_deref(), number.as_deref()))
}

/// A text that fits no party stands in `extra`.
fn callee(row: &Row<'_>) -> Option<String> {
    let (name, number) = (row.text(C::DstName), row.text(C::Dst));
    match (&name, &number) {
        (None, None) => row.extra("call_to").or_else(|| row.extra("Call To")).map(Into::into),
        _ => party(name.as_deref(), number.as_deref()),
    }
}

/// Whether a packed party is of this name and number.
fn says(packed: &str, name: Option<&str>, number: Option<&str>) -> bool {
    let party = Party::parse(packed);
    (party.name.as_deref(), party.number) == (name, number)
}

/// A packed party: the first way to write it that reads as what it was made of, else the number alone.
fn party(name: Option<&str>, number: Option<&str>) -> Option<String> {
    let shown = name.unwrap_or_default();
    let ways = [
        number.filter(|_| name.is_none()).map(str::to_string),
        name.filter(|_| number.is_none()).map(str::to_string),
        number.map(|number| format!("{shown}<{number}>")),
        number.map(|number| format!("\"{shown}\"<{number}>")),
        number.map(|number| format!("\"{}\"<{number}>", shown.replace('"', "\\\""))),
        name.map(|name| format!("\"{name}\"")),
    ];
    let fits = ways.into_iter().flatten().find(|packed| says(packed, name, number));
    fits.or_else(|| number.or(name).map(str::to_string))
}

/// The dump's own word, else the table's, written as the device does: `Outbound`.
fn call_type(row: &Row<'_>) -> Option<String> {
    let word = || {
        let word = row.text(C::CallType)?;
        let (head, tail) = word.split_at_checked(1)?;
        Some(head.to_ascii_uppercase() + tail)
    };
    row.text(C::Userfield).map(Into::into).or_else(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parties_are_packed_so_that_they_read_the_same() {
        let check = |name: Option<&str>, number: Option<&str>, expected: Option<&str>| {
            assert_eq!(party(name, number).as_deref(), expected);
        };
        check(Some("Kristin Hale"), Some("2005"), Some("Kristin Hale<2005>"));
        check(None, Some("1000"), Some("1000"));
        check(None, Some("+49 30 1"), Some("+49 30 1"));
        check(None, Some("Conference room"), Some("<Conference room>"));
        check(Some("Hale"), None, Some("\"Hale\""));
        check(Some("Kristin Hale"), None, Some("Kristin Hale"));
        check(Some("a <b>"), Some("1"), Some("\"a <b>\"<1>"));
        check(Some("a\"b"), Some("1"), Some("a\"b<1>"));
        check(None, None, None);
    }

    #[test]
    fn numbers_are_those_that_json_writes_the_same() {
        let check = |text, expected| assert_eq!(is_number(text), expected, "{text}");
        check("2710", true);
        check("-1", true);
        check("007", false);
        check("+1", false);
        check("9223372036854775808", false);
        check("", false);
    }
}
