//! Yeastar P-Series: the answer to `cdr/search`. What is empty or 0 has no member. The guide prints
//! `total_number` before the records; here it stands behind them, for it is known only there.

use super::json::{LINES, Object};
use super::yeastar::{push_party, push_recording_name, push_us_time, reason, status};
use super::{Dump, Format, Style, UCM_PLAN};
use crate::call::{Call, Channel, Leg};
use crate::clock::{Civil, epoch};
use crate::random::mix;
use crate::text::{push_hex, push_number, push_padded};

pub(super) const FORMAT: Format =
    Format { name: "yeastar-json", plan: UCM_PLAN, call_bytes: |_| 434.0, start, call, end };

fn start(_: &Style, to: &mut Vec<u8>) {
    to.extend_from_slice(b"{\n\"errcode\": 0,\n\"errmsg\": \"SUCCESS\",\n\"data\": [\n");
}

fn end(_: &Style, records: u64, to: &mut Vec<u8>) {
    to.extend_from_slice(b"\n],\n\"total_number\": ");
    push_number(records, to);
    to.extend_from_slice(b"\n}\n");
}

fn call(call: &Call, _: &Style, dump: &mut Dump) {
    for leg in &call.legs {
        dump.separate_by(",\n");
        let mut object = Object::new(LINES, &mut dump.text);
        who_and_when(&mut object, leg);
        how(&mut object, call, leg);
        object.end();
    }
}

fn who_and_when(object: &mut Object, leg: &Leg) {
    object.number("id", leg.record as i64);
    object.string("time", |to| push_us_time(leg.start, to));
    object.string("call_from", |to| push_party(leg.from, to));
    object.string("call_to", |to| push_party(leg.to, to));
    object.number("timestamp", epoch(leg.start));
    object.string("uid", |to| push_uid(leg, to));
    if let Channel::Phone { number, .. } = leg.channel {
        object.string("src_addr", |to| push_address(number, to));
    }
    object.text_if_any("src_trunk", leg.from_trunk.map_or("", |trunk| trunk.name));
    object.text_if_any("dst_trunk", leg.to_trunk.map_or("", |trunk| trunk.name));
}

fn how(object: &mut Object, call: &Call, leg: &Leg) {
    object.number_if_any("duration", leg.duration());
    object.number_if_any("ring_duration", leg.ring());
    object.number_if_any("talk_duration", leg.talk());
    object.text("disposition", status(leg));
    object.text("call_type", leg.direction.name());
    object.text_if_any("did_number", leg.from_trunk.map_or("", |trunk| &trunk.did));
    object.text_if_any("dod_number", leg.to_trunk.map_or("", |trunk| &trunk.did));
    if leg.recorded && leg.answer.is_some() {
        object.string("record_file", |to| push_recording_name(call, leg, to));
    }
    object.text("reason", reason(leg));
}

/// `2022053014553006CEAB`: the local second and five digits by chance.
fn push_uid(leg: &Leg, to: &mut Vec<u8>) {
    let time = Civil::new(leg.start);
    push_number((time.year * 10_000 + time.month * 100 + time.day) as u64, to);
    push_padded((time.hour * 10_000 + time.minute * 100 + time.second) as u64, 6, to);
    let from = to.len();
    push_hex(mix(leg.record), 5, to);
    to[from..].make_ascii_uppercase();
}

/// `192.168.28.25`, always the same for an extension.
fn push_address(number: &str, to: &mut Vec<u8>) {
    let place = mix(number.bytes().fold(1, |id, digit| id << 8 | u64::from(digit)));
    to.extend_from_slice(b"192.168.");
    push_number(place % 32, to);
    to.push(b'.');
    push_number(2 + place / 32 % 250, to);
}
