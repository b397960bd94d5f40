//! Rows as plain texts by column name, for tests of filters: what the evaluator looks at, and what the
//! naive one does.

use std::borrow::Cow;
use std::collections::BTreeMap;

use calltable::filter::{Bad, Cell, Cells, Expr, Number, Truth, evaluate};
use calltable::time::{DateOrder, read_time};
use calltable::{Column, Kind};

/// Texts by column name, and what is in `extra` by `extra.` and its own name. What is not there is null.
pub(crate) type Row = BTreeMap<String, String>;

/// Rows, and how many seconds the PBX's clock is ahead of their times.
pub(crate) struct Calls<'a> {
    pub(crate) rows: &'a [Row],
    pub(crate) east: i64,
}

impl Calls<'_> {
    /// Whether a row is wanted.
    pub(crate) fn wants(&self, expr: &Expr, row: usize) -> bool {
        let truth = evaluate(expr, self, row as u32);
        assert_ne!(truth, Truth::Bad, "{:?}", self.rows[row]);
        truth == Truth::True
    }
}

impl Cells for Calls<'_> {
    fn cell(&self, column: Column, row: u32) -> Result<Option<Cell<'_>>, Bad> {
        let Some(text) = self.rows[row as usize].get(column.name()) else { return Ok(None) };
        let cell = match column.def().kind {
            Kind::Text | Kind::Dict => Some(Cell::Text(Cow::Borrowed(text))),
            Kind::Bool => Some(Cell::Bool(text == "true")),
            Kind::Time => read_time(text.as_bytes(), DateOrder::MonthFirst)
                .ok()
                .flatten()
                .map(|clock| Cell::Time(clock.micros)),
            Kind::List | Kind::Map => return Ok(None),
            _ => Number::parse(text).map(Cell::Number),
        };
        cell.map(Some).ok_or(Bad)
    }

    fn extra(&self, name: &str, row: u32) -> Result<Option<Cow<'_, str>>, Bad> {
        Ok(self.rows[row as usize].get(&format!("extra.{name}")).map(|text| Cow::Borrowed(text.as_str())))
    }

    fn clock(&self, time: i64, _: u32) -> i64 {
        time + self.east * 1_000_000
    }
}
