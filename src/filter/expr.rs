//! The expression that all grammars compile into.
//!
//! It is three-valued as SQL's: what is asked of a null is neither true nor false, and only what is
//! true is kept. Where a grammar reads null as the empty text, it says so ([`Scalar::OrEmpty`]).

use std::collections::HashSet;
use std::sync::Arc;

use super::digits::DigitRanges;
use super::number::Number;
use super::pattern::{Pattern, Piece};
use crate::schema::Column;

/// A condition on a row.
#[derive(Clone, Debug, PartialEq)]
pub enum Expr {
    /// The same for every row; nothing is SQL's unknown.
    Always(Option<bool>),
    /// Each of these; true where there is none.
    All(Vec<Expr>),
    /// Any of these; false where there is none.
    Any(Vec<Expr>),
    /// The opposite; what is unknown stays so.
    Not(Box<Expr>),
    /// What is asked of one value.
    Test(Scalar, Test),
    /// How two values of one type stand to each other.
    Compare(Scalar, Comparison, Scalar),
}

impl Expr {
    /// The columns that it looks at, each once, in their order.
    pub fn columns(&self) -> Vec<Column> {
        let mut columns = Vec::new();
        self.add_columns(&mut columns);
        columns.sort_unstable();
        columns.dedup();
        columns
    }

    /// A column, and beginnings one of which its text must have for the answer to be true; nothing where that
    /// cannot be told by a few.
    pub fn beginnings(&self) -> Option<(Column, Vec<String>)> {
        let found = match self {
            Expr::Test(scalar, test) => (scalar.verbatim()?, test.beginnings()?),
            Expr::Compare(scalar, Comparison::Equal, Scalar::Constant(Constant::Text(text))) => {
                (scalar.verbatim()?, vec![text.to_string()])
            }
            Expr::Any(all) => {
                let mut found = all.iter().map(Expr::beginnings);
                let (column, mut texts) = found.next()??;
                for more in found {
                    let (other, more) = more?;
                    texts.extend((other == column).then_some(more)?);
                }
                (column, texts)
            }
            _ => return None,
        };
        (found.1.len() <= FEW_BEGINNINGS && !found.1.iter().any(String::is_empty)).then_some(found)
    }

    fn add_columns(&self, columns: &mut Vec<Column>) {
        match self {
            Expr::Always(_) => {}
            Expr::All(all) | Expr::Any(all) => all.iter().for_each(|expr| expr.add_columns(columns)),
            Expr::Not(expr) => expr.add_columns(columns),
            Expr::Test(scalar, _) => columns.extend(scalar.column()),
            Expr::Compare(left, _, right) => columns.extend(left.column().into_iter().chain(right.column())),
        }
    }
}

/// More beginnings of a text are not worth a look at each.
const FEW_BEGINNINGS: usize = 8;

impl Test {
    fn beginnings(&self) -> Option<Vec<String>> {
        match self {
            Test::OneOf(texts) if texts.len() <= FEW_BEGINNINGS => Some(texts.iter().cloned().collect()),
            Test::Like(pattern) => Some(vec![pattern.prefix()]),
            _ => None,
        }
    }
}

impl Scalar {
    /// The column whose text it is as it stands, or the empty text where there is none.
    fn verbatim(&self) -> Option<Column> {
        match self {
            Scalar::Column(column) => Some(*column),
            Scalar::OrEmpty(inner) => inner.verbatim(),
            _ => None,
        }
    }

    /// The column that it is made of, if it is of one.
    pub fn column(&self) -> Option<Column> {
        match self {
            Scalar::Column(column) => Some(*column),
            Scalar::Extra(_) => Some(Column::Extra),
            Scalar::Constant(_) => None,
            Scalar::OrEmpty(inner)
            | Scalar::BeforeBracket(inner)
            | Scalar::Lower(inner)
            | Scalar::Upper(inner)
            | Scalar::Length(inner)
            | Scalar::ToText(inner)
            | Scalar::ToNumber(inner) => inner.column(),
        }
    }
}

