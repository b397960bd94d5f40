//! A request's parameters: names and values, decoded, each with its place in the text; and back to text.
//!
//! It must not know which parameters there are, nor what a value means. The idea: a value is decoded
//! once, and when something is wrong with a byte of what came out, the way back to the byte that the
//! user typed is walked then ([`Parameter::wrong_at`]).
//!
//! ```text
//! query     = parameter { "&" parameter }
//! parameter = name "=" value                  both percent-encoded; "+" is a plus, "#" is a "#"
//! ```
//!
//! Source: RFC 3986, 2.1 and 3.4. What forms make of it (`+` for a blank) is not read: no vendor's
//! document writes it so, and a plus is a sign of a time zone and of a phone number.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use super::FilterError;

/// What scripts send to be let in, whatever the vendor: passed over, and never printed.
const CREDENTIALS: [&str; 4] = ["access_token", "auth_token", "token", "cookie"];

/// A name and its value.
pub(super) struct Parameter<'a> {
    /// The name, decoded.
    pub name: Cow<'a, str>,
    /// The value, decoded.
    pub value: Cow<'a, str>,
    raw_name: &'a str,
    raw_value: &'a str,
    /// Where the name begins in the request.
    at: usize,
}

/// All parameters of the query that begins at byte `at` of the request, but those that only let the
/// caller in. `&` may stand before the first where `leading` says so.
pub(super) fn parameters(query: &str, at: usize, leading: bool) -> Result<Vec<Parameter<'_>>, FilterError> {
    let mut found = Vec::new();
    let mut rest = query;
    if leading {
        rest = rest.strip_prefix('&').unwrap_or(rest);
    }
    if rest.is_empty() {
        return Ok(found);
    }
    let mut place = at + query.len() - rest.len();
    for piece in rest.split('&') {
        if piece.is_empty() {
            return Err(lone_ampersand(query, at, place));
        }
        let parameter = Parameter::read(piece, place)?;
        if !CREDENTIALS.contains(&&*parameter.name) {
            found.push(parameter);
        }
        place += piece.len() + 1;
    }
    Ok(found)
}

/// There is nothing at `place`, on one side of an `&`.
#[cold]
fn lone_ampersand(query: &str, at: usize, place: usize) -> FilterError {
    let (position, rule) = match place - at {
        0 => (place, "an `&` stands before the first parameter"),
        end if end == query.len() => (place - 1, "an `&` stands behind the last parameter"),
        _ => (place, "two `&` stand side by side"),
    };
    FilterError { parameter: None, position, rule: rule.to_string() }
}

