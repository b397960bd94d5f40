//! What happens in a call: one function a scene, each of which opens a call, adds its legs in order,
//! and returns it. How likely what is follows no statistics, only what an office finds plausible.

use crate::call::{Action, Call, Channel, Context, DIAL, Direction, Disposition, Leg, Party};
use crate::clock::Moment;
use crate::exchange::Exchange;
use crate::office::{Extension, Outsider, Trunk};

/// Asterisk cuts `lastdata` here.
const MOST_DATA: usize = 255;

pub(crate) fn internal<'o>(exchange: &mut Exchange<'o>, now: Moment) -> Call<'o> {
    let (mut call, caller) = from_inside(exchange, now);
    let to = exchange.random.pick(&exchange.office.extensions);
    ring(exchange, &mut call, caller, to);
    call
}

pub(crate) fn outbound<'o>(exchange: &mut Exchange<'o>, now: Moment) -> Call<'o> {
    let (mut call, caller) = from_inside(exchange, now);
    let to = exchange.random.pick_popular(&exchange.office.outsiders);
    let trunk = trunk_towards(exchange, to);
    let mut leg = Leg {
        to: Party { number: &to.number, name: "" },
        dstchannel: exchange.trunk_out(trunk, &to.number),
        to_trunk: Some(trunk),
        app: "Dial",
        data: format!("PJSIP/trunk_{}/{},60,tTkK", trunk.number, to.number),
        direction: Direction::Outbound,
        ..caller
    };
    let outcome = exchange.random.weighted(&[
        (74, Disposition::Answered),
        (14, Disposition::NoAnswer),
        (6, Disposition::Busy),
        (3, Disposition::Failed),
        (3, Disposition::Congestion),
    ]);
    end_with(exchange, &mut leg, outcome, 45);
    if leg.answer.is_some() {
        leg.answered_by = &to.number;
    }
    if outcome == Disposition::Failed {
        (leg.dstchannel, leg.app, leg.data) = (Channel::Application("Hangup"), "Hangup", String::new());
    }
    add(exchange, &mut call, leg);
    call
}

pub(crate) fn inbound<'o>(exchange: &mut Exchange<'o>, now: Moment) -> Call<'o> {
    let (mut call, caller) = from_outside(exchange, now);
    let to = exchange.random.pick(&exchange.office.extensions);
    ring(exchange, &mut call, caller, to);
    call
}

/// A greeting, and whoever listens to its end reaches somebody.
pub(crate) fn ivr<'o>(exchange: &mut Exchange<'o>, now: Moment) -> Call<'o> {
    let (mut call, caller) = from_outside(exchange, now);
    let number = exchange.random.pick(&exchange.office.ivrs);
    let action = Action { name: "IVR", target: number };
    let listened = exchange.random.between(3, 40);
    let greeting = Leg {
        app: "Background",
        data: format!("ivr/{number}-welcome-message&ivr/{number}-menu"),
        ..answered_by_service(&caller, number, action, listened)
    };
    let after = Leg { start: greeting.end, end: greeting.end, context: Context::Ivr, ..caller };
    add(exchange, &mut call, greeting);
    if exchange.random.percent(80) {
        let to = exchange.random.pick(&exchange.office.extensions);
        ring(exchange, &mut call, after, to);
    }
    call
}

/// One agent after another is tried, until one answers or the caller has had enough.
pub(crate) fn queue<'o>(exchange: &mut Exchange<'o>, now: Moment) -> Call<'o> {
    let (mut call, mut caller) = from_outside(exchange, now);
    let queue = exchange.random.pick(&exchange.office.queues);
    caller = Leg {
        to: Party { number: &queue.number, name: "" },
        action: Action { name: "QUEUE", target: &queue.number },
        app: "Queue",
        data: format!("{},tTkKc,,,180,,,,", queue.number),
        ..caller
    };
    for attempt in 0..4 {
        let agent = &exchange.office.extensions[*exchange.random.pick(&queue.members)];
        let mut leg = caller.clone();
        leg.dstchannel = match exchange.random.percent(20) {
            true => exchange.local(&agent.number, "from-queue"),
            false => exchange.phone(&agent.number),
        };
        let answered = exchange.random.percent(60);
        let outcome = if answered { Disposition::Answered } else { Disposition::NoAnswer };
        end_with(exchange, &mut leg, outcome, 20);
        caller.start = leg.end;
        caller.end = leg.end;
        if answered {
            (leg.answered_by, leg.recorded) = (&agent.number, true);
        }
        add(exchange, &mut call, leg);
        if answered || attempt > 0 && exchange.random.percent(25) {
            break;
        }
    }
    call
}

