//! What stands in a condition as it is: literals, names, types, patterns.

use sqlparser::ast::{DataType, Expr as Sql, Ident, UnaryOperator as Unary, Value};

use super::Type;
use crate::filter::expr::{Constant, Moment};
use crate::filter::number::Number;
use crate::filter::pattern::Piece;
use crate::time::{DateOrder, days_from_civil, read_time};

const DAY: i64 = 86_400_000_000;

/// A literal; nothing where it is none, or of a kind that columns do not have.
pub(super) fn constant(sql: &Sql) -> Result<Option<Constant>, String> {
    Ok(match sql {
        Sql::Value(value) => match &value.value {
            Value::SingleQuotedString(text) => Some(Constant::Text(text.as_str().into())),
            Value::Number(digits, false) => Some(Constant::Number(number(digits)?)),
            Value::Boolean(answer) => Some(Constant::Bool(*answer)),
            Value::Null => Some(Constant::Null),
            _ => None,
        },
        Sql::UnaryOp { op: op @ (Unary::Minus | Unary::Plus), expr } => match &**expr {
            Sql::Value(value) => match &value.value {
                Value::Number(digits, false) => {
                    let Number(billionths) = number(digits)?;
                    let sign = if *op == Unary::Minus { -1 } else { 1 };
                    Some(Constant::Number(Number(billionths * sign)))
                }
                _ => None,
            },
            _ => None,
        },
        Sql::TypedString(typed) if type_of(&typed.data_type) == Some(Type::Time) => {
            let Value::SingleQuotedString(text) = &typed.value.value else { return Ok(None) };
            if matches!(typed.data_type, DataType::Date) && !is_date(text) {
                return Err(format!("'{text}' is no date: write it as DATE '2024-05-17', or as TIMESTAMP"));
            }
            Some(Constant::Time(moment(text).ok_or_else(|| no_moment(text))?))
        }
        _ => None,
    })
}

fn number(digits: &str) -> Result<Number, String> {
    Number::parse(digits).ok_or_else(|| {
        format!("{digits} cannot be taken exactly: digits and up to nine decimals are asked for")
    })
}

/// A text literal's text.
pub(super) fn text(sql: &Sql) -> Option<&str> {
    match sql {
        Sql::Value(value) => match &value.value {
            Value::SingleQuotedString(text) => Some(text),
            _ => None,
        },
        Sql::Nested(inner) => text(inner),
        _ => None,
    }
}

/// A column's name.
pub(super) fn name(sql: &Sql) -> Option<&Ident> {
    match sql {
        Sql::Identifier(name) => Some(name),
        _ => None,
    }
}

/// A time: what the clock shows, or an instant where an offset stands behind it.
///
/// ```text
/// moment = YYYY-MM-DD [ ( " " | "T" ) HH:MM[:SS[.ffffff]] [ "Z" | ±HH[:MM] ] ]
/// ```
pub(super) fn moment(text: &str) -> Option<Moment> {
    let text = text.trim_ascii();
    let is_year_first = text.len() >= 10
        && text.bytes().take(10).enumerate().all(|(at, byte)| match at {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    if !is_year_first {
        return None;
    }
    if text.len() == 10 {
        let number = |range: std::ops::Range<usize>| text[range].parse().ok();
        return Some(Moment::Clock(days_from_civil(number(0..4)?, number(5..7)?, number(8..10)?)? * DAY));
    }
    let clock = read_time(text.as_bytes(), DateOrder::MonthFirst).ok()??;
    Some(clock.instant().map_or(Moment::Clock(clock.micros), Moment::Instant))
}

/// Whether a text is a date, and no time of day with it.
pub(super) fn is_date(text: &str) -> bool {
    text.trim_ascii().len() == 10 && moment(text).is_some()
}

/// What a time would look like.
pub(super) fn no_moment(text: &str) -> String {
    format!(
        "'{text}' is no time: write it as '2024-05-17' or '2024-05-17 12:34:56', with an offset behind it if need be"
    )
}

/// What a type of SQL's is here; nothing for those that columns do not have.
pub(super) fn type_of(data_type: &DataType) -> Option<Type> {
    use DataType::*;
    Some(match data_type {
        Varchar(_) | CharVarying(_) | CharacterVarying(_) | Text | String(_) => Type::Text,
        TinyInt(_) | SmallInt(_) | Int2(_) | Int(_) | Int4(_) | Int8(_) | Integer(_) | BigInt(_)
        | HugeInt | Numeric(_) | Decimal(_) | Real | Double(_) | DoublePrecision | Float(_) => Type::Number,
        Date | Timestamp(..) | Datetime(_) => Type::Time,
        _ => return None,
    })
}

/// The pieces of a pattern of LIKE's; nothing where it ends with its escape character.
pub(super) fn pieces(pattern: &str, escape: Option<char>) -> Option<Vec<Piece>> {
    let mut pieces = Vec::with_capacity(pattern.len());
    let mut letters = pattern.chars();
    while let Some(letter) = letters.next() {
        pieces.push(match letter {
            letter if Some(letter) == escape => Piece::Char(letters.next()?),
            '%' => Piece::AnyRun,
            '_' => Piece::AnyOne,
            letter => Piece::Char(letter),
        });
    }
    Some(pieces)
}
