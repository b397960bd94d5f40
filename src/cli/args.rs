//! What the user types: commands, options and values as they stand, and the help that explains them.
//!
//! Nothing here is resolved, looked up or opened: a value that only has to be one of some words is
//! checked by clap, every other stays the text that it is, and `reading.rs` and the commands make
//! objects of it. The help says what `cli.md` says, in fewer words.

use std::ffi::OsString;
use std::path::PathBuf;

use calltable::format;
use calltable::sink::Kind;
use clap::builder::PossibleValuesParser;
use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};

const EXIT_CODES: &str = "\
Exit codes: 0 done; 1 failed, or no input could be read: nothing published; 2 wrong usage; \
3 rejects or failures that were not agreed to: nothing published; \
4 published, but some records were rejected or some input failed.";

/// Turns phone systems' call detail records (CDRs) into one clean, typed table.
#[derive(Debug, Parser)]
#[command(name = "calltable", version, subcommand_required = true, arg_required_else_help = true)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,

    /// Print the result as JSON.
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

/// What is to be done.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Convert dumps into one typed dataset.
    Convert(Box<Convert>),
    /// Answer a PBX's request from dumps and archives, as the PBX would.
    Query(Box<Query>),
    /// Tell what dumps are: format, columns, time range, counts, first rows, problems.
    Inspect(Box<Inspect>),
    /// Decode channel names.
    Channel(Channel),
    /// Show the unified table, column by column.
    Schema,
    /// Show what can be read, and how it is recognised.
    Formats,
    /// Print a completion script for a shell.
    Completions {
        /// The shell.
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },
    /// Print the manual page.
    Man,
}

/// `convert`: the main job.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES, override_usage = "calltable convert [OPTIONS] -o <PATH> <INPUT>...")]
pub(crate) struct Convert {
    #[command(flatten)]
    pub(crate) inputs: Inputs,
    #[command(flatten)]
    pub(crate) output: Output,
    #[command(flatten)]
    pub(crate) filters: Filters,
    #[command(flatten)]
    pub(crate) reading: Reading,
    #[command(flatten)]
    pub(crate) rejects: Rejects,
    #[command(flatten)]
    pub(crate) running: Running,
}

/// `query`: what would the PBX have answered?
#[derive(Debug, Args)]
#[command(after_help = QUERY_HELP)]
pub(crate) struct Query {
    /// What the PBX is asked: a URL of cdrapi, Nexo, Yeastar or Kazoo as a script has it, or its end,
    /// such as 'cdrapi?caller=53@&minDur=8', 'nexo?src=100-199', 'yeastar?…', 'kazoo?…', 'ucm-web?…'.
    #[arg(value_name = "REQUEST")]
    pub(crate) request: String,
    /// Dumps and files that convert wrote (Parquet, Arrow): files, folders, glob patterns, or `-` for
    /// standard input.
    #[arg(value_name = "INPUT", required = true, value_hint = ValueHint::AnyPath)]
    pub(crate) paths: Vec<OsString>,
    /// What a Kazoo is told to answer in: application/json, or application/octet-stream for its CSV.
    #[arg(long, value_name = "TYPE", default_value = ANYTHING, value_parser = [ANYTHING, "application/json", OCTETS])]
    pub(crate) accept: String,
    #[command(flatten)]
    pub(crate) groups: Groups,
    #[command(flatten)]
    pub(crate) reading: Reading,
    #[command(flatten)]
    pub(crate) running: Running,
}

/// Whatever the PBX gives.
pub(crate) const ANYTHING: &str = "*/*";

/// A Kazoo's CSV.
pub(crate) const OCTETS: &str = "application/octet-stream";

const QUERY_HELP: &str = "\
The answer goes to standard output in the PBX's own shape: cdrapi by its format (csv, xml, json), ucm-web as the \
page's CSV, Nexo, Yeastar and Kazoo as JSON. A malformed request is answered as the PBX does, with the empty \
container; the reason stands on stderr. Exit codes: 0 done, also with an empty answer; 1 no input could be read; \
2 wrong usage; 4 answered, but some records were rejected or some input failed.";

/// `inspect`: what is it?
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct Inspect {
    #[command(flatten)]
    pub(crate) inputs: Inputs,
    #[command(flatten)]
    pub(crate) filters: Filters,
    #[command(flatten)]
    pub(crate) reading: Reading,
    #[command(flatten)]
    pub(crate) running: Running,
}

