// SPDX-License-Identifier: MIT OR Apache-2.0
//! File operations that fail on purpose, for tests of what comes after. This module exists only with the feature `faults`, which tests
//! alone ask for: no program that ships has it.

use std::cell::Cell;
use std::io;
use std::path::Path;

use crate::HostError;

/// Which operations fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The one with this number, counted from 1.
    Once(u64),
    /// That one and all after it.
    From(u64),
}

thread_local! {
    static ARMED: Cell<Option<(Fault, i32)>> = const { Cell::new(None) };
    static PASSED: Cell<u64> = const { Cell::new(0) };
}

/// Makes operations below every [`Root`](crate::Root) of this thread fail with an error number.
pub fn arm(fault: Fault, errno: i32) {
    ARMED.set(Some((fault, errno)));
    PASSED.set(0);
}

/// Ends it; returns how many operations there were since.
pub fn disarm() -> u64 {
    ARMED.set(None);
    PASSED.replace(0)
}

/// Called by every operation that looks a name up.
pub(crate) fn pass(operation: &'static str, path: &Path) -> crate::Result<()> {
    let Some((fault, errno)) = ARMED.get() else { return Ok(()) };
    let number = PASSED.get() + 1;
    PASSED.set(number);
    let fails = match fault {
        Fault::Once(at) => number == at,
        Fault::From(first) => number >= first,
    };
    if fails {
        return Err(HostError::io(operation, path, io::Error::from_raw_os_error(errno)));
    }
    Ok(())
}
