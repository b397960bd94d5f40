//! Grandstream UCM: `cdrapi?format=XML`.
//!
//! Source: UCM6xxx "CDR and REC API Guide", "XML Output": `<root>` of `<cdr session="…">`, each with a
//! `<main_cdr>` and its `<sub_cdr>`s, an element a line; UCM6100 guide, "XML": flat `<cdr>`s.
//!
//! - The guide prints `<clid>"John Doe" <1000></clid>`, which is no XML: here it is escaped.
//! - XML has no way to say most control characters: they are written as U+FFFD.
//! - The number of a sub is its place, so `sub_index` counts up from 1 whatever it was.

use super::calls::Kind;
use super::ucm::FIELDS;
use super::ucm_json::elements;
use super::{Row, Shape, Total};
use crate::schema::Column as C;

/// `cdrapi?format=XML`.
pub(super) const XML: Shape = Shape {
    format: "ucm-cdrapi-xml",
    fields: FIELDS,
    whole_calls: true,
    legs_only: false,
    total: Total::Untold,
    between: super::LINES,
    open: |_, out| out.extend_from_slice(b"<root>\n"),
    call,
    close: |_, out| out.extend_from_slice(b"</root>\n"),
};

fn call(rows: &[Row<'_>], _: u64, out: &mut Vec<u8>) {
    for element in elements(rows) {
        out.extend_from_slice(b"<cdr");
        if let Some(id) = element.rows[0].text(C::CallId) {
            out.extend_from_slice(b" session=\"");
            write_text(&id, out);
            out.push(b'"');
        }
        out.extend_from_slice(b">\n");
        for row in element.rows {
            let name = match Kind::of(row) {
                Kind::Single => None,
                Kind::Main => Some("main_cdr"),
                Kind::Sub => Some("sub_cdr"),
            };
            let tag = |open: &str, out: &mut Vec<u8>| {
                out.extend(name.into_iter().flat_map(|name| format!("<{open}{name}>\n").into_bytes()));
            };
            tag("", out);
            fields(row, out);
            tag("/", out);
        }
        out.extend_from_slice(b"</cdr>\n");
    }
}

fn fields(row: &Row<'_>, out: &mut Vec<u8>) {
    for field in FIELDS {
        let name = field.name.as_bytes();
        match field.text(row) {
            None => out.extend_from_slice(&[b"<", name, b"/>\n"].concat()),
            Some(text) => {
                out.extend_from_slice(&[b"<", name, b">"].concat());
                write_text(&text, out);
                out.extend_from_slice(&[b"</", name, b">\n"].concat());
            }
        }
    }
}

/// Appends a text, as content or between double quotes. White space that readers would change is
/// written by its number.
fn write_text(text: &str, out: &mut Vec<u8>) {
    let mut bytes = [0; 4];
    for letter in text.chars() {
        let spelt = match letter {
            '&' => "&amp;",
            '<' => "&lt;",
            '>' => "&gt;",
            '"' => "&quot;",
            '\t' => "&#9;",
            '\n' => "&#10;",
            '\r' => "&#13;",
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => "\u{fffd}",
            _ => letter.encode_utf8(&mut bytes),
        };
        out.extend_from_slice(spelt.as_bytes());
    }
}
