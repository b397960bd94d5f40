//! The two streams: results go to stdout, all else to stderr.
//!
//! Whatever stands in a dump or in a file's name may come up in a message, so control characters are
//! shown, never sent: a terminal would obey them.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use calltable::report::InputReport;
use calltable::sink::STDOUT;
use calltable::{Error, Result};
use serde::Serialize;

/// Writes a result.
///
/// # Errors
/// Standard output cannot be written.
pub(crate) fn result(text: &str) -> Result<()> {
    let mut out = io::stdout().lock();
    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    written.map_err(unwritten)
}

/// Writes a result as JSON.
///
/// # Errors
/// Standard output cannot be written.
pub(crate) fn json(value: &impl Serialize) -> Result<()> {
    let mut out = BufWriter::new(io::stdout().lock());
    let written = serde_json::to_writer_pretty(&mut out, value).map_err(io::Error::from);
    let written = written.and_then(|()| out.write_all(b"\n")).and_then(|()| out.flush());
    written.map_err(unwritten)
}

/// Standard output is not to be written to.
pub(crate) fn unwritten(error: io::Error) -> Error {
    Error::output(Path::new(STDOUT), format!("cannot be written: {error}"))
}

/// A line on stderr, in one piece. Where that is gone, there is nobody to tell.
pub(crate) fn line(text: &str) {
    let _ = io::stderr().write_all(format!("{}\n", visible(text)).as_bytes());
}

/// What went wrong.
pub(crate) fn error(text: &str) {
    line(&format!("error: {text}"));
}

/// What the user should know of the inputs: warnings, and why those failed that did.
pub(crate) fn diagnostics(inputs: &[InputReport]) {
    for input in inputs {
        for warning in &input.warnings {
            line(&format!("warning: {}: {warning}", input.source));
        }
        if let Some(why) = &input.error {
            error(&format!("{}: {why}", input.source));
        }
    }
}

/// The text with control characters written out.
pub(crate) fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter.is_control() {
            true => shown.extend(letter.escape_default()),
            false => shown.push(letter),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_shown() {
        assert_eq!(visible("a\u{1b}[31mé\r\n"), "a\\u{1b}[31mé\\r\\n");
    }
}