/// All members ring at once.
pub(crate) fn ring_group<'o>(exchange: &mut Exchange<'o>, now: Moment) -> Call<'o> {
    let (mut call, caller) = from_outside(exchange, now);
    let group = exchange.random.pick(&exchange.office.ring_groups);
    let members: Vec<&Extension> = group.members.iter().map(|&at| &exchange.office.extensions[at]).collect();
    let first = *exchange.random.pick(&members);
    let mut leg = Leg {
        to: Party { number: &group.number, name: "" },
        dstchannel: exchange.phone(&first.number),
        action: Action { name: "RINGGROUP", target: &group.number },
        app: "Dial",
        data: dial_data(&members, caller.start, ",30,ztTkKm(default)"),
        ..caller
    };
    let answered = exchange.random.percent(75);
    let outcome = if answered { Disposition::Answered } else { Disposition::NoAnswer };
    end_with(exchange, &mut leg, outcome, 30);
    if answered {
        leg.answered_by = &first.number;
    }
    add(exchange, &mut call, leg);
    call
}

pub(crate) fn conference<'o>(exchange: &mut Exchange<'o>, now: Moment) -> Call<'o> {
    let (mut call, caller) = match exchange.random.percent(70) {
        true => from_inside(exchange, now),
        false => from_outside(exchange, now),
    };
    let room = exchange.random.pick(&exchange.office.conferences);
    let talk = 20 + exchange.random.wait(1500.0) as i64;
    let leg = Leg {
        app: "ConfBridge",
        data: format!("{room},default_bridge,default_user,conf-menu-{room}"),
        ..answered_by_service(&caller, room, Action { name: "CONFERENCE", target: room }, talk)
    };
    add(exchange, &mut call, leg);
    call
}

/// Somebody listens to their messages.
pub(crate) fn voicemail<'o>(exchange: &mut Exchange<'o>, now: Moment) -> Call<'o> {
    let (mut call, caller) = from_inside(exchange, now);
    let talk = exchange.random.between(5, 120);
    let leg = Leg {
        app: "VoiceMailMain",
        data: format!("{}@default", caller.from.number),
        ..answered_by_service(&caller, "*97", Action { name: "VM", target: "" }, talk)
    };
    add(exchange, &mut call, leg);
    call
}

pub(crate) fn page<'o>(exchange: &mut Exchange<'o>, now: Moment) -> Call<'o> {
    let (mut call, caller) = from_inside(exchange, now);
    let number = exchange.random.pick(&exchange.office.pages);
    let heard: Vec<&Extension> = (0..4).map(|_| exchange.random.pick(&exchange.office.extensions)).collect();
    let talk = exchange.random.between(4, 30);
    let leg = Leg {
        app: "Page",
        data: dial_data(&heard, caller.start, ",diq,10"),
        ..answered_by_service(&caller, number, Action { name: "PAGE", target: number }, talk)
    };
    add(exchange, &mut call, leg);
    call
}

