//! A folder of parts: rows go to their partition, a partition's to its part, and a part ends when it is full.
//!
//! ```text
//!  batch ──▶ partitions of its rows ──▶ an open part each, a few at once ──▶ year=2024/month=05/part-00000.parquet
//!                                  ╰──▶ too many at once: set aside by partition, and written at the end
//! ```
//!
//! A part is closed to make place for another partition's only if nothing has come for it in a while, so rows that
//! are in the order of their partitions never wait. Where many partitions take turns, rows of those that find no
//! place are set aside on disk and sorted: as many files as there are partitions, not as there are rows.
//! What becomes of a row depends on the rows before it alone, not on threads or memory.
//!
//! What a part holds is on the disk when it is finished; that its name lasts is for whoever publishes the dataset
//! (`publish::folder`).

use std::collections::{HashMap, HashSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringViewArray, UInt32Array};
use arrow::compute::{cast, take_record_batch};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};

use super::measure::text_of;
use super::partition::{Partitioner, Partitions};
use super::publish::Staged;
use super::publish::folder::part_number;
use super::room::Room;
use super::{Out, Sink, Spec, open};
use crate::error::{Error, Result};
use crate::prepared::Prepared;
use crate::report::OutputReport;
use crate::sort::Sorter;
use crate::workers::Workers;

/// Parts that are open at once: each has dictionaries of its own, of some 25 MiB where many values are distinct.
const OPEN: usize = 4;

/// A part may be closed for another when it has had none of so many rows before the other's first.
const IDLE_ROWS: u64 = 10_000;

/// A part that is closed with fewer rows is the only one of its partition that is: what comes for it later is set aside.
const SMALL: u64 = 10_000;

/// Bytes of input text of all row groups that are open: about 250,000 records. The largest is closed when they are
/// more.
const GROUPS_TEXT: u64 = 96 << 20;

/// Partitions whose next part is remembered.
const MOST_NUMBERS: usize = 4096;

/// How a dataset is laid out.
pub struct Plan {
    /// Where parts are written.
    pub root: PathBuf,
    /// How that folder is called in the report.
    pub shown: PathBuf,
    /// What each part is; its path is not used.
    pub spec: Spec,
    /// The columns of the batches.
    pub schema: SchemaRef,
    /// Which of them stand in the parts, in this order.
    pub kept: Vec<usize>,
    /// What rows are told apart by, if by anything.
    pub partitioner: Option<Partitioner>,
    /// Rows of a part at most.
    pub max_rows: u64,
    /// What setting rows aside may take.
    pub memory: usize,
}

/// A dataset being written.
pub struct Dataset {
    plan: Plan,
    /// The columns of the parts.
    schema: SchemaRef,
    workers: Workers,
    room: Arc<Room>,
    parts: Vec<Part>,
    /// Rows of the batches so far: the clock of what is idle.
    rows: u64,
    /// Hashes of the partitions that found no place, and of those whose part was closed while it was small: what comes
    /// for them later is set aside, for their order, and so that small parts are few.
    /// Two of one hash are set aside together, which costs time and nothing else.
    crowded: HashSet<u64>,
    aside: Option<Aside>,
    /// The next part of partitions whose part was closed; of others the folder tells.
    numbers: HashMap<String, u32>,
    finished: Vec<OutputReport>,
}

/// Rows that are set aside, by the folder that they go to.
struct Aside {
    sorter: Sorter,
    schema: SchemaRef,
}

/// A part being written.
struct Part {
    folder: String,
    number: u32,
    path: PathBuf,
    sink: Box<dyn Sink>,
    rows: u64,
    /// How many rows of all there were up to its last.
    last: u64,
}

/// Rows of one partition.
struct Piece {
    rows: RecordBatch,
    prepared: Vec<Option<Prepared>>,
    text: u64,
    /// Where its first and its last row stand in the batch.
    span: (u64, u64),
}

impl Dataset {
    /// Begins a dataset.
    ///
    /// # Errors
    /// The schema lacks a column that is kept.
    pub fn new(plan: Plan, workers: &Workers, room: Arc<Room>) -> Result<Dataset> {
        let schema = plan.schema.project(&plan.kept).map_err(|error| Error::output(&plan.shown, error))?;
        Ok(Dataset {
            schema: Arc::new(schema),
            plan,
            workers: workers.clone(),
            room,
            parts: Vec::new(),
            rows: 0,
            crowded: HashSet::new(),
            aside: None,
            numbers: HashMap::new(),
            finished: Vec::new(),
        })
    }

