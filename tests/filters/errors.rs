//! What is wrong with a request: a line for every rule, with the parameter and the place that it names.

use super::*;

/// A `^` in the text marks the byte that the error names; it is no part of the request.
#[track_caller]
fn refuses(marked: &str, parameter: &str, rule: &str) {
    let position = marked.find('^').expect("a place is marked");
    let request = marked.replacen('^', "", 1);
    let error = match Filter::parse_with(&request, &context()) {
        Err(error) => error,
        Ok(filter) => panic!("{request} is read as {filter}"),
    };
    let shown = format!("{} {} {}", error.position, error.parameter.as_deref().unwrap_or("-"), error.rule);
    assert_eq!(error.position, position, "{request}: {shown}");
    assert_eq!(error.parameter.as_deref().unwrap_or(""), parameter, "{request}: {shown}");
    assert!(error.rule.contains(rule), "{request}: {shown}");
    let naive = naive_filter::wants(&request, &ROWS[0], &world(0));
    assert!(naive.is_none(), "{request} is well-formed to its slow twin");
}

#[test]
fn what_is_told_is_one_sentence() {
    let error = Filter::parse("cdrapi?minDur=8&caller=5300,,5303").unwrap_err();
    assert_eq!(error.to_string(), "at byte 28: caller: a list must not have two commas side by side");
    let error = Filter::parse("cdrapi?caller=5300&").unwrap_err();
    assert_eq!(error.to_string(), "at byte 18: an `&` stands behind the last parameter");
}

#[test]
fn no_grammar() {
    refuses("^cdr?caller=5300", "", "it is `cdrapi?…` (UCM), `ucm-web?…`");
    refuses("^", "", "yeastar?…");
}

#[test]
fn parameters_of_any_grammar() {
    for grammar in ["cdrapi", "ucm-web", "nexo", "yeastar", "kazoo"] {
        refuses(&format!("{grammar}?^caler=5300"), "caler", "has no such parameter: there are");
        refuses(&format!("{grammar}?nothing^"), "nothing", "there is no `=` behind the name");
        refuses(&format!("{grammar}?^=5300"), "", "has no such parameter");
        refuses(&format!("{grammar}?access_token=1^&"), "", "behind the last parameter");
        refuses(&format!("{grammar}?access_token=1&^&token=2"), "", "side by side");
        refuses(&format!("{grammar}?access_token=5^%zz"), "access_token", "two hexadecimal digits");
        refuses(&format!("{grammar}?access_token=5^%"), "access_token", "two hexadecimal digits");
        refuses(&format!("{grammar}?^%zz=5"), "%zz", "two hexadecimal digits");
        refuses(&format!("{grammar}?access_token=ab^%C3"), "access_token", "must be UTF-8");
    }
    for grammar in ["cdrapi", "ucm-web", "yeastar", "kazoo"] {
        refuses(&format!("{grammar}?^&access_token=1"), "", "before the first parameter");
    }
    refuses("nexo?&^&src=1", "", "side by side");
}

#[test]
fn cdrapi_lists() {
    refuses("cdrapi?caller=^", "caller", "it has no value");
    refuses("cdrapi?caller=5300&callee=^", "callee", "it has no value");
    refuses("cdrapi?caller=^,5300", "caller", "must not begin with a comma");
    refuses("cdrapi?caller=^,", "caller", "must not begin with a comma");
    refuses("cdrapi?caller=5300,^,5303", "caller", "two commas");
    refuses("cdrapi?caller=5300,^,", "caller", "two commas");
    refuses("cdrapi?caller=5300%2C^%2C5303", "caller", "two commas");
    refuses("cdrapi?caller=5300-5301^-,6300", "caller", "two hyphens");
    refuses("cdrapi?caller=6300,1-2^-3", "caller", "two hyphens");
    refuses("cdrapi?caller=-^-", "caller", "two hyphens");
    refuses("cdrapi?caller=5300,^ 5301", "caller", "' ' is not allowed in a list");
    refuses("cdrapi?caller=5300^%205301", "caller", "' ' is not allowed");
    refuses("cdrapi?caller=^\"5300\"", "caller", "'\"' is not allowed");
    refuses("cdrapi?callee=620^(102)", "callee", "'(' is not allowed");
    refuses("cdrapi?answeredby=1^%0A", "answeredby", "'\\n' is not allowed");
    refuses("cdrapi?answeredby=^%00", "answeredby", "is not allowed");
    refuses("cdrapi?caller=M^ü", "caller", "'ü' is not allowed");
    refuses("cdrapi?caller=M^%C3%BC", "caller", "'ü' is not allowed");
    refuses("cdrapi?caller=5300^=", "caller", "'=' is not allowed");
    refuses("cdrapi?answeredby=5300&^answeredby=5301", "answeredby", "given twice");
}

