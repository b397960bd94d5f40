//! What a record that is part of a document stood in, as text that can be written round it again.
//!
//! A reject's text is the record alone; what it stood in goes to the rejects with it. Read again, a record of a call must be one of that call, and a record that was
//! alone in its document alone. (Of XML's subs the number is not kept: it is their position.) Only round what is whole
//! by its brackets may something be written: a record that is cut off must not be closed by it.

use memchr::memchr2;

use crate::format::{Format, Layout, Syntax, by_name};
use crate::frame::Reason;
use crate::split::json::walk::{Walk, Walker};
use crate::xml::name_end;

/// The id of a call has so many bytes at most, else it is not written round its records: each repeats it.
const LONGEST_ID: usize = 128;

/// What is written before a record that is alone in its document, so that it is that again.
pub fn alone(layout: &Layout) -> Option<String> {
    let json = layout.format.json().filter(|_| layout.is_alone())?;
    Some(format!("{{\"{}\":", json.roots.first()?))
}

/// What is written before a record of a call: a sub by its number, else the main one.
pub fn of_call(format: &Format, id: &str, number: Option<u64>) -> Option<String> {
    let id = Some(id).filter(|id| !id.is_empty() && id.len() <= LONGEST_ID);
    match &format.syntax {
        Syntax::Json(json) => {
            let nesting = json.nesting.as_ref()?;
            let key = match number {
                Some(number) => format!("{}_{number}", nesting.sub),
                None => nesting.main.to_string(),
            };
            let id = id.map(|id| format!("\"{}\":{},", nesting.group, serde_json::Value::from(id)));
            Some(format!("{{{}\"{key}\":", id.unwrap_or_default()))
        }
        Syntax::Xml(xml) => {
            let id = id.map(|id| format!(" {}=\"{}\"", xml.id, escaped(id)));
            Some(format!("<{}{}>", xml.call, id.unwrap_or_default()))
        }
        Syntax::Csv(_) | Syntax::Ami(_) => None,
    }
}

/// What is written behind a record that such a text stands before; nothing in a format in which it is a header.
fn behind(format: &Format) -> Option<String> {
    match &format.syntax {
        Syntax::Json(_) => Some("}".to_string()),
        Syntax::Xml(xml) => Some(format!("</{}>", xml.call)),
        Syntax::Csv(_) | Syntax::Ami(_) => None,
    }
}

/// A reject as a piece of a dump.
pub struct Piece {
    /// The dump's header, where it has one.
    pub header: Option<String>,
    /// Ends the dump's lines.
    pub eol: u8,
    /// What stands in the dump; nothing where the record is not whole.
    pub text: Option<Vec<u8>>,
}

impl Piece {
    /// A record that was rejected under a format and a header, for that reason.
    pub fn new(format: &str, reason: &str, header: Option<String>, raw: Option<Vec<u8>>) -> Piece {
        let format = by_name(format);
        let behind = format.and_then(behind);
        let is_event = format.is_some_and(|format| format.ami().is_some());
        let eol = raw.as_deref().filter(|_| is_event).map_or(b'\n', eol_of);
        let (header, before) = if behind.is_none() { (header, None) } else { (None, header) };
        let (before, behind) = before.zip(behind).unwrap_or_default();
        let whole = raw.filter(|raw| format.is_none_or(|format| is_whole(format, raw)));
        let text = whole.map(|raw| {
            let mut text = [before.as_bytes(), &raw, behind.as_bytes(), &[eol]].concat();
            // What was cut off must not be ended by a blank line.
            text.extend((reason != Reason::Truncated.name()).then_some(eol));
            text
        });
        Piece { header, eol, text }
    }
}

/// What ends the first line of an event.
fn eol_of(event: &[u8]) -> u8 {
    match memchr2(b'\r', b'\n', event) {
        Some(end) if event[end] == b'\r' && event.get(end + 1) != Some(&b'\n') => b'\r',
        _ => b'\n',
    }
}

/// Whether a text is an element from its first byte to its last, by its brackets or tags: a piece of one could become
/// another record with what stands behind it. Of lines only their reader can tell.
fn is_whole(format: &Format, text: &[u8]) -> bool {
    let text = text.trim_ascii();
    match &format.syntax {
        Syntax::Json(_) => Walker::default().walk(text, 0) == Walk::End(text.len()),
        Syntax::Xml(xml) => is_element(text, &[xml.call, xml.main, xml.sub]),
        Syntax::Csv(_) | Syntax::Ami(_) => true,
    }
}

/// Whether a text begins with the start tag of one of these names, and ends with its end tag, or is one tag.
fn is_element(text: &[u8], names: &[&str]) -> bool {
    let name = &text[..name_end(text, 1).min(text.len())];
    let Some(name) = name.strip_prefix(b"<").filter(|own| names.iter().any(|name| name.as_bytes() == *own))
    else {
        return false;
    };
    let is_one_tag = text.ends_with(b"/>") && !text[1..].contains(&b'<');
    is_one_tag || text.ends_with(&[b"</", name, b">"].concat())
}

/// A text as it stands in an attribute.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}
