//! What surrounds a run and must not change what it gives: zone, language, and names that nobody would choose.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use crate::{Folder, PROGRAM, Run, dump, ended};

#[test]
fn neither_zone_nor_language_of_the_machine_changes_a_byte() {
    let folder = Folder::of(&[("a.csv", &dump(1000))]);
    folder.shell("\"$P\" convert a.csv -o plain.parquet").exits(0);
    for (at, words) in [
        "TZ=Asia/Kathmandu",
        "TZ=:/no/such/zone",
        "LC_ALL=tr_TR.UTF-8 LANG=tr_TR.UTF-8",
        "LC_ALL=C",
        "HOME=/no/such/folder TMPDIR=/no/such/folder",
        "-i",
    ]
    .iter()
    .enumerate()
    {
        let line = format!(
            "env {words} \"$P\" convert a.csv -o {at}.parquet --timezone America/Chicago --overwrite"
        );
        folder.shell(&line).exits(0);
        assert!(folder.read("0.parquet") == folder.read(&format!("{at}.parquet")), "{words}");
        folder.shell(&format!("env {words} \"$P\" convert a.csv -o {at}.parquet --overwrite")).exits(0);
        assert!(folder.read("plain.parquet") == folder.read(&format!("{at}.parquet")), "{words}");
        folder.shell(&line).exits(0);
    }
}

fn run(folder: &Folder, words: &[&OsStr]) -> Run {
    ended("words", folder.command(PROGRAM, words).spawn().unwrap())
}

#[test]
fn names_that_nobody_would_choose() {
    let long = |end: &str| format!("{}{end}", "n".repeat(255 - end.len()));
    let names: Vec<OsString> = vec![
        OsString::from_vec(b"not-\xff-utf8.csv".to_vec()),
        "two\nlines.csv".into(),
        "\u{1b}[31mred.csv".into(),
        " .csv".into(),
        "-dash.csv".into(),
        long(".csv").into(),
    ];
    for name in &names {
        let folder = Folder::new();
        fs::create_dir(folder.at("in")).unwrap();
        let input = folder.path().join("in").join(name);
        fs::write(&input, dump(3)).unwrap();
        let mut output = OsString::from("-o");
        output.push(name);
        let words = |command: &'static str| [OsStr::new(command), OsStr::new("in")];
        let rejects = ["--rejects", "r", "--columns", "src"].map(OsStr::new);
        let converted = run(&folder, &[&words("convert")[..], &[&*output], &rejects].concat()).exits(0);
        assert!(!converted.stderr.contains('\u{1b}'), "{:?}", converted.stderr);
        assert_eq!(converted.stderr.lines().count(), 1, "{}", converted.stderr);
        let written = fs::read(folder.path().join(name)).unwrap();
        assert_eq!(written.iter().filter(|byte| **byte == b'\n').count(), 4, "{name:?}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "{name:?}");
        // By its name, and as it is named where it is broken.
        fs::write(&input, b"\x1f\x8b\x08\0broken").unwrap();
        let failed = run(&folder, &[OsStr::new("inspect"), input.as_os_str()]).exits(1);
        assert!(!failed.stderr.contains('\u{1b}'), "{:?}", failed.stderr);
        assert_eq!(failed.stderr.lines().count(), 1, "{}", failed.stderr);
    }
    let shown = names.iter().map(|name| name.as_bytes().len()).max();
    assert_eq!(shown, Some(255));
}

#[test]
fn a_name_that_is_not_utf8_is_shown_by_its_bytes() {
    let folder = Folder::new();
    fs::write(folder.path().join(OsStr::from_bytes(b"\xff.csv")), "no dump\n").unwrap();
    run(&folder, &[OsStr::new("inspect"), OsStr::from_bytes(b"\xff.csv")])
        .exits(1)
        .says(&["error: \\xFF.csv: "]);
}
