//! `calltable channel`: what channel names say, as the table's columns would have it.

use calltable::convert::Exit;
use calltable::{Channel, Result};
use serde::Serialize;

use super::{args, reading, say, table};

/// A decoded name, as `--json` has it.
#[derive(Serialize)]
struct Shown<'a> {
    name: &'a str,
    tech: Option<&'a str>,
    kind: Option<&'static str>,
    peer: Option<&'a str>,
    trunk: Option<&'a str>,
    dialed: Option<&'a str>,
    port: Option<u16>,
}

/// Decodes the names.
pub(crate) fn run(typed: &args::Channel, json: bool) -> Result<Exit> {
    let ports = reading::ports(&typed.ports)?;
    let shown = |name| Shown::of(name, Channel::parse_with(name, &ports));
    let all: Vec<Shown<'_>> = typed.names.iter().map(|name| shown(name)).collect();
    if json {
        say::json(&all)?;
        return Ok(Exit::Done);
    }
    let head = ["name", "tech", "kind", "peer", "trunk", "dialed", "port"].map(str::to_string);
    let rows: Vec<_> = std::iter::once(head).chain(all.iter().map(Shown::row)).collect();
    say::result(&(table::aligned(&rows, &[]).join("\n") + "\n"))?;
    Ok(Exit::Done)
}

impl<'a> Shown<'a> {
    fn of(name: &'a str, channel: Channel<'a>) -> Shown<'a> {
        let Channel { tech, kind, peer, trunk, dialed, port } = channel;
        Shown { name, tech, kind: kind.map(|kind| kind.as_str()), peer, trunk, dialed, port }
    }

    fn row(&self) -> [String; 7] {
        let text = |text: Option<&str>| text.unwrap_or("-").to_string();
        let port = self.port.map(|port| port.to_string());
        [
            self.name.to_string(),
            text(self.tech),
            text(self.kind),
            text(self.peer),
            text(self.trunk),
            text(self.dialed),
            text(port.as_deref()),
        ]
    }
}
