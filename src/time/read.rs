//! A clock time, read by its shape.
//!
//! It must not know zones, records or why an order was chosen: the order of day and month is an
//! argument, and what comes out is what the clock on the wall showed.
//!
//! The idea: nearly every time in a dump is `YYYY-MM-DD HH:MM:SS`, nineteen bytes, so these are
//! read without a loop, three words at once ([`read_regular`]). All else, and all that this
//! refuses, goes to a cursor that walks the grammar ([`Written::read`]) and reads the shape
//! before it asks what the numbers mean, so that a date can be tried in both orders.

use super::order::DateOrder;
use super::{EM_DASH, SECOND, days_from_civil, digit};

/// Microseconds in a day.
const DAY: i64 = 86_400 * SECOND;

/// A time as written: what a clock showed, and where the text says so, how far east it hangs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clock {
    /// Wall-clock microseconds since 1970-01-01T00:00, the offset not taken off.
    pub micros: i64,
    /// Seconds east of Greenwich, where the text has an offset or a `Z`.
    pub offset: Option<i32>,
}

impl Clock {
    /// The instant in microseconds, where the text itself has an offset.
    pub fn instant(&self) -> Option<i64> {
        self.offset.map(|offset| self.micros - i64::from(offset) * SECOND)
    }
}

/// Why a text is no time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeError {
    /// No known shape, or a day or time of day that does not exist. Reject reason `bad-time`.
    Unreadable,
    /// A date only in the other order of day and month. Reject reason `bad-date-order`.
    WrongOrder,
}

/// Reads a time of any known shape; `order` decides where a date does not show its own.
///
/// Shapes, trimmed of ASCII blanks (where `-` stands between the numbers of a date, `/` may):
/// - `2024-05-17 12:34:56`, day and month also of one digit, also with `T` for the blank;
/// - `5/17/2024 12:34:56`, where `order` says which is the day;
/// - `17.5.2024 12:34:56`, always day first;
/// - each with an hour of one digit, without seconds, with a fraction of the second (cut after
///   six digits), with `AM` or `PM` (any case; hours 1 to 12), and with `Z`, `+05:00`, `-0600` or
///   `+05` behind it.
///
/// `None` is what stands for no time: an empty text, a dash (`—`), and `0000-00-00 00:00:00` in
/// any shape.
///
/// # Errors
/// [`TimeError::WrongOrder`] if only the other order makes it a time; else
/// [`TimeError::Unreadable`], which a date without a time of day, 24:00, second 60 and the year 0
/// are, too.
#[inline]
pub fn read_time(text: &[u8], order: DateOrder) -> Result<Option<Clock>, TimeError> {
    match text.try_into().ok().and_then(read_regular) {
        Some(micros) => Ok(Some(Clock { micros, offset: None })),
        None => read_careful(text, order),
    }
}

/// Reads `YYYY-MM-DD HH:MM:SS` as [`read_time`] does, of times that mostly are of the day of the one before.
#[derive(Clone, Copy, Debug)]
pub struct Usual {
    /// The first eleven bytes of that one, the blank among them, and its midnight in microseconds.
    date: (u64, u32),
    midnight: i64,
}

impl Default for Usual {
    fn default() -> Usual {
        // Three bytes are never so much: there is no date yet that a text could have.
        Usual { date: (0, u32::MAX), midnight: 0 }
    }
}

impl Usual {
    /// Reads one; `None` says that this is not enough.
    #[inline]
    pub fn read(&mut self, text: &[u8]) -> Option<i64> {
        let text: &[u8; 19] = text.try_into().ok()?;
        // Behind the day stands the blank, before the clock's word.
        let date = (word(text, 0)?, (word(text, 8)? & 0xff_ffff) as u32);
        if date == self.date {
            return Some(self.midnight + read_clock(text)? * SECOND);
        }
        let micros = read_regular(text)?;
        (self.date, self.midnight) = (date, micros - micros.rem_euclid(DAY));
        Some(micros)
    }
}

/// Any shape, by the grammar.
#[inline(never)]
fn read_careful(text: &[u8], order: DateOrder) -> Result<Option<Clock>, TimeError> {
    let text = text.trim_ascii();
    if text.is_empty() || text == EM_DASH {
        return Ok(None);
    }
    let written = Written::read(text).ok_or(TimeError::Unreadable)?;
    if written.is_zero() {
        return Ok(None);
    }
    match written.micros(order) {
        Some(micros) => Ok(Some(Clock { micros, offset: written.offset })),
        None if written.micros(order.other()).is_some() => Err(TimeError::WrongOrder),
        None => Err(TimeError::Unreadable),
    }
}

