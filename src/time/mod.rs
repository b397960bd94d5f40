//! Times, as phone systems write them: from a few bytes of text to microseconds.
//!
//! Pure functions over bytes and numbers. This module knows no record, no column, no vendor and
//! no file; it never panics, whatever the bytes, and it never guesses: a text is a time of one of
//! the known shapes, or nothing (empty, a zero date, a dash), or an error.
//!
//! A PBX writes what its clock on the wall showed, so reading is done in two steps that know
//! nothing of each other:
//!
//! ```text
//!  "5/6/2024 1:30 AM" ──read_time──▶ Clock ──ZoneClock──▶ instant (UTC)
//!                          ▲                     ▲
//!               DateOrder (OrderVote)     Zone (or auto_offset, row by row)
//! ```
//!
//! Everywhere in here *wall-clock* is a count of microseconds from 1970-01-01T00:00 to the time as
//! written, as if that were UTC; an *instant* is the same count on the world's time line; an
//! *epoch* is an instant in whole seconds; an *offset* is in seconds, east of Greenwich positive.

mod chart;
mod civil;
mod duration;
mod epoch;
mod instant;
mod order;
mod read;
mod zone;

pub use civil::{civil_from_days, days_from_civil};
pub use duration::read_seconds;
pub use epoch::{auto_offset, epoch_of_id};
pub use instant::{DstNote, Resolved, ZoneClock};
pub use order::{DateOrder, Evidence, OrderVote, Verdict, order_evidence};
pub(crate) use read::Usual;
pub use read::{Clock, TimeError, read_time};
pub use zone::{IanaZone, Zone};

/// Microseconds in a second.
const SECOND: i64 = 1_000_000;

/// What the documents, and so some dumps, print for "nothing": an em dash.
const EM_DASH: &[u8] = "—".as_bytes();

/// The digit's value, if the byte is one.
fn digit(byte: u8) -> Option<u32> {
    byte.is_ascii_digit().then(|| u32::from(byte - b'0'))
}
