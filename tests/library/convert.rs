//! The main job: what it is told, what it leaves in the folder, and what it refuses beforehand.

use std::fs;
use std::io::Cursor;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use calltable::convert::{Agreed, Exit, Job, Limits, Outcome, Progress, convert};
use calltable::sink::{Compression, Kind};
use calltable::source::inputs::{Brought, Input, Inputs, Place, expand};
use calltable::{Column, ErrorKind, Options, TimeKind, schema};

use crate::{BAD, Folder, GOOD, NEXO, PAGE, text, wrong};

fn job(inputs: Inputs, output: PathBuf) -> Job {
    Job { limits: Limits { threads: 2, ..Limits::default() }, ..Job::new(inputs, output).unwrap() }
}

fn bytes(text: &str) -> Inputs {
    let place = Place::Brought(Brought::new(Cursor::new(text.as_bytes().to_vec())));
    let input = Input { name: "dump".to_string(), place, walked: false };
    Inputs { inputs: vec![input], skipped: Vec::new() }
}

#[track_caller]
fn ends(job: Job, exit: Exit) -> Outcome {
    let outcome = convert(job).unwrap();
    assert_eq!(outcome.exit, exit, "{:?}", outcome.error);
    assert!(outcome.report.totals.counts.add_up());
    outcome
}

#[test]
fn a_job_writes_what_the_ending_says() {
    let folder = Folder::of(&[]);
    let outcome = ends(job(bytes(GOOD), folder.at("a.parquet")), Exit::Done);
    let file = fs::File::open(folder.at("a.parquet")).unwrap();
    let file = parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
    assert_eq!(file.schema().fields(), schema(TimeKind::WallClock).fields());
    assert_eq!(file.build().unwrap().map(|batch| batch.unwrap().num_rows()).sum::<usize>(), 2);
    let [output] = &outcome.report.outputs[..] else { panic!("{:?}", outcome.report.outputs) };
    assert_eq!((output.rows, output.bytes), (2, fs::metadata(folder.at("a.parquet")).unwrap().len()));
    assert_eq!(folder.names(), ["a.parquet"]);
}

#[test]
fn a_job_is_refused_whose_ending_says_nothing() {
    wrong(Job::new(bytes(GOOD), "a.xyz"), ErrorKind::Usage, &["a.xyz", "parquet, arrow, arrows, csv, jsonl"]);
}

#[test]
fn a_job_takes_every_setting() {
    let folder = Folder::of(&[("a.csv", BAD)]);
    let outcome = ends(
        Job {
            options: Options {
                columns: vec![Column::Src, Column::Duration],
                lenient: true,
                ..Options::default()
            },
            output: Some(folder.at("out")),
            kind: Kind::Arrow,
            compression: Compression::Lz4,
            rejects: Some(folder.at("r")),
            report: Some(folder.at("report")),
            agreed: Agreed::Count(1),
            ..job(expand(&[folder.path()], &[]).unwrap(), folder.at("out.csv"))
        },
        Exit::Done,
    );
    assert_eq!(folder.names(), ["a.csv", "out", "r", "report"]);
    let file = arrow::ipc::reader::FileReader::try_new(fs::File::open(folder.at("out")).unwrap(), None);
    assert_eq!(
        file.unwrap().map(|batch| text(&batch.unwrap())).collect::<String>(),
        "2001,64\n2001,\n2001,64\n"
    );
    assert!(fs::read_to_string(folder.at("r")).unwrap().contains("field-count"));
    let report: serde_json::Value = serde_json::from_slice(&fs::read(folder.at("report")).unwrap()).unwrap();
    assert_eq!(report, serde_json::to_value(&outcome.report).unwrap());
}

#[test]
fn rejects_go_beside_the_output_and_are_no_error() {
    let folder = Folder::of(&[]);
    let outcome = ends(job(bytes(BAD), folder.at("a.csv")), Exit::Incomplete);
    assert!(outcome.error.is_none());
    assert_eq!(folder.names(), ["a.csv", "a.csv.rejects.jsonl"]);
    assert_eq!(outcome.report.rejects.path, folder.at("a.csv.rejects.jsonl").to_str().map(str::to_string));
}

#[test]
fn without_agreement_only_rejects_and_report_are_published() {
    let folder = Folder::of(&[]);
    let report = Some(folder.at("report"));
    let strict = Job { agreed: Agreed::Strict, report, ..job(bytes(BAD), folder.at("a.csv")) };
    let outcome = ends(strict, Exit::NotAgreed);
    assert!(outcome.report.outputs.is_empty());
    assert_eq!(folder.names(), ["a.csv.rejects.jsonl", "report"]);
}

#[test]
fn inputs_that_are_none_fail_the_job_without_an_error_of_the_output() {
    let folder = Folder::of(&[]);
    let outcome = ends(job(bytes(PAGE), folder.at("a.csv")), Exit::Failed);
    assert!(outcome.error.is_none());
    assert!(outcome.report.inputs[0].error.as_deref().unwrap().contains("HTML"));
    assert!(folder.names().is_empty());
}

