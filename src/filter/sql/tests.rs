//! Conditions: what they mean, and what is wrong with them and where. A line a fact.

use std::borrow::Cow;
use std::collections::HashMap;

use proptest::prelude::*;

use super::*;
use crate::filter::evaluate::{Bad, Cell, Cells, Truth, evaluate};

/// One record: src 5300, dst null, billsec 60, nat true, start 2024-05-17 12:34:56 on the PBX's clock.
struct Row;

impl Cells for Row {
    fn cell(&self, column: Column, _: u32) -> Result<Option<Cell<'_>>, Bad> {
        let text = |text| Some(Cell::Text(Cow::Borrowed(text)));
        Ok(match column {
            Column::Src => text("5300"),
            Column::SrcName => text("Ärger 100%"),
            Column::End => None,
            Column::Billsec => Some(Cell::Number(Number::whole(60))),
            Column::Duration => Some(Cell::Number(Number::whole(64))),
            Column::Nat => Some(Cell::Bool(true)),
            Column::Start => Some(Cell::Time(START)),
            Column::Recordfiles => text("a.wav"),
            _ => None,
        })
    }

    fn extra(&self, name: &str, _: u32) -> Result<Option<Cow<'_, str>>, Bad> {
        Ok(HashMap::from([("premium", "1")]).get(name).map(|text| Cow::Borrowed(*text)))
    }

    fn clock(&self, time: i64, _: u32) -> i64 {
        time
    }
}

const START: i64 = 1_715_949_296_000_000;

#[track_caller]
fn check(condition: &str, expected: Truth) {
    match Filter::sql(condition) {
        Ok(filter) => {
            assert_eq!(evaluate(filter.expr(), &Row, 0), expected, "{condition}");
            assert_eq!(Filter::sql(&filter.to_string()), Ok(filter), "{condition}");
        }
        Err(error) => panic!("{condition}: {error}"),
    }
}

#[track_caller]
fn yes(condition: &str) {
    check(condition, Truth::True);
}

#[track_caller]
fn no(condition: &str) {
    check(condition, Truth::False);
}

#[track_caller]
fn unknown(condition: &str) {
    check(condition, Truth::Unknown);
}

/// The error stands at `^` in the condition, and its rule begins so.
#[track_caller]
fn wrong(condition: &str, rule: &str) {
    let position = condition.find('^').expect("a place");
    let condition = condition.replacen('^', "", 1);
    let error = Filter::sql(&condition).expect_err(&condition);
    assert_eq!(error.position, position, "{condition}: {error}");
    assert!(error.rule.starts_with(rule), "{condition}: {error}");
}

#[test]
fn the_condition_of_the_handbook() {
    yes("src like '53%' and billsec between 8 and 60");
    no("src like '53%' and billsec between 8 and 59");
}

#[test]
fn values_compare() {
    yes("src = '5300'");
    no("src <> '5300'");
    no("src != '5300'");
    yes("src < '6' and src <= '5300' and src > '53' and src >= '5300'");
    yes("billsec = 60 and billsec < 60.5 and billsec > -1 and billsec >= +60");
    yes("billsec < duration");
    yes("60 = billsec");
    yes("'5300' = src");
    yes("1 = 1");
    yes("nat = true and true and not false");
    unknown("dst = '5300'");
    unknown("dst <> '5300'");
    unknown("src = null");
    unknown("null");
}

#[test]
fn names_are_those_of_columns_in_any_case_and_quotes() {
    yes("SRC = '5300' AND \"src\" = '5300' AND \"Src\" = '5300'");
    for column in Column::all() {
        let quoted = format!("\"{}\" is null or true", column.name());
        yes(&quoted);
        yes(&quoted.replace('"', ""));
    }
}

#[test]
fn and_binds_more_than_or_and_not_more_than_both() {
    yes("true or false and false");
    no("(true or false) and false");
    yes("not false or false");
    yes("not (src = '1' or billsec = 1)");
    unknown("not dst = '1'");
    yes("dst = '1' or src = '5300'");
    no("dst = '1' and src = '1'");
}

#[test]
fn lists_and_ranges() {
    yes("src in ('1', '5300')");
    no("src not in ('1', '5300')");
    yes("billsec in (1, -2, 60.0)");
    yes("src in (dst, '5300')");
    unknown("src in ('1', null)");
    yes("src in ('5300', null)");
    unknown("src not in ('1', null)");
    unknown("dst in ('1')");
    yes("billsec not between 61 and 70");
    unknown("dst between 'a' and 'b'");
    yes("'5300' in (src)");
    yes("nat in (true)");
    yes("start in ('2024-05-17', '2024-05-17 12:34:56')");
}

