//! The program's commands, one file each: what was typed becomes objects, a function of the library
//! does the work, and what it gives is written down.
//!
//! ```text
//!   args ──▶ reading, places ──▶ library ──▶ stdout: the result
//!   (typed)  (resolved)             │        stderr: all else
//!                                   ╰──▶ exit code
//! ```
//!
//! Wrong usage is told before anything is read; only then are there effects.

mod args;
mod channel;
mod completions;
mod convert;
mod filters;
mod formats;
mod inspect;
mod places;
mod progress;
mod query;
mod reading;
mod say;
mod schema;
mod signals;
mod streams;
mod summary;
mod table;
mod wrong;

use std::process::ExitCode;

use calltable::convert::Exit;
use calltable::{ErrorKind, Result};
use clap::Parser;

use args::{Arguments, Command};
use signals::Signals;

/// Wrong usage, told before anything was read.
const WRONG_USAGE: u8 = 2;

/// Does what the command line says.
pub(crate) fn run() -> ExitCode {
    let signals = Signals::watch();
    match Arguments::try_parse() {
        Ok(Arguments { command, json }) => ended(done(command, json, &signals), &signals),
        Err(error) if is_help(&error) => match error.print() {
            Err(fault) if !error.use_stderr() => ended(Err(say::unwritten(fault)), &signals),
            _ => code(error.exit_code() as u8),
        },
        Err(error) => {
            say::error(&wrong::sentence(&error));
            code(WRONG_USAGE)
        }
    }
}

fn done(command: Command, json: bool, signals: &Signals) -> Result<Exit> {
    match command {
        Command::Convert(typed) => convert::run(&typed, json, signals),
        Command::Query(typed) => query::run(&typed, json, signals),
        Command::Inspect(typed) => inspect::run(&typed, json, signals),
        Command::Channel(typed) => channel::run(&typed, json),
        Command::Schema => schema::run(json),
        Command::Formats => formats::run(json),
        Command::Completions { shell } => completions::script(shell, json),
        Command::Man => completions::page(json),
    }
}

fn ended(result: Result<Exit>, signals: &Signals) -> ExitCode {
    match result {
        Ok(exit) => code(exit as u8),
        Err(error) if error.kind() == ErrorKind::Stopped => code(signals.ended()),
        Err(error) => {
            say::error(&error.to_string());
            code(if error.kind() == ErrorKind::Usage { WRONG_USAGE } else { Exit::Failed as u8 })
        }
    }
}

fn code(code: u8) -> ExitCode {
    ExitCode::from(code)
}

/// Help and version are no errors, though clap gives them as such.
fn is_help(error: &clap::Error) -> bool {
    use clap::error::ErrorKind::*;
    matches!(error.kind(), DisplayHelp | DisplayVersion | DisplayHelpOnMissingArgumentOrSubcommand)
}