/// From outside to an extension that sends its calls on to a mobile phone.
pub(crate) fn forwarded<'o>(exchange: &mut Exchange<'o>, now: Moment) -> Call<'o> {
    let (mut call, caller) = from_outside(exchange, now);
    let away = exchange.random.pick(&exchange.office.extensions);
    let mobile = exchange.random.pick_popular(&exchange.office.outsiders);
    let trunk = trunk_towards(exchange, mobile);
    let mut leg = Leg {
        to: Party { number: &away.number, name: &away.name },
        dstchannel: exchange.trunk_out(trunk, &mobile.number),
        to_trunk: Some(trunk),
        action: Action { name: "CALLFORWARD", target: "" },
        app: "Dial",
        data: format!("PJSIP/trunk_{}/{},30,tTkK", trunk.number, mobile.number),
        direction: Direction::External,
        forwarded_to: &mobile.number,
        ..caller
    };
    let answered = exchange.random.percent(70);
    let outcome = if answered { Disposition::Answered } else { Disposition::NoAnswer };
    end_with(exchange, &mut leg, outcome, 30);
    if answered {
        leg.answered_by = &mobile.number;
    }
    add(exchange, &mut call, leg);
    call
}

fn from_inside<'o>(exchange: &mut Exchange<'o>, now: Moment) -> (Call<'o>, Leg<'o>) {
    let who = exchange.random.pick(&exchange.office.extensions);
    let from = Party { number: &who.number, name: &who.name };
    let serial = exchange.next_serial();
    let channel = exchange.phone(&who.number);
    let call = Call { began: now, serial, caller: from.number, legs: Vec::with_capacity(2) };
    let leg = Leg { account: &who.account, recorded: who.recorded, ..opening_leg(now, from, channel) };
    (call, leg)
}

/// One caller in forty comes by an analog line: nobody knows who it is, nor whom they dialled.
fn from_outside<'o>(exchange: &mut Exchange<'o>, now: Moment) -> (Call<'o>, Leg<'o>) {
    let who = exchange.random.pick_popular(&exchange.office.outsiders);
    let (trunk, from) = match exchange.random.below(40) {
        0 => (exchange.random.pick(exchange.office.analog_lines()), Party { number: "", name: "" }),
        _ => (&exchange.office.trunks[who.trunk], Party { number: &who.number, name: &who.name }),
    };
    let serial = exchange.next_serial();
    let channel = exchange.trunk_in(trunk);
    let call = Call { began: now, serial, caller: from.number, legs: Vec::with_capacity(4) };
    let leg = Leg {
        context: Context::Did(trunk.number),
        direction: Direction::Inbound,
        from_trunk: Some(trunk),
        ..opening_leg(now, from, channel)
    };
    (call, leg)
}

/// What every leg of a call begins as.
fn opening_leg<'o>(now: Moment, from: Party<'o>, channel: Channel<'o>) -> Leg<'o> {
    Leg {
        record: 0,
        from,
        to: Party { number: "", name: "" },
        account: "",
        context: Context::FromInternal,
        channel,
        dstchannel: Channel::Nothing,
        app: "",
        data: String::new(),
        start: now.local_second(),
        answer: None,
        end: now.local_second(),
        disposition: Disposition::NoAnswer,
        direction: Direction::Internal,
        recorded: false,
        answered_by: "",
        forwarded_to: "",
        owner: from.number,
        action: DIAL,
        from_trunk: None,
        to_trunk: None,
    }
}

/// Rings an extension. Who does not answer has a mailbox, perhaps; who does may pass the call on.
fn ring<'o>(exchange: &mut Exchange<'o>, call: &mut Call<'o>, caller: Leg<'o>, to: &'o Extension) {
    let unknown = matches!(caller.channel, Channel::AnalogLine { .. });
    let options = match caller.recorded || to.recorded {
        true => ",30,ztTkKA(dialog-being-recorded)b(callee-handler^s^1)",
        false => ",30,ztTkK",
    };
    let mut leg = Leg {
        to: Party { number: if unknown { "s" } else { &to.number }, name: &to.name },
        dstchannel: exchange.phone(&to.number),
        app: "Dial",
        data: dial_data(&[to], caller.start, options),
        recorded: caller.recorded || to.recorded,
        ..caller.clone()
    };
    let outcome = exchange.random.weighted(&[
        (68, Disposition::Answered),
        (22, Disposition::NoAnswer),
        (8, Disposition::Busy),
        (2, Disposition::Failed),
    ]);
    end_with(exchange, &mut leg, outcome, 30);
    let after = Leg { start: leg.end, end: leg.end, ..caller };
    if outcome == Disposition::Answered {
        leg.answered_by = &to.number;
    }
    add(exchange, call, leg);
    match outcome {
        Disposition::Answered if exchange.random.percent(5) => transfer(exchange, call, after, to),
        Disposition::NoAnswer if exchange.random.percent(40) => leave_message(exchange, call, after, to),
        _ => {}
    }
}

