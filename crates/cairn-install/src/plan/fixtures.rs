// SPDX-License-Identifier: MIT OR Apache-2.0
//! Machines and media for tests.
#![allow(missing_docs, reason = "test data")]

use std::collections::BTreeMap;

use crate::answers::{Answers, User};
use crate::probe::{Disk, Firmware, Probe};
use crate::software::{Profile, Role, Software};

pub fn software() -> Software {
    let names = |list: &[&str]| list.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let profile = |packages: &[&str]| Profile {
        summary: "A profile".into(),
        packages: names(packages),
        cmdline: names(&["console=tty0", "console=ttyS0,115200", "lockdown=integrity"]),
    };
    let role = |packages: &[&str], units: &[&str]| Role {
        summary: "A role".into(),
        packages: names(packages),
        units: names(units),
        files: BTreeMap::new(),
    };
    Software {
        version: 1,
        name: "Cairn Linux".into(),
        release: "0.1".into(),
        volume_id: "CAIRN_0_1".into(),
        kernel: "kernel-core".into(),
        live_cmdline: names(&["console=tty0", "console=ttyS0,115200", "cairn.mode=install"]),
        memory_mib: 1000,
        disk_mib: 4096,
        locales: BTreeMap::from([
            ("C.UTF-8".to_owned(), Vec::new()),
            ("de_DE.UTF-8".to_owned(), names(&["glibc-langpack-de"])),
        ]),
        keyboards: BTreeMap::from([
            ("de".to_owned(), names(&["kbd"])),
            ("us".to_owned(), Vec::new()),
        ]),
        timezones: names(&["Europe/Berlin", "UTC"]),
        profiles: BTreeMap::from([
            ("default".to_owned(), profile(&["bash", "cloud-init", "systemd"])),
            ("minimal".to_owned(), profile(&["bash", "systemd"])),
        ]),
        roles: BTreeMap::from([
            ("web-server".to_owned(), role(&["nginx"], &["nginx.service"])),
            ("database".to_owned(), role(&["postgresql-server"], &["postgresql.service"])),
        ]),
        guest_agents: BTreeMap::from([("kvm".to_owned(), names(&["qemu-guest-agent"]))]),
    }
}

pub fn disk(path: &str, serial: &str, gib: u64) -> Disk {
    Disk {
        path: path.into(),
        links: vec![format!("/dev/disk/by-id/x-{serial}")],
        size: gib << 30,
        sector: 512,
        model: "QEMU HARDDISK".into(),
        serial: serial.into(),
        wwn: String::new(),
        transport: "sata".into(),
        content: Vec::new(),
        volume_groups: Vec::new(),
        arrays: Vec::new(),
        obstacles: Vec::new(),
    }
}

pub fn machine(disks: Vec<Disk>) -> Probe {
    Probe {
        firmware: Firmware::Bios,
        memory_bytes: 960 << 20,
        hypervisor: "kvm".into(),
        model: "QEMU Standard PC".into(),
        cmdline: "BOOT_IMAGE=/boot/vmlinuz console=tty0 console=ttyS0,115200 cairn.mode=install cairn.auto no_timer_check systemd.volatile=overlay"
            .split(' ')
            .map(str::to_owned)
            .collect(),
        disks,
        identity: "0f6b42f1-9e6c-4c2e-8b8c-2a64a4a1f9b3".into(),
    }
}

pub fn answers() -> Answers {
    Answers {
        users: vec![User {
            name: "admin".into(),
            uid: None,
            ssh_authorized_keys: vec!["ssh-ed25519 AAAA".into()],
            sudo: None,
            password_hash: None,
        }],
        ..Answers::default()
    }
}
