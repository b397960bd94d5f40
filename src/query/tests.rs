//! Answers from dumps and from archives of the same dumps; pages; row groups that are left out.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::convert;
use crate::source::inputs::expand_with_archives;

/// A dump of calls of one to seven legs, in the order of time, and archives of it with small row groups.
struct Files {
    folder: TempDir,
}

const KINDS: [&str; 5] = ["csv", "parquet", "small.parquet", "arrow", "arrows"];

impl Files {
    fn path(&self, kind: &str) -> PathBuf {
        self.folder.path().join(format!("calls.{kind}"))
    }
}

fn files() -> &'static Files {
    static FILES: OnceLock<Files> = OnceLock::new();
    FILES.get_or_init(|| {
        let files = Files { folder: TempDir::new().unwrap() };
        std::fs::write(files.path("csv"), dump(400)).unwrap();
        for (kind, rows) in [("parquet", 250_000), ("small.parquet", 3), ("arrow", 1), ("arrows", 1)] {
            let inputs = crate::source::inputs::expand(&[files.path("csv")], &[]).unwrap();
            let mut job = convert::Job::new(inputs, files.path(kind)).unwrap();
            job.row_group_rows = rows;
            assert_eq!(convert::convert(job).unwrap().exit, Exit::Done);
        }
        files
    })
}

/// Legs by their number; calls have 1, 2, … 7 legs, one after the other.
fn dump(legs: u32) -> String {
    let mut text = String::from(
        "AcctId,src,dst,clid,lastdata,start,answer,end,duration,billsec,disposition,uniqueid,dstanswer,session,action_type\n",
    );
    let (mut call, mut left) = (0, 1);
    for leg in 0..legs {
        if left == 0 {
            call += 1;
            left = 1 + call % 7;
        }
        left -= 1;
        let (src, dst) = (5300 + call % 17, 6300 + leg % 23);
        let start = format!("2013-01-{:02} {:02}:{:02}:00", 1 + leg / 24 % 28, leg % 24, leg % 60);
        let billsec = leg * 7 % 70;
        let disposition = if billsec > 0 { "ANSWERED" } else { "NO ANSWER" };
        let name = if call % 5 == 0 { "Anonymous".to_string() } else { src.to_string() };
        text.push_str(&format!(
            "{leg},{name},{dst},\"Doe, {src}\" <{src}>,\"a,{leg}\",{start},,{start},{billsec},{billsec},{disposition},135{leg}.1,{dst},{call:05}-{src},DIAL\n"
        ));
    }
    text
}

fn job(request: &str, path: &Path) -> Job {
    let filter =
        Filter::parse_query(request, &Context::new()).unwrap_or_else(|error| panic!("{request}: {error}"));
    let mut job = Job::new(expand_with_archives(&[path]).unwrap(), filter);
    job.limits.threads = 1;
    job
}

fn answered(job: Job) -> (String, Outcome) {
    let mut answer = Vec::new();
    let outcome = query(job, &mut answer).unwrap();
    (String::from_utf8(answer).unwrap(), outcome)
}

/// The values of a field, in the order of an answer in CSV.
fn ids(answer: &str) -> Vec<u32> {
    answer.lines().skip(1).map(|line| line.split(',').next().unwrap().parse().unwrap()).collect()
}

#[test]
fn archives_answer_as_their_dump_does() {
    let requests = [
        "cdrapi?",
        "cdrapi?caller=5300-5305&minDur=8&maxDur=60",
        "cdrapi?format=xml&callee=6305",
        "cdrapi?format=json&callee=6305&offset=2&numRecords=3",
        "cdrapi?startTime=2013-01-05&endTime=2013-01-06",
        "ucm-web?callerNumber=530X",
        "nexo?src=5301",
        "yeastar?call_from=5302&sort_by=duration&page=2&page_size=3",
        "kazoo?page_size=5&start_key=10",
    ];
    for request in requests {
        let (expected, _) = answered(job(request, &files().path("csv")));
        for kind in KINDS {
            let (answer, outcome) = answered(job(request, &files().path(kind)));
            assert_eq!(answer, expected, "{request} {kind}");
            assert_eq!(outcome.exit, Exit::Done);
        }
        assert!(expected.len() > 500, "{request}: {expected}");
    }
}

