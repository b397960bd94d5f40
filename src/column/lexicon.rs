//! What is kept from block to block of the texts that were seen, a slot and a column at a time.
//!
//! A text is looked up once, for all columns that read its slot, and what has to be made of it is made once
//! as long as its lexicon lives; so most rows of a column cost one look into a small table. Which lexicon a
//! block gets depends on timing; what is written does not, for a sink gives codes of its own, in the order
//! of the rows.
//!
//! What a worker looks into is its own. A word that is new to it is asked for in a stock that all workers share, so
//! that a word has the same code wherever it came from, and a sink need not compare them. Where ever new words come,
//! sharing costs more than that saves, and each worker's words are its own, too.

use std::sync::Arc;

use arrow::buffer::{NullBuffer, ScalarBuffer};

use super::desk::Desk;
use super::distinct::{Distinct, Text};
use super::rows::{EM_DASH, Rows};
use super::stock::{Source, Stock, Stocks};
use super::validity::Validity;
use crate::format::Layout;
use crate::frame::Span;
use crate::prepared::Words;
use crate::schema::Column;

/// The lexicons of all columns, for one worker at a time.
#[derive(Debug)]
pub struct Lexicons {
    /// By shelf: see [`shelf`]. Made when it is needed.
    words: Vec<Option<Box<Lexicon>>>,
    /// What the codes are of, by shelf; nothing where they are the worker's own.
    stocks: Option<Arc<Stocks>>,
    /// By column, and by what it is made of: what became of each text there.
    pub memories: Vec<Vec<Memory>>,
    /// The layout that the slots are of.
    layout: Arc<Layout>,
    /// Of each of its slots where the texts are looked up.
    shelves: Vec<usize>,
    /// Of each of its slots what stands there, in the rows of this block; nothing until it is asked for.
    slots: Vec<Option<Numbers>>,
}

/// Words that one worker knows, of one column or of several that have many in common.
#[derive(Debug)]
pub struct Lexicon {
    known: Distinct,
    /// The code of each, in the stock.
    codes: Vec<i32>,
    /// Greater than all of them.
    upto: usize,
    /// The codes of words that were looked for, and how many words were looked at.
    such: (Vec<i32>, usize),
    /// Where new ones come from.
    pub source: Source,
}

/// By a text's number, the value's code, or [`NOTHING`], or [`NULL`], or [`UNASKED`].
pub type Memory = Vec<i32>;

/// Texts of a block's rows as numbers: codes of a lexicon's words.
#[derive(Clone, Debug)]
pub struct Numbers {
    /// The lexicon.
    pub shelf: usize,
    /// A number each row; less than [`FIRST_WORD`] where nothing is said.
    pub of: ScalarBuffer<i32>,
    /// Which rows say something; none where all do.
    pub nulls: Option<NullBuffer>,
}

/// In place of a word's code: the text says nothing, another source may.
pub const NOTHING: i32 = 0;

/// In place of a word's code: the text says that there is no value.
pub const NULL: i32 = 1;

/// The least code of a word that says something. Before it stand the two texts that do not, so that
/// a row without a value is looked up as any other is, without a branch.
pub const FIRST_WORD: i32 = 2;
pub const SAY_NOTHING: [&str; FIRST_WORD as usize] = ["", EM_DASH];

/// In place of a word's code: what becomes of the text was not asked yet.
pub const UNASKED: i32 = -1;

/// Rows whose texts are looked up together.
const ROWS_AT_A_TIME: usize = 256;

impl Lexicons {
    /// Nothing is known yet; `stocks` are shared with others.
    pub fn new(layout: &Arc<Layout>, stocks: Option<Arc<Stocks>>) -> Lexicons {
        Lexicons {
            words: (0..shelves(layout)).map(|_| None).collect(),
            stocks,
            memories: vec![Vec::new(); Column::COUNT],
            layout: layout.clone(),
            shelves: (0..layout.slots()).map(|slot| shelf_of_slot(layout, slot)).collect(),
            slots: vec![None; layout.slots()],
        }
    }

