//! Parties: any text has a reading, made of its own parts, and a packed party is its parts again.

use calltable::decode::Party;

/// Panics where something is wrong.
pub fn check(text: &str) {
    let party = Party::parse(text);
    assert_eq!(party, Party::parse(&format!("  {text}\t")));
    for part in [party.number, party.trunk].into_iter().flatten() {
        assert!(!part.is_empty() && text.contains(part), "{part:?}");
    }
    let Some(name) = party.name.as_deref() else { return };
    assert!(!name.is_empty());
    // What it found, packed as Asterisk packs it, is found again.
    let plain = !name.contains(['"', '\\', '<', '>', '[']) && name.trim_ascii() == name;
    if let (true, Some(number), None) = (plain, party.number, party.trunk) {
        let packed = format!("\"{name}\" <{number}>");
        let again = Party::parse(&packed);
        assert_eq!((again.name.as_deref(), again.number), (Some(name), Some(number)), "{packed}");
    }
}
