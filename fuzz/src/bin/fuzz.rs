// SPDX-License-Identifier: MIT OR Apache-2.0
//! The fuzzer: `CAIRN_FUZZ_TARGET` names the parser, the arguments are libFuzzer's.
//!
//! Without a target it prints the names of all. With `CAIRN_FUZZ_SEEDS` it writes the good inputs of the target into that directory
//! instead of fuzzing. Both are here and not in a program of their own, because only a fuzzer links with the instrumentation.
#![no_main]

use std::path::Path;
use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;

static TARGET: OnceLock<fn(&[u8])> = OnceLock::new();

fuzz_target!(
    init: {
        let name = std::env::var("CAIRN_FUZZ_TARGET").unwrap_or_default();
        if name.is_empty() {
            cairn_fuzz::TARGETS.iter().for_each(|(name, _)| println!("{name}"));
            std::process::exit(0);
        }
        let found = cairn_fuzz::TARGETS.iter().find(|(known, _)| *known == name);
        let target = found.unwrap_or_else(|| panic!("no target is called `{name}`")).1;
        if let Ok(directory) = std::env::var("CAIRN_FUZZ_SEEDS") {
            write_seeds(&name, Path::new(&directory));
            std::process::exit(0);
        }
        TARGET.get_or_init(|| target);
    },
    |data: &[u8]| {
        if let Some(target) = TARGET.get() {
            target(data);
        }
    }
);

fn write_seeds(name: &str, directory: &Path) {
    for (index, bytes) in cairn_fuzz::seeds(name).iter().enumerate() {
        let path = directory.join(format!("seed-{index}"));
        std::fs::write(&path, bytes)
            .unwrap_or_else(|error| panic!("writing {}: {error}", path.display()));
    }
}
