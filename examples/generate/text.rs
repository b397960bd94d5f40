//! The small change of all writers: numbers, times and the Asterisk family's names, as bytes. No `write!`
//! here: it would take most of the time.

use crate::call::{Call, Channel, Context, Leg, Party};
use crate::clock::{Civil, epoch};

pub(crate) fn push_number(number: u64, to: &mut Vec<u8>) {
    push_padded(number, 1, to);
}

/// At least `width` digits.
pub(crate) fn push_padded(mut number: u64, width: usize, to: &mut Vec<u8>) {
    let mut digits = [b'0'; 20];
    let mut from = digits.len();
    while number > 0 || digits.len() - from < width {
        from -= 1;
        digits[from] = b'0' + (number % 10) as u8;
        number /= 10;
    }
    to.extend_from_slice(&digits[from..]);
}

pub(crate) fn push_hex(number: u64, width: usize, to: &mut Vec<u8>) {
    for place in (0..width).rev() {
        to.push(b"0123456789abcdef"[(number >> (4 * place)) as usize & 15]);
    }
}

/// `2024-05-17`
pub(crate) fn push_date(time: &Civil, to: &mut Vec<u8>) {
    push_padded(time.year as u64, 4, to);
    to.push(b'-');
    push_padded(time.month as u64, 2, to);
    to.push(b'-');
    push_padded(time.day as u64, 2, to);
}

/// `12:34:56`
pub(crate) fn push_clock(time: &Civil, to: &mut Vec<u8>) {
    push_padded(time.hour as u64, 2, to);
    to.push(b':');
    push_padded(time.minute as u64, 2, to);
    to.push(b':');
    push_padded(time.second as u64, 2, to);
}

/// `2024-05-17 12:34:56`
pub(crate) fn push_time(seconds: i64, to: &mut Vec<u8>) {
    let time = Civil::new(seconds);
    push_date(&time, to);
    to.push(b' ');
    push_clock(&time, to);
}

/// `1447207127.4182`: the second in which the caller's channel came to be, and its serial number.
pub(crate) fn push_unique_id(call: &Call, to: &mut Vec<u8>) {
    push_number((call.began.epoch_micros() / 1_000_000) as u64, to);
    to.push(b'.');
    push_number(call.serial, to);
}

/// `1447207127558984-6039`
pub(crate) fn push_session(call: &Call, to: &mut Vec<u8>) {
    push_number(call.began.epoch_micros() as u64, to);
    to.push(b'-');
    to.extend_from_slice(call.caller.as_bytes());
}

/// `"GVC Test" <6039>`, or what is known of it.
pub(crate) fn push_caller_id(party: Party, to: &mut Vec<u8>) {
    if party.name.is_empty() {
        to.extend_from_slice(party.number.as_bytes());
        return;
    }
    to.push(b'"');
    to.extend_from_slice(party.name.as_bytes());
    to.extend_from_slice(b"\" <");
    to.extend_from_slice(party.number.as_bytes());
    to.push(b'>');
}

/// `auto-1461920017-1000-1001.wav`, where the leg was recorded.
pub(crate) fn push_recording(leg: &Leg, to: &mut Vec<u8>) {
    if let (true, Some(answer)) = (leg.recorded, leg.answer) {
        to.extend_from_slice(b"auto-");
        push_number(epoch(answer) as u64, to);
        to.push(b'-');
        to.extend_from_slice(leg.from.number.as_bytes());
        to.push(b'-');
        to.extend_from_slice(leg.to.number.as_bytes());
        to.extend_from_slice(b".wav");
    }
}

/// As Asterisk names channels: `PJSIP/6039-0000069e`.
pub(crate) fn push_channel(channel: Channel, to: &mut Vec<u8>) {
    match channel {
        Channel::Nothing => {}
        Channel::Phone { number, serial } => push_channel_parts(&["PJSIP/", number], serial, to),
        Channel::TrunkIn { trunk, serial } => {
            to.extend_from_slice(b"PJSIP/trunk_");
            push_number(trunk.number, to);
            push_channel_parts(&[], serial, to);
        }
        Channel::TrunkOut { trunk, number, serial } => {
            to.extend_from_slice(b"PJSIP/trunk_");
            push_number(trunk.number, to);
            push_channel_parts(&["/", number], serial, to);
        }
        Channel::AnalogLine { port, serial } => {
            to.extend_from_slice(b"DAHDI/");
            push_number(port, to);
            to.push(b'-');
            push_number(1 + serial % 2, to);
        }
        Channel::Local { number, context, serial } => {
            push_channel_parts(&["Local/", number, "@", context], serial, to);
            to.extend_from_slice(b";1");
        }
        Channel::Application(name) => to.extend_from_slice(name.as_bytes()),
    }
}

fn push_channel_parts(parts: &[&str], serial: u64, to: &mut Vec<u8>) {
    for part in parts {
        to.extend_from_slice(part.as_bytes());
    }
    to.push(b'-');
    push_hex(serial, 8, to);
}

/// The extension at that end, where there is one.
pub(crate) fn extension_of<'o>(channel: Channel<'o>) -> &'o str {
    match channel {
        Channel::Phone { number, .. } | Channel::Local { number, .. } => number,
        _ => "",
    }
}

pub(crate) fn push_context(context: Context, to: &mut Vec<u8>) {
    match context {
        Context::FromInternal => to.extend_from_slice(b"from-internal"),
        Context::Transfer => to.extend_from_slice(b"from-internal-xfer"),
        Context::Ivr => to.extend_from_slice(b"ivr-leave"),
        Context::Did(trunk) => {
            to.extend_from_slice(b"ext-did-");
            push_number(trunk, to);
        }
    }
}
