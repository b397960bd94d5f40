//! Files that `convert` wrote, read again: Parquet, Arrow IPC files and streams, as batches of the
//! unified table.
//!
//! ```text
//!  Parquet:  footer ──▶ statistics of each row group × filter ──▶ row groups that may match ──▶ batches
//!  Arrow:    batch after batch, the columns that are asked for
//! ```
//!
//! Only columns that are asked for are read; one that the file does not have is what its folders say
//! (`disposition=BUSY/`), or null. A file that another program rewrote is as good, if all its columns are
//! the table's; types that such programs change (a dictionary, a wide text) are cast back.
//!
//! It must not know requests, answers or dumps. What a filter asks is only used to leave out row groups
//! that have no matching row ([`prune`]): which rows match is for others to say, and nothing here is
//! taken to have answered it.

mod ipc;
mod parquet;
mod prune;

use std::fs::File;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, new_null_array};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Schema, SchemaRef};

use crate::error::{Error, Result};
use crate::filter::Expr;
use crate::hive::read_level;
use crate::prepared::Prepared;
use crate::schema::{Column, Kind, TimeKind, data_type};
use crate::source::inputs::{Input, Place};
use crate::source::magic::Looks;
use crate::source::{Bytes, Opened};
use crate::time::Zone;
use crate::workers::unbroken;

/// What is wanted of an archive.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    /// The columns of the batches, in the table's order.
    pub(crate) columns: Vec<Column>,
    /// Those without which the request cannot be answered.
    pub(crate) needed: Vec<Column>,
    /// What rows that matter answer with true.
    pub(crate) condition: Expr,
    /// The PBX's zone.
    pub(crate) zone: Option<Zone>,
    /// Whether the neighbours of a row that matters matter, too, if they are of the same call.
    pub(crate) whole_calls: bool,
}

/// What is asked of one file, and what is known of it beforehand.
struct Reading {
    asked: Asked,
    /// Columns that all its rows have the same value in, if it has not the columns itself: what its folders are
    /// named.
    folders: Vec<(Column, Option<String>)>,
}

/// Rows of an archive.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) rows: RecordBatch,
    /// Whether no row was left out between the part before and this one.
    pub(crate) follows: bool,
}

/// An archive being read.
pub(crate) struct Archive {
    name: String,
    parts: Parts,
    reading: Reading,
    /// How many row groups the file has, and how many of them are read; none of either in Arrow files.
    pub(crate) groups: Groups,
    /// Rows of the file, as far as they were looked at or left out.
    pub(crate) rows: u64,
}

/// How many row groups there are, and how many are read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Groups {
    /// All.
    pub all: u64,
    /// Those that statistics do not rule out.
    pub read: u64,
}

type Parts = Box<dyn Iterator<Item = std::result::Result<(RecordBatch, bool), String>>>;

/// Whether first bytes are those of an archive.
pub(crate) fn is_archive(looks: Looks) -> bool {
    matches!(looks, Looks::Parquet | Looks::ArrowFile | Looks::ArrowStream)
}

impl Archive {
    /// Opens an archive whose first bytes were looked at.
    ///
    /// # Errors
    /// Input: it cannot be read, is broken, or its columns are not the table's.
    pub(crate) fn open(input: &Input, opened: Opened, looks: Looks, asked: Asked) -> Result<Archive> {
        let fails = |why: String| Error::input(&input.name, why);
        let (mut groups, mut rows) = (Groups::default(), 0);
        let reading = Reading { asked, folders: folders(&input.place) };
        let open = || -> std::result::Result<Parts, String> {
            if looks == Looks::ArrowStream {
                let bytes: Bytes = Box::new(opened.reader);
                return ipc::stream(bytes, &reading);
            }
            let Place::File(path) = &input.place else {
                return Err("cannot be read from a pipe: name the file".to_string());
            };
            let file = File::open(path).map_err(|error| format!("cannot be opened: {error}"))?;
            if looks == Looks::ArrowFile {
                return ipc::file(file, &reading);
            }
            let (parts, all, out) = parquet::parts(file, &reading)?;
            (groups, rows) = (all, out);
            Ok(parts)
        };
        let parts = guarded(open).map_err(fails)?;
        Ok(Archive { name: input.name.clone(), parts, reading, groups, rows })
    }
}

impl Iterator for Archive {
    type Item = Result<Part>;

    fn next(&mut self) -> Option<Result<Part>> {
        let parts = &mut self.parts;
        let next = guarded(|| parts.next().transpose()).and_then(|part| {
            let part = part.map(|(rows, follows)| Ok((unified(&rows, &self.reading)?, follows)));
            part.transpose()
        });
        match next.transpose()? {
            Ok((rows, follows)) => {
                self.rows += rows.num_rows() as u64;
                Some(Ok(Part { rows, follows }))
            }
            Err(why) => {
                // What comes behind a fault is not to be trusted.
                self.parts = Box::new(std::iter::empty());
                Some(Err(Error::input(&self.name, why)))
            }
        }
    }
}

impl Reading {
    /// What the folders say of a column, if they do: a text, or that there is none.
    fn folder_of(&self, column: Column) -> Option<Option<&str>> {
        let found = self.folders.iter().find(|(of, _)| *of == column);
        found.map(|(_, value)| value.as_deref())
    }
}

