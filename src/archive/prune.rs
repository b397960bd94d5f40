//! What bounds of columns rule out: whether any row within them could answer an expression with true.
//!
//! It is a guess to the safe side, never an evaluation: what is not understood may be true, and may be
//! false. It must not know files. The idea is that of intervals: each part of the expression may be
//! true, may be false, or both, and `and`, `or` and `not` put these together. What is unknown of a null
//! is neither, as in SQL.

use crate::filter::Number;
use crate::filter::expr::{Comparison, Constant, Expr, Moment, Scalar, Test};
use crate::schema::{Column, TimeKind};
use crate::time::Zone;

/// What is known of a column's values in some rows.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Bounds {
    /// Between what they lie.
    pub(super) values: Known,
    /// Whether some may be null.
    pub(super) nulls: bool,
    /// Whether some may not be.
    pub(super) some: bool,
}

/// Between what values lie, if that is known.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Known {
    /// It is not.
    Nothing,
    /// From the first to the second, both included.
    Values(Values),
}

/// Two values of a kind; texts by their bytes.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Values {
    Texts(Vec<u8>, Vec<u8>),
    Numbers(Number, Number),
    Times(i64, i64, TimeKind),
}

impl Bounds {
    /// Of any values.
    pub(super) const UNKNOWN: Bounds = Bounds { values: Known::Nothing, nulls: true, some: true };

    /// Of a column that is not there.
    pub(super) const NOTHING: Bounds = Bounds { values: Known::Nothing, nulls: true, some: false };

    /// Of rows that all have this text, or none.
    pub(super) fn of(text: Option<&str>) -> Bounds {
        let Some(text) = text else { return Bounds::NOTHING };
        let values = Values::Texts(text.into(), text.into());
        Bounds { values: Known::Values(values), nulls: false, some: true }
    }

    /// Whether some value may be in both, or a null.
    pub(super) fn may_share(&self, other: &Bounds) -> bool {
        let overlap = match (&self.values, &other.values) {
            (Known::Values(Values::Texts(a, b)), Known::Values(Values::Texts(c, d))) => a <= d && c <= b,
            _ => true,
        };
        self.nulls && other.nulls || self.some && other.some && overlap
    }

    /// Whether some text may be this one.
    fn may_be(&self, text: &str) -> bool {
        match &self.values {
            Known::Values(Values::Texts(least, most)) => (&**least..=&**most).contains(&text.as_bytes()),
            _ => true,
        }
    }

    /// Whether some text may begin so: those that do stand together in the order of their bytes.
    fn may_begin_with(&self, text: &str) -> bool {
        let cut = |bound: &[u8]| -> Vec<u8> { bound[..bound.len().min(text.len())].to_vec() };
        match &self.values {
            Known::Values(Values::Texts(least, most)) => {
                *cut(least) <= *text.as_bytes() && *text.as_bytes() <= *cut(most)
            }
            _ => true,
        }
    }

    /// Whether all rows may have the same value, or none.
    pub(super) fn may_be_one(&self) -> bool {
        let is_one = match &self.values {
            Known::Values(Values::Texts(least, most)) => least == most,
            _ => true,
        };
        !self.some || is_one
    }
}

/// What an expression may answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct May {
    be_true: bool,
    be_false: bool,
}

const ANY: May = May { be_true: true, be_false: true };
const NEITHER: May = May { be_true: false, be_false: false };

/// Whether a row may answer with true whose columns are within bounds.
///
/// `zone` is the PBX's: a clock is compared with an instant by it, and only how far it can be from UTC
/// matters here.
pub(super) fn may_match(expr: &Expr, bounds: &dyn Fn(Column) -> Bounds, zone: Option<&Zone>) -> bool {
    let slack = match zone {
        None => 0,
        Some(Zone::Fixed(offset)) => i64::from(offset.abs()) * 1_000_000,
        Some(Zone::Iana(_) | Zone::Auto) => FARTHEST,
    };
    may(expr, bounds, slack).be_true
}

fn may(expr: &Expr, bounds: &dyn Fn(Column) -> Bounds, slack: i64) -> May {
    let each = |all: &[Expr]| -> Vec<May> { all.iter().map(|expr| may(expr, bounds, slack)).collect() };
    match expr {
        Expr::Always(Some(answer)) => May { be_true: *answer, be_false: !answer },
        Expr::Always(None) => NEITHER,
        Expr::All(all) => {
            let each = each(all);
            May { be_true: each.iter().all(|may| may.be_true), be_false: each.iter().any(|may| may.be_false) }
        }
        Expr::Any(any) => {
            let each = each(any);
            May { be_true: each.iter().any(|may| may.be_true), be_false: each.iter().all(|may| may.be_false) }
        }
        Expr::Not(expr) => {
            let may = may(expr, bounds, slack);
            May { be_true: may.be_false, be_false: may.be_true }
        }
        Expr::Test(scalar, test) => tested(scalar, test, bounds),
        Expr::Compare(left, comparison, right) => compared(left, *comparison, right, bounds, slack),
    }
}

