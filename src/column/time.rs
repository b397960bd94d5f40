//! `start`, `answer` and `end`: from texts to microseconds, in the zone that the caller named.
//!
//! How a text reads is told by `time/`; here it is decided, a row at a time, what it means: the
//! PBX's clock as it stands, an instant by a zone, or by the offset that the row's own epoch shows.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::{ArrayRef, TimestampMicrosecondArray};
use arrow::buffer::ScalarBuffer;

use super::problem::Problems;
use super::rows::Rows;
use super::validity::Validity;
use super::{File, Notes};
use crate::format::layout::{Source, Take};
use crate::frame::Reason;
use crate::schema::{Column, TimeKind};
use crate::time::{
    DateOrder, Resolved, TimeError, Usual, Zone, ZoneClock, auto_offset, epoch_of_id, read_seconds, read_time,
};

/// Seconds from the year 0, where Kazoo's clock begins, to 1970.
const GREGORIAN_EPOCH: i64 = 62_167_219_200;

/// Instants that a number of seconds may mean: the years 1970 to 2200.
const PLAUSIBLE: std::ops::Range<i64> = 0..7_258_118_400;

const SECOND: i64 = 1_000_000;

/// A time as the dump has it.
#[derive(Clone, Copy)]
enum Written {
    /// The PBX's clock.
    Clock(i64),
    /// An instant.
    Instant(i64),
}

/// The wanted ones of the three time columns, in the order of `wanted`.
pub fn times(
    rows: &Rows,
    file: &File,
    offsets: Option<&Offsets>,
    wanted: &[Column],
    problems: &mut Problems,
    notes: &mut Notes,
) -> Vec<ArrayRef> {
    let zoned = has_zone(file);
    let reader = Reader { rows, file };
    let mut clock = file.zone.as_ref().map(ZoneClock::new);
    let after_start = file.clocks == TimeKind::WallClock && wanted != [Column::Start];
    let starts = (zoned && after_start).then(|| reader.starts(clock.as_mut()));
    let column = |&column: &Column| {
        let mut values = Vec::with_capacity(rows.len());
        let mut validity = Validity::new(rows.len());
        let mut usual = reader.usual(column);
        for (at, &row) in rows.kept.iter().enumerate() {
            let written = match usual.as_mut().and_then(|usual| usual(row)) {
                Some(written) => Some(written),
                None => reader.read(column, row, Some(problems)),
            };
            let value = written.map(|written| match (written, &mut clock) {
                (Written::Instant(instant), _) => instant,
                (Written::Clock(local), Some(clock)) if zoned => {
                    let resolved = match (&starts, column) {
                        (Some(starts), Column::Answer | Column::End) => clock.after(local, starts[at]),
                        _ => reader.start(clock, local, row),
                    };
                    notes.count_dst(resolved.note);
                    resolved.utc
                }
                (Written::Clock(local), _) => {
                    offsets.map_or(local, |offsets| local - i64::from(offsets.of[row as usize]) * SECOND)
                }
            });
            validity.push(value.is_some());
            values.push(value.unwrap_or_default());
        }
        let array = TimestampMicrosecondArray::new(ScalarBuffer::from(values), validity.finish());
        let array: ArrayRef = match file.times {
            TimeKind::WallClock => Arc::new(array),
            TimeKind::Instant => Arc::new(array.with_timezone("UTC")),
        };
        array
    };
    wanted.iter().map(column).collect()
}

struct Reader<'a> {
    rows: &'a Rows,
    file: &'a File,
}

