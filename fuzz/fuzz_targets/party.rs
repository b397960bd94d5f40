//! Fuzzes `checks/party.rs`.
#![no_main]

#[path = "../checks/party.rs"]
mod check;

libfuzzer_sys::fuzz_target!(|text: &str| check::check(text));
