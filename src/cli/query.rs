//! `calltable query`: a request as typed becomes a job, the library answers it on standard output, and what else
//! there is to say goes to stderr.

use std::io::{Write, stdout};

use calltable::convert::Exit;
use calltable::filter::Filter;
use calltable::query::{Accept, Job, Outcome, empty, query};
use calltable::report::InputReport;
use calltable::sink::Out;
use calltable::source::inputs::expand_with_archives;
use calltable::{Error, FilterError, Result};

use super::args::{OCTETS, Query};
use super::progress::Shown;
use super::signals::Signals;
use super::summary::skipped;
use super::table::{counted, grouped};
use super::{filters, reading, say, streams};

/// Answers; the exit code is that of converting the inputs.
pub(crate) fn run(typed: &Query, json: bool, signals: &Signals) -> Result<Exit> {
    if json {
        return Err(Error::usage(
            "--json: query answers in the PBX's own shape; cdrapi?format=json asks for JSON",
        ));
    }
    let options = reading::options(&typed.reading)?;
    let limits = reading::limits(&typed.running)?;
    let context = filters::context(&typed.groups, &options)?;
    let accept = if typed.accept == OCTETS { Accept::OctetStream } else { Accept::Any };
    let request = &*typed.request;
    // Told before the request is answered: a path that is not there is wrong usage whatever is asked.
    streams::check_input(&typed.paths)?;
    streams::check_output()?;
    let inputs = expand_with_archives(&typed.paths)?;
    let filter = match Filter::parse_query(request, &context) {
        Ok(filter) => filter,
        Err(error) => return malformed(request, &error, accept),
    };
    let progress = signals.progress(&inputs);
    let job = Job {
        accept,
        options,
        limits,
        now: context.now,
        progress: progress.clone(),
        ..Job::new(inputs, filter)
    };
    let shown = Shown::start(typed.running.progress, &progress, true);
    let mut out = Out::stdout();
    let outcome = query(job, &mut out);
    drop(shown);
    let outcome = outcome?;
    tell(typed, &outcome);
    Ok(outcome.exit)
}

/// The empty container; a text that is a request to no PBX is wrong usage.
fn malformed(request: &str, error: &FilterError, accept: Accept) -> Result<Exit> {
    let Some(container) = empty(request, accept)? else {
        return Err(filters::wrong("REQUEST", request, error));
    };
    let mut out = stdout().lock();
    out.write_all(&container).and_then(|()| out.flush()).map_err(say::unwritten)?;
    reason(request, error);
    Ok(Exit::Done)
}

/// Why the answer is empty.
fn reason(request: &str, error: &FilterError) {
    // What only an answer asks is told by its parameter alone.
    let position = match (&error.parameter, error.position) {
        (Some(parameter), 0) => request.find(&**parameter).unwrap_or(0),
        (_, position) => position,
    };
    filters::point(request, position);
    say::line(&format!(
        "no records, for the request is malformed: {}",
        FilterError { position, ..error.clone() }
    ));
}

/// What is to be known besides the answer.
fn tell(typed: &Query, outcome: &Outcome) {
    if let Some(error) = &outcome.wrong {
        reason(&typed.request, error);
    }
    say::diagnostics(&outcome.report.inputs);
    skipped(&outcome.report).iter().for_each(|line| say::line(line));
    outcome.report.inputs.iter().filter_map(rejected_of).for_each(|line| say::line(&line));
    let reasons = &outcome.report.rejects.by_reason;
    if !reasons.is_empty() {
        let reasons: Vec<String> =
            reasons.iter().map(|(name, times)| format!("{name} {}", grouped(*times))).collect();
        say::line(&format!("rejected: {}; convert keeps their text, place and reason", reasons.join(", ")));
    }
    // The JSON says so itself.
    if let Some(next) = outcome.facts.next.as_ref().filter(|_| typed.accept == OCTETS) {
        say::line(&format!("one page of more: the next begins with start_key={next}"));
    }
    if outcome.cut > 0 {
        say::line(&format!(
            "warning: {} too long to be held whole, and answered in parts",
            counted(outcome.cut, "call")
        ));
    }
    if outcome.exit == Exit::Failed {
        say::error("no input could be read");
    }
}

fn rejected_of(input: &InputReport) -> Option<String> {
    let counts = &input.counts;
    let rejected = || format!("{} of {}", grouped(counts.rejected), counted(counts.records, "record"));
    (counts.rejected > 0)
        .then(|| format!("warning: {}: {} rejected, which are not in the answer", input.source, rejected()))
}
