//! The CSV of a Grandstream UCM's web page: "Download Search Result(s)", "Download Records", the
//! e-mailed report.
//!
//! Source: UCM6xxx "CDR and REC API Guide", "Export File Data" and "CDR CSV FILE"; UCM6100 guide,
//! "CDR REPORT DATA FIELDS" and "CDR CSV FILE".
//!
//! - The same records as those of `cdrapi`, under names for people, and each firmware, guide and
//!   page spells them another way (`AMAFLAGS`, `UIQUEID`, `Premier Caller`). So the columns have a
//!   table of their own: half of what `cdrapi` fills has no column here, and the other way round.
//! - Old firmware writes parties: `Call From` and `Call To` hold a plain number in its download, and
//!   `"WIRELESS CALLER"<123456789> [Trunk: CallCenterTrunk]` in the page's own table. What of
//!   `Call From` fits no party is kept in `clid`; for `Call To` there is no such column, so that
//!   text goes to `extra`.
//! - Newer firmware exports nested calls: the column `CDR` says `main_cdr` or `sub_cdr_1`; any other
//!   word there means a record that stands alone.
//! - The page's own table has `No.` (its line on the page) and `Options` (buttons): no column of ours,
//!   so what they hold, if anything, goes to `extra`.
//! - `Dest Channel Extension` is kept, but does not tell who answered: these dumps have `Answer by`.

use std::borrow::Cow;

use super::ucm::{dialled, name, number, trunk};
use super::{Channels, Columns, Csv, Field, Fill, Format, From, Syntax, field, field_or, repeats};
use crate::csv::Quotes;
use crate::decode::{Party, action_target, action_type};
use crate::schema::{Column as C, TimeKind};

/// What the web page gives away.
pub(super) const CSV: Format = Format {
    name: "ucm-web-csv",
    vendor: "ucm",
    recognised_by: "a header with Caller Number or Call From, and Start Time",
    syntax: Syntax::Csv(Csv {
        is_header: |names| {
            let has = |name: &str| names.iter().any(|known| known == name);
            (has("callernumber") || has("callfrom")) && has("starttime")
        },
        is_record: super::no_record,
        generations: &[UCM6100, UCM6200, TABLE],
        quotes: Quotes::Device,
        plain: super::one_each,
        fit: super::no_fit,
        page: None,
    }),
    fields: FIELDS,
    fill: Fill::Always(COLUMNS),
    times: TimeKind::WallClock,
    channels: Channels::Names,
};

#[rustfmt::skip]
const UCM6100: &[&str] = &[
    "call from", "call to", "context", "start time", "answer time", "end time", "call time", "talk time",
    "source channel", "dest channel", "status",
];

#[rustfmt::skip]
const UCM6200: &[&str] = &[
    "Account Code", "Caller Number", "Callee Number", "Context", "Caller ID", "Source Channel", "Dest Channel",
    "Last App", "Last Data", "Start Time", "Answer Time", "End Time", "Call Time", "Talk Time", "Disposition",
    "AMA Flags", "Unique ID", "Userfield", "Dest Channel Extension", "Caller Name", "Answered by", "Session",
    "Premier Caller", "Action Type", "Source Trunk Name", "Destination Trunk Name",
];

/// The page's own table, pasted.
#[rustfmt::skip]
const TABLE: &[&str] = &[
    "No.", "Start Time", "Call From", "Call To", "Answered By", "Call Time", "Talk Time", "Status", "Options",
];

/// `cdr` fills two columns, and a word there that is not known says that the record stands alone:
/// nothing is left of it for `extra`.
const FIELDS: &[Field] = &[
    repeats("cdr"),
    field("session"),
    field_or("uniqueid", &["uiqueid"]),
    field("accountcode"),
    field("callernumber"),
    field("calleenumber"),
    field("callfrom"),
    field("callto"),
    field("callername"),
    field("callerid"),
    field_or("answeredby", &["answerby"]),
    field("context"),
    field("sourcechannel"),
    field_or("destchannel", &["destinationchannel"]),
    field("lastapp"),
    field("lastdata"),
    field("sourcetrunkname"),
    field_or("destinationtrunkname", &["desttrunkname"]),
    field_or("destchannelextension", &["destinationchannelextension"]),
    field_or("actionowner", &["premiercaller"]),
    field("actiontype"),
    field_or("callernat", &["nat"]),
    field("calleenat"),
    field("starttime"),
    field("answertime"),
    field("endtime"),
    field("calltime"),
    field("talktime"),
    field_or("disposition", &["callstatus", "status"]),
    field("amaflags"),
    field_or("userfield", &["calltype"]),
];

