//! Makes a dump UTF-8: drops the byte order mark, transcodes UTF-16 and what an XML declaration names.
//!
//! Must not know what the text says. UTF-8 passes through untouched and unchecked (blocks are
//! checked later, all at once), so its offsets are the file's; UTF-16 is rewritten, and its offsets
//! count in the UTF-8 text.
//!
//! The idea about damage: a replacement character would alter data unnoticed. So a surrogate
//! without its pair becomes the three bytes that it would have if it were a character (its WTF-8
//! form), and an odd last byte becomes 0xFF. Neither is valid UTF-8, so the one record that holds
//! it is rejected later, with its place, like any other that is not UTF-8.

use std::borrow::Cow;
use std::io::{self, Read};

use encoding_rs::mem::{convert_utf16_to_utf8, utf16_valid_up_to};

use super::declared::{self, Recoder};

/// So many bytes of UTF-16 are transcoded at once.
const STEP: usize = 64 * 1024;

/// Stands in the text for an odd last byte of a UTF-16 dump; no UTF-8 text has it.
const ODD_BYTE: u8 = 0xFF;

/// How a dump is encoded, told by its byte order mark, or by its XML declaration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8 (or what claims to be), without a mark.
    Utf8,
    /// UTF-8 behind a mark of three bytes.
    Utf8Bom,
    /// UTF-16, least byte first, as Excel's "Unicode text".
    Utf16Le,
    /// UTF-16, greatest byte first.
    Utf16Be,
    /// UTF-16 without a mark, least byte first, told by how an XML declaration begins in it.
    BareUtf16Le,
    /// The same, greatest byte first.
    BareUtf16Be,
    /// What an XML declaration names.
    Declared(&'static encoding_rs::Encoding),
}

impl Encoding {
    /// The name that the report shows.
    pub fn as_str(self) -> &'static str {
        match self {
            Encoding::Utf8 | Encoding::Utf8Bom => "utf-8",
            Encoding::Utf16Le | Encoding::BareUtf16Le => "utf-16le",
            Encoding::Utf16Be | Encoding::BareUtf16Be => "utf-16be",
            Encoding::Declared(encoding) => encoding.name(),
        }
    }

    /// What the first bytes of a dump tell; `declared::LONGEST` are enough.
    pub fn of(head: &[u8]) -> Encoding {
        match head {
            [0xEF, 0xBB, 0xBF, ..] => Encoding::Utf8Bom,
            [0xFF, 0xFE, ..] => Encoding::Utf16Le,
            [0xFE, 0xFF, ..] => Encoding::Utf16Be,
            [b'<', 0, b'?', 0, ..] => Encoding::BareUtf16Le,
            [0, b'<', 0, b'?', ..] => Encoding::BareUtf16Be,
            _ => declared::declared(head).map_or(Encoding::Utf8, Encoding::Declared),
        }
    }

    fn is_utf8(self) -> bool {
        matches!(self, Encoding::Utf8 | Encoding::Utf8Bom)
    }

    /// Whether more than the first few bytes must be seen to tell.
    fn may_be_declared(first: &[u8]) -> bool {
        first == b"<?x" || first == b"<\0?" || first == b"\0<\0"
    }

    /// How many bytes the byte order mark takes.
    pub fn mark(self) -> usize {
        match self {
            Encoding::Utf8Bom => 3,
            Encoding::Utf16Le | Encoding::Utf16Be => 2,
            Encoding::Utf8 | Encoding::BareUtf16Le | Encoding::BareUtf16Be | Encoding::Declared(_) => 0,
        }
    }

    /// What transcodes a dump that begins with `raw`.
    fn recoding(self, raw: Vec<u8>) -> Option<Recoding> {
        let utf16 = |order, raw| Some(Recoding::Utf16(Transcoder::new(order, raw)));
        match self {
            Encoding::Utf8 | Encoding::Utf8Bom => None,
            Encoding::Utf16Le | Encoding::BareUtf16Le => utf16(Order::LeastFirst, raw),
            Encoding::Utf16Be | Encoding::BareUtf16Be => utf16(Order::GreatestFirst, raw),
            Encoding::Declared(encoding) => Some(Recoding::Declared(Recoder::new(encoding, raw))),
        }
    }
}

/// What transcodes a dump.
enum Recoding {
    Utf16(Transcoder),
    Declared(Recoder),
}

