//! Realigns a record of Kazoo's: which of its fields are the value of which column?
//!
//! The producer does not quote, so a comma in a name moves all that follows. But numbers, dates and
//! times have a shape that a name's half practically never has. So every column has its [`Shape`],
//! some columns take more fields than one, or none, and the fields are given out to the columns in
//! every way that the shapes allow. One way is the answer; none, or several, and the record is refused.
//!
//! This file knows the columns' names and what is written in them, but not what they mean.

use std::ops::Range;

use super::is_glued;
use crate::format::{Fit, Misfit, no_fit};

/// The most commas that names are believed to hold: beyond, a record is no record.
const MOST_COMMAS: usize = 32;

/// Tries a record without commas in its names first, as the producer writes it, then one with some.
pub(super) fn fit(record: &Misfit<'_>) -> Fit {
    let (found, expected) = (record.fields.len(), record.names.len());
    if found > expected + MOST_COMMAS {
        return no_fit(record);
    }
    let glued = is_glued(record.names);
    let shapes =
        |of: fn(&str, bool) -> Shape| record.names.iter().map(|name| of(name, glued)).collect::<Vec<_>>();
    match align(record, &shapes(Shape::of_unbroken)) {
        // Two values stay glued in one column: the user should know.
        Ways::One(columns) if glued && columns.iter().any(Range::is_empty) => return Fit::Repaired(columns),
        Ways::One(columns) => return Fit::Regular(columns),
        Ways::Several => return several(record),
        Ways::None => {}
    }
    match align(record, &shapes(Shape::of)) {
        Ways::One(columns) => Fit::Repaired(columns),
        Ways::Several => several(record),
        Ways::None => no_fit(record),
    }
}

#[cold]
fn several(record: &Misfit<'_>) -> Fit {
    let (found, expected) = (record.fields.len(), record.names.len());
    Fit::No(format!("{found} fields where the header has {expected}, and they fit it in more than one way"))
}

/// What the fields look like that are a column's value.
#[derive(Clone, Copy)]
enum Shape {
    /// One field, whatever it says.
    Any,
    /// One field that reads like this.
    Like(fn(&[u8]) -> bool),
    /// The number of a caller or a callee, or nothing.
    PartyNumber,
    /// A text that nobody quoted: so many fields, or more for its commas.
    Text(usize),
    /// So many fields, whatever they say.
    Fields(usize),
    /// `rfc_1036`: one field, or two by its comma.
    Date,
    /// `reseller_cost` that is glued to the field before: no field. One that is not, one field.
    Glued,
}

impl Shape {
    /// The shape of a column where names may hold commas, and everything that can tell where.
    fn of(name: &str, glued: bool) -> Shape {
        match name {
            "calleridname" | "calleeidname" | "ratename" => Shape::Text(1),
            "ratenamebridgeid" => Shape::Text(2),
            "calleridnumber" | "calleeidnumber" => Shape::PartyNumber,
            "durationseconds" | "billingseconds" => Shape::Like(|value| value.iter().all(u8::is_ascii_digit)),
            "timestamp" | "unixtimestamp" => Shape::Like(is_number),
            "unixtimestampmicro" => Shape::Like(is_decimal),
            "datetime" => Shape::Like(|value| like(b"0000-00-00?00:00:00", value)),
            "iso8601" => Shape::Like(|value| like(b"0000-00-00", value)),
            "iso8601combined" => Shape::Like(|value| like(b"0000-00-00T00:00:00", value)),
            "rfc1036" => Shape::Date,
            "resellercost" if glued => Shape::Glued,
            "resellercost" => Shape::Like(is_cost),
            "mediaserver" => Shape::Like(|value| !is_number(value)),
            _ => Shape::Any,
        }
    }

    /// The same where no name holds a comma: then a caller may as well be called `anonymous`.
    fn of_unbroken(name: &str, glued: bool) -> Shape {
        match Shape::of(name, glued) {
            Shape::PartyNumber => Shape::Any,
            Shape::Text(fields) => Shape::Fields(fields),
            shape => shape,
        }
    }

