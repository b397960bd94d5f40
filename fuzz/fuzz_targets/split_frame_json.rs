//! Fuzzes `checks/split_frame_json.rs`.
#![no_main]

#[path = "../checks/split_frame_json.rs"]
mod check;

libfuzzer_sys::fuzz_target!(|data: &[u8]| check::check(data));
