//! What a channel name tells: the driver, whose channel it is, which trunk, which port.
//!
//! A *channel name* is what an Asterisk-based PBX writes into `channel` and `dstchannel`. This file
//! reads one name at a time. It must not know the rest of the record: whether the call was inbound,
//! or what an analog port is on this box, is not in the name (the latter comes as a [`PortMap`]).
//!
//! ```text
//! wrapped  = *( "Parked/" | "AsyncGoto/" | "Bridge/" ) name *( "<MASQ>" | "<ZOMBIE>" )
//! name     = driver "/" rest | port | application
//! rest     = peer [suffix]                          PJSIP, SIP, IAX2
//!          | trunk [suffix]                           a call in
//!          | trunk "/" number [suffix]                a call out
//!          | [group ":"] port ["-" 1*8digit]        DAHDI, Zap
//!          | "pseudo" ["-" anything]
//!          | "i" span "/" number ["-" 1*8hex]
//!          | [number] ["@" context] [suffix] [half] Local
//!          | anything [suffix] [half]               other drivers
//! trunk    = "trunk_" 1*any
//! suffix   = "-" ( 4*8hex | 4*8"X" )                after a dialled number only eight hex digits
//! half     = ";1" | ";2"                            before Asterisk 1.6 ",1" | ",2"
//! port     = ( "pstn" | "GSM" ) decimal             Nexo writes trunks, not channels
//! ```
//!
//! Asterisk counts its suffix up from zero at every restart, so it identifies nothing and is
//! dropped. Any other hyphen belongs to the name. Drivers and Nexo's ports are compared without
//! regard to case, as Asterisk itself compares drivers; all else as it is written.
//!
//! Sources: UCM6xxx CDR guide and UCM6100 CDR guide, "Source Channel, Dest Channel"; Nexo IPPBX CDR
//! guide, "Src.Trunk, Dst.Trunk".

use std::fmt;
use std::ops::RangeInclusive;

use super::given;
use super::ports::{PortMap, port_number};

/// What kind of thing a channel is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChannelKind {
    /// A phone, or another peer that is no trunk.
    Extension,
    /// A trunk that the call came in by.
    TrunkIn,
    /// A trunk that the call went out by.
    TrunkOut,
    /// An analog port with a line to the telephone network.
    Fxo,
    /// An analog port with a phone plugged into the PBX.
    Fxs,
    /// An analog port, it is not known of which of the two kinds.
    Analog,
    /// A port with a GSM module.
    Gsm,
    /// A channel of a digital span (E1, T1, BRI).
    Digital,
    /// A conference's own channel.
    Conference,
    /// A channel within the PBX, to be ignored in call counts.
    Local,
    /// No channel but the name of the application that ran.
    Application,
    /// A name that fits no rule.
    Other,
}

impl ChannelKind {
    /// Its name in the table.
    pub fn as_str(self) -> &'static str {
        match self {
            ChannelKind::Extension => "extension",
            ChannelKind::TrunkIn => "trunk_in",
            ChannelKind::TrunkOut => "trunk_out",
            ChannelKind::Fxo => "fxo",
            ChannelKind::Fxs => "fxs",
            ChannelKind::Analog => "analog",
            ChannelKind::Gsm => "gsm",
            ChannelKind::Digital => "digital",
            ChannelKind::Conference => "conference",
            ChannelKind::Local => "local",
            ChannelKind::Application => "application",
            ChannelKind::Other => "other",
        }
    }

    /// Whether it leads out of the PBX. `Analog` does not count, for it may be a phone.
    pub fn is_trunk(self) -> bool {
        use ChannelKind::*;
        matches!(self, TrunkIn | TrunkOut | Fxo | Gsm | Digital)
    }
}

impl fmt::Display for ChannelKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Which end of the call a trunk stands at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Where the call came from.
    Source,
    /// Where it went to.
    Destination,
}

/// What a channel name tells. Every part may be missing; an empty name has none of them, and any
/// other has a kind.
///
/// ```text
/// PJSIP/trunk_1/5551234-0000001b      SIP/1000-00000003     DAHDI/5-1
/// tech  trunk   dialed                tech peer             tech  port
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Channel<'a> {
    /// The driver before the first `/`, as written.
    pub tech: Option<&'a str>,
    /// What kind of thing the channel is.
    pub kind: Option<ChannelKind>,
    /// The local extension, peer, host, context or application that the channel belongs to.
    pub peer: Option<&'a str>,
    /// The trunk's internal name, `trunk_X`; from [`Channel::parse_trunk`] its own name.
    pub trunk: Option<&'a str>,
    /// The number dialled out through the trunk, or at a Local channel.
    pub dialed: Option<&'a str>,
    /// The number of the analog or GSM port, or of the digital span.
    pub port: Option<u16>,
}

