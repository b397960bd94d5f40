//! A rejected record as one line of JSON, with all that is needed to read it again.
//!
//! Knows how a reject is written; must not know why a record was rejected, nor where the line goes.
//! A rejects file is itself an input, so `raw` is the record's own bytes: as text where they are
//! UTF-8, else in base64.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::ser::{Serialize, SerializeMap, Serializer};

/// One line of a rejects file. The fields stand in the order of the line.
#[derive(Clone, Copy, Debug)]
pub struct RejectLine<'a> {
    /// The input, as the user named it; `archive!member` for archives.
    pub source: &'a str,
    /// Name of the dump's format.
    pub format: &'a str,
    /// Number of the record in its input, from 1, rejected ones counted.
    pub record: u64,
    /// Line of the record's first byte, from 1.
    pub line: u64,
    /// Offset of the record's first byte in the decompressed dump, from 0.
    pub offset: u64,
    /// How many bytes the record has in the dump, even where `raw` is cut.
    pub length: u64,
    /// The reason's short name.
    pub reason: &'a str,
    /// The dump's own name of the field concerned.
    pub field: Option<&'a str>,
    /// A sentence for people.
    pub message: &'a str,
    /// The header of the CSV that the record comes from; else what is written before the record where its text alone
    /// does not tell what it is.
    pub header: Option<&'a str>,
    /// The record, or its beginning.
    pub raw: &'a [u8],
    /// Whether `raw` is only the record's beginning.
    pub raw_cut: bool,
}

/// Appends the reject's line, its line feed included.
pub fn write_line(reject: &RejectLine<'_>, out: &mut Vec<u8>) {
    serde_json::to_writer(&mut *out, reject).expect("memory takes every line, and all keys are text");
    out.push(b'\n');
}

impl Serialize for RejectLine<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut line = serializer.serialize_map(None)?;
        line.serialize_entry("source", self.source)?;
        line.serialize_entry("format", self.format)?;
        line.serialize_entry("record", &self.record)?;
        line.serialize_entry("line", &self.line)?;
        line.serialize_entry("offset", &self.offset)?;
        line.serialize_entry("length", &self.length)?;
        line.serialize_entry("reason", self.reason)?;
        line.serialize_entry("field", &self.field)?;
        line.serialize_entry("message", self.message)?;
        line.serialize_entry("header", &self.header)?;
        match text(self.raw, self.raw_cut) {
            Some(raw) => line.serialize_entry("raw", raw)?,
            None => line.serialize_entry("raw_base64", &STANDARD.encode(self.raw))?,
        }
        if self.raw_cut {
            line.serialize_entry("raw_cut", &true)?;
        }
        line.end()
    }
}

/// The bytes as text, if they are. A cut amid a character does not make text bytes: it ends before
/// that character.
fn text(raw: &[u8], cut: bool) -> Option<&str> {
    match std::str::from_utf8(raw) {
        Ok(text) => Some(text),
        Err(e) if cut && e.error_len().is_none() => std::str::from_utf8(&raw[..e.valid_up_to()]).ok(),
        Err(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REJECT: RejectLine<'_> = RejectLine {
        source: "a.tar!b.csv",
        format: "ucm-cdrapi-csv",
        record: 7,
        line: 9,
        offset: 1234,
        length: 5,
        reason: "bad-time",
        field: Some("start"),
        message: "no time",
        header: Some("a,\"b\""),
        raw: b"x,\"y\"",
        raw_cut: false,
    };

    /// The line from `field` on, which is where rejects differ.
    fn check(reject: RejectLine<'_>, expected: &str) {
        let mut out = Vec::new();
        write_line(&reject, &mut out);
        let line = std::str::from_utf8(&out).unwrap();
        assert_eq!(&line[line.find(r#""field""#).unwrap()..], format!("{expected}}}\n"));
        serde_json::from_str::<serde_json::Value>(line).unwrap();
    }

    #[test]
    fn keys_stand_in_the_order_of_the_contract() {
        let mut out = Vec::new();
        write_line(&REJECT, &mut out);
        let expected = concat!(
            r#"{"source":"a.tar!b.csv","format":"ucm-cdrapi-csv","record":7,"line":9,"offset":1234,"length":5,"#,
            r#""reason":"bad-time","field":"start","message":"no time","header":"a,\"b\"","raw":"x,\"y\""}"#,
            "\n"
        );
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn what_is_not_there_is_null() {
        let reject = RejectLine { field: None, header: None, ..REJECT };
        check(reject, r#""field":null,"message":"no time","header":null,"raw":"x,\"y\"""#);
    }

    #[test]
    fn a_record_of_several_lines_is_one_line() {
        let reject = RejectLine { field: None, header: None, raw: b"a\r\nb\0\tc", ..REJECT };
        check(reject, r#""field":null,"message":"no time","header":null,"raw":"a\r\nb\u0000\tc""#);
    }

    #[test]
    fn bytes_that_are_no_text_are_base64() {
        let reject = RejectLine { field: None, header: None, raw: b"a\xff,b", ..REJECT };
        check(reject, r#""field":null,"message":"no time","header":null,"raw_base64":"Yf8sYg==""#);
    }

    #[test]
    fn a_cut_is_told() {
        let reject = RejectLine { field: None, header: None, raw: b"abc", raw_cut: true, ..REJECT };
        check(reject, r#""field":null,"message":"no time","header":null,"raw":"abc","raw_cut":true"#);
    }

    #[test]
    fn a_cut_amid_a_character_ends_before_it() {
        let reject = RejectLine { field: None, header: None, raw: b"ab\xe4\xbd", raw_cut: true, ..REJECT };
        check(reject, r#""field":null,"message":"no time","header":null,"raw":"ab","raw_cut":true"#);
    }

    #[test]
    fn a_whole_record_that_ends_amid_a_character_is_base64() {
        let reject = RejectLine { field: None, header: None, raw: b"ab\xe4\xbd", ..REJECT };
        check(reject, r#""field":null,"message":"no time","header":null,"raw_base64":"YWLkvQ==""#);
    }
}
