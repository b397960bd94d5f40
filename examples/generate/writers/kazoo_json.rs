//! 2600Hz Kazoo: a page of `/cdrs` as JSON, the members named as the columns of its CSV. Numbers are
//! numbers here, and what the switch knows of the channel is an object of its own.

use super::json::{COMPACT, Object};
use super::kazoo::{
    GREGORIAN, hangup_cause, push_address, push_combined, push_id, push_interaction, push_owner,
    push_record_id, push_rfc_1036,
};
use super::{Dump, Format, Style, UCM_PLAN};
use crate::call::{Call, Leg};
use crate::clock::{Civil, epoch};
use crate::text::{push_date, push_number, push_time};

pub(super) const FORMAT: Format =
    Format { name: "kazoo-json", plan: UCM_PLAN, call_bytes: |_| 1391.0, start, call, end };

fn start(_: &Style, to: &mut Vec<u8>) {
    to.extend_from_slice(b"{\"data\":[");
}

fn end(_: &Style, records: u64, to: &mut Vec<u8>) {
    to.extend_from_slice(b"],\"page_size\":");
    push_number(records, to);
    to.extend_from_slice(b",\"status\":\"success\"}\n");
}

fn call(call: &Call, _: &Style, dump: &mut Dump) {
    for leg in &call.legs {
        dump.separate_by(",");
        let mut object = Object::new(COMPACT, &mut dump.text);
        let instant = epoch(leg.start);
        let time = Civil::new(instant);
        ids_and_parties(&mut object, leg, &time);
        routing(&mut object, leg);
        times(&mut object, instant, &time);
        rest(&mut object, call, leg);
        object.end();
    }
}

fn ids_and_parties(object: &mut Object, leg: &Leg, time: &Civil) {
    object.string("id", |to| push_record_id(leg, time, to));
    object.string("call_id", |to| push_id(leg.record ^ 1 << 40, to));
    object.text("caller_id_number", leg.from.number);
    object.text("caller_id_name", leg.from.name);
    object.text("callee_id_number", leg.to.number);
    object.text("callee_id_name", leg.to.name);
    object.number("duration_seconds", leg.duration());
    object.number("billing_seconds", leg.talk());
    object.number("ringing_seconds", leg.ring());
    object.number("timestamp", epoch(leg.start) + GREGORIAN);
}

fn routing(object: &mut Object, leg: &Leg) {
    object.text("hangup_cause", hangup_cause(leg.disposition));
    object.string("other_leg_call_id", |to| push_id(leg.record ^ 1 << 41, to));
    object.string("owner_id", |to| push_owner(leg.owner, to));
    object.string("to", |to| push_address(leg.to.number, to));
    object.string("from", |to| push_address(leg.from.number, to));
    object.text("direction", if leg.from_trunk.is_some() { "inbound" } else { "outbound" });
    object.string("request", |to| push_address(leg.to.number, to));
    object.string("authorizing_id", |to| push_owner(leg.owner, to));
    object.text("cost", "0");
    object.text("dialed_number", leg.to.number);
    object.text("calling_from", leg.from.number);
}

fn times(object: &mut Object, instant: i64, time: &Civil) {
    object.string("datetime", |to| push_time(instant, to));
    object.string("unix_timestamp", |to| push_number(instant as u64, to));
    object.string("rfc_1036", |to| push_rfc_1036(time, to));
    object.string("iso_8601", |to| push_date(time, to));
    object.string("iso_8601_combined", |to| push_combined(time, to));
}

fn rest(object: &mut Object, call: &Call, leg: &Leg) {
    object.text("call_type", if leg.to_trunk.is_some() { "flat_rate" } else { "" });
    object.text("rate", "0");
    object.text("rate_name", "");
    object.string("bridge_id", |to| push_id(call.legs[0].record ^ 1 << 40, to));
    object.text("recording_url", "");
    object.member("media_recordings", |to| to.extend_from_slice(b"[]"));
    object.text("media_server", "media1.office.example.com");
    object.text("call_priority", "");
    object.string("interaction_id", |to| push_interaction(call, to));
    object.member("custom_channel_vars", |to| {
        let mut vars = Object::new(COMPACT, to);
        vars.string("account_id", |to| push_id(1, to));
        vars.string("authorizing_id", |to| push_owner(leg.owner, to));
        vars.text("realm", "office.example.com");
        vars.end();
    });
}