#[test]
fn patterns() {
    yes("src like '53__'");
    no("src like '53_'");
    no("src like '53'");
    yes("src not like '6%'");
    yes("src_name ilike 'ärger%'");
    no("src_name like 'ärger%'");
    yes("src_name like '%100!%' escape '!'");
    no("src like '53!%' escape '!'");
    yes("src like '%%%'");
    unknown("dst like '%'");
    unknown("dst not like '%'");
    yes("src_name like '%100%' escape ''");
}

#[test]
fn nulls_and_yes_or_no() {
    yes("dst is null and src is not null");
    no("dst is not null");
    yes("nat and nat is true and nat is not false");
    no("not nat");
    no("nat is false");
    yes("recordfiles is not null and extra is null");
    unknown("dst_kind = 'ivr'");
}

#[test]
fn functions_and_casts() {
    yes("lower(src_name) = 'ärger 100%'");
    yes("UPPER(src_name) = 'ÄRGER 100%'");
    yes("length(src_name) = 10 and length(lower(src)) < 5");
    yes("cast(src as bigint) between 5300 and 5302");
    yes("src::int = 5300 and try_cast(src as integer) > 1");
    yes("cast(billsec as varchar) like '6%' and billsec::text = '60'");
    yes("cast(nat as varchar) = 'true'");
    unknown("cast(src_name as bigint) > 0");
    yes("cast('5300' as int) = 5300");
    yes("extra['premium'] = '1' and extra['other'] is null");
}

#[test]
fn times() {
    yes("start = '2024-05-17 12:34:56'");
    yes("start = timestamp '2024-05-17 12:34:56'");
    yes("start = '2024-05-17T12:34:56.000'");
    yes("start > '2024-05-17' and start < date '2024-05-18'");
    yes("start between '2024-05-17' and '2024-05-17 12:35'");
    yes("'2024-05-17' < start");
    yes("start = '2024-05-17 14:34:56+02:00' and start = '2024-05-17T12:34:56Z'");
    yes("start >= cast('2024-05-17' as date)");
    unknown("\"end\" > start");
    yes("start > '2024-02-29'");
}

#[test]
fn days_are_no_times_of_day() {
    yes("start >= date '2024-05-17' and start < cast('2024-05-18' as date)");
    wrong("^start::date = '2024-05-17'", "a cast to DATE is not supported: a day is start >= ");
    wrong("cast(^start as date) = '2024-05-17'", "a cast to DATE is not supported");
    wrong("cast(^'2024-05-18 10:00' as date) <= start", "a cast to DATE is not supported");
    wrong("date ^'2024-05-17 23:00' < start", "'2024-05-17 23:00' is no date");
}

#[test]
fn what_is_no_time_is_told() {
    wrong("start > ^'yesterday'", "'yesterday' is no time: write it as");
    wrong("start > ^'2023-02-29'", "'2023-02-29' is no time");
    wrong("start > ^'5/17/2024 12:00'", "'5/17/2024 12:00' is no time");
    wrong("start > ^'2024-05-17 25:00'", "'2024-05-17 25:00' is no time");
    wrong("start > ^''", "'' is no time");
    wrong("start > ^5", "this is a number, and column start is a time: compare it with a time such as");
}

#[test]
fn mismatches_say_how_to_cast() {
    wrong(
        "src > ^5",
        "this is a number, and column src is a text: write '5', or cast(src as bigint) to compare numbers",
    );
    wrong("billsec = ^'60'", "this is a text, and column billsec is a number: write 60 without quotes");
    wrong("billsec = ^'x'", "this is a text, and column billsec is a number: cast(billsec as varchar)");
    wrong("^5 > src", "this is a number, and column src is a text: write '5'");
    wrong("src in ('a', ^5)", "this is a number, and column src is a text");
    wrong("src = ^billsec", "this is a number, and column src is a text: cast(… as varchar)");
    wrong("nat = ^'yes'", "this is a text, and column nat is yes or no: compare it with true or false");
    wrong("^billsec like '6%'", "LIKE asks for a text: write cast(billsec as varchar)");
    wrong("lower(^billsec) = '6'", "lower() asks for a text: write cast(billsec as varchar)");
    wrong("^src", "a condition is asked for here");
    wrong("^src is true", "only of a yes-or-no column");
    wrong("^recordfiles = 'a'", "of a list only IS [NOT] NULL can be asked");
    wrong("^extra = 'a'", "extra holds values by name");
}