#[test]
fn cdrapi_numbers() {
    for name in ["minDur", "maxDur", "offset", "numRecords"] {
        refuses(&format!("cdrapi?{name}=^"), name, "it has no value");
        refuses(&format!("cdrapi?{name}=5^s"), name, "digits alone");
        refuses(&format!("cdrapi?{name}=^-1"), name, "digits alone");
        refuses(&format!("cdrapi?{name}=^+1"), name, "digits alone");
        refuses(&format!("cdrapi?{name}=1^.5"), name, "digits alone");
        refuses(&format!("cdrapi?{name}=^٣"), name, "digits alone");
        refuses(&format!("cdrapi?{name}=5&^{name}=10"), name, "given twice");
        refuses(&format!("cdrapi?{name}=5&^{name}=5"), name, "given twice");
    }
    refuses("cdrapi?numRecords=^1001", "numRecords", "1000 records at most");
    refuses("cdrapi?numRecords=^99999999999999999999999", "numRecords", "1000 records at most");
}

#[test]
fn cdrapi_times() {
    for text in [
        "135889920",
        "13588992000",
        "yesterday",
        "Now",
        "2013-01-23Z",
        "2013-01-23T",
        "2013-01-23%2B01:00",
        "2013-01-23%2012:00",
        "2013-02-29",
        "2013-13-01",
        "24:00",
        "12:60",
        "12:00:60",
        "12:00:00.5",
        "12:00+0100",
        "12:00+24:00",
        "12:00%20",
        "1:00",
        "2013-1-1",
    ] {
        refuses(&format!("cdrapi?startTime=^{text}"), "startTime", "is no time: it is YYYY-MM-DD");
        refuses(&format!("cdrapi?caller=1&endTime=^{text}"), "endTime", "is no time");
    }
    refuses("cdrapi?startTime=&^startTime=", "startTime", "given twice");
    refuses("cdrapi?^starttime=now", "starttime", "no such parameter");
}

#[test]
fn cdrapi_format() {
    refuses("cdrapi?format=^pdf", "format", "`pdf` is no format: it is csv, xml or json");
    refuses("cdrapi?format=^", "format", "it has no value");
    refuses("cdrapi?format=csv&^format=csv", "format", "given twice");
    refuses("cdrapi?^Format=csv", "Format", "no such parameter");
    refuses("cdrapi?^cdrapi?format=XML&caller=5300", "cdrapi?format", "no such parameter");
}

#[test]
fn ucm_web() {
    refuses("ucm-web?callType=^callback", "callType", "`callback` is none of inbound, outbound");
    refuses("ucm-web?callType=inbound,^x", "callType", "`x` is none of");
    refuses("ucm-web?callType=inbound,^", "callType", "an item of the list is empty");
    refuses("ucm-web?status=^,busy", "status", "an item of the list is empty");
    refuses("ucm-web?status=busy,^voicemail", "status", "is none of ANSWERED");
    refuses("ucm-web?status=busy,^%20", "status", "is none of");
    refuses("ucm-web?srcTrunk=a,^,b", "srcTrunk", "an item of the list is empty");
    refuses("ucm-web?actionType=DIAL,^%20", "actionType", "is no name");
    refuses("ucm-web?callerNumber=3^X3", "callerNumber", "wildcards stand at the end alone");
    refuses("ucm-web?callerNumber=^.3", "callerNumber", "wildcards stand at the end alone");
    refuses("ucm-web?callerNumber=3^..", "callerNumber", "wildcards stand at the end alone");
    refuses("ucm-web?callerNumber=3^.X", "callerNumber", "wildcards stand at the end alone");
    refuses("ucm-web?calleeNumber=53^@", "calleeNumber", "'@' is in no number");
    refuses("ucm-web?calleeNumber=^Anonymous", "calleeNumber", "'A' is in no number");
    refuses("ucm-web?startTime=^2013-01-23", "startTime", "is no time: it is YYYY-MM-DD HH:MM[:SS]");
    refuses("ucm-web?endTime=^2013-01-23T00:00", "endTime", "is no time");
    refuses("ucm-web?endTime=^01/23/2013 00:00", "endTime", "is no time");
    refuses("ucm-web?extensionGroup=^marketing", "extensionGroup", "no extension group is named `marketing`");
    refuses("ucm-web?status=busy&^status=failed", "status", "given twice");
}

