//! The grammar of XML as devices write it: what stands at a `<` or an `&`, and where it ends.
//!
//! Splitter and framer share it, as they share `csv.rs`, so that what one takes for a comment the
//! other does, too. It must not know elements by name, nor records. It reads what stands in the text
//! and nothing else: an entity is never expanded, a DOCTYPE never read.
//!
//! ```text
//!   aside     <!-- … -->   <![CDATA[ … ]]>   <? … ?>   <!DOCTYPE … [ … ] >
//!   tag       < name ( blank attribute )* blank? /? >      attribute   name = " … "  or  ' … '
//!   end tag   < / name blank? >
//!   reference & name ;   & # digits ;   & # x hex ;
//! ```
//!
//! Real text breaks these rules, and a mark that is opened and never closed must not swallow a file:
//!
//! - an aside that is opened again before it is closed, or not closed within [`MAX_RECORD`] bytes,
//!   is none: its `<` is text;
//! - an attribute's quote that is not closed before the next `<` makes the tag a broken one, for no
//!   attribute may hold a `<`; the tag ends there;
//! - an `&` that begins no reference is text.

use memchr::memmem;

use crate::split::MAX_RECORD;

/// What is no element: passed over, or, of a CDATA section, text as it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aside {
    /// `<!-- … -->`.
    Comment,
    /// `<![CDATA[ … ]]>`.
    Cdata,
    /// `<? … ?>`.
    Instruction,
    /// `<!DOCTYPE … >`, its internal subset included.
    Doctype,
}

/// Where something ends that was begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ends {
    /// Past its last byte.
    At(usize),
    /// Nowhere: it is not what it seemed.
    Never,
    /// Not in this text, which is not all.
    Later,
}

/// The marks that open and close each.
const ASIDES: [(Aside, &[u8], &[u8]); 4] = [
    (Aside::Comment, b"<!--", b"-->"),
    (Aside::Cdata, b"<![CDATA[", b"]]>"),
    (Aside::Instruction, b"<?", b"?>"),
    (Aside::Doctype, b"<!DOCTYPE", b">"),
];

/// The aside that begins at `at`, where a `<!` or `<?` stands, and where it ends; `whole` says that
/// nothing follows the text. Nothing where no aside begins.
pub fn aside(text: &[u8], at: usize, whole: bool) -> Option<(Aside, Ends)> {
    let rest = &text[at..];
    let begins = |&&(_, open, _): &&(Aside, &[u8], &[u8])| rest.starts_with(open);
    if let Some(&(aside, open, close)) = ASIDES.iter().find(begins) {
        let within = &rest[..rest.len().min(MAX_RECORD)];
        let is_all = whole || within.len() == MAX_RECORD;
        let end = match aside {
            Aside::Doctype => doctype_end(within),
            _ => closed(within, open, close),
        };
        return Some(match end {
            Closed::At(end) => (aside, Ends::At(at + end)),
            Closed::Nowhere if !is_all => (aside, Ends::Later),
            Closed::Nowhere | Closed::Reopened => (aside, Ends::Never),
        });
    }
    let may_begin = |&&(_, open, _): &&(Aside, &[u8], &[u8])| !whole && open.starts_with(rest);
    ASIDES.iter().find(may_begin).map(|&(aside, ..)| (aside, Ends::Later))
}

/// Where something that is opened at the front of a text is closed.
enum Closed {
    At(usize),
    /// It is opened again before.
    Reopened,
    Nowhere,
}

/// Looks for the mark that closes, and the one that opens again, as far as the first of the two and
/// hardly further: else marks that are never closed would cost the square of the text.
fn closed(text: &[u8], open: &[u8], close: &[u8]) -> Closed {
    let (mut from, mut window) = (open.len(), 64);
    while from < text.len() {
        // What is found may begin within the window, and end behind it.
        let within =
            |mark: &[u8]| memmem::find(&text[from..text.len().min(from + window + mark.len() - 1)], mark);
        match (within(close), within(open)) {
            (Some(end), again) if again.is_none_or(|again| end < again) => {
                return Closed::At(from + end + close.len());
            }
            (_, Some(_)) => return Closed::Reopened,
            (_, None) => (from, window) = (from + window, window * 2),
        }
    }
    Closed::Nowhere
}

