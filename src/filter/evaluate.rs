//! The one evaluator.
//!
//! A row answers true, false, SQL's unknown, or that a value it would have to know cannot be typed.
//! What decides without that value decides: `a and b` is false where one is.
//!
//! So what is worked out is not one answer but all that are possible: a value that cannot be typed
//! could have been any, and each of them has its answer ([`Possible`]). The same serves who knows a
//! row only in part as yet: what is missing is told as [`Bad`], and what cannot be true any more needs
//! no more to be known.
//!
//! It must not know where rows come from ([`Cells`]), nor what was asked in which language.

use std::borrow::Cow;
use std::cmp::Ordering;

use super::expr::{Comparison, Constant, Expr, Moment, Scalar, Test};
use super::number::Number;
use crate::schema::Column;

/// What rows are evaluated on.
pub trait Cells {
    /// A column's value in a row; nothing is null.
    fn cell(&self, column: Column, row: u32) -> Result<Option<Cell<'_>>, Bad>;

    /// What `extra` has under a name.
    fn extra(&self, name: &str, row: u32) -> Result<Option<Cow<'_, str>>, Bad>;

    /// What the PBX's clock shows where [`Cells::cell`] has this time.
    fn clock(&self, time: i64, row: u32) -> i64;
}

/// A value of a row.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell<'a> {
    /// A text.
    Text(Cow<'a, str>),
    /// A number.
    Number(Number),
    /// Yes or no.
    Bool(bool),
    /// A time as the column has it, in microseconds since 1970.
    Time(i64),
}

/// A value cannot be typed, or is not known as yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bad;

/// What a row answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Truth {
    /// It is wanted.
    True,
    /// It is not.
    False,
    /// SQL's unknown: it is not wanted, and neither is it by the opposite.
    Unknown,
    /// Whether it is wanted depends on a value that cannot be typed.
    Bad,
}

/// What a row answers to an expression. Where a value cannot be typed and yet no value of its could make
/// the answer true, it is false or unknown.
pub fn evaluate<C: Cells + ?Sized>(expr: &Expr, cells: &C, row: u32) -> Truth {
    match possible(expr, cells, row) {
        Possible::TRUE => Truth::True,
        possible if possible.may_be(Possible::TRUE) => Truth::Bad,
        Possible::FALSE => Truth::False,
        _ => Truth::Unknown,
    }
}

/// The answers that a row may give, as bits.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Possible(u8);

impl Possible {
    const TRUE: Possible = Possible(1);
    const FALSE: Possible = Possible(2);
    const UNKNOWN: Possible = Possible(4);
    const ANY: Possible = Possible(7);

    fn of(answer: Option<bool>) -> Possible {
        match answer {
            Some(true) => Possible::TRUE,
            Some(false) => Possible::FALSE,
            None => Possible::UNKNOWN,
        }
    }

    fn may_be(self, answer: Possible) -> bool {
        self.0 & answer.0 != 0
    }

    /// True and false exchanged.
    fn opposite(self) -> Possible {
        Possible(self.0 & 4 | (self.0 & 1) << 1 | (self.0 & 2) >> 1)
    }

    /// Of both: true only of true and true, false where either is, else unknown.
    fn and(self, other: Possible) -> Possible {
        let both = self.0 & other.0;
        let no_false = |one: Possible| one.0 & 5 != 0;
        let unknown = self.may_be(Possible::UNKNOWN) && no_false(other)
            || other.may_be(Possible::UNKNOWN) && no_false(self);
        Possible(both & 1 | (self.0 | other.0) & 2 | u8::from(unknown) << 2)
    }
}

fn possible<C: Cells + ?Sized>(expr: &Expr, cells: &C, row: u32) -> Possible {
    match expr {
        Expr::Always(answer) => Possible::of(*answer),
        Expr::All(all) => {
            let mut so_far = Possible::TRUE;
            for expr in all {
                so_far = so_far.and(possible(expr, cells, row));
                if so_far == Possible::FALSE {
                    break;
                }
            }
            so_far
        }
        Expr::Any(all) => {
            let mut none = Possible::TRUE;
            for expr in all {
                none = none.and(possible(expr, cells, row).opposite());
                if none == Possible::FALSE {
                    break;
                }
            }
            none.opposite()
        }
        Expr::Not(expr) => possible(expr, cells, row).opposite(),
        Expr::Test(scalar, test) => value(scalar, cells, row)
            .map_or(Possible::ANY, |value| Possible::of(tested(value.as_ref(), test))),
        Expr::Compare(left, comparison, right) => match ordered(left, right, cells, row) {
            Ok(order) => Possible::of(order.map(|order| comparison.holds(order))),
            Err(Bad) => Possible::ANY,
        },
    }
}

#[inline]
fn tested(value: Option<&Cell<'_>>, test: &Test) -> Option<bool> {
    match (test, value) {
        (Test::IsNull, value) => Some(value.is_none()),
        (Test::OneOf(texts), Some(Cell::Text(text))) => Some(texts.contains(&**text)),
        (Test::NumberOf(numbers), Some(Cell::Number(number))) => Some(numbers.contains(number)),
        (Test::Like(pattern), Some(Cell::Text(text))) => Some(pattern.matches(text)),
        (Test::Digits(ranges), Some(Cell::Text(text))) => Some(ranges.contains(text)),
        // Null, or a value of another type, which no grammar asks for.
        _ => None,
    }
}

