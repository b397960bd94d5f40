//! What a record that is part of a document stood in, as text that can be written round it again.
//!
//! A reject's text is the record alone. Read again, a record of a call must be one of that call, and a record that was
//! alone in its document alone. (Of XML's subs the number is not kept: it is their position.)

use super::{Format, Layout, Syntax};

/// What is written before a record so that it is what it was; nothing where its own text tells. `part` says of which
/// call it is a record, and, if it is a sub, its number.
pub fn before(layout: &Layout, part: Option<(&str, Option<u64>)>) -> Option<String> {
    match &layout.format.syntax {
        Syntax::Json(json) => match (part, &json.nesting) {
            (Some((call, number)), Some(nesting)) => {
                let key =
                    number.map_or(nesting.main.to_string(), |number| format!("{}_{number}", nesting.sub));
                let id = serde_json::Value::from(call);
                let id = if call.is_empty() { String::new() } else { format!("\"{}\":{id},", nesting.group) };
                Some(format!("{{{id}\"{key}\":"))
            }
            _ if layout.is_alone() => Some(format!("{{\"{}\":", json.roots.first()?)),
            _ => None,
        },
        Syntax::Xml(xml) => part.map(|(call, _)| match call.is_empty() {
            true => format!("<{}>", xml.call),
            false => format!("<{} {}=\"{}\">", xml.call, xml.id, escaped(call)),
        }),
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
