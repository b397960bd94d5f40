//! The slow twin of the five request grammars: a request against one row, by the letter of the documents.
//!
//! No types, no expression, nothing compiled: each parameter is read and asked of the row as it comes.
//! It shares with the real way only what is not about requests: the words' spellings, the names of
//! fields without their dots, and the display formats of times. Used by `filters` and, through
//! `#[path]`, by the fuzz target.
//!
//! Nothing comes of a malformed request, and of one that may not be asked where rows are converted.

use std::collections::BTreeMap;

use calltable::decode::{action_type, disposition};
use calltable::format::normalise;
use calltable::time::{DateOrder, Evidence, order_evidence, read_time};

use super::calls::Row;

/// What a request means here and now.
pub(crate) struct World {
    /// Milliseconds since 1970.
    pub(crate) now: i64,
    pub(crate) groups: BTreeMap<String, Vec<String>>,
    /// Seconds that the PBX's clock is ahead of the rows' times.
    pub(crate) east: i64,
}

type Parameters = Vec<(String, String)>;

/// Whether a request wants a row.
pub(crate) fn wants(request: &str, row: &Row, world: &World) -> Option<bool> {
    let (address, mut query) = request.split_once('?').unwrap_or((request, ""));
    let grammar = match address.rsplit('/').next().unwrap_or_default() {
        "9004" | "9005" | "9006" | "20053" => "nexo",
        "search" => "yeastar",
        "cdrs" => "kazoo",
        bare => bare,
    };
    if grammar == "nexo" {
        query = query.strip_prefix('&').unwrap_or(query);
    }
    let mut parameters = Parameters::new();
    for piece in query.split('&').filter(|_| !query.is_empty()) {
        let (name, value) = piece.split_once('=')?;
        let parameter = (decoded(name)?, decoded(value)?);
        if !["access_token", "auth_token", "token", "cookie"].contains(&&*parameter.0) {
            parameters.push(parameter);
        }
    }
    match grammar {
        "cdrapi" => cdrapi(&parameters, row, world),
        "ucm-web" => ucm_web(&parameters, row, world),
        "nexo" => nexo(&parameters, row, world),
        "yeastar" => yeastar(&parameters, row, world),
        "kazoo" => kazoo(&parameters, row, world),
        _ => None,
    }
}

fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&byte, behind)) = rest.split_first() {
        rest = behind;
        if byte == b'%' {
            let digits = std::str::from_utf8(rest.get(..2)?).ok()?;
            if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
                return None;
            }
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = &rest[2..];
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

fn is_repeated(parameters: &Parameters, but: &[&str]) -> bool {
    let mut names: Vec<&str> = parameters.iter().map(|(name, _)| name.as_str()).collect();
    names.retain(|name| !but.contains(name));
    names.sort_unstable();
    names.windows(2).any(|pair| pair[0] == pair[1])
}

fn cdrapi(parameters: &Parameters, row: &Row, world: &World) -> Option<bool> {
    if is_repeated(parameters, &["caller", "callee"]) {
        return None;
    }
    let mut wanted = true;
    let mut lists: BTreeMap<&str, bool> = BTreeMap::new();
    for (name, value) in parameters {
        if value.is_empty() && !["startTime", "endTime"].contains(&name.as_str()) {
            return None;
        }
        match name.as_str() {
            "format" => {
                ["csv", "xml", "json"].contains(&&*value.to_ascii_lowercase()).then_some(())?;
            }
            "numRecords" => (big(value)? <= big("1000")?).then_some(())?,
            "offset" => {
                big(value)?;
            }
            "minDur" => wanted &= at_least(row, "billsec", value)?,
            "maxDur" => wanted &= at_most(row, "billsec", value)?,
            "caller" | "callee" | "answeredby" => {
                let column = match name.as_str() {
                    "caller" => "src",
                    "callee" => "dst",
                    _ => "answered_by",
                };
                let text = row.get(column).map_or("", String::as_str);
                *lists.entry(name).or_default() |= list(value, text, true)?;
            }
            "startTime" | "endTime" => {
                let bound = if value.is_empty() { continue } else { instant(value, world)? };
                let start = row.get("start").map(|start| millis(start));
                wanted &= start
                    .is_some_and(|start| if name == "startTime" { start >= bound } else { start <= bound });
            }
            _ => return None,
        }
    }
    Some(wanted && lists.values().all(|matched| *matched))
}

/// Whether a list matches a text. `patterns`: whether it may have `@` and `_`.
fn list(list: &str, text: &str, patterns: bool) -> Option<bool> {
    let signs = if patterns { "-,+*#.@_" } else { "-,+*#." };
    let is_bad = |letter: char| !letter.is_ascii_alphanumeric() && !signs.contains(letter);
    if list.contains(is_bad) || list.starts_with(',') || list.contains(",,") {
        return None;
    }
    let mut matched = false;
    for item in list.strip_suffix(',').unwrap_or(list).split(',') {
        let hyphens = item.matches('-').count();
        matched |= if item.contains(['@', '_']) {
            like(&item.chars().collect::<Vec<_>>(), &text.chars().collect::<Vec<_>>())
        } else if hyphens > 1 {
            return None;
        } else if let Some((low, high)) = item.split_once('-') {
            digits_of(low) <= digits_of(text) && digits_of(text) <= digits_of(high)
        } else {
            item == text
        };
    }
    Some(matched)
}

/// `@` is any run, `_` any one, by trying every place.
fn like(pattern: &[char], text: &[char]) -> bool {
    let mut reached = vec![false; text.len() + 1];
    reached[0] = true;
    for &piece in pattern {
        let before = reached.clone();
        for at in 0..=text.len() {
            reached[at] = match piece {
                '@' => before[..=at].contains(&true),
                '_' => at > 0 && before[at - 1],
                letter => at > 0 && before[at - 1] && text[at - 1] == letter,
            };
        }
    }
    reached[text.len()]
}

/// A number of any length, as what compares like it.
type Big = (usize, String);

fn big(digits: &str) -> Option<Big> {
    (!digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit())).then(|| digits_of(digits))
}

fn digits_of(text: &str) -> Big {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let digits = digits.trim_start_matches('0').to_string();
    (digits.len(), digits)
}

fn at_least(row: &Row, column: &str, value: &str) -> Option<bool> {
    let bound = big(value)?;
    Some(row.get(column).is_some_and(|number| digits_of(number) >= bound))
}

fn at_most(row: &Row, column: &str, value: &str) -> Option<bool> {
    let bound = big(value)?;
    Some(row.get(column).is_some_and(|number| digits_of(number) <= bound))
}

/// The text with a 9 for every digit.
fn shape(text: &str) -> String {
    text.chars().map(|letter| if letter.is_ascii_digit() { '9' } else { letter }).collect()
}

fn instant(text: &str, world: &World) -> Option<i64> {
    match shape(text).as_str() {
        "now" => return Some(world.now),
        "9999999999" => return Some(text.parse::<i64>().ok()? * 1000),
        "9999-99-99" => return is_time(&format!("{text} 00:00:00")).then(|| millis(text)),
        _ => {}
    }
    for clock in ["99:99", "99:99:99", "99:99:99.999"] {
        for zone in ["", "Z", "+99:99", "-99:99"] {
            for date in ["", "9999-99-99T"] {
                if shape(text) != format!("{date}{clock}{zone}") {
                    continue;
                }
                let (date, rest) = if date.is_empty() { ("2000-01-01", text) } else { text.split_once('T')? };
                let (clock, zone) = rest.split_at(clock.len());
                let written = format!("{date} {clock}");
                return is_time(&written).then(|| offset(zone)).flatten().map(|off| millis(&written) - off);
            }
        }
    }
    None
}

/// Milliseconds east.
fn offset(zone: &str) -> Option<i64> {
    let Some((hours, minutes)) = zone.get(1..).and_then(|zone| zone.split_once(':')) else { return Some(0) };
    let (hours, minutes): (i64, i64) = (hours.parse().ok()?, minutes.parse().ok()?);
    let sign = if zone.starts_with('-') { -60_000 } else { 60_000 };
    (hours < 24 && minutes < 60).then_some(sign * (60 * hours + minutes))
}

