//! Which analog ports of a PBX are lines to the telephone network, and which are phones.
//!
//! A name such as `DAHDI/3` gives a port's number, not what is plugged into it: that depends on the
//! box, and no dump names the box. So the user does, by its model or by a map of its own. This file
//! knows the models that the documents list; it must not know how channel names are written.
//!
//! ```text
//! map   = entry *( "," entry )
//! entry = ( "fxo" | "fxs" ) "=" port [ "-" port ]      each at most once, blanks do not count
//! ```
//!
//! Source: UCM6xxx CDR guide, "Source Channel, Dest Channel", "Sample 1".

use std::fmt;
use std::ops::RangeInclusive;

use super::channel::ChannelKind;

type Ports = RangeInclusive<u16>;

/// The models that the documents list: FXO ports, FXS ports.
const MODELS: [(&str, Ports, Ports); 8] = [
    ("6102", 1..=2, 3..=4),
    ("6104", 1..=4, 5..=6),
    ("6108", 1..=8, 9..=10),
    ("6116", 1..=16, 17..=18),
    ("6202", 1..=2, 3..=4),
    ("6204", 1..=4, 5..=6),
    ("6208", 1..=8, 9..=10),
    ("6510", 1..=2, 3..=4),
];

/// The analog ports of a PBX. The default is a PBX of which nothing is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PortMap {
    fxo: Option<Ports>,
    fxs: Option<Ports>,
}

impl PortMap {
    /// The ports of a model, named as `UCM6204`, `ucm6204` or `6204`. The error is a sentence for
    /// the user and lists the models that are known.
    pub fn of_model(model: &str) -> Result<PortMap, String> {
        let name = model.trim_ascii();
        let number = match name.split_at_checked(3) {
            Some((maker, number)) if maker.eq_ignore_ascii_case("UCM") => number,
            _ => name,
        };
        match MODELS.iter().find(|(known, ..)| *known == number) {
            Some((_, fxo, fxs)) => Ok(PortMap { fxo: Some(fxo.clone()), fxs: Some(fxs.clone()) }),
            None => Err(unknown_model(name)),
        }
    }

    /// The ports as the user lists them: `fxo=1-4,fxs=5-8`. Either may be missing; a single number
    /// is a range of one. The error is a sentence for the user.
    pub fn parse(map: &str) -> Result<PortMap, String> {
        let mut ports = PortMap::default();
        for (key, value) in entries(map, "port map", "fxo=1-4,fxs=5-8")? {
            let known = match &*key.to_ascii_lowercase() {
                "fxo" => &mut ports.fxo,
                "fxs" => &mut ports.fxs,
                _ => return Err(format!("\"{key}\" in the port map is neither fxo nor fxs")),
            };
            if known.replace(range(value)?).is_some() {
                return Err(format!("{} stands twice in the port map", key.to_ascii_lowercase()));
            }
        }
        match (&ports.fxo, &ports.fxs) {
            (Some(fxo), Some(fxs)) if fxo.start() <= fxs.end() && fxs.start() <= fxo.end() => {
                Err(format!("fxo={} and fxs={} overlap in the port map", written(fxo), written(fxs)))
            }
            _ => Ok(ports),
        }
    }

    /// `Fxo` or `Fxs`; none where the port is not on the map.
    pub fn kind(&self, port: u16) -> Option<ChannelKind> {
        let has = |ports: &Option<Ports>| ports.as_ref().is_some_and(|ports| ports.contains(&port));
        if has(&self.fxo) {
            Some(ChannelKind::Fxo)
        } else if has(&self.fxs) {
            Some(ChannelKind::Fxs)
        } else {
            None
        }
    }
}

/// As the user writes a map.
impl fmt::Display for PortMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let entry = |name: &str, ports: &Option<Ports>| {
            ports.as_ref().map(|ports| format!("{name}={}", written(ports)))
        };
        let entries: Vec<String> =
            [entry("fxo", &self.fxo), entry("fxs", &self.fxs)].into_iter().flatten().collect();
        f.write_str(&entries.join(","))
    }
}

#[cold]
fn unknown_model(name: &str) -> String {
    let known = MODELS.map(|(number, ..)| format!("UCM{number}")).join(", ");
    format!(
        "unknown model \"{name}\": known are {known}; for another box give its port map, such as fxo=1-4,fxs=5-8"
    )
}

fn range(value: &str) -> Result<Ports, String> {
    let (first, last) = bounds(value);
    match (port_number(first), port_number(last)) {
        (Some(first), Some(last)) if first > last => Err(format!("the ports {value} run backwards")),
        (Some(first), Some(last)) => Ok(first..=last),
        _ => Err(format!("\"{value}\" is no range of ports: it is written as 1-4, with numbers up to 65535")),
    }
}

fn written(ports: &Ports) -> String {
    let (first, last) = (ports.start(), ports.end());
    if first == last { first.to_string() } else { format!("{first}-{last}") }
}

/// The number of a port: digits alone, at most 65535.
pub(super) fn port_number(digits: &str) -> Option<u16> {
    // `parse` would take a sign, too.
    if digits.starts_with('+') { None } else { digits.parse().ok() }
}

