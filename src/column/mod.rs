//! Records → arrow columns: one builder a kind of column, chosen once a column, then a tight loop
//! down its spans.
//!
//! It knows the unified table and what a layout says of it; it must not know syntax or vendors,
//! and it does no I/O. A value that cannot be typed costs its record (or, leniently, only itself);
//! nothing else can fail here.

mod call_type;
mod carry;
mod cells;
mod channel;
mod compact;
mod constant;
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

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, NullArray, RecordBatch, RecordBatchOptions};
use arrow::datatypes::{DataType, Int32Type, SchemaRef, UInt32Type};
use memchr::memchr_iter;

use crate::decode::{Side, amaflags, disposition};
use crate::format::Layout;
use crate::frame::{Counts, Records, Reject, shared};
use crate::options::{Options, Wanted};
use crate::prepared::{Coded, Plain, Prepared};
use crate::recycle::Shelf;
use crate::schema::{Column, Kind, Pages, TimeKind};
use crate::time::{DateOrder, DstNote, Zone};

pub use carry::{Baton, Carry};
use channel::Decoded;
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

/// One column of a block.
pub enum Values {
    /// As arrow has it.
    Array(ArrayRef),
    /// As codes.
    Coded(Coded),
    /// As texts one behind the other.
    Plain(Plain),
    /// One value in all rows, or none in any.
    Same(Option<Arc<str>>),
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
    let (filtered, doubts) =
        drop_unwanted(&mut rows, How { file, options, offsets: offsets.as_ref(), schema });
    let filtered = filtered + counts.sieved;
    let mut builder =
        Builder { rows: &rows, file, options, schema, offsets: offsets.as_ref(), notes: Notes::default() };
    let (mut checked, mut problems) = builder.checked(doubts);
    if !problems.is_empty() && !options.lenient {
        reject(&mut rejects, &rows, &problems, file);
        let kept =
            rows.kept.iter().copied().filter(|row| problems.binary_search_by_key(row, |p| p.record).is_err());
        rows.kept = kept.collect();
        problems.clear();
        builder = Builder {
            rows: &rows,
            file,
            options,
            schema,
            offsets: offsets.as_ref(),
            notes: Notes::default(),
        };
        checked = builder.checked(Problems::default()).0;
    }
    builder.notes.add("lenient-null", problems.len() as u64);
    let is_prepared = schema.fields().iter().any(|field| field.data_type() == &DataType::Null);
    let mut lexicons = if is_prepared { file.library.take(rows.layout_ref()) } else { Lexicons::default() };
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

const SINGLE: &str = "single";

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
        });
    }
    rejects.sort_by_key(|reject| reject.number);
}

struct Builder<'a> {
    rows: &'a Rows,
    file: &'a File,
    options: &'a Options,
    /// The types that the columns are built with.
    schema: &'a SchemaRef,
    offsets: Option<&'a time::Offsets>,
    notes: Notes,
}

impl<'a> Builder<'a> {
    /// The columns whose values can be bad, and those that are, the ones among them that are known already.
    fn checked(&mut self, mut problems: Problems) -> (Vec<(Column, ArrayRef)>, Vec<Problem>) {
        let wanted = &self.options.columns;
        let times: Vec<Column> =
            wanted.iter().copied().filter(|column| column.def().kind == Kind::Time).collect();
        let arrays = time::times(self.rows, self.file, self.offsets, &times, &mut problems, &mut self.notes);
        let mut columns: Vec<(Column, ArrayRef)> = times.into_iter().zip(arrays).collect();
        for &column in wanted {
            if let Some(array) = self.number(column, &mut problems) {
                columns.push((column, array));
            }
        }
        (columns, problems.sorted())
    }

    /// The slots whose texts are looked up, in their order.
    fn looked_up(&self) -> Vec<usize> {
        let is_coded = |column: Column, prepared: bool| match column.def().kind {
            Kind::Dict => true,
            Kind::Text => prepared && column.def().storage().pages == Pages::Dictionary,
            _ => false,
        };
        let columns = self.options.columns.iter().zip(self.schema.fields());
        let coded =
            columns.filter(|(column, field)| is_coded(**column, field.data_type() == &DataType::Null));
        let sources = coded.flat_map(|(column, _)| self.rows.sources(*column).map(|(_, source)| source.slot));
        sources.filter(|slot| !self.is_channel(*slot)).collect::<BTreeSet<usize>>().into_iter().collect()
    }

    /// Channels' names hardly come again.
    fn is_channel(&self, slot: usize) -> bool {
        self.rows
            .layout()
            .readers(slot)
            .any(|(column, _)| matches!(column, Column::Channel | Column::Dstchannel))
    }

