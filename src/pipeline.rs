//! Wires the stages: inputs → dumps → blocks → batches, in order, in bounded memory.
//!
//! ```text
//!  this thread: open, read, split ──▶ queue of blocks being decoded ──▶ batches, in order
//!                                       │  ▲
//!                                       ▼  │   workers: frame, columns
//! ```
//!
//! The queue holds a bounded number of bytes: whoever takes batches slowly stops the reader. One
//! loop serves one thread and many. A fault ends its input, not the run.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use arrow::datatypes::SchemaRef;

use crate::archive::is_archive;
use crate::column::Batch;
use crate::convert::Progress;
use crate::dump::{About, Dump, HEAD, Step, Work};
use crate::error::{Error, Result};
use crate::format::detect::detect;
use crate::options::Options;
use crate::paging::Paging;
use crate::recycle::Shelf;
use crate::schema::{self, TimeKind};
use crate::source::chunk::Chunks;
use crate::source::inputs::Input;
use crate::source::magic::{Looks, looks_like};
use crate::source::{self, Bytes};
use crate::split::Content;
use crate::survey::Survey;
use crate::time::Zone;
use crate::workers::{Pending, Workers};

/// What comes out of the pipeline, in the order of the inputs and their records.
#[derive(Debug)]
pub enum Event {
    /// Rows and rejects of a block of the input with that index.
    Batch(usize, Box<Batch>),
    /// The input with that index is read to its end, or to its fault.
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
    inputs: Vec<Input>,
    options: Arc<Options>,
    workers: Workers,
    next: usize,
    open: Option<Open>,
    queue: VecDeque<Queued>,
    /// Bytes of the blocks in the queue, and how many there may be.
    queued: u64,
    limit: u64,
    times: Option<TimeKind>,
    /// The schema as it is promised, and as the batches have it.
    schema: Option<SchemaRef>,
    built: Option<SchemaRef>,
    is_prepared: bool,
    progress: Arc<Progress>,
    shelf: Shelf,
    decode: Decode,
    /// The page that is left; nothing where rows are not paged.
    paging: Option<Paging>,
}

/// How a block is decoded.
pub type Decode = fn(Work, &Options, &SchemaRef) -> Batch;

struct Open {
    at: usize,
    dump: Dump,
    chunks: Chunks<Bytes>,
    /// The input, where it can be read a second time.
    again: Option<Input>,
    /// What ended the reading before the input's end.
    fault: Option<Error>,
    read_before: u64,
}

enum Queued {
    Batch(usize, Pending<Batch>, u64),
    End(usize, Box<Ended>),
}

