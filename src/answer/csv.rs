//! Answers as CSV: a header, and a line a record.
//!
//! Fields are quoted where any reader of CSV needs it. The one exception is the UCM's `clid`, which
//! the device writes as it stands ([`write_verbatim`]): `"Doe, John" <6039>`.

use super::{Field, Row};
use crate::csv::{Dialect, End, Quotes, read_record};
use crate::sink::text_csv;

/// Appends the line of names.
pub(super) fn header(fields: &[Field], out: &mut Vec<u8>) {
    for (at, field) in fields.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        out.extend_from_slice(field.name.as_bytes());
    }
    out.push(b'\n');
}

/// Appends a record; `write` appends a field's text.
pub(super) fn line(
    fields: &[Field],
    row: &Row<'_>,
    write: fn(&Field, &str, &mut Vec<u8>),
    out: &mut Vec<u8>,
) {
    for (at, field) in fields.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        if let Some(text) = field.text(row) {
            write(field, &text, out);
        }
    }
    out.push(b'\n');
}

/// Appends a field, quoted where it must be: also one that begins with a NUL or a byte order mark, which readers of
/// crashed and of joined files pass over.
pub(super) fn write_text(text: &str, out: &mut Vec<u8>) {
    match text.starts_with(['\0', '\u{feff}']) {
        true => text_csv::write_quoted(text.as_bytes(), out),
        false => text_csv::write_text(text.as_bytes(), out),
    }
}

/// Appends a field as it stands, if the device's grammar reads it so; else quoted.
pub(super) fn write_verbatim(text: &str, out: &mut Vec<u8>) {
    const DIALECT: Dialect = Dialect { delimiter: b',', eol: b'\n', quotes: Quotes::Device };
    let is_line =
        !text.starts_with('\u{feff}') && !text.bytes().any(|byte| matches!(byte, b'\n' | b'\r' | 0));
    let mut fields = Vec::new();
    let mut reads_so = || {
        let line = [text.as_bytes(), b",\n"].concat();
        read_record(&line, 0, DIALECT, &mut fields) == End::At(line.len())
            && fields.len() == 2
            && fields[0].value(&line) == text.as_bytes()
    };
    if is_line && reads_so() {
        out.extend_from_slice(text.as_bytes());
    } else {
        write_text(text, out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: fn(&str, &mut Vec<u8>), text: &str) -> String {
        let mut out = Vec::new();
        write(text, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn fields_are_quoted_where_they_must_be() {
        let check = |text, expected: &str| assert_eq!(written(write_text, text), expected);
        check("a b;c", "a b;c");
        check("", "");
        check("a,b", "\"a,b\"");
        check("a\"b", "\"a\"\"b\"");
        check("a\nb", "\"a\nb\"");
        check("a\rb", "\"a\rb\"");
        check("\0a", "\"\0a\"");
    }

    #[test]
    fn caller_ids_stand_as_the_device_writes_them() {
        let check = |text, expected: &str| assert_eq!(written(write_verbatim, text), expected);
        check("\"GVC Test\" <6039>", "\"GVC Test\" <6039>");
        check("\"Doe, John\" <6039>", "\"Doe, John\" <6039>");
        check("6039", "6039");
        check("Doe, John <6039>", "\"Doe, John <6039>\"");
        check("\"John\"", "\"\"\"John\"\"\"");
        check("\"John <6039>", "\"\"\"John <6039>\"");
        check("\"John\"\" <6039>", "\"\"\"John\"\"\"\" <6039>\"");
        check("\"a\nb\" <6039>", "\"\"\"a\nb\"\" <6039>\"");
    }
}
