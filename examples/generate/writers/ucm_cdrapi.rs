//! Grandstream UCM, `cdrapi`: what its records say. The fields are the same in CSV, JSON and XML, which
//! have a file each; newer firmware has more of them.

use super::Style;
use crate::call::{Action, Call, Leg};
use crate::text::{
    extension_of, push_caller_id, push_channel, push_context, push_number, push_recording, push_session,
    push_time, push_unique_id,
};

/// One field: its name, what it says of a leg, and what it says of the whole call in a main record.
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) of_leg: OfLeg,
    pub(super) of_call: OfCall,
}

type OfLeg = fn(&Call, &Leg, &mut Vec<u8>);
type OfCall = fn(&Call, &mut Vec<u8>);

/// The fields that a dump of this generation has.
pub(super) fn fields(style: &Style) -> &'static [Field] {
    &FIELDS[..style.columns]
}

#[rustfmt::skip]
static FIELDS: [Field; 32] = [
    field("AcctId", |_, leg, to| push_number(leg.record, to)),
    field("accountcode", |_, leg, to| push_text(leg.account, to)),
    field("src", |_, leg, to| push_text(leg.from.number, to)).and_main(|call, to| push_text(call.legs[0].from.number, to)),
    field("dst", |_, leg, to| push_text(leg.to.number, to)).and_main(|call, to| push_text(call.legs[0].to.number, to)),
    field("dcontext", |_, leg, to| push_context(leg.context, to)),
    field("clid", |_, leg, to| push_caller_id(leg.from, to)),
    field("channel", |_, leg, to| push_channel(leg.channel, to)),
    field("dstchannel", |_, leg, to| push_channel(leg.dstchannel, to)),
    field("lastapp", |_, leg, to| push_text(leg.app, to)),
    field("lastdata", |_, leg, to| push_text(&leg.data, to)),
    field("start", |_, leg, to| push_time(leg.start, to)).and_main(|call, to| push_time(call.legs[0].start, to)),
    field("answer", |_, leg, to| leg.answer.into_iter().for_each(|answer| push_time(answer, to))),
    field("end", |_, leg, to| push_time(leg.end, to)),
    field("duration", |_, leg, to| push_number(leg.duration() as u64, to)).and_main(|call, to| push_sum(call, |leg| leg.duration(), to)),
    field("billsec", |_, leg, to| push_number(leg.talk() as u64, to)).and_main(|call, to| push_sum(call, |leg| leg.talk(), to)),
    field("disposition", |_, leg, to| push_text(leg.disposition.name(), to)),
    field("amaflags", |_, _, to| push_text("DOCUMENTATION", to)),
    field("uniqueid", |call, _, to| push_unique_id(call, to)),
    field("userfield", |_, leg, to| push_text(leg.direction.name(), to)),
    field("channel_ext", |_, leg, to| push_text(extension_of(leg.channel), to)),
    field("dstchannel_ext", |_, leg, to| push_text(extension_of(leg.dstchannel), to)),
    field("service", |_, _, to| push_text("s", to)),
    field("caller_name", |_, leg, to| push_text(leg.from.name, to)),
    field("recordfiles", |_, leg, to| push_recording_list(leg, to)),
    field("dstanswer", |_, leg, to| push_text(leg.answered_by, to)),
    field("chanext", |_, _, _| {}),
    field("dstchanext", |_, leg, to| push_text(leg.forwarded_to, to)),
    field("session", |call, _, to| push_session(call, to)).and_main(push_session),
    field("action_owner", |_, leg, to| push_text(leg.owner, to)),
    field("action_type", |_, leg, to| push_action(leg.action, to)).and_main(|call, to| push_action(call.legs[0].action, to)),
    field("src_trunk_name", |_, leg, to| push_text(leg.from_trunk.map_or("", |trunk| trunk.name), to)),
    field("dst_trunk_name", |_, leg, to| push_text(leg.to_trunk.map_or("", |trunk| trunk.name), to)),
];

/// A field that main records leave empty.
const fn field(name: &'static str, of_leg: OfLeg) -> Field {
    Field { name, of_leg, of_call: |_, _| {} }
}

impl Field {
    const fn and_main(self, of_call: OfCall) -> Field {
        Field { of_call, ..self }
    }
}

fn push_text(value: &str, to: &mut Vec<u8>) {
    to.extend_from_slice(value.as_bytes());
}

fn push_sum(call: &Call, seconds: fn(&Leg) -> i64, to: &mut Vec<u8>) {
    push_number(call.legs.iter().map(seconds).sum::<i64>() as u64, to);
}

/// Each file's name and an `@`.
fn push_recording_list(leg: &Leg, to: &mut Vec<u8>) {
    let from = to.len();
    push_recording(leg, to);
    if to.len() > from {
        to.push(b'@');
    }
}

/// `QUEUE[6500]`, but `CONFERENCE [6300]`.
pub(super) fn push_action(action: Action, to: &mut Vec<u8>) {
    to.extend_from_slice(action.name.as_bytes());
    if !action.target.is_empty() {
        to.extend_from_slice(if action.name == "CONFERENCE" { b" [" } else { b"[" });
        to.extend_from_slice(action.target.as_bytes());
        to.push(b']');
    }
}