impl Recoding {
    fn refill(&mut self, inner: &mut impl Read, text: &mut Vec<u8>) -> io::Result<()> {
        match self {
            Recoding::Utf16(transcoder) => transcoder.refill(inner, text),
            Recoding::Declared(recoder) => recoder.refill(inner, text),
        }
    }
}

/// The text of a dump's first bytes, to be looked at: without the byte order mark, transcoded, and
/// without the half character at the end of UTF-16 that was cut there.
pub fn text_of(head: &[u8]) -> Cow<'_, [u8]> {
    let encoding = Encoding::of(head);
    let head = &head[encoding.mark()..];
    if encoding.is_utf8() {
        return Cow::Borrowed(head);
    }
    let mut text = Vec::new();
    match encoding.recoding(head.to_vec()) {
        Some(Recoding::Utf16(mut transcoder)) => transcoder.transcode(&mut text),
        Some(Recoding::Declared(mut recoder)) => recoder.transcode(&mut text, false),
        None => {}
    }
    Cow::Owned(text)
}

/// A dump as UTF-8, without its byte order mark.
pub struct TextReader<R> {
    inner: R,
    encoding: Encoding,
    /// Text that is handed out before anything else is read.
    ready: Vec<u8>,
    at: usize,
    recoding: Option<Recoding>,
}

impl<R: Read> TextReader<R> {
    /// Looks at the first bytes, and drops the mark.
    pub fn open(mut inner: R) -> io::Result<TextReader<R>> {
        let mut first = Vec::with_capacity(3);
        (&mut inner).take(3).read_to_end(&mut first)?;
        if Encoding::may_be_declared(&first) {
            (&mut inner).take((declared::LONGEST - first.len()) as u64).read_to_end(&mut first)?;
        }
        let encoding = Encoding::of(&first);
        first.drain(..encoding.mark());
        if encoding.is_utf8() {
            return Ok(TextReader { inner, encoding, ready: first, at: 0, recoding: None });
        }
        let recoding = encoding.recoding(first);
        Ok(TextReader { inner, encoding, ready: Vec::new(), at: 0, recoding })
    }

    /// How the dump is encoded.
    pub fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// The offset of the text's first byte: the mark of a UTF-8 dump counts, for its offsets are
    /// the file's; those of a transcoded dump begin at 0.
    pub fn start(&self) -> u64 {
        match self.recoding {
            None => self.encoding.mark() as u64,
            Some(_) => 0,
        }
    }
}

impl<R: Read> Read for TextReader<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if self.at == self.ready.len() {
            let Some(recoding) = &mut self.recoding else {
                return self.inner.read(buf);
            };
            self.ready.clear();
            self.at = 0;
            recoding.refill(&mut self.inner, &mut self.ready)?;
        }
        let n = (&self.ready[self.at..]).read(buf)?;
        self.at += n;
        Ok(n)
    }
}

/// UTF-16 in, UTF-8 out, a step at a time.
///
/// `encoding_rs` transcodes what is well-formed, and finds where that ends; the units that are not
/// are written here.
///
/// ```text
/// raw:    d o b r ý <high> │ <low> …        a step may end within a character:
///         ╰─ transcoded ─╯ ╰─ kept for the next step
/// ```
struct Transcoder {
    order: Order,
    raw: Vec<u8>,
    units: Vec<u16>,
    fault: Option<io::Error>,
    ended: bool,
}

impl Transcoder {
    fn new(order: Order, raw: Vec<u8>) -> Transcoder {
        Transcoder { order, raw, units: Vec::new(), fault: None, ended: false }
    }

    /// Reads a step and appends its text: none only at the end. Text that was read before a fault
    /// is given first, the fault by the next call.
    fn refill(&mut self, inner: &mut impl Read, text: &mut Vec<u8>) -> io::Result<()> {
        if self.fault.is_none() && !self.ended {
            let missing = STEP - self.raw.len();
            match inner.take(missing as u64).read_to_end(&mut self.raw) {
                Ok(n) => self.ended = n < missing,
                Err(fault) => self.fault = Some(fault),
            }
            self.transcode(text);
            if self.ended {
                self.transcode_damaged_end(text);
            }
        }
        match self.fault.take_if(|_| text.is_empty()) {
            Some(fault) => Err(fault),
            None => Ok(()),
        }
    }

