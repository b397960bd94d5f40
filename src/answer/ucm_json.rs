//! Grandstream UCM: `cdrapi?format=json`.
//!
//! Source: UCM6xxx "CDR and REC API Guide", "JSON Output". All values are texts, and what a record does
//! not have is the empty one. A call of main and sub records is one object of objects, a single record
//! stands flat; both begin with `cdr`, the call's id. Several single records of one call stand one
//! after another, as they came: nothing is totalled here.

use super::calls::{Kind, Last};
use super::ucm::FIELDS;
use super::{Row, Shape, Total};
use crate::schema::Column as C;
use crate::sink::text_jsonl::write_text;

/// `cdrapi?format=json`.
pub(super) const JSON: Shape = Shape {
    format: "ucm-cdrapi-json",
    fields: FIELDS,
    whole_calls: true,
    legs_only: false,
    total: Total::Untold,
    between: super::LIST,
    open: |_, out| out.extend_from_slice(b"{\"cdr_root\":["),
    call,
    close: |facts, out| out.extend_from_slice(if facts.answered > 0 { b"\n]}\n" } else { b"]}\n" }),
};

fn call(rows: &[Row<'_>], _: u64, out: &mut Vec<u8>) {
    for (at, element) in elements(rows).enumerate() {
        if at > 0 {
            out.extend_from_slice(b",\n");
        }
        out.push(b'{');
        let id = element.rows[0].text(C::CallId);
        if let Some(id) = &id {
            out.extend_from_slice(b"\"cdr\":");
            write_text(id, out);
        }
        match element.nested {
            false => members(&element.rows[0], id.is_some(), out),
            true => nested(element.rows, id.is_some(), out),
        }
        out.push(b'}');
    }
}

/// `"main_cdr":{…},"sub_cdr_1":{…}`; a sub keeps its number where that is free.
fn nested(rows: &[Row<'_>], mut after: bool, out: &mut Vec<u8>) {
    let mut number = 0;
    for row in rows {
        if std::mem::replace(&mut after, true) {
            out.push(b',');
        }
        let name = match Kind::of(row) {
            Kind::Main => "main_cdr".to_string(),
            _ => {
                number = row.number(C::SubIndex).unwrap_or(0).max(number + 1);
                format!("sub_cdr_{number}")
            }
        };
        write_text(&name, out);
        out.extend_from_slice(b":{");
        members(row, false, out);
        out.push(b'}');
    }
}

fn members(row: &Row<'_>, mut after: bool, out: &mut Vec<u8>) {
    for field in FIELDS {
        if std::mem::replace(&mut after, true) {
            out.push(b',');
        }
        write_text(field.name, out);
        out.push(b':');
        write_text(field.text(row).as_deref().unwrap_or_default(), out);
    }
}

/// Records that stand in one object or element.
pub(super) struct Element<'r, 'a> {
    pub(super) rows: &'r [Row<'a>],
    pub(super) nested: bool,
}

/// The rows of a call as elements: a single alone; a main with the subs behind it, or subs alone.
pub(super) fn elements<'r, 'a>(rows: &'r [Row<'a>]) -> impl Iterator<Item = Element<'r, 'a>> {
    let elements = rows.chunk_by(|row, next| Last::of(row).is_nested_with(&Last::of(next)));
    elements.map(|rows| Element { rows, nested: Kind::of(&rows[0]) != Kind::Single })
}
