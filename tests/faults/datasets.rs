//! Folders as outputs: killed, asked to end, and crashed at single system calls. A dataset is absent, old or whole; one
//! that is added to has the steps that were done, and the next run makes of it what an undisturbed one would have.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::{Folder, HEADER, Random, broken, can, dump, ended, record, signal};

const PARTITIONED: &str =
    "convert dump.csv -o ds --partition-by disposition,lastapp --columns src,start,duration";
const ADDED: &str = "convert in -o ds --append --columns src,start,source";

/// All files below a folder; none where it is not there.
fn tree(root: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false => {
                    let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_string();
                    files.insert(name, fs::read(path).unwrap());
                }
            }
        }
    }
    files
}

fn took(folder: &Folder, line: &str, code: i32) -> Duration {
    let begun = Instant::now();
    folder.run(line).exits(code);
    begun.elapsed()
}

fn struck(folder: &Folder, line: &str, name: &str, at: Duration) -> crate::Run {
    let child = folder.spawn(line);
    std::thread::sleep(at);
    signal(name, child.id());
    ended(line, child)
}

/// Records that go to seven partitions in turn.
fn partitioned(records: usize) -> Folder {
    let mut text = HEADER.trim_end().to_string() + ",disposition,lastapp\n";
    for at in 0..records {
        let disposition = ["ANSWERED", "BUSY", "NO ANSWER", "FAILED"][at % 4];
        let context = if at % 3 == 0 { "in" } else { "out" };
        text += &format!("{},{disposition},{context}\n", record(at).trim_end());
    }
    Folder::of(&[("dump.csv", &text)])
}

#[test]
fn killed_at_any_moment_a_new_dataset_is_absent_or_whole() {
    let folder = partitioned(100_000);
    let took = took(&folder, PARTITIONED, 0);
    let whole = tree(&folder.at("ds"));
    assert_eq!(whole.len(), 9);
    fs::remove_dir_all(folder.at("ds")).unwrap();
    let (mut random, mut killed) = (Random(23), 0);
    for round in 0..50 {
        let run = struck(&folder, PARTITIONED, "KILL", took.mul_f64(random.share()));
        killed += usize::from(run.code == 137);
        let found = tree(&folder.at("ds"));
        assert!(found.is_empty() || found == whole, "a part is published in round {round}");
        // What is left is removed by the next; every fifth says so, for the others it goes on.
        if round % 5 == 0 {
            folder.run(&format!("{PARTITIONED} --overwrite")).exits(0);
            assert!(tree(&folder.at("ds")) == whole, "after a kill it is not the same in round {round}");
            assert_eq!(folder.names(), ["ds", "dump.csv"]);
        }
        let _ = fs::remove_dir_all(folder.at("ds"));
    }
    assert!(killed > 10, "{killed} of 50 were killed");
}

#[test]
fn killed_at_any_moment_an_old_dataset_stays_or_the_new_one_is_whole() {
    let folder = partitioned(100_000);
    let took = took(&folder, PARTITIONED, 0);
    let whole = tree(&folder.at("ds"));
    fs::remove_dir_all(folder.at("ds")).unwrap();
    folder.run("convert dump.csv -o ds --max-file-rows 60000 --columns src").exits(0);
    fs::rename(folder.at("ds"), folder.at("kept")).unwrap();
    let old = tree(&folder.at("kept"));
    let mut random = Random(29);
    for round in 0..20 {
        let _ = fs::remove_dir_all(folder.at("ds"));
        folder.shell("cp -r kept ds").exits(0);
        struck(&folder, &format!("{PARTITIONED} --overwrite"), "KILL", took.mul_f64(0.2 + random.share()));
        let found = tree(&folder.at("ds"));
        assert!(found == old || found == whole, "neither old nor new in round {round}");
    }
    folder.run(&format!("{PARTITIONED} --overwrite")).exits(0);
    assert_eq!(folder.names(), ["ds", "dump.csv", "kept"]);
}

#[test]
fn asked_to_end_a_run_leaves_no_dataset() {
    let folder = partitioned(100_000);
    let took = took(&folder, PARTITIONED, 0);
    fs::remove_dir_all(folder.at("ds")).unwrap();
    let mut random = Random(31);
    for round in 0..10 {
        let (name, code) = [("INT", 130), ("TERM", 143)][round % 2];
        let run = struck(&folder, PARTITIONED, name, took.mul_f64(random.share()));
        if run.code != 0 {
            run.exits(code);
            assert_eq!(folder.names(), ["dump.csv"], "round {round}");
        }
        let _ = fs::remove_dir_all(folder.at("ds"));
    }
}

/// Small dumps, of which one in a hundred has a reject: two steps and a bit.
fn small_dumps() -> Folder {
    let folder = Folder::new();
    fs::create_dir(folder.at("in")).unwrap();
    for number in 0..2050 {
        let bad = if number % 100 == 7 { "x,1\n" } else { "" };
        fs::write(folder.at(&format!("in/{number:04}.csv")), format!("{HEADER}{}{bad}", record(number)))
            .unwrap();
    }
    folder
}

