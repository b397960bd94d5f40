//! 2600Hz Kazoo and its white labels (AVP): `/cdrs` as JSON, and with `Accept: application/octet-stream` as CSV.
//!
//! Source: AVP "CDR API", "Resource Parameters" and "Operations"; what no document says was looked up
//! in Kazoo's own source, module `cb_cdrs`, over its history.
//!
//! - Nothing is quoted but, from 2015 to 2018, the two dates; so a quote means something only where
//!   it encloses a whole field. A comma in a name shifts the record.
//! - Columns are appended and inserted from release to release, and read by name:
//!
//! ```text
//!  columns  Kazoo               besides the 22 up to unix_timestamp
//!    25     3.09 to 3.18, 2014  call_type rate rate_name; lines end in CR
//!    30     3.20 to 3.22, 2015  rfc_1036 iso_8601 (quoted), bridge_id recording_url call_priority
//!    31     4.0, 2016           media_recordings
//!    32     4.1, 4.2, 2017      media_server; from September 2018 without the quotes
//!    34     4.3, 2019           iso_8601_combined interaction_id
//!    35     4.3, 2020           unix_timestamp_micro
//! ```
//!
//! - For resellers each has `reseller_cost` and `reseller_call_type` at its end. In 2014 a comma is
//!   missing before them: `reseller_cost` is glued to `rate_name`, so records have one field fewer
//!   than their header, and one with a comma in a name has just as many. What is glued stays so,
//!   under `rate_name`: a name may end in digits.
//! - Kazoo 3.19 lacks a comma in its header, too: `rate_namebridge_id` stands for two fields.
//! - `rfc_1036` without quotes is two fields: `Fri, 01 May 2020 12:38:54 GMT`. That is how these
//!   records are, nothing is broken.
//! - Records are realigned on the fields that have a fixed shape (`fit.rs`); a surplus of fields is
//!   commas in names. Exactly one way must fit.
//! - `timestamp` is the call's start in Kazoo's own list, but in the older CSVs nobody subtracted the
//!   duration: it is the end, and so is all that is derived from it. They are told by their header:
//!   `unix_timestamp` stands there, and `media_server` does not.
//! - The JSON is a list in `data`, or one detail record: that is the document as it is stored, and its
//!   `timestamp` is the end. `custom_channel_vars` is an object there, or flattened with a dot. A list goes on
//!   where `next_start_key` says.
//! - `call_type` is how the call was billed and `direction` is the leg's, seen from the switch:
//!   neither says what kind of call it was.

mod fit;

use std::borrow::Cow;

use super::{
    ALONE, Channels, Columns, Csv, Field, Fill, Format, From, Json, Syntax, Told, field, field_or, repeats,
};
use crate::csv::Quotes;
use crate::schema::{Column as C, TimeKind};
use crate::time::read_seconds;

/// `/cdrs` as CSV.
pub(super) const CSV: Format = Format {
    name: "kazoo-csv",
    vendor: "kazoo",
    recognised_by: "a header with call_id, and hangup_cause or duration_seconds",
    syntax: Syntax::Csv(Csv {
        is_header: |names| {
            has(names, "callid") && (has(names, "hangupcause") || has(names, "durationseconds"))
        },
        is_record: super::no_record,
        generations: GENERATIONS,
        quotes: Quotes::Whole,
        plain: |names, fields| fields == names.len() && !is_glued(names),
        fit: fit::fit,
        page: None,
    }),
    fields: FIELDS,
    fill: Fill::ByHeader(columns),
    times: TimeKind::Instant,
    channels: Channels::Names,
};

/// `/cdrs` and `/cdrs/{id}` as JSON.
pub(super) const JSON: Format = Format {
    name: "kazoo-json",
    vendor: "kazoo",
    recognised_by: "objects with call_id, and hangup_cause or duration_seconds",
    syntax: Syntax::Json(Json {
        keys: KEYS,
        is_record: |keys| has(keys, "callid") && (has(keys, "hangupcause") || has(keys, "durationseconds")),
        is_envelope: |told| told.has("data") && ENVELOPE.iter().any(|key| told.has(key)),
        roots: &["data"],
        wrappers: &[],
        by_index: false,
        nesting: None,
        instants: None,
        error,
        missing: |told, _| {
            let key = told.get("next_start_key")?;
            Some(format!("one page of more: the next begins with start_key={key}"))
        },
    }),
    fields: FIELDS,
    fill: Fill::ByHeader(|seen| if has(seen, ALONE) { STAMPED_AT_END } else { STAMPED_AT_START }),
    times: TimeKind::Instant,
    channels: Channels::Names,
};