/// Whether a date and a time of day of that shape are ones.
fn is_time(text: &str) -> bool {
    let part =
        |at: usize, width: usize| text.get(at..at + width).map_or(0, |part| part.parse().unwrap_or(99));
    let (year, month, day): (i64, i64, i64) = (part(0, 4), part(5, 2), part(8, 2));
    let (hour, minute, second): (i64, i64, i64) = (part(11, 2), part(14, 2), part(17, 2));
    let is_date = year > 0 && (1..=12).contains(&month) && (1..=days_of(year, month)).contains(&day);
    is_date && hour < 24 && minute < 60 && second < 60
}

fn days_of(year: i64, month: i64) -> i64 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    [31, 28 + i64::from(leap), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month as usize - 1]
}

/// `YYYY-MM-DD[ HH:MM[:SS[.SSS]]]` in milliseconds since 1970, day by day.
fn millis(text: &str) -> i64 {
    let part = |at: usize, width: usize| {
        text.get(at..at + width).and_then(|part| part.parse::<i64>().ok()).unwrap_or(0)
    };
    let (year, month, day) = (part(0, 4), part(5, 2), part(8, 2));
    let mut days = day - 1;
    days += (1..month).map(|month| days_of(year, month)).sum::<i64>();
    days += (1970..year).map(|year| 337 + days_of(year, 2)).sum::<i64>();
    days -= (year..1970).map(|year| 337 + days_of(year, 2)).sum::<i64>();
    (((24 * days + part(11, 2)) * 60 + part(14, 2)) * 60 + part(17, 2)) * 1000 + part(20, 3)
}

/// What the PBX's clock showed at a row's start.
fn clock(row: &Row, world: &World) -> Option<i64> {
    Some(millis(row.get("start")?) + 1000 * world.east)
}

fn has(row: &Row, column: &str, text: &str) -> bool {
    row.get(column).is_some_and(|value| value == text)
}

fn ucm_web(parameters: &Parameters, row: &Row, world: &World) -> Option<bool> {
    if is_repeated(parameters, &[]) {
        return None;
    }
    let mut wanted = true;
    for (name, value) in parameters {
        let known = [
            "callType",
            "status",
            "srcTrunk",
            "dstTrunk",
            "actionType",
            "accountCode",
            "callerNumber",
            "callerName",
            "calleeNumber",
            "startTime",
            "endTime",
            "extensionGroup",
        ];
        if !known.contains(&name.as_str()) {
            return None;
        }
        if value.is_empty() {
            continue;
        }
        let one_of = |asked: &dyn Fn(&str) -> Option<bool>| {
            let answers: Option<Vec<bool>> =
                value.split(',').map(|item| if item.is_empty() { None } else { asked(item) }).collect();
            answers.map(|answers| answers.contains(&true))
        };
        wanted &= match name.as_str() {
            "callType" => one_of(&|item| match item.to_ascii_lowercase().as_str() {
                "remote" => Some(has(row, "nat", "true")),
                word @ ("inbound" | "outbound" | "internal" | "external") => {
                    Some(has(row, "call_type", word))
                }
                _ => None,
            })?,
            "status" => one_of(&|item| {
                let word = disposition(item)?;
                ["ANSWERED", "NO ANSWER", "BUSY", "FAILED"]
                    .contains(&&*word)
                    .then(|| has(row, "disposition", &word))
            })?,
            "srcTrunk" => one_of(&|item| Some(has(row, "src_trunk_name", item)))?,
            "dstTrunk" => one_of(&|item| Some(has(row, "dst_trunk_name", item)))?,
            "actionType" => one_of(&|item| Some(has(row, "action_type", &action_type(item)?)))?,
            "accountCode" => has(row, "accountcode", value),
            "callerNumber" => dialled(value, row.get("src"))?,
            "calleeNumber" => dialled(value, row.get("dst"))?,
            "callerName" => row.get("src_name").is_some_and(|name| small(name).contains(&small(value))),
            "startTime" | "endTime" => {
                let is_shape = ["9999-99-99 99:99", "9999-99-99 99:99:99"].contains(&&*shape(value));
                let bound = (is_shape && is_time(value)).then(|| millis(value))?;
                clock(row, world)
                    .is_some_and(|start| if name == "startTime" { start >= bound } else { start <= bound })
            }
            _ => group(value, row, world)?,
        };
    }
    Some(wanted)
}

