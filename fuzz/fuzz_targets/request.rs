#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| maintenance_mode_fuzz_targets::request::run(data));
