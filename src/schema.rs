//! The unified table: every column's name, type and meaning. This file is the project's glossary.
//!
//! Every format fills the same columns in the same order, so an archive of mixed vendors and
//! firmware versions is one dataset with one schema; a column that a dump cannot fill is null.
//! Which field of which dump fills a column is told by the tables in `format/`; how it is built
//! by `column/`. This file knows neither.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef, TimeUnit};

/// A column of the unified table. The order is the table's.
#[allow(missing_docs)] // `ColumnDef::description` says what each is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Column {
    Source,
    SourceOffset,
    Vendor,
    Format,
    RecordKind,
    SubIndex,
    RecordId,
    CallId,
    Uniqueid,
    OtherLegCallId,
    Accountcode,
    Src,
    SrcName,
    Dst,
    DstName,
    DstNumber,
    DstKind,
    Clid,
    AnsweredBy,
    Dcontext,
    Channel,
    Dstchannel,
    ChannelTech,
    ChannelKind,
    ChannelPeer,
    ChannelTrunk,
    ChannelDialed,
    ChannelPort,
    DstchannelTech,
    DstchannelKind,
    DstchannelPeer,
    DstchannelTrunk,
    DstchannelDialed,
    DstchannelPort,
    Lastapp,
    Lastdata,
    SrcTrunkName,
    DstTrunkName,
    ChannelExt,
    DstchannelExt,
    Chanext,
    Dstchanext,
    Service,
    ActionOwner,
    ActionType,
    ActionTarget,
    Nat,
    CidPrefix,
    InRoute,
    Ivr,
    Port,
    DidNumber,
    DodNumber,
    SrcAddr,
    FromUri,
    ToUri,
    Start,
    Answer,
    End,
    Duration,
    Billsec,
    Ringsec,
    Disposition,
    HangupCause,
    CallType,
    Amaflags,
    Userfield,
    Recordfiles,
    Extra,
}

/// What a column's values are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// UTF-8 text, mostly distinct: Arrow `Utf8View`.
    Text,
    /// UTF-8 text of few distinct values: Arrow `Dictionary(Int32, Utf8)`.
    Dict,
    /// Yes or no: Arrow `Boolean`.
    Bool,
    /// Unsigned 16-bit number.
    UInt16,
    /// Unsigned 32-bit number.
    UInt32,
    /// Signed 32-bit number; durations are whole seconds.
    Int32,
    /// Signed 64-bit number.
    Int64,
    /// A time in microseconds: wall-clock without a zone, or an instant in UTC (see [`TimeKind`]).
    Time,
    /// A list of texts: Arrow `List(item: Utf8View)`.
    List,
    /// A map from a field's own name to its text: Arrow `Map(entries{key: Utf8, value: Utf8})`.
    Map,
}

/// What the times of a table are: the PBX's own clock, or points on the world's time line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeKind {
    /// Local time of the PBX with no zone: Arrow `Timestamp(Microsecond)`.
    WallClock,
    /// Instants: Arrow `Timestamp(Microsecond, "UTC")`.
    Instant,
}

/// One column of the unified table.
#[derive(Clone, Copy, Debug)]
pub struct ColumnDef {
    /// The column itself.
    pub column: Column,
    /// Its name in every output.
    pub name: &'static str,
    /// What its values are.
    pub kind: Kind,
    /// Whether it can be null.
    pub nullable: bool,
    /// One sentence for people.
    pub description: &'static str,
}

const fn column(column: Column, name: &'static str, kind: Kind, description: &'static str) -> ColumnDef {
    ColumnDef { column, name, kind, nullable: true, description }
}

const fn required(column: Column, name: &'static str, kind: Kind, description: &'static str) -> ColumnDef {
    ColumnDef { column, name, kind, nullable: false, description }
}

