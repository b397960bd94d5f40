use super::*;
use crate::format;

fn xml() -> &'static Xml {
    format::by_name("ucm-cdrapi-xml").and_then(|format| format.xml()).expect("it is known")
}

/// The text of every element, read in pieces of so many bytes; `!` before a bad one, `…` before one that is
/// cut off. And what is told in the end.
fn elements(text: &str, size: usize) -> (Vec<String>, Vec<String>) {
    let (mut splitter, mut found, mut start, mut shown) = (Splitter::new(xml()), Vec::new(), 0, 0);
    while start < text.len() {
        shown = (shown + size).min(text.len());
        let at_end = shown == text.len();
        match splitter.cut(&text.as_bytes()[start..shown], at_end) {
            Cut::Elements(end, elements) => {
                for element in elements {
                    let mark = match element.kind {
                        ElementKind::Bad(Unreadable::Truncated) => "…",
                        ElementKind::Bad(_) => "!",
                        _ => "",
                    };
                    found.push(format!("{mark}{}", &text[start..][element.range()]));
                }
                start += end;
            }
            Cut::More => assert!(!at_end),
            other => panic!("{other:?}"),
        }
    }
    (found, splitter.end().warnings)
}

/// However a text is cut.
#[track_caller]
fn check(text: &str, expected: &[&str]) {
    for size in [1, 2, 3, 7, 30, 1000] {
        assert_eq!(elements(text, size).0, expected, "{size} bytes at a time");
    }
}

/// Where text that belongs to no record is told only in one piece.
#[track_caller]
fn check_whole(text: &str, expected: &[&str]) {
    assert_eq!(elements(text, text.len()).0, expected);
}

#[test]
fn calls_end_at_their_end_tags() {
    check(
        "<root><cdr><a>1</a></cdr>\n<cdr x='>'/><cdr ></cdr ></root>",
        &["<cdr><a>1</a></cdr>", "<cdr x='>'/>", "<cdr ></cdr >"],
    );
}

#[test]
fn other_names_that_hold_the_calls_are_others() {
    check("<cdr_root><cdr><cdrs></cdrs></cdr></cdr_root>", &["<cdr><cdrs></cdrs></cdr>"]);
}

#[test]
fn records_within_a_call_are_its_own() {
    let call = "<cdr session=\"1\"><main_cdr>a</main_cdr><sub_cdr>b</sub_cdr></cdr>";
    check(&format!("{call}{call}"), &[call, call]);
}

#[test]
fn asides_hide_tags() {
    let call = "<cdr><!-- </cdr> --><![CDATA[</cdr><cdr>]]><?p </cdr>?></cdr>";
    check(&format!("<!-- <cdr></cdr> -->{call}<?p <cdr>?>"), &[call]);
}

#[test]
fn a_comment_that_is_never_closed_hides_nothing() {
    check("<cdr><!-- a</cdr><cdr>b<!-- c --></cdr>", &["<cdr><!-- a</cdr>", "<cdr>b<!-- c --></cdr>"]);
}

#[test]
fn a_doctype_is_passed_over() {
    let text = "<!DOCTYPE root [<!ENTITY a \"<cdr></cdr>\">]><root><cdr>1</cdr></root>";
    check(text, &["<cdr>1</cdr>"]);
    assert!(elements(text, 1000).1[0].contains("DOCTYPE"));
}

#[test]
fn a_call_without_an_end_ends_at_the_next() {
    check("<cdr><a>1</a>\n<cdr>2</cdr>", &["<cdr><a>1</a>", "<cdr>2</cdr>"]);
    check("<root><cdr>1</root><root><cdr>2</cdr></root>", &["<cdr>1", "<cdr>2</cdr>"]);
    check("<cdr>1<?xml version=\"1.0\"?><root><cdr>2</cdr></root>", &["<cdr>1", "<cdr>2</cdr>"]);
    check("<root><cdr>1</root>", &["<cdr>1"]);
}

#[test]
fn a_call_without_a_start_begins_with_its_first_record() {
    check("<main_cdr>1</main_cdr></cdr><cdr>2</cdr>", &["<main_cdr>1</main_cdr></cdr>", "<cdr>2</cdr>"]);
}

#[test]
fn the_rest_of_a_damaged_record_is_one() {
    let rest = "<src>1</src>text</cdr>";
    check_whole(
        &format!("<root>\n{rest}\n<cdr>2</cdr> x <cdr/></root>"),
        &[&format!("!{rest}"), "<cdr>2</cdr>", "!x", "<cdr/>"],
    );
}

#[test]
fn envelopes_are_none_of_it() {
    check_whole(
        "<response><status>0</status><root a=\"b\">\u{feff}<cdr/><page>1</page></root></response>",
        &["<cdr/>"],
    );
}

