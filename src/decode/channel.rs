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
    /// How many kinds there are.
    pub const COUNT: usize = ChannelKind::Other as usize + 1;

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

    /// Reads the stem of a name of the usual form: see [`Stemmed`].
    pub(crate) fn of_stem(stem: &'a str) -> Channel<'a> {
        let Some((tech, rest)) = at_slash(stem) else { return one_word(stem) };
        let channel = match rest.strip_suffix('/') {
            Some(trunk) => Channel { trunk: Some(trunk), ..of_kind(ChannelKind::TrunkOut) },
            None if is_trunk(rest) => Channel { trunk: Some(rest), ..of_kind(ChannelKind::TrunkIn) },
            None => Channel { peer: Some(rest), ..of_kind(ChannelKind::Extension) },
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

/// A name of the form that most have: a peer's or trunk's, with eight digits of Asterisk's suffix. What
/// comes again in many calls stands apart from what does not.
///
/// ```text
/// PJSIP/5219-00000000                        PJSIP/trunk_14/+494074427470-00000001
/// stem                                       stem           dialed
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stemmed<'a> {
    /// All that tells more than the number dialled: [`Channel::of_stem`].
    pub stem: &'a str,
    /// The number dialled out through the trunk.
    pub dialed: Option<&'a str>,
}

impl<'a> Stemmed<'a> {
    /// A name so taken apart, if it has that form.
    #[inline]
    pub fn of(name: &'a str) -> Option<Stemmed<'a>> {
        // Each by itself, for a comparison with a text that is known when this is compiled is an instruction or two.
        let begin = match name {
            _ if name.starts_with("PJSIP/") => "PJSIP/".len(),
            _ if name.starts_with("SIP/") => "SIP/".len(),
            _ if name.starts_with("IAX2/") => "IAX2/".len(),
            _ => return None,
        };
        let (front, suffix) = name.as_bytes().split_last_chunk::<9>()?;
        let end = front.len();
        // Looked at without a branch: all at once.
        let are_digits = suffix[1..].iter().fold(true, |all, byte| all & byte.is_ascii_hexdigit());
        if end <= begin || suffix[0] != b'-' || !are_digits {
            return None;
        }
        match front[begin..].iter().position(|&byte| byte == b'/') {
            None => Some(Stemmed { stem: &name[..end], dialed: None }),
            Some(slash) if is_trunk(&name[begin..begin + slash]) => {
                let (stem, dialed) = name[..end].split_at(begin + slash + 1);
                Some(Stemmed { stem, dialed: given(dialed) })
            }
            Some(_) => None,
        }
    }
}

/// `trunk_X`.
fn is_trunk(name: &str) -> bool {
    name.strip_prefix("trunk_").is_some_and(|x| !x.is_empty())
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
mod tests;
