//! What records weigh: the unit of the bounds of what is in flight.
//!
//! Memory is planned by bytes of text, for most of what a record takes is in proportion to its text. Not so where
//! records are short: each has room in every slot and every column, whatever it says.

/// A record weighs as many bytes of text at least. Those of most dumps have 200 to 800, Nexo's some 70.
const LEAST: u64 = 128;

/// What so many records of so many bytes of text weigh, in bytes of text of usual records.
pub fn of(records: usize, text: u64) -> u64 {
    text.max(records as u64 * LEAST)
}