/// `channel`: what a channel name says.
#[derive(Debug, Args)]
pub(crate) struct Channel {
    /// Channel names, such as PJSIP/trunk_1/5551234-0000001b.
    #[arg(value_name = "NAME", required = true)]
    pub(crate) names: Vec<String>,
    #[command(flatten)]
    pub(crate) ports: Ports,
}

/// What is to be read.
#[derive(Debug, Args)]
pub(crate) struct Inputs {
    /// Dumps: files, folders (with all that is in them), glob patterns, or `-` for standard input.
    #[arg(value_name = "INPUT", required = true, value_hint = ValueHint::AnyPath)]
    pub(crate) paths: Vec<OsString>,
}

/// What is to be written.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct Output {
    /// Where the table goes: a file, whose ending tells its kind (.parquet, .arrow, .arrows, .csv,
    /// .jsonl), a folder (with --partition-by, --max-file-rows or --append), or `-` for standard output.
    #[arg(id = "output", short, long, value_name = "PATH", value_hint = ValueHint::AnyPath)]
    pub(crate) path: Option<PathBuf>,

    /// The kind of output, where no ending says so; of a folder parquet without it.
    #[arg(long, value_name = "KIND", value_parser = kinds())]
    pub(crate) to: Option<String>,

    /// Only these columns of the unified table, in this order, separated by commas; the others are
    /// not decoded.
    #[arg(long, value_name = "LIST")]
    pub(crate) columns: Option<String>,

    /// The output is a folder of folders, by year, month, date (of `start`), vendor, call_type or another
    /// column of few values, such as year=2024/month=05/part-00000.parquet.
    #[arg(long, value_name = "LIST")]
    pub(crate) partition_by: Option<String>,

    /// The output is a folder, and its files have so many rows at most.
    #[arg(long, value_name = "N")]
    pub(crate) max_file_rows: Option<String>,

    /// Sort by these columns, ascending, nulls last; equal rows stay in order.
    #[arg(long, value_name = "COLUMNS")]
    pub(crate) sort_by: Option<String>,

    /// Add to a folder the inputs that it does not have yet, in steps; a killed run goes on where it was.
    #[arg(long, conflicts_with = "overwrite")]
    pub(crate) append: bool,

    /// Drop a record that equals an earlier one of the run in all columns but source and source_offset.
    #[arg(long)]
    pub(crate) dedup: bool,

    /// Parquet: zstd[:LEVEL] (default, level 1), snappy, lz4, gzip, none; Arrow: zstd, lz4, none
    /// (default).
    #[arg(long, value_name = "METHOD")]
    pub(crate) compression: Option<String>,

    /// Rows in a row group of Parquet.
    #[arg(long, value_name = "N", default_value = "250000")]
    pub(crate) row_group_rows: String,

    /// Replace an output that exists; without it, that is an error.
    #[arg(long)]
    pub(crate) overwrite: bool,

    /// Write the run's report there, as JSON.
    #[arg(long, value_name = "PATH", value_hint = ValueHint::FilePath)]
    pub(crate) report_file: Option<PathBuf>,
}

/// Which records become rows.
#[derive(Debug, Args)]
#[command(next_help_heading = "Filters")]
pub(crate) struct Filters {
    /// Which records of nested calls become rows: calls, the main and single ones; legs, the sub
    /// and single ones.
    #[arg(long, value_name = "WHICH", value_enum, default_value_t = Records::All)]
    pub(crate) records: Records,

    /// Only records that match a PBX's own request, such as 'cdrapi?caller=53@&minDur=8', or a URL of
    /// cdrapi, Nexo, Yeastar or Kazoo; may be repeated, and all must match.
    #[arg(long = "filter", value_name = "REQUEST")]
    pub(crate) requests: Vec<String>,

    /// Only records for which a SQL condition on the unified columns is true, such as "src like '53%'
    /// and billsec between 8 and 60"; may be repeated.
    #[arg(long = "where", value_name = "CONDITION", allow_hyphen_values = true)]
    pub(crate) conditions: Vec<String>,

    #[command(flatten)]
    pub(crate) groups: Groups,
}

/// The extension groups that requests name.
#[derive(Debug, Args)]
pub(crate) struct Groups {
    /// Who is in an extension group that a request names; may be repeated.
    #[arg(long = "extension-group", value_name = "NAME=LIST")]
    pub(crate) groups: Vec<String>,
}

