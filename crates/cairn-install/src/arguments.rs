// SPDX-License-Identifier: MIT OR Apache-2.0
//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

/// Install Cairn Linux
#[derive(Debug, Parser)]
#[command(name = "cairn-install", version, disable_help_subcommand = true)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show what this machine is: firmware, memory, disks and what speaks against each
    Probe {
        /// Write JSON, which `plan --probe` reads
        #[arg(long)]
        json: bool,
    },
    /// Show what would be done; nothing is changed
    Plan {
        /// Answer file
        #[arg(long, value_name = "FILE")]
        answers: PathBuf,
        /// Plan for a recorded machine instead of this one
        #[arg(long, value_name = "FILE")]
        probe: Option<PathBuf>,
        /// Description of the medium [default: that of the medium in use]
        #[arg(long, value_name = "FILE")]
        software: Option<PathBuf>,
        /// Write JSON
        #[arg(long)]
        json: bool,
    },
    /// Check an answer file
    Validate {
        /// Answer file
        answers: PathBuf,
        /// Description of a medium whose names must be known
        #[arg(long, value_name = "FILE")]
        software: Option<PathBuf>,
    },
    /// Install; asks for confirmation unless the plan or the disk is confirmed here
    Run {
        /// Answer file
        #[arg(long, value_name = "FILE")]
        answers: PathBuf,
        /// Carry out this plan, as `plan --json` wrote it; refused where machine or answers have changed
        #[arg(long, value_name = "FILE")]
        plan: Option<PathBuf>,
        /// Digest of the plan that is confirmed, as `plan` shows it
        #[arg(long, value_name = "DIGEST", requires = "plan")]
        confirm: Option<String>,
        /// Disk whose erasure is confirmed, as `plan` shows it
        #[arg(long, value_name = "DISK", conflicts_with = "confirm")]
        erase: Option<String>,
    },
    /// Write the answers that this system was installed with, or those last given, as an answer file (without passwords)
    Export,
    /// Write the JSON Schema of the answer file
    Schema,
    /// Ask for everything, then install
    Text,
    /// Serve one console of the install medium
    #[command(hide = true)]
    Console,
}
