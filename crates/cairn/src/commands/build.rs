// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cairn build`

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Subcommand};

use crate::context::Context;
use crate::ops::build::{self, Settings};
use crate::ops::upstream::Generation;

/// Build the package repository or an image
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Turn the locked upstream packages into a signed RPM repository: out/repo
    Repo(Common),
    /// Build the installation medium: out/cairn-linux-VERSION-x86_64.iso
    Iso(Common),
    /// Build a disk image that boots under BIOS and UEFI: out/cairn-linux-VERSION-x86_64.raw
    Disk {
        /// Profile to install (a file of distro/images)
        #[arg(long, default_value = "default")]
        profile: String,
        #[command(flatten)]
        common: Common,
    },
}

#[derive(Debug, Args)]
struct Common {
    /// Stop when the mirror no longer has a locked file, instead of moving that entry forward
    #[arg(long)]
    locked: bool,
    /// Where the results go
    #[arg(long, value_name = "DIR", default_value = "out")]
    out: PathBuf,
    /// Armored OpenPGP secret key to sign with [default: a development key made once on this machine]
    #[arg(long, value_name = "FILE")]
    signing_key: Option<PathBuf>,
    /// Build the state before the lock's: older kernel, lower releases of our packages (to test upgrades from)
    #[arg(long, hide = true)]
    previous: bool,
}

impl Common {
    fn settings(&self, ctx: &Context) -> Settings {
        Settings {
            locked: self.locked,
            out: ctx.project.join(&self.out),
            signing_key: self.signing_key.clone(),
            generation: if self.previous { Generation::Previous } else { Generation::Current },
        }
    }
}

/// Runs the command.
pub fn run(ctx: &Context, arguments: &Arguments) -> Result<ExitCode> {
    let made = match &arguments.what {
        What::Repo(common) => build::repo(ctx, &common.settings(ctx))?,
        What::Iso(common) => build::iso(ctx, &common.settings(ctx))?,
        What::Disk { profile, common } => build::disk(ctx, &common.settings(ctx), profile)?,
    };
    for path in made {
        ctx.printer.data(&path.display().to_string());
    }
    Ok(ExitCode::SUCCESS)
}