/// The unified table, column by column, in order.
pub const COLUMNS: [ColumnDef; Column::COUNT] = {
    use Kind::*;
    [
        required(
            Column::Source,
            "source",
            Dict,
            "File the record came from, as the user named it; archive!member for archives.",
        ),
        required(
            Column::SourceOffset,
            "source_offset",
            Int64,
            "Byte offset of the record in the decompressed dump.",
        ),
        required(
            Column::Vendor,
            "vendor",
            Dict,
            "Maker of the phone system: ucm, nexo, kazoo, yeastar, asterisk.",
        ),
        required(
            Column::Format,
            "format",
            Dict,
            "Name of the dump's format, as `calltable formats` lists it.",
        ),
        required(
            Column::RecordKind,
            "record_kind",
            Dict,
            "single; main (totals its subs) or sub where a call is nested.",
        ),
        column(Column::SubIndex, "sub_index", UInt32, "Position of a sub record within its call, from 1."),
        column(Column::RecordId, "record_id", Text, "The record's own number in the phone system."),
        column(Column::CallId, "call_id", Text, "What all records of one call share."),
        column(
            Column::Uniqueid,
            "uniqueid",
            Text,
            "Asterisk's unique id of the caller's channel: epoch seconds, a dot, a counter.",
        ),
        column(Column::OtherLegCallId, "other_leg_call_id", Text, "call_id of the call's other leg."),
        column(Column::Accountcode, "accountcode", Text, "Account that the call is billed to."),
        column(Column::Src, "src", Text, "Number of the calling party."),
        column(Column::SrcName, "src_name", Text, "Name of the calling party."),
        column(Column::Dst, "dst", Text, "Number that was called, verbatim."),
        column(Column::DstName, "dst_name", Text, "Name of the called party."),
        column(
            Column::DstNumber,
            "dst_number",
            Text,
            "Number that was called; null where the phone system writes `s` for an unknown one.",
        ),
        column(
            Column::DstKind,
            "dst_kind",
            Dict,
            "What the number plan says that dst_number is: extension, ivr, paging, conference, queue, ringgroup.",
        ),
        column(Column::Clid, "clid", Text, "Caller ID, name and number packed in one text, verbatim."),
        column(Column::AnsweredBy, "answered_by", Text, "Number that answered."),
        column(Column::Dcontext, "dcontext", Text, "Dialplan context of the destination."),
        column(Column::Channel, "channel", Text, "Name of the caller's channel, verbatim."),
        column(Column::Dstchannel, "dstchannel", Text, "Name of the called channel, verbatim."),
        column(
            Column::ChannelTech,
            "channel_tech",
            Dict,
            "Driver of the caller's channel: PJSIP, SIP, DAHDI, Local, …",
        ),
        column(
            Column::ChannelKind,
            "channel_kind",
            Dict,
            "extension, trunk_in, trunk_out, fxo, fxs, analog, gsm, digital, conference, local, application, other.",
        ),
        column(
            Column::ChannelPeer,
            "channel_peer",
            Text,
            "Extension, peer, context or application that the caller's channel belongs to.",
        ),
        column(
            Column::ChannelTrunk,
            "channel_trunk",
            Text,
            "Internal name of the trunk of the caller's channel.",
        ),
        column(
            Column::ChannelDialed,
            "channel_dialed",
            Text,
            "Number dialled out through the caller's channel.",
        ),
        column(Column::ChannelPort, "channel_port", UInt16, "Port number of the caller's channel."),
        column(Column::DstchannelTech, "dstchannel_tech", Dict, "Driver of the called channel."),
        column(
            Column::DstchannelKind,
            "dstchannel_kind",
            Dict,
            "Kind of the called channel, as channel_kind.",
        ),
        column(
            Column::DstchannelPeer,
            "dstchannel_peer",
            Text,
            "Extension, peer, context or application that the called channel belongs to.",
        ),
        column(
            Column::DstchannelTrunk,
            "dstchannel_trunk",
            Text,
            "Internal name of the trunk of the called channel.",
        ),
        column(
            Column::DstchannelDialed,
            "dstchannel_dialed",
            Text,
            "Number dialled out through the called channel.",
        ),
        column(Column::DstchannelPort, "dstchannel_port", UInt16, "Port number of the called channel."),
        column(Column::Lastapp, "lastapp", Dict, "Last dialplan application that ran."),
        column(Column::Lastdata, "lastdata", Text, "Arguments of the last application."),
        column(Column::SrcTrunkName, "src_trunk_name", Dict, "Trunk that the call came in by."),
        column(Column::DstTrunkName, "dst_trunk_name", Dict, "Trunk that the call went out by."),
        column(
            Column::ChannelExt,
            "channel_ext",
            Text,
            "Extension of the caller's channel, as the dump has it.",
        ),
        column(
            Column::DstchannelExt,
            "dstchannel_ext",
            Text,
            "Extension of the called channel, as the dump has it.",
        ),
        column(Column::Chanext, "chanext", Text, "UCM's field of that name."),
        column(Column::Dstchanext, "dstchanext", Text, "UCM's field of that name."),
        column(Column::Service, "service", Text, "UCM's field of that name."),
        column(Column::ActionOwner, "action_owner", Text, "Who began this leg."),
        column(Column::ActionType, "action_type", Dict, "What the leg did: DIAL, TRANSFER, QUEUE, …"),
        column(
            Column::ActionTarget,
            "action_target",
            Text,
            "What it did that to: the text in brackets behind the action type.",
        ),
        column(Column::Nat, "nat", Bool, "Whether the caller's phone was connected from outside."),
        column(
            Column::CidPrefix,
            "cid_prefix",
            Dict,
            "Prefix that the inbound route put before the caller's name.",
        ),
        column(Column::InRoute, "in_route", Dict, "Inbound route."),
        column(Column::Ivr, "ivr", Dict, "Voice menu that the call went through."),
        column(Column::Port, "port", Int32, "GSM port."),
        column(Column::DidNumber, "did_number", Text, "Number that the outside caller dialled."),
        column(Column::DodNumber, "dod_number", Text, "Number that was shown to the called party outside."),
        column(Column::SrcAddr, "src_addr", Text, "Network address of the caller's phone."),
        column(Column::FromUri, "from_uri", Text, "SIP address of the caller."),
        column(Column::ToUri, "to_uri", Text, "SIP address of the called party."),
        column(Column::Start, "start", Time, "When the call began."),
        column(Column::Answer, "answer", Time, "When it was answered."),
        column(Column::End, "end", Time, "When it ended."),
        column(Column::Duration, "duration", Int32, "Seconds from start to end, as the dump has them."),
        column(Column::Billsec, "billsec", Int32, "Seconds from answer to end, as the dump has them."),
        column(Column::Ringsec, "ringsec", Int32, "Seconds from start to answer, as the dump has them."),
        column(
            Column::Disposition,
            "disposition",
            Dict,
            "ANSWERED, NO ANSWER, BUSY, FAILED, CONGESTION, VOICEMAIL; another word in upper case.",
        ),
        column(Column::HangupCause, "hangup_cause", Dict, "Why the call ended."),
        column(Column::CallType, "call_type", Dict, "internal, inbound, outbound, external, callback."),
        column(
            Column::Amaflags,
            "amaflags",
            Dict,
            "OMIT, BILLING, DOCUMENTATION; another word in upper case.",
        ),
        column(Column::Userfield, "userfield", Text, "The dump's user field or call direction, verbatim."),
        column(Column::Recordfiles, "recordfiles", List, "Recording files."),
        column(
            Column::Extra,
            "extra",
            Map,
            "Every value that stands in no other column, under its own name.",
        ),
    ]
};