fn transfer<'o>(exchange: &mut Exchange<'o>, call: &mut Call<'o>, caller: Leg<'o>, by: &'o Extension) {
    let to = exchange.random.pick(&exchange.office.extensions);
    let mut leg = Leg {
        to: Party { number: &to.number, name: &to.name },
        dstchannel: exchange.phone(&to.number),
        context: Context::Transfer,
        owner: &by.number,
        action: Action { name: "TRANSFER", target: "" },
        app: "Dial",
        data: dial_data(&[to], caller.start, ",60,ztTkKb(callee-handler^s^1)"),
        ..caller
    };
    end_with(exchange, &mut leg, Disposition::Answered, 10);
    leg.answered_by = &to.number;
    add(exchange, call, leg);
}

fn leave_message<'o>(exchange: &mut Exchange<'o>, call: &mut Call<'o>, caller: Leg<'o>, to: &'o Extension) {
    let talk = exchange.random.between(2, 90);
    let leg = Leg {
        app: "VoiceMail",
        data: format!("{}@default,u", to.number),
        ..answered_by_service(&caller, &to.number, Action { name: "VM", target: "" }, talk)
    };
    add(exchange, call, leg);
}

/// The PBX itself answers, at once.
fn answered_by_service<'o>(caller: &Leg<'o>, number: &'o str, action: Action<'o>, talk: i64) -> Leg<'o> {
    Leg {
        to: Party { number, name: "" },
        answer: Some(caller.start),
        end: caller.start + talk,
        disposition: Disposition::Answered,
        action,
        recorded: false,
        ..caller.clone()
    }
}

/// Lets time pass: at most `patience` seconds of ringing, and the talk where it comes to one.
fn end_with(exchange: &mut Exchange, leg: &mut Leg, outcome: Disposition, patience: i64) {
    let random = &mut exchange.random;
    leg.disposition = outcome;
    match outcome {
        Disposition::Answered => {
            let mean = if random.percent(15) { 25.0 } else { 250.0 };
            let answer = leg.start + 1 + random.wait(8.0).min(patience as f64) as i64;
            leg.answer = Some(answer);
            leg.end = answer + 1 + random.wait(mean).min(14_000.0) as i64;
        }
        Disposition::NoAnswer if random.percent(50) => leg.end = leg.start + patience,
        Disposition::NoAnswer => leg.end = leg.start + random.between(2, patience),
        Disposition::Busy | Disposition::Congestion => leg.end = leg.start + random.between(0, 4),
        Disposition::Failed => leg.end = leg.start + random.between(0, 1),
    }
}

fn dial_data(to: &[&Extension], start: i64, options: &str) -> String {
    let mut data = String::with_capacity(128);
    for (index, extension) in to.iter().enumerate() {
        if index > 0 {
            data.push('&');
        }
        extension.push_contacts(start / 86_400, &mut data);
    }
    data.push_str(options);
    data.truncate(MOST_DATA);
    data
}

/// The number's usual trunk, or any other.
fn trunk_towards<'o>(exchange: &mut Exchange<'o>, to: &Outsider) -> &'o Trunk {
    match exchange.random.percent(10) {
        true => exchange.random.pick(exchange.office.sip_trunks()),
        false => &exchange.office.trunks[to.trunk],
    }
}

fn add<'o>(exchange: &mut Exchange<'o>, call: &mut Call<'o>, mut leg: Leg<'o>) {
    leg.record = exchange.next_record();
    call.legs.push(leg);
}
