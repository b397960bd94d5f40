//! Folders as outputs, from outside: partitions, parts, replacing and adding, and what a killed run leaves.
//!
//! Parts are written as JSON lines where their rows are looked at, for those can be compared as text with the one
//! file that the same inputs become.
#![cfg(feature = "cli")]

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// A test's folder, which is the current one of its commands.
struct Folder(TempDir);

/// What came of a command.
struct Run {
    line: String,
    code: Option<i32>,
    stderr: String,
}

impl Folder {
    fn new() -> Folder {
        Folder(TempDir::new().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
        fs::write(self.path(name), text).unwrap();
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    fn json(&self, name: &str) -> Value {
        serde_json::from_str(&self.read(name)).unwrap()
    }

    fn command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_calltable"));
        command.args(line.split_ascii_whitespace()).current_dir(self.0.path());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        command
    }

    fn run(&self, line: &str) -> Run {
        let output = self.command(line).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        Run { line: line.to_string(), code: output.status.code(), stderr }
    }

    /// All files below a folder, by their path in it.
    fn tree(&self, name: &str) -> BTreeMap<String, Vec<u8>> {
        let root = self.path(name);
        let files = walkdir(&root).into_iter();
        files.map(|file| (within(&file, &root), fs::read(&file).unwrap())).collect()
    }

    fn files(&self, name: &str) -> Vec<String> {
        self.tree(name).into_keys().collect()
    }

    /// The lines of the parts of each partition, in order.
    fn lines(&self, name: &str) -> BTreeMap<String, Vec<String>> {
        let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (path, bytes) in self.tree(name) {
            if let Some((folder, _)) = path.rsplit_once("part-") {
                let text = String::from_utf8(bytes).unwrap();
                all.entry(folder.to_string()).or_default().extend(text.lines().map(str::to_string));
            }
        }
        all
    }

    /// The names of all that stands beside the dumps.
    fn others(&self) -> Vec<String> {
        let names = fs::read_dir(self.0.path()).unwrap().map(|file| file.unwrap().file_name());
        let mut names: Vec<String> = names.map(|name| name.to_string_lossy().into_owned()).collect();
        names.retain(|name| !name.ends_with(".csv") && name != "in");
        names.sort();
        names
    }
}

impl Run {
    #[track_caller]
    fn exits(self, code: i32) -> Run {
        assert_eq!(self.code, Some(code), "{}\n{}", self.line, self.stderr);
        self
    }

    #[track_caller]
    fn says(self, what: &str) -> Run {
        assert!(self.stderr.contains(what), "{}\n{}\nlacks: {what}", self.line, self.stderr);
        self
    }
}

fn walkdir(root: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(root).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files.extend(walkdir(&path)) } else { files.push(path) }
    }
    files
}

fn within(path: &Path, root: &Path) -> String {
    path.strip_prefix(root).unwrap().to_str().unwrap().to_string()
}

const HEADER: &str = "AcctId,src,dst,start,duration,lastapp";

/// A dump of so many records: an hour and seven minutes apart, by so many applications in turn.
fn dump(first: usize, records: usize, apps: usize) -> String {
    let mut text = format!("{HEADER}\n");
    for number in first..first + records {
        let minutes = number * 67;
        let (day, hour, minute) = (minutes / 1440, minutes / 60 % 24, minutes % 60);
        let date = format!("2024-{:02}-{:02}", 1 + day / 28 % 12, 1 + day % 28);
        let app = number * 7 % apps;
        text += &format!("{number},2001,2002,{date} {hour:02}:{minute:02}:00,{},App {app}\n", number % 90);
    }
    text
}

/// A line of JSON without a member.
fn without(line: &str, member: &str) -> String {
    let mut value: Value = serde_json::from_str(line).unwrap();
    value.as_object_mut().unwrap().shift_remove(member);
    value.to_string()
}

/// The rows of one file by what a function makes of each, as `Folder::lines` gives them.
fn by(text: &str, folder: impl Fn(&Value) -> String) -> BTreeMap<String, Vec<String>> {
    let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in text.lines() {
        let value: Value = serde_json::from_str(line).unwrap();
        all.entry(folder(&value)).or_default().push(line.to_string());
    }
    all
}

