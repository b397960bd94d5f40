//! 2600Hz Kazoo and its white labels (AVP): `/cdrs` as JSON, and as CSV for `Accept: application/octet-stream`.
//!
//! Source: AVP "CDR API"; the columns are those of Kazoo 4.3 (2019), the newest header that is documented by real
//! dumps, and `ringing_seconds`, which the document has and that header has not, at the end.
//!
//! - All values are texts, and what a record has not is the empty one. `page_size` and `next_start_key` stand behind
//!   the list.
//! - `timestamp`, and what is derived from it, is the call's start, in whole Gregorian seconds and UTC, as in
//!   Kazoo's own list; so `end` has no field.
//! - The device never quotes; here a field is quoted where it must be, for a comma in a name would shift the record.
//!   A line break has no place in that CSV even so, and is written as a blank.
//! - `request`, `cost`, `rate` and the like come from `extra`, where reading them puts them.
//! - No field: `answer`, `answered_by`, `clid`, channels, trunks, actions, `uniqueid`, `accountcode`, `disposition`
//!   other than by `billing_seconds`, and what only a UCM, Nexo or Yeastar has.

use super::spell::{self, Civil};
use super::{Facts, Field, Row, Shape, Total, column, csv, extra, made};
use crate::schema::Column as C;
use crate::sink::text_jsonl::write_text;

/// `/cdrs`.
pub(super) const JSON: Shape = Shape {
    format: "kazoo-json",
    fields: FIELDS,
    whole_calls: false,
    legs_only: false,
    total: Total::Untold,
    between: super::LIST,
    open: |_, out| out.extend_from_slice(b"{\"data\":["),
    call: |rows, _, out| rows.iter().for_each(|row| record(row, out)),
    close,
};

/// The same as CSV.
pub(super) const CSV: Shape = Shape {
    format: "kazoo-csv",
    fields: FIELDS,
    whole_calls: false,
    legs_only: false,
    total: Total::Untold,
    between: super::LINES,
    open: |_, out| csv::header(FIELDS, out),
    call: |rows, _, out| rows.iter().for_each(|row| csv::line(FIELDS, row, on_one_line, out)),
    close: |_, _| {},
};

const START: &[C] = &[C::Start];

const FIELDS: &[Field] = &[
    column("id", C::RecordId),
    column("call_id", C::CallId),
    column("caller_id_number", C::Src),
    column("caller_id_name", C::SrcName),
    column("callee_id_number", C::Dst),
    column("callee_id_name", C::DstName),
    column("duration_seconds", C::Duration),
    column("billing_seconds", C::Billsec),
    made("timestamp", START, |row| Some((seconds(row)? + YEAR_0_TO_1970).to_string())),
    column("hangup_cause", C::HangupCause),
    column("other_leg_call_id", C::OtherLegCallId),
    column("owner_id", C::ActionOwner),
    column("to", C::ToUri),
    column("from", C::FromUri),
    column("direction", C::Userfield),
    extra("request"),
    extra("authorizing_id"),
    extra("cost"),
    extra("dialed_number"),
    extra("calling_from"),
    made("datetime", START, |row| Some(spell::clock(whole(row)?))),
    made("unix_timestamp", START, |row| Some(seconds(row)?.to_string())),
    made("rfc_1036", START, |row| Some(spell::rfc_1036(whole(row)?))),
    made("iso_8601", START, |row| Some(Civil::of(whole(row)?).date())),
    made("iso_8601_combined", START, |row| {
        let civil = Civil::of(whole(row)?);
        Some(format!("{}T{}Z", civil.date(), civil.time()))
    }),
    extra("call_type"),
    extra("rate"),
    extra("rate_name"),
    extra("bridge_id"),
    column("recording_url", C::Recordfiles),
    extra("media_recordings"),
    extra("media_server"),
    extra("call_priority"),
    extra("interaction_id"),
    column("ringing_seconds", C::Ringsec),
];

/// Seconds from the year 0 to 1970.
const YEAR_0_TO_1970: i64 = 62_167_219_200;

fn seconds(row: &Row<'_>) -> Option<i64> {
    Some(row.instant(C::Start)?.div_euclid(1_000_000))
}

/// The start in microseconds, without a fraction of the second.
fn whole(row: &Row<'_>) -> Option<i64> {
    Some(seconds(row)? * 1_000_000)
}

fn record(row: &Row<'_>, out: &mut Vec<u8>) {
    out.push(b'{');
    for (at, field) in FIELDS.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        write_text(field.name, out);
        out.push(b':');
        write_text(field.text(row).as_deref().unwrap_or_default(), out);
    }
    out.push(b'}');
}

/// `],"page_size":50,"next_start_key":"50"}`
fn close(facts: &Facts, out: &mut Vec<u8>) {
    out.extend_from_slice(if facts.answered > 0 { b"\n]" } else { b"]" });
    let size = facts.page_size.unwrap_or(facts.answered);
    out.extend_from_slice(format!(",\"page_size\":{size}").as_bytes());
    if let Some(next) = &facts.next {
        out.extend_from_slice(b",\"next_start_key\":");
        write_text(next, out);
    }
    out.extend_from_slice(b"}\n");
}

fn on_one_line(_: &Field, text: &str, out: &mut Vec<u8>) {
    match text.contains(['\n', '\r']) {
        true => csv::write_text(&text.replace(['\n', '\r'], " "), out),
        false => csv::write_text(text, out),
    }
}
