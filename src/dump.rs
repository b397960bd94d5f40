//! One dump, from its first byte to its last block: bytes are put in, blocks come out. No I/O.
//!
//! ```text
//!   Head ── enough bytes to know what it is ──▶ Body ── blocks ──▶ Done
//! ```
//!
//! The head tells the format, the layout and what the dates mean; then the splitter cuts the rest.
//! Files, pipes, threads and bindings are drivers over [`Dump::step`].

use std::collections::VecDeque;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use memchr::memchr_iter;

use crate::column::{self, Batch, Baton, Carry, File, Library};
use crate::error::{Error, Result};
use crate::format::detect::{Detected, detect};
use crate::format::{Format, Layout};
use crate::frame;
use crate::options::Options;
use crate::recycle::{Buffer, Shelf};
use crate::schema::TimeKind;
use crate::split::csv::{bare, header_names};
use crate::split::{
    BLOCK, Block, Content, Cut, Element, ElementKind, Irregular, KEPT_OF_TOO_LARGE, Line, MAX_RECORD, Skip,
    Splitter, Unreadable,
};
use crate::survey::{Survey, date_order};
use crate::time::{DateOrder, Zone};

/// How much of a dump is looked at before its first block: what decides the order of its dates.
pub const HEAD: usize = 4 << 20;

/// A last block of fewer bytes is copied: its buffer is the next dump's.
const SMALL: usize = BLOCK / 4;

/// Cuts that are one block where a filter is: few of their records become rows, and each block costs its columns,
/// however few rows they have. A constant, too.
const TOGETHER: usize = 2;

/// What [`Dump::step`] wants or has.
#[derive(Debug)]
pub enum Step {
    /// The buffer must be filled up to so many bytes, or the end be told.
    Need(usize),
    /// The dates in the head do not tell their order (or, for `--timezone auto`, no record an
    /// offset): survey the rest and call [`Dump::surveyed`], with what is known if it can't be read twice.
    Survey,
    /// A block to be decoded.
    Work(Work),
    /// There is no more.
    Done,
}

/// A block, and all that its decoding needs: it can be done anywhere, in any order of starting
/// that keeps a file's blocks in theirs.
#[derive(Debug)]
pub struct Work {
    /// The block.
    pub block: Block,
    /// What it shares with the file's other blocks.
    pub file: Arc<File>,
    /// What passes from block to block.
    pub carry: Carry,
}

/// What is known of a dump once its head was read.
#[derive(Clone, Debug)]
pub struct About {
    /// Its format; none for an empty file.
    pub format: Option<&'static Format>,
    /// The layout of its first records.
    pub layout: Option<Arc<Layout>>,
    /// The order of its dates, where they ask for one.
    pub date_order: Option<DateOrder>,
    /// What its times become; nothing where an empty file leaves that to the next dump.
    pub times: Option<TimeKind>,
}

/// One dump being read.
#[derive(Debug)]
pub struct Dump {
    name: Arc<str>,
    options: Arc<Options>,
    /// What the table's times are, if an earlier dump has decided that.
    expected: Option<TimeKind>,
    buffer: Buffer,
    /// Offset of the buffer's first byte in the dump.
    offset: u64,
    at_end: bool,
    /// The dump goes on behind its end, where it could not be read.
    cut_off: bool,
    /// Where the memory of blocks comes back to.
    shelf: Shelf,
    /// Where the words of columns wait that are built as codes.
    library: Library,
    state: State,
    about: Option<About>,
    warnings: Vec<String>,
}

#[derive(Debug)]
enum State {
    Head,
    /// Detected, but the order of its dates is not known yet.
    Surveying(Detected, Survey),
    Body(Box<Body>),
    Done,
}

#[derive(Debug)]
struct Body {
    splitter: Splitter,
    layout: Arc<Layout>,
    file: Arc<File>,
    baton: Arc<Baton>,
    /// How many bytes the splitter is shown; more than a block only for a longer record.
    limit: usize,
    /// How many cuts are given out as one block, and those that will be the next.
    together: usize,
    begun: Begun,
    /// Pieces above the first record, to be given out first.
    above: VecDeque<Block>,
    /// A record that is too large, being passed over.
    skipping: Option<Skipping>,
}