/// Past the `>` of a DOCTYPE: the first outside of quotes, and of the brackets of its internal subset,
/// in which comments and instructions may hold what they like.
fn doctype_end(text: &[u8]) -> Closed {
    let (mut at, mut in_subset) = (b"<!DOCTYPE".len(), false);
    loop {
        let rest = &text[at..];
        let passed = match rest.first() {
            None => return Closed::Nowhere,
            Some(quote @ (b'"' | b'\'')) => match memchr::memchr(*quote, &rest[1..]) {
                Some(length) => Closed::At(length + 2),
                None => Closed::Nowhere,
            },
            Some(b'<') if rest.starts_with(b"<!--") => closed(rest, b"<!--", b"-->"),
            Some(b'<') if rest.starts_with(b"<?") => closed(rest, b"<?", b"?>"),
            Some(b'<') if rest.starts_with(b"<!DOCTYPE") => Closed::Reopened,
            Some(b'>') if !in_subset => return Closed::At(at + 1),
            Some(byte) => {
                in_subset = (in_subset || *byte == b'[') && *byte != b']';
                Closed::At(1)
            }
        };
        match passed {
            Closed::At(passed) => at += passed,
            other => return other,
        }
    }
}

/// A start tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tag {
    /// Past its last byte.
    pub end: usize,
    /// Whether it is an element of its own: `<name/>`.
    pub is_closed: bool,
    /// It is not well-formed: a quote in it is not closed, or a `<` stands in it.
    pub is_broken: bool,
}

/// The start tag whose name ends at `at`; nothing where the text ends within it.
pub fn tag(text: &[u8], at: usize) -> Option<Tag> {
    let mut quote = None;
    for (ahead, &byte) in text[at..].iter().enumerate() {
        let end = at + ahead;
        match (byte, quote) {
            (b'<', _) => return Some(Tag { end, is_closed: false, is_broken: true }),
            (b'>', None) => {
                return Some(Tag { end: end + 1, is_closed: text[end - 1] == b'/', is_broken: false });
            }
            (b'"' | b'\'', None) => quote = Some(byte),
            (_, Some(open)) if open == byte => quote = None,
            _ => {}
        }
    }
    None
}

/// Past the `>` of the end tag whose name ends at `at`; nothing where it does not follow.
pub fn end_tag(text: &[u8], at: usize) -> Option<usize> {
    let blanks = text[at..].iter().take_while(|byte| is_blank(**byte)).count();
    (text.get(at + blanks) == Some(&b'>')).then_some(at + blanks + 1)
}

/// Past the name at `at`; `at` itself where none begins.
pub fn name_end(text: &[u8], at: usize) -> usize {
    match text.get(at) {
        Some(&first) if is_name_start(first) => {
            at + text[at..].iter().take_while(|byte| is_name_byte(**byte)).count()
        }
        _ => at,
    }
}

/// White space between tags; a form feed, too, which XML does not allow, says nothing there.
pub fn is_blank(byte: u8) -> bool {
    byte.is_ascii_whitespace()
}

/// The first byte from `at` on, and before `end`, that is no white space.
pub fn past_blanks(text: &[u8], at: usize, end: usize) -> usize {
    at + text[at..end].iter().take_while(|byte| is_blank(**byte)).count()
}

/// Bytes beyond ASCII may all stand in names: which of them XML allows is no matter of ours.
fn is_name_start(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || matches!(byte, b'_' | b':') || byte >= 0x80
}

