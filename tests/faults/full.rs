//! No room: devices that are full, files that may not grow, a small disk. What cannot be written is an error, and a
//! reject that is lost is a record that is lost.

use crate::{Folder, Run, broken, can, dump};

const NO_SPACE: &str = "No space left on device";

/// Nothing is published: of the folder's files only these are left.
#[track_caller]
fn fails(folder: &Folder, run: Run, left: &[&str], says: &[&str]) {
    run.exits(1).says(says).says(&["nothing is published"]);
    assert_eq!(folder.names(), left);
}

#[test]
fn a_full_device_in_place_of_each_output() {
    let folder = Folder::of(&[("bad.csv", &(broken(3) + "9,1,2,2024-05-17 12:00:00,1\n"))]);
    for to in ["parquet", "arrow", "arrows", "csv", "jsonl"] {
        let run = folder.run(&format!("convert bad.csv -o /dev/full --to {to} --rejects r"));
        run.exits(1).says(&["error: /dev/full: ", NO_SPACE, "nothing is published"]);
        // Rejects are published in every outcome.
        assert_eq!((folder.names(), folder.lines("r")), (vec!["bad.csv".into(), "r".into()], 3));
        std::fs::remove_file(folder.at("r")).unwrap();
    }
    let run = folder.run("convert bad.csv -o out.csv --rejects /dev/full");
    fails(&folder, run, &["bad.csv"], &["error: /dev/full: ", NO_SPACE]);
    let run = folder.run("convert bad.csv -o out.csv --rejects r --report-file /dev/full");
    fails(&folder, run, &["bad.csv", "r"], &["error: /dev/full: ", NO_SPACE]);
}

#[test]
fn a_full_device_in_place_of_standard_output() {
    let folder = Folder::of(&[("dump.csv", &dump(50_000))]);
    for line in [
        "convert dump.csv -o - --to csv",
        "convert dump.csv -o - --to parquet",
        "convert dump.csv -o out.csv --json",
        "query cdrapi?format=json dump.csv",
        "inspect dump.csv",
        "schema",
        "formats --json",
        "channel SIP/1-2",
        "man",
        "completions bash",
        "--help",
    ] {
        folder
            .shell(&format!("\"$P\" '{}' >/dev/full", line.replace(' ', "' '")))
            .exits(1)
            .says(&["standard output", NO_SPACE]);
    }
}

#[test]
fn a_file_that_may_not_grow_is_an_error() {
    let folder = Folder::of(&[("dump.csv", &dump(50_000)), ("bad.csv", &broken(50_000))]);
    for output in ["out.parquet", "out.arrow", "out.arrows", "out.csv", "out.jsonl"] {
        // Its unit is 512 bytes in some shells, and 1024 in others.
        let run = folder
            .shell(&format!("ulimit -f 100; exec \"$P\" convert dump.csv -o {output} --compression none"));
        fails(&folder, run, &["bad.csv", "dump.csv"], &[&format!("error: {output}: File too large")]);
    }
    let run = folder.shell("ulimit -f 100; exec \"$P\" convert bad.csv dump.csv -o out.parquet --rejects r");
    fails(&folder, run, &["bad.csv", "dump.csv"], &["error: r: File too large"]);
}

#[test]
fn a_small_disk_fills_up() {
    if !can("unshare -rm mount -t tmpfs -o size=64k none /mnt") {
        return;
    }
    let folder = Folder::of(&[("dump.csv", &dump(50_000)), ("bad.csv", &broken(5_000))]);
    folder.shell("mkdir disk").exits(0);
    let on_disk = |line: &str| {
        let words = "mount -t tmpfs -o size=64k none disk && cd disk";
        folder.shell(&format!("unshare -rm sh -c '{words}; \"$P\" {line}; code=$?; ls -A >&2; exit $code'"))
    };
    let run = on_disk("convert ../dump.csv -o out.csv").exits(1).says(&["error: out.csv: ", NO_SPACE]);
    assert!(!run.stderr.contains("\nout.csv\n") && !run.stderr.contains(".tmp\n"), "{}", run.stderr);
    let run = on_disk("convert ../bad.csv ../dump.csv -o ../out.csv --rejects r.jsonl");
    let run = run.exits(1).says(&["error: r.jsonl: ", NO_SPACE]);
    assert!(!run.stderr.contains("\nr.jsonl\n") && !run.stderr.contains(".tmp\n"), "{}", run.stderr);
    assert_eq!(folder.names(), ["bad.csv", "disk", "dump.csv"]);
}
