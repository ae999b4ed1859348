// SPDX-License-Identifier: MIT OR Apache-2.0
//! Boots images in QEMU: a machine as a value ([`VmSpec`]), its command line ([`arguments`]), the running machine ([`Vm`]) with its
//! serial console, QMP and ssh.
//!
//! QEMU, OVMF and ssh come from a tools tree and run in a [`Sandbox`](cairn_host::Sandbox). Nothing is random: MAC address, disk
//! serial numbers and ports are given or fixed.

pub mod arguments;
mod console;
mod machine;
mod probe;
mod qmp;
mod seed;
mod ssh;

use std::path::PathBuf;
use std::time::Duration;

use cairn_host::HostError;

pub use self::console::plain_text;
pub use self::machine::{Vm, free_port};
pub use self::probe::{TRIAL_LIMIT, kvm_works, trial_guest_runs};
pub use self::seed::{SEED_LABEL, write_seed};
pub use self::ssh::{Ssh, generate_key};

/// What starts the guest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Firmware {
    /// SeaBIOS.
    Bios,
    /// OVMF without Secure Boot.
    Uefi,
    /// OVMF with Microsoft's keys enrolled and Secure Boot enforced.
    UefiSecureBoot,
}

/// What executes the guest's instructions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accel {
    /// KVM if a trial guest runs with it ([`kvm_works`]), else TCG.
    Auto,
    /// KVM, or an error from QEMU.
    Kvm,
    /// QEMU's own translator: slow, with one processor.
    Tcg,
}

/// How a disk is attached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bus {
    /// virtio-blk.
    VirtioBlk,
    /// virtio-scsi.
    VirtioScsi,
    /// NVMe.
    Nvme,
    /// AHCI.
    Sata,
    /// Parallel ATA, on a machine of the nineties (i440FX); BIOS only.
    Ide,
    /// A USB stick.
    Usb,
    /// VMware's paravirtual SCSI.
    VmwarePvscsi,
    /// A CD drive (AHCI); always read-only.
    Cdrom,
}

/// Format of an image file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DiskFormat {
    /// Plain sectors; ISO images too.
    Raw,
    /// QEMU's format; the image must not have a backing file.
    Qcow2,
    /// Hyper-V's old format.
    Vpc,
    /// Hyper-V's format.
    Vhdx,
    /// VMware's format.
    Vmdk,
}

/// What may happen to an image file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DiskAccess {
    /// The guest writes into the file.
    Write,
    /// The guest writes into a temporary overlay that is gone afterwards; the file stays as it is.
    Snapshot,
    /// The guest sees a write-protected disk.
    ReadOnly,
}

/// One disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disk {
    /// Image file on the host.
    pub path: PathBuf,
    /// Its format.
    pub format: DiskFormat,
    /// How it is attached.
    pub bus: Bus,
    /// What may happen to it.
    pub access: DiskAccess,
}

/// Whether the guest reaches anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// No network card.
    NoCard,
    /// A network with DHCP and forwarded ports, but neither the host nor the world can be reached.
    Isolated,
    /// Like [`Reach::Isolated`], and the guest reaches the host's loopback as 10.0.2.2 and the world as far as the host does.
    Open,
}

/// A TCP port of the host's loopback interface that leads into the guest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Forward {
    /// Port on 127.0.0.1.
    pub host_port: u16,
    /// Port in the guest.
    pub guest_port: u16,
}

/// A systemd credential, given through SMBIOS type 11. The value may be secret: it goes through a file, not through arguments.
#[derive(Clone, PartialEq, Eq)]
pub struct Credential {
    /// Name, for example `ssh.authorized_keys.root`.
    pub name: String,
    /// Content.
    pub value: Vec<u8>,
}

impl std::fmt::Debug for Credential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Credential({}, {} bytes)", self.name, self.value.len())
    }
}

/// What happens when the guest reboots.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnReboot {
    /// It starts again.
    Restart,
    /// QEMU ends, as after power off.
    Exit,
}

