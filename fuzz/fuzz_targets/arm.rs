#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| awsazure_fuzz::arm(data));