impl<'a> Reader<'a> {
    /// Reads what nearly all records have: one slot, and in it a time of the usual shape. What this does not read,
    /// [`Reader::read`] does.
    fn usual(&self, column: Column) -> Option<impl FnMut(u32) -> Option<Written> + use<'a>> {
        let Reader { rows, file } = *self;
        let [Source { slot, take: Take::Whole }] = rows.layout().sources(column) else { return None };
        let is_instant = file.times == TimeKind::Instant && file.clocks == TimeKind::Instant;
        let written = if is_instant { Written::Instant } else { Written::Clock };
        let mut usual = Usual::default();
        Some(move |row| usual.read(rows.span(row, *slot).of(rows.arena.bytes())).map(written))
    }

    /// A time of a record; what cannot be read is nothing, and a problem where those are asked for.
    fn read(&self, column: Column, row: u32, problems: Option<&mut Problems>) -> Option<Written> {
        let sources = self.rows.layout().sources(column);
        let (rank, text) = match sources {
            [Source { slot, take: Take::Whole }] => (0, Cow::Borrowed(self.rows.bytes(row, *slot))),
            _ => self.rows.first(sources, row).map(|(rank, text)| (rank, bytes_of(text)))?,
        };
        match self.written(&sources[rank], row, &text) {
            Ok(written) => written,
            Err((reason, what)) => {
                if let Some(problems) = problems {
                    problems.add(row, sources[rank].slot, reason, what);
                }
                None
            }
        }
    }

    fn written(
        &self,
        source: &Source,
        row: u32,
        text: &[u8],
    ) -> Result<Option<Written>, (Reason, &'static str)> {
        match source.take {
            Take::Gregorian(less) => {
                let seconds = whole(text).and_then(|seconds| seconds.checked_sub(GREGORIAN_EPOCH));
                self.instant(seconds, SECOND, less, row)
            }
            Take::Epoch(less) => {
                let unit = if text.trim_ascii().len() == 13 { SECOND / 1000 } else { SECOND };
                self.instant(whole(text), unit, less, row)
            }
            Take::Clock if self.file.clocks == TimeKind::Instant => self.clock_among_instants(text),
            Take::Whole | Take::Clock | Take::Part(_) | Take::WherePositive(_) => self.clock(text),
        }
    }

    fn clock(&self, text: &[u8]) -> Result<Option<Written>, (Reason, &'static str)> {
        let order = self.file.order.unwrap_or(DateOrder::MonthFirst);
        let clock = match read_time(text, order) {
            Ok(None) => return Ok(None),
            Ok(Some(clock)) => clock,
            Err(TimeError::Unreadable) => return Err((Reason::BadTime, "is not a time")),
            Err(TimeError::WrongOrder) => {
                return Err((Reason::BadDateOrder, "is a date only in the other order of day and month"));
            }
        };
        match (clock.instant(), self.file.times) {
            (None, TimeKind::Instant) if self.file.clocks == TimeKind::Instant => {
                Ok(Some(Written::Instant(clock.micros)))
            }
            (None, _) => Ok(Some(Written::Clock(clock.micros))),
            (Some(instant), TimeKind::Instant) => Ok(Some(Written::Instant(instant))),
            (Some(_), TimeKind::WallClock) => Err((
                Reason::BadTime,
                "has an offset among times without one; --timezone makes instants of all",
            )),
        }
    }

    /// The PBX's clock in a dump of instants: one, too, if the caller names the zone.
    fn clock_among_instants(&self, text: &[u8]) -> Result<Option<Written>, (Reason, &'static str)> {
        match self.clock(text)? {
            Some(Written::Instant(local)) if has_zone(self.file) => Ok(Some(Written::Clock(local))),
            Some(_) => Err((Reason::BadTime, "is the PBX's clock among instants; --timezone tells its zone")),
            None => Ok(None),
        }
    }

    /// So many units of so many microseconds since 1970, less the seconds that another slot holds.
    fn instant(
        &self,
        number: Option<i64>,
        unit: i64,
        less: Option<usize>,
        row: u32,
    ) -> Result<Option<Written>, (Reason, &'static str)> {
        let Some(number) = number else { return Err((Reason::BadTime, "is not a whole number of seconds")) };
        if self.file.times == TimeKind::WallClock {
            return Err((
                Reason::BadTime,
                "is an instant among times without a zone; --timezone names theirs",
            ));
        }
        if !PLAUSIBLE.contains(&number.div_euclid(SECOND / unit)) {
            return Err((Reason::BadTime, "is no second of the years 1970 to 2200"));
        }
        let less = less
            .and_then(|slot| self.rows.text(row, slot))
            .map_or(Ok(None), |text| read_seconds(text.as_bytes()));
        let less = less.map_err(|()| (Reason::BadTime, "cannot be told without the duration"))?.unwrap_or(0);
        Ok(Some(Written::Instant(number * unit - i64::from(less) * SECOND)))
    }

    /// The instants at which the rows began, as far as they can be read.
    fn starts(&self, clock: Option<&mut ZoneClock>) -> Vec<Option<i64>> {
        let Some(clock) = clock else { return Vec::new() };
        let start = |&row: &u32| match self.read(Column::Start, row, None)? {
            Written::Instant(instant) => Some(instant),
            Written::Clock(local) => Some(self.start(clock, local, row).utc),
        };
        self.rows.kept.iter().map(start).collect()
    }

    fn start(&self, clock: &mut ZoneClock, local: i64, row: u32) -> Resolved {
        clock.start_with(local, || epoch(self.rows, row))
    }
}

