//! What the unpacking thread does: compressions are opened, one within another at most once more, and
//! archives are taken apart.
//!
//! Memory is bounded by each format's own window, and by a limit where a file may ask for any: what needs
//! more fails by name.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use super::gzip::Gzip;
use super::xz::Xz;
use super::{Gone, Message, Outgoing, Stream as Bytes, archive, is_compressed, peeked, rejects};
use crate::source::Opened;
use crate::source::chunk::Counted;
use crate::source::magic::{Looks, looks_like};

/// Compressions one within the other.
const MOST_LAYERS: usize = 2;

/// A window of zstd has at most 2 to the power of so many bytes: what `zstd --ultra -22` asks for.
const ZSTD_WINDOW: u32 = 27;

/// Unpacks an input.
pub(super) fn input(opened: Opened, taken: Arc<AtomicU64>, out: &Outgoing) {
    let looks = looks_like(&opened.head);
    let Opened { file, reader, .. } = opened;
    let unpacked = match (looks, file) {
        // The list of a zip's members stands at its end: a file can be sought in.
        (Looks::Zip, Some(path)) => match File::open(path) {
            Ok(file) => archive::zip(Counted::new(file, taken), out),
            Err(error) => out.send(Message::Done(Some(error))),
        },
        _ => stream(Box::new(Counted::new(reader, taken)), looks, out),
    };
    // Nobody listens any more: there is nobody to be told.
    drop(unpacked);
}

fn stream(bytes: Bytes<'_>, looks: Looks, out: &Outgoing) -> Result<(), Gone> {
    let (looks, bytes) = match decompressed(bytes, looks) {
        Ok(decompressed) => decompressed,
        Err(error) => {
            out.failed(None, error)?;
            return out.send(Message::Done(None));
        }
    };
    match looks {
        Looks::Tar => archive::tar(bytes, out),
        Looks::Zip => archive::zip_stream(bytes, out),
        Looks::Json => {
            let (head, bytes) = peeked(bytes);
            if rejects::is_rejects(&head) {
                return rejects::rejects(bytes, out);
            }
            whole(bytes, out)
        }
        _ => whole(bytes, out),
    }
}

/// An input that is one dump.
fn whole(bytes: Bytes<'_>, out: &Outgoing) -> Result<(), Gone> {
    out.member(None, bytes)?;
    out.send(Message::Done(None))
}

/// What is below all compressions, and what it looks like; or why it is not read.
pub(super) fn decompressed(mut bytes: Bytes<'_>, mut looks: Looks) -> Result<(Looks, Bytes<'_>), String> {
    let mut layers = 0;
    while is_compressed(looks) {
        layers += 1;
        if layers > MOST_LAYERS {
            return Err(format!("compressed more than {MOST_LAYERS} times"));
        }
        let decoder = decoder(bytes, looks).map_err(|error| error.to_string())?;
        let (head, whole) = peeked(decoder);
        (looks, bytes) = (looks_like(&head), whole);
    }
    Ok((looks, bytes))
}

fn decoder(bytes: Bytes<'_>, looks: Looks) -> io::Result<Bytes<'_>> {
    Ok(match looks {
        Looks::Gzip => Box::new(Told { what: "gzip", inner: Gzip::new(bytes) }),
        Looks::Zstd => {
            let mut decoder = zstd::stream::read::Decoder::new(bytes)?;
            decoder.window_log_max(ZSTD_WINDOW)?;
            Box::new(Told { what: "Zstandard", inner: decoder })
        }
        Looks::Bzip2 => {
            let inner = bzip2::bufread::MultiBzDecoder::new(BufReader::new(bytes));
            Box::new(Told { what: "bzip2", inner })
        }
        Looks::Xz => Box::new(Told { what: "xz", inner: Xz::new(bytes)? }),
        _ => bytes,
    })
}

/// A fault of a decoder, in words that tell what it was at.
pub(super) struct Told<R> {
    pub(super) what: &'static str,
    pub(super) inner: R,
}

impl<R: Read> Read for Told<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.inner.read(buf).map_err(|error| match error.kind() {
            io::ErrorKind::Interrupted => error,
            io::ErrorKind::UnexpectedEof => {
                io::Error::other(format!("the {} data ends in the middle", self.what))
            }
            _ => io::Error::other(format!("the {} data cannot be read on: {error}", self.what)),
        })
    }
}
