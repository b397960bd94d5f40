//! The one error type: what went wrong, and the place where it did.
//!
//! An error stops something: wrong usage, an input that cannot be read on, an output that cannot
//! be written; or it is the caller's own wish. A malformed *record* is no error but data: it becomes a reject (`frame::Reject`),
//! is counted, kept and reported, and the stream goes on.

use std::fmt;
use std::path::Path;

/// What this crate's functions return.
pub type Result<T> = std::result::Result<T, Error>;

/// What kind of thing failed; the program's exit code follows from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The caller asked for something impossible, told before anything is read (exit code 2).
    Usage,
    /// An input cannot be read, or is no dump: that input fails, others go on (exit code 4, or 1).
    Input,
    /// The output cannot be written: nothing is published (exit code 1).
    Output,
    /// The caller asked for an end, by [`Progress::stop`](crate::convert::Progress::stop): nothing is
    /// published (exit code 130 or 143, by the signal).
    Stopped,
}

/// An error with its place: the file it concerns and, inside a dump, the byte.
#[derive(Clone, Debug)]
pub struct Error {
    kind: ErrorKind,
    file: Option<String>,
    offset: Option<u64>,
    message: String,
}

impl Error {
    /// Wrong usage, told before anything is read.
    #[cold]
    pub fn usage(message: impl Into<String>) -> Error {
        Error { kind: ErrorKind::Usage, file: None, offset: None, message: message.into() }
    }

    /// An input that fails: `file` is its name as the user gave it.
    #[cold]
    pub fn input(file: impl Into<String>, message: impl Into<String>) -> Error {
        Error { kind: ErrorKind::Input, file: Some(file.into()), offset: None, message: message.into() }
    }

    /// An output that cannot be written.
    #[cold]
    pub fn output(file: &Path, message: impl fmt::Display) -> Error {
        let file = Some(file.display().to_string());
        Error { kind: ErrorKind::Output, file, offset: None, message: message.to_string() }
    }

    /// The caller asked for an end.
    #[cold]
    pub fn stopped() -> Error {
        let message = "stopped before the end: nothing is published".to_string();
        Error { kind: ErrorKind::Stopped, file: None, offset: None, message }
    }

    /// The same error, placed at a byte of the decompressed dump.
    #[cold]
    pub fn at(mut self, offset: u64) -> Error {
        self.offset = Some(offset);
        self
    }

    /// What kind of thing failed.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The file concerned, as the user named it.
    pub fn file(&self) -> Option<&str> {
        self.file.as_deref()
    }

    /// The byte offset in the decompressed dump, where one is known.
    pub fn offset(&self) -> Option<u64> {
        self.offset
    }

    /// The message without its place.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(file) = &self.file {
            write!(f, "{file}: ")?;
        }
        if let Some(offset) = self.offset {
            write!(f, "at byte {offset}: ")?;
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}
