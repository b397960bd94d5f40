//! Nexo IPPBX: "Download the records", CGI 9005; the same as JSON, CGI 9006; "Call recordings", CGI 20053.
//!
//! Source: Nexo IPPBX "CDR & Call Recording API Guide", "CDR Report Data Fields", "CDR CSV FILE" and the
//! answers shown under "Example 2".
//!
//! - `Date` is documented as the time when the call ended, but in the guide's own samples it is the
//!   second of `UniqueID`, which is the start, and the JSON calls the same column `calldate`: it
//!   fills `start`.
//! - `Destination` may say who answered a menu, a queue or a ring group: `620(102)`.
//! - `Src. Trunk` and `Dst. Trunk` hold trunks, not channels: `pstn2` is an FXO port, `GSM3` a GSM
//!   port, and anything else is the trunk's own name.
//! - `UniqueID` is Asterisk's id of the call, there is no other; Excel and the guide show it without
//!   what follows the dot.
//! - The answers hold their records under `"0"`, `"1"` and so on: those of calls within `json_array_astcdrs`, those
//!   of recordings in the document itself, beside `json_obj_filter` and `totalcount`.
//! - A recording's `calldate` is the second in its `path`, when the recording began. That fills `answer`, and
//!   `start` for want of better. Its `trunk` may be on either side, and stands in `extra`.
//! - Durations are `6` in the file and `6s` on the page: `column/` reads both.

use std::borrow::Cow;

use super::{Channels, Columns, Csv, Field, Fill, Format, From, Json, Syntax, field};
use crate::csv::Quotes;
use crate::decode::{destination_answerer, destination_number};
use crate::schema::{Column as C, TimeKind};

/// What the page and the CGI give away.
pub(super) const CSV: Format = Format {
    name: "nexo-csv",
    vendor: "nexo",
    recognised_by: "a header with Date, Source and Destination, and a trunk, Call Direction or Billing Duration",
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
    channels: Channels::Trunks,
};

/// The CGI's answer as JSON.
pub(super) const JSON: Format = Format {
    name: "nexo-json",
    vendor: "nexo",
    recognised_by: "objects with calldate, src and dst, and UniqueID, disposition or billsec",
    syntax: Syntax::Json(Json {
        keys: KEYS,
        is_record: |keys| is_call(keys) && OUTCOMES.iter().any(|name| keys.iter().any(|key| key == name)),
        is_envelope: |told| told.has("json_array_astcdrs"),
        roots: &["json_array_astcdrs"],
        wrappers: &["json_obj_filter"],
        by_index: true,
        nesting: None,
        instants: None,
        error: super::no_error,
        missing: |told, elements| {
            super::below_total(told, &["totalcount", "json_obj_filter.totalcount"], elements)
        },
    }),
    fields: JSON_FIELDS,
    fill: Fill::Always(JSON_COLUMNS),
    times: TimeKind::WallClock,
    channels: Channels::Trunks,
};

/// The list of recordings.
pub(super) const RECORDINGS: Format = Format {
    name: "nexo-recordings-json",
    vendor: "nexo",
    recognised_by: "objects with calldate, src, dst and path",
    syntax: Syntax::Json(Json {
        keys: &["calldate", "src", "dst", "trunk", "duration", "calltype", "path"],
        is_record: |keys| is_call(keys) && keys.iter().any(|key| key == "path"),
        is_envelope: |told| told.has("totalcount") || told.has("json_obj_filter"),
        roots: &[],
        wrappers: &["json_obj_filter"],
        by_index: true,
        nesting: None,
        instants: None,
        error: super::no_error,
        missing: |told, elements| {
            super::below_total(told, &["totalcount", "json_obj_filter.totalcount"], elements)
        },
    }),
    fields: RECORDING_FIELDS,
    fill: Fill::Always(RECORDING_COLUMNS),
    times: TimeKind::WallClock,
    channels: Channels::Trunks,
};

