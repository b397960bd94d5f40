//! A CSV record, field by field. Each field says how it is quoted, for that is where dumps differ.

use crate::text::{push_number, push_time};

/// Appends one record; `end` ends its line.
pub(super) struct Record<'a> {
    text: &'a mut Vec<u8>,
    first: bool,
}

impl<'a> Record<'a> {
    pub(super) fn new(text: &'a mut Vec<u8>) -> Record<'a> {
        Record { text, first: true }
    }

    /// Quoted where it holds a comma or a quote.
    pub(super) fn text(&mut self, value: &str) {
        self.field(|text| text.extend_from_slice(value.as_bytes()));
    }

    /// The same for a value that `write` appends.
    pub(super) fn field(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        let from = self.raw(write);
        if self.text[from..].iter().any(|&byte| byte == b',' || byte == b'"') {
            self.quote_from(from);
        }
    }

    /// Always quoted.
    pub(super) fn quoted(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        let from = self.raw(write);
        self.quote_from(from);
    }

    /// Never quoted; returns where the value begins.
    pub(super) fn raw(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> usize {
        if !self.first {
            self.text.push(b',');
        }
        self.first = false;
        let from = self.text.len();
        write(self.text);
        from
    }

    pub(super) fn number(&mut self, value: i64) {
        self.raw(|text| push_number(value as u64, text));
    }

    /// `2024-05-17 12:34:56`, or nothing.
    pub(super) fn time(&mut self, seconds: Option<i64>) {
        self.raw(|text| seconds.into_iter().for_each(|seconds| push_time(seconds, text)));
    }

    pub(super) fn empty(&mut self) {
        self.raw(|_| {});
    }

    pub(super) fn end(self) {
        self.text.push(b'\n');
    }

    fn quote_from(&mut self, from: usize) {
        let value = self.text.split_off(from);
        self.text.push(b'"');
        for part in value.split_inclusive(|&byte| byte == b'"') {
            self.text.extend_from_slice(part);
            if part.ends_with(b"\"") {
                self.text.push(b'"');
            }
        }
        self.text.push(b'"');
    }
}
