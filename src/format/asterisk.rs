//! Asterisk's `cdr_csv`: the file `Master.csv`, and those of single accounts beside it.
//!
//! Source: Asterisk, module `cdr_csv` and its options in `cdr.conf`; the fields are those of the
//! "Asterisk CDR" specification, which also the guides of the UCM and the Nexo describe.
//!
//! - There is no header. A record is told by its times, numbers and disposition ([`is_record`]).
//! - Sixteen columns stand in every record. `loguniqueid` appends `uniqueid`, `loguserfield` appends
//!   `userfield`, `newcdrcolumns` appends the last three, in that order:
//!
//! ```text
//!  fields  after the sixteen                      how it is read
//!   16     -                                      plain
//!   17     uniqueid, or userfield                 told by its shape
//!   18     uniqueid userfield                     plain
//!   19     peeraccount linkedid sequence          moved
//!   20     as 17, peeraccount linkedid sequence   told by its shape, moved
//!   21     all five                               plain
//! ```
//!
//! - So records are laid out under the names of the widest generation, and a file whose options were
//!   changed mixes them freely. Plain records are those that are its columns from the left; every
//!   other number of fields goes through [`fit`] and is regular.
//! - Texts are quoted properly, numbers not at all.
//! - `userfield` is the dialplan's to fill: only a word that says the call's direction is taken for one.

use std::borrow::Cow;
use std::ops::Range;

use super::ucm::{dialled, name};
use super::{Channels, Columns, Csv, Field, Fill, Fit, Format, From, Misfit, Syntax, field};
use crate::csv::Quotes;
use crate::decode::call_type_word;
use crate::schema::{Column as C, TimeKind};
use crate::time::{DateOrder, epoch_of_id, read_seconds, read_time};

/// `Master.csv`.
pub(super) const CSV: Format = Format {
    name: "asterisk-csv",
    vendor: "asterisk",
    recognised_by: "no header; a time in columns 10 and 12, a time or nothing in 11, numbers in 13 and 14, \
                    a disposition in 15",
    syntax: Syntax::Csv(Csv {
        is_header: super::no_header,
        is_record,
        generations: &[&NAMES],
        quotes: Quotes::Device,
        plain: |_, fields| matches!(fields, 16 | 18 | 21),
        fit,
        page: None,
    }),
    fields: FIELDS,
    fill: Fill::Always(COLUMNS),
    times: TimeKind::WallClock,
    channels: Channels::Names,
};

#[rustfmt::skip]
const NAMES: [&str; 21] = [
    "accountcode", "src", "dst", "dcontext", "clid", "channel", "dstchannel", "lastapp", "lastdata",
    "start", "answer", "end", "duration", "billsec", "disposition", "amaflags",
    "uniqueid", "userfield", "peeraccount", "linkedid", "sequence",
];

/// How many columns every record has.
const FIXED: usize = 16;

const FIELDS: &[Field] = &[
    field("accountcode"),
    field("src"),
    field("dst"),
    field("dcontext"),
    field("clid"),
    field("channel"),
    field("dstchannel"),
    field("lastapp"),
    field("lastdata"),
    field("start"),
    field("answer"),
    field("end"),
    field("duration"),
    field("billsec"),
    field("disposition"),
    field("amaflags"),
    field("uniqueid"),
    field("userfield"),
    field("peeraccount"),
    field("linkedid"),
    field("sequence"),
];

