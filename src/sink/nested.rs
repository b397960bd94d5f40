//! Columns that the parquet crate encodes, and which mostly have no value at all.
//!
//! The crate goes over each null of each leaf one by one. So nulls are only counted until a value comes; where
//! none does, a chunk without a value is one page that we write ourselves. It must not know what the columns are.

use arrow::array::{Array, ArrayRef, new_null_array};
use arrow::datatypes::FieldRef;
use parquet::arrow::arrow_writer::{ArrowColumnWriter, compute_leaves};
use parquet::basic::{Compression, Encoding};
use parquet::errors::Result;
use parquet::schema::types::ColumnDescPtr;

use super::encoder::{Chunk, is_own};
use super::pages::{self, PAGE_ROWS, PageSize, Pages, zeros};

/// Encodes one column of one row group: one writer a leaf.
pub struct Nested {
    field: FieldRef,
    leaves: Vec<ColumnDescPtr>,
    codec: Compression,
    writers: Vec<ArrowColumnWriter>,
    /// Rows without a value that no writer was given.
    nulls: usize,
    /// The writers were given something.
    is_begun: bool,
}

impl Nested {
    /// An empty chunk of that column, which consists of these leaves.
    pub fn new(
        field: FieldRef,
        leaves: Vec<ColumnDescPtr>,
        codec: Compression,
        writers: Vec<ArrowColumnWriter>,
    ) -> Nested {
        Nested { field, leaves, codec, writers, nulls: 0, is_begun: !is_own(codec) }
    }

    /// Appends values.
    ///
    /// # Errors
    /// The array has another type, or compressing failed.
    pub fn write(&mut self, array: &ArrayRef) -> Result<()> {
        if !self.is_begun && array.logical_null_count() == array.len() {
            self.nulls += array.len();
            return Ok(());
        }
        self.begin()?;
        self.give(array)
    }

    /// Gives the writers the nulls that were only counted.
    fn begin(&mut self) -> Result<()> {
        self.is_begun = true;
        while self.nulls > 0 {
            let rows = self.nulls.min(PAGE_ROWS);
            self.give(&new_null_array(self.field.data_type(), rows))?;
            self.nulls -= rows;
        }
        Ok(())
    }

    fn give(&mut self, array: &ArrayRef) -> Result<()> {
        let leaves = compute_leaves(&self.field, array)?;
        leaves.iter().zip(&mut self.writers).try_for_each(|(leaf, writer)| writer.write(leaf))
    }

    /// The finished chunks, one a leaf.
    ///
    /// # Errors
    /// Compressing failed.
    pub fn close(self) -> Result<Vec<Chunk>> {
        let Nested { leaves, codec, writers, nulls, is_begun, .. } = self;
        if is_begun {
            return writers.into_iter().map(|writer| writer.close().map(Chunk::Crate)).collect();
        }
        leaves.into_iter().map(|leaf| without_values(leaf, codec, nulls).map(Chunk::Own)).collect()
    }
}

/// A chunk of so many nulls.
fn without_values(leaf: ColumnDescPtr, codec: Compression, rows: usize) -> Result<pages::Chunk> {
    let (repeats, defines) = (leaf.max_rep_level() > 0, leaf.max_def_level() > 0);
    let mut pages = Pages::new(leaf, codec, false);
    if rows > 0 {
        let size = PageSize { values: rows, rows, nulls: rows };
        pages.end_nested(Encoding::PLAIN, size, |body| {
            [repeats, defines].iter().filter(|has| **has).for_each(|_| zeros(rows, body));
        })?;
    }
    pages.close(None)
}