fn is_name_byte(byte: u8) -> bool {
    is_name_start(byte) || byte.is_ascii_digit() || matches!(byte, b'-' | b'.')
}

/// One attribute; places in the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute {
    /// Its name.
    pub name: std::ops::Range<usize>,
    /// What stands between its quotes.
    pub value: std::ops::Range<usize>,
    /// Its value is not quoted, as in the guide's own outline: `session=1461920017104140-1000`.
    pub is_bare: bool,
}

/// The attribute at `at` or behind blanks there, in a tag whose attributes end at `end`; nothing
/// where there is none.
///
/// # Errors
/// What stands there is no attribute.
pub fn attribute(text: &[u8], at: usize, end: usize) -> Result<Option<Attribute>, ()> {
    let start = past_blanks(text, at, end);
    if start >= end {
        return Ok(None);
    }
    let name = start..name_end(&text[..end], start);
    let equals = past_blanks(text, name.end, end);
    if name.is_empty() || text[..end].get(equals) != Some(&b'=') {
        return Err(());
    }
    let open = past_blanks(text, equals + 1, end);
    match text[..end].get(open) {
        Some(quote @ (b'"' | b'\'')) => {
            let length = memchr::memchr(*quote, &text[open + 1..end]).ok_or(())?;
            Ok(Some(Attribute { name, value: open + 1..open + 1 + length, is_bare: false }))
        }
        Some(_) => {
            let length = text[open..end].iter().take_while(|byte| !is_blank(**byte)).count();
            Ok(Some(Attribute { name, value: open..open + length, is_bare: true }))
        }
        None => Err(()),
    }
}

impl Attribute {
    /// Past its last byte.
    pub fn end(&self) -> usize {
        self.value.end + usize::from(!self.is_bare)
    }
}

/// What an `&` begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reference {
    /// Nothing: it is an `&`.
    Text,
    /// A character, and how many bytes stand for it.
    Char(char, usize),
    /// A character that XML does not allow, or an entity that it does not define; its length.
    Undefined(usize),
}

/// What the `&` at the front of `text` begins.
pub fn reference(text: &[u8]) -> Reference {
    if let Some(number) = text.strip_prefix(b"&#") {
        let (digits, radix, ahead) = match number.first() {
            Some(b'x') => (&number[1..], 16, 3),
            _ => (number, 10, 2),
        };
        let count = digits.iter().take_while(|byte| (**byte as char).is_digit(radix)).count();
        if count == 0 || digits.get(count) != Some(&b';') {
            return Reference::Text;
        }
        let length = ahead + count + 1;
        return match character(&digits[..count], radix) {
            Some(character) => Reference::Char(character, length),
            None => Reference::Undefined(length),
        };
    }
    let end = name_end(text, 1);
    if end == 1 || text.get(end) != Some(&b';') {
        return Reference::Text;
    }
    let defined = match &text[1..end] {
        b"quot" => '"',
        b"amp" => '&',
        b"lt" => '<',
        b"gt" => '>',
        b"apos" => '\'',
        _ => return Reference::Undefined(end + 1),
    };
    Reference::Char(defined, end + 1)
}

