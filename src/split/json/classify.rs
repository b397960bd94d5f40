//! Is an object a record, or the envelope of some? Told by its keys, of which no more are read than it takes.

use memchr::memchr_iter;

use crate::format::keys::Keys;
use crate::format::{Json, Told, normalise};
use crate::json::{Fault, Members, Value, bracket_end, key_at, value_at};

/// Keys by which an object is told to be a record, of those that are not known.
const MOST_KEYS: usize = 64;

/// Bytes that are kept of what a member is called and says.
const SHOWN: usize = 1024;

/// So many members that are records under a number are told to be elements.
const SURELY: usize = 2;

/// Objects in which a record is looked for.
const MOST_OBJECTS: usize = 64;

/// What an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// A record, or a call of several.
    Record,
    /// An envelope; its elements may stand under numbers.
    Envelope { by_index: bool },
    /// Neither, as far as is known.
    Other,
    /// More text is needed to tell.
    Unknown,
}

/// What a look at an object's members has seen.
#[derive(Default)]
struct Seen {
    /// Normalised keys, and what they say: of the first members, and of all that are known.
    keys: Vec<String>,
    told: Told,
    /// A record has one of them.
    has_known: bool,
    /// Members that are records under a number.
    indexed: usize,
}

/// What the object at `at` is, which is no part of another: if nothing tells that it is an envelope, a record.
pub fn of_document(text: &[u8], at: usize, json: &Json, known: &Keys, at_end: bool) -> Class {
    let mut seen = Seen::default();
    match look(text, at, json, known, &mut seen) {
        Ok(Some(class)) => class,
        Err(Fault::Open) if !at_end => Class::Unknown,
        _ if (json.is_record)(&seen.keys) => Class::Record,
        _ if (json.is_envelope)(&seen.told) || (json.error)(&seen.told).is_some() => {
            Class::Envelope { by_index: json.by_index }
        }
        _ if seen.indexed > 0 && !seen.has_known => Class::Envelope { by_index: true },
        _ => Class::Record,
    }
}

/// What the object at `at` is, which stands where a list of records can.
pub fn of_root(text: &[u8], at: usize, json: &Json, known: &Keys, at_end: bool) -> Class {
    let mut seen = Seen::default();
    match look(text, at, json, known, &mut seen) {
        Ok(Some(class)) => class,
        Err(Fault::Open) if !at_end => Class::Unknown,
        _ if seen.has_known || (json.is_record)(&seen.keys) => Class::Record,
        _ if seen.indexed > 0 => Class::Envelope { by_index: true },
        _ => Class::Other,
    }
}

/// Looks at the members of an object up to the one that tells.
fn look(text: &[u8], at: usize, json: &Json, known: &Keys, seen: &mut Seen) -> Result<Option<Class>, Fault> {
    let mut members = Members::new(text, at);
    while let Some(next) = members.next(text)? {
        let (key, value) = key_at(text, next)?;
        let name = &text[key.start..key.end];
        let one_of = |names: &[&str]| names.iter().any(|known| known.as_bytes() == name);
        let found = value_at(text, value)?;
        let envelope = |by_index| Ok(Some(Class::Envelope { by_index }));
        match found {
            _ if is_index(name) && json.by_index => return envelope(true),
            Value::List | Value::Object if one_of(json.roots) => return envelope(json.by_index),
            Value::Object if one_of(json.wrappers) => return envelope(json.by_index),
            Value::Object if is_index(name) && is_record(text, value, json, Some(known)) => seen.indexed += 1,
            Value::List | Value::Object if is_part(name, json) => return Ok(Some(Class::Record)),
            _ => {}
        }
        // A record may have one such member; a list of records need not be short.
        if seen.indexed == SURELY && !seen.has_known {
            return envelope(true);
        }
        seen.take(name, said(text, &found), known);
        members.pass(bracket_end(text, value)?);
    }
    Ok(None)
}

/// What a value says, if it is no list or object.
fn said<'t>(text: &'t [u8], found: &Value) -> Option<&'t [u8]> {
    match found {
        Value::Text(found) => Some(&text[found.start..found.end]),
        Value::Bare(start, end) => Some(&text[*start..*end]),
        _ => None,
    }
}

impl Seen {
    fn take(&mut self, name: &[u8], said: Option<&[u8]>, known: &Keys) {
        let is_known = known.slot(name).is_some();
        self.has_known |= is_known;
        if self.keys.len() < MOST_KEYS || is_known && self.keys.len() < 2 * MOST_KEYS {
            let shown = |text: &[u8]| String::from_utf8_lossy(&text[..text.len().min(SHOWN)]).into_owned();
            let name = shown(name);
            self.keys.push(normalise(&name));
            self.told.0.push((name, said.map(shown)));
        }
    }
}

/// Whether a key is the number of an element.
pub fn is_index(name: &[u8]) -> bool {
    !name.is_empty() && name.iter().all(u8::is_ascii_digit)
}

/// Whether the object at `at` is a record, or a call of several, by its own keys; one that is `known` does.
fn is_record(text: &[u8], at: usize, json: &Json, known: Option<&Keys>) -> bool {
    let (mut keys, mut has_known) = (Vec::new(), false);
    let _ = each_key(text, at, |name, _| {
        has_known |= known.is_some_and(|known| known.slot(name.as_bytes()).is_some());
        keys.push(normalise(name));
        !has_known && keys.len() < MOST_KEYS
    });
    has_known || (json.is_record)(&keys)
}

/// Whether a record stands anywhere in the value from `at` up to `end`, as far as a look at its first objects tells.
pub fn holds_records(text: &[u8], at: usize, end: usize, json: &Json, known: Option<&Keys>) -> bool {
    let mut objects = memchr_iter(b'{', &text[at..end]).take(MOST_OBJECTS);
    objects.any(|object| is_record(&text[..end], at + object, json, known))
}

/// Whether a key is that of a record within a call.
fn is_part(name: &[u8], json: &Json) -> bool {
    let nesting = json.nesting.as_ref();
    nesting.is_some_and(|nesting| name == nesting.main.as_bytes() || name.starts_with(nesting.sub.as_bytes()))
}

/// The normalised keys of the object at `at`, as far as they can be read, and no more than so many. Of a call
/// also those of its first record.
pub fn keys(text: &[u8], at: usize, most: usize) -> Vec<String> {
    let mut keys = Vec::new();
    let mut first = None;
    let _ = each_key(text, at, |name, value| {
        keys.push(normalise(name));
        if first.is_none() && text[value] == b'{' {
            first = Some(value);
        }
        keys.len() < most
    });
    if let Some(first) = first {
        let _ = each_key(text, first, |name, _| {
            keys.push(normalise(name));
            keys.len() < 2 * most
        });
    }
    keys
}

fn each_key(text: &[u8], at: usize, mut take: impl FnMut(&str, usize) -> bool) -> Result<(), Fault> {
    let mut members = Members::new(text, at);
    while let Some(next) = members.next(text)? {
        let (key, value) = key_at(text, next)?;
        if value >= text.len() || !take(&String::from_utf8_lossy(&text[key.start..key.end]), value) {
            break;
        }
        members.pass(bracket_end(text, value)?);
    }
    Ok(())
}
