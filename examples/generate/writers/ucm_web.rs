//! Grandstream UCM, the web page's "Download": CSV with the column names of the 62xx and 63xx.

use super::csv::Record;
use super::ucm_cdrapi::push_action;
use super::{Dialect, Dump, Format, Style, UCM_PLAN, no_end};
use crate::call::{Call, Leg};
use crate::text::{extension_of, push_caller_id, push_channel, push_context, push_session, push_unique_id};

pub(super) const FORMAT: Format =
    Format { name: "ucm-web-csv", plan: UCM_PLAN, call_bytes, start, call, end: no_end };

const HEADER: &str = "Account Code,Caller Number,Callee Number,Context,Caller ID,Source Channel,Dest Channel,\
Last App,Last Data,Start Time,Answer Time,End Time,Call Time,Talk Time,Disposition,AMA Flags,Unique ID,Userfield,\
Dest Channel Extension,Caller Name,Answered by,Session,Premier Caller,Action Type,Source Trunk Name,\
Destination Trunk Name\n";

fn call_bytes(_: &Style) -> f64 {
    401.0
}

fn start(_: &Style, to: &mut Vec<u8>) {
    to.extend_from_slice(HEADER.as_bytes());
}

fn call(call: &Call, style: &Style, dump: &mut Dump) {
    for leg in &call.legs {
        let mut record = Record::new(&mut dump.text);
        who_and_when(&mut record, leg, style.dialect);
        how(&mut record, call, leg);
        record.end();
    }
}

fn who_and_when(record: &mut Record, leg: &Leg, dialect: Dialect) {
    record.text(leg.account);
    record.text(leg.from.number);
    record.text(leg.to.number);
    record.raw(|to| push_context(leg.context, to));
    match dialect {
        Dialect::Device => _ = record.raw(|to| push_caller_id(leg.from, to)),
        Dialect::Standard => record.field(|to| push_caller_id(leg.from, to)),
    }
    record.raw(|to| push_channel(leg.channel, to));
    record.raw(|to| push_channel(leg.dstchannel, to));
    record.text(leg.app);
    record.text(&leg.data);
    record.time(Some(leg.start));
    record.time(leg.answer);
    record.time(Some(leg.end));
    record.number(leg.duration());
    record.number(leg.talk());
}

fn how(record: &mut Record, call: &Call, leg: &Leg) {
    record.text(leg.disposition.name());
    record.text("DOCUMENTATION");
    record.raw(|to| push_unique_id(call, to));
    record.text(leg.direction.name());
    record.text(extension_of(leg.dstchannel));
    record.text(leg.from.name);
    record.text(leg.answered_by);
    record.raw(|to| push_session(call, to));
    record.text(leg.owner);
    record.raw(|to| push_action(leg.action, to));
    record.text(leg.from_trunk.map_or("", |trunk| trunk.name));
    record.text(leg.to_trunk.map_or("", |trunk| trunk.name));
}
