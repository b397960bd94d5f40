//! `cdrapi`: what a Grandstream UCM answers to a billing system.
//!
//! Source: UCM6xxx "CDR and REC API Guide", "CSV Output"; UCM6100 guide, "Example Output".
//!
//! - Three generations of the CSV: 22, 27 and 32 columns; later firmware appends more, which are
//!   told by name.
//! - `clid` is written as it is, quotes and all: `"GVC Test" <6039>`. The grammar in `csv.rs` reads that.
//! - `lastdata` may hold commas without quotes (old firmware): the record has fields too many, and
//!   what lies between its left and its right columns is `lastdata` ([`longer`]).
//! - The guide's own newer sample has one field too few: an empty one is missing before `session`
//!   ([`shorter`]).
//! - One answer holds at most 1000 records, so exactly 1000 are probably one page of more.
//! - The JSON has the same fields, all of them texts; a call of several legs is one object with `main_cdr` and
//!   `sub_cdr_1` and so on. `main_cdr` totals its subs and lacks most fields. Newer firmware adds keys, which
//!   have a column or stand in `extra`.
//! - The XML, too, has the same fields, as elements of `<cdr>`, or of `<main_cdr>` and `<sub_cdr>` within it. Its
//!   guide prints `<clid>"John Doe" <1000></clid>`, which is no XML.
//! - The UCM6100 guide's own JSON has `"\pn01\ <5300>"`, which is no JSON.

use std::ops::Range;

use super::{Csv, Field, Fill, Fit, Format, Json, Misfit, Nesting, Syntax, Told, Xml, field, field_or, ucm};
use crate::csv::Quotes;
use crate::schema::TimeKind;
use crate::time::{DateOrder, read_seconds, read_time};

/// `cdrapi?format=csv`.
pub(super) const CSV: Format = Format {
    name: "ucm-cdrapi-csv",
    vendor: "ucm",
    recognised_by: "a header with AcctId, src and dst",
    syntax: Syntax::Csv(Csv {
        is_header: |names| ["acctid", "src", "dst"].iter().all(|name| names.iter().any(|n| n == name)),
        is_record: super::no_record,
        generations: &[COLUMNS.split_at(22).0, COLUMNS.split_at(27).0, COLUMNS],
        quotes: Quotes::Device,
        plain: super::one_each,
        fit,
        page: Some(1000),
    }),
    fields: FIELDS,
    fill: Fill::Always(ucm::COLUMNS),
    times: TimeKind::WallClock,
    channels: super::Channels::Names,
};

/// `cdrapi?format=json`.
pub(super) const JSON: Format = Format {
    name: "ucm-cdrapi-json",
    vendor: "ucm",
    recognised_by: "objects with src, dst and AcctId, start or session, or calls with main_cdr",
    syntax: Syntax::Json(Json {
        keys: KEYS,
        is_record,
        is_envelope: |told| told.has("cdr_root") || told.has("response.cdr_root"),
        roots: &["cdr_root", "cdr"],
        wrappers: &["response"],
        by_index: false,
        nesting: Some(Nesting { group: "cdr", main: "main_cdr", sub: "sub_cdr" }),
        instants: None,
        error,
        missing: |_, elements| {
            (elements == 1000).then(|| {
                "exactly 1000 calls: probably one page of more; ask the PBX for the next with offset=1000"
                    .to_string()
            })
        },
    }),
    fields: FIELDS,
    fill: Fill::Always(ucm::COLUMNS),
    times: TimeKind::WallClock,
    channels: super::Channels::Names,
};

/// `cdrapi?format=XML`.
pub(super) const XML: Format = Format {
    name: "ucm-cdrapi-xml",
    vendor: "ucm",
    recognised_by: "<cdr> elements, in a <root> or without",
    syntax: Syntax::Xml(Xml {
        keys: KEYS,
        root: "root",
        call: "cdr",
        main: "main_cdr",
        sub: "sub_cdr",
        id: "session",
        error: ["error_msg", "status"],
        page: Some(1000),
    }),
    fields: FIELDS,
    fill: Fill::Always(ucm::COLUMNS),
    times: TimeKind::WallClock,
    channels: super::Channels::Names,
};

#[rustfmt::skip]
const COLUMNS: &[&str] = &[
    "AcctId", "accountcode", "src", "dst", "dcontext", "clid", "channel", "dstchannel", "lastapp", "lastdata",
    "start", "answer", "end", "duration", "billsec", "disposition", "amaflags", "uniqueid", "userfield",
    "channel_ext", "dstchannel_ext", "service",
    "caller_name", "recordfiles", "dstanswer", "chanext", "dstchanext",
    "session", "action_owner", "action_type", "src_trunk_name", "dst_trunk_name",
];

/// The columns of the CSV, and what newer firmware adds.
#[rustfmt::skip]
const KEYS: &[&str] = &[
    "AcctId", "accountcode", "src", "dst", "dcontext", "clid", "channel", "dstchannel", "lastapp", "lastdata",
    "start", "answer", "end", "duration", "billsec", "disposition", "amaflags", "uniqueid", "userfield",
    "channel_ext", "dstchannel_ext", "service",
    "caller_name", "recordfiles", "dstanswer", "chanext", "dstchanext",
    "session", "action_owner", "action_type", "src_trunk_name", "dst_trunk_name",
    "nat_call", "nat_call_peer", "video_call", "gdms_unique_code", "gds_call", "gsc_call", "wave_src_seqid",
    "wave_dst_seqid", "device_info", "device_info_peer", "recordfiles_desc", "anonymous_call", "reason", "new_src",
    "sn",
];

