// SPDX-License-Identifier: MIT OR Apache-2.0
//! What stops an installation.

use std::error::Error;

use cairn_host::HostError;
use cairn_image::ImageError;
use cairn_image::boot::BootError;
use cairn_pkg::TransactionError;
use cairn_pkg::repos::RepoError;
use cairn_pkg::rpmdb::RpmDbError;

use crate::answers::AnswersError;
use crate::plan::PlanError;

/// What stops an installation.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// The answers.
    #[error(transparent)]
    Answers(#[from] AnswersError),
    /// Machine and answers do not fit.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// A file or program.
    #[error(transparent)]
    Host(#[from] HostError),
    /// GRUB for BIOS.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// Boot entries.
    #[error(transparent)]
    Boot(#[from] BootError),
    /// The repository of the medium.
    #[error(transparent)]
    Repository(#[from] RepoError),
    /// The package transaction.
    #[error(transparent)]
    Transaction(#[from] TransactionError),
    /// The new package database.
    #[error(transparent)]
    Database(#[from] RpmDbError),
    /// The machine or its programs are not as expected.
    #[error("{0}")]
    Machine(String),
    /// The medium cannot be used.
    #[error("the install medium cannot be used: {0}")]
    Medium(String),
    /// The medium was taken out.
    #[error("the install medium was taken out, or cannot be read any more")]
    MediumGone(#[source] Box<InstallError>),
    /// A package of the medium is damaged.
    #[error("{file} on the medium is damaged: {reason}")]
    Package {
        /// Its file on the medium.
        file: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The wanted packages cannot be installed together.
    #[error("the packages cannot be installed: {}", .0.join("; "))]
    Unsolvable(Vec<String>),
    /// The packages do not fit.
    #[error(
        "the packages need {needed_mib} MiB, the root file system would have {available_mib} MiB"
    )]
    NoSpace {
        /// MiB needed.
        needed_mib: u64,
        /// MiB there would be.
        available_mib: u64,
    },
    /// A scriptlet failed.
    #[error("{} scriptlets failed: {}", .0.len(), .0.join("; "))]
    Scriptlets(Vec<String>),
    /// The machine changed after the plan was shown.
    #[error("the machine is not as it was when the plan was shown: {0}")]
    Changed(String),
    /// The result would not start.
    #[error("the installed system would not start: {}", .0.join("; "))]
    NotBootable(Vec<String>),
    /// Another process installs.
    #[error("an installation is running already")]
    Busy,
    /// Nobody said yes.
    #[error("it was not confirmed; nothing was changed")]
    NotConfirmed,
    /// The console was closed or cannot be used.
    #[error("the console cannot be used")]
    Console(#[source] std::io::Error),
}

impl InstallError {
    /// Returns what an operator can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Answers(error) => error.hint(),
            Self::Plan(error) => error.hint(),
            Self::Host(error) => error.hint(),
            Self::Image(error) => error.hint(),
            Self::Boot(error) => error.hint(),
            Self::Repository(error) => error.hint(),
            Self::Transaction(error) => error.hint(),
            Self::Package { .. } | Self::Medium(_) => {
                Some("check the medium (boot menu), then write or copy it again".to_owned())
            }
            Self::MediumGone(_) => Some(
                "put the medium back and restart the machine: the installation begins anew"
                    .to_owned(),
            ),
            Self::NoSpace { .. } => Some("choose a larger disk, or fewer roles".to_owned()),
            Self::Changed(_) => Some("look at the plan again".to_owned()),
            _ => None,
        }
    }

    /// Returns the error with all its causes in one line.
    pub fn reason(&self) -> String {
        let mut text = self.to_string();
        let mut next = self.source();
        while let Some(cause) = next {
            let more = cause.to_string();
            if !text.ends_with(&more) {
                text += &format!(": {more}");
            }
            next = cause.source();
        }
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}
