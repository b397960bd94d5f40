//! The dumps, one declarative file each: how one is recognised, what its fields are called, and
//! which unified column each fills. Stages are code, vendors are data: this is the data.
//!
//! A format is a `const` [`Format`]; what a table cannot say stands in a small named function that
//! the table points to. Nothing here reads, splits or types anything, and no stage knows a vendor.

mod ami;
mod asterisk;
pub mod detect;
mod kazoo;
pub mod keys;
pub mod layout;
mod nexo;
mod ucm;
mod ucm_cdrapi;
mod ucm_web;
mod yeastar;

use std::borrow::Cow;
use std::ops::Range;

use crate::csv::{Field as RawField, Quotes};
use crate::schema::{Column, TimeKind};

pub use layout::Layout;

/// Every dump that is read, in the order in which a file is tried against them.
pub const ALL: &[&Format] = &[
    &ucm_cdrapi::CSV,
    &ucm_cdrapi::JSON,
    &kazoo::CSV,
    &kazoo::JSON,
    &nexo::CSV,
    &nexo::JSON,
    &nexo::RECORDINGS,
    &yeastar::CSV,
    &yeastar::JSON,
    &ucm_web::CSV,
    &asterisk::CSV,
    &ucm_cdrapi::XML,
    &ami::AMI,
];

/// One dump of one vendor.
#[derive(Debug)]
pub struct Format {
    /// Its name, as `--format` takes it and column `format` has it.
    pub name: &'static str,
    /// The maker of the phone system, as column `vendor` has it.
    pub vendor: &'static str,
    /// One sentence for people: how a dump of it is told from others.
    pub recognised_by: &'static str,
    /// How its text is cut into records and fields.
    pub syntax: Syntax,
    /// Every field that the documents name, under its normalised name.
    pub fields: &'static [Field],
    /// Which columns are filled from which fields.
    pub fill: Fill,
    /// Whether its times are the PBX's clock or instants.
    pub times: TimeKind,
    /// What stands in the fields that fill `channel` and `dstchannel`.
    pub channels: Channels,
}

/// How a dump's text is cut into records and fields.
#[derive(Debug)]
pub enum Syntax {
    /// Lines of delimited fields.
    Csv(Csv),
    /// Objects in documents.
    Json(Json),
    /// Elements in documents.
    Xml(Xml),
    /// Blocks of lines with a key and a value.
    Ami(Ami),
}

/// What an XML dump looks like: the names of its elements.
///
/// The names of records end with that of a call, so that one search finds them all.
#[derive(Debug)]
pub struct Xml {
    /// The known elements of a record, one spelling for each normalised name.
    pub keys: &'static [&'static str],
    /// The element that holds all calls; a fragment lacks it.
    pub root: &'static str,
    /// A call: one record, or several nested ones.
    pub call: &'static str,
    /// The main record of a call.
    pub main: &'static str,
    /// Its other records.
    pub sub: &'static str,
    /// The attribute of a call that is its id.
    pub id: &'static str,
    /// The element of an error body that says what is wrong, and the one that says, by any number but 0, that something
    /// is.
    pub error: [&'static str; 2],
    /// The number of calls at which a dump looks like one page of more.
    pub page: Option<u64>,
}

/// What a capture of Asterisk's manager connection looks like.
#[derive(Debug)]
pub struct Ami {
    /// The known keys of a record, one spelling for each normalised name.
    pub keys: &'static [&'static str],
    /// What the connection's first line begins with.
    pub banner: &'static str,
    /// The key of the line that an event begins with.
    pub event: &'static str,
    /// What it says in the events that are records.
    pub record: &'static str,
}

/// What a JSON dump looks like: where its records stand, and what its envelopes say.
///
/// An object is a record where a list, or the document itself, holds it; every other is an envelope.
#[derive(Debug)]
pub struct Json {
    /// The known keys of a record, one spelling for each normalised name.
    pub keys: &'static [&'static str],
    /// Whether an object with these normalised keys is a record of this dump.
    pub is_record: fn(keys: &[String]) -> bool,
    /// Whether an object that says this is an envelope of this dump, or the body of an error.
    pub is_envelope: fn(told: &Told) -> bool,
    /// Keys of envelopes whose list, or object, holds the records.
    pub roots: &'static [&'static str],
    /// Keys of envelopes whose object is an envelope, too.
    pub wrappers: &'static [&'static str],
    /// Whether records may also stand in an object, under the keys `"0"`, `"1"` and so on.
    pub by_index: bool,
    /// How a call's records stand within one element, where they may.
    pub nesting: Option<Nesting>,
    /// The key of the instants; where no record has it, times are the PBX's clock.
    pub instants: Option<&'static str>,
    /// What an envelope says went wrong.
    pub error: fn(told: &Told) -> Option<String>,
    /// What the last envelope says is missing, after so many elements in all.
    pub missing: fn(told: &Told, elements: u64) -> Option<String>,
}