/// The small letters, where they are one each.
fn small(text: &str) -> String {
    let one = |letter: char| {
        let mut small = letter.to_lowercase();
        small.next().filter(|_| small.next().is_none()).unwrap_or(letter)
    };
    text.chars().map(one).collect()
}

/// `3XXX` and `3.`
fn dialled(pattern: &str, number: Option<&String>) -> Option<bool> {
    let (rest, open) = pattern.strip_suffix('.').map_or((pattern, false), |rest| (rest, true));
    let digits = rest.trim_end_matches(['x', 'X']);
    if digits.contains(|letter: char| !letter.is_ascii_digit() && !"+*#".contains(letter)) {
        return None;
    }
    let Some(behind) = number.and_then(|number| number.strip_prefix(digits)) else { return Some(false) };
    let more = rest.len() - digits.len();
    let filled = behind.chars().take(more).filter(char::is_ascii_digit).count() == more;
    Some(filled && (open || behind.chars().count() == more))
}

fn group(name: &str, row: &Row, world: &World) -> Option<bool> {
    let members = world.groups.get(name)?;
    let is_member = |column: &&str| row.get(*column).is_some_and(|number| members.contains(number));
    Some(["src", "dst", "answered_by"].iter().any(is_member))
}

fn nexo(parameters: &Parameters, row: &Row, world: &World) -> Option<bool> {
    let renamed = |(name, value): &(String, String)| {
        (if name == "Port" { "port".to_string() } else { name.clone() }, value.clone())
    };
    let parameters: Parameters = parameters.iter().map(renamed).collect();
    if is_repeated(&parameters, &["src", "dst"]) {
        return None;
    }
    let is_empty = |name: &str| parameters.iter().any(|given| given.0 == name && given.1.is_empty());
    if is_empty("startdate") && is_empty("enddate") {
        return None;
    }
    let mut wanted = true;
    let mut lists: BTreeMap<&str, bool> = BTreeMap::new();
    for (name, value) in &parameters {
        let known = [
            "startdate",
            "enddate",
            "src",
            "dst",
            "disposition",
            "userfield",
            "minbillsec",
            "maxbillsec",
            "cidname",
            "in_route",
            "IVR",
            "port",
            "trunk",
            "calltype",
            "minduration",
            "maxduration",
        ];
        if !known.contains(&name.as_str()) {
            return None;
        }
        if value.is_empty() {
            continue;
        }
        let seconds = if row.contains_key("billsec") { "billsec" } else { "duration" };
        wanted &= match name.as_str() {
            "startdate" | "enddate" => {
                let bound = (shape(value) == "9999-99-99 99:99" && is_time(value)).then(|| millis(value))?;
                let last = bound + 59_999;
                clock(row, world)
                    .is_some_and(|start| if name == "startdate" { start >= bound } else { start <= last })
            }
            "src" | "dst" => {
                let text = row.get(name).map_or("", String::as_str);
                let number = text.split('(').next().unwrap_or("").trim_ascii_end();
                let answered_by = row.get("answered_by").filter(|_| name == "dst");
                let mut matched = list(value, number, false)?;
                if let Some(within) = answered_by {
                    matched |= list(value, within, false)?;
                }
                *lists.entry(name).or_default() |= matched;
                true
            }
            "disposition" => {
                let word =
                    if value.eq_ignore_ascii_case("FAILD") { "FAILED".into() } else { disposition(value)? };
                let known = ["ANSWERED", "BUSY", "FAILED", "NO ANSWER"].contains(&&*word);
                if !known && !value.eq_ignore_ascii_case("all") {
                    return None;
                }
                !known || has(row, "disposition", &word)
            }
            "userfield" | "calltype" => match value.replace(' ', "").to_ascii_lowercase().as_str() {
                _ if value.eq_ignore_ascii_case("all") => true,
                "internal" | "interval" => has(row, "call_type", "internal"),
                word @ ("outbound" | "inbound" | "callback") => has(row, "call_type", word),
                "conference" if name == "calltype" => {
                    row.get("userfield").is_some_and(|text| text.to_lowercase() == "conference")
                }
                _ => return None,
            },
            "minbillsec" => at_least(row, "billsec", value)?,
            "maxbillsec" => at_most(row, "billsec", value)?,
            "minduration" => at_least(row, seconds, value)?,
            "maxduration" => at_most(row, seconds, value)?,
            "cidname" | "in_route" | "IVR" => {
                if value.contains('-') {
                    return None;
                }
                let column = match name.as_str() {
                    "cidname" => "cid_prefix",
                    "in_route" => "in_route",
                    _ => "ivr",
                };
                row.get(column).is_some_and(|text| text.strip_suffix('-').unwrap_or(text) == value)
            }
            "port" if value == "-1" => true,
            "port" => {
                let port = big(value)?;
                port.0 == 0 || row.get("port").is_some_and(|text| digits_of(text) == port)
            }
            _ => {
                let columns = ["extra.trunk", "src_trunk_name", "dst_trunk_name"];
                value.eq_ignore_ascii_case("all") || columns.iter().any(|column| has(row, column, value))
            }
        };
    }
    Some(wanted && lists.values().all(|matched| *matched))
}

