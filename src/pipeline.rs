//! Wires the stages: inputs → dumps → blocks → batches, in order, in bounded memory. How an input becomes
//! dumps is told in `opening`.
//!
//! ```text
//!  this thread: open, read, split ──▶ queue of blocks being decoded ──▶ batches, in order
//!                                       │  ▲
//!                                       ▼  │   workers: frame, columns
//! ```
//!
//! What the queue holds is bounded by its weight: whoever takes batches slowly stops the reader. One
//! loop serves one thread and many. A fault ends its input, not the run. Once the caller wants an end, there
//! are no more events; that it was no end of the inputs is for whoever asked to know.

mod opening;

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use arrow::datatypes::SchemaRef;

use crate::column::{Batch, Library};
use crate::convert::Progress;
use crate::dump::{About, Work};
use crate::error::Error;
use crate::options::Options;
use crate::paging::Paging;
use crate::recycle::Shelf;
use crate::schema::{self, TimeKind};
use crate::source::inputs::Input;
use crate::workers::{Pending, Workers, unbroken};
pub use opening::times_of;
use opening::{Dumps, Found, Open};

/// What comes out of the pipeline, in the order of the inputs and their records.
#[derive(Debug)]
pub enum Event {
    /// A dump of that name begins, of the input with that number; the others tell it by its index.
    Begin(Arc<str>, usize),
    /// Rows and rejects of a block of the dump with that index.
    Batch(usize, Box<Batch>),
    /// The dump with that index is read to its end, or to its fault.
    End(usize, Box<Ended>),
}

/// What is known of an input when it ends.
#[derive(Debug, Default)]
pub struct Ended {
    /// What the head told; nothing if the input failed before.
    pub about: Option<About>,
    /// The encoding of its bytes.
    pub encoding: Option<&'static str>,
    /// Bytes read.
    pub bytes: u64,
    /// What the user should know.
    pub warnings: Vec<String>,
    /// Why it failed.
    pub error: Option<Error>,
    /// Why it is passed over: in a walked folder, and no text.
    pub skipped: Option<String>,
}

/// Reads inputs and gives out their batches, in order.
pub struct Pipeline {
    dumps: Dumps,
    progress: Arc<Progress>,
    /// The names of the dumps that have begun.
    names: Vec<Arc<str>>,
    options: Arc<Options>,
    workers: Workers,
    open: Option<(usize, Open)>,
    queue: VecDeque<Queued>,
    /// What the blocks in the queue weigh, and how much that may be.
    queued: u64,
    limit: u64,
    times: Option<TimeKind>,
    /// The schema as it is promised, and as the batches have it.
    schema: Option<SchemaRef>,
    built: Option<SchemaRef>,
    is_prepared: bool,
    shelf: Shelf,
    library: Library,
    decode: Decode,
    /// The page that is left; nothing where rows are not paged.
    paging: Option<Paging>,
}

/// How a block is decoded.
pub type Decode = fn(Work, &Options, &SchemaRef) -> Batch;

enum Queued {
    Begin(Arc<str>, usize),
    Batch(usize, Pending<Batch>, u64),
    End(usize, Box<Ended>),
}

impl Pipeline {
    /// A pipeline over these inputs that keeps blocks of at most this weight in its queue.
    pub fn new(
        inputs: Vec<Input>,
        options: Arc<Options>,
        workers: Workers,
        limit: u64,
        progress: Arc<Progress>,
    ) -> Pipeline {
        let paging = Paging::of(&options);
        Pipeline {
            dumps: Dumps::new(inputs, progress.clone()),
            progress,
            names: Vec::new(),
            options,
            workers,
            open: None,
            queue: VecDeque::new(),
            queued: 0,
            limit,
            times: None,
            schema: None,
            built: None,
            is_prepared: false,
            shelf: Shelf::default(),
            library: Library::default(),
            decode: Work::decode,
            paging: Some(paging),
        }
    }

    /// The same, but blocks are decoded so, and all their rows are given out, whatever page is asked for.
    pub fn decoded_by(mut self, decode: Decode) -> Pipeline {
        (self.decode, self.paging) = (decode, None);
        self
    }

    /// The same, but all rows that match are given out, whatever page is asked for.
    pub fn unpaged(mut self) -> Pipeline {
        self.paging = None;
        self
    }

    /// The same, but text columns are prepared for a sink, and stand beside the batches' arrays.
    pub fn prepared(mut self) -> Pipeline {
        self.is_prepared = true;
        self
    }

    /// The same, but the table's times are known beforehand; dumps of others fail.
    pub fn with_times(mut self, times: Option<TimeKind>) -> Pipeline {
        self.times = times;
        self
    }

    /// The name of a dump that has begun.
    pub fn name(&self, at: usize) -> &str {
        &self.names[at]
    }

    /// The schema of all batches: known once the first dump is recognised, which this waits for.
    /// Without any dump its times are instants if a zone was named.
    pub fn schema(&mut self) -> SchemaRef {
        while self.schema.is_none() && self.advance() {}
        let times = self.times();
        self.schema.get_or_insert_with(|| schema::project(&self.options.columns, times)).clone()
    }