fn tested(scalar: &Scalar, test: &Test, bounds: &dyn Fn(Column) -> Bounds) -> May {
    let Some(Asked { column, or_empty, beginning }) = asked(scalar) else { return ANY };
    let found = bounds(column);
    let some = |may: bool, of_empty: bool| {
        let is_empty = or_empty && found.nulls && of_empty;
        May { be_true: is_empty || found.some && may, be_false: true }
    };
    match test {
        Test::IsNull if or_empty => May { be_true: false, be_false: true },
        Test::IsNull if beginning => ANY,
        Test::IsNull => May { be_true: found.nulls, be_false: found.some },
        // What is asked of a null is unknown.
        _ if !found.some && !or_empty => NEITHER,
        Test::OneOf(texts) => {
            let within = |text: &String| match beginning {
                true => found.may_begin_with(text),
                false => found.may_be(text),
            };
            some(texts.iter().any(within), texts.contains(""))
        }
        Test::NumberOf(numbers) => {
            let within = |number: &Number| match &found.values {
                Known::Values(Values::Numbers(least, most)) => (least..=most).contains(&number),
                _ => true,
            };
            some(numbers.iter().any(within), false)
        }
        Test::Like(pattern) => {
            let prefix = pattern.prefix();
            some(found.may_begin_with(&prefix), prefix.is_empty())
        }
        Test::Digits(_) => ANY,
    }
}

/// A scalar that is asked of a column.
struct Asked {
    column: Column,
    /// Null is the empty text.
    or_empty: bool,
    /// Only how the text begins is asked.
    beginning: bool,
}

fn asked(scalar: &Scalar) -> Option<Asked> {
    match scalar {
        Scalar::Column(column) => Some(Asked { column: *column, or_empty: false, beginning: false }),
        Scalar::OrEmpty(inner) => Some(Asked { or_empty: true, ..asked(inner)? }),
        Scalar::BeforeBracket(inner) => Some(Asked { beginning: true, ..asked(inner)? }),
        _ => None,
    }
}

/// A scalar's values, if it is a column or a constant.
fn operand(scalar: &Scalar, bounds: &dyn Fn(Column) -> Bounds) -> Option<Bounds> {
    let constant = |values| Some(Bounds { values: Known::Values(values), nulls: false, some: true });
    match scalar {
        Scalar::Column(column) => Some(bounds(*column)),
        Scalar::Constant(Constant::Null) => Some(Bounds::NOTHING),
        Scalar::Constant(Constant::Number(number)) => constant(Values::Numbers(*number, *number)),
        Scalar::Constant(Constant::Text(text)) => {
            constant(Values::Texts(text.as_bytes().to_vec(), text.as_bytes().to_vec()))
        }
        Scalar::Constant(Constant::Time(Moment::Instant(time))) => {
            constant(Values::Times(*time, *time, TimeKind::Instant))
        }
        Scalar::Constant(Constant::Time(Moment::Clock(time))) => {
            constant(Values::Times(*time, *time, TimeKind::WallClock))
        }
        _ => None,
    }
}

/// No zone is further from UTC, in microseconds: a clock and an instant differ by less.
const FARTHEST: i64 = 27 * 3600 * 1_000_000;

fn compared(
    left: &Scalar,
    comparison: Comparison,
    right: &Scalar,
    bounds: &dyn Fn(Column) -> Bounds,
    slack: i64,
) -> May {
    let (Some(left), Some(right)) = (operand(left, bounds), operand(right, bounds)) else {
        return ANY;
    };
    if !left.some || !right.some {
        return NEITHER;
    }
    let (Known::Values(left), Known::Values(right)) = (left.values, right.values) else { return ANY };
    match (left, right) {
        (Values::Texts(a, b), Values::Texts(c, d)) => ordered((&a, &b), comparison, (&c, &d)),
        (Values::Numbers(a, b), Values::Numbers(c, d)) => ordered((&a, &b), comparison, (&c, &d)),
        (Values::Times(a, b, one), Values::Times(c, d, other)) => {
            let slack = if one == other { 0 } else { slack };
            let (a, b) = (a.saturating_sub(slack), b.saturating_add(slack));
            ordered((&a, &b), comparison, (&c, &d))
        }
        _ => ANY,
    }
}

fn ordered<T: Ord>((a, b): (&T, &T), comparison: Comparison, (c, d): (&T, &T)) -> May {
    let equal = May { be_true: a <= d && c <= b, be_false: !(a == b && c == d && a == c) };
    let less = May { be_true: a < d, be_false: b >= c };
    let less_or_equal = May { be_true: a <= d, be_false: b > c };
    let opposite = |may: May| May { be_true: may.be_false, be_false: may.be_true };
    match comparison {
        Comparison::Equal => equal,
        Comparison::Unequal => opposite(equal),
        Comparison::Less => less,
        Comparison::LessOrEqual => less_or_equal,
        Comparison::Greater => opposite(less_or_equal),
        Comparison::GreaterOrEqual => opposite(less),
    }
}
