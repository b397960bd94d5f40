//! Grandstream UCM: the fields of a CDR, and `cdrapi?format=csv`.
//!
//! Source: UCM6xxx "CDR and REC API Guide", "CSV Output": 32 columns in the guide's order. XML and
//! JSON have the same fields.
//!
//! - `clid` stands as the device writes it, quotes and all; other fields are quoted where they must be.
//! - An action and what it was done to are packed: `CONFERENCE [6300]`.
//! - The device ends its list of recordings with an `@`.
//! - `disposition`, `amaflags` and `action_type` have the table's one spelling.
//! - Times are the PBX's clock.
//! - No field of the 32: `dst_name`, `dst_kind`, `other_leg_call_id`, `nat`, the columns of Nexo, Kazoo and Yeastar,
//!   `ringsec`, `hangup_cause`, `extra`. What is decoded from channels (`channel_*`, `call_type`) is so again.
//! - CSV lines are single and sub records: a call's main record is not among them.

use super::{Field, Row, Shape, Total, column, csv, made};
use crate::schema::Column as C;

/// `cdrapi?format=csv`.
pub(super) const CSV: Shape = Shape {
    format: "ucm-cdrapi-csv",
    fields: FIELDS,
    whole_calls: false,
    legs_only: true,
    total: Total::Untold,
    between: super::LINES,
    open: |_, out| csv::header(FIELDS, out),
    call: |rows, _, out| rows.iter().for_each(|row| csv::line(FIELDS, row, write, out)),
    close: |_, _| {},
};

/// A CDR as every `cdrapi` answer has it.
pub(super) const FIELDS: &[Field] = &[
    column("AcctId", C::RecordId),
    column("accountcode", C::Accountcode),
    column("src", C::Src),
    column("dst", C::Dst),
    column("dcontext", C::Dcontext),
    column("clid", C::Clid),
    column("channel", C::Channel),
    column("dstchannel", C::Dstchannel),
    column("lastapp", C::Lastapp),
    column("lastdata", C::Lastdata),
    column("start", C::Start),
    column("answer", C::Answer),
    column("end", C::End),
    column("duration", C::Duration),
    column("billsec", C::Billsec),
    column("disposition", C::Disposition),
    column("amaflags", C::Amaflags),
    column("uniqueid", C::Uniqueid),
    column("userfield", C::Userfield),
    column("channel_ext", C::ChannelExt),
    column("dstchannel_ext", C::DstchannelExt),
    column("service", C::Service),
    column("caller_name", C::SrcName),
    made("recordfiles", &[C::Recordfiles], files),
    column("dstanswer", C::AnsweredBy),
    column("chanext", C::Chanext),
    column("dstchanext", C::Dstchanext),
    column("session", C::CallId),
    column("action_owner", C::ActionOwner),
    made("action_type", &[C::ActionType, C::ActionTarget], action),
    column("src_trunk_name", C::SrcTrunkName),
    column("dst_trunk_name", C::DstTrunkName),
];

fn write(field: &Field, text: &str, out: &mut Vec<u8>) {
    if field.name == "clid" { csv::write_verbatim(text, out) } else { csv::write_text(text, out) }
}

/// `auto-1461920017-1000-1001.wav@`
fn files(row: &Row<'_>) -> Option<String> {
    Some(row.text(C::Recordfiles)?.into_owned() + "@")
}

/// `CONFERENCE [6300]`
pub(super) fn action(row: &Row<'_>) -> Option<String> {
    match (row.text(C::ActionType), row.text(C::ActionTarget)) {
        (None, None) => None,
        (action, None) => action.map(Into::into),
        (None, Some(target)) => Some(format!("[{target}]")),
        (Some(action), Some(target)) => Some(format!("{action} [{target}]")),
    }
}