    /// Where a column of a block looks its texts up.
    pub fn desk(&mut self, column: Column) -> Desk<'_> {
        Desk::new(column, self)
    }

    /// Whether they are for blocks of that layout, or one that is filled like it.
    pub fn is_for(&self, layout: &Layout) -> bool {
        self.layout.fills_alike(layout)
    }

    /// What they share with others.
    pub fn stocks(&self) -> Option<&Arc<Stocks>> {
        self.stocks.as_ref()
    }

    /// What is known of texts stays, what is known of a block's rows does not.
    pub fn forget_rows(&mut self) {
        self.slots.fill(None);
    }

    /// How much memory they have, about.
    pub fn bytes(&self) -> usize {
        // Its words may be its own: each text twice.
        let words = self.words.iter().flatten().map(|lexicon| lexicon.known.bytes() * 2);
        let memories = self.memories.iter().flatten().map(|memory| memory.len() * size_of::<i32>());
        words.chain(memories).sum()
    }

    /// The worker's own words of a shelf.
    pub fn lexicon(&mut self, shelf: usize) -> &mut Lexicon {
        let source = || match &self.stocks {
            Some(stocks) => Source::Shared(stocks.clone(), shelf),
            None => Source::Own(Stock::new()),
        };
        self.words[shelf].get_or_insert_with(|| Lexicon::new(source()))
    }

    /// What stands in a slot, a number a row.
    pub fn numbers(&mut self, rows: &Rows, slot: usize) -> Numbers {
        if let Some(numbers) = &self.slots[slot] {
            return numbers.clone();
        }
        let mut of = vec![NOTHING; rows.len()];
        let spans = rows.spans(slot, 0..rows.len());
        self.lexicon(self.shelves[slot]).look_up_spans(rows.arena.bytes(), &spans, &mut of);
        let numbers = Numbers::new(self.shelves[slot], of);
        self.slots[slot] = Some(numbers.clone());
        numbers
    }

    /// Looks up what stands in these slots, some rows at a time: a row's texts stand near each other, and what was
    /// just looked at is still near the processor.
    pub fn look_up_slots(&mut self, rows: &Rows, slots: &[usize]) {
        let mut found = vec![vec![NOTHING; rows.len()]; slots.len()];
        for from in (0..rows.len()).step_by(ROWS_AT_A_TIME) {
            let upto = rows.len().min(from + ROWS_AT_A_TIME);
            for (&slot, found) in slots.iter().zip(&mut found) {
                let spans = rows.spans(slot, from..upto);
                let found = &mut found[from..upto];
                self.lexicon(self.shelves[slot]).look_up_spans(rows.arena.bytes(), &spans, found);
            }
        }
        for (&slot, of) in slots.iter().zip(found) {
            self.slots[slot] = Some(Numbers::new(self.shelves[slot], of));
        }
    }

    /// The stems of channel names on one side, where they stand, as numbers; [`NOTHING`] where there is none.
    pub fn stems(&mut self, column: Column, rows: &Rows, stems: &[Span]) -> Numbers {
        let shelf = Column::COUNT + STEMS.iter().position(|side| *side == column).unwrap_or(0);
        let mut of = vec![NOTHING; stems.len()];
        self.lexicon(shelf).look_up_spans(rows.arena.bytes(), stems, &mut of);
        Numbers::new(shelf, of)
    }

    /// What became of the texts that are known, of one of a column's sources, which are on that shelf.
    pub fn memory(&mut self, column: Column, rank: usize, shelf: usize) -> &mut Memory {
        let known = self.words[shelf].as_ref().map_or(0, |lexicon| lexicon.upto);
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

impl Numbers {
    fn new(shelf: usize, of: Vec<i32>) -> Numbers {
        Numbers { shelf, nulls: nulls(&of), of: ScalarBuffer::from(of) }
    }
}

/// The columns whose texts have stems; each has a shelf for them behind those of the columns.
const STEMS: [Column; 2] = [Column::Channel, Column::Dstchannel];

/// Where the words of a column stand. Columns of phone numbers share theirs: a call's numbers stand in
/// several of them, and what is small stays in the nearest caches.
pub fn shelf(column: Column) -> usize {
    use Column::*;
    let first = match column {
        Src | Dst | DstNumber | AnsweredBy | ChannelPeer | ChannelDialed | DstchannelPeer
        | DstchannelDialed | ChannelExt | DstchannelExt | Chanext | Dstchanext | ActionOwner | DidNumber
        | DodNumber => Src,
        other => other,
    };
    first as usize
}

/// How many shelves there are: one a column, those for stems, and one a slot.
pub fn shelves(layout: &Layout) -> usize {
    Column::COUNT + STEMS.len() + layout.slots()
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
pub fn nulls(codes: &[i32]) -> Option<NullBuffer> {
    // Most columns have all their values: a look that stops nowhere is many codes an instruction.
    if codes.iter().fold(true, |all, &code| all & (code >= FIRST_WORD)) {
        return None;
    }
    let mut validity = Validity::new(codes.len());
    let (whole, rest) = codes.as_chunks::<64>();
    for codes in whole {
        validity.push_many(bits(codes), 64);
    }
    rest.iter().for_each(|&code| validity.push(code >= FIRST_WORD));
    validity.finish()
}

/// The same of 64, one bit each, the first in the lowest.
fn bits(codes: &[i32; 64]) -> u64 {
    let says = codes.map(|code| u8::from(code >= FIRST_WORD));
    let (eights, _) = says.as_chunks::<8>();
    // The product moves the lowest bit of each byte to its place in the highest one.
    let gathered = |eight: &[u8; 8]| u64::from_le_bytes(*eight).wrapping_mul(0x0102_0408_1020_4080) >> 56;
    eights.iter().enumerate().fold(0, |bits, (at, eight)| bits | gathered(eight) << (8 * at))
}

impl Lexicon {
    /// What says nothing has the same codes everywhere.
    fn new(source: Source) -> Box<Lexicon> {
        let mut known = Distinct::default();
        let codes =
            SAY_NOTHING.iter().map(|text| known.number(Text::new(text.as_bytes())).0 as i32).collect();
        Box::new(Lexicon { known, codes, upto: SAY_NOTHING.len(), such: (Vec::new(), 0), source })
    }

    /// Writes the codes of texts, each at the place that stands with it.
    pub fn look_up<'t>(&mut self, texts: impl Iterator<Item = (usize, Text<'t>)>, found: &mut [i32]) {
        let Lexicon { known, codes, upto, source, .. } = self;
        known.number_all(texts, |at, number, new| {
            if let Some(text) = new {
                // Bytes of the arena, cut where texts are: anything else would be a fault of ours.
                codes.push(source.add(std::str::from_utf8(text.bytes).unwrap_or_default(), upto));
            }
            found[at] = codes[number];
        });
    }

    /// Writes the codes of what stands at these spans of a text.
    fn look_up_spans(&mut self, text: &[u8], spans: &[Span], found: &mut [i32]) {
        let Lexicon { known, codes, upto, source, .. } = self;
        known.look_up_spans(text, spans, found, codes, |text| {
            source.add(std::str::from_utf8(text).unwrap_or_default(), upto)
        });
    }

    /// The code of a word.
    pub fn code(&mut self, value: &str) -> i32 {
        let (number, is_new) = self.known.number(Text::new(value.as_bytes()));
        if is_new {
            self.codes.push(self.source.add(value, &mut self.upto));
        }
        self.codes[number]
    }

    /// How many of these codes are of words that are such as `is`, always the same, says.
    pub fn count_such(&mut self, words: &Words, is: fn(&str) -> bool, codes: &[i32]) -> u64 {
        let (such, upto) = &mut self.such;
        such.extend((*upto..words.len()).filter(|&code| is(words.get(code))).map(|code| code as i32));
        *upto = words.len().max(*upto);
        if such.is_empty() {
            return 0;
        }
        codes.iter().filter(|code| such.contains(code)).count() as u64
    }
}
