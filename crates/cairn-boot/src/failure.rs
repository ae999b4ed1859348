// SPDX-License-Identifier: MIT OR Apache-2.0
//! What ends a command before its goal.

use cairn_host::HostError;
use cairn_image::boot::BootError;
use cairn_ui::Problem;

/// An error with its hint, ready to be shown.
#[derive(Debug)]
pub struct Failure {
    /// What is shown.
    pub problem: Problem,
}

impl Failure {
    /// Returns a failure with a hint.
    pub fn new(message: impl Into<String>, hint: &str) -> Self {
        Self { problem: Problem::new(message).hint(hint) }
    }
}

impl From<BootError> for Failure {
    fn from(error: BootError) -> Self {
        Self { problem: Problem::from_error(&error).hints(error.hint()) }
    }
}

impl From<HostError> for Failure {
    fn from(error: HostError) -> Self {
        Self { problem: Problem::from_error(&error).hints(error.hint()) }
    }
}
