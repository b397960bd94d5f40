//! Fuzzes `checks/channel.rs`.
#![no_main]

#[path = "../checks/channel.rs"]
mod check;

libfuzzer_sys::fuzz_target!(|name: &str| check::check(name));
