//! What a file looks like, from its first bytes alone.
//!
//! Must not know names of files, nor any dump: `Text`, `Json` and `Xml` may be one, and the formats
//! say which. The rest is told apart so that a message can name it ("it looks like a PNG picture"),
//! so that compressions are opened, and so that sound, pictures, documents and programs are passed
//! over in walked folders.
//!
//! The idea: one table of signatures. One that has bytes no text has is believed as it stands, or
//! is long enough; one that a text could begin with (`BM`, `PAR1`) is believed only if a control
//! character follows soon. What has no signature is told by its bytes: text, or not.

use std::fmt::Write;

use super::text::{self, text_of};
use super::textual::{self, is_control, is_text};

/// What the first bytes of a file look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Looks {
    /// Text: UTF-8, or UTF-16 with a byte order mark, or another encoding that has ASCII in it.
    Text,
    /// No byte at all, or a byte order mark and no text.
    Empty,
    /// NULs as far as was looked; text may follow in a file that is longer.
    Nuls,
    /// A page, or part of one.
    Html,
    /// XML that is no page.
    Xml,
    /// JSON.
    Json,
    /// gzip.
    Gzip,
    /// Zstandard.
    Zstd,
    /// bzip2.
    Bzip2,
    /// xz.
    Xz,
    /// zip, but none of the documents and programs that are zip archives in truth.
    Zip,
    /// tar.
    Tar,
    /// A compression or archive that is not read.
    Archive(&'static str),
    /// Sound, or film.
    Sound(&'static str),
    /// A picture.
    Picture(&'static str),
    /// A document of another program: an office document, a database, a capture.
    Document(&'static str),
    /// A program or a script.
    Program(&'static str),
    /// A Parquet file.
    Parquet,
    /// An Arrow IPC file.
    ArrowFile,
    /// An Arrow IPC stream.
    ArrowStream,
    /// Another table of columns.
    Table(&'static str),
    /// Text in an encoding that is not read.
    UnreadText(&'static str),
    /// None of these.
    Binary,
}

use Looks::*;

/// Signatures that are believed as they stand: where, what, and what it means.
const CERTAIN: &[(usize, &[u8], Looks)] = &[
    (0, b"\x1F\x8B", Gzip),
    (0, b"\x28\xB5\x2F\xFD", Zstd),
    (0, b"BZh91AY&SY", Bzip2),
    (0, b"\xFD7zXZ\0", Xz),
    (0, b"PK\x03\x04", Zip),
    (0, b"PK\x05\x06", Zip),
    (0, b"PK\x07\x08", Zip),
    (0, b"7z\xBC\xAF\x27\x1C", Archive("a 7z archive")),
    (0, b"Rar!\x1A\x07", Archive("a RAR archive")),
    (0, b"\x04\x22\x4D\x18", Archive("LZ4-compressed data")),
    (0, b"\x1F\x9D", Archive("data compressed by compress (.Z)")),
    (0, b"LZIP\x01", Archive("an lzip archive")),
    (0, b"MSCF\0\0\0\0", Archive("a Windows cabinet")),
    (0, b"!<arch>\n", Archive("an ar archive")),
    (0, b"OggS\0", Sound("an Ogg recording")),
    (0, b"#!AMR", Sound("an AMR recording")),
    (0, b"MThd\0\0\0\x06", Sound("a MIDI file")),
    (0, b"\x30\x26\xB2\x75\x8E\x66\xCF\x11", Sound("a Windows Media recording")),
    (0, b"\x1A\x45\xDF\xA3", Sound("a Matroska or WebM recording")),
    (0, b"\x89PNG\r\n\x1A\n", Picture("a PNG picture")),
    (0, b"\xFF\xD8\xFF", Picture("a JPEG picture")),
    (0, b"II*\0", Picture("a TIFF picture")),
    (0, b"MM\0*", Picture("a TIFF picture")),
    (0, b"\0\0\x01\0", Picture("an icon")),
    (0, b"%PDF-", Document("a PDF document")),
    (0, b"%!PS", Document("a PostScript document")),
    (0, b"{\\rtf", Document("an RTF document")),
    (0, b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", Document("an old Office document, such as .xls or .doc")),
    (0, b"SQLite format 3\0", Document("a SQLite database")),
    (0, b"\xD4\xC3\xB2\xA1", Document("a network capture")),
    (0, b"\xA1\xB2\xC3\xD4", Document("a network capture")),
    (0, b"\x7FELF", Program("an ELF program or library")),
    (0, b"\xCF\xFA\xED\xFE", Program("a macOS program")),
    (0, b"\xCE\xFA\xED\xFE", Program("a macOS program")),
    (0, b"\xCA\xFE\xBA\xBE", Program("a Java class or macOS program")),
    (0, b"\0asm", Program("a WebAssembly module")),
    (0, b"#!", Program("a script")),
    (0, b"ARROW1\0\0", ArrowFile),
    (0, b"Obj\x01", Table("an Avro file")),
];

/// Signatures that text could begin with: believed if a control character follows soon.
const LIKELY: &[(usize, &[u8], Looks)] = &[
    (8, b"WAVE", Sound("a WAV recording")),
    (8, b"AVI ", Sound("an AVI film")),
    (8, b"WEBP", Picture("a WebP picture")),
    (8, b"AIFF", Sound("an AIFF recording")),
    (8, b"AIFC", Sound("an AIFF recording")),
    (4, b"ftypheic", Picture("a HEIC picture")),
    (4, b"ftypavif", Picture("an AVIF picture")),
    (4, b"ftypM4A", Sound("an M4A recording")),
    (4, b"ftyp", Sound("an MP4 recording")),
    (0, b"\x0A\x0D\x0D\x0A", Document("a network capture")),
    (0, b"ID3", Sound("an MP3 recording")),
    (0, b"fLaC", Sound("a FLAC recording")),
    (0, b".snd", Sound("an AU recording")),
    (0, b"caff", Sound("a CAF recording")),
    (0, b"GIF87a", Picture("a GIF picture")),
    (0, b"GIF89a", Picture("a GIF picture")),
    (0, b"BM", Picture("a BMP picture")),
    (0, b"MZ", Program("a Windows program")),
    (0, b"PAR1", Parquet),
    (0, b"PARE", Table("an encrypted Parquet file")),
    (0, b"FEA1", Table("a Feather file")),
    (0, b"ORC", Table("an ORC file")),
];

/// So far after the start of a likely signature a control character must come.
const SOON: usize = 64;

/// What a file looks like whose first bytes these are; some KiB are enough.
pub fn looks_like(head: &[u8]) -> Looks {
    if head.is_empty() {
        return Empty;
    }
    if head.iter().all(|&byte| byte == 0) {
        return Nuls;
    }
    if let Some(looks) = by_signature(head).or_else(|| by_structure(head)) {
        return looks;
    }
    let text = text_of(head);
    match &*text {
        [] => Empty,
        text if is_text(text) => textual::kind(text),
        _ if is_gsm(head) => Sound("a GSM recording"),
        _ => Binary,
    }
}

impl Looks {
    /// What to call it in a message (`a PNG picture`), from the same bytes that `looks_like` saw.
    pub fn describe(self, head: &[u8]) -> String {
        match self {
            Text => textual::describe_text(&text_of(head)),
            Html => textual::describe_page(&text_of(head)),
            Xml => textual::describe_xml(&text_of(head)),
            Binary => describe_binary(head),
            Empty => "an empty file".into(),
            Nuls => "nothing but NUL bytes".into(),
            Json => "JSON".into(),
            Gzip => "a gzip archive".into(),
            Zstd => "a Zstandard archive".into(),
            Bzip2 => "a bzip2 archive".into(),
            Xz => "an xz archive".into(),
            Zip => "a zip archive".into(),
            Tar => "a tar archive".into(),
            Archive(name) | Sound(name) | Picture(name) | Document(name) | Program(name) => name.into(),
            Parquet => "a Parquet file".into(),
            ArrowFile => "an Arrow file".into(),
            ArrowStream => "an Arrow stream".into(),
            Table(name) | UnreadText(name) => name.into(),
        }
    }
}

fn describe_binary(head: &[u8]) -> String {
    let mut message = String::from("binary data: first bytes");
    for byte in head.iter().take(8) {
        write!(message, " {byte:02X}").expect("a String can be written to");
    }
    message + if head.len() > 8 { " …" } else { "" }
}

fn by_signature(head: &[u8]) -> Option<Looks> {
    let stands = |(at, signature, _): &&(usize, &[u8], Looks)| {
        head.get(*at..).is_some_and(|rest| rest.starts_with(signature))
    };
    let is_likely = || head[..head.len().min(SOON)].iter().any(|&byte| is_control(byte));
    let found = CERTAIN.iter().find(stands).or_else(|| LIKELY.iter().find(stands).filter(|_| is_likely()));
    found.map(|&(_, _, looks)| if looks == Zip { kind_of_zip(head) } else { looks })
}

/// What has no signature, but a structure that nothing else has.
fn by_structure(head: &[u8]) -> Option<Looks> {
    match head {
        // Zstandard has sixteen kinds of frames to be skipped, which may come first.
        [0x50..=0x5F, 0x2A, 0x4D, 0x18, ..] => Some(Zstd),
        // bzip2 of nothing: no block, but the end of the stream.
        [b'B', b'Z', b'h', b'1'..=b'9', 0x17, 0x72, 0x45, 0x38, 0x50, 0x90, ..] => Some(Bzip2),
        [b'B', b'Z', b'h', b'1'..=b'9', b'1', b'A', b'Y', b'&', b'S', b'Y', ..] => Some(Bzip2),
        [0xFF, 0xFE, 0, 0, ..] | [0, 0, 0xFE, 0xFF, ..] => Some(UnreadText("UTF-32 text")),
        // A message of less than 16 MiB, marked as one that follows; no dictionary is longer.
        [0xFF, 0xFF, 0xFF, 0xFF, _, _, _, 0, ..] => Some(ArrowStream),
        [0xFF, second, third, ..] if is_mpeg(*second, *third) => Some(Sound("an MP3 or AAC recording")),
        _ if is_tar(head) => Some(Tar),
        _ if is_unmarked_utf16(head) => Some(UnreadText("UTF-16 text without a byte order mark")),
        _ => None,
    }
}

/// The header of an MPEG frame: `11111111 111vvlle bbbbssxx`, with a version, a layer, a bit rate
/// and a sampling rate that exist. Layer 0 is AAC; layer I is nowhere in use, and its header is
/// the byte order mark of UTF-16.
fn is_mpeg(second: u8, third: u8) -> bool {
    let is_layer_3 = second & 0b1110_0110 == 0b1110_0010 && second & 0b0001_1000 != 0b0000_1000;
    let is_aac = second & 0b1111_0110 == 0b1111_0000;
    (is_layer_3 && third >> 4 != 0 && third >> 4 != 15 && third & 0b1100 != 0b1100)
        || (is_aac && third & 0b0011_1100 <= 12 << 2)
}

/// The first block states the sum of its bytes, its own eight counted as blanks.
fn is_tar(head: &[u8]) -> bool {
    let Some(block) = head.get(..512) else { return false };
    let (before, stated, after) = (&block[..148], &block[148..156], &block[156..]);
    let sum = before.iter().chain(after).map(|&byte| u32::from(byte)).sum::<u32>() + 8 * u32::from(b' ');
    let digits = stated.trim_ascii_start();
    let end = digits.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(digits.len());
    let digits = str::from_utf8(&digits[..end]).expect("digits are ASCII");
    u32::from_str_radix(digits, 8) == Ok(sum)
}

/// Documents and programs that are zip archives show it by the name of their first members.
///
/// ```text
/// PK\x03\x04 …    length of the name, of the extra field    name
/// 0               26                  28                    30
/// ```
fn kind_of_zip(head: &[u8]) -> Looks {
    let length =
        |at| head.get(at..at + 2).map_or(0, |pair| usize::from(u16::from_le_bytes([pair[0], pair[1]])));
    let name = head.get(30..30 + length(26)).unwrap_or_default();
    let content = head.get(30 + length(26) + length(28)..).unwrap_or_default();
    let is_office = ["[Content_Types].xml", "_rels/", "docProps/", "xl/", "word/", "ppt/"];
    let has_types = || memchr::memmem::find(head, b"[Content_Types].xml").is_some();
    if is_office.iter().any(|start| name.starts_with(start.as_bytes())) && has_types() {
        return match memchr::memmem::find(head, b"xl/").is_some() {
            true => Document("an Excel workbook (.xlsx)"),
            false => Document("an Office document, such as .xlsx or .docx"),
        };
    }
    match name {
        b"mimetype" if content.starts_with(b"application/vnd.oasis") => {
            Document("an OpenDocument file, such as .ods or .odt")
        }
        b"mimetype" if content.starts_with(b"application/epub") => Document("an EPUB book"),
        b"META-INF/" | b"META-INF/MANIFEST.MF" => Program("a Java archive"),
        b"AndroidManifest.xml" => Program("an Android program"),
        _ => Zip,
    }
}

/// UTF-16 of mostly Western text: every other byte is NUL, and the rest are text.
fn is_unmarked_utf16(head: &[u8]) -> bool {
    let head = &head[..head.len().min(4096)];
    // Most text has none of the NULs that it would be full of.
    if memchr::memchr(0, head).is_none() {
        return false;
    }
    let pairs = || head.chunks_exact(2);
    let enough = pairs().count() * 3 / 4;
    let is_unit = |zero: u8, byte: u8| zero == 0 && byte != 0 && !is_control(byte);
    let is_utf16 = |at: usize| pairs().filter(|pair| is_unit(pair[1 - at], pair[at])).count() > enough;
    text::Encoding::of(head) == text::Encoding::Utf8 && head.len() >= 4 && (is_utf16(0) || is_utf16(1))
}

/// Raw GSM 06.10 has no header: frames of 33 bytes, each of which begins with the four bits 1101.
fn is_gsm(head: &[u8]) -> bool {
    head.len() >= 4 * 33 && head.chunks(33).all(|frame| frame[0] >> 4 == 0b1101)
}

#[cfg(test)]
mod tests;
