//! What text looks like: a page, a document of tags, JSON, or just lines.
//!
//! Must not know any dump: whether the lines are one is for the formats to say. This tells what to
//! call what they do not know. The idea: everything hangs on the first thing that is not blank.

use super::magic::Looks;

/// Root elements that only pages (and fragments and error bodies of web servers) have.
const PAGE_ROOTS: &[&str] = &[
    "html", "head", "body", "title", "meta", "link", "script", "style", "div", "span", "table", "form", "p",
    "b", "br", "h1", "h2", "h3", "center", "font", "pre", "frameset", "iframe",
];

/// So many characters of a text are quoted in a message.
const QUOTED: usize = 60;

/// Whether the bytes are text of any encoding that has ASCII in it: hardly a control character,
/// and valid UTF-8, or a quarter of it ASCII at least.
///
/// A run of NULs at the start of a line is what a crash leaves in a good dump, so it does not
/// count; a sixteenth is far above what a damaged dump has, and below the tenth of random bytes.
pub(super) fn is_text(text: &[u8]) -> bool {
    let (controls, ascii) =
        if memchr::memchr(0, text).is_none() { counted(text) } else { counted_by_lines(text) };
    controls <= text.len() / 16 && (ascii >= text.len() / 4 || is_utf8(text))
}

/// How many bytes are control characters, and how many other ASCII, where no NUL is: many bytes an instruction.
fn counted(text: &[u8]) -> (usize, usize) {
    // As many as a byte can count.
    let pieces = text.chunks(usize::from(u8::MAX));
    let sums = pieces.map(|piece| {
        let of = |is: fn(u8) -> bool| piece.iter().map(|&byte| u8::from(is(byte))).sum::<u8>();
        (usize::from(of(is_control)), usize::from(of(|byte| byte.is_ascii())))
    });
    let (controls, ascii) = sums.fold((0, 0), |all, piece| (all.0 + piece.0, all.1 + piece.1));
    (controls, ascii - controls)
}

/// The same of any text, byte by byte.
fn counted_by_lines(text: &[u8]) -> (usize, usize) {
    let (mut controls, mut ascii) = (0, 0);
    let mut at_line_start = true;
    for &byte in text {
        match byte {
            0 if at_line_start => continue,
            _ if is_control(byte) => controls += 1,
            _ => ascii += usize::from(byte.is_ascii()),
        }
        at_line_start = matches!(byte, b'\n' | b'\r');
    }
    (controls, ascii)
}

/// Whether the bytes are UTF-8, but for a character that is cut at the end.
fn is_utf8(text: &[u8]) -> bool {
    str::from_utf8(text).map_or_else(|error| error.error_len().is_none(), |_| true)
}

/// A byte that text has no use for. Tabs, escapes and the end-of-file of DOS do occur.
pub(super) fn is_control(byte: u8) -> bool {
    // No branches: it is asked of many bytes at a time.
    byte.is_ascii_control() & !matches!(byte, b'\t'..=b'\r') & !matches!(byte, 0x1A | 0x1B)
}

/// What kind of text it is.
pub(super) fn kind(text: &[u8]) -> Looks {
    let text = skip_blank(text);
    match text.first() {
        Some(b'<') => tagged(text),
        Some(b'{' | b'[') if is_json(text) => Looks::Json,
        _ => Looks::Text,
    }
}

/// `{` or `[`, and then something that JSON has there and logs and settings (`[2024-05-17 …]`,
/// `[trunk]`) have not: an array of numbers is told wrongly, and no dump either.
fn is_json(text: &[u8]) -> bool {
    let next = skip_blank(&text[1..]).first();
    match text[0] {
        b'{' => matches!(next, None | Some(b'"' | b'}')),
        _ => matches!(next, None | Some(b'"' | b']' | b'[' | b'{')),
    }
}

fn tagged(text: &[u8]) -> Looks {
    match root(text) {
        Some(name) if PAGE_ROOTS.iter().any(|page| name.eq_ignore_ascii_case(page.as_bytes())) => Looks::Html,
        Some(name) if name.eq_ignore_ascii_case(b"svg") => Looks::Picture("an SVG picture"),
        Some(_) => Looks::Xml,
        None if text.starts_with(b"<?xml") => Looks::Xml,
        None => Looks::Text,
    }
}

/// The name of the first element, or of the document type before it.
fn root(mut text: &[u8]) -> Option<&[u8]> {
    loop {
        text = skip_blank(text);
        if text.starts_with(b"<?") {
            text = after(text, b"?>")?;
        } else if text.starts_with(b"<!--") {
            text = after(text, b"-->")?;
        } else if text.len() > 9 && text[..9].eq_ignore_ascii_case(b"<!doctype") {
            return name(skip_blank(&text[9..]));
        } else {
            return name(text.strip_prefix(b"<")?);
        }
    }
}

/// The name at the start of the text.
fn name(text: &[u8]) -> Option<&[u8]> {
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"_:-.".contains(byte) || !byte.is_ascii();
    let end = text.iter().position(|byte| !is_name(byte)).unwrap_or(text.len());
    (end > 0 && !text[0].is_ascii_digit()).then_some(&text[..end])
}

fn after<'a>(text: &'a [u8], end: &[u8]) -> Option<&'a [u8]> {
    memchr::memmem::find(text, end).map(|at| &text[at + end.len()..])
}

fn skip_blank(text: &[u8]) -> &[u8] {
    let start = text.iter().position(|&byte| byte != 0 && !byte.is_ascii_whitespace());
    &text[start.unwrap_or(text.len())..]
}

/// `an HTML page`, with its title if it has one.
pub(super) fn describe_page(text: &[u8]) -> String {
    match title(text).map(quoted).filter(|title| !title.is_empty()) {
        Some(title) => format!("an HTML page titled “{title}”"),
        None => "an HTML page".into(),
    }
}

/// The text of the first `<title>`, up to its end tag.
fn title(text: &[u8]) -> Option<&[u8]> {
    let find =
        |text: &[u8], tag: &[u8]| text.windows(tag.len()).position(|part| part.eq_ignore_ascii_case(tag));
    let text = &text[find(text, b"<title")?..];
    let text = after(text, b">")?;
    Some(&text[..find(text, b"</title")?])
}

/// XML, by its root element.
pub(super) fn describe_xml(text: &[u8]) -> String {
    match root(text) {
        Some(name) => format!("XML whose root element is <{}>", quoted(name)),
        None => "XML".into(),
    }
}

/// Text, by its first line that says anything.
pub(super) fn describe_text(text: &[u8]) -> String {
    let text = skip_blank(text);
    let end = memchr::memchr2(b'\n', b'\r', text).unwrap_or(text.len());
    match quoted(&text[..end]) {
        line if line.is_empty() => "nothing but white space".into(),
        line => format!("text that begins with “{line}”"),
    }
}

/// In one line, without control characters, and not too long.
fn quoted(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text).replace(char::is_control, " ");
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(QUOTED) {
        Some((end, _)) => format!("{}…", line[..end].trim_end()),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn bytes_counted_together_are_those_counted_one_by_one(
            text in proptest::collection::vec(prop_oneof![1u8.., b'\t'..=b'\x1c', 120u8..140], 0..600),
        ) {
            prop_assert_eq!(counted(&text), counted_by_lines(&text));
        }
    }

    #[test]
    fn a_long_run_of_controls_is_counted_whole() {
        assert_eq!(counted(&[1; 1000]), (1000, 0));
        assert!(!is_text(&[1; 1000]));
    }
}
