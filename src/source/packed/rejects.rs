//! A rejects file is an input: its raw records are read again, under the format and the header that they
//! had.
//!
//! Lines that follow each other under one source, format and header are a member: a dump of that header and those
//! records, as `around.rs` writes them. What is only a piece of a record would read as another record, or as one with
//! the next piece, so the member that has such a line fails behind its other records.

use std::io::{self, BufRead, BufReader, Read};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use crate::around::Piece;

use super::{BUFFER, Gone, Message, Outgoing};

/// A line may have so many bytes: the largest record that is kept whole, every byte of it escaped.
const LONGEST: u64 = 128 << 20;

/// What a line of a rejects file begins with.
const BEGINNING: &[u8] = b"{\"source\":\"";

/// What is read of a line.
#[derive(Deserialize)]
struct Line {
    source: String,
    format: String,
    #[serde(default)]
    reason: String,
    header: Option<String>,
    raw: Option<String>,
    raw_base64: Option<String>,
    #[serde(default)]
    raw_cut: bool,
}

/// A line that was read.
struct Reject {
    source: String,
    format: String,
    piece: Piece,
}

impl Reject {
    fn read(line: &[u8]) -> Result<Reject, String> {
        let line: Line = serde_json::from_slice(line).map_err(|error| error.to_string())?;
        let raw = match (line.raw, line.raw_base64) {
            (Some(raw), _) => Some(raw.into_bytes()),
            (None, Some(raw)) => STANDARD.decode(raw).ok(),
            (None, None) => None,
        };
        let raw = raw.filter(|_| !line.raw_cut);
        let piece = Piece::new(&line.format, &line.reason, line.header, raw);
        Ok(Reject { source: line.source, format: line.format, piece })
    }
}

/// Whether a file that begins so is one.
pub(super) fn is_rejects(head: &[u8]) -> bool {
    let line = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let has = |key: &str| memchr::memmem::find(line, key.as_bytes()).is_some();
    line.starts_with(BEGINNING) && has("\",\"format\":\"") && has(",\"record\":") && has("\"reason\":\"")
}

/// Sends its members.
pub(super) fn rejects(bytes: impl Read, out: &Outgoing) -> Result<(), Gone> {
    let mut bytes = BufReader::with_capacity(BUFFER, bytes);
    let (mut text, mut number) = (Vec::new(), 0u64);
    let mut member: Option<Member> = None;
    loop {
        text.clear();
        number += 1;
        let reject = match bytes.by_ref().take(LONGEST).read_until(b'\n', &mut text) {
            Ok(0) => break,
            Ok(_) => Reject::read(&text),
            Err(error) => Err(error.to_string()),
        };
        let reject = match reject {
            Ok(reject) => reject,
            Err(why) => {
                let fault = io::Error::other(format!("line {number} is no line of a rejects file: {why}"));
                if let Some(member) = member.take() {
                    member.end(out)?;
                }
                return out.send(Message::Done(Some(fault)));
            }
        };
        if member.as_ref().is_none_or(|member| !member.takes(&reject)) {
            if let Some(member) = member.take() {
                member.end(out)?;
            }
            out.send(Message::Begin {
                name: Some(reject.source.clone()),
                format: Some(reject.format.clone()),
            })?;
            member = Some(Member::new(&reject));
        }
        if let Some(member) = &mut member {
            member.add(reject.piece, out)?;
        }
    }
    if let Some(member) = member.take() {
        member.end(out)?;
    }
    out.send(Message::Done(None))
}

/// A member that is being sent.
struct Member {
    source: String,
    format: String,
    header: Option<String>,
    eol: u8,
    buffer: Vec<u8>,
    /// Records that are not whole.
    cut: u64,
}

impl Member {
    fn new(reject: &Reject) -> Member {
        let Reject { source, format, piece } = reject;
        let mut buffer = Vec::new();
        if let Some(header) = &piece.header {
            buffer.extend_from_slice(header.as_bytes());
            buffer.push(b'\n');
        }
        let (source, format, header) = (source.clone(), format.clone(), piece.header.clone());
        Member { source, format, header, eol: piece.eol, buffer, cut: 0 }
    }

    fn takes(&self, reject: &Reject) -> bool {
        let Reject { source, format, piece } = reject;
        (&self.source, &self.format, &self.header, self.eol) == (source, format, &piece.header, piece.eol)
    }

    fn add(&mut self, piece: Piece, out: &Outgoing) -> Result<(), Gone> {
        match piece.text {
            Some(text) => self.buffer.extend_from_slice(&text),
            None => self.cut += 1,
        }
        if self.buffer.len() >= BUFFER {
            let bytes = std::mem::take(&mut self.buffer);
            let len = bytes.len();
            out.send(Message::Bytes(bytes, len))?;
        }
        Ok(())
    }

    fn end(self, out: &Outgoing) -> Result<(), Gone> {
        if !self.buffer.is_empty() {
            let len = self.buffer.len();
            out.send(Message::Bytes(self.buffer, len))?;
        }
        let fault = (self.cut > 0).then(|| {
            let what = "records that are not whole in the rejects file, so that they cannot be read again";
            io::Error::other(format!("{what}: {}", self.cut))
        });
        out.send(Message::End(fault))
    }
}
