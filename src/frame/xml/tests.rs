use std::sync::Arc;

use proptest::prelude::*;
use quick_xml::events::Event;

use super::*;
use crate::format;
use crate::frame::{Counts, Place, Reject};
use crate::split::{Cut, Splitter};

fn layout() -> Arc<Layout> {
    let format = format::by_name("ucm-cdrapi-xml").expect("it is known");
    Arc::new(Layout::keyed(format, b'\n', &[]))
}

/// What came of a text: the records' names and values, wherever they stand in the arena.
#[derive(Debug, PartialEq)]
struct Outcome {
    rows: Vec<Vec<(String, String)>>,
    places: Vec<Place>,
    rejects: Vec<Reject>,
    counts: Counts,
}

fn framed(text: &[u8], is_fast: bool, how: How) -> Outcome {
    let layout = layout();
    let Cut::Elements(end, elements) = Splitter::new(&layout).cut(text, &layout, true) else {
        panic!("the text is all");
    };
    assert_eq!(end, text.len());
    let text = Checked::new(text.to_vec());
    let framed = elements_of(&text, &elements, b"", 0, &layout, how, is_fast).finish();
    let records = framed.records(text, layout.clone());
    let arena = std::str::from_utf8(&records.arena).expect("an arena is UTF-8");
    let row = |record: usize| {
        let spans = &records.spans[record * layout.slots()..][..layout.slots()];
        let known = layout.names.iter().zip(spans).filter(|(_, span)| span.len > 0);
        let known = known.map(|(name, span)| (name.clone(), span.text(arena).to_string()));
        let strays = records.strays.iter().filter(|stray| stray.record as usize == record);
        let strays = strays.map(|stray| (stray.name.text(arena).into(), stray.value.text(arena).into()));
        known.chain(strays).collect()
    };
    let rows = (0..records.len()).map(row).collect();
    Outcome { rows, places: records.places, rejects: records.rejects, counts: records.counts }
}

/// Both ways, which come to the same.
#[track_caller]
fn both(text: &[u8], how: How) -> Outcome {
    let (fast, careful) = (framed(text, true, how), framed(text, false, how));
    assert_eq!(fast, careful, "{}", String::from_utf8_lossy(text));
    fast
}

/// The only record of a text, `name=value` one behind the other, behind `repaired: ` if it is; or why it is
/// rejected. Twice, so that the fast way has seen its like.
#[track_caller]
fn check(text: &str, expected: &str) {
    let outcome = both(text.repeat(2).as_bytes(), How::default());
    assert_eq!(outcome.counts.records, 2, "{text}");
    let shown = match (&outcome.rows[..], &outcome.rejects[..]) {
        ([_, row], []) => {
            row.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ")
        }
        ([], [_, reject]) => reject.reason.name().to_string(),
        other => panic!("{other:?}"),
    };
    let repaired = if outcome.counts.repaired > 0 { "repaired: " } else { "" };
    assert_eq!(format!("{repaired}{shown}"), expected, "{text}");
}

/// The value of a field, or why its record is rejected.
#[track_caller]
fn check_value(written: &str, expected: &str) {
    let record = format!("<cdr><src>1</src><clid>{written}</clid><dst>2</dst></cdr>");
    match expected {
        "xml-syntax" => check(&record, expected),
        _ => match expected.strip_prefix("repaired: ") {
            Some(expected) => check(&record, &format!("repaired: src=1 dst=2 clid={expected}")),
            None => check(&record, &format!("src=1 dst=2 clid={expected}")),
        },
    }
}

#[test]
fn values_stand_as_they_are() {
    check_value("Ann", "Ann");
    check_value(" Ann \n", " Ann \n");
    check_value("Ännchen > 'x' \"y\"", "Ännchen > 'x' \"y\"");
}

#[test]
fn references_are_characters() {
    check_value("&quot;Ann&quot; &lt;2001&gt;", "\"Ann\" <2001>");
    check_value("&#39;&#x4E2D;&amp;amp;", "'中&amp;");
}

#[test]
fn entities_are_never_expanded() {
    check_value("&nbsp;", "xml-syntax");
    check_value("a &lol9; b", "xml-syntax");
    check_value("&#0;", "xml-syntax");
    check_value("&#xFFFF;", "xml-syntax");
}

#[test]
fn an_ampersand_that_begins_no_reference_is_text() {
    check_value("PJSIP/1&PJSIP/2,30", "repaired: PJSIP/1&PJSIP/2,30");
    check_value("& &; &#; &", "repaired: & &; &#; &");
}

#[test]
fn a_less_than_that_begins_no_tag_is_text() {
    check_value("\"John Doe\" <1000>", "repaired: \"John Doe\" <1000>");
    check_value("<", "repaired: <");
    check_value("a < b <c d </e> <f>g</f>", "repaired: a < b <c d </e> <f>g</f>");
    check_value("<!x", "repaired: <!x");
}

#[test]
fn a_known_element_within_a_field_says_that_its_end_is_lost() {
    check_value("Ann<channel>x</channel>", "xml-syntax");
    check_value("Ann<channel/>", "xml-syntax");
    check_value("Ann<channels>", "repaired: Ann<channels>");
}

