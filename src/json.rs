//! The grammar of JSON as devices write it, read byte by byte: the careful reader.
//!
//! It is RFC 8259 with what the dumps have besides: raw control characters within texts, commas before a
//! closing bracket, halves of surrogate pairs. It must not know vendors, envelopes or columns.
//!
//! ```text
//!   value   = text | number | true | false | null | { (text : value ,)* } | [ (value ,)* ]
//!   text    = " (any byte but " and \ | \ any byte)* "        whether an escape means something is asked later
//!   number  = -? (0 | [1-9][0-9]*) (. [0-9]+)? ([eE] [+-]? [0-9]+)?
//! ```
//!
//! Numbers are not read but kept as they stand: one of 22 digits is an id, and keeps them all.

use memchr::memchr2;

/// How deeply values may be nested within a record.
pub const MAX_DEPTH: usize = 32;

/// What cannot be read, and where that was noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The text ends first.
    Open,
    /// Something else is expected at this byte.
    Expected(&'static str, usize),
    /// Nested more than [`MAX_DEPTH`] deep.
    TooDeep,
}

/// A text between its quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Text {
    /// Its first byte, behind the quote.
    pub start: usize,
    /// Its closing quote.
    pub end: usize,
    /// It has a backslash.
    pub escaped: bool,
}

impl Text {
    /// Past the closing quote.
    pub fn next(&self) -> usize {
        self.end + 1
    }
}

/// What stands where a value begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value {
    /// A text.
    Text(Text),
    /// A number, or `true` or `false`, from and up to these bytes.
    Bare(usize, usize),
    /// `null`, up to this byte.
    Null(usize),
    /// An object opens.
    Object,
    /// A list opens.
    List,
}

/// The first byte from `at` on that is no white space; the text's length where there is none.
#[inline]
pub fn skip_blank(text: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\n' | b'\r' | b'\t') = text.get(at) {
        at += 1;
    }
    at
}

/// The text whose quote stands at `at`.
pub fn text_at(text: &[u8], at: usize) -> Result<Text, Fault> {
    if text.get(at) != Some(&b'"') {
        return Err(if at < text.len() { Fault::Expected("a quote", at) } else { Fault::Open });
    }
    let (mut from, mut escaped) = (at + 1, false);
    loop {
        let found = from + memchr2(b'"', b'\\', text.get(from..).unwrap_or_default()).ok_or(Fault::Open)?;
        if text[found] == b'"' {
            return Ok(Text { start: at + 1, end: found, escaped });
        }
        escaped = true;
        from = found + 2;
    }
}

