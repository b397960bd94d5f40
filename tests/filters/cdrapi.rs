//! `cdrapi`: a line for every rule.

use super::*;

#[test]
fn no_condition_wants_every_record() {
    check("cdrapi", &but(""));
    check("cdrapi?", &but(""));
    check("cdrapi?format=json&numRecords=0&offset=7", &but(""));
    check("cdrapi?startTime=&endTime=", &but(""));
    check("cdrapi?access_token=secret", &but(""));
}

#[test]
fn a_text_is_the_whole_value_in_its_case() {
    check("cdrapi?caller=5300", "01 02 03");
    check("cdrapi?callee=5300", "09 18");
    check("cdrapi?answeredby=5300", "09 18");
    check("cdrapi?caller=Anonymous", "10 11");
    check("cdrapi?caller=anonymous", "12");
    check("cdrapi?caller=05302", "21");
    check("cdrapi?caller=53", "");
    check("cdrapi?callee=530.", "");
    check("cdrapi?callee=5.3,5*3", "22 23");
    check("cdrapi?caller=%2B15551234567", "18");
    check("cdrapi?caller=+15551234567", "18");
    check("cdrapi?caller=*97", "19");
    check("cdrapi?caller=5#3", "23");
    check("cdrapi?caller=5%233", "23");
    check("cdrapi?callee=s", "13");
    check("cdrapi?callee=620", "");
}

#[test]
fn a_list_matches_if_any_item_does() {
    check("cdrapi?caller=5302,5303", "04 05");
    check("cdrapi?caller=5302&caller=5303", "04 05");
    check("cdrapi?caller=5302%2C5303", "04 05");
    check("cdrapi?caller=5302,", "04");
    check("cdrapi?caller=5302,&caller=6400,", "04 09");
    check("cdrapi?callee=205&callee=3405", "10 11");
    check("cdrapi?caller=5300,5302-5304,_4@", "01 02 03 04 05 06 09 16 20 21 35");
    check("cdrapi?caller=Anonymous&callee=205", "10");
    check("cdrapi?caller=5300&answeredby=5302", "02");
}

#[test]
fn signs_of_a_pattern() {
    check("cdrapi?caller=53@", "01 02 03 04 05 06 20");
    check("cdrapi?caller=@53@", "01 02 03 04 05 06 15 20 21");
    check("cdrapi?caller=@@53@@@", "01 02 03 04 05 06 15 20 21");
    check("cdrapi?caller=@300", "01 02 03 07 15");
    check("cdrapi?caller=530_", "01 02 03 04 05 06");
    check("cdrapi?caller=_", "17");
    check("cdrapi?caller=__", "16");
    check("cdrapi?caller=@_", &but("13 14"));
    check("cdrapi?caller=@", &but(""));
    check("cdrapi?answeredby=@", &but(""));
    check("cdrapi?caller=4@", "16 17");
    check("cdrapi?callee=_4@", "11 17");
    check("cdrapi?callee=620@", "25");
    check("cdrapi?callee=5._,5*_", "22 23");
}

#[test]
fn a_hyphen_is_itself_in_a_pattern() {
    check("cdrapi?caller=5-@", "22");
    check("cdrapi?caller=_-_", "22");
    check("cdrapi?callee=5300-5309@", "");
    check("cdrapi?callee=@-1", "21");
    check("cdrapi?callee=@-@-@", "");
}

#[test]
fn a_range_is_of_numbers_of_any_length() {
    check("cdrapi?caller=5302-5304", "04 05 06 20 21");
    check("cdrapi?caller=5300-5300", "01 02 03");
    check("cdrapi?caller=05302-05304", "04 05 06 20 21");
    check("cdrapi?caller=x5302-5304y", "04 05 06 20 21");
    check("cdrapi?caller=53-53", "22 23");
    check("cdrapi?caller=15551234567-15551234567", "18");
    check("cdrapi?caller=99999999999999999999999999999999-99999999999999999999999999999999", "24");
    check("cdrapi?callee=99999999999999999999999999999999-100000000000000000000000000000000", "24");
    check("cdrapi?callee=000000000000000000000000000000000000005000-5000", "04");
}

#[test]
fn what_has_no_digits_counts_as_zero() {
    check("cdrapi?caller=0-0", "10 11 12 13 14");
    check("cdrapi?callee=0-0", "13 14");
    check("cdrapi?caller=-", "10 11 12 13 14");
    check("cdrapi?caller=-4", "10 11 12 13 14 17");
    check("cdrapi?caller=a-b", "10 11 12 13 14");
    check("cdrapi?caller=00-4", "10 11 12 13 14 17");
}

