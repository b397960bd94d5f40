//! What a record that is part of a document stood in, as text that can be written round it again.
//!
//! A reject's text is the record alone. Read again, a record of a call must be one of that call, and a record that was
//! alone in its document alone. (Of XML's subs the number is not kept: it is their position.) Only round what is whole
//! by its brackets may something be written: a record that is cut off must not be closed by it.

use super::{Format, Layout, Syntax};
use crate::split::json::walk::{Walk, Walker};

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
pub fn behind(format: &Format) -> Option<String> {
    match &format.syntax {
        Syntax::Json(_) => Some("}".to_string()),
        Syntax::Xml(xml) => Some(format!("</{}>", xml.call)),
        Syntax::Csv(_) | Syntax::Ami(_) => None,
    }
}

/// Whether a text is an element from its first byte to its last, by its brackets or tags: a piece of one could become
/// another record with what stands behind it. Of lines only their reader can tell.
pub fn is_whole(format: &Format, text: &[u8]) -> bool {
    let text = text.trim_ascii();
    match &format.syntax {
        Syntax::Json(_) => Walker::default().walk(text, 0) == Walk::End(text.len()),
        Syntax::Xml(xml) => [xml.call, xml.main, xml.sub].iter().any(|name| is_element(text, name)),
        Syntax::Csv(_) | Syntax::Ami(_) => true,
    }
}

/// Whether a text begins with the start tag of that name, and ends with the end tag, or is one tag.
fn is_element(text: &[u8], name: &str) -> bool {
    let Some(rest) = text.strip_prefix(b"<").and_then(|rest| rest.strip_prefix(name.as_bytes())) else {
        return false;
    };
    let is_named = rest.first().is_some_and(|byte| matches!(byte, b'>' | b'/') || byte.is_ascii_whitespace());
    let ends =
        text.ends_with(format!("</{name}>").as_bytes()) || text.ends_with(b"/>") && !rest.contains(&b'<');
    is_named && ends
}

/// A text as it stands in an attribute.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}