    /// Takes the next rows; as [`Sink::write`].
    ///
    /// # Errors
    /// A part cannot be written.
    pub fn write(&mut self, rows: &RecordBatch, prepared: &[Option<Prepared>], text: u64) -> Result<()> {
        if rows.num_rows() == 0 {
            return Ok(());
        }
        let whole = self.kept(rows, prepared, text)?;
        match &mut self.plan.partitioner {
            None => self.write_piece("", &whole)?,
            Some(partitioner) => {
                let partitions = partitioner.split(rows, prepared);
                let pieces =
                    whole.split(&partitions).map_err(|error| Error::output(&self.plan.shown, error))?;
                self.see(&partitions.folders, &pieces);
                for (folder, piece) in partitions.folders.iter().zip(&pieces) {
                    self.write_piece(folder, piece)?;
                }
            }
        }
        self.rows += rows.num_rows() as u64;
        Ok(())
    }

    /// An open part that has rows of this batch is not idle before the last of them.
    fn see(&mut self, folders: &[String], pieces: &[Piece]) {
        for part in &mut self.parts {
            if let Some(at) = folders.iter().position(|folder| *folder == part.folder) {
                part.last = self.rows + pieces[at].span.1 + 1;
            }
        }
    }

    /// The columns that stand in the parts.
    fn kept(&self, rows: &RecordBatch, prepared: &[Option<Prepared>], text: u64) -> Result<Piece> {
        let kept = rows.project(&self.plan.kept).map_err(|error| Error::output(&self.plan.shown, error))?;
        let prepared = self.plan.kept.iter().map(|at| prepared.get(*at).cloned().flatten()).collect();
        Ok(Piece { rows: kept, prepared, text, span: (0, rows.num_rows().saturating_sub(1) as u64) })
    }

    fn write_piece(&mut self, folder: &str, piece: &Piece) -> Result<()> {
        let mut from = 0;
        let rows = piece.rows.num_rows();
        while from < rows {
            let Some(at) = self.part(folder, self.rows + piece.span.0)? else {
                return self.set_aside(folder, &piece.slice(from, rows - from));
            };
            // What waits in other parts for more rows must not keep this one waiting.
            if self.room.is_full() {
                self.parts.iter_mut().for_each(|part| part.sink.wake());
            }
            let part = &mut self.parts[at];
            let len = ((rows - from) as u64).min(self.plan.max_rows - part.rows) as usize;
            let rows = piece.slice(from, len);
            part.sink.write(&rows.rows, &rows.prepared, rows.text)?;
            (part.rows, from) = (part.rows + len as u64, from + len);
            part.last = self.rows + piece.span.1 + 1;
            match part.rows == self.plan.max_rows {
                true => self.finish_part(at)?,
                false => self.bound_groups(at)?,
            }
        }
        Ok(())
    }

    /// The open part of a partition; none if there is no place for it behind so many rows.
    fn part(&mut self, folder: &str, behind: u64) -> Result<Option<usize>> {
        if let Some(at) = self.parts.iter().position(|part| part.folder == folder) {
            return Ok(Some(at));
        }
        if self.crowded.contains(&hash(folder)) {
            return Ok(None);
        }
        if self.parts.len() == OPEN {
            let idle = self.parts.iter().enumerate().min_by_key(|(_, part)| part.last);
            match idle {
                Some((at, part)) if behind.saturating_sub(part.last) >= IDLE_ROWS => {
                    if part.rows < SMALL {
                        self.crowded.insert(hash(&part.folder));
                    }
                    self.finish_part(at)?;
                }
                _ => {
                    self.crowded.insert(hash(folder));
                    return Ok(None);
                }
            }
        }
        self.open_part(folder).map(Some)
    }

    fn open_part(&mut self, folder: &str) -> Result<usize> {
        let within = self.plan.root.join(folder);
        let failed = |error| unopened(&self.plan.shown.join(folder), error);
        fs::create_dir_all(&within).map_err(failed)?;
        let ending = self.plan.spec.kind.name();
        let number = match self.numbers.remove(folder) {
            Some(number) => number,
            None => next_number(&within, ending).map_err(failed)?,
        };
        let name = format!("part-{number:05}.{ending}");
        let shown = self.plan.shown.join(folder).join(&name);
        let out = Out::Staged(Box::new(Staged::create(&within.join(&name), false)?));
        let spec = Spec { path: shown.clone(), ..self.plan.spec.clone() };
        let sink = open(out, &spec, self.schema.clone(), &self.workers, &self.room)?;
        self.parts.push(Part { folder: folder.into(), number, path: shown, sink, rows: 0, last: self.rows });
        Ok(self.parts.len() - 1)
    }

