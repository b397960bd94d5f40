//! From what a clock on the wall showed to the instant that was meant.
//!
//! It must not know texts or rows, nor how a zone's history is found out ([`Chart`]). The idea: in
//! a zone the offset is the same for months, and only about a change of the clocks a local time has
//! two readings or none. So the last stretch without a doubt ([`Span`]) is kept, and nearly every
//! time costs two comparisons.

use super::SECOND;
use super::chart::{Chart, Found, Span};
use super::zone::Zone;

/// An instant, and whether the clock time had to be interpreted to find it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resolved {
    /// Microseconds since 1970-01-01T00:00 UTC.
    pub utc: i64,
    /// What the report counts.
    pub note: Option<DstNote>,
}

/// What was odd about a clock time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DstNote {
    /// The clocks showed it twice, for they went back; one reading was chosen.
    Twice,
    /// The clocks never showed it, for they went forward; it was moved on by as much.
    Skipped,
}

impl DstNote {
    /// The note's name in the report.
    pub fn as_str(self) -> &'static str {
        match self {
            DstNote::Twice => "dst-twice",
            DstNote::Skipped => "dst-skipped",
        }
    }
}

/// Turns a zone's clock times into instants; each worker has its own, for it remembers.
#[derive(Clone, Debug)]
pub struct ZoneClock {
    span: Span,
    /// `None` where the offset is fixed, and `span` says all.
    chart: Option<Chart>,
}

impl ZoneClock {
    /// A clock of the zone. `Zone::Auto` has none (its rows take their own offsets, by
    /// [`auto_offset`](super::auto_offset)): such a clock runs on UTC.
    pub fn new(zone: &Zone) -> ZoneClock {
        match *zone {
            Zone::Iana(zone) => ZoneClock { span: Span::NONE, chart: Some(Chart::new(zone)) },
            Zone::Fixed(offset) => ZoneClock { span: Span::fixed(offset), chart: None },
            Zone::Auto => ZoneClock { span: Span::fixed(0), chart: None },
        }
    }

    /// The instant at which a record began whose clock showed `local` (wall-clock microseconds).
    ///
    /// Of two readings it is the one nearest to the record's own `epoch` (UTC seconds), without
    /// one the earlier. A skipped time moves forward by the gap.
    #[inline]
    pub fn start(&mut self, local: i64, epoch: Option<i64>) -> Resolved {
        self.start_with(local, || epoch)
    }

    /// As [`start`](ZoneClock::start), with the epoch looked up only where there are two readings.
    #[inline]
    pub fn start_with(&mut self, local: i64, epoch: impl FnOnce() -> Option<i64>) -> Resolved {
        if let Some(utc) = self.span.utc(local) {
            return Resolved { utc, note: None };
        }
        self.find(local, |earlier, later| {
            let is_nearer = |epoch: i64| {
                let epoch = epoch.saturating_mul(SECOND);
                epoch.abs_diff(later) < epoch.abs_diff(earlier)
            };
            epoch().is_some_and(is_nearer)
        })
    }

    /// The instant of a record's answer or end, given the instant of its start, where it has one.
    ///
    /// Of two readings it is the first that is not before the start; if both are, the later.
    /// A skipped time moves forward by the gap.
    #[inline]
    pub fn after(&mut self, local: i64, start_utc: Option<i64>) -> Resolved {
        if let Some(utc) = self.span.utc(local) {
            return Resolved { utc, note: None };
        }
        self.find(local, |earlier, _| start_utc.is_some_and(|start| earlier < start))
    }

    /// What the zone's clocks showed (wall-clock microseconds) at an instant (microseconds UTC).
    #[inline]
    pub fn local(&mut self, utc: i64) -> i64 {
        if let Some(local) = self.span.local(utc) {
            return local;
        }
        if let Some(chart) = &mut self.chart {
            self.span = chart.span_at(utc.div_euclid(SECOND));
        }
        utc.saturating_add(self.span.offset)
    }

    /// Resolves a local time outside the span, and moves the span to it if it has one reading.
    #[inline(never)]
    fn find(&mut self, local: i64, later_is_meant: impl FnOnce(i64, i64) -> bool) -> Resolved {
        let Some(chart) = &mut self.chart else {
            return Resolved { utc: local.saturating_sub(self.span.offset), note: None };
        };
        let by = |offset: i64| local.saturating_sub(offset * SECOND);
        match chart.find(local.div_euclid(SECOND)) {
            Found::Once(span) => {
                self.span = span;
                Resolved { utc: local.saturating_sub(span.offset), note: None }
            }
            Found::Twice(before, after) => {
                let (earlier, later) = (by(before), by(after));
                let utc = if later_is_meant(earlier, later) { later } else { earlier };
                Resolved { utc, note: Some(DstNote::Twice) }
            }
            // As if the clocks had not gone forward: that moves the time on by the gap.
            Found::Skipped(before) => Resolved { utc: by(before), note: Some(DstNote::Skipped) },
        }
    }
}

#[cfg(test)]
mod tests;
