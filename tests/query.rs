//! `calltable query` from outside: every documented example, each vendor's answer, pages, malformed requests, exit
//! codes. Every test runs in a folder of its own.
#![cfg(feature = "cli")]

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

/// The columns of a UCM, as far as the calls of the tests have something there.
const HEADER: &str = "AcctId,src,dst,clid,lastdata,start,answer,end,duration,billsec,dstanswer,session";

/// Calls for the examples of the UCM's guides, one a line.
const CALLS: [&str; 10] = [
    "1,5300,5301,\"pn01\" <5300>,\"SIP/5301,60\",2013-01-22 10:00:00,,2013-01-22 10:00:30,30,30,5301,a",
    "2,5300,6000,\"Doe, J\" <5300>,,2013-01-22 23:59:59,,2013-01-23 00:00:07,8,7,,b",
    "3,6350,5301,6350,,2013-01-23 00:00:00,,2013-01-23 00:01:00,60,60,5301,c",
    "4,15309,5305,,,2013-01-23 00:00:01,,2013-01-23 00:01:00,59,59,,d",
    "5,Anonymous,3411,,,2013-07-01 06:00:00,,2013-07-01 06:00:09,9,9,,e",
    "6,Anonymous,995,,,2013-07-15 12:00:00,,2013-07-15 12:00:09,9,9,,f",
    "7,Anonymous,2000,,,2013-08-01 05:59:59,,2013-08-01 06:00:09,10,10,,g",
    "8,Anonymous,2000,,,2013-08-01 06:00:00,,2013-08-01 06:00:09,9,9,,h",
    "9,5300,5302,,,2013-07-02 08:00:00,,2013-07-02 08:00:05,5,5,,i",
    "10,5300,5303,,,2013-07-02 08:00:05,,2013-07-02 08:01:09,64,61,,i",
];

struct Folder(TempDir);

