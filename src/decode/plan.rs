//! What a number stands for in the PBX: a phone, or a queue, a menu, a conference.
//!
//! A Nexo's dump gives numbers only; which range is for what is set in the box, "PBX Basic",
//! "General Preferences". This file knows the ranges that are set there at first, and reads the ones
//! that the user gives instead. It must not know columns, nor where in a record a number stands.
//!
//! ```text
//! plan   = entry *( "," entry )
//! entry  = kind "=" ( number [ "-" number ] | "none" )     each kind at most once
//! kind   = "extension" | "ivr" | "paging" | "conference" | "queue" | "ringgroup"
//! ```
//!
//! A kind that the user does not name keeps its range; `none` takes it away. Ranges must not
//! overlap, also not with one that was kept: it would be unclear what such a number is.
//!
//! Numbers are text, not amounts: 0620 is another number than 620. The shorter comes first, those of
//! one length go by their digits; so a number of any length is compared without computing.
//!
//! Source: Nexo IPPBX CDR guide, "CDR CSV FILE", "Source, Destination", figure 5.

use super::given;
use super::ports::{bounds, entries};

/// The kinds and the ranges that the documents show.
const DOCUMENTED: [(&str, &str, &str); 6] = [
    ("extension", "100", "616"),
    ("ivr", "620", "639"),
    ("paging", "720", "729"),
    ("conference", "740", "749"),
    ("queue", "820", "839"),
    ("ringgroup", "920", "939"),
];

/// What the PBX's numbers stand for. The default is the plan that the documents show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NumberPlan {
    /// One for each kind, in the order of `DOCUMENTED`.
    ranges: [Option<Numbers>; DOCUMENTED.len()],
}

/// The numbers from `first` to `last`, both included; each is digits.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Numbers {
    first: Box<str>,
    last: Box<str>,
}

impl Default for NumberPlan {
    fn default() -> NumberPlan {
        let ranges =
            DOCUMENTED.map(|(_, first, last)| Some(Numbers { first: first.into(), last: last.into() }));
        NumberPlan { ranges }
    }
}

impl NumberPlan {
    /// The plan as the user writes it: `extension=1000-1999,ivr=7000`. It replaces only the kinds
    /// that it names. The error is a sentence for the user.
    pub fn parse(text: &str) -> Result<NumberPlan, String> {
        let mut plan = NumberPlan::default();
        let mut named = [false; DOCUMENTED.len()];
        for (key, value) in entries(text, "number plan", "extension=100-616,ivr=620-639")? {
            let Some(kind) = DOCUMENTED.iter().position(|(kind, ..)| kind.eq_ignore_ascii_case(key)) else {
                let known = DOCUMENTED.map(|(kind, ..)| kind).join(", ");
                return Err(format!("unknown kind \"{key}\" in the number plan: known are {known}"));
            };
            if std::mem::replace(&mut named[kind], true) {
                return Err(format!("{} stands twice in the number plan", DOCUMENTED[kind].0));
            }
            plan.ranges[kind] = numbers(value)?;
        }
        match plan.overlap() {
            Some((a, b)) => Err(plan.overlap_message(a, b, &named)),
            None => Ok(plan),
        }
    }

    /// The kind of a number: `extension`, `ivr`, `paging`, `conference`, `queue` or `ringgroup`;
    /// none where it is in no range.
    pub fn kind(&self, number: &str) -> Option<&'static str> {
        let number = given(number).filter(|number| is_number(number))?;
        let has =
            |numbers: &Option<Numbers>| numbers.as_ref().is_some_and(|numbers| numbers.contains(number));
        let kind = self.ranges.iter().position(has)?;
        Some(DOCUMENTED[kind].0)
    }

    /// The first two kinds whose ranges overlap.
    fn overlap(&self) -> Option<(usize, usize)> {
        let overlap = |a: usize, b: usize| match (&self.ranges[a], &self.ranges[b]) {
            (Some(a), Some(b)) => {
                in_order(&a.first) <= in_order(&b.last) && in_order(&b.first) <= in_order(&a.last)
            }
            _ => false,
        };
        let mut pairs = (0..DOCUMENTED.len()).flat_map(|b| (0..b).map(move |a| (a, b)));
        pairs.find(|&(a, b)| overlap(a, b))
    }

    #[cold]
    fn overlap_message(&self, a: usize, b: usize, named: &[bool]) -> String {
        let written = |kind: usize| {
            let range = self.ranges[kind].as_ref().map_or_else(String::new, Numbers::written);
            format!("{}={range}", DOCUMENTED[kind].0)
        };
        let mut message = format!("{} and {} overlap in the number plan", written(a), written(b));
        for kept in [a, b].into_iter().filter(|&kind| !named[kind]) {
            let kind = DOCUMENTED[kept].0;
            message += &format!("; {kind} has its default range there: give it another, or {kind}=none");
        }
        message
    }
}