    fn number(&self, column: Column, problems: &mut Problems) -> Option<ArrayRef> {
        let rows = self.rows;
        Some(match column {
            Column::Duration | Column::Billsec | Column::Ringsec => {
                number::numbers::<Int32Type>(rows, column, problems, number::seconds)
            }
            Column::Port => number::numbers::<Int32Type>(rows, column, problems, number::plain),
            Column::SubIndex => number::numbers::<UInt32Type>(rows, column, problems, number::plain),
            Column::Nat => number::booleans(rows, column, problems),
            _ => return None,
        })
    }

    /// All wanted columns in order, the checked ones taken from there: arrays, and those that are
    /// asked for as codes.
    fn all(
        &mut self,
        mut checked: Vec<(Column, ArrayRef)>,
        lenient: &[Problem],
        lexicons: &mut Lexicons,
    ) -> (Vec<ArrayRef>, Vec<Option<Prepared>>) {
        let mut sides: [Option<Decoded<'a>>; 2] = [None, None];
        let mut arrays = Vec::with_capacity(self.options.columns.len());
        lexicons.look_up_slots(self.rows, &self.looked_up());
        let mut prepared = Vec::new();
        for (&column, field) in self.options.columns.iter().zip(self.schema.fields()) {
            let as_codes = field.data_type() == &DataType::Null;
            let values = match checked.iter().position(|(done, _)| *done == column) {
                Some(at) => Values::Array(checked.swap_remove(at).1),
                None => self.values(column, as_codes, lenient, &mut sides, lexicons),
            };
            let values = match values {
                Values::Array(array) => {
                    arrays.push(array);
                    continue;
                }
                Values::Coded(values) if !as_codes => {
                    arrays.push(values.into_array());
                    continue;
                }
                Values::Coded(values) => Prepared::Coded(values),
                Values::Plain(values) => Prepared::Plain(values),
                Values::Same(value) => Prepared::Same { value, rows: self.rows.len() },
            };
            prepared.resize(arrays.len(), None);
            prepared.push(Some(values));
            arrays.push(Arc::new(NullArray::new(self.rows.len())) as ArrayRef);
        }
        (arrays, prepared)
    }

    /// A column that has the same value in all rows, for all that is known before they are looked at.
    fn same(&self, column: Column, as_codes: bool) -> Option<Values> {
        let rows = self.rows;
        let value = match column {
            Column::Source => Some(&*self.file.name),
            Column::Vendor => Some(rows.layout().format.vendor),
            Column::Format => Some(rows.layout().format.name),
            _ if !as_codes || column == Column::CallType || rows.sources(column).next().is_some() => {
                return None;
            }
            Column::RecordKind => Some(SINGLE),
            _ => None,
        };
        Some(match value {
            Some(value) if !as_codes => Values::Array(constant::array(value, rows.len())),
            value => Values::Same(value.map(Arc::from)),
        })
    }

    /// A column whose values cannot be bad.
    fn values(
        &mut self,
        column: Column,
        as_codes: bool,
        lenient: &[Problem],
        sides: &mut [Option<Decoded<'a>>; 2],
        lexicons: &mut Lexicons,
    ) -> Values {
        let (rows, ports, plan) = (self.rows, &self.options.ports, &self.options.plan);
        if let Some((side, part)) = channel::part_of(column) {
            let decoded = &mut sides[usize::from(side == Side::Destination)];
            let decoded = decoded.get_or_insert_with(|| Decoded::new(rows, side, ports));
            return decoded.column((column, part), as_codes, lexicons);
        }
        if let Some(same) = self.same(column, as_codes) {
            return same;
        }
        let desk = lexicons.desk(column, rows);
        let array = match column {
            Column::SourceOffset => {
                Arc::new(rows.kept.iter().map(|&row| rows.offset(row) as i64).collect::<Int64Array>())
            }
            Column::Recordfiles => list::files(rows, column),
            Column::Extra => extra::extra(rows, lenient, lexicons),
            _ if column.def().kind == Kind::Text && !as_codes => {
                let (array, damaged) = text::text(rows, column);
                self.notes.add("excel-damaged", damaged);
                array
            }
            _ if column.def().kind == Kind::Text && column.def().storage().pages != Pages::Dictionary => {
                let (plain, damaged) = text::plain(rows, column);
                self.notes.add("excel-damaged", damaged);
                return Values::Plain(plain);
            }
            _ => {
                return Values::Coded(match column {
                    Column::RecordKind => text::required_dict(rows, column, desk, SINGLE),
                    Column::CallType => call_type::call_type(rows, ports, desk),
                    Column::DstKind => {
                        text::dict(rows, column, desk, |number| plan.kind(number).map(Cow::Borrowed))
                    }
                    Column::Disposition => text::dict(rows, column, desk, disposition),
                    Column::Amaflags => text::dict(rows, column, desk, amaflags),
                    _ if column.def().kind == Kind::Dict => text::dict(rows, column, desk, text::verbatim),
                    _ => {
                        let (codes, damaged) = text::coded(rows, column, desk);
                        self.notes.add("excel-damaged", damaged);
                        codes
                    }
                });
            }
        };
        Values::Array(array)
    }
}