/// `YYYY-MM-DD HH:MM:SS` to microseconds; `None` if the text is anything else.
///
/// ```text
/// 2024-05-17 12:34:56
/// YYYY-MM-                the date's word
///         DD HH:MM        the day's word, for the day and the blank
///            HH:MM:SS     the clock's word
/// ```
#[inline]
fn read_regular(text: &[u8; 19]) -> Option<i64> {
    const DATE: Template = Template::of(b"0000-00-");
    const DATE_DAY: Template = Template::of(b"00 00:00");
    let (date, bad_date) = DATE.pairs(word(text, 0)?);
    let (day, bad_day) = DATE_DAY.pairs(word(text, 8)?);
    if bad_date | bad_day != 0 {
        return None;
    }
    let seconds = read_clock(text)?;
    let days = days_from_civil(100 * pair(date, 0) + pair(date, 2), pair(date, 5), pair(day, 0))?;
    Some((days * 86_400 + seconds) * SECOND)
}

/// The `HH:MM:SS` of such a time, in seconds.
#[inline]
fn read_clock(text: &[u8; 19]) -> Option<i64> {
    const CLOCK: Template = Template::of(b"00:00:00");
    let (clock, bad_clock) = CLOCK.pairs(word(text, 11)?);
    let (hour, minute, second) = (pair(clock, 0), pair(clock, 3), pair(clock, 6));
    if bad_clock != 0 || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    Some(i64::from(3600 * hour + 60 * minute + second))
}

/// Eight bytes from `at`, the first in the lowest place. Not byte by byte: where two words overlap,
/// the compiler then makes a load of each byte (10 ns instead of 7 for the whole).
#[inline]
fn word(text: &[u8; 19], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*text.get(at..)?.first_chunk()?))
}

/// The number that the digits at `at` and `at + 1` of a word make.
#[inline]
fn pair(pairs: u64, at: u32) -> u32 {
    u32::from((pairs >> (8 * at)) as u8)
}

/// What eight bytes must look like: `0` stands for any digit, all else for itself.
struct Template {
    shape: u64,
    /// What added to a byte of the difference sets its highest bit, if it is not allowed there.
    slack: u64,
}

impl Template {
    const fn of(shape: &[u8; 8]) -> Template {
        let mut slack = [0x7f; 8];
        let mut i = 0;
        while i < 8 {
            if shape[i] == b'0' {
                slack[i] = 0x7f - 9;
            }
            i += 1;
        }
        Template { shape: u64::from_le_bytes(*shape), slack: u64::from_le_bytes(slack) }
    }

    /// The number that each byte makes with the one after it, and a word that is 0 if `word` fits.
    ///
    /// The difference to the shape is the value in each digit and 0 in all else; a byte that is
    /// neither is above its bound or has its highest bit set. What a sum carries into the next
    /// byte is harmless, for it comes only from a byte that is marked itself.
    #[inline]
    fn pairs(&self, word: u64) -> (u64, u64) {
        const HIGHEST_BITS: u64 = 0x8080_8080_8080_8080;
        let digits = word ^ self.shape;
        let bad = (digits.wrapping_add(self.slack) | digits) & HIGHEST_BITS;
        (digits.wrapping_mul(10).wrapping_add(digits >> 8), bad)
    }
}

/// Where the day stands in a date.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    /// `2024-05-17`, `2024/5/17`: last.
    YearFirst,
    /// `17.5.2024`: first.
    Dotted,
    /// `5/6/2024`, `5-6-2024`: the file's order decides.
    Open,
}

/// A time that has a known shape; whether its day exists is not asked yet.
pub(super) struct Written {
    pub(super) layout: Layout,
    year: u32,
    /// The two numbers of the date beside the year, as they stand.
    first: u32,
    second: u32,
    /// Microseconds since midnight.
    of_day: i64,
    offset: Option<i32>,
}

impl Written {
    /// ```text
    /// time  = date ( blanks | "T" ) clock [blanks] [offset]
    /// ```
    /// The text is trimmed and not empty.
    pub(super) fn read(text: &[u8]) -> Option<Written> {
        let mut cursor = Cursor { rest: text };
        let (layout, year, first, second) = cursor.date()?;
        if !cursor.take(b'T') && !cursor.blanks() {
            return None;
        }
        let of_day = cursor.clock()?;
        cursor.blanks();
        let offset = if cursor.rest.is_empty() { None } else { Some(read_offset(cursor.rest)?) };
        Some(Written { layout, year, first, second, of_day, offset })
    }

    /// The zero date, which databases write for null.
    fn is_zero(&self) -> bool {
        self.year == 0 && self.first == 0 && self.second == 0 && self.of_day == 0
    }

    /// Wall-clock microseconds, if the day exists when read in this order.
    pub(super) fn micros(&self, order: DateOrder) -> Option<i64> {
        let (month, day) = match (self.layout, order) {
            (Layout::YearFirst, _) | (Layout::Open, DateOrder::MonthFirst) => (self.first, self.second),
            (Layout::Dotted, _) | (Layout::Open, DateOrder::DayFirst) => (self.second, self.first),
        };
        Some(days_from_civil(self.year, month, day)? * DAY + self.of_day)
    }
}

