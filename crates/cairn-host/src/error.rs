// SPDX-License-Identifier: MIT OR Apache-2.0
//! The error of this crate. Messages carry the path or command line; the cause is the `source`, never repeated in the text.

use std::io;
use std::path::PathBuf;

/// What went wrong at the border to the machine.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// A file operation failed.
    #[error("cannot {operation} `{}`", path.display())]
    Io {
        /// What was tried, as an infinitive with its preposition: "read", "create directory".
        operation: &'static str,
        /// The path as a person would name it.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// Among the directories of a path that had no links is one now, or a file is not the one that was made under its name.
    #[error("cannot {operation} `{}`: somebody has put something else in its place", path.display())]
    Interfered {
        /// What was tried, as in [`HostError::Io`].
        operation: &'static str,
        /// The path as a person would name it.
        path: PathBuf,
    },
    /// A path cannot name a file below a root: it is empty, ends in `..` or holds a NUL byte.
    #[error("`{}` does not name a file below `{}`", path.display(), root.display())]
    BadPath {
        /// The root directory.
        root: PathBuf,
        /// The path that was given.
        path: PathBuf,
    },
    /// A directory entry is not valid UTF-8.
    #[error("a file name in `{}` is not valid UTF-8: {name}", path.display())]
    NotUtf8 {
        /// The directory.
        path: PathBuf,
        /// The name, with escapes.
        name: String,
    },
    /// A program does not exist where it was looked for.
    #[error("program `{tool}` not found in {place}")]
    NotFound {
        /// File name of the program.
        tool: String,
        /// "the search path" or "the tools tree `DIR`".
        place: String,
    },
    /// A program ran and ended with an error.
    #[error("`{command}` ended with {status}{}", tail_text(stderr_tail))]
    Failed {
        /// The command line, quoted for a shell.
        command: String,
        /// "exit status 1" or "signal 9".
        status: String,
        /// The last lines the program wrote to its standard error.
        stderr_tail: String,
    },
    /// A program was killed because it took too long.
    #[error("`{command}` took longer than {seconds} seconds and was stopped")]
    TimedOut {
        /// The command line, quoted for a shell.
        command: String,
        /// The limit.
        seconds: u64,
    },
    /// A program could not be started or waited for.
    #[error("cannot run `{command}`")]
    Start {
        /// The command line, quoted for a shell.
        command: String,
        /// The cause.
        source: io::Error,
    },
    /// The kernel or its configuration forbids user namespaces.
    #[error("this machine does not let this process create a user namespace (step: {step})")]
    NamespaceForbidden {
        /// The system call that was refused.
        step: String,
        /// The name of the sysctl that looks responsible, where one does.
        sysctl: Option<&'static str>,
        /// The cause.
        source: io::Error,
    },
    /// A step of building the sandbox or chroot failed for another reason.
    #[error("cannot prepare the sandbox for `{command}` (step: {step})")]
    SandboxStep {
        /// The command line, quoted for a shell.
        command: String,
        /// What was done, with its path.
        step: String,
        /// The cause.
        source: io::Error,
    },
    /// The environment lacks something that is needed.
    #[error("environment variable `{name}` is not set")]
    Environment {
        /// Name of the variable.
        name: &'static str,
    },
}

impl HostError {
    pub(crate) fn io(
        operation: &'static str,
        path: impl Into<PathBuf>,
        source: impl Into<io::Error>,
    ) -> Self {
        Self::Io { operation, path: path.into(), source: source.into() }
    }

    /// Returns the kind of the underlying I/O error, if there is one.
    pub fn io_kind(&self) -> Option<io::ErrorKind> {
        match self {
            Self::Io { source, .. }
            | Self::Start { source, .. }
            | Self::NamespaceForbidden { source, .. }
            | Self::SandboxStep { source, .. } => Some(source.kind()),
            Self::NotFound { .. } => Some(io::ErrorKind::NotFound),
            Self::TimedOut { .. } => Some(io::ErrorKind::TimedOut),
            Self::BadPath { .. }
            | Self::Interfered { .. }
            | Self::NotUtf8 { .. }
            | Self::Failed { .. }
            | Self::Environment { .. } => None,
        }
    }

    /// Tells whether a file or program did not exist.
    pub fn is_not_found(&self) -> bool {
        self.io_kind() == Some(io::ErrorKind::NotFound)
    }

    /// Returns what an operator can do about it, as one sentence without a full stop.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NamespaceForbidden { sysctl: Some(name), .. } => Some(namespace_hint(name)),
            Self::NamespaceForbidden { sysctl: None, .. } => Some(
                "a container's seccomp profile or a chroot forbids user namespaces: run outside of it, or start the container with \
                 `--security-opt seccomp=unconfined` (look also at `kernel.unprivileged_userns_clone`, \
                 `kernel.apparmor_restrict_unprivileged_userns` and `user.max_user_namespaces`)"
                    .to_owned(),
            ),
            Self::NotFound { tool, place } if place.starts_with("the search path") => {
                Some(format!("install the package that contains `{tool}`, or add its directory to `PATH`"))
            }
            Self::NotFound { .. } => Some("the tools tree is incomplete: remove `tools` from the cache directory, the next command makes it again".to_owned()),
            Self::Io { source, path, .. } => match source.kind() {
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Some(format!("free some space on the file system of `{}`", path.display())),
                io::ErrorKind::PermissionDenied => Some("check the owner and mode, or run as root".to_owned()),
                io::ErrorKind::ReadOnlyFilesystem => Some(format!("`{}` lies on a read-only file system", path.display())),
                io::ErrorKind::Unsupported => Some("this needs Linux 5.6 or newer".to_owned()),
                _ => None,
            },
            Self::Environment { name } => Some(format!("set `{name}`")),
            Self::Interfered { path, .. } => Some(format!(
                "find out who may write to the directories above `{}`: links among them are not followed while something is changed",
                path.display()
            )),
            Self::BadPath { .. }
            | Self::NotUtf8 { .. }
            | Self::Failed { .. }
            | Self::TimedOut { .. }
            | Self::Start { .. }
            | Self::SandboxStep { .. } => None,
        }
    }
}

fn namespace_hint(sysctl: &str) -> String {
    // The limit holds for root too.
    let (value, otherwise) = match sysctl {
        "kernel.apparmor_restrict_unprivileged_userns" => ("0", ", or run as root"),
        "user.max_user_namespaces" => ("10000", ""),
        _ => ("1", ", or run as root"),
    };
    format!("allow it with `sudo sysctl {sysctl}={value}`{otherwise}")
}

fn tail_text(stderr_tail: &str) -> String {
    let text = stderr_tail.trim();
    if text.is_empty() { String::new() } else { format!(": {text}") }
}
