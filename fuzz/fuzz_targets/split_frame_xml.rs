//! Fuzzes `checks/split_frame_xml.rs`.
#![no_main]

#[path = "../checks/split_frame_xml.rs"]
mod check;

libfuzzer_sys::fuzz_target!(|data: &[u8]| check::check(data));