#[test]
fn partitions_by_time_hold_the_rows_in_their_order() {
    let folder = Folder::new();
    folder.write("a.csv", dump(0, 3000, 5));
    folder.write("b.csv", dump(1000, 500, 5));
    folder.run("convert a.csv b.csv -o one.jsonl").exits(0);
    folder.run("convert a.csv b.csv -o by --to jsonl --partition-by year,month").exits(0);
    let month = |row: &Value| {
        let start = row["start"].as_str().unwrap();
        format!("year={}/month={}/", &start[..4], &start[5..7])
    };
    let expected = by(&folder.read("one.jsonl"), month);
    assert_eq!(expected.len(), 5);
    assert_eq!(folder.lines("by"), expected);
    let report = "convert a.csv b.csv -o dates --to jsonl --partition-by date --report-file r.json";
    folder.run(report).exits(0).says("3,500 rows in 140 files");
    let outputs = folder.json("r.json")["outputs"].as_array().unwrap().clone();
    let rows: u64 = outputs.iter().map(|output| output["rows"].as_u64().unwrap()).sum();
    assert_eq!((outputs.len(), rows), (140, 3500));
    assert_eq!(outputs[0]["path"], "dates/date=2024-01-01/part-00000.jsonl");
}

#[test]
fn a_partitions_column_is_not_in_its_files() {
    let folder = Folder::new();
    folder.write("a.csv", dump(0, 300, 3));
    folder.run("convert a.csv -o one.jsonl --columns src,lastapp,start").exits(0);
    folder.run("convert a.csv -o by --to jsonl --columns src,lastapp,start --partition-by lastapp").exits(0);
    let app = |row: &Value| format!("lastapp={}/", row["lastapp"].as_str().unwrap().replace(' ', "%20"));
    let mut expected = by(&folder.read("one.jsonl"), app);
    let each = |lines: &mut Vec<String>| lines.iter_mut().for_each(|line| *line = without(line, "lastapp"));
    expected.values_mut().for_each(each);
    assert_eq!(folder.lines("by"), expected);
    // What is not among the columns can be partitioned by.
    folder.run("convert a.csv -o other --to jsonl --columns src,start --partition-by lastapp").exits(0);
    assert_eq!(folder.lines("other"), expected);
}

#[test]
fn many_partitions_in_turn_are_a_file_each() {
    let folder = Folder::new();
    folder.write("a.csv", dump(0, 4000, 97));
    folder.run("convert a.csv -o one.jsonl").exits(0);
    folder.run("convert a.csv -o by --to jsonl --partition-by lastapp").exits(0);
    let app = |row: &Value| format!("lastapp={}/", row["lastapp"].as_str().unwrap().replace(' ', "%20"));
    let mut expected = by(&folder.read("one.jsonl"), app);
    let each = |lines: &mut Vec<String>| lines.iter_mut().for_each(|line| *line = without(line, "lastapp"));
    expected.values_mut().for_each(each);
    assert_eq!(folder.lines("by"), expected);
    assert_eq!(folder.files("by").len(), 98);
}

#[test]
fn threads_and_memory_change_no_byte() {
    let folder = Folder::new();
    folder.write("a.csv", dump(0, 20_000, 30));
    folder.run("convert a.csv -o first --partition-by lastapp --threads 1 --memory 64M").exits(0);
    folder.run("convert a.csv -o second --partition-by lastapp --threads 4 --memory 1G").exits(0);
    assert!(folder.tree("first") == folder.tree("second"));
    assert_eq!(folder.files("first").len(), 31);
}

#[test]
fn parts_have_so_many_rows_at_most() {
    let folder = Folder::new();
    folder.write("a.csv", dump(0, 1050, 3));
    folder.run("convert a.csv -o one.jsonl").exits(0);
    folder.run("convert a.csv -o parts --to jsonl --max-file-rows 100").exits(0);
    let parts = folder.tree("parts");
    let names: Vec<String> = (0..11).map(|number| format!("part-{number:05}.jsonl")).collect();
    assert_eq!(parts.keys().skip(1).cloned().collect::<Vec<_>>(), names);
    let text: Vec<u8> = names.iter().flat_map(|name| parts[name].clone()).collect();
    assert_eq!(String::from_utf8(text).unwrap(), folder.read("one.jsonl"));
    assert_eq!(parts[&names[0]].iter().filter(|byte| **byte == b'\n').count(), 100);
    folder.run("convert a.csv -o by --to jsonl --max-file-rows 100 --partition-by lastapp").exits(0);
    assert_eq!(folder.files("by").len(), 13);
}

#[test]
fn no_row_is_a_part_without_rows() {
    let folder = Folder::new();
    folder.write("a.csv", format!("{HEADER}\n"));
    folder.run("convert a.csv -o parts --max-file-rows 5").exits(0);
    assert_eq!(folder.files("parts"), ["_manifest.json", "part-00000.parquet"]);
    folder.run("convert a.csv -o by --partition-by year").exits(0);
    assert_eq!(folder.files("by"), ["_manifest.json"]);
}

