//! A call, whatever system it went through: what the scenes make and the writers print.

use crate::clock::Moment;
use crate::office::Trunk;

/// One call from the first ring to the last, in one leg or more.
pub(crate) struct Call<'o> {
    pub(crate) began: Moment,
    /// The serial number of the caller's channel since the PBX started.
    pub(crate) serial: u64,
    /// A number of the caller, empty on an analog line.
    pub(crate) caller: &'o str,
    pub(crate) legs: Vec<Leg<'o>>,
}

/// What one record describes: somebody was connected, or not, with one thing. Times are local seconds.
#[derive(Clone)]
pub(crate) struct Leg<'o> {
    /// The record's number in the PBX's database.
    pub(crate) record: u64,
    pub(crate) from: Party<'o>,
    pub(crate) to: Party<'o>,
    pub(crate) account: &'o str,
    pub(crate) context: Context,
    pub(crate) channel: Channel<'o>,
    pub(crate) dstchannel: Channel<'o>,
    pub(crate) app: &'static str,
    pub(crate) data: String,
    pub(crate) start: i64,
    pub(crate) answer: Option<i64>,
    pub(crate) end: i64,
    pub(crate) disposition: Disposition,
    pub(crate) direction: Direction,
    pub(crate) recorded: bool,
    pub(crate) answered_by: &'o str,
    /// Where the call was forwarded to.
    pub(crate) forwarded_to: &'o str,
    pub(crate) owner: &'o str,
    pub(crate) action: Action<'o>,
    pub(crate) from_trunk: Option<&'o Trunk>,
    pub(crate) to_trunk: Option<&'o Trunk>,
}

impl Leg<'_> {
    /// Whole seconds; the PBX counts the fractions, too, and comes out one short now and then.
    pub(crate) fn duration(&self) -> i64 {
        let short = i64::from(self.record.is_multiple_of(8));
        (self.end - self.start - short).max(0)
    }

    pub(crate) fn talk(&self) -> i64 {
        self.answer.map_or(0, |answer| self.end - answer)
    }

    pub(crate) fn ring(&self) -> i64 {
        self.answer.unwrap_or(self.end) - self.start
    }
}

#[derive(Clone, Copy)]
pub(crate) struct Party<'o> {
    pub(crate) number: &'o str,
    pub(crate) name: &'o str,
}

/// One end of a leg in the PBX; `serial` counts that driver's channels since the PBX started.
#[derive(Clone, Copy)]
pub(crate) enum Channel<'o> {
    Nothing,
    Phone { number: &'o str, serial: u64 },
    TrunkIn { trunk: &'o Trunk, serial: u64 },
    TrunkOut { trunk: &'o Trunk, number: &'o str, serial: u64 },
    AnalogLine { port: u64, serial: u64 },
    Local { number: &'o str, context: &'static str, serial: u64 },
    Application(&'static str),
}

#[derive(Clone, Copy)]
pub(crate) enum Context {
    FromInternal,
    Transfer,
    /// Came in by the trunk of that number.
    Did(u64),
    Ivr,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Disposition {
    Answered,
    NoAnswer,
    Busy,
    Failed,
    Congestion,
}

impl Disposition {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Disposition::Answered => "ANSWERED",
            Disposition::NoAnswer => "NO ANSWER",
            Disposition::Busy => "BUSY",
            Disposition::Failed => "FAILED",
            Disposition::Congestion => "CONGESTION",
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    Internal,
    Inbound,
    Outbound,
    External,
}

impl Direction {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Direction::Internal => "Internal",
            Direction::Inbound => "Inbound",
            Direction::Outbound => "Outbound",
            Direction::External => "External",
        }
    }
}

/// Why the leg is there: `DIAL`, or `QUEUE` with the queue's number.
#[derive(Clone, Copy)]
pub(crate) struct Action<'o> {
    pub(crate) name: &'static str,
    pub(crate) target: &'o str,
}

pub(crate) const DIAL: Action<'static> = Action { name: "DIAL", target: "" };
