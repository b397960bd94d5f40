//! What the PBX would have answered: rows of the unified table as bytes in a vendor's own shape.
//!
//! ```text
//!  RecordBatch ──▶ Table ──▶ Row ──▶ Field::write ──▶ open(facts) call call … close(facts)
//!                  (typed)           (one table a vendor)    (one syntax a shape)
//! ```
//!
//! It knows the unified schema and what vendors write; it must not know files, requests or filters,
//! nor which rows are wanted. A [`Shape`] is data: its fields in order, and three functions that put
//! an answer together. What another vendor's record has and a shape has no field for is not in the
//! answer; each vendor's file says what that is. Reading an answer back with `convert` gives the same
//! values in every column that [`Shape::columns`] lists.

mod calls;
mod csv;
mod kazoo;
mod nexo;
mod row;
mod spell;
mod ucm;
mod ucm_json;
mod ucm_web;
mod ucm_xml;
mod yeastar;

use crate::schema::Column;

pub(crate) use calls::{Last, beginnings};
pub(crate) use row::{Row, Table};

/// A vendor's way to answer.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// The name of the format that reads it.
    pub format: &'static str,
    /// What a record has, in order.
    fields: &'static [Field],
    /// Whether records of one call stand together, and a call is answered whole.
    pub whole_calls: bool,
    /// Whether a call's main record, which totals its legs, has no place in it.
    pub legs_only: bool,
    /// What of the counts an answer tells, and where.
    pub total: Total,
    /// What stands before the first call, and between two.
    between: [&'static str; 2],
    open: fn(&Facts, &mut Vec<u8>),
    /// Appends a call (a row, where calls are not whole), which is the n-th of this answer, from 0.
    call: fn(&[Row<'_>], u64, &mut Vec<u8>),
    close: fn(&Facts, &mut Vec<u8>),
}

/// Whether an answer tells how many records match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Total {
    /// It does not: whoever has the last record can stop.
    Untold,
    /// Behind the records.
    Behind,
    /// Before the first record, so that all are counted before anything is written.
    Before,
}

/// What an answer tells besides its records.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// How many records match, on all pages; known only where [`Total`] asks for it.
    pub matched: u64,
    /// How many records are answered.
    pub answered: u64,
    /// How many a page has at most, where the answer is one.
    pub page_size: Option<u64>,
    /// What to ask for to get the next page, where there is one.
    pub next: Option<String>,
    /// What was asked, where the answer says so.
    pub asked: Vec<(&'static str, String)>,
}

/// Records as lines, without anything between.
const LINES: [&str; 2] = ["", ""];
/// Records as the values of a list, a line each.
const LIST: [&str; 2] = ["\n", ",\n"];

/// A field of a vendor's record.
#[derive(Clone, Copy, Debug)]
struct Field {
    name: &'static str,
    take: Take,
}

/// Where a field's value comes from.
#[derive(Clone, Copy, Debug)]
enum Take {
    /// A column, as text.
    Column(Column),
    /// What `extra` has under the field's name.
    Extra,
    /// A text that is made of these columns.
    Made(&'static [Column], fn(&Row<'_>) -> Option<String>),
}

const fn column(name: &'static str, column: Column) -> Field {
    Field { name, take: Take::Column(column) }
}

const fn extra(name: &'static str) -> Field {
    Field { name, take: Take::Extra }
}

const fn made(name: &'static str, columns: &'static [Column], make: fn(&Row<'_>) -> Option<String>) -> Field {
    Field { name, take: Take::Made(columns, make) }
}

impl Field {
    /// The field's text in a row; nothing where the row has none.
    fn text<'a>(&self, row: &Row<'a>) -> Option<std::borrow::Cow<'a, str>> {
        match self.take {
            Take::Column(column) => row.text(column),
            Take::Extra => row.extra(self.name),
            Take::Made(_, make) => make(row).map(Into::into),
        }
    }
}

impl Shape {
    /// The UCM's `cdrapi?format=csv`.
    pub const UCM_CSV: Shape = ucm::CSV;
    /// The UCM's `cdrapi?format=xml`.
    pub const UCM_XML: Shape = ucm_xml::XML;
    /// The UCM's `cdrapi?format=json`.
    pub const UCM_JSON: Shape = ucm_json::JSON;
    /// The download of the UCM's web page.
    pub const UCM_WEB_CSV: Shape = ucm_web::CSV;
    /// Nexo's CGI 9006.
    pub const NEXO_JSON: Shape = nexo::JSON;
    /// Nexo's CGI 9005, the download.
    pub const NEXO_CSV: Shape = nexo::CSV;
    /// Nexo's CGI 20053, the recordings.
    pub const NEXO_RECORDINGS: Shape = nexo::RECORDINGS;
    /// Yeastar's `cdr/search`.
    pub const YEASTAR_JSON: Shape = yeastar::JSON;
    /// Kazoo's `/cdrs`.
    pub const KAZOO_JSON: Shape = kazoo::JSON;
    /// Kazoo's `/cdrs` for `Accept: application/octet-stream`.
    pub const KAZOO_CSV: Shape = kazoo::CSV;

    /// Every shape.
    pub const ALL: [Shape; 10] = [
        Shape::UCM_CSV,
        Shape::UCM_XML,
        Shape::UCM_JSON,
        Shape::UCM_WEB_CSV,
        Shape::NEXO_JSON,
        Shape::NEXO_CSV,
        Shape::NEXO_RECORDINGS,
        Shape::YEASTAR_JSON,
        Shape::KAZOO_JSON,
        Shape::KAZOO_CSV,
    ];

    /// The columns that an answer is made of, in the table's order.
    pub fn columns(&self) -> Vec<Column> {
        let mut columns: Vec<Column> = self.fields.iter().flat_map(|field| field.columns()).collect();
        if self.whole_calls {
            columns.extend([Column::Source, Column::RecordKind, Column::SubIndex, Column::CallId]);
        }
        columns.sort_unstable();
        columns.dedup();
        columns
    }

    /// Appends what stands before the first record.
    pub(crate) fn open(&self, facts: &Facts, out: &mut Vec<u8>) {
        (self.open)(facts, out);
    }

    /// Appends what stands before the n-th call.
    pub(crate) fn lead(&self, at: u64, out: &mut Vec<u8>) {
        out.extend_from_slice(self.between[usize::from(at > 0)].as_bytes());
    }

    /// Appends a call, which is the n-th of this answer.
    pub(crate) fn call(&self, rows: &[Row<'_>], at: u64, out: &mut Vec<u8>) {
        (self.call)(rows, at, out);
    }

    /// Appends what stands behind the last record.
    pub(crate) fn close(&self, facts: &Facts, out: &mut Vec<u8>) {
        (self.close)(facts, out);
    }

    /// The answer of no record.
    pub fn empty(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.open(&Facts::default(), &mut out);
        self.close(&Facts::default(), &mut out);
        out
    }
}

impl Field {
    fn columns(&self) -> impl Iterator<Item = Column> {
        const EXTRA: &[Column] = &[Column::Extra];
        let (one, more) = match self.take {
            Take::Column(column) => (Some(column), &[] as &[Column]),
            Take::Extra => (None, EXTRA),
            Take::Made(columns, _) => (None, columns),
        };
        one.into_iter().chain(more.iter().copied())
    }
}

#[cfg(test)]
mod tests;
