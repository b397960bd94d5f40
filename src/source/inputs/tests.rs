//! What arguments mean, each fact with real files in a folder of its own.

use super::*;
use crate::error::ErrorKind;
use tempfile::TempDir;

/// A folder with these files, each holding its own name; one that ends in `/` is a folder.
fn folder(files: &[&str]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for file in files {
        let path = folder.path().join(file);
        if file.ends_with('/') {
            fs::create_dir_all(path).unwrap();
        } else {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, file).unwrap();
        }
    }
    folder
}

/// The arguments, taken in that folder.
fn within(folder: &TempDir, arguments: &[&str]) -> Vec<String> {
    let full = |argument: &&str| match *argument {
        "-" | "" => argument.to_string(),
        _ => format!("{}/{argument}", folder.path().display()),
    };
    arguments.iter().map(full).collect()
}

fn expand_in(folder: &TempDir, arguments: &[&str], ours: &[&str]) -> Result<Inputs> {
    let ours: Vec<PathBuf> = within(folder, ours).into_iter().map(PathBuf::from).collect();
    expand(&within(folder, arguments), &ours)
}

/// Without the folder, `+` before what was named or matched.
fn read(folder: &TempDir, inputs: &Inputs) -> Vec<String> {
    let prefix = format!("{}/", folder.path().display());
    let below = |input: &Input| {
        let plus = if input.walked { "" } else { "+" };
        format!("{plus}{}", input.name.replace(&prefix, ""))
    };
    inputs.inputs.iter().map(below).collect()
}

fn skipped(folder: &TempDir, inputs: &Inputs) -> Vec<String> {
    let prefix = format!("{}/", folder.path().display());
    inputs.skipped.iter().map(|s| format!("{}: {}", s.source.replace(&prefix, ""), s.why)).collect()
}

fn check(files: &[&str], arguments: &[&str], expected: &[&str]) {
    let folder = folder(files);
    let inputs = expand_in(&folder, arguments, &[]).unwrap();
    assert_eq!(read(&folder, &inputs), expected, "{arguments:?}");
}

fn check_skipped(files: &[&str], arguments: &[&str], ours: &[&str], expected: &[&str]) {
    let folder = folder(files);
    let inputs = expand_in(&folder, arguments, ours).unwrap();
    assert_eq!(skipped(&folder, &inputs), expected, "{arguments:?}");
}

fn check_usage(files: &[&str], arguments: &[&str], message: &str) {
    let folder = folder(files);
    let error = expand_in(&folder, arguments, &[]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Usage);
    assert_eq!(error.to_string().replace(&format!("{}/", folder.path().display()), ""), message);
}

#[test]
fn files_stand_in_the_order_of_the_arguments() {
    check(&["b", "a", "c"], &["c", "a", "b"], &["+c", "+a", "+b"]);
}

#[test]
fn a_folder_is_walked_in_the_order_of_the_bytes_of_the_path() {
    check(&["d/b", "d/a/z", "d/a-b", "d/a.c", "d/B"], &["d"], &["d/B", "d/a-b", "d/a.c", "d/a/z", "d/b"]);
}

#[test]
fn a_folder_may_be_named_with_a_slash() {
    check(&["d/a"], &["d/"], &["d/a"]);
}

#[test]
fn a_pattern_matches_in_the_order_of_the_bytes_of_the_path() {
    check(&["b.csv", "B.csv", "a.csv", "a.txt"], &["*.csv"], &["+B.csv", "+a.csv", "+b.csv"]);
}

#[test]
fn a_matched_folder_is_walked() {
    check(&["d1/a", "d1/b", "d2/c", "d-x"], &["d*"], &["+d-x", "d1/a", "d1/b", "d2/c"]);
}

#[test]
fn a_file_whose_name_looks_like_a_pattern_is_that_file() {
    check(&["a[1].csv", "a1.csv"], &["a[1].csv"], &["+a[1].csv"]);
    check(&["a1.csv"], &["a[1].csv"], &["+a1.csv"]);
}

#[test]
fn standard_input_keeps_its_place() {
    check(&["a", "b"], &["b", "-", "a"], &["+b", "+-", "+a"]);
}

#[test]
fn a_file_reached_twice_is_read_once_where_it_came_first() {
    check(&["a", "b"], &["b", "a", "b"], &["+b", "+a"]);
    check(&["d/a", "d/b"], &["d/b", "d"], &["+d/b", "d/a"]);
    check(&["d/a"], &["d/a", "d/../d/a", "d/./a"], &["+d/a"]);
    check(&["d/a"], &["d", "d", "d*"], &["d/a"]);
}