#[test]
fn an_old_folder_is_replaced_only_if_asked_and_if_it_is_ours() {
    let folder = Folder::new();
    folder.write("a.csv", dump(0, 50, 3));
    folder.run("convert a.csv -o ds --partition-by lastapp").exits(0);
    let old = folder.tree("ds");
    folder.run("convert a.csv -o ds --max-file-rows 20").exits(2).says("ds: exists already; --overwrite");
    assert!(folder.tree("ds") == old);
    folder.run("convert a.csv -o ds/ --max-file-rows 20 --overwrite").exits(0);
    assert_eq!(folder.files("ds").len(), 4);
    assert_eq!(folder.others(), ["ds"]);
    folder.write("ds/notes.txt", "mine");
    folder.run("convert a.csv -o ds --max-file-rows 20 --overwrite").exits(2).says("ds/notes.txt");
    folder.write("mine/notes.txt", "mine");
    folder
        .run("convert a.csv -o mine --max-file-rows 20 --overwrite")
        .exits(2)
        .says("it has no _manifest.json");
    folder.run("convert a.csv -o mine --append").exits(2).says("it has no _manifest.json");
    assert_eq!(folder.files("mine"), ["notes.txt"]);
    fs::create_dir(folder.path("empty")).unwrap();
    folder.run("convert a.csv -o empty --max-file-rows 20").exits(0);
}

#[test]
fn an_input_in_the_folder_is_wrong_usage() {
    let folder = Folder::new();
    folder.write("a.csv", dump(0, 50, 3));
    folder.run("convert a.csv -o ds --append").exits(0);
    folder.write("ds/a.csv", dump(0, 50, 3));
    folder.run("convert ds/a.csv -o ds --append").exits(2).says("the input ds/a.csv is in it");
    folder.run("convert ds/a.csv -o ds --max-file-rows 7 --overwrite").exits(2);
    assert!(folder.path("ds/a.csv").exists());
}

#[test]
fn what_cannot_be_a_folder_is_wrong_usage() {
    let folder = Folder::new();
    folder.write("a.csv", dump(0, 5, 3));
    folder.write("file", "x");
    let check = |line: &str, what: &str| {
        folder.run(line).exits(2).says(what);
    };
    check("convert a.csv -o x.parquet --partition-by year", "--partition-by with -o x.parquet");
    check("convert a.csv -o x.csv --max-file-rows 5", "--max-file-rows with -o x.csv");
    check("convert a.csv -o x.parquet --append", "--append with -o x.parquet");
    check("convert a.csv -o - --to csv --append", "--append with -o -");
    check("convert a.csv -o ds --max-file-rows 0", "--max-file-rows 0");
    check("convert a.csv -o ds --partition-by src", "`src`");
    check("convert a.csv -o ds --partition-by year,year", "year stands twice");
    check("convert a.csv -o ds --columns vendor --partition-by vendor", "none is left");
    check("convert a.csv -o ds --append --overwrite", "--append");
    check("convert a.csv -o file --append", "is a file, and a folder is asked for");
    check("convert a.csv -o no/ds --append", "there is no folder");
    check("convert a.csv -o ds", "--partition-by, --max-file-rows or --append");
    assert_eq!(folder.others(), ["file"]);
}

#[test]
fn rejects_and_strictness_are_as_with_a_file() {
    let folder = Folder::new();
    folder.write("a.csv", format!("{}x,1,2\n", dump(0, 20, 3)));
    folder.run("convert a.csv -o ds/ --partition-by year").exits(4);
    assert_eq!(folder.read("ds.rejects.jsonl").lines().count(), 1);
    folder.run("convert a.csv -o strict --partition-by year --strict").exits(3);
    folder.run("convert a.csv -o strict --append --strict").exits(3);
    folder.write("b.csv", "Invoice,Amount\n1,2\n");
    folder.run("convert b.csv -o failed --append").exits(1);
    // Parts that were finished before the reject.
    folder.run("convert a.csv -o strict --append --strict --max-file-rows 5").exits(3);
    folder.write("c.csv", dump(50, 20, 3));
    folder.run("convert c.csv -o ds/ --append --partition-by year").exits(0);
    let before = folder.tree("ds");
    folder.write("d.csv", format!("{}x,1,2\n", dump(80, 20, 3)));
    folder.run("convert d.csv -o ds --append --partition-by year --strict --max-file-rows 5").exits(3);
    assert_eq!(folder.files("ds"), before.keys().cloned().collect::<Vec<_>>());
    folder.run("convert d.csv -o ds --append --partition-by year").exits(4);
    folder.run("convert a.csv -o wrong --append --sort-by extra").exits(2).says("a list has no order");
    assert_eq!(folder.others(), ["ds", "ds.rejects.jsonl", "strict.rejects.jsonl"]);
}