#[test]
fn row_groups_are_left_out_by_their_statistics() {
    let check = |request: &str, expected: std::ops::Range<u64>| {
        let (_, outcome) = answered(job(request, &files().path("small.parquet")));
        assert_eq!(outcome.groups.all, 134, "{request}");
        assert!(expected.contains(&outcome.groups.read), "{request}: {} are read", outcome.groups.read);
    };
    check("cdrapi?startTime=2013-01-05&endTime=2013-01-05T03:00", 1..3);
    check("cdrapi?caller=1@", 0..1);
    check("cdrapi?minDur=71", 0..1);
    check("cdrapi?minDur=63", 1..41);
    check("nexo?src=1000", 0..1);
    check("yeastar?call_from=1000&start_time=01/05/2013 00:00:00", 0..1);
    // The neighbours that may share a call.
    check("cdrapi?format=json&startTime=2013-01-05&endTime=2013-01-05T03:00", 2..7);
}

#[test]
fn calls_are_whole_across_row_groups_and_count_as_one() {
    let request = "cdrapi?format=json&callee=6310&numRecords=2&offset=3";
    let (answer, outcome) = answered(job(request, &files().path("small.parquet")));
    assert_eq!(outcome.facts.answered, 2);
    let sessions: std::collections::BTreeSet<&str> =
        answer.lines().filter_map(|line| line.split("\"cdr\":\"").nth(1)?.split('"').next()).collect();
    assert_eq!(sessions.len(), 2, "{answer}");
    let whole = std::fs::read_to_string(files().path("csv")).unwrap();
    for session in sessions {
        let legs = |text: &str| text.lines().filter(|line| line.contains(session)).count();
        assert_eq!(legs(&answer), legs(&whole), "{session}");
    }
}

#[test]
fn pages_of_a_ucm_follow_one_another() {
    let path = files().path("csv");
    let (whole, _) = answered(job("cdrapi?", &path));
    assert_eq!(ids(&whole), (0..400).collect::<Vec<_>>());
    let mut pages = Vec::new();
    for offset in (0..500).step_by(100) {
        let (page, _) = answered(job(&format!("cdrapi?numRecords=100&offset={offset}"), &path));
        pages.extend(ids(&page));
    }
    assert_eq!(pages, ids(&whole));
    assert!(ids(&answered(job("cdrapi?numRecords=0", &path)).0).is_empty());
    assert!(ids(&answered(job("cdrapi?offset=18446744073709551615", &path)).0).is_empty());
}

#[test]
fn a_ucm_answers_a_thousand_records_at_most() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("calls.csv");
    std::fs::write(&path, dump(1500)).unwrap();
    assert_eq!(ids(&answered(job("cdrapi?", &path)).0).len(), 1000);
    assert_eq!(ids(&answered(job("cdrapi?numRecords=5000", &path)).0).len(), 1000);
    assert_eq!(ids(&answered(job("cdrapi?offset=1000", &path)).0), (1000..1500).collect::<Vec<_>>());
}

#[test]
fn pages_of_a_kazoo_follow_one_another() {
    let path = files().path("csv");
    let (mut key, mut ids) = (Some("0".to_string()), Vec::new());
    while let Some(start) = key {
        let (page, outcome) = answered(job(&format!("kazoo?page_size=150&start_key={start}"), &path));
        let page: serde_json::Value = serde_json::from_str(&page).unwrap();
        assert_eq!(page["page_size"], 150);
        ids.extend(
            page["data"].as_array().unwrap().iter().map(|record| record["id"].as_str().unwrap().to_string()),
        );
        key = outcome.facts.next;
        assert_eq!(page["next_start_key"].as_str(), key.as_deref());
    }
    assert_eq!(ids, (0..400).map(|id: u32| id.to_string()).collect::<Vec<_>>());
    let default = answered(job("kazoo?paginate=true", &path)).1.facts;
    assert_eq!((default.answered, default.next.as_deref()), (50, Some("50")));
    assert_eq!(answered(job("kazoo?", &path)).1.facts.answered, 400);
}

