//! The words with a fixed meaning: actions, outcomes, billing flags, call types; and file lists.
//!
//! Vendors and firmwares spell the same word as `No answer`, `NOANSWER` or `NO_ANSWER`. Here it gets
//! the one spelling that the table holds; a word that no document names stays what it is, for it is
//! data, too. This file knows words, not which field of which dump they stand in.
//!
//! The idea: two spellings are of one word if they have the same letters, without regard to case,
//! blanks and underscores. Each table below lists the spellings to give, and is searched by letters.

use std::borrow::Cow;

use super::given;

/// The actions of the UCM: UCM6xxx CDR guide, "CDR Report Data Fields" (Action Type), "Action Type"
/// of the filter, and "action_type" of the output.
const ACTIONS: [&str; 25] = [
    "DIAL",
    "QUEUE",
    "IVR",
    "RINGGROUP",
    "TRANSFER",
    "VM",
    "VMG",
    "CONFERENCE",
    "CALLFORWARD",
    "FOLLOWME",
    "PAGE",
    "ANNOUNCEMENTS",
    "CALLBACK",
    "DISA",
    "FAX",
    "VFAX",
    "PARKEDCALL",
    "WAKEUP",
    "EMERGENCYCALL",
    "EMERGENCYNOTIFY",
    "SCA",
    "VIDEOCONFERENCE",
    "PRESENCE_STATUS",
    "ANNOUNCEMENT PAGE",
    "VQ_CALLBACK",
];

/// The outcomes of a call: UCM6xxx CDR guide, "CDR Report Data Fields" (Disposition); Yeastar,
/// "Response parameters" (VOICEMAIL).
const DISPOSITIONS: [&str; 6] = ["ANSWERED", "NO ANSWER", "BUSY", "FAILED", "CONGESTION", "VOICEMAIL"];

/// The call types: UCM6xxx CDR guide, "Call Type"; Nexo IPPBX CDR guide, "Call Direction".
const CALL_TYPES: [&str; 5] = ["internal", "inbound", "outbound", "external", "callback"];

/// The action before the bracket of `CONFERENCE [6300]`, in its documented spelling; one that is not
/// documented as it is written.
pub fn action_type(text: &str) -> Option<Cow<'_, str>> {
    let action = given(text.split_once('[').map_or(text, |(action, _)| action))?;
    // One list of the UCM6xxx guide has it without its T.
    if same_letters(action, "EMERGENCYNOIFY") {
        return Some(Cow::Borrowed("EMERGENCYNOTIFY"));
    }
    Some(Cow::Borrowed(known(action, &ACTIONS).unwrap_or(action)))
}

/// The extension or name within the bracket of `CONFERENCE [6300]`, which may itself hold brackets.
/// A bracket that is not closed tells nothing.
pub fn action_target(text: &str) -> Option<&str> {
    let (_, bracket) = text.split_once('[')?;
    let (target, _) = bracket.rsplit_once(']')?;
    given(target)
}

/// The outcome of a call in its usual spelling; one that is not known in upper case.
pub fn disposition(text: &str) -> Option<Cow<'_, str>> {
    let word = given(text)?;
    Some(known(word, &DISPOSITIONS).map_or_else(|| upper_case(word), Cow::Borrowed))
}

/// The billing flag in upper case, and in the spelling of the UCM6xxx CDR guide, "CDR Report Data
/// Fields" (Amaflags); Asterisk's own description of its records says BILL and IGNORE.
pub fn amaflags(text: &str) -> Option<Cow<'_, str>> {
    let flag = upper_case(given(text)?);
    Some(match &*flag {
        "BILL" => Cow::Borrowed("BILLING"),
        "IGNORE" => Cow::Borrowed("OMIT"),
        _ => flag,
    })
}

/// The vendor's own word for the call's direction, in any case; none where it is no such word.
pub fn call_type_word(text: &str) -> Option<&'static str> {
    let word = text.trim_ascii();
    CALL_TYPES.into_iter().find(|known| known.eq_ignore_ascii_case(word))
}

/// The recordings of a call, separated by `@` (UCM6xxx CDR guide, "REC API URL Parameters"). The UCM
/// writes one after the last file, too: that is no further file.
pub fn record_files(text: &str) -> impl Iterator<Item = &str> {
    text.split('@').filter_map(given)
}

