// SPDX-License-Identifier: MIT OR Apache-2.0
//! Time as a value that is passed down, so that no operation reads the machine's clock by itself.

use std::time::{SystemTime, UNIX_EPOCH};

/// A source of the present time: the machine's clock, or a fixed moment in tests and reproducible builds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clock(Option<u64>);

impl Clock {
    /// The machine's real-time clock.
    pub fn system() -> Self {
        Self(None)
    }

    /// A clock that always shows `unix` (seconds since 1970-01-01 UTC).
    pub fn fixed(unix: u64) -> Self {
        Self(Some(unix))
    }

    /// Returns the seconds since 1970-01-01 UTC; 0 if the machine's clock stands before that.
    pub fn now_unix(&self) -> u64 {
        self.0.unwrap_or_else(|| {
            SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_secs())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Clock;

    #[test]
    fn fixed_stands_still_and_system_moves_on_from_2024() {
        assert_eq!(Clock::fixed(42).now_unix(), 42);
        assert!(Clock::system().now_unix() > 1_700_000_000);
    }
}
