//! Compressed inputs, archives, and rejects files: the dumps that are in them, one behind the other.
//!
//! ```text
//!  a thread of its own: file ─▶ decompress ─▶ members ──▶ a few buffers ──▶ Packed ─▶ Opened, one a member
//! ```
//!
//! Nothing is ever unpacked to disk, and a member's name is a name and nothing more: it leads nowhere.
//! What was whole before a fault is handed out before the fault is told. However much a few bytes become,
//! only a few buffers of it wait. It must not know what a dump is.

mod archive;
mod gzip;
mod rejects;
mod unpack;

use std::io::{self, Read};
use std::sync::atomic::AtomicU64;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use super::magic::{Looks, looks_like};
use super::{Bytes, HEAD, Opened};
use crate::error::{Error, Result};

/// Bytes of a buffer, and how many may wait.
const BUFFER: usize = 256 << 10;
const WAITING: usize = 4;

/// The members of a packed input.
pub struct Packed {
    /// The input's name.
    name: String,
    incoming: Arc<Mutex<Incoming>>,
    members: usize,
}

/// A member of a packed input.
pub struct Member {
    /// What column `source` says.
    pub name: String,
    /// Its format, where the input says it.
    pub format: Option<String>,
    /// Its bytes, or why there are none.
    pub what: What,
}

/// What became of a member.
pub enum What {
    /// It is open.
    Opened(Box<Opened>),
    /// It is passed over, for this reason.
    Skipped(String),
    /// It cannot be read.
    Failed(Error),
}

/// What the unpacking thread says, in this order: `Begin`, `Bytes` …, `End`, for each member; then `Done`.
enum Message {
    /// A member of that name; of an input that is only compressed it has none. Its format, where it is known.
    Begin { name: Option<String>, format: Option<String> },
    /// What follows of it: a buffer, and how many of its bytes.
    Bytes(Vec<u8>, usize),
    /// It has ended; or it could not be read on.
    End(Option<io::Error>),
    /// A member that is not read: its name, and why.
    Skipped(String, String),
    /// There are no more; or it cannot be told.
    Done(Option<io::Error>),
}

/// The receiving end, shared by the members and whoever reads one.
struct Incoming {
    messages: Receiver<Message>,
    /// Buffers that were read go back.
    empty: Sender<Vec<u8>>,
    buffer: Vec<u8>,
    at: usize,
    end: usize,
    /// The member that is open has not ended.
    is_open: bool,
}

/// The sending end. An error means that nobody listens any more.
struct Outgoing {
    messages: SyncSender<Message>,
    empty: Receiver<Vec<u8>>,
}

/// Nobody listens any more: the run was given up.
struct Gone;

/// Whether an input that begins so is unpacked.
pub fn is_packed(head: &[u8]) -> bool {
    let looks = looks_like(head);
    is_compressed(looks) || matches!(looks, Looks::Zip | Looks::Tar) || rejects::is_rejects(head)
}

fn is_compressed(looks: Looks) -> bool {
    matches!(looks, Looks::Gzip | Looks::Zstd | Looks::Bzip2 | Looks::Xz)
}

impl Packed {
    /// Begins to unpack an input; `taken` is raised by every byte that is taken from it.
    pub fn start(name: &str, opened: Opened, taken: Arc<AtomicU64>) -> Result<Packed> {
        let (send, messages) = sync_channel(WAITING);
        let (empty, returned) = channel();
        let outgoing = Outgoing { messages: send, empty: returned };
        let unpacking = move || unpack::input(opened, taken, &outgoing);
        let thread = thread::Builder::new().name("calltable-unpack".into()).spawn(unpacking);
        thread.map_err(|error| Error::input(name, format!("no thread to unpack it: {error}")))?;
        let incoming = Incoming { messages, empty, buffer: Vec::new(), at: 0, end: 0, is_open: false };
        Ok(Packed { name: name.into(), incoming: Arc::new(Mutex::new(incoming)), members: 0 })
    }
}

impl Iterator for Packed {
    type Item = Member;

    /// The next member; what is left of the one before is passed over.
    fn next(&mut self) -> Option<Member> {
        let begun = lock(&self.incoming).next_member();
        let whole = |what| Some(Member { name: self.name.clone(), format: None, what });
        let message = match begun {
            Ok(message) => message,
            Err(fault) => return whole(What::Failed(Error::input(&self.name, fault.to_string()))),
        };
        self.members += 1;
        match message {
            Message::Begin { name: within, format } => {
                let name = match &within {
                    Some(within) => format!("{}!{within}", self.name),
                    None => self.name.clone(),
                };
                let reader: Bytes = Box::new(MemberReader(self.incoming.clone()));
                let what = match Opened::from_reader(&name, reader) {
                    Ok(opened) => What::Opened(Box::new(opened)),
                    Err(error) => What::Failed(error),
                };
                Some(Member { name, format, what })
            }
            Message::Skipped(within, why) => Some(Member {
                name: format!("{}!{within}", self.name),
                format: None,
                what: What::Skipped(why),
            }),
            Message::Done(None) if self.members == 1 => {
                whole(What::Failed(Error::input(&self.name, "nothing is in it")))
            }
            Message::Done(None) => None,
            Message::Done(Some(fault)) => whole(What::Failed(Error::input(&self.name, fault.to_string()))),
            Message::Bytes(..) | Message::End(_) => None,
        }
    }
}

