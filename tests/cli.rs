//! The program from outside: what it says and where, its exit codes, the files that it leaves.
//!
//! Every test runs in a folder of its own, which has the small dumps of [`FILES`] and is the current
//! folder; a command is a line of words.
#![cfg(feature = "cli")]

use std::ffi::OsStr;
use std::fs;
use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

const HEADER: &str = "AcctId,src,dst,start,duration";
const GOOD: &str = "AcctId,src,dst,start,duration\n\
                    1,2001,2002,2024-05-17 12:34:56,64\n\
                    2,2002,s,2024-05-18 12:34:56,5\n";
const BAD: &str = "AcctId,src,dst,start,duration\n\
                   1,2001,2002,2024-05-17 12:34:56,64\n\
                   2,2001,2002,2024-05-17 12:34:56,abc\n\
                   3,2001\n\
                   4,2001,2002,2024-05-17 12:34:56,64\n";
const NEXO: &str = "Date,Source,Destination,Src. Trunk,Duration\n2021-05-07 01:05:02,101,620(102),pstn2,6s\n";
const KAZOO: &str = "id,call_id,duration_seconds,timestamp,media_server\na,b,7,63752000000,c\n";
const WEB: &str = "Caller Number,Callee Number,Start Time,CDR\n\
                   1,2,3/4/2018 9:05,main_cdr\n\
                   1,2,3/4/2018 9:05,sub_cdr_1\n";

/// The dumps that stand in every test's folder.
const FILES: [(&str, &[u8]); 9] = [
    ("good.csv", GOOD.as_bytes()),
    ("bad.csv", BAD.as_bytes()),
    ("nexo.csv", NEXO.as_bytes()),
    ("kazoo.csv", KAZOO.as_bytes()),
    ("web.csv", WEB.as_bytes()),
    ("gbk.csv", b"AcctId,src,dst,caller_name\n1,2001,2002,\xd6\xd0\n"),
    ("dahdi.csv", b"AcctId,src,dst,channel\n1,2001,2002,DAHDI/5-1\n"),
    ("login.html", b"<!DOCTYPE html><html><title>Login</title></html>\n"),
    ("invoices.csv", b"Invoice,Amount,Due\n1,2,3\n"),
];

/// A test's folder.
struct Folder(TempDir);

/// What came of a command.
struct Run {
    line: String,
    code: Option<i32>,
    stdout: Vec<u8>,
    stderr: String,
}

impl Folder {
    fn new() -> Folder {
        let folder = Folder(TempDir::new().unwrap());
        FILES.iter().for_each(|(name, text)| folder.write(name, text));
        folder
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &[u8]) {
        fs::write(self.path(name), text).unwrap();
    }

    fn read(&self, name: &str) -> String {
        String::from_utf8(fs::read(self.path(name)).unwrap()).unwrap()
    }

    fn has(&self, name: &str) -> bool {
        self.path(name).exists()
    }

    /// The names of all files but the dumps.
    fn others(&self) -> Vec<String> {
        let names = fs::read_dir(self.0.path()).unwrap().map(|file| file.unwrap().file_name());
        let names = names.map(|name| name.to_string_lossy().into_owned());
        let mut names: Vec<_> = names.filter(|name| !FILES.iter().any(|(dump, _)| dump == name)).collect();
        names.sort();
        names
    }

    fn command<S: AsRef<OsStr>>(&self, words: impl IntoIterator<Item = S>) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_calltable"));
        command.args(words).current_dir(self.0.path());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn run(&self, line: &str) -> Run {
        Run::of(line, self.command(line.split_ascii_whitespace()).output().unwrap())
    }

    /// For words that have blanks in them.
    fn run_words(&self, words: &[&str]) -> Run {
        Run::of(&words.join(" "), self.command(words).output().unwrap())
    }

    fn run_with(&self, line: &str, stdin: &str) -> Run {
        let mut command = self.command(line.split_ascii_whitespace());
        let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(stdin.as_bytes()).unwrap();
        Run::of(line, child.wait_with_output().unwrap())
    }
}

impl Run {
    fn of(line: &str, output: Output) -> Run {
        let stderr = String::from_utf8(output.stderr).unwrap();
        Run { line: line.to_string(), code: output.status.code(), stdout: output.stdout, stderr }
    }

    #[track_caller]
    fn exits(self, code: i32) -> Run {
        assert_eq!(self.code, Some(code), "{}\n{}", self.line, self.stderr);
        self
    }

    #[track_caller]
    fn says(self, words: &[&str]) -> Run {
        for word in words {
            assert!(self.stderr.contains(word), "{}\n{word:?} is not said: {}", self.line, self.stderr);
        }
        self
    }

    fn text(&self) -> &str {
        std::str::from_utf8(&self.stdout).unwrap()
    }

    #[track_caller]
    fn shows(self, words: &[&str]) -> Run {
        for word in words {
            assert!(self.text().contains(word), "{}\n{word:?} is not shown: {}", self.line, self.text());
        }
        self
    }

    #[track_caller]
    fn json(&self) -> Value {
        serde_json::from_slice(&self.stdout)
            .unwrap_or_else(|error| panic!("{}: {error}: {}", self.line, self.text()))
    }
}

/// The keys of an object, in order.
fn keys(object: &Value) -> String {
    object.as_object().unwrap().keys().map(String::as_str).collect::<Vec<_>>().join(" ")
}