/// How two values stand to each other: nothing where one is null.
fn ordered<C: Cells + ?Sized>(
    left: &Scalar,
    right: &Scalar,
    cells: &C,
    row: u32,
) -> Result<Option<Ordering>, Bad> {
    let order = |left: Option<Cell<'_>>, right: Option<Cell<'_>>| compared(&left?, &right?);
    match (left, right) {
        (Scalar::Constant(Constant::Time(Moment::Clock(_))), Scalar::Constant(Constant::Time(_))) => {}
        (left, Scalar::Constant(Constant::Time(Moment::Clock(clock)))) => {
            return Ok(order(
                value(left, cells, row)?.map(|time| shown(time, cells, row)),
                Some(Cell::Time(*clock)),
            ));
        }
        (Scalar::Constant(Constant::Time(Moment::Clock(clock))), right) => {
            return Ok(order(
                Some(Cell::Time(*clock)),
                value(right, cells, row)?.map(|time| shown(time, cells, row)),
            ));
        }
        _ => {}
    }
    // A null beside a value that cannot be typed: unknown, whatever that is.
    match (value(left, cells, row), value(right, cells, row)) {
        (Ok(None), _) | (_, Ok(None)) => Ok(None),
        (left, right) => Ok(order(left?, right?)),
    }
}

/// A time as the PBX's clock showed it.
fn shown<'a, C: Cells + ?Sized>(value: Cell<'a>, cells: &C, row: u32) -> Cell<'a> {
    match value {
        Cell::Time(time) => Cell::Time(cells.clock(time, row)),
        value => value,
    }
}

fn compared(left: &Cell<'_>, right: &Cell<'_>) -> Option<Ordering> {
    match (left, right) {
        (Cell::Text(left), Cell::Text(right)) => Some(left.as_bytes().cmp(right.as_bytes())),
        (Cell::Number(left), Cell::Number(right)) => Some(left.cmp(right)),
        (Cell::Bool(left), Cell::Bool(right)) => Some(left.cmp(right)),
        (Cell::Time(left), Cell::Time(right)) => Some(left.cmp(right)),
        _ => None,
    }
}

fn value<'a, C: Cells + ?Sized>(scalar: &'a Scalar, cells: &'a C, row: u32) -> Result<Option<Cell<'a>>, Bad> {
    let text = |scalar| text(scalar, cells, row);
    Ok(match scalar {
        Scalar::Column(column) => cells.cell(*column, row)?,
        Scalar::Extra(name) => cells.extra(name, row)?.map(Cell::Text),
        Scalar::Constant(constant) => match constant {
            Constant::Null => None,
            Constant::Text(text) => Some(Cell::Text(Cow::Borrowed(text))),
            Constant::Number(number) => Some(Cell::Number(*number)),
            Constant::Bool(bool) => Some(Cell::Bool(*bool)),
            Constant::Time(Moment::Instant(time) | Moment::Clock(time)) => Some(Cell::Time(*time)),
        },
        // What lists of numbers ask, of every row.
        Scalar::OrEmpty(inner) => Some(
            match &**inner {
                Scalar::Column(column) => cells.cell(*column, row)?,
                inner => value(inner, cells, row)?,
            }
            .unwrap_or(Cell::Text(Cow::Borrowed(""))),
        ),
        Scalar::BeforeBracket(inner) => text(inner)?.map(|text| Cell::Text(before_bracket(text))),
        Scalar::Lower(inner) => text(inner)?.map(|text| Cell::Text(lower(text))),
        Scalar::Upper(inner) => text(inner)?.map(|text| Cell::Text(upper(text))),
        Scalar::Length(inner) => {
            text(inner)?.map(|text| Cell::Number(Number::whole(text.chars().count() as i64)))
        }
        Scalar::ToText(inner) => value(inner, cells, row)?.and_then(to_text),
        Scalar::ToNumber(inner) => value(inner, cells, row)?.and_then(to_number),
    })
}

fn text<'a, C: Cells + ?Sized>(
    scalar: &'a Scalar,
    cells: &'a C,
    row: u32,
) -> Result<Option<Cow<'a, str>>, Bad> {
    Ok(match value(scalar, cells, row)? {
        Some(Cell::Text(text)) => Some(text),
        _ => None,
    })
}

fn before_bracket(text: Cow<'_, str>) -> Cow<'_, str> {
    let before = |text: &str| text.split('(').next().unwrap_or_default().trim_end().len();
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(&text[..before(text)]),
        Cow::Owned(mut text) => {
            text.truncate(before(&text));
            Cow::Owned(text)
        }
    }
}

fn lower(text: Cow<'_, str>) -> Cow<'_, str> {
    let is_lower = text.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase());
    if is_lower { text } else { Cow::Owned(text.to_lowercase()) }
}

fn upper(text: Cow<'_, str>) -> Cow<'_, str> {
    let is_upper = text.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_lowercase());
    if is_upper { text } else { Cow::Owned(text.to_uppercase()) }
}

fn to_text(value: Cell<'_>) -> Option<Cell<'_>> {
    Some(Cell::Text(match value {
        Cell::Text(text) => text,
        Cell::Number(number) => Cow::Owned(number.to_string()),
        Cell::Bool(bool) => Cow::Borrowed(if bool { "true" } else { "false" }),
        Cell::Time(_) => return None,
    }))
}

fn to_number(value: Cell<'_>) -> Option<Cell<'_>> {
    Some(Cell::Number(match value {
        Cell::Text(text) => Number::parse(&text)?,
        Cell::Number(number) => number,
        Cell::Bool(bool) => Number::whole(bool.into()),
        Cell::Time(_) => return None,
    }))
}

impl Comparison {
    fn holds(self, order: Ordering) -> bool {
        match self {
            Comparison::Equal => order.is_eq(),
            Comparison::Unequal => order.is_ne(),
            Comparison::Less => order.is_lt(),
            Comparison::LessOrEqual => order.is_le(),
            Comparison::Greater => order.is_gt(),
            Comparison::GreaterOrEqual => order.is_ge(),
        }
    }
}

#[cfg(test)]
mod tests;
