//! Channel names: any text has a reading, made of its own parts, the same with blanks around it.

use calltable::Channel;
use calltable::decode::{PortMap, Side};

/// Panics where something is wrong.
pub fn check(name: &str) {
    let channel = Channel::parse(name);
    assert_eq!(channel, Channel::parse_with(name, &PortMap::default()));
    assert_eq!(channel, Channel::parse(&format!("\t{name}  ")));
    let trunk = Channel::parse_trunk(name, Side::Destination);
    for part in [channel.tech, channel.peer, channel.trunk, channel.dialed, trunk.peer, trunk.trunk] {
        assert!(part.is_none_or(|part| !part.is_empty() && name.contains(part)), "{part:?}");
    }
    // Only a name that says nothing has no kind, and then no part either.
    assert!(channel.kind.is_some() || channel == Channel::default());
    for map in ["fxs=1-8", name] {
        let Ok(ports) = PortMap::parse(map) else { continue };
        let mapped = Channel::parse_with(name, &ports);
        // A port map knows kinds of ports, nothing else.
        assert_eq!(Channel { kind: channel.kind, ..mapped }, channel);
    }
}
