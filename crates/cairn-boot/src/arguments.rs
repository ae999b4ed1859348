// SPDX-License-Identifier: MIT OR Apache-2.0
//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// Manages the boot entries of this system
#[derive(Debug, Parser)]
#[command(name = "cairn-boot", version, max_term_width = 100)]
pub struct Arguments {
    /// Work on the system below this directory
    #[arg(long, global = true, value_name = "DIR", default_value = "/")]
    pub root: PathBuf,
    /// Directory of the EFI system partition [default: boot/efi below the root]
    #[arg(long, global = true, value_name = "DIR")]
    pub esp: Option<PathBuf>,
    /// Say only what went wrong
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Add an entry for a kernel; it is tried three times before the previous one is booted again
    Add(AddArguments),
    /// Remove the entry of a kernel and its files
    Remove {
        /// Kernel version, as `uname -r` prints it
        version: String,
    },
    /// List the entries, newest first
    List {
        /// Write JSON
        #[arg(long)]
        json: bool,
    },
    /// Make the running kernel the default: it works
    Bless {
        /// Kernel version [default: the running kernel]
        version: Option<String>,
    },
    /// Say what runs, what is booted by default and what is on trial
    Status,
    /// Check that everything needed to boot is there and unchanged
    Verify,
    /// Derive the GRUB snippets again, repair the environment block, refresh the boot loaders
    Update,
    /// Write boot loaders and GRUB's configuration to the EFI system partition
    Install(InstallArguments),
    /// Make an entry the default without a trial
    SetDefault {
        /// Kernel version
        version: String,
    },
    /// Boot an entry once, at the next boot
    SetNext {
        /// Kernel version
        version: String,
    },
}

/// Arguments of `add`.
#[derive(Debug, Args)]
pub struct AddArguments {
    /// Kernel version, as `uname -r` prints it
    pub version: String,
    /// Kernel image (below the root)
    pub image: PathBuf,
    /// Initial RAM disk (below the root)
    pub initrd: Option<PathBuf>,
    /// Menu text [default: the name in os-release]
    #[arg(long)]
    pub title: Option<String>,
    /// Kernel command line [default: that of /etc/kernel/cmdline, or of the running kernel]
    #[arg(long)]
    pub options: Option<String>,
    /// Make it the default at once
    #[arg(long)]
    pub no_trial: bool,
}

/// Arguments of `install`.
#[derive(Debug, Args)]
pub struct InstallArguments {
    /// Seconds the menu waits
    #[arg(long, value_name = "SECONDS", default_value_t = 2)]
    pub timeout: u32,
    /// Speed of the serial line
    #[arg(long, value_name = "BAUD", default_value_t = 115_200)]
    pub serial: u32,
    /// Use no serial line
    #[arg(long, conflicts_with = "serial")]
    pub no_serial: bool,
    /// Label of the boot file system
    #[arg(long, value_name = "LABEL", default_value = "cairn-boot", conflicts_with = "boot_uuid")]
    pub boot_label: String,
    /// UUID of the boot file system, instead of its label
    #[arg(long, value_name = "UUID")]
    pub boot_uuid: Option<String>,
}