#[test]
fn sections_are_text_and_comments_are_nothing() {
    check_value("<![CDATA[\"Ann\" <2001> & ]]>", "\"Ann\" <2001> & ");
    check_value("a<![CDATA[<]]>b<!-- </clid> -->c<?p </clid> ?>d", "a<bcd");
    check_value("<![CDATA[", "xml-syntax");
    check_value("a <!-- b", "xml-syntax");
}

#[test]
fn empty_elements_and_blanks_in_tags() {
    check("<cdr><src/><dst /><clid ></clid ><sn\n>1</sn\t></cdr>", "sn=1");
}

#[test]
fn of_equal_names_the_first_counts() {
    check(
        "<cdr><src>1</src><src>2</src><SRC>3</SRC><x>4</x><x>5</x></cdr>",
        "src=1 src#2=2 SRC#3=3 x=4 x#2=5",
    );
    check("<cdr><src/><src>2</src></cdr>", "src#2=2");
}

#[test]
fn unknown_elements_are_strays_and_those_within_have_dots() {
    check("<cdr><x>1</x><y a=\"2\" b='&lt;'>3</y></cdr>", "x=1 y=3 y.a=2 y.b=<");
    check("<cdr><x> <y>1</y> <z><u>2</u><u/></z></x></cdr>", "x.y=1 x.z.u=2");
    check("<cdr><x>a<y b=\"1\">&amp;<![CDATA[<]]></y>c</x></cdr>", "x.y.b=1 x.y=&< x=ac");
    check("<cdr><x>a<src>1</src></x></cdr>", "x.src=1 x=a");
}

#[test]
fn elements_that_do_not_close_each_other_are_text() {
    check("<cdr><x>a <b> c</x></cdr>", "repaired: x=a <b> c");
    check("<cdr><x>a <b><c></b></c></x></cdr>", "repaired: x=a <b><c></b></c>");
}

#[test]
fn what_is_nested_too_deeply_is_rejected() {
    let deep = |times: usize| format!("<cdr>{}1{}</cdr>", "<a>".repeat(times), "</a>".repeat(times));
    check(&deep(32), &format!("a{}=1", ".a".repeat(31)));
    check(&deep(33), "too-deep");
    check(&deep(100_000), "too-deep");
}

#[test]
fn text_outside_of_fields_and_wrong_tags_are_rejected() {
    for record in [
        "<cdr>a<src>1</src></cdr>",
        "<cdr><src>1</src></src></cdr>",
        "<cdr><1>2</1></cdr>",
        "<cdr><src a=\"1>2</src></cdr>",
        "<cdr a></cdr>",
    ] {
        check(record, "xml-syntax");
    }
}

#[test]
fn calls_have_main_and_sub_records() {
    let text = "<cdr session=\"7-1\"><main_cdr><src>1</src></main_cdr>\n<sub_cdr/><sub_cdr><src>2</src></sub_cdr></cdr>";
    let outcome = both(text.as_bytes(), How::default());
    let shown: Vec<String> = outcome
        .rows
        .iter()
        .map(|row| row.iter().map(|(name, value)| format!("{name}={value} ")).collect())
        .collect();
    assert_eq!(
        shown,
        [
            "src=1 #kind=main #group=7-1 ",
            "#kind=sub #index=1 #group=7-1 ",
            "src=2 #kind=sub #index=2 #group=7-1 "
        ]
    );
    assert_eq!(outcome.places[2].start as usize, text.rfind("<sub_cdr>").unwrap());
}

#[test]
fn a_call_may_be_named_without_quotes() {
    check("<cdr session=7-1><src>1</src></cdr>", "repaired: src=1 #group=7-1");
}

#[test]
fn attributes_are_bounded() {
    let many: String = (0..100_000).map(|at| format!(" a{at}=\"\"")).collect();
    check(&format!("<cdr{many}></cdr>"), "xml-syntax");
    check(&format!("<cdr><src{many}>1</src></cdr>"), "xml-syntax");
}

#[test]
fn records_that_are_not_utf8_are_rejected_or_decoded() {
    let text = [&b"<cdr session=\"\xD6\xD0\"><main_cdr><clid>&quot;\xD6\xD0&quot;</clid></main_cdr><sub_cdr><src>1</src></sub_cdr></cdr><cdr><src>2</src></cdr>"[..]].concat();
    let outcome = both(&text, How::default());
    assert_eq!((outcome.rows.len(), outcome.rejects.len()), (1, 1));
    assert_eq!(outcome.rejects[0].reason.name(), "invalid-utf8");
    let gbk = How { encoding: encoding_rs::Encoding::for_label(b"gbk"), ..How::default() };
    let outcome = both(&text, gbk);
    let value = |row: usize, at: usize| outcome.rows[row][at].1.clone();
    assert_eq!(
        (outcome.rows.len(), value(0, 0), value(0, 2), value(1, 3)),
        (3, "\"中\"".into(), "中".into(), "中".into())
    );
}

