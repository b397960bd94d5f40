//! Dumps as scripts join them and crashes cut them: nothing that stands where a record should is passed over in silence,
//! and what is whole is read.

use arrow::array::{Array, AsArray};
use calltable::{Column, Decoder, Options};

/// What came of a dump.
#[derive(Debug, Default, PartialEq)]
struct Found {
    /// The callers.
    rows: Vec<String>,
    /// Why records were rejected.
    reasons: Vec<&'static str>,
    /// Why the dump has failed.
    error: Option<String>,
}

fn read(options: Options, text: &str) -> Found {
    let options = Options { columns: vec![Column::Src, Column::Uniqueid], ..options };
    let mut decoder = Decoder::new("dump", options);
    let outcome = decoder.feed(text.as_bytes()).and_then(|()| decoder.finish());
    let mut found =
        Found { error: outcome.err().map(|error| error.message().to_string()), ..Found::default() };
    while let Some(decoded) = decoder.next_batch() {
        let [callers, ids] = [0, 1].map(|at| {
            arrow::compute::cast(decoded.rows.column(at), &arrow::datatypes::DataType::Utf8).unwrap()
        });
        let (callers, ids) = (callers.as_string::<i32>(), ids.as_string::<i32>());
        found.rows.extend((0..callers.len()).map(|at| match ids.is_valid(at) {
            true => format!("{} {}", callers.value(at), ids.value(at)),
            false => callers.value(at).to_string(),
        }));
        found.reasons.extend(decoded.rejects.iter().map(|reject| reject.reason));
    }
    found
}

/// The callers, the reasons of the rejects, and what the dump's error holds.
#[track_caller]
fn check_as(options: Options, text: &str, rows: &[&str], reasons: &[&str], error: Option<&str>) {
    let found = read(options, text);
    assert_eq!(
        (&found.rows[..], &found.reasons[..]),
        (&rows.iter().map(|row| row.to_string()).collect::<Vec<_>>()[..], reasons),
        "{text}"
    );
    match (&found.error, error) {
        (None, None) => {}
        (Some(found), Some(error)) if found.contains(error) => {}
        (found, _) => panic!("{found:?} in place of {error:?}: {text}"),
    }
}

#[track_caller]
fn check(text: &str, rows: &[&str], reasons: &[&str]) {
    check_as(Options::default(), text, rows, reasons, None);
}

#[test]
fn captures_of_events() {
    let event = |caller: &str| format!("Event: Cdr\r\nSource: {caller}\r\nDuration: 4\r\n\r\n");
    let cut = "Event: Cdr\r\nSource: 1\r\nUniqueID: 17";
    let (one, two, banner) =
        (event("1"), event("2"), "Asterisk Call Manager/5.0.1\r\nResponse: Success\r\n\r\n");
    check(&format!("{one}\0\0\0{two}"), &["1", "2"], &[]);
    check(&format!("\0\0{one}{two}"), &["1", "2"], &[]);
    check(&format!("{one}\u{feff}{two}"), &["1", "2"], &[]);
    check(&format!("{cut}{two}"), &["2"], &["truncated"]);
    check(&format!("{cut}\0\0{two}"), &["2"], &["truncated"]);
    check(&format!("{cut}{banner}{two}"), &["2"], &["truncated"]);
    check(&format!("{cut}\r\n{banner}{two}"), &["2"], &["truncated"]);
    let end = "Event: Cdr\r\nSource: 1\r\n\0\0\0";
    check(end, &[], &["truncated"]);
    check(&format!("{end}\r\n{two}"), &["2"], &["truncated"]);
    let of_cr = format!("{banner}{one}{two}").replace("\r\n", "\r");
    check(&of_cr, &["1", "2"], &[]);
}

#[test]
fn a_nul_within_an_event_is_no_part_of_its_keys() {
    check("Event: Cdr\nSource: 1\n\0\0UniqueID: 17.1\n\n", &["1 17.1"], &[]);
}

#[test]
fn lines_with_a_byte_order_mark() {
    let line = |caller: &str| {
        format!(
            "\"a,b\",\"{caller}\",\"2\",\"c\",\"\"\"A\"\" <1>\",\"SIP/1-1\",\"SIP/2-1\",\"Dial\",\"x\",\"2024-05-17 12:34:56\",\"\",\"2024-05-17 12:34:58\",\"2\",\"0\",\"NO ANSWER\",\"DOCUMENTATION\"\n"
        )
    };
    check(&format!("{}\u{feff}{}\0\u{feff}{}", line("1"), line("2"), line("3")), &["1", "2", "3"], &[]);
}

const PAGE: &str = "<html><body><h1>Session expired, please log in</h1></body></html>\n";

