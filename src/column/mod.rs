//! Records → arrow columns: one builder a kind of column, chosen once a column, then a tight loop
//! down its spans.
//!
//! It knows the unified table and what a layout says of it; it must not know syntax or vendors,
//! and it does no I/O. A value that cannot be typed costs its record (or, leniently, only itself);
//! nothing else can fail here.

mod builder;
mod call_type;
mod carry;
mod cells;
mod channel;
mod compact;
mod desk;
mod distinct;
mod extra;
mod lexicon;
mod library;
mod list;
mod narrow;
mod number;
mod problem;
mod rows;
mod sieve;
mod stock;
mod text;
mod time;
mod validity;
mod views;

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::datatypes::{DataType, SchemaRef};
use memchr::memchr_iter;

use crate::around;
use crate::format::Layout;
use crate::frame::{Counts, Records, Reject, shared};
use crate::options::{Options, Wanted};
use crate::prepared::Prepared;
use crate::recycle::Shelf;
use crate::schema::{Column, TimeKind};
use crate::time::{DateOrder, DstNote, Zone};

use builder::Builder;
pub use carry::{Baton, Carry};
pub use compact::compact;
use lexicon::Lexicons;
pub use library::Library;
use narrow::{How, narrow};
use problem::{Problem, Problems};
use rows::Rows;
pub use sieve::with_sieve;

/// What all blocks of a file have in common.
#[derive(Clone, Debug)]
pub struct File {
    /// The file's name, for column `source`.
    pub name: Arc<str>,
    /// Whether its dates have the month or the day first; nothing where no date asks.
    pub order: Option<DateOrder>,
    /// What its own times are.
    pub clocks: TimeKind,
    /// What the table's times are.
    pub times: TimeKind,
    /// The PBX's zone, where the caller names one.
    pub zone: Option<Zone>,
    /// The first offset that a record of the file shows, for `--timezone auto`.
    pub first_offset: i32,
    /// Where the memory of a block's text goes back to.
    pub shelf: Shelf,
    /// Where the words of columns wait that are built as codes.
    pub library: Library,
}

/// Counts by name of things worth knowing that cost no record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notes(pub BTreeMap<&'static str, u64>);

impl Notes {
    /// Counts `times` more of `name`.
    pub fn add(&mut self, name: &'static str, times: u64) {
        if times > 0 {
            *self.0.entry(name).or_insert(0) += times;
        }
    }

    /// Adds another's counts.
    pub fn merge(&mut self, other: &Notes) {
        other.0.iter().for_each(|(name, times)| self.add(name, *times));
    }

    fn count_dst(&mut self, note: Option<DstNote>) {
        if let Some(note) = note {
            self.add(note.as_str(), 1);
        }
    }
}

/// A block as columns.
#[derive(Debug)]
pub struct Batch {
    /// The rows, in the block's order.
    pub rows: RecordBatch,
    /// Columns that are prepared for a sink, in place of an array of nulls in `rows`; none where
    /// arrays were asked for.
    pub prepared: Vec<Option<Prepared>>,
    /// The records that are no rows, in order.
    pub rejects: Vec<Reject>,
    /// What happened while the block was framed.
    pub counts: Counts,
    /// The layout that the block stands under.
    pub layout: Arc<Layout>,
    /// How many bytes of text the block has.
    pub text_bytes: u64,
    /// Records left out because the caller did not want their kind, or by a filter.
    pub filtered: u64,
    /// What was counted besides.
    pub notes: Notes,
    /// Offsets that were used, for `--timezone auto`.
    pub offsets: Vec<i32>,
    /// For each slot of the layout the rows that have nothing there; only `inspect` counts them.
    pub empty: Vec<u64>,
}

