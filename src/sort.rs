//! Rows in the order of some of their columns, in bounded memory: a stable sort that goes to disk where it must.
//!
//! ```text
//! batches ──▶ rows as bytes ──▶ in memory, sorted ──▶ runs ──▶ merged ──▶ batches
//!             row, entry        buffer                run      merge      builders
//! ```
//!
//! A row becomes one piece of bytes, behind a key whose bytes compare as the columns do. So what is kept pins no
//! block and no dictionary, its size is known exactly, batches of one row cost no more than others, and a run on
//! disk is read a little at a time, however many columns there are. Arrow's own files would need a batch of each
//! run in memory, and a dictionary for each batch.
//!
//! It must not know where rows come from, nor what is written of them. What comes out does not depend on the
//! memory: neither rows nor order nor where batches end.

mod buffer;
pub(crate) mod builders;
pub(crate) mod bytes;
mod entry;
mod merge;
pub(crate) mod row;
pub(crate) mod run;
#[cfg(test)]
pub(crate) mod samples;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::compute::SortOptions;
use arrow::datatypes::{DataType, SchemaRef};
use arrow::error::ArrowError;
use arrow::row::{RowConverter, SortField};

use self::builders::Builders;
use self::bytes::{BytesSorter, Ordered};
use self::row::Columns;
use self::run::damaged;
use crate::error::{Error, Result};

/// Rows of a batch that comes out.
pub(crate) const ROWS: usize = 8192;

/// A batch of rows that are longer than any usual ones ends earlier, at so many bytes: a text column of a batch
/// has a limit, and so has memory.
const MOST_BYTES: usize = 16 << 20;

/// Sorts rows, in bounded memory.
pub(crate) struct Sorter {
    schema: SchemaRef,
    keys: Vec<usize>,
    folder: Arc<Path>,
    converter: RowConverter,
    entries: BytesSorter,
}

/// Rows in order, in batches of [`ROWS`] rows but the last. What could not be read again ends it with an error.
pub(crate) struct Sorted {
    schema: SchemaRef,
    folder: Arc<Path>,
    entries: Ordered,
}

impl Sorter {
    /// `keys` are columns of `schema`, in order of importance: ascending, nulls last, equal rows in the order in
    /// which they came. What does not fit into about `memory` bytes goes to files without a name in `folder`.
    ///
    /// # Errors
    /// Usage: no order is known for a key, or a column of that type cannot be kept.
    pub(crate) fn new(schema: SchemaRef, keys: &[usize], folder: &Path, memory: usize) -> Result<Sorter> {
        Builders::new(&schema)?;
        let fields = keys.iter().map(|&key| {
            let field = schema.field(key);
            match field.data_type() {
                kind if kind.is_nested() && !matches!(kind, DataType::Dictionary(..)) => {
                    Err(Error::usage(format!("{} has no order to sort by", field.name())))
                }
                kind => {
                    let nulls_last = SortOptions { descending: false, nulls_first: false };
                    Ok(SortField::new_with_options(kind.clone(), nulls_last))
                }
            }
        });
        let converter = RowConverter::new(fields.collect::<Result<_>>()?).map_err(unsortable)?;
        let folder = Arc::from(folder);
        let entries = BytesSorter::new(&folder, memory);
        Ok(Sorter { schema, keys: keys.to_vec(), folder, converter, entries })
    }

    /// Takes rows; nothing of the batch is held.
    ///
    /// # Errors
    /// Output: the folder has no room for them. Usage: they are not of the schema.
    pub(crate) fn push(&mut self, rows: &RecordBatch) -> Result<()> {
        row::fits(rows, &self.schema)?;
        let columns = Columns::of(rows)?;
        let keys: Vec<ArrayRef> = self.keys.iter().map(|&key| rows.column(key).clone()).collect();
        let keys = self.converter.convert_columns(&keys).map_err(unsortable)?;
        for row in 0..rows.num_rows() {
            self.entries.push(keys.row(row).data(), |out| columns.append(row, out))?;
        }
        Ok(())
    }

    /// The rows in order.
    ///
    /// # Errors
    /// Output: the folder has no room.
    pub(crate) fn finish(self) -> Result<Sorted> {
        Ok(Sorted { schema: self.schema, folder: self.folder, entries: self.entries.finish()? })
    }
}

impl Sorted {
    fn batch(&mut self) -> Result<Option<RecordBatch>> {
        let mut builders = Builders::new(&self.schema)?;
        let (mut rows, mut bytes) = (0, 0);
        while rows < ROWS && bytes < MOST_BYTES {
            let Some(entry) = self.entries.next()? else { break };
            builders.push(entry.value).ok_or_else(|| damaged(&self.folder))?;
            rows += 1;
            bytes += entry.value.len();
        }
        if rows == 0 {
            return Ok(None);
        }
        builders.finish().map(Some).map_err(|_| damaged(&self.folder))
    }
}

impl Iterator for Sorted {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Result<RecordBatch>> {
        self.batch().transpose()
    }
}

#[cold]
fn unsortable(error: ArrowError) -> Error {
    Error::usage(format!("rows cannot be sorted: {error}"))
}