#[test]
fn inputs_are_added_once() {
    let folder = Folder::new();
    folder.write("in/monday.csv", dump(0, 300, 3));
    folder.run("convert in -o ds --to jsonl --append --partition-by year,month").exits(0);
    folder.write("in/tuesday.csv", dump(300, 900, 3));
    // As a log is rotated.
    fs::rename(folder.path("in/monday.csv"), folder.path("in/sunday.csv")).unwrap();
    let line = "convert in -o ds --to jsonl --append --partition-by year,month --report-file r.json";
    folder.run(line).exits(0).says("in/sunday.csv: in the dataset already, as in/monday.csv");
    let report = folder.json("r.json");
    assert_eq!(report["totals"]["written"], 900);
    assert_eq!(report["skipped"][0]["source"], "in/sunday.csv");
    folder.run(line).exits(0).says("ds: nothing new");
    let rows: usize = folder.lines("ds").values().map(Vec::len).sum();
    assert_eq!(rows, 1200);
    assert_eq!(folder.files("ds").iter().filter(|path| path.ends_with("part-00001.jsonl")).count(), 1);
    let manifest = folder.json("ds/_manifest.json");
    let sources: Vec<&str> = manifest["inputs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|input| input["source"].as_str().unwrap())
        .collect();
    assert_eq!(sources, ["in/monday.csv", "in/tuesday.csv"]);
    assert_eq!(manifest["parts"].as_array().unwrap().len() + 1, folder.files("ds").len());
}

#[test]
fn a_dataset_that_was_written_at_once_can_be_added_to() {
    let folder = Folder::new();
    folder.write("a.csv", dump(0, 100, 3));
    folder.write("b.csv", dump(100, 50, 3));
    folder.run("convert a.csv -o ds --to jsonl --max-file-rows 70").exits(0);
    folder.run("convert a.csv b.csv -o ds --to jsonl --append --max-file-rows 70").exits(0);
    let parts = ["part-00000.jsonl", "part-00001.jsonl", "part-00002.jsonl"];
    let lines = |part: &str| folder.read(&format!("ds/{part}")).lines().count();
    assert_eq!(parts.map(lines), [70, 30, 50]);
}

#[test]
fn an_input_that_has_grown_fails_by_name() {
    let folder = Folder::new();
    folder.write("log.csv", dump(0, 10, 3));
    folder.write("other.csv", dump(100, 10, 3));
    folder.run("convert log.csv -o ds --append").exits(0);
    folder.write("log.csv", dump(0, 15, 3));
    folder
        .run("convert log.csv other.csv -o ds --append")
        .exits(4)
        .says("log.csv: has grown since its first ");
    assert_eq!(folder.json("ds/_manifest.json")["parts"].as_array().unwrap().len(), 2);
    // Another file of that name is another file.
    folder.write("log.csv", dump(500, 15, 3));
    folder.run("convert log.csv -o ds --append").exits(0);
}

#[test]
fn an_input_that_has_grown_under_another_name_fails_too() {
    let folder = Folder::new();
    folder.write("empty.csv", format!("{HEADER}\n"));
    folder.write("small.csv", dump(0, 10, 3));
    folder.write("large.csv", dump(100, 3000, 3));
    folder.run("convert empty.csv small.csv large.csv -o ds --append").exits(0);
    folder.write("small.1.csv", dump(0, 20, 3));
    folder.write("large.1.csv", dump(100, 4000, 3));
    // It has the same beginning, of 64 KiB, and goes on in another way.
    folder.write("other.csv", dump(100, 2500, 3) + &dump(9000, 2000, 3)[HEADER.len() + 1..]);
    let says = "has grown since its first ";
    folder.run("convert small.1.csv other.csv -o ds --append").exits(4).says(&format!("small.1.csv: {says}"));
    folder.run("convert large.1.csv other.csv -o ds --append").exits(1).says(&format!("large.1.csv: {says}"));
    let sources: Vec<Value> = folder.json("ds/_manifest.json")["inputs"].as_array().unwrap().clone();
    assert_eq!(sources.len(), 4);
    assert_eq!(sources[3]["source"], "other.csv");
}

fn gzip(text: &str) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(text.as_bytes()).unwrap();
    packed.finish().unwrap()
}

