//! Nexo IPPBX: CSV. Who was reached through a menu stands in brackets, `620(102)`; trunks are called by
//! their number; seconds bear an `s`.

use super::csv::Record;
use super::{Dump, Format, Style, no_end};
use crate::call::{Call, Leg};
use crate::clock::{Civil, epoch};
use crate::office::{NumberPlan, Trunk};
use crate::text::{push_number, push_padded};

pub(super) const FORMAT: Format =
    Format { name: "nexo-csv", plan: PLAN, call_bytes, start, call, end: no_end };

pub(super) const PLAN: NumberPlan =
    NumberPlan { extension: 100, conference: 740, ring_group: 920, queue: 820, ivr: 620, page: 720 };

const HEADER: &str = "Date,Source,Destination,CID Prefix,In_Route,IVR,Src. Trunk,Account Code,Dst. Trunk,\
Call Direction,Status,Duration,Billing Duration,UniqueID,Recording Filename\n";

fn call_bytes(_: &Style) -> f64 {
    113.0
}

fn start(_: &Style, to: &mut Vec<u8>) {
    to.extend_from_slice(HEADER.as_bytes());
}

fn call(call: &Call, _: &Style, dump: &mut Dump) {
    let menu = menu_of(call);
    for leg in &call.legs {
        let mut record = Record::new(&mut dump.text);
        row(&mut record, leg, menu);
        record.end();
    }
}

/// The menu's number, where the call went through one.
pub(super) fn menu_of<'o>(call: &Call<'o>) -> Option<&'o str> {
    let first = &call.legs[0];
    (first.action.name == "IVR").then_some(first.to.number)
}

fn row(record: &mut Record, leg: &Leg, menu: Option<&str>) {
    record.raw(|to| push_nexo_time(leg.start, to));
    record.text(leg.from.number);
    record.raw(|to| push_destination(leg, menu, to));
    record.text(menu.map_or("", |_| "FROM96"));
    record.text(menu.map_or("", |_| "FROM96"));
    record.raw(|to| {
        for part in menu.iter().flat_map(|number| ["IVR", number]) {
            to.extend_from_slice(part.as_bytes());
        }
    });
    record.raw(|to| push_trunk(leg.from_trunk, to));
    record.text(leg.account);
    record.raw(|to| push_trunk(leg.to_trunk, to));
    record.text(leg.direction.name());
    record.text(leg.disposition.name());
    record.raw(|to| push_seconds(leg.duration(), to));
    record.raw(|to| push_seconds(leg.talk(), to));
    record.number(epoch(leg.start));
    record.raw(|to| push_recording_path(leg, menu, to));
}

/// `2024/5/17 0:49:56`
fn push_nexo_time(seconds: i64, to: &mut Vec<u8>) {
    let time = Civil::new(seconds);
    push_number(time.year as u64, to);
    to.push(b'/');
    push_number(time.month as u64, to);
    to.push(b'/');
    push_number(time.day as u64, to);
    to.push(b' ');
    push_number(time.hour as u64, to);
    to.push(b':');
    push_padded(time.minute as u64, 2, to);
    to.push(b':');
    push_padded(time.second as u64, 2, to);
}

fn push_seconds(seconds: i64, to: &mut Vec<u8>) {
    push_number(seconds as u64, to);
    to.push(b's');
}

pub(super) fn push_destination(leg: &Leg, menu: Option<&str>, to: &mut Vec<u8>) {
    let dialed = menu.unwrap_or(leg.to.number);
    to.extend_from_slice(dialed.as_bytes());
    if !leg.answered_by.is_empty() && leg.answered_by != dialed {
        to.push(b'(');
        to.extend_from_slice(leg.answered_by.as_bytes());
        to.push(b')');
    }
}

/// `pstn2`, or the trunk's own number.
pub(super) fn push_trunk(trunk: Option<&Trunk>, to: &mut Vec<u8>) {
    if let Some(trunk) = trunk {
        to.extend_from_slice(if trunk.analog { b"pstn" } else { b"9" });
        push_number(trunk.number, to);
    }
}

/// `20240517/20240517-004956-1620377396-Inbound-96-506-620(202).wav`
pub(super) fn push_recording_path(leg: &Leg, menu: Option<&str>, to: &mut Vec<u8>) {
    let (true, Some(answer)) = (leg.recorded, leg.answer) else { return };
    let time = Civil::new(answer);
    for end in [b'/', b'-'] {
        push_number((time.year * 10_000 + time.month * 100 + time.day) as u64, to);
        to.push(end);
    }
    push_padded((time.hour * 10_000 + time.minute * 100 + time.second) as u64, 6, to);
    to.push(b'-');
    push_number(epoch(answer) as u64, to);
    for part in ["-", leg.direction.name(), "-"] {
        to.extend_from_slice(part.as_bytes());
    }
    push_trunk(leg.from_trunk.or(leg.to_trunk), to);
    for part in ["-", leg.from.number, "-"] {
        to.extend_from_slice(part.as_bytes());
    }
    push_destination(leg, menu, to);
    to.extend_from_slice(b".wav");
}