impl Pipeline {
    /// A pipeline over these inputs that keeps at most so many bytes of blocks in its queue.
    pub fn new(
        inputs: Vec<Input>,
        options: Arc<Options>,
        workers: Workers,
        limit: u64,
        progress: Arc<Progress>,
    ) -> Pipeline {
        let paging = Paging::of(&options);
        Pipeline {
            inputs,
            options,
            workers,
            next: 0,
            open: None,
            queue: VecDeque::new(),
            queued: 0,
            limit,
            times: None,
            schema: None,
            built: None,
            is_prepared: false,
            progress,
            shelf: Shelf::default(),
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

    /// The inputs.
    pub fn inputs(&self) -> &[Input] {
        &self.inputs
    }

    /// The schema of all batches: known once the first dump is recognised, which this waits for.
    /// Without any dump its times are instants if a zone was named.
    pub fn schema(&mut self) -> SchemaRef {
        while self.schema.is_none() && self.advance() {}
        let by_zone = if self.options.zone.is_some() { TimeKind::Instant } else { TimeKind::WallClock };
        let times = self.times.unwrap_or(by_zone);
        self.schema.get_or_insert_with(|| schema::project(&self.options.columns, times)).clone()
    }

    /// Reads on by one step; comes back with whether there is more.
    fn advance(&mut self) -> bool {
        let Some(open) = &mut self.open else { return self.open_next() };
        let step = open.step(&self.options);
        if self.schema.is_none()
            && let Some(about) = open.dump.about()
        {
            self.times = Some(about.times);
            self.schema = Some(schema::project(&self.options.columns, about.times));
            let built = if self.is_prepared { schema::project_prepared } else { schema::project };
            self.built = Some(built(&self.options.columns, about.times));
        }
        match step {
            Ok(Some(work)) => self.decode(work),
            Ok(None) => self.close(None),
            Err(error) => self.close(Some(error)),
        }
        true
    }

    fn open_next(&mut self) -> bool {
        let at = self.next;
        let Some(input) = self.inputs.get(at) else { return false };
        self.next += 1;
        match open(input, at, &self.options, self.times, &self.progress) {
            Ok(Opened::Dump(mut open)) => {
                open.dump = open.dump.with_shelf(self.shelf.clone());
                self.open = Some(*open);
            }
            Ok(Opened::Skipped(why)) => {
                let ended = Ended { skipped: Some(why), ..Ended::default() };
                self.queue.push_back(Queued::End(at, Box::new(ended)));
            }
            Err(error) => self.queue.push_back(Queued::End(at, Box::new(Ended::failed(error)))),
        }
        true
    }

    fn decode(&mut self, work: Work) {
        let (Some(open), Some(schema)) = (&self.open, &self.built) else { return };
        let bytes = match &work.block.content {
            Content::Records { text, .. }
            | Content::Elements { text, .. }
            | Content::Rejected { text, .. } => text.len() as u64,
            Content::Passed { .. } => 0,
        };
        let (options, schema, decode) = (self.options.clone(), schema.clone(), self.decode);
        let pending = self.workers.submit(move || decode(work, &options, &schema));
        self.queued += bytes;
        self.queue.push_back(Queued::Batch(open.at, pending, bytes));
    }

    fn close(&mut self, error: Option<Error>) {
        let Some(mut open) = self.open.take() else { return };
        let ended = Ended {
            about: open.dump.about().cloned(),
            encoding: Some(open.chunks.encoding().as_str()),
            bytes: self.progress.bytes.load(Ordering::Relaxed) - open.read_before,
            warnings: open.dump.take_warnings(),
            error,
            skipped: None,
        };
        self.queue.push_back(Queued::End(open.at, Box::new(ended)));
    }
}

impl Iterator for Pipeline {
    type Item = Event;

    fn next(&mut self) -> Option<Event> {
        while self.queued <= self.limit && self.queue.len() <= MOST_QUEUED && self.advance() {}
        match self.queue.pop_front()? {
            Queued::End(at, ended) => Some(Event::End(at, ended)),
            Queued::Batch(at, pending, bytes) => {
                self.queued -= bytes;
                match pending.wait() {
                    Ok(mut batch) => {
                        if let Some(paging) = &mut self.paging {
                            paging.cut(&mut batch);
                        }
                        Some(Event::Batch(at, Box::new(batch)))
                    }
                    Err(panic) => {
                        self.give_up(at);
                        let error = Error::input(self.inputs[at].name.clone(), panic);
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
        self.open = self.open.take().filter(|open| open.at != at);
        let is_other = |queued: &Queued| match queued {
            Queued::Batch(of, ..) | Queued::End(of, _) => *of != at,
        };
        let gone = self.queue.iter().filter(|queued| !is_other(queued));
        let gone: u64 =
            gone.map(|queued| if let Queued::Batch(_, _, bytes) = queued { *bytes } else { 0 }).sum();
        self.queued -= gone;
        self.queue.retain(is_other);
    }
}

impl Ended {
    fn failed(error: Error) -> Ended {
        Ended { error: Some(error), ..Ended::default() }
    }
}

/// An input whose first bytes were looked at.
enum Opened {
    Dump(Box<Open>),
    /// Found in a walked folder, and no text: passed over, for this reason.
    Skipped(String),
}

fn open(
    input: &Input,
    at: usize,
    options: &Arc<Options>,
    times: Option<TimeKind>,
    progress: &Arc<Progress>,
) -> Result<Opened> {
    let read_before = progress.bytes.load(Ordering::Relaxed);
    let opened = source::open(input)?;
    let again = opened.seekable.then(|| input.clone());
    let looks = looks_like(&opened.head);
    if input.walked
        && matches!(looks, Looks::Sound(_) | Looks::Picture(_) | Looks::Document(_) | Looks::Program(_))
    {
        return Ok(Opened::Skipped(looks.describe(&opened.head)));
    }
    if !matches!(looks, Looks::Text | Looks::Json | Looks::Xml | Looks::Empty | Looks::Nuls) {
        let hint = if is_archive(looks) { "; `query` reads those that convert wrote" } else { "" };
        let what = looks.describe(&opened.head);
        return Err(Error::input(&input.name, format!("no dump: it is {what}{hint}")));
    }
    let chunks = opened
        .into_chunks(progress.bytes.clone())
        .map_err(|error| Error::input(&input.name, error.to_string()))?;
    let dump = Dump::new(input.name.as_str().into(), options.clone(), times, chunks.offset());
    Ok(Opened::Dump(Box::new(Open { at, dump, chunks, again, fault: None, read_before })))
}

impl Open {
    /// The next block, or nothing at the end.
    fn step(&mut self, options: &Arc<Options>) -> Result<Option<Work>> {
        loop {
            match self.dump.step()? {
                Step::Work(work) => return Ok(Some(work)),
                Step::Done => return self.fault.take().map_or(Ok(None), Err),
                Step::Need(bytes) => {
                    if let Err(fault) = fill(&mut self.dump, &mut self.chunks, bytes) {
                        // What was whole before the fault is read; then the input fails.
                        self.fault = Some(fault);
                        self.dump.cut_off();
                    }
                }
                Step::Survey => {
                    let found = self.again.as_ref().map(|input| survey(input, options)).transpose()?;
                    self.dump.surveyed(found)?;
                }
            }
        }
    }
}

fn fill(dump: &mut Dump, chunks: &mut Chunks<Bytes>, upto: usize) -> Result<()> {
    let filled = chunks.fill(dump.buffer(), upto);
    filled.map_err(|error| Error::input(dump.name(), error.to_string()).at(chunks.offset()))?;
    if dump.buffer().len() < upto {
        dump.end();
    }
    Ok(())
}

/// Reads an input once more, dates only, up to the first that decides.
fn survey(input: &Input, options: &Arc<Options>) -> Result<Survey> {
    let mut survey = Survey::new(options.zone == Some(Zone::Auto));
    let opened = source::open(input)?.into_chunks(Arc::default());
    let mut chunks = opened.map_err(|error| Error::input(&input.name, error.to_string()))?;
    let mut dump = Dump::new(input.name.as_str().into(), options.clone(), None, chunks.offset());
    loop {
        match dump.step()? {
            Step::Done => return Ok(survey),
            Step::Survey => dump.surveyed(None)?,
            Step::Need(bytes) => fill(&mut dump, &mut chunks, bytes)?,
            Step::Work(work) => {
                // The head did not decide: it must not seem to now, before its doubts are seen again.
                let behind_the_head = work.block.offset >= HEAD as u64;
                survey.block(work.block);
                if behind_the_head && survey.is_decided(options.date_order) {
                    return Ok(survey);
                }
            }
        }
    }
}

/// What the times of an input become, if its first bytes tell: for a look before the start.
pub fn times_of(input: &Input, options: &Options) -> Option<TimeKind> {
    let opened = source::open(input).ok()?;
    let text = source::text::text_of(&opened.head);
    let detected =
        detect(&text, options.format, options.encoding).ok().map(|detected| detected.layout.times());
    let times = detected.or(options.format.map(|format| format.times))?;
    Some(if options.zone.is_some() { TimeKind::Instant } else { times })
}