/// Cuts from the front of the buffer that are given out together.
#[derive(Debug, Default)]
struct Begun {
    cuts: usize,
    end: usize,
    irregular: Vec<Irregular>,
    lines: Vec<Line>,
}

#[derive(Debug)]
struct Skipping {
    offset: u64,
    kept: Vec<u8>,
    length: u64,
    lines: u64,
}

impl Dump {
    /// A dump of that name. `expected` is what the table's times are, if that is decided; `offset`
    /// is that of the first byte that will be put in (3 behind a byte order mark).
    pub fn new(name: Arc<str>, options: Arc<Options>, expected: Option<TimeKind>, offset: u64) -> Dump {
        Dump {
            name,
            options,
            expected,
            buffer: Buffer::default(),
            offset,
            at_end: false,
            cut_off: false,
            shelf: Shelf::default(),
            library: Library::default(),
            state: State::Head,
            about: None,
            warnings: Vec::new(),
        }
    }

    /// Takes memory from that shelf, and words from that library, in place of its own: to share them with
    /// other dumps that are read with the same options.
    pub fn sharing(mut self, shelf: Shelf, library: Library) -> Dump {
        (self.buffer, self.shelf, self.library) = (shelf.take(HEAD), shelf, library);
        self
    }

    /// Corrects the offset of the first byte, before any was put in.
    pub fn start_at(&mut self, offset: u64) {
        self.offset = offset;
    }

    /// The dump's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where bytes are put in: appended, up to what [`Step::Need`] says.
    pub fn buffer(&mut self) -> &mut Buffer {
        &mut self.buffer
    }

    /// Says that no bytes follow.
    pub fn end(&mut self) {
        self.at_end = true;
    }

    /// Says that no bytes follow, though the dump goes on: its last record is not whole, and is dropped.
    pub fn cut_off(&mut self) {
        self.at_end = true;
        self.cut_off = true;
        if let State::Body(body) = &self.state {
            let layout = body.layout.clone();
            self.drop_last_line(&layout, 0);
        }
    }

    /// Drops the last line of a dump that is cut off, if its records are lines; of others the splitter
    /// tells what is whole.
    fn drop_last_line(&mut self, layout: &Layout, body: usize) {
        if self.cut_off && layout.format.csv().is_some() {
            let line_end = |byte: &u8| matches!(byte, b'\n' | b'\r');
            let whole = self.buffer.iter().rposition(line_end).map_or(0, |at| at + 1);
            self.buffer.truncate(whole.max(body));
        }
    }

    /// What is known of it; nothing before the first block.
    pub fn about(&self) -> Option<&About> {
        self.about.as_ref()
    }

    /// What the user should know, in the order in which it was noticed; each is told once.
    pub fn take_warnings(&mut self) -> Vec<String> {
        std::mem::take(&mut self.warnings)
    }

    /// Goes on.
    ///
    /// # Errors
    /// The dump is none, or is none that can go into the table; nothing more comes out of it.
    pub fn step(&mut self) -> Result<Step> {
        let step = match &mut self.state {
            State::Head => self.head(),
            State::Surveying(..) => Ok(Step::Survey),
            State::Body(_) => self.body(),
            State::Done => Ok(Step::Done),
        };
        if step.is_err() {
            self.state = State::Done;
        }
        step
    }

    fn head(&mut self) -> Result<Step> {
        if self.buffer.len() < HEAD && !self.at_end {
            return Ok(Step::Need(HEAD));
        }
        if self.at_end && matches!(self.buffer.trim_ascii(), b"" | b"[]") {
            return self.empty();
        }
        let detected = detect(&self.buffer, self.options.format, self.options.encoding)
            .map_err(|message| Error::input(&*self.name, message))?;
        self.drop_last_line(&detected.layout, detected.body);
        let mut survey = Survey::new(self.zone_is_auto());
        survey.text(&self.buffer[detected.body..], &detected.layout, self.at_end && !self.cut_off);
        let asked = self.options.date_order;
        if survey.is_decided(asked) || self.at_end {
            self.begin(detected, &survey)?;
            self.step()
        } else {
            self.state = State::Surveying(detected, survey);
            Ok(Step::Survey)
        }
    }