#[test]
fn xml_documents() {
    let call =
        |caller: &str| format!("<root><cdr><AcctId>1</AcctId><src>{caller}</src><dst>2</dst></cdr></root>\n");
    let (one, two) = (call("1"), call("2"));
    let says = |between: &str, error| {
        check_as(Options::default(), &format!("{one}{between}{two}"), &["1", "2"], &[], error)
    };
    says(PAGE, Some("HTML page"));
    says(&PAGE.to_uppercase(), Some("HTML page"));
    says(
        "<root><response><error_msg>Invalid parameters!</error_msg><status>-1</status></response></root>",
        Some("`Invalid parameters!`"),
    );
    says("<response><status>-6</status></response>", Some("`status -6`"));
    let damaged = "<src>5</src><status>3</status></cdr>";
    check(&format!("{one}<root>{damaged}</root>{two}"), &["1", "2"], &["xml-syntax"]);
    says("<response><status>0</status><page>2</page><error_msg/></response>", None);
    check_as(Options::default(), &format!("<root></root>{PAGE}"), &[], &[], Some("HTML page"));
}

/// A JSON record of that caller.
fn ucm(caller: &str) -> String {
    format!("{{\"AcctId\":\"1\",\"src\":\"{caller}\",\"dst\":\"2\",\"start\":\"2024-05-17 12:34:56\"}}")
}

#[test]
fn json_in_other_envelopes() {
    let (one, two) = (ucm("1"), ucm("2"));
    for text in [
        format!("{{\"cdr_root\":{{\"cdr\":[{one},{two}]}}}}"),
        format!("{{\"response\":{{\"cdr_root\":{{\"cdr\":[{one},{two}]}}}},\"status\":0}}"),
        format!("{{\"cdr_root\":{{\"0\":{one},\"1\":{two}}}}}"),
        format!("{{\"0\":{one},\"1\":{two}}}"),
    ] {
        check(&text, &["1", "2"], &[]);
    }
    let text = format!("[{one},{two}]").replace('"', "\\\"");
    check(&format!("{one}\n{{\"cdr_root\":\"{text}\"}}"), &["1"], &["not-a-record"]);
    check(
        &format!("{one}\n{{\"response\":{{\"calls\":[{one},{two}]}},\"status\":0}}"),
        &["1"],
        &["not-a-record"],
    );
    check(&format!("{one}\n{{\"main_cdr\":[{one},{two}]}}"), &["1"], &["not-a-record"]);
    check(&format!("{one}\n{{\"cdr_root\":{{}}}}\n{{\"cdr_root\":\"\"}}\n{{\"cdr_root\":[]}}"), &["1"], &[]);
}

#[test]
fn other_vendors_json_in_other_envelopes() {
    let kazoo = "{\"call_id\":\"a\",\"hangup_cause\":\"x\",\"caller_id_number\":\"1\"}";
    let yeastar = "{\"call_from\":\"A<1>\",\"call_to\":\"2\",\"timestamp\":1715949296,\"uid\":\"5\"}";
    let nexo = "{\"calldate\":\"2024-05-17 12:34:56\",\"src\":\"1\",\"dst\":\"2\",\"disposition\":\"ANSWERED\",\"duration\":\"1\"}";
    let count = |format: &str, text: String, rows: usize, rejects: usize| {
        let options = Options { format: calltable::format::by_name(format), ..Options::default() };
        let found = read(options, &text);
        assert_eq!(
            (found.rows.len(), found.reasons.len(), &found.error),
            (rows, rejects, &None),
            "{text}: {found:?}"
        );
    };
    count("kazoo-json", format!("{{\"data\":{{\"0\":{kazoo},\"1\":{kazoo}}}}}"), 2, 0);
    count("kazoo-json", format!("{{\"data\":{{\"cdrs\":[{kazoo},{kazoo}]}}}}"), 0, 1);
    count("kazoo-json", format!("{{\"data\":{kazoo}}}"), 1, 0);
    count("yeastar-json", format!("{{\"errcode\":0,\"data\":{{\"list\":[{yeastar}]}}}}"), 0, 1);
    count("yeastar-json", format!("{{\"errcode\":0,\"cdr_list\":[{yeastar}]}}"), 0, 1);
    count("nexo-json", format!("{{\"json_array_astcdrs\":{nexo}}}"), 1, 0);
    count("nexo-json", format!("{{\"json_array_astcdrs\":{{\"a\":{nexo}}}}}"), 0, 1);
    count(
        "nexo-json",
        format!("{{\"json_array_astcdrs\":{{\"0\":[{nexo}],\"1\":5,\"2\":\"x\",\"3\":{nexo}}}}}"),
        1,
        3,
    );
}

