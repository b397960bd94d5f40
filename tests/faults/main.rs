//! Faults that are really caused: signals, crashes at single system calls, full disks, closed streams, inputs that go
//! away, limits of the system. What is promised holds in all of them: an output is whole or it is not there, nothing
//! is left behind, the exit code is right, and a message names the file.
//!
//! Each test has a folder of its own, which is the program's current folder. What a machine cannot cause is
//! skipped, with a word.
#![cfg(all(feature = "cli", unix))]

mod ambience;
mod closed;
mod datasets;
mod full;
#[cfg(target_os = "linux")]
mod injected;
mod inputs;
mod killed;
#[cfg(target_os = "linux")]
mod limits;
mod targets;

use std::ffi::OsStr;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// The program.
const PROGRAM: &str = env!("CARGO_BIN_EXE_calltable");

const HEADER: &str = "AcctId,src,dst,start,duration\n";

/// The most that a test waits for what must come.
const A_WHILE: Duration = Duration::from_secs(60);

/// A test's folder.
struct Folder(TempDir);

/// What came of a command.
struct Run {
    line: String,
    /// The exit code; what a shell shows of a program that a signal ended.
    code: i32,
    stdout: Vec<u8>,
    stderr: String,
}

/// So many good records.
fn dump(records: usize) -> String {
    let mut text = HEADER.to_string();
    for at in 0..records {
        text.push_str(&record(at));
    }
    text
}

fn record(at: usize) -> String {
    let (minute, second) = (at / 60 % 60, at % 60);
    format!(
        "{at},{},{},2024-05-17 12:{minute:02}:{second:02},{}\n",
        2000 + at % 500,
        3000 + at % 700,
        at % 900
    )
}

/// So many records, each of them too short.
fn broken(records: usize) -> String {
    HEADER.to_string() + &(0..records).map(|at| format!("{at},2001\n")).collect::<String>()
}

impl Folder {
    fn new() -> Folder {
        Folder(TempDir::new().unwrap())
    }

    fn of(files: &[(&str, &str)]) -> Folder {
        let folder = Folder::new();
        files.iter().for_each(|(name, text)| fs::write(folder.at(name), text).unwrap());
        folder
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.at(name)).unwrap()
    }

    fn lines(&self, name: &str) -> usize {
        self.read(name).iter().filter(|byte| **byte == b'\n').count()
    }

    /// The names of all files.
    fn names(&self) -> Vec<String> {
        let names = fs::read_dir(self.path()).unwrap().map(|file| file.unwrap().file_name());
        let mut names: Vec<String> = names.map(|name| name.to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    fn command<S: AsRef<OsStr>>(&self, program: &str, words: impl IntoIterator<Item = S>) -> Command {
        let mut command = Command::new(program);
        command.args(words).current_dir(self.path());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Begins a command of the program.
    fn spawn(&self, line: &str) -> Child {
        self.command(PROGRAM, line.split_ascii_whitespace()).spawn().unwrap()
    }

    /// Runs a command of the program.
    fn run(&self, line: &str) -> Run {
        ended(line, self.spawn(line))
    }

    /// Runs lines of the shell, in which `$P` is the program.
    fn shell(&self, line: &str) -> Run {
        let child = self.command("sh", ["-c", line]).env("P", PROGRAM).spawn().unwrap();
        ended(line, child)
    }

    fn mkfifo(&self, name: &str) -> PathBuf {
        assert!(Command::new("mkfifo").arg(self.at(name)).status().unwrap().success());
        self.at(name)
    }

    /// Runs a command whose first input is the pipe `pipe`, and does this when it has got to it: all its
    /// inputs are known by then, and it waits.
    fn run_meanwhile(&self, line: &str, meanwhile: impl FnOnce()) -> Run {
        let pipe = self.mkfifo("pipe");
        let child = self.spawn(line);
        let writer = fs::OpenOptions::new().write(true).open(&pipe).unwrap();
        meanwhile();
        fs::remove_file(&pipe).unwrap();
        fs::write(format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&writer)), dump(1)).unwrap();
        drop(writer);
        ended(line, child)
    }
}

/// Waits for the end of a command, which must come.
fn ended(line: &str, child: Child) -> Run {
    let id = child.id();
    let (done, result) = std::sync::mpsc::channel();
    std::thread::spawn(move || done.send(child.wait_with_output()));
    match result.recv_timeout(A_WHILE) {
        Ok(output) => Run::of(line, output.unwrap()),
        Err(_) => {
            signal("KILL", id);
            panic!("it does not end: {line}")
        }
    }
}

/// Sends a signal; whether anyone was there.
fn signal(name: &str, id: u32) -> bool {
    let sent =
        Command::new("kill").args([&format!("-{name}"), &id.to_string()]).stderr(Stdio::null()).status();
    sent.unwrap().success()
}

/// Waits until it is so, which must come.
fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < A_WHILE, "never: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Whether a command can be run here, and succeeds; if not, the test that asks is skipped.
fn can(line: &str) -> bool {
    let tried = Command::new("sh").args(["-c", line]).stdout(Stdio::null()).stderr(Stdio::null()).status();
    let can = tried.is_ok_and(|status| status.success());
    if !can {
        eprintln!("skipped: this machine cannot `{line}`");
    }
    can
}

/// Words before a command that make it that of a user with no rights; nothing where that cannot be had.
fn as_nobody() -> Option<&'static str> {
    const NOBODY: &str = "setpriv --reuid=65534 --regid=65534 --clear-groups";
    let is_root = Command::new("id").arg("-u").output().is_ok_and(|id| id.stdout == b"0\n");
    let can_run = |words: &str| can(&format!("{words} {PROGRAM} --version"));
    if is_root { Some(NOBODY).filter(|words| can_run(words)) } else { Some("") }
}

impl Run {
    fn of(line: &str, output: Output) -> Run {
        let code = output.status.code().or(output.status.signal().map(|signal| 128 + signal));
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        Run { line: line.to_string(), code: code.unwrap(), stdout: output.stdout, stderr }
    }

    #[track_caller]
    fn exits(self, code: i32) -> Run {
        assert_eq!(self.code, code, "{}\n{}", self.line, self.stderr);
        assert!(!self.stderr.contains("panicked"), "{}\n{}", self.line, self.stderr);
        self
    }

    #[track_caller]
    fn says(self, words: &[&str]) -> Run {
        for word in words {
            assert!(self.stderr.contains(word), "{}\n{word:?} is not said: {}", self.line, self.stderr);
        }
        self
    }
}

/// Numbers that are the same in every run of the tests.
struct Random(u64);

impl Random {
    /// From 0, below 1.
    fn share(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }
}