/// The listed spelling of a word.
fn known(word: &str, spellings: &[&'static str]) -> Option<&'static str> {
    // Nearly every word is spelled as it is listed.
    let exact = spellings.iter().find(|spelling| **spelling == word);
    exact.or_else(|| spellings.iter().find(|spelling| same_letters(word, spelling))).copied()
}

/// Whether two spellings differ in nothing but case, blanks and underscores.
fn same_letters(a: &str, b: &str) -> bool {
    letters(a).eq(letters(b))
}

fn letters(word: &str) -> impl Iterator<Item = u8> {
    let filler = |byte: &u8| *byte == b'_' || byte.is_ascii_whitespace();
    word.bytes().filter(move |byte| !filler(byte)).map(|byte| byte.to_ascii_uppercase())
}

/// The word in upper case; copied only if it is not.
fn upper_case(word: &str) -> Cow<'_, str> {
    if word.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_lowercase()) {
        Cow::Borrowed(word)
    } else {
        Cow::Owned(word.to_uppercase())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn action(text: &str, action: Option<&str>, target: Option<&str>) {
        assert_eq!((action_type(text).as_deref(), action_target(text)), (action, target), "{text}");
    }

    fn outcome(text: &str, expected: Option<&str>) {
        assert_eq!(disposition(text).as_deref(), expected, "{text}");
    }

    fn flag(text: &str, expected: Option<&str>) {
        assert_eq!(amaflags(text).as_deref(), expected, "{text}");
    }

    fn call_type(text: &str, expected: Option<&str>) {
        assert_eq!(call_type_word(text), expected, "{text}");
    }

    fn files(text: &str, expected: &[&str]) {
        assert_eq!(record_files(text).collect::<Vec<_>>(), expected, "{text}");
    }

    facts! { action:
        action_and_target("CONFERENCE [6300]", Some("CONFERENCE"), Some("6300"));
        action_without_blank("CONFERENCE[6300]", Some("CONFERENCE"), Some("6300"));
        action_alone("DIAL", Some("DIAL"), None);
        action_of_the_list("Announcements", Some("ANNOUNCEMENTS"), None);
        action_of_the_page("Call Forward", Some("CALLFORWARD"), None);
        action_in_small_letters("ring group [6400]", Some("RINGGROUP"), Some("6400"));
        action_with_an_underscore("ring_group", Some("RINGGROUP"), None);
        action_that_keeps_its_underscore("presence status", Some("PRESENCE_STATUS"), None);
        action_that_keeps_its_blank("Announcement_page", Some("ANNOUNCEMENT PAGE"), None);
        action_of_a_virtual_queue("VQ_Callback", Some("VQ_CALLBACK"), None);
        action_spelled_wrong_in_the_guide("EMERGENCYNOIFY", Some("EMERGENCYNOTIFY"), None);
        action_spelled_right("Emergency Notify", Some("EMERGENCYNOTIFY"), None);
        action_that_begins_like_another("VMG [6600]", Some("VMG"), Some("6600"));
        action_not_documented("Wave Meeting [77]", Some("Wave Meeting"), Some("77"));
        action_of_another_script("会议 [6300]", Some("会议"), Some("6300"));
        target_by_name("IVR [Main Menu]", Some("IVR"), Some("Main Menu"));
        target_with_brackets("IVR [Main [day]]", Some("IVR"), Some("Main [day]"));
        target_empty("IVR []", Some("IVR"), None);
        target_not_closed("IVR [7000", Some("IVR"), None);
        target_alone("[7000]", None, Some("7000"));
        action_empty("", None, None);
        action_blank("  ", None, None);
    }

    #[test]
    fn every_listed_word_is_itself() {
        for word in ACTIONS {
            assert_eq!(action_type(word).as_deref(), Some(word));
            assert_eq!(action_type(&word.to_lowercase().replace(['_', ' '], "")).as_deref(), Some(word));
        }
        for word in DISPOSITIONS {
            assert_eq!(disposition(&word.to_lowercase()).as_deref(), Some(word));
        }
        for word in CALL_TYPES {
            assert_eq!(call_type_word(word), Some(word));
        }
    }

    #[test]
    fn known_words_are_not_copied() {
        assert!(matches!(action_type("Ring Group"), Some(Cow::Borrowed(_))));
        assert!(matches!(disposition("No answer"), Some(Cow::Borrowed(_))));
        assert!(matches!(disposition("CANCEL"), Some(Cow::Borrowed(_))));
        assert!(matches!(amaflags("DOCUMENTATION"), Some(Cow::Borrowed(_))));
    }

    facts! { outcome:
        outcome_as_listed("NO ANSWER", Some("NO ANSWER"));
        outcome_of_the_page("No answer", Some("NO ANSWER"));
        outcome_without_blank("NOANSWER", Some("NO ANSWER"));
        outcome_with_an_underscore("NO_ANSWER", Some("NO ANSWER"));
        outcome_padded(" Answered ", Some("ANSWERED"));
        outcome_not_known("Cancel", Some("CANCEL"));
        outcome_not_known_keeps_its_blanks("answered elsewhere", Some("ANSWERED ELSEWHERE"));
        outcome_with_a_hyphen_is_not_known("no-answer", Some("NO-ANSWER"));
        outcome_of_another_script("отвечен", Some("ОТВЕЧЕН"));
        outcome_empty("", None);
    }

    facts! { flag:
        flag_as_documented("DOCUMENTATION", Some("DOCUMENTATION"));
        flag_in_small_letters("billing", Some("BILLING"));
        flag_bill("Bill", Some("BILLING"));
        flag_ignore("IGNORE", Some("OMIT"));
        flag_omit("OMIT", Some("OMIT"));
        flag_number_stays("3", Some("3"));
        flag_empty(" ", None);
    }

    facts! { call_type:
        internal_call("Internal", Some("internal"));
        inbound_call("Inbound", Some("inbound"));
        outbound_call("OUTBOUND", Some("outbound"));
        external_call(" External ", Some("external"));
        callback_call("CallBack", Some("callback"));
        ext_is_no_call_type("EXT", None);
        two_words_are_no_call_type("Inbound,Outbound", None);
        nothing_is_no_call_type("", None);
    }

    facts! { files:
        no_file("", &[]);
        one_file("auto-1461920017-1000-1001.wav", &["auto-1461920017-1000-1001.wav"]);
        trailing_sign_is_no_file("auto-1461920017-1000-1001.wav@", &["auto-1461920017-1000-1001.wav"]);
        several_files("a.wav@b.wav@", &["a.wav", "b.wav"]);
        empty_pieces_are_no_files("@a.wav@ @b.wav", &["a.wav", "b.wav"]);
        signs_alone("@@", &[]);
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in any::<String>(), other in r"[\[\]@_ a-cA-Cß]{0,12}") {
            for text in [text, other] {
                let _ = (action_type(&text), action_target(&text), amaflags(&text), call_type_word(&text));
                let _ = record_files(&text).count();
                prop_assert_eq!(disposition(&text).is_none(), text.trim_ascii().is_empty());
            }
        }
    }
}
