//! Where the bytes come from: files, folders, patterns and standard input become chunks of UTF-8 text.
//!
//! What this module must not know: any vendor, any syntax, any record. It answers four questions
//! and no other: which inputs are meant (`inputs`), what does one look like from its first bytes
//! (`magic`), how does it become UTF-8 (`text`), and where in the dump does a piece of it stand
//! (`chunk`). Beside these stands `encoding`, the answer to `--encoding`: what the decoding
//! of one record that is not UTF-8 is to be, which happens long after the bytes were read.
//!
//! One way through it:
//!
//! ```text
//! expand ─▶ Input ─▶ open ─▶ Opened ─▶ Raw ─▶ Counted ─▶ TextReader ─▶ Chunks
//!                             │  ▲                        the dump's offsets start here
//!                             ▼  │ one a member
//!                            Packed: what is compressed, and archives
//! ```
//!
//! Nothing is ever read twice or sought in: a pipe is as good as a file. Whoever needs a second
//! pass opens the input again, which gives the same bytes where [`Opened::file`] is told.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use crate::error::{Error, Result};
use chunk::{Chunks, Counted};
use inputs::{Input, Place};
use text::TextReader;

pub mod chunk;
mod declared;
pub mod encoding;
pub mod inputs;
pub mod magic;
pub mod packed;
mod pattern;
pub mod text;
mod textual;

/// So many bytes of each input are looked at before anything is read from it.
pub const HEAD: usize = 64 * 1024;

/// Any stage that hands out bytes, able to move to the thread that reads.
pub type Bytes = Box<dyn Read + Send>;

/// An input that is open, and nothing of it consumed.
#[derive(Debug)]
pub struct Opened {
    /// The first `HEAD` bytes as they stand in the file, fewer only where the file is shorter (or
    /// cannot be read on: the reader then reports it at that byte).
    pub head: Vec<u8>,
    /// The size of a regular file, as the file system tells it.
    pub size: Option<u64>,
    /// Where it is, if it is a regular file: opened again, it gives the same bytes.
    pub file: Option<PathBuf>,
    /// The input from its first byte on, the head included.
    pub reader: Raw,
}

/// Opens an input and looks at its first bytes. Blocks on a pipe until it has given so many.
pub fn open(input: &Input) -> Result<Opened> {
    match &input.place {
        Place::Stdin => Opened::from_reader(&input.name, Box::new(io::stdin())),
        Place::File(path) => open_file(&input.name, path),
        Place::Brought(bytes) => match bytes.take() {
            Some(bytes) => Opened::from_reader(&input.name, bytes),
            None => Err(Error::input(&input.name, "can be read only once")),
        },
    }
}

fn open_file(name: &str, path: &Path) -> Result<Opened> {
    if path.is_dir() {
        return Err(folder_in_place_of_a_file(name, path));
    }
    let cannot = |e: io::Error| Error::input(name, format!("cannot be opened: {e}"));
    let file = File::open(path).map_err(cannot)?;
    let metadata = file.metadata().map_err(cannot)?;
    let size = metadata.is_file().then_some(metadata.len());
    let opened = Opened::of_size(name, Box::new(file), size)?;
    let file = size.is_some().then(|| path.to_path_buf());
    Ok(Opened { file, ..opened })
}

/// A folder stands among the inputs if it could not be walked; listing it again tells why.
#[cold]
fn folder_in_place_of_a_file(name: &str, path: &Path) -> Error {
    match fs::read_dir(path) {
        Ok(_) => Error::input(name, "is a folder, not a file"),
        Err(e) => Error::input(name, format!("is a folder that cannot be read: {e}")),
    }
}

impl Opened {
    /// The same from any reader, as callers have them who bring their own bytes; `name` is for errors.
    pub fn from_reader(name: &str, rest: Bytes) -> Result<Opened> {
        Opened::of_size(name, rest, None)
    }

    /// The same of so many bytes, if that is known: as it is told, not as it may be.
    fn of_size(name: &str, mut rest: Bytes, size: Option<u64>) -> Result<Opened> {
        // A byte more: then the end is found without a growing buffer.
        let room = size.map_or(HEAD, |size| (size as usize).saturating_add(1).min(HEAD));
        let mut head = Vec::with_capacity(room);
        let fault = (&mut rest).take(HEAD as u64).read_to_end(&mut head).err();
        match fault {
            Some(e) if head.is_empty() => Err(Error::input(name, format!("cannot be read: {e}"))),
            fault => {
                let reader = Raw { head: head.clone(), at: 0, fault, rest };
                Ok(Opened { head, size, file: None, reader })
            }
        }
    }

    /// The same; `taken` is raised by every byte that is taken from here on.
    pub fn counted(self, taken: Arc<AtomicU64>) -> Opened {
        let Raw { head, at, fault, rest } = self.reader;
        let reader = Raw {
            head: Vec::new(),
            at: 0,
            fault: None,
            rest: Box::new(Counted::new(Raw { head, at, fault, rest }, taken)),
        };
        Opened { reader, ..self }
    }

    /// The text of the input, to be pulled in chunks.
    pub fn into_chunks(self) -> io::Result<Chunks<Bytes>> {
        Ok(Chunks::new(TextReader::open(Box::new(self.reader) as Bytes)?))
    }
}

/// The bytes as they stand in the file, from the first on.
///
/// Gives the head again that was read ahead, then the fault that ended it if there was one, then
/// the rest of the file.
pub struct Raw {
    head: Vec<u8>,
    at: usize,
    fault: Option<io::Error>,
    rest: Bytes,
}

