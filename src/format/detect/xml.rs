//! Is it an XML dump? Told by its first element, or by a call that stands in an envelope of another name.

use std::sync::Arc;

use super::Detected;
use crate::format::{Format, Layout, Xml};
use crate::split::xml::{MarkKind, Marks};
use crate::xml::{Ends, aside, name_end, past_blanks, tag};

/// Finds out which XML dump `head` belongs to: nothing where it is no XML, and why not where it is none
/// that is known.
pub fn detect(head: &[u8], candidates: &[&'static Format]) -> Option<Result<Detected, String>> {
    let begin = head.iter().position(|&byte| byte != 0 && !byte.is_ascii_whitespace())?;
    let known = candidates.iter().filter_map(|format| Some((*format, format.xml()?)));
    if head[begin] != b'<' {
        return None;
    }
    let mut name = None;
    for (format, xml) in known {
        let first = first_element(head, begin);
        let is_root = first.is_some_and(|(start, end)| &head[start..end] == xml.root.as_bytes());
        if is_known(head, first, xml) || holds_call(head, xml) {
            let layout = Arc::new(Layout::keyed(format, b'\n', &[]));
            return Some(Ok(Detected { layout, body: 0, above: Vec::new() }));
        }
        name = first.map(|(start, end)| (String::from_utf8_lossy(&head[start..end]).into_owned(), is_root));
    }
    let (name, is_root) = name?;
    let what = if is_root { "which holds no records" } else { "which is none of the known dumps" };
    Some(Err(format!("XML whose root element is <{name}>, {what}")))
}

/// Where the name of the first element stands, behind comments, instructions and a DOCTYPE.
fn first_element(head: &[u8], begin: usize) -> Option<(usize, usize)> {
    let mut at = begin;
    loop {
        at = past_blanks(head, at, head.len());
        match head.get(at + 1)? {
            b'!' | b'?' => match aside(head, at, true) {
                Some((_, Ends::At(end))) => at = end,
                _ => return None,
            },
            _ if head[at] == b'<' => {
                let end = name_end(head, at + 1);
                return (end > at + 1).then_some((at + 1, end));
            }
            _ => return None,
        }
    }
}

/// Whether the first element is a call or one of its records, or a root that holds nothing.
fn is_known(head: &[u8], first: Option<(usize, usize)>, xml: &Xml) -> bool {
    let Some((start, end)) = first else { return false };
    let name = &head[start..end];
    if [xml.call, xml.main, xml.sub].iter().any(|own| own.as_bytes() == name) {
        return true;
    }
    let is_empty = || {
        let Some(tag) = tag(head, end) else { return true };
        let next = past_blanks(head, tag.end, head.len());
        tag.is_closed || next == head.len() || head[next..].starts_with(format!("</{}", xml.root).as_bytes())
    };
    name == xml.root.as_bytes() && is_empty()
}

/// Whether a call begins somewhere in the head.
fn holds_call(head: &[u8], xml: &'static Xml) -> bool {
    let mut marks = Marks::new(head, xml);
    let mut at = 0;
    while let Some(mark) = marks.next(at) {
        at = match mark.kind {
            MarkKind::Start(_) => return true,
            MarkKind::Aside => match aside(head, mark.at, true) {
                Some((_, Ends::At(end))) => end,
                _ => mark.after,
            },
            MarkKind::End(_) => mark.after,
        };
    }
    false
}
