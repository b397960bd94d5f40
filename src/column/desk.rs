//! Where one column of a block turns texts into codes of its values.

use std::borrow::Cow;

use arrow::buffer::ScalarBuffer;

use super::distinct::Text;
use super::lexicon::{FIRST_WORD, Lexicon, Lexicons, NOTHING, NULL, Numbers, UNASKED, nulls, shelf};
use super::rows::Rows;
use crate::prepared::Coded;
use crate::schema::Column;

/// Where a column looks its texts up.
pub struct Desk<'l> {
    column: Column,
    lexicons: &'l mut Lexicons,
}

impl<'l> Desk<'l> {
    /// The column's.
    pub fn new(column: Column, lexicons: &'l mut Lexicons) -> Desk<'l> {
        Desk { column, lexicons }
    }

    fn own(&mut self) -> &mut Lexicon {
        self.lexicons.lexicon(shelf(self.column))
    }

    /// The texts of a slot as they stand, and how many of them are such as `is`, always the same, says.
    pub fn verbatim(&mut self, rows: &Rows, slot: usize, is: Option<fn(&str) -> bool>) -> (Coded, u64) {
        let Numbers { shelf, of, nulls } = self.lexicons.numbers(rows, slot);
        let lexicon = self.lexicons.lexicon(shelf);
        let words = lexicon.source.words();
        let such = is.map_or(0, |is| lexicon.count_such(&words, is, &of));
        (Coded { codes: of, nulls, words }, such)
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
        let numbers = self.lexicons.numbers(rows, slot);
        let text = |at: usize| rows.text(rows.kept[at], slot);
        self.made_of(rank, &numbers, wanted, |at| text(at).and_then(&make), found);
    }

    /// The same for texts that were looked up as `numbers`; `make` is asked by the place of a row that has the text.
    pub fn made_of<'t>(
        &mut self,
        rank: usize,
        numbers: &Numbers,
        wanted: impl Fn(usize) -> bool,
        make: impl Fn(usize) -> Option<Option<Cow<'t, str>>>,
        found: &mut [i32],
    ) {
        let memory = self.lexicons.memory(self.column, rank, numbers.shelf);
        let mut is_known = true;
        for (at, (found, &number)) in found.iter_mut().zip(&numbers.of[..]).enumerate() {
            // Looked at in any case: nearly all are wanted.
            let made = memory[number as usize];
            *found = if *found == NOTHING && wanted(at) { made } else { *found };
            is_known &= *found != UNASKED;
        }
        if !is_known {
            self.ask(rank, &numbers.of, make, found);
        }
    }

    /// What `is` says of each row's text in a slot, yes where nothing stands; it is asked once a text, by the record
    /// of a row that has it, and always the same for this column.
    pub fn are(&mut self, rows: &Rows, slot: usize, is: impl Fn(u32) -> bool) -> Vec<bool> {
        let numbers = self.lexicons.numbers(rows, slot);
        let memory = self.lexicons.memory(self.column, slot, numbers.shelf);
        let says = |(&number, &row): (&i32, &u32)| {
            let says = &mut memory[number as usize];
            if *says == UNASKED {
                *says = if is(row) { NULL } else { FIRST_WORD };
            }
            *says < FIRST_WORD
        };
        numbers.of.iter().zip(&rows.kept).map(says).collect()
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
        // Taken out while the lexicon is asked.
        let mut memory = std::mem::take(&mut self.lexicons.memories[self.column as usize][rank]);
        let lexicon = self.lexicons.lexicon(shelf(self.column));
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
        self.lexicons.memories[self.column as usize][rank] = memory;
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
        let own = self.own();
        let words = own.source.words();
        own.count_such(&words, is, codes)
    }

    /// A column of these codes; those that say nothing are null.
    pub fn coded(&mut self, codes: Vec<i32>) -> Coded {
        Coded { nulls: nulls(&codes), codes: ScalarBuffer::from(codes), words: self.own().source.words() }
    }
}
