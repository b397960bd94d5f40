//! Grandstream UCM, `cdrapi`: XML, as the two guides print it. The newer one has `<clid>` with its quotes
//! and brackets as they stand, which is no XML; that is the device's dialect.
//!
//! Which calls have a main record is told in `ucm_cdrapi_json`.

use super::ucm_cdrapi::{Field, fields};
use super::xml::{Escapes, push_close, push_element, push_open};
use super::{Dialect, Dump, Format, Nesting, Style, UCM_PLAN};
use crate::call::{Call, Leg};
use crate::text::push_session;

pub(super) const FORMAT: Format =
    Format { name: "ucm-cdrapi-xml", plan: UCM_PLAN, call_bytes, start, call, end };

fn call_bytes(style: &Style) -> f64 {
    match (style.columns, style.nesting) {
        (22, _) => 817.0,
        (27, _) => 941.0,
        (_, Nesting::All) => 1773.0,
        (_, Nesting::Some) => 1293.0,
    }
}

fn start(_: &Style, to: &mut Vec<u8>) {
    to.extend_from_slice(b"<root>\n");
}

fn end(_: &Style, _: u64, to: &mut Vec<u8>) {
    to.extend_from_slice(b"</root>\n");
}

fn call(call: &Call, style: &Style, dump: &mut Dump) {
    let to = &mut dump.text;
    if style.columns < 32 {
        return call.legs.iter().for_each(|leg| old_record(call, leg, style, to));
    }
    to.extend_from_slice(b"<cdr session=\"");
    push_session(call, to);
    to.extend_from_slice(b"\">\n");
    if style.nests(call) {
        record("main_cdr", style, to, |field, to| (field.of_call)(call, to));
        for leg in &call.legs {
            record("sub_cdr", style, to, |field, to| (field.of_leg)(call, leg, to));
        }
    } else {
        elements(style, to, |field, to| (field.of_leg)(call, &call.legs[0], to));
    }
    to.extend_from_slice(b"</cdr>\n");
}

fn record(name: &str, style: &Style, to: &mut Vec<u8>, write: impl Fn(&Field, &mut Vec<u8>)) {
    push_open(name, to);
    to.push(b'\n');
    elements(style, to, write);
    push_close(name, to);
    to.push(b'\n');
}

/// An element a line.
fn elements(style: &Style, to: &mut Vec<u8>, write: impl Fn(&Field, &mut Vec<u8>)) {
    let escapes = match style.dialect {
        Dialect::Device => Escapes::None,
        Dialect::Standard => Escapes::All,
    };
    for field in fields(style) {
        push_element(field.name, escapes, to, |to| write(field, to));
        to.push(b'\n');
    }
}

/// A record a line, escaped in either dialect.
fn old_record(call: &Call, leg: &Leg, style: &Style, to: &mut Vec<u8>) {
    push_open("cdr", to);
    for field in fields(style) {
        push_element(field.name, Escapes::All, to, |to| (field.of_leg)(call, leg, to));
    }
    push_close("cdr", to);
    to.push(b'\n');
}
