//! The six columns that a channel name decodes into, on either side of a call.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::sync::Arc;

use arrow::array::{ArrayRef, UInt16Array, new_null_array};
use arrow::datatypes::DataType;

use super::builder::Values;
use super::distinct::Text;
use super::lexicon::{Lexicons, NOTHING, NULL, Numbers};
use super::rows::Rows;
use super::views::Views;
use crate::decode::{Channel, ChannelKind, PortMap, Side, Stemmed};
use crate::format::Channels;
use crate::format::layout::{Source, Take};
use crate::frame::Span;
use crate::prepared::Prepared;
use crate::schema::Column;

/// The channels of one side, one a row.
pub struct Decoded<'a> {
    rows: &'a Rows,
    side: Side,
    ports: &'a PortMap,
    /// Read whole, for texts that point into them.
    channels: OnceCell<Vec<Channel<'a>>>,
    /// Read by what comes again in them, for codes.
    stems: OnceCell<Stems<'a>>,
}

/// The names of one side, taken apart: most are of few stems, each of which is read once.
struct Stems<'a> {
    /// The stem of each row's name.
    numbers: Numbers,
    /// The numbers dialled of those that have one, each with its row's place.
    dialed: Vec<(usize, &'a str)>,
    /// The names of another form, read each by itself.
    others: Vec<(usize, Channel<'a>)>,
}

/// Which of the six values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Driver.
    Tech,
    /// Kind.
    Kind,
    /// Extension, peer, context or application.
    Peer,
    /// Trunk's internal name.
    Trunk,
    /// Number dialled.
    Dialed,
    /// Port.
    Port,
}

/// The side and the part that a column shows, if it is one of the twelve.
pub fn part_of(column: Column) -> Option<(Side, Part)> {
    use Column as C;
    Some(match column {
        C::ChannelTech => (Side::Source, Part::Tech),
        C::ChannelKind => (Side::Source, Part::Kind),
        C::ChannelPeer => (Side::Source, Part::Peer),
        C::ChannelTrunk => (Side::Source, Part::Trunk),
        C::ChannelDialed => (Side::Source, Part::Dialed),
        C::ChannelPort => (Side::Source, Part::Port),
        C::DstchannelTech => (Side::Destination, Part::Tech),
        C::DstchannelKind => (Side::Destination, Part::Kind),
        C::DstchannelPeer => (Side::Destination, Part::Peer),
        C::DstchannelTrunk => (Side::Destination, Part::Trunk),
        C::DstchannelDialed => (Side::Destination, Part::Dialed),
        C::DstchannelPort => (Side::Destination, Part::Port),
        _ => return None,
    })
}

/// The channel of one side of a record.
pub fn channel<'a>(rows: &'a Rows, record: u32, side: Side, ports: &PortMap) -> Channel<'a> {
    match (name(rows, record, side), rows.layout().format.channels) {
        (Some(name), Channels::Names) => Channel::parse_with(name, ports),
        (Some(name), Channels::Trunks) => Channel::parse_trunk(name, side),
        (None, _) => Channel::default(),
    }
}

/// The channel's name. It is always taken as it stands, so it always lies in the arena.
fn name(rows: &Rows, record: u32, side: Side) -> Option<&str> {
    match rows.value(column_of(side), record)? {
        Cow::Borrowed(name) => Some(name),
        Cow::Owned(_) => None,
    }
}

fn column_of(side: Side) -> Column {
    match side {
        Side::Source => Column::Channel,
        Side::Destination => Column::Dstchannel,
    }
}

