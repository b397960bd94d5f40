//! The command line, as typed and as resolved.

use crate::writers::{Dialect, FORMATS, Format, Nesting, Style};

pub(crate) const HELP: &str = "\
Writes a realistic dump of phone calls: 500 extensions, 10,000 outside numbers, 20 trunks, a year.

generate --format NAME (--bytes SIZE | --calls N) -o FILE [options]

  --format NAME      ucm-cdrapi-csv, ucm-cdrapi-json, ucm-cdrapi-ndjson (a flat object a line),
                     ucm-cdrapi-xml, ucm-web-csv, nexo-csv, nexo-json, nexo-recordings-json,
                     yeastar-csv, yeastar-json, asterisk-csv, ami, kazoo-csv, kazoo-json
  --bytes SIZE       how large at most: 1GB (10^9), 1GiB (2^30), 512MB, 100000; a year, however large
  --calls N          so many calls instead, the same ones in every format of a system
  -o, --output FILE  where to; - is standard output
  --dialect NAME     device (default): quoted as the device does, `clid` as it stands, in CSV and XML;
                     standard (or rfc4180): as CSV readers and XML parsers expect it
  --columns N        generation of ucm-cdrapi: 22, 27 or 32 (default); JSON and XML of the first two
                     have no main records
  --nesting NAME     which calls in the JSON and XML of ucm-cdrapi have a main record and subs:
                     all (default), or some: those of more legs than one
  --seed N           another seed, other calls (default 1)
";

/// What to write, how much and where.
pub(crate) struct Options {
    pub(crate) format: &'static Format,
    pub(crate) style: Style,
    pub(crate) size: Size,
    pub(crate) seed: u64,
    pub(crate) output: String,
}

/// When to stop. Whatever it is, the calls are spread over one year.
pub(crate) enum Size {
    Bytes(u64),
    Calls(u64),
}

impl Options {
    /// `None` where help was asked for.
    pub(crate) fn from_args(mut args: impl Iterator<Item = String>) -> Result<Option<Options>, String> {
        let (mut format, mut size, mut output) = (None, None, None);
        let (mut seed, mut style) =
            (1, Style { dialect: Dialect::Device, columns: 32, nesting: Nesting::All });
        while let Some(name) = args.next() {
            if name == "--help" || name == "-h" {
                return Ok(None);
            }
            let value = args.next().ok_or_else(|| format!("{name} lacks its value"))?;
            match name.as_str() {
                "--format" => format = Some(format_named(&value)?),
                "--bytes" => size = Some(Size::Bytes(bytes(&value)?)),
                "--calls" => size = Some(Size::Calls(number(&value)?)),
                "-o" | "--output" => output = Some(value),
                "--dialect" => style.dialect = dialect_named(&value)?,
                "--nesting" => style.nesting = nesting_named(&value)?,
                "--columns" => style.columns = columns(&value)?,
                "--seed" => seed = number(&value)?,
                _ => return Err(format!("no option {name}")),
            }
        }
        Ok(Some(Options {
            format: format.ok_or("--format is missing")?,
            size: size.ok_or("--bytes or --calls is missing")?,
            output: output.ok_or("-o is missing")?,
            style,
            seed,
        }))
    }
}

fn format_named(name: &str) -> Result<&'static Format, String> {
    FORMATS.iter().find(|format| format.name == name).ok_or_else(|| format!("no format {name}"))
}

fn dialect_named(name: &str) -> Result<Dialect, String> {
    match name {
        "device" => Ok(Dialect::Device),
        "standard" | "rfc4180" => Ok(Dialect::Standard),
        _ => Err(format!("no dialect {name}")),
    }
}

fn nesting_named(name: &str) -> Result<Nesting, String> {
    match name {
        "all" => Ok(Nesting::All),
        "some" => Ok(Nesting::Some),
        _ => Err(format!("no nesting {name}")),
    }
}

fn columns(value: &str) -> Result<usize, String> {
    match value {
        "22" => Ok(22),
        "27" => Ok(27),
        "32" => Ok(32),
        _ => Err(format!("--columns is 22, 27 or 32, not {value}")),
    }
}

fn number(value: &str) -> Result<u64, String> {
    value.parse().map_err(|_| format!("{value} is no number"))
}

/// `1GB`, `1GiB`, `512MB`, `100000`.
fn bytes(value: &str) -> Result<u64, String> {
    let digits = value.bytes().take_while(u8::is_ascii_digit).count();
    let (count, unit) = value.split_at(digits);
    let unit: u64 = match unit {
        "" | "B" => 1,
        "kB" | "KB" => 1_000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return Err(format!("{value} is no size")),
    };
    number(count)?.checked_mul(unit).ok_or_else(|| format!("{value} is too large"))
}
