//! tar and zip, member by member, as they stand.
//!
//! Only regular files are members; a link is passed over, wherever it leads. A member that is itself
//! compressed is decompressed; an archive within an archive is not read, and said to be.

use std::io::{self, BufReader, Read, Seek, SeekFrom};

use super::unpack::{Told, decompressed};
use super::{Gone, Message, Outgoing, Stream, is_compressed};
use crate::source::inputs::{display_bytes, why_pass_over};
use crate::source::magic::{Looks, looks_like};

/// Sends the members of a tar archive.
pub(super) fn tar(bytes: Stream<'_>, out: &Outgoing) -> Result<(), Gone> {
    let mut archive = tar::Archive::new(Tail { inner: bytes, zeros: 0 });
    let entries = match archive.entries() {
        Ok(entries) => entries,
        Err(error) => return out.send(Message::Done(Some(error))),
    };
    for entry in entries {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => return out.send(Message::Done(Some(damaged("tar", &error)))),
        };
        let name = display_bytes(&entry.path_bytes());
        let kind = entry.header().entry_type();
        if kind.is_dir() && entry.size() == 0 || kind.is_pax_global_extensions() {
            continue;
        }
        if !kind.is_file() && !kind.is_contiguous() && !kind.is_gnu_sparse() {
            out.send(Message::Skipped(name, "no regular file".into()))?;
            continue;
        }
        let size = entry.size();
        member(name, Whole { inner: Told { what: "tar", inner: entry }, left: size }, out)?;
    }
    out.send(Message::Done(ended(archive.into_inner()).err()))
}

/// A tar archive ends with blocks of NULs, and there is nothing behind them: what was cut off between two members,
/// or put behind another archive, would else be lost without a word.
fn ended(mut tail: Tail<Stream<'_>>) -> io::Result<()> {
    let before = tail.zeros;
    let rest = io::copy(&mut tail, &mut io::sink())?;
    if tail.zeros < BLOCK {
        return Err(io::Error::other("the tar archive ends without its end mark: it may be cut off"));
    }
    match tail.zeros == before + rest {
        true => Ok(()),
        false => Err(io::Error::other("bytes that are no part of it stand behind the tar archive")),
    }
}

/// Bytes of a block of tar's.
const BLOCK: u64 = 512;

/// Counts the NULs that were read last.
struct Tail<R> {
    inner: R,
    zeros: u64,
}

impl<R: Read> Read for Tail<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buf)?;
        let zeros = buf[..read].iter().rev().take_while(|byte| **byte == 0).count();
        self.zeros = if zeros == read { self.zeros + zeros as u64 } else { zeros as u64 };
        Ok(read)
    }
}

/// Sends the members of a zip archive that can be sought in, in the order of its list.
pub(super) fn zip(file: impl Read + Seek, out: &Outgoing) -> Result<(), Gone> {
    let mut archive = match zip::ZipArchive::new(file) {
        Ok(archive) => archive,
        Err(error) => return out.send(Message::Done(Some(damaged("zip", &error)))),
    };
    for at in 0..archive.len() {
        let listed =
            archive.by_index_raw(at).map(|file| (name_of(&file), is_folder(&file), file.encrypted()));
        let (name, is_folder, is_encrypted) = match listed {
            Ok(listed) => listed,
            Err(error) => return out.send(Message::Done(Some(damaged("zip", &error)))),
        };
        if is_folder {
            continue;
        }
        if is_encrypted {
            out.failed(Some(name), "it is encrypted")?;
            continue;
        }
        match archive.by_index(at) {
            Ok(file) if file.is_symlink() => out.send(Message::Skipped(name, "no regular file".into()))?,
            Ok(file) => member(name, Told { what: "zip", inner: file }, out)?,
            Err(error) => out.failed(Some(name), damaged("zip", &error).to_string())?,
        }
    }
    out.send(Message::Done(all_read(archive).err()))
}

/// The crate gives one of two members that have one name, and as many as are said to be: what it leaves out must not be
/// lost without a word.
fn all_read<R: Read + Seek>(archive: zip::ZipArchive<R>) -> io::Result<()> {
    let (read, start) = (archive.len(), archive.central_directory_start());
    let listed = listed(archive.into_inner(), start)?;
    if listed == read {
        return Ok(());
    }
    Err(io::Error::other(format!(
        "the zip archive lists {listed} members, and {read} are read: it is damaged, or two have one name"
    )))
}

