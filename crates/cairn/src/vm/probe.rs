// SPDX-License-Identifier: MIT OR Apache-2.0
//! Finds out whether KVM really works: `/dev/kvm` may exist and be openable where guests hang all the same (nested virtualisation).

use std::fs::OpenOptions;
use std::path::Path;
use std::time::Duration;

use cairn_host::{Invocation, Root, Sandbox, Tool};

use super::arguments::{Engine, WORK_DIR};

/// How long the trial guest may take; with working KVM it needs less than one second.
pub const TRIAL_LIMIT: Duration = Duration::from_secs(6);

/// Status with which QEMU ends when the trial guest wrote 0x10 to the exit device: `0x10 << 1 | 1`.
const GUEST_SAID_DONE: i32 = 0x21;

/// Tells whether a guest of a few instructions runs under KVM. `tools` holds QEMU; `work_dir` gets a file of 1 MiB.
pub fn kvm_works(tools: &Sandbox, work_dir: &Path) -> bool {
    // QEMU would say the same, only later.
    if OpenOptions::new().read(true).write(true).open("/dev/kvm").is_err() {
        return false;
    }
    trial_guest_runs(tools, work_dir, Engine::Kvm).unwrap_or(false)
}

/// Tells whether a guest of a few instructions runs to its end with `engine`. `work_dir` gets a file of 1 MiB.
pub fn trial_guest_runs(
    tools: &Sandbox,
    work_dir: &Path,
    engine: Engine,
) -> Result<bool, cairn_host::HostError> {
    let accel = match engine {
        Engine::Kvm => "kvm",
        Engine::Tcg => "tcg",
    };
    Root::create(work_dir)?.write("trial.img", &boot_disk(), 0o644)?;
    let invocation = Invocation::new(Tool::QemuSystem)
        .args(["-nodefaults", "-no-user-config", "-display", "none", "-m", "32M", "-cpu", "max"])
        .args(["-machine", &format!("q35,accel={accel}")])
        .args(["-device", "isa-debug-exit,iobase=0xf4,iosize=0x04"])
        .args([
            "-drive",
            &format!("if=none,id=trial,format=raw,readonly=on,file={WORK_DIR}/trial.img"),
        ])
        .args(["-device", "virtio-blk-pci,drive=trial,bootindex=1"])
        .time_limit(TRIAL_LIMIT);
    let output = tools.clone().bind(work_dir, WORK_DIR).run_unchecked(&invocation)?;
    Ok(output.status == GUEST_SAID_DONE)
}

/// A disk whose boot sector writes 0x10 to port 0xf4 and halts. SeaBIOS does not read disks much smaller than 1 MiB.
fn boot_disk() -> Vec<u8> {
    let code = [
        0xba, 0xf4, 0x00, // mov dx, 0xf4
        0xb0, 0x10, // mov al, 0x10
        0xee, // out dx, al
        0xf4, // hlt
        0xeb, 0xfd, // jmp back to hlt
    ];
    let mut disk = vec![0; 1 << 20];
    disk[..code.len()].copy_from_slice(&code);
    disk[510..512].copy_from_slice(&[0x55, 0xaa]);
    disk
}