#[test]
fn a_reversed_range_matches_nothing() {
    check("cdrapi?caller=5304-5302", "");
    check("cdrapi?caller=5300-", "");
    check("cdrapi?caller=5304-5302,5303", "05");
}

#[test]
fn null_is_the_empty_text_to_a_list() {
    check("cdrapi?caller=@&callee=@&answeredby=0-0&startTime=2022-05-31", "34");
    check("cdrapi?caller=0-0&callee=0-0&answeredby=0-0", "13 14");
}

#[test]
fn durations_are_within_both_ends() {
    check("cdrapi?minDur=60", "04 05 08 09 18");
    check("cdrapi?maxDur=1&minDur=1", "24");
    check("cdrapi?minDur=8&maxDur=9", "02 06");
    check("cdrapi?minDur=0", &but("14 29 30"));
    check("cdrapi?minDur=0060&maxDur=000060", "04");
    check("cdrapi?minDur=61&maxDur=60", "");
    check("cdrapi?minDur=99999999999999999999999999999999999999999", "");
    check("cdrapi?maxDur=99999999999999999999999999999999999999999", &but("14 29 30"));
}

#[test]
fn times_are_within_both_ends() {
    check("cdrapi?endTime=2013-01-23", "01 02");
    check("cdrapi?endTime=2013-01-23T00:00", "01 02");
    check("cdrapi?endTime=2013-01-23T00:00:00", "01 02");
    check("cdrapi?endTime=2013-01-23T00:00:00.999", "01 02");
    check("cdrapi?startTime=2013-01-22T23:59:59.001&endTime=2013-01-23T00:00:01", "02 03");
    check("cdrapi?startTime=2013-07-01T00:00:00-06:00&endTime=2013-07-31T23:59:59-06:00", "05 06 10 11 12");
    check("cdrapi?startTime=2013-07-01T06:00Z&endTime=2013-08-01T07:59:59%2B02:00", "05 06 10 11 12");
    check("cdrapi?startTime=2013-07-01T06:00Z&endTime=2013-08-01T07:59:59+02:00", "05 06 10 11 12");
    check("cdrapi?startTime=1358899200&endTime=1358899201", "02 03");
    check("cdrapi?startTime=2016-01-04&endTime=now", "18 19");
    check("cdrapi?startTime=2016-01-04&endTime=12:00", "");
    check("cdrapi?startTime=12:00:00.500&endTime=2013-01-22T23:59:59", "01");
    check("cdrapi?startTime=2022-05-31&endTime=", "34");
    check("cdrapi?startTime=&endTime=2013-01-22T23:59:59Z", "01");
    check("cdrapi?startTime=00:00", &but("14 30"));
}

#[test]
fn instants_do_not_depend_on_the_pbx_s_clock() {
    check_in("cdrapi?endTime=2013-01-23", "01 02", -21_600);
}

#[test]
fn the_format_changes_nothing() {
    for format in ["csv", "CSV", "Xml", "JSON"] {
        check(&format!("cdrapi?format={format}&caller=5302"), "04");
    }
}

#[test]
fn a_page_is_as_it_is_written() {
    let page = |request: &str| filter(request).page().map(|page| (page.offset, page.count));
    assert_eq!(page("cdrapi?caller=5300"), None);
    assert_eq!(page("cdrapi?numRecords=10"), Some((None, Some(10))));
    assert_eq!(page("cdrapi?numRecords=0&offset=0"), Some((Some(0), Some(0))));
    assert_eq!(page("cdrapi?offset=400&numRecords=0200"), Some((Some(400), Some(200))));
    assert_eq!(page("cdrapi?offset=99999999999999999999999"), Some((Some(u64::MAX), None)));
}

#[test]
fn more_records_than_a_ucm_gives_are_that_many_to_it() {
    let filter = Filter::parse_query("cdrapi?numRecords=1001", &context()).unwrap();
    assert_eq!(filter.page().and_then(|page| page.count), Some(1000));
    let huge = Filter::parse_query(&format!("cdrapi?numRecords={}", "9".repeat(5000)), &context()).unwrap();
    assert_eq!(huge, filter);
}

#[test]
fn columns_are_those_that_are_asked() {
    let columns = |request: &str| {
        let names: Vec<&str> = filter(request).columns().into_iter().map(|column| column.name()).collect();
        names.join(" ")
    };
    assert_eq!(columns("cdrapi"), "");
    assert_eq!(columns("cdrapi?maxDur=60&minDur=8&caller=53@"), "src billsec");
    assert_eq!(columns("cdrapi?endTime=now&callee=1&answeredby=2"), "dst answered_by start");
}
