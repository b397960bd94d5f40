//! Is it a capture of Asterisk's manager connection? Told by its banner, or by its first two lines.

use std::ops::Range;
use std::sync::Arc;

use super::{Detected, bare};
use crate::format::{Ami, Format, Layout};
use crate::split::ami::key_and_value;

/// Keys that a block begins with, besides the event's.
const FIRST: &[&[u8]] = &[b"Response", b"Action"];

/// Finds out whether a dump with these first lines is one; of the format that was asked for any lines are.
pub fn detect(
    head: &[u8],
    lines: &[Range<usize>],
    eol: u8,
    candidates: &[&'static Format],
    asked: bool,
) -> Option<Detected> {
    let (format, ami) = candidates.iter().find_map(|format| Some((*format, format.ami()?)))?;
    let said = |line: &Range<usize>| bare(&head[line.clone()], eol);
    let mut said = lines.iter().map(said).filter(|line| !line.trim_ascii().is_empty());
    let (first, second) = (said.next()?, said.next());
    if !asked && !begins(first, second, ami) {
        return None;
    }
    let layout = Arc::new(Layout::keyed(format, eol, &[]));
    Some(Detected { layout, body: 0, above: Vec::new() })
}

fn begins(first: &[u8], second: Option<&[u8]>, ami: &Ami) -> bool {
    let key = |line: &[u8]| key_and_value(line, b'\n').map(|(key, _)| line[key].to_vec());
    let is_first = |key: Vec<u8>| key == ami.event.as_bytes() || FIRST.contains(&&key[..]);
    first.starts_with(ami.banner.as_bytes())
        || (key(first).is_some_and(is_first) && second.is_none_or(|line| key(line).is_some()))
}
