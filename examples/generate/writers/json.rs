//! A JSON object, member by member. How members are set apart is the layout's, for that is where dumps
//! differ.

use crate::text::{push_hex, push_number};

/// What stands between an object's parts.
#[derive(Clone, Copy)]
pub(super) struct Layout {
    open: &'static str,
    colon: &'static str,
    comma: &'static str,
    close: &'static str,
}

/// `{"src":"6039","dst":"6011"}`
pub(super) const COMPACT: Layout = Layout { open: "{", colon: ":", comma: ",", close: "}" };

/// `{ "src": "6039", "dst": "6011" }`
pub(super) const SPACED: Layout = Layout { open: "{ ", colon: ": ", comma: ", ", close: " }" };

/// A member a line, without indentation.
pub(super) const LINES: Layout = Layout { open: "{\n", colon: ": ", comma: ",\n", close: "\n}" };

/// Appends one object; `end` closes it.
pub(super) struct Object<'a> {
    text: &'a mut Vec<u8>,
    layout: Layout,
    first: bool,
}

impl<'a> Object<'a> {
    pub(super) fn new(layout: Layout, text: &'a mut Vec<u8>) -> Object<'a> {
        text.extend_from_slice(layout.open.as_bytes());
        Object { text, layout, first: true }
    }

    pub(super) fn text(&mut self, key: &str, value: &str) {
        self.string(key, |text| text.extend_from_slice(value.as_bytes()));
    }

    /// The same for a value that `write` appends.
    pub(super) fn string(&mut self, key: &str, write: impl FnOnce(&mut Vec<u8>)) {
        self.member(key, |text| {
            text.push(b'"');
            let from = text.len();
            write(text);
            escape_from(from, text);
            text.push(b'"');
        });
    }

    /// A string, but no member where the value is empty.
    pub(super) fn text_if_any(&mut self, key: &str, value: &str) {
        if !value.is_empty() {
            self.text(key, value);
        }
    }

    pub(super) fn number(&mut self, key: &str, value: i64) {
        self.member(key, |text| push_number(value as u64, text));
    }

    /// No member where the number is 0.
    pub(super) fn number_if_any(&mut self, key: &str, value: i64) {
        if value != 0 {
            self.number(key, value);
        }
    }

    /// A member whose value `write` appends in JSON: a number, an object.
    pub(super) fn member(&mut self, key: &str, write: impl FnOnce(&mut Vec<u8>)) {
        if !self.first {
            self.text.extend_from_slice(self.layout.comma.as_bytes());
        }
        self.first = false;
        self.text.push(b'"');
        self.text.extend_from_slice(key.as_bytes());
        self.text.push(b'"');
        self.text.extend_from_slice(self.layout.colon.as_bytes());
        write(self.text);
    }

    pub(super) fn end(self) {
        self.text.extend_from_slice(self.layout.close.as_bytes());
    }
}

fn escape_from(from: usize, text: &mut Vec<u8>) {
    if !text[from..].iter().any(|&byte| must_escape(byte)) {
        return;
    }
    let value = text.split_off(from);
    for byte in value {
        match byte {
            b'"' | b'\\' => text.extend([b'\\', byte]),
            _ if must_escape(byte) => {
                text.extend_from_slice(b"\\u");
                push_hex(u64::from(byte), 4, text);
            }
            _ => text.push(byte),
        }
    }
}

fn must_escape(byte: u8) -> bool {
    byte == b'"' || byte == b'\\' || byte < b' '
}
