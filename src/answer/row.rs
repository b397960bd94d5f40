//! A batch's rows as the shapes see them: values by column, times on the PBX's clock.
//!
//! Knows the unified schema; must not know vendors. A column that the batch does not have is one
//! without values, so an archive of some columns can be asked, too.

use std::borrow::Cow;
use std::cell::RefCell;

use arrow::array::RecordBatch;

use super::spell;
use crate::error::Result;
use crate::schema::Column;
use crate::sink::cells::{self, Cell};
use crate::time::{Zone, ZoneClock};

/// A batch, its columns found by their names.
pub(crate) struct Table<'a> {
    columns: Vec<Option<cells::Column<'a>>>,
    rows: usize,
    /// The PBX's clock; it remembers where it looked last.
    clock: RefCell<ZoneClock>,
}

/// A row of a [`Table`].
#[derive(Clone, Copy)]
pub(crate) struct Row<'a> {
    table: &'a Table<'a>,
    at: usize,
}

impl<'a> Table<'a> {
    /// The batch's columns; `zone` is the PBX's, UTC without one.
    ///
    /// # Errors
    /// Usage: a column is of a type that the unified table does not have.
    pub(crate) fn new(batch: &'a RecordBatch, zone: Option<&Zone>) -> Result<Table<'a>> {
        let mut columns: Vec<Option<cells::Column<'a>>> = (0..Column::COUNT).map(|_| None).collect();
        for (field, values) in batch.schema_ref().fields().iter().zip(cells::columns(batch)?) {
            if let Some(column) = Column::by_name(field.name()) {
                columns[column as usize] = Some(values);
            }
        }
        let clock = RefCell::new(ZoneClock::new(zone.unwrap_or(&Zone::Fixed(0))));
        Ok(Table { columns, rows: batch.num_rows(), clock })
    }

    /// The rows.
    pub(crate) fn rows(&'a self) -> impl Iterator<Item = Row<'a>> {
        (0..self.rows).map(|at| Row { table: self, at })
    }

    /// A row.
    pub(crate) fn row(&'a self, at: usize) -> Row<'a> {
        Row { table: self, at }
    }
}

impl<'a> Row<'a> {
    fn cell(&self, column: Column) -> Cell<'a> {
        self.table.columns[column as usize].as_ref().map_or(Cell::Null, |values| values.get(self.at))
    }

    /// A column's value as text: numbers in decimal, times on the PBX's clock, files joined by `@`.
    pub(crate) fn text(&self, column: Column) -> Option<Cow<'a, str>> {
        Some(match self.cell(column) {
            Cell::Null | Cell::Map(_) => return None,
            Cell::Text(text) => Cow::Borrowed(text),
            Cell::Bool(value) => Cow::Borrowed(if value { "yes" } else { "no" }),
            Cell::Number(number) => Cow::Owned(number.to_string()),
            Cell::Time(_) => Cow::Owned(spell::clock(self.clock(column)?)),
            Cell::List(files) => Cow::Owned(files.flatten().collect::<Vec<_>>().join("@")),
        })
    }

    /// A number.
    pub(crate) fn number(&self, column: Column) -> Option<i64> {
        if let Cell::Number(number) = self.cell(column) { Some(number) } else { None }
    }

    /// What the PBX's clock showed, in microseconds.
    pub(crate) fn clock(&self, column: Column) -> Option<i64> {
        let Cell::Time(time) = self.cell(column) else { return None };
        Some(if time.instant { self.table.clock.borrow_mut().local(time.micros) } else { time.micros })
    }

    /// The instant, in microseconds; of a time on the PBX's clock the one in its zone.
    pub(crate) fn instant(&self, column: Column) -> Option<i64> {
        let Cell::Time(time) = self.cell(column) else { return None };
        let mut clock = self.table.clock.borrow_mut();
        Some(if time.instant { time.micros } else { clock.start(time.micros, None).utc })
    }

    /// Whether a column has instants, not times on a clock.
    pub(crate) fn is_instant(&self, column: Column) -> bool {
        matches!(self.cell(column), Cell::Time(time) if time.instant)
    }

    /// What `extra` has under a name, as headers spell it.
    pub(crate) fn extra(&self, name: &str) -> Option<Cow<'a, str>> {
        let Cell::Map(mut entries) = self.cell(Column::Extra) else { return None };
        let (_, value) = entries.find(|(key, _)| spell::is_same_name(key, name))?;
        value.map(Cow::Borrowed)
    }
}