#[test]
fn a_log_that_was_compressed_when_it_was_rotated_is_not_added_again() {
    let folder = Folder::new();
    let (small, large) = (dump(0, 10, 3), dump(100, 6000, 3));
    assert!(large.len() > 128 << 10);
    folder.write("small.csv", &small);
    folder.write("large.csv", &large);
    // What the others begin with is listed, too.
    folder.write("prefix.csv", dump(100, 4000, 3));
    folder.write("short.csv", dump(0, 5, 3));
    folder.run("convert small.csv large.csv prefix.csv short.csv -o ds --append").exits(0);
    let parts = folder.files("ds");
    folder.write("small.csv.1.gz", gzip(&small));
    folder.write("large.csv.1.gz", gzip(&large));
    folder.write("large.csv.1.zst", zstd::encode_all(large.as_bytes(), 1).unwrap());
    let again = folder.run("convert small.csv.1.gz large.csv.1.gz large.csv.1.zst -o ds --append");
    again
        .exits(0)
        .says("small.csv.1.gz: in the dataset already, as small.csv")
        .says("large.csv.1.gz: in the dataset already, as large.csv")
        .says("large.csv.1.zst: in the dataset already, as large.csv");
    assert_eq!(folder.files("ds"), parts);
}

#[test]
fn a_compressed_log_that_is_another_or_has_grown_is_told_from_those_that_are_listed() {
    let folder = Folder::new();
    let large = dump(100, 3000, 3);
    folder.write("small.csv", dump(0, 10, 3));
    folder.write("large.csv", &large);
    folder.run("convert small.csv large.csv -o ds --append").exits(0);
    folder.write("small.1.gz", gzip(&dump(0, 20, 3)));
    folder.write("large.1.gz", gzip(&dump(100, 4000, 3)));
    let mut damaged = gzip(&large);
    let sum = damaged.len() - 8;
    damaged[sum] ^= 1;
    folder.write("damaged.gz", damaged);
    // One that is still being written.
    folder.write("half.gz", &gzip(&large)[..gzip(&large).len() - 20]);
    // These have the same beginning, of 64 KiB: one goes on in another way, one is shorter.
    folder.write("other.gz", gzip(&(dump(100, 2500, 3) + &dump(9000, 2000, 3)[HEADER.len() + 1..])));
    folder.write("shorter.gz", gzip(&dump(100, 2500, 3)));
    let run =
        folder.run("convert small.1.gz large.1.gz damaged.gz half.gz other.gz shorter.gz -o ds --append");
    let (grown, unreadable) =
        ("has grown since its first ", "begins as large.csv, whose records are in the dataset");
    let told =
        [("small.1.gz", grown), ("large.1.gz", grown), ("damaged.gz", unreadable), ("half.gz", unreadable)];
    told.iter().fold(run.exits(4), |run, (name, says)| run.says(&format!("{name}: {says}")));
    let manifest = folder.json("ds/_manifest.json");
    let listed = manifest["inputs"].as_array().unwrap();
    let rows: Vec<(&str, u64)> = listed
        .iter()
        .map(|input| (input["source"].as_str().unwrap(), input["written"].as_u64().unwrap()))
        .collect();
    let before = [("small.csv", 10), ("large.csv", 3000)];
    assert_eq!(rows, [before[0], before[1], ("other.gz", 4500), ("shorter.gz", 2500)]);
}

#[test]
fn an_input_that_was_read_up_to_a_fault_fails_again() {
    let folder = Folder::new();
    folder.write("b.csv", dump(0, 10, 3));
    folder.run("convert b.csv -o ds --append").exits(0);
    let mut manifest = folder.json("ds/_manifest.json");
    manifest["inputs"][0]["error"] = "the gzip data ends in the middle".into();
    folder.write("ds/_manifest.json", manifest.to_string());
    folder.write("c.csv", dump(20, 10, 3));
    folder.run("convert b.csv c.csv -o ds --append").exits(4).says("b.csv: is in the dataset up to a fault");
}

#[test]
fn parts_that_are_not_as_they_were_written_are_told() {
    let folder = Folder::new();
    folder.write("a.csv", dump(0, 10, 3));
    folder.write("b.csv", dump(10, 10, 3));
    folder.run("convert a.csv -o ds --append").exits(0);
    folder.write("ds/part-00007.parquet", "of somebody else");
    folder.run("convert b.csv -o ds --append").exits(2).says("ds/part-00007.parquet: is a part that");
    assert_eq!(folder.read("ds/part-00007.parquet"), "of somebody else");
    fs::remove_file(folder.path("ds/part-00007.parquet")).unwrap();
    folder.write("ds/part-00000.parquet", "another");
    folder.run("convert b.csv -o ds --append").exits(1).says("ds/part-00000.parquet: is listed by");
    fs::remove_file(folder.path("ds/part-00000.parquet")).unwrap();
    folder.run("convert b.csv -o ds --append").exits(1).says("No such file");
}

#[test]
fn datasets_in_walked_folders_are_passed_over() {
    let folder = Folder::new();
    folder.write("in/a.csv", dump(0, 10, 3));
    folder.run("convert in/a.csv -o in/ds --to csv --max-file-rows 4").exits(0);
    folder
        .run("convert in -o all.jsonl")
        .exits(0)
        .says("in/ds/part-00000.csv: a part of a dataset of calltable");
    assert_eq!(folder.read("all.jsonl").lines().count(), 10);
}