/// The character of that number, if XML allows it.
fn character(digits: &[u8], radix: u32) -> Option<char> {
    let add =
        |number: u32, digit: &u8| number.checked_mul(radix)?.checked_add((*digit as char).to_digit(radix)?);
    let number = digits.iter().try_fold(0, add)?;
    let allowed = matches!(number, 0x9 | 0xA | 0xD | 0x20..=0xFFFD | 0x10000..);
    char::from_u32(number).filter(|_| allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_aside(text: &str, expected: Option<(Aside, Ends)>) {
        assert_eq!(aside(text.as_bytes(), 0, true), expected, "{text}");
    }

    #[test]
    fn asides_end_where_xml_says() {
        check_aside("<!-- a > b --> c", Some((Aside::Comment, Ends::At(14))));
        check_aside("<!---->", Some((Aside::Comment, Ends::At(7))));
        check_aside("<![CDATA[<x>]]]]>", Some((Aside::Cdata, Ends::At(17))));
        check_aside("<?xml version=\"1.0\"?><a>", Some((Aside::Instruction, Ends::At(21))));
        check_aside("<!ELEMENT", None);
    }

    #[test]
    fn an_aside_that_is_opened_again_was_none() {
        check_aside("<!-- a <!-- b -->", Some((Aside::Comment, Ends::Never)));
        check_aside("<![CDATA[ a </x><x><![CDATA[ b ]]>", Some((Aside::Cdata, Ends::Never)));
        check_aside("<!-- a", Some((Aside::Comment, Ends::Never)));
    }

    #[test]
    fn a_text_that_is_not_all_may_close_later() {
        for text in ["<!", "<!-", "<!-- a", "<?", "<![CDA", "<!DOCT", "<!DOCTYPE a [ <!ENTITY"] {
            assert!(matches!(aside(text.as_bytes(), 0, false), Some((_, Ends::Later))), "{text}");
        }
        assert_eq!(aside(b"<!DOX", 0, false), None);
    }

    #[test]
    fn a_doctype_ends_behind_its_subset() {
        let end = |text: &str| check_aside(text, Some((Aside::Doctype, Ends::At(text.len()))));
        end("<!DOCTYPE root>");
        end("<!DOCTYPE root SYSTEM \"a>b\">");
        end("<!DOCTYPE r [<!ENTITY a \"]>\"><!-- ' ]> --><?p ]> ?>] >");
        check_aside("<!DOCTYPE r [ <!ENTITY a \"b\">", Some((Aside::Doctype, Ends::Never)));
        check_aside("<!DOCTYPE r \"never", Some((Aside::Doctype, Ends::Never)));
    }

    #[test]
    fn a_tag_ends_outside_its_quotes_and_before_the_next() {
        let of = |text: &str| tag(text.as_bytes(), 2).map(|tag| (tag.end, tag.is_closed, tag.is_broken));
        assert_eq!(of("<a b=\"c>d\">e"), Some((11, false, false)));
        assert_eq!(of("<a b='\"'/>"), Some((10, true, false)));
        assert_eq!(of("<a b=\"c>d</a>"), Some((9, false, true)));
        assert_eq!(of("<a b=\"c"), None);
    }

    #[test]
    fn attributes_one_by_one() {
        let text = b" a=\"1\"  b = '2' c=3-4 d";
        let (mut at, mut found) = (0, Vec::new());
        while let Ok(Some(attribute)) = attribute(text, at, text.len()) {
            at = attribute.end();
            found.push((text[attribute.name.clone()].to_vec(), text[attribute.value.clone()].to_vec()));
        }
        let expected = [("a", "1"), ("b", "2"), ("c", "3-4")];
        assert_eq!(found, expected.map(|(name, value)| (name.into(), value.into())));
        assert_eq!(attribute(text, at, text.len()), Err(()));
    }

    #[track_caller]
    fn check_reference(text: &str, expected: Reference) {
        assert_eq!(reference(text.as_bytes()), expected, "{text}");
    }

    #[test]
    fn references() {
        check_reference("&quot;x", Reference::Char('"', 6));
        check_reference("&#39;", Reference::Char('\'', 5));
        check_reference("&#x4e2D;", Reference::Char('中', 8));
        check_reference("&#0;", Reference::Undefined(4));
        check_reference("&#xD800;", Reference::Undefined(8));
        check_reference("&#99999999999999;", Reference::Undefined(17));
        check_reference("&nbsp;", Reference::Undefined(6));
        for text in ["&", "&PJSIP/1002", "& ;", "&;", "&#;", "&#x;", "&#1a;", "&amp"] {
            check_reference(text, Reference::Text);
        }
    }
}
