//! Who called, or was called: a name and a number packed in one text.
//!
//! `clid`, `Call From`, `call_from` and their like hold both, and on a UCM6100 the trunk as well.
//! This file takes them apart. It must not know which column a part is for, nor what a number means.
//!
//! ```text
//! party  = ( packed | quoted | bare ) [ "[Trunk:" trunk "]" ]
//! packed = [ quoted | name ] "<" number ">"
//! quoted = '"' name '"'              within it \" is a quote
//!        | '\"' name '\"'            what a faulty export leaves of the same
//!        | '\' name '\'              what the UCM6100 guide's own JSON leaves of it
//! bare   = number | name             a number is one ASCII word, or has no letter
//! ```
//!
//! It is read from its end, since a name may hold any of the signs and a number holds none. Text that
//! fits none of this (a bracket or quote that is not closed) has neither name nor number.
//!
//! Sources: UCM6100 CDR guide, "CDR Report Data Fields" and "Example Output"; UCM6xxx CDR guide,
//! "Output"; Yeastar "Search specific CDR", "Examples". That a caller ID with a name and no number is
//! the name alone, without quotes, is Asterisk's way.

use std::borrow::Cow;

use super::given;

/// A party of a call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Party<'a> {
    /// The display name, without its quotes.
    pub name: Option<Cow<'a, str>>,
    /// The number, or what stands for one: `*97`, `Anonymous`, `trunk_16`.
    pub number: Option<&'a str>,
    /// The trunk's name.
    pub trunk: Option<&'a str>,
}

/// A bracket or a quote is not closed.
struct Unbalanced;

impl<'a> Party<'a> {
    /// Takes a packed party apart; what is not there is none.
    pub fn parse(text: &'a str) -> Party<'a> {
        let (who, trunk) = split_trunk(text.trim_ascii());
        let who = if who.ends_with('>') { packed(who) } else { bare(who) };
        Party { trunk, ..who.unwrap_or_default() }
    }
}

/// `7080 [Trunk: CallCenterTrunk]`.
fn split_trunk(text: &str) -> (&str, Option<&str>) {
    match text.strip_suffix(']').and_then(|open| open.rsplit_once("[Trunk:")) {
        Some((who, trunk)) => (who.trim_ascii_end(), given(trunk)),
        None => (text, None),
    }
}

/// `"John Doe" <1000>`, `Kristin Hale<2005>`, `<1000>`.
fn packed(who: &str) -> Result<Party<'_>, Unbalanced> {
    let (name, number) = who.strip_suffix('>').and_then(|open| open.rsplit_once('<')).ok_or(Unbalanced)?;
    if number.contains('>') {
        return Err(Unbalanced);
    }
    let name = name.trim_ascii();
    let name = match quoted(name)? {
        Some(name) => name,
        None if name.contains(['<', '>']) => return Err(Unbalanced),
        None => name,
    };
    Ok(Party { name: unescaped(name), number: given(number), trunk: None })
}

/// `1000`, `*97`, `"John Doe"`, `John Doe`.
fn bare(who: &str) -> Result<Party<'_>, Unbalanced> {
    if let Some(name) = quoted(who)? {
        return Ok(Party { name: unescaped(name), ..Party::default() });
    }
    if who.contains(['<', '>', '[', ']']) {
        return Err(Unbalanced);
    }
    let is_word = who.bytes().all(|byte| byte.is_ascii_graphic());
    if is_word || !who.chars().any(char::is_alphabetic) {
        Ok(Party { number: given(who), ..Party::default() })
    } else {
        Ok(Party { name: given(who).map(Cow::Borrowed), ..Party::default() })
    }
}

/// What stands between the quotes, if the text is quoted.
fn quoted(text: &str) -> Result<Option<&str>, Unbalanced> {
    if let Some(open) = text.strip_prefix('"') {
        let name = open.strip_suffix('"').ok_or(Unbalanced)?;
        // After an odd number of backslashes the last quote is a part of the name.
        let backslashes = name.bytes().rev().take_while(|&byte| byte == b'\\').count();
        return if backslashes % 2 == 0 { Ok(Some(name)) } else { Err(Unbalanced) };
    }
    if let Some(open) = text.strip_prefix("\\\"") {
        return open.strip_suffix("\\\"").map(Some).ok_or(Unbalanced);
    }
    Ok(text.strip_prefix('\\').and_then(|open| open.strip_suffix('\\')))
}

