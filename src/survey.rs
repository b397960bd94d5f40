//! What only the dates of a dump tell, found out before its first row: whether the month or the day
//! stands first, and, for `--timezone auto`, the first offset that a record shows.
//!
//! The head of nearly every dump tells; else the rest of the file is looked through, dates only, to
//! the first that decides.

use std::sync::Arc;

use crate::column;
use crate::format::Layout;
use crate::frame::{self, How};
use crate::schema::Column;
use crate::split::{BLOCK, Block, Content, Cut, Splitter};
use crate::time::{DateOrder, OrderVote, Verdict, epoch_of_id};

const TIMES: [Column; 3] = [Column::Start, Column::Answer, Column::End];

/// What the dates of a dump told so far.
#[derive(Debug, Default)]
pub struct Survey {
    vote: OrderVote,
    wants_offset: bool,
    first_offset: Option<i32>,
    records: u64,
}

impl Survey {
    /// Nothing yet; `wants_offset` asks for the first offset, too.
    pub fn new(wants_offset: bool) -> Survey {
        Survey { wants_offset, ..Survey::default() }
    }

    /// Looks through whole records at the front of `text`.
    pub fn text(&mut self, text: &[u8], layout: &Arc<Layout>, at_end: bool) {
        let mut splitter = Splitter::new(layout);
        let mut at = 0;
        while at < text.len() {
            let shown = &text[at..text.len().min(at + BLOCK)];
            let ends = at_end && at + shown.len() == text.len();
            let (end, content) = match splitter.cut(shown, layout, ends) {
                Cut::Records(end, irregular) => {
                    (end, Content::Records { text: shown[..end].to_vec(), irregular, lines: Vec::new() })
                }
                Cut::Elements(end, elements) => {
                    let call = splitter.call();
                    (end, Content::Elements { text: shown[..end].to_vec(), elements, call })
                }
                Cut::More | Cut::Header(_) | Cut::TooLarge => break,
            };
            self.block(Block { offset: 0, layout: layout.clone(), content });
            at += end;
        }
    }

    /// Looks through a block.
    pub fn block(&mut self, block: Block) {
        let records = frame::block(block, How::default());
        self.records += records.len() as u64;
        let layout = records.layout.clone();
        let slots = |columns: &[Column]| -> Vec<usize> {
            columns
                .iter()
                .flat_map(|&column| layout.sources(column).iter().map(|source| source.slot))
                .collect()
        };
        let (times, ids) = (slots(&TIMES), slots(&[Column::Uniqueid, Column::CallId]));
        for record in 0..records.len() {
            for &slot in &times {
                let text = records.value(record, slot).trim_ascii();
                // A year first shows its own order; no need to look further.
                if text.len() > 4 && text[..4].iter().all(u8::is_ascii_digit) {
                    continue;
                }
                let epoch = ids.iter().find_map(|&slot| epoch_of_id(records.value(record, slot)));
                self.vote.add(text, epoch);
            }
        }
        if self.wants_offset && self.first_offset.is_none() {
            let order = date_order(None, self).ok().and_then(|(order, _)| order);
            self.first_offset = column::first_offset(records, order);
        }
    }

    /// Whether nothing is left to find out; `asked` is the order that the caller named.
    pub fn is_decided(&self, asked: Option<DateOrder>) -> bool {
        let no_order_needed = asked.is_some() || !self.vote.saw_ambiguous();
        let by_epoch = matches!(self.vote.by_epoch(), Verdict::Decided(_));
        let order = no_order_needed || self.vote.by_day() != Verdict::Undecided || by_epoch;
        order && (!self.wants_offset || self.first_offset.is_some())
    }

    /// Whether there was a record at all.
    pub fn saw_records(&self) -> bool {
        self.records > 0
    }

    /// The first offset that a record shows, in seconds east.
    pub fn first_offset(&self) -> Option<i32> {
        self.first_offset
    }
}

/// The order of a dump's dates, if any of them asks for one, and a warning where it is only assumed.
///
/// # Errors
/// Dates of both orders are proved.
pub fn date_order(
    asked: Option<DateOrder>,
    survey: &Survey,
) -> Result<(Option<DateOrder>, Option<String>), String> {
    if asked.is_some() {
        return Ok((asked, None));
    }
    match (survey.vote.by_day(), survey.vote.by_epoch()) {
        (Verdict::Decided(order), _) | (Verdict::Undecided, Verdict::Decided(order)) => Ok((Some(order), None)),
        (Verdict::Contradictory, _) | (Verdict::Undecided, Verdict::Contradictory) => {
            Err("some dates have the month first, others the day: --date-order says what holds".to_string())
        }
        (Verdict::Undecided, Verdict::Undecided) if survey.vote.saw_ambiguous() => Ok((
            Some(DateOrder::MonthFirst),
            Some("no date tells whether the month or the day stands first: read as month first; --date-order says otherwise".to_string()),
        )),
        (Verdict::Undecided, Verdict::Undecided) => Ok((None, None)),
    }
}