impl<'a> Channel<'a> {
    /// Reads a channel name from a PBX whose model is not known: DAHDI ports are `Analog`.
    pub fn parse(name: &'a str) -> Channel<'a> {
        Channel::parse_with(name, &PortMap::default())
    }

    /// Reads a channel name from a PBX with these analog ports.
    pub fn parse_with(name: &'a str, ports: &PortMap) -> Channel<'a> {
        let name = unwrapped(name.trim_ascii());
        let Some((tech, rest)) = at_slash(name) else { return one_word(name) };
        let channel = match Driver::of(tech) {
            Driver::Peers => peer_or_trunk(rest),
            Driver::Lines => line(rest, ports),
            Driver::Local => local(rest),
            Driver::Unknown => other(without_suffix(without_half(rest))),
        };
        Channel { tech: given(tech), ..channel }
    }

    /// Reads what a Nexo writes in place of a channel: the name of a trunk, or of one of its own
    /// ports (Nexo IPPBX CDR guide, "Src.Trunk, Dst.Trunk").
    pub fn parse_trunk(name: &'a str, side: Side) -> Channel<'a> {
        let Some(name) = given(name) else { return Channel::default() };
        let kind = match side {
            Side::Source => ChannelKind::TrunkIn,
            Side::Destination => ChannelKind::TrunkOut,
        };
        gateway_port(name).unwrap_or(Channel { trunk: Some(name), ..of_kind(kind) })
    }
}

/// What stands before and behind the first slash. Names are short: a plain loop over their bytes is
/// twice as fast as `split_once`.
fn at_slash(name: &str) -> Option<(&str, &str)> {
    let slash = name.bytes().position(|byte| byte == b'/')?;
    Some((&name[..slash], &name[slash + 1..]))
}

/// What a driver's channels are.
enum Driver {
    /// They belong to a peer or a trunk.
    Peers,
    /// They are analog ports or channels of digital spans.
    Lines,
    /// They lead from the PBX into the PBX.
    Local,
    /// No document tells.
    Unknown,
}

impl Driver {
    fn of(tech: &str) -> Driver {
        let mut lower = [0; "PJSIP".len()];
        let Some(lower) = lower.get_mut(..tech.len()) else { return Driver::Unknown };
        lower.copy_from_slice(tech.as_bytes());
        lower.make_ascii_lowercase();
        match &*lower {
            b"pjsip" | b"sip" | b"iax2" => Driver::Peers,
            b"dahdi" | b"zap" => Driver::Lines,
            b"local" => Driver::Local,
            _ => Driver::Unknown,
        }
    }
}

fn of_kind<'a>(kind: ChannelKind) -> Channel<'a> {
    Channel { kind: Some(kind), ..Channel::default() }
}

/// The name within `Parked/…`, `AsyncGoto/…`, `Bridge/…` and before `<MASQ>`, `<ZOMBIE>`, however
/// often they stand. `Parked/701` wraps no channel name, and stays.
fn unwrapped(mut name: &str) -> &str {
    while let Some(inner) = before_mark(name).or_else(|| after_wrapper(name)) {
        name = inner;
    }
    name
}

fn before_mark(name: &str) -> Option<&str> {
    let marked = name.strip_suffix('>')?;
    let inner = marked.strip_suffix("<ZOMBIE").or_else(|| marked.strip_suffix("<MASQ"))?;
    (!inner.is_empty()).then_some(inner)
}

fn after_wrapper(name: &str) -> Option<&str> {
    let inner = name.strip_prefix("Parked/");
    let inner = inner.or_else(|| name.strip_prefix("AsyncGoto/")).or_else(|| name.strip_prefix("Bridge/"))?;
    inner.contains('/').then_some(inner)
}

/// `Hangup`, `ReadExten`: an application; `pstn2`, `GSM3`: a port.
fn one_word(name: &str) -> Channel<'_> {
    if name.is_empty() {
        return Channel::default();
    }
    gateway_port(name).unwrap_or(Channel { peer: Some(name), ..of_kind(ChannelKind::Application) })
}

/// `pstn2` is FXO port 2, `GSM3` is GSM port 3.
fn gateway_port(name: &str) -> Option<Channel<'_>> {
    let (module, port) = name.split_at(name.find(|c: char| c.is_ascii_digit())?);
    let kind = if module.eq_ignore_ascii_case("pstn") {
        ChannelKind::Fxo
    } else if module.eq_ignore_ascii_case("GSM") {
        ChannelKind::Gsm
    } else {
        return None;
    };
    Some(Channel { port: Some(port_number(port)?), ..of_kind(kind) })
}

/// `1000-00000003`, `trunk_1-00000003`, `trunk_1/5551234`.
fn peer_or_trunk(rest: &str) -> Channel<'_> {
    let is_trunk = |name: &str| name.strip_prefix("trunk_").is_some_and(|x| !x.is_empty());
    if let Some((trunk, dialed)) = at_slash(rest) {
        // `SIP/1000/sip:1000@10.0.0.1` is what one dials, never what a channel is called.
        if !is_trunk(trunk) {
            return other(without_suffix(rest));
        }
        // Fewer than eight may be the end of the number, as in `555-1234`.
        let dialed = given(without_count(dialed, 8..=8, |byte| byte.is_ascii_hexdigit()));
        return Channel { trunk: Some(trunk), dialed, ..of_kind(ChannelKind::TrunkOut) };
    }
    match without_suffix(rest) {
        "" => other(""),
        trunk if is_trunk(trunk) => Channel { trunk: Some(trunk), ..of_kind(ChannelKind::TrunkIn) },
        peer => Channel { peer: Some(peer), ..of_kind(ChannelKind::Extension) },
    }
}