    /// Appends the text of all whole characters, and keeps the bytes after them.
    fn transcode(&mut self, text: &mut Vec<u8>) {
        self.order.units(&self.raw, &mut self.units);
        let mut rest = &self.units[..];
        loop {
            let (valid, after) = rest.split_at(utf16_valid_up_to(rest));
            push_valid(valid, text);
            rest = after;
            match after {
                [] => break,
                [high] if is_high(*high) => break, // its pair may come with the next step
                [lone, after @ ..] => {
                    text.extend(wtf8(*lone));
                    rest = after;
                }
            }
        }
        let used = 2 * (self.units.len() - rest.len());
        self.raw.drain(..used);
    }

    /// What is left when nothing follows: a surrogate whose pair is missing, an odd byte.
    fn transcode_damaged_end(&mut self, text: &mut Vec<u8>) {
        match self.raw[..] {
            [] => {}
            [_] => text.push(ODD_BYTE),
            [a, b] => text.extend(wtf8(self.order.unit([a, b]))),
            [a, b, ..] => {
                text.extend(wtf8(self.order.unit([a, b])));
                text.push(ODD_BYTE);
            }
        }
        self.raw.clear();
    }
}

/// Which of the two bytes of a unit stands first.
#[derive(Clone, Copy)]
enum Order {
    LeastFirst,
    GreatestFirst,
}

impl Order {
    fn unit(self, pair: [u8; 2]) -> u16 {
        match self {
            Order::LeastFirst => u16::from_le_bytes(pair),
            Order::GreatestFirst => u16::from_be_bytes(pair),
        }
    }

    /// All whole units of the bytes. The order is matched outside of the loops, which then are
    /// plain enough to be vectorised.
    fn units(self, raw: &[u8], units: &mut Vec<u16>) {
        let pairs = raw.as_chunks::<2>().0.iter();
        units.clear();
        match self {
            Order::LeastFirst => units.extend(pairs.map(|&pair| u16::from_le_bytes(pair))),
            Order::GreatestFirst => units.extend(pairs.map(|&pair| u16::from_be_bytes(pair))),
        }
    }
}

fn is_high(unit: u16) -> bool {
    (0xD800..0xDC00).contains(&unit)
}

/// Appends well-formed UTF-16 as UTF-8: a unit takes three bytes at most.
fn push_valid(units: &[u16], text: &mut Vec<u8>) {
    let start = text.len();
    text.resize(start + 3 * units.len(), 0);
    let written = convert_utf16_to_utf8(units, &mut text[start..]);
    text.truncate(start + written);
}

/// The three bytes of a surrogate, as if it were a character: `1110dddd 10dddddd 10dddddd`.
fn wtf8(surrogate: u16) -> [u8; 3] {
    let low_six = |bits: u16| 0x80 | (bits & 0x3F) as u8;
    [0xE0 | (surrogate >> 12) as u8, low_six(surrogate >> 6), low_six(surrogate)]
}

#[cfg(test)]
mod tests {
    use super::super::hard::Short;
    use super::*;
    use proptest::prelude::*;

    fn read(bytes: &[u8], step: usize) -> (Vec<u8>, u64, &'static str) {
        let mut reader = TextReader::open(Short { bytes, step }).unwrap();
        let mut text = Vec::new();
        reader.read_to_end(&mut text).unwrap();
        (text, reader.start(), reader.encoding().as_str())
    }

    fn check(bytes: &[u8], text: &[u8], start: u64, encoding: &str) {
        for step in [1, 2, 3, 7, 1 << 20] {
            assert_eq!(read(bytes, step), (text.to_vec(), start, encoding), "{step} bytes at a time");
        }
    }

    #[test]
    fn utf8_passes_as_it_is() {
        check("a,é\n".as_bytes(), "a,é\n".as_bytes(), 0, "utf-8");
    }

    #[test]
    fn bytes_that_are_no_utf8_pass_as_they_are() {
        check(b"\xFFa\xD6\xD0\0", b"\xFFa\xD6\xD0\0", 0, "utf-8");
    }

    #[test]
    fn nothing_is_utf8() {
        check(b"", b"", 0, "utf-8");
    }

    #[test]
    fn the_mark_of_utf8_is_dropped_and_counted() {
        check(b"\xEF\xBB\xBFa", b"a", 3, "utf-8");
        check(b"\xEF\xBB\xBF", b"", 3, "utf-8");
    }

    #[test]
    fn half_a_mark_is_no_mark() {
        check(b"\xEF\xBB", b"\xEF\xBB", 0, "utf-8");
        check(b"\xFF", b"\xFF", 0, "utf-8");
    }

