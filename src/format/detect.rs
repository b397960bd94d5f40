//! Which dump is it? Told by the content: the header among the first lines, or the shape of a record.
//!
//! What it finds is the layout of the first record, where that begins, and what stands above it. It
//! sees the first bytes of a dump and nothing else; a file that is none of ours is told by what it
//! looks like, so that the user knows what was handed in.

mod ami;
mod json;
mod xml;

use std::cell::RefCell;
use std::sync::Arc;

use encoding_rs::Encoding;
use memchr::{memchr, memchr_iter};

use super::{ALL, Csv, Fit, Format, Layout, Misfit, normalise};
use crate::csv::{Dialect, End, Field, Quotes, read_record};
use crate::frame::clean::reads_cleanly;
use crate::split::csv;

/// How many lines are tried as the header.
const LINES_TRIED: usize = 15;

/// In a dump without LF in so many bytes a bare CR ends the lines.
const LF_EXPECTED_WITHIN: usize = 64 << 10;

/// A header that is longer is none that comes again, or none that is worth to be kept.
const LONGEST_SEEN: usize = 16 << 10;

const DELIMITERS: [u8; 3] = [b',', b';', b'\t'];

/// What was found at the beginning of a dump.
#[derive(Debug)]
pub struct Detected {
    /// What the fields of its first record mean.
    pub layout: Arc<Layout>,
    /// Where its first record begins.
    pub body: usize,
    /// The lines above, in order: `true` for one that has as many fields as the header.
    pub above: Vec<(std::ops::Range<usize>, bool)>,
}

/// Finds out which dump `head`, the first bytes of one, belongs to.
///
/// # Errors
/// What the header looks like, where there is none that is known.
pub fn detect(
    head: &[u8],
    asked: Option<&'static Format>,
    encoding: Option<&'static Encoding>,
) -> Result<Detected, String> {
    let eol = line_end(head);
    let lines = first_lines(head, eol);
    let candidates: Vec<&'static Format> = asked.map_or_else(|| ALL.to_vec(), |format| vec![format]);
    let no_object = match json::detect(head, eol, &candidates, asked.is_some()) {
        json::Found::Dump(detected) => return Ok(detected),
        json::Found::Error(message) => return Err(message),
        json::Found::Unknown(message) => Some(message),
        json::Found::NoJson => None,
    };
    let no_element = match xml::detect(head, &candidates) {
        Some(Ok(detected)) => return Ok(detected),
        Some(Err(message)) => Some(message),
        None => None,
    };
    if let Some(detected) = ami::detect(head, &lines, eol, &candidates, asked.is_some()) {
        return Ok(detected);
    }
    let with_header = lines.iter().enumerate().find_map(|(at, line)| {
        let layout = header_seen(&head[line.clone()], eol, (asked, &candidates), encoding)?;
        Some((at, line.end, layout))
    });
    if let Some((at, body, layout)) = with_header {
        let above =
            lines[..at].iter().map(|line| (line.clone(), is_as_wide(&head[line.clone()], &layout))).collect();
        return Ok(Detected { layout, body, above });
    }
    // The first line may be cut, or be one that has to be fitted: one that is as it should be tells more.
    let without = [Likeness::Clean, Likeness::AsWide, Likeness::Fitted].into_iter().find_map(|likeness| {
        let likeness = asked.map(|_| likeness);
        lines.iter().find_map(|line| headerless(&head[line.clone()], eol, &candidates, likeness))
    });
    match without {
        Some(layout) => Ok(Detected { layout: Arc::new(layout), body: 0, above: Vec::new() }),
        None => Err(no_object.or(no_element).unwrap_or_else(|| unknown(head, &lines, asked))),
    }
}

fn line_end(head: &[u8]) -> u8 {
    let near = &head[..head.len().min(LF_EXPECTED_WITHIN)];
    if memchr(b'\n', near).is_none() && memchr(b'\r', near).is_some() { b'\r' } else { b'\n' }
}