    /// Takes what a survey of the whole dump has found; `None` where it cannot be read twice.
    ///
    /// # Errors
    /// As [`Dump::step`].
    pub fn surveyed(&mut self, found: Option<Survey>) -> Result<()> {
        match std::mem::replace(&mut self.state, State::Done) {
            State::Surveying(detected, survey) => self.begin(detected, &found.unwrap_or(survey)),
            other => {
                self.state = other;
                Ok(())
            }
        }
    }

    fn zone_is_auto(&self) -> bool {
        self.options.zone == Some(Zone::Auto)
    }

    fn empty(&mut self) -> Result<Step> {
        let what = if self.buffer.trim_ascii().is_empty() { "the file is empty" } else { "an empty list" };
        self.warnings.push(format!("{what}: a dump of no records"));
        let format = self.options.format;
        let by_zone = self.options.zone.map(|_| TimeKind::Instant);
        let times = by_zone.or(format.map(|format| format.times)).or(self.expected);
        self.about = Some(About { format, layout: None, date_order: None, times });
        self.state = State::Done;
        Ok(Step::Done)
    }

    /// From the head to the body: all that was decided becomes what the blocks share.
    fn begin(&mut self, detected: Detected, survey: &Survey) -> Result<()> {
        let Detected { layout, body, above } = detected;
        let fail = |message: String| Error::input(&*self.name, message);
        let (order, warning) = date_order(self.options.date_order, survey).map_err(fail)?;
        self.warnings.extend(warning);
        let clocks = layout.times();
        let times = match (clocks, &self.options.zone) {
            (TimeKind::WallClock, None) => TimeKind::WallClock,
            _ => TimeKind::Instant,
        };
        if self.expected.is_some_and(|expected| expected != times) {
            return Err(fail(other_kind(times)));
        }
        if self.zone_is_auto()
            && clocks == TimeKind::WallClock
            && survey.saw_records()
            && survey.first_offset().is_none()
        {
            return Err(fail(
                "no record has an epoch that --timezone auto could read its offset from".to_string(),
            ));
        }
        let file = File {
            name: self.name.clone(),
            order,
            clocks,
            times,
            zone: self.options.zone,
            first_offset: survey.first_offset().unwrap_or(0),
            shelf: self.shelf.clone(),
            library: self.library.clone(),
        };
        self.about = Some(About {
            format: Some(layout.format),
            layout: Some(layout.clone()),
            date_order: order,
            times: Some(times),
        });
        let is_sieved = layout.format.csv().is_some() && !self.options.filters.is_empty();
        let together = if is_sieved { TOGETHER } else { 1 };
        let mut splitter = Splitter::new(&layout);
        if is_sieved {
            splitter.keep_lines();
        }
        let above = self.above(&layout, body, &above);
        self.pass_over(body);
        self.state = State::Body(Box::new(Body {
            splitter,
            layout,
            file: Arc::new(file),
            baton: Baton::first(),
            limit: BLOCK,
            together,
            begun: Begun::default(),
            above,
            skipping: None,
        }));
        Ok(())
    }

    /// What stands above the first record: the header, titles, lines that look like records.
    fn above(
        &mut self,
        layout: &Arc<Layout>,
        body: usize,
        above: &[(std::ops::Range<usize>, bool)],
    ) -> VecDeque<Block> {
        let mut blocks = VecDeque::new();
        let mut titles = Vec::new();
        let eol = layout.dialect.eol;
        let mut done = 0;
        let mut block = |start: usize, content| {
            blocks.push_back(Block { offset: self.offset + start as u64, layout: layout.clone(), content });
        };
        for (line, is_as_wide) in above {
            let text = self.buffer[line.clone()].trim_ascii_end();
            if text.is_empty() {
                continue;
            }
            if *is_as_wide {
                let lines = memchr_iter(eol, &self.buffer[done..line.start]).count() as u64;
                block(done, Content::Passed { lines, repeated_header: false });
                let (text, length) = (text.to_vec(), text.len() as u64);
                block(line.start, Content::Rejected { text, length, lines: 1, why: Unreadable::NotARecord });
                done = line.end;
            } else {
                titles.push(format!(
                    "`{}`",
                    String::from_utf8_lossy(text).chars().take(80).collect::<String>()
                ));
            }
        }
        let lines = memchr_iter(eol, &self.buffer[done..body]).count() as u64;
        block(done, Content::Passed { lines, repeated_header: false });
        if !titles.is_empty() {
            self.warnings.push(format!("passed over above the header: {}", titles.join(", ")));
        }
        blocks
    }

