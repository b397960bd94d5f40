//! One header resolved against its format: which slot of a record fills which column, and how.
//!
//! `Records` are rectangular: slot `i` of every record is field `i` of the header. A layout is made
//! once a header and shared by all blocks that stand under it; after it nobody compares names.
//!
//! A dump whose records name their fields themselves has no header: its slots are the keys that the
//! format knows ([`Layout::keyed`]), and behind them those for what only the nesting tells ([`Nest`]).

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use super::keys::Keys;
use super::{ALONE, Fill, Format, From, normalise};
use crate::csv::{Dialect, Quotes};
use crate::schema::{Column, TimeKind};

/// The slots of a record under one header, and what they fill.
#[derive(Debug)]
pub struct Layout {
    /// The dump's format.
    pub format: &'static Format,
    /// How its text is cut.
    pub dialect: Dialect,
    /// The dump's own names, one a slot; a second occurrence is `NAME#2`.
    pub names: Vec<String>,
    /// The same, normalised: what the format's tables name.
    pub normalised: Vec<String>,
    /// How many fields a plain record has, the slots behind them being empty; 0 where no record is
    /// plain, and the format fits each to its slots.
    pub expected: usize,
    /// The header line verbatim, without its line end; none where the dump has no header.
    pub header: Option<String>,
    /// How many names stood twice.
    pub repeated_names: u64,
    /// The slots of the keys that the format knows; empty where a header names the fields.
    pub keys: Keys,
    /// The slots that no key of a dump can reach, where records are nested.
    pub nest: Option<Nest>,
    /// The names that the table of columns was chosen by: normalised, those of the header or of the first records.
    seen: Vec<String>,
    columns: Vec<Vec<Source>>,
    fills: Vec<bool>,
    residue: Vec<Residue>,
}

/// The slots for what the nesting tells of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Nest {
    /// `main` or `sub`; nothing in a record that stands alone.
    pub kind: usize,
    /// The sub's number.
    pub index: usize,
    /// The id of the call.
    pub group: usize,
}

/// One place that a column's value may come from.
#[derive(Clone, Copy, Debug)]
pub struct Source {
    /// The slot that it reads.
    pub slot: usize,
    /// How it reads it.
    pub take: Take,
}

/// How a value is taken from its slot; [`From`] with slots in place of names.
#[derive(Clone, Copy, Debug)]
pub enum Take {
    /// As it stands.
    Whole,
    /// A part of it, or what a pure function makes of it.
    Part(fn(&str) -> Option<Cow<'_, str>>),
    /// As it stands, where that slot holds a number above zero.
    WherePositive(usize),
    /// Gregorian seconds, less the seconds in another slot if one is named.
    Gregorian(Option<usize>),
    /// Epoch seconds or milliseconds, less the seconds in another slot if one is named.
    Epoch(Option<usize>),
    /// The PBX's clock among instants.
    Clock,
}

/// When a slot's value belongs into `extra`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Residue {
    /// Never: it stands in a column, or only repeats one that does.
    Never,
    /// Always: no column knows it.
    Always,
    /// In rows where no column took it (the loser of an "else", a text without the part looked for).
    Unless,
}

impl Layout {
    /// Resolves a header's names; `header` is the line itself.
    pub fn new(
        format: &'static Format,
        dialect: Dialect,
        names: &[String],
        header: Option<String>,
    ) -> Layout {
        let seen: Vec<String> = names.iter().map(|name| normalise(name)).collect();
        Layout::resolved(format, dialect, names, header, &seen)
    }

    /// The same, where the table of columns is chosen by the normalised names `seen`.
    fn resolved(
        format: &'static Format,
        dialect: Dialect,
        names: &[String],
        header: Option<String>,
        seen: &[String],
    ) -> Layout {
        let normalised: Vec<String> = names.iter().map(|name| normalise(name)).collect();
        let again = again(&normalised);
        let slots = slots_by_field(format, &normalised, &again);
        let table = match format.fill {
            Fill::Always(columns) => columns,
            Fill::ByHeader(choose) => choose(seen),
        };
        let mut columns = vec![Vec::new(); Column::COUNT];
        let mut fills = vec![false; Column::COUNT];
        for (column, sources) in table {
            fills[*column as usize] = true;
            columns[*column as usize] = sources.iter().flat_map(|from| resolve(from, &slots)).collect();
        }
        let residue = |(slot, &again): (usize, &bool)| match again {
            true => Residue::Always,
            false => residue(format, &normalised[slot], slot, &columns),
        };
        let residue = again.iter().enumerate().map(residue).collect();
        Layout {
            format,
            dialect,
            names: own_names(names),
            expected: if is_plain(format, &normalised, names.len()) { names.len() } else { 0 },
            normalised,
            header,
            repeated_names: again.iter().filter(|again| **again).count() as u64,
            keys: Keys::default(),
            nest: None,
            seen: seen.to_vec(),
            columns,
            fills,
            residue,
        }
    }

