//! Where an object ends, by its quotes and brackets alone; and where something is broken in them.
//!
//! The grammar within is the framer's business. But a quote or a bracket that is missing turns all that
//! follows inside out, so these are looked at closely:
//!
//! - Behind a text's closing quote stands a blank, `:`, `,`, `}` or `]`. Where a quote is missing before, what
//!   is taken for a closing quote opens a key or a value, and a letter or a digit follows. No backslash stands
//!   outside of texts.
//! - A bracket is closed by its own kind.
//! - An object or list opens behind `:` in an object, behind `[` or `,` in a list.
//! - Brackets are not nested deeper than the bits of a word. No record is.

/// How deep brackets may be nested.
const DEEPEST: u32 = 64;

/// Goes over an object from its opening bracket on, in as many pieces of text as it takes.
#[derive(Clone, Debug, Default)]
pub struct Walker {
    /// Open brackets, and which of them are lists: bit 0 is the last.
    depth: u32,
    lists: u64,
    /// Within a text; behind a backslash in it.
    in_text: bool,
    escaped: bool,
    /// The last byte that is no blank, outside of texts.
    last: u8,
    /// The last byte closed a text.
    closed: bool,
}

/// Where a walk came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Walk {
    /// Past the object's closing bracket.
    End(usize),
    /// The text ends within it.
    Open,
    /// It is nested too deeply, from this byte on.
    TooDeep(usize),
    /// Something is broken.
    Broken {
        /// The next record begins here or further on.
        from: usize,
        /// It is a bracket at this byte that closes what the object stands in.
        closes: bool,
    },
}

impl Walker {
    /// Goes on at `from`; the piece before ended there.
    pub fn walk(&mut self, text: &[u8], from: usize) -> Walk {
        let mut opened = from;
        for (at, &byte) in text.iter().enumerate().skip(from) {
            if self.in_text {
                match byte {
                    _ if self.escaped => self.escaped = false,
                    b'\\' => self.escaped = true,
                    b'"' => (self.in_text, self.closed, self.last) = (false, true, b'"'),
                    _ => {}
                }
                continue;
            }
            if std::mem::take(&mut self.closed) && !may_follow(byte) {
                return Walk::Broken { from: opened, closes: false };
            }
            let last = self.last;
            match byte {
                b'"' => (self.in_text, opened) = (true, at),
                b'\\' => return Walk::Broken { from: opened, closes: false },
                b'{' | b'[' | b'}' | b']' => match self.bracket(byte, || last) {
                    Turn::On => {}
                    Turn::End => return Walk::End(at + 1),
                    Turn::TooDeep => return Walk::TooDeep(at),
                    Turn::Broken { closes } => return Walk::Broken { from: at, closes },
                },
                _ => {}
            }
            if !byte.is_ascii_whitespace() {
                self.last = byte;
            }
        }
        Walk::Open
    }

    /// Takes a bracket outside of texts; `before` tells the last byte before it that is no blank.
    #[inline]
    pub fn bracket(&mut self, byte: u8, before: impl FnOnce() -> u8) -> Turn {
        let is_list = matches!(byte, b'[' | b']');
        if matches!(byte, b'{' | b'[') {
            if self.depth == DEEPEST {
                return Turn::TooDeep;
            }
            if self.depth > 0 {
                let (before, in_list) = (before(), self.lists & 1 == 1);
                let fits = if in_list { matches!(before, b'[' | b',') } else { before == b':' };
                if !fits {
                    return Turn::Broken { closes: false };
                }
            }
            self.depth += 1;
            self.lists = self.lists << 1 | u64::from(is_list);
            return Turn::On;
        }
        if self.depth == 0 {
            return Turn::Broken { closes: true };
        }
        if (self.lists & 1 == 1) != is_list {
            return Turn::Broken { closes: self.depth == 1 };
        }
        self.depth -= 1;
        self.lists >>= 1;
        if self.depth == 0 { Turn::End } else { Turn::On }
    }
}

/// What a bracket does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// It goes on.
    On,
    /// The object ends with it.
    End,
    /// It is nested too deeply.
    TooDeep,
    /// It does not stand where one of its kind can; `closes`: it would close what the object stands in.
    Broken {
        /// It would close what the object stands in.
        closes: bool,
    },
}

/// Whether a byte may stand behind the closing quote of a text.
#[inline]
pub fn may_follow(byte: u8) -> bool {
    matches!(byte, b' ' | b'\n' | b'\r' | b'\t' | b':' | b',' | b'}' | b']')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_and_breaks() {
        let check = |text: &str, expected| {
            assert_eq!(Walker::default().walk(text.as_bytes(), 0), expected, "{text}");
            for cut in 0..text.len() {
                let mut walker = Walker::default();
                if walker.walk(&text.as_bytes()[..cut], 0) == Walk::Open {
                    let walk = walker.walk(text.as_bytes(), cut);
                    assert_eq!(matches!(walk, Walk::Broken { .. }), matches!(expected, Walk::Broken { .. }));
                    assert_eq!(
                        matches!(walk, Walk::End(_)),
                        matches!(expected, Walk::End(_)),
                        "{text} {cut}"
                    );
                }
            }
        };
        let broken = |from| Walk::Broken { from, closes: false };
        check(r#"{"a":"}\"{","b":[1,{}]} ,"#, Walk::End(23));
        check(r#"{"a":"1","b"#, Walk::Open);
        check(r#"{"a":"1,"b":"2"}"#, broken(5));
        check(r#"{"a":1","b":"2"}"#, broken(6));
        check(r#"{"a":"1",{"b":"2"}"#, broken(9));
        check("{\"a\":\"1\"\n{\"b\":\"2\"}", broken(9));
        check(r#"{"a":"1"]}"#, Walk::Broken { from: 8, closes: true });
        check(r#"{"a":[1}"#, Walk::Broken { from: 7, closes: false });
        check(r#"{"a":[[1],[2]]}"#, Walk::End(15));
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(200), "]".repeat(200));
        check(&deep, Walk::TooDeep(5 + 63));
    }
}