/// A call of several records: one main, and any number of subs.
#[derive(Debug)]
pub struct Nesting {
    /// The key of the call's id.
    pub group: &'static str,
    /// The key of the main record.
    pub main: &'static str,
    /// What the keys of the subs begin with; a number may follow, behind an underscore.
    pub sub: &'static str,
}

impl Nesting {
    /// What the key of a record within a call says: nothing where it is none; within that nothing for the main
    /// record, else the sub's number, if its key has one.
    pub fn number(&self, key: &[u8]) -> Option<Option<Option<u64>>> {
        if key == self.main.as_bytes() {
            return Some(None);
        }
        match key.strip_prefix(self.sub.as_bytes())? {
            [] => Some(Some(None)),
            [b'_', digits @ ..] if !digits.is_empty() && digits.iter().all(u8::is_ascii_digit) => {
                Some(Some(std::str::from_utf8(digits).ok()?.parse().ok()))
            }
            _ => None,
        }
    }
}

/// What the envelopes of a document say besides holding records: their keys, those within a wrapper behind
/// its name and a dot, and their values (nothing where that is a list or an object).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told(pub Vec<(String, Option<String>)>);

impl Told {
    /// What a key says, if it stands there and says something.
    pub fn get(&self, key: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| known == key)?;
        found.1.as_deref().filter(|text| !text.is_empty())
    }

    /// Whether a key stands there.
    pub fn has(&self, key: &str) -> bool {
        self.0.iter().any(|(known, _)| known == key)
    }

    /// The number that a key says.
    pub fn number(&self, key: &str) -> Option<i64> {
        self.get(key)?.trim().parse().ok()
    }
}

/// What a CSV dump looks like.
#[derive(Debug)]
pub struct Csv {
    /// Whether a line of these normalised names is the header of this dump.
    pub is_header: fn(names: &[String]) -> bool,
    /// Whether a line of these values is a record of this dump that needs no header.
    pub is_record: fn(values: &[&[u8]]) -> bool,
    /// The columns that the firmware versions write, for a dump without a header.
    pub generations: &'static [&'static [&'static str]],
    /// What a quote means to the producer.
    pub quotes: Quotes,
    /// Whether a record of so many fields is read as it stands, field by field from the left; what
    /// is past its last is empty. Every other goes through `fit`.
    pub plain: fn(names: &[String], fields: usize) -> bool,
    /// How a record is read that is not plain.
    pub fit: fn(&Misfit<'_>) -> Fit,
    /// The number of records at which a dump looks like one page of more.
    pub page: Option<u64>,
}

/// A field of a dump.
#[derive(Debug)]
pub struct Field {
    /// Its normalised name (see [`normalise`]).
    pub name: &'static str,
    /// Other normalised names for it; where several stand in one dump, the first that has a value counts.
    pub synonyms: &'static [&'static str],
    /// It only repeats another: it never goes to `extra`.
    pub repeats: bool,
}

/// A field by one name.
pub const fn field(name: &'static str) -> Field {
    Field { name, synonyms: &[], repeats: false }
}

/// A field by several names.
pub const fn field_or(name: &'static str, synonyms: &'static [&'static str]) -> Field {
    Field { name, synonyms, repeats: false }
}

/// A field that only repeats another one.
pub const fn repeats(name: &'static str) -> Field {
    Field { name, synonyms: &[], repeats: true }
}

/// The columns that a dump fills: each from the first of its sources that has a value. What a later
/// one holds then goes to `extra`, if it stands in no other column.
pub type Columns = &'static [(Column, &'static [From])];

/// Which table of columns holds for a dump.
#[derive(Debug)]
pub enum Fill {
    /// Always this one.
    Always(Columns),
    /// It depends on the names in the header, or on the keys of the first records, all normalised; [`ALONE`] is
    /// one of these where each record is alone in its document.
    ByHeader(fn(names: &[String]) -> Columns),
}

/// Stands among the keys of records that are each alone in a document (one record in detail).
pub const ALONE: &str = "#alone";

