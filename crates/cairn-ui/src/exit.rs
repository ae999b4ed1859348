// SPDX-License-Identifier: MIT OR Apache-2.0
//! Exit codes of our programs; those of `dnf` are dnf's.

use std::process::ExitCode;

/// Everything went well.
pub const SUCCESS: u8 = 0;
/// The operation was not possible; the message says why.
pub const FAILURE: u8 = 1;
/// The command line is wrong (what clap uses).
pub const USAGE: u8 = 2;
/// The operation was refused by the person (answer `n`, or `--assumeno`), as in dnf.
pub const DECLINED: u8 = 1;
/// `dnf check-upgrade`: there are upgrades.
pub const UPGRADES_AVAILABLE: u8 = 100;
/// `dnf`: another process holds the lock.
pub const LOCKED: u8 = 200;

/// Turns one of the numbers above into what `main` returns.
pub fn code(number: u8) -> ExitCode {
    ExitCode::from(number)
}