#[test]
fn a_walked_file_that_is_also_named_counts_as_named() {
    check(&["d/a", "d/b"], &["d", "d/b"], &["d/a", "+d/b"]);
    check(&["d/a"], &["*", "*/a"], &["+d/a"]);
}

#[test]
fn hidden_files_and_folders_are_passed_over_in_a_walk() {
    let files = ["d/a", "d/.b", "d/.c/x", "d/.c/y"];
    check(&files, &["d"], &["d/a"]);
    check_skipped(&files, &["d"], &[], &["d/.b: hidden", "d/.c: hidden"]);
}

#[test]
fn hidden_names_that_are_named_are_read() {
    check(&[".b", ".c/x"], &[".b", ".c"], &["+.b", ".c/x"]);
}

#[test]
fn our_own_outputs_are_passed_over_in_a_walk() {
    let ours = ["d/a.parquet", "d/b.arrow", "d/c.arrows", "d/d.parquet.rejects.jsonl", "d/e/_manifest.json"];
    let expected = ours.map(|name| format!("{name}: an output of calltable, by its name"));
    let expected: Vec<&str> = expected.iter().map(|name| &**name).collect();
    let files = [&ours[..], &["d/calls.jsonl"]].concat();
    check(&files, &["d"], &["d/calls.jsonl"]);
    check_skipped(&files, &["d"], &[], &expected);
}

#[test]
fn our_own_outputs_are_read_where_they_are_named_or_matched() {
    check(&["a.rejects.jsonl"], &["a.rejects.jsonl"], &["+a.rejects.jsonl"]);
    check(&["a.rejects.jsonl"], &["*.jsonl"], &["+a.rejects.jsonl"]);
}

#[test]
fn what_one_argument_passes_over_and_another_names_is_not_skipped() {
    check_skipped(&["d/a", "d/b.rejects.jsonl"], &["d", "d/b.rejects.jsonl"], &[], &[]);
}

#[test]
fn what_two_arguments_pass_over_is_told_once() {
    check_skipped(&["d/a", "d/.b"], &["d", "d"], &[], &["d/.b: hidden"]);
}

#[test]
fn unfinished_outputs_are_passed_over() {
    let why = "d/.x.csv.7.calltable.tmp: an unfinished output of calltable";
    check_skipped(&["d/a", "d/.x.csv.7.calltable.tmp/part"], &["d"], &[], &[why]);
}

#[test]
fn what_this_run_writes_is_passed_over_in_a_walk() {
    let files = ["d/a.csv", "d/out.csv", "d/folder/part.csv", "d/folder/deep/part.csv"];
    let ours = ["d/out.csv", "d/folder", "d/not-yet.csv"];
    let expected = ["d/folder: written by this run", "d/out.csv: written by this run"];
    check_skipped(&files, &["d"], &ours, &expected);
    let folder = folder(&files);
    assert_eq!(read(&folder, &expand_in(&folder, &["d"], &ours).unwrap()), ["d/a.csv"]);
}

#[test]
fn a_folder_that_is_walked_and_written_into_is_walked() {
    let folder = folder(&["d/a.csv", "d/part-00000.parquet"]);
    assert_eq!(read(&folder, &expand_in(&folder, &["d"], &["d"]).unwrap()), ["d/a.csv"]);
}

#[test]
fn no_argument_is_wrong_usage() {
    check_usage(&[], &[], "no input is named");
    check_usage(&[], &[""], "an input's name is empty");
}

#[test]
fn standard_input_twice_is_wrong_usage() {
    check_usage(&["a"], &["-", "a", "-"], "standard input (-) is named twice");
}

#[test]
fn a_path_that_does_not_exist_is_wrong_usage() {
    check_usage(&["a"], &["a", "b"], "no such file or folder: b");
    check_usage(&["a"], &["a/b"], "no such file or folder: a/b");
}

#[test]
fn a_pattern_without_a_file_is_wrong_usage() {
    check_usage(&["a", "d/"], &["*.csv"], "the pattern *.csv matches no file");
    check_usage(&["a", "d/"], &["d*"], "the pattern d* matches no file");
    check_usage(&["d/.a"], &["d*"], "the pattern d* matches no file (passed over: d/.a, hidden)");
}

#[test]
fn a_malformed_pattern_is_wrong_usage() {
    let folder = folder(&[]);
    let error = expand_in(&folder, &["a**b"], &[]).unwrap_err().to_string();
    assert!(error.starts_with("no such file: ") && error.contains("a**b (and as a pattern: "), "{error}");
}

#[test]
fn a_folder_without_a_file_is_wrong_usage() {
    check_usage(&["d/e/f/"], &["d"], "the folder d has no file to read");
    let message = "the folder d has no file to read (passed over: d/.a, hidden; and 1 more)";
    check_usage(&["d/.b", "d/.a"], &["d"], message);
}