#[test]
fn a_link_to_a_folder_stays_one() {
    let folder = Folder::new();
    folder.write("a.csv", dump(0, 10, 3));
    folder.run("convert a.csv -o there --max-file-rows 4").exits(0);
    std::os::unix::fs::symlink("there", folder.path("link")).unwrap();
    folder.run("convert a.csv -o link/ --max-file-rows 5 --overwrite").exits(0);
    assert_eq!(folder.files("there").len(), 3);
    assert!(folder.path("link").is_symlink());
    folder.write("b.csv", dump(10, 10, 3));
    folder.run("convert b.csv -o link/ --append").exits(0);
    assert_eq!(folder.files("there").len(), 4);
}

#[test]
fn a_value_too_long_for_a_folders_name_is_told() {
    let folder = Folder::new();
    folder.write("a.csv", format!("{HEADER}\n1,2,3,,,{}\n", "x".repeat(300)));
    folder.run("convert a.csv -o ds --partition-by lastapp").exits(1).says("too long for a folder's name");
    assert_eq!(folder.others(), Vec::<String>::new());
}

#[test]
fn an_input_that_gave_nothing_can_be_tried_again() {
    let folder = Folder::new();
    folder.write("a.csv", "Invoice,Amount\n1,2\n");
    folder.write("b.csv", dump(0, 10, 3));
    folder.run("convert a.csv b.csv -o ds --append").exits(4);
    folder.run("convert a.csv b.csv -o ds --append").exits(1).says("a.csv");
    assert_eq!(folder.json("ds/_manifest.json")["inputs"].as_array().unwrap().len(), 1);
}

#[test]
fn an_empty_dump_leaves_it_to_the_next_what_the_times_are() {
    let folder = Folder::new();
    folder.write("empty.json", "");
    folder.write("list.json", "[]\n");
    let kazoo = r#"{"data":[{"call_id":"a","hangup_cause":"x","timestamp":63883151696}]}"#;
    folder.write("kazoo.json", kazoo);
    folder.run("convert empty.json list.json kazoo.json -o calls.jsonl").exits(0);
    assert!(folder.read("calls.jsonl").contains("2024-05-17T"), "{}", folder.read("calls.jsonl"));
    folder.run("convert empty.json list.json -o days --append --to jsonl").exits(0);
    folder.run("convert list.json -o days --append --to jsonl").exits(0);
    folder.run("convert kazoo.json -o days --append --to jsonl").exits(0);
    assert_eq!(folder.lines("days").values().map(Vec::len).sum::<usize>(), 1);
    folder.run("convert empty.json -o none.jsonl").exits(0);
    assert_eq!(folder.read("none.jsonl"), "");
}

#[test]
fn what_is_added_must_have_the_shape_of_what_is_there() {
    let folder = Folder::new();
    folder.write("a.csv", dump(0, 10, 3));
    folder.write("b.csv", dump(10, 10, 3));
    folder.run("convert a.csv -o ds --append --partition-by year").exits(0);
    let check = |options: &str, what: &str| {
        let line = format!("convert b.csv -o ds --append {options}");
        folder.run(&line).exits(2).says(what);
    };
    check("", "its partitions are by: year; asked for are: none");
    check("--partition-by year --to arrow", "its parts are: parquet; asked for are: arrow");
    check("--partition-by year --columns src", "its columns are");
    check("--partition-by year --timezone UTC", "its times are in the --timezone: none; asked for are: UTC");
    check("--partition-by year --records calls", "its --records are");
    assert_eq!(folder.files("ds").len(), 2);
}

#[test]
fn what_a_killed_run_has_left_is_removed_by_the_next() {
    let folder = Folder::new();
    folder.write("a.csv", dump(0, 10, 3));
    folder.write("b.csv", dump(10, 10, 3));
    folder.run("convert a.csv -o ds --append --partition-by lastapp").exits(0);
    let before = folder.files("ds");
    let mut manifest = folder.json("ds/_manifest.json");
    manifest["unfinished"] = serde_json::json!({"rejected": 0, "failed": 0});
    folder.write("ds/_manifest.json", manifest.to_string());
    folder.write("ds/lastapp=Other/part-00000.parquet", "not listed");
    folder.write("ds/lastapp=App%200/.part-00001.parquet.calltable.tmp", "not finished");
    folder.write("ds/._manifest.json.calltable.tmp", "not finished");
    folder.run("convert a.csv -o ds --append --partition-by lastapp").exits(0);
    assert_eq!(folder.files("ds"), before);
    assert!(!folder.path("ds/lastapp=Other").exists());
    // And a new folder that was being built.
    folder.write(".new.calltable.tmp/year=2024/part-00000.parquet", "not finished");
    folder.write(".new.rejects.jsonl.calltable.tmp", "not finished");
    folder.run("convert a.csv -o new --partition-by year").exits(0);
    assert_eq!(folder.others(), ["ds", "new"]);
    assert_eq!(folder.files("new").len(), 2);
}

