//! The members of envelopes, one by one: lists of records, other envelopes, what is said of all records.
//!
//! What holds no record is passed over. Records that stand where no dump has any are not lost with it: such a member
//! is rejected.

use super::classify::{Class, holds_records, is_index, of_root};
use super::walk::{Walk, Walker};
use super::{DEEPEST, Next, Open, Step};
use crate::format::keys::Keys;
use crate::json::{Fault, Value, key_at, value_at};
use crate::split::ElementKind;

impl Step<'_> {
    /// A member of an envelope.
    pub(super) fn member(&mut self, at: usize) -> Next {
        let text = self.text;
        let (key, value) = match key_at(text, at) {
            Ok(found) => found,
            Err(Fault::Open) => return self.unfinished(at),
            Err(_) => return self.junk(at),
        };
        let name = &text[key.start..key.end];
        let one_of = |names: &[&str]| names.iter().any(|known| known.as_bytes() == name);
        let (is_root, is_wrapper) = (one_of(self.json.roots), one_of(self.json.wrappers));
        let (prefix, by_index) = match self.known.open.last() {
            Some(Open::Envelope { prefix, by_index }) => (prefix.as_str(), *by_index && is_index(name)),
            _ => ("", false),
        };
        let name = format!("{prefix}{}", String::from_utf8_lossy(name));
        match value_at(text, value) {
            Ok(Value::Object) if by_index => {
                self.known.next_is = Some(ElementKind::Whole);
                Next::Passed(value)
            }
            Ok(_) if by_index => self.no_record(value),
            Ok(Value::List) if is_root => {
                self.known.tell(name, None);
                self.known.open.push(Open::List);
                Next::Passed(value + 1)
            }
            Ok(Value::Object) if is_root => self.root(name, value),
            Ok(Value::Object) if is_wrapper => self.envelope(format!("{name}."), name, value, false),
            Ok(Value::Text(found)) if is_root && is_list_in_a_text(&text[found.start..found.end]) => {
                self.no_record(value)
            }
            Ok(Value::List | Value::Object) => self.pass_member(name, value, None),
            Ok(Value::Text(found)) => {
                self.known.tell(name, Some(&text[found.start..found.end]));
                Next::Passed(found.next())
            }
            Ok(Value::Null(end) | Value::Bare(_, end)) if end == text.len() && !self.at_end => Next::More,
            Ok(Value::Null(end)) => {
                self.known.tell(name, None);
                Next::Passed(end)
            }
            Ok(Value::Bare(start, end)) => {
                self.known.tell(name, Some(&text[start..end]));
                Next::Passed(end)
            }
            Err(Fault::Open) => self.unfinished(at),
            Err(_) => self.junk(at),
        }
    }

    /// An object that stands where a list of records can.
    fn root(&mut self, name: String, value: usize) -> Next {
        match of_root(self.text, value, self.json, self.keys, self.at_end) {
            Class::Unknown => Next::More,
            Class::Record => {
                self.known.tell(name, None);
                // The only one of its document, but where records stand under numbers.
                let kind = if self.json.by_index { ElementKind::Whole } else { ElementKind::Alone };
                self.known.next_is = Some(kind);
                Next::Passed(value)
            }
            Class::Envelope { by_index } => {
                // What is said among records that stand under numbers is said of all.
                let prefix = if self.json.by_index { String::new() } else { format!("{name}.") };
                self.envelope(prefix, name, value, by_index)
            }
            Class::Other => self.pass_member(name, value, Some(self.keys)),
        }
    }

    /// An envelope within another, of that name; what it says is told behind the prefix.
    fn envelope(&mut self, prefix: String, name: String, value: usize, by_index: bool) -> Next {
        if self.known.open.len() >= DEEPEST {
            return self.pass_member(name, value, None);
        }
        self.known.tell(name, None);
        self.known.open.push(Open::Envelope { prefix, by_index });
        Next::Passed(value + 1)
    }

    /// A member that says nothing that is known; records in it are such as nobody can tell how to read.
    fn pass_member(&mut self, name: String, value: usize, known: Option<&Keys>) -> Next {
        match Walker::default().walk(self.text, value) {
            Walk::End(end) if holds_records(self.text, value, end, self.json, known) => self.no_record(value),
            Walk::End(end) => {
                self.known.tell(name, None);
                Next::Passed(end)
            }
            Walk::Open => self.unfinished(value),
            Walk::Broken { .. } | Walk::TooDeep(_) => self.junk(value),
        }
    }

    /// The text ends within a member of an envelope, which begins at `at`.
    fn unfinished(&mut self, at: usize) -> Next {
        match self.at_end {
            false => Next::More,
            true if self.known.by_index() => self.truncated(at),
            true => Next::Passed(self.text.len()),
        }
    }
}

/// Whether records may have been written into a text, brackets and all.
fn is_list_in_a_text(text: &[u8]) -> bool {
    matches!(text.trim_ascii_start().first(), Some(b'[' | b'{')) && text.contains(&b'"')
}