    /// The slots of a dump whose records have keys; `eol` ends its lines, `seen` are the normalised keys of
    /// its first records.
    pub fn keyed(format: &'static Format, eol: u8, seen: &[String]) -> Layout {
        let dialect = Dialect { delimiter: b',', eol, quotes: Quotes::Device };
        let names: Vec<String> = format.keys().iter().map(|key| key.to_string()).collect();
        let mut layout = Layout::resolved(format, dialect, &names, None, seen);
        layout.keys = Keys::new(format.keys());
        if format.nests() {
            layout.add_nest();
        }
        layout
    }

    /// The same layout for records that are each alone in a document, or for others.
    pub fn alone(&self, is_alone: bool) -> Layout {
        let known = self.seen.iter().filter(|name| *name != ALONE).cloned();
        let seen: Vec<String> = known.chain(is_alone.then(|| ALONE.to_string())).collect();
        Layout::keyed(self.format, self.dialect.eol, &seen)
    }

    /// Whether the columns of both are filled by the same slots, in the same way.
    pub fn fills_alike(&self, other: &Layout) -> bool {
        std::ptr::eq(self, other)
            || (self.format.name == other.format.name && self.names == other.names && self.seen == other.seen)
    }

    /// Whether it is that of records that are each alone in a document.
    pub fn is_alone(&self) -> bool {
        self.seen.iter().any(|name| name == ALONE)
    }

    /// Whether a slot is worth naming though nothing stands in it: the header does, or a key of the first records.
    pub fn is_named(&self, slot: usize) -> bool {
        let is_key = slot < self.format.keys().len();
        self.format.keys().is_empty() || (is_key && self.seen.contains(&self.normalised[slot]))
    }

    /// Whether no key of a dump can reach a slot.
    pub fn is_synthetic(&self, slot: usize) -> bool {
        self.nest.is_some_and(|nest| slot >= nest.kind)
    }

    /// What the times of the dump are.
    pub fn times(&self) -> TimeKind {
        match self.format.json().and_then(|json| json.instants) {
            Some(key) if !self.seen.is_empty() && !self.seen.iter().any(|name| name == key) => {
                TimeKind::WallClock
            }
            _ => self.format.times,
        }
    }

    /// The slots behind those of the keys. A call's id is the last source of `call_id`.
    fn add_nest(&mut self) {
        let at = self.names.len();
        let nest = Nest { kind: at, index: at + 1, group: at + 2 };
        self.nest = Some(nest);
        for name in ["#kind", "#index", "#group"] {
            self.names.push(name.to_string());
            self.normalised.push(name.to_string());
            self.residue.push(Residue::Never);
        }
        let filled =
            [(Column::RecordKind, nest.kind), (Column::SubIndex, nest.index), (Column::CallId, nest.group)];
        for (column, slot) in filled {
            self.columns[column as usize].push(Source { slot, take: Take::Whole });
            self.fills[column as usize] = true;
        }
    }

    /// The same layout for a dump without a header, whose first record has so many fields.
    pub fn without_header(mut self, fields: usize) -> Layout {
        if is_plain(self.format, &self.normalised, fields) {
            self.expected = fields;
        }
        self
    }

    /// How many slots a record has.
    pub fn slots(&self) -> usize {
        self.names.len()
    }

    /// The sources of a column, in the order in which they are tried.
    pub fn sources(&self, column: Column) -> &[Source] {
        &self.columns[column as usize]
    }

    /// Whether the format's table fills a column at all, even if this dump lacks its fields.
    pub fn fills(&self, column: Column) -> bool {
        self.fills[column as usize]
    }

    /// When the value of a slot belongs into `extra`.
    pub fn residue(&self, slot: usize) -> Residue {
        self.residue[slot]
    }