/// Where a column's value comes from. Fields are named by their normalised name.
#[derive(Clone, Copy, Debug)]
pub enum From {
    /// The field as it stands; read by the column's own type.
    Field(&'static str),
    /// A part of the field, or what a pure function makes of it.
    Part(&'static str, fn(&str) -> Option<Cow<'_, str>>),
    /// The first field as it stands, where the second holds a number above zero.
    WherePositive(&'static str, &'static str),
    /// Seconds since the year 0 (Gregorian seconds), an instant.
    Gregorian(&'static str),
    /// The same, less the seconds that another field holds.
    GregorianLess(&'static str, &'static str),
    /// Seconds since 1970, or milliseconds where there are thirteen digits; an instant.
    Epoch(&'static str),
    /// The same, less the seconds that another field holds.
    EpochLess(&'static str, &'static str),
    /// The PBX's clock, in a dump whose other times are instants.
    Clock(&'static str),
}

impl From {
    /// The field that it reads first of all.
    pub fn name(&self) -> &'static str {
        match *self {
            From::Field(name)
            | From::Part(name, _)
            | From::WherePositive(name, _)
            | From::Gregorian(name)
            | From::GregorianLess(name, _)
            | From::Epoch(name)
            | From::EpochLess(name, _)
            | From::Clock(name) => name,
        }
    }
}

/// What the fields hold that fill `channel` and `dstchannel`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channels {
    /// Asterisk's channel names.
    Names,
    /// Names of trunks (Nexo).
    Trunks,
}

/// A record that has another number of fields than its header, for a format's `fit`.
#[derive(Debug)]
pub struct Misfit<'a> {
    /// The normalised names of the header.
    pub names: &'a [String],
    /// The text that the fields' spans lie in.
    pub text: &'a [u8],
    /// The fields as they were read.
    pub fields: &'a [RawField],
}

impl Misfit<'_> {
    /// The value of field `at`, trimmed of blanks.
    pub fn value(&self, at: usize) -> Cow<'_, [u8]> {
        match self.fields[at].value(self.text) {
            Cow::Borrowed(value) => Cow::Borrowed(value.trim_ascii()),
            Cow::Owned(value) => Cow::Owned(value.trim_ascii().to_vec()),
        }
    }

    /// Whether field `at` holds nothing.
    pub fn is_empty(&self, at: usize) -> bool {
        self.value(at).is_empty()
    }
}

/// What a format makes of a [`Misfit`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fit {
    /// For every name of the header the fields that are its value, joined by their delimiters where
    /// they are several; counted as repaired.
    Repaired(Vec<Range<usize>>),
    /// The same, but nothing was broken: the producer writes records like this.
    Regular(Vec<Range<usize>>),
    /// It fits no way, or more than one: rejected as `field-count`, for this reason.
    No(String),
}

/// No record of another length is ever read.
pub fn no_fit(record: &Misfit<'_>) -> Fit {
    Fit::No(format!("{} fields where the header has {}", record.fields.len(), record.names.len()))
}

/// A field for every name, as nearly every producer writes.
pub fn one_each(names: &[String], fields: usize) -> bool {
    names.len() == fields
}

/// An envelope that never tells of an error.
pub fn no_error(_: &Told) -> Option<String> {
    None
}

/// What is missing where an envelope tells of more records than there are.
pub fn below_total(told: &Told, keys: &[&str], elements: u64) -> Option<String> {
    let total = keys.iter().find_map(|key| told.number(key))?;
    (total > elements as i64).then(|| format!("{elements} records of {total}: the rest is on other pages"))
}

/// No line is a header by itself.
pub fn no_header(_: &[String]) -> bool {
    false
}

/// No line is a record of this dump without a header.
pub fn no_record(_: &[&[u8]]) -> bool {
    false
}

/// A column's name as it is compared: lower case, without blanks, dots, underscores and hyphens.
pub fn normalise(name: &str) -> String {
    name.chars()
        .filter(|letter| !letter.is_whitespace() && !matches!(letter, '.' | '_' | '-' | '\u{feff}'))
        .flat_map(char::to_lowercase)
        .collect()
}

/// The format of that name.
pub fn by_name(name: &str) -> Option<&'static Format> {
    ALL.iter().find(|format| format.name == name).copied()
}

/// The names of all formats, for messages.
pub fn names() -> String {
    ALL.iter().map(|format| format.name).collect::<Vec<_>>().join(", ")
}

