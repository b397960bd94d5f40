//! Counts that must add up: `records = written + filtered + rejected + duplicates`, for every input
//! and in sum. The structs are the report's JSON; their fields and their order are a contract.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::source::inputs::Skipped;

/// What happened in a run.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// One an input, in order.
    pub inputs: Vec<InputReport>,
    /// The sums.
    pub totals: Totals,
    /// What was passed over in walked folders.
    pub skipped: Vec<SkippedReport>,
    /// The files that were written.
    pub outputs: Vec<OutputReport>,
    /// Where the rejects are.
    pub rejects: RejectsReport,
    /// What "now" was taken to be, in RFC 3339.
    pub now: String,
    /// Wall-clock seconds.
    pub seconds: f64,
    /// Worker threads.
    pub threads: usize,
    /// The greatest resident set of the process, where the system tells.
    pub peak_memory_bytes: Option<u64>,
    /// Version of the program.
    pub version: String,
}

/// What happened to one input.
#[derive(Clone, Debug, Default, Serialize)]
pub struct InputReport {
    /// Its name, as the user gave it.
    pub source: String,
    /// Its format; null where it is none.
    pub format: Option<String>,
    /// Its encoding.
    pub encoding: Option<String>,
    /// Bytes read.
    pub bytes: u64,
    /// The counts.
    #[serde(flatten)]
    pub counts: InputCounts,
    /// `mdy` or `dmy`, where its dates ask for one.
    pub date_order: Option<String>,
    /// The offsets that its rows show, with `--timezone auto`.
    pub utc_offset: Vec<String>,
    /// Counts by name of things worth knowing.
    pub notes: BTreeMap<String, u64>,
    /// Sentences for people.
    pub warnings: Vec<String>,
    /// Why it failed, if it did; its rows before the fault count.
    pub error: Option<String>,
}

/// The counts of an input.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct InputCounts {
    /// Records read.
    pub records: u64,
    /// Rows in the output.
    pub written: u64,
    /// Left out because the caller asked so.
    pub filtered: u64,
    /// In the rejects file.
    pub rejected: u64,
    /// Dropped as duplicates.
    pub duplicates: u64,
    /// Read only after a repair.
    pub repaired: u64,
    /// Header lines that came again.
    pub repeated_headers: u64,
}

/// What is not in the output, and should be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// Records that were rejected.
    pub rejected: u64,
    /// Inputs that failed.
    pub failed: u64,
}

/// The sums over all inputs.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Totals {
    /// The counts.
    #[serde(flatten)]
    pub counts: InputCounts,
    /// The notes.
    pub notes: BTreeMap<String, u64>,
}

/// A file that was passed over.
#[derive(Clone, Debug, Serialize)]
pub struct SkippedReport {
    /// Its name.
    pub source: String,
    /// What it is.
    pub why: String,
}

/// A file that was written.
#[derive(Clone, Debug, Serialize)]
pub struct OutputReport {
    /// Its path.
    pub path: String,
    /// How many rows.
    pub rows: u64,
    /// How many bytes.
    pub bytes: u64,
    /// How many row groups (Parquet).
    pub row_groups: u64,
}

/// The rejects file.
#[derive(Clone, Debug, Default, Serialize)]
pub struct RejectsReport {
    /// Its path; null where there is none.
    pub path: Option<String>,
    /// How many records were rejected, by reason.
    pub by_reason: BTreeMap<String, u64>,
}

impl InputCounts {
    /// Whether every record is accounted for.
    pub fn add_up(&self) -> bool {
        self.records == self.written + self.filtered + self.rejected + self.duplicates
    }

    fn add(&mut self, other: &InputCounts) {
        self.records += other.records;
        self.written += other.written;
        self.filtered += other.filtered;
        self.rejected += other.rejected;
        self.duplicates += other.duplicates;
        self.repaired += other.repaired;
        self.repeated_headers += other.repeated_headers;
    }
}

impl Totals {
    /// The sums of these inputs.
    pub fn of(inputs: &[InputReport]) -> Totals {
        let mut totals = Totals::default();
        for input in inputs {
            totals.counts.add(&input.counts);
            input
                .notes
                .iter()
                .for_each(|(name, times)| *totals.notes.entry(name.clone()).or_insert(0) += times);
        }
        totals
    }
}

impl std::convert::From<&Skipped> for SkippedReport {
    fn from(skipped: &Skipped) -> SkippedReport {
        SkippedReport { source: skipped.source.clone(), why: skipped.why.clone() }
    }
}

/// The greatest resident set of this process so far, where the system tells (Linux).
pub fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

/// An instant in microseconds since 1970, in RFC 3339 to the second, in UTC.
pub fn rfc3339(instant: i64) -> String {
    let seconds = instant.div_euclid(1_000_000);
    let (year, month, day) = crate::time::civil_from_days(seconds.div_euclid(86_400));
    let time = seconds.rem_euclid(86_400);
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", time / 3600, time / 60 % 60, time % 60)
}
