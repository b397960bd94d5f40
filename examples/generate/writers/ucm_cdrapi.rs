//! Grandstream UCM, `cdrapi`: CSV. The device writes `clid` as it stands, `"GVC Test" <6039>`, which is
//! no CSV; all other fields it quotes as one would. Legs of a call share their session and are records
//! of their own.

use super::csv::Record;
use super::{Dialect, Format, Style, UCM_PLAN};
use crate::call::{Action, Call, Leg};
use crate::text::{
    extension_of, push_caller_id, push_channel, push_context, push_recording, push_session, push_unique_id,
};

pub(super) const FORMAT: Format = Format { name: "ucm-cdrapi-csv", plan: UCM_PLAN, call_bytes, start, call };

const HEADER: &str = "AcctId,accountcode,src,dst,dcontext,clid,channel,dstchannel,lastapp,lastdata,start,answer,\
end,duration,billsec,disposition,amaflags,uniqueid,userfield,channel_ext,dstchannel_ext,service,caller_name,\
recordfiles,dstanswer,chanext,dstchanext,session,action_owner,action_type,src_trunk_name,dst_trunk_name";

fn call_bytes(style: &Style) -> f64 {
    match style.columns {
        22 => 338.0,
        27 => 371.0,
        _ => 429.0,
    }
}

fn start(style: &Style, to: &mut Vec<u8>) {
    let columns: Vec<&str> = HEADER.split(',').take(style.columns).collect();
    to.extend_from_slice(columns.join(",").as_bytes());
    to.push(b'\n');
}

fn call(call: &Call, style: &Style, to: &mut Vec<u8>) {
    for leg in &call.legs {
        let mut record = Record::new(to);
        first_generation(&mut record, call, leg, style.dialect);
        if style.columns >= 27 {
            second_generation(&mut record, leg);
        }
        if style.columns >= 32 {
            third_generation(&mut record, call, leg);
        }
        record.end();
    }
}

fn first_generation(record: &mut Record, call: &Call, leg: &Leg, dialect: Dialect) {
    record.number(leg.record as i64);
    record.text(leg.account);
    record.text(leg.from.number);
    record.text(leg.to.number);
    record.raw(|to| push_context(leg.context, to));
    match dialect {
        Dialect::Device => _ = record.raw(|to| push_caller_id(leg.from, to)),
        Dialect::Rfc4180 => record.field(|to| push_caller_id(leg.from, to)),
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
    record.text(leg.disposition.name());
    record.text("DOCUMENTATION");
    record.raw(|to| push_unique_id(call, to));
    record.text(leg.direction.name());
    record.text(extension_of(leg.channel));
    record.text(extension_of(leg.dstchannel));
    record.text("s");
}

fn second_generation(record: &mut Record, leg: &Leg) {
    record.text(leg.from.name);
    record.field(|to| {
        let from = to.len();
        push_recording(leg, to);
        if to.len() > from {
            to.push(b'@');
        }
    });
    record.text(leg.answered_by);
    record.empty();
    record.text(leg.forwarded_to);
}

fn third_generation(record: &mut Record, call: &Call, leg: &Leg) {
    record.raw(|to| push_session(call, to));
    record.text(leg.owner);
    record.raw(|to| push_action(leg.action, to));
    record.text(leg.from_trunk.map_or("", |trunk| trunk.name));
    record.text(leg.to_trunk.map_or("", |trunk| trunk.name));
}

/// `QUEUE[6500]`, but `CONFERENCE [6300]`.
pub(super) fn push_action(action: Action, to: &mut Vec<u8>) {
    to.extend_from_slice(action.name.as_bytes());
    if !action.target.is_empty() {
        to.extend_from_slice(if action.name == "CONFERENCE" { b" [" } else { b"[" });
        to.extend_from_slice(action.target.as_bytes());
        to.push(b']');
    }
}
