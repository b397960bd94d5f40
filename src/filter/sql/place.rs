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
        let rule = rule.replace("found: EOF", "found the end");
        FilterError { parameter: None, position, rule }
    }

    /// An error at a piece of the condition.
    pub(super) fn at(&self, sql: &Sql, rule: String) -> FilterError {
        FilterError { parameter: None, position: self.byte(sql.span().start), rule }
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

/// `1, Column: 5`
fn location(place: &str) -> Option<Location> {
    let (line, column) = place.split_once(", Column: ")?;
    Some(Location { line: line.parse().ok()?, column: column.parse().ok()? })
}
