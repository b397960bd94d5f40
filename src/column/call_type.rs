//! `call_type`: the vendor's own word, or what the channels, trunks and context say.

use std::borrow::Cow;

use super::channel::channel;
use super::desk::Desk;
use super::lexicon::{NOTHING, NULL};
use super::rows::{Rows, taken};
use crate::decode::{Channel, ChannelKind, PortMap, Side, call_type_word};
use crate::prepared::Coded;
use crate::schema::Column;

/// The column. A dump whose table fills no `call_type` says nothing about the call (Kazoo's
/// direction is a leg's).
pub fn call_type(rows: &Rows, ports: &PortMap, mut desk: Desk<'_>) -> Coded {
    if !rows.layout().fills(Column::CallType) {
        return desk.coded(vec![NULL; rows.len()]);
    }
    let mut codes = vec![NOTHING; rows.len()];
    for (rank, source) in rows.sources(Column::CallType) {
        let wanted = |at: usize| rows.holds(source, rows.kept[at]);
        let make = |text| Some(call_type_word(&taken(source, text)?).map(Cow::Borrowed));
        desk.made(rows, (rank, source.slot), wanted, make, &mut codes);
    }
    for (code, &row) in codes.iter_mut().zip(&rows.kept) {
        if *code == NOTHING {
            *code = desk.value(derived(rows, row, ports));
        }
    }
    desk.coded(codes)
}

/// What a record without a word of its own says.
fn derived(rows: &Rows, row: u32, ports: &PortMap) -> Option<&'static str> {
    let has = |column| rows.value(column, row).is_some();
    let source = channel(rows, row, Side::Source, ports);
    let destination = channel(rows, row, Side::Destination, ports);
    let context = rows.value(Column::Dcontext, row).unwrap_or_default();
    if context.starts_with("ext-did-") || is_incoming_line(rows, row, &source) {
        return Some("inbound");
    }
    let from_trunk = is_trunk(&source) || has(Column::SrcTrunkName);
    let to_trunk = is_trunk(&destination) || has(Column::DstTrunkName);
    match (from_trunk, to_trunk) {
        (true, true) => Some("external"),
        (false, true) => Some("outbound"),
        (true, false) => Some("inbound"),
        (false, false) if context == "ext-local" => Some("internal"),
        (false, false) if is_extension(&source) && is_extension(&destination) => Some("internal"),
        (false, false) => None,
    }
}

/// No caller's number, callee `s`, and a DAHDI channel: a call that came in by an analog line.
fn is_incoming_line(rows: &Rows, row: u32, source: &Channel<'_>) -> bool {
    rows.value(Column::Src, row).is_none()
        && rows.value(Column::Dst, row).as_deref() == Some("s")
        && source
            .tech
            .is_some_and(|tech| tech.eq_ignore_ascii_case("DAHDI") || tech.eq_ignore_ascii_case("Zap"))
}

fn is_trunk(channel: &Channel<'_>) -> bool {
    channel.kind.is_some_and(ChannelKind::is_trunk)
}

fn is_extension(channel: &Channel<'_>) -> bool {
    channel.kind == Some(ChannelKind::Extension)
}
