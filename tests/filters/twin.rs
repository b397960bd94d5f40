//! Requests made of the grammars' own pieces, right and wrong: the real way and its slow twin agree on
//! whether one is a request at all, on every row, and what is printed reads as the same.

use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use super::*;
use crate::calls::Row;

/// What requests are made of: the names of a grammar, and values that provoke trouble.
struct Grammar {
    name: &'static str,
    parameters: &'static [(&'static str, Values)],
}

#[derive(Clone, Copy, Debug)]
enum Values {
    List,
    Number,
    Instant,
    Local,
    Displayed,
    Dialled,
    Words(&'static [&'static str]),
}

use Values::{Dialled, Displayed, Instant, List, Local, Number, Words};

const CDRAPI: Grammar = Grammar {
    name: "cdrapi",
    parameters: &[
        ("caller", List),
        ("caller", List),
        ("callee", List),
        ("answeredby", List),
        ("startTime", Instant),
        ("endTime", Instant),
        ("minDur", Number),
        ("maxDur", Number),
        ("numRecords", Number),
        ("offset", Number),
        ("format", Words(&["csv", "XML", "json", "pdf"])),
    ],
};

const UCM_WEB: Grammar = Grammar {
    name: "ucm-web",
    parameters: &[
        ("callType", Words(&["inbound", "Remote", "internal,outbound", "external", "callback"])),
        ("status", Words(&["answered", "no answer,BUSY", "failed", "noanswer", "voicemail", "busy,"])),
        ("srcTrunk", Words(&["sip-a", "sip-a,sip-b", "96"])),
        ("dstTrunk", Words(&["sip-a", "96", ","])),
        ("actionType", Words(&["dial", "QUEUE,Conference", "DIAL,dial"])),
        ("accountCode", Words(&["sales", "a,b"])),
        ("callerNumber", Dialled),
        ("calleeNumber", Dialled),
        ("callerName", Words(&["john", "DOE", " ", "ü", "n"])),
        ("startTime", Local),
        ("endTime", Local),
        ("extensionGroup", Words(&["sales", "7", "none", "marketing"])),
    ],
};

const NEXO: Grammar = Grammar {
    name: "nexo",
    parameters: &[
        ("startdate", Local),
        ("enddate", Local),
        ("src", List),
        ("src", List),
        ("dst", List),
        ("disposition", Words(&["ANSWERED", "All", "FAILD", "no answer", "VOICEMAIL"])),
        ("userfield", Words(&["Interval", "Internal", "Call Back", "Inbound", "all", "Conference"])),
        ("minbillsec", Number),
        ("maxbillsec", Number),
        ("cidname", Words(&["FROM96", "Fro", "Fro-"])),
        ("in_route", Words(&["FROM96", "x"])),
        ("IVR", Words(&["IVR620", "Main"])),
        ("port", Number),
        ("Port", Words(&["-1", "3", "-2"])),
        ("trunk", Words(&["44", "96", "All"])),
        ("calltype", Words(&["Conference", "CallBack", "Outbound"])),
        ("minduration", Number),
        ("maxduration", Number),
    ],
};

const YEASTAR: Grammar = Grammar {
    name: "yeastar",
    parameters: &[
        ("start_time", Displayed),
        ("end_time", Displayed),
        ("call_from", Words(&["2005", "0", "5300"])),
        ("call_to", Words(&["1000", "00", "620"])),
        ("extension_group", Words(&["7", "sales", "8"])),
        ("status", Words(&["ANSWERED", "NO ANSWER,BUSY", "voicemail", "CONGESTION"])),
        ("enable_fuzzy_search", Words(&["0", "1", "2"])),
        ("page", Number),
        ("page_size", Number),
        ("sort_by", Words(&["time", "id", "name"])),
        ("order_by", Words(&["asc", "desc", "up"])),
    ],
};

const KAZOO: Grammar = Grammar {
    name: "kazoo",
    parameters: &[
        ("created_from", Words(&["63755555934", "63755556000", "0", "x"])),
        ("created_to", Words(&["63755556000", "99999999999999999999"])),
        ("filter_caller_id_number", Words(&["5300", "1000", "2005"])),
        ("filter_calling_from", Words(&["1009", "1000"])),
        ("filter_not_from", Words(&["b@x", "c@x"])),
        ("filter_cost", Words(&["0", "5"])),
        ("filter_not_billing_seconds", Words(&["0", "60", "6s"])),
        ("filter_duration_seconds", Number),
        ("filter_not_timestamp", Words(&["63755556009", "63755555934"])),
        ("has_key", Words(&["cost", "timestamp", "hangup_cause", "datetime", "to"])),
        ("has_key", Words(&["dialed_number", "custom_channel_vars.account_id"])),
        ("key_missing", Words(&["cost", "ringing_seconds", "direction", "recording_url"])),
        ("paginate", Words(&["true", "no"])),
        ("page_size", Number),
        ("start_key", Words(&["a b", "ü&="])),
    ],
};