impl<'a> Parameter<'a> {
    fn read(piece: &'a str, at: usize) -> Result<Parameter<'a>, FilterError> {
        let wrong = |name: &str, position, rule: &str| {
            Err(FilterError { parameter: Some(name.to_string()), position, rule: rule.to_string() })
        };
        let Some((raw_name, raw_value)) = piece.split_once('=') else {
            return wrong(piece, at + piece.len(), "there is no `=` behind the name");
        };
        let name = match decoded(raw_name) {
            Ok(name) => name,
            Err((byte, rule)) => return wrong(raw_name, at + byte, rule),
        };
        let value = match decoded(raw_value) {
            Ok(value) => value,
            Err((byte, rule)) => return wrong(raw_name, at + raw_name.len() + 1 + byte, rule),
        };
        Ok(Parameter { name, value, raw_name, raw_value, at })
    }

    /// The value breaks a rule.
    #[cold]
    pub fn wrong(&self, rule: impl Into<String>) -> FilterError {
        self.wrong_at(0, rule)
    }

    /// The value breaks a rule at one of its bytes, as decoded.
    #[cold]
    pub fn wrong_at(&self, byte: usize, rule: impl Into<String>) -> FilterError {
        let position = self.at + self.raw_name.len() + 1 + raw_index(self.raw_value, byte);
        FilterError { parameter: Some(self.raw_name.to_string()), position, rule: rule.into() }
    }

    /// The name breaks a rule.
    #[cold]
    pub fn wrong_name(&self, rule: impl Into<String>) -> FilterError {
        FilterError { parameter: Some(self.raw_name.to_string()), position: self.at, rule: rule.into() }
    }

    /// The grammar has no parameter of that name.
    #[cold]
    pub fn unknown(&self, grammar: &str, names: &[&str]) -> FilterError {
        self.wrong_name(format!("{grammar} has no such parameter: there are {}", names.join(", ")))
    }

    /// The value as a number: digits alone, and the greatest that there is where they are more.
    pub fn number(&self) -> Result<u64, FilterError> {
        if let Some(byte) = self.value.bytes().position(|byte| !byte.is_ascii_digit()) {
            return Err(self.wrong_at(byte, "it must be a number of digits alone"));
        }
        if self.value.is_empty() {
            return Err(self.wrong("it has no value: a number was expected"));
        }
        let digits = self.value.bytes().map(|byte| u64::from(byte - b'0'));
        Ok(digits.fold(0, |number: u64, digit| number.saturating_mul(10).saturating_add(digit)))
    }

    /// The pieces between the commas of the value, none of them empty, with their places in it.
    pub fn pieces(&self) -> Result<Vec<(usize, &str)>, FilterError> {
        let mut at = 0;
        let mut pieces = Vec::new();
        for piece in self.value.split(',') {
            if piece.is_empty() {
                return Err(self.wrong_at(at, "an item of the list is empty"));
            }
            pieces.push((at, piece));
            at += piece.len() + 1;
        }
        Ok(pieces)
    }

    /// Words of a list that is given, each once and in its spelling.
    pub fn words(
        &self,
        known: &[&str],
        spelled: impl Fn(&str) -> String,
    ) -> Result<Vec<String>, FilterError> {
        let mut words = Vec::new();
        for (at, piece) in self.pieces()? {
            let word = spelled(piece);
            if !known.contains(&&*word) {
                let rule = format!("{} is none of {}", quoted(piece), known.join(", "));
                return Err(self.wrong_at(at, rule));
            }
            if !words.contains(&word) {
                words.push(word);
            }
        }
        Ok(words)
    }

    /// One of a few values, by its name.
    pub fn choice<T: Copy, const N: usize>(&self, values: [(&str, T); N]) -> Result<T, FilterError> {
        let found = values.iter().find(|(name, _)| *name == self.value);
        found.map(|(_, value)| *value).ok_or_else(|| {
            let names = values.map(|(name, _)| name).join(", ");
            self.wrong(format!("{} is none of {names}", quoted(&self.value)))
        })
    }
}

/// The parameters that were seen, for those that may stand but once.
#[derive(Default)]
pub(super) struct Once {
    seen: HashSet<String>,
}

impl Once {
    /// Notes a parameter by the name that it goes by, and refuses it the second time.
    pub fn check(&mut self, parameter: &Parameter<'_>, name: &str) -> Result<(), FilterError> {
        match self.seen.insert(name.to_string()) {
            true => Ok(()),
            false => Err(parameter.wrong_name("it is given twice")),
        }
    }
}

/// A text, shortened, for a message.
pub(super) fn quoted(text: &str) -> String {
    let mut shown: String = text.chars().take(40).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    format!("`{shown}`")
}

/// The text that an encoded one stands for, or the byte at which it stands for none, and why.
fn decoded(raw: &str) -> Result<Cow<'_, str>, (usize, &'static str)> {
    if !raw.contains('%') {
        return Ok(Cow::Borrowed(raw));
    }
    let mut bytes = Vec::with_capacity(raw.len());
    let mut at = 0;
    while let Some(&byte) = raw.as_bytes().get(at) {
        if byte == b'%' {
            let Some(escaped) = escaped(&raw.as_bytes()[at..]) else {
                return Err((
                    at,
                    "a `%` must be followed by two hexadecimal digits (`%25` is a percent sign)",
                ));
            };
            bytes.push(escaped);
            at += 3;
        } else {
            bytes.push(byte);
            at += 1;
        }
    }
    String::from_utf8(bytes).map(Cow::Owned).map_err(|error| {
        let byte = error.utf8_error().valid_up_to();
        (raw_index(raw, byte), "the escapes must be UTF-8")
    })
}

/// The byte that `%XX` stands for.
fn escaped(text: &[u8]) -> Option<u8> {
    let [b'%', high, low, ..] = *text else { return None };
    let (high, low) = (char::from(high).to_digit(16)?, char::from(low).to_digit(16)?);
    Some((16 * high + low) as u8)
}

/// Where a byte of the decoded text stands in the encoded one.
fn raw_index(raw: &str, byte: usize) -> usize {
    let mut at = 0;
    for _ in 0..byte {
        at += if raw.as_bytes().get(at) == Some(&b'%') { 3 } else { 1 };
    }
    at.min(raw.len())
}

