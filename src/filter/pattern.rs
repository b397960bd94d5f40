//! Patterns over a whole text: any run of characters, any one, one digit, one certain character.
//!
//! Time is linear, whatever the pattern. A pattern is cut at its runs into parts without any: the
//! first and the last have one place to be, those between are found from left to right, each at the
//! first place behind the one before. (If there is a way to match at all, there is this one: a part
//! that ends earlier leaves more to the others.) So no text is gone over twice. A part of certain
//! characters alone is searched as bytes; another by a row of bits, one for each place in the part,
//! that says whether the part up to there ends at this character: 64 places a step.
//!
//! It must not know which grammar writes `@`, `%`, `X` or `.` for what.

use std::collections::HashMap;

use memchr::memmem::Finder;

/// A piece of a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Piece {
    /// Any characters, also none.
    AnyRun,
    /// Exactly one character.
    AnyOne,
    /// One digit, 0 to 9.
    Digit,
    /// This character.
    Char(char),
}

/// A pattern that a whole text matches, or does not.
#[derive(Clone, Debug)]
pub struct Pattern {
    pieces: Vec<Piece>,
    ignore_case: bool,
    parts: Vec<Part>,
    /// Whether a run stands at the beginning.
    opens: bool,
    /// Whether a run stands at the end.
    closes: bool,
}

/// The pieces tell all.
impl PartialEq for Pattern {
    fn eq(&self, other: &Pattern) -> bool {
        self.ignore_case == other.ignore_case && self.pieces == other.pieces
    }
}

impl Eq for Pattern {}

/// What stands between two runs; never empty.
#[derive(Clone, Debug)]
enum Part {
    /// Certain characters.
    Literal(Box<Finder<'static>>),
    /// Others among them, or letters of either case.
    Mixed(Mixed),
}

impl Pattern {
    /// What every text that matches begins with, byte by byte; often nothing.
    pub fn prefix(&self) -> String {
        let certain = self.pieces.iter().map_while(|piece| match piece {
            Piece::Char(letter) if !self.ignore_case => Some(*letter),
            _ => None,
        });
        certain.collect()
    }

    /// A pattern of these pieces, one after the other. Without case a letter is the same as its small
    /// or capital form, where that is one letter, too.
    pub fn new(pieces: Vec<Piece>, ignore_case: bool) -> Pattern {
        let part = |pieces: &[Piece]| (!pieces.is_empty()).then(|| Part::new(pieces, ignore_case));
        let parts = pieces.split(|piece| *piece == Piece::AnyRun).filter_map(part).collect();
        let opens = pieces.first() == Some(&Piece::AnyRun);
        let closes = pieces.last() == Some(&Piece::AnyRun);
        Pattern { pieces, ignore_case, parts, opens, closes }
    }

    /// The pieces that it was made of.
    pub fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// Whether the whole text matches.
    pub fn matches(&self, text: &str) -> bool {
        let Some((first, rest)) = self.parts.split_first() else { return self.opens || text.is_empty() };
        if !self.opens {
            return match first.at_start(text) {
                Some(left) if rest.is_empty() => self.closes || left.is_empty(),
                Some(left) => self.follow(rest, left),
                None => false,
            };
        }
        self.follow(&self.parts, text)
    }

    /// Whether the parts follow one another in a text that begins with a run.
    fn follow(&self, parts: &[Part], mut text: &str) -> bool {
        let Some((last, between)) = parts.split_last() else { return true };
        for part in if self.closes { parts } else { between } {
            match part.anywhere(text) {
                Some(left) => text = left,
                None => return false,
            }
        }
        self.closes || last.is_at_end(text)
    }
}

impl Part {
    fn new(pieces: &[Piece], ignore_case: bool) -> Part {
        let certain = |piece: &Piece| match piece {
            Piece::Char(letter) if !ignore_case || !has_case(*letter) => Some(*letter),
            _ => None,
        };
        match pieces.iter().map(certain).collect::<Option<String>>() {
            Some(text) => Part::Literal(Box::new(Finder::new(text.as_bytes()).into_owned())),
            None => Part::Mixed(Mixed::new(pieces, ignore_case)),
        }
    }

