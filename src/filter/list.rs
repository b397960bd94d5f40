//! Lists of numbers, ranges and patterns, as UCM's `cdrapi` and Nexo have them for callers and callees.
//!
//! It must not know which column a list is for. Numbers are texts here and may have any length.
//!
//! ```text
//! list    = item { "," item } [","]          a row matches if any item does
//! item    = pattern                          with "@" (any run, also none) or "_" (exactly one): a "-" is itself
//!         | low "-" high                     a range of numbers, both ends included
//!         | text                             the whole value
//! ```
//!
//! In a range what is no digit is dropped, from both ends and from the row's value, and what has no
//! digits counts as 0. Nexo has no patterns: there `@` and `_` are characters that are not allowed.
//!
//! Source: UCM6xxx CDR guide, "CDR API URL Parameters" and the notes behind its examples; Nexo CDR
//! guide, "Querying CDR".

use std::collections::HashSet;
use std::sync::Arc;

use super::FilterError;
use super::digits::{DigitRange, DigitRanges};
use super::expr::{Expr, Scalar, Test, Texts};
use super::parameter::{Parameter, quoted};
use super::pattern::{Pattern, Piece};

/// What one item of a list asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// The whole value.
    Text(String),
    /// A pattern over the whole value, with its `@` and `_`.
    Pattern(String),
    /// A number within; nothing where the ends are reversed.
    Range(DigitRange),
}

/// Which items a list may have.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Items {
    /// Numbers and ranges.
    Plain,
    /// Patterns, too.
    Patterns,
}

/// The items of a parameter, which is not empty.
pub(super) fn read(parameter: &Parameter<'_>, items: Items) -> Result<Vec<Item>, FilterError> {
    let text = &*parameter.value;
    if let Some((at, letter)) = text.char_indices().find(|(_, letter)| !is_allowed(*letter, items)) {
        let signs = if items == Items::Patterns { "@ _ - , + * # ." } else { "- , + * # ." };
        let rule = format!("{letter:?} is not allowed in a list: letters, digits and {signs} are");
        return Err(parameter.wrong_at(at, rule));
    }
    if text.starts_with(',') {
        return Err(parameter.wrong("a list must not begin with a comma"));
    }
    if let Some(at) = text.find(",,") {
        return Err(parameter.wrong_at(at + 1, "a list must not have two commas side by side"));
    }
    let mut at = 0;
    let pieces = text.strip_suffix(',').unwrap_or(text).split(',').map(|piece| {
        let begin = at;
        at += piece.len() + 1;
        item(piece).map_err(|hyphen| {
            let rule = format!("{} has two hyphens: a range has one", quoted(piece));
            parameter.wrong_at(begin + hyphen, rule)
        })
    });
    pieces.collect()
}

fn is_allowed(letter: char, items: Items) -> bool {
    letter.is_ascii_alphanumeric()
        || matches!(letter, '-' | ',' | '+' | '*' | '#' | '.')
        || (items == Items::Patterns && matches!(letter, '@' | '_'))
}

/// The item, or the byte of a hyphen that is one too many.
fn item(text: &str) -> Result<Item, usize> {
    if text.contains(['@', '_']) {
        return Ok(Item::Pattern(text.to_string()));
    }
    let Some((low, high)) = text.split_once('-') else {
        return Ok(Item::Text(text.to_string()));
    };
    match high.find('-') {
        Some(second) => Err(low.len() + 1 + second),
        None => Ok(Item::Range(DigitRange::new(low, high))),
    }
}

/// Whether any of the items matches a value.
pub(super) fn any_of(items: &[Item], value: &Scalar) -> Expr {
    let mut texts = Texts::default();
    let mut patterns = HashSet::new();
    let mut tests = Vec::new();
    let mut ranges = Vec::new();
    for item in items {
        match item {
            Item::Text(text) => {
                texts.insert(text.clone());
            }
            Item::Pattern(pattern) if patterns.insert(pattern) => {
                tests.push(Test::Like(Arc::new(compiled(pattern))));
            }
            Item::Pattern(_) => {}
            Item::Range(range) => ranges.push(range.clone()),
        }
    }
    let ranges = DigitRanges::new(ranges);
    if !ranges.is_empty() {
        tests.push(Test::Digits(Arc::new(ranges)));
    }
    if !texts.is_empty() {
        tests.insert(0, Test::OneOf(Arc::new(texts)));
    }
    Expr::any(tests.into_iter().map(|test| Expr::Test(value.clone(), test)).collect())
}

fn compiled(pattern: &str) -> Pattern {
    let piece = |letter| match letter {
        '@' => Piece::AnyRun,
        '_' => Piece::AnyOne,
        other => Piece::Char(other),
    };
    Pattern::new(pattern.chars().map(piece).collect(), false)
}

/// The list as [`read`] reads it.
pub(super) fn print(items: &[Item]) -> String {
    let zero = |digits: &str| if digits.is_empty() { "0".to_string() } else { digits.to_string() };
    let text = |item: &Item| match item {
        Item::Text(text) | Item::Pattern(text) => text.clone(),
        Item::Range(range) => format!("{}-{}", zero(&range.least), zero(&range.most)),
    };
    items.iter().map(text).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_told_by_their_signs() {
        let check = |text, expected| assert_eq!(item(text), expected, "{text}");
        check("5300", Ok(Item::Text("5300".to_string())));
        check("5302-5304", Ok(Item::Range(DigitRange::new("5302", "5304"))));
        check("05302-x5304", Ok(Item::Range(DigitRange::new("5302", "5304"))));
        check("0-0", Ok(Item::Range(DigitRange::new("", ""))));
        check("5300-", Ok(Item::Range(DigitRange::new("5300", ""))));
        check("-", Ok(Item::Range(DigitRange::new("", ""))));
        check("5-3-@", Ok(Item::Pattern("5-3-@".to_string())));
        check("5300-5301-", Err(9));
    }
}
