//! The evaluator on rows that are written down: a line a fact.

use std::collections::HashMap;
use std::sync::Arc;

use super::*;
use crate::filter::expr::Texts;
use crate::filter::pattern::{Pattern, Piece};

/// One row; a column that is not named is null.
#[derive(Default)]
struct Row {
    cells: HashMap<Column, Result<Cell<'static>, Bad>>,
    extra: HashMap<&'static str, &'static str>,
    /// Hours that the PBX's clock is ahead of the times.
    ahead: i64,
}

impl Cells for Row {
    fn cell(&self, column: Column, _: u32) -> Result<Option<Cell<'_>>, Bad> {
        self.cells.get(&column).cloned().transpose()
    }

    fn extra(&self, name: &str, _: u32) -> Result<Option<Cow<'_, str>>, Bad> {
        Ok(self.extra.get(name).map(|text| Cow::Borrowed(*text)))
    }

    fn clock(&self, time: i64, _: u32) -> i64 {
        time + self.ahead * 3_600_000_000
    }
}

fn row(cells: &[(Column, Cell<'static>)]) -> Row {
    let cells = cells.iter().cloned().map(|(column, cell)| (column, Ok(cell)));
    Row { cells: cells.collect(), ..Row::default() }
}

fn text(text: &'static str) -> Cell<'static> {
    Cell::Text(Cow::Borrowed(text))
}

fn number(number: i64) -> Cell<'static> {
    Cell::Number(Number::whole(number))
}

fn constant(number: i64) -> Scalar {
    Scalar::Constant(Constant::Number(Number::whole(number)))
}

fn word(text: &str) -> Scalar {
    Scalar::Constant(Constant::Text(text.into()))
}

fn column(column: Column) -> Box<Scalar> {
    Box::new(Scalar::Column(column))
}

#[track_caller]
fn check(expr: Expr, row: &Row, expected: Truth) {
    assert_eq!(evaluate(&expr, row, 0), expected, "{expr:?}");
}

const T: Expr = Expr::Always(Some(true));
const F: Expr = Expr::Always(Some(false));
const U: Expr = Expr::Always(None);

/// What depends on a value that cannot be typed.
fn bad() -> Expr {
    Expr::Compare(Scalar::Column(Column::Billsec), Comparison::Equal, constant(1))
}

#[test]
fn all_and_any_are_three_valued() {
    let row = Row::default();
    check(Expr::All(vec![]), &row, Truth::True);
    check(Expr::Any(vec![]), &row, Truth::False);
    check(Expr::All(vec![T, U]), &row, Truth::Unknown);
    check(Expr::All(vec![U, F]), &row, Truth::False);
    check(Expr::Any(vec![U, F]), &row, Truth::Unknown);
    check(Expr::Any(vec![U, T]), &row, Truth::True);
    check(Expr::Not(Box::new(U)), &row, Truth::Unknown);
    check(Expr::Not(Box::new(F)), &row, Truth::True);
}

#[test]
fn what_decides_without_a_bad_value_decides() {
    let row = Row { cells: [(Column::Billsec, Err(Bad))].into(), ..Row::default() };
    check(bad(), &row, Truth::Bad);
    check(Expr::Not(Box::new(bad())), &row, Truth::Bad);
    check(Expr::All(vec![bad(), T]), &row, Truth::Bad);
    check(Expr::All(vec![bad(), F]), &row, Truth::False);
    check(Expr::All(vec![F, bad()]), &row, Truth::False);
    check(Expr::Any(vec![bad(), T]), &row, Truth::True);
    check(Expr::Any(vec![T, bad()]), &row, Truth::True);
    check(Expr::Any(vec![bad(), F]), &row, Truth::Bad);
    check(Expr::Any(vec![bad(), U]), &row, Truth::Bad);
    check(Expr::Test(Scalar::Column(Column::Billsec), Test::IsNull), &row, Truth::Bad);
}

#[test]
fn what_cannot_be_true_does_not_depend_on_a_bad_value() {
    let row = Row { cells: [(Column::Billsec, Err(Bad))].into(), ..Row::default() };
    check(Expr::All(vec![bad(), U]), &row, Truth::Unknown);
    check(Expr::All(vec![U, bad(), T]), &row, Truth::Unknown);
    check(Expr::Not(Box::new(Expr::All(vec![bad(), U]))), &row, Truth::Bad);
    check(Expr::Not(Box::new(Expr::Any(vec![bad(), U]))), &row, Truth::Unknown);
    let null = Scalar::Column(Column::Duration);
    check(Expr::Compare(Scalar::Column(Column::Billsec), Comparison::Less, null), &row, Truth::Unknown);
}

#[test]
fn what_is_asked_of_null_is_unknown() {
    let row = Row::default();
    let src = || Scalar::Column(Column::Src);
    check(Expr::Compare(src(), Comparison::Equal, word("")), &row, Truth::Unknown);
    check(Expr::Compare(src(), Comparison::Unequal, word("")), &row, Truth::Unknown);
    check(Expr::Test(src(), Test::IsNull), &row, Truth::True);
    check(Expr::Test(src(), Test::OneOf(Arc::new(Texts::from_iter([String::new()])))), &row, Truth::Unknown);
    let empty = || Scalar::OrEmpty(Box::new(src()));
    check(Expr::Test(empty(), Test::OneOf(Arc::new(Texts::from_iter([String::new()])))), &row, Truth::True);
    check(Expr::Test(empty(), Test::IsNull), &row, Truth::False);
    check(
        Expr::Compare(Scalar::Length(Box::new(src())), Comparison::Equal, constant(0)),
        &row,
        Truth::Unknown,
    );
    check(Expr::Compare(src(), Comparison::Equal, Scalar::Constant(Constant::Null)), &row, Truth::Unknown);
}

#[test]
fn texts_compare_by_their_bytes() {
    let row = row(&[(Column::Src, text("5300")), (Column::Dst, text("604"))]);
    let src = || Scalar::Column(Column::Src);
    check(Expr::Compare(src(), Comparison::Less, Scalar::Column(Column::Dst)), &row, Truth::True);
    check(Expr::Compare(src(), Comparison::Greater, word("53")), &row, Truth::True);
    check(Expr::Compare(src(), Comparison::LessOrEqual, word("5300")), &row, Truth::True);
    check(Expr::Compare(src(), Comparison::GreaterOrEqual, word("5301")), &row, Truth::False);
    check(Expr::Compare(src(), Comparison::Unequal, word("5300")), &row, Truth::False);
    let like = Pattern::new(vec![Piece::Char('5'), Piece::AnyRun], false);
    check(Expr::Test(src(), Test::Like(Arc::new(like))), &row, Truth::True);
}

#[test]
fn functions_and_casts() {
    let row = row(&[
        (Column::Src, text("5300(Ärger)")),
        (Column::Dst, text(" 0060 ")),
        (Column::Billsec, number(60)),
        (Column::Nat, Cell::Bool(true)),
    ]);
    let equal = |left, right| Expr::Compare(left, Comparison::Equal, right);
    check(equal(Scalar::Lower(column(Column::Src)), word("5300(ärger)")), &row, Truth::True);
    check(equal(Scalar::Upper(column(Column::Src)), word("5300(ÄRGER)")), &row, Truth::True);
    check(equal(Scalar::BeforeBracket(column(Column::Src)), word("5300")), &row, Truth::True);
    check(equal(Scalar::BeforeBracket(Box::new(word("x  (y"))), word("x")), &row, Truth::True);
    check(equal(Scalar::Length(column(Column::Src)), constant(11)), &row, Truth::True);
    check(equal(Scalar::ToText(column(Column::Billsec)), word("60")), &row, Truth::True);
    check(equal(Scalar::ToText(column(Column::Nat)), word("true")), &row, Truth::True);
    check(equal(Scalar::ToNumber(column(Column::Dst)), Scalar::Column(Column::Billsec)), &row, Truth::True);
    check(equal(Scalar::ToNumber(column(Column::Src)), constant(5300)), &row, Truth::Unknown);
    let numbers = Test::NumberOf(Arc::new([Number::whole(60)].into()));
    check(Expr::Test(Scalar::Column(Column::Billsec), numbers), &row, Truth::True);
}

#[test]
fn extra_is_looked_into_by_name() {
    let row = Row { extra: [("x.y", "1")].into(), ..Row::default() };
    let equal = |name: &str| Expr::Compare(Scalar::Extra(name.into()), Comparison::Equal, word("1"));
    check(equal("x.y"), &row, Truth::True);
    check(equal("x"), &row, Truth::Unknown);
}

#[test]
fn moments_are_instants_or_what_the_clock_shows() {
    let mut row = row(&[(Column::Start, Cell::Time(0))]);
    row.ahead = 2;
    let start = || Scalar::Column(Column::Start);
    let at = |moment| Scalar::Constant(Constant::Time(moment));
    let two_hours = 7_200_000_000;
    let equal = |left, right| Expr::Compare(left, Comparison::Equal, right);
    check(equal(start(), at(Moment::Instant(0))), &row, Truth::True);
    check(equal(start(), at(Moment::Clock(two_hours))), &row, Truth::True);
    check(equal(at(Moment::Clock(two_hours)), start()), &row, Truth::True);
    check(equal(start(), at(Moment::Clock(0))), &row, Truth::False);
    check(equal(at(Moment::Clock(5)), at(Moment::Clock(5))), &row, Truth::True);
}