/// How a column is stored in a Parquet file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Storage {
    /// What its pages are.
    pub pages: Pages,
    /// Whether statistics and a page index are written, for readers that skip by them.
    pub statistics: bool,
}

/// What a column's pages are; each choice is measured (`cargo bench sink`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pages {
    /// A dictionary and codes, for values that come again.
    Dictionary,
    /// The same for longer texts of which most, but not all, come again: too many to be known from block to block.
    Repeated,
    /// Values one after another, each text behind its length.
    Plain,
    /// Differences, packed: numbers and times.
    Deltas,
    /// What differs from the text before: ids that count up.
    SharedPrefixes,
    /// Lengths, then texts: text that is mostly distinct.
    Lengths,
}

impl ColumnDef {
    /// How the column is stored.
    ///
    /// Numbers and times are differences. Ids that count up share their prefix with the row before.
    /// Channels are mostly distinct: a dictionary costs more than their text, and compressing that finds the
    /// prefixes by itself. `lastdata` is long, and finding it in a dictionary is cheaper than compressing it.
    /// All else comes again.
    pub fn storage(&self) -> Storage {
        use Column as C;
        let pages = match (self.column, self.kind) {
            (C::RecordId | C::CallId | C::OtherLegCallId, _) => Pages::SharedPrefixes,
            (C::Uniqueid | C::Channel | C::Dstchannel, _) => Pages::Plain,
            (C::Lastdata, _) => Pages::Repeated,
            (C::Recordfiles, _) => Pages::Lengths,
            (_, Kind::Text | Kind::Dict | Kind::List | Kind::Map) => Pages::Dictionary,
            (_, Kind::UInt16 | Kind::UInt32 | Kind::Int32 | Kind::Int64 | Kind::Time) => Pages::Deltas,
            (_, Kind::Bool) => Pages::Plain,
        };
        let party = matches!(self.column, C::Src | C::Dst | C::DstNumber | C::AnsweredBy | C::Accountcode);
        let id = matches!(self.column, C::RecordId | C::CallId | C::Uniqueid | C::OtherLegCallId);
        let number = !matches!(self.kind, Kind::Text | Kind::List | Kind::Map);
        Storage { pages, statistics: party || id || number }
    }
}

