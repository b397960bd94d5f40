//! What all dumps of Grandstream's UCM have in common: the CDR's fields and the columns they fill.
//!
//! Source: UCM6xxx "CDR and REC API Guide", "CDR Report Data Fields" and "Output"; UCM6100 guide,
//! "Example Output". `cdrapi` names the fields as they are named here; the web page has names of
//! its own, which its file lists as synonyms.

use std::borrow::Cow;

use super::{Columns, From};
use crate::decode::{Party, action_target, action_type};
use crate::schema::Column as C;

/// The columns that a UCM record fills.
///
/// `dstchannel_ext` names who was rung, so it tells who answered only where somebody did.
pub(super) const COLUMNS: Columns = &[
    (C::RecordId, &[From::Field("acctid")]),
    (C::CallId, &[From::Field("session")]),
    (C::Uniqueid, &[From::Field("uniqueid")]),
    (C::Accountcode, &[From::Field("accountcode")]),
    (C::Src, &[From::Field("src")]),
    (C::SrcName, &[From::Field("callername"), From::Part("clid", name)]),
    (C::Dst, &[From::Field("dst")]),
    (C::DstNumber, &[From::Part("dst", dialled)]),
    (C::Clid, &[From::Field("clid")]),
    (C::AnsweredBy, &[From::Field("dstanswer"), From::WherePositive("dstchannelext", "billsec")]),
    (C::Dcontext, &[From::Field("dcontext")]),
    (C::Channel, &[From::Field("channel")]),
    (C::Dstchannel, &[From::Field("dstchannel")]),
    (C::Lastapp, &[From::Field("lastapp")]),
    (C::Lastdata, &[From::Field("lastdata")]),
    (C::SrcTrunkName, &[From::Field("srctrunkname")]),
    (C::DstTrunkName, &[From::Field("dsttrunkname")]),
    (C::ChannelExt, &[From::Field("channelext")]),
    (C::DstchannelExt, &[From::Field("dstchannelext")]),
    (C::Chanext, &[From::Field("chanext")]),
    (C::Dstchanext, &[From::Field("dstchanext")]),
    (C::Service, &[From::Field("service")]),
    (C::ActionOwner, &[From::Field("actionowner")]),
    (C::ActionType, &[From::Part("actiontype", action_type)]),
    (C::ActionTarget, &[From::Part("actiontype", target)]),
    (C::Nat, &[From::Field("natcall")]),
    (C::Start, &[From::Field("start")]),
    (C::Answer, &[From::Field("answer")]),
    (C::End, &[From::Field("end")]),
    (C::Duration, &[From::Field("duration")]),
    (C::Billsec, &[From::Field("billsec")]),
    (C::Disposition, &[From::Field("disposition")]),
    (C::HangupCause, &[From::Field("reason")]),
    (C::CallType, &[From::Field("userfield")]),
    (C::Amaflags, &[From::Field("amaflags")]),
    (C::Userfield, &[From::Field("userfield")]),
    (C::Recordfiles, &[From::Field("recordfiles")]),
];

/// The name in a packed caller ID.
pub(super) fn name(party: &str) -> Option<Cow<'_, str>> {
    Party::parse(party).name
}

/// The number in a packed caller ID.
pub(super) fn number(party: &str) -> Option<Cow<'_, str>> {
    Party::parse(party).number.map(Cow::Borrowed)
}

/// The trunk in a packed caller ID.
pub(super) fn trunk(party: &str) -> Option<Cow<'_, str>> {
    Party::parse(party).trunk.map(Cow::Borrowed)
}

/// `s` ("start") stands for a number that is not known.
pub(super) fn dialled(number: &str) -> Option<Cow<'_, str>> {
    (number != "s").then_some(Cow::Borrowed(number))
}

fn target(action: &str) -> Option<Cow<'_, str>> {
    action_target(action).map(Cow::Borrowed)
}