/// The sources of the rejects of `ds`, in order.
fn rejected(folder: &Folder) -> Vec<String> {
    let source =
        |line: &str| serde_json::from_str::<Value>(line).unwrap()["source"].as_str().unwrap().to_string();
    folder.read("ds.rejects.jsonl").lines().map(source).collect()
}

#[test]
fn rejects_of_what_is_in_the_dataset_stay() {
    let folder = Folder::new();
    folder.write("a.csv", format!("{}x,1,2\n", dump(0, 10, 3)));
    folder.write("b.csv", format!("{}y,1,2\n", dump(10, 10, 3)));
    folder.write("c.csv", dump(20, 10, 3));
    folder.write("ds.rejects.jsonl", "of another output, long ago\n");
    folder.run("convert a.csv -o ds --append").exits(4);
    assert_eq!(rejected(&folder), ["a.csv"]);
    folder.run("convert c.csv -o ds --append").exits(0);
    folder.run("convert c.csv -o ds --append").exits(0).says("nothing new");
    assert_eq!(rejected(&folder), ["a.csv"]);
    folder.run("convert b.csv -o ds --append").exits(4);
    assert_eq!(rejected(&folder), ["a.csv", "b.csv"]);
    // Behind those that are listed are those of a step that was not done.
    let text = folder.read("ds.rejects.jsonl");
    folder.write("ds.rejects.jsonl", format!("{text}half"));
    folder.write("d.csv", dump(30, 10, 3));
    folder.run("convert d.csv -o ds --append").exits(0);
    assert_eq!(folder.read("ds.rejects.jsonl"), text);
}

#[test]
fn what_a_killed_run_has_rejected_is_told() {
    let folder = Folder::new();
    folder.write("a.csv", format!("{}x,1,2\n", dump(0, 10, 3)));
    for (name, first) in [("c.csv", 20), ("d.csv", 40), ("e.csv", 60)] {
        folder.write(name, dump(first, 10, 3));
    }
    folder.run("convert a.csv -o ds --append").exits(4);
    // As it stands when the run was killed behind its first step.
    let kill = || {
        let mut manifest = folder.json("ds/_manifest.json");
        manifest["unfinished"] = serde_json::json!({"rejected": 1, "failed": 0});
        folder.write("ds/_manifest.json", manifest.to_string());
    };
    kill();
    folder.run("convert a.csv c.csv -o ds --append").exits(4).says("the run before was killed");
    assert_eq!(rejected(&folder), ["a.csv"]);
    assert_eq!(folder.json("ds/_manifest.json").get("unfinished"), None);
    folder.run("convert a.csv c.csv -o ds --append").exits(0);
    // To those nobody has agreed.
    kill();
    folder.run("convert d.csv -o ds --append --strict").exits(4);
    kill();
    folder.run("convert e.csv -o ds --append --max-rejects 5").exits(4);
}

#[test]
fn two_runs_at_once_are_refused() {
    let folder = Folder::new();
    folder.write("a.csv", dump(0, 10, 3));
    folder.run("convert a.csv -o ds --append").exits(0);
    let lock = fs::File::open(folder.path("ds")).unwrap();
    lock.try_lock().unwrap();
    folder.run("convert a.csv -o ds --append").exits(1).says("ds: another run is writing this output");
    folder.run("convert a.csv -o ds --max-file-rows 5 --overwrite").exits(1).says("another run");
    drop(lock);
    fs::create_dir(folder.path(".new.calltable.tmp")).unwrap();
    let lock = fs::File::open(folder.path(".new.calltable.tmp")).unwrap();
    lock.try_lock().unwrap();
    folder
        .run("convert a.csv -o new --max-file-rows 5")
        .exits(1)
        .says("new: another run is writing this output");
}

