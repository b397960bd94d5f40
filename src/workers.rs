//! The one pool of threads, and work whose results are taken in the order in which it was given out.
//!
//! Used by the pipeline (blocks) and the sinks (columns, formatted text). Whoever gives work out may be one of the
//! threads ([`Workers::lead`]): then it works, too, while it waits, and no more threads run than were asked for. A
//! job that panics becomes an error where its result is taken; the pool and all other jobs go on. What a panic said is told here, too, to
//! whoever works on a thread of its own.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvError, TryRecvError, sync_channel};

use rayon::iter::{IntoParallelRefIterator, ParallelIterator};

use crate::error::{Error, Result};

/// A pool of worker threads.
#[derive(Clone, Debug)]
pub struct Workers {
    pool: Arc<rayon::ThreadPool>,
}

/// The result of a job that may not be done yet.
#[derive(Debug)]
pub struct Pending<T> {
    result: Receiver<std::result::Result<T, String>>,
}

impl Workers {
    /// A pool of so many threads, or of as many as can be had.
    ///
    /// # Errors
    /// Not a single thread can be had.
    pub fn new(threads: usize) -> Result<Workers> {
        let build = |threads| {
            rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .thread_name(|at| format!("calltable-{at}"))
                .build()
        };
        let pool = build(threads.max(1)).or_else(|_| build(1));
        let pool = pool.map_err(|error| Error::usage(format!("no thread can be started: {error}")))?;
        Ok(Workers { pool: Arc::new(pool) })
    }

    /// How many threads there are.
    pub fn threads(&self) -> usize {
        self.pool.current_num_threads()
    }

    /// Does what gives work out on one of the threads, which works itself whenever it waits for results.
    pub fn lead<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        self.pool.install(work)
    }

    /// Does the same with each item; what comes out stands in the order of the items.
    pub fn each<T: Sync, U: Send>(&self, items: &[T], work: impl Fn(&T) -> U + Send + Sync) -> Vec<U> {
        self.pool.install(|| items.par_iter().map(work).collect())
    }

    /// Runs a job some time; jobs begin in the order in which one thread gives them out.
    pub fn submit<T: Send + 'static>(&self, job: impl FnOnce() -> T + Send + 'static) -> Pending<T> {
        let (done, result) = sync_channel(1);
        self.pool.spawn_fifo(move || {
            // Nobody waits any more where the receiver is gone: the run was given up.
            let _ = done.send(unbroken(job));
        });
        Pending { result }
    }

    /// Runs a job some time whose result nobody takes; it must not panic.
    pub fn spawn(&self, job: impl FnOnce() + Send + 'static) {
        self.pool.spawn_fifo(job);
    }
}

impl<T> Pending<T> {
    /// Waits for the result.
    ///
    /// # Errors
    /// The job panicked: a fault of ours, told with its text.
    pub fn wait(self) -> std::result::Result<T, String> {
        receive(&self.result).unwrap_or_else(|_| Err("a worker thread is gone".to_string()))
    }
}

/// Waits for a message that jobs send. A job must not wait so itself: what it waits for might wait for it.
///
/// # Errors
/// Nobody is left who could send one.
pub fn receive<T>(messages: &Receiver<T>) -> std::result::Result<T, RecvError> {
    loop {
        match messages.try_recv() {
            Ok(message) => return Ok(message),
            Err(TryRecvError::Disconnected) => return Err(RecvError),
            Err(TryRecvError::Empty) if help() => {}
            Err(TryRecvError::Empty) => return messages.recv(),
        }
    }
}

/// Does one of the jobs that wait, if this thread is one of the pool's and there is any. For whoever would wait
/// otherwise.
pub fn help() -> bool {
    rayon::yield_now() == Some(rayon::Yield::Executed)
}

/// Does work that may panic: a fault of ours, told with its text.
pub fn unbroken<T>(work: impl FnOnce() -> T) -> std::result::Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| panic_text(panic.as_ref()))
}

/// What a panic said.
fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| text.to_string());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    format!("internal error, please report it: {}", text.unwrap_or_else(|| "no text".to_string()))
}
