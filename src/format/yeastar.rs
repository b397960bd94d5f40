//! Yeastar P-Series: the page's download as CSV.
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

use std::borrow::Cow;

use super::ucm::{name, number};
use super::{Channels, Columns, Csv, Field, Fill, Format, From, Syntax, field, field_or};
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

#[rustfmt::skip]
const NAMES: &[&str] = &[
    "ID", "Time", "Call From", "Call To", "Call Duration", "Ring Duration", "Talk Duration", "Status", "Reason",
    "Source Trunk", "Destination Trunk", "Communication Type", "DID", "Outbound Caller ID", "Recording File",
];

const FIELDS: &[Field] = &[
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
];

const COLUMNS: Columns = &[
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
    (C::Start, &[From::Field("time")]),
    (C::Duration, &[From::Field("callduration")]),
    (C::Billsec, &[From::Field("talkduration")]),
    (C::Ringsec, &[From::Field("ringduration")]),
    (C::Disposition, &[From::Field("status")]),
    (C::HangupCause, &[From::Part("reason", without_trailing_blank)]),
    (C::CallType, &[From::Field("communicationtype")]),
    (C::Userfield, &[From::Field("communicationtype")]),
    (C::Recordfiles, &[From::Field("recordingfile")]),
];

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
