//! Streams that nobody reads, and streams that are none.

use crate::{Folder, dump};

#[test]
fn a_reader_that_is_gone_ends_the_program_as_it_ends_cat() {
    let folder = Folder::of(&[("dump.csv", &dump(100_000))]);
    for line in [
        "convert dump.csv -o - --to csv",
        "convert dump.csv -o - --to arrows",
        "query 'cdrapi?format=json' dump.csv",
    ] {
        let run = folder.shell(&format!("{{ \"$P\" {line}; echo $? >code; }} | head -c 10 >/dev/null"));
        run.exits(0);
        assert_eq!(String::from_utf8(folder.read("code")).unwrap(), "141\n", "{line}");
    }
}

#[test]
fn a_standard_output_that_is_closed_is_not_a_written_one() {
    let folder = Folder::of(&[("dump.csv", &dump(10))]);
    for line in ["convert dump.csv -o - --to csv", "query 'cdrapi?format=json' dump.csv"] {
        folder.shell(&format!("\"$P\" {line} >&-")).exits(2).says(&["standard output is closed"]);
        folder.shell(&format!("\"$P\" {line} >/dev/null")).exits(0);
    }
    // Nothing goes there.
    folder.shell("\"$P\" convert dump.csv -o out.csv >&- <&-").exits(0);
}

#[test]
fn a_standard_input_that_is_closed_is_no_empty_dump() {
    let folder = Folder::of(&[("dump.csv", &dump(10))]);
    for line in
        ["convert - -o out.csv", "convert dump.csv - -o out.csv", "inspect -", "query 'cdrapi?format=json' -"]
    {
        folder.shell(&format!("\"$P\" {line} <&-")).exits(2).says(&["-: standard input is closed"]);
    }
    assert_eq!(folder.names(), ["dump.csv"]);
    folder.shell("\"$P\" convert - -o out.csv </dev/null").exits(0).says(&["-: the file is empty"]);
}

#[test]
fn a_standard_error_that_is_closed_changes_nothing() {
    let folder = Folder::of(&[("dump.csv", &dump(10))]);
    folder.shell("\"$P\" convert dump.csv -o a.csv 2>&-").exits(0);
    folder.shell("\"$P\" convert dump.csv -o b.csv 2>/dev/full").exits(0);
    assert!(folder.read("a.csv") == folder.read("b.csv") && folder.lines("a.csv") == 11);
    folder.shell("\"$P\" convert none.csv -o c.csv 2>&-").exits(2);
}
