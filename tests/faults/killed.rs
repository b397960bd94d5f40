//! Killed, or asked to end, at any moment.

use std::io::Write;
use std::time::{Duration, Instant};

use crate::{Folder, HEADER, Random, broken, dump, ended, signal, wait_until};

/// Long enough to be hit in the middle.
const RECORDS: usize = 500_000;
const CONVERT: &str = "convert dump.csv -o out.parquet --columns src,dst,start,duration";

/// A folder with a dump, the bytes that it becomes, and how long that takes.
fn prepared() -> (Folder, Vec<u8>, Duration) {
    let folder = Folder::of(&[("dump.csv", &dump(RECORDS))]);
    let begun = Instant::now();
    folder.run(CONVERT).exits(0);
    let took = begun.elapsed();
    let whole = folder.read("out.parquet");
    std::fs::remove_file(folder.at("out.parquet")).unwrap();
    (folder, whole, took)
}

/// Sends the signal at this share of the time that a run takes; comes back with the run, and how long it then took.
fn struck(folder: &Folder, line: &str, name: &str, at: Duration) -> (crate::Run, Duration) {
    let child = folder.spawn(line);
    std::thread::sleep(at);
    let struck = Instant::now();
    signal(name, child.id());
    (ended(line, child), struck.elapsed())
}

#[test]
fn killed_at_any_moment_the_output_is_absent_or_whole() {
    let (folder, whole, took) = prepared();
    let mut random = Random(17);
    let mut killed = 0;
    for round in 0..50 {
        let (run, _) = struck(&folder, CONVERT, "KILL", took.mul_f64(random.share()));
        let is_there = folder.at("out.parquet").exists();
        assert!(run.code == 137 || run.code == 0 && is_there, "{} {}", run.code, run.stderr);
        killed += usize::from(run.code == 137);
        if is_there {
            assert!(folder.read("out.parquet") == whole, "a part is published in round {round}");
        }
        let again = if is_there { format!("{CONVERT} --overwrite") } else { CONVERT.to_string() };
        folder.run(&again).exits(0);
        assert!(folder.read("out.parquet") == whole, "after a kill it is not the same in round {round}");
        assert_eq!(folder.names(), ["dump.csv", "out.parquet"]);
        std::fs::remove_file(folder.at("out.parquet")).unwrap();
    }
    assert!(killed > 10, "{killed} of 50 were killed");
}

#[test]
fn killed_at_any_moment_an_old_output_stays_or_the_new_one_is_whole() {
    let (folder, whole, took) = prepared();
    let mut random = Random(18);
    let overwrite = format!("{CONVERT} --overwrite");
    for round in 0..15 {
        std::fs::write(folder.at("out.parquet"), "old").unwrap();
        struck(&folder, &overwrite, "KILL", took.mul_f64(random.share()));
        let found = folder.read("out.parquet");
        assert!(found == b"old" || found == whole, "a part is published in round {round}");
    }
    folder.run(&overwrite).exits(0);
    assert_eq!(folder.names(), ["dump.csv", "out.parquet"]);
}

#[test]
fn asked_to_end_at_any_moment_a_run_leaves_nothing() {
    let (folder, whole, took) = prepared();
    let mut random = Random(19);
    let mut stopped = 0;
    for round in 0..24 {
        let (name, code) = [("INT", 130), ("TERM", 143)][round % 2];
        let (run, waited) = struck(&folder, CONVERT, name, took.mul_f64(random.share()));
        assert!(waited < Duration::from_secs(10), "{waited:?}");
        match run.code {
            // It was faster.
            0 => assert!(folder.read("out.parquet") == whole),
            _ => {
                let run = run.exits(code);
                // Before anything is there that could be said.
                assert!(
                    run.stderr.is_empty() || run.stderr == format!("error: stopped by SIG{name}\n"),
                    "{}",
                    run.stderr
                );
                stopped += usize::from(!run.stderr.is_empty());
                assert_eq!(folder.names(), ["dump.csv"], "round {round}");
            }
        }
        let _ = std::fs::remove_file(folder.at("out.parquet"));
    }
    assert!(stopped > 5, "{stopped} of 24 were stopped");
}

/// Waits until the run waits for its pipe, with an output that is begun.
fn waits(folder: &Folder) {
    wait_until("an output is begun", || folder.names().iter().any(|name| name.ends_with(".tmp")));
}

#[test]
fn a_run_that_waits_for_a_pipe_ends_too() {
    for (name, code) in [("INT", 130), ("TERM", 143)] {
        let folder = Folder::new();
        folder.mkfifo("pipe");
        let child = folder.spawn("convert pipe -o out.parquet");
        waits(&folder);
        let struck = Instant::now();
        signal(name, child.id());
        ended("convert pipe", child).exits(code).says(&["stopped by SIG"]);
        assert!(struck.elapsed() < Duration::from_secs(10));
        assert_eq!(folder.names(), ["pipe"]);
    }
}

#[test]
fn a_second_signal_ends_a_run_at_once() {
    let folder = Folder::new();
    folder.mkfifo("pipe");
    let child = folder.spawn("convert pipe -o out.parquet");
    waits(&folder);
    signal("TERM", child.id());
    std::thread::sleep(Duration::from_millis(100));
    signal("INT", child.id());
    ended("convert pipe", child).exits(130).says(&["stopped by SIGINT"]);
    assert_eq!(folder.names(), ["pipe"]);
}

#[test]
fn what_was_rejected_before_a_signal_is_kept() {
    let folder = Folder::new();
    let pipe = folder.mkfifo("pipe");
    let child = folder.spawn("convert pipe -o out.csv --report-file report.json");
    let mut writer = std::fs::OpenOptions::new().write(true).open(pipe).unwrap();
    // A dump without end, but for that of its reader.
    let feeding = std::thread::spawn(move || {
        let text = broken(1000) + &dump(1000)[HEADER.len()..];
        while writer.write_all(text.as_bytes()).is_ok() {}
    });
    wait_until("rejects are begun", || folder.names().iter().any(|name| name.contains("rejects")));
    signal("TERM", child.id());
    ended("convert", child).exits(143).says(&["stopped by SIGTERM"]);
    feeding.join().unwrap();
    assert_eq!(folder.names(), ["out.csv.rejects.jsonl", "pipe", "report.json"]);
    let report: serde_json::Value = serde_json::from_slice(&folder.read("report.json")).unwrap();
    assert_eq!(report["totals"]["rejected"], folder.lines("out.csv.rejects.jsonl"));
    assert_eq!(report["outputs"], serde_json::json!([]));
}

#[test]
fn inspect_and_query_end_too() {
    for line in ["inspect pipe", "query cdrapi?format=json pipe"] {
        let folder = Folder::new();
        let pipe = folder.mkfifo("pipe");
        let child = folder.spawn(line);
        let writer = std::fs::OpenOptions::new().write(true).open(pipe).unwrap();
        signal("INT", child.id());
        ended(line, child).exits(130).says(&["stopped by SIGINT"]);
        drop(writer);
    }
}