/// `5-1`, `1:5-1`, `pseudo-149089967`, `i2/6905551234-770d`.
///
/// A number too great for a port is none: such a name fits no rule.
fn line<'a>(rest: &'a str, ports: &PortMap) -> Channel<'a> {
    if rest.strip_prefix("pseudo").is_some_and(|more| more.is_empty() || more.starts_with('-')) {
        return of_kind(ChannelKind::Conference);
    }
    if let Some(digital) = digital(rest) {
        return digital;
    }
    let place = without_count(rest, 1..=8, |byte| byte.is_ascii_digit());
    let port = place.rsplit_once(':').map_or(place, |(_group, port)| port);
    match port_number(port) {
        Some(port) => {
            let kind = ports.kind(port).unwrap_or(ChannelKind::Analog);
            Channel { port: Some(port), ..of_kind(kind) }
        }
        None => other(place),
    }
}

/// `i2/6905551234-770d`.
fn digital(rest: &str) -> Option<Channel<'_>> {
    let (span, number) = at_slash(rest)?;
    let span = port_number(span.strip_prefix(['i', 'I'])?)?;
    let dialed = given(without_count(number, 1..=8, |byte| byte.is_ascii_hexdigit()));
    Some(Channel { dialed, port: Some(span), ..of_kind(ChannelKind::Digital) })
}

/// `5000@from-internal-00000001;2`, `@from-internal-XXXXX`.
fn local(rest: &str) -> Channel<'_> {
    let place = without_suffix(without_half(rest));
    let (number, context) = place.split_once('@').unwrap_or((place, ""));
    Channel { peer: given(context), dialed: given(number), ..of_kind(ChannelKind::Local) }
}

fn other(peer: &str) -> Channel<'_> {
    Channel { peer: given(peer), ..of_kind(ChannelKind::Other) }
}

/// A Local channel has two halves. So have the channels of Asterisk's other drivers that lead
/// nowhere outside (`CBAnn/`, `Recorder/`); before Asterisk 1.6 the mark was a comma.
fn without_half(rest: &str) -> &str {
    match rest.strip_suffix(['1', '2']) {
        Some(marked) => marked.strip_suffix([';', ',']).unwrap_or(rest),
        None => rest,
    }
}

/// The name without `-` and four to eight hex digits, or as many of the documents' literal X's.
fn without_suffix(name: &str) -> &str {
    if name.ends_with('X') {
        without_count(name, 4..=8, |byte| byte == b'X')
    } else {
        without_count(name, 4..=8, |byte| byte.is_ascii_hexdigit())
    }
}

