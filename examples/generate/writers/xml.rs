//! XML elements that hold text.

/// What becomes of the characters that mean something in XML.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Escapes {
    /// They stand as they are, which is no XML: `<clid>"GVC Test" <6039></clid>`.
    None,
    /// `<clid>&quot;GVC Test&quot; &lt;6039&gt;</clid>`
    All,
}

/// `<src>6039</src>`, or `<src/>` where `write` appends nothing.
pub(super) fn push_element(name: &str, escapes: Escapes, to: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    push_open(name, to);
    let from = to.len();
    write(to);
    if to.len() == from {
        to.truncate(from - 1);
        to.extend_from_slice(b"/>");
        return;
    }
    if escapes == Escapes::All {
        escape_from(from, to);
    }
    push_close(name, to);
}

pub(super) fn push_open(name: &str, to: &mut Vec<u8>) {
    to.push(b'<');
    to.extend_from_slice(name.as_bytes());
    to.push(b'>');
}

pub(super) fn push_close(name: &str, to: &mut Vec<u8>) {
    to.extend_from_slice(b"</");
    to.extend_from_slice(name.as_bytes());
    to.push(b'>');
}

fn escape_from(from: usize, text: &mut Vec<u8>) {
    if text[from..].iter().all(|&byte| entity(byte).is_none()) {
        return;
    }
    let value = text.split_off(from);
    for byte in value {
        match entity(byte) {
            Some(entity) => text.extend_from_slice(entity.as_bytes()),
            None => text.push(byte),
        }
    }
}

fn entity(byte: u8) -> Option<&'static str> {
    match byte {
        b'&' => Some("&amp;"),
        b'<' => Some("&lt;"),
        b'>' => Some("&gt;"),
        b'"' => Some("&quot;"),
        _ => None,
    }
}
