//! Inputs become dumps: a file is one, what is packed has one or many; and each can be read once more.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use crate::archive::is_archive;
use crate::convert::Progress;
use crate::dump::{Dump, HEAD, Step, Work};
use crate::error::{Error, Result};
use crate::format::detect::detect;
use crate::options::Options;
use crate::schema::TimeKind;
use crate::source::chunk::Chunks;
use crate::source::inputs::Input;
use crate::source::magic::{Looks, looks_like};
use crate::source::packed::{Member, Packed, What, is_packed};
use crate::source::{self, Bytes, Opened};
use crate::survey::Survey;
use crate::time::Zone;
use crate::workers::unbroken;

/// The dumps of all inputs, one behind the other: an input is one, or an archive of them.
pub struct Dumps {
    inputs: std::vec::IntoIter<Input>,
    /// How many of them were begun.
    begun: usize,
    packed: Option<Unpacked>,
    progress: Arc<Progress>,
}

/// An input that is being unpacked.
struct Unpacked {
    members: Packed,
    input: Input,
    /// It is a file: opened again, it has the same members.
    is_file: bool,
    /// Which member is next.
    at: usize,
}

/// What was found where a dump should be.
pub enum Found {
    /// One.
    Dump(Box<Open>),
    /// In a walked folder or an archive, what nobody can have meant: passed over, for this reason.
    Skipped(String),
    /// What cannot be read, or is no dump.
    Failed(Error),
}

/// A dump that is being read.
pub struct Open {
    /// What its bytes become.
    pub dump: Dump,
    /// Its text.
    pub chunks: Chunks<Bytes>,
    /// Bytes read of it.
    pub bytes: Arc<AtomicU64>,
    /// Where it can be read a second time.
    again: Option<Again>,
    /// What ended the reading before the dump's end.
    fault: Option<Error>,
}

/// Where a dump is found again.
#[derive(Clone)]
struct Again {
    input: Input,
    /// Which member of it, if it is packed.
    member: Option<usize>,
    /// How it is read.
    options: Arc<Options>,
}

impl Dumps {
    /// Of these inputs. What is taken from their files is counted.
    pub fn new(inputs: Vec<Input>, progress: Arc<Progress>) -> Dumps {
        Dumps { inputs: inputs.into_iter(), begun: 0, packed: None, progress }
    }

    /// The number of the input that the last one was of.
    pub fn input(&self) -> usize {
        self.begun.saturating_sub(1)
    }

    /// The next one, and its name; `times` is what the table's times are, if that is decided.
    pub fn next(&mut self, options: &Arc<Options>, times: Option<TimeKind>) -> Option<(Arc<str>, Found)> {
        loop {
            if let Some(found) = self.next_member(options, times) {
                return Some(found);
            }
            let input = self.inputs.next()?;
            self.begun += 1;
            let name: Arc<str> = input.name.as_str().into();
            let opened = unbroken(|| self.open(input, options, times));
            match opened.unwrap_or_else(|panic| Err(Error::input(&*name, panic))) {
                Ok(Some(found)) => return Some((name, found)),
                Ok(None) => {}
                Err(error) => return Some((name, Found::Failed(error))),
            }
        }
    }

    /// What the input is, or nothing: its members follow.
    fn open(
        &mut self,
        input: Input,
        options: &Arc<Options>,
        times: Option<TimeKind>,
    ) -> Result<Option<Found>> {
        let opened = source::open(&input)?;
        let taken = self.progress.bytes.clone();
        let is_file = opened.file.is_some();
        if is_packed(&opened.head) {
            let members = Packed::start(&input.name, opened, taken)?;
            self.packed = Some(Unpacked { members, input, is_file, at: 0 });
            return Ok(None);
        }
        let again = Again::of(is_file, &input, None, options);
        let name = input.name.as_str().into();
        Ok(Some(found(name, opened.counted(taken), input.walked, again, options, times)))
    }

