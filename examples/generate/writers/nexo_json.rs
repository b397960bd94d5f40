//! Nexo IPPBX: the JSON of its query for records (CGI 9006) and of its query for recordings (CGI 20053).
//! Both are one object whose keys count the records; the recordings' one has two more at its end.

use super::json::{COMPACT, Object};
use super::nexo::{PLAN, menu_of, push_destination, push_recording_path, push_trunk};
use super::{Dump, Format, Style};
use crate::call::{Call, Leg};
use crate::text::{push_number, push_time, push_unique_id};

pub(super) const FORMAT: Format = Format {
    name: "nexo-json",
    plan: PLAN,
    call_bytes: |_| 417.0,
    start,
    call,
    end: |_, _, to| push(b"}}\n", to),
};

pub(super) const RECORDINGS_FORMAT: Format = Format {
    name: "nexo-recordings-json",
    plan: PLAN,
    call_bytes: |_| 53.0,
    start: |_, to| push(b"{", to),
    call: recordings,
    end: recordings_end,
};

fn start(_: &Style, to: &mut Vec<u8>) {
    push(b"{\"json_array_astcdrs\":{", to);
}

fn call(call: &Call, _: &Style, dump: &mut Dump) {
    let menu = menu_of(call);
    for leg in &call.legs {
        push_key(dump);
        let mut object = Object::new(COMPACT, &mut dump.text);
        parties(&mut object, leg, menu);
        outcome(&mut object, call, leg, menu);
        object.end();
    }
}

fn parties(object: &mut Object, leg: &Leg, menu: Option<&str>) {
    object.string("calldate", |to| push_time(leg.start, to));
    object.text("src", leg.from.number);
    object.text("contact", leg.from.name);
    object.text("groupname", "");
    object.string("dst", |to| push_destination(leg, menu, to));
    object.string("channel", |to| push_trunk(leg.from_trunk, to));
    object.string("dstchannel", |to| push_trunk(leg.to_trunk, to));
}

fn outcome(object: &mut Object, call: &Call, leg: &Leg, menu: Option<&str>) {
    let route = menu.map_or("", |_| "FROM96");
    object.string("duration", |to| push_number(leg.duration() as u64, to));
    object.string("billsec", |to| push_number(leg.talk() as u64, to));
    object.text("disposition", leg.disposition.name());
    object.text("userfield", leg.direction.name());
    object.text("accountcode", leg.account);
    object.text("cidname", route);
    object.text("in_route", route);
    object.string("IVR", |to| {
        for part in menu.iter().flat_map(|number| ["IVR", number]) {
            push(part.as_bytes(), to);
        }
    });
    object.string("Recording filename", |to| push_recording_path(leg, menu, to));
    object.string("UniqueID", |to| push_unique_id(call, to));
    object.number("port", leg.from_trunk.filter(|trunk| trunk.analog).map_or(0, |trunk| trunk.number as i64));
}

/// Of each leg that was recorded; its time is when the recording began.
fn recordings(call: &Call, _: &Style, dump: &mut Dump) {
    let menu = menu_of(call);
    for leg in &call.legs {
        let (true, Some(answer)) = (leg.recorded, leg.answer) else { continue };
        push_key(dump);
        let mut object = Object::new(COMPACT, &mut dump.text);
        object.string("calldate", |to| push_time(answer, to));
        object.text("src", leg.from.number);
        object.string("dst", |to| push_destination(leg, menu, to));
        object.string("trunk", |to| push_trunk(leg.from_trunk.or(leg.to_trunk), to));
        object.string("duration", |to| push_number(leg.talk() as u64, to));
        object.text("calltype", leg.direction.name());
        object.string("path", |to| push_recording_path(leg, menu, to));
        object.end();
    }
}

fn recordings_end(_: &Style, records: u64, to: &mut Vec<u8>) {
    if records > 0 {
        to.push(b',');
    }
    push(b"\"json_obj_filter\":{\"startdate\":\"2024-01-01 00:00\",\"enddate\":\"2024-12-31 23:59\"},\"totalcount\":", to);
    push_number(records, to);
    push(b"}\n", to);
}

/// `,"17":`
fn push_key(dump: &mut Dump) {
    let number = dump.separate_by(",");
    dump.text.push(b'"');
    push_number(number, &mut dump.text);
    push(b"\":", &mut dump.text);
}

fn push(text: &[u8], to: &mut Vec<u8>) {
    to.extend_from_slice(text);
}