    /// What is left of a text that begins with this part.
    #[inline]
    fn at_start<'t>(&self, text: &'t str) -> Option<&'t str> {
        match self {
            Part::Literal(finder) => {
                let is_here = text.as_bytes().starts_with(finder.needle());
                is_here.then(|| &text[finder.needle().len()..])
            }
            Part::Mixed(mixed) => {
                let mut letters = text.chars();
                mixed
                    .pieces
                    .iter()
                    .all(|piece| letters.next().is_some_and(|letter| mixed.is(*piece, letter)))
                    .then_some(letters.as_str())
            }
        }
    }

    fn is_at_end(&self, text: &str) -> bool {
        match self {
            Part::Literal(finder) => text.as_bytes().ends_with(finder.needle()),
            Part::Mixed(mixed) => {
                let mut letters = text.chars();
                let mut pieces = mixed.pieces.iter().rev();
                pieces.all(|piece| letters.next_back().is_some_and(|letter| mixed.is(*piece, letter)))
            }
        }
    }

    /// What is left behind the first place in a text where this part stands.
    fn anywhere<'t>(&self, text: &'t str) -> Option<&'t str> {
        match self {
            Part::Literal(finder) => {
                let at = finder.find(text.as_bytes())?;
                Some(&text[at + finder.needle().len()..])
            }
            Part::Mixed(mixed) => mixed.anywhere(text),
        }
    }
}

/// Pieces that are found by rows of bits.
#[derive(Clone, Debug)]
struct Mixed {
    pieces: Vec<Piece>,
    ignore_case: bool,
    /// Where any character may stand, and any digit.
    any: Vec<u64>,
    digits: Vec<u64>,
    /// Where a certain character stands.
    letters: HashMap<char, Places>,
}

/// Some places in a part, in the form that takes less: neither memory nor time grows with the square of
/// a pattern's length.
#[derive(Clone, Debug)]
enum Places {
    Few(Vec<u32>),
    Many(Vec<u64>),
}

const BITS: usize = 64;

impl Mixed {
    fn new(pieces: &[Piece], ignore_case: bool) -> Mixed {
        let words = pieces.len().div_ceil(BITS);
        let (mut any, mut digits) = (vec![0; words], vec![0; words]);
        let mut places: HashMap<char, Vec<u32>> = HashMap::new();
        let pieces: Vec<Piece> = pieces.iter().map(|piece| folded_piece(*piece, ignore_case)).collect();
        for (at, piece) in pieces.iter().enumerate() {
            match piece {
                Piece::AnyRun => {}
                Piece::AnyOne => set(&mut any, at),
                Piece::Digit => set(&mut digits, at),
                Piece::Char(letter) => places.entry(*letter).or_default().push(at as u32),
            }
        }
        let in_less = |(letter, few): (char, Vec<u32>)| {
            if few.len() <= words {
                return (letter, Places::Few(few));
            }
            let mut many = vec![0; words];
            few.iter().for_each(|&at| set(&mut many, at as usize));
            (letter, Places::Many(many))
        };
        Mixed { pieces, ignore_case, any, digits, letters: places.into_iter().map(in_less).collect() }
    }

    #[inline]
    fn is(&self, piece: Piece, letter: char) -> bool {
        match piece {
            Piece::AnyRun | Piece::AnyOne => true,
            Piece::Digit => letter.is_ascii_digit(),
            Piece::Char(wanted) => wanted == if self.ignore_case { folded(letter) } else { letter },
        }
    }

    fn anywhere<'t>(&self, text: &'t str) -> Option<&'t str> {
        let mut row = [0];
        let mut rows = Vec::new();
        let row: &mut [u64] = match self.any.len() {
            1 => &mut row,
            words => {
                rows.resize(words, 0);
                &mut rows
            }
        };
        let last = self.pieces.len() - 1;
        let mut letters = text.chars();
        while let Some(letter) = letters.next() {
            self.step(row, if self.ignore_case { folded(letter) } else { letter });
            if row[last / BITS] >> (last % BITS) & 1 == 1 {
                return Some(letters.as_str());
            }
        }
        None
    }

    /// From the places that a part had come to before a character to those behind it.
    fn step(&self, row: &mut [u64], letter: char) {
        let places = self.letters.get(&letter);
        let is_digit = letter.is_ascii_digit();
        let mut carried = 1;
        let mut few = match places {
            Some(Places::Few(few)) => few.as_slice(),
            _ => &[],
        };
        for (at, word) in row.iter_mut().enumerate() {
            let mut here = self.any[at];
            if is_digit {
                here |= self.digits[at];
            }
            if let Some(Places::Many(many)) = places {
                here |= many[at];
            }
            while let Some((&place, rest)) = few.split_first()
                && place as usize / BITS == at
            {
                here |= 1 << (place as usize % BITS);
                few = rest;
            }
            let next = *word >> (BITS - 1);
            *word = (*word << 1 | carried) & here;
            carried = next;
        }
    }
}

fn set(bits: &mut [u64], at: usize) {
    bits[at / BITS] |= 1 << (at % BITS);
}

fn folded_piece(piece: Piece, ignore_case: bool) -> Piece {
    match piece {
        Piece::Char(letter) if ignore_case => Piece::Char(folded(letter)),
        piece => piece,
    }
}

/// The small letter, where it is one.
#[inline]
fn folded(letter: char) -> char {
    if letter.is_ascii() {
        return letter.to_ascii_lowercase();
    }
    let mut small = letter.to_lowercase();
    match (small.next(), small.next()) {
        (Some(small), None) => small,
        _ => letter,
    }
}

