//! Who encodes a column of a Parquet file: one of our own encoders, or the parquet crate's writer.
//!
//! The crate's factory makes writers of all columns of its schema, each with a compressor of its own, for every row group;
//! that costs more than a small row group. So it is given a schema of those columns alone that it encodes.
//! This file must not know rows, files or threads.

use std::io;
use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::{FieldRef, Schema, SchemaRef};
use parquet::arrow::ArrowSchemaConverter;
use parquet::arrow::arrow_writer::{ArrowColumnChunk, ArrowRowGroupWriterFactory, compute_leaves};
use parquet::basic::Compression as Codec;
use parquet::errors::{ParquetError, Result};
use parquet::file::properties::WriterPropertiesPtr;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::{ColumnDescPtr, SchemaDescriptor};

use super::dictionary::{self, DictionaryColumn, Limits};
use super::lists::{self, Lists};
use super::nested::Nested;
use super::numbers::{self, Numbers};
use super::pages;
use super::texts::{self, Texts};
use crate::prepared::Prepared;
use crate::schema::{Column, Pages, Storage};

/// Makes the encoders of one row group after the other.
pub struct Encoders {
    codec: Codec,
    /// Of each column what it is in the file, and whether we encode it.
    columns: Vec<(FieldRef, Vec<ColumnDescPtr>, bool)>,
    /// Makes the others.
    theirs: ArrowRowGroupWriterFactory,
}

/// Encodes one column of one row group: ours, or, where that is not worth its code, the parquet crate's.
pub enum Encoder {
    /// Of values that come again.
    Dictionary(Box<DictionaryColumn>),
    /// Of texts one after another.
    Texts(Box<Texts>),
    /// Of numbers and times.
    Numbers(Box<Numbers>),
    /// Of lists of texts.
    Lists(Box<Lists>),
    /// The crate's, where there is a value.
    Crate(Box<Nested>),
}

/// A finished column chunk, of either.
pub enum Chunk {
    /// Of ours.
    Own(pages::Chunk),
    /// Of the crate's.
    Crate(ArrowColumnChunk),
}

/// Whether pages so compressed are written by ourselves.
pub fn is_own(codec: Codec) -> bool {
    matches!(codec, Codec::UNCOMPRESSED | Codec::ZSTD(_))
}

impl Encoders {
    /// Those of a file with these columns.
    ///
    /// # Errors
    /// Parquet has no such columns.
    pub fn new(
        schema: &SchemaRef,
        descriptor: &SchemaDescriptor,
        properties: &WriterPropertiesPtr,
        codec: Codec,
    ) -> Result<Encoders> {
        let mut at = 0;
        let mut columns = Vec::with_capacity(schema.fields().len());
        for field in schema.fields() {
            let leaves: Vec<ColumnDescPtr> =
                (at..at + leaves(field)).map(|at| descriptor.column(at)).collect();
            at += leaves.len();
            let is_own = Encoder::own(field, &leaves, codec).is_some();
            columns.push((field.clone(), leaves, is_own));
        }
        let others = columns.iter().filter(|(_, _, is_own)| !is_own).map(|(field, ..)| field.clone());
        let others: SchemaRef = Arc::new(Schema::new(others.collect::<Vec<_>>()));
        let root = ArrowSchemaConverter::new().convert(&others)?.root_schema_ptr();
        let nowhere = SerializedFileWriter::new(io::sink(), root, properties.clone())?;
        Ok(Encoders { codec, columns, theirs: ArrowRowGroupWriterFactory::new(&nowhere, others) })
    }

    /// Those of the next row group, one a column.
    ///
    /// # Errors
    /// The parquet crate cannot encode a column.
    pub fn begin(&self, group: usize) -> Result<Vec<Encoder>> {
        let mut writers = self.theirs.create_column_writers(group)?.into_iter();
        let encoder = |(field, leaves, is_own): &(FieldRef, Vec<ColumnDescPtr>, bool)| {
            if let Some(own) = Encoder::own(field, leaves, self.codec).filter(|_| *is_own) {
                return own;
            }
            let writers = writers.by_ref().take(leaves.len()).collect();
            Encoder::Crate(Box::new(Nested::new(field.clone(), leaves.clone(), self.codec, writers)))
        };
        Ok(self.columns.iter().map(encoder).collect())
    }
}

