//! Limits of the system, and those that are promised: memory, open files, threads.

use std::fs;

use serde_json::Value;

use crate::{Folder, HEADER, as_nobody, broken, can, dump};

/// What is promised by default, of a process in all.
const MEMORY: u64 = 256 << 20;

fn report(folder: &Folder) -> Value {
    serde_json::from_slice(&folder.read("report.json")).unwrap()
}

#[track_caller]
fn keeps_to_its_memory(folder: &Folder) {
    let peak = report(folder)["peak_memory_bytes"].as_u64().unwrap();
    assert!(peak <= MEMORY, "{peak} bytes");
}

#[test]
fn memory_does_not_grow_with_the_input() {
    let folder = Folder::new();
    let mut text = HEADER.replace('\n', ",userfield,uniqueid\n");
    for at in 0..800_000u64 {
        let (a, b) = (at.wrapping_mul(0x9E37_79B9_7F4A_7C15), at.wrapping_mul(0xD134_2543_DE82_EF95));
        text.push_str(&format!(
            "{at},{},{},2024-05-17 12:34:56,64,text-{a:x}-{b:x},1715949296.{at}\n",
            a >> 30,
            b >> 30
        ));
    }
    fs::write(folder.at("a.csv"), text).unwrap();
    assert!(fs::metadata(folder.at("a.csv")).unwrap().len() > 80_000_000);
    folder.run("convert a.csv -o out.parquet --report-file report.json").exits(0);
    keeps_to_its_memory(&folder);
}

#[test]
fn a_flood_of_rejects_takes_no_memory() {
    let folder = Folder::of(&[("a.csv", &broken(1_000_000))]);
    folder.run("convert a.csv -o out.parquet --report-file report.json").exits(4);
    keeps_to_its_memory(&folder);
    assert_eq!(report(&folder)["totals"]["rejected"], 1_000_000);
    assert_eq!(folder.lines("out.parquet.rejects.jsonl"), 1_000_000);
}

#[test]
fn a_thousand_inputs_with_forty_open_files() {
    let folder = Folder::of(&[("a.csv", &dump(3))]);
    fs::create_dir(folder.at("dumps")).unwrap();
    folder.shell("gzip -k a.csv; for at in $(seq 500); do cp a.csv dumps/$at.csv; cp a.csv.gz dumps/$at.csv.gz; done").exits(0);
    folder.shell("ulimit -n 40; exec \"$P\" convert dumps -o out.csv").exits(0);
    assert_eq!(folder.lines("out.csv"), 1 + 3 * 1000);
    folder.shell("ulimit -n 40; exec \"$P\" query 'cdrapi?format=json' dumps").exits(0);
}

/// With too few files to be opened it fails by name, whatever it cannot open.
#[test]
fn hardly_any_open_files() {
    let folder = Folder::of(&[("a.csv", &dump(3))]);
    for files in 3..16 {
        let run = folder.shell(&format!("ulimit -n {files}; exec \"$P\" convert a.csv -o out.csv"));
        match run.code {
            0 => assert_eq!(folder.lines("out.csv"), 4),
            // The system's loader, which may open nothing either.
            127 => {}
            _ => drop(run.exits(1).says(&["error: "])),
        }
        let is_there = folder.at("out.csv").exists();
        assert_eq!(folder.names().len(), 1 + usize::from(is_there), "{:?}", folder.names());
        let _ = fs::remove_file(folder.at("out.csv"));
    }
}

/// Fewer threads than are asked for are enough; without any there is an error, and no output.
#[test]
fn hardly_any_threads() {
    let Some(nobody) = as_nobody().filter(|words| !words.is_empty()) else {
        eprintln!("skipped: the number of threads can be limited only for a user of its own");
        return;
    };
    let folder = Folder::of(&[("a.csv", &dump(3000))]);
    folder.shell("gzip -k a.csv && chmod 777 . && chmod a+r *").exits(0);
    if !can(&format!("{nobody} sh -c 'ulimit -u 1'")) {
        return;
    }
    let mut ended_well = 0;
    for threads in 1..9 {
        for name in ["a.csv", "a.csv.gz"] {
            let words = format!("ulimit -u {threads}; exec \"$P\" convert {name} -o out.csv --threads 4");
            let run = folder.shell(&format!("{nobody} sh -c '{words}'"));
            match run.code {
                0 => assert_eq!(folder.lines("out.csv"), 3001),
                2 => drop(run.exits(2).says(&["error: no thread can be started"])),
                _ => drop(run.exits(1).says(&["error: a.csv.gz: no thread to unpack it"])),
            }
            let is_there = folder.at("out.csv").exists();
            assert_eq!(folder.names().len(), 2 + usize::from(is_there), "{:?}", folder.names());
            ended_well += usize::from(is_there);
            let _ = fs::remove_file(folder.at("out.csv"));
        }
    }
    assert!(ended_well > 2, "{ended_well}");
}