const COLUMNS: Columns = &[
    (C::RecordKind, &[From::Part("cdr", record_kind)]),
    (C::SubIndex, &[From::Part("cdr", sub_index)]),
    (C::CallId, &[From::Field("session")]),
    (C::Uniqueid, &[From::Field("uniqueid")]),
    (C::Accountcode, &[From::Field("accountcode")]),
    (C::Src, &[From::Field("callernumber"), From::Part("callfrom", number)]),
    (C::SrcName, &[From::Field("callername"), From::Part("callerid", name), From::Part("callfrom", name)]),
    (C::Dst, &[From::Field("calleenumber"), From::Part("callto", number)]),
    (C::DstName, &[From::Part("callto", name)]),
    (C::DstNumber, &[From::Part("calleenumber", dialled), From::Part("callto", dialled_number)]),
    (C::Clid, &[From::Field("callerid"), From::Field("callfrom")]),
    (C::AnsweredBy, &[From::Field("answeredby")]),
    (C::Dcontext, &[From::Field("context")]),
    (C::Channel, &[From::Field("sourcechannel")]),
    (C::Dstchannel, &[From::Field("destchannel")]),
    (C::Lastapp, &[From::Field("lastapp")]),
    (C::Lastdata, &[From::Field("lastdata")]),
    (C::SrcTrunkName, &[From::Field("sourcetrunkname"), From::Part("callfrom", trunk)]),
    (C::DstTrunkName, &[From::Field("destinationtrunkname"), From::Part("callto", trunk)]),
    (C::DstchannelExt, &[From::Field("destchannelextension")]),
    (C::ActionOwner, &[From::Field("actionowner")]),
    (C::ActionType, &[From::Part("actiontype", action_type)]),
    (C::ActionTarget, &[From::Part("actiontype", target)]),
    (C::Nat, &[From::Field("callernat")]),
    (C::Start, &[From::Field("starttime")]),
    (C::Answer, &[From::Field("answertime")]),
    (C::End, &[From::Field("endtime")]),
    (C::Duration, &[From::Field("calltime")]),
    (C::Billsec, &[From::Field("talktime")]),
    (C::Disposition, &[From::Field("disposition")]),
    (C::CallType, &[From::Field("userfield")]),
    (C::Amaflags, &[From::Field("amaflags")]),
    (C::Userfield, &[From::Field("userfield")]),
];

/// `main_cdr` totals a call, `sub_cdr_1` is a part of one; anything else is a whole call.
fn record_kind(cdr: &str) -> Option<Cow<'_, str>> {
    let kind = match after_sub(cdr) {
        Some(_) => "sub",
        None if cdr.trim_ascii().eq_ignore_ascii_case("main_cdr") => "main",
        None => "single",
    };
    Some(Cow::Borrowed(kind))
}

/// The number in `sub_cdr_1`.
fn sub_index(cdr: &str) -> Option<Cow<'_, str>> {
    let index = after_sub(cdr)?.trim_start_matches(['_', '-', ' ']);
    let is_number = !index.is_empty() && index.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then_some(Cow::Borrowed(index))
}

/// What follows `sub_cdr`, where the text begins with that.
fn after_sub(cdr: &str) -> Option<&str> {
    const SUB: &str = "sub_cdr";
    let (head, tail) = cdr.trim_ascii().split_at_checked(SUB.len())?;
    head.eq_ignore_ascii_case(SUB).then_some(tail)
}

/// The number in a packed party, unless it is `s`, which stands for one that is not known.
fn dialled_number(party: &str) -> Option<Cow<'_, str>> {
    Party::parse(party).number.and_then(dialled)
}

