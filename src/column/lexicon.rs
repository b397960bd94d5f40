//! What is kept from block to block of the texts that were seen, a slot and a column at a time.
//!
//! A text is looked up once, for all columns that read its slot, and what has to be made of it is made once
//! as long as its lexicon lives; so most rows of a column cost one look into a small table. Which lexicon a
//! block gets depends on timing; what is written does not, for a sink gives codes of its own, in the order
//! of the rows.

use std::borrow::Cow;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arrow::buffer::{NullBuffer, ScalarBuffer};

use super::distinct::{self, Distinct, Text};
use super::rows::{EM_DASH, Rows};
use super::validity::Validity;
use crate::format::Layout;
use crate::prepared::{Coded, Segment, Words};
use crate::schema::Column;

/// The lexicons of all columns, for one worker at a time.
#[derive(Debug, Default)]
pub struct Lexicons {
    /// By shelf: see [`shelf`].
    words: Vec<Lexicon>,
    /// By column, and by what it is made of: what became of each text there.
    memories: Vec<Vec<Memory>>,
    /// The layout that the slots are of.
    layout: Option<Arc<Layout>>,
    /// Of each of its slots where the texts are looked up.
    shelves: Vec<usize>,
    /// Of each of its slots what stands there, in the rows of this block; nothing until it is asked for.
    slots: Vec<Option<Numbers>>,
}

/// Where lexicons wait for the next block. They are kept only where codes are asked for: what a
/// caller of the library gets holds the values of its own block.
#[derive(Clone, Debug, Default)]
pub struct Library(Arc<Mutex<Vec<Lexicons>>>);

/// Words, of one column or of several that have many in common.
#[derive(Debug)]
pub struct Lexicon {
    values: Distinct,
    words: Words,
    /// Words of this block, the newest.
    open: Segment,
    /// The codes of words that were looked for, and how many words were looked at.
    such: (Vec<i32>, usize),
}

/// By a text's number, the value's code, or [`NOTHING`], or [`NULL`], or [`UNASKED`].
type Memory = Vec<i32>;

/// Texts of a block's rows as numbers: codes of a lexicon's words.
#[derive(Clone, Debug)]
pub struct Numbers {
    /// The lexicon.
    shelf: usize,
    /// A number each row; less than [`FIRST_WORD`] where nothing is said.
    pub of: ScalarBuffer<i32>,
    /// Which rows say something; none where all do.
    nulls: Option<NullBuffer>,
}

/// Where a column looks its texts up.
pub struct Desk<'l> {
    column: Column,
    lexicons: &'l mut Lexicons,
}

/// In place of a word's code: the text says nothing, another source may.
pub const NOTHING: i32 = 0;

/// In place of a word's code: the text says that there is no value.
pub const NULL: i32 = 1;

/// The least code of a word that says something. Before it stand the two texts that do not, so that
/// a row without a value is looked up as any other is, without a branch.
pub const FIRST_WORD: i32 = 2;
const SAY_NOTHING: [&str; FIRST_WORD as usize] = ["", EM_DASH];

/// In place of a word's code: what becomes of the text was not asked yet.
const UNASKED: i32 = -1;

/// Lexicons that have grown to so many bytes are given up for empty ones.
const MOST_BYTES: usize = 6 << 20;

/// Rows whose texts are looked up together.
const ROWS_AT_A_TIME: usize = 256;

/// Sets of lexicons that are kept.
const MOST_SETS: usize = 64;

impl Library {
    /// Lexicons for a block of that layout, or one that is filled like it.
    pub fn take(&self, layout: &Arc<Layout>) -> Lexicons {
        let mut sets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let fits = |set: &Lexicons| set.layout.as_ref().is_some_and(|of| of.fills_alike(layout));
        let fitting = sets.iter().rposition(fits);
        fitting.map(|at| sets.swap_remove(at)).unwrap_or_default()
    }

    /// Keeps lexicons for another block.
    pub fn put(&self, mut set: Lexicons) {
        if set.layout.is_none() {
            return;
        }
        if set.bytes() > MOST_BYTES {
            set = Lexicons { layout: set.layout, ..Lexicons::default() };
        }
        // What is known of texts stays, what is known of the rows does not.
        set.slots.clear();
        let mut sets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if sets.len() == MOST_SETS {
            sets.remove(0);
        }
        sets.push(set);
    }
}

