//! A zone's history as a row of eras of one offset each, and where a local time stands in it.
//!
//! It must not know which of two readings is meant, nor any crate of time zones: a zone is the
//! function [`IanaZone::offset_at`]. The idea: the eras are found by probing that function, step by
//! step, and once: the chart grows as far as the times met so far ask for. On the zone's own clock
//! neighbouring eras leave a gap (the clocks went forward) or overlap (they went back):
//!
//! ```text
//! forward:  ── era 1 ──┤         ├── era 2 ──      back:  ────── era 1 ──────┤
//!              once      skipped     once                          ├────── era 2 ──────
//!                                                           once     twice      once
//! ```

use std::collections::VecDeque;

use super::SECOND;
use super::zone::IanaZone;

/// The bound, in seconds, of every offset and of every change of one: 26 hours. The greatest
/// change in IANA 2025b is of 25.8 hours.
const REACH: i64 = 26 * 3600;

/// The step of probing. The shortest era in IANA 2025b lasts 167 hours (Brazil in 2000).
const STEP: i64 = 3 * 86_400;

/// How far beyond a time the chart is drawn: enough that times in order seldom ask for more.
const MARGIN: i64 = 60 * 86_400;

/// The seconds for which a chart is drawn: the years 1 to 9999, which clock times are of, and more.
const CHARTED: (i64, i64) = (-62_200_000_000, 253_450_000_000);

/// Local times that have one reading. All in microseconds, `until` not included.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    from: i64,
    until: i64,
    /// East of Greenwich.
    pub(super) offset: i64,
}

impl Span {
    /// No local time at all.
    pub(super) const NONE: Span = Span { from: 0, until: 0, offset: 0 };

    /// All local times, by an offset in seconds.
    pub(super) fn fixed(offset: i32) -> Span {
        Span { from: i64::MIN, until: i64::MAX, offset: i64::from(offset) * SECOND }
    }

    /// The instant, in microseconds, of a local time in the span.
    #[inline]
    pub(super) fn utc(&self, local: i64) -> Option<i64> {
        (self.from <= local && local < self.until).then(|| local.saturating_sub(self.offset))
    }

    /// The other way: an instant whose local time is in the span has that local time.
    #[inline]
    pub(super) fn local(&self, utc: i64) -> Option<i64> {
        let local = utc.saturating_add(self.offset);
        (self.from <= local && local < self.until).then_some(local)
    }
}

/// A stretch of one offset, both in seconds; it begins at an instant and lasts until the next.
#[derive(Clone, Copy, Debug)]
struct Era {
    from: i64,
    offset: i64,
}

/// Where a local time was found among the eras; offsets in seconds.
pub(super) enum Found {
    Once(Span),
    /// The offsets before and after the clocks went back.
    Twice(i64, i64),
    /// The offset before the clocks went forward.
    Skipped(i64),
}

/// The eras of a zone, without a hole from the first one's begin until `until`, in UTC seconds.
/// The edges are no changes of the clocks, only the ends of what was probed.
#[derive(Clone, Debug)]
pub(super) struct Chart {
    zone: IanaZone,
    eras: VecDeque<Era>,
    until: i64,
}

impl Chart {
    pub(super) fn new(zone: IanaZone) -> Chart {
        Chart { zone, eras: VecDeque::new(), until: 0 }
    }

    /// The eras on whose clocks a local time stands: one, two neighbours, or none.
    pub(super) fn find(&mut self, local: i64) -> Found {
        let local = self.cover(local);
        let mut begun = self.era_at(local - REACH);
        let mut reading = None;
        for (i, era) in self.eras.iter().enumerate().skip(begun) {
            if local < era.from + era.offset {
                // Later eras begin later on their own clocks, too: none is shorter than a gap.
                break;
            }
            begun = i;
            if local < self.end(i) + era.offset {
                match reading {
                    None => reading = Some(i),
                    Some(before) => return Found::Twice(self.eras[before].offset, era.offset),
                }
            }
        }
        match reading {
            Some(i) => Found::Once(self.span(i)),
            None => Found::Skipped(self.eras[begun].offset),
        }
    }

    /// The span of the era at an instant, for its offset.
    pub(super) fn span_at(&mut self, utc: i64) -> Span {
        let utc = self.cover(utc);
        self.span(self.era_at(utc))
    }

    /// The last era that begins at the instant or before it.
    fn era_at(&self, utc: i64) -> usize {
        self.eras.partition_point(|era| era.from <= utc).saturating_sub(1)
    }

    /// Where an era ends, in UTC.
    fn end(&self, i: usize) -> i64 {
        self.eras.get(i + 1).map_or(self.until, |next| next.from)
    }

    /// The local times that this era alone can mean. An overlap is left to the neighbours; at the
    /// chart's edges any may begin beyond.
    fn span(&self, i: usize) -> Span {
        let Era { from, offset } = self.eras[i];
        let from = match i.checked_sub(1).and_then(|i| self.eras.get(i)) {
            Some(previous) => from + offset.max(previous.offset),
            None => from + offset + REACH,
        };
        let until = match self.eras.get(i + 1) {
            Some(next) => next.from + offset.min(next.offset),
            None => self.until + offset - REACH,
        };
        Span { from: from * SECOND, until: until * SECOND, offset: offset * SECOND }
    }

    /// Draws the chart about the time, and returns it, moved into the charted years.
    fn cover(&mut self, time: i64) -> i64 {
        let time = time.clamp(CHARTED.0, CHARTED.1);
        if self.eras.is_empty() {
            self.until = time;
            self.eras.push_back(self.probe(time));
        }
        while self.until < time + 2 * REACH {
            self.extend(time + MARGIN);
        }
        while self.eras[0].from > time - 2 * REACH {
            self.extend_back(time - MARGIN);
        }
        time
    }

    /// The era of the offset at an instant, as if it began there.
    fn probe(&self, utc: i64) -> Era {
        Era { from: utc, offset: i64::from(self.zone.offset_at(utc)) }
    }

    /// Probes forward until the instant, step by step.
    fn extend(&mut self, until: i64) {
        let mut last = self.probe(self.until);
        while self.until < until {
            let next = self.probe(self.until + STEP);
            if next.offset != last.offset {
                self.eras.push_back(self.change(last, next));
            }
            self.until = next.from;
            last = next;
        }
    }

    /// Probes backward until the instant, step by step.
    fn extend_back(&mut self, until: i64) {
        while self.eras[0].from > until {
            let first = self.eras[0];
            let before = self.probe(first.from - STEP);
            if before.offset == first.offset {
                self.eras[0].from = before.from;
            } else {
                self.eras[0] = self.change(before, first);
                self.eras.push_front(before);
            }
        }
    }

    /// The instant at which the offset becomes that of `after`, found by halving.
    fn change(&self, before: Era, after: Era) -> Era {
        let (mut unchanged, mut changed) = (before.from, after.from);
        while changed - unchanged > 1 {
            let middle = unchanged.midpoint(changed);
            if self.probe(middle).offset == after.offset { changed = middle } else { unchanged = middle }
        }
        Era { from: changed, offset: after.offset }
    }
}
