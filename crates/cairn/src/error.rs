// SPDX-License-Identifier: MIT OR Apache-2.0
//! Turns an error into what is shown: message, causes, details, and the hint that belongs to it, wherever it lies in the chain.

use cairn_ui::Problem;

use crate::apt::AptError;
use crate::compose::triggers::Unmapped;
use crate::deb::DebError;
use crate::fetch::Vanished;
use crate::keys::KeyError;
use crate::overlay::OverlayError;
use crate::repack::RepackError;

/// Returns the problem to show for `error`.
pub fn problem(error: &anyhow::Error) -> Problem {
    let mut problem = Problem::from_error(error.as_ref());
    for cause in error.chain() {
        if let Some(repack) = cause.downcast_ref::<RepackError>() {
            problem = problem.details(repack.details().lines().map(str::to_owned));
        }
    }
    match hint(error) {
        Some(hint) => problem.hint(hint),
        None => problem,
    }
}

/// Returns what the operator can do about `error`, if any of its causes knows.
pub fn hint(error: &anyhow::Error) -> Option<String> {
    error.chain().find_map(|cause| {
        if let Some(known) = cause.downcast_ref::<AptError>() {
            return known.hint();
        }
        if let Some(known) = cause.downcast_ref::<KeyError>() {
            return known.hint();
        }
        if let Some(known) = cause.downcast_ref::<DebError>() {
            return Some(known.hint());
        }
        if let Some(known) = cause.downcast_ref::<OverlayError>() {
            return known.hint();
        }
        if let Some(known) = cause.downcast_ref::<RepackError>() {
            return Some(known.hint());
        }
        if let Some(known) = cause.downcast_ref::<cairn_install::answers::AnswersError>() {
            return known.hint();
        }
        if let Some(known) = cause.downcast_ref::<Unmapped>() {
            return Some(known.hint());
        }
        if cause.is::<Vanished>() {
            return Some(
                "run without `--locked` to move that entry forward, or `cairn lock --update NAME`"
                    .into(),
            );
        }
        if let Some(known) = cause.downcast_ref::<cairn_host::fetch::FetchError>() {
            return known.hint();
        }
        if let Some(known) = cause.downcast_ref::<cairn_host::HostError>() {
            return known.hint();
        }
        None
    })
}
