//! The places in a text that a splitter has to look at, found by their bytes.

use memchr::memmem;

use crate::format::Xml;
use crate::xml::is_blank;

/// The elements by whose names a dump is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Name {
    /// A call.
    Call,
    /// Its main record.
    Main,
    /// One of its sub records.
    Sub,
}

/// What a mark is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MarkKind {
    /// A start tag.
    Start(Name),
    /// An end tag.
    End(Name),
    /// What may hide tags: a comment and its like.
    Aside,
}

/// A place in the text that the splitter has to look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Its `<`.
    pub at: usize,
    /// Past the name, or past the `<!`.
    pub after: usize,
    /// What it is.
    pub kind: MarkKind,
}

/// The marks of a text, in order. All names end with the call's, so one search finds them.
pub struct Marks<'a> {
    text: &'a [u8],
    xml: &'static Xml,
    name: memmem::Finder<'static>,
    /// The next of each kind, where it is known: a name, `<!`, `<?`.
    ahead: [Option<Mark>; 3],
    /// How far each was looked for.
    upto: [usize; 3],
}

impl<'a> Marks<'a> {
    /// The marks of this text.
    pub fn new(text: &'a [u8], xml: &'static Xml) -> Self {
        let name = memmem::Finder::new(xml.call);
        Marks { text, xml, name, ahead: [None; 3], upto: [0; 3] }
    }

    /// The first at or behind `from`.
    pub fn next(&mut self, from: usize) -> Option<Mark> {
        for kind in 0..3 {
            if self.ahead[kind].is_none_or(|mark| mark.at < from) && self.upto[kind] < self.text.len() {
                self.ahead[kind] = self.find(kind, from.max(self.upto[kind]));
                self.upto[kind] = self.ahead[kind].map_or(self.text.len(), |mark| mark.after);
            }
        }
        self.ahead.iter().flatten().filter(|mark| mark.at >= from).min_by_key(|mark| mark.at).copied()
    }

    fn find(&self, kind: usize, from: usize) -> Option<Mark> {
        let aside = |open: &[u8]| {
            let at = from + memmem::find(&self.text[from..], open)?;
            Some(Mark { at, after: at + 2, kind: MarkKind::Aside })
        };
        match kind {
            0 => {
                let mut finds = self.name.find_iter(&self.text[from..]);
                finds.find_map(|found| self.name_at(from + found).filter(|mark| mark.at >= from))
            }
            1 => aside(b"<!"),
            _ => aside(b"<?"),
        }
    }

    /// The tag whose name ends with the call's name at `at`.
    fn name_at(&self, at: usize) -> Option<Mark> {
        let after = at + self.xml.call.len();
        if self.text.get(after).is_some_and(|&byte| !is_blank(byte) && byte != b'>' && byte != b'/') {
            return None;
        }
        let before = &self.text[..after];
        let names = [(self.xml.call, Name::Call), (self.xml.sub, Name::Sub), (self.xml.main, Name::Main)];
        names.iter().find_map(|&(name, what)| {
            match before.strip_suffix(name.as_bytes())? {
                [.., b'<', b'/'] => Some((after - name.len() - 2, MarkKind::End(what))),
                [.., b'<'] => Some((after - name.len() - 1, MarkKind::Start(what))),
                _ => None,
            }
            .map(|(at, kind)| Mark { at, after, kind })
        })
    }
}