/// The first lines, line ends included; the last may have none.
fn first_lines(head: &[u8], eol: u8) -> Vec<std::ops::Range<usize>> {
    let mut lines = Vec::new();
    let mut start = 0;
    for end in memchr_iter(eol, head).map(|at| at + 1).chain([head.len()]).take(LINES_TRIED) {
        if start < end {
            lines.push(start..end);
        }
        start = end;
    }
    lines
}

/// A header, how it was read, and its layout.
struct Seen {
    line: Vec<u8>,
    eol: u8,
    asked: Option<&'static str>,
    encoding: Option<&'static Encoding>,
    layout: Arc<Layout>,
}

thread_local! {
    /// The header that this thread has seen last: the next dump of a PBX mostly has the same.
    static LAST: RefCell<Option<Seen>> = const { RefCell::new(None) };
}

/// As [`header`], of which one that comes again is not asked again.
fn header_seen(
    line: &[u8],
    eol: u8,
    (asked, candidates): (Option<&'static Format>, &[&'static Format]),
    encoding: Option<&'static Encoding>,
) -> Option<Arc<Layout>> {
    let asked = asked.map(|format| format.name);
    let is_it =
        |seen: &&Seen| seen.line == line && (seen.eol, seen.asked, seen.encoding) == (eol, asked, encoding);
    if let Some(layout) = LAST.with_borrow(|last| Some(last.as_ref().filter(is_it)?.layout.clone())) {
        return Some(layout);
    }
    let layout = Arc::new(header(line, eol, candidates, encoding)?);
    if line.len() <= LONGEST_SEEN {
        let seen = Seen { line: line.to_vec(), eol, asked, encoding, layout: layout.clone() };
        LAST.set(Some(seen));
    }
    Some(layout)
}

/// The layout of a line, if it is the header of a candidate.
fn header(
    line: &[u8],
    eol: u8,
    candidates: &[&'static Format],
    encoding: Option<&'static Encoding>,
) -> Option<Layout> {
    let line = bare(line, eol);
    let text = match (std::str::from_utf8(line), encoding) {
        (Ok(text), _) => text.to_string(),
        (Err(_), Some(encoding)) => encoding.decode_without_bom_handling(line).0.into_owned(),
        (Err(_), None) => String::from_utf8_lossy(line).into_owned(),
    };
    DELIMITERS.iter().find_map(|&delimiter| {
        let names = values(text.as_bytes(), Dialect { delimiter, eol, quotes: Quotes::Device })?;
        let names: Vec<String> =
            names.iter().map(|name| String::from_utf8_lossy(name).into_owned()).collect();
        let format = *candidates.iter().find(|format| names.len() > 1 && format.is_header(&names))?;
        let dialect = Dialect { delimiter, eol, quotes: format.csv()?.quotes };
        Some(Layout::new(format, dialect, &names, Some(text.clone())))
    })
}

/// How much a line has in common with the records of a generation, of which it is taken to be one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Likeness {
    /// As many fields, with times and numbers where they belong.
    Clean,
    /// As many fields.
    AsWide,
    /// It can be fitted.
    Fitted,
}

