//! A run: entries on disk, in blocks that are compressed, written once and read from front to back.
//!
//! Its file has no name where the system allows that, so nothing is left whatever happens. It must not know what
//! entries are, nor that they are in order.
//!
//! ```text
//! block:  its length, u32 │ compressed, u32 │ the entries, compressed        an entry lies in one block
//! ```

use std::fmt;
use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use zstd::bulk::{Compressor, Decompressor};

use super::entry::Entry;
use crate::error::{Error, Result};

/// Entries of so many bytes are a block: little enough that many runs are read at a time.
const BLOCK: usize = 64 << 10;

/// Of zstd. The faster levels, below zero, cost about the same in all, for then there is more to write.
const LEVEL: i32 = 1;

/// A run that is being written.
pub struct Writer {
    run: Run,
    compressor: Compressor<'static>,
    block: Vec<u8>,
    compressed: Vec<u8>,
}

/// A run, written.
#[derive(Debug)]
pub struct Run {
    file: File,
    folder: Arc<Path>,
    blocks: u64,
}

/// A run that is being read.
pub struct Reader {
    run: Run,
    decompressor: Decompressor<'static>,
    block: Vec<u8>,
    compressed: Vec<u8>,
    /// Where in the block the next entry begins.
    next: usize,
    /// Where the key and the value of the entry stand that was read last.
    key: Range<usize>,
    value: Range<usize>,
}

impl Writer {
    /// Begins a run, in a file in that folder.
    ///
    /// # Errors
    /// Output: the folder takes no file.
    pub fn create(folder: &Arc<Path>) -> Result<Writer> {
        let begin = || io::Result::Ok((tempfile::tempfile_in(folder)?, Compressor::new(LEVEL)?));
        let (file, compressor) = begin().map_err(|error| failed(folder, error))?;
        let run = Run { file, folder: folder.clone(), blocks: 0 };
        Ok(Writer { run, compressor, block: Vec::new(), compressed: Vec::new() })
    }

    /// Writes an entry, whose value is what `value` appends.
    ///
    /// # Errors
    /// Output: there is no room.
    pub fn push(&mut self, key: &[u8], value: impl FnOnce(&mut Vec<u8>)) -> Result<()> {
        Entry::append(&mut self.block, key, value);
        if self.block.len() < BLOCK {
            return Ok(());
        }
        self.flush().map_err(|error| failed(&self.run.folder, error))
    }

    /// The run, which can be read now.
    ///
    /// # Errors
    /// Output: there is no room.
    pub fn finish(mut self) -> Result<Run> {
        if !self.block.is_empty() {
            self.flush().map_err(|error| failed(&self.run.folder, error))?;
        }
        Ok(self.run)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.compressed.clear();
        self.compressed.reserve(zstd::zstd_safe::compress_bound(self.block.len()));
        self.compressor.compress_to_buffer(&self.block, &mut self.compressed)?;
        for length in [self.block.len(), self.compressed.len()] {
            let length = u32::try_from(length).map_err(io::Error::other)?;
            self.run.file.write_all(&length.to_le_bytes())?;
        }
        self.run.file.write_all(&self.compressed)?;
        self.run.blocks += 1;
        self.block.clear();
        Ok(())
    }
}

impl Reader {
    /// Reads a run, which is gone with its reader. Before its first entry comes [`Reader::advance`].
    ///
    /// # Errors
    /// Output: it cannot be read.
    pub fn open(mut run: Run) -> Result<Reader> {
        let mut begin = || {
            run.file.rewind()?;
            Decompressor::new()
        };
        let decompressor = begin().map_err(|error| failed(&run.folder, error))?;
        let (block, compressed) = (Vec::new(), Vec::new());
        Ok(Reader { run, decompressor, block, compressed, next: 0, key: 0..0, value: 0..0 })
    }

