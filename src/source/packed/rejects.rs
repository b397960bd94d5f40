//! A rejects file is an input: its raw records are read again, under the format and the header that they
//! had.
//!
//! Lines that follow each other under one source and format, of CSV also one header, are a member: a dump of that
//! header and those records, blank lines between them. Of a record that was part of a document the header is what it
//! stood in, and is written round each. What is only a record's beginning would read as another record, so the member
//! that has such a line fails behind its other records.

use std::io::{self, BufRead, BufReader, Read};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
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

/// The reason of a record that its dump cuts off.
const TRUNCATED: &str = "truncated";

impl Line {
    /// What ends the lines of its record: an event has several.
    fn eol(&self) -> &'static [u8] {
        let is_event = by_name(&self.format).is_some_and(|format| format.ami().is_some());
        let raw = self.raw.as_deref().unwrap_or_default();
        if is_event && raw.contains('\r') && !raw.contains('\n') { b"\r" } else { b"\n" }
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
        let line = match bytes.by_ref().take(LONGEST).read_until(b'\n', &mut text) {
            Ok(0) => break,
            Ok(_) => read(&text),
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

fn read(text: &[u8]) -> Result<Line, String> {
    serde_json::from_slice(text).map_err(|error| error.to_string())
}

/// A member that is being sent.
struct Member {
    source: String,
    format: String,
    /// The CSV's header.
    header: Option<String>,
    /// What closes that which a record stood in; nothing of CSV.
    behind: Option<String>,
    /// Ends a line.
    eol: &'static [u8],
    buffer: Vec<u8>,
    /// Records of which there is only the beginning.
    cut: u64,
}

impl Member {
    fn new(line: &Line) -> Member {
        let Line { source, format, header, .. } = line;
        let behind = by_name(format).and_then(around::behind);
        let header = header.clone().filter(|_| behind.is_none());
        let mut buffer = Vec::new();
        if let Some(header) = &header {
            buffer.extend_from_slice(header.as_bytes());
            buffer.push(b'\n');
        }
        let (source, format) = (source.clone(), format.clone());
        Member { source, format, header, behind, eol: line.eol(), buffer, cut: 0 }
    }

    fn takes(&self, line: &Line) -> bool {
        let is_header = self.behind.is_some() || self.header == line.header;
        (&self.source, &self.format, self.eol) == (&line.source, &line.format, line.eol()) && is_header
    }

    fn add(&mut self, line: Line, out: &Outgoing) -> Result<(), Gone> {
        let raw = match (line.raw, line.raw_base64) {
            (Some(raw), _) => raw.into_bytes(),
            (None, Some(raw)) => match STANDARD.decode(raw) {
                Ok(raw) => raw,
                Err(_) => return self.count_cut(),
            },
            (None, None) => return self.count_cut(),
        };
        if line.raw_cut {
            return self.count_cut();
        }
        let around = line.header.as_deref().zip(self.behind.as_deref());
        let (before, behind) = around.unwrap_or_default();
        // What was cut off must not be ended by the blank line behind it.
        let blank = if line.reason == TRUNCATED { b"" } else { self.eol };
        for piece in [before.as_bytes(), &raw, behind.as_bytes(), self.eol, blank] {
            self.buffer.extend_from_slice(piece);
        }
        if self.buffer.len() >= BUFFER {
            let bytes = std::mem::take(&mut self.buffer);
            let len = bytes.len();
            out.send(Message::Bytes(bytes, len))?;
        }
        Ok(())
    }

    fn count_cut(&mut self) -> Result<(), Gone> {
        self.cut += 1;
        Ok(())
    }

    fn end(self, out: &Outgoing) -> Result<(), Gone> {
        if !self.buffer.is_empty() {
            let len = self.buffer.len();
            out.send(Message::Bytes(self.buffer, len))?;
        }
        let fault = (self.cut > 0).then(|| {
            let what = "records that are not whole in the rejects file, only in the dump itself";
            io::Error::other(format!("{what}: {}", self.cut))
        });
        out.send(Message::End(fault))
    }
}
