//! From requests and conditions as typed to filters. What is wrong with one is pointed at, in its own text,
//! before anything is read.

use calltable::filter::Context;
use calltable::{Error, Filter, FilterError, Options, Result};

use super::args::{Filters, Groups};
use super::say;

/// What requests mean in this run: now, who is in which group, and where the PBX is.
pub(crate) fn context(typed: &Groups, options: &Options) -> Result<Context> {
    let mut context = Context { zone: options.zone, date_order: options.date_order, ..Context::new() };
    for text in &typed.groups {
        let wrong = |why: &str| Error::usage(format!("--extension-group {text}: {why}"));
        let (name, list) = text.split_once('=').ok_or_else(|| wrong("write it as NAME=1000,1001"))?;
        let members: Vec<String> = list.split(',').map(|member| member.trim().to_string()).collect();
        if name.is_empty() || members.iter().any(String::is_empty) {
            return Err(wrong("a name and its members are asked for, such as sales=1000,1001"));
        }
        let is_range = |member: &String| {
            let ends = member.split_once('-');
            ends.is_some_and(|(from, to)| {
                [from, to].iter().all(|end| end.bytes().all(|byte| byte.is_ascii_digit()))
            })
        };
        if members.iter().any(is_range) {
            return Err(wrong("members are named one by one, not as a range"));
        }
        if context.groups.insert(name.to_string(), members).is_some() {
            return Err(wrong("the group stands twice: name all its members at once"));
        }
    }
    Ok(context)
}

/// The filters, requests first.
pub(crate) fn filters(typed: &Filters, context: &Context) -> Result<Vec<Filter>> {
    let requests = typed.requests.iter().map(|text| ("--filter", text, Filter::parse_with(text, context)));
    let conditions = typed.conditions.iter().map(|text| ("--where", text, Filter::sql(text)));
    requests
        .chain(conditions)
        .map(|(option, text, filter)| filter.map_err(|error| wrong(option, text, &error)))
        .collect()
}

/// The error, after the place in the text was shown.
pub(crate) fn wrong(option: &str, text: &str, error: &FilterError) -> Error {
    point(text, error.position);
    Error::usage(format!("{option}: {error}"))
}

/// Shows a place in a text.
pub(crate) fn point(text: &str, position: usize) {
    pointed(text, position).iter().for_each(|line| say::line(line));
}

/// So much of a text is shown on either side of a place.
const SHOWN: usize = 50;

/// The line of a text that has a place in it, and a caret under that.
fn pointed(text: &str, position: usize) -> [String; 2] {
    let before = text.get(..position).unwrap_or(text);
    let line = before.rfind('\n').map_or(0, |end| end + 1);
    let (before, after) = (&before[line..], text[before.len()..].lines().next().unwrap_or_default());
    let left = before.char_indices().rev().nth(SHOWN - 1).map_or(0, |(at, _)| at);
    let right = after.char_indices().nth(SHOWN).map_or(after.len(), |(at, _)| at);
    let mut shown = say::visible(&before[left..]);
    if left > 0 {
        shown.insert(0, '…');
    }
    let caret = format!("  {}^", " ".repeat(shown.chars().count()));
    let rest = if right < after.len() { "…" } else { "" };
    [format!("  {shown}{}{rest}", say::visible(&after[..right])), caret]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, position: usize, expected: [&str; 2]) {
        assert_eq!(pointed(text, position), expected, "{text:?} {position}");
    }

    #[test]
    fn places_are_pointed_at() {
        check("cdrapi?caller=5 3", 15, ["  cdrapi?caller=5 3", "                 ^"]);
        check("src = 5", 0, ["  src = 5", "  ^"]);
        check("src = ", 6, ["  src = ", "        ^"]);
        check("src = 1\nand ü = 2 or\nx", 15, ["  and ü = 2 or", "        ^"]);
        check("a\u{1b}b", 2, ["  a\\u{1b}b", "         ^"]);
        check("", 0, ["  ", "  ^"]);
        check("src", 99, ["  src", "     ^"]);
    }

    #[test]
    fn of_long_texts_a_piece_is_shown() {
        let long = "x".repeat(200);
        let (before, after) = (format!("  …{}", "x".repeat(50)), format!("{}…", "x".repeat(50)));
        let caret = format!("{}^", " ".repeat(53));
        check(&long, 100, [&format!("{before}{after}"), &caret]);
    }
}
