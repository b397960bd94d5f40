//! Splitting and framing against their slow twin: random texts that provoke trouble, equal results.

#[path = "common/naive.rs"]
mod naive;

use calltable::Options;
use calltable::time::DateOrder;
use naive::compare;
use proptest::prelude::*;

/// A kind of dump: its header (nothing where it has none) and records that it reads.
struct Kind {
    header: &'static str,
    others: &'static [&'static str],
    records: &'static [&'static str],
    eol: &'static str,
}

/// Few columns, so that a stray byte often makes a record or breaks one.
const SHORT: Kind = Kind {
    header: "AcctId,src,dst,start,duration,clid",
    others: &[
        "AcctId,src,dst,clid,duration,start",
        "AcctId,dst,src,start",
        "\u{feff}AcctId,src,dst,start,duration,clid",
    ],
    records: &[
        "1,6039,6011,2024-05-17 12:34:56,4,Ann",
        "2,6039,6011,2024-05-17 12:34:56,4,\"Ann Example\" <6039>",
        "3,6039,6011,,,\"Doe, John\" <6039>",
        "\"4\",\"6039\",\"6011\",\"2024-05-17 12:34:56\",\"4\",\"\"\"GVC\"\" <1>\"",
        "5,\"two\nlines\",6011,2024-05-17 12:34:56,4,x",
        "6,6039,6011,2024-05-17 12:34:56,4,\"never closed",
        "7,6039,6011,2024-05-17 12:34:56,4,\"two\nlines\" <1>",
        "8,6039,6011,2024-05-17 12:34:56,4",
        "9,6039,6011,2024-05-17 12:34:56,4,a,b",
        "10,6039,6011,12/5/2024 1:02 PM,abc,\u{e9}",
    ],
    eol: "\n",
};

/// The generation whose surplus commas go to `lastdata`.
const WIDE: Kind = Kind {
    header: "AcctId,accountcode,src,dst,dcontext,clid,channel,dstchannel,lastapp,lastdata,start,answer,end,duration,billsec,disposition,amaflags,uniqueid,userfield,channel_ext,dstchannel_ext,service",
    others: &["AcctId,src,dst,start,duration,clid"],
    records: &[
        "1,,1,2,c,\"A\" <1>,SIP/1-1,SIP/2-1,Dial,\"SIP/2,30,t\",2024-05-17 12:34:56,,2024-05-17 12:34:59,3,0,ANSWERED,D,1.1,I,1,2,s",
        "1,,1,2,c,\"A\" <1>,SIP/1-1,SIP/2-1,Dial,SIP/2,30,t,2024-05-17 12:34:56,,2024-05-17 12:34:59,3,0,ANSWERED,D,1.1,I,1,2,s",
        "1,,1,2,c,\"A\" <1>,SIP/1-1,SIP/2-1,Dial,\"SIP/2,30,t,2024-05-17 12:34:56,,2024-05-17 12:34:59,3,0,ANSWERED,D,1.1,I,1,2,s",
        "1,,1,2,c,A,SIP/1-1,SIP/2-1,Dial,\"a\nb\",2024-05-17 12:34:56,,2024-05-17 12:34:59,3,0,ANSWERED,D,1.1,I,1,2,s",
    ],
    eol: "\n",
};

const SEMICOLONS: Kind = Kind {
    header: "Caller Number;Callee Number;Start Time;Call Time",
    others: &["Caller Number;Start Time;Callee Number"],
    records: &["1;2;2024-05-17 12:34:56;0:00:04", "\"1\";\"2;3\";;\"4\"", "1;\"2\"x;;", "1;\"2\n3\";;4"],
    eol: "\r\n",
};

const TABS: Kind = Kind {
    header: "Caller Number\tCallee Number\tStart Time",
    others: &["Caller Number\tStart Time"],
    records: &["1\t2\t2024-05-17 12:34:56", "\t\t", "\x0c\t\t", "\"1\"\t\"2\"\t", "1\t\"2\n3\t"],
    eol: "\n",
};

/// A producer that never quotes; lines end with a bare CR.
const NEVER_QUOTED: Kind = Kind {
    header: "call_id,caller_id_name,caller_id_number,duration_seconds,hangup_cause,timestamp",
    others: &["call_id,hangup_cause,timestamp"],
    records: &[
        "a,Ann,+1201,4,NORMAL,63719014800",
        "a,\"Doe, Ann\",+1201,4,NORMAL,63719014800",
        "a,\"Ann\" <1>,+1201,4,NORMAL,63719014800",
        "a,Doe, Ann,+1201,4,NORMAL,63719014800",
        "a,\"Ann,+1201,4,NORMAL,63719014800",
    ],
    eol: "\r",
};

const HEADERLESS: Kind = Kind {
    header: "",
    others: &[],
    records: &[
        "\"\",\"1\",\"2\",\"c\",\"\"\"A\"\" <1>\",\"SIP/1-1\",\"SIP/2-1\",\"Dial\",\"SIP/2,30\",\"2024-05-17 12:34:56\",,\"2024-05-17 12:34:59\",3,0,\"NO ANSWER\",\"DOCUMENTATION\"",
        "\"\",\"1\",\"2\",\"c\",\"A\",\"SIP/1-1\",\"SIP/2-1\",\"Dial\",\"SIP/2\",\"2024-05-17 12:34:56\",,\"2024-05-17 12:34:59\",3,0,\"NO ANSWER\",\"DOCUMENTATION\",\"1715967296.10\",\"\"",
        "\"\",\"1\",\"2\",\"c\",\"A\nB\",\"SIP/1-1\",\"SIP/2-1\",\"Dial\",\"SIP/2\",\"2024-05-17 12:34:56\",,\"2024-05-17 12:34:59\",3,0,\"NO ANSWER\",\"DOCUMENTATION\",\"1715967296.10\"",
    ],
    eol: "\n",
};