    /// What the table's times are; to be asked for behind the schema.
    pub fn times(&self) -> TimeKind {
        let by_zone = if self.options.zone.is_some() { TimeKind::Instant } else { TimeKind::WallClock };
        self.times.unwrap_or(by_zone)
    }

    /// Whether a dump has decided that, or it was known beforehand.
    pub fn is_decided(&self) -> bool {
        self.times.is_some()
    }

    /// Reads on by one step; comes back with whether there is more.
    fn advance(&mut self) -> bool {
        if self.progress.check().is_err() {
            return false;
        }
        let Some((at, open)) = &mut self.open else { return self.open_next() };
        let name = &self.names[*at];
        let step = unbroken(|| open.step()).unwrap_or_else(|panic| Err(Error::input(&**name, panic)));
        if self.schema.is_none()
            && let Some(times) = open.dump.about().and_then(|about| about.times)
        {
            self.times = Some(times);
            self.schema = Some(schema::project(&self.options.columns, times));
            let built = if self.is_prepared { schema::project_prepared } else { schema::project };
            self.built = Some(built(&self.options.columns, times));
        }
        match step {
            Ok(Some(work)) => self.decode(work),
            Ok(None) => self.close(None),
            Err(error) => self.close(Some(error)),
        }
        true
    }

    fn open_next(&mut self) -> bool {
        let Some((name, found)) = self.dumps.next(&self.options, self.times) else { return false };
        let input = self.dumps.input();
        let at = self.names.len();
        self.names.push(name.clone());
        self.queue.push_back(Queued::Begin(name, input));
        let ended = match found {
            Found::Dump(mut open) => {
                open.dump = open.dump.sharing(self.shelf.clone(), self.library.clone());
                self.open = Some((at, *open));
                return true;
            }
            Found::Skipped(why) => Ended { skipped: Some(why), ..Ended::default() },
            Found::Failed(error) => Ended::failed(error),
        };
        self.queue.push_back(Queued::End(at, Box::new(ended)));
        true
    }

    fn decode(&mut self, work: Work) {
        let (Some((at, _)), Some(schema)) = (&self.open, &self.built) else { return };
        let weight = work.block.weight();
        let (options, schema, decode) = (self.options.clone(), schema.clone(), self.decode);
        let pending = self.workers.submit(move || decode(work, &options, &schema));
        self.queued += weight;
        self.queue.push_back(Queued::Batch(*at, pending, weight));
    }

    fn close(&mut self, error: Option<Error>) {
        let Some((at, mut open)) = self.open.take() else { return };
        let ended = Ended {
            about: open.dump.about().cloned(),
            encoding: Some(open.chunks.encoding().as_str()),
            bytes: open.bytes.load(Ordering::Relaxed),
            warnings: open.dump.take_warnings(),
            error,
            skipped: None,
        };
        self.queue.push_back(Queued::End(at, Box::new(ended)));
    }
}

impl Iterator for Pipeline {
    type Item = Event;

    fn next(&mut self) -> Option<Event> {
        while self.queued <= self.limit && self.queue.len() <= MOST_QUEUED && self.advance() {}
        self.progress.check().ok()?;
        match self.queue.pop_front()? {
            Queued::Begin(name, input) => Some(Event::Begin(name, input)),
            Queued::End(at, ended) => Some(Event::End(at, ended)),
            Queued::Batch(at, pending, weight) => {
                self.queued -= weight;
                match pending.wait() {
                    Ok(mut batch) => {
                        if let Some(paging) = &mut self.paging {
                            paging.cut(&mut batch);
                        }
                        Some(Event::Batch(at, Box::new(batch)))
                    }
                    Err(panic) => {
                        self.give_up(at);
                        let error = Error::input(self.name(at), panic);
                        Some(Event::End(at, Box::new(Ended::failed(error))))
                    }
                }
            }
        }
    }
}

/// Blocks in the queue, however small: each costs its arrays.
const MOST_QUEUED: usize = 64;

impl Pipeline {
    /// Drops what is left of an input after a fault of ours in one of its blocks.
    fn give_up(&mut self, at: usize) {
        self.open = self.open.take().filter(|(of, _)| *of != at);
        let is_other = |queued: &Queued| match queued {
            Queued::Batch(of, ..) | Queued::End(of, _) => *of != at,
            Queued::Begin(..) => true,
        };
        let gone = self.queue.iter().filter(|queued| !is_other(queued));
        let gone: u64 =
            gone.map(|queued| if let Queued::Batch(_, _, weight) = queued { *weight } else { 0 }).sum();
        self.queued -= gone;
        self.queue.retain(is_other);
    }
}

impl Event {
    /// The same, of a run in which so many dumps had begun before this pipeline's.
    pub fn behind(self, before: usize) -> Event {
        match self {
            Event::Begin(name, input) => Event::Begin(name, input),
            Event::Batch(at, batch) => Event::Batch(before + at, batch),
            Event::End(at, ended) => Event::End(before + at, ended),
        }
    }
}

impl Ended {
    fn failed(error: Error) -> Ended {
        Ended { error: Some(error), ..Ended::default() }
    }
}

#[cfg(test)]
mod tests;