/// `facts! { check: its_name(input, expected); }` makes each line a test of its own.
macro_rules! facts {
    ($check:ident: $($fact:ident($($value:expr),+ $(,)?);)+) => {
        $(#[test] fn $fact() { $check($($value),+); })+
    };
}

// Wrong usage: one sentence on stderr, exit code 2, nothing read and nothing written.

/// Whatever names no file is wrong before any is looked for: there is no `dump` in the folder.
#[track_caller]
fn wrong(line: &str, words: &[&str]) {
    let folder = Folder::new();
    let run = folder.run(line).exits(2).says(words);
    assert_eq!(run.text(), "", "{line}");
    assert!(run.stderr.starts_with("error: ") && run.stderr.lines().count() == 1, "{line}\n{}", run.stderr);
    assert_eq!(folder.others(), [""; 0], "{line}");
}

facts! { wrong:
    no_such_command("frobnicate", &["frobnicate", "no such command"]);
    a_command_with_a_typing_error("convrt a", &["convrt", "did you mean convert?"]);
    no_such_option("convert dump -o a.csv --columms src", &["--columms", "did you mean --columns?"]);
    a_folder_option_with_a_file("convert dump -o a.csv --append", &["--append with -o a.csv", "folder"]);
    an_argument_too_many("schema x", &["x", "too many"]);
    no_input("convert -o a.parquet", &["<INPUT>", "missing"]);
    nothing_to_inspect("inspect", &["<INPUT>", "missing"]);
    no_channel("channel", &["<NAME>", "missing"]);
    no_such_shell("completions tcsh", &["tcsh", "bash, elvish, fish, powershell, zsh"]);
    no_output("convert dump", &["-o", "--output", ".parquet", "`-`"]);
    an_output_without_a_value("convert dump -o", &["--output", "value is missing"]);
    two_outputs("convert dump -o a.csv -o b.csv", &["--output", "twice"]);
    an_ending_that_tells_nothing("convert dump -o a.xyz", &["-o a.xyz", "--to", "parquet, arrow, arrows, csv, jsonl"]);
    no_ending("convert dump -o a", &["-o a", "--to"]);
    a_contradicting_ending("convert dump -o a.csv --to parquet", &["-o a.csv", "--to parquet", "another kind"]);
    standard_output_without_a_kind("convert dump -o -", &["-o -", "--to"]);
    no_such_kind("convert dump -o a.csv --to xlsx", &["--to xlsx", "parquet, arrow, arrows, csv, jsonl"]);
    two_results_on_one_stream("convert dump -o - --to csv --json", &["--json", "-o -", "--report-file"]);
    an_unknown_column("convert dump -o a.csv --columns src,colour", &["--columns src,colour", "`colour`", "calltable schema"]);
    a_repeated_column("convert dump -o a.csv --columns src,dst,src", &["--columns src,dst,src", "src stands twice"]);
    a_column_without_a_name("convert dump -o a.csv --columns src,", &["--columns src,", "``"]);
    no_such_format("convert dump -o a.csv --format xyz", &["--format xyz", "auto, ucm-cdrapi-csv"]);
    no_such_records("convert dump -o a.csv --records some", &["--records some", "all, calls, legs"]);
    no_such_zone("convert dump -o a.csv --timezone Mars/Olympus", &["--timezone", "Mars/Olympus", "America/Chicago"]);
    an_offset_that_is_none("convert dump -o a.csv --timezone -06:99", &["--timezone", "-06:99", "-0600"]);
    no_such_date_order("convert dump -o a.csv --date-order ymd", &["--date-order ymd", "mdy, dmy"]);
    no_such_encoding("convert dump -o a.csv --encoding klingon", &["--encoding klingon", "gbk"]);
    an_encoding_that_no_option_is_for("convert dump -o a.csv --encoding utf-16", &["--encoding utf-16", "byte order mark"]);
    no_such_model("convert dump -o a.csv --model UCM9999", &["--model", "UCM9999", "UCM6204"]);
    ports_that_are_none("convert dump -o a.csv --ports 1-4", &["--ports", "1-4", "fxo=1-4,fxs=5-8"]);
    a_model_and_ports("convert dump -o a.csv --model UCM6204 --ports fxo=1", &["--model", "--ports", "exclude each other"]);
    a_plan_that_is_none("convert dump -o a.csv --number-plan 1-4", &["--number-plan", "1-4", "extension=100-616"]);
    rejects_that_are_no_number("convert dump -o a.csv --max-rejects ten", &["--max-rejects ten", "10", "0.5%"]);
    rejects_below_none("convert dump -o a.csv --max-rejects -1", &["--max-rejects -1"]);
    more_rejects_than_records("convert dump -o a.csv --max-rejects 101%", &["--max-rejects 101%"]);
    strict_and_not("convert dump -o a.csv --strict --max-rejects 1", &["--strict", "--max-rejects", "exclude each other"]);
    a_switch_with_a_value("convert dump -o a.csv --strict=yes", &["--strict", "no value"]);
    no_such_compression("convert dump -o a.parquet --compression zap", &["--compression zap", "zstd[:LEVEL]"]);
    a_level_that_is_none("convert dump -o a.parquet --compression zstd:99", &["--compression zstd:99", "1 to 22"]);
    a_compression_of_another_kind("convert dump -o a.arrow --compression gzip", &["--compression gzip", "zstd, lz4 or none"]);
    a_compressed_text("convert dump -o a.csv --compression zstd", &["--compression zstd", "text"]);
    groups_of_nothing("convert dump -o a.parquet --row-group-rows 0", &["--row-group-rows 0", "1 to"]);
    groups_that_are_no_number("convert dump -o a.parquet --row-group-rows many", &["--row-group-rows many"]);
    no_threads("convert dump -o a.csv --threads 0", &["--threads 0", "1 to"]);
    threads_below_none("convert dump -o a.csv --threads -1", &["--threads -1"]);
    too_little_memory("convert dump -o a.csv --memory 63M", &["--memory 63M", "64M"]);
    memory_that_is_none("convert dump -o a.csv --memory lots", &["--memory lots", "512M"]);
    memory_in_units_that_are_none("convert dump -o a.csv --memory 512MB", &["--memory 512MB", "512MiB"]);
    no_such_progress("convert dump -o a.csv --progress maybe", &["--progress maybe", "auto, always, never"]);
    rejects_into_no_folder("convert dump -o a.csv --rejects no/r", &["--rejects no/r", "no such folder"]);
    rejects_over_the_output("convert dump -o a.csv --rejects ./a.csv", &["--rejects ./a.csv", "-o"]);
    rejects_on_a_stream("convert dump -o a.csv --rejects -", &["--rejects -", "file"]);
    report_into_no_folder("convert dump -o a.csv --report-file no/r", &["--report-file no/r", "no such folder"]);
    report_over_the_rejects("convert dump -o a.csv --report-file a.csv.rejects.jsonl", &["--report-file", "--rejects"]);
    report_in_place_of_a_folder("convert dump -o a.csv --report-file .", &["--report-file .", "folder"]);
    output_into_no_folder("convert dump -o no/a.csv", &["no/a.csv", "no such folder"]);
    output_in_place_of_a_folder("convert dump -o .", &["-o .", "folder"]);
    output_in_place_of_a_folder_to_come("convert dump -o a.csv/", &["-o a.csv/", "folder"]);
    no_such_input("convert dump -o a.csv", &["no such file", "dump"]);
    no_such_pattern("convert dump-*.csv -o a.csv", &["dump-*.csv"]);
    standard_input_twice("convert - - -o a.csv", &["standard input", "twice"]);
    no_such_input_to_inspect("inspect dump", &["no such file", "dump"]);
    inspect_has_no_output("inspect dump -o a.csv", &["-o", "no such option"]);
    inspect_reads_with_the_same_options("inspect dump --encoding klingon", &["--encoding klingon"]);
    no_such_model_of_a_channel("channel x --model UCM9999", &["--model", "UCM9999", "UCM6204"]);
    an_input_that_is_the_output("convert good.csv -o ./good.csv --overwrite", &["good.csv", "input", "-o"]);
    an_input_that_is_the_rejects("convert good.csv -o a.csv --rejects good.csv", &["good.csv", "--rejects"]);
    an_input_that_is_the_report("convert good.csv bad.csv -o a.csv --report-file bad.csv", &["bad.csv", "--report-file"]);
    an_output_that_exists("convert good.csv -o bad.csv", &["bad.csv", "exists", "--overwrite"]);
    two_kinds_of_times("convert good.csv kazoo.csv -o a.csv", &["good.csv", "kazoo.csv", "--timezone"]);
    two_kinds_of_times_to_inspect("inspect good.csv kazoo.csv", &["good.csv", "kazoo.csv", "--timezone"]);
}

#[test]
fn without_a_command_the_help_goes_to_stderr() {
    let run = Folder::new().run("").exits(2).says(&["Usage: calltable", "convert", "inspect"]);
    assert_eq!(run.text(), "");
}

#[test]
fn help_and_version_are_results() {
    let folder = Folder::new();
    let run = folder.run("convert --help").exits(0);
    let options = "--output --to --format --columns --records --timezone --date-order --encoding --model --ports \
                   --number-plan --rejects --max-rejects --strict --lenient --compression --row-group-rows --overwrite \
                   --threads --memory --progress --report-file --filter --where --extension-group --json";
    let run = run.shows(&options.split_ascii_whitespace().collect::<Vec<_>>());
    assert_eq!(run.stderr, "");
    let version = concat!("calltable ", env!("CARGO_PKG_VERSION"), "\n");
    assert_eq!(folder.run("--version").exits(0).text(), version);
}

// Filters: which rows are written, and what is wrong with a request, pointed at in its own text.

#[track_caller]
fn wrong_filter(words: &[&str], expected: &str) {
    let folder = Folder::new();
    // There is no `dump`: that comes later.
    let all = [&["convert", "dump", "-o", "a.csv"], words].concat();
    let run = folder.run_words(&all).exits(2);
    assert_eq!((run.stderr.as_str(), run.text()), (expected, ""), "{words:?}");
    assert_eq!(folder.others(), [""; 0], "{words:?}");
}

facts! { wrong_filter:
    a_blank_in_a_list(&["--filter", "cdrapi?minDur=8&caller=53 @"],
        "  cdrapi?minDur=8&caller=53 @\n                           ^\nerror: --filter: at byte 25: caller: ' ' is not \
         allowed in a list: letters, digits and @ _ - , + * # . are\n");
    a_column_that_is_none(&["--where", "src = '1' and bilsec > 5"],
        "  src = '1' and bilsec > 5\n                ^\nerror: --where: at byte 14: there is no column bilsec; \
         `calltable schema` has all\n");
    a_group_without_members(&["--extension-group", "sales="],
        "error: --extension-group sales=: a name and its members are asked for, such as sales=1000,1001\n");
    a_group_without_a_name(&["--extension-group", "1000,1001"],
        "error: --extension-group 1000,1001: write it as NAME=1000,1001\n");
    a_group_that_stands_twice(&["--extension-group", "a=1", "--extension-group", "a=2"],
        "error: --extension-group a=2: the group stands twice: name all its members at once\n");
}

#[test]
fn two_pages_are_wrong() {
    let folder = Folder::new();
    let run = folder
        .run("convert good.csv -o a.csv --filter cdrapi?offset=1 --filter cdrapi?numRecords=1")
        .exits(2);
    run.says(&["two filters ask for a page"]);
    assert_eq!(folder.others(), [""; 0]);
}

#[test]
fn filters_choose_rows_and_all_must_match() {
    let folder = Folder::new();
    let written = |words: &[&str]| {
        let all =
            [&["convert", "good.csv", "-o", "-", "--to", "csv", "--columns", "record_id"], words].concat();
        folder.run_words(&all).exits(0).text().lines().skip(1).collect::<Vec<_>>().join(",")
    };
    assert_eq!(written(&[]), "1,2");
    assert_eq!(written(&["--filter", "https://pbx:8443/cdrapi?format=json&caller=20@"]), "1,2");
    assert_eq!(written(&["--filter", "cdrapi?callee=s"]), "2");
    assert_eq!(written(&["--where", "duration > 5"]), "1");
    assert_eq!(written(&["--filter", "cdrapi?callee=s", "--where", "duration > 5"]), "");
    assert_eq!(written(&["--where", "duration > 1", "--where", "duration < 60"]), "2");
    assert_eq!(written(&["--filter", "cdrapi?offset=1"]), "2");
    assert_eq!(written(&["--filter", "cdrapi?numRecords=1"]), "1");
    assert_eq!(written(&["--filter", "cdrapi?endTime=now", "--filter", "cdrapi?startTime=2024-05-18"]), "2");
    assert_eq!(written(&["--filter", "yeastar?extension_group=a", "--extension-group", "a=9,2001"]), "1");
}

#[test]
fn what_is_filtered_is_counted_and_the_output_says_by_what() {
    let folder = Folder::new();
    let line = "convert good.csv bad.csv -o a.parquet --filter cdrapi?caller=9&endTime=now --filter \
                ucm-web?extensionGroup=b --extension-group a=1 --extension-group b=3,2 --report-file r --json";
    let report = folder.run(line).exits(4).json();
    let counts = |name: &str| report["totals"][name].as_u64().unwrap();
    // The record of two fields is none; that with a bad duration was filtered before anybody looked at it.
    assert_eq!((counts("records"), counts("written"), counts("filtered"), counts("rejected")), (6, 0, 5, 1));
    assert_eq!(report["outputs"][0]["row_groups"], 0);
    let file = fs::File::open(folder.path("a.parquet")).unwrap();
    let reader = parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
    let metadata = reader.metadata().file_metadata().key_value_metadata().unwrap().clone();
    let value = |key: &str| metadata.iter().find(|entry| entry.key == key).unwrap().value.clone().unwrap();
    let filter = value("calltable.filter.1");
    assert_eq!(value("calltable.filter.2.extension-group"), "b=2,3");
    let now = report["now"].as_str().unwrap().trim_end_matches('Z').to_string();
    assert!(filter.starts_with("cdrapi?caller=9&endTime=") && filter.contains(&now), "{filter} {now}");
}

#[test]
fn inspect_shows_what_matches() {
    let folder = Folder::new();
    let found = folder.run_words(&["inspect", "good.csv", "--where", "dst = 's'", "--json"]).exits(0).json();
    let first = &found[0];
    assert_eq!((&first["written"], &first["filtered"]), (&json!(1), &json!(1)));
    assert_eq!(first["first_rows"][0]["record_id"], "2");
    // A page is of what is written or answered.
    let paged = folder.run("inspect good.csv --filter cdrapi?numRecords=1 --json").exits(0).json();
    assert_eq!(paged[0]["written"], 2);
}

// Exit codes, and what is left in the folder with each.

#[track_caller]
fn ends(line: &str, code: i32, files: &[&str], words: &[&str]) {
    let folder = Folder::new();
    let run = folder.run(line).exits(code).says(words);
    assert_eq!(run.text(), "", "{line}");
    assert_eq!(folder.others(), files, "{line}");
}

facts! { ends:
    done("convert good.csv -o a.parquet", 0, &["a.parquet"], &["a.parquet: 2 rows", "1 input"]);
    failed("convert login.html -o a.parquet", 1, &[], &["error: login.html:", "HTML", "nothing is published"]);
    failed_with_a_report("convert invoices.csv -o a.parquet --report-file r", 1, &["r"], &["invoices.csv", "Invoice,Amount,Due"]);
    rejects("convert bad.csv -o a.parquet", 4, &["a.parquet", "a.parquet.rejects.jsonl"],
        &["bad.csv: 2 of 4 records rejected", "bad-number 1, field-count 1", "a.parquet.rejects.jsonl", "--lenient", "--max-rejects"]);
    rejects_elsewhere("convert bad.csv -o a.parquet --rejects r", 4, &["a.parquet", "r"], &[": r\n"]);
    one_of_two_failed("convert good.csv login.html -o a.parquet", 4, &["a.parquet"], &["error: login.html:", "2 rows", "failed: 1 of 2 inputs"]);
    rejects_agreed_to("convert bad.csv -o a.parquet --max-rejects 2", 0, &["a.parquet", "a.parquet.rejects.jsonl"], &["2 of 4"]);
    rejects_agreed_to_by_share("convert bad.csv -o a.parquet --max-rejects 50%", 0, &["a.parquet", "a.parquet.rejects.jsonl"], &[]);
    a_failure_is_not_agreed_to("convert good.csv login.html -o a.parquet --max-rejects 9", 4, &["a.parquet"], &["login.html"]);
    more_than_agreed("convert bad.csv -o a.parquet --max-rejects 1 --report-file r", 3, &["a.parquet.rejects.jsonl", "r"],
        &["nothing is published", "2 of 4 records rejected", "agrees to 1\n"]);
    a_greater_share_than_agreed("convert bad.csv -o a.parquet --max-rejects 49.9%", 3, &["a.parquet.rejects.jsonl"], &["49.9%"]);
    strict("convert bad.csv -o a.parquet --strict", 3, &["a.parquet.rejects.jsonl"], &["--strict agrees to none"]);
    strict_with_a_failed_input("convert good.csv login.html -o a.parquet --strict", 3, &[], &["login.html", "1 input failed"]);
    strict_without_a_fault("convert good.csv -o a.parquet --strict", 0, &["a.parquet"], &[]);
    lenient("convert bad.csv -o a.csv --lenient --max-rejects 1", 0, &["a.csv", "a.csv.rejects.jsonl"], &["lenient-null 1"]);
    wrong_bytes("convert gbk.csv -o a.csv", 4, &["a.csv", "a.csv.rejects.jsonl"], &["invalid-utf8", "--encoding", "gbk"]);
    wrong_bytes_in_a_wrong_encoding("convert gbk.csv -o a.csv --encoding euc-jp", 0, &["a.csv"], &[]);
    a_warning("convert web.csv -o a.csv", 0, &["a.csv"], &["warning: web.csv:", "month first", "--date-order"]);
}

#[test]
fn inspect_ends_as_convert_would() {
    let dumps = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("testdata/dumps");
    let folder = Folder::new();
    for dump in fs::read_dir(dumps).unwrap().map(|dump| dump.unwrap().path()) {
        let code = |words: &[&OsStr]| folder.command(words).output().unwrap().status.code();
        let converted = code(&[
            "convert".as_ref(),
            dump.as_ref(),
            "-o".as_ref(),
            "a.jsonl".as_ref(),
            "--overwrite".as_ref(),
        ]);
        assert_eq!(code(&["inspect".as_ref(), dump.as_ref()]), converted, "{}", dump.display());
    }
}

// Rejects and report.

#[test]
fn rejects_file() {
    let folder = Folder::new();
    folder.run("convert bad.csv -o a.csv --columns record_id,duration").exits(4);
    let expected = concat!(
        r#"{"source":"bad.csv","format":"ucm-cdrapi-csv","record":2,"line":3,"offset":65,"length":35,"#,
        r#""reason":"bad-number","field":"duration","message":"`abc` is not a whole number that fits","#,
        r#""header":"AcctId,src,dst,start,duration","raw":"2,2001,2002,2024-05-17 12:34:56,abc"}"#,
        "\n",
        r#"{"source":"bad.csv","format":"ucm-cdrapi-csv","record":3,"line":4,"offset":101,"length":6,"#,
        r#""reason":"field-count","field":null,"message":"3 fields fewer than the header","#,
        r#""header":"AcctId,src,dst,start,duration","raw":"3,2001"}"#,
        "\n"
    );
    assert_eq!(folder.read("a.csv.rejects.jsonl"), expected);
    assert_eq!(folder.read("a.csv"), "record_id,duration\n1,64\n4,64\n");
}

#[test]
fn old_rejects_go_where_there_are_none() {
    let folder = Folder::new();
    folder.write("a.csv.rejects.jsonl", b"old");
    folder.run("convert good.csv -o a.csv").exits(0);
    assert_eq!(folder.others(), ["a.csv"]);
}

const COUNTS: &str = "records written filtered rejected duplicates repaired repeated_headers";

#[test]
fn report() {
    let folder = Folder::new();
    let line =
        "convert bad.csv login.html -o a.parquet --threads 1 --json --report-file r.json --max-rejects 9";
    let run = folder.run(line).exits(4).says(&["error: login.html:"]);
    assert!(!run.stderr.contains("rows"), "no summary beside JSON: {}", run.stderr);
    let report = run.json();
    let all = "inputs totals skipped outputs rejects now seconds threads peak_memory_bytes version";
    assert_eq!(keys(&report), all);
    let input = format!("source format encoding bytes {COUNTS} date_order utc_offset notes warnings error");
    assert_eq!(keys(&report["inputs"][0]), input);
    assert_eq!(keys(&report["inputs"][1]), input);
    assert_eq!(keys(&report["totals"]), format!("{COUNTS} notes"));
    assert_eq!(keys(&report["outputs"][0]), "path rows bytes row_groups");
    assert_eq!(keys(&report["rejects"]), "path by_reason");
    assert_eq!(report["inputs"][0]["source"], "bad.csv");
    assert_eq!(report["inputs"][0]["format"], "ucm-cdrapi-csv");
    assert_eq!(report["inputs"][0]["bytes"], BAD.len());
    assert_eq!(report["inputs"][0]["error"], Value::Null);
    assert!(report["inputs"][1]["error"].as_str().unwrap().contains("HTML"));
    assert_eq!(report["totals"]["records"], 4);
    assert_eq!(report["totals"]["rejected"], 2);
    assert_eq!(report["outputs"][0]["path"], "a.parquet");
    assert_eq!(report["outputs"][0]["rows"], 2);
    assert_eq!(report["outputs"][0]["bytes"], fs::metadata(folder.path("a.parquet")).unwrap().len());
    assert_eq!(
        report["rejects"],
        json!({"path": "a.parquet.rejects.jsonl", "by_reason": {"bad-number": 1, "field-count": 1}})
    );
    assert_eq!(report["threads"], 1);
    assert_eq!(report["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(serde_json::from_str::<Value>(&folder.read("r.json")).unwrap(), report);
}

#[test]
fn report_lists_what_is_skipped() {
    let folder = Folder::new();
    fs::create_dir(folder.path("dumps")).unwrap();
    folder.write("dumps/a.csv", GOOD.as_bytes());
    folder.write("dumps/.hidden", b"");
    folder.write("dumps/old.parquet", b"");
    let run = folder.run("convert dumps -o a.csv --json").exits(0);
    let skipped = &run.json()["skipped"];
    assert_eq!(keys(&skipped[0]), "source why");
    assert_eq!(
        (&skipped[0]["source"], &skipped[1]["source"]),
        (&json!("dumps/.hidden"), &json!("dumps/old.parquet"))
    );
    folder
        .run("convert dumps -o a.csv --overwrite")
        .exits(0)
        .says(&["passed over: 2 files", "dumps/.hidden: hidden"]);
}

#[test]
fn what_this_run_writes_is_no_input_of_the_next() {
    let folder = Folder::new();
    fs::create_dir(folder.path("dumps")).unwrap();
    folder.write("dumps/a.csv", BAD.as_bytes());
    let line =
        "convert dumps -o dumps/all.csv --rejects dumps/bad --report-file dumps/report --overwrite --json";
    for _ in 0..2 {
        let report = folder.run(line).exits(4).json();
        assert_eq!(report["inputs"].as_array().unwrap().len(), 1);
    }
}

// The two streams.

#[test]
fn results_are_alone_on_stdout() {
    let folder = Folder::new();
    for line in ["schema", "formats", "channel SIP/100", "man", "completions bash", "inspect good.csv"] {
        for json in ["", " --json"] {
            let run = folder.run(&format!("{line}{json}")).exits(0);
            assert_eq!(run.stderr, "", "{line}{json}");
            assert!(run.text().ends_with('\n'), "{line}{json}");
            assert_eq!(
                !json.is_empty(),
                serde_json::from_slice::<Value>(&run.stdout).is_ok(),
                "{line}{json}"
            );
        }
    }
}

#[test]
fn diagnostics_are_on_stderr() {
    let folder = Folder::new();
    for json in ["", "--json"] {
        let words = ["warning: web.csv:", "error: login.html:"];
        folder.run(&format!("convert web.csv login.html -o a.csv --overwrite {json}")).exits(4).says(&words);
        folder.run(&format!("inspect web.csv login.html {json}")).exits(4).says(&words);
    }
}

#[test]
fn control_characters_of_a_dump_are_not_sent_to_the_terminal() {
    let folder = Folder::new();
    folder.write("evil.csv", b"Invoice\x1b[31m,Amount\n1,2\n");
    folder.write("clid.csv", b"AcctId,src,dst\n1,\x1b[31m,2\n");
    let run = folder.run("convert evil.csv -o a.csv").exits(1).says(&["Invoice\\u{1b}[31m"]);
    assert!(!run.stderr.contains('\x1b'));
    assert!(!folder.run("inspect clid.csv").exits(0).shows(&["\\u{1b}[31m"]).text().contains('\x1b'));
}

#[test]
fn standard_output_takes_every_kind() {
    let folder = Folder::new();
    for kind in ["parquet", "arrow", "arrows", "csv", "jsonl"] {
        folder.run(&format!("convert bad.csv nexo.csv -o a.{kind}")).exits(4);
        let run = folder.run(&format!("convert bad.csv nexo.csv -o - --to {kind}")).exits(4);
        assert!(run.stdout == fs::read(folder.path(&format!("a.{kind}"))).unwrap(), "{kind}");
        run.says(&["standard output: 3 rows", "--rejects PATH keeps them"]);
    }
    assert!(!folder.has("-") && !folder.has("-.rejects.jsonl"));
}

#[test]
fn rejects_of_a_stream_go_where_they_are_sent() {
    let folder = Folder::new();
    folder.run("convert bad.csv -o - --to csv --rejects r").exits(4);
    assert_eq!(folder.read("r").lines().count(), 2);
    assert_eq!(folder.others(), ["r"]);
}

#[test]
fn a_stream_without_agreement_has_no_footer() {
    let run = Folder::new().run("convert bad.csv -o - --to parquet --strict").exits(3);
    assert_eq!(String::from_utf8_lossy(&run.stdout), "PAR1", "the first four bytes, and no more");
}

#[test]
#[cfg(unix)]
fn rejects_do_not_go_beside_a_device() {
    let folder = Folder::new();
    folder.run("convert bad.csv -o /dev/null --to csv").exits(4).says(&["--rejects PATH keeps them"]);
}

/// As many records as no pipe and no buffer holds.
fn large() -> String {
    let records = (0..60_000).map(|id| format!("{id},2001,2002,2024-05-17 12:34:56,64\n"));
    format!("{HEADER}\n{}", records.collect::<String>())
}

#[test]
#[cfg(unix)]
fn a_closed_pipe_ends_the_program_without_a_message() {
    use std::os::unix::process::ExitStatusExt;
    let folder = Folder::new();
    folder.write("large.csv", large().as_bytes());
    for kind in ["csv", "jsonl", "arrows"] {
        let mut child = folder.command(["convert", "large.csv", "-o", "-", "--to", kind]).spawn().unwrap();
        let mut first = [0; 10];
        child.stdout.take().unwrap().read_exact(&mut first).unwrap();
        let ended = child.wait_with_output().unwrap();
        assert_eq!(ended.status.signal(), Some(13), "{kind}");
        assert_eq!(String::from_utf8_lossy(&ended.stderr), "", "{kind}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_a_failure() {
    let folder = Folder::new();
    let full = || fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    folder.write("large.csv", large().as_bytes());
    let kinds = ["parquet", "arrow", "arrows", "csv", "jsonl"];
    // At the end, when the last buffer is written, and in the middle.
    let converts =
        ["good.csv", "large.csv"].map(|dump| kinds.map(|to| format!("convert {dump} -o - --to {to}")));
    let results =
        ["--help", "--version", "schema", "schema --json", "formats", "channel x", "man", "inspect good.csv"];
    for line in converts.as_flattened().iter().map(String::as_str).chain(results) {
        let output = folder.command(line.split(' ')).stdout(full()).output().unwrap();
        Run::of(line, output).exits(1).says(&["error: standard output: cannot be written: No space left"]);
    }
    let words = ["convert", "good.csv", "-o", "-", "--to", "csv", "--report-file", "r"];
    folder.command(words).stdout(full()).status().unwrap();
    let report: Value = serde_json::from_str(&folder.read("r")).unwrap();
    assert_eq!(report["outputs"], json!([]), "nothing is said to be there that is not");
}

#[test]
fn progress_is_shown_where_it_is_wanted() {
    let folder = Folder::new();
    folder.run("convert good.csv -o a.csv --progress always").exits(0).says(&[
        " of 96 bytes, ",
        " rows/s",
        "0:00 left",
    ]);
    folder.run("inspect good.csv --progress always --json").exits(0).says(&[" rows/s"]).json();
    folder.run_with("convert - -o b.csv --progress always", GOOD).exits(0).says(&["96 bytes, ", " rows/s\n"]);
    for never in ["", "--progress never", "--progress auto"] {
        let run = folder.run(&format!("convert good.csv -o a.csv --overwrite {never}")).exits(0);
        assert!(!run.stderr.contains("rows/s"), "{never}: no terminal, no bar");
    }
}

// Inputs and outputs.

#[test]
fn standard_input() {
    let folder = Folder::new();
    folder.run_with("convert - -o a.csv --columns source,src,source_offset", GOOD).exits(0);
    assert_eq!(folder.read("a.csv"), "source,src,source_offset\n-,2001,30\n-,2002,65\n");
}

#[test]
fn inputs_of_several_formats() {
    let folder = Folder::new();
    folder.run("convert nexo.csv good.csv -o a.csv --columns source,format,dst").exits(0);
    let expected = "source,format,dst\nnexo.csv,nexo-csv,620(102)\ngood.csv,ucm-cdrapi-csv,2002\ngood.csv,ucm-cdrapi-csv,s\n";
    assert_eq!(folder.read("a.csv"), expected);
}

#[test]
fn an_output_is_replaced_only_where_that_is_said() {
    let folder = Folder::new();
    folder.run("convert good.csv -o a.csv --columns src").exits(0);
    folder.run("convert good.csv -o a.csv --columns dst").exits(2).says(&["a.csv", "exists", "--overwrite"]);
    assert_eq!(folder.read("a.csv"), "src\n2001\n2002\n");
    folder.run("convert good.csv -o a.csv --columns dst --overwrite").exits(0);
    assert_eq!(folder.read("a.csv"), "dst\n2002\ns\n");
}

#[test]
fn an_output_is_kept_where_nothing_is_published() {
    let folder = Folder::new();
    folder.write("a.csv", b"mine");
    folder.run("convert bad.csv -o a.csv --overwrite --strict").exits(3);
    folder.run("convert login.html -o a.csv --overwrite").exits(1);
    assert_eq!(folder.read("a.csv"), "mine");
}

#[test]
fn threads_and_memory_change_nothing() {
    let folder = Folder::new();
    folder.write("large.csv", large().as_bytes());
    folder.run("convert large.csv bad.csv -o a.parquet --threads 1 --memory 64MiB").exits(4);
    folder.run("convert large.csv bad.csv -o b.parquet --threads 8 --memory 1G").exits(4);
    let read = |name| fs::read(folder.path(name)).unwrap();
    assert!(read("a.parquet") == read("b.parquet"));
    assert!(read("a.parquet.rejects.jsonl") == read("b.parquet.rejects.jsonl"));
}

#[test]
#[cfg(unix)]
fn paths_need_not_be_utf8() {
    use std::os::unix::ffi::OsStrExt;
    let folder = Folder::new();
    let name = OsStr::from_bytes(b"a\xff.csv");
    fs::write(folder.0.path().join(name), GOOD).unwrap();
    let output = OsStr::from_bytes(b"b\xff.csv");
    let run = folder.command([
        "convert".as_ref(),
        name,
        "-o".as_ref(),
        output,
        "--columns".as_ref(),
        "source".as_ref(),
    ]);
    Run::of("convert", { run }.output().unwrap()).exits(0);
    assert_eq!(fs::read_to_string(folder.0.path().join(output)).unwrap(), "source\na\\xFF.csv\na\\xFF.csv\n");
    for words in
        [["channel".as_ref(), name], ["convert".as_ref(), OsStr::from_bytes(b"--\xff")], [name, name]]
    {
        Run::of("not UTF-8", folder.command(words).output().unwrap()).exits(2).says(&["error: "]);
    }
}

// Every option reaches the reading or the writing.

/// The rows as CSV, without the header.
#[track_caller]
fn gives(line: &str, rows: &str) {
    let folder = Folder::new();
    let run = folder.run(&format!("convert -o - --to csv {line}")).exits(0);
    assert_eq!(run.text().split_once('\n').unwrap().1, rows, "{line}");
}

facts! { gives:
    columns_in_their_order("good.csv --columns dst,src", "2002,2001\ns,2002\n");
    columns_with_blanks("good.csv --columns=dst", "2002\ns\n");
    a_format("good.csv --format ucm-cdrapi-csv --columns format", "ucm-cdrapi-csv\nucm-cdrapi-csv\n");
    the_content_tells("good.csv --format auto --columns format", "ucm-cdrapi-csv\nucm-cdrapi-csv\n");
    all_records("web.csv --columns record_kind --records all", "main\nsub\n");
    calls("web.csv --columns record_kind --records calls", "main\n");
    legs("web.csv --columns record_kind --records legs", "sub\n");
    wall_clock("nexo.csv --columns start", "2021-05-07T01:05:02\n");
    a_zone("nexo.csv --columns start --timezone America/Chicago", "2021-05-07T06:05:02Z\n");
    an_offset("nexo.csv --columns start --timezone -05:00", "2021-05-07T06:05:02Z\n");
    one_zone_for_all("nexo.csv kazoo.csv --columns start --timezone UTC", "2021-05-07T01:05:02Z\n2020-03-21T08:53:20Z\n");
    month_first("web.csv --records calls --columns start --date-order mdy", "2018-03-04T09:05:00\n");
    day_first("web.csv --records calls --columns start --date-order dmy", "2018-04-03T09:05:00\n");
    an_encoding("gbk.csv --columns src_name --encoding gbk", "中\n");
    no_model("dahdi.csv --columns channel_kind", "analog\n");
    a_model("dahdi.csv --columns channel_kind --model ucm6204", "fxs\n");
    ports("dahdi.csv --columns channel_kind --ports fxo=5", "fxo\n");
    the_documented_plan("nexo.csv --columns dst_kind", "ivr\n");
    a_number_plan("nexo.csv --columns dst_kind --number-plan ivr=none,queue=620", "queue\n");
    a_lenient_reading("bad.csv --columns record_id,duration,extra --lenient --max-rejects 1",
        "1,64,\n2,,\"{\"\"duration\"\":\"\"abc\"\"}\"\n4,64,\n");
}

#[test]
fn row_groups() {
    let folder = Folder::new();
    let report = folder.run("convert good.csv -o a.parquet --row-group-rows 1 --json").exits(0).json();
    assert_eq!(report["outputs"][0]["row_groups"], 2);
}

#[test]
fn compressions() {
    let folder = Folder::new();
    for (kind, methods) in
        [("parquet", "zstd zstd:19 snappy lz4 gzip none"), ("arrow", "zstd lz4 none"), ("csv", "none")]
    {
        for method in methods.split(' ') {
            folder.run(&format!("convert good.csv -o a.{kind} --overwrite --compression {method}")).exits(0);
        }
    }
}

// The other commands.

#[test]
fn inspect_for_people() {
    let run = Folder::new().run("inspect bad.csv").exits(4);
    let expected = "\
bad.csv
  format    ucm-cdrapi-csv
  encoding  utf-8
  size      143 bytes
  records   4: 2 rows, 2 rejected
  start     2024-05-17T12:34:56 to 2024-05-17T12:34:56

  columns
    column    becomes          nulls
    AcctId    record_id            0
    src       src                  0
    dst       dst, dst_number      0
    start     start                0
    duration  duration             0

  first rows
    start                src   src_name  dst   disposition  duration  billsec  call_type
    2024-05-17T12:34:56  2001            2002                     64
    2024-05-17T12:34:56  2001            2002                     64

  problems
    1 bad-number
    1 field-count
    line 3, record 2: bad-number in duration: `abc` is not a whole number that fits
    line 4, record 3: field-count: 3 fields fewer than the header
";
    assert_eq!(run.text(), expected);
}

#[test]
fn inspect_as_json() {
    let found = Folder::new().run("inspect nexo.csv login.html --json").exits(4).json();
    let all = format!(
        "source format encoding bytes {COUNTS} date_order utc_offset notes warnings error \
         columns start_min start_max by_reason first_rows"
    );
    let [nexo, page] = &found.as_array().unwrap()[..] else { panic!("{found}") };
    assert_eq!((keys(nexo), keys(page)), (all.clone(), all));
    assert_eq!(keys(&nexo["columns"][0]), "name column nulls");
    assert_eq!(nexo["start_min"], "2021-05-07T01:05:02");
    assert_eq!(nexo["first_rows"][0]["answered_by"], "102");
    assert!(page["error"].as_str().unwrap().contains("HTML"));
    assert_eq!(
        (&page["columns"], &page["start_max"], &page["first_rows"]),
        (&json!([]), &Value::Null, &json!([]))
    );
}

/// Each column of a dump as `name>column:nulls`.
#[track_caller]
fn columns(dump: &str, expected: &str) {
    let folder = Folder::new();
    folder.write("dump.csv", dump.as_bytes());
    let found = folder.run("inspect dump.csv --json").json();
    let shown = found[0]["columns"].as_array().unwrap().iter().map(|column| {
        format!(
            "{}>{}:{}",
            column["name"].as_str().unwrap(),
            column["column"].as_str().unwrap_or("-"),
            column["nulls"]
        )
    });
    assert_eq!(shown.collect::<Vec<_>>().join(" "), expected);
}

facts! { columns:
    nulls("AcctId,src,dst\n1,,2\n2,,\n", "AcctId>record_id:0 src>src:2 dst>dst:1");
    nulls_without_rows("AcctId,src,dst\n", "AcctId>record_id:0 src>src:0 dst>dst:0");
    nulls_of_rows_alone("AcctId,src,dst,duration\n1,,2,x\n2,,,1\n", "AcctId>record_id:0 src>src:1 dst>dst:1 duration>duration:0");
    unknown_columns_are_extra("AcctId,src,dst,colour\n1,1,1,red\n2,1,1,\n", "AcctId>record_id:0 src>src:0 dst>dst:0 colour>extra:1");
    names_that_stand_twice("AcctId,src,dst,SRC\n1,1,1,\n", "AcctId>record_id:0 src>src:0 dst>dst:0 SRC#2>extra:1");
    a_zero_date_is_null("AcctId,src,dst,answer\n1,1,1,0000-00-00 00:00:00\n", "AcctId>record_id:0 src>src:0 dst>dst:0 answer>answer:1");
    an_em_dash_is_null("AcctId,src,dst,colour\n1,—,1,—\n", "AcctId>record_id:0 src>src:1 dst>dst:0 colour>extra:1");
    two_names_for_one_column("AcctId,src,dst,clid,caller_name\n1,1,1,\"\"\"A\"\" <1>\",\n2,1,1,,B\n",
        "AcctId>record_id:0 src>src:0 dst>dst:0 clid>clid:1 caller_name>src_name:1");
    a_changed_header("AcctId,src,dst\n1,1,1\nacctid,dst,src,colour\n2,1,,red\n",
        "AcctId>record_id:0 src>src:1 dst>dst:0 colour>extra:1");
    a_column_that_repeats_another("call_id,duration_seconds,timestamp,datetime\na,1,63752000000,x\n",
        "call_id>call_id:0 duration_seconds>duration:0 timestamp>start:0 datetime>start:0");
}

#[test]
fn channels_as_json() {
    let folder = Folder::new();
    let found = folder
        .run("channel PJSIP/trunk_1/5551234-0000001b DAHDI/5-1 Hangup --model UCM6204 --json")
        .exits(0)
        .json();
    let expected = json!([
        {"name": "PJSIP/trunk_1/5551234-0000001b", "tech": "PJSIP", "kind": "trunk_out", "peer": null,
         "trunk": "trunk_1", "dialed": "5551234", "port": null},
        {"name": "DAHDI/5-1", "tech": "DAHDI", "kind": "fxs", "peer": null, "trunk": null, "dialed": null, "port": 5},
        {"name": "Hangup", "tech": null, "kind": "application", "peer": "Hangup", "trunk": null, "dialed": null, "port": null},
    ]);
    assert_eq!(found, expected);
    assert_eq!(keys(&found[0]), "name tech kind peer trunk dialed port");
    assert_eq!(folder.run("channel DAHDI/5-1 --json").json()[0]["kind"], "analog");
    assert_eq!(folder.run("channel DAHDI/5-1 --ports fxo=5 --json").json()[0]["kind"], "fxo");
}

#[test]
fn channels_for_people() {
    let expected = "\
name       tech   kind    peer  trunk  dialed  port
DAHDI/5-1  DAHDI  analog  -     -      -       5
";
    assert_eq!(Folder::new().run("channel DAHDI/5-1").exits(0).text(), expected);
}

#[test]
fn schema() {
    let folder = Folder::new();
    let found = folder.run("schema --json").exits(0).json();
    let columns = found.as_array().unwrap();
    assert!(columns.iter().all(|column| keys(column) == "name type nullable description"));
    assert!(
        columns
            .iter()
            .map(|column| column["name"].as_str().unwrap())
            .eq(calltable::COLUMNS.map(|column| column.name))
    );
    let kind = |name: &str| columns.iter().find(|column| column["name"] == name).unwrap()["type"].clone();
    let names = "src source nat channel_port sub_index duration source_offset start recordfiles extra";
    let kinds: Vec<Value> = names.split(' ').map(kind).collect();
    let expected = "text,dict,bool,uint16,uint32,int32,int64,timestamp(us),list of text,map of text to text";
    assert_eq!(kinds, expected.split(',').collect::<Vec<_>>());
    assert_eq!(
        columns[0],
        json!({"name": "source", "type": "dict", "nullable": false, "description": columns[0]["description"]})
    );
    folder.run("schema").exits(0).shows(&["source_offset", "int64", "timestamp(us)"]);
}

#[test]
fn formats() {
    let folder = Folder::new();
    let found = folder.run("formats --json").exits(0).json();
    let formats = found.as_array().unwrap();
    assert!(formats.iter().all(|format| keys(format) == "name vendor recognised_by"));
    assert!(
        formats
            .iter()
            .map(|format| format["name"].as_str().unwrap())
            .eq(calltable::format::ALL.iter().map(|format| format.name))
    );
    folder.run("formats").exits(0).shows(&["ucm-cdrapi-csv ", " ucm ", "AcctId"]);
}

#[test]
fn files_for_the_shell() {
    let folder = Folder::new();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        folder.run(&format!("completions {shell}")).exits(0).shows(&["calltable", "row-group-rows"]);
    }
    folder.run("man").exits(0).shows(&[
        ".TH calltable 1",
        ".SH CONVERT",
        "max\\-rejects",
        ".SH INSPECT",
        "Exit codes",
    ]);
}
