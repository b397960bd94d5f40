//! The bar on stderr: bytes, rows a second, the time left.
//!
//! It only looks at counters that a job raises, from a thread of its own, and is gone before any
//! message is written. On a terminal it is a bar in one line; elsewhere (`--progress always` in a
//! log) it is a line every few seconds.

use std::io::{self, IsTerminal};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use calltable::convert::Progress;
use indicatif::{ProgressBar, ProgressStyle};

use super::args::Progress as When;
use super::say;
use super::table::{bytes, grouped};

/// How often the bar is drawn.
const DRAWN_EVERY: Duration = Duration::from_millis(100);

/// How often a line is written, where there is no terminal.
const WRITTEN_EVERY: Duration = Duration::from_secs(5);

/// Progress that is being shown; dropped, it is taken away.
#[derive(Debug)]
pub(crate) struct Shown {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Shown {
    /// Shows the counters until it is dropped, if that is wanted; not by default where the table
    /// itself goes to the terminal (`to_stdout`).
    pub(crate) fn start(when: When, counters: &Arc<Progress>, to_stdout: bool) -> Option<Shown> {
        let on_terminal = io::stderr().is_terminal();
        let clashes = to_stdout && io::stdout().is_terminal();
        let wanted = match when {
            When::Auto => on_terminal && !clashes,
            When::Always => true,
            When::Never => false,
        };
        if !wanted {
            return None;
        }
        let (stop, stopped) = channel::<()>();
        let (counters, started) = (counters.clone(), Instant::now());
        let show = move || {
            let face = Face::new(on_terminal, &counters);
            while stopped.recv_timeout(face.pause()) == Err(RecvTimeoutError::Timeout) {
                face.show(&State::of(&counters, started));
            }
            face.end(&State::of(&counters, started));
        };
        // Without a thread there is no bar, and that is all.
        let thread = Builder::new().name("calltable-progress".to_string()).spawn(show).ok()?;
        Some(Shown { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Shown {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// How far a job is.
struct State {
    bytes: u64,
    /// Nothing where an input's size is not known.
    total: Option<u64>,
    rows_a_second: u64,
    left: Option<Duration>,
}

impl State {
    fn of(counters: &Progress, started: Instant) -> State {
        let bytes = counters.bytes.load(Ordering::Relaxed);
        let total = counters.total_bytes;
        let seconds = started.elapsed().as_secs_f64();
        let rows_a_second = counters.rows.load(Ordering::Relaxed) as f64 / seconds.max(1e-3);
        let left = total.filter(|_| bytes > 0).map(|total| {
            Duration::from_secs_f64(seconds / bytes as f64 * total.saturating_sub(bytes) as f64)
        });
        State { bytes, total, rows_a_second: rows_a_second as u64, left }
    }

    fn text(&self) -> String {
        let read = bytes(self.bytes);
        let read = self.total.map_or(read.clone(), |total| format!("{read} of {}", bytes(total)));
        let left = self.left.map_or(String::new(), |left| format!(", {} left", clock(left)));
        format!("{read}, {} rows/s{left}", grouped(self.rows_a_second))
    }
}

/// `0:07`, `1:02:03`.
fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match hours {
        0 => format!("{minutes}:{seconds:02}"),
        _ => format!("{hours}:{minutes:02}:{seconds:02}"),
    }
}

/// What the progress looks like.
enum Face {
    Bar(ProgressBar),
    Lines,
}

impl Face {
    fn new(on_terminal: bool, counters: &Progress) -> Face {
        if !on_terminal {
            return Face::Lines;
        }
        let (bar, template) = match counters.total_bytes {
            Some(total) => (ProgressBar::new(total), "{wide_bar} {msg}"),
            None => (ProgressBar::new_spinner(), "{spinner} {msg}"),
        };
        Face::Bar(match ProgressStyle::with_template(template) {
            Ok(style) => bar.with_style(style),
            Err(_) => bar,
        })
    }

    fn pause(&self) -> Duration {
        match self {
            Face::Bar(_) => DRAWN_EVERY,
            Face::Lines => WRITTEN_EVERY,
        }
    }

    fn show(&self, state: &State) {
        match self {
            Face::Bar(bar) => {
                bar.set_message(state.text());
                bar.set_position(state.bytes);
            }
            Face::Lines => say::line(&state.text()),
        }
    }

    fn end(&self, state: &State) {
        match self {
            Face::Bar(bar) => bar.finish_and_clear(),
            Face::Lines => self.show(state),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks() {
        assert_eq!(
            [0, 67, 3723].map(|seconds| clock(Duration::from_secs(seconds))),
            ["0:00", "1:07", "1:02:03"]
        );
    }

    #[test]
    fn what_is_not_known_is_not_shown() {
        let state = |total, left| State { bytes: 1500, total, rows_a_second: 12345, left };
        assert_eq!(state(None, None).text(), "1.5 kB, 12,345 rows/s");
        let left = Some(Duration::from_secs(7));
        assert_eq!(state(Some(3000), left).text(), "1.5 kB of 3.0 kB, 12,345 rows/s, 0:07 left");
    }
}
