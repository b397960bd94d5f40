//! Events → spans: a line is a key, a colon and a value.
//!
//! Blocks of other kinds are passed over and counted. A line of a record that has no key rejects it: it is
//! the rest of a value that held a line break, and what the value was nobody can tell.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use super::keyed::Table;
use super::{Checked, How, Reason, Records, Span};
use crate::format::Layout;
use crate::split::Element;
use crate::split::ami::key_and_value;

/// Frames the events of a block.
pub fn frame(text: Vec<u8>, elements: &[Element], offset: u64, layout: Arc<Layout>, how: How) -> Records {
    let ami = layout.format.ami().expect("the format is AMI");
    let eol = layout.dialect.eol;
    let text = Checked::new(text);
    let mut table = Table::new(&text, offset, &layout, how);
    for element in elements {
        let range = element.range();
        if table.is_bad(element) {
            continue;
        }
        if !ami.is_record(&text.bytes()[range.clone()], eol) {
            table.passed_over();
            continue;
        }
        let Range { start, end } = range;
        match event(&mut table, range, ami.event.as_bytes(), eol) {
            Ok(()) => table.accept(start, end),
            Err((reason, message)) => table.reject(start, end, reason, None, message),
        }
    }
    let framed = table.finish();
    framed.records(text, layout)
}

/// Reads the lines of an event into a row.
fn event(table: &mut Table<'_>, at: Range<usize>, event: &[u8], eol: u8) -> Result<(), (Reason, String)> {
    let text = table.readable(at.start, at.end)?;
    let shift = match &text {
        Cow::Borrowed(_) => at.start,
        Cow::Owned(text) => table.rewrite(text).start as usize,
    };
    table.begin();
    let (mut at, mut is_named) = (0, false);
    for line in text.split_inclusive(|&byte| byte == eol) {
        let Some((key, value)) = key_and_value(line, eol) else {
            let line = String::from_utf8_lossy(&line[..line.len().min(60)]).trim_end().to_string();
            return Err((Reason::NotARecord, format!("a line without a key within an event: `{line}`")));
        };
        // The first says that it is a record, and no more.
        if &line[key.clone()] == event && !is_named {
            is_named = true;
        } else {
            let span = |part: Range<usize>| Span::new(shift + at + part.start, shift + at + part.end);
            table.put(span(key), span(value));
        }
        at += line.len();
    }
    Ok(())
}
