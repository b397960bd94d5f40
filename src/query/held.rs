//! What is kept back of an answer until its beginning can be written: in memory as far as that is little,
//! then in a file that has no name any more.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

/// So many bytes stay in memory.
const IN_MEMORY: usize = 8 << 20;

/// Bytes that are kept back.
#[derive(Debug, Default)]
pub(super) struct Held {
    memory: Vec<u8>,
    file: Option<Unnamed>,
}

/// A file for this process alone.
#[derive(Debug)]
struct Unnamed {
    file: File,
    path: PathBuf,
}

impl Held {
    /// Keeps these bytes behind those before.
    ///
    /// # Errors
    /// The system has no room for them.
    pub(super) fn push(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.memory.extend_from_slice(bytes);
        if self.memory.len() < IN_MEMORY {
            return Ok(());
        }
        let file = match &mut self.file {
            Some(file) => file,
            None => self.file.insert(Unnamed::create(&std::env::temp_dir())?),
        };
        file.file.write_all(&self.memory)?;
        self.memory.clear();
        Ok(())
    }

    /// Writes all of them.
    ///
    /// # Errors
    /// They cannot be read again, or not be written.
    pub(super) fn write(&mut self, out: &mut dyn Write) -> io::Result<()> {
        if let Some(held) = &mut self.file {
            held.file.rewind()?;
            let mut piece = vec![0; 1 << 16];
            loop {
                match held.file.read(&mut piece)? {
                    0 => break,
                    length => out.write_all(&piece[..length])?,
                }
            }
        }
        out.write_all(&self.memory)
    }
}

impl Unnamed {
    fn create(folder: &Path) -> io::Result<Unnamed> {
        let process = std::process::id();
        for attempt in 0..1000 {
            let path = folder.join(format!("calltable-{process}-{attempt}.tmp"));
            match OpenOptions::new().read(true).write(true).create_new(true).open(&path) {
                // Where the system lets go of a name while the file is open, nothing is left behind.
                Ok(file) => {
                    let _ = fs::remove_file(&path);
                    return Ok(Unnamed { file, path });
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::Error::other("no name is free for a temporary file"))
    }
}

impl Drop for Unnamed {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_come_back_in_order_from_memory_and_file() {
        let piece: Vec<u8> = (0..1_000_000u32).map(|at| (at % 251) as u8).collect();
        for pieces in [0, 1, 30] {
            let mut held = Held::default();
            (0..pieces).for_each(|_| held.push(&piece).unwrap());
            assert_eq!(held.file.is_some(), pieces > 8);
            let mut out = Vec::new();
            held.write(&mut out).unwrap();
            assert!(out == piece.repeat(pieces));
            let left = held.file.as_ref().is_some_and(|file| file.path.exists());
            assert!(!(cfg!(unix) && left), "a file without a name is left");
        }
    }
}