/// What an envelope has besides `data`.
const ENVELOPE: [&str; 6] =
    ["page_size", "next_start_key", "start_key", "status", "request_id", "auth_token"];

#[rustfmt::skip]
const KEYS: &[&str] = &[
    "id", "call_id", "other_leg_call_id", "caller_id_number", "caller_id_name", "callee_id_number", "callee_id_name",
    "calling_from", "dialed_number", "duration_seconds", "billing_seconds", "ringing_seconds", "timestamp",
    "hangup_cause", "owner_id", "from_uri", "from", "to_uri", "to", "direction", "call_direction", "recording_url",
    "unix_timestamp", "datetime", "rfc_1036", "iso_8601", "iso_8601_combined",
];

fn error(told: &Told) -> Option<String> {
    let is_error = told.get("status") == Some("error") || (told.has("error") && told.has("message"));
    let said: Vec<&str> = ["error", "message"].iter().filter_map(|key| told.get(key)).collect();
    is_error.then(|| said.join(" "))
}

/// The 22 columns that all generations have, and more.
#[rustfmt::skip]
macro_rules! generation {
    ($($more:literal)*) => {
        &[
            "id", "call_id", "caller_id_number", "caller_id_name", "callee_id_number", "callee_id_name",
            "duration_seconds", "billing_seconds", "timestamp", "hangup_cause", "other_leg_call_id", "owner_id",
            "to", "from", "direction", "request", "authorizing_id", "cost", "dialed_number", "calling_from",
            "datetime", "unix_timestamp", $($more),*
        ]
    };
}

/// All of them, and all again as they are written for resellers.
macro_rules! generations {
    ($([$($more:literal)*])*) => {
        &[
            $(generation!($($more)*),)*
            $(generation!($($more)* "reseller_cost" "reseller_call_type"),)*
        ]
    };
}

#[rustfmt::skip]
const GENERATIONS: &[&[&str]] = generations! {
    ["call_type" "rate" "rate_name"]
    ["rfc_1036" "iso_8601"
     "call_type" "rate" "rate_name" "bridge_id" "recording_url" "call_priority"]
    ["rfc_1036" "iso_8601"
     "call_type" "rate" "rate_name" "bridge_id" "recording_url" "media_recordings" "call_priority"]
    ["rfc_1036" "iso_8601"
     "call_type" "rate" "rate_name" "bridge_id" "recording_url" "media_recordings" "media_server" "call_priority"]
    ["rfc_1036" "iso_8601" "iso_8601_combined"
     "call_type" "rate" "rate_name" "bridge_id" "recording_url" "media_recordings" "media_server" "call_priority"
     "interaction_id"]
    ["unix_timestamp_micro" "rfc_1036" "iso_8601" "iso_8601_combined"
     "call_type" "rate" "rate_name" "bridge_id" "recording_url" "media_recordings" "media_server" "call_priority"
     "interaction_id"]
};

/// The fields that fill a column, and those that only repeat one. `unix_timestamp_micro` is none of
/// these: it has the microsecond, and stands in `extra`.
const FIELDS: &[Field] = &[
    field("id"),
    field("callid"),
    field("otherlegcallid"),
    field("calleridnumber"),
    field("calleridname"),
    field("calleeidnumber"),
    field("calleeidname"),
    field("callingfrom"),
    field("dialednumber"),
    field("durationseconds"),
    field("billingseconds"),
    field("ringingseconds"),
    field("timestamp"),
    field("hangupcause"),
    field("ownerid"),
    field("fromuri"),
    field("from"),
    field("touri"),
    field("to"),
    field_or("direction", &["calldirection"]),
    field("recordingurl"),
    repeats("unixtimestamp"),
    repeats("datetime"),
    repeats("rfc1036"),
    repeats("iso8601"),
    repeats("iso8601combined"),
];

