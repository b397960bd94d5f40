//! Yeastar P-Series: CSV by the page's column names, one record a leg.

use super::csv::Record;
use super::{Dump, Format, Style, UCM_PLAN, no_end};
use crate::call::{Call, Disposition, Leg, Party};
use crate::clock::{Civil, epoch};
use crate::text::{push_clock, push_number, push_padded};

pub(super) const FORMAT: Format =
    Format { name: "yeastar-csv", plan: UCM_PLAN, call_bytes, start, call, end: no_end };

const HEADER: &str = "ID,Time,Call From,Call To,Call Duration,Ring Duration,Talk Duration,Status,Reason,\
Source Trunk,Destination Trunk,Communication Type,DID,Outbound Caller ID,Recording File\n";

fn call_bytes(_: &Style) -> f64 {
    160.0
}

fn start(_: &Style, to: &mut Vec<u8>) {
    to.extend_from_slice(HEADER.as_bytes());
}

fn call(call: &Call, _: &Style, dump: &mut Dump) {
    for leg in &call.legs {
        let mut record = Record::new(&mut dump.text);
        row(&mut record, call, leg);
        record.end();
    }
}

fn row(record: &mut Record, call: &Call, leg: &Leg) {
    record.number(leg.record as i64);
    record.raw(|to| push_us_time(leg.start, to));
    record.field(|to| push_party(leg.from, to));
    record.field(|to| push_party(leg.to, to));
    record.number(leg.duration());
    record.number(leg.ring());
    record.number(leg.talk());
    record.text(status(leg));
    record.text(reason(leg));
    record.text(leg.from_trunk.map_or("", |trunk| trunk.name));
    record.text(leg.to_trunk.map_or("", |trunk| trunk.name));
    record.text(leg.direction.name());
    record.text(leg.from_trunk.map_or("", |trunk| &trunk.did));
    record.text(leg.to_trunk.map_or("", |trunk| &trunk.did));
    record.raw(|to| push_recording_name(call, leg, to));
}

/// `05/30/2022 14:53:41`
pub(super) fn push_us_time(seconds: i64, to: &mut Vec<u8>) {
    let time = Civil::new(seconds);
    push_padded(time.month as u64, 2, to);
    to.push(b'/');
    push_padded(time.day as u64, 2, to);
    to.push(b'/');
    push_number(time.year as u64, to);
    to.push(b' ');
    push_clock(&time, to);
}

/// `Kristin Hale<2005>`
pub(super) fn push_party(party: Party, to: &mut Vec<u8>) {
    to.extend_from_slice(party.name.as_bytes());
    if party.name.is_empty() {
        to.extend_from_slice(party.number.as_bytes());
    } else {
        to.push(b'<');
        to.extend_from_slice(party.number.as_bytes());
        to.push(b'>');
    }
}

pub(super) fn status(leg: &Leg) -> &'static str {
    if leg.app == "VoiceMail" { "VOICEMAIL" } else { leg.disposition.name() }
}

pub(super) fn reason(leg: &Leg) -> &'static str {
    match leg.disposition {
        Disposition::Answered if leg.record.is_multiple_of(2) => "src hangup ",
        Disposition::Answered => "dst hangup ",
        Disposition::NoAnswer => "dst extension_noanswer ",
        Disposition::Busy => "dst extension_busy_no_forward ",
        Disposition::Failed | Disposition::Congestion => "trunk failed ",
    }
}

/// `20220530145555-1653893749.6-2005-21000-Outbound.wav`
pub(super) fn push_recording_name(call: &Call, leg: &Leg, to: &mut Vec<u8>) {
    let (true, Some(answer)) = (leg.recorded, leg.answer) else { return };
    let time = Civil::new(answer);
    push_number((time.year * 10_000 + time.month * 100 + time.day) as u64, to);
    push_padded((time.hour * 10_000 + time.minute * 100 + time.second) as u64, 6, to);
    to.push(b'-');
    push_number(epoch(leg.start) as u64, to);
    to.push(b'.');
    push_number(call.serial, to);
    for part in ["-", leg.from.number, "-", leg.to.number, "-", leg.direction.name(), ".wav"] {
        to.extend_from_slice(part.as_bytes());
    }
}