#[test]
fn killed_at_any_moment_what_is_added_goes_on_to_the_same_bytes() {
    let folder = small_dumps();
    let took = took(&folder, ADDED, 4);
    let (whole, rejects) = (tree(&folder.at("ds")), folder.read("ds.rejects.jsonl"));
    let (mut random, mut killed, mut half_done) = (Random(37), 0, 0);
    for round in 0..50 {
        let _ = fs::remove_dir_all(folder.at("ds"));
        let _ = fs::remove_file(folder.at("ds.rejects.jsonl"));
        let run = struck(&folder, ADDED, "KILL", took.mul_f64(random.share()));
        killed += usize::from(run.code == 137);
        let found = tree(&folder.at("ds"));
        half_done += usize::from(found.keys().any(|name| name == "part-00000.parquet"));
        let was_done = found == whole;
        folder.run(ADDED).exits(if was_done { 0 } else { 4 });
        assert!(tree(&folder.at("ds")) == whole, "after a kill it is not the same in round {round}");
        assert!(folder.read("ds.rejects.jsonl") == rejects, "rejects are lost or doubled in round {round}");
        assert_eq!(folder.names(), ["ds", "ds.rejects.jsonl", "in"]);
    }
    assert!(killed > 10 && half_done > 5, "{killed} killed, {half_done} half done, of 50");
}

/// Every call of that kind in turn, until none is left to be hit.
fn each(
    folder: &Folder,
    call: &str,
    fault: &str,
    line: &str,
    mut check: impl FnMut(crate::Run, &str),
) -> usize {
    for at in 1.. {
        let what = format!("{call}:{fault}:when={at}");
        let traced = format!("strace -f -qq -o trace -e trace={call} -e inject={what} -- \"$P\" {line}");
        let run = folder.shell(&traced);
        let trace = String::from_utf8_lossy(&folder.read("trace")).into_owned();
        fs::remove_file(folder.at("trace")).unwrap();
        let has_come = trace.contains("(INJECTED)") || trace.contains("+++ killed by SIGKILL");
        check(run, &what);
        if !has_come {
            return at - 1;
        }
    }
    0
}

#[test]
fn a_crash_or_an_error_at_each_single_call_costs_no_row_of_a_dataset() {
    if !can("strace -f -qq -o /dev/null -e trace=fsync -e inject=fsync:error=EIO:when=1 true") {
        return;
    }
    let new = HEADER.to_string() + &(100..3000).map(record).collect::<String>();
    let folder = Folder::of(&[("old.csv", &dump(10)), ("new.csv", &new), ("bad.csv", &broken(20))]);
    let add =
        "convert old.csv new.csv bad.csv -o ds --append --partition-by year --columns src,start --threads 1";
    folder.run("convert old.csv -o ds --append --partition-by year --columns src,start").exits(0);
    fs::rename(folder.at("ds"), folder.at("kept")).unwrap();
    let fresh = || {
        let _ = fs::remove_dir_all(folder.at("ds"));
        let _ = fs::remove_file(folder.at("ds.rejects.jsonl"));
        folder.shell("cp -r kept ds").exits(0);
    };
    fresh();
    folder.run(add).exits(4);
    let (whole, rejects) = (tree(&folder.at("ds")), folder.read("ds.rejects.jsonl"));
    let faults = [
        ("write", "signal=KILL"),
        ("fsync", "signal=KILL"),
        ("rename", "signal=KILL"),
        ("mkdir", "signal=KILL"),
        ("write", "error=ENOSPC"),
        ("fsync", "error=EIO"),
        ("rename", "error=EACCES"),
        ("mkdir", "error=ENOSPC"),
        ("syncfs", "signal=KILL"),
        ("syncfs", "error=EIO"),
    ];
    for (call, fault) in faults {
        fresh();
        let hit = each(&folder, call, fault, add, |run, what| {
            let was_done = tree(&folder.at("ds")) == whole;
            if fault.starts_with("error") && run.code == 1 {
                run.says(&["error: "]);
            }
            let again = folder.run(add);
            assert!(
                again.code == 4 || was_done && again.code == 0,
                "{what}: {} {}",
                again.code,
                again.stderr
            );
            assert!(tree(&folder.at("ds")) == whole, "after it the dataset is not the same: {what}");
            assert!(folder.read("ds.rejects.jsonl") == rejects, "rejects are lost or doubled: {what}");
            assert_eq!(
                folder.names(),
                ["bad.csv", "ds", "ds.rejects.jsonl", "kept", "new.csv", "old.csv"],
                "{what}"
            );
            fresh();
        });
        assert!(hit >= 1, "{call} {fault}: {hit}");
    }
}