/// What Nexo's records have, too, is not enough.
fn is_record(keys: &[String]) -> bool {
    let has = |name: &&str| keys.iter().any(|key| key == name);
    ["src", "dst"].iter().all(has) && ["acctid", "start", "session"].iter().any(has)
        || keys.iter().any(|key| key == "maincdr" || key.starts_with("subcdr"))
}

/// `{"response":{"error_msg":"Invalid parameters!"},"status":-1}`
fn error(told: &Told) -> Option<String> {
    let status = told.number("status").filter(|status| *status != 0);
    let message = ["response.error_msg", "error_msg"].iter().find_map(|key| told.get(key));
    match (message, status) {
        (Some(message), _) => Some(message.to_string()),
        (None, Some(status)) if told.has("response") || told.has("cdr_root") => {
            Some(format!("status {status}"))
        }
        (None, _) => None,
    }
}

const FIELDS: &[Field] = &[
    field("acctid"),
    field("accountcode"),
    field("src"),
    field("dst"),
    field("dcontext"),
    field("clid"),
    field("channel"),
    field("dstchannel"),
    field("lastapp"),
    field("lastdata"),
    field("start"),
    field("answer"),
    field("end"),
    field("duration"),
    field("billsec"),
    field("disposition"),
    field("amaflags"),
    field("uniqueid"),
    field("userfield"),
    field("channelext"),
    field("dstchannelext"),
    field("service"),
    field("callername"),
    field("recordfiles"),
    field("dstanswer"),
    field("chanext"),
    field("dstchanext"),
    field("session"),
    field("actionowner"),
    field("actiontype"),
    field("srctrunkname"),
    field("dsttrunkname"),
    field_or("natcall", &["nat"]),
    field("reason"),
];

fn fit(record: &Misfit<'_>) -> Fit {
    let (found, expected) = (record.fields.len(), record.names.len());
    if found > expected { longer(record, found - expected) } else { shorter(record, expected - found) }
}

/// Commas without quotes in `lastdata`: columns before it from the left, those after it from the right.
fn longer(record: &Misfit<'_>, surplus: usize) -> Fit {
    let Some(lastdata) = position(record, "lastdata") else { return super::no_fit(record) };
    let columns: Vec<Range<usize>> = (0..record.names.len())
        .map(|at| match at.cmp(&lastdata) {
            std::cmp::Ordering::Less => at..at + 1,
            std::cmp::Ordering::Equal => at..at + 1 + surplus,
            std::cmp::Ordering::Greater => at + surplus..at + surplus + 1,
        })
        .collect();
    let value = |name| position(record, name).map(|at| record.value(columns[at].start));
    let times = ["start", "end"].map(value);
    let channels = ["channel", "dstchannel"].map(value);
    let timed =
        times.iter().flatten().all(|text| is_time(text)) && times.iter().flatten().any(|t| !t.is_empty());
    if timed && channels.iter().flatten().all(|name| looks_like_channel(name)) {
        Fit::Repaired(columns)
    } else {
        Fit::No(format!(
            "{surplus} fields more than the header, and taking them as commas within lastdata does not fit"
        ))
    }
}

/// Empty fields left out before `session`: what is filled from the left stands on the left, `session`
/// and what follows it on the right, and what is empty between the two stands for all columns there.
fn shorter(record: &Misfit<'_>, missing: usize) -> Fit {
    let no = || Fit::No(format!("{missing} fields fewer than the header"));
    let Some(session) = position(record, "session") else { return no() };
    let Some(right) = session.checked_sub(missing) else { return no() };
    if !looks_like_session(&record.value(right)) {
        return no();
    }
    let left = (0..right).rev().find(|&at| !record.is_empty(at)).map_or(0, |at| at + 1);
    if left >= right {
        return no();
    }
    let columns: Vec<Range<usize>> = (0..record.names.len())
        .map(|at| match at {
            _ if at < left => at..at + 1,
            _ if at < session => left..left,
            _ => at - missing..at - missing + 1,
        })
        .collect();
    let reads = |name, readable: fn(&[u8]) -> bool| match position(record, name) {
        Some(at) if !columns[at].is_empty() => readable(&record.value(columns[at].start)),
        _ => true,
    };
    let is_number = |text: &[u8]| read_seconds(text).is_ok();
    if reads("start", is_time)
        && reads("end", is_time)
        && reads("duration", is_number)
        && reads("billsec", is_number)
    {
        Fit::Repaired(columns)
    } else {
        no()
    }
}

fn position(record: &Misfit<'_>, name: &str) -> Option<usize> {
    record.names.iter().position(|known| known == name)
}

fn is_time(text: &[u8]) -> bool {
    read_time(text, DateOrder::MonthFirst).is_ok() || read_time(text, DateOrder::DayFirst).is_ok()
}

/// Empty, `TECH/…`, or one word (an application).
fn looks_like_channel(name: &[u8]) -> bool {
    let tech = name.iter().position(|&byte| byte == b'/').unwrap_or(name.len());
    name[..tech].iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
        && (tech > 0 || name.is_empty())
        && !name.first().is_some_and(u8::is_ascii_digit)
}

/// Digits, a hyphen, then anything or nothing.
fn looks_like_session(text: &[u8]) -> bool {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    digits > 0 && text.get(digits) == Some(&b'-')
}