    /// The columns that read a slot, with the rank of that source among the column's.
    pub fn readers(&self, slot: usize) -> impl Iterator<Item = (Column, usize)> + '_ {
        readers(&self.columns, slot)
    }

    /// The slot of the field of that normalised name, where the dump has it.
    pub fn slot(&self, field: &str) -> Option<usize> {
        let known = |name: &String| self.format.field(name).is_some_and(|(found, _)| found.name == field);
        self.normalised.iter().position(known)
    }

    /// Whether two layouts read the same columns the same way: a repeated header, not a changed one.
    pub fn same_columns(&self, other: &Layout) -> bool {
        self.normalised == other.normalised && std::ptr::eq(self.format, other.format)
    }
}

fn is_plain(format: &Format, names: &[String], fields: usize) -> bool {
    format.csv().is_some_and(|csv| (csv.plain)(names, fields))
}

fn readers(columns: &[Vec<Source>], slot: usize) -> impl Iterator<Item = (Column, usize)> + '_ {
    Column::all().zip(columns).flat_map(move |(column, sources)| {
        let of_slot = move |(rank, source): (usize, &Source)| (source.slot == slot).then_some((column, rank));
        sources.iter().enumerate().filter_map(of_slot)
    })
}

/// For every field of the format the slots that hold it, in the order of its names; of a name that
/// stands `again` only the first.
fn slots_by_field(
    format: &Format,
    normalised: &[String],
    again: &[bool],
) -> HashMap<&'static str, Vec<usize>> {
    let mut ranked: HashMap<&'static str, Vec<(usize, usize)>> = HashMap::new();
    for (slot, name) in normalised.iter().enumerate().filter(|(slot, _)| !again[*slot]) {
        if let Some((field, rank)) = format.field(name) {
            ranked.entry(field.name).or_default().push((rank, slot));
        }
    }
    let in_order = |(name, mut slots): (_, Vec<(usize, usize)>)| {
        slots.sort_unstable();
        (name, slots.into_iter().map(|(_, slot)| slot).collect())
    };
    ranked.into_iter().map(in_order).collect()
}

/// The sources that one entry of a format's table stands for: one a slot that holds its field.
fn resolve(from: &From, slots: &HashMap<&'static str, Vec<usize>>) -> Vec<Source> {
    let slot_of = |name: &str| slots.get(name).and_then(|slots| slots.first()).copied();
    let take = match *from {
        From::Field(_) => Some(Take::Whole),
        From::Part(_, part) => Some(Take::Part(part)),
        From::WherePositive(_, other) => slot_of(other).map(Take::WherePositive),
        From::Gregorian(_) => Some(Take::Gregorian(None)),
        From::GregorianLess(_, other) => Some(Take::Gregorian(slot_of(other))),
        From::Epoch(_) => Some(Take::Epoch(None)),
        From::EpochLess(_, other) => Some(Take::Epoch(slot_of(other))),
        From::Clock(_) => Some(Take::Clock),
    };
    let Some(take) = take else { return Vec::new() };
    let holding = slots.get(from.name()).map_or(&[][..], Vec::as_slice);
    holding.iter().map(|&slot| Source { slot, take }).collect()
}

/// Of each name, whether it stood before; a header may have a hundred thousand.
fn again(names: &[String]) -> Vec<bool> {
    let mut seen = HashSet::new();
    names.iter().map(|name| !seen.insert(name)).collect()
}

/// Of a name that stands for the first time.
fn residue(format: &Format, name: &str, slot: usize, columns: &[Vec<Source>]) -> Residue {
    let whole_and_first = |(column, rank): (Column, usize)| {
        rank == 0 && !matches!(columns[column as usize][0].take, Take::Part(_) | Take::WherePositive(_))
    };
    let repeats = format.field(name).is_some_and(|(field, _)| field.repeats);
    if repeats || readers(columns, slot).any(whole_and_first) {
        Residue::Never
    } else if readers(columns, slot).next().is_some() {
        Residue::Unless
    } else {
        Residue::Always
    }
}

/// The names with blanks around them trimmed; the second `NAME` is `NAME#2`, a nameless one `#N`.
fn own_names(names: &[String]) -> Vec<String> {
    let mut seen: HashMap<String, u32> = HashMap::new();
    let own = |(at, name): (usize, &String)| {
        let name = name.trim().trim_start_matches('\u{feff}').to_string();
        let name = if name.is_empty() { format!("#{}", at + 1) } else { name };
        let times = seen.entry(normalise(&name)).or_insert(0);
        *times += 1;
        if *times == 1 { name } else { format!("{name}#{times}") }
    };
    names.iter().enumerate().map(own).collect()
}
