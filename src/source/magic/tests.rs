//! One line for each thing that can be told from its first bytes.

use super::*;

/// What the message would call it.
fn described(head: &[u8]) -> String {
    looks_like(head).describe(head)
}

fn check(head: &[u8], expected: &str) {
    assert_eq!(described(head), expected, "{:?}", head.escape_ascii().to_string());
}

#[test]
fn signatures_are_found_without_what_follows_them() {
    for &(at, signature, looks) in CERTAIN {
        let head = [&vec![0x80; at], signature].concat();
        assert_eq!(looks_like(&head), looks, "{looks:?}");
    }
}

#[test]
fn likely_signatures_need_a_control_character() {
    for &(at, signature, looks) in LIKELY {
        let start = [&vec![b'x'; at], signature].concat();
        assert_eq!(looks_like(&[&start[..], b"\x15\0\x02\0"].concat()), looks, "{looks:?}");
        assert_eq!(looks_like(&[&start[..], b",src,dst\n1,2,3\n"].concat()), Text, "{looks:?}");
    }
}

#[test]
fn no_signature_is_hidden_by_one_before_it() {
    let all: Vec<_> = CERTAIN.iter().chain(LIKELY).collect();
    for (i, (at, signature, _)) in all.iter().enumerate() {
        let hidden = all[..i].iter().any(|(a, s, _)| a == at && signature.starts_with(s));
        assert!(!hidden, "{:?}", signature.escape_ascii().to_string());
    }
}

#[test]
fn nothing_is_empty() {
    check(b"", "an empty file");
    check(b"\xEF\xBB\xBF", "an empty file");
    check(b"\xFF\xFE", "an empty file");
    assert_eq!(looks_like(b"\xFE\xFF"), Empty);
}

#[test]
fn nuls_are_told() {
    check(&[0; 700], "nothing but NUL bytes");
    check(&[0], "nothing but NUL bytes");
}

#[test]
fn a_dump_is_text() {
    check(b"AcctId,src,dst\n1,2,3\n", "text that begins with “AcctId,src,dst”");
    check(b"\xEF\xBB\xBFa;b\r\n", "text that begins with “a;b”");
    check(b"\xFF\xFEa\0;\0b\0\n\0", "text that begins with “a;b”");
    check(b"\xFE\xFF\0a\0;\0b\0\n", "text that begins with “a;b”");
    check(b"\"5300\",\"\xD6\xD0\xCE\xC4\"\n", "text that begins with “\"5300\",\"����\"”");
}

#[test]
fn text_is_quoted_in_one_short_line() {
    check(b"\n \t\n  404\tNot \x1B Found\r\nmore", "text that begins with “404 Not Found”");
    check(b"x".repeat(100).as_slice(), &format!("text that begins with “{}…”", "x".repeat(60)));
    check("é".repeat(60).as_bytes(), &format!("text that begins with “{}”", "é".repeat(60)));
    check(b" \r\n\n", "nothing but white space");
}

#[test]
fn text_may_have_runs_of_nuls_before_a_line_and_a_rare_control_character() {
    let dump = b"1,2,3,2024-05-17 10:00:00\n".repeat(40);
    assert_eq!(looks_like(&[&[0; 4000], &dump[..]].concat()), Text);
    assert_eq!(looks_like(&[&dump[..], &[0; 4000], &dump[..]].concat()), Text);
    assert_eq!(looks_like(&[&dump[..], b"\x01\0\x7F\n", &dump[..]].concat()), Text);
    assert_eq!(looks_like(&[&dump[..], b"\x1A"].concat()), Text);
}

#[test]
fn anything_else_is_binary_and_shown() {
    check(b"\0\x01\x02\xFF", "binary data: first bytes 00 01 02 FF");
    check(b"\0\x01\x02\x03\x04\x05\x06\xAB\x08", "binary data: first bytes 00 01 02 03 04 05 06 AB …");
    check(&[0xFF; 9], "binary data: first bytes FF FF FF FF FF FF FF FF …");
}

#[test]
fn random_bytes_are_binary() {
    // The multiplier of Knuth's MMIX, so that the test needs no randomness of its own.
    let next = |state: &u64| Some(state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407));
    let head: Vec<u8> =
        std::iter::successors(Some(1), next).skip(1).take(4096).map(|s| (s >> 56) as u8).collect();
    assert_eq!(looks_like(&head), Binary);
}

