//! Dumps that are made in the tests: plausible records with irregular ones among them.

/// The header of [`record`].
pub(crate) const HEADER: &str = "AcctId,accountcode,src,dst,dcontext,clid,channel,dstchannel,lastapp,lastdata,start,answer,end,duration,billsec,disposition,amaflags,uniqueid,userfield,channel_ext,dstchannel_ext,service\n";

/// A good record.
pub(crate) fn record(id: u64) -> String {
    let (day, hour, minute, second) = (1 + id / 86_400 % 28, id / 3600 % 24, id / 60 % 60, id % 60);
    let time = format!("2024-05-{day:02} {hour:02}:{minute:02}:{second:02}");
    format!(
        "{id},,{src},6011,from-internal,\"Ann \u{e9} {src}\" <{src}>,PJSIP/{src}-{id:08x},PJSIP/6011-{id:08x},Dial,\"PJSIP/6011,30,t\",{time},,{time},4,0,NO ANSWER,DOCUMENTATION,17159{second:02}296.{id},Internal,{src},6011,s\n",
        src = 6000 + id % 500
    )
}

/// About so many bytes of records, every tenth or so irregular in one of many ways.
pub(crate) fn irregular(bytes: usize, seed: u64) -> Vec<u8> {
    let mut text = HEADER.as_bytes().to_vec();
    let (mut state, mut id) = (seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1, 0);
    while text.len() < bytes {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let good = record(id);
        match state >> 32 & 0xff {
            0 => text.extend_from_slice(good.replacen("\"Ann", "\"Ann\nof two lines", 1).as_bytes()),
            1 => text.extend_from_slice(good.replacen("30,t\"", "30,t", 1).as_bytes()),
            2 => text.extend_from_slice(good.replacen("\" <", "<", 1).as_bytes()),
            3 => {
                text.extend_from_slice(good.replacen("\"PJSIP/6011,30,t\"", "PJSIP/6011,30,t", 1).as_bytes())
            }
            4 => text.extend_from_slice(&good.as_bytes()[..good.len() / 2]),
            5 => text.extend_from_slice(good.replacen(",s\n", "\n", 1).as_bytes()),
            6 => text.extend_from_slice(HEADER.as_bytes()),
            7 => text.extend_from_slice(format!("\0\0\0{good}").as_bytes()),
            8 => text.extend(good.bytes().map(|byte| if byte == b'p' { 0xe9 } else { byte })),
            9 => text.extend_from_slice(good.replacen("6011,from", "60\"11,from", 1).as_bytes()),
            10 => text.extend_from_slice(good.replacen(",4,0,", ",four,0,", 1).as_bytes()),
            11 => text.extend_from_slice(b"\r\n \n"),
            12 => text.extend_from_slice(good.replace('\n', "\r\n").as_bytes()),
            13 => text.extend_from_slice(good.replacen("PJSIP/6011,30", &"x\"\"y,".repeat(30), 1).as_bytes()),
            14 => text.extend_from_slice(good.replacen("Ann", &"long".repeat(9000), 1).as_bytes()),
            15 => text.extend_from_slice("\"\n\n,\"\",\"".as_bytes()),
            _ => text.extend_from_slice(good.as_bytes()),
        }
        id += 1;
    }
    text
}