    fn finish_part(&mut self, at: usize) -> Result<()> {
        let part = self.parts.remove(at);
        let (out, row_groups) = part.sink.finish()?;
        let bytes = out.publish_in()?.unwrap_or(0);
        let path = part.path.display().to_string();
        self.finished.push(OutputReport { path, rows: part.rows, bytes, row_groups });
        if self.numbers.len() == MOST_NUMBERS {
            self.numbers.clear();
        }
        self.numbers.insert(part.folder, part.number + 1);
        Ok(())
    }

    /// The memory of row groups is that of one file's, however many parts are open.
    fn bound_groups(&mut self, at: usize) -> Result<()> {
        let text: u64 = self.parts.iter().map(|part| part.sink.group_text()).sum();
        let mut closing = self.parts[at].sink.is_closing().then_some(at);
        if text >= GROUPS_TEXT {
            let largest =
                (0..self.parts.len()).max_by_key(|at| self.parts[*at].sink.group_text()).unwrap_or(at);
            self.parts[largest].sink.close_group()?;
            closing = Some(largest);
        }
        let others =
            self.parts.iter_mut().enumerate().filter(|(at, _)| closing.is_some_and(|kept| kept != *at));
        others.filter(|(_, part)| part.sink.is_closing()).try_for_each(|(_, part)| part.sink.settle())
    }

    fn set_aside(&mut self, folder: &str, piece: &Piece) -> Result<()> {
        let failed = |error| Error::output(&self.plan.shown, error);
        if self.aside.is_none() {
            let folders = Field::new("", DataType::Utf8View, false);
            let fields = self.schema.fields().iter().map(|field| field.as_ref().clone());
            let schema = Arc::new(Schema::new(std::iter::once(folders).chain(fields).collect::<Vec<_>>()));
            let sorter = Sorter::new(schema.clone(), &[0], &self.plan.root, self.plan.memory)?;
            self.aside = Some(Aside { sorter, schema });
        }
        let Some(aside) = &mut self.aside else { return Ok(()) };
        let folders: ArrayRef =
            Arc::new(StringViewArray::from_iter_values(std::iter::repeat_n(folder, piece.rows.num_rows())));
        let mut columns = vec![folders];
        for (at, column) in piece.rows.columns().iter().enumerate() {
            let array = match piece.prepared.get(at) {
                Some(Some(prepared)) => prepared.clone().into_array(),
                _ => column.clone(),
            };
            columns.push(cast(&array, aside.schema.field(at + 1).data_type()).map_err(failed)?);
        }
        let rows = RecordBatch::try_new(aside.schema.clone(), columns).map_err(failed)?;
        aside.sorter.push(&rows)
    }

    /// Writes what was set aside, one partition behind the other.
    fn write_aside(&mut self) -> Result<()> {
        let Some(aside) = self.aside.take() else { return Ok(()) };
        self.crowded.clear();
        let kept: Vec<usize> = (1..aside.schema.fields().len()).collect();
        for sorted in aside.sorter.finish()? {
            let sorted = sorted?;
            let folders = sorted.column(0).as_string_view().clone();
            let rows = sorted.project(&kept).map_err(|error| Error::output(&self.plan.shown, error))?;
            let mut from = 0;
            while from < folders.len() {
                let folder = folders.value(from);
                let len = (from..folders.len()).take_while(|at| folders.value(*at) == folder).count();
                self.only(folder)?;
                let piece = rows.slice(from, len);
                let text = text_of(&piece);
                self.write_piece(folder, &Piece { rows: piece, prepared: Vec::new(), text, span: (0, 0) })?;
                from += len;
            }
        }
        Ok(())
    }

    /// Ends the parts of all other partitions.
    fn only(&mut self, folder: &str) -> Result<()> {
        while let Some(at) = self.parts.iter().position(|part| part.folder != folder) {
            self.finish_part(at)?;
        }
        Ok(())
    }

    /// Writes the ends of all parts; comes back with what was written. Without a row there is one part without
    /// rows, if rows are not partitioned and it is asked for.
    ///
    /// # Errors
    /// A part cannot be written.
    pub fn finish(mut self, even_without_rows: bool) -> Result<Vec<OutputReport>> {
        self.write_aside()?;
        if even_without_rows && self.rows == 0 && self.plan.partitioner.is_none() {
            self.open_part("")?;
        }
        while !self.parts.is_empty() {
            self.finish_part(0)?;
        }
        self.finished.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(self.finished)
    }
}