/// The layout of a line, if it is a record that needs no header, or, so far as it is asked for, one of a generation of
/// the format that was named.
fn headerless(
    line: &[u8],
    eol: u8,
    candidates: &[&'static Format],
    asked: Option<Likeness>,
) -> Option<Layout> {
    let line = bare(line, eol);
    candidates.iter().find_map(|format| {
        let csv = format.csv()?;
        DELIMITERS.iter().find_map(|&delimiter| {
            let dialect = Dialect { delimiter, eol, quotes: csv.quotes };
            let mut fields = Vec::new();
            let End::At(_) = read_record(line, 0, dialect, &mut fields) else { return None };
            let names = generation(csv, line, &fields, asked)?;
            let layout = Layout::new(format, dialect, &names, None).without_header(fields.len());
            (asked != Some(Likeness::Clean) || reads_cleanly(line, &fields, &layout)).then_some(layout)
        })
    })
}

/// The columns that this line is a record of: by its shape, or, of the format that was asked for,
/// the first generation that has as many, or that it can be fitted to.
fn generation(csv: &Csv, line: &[u8], fields: &[Field], asked: Option<Likeness>) -> Option<Vec<String>> {
    let values: Vec<_> = fields.iter().map(|field| field.value(line)).collect();
    let borrowed: Vec<&[u8]> = values.iter().map(|value| &**value).collect();
    let owned = |names: &&[&str]| names.iter().map(|name| name.to_string()).collect();
    if (csv.is_record)(&borrowed) {
        return csv.generations.last().map(owned);
    }
    let fits = |names: &&&[&str]| {
        let names: Vec<String> = names.iter().map(|name| normalise(name)).collect();
        let misfit = Misfit { names: &names, text: line, fields };
        (csv.plain)(&names, fields.len()) || (fields.len() > 1 && !matches!((csv.fit)(&misfit), Fit::No(_)))
    };
    let exact = |names: &&&[&str]| names.len() == fields.len() && fits(names);
    let found = match asked? {
        Likeness::Clean | Likeness::AsWide => csv.generations.iter().find(exact),
        Likeness::Fitted => csv.generations.iter().find(fits),
    };
    found.map(owned)
}

/// A line's values by a dialect, if it is a whole record.
fn values(line: &[u8], dialect: Dialect) -> Option<Vec<Vec<u8>>> {
    let mut fields = Vec::new();
    match read_record(line, 0, dialect, &mut fields) {
        End::At(_) => Some(fields.iter().map(|field| field.value(line).into_owned()).collect()),
        End::Open => None,
    }
}

/// A line without its line end and what may stand before it.
fn bare(line: &[u8], eol: u8) -> &[u8] {
    let line = line.strip_suffix(&[eol]).unwrap_or(line);
    csv::bare(line.strip_suffix(b"\r").unwrap_or(line))
}

/// Whether a line above the header has as many fields as it.
fn is_as_wide(line: &[u8], layout: &Layout) -> bool {
    let line = bare(line, layout.dialect.eol);
    values(line, layout.dialect).is_some_and(|values| values.len() == layout.names.len())
}

/// What the user should know of a text in which no line is known.
fn unknown(head: &[u8], lines: &[std::ops::Range<usize>], asked: Option<&Format>) -> String {
    if head.iter().all(|&byte| byte == 0) {
        return "no dump: NULs and nothing else".to_string();
    }
    let first =
        lines.iter().map(|line| bare(&head[line.clone()], 0)).find(|line| !line.trim_ascii().is_empty());
    let shown: String = String::from_utf8_lossy(first.unwrap_or_default()).trim().chars().take(300).collect();
    match asked {
        Some(format) if format.csv().is_none() => {
            format!("no record of {} at its beginning, which is: {shown}", format.name)
        }
        Some(format) => {
            let widths: Vec<String> = format.csv().map_or(Vec::new(), |csv| {
                csv.generations.iter().map(|names| names.len().to_string()).collect()
            });
            format!(
                "no header of {} and no record of its {} columns in the first {LINES_TRIED} lines; the first is: {shown}",
                format.name,
                widths.join(", ")
            )
        }
        None => format!("no known header in the first {LINES_TRIED} lines; the first is: {shown}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::by_name;

    const HEADER: &str = "id,from,to,timestamp,caller_id_number,callee_id_number,call_id,hangup_cause";

    fn layout(asked: Option<&str>, eol: &str) -> Option<Arc<Layout>> {
        let head = format!("{HEADER}{eol}1,2,3,4,5,6,7,8{eol}");
        let asked = asked.and_then(by_name);
        detect(head.as_bytes(), asked, None).ok().map(|detected| detected.layout)
    }

    #[test]
    fn a_header_that_comes_again_is_read_once_and_only_under_the_same_terms() {
        let first = layout(None, "\n").expect("it is Kazoo's");
        let again = layout(None, "\n").expect("as before");
        assert!(Arc::ptr_eq(&first, &again));
        let other_end = layout(None, "\r").expect("the line end is another");
        assert_eq!((first.dialect.eol, other_end.dialect.eol), (b'\n', b'\r'));
        assert!(layout(Some("nexo-csv"), "\n").is_none());
        assert!(layout(Some("kazoo-csv"), "\n").is_some());
    }
}