impl Format {
    /// The field that a normalised name stands for, with its rank among the field's names.
    pub fn field(&self, name: &str) -> Option<(&'static Field, usize)> {
        self.fields.iter().find_map(|field| {
            let mut names = std::iter::once(&field.name).chain(field.synonyms);
            names.position(|known| *known == name).map(|rank| (field, rank))
        })
    }

    /// Whether a line of these names, as they stand, is a header of this dump.
    pub fn is_header(&self, names: &[String]) -> bool {
        let normalised: Vec<String> = names.iter().map(|name| normalise(name)).collect();
        self.csv().is_some_and(|csv| (csv.is_header)(&normalised))
    }

    /// The CSV side of the format, where it has one.
    pub fn csv(&self) -> Option<&Csv> {
        match &self.syntax {
            Syntax::Csv(csv) => Some(csv),
            Syntax::Json(_) | Syntax::Xml(_) | Syntax::Ami(_) => None,
        }
    }

    /// The JSON side of the format, where it has one.
    pub fn json(&self) -> Option<&Json> {
        match &self.syntax {
            Syntax::Json(json) => Some(json),
            Syntax::Csv(_) | Syntax::Xml(_) | Syntax::Ami(_) => None,
        }
    }

    /// The XML side of the format, where it has one.
    pub fn xml(&self) -> Option<&Xml> {
        match &self.syntax {
            Syntax::Xml(xml) => Some(xml),
            Syntax::Csv(_) | Syntax::Json(_) | Syntax::Ami(_) => None,
        }
    }

    /// The AMI side of the format, where it has one.
    pub fn ami(&self) -> Option<&Ami> {
        match &self.syntax {
            Syntax::Ami(ami) => Some(ami),
            Syntax::Csv(_) | Syntax::Json(_) | Syntax::Xml(_) => None,
        }
    }

    /// The known keys of its records, where they have keys: one spelling for each normalised name.
    pub fn keys(&self) -> &'static [&'static str] {
        match &self.syntax {
            Syntax::Csv(_) => &[],
            Syntax::Json(json) => json.keys,
            Syntax::Xml(xml) => xml.keys,
            Syntax::Ami(ami) => ami.keys,
        }
    }

    /// Whether one element may hold the several records of a call.
    pub fn nests(&self) -> bool {
        match &self.syntax {
            Syntax::Csv(_) | Syntax::Ami(_) => false,
            Syntax::Json(json) => json.nesting.is_some(),
            Syntax::Xml(_) => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    fn tables(format: &Format) -> Vec<Columns> {
        match format.fill {
            Fill::Always(columns) => vec![columns],
            Fill::ByHeader(choose) => {
                let generations = format.csv().map_or(&[][..], |csv| csv.generations);
                let of = |names: &&[&str]| choose(&names.iter().map(|n| normalise(n)).collect::<Vec<_>>());
                generations.iter().map(of).collect()
            }
        }
    }

    #[test]
    fn names_of_formats_and_fields_are_unique_and_normalised() {
        let mut formats = HashSet::new();
        for format in ALL {
            assert!(formats.insert(format.name), "{}", format.name);
            let mut fields = HashSet::new();
            for field in format.fields {
                for name in std::iter::once(&field.name).chain(field.synonyms) {
                    assert_eq!(*name, normalise(name), "{}", format.name);
                    assert!(fields.insert(*name), "{}: {name}", format.name);
                }
            }
        }
    }

    #[test]
    fn tables_name_known_fields_and_each_column_once() {
        for format in ALL {
            for columns in tables(format) {
                let mut seen = HashSet::new();
                for (column, sources) in columns {
                    assert!(seen.insert(*column), "{}: {}", format.name, column.name());
                    for source in *sources {
                        let known = format.fields.iter().any(|field| field.name == source.name());
                        assert!(known, "{}: {}", format.name, source.name());
                    }
                }
            }
        }
    }

    #[test]
    fn every_generation_is_recognised_by_its_own_header() {
        for format in ALL {
            let Some(csv) = format.csv() else { continue };
            for generation in csv.generations {
                let names: Vec<String> = generation.iter().map(|name| normalise(name)).collect();
                let found = ALL.iter().find(|f| f.csv().is_some_and(|csv| (csv.is_header)(&names)));
                let headerless = format.name == "asterisk-csv";
                assert!(headerless || found.is_some_and(|f| f.name == format.name), "{}", format.name);
            }
        }
    }

    #[test]
    fn normalised_names() {
        for name in ["Dest. Channel", "dest channel", "Dest Channel", "DEST_CHANNEL", " dest-channel "] {
            assert_eq!(normalise(name), "destchannel");
        }
    }
}
