//! Requests in the five grammars, asked of the calls of `rows.rs`: every rule, every error, the documents'
//! own examples, and the slow twin beside each of them.

#[path = "../common/calls.rs"]
mod calls;
#[path = "../common/naive_filter.rs"]
mod naive_filter;
#[path = "../common/watch.rs"]
mod watch;

mod cdrapi;
mod errors;
mod examples;
mod kazoo;
mod nexo;
mod printed;
mod rows;
mod slow;
mod twin;
mod ucm_web;
mod yeastar;

use calltable::filter::{Context, Filter};
use calltable::time::{DateOrder, Zone};

use calls::Calls;
use naive_filter::World;
use rows::ROWS;

/// 2016-01-05T00:00:00Z, and some microseconds.
const NOW: i64 = 1_451_952_000_000_999;

fn context() -> Context {
    let group = |name: &str, members: &[&str]| {
        (name.to_string(), members.iter().map(|one| one.to_string()).collect())
    };
    let groups = [group("sales", &["5300", "102"]), group("7", &["2006"]), group("none", &[])].into();
    Context { now: NOW, groups, ..Context::default() }
}

fn world(east: i64) -> World {
    World { now: NOW / 1000, groups: context().groups, east }
}

/// A filter that prints as what reads as itself.
#[track_caller]
fn filter(request: &str) -> Filter {
    let filter = Filter::parse_with(request, &context()).unwrap_or_else(|error| panic!("{request}: {error}"));
    let printed = filter.to_string();
    assert_eq!(
        Filter::parse_with(&printed, &context()).as_ref(),
        Ok(&filter),
        "{request} printed as {printed}"
    );
    assert!(printed.is_ascii(), "{printed}");
    filter
}

/// Checks which calls a request wants, by their numbers, and that its slow twin wants the same.
#[track_caller]
fn check(request: &str, expected: &str) {
    check_in(request, expected, 0);
}

/// The same, with the PBX's clock so many seconds ahead of the calls' times, which are instants.
#[track_caller]
fn check_in(request: &str, expected: &str, east: i64) {
    let filter = filter(request);
    let calls = Calls { rows: &ROWS, east };
    let numbers = |wants: &dyn Fn(usize) -> bool| {
        let rows = (0..ROWS.len()).filter(|row| wants(*row));
        rows.map(|row| ROWS[row]["call_id"].as_str()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(numbers(&|row| calls.wants(filter.expr(), row)), expected, "{request}");
    let world = world(east);
    let naive = |row: usize| {
        naive_filter::wants(request, &ROWS[row], &world).unwrap_or_else(|| panic!("malformed: {request}"))
    };
    assert_eq!(numbers(&naive), expected, "{request}, by its slow twin");
}

/// All calls but these.
fn but(numbers: &str) -> String {
    let left_out: Vec<&str> = numbers.split(' ').collect();
    let all = ROWS.iter().map(|row| row["call_id"].as_str());
    all.filter(|number| !left_out.contains(number)).collect::<Vec<_>>().join(" ")
}
