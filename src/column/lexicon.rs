//! What is kept from block to block of the texts that were seen, a column at a time.
//!
//! A text is looked up, and what has to be made of it is made, once as long as its lexicon lives; so
//! most rows cost one look into a small table. Which lexicon a block gets depends on timing; what is
//! written does not, for a sink gives codes of its own, in the order of the rows.

use std::borrow::Cow;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::distinct::{self, Distinct, Text};
use super::rows::EM_DASH;
use crate::format::Layout;
use crate::prepared::{Segment, Words};
use crate::schema::Column;

/// The lexicons of all columns, for one worker at a time.
#[derive(Debug, Default)]
pub struct Lexicons {
    words: Vec<Lexicon>,
    memories: Vec<Memories>,
    /// The layout that their sources are of.
    layout: Option<Arc<Layout>>,
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

/// What became of each text of a column's sources, by their ranks.
#[derive(Debug, Default)]
pub struct Memories(Vec<Memory>);

/// What became of each text of one source.
#[derive(Debug, Default)]
struct Memory {
    texts: Distinct,
    /// By the text's number, the value's code, or [`NOTHING`], or [`NULL`].
    made: Vec<i32>,
}

/// What a column looks its texts up in.
pub struct Desk<'l> {
    memories: &'l mut Memories,
    lexicon: &'l mut Lexicon,
}

/// In place of a word's code: the text says nothing, another source may.
pub const NOTHING: i32 = 0;

/// In place of a word's code: the text says that there is no value.
pub const NULL: i32 = 1;

/// The least code of a word that says something. Before it stand the two texts that do not, so that
/// a row without a value is looked up as any other is, without a branch.
pub const FIRST_WORD: i32 = 2;
const SAY_NOTHING: [&str; FIRST_WORD as usize] = ["", EM_DASH];

/// Lexicons that have grown to so many bytes are given up for empty ones.
const MOST_BYTES: usize = 6 << 20;

/// Sets of lexicons that are kept.
const MOST_SETS: usize = 64;

impl Library {
    /// Lexicons for a block of that layout, or one that is filled like it.
    pub fn take(&self, layout: &Arc<Layout>) -> Lexicons {
        let mut sets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let fits = |set: &Lexicons| set.layout.as_ref().is_some_and(|of| of.fills_alike(layout));
        let fitting = sets.iter().rposition(fits);
        let mut set = fitting.map(|at| sets.swap_remove(at)).unwrap_or_default();
        set.layout = Some(layout.clone());
        set
    }

    /// Keeps lexicons for another block.
    pub fn put(&self, mut set: Lexicons) {
        if set.bytes() > MOST_BYTES {
            set = Lexicons::default();
        }
        let mut sets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if sets.len() == MOST_SETS {
            sets.remove(0);
        }
        sets.push(set);
    }
}

impl Lexicons {
    /// What a column of so many rows looks its texts up in.
    pub fn desk(&mut self, column: Column, rows: usize) -> Desk<'_> {
        if self.words.is_empty() {
            self.words.extend(Column::all().map(|_| Lexicon::new()));
            self.memories.extend(Column::all().map(|_| Memories::default()));
        }
        let (at, shelf) = (column as usize, shelf(column) as usize);
        let used = self.memories[at].0.iter().map(|memory| memory.texts.len()).max();
        if self.words[shelf].values.len().max(used.unwrap_or(0)) + rows > distinct::MOST {
            self.give_up(shelf);
        }
        Desk { memories: &mut self.memories[at], lexicon: &mut self.words[shelf] }
    }

    /// How much memory they have, about.
    fn bytes(&self) -> usize {
        let words = self.words.iter().map(|lexicon| lexicon.values.bytes() * 2);
        let memories = self.memories.iter().flat_map(|memories| &memories.0);
        words.chain(memories.map(|memory| memory.texts.bytes())).sum()
    }

    /// Empties a lexicon, and all memories that know its codes.
    fn give_up(&mut self, at: usize) {
        self.words[at] = Lexicon::new();
        for column in Column::all().filter(|&column| shelf(column) as usize == at) {
            self.memories[column as usize] = Memories::default();
        }
    }
}

/// Columns of phone numbers share their words: a call's numbers stand in several of them, and what
/// is small stays in the nearest caches.
fn shelf(column: Column) -> Column {
    use Column::*;
    match column {
        Src | Dst | DstNumber | AnsweredBy | ChannelPeer | ChannelDialed | DstchannelPeer
        | DstchannelDialed | ChannelExt | DstchannelExt | Chanext | Dstchanext | ActionOwner | DidNumber
        | DodNumber => Src,
        other => other,
    }
}

impl Desk<'_> {
    /// Writes what the texts of a source become, each at the place that stands with it: a code,
    /// [`NOTHING`] or [`NULL`]. `make` is asked once a text, and must be a pure function of it, the
    /// same for all texts of that source.
    pub fn made<'t>(
        &mut self,
        source: usize,
        texts: impl Iterator<Item = (usize, Text<'t>)>,
        make: impl Fn(&'t str) -> Option<Option<Cow<'t, str>>>,
        found: &mut [i32],
    ) {
        while self.memories.0.len() <= source {
            let mut memory = Memory::default();
            for text in SAY_NOTHING {
                memory.texts.number(Text::new(text.as_bytes()));
            }
            memory.made.extend([NOTHING; SAY_NOTHING.len()]);
            self.memories.0.push(memory);
        }
        let Memory { texts: known, made } = &mut self.memories.0[source];
        let lexicon = &mut *self.lexicon;
        known.number_all(texts, |at, number, new| {
            if let Some(text) = new {
                // Bytes of the arena, cut where texts are: anything else would be a fault of ours.
                made.push(match std::str::from_utf8(text.bytes).ok().and_then(&make) {
                    None => NOTHING,
                    Some(None) => NULL,
                    Some(Some(value)) => lexicon.code(&value),
                });
            }
            found[at] = made[number];
        });
    }

    /// The same for texts that are values as they stand.
    pub fn verbatim<'t>(&mut self, texts: impl Iterator<Item = (usize, Text<'t>)>, found: &mut [i32]) {
        let Lexicon { values, open, .. } = &mut *self.lexicon;
        values.number_all(texts, |at, number, new| {
            if let Some(text) = new {
                open.push(std::str::from_utf8(text.bytes).unwrap_or_default());
            }
            found[at] = number as i32;
        });
    }

    /// The code of a value that was made elsewhere, or [`NULL`].
    pub fn value(&mut self, value: Option<&str>) -> i32 {
        value.map_or(NULL, |value| self.lexicon.code(value))
    }

    /// The codes of words that are such as `is`, always the same, says.
    pub fn such(&mut self, is: fn(&str) -> bool) -> &[i32] {
        self.lexicon.such(is)
    }

    /// All words so far.
    pub fn words(&mut self) -> Words {
        self.lexicon.words()
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

    fn code(&mut self, value: &str) -> i32 {
        let (number, is_new) = self.values.number(Text::new(value.as_bytes()));
        if is_new {
            self.open.push(value);
        }
        number as i32
    }

    fn such(&mut self, is: fn(&str) -> bool) -> &[i32] {
        let words = self.words();
        let (such, upto) = &mut self.such;
        such.extend((*upto..words.len()).filter(|&code| is(words.get(code))).map(|code| code as i32));
        *upto = words.len();
        such
    }

    fn words(&mut self) -> Words {
        let next = Segment { first: self.values.len(), ..Segment::default() };
        self.words.push(std::mem::replace(&mut self.open, next));
        self.words.clone()
    }
}