#[test]
fn pages_are_told_with_their_title() {
    check(b"<!DOCTYPE html>\n<html><head><title>Login</title>", "an HTML page titled “Login”");
    check(b"\n<HTML>\n<TITLE lang=en>\n UCM \n Login</TITLE>", "an HTML page titled “UCM Login”");
    check(b"<!-- <cdr> -->\n<html>", "an HTML page");
    check(b"<html><title></title>", "an HTML page");
    check(b"<html><title>cut of", "an HTML page");
    check(b"<br />\n<b>Warning</b>: mysql_connect()", "an HTML page");
    check(b"\xEF\xBB\xBF<table><tr><td>1", "an HTML page");
    check("\u{FEFF}<html><title>Überblick</title>".as_bytes(), "an HTML page titled “Überblick”");
    let utf16: Vec<u8> = "\u{FEFF}<html><title>é</title>".encode_utf16().flat_map(u16::to_le_bytes).collect();
    check(&utf16, "an HTML page titled “é”");
    check(b"<?xml version=\"1.0\"?><!DOCTYPE html PUBLIC \"-//W3C\">", "an HTML page");
}

#[test]
fn xml_is_told_with_its_root() {
    check(b"<root><cdr><AcctId>", "XML whose root element is <root>");
    check(
        b"<?xml version=\"1.0\" encoding=\"GBK\"?>\r\n<!-- x --><cdr session=\"1\">",
        "XML whose root element is <cdr>",
    );
    check(b"<!DOCTYPE root [<!ENTITY a \"b\">]><root>", "XML whose root element is <root>");
    check(b"<?xml version=\"1.0\"?>", "XML");
    check(b"<main_cdr", "XML whose root element is <main_cdr>");
    check(b"<?xml version=\"1.0\"?>\n<svg xmlns=", "an SVG picture");
}

#[test]
fn what_begins_like_a_tag_need_not_be_one() {
    check(b"<5300>,a\n", "text that begins with “<5300>,a”");
    check(b"< a\n", "text that begins with “< a”");
    check(b"<", "text that begins with “<”");
}

#[test]
fn json_is_told() {
    for json in ["{\"cdr_root\":[", " [\n{", "[]", "{}", "{", "[\"a\"", "\u{FEFF}{\"a\":1}"] {
        check(json.as_bytes(), "JSON");
    }
}

#[test]
fn what_begins_like_json_need_not_be_it() {
    check(b"[general]x\n", "text that begins with “[general]x”");
    check(b"[May 17 10:00:00] NOTICE\n", "text that begins with “[May 17 10:00:00] NOTICE”");
    check(b"[2024-05-17 10:00:00] x\n", "text that begins with “[2024-05-17 10:00:00] x”");
    check(b"[from-internal]\n", "text that begins with “[from-internal]”");
    check(b"{a}\n", "text that begins with “{a}”");
}

#[test]
fn compressions_are_told() {
    check(b"\x1F\x8B\x08\0\0\0\0\0\0\x03", "a gzip archive");
    check(b"\x28\xB5\x2F\xFD\x04", "a Zstandard archive");
    check(b"\x5A\x2A\x4D\x18\x04\0\0\0", "a Zstandard archive");
    check(b"BZh91AY&SY\x1F\x8B", "a bzip2 archive");
    check(b"BZh11AY&SY\x1F\x8B", "a bzip2 archive");
    check(b"BZh9\x17\x72\x45\x38\x50\x90\0\0\0\0", "a bzip2 archive");
    check(b"\xFD7zXZ\0\0\x04", "an xz archive");
    check(b"Rar!\x1A\x07\x01\0", "a RAR archive");
}

/// The start of a zip archive whose first member has that name and content.
fn zip(name: &str, content: &str) -> Vec<u8> {
    let mut head = b"PK\x03\x04\x14\0\0\0\0\0".to_vec();
    head.resize(26, 0);
    head.extend((name.len() as u16).to_le_bytes());
    head.extend(4u16.to_le_bytes());
    head.extend(name.bytes().chain(*b"\x01\x02\x03\x04").chain(content.bytes()));
    head
}

#[test]
fn zip_archives_are_told_from_documents_that_are_zip() {
    check(&zip("cdr/2024-05.csv", "a,b"), "a zip archive");
    check(b"PK\x05\x06\0\0\0\0", "a zip archive");
    check(b"PK\x03\x04", "a zip archive");
    check(&zip("[Content_Types].xml", "…xl/workbook.xml"), "an Excel workbook (.xlsx)");
    check(&zip("_rels/.rels", "…[Content_Types].xml"), "an Office document, such as .xlsx or .docx");
    check(&zip("xl/calls.csv", "a,b"), "a zip archive");
    check(&zip("report.xlsx", "PK\x03\x04[Content_Types].xml"), "a zip archive");
    check(
        &zip("mimetype", "application/vnd.oasis.opendocument.spreadsheet"),
        "an OpenDocument file, such as .ods or .odt",
    );
    check(&zip("META-INF/MANIFEST.MF", ""), "a Java archive");
}

