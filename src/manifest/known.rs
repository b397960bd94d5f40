//! How an input is known again: by its content, which is its size, and a hash of its beginning and its end.
//!
//! So a log that was rotated or a folder that was moved is not added again, whatever its name; one that has grown
//! since is told, for its first part is in the dataset already. Nor is a log added again that was compressed when it
//! was rotated: where a compressed file begins as one does that is listed, it is unpacked as far as that goes.

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File};
use std::hash::Hasher;
use std::io::{self, Read, Seek, SeekFrom};

use serde::{Deserialize, Serialize};
use siphasher::sip128::{Hasher128, SipHasher24};

use super::{Listed, Manifest};
use crate::convert::Progress;
use crate::source::inputs::{Input, Place};
use crate::source::packed;
use crate::workers::unbroken;

/// What a file's content is known by.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Print {
    /// Its size.
    pub(crate) bytes: u64,
    /// A hash of its first 64 KiB.
    pub(crate) head: String,
    /// A hash of its last 64 KiB.
    pub(crate) tail: String,
    /// Whether it has a header at most.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(crate) is_one_line: bool,
}

/// How an input stands to a dataset.
#[derive(Debug, PartialEq)]
pub(crate) enum Standing {
    /// It is not in it; what it is to be known by, if it is no pipe.
    New(Option<Print>),
    /// It is in it, as this.
    Listed(Listed),
    /// It begins with what is in it, as this.
    Grown(Listed),
    /// It begins as this does, which is in it, and cannot be unpacked so far that more could be told: why.
    Unreadable(Listed, String),
}

/// The inputs of a dataset, by their content and by their beginnings.
#[derive(Debug, Default)]
pub(crate) struct Known {
    inputs: Vec<Listed>,
    by_print: HashMap<Print, usize>,
    /// By the length of what was hashed of their beginnings, and by that hash.
    by_head: BTreeMap<usize, HashMap<String, Vec<usize>>>,
}

/// So much of a file's beginning and end is hashed.
const ENDS: u64 = 64 << 10;

impl Known {
    /// The inputs of a dataset.
    pub(crate) fn of(manifest: &Manifest) -> Known {
        let mut known = Known::default();
        manifest.inputs.iter().for_each(|listed| known.add(listed.clone()));
        known
    }

    fn add(&mut self, listed: Listed) {
        let Some(print) = &listed.print else { return };
        let at = self.inputs.len();
        self.by_print.entry(print.clone()).or_insert(at);
        // All dumps of a kind begin with the same header.
        if !print.is_one_line {
            let of_length = self.by_head.entry(print.bytes.min(ENDS) as usize).or_default();
            of_length.entry(print.head.clone()).or_default().push(at);
        }
        self.inputs.push(listed);
    }

    /// How an input stands to the dataset; if it is new, it is known from now on. Once the caller wants an end, no more
    /// is unpacked, and what it says is not to be used.
    ///
    /// # Errors
    /// It cannot be read.
    pub(crate) fn standing(&mut self, input: &Input, progress: &Progress) -> io::Result<Standing> {
        let (Some(print), Place::File(path)) = (Print::of(input)?, &input.place) else {
            return Ok(Standing::New(None));
        };
        if let Some(at) = self.by_print.get(&print) {
            return Ok(Standing::Listed(self.inputs[*at].clone()));
        }
        let mut file = File::open(path)?;
        let head = held_at(&mut file, 0)?;
        if let Some(at) = self.beginning(&mut file, &head, print.bytes)? {
            return Ok(Standing::Grown(self.inputs[at].clone()));
        }
        // What cannot be unpacked is new: reading it tells why.
        if let Ok(Some(standing)) = unbroken(|| self.packed(file, &head, progress)) {
            return Ok(standing);
        }
        let (source, print) = (input.name.clone(), Some(print));
        self.add(Listed { source, print: print.clone(), ..Listed::default() });
        Ok(Standing::New(print))
    }

    /// The listed input that a file of so many bytes has grown from.
    fn beginning(&self, file: &mut File, head: &[u8], bytes: u64) -> io::Result<Option<usize>> {
        for (at, old) in self.that_begin(head) {
            let is_so = old.bytes < bytes
                && (old.bytes <= ENDS || hash(&held_at(file, old.bytes - ENDS)?) == old.tail);
            if is_so {
                return Ok(Some(at));
            }
        }
        Ok(None)
    }

    /// How the content of a compressed file stands to the dataset; nothing where it is new, or the file not compressed.
    fn packed(&self, mut file: File, head: &[u8], progress: &Progress) -> Option<Standing> {
        file.seek(SeekFrom::Start(0)).ok()?;
        let content = packed::content(file, head)?;
        let mut content = Passing { content, progress, passed: 0, last: Vec::new() };
        content.pass(ENDS).ok()?;
        let mut listed = self.that_begin(&content.last);
        listed.sort_by_key(|(_, old)| old.bytes);
        let mut grown = None;
        for (at, old) in listed {
            match content.goes_on_behind(old) {
                Ok(None) => {}
                Ok(Some(true)) => drop(grown.get_or_insert(at)),
                Ok(Some(false)) => return Some(Standing::Listed(self.inputs[at].clone())),
                Err(error) => return Some(Standing::Unreadable(self.inputs[at].clone(), error.to_string())),
            }
        }
        grown.map(|at| Standing::Grown(self.inputs[at].clone()))
    }