/// Whether the caller names the zone of the PBX's clock.
fn has_zone(file: &File) -> bool {
    matches!(file.zone, Some(Zone::Iana(_) | Zone::Fixed(_)))
}

fn bytes_of(text: Cow<'_, str>) -> Cow<'_, [u8]> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
        Cow::Owned(text) => Cow::Owned(text.into_bytes()),
    }
}

/// A whole number of seconds, if the text is one.
fn whole(text: &[u8]) -> Option<i64> {
    std::str::from_utf8(text.trim_ascii()).ok()?.parse().ok()
}

/// The epoch that a record's own ids hold.
pub fn epoch(rows: &Rows, row: u32) -> Option<i64> {
    [Column::Uniqueid, Column::CallId]
        .iter()
        .find_map(|&column| epoch_of_id(rows.value(column, row)?.as_bytes()))
}

/// The offset of every record of a block, where each tells its own (`--timezone auto`).
pub struct Offsets {
    /// Seconds east of UTC, by record.
    of: Vec<i32>,
    /// Records that took that of the record before them, and of the file's first.
    pub from_before: u64,
    pub from_first: u64,
    /// The offsets that occur, in the order in which they do.
    pub distinct: Vec<i32>,
}

/// What the records of a block say themselves of their offsets.
pub fn own_offsets(rows: &Rows, file: &File) -> Vec<Option<i32>> {
    let reader = Reader { rows, file };
    let own = |row: u32| match reader.read(Column::Start, row, None)? {
        Written::Clock(local) => auto_offset(local, epoch(rows, row)?),
        Written::Instant(_) => None,
    };
    (0..rows.records() as u32).map(own).collect()
}

impl Offsets {
    /// That of a record, in microseconds.
    pub fn micros(&self, row: u32) -> i64 {
        i64::from(self.of[row as usize]) * SECOND
    }

    /// Fills the gaps: from the record before, which for the first may be of the block before, or else
    /// from the file's first.
    pub fn fill(own: Vec<Option<i32>>, mut before: Option<i32>, first: i32) -> Offsets {
        let mut offsets = Offsets {
            of: Vec::with_capacity(own.len()),
            from_before: 0,
            from_first: 0,
            distinct: Vec::new(),
        };
        for own in own {
            let offset = match (own, before) {
                (Some(own), _) => own,
                (None, Some(before)) => {
                    offsets.from_before += 1;
                    before
                }
                (None, None) => {
                    offsets.from_first += 1;
                    first
                }
            };
            before = own.or(before);
            offsets.of.push(offset);
            if !offsets.distinct.contains(&offset) {
                offsets.distinct.push(offset);
            }
        }
        offsets
    }
}
