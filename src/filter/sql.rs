//! A SQL condition as an expression.
//!
//! ```text
//!  text ──sqlparser──▶ its tree ──here──▶ Expr
//! ```
//!
//! The crate knows all of SQL; what is taken of it is what [`SUPPORTED`] says, and everything else is an
//! error that points at it. Values have a type (text, number, yes or no, time), and only like is compared
//! with like: a phone number is a text, so `src > 100` asks for what nobody means. A text literal
//! beside a time column is a time.
//!
//! Hostile conditions: the crate bounds how deeply it nests, and we how long a chain of operators may be, of
//! which it makes a tree just as deep. Lists may be of any length.

mod literal;
mod place;

use std::collections::HashSet;
use std::sync::Arc;
use std::thread;

use sqlparser::ast::{
    AccessExpr, BinaryOperator as Binary, CastKind, DataType, Expr as Sql, Function, FunctionArg,
    FunctionArgExpr, FunctionArguments, Ident, Subscript, UnaryOperator as Unary, Value,
};

use self::place::Places;
use super::expr::{Comparison, Constant, Expr, Scalar, Test, Texts};
use super::number::Number;
use super::pattern::{Pattern, Piece};
use super::{Filter, FilterError};
use crate::schema::{Column, Kind};

/// What a condition may be made of, for messages.
const SUPPORTED: &str = "a condition is made of columns, literals, = <> < <= > >=, AND, OR, NOT, IN (…), BETWEEN, \
                         LIKE, ILIKE, IS [NOT] NULL, IS [NOT] TRUE, IS [NOT] FALSE, lower(), upper(), length(), \
                         and CAST between text and number";

impl Filter {
    /// A SQL condition on the unified columns: `src like '53%' and billsec between 8 and 60`.
    ///
    /// # Errors
    /// It is no condition, or of a kind that is not supported; the error points at what it is about.
    pub fn sql(condition: &str) -> Result<Filter, FilterError> {
        let expr = compile(condition)?;
        Ok(Filter { text: condition.trim().into(), expr, request: None })
    }
}

/// Compiles a condition. The parser is recursive, and its frames are large: it gets a stack of its own, so
/// that what it takes does not depend on how much of the caller's is left.
fn compile(condition: &str) -> Result<Expr, FilterError> {
    let places = Places::new(condition);
    let compile = || Compiler { places: &places }.condition(&places.parse()?);
    let compiled = thread::scope(|scope| {
        let started = thread::Builder::new().stack_size(STACK).spawn_scoped(scope, compile);
        started.ok()?.join().ok()
    });
    compiled.unwrap_or_else(|| {
        Err(places.at_start("the condition cannot be parsed: no thread can be had for it"))
    })
}

/// Far more than the deepest condition takes.
const STACK: usize = 64 << 20;

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Type {
    Text,
    Number,
    Bool,
    Time,
    /// Null, which is of all types.
    Any,
}

/// A value and its type.
struct Typed {
    scalar: Scalar,
    kind: Type,
    /// Which column it is as it stands.
    name: Option<&'static str>,
}

struct Compiler<'a> {
    places: &'a Places<'a>,
}

type Compiled<T> = Result<T, FilterError>;

/// A value is a function of a function of … so often.
const MOST_NESTED: usize = 50;

