// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cairn vm run`: boots an image for a person to look at.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result};
use cairn_host::Sandbox;

use crate::compose::WorkDirectory;
use crate::context::Context;
use crate::lock::Use;
use crate::ops::upstream::{self, Generation, Vanishing};
use crate::tools;
use crate::vm::{
    Accel, Credential, DiskFormat, Firmware, Forward, OnReboot, Reach, Vm, VmSpec, free_port,
    write_seed,
};

/// The longest a machine is left running, in seconds.
const LIMIT: Duration = Duration::from_hours(168);

/// What the operator decided.
#[derive(Debug, Clone)]
pub struct Run {
    /// Disk image.
    pub image: PathBuf,
    /// Public key file.
    pub ssh_key: Option<PathBuf>,
    /// Firmware.
    pub firmware: Firmware,
    /// Acceleration.
    pub accel: Accel,
    /// MiB.
    pub memory: u32,
}

/// Boots the image, prints how to log in, and waits until the machine is off.
pub fn run(ctx: &Context, run: &Run) -> Result<()> {
    let upstream =
        upstream::open(ctx, &[Use::Tools, Use::Test], Vanishing::Stop, Generation::Current)?;
    let tools = tools::open_test(ctx, &upstream.lock)?;
    let work = WorkDirectory::create(ctx, "vm")?;
    let image = std::fs::canonicalize(&run.image)
        .with_context(|| format!("opening {}", run.image.display()))?;
    let mut spec = VmSpec::of_image(&image, DiskFormat::Raw, work.path.join("machine"));
    spec.firmware = run.firmware;
    spec.accel = run.accel;
    spec.memory_mib = run.memory;
    spec.reach = Reach::Open;
    spec.on_reboot = OnReboot::Restart;
    let port = free_port().context("looking for a free port")?;
    spec.forwards.push(Forward { host_port: port, guest_port: 22 });
    if let Some(path) = &run.ssh_key {
        let key =
            std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
        admit(&mut spec, &tools, &work, &key)?;
    }
    let mut vm = Vm::start(&spec, &tools)?;
    ctx.printer.info(&format!(
        "Running {} ({:?}); the console is in {}",
        image.display(),
        vm.engine(),
        spec.serial_log.display()
    ));
    ctx.printer.data(&format!(
        "ssh -p {port} -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null root@127.0.0.1"
    ));
    vm.wait_for_end(LIMIT)?;
    Ok(())
}

/// Lets a key in: for root by systemd credential, for the default user by a NoCloud seed.
pub fn admit(spec: &mut VmSpec, tools: &Sandbox, work: &WorkDirectory, key: &str) -> Result<()> {
    spec.credentials.push(Credential {
        name: "ssh.authorized_keys.root".into(),
        value: key.as_bytes().to_vec(),
    });
    let user_data = format!("#cloud-config\nssh_authorized_keys:\n  - {}\n", key.trim());
    let seed = seed(
        tools,
        &work.path,
        &[("user-data", user_data.as_bytes()), ("meta-data", b"instance-id: cairn-vm-run\n")],
    )?;
    spec.seed = Some(seed);
    Ok(())
}

/// Writes a NoCloud seed image below `directory`.
pub fn seed(tools: &Sandbox, directory: &Path, files: &[(&str, &[u8])]) -> Result<PathBuf> {
    let staging = directory.join("seed");
    std::fs::create_dir_all(&staging).with_context(|| format!("creating {}", staging.display()))?;
    let output = directory.join("seed.iso");
    let files =
        files.iter().map(|(name, content)| ((*name).to_owned(), content.to_vec())).collect();
    write_seed(tools, &files, &staging, &output)?;
    Ok(output)
}