fn target(action: &str) -> Option<Cow<'_, str>> {
    action_target(action).map(Cow::Borrowed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::normalise;

    /// The columns that the one field of that spelling fills, by their names.
    fn fills(spelling: &str) -> String {
        let Some((field, _)) = CSV.field(&normalise(spelling)) else { return "extra".to_string() };
        let reads = |sources: &[From]| sources.iter().any(|from| from.name() == field.name);
        let columns: Vec<&str> =
            COLUMNS.iter().filter(|(_, sources)| reads(sources)).map(|(column, _)| column.name()).collect();
        columns.join(" ")
    }

    fn is_header(line: &str) -> bool {
        (CSV.csv().unwrap().is_header)(&line.split(',').map(normalise).collect::<Vec<_>>())
    }

    #[test]
    fn spellings_of_the_ucm6100() {
        let check = |spelling, columns| assert_eq!(fills(spelling), columns, "{spelling}");
        check("call from", "src src_name clid src_trunk_name");
        check("call to", "dst dst_name dst_number dst_trunk_name");
        check("context", "dcontext");
        check("start time", "start");
        check("answer time", "answer");
        check("end time", "end");
        check("call time", "duration");
        check("talk time", "billsec");
        check("source channel", "channel");
        check("dest channel", "dstchannel");
        check("status", "disposition");
    }

    #[test]
    fn spellings_of_the_ucm6200() {
        let check = |spelling, columns| assert_eq!(fills(spelling), columns, "{spelling}");
        check("Account Code", "accountcode");
        check("Caller Number", "src");
        check("Callee Number", "dst dst_number");
        check("Caller ID", "src_name clid");
        check("Last App", "lastapp");
        check("Last Data", "lastdata");
        check("Disposition", "disposition");
        check("AMA Flags", "amaflags");
        check("Unique ID", "uniqueid");
        check("Userfield", "call_type userfield");
        check("Dest Channel Extension", "dstchannel_ext");
        check("Caller Name", "src_name");
        check("Answered by", "answered_by");
        check("Session", "call_id");
        check("Premier Caller", "action_owner");
        check("Action Type", "action_type action_target");
        check("Source Trunk Name", "src_trunk_name");
        check("Destination Trunk Name", "dst_trunk_name");
    }

    #[test]
    fn spellings_of_newer_firmware() {
        let check = |spelling, columns| assert_eq!(fills(spelling), columns, "{spelling}");
        check("CDR", "record_kind sub_index");
        check("Caller NAT", "nat");
        check("Callee NAT", "");
        check("Dest. Channel", "dstchannel");
        check("Last app.", "lastapp");
        check("Call Status", "disposition");
        check("Call Type", "call_type userfield");
    }

    #[test]
    fn spellings_of_the_guides_export_list() {
        let check = |spelling, columns| assert_eq!(fills(spelling), columns, "{spelling}");
        check("Action owner", "action_owner");
        check("Answer by", "answered_by");
        check("Dest trunk name", "dst_trunk_name");
        check("Dest channel extension", "dstchannel_ext");
        check("AMAFLAGS", "amaflags");
        check("UIQUEID", "uniqueid");
        check("USERFIELD", "call_type userfield");
        check("NAT", "nat");
        check("CallerID", "src_name clid");
        check("Lastapp", "lastapp");
    }

    #[test]
    fn what_only_the_page_has_goes_to_extra() {
        assert_eq!(fills("No."), "extra");
        assert_eq!(fills("Options"), "extra");
    }

    #[test]
    fn header_is_told_by_its_caller_and_its_start() {
        let check = |line, expected| assert_eq!(is_header(line), expected, "{line}");
        check("call from,start time", true);
        check("START_TIME, Caller-Number ", true);
        check("Caller Number,Callee Number", false);
        check("Start Time,Callee Number", false);
        check("ID,Time,Call From,Call To", false);
    }

    #[test]
    fn record_kinds() {
        let check = |cdr, kind: &str, index: Option<&str>| {
            assert_eq!(record_kind(cdr).as_deref(), Some(kind), "{cdr}");
            assert_eq!(sub_index(cdr).as_deref(), index, "{cdr}");
        };
        check("main_cdr", "main", None);
        check(" Main_CDR ", "main", None);
        check("sub_cdr_1", "sub", Some("1"));
        check("sub_cdr_12", "sub", Some("12"));
        check("sub_cdr3", "sub", Some("3"));
        check("sub_cdr", "sub", None);
        check("sub_cdr_x", "sub", None);
        check("single", "single", None);
        check("main_cdr_1", "single", None);
        check("sub_čdr_1", "single", None);
    }

    #[test]
    fn dialled_numbers() {
        let check =
            |party, expected: Option<&str>| assert_eq!(dialled_number(party).as_deref(), expected, "{party}");
        check("7080 [Trunk: CallCenterTrunk]", Some("7080"));
        check("*97", Some("*97"));
        check("s", None);
        check("\"John <1000", None);
    }
}