const COLUMNS: Columns = &[
    (C::RecordId, &[From::Field("sequence")]),
    (C::CallId, &[From::Field("linkedid"), From::Field("uniqueid")]),
    (C::Uniqueid, &[From::Field("uniqueid")]),
    (C::Accountcode, &[From::Field("accountcode")]),
    (C::Src, &[From::Field("src")]),
    (C::SrcName, &[From::Part("clid", name)]),
    (C::Dst, &[From::Field("dst")]),
    (C::DstNumber, &[From::Part("dst", dialled)]),
    (C::Clid, &[From::Field("clid")]),
    (C::Dcontext, &[From::Field("dcontext")]),
    (C::Channel, &[From::Field("channel")]),
    (C::Dstchannel, &[From::Field("dstchannel")]),
    (C::Lastapp, &[From::Field("lastapp")]),
    (C::Lastdata, &[From::Field("lastdata")]),
    (C::Start, &[From::Field("start")]),
    (C::Answer, &[From::Field("answer")]),
    (C::End, &[From::Field("end")]),
    (C::Duration, &[From::Field("duration")]),
    (C::Billsec, &[From::Field("billsec")]),
    (C::Disposition, &[From::Field("disposition")]),
    (C::CallType, &[From::Part("userfield", direction)]),
    (C::Amaflags, &[From::Field("amaflags")]),
    (C::Userfield, &[From::Field("userfield")]),
];

/// `Internal`, `Inbound`, …; any other text leaves it to the channels.
fn direction(userfield: &str) -> Option<Cow<'_, str>> {
    call_type_word(userfield).map(Cow::Borrowed)
}

fn is_record(values: &[&[u8]]) -> bool {
    let [start, answer, end, duration, billsec, disposition] = match values.get(9..15) {
        Some(&[a, b, c, d, e, f]) if values.len() <= NAMES.len() && values.len() >= FIXED => {
            [a, b, c, d, e, f]
        }
        _ => return false,
    };
    let is_number = |value: &[u8]| matches!(read_seconds(value), Ok(Some(_)));
    is_time(start)
        && is_time(end)
        && (is_time(answer) || answer.trim_ascii().is_empty())
        && is_number(duration)
        && is_number(billsec)
        && is_disposition(disposition)
}

fn is_time(value: &[u8]) -> bool {
    [DateOrder::MonthFirst, DateOrder::DayFirst]
        .iter()
        .any(|&order| matches!(read_time(value, order), Ok(Some(_))))
}

/// The words that Asterisk writes.
fn is_disposition(value: &[u8]) -> bool {
    let words = ["ANSWERED", "NO ANSWER", "BUSY", "FAILED", "CONGESTION", "UNKNOWN"];
    words.iter().any(|word| word.as_bytes().eq_ignore_ascii_case(value.trim_ascii()))
}

/// Puts what follows the sixteen fixed columns under its names.
fn fit(record: &Misfit<'_>) -> Fit {
    let found = record.fields.len();
    if !(FIXED..=NAMES.len()).contains(&found) {
        return Fit::No(format!("{found} fields where cdr_csv writes 16 to 21"));
    }
    let newer = found >= FIXED + 3;
    let (uniqueid, userfield) = match found - FIXED - 3 * usize::from(newer) {
        0 => (false, false),
        1 if looks_like_uniqueid(&record.value(FIXED)) => (true, false),
        1 => (false, true),
        _ => (true, true),
    };
    let mut columns: Vec<Range<usize>> = (0..FIXED).map(|at| at..at + 1).collect();
    for stands in [uniqueid, userfield, newer, newer, newer] {
        let from = columns.last().map_or(0, |column| column.end);
        columns.push(from..from + usize::from(stands));
    }
    Fit::Regular(columns)
}