impl Lexicons {
    /// Where a column of these rows looks its texts up; they are the same for all columns of a block.
    pub fn desk(&mut self, column: Column, rows: &Rows) -> Desk<'_> {
        if self.slots.is_empty() {
            self.open(rows.layout_ref());
        }
        // Room for the column's values, and for the texts of its sources, which may be on the same shelf.
        self.make_room(shelf(column), rows.len() * (1 + rows.sources(column).count()));
        Desk { column, lexicons: self }
    }

    fn open(&mut self, layout: &Arc<Layout>) {
        if self.words.is_empty() {
            self.memories.resize_with(Column::COUNT, Vec::new);
            self.words.resize_with(Column::COUNT + STEMS.len() + layout.slots(), Lexicon::new);
            self.shelves = (0..layout.slots()).map(|slot| shelf_of_slot(layout, slot)).collect();
            self.layout = Some(layout.clone());
        }
        self.slots.resize(layout.slots(), None);
    }

    /// How much memory they have, about.
    fn bytes(&self) -> usize {
        let words = self.words.iter().map(|lexicon| lexicon.values.bytes() * 2);
        let memories = self.memories.iter().flatten().map(|memory| memory.len() * size_of::<i32>());
        words.chain(memories).sum()
    }

    /// Gives a lexicon up that may grow too large by so many words.
    fn make_room(&mut self, shelf: usize, words: usize) {
        if self.words[shelf].values.len() + words <= distinct::MOST {
            return;
        }
        self.words[shelf] = Lexicon::new();
        // What is remembered may be of its texts, or may be its words.
        self.memories.iter_mut().for_each(Vec::clear);
        let is_of = |numbers: &&mut Option<Numbers>| numbers.as_ref().is_some_and(|of| of.shelf == shelf);
        self.slots.iter_mut().filter(is_of).for_each(|numbers| *numbers = None);
    }

    /// What stands in a slot, a number a row; a column on the shelf `own` has made room there.
    fn numbers(&mut self, rows: &Rows, slot: usize, own: usize) -> Numbers {
        if let Some(numbers) = &self.slots[slot] {
            return numbers.clone();
        }
        let shelf = self.shelves[slot];
        if shelf != own {
            self.make_room(shelf, rows.len());
        }
        let numbers = self.look_up(shelf, rows.texts(slot), rows.len());
        self.slots[slot] = Some(numbers.clone());
        numbers
    }

    /// Looks up what stands in these slots, some rows at a time: a row's texts stand near each other, and what was
    /// just looked at is still near the processor.
    pub fn look_up_slots(&mut self, rows: &Rows, slots: &[usize]) {
        if self.slots.is_empty() {
            self.open(rows.layout_ref());
        }
        for &slot in slots {
            let together = slots.iter().filter(|other| self.shelves[**other] == self.shelves[slot]).count();
            self.make_room(self.shelves[slot], rows.len() * together);
        }
        let mut found = vec![vec![NOTHING; rows.len()]; slots.len()];
        for from in (0..rows.len()).step_by(ROWS_AT_A_TIME) {
            let upto = rows.len().min(from + ROWS_AT_A_TIME);
            for (&slot, found) in slots.iter().zip(&mut found) {
                self.words[self.shelves[slot]].look_up(rows.texts_of(slot, from..upto), found);
            }
        }
        for (&slot, of) in slots.iter().zip(found) {
            let numbers = Numbers { shelf: self.shelves[slot], nulls: nulls(&of), of: ScalarBuffer::from(of) };
            self.slots[slot] = Some(numbers);
        }
    }

    fn look_up<'t>(
        &mut self,
        shelf: usize,
        texts: impl Iterator<Item = (usize, Text<'t>)>,
        rows: usize,
    ) -> Numbers {
        let mut of = vec![NOTHING; rows];
        self.words[shelf].look_up(texts, &mut of);
        Numbers { shelf, nulls: nulls(&of), of: ScalarBuffer::from(of) }
    }

    /// The stems of channel names on one side, each with its row, as numbers, [`NOTHING`] where there is none.
    pub fn stems<'t>(
        &mut self,
        column: Column,
        texts: impl Iterator<Item = (usize, Text<'t>)>,
        rows: &Rows,
    ) -> Numbers {
        if self.slots.is_empty() {
            self.open(rows.layout_ref());
        }
        let shelf = Column::COUNT + STEMS.iter().position(|side| *side == column).unwrap_or(0);
        self.make_room(shelf, rows.len());
        self.look_up(shelf, texts, rows.len())
    }

    /// What became of the texts that are known, of one of a column's sources.
    fn memory(&mut self, column: Column, rank: usize, known: usize) -> &mut Memory {
        let memories = &mut self.memories[column as usize];
        if memories.len() <= rank {
            memories.resize(rank + 1, Vec::new());
        }
        let memory = &mut memories[rank];
        if memory.is_empty() {
            memory.extend([NOTHING; SAY_NOTHING.len()]);
        }
        memory.resize(known.max(memory.len()), UNASKED);
        memory
    }
}

