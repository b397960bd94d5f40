//! A call that is too large to be an element: its records are given out one by one.
//!
//! A call may have any number of subs, and is framed as a whole, for its id and the order of its subs count for
//! all of them. Only one longer than a record may be is opened like an envelope. Then its id must stand before its
//! records, these stand in the order of the text, and what it says besides is rejected, so that it is not lost.

use super::{Next, Open, Step};
use crate::json::{Fault, Members, Value, key_at, unescape, value_at, value_end};
use crate::split::{ElementKind, Unreadable};

impl Step<'_> {
    /// Opens the element that the text begins with, if it is a call; comes back with where its first record's key
    /// begins.
    pub(super) fn open_call(&mut self) -> Option<usize> {
        let nesting = self.json.nesting.as_ref()?;
        let text = self.text;
        if text.first() != Some(&b'{') {
            return None;
        }
        let mut members = Members::new(text, 0);
        let mut id = Vec::new();
        while let Some(at) = members.next(text).ok()? {
            let (key, value) = key_at(text, at).ok()?;
            let name = &text[key.start..key.end];
            match value_at(text, value).ok()? {
                Value::Object | Value::List if nesting.number(name).is_some() => {
                    self.known.open.push(Open::Call(1));
                    self.known.call = id;
                    return Some(at);
                }
                Value::Text(found) if name == nesting.group.as_bytes() => {
                    unescape(&text[found.start..found.end], &mut id).ok()?;
                    members.pass(found.next());
                }
                _ => return None,
            }
        }
        None
    }

    /// A member of such a call.
    pub(super) fn part(&mut self, at: usize, next: u64) -> Next {
        let text = self.text;
        let (key, value) = match key_at(text, at) {
            Ok(found) => found,
            Err(Fault::Open) if !self.at_end => return Next::More,
            Err(_) => return self.junk(at),
        };
        let nesting = self.json.nesting.as_ref();
        let number = nesting.and_then(|nesting| nesting.number(&text[key.start..key.end]));
        match (value_at(text, value), number) {
            (Ok(Value::Object), Some(None)) => self.next_part(value, None),
            (Ok(Value::Object), Some(Some(number))) => {
                let number = number.unwrap_or(next);
                if let Some(open) = self.known.open.last_mut() {
                    *open = Open::Call(number.saturating_add(1));
                }
                self.next_part(value, Some(number))
            }
            (Ok(Value::List), Some(Some(number))) => {
                self.known.open.push(Open::Subs(number.unwrap_or(next)));
                Next::Passed(value + 1)
            }
            (Err(Fault::Open), _) if !self.at_end => Next::More,
            _ => match value_end(text, value, 0) {
                Ok(end) if end == text.len() && !self.at_end => Next::More,
                Ok(end) => self.found(at..end, ElementKind::Bad(Unreadable::NotARecord), end),
                Err(Fault::Open) if !self.at_end => Next::More,
                Err(_) => self.junk(at),
            },
        }
    }

    /// A sub in a list of them.
    pub(super) fn listed_part(&mut self, at: usize, number: u64) -> Next {
        if let Some(open) = self.known.open.last_mut() {
            *open = Open::Subs(number.saturating_add(1));
        }
        self.next_part(at, Some(number))
    }

    /// The object at `at` is a record of the call.
    fn next_part(&mut self, at: usize, number: Option<u64>) -> Next {
        self.known.next_is = Some(ElementKind::Part(number));
        Next::Passed(at)
    }
}