/// Prints a request: its head, `?`, and the parameters, encoded where they must be.
pub(super) fn print(f: &mut fmt::Formatter<'_>, head: &str, parameters: &[(&str, String)]) -> fmt::Result {
    write!(f, "{head}?")?;
    for (at, (name, value)) in parameters.iter().enumerate() {
        let and = if at > 0 { "&" } else { "" };
        write!(f, "{and}{}={}", Encoded(name), Encoded(value))?;
    }
    Ok(())
}

/// A text with all escaped that is not itself everywhere in a query: a `+` too, for many read it as
/// a blank.
struct Encoded<'a>(&'a str);

impl fmt::Display for Encoded<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for byte in self.0.bytes() {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => write!(f, "{}", char::from(byte))?,
                b'-' | b'.' | b'_' | b'~' | b'@' | b'*' | b',' | b':' | b'/' => {
                    write!(f, "{}", char::from(byte))?;
                }
                _ => write!(f, "%{byte:02X}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(raw: &str, expected: Result<&str, usize>) {
        let found = decoded(raw).map_err(|(byte, _)| byte);
        assert_eq!(found.as_deref().map_err(|byte| *byte), expected, "{raw}");
    }

    #[test]
    fn escapes_are_bytes_of_utf_8() {
        check("5300", Ok("5300"));
        check("a+b", Ok("a+b"));
        check("%2B%2b", Ok("++"));
        check("%C3%BC", Ok("ü"));
        check("%25C3", Ok("%C3"));
        check("a%", Err(1));
        check("a%4", Err(1));
        check("%4G", Err(0));
        check("%+5", Err(0));
        check("%%41", Err(0));
        check("a%C3", Err(1));
        check("%41%FF", Err(3));
        check("ü%FFü", Err(2));
        check("%C3ü", Err(0));
    }

    #[track_caller]
    fn refuses(query: &str, position: usize, rule: &str) {
        let error = parameters(query, 10, false).err().map(|error| (error.position, error.rule));
        assert_eq!(error, Some((10 + position, rule.to_string())), "{query}");
    }

    #[test]
    fn ampersands_stand_between_parameters() {
        refuses("&a=1", 0, "an `&` stands before the first parameter");
        refuses("a=1&", 3, "an `&` stands behind the last parameter");
        refuses("a=1&&b=2", 4, "two `&` stand side by side");
        refuses("&", 0, "an `&` stands before the first parameter");
        refuses("a", 1, "there is no `=` behind the name");
        refuses("a=1&bc", 6, "there is no `=` behind the name");
        assert!(parameters("", 0, false).is_ok_and(|found| found.is_empty()));
    }

    #[test]
    fn one_may_lead_where_a_vendor_writes_it() {
        assert!(parameters("&a=1", 0, true).is_ok_and(|found| found.len() == 1));
        assert!(parameters("&", 0, true).is_ok_and(|found| found.is_empty()));
        let error = parameters("&&a=1", 0, true).err().map(|error| (error.position, error.rule));
        assert_eq!(error, Some((1, "two `&` stand side by side".to_string())));
    }

    #[test]
    fn what_lets_the_caller_in_is_no_parameter() {
        let names: Vec<_> =
            parameters("access_token=x&a=1&auth_token=", 0, false).ok().into_iter().flatten().collect();
        assert_eq!(names.iter().map(|found| &*found.name).collect::<Vec<_>>(), ["a"]);
        assert!(parameters("access_token=%", 0, false).is_err());
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read(name in any::<String>(), value in any::<String>()) {
            let text = format!("{}={}", Encoded(&name), Encoded(&value));
            let found = Parameter::read(&text, 0).unwrap();
            prop_assert_eq!((&*found.name, &*found.value), (&*name, &*value));
            prop_assert!(!text.contains(['&', '+', '#', ' ']));
        }

        #[test]
        fn places_are_those_of_the_text(raw in "([a-z]|%41|ü|%C3%BC){0,9}", cut in 0..20usize) {
            let decoded = decoded(&raw).unwrap();
            if let Some((byte, letter)) = decoded.char_indices().nth(cut) {
                let at = raw_index(&raw, byte);
                let stands = raw[at..].starts_with(letter) || raw[at..].starts_with('%');
                prop_assert!(stands);
            }
        }
    }
}
