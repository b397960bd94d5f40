//! Writes realistic dumps of phone systems' call records, as large as you like:
//!
//! ```text
//! cargo run --release --example generate -- --format ucm-cdrapi-csv --bytes 1GB -o calls.csv
//! ```
//!
//! For measuring (ours against the peers', `benches/peers`) and for tests that need a lot of plausible
//! rows. The same options give the same bytes, everywhere.
//!
//! The idea: an `Office` (its extensions, the numbers it talks to, its trunks) and a `Clock` that knows
//! when people call; an `Exchange` puts calls through, one after another, as a `Call` of one or more
//! `Leg`s; and each format is one writer, a function that prints a `Call` as that system's dump would.
//! A writer decides nothing: all formats and dialects of one seed and number of calls describe the same calls
//! (those of one system; another has other numbers). Calls stand in the order in which they began; a later leg of one
//! may so begin after the next call, as it does in real dumps.
//!
//! Must not know: anything of the `calltable` library. What it writes is an independent witness, so it
//! has no dependency either.

mod options;
mod random;

mod clock;
mod names;
mod office;

mod call;
mod exchange;
mod scenes;

mod text;
mod writers;

use exchange::Exchange;
use office::Office;
use options::{Options, Size};
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::process::ExitCode;
use writers::Dump;

fn main() -> ExitCode {
    let options = match Options::from_args(std::env::args().skip(1)) {
        Ok(Some(options)) => options,
        Ok(None) => {
            print!("{}", options::HELP);
            return ExitCode::SUCCESS;
        }
        Err(message) => {
            eprintln!("generate: {message} (--help tells the options)");
            return ExitCode::from(2);
        }
    };
    match open(&options.output).and_then(|output| generate(&options, output)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("generate: {}: {error}", options.output);
            ExitCode::FAILURE
        }
    }
}

fn open(output: &str) -> io::Result<Box<dyn Write>> {
    Ok(match output {
        "-" => Box::new(io::stdout().lock()),
        path => Box::new(File::create(path)?),
    })
}

/// A beginning, then call after call until the next one would not fit, and an end.
fn generate(options: &Options, output: impl Write) -> io::Result<()> {
    let mut output = BufWriter::with_capacity(1 << 20, output);
    let format = options.format;
    let call_bytes = (format.call_bytes)(&options.style);
    let (most_calls, most_bytes, calls_a_year) = match options.size {
        Size::Bytes(bytes) => (u64::MAX, bytes, bytes as f64 / call_bytes),
        Size::Calls(calls) => (calls, u64::MAX, calls as f64),
    };
    let office = Office::new(&format.plan, options.seed);
    let mut exchange = Exchange::new(&office, options.seed, calls_a_year);

    let room = most_bytes.saturating_sub(end(options, u64::MAX).len() as u64);
    let mut dump = Dump::default();
    (format.start)(&options.style, &mut dump.text);
    output.write_all(&dump.text)?;
    let mut written = dump.text.len() as u64;
    let mut records = 0;
    for _ in 0..most_calls {
        dump.text.clear();
        (format.call)(&exchange.next_call(), &options.style, &mut dump);
        if written + dump.text.len() as u64 > room {
            break;
        }
        output.write_all(&dump.text)?;
        written += dump.text.len() as u64;
        records = dump.records;
    }
    output.write_all(&end(options, records))?;
    output.flush()
}

/// What stands behind so many records; the more, the longer.
fn end(options: &Options, records: u64) -> Vec<u8> {
    let mut text = Vec::new();
    (options.format.end)(&options.style, records, &mut text);
    text
}
