//! Single system calls that fail, or are the last ones: strace makes them so.

use crate::{Folder, Run, broken, can, dump};

/// What publishes three files: rejects, report and the table.
const CONVERT: &str = "convert bad.csv dump.csv -o out.csv --rejects rejects --report-file report --threads 1 --columns src,dst,start";

/// What they are.
const FILES: [&str; 3] = ["out.csv", "rejects", "report"];

fn strace() -> bool {
    can("strace -f -qq -o /dev/null -e trace=fsync -e inject=fsync:error=EIO:when=1 true")
}

fn folder() -> Folder {
    Folder::of(&[("dump.csv", &dump(20_000)), ("bad.csv", &broken(5_000))])
}

/// Runs the program with a fault in it; the trace tells whether it came.
fn injected(folder: &Folder, fault: &str, line: &str) -> (Run, bool) {
    let call = fault.split(':').next().unwrap();
    // Threads are counted each by itself: what is said of a fault must not be hit, too.
    let paths = FILES.map(|name| format!("-P \"$PWD/.{name}.calltable.tmp\" -P \"$PWD/{name}\"")).join(" ");
    let paths = if call == "write" { paths } else { String::new() };
    let traced = format!("strace -f -qq -o trace {paths} -e trace={call} -e inject={fault} -- \"$P\" {line}");
    let run = folder.shell(&traced);
    let trace = String::from_utf8_lossy(&folder.read("trace")).into_owned();
    std::fs::remove_file(folder.at("trace")).unwrap();
    (run, trace.contains("(INJECTED)") || trace.contains("+++ killed by SIGKILL"))
}

/// All that a run without faults gives, but for the report's times.
fn whole() -> (Folder, [Vec<u8>; 2]) {
    let folder = folder();
    folder.run(CONVERT).exits(4);
    let files = [folder.read("out.csv"), folder.read("rejects")];
    FILES.iter().for_each(|name| std::fs::remove_file(folder.at(name)).unwrap());
    (folder, files)
}

/// What is there is whole; of a run that ended early, the rejects are whole up to there.
fn check(folder: &Folder, [out, rejects]: &[Vec<u8>; 2], is_early: bool, what: &str) {
    let found = |name: &str| std::fs::read(folder.at(name)).ok();
    assert!(found("out.csv").is_none_or(|found| found == *out), "a part of the output: {what}");
    let is_begun = |found: &[u8]| is_early && rejects.starts_with(found) && found.ends_with(b"\n");
    assert!(
        found("rejects").is_none_or(|found| found == *rejects || is_begun(&found)),
        "broken rejects: {what}"
    );
    if let Some(report) = found("report") {
        let report = serde_json::from_slice::<serde_json::Value>(&report);
        assert!(report.is_ok(), "a part of the report: {what}");
    }
}

/// Every call of that kind in turn, until none is left to be hit; comes back with how many there were.
fn each(call: &str, fault: &str, mut check: impl FnMut(Run, &str)) -> usize {
    let (folder, files) = whole();
    for at in 1.. {
        let what = format!("{call}:{fault}:when={at}");
        let (run, has_come) = injected(&folder, &what, CONVERT);
        self::check(&folder, &files, run.code == 1, &what);
        if !has_come {
            run.exits(4);
            return at - 1;
        }
        check(run, &what);
        if fault.starts_with("error") {
            let left = folder.names().iter().any(|name| name.ends_with(".tmp"));
            assert!(!left || call.starts_with("unlink"), "a temporary file is left: {what}");
        }
        let again = folder.run(&format!("{CONVERT} --overwrite")).exits(4);
        assert!(again.stdout.is_empty());
        self::check(&folder, &files, false, &what);
        assert_eq!(folder.names(), ["bad.csv", "dump.csv", "out.csv", "rejects", "report"], "{what}");
        FILES.iter().for_each(|name| std::fs::remove_file(folder.at(name)).unwrap());
    }
    0
}

#[test]
fn a_crash_at_each_single_call_leaves_nothing_that_is_not_whole() {
    if !strace() {
        return;
    }
    for (call, at_least) in [("write", 10), ("fsync", 6), ("rename", 3)] {
        let hit = each(call, "signal=KILL", |run, what| {
            assert_eq!(run.code, 137, "{what}: {}", run.stderr);
        });
        assert!(hit >= at_least, "{call}: {hit}");
    }
}

#[test]
fn an_error_of_each_single_call_is_told_by_the_files_name() {
    if !strace() {
        return;
    }
    for (call, error, words, at_least) in [
        ("write", "ENOSPC", "No space left on device", 10),
        ("fsync", "EIO", "Input/output error", 6),
        ("rename", "EACCES", "Permission denied", 3),
    ] {
        let mut told = 0;
        let hit = each(call, &format!("error={error}"), |run, what| {
            // Of those on stderr, of the loader's and of what is only looked at nobody need be told.
            if run.code != 4 && run.code != 127 {
                let says = run.exits(1).says(&["error: ", words]);
                let names = FILES.iter().chain(&["dump.csv", "bad.csv"]);
                assert!(
                    names.into_iter().any(|name| says.stderr.contains(&format!("{name}: "))),
                    "{what}: {}",
                    says.stderr
                );
                told += 1;
            }
        });
        assert!(hit >= at_least && told >= at_least.min(3), "{call}: {hit} {told}");
    }
}

#[test]
fn an_input_that_cannot_be_read_on_gives_what_was_before() {
    if !strace() {
        return;
    }
    let folder = Folder::of(&[("a.csv", &dump(300_000)), ("b.csv", &dump(10))]);
    let line = "strace -f -qq -o /dev/null -P a.csv -e trace=read -e inject=read:error=EIO:when=6+ -- \"$P\" \
                convert a.csv b.csv -o out.csv --columns src --timezone UTC";
    folder.shell(line).exits(4).says(&["error: a.csv: at byte ", "Input/output error"]);
    let rows = folder.lines("out.csv") - 1;
    assert!((11..300_000).contains(&rows), "{rows}");
    assert_eq!(folder.names(), ["a.csv", "b.csv", "out.csv"]);
}