impl Encoder {
    /// Our own encoder of a column of one leaf, where there is one for its type and compression.
    fn own(field: &FieldRef, leaves: &[ColumnDescPtr], codec: Codec) -> Option<Encoder> {
        let [descriptor] = leaves else { return None };
        let Storage { pages, statistics } = Column::by_name(field.name())?.def().storage();
        let (of, descriptor) = (field.data_type(), descriptor.clone());
        match pages {
            _ if !is_own(codec) => None,
            Pages::Dictionary | Pages::Repeated if dictionary::can_encode(of) => {
                let limits = if pages == Pages::Repeated { Limits::TEXTS } else { Limits::WORDS };
                let column = DictionaryColumn::new(descriptor, codec, statistics, limits);
                Some(Encoder::Dictionary(Box::new(column)))
            }
            Pages::Plain if texts::can_encode(of) => {
                Some(Encoder::Texts(Box::new(Texts::plain(descriptor, codec, statistics))))
            }
            Pages::SharedPrefixes if texts::can_encode(of) => {
                Some(Encoder::Texts(Box::new(Texts::prefixes(descriptor, codec, statistics))))
            }
            Pages::Deltas if numbers::can_encode(of) => {
                Some(Encoder::Numbers(Box::new(Numbers::new(descriptor, codec, statistics))))
            }
            Pages::Lengths if lists::can_encode(of) && field.is_nullable() => {
                Some(Encoder::Lists(Box::new(Lists::new(descriptor, codec))))
            }
            _ => None,
        }
    }

    /// No more values: what stands in the place of an encoder that was closed.
    pub fn none(field: &FieldRef) -> Encoder {
        Encoder::Crate(Box::new(Nested::new(field.clone(), Vec::new(), Codec::UNCOMPRESSED, Vec::new())))
    }

    /// Appends values.
    ///
    /// # Errors
    /// The array has another type, or compressing failed.
    pub fn write(&mut self, array: &ArrayRef) -> Result<()> {
        match self {
            Encoder::Dictionary(column) => column.write(array),
            Encoder::Texts(column) => column.write(array),
            Encoder::Numbers(column) => column.write(array),
            Encoder::Lists(column) => column.write(array),
            Encoder::Crate(column) => column.write(array),
        }
    }

    /// Appends values that are prepared.
    ///
    /// # Errors
    /// They are prepared otherwise than they are stored, or compressing failed.
    pub fn write_prepared(&mut self, prepared: &Prepared) -> Result<()> {
        match (self, prepared) {
            (Encoder::Dictionary(column), Prepared::Coded(coded)) => column.write_coded(coded),
            (Encoder::Dictionary(column), Prepared::Plain(plain)) => column.write_plain(plain),
            (Encoder::Texts(column), Prepared::Plain(plain)) => column.write_plain(plain),
            (Encoder::Dictionary(column), Prepared::Same { value, rows }) => {
                column.write_same(value.as_deref(), *rows)
            }
            (Encoder::Texts(column), Prepared::Same { value: None, rows }) => column.write_nulls(*rows),
            _ => Err(ParquetError::General("a column is prepared otherwise than it is stored".to_string())),
        }
    }

    /// The finished chunks, one a leaf.
    ///
    /// # Errors
    /// Compressing failed.
    pub fn close(self) -> Result<Vec<Chunk>> {
        let own = |chunk| Ok(vec![Chunk::Own(chunk)]);
        match self {
            Encoder::Dictionary(column) => own(column.close()?),
            Encoder::Texts(column) => own(column.close()?),
            Encoder::Numbers(column) => own(column.close()?),
            Encoder::Lists(column) => own(column.close()?),
            Encoder::Crate(column) => column.close(),
        }
    }
}

/// How many Parquet columns a nested column is.
fn leaves(field: &FieldRef) -> usize {
    if !field.data_type().is_nested() {
        return 1;
    }
    let empty = arrow::array::new_empty_array(field.data_type());
    compute_leaves(field, &empty).map_or(1, |leaves| leaves.len())
}
