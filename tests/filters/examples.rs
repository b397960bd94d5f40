//! The documents' own example queries, as they stand there.

use super::*;

#[test]
fn ucm_query_1() {
    check("https://192.168.254.200:8443/cdrapi?format=CSV&caller=5300&minDur=8&maxDur=60", "02");
    check("https://192.168.254.200:8443/cdrapi?caller=5300&minDur=8&maxDur=60", "02");
}

#[test]
fn ucm_query_2() {
    check("https://192.168.254.200:8443/cdrapi?format=XML&caller=5300,6300-6399&callee=5@", "01 02 03 07 08");
    check(
        "https://192.168.254.200:8443/cdrapi?format=XML&caller=5300&caller=6300-6399&callee=5@",
        "01 02 03 07 08",
    );
    let typing_error =
        "https://192.168.254.200:8443/cdrapi?cdrapi?format=XML&caller=5300&caller=6300-6399&callee=5@";
    let error = Filter::parse(typing_error).unwrap_err();
    assert_eq!((error.position, error.parameter.as_deref()), (36, Some("cdrapi?format")));
}

#[test]
fn ucm_query_3() {
    let request = "https://192.168.254.200:8443/cdrapi?format=JSON&caller=5300&numRecords=10";
    check(request, "01 02 03");
    assert_eq!(filter(request).page().and_then(|page| page.count), Some(10));
}

#[test]
fn ucm_query_4() {
    check("https://192.168.254.200:8443/cdrapi?caller=@53@&callee=5300-5309&endTime=2013-01-23", "01 02");
    check("https://192.168.254.200:8443/cdrapi?caller=@53@&callee=530_&endTime=2013-01-23T00:00:00", "01 02");
}

#[test]
fn ucm_query_5() {
    check(
        "https://192.168.254.200:8443/cdrapi?caller=Anonymous&callee=2@,34@,@5&startTime=2013-07-01T00:00:00-06:00&endTime=2013-07-31T23:59:59-06:00",
        "10 11",
    );
}

#[test]
fn ucm_query_6() {
    let july = "startTime=2013-07-01T00:00:00-06:00&endTime=2013-07-31T23:59:59-06:00&numRecords=200&offset";
    for offset in ["0", "200", "400"] {
        check(&format!("https://192.168.254.200:8443/cdrapi?{july}={offset}"), "05 06 10 11 12");
    }
    let typing_error = format!("https://192.168.254.200:8443/cdrapi?s{july}=200");
    let error = Filter::parse(&typing_error).unwrap_err();
    assert_eq!((error.position, error.parameter.as_deref()), (36, Some("sstartTime")));
}

#[test]
fn ucm_parameter_table() {
    check("cdrapi?caller=5300,5302-5304,_4@", "01 02 03 04 05 06 09 16 20 21 35");
    check("cdrapi?caller=5300&caller=5302-5304&caller=_4@", "01 02 03 04 05 06 09 16 20 21 35");
    check("cdrapi?caller=0-0", "10 11 12 13 14");
}

#[test]
fn ucm_web_form() {
    check("ucm-web?calleeNumber=3XXX", "11");
    check("ucm-web?calleeNumber=3.", "11");
}

#[test]
fn nexo_examples() {
    let day = "&startdate=2021-05-07 00:00&enddate=2021-05-07 23:59&src=&dst=&disposition=All&userfield=All&minbillsec=&maxbillsec=&cidname=";
    check(&format!("http://192.168.6.42/cgi/webserve/9006?{day}&in_route=&IVR=&port=-1"), "25 26 27");
    check(&format!("https://192.168.6.42/cgi/webserve/9005?{day}&IVR=&in_route="), "25 26 27");
    check(&format!("https://192.168.6.42/cgi/webserve/9004?{day}&IVR=&in_route="), "25 26 27");
    let escaped = day.replace(' ', "%20");
    check(
        &format!("http://192.168.6.42:8000/cgi/webserve/9006?{escaped}&in_route=&IVR=&port=-1"),
        "25 26 27",
    );
}

#[test]
fn nexo_recordings() {
    let recordings = "startdate=2021-03-28 00:00&enddate=2021-04-14 23:59&src=&dst=&trunk=All&calltype=All&minduration=&maxduration=";
    check(&format!("http://192.168.6.42/cgi/webserve/20053?&{recordings}"), "29");
}

#[test]
fn yeastar_example() {
    check(
        "http://192.168.5.150:8088/openapi/v1.0/cdr/search?start_time=05/30/2022 00:00:00&end_time=05/30/2022 23:59:59&access_token=s4f8lGJgh28PuXt8KNsoPJCDcfjt21Uj&call_from=2005",
        "31 32 33",
    );
}

#[test]
fn kazoo_example() {
    check("http://api.avpnet.us:8000/v1/accounts/YOUR_ACCOUNT_ID/cdrs?auth_token=YOUR_AUTH_TOKEN", &but(""));
}