#[test]
fn a_folder_whose_files_were_all_reached_before_is_right() {
    check(&["d/a"], &["d/a", "d"], &["+d/a"]);
}

#[cfg(unix)]
mod unix {
    use super::*;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::symlink;

    #[test]
    fn links_in_a_folder_are_not_followed_and_are_told() {
        let folder = folder(&["d/a", "e/b"]);
        symlink(folder.path().join("e"), folder.path().join("d/to-folder")).unwrap();
        symlink(folder.path().join("e/b"), folder.path().join("d/to-file")).unwrap();
        symlink(folder.path().join("d"), folder.path().join("d/to-itself")).unwrap();
        let inputs = expand_in(&folder, &["d"], &[]).unwrap();
        assert_eq!(read(&folder, &inputs), ["d/a"]);
        let why = "a link, and links in folders are not followed";
        let expected = ["to-file", "to-folder", "to-itself"].map(|name| format!("d/{name}: {why}"));
        assert_eq!(skipped(&folder, &inputs), expected);
    }

    #[test]
    fn links_that_are_named_are_followed() {
        let folder = folder(&["d/a"]);
        symlink(folder.path().join("d"), folder.path().join("to-folder")).unwrap();
        symlink(folder.path().join("d/a"), folder.path().join("to-file")).unwrap();
        let inputs = expand_in(&folder, &["to-folder", "to-file", "d"], &[]).unwrap();
        assert_eq!(read(&folder, &inputs), ["+to-folder/a"]);
    }

    #[test]
    fn a_hard_link_is_the_same_file() {
        let folder = folder(&["a"]);
        fs::hard_link(folder.path().join("a"), folder.path().join("b")).unwrap();
        assert_eq!(read(&folder, &expand_in(&folder, &["a", "b"], &[]).unwrap()), ["+a"]);
    }

    #[test]
    fn a_broken_link_is_wrong_usage_and_told_as_such() {
        let folder = folder(&[]);
        symlink("nowhere", folder.path().join("a")).unwrap();
        let error = expand_in(&folder, &["a"], &[]).unwrap_err();
        assert!(error.to_string().ends_with("/a is a link to something that does not exist"), "{error}");
    }

    #[test]
    fn what_cannot_be_looked_at_is_an_input_that_fails_when_opened() {
        let folder = folder(&[]);
        symlink("round", folder.path().join("round")).unwrap();
        let inputs = expand_in(&folder, &["round"], &[]).unwrap();
        assert_eq!(read(&folder, &inputs), ["+round"]);
        let error = crate::source::open(&inputs.inputs[0]).unwrap_err();
        assert!(error.to_string().contains("/round: cannot be opened: "), "{error}");
    }

    #[test]
    fn a_folder_that_cannot_be_read_is_an_input_that_fails_when_opened() {
        use std::os::unix::fs::PermissionsExt;
        let folder = folder(&["d/a", "d/shut/b"]);
        let shut = folder.path().join("d/shut");
        fs::set_permissions(&shut, fs::Permissions::from_mode(0o000)).unwrap();
        if fs::read_dir(&shut).is_err() {
            // Not so for the superuser, who may read everything.
            let inputs = expand_in(&folder, &["d"], &[]).unwrap();
            assert_eq!(read(&folder, &inputs), ["d/a", "d/shut"]);
            let error = crate::source::open(&inputs.inputs[1]).unwrap_err();
            assert!(error.to_string().contains("/d/shut: is a folder that cannot be read: "), "{error}");
        }
        fs::set_permissions(&shut, fs::Permissions::from_mode(0o700)).unwrap();
    }

    #[test]
    fn a_socket_in_a_folder_is_passed_over() {
        let folder = folder(&["d/a"]);
        let _socket = std::os::unix::net::UnixListener::bind(folder.path().join("d/s")).unwrap();
        let inputs = expand_in(&folder, &["d"], &[]).unwrap();
        assert_eq!(skipped(&folder, &inputs), ["d/s: neither a file nor a folder"]);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_name_that_is_not_utf8_is_walked_and_matched_and_shown() {
        let folder = folder(&["d/"]);
        let path = folder.path().join(OsStr::from_bytes(b"d/caf\xE9\xFF.csv"));
        fs::write(&path, "").unwrap();
        for argument in ["d", "d/*.csv"] {
            let inputs = expand_in(&folder, &[argument], &[]).unwrap();
            assert_eq!(inputs.inputs[0].place, Place::File(path.clone()));
            assert!(inputs.inputs[0].name.ends_with(r"/d/caf\xE9\xFF.csv"));
        }
        assert_eq!(expand(&[&path], &[]).unwrap().inputs.len(), 1);
    }
}