impl Read for Raw {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let mut held = &self.head[self.at..];
        if !held.is_empty() {
            let n = held.read(buf)?;
            self.at += n;
            return Ok(n);
        }
        match self.fault.take() {
            Some(fault) => Err(fault),
            None => self.rest.read(buf),
        }
    }
}

impl std::fmt::Debug for Raw {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Raw").field("at", &self.at).field("fault", &self.fault).finish_non_exhaustive()
    }
}

/// Readers that make life hard, shared by this module's tests.
#[cfg(test)]
mod hard {
    use std::io::{self, Read};

    /// Gives at most `step` bytes at a time.
    pub(super) struct Short<'a> {
        pub(super) bytes: &'a [u8],
        pub(super) step: usize,
    }

    impl Read for Short<'_> {
        fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
            let n = self.step.min(buf.len());
            self.bytes.read(&mut buf[..n])
        }
    }

    /// Gives its bytes, then a fault at every further read.
    pub(super) struct Broken(pub(super) &'static [u8]);

    impl Read for Broken {
        fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
            if self.0.is_empty() {
                return Err(io::Error::other("the disk is on fire"));
            }
            self.0.read(buf)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;
    use std::path::PathBuf;
    use std::sync::atomic::Ordering;

    fn input(path: PathBuf) -> Input {
        Input { name: "the name".into(), place: Place::File(path), walked: false }
    }

    fn written(bytes: &[u8]) -> (tempfile::TempDir, Input) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("dump.csv");
        fs::write(&path, bytes).unwrap();
        (folder, input(path))
    }

    #[test]
    fn a_file_is_open_with_its_head_size_and_all_its_bytes() {
        let bytes: Vec<u8> = (0..HEAD + 1000).map(|i| b'a' + (i % 26) as u8).collect();
        let (_folder, input) = written(&bytes);
        let mut opened = open(&input).unwrap();
        assert_eq!(opened.head, &bytes[..HEAD]);
        assert_eq!((opened.size, opened.file.is_some()), (Some(bytes.len() as u64), true));
        let mut all = Vec::new();
        opened.reader.read_to_end(&mut all).unwrap();
        assert_eq!(all, bytes);
    }

    #[test]
    fn an_empty_file_has_an_empty_head() {
        let (_folder, input) = written(b"");
        let opened = open(&input).unwrap();
        assert_eq!((opened.head.len(), opened.size), (0, Some(0)));
    }

    #[test]
    fn chunks_count_the_bytes_of_the_file_and_start_after_the_mark() {
        let (_folder, input) = written(b"\xEF\xBB\xBFa,b\n");
        let taken = Arc::new(AtomicU64::new(100));
        let mut chunks = open(&input).unwrap().counted(taken.clone()).into_chunks().unwrap();
        let chunk = chunks.next_chunk(1 << 20).unwrap().unwrap();
        assert_eq!((chunk.offset, &chunk.bytes[..]), (3, &b"a,b\n"[..]));
        assert_eq!(taken.load(Ordering::Relaxed), 107);
        assert!(chunks.next_chunk(1 << 20).unwrap().is_none());
    }

    #[test]
    fn a_folder_in_place_of_a_file_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let error = open(&input(folder.path().into())).unwrap_err();
        assert_eq!(error.to_string(), "the name: is a folder, not a file");
        assert_eq!(error.kind(), ErrorKind::Input);
    }

    #[test]
    fn a_file_that_cannot_be_opened_is_told_by_name() {
        let error = open(&input("/no/such/file".into())).unwrap_err();
        assert!(error.to_string().starts_with("the name: cannot be opened: "), "{error}");
        assert_eq!(error.kind(), ErrorKind::Input);
    }

    #[test]
    fn a_fault_at_the_first_byte_is_the_inputs_error() {
        let error = Opened::from_reader("-", Box::new(hard::Broken(b""))).unwrap_err();
        assert_eq!(error.to_string(), "-: cannot be read: the disk is on fire");
    }

    #[test]
    fn a_fault_within_the_head_comes_after_the_bytes_before_it() {
        let opened = Opened::from_reader("-", Box::new(hard::Broken(b"a,b\n"))).unwrap();
        assert_eq!(opened.head, b"a,b\n");
        let mut chunks = opened.into_chunks().unwrap();
        assert_eq!(chunks.next_chunk(1 << 20).unwrap().unwrap().bytes, b"a,b\n");
        assert_eq!(chunks.next_chunk(1 << 20).unwrap_err().to_string(), "the disk is on fire");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_pipe_by_its_name_has_no_size_and_is_read_whole() {
        use std::io::Write;
        use std::os::fd::AsRawFd;
        let (reader, mut writer) = io::pipe().unwrap();
        let input = input(format!("/proc/self/fd/{}", reader.as_raw_fd()).into());
        let bytes = vec![b'x'; 3 * HEAD];
        let copy = bytes.clone();
        let feeding = std::thread::spawn(move || writer.write_all(&copy).unwrap());
        let mut opened = open(&input).unwrap();
        assert_eq!((opened.size, &opened.file, opened.head.len()), (None, &None, HEAD));
        let mut all = vec![0; bytes.len()];
        opened.reader.read_exact(&mut all).unwrap();
        assert_eq!(all, bytes);
        feeding.join().unwrap();
    }
}
