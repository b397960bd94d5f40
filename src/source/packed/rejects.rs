//! A rejects file is an input: its raw records are read again, under the format and the header that they
//! had.
//!
//! Lines that follow each other under one source and format, of CSV also one header, are a member: a dump of that
//! header and those records, blank lines between them. Of a record that was part of a document the header is what it
//! stood in, and is written round each. What is only a piece of a record would read as another record, or as one with
//! the next piece, so the member that has such a line fails behind its other records.

use std::io::{self, BufRead, BufReader, Read};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use memchr::memchr2;
use serde::Deserialize;

use crate::format::{around, by_name};

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
    header: Option<String>,
    /// Its record's text; nothing where that is not whole.
    raw: Option<Vec<u8>>,
    /// Ends the lines of the record, which may be several.
    eol: u8,
    /// Its dump cuts it off.
    is_truncated: bool,
}

impl Reject {
    fn read(line: &[u8]) -> Result<Reject, String> {
        let line: Line = serde_json::from_slice(line).map_err(|error| error.to_string())?;
        let Line { source, format, reason, header, .. } = line;
        let raw = match (line.raw, line.raw_base64) {
            (Some(raw), _) => Some(raw.into_bytes()),
            (None, Some(raw)) => STANDARD.decode(raw).ok(),
            (None, None) => None,
        };
        let known = by_name(&format);
        let is_whole = |raw: &Vec<u8>| known.is_none_or(|known| around::is_whole(known, raw));
        let is_event = known.is_some_and(|known| known.ami().is_some());
        let eol = raw.as_deref().filter(|_| is_event).map_or(b'\n', eol_of);
        let raw = raw.filter(|raw| !line.raw_cut && is_whole(raw));
        Ok(Reject { source, format, header, raw, eol, is_truncated: reason == TRUNCATED })
    }
}

/// What ends the first line of an event.
fn eol_of(event: &[u8]) -> u8 {
    match memchr2(b'\r', b'\n', event) {
        Some(end) if event[end] == b'\r' && event.get(end + 1) != Some(&b'\n') => b'\r',
        _ => b'\n',
    }
}

/// The reason of a record that its dump cuts off.
const TRUNCATED: &str = "truncated";

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
        let line = match bytes.by_ref().take(LONGEST).read_until(b'\n', &mut text) {
            Ok(0) => break,
            Ok(_) => Reject::read(&text),
            Err(error) => Err(error.to_string()),
        };
        let line = match line {
            Ok(line) => line,
            Err(why) => {
                let fault = io::Error::other(format!("line {number} is no line of a rejects file: {why}"));
                if let Some(member) = member.take() {
                    member.end(out)?;
                }
                return out.send(Message::Done(Some(fault)));
            }
        };
        if member.as_ref().is_none_or(|member| !member.takes(&line)) {
            if let Some(member) = member.take() {
                member.end(out)?;
            }
            out.send(Message::Begin { name: Some(line.source.clone()), format: Some(line.format.clone()) })?;
            member = Some(Member::new(&line));
        }
        if let Some(member) = &mut member {
            member.add(line, out)?;
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
    /// The CSV's header.
    header: Option<String>,
    /// What closes that which a record stood in; nothing of CSV.
    behind: Option<String>,
    /// Ends the lines of its records.
    eol: u8,
    buffer: Vec<u8>,
    /// Records that are not whole.
    cut: u64,
}

impl Member {
    fn new(line: &Reject) -> Member {
        let Reject { source, format, header, .. } = line;
        let behind = by_name(format).and_then(around::behind);
        let header = header.clone().filter(|_| behind.is_none());
        let mut buffer = Vec::new();
        if let Some(header) = &header {
            buffer.extend_from_slice(header.as_bytes());
            buffer.push(b'\n');
        }
        let (source, format) = (source.clone(), format.clone());
        Member { source, format, header, behind, eol: line.eol, buffer, cut: 0 }
    }

    fn takes(&self, line: &Reject) -> bool {
        let is_header = self.behind.is_some() || self.header == line.header;
        (&self.source, &self.format, self.eol) == (&line.source, &line.format, line.eol) && is_header
    }

    fn add(&mut self, line: Reject, out: &Outgoing) -> Result<(), Gone> {
        let Some(raw) = line.raw else {
            self.cut += 1;
            return Ok(());
        };
        let around = line.header.as_deref().zip(self.behind.as_deref());
        let (before, behind) = around.unwrap_or_default();
        for piece in [before.as_bytes(), &raw, behind.as_bytes(), &[self.eol]] {
            self.buffer.extend_from_slice(piece);
        }
        // What was cut off must not be ended by the blank line behind it.
        if !line.is_truncated {
            self.buffer.push(self.eol);
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
