//! UCM's web form: a line for every rule.

use super::*;

#[test]
fn what_is_empty_is_no_condition() {
    check("ucm-web", &but(""));
    check("ucm-web?callType=&status=&srcTrunk=&dstTrunk=&actionType=&accountCode=&callerNumber=", &but(""));
    check("ucm-web?callerName=&calleeNumber=&startTime=&endTime=&extensionGroup=", &but(""));
}

#[test]
fn types_of_call() {
    check("ucm-web?callType=external", "14 24");
    check("ucm-web?callType=Outbound,EXTERNAL", "14 15 16 17 24 27 31 32 33");
    check("ucm-web?callType=inbound", "10 11 12 13 18 25");
    check("ucm-web?callType=internal&callerNumber=53.", "01 02 03 04 05 06 20");
    check("ucm-web?callType=remote", "02 18");
    check("ucm-web?callType=remote,external", "02 14 18 24");
    check("ucm-web?callType=remote&status=answered&callerNumber=5300", "02");
}

#[test]
fn outcomes() {
    check("ucm-web?status=busy", "05 17");
    check("ucm-web?status=no answer,busy", "03 05 16 17 32 34");
    check("ucm-web?status=No%20Answer", "03 16 32 34");
    check("ucm-web?status=NO_ANSWER", "03 16 32 34");
    check("ucm-web?status=failed", "12 21 22 23");
}

#[test]
fn trunks_actions_and_accounts_by_name() {
    check("ucm-web?srcTrunk=sip-a", "11 12");
    check("ucm-web?srcTrunk=sip-a,CallCenterTrunk", "10 11 12");
    check("ucm-web?srcTrunk=SIP-A", "");
    check("ucm-web?dstTrunk=sip-a,sip-b", "15 16 17");
    check("ucm-web?actionType=QUEUE", "03");
    check("ucm-web?actionType=Queue,conference%20[6300]", "03 05");
    check("ucm-web?accountCode=sales", "01");
    check("ucm-web?accountCode=sal", "");
}

#[test]
fn numbers_with_their_wildcards() {
    check("ucm-web?callerNumber=5300", "01 02 03");
    check("ucm-web?calleeNumber=5300", "09 18");
    check("ucm-web?callerNumber=53XX", "01 02 03 04 05 06");
    check("ucm-web?callerNumber=53xX", "01 02 03 04 05 06");
    check("ucm-web?callerNumber=5302X", "");
    check("ucm-web?callerNumber=5302.", "04 20");
    check("ucm-web?callerNumber=53XX.", "01 02 03 04 05 06 20");
    check("ucm-web?callerNumber=X", "17");
    check("ucm-web?callerNumber=XX", "16");
    check("ucm-web?calleeNumber=3XXX", "11");
    check("ucm-web?calleeNumber=3.", "11");
    check("ucm-web?calleeNumber=620.", "25");
    check("ucm-web?callerNumber=.", &but("13 14"));
    check("ucm-web?callerNumber=%2B1.", "18");
    check("ucm-web?callerNumber=*9X", "19");
    check("ucm-web?callerNumber=5#X", "23");
}

#[test]
fn a_name_is_found_anywhere_in_any_case() {
    check("ucm-web?callerName=john", "01 02 03");
    check("ucm-web?callerName=N D", "01 02 03 04");
    check("ucm-web?callerName=Wireless%20caller", "18");
    check("ucm-web?callerName=_@", "");
}

#[test]
fn times_are_the_pbx_s_own() {
    check("ucm-web?startTime=2022-05-31 00:00", "34");
    check("ucm-web?startTime=2013-01-23 00:00:00&endTime=2013-01-23%2000:00:01", "02 03");
    check("ucm-web?endTime=2013-01-23 00:00", "01 02");
    check_in("ucm-web?startTime=2013-01-22 18:00&endTime=2013-01-22 18:00:01", "02 03", -21_600);
    check_in("ucm-web?startTime=2022-05-31 02:00", "34", 7200);
}

#[test]
fn a_group_is_its_members_calls() {
    check("ucm-web?extensionGroup=sales", "01 02 03 09 18 26");
    check("ucm-web?extensionGroup=none", "");
    check("ucm-web?extensionGroup=sales&status=answered", "01 02 09 18 26");
}