#[test]
fn objects_in_place_of_a_list() {
    let long = "u".repeat(1_100_000);
    let of_root = |members: &str| format!("{{\"cdr_root\":{{{members}}}}}");
    let ones = "\"AcctId\":\"1\",\"src\":\"1\",\"dst\":\"2\"";
    check(&of_root(&format!("\"clid\":\"{long}\",{ones}")), &["1"], &[]);
    check(&of_root(&format!("\"other\":{{\"x\":\"{long}\"}},{ones}")), &["1"], &[]);
    let mut text = ucm("0");
    let some: Vec<String> = (0..50).map(|at| format!("c{at}")).collect();
    for caller in &some {
        text += &of_root(&format!("\"other\":\"{}\",\"src\":\"{caller}\",\"dst\":\"2\"", &long[..70_000]));
    }
    let callers: Vec<&str> = std::iter::once("0").chain(some.iter().map(String::as_str)).collect();
    check(&text, &callers, &[]);
    let (one, less) = (ucm("1"), "{\"src\":\"5\",\"dst\":\"6\"}");
    check(
        &of_root(&format!("\"0\":{one},\"1\":{less},\"2\":\"text\",\"4\":{less}")),
        &["1", "5", "5"],
        &["not-a-record"],
    );
    check(&format!("{one}{}", of_root(&format!("\"0\":{less}"))), &["1", "5"], &[]);
    let (two, long) = (ucm("2"), &long[..66_000]);
    check(
        &format!("{two}\n{{\"meta\":\"{long}\",\"cdr\":[{one},{two}]}}\n{two}"),
        &["2", "1", "2", "2"],
        &[],
    );
    check(
        &format!("{two}\n{{\"meta\":\"{long}\",\"cdr_root\":[{one},{two}]}}\n{two}"),
        &["2", "1", "2", "2"],
        &[],
    );
    let broken = "{\"AcctId\":\"5\",\"src\":\"x\"y\",\"dst\":\"2\"}";
    let text = of_root(&format!("\"0\":{one},\"1\":{broken},\"2\":{two},\"3\":{one}"));
    check(&text, &["1", "2", "1"], &["json-syntax"]);
    check(&text[..text.len() - one.len() - 4], &["1", "2"], &["json-syntax", "truncated"]);
    let behind = format!("{{\"0\":{two},{}", &one[1..]);
    check(&format!("{two}\n{behind}\n{two}"), &["2", "1", "2"], &[]);
    check(&of_root(&behind[1..behind.len() - 1]), &["1"], &[]);
    let within = ucm("1").replace('}', &format!(",\"0\":{}}}", ucm("2")));
    check(&within, &["1"], &[]);
    // What is cut off is a record, however little of it is left.
    check(&format!("{}{{\"cdr_root\":{{\"AcctId\":\"1\",\"sr", of_root(ones)), &["1"], &["truncated"]);
}

#[test]
fn objects_of_which_no_key_is_a_records() {
    let (one, two) = (ucm("1"), ucm("2"));
    for other in [
        "{\"errcode\":10004,\"errmsg\":\"TOKEN EXPIRED\"}",
        "{\"status\":\"error\",\"message\":\"x\"}",
        "{\"errcode\":0,\"data\":[{\"call_from\":\"1\",\"call_to\":\"2\",\"timestamp\":1}]}",
        "{\"main_cdr\":null}",
        "{\"x\":{}}",
        "{}",
    ] {
        check(&format!("{one}\n{other}\n{two}"), &["1", "2"], &["not-a-record"]);
        check(&format!("{{\"cdr_root\":[{one},{other},{two}]}}"), &["1", "2"], &["not-a-record"]);
        check(&format!("{one}\n{other}\n{other}\n{two}"), &["1", "2"], &["not-a-record"; 2]);
    }
    check(&format!("{one}\n{{\"sub_cdr_1\":{{\"other\":\"x\"}}}}"), &["1", ""], &[]);
}

#[test]
fn lines_of_a_dump_that_was_split() {
    let line = |caller: &str, lastdata: &str| {
        format!(
            "1,,{caller},2,from-internal,\"A\" <1>,PJSIP/1-1,PJSIP/2-1,Dial,{lastdata},2024-05-17 12:34:56,,2024-05-17 12:34:58,2,0,NO ANSWER,3,17.1,,1,2,s\n"
        )
    };
    // The first line is what a cut has left of one: it has as many fields as an older generation.
    let long = |caller: &str| {
        let line = line(caller, "SIP/1");
        format!("{},Ann,,,,,1715-1,,,,\n", line.trim_end())
    };
    let cut = long("1").splitn(6, ',').last().unwrap().to_string();
    let options = || Options { format: calltable::format::by_name("ucm-cdrapi-csv"), ..Options::default() };
    for (first, next) in [("SIP/1,60", "SIP/1"), ("SIP/1,60,,x", "SIP/1"), ("SIP/1", "SIP/1,60")] {
        let text = [line("1", first), line("2", next), line("3", first)].concat();
        check_as(options(), &text, &["1 17.1", "2 17.1", "3 17.1"], &[], None);
        check_as(options(), &line("1", first), &["1 17.1"], &[], None);
    }
    let found = read(options(), &[cut, long("2"), long("3")].concat());
    assert_eq!(
        (&found.rows[..], found.reasons.len()),
        (&["2 17.1".to_string(), "3 17.1".to_string()][..], 1)
    );
}