impl Compiler<'_> {
    fn condition(&self, sql: &Sql) -> Compiled<Expr> {
        Ok(match sql {
            Sql::Nested(inner) => self.condition(inner)?,
            Sql::BinaryOp { op: op @ (Binary::And | Binary::Or), .. } => {
                let parts = chain(sql, op).into_iter().map(|part| self.condition(part));
                let parts = parts.collect::<Compiled<Vec<_>>>()?;
                if *op == Binary::And { Expr::All(parts) } else { Expr::Any(parts) }
            }
            Sql::UnaryOp { op: Unary::Not, expr } => not(self.condition(expr)?),
            Sql::BinaryOp { left, op, right } => self.compare(sql, left, op, right)?,
            Sql::Between { expr, negated, low, high } => {
                let least = self.pair(expr, Comparison::GreaterOrEqual, low)?;
                let most = self.pair(expr, Comparison::LessOrEqual, high)?;
                negated_if(*negated, Expr::All(vec![least, most]))
            }
            Sql::InList { expr, list, negated } => negated_if(*negated, self.in_list(expr, list)?),
            Sql::Like { negated, any: false, expr, pattern, escape_char } => {
                negated_if(*negated, self.like(expr, pattern, escape_char.as_deref(), false)?)
            }
            Sql::ILike { negated, any: false, expr, pattern, escape_char } => {
                negated_if(*negated, self.like(expr, pattern, escape_char.as_deref(), true)?)
            }
            Sql::IsNull(expr) => self.is_null(expr)?,
            Sql::IsNotNull(expr) => not(self.is_null(expr)?),
            Sql::IsTrue(expr) => self.is(expr, true)?,
            Sql::IsNotTrue(expr) => not(self.is(expr, true)?),
            Sql::IsFalse(expr) => self.is(expr, false)?,
            Sql::IsNotFalse(expr) => not(self.is(expr, false)?),
            Sql::Value(value) => match value.value {
                Value::Boolean(answer) => Expr::Always(Some(answer)),
                Value::Null => Expr::Always(None),
                _ => return Err(self.unsupported(sql, "a value is no condition; compare it with something")),
            },
            Sql::Identifier(_) | Sql::CompoundIdentifier(_) => {
                let value = self.value(sql)?;
                if value.kind != Type::Bool {
                    return Err(
                        self.wrong(sql, "a condition is asked for here; compare the column with something")
                    );
                }
                equal(value.scalar, Scalar::Constant(Constant::Bool(true)))
            }
            _ => return Err(self.unsupported(sql, "this is not supported")),
        })
    }

    fn compare(&self, whole: &Sql, left: &Sql, op: &Binary, right: &Sql) -> Compiled<Expr> {
        let comparison = match op {
            Binary::Eq => Comparison::Equal,
            Binary::NotEq => Comparison::Unequal,
            Binary::Lt => Comparison::Less,
            Binary::LtEq => Comparison::LessOrEqual,
            Binary::Gt => Comparison::Greater,
            Binary::GtEq => Comparison::GreaterOrEqual,
            other => return Err(self.unsupported(whole, &format!("the operator {other} is not supported"))),
        };
        self.pair(left, comparison, right)
    }

    /// Two values of one type, compared; a text literal beside a time is one.
    fn pair(&self, left: &Sql, comparison: Comparison, right: &Sql) -> Compiled<Expr> {
        let (mut l, mut r) = (self.value(left)?, self.value(right)?);
        if l.kind == Type::Time {
            self.make_time(&mut r, right)?;
        } else if r.kind == Type::Time {
            self.make_time(&mut l, left)?;
        }
        if l.kind != r.kind && l.kind != Type::Any && r.kind != Type::Any {
            return Err(self.mismatch((&l, left), (&r, right)));
        }
        Ok(Expr::Compare(l.scalar, comparison, r.scalar))
    }

    /// A text literal becomes the time that it says.
    fn make_time(&self, value: &mut Typed, sql: &Sql) -> Compiled<()> {
        let Scalar::Constant(Constant::Text(text)) = &value.scalar else { return Ok(()) };
        let moment = literal::moment(text).ok_or_else(|| self.wrong(sql, &literal::no_moment(text)))?;
        *value = Typed { scalar: Scalar::Constant(Constant::Time(moment)), kind: Type::Time, name: None };
        Ok(())
    }

    fn in_list(&self, sql: &Sql, list: &[Sql]) -> Compiled<Expr> {
        let value = self.value(sql)?;
        let (mut texts, mut numbers, mut others) = (Texts::default(), HashSet::new(), Vec::new());
        for item in list {
            match (value.kind, self.value(item)?.scalar) {
                (Type::Text, Scalar::Constant(Constant::Text(text))) => drop(texts.insert(text.to_string())),
                (Type::Number, Scalar::Constant(Constant::Number(number))) => drop(numbers.insert(number)),
                _ => others.push(self.pair(sql, Comparison::Equal, item)?),
            }
        }
        let mut any = Vec::new();
        if !texts.is_empty() {
            any.push(Expr::Test(value.scalar.clone(), Test::OneOf(Arc::new(texts))));
        }
        if !numbers.is_empty() {
            any.push(Expr::Test(value.scalar, Test::NumberOf(Arc::new(numbers))));
        }
        any.append(&mut others);
        Ok(Expr::Any(any))
    }

    fn like(&self, sql: &Sql, pattern: &Sql, escape: Option<&Sql>, ignore_case: bool) -> Compiled<Expr> {
        let value = self.value(sql)?;
        if !matches!(value.kind, Type::Text | Type::Any) {
            return Err(self.wrong(sql, &format!("LIKE asks for a text: {}", to_text(&value))));
        }
        let text = |sql: &Sql, what: &str| match literal::text(sql) {
            Some(text) => Ok(text.to_string()),
            None => Err(self.wrong(sql, &format!("{what} has to be a text literal such as '53%'"))),
        };
        let pattern_text = text(pattern, "the pattern of LIKE")?;
        let escape = match escape {
            None => None,
            Some(sql) => {
                let text = text(sql, "ESCAPE")?;
                let mut letters = text.chars();
                match (letters.next(), letters.next()) {
                    (letter, None) => letter,
                    _ => return Err(self.wrong(sql, "ESCAPE has to be one character")),
                }
            }
        };
        let pieces = literal::pieces(&pattern_text, escape);
        let pieces: Vec<Piece> =
            pieces.ok_or_else(|| self.wrong(pattern, "the pattern ends with its escape character"))?;
        Ok(Expr::Test(value.scalar, Test::Like(Arc::new(Pattern::new(pieces, ignore_case)))))
    }

    fn is_null(&self, sql: &Sql) -> Compiled<Expr> {
        let name = literal::name(sql).and_then(|ident| Column::by_name(&ident.value.to_ascii_lowercase()));
        let scalar = match name {
            // Of these alone this is all that can be asked.
            Some(column) if matches!(column.def().kind, Kind::List | Kind::Map) => Scalar::Column(column),
            _ => self.value(sql)?.scalar,
        };
        Ok(Expr::Test(scalar, Test::IsNull))
    }

    /// `IS TRUE` or `IS FALSE`: never unknown.
    fn is(&self, sql: &Sql, answer: bool) -> Compiled<Expr> {
        let value = self.value(sql)?;
        if !matches!(value.kind, Type::Bool | Type::Any) {
            return Err(self.wrong(sql, "only of a yes-or-no column can this be asked"));
        }
        let is_there = not(Expr::Test(value.scalar.clone(), Test::IsNull));
        Ok(Expr::All(vec![is_there, equal(value.scalar, Scalar::Constant(Constant::Bool(answer)))]))
    }

    fn value(&self, sql: &Sql) -> Compiled<Typed> {
        self.nested_value(sql, 0)
    }

    fn nested_value(&self, sql: &Sql, depth: usize) -> Compiled<Typed> {
        if depth > MOST_NESTED {
            return Err(self.places.at_start("this nests too deeply"));
        }
        let inner = |sql: &Sql| self.nested_value(sql, depth + 1);
        match sql {
            Sql::Nested(sql) => inner(sql),
            Sql::Identifier(name) => self.column(sql, name),
            Sql::Value(_) | Sql::UnaryOp { op: Unary::Minus | Unary::Plus, .. } | Sql::TypedString(_) => {
                let constant = literal::constant(sql).map_err(|why| self.wrong(sql, &why))?;
                let constant =
                    constant.ok_or_else(|| self.unsupported(sql, "this is no literal that is supported"))?;
                Ok(Typed { kind: type_of(&constant), scalar: Scalar::Constant(constant), name: None })
            }
            Sql::Function(function) => {
                let (name, argument) = self.call(sql, function)?;
                let value = inner(argument)?;
                if !matches!(value.kind, Type::Text | Type::Any) {
                    return Err(
                        self.wrong(argument, &format!("{name}() asks for a text: {}", to_text(&value)))
                    );
                }
                let argument = Box::new(value.scalar);
                let (scalar, kind) = match name {
                    "lower" => (Scalar::Lower(argument), Type::Text),
                    "upper" => (Scalar::Upper(argument), Type::Text),
                    _ => (Scalar::Length(argument), Type::Number),
                };
                Ok(Typed { scalar, kind, name: None })
            }
            Sql::Cast {
                kind: CastKind::Cast | CastKind::TryCast | CastKind::DoubleColon,
                expr,
                data_type,
                format: None,
                ..
            } => self.cast(sql, inner(expr)?, data_type),
            Sql::CompoundFieldAccess { root, access_chain } => self.extra(sql, root, access_chain),
            _ => Err(self.unsupported(sql, "this is not supported as a value")),
        }
    }

    fn column(&self, sql: &Sql, name: &Ident) -> Compiled<Typed> {
        let Some(column) = Column::by_name(&name.value.to_ascii_lowercase()) else {
            let hint = if name.quote_style == Some('"') { "; a text stands in single quotes" } else { "" };
            let rule = format!("there is no column {}{hint}; `calltable schema` has all", name.value);
            return Err(self.wrong(sql, &rule));
        };
        let kind = match column.def().kind {
            Kind::Text | Kind::Dict => Type::Text,
            Kind::Bool => Type::Bool,
            Kind::UInt16 | Kind::UInt32 | Kind::Int32 | Kind::Int64 => Type::Number,
            Kind::Time => Type::Time,
            Kind::List => return Err(self.wrong(sql, "of a list only IS [NOT] NULL can be asked")),
            Kind::Map => {
                return Err(
                    self.wrong(sql, "extra holds values by name: write extra['name'], or IS [NOT] NULL")
                );
            }
        };
        Ok(Typed { scalar: Scalar::Column(column), kind, name: Some(column.name()) })
    }

    /// The function's name, and its one argument.
    fn call<'s>(&self, sql: &Sql, function: &'s Function) -> Compiled<(&'static str, &'s Sql)> {
        let written = function.name.to_string().to_ascii_lowercase();
        let name = ["lower", "upper", "length"].into_iter().find(|name| *name == written);
        let name =
            name.ok_or_else(|| self.unsupported(sql, &format!("the function {written}() is not supported")))?;
        let one = match &function.args {
            FunctionArguments::List(list)
                if list.clauses.is_empty() && list.duplicate_treatment.is_none() =>
            {
                match list.args.as_slice() {
                    [FunctionArg::Unnamed(FunctionArgExpr::Expr(argument))] => Some(argument),
                    _ => None,
                }
            }
            _ => None,
        };
        let is_plain =
            function.over.is_none() && function.filter.is_none() && function.within_group.is_empty();
        let one = one.filter(|_| is_plain);
        Ok((name, one.ok_or_else(|| self.wrong(sql, &format!("{name}() takes one value")))?))
    }

    fn cast(&self, sql: &Sql, value: Typed, to: &DataType) -> Compiled<Typed> {
        let to_type = literal::type_of(to)
            .ok_or_else(|| self.unsupported(sql, &format!("a cast to {to} is not supported")))?;
        if matches!(to, DataType::Date) {
            return self.cast_to_date(sql, value);
        }
        if let (Type::Time, Scalar::Constant(Constant::Text(_))) = (to_type, &value.scalar) {
            let mut value = value;
            self.make_time(&mut value, sql)?;
            return Ok(value);
        }
        let scalar = Box::new(value.scalar);
        let scalar = match (value.kind, to_type) {
            (from, to) if from == to => *scalar,
            (Type::Time, _) | (_, Type::Time) => {
                return Err(self.unsupported(sql, "times are cast neither from nor to anything else"));
            }
            (_, Type::Text) => Scalar::ToText(scalar),
            _ => Scalar::ToNumber(scalar),
        };
        Ok(Typed { scalar, kind: to_type, name: None })
    }

    /// Only of what is a date already: a cast that kept the time of day would answer wrongly without a word.
    fn cast_to_date(&self, sql: &Sql, mut value: Typed) -> Compiled<Typed> {
        match &value.scalar {
            Scalar::Constant(Constant::Text(text)) if literal::is_date(text) => {
                self.make_time(&mut value, sql)?;
                Ok(value)
            }
            _ => Err(self.unsupported(
                sql,
                "a cast to DATE is not supported: a day is start >= '2024-05-17' and start < '2024-05-18'",
            )),
        }
    }

    /// `extra['name']`
    fn extra(&self, sql: &Sql, root: &Sql, chain: &[AccessExpr]) -> Compiled<Typed> {
        let is_extra = literal::name(root).is_some_and(|name| name.value.eq_ignore_ascii_case("extra"));
        match chain {
            [AccessExpr::Subscript(Subscript::Index { index })] if is_extra => match literal::text(index) {
                Some(name) => Ok(Typed { scalar: Scalar::Extra(name.into()), kind: Type::Text, name: None }),
                None => Err(self.wrong(index, "a name in single quotes is asked for")),
            },
            _ => Err(self.unsupported(sql, "this is not supported as a value")),
        }
    }

    fn mismatch(&self, (left, left_sql): (&Typed, &Sql), (right, right_sql): (&Typed, &Sql)) -> FilterError {
        // What is a column stays as it is; the other side has to become like it.
        let (kept, odd, at) =
            if left.name.is_some() { (left, right, right_sql) } else { (right, left, left_sql) };
        let hint = match (kept.kind, odd.kind, &odd.scalar) {
            (Type::Text, Type::Number, Scalar::Constant(Constant::Number(number))) => {
                let cast = format!("cast({} as bigint)", kept.name.unwrap_or("…"));
                format!("write '{number}', or {cast} to compare numbers")
            }
            (Type::Number, Type::Text, Scalar::Constant(Constant::Text(text))) => match Number::parse(text) {
                Some(number) => format!("write {number} without quotes"),
                None => format!("cast({} as varchar) makes a text of it", kept.name.unwrap_or("…")),
            },
            (Type::Text, Type::Number, _) => "cast(… as varchar) makes a text of it".to_string(),
            (Type::Number, Type::Text, _) => "cast(… as bigint) makes a number of it".to_string(),
            (Type::Bool, ..) => "compare it with true or false".to_string(),
            (Type::Time, ..) => "compare it with a time such as '2024-05-17 12:34:56'".to_string(),
            _ => "only like is compared with like".to_string(),
        };
        let kept_name = kept.name.map_or("the other side".to_string(), |name| format!("column {name}"));
        self.wrong(
            at,
            &format!("this is {}, and {kept_name} is {}: {hint}", odd.kind.name(), kept.kind.name()),
        )
    }

    fn wrong(&self, sql: &Sql, rule: &str) -> FilterError {
        self.places.at(sql, rule.to_string())
    }

    fn unsupported(&self, sql: &Sql, what: &str) -> FilterError {
        self.places.at(sql, format!("{what}: {SUPPORTED}"))
    }
}

