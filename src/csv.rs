//! The grammar of a CSV record as phone systems write it: the careful reader.
//!
//! Every place that is irregular (a stray quote, a line break within quotes, a header line) is read
//! here, byte by byte; `split` and `frame` do the regular rest with vector instructions and are held
//! against this reader in the tests. It knows syntax; it must not know vendors, columns or files.
//!
//! ```text
//! record   = field *( delimiter field ) ( eol | end of text )
//! field    = quoted | verbatim | plain
//! quoted   = '"' *( any but '"' | '""' ) '"'        followed by delimiter, eol or end
//! verbatim = '"' … '"' *( '"' … '"' | other )       a closing quote followed by anything else:
//!                                                   the field is its own text, quotes and all;
//!                                                   delimiters and line ends within quotes are text
//! plain    = *( any but delimiter and eol )         quotes within are text
//! ```
//!
//! `"GVC Test" <6039>` is verbatim, `"""GVC Test"" <6039>"` is quoted, and both are the same value
//! (UCM6xxx CDR guide, "CSV Output"). Some producers never quote: for them ([`Quotes::Whole`]) a
//! quote means something only where it encloses a whole field on one line.

use std::borrow::Cow;

use memchr::{memchr, memchr2, memchr3};

use crate::structure::Masks;

/// What a quote means to the producer of a dump.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quotes {
    /// The grammar above: quoted, verbatim and plain fields.
    Device,
    /// Only a field that is properly quoted, on one line, is quoted; every other quote is text.
    Whole,
}

/// How a CSV dump is cut into lines and fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dialect {
    /// `,`, `;` or tab.
    pub delimiter: u8,
    /// LF (a CR before it belongs to the line end), or CR in a dump without LF.
    pub eol: u8,
    /// What a quote means.
    pub quotes: Quotes,
}

/// How a field's text stands in the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// As it is: plain and verbatim fields.
    AsIs,
    /// Between quotes, without a quote inside: the span is the text between.
    Quoted,
    /// Between quotes, with doubled quotes inside: the span is the text between.
    Doubled,
}

/// One field of a record: a span of the text, and how it stands there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// First byte.
    pub start: usize,
    /// Past the last byte.
    pub end: usize,
    /// How the value stands in the span.
    pub form: Form,
}

impl Field {
    /// The field's value.
    pub fn value<'t>(&self, text: &'t [u8]) -> Cow<'t, [u8]> {
        let raw = &text[self.start..self.end];
        match self.form {
            Form::AsIs | Form::Quoted => Cow::Borrowed(raw),
            Form::Doubled => {
                let mut value = Vec::with_capacity(raw.len());
                undouble(raw, &mut value);
                Cow::Owned(value)
            }
        }
    }

    /// The span including the quotes around it.
    pub fn outer(&self) -> (usize, usize) {
        match self.form {
            Form::AsIs => (self.start, self.end),
            Form::Quoted | Form::Doubled => (self.start - 1, self.end + 1),
        }
    }
}

/// Appends a value in which `""` becomes `"`.
pub fn undouble(raw: &[u8], value: &mut Vec<u8>) {
    let mut at = 0;
    while let Some(quote) = memchr(b'"', &raw[at..]) {
        value.extend_from_slice(&raw[at..=at + quote]);
        at += quote + 1;
        if raw.get(at) == Some(&b'"') {
            at += 1;
        }
    }
    value.extend_from_slice(&raw[at..]);
}

/// How the reading of one record ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// At a line end, or at the end of the text; the next record begins here.
    At(usize),
    /// The text ended inside quotes.
    Open,
}

/// More fields than any record has: the rest is only passed over.
pub const MAX_FIELDS: usize = 65_536;

/// Reads the record that begins at `from`: its fields go to `fields` (cleared first, at most
/// `MAX_FIELDS` and one more), what comes back is where it ends. A last line without an end is a record.
pub fn read_record(text: &[u8], from: usize, dialect: Dialect, fields: &mut Vec<Field>) -> End {
    fields.clear();
    let mut at = from;
    loop {
        let Some((field, stop)) = read_field(text, at, dialect) else { return End::Open };
        let last = text.get(stop) != Some(&dialect.delimiter);
        if fields.len() <= MAX_FIELDS {
            fields.push(if last { without_cr(text, field, dialect) } else { field });
        }
        if last {
            return End::At((stop + 1).min(text.len()));
        }
        at = stop + 1;
    }
}

/// Reads the field at `at`; comes back with it and with the byte that stopped it (a delimiter, a
/// line end or the end of the text), or with nothing where the text ends inside quotes.
fn read_field(text: &[u8], at: usize, dialect: Dialect) -> Option<(Field, usize)> {
    if text.get(at) != Some(&b'"') {
        return Some(plain(text, at, dialect));
    }
    match dialect.quotes {
        Quotes::Device => quoted_or_verbatim(text, at, dialect),
        Quotes::Whole => {
            let line = memchr(dialect.eol, &text[at..]).map_or(text.len(), |length| at + length);
            match quoted_or_verbatim(&text[..line], at, dialect) {
                Some((field, stop)) if field.form != Form::AsIs => Some((field, stop)),
                _ => Some(plain(text, at, dialect)),
            }
        }
    }
}

