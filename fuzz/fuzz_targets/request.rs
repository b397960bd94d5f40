//! Fuzzes `checks/request.rs`.
#![no_main]

#[path = "../checks/request.rs"]
mod check;

libfuzzer_sys::fuzz_target!(|text: &str| check::check(text));