/// As the user writes a plan, all kinds named.
impl std::fmt::Display for NumberPlan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let entry = |(kind, numbers): (&(&str, &str, &str), &Option<Numbers>)| {
            format!("{}={}", kind.0, numbers.as_ref().map_or("none".to_string(), Numbers::written))
        };
        f.write_str(&DOCUMENTED.iter().zip(&self.ranges).map(entry).collect::<Vec<_>>().join(","))
    }
}

impl Numbers {
    fn contains(&self, number: &str) -> bool {
        let number = in_order(number);
        in_order(&self.first) <= number && number <= in_order(&self.last)
    }

    fn written(&self) -> String {
        let Numbers { first, last } = self;
        if first == last { first.to_string() } else { format!("{first}-{last}") }
    }
}

/// The key by which numbers are ordered.
fn in_order(number: &str) -> (usize, &str) {
    (number.len(), number)
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn numbers(value: &str) -> Result<Option<Numbers>, String> {
    if value.eq_ignore_ascii_case("none") {
        return Ok(None);
    }
    let (first, last) = bounds(value);
    if !is_number(first) || !is_number(last) {
        return Err(format!("\"{value}\" is no range of numbers: it is written as 100-616"));
    }
    if in_order(first) > in_order(last) {
        return Err(format!("the numbers {value} run backwards"));
    }
    Ok(Some(Numbers { first: first.into(), last: last.into() }))
}

/// The number that was dialled: in a Nexo's `620(102)`, what stands before the bracket (Nexo IPPBX
/// CDR guide, "Source, Destination").
pub fn destination_number(dst: &str) -> Option<&str> {
    given(dst.split_once('(').map_or(dst, |(number, _)| number))
}

/// Who answered: in a Nexo's `620(102)`, what stands within the bracket. A bracket that is not
/// closed, or has another in it, tells nobody.
pub fn destination_answerer(dst: &str) -> Option<&str> {
    let (_, bracket) = dst.trim_ascii().split_once('(')?;
    let answerer = bracket.strip_suffix(')')?;
    given(answerer).filter(|answerer| !answerer.contains(['(', ')']))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn documented(number: &str, kind: Option<&str>) {
        assert_eq!(NumberPlan::default().kind(number), kind, "{number}");
    }

    fn under(plan: &str, number: &str, kind: Option<&str>) {
        assert_eq!(NumberPlan::parse(plan).unwrap().kind(number), kind, "{plan}: {number}");
    }

    fn refuses(plan: &str, message: &str) {
        assert_eq!(NumberPlan::parse(plan).unwrap_err(), message);
    }

    fn destination(dst: &str, number: Option<&str>, answerer: Option<&str>) {
        assert_eq!((destination_number(dst), destination_answerer(dst)), (number, answerer), "{dst}");
    }

    facts! { documented:
        below_the_first_extension("99", None);
        first_extension("100", Some("extension"));
        last_extension("616", Some("extension"));
        between_extensions_and_ivr("617", None);
        first_ivr("620", Some("ivr"));
        last_ivr("639", Some("ivr"));
        first_paging("720", Some("paging"));
        last_paging("729", Some("paging"));
        first_conference("740", Some("conference"));
        last_conference("749", Some("conference"));
        first_queue("820", Some("queue"));
        last_queue("839", Some("queue"));
        first_ring_group("920", Some("ringgroup"));
        last_ring_group("939", Some("ringgroup"));
        above_the_last_ring_group("940", None);
        blanks_around_a_number(" 620 ", Some("ivr"));
        leading_zero_makes_another_number("0620", None);
        external_number("9506", None);
        number_of_any_length("100000000000000000000000000000000000000000", None);
        feature_code("*97", None);
        start_is_no_number("s", None);
        empty_number("", None);
        digits_of_another_script("٦٢٠", None);
    }

    facts! { under:
        named_kind_is_replaced("extension=1000-1999", "1500", Some("extension"));
        named_kind_loses_its_default("extension=1000-1999", "100", None);
        other_kinds_keep_their_default("extension=1000-1999", "620", Some("ivr"));
        single_number_is_a_range_of_one("ivr=700", "700", Some("ivr"));
        kind_taken_away("ivr=none", "620", None);
        kind_taken_away_makes_room("extension=100-700,IVR=none", "620", Some("extension"));
        range_with_leading_zeros("extension=0100-0616", "0200", Some("extension"));
        range_over_two_lengths("extension=90-110", "100", Some("extension"));
        blanks_and_case(" Extension = 1000 - 1999 , queue=2000", "2000", Some("queue"));
    }

    facts! { refuses:
        empty_plan("", "\"\" in the number plan is no KEY=RANGE: it is written as extension=100-616,ivr=620-639");
        bare_range("1-4", "\"1-4\" in the number plan is no KEY=RANGE: it is written as extension=100-616,ivr=620-639");
        unknown_kind(
            "fax=1",
            "unknown kind \"fax\" in the number plan: known are extension, ivr, paging, conference, queue, ringgroup",
        );
        repeated_kind("ivr=1,IVR=2", "ivr stands twice in the number plan");
        reversed_range("ivr=639-620", "the numbers 639-620 run backwards");
        longer_before_shorter("ivr=1000-999", "the numbers 1000-999 run backwards");
        no_number("ivr=6xx", "\"6xx\" is no range of numbers: it is written as 100-616");
        no_range("ivr=", "\"\" is no range of numbers: it is written as 100-616");
        half_a_range("ivr=620-", "\"620-\" is no range of numbers: it is written as 100-616");
        overlap_of_two_given(
            "extension=1000-1999,ivr=1500", "extension=1000-1999 and ivr=1500 overlap in the number plan",
        );
        overlap_with_a_default(
            "extension=100-620",
            "extension=100-620 and ivr=620-639 overlap in the number plan; \
             ivr has its default range there: give it another, or ivr=none",
        );
    }

    facts! { destination:
        number_and_answerer("620(102)", Some("620"), Some("102"));
        number_alone("569", Some("569"), None);
        blank_before_the_bracket(" 620 ( 102 ) ", Some("620"), Some("102"));
        empty_bracket("620()", Some("620"), None);
        bracket_alone("(102)", None, Some("102"));
        bracket_not_closed("620(102", Some("620"), None);
        bracket_not_opened("620)", Some("620)"), None);
        text_behind_the_bracket("620(102)x", Some("620"), None);
        two_brackets("620(102)(103)", Some("620"), None);
        feature_code_destination("*97", Some("*97"), None);
        empty_destination("", None, None);
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in any::<String>(), other in "[()0-9=,a-z é-]{0,16}") {
            for text in [text, other] {
                let _ = (NumberPlan::parse(&text), NumberPlan::default().kind(&text));
                let _ = (destination_number(&text), destination_answerer(&text));
            }
        }

        #[test]
        fn order_of_numbers_is_that_of_their_amounts(number in 1u64.., first in 1u64.., last in 1u64..) {
            let (first, last) = (first.min(last), first.max(last));
            let range = numbers(&format!("{first}-{last}")).unwrap().unwrap();
            prop_assert_eq!(range.contains(&number.to_string()), (first..=last).contains(&number));
        }
    }
}
