//! Places that an output cannot go to, or that change while it is written.

use std::fs;

use crate::{Folder, as_nobody, can, dump, ended, wait_until};

#[test]
fn an_output_that_is_there_needs_overwrite() {
    let folder = Folder::of(&[("dump.csv", &dump(3)), ("out.csv", "old")]);
    folder
        .run("convert dump.csv -o out.csv")
        .exits(2)
        .says(&["error: out.csv: exists already", "--overwrite"]);
    assert_eq!(
        (folder.names(), folder.read("out.csv")),
        (vec!["dump.csv".into(), "out.csv".into()], b"old".to_vec())
    );
    folder.run("convert dump.csv -o out.csv --overwrite").exits(0);
    assert_eq!(folder.lines("out.csv"), 4);
}

#[test]
fn a_folder_that_is_not_there() {
    let folder = Folder::of(&[("dump.csv", &dump(3))]);
    for line in ["-o no/out.csv", "-o out.csv --rejects no/r", "-o out.csv --report-file no/r"] {
        folder.run(&format!("convert dump.csv {line}")).exits(2).says(&[
            "error: ",
            " no/",
            ": there is no such folder",
        ]);
    }
    assert_eq!(folder.names(), ["dump.csv"]);
}

#[test]
fn a_folder_that_may_not_be_written() {
    let folder = Folder::of(&[("dump.csv", &dump(3))]);
    fs::create_dir(folder.at("out")).unwrap();
    if let Some(nobody) = as_nobody() {
        folder.shell("chmod a+rx . && chmod a+r dump.csv && chmod 555 out").exits(0);
        let run = folder.shell(&format!("{nobody} \"$P\" convert dump.csv -o out/out.csv"));
        run.exits(1).says(&["error: out/out.csv: Permission denied"]);
    }
    if can("unshare -rm mount -t tmpfs -o ro none /mnt") {
        let run = folder.shell("unshare -rm sh -c 'mount -t tmpfs -o ro none out && exec \"$P\" convert dump.csv -o out/out.csv'");
        run.exits(1).says(&["error: out/out.csv: Read-only file system"]);
    }
    #[cfg(target_os = "linux")]
    folder.run("convert dump.csv -o /proc/out.csv --rejects r").exits(1).says(&["error: /proc/out.csv: "]);
    assert_eq!(folder.names(), ["dump.csv", "out"]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_folder_that_goes_away_meanwhile() {
    let folder = Folder::new();
    fs::create_dir(folder.at("out")).unwrap();
    let run =
        folder.run_meanwhile("convert pipe -o out/out.csv", || fs::remove_dir_all(folder.at("out")).unwrap());
    run.exits(1).says(&["error: out/out.csv: No such file or directory", "nothing is published"]);
    assert!(folder.names().is_empty());
}

#[cfg(target_os = "linux")]
#[test]
fn an_output_that_something_else_puts_there_meanwhile_stays() {
    let folder = Folder::new();
    let run = folder
        .run_meanwhile("convert pipe -o out.csv", || fs::write(folder.at("out.csv"), "theirs").unwrap());
    run.exits(1).says(&["error: out.csv: was put there by something else meanwhile"]);
    assert_eq!((folder.names(), folder.read("out.csv")), (vec!["out.csv".into()], b"theirs".to_vec()));
}

#[test]
fn of_two_runs_at_once_the_second_is_refused() {
    let folder = Folder::of(&[("dump.csv", &dump(3))]);
    let pipe = folder.mkfifo("pipe");
    let first = folder.spawn("convert pipe -o out.csv");
    wait_until("the first has begun", || folder.names().iter().any(|name| name.ends_with(".tmp")));
    let second = folder.run("convert dump.csv -o out.csv --overwrite");
    second.exits(1).says(&["error: out.csv: another run is writing this output"]);
    fs::write(pipe, dump(7)).unwrap();
    ended("the first", first).exits(0);
    assert_eq!(
        (folder.names(), folder.lines("out.csv")),
        (vec!["dump.csv".into(), "out.csv".into(), "pipe".into()], 8)
    );
}
