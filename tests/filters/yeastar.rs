//! Yeastar's `cdr/search`: a line for every rule.

use calltable::Column;
use calltable::filter::Request;

use super::*;

#[test]
fn what_is_empty_is_no_condition() {
    check("yeastar", &but(""));
    check("yeastar?start_time=&end_time=&call_from=&call_to=&extension_group=&status=", &but(""));
    check("yeastar?enable_fuzzy_search=&page=&page_size=&sort_by=&order_by=", &but(""));
    check("yeastar?enable_fuzzy_search=0&page=2&page_size=10000&sort_by=time&order_by=desc", &but(""));
}

#[test]
fn times_are_in_the_pbx_s_display_format() {
    let day = "31 32 33";
    check("yeastar?start_time=05/30/2022 00:00:00&end_time=05/30/2022 23:59:59", day);
    check("yeastar?start_time=30/05/2022 00:00:00&end_time=30/05/2022 23:59:59", day);
    check("yeastar?start_time=2022/05/30 00:00:00&end_time=2022/05/30 23:59:59", day);
    check("yeastar?start_time=2022-05-30 00:00&end_time=2022-05-30 11:59:59 PM", day);
    check("yeastar?start_time=05-30-2022 02:53:41 PM&end_time=05-30-2022 02:55 pm", "31 32");
    check("yeastar?start_time=30.5.2022 14:55:00&end_time=30.5.2022 14:55:00", "32");
    check("yeastar?start_time=05/31/2022 00:00:00", "34");
    check_in("yeastar?start_time=05/31/2022 08:00:00", "34", 28_800);
}

#[test]
fn one_time_tells_the_order_of_the_other() {
    check("yeastar?start_time=01/05/2020 00:00:00&end_time=13/05/2020 00:00:00", "35 36 37");
    check("yeastar?start_time=05/01/2020 00:00:00&end_time=05/13/2020 00:00:00", "35 36 37");
    check("yeastar?start_time=05/01/2020 00:00:00&end_time=05/02/2020 00:00:00", "35 36 37");
    check("yeastar?start_time=01/05/2020 00:00:00&end_time=02/05/2020 00:00:00", "");
    let context = Context { date_order: Some(DateOrder::DayFirst), ..context() };
    let filter = Filter::parse_with("yeastar?start_time=01/05/2020 00:00:00", &context).unwrap();
    assert_eq!(filter.to_string(), "yeastar?start_time=2020/05/01%2000:00:00");
}

#[test]
fn numbers_are_whole_or_within() {
    check("yeastar?call_from=2005", "31 32 33");
    check("yeastar?call_to=1000", "31 35 37");
    check("yeastar?call_to=820", "26 29 30");
    check("yeastar?call_to=100", "28");
    check("yeastar?call_to=100&enable_fuzzy_search=1", "24 28 31 32 33 35 36 37");
    check("yeastar?enable_fuzzy_search=1&call_from=200&call_to=00", "31 32 33 34");
    check("yeastar?call_from=%2B4930123456", "35");
    check("yeastar?call_from=_@&enable_fuzzy_search=1", "");
}

#[test]
fn outcomes() {
    check("yeastar?status=VOICEMAIL", "33");
    check("yeastar?status=VOICEMAIL,NO ANSWER", "03 16 32 33 34");
    check("yeastar?status=busy,BUSY", "05 17");
}

#[test]
fn a_group_is_its_members_calls() {
    check("yeastar?extension_group=7", "34");
    check("yeastar?extension_group=sales&call_from=5300", "01 02 03");
}

#[test]
fn paging_and_order_are_for_the_answer() {
    let filter = filter("yeastar?page=3&page_size=20&sort_by=talk_duration&order_by=desc");
    assert_eq!(filter.page(), None);
    let Some(Request::Yeastar(request)) = filter.request() else { panic!("{filter}") };
    assert_eq!((request.page, request.page_size), (Some(3), Some(20)));
    assert_eq!((request.sort_column(), request.descending), (Some(Column::Billsec), Some(true)));
}
