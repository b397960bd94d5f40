//! The exchange: takes call after call as the clock has them, gives each channel and each record its
//! number, and leaves what happens in the call to one of the scenes.

use crate::call::{Call, Channel};
use crate::clock::{Civil, Clock, Moment};
use crate::office::{Office, Trunk};
use crate::random::Random;
use crate::scenes;

/// What a call is about, and how often.
const MIX: [(usize, Scene); 10] = [
    (26, scenes::internal),
    (33, scenes::outbound),
    (15, scenes::inbound),
    (9, scenes::ivr),
    (7, scenes::queue),
    (4, scenes::ring_group),
    (2, scenes::conference),
    (2, scenes::voicemail),
    (1, scenes::page),
    (1, scenes::forwarded),
];

type Scene = for<'o> fn(&mut Exchange<'o>, Moment) -> Call<'o>;

pub(crate) struct Exchange<'o> {
    pub(crate) office: &'o Office,
    pub(crate) random: Random,
    clock: Clock,
    /// These four count from zero at every restart of the PBX, the records alone go on.
    channels: u64,
    phones_and_trunks: u64,
    analog: u64,
    locals: u64,
    records: u64,
    /// In which quarter of the year the PBX was last restarted.
    quarter: i64,
}

impl<'o> Exchange<'o> {
    pub(crate) fn new(office: &'o Office, seed: u64, calls_a_year: f64) -> Exchange<'o> {
        Exchange {
            office,
            random: Random::new(seed),
            clock: Clock::new(calls_a_year),
            channels: 0,
            phones_and_trunks: 0,
            analog: 0,
            locals: 0,
            records: 1200,
            quarter: 0,
        }
    }

    pub(crate) fn next_call(&mut self) -> Call<'o> {
        let now = self.clock.next(&mut self.random);
        self.restart_each_quarter(now);
        let scene = self.random.weighted(&MIX);
        scene(self, now)
    }

    fn restart_each_quarter(&mut self, now: Moment) {
        let quarter = (Civil::new(now.local_second()).month - 1) / 3;
        if quarter != self.quarter {
            self.quarter = quarter;
            (self.channels, self.phones_and_trunks, self.analog, self.locals) = (0, 0, 0, 0);
        }
    }

    /// The number that the next channel will have in its unique ID.
    pub(crate) fn next_serial(&self) -> u64 {
        self.channels
    }

    pub(crate) fn next_record(&mut self) -> u64 {
        self.records += 1;
        self.records
    }

    pub(crate) fn phone(&mut self, number: &'o str) -> Channel<'o> {
        Channel::Phone { number, serial: self.sip_serial() }
    }

    pub(crate) fn trunk_in(&mut self, trunk: &'o Trunk) -> Channel<'o> {
        if trunk.analog {
            self.channels += 1;
            self.analog += 1;
            return Channel::AnalogLine { port: trunk.number, serial: self.analog };
        }
        Channel::TrunkIn { trunk, serial: self.sip_serial() }
    }

    pub(crate) fn trunk_out(&mut self, trunk: &'o Trunk, number: &'o str) -> Channel<'o> {
        Channel::TrunkOut { trunk, number, serial: self.sip_serial() }
    }

    /// A Local channel is a pair, and each half is a channel.
    pub(crate) fn local(&mut self, number: &'o str, context: &'static str) -> Channel<'o> {
        self.channels += 2;
        self.locals += 1;
        Channel::Local { number, context, serial: self.locals - 1 }
    }

    fn sip_serial(&mut self) -> u64 {
        self.channels += 1;
        self.phones_and_trunks += 1;
        self.phones_and_trunks - 1
    }
}