/// The columns whose texts have stems; each has a shelf for them behind those of the columns.
const STEMS: [Column; 2] = [Column::Channel, Column::Dstchannel];

/// Where the words of a column stand. Columns of phone numbers share theirs: a call's numbers stand in
/// several of them, and what is small stays in the nearest caches.
fn shelf(column: Column) -> usize {
    use Column::*;
    let first = match column {
        Src | Dst | DstNumber | AnsweredBy | ChannelPeer | ChannelDialed | DstchannelPeer
        | DstchannelDialed | ChannelExt | DstchannelExt | Chanext | Dstchanext | ActionOwner | DidNumber
        | DodNumber => Src,
        other => other,
    };
    first as usize
}

/// Where the texts of a slot stand: those of phone numbers with all others, any other slot's alone.
fn shelf_of_slot(layout: &Layout, slot: usize) -> usize {
    let numbers = shelf(Column::Src);
    match layout.readers(slot).any(|(column, _)| shelf(column) == numbers) {
        true => numbers,
        false => Column::COUNT + STEMS.len() + slot,
    }
}

/// Which of these codes say something; none where all do.
fn nulls(codes: &[i32]) -> Option<NullBuffer> {
    let mut validity = Validity::new(codes.len());
    for codes in codes.chunks(64) {
        let bit = |bits, (at, &code): (usize, &i32)| bits | u64::from(code >= FIRST_WORD) << at;
        validity.push_many(codes.iter().enumerate().fold(0, bit), codes.len());
    }
    validity.finish()
}

