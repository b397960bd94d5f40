//! Asterisk's `Master.csv`: no header, all texts quoted, 18 columns.

use super::csv::Record;
use super::{Dump, Format, Style, UCM_PLAN, no_end};
use crate::call::{Call, Leg};
use crate::text::{push_caller_id, push_channel, push_context, push_time, push_unique_id};

pub(super) const FORMAT: Format =
    Format { name: "asterisk-csv", plan: UCM_PLAN, call_bytes, start, call, end: no_end };

fn call_bytes(_: &Style) -> f64 {
    346.0
}

fn start(_: &Style, _: &mut Vec<u8>) {}

fn call(call: &Call, _: &Style, dump: &mut Dump) {
    for leg in &call.legs {
        let mut record = Record::new(&mut dump.text);
        row(&mut record, call, leg);
        record.end();
    }
}

fn row(record: &mut Record, call: &Call, leg: &Leg) {
    text(record, leg.account);
    text(record, leg.from.number);
    text(record, leg.to.number);
    record.quoted(|to| push_context(leg.context, to));
    record.quoted(|to| push_caller_id(leg.from, to));
    record.quoted(|to| push_channel(leg.channel, to));
    record.quoted(|to| push_channel(leg.dstchannel, to));
    text(record, leg.app);
    text(record, &leg.data);
    record.quoted(|to| push_time(leg.start, to));
    match leg.answer {
        Some(answer) => record.quoted(|to| push_time(answer, to)),
        None => record.empty(),
    }
    record.quoted(|to| push_time(leg.end, to));
    record.number(leg.duration());
    record.number(leg.talk());
    text(record, leg.disposition.name());
    text(record, "DOCUMENTATION");
    record.quoted(|to| push_unique_id(call, to));
    text(record, "");
}

fn text(record: &mut Record, value: &str) {
    record.quoted(|to| to.extend_from_slice(value.as_bytes()));
}