    #[test]
    fn only_the_first_mark_is_dropped() {
        check(b"\xEF\xBB\xBF\xEF\xBB\xBFa", b"\xEF\xBB\xBFa", 3, "utf-8");
        check(b"\xFF\xFE\xFF\xFEa\0", b"\xEF\xBB\xBFa", 0, "utf-16le");
    }

    #[test]
    fn utf16_is_transcoded() {
        check(b"\xFF\xFEa\0\xE9\0\x2D\x4E\x3D\xD8\xDE\xDC", "aé中📞".as_bytes(), 0, "utf-16le");
        check(b"\xFE\xFF\0a\0\xE9\x4E\x2D\xD8\x3D\xDC\xDE", "aé中📞".as_bytes(), 0, "utf-16be");
        check(b"\xFF\xFE", b"", 0, "utf-16le");
    }

    #[test]
    fn a_lone_surrogate_makes_invalid_utf8_and_no_neighbour_is_lost() {
        check(b"\xFF\xFEa\0\x3D\xD8b\0", b"a\xED\xA0\xBDb", 0, "utf-16le");
        check(b"\xFF\xFEa\0\xDE\xDCb\0", b"a\xED\xB3\x9Eb", 0, "utf-16le");
        check(b"\xFF\xFEa\0\x3D\xD8", b"a\xED\xA0\xBD", 0, "utf-16le");
        check(b"\xFF\xFE\x3D\xD8\x3D\xD8\xDE\xDC", b"\xED\xA0\xBD\xF0\x9F\x93\x9E", 0, "utf-16le");
    }

    #[test]
    fn an_odd_last_byte_makes_invalid_utf8() {
        check(b"\xFF\xFEa\0\n", b"a\xFF", 0, "utf-16le");
        check(b"\xFE\xFF\xD8\x3D\xDC", b"\xED\xA0\xBD\xFF", 0, "utf-16be");
    }

    #[test]
    fn a_pair_may_stand_across_a_step() {
        for ahead in [STEP / 2 - 2, STEP / 2 - 1, STEP / 2] {
            let text = "x".repeat(ahead) + "📞é";
            let bytes: Vec<u8> =
                [0xFEFF].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
            assert_eq!(read(&bytes, 1000).0, text.as_bytes(), "{ahead}");
        }
    }

    #[test]
    fn the_text_of_a_head_lacks_what_was_cut() {
        assert_eq!(&*text_of(b"\xEF\xBB\xBFa"), b"a");
        assert_eq!(&*text_of(b"\xFF\xFEa\0b"), b"a");
        assert_eq!(&*text_of(b"\xFF\xFEa\0\x3D\xD8"), b"a");
        assert_eq!(&*text_of(b"\xFE\xFF\0a"), b"a");
    }

    /// The slow twin: the standard library, unit by unit.
    fn naive(units: &[u16]) -> Vec<u8> {
        let mut text = Vec::new();
        for unit in char::decode_utf16(units.iter().copied()) {
            match unit {
                Ok(c) => text.extend(c.to_string().bytes()),
                Err(lone) => text.extend(wtf8(lone.unpaired_surrogate())),
            }
        }
        text
    }

    /// Units in which surrogates, with and without their pairs, are frequent.
    fn units() -> impl Strategy<Value = Vec<u16>> {
        let unit = prop_oneof![
            4 => 0u16..0x80,
            2 => 0x80u16..0xD800,
            3 => 0xD800u16..0xDC00,
            3 => 0xDC00u16..0xE000,
            1 => 0xE000u16..=0xFFFF,
        ];
        proptest::collection::vec(unit, 0..200)
    }

    proptest! {
        #[test]
        fn utf16_is_read_as_the_standard_library_reads_it(
            units in units(), step in 1usize..50, odd in any::<bool>(), big in any::<bool>(),
        ) {
            let bytes_of = if big { u16::to_be_bytes } else { u16::to_le_bytes };
            let mut bytes: Vec<u8> = [0xFEFF].iter().chain(&units).copied().flat_map(bytes_of).collect();
            let mut expected = naive(&units);
            if odd {
                bytes.push(b'?');
                expected.push(ODD_BYTE);
            }
            prop_assert_eq!(read(&bytes, step).0, expected);
        }

        #[test]
        fn a_lone_surrogate_is_never_valid_utf8(unit in 0xD800u16..0xE000) {
            prop_assert!(std::str::from_utf8(&wtf8(unit)).is_err());
        }
    }
}