    /// Where the fields may end that begin at `from` and have this shape; `most` is the most that a
    /// text takes more than it should.
    fn ends(self, record: &Misfit<'_>, from: usize, most: usize) -> Range<usize> {
        let reads =
            |at: usize, check: fn(&[u8]) -> bool| at < record.fields.len() && check(&record.value(at));
        let ends = match self {
            Shape::Any => from + 1..from + 2,
            Shape::Fields(fields) => from + fields..from + fields + 1,
            Shape::Text(fields) => from + fields..from + fields + most + 1,
            Shape::Like(check) if reads(from, check) => from + 1..from + 2,
            Shape::PartyNumber if is_party_number(record, from) => from + 1..from + 2,
            Shape::Date if reads(from, is_date) => from + 1..from + 2,
            Shape::Date if reads(from, is_weekday) && reads(from + 1, is_date_after_comma) => {
                from + 2..from + 3
            }
            Shape::Glued => {
                let is_glued = from > 0 && record.value(from - 1).last().is_some_and(u8::is_ascii_digit);
                from + usize::from(!is_glued)..from + 1 + usize::from(reads(from, is_cost))
            }
            Shape::Like(_) | Shape::PartyNumber | Shape::Date => from..from,
        };
        ends.start..ends.end.min(record.fields.len() + 1)
    }
}

/// In how many ways the fields of a record fit its columns.
enum Ways {
    None,
    One(Vec<Range<usize>>),
    Several,
}

/// A place that the columns up to one may reach: they take the fields before `end`, the last of
/// them those from `begin` on.
struct Reached {
    end: usize,
    begin: usize,
    /// How many ways lead here; two stands for more.
    ways: u8,
}

/// Goes through the columns and keeps, for each, every field that it may end before; at last only
/// the ways count that end with the record.
///
/// ```text
///  2001 , Doe ,  John , 2002 , Jane , 30        number   name    number   name    duration
///  0      1      2      3      4      5     6   {1}      {2, 3}  {4}      {5, 6}  {6}
///                                                        └ 2 would leave " John" for the number
/// ```
fn align(record: &Misfit<'_>, shapes: &[Shape]) -> Ways {
    let most = (record.fields.len() + 1).saturating_sub(record.names.len());
    let mut columns = vec![vec![Reached { end: 0, begin: 0, ways: 1 }]];
    for shape in shapes {
        let mut next: Vec<Reached> = Vec::new();
        for place in &columns[columns.len() - 1] {
            for end in shape.ends(record, place.end, most) {
                match next.iter_mut().find(|known| known.end == end) {
                    Some(known) => known.ways = 2,
                    None => next.push(Reached { end, begin: place.end, ways: place.ways }),
                }
            }
        }
        columns.push(next);
    }
    way_back(&columns, record.fields.len())
}

/// The one way that ends before field `end`, from its last column to its first.
fn way_back(columns: &[Vec<Reached>], mut end: usize) -> Ways {
    let mut way = Vec::with_capacity(columns.len());
    for reached in columns[1..].iter().rev() {
        match reached.iter().find(|place| place.end == end) {
            Some(Reached { ways: 1, begin, .. }) => {
                way.push(*begin..end);
                end = *begin;
            }
            Some(_) => return Ways::Several,
            None => return Ways::None,
        }
    }
    way.reverse();
    Ways::One(way)
}

fn is_cost(value: &[u8]) -> bool {
    value.is_empty() || is_decimal(value)
}

fn is_number(value: &[u8]) -> bool {
    !value.is_empty() && value.iter().all(u8::is_ascii_digit)
}

fn is_decimal(value: &[u8]) -> bool {
    value.first().is_some_and(u8::is_ascii_digit)
        && value.iter().all(|byte| byte.is_ascii_digit() || *byte == b'.')
}

/// The producer writes no blank before a number: after a comma it is the second half of a name.
fn is_party_number(record: &Misfit<'_>, at: usize) -> bool {
    let is_sign = |byte: &u8| byte.is_ascii_digit() || b"+*#".contains(byte);
    record.fields.get(at).is_some_and(|field| field.value(record.text).iter().all(is_sign))
}

fn is_date(value: &[u8]) -> bool {
    like(b"aaa, 00 aaa 0000 00:00:00", value)
}

fn is_date_after_comma(value: &[u8]) -> bool {
    like(b"00 aaa 0000 00:00:00", value)
}