/// The value that begins at `at`.
pub fn value_at(text: &[u8], at: usize) -> Result<Value, Fault> {
    match text.get(at) {
        None => Err(Fault::Open),
        Some(b'"') => text_at(text, at).map(Value::Text),
        Some(b'{') => Ok(Value::Object),
        Some(b'[') => Ok(Value::List),
        Some(_) => {
            let ends = |byte: &u8| !(byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'));
            let end = text[at..].iter().position(ends).map_or(text.len(), |length| at + length);
            match &text[at..end] {
                b"null" => Ok(Value::Null(end)),
                b"true" | b"false" => Ok(Value::Bare(at, end)),
                number if is_number(number) => Ok(Value::Bare(at, end)),
                _ if end == text.len() => Err(Fault::Open),
                _ => Err(Fault::Expected("a value", at)),
            }
        }
    }
}

fn is_number(text: &[u8]) -> bool {
    let digits = |text: &[u8]| text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let text = text.strip_prefix(b"-").unwrap_or(text);
    let whole = digits(text);
    if whole == 0 || (whole > 1 && text[0] == b'0') {
        return false;
    }
    let mut rest = &text[whole..];
    if let [b'.', fraction @ ..] = rest {
        let length = digits(fraction);
        if length == 0 {
            return false;
        }
        rest = &fraction[length..];
    }
    if let [b'e' | b'E', exponent @ ..] = rest {
        let exponent = exponent.strip_prefix(b"+").or(exponent.strip_prefix(b"-")).unwrap_or(exponent);
        let length = digits(exponent);
        return length > 0 && length == exponent.len();
    }
    rest.is_empty()
}

/// Goes over the members of an object or the values of a list.
#[derive(Clone, Copy, Debug)]
pub struct Members {
    at: usize,
    close: u8,
    first: bool,
    /// A comma stood before the closing bracket.
    pub trailing_comma: bool,
}

impl Members {
    /// Those of the object or list whose bracket stands at `open`.
    pub fn new(text: &[u8], open: usize) -> Members {
        let close = if text[open] == b'{' { b'}' } else { b']' };
        Members { at: open + 1, close, first: true, trailing_comma: false }
    }

    /// Past the closing bracket, once [`Members::next`] has come to it.
    pub fn end(&self) -> usize {
        self.at
    }

    /// Where the next member's key (or the next value) begins; nothing at the end. Goes on from where
    /// [`Members::pass`] was told.
    pub fn next(&mut self, text: &[u8]) -> Result<Option<usize>, Fault> {
        let mut at = skip_blank(text, self.at);
        if !self.first && text.get(at) == Some(&b',') {
            at = skip_blank(text, at + 1);
            self.trailing_comma = text.get(at) == Some(&self.close);
        } else if !self.first && text.get(at) != Some(&self.close) {
            return Err(if at < text.len() { Fault::Expected("a comma", at) } else { Fault::Open });
        }
        match text.get(at) {
            None => Err(Fault::Open),
            Some(byte) if *byte == self.close => {
                self.at = at + 1;
                Ok(None)
            }
            Some(_) => Ok(Some(at)),
        }
    }

    /// Says where the value ends that was last come to.
    pub fn pass(&mut self, end: usize) {
        self.at = end;
        self.first = false;
    }
}

/// The key at `at`, and where its value begins.
pub fn key_at(text: &[u8], at: usize) -> Result<(Text, usize), Fault> {
    let key = text_at(text, at)?;
    let colon = skip_blank(text, key.next());
    match text.get(colon) {
        None => Err(Fault::Open),
        Some(b':') => Ok((key, skip_blank(text, colon + 1))),
        Some(_) => Err(Fault::Expected("a colon", colon)),
    }
}

/// Past the value at `at`, which is read by the grammar, `depth` brackets deep.
pub fn value_end(text: &[u8], at: usize, depth: usize) -> Result<usize, Fault> {
    match value_at(text, at)? {
        Value::Text(value) => Ok(value.next()),
        Value::Bare(_, end) | Value::Null(end) => Ok(end),
        Value::Object | Value::List if depth >= MAX_DEPTH => Err(Fault::TooDeep),
        Value::Object | Value::List => {
            let mut members = Members::new(text, at);
            while let Some(next) = members.next(text)? {
                let value = if text[at] == b'{' { key_at(text, next)?.1 } else { next };
                members.pass(value_end(text, value, depth + 1)?);
            }
            Ok(members.end())
        }
    }
}

/// Past the value at `at`, of which only the brackets are looked at, and not whether they match.
pub fn bracket_end(text: &[u8], at: usize) -> Result<usize, Fault> {
    if !matches!(text.get(at), Some(b'{' | b'[')) {
        return value_end(text, at, 0);
    }
    let (mut depth, mut from) = (0usize, at);
    loop {
        let found = text[from..].iter().position(|byte| matches!(byte, b'"' | b'{' | b'}' | b'[' | b']'));
        let found = from + found.ok_or(Fault::Open)?;
        from = found + 1;
        match text[found] {
            b'"' => from = text_at(text, found)?.next(),
            b'{' | b'[' => depth += 1,
            _ if depth == 1 => return Ok(from),
            _ => depth -= 1,
        }
    }
}

/// A text's escape that means nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadEscape;

/// Appends what a text with escapes says; comes back with whether it was repaired: a half of a surrogate
/// pair, which is no character, is written as U+FFFD.
pub fn unescape(text: &[u8], out: &mut Vec<u8>) -> Result<bool, BadEscape> {
    let (mut at, mut repaired) = (0, false);
    while let Some(length) = memchr::memchr(b'\\', &text[at..]) {
        out.extend_from_slice(&text[at..at + length]);
        at += length + 2;
        let byte = match text.get(at - 1).ok_or(BadEscape)? {
            byte @ (b'"' | b'\\' | b'/') => *byte,
            b'b' => 8,
            b'f' => 12,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'u' => {
                let unit = unit(text, at)?;
                at += 4;
                let low = match (unit, text.get(at..at + 2)) {
                    (0xd800..0xdc00, Some(b"\\u")) => Some(self::unit(text, at + 2)?),
                    _ => None,
                };
                let letter = match low {
                    Some(low @ 0xdc00..0xe000) => {
                        at += 6;
                        char::from_u32(0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00))
                    }
                    _ => char::from_u32(unit),
                };
                repaired |= letter.is_none();
                let letter = letter.unwrap_or(char::REPLACEMENT_CHARACTER);
                out.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
                continue;
            }
            _ => return Err(BadEscape),
        };
        out.push(byte);
    }
    out.extend_from_slice(&text[at..]);
    Ok(repaired)
}

