//! Kazoo's `/cdrs`: a line for every rule.

use calltable::filter::Request;

use super::*;

#[test]
fn no_condition_wants_every_record() {
    check("kazoo", &but(""));
    check("kazoo?created_from=&created_to=", &but(""));
    check("kazoo?paginate=false&page_size=50&start_key=g2wAAAA%3D", &but(""));
}

#[test]
fn times_are_seconds_since_the_year_0_and_both_are_included() {
    // 2020-05-01T12:38:54Z
    check("kazoo?created_from=63755555934&created_to=63755556000", "35 36");
    check("kazoo?created_from=63755555935&created_to=63755556060", "36 37");
    check_in("kazoo?created_from=63755555934&created_to=63755556000", "35 36", 7200);
    check("kazoo?created_to=0", "");
    check("kazoo?created_from=99999999999999999999999", "");
    check("kazoo?created_to=99999999999999999999999", &but("14 30"));
}

#[test]
fn a_field_is_the_column_that_it_fills() {
    check("kazoo?filter_hangup_cause=NORMAL_CLEARING", "35");
    check("kazoo?filter_caller_id_number=2005", "31 32 33");
    check("kazoo?filter_caller_id_name=Ann", "35");
    check("kazoo?filter_callee_id_number=21000", "32 33");
    check("kazoo?filter_call_id=07", "07");
    check("kazoo?filter_id=r35", "35");
    check("kazoo?filter_direction=outbound", "36");
    check("kazoo?filter_call_direction=inbound", "35");
    check("kazoo?filter_owner_id=own1", "35");
    check("kazoo?filter_from_uri=a@x", "35");
    check("kazoo?filter_billing_seconds=600", "18");
    check("kazoo?filter_duration_seconds=0603", "18");
    check("kazoo?filter_ringing_seconds=9", "36");
    check("kazoo?filter_timestamp=63755555934", "35");
    check("kazoo?filter_timestamp=63755556000", "");
    check("kazoo?filter_timestamp=63755556009", "36");
    check("kazoo?filter_unix_timestamp=1588336734", "35");
}

#[test]
fn a_field_that_fills_none_is_in_extra() {
    check("kazoo?filter_cost=0", "35");
    check("kazoo?filter_custom_channel_vars.account_id=acc1", "35");
    check("kazoo?filter_src=2005", "");
    check("kazoo?filter_disposition=ANSWERED", "");
}

#[test]
fn a_field_that_lost_its_column_is_in_extra_and_else_there() {
    check("kazoo?filter_calling_from=1009", "36");
    check("kazoo?filter_calling_from=1000", "");
    check("kazoo?filter_calling_from=1001", "37");
    check("kazoo?filter_dialed_number=1002", "36");
    check("kazoo?filter_from=b@x", "37");
    check("kazoo?filter_from=c@x", "");
    check("kazoo?filter_to=d@x", "37");
}

#[test]
fn not_a_value_is_also_none() {
    check("kazoo?filter_not_cost=0", &but("35"));
    check(
        "kazoo?filter_not_hangup_cause=NORMAL_CLEARING&created_from=63755555934&created_to=63755556060",
        "36 37",
    );
    check("kazoo?filter_not_billing_seconds=0&filter_callee_id_number=1000", "31 35 37");
    check("kazoo?filter_not_calling_from=1009&created_from=63755556000&created_to=63755556060", "37");
}

#[test]
fn fields_that_are_there_and_that_are_not() {
    check("kazoo?has_key=hangup_cause", "35 36");
    check("kazoo?has_key=cost", "35 37");
    check("kazoo?has_key=cost&has_key=from", "35 37");
    check("kazoo?has_key=cost&key_missing=hangup_cause", "37");
    check("kazoo?key_missing=timestamp", "14 30");
    check("kazoo?key_missing=caller_id_number", "13 14");
    check("kazoo?has_key=calling_from&key_missing=billing_seconds", "29 30");
    check("kazoo?has_key=custom_channel_vars.account_id", "35");
}

#[test]
fn paging_is_for_the_answer() {
    let filter = filter("kazoo?paginate=true&page_size=25&start_key=63755555934");
    assert_eq!(filter.page(), None);
    let Some(Request::Kazoo(request)) = filter.request() else { panic!("{filter}") };
    assert_eq!((request.paginate, request.page_size), (Some(true), Some(25)));
    assert_eq!(request.start_key.as_deref(), Some("63755555934"));
}
