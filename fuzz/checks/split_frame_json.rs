//! JSON: walking from bracket to bracket against walking byte by byte, and the fast framer against the careful one.
//! The last byte chooses the format, and how much of the text is shown at first.

use std::sync::Arc;

use calltable::format::{Layout, by_name};
use calltable::stages::{Cut, Element, How, JsonSplitter, Records, Span, json};

const FORMATS: [&str; 5] =
    ["ucm-cdrapi-json", "nexo-json", "nexo-recordings-json", "kazoo-json", "yeastar-json"];

/// All that framing says, by value: rewritten values may stand elsewhere.
fn shown(records: &Records) -> Vec<String> {
    let text = |span: Span| String::from_utf8_lossy(span.of(&records.arena)).into_owned();
    let slots = records.layout.slots();
    let row = |row: usize| (0..slots).map(|slot| text(records.spans[row * slots + slot])).collect::<Vec<_>>();
    let rows = (0..records.len()).map(|at| format!("{:?} {:?}", records.places[at], row(at)));
    let strays = records.strays.iter().map(|s| format!("{} {} {}", s.record, text(s.name), text(s.value)));
    rows.chain(strays).chain([format!("{:?} {:?}", records.rejects, records.counts)]).collect()
}

fn elements(mut splitter: JsonSplitter, text: &[u8], shown: usize) -> Vec<Element> {
    let (mut at, mut limit, mut found) = (0, shown, Vec::new());
    while at < text.len() {
        let end = text.len().min(at + limit);
        match splitter.cut(&text[at..end], end == text.len()) {
            Cut::Elements(length, elements) => {
                let moved = |element: &Element| {
                    Element::new(at + element.start as usize, at + element.end as usize, element.kind)
                };
                found.extend(elements.iter().map(moved));
                (at, limit) = (at + length, shown);
            }
            _ => limit *= 2,
        }
    }
    found
}

/// Panics where something is wrong.
pub fn check(data: &[u8]) {
    let Some((&last, text)) = data.split_last() else { return };
    if text.len() > 64 << 10 {
        return;
    }
    let format = by_name(FORMATS[last as usize % FORMATS.len()]).expect("a format");
    let syntax = format.json().expect("a JSON format");
    let piece = 16 << (last as usize / FORMATS.len() % 10);
    let found = elements(JsonSplitter::new(syntax), text, piece);
    assert_eq!(found, elements(JsonSplitter::slow(syntax), text, piece));
    let layout = Arc::new(Layout::keyed(format, b'\n', &[]));
    for how in [How::default(), How { lenient: true, ..How::default() }] {
        let [fast, careful] = [json::frame, json::frame_carefully]
            .map(|frame| shown(&frame(text.to_vec(), &found, b"", 0, layout.clone(), how)));
        assert_eq!(fast, careful);
    }
}