#[rustfmt::skip]
const KEYS: &[&str] = &[
    "calldate", "src", "contact", "groupname", "dst", "channel", "dstchannel", "duration", "billsec", "disposition",
    "userfield", "accountcode", "cidname", "in_route", "IVR", "Recording filename", "UniqueID", "port",
];

const OUTCOMES: [&str; 3] = ["uniqueid", "disposition", "billsec"];

fn is_call(keys: &[String]) -> bool {
    ["calldate", "src", "dst"].iter().all(|name| keys.iter().any(|key| key == name))
}

const JSON_FIELDS: &[Field] = &[
    field("calldate"),
    field("src"),
    field("contact"),
    field("groupname"),
    field("dst"),
    field("channel"),
    field("dstchannel"),
    field("duration"),
    field("billsec"),
    field("disposition"),
    field("userfield"),
    field("accountcode"),
    field("cidname"),
    field("inroute"),
    field("ivr"),
    field("recordingfilename"),
    field("uniqueid"),
    field("port"),
];

const JSON_COLUMNS: Columns = &[
    (C::CallId, &[From::Field("uniqueid")]),
    (C::Uniqueid, &[From::Field("uniqueid")]),
    (C::Accountcode, &[From::Field("accountcode")]),
    (C::Src, &[From::Field("src")]),
    (C::SrcName, &[From::Field("contact")]),
    (C::Dst, &[From::Field("dst")]),
    (C::DstNumber, &[From::Part("dst", dialled)]),
    (C::DstKind, &[From::Part("dst", dialled)]),
    (C::AnsweredBy, &[From::Part("dst", answerer)]),
    (C::Channel, &[From::Field("channel")]),
    (C::Dstchannel, &[From::Field("dstchannel")]),
    (C::SrcTrunkName, &[From::Field("channel")]),
    (C::DstTrunkName, &[From::Field("dstchannel")]),
    (C::CidPrefix, &[From::Field("cidname")]),
    (C::InRoute, &[From::Field("inroute")]),
    (C::Ivr, &[From::Field("ivr")]),
    (C::Port, &[From::Field("port")]),
    (C::Start, &[From::Field("calldate")]),
    (C::Duration, &[From::Field("duration")]),
    (C::Billsec, &[From::Field("billsec")]),
    (C::Disposition, &[From::Field("disposition")]),
    (C::CallType, &[From::Field("userfield")]),
    (C::Userfield, &[From::Field("userfield")]),
    (C::Recordfiles, &[From::Field("recordingfilename")]),
];

const RECORDING_FIELDS: &[Field] = &[
    field("calldate"),
    field("src"),
    field("dst"),
    field("trunk"),
    field("duration"),
    field("calltype"),
    field("path"),
];

const RECORDING_COLUMNS: Columns = &[
    (C::Src, &[From::Field("src")]),
    (C::Dst, &[From::Field("dst")]),
    (C::DstNumber, &[From::Part("dst", dialled)]),
    (C::DstKind, &[From::Part("dst", dialled)]),
    (C::AnsweredBy, &[From::Part("dst", answerer)]),
    (C::Start, &[From::Field("calldate")]),
    (C::Answer, &[From::Field("calldate")]),
    (C::Duration, &[From::Field("duration")]),
    (C::CallType, &[From::Field("calltype")]),
    (C::Userfield, &[From::Field("calltype")]),
    (C::Recordfiles, &[From::Field("path")]),
];

#[rustfmt::skip]
const NAMES: &[&str] = &[
    "Date", "Source", "Destination", "CID Prefix", "In_Route", "IVR", "Src. Trunk", "Account Code", "Dst. Trunk",
    "Call Direction", "Status", "Duration", "Billing Duration", "UniqueID", "Recording Filename",
];

const FIELDS: &[Field] = &[
    field("date"),
    field("source"),
    field("destination"),
    field("cidprefix"),
    field("inroute"),
    field("ivr"),
    field("srctrunk"),
    field("accountcode"),
    field("dsttrunk"),
    field("calldirection"),
    field("status"),
    field("duration"),
    field("billingduration"),
    field("uniqueid"),
    field("recordingfilename"),
];

