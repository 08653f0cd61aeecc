//! See `fuzz/README.md`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| gatepost_hub::fuzzing::plan_picture(bytes));