/// The lines of one file, in the order of a key.
fn sorted_by<K: Ord>(text: &str, key: impl Fn(&Value) -> K) -> String {
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_by_key(|line| key(&serde_json::from_str(line).unwrap()));
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// Nulls last, as SQL's.
fn last<T>(value: Option<T>) -> (bool, Option<T>) {
    (value.is_none(), value)
}

#[test]
fn sorted_rows_are_those_of_a_stable_sort() {
    let folder = Folder::new();
    folder.write("a.csv", dump(0, 500, 7));
    folder.write("b.csv", format!("{}900,1,2,,5,App 1\n901,,2,2024-01-01 00:00:00,,\n", dump(300, 400, 7)));
    folder.run("convert a.csv b.csv -o one.jsonl").exits(0);
    let one = folder.read("one.jsonl");
    let app = |row: &Value| last(row["lastapp"].as_str().map(str::to_string));
    folder.run("convert a.csv b.csv -o app.jsonl --sort-by lastapp").exits(0);
    assert_eq!(folder.read("app.jsonl"), sorted_by(&one, app));
    folder.run("convert a.csv b.csv -o two.jsonl --sort-by duration,start").exits(0);
    let both =
        |row: &Value| (last(row["duration"].as_i64()), last(row["start"].as_str().map(str::to_string)));
    assert_eq!(folder.read("two.jsonl"), sorted_by(&one, both));
    // By a column that is not asked for.
    folder.run("convert a.csv b.csv -o some.jsonl --columns source_offset --sort-by lastapp").exits(0);
    let offset = |line: &str| serde_json::from_str::<Value>(line).unwrap()["source_offset"].as_i64();
    let offsets: Vec<_> = folder.read("some.jsonl").lines().map(offset).collect();
    assert_eq!(offsets, folder.read("app.jsonl").lines().map(offset).collect::<Vec<_>>());
    // And within partitions.
    folder.run("convert a.csv b.csv -o by --to jsonl --partition-by lastapp --sort-by duration").exits(0);
    let sorted = sorted_by(&one, |row| last(row["duration"].as_i64()));
    let name = |row: &Value| match row["lastapp"].as_str() {
        Some(app) => format!("lastapp={}/", app.replace(' ', "%20")),
        None => "lastapp=__HIVE_DEFAULT_PARTITION__/".to_string(),
    };
    let mut expected = by(&sorted, name);
    let each = |lines: &mut Vec<String>| lines.iter_mut().for_each(|line| *line = without(line, "lastapp"));
    expected.values_mut().for_each(each);
    assert_eq!(folder.lines("by"), expected);
}

#[test]
fn duplicates_are_dropped_and_counted_by_input() {
    let folder = Folder::new();
    folder.write("a.csv", dump(0, 500, 7));
    folder.write("b.csv", dump(300, 500, 7));
    folder.write("c.csv", format!("{}799,2001,2002,,1,App 0\n", dump(700, 100, 7)));
    folder
        .run("convert a.csv b.csv c.csv -o one.jsonl --dedup --report-file r.json")
        .exits(0)
        .says("duplicates 300");
    let report = folder.json("r.json");
    let counts = |name: &str| -> Vec<u64> {
        report["inputs"].as_array().unwrap().iter().map(|input| input[name].as_u64().unwrap()).collect()
    };
    assert_eq!((counts("records"), counts("written")), (vec![500, 500, 101], vec![500, 300, 1]));
    assert_eq!(counts("duplicates"), [0, 200, 100]);
    assert_eq!(
        (report["totals"]["duplicates"].clone(), report["outputs"][0]["rows"].clone()),
        (300.into(), 801.into())
    );
    folder.write("d.csv", dump(0, 800, 7));
    folder.run("convert d.csv -o other.jsonl").exits(0);
    let rows = |name: &str| -> Vec<String> {
        let text = folder.read(name);
        text.lines().map(|line| without(&without(line, "source"), "source_offset")).collect()
    };
    assert_eq!(rows("one.jsonl")[..800], rows("other.jsonl"));
    // Rows that differ in a column that is not asked for are no duplicates.
    folder.run("convert a.csv b.csv -o some.jsonl --dedup --columns src,dst").exits(0);
    assert_eq!(folder.read("some.jsonl").lines().count(), 800);
    assert_eq!(folder.read("some.jsonl").lines().next(), Some("{\"src\":\"2001\",\"dst\":\"2002\"}"));
}

#[test]
fn what_goes_to_disk_changes_no_byte() {
    let folder = Folder::new();
    for (number, name) in ["a.csv", "b.csv", "c.csv"].iter().enumerate() {
        folder.write(name, dump(number * 30_000, 60_000, 40));
    }
    let options = "--columns src,start,lastapp,source,source_offset,duration --sort-by duration --dedup --partition-by lastapp";
    folder.run(&format!("convert a.csv b.csv c.csv -o small {options} --memory 64M --threads 1")).exits(0);
    folder.run(&format!("convert a.csv b.csv c.csv -o large {options} --memory 2G --threads 3")).exits(0);
    assert!(folder.tree("small") == folder.tree("large"));
    assert_eq!(folder.others(), ["large", "small"]);
}