/// An offset from Greenwich, in seconds, east positive; less than a day.
///
/// ```text
/// offset = "Z" | ("+" | "-") hh [[":"] mm]
/// ```
pub(super) fn read_offset(text: &[u8]) -> Option<i32> {
    let (sign, hours, minutes) = match *text {
        [b'Z'] => return Some(0),
        [sign, a, b] => (sign, [a, b], [b'0', b'0']),
        [sign, a, b, c, d] | [sign, a, b, b':', c, d] => (sign, [a, b], [c, d]),
        _ => return None,
    };
    let two = |[tens, ones]: [u8; 2]| Some((10 * digit(tens)? + digit(ones)?) as i32);
    let (hours, minutes) = (two(hours)?, two(minutes)?);
    let seconds = (hours < 24 && minutes < 60).then_some(3600 * hours + 60 * minutes)?;
    match sign {
        b'+' => Some(seconds),
        b'-' => Some(-seconds),
        _ => None,
    }
}

/// What is left of the text. Each method takes one thing of the grammar from its front, or says
/// `None` or `false`; after a `None` the text is given up.
struct Cursor<'a> {
    rest: &'a [u8],
}

impl Cursor<'_> {
    /// ```text
    /// date  = yyyy sep n sep n                the two `sep` of a date are the same
    ///       | n sep n sep yyyy
    ///       | n "." n "." yyyy
    /// sep   = "-" | "/"          n = one or two digits
    /// ```
    /// Returns the layout, the year, and the other two numbers as they stand.
    fn date(&mut self) -> Option<(Layout, u32, u32, u32)> {
        let (a, a_width) = self.number()?;
        let (&separator, rest) = self.rest.split_first()?;
        self.rest = rest;
        let (b, b_width) = self.number()?;
        if !self.take(separator) || b_width > 2 {
            return None;
        }
        let (c, c_width) = self.number()?;
        match (separator, a_width, c_width) {
            (b'-' | b'/', 4, 1 | 2) => Some((Layout::YearFirst, a, b, c)),
            (b'-' | b'/', 1 | 2, 4) => Some((Layout::Open, c, a, b)),
            (b'.', 1 | 2, 4) => Some((Layout::Dotted, c, a, b)),
            _ => None,
        }
    }

    /// ```text
    /// clock = h ":" mm [":" ss ["." digit+]] [[blanks] ("AM" | "PM")]       h = one or two digits
    /// ```
    /// Returns microseconds since midnight.
    fn clock(&mut self) -> Option<i64> {
        let hour = match self.number()? {
            (hour, 1 | 2) => hour,
            _ => return None,
        };
        let minute = self.take(b':').then(|| self.sixtieth())??;
        let (second, fraction) = if self.take(b':') { (self.sixtieth()?, self.fraction()?) } else { (0, 0) };
        let hour = match (hour, self.afternoon()) {
            (0..=23, None) => hour,
            (1..=12, Some(afternoon)) => hour % 12 + 12 * u32::from(afternoon),
            _ => return None,
        };
        Some(i64::from(3600 * hour + 60 * minute + second) * SECOND + fraction)
    }

    /// Two digits, below 60.
    fn sixtieth(&mut self) -> Option<u32> {
        match self.number()? {
            (value @ 0..=59, 2) => Some(value),
            _ => None,
        }
    }

    /// `.` and digits, at least one, in microseconds, cut after the sixth digit; 0 without a `.`.
    fn fraction(&mut self) -> Option<i64> {
        if !self.take(b'.') {
            return Some(0);
        }
        let width = self.rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (digits, rest) = self.rest.split_at(width);
        self.rest = rest;
        let padded = digits.iter().map(|byte| i64::from(byte - b'0')).chain(std::iter::repeat(0));
        (width > 0).then(|| padded.take(6).fold(0, |micros, digit| 10 * micros + digit))
    }

    /// `AM` or `PM`, in any case, with blanks before it; nothing is taken if it is not there.
    fn afternoon(&mut self) -> Option<bool> {
        let [letter @ (b'A' | b'a' | b'P' | b'p'), b'M' | b'm', rest @ ..] = self.rest.trim_ascii_start()
        else {
            return None;
        };
        self.rest = rest;
        Some(letter.eq_ignore_ascii_case(&b'P'))
    }

    /// A run of one to four digits: value and width.
    fn number(&mut self) -> Option<(u32, usize)> {
        let width = self.rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if !(1..=4).contains(&width) {
            return None;
        }
        let (digits, rest) = self.rest.split_at(width);
        self.rest = rest;
        Some((digits.iter().fold(0, |value, byte| 10 * value + u32::from(byte - b'0')), width))
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.rest.first() == Some(&byte);
        self.rest = &self.rest[usize::from(found)..];
        found
    }

    /// A run of blanks; `false` if there is none.
    fn blanks(&mut self) -> bool {
        let before = self.rest.len();
        self.rest = self.rest.trim_ascii_start();
        self.rest.len() < before
    }
}

#[cfg(test)]
mod tests;
