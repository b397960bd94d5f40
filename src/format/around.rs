//! What a record that is part of a document stood in, as text that can be written round it again.
//!
//! A reject's text is the record alone. Read again, a record of a call must be one of that call, and a record that was
//! alone in its document alone. (Of XML's subs the number is not kept: it is their position.) Only round what is whole
//! by its brackets may something be written: a record that is cut off must not be closed by it.

use super::{Format, Layout, Syntax};

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

/// A text as it stands in an attribute.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}
