//! `calltable schema`: the unified table, in the words of its documentation.

use calltable::convert::Exit;
use calltable::{COLUMNS, ColumnDef, Kind, Result};
use serde::Serialize;

use super::{say, table};

/// A column, as `--json` has it.
#[derive(Serialize)]
struct Shown {
    name: &'static str,
    #[serde(rename = "type")]
    kind: &'static str,
    nullable: bool,
    description: &'static str,
}

/// Shows the table.
pub(crate) fn run(json: bool) -> Result<Exit> {
    let all = COLUMNS.each_ref().map(Shown::of);
    if json {
        say::json(&all.as_slice())?;
        return Ok(Exit::Done);
    }
    let head = ["column", "type", "null", "description"].map(str::to_string);
    let row = |shown: &Shown| {
        let null = if shown.nullable { "yes" } else { "no" };
        [shown.name, shown.kind, null, shown.description].map(str::to_string)
    };
    let rows: Vec<_> = std::iter::once(head).chain(all.iter().map(row)).collect();
    say::result(&(table::aligned(&rows, &[]).join("\n") + "\n"))?;
    Ok(Exit::Done)
}

impl Shown {
    fn of(column: &ColumnDef) -> Shown {
        let ColumnDef { name, nullable, description, .. } = *column;
        Shown { name, kind: type_name(column.kind), nullable, description }
    }
}

/// A kind of column, in words.
fn type_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Text => "text",
        Kind::Dict => "dict",
        Kind::Bool => "bool",
        Kind::UInt16 => "uint16",
        Kind::UInt32 => "uint32",
        Kind::Int32 => "int32",
        Kind::Int64 => "int64",
        Kind::Time => "timestamp(us)",
        Kind::List => "list of text",
        Kind::Map => "map of text to text",
    }
}
