//! From values as typed to the library's objects, for what several commands share: how dumps are
//! read, and what of the machine is used. Each wrong value is told by its option; nothing is opened.

use calltable::convert::Limits;
use calltable::decode::{NumberPlan, PortMap};
use calltable::source::encoding;
use calltable::time::{DateOrder, Zone};
use calltable::{Error, Options, Result, Wanted, format};

use super::args::{AUTO, Ports, Reading, Records, Running};

/// How dumps are read; the columns and the records are all.
pub(crate) fn options(typed: &Reading) -> Result<Options> {
    let told = typed.format == AUTO;
    let by_default = Options::default();
    Ok(Options {
        // An unknown name was told by clap.
        format: if told { None } else { format::by_name(&typed.format) },
        zone: parsed("--timezone", &typed.timezone, Zone::parse)?,
        date_order: parsed("--date-order", &typed.date_order, str::parse::<DateOrder>)?,
        encoding: typed.encoding.as_deref().map(encoding::by_label).transpose()?,
        ports: ports(&typed.ports)?,
        plan: parsed("--number-plan", &typed.number_plan, NumberPlan::parse)?.unwrap_or_default(),
        lenient: typed.lenient,
        ..by_default
    })
}

/// Which records of nested calls become rows.
pub(crate) fn records(typed: Records) -> Wanted {
    match typed {
        Records::All => Wanted::All,
        Records::Calls => Wanted::Calls,
        Records::Legs => Wanted::Legs,
    }
}

/// Which analog ports are lines and which are phones.
pub(crate) fn ports(typed: &Ports) -> Result<PortMap> {
    let by_model = parsed("--model", &typed.model, PortMap::of_model)?;
    let by_map = parsed("--ports", &typed.ports, PortMap::parse)?;
    Ok(by_model.or(by_map).unwrap_or_default())
}

/// Threads and memory.
pub(crate) fn limits(typed: &Running) -> Result<Limits> {
    let threads = match &typed.threads {
        None => Limits::default().threads,
        Some(text) => count("--threads", text, MOST_THREADS)? as usize,
    };
    Ok(Limits { threads, memory: memory(&typed.memory)? })
}

const MOST_THREADS: u64 = 1024;

/// A number from 1 to `most`.
pub(crate) fn count(option: &str, text: &str, most: u64) -> Result<u64> {
    let number = text.parse().ok().filter(|number| (1..=most).contains(number));
    number.ok_or_else(|| Error::usage(format!("{option} {text}: a number from 1 to {most} is asked for")))
}

fn parsed<T>(
    option: &str,
    text: &Option<String>,
    parse: impl Fn(&str) -> std::result::Result<T, String>,
) -> Result<Option<T>> {
    let wrong = |message| Error::usage(format!("{option}: {message}"));
    text.as_deref().map(parse).transpose().map_err(wrong)
}

/// `512M`, `512MiB` or bytes; at least what the program can do with.
fn memory(text: &str) -> Result<u64> {
    let wrong = |why| Err(Error::usage(format!("--memory {text}: {why}")));
    match bytes(text) {
        None => wrong("write it as 512M, 512MiB, 2G or in bytes"),
        Some(bytes) if bytes < Limits::LEAST_MEMORY => wrong("at least 64M is needed"),
        Some(bytes) => Ok(bytes),
    }
}

fn bytes(text: &str) -> Option<u64> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let shift = match &*unit.to_ascii_lowercase() {
        "" => 0,
        "k" | "kib" => 10,
        "m" | "mib" => 20,
        "g" | "gib" => 30,
        "t" | "tib" => 40,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(1 << shift)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        let check = |text, expected| assert_eq!(bytes(text), expected, "{text}");
        check("512M", Some(512 << 20));
        check("512MiB", Some(512 << 20));
        check("512mib", Some(512 << 20));
        check("2G", Some(2 << 30));
        check("67108864", Some(64 << 20));
        for wrong in ["", "M", "512MB", "512 M", "-1", "+1", "1.5G", "99999999T", "18446744073709551616"] {
            check(wrong, None);
        }
    }
}
