//! Which JSON dump is it? Told by the keys of its first records, or, where there are none, by its envelope.

use std::sync::Arc;

use super::Detected;
use crate::format::{ALONE, Format, Json, Layout};
use crate::split::json::{Splitter, keys};
use crate::split::{BLOCK, Cut, ElementKind, Unreadable};

/// Records that are looked at.
const LOOKED_AT: usize = 64;

/// Keys that are looked at in each.
const KEYS: usize = 256;

/// What was found.
pub enum Found {
    /// A dump.
    Dump(Detected),
    /// The body of an error, for this reason.
    Error(String),
    /// JSON, but none of the dumps.
    Unknown(String),
    /// No JSON.
    NoJson,
}

/// Finds out which JSON dump `head` belongs to, if any.
pub fn detect(head: &[u8], eol: u8, candidates: &[&'static Format], asked: bool) -> Found {
    let begin = head.iter().position(|&byte| byte != 0 && !byte.is_ascii_whitespace()).unwrap_or(0);
    let text = &head[begin..];
    if !matches!(text.first(), Some(b'{' | b'[')) && !text.starts_with(b"HTTP/") {
        return Found::NoJson;
    }
    let dump = |format, seen: &[String]| {
        let layout = Arc::new(Layout::keyed(format, eol, seen));
        Found::Dump(Detected { layout, body: 0, above: Vec::new() })
    };
    let mut unknown = Found::NoJson;
    for (format, json) in candidates.iter().filter_map(|format| Some((*format, format.json()?))) {
        let heard = hear(head, json);
        if !asked && is_own_output(&heard.first_keys) {
            return Found::Unknown("rows that calltable wrote, and no dump".to_string());
        }
        if heard.is_record || (asked && heard.records > 0) {
            return dump(format, &heard.keys);
        }
        if let Some(message) = heard.error {
            return Found::Error(message);
        }
        if heard.records == 0 && (asked || heard.is_envelope) {
            return dump(format, &[]);
        }
        if matches!(unknown, Found::NoJson) {
            let shown: String = heard.first_keys.join(", ").chars().take(300).collect();
            unknown = Found::Unknown(match shown.is_empty() {
                true => "JSON, but no record of a known dump is at its beginning".to_string(),
                false => format!("JSON, but none of the known dumps: its first object has {shown}"),
            });
        }
    }
    unknown
}

/// Whether these are the keys of our own rows, which are named like a dump's.
fn is_own_output(keys: &[String]) -> bool {
    ["sourceoffset", "recordkind"].iter().all(|name| keys.iter().any(|key| key == name))
}

/// What the beginning of a dump says, read as this format.
struct Heard {
    is_record: bool,
    is_envelope: bool,
    error: Option<String>,
    records: usize,
    /// The normalised keys of its first records, and those of the first alone.
    keys: Vec<String>,
    first_keys: Vec<String>,
}

fn hear(head: &[u8], json: &'static Json) -> Heard {
    let mut splitter = Splitter::new(json);
    let near = &head[..head.len().min(BLOCK)];
    let mut cut = splitter.cut(near, near.len() == head.len());
    let is_short = !matches!(&cut, Cut::Elements(_, elements) if !elements.is_empty());
    if is_short && near.len() < head.len() {
        splitter = Splitter::new(json);
        cut = splitter.cut(head, true);
    }
    let elements = if let Cut::Elements(_, elements) = cut { elements } else { Vec::new() };
    // One that the head, or the dump, ends within has keys, too.
    let is_good = |kind: ElementKind| !matches!(kind, ElementKind::Bad(why) if why != Unreadable::Truncated);
    let good = || elements.iter().filter(|element| is_good(element.kind)).take(LOOKED_AT);
    let of_each: Vec<Vec<String>> = good().map(|element| keys(head, element.start as usize, KEYS)).collect();
    let (_, told, error) = splitter.heard();
    let mut all = of_each.concat();
    let is_alone = good().next().is_some_and(|element| element.kind == ElementKind::Alone);
    all.extend(is_alone.then(|| ALONE.to_string()));
    all.sort_unstable();
    all.dedup();
    Heard {
        is_record: of_each.iter().any(|keys| (json.is_record)(keys)),
        is_envelope: (json.is_envelope)(&told),
        error,
        records: elements.len(),
        first_keys: of_each.first().cloned().unwrap_or_default(),
        keys: all,
    }
}