/// A tar header with its sum, with or without the `ustar` of newer archives.
fn tar(magic: &[u8]) -> Vec<u8> {
    let mut block = vec![0; 512];
    block[..7].copy_from_slice(b"cdr.csv");
    block[124..135].copy_from_slice(b"00000000017");
    block[257..257 + magic.len()].copy_from_slice(magic);
    block[148..156].fill(b' ');
    let sum: u32 = block.iter().map(|&byte| u32::from(byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    block
}

#[test]
fn tar_is_told_by_its_sum() {
    check(&tar(b"ustar\x0000"), "a tar archive");
    check(&tar(b"ustar  \0"), "a tar archive");
    check(&tar(b""), "a tar archive");
    let mut damaged = tar(b"");
    damaged[0] = b'C';
    assert_eq!(looks_like(&damaged), Binary);
}

#[test]
fn recordings_are_told() {
    check(b"RIFF\x24\x08\0\0WAVEfmt \x10\0\0\0", "a WAV recording");
    check(b"ID3\x03\0\0\0\0\x0F", "an MP3 recording");
    check(b"\xFF\xFB\x90\x44\0", "an MP3 or AAC recording");
    check(b"\xFF\xF3\x40\xC4\0", "an MP3 or AAC recording");
    check(b"\xFF\xF1\x50\x80\0", "an MP3 or AAC recording");
    check(b"OggS\0\x02\0", "an Ogg recording");
    check(b"fLaC\0\0\0\x22", "a FLAC recording");
    check(b"\0\0\0\x18ftypmp42\0\0\0\0", "an MP4 recording");
    check(b"#!AMR\n\x3C", "an AMR recording");
}

#[test]
fn raw_gsm_is_told_by_its_frames() {
    let frame: Vec<u8> = [0xD5].into_iter().chain((0..32).map(|i| i * 7 % 32)).collect();
    check(&frame.repeat(10), "a GSM recording");
    check(&frame.repeat(10)[..200], "a GSM recording");
    assert_eq!(looks_like(&frame.repeat(3)), Binary);
    assert_eq!(looks_like(&[&frame.repeat(5)[1..], &frame].concat()), Binary);
    assert_eq!(looks_like("Доступ запрещён ".repeat(99).as_bytes()), Text);
}

#[test]
fn pictures_documents_programs_and_tables_are_told() {
    check(b"\x89PNG\r\n\x1A\n\0\0\0\rIHDR", "a PNG picture");
    check(b"\xFF\xD8\xFF\xE0\0\x10JFIF", "a JPEG picture");
    check(b"GIF89a\x01\0\x01\0", "a GIF picture");
    check(b"BM\x36\0\0\0\0\0\0\0", "a BMP picture");
    check(b"RIFF\x24\0\0\0WEBPVP8 ", "a WebP picture");
    check(b"%PDF-1.4\n%\xE2\xE3", "a PDF document");
    check(b"%PDF-1.4\n1 0 obj <<>>", "a PDF document");
    check(b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1\0", "an old Office document, such as .xls or .doc");
    check(b"SQLite format 3\0\x10\0", "a SQLite database");
    check(b"\x7FELF\x02\x01\x01", "an ELF program or library");
    check(b"MZ\x90\0\x03\0", "a Windows program");
    check(b"#!/bin/sh\ncurl", "a script");
    check(b"PAR1\x15\x04\x15", "a Parquet file");
    check(b"ARROW1\0\0\xFF\xFF\xFF\xFF", "an Arrow file");
    check(b"\xFF\xFF\xFF\xFF\x78\x03\0\0\x10\0", "an Arrow stream");
}

#[test]
fn encodings_that_are_not_read_are_told() {
    let utf16: Vec<u8> = "AcctId,src,dst\n1,é,中\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    check(&utf16, "UTF-16 text without a byte order mark");
    let utf16: Vec<u8> = "AcctId,src,dst\n1,é,中\n".encode_utf16().flat_map(u16::to_be_bytes).collect();
    check(&utf16, "UTF-16 text without a byte order mark");
    check(b"\xFF\xFE\0\0a\0\0\0", "UTF-32 text");
    check(b"\0\0\xFE\xFF\0\0\0a", "UTF-32 text");
}

#[test]
fn what_begins_with_a_signature_that_text_has_is_text() {
    check(b"BM,MZ\n1,2\n", "text that begins with “BM,MZ”");
    check(b"ID3,PAR1\n", "text that begins with “ID3,PAR1”");
    check(b"RIFF,xx,WAVE\n", "text that begins with “RIFF,xx,WAVE”");
}

#[test]
fn no_head_is_too_short() {
    for head in
        [&b"\x1F\x8B\x08\0"[..], b"PK\x03\x04\x01\x02", b"\xFF\xFB\x90\x44", b"RIFF\0\0\0\0WAVE", &tar(b"")]
    {
        for end in 0..head.len() {
            described(&head[..end]);
        }
    }
}
