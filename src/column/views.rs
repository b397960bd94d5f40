//! Text columns without copying: views into the block's arena.
//!
//! A view is 16 bytes: the length, then either the text itself (up to 12 bytes) or its first four
//! bytes and where it stands. A block's text columns all point into one buffer, the arena.
//!
//! `unsafe` is used here to skip arrow's own check, which validates every value's UTF-8 again: it
//! costs more than building the column (`cargo bench columns`). What makes it right: an [`Arena`]
//! is made of bytes that were checked, and a view only from a `&str` that was sliced, checked, from it.
#![allow(unsafe_code)]

use std::sync::Arc;

use arrow::array::{ArrayRef, StringViewArray};
use arrow::buffer::{Buffer, ScalarBuffer};

use super::validity::Validity;
use crate::frame::{Span, Utf8};
use crate::recycle::Shelf;

/// A block's text, shared by all columns that point into it.
#[derive(Clone, Debug)]
pub struct Arena {
    /// Always UTF-8.
    buffer: Buffer,
}

impl Arena {
    /// Takes the text over; nothing is copied. Its memory goes back to the shelf in the end.
    pub fn new(text: Utf8, shelf: &Shelf) -> Arena {
        Arena { buffer: Buffer::from(bytes::Bytes::from_owner(shelf.lend(text.into_bytes()))) }
    }

    /// The bytes of the text.
    pub fn bytes(&self) -> &[u8] {
        &self.buffer
    }

    /// Where a text stands that was sliced from it.
    pub fn span_of(&self, text: &str) -> Option<Span> {
        let start = (text.as_ptr() as usize).checked_sub(self.buffer.as_ptr() as usize)?;
        let end = start.checked_add(text.len())?;
        (end <= self.buffer.len()).then(|| Span::new(start, end))
    }

    /// The text.
    pub fn text(&self) -> &str {
        // SAFETY: `new` is the only constructor, and it takes `Utf8`, which only a check makes; a Buffer's bytes
        // never change.
        unsafe { std::str::from_utf8_unchecked(&self.buffer) }
    }
}

/// Builds one text column of views.
pub struct Views<'a> {
    arena: &'a Arena,
    text: &'a str,
    views: Vec<u128>,
    validity: Validity,
    /// Texts that do not stand in the arena.
    own: String,
}

const LONGEST_INLINE: usize = 12;

impl<'a> Views<'a> {
    /// A column of `rows` values.
    pub fn new(arena: &'a Arena, rows: usize) -> Views<'a> {
        Views {
            arena,
            text: arena.text(),
            views: Vec::with_capacity(rows),
            validity: Validity::new(rows),
            own: String::new(),
        }
    }

    /// Appends null.
    pub fn push_null(&mut self) {
        self.validity.push(false);
        self.views.push(0);
    }

    /// Appends the text at a span of the arena. Panics where that is no text.
    pub fn push_span(&mut self, span: Span) {
        let start = span.start as usize;
        let text = &self.text[start..start + span.len as usize];
        let view = if text.len() > LONGEST_INLINE {
            outside(text.as_bytes(), 0, span.start)
        } else if let Some(bytes) = self.text.as_bytes().get(start..start + 16) {
            // The 16 bytes from there on, less those that are not the text's.
            let bytes = u128::from_le_bytes(bytes.try_into().expect("sixteen bytes"));
            let kept = bytes & ((1u128 << (8 * text.len())) - 1);
            kept << 32 | text.len() as u128
        } else {
            inline(text.as_bytes())
        };
        self.validity.push(true);
        self.views.push(view);
    }

    /// Appends a text, from the arena if it stands there.
    pub fn push(&mut self, text: &str) {
        let view = if text.len() <= LONGEST_INLINE {
            inline(text.as_bytes())
        } else if let Some(span) = self.arena.span_of(text) {
            outside(text.as_bytes(), 0, span.start)
        } else {
            let start = self.own.len() as u32;
            self.own.push_str(text);
            outside(text.as_bytes(), 1, start)
        };
        self.validity.push(true);
        self.views.push(view);
    }

    /// The column.
    pub fn finish(self) -> ArrayRef {
        let nulls = self.validity.finish();
        let mut buffers = vec![self.arena.buffer.clone()];
        if !self.own.is_empty() {
            buffers.push(Buffer::from_vec(self.own.into_bytes()));
        }
        // SAFETY: every view was made by `push_null` (length 0), `push_span` or `push`. Inline ones
        // hold the whole bytes of a &str and zeros. Others name buffer 0 with a start and length at
        // which slicing the arena's text succeeded (the index in `push_span`), or where a &str stands within it
        // (`span_of`), or buffer 1 with those of a &str appended to `own`; their prefix was read there.
        Arc::new(unsafe { StringViewArray::new_unchecked(ScalarBuffer::from(self.views), buffers, nulls) })
    }
}

fn inline(text: &[u8]) -> u128 {
    let mut bytes = [0; 16];
    bytes[..4].copy_from_slice(&(text.len() as u32).to_le_bytes());
    bytes[4..4 + text.len()].copy_from_slice(text);
    u128::from_le_bytes(bytes)
}

/// The view of a text of more than twelve bytes.
fn outside(text: &[u8], buffer: u32, start: u32) -> u128 {
    let prefix = u32::from_le_bytes([text[0], text[1], text[2], text[3]]);
    text.len() as u128 | u128::from(prefix) << 32 | u128::from(buffer) << 64 | u128::from(start) << 96
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::Checked;
    use arrow::array::{Array, AsArray};
    use proptest::prelude::*;

    proptest! {
        /// The slow twin is arrow's own checked builder.
        #[test]
        fn views_equal_those_of_the_checked_builder(
            text in "\\PC{0,200}",
            cuts in proptest::collection::vec((0usize..200, 0usize..40, any::<bool>()), 0..40),
        ) {
            let arena = Arena::new(Checked::new(text.clone().into_bytes()).into_arena(b"").0, &Shelf::default());
            let mut ours = Views::new(&arena, cuts.len());
            let mut checked = arrow::array::StringViewBuilder::new();
            for (start, len, from_arena) in cuts {
                match arena.text().get(start..start + len) {
                    None => { ours.push_null(); checked.append_null(); }
                    Some(value) => {
                        match from_arena {
                            true => ours.push_span(Span::new(start, start + len)),
                            false if len % 2 == 0 => ours.push(value),
                            false => {
                                let elsewhere = String::from(value);
                                ours.push(&elsewhere);
                            }
                        }
                        checked.append_value(value);
                    }
                }
            }
            let ours = ours.finish();
            let ours = ours.as_string_view();
            let checked = checked.finish();
            prop_assert_eq!(ours.iter().collect::<Vec<_>>(), checked.iter().collect::<Vec<_>>());
            prop_assert_eq!(ours.null_count(), checked.null_count());
            prop_assert!(StringViewArray::try_new(ours.views().clone(), ours.data_buffers().to_vec(), ours.nulls().cloned()).is_ok());
        }
    }
}