    /// Drops bytes at the front of the buffer.
    fn pass_over(&mut self, bytes: usize) {
        self.buffer.drop_front(bytes);
        self.offset += bytes as u64;
    }

    /// Takes bytes off the front of the buffer and gives them away.
    fn advance(&mut self, bytes: usize) -> Vec<u8> {
        if self.at_end && bytes == self.buffer.len() && bytes < SMALL {
            let mut text = Vec::with_capacity(bytes + bytes / 4 + 256);
            text.extend_from_slice(&self.buffer);
            self.pass_over(bytes);
            return text;
        }
        // Room for a block, and behind it for values that have to be rewritten.
        let usual = bytes.max(1).next_multiple_of(BLOCK);
        let mut rest = self.shelf.take((self.buffer.len() - bytes).max(usual) + BLOCK / 8);
        rest.extend_from_slice(&self.buffer[bytes..]);
        let mut front = std::mem::replace(&mut self.buffer, rest);
        front.truncate(bytes);
        self.offset += bytes as u64;
        front.into_vec()
    }

    fn body(&mut self) -> Result<Step> {
        loop {
            let State::Body(body) = &mut self.state else { return Ok(Step::Done) };
            if let Some(block) = body.above.pop_front() {
                return Ok(Step::Work(body.work(block)));
            }
            if self.buffer.is_empty() && self.at_end && body.skipping.is_none() {
                return self.close();
            }
            let wanted = body.begun.end + body.limit;
            if self.buffer.len() < wanted && !self.at_end {
                return Ok(Step::Need(wanted));
            }
            let next = if body.skipping.is_some() { self.skip() } else { self.cut() };
            if let Some(block) = next {
                let State::Body(body) = &mut self.state else { return Ok(Step::Done) };
                return Ok(Step::Work(body.work(block)));
            }
        }
    }

    /// The end of the body: what the splitter knows now.
    fn close(&mut self) -> Result<Step> {
        if let State::Body(body) = &mut self.state
            && !self.cut_off
        {
            let ending = body.splitter.end();
            self.warnings.extend(ending.warnings);
            if let Some(message) = ending.error {
                return Err(Error::input(&*self.name, message));
            }
        }
        self.shelf.take_back(std::mem::take(&mut self.buffer));
        self.state = State::Done;
        Ok(Step::Done)
    }

    /// Cuts the next block; nothing where more bytes are needed, or a record has to be passed over.
    fn cut(&mut self) -> Option<Block> {
        let State::Body(body) = &mut self.state else { return None };
        let from = body.begun.end;
        if from > 0 && from == self.buffer.len() {
            return self.begun();
        }
        let shown = self.buffer.len().min(from + body.limit);
        let all = self.at_end && shown == self.buffer.len();
        let layout = body.layout.clone();
        // Of a dump that is cut off the records that are lines are whole already.
        let at_end = all && (!self.cut_off || layout.format.csv().is_some());
        let cut = body.splitter.cut(&self.buffer[from..shown], &layout, at_end);
        body.limit = BLOCK;
        match cut {
            Cut::Records(end, irregular) => {
                let is_last = body.begun.add(end, irregular, body.splitter.lines()) == body.together;
                if is_last { self.begun() } else { None }
            }
            // It comes again when it stands at the front.
            _ if from > 0 => self.begun(),
            Cut::Elements(end, elements) => {
                let layout = body.layout_of(&elements);
                let call = body.splitter.call();
                let offset = self.offset;
                let text = self.advance(end);
                Some(Block { offset, layout, content: Content::Elements { text, elements, call } })
            }
            Cut::More if all => {
                self.buffer.clear();
                None
            }
            Cut::More => {
                body.limit = (shown + BLOCK).max(shown * 2).min(MAX_RECORD + BLOCK);
                None
            }
            Cut::Header(end) => Some(self.header(end)),
            Cut::TooLarge => {
                let kept = self.buffer[..KEPT_OF_TOO_LARGE].to_vec();
                body.skipping = Some(Skipping { offset: self.offset, kept, length: 0, lines: 0 });
                None
            }
        }
    }