/// A machine to be started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VmSpec {
    /// Directory for the machine's own files: UEFI variables (kept if there from an earlier start), QMP socket, overlays.
    pub work_dir: PathBuf,
    /// The console's output is written here as it comes.
    pub serial_log: PathBuf,
    /// What starts the guest.
    pub firmware: Firmware,
    /// What executes it.
    pub accel: Accel,
    /// Memory in MiB.
    pub memory_mib: u32,
    /// Processors; TCG always uses one.
    pub cpus: u32,
    /// Disks and CDs in boot order.
    pub disks: Vec<Disk>,
    /// Provisioning data ([`write_seed`]): a read-only disk that is not booted from.
    pub seed: Option<PathBuf>,
    /// Whether it has a network.
    pub reach: Reach,
    /// Forwarded ports.
    pub forwards: Vec<Forward>,
    /// Credentials for systemd.
    pub credentials: Vec<Credential>,
    /// What happens on reboot.
    pub on_reboot: OnReboot,
    /// Further arguments for QEMU, as they are; files they name must be bound into the sandbox by the caller.
    pub extra_arguments: Vec<String>,
}

impl VmSpec {
    /// A machine with 1 GiB, 2 processors, UEFI, a virtio disk whose file is not changed, and an isolated network. Adjust the fields.
    pub fn of_image(
        image: impl Into<PathBuf>,
        format: DiskFormat,
        work_dir: impl Into<PathBuf>,
    ) -> Self {
        let work_dir = work_dir.into();
        Self {
            serial_log: work_dir.join("serial.log"),
            work_dir,
            firmware: Firmware::Uefi,
            accel: Accel::Auto,
            memory_mib: 1024,
            cpus: 2,
            disks: vec![Disk {
                path: image.into(),
                format,
                bus: Bus::VirtioBlk,
                access: DiskAccess::Snapshot,
            }],
            seed: None,
            reach: Reach::Isolated,
            forwards: Vec::new(),
            credentials: Vec::new(),
            on_reboot: OnReboot::Restart,
            extra_arguments: Vec::new(),
        }
    }
}

/// Why a machine did not do what was wanted.
#[derive(Debug, thiserror::Error)]
pub enum VmError {
    /// A program or file of the host failed.
    #[error(transparent)]
    Host(#[from] HostError),
    /// A file of the machine cannot be used.
    #[error("cannot {operation} `{}`", path.display())]
    File {
        /// What was tried.
        operation: &'static str,
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// QEMU ended while something was awaited.
    #[error("the guest ended (status {status}) before {awaited}{}", after(stderr))]
    GuestDied {
        /// What was awaited.
        awaited: String,
        /// Exit status of QEMU, -N for signal N.
        status: i32,
        /// What QEMU wrote to its standard error.
        stderr: String,
        /// The last lines of the console.
        console_tail: String,
    },
    /// Something did not appear in time.
    #[error("expected {awaited} within {} seconds, found nothing of it", limit.as_secs())]
    TimedOut {
        /// What was awaited.
        awaited: String,
        /// How long.
        limit: Duration,
        /// The last lines of the console.
        console_tail: String,
    },
    /// QMP said no.
    #[error("QEMU refused `{command}`: {reason}")]
    Qmp {
        /// The QMP command.
        command: String,
        /// Its answer.
        reason: String,
    },
}

impl VmError {
    /// Returns what an operator can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Host(error) => error.hint(),
            Self::GuestDied { console_tail, .. } | Self::TimedOut { console_tail, .. } => {
                let last = console_tail.lines().next_back().unwrap_or("nothing");
                Some(format!("the console's last line is `{last}`: read the serial log"))
            }
            Self::File { .. } | Self::Qmp { .. } => None,
        }
    }

    /// Returns the last lines of the console, if a machine was running.
    pub fn console_tail(&self) -> Option<&str> {
        match self {
            Self::GuestDied { console_tail, .. } | Self::TimedOut { console_tail, .. } => {
                Some(console_tail)
            }
            Self::Host(_) | Self::File { .. } | Self::Qmp { .. } => None,
        }
    }

    pub(crate) fn file(
        operation: &'static str,
        path: impl Into<PathBuf>,
        source: std::io::Error,
    ) -> Self {
        Self::File { operation, path: path.into(), source }
    }
}

/// The result of everything in this module.
pub type Result<T> = std::result::Result<T, VmError>;

fn after(stderr: &str) -> String {
    let text = stderr.trim();
    if text.is_empty() { String::new() } else { format!(": {}", text.replace('\n', " / ")) }
}
