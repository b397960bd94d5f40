//! Which grammar a text is, and what a malformed request is still answered in.

use super::*;

#[test]
fn the_path_tells_the_grammar() {
    let check = |text: &str, expected| assert_eq!(split(text).ok().map(|found| found.0), expected, "{text}");
    let cdrapi = Some(Container::Cdrapi(Format::Csv));
    check("cdrapi?caller=5300", cdrapi);
    check("cdrapi", cdrapi);
    check("cdrapi?", cdrapi);
    check("https://192.168.254.200:8443/cdrapi?caller=5300", cdrapi);
    check("HTTPS://pbx.example/cdrapi", cdrapi);
    check("192.168.254.200:8443/cdrapi?caller=5300", cdrapi);
    check("http://[::1]:8443/cdrapi/?caller=5300", cdrapi);
    check("ucm-web?status=busy", Some(Container::UcmWeb));
    check("nexo?src=102", Some(Container::Nexo(Cgi::Calls)));
    check("http://192.168.6.42/cgi/webserve/9006?&src=", Some(Container::Nexo(Cgi::Calls)));
    check("http://192.168.6.42:8000/cgi/webserve/9005?&src=", Some(Container::Nexo(Cgi::Download)));
    check("https://192.168.6.42/cgi/webserve/9004?&src=", Some(Container::Nexo(Cgi::Delete)));
    check("http://192.168.6.42/cgi/webserve/20053?&src=", Some(Container::Nexo(Cgi::Recordings)));
    check("/openapi/v1.0/cdr/search?call_from=2005", Some(Container::Yeastar));
    check("http://192.168.5.150:8088/openapi/v1.0/cdr/search?access_token=x", Some(Container::Yeastar));
    check("https://pbx.example/openapi/v1.0/cdr/list?page=1", Some(Container::Yeastar));
    check("yeastar?call_from=2005", Some(Container::Yeastar));
    check("http://api.avpnet.us:8000/v1/accounts/0123/cdrs?auth_token=x", Some(Container::Kazoo));
    check("kazoo?page_size=5", Some(Container::Kazoo));

    check("", None);
    check("?caller=5300", None);
    check("caller=5300", None);
    check("cdr?caller=5300", None);
    check("CDRAPI?caller=5300", None);
    check("ftp://192.168.254.200/cdrapi?caller=5300", None);
    check("https://192.168.254.200:8443/recapi?filedir=monitor", None);
    check("http://192.168.6.42/cgi/webserve/8404?&UserName=admin", None);
    check("http://192.168.6.42/9006?src=1", None);
    check("http://pbx.example/nexo?src=1", None);
    check("http://pbx.example/v1/accounts/0123/cdrs/4567", None);
    check("cdrapi#caller=5300", None);
    check(" cdrapi?caller=5300", None);
    check("lastdata = 'x/cdrs?filter_a=b'", None);
    check("lastdata='x/cdrs?filter_a=b'", None);
}

#[test]
fn a_text_that_is_no_request_is_told_the_five_grammars() {
    let error = split("cdrs.csv?x=1").unwrap_err();
    assert_eq!((error.position, error.parameter), (0, None));
    for form in ["`cdrs.csv`", "cdrapi?…", "ucm-web?…", "nexo?…", "yeastar?…", "kazoo?…"] {
        assert!(error.rule.contains(form), "{form}: {}", error.rule);
    }
}

#[test]
fn a_malformed_request_is_answered_in_its_format_where_that_is_one() {
    let check = |text: &str, expected| assert_eq!(container(text), expected, "{text}");
    let format = |format| Some(Container::Cdrapi(format));
    check("cdrapi?format=XML&caller=", format(Format::Xml));
    check("cdrapi?caller=5300,,5303&format=json", format(Format::Json));
    check("cdrapi?sstartTime=2013&format=%4Ason&", format(Format::Json));
    check("cdrapi?caller=%&format=xml", format(Format::Xml));
    check("cdrapi?nothing&format=xml", format(Format::Xml));
    check("cdrapi?format=pdf&caller=5300", format(Format::Csv));
    check("cdrapi?format=&caller=5300", format(Format::Csv));
    check("cdrapi?format=xml&format=xml", format(Format::Csv));
    check("cdrapi?cdrapi?format=XML&caller=5300", format(Format::Csv));
    check("cdrapi?caller=", format(Format::Csv));
    check("yeastar?status=x", Some(Container::Yeastar));
    check("kazoo?x", Some(Container::Kazoo));
    check("nexo?x", Some(Container::Nexo(Cgi::Calls)));
    check("ucm-web?x", Some(Container::UcmWeb));
    check("cdr?x", None);
}
