// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the machine is: a plain value that can be recorded as JSON and planned with anywhere.

pub mod disks;
mod read;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

pub use disks::{Device, Disk};
pub use read::{MEDIUM, read};

/// Everything the installer knows about a machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probe {
    /// What started the machine.
    pub firmware: Firmware,
    /// Bytes of memory that the kernel has.
    pub memory_bytes: u64,
    /// What `systemd-detect-virt` says; `none` on hardware.
    pub hypervisor: String,
    /// Maker and model, from DMI.
    pub model: String,
    /// Kernel command line of the live system.
    pub cmdline: Vec<String>,
    /// Block devices that can hold a system, whatever speaks against them.
    pub disks: Vec<Disk>,
    /// A random text; identifiers of partitions and file systems follow from it.
    pub identity: String,
}

/// What started a machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Firmware {
    /// A PC BIOS.
    Bios,
    /// UEFI.
    Uefi,
    /// UEFI that enforces signatures.
    UefiSecureBoot,
}

impl Firmware {
    /// Tells whether the firmware has a boot list that can be changed.
    pub fn is_uefi(self) -> bool {
        self != Self::Bios
    }
}