fn values(of: Values) -> BoxedStrategy<String> {
    let one_of = |texts: &'static [&'static str]| select(texts).prop_map(str::to_string).boxed();
    match of {
        List => prop_oneof![
            4 => "(53|5|0|1|2|@|_|-|,|5300|5302-5304|620|s){1,5}",
            1 => "[0-9a-cA@_,+*#. (-]{0,6}",
            2 => select(&["5300", "@53@", "0-0", "5300,5302-5304,_4@", "Anonymous", "505-620"][..]).prop_map(str::to_string),
        ]
        .boxed(),
        Number => prop_oneof![4 => "[0-9]{1,2}", 2 => "[0-9]{1,4}", 1 => "[0-9]{15,40}", 1 => "[0-9a+ -]{0,2}"].boxed(),
        Instant => prop_oneof![
            4 => "(201[3-6]|2022)-0[0-9]-[0-3][0-9](T[0-2][0-9]:[0-6][0-9](:[0-5][0-9](\\.[0-9]{3})?)?(Z|[+-][0-2][0-9]:[0-6]0)?)?",
            2 => "[0-2][0-9]:[0-5][0-9](:[0-5][0-9])?Z?",
            1 => "[0-9]{9,11}",
            2 => one_of(&["now", "", "2013-01-23T00:00:00", "2013-07-31T23:59:59-06:00", "1358899200"]),
        ]
        .boxed(),
        Local => prop_oneof![
            4 => "(2013|2016|202[0-2])-0[0-9]-[0-3][0-9][ T][0-2][0-9]:[0-6][0-9](:[0-6][0-9])?",
            3 => one_of(&["", "2021-05-07 00:00", "2021-05-07 23:59", "2013-01-23 00:00:00", "2022-05-31 00:00"]),
        ]
        .boxed(),
        Displayed => prop_oneof![
            3 => "[01][0-9]/[0-3][0-9]/20(13|20|22) [0-2][0-9]:[0-5][0-9](:[0-5][0-9])?( AM| PM)?",
            1 => "20(13|20|22)[/-]0[1-9][/-][0-2][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,3})?Z?",
            2 => one_of(&["", "05/30/2022 14:55:00", "30/05/2022 14:55:00", "05/01/2020 12:40:00", "01/05/2020 12:40:00"]),
        ]
        .boxed(),
        Dialled => prop_oneof!["(53|5|620|X|x|\\+|\\*){0,4}\\.?", "[0-9X.]{0,4}"].boxed(),
        Words(words) => one_of(words),
    }
}

/// A value in a query: what ends it is escaped, and at times more than that.
fn encoded(value: &str, all: bool) -> String {
    let escaped = |byte: u8| format!("%{byte:02x}");
    let plain = |byte: u8| {
        if byte.is_ascii() && !all && !b"&%".contains(&byte) {
            char::from(byte).to_string()
        } else {
            escaped(byte)
        }
    };
    value.bytes().map(plain).collect()
}

fn parameter(grammar: &'static Grammar) -> impl Strategy<Value = String> {
    select(grammar.parameters).prop_flat_map(|(name, kind)| {
        (values(kind), 0..20).prop_map(move |(value, chance)| match chance {
            0 => format!("{name}={}", encoded(&value, true)),
            1 => format!("{}={}", encoded(name, true), encoded(&value, false)),
            2 => format!("{}={}", &name[1..], encoded(&value, false)),
            3 => format!("{name}=%{value}"),
            4 => format!("{name}{value}"),
            5 => String::new(),
            _ => format!("{name}={}", encoded(&value, false)),
        })
    })
}

fn request(grammar: &'static Grammar) -> impl Strategy<Value = String> {
    proptest::collection::vec(parameter(grammar), 0..4)
        .prop_map(|parameters| format!("{}?{}", grammar.name, parameters.join("&")))
}

/// A row of the table with a value of its own here and there.
fn row() -> impl Strategy<Value = Row> {
    let number = "(53|5|0|1|2|_|-|s|5300|620|\\(102\\)|[a-z]){0,5}";
    let columns = select(&["src", "dst", "answered_by", "src_name", "in_route"][..]);
    let changes = proptest::collection::vec((columns, proptest::option::of(number)), 0..3);
    (select(&ROWS[..]), changes).prop_map(|(mut row, changes)| {
        for (column, value) in changes {
            match value.filter(|value| !value.is_empty()) {
                Some(value) => row.insert(column.to_string(), value),
                None => row.remove(column),
            };
        }
        row
    })
}

