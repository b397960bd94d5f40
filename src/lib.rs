//! Phone systems' call detail records (CDRs) as one clean, typed table: Arrow in memory, Parquet on disk.
//!
//! Every dump of every vendor becomes the same columns ([`schema`]), so ten years of exports in mixed
//! formats and firmware versions are one dataset. Records that cannot be read are never lost: they
//! come out beside the rows, with their place and their text.
//!
//! ```
//! use calltable::Reader;
//!
//! let mut reader = Reader::builder().open("testdata/sample/2019")?;
//! while let Some(batch) = reader.next() {
//!     println!("{} calls", batch?.num_rows());
//!     for reject in reader.rejects() {
//!         eprintln!("line {}: {}: {}", reject.line, reject.reason, reject.message);
//!     }
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # How it works
//!
//! ```text
//!  bytes ──▶ blocks ──▶ records ──▶ rows kept ──▶ columns ──▶ file
//!  source    split      frame                     column      sink
//!              ╰────────── format/: one small table per vendor dump ──────────╯
//! ```
//!
//! Stages are code, vendors are data. Each arrow is one type: `source` gives `Chunk`s of bytes,
//! `split` cuts them into `Block`s of whole records, `frame` makes rectangular `Records` of a block,
//! `column` builds an arrow `RecordBatch` of them, `sink` writes it. Nothing after `split` needs the
//! block before, so everything after it is parallel; `pipeline` wires the stages, keeps the order and
//! bounds the memory.
//!
//! The ways in, from large to small: [`convert::convert`] is the program's main job, and
//! [`query::query`] answers a PBX's request as the PBX would, and [`inspect::inspect`] tells what dumps
//! are; [`Reader`] yields batches of files or of any `Read`; [`Decoder`] does no I/O at all;
//! [`Channel`] decodes one name.

pub mod answer;
mod append;
mod archive;
mod around;
mod column;
pub mod convert;
mod csv;
pub mod decode;
mod decoder;
mod dedup;
mod dump;
mod error;
pub mod filter;
pub mod format;
mod frame;
mod hive;
pub mod inspect;
mod json;
mod manifest;
mod options;
mod output;
mod paging;
mod pipeline;
mod prepared;
pub mod query;
mod reader;
mod recycle;
pub mod report;
mod schema;
pub mod sink;
mod sort;
pub mod source;
mod split;
mod structure;
mod survey;
mod tally;
pub mod time;
mod weight;
mod workers;
mod xml;

pub use decode::Channel;
pub use decoder::Decoder;
pub use error::{Error, ErrorKind, Result};
pub use filter::{Expr, Filter, FilterError};
pub use options::{Options, Wanted};
pub use reader::{Builder, Counts, Decoded, Reader, Rejected};
pub use schema::{COLUMNS, Column, ColumnDef, Kind, TimeKind, project, schema};

/// The stages, for benches and fuzzing: no part of the API.
#[doc(hidden)]
pub mod stages {
    pub use crate::column::{Batch, Baton, Carry, File, build};
    pub use crate::csv::{Dialect, End, Field, Form, Quotes, read_record};
    pub use crate::dump::{Dump, Step, Work};
    pub use crate::frame::json;
    pub use crate::frame::xml;
    pub use crate::frame::{Counts, How, Place, Records, Reject, Span, Stray, block, csv::frame};
    pub use crate::split::csv::Splitter;
    pub use crate::split::json::Splitter as JsonSplitter;
    pub use crate::split::xml::Splitter as XmlSplitter;
    pub use crate::split::{BLOCK, Block, Content, Cut, Element, ElementKind, Irregular, MAX_RECORD};
    pub use crate::structure::{Eye, Masks, each, portable};
    pub use crate::workers::{Pending, Workers};
}
