//! Nexo IPPBX: the records as JSON (CGI 9006) and as a download (CGI 9005); the recordings (CGI 20053).
//!
//! Source: Nexo IPPBX "CDR & Call Recording API Guide", "CDR API", "CDR CSV FILE" and "Example 2" of both.
//!
//! - Records stand under `"0"`, `"1"` and so on. All values are texts, but for `port`, which is a number; a record
//!   without a port has null there, for the device's `0` would be one.
//! - `channel` and `dstchannel` hold trunks. A record of another vendor shows its channel there, or its trunk.
//! - `groupname` comes from `extra`, where reading it puts it.
//! - A recording's `trunk` comes from there, too, else from the trunk's name on either side.
//! - No field: `record_id`, `clid`, `end`, `ringsec`, `hangup_cause`, `answer` (but of recordings, where it is the
//!   same time as `start`), what only a UCM, Kazoo or Yeastar has. `dst` has who answered in brackets where the dump
//!   has it so; nothing is put together here.

use super::{Facts, Field, Row, Shape, Total, column, csv, extra, made};
use crate::schema::Column as C;
use crate::sink::text_jsonl::write_text;

/// CGI 9006.
pub(super) const JSON: Shape = Shape {
    format: "nexo-json",
    fields: FIELDS,
    whole_calls: false,
    legs_only: false,
    total: Total::Untold,
    between: super::LIST,
    open: |_, out| out.extend_from_slice(b"{\"json_array_astcdrs\":{"),
    call: |rows, at, out| rows.iter().for_each(|row| record(FIELDS, row, at, out)),
    close: |facts, out| out.extend_from_slice(if facts.answered > 0 { b"\n}}\n" } else { b"}}\n" }),
};

/// CGI 9005.
pub(super) const CSV: Shape = Shape {
    format: "nexo-csv",
    fields: CSV_FIELDS,
    whole_calls: false,
    legs_only: false,
    total: Total::Untold,
    between: super::LINES,
    open: |_, out| csv::header(CSV_FIELDS, out),
    call: |rows, _, out| {
        let write = |_: &Field, text: &str, out: &mut Vec<u8>| csv::write_text(text, out);
        rows.iter().for_each(|row| csv::line(CSV_FIELDS, row, write, out));
    },
    close: |_, _| {},
};

/// CGI 20053.
pub(super) const RECORDINGS: Shape = Shape {
    format: "nexo-recordings-json",
    fields: RECORDING_FIELDS,
    whole_calls: false,
    legs_only: false,
    total: Total::Behind,
    between: super::LIST,
    open: |_, out| out.push(b'{'),
    call: |rows, at, out| rows.iter().for_each(|row| record(RECORDING_FIELDS, row, at, out)),
    close: totals,
};

const FIELDS: &[Field] = &[
    column("calldate", C::Start),
    column("src", C::Src),
    column("contact", C::SrcName),
    extra("groupname"),
    column("dst", C::Dst),
    made("channel", &[C::Channel, C::SrcTrunkName], |row| first(row, &[C::Channel, C::SrcTrunkName])),
    made("dstchannel", &[C::Dstchannel, C::DstTrunkName], |row| {
        first(row, &[C::Dstchannel, C::DstTrunkName])
    }),
    column("duration", C::Duration),
    column("billsec", C::Billsec),
    column("disposition", C::Disposition),
    column("userfield", C::Userfield),
    column("accountcode", C::Accountcode),
    column("cidname", C::CidPrefix),
    column("in_route", C::InRoute),
    column("IVR", C::Ivr),
    column("Recording filename", C::Recordfiles),
    made("UniqueID", &[C::Uniqueid, C::CallId], |row| first(row, &[C::Uniqueid, C::CallId])),
    column(PORT, C::Port),
];

/// The one value that is a number.
const PORT: &str = "port";

const CSV_FIELDS: &[Field] = &[
    column("Date", C::Start),
    column("Source", C::Src),
    column("Destination", C::Dst),
    column("CID Prefix", C::CidPrefix),
    column("In_Route", C::InRoute),
    column("IVR", C::Ivr),
    made("Src. Trunk", &[C::Channel, C::SrcTrunkName], |row| first(row, &[C::Channel, C::SrcTrunkName])),
    column("Account Code", C::Accountcode),
    made("Dst. Trunk", &[C::Dstchannel, C::DstTrunkName], |row| {
        first(row, &[C::Dstchannel, C::DstTrunkName])
    }),
    column("Call Direction", C::Userfield),
    column("Status", C::Disposition),
    column("Duration", C::Duration),
    column("Billing Duration", C::Billsec),
    made("UniqueID", &[C::Uniqueid, C::CallId], |row| first(row, &[C::Uniqueid, C::CallId])),
    column("Recording Filename", C::Recordfiles),
];

const RECORDING_FIELDS: &[Field] = &[
    column("calldate", C::Start),
    column("src", C::Src),
    column("dst", C::Dst),
    made("trunk", &[C::Extra, C::SrcTrunkName, C::DstTrunkName], |row| {
        let named = row.extra("trunk").map(Into::into);
        named.or_else(|| first(row, &[C::SrcTrunkName, C::DstTrunkName]))
    }),
    column("duration", C::Duration),
    column("calltype", C::Userfield),
    column("path", C::Recordfiles),
];

/// The first of the columns that has a value.
fn first(row: &Row<'_>, columns: &[C]) -> Option<String> {
    columns.iter().find_map(|column| row.text(*column)).map(Into::into)
}

/// `"0":{…}`
fn record(fields: &[Field], row: &Row<'_>, at: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(format!("\"{at}\":{{").as_bytes());
    for (at, field) in fields.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        write_text(field.name, out);
        out.push(b':');
        match field.text(row) {
            Some(number) if field.name == PORT => out.extend_from_slice(number.as_bytes()),
            None if field.name == PORT => out.extend_from_slice(b"null"),
            text => write_text(text.as_deref().unwrap_or_default(), out),
        }
    }
    out.push(b'}');
}

/// `"json_obj_filter":{…},"totalcount":27}`
fn totals(facts: &Facts, out: &mut Vec<u8>) {
    if facts.answered > 0 {
        out.extend_from_slice(b",\n");
    }
    out.extend_from_slice(b"\"json_obj_filter\":{");
    for (at, (name, value)) in facts.asked.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        write_text(name, out);
        out.push(b':');
        write_text(value, out);
    }
    out.extend_from_slice(format!("}},\"totalcount\":{}}}\n", facts.matched).as_bytes());
}
