//! Walking from bracket to bracket against walking byte by byte.

use proptest::prelude::*;
use proptest::sample::select;

use super::*;
use crate::format::by_name;

/// All cuts of a text that is shown in pieces of so many bytes, and what is known in the end.
fn cuts(format: &str, text: &[u8], shown: usize, slowly: bool) -> (Vec<Element>, Ending) {
    let json = by_name(format).and_then(|format| format.json()).expect("a JSON format");
    let mut splitter = if slowly { Splitter::slow(json) } else { Splitter::new(json) };
    let (mut at, mut limit, mut found) = (0, shown, Vec::new());
    while at < text.len() {
        let end = text.len().min(at + limit);
        match splitter.cut(&text[at..end], end == text.len()) {
            Cut::Elements(length, elements) => {
                let moved = |element: &Element| {
                    Element::new(at + element.start as usize, at + element.end as usize, element.kind)
                };
                found.extend(elements.iter().map(moved));
                at += length;
                limit = shown;
            }
            Cut::More if end < text.len() => limit *= 2,
            other => panic!("{other:?} at {at} of {}", text.len()),
        }
    }
    (found, splitter.end())
}

fn piece() -> impl Strategy<Value = String> {
    let record = prop_oneof![
        6 => Just(r#"{"src":"1","dst":"2","clid":"\"Ann\" <1>"}"#),
        2 => Just(r#"{"cdr":"1","main_cdr":{"src":"{"},"sub_cdr_1":{"dst":"}]"}}"#),
        1 => Just(r#"{"src" : "1" , "list":[{"src":"2"},[3]]}"#),
    ];
    let broken = (
        record.clone(),
        any::<prop::sample::Index>(),
        select(vec!["", "\"", "{", "}", "\\", "]", "x", "\n"]),
    )
        .prop_map(|(record, at, with)| {
            let at = at.index(record.len());
            format!("{}{with}{}", &record[..at], &record[at + 1..])
        });
    prop_oneof![
        8 => record.prop_map(str::to_string),
        3 => broken,
        2 => select(vec![r#"{"cdr_root":["#, "]}", "[", "]", r#"{"response":{"cdr_root":["#, r#"]},"status":0}"#])
            .prop_map(str::to_string),
        1 => select(vec!["null", "text", "\0\0", "\u{feff}", r#""a""#, "HTTP/1.1 200 OK\n", r#"{"data":{"call_id":"1","hangup_cause":"2"}}"#])
            .prop_map(str::to_string),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn brackets_equal_bytes(
        pieces in proptest::collection::vec((piece(), select(vec![",", ",\n", "\n", "", " "])), 1..20),
        shown in select(vec![7usize, 64, 300, 100_000]),
        format in select(vec!["ucm-cdrapi-json", "nexo-json", "kazoo-json"]),
    ) {
        let text: String = pieces.iter().flat_map(|(piece, between)| [piece.as_str(), between]).collect();
        let fast = cuts(format, text.as_bytes(), shown, false);
        prop_assert_eq!(&fast, &cuts(format, text.as_bytes(), shown, true), "{}", text);
        for (one, next) in fast.0.iter().zip(fast.0.iter().skip(1)) {
            prop_assert!(one.end <= next.start && one.start < one.end, "{:?} {:?}", one, next);
        }
    }
}

#[test]
fn a_block_of_short_records_ends_before_they_are_too_many() {
    let text = r#"{"src":"1"}"#.repeat(3 * MOST_ELEMENTS / 2);
    let json = by_name("ucm-cdrapi-json").and_then(|format| format.json()).expect("a JSON format");
    let Cut::Elements(length, elements) = Splitter::new(json).cut(text.as_bytes(), true) else { panic!() };
    assert_eq!((length, elements.len()), (11 * MOST_ELEMENTS, MOST_ELEMENTS));
    assert_eq!(cuts("ucm-cdrapi-json", text.as_bytes(), text.len(), false).0.len(), 3 * MOST_ELEMENTS / 2);
}