#[test]
fn what_is_not_supported_is_pointed_at() {
    wrong("^billsec + 1 > 5", "this is not supported as a value: a condition is made of");
    wrong("src = '1' and trim(^src) = '1'", "this is not supported as a value");
    wrong("^abs(billsec) > 1", "the function abs() is not supported: a condition is made of");
    wrong("^length(src, dst) > 1", "length() takes one value");
    wrong("^src ~ '5.*'", "the operator ~ is not supported");
    wrong("cast(^src as blob) = 'a'", "a cast to BLOB is not supported");
    wrong("cast(^start as varchar) = 'a'", "times are cast neither from nor to anything else");
    wrong("src similar to 'a'".replacen("src", "^src", 1).as_str(), "this is not supported");
    wrong("src = ^X'00'", "this is no literal that is supported");
    wrong("billsec = ^1e3", "1e3 cannot be taken exactly");
    wrong("src like ^dst", "the pattern of LIKE has to be a text literal");
    wrong("src like '%' escape ^'ab'", "ESCAPE has to be one character");
    wrong("src like ^'%!' escape '!'", "the pattern ends with its escape character");
    wrong("^source.src = 'a'", "this is not supported as a value");
    wrong("^exists (select 1)", "this is not supported");
}

#[test]
fn what_is_no_condition_is_pointed_at() {
    wrong("^", "the condition is empty");
    wrong("^  ", "the condition is empty");
    wrong("src =^ ", "Expected: an expression, found the end");
    wrong("(src = 'a'^", "Expected: ), found the end");
    wrong("src = 'a'^)", "the condition ends before `)`");
    wrong("src = 'a' ^dst = 'b'", "the condition ends before `dst`");
    wrong("src = ^'a", "Unterminated string literal");
    wrong("src = ^, 5", "Expected: an expression");
    wrong(
        "bil = 5".replacen("bil", "^bil", 1).as_str(),
        "there is no column bil; `calltable schema` has all",
    );
    wrong("src = ^\"5\"", "there is no column 5; a text stands in single quotes");
    wrong("src = 'ü'\n and ^bil = 5", "there is no column bil");
    wrong("src = 'ü' and ^bil = 5", "there is no column bil");
}

#[test]
fn hostile_conditions_are_errors() {
    let nested = format!("{}src = '1'{}", "(".repeat(100_000), ")".repeat(100_000));
    let many_nots = format!("{}nat", "not ".repeat(100_000));
    let many_ors = vec!["nat"; 100_000].join(" or ");
    let is_null = format!("src{}", " is null".repeat(100_000));
    let casts = format!("src{} = 'a'", "::text".repeat(100_000));
    let subscripts = format!("extra{} = 'a'", "['a']".repeat(100_000));
    let comparisons = format!("src{}", " = src".repeat(100_000));
    let minuses = format!("billsec = {}1", "- ".repeat(100_000));
    let calls = format!("{}src{} = 'a'", "lower(".repeat(100_000), ")".repeat(100_000));
    for hostile in [nested, many_nots, many_ors, is_null, casts, subscripts, comparisons, minuses, calls] {
        assert!(Filter::sql(&hostile).is_err());
        // Shorter, and broken at its end: the parser drops what it has.
        for words in [500, 3900] {
            let cut: String = hostile.split_inclusive(' ').take(words).chain([" and ("]).collect();
            assert!(Filter::sql(&cut).is_err());
        }
    }
}

#[test]
fn long_conditions_are_conditions() {
    yes(&vec!["nat"; 2000].join(" and "));
    yes(&format!(
        "src in ({}, '5300')",
        (0..100_000).map(|at| format!("'{at}x'")).collect::<Vec<_>>().join(",")
    ));
    no(&format!("billsec in ({})", (1..50_000).map(|at| format!("-{at}")).collect::<Vec<_>>().join(",")));
    let text = "5".repeat(1_000_000);
    no(&format!("src = '{text}' or src like '%{text}%'"));
}

proptest! {
    #[test]
    fn nothing_panics(words in proptest::collection::vec(
        prop_oneof![
            "[ -~ü\n]{0,3}".boxed(),
            proptest::sample::select(vec![
                "src", "billsec", "start", "nat", "extra", "and", "or", "not", "in", "(", ")", ",", "=", "<",
                "like", "escape", "is", "null", "true", "between", "'5%'", "5", "-", "cast", "as", "int", "::",
                "lower", "case", "when", "[", "]", "interval", "select", "from", "date", "'2024-05-17'",
            ]).prop_map(str::to_string).boxed(),
        ],
        0..20,
    )) {
        let text = words.join(" ");
        match Filter::sql(&text) {
            Ok(filter) => prop_assert_eq!(Filter::sql(&filter.to_string()), Ok(filter)),
            Err(error) => prop_assert!(text.is_char_boundary(error.position)),
        }
    }
}
