//! Text outputs: batches are formatted by the workers, and written in order.

use std::collections::VecDeque;
use std::io::Write;
use std::path::PathBuf;

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;

use super::{Out, Sink, Spec, text_csv, text_jsonl};
use crate::coded::Coded;
use crate::error::{Error, Result};
use crate::workers::{Pending, Workers};

/// Formats rows onto the end of a buffer.
type Format = fn(&RecordBatch, &mut Vec<u8>) -> Result<()>;

/// A CSV or JSONL output.
pub struct TextSink {
    out: Out,
    path: PathBuf,
    format: Format,
    workers: Workers,
    waiting: VecDeque<Pending<Result<Vec<u8>>>>,
    most_waiting: usize,
}

impl TextSink {
    /// CSV: begins with the header.
    pub fn csv(
        out: Out,
        spec: &Spec,
        schema: &Schema,
        workers: Workers,
        most_waiting: usize,
    ) -> Result<TextSink> {
        let mut sink = TextSink::new(out, spec, text_csv::rows, workers, most_waiting);
        let mut header = Vec::new();
        text_csv::header(schema, &mut header);
        sink.append(&header)?;
        Ok(sink)
    }

    /// JSONL.
    pub fn jsonl(out: Out, spec: &Spec, workers: Workers, most_waiting: usize) -> TextSink {
        TextSink::new(out, spec, text_jsonl::rows, workers, most_waiting)
    }

    fn new(out: Out, spec: &Spec, format: Format, workers: Workers, most_waiting: usize) -> TextSink {
        TextSink { out, path: spec.path.clone(), format, workers, waiting: VecDeque::new(), most_waiting }
    }

    fn append(&mut self, text: &[u8]) -> Result<()> {
        self.out.write_all(text).map_err(|error| Error::output(&self.path, error))
    }

    fn write_first(&mut self) -> Result<()> {
        let Some(first) = self.waiting.pop_front() else { return Ok(()) };
        let text = first.wait().map_err(|panic| Error::output(&self.path, panic))??;
        self.append(&text)
    }
}

impl Sink for TextSink {
    fn write(&mut self, rows: &RecordBatch, _: &[Option<Coded>], _: u64) -> Result<()> {
        let (format, rows) = (self.format, rows.clone());
        self.waiting.push_back(self.workers.submit(move || {
            let mut text = Vec::new();
            format(&rows, &mut text)?;
            Ok(text)
        }));
        while self.waiting.len() > self.most_waiting {
            self.write_first()?;
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<(Out, u64)> {
        while !self.waiting.is_empty() {
            self.write_first()?;
        }
        Ok((self.out, 0))
    }
}
