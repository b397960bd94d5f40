//! The six columns that a channel name decodes into, on either side of a call.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::{ArrayRef, UInt16Array};

use super::Values;
use super::distinct::Text;
use super::lexicon::{Desk, NULL};
use super::rows::Rows;
use super::views::Views;
use crate::coded::Coded;
use crate::decode::{Channel, PortMap, Side};
use crate::format::Channels;
use crate::schema::Column;

/// The decoded channels of one side, one a row.
pub struct Decoded<'a> {
    rows: &'a Rows,
    channels: Vec<Channel<'a>>,
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
    let column = match side {
        Side::Source => Column::Channel,
        Side::Destination => Column::Dstchannel,
    };
    // A channel name is always taken as it stands, so it always lies in the arena.
    match (rows.value(column, record), rows.layout().format.channels) {
        (Some(Cow::Borrowed(name)), Channels::Names) => Channel::parse_with(name, ports),
        (Some(Cow::Borrowed(name)), Channels::Trunks) => Channel::parse_trunk(name, side),
        _ => Channel::default(),
    }
}

impl<'a> Decoded<'a> {
    /// Decodes one side of every row.
    pub fn new(rows: &'a Rows, side: Side, ports: &PortMap) -> Decoded<'a> {
        let channels = rows.kept.iter().map(|&row| channel(rows, row, side, ports)).collect();
        Decoded { rows, channels }
    }

    /// One of the six columns; those of text as codes where they are to be `coded`.
    pub fn column(&self, part: Part, coded: bool, desk: Desk<'_>) -> Values {
        let text: fn(&Channel<'a>) -> Option<&'a str> = match part {
            Part::Tech => |channel| channel.tech,
            Part::Kind => |channel| channel.kind.map(|kind| kind.as_str()),
            Part::Peer => |channel| channel.peer,
            Part::Trunk => |channel| channel.trunk,
            Part::Dialed => |channel| channel.dialed,
            Part::Port => {
                let ports = self.channels.iter().map(|channel| channel.port);
                return Values::Array(Arc::new(ports.collect::<UInt16Array>()));
            }
        };
        match part {
            Part::Peer | Part::Trunk | Part::Dialed if !coded => Values::Array(self.text(text)),
            _ => Values::Coded(self.dict(text, desk)),
        }
    }

    fn dict(&self, part: impl Fn(&Channel<'a>) -> Option<&'a str>, mut desk: Desk<'_>) -> Coded {
        let mut codes = vec![NULL; self.channels.len()];
        let texts = self.channels.iter().map(part).enumerate();
        let texts = texts.filter_map(|(at, text)| Some((at, Text::new(text?.as_bytes()))));
        desk.verbatim(texts, &mut codes);
        super::dict::coded(codes, &mut desk)
    }

    fn text(&self, part: impl Fn(&Channel<'a>) -> Option<&'a str>) -> ArrayRef {
        let mut views = Views::new(&self.rows.arena, self.channels.len());
        for channel in &self.channels {
            match part(channel) {
                Some(text) => views.push(text),
                None => views.push_null(),
            }
        }
        views.finish()
    }
}
