//! Grandstream UCM: what its web page gives away under "Download Search Result(s)".
//!
//! The page has a form and no request of its own, so this is the CSV of the newest firmware whose header
//! is known (UCM63xx): `CDR` tells main and sub records apart, a single one has nothing there.
//!
//! - `Callee NAT` comes from `extra`, where reading it puts it.
//! - No field: `record_id`, `recordfiles`, `channel_ext`, `chanext`, `dstchanext`, `service`, `dst_name`, `dst_kind`,
//!   `hangup_cause`, the columns of Nexo, Kazoo and Yeastar, the rest of `extra`.

use super::{Field, Row, Shape, Total, column, csv, extra, made, ucm};
use crate::schema::Column as C;

/// The download.
pub(super) const CSV: Shape = Shape {
    format: "ucm-web-csv",
    fields: FIELDS,
    whole_calls: false,
    legs_only: false,
    total: Total::Untold,
    between: super::LINES,
    open: |_, out| csv::header(FIELDS, out),
    call: |rows, _, out| {
        rows.iter().for_each(|row| csv::line(FIELDS, row, |_, text, out| csv::write_text(text, out), out));
    },
    close: |_, _| {},
};

const FIELDS: &[Field] = &[
    made("CDR", &[C::RecordKind, C::SubIndex], kind),
    column("Account Code", C::Accountcode),
    column("Caller Number", C::Src),
    column("Caller NAT", C::Nat),
    column("Callee Number", C::Dst),
    extra("Callee NAT"),
    column("Context", C::Dcontext),
    column("Caller ID", C::Clid),
    column("Source Channel", C::Channel),
    column("Dest. Channel", C::Dstchannel),
    column("Last app.", C::Lastapp),
    column("Last Data", C::Lastdata),
    column("Start Time", C::Start),
    column("Answer Time", C::Answer),
    column("End Time", C::End),
    column("Call Time", C::Duration),
    column("Talk Time", C::Billsec),
    column("Call Status", C::Disposition),
    column("AMA Flags", C::Amaflags),
    column("Unique ID", C::Uniqueid),
    column("Call Type", C::Userfield),
    column("Dest Channel Extension", C::DstchannelExt),
    column("Caller Name", C::SrcName),
    column("Answered by", C::AnsweredBy),
    column("Session", C::CallId),
    column("Action Owner", C::ActionOwner),
    made("Action Type", &[C::ActionType, C::ActionTarget], ucm::action),
    column("Source Trunk Name", C::SrcTrunkName),
    column("Destination Trunk Name", C::DstTrunkName),
];

/// `main_cdr`, `sub_cdr_1`.
fn kind(row: &Row<'_>) -> Option<String> {
    match row.text(C::RecordKind).as_deref() {
        Some("main") => Some("main_cdr".to_string()),
        Some("sub") => {
            let index = row.number(C::SubIndex).map(|index| format!("_{index}"));
            Some(format!("sub_cdr{}", index.unwrap_or_default()))
        }
        _ => None,
    }
}