/// `1386092800.0`, `pbx-1386092800.0`: an epoch, a dot and a counter.
fn looks_like_uniqueid(value: &[u8]) -> bool {
    let id = value.rsplit(|&byte| byte == b'-').next().unwrap_or(value);
    id.contains(&b'.') && epoch_of_id(id).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::csv::{Dialect, read_record};
    use crate::format::normalise;

    const SIXTEEN: &str = "acc,610,619,from-internal,\"\"\"A, B\"\" <610>\",SIP/610-1,SIP/619-2,Dial,\"SIP/619,60\",\
                           2014-01-29 14:28:00,2014-01-29 14:28:03,2014-01-29 14:31:00,180,177,ANSWERED,DOCUMENTATION";

    /// What stands under each name behind the sixteen, for a record with these fields behind them.
    fn tail(text: &str) -> String {
        let line = format!("{SIXTEEN}{text}");
        let dialect = Dialect { delimiter: b',', eol: b'\n', quotes: Quotes::Device };
        let (mut fields, names) = (Vec::new(), NAMES.map(normalise));
        read_record(line.as_bytes(), 0, dialect, &mut fields);
        let record = Misfit { names: &names, text: line.as_bytes(), fields: &fields };
        match fit(&record) {
            Fit::Regular(columns) => {
                assert_eq!(columns.len(), NAMES.len());
                assert!((0..FIXED).all(|at| columns[at] == (at..at + 1)));
                let value = |range: &Range<usize>| {
                    range
                        .clone()
                        .map(|at| String::from_utf8_lossy(&record.value(at)).into_owned())
                        .collect::<String>()
                };
                columns[FIXED..].iter().map(value).collect::<Vec<_>>().join("|")
            }
            Fit::Repaired(_) => panic!("nothing is broken"),
            Fit::No(why) => why,
        }
    }

    #[test]
    fn generations() {
        let check = |text, expected| assert_eq!(tail(text), expected, "{text:?}");
        check("", "||||");
        check(",1386092800.0", "1386092800.0||||");
        check(",pbx-1386092800.12", "pbx-1386092800.12||||");
        check(",my text", "|my text|||");
        check(",5551234567", "|5551234567|||");
        check(",5551234567-1.5", "|5551234567-1.5|||");
        check(",", "||||");
        check(",1386092800.0,my text", "1386092800.0|my text|||");
        check(",peer,1386092800.0,7", "||peer|1386092800.0|7");
        check(",1386092800.1,peer,1386092800.0,7", "1386092800.1||peer|1386092800.0|7");
        check(",my text,,1386092800.0,7", "|my text||1386092800.0|7");
        check(",1386092800.1,my text,peer,1386092800.0,7", "1386092800.1|my text|peer|1386092800.0|7");
        check(",1,2,3,4,5,6", "22 fields where cdr_csv writes 16 to 21");
    }

    #[test]
    fn plain_records_are_fitted_the_same_way() {
        for fields in [FIXED, 18, 21] {
            assert!((CSV.csv().unwrap().plain)(&[], fields));
        }
        for fields in [15, 17, 19, 20, 22] {
            assert!(!(CSV.csv().unwrap().plain)(&[], fields));
        }
    }

    #[test]
    fn records_are_told_by_their_middle() {
        let check = |line: &str, expected| {
            let values: Vec<&[u8]> = line.split('|').map(str::as_bytes).collect();
            assert_eq!(is_record(&values), expected, "{line}");
        };
        let head = "|610|619|ctx|610|SIP/1|SIP/2|Dial|SIP/2";
        let times = "2014-01-29 14:28:00|2014-01-29 14:28:03|2014-01-29 14:31:00";
        check(&format!("{head}|{times}|180|177|ANSWERED|DOCUMENTATION"), true);
        check(
            &format!("{head}|2014-01-29 14:28:00||2014-01-29 14:31:00|180|0|NO ANSWER|3|1386092800.0"),
            true,
        );
        check(&format!("{head}|{times}|180|177|ANSWERED|DOCUMENTATION|1386092800.0|u|p|l|7"), true);
        check(&format!("{head}|{times}|180|177|ANSWERED|DOCUMENTATION|1386092800.0|u|p|l|7|more"), false);
        check(&format!("{head}|{times}|180|177|ANSWERED"), false);
        check(&format!("{head}|{times}|180||ANSWERED|DOCUMENTATION"), false);
        check(&format!("{head}|{times}|180|177|OK|DOCUMENTATION"), false);
        check(&format!("62{head}|{times}|180|177|ANSWERED|DOCUMENTATION"), true);
        check(&format!("62|{head}|{times}|180|177|ANSWERED|DOCUMENTATION"), false);
        check(&format!("{head}||2014-01-29 14:28:03|2014-01-29 14:31:00|180|177|ANSWERED|3"), false);
    }

    #[test]
    fn userfields() {
        let check = |userfield, expected: Option<&str>| assert_eq!(direction(userfield).as_deref(), expected);
        check("Inbound", Some("inbound"));
        check("anything", None);
    }
}
