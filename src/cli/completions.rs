//! `calltable completions` and `calltable man`: made from the arguments' own definition.

use std::io;
use std::path::Path;

use calltable::convert::Exit;
use calltable::{Error, Result};
use clap::{Command, CommandFactory};
use clap_complete::Shell;
use clap_mangen::Man;

use super::args::Arguments;
use super::say;

/// Prints the completion script of a shell.
pub(crate) fn script(shell: Shell, json: bool) -> Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "calltable", &mut script);
    give(&script, json)
}

/// Prints the manual page: the program's, then a section for each command.
pub(crate) fn page(json: bool) -> Result<Exit> {
    let mut page = Vec::new();
    write_page(&mut page).map_err(|error| Error::output(Path::new("standard output"), error))?;
    give(&page, json)
}

fn give(text: &[u8], json: bool) -> Result<Exit> {
    let text = String::from_utf8_lossy(text);
    match json {
        true => say::json(&text)?,
        false => say::result(&text)?,
    }
    Ok(Exit::Done)
}

fn write_page(page: &mut Vec<u8>) -> io::Result<()> {
    let mut command = Arguments::command();
    command.build();
    let man = Man::new(command.clone());
    man.render_title(page)?;
    man.render_name_section(page)?;
    man.render_synopsis_section(page)?;
    man.render_description_section(page)?;
    for command in command.get_subcommands().filter(|command| command.get_name() != "help") {
        write_section(command, page)?;
    }
    man.render_extra_section(page)?;
    man.render_version_section(page)
}

/// A command's part: what it does, how it is called, its options.
fn write_section(command: &Command, page: &mut Vec<u8>) -> io::Result<()> {
    let man = Man::new(command.clone());
    let mut section = Vec::new();
    man.render_description_section(&mut section)?;
    man.render_synopsis_section(&mut section)?;
    man.render_options_section(&mut section)?;
    page.extend_from_slice(format!(".SH {}\n", command.get_name().to_uppercase()).as_bytes());
    page.extend_from_slice(String::from_utf8_lossy(&section).replace(".SH ", ".SS ").as_bytes());
    Ok(())
}