/// The entries `KEY=VALUE` of what the user typed, separated by commas; `what` it is and an
/// `example` are for the error. Number plans are written the same way.
pub(super) fn entries<'a>(
    text: &'a str,
    what: &str,
    example: &str,
) -> Result<Vec<(&'a str, &'a str)>, String> {
    let entry = |entry: &'a str| match entry.split_once('=') {
        Some((key, value)) => Ok((key.trim_ascii(), value.trim_ascii())),
        None => {
            let entry = entry.trim_ascii();
            Err(format!("\"{entry}\" in the {what} is no KEY=RANGE: it is written as {example}"))
        }
    };
    text.split(',').map(entry).collect()
}

/// The two ends of `1-4`; those of `3` are the same.
pub(super) fn bounds(value: &str) -> (&str, &str) {
    let (first, last) = value.split_once('-').unwrap_or((value, value));
    (first.trim_ascii(), last.trim_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// `fxo fxs - -`: what the ports from 1 on are.
    fn shown(map: &PortMap, upto: u16) -> String {
        (1..=upto).map(|port| map.kind(port).map_or("-", ChannelKind::as_str)).collect::<Vec<_>>().join(" ")
    }

    fn has_lines_and_phones(model: &str, fxo: u16, fxs: u16) {
        let expected = [vec!["fxo"; fxo.into()], vec!["fxs"; fxs.into()], vec!["-"]].concat().join(" ");
        assert_eq!(shown(&PortMap::of_model(model).unwrap(), fxo + fxs + 1), expected);
    }

    fn reads(map: &str, expected: &str) {
        assert_eq!(shown(&PortMap::parse(map).unwrap(), 6), expected);
    }

    fn refuses(map: &str, message: &str) {
        assert_eq!(PortMap::parse(map).unwrap_err(), message);
    }

    facts! { has_lines_and_phones:
        ucm6102("UCM6102", 2, 2);
        ucm6104("UCM6104", 4, 2);
        ucm6108("UCM6108", 8, 2);
        ucm6116("UCM6116", 16, 2);
        ucm6202("UCM6202", 2, 2);
        ucm6204("UCM6204", 4, 2);
        ucm6208("UCM6208", 8, 2);
        ucm6510("UCM6510", 2, 2);
        model_without_case("ucm6204", 4, 2);
        model_by_its_number("6204", 4, 2);
    }

    facts! { reads:
        lines_and_phones("fxo=1-2,fxs=3-5", "fxo fxo fxs fxs fxs -");
        phones_first("fxs=1-2,fxo=3", "fxs fxs fxo - - -");
        lines_alone("fxo=2-3", "- fxo fxo - - -");
        phones_alone("fxs=4", "- - - fxs - -");
        keys_without_case_and_with_blanks(" FXO = 1 - 2 , fxs=3", "fxo fxo fxs - - -");
    }

    facts! { refuses:
        empty_map("", "\"\" in the port map is no KEY=RANGE: it is written as fxo=1-4,fxs=5-8");
        trailing_comma("fxo=1,", "\"\" in the port map is no KEY=RANGE: it is written as fxo=1-4,fxs=5-8");
        bare_range("1-4", "\"1-4\" in the port map is no KEY=RANGE: it is written as fxo=1-4,fxs=5-8");
        unknown_key("fxa=1-4", "\"fxa\" in the port map is neither fxo nor fxs");
        repeated_key("fxo=1,FXO=2", "fxo stands twice in the port map");
        reversed_range("fxo=4-1", "the ports 4-1 run backwards");
        overlap("fxo=1-4,fxs=4-5", "fxo=1-4 and fxs=4-5 overlap in the port map");
        overlap_within("fxo=1-4,fxs=2", "fxo=1-4 and fxs=2 overlap in the port map");
        no_number("fxo=a-4", "\"a-4\" is no range of ports: it is written as 1-4, with numbers up to 65535");
        no_range("fxo=", "\"\" is no range of ports: it is written as 1-4, with numbers up to 65535");
        two_hyphens("fxo=1-2-3", "\"1-2-3\" is no range of ports: it is written as 1-4, with numbers up to 65535");
        signed_number("fxo=+1", "\"+1\" is no range of ports: it is written as 1-4, with numbers up to 65535");
        too_great("fxo=1-65536", "\"1-65536\" is no range of ports: it is written as 1-4, with numbers up to 65535");
    }

    #[test]
    fn unknown_model_lists_the_known_ones() {
        let expected = "unknown model \"UCM6300\": known are UCM6102, UCM6104, UCM6108, UCM6116, UCM6202, UCM6204, \
                        UCM6208, UCM6510; for another box give its port map, such as fxo=1-4,fxs=5-8";
        assert_eq!(PortMap::of_model("UCM6300").unwrap_err(), expected);
    }

    #[test]
    fn default_map_knows_no_port() {
        assert_eq!(shown(&PortMap::default(), 3), "- - -");
    }

    proptest! {
        #[test]
        fn any_text_is_a_map_or_an_error(text in any::<String>(), map in "[fxos=,0-9 é-]{0,16}") {
            for text in [text, map] {
                let _ = (PortMap::of_model(&text), PortMap::parse(&text));
            }
        }
    }
}