impl Piece {
    fn slice(&self, from: usize, len: usize) -> Piece {
        if (from, len) == (0, self.rows.num_rows()) {
            return Piece { rows: self.rows.clone(), prepared: self.prepared.clone(), ..*self };
        }
        Piece {
            span: (self.span.0 + from as u64, self.span.0 + (from + len) as u64 - 1),
            rows: self.rows.slice(from, len),
            prepared: self.prepared.iter().map(|column| Some(column.as_ref()?.slice(from, len))).collect(),
            text: self.text * len as u64 / self.rows.num_rows() as u64,
        }
    }

    /// The rows of each partition.
    fn split(self, partitions: &Partitions) -> std::result::Result<Vec<Piece>, arrow::error::ArrowError> {
        if partitions.folders.len() == 1 {
            return Ok(vec![self]);
        }
        let mut lists = vec![Vec::new(); partitions.folders.len()];
        partitions.of.iter().zip(0u32..).for_each(|(of, row)| lists[*of as usize].push(row));
        let is_run = |list: &Vec<u32>| list[list.len() - 1] - list[0] == list.len() as u32 - 1;
        if lists.iter().all(is_run) {
            return Ok(lists.iter().map(|list| self.slice(list[0] as usize, list.len())).collect());
        }
        let lists: Vec<UInt32Array> = lists.into_iter().map(UInt32Array::from).collect();
        let mut prepared: Vec<Vec<Option<Prepared>>> = vec![Vec::new(); lists.len()];
        for column in &self.prepared {
            let pieces = column.as_ref().map(|column| column.split(&lists)).transpose()?;
            let mut pieces = pieces.into_iter().flatten();
            prepared.iter_mut().for_each(|piece| piece.push(pieces.next()));
        }
        let all = self.rows.num_rows() as u64;
        let piece = |(list, prepared): (&UInt32Array, Vec<Option<Prepared>>)| {
            let text = self.text * list.len() as u64 / all;
            let span = (u64::from(list.value(0)), u64::from(list.value(list.len() - 1)));
            Ok(Piece { rows: take_record_batch(&self.rows, list)?, prepared, text, span })
        };
        lists.iter().zip(prepared).map(piece).collect()
    }
}

#[cold]
fn unopened(folder: &Path, error: io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::InvalidFilename => Error::output(
            folder,
            "a value of a partition's column is too long for a folder's name: leave such records out with --where, or \
             partition by another column",
        ),
        _ => Error::output(folder, error),
    }
}

fn hash(folder: &str) -> u64 {
    use std::hash::BuildHasher;
    foldhash::fast::FixedState::default().hash_one(folder)
}