fn agree(request: &str, row: Row, east: i64) -> Result<(), TestCaseError> {
    let naive = naive_filter::wants(request, &row, &world(east));
    let real = Filter::parse_with(request, &context());
    let rows = [row];
    let wanted = real.as_ref().ok().map(|filter| Calls { rows: &rows, east }.wants(filter.expr(), 0));
    prop_assert_eq!(wanted, naive, "{} {:?} {:?}", request, real, rows);
    match &real {
        Ok(filter) => {
            let again = Filter::parse_with(&filter.to_string(), &context());
            prop_assert_eq!(again.as_ref(), Ok(filter), "{} is printed as {}", request, filter);
        }
        Err(error) => prop_assert!(request.is_char_boundary(error.position), "{} {}", request, error),
    }
    Ok(())
}

/// More than usual, and as many as `PROPTEST_CASES` asks for where that is more.
fn cases() -> ProptestConfig {
    let usual = ProptestConfig::default();
    ProptestConfig { cases: usual.cases.max(1024), ..usual }
}

macro_rules! twins {
    ($($test:ident: $grammar:ident;)+) => {
        proptest! {
            #![proptest_config(cases())]
            $(#[test] fn $test(request in request(&$grammar), row in row(), east in select(&[0, 7200, -21_600][..])) {
                agree(&request, row, east)?;
            })+
        }
    };
}

twins! {
    cdrapi_as_its_twin: CDRAPI;
    ucm_web_as_its_twin: UCM_WEB;
    nexo_as_its_twin: NEXO;
    yeastar_as_its_twin: YEASTAR;
    kazoo_as_its_twin: KAZOO;
}

/// A request of each grammar, to be broken.
const WELL_FORMED: [&str; 8] = [
    "cdrapi?format=XML&caller=5300,6300-6399&callee=5@&minDur=8&maxDur=60",
    "cdrapi?caller=@53@&startTime=2013-07-01T00:00:00-06:00&endTime=now&numRecords=200&offset=0",
    "ucm-web?callType=remote,inbound&status=no answer&callerNumber=3XX.&calleeNumber=5.&callerName=doe",
    "ucm-web?startTime=2013-01-23 00:00&endTime=2016-01-05 00:00:01&extensionGroup=sales&dstTrunk=96",
    "nexo?&startdate=2021-05-07 00:00&enddate=2021-05-07%2023:59&src=100-616,506&dst=202&userfield=All&port=-1",
    "nexo?trunk=44&calltype=Conference&minduration=4&maxduration=&IVR=Main&cidname=Fro&disposition=FAILD",
    "yeastar?start_time=05/30/2022 00:00:00&end_time=05/30/2022 11:59:59 PM&call_from=20&enable_fuzzy_search=1",
    "kazoo?created_from=63755555934&filter_hangup_cause=NORMAL_CLEARING&filter_not_from=b@x&has_key=cost",
];

proptest! {
    #![proptest_config(cases())]
    #[test]
    fn with_typing_errors_as_its_twin(
        request in select(&WELL_FORMED[..]),
        errors in proptest::collection::vec((0..200usize, 0..3usize, "[&=%?,@_.:T 0-9XxZa-fA+-]"), 1..4),
        row in row(),
    ) {
        let mut letters: Vec<char> = request.chars().collect();
        for (at, kind, letter) in errors {
            let head = request.find('?').unwrap_or_default() + 1;
            let at = head + at % (letters.len() - head);
            let letter = letter.chars().next().unwrap_or('&');
            match kind {
                0 => letters[at] = letter,
                1 => letters.insert(at, letter),
                _ => drop(letters.drain(at..letters.len().min(at + 3))),
            }
            if letters.len() <= head {
                break;
            }
        }
        agree(&letters.into_iter().collect::<String>(), row, 0)?;
    }
}

proptest! {
    #[test]
    fn any_text_is_a_request_or_an_error_in_it(text in any::<String>(), grammar in 0..5usize) {
        let name = ["cdrapi", "ucm-web", "nexo", "yeastar", "kazoo"][grammar];
        for request in [text.clone(), format!("{name}?{text}")] {
            if let Err(error) = Filter::parse_with(&request, &context()) {
                prop_assert!(error.position <= request.len());
                prop_assert!(!error.rule.is_empty());
            }
        }
    }

}

/// The twins would prove little if requests were nearly all right, or nearly all wrong.
#[test]
fn many_requests_are_right_and_many_wrong() {
    let mut runner = TestRunner::deterministic();
    for grammar in [&CDRAPI, &UCM_WEB, &NEXO, &YEASTAR, &KAZOO] {
        let requests = (0..500).map(|_| request(grammar).new_tree(&mut runner).unwrap().current());
        let right = requests.filter(|request| Filter::parse_with(request, &context()).is_ok()).count();
        assert!((100..400).contains(&right), "{} {right}", grammar.name);
    }
}
