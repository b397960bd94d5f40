//! The fast way against the careful one, over records that are mostly alike.

use proptest::prelude::*;
use proptest::sample::select;

use super::*;
use crate::format::by_name;
use crate::split::Cut;
use crate::split::json::Splitter;

/// All that framing says, by value.
fn shown(records: &Records) -> Vec<String> {
    let text = |span: Span| String::from_utf8_lossy(span.of(&records.arena)).into_owned();
    let slots = records.layout.slots();
    let rows = records.places.iter().enumerate().map(|(row, place)| {
        let values = (0..slots).filter(|&slot| !records.value(row, slot).is_empty());
        let values = values.map(|slot| {
            format!("{}={}", records.layout.names[slot], text(records.spans[row * slots + slot]))
        });
        format!("{place:?} {}", values.collect::<Vec<_>>().join(" "))
    });
    let strays = records.strays.iter().map(|s| format!("{} {}={}", s.record, text(s.name), text(s.value)));
    let rejects = records.rejects.iter().map(|reject| format!("{reject:?}"));
    rows.chain(strays).chain(rejects).chain([format!("{:?}", records.counts)]).collect()
}

/// What both ways make of a text; whether any element was read the fast way.
fn both(format: &str, text: &[u8], how: How) -> [Vec<String>; 2] {
    let format = by_name(format).expect("a format");
    let layout = Arc::new(Layout::keyed(format, b'\n', &[]));
    let mut splitter = Splitter::new(format.json().expect("a JSON format"));
    let Cut::Elements(_, elements) = splitter.cut(text, true) else { return [Vec::new(), Vec::new()] };
    let twins = [frame, frame_carefully];
    twins.map(|frame| shown(&frame(text.to_vec(), &elements, b"", 0, layout.clone(), how)))
}

#[track_caller]
fn check(format: &str, text: &str) {
    let [fast, careful] = both(format, text.as_bytes(), How::default());
    assert_eq!(fast, careful, "{text}");
}

#[test]
fn a_step_that_is_too_long_to_remember_leads_nowhere() {
    let key = "k".repeat(40);
    check(
        "kazoo-json",
        &format!(r#"[{{"call_id":"1","{key}":2}},{{"call_id":"1","{key}":2 "call_id":"3"}}]"#),
    );
    check("kazoo-json", &format!(r#"[{{"{key}":2,"call_id":"1"}},{{"{key}":2 "call_id":"1"}}]"#));
}

#[test]
fn calls_of_all_shapes() {
    let sub = r#"{"AcctId":"1","src":"2"}"#;
    for call in [
        format!(r#"{{"cdr":"1-2","main_cdr":{sub},"sub_cdr_1":{sub},"sub_cdr_2":{sub}}}"#),
        format!(r#"{{"cdr":"1-2","sub_cdr_2":{sub},"sub_cdr_1":{sub},"main_cdr":{sub}}}"#),
        format!(r#"{{"main_cdr":{sub},"cdr":"1-2","sub_cdr":[{sub},{sub}]}}"#),
        format!(r#"{{"cdr":"","main_cdr":{{}},"sub_cdr_1":{sub},"note":"x"}}"#),
        format!(r#"{{"cdr":"1","cdr":"2","main_cdr":{sub},"sub_cdr_01":{sub},"sub_cdr_1":{sub}}}"#),
        format!(r#"{{"cdr":"1","main_cdr":{sub},"sub_cdr_1":{{"src":"\p","cdr":"3"}},"sub_cdr_2":null}}"#),
        r#"{"cdr":"1","cdr":"2","src":"1","sub_cdr":[1]}"#.to_string(),
        r#"{"src":"1","cdr":"9","dst":"2","cdr":"8","src":"7","x":1,"x":2}"#.to_string(),
        format!(r#"{{"cdr":"1","main_cdr":{sub},"sub_cdr_99999999999999999999":{sub}}}"#),
    ] {
        check("ucm-cdrapi-json", &format!(r#"{{"cdr_root":[{call},{call},{call}]}}"#));
    }
}

/// A member: mostly what all records have, at times anything.
fn member() -> impl Strategy<Value = String> {
    let key = prop_oneof![
        8 => select(vec!["src", "dst", "clid", "start", "cdr", "main_cdr", "sub_cdr_1", "sub_cdr_2", "sub_cdr"]),
        2 => select(vec!["x", "SRC", "y.z", "a\\u0062", "", "sub_cdr_x", "very_long_name_that_no_step_has_room_for"]),
    ];
    let value = prop_oneof![
        6 => select(vec![r#""2001""#, r#""""#, r#""\"Ann\" <1>""#, "null", "12", r#"{"src":"1","dst":"2"}"#]),
        1 => select(vec![r#"[{"src":"1"},{"dst":"2"}]"#, "[ ]", "{}", r#"{"a":{"b":1}}"#, r#""\p""#, "\"\t\"", "0.1e5"]),
        1 => select(vec![r#""\ud83d""#, "1x", "tru", "-", r#""a"b"#, "01", r#"[1,]"#, "{\"a\":1,}"]),
    ];
    let colon = prop_oneof![9 => Just(": "), 1 => select(vec![":", " :\n", " ", ""])];
    (key, colon, value).prop_map(|(key, colon, value)| format!("\"{key}\"{colon}{value}"))
}

fn element() -> impl Strategy<Value = String> {
    let comma = prop_oneof![12 => Just(", "), 1 => select(vec![",", " ", ",\n ,", ""])];
    let close = prop_oneof![12 => Just("}"), 1 => select(vec![",}", " }", "]", ""])];
    (proptest::collection::vec((member(), comma), 0..7), close).prop_map(|(members, close)| {
        let mut text = String::from("{");
        let last = members.len().saturating_sub(1);
        for (at, (member, comma)) in members.iter().enumerate() {
            text += member;
            text += if at < last { comma } else { "" };
        }
        text + close
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn fast_equals_careful(
        elements in proptest::collection::vec(element(), 1..8),
        copies in 1usize..3,
        between in select(vec![",", ",\n", "\n", ""]),
        format in select(vec!["ucm-cdrapi-json", "nexo-json", "kazoo-json"]),
        lenient in any::<bool>(),
    ) {
        let elements: Vec<String> = elements.iter().flat_map(|one| vec![one.clone(); copies]).collect();
        let text = format!("[{}]", elements.join(between));
        let [fast, careful] = both(format, text.as_bytes(), How { lenient, ..How::default() });
        prop_assert_eq!(fast, careful, "{}", text);
    }
}
