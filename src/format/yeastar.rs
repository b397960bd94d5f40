//! Yeastar P-Series: the page's download as CSV; `cdr/search` and `cdr/list` as JSON.
//!
//! Source: Yeastar P-Series "Search specific CDR", "Response parameters" and "Examples"; the columns
//! are those of the page, "CDR parameters".
//!
//! - `Time` is in the PBX's display format and zone. There is no epoch beside it as there is in the
//!   JSON, so the times of these dumps are the PBX's clock.
//! - Parties pack a name and a number: `Kristin Hale<2005>`. What of `Call From` fits no party is
//!   kept in `clid`; for `Call To` there is no such column, so that text goes to `extra`.
//! - `Reason` ends in a blank: `src hangup `.
//! - The names of the JSON (`call_type`, `did_number`) are accepted beside the page's. `timestamp` is
//!   not one of them: with it these would be dumps of instants.
//! - The JSON has numbers for numbers, and leaves out what a call has not. Its `timestamp` is the truth; `time` is
//!   read only in a record without it, and where no record has one, the times are the PBX's clock.
//! - `errcode` other than 0 is an error; `total_number` counts the records of all pages.

use std::borrow::Cow;

use super::ucm::{name, number};
use super::{Channels, Columns, Csv, Field, Fill, Format, From, Json, Syntax, Told, field, field_or};
use crate::csv::Quotes;
use crate::schema::{Column as C, TimeKind};

/// What the page gives away.
pub(super) const CSV: Format = Format {
    name: "yeastar-csv",
    vendor: "yeastar",
    recognised_by: "a header with Time, Call From and Call To, and Talk Duration or Communication Type",
    syntax: Syntax::Csv(Csv {
        is_header,
        is_record: super::no_record,
        generations: &[NAMES],
        quotes: Quotes::Device,
        plain: super::one_each,
        fit: super::no_fit,
        page: None,
    }),
    fields: FIELDS,
    fill: Fill::Always(COLUMNS),
    times: TimeKind::WallClock,
    channels: Channels::Names,
};

/// What the API answers.
pub(super) const JSON: Format = Format {
    name: "yeastar-json",
    vendor: "yeastar",
    recognised_by: "objects with call_from and call_to, and timestamp, uid, talk_duration or call_type",
    syntax: Syntax::Json(Json {
        keys: KEYS,
        is_record: |keys| {
            let has = |name: &&str| keys.iter().any(|known| known == name);
            ["callfrom", "callto"].iter().all(has)
                && ["timestamp", "uid", "talkduration", "calltype"].iter().any(has)
        },
        is_envelope: |told| told.has("errcode"),
        roots: &["data"],
        wrappers: &[],
        by_index: false,
        nesting: None,
        instants: Some("timestamp"),
        error,
        missing: |told, elements| super::below_total(told, &["total_number"], elements),
    }),
    fields: JSON_FIELDS,
    fill: Fill::Always(JSON_COLUMNS),
    times: TimeKind::Instant,
    channels: Channels::Names,
};

#[rustfmt::skip]
const KEYS: &[&str] = &[
    "id", "time", "call_from", "call_to", "timestamp", "uid", "src_addr", "src_trunk", "dst_trunk", "duration",
    "ring_duration", "talk_duration", "disposition", "call_type", "did_number", "dod_number", "record_file", "reason",
];

fn error(told: &Told) -> Option<String> {
    let code = told.get("errcode").filter(|code| code.trim() != "0")?;
    Some(format!("{code} {}", told.get("errmsg").unwrap_or_default()).trim_end().to_string())
}

#[rustfmt::skip]
const NAMES: &[&str] = &[
    "ID", "Time", "Call From", "Call To", "Call Duration", "Ring Duration", "Talk Duration", "Status", "Reason",
    "Source Trunk", "Destination Trunk", "Communication Type", "DID", "Outbound Caller ID", "Recording File",
];