fn yeastar(parameters: &Parameters, row: &Row, world: &World) -> Option<bool> {
    if is_repeated(parameters, &[]) {
        return None;
    }
    let times = parameters.iter().filter(|given| ["start_time", "end_time"].contains(&given.0.as_str()));
    let shown: Vec<Evidence> = times.map(|given| order_evidence(given.1.as_bytes())).collect();
    let order = match (shown.contains(&Evidence::MonthFirst), shown.contains(&Evidence::DayFirst)) {
        (true, true) => return None,
        (_, false) => DateOrder::MonthFirst,
        _ => DateOrder::DayFirst,
    };
    let fuzzy = parameters.iter().any(|given| given.0 == "enable_fuzzy_search" && given.1 == "1");
    let number = |column: &str, value: &str| {
        row.get(column).is_some_and(|text| if fuzzy { text.contains(value) } else { text == value })
    };
    let mut wanted = true;
    for (name, value) in parameters {
        let known = [
            "start_time",
            "end_time",
            "call_from",
            "call_to",
            "extension_group",
            "status",
            "enable_fuzzy_search",
            "page",
            "page_size",
            "sort_by",
            "order_by",
        ];
        if !known.contains(&name.as_str()) {
            return None;
        }
        if value.is_empty() {
            continue;
        }
        wanted &= match name.as_str() {
            "start_time" | "end_time" => {
                let bound = read_time(value.as_bytes(), order).ok()??;
                if bound.offset.is_some() {
                    return None;
                }
                let start = clock(row, world).map(|start| 1000 * start);
                start.is_some_and(|start| {
                    if name == "start_time" { start >= bound.micros } else { start <= bound.micros }
                })
            }
            "call_from" => number("src", value),
            "call_to" => number("dst_number", value),
            "extension_group" => group(value, row, world)?,
            "status" => {
                let mut matched = false;
                for item in value.split(',') {
                    let word = disposition(item)?;
                    let known = ["ANSWERED", "NO ANSWER", "BUSY", "FAILED", "VOICEMAIL"];
                    known.contains(&&*word).then_some(())?;
                    matched |= has(row, "disposition", &word);
                }
                matched
            }
            "enable_fuzzy_search" => ["0", "1"].contains(&value.as_str()).then_some(true)?,
            "page" => (big(value)?.0 > 0).then_some(true)?,
            "page_size" => (big(value)?.0 > 0 && big(value)? <= big("10000")?).then_some(true)?,
            "sort_by" => {
                let fields = "id time timestamp call_from call_to uid src_addr src_trunk dst_trunk duration \
                              ring_duration talk_duration disposition call_type did_number dod_number reason";
                fields.split(' ').any(|field| field == value).then_some(true)?
            }
            _ => ["asc", "desc"].contains(&value.as_str()).then_some(true)?,
        };
    }
    Some(wanted)
}

