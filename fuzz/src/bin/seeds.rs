// SPDX-License-Identifier: MIT OR Apache-2.0
//! `seeds TARGET DIRECTORY` writes the good inputs of a target; without arguments it prints the names of all targets.

use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [target, directory] = arguments.as_slice() else {
        for (name, _) in cairn_fuzz::TARGETS {
            println!("{name}");
        }
        return ExitCode::SUCCESS;
    };
    let inputs = cairn_fuzz::seeds(target);
    if inputs.is_empty() {
        eprintln!("error: no target is called `{target}`");
        return ExitCode::FAILURE;
    }
    for (index, bytes) in inputs.iter().enumerate() {
        let path = Path::new(directory).join(format!("seed-{index}"));
        if let Err(error) = std::fs::write(&path, bytes) {
            eprintln!("error: writing {}: {error}", path.display());
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}
