//! What a caller may ask of the reading: resolved values, not what was typed.
//!
//! The program's options and the library's builder both end here. Nothing in it has an effect.

use std::collections::HashSet;

use encoding_rs::Encoding;

use crate::decode::{NumberPlan, PortMap};
use crate::error::{Error, Result};
use crate::filter::{Filter, Group, Page, Request};
use crate::format::Format;
use crate::frame::How;
use crate::schema::Column;
use crate::time::{DateOrder, Zone};

/// How dumps are read.
#[derive(Clone, Debug)]
pub struct Options {
    /// The dumps' format; told from the content where none is given.
    pub format: Option<&'static Format>,
    /// The columns of the result, in order. Those not asked for are not decoded.
    pub columns: Vec<Column>,
    /// Which records of nested calls become rows.
    pub records: Wanted,
    /// Which of them: each of these has to match.
    pub filters: Vec<Filter>,
    /// The zone of the PBX: wall-clock times become instants.
    pub zone: Option<Zone>,
    /// Whether dates have the month or the day first; told from the file where none is given.
    pub date_order: Option<DateOrder>,
    /// The encoding of records that are not UTF-8.
    pub encoding: Option<&'static Encoding>,
    /// Which analog ports are lines and which are phones.
    pub ports: PortMap,
    /// What the PBX's numbers are.
    pub plan: NumberPlan,
    /// A value that cannot be typed is null and its text goes to `extra`, in place of a reject.
    pub lenient: bool,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            format: None,
            columns: Column::all().collect(),
            records: Wanted::All,
            filters: Vec::new(),
            zone: None,
            date_order: None,
            encoding: None,
            ports: PortMap::default(),
            plan: NumberPlan::default(),
            lenient: false,
        }
    }
}

impl Options {
    /// A table has a column once, and one page.
    pub(crate) fn check(&self) -> Result<()> {
        if self.filters.iter().filter(|filter| filter.page().is_some()).nth(1).is_some() {
            return Err(Error::usage("two filters ask for a page, by numRecords or offset: one of them may"));
        }
        let mut before = HashSet::new();
        match self.columns.iter().find(|column| !before.insert(**column)) {
            Some(twice) => Err(Error::usage(format!("column {} is asked for twice", twice.name()))),
            None => Ok(()),
        }
    }

    /// What is done with records that cannot be read as they stand.
    pub(crate) fn how(&self) -> How {
        How { encoding: self.encoding, lenient: self.lenient }
    }

    /// What changes rows or columns, by name, for a file's metadata.
    pub fn describe(&self) -> Vec<(String, String)> {
        let mut all = vec![("calltable.version".to_string(), env!("CARGO_PKG_VERSION").to_string())];
        let mut add = |name: &str, value: Option<String>| {
            all.extend(value.map(|value| (format!("calltable.{name}"), value)));
        };
        add("format", self.format.map(|format| format.name.to_string()));
        let names: Vec<&str> = self.columns.iter().map(|column| column.name()).collect();
        add("columns", (names.len() != Column::COUNT).then(|| names.join(",")));
        add("records", self.records.name().map(str::to_string));
        for (at, filter) in (1..).zip(&self.filters) {
            add(&format!("filter.{at}"), Some(filter.to_string()));
            let group = filter.request().and_then(Request::group);
            add(&format!("filter.{at}.extension-group"), group.map(Group::to_string));
        }
        add("timezone", self.zone.map(|zone| zone.to_string()));
        add("date-order", self.date_order.map(|order| order.as_str().to_string()));
        add("encoding", self.encoding.map(|encoding| encoding.name().to_ascii_lowercase()));
        add("ports", (self.ports != PortMap::default()).then(|| self.ports.to_string()));
        add("number-plan", (self.plan != NumberPlan::default()).then(|| self.plan.to_string()));
        add("lenient", self.lenient.then(|| "true".to_string()));
        all
    }

    /// The page that the filters ask for.
    pub(crate) fn page(&self) -> Page {
        self.filters.iter().find_map(Filter::page).unwrap_or_default()
    }

    /// Whether they ask for one.
    pub(crate) fn pages(&self) -> bool {
        self.filters.iter().any(|filter| filter.page().is_some())
    }
}

/// Which records become rows, where a call has a main record that totals its subs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Wanted {
    /// Every record.
    #[default]
    All,
    /// One row a call: main and single records.
    Calls,
    /// One row a leg: sub and single records.
    Legs,
}

impl Wanted {
    /// Its name, where it is not the default.
    pub(crate) fn name(self) -> Option<&'static str> {
        match self {
            Wanted::All => None,
            Wanted::Calls => Some("calls"),
            Wanted::Legs => Some("legs"),
        }
    }

    /// Whether a record of that kind (`single`, `main`, `sub`) becomes a row.
    pub fn wants(self, kind: &str) -> bool {
        match self {
            Wanted::All => true,
            Wanted::Calls => kind != "sub",
            Wanted::Legs => kind != "main",
        }
    }
}
