//! A caller asks a job to end: nothing is published, what was rejected is, and it is told so.

use std::fs;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use calltable::convert::{Exit, Job, Limits, Progress, convert};
use calltable::filter::{Context, Filter};
use calltable::inspect::inspect;
use calltable::query::{self, query};
use calltable::source::inputs::{Brought, Input, Inputs, Place, expand};
use calltable::{Error, ErrorKind, Options};

use crate::Folder;

const HEADER: &[u8] = b"AcctId,src,dst,start,duration\n";
const RECORD: &[u8] = b"1,2001,2002,2024-05-17 12:34:56,64\n";
const BROKEN: &[u8] = b"2,2001\n";

/// A dump without end; its reader asks for the end of the job behind so many bytes.
struct Endless {
    rest: &'static [u8],
    lines: usize,
    left: usize,
    progress: Arc<Progress>,
}

impl Read for Endless {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if self.rest.is_empty() {
            self.rest = [HEADER, BROKEN].get(self.lines).unwrap_or(&RECORD);
            self.lines += 1;
        }
        let read = self.rest.read(buf)?;
        self.left = self.left.saturating_sub(read);
        if self.left == 0 {
            self.progress.stop();
        }
        Ok(read)
    }
}

fn endless(stops_behind: usize) -> (Inputs, Arc<Progress>) {
    let progress = Arc::new(Progress::default());
    let bytes = Endless { rest: &[], lines: 0, left: stops_behind, progress: progress.clone() };
    let input = Input { name: "dump".into(), place: Place::Brought(Brought::new(bytes)), walked: false };
    (Inputs { inputs: vec![input], skipped: Vec::new() }, progress)
}

fn limits() -> Limits {
    Limits { threads: 2, ..Limits::default() }
}

#[track_caller]
fn is_stopped(error: &Error) {
    assert_eq!(error.kind(), ErrorKind::Stopped, "{error}");
}

#[test]
fn nothing_is_published_but_rejects_and_report() {
    for stops_behind in [0, 20_000_000] {
        for output in ["out.parquet", "out.csv", "out.arrows"] {
            let folder = Folder::of(&[]);
            let (inputs, progress) = endless(stops_behind);
            let report = Some(folder.at("report"));
            let job =
                Job { progress, report, limits: limits(), ..Job::new(inputs, folder.at(output)).unwrap() };
            let outcome = convert(job).unwrap();
            assert_eq!(outcome.exit, Exit::Failed);
            is_stopped(&outcome.error.unwrap());
            let rejects = format!("{output}.rejects.jsonl");
            let expected =
                if stops_behind > 0 { vec![rejects, "report".into()] } else { vec!["report".into()] };
            assert_eq!(folder.names(), expected);
            assert!(outcome.report.outputs.is_empty() && outcome.report.totals.counts.add_up());
        }
    }
}

#[test]
fn an_output_that_is_there_stays() {
    let folder = Folder::of(&[("out.csv", "old")]);
    let (inputs, progress) = endless(5_000_000);
    let job =
        Job { progress, overwrite: true, rejects: None, ..Job::new(inputs, folder.at("out.csv")).unwrap() };
    is_stopped(&convert(job).unwrap().error.unwrap());
    assert_eq!(
        (folder.names(), fs::read_to_string(folder.at("out.csv")).unwrap()),
        (vec!["out.csv".into()], "old".into())
    );
}

#[test]
fn a_request_is_not_answered_to_its_end() {
    let (inputs, progress) = endless(5_000_000);
    let filter = Filter::parse_query("cdrapi?format=json&caller=nobody", &Context::new()).unwrap();
    let job = query::Job { progress, limits: limits(), ..query::Job::new(inputs, filter) };
    is_stopped(&query(job, &mut Vec::new()).unwrap_err());
}

#[test]
fn an_archive_is_not_read_to_its_end() {
    let folder = Folder::of(&[]);
    let dump = expand(&[Path::new("testdata/sample/2024/head-office/cdrapi-2024-05.csv")], &[]).unwrap();
    convert(Job::new(dump, folder.at("a.parquet")).unwrap()).unwrap();
    let filter = Filter::parse_query("cdrapi?format=json", &Context::new()).unwrap();
    let job = query::Job::new(expand(&[folder.at("a.parquet")], &[]).unwrap(), filter);
    job.progress.stop();
    is_stopped(&query(job, &mut Vec::new()).unwrap_err());
}

#[test]
fn an_inspection_ends() {
    let (inputs, progress) = endless(5_000_000);
    is_stopped(&inspect(inputs, &Options::default(), limits(), &progress).unwrap_err());
}
