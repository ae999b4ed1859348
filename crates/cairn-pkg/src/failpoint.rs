// SPDX-License-Identifier: MIT OR Apache-2.0
//! Places where a test may end the process, to prove that a transaction survives it.

use std::sync::atomic::{AtomicU64, Ordering};

/// What is done at a fail point; gets its name.
type Act = fn(&'static str);

/// Counts the fail points a run passes and calls a function at a chosen one.
///
/// The function is meant not to return (kill the process). In production the counter has no target and does nothing.
#[derive(Debug)]
pub struct FailPoints {
    passed: AtomicU64,
    target: Option<(u64, Act)>,
}

impl FailPoints {
    /// Never acts.
    pub fn none() -> Self {
        Self { passed: AtomicU64::new(0), target: None }
    }

    /// Calls `act` with the point's name at the `number`-th point passed, counted from 1.
    pub fn at(number: u64, act: fn(&'static str)) -> Self {
        Self { passed: AtomicU64::new(0), target: Some((number, act)) }
    }

    /// Passes a point.
    pub fn pass(&self, name: &'static str) {
        let passed = self.passed.fetch_add(1, Ordering::Relaxed) + 1;
        if let Some((number, act)) = self.target
            && number == passed
        {
            act(name);
        }
    }

    /// Returns how many points have been passed.
    pub fn passed(&self) -> u64 {
        self.passed.load(Ordering::Relaxed)
    }
}

impl Default for FailPoints {
    fn default() -> Self {
        Self::none()
    }
}
