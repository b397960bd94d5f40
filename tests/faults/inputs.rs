//! Inputs that cannot be read, that go away, or that are others when they are opened.

use std::fs;
use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::{Folder, Run, as_nobody, dump, ended, record, signal};

/// The rows of a CSV output.
fn rows(folder: &Folder, name: &str) -> usize {
    folder.lines(name) - 1
}

#[test]
fn an_input_that_may_not_be_read() {
    let Some(nobody) = as_nobody() else { return };
    let folder = Folder::of(&[("a.csv", &dump(3)), ("b.csv", &dump(5))]);
    fs::create_dir(folder.at("deep")).unwrap();
    folder.shell("chmod 777 . && chmod 000 a.csv deep && chmod a+r b.csv").exits(0);
    let run = folder.shell(&format!("{nobody} \"$P\" convert a.csv deep b.csv -o out.csv"));
    run.exits(4).says(&[
        "error: a.csv: cannot be opened: Permission denied",
        "error: deep: is a folder that cannot be read: Permission denied",
    ]);
    assert_eq!(rows(&folder, "out.csv"), 5);
    let run = folder.shell(&format!("{nobody} \"$P\" convert a.csv -o none.csv"));
    run.exits(1).says(&["error: a.csv: cannot be opened: Permission denied", "nothing is published"]);
    assert!(!folder.at("none.csv").exists());
}

#[test]
fn what_is_not_there_is_told_before_anything_is_read() {
    let folder = Folder::of(&[("a.csv", &dump(3))]);
    std::os::unix::fs::symlink("nowhere", folder.at("link.csv")).unwrap();
    for name in ["none.csv", "link.csv", "none*.csv", "none/a.csv", "a.csv/b"] {
        folder.run(&format!("convert a.csv {name} -o out.csv")).exits(2).says(&["error: ", name]);
    }
    assert_eq!(folder.names(), ["a.csv", "link.csv"]);
}

/// Converts the pipe and `b.csv`, which changes so after it was found.
#[cfg(target_os = "linux")]
fn changed(before: &str, change: impl FnOnce(&Folder)) -> (Folder, Run) {
    let folder = Folder::of(&[("b.csv", before)]);
    let run = folder.run_meanwhile("convert pipe b.csv -o out.csv --timezone UTC", || change(&folder));
    (folder, run)
}

#[cfg(target_os = "linux")]
#[test]
fn an_input_that_goes_away_after_it_was_found() {
    let (folder, run) = changed(&dump(3), |folder| fs::remove_file(folder.at("b.csv")).unwrap());
    run.exits(4).says(&["error: b.csv: cannot be opened: No such file or directory"]);
    assert_eq!(rows(&folder, "out.csv"), 1);
}

#[cfg(target_os = "linux")]
#[test]
fn an_input_that_becomes_a_folder() {
    let (folder, run) = changed(&dump(3), |folder| {
        fs::remove_file(folder.at("b.csv")).unwrap();
        fs::create_dir(folder.at("b.csv")).unwrap();
    });
    run.exits(4).says(&["error: b.csv: is a folder, not a file"]);
    assert_eq!(rows(&folder, "out.csv"), 1);
}

#[cfg(target_os = "linux")]
#[test]
fn an_input_that_is_replaced_is_read_as_it_is_then() {
    let (folder, run) = changed(&dump(3), |folder| {
        fs::write(folder.at("c.csv"), dump(9)).unwrap();
        fs::rename(folder.at("c.csv"), folder.at("b.csv")).unwrap();
    });
    run.exits(0);
    assert_eq!(rows(&folder, "out.csv"), 1 + 9);
}

#[cfg(target_os = "linux")]
#[test]
fn an_input_that_grew_and_one_that_shrank() {
    let (folder, run) = changed(&dump(3), |folder| {
        let mut file = fs::OpenOptions::new().append(true).open(folder.at("b.csv")).unwrap();
        file.write_all(record(4).as_bytes()).unwrap();
    });
    run.exits(0);
    assert_eq!(rows(&folder, "out.csv"), 1 + 4);
    let (folder, run) = changed(&dump(3), |folder| {
        let file = fs::OpenOptions::new().write(true).open(folder.at("b.csv")).unwrap();
        file.set_len(dump(2).len() as u64 + 7).unwrap();
    });
    run.exits(4).says(&["rejected: 1 record"]);
    assert_eq!(rows(&folder, "out.csv"), 1 + 2);
}

/// A log that is written to while it is read: what is there is read, and it ends.
#[test]
fn an_input_that_grows_while_it_is_read() {
    let folder = Folder::of(&[("a.csv", &dump(200_000))]);
    let grows = AtomicBool::new(true);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut file = fs::OpenOptions::new().append(true).open(folder.at("a.csv")).unwrap();
            while grows.load(Ordering::Relaxed) {
                file.write_all(record(1).as_bytes()).unwrap();
                std::thread::sleep(std::time::Duration::from_micros(200));
            }
        });
        let run = folder.run("convert a.csv -o out.csv --columns src");
        grows.store(false, Ordering::Relaxed);
        run.exits(0);
    });
    assert!((200_000..=folder.lines("a.csv") - 1).contains(&rows(&folder, "out.csv")));
}

#[test]
fn a_pipe_without_a_writer_is_waited_for_and_ends_by_a_signal() {
    let folder = Folder::of(&[("a.csv", &dump(3))]);
    folder.mkfifo("pipe");
    let child = folder.spawn("convert a.csv pipe -o out.csv");
    std::thread::sleep(std::time::Duration::from_millis(300));
    signal("TERM", child.id());
    ended("convert", child).exits(143).says(&["stopped by SIGTERM"]);
    assert_eq!(folder.names(), ["a.csv", "pipe"]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_file_that_gives_an_error_at_its_first_byte() {
    let folder = Folder::of(&[("a.csv", &dump(3))]);
    let run = folder.run("convert /proc/self/mem a.csv -o out.csv");
    run.exits(4).says(&["error: /proc/self/mem: cannot be read: Input/output error"]);
    assert_eq!(rows(&folder, "out.csv"), 3);
}

#[test]
fn one_broken_input_among_a_thousand() {
    let folder = Folder::new();
    fs::create_dir(folder.at("dumps")).unwrap();
    for at in 0..1000 {
        fs::write(folder.at(&format!("dumps/{at:03}.csv")), dump(3)).unwrap();
    }
    fs::write(folder.at("dumps/500.csv"), b"\x1f\x8b\x08\0broken").unwrap();
    let run = folder.run("convert dumps -o out.csv").exits(4);
    let run = run.says(&["error: dumps/500.csv: ", "failed: 1 of 1,000 inputs"]);
    assert_eq!(run.stderr.matches("error: ").count(), 1, "{}", run.stderr);
    assert_eq!(rows(&folder, "out.csv"), 999 * 3);
}
