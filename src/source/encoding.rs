//! `--encoding LABEL`: how one record is read that is not valid UTF-8.
//!
//! Must not know where the record comes from, nor what it holds. This is not the transcoding of a
//! whole dump, which `text` does before anything is split: here a record was already found by its
//! ASCII structure, and only its bytes are read by another table. Hence no encoding is accepted in
//! which that structure is not ASCII.

use encoding_rs::{Encoding, UTF_16BE, UTF_16LE};

use crate::error::{Error, Result};

/// The encoding that a WHATWG label names (`gbk`, `windows-1252`, `latin1`, …), any case.
pub fn by_label(label: &str) -> Result<&'static Encoding> {
    // Some labels stand for encodings that browsers refuse as unsafe; those decode nothing.
    match Encoding::for_label_no_replacement(label.as_bytes()) {
        Some(found) if found == UTF_16LE || found == UTF_16BE => Err(Error::usage(format!(
            "--encoding {label}: UTF-16 is told by the dump's byte order mark and needs no --encoding"
        ))),
        Some(found) => Ok(found),
        None => Err(Error::usage(format!(
            "--encoding {label}: no such encoding; a WHATWG label is asked for, such as gbk, big5, shift_jis, \
             euc-kr, windows-1251, windows-1252 or iso-8859-2"
        ))),
    }
}

/// The record's text, or `None` if some of its bytes mean nothing in that encoding.
pub fn decode_record(bytes: &[u8], encoding: &'static Encoding) -> Option<String> {
    let text = encoding.decode_without_bom_handling_and_without_replacement(bytes)?;
    Some(text.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    fn decoded(label: &str, bytes: &[u8]) -> Option<String> {
        decode_record(bytes, by_label(label).unwrap())
    }

    #[test]
    fn gbk_is_decoded() {
        assert_eq!(decoded("gbk", b"5300,\xD6\xD0\xCE\xC4").as_deref(), Some("5300,中文"));
    }

    #[test]
    fn windows_1252_is_decoded() {
        assert_eq!(decoded("windows-1252", b"Jos\xE9 \x80").as_deref(), Some("José €"));
    }

    #[test]
    fn labels_have_synonyms_in_any_case() {
        assert_eq!(by_label("Latin1").unwrap().name(), "windows-1252");
        assert_eq!(by_label(" CP1251 ").unwrap().name(), "windows-1251");
    }

    #[test]
    fn malformed_bytes_decode_to_nothing() {
        assert_eq!(decoded("gbk", b"abc\xFF"), None);
        assert_eq!(decoded("gbk", b"cut \xD6"), None);
        assert_eq!(decoded("utf-8", b"\xED\xA0\x80"), None);
    }

    #[test]
    fn a_byte_order_mark_is_not_looked_for_within_a_dump() {
        assert_eq!(decoded("windows-1252", b"\xEF\xBB\xBFa").as_deref(), Some("ï»¿a"));
    }

    #[test]
    fn an_unknown_label_is_wrong_usage() {
        let error = by_label("klingon").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage);
        assert!(error.to_string().contains("klingon") && error.to_string().contains("gbk"), "{error}");
    }

    #[test]
    fn labels_that_decode_nothing_are_unknown() {
        assert!(by_label("hz-gb-2312").is_err());
    }

    #[test]
    fn utf_16_is_refused_for_records() {
        for label in ["utf-16", "utf-16le", "utf-16be", "unicode"] {
            assert!(by_label(label).unwrap_err().to_string().contains("byte order mark"), "{label}");
        }
    }
}
