// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cairn vm run`

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Subcommand, ValueEnum};

use crate::context::Context;
use crate::ops::vm::{self, Run};
use crate::vm::{Accel, Firmware};

/// Run images in QEMU
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Boot an image and print how to log in; the image itself is not changed
    Run {
        /// The disk image
        image: PathBuf,
        /// Public SSH key to let in, as root (by systemd credential) and as the default user (by cloud-init)
        #[arg(long, value_name = "FILE")]
        ssh_key: Option<PathBuf>,
        /// Firmware of the machine
        #[arg(long, value_enum, default_value_t = FirmwareName::Uefi)]
        firmware: FirmwareName,
        /// Acceleration; auto uses KVM only after a trial guest has proven that it works
        #[arg(long, value_enum, default_value_t = AccelName::Auto)]
        accel: AccelName,
        /// Memory in MiB
        #[arg(long, default_value_t = 1024)]
        memory: u32,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum FirmwareName {
    Bios,
    Uefi,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum AccelName {
    Auto,
    Kvm,
    Tcg,
}

/// Runs the command.
pub fn run(ctx: &Context, arguments: &Arguments) -> Result<ExitCode> {
    let Command::Run { image, ssh_key, firmware, accel, memory } = &arguments.command;
    let run = Run {
        image: image.clone(),
        ssh_key: ssh_key.clone(),
        firmware: match firmware {
            FirmwareName::Bios => Firmware::Bios,
            FirmwareName::Uefi => Firmware::Uefi,
        },
        accel: match accel {
            AccelName::Auto => Accel::Auto,
            AccelName::Kvm => Accel::Kvm,
            AccelName::Tcg => Accel::Tcg,
        },
        memory: *memory,
    };
    vm::run(ctx, &run)?;
    Ok(ExitCode::SUCCESS)
}