fn is_weekday(value: &[u8]) -> bool {
    [b"Mon", b"Tue", b"Wed", b"Thu", b"Fri", b"Sat", b"Sun"].iter().any(|day| *day == value)
}

/// Whether a value begins like this: `0` is any digit, `a` any letter, `?` any byte.
fn like(template: &[u8], value: &[u8]) -> bool {
    let fits = |(&sign, &byte): (&u8, &u8)| match sign {
        b'0' => byte.is_ascii_digit(),
        b'a' => byte.is_ascii_alphabetic(),
        b'?' => true,
        sign => byte == sign,
    };
    value.len() >= template.len() && template.iter().zip(value).all(fits)
}

#[cfg(test)]
mod tests {
    use super::super::GENERATIONS;
    use super::*;
    use crate::csv::{Dialect, Quotes, read_record};
    use crate::format::normalise;
    use proptest::prelude::*;

    /// A record to `unix_timestamp`, with these parties (number, name, number, name).
    fn head(parties: &str) -> String {
        format!(
            "201405-a1,a1@10.0.0.1,{parties},31,30,63567000000,NORMAL_CLEARING,b2,owner,2002@sip.example.com,\
             2001@sip.example.com,inbound,2002@sip.example.com,auth,0,2002,2001,2014-05-17 12:34:56,1399832800"
        )
    }

    const PARTIES: &str = "2001,John,2002,Jane";
    const DATES: &str = "Fri, 01 May 2020 12:38:54 GMT,2020-05-01";
    const COMBINED: &str = "2020-05-01T12:38:54Z";
    const QUOTED_DATES: &str = "\"Fri, 01 May 2020 12:38:54 GMT\",\"2020-05-01\"";

    /// What comes of a record under a header of so many columns: `=` regular or `~` repaired, with what
    /// the names of interest hold; else the reason.
    fn fitted(header: &[&str], line: &str, interest: &[&str]) -> String {
        let dialect = Dialect { delimiter: b',', eol: b'\n', quotes: Quotes::Whole };
        let names: Vec<String> = header.iter().map(|name| normalise(name)).collect();
        let mut fields = Vec::new();
        read_record(line.as_bytes(), 0, dialect, &mut fields);
        let record = Misfit { names: &names, text: line.as_bytes(), fields: &fields };
        let (sign, columns) = match fit(&record) {
            Fit::Regular(columns) => ('=', columns),
            Fit::Repaired(columns) => ('~', columns),
            Fit::No(why) => return why,
        };
        assert_eq!(columns.len(), names.len());
        let value = |name: &&str| {
            let at = header.iter().position(|known| known == name).unwrap();
            let parts = columns[at]
                .clone()
                .map(|at| String::from_utf8_lossy(&fields[at].value(record.text)).into_owned());
            parts.collect::<Vec<_>>().join(",")
        };
        format!("{sign}{}", interest.iter().map(value).collect::<Vec<_>>().join("|"))
    }

    const NAMES: &[&str] = &[
        "caller_id_number",
        "caller_id_name",
        "callee_id_number",
        "callee_id_name",
        "duration_seconds",
        "rate_name",
    ];