#[test]
fn an_output_is_replaced_only_where_that_is_said() {
    let folder = Folder::of(&[("a.csv", "mine")]);
    wrong(convert(job(bytes(GOOD), folder.at("a.csv"))), ErrorKind::Usage, &["a.csv", "exists"]);
    assert_eq!(fs::read_to_string(folder.at("a.csv")).unwrap(), "mine");
    ends(Job { overwrite: true, ..job(bytes(GOOD), folder.at("a.csv")) }, Exit::Done);
}

/// Told by its path before anything is read: what is brought is still there.
#[track_caller]
fn refused(places: impl Fn(&Folder) -> (PathBuf, Option<PathBuf>, Option<PathBuf>), words: &[&str]) {
    let folder = Folder::of(&[("in.csv", GOOD), ("b.csv", NEXO)]);
    let inputs = expand(&[folder.at("in.csv"), folder.at("b.csv")], &[]).unwrap();
    let (output, rejects, report) = places(&folder);
    let job =
        Job { output: Some(output), rejects, report, overwrite: true, ..job(inputs, folder.at("a.csv")) };
    let progress = job.progress.clone();
    wrong(convert(job), ErrorKind::Usage, words);
    assert_eq!(progress.bytes.load(Ordering::Relaxed), 0);
    assert_eq!(folder.names(), ["b.csv", "in.csv"]);
    assert_eq!(fs::read_to_string(folder.at("in.csv")).unwrap(), GOOD);
}

#[test]
fn a_folder_that_is_not_there_is_told_before_the_work() {
    let says = ["/no: there is no such folder"];
    refused(|folder| (folder.at("no/a.csv"), None, None), &says);
    refused(|folder| (folder.at("a.csv"), Some(folder.at("no/r")), None), &says);
    refused(|folder| (folder.at("a.csv"), None, Some(folder.at("no/r"))), &says);
}

#[test]
fn a_folder_is_not_written_over() {
    refused(|folder| (folder.path().into(), None, None), &["is a folder"]);
    refused(|folder| (folder.at("a.csv"), Some(folder.path().into()), None), &["is a folder"]);
    refused(|folder| (folder.at("a.csv"), None, Some(folder.path().into())), &["is a folder"]);
}

#[test]
fn an_input_is_not_written_over() {
    let input = |folder: &Folder| folder.at("in.csv");
    refused(|folder| (input(folder), None, None), &["in.csv", "the output would replace the input"]);
    refused(|folder| (folder.at("a.csv"), Some(input(folder)), None), &["in.csv", "the rejects would"]);
    refused(|folder| (folder.at("a.csv"), None, Some(input(folder))), &["in.csv", "the report would"]);
}

#[test]
fn nothing_of_a_job_is_written_over_by_another() {
    let at = |folder: &Folder| (folder.at("a.csv"), folder.at("../").join(folder.path()).join("./a.csv"));
    refused(|folder| (at(folder).0, Some(at(folder).1), None), &["the rejects would replace the output"]);
    refused(|folder| (at(folder).0, None, Some(at(folder).1)), &["the report would replace the output"]);
    refused(
        |folder| (folder.at("b"), Some(at(folder).0), Some(at(folder).1)),
        &["would replace the rejects"],
    );
}

#[test]
fn a_column_stands_once() {
    let options = Options { columns: vec![Column::Src, Column::Dst, Column::Src], ..Options::default() };
    let folder = Folder::of(&[]);
    let twice = Job { options, ..job(bytes(GOOD), folder.at("a.parquet")) };
    wrong(convert(twice), ErrorKind::Usage, &["src", "twice"]);
    assert!(folder.names().is_empty());
}

#[test]
fn settings_at_their_edge() {
    let folder = Folder::of(&[]);
    let edge = Job { limits: Limits { threads: 0, memory: 0 }, ..job(bytes(GOOD), folder.at("a.parquet")) };
    ends(edge, Exit::Done);
    let edge = Job { row_group_rows: 0, ..job(bytes(GOOD), folder.at("b.parquet")) };
    wrong(convert(edge), ErrorKind::Usage, &["row group"]);
    let options = Options { columns: vec![], ..Options::default() };
    let edge = Job { options, ..job(bytes(GOOD), folder.at("b.parquet")) };
    wrong(convert(edge), ErrorKind::Usage, &["no columns"]);
    assert_eq!(folder.names(), ["a.parquet"]);
}

#[test]
fn progress_is_counted_while_a_job_runs() {
    let folder = Folder::of(&[("a.csv", GOOD), ("b.csv", NEXO)]);
    let inputs = expand(&[folder.at("a.csv"), folder.at("b.csv")], &[]).unwrap();
    let progress = Arc::new(Progress::of(&inputs));
    let total = (GOOD.len() + NEXO.len()) as u64;
    assert_eq!(progress.total_bytes, Some(total));
    ends(Job { progress: progress.clone(), ..job(inputs, folder.at("out.csv")) }, Exit::Done);
    let now = (progress.bytes.load(Ordering::Relaxed), progress.rows.load(Ordering::Relaxed));
    assert_eq!(now, (total, 3));
    assert_eq!(Progress::of(&bytes(GOOD)).total_bytes, None, "of bytes that are brought it is not known");
}
