// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cairn-boot`: adds, removes, blesses and checks the boot entries of an installed system or of a tree (`--root`).
//!
//! Mounts nothing: the boot file system is expected at `/boot`, the EFI system partition at `/boot/efi`. The work is done
//! by [`cairn_image::boot`].

#![cfg_attr(
    test,
    allow(clippy::needless_raw_string_hashes, reason = "expect-test writes its texts that way")
)]

mod arguments;
mod commands;
mod failure;
mod system;
#[cfg(test)]
mod tests;

use std::process::ExitCode;

use cairn_ui::{Color, Printer, Verbosity, exit};
use clap::Parser;

fn main() -> ExitCode {
    let arguments = arguments::Arguments::parse();
    let verbosity = if arguments.quiet { Verbosity::Quiet } else { Verbosity::Normal };
    let printer = Printer::new(verbosity, Color::Auto);
    let code = match commands::run(&arguments, &printer) {
        Ok(code) => code,
        Err(failure) => {
            printer.error(&failure.problem);
            exit::FAILURE
        }
    };
    exit::code(code)
}