/// Whether another character is the same without case: for ASCII it is told exactly, any other may be.
fn has_case(letter: char) -> bool {
    !letter.is_ascii() || letter.is_ascii_alphabetic()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// `@` a run, `_` one, `X` a digit.
    fn pieces(pattern: &str) -> Vec<Piece> {
        let piece = |letter| match letter {
            '@' => Piece::AnyRun,
            '_' => Piece::AnyOne,
            'X' => Piece::Digit,
            letter => Piece::Char(letter),
        };
        pattern.chars().map(piece).collect()
    }

    fn check(pattern: &str, ignore_case: bool, matching: &[&str], others: &[&str]) {
        let pattern = Pattern::new(pieces(pattern), ignore_case);
        for text in matching {
            assert!(pattern.matches(text), "{:?} {text:?}", pattern.pieces);
        }
        for text in others {
            assert!(!pattern.matches(text), "{:?} {text:?}", pattern.pieces);
        }
    }

    #[test]
    fn the_whole_text_matches() {
        check("", false, &[""], &["a"]);
        check("@", false, &["", "a", "abc"], &[]);
        check("53@", false, &["53", "5300"], &["", "5", "153", "35"]);
        check("@53", false, &["53", "0053", "5353"], &["530", "3"]);
        check("@53@", false, &["53", "1532"], &["513", ""]);
        check("5_0", false, &["500", "5é0"], &["50", "5000"]);
        check("3XXX", false, &["3000", "3999"], &["300", "300a", "30000", "3٣00"]);
        check("a@b@a", false, &["aba", "abba", "a-b-a"], &["ab", "aa", "ba"]);
        check("ab@ba", false, &["abba", "ab-ba"], &["aba"]);
        check("@_@", false, &["a", "abc"], &[""]);
        check("@X@5@", false, &["15", "a1b5c"], &["5", "51", "a5"]);
        check("@a_c@a_c", false, &["abcabc", "abcxadc"], &["abc", "abcab"]);
        check("@@@@", false, &["", "x"], &[]);
        check("é@", false, &["é", "éa"], &["e", "\u{c3}"]);
    }

    #[test]
    fn case_is_ignored_where_that_is_asked() {
        check("@doe@", true, &["Doe", "JOHN DOE", "doe"], &["do e"]);
        check("ÄrGER", true, &["ärger", "ÄRGER"], &["arger"]);
        check("doe", false, &["doe"], &["Doe"]);
        check("1@2", true, &["12", "1a2"], &["1a"]);
        check("K@", true, &["k1", "\u{212a}1"], &["q"]);
    }

    #[test]
    fn parts_longer_than_a_word_are_found() {
        let long = "a_".repeat(70) + "X";
        let text = "ab".repeat(70) + "7";
        check(&format!("@{long}@z"), false, &[&(text.clone() + "z"), &format!("ab{text}--z")], &[&text]);
        let all: String = (0..200).map(|at| char::from_u32(0x4e00 + at).unwrap()).collect();
        check(&format!("@_{all}X@"), false, &[&format!("yx{all}0")], &[&format!("{all}0"), &all]);
    }

    #[test]
    fn no_pattern_is_slow() {
        let text = "a".repeat(200_000);
        for pattern in
            ["@a".repeat(50_000) + "b", "@a_X".repeat(50_000), "@".to_string() + &"a_".repeat(3_000) + "b@"]
        {
            check(&pattern, false, &[], &[&text]);
        }
        let all: String = (0..40_000).filter_map(|at| char::from_u32(0x4e00 + at)).collect();
        check(&format!("@_{all}@"), false, &[&format!("-{all}")], &[&text]);
    }

    /// By the letter: a piece at a time, every way tried.
    fn naive(pieces: &[Piece], text: &[char]) -> bool {
        match (pieces.split_first(), text.split_first()) {
            (None, _) => text.is_empty(),
            (Some((Piece::AnyRun, rest)), _) => (0..=text.len()).any(|skipped| naive(rest, &text[skipped..])),
            (Some(_), None) => false,
            (Some((piece, rest)), Some((letter, left))) => {
                let is = match piece {
                    Piece::Digit => letter.is_ascii_digit(),
                    Piece::Char(wanted) => wanted == letter,
                    _ => true,
                };
                is && naive(rest, left)
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn as_every_way_tried(pattern in "[@_Xab1é]{0,8}", text in "[ab1é]{0,10}", ignore_case: bool) {
            let pieces = pieces(&pattern);
            let expected = naive(&pieces, &text.chars().collect::<Vec<_>>());
            prop_assert_eq!(Pattern::new(pieces, ignore_case).matches(&text), expected);
        }
    }
}