    fn next_member(&mut self, options: &Arc<Options>, times: Option<TimeKind>) -> Option<(Arc<str>, Found)> {
        let Unpacked { members, input, is_file, at } = self.packed.as_mut()?;
        let Some(Member { name, format, what }) = members.next() else {
            self.packed = None;
            return None;
        };
        let name: Arc<str> = name.into();
        let options = &under(options, format.as_deref());
        let found = match what {
            What::Opened(opened) => {
                let again = Again::of(*is_file, input, Some(*at), options);
                // What an archive has nobody has named.
                let walked = input.walked || *name != *input.name;
                found(name.clone(), *opened, walked, again, options, times)
            }
            What::Skipped(why) => Found::Skipped(why),
            What::Failed(error) => Found::Failed(error),
        };
        *at += 1;
        Some((name, found))
    }
}

/// The options for a member whose format is known: the caller's own word about formats is about others.
fn under(options: &Arc<Options>, format: Option<&str>) -> Arc<Options> {
    match format.and_then(crate::format::by_name) {
        Some(format) => Arc::new(Options { format: Some(format), ..Options::clone(options) }),
        None => options.clone(),
    }
}

fn found(
    name: Arc<str>,
    opened: Opened,
    walked: bool,
    again: Option<Again>,
    options: &Arc<Options>,
    times: Option<TimeKind>,
) -> Found {
    let looks = looks_like(&opened.head);
    if walked && matches!(looks, Looks::Sound(_) | Looks::Picture(_) | Looks::Document(_) | Looks::Program(_))
    {
        return Found::Skipped(looks.describe(&opened.head));
    }
    if !matches!(looks, Looks::Text | Looks::Json | Looks::Xml | Looks::Empty | Looks::Nuls) {
        let hint = if is_archive(looks) { "; `query` reads those that convert wrote" } else { "" };
        let message = format!("no dump: it is {}{hint}", looks.describe(&opened.head));
        return Found::Failed(Error::input(&*name, message));
    }
    let bytes = Arc::default();
    match opened.counted(Arc::clone(&bytes)).into_chunks() {
        Err(error) => Found::Failed(Error::input(&*name, error.to_string())),
        Ok(chunks) => {
            let dump = Dump::new(name, options.clone(), times, chunks.offset());
            Found::Dump(Box::new(Open { dump, chunks, bytes, again, fault: None }))
        }
    }
}

impl Open {
    /// The next block, or nothing at the end.
    pub fn step(&mut self) -> Result<Option<Work>> {
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
                    let found = self.again.as_ref().map(|again| again.survey()).transpose()?;
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

impl Again {
    fn of(is_file: bool, input: &Input, member: Option<usize>, options: &Arc<Options>) -> Option<Again> {
        is_file.then(|| Again { input: input.clone(), member, options: options.clone() })
    }

    /// Reads the dump once more, dates only, up to the first that decides.
    fn survey(&self) -> Result<Survey> {
        let options = &self.options;
        let mut survey = Survey::new(options.zone == Some(Zone::Auto));
        let failed = |error: std::io::Error| Error::input(&self.input.name, error.to_string());
        let mut chunks = self.open()?.into_chunks().map_err(failed)?;
        let mut dump = Dump::new(self.input.name.as_str().into(), options.clone(), None, chunks.offset());
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

    fn open(&self) -> Result<Opened> {
        let opened = source::open(&self.input)?;
        let Some(member) = self.member else { return Ok(opened) };
        let mut packed = Packed::start(&self.input.name, opened, Arc::default())?;
        match packed.nth(member).map(|member| member.what) {
            Some(What::Opened(opened)) => Ok(*opened),
            Some(What::Failed(error)) => Err(error),
            Some(What::Skipped(_)) | None => Err(Error::input(&self.input.name, "has changed meanwhile")),
        }
    }
}

/// What the times of an input become, if its first bytes tell: for a look before the start.
pub fn times_of(input: &Input, options: &Options) -> Option<TimeKind> {
    let mut opened = source::open(input).ok()?;
    if is_packed(&opened.head) {
        let mut packed = Packed::start(&input.name, opened, Arc::default()).ok()?;
        opened = packed.find_map(|member| match member.what {
            What::Opened(opened) => Some(*opened),
            What::Skipped(_) | What::Failed(_) => None,
        })?;
    }
    let text = source::text::text_of(&opened.head);
    let detected =
        detect(&text, options.format, options.encoding).ok().map(|detected| detected.layout.times());
    let times = detected.or(options.format.map(|format| format.times))?;
    Some(if options.zone.is_some() { TimeKind::Instant } else { times })
}
