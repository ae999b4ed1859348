// SPDX-License-Identifier: MIT OR Apache-2.0
//! The *workspace* upstream: our own programs, built from this checkout and packaged (`distro/workspace.toml`).

use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use cairn_host::{Invocation, Tool};

use crate::ops::build::Build;
use crate::ops::packages::{self, Origin, Packages};
use crate::overlay::schema::{AddedFile, NativePackage};
use crate::overlay::{Overlay, Overlays};
use crate::repack;

/// Programs of the workspace that go into the operating system.
const PROGRAMS: [&str; 4] = ["dnf", "cairn-boot", "cairn-early", "cairn-install"];
/// Their packages, in the same order.
const PACKAGES: [&str; 4] = ["cairn-dnf", "cairn-boot", "cairn-early", "cairn-install"];

/// Builds the programs and their packages.
pub fn build(build: &Build<'_>, packages: &mut Packages) -> Result<()> {
    let binaries = build_programs(build)?;
    let path = build.ctx.distro_dir().join("workspace.toml");
    let text =
        std::fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
    let overlays = Overlays::parse(&[(path.display().to_string(), text)])?;
    let source_date = build.upstream.lock.source_date;
    for (name, native) in overlays.natives() {
        let mut native: NativePackage = native.clone();
        native.release = build.upstream.own_release(&native.release);
        for file in &mut native.file {
            read_source(build, &binaries, file)?;
        }
        let overlay =
            Overlay { defaults: build.upstream.overlays.defaults(), ..overlays.overlay_for(name) };
        let set = packages::package_set(build);
        let options =
            repack::RepackOptions { source_date, vendor: build.upstream.distro.name.clone() };
        let repacked = repack::native(name, &native, &overlay, &set, &options)
            .with_context(|| format!("packaging {name}"))?;
        let files = packages::store(build, &repacked.packages, source_date)?;
        packages.add(
            files,
            &Origin {
                kind: "workspace",
                purl: format!("pkg:rpm/cairn/{name}@{}", native.version),
                upstream_sha256: String::new(),
            },
        );
    }
    Ok(())
}

/// Runs cargo in a target directory of its own, with every path of this machine remapped: the same source gives the same
/// bytes wherever the checkout and cargo's home lie. Returns the directory that holds the programs.
fn build_programs(build: &Build<'_>) -> Result<PathBuf> {
    let ctx = build.ctx;
    ctx.printer.info("Building dnf, cairn-boot, cairn-early and cairn-install");
    let target = ctx.cache_dir("product-target")?;
    let cargo_home = match cairn_host::paths::variable("CARGO_HOME") {
        Some(home) => PathBuf::from(home),
        None => {
            PathBuf::from(cairn_host::paths::variable("HOME").unwrap_or_default()).join(".cargo")
        }
    };
    // Sources of the workspace are named relative to the checkout already. Flags that named it would make every checkout
    // compile everything anew.
    // A panic ends the program, and there are no symbols that a walk up the stack could name.
    let flags = format!(
        "--remap-path-prefix={}=/usr/src/cargo -Cdebuginfo=0 -Cforce-unwind-tables=no",
        cargo_home.display()
    );
    let mut invocation = Invocation::new(Tool::Cargo)
        .args(["build", "--release", "--locked", "--quiet"])
        .cwd(&ctx.project)
        .env("CARGO_TARGET_DIR", &target)
        .env("RUSTFLAGS", flags)
        .env("CFLAGS", "-fno-asynchronous-unwind-tables -fno-unwind-tables")
        .stdout(cairn_host::Sink::Inherit);
    for package in PACKAGES {
        invocation = invocation.args(["-p", package]);
    }
    invocation.run().context("building our programs with cargo")?;
    Ok(target.join("release"))
}

fn read_source(build: &Build<'_>, binaries: &std::path::Path, file: &mut AddedFile) -> Result<()> {
    let Some(source) = &file.source else { return Ok(()) };
    let path = match source.strip_prefix("bin:") {
        Some(program) if PROGRAMS.contains(&program) => binaries.join(program),
        Some(program) => bail!(
            "distro/workspace.toml: `bin:{program}` is not a program of the workspace (expected one of {})",
            PROGRAMS.join(", ")
        ),
        None => build.ctx.distro_dir().join("files").join(source),
    };
    file.bytes = Some(std::fs::read(&path).with_context(|| format!("reading {}", path.display()))?);
    Ok(())
}
