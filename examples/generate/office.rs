//! Who is there to call: the extensions of one office, the numbers outside that it talks to, its
//! trunks, queues and the like. Made once from the seed; every call borrows from it.

use crate::names::{FIRMS, FIRST, FULL, LAST, TRUNKS};
use crate::random::{Random, mix};
use std::net::Ipv4Addr;

const EXTENSIONS: usize = 500;
const OUTSIDERS: usize = 10_000;
const ANALOG_LINES: usize = 2;

/// The first number of each kind of thing that can be dialled.
pub(crate) struct NumberPlan {
    pub(crate) extension: usize,
    pub(crate) conference: usize,
    pub(crate) ring_group: usize,
    pub(crate) queue: usize,
    pub(crate) ivr: usize,
    pub(crate) page: usize,
}

pub(crate) struct Office {
    pub(crate) extensions: Vec<Extension>,
    /// The most popular first.
    pub(crate) outsiders: Vec<Outsider>,
    pub(crate) trunks: Vec<Trunk>,
    pub(crate) ring_groups: Vec<Group>,
    pub(crate) queues: Vec<Group>,
    pub(crate) conferences: Vec<String>,
    pub(crate) ivrs: Vec<String>,
    pub(crate) pages: Vec<String>,
}

pub(crate) struct Extension {
    pub(crate) number: String,
    pub(crate) name: String,
    pub(crate) account: String,
    pub(crate) recorded: bool,
    devices: Vec<Device>,
}

/// A phone or an app; those behind a router are seen at a new port every few days.
struct Device {
    /// `PJSIP/5001/sip:5001@192.168.10.7:`
    contact: String,
    days_a_port: Option<u64>,
    /// Tells one device's ports from another's.
    salt: u64,
}

pub(crate) struct Outsider {
    pub(crate) number: String,
    /// Empty where the carrier sends no name.
    pub(crate) name: String,
    /// By which trunk the office reaches the number.
    pub(crate) trunk: usize,
}

pub(crate) struct Trunk {
    /// As in `trunk_3` and `ext-did-3`; of an analog line, its port.
    pub(crate) number: u64,
    pub(crate) name: &'static str,
    pub(crate) analog: bool,
    /// What callers dial to reach the office here.
    pub(crate) did: String,
}

pub(crate) struct Group {
    pub(crate) number: String,
    /// Places in `Office::extensions`.
    pub(crate) members: Vec<usize>,
}

impl Office {
    pub(crate) fn new(plan: &NumberPlan, seed: u64) -> Office {
        let random = &mut Random::new(seed ^ 0x0ff1ce);
        let numbers = |first: usize, count: usize| (first..first + count).map(|number| number.to_string());
        Office {
            extensions: numbers(plan.extension, EXTENSIONS).map(|n| Extension::new(n, random)).collect(),
            outsiders: (0..OUTSIDERS).map(|index| Outsider::new(index, random)).collect(),
            trunks: (0..TRUNKS.len()).map(Trunk::new).collect(),
            ring_groups: numbers(plan.ring_group, 12).map(|n| Group::new(n, 3, random)).collect(),
            queues: numbers(plan.queue, 8).map(|n| Group::new(n, 12, random)).collect(),
            conferences: numbers(plan.conference, 6).collect(),
            ivrs: numbers(plan.ivr, 4).collect(),
            pages: numbers(plan.page, 3).collect(),
        }
    }

    /// The trunks that are not analog lines.
    pub(crate) fn sip_trunks(&self) -> &[Trunk] {
        &self.trunks[..self.trunks.len() - ANALOG_LINES]
    }

    pub(crate) fn analog_lines(&self) -> &[Trunk] {
        &self.trunks[self.trunks.len() - ANALOG_LINES..]
    }
}

impl Extension {
    fn new(number: String, random: &mut Random) -> Extension {
        let name = match random.percent(10) {
            true => random.pick(&FULL).to_string(),
            false => format!("{} {}", random.pick(&FIRST), random.pick(&LAST)),
        };
        let account = match random.percent(20) {
            true => format!("D{:03}", random.between(1, 40)),
            false => String::new(),
        };
        let desk = Device::new(&number, 0xc0a8_0a00 + random.below(4096) as u32, None);
        let days_a_port = Some(random.between(1, 8) as u64);
        let app = Device::new(&number, 0x4000_0000 + random.below(0x6000_0000) as u32, days_a_port);
        let devices = match random.below(3) {
            0 => vec![desk],
            1 => vec![app],
            _ => vec![desk, app],
        };
        Extension { number, name, account, recorded: random.percent(30), devices }
    }

    /// Where the extension can be reached on that day, as Dial is told:
    /// `PJSIP/5001/sip:5001@192.168.10.7:5060&PJSIP/5001/sip:5001@64.1.2.3:38102`.
    pub(crate) fn push_contacts(&self, day: i64, to: &mut String) {
        for (index, device) in self.devices.iter().enumerate() {
            if index > 0 {
                to.push('&');
            }
            to.push_str(&device.contact);
            to.push_str(&device.port(day).to_string());
        }
    }
}

impl Device {
    fn new(number: &str, address: u32, days_a_port: Option<u64>) -> Device {
        let contact = format!("PJSIP/{number}/sip:{number}@{}:", Ipv4Addr::from(address));
        Device { contact, days_a_port, salt: mix(u64::from(address)) }
    }

    fn port(&self, day: i64) -> u64 {
        match self.days_a_port {
            None => 5060,
            Some(days) => 1024 + mix(self.salt ^ (day as u64 / days)) % 64_000,
        }
    }
}

impl Outsider {
    fn new(index: usize, random: &mut Random) -> Outsider {
        let line = random.between(2_000_000, 9_999_999);
        let number = match random.below(10) {
            0 => format!("+49{}{line}", random.between(30, 999)),
            1 => format!("0044{}{line}", random.between(100, 999)),
            2..5 => format!("{}{line}", random.between(201, 989)),
            _ => format!("1{}{line}", random.between(201, 989)),
        };
        let name = match random.below(10) {
            0..4 => String::new(),
            4..7 => random.pick(&FIRMS).to_string(),
            _ => format!("{} {}", random.pick(&FIRST), random.pick(&LAST)).to_uppercase(),
        };
        Outsider { number, name, trunk: index % (TRUNKS.len() - ANALOG_LINES) }
    }
}

impl Trunk {
    fn new(index: usize) -> Trunk {
        let lines = TRUNKS.len() - ANALOG_LINES;
        let (number, analog) = if index < lines { (index + 1, false) } else { (index - lines + 1, true) };
        let did = format!("1602555{:04}", 1000 + index);
        Trunk { number: number as u64, name: TRUNKS[index], analog, did }
    }
}

impl Group {
    fn new(number: String, members: usize, random: &mut Random) -> Group {
        Group { number, members: (0..members).map(|_| random.below(EXTENSIONS)).collect() }
    }
}
