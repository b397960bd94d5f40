//! The decoder without I/O: feed bytes, take batches. For callers who bring their own bytes, from
//! a socket, an upload, an async runtime.

use std::collections::VecDeque;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;

use crate::dump::{Dump, Step};
use crate::error::Result;
use crate::options::Options;
use crate::paging::Paging;
use crate::reader::{Counts, Decoded, Numbering};
use crate::schema;

/// Decodes one dump from pieces of its bytes, cut anywhere.
///
/// The bytes are UTF-8, with or without a byte order mark; `Reader` also reads UTF-16. What has come
/// out at any time depends on the bytes alone, never on how they were cut. It holds back at most
/// the head of the dump (4 MiB, until the order of its dates is known), then a block of 1 MiB, or one
/// record (at most 16 MiB).
///
/// ```
/// use calltable::{Decoder, Options};
///
/// let mut decoder = Decoder::new("upload-17", Options::default());
/// decoder.feed(b"AcctId,src,dst,start,clid\n1,6039,60")?;
/// decoder.feed(b"11,2024-05-17 12:34:56,\"GVC Test\" <6039>\n")?;
/// decoder.finish()?;
/// let batch = decoder.next_batch().expect("one block");
/// assert_eq!(batch.rows.num_rows(), 1);
/// assert!(batch.rejects.is_empty());
/// # Ok::<(), calltable::Error>(())
/// ```
#[derive(Debug)]
pub struct Decoder {
    dump: Dump,
    options: Arc<Options>,
    schema: Option<SchemaRef>,
    ready: VecDeque<Decoded>,
    numbering: Numbering,
    paging: Paging,
    /// What its counts warn of, once it has ended.
    warnings: Vec<String>,
    /// The first bytes, until it is known whether they are a byte order mark.
    mark: Option<Vec<u8>>,
}

const MARK: &[u8] = b"\xef\xbb\xbf";

impl Decoder {
    /// A decoder of a dump of that name (column `source`).
    pub fn new(name: &str, options: Options) -> Decoder {
        let options = Arc::new(options);
        Decoder {
            dump: Dump::new(name.into(), options.clone(), None, 0),
            paging: Paging::of(&options),
            options,
            schema: None,
            ready: VecDeque::new(),
            numbering: Numbering::default(),
            warnings: Vec::new(),
            mark: Some(Vec::new()),
        }
    }

    /// Takes the next bytes.
    ///
    /// # Errors
    /// The dump is none, or its dates contradict each other; nothing more comes out.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<()> {
        let Some(mut first) = self.mark.take() else { return self.put(bytes) };
        first.extend_from_slice(bytes);
        if first.len() < MARK.len() && MARK.starts_with(&first) {
            self.mark = Some(first);
            return Ok(());
        }
        self.begin(&first)
    }

    /// Says that no bytes follow; what is left comes out.
    ///
    /// # Errors
    /// As [`Decoder::feed`].
    pub fn finish(&mut self) -> Result<()> {
        if let Some(first) = self.mark.take() {
            self.begin(&first)?;
        }
        self.dump.end();
        self.run()?;
        self.warnings.extend(self.numbering.end(self.dump.about()));
        Ok(())
    }

    /// The next block's rows and rejects, if there is one.
    pub fn next_batch(&mut self) -> Option<Decoded> {
        self.ready.pop_front()
    }

    /// The schema of the batches; known once the first came out.
    pub fn schema(&self) -> Option<SchemaRef> {
        self.schema.clone()
    }

    /// What was counted in the batches that have come out or are ready to.
    pub fn counts(&self) -> Counts {
        self.numbering.counts()
    }

    /// What the caller should know of the dump, each sentence once; all is known when it is finished.
    pub fn take_warnings(&mut self) -> Vec<String> {
        let mut warnings = self.dump.take_warnings();
        warnings.append(&mut self.warnings);
        warnings
    }

    fn begin(&mut self, first: &[u8]) -> Result<()> {
        let text = first.strip_prefix(MARK).unwrap_or(first);
        self.dump.start_at((first.len() - text.len()) as u64);
        self.put(text)
    }

    fn put(&mut self, bytes: &[u8]) -> Result<()> {
        self.dump.buffer().extend_from_slice(bytes);
        self.run()
    }

    fn run(&mut self) -> Result<()> {
        loop {
            match self.dump.step()? {
                Step::Done | Step::Need(_) => return Ok(()),
                Step::Survey => self.dump.surveyed(None)?,
                Step::Work(work) => {
                    let times = work.file.times;
                    let schema =
                        self.schema.get_or_insert_with(|| schema::project(&self.options.columns, times));
                    let mut batch = work.decode(&self.options, schema);
                    self.paging.cut(&mut batch);
                    let decoded = self.numbering.number(batch, self.dump.name());
                    if !decoded.is_empty() {
                        self.ready.push_back(decoded);
                    }
                }
            }
        }
    }
}

impl Iterator for Decoder {
    type Item = RecordBatch;

    /// The next block's rows alone, for callers who look at [`Decoder::counts`] in the end.
    fn next(&mut self) -> Option<RecordBatch> {
        self.next_batch().map(|decoded| decoded.rows)
    }
}
