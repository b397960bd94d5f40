//! The calls that requests are asked of: one or more for every rule, numbered, so that an answer is a
//! list of numbers.

use std::sync::LazyLock;

use crate::calls::Row;

/// The columns of [`TABLE`]; `more` has others, and what is in `extra`.
const HEADER: &str = "call_id|src|src_name|dst|answered_by|start|billsec|disposition|call_type|more";

/// Nothing between two strokes is null. `dst_number` and `duration` are made of the rest ([`row`]).
const TABLE: &str = "\
01|5300|John Doe|5301|5301|2013-01-22 23:59:59|7|ANSWERED|internal|action_type=DIAL;accountcode=sales
02|5300|John Doe|5302|5302|2013-01-23 00:00:00|8|ANSWERED|internal|action_type=DIAL;nat=true
03|5300|JOHN DOE|5310||2013-01-23 00:00:01|0|NO ANSWER|internal|action_type=QUEUE;nat=false
04|5302|Ann Doe|5000|5000|2013-07-01 05:59:59|60|ANSWERED|internal|action_type=DIAL
05|5303||6300||2013-07-01 06:00:00|61|BUSY|internal|action_type=CONFERENCE
06|5304||5005|5005|2013-08-01 05:59:59|9|ANSWERED|internal|
07|6300||5111|5111|2013-08-01 06:00:00|10|ANSWERED|internal|
08|6399||5999|5999|2015-03-01 12:00:00|100|ANSWERED|internal|
09|6400||5300|5300|2015-03-01 12:00:01|100|ANSWERED|internal|
10|Anonymous||205|205|2013-07-15 12:00:00|30|ANSWERED|inbound|src_trunk_name=CallCenterTrunk;accountcode=support
11|Anonymous||3405|3405|2013-07-31 23:59:59|31|ANSWERED|inbound|src_trunk_name=sip-a
12|anonymous||2000||2013-07-20 12:00:00|0|FAILED|inbound|src_trunk_name=sip-a
13|||s||2016-01-01 00:00:00|12|ANSWERED|inbound|channel_tech=DAHDI
14||Ghost||||||external|
15|15300||415|415|2016-01-02 00:00:00|12|ANSWERED|outbound|dst_trunk_name=sip-a
16|44||45||2016-01-03 00:00:00|0|NO ANSWER|outbound|dst_trunk_name=sip-b
17|4||54||2016-01-03 00:00:01|0|BUSY|outbound|dst_trunk_name=sip-b
18|+15551234567|Wireless Caller|5300|5300|2016-01-04 00:00:00|600|ANSWERED|inbound|nat=true
19|*97||*97|*97|2016-01-05 00:00:00|5|ANSWERED|internal|
20|5302a||530||2016-01-06 00:00:00|0|CONGESTION|internal|
21|05302||5300-1||2016-01-07 00:00:00|0|FAILED|internal|
22|5-3||5.3||2016-01-08 00:00:00|0|FAILED|internal|
23|5#3||5*3||2016-01-09 00:00:00|0|FAILED|internal|
24|99999999999999999999999999999999||100000000000000000000000000000000||2016-01-10 00:00:00|1|ANSWERED|external|
25|506||620(202)|202|2021-05-07 00:36:20|3|ANSWERED|inbound|cid_prefix=FROM96;in_route=FROM96;ivr=IVR620;src_trunk_name=96;port=3
26|506||820 (102)|102|2021-05-07 01:05:02|2|ANSWERED|callback|src_trunk_name=96;ivr=Main-;port=0
27|202||506||2021-05-07 23:59:30|2|ANSWERED|outbound|dst_trunk_name=96;cid_prefix=Fro-;port=12
28|616||100|100|2021-05-08 00:00:00|3|ANSWERED|internal|
29|202||820(601)|601|2021-03-29 00:07:19||||extra.trunk=44;duration=11;userfield=CallBack
30|105||820|||||callback|extra.trunk=45;duration=4;userfield=Conference
31|2005|Kristin Hale|1000||2022-05-30 14:53:41|7|ANSWERED|outbound|dst_trunk_name=peer-to-34
32|2005|Kristin Hale|21000||2022-05-30 14:55:00|0|NO ANSWER|outbound|dst_trunk_name=peer-to-34
33|2005|Kristin Hale|21000||2022-05-30 23:59:59|52|VOICEMAIL|outbound|dst_trunk_name=to28.41
34|2006||2005||2022-05-31 00:00:00|0|NO ANSWER|internal|
35|+4930123456|Ann|1000||2020-05-01 12:38:54|30|ANSWERED||hangup_cause=NORMAL_CLEARING;userfield=inbound;record_id=r35;from_uri=a@x;extra.cost=0;extra.custom_channel_vars.account_id=acc1;action_owner=own1
36|1000||1001||2020-05-01 12:40:00|0|||hangup_cause=ORIGINATOR_CANCEL;userfield=outbound;extra.calling_from=1009;extra.dialed_number=1002;ringsec=9;end=2020-05-01 12:40:09
37|1001||1000||2020-05-01 12:41:00|4|ANSWERED||extra.cost=5;extra.from=b@x;from_uri=c@x;to_uri=d@x
";

/// The calls, in their order.
pub(crate) static ROWS: LazyLock<Vec<Row>> = LazyLock::new(|| TABLE.lines().map(row).collect());

fn row(line: &str) -> Row {
    let given =
        |(name, value): (&str, &str)| (!value.is_empty()).then(|| (name.to_string(), value.to_string()));
    let mut row: Row = HEADER.split('|').zip(line.split('|')).filter_map(given).collect();
    if let Some(more) = row.remove("more") {
        row.extend(more.split(';').filter_map(|more| given(more.split_once('=')?)));
    }
    if let Some(dst) = row.get("dst").filter(|dst| *dst != "s") {
        let number = dst.split('(').next().unwrap_or_default().trim_end().to_string();
        row.insert("dst_number".to_string(), number);
    }
    if let Some(Ok(billsec)) = row.get("billsec").map(|billsec| billsec.parse::<u64>()) {
        row.insert("duration".to_string(), (billsec + 3).to_string());
    }
    row
}