/// The four hexadecimal digits at `at`.
fn unit(text: &[u8], at: usize) -> Result<u32, BadEscape> {
    let digits = text.get(at..at + 4).ok_or(BadEscape)?;
    digits.iter().try_fold(0, |unit, &byte| {
        let digit = char::from(byte).to_digit(16).ok_or(BadEscape)?;
        Ok(unit << 4 | digit)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn values() {
        let check = |text: &str, end: Result<usize, Fault>| {
            assert_eq!(value_end(text.as_bytes(), 0, 0), end, "{text}");
        };
        check(r#""a\"b" ,"#, Ok(6));
        check("1461920017104140123456 }", Ok(22));
        check("-0.5e+10,", Ok(8));
        check(r#"{"a" : [1, {"b":null},] , }x"#, Ok(27));
        check("{}", Ok(2));
        check("[ ]", Ok(3));
        check("01,", Err(Fault::Expected("a value", 0)));
        check("nul ", Err(Fault::Expected("a value", 0)));
        check("{,}", Err(Fault::Expected("a quote", 1)));
        check(r#"{"a" 1}"#, Err(Fault::Expected("a colon", 5)));
        check(r#"{"a":1 "b":2}"#, Err(Fault::Expected("a comma", 7)));
        check(r#"{"a":[1}"#, Err(Fault::Expected("a comma", 7)));
        check(r#"{"a":"1"#, Err(Fault::Open));
        check(r#"{"a":tru"#, Err(Fault::Open));
        check(&"[".repeat(100), Err(Fault::TooDeep));
    }

    #[test]
    fn escapes() {
        let check = |text: &str, expected: Result<(&str, bool), BadEscape>| {
            let mut out = Vec::new();
            let repaired = unescape(text.as_bytes(), &mut out);
            let found = repaired.map(|repaired| (std::str::from_utf8(&out).unwrap(), repaired));
            assert_eq!(found, expected, "{text}");
        };
        check(r#"\"John\" <1000>"#, Ok(("\"John\" <1000>", false)));
        check(r"\/\\\b\f\n\r\t", Ok(("/\\\u{8}\u{c}\n\r\t", false)));
        check(r"\u00e9\u4e2d\ud83d\uDE00", Ok(("é中😀", false)));
        check(r"a\ud83d", Ok(("a\u{fffd}", true)));
        check(r"\ude00\ud83d\u0041", Ok(("\u{fffd}\u{fffd}A", true)));
        check(r"\pn01\ <5300>", Err(BadEscape));
        check(r"\u12g4", Err(BadEscape));
        check(r"\u+123", Err(BadEscape));
        check(r"\ud83d\u12", Err(BadEscape));
    }

    proptest! {
        /// The oracle is serde_json: what it reads we read, and to the same end.
        #[test]
        fn what_is_json_is_read(text in "[\\[\\]{},:\"a0-9.eE\\\\nultr -]{0,24}") {
            let is_json = serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok();
            let start = skip_blank(text.as_bytes(), 0);
            let end = value_end(text.as_bytes(), start, 0);
            if is_json {
                prop_assert_eq!(end.map(|end| skip_blank(text.as_bytes(), end)), Ok(text.len()));
            }
        }

        #[test]
        fn texts_mean_what_serde_json_reads(text in "([a-z\"/]|\\\\[\"\\\\/bfnrtu0a]|\\\\u[0-9a-fA-F]{4}|\\\\ud8[0-9]{2}\\\\udc[0-9]{2}){0,8}") {
            let whole = format!("\"{}\"", text.replace('"', "'"));
            let found = text_at(whole.as_bytes(), 0).ok().filter(|text| text.next() == whole.len());
            if let (Some(found), Ok(expected)) = (found, serde_json::from_str::<String>(&whole)) {
                let mut out = Vec::new();
                let repaired = unescape(&whole.as_bytes()[found.start..found.end], &mut out);
                prop_assert_eq!(repaired, Ok(false));
                prop_assert_eq!(out, expected.into_bytes());
            }
        }
    }
}
