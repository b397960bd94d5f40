//! Fuzzes `checks/archives.rs`.
#![no_main]

#[path = "../checks/archives.rs"]
mod check;

libfuzzer_sys::fuzz_target!(|data: &[u8]| check::check(data));
