//! Whether a standard stream is one at all: a closed one would seem empty, or written.
//!
//! Rust opens `/dev/null` in the place of a closed stream before `main` is reached, for reading and writing. A
//! shell opens it for one of both, so a stream that is so is taken for a closed one. Some programs give their
//! children such streams, too; therefore only those that dumps or tables go through are looked at, and the message
//! says what would help.

use std::ffi::OsString;

use calltable::{Error, Result};

/// Dumps come by standard input, if `-` is among the paths.
///
/// # Errors
/// Usage: it is closed.
pub(crate) fn check_input(paths: &[OsString]) -> Result<()> {
    match paths.iter().any(|path| path == "-") && is_closed(Stream::Input) {
        true => Err(closed("-: standard input", "reading")),
        false => Ok(()),
    }
}

/// A table or an answer goes to standard output.
///
/// # Errors
/// Usage: it is closed.
pub(crate) fn check_output() -> Result<()> {
    if is_closed(Stream::Output) { Err(closed("standard output", "writing")) } else { Ok(()) }
}

fn closed(stream: &str, use_of: &str) -> Error {
    Error::usage(format!("{stream} is closed (/dev/null is taken for it if it is opened for {use_of} alone)"))
}

/// Those that matter.
enum Stream {
    Input,
    Output,
}

#[cfg(unix)]
fn is_closed(stream: Stream) -> bool {
    use rustix::fs::{OFlags, fcntl_getfl, fstat, stat};
    let fd = match stream {
        Stream::Input => rustix::stdio::stdin(),
        Stream::Output => rustix::stdio::stdout(),
    };
    let Ok(flags) = fcntl_getfl(fd) else { return true };
    let is_null = || match (fstat(fd), stat("/dev/null")) {
        (Ok(found), Ok(null)) => (found.st_dev, found.st_ino) == (null.st_dev, null.st_ino),
        _ => false,
    };
    flags & OFlags::RWMODE == OFlags::RDWR && is_null()
}

#[cfg(not(unix))]
fn is_closed(_: Stream) -> bool {
    false
}