fn kazoo(parameters: &Parameters, row: &Row, _: &World) -> Option<bool> {
    if is_repeated(parameters, &["has_key", "key_missing"]) {
        return None;
    }
    let mut wanted = true;
    for (name, value) in parameters {
        if let Some(field) = name.strip_prefix("filter_not_") {
            wanted &= !field_is(field, value, row)?;
        } else if let Some(field) = name.strip_prefix("filter_") {
            wanted &= field_is(field, value, row)?;
        } else if name == "has_key" || name == "key_missing" {
            wanted &= (name == "has_key") == field(value, row)?.1.is_some();
        } else if value.is_empty() {
            let known = ["created_from", "created_to", "paginate", "page_size", "start_key"];
            known.contains(&name.as_str()).then_some(())?;
        } else {
            wanted &= match name.as_str() {
                "created_from" => {
                    created(row).is_some_and(|start| big(&start) >= big(value)) | big(value).is_none()
                }
                "created_to" => {
                    created(row).is_some_and(|start| big(&start) <= big(value)) | big(value).is_none()
                }
                "paginate" => ["true", "false"].contains(&value.as_str()).then_some(true)?,
                "page_size" => big(value).is_some().then_some(true)?,
                "start_key" => true,
                _ => return None,
            };
            if name.starts_with("created_") {
                big(value)?;
            }
        }
    }
    Some(wanted)
}

/// A row's start in Gregorian seconds, of which no row has a part.
fn created(row: &Row) -> Option<String> {
    row.get("start").map(|start| (millis(start) / 1000 + 62_167_219_200).to_string())
}

fn field_is(name: &str, value: &str, row: &Row) -> Option<bool> {
    let (kind, text) = field(name, row)?;
    if value.is_empty() {
        return None;
    }
    let epoch = match kind {
        "text" => return Some(text.is_some_and(|text| text == value)),
        "gregorian" => 62_167_219_200,
        _ => 0,
    };
    let wanted = big(value)?;
    Some(match (kind, text) {
        (_, None) => false,
        ("number", Some(text)) => digits_of(&text) == wanted,
        (_, Some(time)) => digits_of(&(millis(&time) / 1000 + epoch).to_string()) == wanted,
    })
}

/// What kind of value a field has, and the value.
fn field(name: &str, row: &Row) -> Option<(&'static str, Option<String>)> {
    let extra = row.get(&format!("extra.{name}"));
    let one = |kind, column: &str| Some((kind, row.get(column).cloned()));
    match normalise(name).as_str() {
        _ if name.is_empty() => None,
        "id" => one("text", "record_id"),
        "callid" => one("text", "call_id"),
        "otherlegcallid" => one("text", "other_leg_call_id"),
        "calleridnumber" => one("text", "src"),
        "calleridname" => one("text", "src_name"),
        "calleeidnumber" => one("text", "dst"),
        "calleeidname" => one("text", "dst_name"),
        "callingfrom" => Some(("text", extra.or(row.get("src")).cloned())),
        "dialednumber" => Some(("text", extra.or(row.get("dst")).cloned())),
        "from" => Some(("text", extra.or(row.get("from_uri")).cloned())),
        "to" => Some(("text", extra.or(row.get("to_uri")).cloned())),
        "fromuri" => one("text", "from_uri"),
        "touri" => one("text", "to_uri"),
        "ownerid" => one("text", "action_owner"),
        "hangupcause" => one("text", "hangup_cause"),
        "direction" | "calldirection" => one("text", "userfield"),
        "durationseconds" => one("number", "duration"),
        "billingseconds" => one("number", "billsec"),
        "ringingseconds" => one("number", "ringsec"),
        "timestamp" => Some(("gregorian", row.get("end").or(row.get("start")).cloned())),
        "unixtimestamp" => Some(("epoch", row.get("end").or(row.get("start")).cloned())),
        "datetime" | "rfc1036" | "iso8601" | "iso8601combined" | "recordingurl" => None,
        _ => Some(("text", extra.cloned())),
    }
}