impl Desk<'_> {
    fn own(&mut self) -> &mut Lexicon {
        &mut self.lexicons.words[shelf(self.column)]
    }

    /// The texts of a slot as they stand, and the codes of those that are such as `is`, always the same, says.
    pub fn verbatim(&mut self, rows: &Rows, slot: usize, is: Option<fn(&str) -> bool>) -> (Coded, u64) {
        let Numbers { shelf, of, nulls } = self.lexicons.numbers(rows, slot, shelf(self.column));
        let lexicon = &mut self.lexicons.words[shelf];
        let such = is.map_or(0, |is| lexicon.count_such(is, &of));
        (Coded { codes: of, nulls, words: lexicon.words() }, such)
    }

    /// Writes what the texts of a source of this column become, in the rows in which `found` is
    /// [`NOTHING`] and which are `wanted`: a code, [`NOTHING`] or [`NULL`]. `make` is asked once a text,
    /// and must be a pure function of it, always the same for this source.
    pub fn made<'t>(
        &mut self,
        rows: &'t Rows,
        (rank, slot): (usize, usize),
        wanted: impl Fn(usize) -> bool,
        make: impl Fn(&'t str) -> Option<Option<Cow<'t, str>>>,
        found: &mut [i32],
    ) {
        let own = shelf(self.column);
        let numbers = self.lexicons.numbers(rows, slot, own);
        let known = self.lexicons.words[numbers.shelf].values.len();
        let memory = self.lexicons.memory(self.column, rank, known);
        let mut is_known = true;
        for (at, (found, &number)) in found.iter_mut().zip(&numbers.of[..]).enumerate() {
            if *found == NOTHING && wanted(at) {
                *found = memory[number as usize];
                is_known &= *found != UNASKED;
            }
        }
        if is_known {
            return;
        }
        let text = |at: usize| rows.text(rows.kept[at], slot);
        self.ask(rank, &numbers.of, |at| text(at).and_then(&make), found);
    }

    /// The same for texts that were looked up as `numbers`, in all rows; `make` is asked by a row that has the text.
    pub fn made_of<'t>(
        &mut self,
        numbers: &Numbers,
        make: impl Fn(usize) -> Option<Option<Cow<'t, str>>>,
        found: &mut [i32],
    ) {
        let known = self.lexicons.words[numbers.shelf].values.len();
        let memory = self.lexicons.memory(self.column, 0, known);
        let mut is_known = true;
        for (found, &number) in found.iter_mut().zip(&numbers.of[..]) {
            *found = memory[number as usize];
            is_known &= *found != UNASKED;
        }
        if !is_known {
            self.ask(0, &numbers.of, make, found);
        }
    }

    /// Whether `is` says yes of all texts in a slot; it is asked once a text, by the record of a row that has it,
    /// and always the same for this column.
    pub fn all(&mut self, rows: &Rows, slot: usize, is: impl Fn(u32) -> bool) -> bool {
        let numbers = self.lexicons.numbers(rows, slot, shelf(self.column));
        let known = self.lexicons.words[numbers.shelf].values.len();
        let memory = self.lexicons.memory(self.column, slot, known);
        numbers.of.iter().zip(&rows.kept).all(|(&number, &row)| {
            let says = &mut memory[number as usize];
            if *says == UNASKED {
                *says = if is(row) { NULL } else { FIRST_WORD };
            }
            *says < FIRST_WORD
        })
    }

    /// Asks what becomes of texts of which nobody asked yet.
    #[cold]
    fn ask<'t>(
        &mut self,
        rank: usize,
        numbers: &[i32],
        make: impl Fn(usize) -> Option<Option<Cow<'t, str>>>,
        found: &mut [i32],
    ) {
        let Lexicons { words, memories, .. } = &mut *self.lexicons;
        let (lexicon, memory) = (&mut words[shelf(self.column)], &mut memories[self.column as usize][rank]);
        for (at, found) in found.iter_mut().enumerate().filter(|(_, found)| **found == UNASKED) {
            let made = &mut memory[numbers[at] as usize];
            if *made == UNASKED {
                *made = match make(at) {
                    None => NOTHING,
                    Some(None) => NULL,
                    Some(Some(value)) => lexicon.code(&value),
                };
            }
            *found = *made;
        }
    }

    /// Writes the codes of texts that are values as they stand, each at the place that stands with it.
    pub fn look_up<'t>(&mut self, texts: impl Iterator<Item = (usize, Text<'t>)>, found: &mut [i32]) {
        self.own().look_up(texts, found);
    }

    /// The code of a value that was made elsewhere, or [`NULL`].
    pub fn value(&mut self, value: Option<&str>) -> i32 {
        value.map_or(NULL, |value| self.own().code(value))
    }

    /// How many of these codes are of words that are such as `is`, always the same, says.
    pub fn count_such(&mut self, is: fn(&str) -> bool, codes: &[i32]) -> u64 {
        self.own().count_such(is, codes)
    }

    /// A column of these codes; those that say nothing are null.
    pub fn coded(&mut self, codes: Vec<i32>) -> Coded {
        Coded { nulls: nulls(&codes), codes: ScalarBuffer::from(codes), words: self.own().words() }
    }
}

impl Lexicon {
    fn new() -> Lexicon {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let mut lexicon = Lexicon {
            values: Distinct::default(),
            words: Words::new(NEXT.fetch_add(1, Ordering::Relaxed)),
            open: Segment::default(),
            such: (Vec::new(), 0),
        };
        for text in SAY_NOTHING {
            lexicon.code(text);
        }
        lexicon
    }

    fn look_up<'t>(&mut self, texts: impl Iterator<Item = (usize, Text<'t>)>, found: &mut [i32]) {
        let Lexicon { values, open, .. } = self;
        values.number_all(texts, |at, number, new| {
            if let Some(text) = new {
                // Bytes of the arena, cut where texts are: anything else would be a fault of ours.
                open.push(std::str::from_utf8(text.bytes).unwrap_or_default());
            }
            found[at] = number as i32;
        });
    }

    fn code(&mut self, value: &str) -> i32 {
        let (number, is_new) = self.values.number(Text::new(value.as_bytes()));
        if is_new {
            self.open.push(value);
        }
        number as i32
    }

    fn count_such(&mut self, is: fn(&str) -> bool, codes: &[i32]) -> u64 {
        let words = self.words();
        let (such, upto) = &mut self.such;
        such.extend((*upto..words.len()).filter(|&code| is(words.get(code))).map(|code| code as i32));
        *upto = words.len();
        if such.is_empty() {
            return 0;
        }
        codes.iter().filter(|code| such.contains(code)).count() as u64
    }

    fn words(&mut self) -> Words {
        let next = Segment { first: self.values.len(), ..Segment::default() };
        self.words.push(std::mem::replace(&mut self.open, next));
        self.words.clone()
    }
}
