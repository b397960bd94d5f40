//! `calltable convert`: options become a job, the library does it, the summary tells of it.

use calltable::convert::{Agreed, Exit, Job, convert};
use calltable::sink::Compression;
use calltable::{Column, Error, ErrorKind, Options, Result};

use super::args::{Convert, Rejects};
use super::places::Places;
use super::progress::Shown;
use super::signals::Signals;
use super::summary::{Asked, summary};
use super::{filters, reading, say, streams};

/// Converts; the exit code says what came of it.
pub(crate) fn run(typed: &Convert, json: bool, signals: &Signals) -> Result<Exit> {
    let job = job(typed, json, signals)?;
    let asked = Asked::of(&job);
    let shown = Shown::start(typed.running.progress, &job.progress, job.output.is_none());
    let outcome = convert(job);
    drop(shown);
    let outcome = outcome?;
    if let Some(error) = outcome.error.as_ref().filter(|error| error.kind() == ErrorKind::Stopped) {
        return Err(error.clone());
    }
    say::diagnostics(&outcome.report.inputs);
    if let Some(error) = &outcome.error {
        say::error(&error.to_string());
    }
    match json {
        true => say::json(&outcome.report)?,
        false => summary(&outcome, &asked).iter().for_each(|line| say::line(line)),
    }
    Ok(outcome.exit)
}

/// What is to be done; nothing has been read or written when it is known.
fn job(typed: &Convert, json: bool, signals: &Signals) -> Result<Job> {
    let read = reading::options(&typed.reading)?;
    let context = filters::context(&typed.filters.groups, &read)?;
    let filters = filters::filters(&typed.filters, &context)?;
    let sort_by = typed.output.sort_by.as_deref().map_or(Ok(Vec::new()), |list| listed("--sort-by", list))?;
    let records = reading::records(typed.filters.records);
    let options = Options { columns: columns(typed.output.columns.as_deref())?, records, filters, ..read };
    let limits = reading::limits(&typed.running)?;
    let agreed = agreed(&typed.rejects)?;
    let places = Places::of(&typed.output, &typed.rejects, json)?;
    let compression = typed.output.compression.as_deref();
    let compression = compression.map(|text| Compression::parse(text, places.kind)).transpose()?;
    let row_group_rows = reading::count("--row-group-rows", &typed.output.row_group_rows, u32::MAX.into())?;
    streams::check_input(&typed.inputs.paths)?;
    if places.output.is_none() {
        streams::check_output()?;
    }
    let inputs = places.inputs(&typed.inputs.paths)?;
    Ok(Job {
        progress: signals.progress(&inputs),
        inputs,
        options,
        now: context.now,
        output: places.output,
        kind: places.kind,
        parts: places.parts,
        sort_by,
        dedup: typed.output.dedup,
        compression: compression.unwrap_or_default(),
        row_group_rows: row_group_rows as usize,
        overwrite: typed.output.overwrite,
        rejects: places.rejects,
        agreed,
        report: places.report,
        limits,
    })
}

/// The columns of `--columns`, in its order.
fn columns(list: Option<&str>) -> Result<Vec<Column>> {
    list.map_or_else(|| Ok(Column::all().collect()), |list| listed("--columns", list))
}

/// The columns of a list.
fn listed(option: &str, list: &str) -> Result<Vec<Column>> {
    let mut columns = Vec::new();
    for name in list.split(',').map(str::trim) {
        let unknown = || {
            Error::usage(format!("{option} {list}: there is no column `{name}`; `calltable schema` has all"))
        };
        let column = Column::by_name(name).ok_or_else(unknown)?;
        if columns.contains(&column) {
            return Err(Error::usage(format!("{option} {list}: {name} stands twice; name it once")));
        }
        columns.push(column);
    }
    Ok(columns)
}

/// How many rejects are agreed to.
fn agreed(typed: &Rejects) -> Result<Agreed> {
    match &typed.max_rejects {
        _ if typed.strict => Ok(Agreed::Strict),
        None => Ok(Agreed::Unsaid),
        Some(text) => most(text).ok_or_else(|| {
            Error::usage(format!(
                "--max-rejects {text}: a count such as 10 or a share such as 0.5% is asked for"
            ))
        }),
    }
}

/// `10` or `0.5%`.
fn most(text: &str) -> Option<Agreed> {
    let is_plain = |number: &str| number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    match text.strip_suffix('%') {
        None => text.parse().ok().filter(|_| is_plain(text)).map(Agreed::Count),
        Some(share) => {
            let share = share.parse().ok().filter(|_| is_plain(share));
            share.filter(|share| (0.0..=100.0).contains(share)).map(Agreed::Percent)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agreed_rejects() {
        let check = |text, expected| assert_eq!(most(text), expected, "{text}");
        check("0", Some(Agreed::Count(0)));
        check("10", Some(Agreed::Count(10)));
        check("0.5%", Some(Agreed::Percent(0.5)));
        check("100%", Some(Agreed::Percent(100.0)));
        for wrong in ["", "%", "ten", "-1", "+1", "1.5", "101%", "nan%", "inf%", "1e1%", "1 %", "1.2.3%"] {
            check(wrong, None);
        }
    }
}
