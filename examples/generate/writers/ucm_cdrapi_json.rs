//! Grandstream UCM, `cdrapi`: JSON, as the two guides print it, and the same legs one object a line, as
//! people make it of the rest (`jq -c`). All values are strings.
//!
//! Of the newest generation each call is an element with a main record, which totals it, and a sub record
//! a leg; with `--nesting some` only where it has more legs than one. Earlier ones know no main records:
//! each leg is an element.

use super::json::{COMPACT, LINES, Layout, Object, SPACED};
use super::ucm_cdrapi::fields;
use super::{Dump, Format, Nesting, Style, UCM_PLAN, no_end};
use crate::call::{Call, Leg};
use crate::text::{push_number, push_session};

pub(super) const FORMAT: Format =
    Format { name: "ucm-cdrapi-json", plan: UCM_PLAN, call_bytes, start, call, end };

pub(super) const LINES_FORMAT: Format = Format {
    name: "ucm-cdrapi-ndjson",
    plan: UCM_PLAN,
    call_bytes: line_bytes,
    start: |_, _| {},
    call: lines,
    end: no_end,
};

fn call_bytes(style: &Style) -> f64 {
    match (style.columns, style.nesting) {
        (22, _) => 716.0,
        (27, _) => 846.0,
        (_, Nesting::All) => 1668.0,
        (_, Nesting::Some) => 1137.0,
    }
}

fn line_bytes(style: &Style) -> f64 {
    match style.columns {
        22 => 658.0,
        27 => 776.0,
        _ => 930.0,
    }
}

fn start(style: &Style, to: &mut Vec<u8>) {
    to.extend_from_slice(match style.columns {
        32 => b"{\n\"cdr_root\": [\n" as &[u8],
        _ => b"{\n  \"cdr\":\n  [\n",
    });
}

fn end(style: &Style, _: u64, to: &mut Vec<u8>) {
    to.extend_from_slice(match style.columns {
        32 => b"\n]\n}\n" as &[u8],
        _ => b"\n  ]\n}\n",
    });
}

fn call(call: &Call, style: &Style, dump: &mut Dump) {
    if style.columns < 32 {
        return call.legs.iter().for_each(|leg| {
            dump.separate_by(",\n");
            dump.text.extend_from_slice(b"    ");
            flat(call, leg, style, SPACED, &mut dump.text);
        });
    }
    dump.separate_by(",\n");
    let mut element = Object::new(LINES, &mut dump.text);
    element.string("cdr", |to| push_session(call, to));
    if style.nests(call) {
        nested(call, style, &mut element);
    } else {
        members(call, &call.legs[0], style, &mut element);
    }
    element.end();
}

fn nested(call: &Call, style: &Style, element: &mut Object) {
    element.member("main_cdr", |to| {
        let mut main = Object::new(LINES, to);
        fields(style).iter().for_each(|field| main.string(field.name, |to| (field.of_call)(call, to)));
        main.end();
    });
    let mut key = Vec::with_capacity(12);
    for (at, leg) in call.legs.iter().enumerate() {
        key.clear();
        key.extend_from_slice(b"sub_cdr_");
        push_number(at as u64 + 1, &mut key);
        element.member(str::from_utf8(&key).expect("ASCII"), |to| flat(call, leg, style, LINES, to));
    }
}

fn lines(call: &Call, style: &Style, dump: &mut Dump) {
    for leg in &call.legs {
        flat(call, leg, style, COMPACT, &mut dump.text);
        dump.text.push(b'\n');
    }
}

fn flat(call: &Call, leg: &Leg, style: &Style, layout: Layout, to: &mut Vec<u8>) {
    let mut object = Object::new(layout, to);
    members(call, leg, style, &mut object);
    object.end();
}

fn members(call: &Call, leg: &Leg, style: &Style, object: &mut Object) {
    fields(style).iter().for_each(|field| object.string(field.name, |to| (field.of_leg)(call, leg, to)));
}