fn unescaped(name: &str) -> Option<Cow<'_, str>> {
    if name.trim_ascii().is_empty() {
        None
    } else if name.contains("\\\"") {
        Some(Cow::Owned(name.replace("\\\"", "\"")))
    } else {
        Some(Cow::Borrowed(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn reads(text: &str, name: &str, number: &str, trunk: &str) {
        let expected =
            Party { name: given(name).map(Cow::Borrowed), number: given(number), trunk: given(trunk) };
        assert_eq!(Party::parse(text), expected, "{text}");
    }

    fn tells_nothing(text: &str) {
        assert_eq!(Party::parse(text), Party::default(), "{text}");
    }

    facts! { reads:
        quoted_name_and_number(r#""John Doe" <1000>"#, "John Doe", "1000", "");
        no_blank_before_the_bracket(r#""John Doe"<6012>"#, "John Doe", "6012", "");
        name_without_quotes("Kristin Hale<2005>", "Kristin Hale", "2005", "");
        name_without_quotes_and_a_blank("Kristin Hale <2005>", "Kristin Hale", "2005", "");
        name_number_and_trunk(
            r#""WIRELESS CALLER"<123456789> [Trunk: CallCenterTrunk]"#, "WIRELESS CALLER", "123456789", "CallCenterTrunk",
        );
        number_and_trunk("7080 [Trunk: CallCenterTrunk]", "", "7080", "CallCenterTrunk");
        number_alone("1000", "", "1000", "");
        empty_name(r#""" <1000>"#, "", "1000", "");
        no_name("<1000>", "", "1000", "");
        backslashes_of_a_faulty_export(r#"\"pn01\" <5300>"#, "pn01", "5300", "");
        backslashes_of_the_guides_json(r"\pn01\ <5300>", "pn01", "5300", "");

        blanks_around("  1000  ", "", "1000", "");
        blanks_within_the_bracket(r#""John Doe" < 1000 >"#, "John Doe", "1000", "");
        blank_name(r#"" " <1000>"#, "", "1000", "");
        no_number(r#""John Doe" <>"#, "John Doe", "", "");
        quoted_name_alone(r#""John Doe""#, "John Doe", "", "");
        name_alone("John Doe", "John Doe", "", "");
        name_alone_of_another_script("张伟", "张伟", "", "");
        feature_code("*97", "", "*97", "");
        number_with_blanks("+49 30 123456", "", "+49 30 123456", "");
        word_for_a_number("Anonymous", "", "Anonymous", "");
        trunk_for_a_number("trunk_16", "", "trunk_16", "");
        escaped_quote_in_a_name(r#""John \"JD\" Doe" <1000>"#, r#"John "JD" Doe"#, "1000", "");
        escaped_quote_at_the_end(r#""John \"JD\"" <1000>"#, r#"John "JD""#, "1000", "");
        bare_quote_in_a_name(r#""John "JD" Doe" <1000>"#, r#"John "JD" Doe"#, "1000", "");
        other_backslashes_stay(r#""DOMAIN\user" <1000>"#, r"DOMAIN\user", "1000", "");
        escaped_backslash_before_the_quote(r#""John\\" <1000>"#, r"John\\", "1000", "");
        comma_in_a_name(r#""Doe, John" <6039>"#, "Doe, John", "6039", "");
        bracket_in_a_quoted_name(r#""a <b> [c" <1000>"#, "a <b> [c", "1000", "");
        square_brackets_in_a_name("[ACME] John <1000>", "[ACME] John", "1000", "");
        name_of_another_script(r#""Jörg 张伟" <1000>"#, "Jörg 张伟", "1000", "");
        uri_for_a_number(r#""John" <sip:1000@10.0.0.1>"#, "John", "sip:1000@10.0.0.1", "");
        trunk_without_blanks("7080[Trunk:A]", "", "7080", "A");
        trunk_without_name("7080 [Trunk: ]", "", "7080", "");
        trunk_alone("[Trunk: A]", "", "", "A");
        trunk_stands_beside_what_is_broken("John <1000 [Trunk: A]", "", "", "A");
    }

    facts! { tells_nothing:
        empty_text("");
        blank_text("  ");
        bracket_not_closed("John <1000");
        bracket_not_opened("John 1000>");
        bracket_not_closed_before_another("John <1000<2000>");
        bracket_closed_twice("<1000>>");
        text_behind_the_bracket(r#""John" <1000> x"#);
        quote_not_closed(r#""John <1000>"#);
        quote_closed_by_an_escaped_one(r#""John\" <1000>"#);
        quote_alone(r#"""#);
        faulty_quote_not_closed(r#"\"John <1000>"#);
        number_behind_a_quoted_name(r#""John" 1000"#);
        trunk_not_closed("7080 [Trunk: A");
        another_word_than_trunk("7080 [Queue: A]");
    }

    #[test]
    fn name_is_copied_only_to_take_out_backslashes() {
        assert!(matches!(Party::parse(r#""John" <1>"#).name, Some(Cow::Borrowed(_))));
        assert!(matches!(Party::parse(r#""J\"D" <1>"#).name, Some(Cow::Owned(_))));
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in any::<String>(), party in r#"(["\\<>\[\] 1aé]|\[Trunk:){0,12}"#) {
            for text in [text, party] {
                let party = Party::parse(&text);
                prop_assert!(party.name.is_none_or(|name| !name.is_empty()));
                prop_assert!(party.number.is_none_or(|number| text.contains(number)));
                prop_assert!(party.trunk.is_none_or(|trunk| text.contains(trunk)));
            }
        }

        #[test]
        fn what_a_pbx_packs_comes_out(name in r#"[^"\\]{0,9}[a-zé]"#, number in "[0-9+*#]{1,9}", gap in " ?") {
            let text = format!("\"{name}\"{gap}<{number}>");
            let party = Party::parse(&text);
            prop_assert_eq!((party.name.as_deref(), party.number), (Some(&*name), Some(&*number)));
        }
    }
}
