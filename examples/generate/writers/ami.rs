//! A capture of Asterisk's manager connection: the banner, the login, and the events of each leg. Only
//! those named `Cdr` are records, in the spelling of the Nexo, which adds the recording's file name.

use super::nexo::PLAN;
use super::{Dump, Format, Style, no_end};
use crate::call::{Call, Leg};
use crate::clock::{Civil, epoch};
use crate::text::{
    push_caller_id, push_channel, push_context, push_number, push_padded, push_time, push_unique_id,
};

pub(super) const FORMAT: Format =
    Format { name: "ami", plan: PLAN, call_bytes: |_| 1173.0, start, call, end: no_end };

fn start(_: &Style, to: &mut Vec<u8>) {
    to.extend_from_slice(
        b"Asterisk Call Manager/1.1\r\nResponse: Success\r\nMessage: Authentication accepted\r\n\r\n",
    );
}

fn call(call: &Call, _: &Style, dump: &mut Dump) {
    for leg in &call.legs {
        new_channel(&mut Event::new("Newchannel", "call,all", &mut dump.text), call, leg);
        hangup(&mut Event::new("Hangup", "call,all", &mut dump.text), call, leg);
        cdr(&mut Event::new("Cdr", "cdr,all", &mut dump.text), call, leg);
        if leg.recorded && leg.answer.is_some() {
            recorded(&mut Event::new("AutoMixMonitorEnd", "agent,all", &mut dump.text), leg);
        }
    }
}

fn new_channel(event: &mut Event, call: &Call, leg: &Leg) {
    event.line("Channel", |to| push_channel(leg.channel, to));
    event.text("ChannelState", "0");
    event.text("ChannelStateDesc", "Down");
    event.text("CallerIDNum", leg.from.number);
    event.text("CallerIDName", leg.from.name);
    event.text("Exten", leg.to.number);
    event.line("Context", |to| push_context(leg.context, to));
    event.line("Uniqueid", |to| push_unique_id(call, to));
}

fn hangup(event: &mut Event, call: &Call, leg: &Leg) {
    event.line("Channel", |to| push_channel(leg.channel, to));
    event.line("Uniqueid", |to| push_unique_id(call, to));
    event.text("CallerIDNum", leg.from.number);
    event.text("Cause", "16");
    event.text("Cause-txt", "Normal Clearing");
}

fn cdr(event: &mut Event, call: &Call, leg: &Leg) {
    event.text("AccountCode", leg.account);
    event.text("Source", leg.from.number);
    event.text("Destination", leg.to.number);
    event.line("DestinationContext", |to| push_context(leg.context, to));
    event.line("CallerID", |to| push_caller_id(leg.from, to));
    event.line("Channel", |to| push_channel(leg.channel, to));
    event.line("DestinationChannel", |to| push_channel(leg.dstchannel, to));
    event.text("LastApplication", leg.app);
    event.text("LastData", &leg.data);
    event.line("StartTime", |to| push_time(leg.start, to));
    event.line("AnswerTime", |to| leg.answer.into_iter().for_each(|answer| push_time(answer, to)));
    event.line("EndTime", |to| push_time(leg.end, to));
    event.line("Duration", |to| push_number(leg.duration() as u64, to));
    event.line("BillableSeconds", |to| push_number(leg.talk() as u64, to));
    event.text("Disposition", leg.disposition.name());
    event.text("AMAFlags", "DOCUMENTATION");
    event.line("UniqueID", |to| push_unique_id(call, to));
    event.text("UserField", "");
    event.line("Recording File Name", |to| push_monitor_path(leg, to));
}

fn recorded(event: &mut Event, leg: &Leg) {
    event.line("File Name", |to| push_monitor_path(leg, to));
    event.text("Source Number", leg.from.number);
    event.text("Destination Number", leg.to.number);
}

/// `/media/usbStorage/monitor/20210422/20210422-010152-1619082112-Internal-205-204`
fn push_monitor_path(leg: &Leg, to: &mut Vec<u8>) {
    let (true, Some(answer)) = (leg.recorded, leg.answer) else { return };
    let time = Civil::new(answer);
    to.extend_from_slice(b"/media/usbStorage/monitor/");
    for end in [b'/', b'-'] {
        push_number((time.year * 10_000 + time.month * 100 + time.day) as u64, to);
        to.push(end);
    }
    push_padded((time.hour * 10_000 + time.minute * 100 + time.second) as u64, 6, to);
    to.push(b'-');
    push_number(epoch(answer) as u64, to);
    for part in ["-", leg.direction.name(), "-", leg.from.number, "-", leg.to.number] {
        to.extend_from_slice(part.as_bytes());
    }
}

/// An event, line by line; the blank line behind it comes when it is dropped.
struct Event<'a>(&'a mut Vec<u8>);

impl<'a> Event<'a> {
    fn new(name: &str, privilege: &str, to: &'a mut Vec<u8>) -> Event<'a> {
        let mut event = Event(to);
        event.text("Event", name);
        event.text("Privilege", privilege);
        event
    }

    fn text(&mut self, key: &str, value: &str) {
        self.line(key, |to| to.extend_from_slice(value.as_bytes()));
    }

    fn line(&mut self, key: &str, write: impl FnOnce(&mut Vec<u8>)) {
        self.0.extend_from_slice(key.as_bytes());
        self.0.extend_from_slice(b": ");
        write(self.0);
        self.0.extend_from_slice(b"\r\n");
    }
}

impl Drop for Event<'_> {
    fn drop(&mut self) {
        self.0.extend_from_slice(b"\r\n");
    }
}
