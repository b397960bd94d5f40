//! A filter on a batch of the unified table, wherever that comes from.

use std::borrow::Cow;

use arrow::array::{BooleanArray, RecordBatch};
use arrow::datatypes::DataType;

use super::Filter;
use super::arrays::{Arrays, Clocks};
use super::evaluate::{Bad, Cell, Cells, Truth, evaluate};
use crate::error::{Error, Result};
use crate::schema::{Column, TimeKind};
use crate::time::Zone;

/// Rows of a batch, by their place in it.
struct Batch {
    arrays: Arrays,
    clocks: Clocks,
}

impl Cells for Batch {
    fn cell(&self, column: Column, row: u32) -> std::result::Result<Option<Cell<'_>>, Bad> {
        self.arrays.cell(column, row as usize)
    }

    fn extra(&self, name: &str, row: u32) -> std::result::Result<Option<Cow<'_, str>>, Bad> {
        self.arrays.extra(name, row as usize)
    }

    fn clock(&self, time: i64, _: u32) -> i64 {
        self.clocks.shown(time)
    }
}

impl Filter {
    /// Which rows of a batch match: true or false for each, never null. The batch has columns of the
    /// unified table, in any order, of the types that readers of its files give them; columns that the
    /// filter does not look at may be missing. `zone` is the PBX's, for what is asked of its clock where
    /// the batch has instants; without one the clock is taken to show UTC.
    ///
    /// ```
    /// use calltable::{Filter, Reader};
    ///
    /// let filter = Filter::sql("billsec between 8 and 60 and src like '53%'")?;
    /// for batch in Reader::builder().open("testdata/sample/2024/head-office/cdrapi-2024-05.csv")? {
    ///     println!("{} match", filter.matches(&batch?, None)?.true_count());
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Usage: a column that the filter looks at is missing, or of another type.
    pub fn matches(&self, batch: &RecordBatch, zone: Option<&Zone>) -> Result<BooleanArray> {
        let mut arrays = Arrays::new();
        let mut times = TimeKind::WallClock;
        for column in self.columns() {
            let missing =
                || Error::usage(format!("the filter looks at column {}, which is missing", column.name()));
            let array = batch.column_by_name(column.name()).ok_or_else(missing)?;
            if matches!(array.data_type(), DataType::Timestamp(_, Some(_))) {
                times = TimeKind::Instant;
            }
            arrays.add(column, array).map_err(Error::usage)?;
        }
        let rows = Batch { arrays, clocks: Clocks::new(times, zone) };
        let is_wanted = |row| Some(evaluate(self.expr(), &rows, row) == Truth::True);
        Ok((0..batch.num_rows() as u32).map(is_wanted).collect())
    }
}
