//! What clap finds wrong, as one sentence that names the option, the value and what would be right:
//! the form in which all other errors of the program are told, too.
//!
//! It knows clap's kinds of errors, and no option of ours. What stands nowhere here is told in clap's
//! own words, of which the first line is the sentence.

use clap::error::{ContextKind as Part, ContextValue, ErrorKind as Kind};

/// The sentence for an error of clap's.
pub(crate) fn sentence(error: &clap::Error) -> String {
    let argument = text(error, Part::InvalidArg);
    let given = text(error, Part::InvalidValue);
    let name = argument.split(" <").next().unwrap_or_default();
    match error.kind() {
        Kind::InvalidValue if given.is_empty() => {
            format!("{argument}: the value is missing{}", choice(error))
        }
        Kind::InvalidValue => format!("{name} {given}: no such value{}", choice(error)),
        Kind::ValueValidation => format!("{name} {given}: {}", reason(error)),
        Kind::TooManyValues => format!("{name} {given}: this option takes no value"),
        Kind::UnknownArgument if argument.starts_with('-') => {
            format!("{argument}: no such option{}", meant(error, Part::SuggestedArg))
        }
        Kind::UnknownArgument => format!("{argument}: one argument too many; --help lists what is asked for"),
        Kind::InvalidSubcommand => {
            let command = text(error, Part::InvalidSubcommand);
            format!("{command}: no such command{}", meant(error, Part::SuggestedSubcommand))
        }
        Kind::MissingRequiredArgument => format!("{argument}: missing, and --help tells what it is"),
        Kind::ArgumentConflict => conflict(&argument, &text(error, Part::PriorArg)),
        Kind::InvalidUtf8 => "an argument that is neither a path nor an input must be UTF-8".to_string(),
        _ => in_its_own_words(error),
    }
}

/// What clap says of a part of the error; empty where it says nothing.
fn text(error: &clap::Error, part: Part) -> String {
    error.get(part).map(ContextValue::to_string).unwrap_or_default()
}

fn choice(error: &clap::Error) -> String {
    match text(error, Part::ValidValue) {
        words if words.is_empty() => String::new(),
        words => format!("; one of these is asked for: {words}"),
    }
}

fn meant(error: &clap::Error, part: Part) -> String {
    match text(error, part) {
        similar if similar.is_empty() => "; --help lists all".to_string(),
        similar => format!("; did you mean {similar}?"),
    }
}

fn conflict(one: &str, other: &str) -> String {
    match one == other {
        true => format!("{one} stands twice: give it once"),
        false => format!("{one} and {other} exclude each other: give one of them"),
    }
}

fn reason(error: &clap::Error) -> String {
    std::error::Error::source(error).map(ToString::to_string).unwrap_or_default()
}

fn in_its_own_words(error: &clap::Error) -> String {
    let told = error.to_string();
    let first = told.lines().next().unwrap_or_default();
    first.strip_prefix("error: ").unwrap_or(first).to_string()
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::args::Arguments;

    fn check(line: &str, expected: &str) {
        let arguments = std::iter::once("calltable").chain(line.split_ascii_whitespace());
        assert_eq!(sentence(&Arguments::try_parse_from(arguments).unwrap_err()), expected, "{line}");
    }

    #[test]
    fn sentences() {
        check(
            "convert a --to x",
            "--to x: no such value; one of these is asked for: parquet, arrow, arrows, csv, jsonl",
        );
        check(
            "convert a --records",
            "--records <WHICH>: the value is missing; one of these is asked for: all, calls, legs",
        );
        check("convert a -o", "--output <PATH>: the value is missing");
        check("convert a --columms src", "--columms: no such option; did you mean --columns?");
        check("convert a --xyzzy", "--xyzzy: no such option; --help lists all");
        check("convrt", "convrt: no such command; did you mean convert?");
        check("xyzzy", "xyzzy: no such command; --help lists all");
        check("schema x", "x: one argument too many; --help lists what is asked for");
        check("convert", "<INPUT>...: missing, and --help tells what it is");
        check("convert a --strict=yes", "--strict yes: this option takes no value");
        check("convert a -o b -o c", "--output <PATH> stands twice: give it once");
        check(
            "convert a --strict --max-rejects 1",
            "--strict and --max-rejects <N|P%> exclude each other: give one of them",
        );
        check(
            "inspect a --ports fxo=1 --model 6204",
            "--ports <MAP> and --model <MODEL> exclude each other: give one of them",
        );
    }
}
