// SPDX-License-Identifier: MIT OR Apache-2.0
//! The fuzzer: `CAIRN_FUZZ_TARGET` names the parser, the arguments are libFuzzer's.
#![no_main]

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;

static TARGET: OnceLock<fn(&[u8])> = OnceLock::new();

fuzz_target!(|data: &[u8]| {
    let target = TARGET.get_or_init(|| {
        let name = std::env::var("CAIRN_FUZZ_TARGET").unwrap_or_default();
        let found = cairn_fuzz::TARGETS.iter().find(|(known, _)| *known == name);
        found.unwrap_or_else(|| panic!("no target is called `{name}`")).1
    });
    target(data);
});
