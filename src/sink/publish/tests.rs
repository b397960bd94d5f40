//! What appears, what stays, who is refused: facts about one folder each.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::error::ErrorKind;

use super::place::stands_at;
use super::*;

/// A folder of its own; `at` names a file in it.
struct Dir(tempfile::TempDir);

fn dir() -> Dir {
    Dir(tempfile::tempdir().unwrap())
}

impl Dir {
    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn put(&self, name: &str, text: &str) -> PathBuf {
        fs::write(self.at(name), text).unwrap();
        self.at(name)
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(self.0.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

const TEMP: &str = ".out.calltable.tmp";

fn write(target: &Path, overwrite: bool, text: &str) -> Result<u64> {
    let mut staged = Staged::create(target, overwrite)?;
    staged.append(text.as_bytes())?;
    staged.publish()
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

#[track_caller]
fn refused(result: Result<impl std::fmt::Debug>, kind: ErrorKind, says: &str) {
    let error = result.unwrap_err();
    assert_eq!(error.kind(), kind, "{error}");
    assert!(error.to_string().contains(says), "{error}");
}

#[test]
fn the_name_appears_when_published() {
    let dir = dir();
    let mut staged = Staged::create(&dir.at("out"), false).unwrap();
    staged.append(b"abc").unwrap();
    assert_eq!(dir.names(), [TEMP]);
    assert_eq!(staged.publish().unwrap(), 3);
    assert_eq!(dir.names(), ["out"]);
    assert_eq!(read(&dir.at("out")), "abc");
}

#[test]
fn dropped_it_leaves_nothing() {
    let dir = dir();
    Staged::create(&dir.at("out"), false).unwrap().append(b"abc").unwrap();
    assert!(dir.names().is_empty());
}

#[test]
fn a_name_of_any_length_has_a_temporary_one_of_its_own() {
    let dir = dir();
    let names =
        [("a".repeat(241), "x"), ("b".repeat(254), "x"), ("b".repeat(254), "y"), ("é".repeat(127), "x")];
    let staged = names.each_ref().map(|(name, end)| {
        let mut staged = Staged::create(&dir.at(&format!("{name}{end}")), false).unwrap();
        staged.append(end.as_bytes()).unwrap();
        staged
    });
    let again = Staged::create(&dir.at(&format!("{}y", names[2].0)), false);
    refused(again, ErrorKind::Output, "another run is writing this output");
    let temps = dir.names();
    assert!(temps.iter().all(|name| name.starts_with('.') && name.ends_with(".calltable.tmp")), "{temps:?}");
    assert_eq!(temps.len(), 4, "{temps:?}");
    staged.into_iter().for_each(|staged| assert_eq!(staged.publish().unwrap(), 1));
    assert_eq!(read(&dir.at(&format!("{}y", names[2].0))), "y");
}

#[test]
fn a_name_without_a_folder_stands_in_the_current_one() {
    assert_eq!(folder_of(Path::new("out")), Path::new("."));
    let place = Place::of(Path::new("out"), false).unwrap();
    assert_eq!(place.temp, Path::new("./.out.calltable.tmp"));
}

#[test]
fn what_a_killed_run_left_is_taken_over() {
    let dir = dir();
    dir.put(TEMP, "half of a long output");
    assert_eq!(write(&dir.at("out"), false, "abc").unwrap(), 3);
    assert_eq!((dir.names(), read(&dir.at("out"))), (vec!["out".into()], "abc".into()));
}

#[test]
fn a_second_run_is_refused_and_leaves_the_first_alone() {
    let dir = dir();
    let mut first = Staged::create(&dir.at("out"), false).unwrap();
    let second = Staged::create(&dir.at("out"), true);
    refused(second, ErrorKind::Output, "out: another run is writing this output");
    first.append(b"first").unwrap();
    first.publish().unwrap();
    assert_eq!(read(&dir.at("out")), "first");
}

#[test]
fn after_a_run_the_next_one_may_write() {
    let dir = dir();
    for (text, overwrite) in [("first", false), ("second", true)] {
        write(&dir.at("out"), overwrite, text).unwrap();
        assert_eq!(read(&dir.at("out")), text);
    }
}

#[test]
fn of_many_at_once_one_owns_the_output() {
    let dir = dir();
    let (owners, runs) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let start = Barrier::new(4);
    let run = || {
        start.wait();
        while runs.load(Ordering::SeqCst) < 100 {
            let mut staged = match Staged::create(&dir.at("out"), true) {
                Ok(staged) => staged,
                Err(error) => {
                    assert!(error.message().starts_with("another run"), "{error}");
                    continue;
                }
            };
            assert_eq!(owners.fetch_add(1, Ordering::SeqCst), 0, "two runs own the output");
            staged.append(b"whole").unwrap();
            std::thread::yield_now();
            assert_eq!(owners.fetch_sub(1, Ordering::SeqCst), 1);
            match runs.fetch_add(1, Ordering::SeqCst) % 3 {
                // A killed run: the file stays, and its lock goes.
                0 => staged.place = None,
                1 => drop(staged),
                _ => assert_eq!(staged.publish().unwrap(), 5),
            }
        }
    };
    std::thread::scope(|scope| (0..4).for_each(|_| drop(scope.spawn(run))));
    assert_eq!(read(&dir.at("out")), "whole");
}

#[test]
fn a_lock_on_what_stands_elsewhere_is_no_claim() {
    let dir = dir();
    let file = File::open(dir.put(TEMP, "mine")).unwrap();
    assert!(stands_at(&file, &dir.at(TEMP)).unwrap());
    fs::rename(dir.at(TEMP), dir.at("out")).unwrap();
    assert!(!stands_at(&file, &dir.at(TEMP)).unwrap());
    symlink("out", dir.at(TEMP)).unwrap();
    assert!(!stands_at(&file, &dir.at(TEMP)).unwrap());
    fs::remove_file(dir.at(TEMP)).unwrap();
    dir.put(TEMP, "another's");
    assert!(!stands_at(&file, &dir.at(TEMP)).unwrap());
}

#[test]
fn an_existing_target_needs_overwrite() {
    let dir = dir();
    let out = dir.put("out", "old");
    refused(write(&out, false, "new"), ErrorKind::Usage, "out: exists already");
    assert_eq!((dir.names(), read(&out)), (vec!["out".into()], "old".into()));
    write(&out, true, "new").unwrap();
    assert_eq!(read(&out), "new");
}

#[test]
fn a_target_that_appears_meanwhile_is_not_replaced() {
    let dir = dir();
    let staged = Staged::create(&dir.at("out"), false).unwrap();
    let out = dir.put("out", "theirs");
    refused(staged.publish(), ErrorKind::Output, "out: was put there by something else meanwhile");
    assert_eq!((dir.names(), read(&out)), (vec!["out".into()], "theirs".into()));
}

#[test]
fn a_folder_is_no_target() {
    let dir = dir();
    fs::create_dir(dir.at("folder")).unwrap();
    refused(write(&dir.at("folder"), true, ""), ErrorKind::Usage, "folder: is a folder");
    refused(write(&dir.at("out/"), true, ""), ErrorKind::Usage, "out/: is a folder");
    refused(write(Path::new(""), true, ""), ErrorKind::Usage, "names no file");
}

#[test]
fn a_missing_folder_is_named() {
    let dir = dir();
    refused(write(&dir.at("no/out"), false, ""), ErrorKind::Usage, "/no: there is no such folder");
    dir.put("file", "");
    refused(write(&dir.at("file/out"), false, ""), ErrorKind::Usage, "/file: there is no such folder");
}

#[test]
fn a_link_stays_and_its_end_is_replaced() {
    let dir = dir();
    fs::create_dir(dir.at("far")).unwrap();
    dir.put("far/end", "old");
    symlink("far/middle", dir.at("out")).unwrap();
    symlink("end", dir.at("far/middle")).unwrap();
    refused(write(&dir.at("out"), false, "new"), ErrorKind::Usage, "out: exists already");
    write(&dir.at("out"), true, "new").unwrap();
    assert_eq!(fs::read_link(dir.at("out")).unwrap(), Path::new("far/middle"));
    assert_eq!((read(&dir.at("far/end")), dir.names()), ("new".into(), vec!["far".into(), "out".into()]));
}

#[test]
fn a_link_to_nothing_gets_its_end() {
    let dir = dir();
    symlink("end", dir.at("out")).unwrap();
    write(&dir.at("out"), false, "new").unwrap();
    assert_eq!((dir.names(), read(&dir.at("end"))), (vec!["end".into(), "out".into()], "new".into()));
}

#[test]
fn a_circle_of_links_is_refused() {
    let dir = dir();
    symlink("out", dir.at("out")).unwrap();
    refused(write(&dir.at("out"), true, ""), ErrorKind::Output, "out: Too many levels of symbolic links");
}

#[test]
fn a_link_in_the_temporary_files_place_is_not_followed() {
    let dir = dir();
    let precious = dir.put("precious", "text");
    symlink(&precious, dir.at(TEMP)).unwrap();
    refused(write(&dir.at("out"), false, "new"), ErrorKind::Output, "is in the way, and no file");
    assert_eq!(read(&precious), "text");
}

#[test]
fn a_new_file_has_the_permissions_of_any() {
    let dir = dir();
    write(&dir.at("out"), false, "").unwrap();
    assert_eq!(mode(&dir.at("out")), mode(&dir.put("any", "")));
}

#[test]
fn a_replaced_file_passes_its_permissions_on() {
    let dir = dir();
    let out = dir.put("out", "private");
    fs::set_permissions(&out, fs::Permissions::from_mode(0o600)).unwrap();
    let staged = Staged::create(&out, true).unwrap();
    assert_eq!(mode(&dir.at(TEMP)), 0o600);
    staged.publish().unwrap();
    assert_eq!(mode(&out), 0o600);
}

#[test]
fn devices_are_written_directly() {
    assert_eq!(write(Path::new("/dev/null"), false, "abc").unwrap(), 3);
    assert!(!Path::new("/dev/.null.calltable.tmp").exists());
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_told_in_the_systems_words() {
    refused(
        write(Path::new("/dev/full"), false, "abc"),
        ErrorKind::Output,
        "/dev/full: No space left on device",
    );
    let big = "x".repeat(BUFFER + 1);
    refused(
        write(Path::new("/dev/full"), false, &big),
        ErrorKind::Output,
        "/dev/full: No space left on device",
    );
}

#[test]
fn a_pipe_is_written_directly() {
    let dir = dir();
    let pipe = dir.at("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let reader = std::thread::spawn({
        let pipe = pipe.clone();
        move || read(&pipe)
    });
    assert_eq!(write(&pipe, false, "abc").unwrap(), 3);
    assert_eq!((reader.join().unwrap(), dir.names()), ("abc".into(), vec!["pipe".into()]));
}

#[test]
fn what_goes_to_the_disk_early_leaves_the_place_and_the_text_alone() {
    let dir = dir();
    let out = dir.at("out");
    let block = vec![b'x'; 1 << 20];
    for turn in 0..2 {
        let mut staged = Staged::create(&out, true).unwrap();
        (0..100).for_each(|_| staged.append(&block).unwrap());
        staged.append(&[b'0' + turn]).unwrap();
        assert_eq!(staged.publish().unwrap(), (100 << 20) + 1);
        let text = fs::read(&out).unwrap();
        assert_eq!((text.len(), text.last()), ((100 << 20) + 1, Some(&(b'0' + turn))));
    }
    // One that is given up while the disk is waited for.
    let mut staged = Staged::create(&dir.at("other"), true).unwrap();
    (0..100).for_each(|_| staged.append(&block).unwrap());
    drop(staged);
    assert_eq!(dir.names(), ["out"]);
}