/// What the names of the folders that a file stands in say of its rows, the nearest first.
fn folders(place: &Place) -> Vec<(Column, Option<String>)> {
    let Place::File(path) = place else { return Vec::new() };
    let path = std::path::absolute(path).unwrap_or_else(|_| path.clone());
    let names = path.ancestors().skip(1).filter_map(|folder| folder.file_name()?.to_str());
    // Rows are told apart by columns of few values alone: anything else is a name that happens to look so.
    let of_column = |(name, value)| {
        let column = Column::by_name(name).filter(|column| column.def().kind == Kind::Dict)?;
        Some((column, value))
    };
    names.filter_map(read_level).filter_map(of_column).collect()
}

/// Runs what reads bytes that anyone may have written; a panic of the libraries is a fault of the file.
fn guarded<T>(read: impl FnOnce() -> std::result::Result<T, String>) -> std::result::Result<T, String> {
    unbroken(read).unwrap_or_else(|panic| Err(format!("is broken ({panic})")))
}

/// The indexes of the wanted columns that a file has.
///
/// # Errors
/// A sentence: some column is not the table's, or of a type that its values cannot have, so this is no archive;
/// or one that the request asks about is not there.
fn indexes(schema: &Schema, reading: &Reading) -> std::result::Result<Vec<usize>, String> {
    let asked = &reading.asked;
    if let Some(stranger) = schema.fields().iter().find(|field| Column::by_name(field.name()).is_none()) {
        let name = stranger.name();
        return Err(format!("is no archive of calls: the unified table has no column `{name}`"));
    }
    let mut indexes = Vec::new();
    for &column in &asked.columns {
        let Ok(at) = schema.index_of(column.name()) else { continue };
        let found = schema.field(at).data_type();
        if !can_be(column.def().kind, found) {
            return Err(format!("is no archive of calls: column {} is of type {found}", column.name()));
        }
        indexes.push(at);
    }
    let is_missing =
        |column: &&Column| schema.index_of(column.name()).is_err() && reading.folder_of(**column).is_none();
    match asked.needed.iter().find(is_missing) {
        Some(column) => Err(format!("has no column {}, which the request asks about", column.name())),
        None => Ok(indexes),
    }
}

/// Whether a column of that kind can be made of what has this type, without a guess.
fn can_be(kind: Kind, found: &DataType) -> bool {
    use DataType::*;
    match (kind, found) {
        (_, Null) | (Kind::Text | Kind::Dict, Utf8 | LargeUtf8 | Utf8View) | (Kind::Bool, Boolean) => true,
        (Kind::Text | Kind::Dict, Dictionary(_, value)) => matches!(**value, Utf8 | LargeUtf8 | Utf8View),
        (Kind::Time, Timestamp(..)) => true,
        (Kind::UInt16 | Kind::UInt32 | Kind::Int32 | Kind::Int64, found) => found.is_integer(),
        (Kind::List | Kind::Map, found) => found.is_nested(),
        _ => false,
    }
}

/// The wanted columns, in their order and of the table's types.
fn unified(rows: &RecordBatch, reading: &Reading) -> std::result::Result<RecordBatch, String> {
    let columns = &reading.asked.columns;
    let array = |column: &Column| -> std::result::Result<ArrayRef, String> {
        let kind = column.def().kind;
        let Some(array) = rows.column_by_name(column.name()) else {
            let rows = rows.num_rows();
            return Ok(match reading.folder_of(*column) {
                Some(value) => Prepared::Same { value: value.map(Arc::from), rows }.into_array(),
                None => new_null_array(&data_type(kind, TimeKind::WallClock), rows),
            });
        };
        let wanted = data_type(kind, times_of(array.data_type()));
        // Plain text is as good as codes: Arrow files have it so.
        let is_text = matches!(kind, Kind::Text | Kind::Dict) && *array.data_type() == DataType::Utf8;
        if *array.data_type() == wanted || is_text {
            return Ok(Arc::clone(array));
        }
        let cannot = |error| format!("column {} is of type {}: {error}", column.name(), array.data_type());
        // A number that does not fit is a fault of the file, and no null.
        let exactly = CastOptions { safe: false, ..CastOptions::default() };
        cast_with_options(array, &wanted, &exactly).map_err(cannot)
    };
    let arrays: Vec<ArrayRef> = columns.iter().map(array).collect::<std::result::Result<_, _>>()?;
    let fields: Vec<_> = columns
        .iter()
        .zip(&arrays)
        .map(|(column, array)| {
            column.field(TimeKind::WallClock).with_data_type(array.data_type().clone()).with_nullable(true)
        })
        .collect();
    let schema: SchemaRef = Arc::new(Schema::new(fields));
    let with_rows = RecordBatchOptions::new().with_row_count(Some(rows.num_rows()));
    RecordBatch::try_new_with_options(schema, arrays, &with_rows).map_err(|error| error.to_string())
}

/// What times of this type are.
fn times_of(data_type: &DataType) -> TimeKind {
    match data_type {
        DataType::Timestamp(_, Some(_)) => TimeKind::Instant,
        _ => TimeKind::WallClock,
    }
}

#[cfg(test)]
mod tests;
