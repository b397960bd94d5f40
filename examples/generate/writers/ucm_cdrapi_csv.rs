//! Grandstream UCM, `cdrapi`: CSV. The device writes `clid` as it stands, `"GVC Test" <6039>`, which is
//! no CSV; all other fields it quotes as one would. Legs of a call share their session and are records
//! of their own.

use super::csv::Record;
use super::ucm_cdrapi::fields;
use super::{Dialect, Dump, Format, Style, UCM_PLAN, no_end};
use crate::call::Call;

pub(super) const FORMAT: Format =
    Format { name: "ucm-cdrapi-csv", plan: UCM_PLAN, call_bytes, start, call, end: no_end };

fn call_bytes(style: &Style) -> f64 {
    match style.columns {
        22 => 338.0,
        27 => 371.0,
        _ => 429.0,
    }
}

fn start(style: &Style, to: &mut Vec<u8>) {
    let names: Vec<&str> = fields(style).iter().map(|field| field.name).collect();
    to.extend_from_slice(names.join(",").as_bytes());
    to.push(b'\n');
}

fn call(call: &Call, style: &Style, dump: &mut Dump) {
    for leg in &call.legs {
        let mut record = Record::new(&mut dump.text);
        for field in fields(style) {
            if field.name == "clid" && style.dialect == Dialect::Device {
                record.raw(|to| (field.of_leg)(call, leg, to));
            } else {
                record.field(|to| (field.of_leg)(call, leg, to));
            }
        }
        record.end();
    }
}