impl Column {
    /// How many columns the unified table has.
    pub const COUNT: usize = Column::Extra as usize + 1;

    /// The column of that name.
    pub fn by_name(name: &str) -> Option<Column> {
        COLUMNS.iter().find(|def| def.name == name).map(|def| def.column)
    }

    /// Every column, in order.
    pub fn all() -> impl Iterator<Item = Column> {
        COLUMNS.iter().map(|def| def.column)
    }

    /// This column's definition.
    pub fn def(self) -> &'static ColumnDef {
        &COLUMNS[self as usize]
    }

    /// This column's name.
    pub fn name(self) -> &'static str {
        self.def().name
    }

    /// This column as an Arrow field.
    pub fn field(self, times: TimeKind) -> Field {
        let def = self.def();
        Field::new(def.name, data_type(def.kind, times), def.nullable)
    }
}

/// The Arrow type of a kind of column.
pub fn data_type(kind: Kind, times: TimeKind) -> DataType {
    match kind {
        Kind::Text => DataType::Utf8View,
        Kind::Dict => DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8)),
        Kind::Bool => DataType::Boolean,
        Kind::UInt16 => DataType::UInt16,
        Kind::UInt32 => DataType::UInt32,
        Kind::Int32 => DataType::Int32,
        Kind::Int64 => DataType::Int64,
        Kind::Time => DataType::Timestamp(
            TimeUnit::Microsecond,
            match times {
                TimeKind::WallClock => None,
                TimeKind::Instant => Some("UTC".into()),
            },
        ),
        Kind::List => DataType::List(Arc::new(Field::new("item", DataType::Utf8View, true))),
        Kind::Map => {
            DataType::Map(Arc::new(Field::new("entries", DataType::Struct(map_fields()), false)), false)
        }
    }
}

/// The two fields of an entry of `extra`.
pub fn map_fields() -> Fields {
    Fields::from(vec![Field::new("key", DataType::Utf8, false), Field::new("value", DataType::Utf8, true)])
}

/// The unified table as an Arrow schema; `times` says what its three time columns are.
pub fn schema(times: TimeKind) -> SchemaRef {
    project(&Column::all().collect::<Vec<_>>(), times)
}

/// Some columns of the unified table as an Arrow schema, in the order given.
pub fn project(columns: &[Column], times: TimeKind) -> SchemaRef {
    Arc::new(Schema::new(columns.iter().map(|column| column.field(times)).collect::<Vec<_>>()))
}

/// The same for a sink that wants its texts prepared: such a column has the type null here. No reader
/// sees these types.
pub fn project_prepared(columns: &[Column], times: TimeKind) -> SchemaRef {
    let field = |column: &Column| {
        let (field, kind) = (column.field(times), column.def().kind);
        if matches!(kind, Kind::Text | Kind::Dict) {
            field.with_data_type(DataType::Null).with_nullable(true)
        } else {
            field
        }
    };
    Arc::new(Schema::new(columns.iter().map(field).collect::<Vec<_>>()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_at_their_own_number() {
        for (at, def) in COLUMNS.iter().enumerate() {
            assert_eq!(def.column as usize, at, "{}", def.name);
            assert_eq!(Column::by_name(def.name), Some(def.column));
        }
    }
}
