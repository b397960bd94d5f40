//! Fuzzes `checks/convert.rs`.
#![no_main]

#[path = "../checks/convert.rs"]
mod check;

libfuzzer_sys::fuzz_target!(|data: &[u8]| check::check(data));