/// Builds the wanted columns of a block, with the types of `schema`: columns of type null are
/// prepared for a sink (`schema::project_prepared`).
pub fn build(records: Records, file: &File, options: &Options, schema: &SchemaRef, carry: Carry) -> Batch {
    let (counts, layout, text_bytes) = (records.counts, records.layout.clone(), records.text_bytes);
    let mut rows = Rows::new(records, &file.shelf);
    let mut rejects = rows.take_rejects();
    let offsets = (file.zone == Some(Zone::Auto) && file.clocks == TimeKind::WallClock).then(|| {
        let own = time::own_offsets(&rows, file);
        let before = carry.pass_on(own.iter().rev().find_map(|own| *own));
        time::Offsets::fill(own, before, file.first_offset)
    });
    let records = rows.records() as u64 + counts.sieved;
    let how = How { file, options, offsets: offsets.as_ref(), schema };
    let (filtered, doubts) = drop_unwanted(&mut rows, how);
    let filtered = filtered + counts.sieved;
    let mut builder = Builder::new(&rows, how);
    let (mut checked, mut problems) = builder.checked(doubts);
    if !problems.is_empty() && !options.lenient {
        reject(&mut rejects, &rows, &problems, file);
        let kept =
            rows.kept.iter().copied().filter(|row| problems.binary_search_by_key(row, |p| p.record).is_err());
        rows.kept = kept.collect();
        problems.clear();
        builder = Builder::new(&rows, how);
        checked = builder.checked(Problems::default()).0;
    }
    builder.notes.add("lenient-null", problems.len() as u64);
    let is_prepared = schema.fields().iter().any(|field| field.data_type() == &DataType::Null);
    let mut lexicons = match is_prepared {
        true => file.library.take(rows.layout_ref()),
        false => Lexicons::new(rows.layout_ref(), None),
    };
    let (mut columns, prepared) = builder.all(checked, &problems, &mut lexicons);
    if is_prepared {
        file.library.put(lexicons);
    }
    if compact::is_worth_it(rows.len(), records as usize) {
        columns = columns.into_iter().map(compact::compact).collect();
    }
    let mut notes = builder.notes;
    notes.add("duplicate-key", counts.duplicate_keys);
    notes.add("passed-over", counts.passed_over);
    if let Some(offsets) = &offsets {
        notes.add("offset-from-row-before", offsets.from_before);
        notes.add("offset-from-first", offsets.from_first);
    }
    // What is left of a filtered block is so much of its text.
    let text_bytes =
        if options.filters.is_empty() { text_bytes } else { text_bytes * rows.len() as u64 / records.max(1) };
    let with_rows = RecordBatchOptions::new().with_row_count(Some(rows.len()));
    let batch = RecordBatch::try_new_with_options(schema.clone(), columns, &with_rows)
        .expect("the columns are built by the schema");
    let offsets = offsets.map_or(Vec::new(), |offsets| offsets.distinct);
    let empty = Vec::new();
    Batch { rows: batch, prepared, rejects, counts, layout, text_bytes, filtered, notes, offsets, empty }
}

/// The first offset that a record shows by its own epoch, in seconds east.
pub fn first_offset(records: Records, order: Option<DateOrder>) -> Option<i32> {
    let (clocks, times) = (TimeKind::WallClock, TimeKind::Instant);
    let file = File {
        name: "".into(),
        order,
        clocks,
        times,
        zone: Some(Zone::Auto),
        first_offset: 0,
        shelf: Shelf::default(),
        library: Library::default(),
    };
    time::own_offsets(&Rows::new(records, &file.shelf), &file).into_iter().flatten().next()
}

/// Keeps the records of the wanted kinds that the filters want; comes back with how many are left out, and
/// with the values without which it cannot be told of a row.
fn drop_unwanted(rows: &mut Rows, how: How<'_>) -> (u64, Problems) {
    let options = how.options;
    let before = rows.len();
    if options.records != Wanted::All && !rows.layout().sources(Column::RecordKind).is_empty() {
        let wanted =
            |row: &u32| options.records.wants(&rows.value(Column::RecordKind, *row).unwrap_or(SINGLE.into()));
        rows.kept = rows.kept.iter().copied().filter(wanted).collect();
    }
    let doubts = if options.filters.is_empty() { Problems::default() } else { narrow(rows, how) };
    ((before - rows.len()) as u64, doubts)
}

/// The `record_kind` where a dump tells none.
const SINGLE: &str = "single";

/// What a record stood in, where its text alone does not tell what it is.
fn around_of(rows: &Rows, record: u32) -> Option<String> {
    let layout = rows.layout();
    let Some(nest) = layout.nest.filter(|nest| rows.text(record, nest.kind).is_some()) else {
        return around::alone(layout);
    };
    let number = rows.text(record, nest.index).and_then(|number| number.parse().ok());
    around::of_call(layout.format, rows.text(record, nest.group).unwrap_or_default(), number)
}

/// Turns problems, sorted by record, into rejects: one a record, for its first bad value.
fn reject(rejects: &mut Vec<Reject>, rows: &Rows, problems: &[Problem], file: &File) {
    let (mut at, mut line) = (0, 0);
    let eol = rows.layout().dialect.eol;
    let mut last = None;
    for problem in problems {
        if last.replace(problem.record) == Some(problem.record) {
            continue;
        }
        let place = rows.place(problem.record);
        // The records of a call stand in the order of their numbers, which need not be that of the text.
        if (place.start as usize) < at {
            (at, line) = (0, 0);
        }
        line += memchr_iter(eol, &rows.block_text()[at..place.start as usize]).count() as u64;
        at = place.start as usize;
        let text = rows.text(problem.record, problem.slot).unwrap_or_default();
        let mut shown: String = text.chars().take(60).collect();
        if shown.len() < text.len() {
            shown.push('…');
        }
        let order = match (problem.reason, file.order) {
            (crate::frame::Reason::BadDateOrder, Some(order)) => {
                format!(" (this file's is {})", order.as_str())
            }
            _ => String::new(),
        };
        let (name, message) =
            (&rows.layout().names[problem.slot], format!("`{shown}` {}{order}", problem.what));
        let before = rejects.last();
        rejects.push(Reject {
            number: place.number.into(),
            line,
            offset: rows.offset(problem.record),
            length: place.len.into(),
            reason: problem.reason,
            field: Some(shared(name, before.and_then(|before| before.field.as_ref()))),
            message: shared(&message, before.map(|before| &before.message)),
            raw: rows.raw(problem.record).to_vec(),
            around: around_of(rows, problem.record),
        });
    }
    rejects.sort_by_key(|reject| reject.number);
}
