// SPDX-License-Identifier: MIT OR Apache-2.0
//! Turns an error into what is shown: message, causes, details, and the hint that belongs to it, wherever it lies in the chain.

use std::error::Error;
use std::io;

use cairn_ui::Problem;

use crate::fetch::Vanished;
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
    error.chain().find_map(own_hint).or_else(|| error.chain().find_map(io_hint))
}

/// Asks a cause of each of the types in turn; `always` are those that have a hint for every case.
macro_rules! hint_of {
    ($cause:expr, sometimes: $($sometimes:ty),+; always: $($always:ty),+ $(;)?) => {{
        $(if let Some(known) = $cause.downcast_ref::<$sometimes>() {
            return known.hint().map(Into::into);
        })+
        $(if let Some(known) = $cause.downcast_ref::<$always>() {
            return Some(known.hint());
        })+
        None
    }};
}

fn own_hint(cause: &(dyn Error + 'static)) -> Option<String> {
    if cause.is::<Vanished>() {
        return Some(
            "run without `--locked` to move that entry forward, or `cairn lock --update NAME`"
                .into(),
        );
    }
    hint_of!(cause,
        sometimes: crate::apt::AptError, crate::keys::KeyError, crate::overlay::OverlayError, crate::serve::ServeError,
            crate::vm::VmError, cairn_image::ImageError, cairn_image::gpt::LayoutError, cairn_image::manifest::ManifestError, cairn_image::boot::BootError,
            cairn_pkg::TransactionError, cairn_rpm::build::BuildError, cairn_rpm::error::Error, cairn_rpm::signature::VerifyError, cairn_rpm::signature::KeyError,
            cairn_host::fetch::FetchError, cairn_host::HostError, cairn_install::answers::AnswersError;
        always: crate::deb::DebError, RepackError, crate::compose::triggers::Unmapped, crate::lock::LockError;
    )
}

/// Returns what helps against the usual troubles with files.
fn io_hint(cause: &(dyn Error + 'static)) -> Option<String> {
    let hint = match cause.downcast_ref::<io::Error>()?.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "free some space, or choose another file system with `--out DIR` or `XDG_CACHE_HOME`"
        }
        io::ErrorKind::PermissionDenied => "check the owner and mode of the directory",
        io::ErrorKind::ReadOnlyFilesystem => "choose a directory that can be written to",
        io::ErrorKind::NotFound => "check the path",
        io::ErrorKind::NotADirectory => "a part of the path is a file: choose another path",
        _ => return None,
    };
    Some(hint.into())
}