struct Run {
    line: String,
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Folder {
    fn new() -> Folder {
        let folder = Folder(TempDir::new().unwrap());
        let lines: String = CALLS.iter().map(|call| format!("{call}\n")).collect();
        folder.write("calls.csv", &format!("{HEADER}\n{lines}"));
        folder
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_calltable"));
        command.args(words).current_dir(self.0.path());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn run(&self, words: &[&str]) -> Run {
        Run::of(words, self.command(words).output().unwrap())
    }

    /// Asks the calls of this folder.
    fn ask(&self, request: &str) -> Run {
        self.run(&["query", request, "calls.csv"])
    }
}

impl Run {
    fn of(words: &[&str], output: std::process::Output) -> Run {
        Run {
            line: words.join(" "),
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    #[track_caller]
    fn exits(self, code: i32) -> Run {
        assert_eq!(self.code, Some(code), "{}\n{}", self.line, self.stderr);
        self
    }

    #[track_caller]
    fn says(self, words: &[&str]) -> Run {
        words.iter().for_each(|word| assert!(self.stderr.contains(word), "{}\n{}", self.line, self.stderr));
        self
    }

    #[track_caller]
    fn stays_silent(self) -> Run {
        assert_eq!(self.stderr, "", "{}", self.line);
        self
    }

    #[track_caller]
    fn answers(self, expected: &str) -> Run {
        assert_eq!(self.stdout, expected, "{}\n{}", self.line, self.stderr);
        self
    }

    /// The first fields of a CSV's records.
    #[track_caller]
    fn ids(&self) -> String {
        let ids = self.stdout.lines().skip(1).map(|line| line.split(',').next().unwrap());
        ids.collect::<Vec<_>>().join(" ")
    }

    #[track_caller]
    fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {}", self.stdout))
    }
}

fn dump(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/dumps").join(name).display().to_string()
}

const UCM_HEADER: &str = "AcctId,accountcode,src,dst,dcontext,clid,channel,dstchannel,lastapp,lastdata,start,answer,end,\
                          duration,billsec,disposition,amaflags,uniqueid,userfield,channel_ext,dstchannel_ext,service,\
                          caller_name,recordfiles,dstanswer,chanext,dstchanext,session,action_owner,action_type,\
                          src_trunk_name,dst_trunk_name\n";

#[test]
fn examples_of_the_ucm_guide() {
    let folder = Folder::new();
    let check = |query: &str, ids: &str| {
        let url = format!("https://192.168.254.200:8443/{query}");
        let run = folder.ask(&url).exits(0).stays_silent();
        assert_eq!(run.ids(), ids, "{query}");
        assert!(run.stdout.starts_with(UCM_HEADER), "{query}");
    };
    check("cdrapi?format=CSV&caller=5300&minDur=8&maxDur=60", "1");
    check("cdrapi?caller=5300&minDur=8&maxDur=60", "1");
    check("cdrapi?caller=@53@&callee=5300-5309&endTime=2013-01-23", "1");
    check("cdrapi?caller=@53@&callee=530_&endTime=2013-01-23T00:00:00", "1");
    let july = "startTime=2013-07-01T00:00:00-06:00&endTime=2013-07-31T23:59:59-06:00";
    check(&format!("cdrapi?caller=Anonymous&callee=2@,34@,@5&{july}"), "5 6 7");
    check(&format!("cdrapi?{july}&numRecords=200&offset=0"), "5 6 7 9 10");
    check(&format!("cdrapi?{july}&numRecords=2&offset=2"), "7 9");
    check(&format!("cdrapi?{july}&numRecords=200&offset=400"), "");
    let json = folder
        .ask("https://192.168.254.200:8443/cdrapi?format=JSON&caller=5300&numRecords=10")
        .exits(0)
        .json();
    let ids: Vec<&str> =
        json["cdr_root"].as_array().unwrap().iter().map(|call| call["AcctId"].as_str().unwrap()).collect();
    assert_eq!(ids, ["1", "2", "9", "10"]);
    let xml =
        folder.ask("https://192.168.254.200:8443/cdrapi?format=XML&caller=5300,6300-6399&callee=5@").exits(0);
    assert_eq!(xml.stdout.matches("<AcctId>").count(), 4);
}

#[test]
fn typing_errors_of_the_ucm_guide_are_malformed() {
    let folder = Folder::new();
    let twice = "https://h:8443/cdrapi?cdrapi?format=XML&caller=5300&caller=6300-6399&callee=5@";
    folder.ask(twice).exits(0).answers(UCM_HEADER).says(&["malformed", "cdrapi?format"]);
    let start = "https://h:8443/cdrapi?sstartTime=2013-07-01T00:00:00-06:00&numRecords=200&offset=200";
    folder.ask(start).exits(0).answers(UCM_HEADER).says(&["sstartTime", "^"]);
}

#[test]
fn a_caller_id_stands_as_the_device_writes_it() {
    let folder = Folder::new();
    let line = "2,,5300,6000,,\"Doe, J\" <5300>,,,,,2013-01-22 23:59:59,,2013-01-23 00:00:07,8,7,,,,,,,,\"Doe, J\",,,,,b,,,,\n";
    folder.ask("cdrapi?callee=6000").exits(0).answers(&format!("{UCM_HEADER}{line}"));
}

#[test]
fn malformed_requests_get_the_empty_container() {
    let folder = Folder::new();
    let check = |request: &str, container: &str, words: &[&str]| {
        folder.ask(request).exits(0).answers(container).says(words).says(&["malformed", "at byte"]);
    };
    let (xml, json) = ("<root>\n</root>\n", "{\"cdr_root\":[]}\n");
    check("cdrapi?caller=", UCM_HEADER, &["caller"]);
    check("cdrapi?caller=5300,,5303", UCM_HEADER, &["caller"]);
    check("cdrapi?caller=5300-5301-,6300&format=xml", xml, &["caller"]);
    check("cdrapi?format=json&minDur=5&minDur=10", json, &["minDur"]);
    check("cdrapi?format=json&caller=5300&", json, &[]);
    check("cdrapi?format=html&caller=5300", UCM_HEADER, &["format"]);
    check("cdrapi?Caller=5300", UCM_HEADER, &["Caller"]);
    check("cdrapi?numRecords=ten", UCM_HEADER, &["numRecords"]);
    check("nexo?sorc=1", "{\"json_array_astcdrs\":{}}\n", &["sorc"]);
    check(
        "http://h/openapi/v1.0/cdr/search?status=GONE",
        "{\"errcode\":0,\"errmsg\":\"SUCCESS\",\"total_number\":0,\"data\":[]}\n",
        &["status"],
    );
    check("kazoo?page_size=5&start_key=g2gDYgACK", "{\"data\":[],\"page_size\":0}\n", &["start_key"]);
    check(
        "ucm-web?callerNumber=3X5",
        "CDR,Account Code,Caller Number,Caller NAT,Callee Number,Callee NAT,Context,Caller ID,Source Channel,Dest. Channel,Last app.,Last Data,Start Time,Answer Time,End Time,Call Time,Talk Time,Call Status,AMA Flags,Unique ID,Call Type,Dest Channel Extension,Caller Name,Answered by,Session,Action Owner,Action Type,Source Trunk Name,Destination Trunk Name\n",
        &["callerNumber"],
    );
}

#[test]
fn wrong_usage_is_told_before_anything_is_read() {
    let folder = Folder::new();
    let check = |words: &[&str], said: &[&str]| {
        folder.run(words).exits(2).answers("").says(said);
    };
    check(&["query", "http://h/status", "calls.csv"], &["request"]);
    check(&["query", "cdrapi?"], &["INPUT"]);
    check(&["query", "cdrapi?", "absent.csv"], &["absent.csv"]);
    check(&["query", "cdrapi?", "calls.csv", "--json"], &["--json"]);
    check(&["query", "cdrapi?", "calls.csv", "--timezone", "auto"], &["zone"]);
    check(&["query", "cdrapi?", "calls.csv", "--accept", "application/octet-stream"], &["Kazoo"]);
    check(&["query", "cdrapi?", "calls.csv", "--accept", "text/html"], &["--accept"]);
    check(&["query", "cdrapi?", "calls.csv", "--records", "calls"], &["--records"]);
    check(&["query", "cdrapi?", "calls.csv", "--extension-group", "sales"], &["--extension-group"]);
}

#[test]
fn exit_codes_are_those_of_convert() {
    let folder = Folder::new();
    folder.write("bad.csv", "AcctId,src,dst,start,duration\n1,2001,2002,2024-05-17 12:34:56,abc\n2,2001,2002,2024-05-17 12:34:56,7\n");
    folder.write("page.html", "<!DOCTYPE html><html><title>Login</title></html>\n");
    let ask = |files: &[&str]| folder.run(&[&["query", "cdrapi?"], files].concat());
    let run = ask(&["bad.csv"]).exits(4).says(&["bad.csv", "1 of 2 records", "bad-number 1"]);
    assert_eq!(run.ids(), "2");
    let run = ask(&["page.html", "calls.csv"]).exits(4).says(&["page.html", "HTML"]);
    assert_eq!(run.ids(), "1 2 3 4 5 6 7 8 9 10");
    ask(&["page.html"]).exits(1).answers("").says(&["no input could be read"]);
    // What the filter leaves out is not typed.
    let run = folder.run(&["query", "cdrapi?caller=5300", "bad.csv", "calls.csv"]).exits(0);
    assert_eq!(run.ids(), "1 2 9 10");
}

#[test]
fn whole_calls_are_answered_and_counted() {
    let folder = Folder::new();
    let calls = dump("cdrapi-xml-guide-transfer.xml");
    let ask = |request: &str, file: &str| folder.run(&["query", request, file]).exits(0);
    // Only the second leg was to 1002.
    let json = ask("cdrapi?format=json&callee=1002", &calls).json();
    let call = &json["cdr_root"][0];
    assert_eq!(call["cdr"], "1461920017104140-1000");
    assert_eq!((&call["main_cdr"]["duration"], &call["sub_cdr_1"]["dst"]), (&json!("16"), &json!("1001")));
    assert_eq!(call["sub_cdr_2"]["action_type"], "TRANSFER");
    let xml = ask("cdrapi?format=xml&callee=1002", &calls).stdout;
    let expected = fs::read_to_string(&calls)
        .unwrap()
        .replace("\"John Doe\" <1000>", "&quot;John Doe&quot; &lt;1000&gt;");
    assert_eq!(xml, expected, "the guide's own example");
    assert_eq!(ask("cdrapi?callee=1002", &calls).ids(), "2");
    assert_eq!(ask("cdrapi?", &calls).ids(), "1 2", "no main record in CSV");
    // Legs of one session stand flat, one after the other, and count as one.
    let json = ask("cdrapi?format=json&callee=5303&numRecords=1", "calls.csv").json();
    let ids: Vec<&Value> = json["cdr_root"].as_array().unwrap().iter().map(|call| &call["AcctId"]).collect();
    assert_eq!(ids, ["9", "10"]);
    let json = ask("cdrapi?format=json&offset=8", "calls.csv").json();
    assert_eq!(json["cdr_root"].as_array().unwrap().len(), 2);
}

#[test]
fn nexo_answers() {
    let folder = Folder::new();
    let nexo = dump("nexo-json-keyed.json");
    let url = |cgi: &str| {
        format!(
            "http://192.168.6.42/cgi/webserve/{cgi}?&startdate=2024-05-17 00:00&enddate=2024-05-17 23:59&src=&dst=\
             &disposition=All&userfield=All&minbillsec=&maxbillsec=&cidname=&in_route=&IVR=&port=-1"
        )
    };
    let json = folder.run(&["query", &url("9006"), &nexo]).exits(0).json();
    let record = &json["json_array_astcdrs"]["0"];
    assert_eq!(record["dst"], "820(202)");
    assert_eq!((&record["billsec"], &record["port"], &record["IVR"]), (&json!("3"), &json!(0), &json!("")));
    let csv = folder.run(&["query", &url("9005"), &nexo]).exits(0).stdout;
    assert!(
        csv.starts_with("Date,Source,Destination,CID Prefix,In_Route,IVR,Src. Trunk,Account Code,"),
        "{csv}"
    );
    let recordings = "http://192.168.6.42/cgi/webserve/20053?&startdate=2024-05-01 00:00&enddate=2024-05-31 23:59&src=\
                      &dst=&trunk=All&calltype=All&minduration=&maxduration=";
    let json = folder.run(&["query", recordings, &dump("nexo-recordings-json-keyed.json")]).exits(0).json();
    assert_eq!(json["totalcount"], 2);
    assert_eq!(
        json["json_obj_filter"],
        json!({"startdate": "2024-05-01 00:00", "enddate": "2024-05-31 23:59"})
    );
    assert_eq!(json["1"]["trunk"], "44");
}

#[test]
fn yeastar_answers() {
    let folder = Folder::new();
    let url = "/openapi/v1.0/cdr/search?start_time=05/30/2022 00:00:00&end_time=05/30/2022 23:59:59\
               &access_token=s4f8lGJgh28PuXt8KNsoPJCDcfjt21Uj&call_from=2005";
    // One of its records has a comma too many.
    let json = folder.run(&["query", url, &dump("yeastar.csv")]).exits(4).says(&["field-count 1"]).json();
    assert_eq!((&json["errcode"], &json["errmsg"]), (&json!(0), &json!("SUCCESS")));
    assert_eq!(json["total_number"], json["data"].as_array().unwrap().len());
    assert_eq!(json["data"][0]["call_from"], "Kristin Hale<2005>");
    assert_eq!(json["data"][0]["time"], "05/30/2022 14:53:41");
    assert_eq!(json["data"][0]["reason"], "src hangup ");
    // The document's own example: the zone tells the instants.
    let json =
        folder.run(&["query", url, &dump("yeastar.csv"), "--timezone", "Asia/Shanghai"]).exits(4).json();
    assert_eq!(json["data"][0]["timestamp"], 1653893621);
}

#[test]
fn kazoo_answers() {
    let folder = Folder::new();
    let kazoo = dump("kazoo-json-list.json");
    let url = "http://api.avpnet.us:8000/v1/accounts/0f0e/cdrs?auth_token=a";
    let json = folder.run(&["query", url, &kazoo]).exits(0).json();
    assert_eq!(json["data"][0]["timestamp"], "63883164897");
    assert_eq!(json["data"][0]["rfc_1036"], "Fri, 17 May 2024 11:34:57 GMT");
    assert_eq!(json["next_start_key"], Value::Null);
    let octets = ["--accept", "application/octet-stream"];
    let csv = folder.run(&[&["query", url, &kazoo][..], &octets].concat()).exits(0).stdout;
    assert!(csv.starts_with("id,call_id,caller_id_number,caller_id_name,"), "{csv}");
    let page = folder.run(&[&["query", "kazoo?page_size=1", &kazoo][..], &octets].concat()).exits(0);
    page.says(&["start_key=1"]);
}

#[test]
fn ucm_web_answers_with_groups() {
    let folder = Folder::new();
    let words =
        ["query", "ucm-web?extensionGroup=sales", "calls.csv", "--extension-group", "sales=6350,15309"];
    let run = folder.run(&words).exits(0);
    assert_eq!(run.stdout.lines().count(), 3, "{}", run.stdout);
    folder.ask("ucm-web?extensionGroup=sales").exits(0).says(&["extensionGroup"]);
}

#[test]
fn archives_and_pipes_are_asked() {
    let folder = Folder::new();
    let expected = folder.ask("cdrapi?callee=530_").exits(0).stdout;
    fs::create_dir(folder.path("archive")).unwrap();
    for output in ["archive/calls.parquet", "calls.arrow", "calls.arrows"] {
        folder.run(&["convert", "calls.csv", "-o", output]).exits(0);
    }
    for input in ["archive", "archive/calls.parquet", "calls.arrow", "calls.arrows"] {
        folder.run(&["query", "cdrapi?callee=530_", input]).exits(0).stays_silent().answers(&expected);
    }
    for file in ["calls.csv", "calls.arrows"] {
        let mut child =
            folder.command(&["query", "cdrapi?callee=530_", "-"]).stdin(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(&fs::read(folder.path(file)).unwrap()).unwrap();
        Run::of(&[file], child.wait_with_output().unwrap()).exits(0).answers(&expected);
    }
    // Beside the dumps that it was made of, an archive would be asked twice.
    folder.write("archive/calls.csv", &fs::read_to_string(folder.path("calls.csv")).unwrap());
    folder.run(&["query", "cdrapi?callee=530_", "archive"]).exits(0).answers(&expected);
    let run = folder.run(&["convert", "calls.arrow", "-o", "again.parquet"]);
    run.exits(1).says(&["an Arrow file", "query"]);
}

#[test]
fn what_only_the_folders_of_a_dataset_say_is_answered() {
    let folder = Folder::new();
    let calls = dump("cdrapi-27.csv");
    folder.run(&["convert", &calls, "-o", "calls/", "--partition-by", "disposition,year"]).exits(0);
    let sorted = |run: Run| {
        let mut lines: Vec<String> = run.exits(0).stdout.lines().map(str::to_string).collect();
        lines.sort();
        lines
    };
    for request in ["cdrapi?format=csv", "ucm-web?status=ANSWERED", "ucm-web?status=NO ANSWER"] {
        let expected = sorted(folder.run(&["query", request, &calls]));
        assert!(expected.len() > 1, "{request}");
        assert_eq!(sorted(folder.run(&["query", request, "calls"])), expected, "{request}");
    }
}

#[test]
fn answers_can_be_converted_again() {
    let folder = Folder::new();
    for format in ["csv", "xml", "json"] {
        let answer = folder.ask(&format!("cdrapi?format={format}")).exits(0).stdout;
        folder.write("answer", &answer);
        for (input, output) in [("calls.csv", "one.csv"), ("answer", "two.csv")] {
            let columns = "record_id,src,dst,src_name,clid,start,end,billsec,call_id";
            folder.run(&["convert", input, "-o", output, "--columns", columns, "--overwrite"]).exits(0);
        }
        let read = |name: &str| fs::read_to_string(folder.path(name)).unwrap();
        assert_eq!(read("one.csv"), read("two.csv"), "{format}");
    }
}

#[test]
fn the_zone_is_that_of_the_pbx() {
    let folder = Folder::new();
    let ask = |zone: &str| {
        let request = "cdrapi?endTime=2013-01-23T00:00:00Z";
        let run = folder.run(&["query", request, "calls.csv", "--timezone", zone]).exits(0);
        (run.ids(), run.stdout)
    };
    assert_eq!(ask("UTC").0, "1 2 3");
    assert_eq!(ask("America/Chicago").0, "1");
    assert!(ask("America/Chicago").1.contains("2013-01-22 10:00:00"), "the clock stays what it was");
}