/// The columns, with what fills `start` and `end`.
macro_rules! columns {
    (start: $start:expr, end: $end:expr) => {
        &[
            (C::RecordId, &[From::Field("id")]),
            (C::CallId, &[From::Field("callid")]),
            (C::OtherLegCallId, &[From::Field("otherlegcallid")]),
            (C::Src, &[From::Field("calleridnumber"), From::Field("callingfrom")]),
            (C::SrcName, &[From::Field("calleridname")]),
            (C::Dst, &[From::Field("calleeidnumber"), From::Field("dialednumber")]),
            (C::DstName, &[From::Field("calleeidname")]),
            (C::DstNumber, &[From::Field("calleeidnumber"), From::Field("dialednumber")]),
            (C::ActionOwner, &[From::Field("ownerid")]),
            (C::FromUri, &[From::Field("fromuri"), From::Field("from")]),
            (C::ToUri, &[From::Field("touri"), From::Field("to")]),
            (C::Start, $start),
            (C::End, $end),
            (C::Duration, &[From::Field("durationseconds")]),
            (C::Billsec, &[From::Field("billingseconds")]),
            (C::Ringsec, &[From::Field("ringingseconds")]),
            (C::Disposition, &[From::Part("billingseconds", answered)]),
            (C::HangupCause, &[From::Field("hangupcause")]),
            (C::Userfield, &[From::Field("direction")]),
            (C::Recordfiles, &[From::Field("recordingurl")]),
        ]
    };
}

const STAMPED_AT_START: Columns = columns! {
    start: &[From::Gregorian("timestamp"), From::Epoch("unixtimestamp"), From::Field("datetime")],
    end: &[]
};

const STAMPED_AT_END: Columns = columns! {
    start: &[
        From::GregorianLess("timestamp", "durationseconds"),
        From::EpochLess("unixtimestamp", "durationseconds"),
    ],
    end: &[From::Gregorian("timestamp"), From::Epoch("unixtimestamp"), From::Field("datetime")]
};

fn columns(names: &[String]) -> Columns {
    let stamped_at_end = has(names, "unixtimestamp") && !has(names, "mediaserver");
    if stamped_at_end { STAMPED_AT_END } else { STAMPED_AT_START }
}

fn has(names: &[String], name: &str) -> bool {
    names.iter().any(|known| known == name)
}

/// Whether a comma is missing before `reseller_cost` in the records under this header (2014).
fn is_glued(names: &[String]) -> bool {
    has(names, "resellercost") && !has(names, "rfc1036")
}

/// Only a call that was answered is billed.
fn answered(billing_seconds: &str) -> Option<Cow<'_, str>> {
    let billed = matches!(read_seconds(billing_seconds.as_bytes()), Ok(Some(seconds)) if seconds > 0);
    billed.then_some(Cow::Borrowed("ANSWERED"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::normalise;

    fn generation(columns: usize) -> &'static [&'static str] {
        GENERATIONS.iter().find(|names| names.len() == columns).unwrap()
    }

    #[test]
    fn only_the_header_with_the_glue_has_no_plain_records() {
        let plain = |columns| {
            let names: Vec<String> = generation(columns).iter().map(|name| normalise(name)).collect();
            (CSV.csv().unwrap().plain)(&names, columns)
        };
        let all: Vec<bool> = [25, 27, 30, 31, 34, 35, 36, 37].map(plain).to_vec();
        assert_eq!(all, [true, false, true, true, true, true, true, true]);
    }

    #[test]
    fn header_tells_what_the_timestamp_is() {
        let check = |line: &str, at_end: bool| {
            let names: Vec<String> = line.split(',').map(normalise).collect();
            let table = columns(&names);
            let fills_end = table.iter().any(|(column, sources)| *column == C::End && !sources.is_empty());
            assert_eq!(fills_end, at_end, "{line}");
        };
        check(&generation(25).join(","), true);
        check(&generation(30).join(","), true);
        check(&generation(31).join(","), true);
        check(&generation(32).join(","), false);
        check(&generation(34).join(","), false);
        check("id,duration_seconds,timestamp,hangup_cause,call_id,to_uri,from_uri", false);
    }

    #[test]
    fn header_is_told_by_its_call_and_how_that_ended() {
        let check = |line: &str, expected| {
            let names: Vec<String> = line.split(',').map(normalise).collect();
            assert_eq!((CSV.csv().unwrap().is_header)(&names), expected, "{line}");
        };
        check("id,digits_dialed,duration_seconds,call_id", true);
        check("call_id,hangup_cause,custom_channel_vars.account_id", true);
        check("call_id,timestamp", false);
        check("duration_seconds,hangup_cause", false);
    }

    #[test]
    fn answered_is_what_is_billed() {
        let check = |seconds, expected| assert_eq!(answered(seconds).is_some(), expected, "{seconds}");
        check("30", true);
        check("0", false);
        check("", false);
        check("abc", false);
    }
}
