//! Which rows the filters want, told before anything is typed.
//!
//! A filter is cut at its `and`s into conditions. Those that ask for texts and numbers where they
//! stand come first, then those that ask for times, then the rest; for each step only the columns that it
//! needs are built, only of the rows that are left. So a row that fails costs no more than the look
//! that it failed by, and a column that no row is left for costs nothing.
//!
//! A row whose answer depends on a value that cannot be typed stays, and that value is its problem: it
//! becomes a reject as any other. One that is decided without the value is decided.

use std::collections::{BTreeSet, HashSet};

use arrow::array::ArrayRef;
use arrow::datatypes::SchemaRef;

use super::builder::Builder;
use super::cells::{Known, OneText, is_in_spans};
use super::lexicon::Lexicons;
use super::problem::{Problem, Problems};
use super::{File, Notes, Rows, time};
use crate::filter::{Arrays, Expr, Filter, Truth, evaluate};
use crate::options::Options;
use crate::schema::{Column, Kind};

/// When a condition is asked, from cheap to dear.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Spans,
    Times,
    Made,
}

const STEPS: [Step; 3] = [Step::Spans, Step::Times, Step::Made];

/// How rows are read and columns are built.
#[derive(Clone, Copy)]
pub struct How<'a> {
    pub file: &'a File,
    pub options: &'a Options,
    pub offsets: Option<&'a time::Offsets>,
    pub schema: &'a SchemaRef,
}

/// Keeps the rows that the filters want, or may want; comes back with the values that make that
/// doubtful.
pub fn narrow(rows: &mut Rows, how: How<'_>) -> Problems {
    let conditions: Vec<&Expr> = how.options.filters.iter().map(Filter::expr).flat_map(conditions).collect();
    let mut doubtful: Vec<u32> = Vec::new();
    for step in STEPS {
        let now: Vec<&Expr> = conditions.iter().copied().filter(|expr| step_of(expr) == step).collect();
        if now.is_empty() || rows.len() == 0 {
            continue;
        }
        let mut known = Known::new(rows, how);
        if step != Step::Spans {
            let (built, bad) = built(rows, how, &now);
            known = known.with(built, bad);
        }
        let mut left = rows.kept.clone();
        for condition in now {
            match known.only_slot(condition) {
                Some(slot) => left
                    .retain(|&row| evaluate(condition, &OneText(rows.text(row, slot)), row) == Truth::True),
                None => left.retain(|&row| match evaluate(condition, &known, row) {
                    Truth::True => true,
                    Truth::False | Truth::Unknown => false,
                    Truth::Bad => {
                        doubtful.push(row);
                        true
                    }
                }),
            }
        }
        rows.kept = left;
    }
    if doubtful.is_empty() {
        return Problems::default();
    }
    doubtful.sort_unstable();
    problems(rows, how, &doubtful, &conditions)
}

/// The conditions all of which have to hold.
pub fn conditions(expr: &Expr) -> Vec<&Expr> {
    match expr {
        Expr::All(all) => all.iter().flat_map(conditions).collect(),
        expr => vec![expr],
    }
}

fn step_of(condition: &Expr) -> Step {
    let step = |column: Column| match column.def().kind {
        _ if is_in_spans(column) => Step::Spans,
        Kind::Time => Step::Times,
        _ => Step::Made,
    };
    condition.columns().into_iter().map(step).max().unwrap_or(Step::Spans)
}

/// The columns that conditions look at and that do not stand in the spans, and the values in them that
/// cannot be typed.
fn built(rows: &Rows, how: How<'_>, conditions: &[&Expr]) -> (Arrays, HashSet<(Column, u32)>) {
    let (mut arrays, mut bad) = (Arrays::new(), HashSet::new());
    let mut builder = Builder::new(rows, how);
    let mut lexicons = Lexicons::new(rows.layout_ref(), None);
    let mut sides = [None, None];
    let untyped = match columns(conditions).any(|column| column == Column::Extra) {
        true => untyped(rows, how),
        false => Vec::new(),
    };
    for column in columns(conditions).filter(|column| !is_in_spans(*column)) {
        let array = if column.def().kind == Kind::Time {
            let mut problems = Problems::default();
            let array = times(rows, how, column, &mut problems);
            bad.extend(problems.sorted().into_iter().map(|problem| (column, problem.record)));
            array
        } else {
            builder.values(column, false, &untyped, &mut sides, &mut lexicons).into_array()
        };
        arrays.add(column, &array).expect("a column is built of its own type");
    }
    (arrays, bad)
}

/// The values that, leniently, have no type: their texts stand in `extra`. Which rows match must not
/// depend on the columns that are asked for, so it is told as if all were.
fn untyped(rows: &Rows, how: How<'_>) -> Vec<Problem> {
    if !how.options.lenient {
        return Vec::new();
    }
    let options = Options { columns: Column::all().collect(), ..how.options.clone() };
    Builder::new(rows, How { options: &options, ..how }).checked(Problems::default()).1
}

fn columns(conditions: &[&Expr]) -> impl Iterator<Item = Column> + use<> {
    let columns: BTreeSet<Column> = conditions.iter().flat_map(|expr| expr.columns()).collect();
    columns.into_iter()
}

/// What is worth a note is noted when the rows are written.
fn times(rows: &Rows, how: How<'_>, column: Column, problems: &mut Problems) -> ArrayRef {
    time::times(rows, how.file, how.offsets, &[column], problems, &mut Notes::default()).remove(0)
}

/// The values of doubtful rows that cannot be typed, of all columns that the conditions look at.
fn problems(rows: &mut Rows, how: How<'_>, doubtful: &[u32], conditions: &[&Expr]) -> Problems {
    let doubtful = rows.kept.iter().copied().filter(|row| doubtful.binary_search(row).is_ok()).collect();
    let kept = std::mem::replace(&mut rows.kept, doubtful);
    let mut problems = Problems::default();
    for column in columns(conditions) {
        match column.def().kind {
            Kind::Time => drop(times(rows, how, column, &mut problems)),
            _ => drop(Builder::new(rows, how).number(column, &mut problems)),
        }
    }
    rows.kept = kept;
    problems
}