fn plain(text: &[u8], at: usize, dialect: Dialect) -> (Field, usize) {
    let stop = memchr2(dialect.delimiter, dialect.eol, &text[at..]).map_or(text.len(), |length| at + length);
    (Field { start: at, end: stop, form: Form::AsIs }, stop)
}

fn quoted_or_verbatim(text: &[u8], open: usize, dialect: Dialect) -> Option<(Field, usize)> {
    let mut form = Form::Quoted;
    let mut at = open + 1;
    loop {
        let quote = at + memchr(b'"', &text[at..])?;
        if text.get(quote + 1) == Some(&b'"') {
            form = Form::Doubled;
            at = quote + 2;
        } else if ends_field(text, quote + 1, dialect) {
            let stop = if text.get(quote + 1) == Some(&b'\r') && dialect.eol == b'\n' {
                quote + 2
            } else {
                quote + 1
            };
            return Some((Field { start: open + 1, end: quote, form }, stop));
        } else {
            let stop = verbatim_end(text, quote + 1, dialect)?;
            return Some((Field { start: open, end: stop, form: Form::AsIs }, stop));
        }
    }
}

/// Whether a delimiter, a line end or the end of the text stands at `at`.
fn ends_field(text: &[u8], at: usize, dialect: Dialect) -> bool {
    match text.get(at) {
        None => true,
        Some(&b'\r') if dialect.eol == b'\n' => matches!(text.get(at + 1), None | Some(&b'\n')),
        Some(&byte) => byte == dialect.delimiter || byte == dialect.eol,
    }
}

/// Where a verbatim field ends that stands outside quotes at `at`.
fn verbatim_end(text: &[u8], mut at: usize, dialect: Dialect) -> Option<usize> {
    loop {
        let Some(length) = memchr3(dialect.delimiter, dialect.eol, b'"', &text[at..]) else {
            return Some(text.len());
        };
        let stop = at + length;
        if text[stop] != b'"' {
            return Some(stop);
        }
        at = stop + 1 + memchr(b'"', &text[stop + 1..])? + 1;
    }
}

/// The last field of a line without the CR that belongs to the line end.
fn without_cr(text: &[u8], mut field: Field, dialect: Dialect) -> Field {
    let ends_in_cr = field.end > field.start && text[field.end - 1] == b'\r';
    if field.form == Form::AsIs && dialect.eol == b'\n' && ends_in_cr {
        field.end -= 1;
    }
    field
}

/// Follows quotes through the masks of consecutive steps, and tells where they are irregular.
///
/// Regular means: an opening quote stands at the start of a field (behind a delimiter, a line end,
/// or, as the second of a doubled pair, behind a quote), and no line ends within quotes. As long as
/// that holds, "an odd number of quotes stands before it" is the same as "it is within quotes" in
/// the grammar above, and the delimiters and line ends outside are those of the grammar.
#[derive(Clone, Copy, Debug)]
pub struct QuoteTracker {
    /// All bits set if the byte before this step is within quotes.
    inside: u64,
    /// Bit 0 set if the byte before this step lets a field begin.
    opener: u64,
}

/// What [`QuoteTracker`] says of one step: bit `i` is byte `i`.
#[derive(Clone, Copy, Debug)]
pub struct Quoting {
    /// Bytes within quotes, the opening quote among them, the closing one not.
    pub inside: u64,
    /// Places that the careful reader must look at.
    pub irregular: u64,
}

impl Quoting {
    /// Of text in which quotes mean nothing.
    pub const NONE: Quoting = Quoting { inside: 0, irregular: 0 };
}

impl Default for QuoteTracker {
    /// At the start of a record.
    fn default() -> QuoteTracker {
        QuoteTracker { inside: 0, opener: 1 }
    }
}

impl QuoteTracker {
    /// Goes on by one step.
    #[inline(always)]
    pub fn step(&mut self, masks: &Masks) -> Quoting {
        if masks.quote == 0 {
            let openers = masks.delimiter | masks.eol;
            self.opener = openers >> 63;
            return Quoting { inside: self.inside, irregular: masks.eol & self.inside };
        }
        let inside = masks.odd ^ self.inside;
        let openers = masks.delimiter | masks.eol | masks.quote;
        let begins = openers << 1 | self.opener;
        let irregular = (masks.quote & inside & !begins) | (masks.eol & inside);
        self.inside = ((inside as i64) >> 63) as u64;
        self.opener = openers >> 63;
        Quoting { inside, irregular }
    }
}