impl Incoming {
    /// Passes over what is left of the open member.
    fn next_member(&mut self) -> io::Result<Message> {
        while self.is_open {
            match self.receive()? {
                Message::End(_) => self.is_open = false,
                Message::Bytes(bytes, _) => drop(self.empty.send(bytes)),
                Message::Begin { .. } | Message::Skipped(..) | Message::Done(_) => return Err(lost()),
            }
        }
        self.at = self.end;
        let message = self.receive();
        self.is_open = matches!(message, Ok(Message::Begin { .. }));
        // Behind the last there is nothing, however often it is asked for.
        if message.is_err() { Ok(Message::Done(None)) } else { message }
    }

    fn receive(&mut self) -> io::Result<Message> {
        self.messages.recv().map_err(|_| lost())
    }

    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        while self.at == self.end {
            if !self.is_open {
                return Ok(0);
            }
            match self.receive() {
                Ok(Message::Bytes(bytes, len)) => {
                    let read = std::mem::replace(&mut self.buffer, bytes);
                    (self.at, self.end) = (0, len.min(self.buffer.len()));
                    // Nobody wants it back who has unpacked all.
                    drop(self.empty.send(read));
                }
                Ok(Message::End(fault)) => {
                    self.is_open = false;
                    return fault.map_or(Ok(0), Err);
                }
                Ok(Message::Begin { .. } | Message::Skipped(..) | Message::Done(_)) | Err(_) => {
                    self.is_open = false;
                    return Err(lost());
                }
            }
        }
        let read = (&self.buffer[self.at..self.end]).read(buf)?;
        self.at += read;
        Ok(read)
    }
}

/// The unpacking thread has ended in the middle: a fault of ours.
fn lost() -> io::Error {
    io::Error::other("unpacking it has failed by a fault of calltable")
}

fn lock(incoming: &Mutex<Incoming>) -> std::sync::MutexGuard<'_, Incoming> {
    incoming.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Reads the member that is open.
struct MemberReader(Arc<Mutex<Incoming>>);

impl Read for MemberReader {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        lock(&self.0).read(buf)
    }
}

impl Outgoing {
    fn send(&self, message: Message) -> std::result::Result<(), Gone> {
        self.messages.send(message).map_err(|_| Gone)
    }

    /// Sends a member: all that `bytes` gives, and the fault that ends it early.
    fn member(&self, name: Option<String>, mut bytes: impl Read) -> std::result::Result<(), Gone> {
        self.send(Message::Begin { name, format: None })?;
        loop {
            // One that comes back needs no zeros.
            let mut buffer = self.empty.try_recv().unwrap_or_default();
            buffer.resize(BUFFER, 0);
            let (filled, fault) = fill(&mut bytes, &mut buffer);
            if filled > 0 {
                self.send(Message::Bytes(buffer, filled))?;
            }
            if fault.is_some() || filled < BUFFER {
                return self.send(Message::End(fault));
            }
        }
    }

    /// Sends a member that cannot be read.
    fn failed(&self, name: Option<String>, why: impl Into<String>) -> std::result::Result<(), Gone> {
        self.send(Message::Begin { name, format: None })?;
        self.send(Message::End(Some(io::Error::other(why.into()))))
    }
}

/// Fills a buffer as far as it goes; how far, and the fault that ended it.
fn fill(bytes: &mut impl Read, buffer: &mut [u8]) -> (usize, Option<io::Error>) {
    let mut filled = 0;
    while filled < buffer.len() {
        match bytes.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return (filled, Some(error)),
        }
    }
    (filled, None)
}

/// Bytes on the unpacking thread, which may be borrowed of an archive.
type Stream<'a> = Box<dyn Read + 'a>;

/// The first bytes of a stream, and all of it.
fn peeked(mut bytes: Stream<'_>) -> (Vec<u8>, Stream<'_>) {
    let mut head = vec![0; HEAD];
    let (filled, fault) = fill(&mut bytes, &mut head);
    head.truncate(filled);
    let again = io::Cursor::new(head.clone());
    match fault {
        None => (head, Box::new(again.chain(bytes))),
        Some(fault) => (head, Box::new(again.chain(Fault(Some(fault))))),
    }
}

/// Gives a fault, once.
struct Fault(Option<io::Error>);

impl Read for Fault {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}