    /// The listed inputs whose beginnings stand at the front of these first bytes of another.
    fn that_begin(&self, head: &[u8]) -> Vec<(usize, &Print)> {
        // There may be as many lengths as inputs: each byte is hashed once for all of them.
        let (mut hasher, mut hashed) = (SipHasher24::new(), 0);
        let mut found = Vec::new();
        for (length, of_length) in self.by_head.range(1..=head.len()) {
            hasher.write(&head[hashed..*length]);
            hashed = *length;
            for at in of_length.get(&shown(&hasher)).into_iter().flatten() {
                found.extend(self.inputs[*at].print.as_ref().map(|print| (*at, print)));
            }
        }
        found
    }
}

/// Content that is passed over, of which the last 64 KiB are held.
struct Passing<'p, R> {
    content: R,
    progress: &'p Progress,
    passed: u64,
    last: Vec<u8>,
}

impl<R: Read> Passing<'_, R> {
    /// Whether more stands behind an input that begins as this; nothing where it goes on in another way.
    ///
    /// # Errors
    /// It cannot be read so far.
    fn goes_on_behind(&mut self, old: &Print) -> io::Result<Option<bool>> {
        self.pass(old.bytes.saturating_sub(self.passed))?;
        if self.passed < old.bytes || (old.bytes > ENDS && hash(&self.last) != old.tail) {
            return Ok(None);
        }
        Ok(Some(self.passed > old.bytes || self.pass(1)? > 0))
    }

    /// Goes on by so many bytes, or as many as there are; comes back with how many.
    ///
    /// # Errors
    /// It cannot be read on, or is not to be.
    fn pass(&mut self, bytes: u64) -> io::Result<u64> {
        let mut left = bytes;
        while left > 0 {
            self.progress.check().map_err(io::Error::other)?;
            let read = (&mut self.content).take(left.min(ENDS)).read_to_end(&mut self.last)? as u64;
            self.last.drain(..self.last.len().saturating_sub(ENDS as usize));
            self.passed += read;
            left -= read;
            if read == 0 {
                break;
            }
        }
        Ok(bytes - left)
    }
}

impl Print {
    /// That of an input; none of a pipe.
    ///
    /// # Errors
    /// It cannot be read.
    pub(crate) fn of(input: &Input) -> io::Result<Option<Print>> {
        let Place::File(path) = &input.place else { return Ok(None) };
        if !fs::metadata(path)?.is_file() {
            return Ok(None);
        }
        let mut file = File::open(path)?;
        let bytes = file.metadata()?.len();
        let (head, tail) = (held_at(&mut file, 0)?, held_at(&mut file, bytes.saturating_sub(ENDS))?);
        let line = head.iter().position(|byte| *byte == b'\n').map_or(head.len(), |end| end + 1);
        let is_one_line = line as u64 == bytes;
        Ok(Some(Print { bytes, head: hash(&head), tail: hash(&tail), is_one_line }))
    }
}

fn is_false(flag: &bool) -> bool {
    !flag
}

/// The 64 KiB that begin there, or what there is of them.
fn held_at(file: &mut File, at: u64) -> io::Result<Vec<u8>> {
    let mut held = Vec::new();
    file.seek(SeekFrom::Start(at))?;
    file.take(ENDS).read_to_end(&mut held)?;
    Ok(held)
}

fn hash(bytes: &[u8]) -> String {
    let mut hasher = SipHasher24::new();
    hasher.write(bytes);
    shown(&hasher)
}

fn shown(hasher: &SipHasher24) -> String {
    let hash = hasher.finish128();
    format!("{:016x}{:016x}", hash.h1, hash.h2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_passed_over_is_held_in_part_and_can_be_stopped() {
        let progress = Progress::default();
        let content = io::repeat(b'x').take(ENDS).chain(io::repeat(b'y').take(ENDS - 1));
        let mut passing = Passing { content, progress: &progress, passed: 0, last: Vec::new() };
        assert_eq!(passing.pass(ENDS + 1).unwrap(), ENDS + 1);
        assert_eq!(
            (passing.last.len(), passing.last.iter().filter(|byte| **byte == b'y').count()),
            (ENDS as usize, 1)
        );
        assert_eq!(passing.pass(ENDS).unwrap(), ENDS - 2);
        assert_eq!((passing.pass(1).unwrap(), passing.passed), (0, 2 * ENDS - 1));
        progress.stop();
        assert!(passing.pass(1).is_err());
    }
}