#[test]
fn yeastar_counts_all_pages_and_sorts() {
    let path = files().path("csv");
    let (page, _) = answered(job("yeastar?sort_by=talk_duration&order_by=desc&page=2&page_size=10", &path));
    let page: serde_json::Value = serde_json::from_str(&page).unwrap();
    assert_eq!(page["total_number"], 400);
    let found: Vec<i64> = page["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|record| record["talk_duration"].as_i64().unwrap())
        .collect();
    let mut all: Vec<i64> = (0..400).map(|leg| leg * 7 % 70).collect();
    all.sort_by_key(|seconds| -seconds);
    assert_eq!(found, all[10..20]);
    let (page, _) = answered(job("yeastar?page=41&page_size=10", &path));
    assert_eq!(page, "{\"errcode\":0,\"errmsg\":\"SUCCESS\",\"total_number\":400,\"data\":[]}\n");
}

#[test]
fn a_full_answer_reads_no_further() {
    let folder = TempDir::new().unwrap();
    let broken = folder.path().join("z.csv");
    std::fs::write(&broken, "Invoice,Amount\n1,2\n").unwrap();
    let filter = Filter::parse_query("cdrapi?numRecords=10", &Context::new()).unwrap();
    let inputs = expand_with_archives(&[files().path("csv"), broken.clone()]).unwrap();
    let (_, outcome) = answered(Job::new(inputs.clone(), filter));
    assert_eq!(outcome.exit, Exit::Done);
    let filter = Filter::parse_query("cdrapi?caller=none", &Context::new()).unwrap();
    assert_eq!(answered(Job::new(inputs, filter)).1.exit, Exit::Incomplete);
}

#[test]
fn a_broken_archive_fails_and_the_others_are_read() {
    let folder = TempDir::new().unwrap();
    let whole = std::fs::read(files().path("small.parquet")).unwrap();
    for (at, end) in [whole.len() - 1, whole.len() / 2, 12].into_iter().enumerate() {
        std::fs::write(folder.path().join(format!("{at}.parquet")), &whole[..end]).unwrap();
    }
    let filter = Filter::parse_query("cdrapi?caller=5301", &Context::new()).unwrap();
    let inputs = expand_with_archives(&[folder.path().to_path_buf(), files().path("parquet")]).unwrap();
    assert_eq!(inputs.inputs.len(), 4);
    let (answer, outcome) = answered(Job::new(inputs, filter));
    assert_eq!(outcome.exit, Exit::Incomplete);
    assert_eq!(outcome.report.inputs.iter().filter(|input| input.error.is_some()).count(), 3);
    assert_eq!(answer, answered(job("cdrapi?caller=5301", &files().path("csv"))).0);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    /// The slow twin reads every row group.
    #[test]
    fn leaving_row_groups_out_never_changes_an_answer(
        format in prop::sample::select(vec!["csv", "xml", "json"]),
        caller in prop::option::of(prop::sample::select(vec!["5301", "53@", "Anon@", "5310-5312", "@5", "0-0"])),
        callee in prop::option::of(6295u32..6330),
        durations in prop::option::of((0u32..80, 0u32..80)),
        day in prop::option::of((1u32..20, 0u32..20)),
        page in prop::option::of((0u32..10, 0u32..10)),
        zone in prop::option::of(prop::sample::select(vec!["+14:00", "America/Chicago"])),
    ) {
        let mut parts = vec![format!("format={format}")];
        parts.extend(caller.map(|caller| format!("caller={caller}")));
        parts.extend(callee.map(|callee| format!("callee={callee}")));
        parts.extend(durations.map(|(least, most)| format!("minDur={least}&maxDur={most}")));
        parts.extend(day.map(|(from, to)| format!("startTime=2013-01-{:02}&endTime=2013-01-{:02}", from, from + to / 4)));
        parts.extend(page.map(|(offset, count)| format!("offset={offset}&numRecords={count}")));
        let request = format!("cdrapi?{}", parts.join("&"));
        let with = |skip_row_groups| {
            let mut job = job(&request, &files().path("small.parquet"));
            job.options.zone = zone.map(|zone| Zone::parse(zone).unwrap());
            answered(Job { skip_row_groups, ..job })
        };
        let (fast, slow) = (with(true), with(false));
        prop_assert_eq!(&fast.0, &slow.0, "{}", request);
        prop_assert!(fast.1.groups.read <= slow.1.groups.read);
        if zone.is_none() {
            prop_assert_eq!(&fast.0, &answered(job(&request, &files().path("csv"))).0);
        }
    }
}