#[test]
fn what_is_cut_off_is_truncated() {
    check("<cdr>1</cdr><cdr>2</c", &["<cdr>1</cdr>", "…<cdr>2</c"]);
    check("<cdr>1</cdr><cdr ses", &["<cdr>1</cdr>", "…<cdr ses"]);
    check("<cdr>1</cdr>\n<c", &["<cdr>1</cdr>", "…<c"]);
    check("<cdr>1</cdr></roo", &["<cdr>1</cdr>"]);
    check("<cdr>1</cdr><!-- ", &["<cdr>1</cdr>"]);
}

#[test]
fn of_a_call_that_is_cut_off_whole_records_are_kept() {
    let whole = "<cdr session=\"1\"><main_cdr>a</main_cdr>";
    check(&format!("{whole}<sub_cdr>b</sub_cd"), &[whole, "…<sub_cdr>b</sub_cd"]);
    check(whole, &[whole]);
    check("<cdr session=\"1\"><main_cdr>a", &["…<main_cdr>a"]);
}

#[test]
fn it_is_told_that_a_dump_is_cut_off() {
    let told = |text: &str| elements(text, 1000).1.iter().any(|warning| warning.contains("cut off"));
    assert!(told("<root><cdr>1</cdr>") && told("<cdr>1</cdr><cd") && told("<cdr><main_cdr></main_cdr>"));
    assert!(!told("<root><cdr>1</cdr></root>") && !told("<cdr>1</cdr>") && !told("<root/>"));
}

#[test]
fn a_call_that_is_too_large_is_passed_over_up_to_its_end() {
    let large = format!("<cdr>{}</cdr>", "x".repeat(MAX_RECORD));
    let mut splitter = Splitter::new(xml());
    assert_eq!(
        splitter.cut(large.as_bytes(), false),
        Cut::Elements(large.len(), vec![Element::new(0, large.len(), ElementKind::Whole)])
    );
    assert_eq!(splitter.cut(&large.as_bytes()[..MAX_RECORD + 5], false), Cut::TooLarge);
    for size in [1000, 1 << 20, large.len()] {
        let (mut splitter, mut at, mut shown) = (Splitter::new(xml()), 0, 0);
        loop {
            shown = (shown + size).min(large.len());
            let Skip { passed, ended } = splitter.skip(&large.as_bytes()[at..shown], false);
            at += passed;
            if ended {
                break;
            }
        }
        assert_eq!(at, large.len());
    }
}

/// The elements of a text where a call longer than `block` bytes is given out piece by piece, and what each
/// piece knows of its call.
fn pieces(text: &str, block: usize) -> Vec<String> {
    let (mut splitter, mut found, mut start) = (Splitter::new(xml()), Vec::new(), 0);
    splitter.block = block;
    let mut shown = block;
    while start < text.len() {
        let end = text.len().min(start + shown);
        let within = splitter
            .within
            .as_ref()
            .map(|within| format!("{}:{} ", String::from_utf8_lossy(&within.tag), within.subs));
        match splitter.cut(&text.as_bytes()[start..end], end == text.len()) {
            Cut::Elements(cut, elements) => {
                for element in elements {
                    let mark = match element.kind {
                        ElementKind::Rest(_) => within.clone().expect("a rest is one of something"),
                        ElementKind::Bad(_) => "!".to_string(),
                        _ => String::new(),
                    };
                    found.push(format!("{mark}{}", &text[start..][element.range()]));
                }
                (start, shown) = (start + cut, block);
            }
            _ => shown *= 2,
        }
    }
    found
}

#[test]
fn a_long_call_is_given_out_record_by_record() {
    let text =
        "<cdr a=\"1\"><main_cdr>1</main_cdr> <sub_cdr>2</sub_cdr><sub_cdr>3</sub_cdr> </cdr><cdr>4</cdr>";
    let expected = [
        "<cdr a=\"1\"><main_cdr>1</main_cdr>",
        "<cdr a=\"1\">:0 <sub_cdr>2</sub_cdr>",
        "<cdr a=\"1\">:1 <sub_cdr>3</sub_cdr> </cdr>",
        "<cdr>4</cdr>",
    ];
    assert_eq!(pieces(text, 38), expected);
    assert_eq!(pieces(text, 1000).len(), 2);
}

#[test]
fn what_stands_between_the_records_of_a_long_call_is_not_lost() {
    let text = "<cdr><sub_cdr>1</sub_cdr><src>2</src></cdr>";
    assert_eq!(pieces(text, 28), ["<cdr><sub_cdr>1</sub_cdr>", "!<src>2</src>"]);
    let cut = "<cdr><sub_cdr>1</sub_cdr><sub_cdr/><sub_cdr>2</su";
    assert_eq!(pieces(cut, 28), ["<cdr><sub_cdr>1</sub_cdr>", "<cdr>:1 <sub_cdr/>", "!<sub_cdr>2</su"]);
}

#[test]
fn a_form_feed_between_calls_is_white_space() {
    check("<root>\x0c<cdr>1</cdr>\x0c \n<cdr>2</cdr>\x0c</root>", &["<cdr>1</cdr>", "<cdr>2</cdr>"]);
}
