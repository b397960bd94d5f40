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
mod xz;

use std::fs::File;
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
    /// Something was in it.
    has_members: bool,
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
    state: State,
}

/// Where the receiving end stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Between,
    /// In a member that has not ended.
    Within,
    /// Behind the last member, or a fault behind which there is nothing to be had.
    Done,
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

/// What is in a file that begins so, if that is compressed, and no archive; unpacked by whoever reads it.
pub fn content(file: File, head: &[u8]) -> Option<Box<dyn Read>> {
    let looks = looks_like(head);
    if !is_compressed(looks) {
        return None;
    }
    let (looks, bytes) = unpack::decompressed(Box::new(file), looks).ok()?;
    (!matches!(looks, Looks::Zip | Looks::Tar)).then_some(bytes)
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
        Ok(Packed::receiving(name, messages, empty))
    }

    fn receiving(name: &str, messages: Receiver<Message>, empty: Sender<Vec<u8>>) -> Packed {
        let incoming = Incoming { messages, empty, buffer: Vec::new(), at: 0, end: 0, state: State::Between };
        Packed { name: name.into(), incoming: Arc::new(Mutex::new(incoming)), has_members: false }
    }
}

impl Iterator for Packed {
    type Item = Member;

    /// The next member; what is left of the one before is passed over.
    fn next(&mut self) -> Option<Member> {
        let message = lock(&self.incoming).next_member()?;
        let had_members = std::mem::replace(&mut self.has_members, true);
        let within = |name: String| format!("{}!{name}", self.name);
        let (name, format, what) = match message {
            Message::Begin { name, format } => {
                let name = name.map_or_else(|| self.name.clone(), within);
                let reader: Bytes = Box::new(MemberReader(self.incoming.clone()));
                let opened = Opened::from_reader(&name, reader);
                let what = opened.map_or_else(What::Failed, |opened| What::Opened(Box::new(opened)));
                (name, format, what)
            }
            Message::Skipped(name, why) => (within(name), None, What::Skipped(why)),
            Message::Done(None) if had_members => return None,
            Message::Done(fault) => {
                let why = fault.map_or_else(|| "nothing is in it".to_string(), |fault| fault.to_string());
                (self.name.clone(), None, What::Failed(Error::input(&self.name, why)))
            }
            Message::Bytes(..) | Message::End(_) => return None,
        };
        Some(Member { name, format, what })
    }
}

impl Incoming {
    /// What stands behind the open member, of which the rest is passed over; nothing behind the last.
    fn next_member(&mut self) -> Option<Message> {
        self.at = self.end;
        loop {
            let message = match self.state {
                State::Done => return None,
                State::Between | State::Within => self.messages.recv(),
            };
            match (self.state, message) {
                (State::Within, Ok(Message::Bytes(bytes, _))) => drop(self.empty.send(bytes)),
                (State::Within, Ok(Message::End(_))) => self.state = State::Between,
                (State::Between, Ok(message @ Message::Begin { .. })) => {
                    self.state = State::Within;
                    return Some(message);
                }
                (State::Between, Ok(message @ Message::Skipped(..))) => return Some(message),
                (State::Between, Ok(message @ Message::Done(_))) => {
                    self.state = State::Done;
                    return Some(message);
                }
                // Whoever is gone without a word may have had more to say.
                (_, Ok(_) | Err(_)) => {
                    self.state = State::Done;
                    return Some(Message::Done(Some(lost())));
                }
            }
        }
    }

    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        while self.at == self.end {
            if self.state != State::Within {
                return Ok(0);
            }
            match self.messages.recv() {
                Ok(Message::Bytes(bytes, len)) => {
                    let read = std::mem::replace(&mut self.buffer, bytes);
                    (self.at, self.end) = (0, len.min(self.buffer.len()));
                    // Nobody wants it back who has unpacked all.
                    drop(self.empty.send(read));
                }
                Ok(Message::End(fault)) => {
                    self.state = State::Between;
                    return fault.map_or(Ok(0), Err);
                }
                Ok(Message::Begin { .. } | Message::Skipped(..) | Message::Done(_)) | Err(_) => {
                    self.state = State::Done;
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

#[cfg(test)]
mod tests {
    use super::*;

    /// What is told where the unpacking thread says this, and is gone.
    fn told(messages: Vec<Message>, is_read: bool) -> Vec<String> {
        let (send, receive) = sync_channel(messages.len());
        messages.into_iter().for_each(|message| assert!(send.send(message).is_ok()));
        drop(send);
        let packed = Packed::receiving("a.zip", receive, channel().0);
        let told = |member: Member| match member.what {
            What::Opened(mut opened) if is_read => {
                let mut text = String::new();
                let read = opened.reader.read_to_string(&mut text).map_err(|error| error.to_string());
                format!("{} {text} {read:?}", member.name)
            }
            What::Opened(_) => member.name,
            What::Skipped(why) => format!("{}: {why}", member.name),
            What::Failed(error) => error.to_string(),
        };
        packed.take(9).map(told).collect()
    }

    fn member(name: &str) -> [Message; 2] {
        let begin = Message::Begin { name: Some(name.into()), format: None };
        [begin, Message::Bytes(b"text".to_vec(), 4)]
    }

    const LOST: &str = "a.zip: unpacking it has failed by a fault of calltable";

    #[test]
    fn a_thread_that_is_gone_between_members_is_a_fault() {
        let messages = || member("x").into_iter().chain([Message::End(None)]).collect::<Vec<_>>();
        assert_eq!(told(messages(), true), ["a.zip!x text Ok(4)", LOST]);
        assert_eq!(told(messages(), false), ["a.zip!x", LOST]);
        let whole = || messages().into_iter().chain([Message::Done(None)]).collect::<Vec<_>>();
        assert_eq!(told(whole(), true), ["a.zip!x text Ok(4)"]);
        assert_eq!(told(whole(), false), ["a.zip!x"]);
    }

    #[test]
    fn a_thread_that_is_gone_within_a_member_is_a_fault_once() {
        let messages = || member("x").into();
        let fault = "unpacking it has failed by a fault of calltable";
        assert_eq!(told(messages(), true), [format!("a.zip!x text Err({fault:?})")]);
        // Its head is read to be looked at, and its fault with it.
        assert_eq!(told(messages(), false), ["a.zip!x"]);
        assert_eq!(told(Vec::new(), false), [LOST]);
    }

    #[test]
    fn an_archive_of_nothing_is_told() {
        assert_eq!(told(vec![Message::Done(None)], true), ["a.zip: nothing is in it"]);
    }
}
