// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cairn`: builds, signs, serves and boots Cairn Linux.

use std::process::ExitCode;

fn main() -> ExitCode {
    cairn::commands::main(std::env::args_os().collect())
}
