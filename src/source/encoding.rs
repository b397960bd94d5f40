//! `--encoding LABEL`: which encoding it names, in which one record is read that is not valid UTF-8.
//!
//! This is not the transcoding of a whole dump, which `text` does before anything is split: much later,
//! the framer has found a record by its ASCII structure, and only its bytes are read by another table.
//! Hence no encoding is accepted in which that structure is not ASCII.

use encoding_rs::{Encoding, UTF_16BE, UTF_16LE};

use crate::error::{Error, Result};

/// The encoding that a WHATWG label names (`gbk`, `windows-1252`, `latin1`, …), any case.
pub fn by_label(label: &str) -> Result<&'static Encoding> {
    // Some labels stand for encodings that browsers refuse as unsafe; those decode nothing.
    match Encoding::for_label_no_replacement(label.as_bytes()) {
        Some(found) if found == UTF_16LE || found == UTF_16BE => Err(Error::usage(format!(
            "--encoding {label}: UTF-16 is told by the dump's byte order mark and needs no --encoding"
        ))),
        // Its bytes are all ASCII, so a record in it is never seen not to be UTF-8.
        Some(found) if !found.is_ascii_compatible() => Err(Error::usage(format!(
            "--encoding {label}: text in it cannot be told from ASCII; convert the dump to UTF-8 before"
        ))),
        Some(found) => Ok(found),
        None => Err(Error::usage(format!(
            "--encoding {label}: no such encoding; a WHATWG label is asked for, such as gbk, big5, shift_jis, \
             euc-kr, windows-1251, windows-1252 or iso-8859-2"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn labels_have_synonyms_in_any_case() {
        assert_eq!(by_label("Latin1").unwrap().name(), "windows-1252");
        assert_eq!(by_label(" CP1251 ").unwrap().name(), "windows-1251");
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
    fn an_encoding_that_hides_in_ascii_is_refused() {
        assert!(by_label("iso-2022-jp").unwrap_err().to_string().contains("UTF-8"));
    }

    #[test]
    fn utf_16_is_refused_for_records() {
        for label in ["utf-16", "utf-16le", "utf-16be", "unicode"] {
            assert!(by_label(label).unwrap_err().to_string().contains("byte order mark"), "{label}");
        }
    }
}
