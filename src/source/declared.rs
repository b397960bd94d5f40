//! The encoding that an XML declaration names, and the transcoding of a whole dump by it.
//!
//! Must not know what the text says behind its declaration. Only that declaration is looked at, which
//! stands at the very first byte or nowhere: `<?xml version="1.0" encoding="GBK"?>`. A byte order mark
//! says more than a declaration, and a name that nobody knows says nothing.
//!
//! As with UTF-16, nothing is altered unnoticed: where bytes mean nothing in the encoding the text has a
//! byte that no UTF-8 has, and the one record that holds it is rejected later.

use std::io::{self, Read};

use encoding_rs::{Decoder, DecoderResult, Encoding, UTF_8, UTF_16BE, UTF_16LE};
use memchr::memmem;

/// The declaration ends within so many bytes.
pub const LONGEST: usize = 512;

/// So many bytes are transcoded at once.
const STEP: usize = 64 * 1024;

/// Stands in the text for bytes that mean nothing; no UTF-8 text has it.
const DAMAGE: u8 = 0xFF;

/// The encoding that is declared at the front of a dump, if it is another than UTF-8.
pub fn declared(head: &[u8]) -> Option<&'static Encoding> {
    let head = &head[..head.len().min(LONGEST)];
    let inner = head.strip_prefix(b"<?xml")?;
    let inner = &inner[..memmem::find(inner, b"?>")?];
    let value = inner[memmem::find(inner, b"encoding")? + 8..].trim_ascii_start();
    let value = value.strip_prefix(b"=")?.trim_ascii_start();
    let quote = value.first().filter(|byte| matches!(byte, b'"' | b'\''))?;
    let label = value[1..].split(|byte| byte == quote).next()?;
    let found = Encoding::for_label_no_replacement(label)?;
    // What was read here as ASCII is no UTF-16, whatever it says.
    (found != UTF_8 && found != UTF_16LE && found != UTF_16BE).then_some(found)
}

/// Bytes of that encoding in, UTF-8 out, a step at a time.
pub struct Recoder {
    decoder: Decoder,
    raw: Vec<u8>,
    fault: Option<io::Error>,
    ended: bool,
}

impl Recoder {
    /// Nothing read yet but `raw`.
    pub fn new(encoding: &'static Encoding, raw: Vec<u8>) -> Recoder {
        Recoder { decoder: encoding.new_decoder_without_bom_handling(), raw, fault: None, ended: false }
    }

    /// Reads a step and appends its text: none only at the end. Text that was read before a fault is given
    /// first, the fault by the next call.
    pub fn refill(&mut self, inner: &mut impl Read, text: &mut Vec<u8>) -> io::Result<()> {
        while text.is_empty() && self.fault.is_none() && !self.ended {
            let missing = STEP - self.raw.len();
            match inner.take(missing as u64).read_to_end(&mut self.raw) {
                Ok(n) => self.ended = n < missing,
                Err(fault) => self.fault = Some(fault),
            }
            self.transcode(text, self.ended);
        }
        match self.fault.take_if(|_| text.is_empty()) {
            Some(fault) => Err(fault),
            None => Ok(()),
        }
    }

    /// Appends the text of what was read; the first bytes of a character are kept for the next time,
    /// unless this is the `last`.
    pub fn transcode(&mut self, text: &mut Vec<u8>, last: bool) {
        let mut rest = &self.raw[..];
        loop {
            let start = text.len();
            let room = self.decoder.max_utf8_buffer_length_without_replacement(rest.len()).unwrap_or(STEP);
            text.resize(start + room, 0);
            let (result, read, written) =
                self.decoder.decode_to_utf8_without_replacement(rest, &mut text[start..], last);
            text.truncate(start + written);
            rest = &rest[read..];
            match result {
                DecoderResult::InputEmpty => break,
                DecoderResult::OutputFull => {}
                DecoderResult::Malformed(..) => text.push(DAMAGE),
            }
        }
        self.raw.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::super::text::TextReader;
    use super::*;

    #[track_caller]
    fn check(bytes: &[u8], text: &str, encoding: &str) {
        for step in [1, 2, 3, 7, 1 << 20] {
            let mut reader = TextReader::open(super::super::hard::Short { bytes, step }).unwrap();
            let mut read = Vec::new();
            reader.read_to_end(&mut read).unwrap();
            assert_eq!(String::from_utf8_lossy(&read), text, "{step} bytes at a time");
            assert_eq!((reader.start(), reader.encoding().as_str()), (0, encoding));
        }
    }

    #[test]
    fn gbk_is_transcoded() {
        let head = "<?xml version=\"1.0\" encoding=\"GBK\"?>";
        let bytes = [head.as_bytes(), b"<a>\xD6\xD0\xCE\xC4</a>"].concat();
        check(&bytes, &format!("{head}<a>中文</a>"), "GBK");
    }

    #[test]
    fn latin_1_is_transcoded_as_browsers_do() {
        let head = "<?xml version='1.0' encoding = 'iso-8859-1' standalone='yes'?>";
        check(&[head.as_bytes(), b"Jos\xE9"].concat(), &format!("{head}José"), "windows-1252");
    }

    #[test]
    fn bytes_that_mean_nothing_are_no_utf8_and_cost_no_tag() {
        let head = "<?xml version=\"1.0\" encoding=\"gb2312\"?>";
        check(
            &[head.as_bytes(), b"<a>\xFF</a>\xD6"].concat(),
            &format!("{head}<a>\u{fffd}</a>\u{fffd}"),
            "GBK",
        );
    }

    #[test]
    fn a_text_of_many_steps_is_one() {
        let head = "<?xml version=\"1.0\" encoding=\"GBK\"?>";
        let bytes = [head.as_bytes(), b"x", &b"\xD6\xD0".repeat(STEP)].concat();
        check(&bytes, &format!("{head}x{}", "中".repeat(STEP)), "GBK");
    }

    #[test]
    fn utf8_and_what_nobody_knows_pass_as_they_are() {
        for head in [
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>é",
            "<?xml version=\"1.0\"?>é",
            "<?xml encoding=\"klingon\"?>é",
            "<?xml version=\"1.0\" encoding=\"utf-16\"?>é",
            "<root encoding=\"GBK\">é",
        ] {
            check(head.as_bytes(), head, "utf-8");
        }
    }

    #[test]
    fn a_mark_says_more_than_a_declaration() {
        let text = "<?xml version=\"1.0\" encoding=\"GBK\"?>é";
        let bytes: Vec<u8> =
            [0xFEFF].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
        check(&bytes, text, "utf-16le");
    }

    #[test]
    fn utf16_without_a_mark_is_told_by_its_declaration() {
        let text = "<?xml version=\"1.0\" encoding=\"UTF-16\"?><a>é中</a>";
        check(&text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>(), text, "utf-16le");
        check(&text.encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<_>>(), text, "utf-16be");
    }
}