    /// Goes on to the next entry, if there is one.
    ///
    /// # Errors
    /// Output: it cannot be read.
    pub fn advance(&mut self) -> Result<bool> {
        if self.next == self.block.len() {
            if self.run.blocks == 0 {
                return Ok(false);
            }
            self.read_block().map_err(|error| failed(&self.run.folder, error))?;
        }
        let Some((entry, next)) = Entry::read(&self.block, self.next) else {
            return Err(damaged(&self.run.folder));
        };
        let value_at = next - entry.value.len();
        self.key = value_at - entry.key.len()..value_at;
        self.value = value_at..next;
        self.next = next;
        Ok(true)
    }

    /// The entry that was advanced to.
    pub fn entry(&self) -> Entry<'_> {
        Entry { key: &self.block[self.key.clone()], value: &self.block[self.value.clone()] }
    }

    fn read_block(&mut self) -> io::Result<()> {
        let mut lengths = [[0; 4]; 2];
        self.run.file.read_exact(lengths.as_flattened_mut())?;
        let [length, compressed] = lengths.map(|length| u32::from_le_bytes(length) as usize);
        self.compressed.resize(compressed, 0);
        self.run.file.read_exact(&mut self.compressed)?;
        self.block.clear();
        self.block.reserve(length);
        self.decompressor.decompress_to_buffer(&self.compressed, &mut self.block)?;
        self.run.blocks -= 1;
        self.next = 0;
        Ok(())
    }
}

/// What was read back is not what was written.
#[cold]
pub fn damaged(folder: &Path) -> Error {
    failed(folder, "it is damaged")
}

#[cold]
fn failed(folder: &Path, why: impl fmt::Display) -> Error {
    Error::output(folder, format!("a temporary file: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(folder: &tempfile::TempDir) -> Arc<Path> {
        folder.path().into()
    }

    #[test]
    fn entries_of_any_length_read_back_and_no_file_is_left() {
        let place = tempfile::tempdir().unwrap();
        let mut writer = Writer::create(&folder(&place)).unwrap();
        let lengths = [0, 1, 100, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK, 7, 0];
        for length in lengths {
            writer.push(&length.to_le_bytes(), |out| out.resize(out.len() + length, b'x')).unwrap();
        }
        let mut reader = Reader::open(writer.finish().unwrap()).unwrap();
        let named = std::fs::read_dir(place.path()).unwrap().count();
        assert!(cfg!(not(unix)) || named == 0, "a file is seen while it is used");
        for length in lengths {
            assert!(reader.advance().unwrap());
            assert_eq!(reader.entry(), Entry { key: &length.to_le_bytes(), value: &vec![b'x'; length] });
        }
        assert!(!reader.advance().unwrap());
        assert!(!reader.advance().unwrap());
        drop(reader);
        assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 0);
    }

    #[test]
    fn no_entries_are_a_run_too() {
        let place = tempfile::tempdir().unwrap();
        let run = Writer::create(&folder(&place)).unwrap().finish().unwrap();
        assert!(!Reader::open(run).unwrap().advance().unwrap());
    }

    #[test]
    fn a_folder_that_takes_no_file_is_named() {
        let missing: Arc<Path> = Path::new("no/such/folder").into();
        let error = Writer::create(&missing).err().unwrap();
        assert!(error.to_string().starts_with("no/such/folder: a temporary file: "), "{error}");
        assert_eq!(error.kind(), crate::ErrorKind::Output);
    }

    #[test]
    fn a_run_that_lost_its_end_is_an_error() {
        let place = tempfile::tempdir().unwrap();
        let mut writer = Writer::create(&folder(&place)).unwrap();
        writer.push(b"key", |out| out.extend_from_slice(b"value")).unwrap();
        let run = writer.finish().unwrap();
        let len = run.file.metadata().unwrap().len();
        run.file.set_len(len - 1).unwrap();
        let error = Reader::open(run).unwrap().advance().unwrap_err();
        assert!(error.to_string().contains("a temporary file: "), "{error}");
    }
}