impl<'a> Decoded<'a> {
    /// One side of every row.
    pub fn new(rows: &'a Rows, side: Side, ports: &'a PortMap) -> Decoded<'a> {
        Decoded { rows, side, ports, channels: OnceCell::new(), stems: OnceCell::new() }
    }

    /// One of the six columns; those of text as codes where they are to be `coded`.
    pub fn column(&self, (column, part): (Column, Part), coded: bool, lexicons: &mut Lexicons) -> Values {
        let text: fn(&Channel<'a>) -> Option<&'a str> = match part {
            Part::Tech => |channel| channel.tech,
            Part::Kind => |channel| channel.kind.map(ChannelKind::as_str),
            Part::Peer => |channel| channel.peer,
            Part::Trunk => |channel| channel.trunk,
            Part::Dialed => |channel| channel.dialed,
            Part::Port => return Values::Array(self.ports(lexicons)),
        };
        match part {
            Part::Peer | Part::Trunk | Part::Dialed if !coded => Values::Array(self.text(text)),
            Part::Dialed => self.dialed(column, lexicons),
            _ => self.dict(column, text, lexicons),
        }
    }

    fn channels(&self) -> &[Channel<'a>] {
        let decode = |&row: &u32| channel(self.rows, row, self.side, self.ports);
        self.channels.get_or_init(|| self.rows.kept.iter().map(decode).collect())
    }

    fn stems(&self, lexicons: &mut Lexicons) -> &Stems<'a> {
        self.stems.get_or_init(|| Stems::new(self, lexicons))
    }

    fn dict(
        &self,
        column: Column,
        part: impl Fn(&Channel<'a>) -> Option<&'a str>,
        lexicons: &mut Lexicons,
    ) -> Values {
        let stems = self.stems(lexicons);
        let mut codes = vec![NOTHING; self.rows.len()];
        let mut desk = lexicons.desk(column);
        let of_stem = |at: usize| {
            let stemmed = Stemmed::of(name(self.rows, self.rows.kept[at], self.side)?)?;
            Some(part(&Channel::of_stem(stemmed.stem)).map(Cow::Borrowed))
        };
        desk.made_of(0, &stems.numbers, |_| true, of_stem, &mut codes);
        let others = stems.others.iter().map(|(at, channel)| (*at, part(channel)));
        desk.look_up(others.filter_map(|(at, text)| Some((at, Text::new(text?.as_bytes())))), &mut codes);
        Values::Prepared(Prepared::Coded(desk.coded(codes)))
    }

    fn dialed(&self, column: Column, lexicons: &mut Lexicons) -> Values {
        let stems = self.stems(lexicons);
        let others = stems.others.iter().filter_map(|(at, channel)| Some((*at, channel.dialed?)));
        let mut dialed = stems.dialed.iter().copied().chain(others).peekable();
        if dialed.peek().is_none() {
            return Values::Prepared(Prepared::Same { value: None, rows: self.rows.len() });
        }
        let mut codes = vec![NULL; self.rows.len()];
        let mut desk = lexicons.desk(column);
        desk.look_up(dialed.map(|(at, text)| (at, Text::new(text.as_bytes()))), &mut codes);
        Values::Prepared(Prepared::Coded(desk.coded(codes)))
    }

    /// Peers and trunks have no port.
    fn ports(&self, lexicons: &mut Lexicons) -> ArrayRef {
        let others = &self.stems(lexicons).others;
        if others.iter().all(|(_, channel)| channel.port.is_none()) {
            return new_null_array(&DataType::UInt16, self.rows.len());
        }
        let mut ports = vec![None; self.rows.len()];
        others.iter().for_each(|(at, channel)| ports[*at] = channel.port);
        Arc::new(UInt16Array::from(ports))
    }

    fn text(&self, part: impl Fn(&Channel<'a>) -> Option<&'a str>) -> ArrayRef {
        let mut views = Views::new(&self.rows.arena, self.rows.len());
        for channel in self.channels() {
            match part(channel) {
                Some(text) => views.push(text),
                None => views.push_null(),
            }
        }
        views.finish()
    }
}

impl<'a> Stems<'a> {
    fn new(of: &Decoded<'a>, lexicons: &mut Lexicons) -> Stems<'a> {
        let Decoded { rows, side, ports, .. } = *of;
        // Empty where there is none: it says nothing.
        let mut stems = vec![Span::default(); rows.len()];
        let (mut dialed, mut others) = (Vec::new(), Vec::new());
        let are_names = rows.layout().format.channels == Channels::Names;
        let slot = match rows.layout().sources(column_of(side)) {
            [Source { slot, take: Take::Whole }] => Some(*slot),
            _ => None,
        };
        for (at, &row) in rows.kept.iter().enumerate() {
            let name = slot.map_or_else(|| name(rows, row, side), |slot| rows.text(row, slot));
            let Some(name) = name else { continue };
            let stemmed = Stemmed::of(name).filter(|_| are_names);
            match stemmed.and_then(|stemmed| Some((stemmed, rows.arena.span_of(stemmed.stem)?))) {
                Some((stemmed, stem)) => {
                    stems[at] = stem;
                    dialed.extend(stemmed.dialed.map(|dialed| (at, dialed)));
                }
                None => others.push((at, channel(rows, row, side, ports))),
            }
        }
        let numbers = lexicons.stems(column_of(side), rows, &stems);
        Stems { numbers, dialed, others }
    }
}