/// The parts of `a or b or c`, which the parser nests to the left, and as deeply as it is long.
fn chain<'s>(mut sql: &'s Sql, op: &Binary) -> Vec<&'s Sql> {
    let mut parts = Vec::new();
    while let Sql::BinaryOp { left, op: found, right } = sql
        && found == op
    {
        parts.push(&**right);
        sql = left;
    }
    parts.push(sql);
    parts.reverse();
    parts
}

fn not(expr: Expr) -> Expr {
    Expr::Not(Box::new(expr))
}

fn negated_if(negated: bool, expr: Expr) -> Expr {
    if negated { not(expr) } else { expr }
}

fn equal(left: Scalar, right: Scalar) -> Expr {
    Expr::Compare(left, Comparison::Equal, right)
}

fn type_of(constant: &Constant) -> Type {
    match constant {
        Constant::Null => Type::Any,
        Constant::Text(_) => Type::Text,
        Constant::Number(_) => Type::Number,
        Constant::Bool(_) => Type::Bool,
        Constant::Time(_) => Type::Time,
    }
}

/// How what is no text becomes one.
fn to_text(value: &Typed) -> String {
    match value.kind {
        Type::Time => "this is a time".to_string(),
        _ => format!("write cast({} as varchar)", value.name.unwrap_or("…")),
    }
}

impl Type {
    fn name(self) -> &'static str {
        match self {
            Type::Text => "a text",
            Type::Number => "a number",
            Type::Bool => "yes or no",
            Type::Time => "a time",
            Type::Any => "null",
        }
    }
}

#[cfg(test)]
mod tests;
