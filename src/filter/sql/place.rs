//! Where in a condition something stands: the parser counts lines and characters, we count bytes.

use sqlparser::ast::{Expr as Sql, Spanned};
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Location, Token, TokenWithSpan, Tokenizer, TokenizerError};

use crate::filter::FilterError;

/// Words, names and signs of a condition, the values of its lists not counted.
const MOST_WORDS: usize = 4000;

/// A condition's text.
pub(super) struct Places<'a> {
    text: &'a str,
    /// The byte at which each line begins.
    lines: Vec<usize>,
}

impl<'a> Places<'a> {
    pub(super) fn new(text: &'a str) -> Places<'a> {
        let starts = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
        Places { text, lines: std::iter::once(0).chain(starts).collect() }
    }

    /// The condition as the parser's tree.
    pub(super) fn parse(&self) -> Result<Sql, FilterError> {
        if self.text.trim().is_empty() {
            return Err(self.at_start("the condition is empty"));
        }
        let dialect = PostgreSqlDialect {};
        let tokens = Tokenizer::new(&dialect, self.text).tokenize_with_location();
        let tokens = tokens.map_err(|TokenizerError { message, location }| FilterError {
            parameter: None,
            position: self.byte(location),
            rule: message,
        })?;
        self.check_length(&tokens)?;
        let mut parser = Parser::new(&dialect).with_tokens_with_locations(tokens);
        let sql = parser.parse_expr().map_err(|error| self.refused(&parser, error))?;
        let rest = parser.peek_token();
        if rest.token != Token::EOF {
            let rule = format!(
                "the condition ends before `{}`: AND or OR is missing, or a bracket is too many",
                rest.token
            );
            return Err(FilterError { parameter: None, position: self.byte(rest.span.start), rule });
        }
        Ok(sql)
    }

    /// A chain of operators becomes a tree as deep as it is long; a list does not.
    fn check_length(&self, tokens: &[TokenWithSpan]) -> Result<(), FilterError> {
        let mut follows_comma = false;
        let mut words = 0;
        for token in tokens {
            let is_free = match &token.token {
                Token::Whitespace(_) => continue,
                Token::Number(..) | Token::SingleQuotedString(_) | Token::Comma => true,
                Token::Minus | Token::Plus => follows_comma,
                _ => false,
            };
            follows_comma = token.token == Token::Comma;
            words += usize::from(!is_free);
            if words > MOST_WORDS {
                let rule = format!("more than {MOST_WORDS} words and signs: write many values as IN (…)");
                return Err(FilterError { parameter: None, position: self.byte(token.span.start), rule });
            }
        }
        Ok(())
    }

    /// What the parser finds wrong, at the place that it names.
    fn refused(&self, parser: &Parser<'_>, error: ParserError) -> FilterError {
        let here = self.byte(parser.peek_token().span.start);
        let (position, rule) = match error {
            ParserError::TokenizerError(message) => (here, message),
            ParserError::RecursionLimitExceeded => (here, "the condition nests too deeply".to_string()),
            ParserError::ParserError(message) => match message.rsplit_once(" at Line: ") {
                Some((rule, place)) => {
                    (location(place).map_or(here, |place| self.byte(place)), rule.to_string())
                }
                None => (here, message),
            },
        };
        match rule.strip_suffix("found: EOF") {
            Some(expected) => {
                let rule = format!("{expected}found the end");
                FilterError { parameter: None, position: self.text.trim_end().len(), rule }
            }
            None => FilterError { parameter: None, position, rule },
        }
    }

    /// An error at a piece of the condition.
    pub(super) fn at(&self, sql: &Sql, rule: String) -> FilterError {
        FilterError { parameter: None, position: self.byte(start(sql)), rule }
    }

    /// An error of the condition as a whole.
    pub(super) fn at_start(&self, rule: &str) -> FilterError {
        FilterError { parameter: None, position: 0, rule: rule.to_string() }
    }

    /// A place that is not known is the beginning; one behind the end is the end.
    fn byte(&self, place: Location) -> usize {
        let Some(line) = (place.line as usize).checked_sub(1) else { return 0 };
        let Some(&start) = self.lines.get(line) else { return self.text.len() };
        let letters = (place.column as usize).saturating_sub(1);
        let mut indices = self.text[start..].char_indices();
        indices.nth(letters).map_or(self.text.len(), |(at, _)| start + at)
    }
}

/// Where the first name or literal of a piece stands: the tree has the places of these alone, and asked for the
/// place of a piece it looks at all of it, as deeply as that is long.
fn start(mut sql: &Sql) -> Location {
    loop {
        sql = match sql {
            Sql::Identifier(name) => return name.span.start,
            Sql::CompoundIdentifier(names) => {
                return names.first().map_or(Location::empty(), |name| name.span.start);
            }
            Sql::Value(value) => return value.span.start,
            Sql::TypedString(typed) => return typed.value.span.start,
            Sql::Function(function) => return function.name.span().start,
            Sql::BinaryOp { left: inner, .. }
            | Sql::AnyOp { left: inner, .. }
            | Sql::AllOp { left: inner, .. }
            | Sql::IsDistinctFrom(inner, _)
            | Sql::IsNotDistinctFrom(inner, _)
            | Sql::IsFalse(inner)
            | Sql::IsNotFalse(inner)
            | Sql::IsTrue(inner)
            | Sql::IsNotTrue(inner)
            | Sql::IsNull(inner)
            | Sql::IsNotNull(inner)
            | Sql::IsUnknown(inner)
            | Sql::IsNotUnknown(inner)
            | Sql::IsNormalized { expr: inner, .. }
            | Sql::InList { expr: inner, .. }
            | Sql::InSubquery { expr: inner, .. }
            | Sql::InUnnest { expr: inner, .. }
            | Sql::Between { expr: inner, .. }
            | Sql::Like { expr: inner, .. }
            | Sql::ILike { expr: inner, .. }
            | Sql::SimilarTo { expr: inner, .. }
            | Sql::RLike { expr: inner, .. }
            | Sql::UnaryOp { expr: inner, .. }
            | Sql::Cast { expr: inner, .. }
            | Sql::AtTimeZone { timestamp: inner, .. }
            | Sql::Extract { expr: inner, .. }
            | Sql::Ceil { expr: inner, .. }
            | Sql::Floor { expr: inner, .. }
            | Sql::Position { expr: inner, .. }
            | Sql::Substring { expr: inner, .. }
            | Sql::Trim { expr: inner, .. }
            | Sql::Collate { expr: inner, .. }
            | Sql::CompoundFieldAccess { root: inner, .. }
            | Sql::JsonAccess { value: inner, .. }
            | Sql::Nested(inner) => inner,
            // What nobody writes in a condition is told without its place.
            _ => return Location::empty(),
        }
    }
}

/// `1, Column: 5`
fn location(place: &str) -> Option<Location> {
    let (line, column) = place.split_once(", Column: ")?;
    Some(Location { line: line.parse().ok()?, column: column.parse().ok()? })
}