#[test]
fn nexo() {
    refuses("nexo?startdate=^2021-05-07", "startdate", "is no time: it is YYYY-MM-DD HH:MM");
    refuses("nexo?enddate=^2021-05-07 23:59:59", "enddate", "is no time");
    refuses("nexo?enddate=^2021-05-0723:59", "enddate", "is no time");
    refuses("nexo?startdate=&enddate=^", "enddate", "both dates are empty");
    refuses("nexo?enddate=^&src=1&startdate=", "enddate", "both dates are empty");
    refuses("nexo?src=10^@", "src", "'@' is not allowed in a list: letters, digits and - , + * # . are");
    refuses("nexo?src=10^_", "src", "'_' is not allowed");
    refuses("nexo?dst=^,1", "dst", "must not begin with a comma");
    refuses("nexo?dst=100-616^-", "dst", "two hyphens");
    refuses(
        "nexo?disposition=^VOICEMAIL",
        "disposition",
        "is no outcome: it is ANSWERED, BUSY, FAILED, NO ANSWER or All",
    );
    refuses("nexo?disposition=^ANSWERED,BUSY", "disposition", "is no outcome");
    refuses(
        "nexo?userfield=^Conference",
        "userfield",
        "is no direction: it is Internal, Outbound, Inbound, CallBack or All",
    );
    refuses("nexo?calltype=^External", "calltype", "is no direction");
    refuses("nexo?minbillsec=1^s", "minbillsec", "digits alone");
    refuses("nexo?maxduration=^-1", "maxduration", "digits alone");
    refuses("nexo?cidname=FROM96^-", "cidname", "a `-` must not be used");
    refuses("nexo?in_route=a^-b", "in_route", "a `-` must not be used");
    refuses("nexo?IVR=IVR620^-", "IVR", "a `-` must not be used");
    refuses("nexo?port=^-2", "port", "digits alone");
    refuses("nexo?port=1&^Port=1", "Port", "given twice");
    refuses("nexo?^ivr=x", "ivr", "no such parameter");
    refuses("nexo?^IV R=x", "IV R", "no such parameter");
}

#[test]
fn yeastar() {
    refuses("yeastar?start_time=^05/30/2022", "start_time", "is no time: it is MM/DD/YYYY HH:MM:SS");
    refuses("yeastar?end_time=^2022-05-30T00:00:00Z", "end_time", "is no time");
    refuses("yeastar?end_time=^13/13/2022 00:00:00", "end_time", "is no time");
    refuses(
        "yeastar?start_time=05/30/2022 00:00:00&end_time=^31/05/2022 00:00:00",
        "end_time",
        "the month first, the other the day",
    );
    refuses("yeastar?status=ANSWERED,^CANCEL", "status", "`CANCEL` is none of ANSWERED");
    refuses("yeastar?status=ANSWERED,^", "status", "an item of the list is empty");
    refuses("yeastar?enable_fuzzy_search=^yes", "enable_fuzzy_search", "`yes` is none of 0, 1");
    refuses("yeastar?extension_group=^12", "extension_group", "no extension group is named `12`");
    refuses("yeastar?page=^0", "page", "counted from 1");
    refuses("yeastar?page_size=^0", "page_size", "counted from 1");
    refuses("yeastar?page_size=^10001", "page_size", "10000 records at most");
    refuses("yeastar?page=^x", "page", "digits alone");
    refuses("yeastar?sort_by=^name", "sort_by", "`name` is none of id, time");
    refuses("yeastar?order_by=^down", "order_by", "`down` is none of asc, desc");
    refuses("yeastar?call_from=1&^call_from=2", "call_from", "given twice");
}

#[test]
fn kazoo() {
    refuses("kazoo?created_from=6371^-", "created_from", "digits alone");
    refuses("kazoo?created_to=^now", "created_to", "digits alone");
    refuses("kazoo?^filter_=x", "filter_", "no field is named");
    refuses("kazoo?^filter_not_=x", "filter_not_", "no field is named");
    refuses("kazoo?^has_key=", "has_key", "no field is named");
    refuses("kazoo?filter_cost=^", "filter_cost", "`key_missing=cost` asks for what is not there");
    refuses("kazoo?filter_billing_seconds=^6s", "filter_billing_seconds", "is a number, and `6s` is none");
    refuses("kazoo?filter_timestamp=^now", "filter_timestamp", "is a number, and `now` is none");
    refuses("kazoo?^filter_not_rfc_1036=x", "filter_not_rfc_1036", "only repeats `timestamp`");
    refuses("kazoo?has_key=^datetime", "has_key", "only repeats `timestamp`");
    refuses("kazoo?key_missing=^recording_url", "key_missing", "is a list");
    refuses("kazoo?paginate=^1", "paginate", "`1` is none of true, false");
    refuses("kazoo?page_size=^-5", "page_size", "digits alone");
    refuses("kazoo?created_from=1&^created_from=2", "created_from", "given twice");
    refuses("kazoo?filter_cost=1&^filter_cost=2", "filter_cost", "given twice");
    refuses("kazoo?^modified_from=1", "modified_from", "no such parameter");
}