/// The number behind those of the parts that are there.
fn next_number(folder: &Path, ending: &str) -> io::Result<u32> {
    let mut next = 0;
    for entry in fs::read_dir(folder)? {
        if let Some(number) = part_number(&entry?.file_name(), ending) {
            next = next.max(number.saturating_add(1));
        }
    }
    Ok(next)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use arrow::array::{DictionaryArray, Int64Array};
    use arrow::datatypes::Int32Type;

    use super::*;
    use crate::schema::{Column, TimeKind, project};
    use crate::sink::partition::By;
    use crate::sink::{Compression, Kind};

    const COLUMNS: [Column; 2] = [Column::SourceOffset, Column::Vendor];

    /// Writes rows that go to these vendors in turn, so many turns in a batch, and reads the parts of each: of every
    /// part its rows' numbers.
    fn parts_of(vendors: &[(&str, usize)], turns: usize) -> BTreeMap<String, Vec<Vec<i64>>> {
        let folder = tempfile::tempdir().unwrap();
        let spec = Spec {
            path: PathBuf::new(),
            kind: Kind::Csv,
            compression: Compression::Default,
            row_group_rows: 1000,
            metadata: Vec::new(),
        };
        let schema = project(&COLUMNS, TimeKind::WallClock);
        let plan = Plan {
            root: folder.path().into(),
            shown: folder.path().into(),
            spec,
            schema: schema.clone(),
            kept: vec![0],
            partitioner: Some(Partitioner::new(&[By::Column(Column::Vendor)], &COLUMNS, None)),
            max_rows: u64::MAX,
            memory: 1 << 20,
        };
        let mut dataset = Dataset::new(plan, &Workers::new(2).unwrap(), Room::new(2)).unwrap();
        let mut first = 0;
        for batch in vendors.chunks(turns) {
            let rows: usize = batch.iter().map(|(_, rows)| rows).sum();
            let numbers: Int64Array = (first..first + rows as i64).collect();
            let vendors: DictionaryArray<Int32Type> =
                batch.iter().flat_map(|(vendor, rows)| std::iter::repeat_n(*vendor, *rows)).collect();
            let columns: [ArrayRef; 2] = [Arc::new(numbers), Arc::new(vendors)];
            let rows = RecordBatch::try_new(schema.clone(), columns.to_vec()).unwrap();
            dataset.write(&rows, &[], 100).unwrap();
            first += rows.num_rows() as i64;
        }
        let mut all: BTreeMap<String, Vec<Vec<i64>>> = BTreeMap::new();
        for output in dataset.finish(false).unwrap() {
            let text = fs::read_to_string(&output.path).unwrap();
            let numbers: Vec<i64> = text.lines().skip(1).map(|line| line.parse().unwrap()).collect();
            assert_eq!(numbers.len() as u64, output.rows);
            let partition = Path::new(&output.path).parent().unwrap().file_name().unwrap();
            all.entry(partition.to_str().unwrap().to_string()).or_default().push(numbers);
        }
        all
    }

    /// What each partition should have, in order.
    fn expected(vendors: &[(&str, usize)]) -> BTreeMap<String, Vec<i64>> {
        let mut all: BTreeMap<String, Vec<i64>> = BTreeMap::new();
        let mut first = 0;
        for (vendor, rows) in vendors {
            all.entry(format!("vendor={vendor}")).or_default().extend(first..first + *rows as i64);
            first += *rows as i64;
        }
        all
    }

    fn check(vendors: &[(&str, usize)], turns: usize, parts: &[(&str, usize)]) {
        let got = parts_of(vendors, turns);
        let counts: Vec<(&str, usize)> = got
            .iter()
            .map(|(vendor, parts)| (vendor.strip_prefix("vendor=").unwrap(), parts.len()))
            .collect();
        assert_eq!(counts, parts);
        let joined: BTreeMap<String, Vec<i64>> =
            got.into_iter().map(|(vendor, parts)| (vendor, parts.concat())).collect();
        assert_eq!(joined, expected(vendors));
    }

    #[test]
    fn what_is_idle_makes_place_and_begins_a_part_when_it_comes_again() {
        let many = IDLE_ROWS as usize;
        check(
            &[("a", 5), ("b", many), ("c", many), ("d", many), ("e", 7), ("a", 3), ("b", many), ("a", 2)],
            1,
            &[("a", 2), ("b", 1), ("c", 1), ("d", 1), ("e", 1)],
        );
        // One that was not small may come again as often as it likes.
        check(
            &[("a", many), ("b", many), ("c", many), ("d", many), ("e", many), ("a", 3), ("b", 2)],
            1,
            &[("a", 2), ("b", 2), ("c", 1), ("d", 1), ("e", 1)],
        );
    }

    #[test]
    fn what_finds_no_place_is_set_aside_for_good() {
        let many = IDLE_ROWS as usize;
        // Also when there would be place again: its rows must stay in their order.
        check(
            &[("a", 5), ("b", 5), ("c", 5), ("d", 5), ("e", 7), ("a", many), ("e", 3), ("f", 1), ("b", 2)],
            1,
            &[("a", 1), ("b", 2), ("c", 1), ("d", 1), ("e", 1), ("f", 1)],
        );
    }

    #[test]
    fn partitions_that_take_turns_are_a_part_each() {
        let names: Vec<String> = (0..30).map(|number| format!("v{number:02}")).collect();
        let turns: Vec<(&str, usize)> =
            (0..300).map(|at| (names[at * 7 % 30].as_str(), 1 + at % 5)).collect();
        check(&turns, 1, &names.iter().map(|name| (name.as_str(), 1)).collect::<Vec<_>>());
    }

    #[test]
    fn what_takes_turns_within_a_batch_is_not_idle() {
        let names: Vec<String> = (0..8).map(|number| format!("v{number}")).collect();
        let turns: Vec<(&str, usize)> = (0..6400).map(|at| (names[at % 8].as_str(), 10)).collect();
        let ones: Vec<_> = names.iter().map(|name| (name.as_str(), 1)).collect();
        for in_a_batch in [1600, 3200, 6400] {
            check(&turns, in_a_batch, &ones);
        }
        // In order they make place for each other, also within a batch.
        let (many, last) = (IDLE_ROWS as usize, ("v0", 1));
        let ordered: Vec<_> = names.iter().map(|name| (name.as_str(), many)).chain([last]).collect();
        let mut parts = ones.clone();
        parts[0].1 = 2;
        for in_a_batch in [1, 3, 4] {
            check(&ordered, in_a_batch, &parts);
        }
    }
}
