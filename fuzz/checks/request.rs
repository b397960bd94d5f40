//! Requests in any of the five grammars: an error stands within the text; what is printed reads as the
//! same; and whether it is a request at all, and which calls it wants, is as its slow twin has it.

#[path = "../../tests/common/calls.rs"]
mod calls;
#[path = "../../tests/common/naive_filter.rs"]
mod naive_filter;

use calls::{Calls, Row};
use calltable::filter::request::container;
use calltable::filter::{Context, Filter};
use naive_filter::World;

const GRAMMARS: [&str; 5] = ["cdrapi", "ucm-web", "nexo", "yeastar", "kazoo"];

/// 2016-01-05T00:00:00Z.
const NOW: i64 = 1_451_952_000_000_000;

const CALLS: [&[(&str, &str)]; 4] = [
    &[],
    &[
        ("src", "5300"),
        ("src_name", "John Doe"),
        ("dst", "05-301"),
        ("dst_number", "05-301"),
        ("answered_by", "5302"),
        ("start", "2013-01-23 00:00:01"),
        ("billsec", "8"),
        ("duration", "11"),
        ("disposition", "ANSWERED"),
        ("call_type", "internal"),
        ("nat", "true"),
        ("action_type", "DIAL"),
        ("accountcode", "sales"),
    ],
    &[
        ("src", "506"),
        ("dst", "620 (202)"),
        ("dst_number", "620"),
        ("answered_by", "202"),
        ("start", "2021-05-07 23:59:30"),
        ("billsec", "0"),
        ("disposition", "NO ANSWER"),
        ("call_type", "callback"),
        ("src_trunk_name", "96"),
        ("in_route", "FROM96"),
        ("ivr", "Main-"),
        ("port", "3"),
        ("userfield", "CallBack"),
        ("extra.trunk", "44"),
    ],
    &[
        ("src", "+4930123456"),
        ("dst", "s"),
        ("start", "2020-05-01 12:38:54"),
        ("end", "2020-05-01 12:39:09"),
        ("duration", "15"),
        ("hangup_cause", "NORMAL_CLEARING"),
        ("record_id", "r35"),
        ("from_uri", "a@x"),
        ("extra.from", "b@x"),
        ("extra.cost", "0"),
        ("extra.calling_from", "1009"),
    ],
];

/// Panics where something is wrong.
pub fn check(text: &str) {
    let context =
        Context { now: NOW, groups: [("7".into(), vec!["5300".into()])].into(), ..Context::default() };
    let world = World { now: NOW / 1000, groups: context.groups.clone(), east: 7200 };
    let rows = CALLS.map(|cells| -> Row {
        cells.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect()
    });
    let calls = Calls { rows: &rows, east: world.east };
    parsed(text, &context);
    for grammar in GRAMMARS {
        let request = format!("{grammar}?{text}");
        assert!(container(&request).is_some());
        let filter = parsed(&request, &context);
        for (at, row) in rows.iter().enumerate() {
            let wanted = filter.as_ref().map(|filter| calls.wants(filter.expr(), at));
            assert_eq!(wanted, naive_filter::wants(&request, row, &world), "{request} {row:?}");
        }
    }
}

fn parsed(request: &str, context: &Context) -> Option<Filter> {
    match Filter::parse_with(request, context) {
        Err(error) => {
            assert!(request.is_char_boundary(error.position), "{error}");
            None
        }
        Ok(filter) => {
            let printed = filter.to_string();
            assert_eq!(Filter::parse_with(&printed, context).as_ref(), Ok(&filter), "{printed}");
            // What may be asked where rows are converted may be asked of the PBX.
            assert_eq!(Filter::parse_query(request, context).as_ref(), Ok(&filter), "{request}");
            Some(filter)
        }
    }
}