    fn generation(columns: usize) -> &'static [&'static str] {
        GENERATIONS.iter().find(|names| names.len() == columns).unwrap()
    }

    #[test]
    fn commas_in_names_of_the_parties() {
        let check = |parties, expected| {
            assert_eq!(
                fitted(generation(25), &format!("{},flat,0.0,US", head(parties)), NAMES),
                expected,
                "{parties}"
            );
        };
        check("2001,Doe, John,2002,Jane", "~2001|Doe, John|2002|Jane|31|US");
        check("2001,John,2002,Roe, Jane", "~2001|John|2002|Roe, Jane|31|US");
        check("2001,Doe, John,2002,Roe, Jane", "~2001|Doe, John|2002|Roe, Jane|31|US");
        check("2001,Doe, J., Jr.,2002,", "~2001|Doe, J., Jr.|2002||31|US");
        check("+15551234567,Doe, John,*97,", "~+15551234567|Doe, John|*97||31|US");
        check(",Doe, John,,Jane", "~|Doe, John||Jane|31|US");
        check("2001,Al,,Doe, John", "~2001|Al||Doe, John|31|US");
        check("2001,Doe, 2,2002,Jane", "~2001|Doe, 2|2002|Jane|31|US");
        check("2001,\"Doe, John\",2002,Roe, Jane", "~2001|Doe, John|2002|Roe, Jane|31|US");
    }

    #[test]
    fn comma_in_the_name_of_a_rate() {
        let line = format!("{},flat,0.0,US, Mobile", head(PARTIES));
        assert_eq!(fitted(generation(25), &line, NAMES), "~2001|John|2002|Jane|31|US, Mobile");
    }

    #[test]
    fn record_that_fits_in_two_ways_is_refused() {
        let line = format!("{},flat,0.0,US", head("2001,Al,100,200,Jane"));
        let why = "26 fields where the header has 25, and they fit it in more than one way";
        assert_eq!(fitted(generation(25), &line, NAMES), why);
    }

    #[test]
    fn record_that_fits_no_way_is_refused() {
        let check = |line: String, found| {
            let why = format!("{found} fields where the header has 25");
            assert_eq!(fitted(generation(25), &line, NAMES), why, "{line}");
        };
        check(format!("{},flat,0.0", head(PARTIES)), 24);
        check(format!("{},flat,0.0,US", head("2001,John,anonymous,Roe, Jane")), 26);
        check(format!("x,{},flat,0.0,US", head(PARTIES)), 26);
        check(format!("{},flat,0.0,US", head("2001,John,2002,Jane").replace("inbound", "in,bound")), 26);
        check(format!("{},flat,0.0,US{}", head(PARTIES), ",".repeat(60_000)), 60_025);
    }

    #[test]
    fn reseller_cost_that_is_glued() {
        let interest = &["caller_id_name", "rate_name", "reseller_cost", "reseller_call_type"];
        let check = |parties, tail, expected| {
            let line = format!("{},flat,0.0,{tail}", head(parties));
            assert_eq!(fitted(generation(27), &line, interest), expected, "{line}");
        };
        check(PARTIES, "US0,per_minute", "~John|US0||per_minute");
        check(PARTIES, "0,", "~John|0||");
        check("2001,Doe, John,2002,Jane", "US0,per_minute", "~Doe, John|US0||per_minute");
        check(PARTIES, "US, Mobile0,per_minute", "~John|US, Mobile0||per_minute");
        check("2001,Doe, John,2002,Roe, Jane", "US0,per_minute", "~Doe, John|US0||per_minute");
        check(PARTIES, "US,0,per_minute", "=John|US|0|per_minute");
        check(PARTIES, "US,per_minute", "26 fields where the header has 27");
    }

    #[test]
    fn dates_without_quotes_are_regular() {
        let tail = "flat,0.0,US,,,,fs1.example.com,,i1";
        let interest =
            &["caller_id_number", "caller_id_name", "rfc_1036", "iso_8601_combined", "interaction_id"];
        let check = |parties, expected: &str| {
            let line = format!("{},{DATES},{COMBINED},{tail}", head(parties));
            assert_eq!(fitted(generation(34), &line, interest), expected, "{line}");
        };
        let date = "Fri, 01 May 2020 12:38:54 GMT|2020-05-01T12:38:54Z|i1";
        check(PARTIES, &format!("=2001|John|{date}"));
        check("anonymous,John,2002,Jane", &format!("=anonymous|John|{date}"));
        check("2001,Doe, John,2002,Jane", &format!("~2001|Doe, John|{date}"));
        check("anonymous,Doe, John,2002,Jane", "36 fields where the header has 34");
    }

    #[test]
    fn comma_in_a_name_beside_quoted_dates() {
        let line = format!("{},{QUOTED_DATES},flat,0.0,US,bridge,,", head("2001,Doe, John,2002,Jane"));
        assert_eq!(fitted(generation(30), &line, NAMES), "~2001|Doe, John|2002|Jane|31|US");
    }

    #[test]
    fn two_fields_under_one_name_of_kazoo_3_19() {
        let mut header = generation(25).to_vec();
        header[24] = "rate_namebridge_id";
        let interest = &["caller_id_name", "rate_namebridge_id"];
        let check = |parties, rate, expected| {
            let line = format!("{},flat,0.0,{rate},bridge", head(parties));
            assert_eq!(fitted(&header, &line, interest), expected, "{line}");
        };
        check(PARTIES, "US", "=John|US,bridge");
        check("2001,Doe, John,2002,Jane", "US", "~Doe, John|US,bridge");
        check(PARTIES, "US, Mobile", "~John|US, Mobile,bridge");
    }

    /// What a dump without a header is: the first generation that a record of it fits.
    #[test]
    fn generation_of_a_record() {
        let check = |tail: &str, columns: &str| {
            let line = format!("{},{tail}", head(PARTIES));
            let glued =
                |names: &[&str]| is_glued(&names.iter().map(|name| normalise(name)).collect::<Vec<_>>());
            let fits = |names: &&&[&str]| fitted(names, &line, &[]) == if glued(names) { "~" } else { "=" };
            let first = GENERATIONS.iter().find(fits).map(|names| names[22..].join(" "));
            assert_eq!(first.as_deref(), Some(columns), "{line}");
        };
        let of = |at: usize| GENERATIONS[at][22..].join(" ");
        check("flat,0.0,US", &of(0));
        check("flat,0.0,US0,per_minute", &of(6));
        check(&format!("{QUOTED_DATES},flat,0.0,US,br,url,"), &of(1));
        check(&format!("{QUOTED_DATES},flat,0.0,US,br,url,,0,per_minute"), &of(7));
        check(&format!("{QUOTED_DATES},flat,0.0,US,br,url,rec,"), &of(2));
        check(&format!("{QUOTED_DATES},flat,0.0,US,br,url,rec,,0,per_minute"), &of(8));
        check(&format!("{QUOTED_DATES},flat,0.0,US,br,url,rec,fs1,"), &of(3));
        check(&format!("{DATES},flat,0.0,US,br,url,rec,fs1,"), &of(3));
        check(&format!("{DATES},flat,0.0,US,br,url,rec,fs1,,0,per_minute"), &of(9));
        check(&format!("{DATES},{COMBINED},flat,0.0,US,br,url,rec,fs1,,i1"), &of(4));
        check(&format!("{DATES},{COMBINED},flat,0.0,US,br,url,rec,fs1,,i1,0,per_minute"), &of(10));
        check(&format!("1588336734.123,{DATES},{COMBINED},flat,0.0,US,br,url,rec,fs1,,i1"), &of(5));
        check(&format!("1588336734.1,{DATES},{COMBINED},flat,0.0,US,br,url,rec,fs1,,i1,0,"), &of(11));
    }

    proptest! {
        /// Whatever the names are, they come out as they went in, or the record is refused.
        #[test]
        fn names_are_never_cut_in_the_wrong_place(
            parties in ("[0-9+*#]{0,4}", "[a-z0-9, ]{0,9}", "[0-9+*#]{0,4}", "[a-z0-9, ]{0,9}"),
            rate in "[a-z]{1,4}(, [a-z]{1,4})?",
            columns in prop_oneof![Just(25_usize), Just(27), Just(30), Just(34)],
        ) {
            let (caller, caller_name, callee, callee_name) = parties;
            let parties = format!("{caller},{caller_name},{callee},{callee_name}");
            let (tail, glue) = match columns {
                25 => (format!("flat,0.0,{rate}"), ""),
                27 => (format!("flat,0.0,{rate}0,per_minute"), "0"),
                30 => (format!("{QUOTED_DATES},flat,0.0,{rate},br,,"), ""),
                _ => (format!("{DATES},{COMBINED},flat,0.0,{rate},br,url,rec,fs1,,i1"), ""),
            };
            let found = fitted(generation(columns), &format!("{},{tail}", head(&parties)), NAMES);
            let expected = format!("{caller}|{caller_name}|{callee}|{callee_name}|31|{rate}{glue}");
            let refused = found.ends_with("more than one way");
            prop_assert!(refused || found[1..] == expected, "{}", found);
            let no_commas = !parties.replacen(',', "", 3).contains(',') && !rate.contains(',');
            prop_assert_eq!(found.starts_with('='), no_commas && columns != 27);
        }
    }
}
