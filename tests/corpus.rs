//! What the fuzzers check, checked of the inputs that are kept: those of `fuzz/corpus`, what was found among them, and
//! the dumps of `testdata`.

use std::fs;
use std::path::{Path, PathBuf};

#[path = "../fuzz/checks/archives.rs"]
mod archives;
#[path = "../fuzz/checks/channel.rs"]
mod channel;
#[path = "../fuzz/checks/convert.rs"]
mod convert;
#[path = "../fuzz/checks/party.rs"]
mod party;
#[path = "../fuzz/checks/request.rs"]
mod request;
#[path = "../fuzz/checks/split_frame.rs"]
mod split_frame;
#[path = "../fuzz/checks/split_frame_json.rs"]
mod split_frame_json;
#[path = "../fuzz/checks/split_frame_xml.rs"]
mod split_frame_xml;
#[path = "../fuzz/checks/time.rs"]
mod time;

/// The files of a folder of the project, in the order of their names.
fn files(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut files: Vec<PathBuf> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
        .collect();
    files.sort();
    assert!(!files.is_empty(), "{} is empty", folder.display());
    files
}

/// Checks what a target's folder has, and what is kept for all that read dumps.
fn check(folders: &[&str], check: impl Fn(&[u8])) {
    for file in folders.iter().flat_map(|folder| files(folder)) {
        // What panics is told by its name.
        println!("{}", file.display());
        check(&fs::read(file).unwrap());
    }
}

fn text(check: impl Fn(&str)) -> impl Fn(&[u8]) {
    move |bytes| check(std::str::from_utf8(bytes).expect("a text"))
}

#[test]
fn archives() {
    check(&["fuzz/corpus/archives"], archives::check);
}

#[test]
fn requests() {
    check(&["fuzz/corpus/request"], text(request::check));
}

#[test]
fn channels() {
    check(&["fuzz/corpus/channel"], text(channel::check));
}

#[test]
fn parties() {
    check(&["fuzz/corpus/party"], text(party::check));
}

#[test]
fn times() {
    check(&["fuzz/corpus/time"], time::check);
}

#[test]
fn whole_dumps() {
    check(&["fuzz/corpus/convert", "testdata/dumps"], convert::check);
}

#[test]
fn csv() {
    check(&["fuzz/corpus/split_frame", "fuzz/found/split_frame", "testdata/dumps"], split_frame::check);
}

#[test]
fn json() {
    check(&["fuzz/corpus/split_frame_json", "testdata/dumps"], split_frame_json::check);
}

#[test]
fn xml() {
    check(&["fuzz/corpus/split_frame_xml", "testdata/dumps"], split_frame_xml::check);
}
