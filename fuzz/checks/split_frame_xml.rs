//! XML: the framer that expects the next field against the one that reads each by the grammar, and elements that
//! stand in order and within the text. The last byte says how much of the text is shown at first.

use std::sync::Arc;

use calltable::format::{Layout, by_name};
use calltable::stages::{Cut, How, Records, Span, XmlSplitter, xml};

/// All that framing says, by value: rewritten values may stand elsewhere.
fn shown(records: &Records) -> Vec<String> {
    let text = |span: Span| String::from_utf8_lossy(span.of(&records.arena)).into_owned();
    let slots = records.layout.slots();
    let row = |row: usize| (0..slots).map(|slot| text(records.spans[row * slots + slot])).collect::<Vec<_>>();
    let rows = (0..records.len()).map(|at| format!("{:?} {:?}", records.places[at], row(at)));
    let strays = records.strays.iter().map(|s| format!("{} {} {}", s.record, text(s.name), text(s.value)));
    rows.chain(strays).chain([format!("{:?} {:?}", records.rejects, records.counts)]).collect()
}

/// Panics where something is wrong.
pub fn check(data: &[u8]) {
    let Some((&last, text)) = data.split_last() else { return };
    if text.len() > 64 << 10 {
        return;
    }
    let format = by_name("ucm-cdrapi-xml").expect("a format");
    let layout = Arc::new(Layout::keyed(format, b'\n', &[]));
    let mut splitter = XmlSplitter::new(format.xml().expect("an XML format"));
    let piece = 16 << (last % 12);
    let (mut at, mut limit) = (0, piece);
    while at < text.len() {
        let end = text.len().min(at + limit);
        let Cut::Elements(length, elements) = splitter.cut(&text[at..end], end == text.len()) else {
            limit *= 2;
            continue;
        };
        assert!(length > 0 && at + length <= end);
        assert!(elements.iter().all(|element| element.start < element.end && element.end as usize <= length));
        assert!(elements.is_sorted_by(|one, next| one.end <= next.start));
        let call = splitter.call();
        let [fast, careful] = [xml::frame, xml::frame_carefully].map(|frame| {
            shown(&frame(text[at..at + length].to_vec(), &elements, &call, 0, layout.clone(), How::default()))
        });
        assert_eq!(fast, careful);
        (at, limit) = (at + length, piece);
    }
}