    /// The cuts so far, as a block.
    fn begun(&mut self) -> Option<Block> {
        let State::Body(body) = &mut self.state else { return None };
        let Begun { end, irregular, lines, .. } = std::mem::take(&mut body.begun);
        let (offset, layout) = (self.offset, body.layout.clone());
        let text = self.advance(end);
        Some(Block { offset, layout, content: Content::Records { text, irregular, lines } })
    }

    /// A header that comes again: its columns hold from here on.
    fn header(&mut self, end: usize) -> Block {
        let offset = self.offset;
        let line = self.advance(end);
        let State::Body(body) = &mut self.state else { unreachable!("headers stand in the body") };
        let old = body.layout.clone();
        if let Some(names) = header_names(&line, old.dialect) {
            let header = String::from_utf8_lossy(bare(&line).trim_ascii_end()).into_owned();
            let layout = Layout::new(old.format, old.dialect, &names, Some(header));
            // Also where the columns are the same: the line may be spelled otherwise from here on.
            body.layout = Arc::new(layout);
        }
        let lines = u64::from(line.ends_with(&[old.dialect.eol]));
        let content = Content::Passed { lines, repeated_header: true };
        Block { offset, layout: body.layout.clone(), content }
    }

    /// Passes over a record that is too large, up to its end.
    fn skip(&mut self) -> Option<Block> {
        let State::Body(body) = &mut self.state else { return None };
        let layout = body.layout.clone();
        let Skip { passed, ended } = body.splitter.skip(&self.buffer, &layout, self.at_end);
        let skipping = body.skipping.as_mut()?;
        let eol = layout.dialect.eol;
        let is_line = layout.format.csv().is_some() && self.buffer[..passed].ends_with(&[eol]);
        skipping.length += (passed - usize::from(is_line)) as u64;
        skipping.lines += memchr_iter(eol, &self.buffer[..passed]).count() as u64;
        let skipped = if ended || self.at_end { body.skipping.take() } else { None };
        self.pass_over(passed);
        skipped.map(|Skipping { offset, kept, length, lines }| Block {
            offset,
            layout,
            content: Content::Rejected { text: kept, length, lines, why: Unreadable::TooLarge },
        })
    }
}

/// Why a dump cannot go into a table of the other kind of times.
fn other_kind(own: TimeKind) -> String {
    let (own, others) = match own {
        TimeKind::WallClock => ("wall-clock times without a zone", "instants"),
        TimeKind::Instant => ("instants", "wall-clock times without a zone"),
    };
    format!("it has {own}, and the dumps before it have {others}: --timezone makes instants of all")
}

impl Begun {
    /// Adds the cut behind those before; comes back with how many there are.
    fn add(&mut self, end: usize, irregular: Vec<Irregular>, lines: &[Line]) -> usize {
        let before = self.end;
        self.irregular.extend(irregular.into_iter().map(|record| record.shifted(before)));
        self.lines.extend(lines.iter().map(|line| line.shifted(before)));
        self.end += end;
        self.cuts += 1;
        self.cuts
    }
}

impl Body {
    /// The layout of these elements: records that are each alone in a document may have another.
    fn layout_of(&mut self, elements: &[Element]) -> Arc<Layout> {
        let good = elements.iter().find(|element| !matches!(element.kind, ElementKind::Bad(_)));
        if let Some(good) = good {
            let is_alone = good.kind == ElementKind::Alone;
            if self.layout.is_alone() != is_alone {
                self.layout = Arc::new(self.layout.alone(is_alone));
            }
        }
        self.layout.clone()
    }

    fn work(&mut self, block: Block) -> Work {
        let carry = Carry::behind(self.baton.clone());
        self.baton = carry.after();
        Work { block, file: self.file.clone(), carry }
    }
}

impl Work {
    /// Decodes the block: frames its records and builds the wanted columns.
    pub fn decode(self, options: &Options, schema: &SchemaRef) -> Batch {
        let Work { block, file, carry } = self;
        let layout = block.layout.clone();
        let records =
            column::with_sieve(&layout, &file, options, |sieve| frame::sieved(block, options.how(), sieve));
        column::build(records, &file, options, schema, carry)
    }
}
