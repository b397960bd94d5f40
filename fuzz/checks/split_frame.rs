//! Splitting and framing against the slow twin of the tests, below a header that the last byte chooses.

#[path = "../../tests/common/naive.rs"]
mod naive;

use calltable::format::by_name;
use calltable::time::DateOrder;
use calltable::{Options, format::Format};

/// First lines of dumps; the format is named, so that no later line makes it another.
const DUMPS: [(&str, &[u8]); 6] = [
    ("ucm-cdrapi-csv", b"AcctId,src,dst,start,duration,clid\n"),
    ("ucm-cdrapi-csv", b"AcctId,src,dst,channel,dstchannel,lastapp,lastdata,start,end\n"),
    ("ucm-web-csv", b"Caller Number;Callee Number;Start Time;Call Time\r\n"),
    ("ucm-web-csv", b"Caller Number\tCallee Number\tStart Time\n"),
    ("kazoo-csv", b"call_id,caller_id_name,caller_id_number,duration_seconds,hangup_cause\n"),
    ("asterisk-csv", b"\"\",1,2,c,a,SIP/1-1,,Dial,x,2024-05-17 12:34:56,,2024-05-17 12:34:59,3,0,BUSY,D\n"),
];

/// Panics where something is wrong.
pub fn check(data: &[u8]) {
    let Some((&last, body)) = data.split_last() else { return };
    if body.len() > 16 << 10 || body.iter().filter(|byte| matches!(byte, b'\n' | b'\r')).count() > 1000 {
        return;
    }
    let (name, header) = DUMPS[last as usize % DUMPS.len()];
    let format: Option<&'static Format> = by_name(name);
    let options = Options { format, date_order: Some(DateOrder::MonthFirst), ..Options::default() };
    naive::compare(&[header, body].concat(), &options);
}