/// How two values compare: texts by their bytes, times as instants or clocks ([`Moment`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `=`
    Equal,
    /// `<>`
    Unequal,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

/// Texts that are looked up, one a row.
pub type Texts = HashSet<String, foldhash::fast::RandomState>;

/// What is asked of one value.
#[derive(Clone, Debug, PartialEq)]
pub enum Test {
    /// Whether there is none; never unknown.
    IsNull,
    /// Whether it is one of these texts, byte by byte.
    OneOf(Arc<Texts>),
    /// Whether it is one of these numbers.
    NumberOf(Arc<HashSet<Number>>),
    /// Whether the whole text matches.
    Like(Arc<Pattern>),
    /// Whether its digits, as a number of any length, lie within one of these; what has no digits is 0.
    Digits(Arc<DigitRanges>),
}

/// A value of a row.
#[derive(Clone, Debug, PartialEq)]
pub enum Scalar {
    /// What a column has. Lists and `extra` have no value; [`Scalar::Extra`] looks into the latter.
    Column(Column),
    /// What `extra` has under a name.
    Extra(Arc<str>),
    /// A constant.
    Constant(Constant),
    /// The text, or the empty one where there is none.
    OrEmpty(Box<Scalar>),
    /// The text up to its first `(`, without blanks at its end.
    BeforeBracket(Box<Scalar>),
    /// `lower(x)`
    Lower(Box<Scalar>),
    /// `upper(x)`
    Upper(Box<Scalar>),
    /// `length(x)`: in characters.
    Length(Box<Scalar>),
    /// `cast(x as varchar)`
    ToText(Box<Scalar>),
    /// `cast(x as bigint)` and the like; unknown where the text is no number.
    ToNumber(Box<Scalar>),
}

/// A value that stands in a request.
#[derive(Clone, Debug, PartialEq)]
pub enum Constant {
    /// No value.
    Null,
    /// A text.
    Text(Arc<str>),
    /// A number.
    Number(Number),
    /// Yes or no.
    Bool(bool),
    /// A time.
    Time(Moment),
}

/// A time that columns are compared with, in microseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// An instant. Rows that have the PBX's clock and no zone are taken as UTC.
    Instant(i64),
    /// What the PBX's clock shows. Rows that are instants are compared by what it showed then, in the zone
    /// that the caller names, else in UTC.
    Clock(i64),
}

impl Expr {
    /// Each of these; the one where there is but one.
    pub(super) fn all(mut all: Vec<Expr>) -> Expr {
        if all.len() == 1 { all.remove(0) } else { Expr::All(all) }
    }

    /// Any of these, likewise.
    pub(super) fn any(mut any: Vec<Expr>) -> Expr {
        if any.len() == 1 { any.remove(0) } else { Expr::Any(any) }
    }

    /// Whether a column has one of these texts.
    pub(super) fn one_of<T: AsRef<str>>(column: Column, texts: impl IntoIterator<Item = T>) -> Expr {
        let texts = texts.into_iter().map(|text| text.as_ref().to_string()).collect();
        Expr::Test(Scalar::Column(column), Test::OneOf(Arc::new(texts)))
    }

    /// Whether a column has a text within.
    pub(super) fn contains(column: Column, text: &str, ignore_case: bool) -> Expr {
        let run = std::iter::once(Piece::AnyRun);
        let pieces = run.clone().chain(text.chars().map(Piece::Char)).chain(run).collect();
        Expr::Test(Scalar::Column(column), Test::Like(Arc::new(Pattern::new(pieces, ignore_case))))
    }

    /// That a column lies within bounds, both included; where one is not given, there is none.
    pub(super) fn bounds(
        column: Column,
        least: Option<Constant>,
        most: Option<Constant>,
    ) -> impl Iterator<Item = Expr> {
        let bounds = [(least, Comparison::GreaterOrEqual), (most, Comparison::LessOrEqual)];
        bounds.into_iter().filter_map(move |(bound, comparison)| {
            Some(Expr::Compare(Scalar::Column(column), comparison, Scalar::Constant(bound?)))
        })
    }
}
