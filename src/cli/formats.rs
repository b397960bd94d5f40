//! `calltable formats`: what can be read, and how it is recognised.

use calltable::convert::Exit;
use calltable::{Result, format};
use serde::Serialize;

use super::{say, table};

/// A format, as `--json` has it.
#[derive(Serialize)]
struct Shown {
    name: &'static str,
    vendor: &'static str,
    recognised_by: &'static str,
}

/// Shows the formats, in the order in which a file is tried against them.
pub(crate) fn run(json: bool) -> Result<Exit> {
    let shown = |format: &&format::Format| Shown {
        name: format.name,
        vendor: format.vendor,
        recognised_by: format.recognised_by,
    };
    let all: Vec<Shown> = format::ALL.iter().map(shown).collect();
    if json {
        say::json(&all)?;
        return Ok(Exit::Done);
    }
    let head = ["format", "vendor", "recognised by"].map(str::to_string);
    let row = |shown: &Shown| [shown.name, shown.vendor, shown.recognised_by].map(str::to_string);
    let rows: Vec<_> = std::iter::once(head).chain(all.iter().map(row)).collect();
    say::result(&(table::aligned(&rows, &[]).join("\n") + "\n"))?;
    Ok(Exit::Done)
}