/// How dumps are read.
#[derive(Debug, Args)]
#[command(next_help_heading = "Reading")]
pub(crate) struct Reading {
    /// The dumps' format; by default each file's content tells it.
    #[arg(long, value_name = "NAME", default_value = AUTO, value_parser = formats())]
    pub(crate) format: String,

    /// The PBX's time zone, which makes instants of its clock times: an IANA name, an offset such
    /// as +05:00, or auto, for what each record's own epoch shows.
    #[arg(long, value_name = "ZONE", allow_hyphen_values = true)]
    pub(crate) timezone: Option<String>,

    /// Whether dates such as 5/6/2024 have the month or the day first; by default each file tells.
    #[arg(long, value_name = "ORDER", value_parser = ["mdy", "dmy"])]
    pub(crate) date_order: Option<String>,

    /// The encoding of records that are not UTF-8, such as gbk or windows-1252; without it they are
    /// rejected.
    #[arg(long, value_name = "LABEL")]
    pub(crate) encoding: Option<String>,

    #[command(flatten)]
    pub(crate) ports: Ports,

    /// What a Nexo's numbers stand for, such as extension=100-616,ivr=620-639; kinds that are not
    /// named keep their documented range.
    #[arg(long, value_name = "PLAN")]
    pub(crate) number_plan: Option<String>,

    /// A value that cannot be typed is null and its text kept in `extra`; without it the record is
    /// rejected.
    #[arg(long)]
    pub(crate) lenient: bool,
}

/// Which analog ports of the PBX are lines, and which are phones.
#[derive(Debug, Args)]
pub(crate) struct Ports {
    /// The PBX's model, such as UCM6204: tells which analog ports are lines and which are phones.
    #[arg(long, value_name = "MODEL", conflicts_with = "ports")]
    pub(crate) model: Option<String>,

    /// The same for a model that is not known, such as fxo=1-4,fxs=5-8.
    #[arg(long, value_name = "MAP")]
    pub(crate) ports: Option<String>,
}

/// What becomes of records that cannot be read.
#[derive(Debug, Args)]
#[command(next_help_heading = "Rejects")]
pub(crate) struct Rejects {
    /// Where rejected records go; by default the output's whole name and .rejects.jsonl, and
    /// nowhere where the output is `-`.
    #[arg(id = "rejects", long, value_name = "PATH", value_hint = ValueHint::FilePath)]
    pub(crate) path: Option<PathBuf>,

    /// So many rejects, or so many in a hundred records, are agreed to: exit code 0; with more,
    /// nothing is published, and the exit code is 3.
    #[arg(long, value_name = "N|P%", conflicts_with = "strict", allow_hyphen_values = true)]
    pub(crate) max_rejects: Option<String>,

    /// Neither a reject nor a failed input is agreed to: nothing is published then, and the exit
    /// code is 3.
    #[arg(long)]
    pub(crate) strict: bool,
}

/// How the machine is used.
#[derive(Debug, Args)]
#[command(next_help_heading = "Running")]
pub(crate) struct Running {
    /// Worker threads; by default one for every core.
    #[arg(long, value_name = "N", allow_hyphen_values = true)]
    pub(crate) threads: Option<String>,

    /// The greatest memory of the process: 512M, 512MiB or bytes; at least 64M.
    #[arg(long, value_name = "SIZE", default_value = "256M", allow_hyphen_values = true)]
    pub(crate) memory: String,

    /// Show bytes, rows a second and the time left on stderr; auto does so on a terminal.
    #[arg(long, value_name = "WHEN", value_enum, default_value_t = Progress::Auto)]
    pub(crate) progress: Progress,
}

/// Which records become rows.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Records {
    All,
    Calls,
    Legs,
}

/// When the progress is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Progress {
    Auto,
    Always,
    Never,
}

/// The word for "told from the content".
pub(crate) const AUTO: &str = "auto";

fn kinds() -> PossibleValuesParser {
    PossibleValuesParser::new(Kind::ALL.map(|(name, _)| name))
}

fn formats() -> PossibleValuesParser {
    PossibleValuesParser::new(std::iter::once(AUTO).chain(format::ALL.iter().map(|format| format.name)))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn arguments_are_sound() {
        Arguments::command().debug_assert();
    }
}