/// The name without a hyphen and so many digits at its end, if it has them.
fn without_count(name: &str, lengths: RangeInclusive<usize>, is_digit: impl Fn(u8) -> bool) -> &str {
    let digits = name.bytes().rev().take(lengths.end() + 1).take_while(|&byte| is_digit(byte)).count();
    let before = name.len() - digits;
    if !lengths.contains(&digits) {
        return name;
    }
    name[..before].strip_suffix('-').unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// `extension tech=PJSIP peer=1000`: the kind, then what else is there.
    fn shown(channel: Channel<'_>) -> String {
        let mut text = channel.kind.map_or_else(String::new, |kind| kind.to_string());
        let parts = [
            ("tech", channel.tech),
            ("peer", channel.peer),
            ("trunk", channel.trunk),
            ("dialed", channel.dialed),
        ];
        for (name, value) in parts {
            text.extend(value.map(|value| format!(" {name}={value}")));
        }
        text.extend(channel.port.map(|port| format!(" port={port}")));
        text
    }

    fn reads(name: &str, expected: &str) {
        assert_eq!(shown(Channel::parse(name)), expected, "{name}");
    }

    fn reads_on(model: &str, name: &str, expected: &str) {
        assert_eq!(shown(Channel::parse_with(name, &PortMap::of_model(model).unwrap())), expected, "{name}");
    }

    fn reads_trunk(name: &str, side: Side, expected: &str) {
        assert_eq!(shown(Channel::parse_trunk(name, side)), expected, "{name}");
    }

    facts! { reads:
        empty_name_has_no_part("", "");
        blank_name_is_an_empty_one(" \t", "");
        blanks_around_a_name_do_not_count("  SIP/609-00000150 ", "extension tech=SIP peer=609");

        pjsip_number_is_an_extension("PJSIP/1000-00000003", "extension tech=PJSIP peer=1000");
        sip_number_is_an_extension("SIP/610-00000074", "extension tech=SIP peer=610");
        documents_literal_suffix_is_dropped("PJSIP/6011-XXXXXX", "extension tech=PJSIP peer=6011");
        old_suffix_of_four_digits_is_dropped("SIP/610-09a1", "extension tech=SIP peer=610");
        suffix_in_capitals_is_dropped("SIP/610-09A1BCDE", "extension tech=SIP peer=610");
        three_hex_digits_are_no_suffix("SIP/610-09a", "extension tech=SIP peer=610-09a");
        nine_hex_digits_are_no_suffix("SIP/610-000000740", "extension tech=SIP peer=610-000000740");
        small_x_is_no_suffix("SIP/610-xxxxxx", "extension tech=SIP peer=610-xxxxxx");
        mixed_x_and_hex_is_no_suffix("SIP/610-XX0000", "extension tech=SIP peer=610-XX0000");
        empty_suffix_is_none("SIP/610-", "extension tech=SIP peer=610-");
        only_the_last_suffix_is_dropped("SIP/1-0000001a-0000001b", "extension tech=SIP peer=1-0000001a");
        name_without_suffix_reads_the_same("PJSIP/6011", "extension tech=PJSIP peer=6011");
        hyphen_in_a_peer_belongs_to_it("PJSIP/front-desk-0000001a", "extension tech=PJSIP peer=front-desk");
        hyphen_in_a_peer_without_suffix("PJSIP/front-desk", "extension tech=PJSIP peer=front-desk");
        host_is_a_peer("SIP/192.168.1.5-00000001", "extension tech=SIP peer=192.168.1.5");
        peer_may_be_any_text("PJSIP/приёмная-0000001a", "extension tech=PJSIP peer=приёмная");
        text_after_the_hyphen_may_be_any("PJSIP/前台-大堂", "extension tech=PJSIP peer=前台-大堂");
        driver_is_compared_without_case("pjsip/1000-00000003", "extension tech=pjsip peer=1000");
        nothing_but_a_driver_is_other("PJSIP/", "other tech=PJSIP");
        nothing_but_a_suffix_is_other("PJSIP/-00000001", "other tech=PJSIP");

        trunk_alone_is_inbound("PJSIP/trunk_1-00000000", "trunk_in tech=PJSIP trunk=trunk_1");
        sip_trunk_is_inbound("SIP/trunk_16-0000001b", "trunk_in tech=SIP trunk=trunk_16");
        trunk_without_suffix_is_inbound("SIP/trunk_16", "trunk_in tech=SIP trunk=trunk_16");
        trunk_may_have_any_name("PJSIP/trunk_a-b-XXXXXX", "trunk_in tech=PJSIP trunk=trunk_a-b");
        trunk_with_number_is_outbound("PJSIP/trunk_1/5551234", "trunk_out tech=PJSIP trunk=trunk_1 dialed=5551234");
        outbound_suffix_is_dropped("PJSIP/trunk_1/5551234-0000001b", "trunk_out tech=PJSIP trunk=trunk_1 dialed=5551234");
        hyphen_in_a_number_belongs_to_it("PJSIP/trunk_1/555-1234", "trunk_out tech=PJSIP trunk=trunk_1 dialed=555-1234");
        hyphens_in_a_number_and_a_suffix("SIP/trunk_1/1-555-1234-0000001b", "trunk_out tech=SIP trunk=trunk_1 dialed=1-555-1234");
        number_may_hold_a_slash("SIP/trunk_1/0/55-0000001b", "trunk_out tech=SIP trunk=trunk_1 dialed=0/55");
        outbound_without_a_number("SIP/trunk_1/", "trunk_out tech=SIP trunk=trunk_1");
        outbound_with_nothing_but_a_suffix("SIP/trunk_1/-0000001b", "trunk_out tech=SIP trunk=trunk_1");
        trunk_needs_a_name("SIP/trunk_-0000001b", "extension tech=SIP peer=trunk_");
        trunk_needs_an_underscore("SIP/trunk1-0000001b", "extension tech=SIP peer=trunk1");
        trunk_is_written_small("SIP/Trunk_1-0000001b", "extension tech=SIP peer=Trunk_1");
        number_behind_a_peer_is_other("SIP/provider/5551234-0000001b", "other tech=SIP peer=provider/5551234");
        number_behind_a_nameless_trunk_is_other("SIP/trunk_/5551234", "other tech=SIP peer=trunk_/5551234");

        iax_number_is_an_extension("IAX2/4005-1a2b3c4", "extension tech=IAX2 peer=4005");
        iax_of_the_documents("IAX2/4005-XXXXXXX", "extension tech=IAX2 peer=4005");
        iax_trunk_is_inbound("IAX2/trunk_3-00001a2b", "trunk_in tech=IAX2 trunk=trunk_3");
        iax_trunk_with_number_is_outbound("IAX2/trunk_3/911", "trunk_out tech=IAX2 trunk=trunk_3 dialed=911");

        line_of_an_unknown_model_is_analog("DAHDI/1-1", "analog tech=DAHDI port=1");
        line_without_suffix("DAHDI/17", "analog tech=DAHDI port=17");
        line_of_an_old_driver("Zap/4-1", "analog tech=Zap port=4");
        line_in_small_letters("dahdi/4-1", "analog tech=dahdi port=4");
        line_in_a_group("DAHDI/1:5-1", "analog tech=DAHDI port=5");
        line_in_a_group_without_suffix("DAHDI/1:5", "analog tech=DAHDI port=5");
        greatest_port("DAHDI/65535-1", "analog tech=DAHDI port=65535");
        number_beyond_ports_is_other("DAHDI/99999999", "other tech=DAHDI peer=99999999");
        number_beyond_ports_loses_its_suffix("DAHDI/65536-1", "other tech=DAHDI peer=65536");
        signed_number_is_no_port("DAHDI/+5", "other tech=DAHDI peer=+5");
        nothing_behind_dahdi_is_other("DAHDI/", "other tech=DAHDI");
        word_behind_dahdi_is_other("DAHDI/g1/5551234", "other tech=DAHDI peer=g1/5551234");
        pseudo_is_a_conference("DAHDI/pseudo-149089967", "conference tech=DAHDI");
        pseudo_of_an_old_driver("Zap/pseudo-1665832080", "conference tech=Zap");
        pseudo_without_suffix("DAHDI/pseudo", "conference tech=DAHDI");
        pseudo_is_a_whole_word("DAHDI/pseudonym-1", "other tech=DAHDI peer=pseudonym");
        digital_span("DAHDI/i1/5551234-1", "digital tech=DAHDI dialed=5551234 port=1");
        digital_suffix_is_hex("DAHDI/i2/6905551234-770d", "digital tech=DAHDI dialed=6905551234 port=2");
        digital_without_suffix("DAHDI/i2/6905551234", "digital tech=DAHDI dialed=6905551234 port=2");
        digital_without_number("DAHDI/i2/-2", "digital tech=DAHDI port=2");
        span_beyond_ports_is_other("DAHDI/i70000/5551234-1", "other tech=DAHDI peer=i70000/5551234");
        span_without_number_part_is_other("DAHDI/i2-1", "other tech=DAHDI peer=i2");

        local_with_number("Local/5000@from-internal-00000001;2", "local tech=Local peer=from-internal dialed=5000");
        local_first_half("Local/5000@from-internal-00000001;1", "local tech=Local peer=from-internal dialed=5000");
        local_without_number("Local/@from-internal-XXXXX", "local tech=Local peer=from-internal");
        local_without_suffix("Local/5000@from-internal", "local tech=Local peer=from-internal dialed=5000");
        local_half_without_suffix("Local/5000@from-internal;1", "local tech=Local peer=from-internal dialed=5000");
        local_with_the_old_comma("Local/5000@from-internal-1a2b,1", "local tech=Local peer=from-internal dialed=5000");
        local_context_begins_at_the_first_at("Local/a@b@c-00000001;1", "local tech=Local peer=b@c dialed=a");
        local_without_context("Local/5000-00000001;1", "local tech=Local dialed=5000");
        local_hyphen_in_the_number("Local/555-1234@ctx", "local tech=Local peer=ctx dialed=555-1234");
        local_with_nothing("Local/", "local tech=Local");

        hangup_is_an_application("Hangup", "application peer=Hangup");
        playback_is_an_application("Playback", "application peer=Playback");
        read_exten_is_an_application("ReadExten", "application peer=ReadExten");
        any_word_is_an_application("Воспроизведение", "application peer=Воспроизведение");
        application_has_no_suffix("Page-0000001a", "application peer=Page-0000001a");

        another_driver_is_other("SCCP/1000-00000001", "other tech=SCCP peer=1000");
        another_driver_without_suffix("Message/ast_msg_queue", "other tech=Message peer=ast_msg_queue");
        another_driver_with_halves("CBAnn/6300-00000001;2", "other tech=CBAnn peer=6300");
        halves_are_not_of_sip("SIP/5300-00000001;1", "extension tech=SIP peer=5300-00000001;1");
        slash_without_driver_is_other("/1000", "other peer=1000");
        lone_slash_is_other("/", "other");

        zombie_is_taken_off("SIP/5300-00000001<ZOMBIE>", "extension tech=SIP peer=5300");
        masq_is_taken_off("SIP/5300-00000001<MASQ>", "extension tech=SIP peer=5300");
        both_marks_are_taken_off("SIP/5300-00000001<MASQ><ZOMBIE>", "extension tech=SIP peer=5300");
        mark_behind_a_half("Local/5000@ctx-00000001;2<ZOMBIE>", "local tech=Local peer=ctx dialed=5000");
        mark_behind_a_line("DAHDI/1-1<ZOMBIE>", "analog tech=DAHDI port=1");
        mark_alone_is_a_word("<ZOMBIE>", "application peer=<ZOMBIE>");
        parked_is_taken_off("Parked/SIP/5300-00000001", "extension tech=SIP peer=5300");
        async_goto_is_taken_off("AsyncGoto/PJSIP/trunk_1-00000001", "trunk_in tech=PJSIP trunk=trunk_1");
        bridge_is_taken_off("Bridge/DAHDI/1-1", "analog tech=DAHDI port=1");
        wrappers_are_taken_off_together("AsyncGoto/Bridge/SIP/5300-00000001<ZOMBIE>", "extension tech=SIP peer=5300");
        parked_before_no_channel_stays("Parked/701", "other tech=Parked peer=701");
        unknown_wrapper_is_a_driver("Surrogate/SIP/5300-00000001", "other tech=Surrogate peer=SIP/5300");

        pstn_is_an_fxo_port("pstn2", "fxo port=2");
        gsm_is_a_gsm_port("GSM3", "gsm port=3");
        ports_are_read_without_case("PSTN10", "fxo port=10");
        gsm_in_small_letters("gsm1", "gsm port=1");
        port_without_number_is_a_word("pstn", "application peer=pstn");
        port_with_more_is_a_word("GSM3a", "application peer=GSM3a");
        port_too_great_is_a_word("GSM99999", "application peer=GSM99999");
    }

    facts! { reads_on:
        first_line_is_fxo("UCM6204", "DAHDI/1-1", "fxo tech=DAHDI port=1");
        last_line_is_fxo("UCM6204", "DAHDI/4-1", "fxo tech=DAHDI port=4");
        phone_is_fxs("UCM6204", "DAHDI/5-1", "fxs tech=DAHDI port=5");
        port_off_the_map_is_analog("UCM6204", "DAHDI/7-1", "analog tech=DAHDI port=7");
        group_is_no_port("UCM6510", "DAHDI/1:3-1", "fxs tech=DAHDI port=3");
        conference_is_none_of_the_ports("UCM6204", "DAHDI/pseudo-1", "conference tech=DAHDI");
        span_is_none_of_the_ports("UCM6510", "DAHDI/i1/555-1", "digital tech=DAHDI dialed=555 port=1");
        nexo_port_needs_no_map("UCM6204", "pstn5", "fxo port=5");
    }

    facts! { reads_trunk:
        nexo_source_trunk("96", Side::Source, "trunk_in trunk=96");
        nexo_destination_trunk("96", Side::Destination, "trunk_out trunk=96");
        nexo_trunk_may_look_like_a_channel("SIP/96", Side::Source, "trunk_in trunk=SIP/96");
        nexo_pstn_port("pstn2", Side::Source, "fxo port=2");
        nexo_gsm_port("gsm3", Side::Destination, "gsm port=3");
        nexo_port_without_number_is_a_trunk("pstn", Side::Source, "trunk_in trunk=pstn");
        nexo_without_trunk(" ", Side::Source, "");
    }

    #[test]
    fn trunks_lead_out_of_the_pbx() {
        use ChannelKind::*;
        let trunks = [TrunkIn, TrunkOut, Fxo, Gsm, Digital];
        let others = [Extension, Fxs, Analog, Conference, Local, Application, Other];
        assert!(trunks.iter().all(|kind| kind.is_trunk()) && !others.iter().any(|kind| kind.is_trunk()));
    }

    /// Text made of what channel names are made of, so that the rules are met often.
    fn name_like() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            prop::sample::select(vec![
                "PJSIP", "Local", "DAHDI", "Zap", "pseudo", "trunk_", "Parked/", "Bridge/", "<ZOMBIE>",
                "<MASQ>", "/", "-", "@", ";1", ":", "i", "pstn", "GSM", "0000001a", "XXXXXX", "5300",
                "99999999", "é", "大", " ",
            ])
            .prop_map(str::to_owned),
            any::<char>().prop_map(String::from),
        ];
        prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
    }

    /// The slow twin of `without_suffix`, by the words of the rule.
    fn naive_without_suffix(name: &str) -> &str {
        let Some((before, suffix)) = name.rsplit_once('-') else { return name };
        let is_hex = suffix.chars().all(|digit| digit.is_ascii_hexdigit());
        let is_literal = suffix.chars().all(|letter| letter == 'X');
        if (4..=8).contains(&suffix.len()) && (is_hex || is_literal) { before } else { name }
    }

    proptest! {
        #[test]
        fn suffix_is_found_as_by_its_slow_twin(name in "[a-z0-9é-]{0,4}-?[0-9a-fA-FX]{0,10}[Xé-]?") {
            prop_assert_eq!(without_suffix(&name), naive_without_suffix(&name));
        }

        #[test]
        fn any_text_is_read_and_parts_stand_in_it(name in name_like(), other in any::<String>()) {
            for name in [name, other] {
                let channels = [Channel::parse(&name), Channel::parse_trunk(&name, Side::Source)];
                for channel in channels {
                    prop_assert_eq!(channel.kind.is_none(), name.trim_ascii().is_empty());
                    let parts = [channel.tech, channel.peer, channel.trunk, channel.dialed];
                    prop_assert!(parts.into_iter().flatten().all(|part| !part.is_empty() && name.contains(part)));
                }
            }
        }

        #[test]
        fn suffix_marks_and_wrappers_change_nothing(
            peer in "[a-z0-9_é.-]{0,8}[g-z]", count in any::<u32>(),
            wrapper in "(Parked/|AsyncGoto/|Bridge/){0,2}", mark in "(<MASQ>|<ZOMBIE>){0,2}",
        ) {
            let bare = format!("PJSIP/{peer}");
            let dressed = format!("{wrapper}{bare}-{count:08x}{mark}");
            prop_assert_eq!(Channel::parse(&bare), Channel::parse(&dressed));
            prop_assert_eq!(Channel::parse(&bare).peer, Some(&*peer));
        }
    }
}