impl QuoteTracker {
    /// Whether the text so far ends within quotes.
    pub fn is_inside(&self) -> bool {
        self.inside != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UCM: Dialect = Dialect { delimiter: b',', eol: b'\n', quotes: Quotes::Device };
    const KAZOO: Dialect = Dialect { delimiter: b',', eol: b'\r', quotes: Quotes::Whole };

    /// `[field|field]` for a record that ends, with `+rest` where text is left; `open` else.
    fn read(text: &str, dialect: Dialect) -> String {
        let mut fields = Vec::new();
        match read_record(text.as_bytes(), 0, dialect, &mut fields) {
            End::Open => "open".to_string(),
            End::At(end) => {
                let values: Vec<String> = fields
                    .iter()
                    .map(|field| String::from_utf8_lossy(&field.value(text.as_bytes())).into_owned())
                    .collect();
                let rest = if end < text.len() { format!("+{}", &text[end..]) } else { String::new() };
                format!("[{}]{rest}", values.join("|"))
            }
        }
    }

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(read(text, UCM), expected, "{text:?}");
    }

    #[test]
    fn plain_fields() {
        check("a,b\nc", "[a|b]+c");
        check("a,b", "[a|b]");
        check("a,b,\r\n", "[a|b|]");
        check("\n", "[]");
        check("a\"b,c\"d\n", "[a\"b|c\"d]");
        check(" \"a,b\"\n", "[ \"a|b\"]");
    }

    #[test]
    fn quoted_fields() {
        check("\"a,b\",c\n", "[a,b|c]");
        check("\"a\"\"b\",c\n", "[a\"b|c]");
        check("\"\",\"\"\r\nx", "[|]+x");
        check("\"\"\"GVC Test\"\" <6039>\",x\n", "[\"GVC Test\" <6039>|x]");
        check("\"a\nb\",c\n", "[a\nb|c]");
        check("\"a\"\r\nb", "[a]+b");
        check("x,\"a\"", "[x|a]");
        check("x,\"a\"\r", "[x|a]");
    }

    #[test]
    fn verbatim_fields() {
        check("\"GVC Test\" <6039>,x\n", "[\"GVC Test\" <6039>|x]");
        check("\"Doe, John\" <6039>,x\n", "[\"Doe, John\" <6039>|x]");
        check("\"\" <1000>,x\n", "[\"\" <1000>|x]");
        check("\"a\" \"b,c\" d\r\nx", "[\"a\" \"b,c\" d]+x");
        check("\"a\nb\" <1>,x\n", "[\"a\nb\" <1>|x]");
        check("\"a\"x", "[\"a\"x]");
    }

    #[test]
    fn text_that_ends_within_quotes_is_open() {
        check("a,\"b,c\nd,e\n", "open");
        check("a,\"b\" \"c\n", "open");
        check("\"", "open");
    }

    #[test]
    fn whole_quotes_never_span_a_line_or_protect_a_part() {
        let check = |text, expected| assert_eq!(read(text, KAZOO), expected, "{text:?}");
        check("\"a,b\",c\rd", "[a,b|c]+d");
        check("\"a,b\rc\",d\r", "[\"a|b]+c\",d\r");
        check("\"Doe, John\" <1>,x\r", "[\"Doe| John\" <1>|x]");
    }

    #[test]
    fn a_million_commas_end_without_a_million_fields() {
        let text = vec![b','; 1_000_000];
        let mut fields = Vec::new();
        assert_eq!(read_record(&text, 0, UCM, &mut fields), End::At(1_000_000));
        assert_eq!(fields.len(), MAX_FIELDS + 1);
    }

    #[test]
    fn csv_core_reads_rfc_4180_the_same_way() {
        let text = b"a,\"b,\"\"c\"\"\n\",,\"\"\r\nx,\"y\"\n";
        let mut ours = Vec::new();
        let mut at = 0;
        while at < text.len() {
            let mut fields = Vec::new();
            let End::At(end) = read_record(text, at, UCM, &mut fields) else { panic!() };
            ours.push(fields.iter().map(|field| field.value(text).into_owned()).collect::<Vec<_>>());
            at = end;
        }
        assert_eq!(ours, crate::csv::oracle::records(text));
    }
}

/// csv-core as the oracle for properly quoted input.
#[cfg(test)]
pub(crate) mod oracle {
    use csv_core::{ReadRecordResult, Reader};

    /// The records of an RFC 4180 text, as csv-core reads them.
    pub(crate) fn records(mut text: &[u8]) -> Vec<Vec<Vec<u8>>> {
        let mut reader = Reader::new();
        let (mut out, mut ends) = (vec![0; text.len() + 64], vec![0; text.len() + 64]);
        let mut records = Vec::new();
        loop {
            let (mut filled, mut fields) = (0, 0);
            loop {
                let (result, read, wrote, ended) =
                    reader.read_record(text, &mut out[filled..], &mut ends[fields..]);
                text = &text[read..];
                filled += wrote;
                fields += ended;
                match result {
                    ReadRecordResult::Record => break,
                    ReadRecordResult::End => return records,
                    _ => {}
                }
            }
            let starts = std::iter::once(0).chain(ends[..fields].iter().copied());
            records.push(starts.zip(&ends[..fields]).map(|(start, &end)| out[start..end].to_vec()).collect());
        }
    }
}