const COLUMNS: Columns = &[
    (C::CallId, &[From::Field("uniqueid")]),
    (C::Uniqueid, &[From::Field("uniqueid")]),
    (C::Accountcode, &[From::Field("accountcode")]),
    (C::Src, &[From::Field("source")]),
    (C::Dst, &[From::Field("destination")]),
    (C::DstNumber, &[From::Part("destination", dialled)]),
    (C::DstKind, &[From::Part("destination", dialled)]),
    (C::AnsweredBy, &[From::Part("destination", answerer)]),
    (C::Channel, &[From::Field("srctrunk")]),
    (C::Dstchannel, &[From::Field("dsttrunk")]),
    (C::SrcTrunkName, &[From::Field("srctrunk")]),
    (C::DstTrunkName, &[From::Field("dsttrunk")]),
    (C::CidPrefix, &[From::Field("cidprefix")]),
    (C::InRoute, &[From::Field("inroute")]),
    (C::Ivr, &[From::Field("ivr")]),
    (C::Start, &[From::Field("date")]),
    (C::Duration, &[From::Field("duration")]),
    (C::Billsec, &[From::Field("billingduration")]),
    (C::Disposition, &[From::Field("status")]),
    (C::CallType, &[From::Field("calldirection")]),
    (C::Userfield, &[From::Field("calldirection")]),
    (C::Recordfiles, &[From::Field("recordingfilename")]),
];

/// Three names that many tables have, and one that only this one has.
fn is_header(names: &[String]) -> bool {
    let has = |name: &&str| names.iter().any(|known| known == name);
    ["date", "source", "destination"].iter().all(has)
        && ["calldirection", "billingduration", "srctrunk", "dsttrunk"].iter().any(has)
}

/// The number before the bracket of `620(102)`; `s` stands for one that is not known.
fn dialled(destination: &str) -> Option<Cow<'_, str>> {
    destination_number(destination).and_then(super::ucm::dialled)
}

/// The number within the bracket of `620(102)`.
fn answerer(destination: &str) -> Option<Cow<'_, str>> {
    destination_answerer(destination).map(Cow::Borrowed)
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
        check("date,source,destination,call direction", true);
        check("Date,Source,Destination,Amount", false);
        check(
            "Date,Source,Destination,Src. Channel,Account Code,Dst. Channel,Status,Duration,UniqueID",
            false,
        );
        check("Source,Destination,Src. Trunk,Dst. Trunk", false);
    }

    #[test]
    fn every_name_is_known() {
        assert!(NAMES.iter().all(|name| CSV.field(&normalise(name)).is_some()));
        for format in [&JSON, &RECORDINGS] {
            let known = |key: &&str| format.field(&normalise(key)).is_some();
            assert!(format.keys().iter().all(known), "{}", format.name);
        }
    }

    #[test]
    fn calls_are_told_from_recordings() {
        let check = |line: &str, call, recording| {
            let keys: Vec<String> = line.split(',').map(normalise).collect();
            let found = [&JSON, &RECORDINGS].map(|format| (format.json().unwrap().is_record)(&keys));
            assert_eq!(found, [call, recording], "{line}");
        };
        check(&KEYS.join(","), true, false);
        check(&RECORDINGS.keys().join(","), false, true);
        check("src,dst,start,disposition", false, false);
    }

    #[test]
    fn destinations() {
        let check = |destination, number: Option<&str>, answered_by: Option<&str>| {
            assert_eq!(dialled(destination).as_deref(), number, "{destination}");
            assert_eq!(answerer(destination).as_deref(), answered_by, "{destination}");
        };
        check("620(102)", Some("620"), Some("102"));
        check("620 (102)", Some("620"), Some("102"));
        check("102", Some("102"), None);
        check("*97", Some("*97"), None);
        check("620(102", Some("620"), None);
        check("s", None, None);
    }
}
