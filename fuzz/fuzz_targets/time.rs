//! Fuzzes `checks/time.rs`.
#![no_main]

#[path = "../checks/time.rs"]
mod check;

libfuzzer_sys::fuzz_target!(|text: &[u8]| check::check(text));