#[derive(Clone, Debug)]
enum Piece {
    Record(usize),
    Header(usize),
    Part(usize, usize, usize),
    Garbage(Vec<u8>),
    Break,
}

fn piece() -> impl Strategy<Value = Piece> {
    let byte = prop::sample::select(&b",,,;\t\"\"\"\"\n\n\r\r\n\0ab1 \xe9\xff\x0c"[..]);
    prop_oneof![
        6 => any::<usize>().prop_map(Piece::Record),
        1 => any::<usize>().prop_map(Piece::Header),
        2 => (any::<usize>(), any::<usize>(), any::<usize>()).prop_map(|(which, from, to)| Piece::Part(which, from, to)),
        3 => prop::collection::vec(byte, 0..8).prop_map(Piece::Garbage),
        4 => Just(Piece::Break),
    ]
}

impl Kind {
    fn text(&self, pieces: &[Piece]) -> Vec<u8> {
        let mut text =
            if self.header.is_empty() { self.records[0] } else { self.header }.to_string().into_bytes();
        text.extend_from_slice(self.eol.as_bytes());
        for piece in pieces {
            match piece {
                Piece::Record(which) => {
                    text.extend_from_slice(self.records[which % self.records.len()].as_bytes());
                    text.extend_from_slice(self.eol.as_bytes());
                }
                Piece::Header(which) if !self.header.is_empty() => {
                    let all: Vec<&str> =
                        [self.header].into_iter().chain(self.others.iter().copied()).collect();
                    text.extend_from_slice(all[which % all.len()].as_bytes());
                    text.extend_from_slice(self.eol.as_bytes());
                }
                Piece::Header(_) => {}
                Piece::Part(which, from, to) => {
                    let record = self.records[which % self.records.len()].as_bytes();
                    let from = from % record.len();
                    text.extend_from_slice(&record[from..from + to % (record.len() - from + 1)]);
                }
                Piece::Garbage(bytes) => text.extend_from_slice(bytes),
                Piece::Break => text.extend_from_slice(self.eol.as_bytes()),
            }
        }
        if self.eol == "\r" {
            // One LF would make LF the line end.
            text.retain(|&byte| byte != b'\n');
        }
        text
    }
}

/// The order of the dates is given: what they tell is `survey`'s to find, not framing.
fn options() -> Options {
    Options { date_order: Some(DateOrder::MonthFirst), ..Options::default() }
}

macro_rules! twins {
    ($($name:ident: $kind:expr;)*) => {
        proptest! {
            #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]
            $(
                #[test]
                fn $name(pieces in prop::collection::vec(piece(), 0..24)) {
                    compare(&$kind.text(&pieces), &options());
                }
            )*

            #[test]
            fn records_of_another_encoding(pieces in prop::collection::vec(piece(), 0..24)) {
                let encoding = Some(encoding_rs::WINDOWS_1252);
                compare(&SHORT.text(&pieces), &Options { encoding, ..options() });
            }

            #[test]
            fn a_last_line_of_any_bytes(tail in prop::collection::vec(any::<u8>(), 0..60)) {
                let mut text = SHORT.text(&[Piece::Record(0)]);
                text.extend_from_slice(&tail);
                compare(&text, &options());
            }
        }
    };
}

twins! {
    few_columns: SHORT;
    surplus_commas: WIDE;
    semicolons_and_crlf: SEMICOLONS;
    tabs: TABS;
    never_quoted_bare_cr: NEVER_QUOTED;
    no_header: HEADERLESS;
}

/// What the twins once differed in.
#[track_caller]
fn check(text: &[u8], rows: usize, reasons: &[&str]) {
    compare(text, &options());
    let outcome = naive::fast(text, &options()).expect("a dump");
    let found: Vec<&str> = outcome.rejects.iter().map(|reject| reject.reason).collect();
    assert_eq!((outcome.rows.len(), &found[..]), (rows, reasons));
}

#[test]
fn nuls_before_a_quoted_line_break() {
    check(b"AcctId,src,dst\n\0\0\"1\n2\",3,4\n5,6,7\n", 2, &[]);
}

#[test]
fn nuls_before_a_header_that_names_other_columns() {
    check(b"AcctId,src,dst\n1,2,3\n\0\0AcctId,dst,src,clid\n5,6,7,8\n", 2, &[]);
}

#[test]
fn a_doubled_quote_in_a_record_that_is_not_utf8() {
    check(b"AcctId,src,dst\n1,\"\"\"\xe9\",3\n4,\"\"\"5\",6\n", 1, &["invalid-utf8"]);
}

#[test]
fn a_form_feed_among_tabs_is_a_blank_line() {
    check(b"Caller Number\tCallee Number\tStart Time\n\x0c\t\t\n1\t2\t\n", 1, &[]);
}

#[test]
fn a_quoted_field_that_holds_records_is_believed_where_it_is_beyond_doubt() {
    let mut text = b"AcctId,src,dst,start,duration,clid\n0,1,2,,3,\"".to_vec();
    (0..9).for_each(|_| text.extend_from_slice(b"\n1,2,3,2024-05-17 12:34:56,4,x"));
    text.extend_from_slice(b"\"\n");
    check(&text, 1, &[]);
}

#[test]
fn of_two_crs_only_one_belongs_to_the_line_end() {
    let text = b"AcctId,src,dst\n1,2,3\r\r\n\0 1,2,3\r\r\n";
    check(text, 2, &[]);
    let outcome = naive::fast(text, &options()).expect("a dump");
    assert!(outcome.rows.iter().all(|row| row.values[2] == "3\r"));
}