/// The fields, and what else one of the dumps has.
macro_rules! fields {
    ($($more:expr),*) => {
        &[
            field("id"),
            field("uid"),
            field("time"),
            field("callfrom"),
            field("callto"),
            field_or("callduration", &["duration"]),
            field("ringduration"),
            field("talkduration"),
            field_or("status", &["disposition"]),
            field("reason"),
            field_or("sourcetrunk", &["srctrunk"]),
            field_or("destinationtrunk", &["dsttrunk"]),
            field_or("communicationtype", &["calltype"]),
            field_or("did", &["did/ddi", "didnumber"]),
            field_or("outboundcallerid", &["dodnumber"]),
            field_or("calleripaddress", &["srcaddr"]),
            field_or("recordingfile", &["recordfile"]),
            $($more),*
        ]
    };
}

const FIELDS: &[Field] = fields!();

const JSON_FIELDS: &[Field] = fields!(field("timestamp"));

/// The columns, with what fills `start`.
macro_rules! columns {
    (start: $start:expr) => {
        &[
            (C::RecordId, &[From::Field("id")]),
            (C::CallId, &[From::Field("uid")]),
            (C::Src, &[From::Part("callfrom", number)]),
            (C::SrcName, &[From::Part("callfrom", name)]),
            (C::Dst, &[From::Part("callto", number)]),
            (C::DstName, &[From::Part("callto", name)]),
            (C::DstNumber, &[From::Part("callto", number)]),
            (C::Clid, &[From::Field("callfrom")]),
            (C::SrcTrunkName, &[From::Field("sourcetrunk")]),
            (C::DstTrunkName, &[From::Field("destinationtrunk")]),
            (C::DidNumber, &[From::Field("did")]),
            (C::DodNumber, &[From::Field("outboundcallerid")]),
            (C::SrcAddr, &[From::Field("calleripaddress")]),
            (C::Start, $start),
            (C::Duration, &[From::Field("callduration")]),
            (C::Billsec, &[From::Field("talkduration")]),
            (C::Ringsec, &[From::Field("ringduration")]),
            (C::Disposition, &[From::Field("status")]),
            (C::HangupCause, &[From::Part("reason", without_trailing_blank)]),
            (C::CallType, &[From::Field("communicationtype")]),
            (C::Userfield, &[From::Field("communicationtype")]),
            (C::Recordfiles, &[From::Field("recordingfile")]),
        ]
    };
}

const COLUMNS: Columns = columns! { start: &[From::Field("time")] };

/// `time` is told in the zone of the PBX: where it is not read, it stands in `extra`.
const JSON_COLUMNS: Columns = columns! { start: &[From::Epoch("timestamp"), From::Clock("time")] };

/// Three names that other pages have, too, and one that only this one has.
fn is_header(names: &[String]) -> bool {
    let has = |name: &&str| names.iter().any(|known| known == name);
    ["time", "callfrom", "callto"].iter().all(has) && ["talkduration", "communicationtype"].iter().any(has)
}

fn without_trailing_blank(reason: &str) -> Option<Cow<'_, str>> {
    let reason = reason.trim_ascii_end();
    (!reason.is_empty()).then_some(Cow::Borrowed(reason))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::normalise;

    #[test]
    fn header_is_told_by_names_of_its_own() {
        let check = |line: &str, expected| {
            let names: Vec<String> = line.split(',').map(normalise).collect();
            assert_eq!(is_header(&names), expected, "{line}");
        };
        check(&NAMES.join(","), true);
        check("id,time,call_from,call_to,talk_duration", true);
        check("Start Time,Call From,Call To,Talk Time,Status", false);
        check("ID,Time,Call From", false);
    }

    #[test]
    fn every_name_is_known() {
        let json = "id,time,call_from,call_to,uid,src_addr,src_trunk,dst_trunk,duration,ring_duration,talk_duration,\
                    disposition,call_type,did_number,dod_number,record_file,reason";
        for name in NAMES.iter().copied().chain(json.split(',')).chain(["DID/DDI"]) {
            assert!(CSV.field(&normalise(name)).is_some(), "{name}");
        }
        assert!(KEYS.iter().all(|key| JSON.field(&normalise(key)).is_some()));
    }

    #[test]
    fn reasons() {
        let check = |reason, expected: Option<&str>| {
            assert_eq!(without_trailing_blank(reason).as_deref(), expected, "{reason:?}");
        };
        check("src hangup ", Some("src hangup"));
        check("dst hangup", Some("dst hangup"));
        check(" ", None);
    }
}
