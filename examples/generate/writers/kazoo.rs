//! 2600Hz Kazoo: CSV of 34 columns (2019). The producer never quotes, and `rfc_1036` holds a comma: each
//! record has a field too many, and one more for each comma in a name. Times are UTC.

use super::csv::Record;
use super::{Dump, Format, Style, UCM_PLAN, no_end};
use crate::call::{Call, Disposition, Leg};
use crate::clock::{Civil, epoch};
use crate::random::mix;
use crate::text::{push_clock, push_date, push_hex, push_number, push_padded};

pub(super) const FORMAT: Format =
    Format { name: "kazoo-csv", plan: UCM_PLAN, call_bytes, start, call, end: no_end };

const HEADER: &str = "id,call_id,caller_id_number,caller_id_name,callee_id_number,callee_id_name,duration_seconds,\
billing_seconds,timestamp,hangup_cause,other_leg_call_id,owner_id,to,from,direction,request,authorizing_id,cost,\
dialed_number,calling_from,datetime,unix_timestamp,rfc_1036,iso_8601,iso_8601_combined,call_type,rate,rate_name,\
bridge_id,recording_url,media_recordings,media_server,call_priority,interaction_id\n";

/// Seconds from the year 0 to 1970.
pub(super) const GREGORIAN: i64 = 62_167_219_200;
const REALM: &str = "@office.example.com";
const WEEKDAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

fn call_bytes(_: &Style) -> f64 {
    584.0
}

fn start(_: &Style, to: &mut Vec<u8>) {
    to.extend_from_slice(HEADER.as_bytes());
}

fn call(call: &Call, _: &Style, dump: &mut Dump) {
    for leg in &call.legs {
        let mut record = Record::new(&mut dump.text);
        let instant = epoch(leg.start);
        let time = Civil::new(instant);
        ids_and_parties(&mut record, leg, &time);
        routing(&mut record, leg);
        times(&mut record, instant, &time);
        rest(&mut record, call, leg);
        record.end();
    }
}

fn ids_and_parties(record: &mut Record, leg: &Leg, time: &Civil) {
    record.raw(|to| push_record_id(leg, time, to));
    record.raw(|to| push_id(leg.record ^ 1 << 40, to));
    unquoted(record, leg.from.number);
    unquoted(record, leg.from.name);
    unquoted(record, leg.to.number);
    unquoted(record, leg.to.name);
    record.number(leg.duration());
    record.number(leg.talk());
    record.number(epoch(leg.start) + GREGORIAN);
}

fn routing(record: &mut Record, leg: &Leg) {
    unquoted(record, hangup_cause(leg.disposition));
    record.raw(|to| push_id(leg.record ^ 1 << 41, to));
    record.raw(|to| push_owner(leg.owner, to));
    record.raw(|to| push_address(leg.to.number, to));
    record.raw(|to| push_address(leg.from.number, to));
    unquoted(record, if leg.from_trunk.is_some() { "inbound" } else { "outbound" });
    record.raw(|to| push_address(leg.to.number, to));
    record.raw(|to| push_owner(leg.owner, to));
    record.number(0);
    unquoted(record, leg.to.number);
    unquoted(record, leg.from.number);
}

fn times(record: &mut Record, instant: i64, time: &Civil) {
    record.time(Some(instant));
    record.number(instant);
    record.raw(|to| push_rfc_1036(time, to));
    record.raw(|to| push_date(time, to));
    record.raw(|to| push_combined(time, to));
}

fn rest(record: &mut Record, call: &Call, leg: &Leg) {
    unquoted(record, if leg.to_trunk.is_some() { "flat_rate" } else { "" });
    record.number(0);
    record.empty();
    record.raw(|to| push_id(call.legs[0].record ^ 1 << 40, to));
    record.empty();
    record.empty();
    unquoted(record, "media1.office.example.com");
    record.empty();
    record.raw(|to| push_interaction(call, to));
}

fn unquoted(record: &mut Record, value: &str) {
    record.raw(|to| to.extend_from_slice(value.as_bytes()));
}

/// `202405-` and an id.
pub(super) fn push_record_id(leg: &Leg, time: &Civil, to: &mut Vec<u8>) {
    push_number((time.year * 100 + time.month) as u64, to);
    to.push(b'-');
    push_id(leg.record, to);
}

/// What all legs of a call have in common: `63882942896-89a0bb71`.
pub(super) fn push_interaction(call: &Call, to: &mut Vec<u8>) {
    push_number((epoch(call.legs[0].start) + GREGORIAN) as u64, to);
    to.push(b'-');
    push_hex(mix(call.serial), 8, to);
}

/// 32 hex digits, always the same for the same thing.
pub(super) fn push_id(of: u64, to: &mut Vec<u8>) {
    push_hex(mix(of), 16, to);
    push_hex(mix(!of), 16, to);
}

/// The user behind an extension; outsiders have none.
pub(super) fn push_owner(number: &str, to: &mut Vec<u8>) {
    if number.len() == 4 {
        push_id(number.bytes().fold(1, |id, digit| id << 8 | u64::from(digit)), to);
    }
}

pub(super) fn push_address(number: &str, to: &mut Vec<u8>) {
    to.extend_from_slice(number.as_bytes());
    to.extend_from_slice(REALM.as_bytes());
}

/// `1994-11-06T08:49:37Z`
pub(super) fn push_combined(time: &Civil, to: &mut Vec<u8>) {
    push_date(time, to);
    to.push(b'T');
    push_clock(time, to);
    to.push(b'Z');
}

/// `Sun, 06 Nov 1994 08:49:37 GMT`
pub(super) fn push_rfc_1036(time: &Civil, to: &mut Vec<u8>) {
    to.extend_from_slice(WEEKDAYS[time.weekday as usize].as_bytes());
    to.extend_from_slice(b", ");
    push_padded(time.day as u64, 2, to);
    to.push(b' ');
    to.extend_from_slice(MONTHS[time.month as usize - 1].as_bytes());
    to.push(b' ');
    push_number(time.year as u64, to);
    to.push(b' ');
    push_clock(time, to);
    to.extend_from_slice(b" GMT");
}

pub(super) fn hangup_cause(disposition: Disposition) -> &'static str {
    match disposition {
        Disposition::Answered => "NORMAL_CLEARING",
        Disposition::NoAnswer => "NO_ANSWER",
        Disposition::Busy => "USER_BUSY",
        Disposition::Failed => "NO_ROUTE_DESTINATION",
        Disposition::Congestion => "NORMAL_CIRCUIT_CONGESTION",
    }
}
