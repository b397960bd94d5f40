//! Fuzzes `checks/split_frame.rs`.
#![no_main]

#[path = "../checks/split_frame.rs"]
mod check;

libfuzzer_sys::fuzz_target!(|data: &[u8]| check::check(data));
