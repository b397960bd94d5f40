//! AMI: events captured from Asterisk's manager interface, port 5038.
//!
//! Source: Nexo IPPBX guide, "AMI Event of CDR"; Asterisk, module `cdr_manager`.
//!
//! - Blocks of `Key: Value` lines, each ended by a blank line; those of `Event: Cdr` are records.
//! - Nexo adds `Recording File Name`; its event `AutoMixMonitorEnd` only repeats that name.
//! - A capture begins with the manager's banner, and has other events and responses between.
//! - `cdr_manager.conf` may add keys of the dialplan's choosing; those of Asterisk's newer columns are known.

use std::borrow::Cow;

use super::ucm::{dialled, name};
use super::{Ami, Channels, Columns, Field, Fill, Format, From, Syntax, field};
use crate::decode::call_type_word;
use crate::schema::{Column as C, TimeKind};

/// A capture of the manager connection.
pub(super) const AMI: Format = Format {
    name: "ami",
    vendor: "asterisk",
    recognised_by: "the banner of Asterisk's call manager, or lines of `Key: Value` that begin with Event or Response",
    syntax: Syntax::Ami(Ami { keys: KEYS, banner: "Asterisk Call Manager/", event: "Event", record: "Cdr" }),
    fields: FIELDS,
    fill: Fill::Always(COLUMNS),
    times: TimeKind::WallClock,
    channels: Channels::Names,
};

#[rustfmt::skip]
const KEYS: &[&str] = &[
    "AccountCode", "Source", "Destination", "DestinationContext", "CallerID", "Channel", "DestinationChannel",
    "LastApplication", "LastData", "StartTime", "AnswerTime", "EndTime", "Duration", "BillableSeconds",
    "Disposition", "AMAFlags", "UniqueID", "UserField", "Recording File Name",
    "PeerAccount", "LinkedID", "Sequence",
];

const FIELDS: &[Field] = &[
    field("accountcode"),
    field("source"),
    field("destination"),
    field("destinationcontext"),
    field("callerid"),
    field("channel"),
    field("destinationchannel"),
    field("lastapplication"),
    field("lastdata"),
    field("starttime"),
    field("answertime"),
    field("endtime"),
    field("duration"),
    field("billableseconds"),
    field("disposition"),
    field("amaflags"),
    field("uniqueid"),
    field("userfield"),
    field("recordingfilename"),
    field("peeraccount"),
    field("linkedid"),
    field("sequence"),
];

const COLUMNS: Columns = &[
    (C::RecordId, &[From::Field("sequence")]),
    (C::CallId, &[From::Field("linkedid"), From::Field("uniqueid")]),
    (C::Uniqueid, &[From::Field("uniqueid")]),
    (C::Accountcode, &[From::Field("accountcode")]),
    (C::Src, &[From::Field("source")]),
    (C::SrcName, &[From::Part("callerid", name)]),
    (C::Dst, &[From::Field("destination")]),
    (C::DstNumber, &[From::Part("destination", dialled)]),
    (C::Clid, &[From::Field("callerid")]),
    (C::Dcontext, &[From::Field("destinationcontext")]),
    (C::Channel, &[From::Field("channel")]),
    (C::Dstchannel, &[From::Field("destinationchannel")]),
    (C::Lastapp, &[From::Field("lastapplication")]),
    (C::Lastdata, &[From::Field("lastdata")]),
    (C::Start, &[From::Field("starttime")]),
    (C::Answer, &[From::Field("answertime")]),
    (C::End, &[From::Field("endtime")]),
    (C::Duration, &[From::Field("duration")]),
    (C::Billsec, &[From::Field("billableseconds")]),
    (C::Disposition, &[From::Field("disposition")]),
    (C::CallType, &[From::Part("userfield", direction)]),
    (C::Amaflags, &[From::Field("amaflags")]),
    (C::Userfield, &[From::Field("userfield")]),
    (C::Recordfiles, &[From::Field("recordingfilename")]),
];

/// `Internal`, `Inbound`, …; any other text leaves it to the channels.
fn direction(userfield: &str) -> Option<Cow<'_, str>> {
    call_type_word(userfield).map(Cow::Borrowed)
}