/// How many members stand in a zip's list.
///
/// ```text
/// "PK\1\2" … 28: length of name, of extra, of comment … 46: name, extra, comment; the next
/// ```
fn listed(mut file: impl Read + Seek, start: u64) -> io::Result<usize> {
    file.seek(SeekFrom::Start(start))?;
    let mut file = BufReader::new(file);
    let (mut header, mut count) = ([0; 46], 0);
    loop {
        // The end of the list is longer than this.
        file.read_exact(&mut header[..4])?;
        if header[..4] != *b"PK\x01\x02" {
            return Ok(count);
        }
        file.read_exact(&mut header[4..])?;
        let length = |at: usize| i64::from(u16::from_le_bytes([header[at], header[at + 1]]));
        file.seek_relative(length(28) + length(30) + length(32))?;
        count += 1;
    }
}

/// Sends the members of a zip archive that comes by a pipe, in the order in which they stand.
pub(super) fn zip_stream(mut bytes: Stream<'_>, out: &Outgoing) -> Result<(), Gone> {
    loop {
        match zip::read::read_zipfile_from_stream(&mut bytes) {
            Ok(None) => return out.send(Message::Done(None)),
            Ok(Some(file)) if is_folder(&file) => {}
            Ok(Some(file)) => {
                let name = name_of(&file);
                member(name, Told { what: "zip", inner: file }, out)?;
            }
            Err(error) => {
                let message =
                    format!("the zip archive cannot be read from a pipe, give it as a file: {error}");
                return out.send(Message::Done(Some(io::Error::other(message))));
            }
        }
    }
}

/// Only its name tells; one that holds bytes is none.
fn is_folder<R: Read>(file: &zip::read::ZipFile<'_, R>) -> bool {
    file.is_dir() && file.size() == 0
}

fn name_of<R: Read>(file: &zip::read::ZipFile<'_, R>) -> String {
    file.name().map_or_else(|_| display_bytes(file.name_raw()), |name| name.into_owned())
}

/// So many bytes tell whether a member is packed itself.
const HEAD: usize = 4 << 10;

/// Sends a member, decompressed, unless its name or what it is tells that nobody wants it.
fn member(name: String, mut bytes: impl Read, out: &Outgoing) -> Result<(), Gone> {
    if let Some(why) = why_pass_over(&name) {
        return out.send(Message::Skipped(name, why.into()));
    }
    let mut head = vec![0; HEAD];
    let (filled, fault) = super::fill(&mut bytes, &mut head);
    head.truncate(filled);
    let looks = looks_like(&head);
    let whole = io::Cursor::new(head).chain(super::Fault(fault)).chain(bytes);
    match looks {
        Looks::Tar | Looks::Zip => out.failed(Some(name), WITHIN),
        _ if is_compressed(looks) => compressed_member(name, whole, looks, out),
        _ => out.member(Some(name), whole),
    }
}

fn compressed_member(name: String, bytes: impl Read, looks: Looks, out: &Outgoing) -> Result<(), Gone> {
    match decompressed(Box::new(bytes), looks) {
        Ok((Looks::Tar | Looks::Zip, _)) => out.failed(Some(name), WITHIN),
        Ok((_, bytes)) => out.member(Some(name), bytes),
        Err(error) => out.failed(Some(name), error),
    }
}

const WITHIN: &str = "it is an archive within an archive";

fn damaged(what: &str, error: &dyn std::fmt::Display) -> io::Error {
    io::Error::other(format!("the {what} archive cannot be read on: {error}"))
}

/// A member of a tar archive, which must be as long as its header says.
struct Whole<R> {
    inner: R,
    left: u64,
}

impl<R: Read> Read for Whole<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buf)?;
        self.left = self.left.saturating_sub(read as u64);
        if read == 0 && self.left > 0 && !buf.is_empty() {
            return Err(io::Error::other(format!(
                "the tar archive ends {} bytes before this member",
                self.left
            )));
        }
        Ok(read)
    }
}