/// Pieces of documents, whole and broken.
fn pieces() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop::sample::select(vec![
        "<cdr>",
        "</cdr>",
        "<cdr session=\"5\">",
        "<cdr/>",
        "<main_cdr>",
        "</main_cdr>",
        "<sub_cdr>",
        "</sub_cdr>",
        "<src>1</src>",
        "<src>1</src><dst>2</dst>",
        "<src>",
        "</src>",
        "<dst>2</dst>",
        "<dst/>",
        "<clid>\"a\" <1000></clid>",
        "<x>3</x>",
        "<x>",
        "</x>",
        "<x><y>4</y></x>",
        "&amp;",
        "&",
        "&nbsp;",
        "<",
        ">",
        "\"",
        "<!--",
        "-->",
        "<![CDATA[",
        "]]>",
        "<?p",
        "?>",
        "<root>",
        "</root>",
        "<?xml ?>",
        "<!DOCTYPE r [",
        "]>",
        " ",
        "\n",
        "text",
        "é",
        "<src a=\"",
        "<lastdata>a&b</lastdata>",
        "<cdr><src>1</src><dst>2</dst></cdr>",
        "<sub_cdr><src>1</src></sub_cdr>",
    ]);
    let broken = prop::collection::vec(any::<u8>(), 0..3);
    prop::collection::vec(
        prop_oneof![60 => piece.prop_map(|piece: &str| piece.as_bytes().to_vec()), 1 => broken],
        0..40,
    )
    .prop_map(|pieces| pieces.concat())
}

/// A record of well-formed XML, without what we add to it.
fn well_formed() -> impl Strategy<Value = String> {
    let name = prop::sample::select(vec!["src", "dst", "clid", "lastdata", "AcctId", "x", "y"]);
    let text = prop::sample::select(vec![
        "1",
        "",
        " a ",
        "&lt;2001&gt;",
        "&amp;&quot;&#65;",
        "<![CDATA[<b> & ]]>",
        "é中",
        "a<!-- c -->b",
        "]] >",
        "&#x1F4DE;",
        "\r\n",
    ]);
    let field = (name, prop::collection::vec(text, 0..4))
        .prop_map(|(name, texts)| format!("<{name}>{}</{name}>", texts.concat()));
    prop::collection::vec(field, 0..12).prop_map(|fields| format!("<cdr>{}</cdr>", fields.join("\n")))
}

/// What quick-xml makes of such a record: each element's name and text.
fn by_quick_xml(record: &str) -> Vec<(String, String)> {
    let mut reader = quick_xml::Reader::from_str(record);
    let (mut fields, mut depth) = (Vec::<(String, String)>::new(), 0);
    loop {
        match reader.read_event().expect("it is well-formed") {
            Event::Start(tag) => {
                depth += 1;
                if depth == 2 {
                    fields.push((String::from_utf8(tag.name().as_ref().to_vec()).unwrap(), String::new()));
                }
            }
            Event::End(_) => depth -= 1,
            Event::Text(text) if depth == 2 => fields.last_mut().unwrap().1.push_str(&text.decode().unwrap()),
            Event::CData(text) => fields.last_mut().unwrap().1.push_str(&text.decode().unwrap()),
            Event::GeneralRef(name) => {
                let text = match name.resolve_char_ref().unwrap() {
                    Some(character) => character.to_string(),
                    None => {
                        quick_xml::escape::resolve_xml_entity(&name.decode().unwrap()).unwrap().to_string()
                    }
                };
                fields.last_mut().unwrap().1.push_str(&text);
            }
            Event::Eof => return fields,
            _ => {}
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_fast_way_equals_the_careful_way(text in pieces()) {
        let outcome = both(&text, How::default());
        let places = outcome.places.iter().map(|place| (u64::from(place.number), u64::from(place.start), u64::from(place.len)));
        let mut all: Vec<_> = places.chain(outcome.rejects.iter().map(|reject| (reject.number, reject.offset, reject.length))).collect();
        all.sort_unstable();
        prop_assert_eq!(all.len() as u64, outcome.counts.records);
        for pair in all.windows(2) {
            prop_assert!(pair[0].0 + 1 == pair[1].0 && pair[0].1 + pair[0].2 <= pair[1].1, "{:?}", all);
        }
    }

    #[test]
    fn well_formed_records_read_as_quick_xml_reads_them(records in prop::collection::vec(well_formed(), 1..4)) {
        let outcome = both(records.concat().as_bytes(), How::default());
        prop_assert_eq!((outcome.rejects.len(), outcome.counts.repaired), (0, 0));
        for (row, record) in outcome.rows.iter().zip(&records) {
            let mut seen = std::collections::HashMap::new();
            let mut expected = Vec::new();
            for (name, text) in by_quick_xml(record) {
                let times = seen.entry(name.clone()).and_modify(|times| *times += 1).or_insert(1);
                if !text.is_empty() {
                    expected.push((if *times == 1 { name } else { format!("{name}#{times}") }, text));
                }
            }
            let mut row: Vec<_> = row.iter().filter(|(_, text)| !text.is_empty()).cloned().collect();
            row.sort();
            expected.sort();
            prop_assert_eq!(row, expected);
        }
    }
}
