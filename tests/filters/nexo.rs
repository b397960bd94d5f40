//! Nexo's CGIs: a line for every rule.

use calltable::filter::Request;

use super::*;

#[test]
fn what_is_empty_or_all_is_no_condition() {
    check("nexo", &but(""));
    check("nexo?&", &but(""));
    check("nexo?&src=&dst=&disposition=All&userfield=All&minbillsec=&maxbillsec=", &but(""));
    check("nexo?cidname=&in_route=&IVR=&port=-1", &but(""));
    check("nexo?trunk=All&calltype=ALL&minduration=&maxduration=", &but(""));
    check("nexo?startdate=", &but(""));
    check("nexo?enddate=", &but(""));
    check("nexo?Port=0", &but(""));
}

#[test]
fn dates_are_the_pbx_s_own_and_the_last_minute_is_whole() {
    check("nexo?startdate=2021-05-07 00:00&enddate=2021-05-07 23:59", "25 26 27");
    check("nexo?&startdate=2021-05-07%2000:36&enddate=2021-05-07%2000:36", "25");
    check("nexo?startdate=2021-05-07 00:37&enddate=", "26 27 28 31 32 33 34");
    check("nexo?startdate=&enddate=2013-01-23 00:00", "01 02 03");
    check_in("nexo?startdate=2021-05-07 08:00&enddate=2021-05-08 07:59", "25 26 27", 28_800);
}

#[test]
fn numbers_and_ranges() {
    check("nexo?src=506", "25 26");
    check("nexo?src=506,202", "25 26 27 29");
    check("nexo?src=506&src=202,", "25 26 27 29");
    check("nexo?src=100-616", "25 26 27 28 29 30");
    check("nexo?src=0-0", "10 11 12 13 14");
    check("nexo?src=5304-5302", "");
    check("nexo?src=%2B4930123456,+15551234567,*97,5#3", "18 19 23 35");
}

#[test]
fn a_destination_is_before_the_bracket_or_within() {
    check("nexo?dst=620", "25");
    check("nexo?dst=820", "26 29 30");
    check("nexo?dst=202", "25");
    check("nexo?dst=600-620", "25 29");
    check("nexo?dst=102,601", "26 29");
    check("nexo?dst=620202-620202", "");
    check("nexo?dst=0-0", "13 14");
    check("nexo?dst=s", "13");
}

#[test]
fn outcomes_and_directions() {
    check("nexo?disposition=BUSY", "05 17");
    check("nexo?disposition=NO ANSWER", "03 16 32 34");
    check("nexo?disposition=FAILD", "12 21 22 23");
    check("nexo?disposition=failed", "12 21 22 23");
    check("nexo?userfield=CallBack", "26 30");
    check("nexo?userfield=Call%20Back", "26 30");
    check("nexo?userfield=Interval&src=616", "28");
    check("nexo?userfield=Internal&src=616", "28");
    check("nexo?userfield=Outbound&src=202", "27");
    check("nexo?userfield=Inbound&src=506", "25");
}

#[test]
fn seconds_are_within_both_ends() {
    check("nexo?minbillsec=60&maxbillsec=61", "04 05");
    check("nexo?maxbillsec=3&minbillsec=2", "25 26 27 28");
    check("nexo?minbillsec=0", &but("14 29 30"));
}

#[test]
fn prefixes_are_without_their_hyphen() {
    check("nexo?cidname=FROM96", "25");
    check("nexo?cidname=Fro", "27");
    check("nexo?in_route=FROM96", "25");
    check("nexo?IVR=Main", "26");
    check("nexo?IVR=main", "");
}

#[test]
fn a_port_is_a_number() {
    check("nexo?port=3", "25");
    check("nexo?Port=012", "27");
    check("nexo?port=99999999999999999999", "");
}

#[test]
fn recordings() {
    check("nexo?&trunk=44", "29");
    check("nexo?trunk=96", "25 26 27");
    check("nexo?calltype=Conference", "30");
    check("nexo?calltype=CallBack", "26 30");
    check("nexo?minduration=11&maxduration=11&src=202", "29");
    check("nexo?minduration=4&maxduration=4", "30 37");
    check("nexo?minduration=11&src=202", "29");
}

#[test]
fn both_dates_empty_are_today_where_the_pbx_answers() {
    let answered = |zone| {
        let context = Context { now: 1_620_345_600_000_000, zone, ..context() };
        let filter = Filter::parse_query("nexo?&startdate=&enddate=&src=506", &context).unwrap();
        filter.to_string()
    };
    assert_eq!(answered(None), "nexo?startdate=2021-05-07%2000:00&enddate=2021-05-07%2023:59&src=506");
    let west = Some(Zone::Fixed(-3600));
    assert_eq!(answered(west), "nexo?startdate=2021-05-06%2000:00&enddate=2021-05-06%2023:59&src=506");
}

#[test]
fn the_cgi_is_kept() {
    let printed = |request: &str| {
        let filter = filter(request);
        assert!(matches!(filter.request(), Some(Request::Nexo(_))));
        filter.to_string()
    };
    assert_eq!(printed("http://192.168.6.42/cgi/webserve/9006?&src=1"), "nexo?src=1");
    assert_eq!(printed("http://192.168.6.42/cgi/webserve/9005?&src=1"), "cgi/webserve/9005?src=1");
    assert_eq!(printed("https://192.168.6.42:4430/cgi/webserve/20053?&src=1"), "cgi/webserve/20053?src=1");
}
