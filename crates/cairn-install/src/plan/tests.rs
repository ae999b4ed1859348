// SPDX-License-Identifier: MIT OR Apache-2.0
//! Plans of recorded machines.

use expect_test::expect;

use super::fixtures::{answers, disk, machine, software};
use super::*;
use crate::answers::DiskSelector;

fn error(disks: Vec<Disk>, selector: Option<DiskSelector>) -> String {
    let mut answers = answers();
    answers.storage.disk = selector;
    let error = plan(&machine(disks), &answers, &software()).unwrap_err();
    match error.hint() {
        Some(hint) => format!("{error}\n  hint: {hint}"),
        None => error.to_string(),
    }
}

fn serial(serial: &str) -> DiskSelector {
    DiskSelector { serial: Some(serial.into()), ..DiskSelector::default() }
}

#[test]
fn plain_on_bios() {
    let made =
        plan(&machine(vec![disk("/dev/vda", "CAIRN0", 20)]), &answers(), &software()).unwrap();
    expect![[r#"
        Disk      /dev/vda  20 GiB  QEMU HARDDISK
        Serial    CAIRN0
        Holds now empty
          1. Check every package on the medium, and choose 5 with what they need
          2. Take everything on /dev/vda out of use
             ERASES everything on /dev/vda: empty
          3. Partition /dev/vda: bios-boot 1 MiB, esp 512 MiB, boot 1 GiB, root 18 GiB
          4. Make vfat on /dev/vda2 for /boot/efi
          5. Make ext4 on /dev/vda3 for /boot
          6. Make ext4 on /dev/vda4 for /
          7. Mount the new file systems
          8. Install the profile `default`
          9. Set up the host `cairn` for admin
         10. Make it start under BIOS and UEFI
         11. Read back everything that starting needs
         12. Unmount
        Plan      f6b4fb5e958c2f40
    "#]]
    .assert_eq(&made.text());
    expect![[r#"
        UUID=c5b01539-eac9-844b-b143-2ae1cc7590f2  /  ext4  defaults  0 1
        UUID=729bea6d-f194-8497-9215-d0eed6ab06ac  /boot  ext4  defaults,nodev,nosuid,noexec  0 2
        UUID=23B8-A6FC  /boot/efi  vfat  umask=0077,nodev,nosuid,noexec,shortname=winnt  0 2
        # The install medium, from which packages come: mounted while it is used, no error without it.
        LABEL=CAIRN_0_1  /run/cairn/medium  iso9660  ro,nofail,nodev,nosuid,noauto,x-systemd.automount,x-systemd.idle-timeout=60,x-systemd.device-timeout=10  0 0
    "#]].assert_eq(&made.fstab(Some("CAIRN_0_1")));
    expect![[r#"
        root=UUID=c5b01539-eac9-844b-b143-2ae1cc7590f2 rw console=tty0 console=ttyS0,115200 lockdown=integrity no_timer_check
        ["bash", "cloud-init", "kernel-core", "qemu-guest-agent", "systemd"]"#]].assert_eq(&format!("{}\n{:?}", made.cmdline, made.packages));
    let again: Plan = serde_json::from_str(&serde_json::to_string(&made).unwrap()).unwrap();
    assert_eq!(again.digest(), made.digest());
}

#[test]
fn volumes_on_nvme_under_secure_boot() {
    let mut old = disk("/dev/nvme0n1", "N1", 20);
    old.content = vec!["part of LVM".into()];
    old.volume_groups = vec!["cairn".into()];
    let mut other = disk("/dev/sda", "S1", 20);
    other.volume_groups = vec!["cairn".into()];
    let mut probe = machine(vec![old, other]);
    probe.firmware = Firmware::UefiSecureBoot;
    let mut answers = answers();
    answers.storage = crate::answers::Storage {
        disk: Some(serial("N1")),
        layout: Layout::Lvm,
        filesystem: Filesystem::Xfs,
    };
    answers.software.roles = vec!["database".into(), "web-server".into()];
    let made = plan(&probe, &answers, &software()).unwrap();
    expect![[r#"
        Disk      /dev/nvme0n1  20 GiB  QEMU HARDDISK
        Serial    N1
        Holds now part of LVM
          1. Check every package on the medium, and choose 10 with what they need
          2. Take everything on /dev/nvme0n1 out of use
             ERASES everything on /dev/nvme0n1: part of LVM
          3. Partition /dev/nvme0n1: bios-boot 1 MiB, esp 512 MiB, boot 1 GiB, lvm 18 GiB
          4. Make the volume group `cairn2` on /dev/nvme0n1p4, with one volume `root`
          5. Make vfat on /dev/nvme0n1p2 for /boot/efi
          6. Make ext4 on /dev/nvme0n1p3 for /boot
          7. Make xfs on /dev/cairn2/root for /
          8. Mount the new file systems
          9. Install the profile `default` with the roles database, web-server
         10. Set up the host `cairn` for admin
         11. Make it start under BIOS and UEFI, and enter it in the firmware's boot list
         12. Read back everything that starting needs
         13. Unmount
        Plan      261fd9d050e39693
    "#]]
    .assert_eq(&made.text());
    assert_eq!(made.root_device(), "/dev/cairn2/root");
    assert_eq!(made.units, ["nginx.service", "postgresql.service"]);
    for package in [
        "lvm2",
        "xfsprogs",
        "efibootmgr",
        "nginx",
        "postgresql-server",
        "qemu-guest-agent",
        "kernel-core",
    ] {
        assert!(made.packages.iter().any(|name| name == package), "{package}");
    }
    assert!(made.fstab(None).contains("/  xfs  defaults  0 0\n"));
}

#[test]
fn disks_that_are_not_chosen() {
    let two = || vec![disk("/dev/sda", "A", 20), disk("/dev/sdb", "B", 30)];
    let mut medium = disk("/dev/sdc", "STICK", 8);
    medium.obstacles = vec!["it is the install medium".into()];
    let mut with_medium = two();
    with_medium.push(medium.clone());
    let size = DiskSelector { min_size: Some("10GiB".into()), ..DiskSelector::default() };
    let mut native = disk("/dev/sda", "A", 20);
    native.sector = 4096;
    let mut in_use = disk("/dev/sda", "A", 20);
    in_use.obstacles = vec!["/dev/sda1 is mounted at /mnt".into(), "it is write-protected".into()];
    let twins = vec![disk("/dev/sda", "SAME", 20), disk("/dev/sdb", "SAME", 20)];
    let messages = [
        error(Vec::new(), None),
        error(vec![medium.clone()], None),
        error(two(), None),
        error(with_medium.clone(), Some(serial("C"))),
        error(with_medium.clone(), Some(serial("STICK"))),
        error(two(), Some(size)),
        error(vec![disk("/dev/sda", "A", 3)], None),
        error(vec![native], None),
        error(vec![in_use], Some(serial("A"))),
        error(twins, Some(serial("SAME"))),
        error(vec![disk("/dev/sda", "A", 1)], Some(serial("A"))),
    ];
    expect![[r#"
        there is no disk to install to
        there is no disk to install to
          /dev/sdc  8 GiB  QEMU HARDDISK  sata  serial STICK  (empty): it is the install medium
        2 disks could be meant, and none is chosen by itself
          /dev/sda  20 GiB  QEMU HARDDISK  sata  serial A  (empty)
          /dev/sdb  30 GiB  QEMU HARDDISK  sata  serial B  (empty)
          hint: name one in `[storage]`, for example `disk = { serial = "…" }`
        no disk matches { serial = "C" }
          /dev/sda  20 GiB  QEMU HARDDISK  sata  serial A  (empty)
          /dev/sdb  30 GiB  QEMU HARDDISK  sata  serial B  (empty)
          /dev/sdc  8 GiB  QEMU HARDDISK  sata  serial STICK  (empty): it is the install medium
          hint: compare the selector with the list
        /dev/sdc cannot be used: it is the install medium
          hint: choose another disk, or free this one first
        2 disks match { min_size = "10GiB" }
          /dev/sda  20 GiB  QEMU HARDDISK  sata  serial A  (empty)
          /dev/sdb  30 GiB  QEMU HARDDISK  sata  serial B  (empty)
          hint: name one in `[storage]`, for example `disk = { serial = "…" }`
        /dev/sda is too small (expected at least 4096 MiB, found 3072 MiB)
          hint: choose a larger disk
        /dev/sda has sectors of 4096 bytes, from which a BIOS cannot start (expected 512)
          hint: start the machine with UEFI
        /dev/sda cannot be used: /dev/sda1 is mounted at /mnt; it is write-protected
          hint: choose another disk, or free this one first
        2 disks match { serial = "SAME" }
          /dev/sda  20 GiB  QEMU HARDDISK  sata  serial SAME  (empty)
          /dev/sdb  20 GiB  QEMU HARDDISK  sata  serial SAME  (empty)
          hint: name one in `[storage]`, for example `disk = { serial = "…" }`
        /dev/sda is too small (expected at least 4096 MiB, found 1024 MiB)
          hint: choose a larger disk"#]]
    .assert_eq(&messages.join("\n"));
    // The medium is no candidate: with one other disk there is no doubt.
    let one = vec![disk("/dev/sda", "A", 20), medium];
    assert_eq!(plan(&machine(one), &answers(), &software()).unwrap().target.path, "/dev/sda");
    let by_link =
        DiskSelector { path: Some("/dev/disk/by-id/x-B".into()), ..DiskSelector::default() };
    let mut wanted = answers();
    wanted.storage.disk = Some(by_link);
    assert_eq!(plan(&machine(two()), &wanted, &software()).unwrap().target.path, "/dev/sdb");
}

#[test]
fn too_little_memory_says_how_much() {
    let mut probe = machine(vec![disk("/dev/sda", "A", 20)]);
    probe.memory_bytes = 470 << 20;
    assert_eq!(
        plan(&probe, &answers(), &software()).unwrap_err().to_string(),
        "the machine has too little memory (expected at least 1000 MiB, found 470 MiB)"
    );
}

#[test]
fn the_digest_covers_machine_and_answers() {
    let probe = machine(vec![disk("/dev/vda", "A", 20)]);
    let first = plan(&probe, &answers(), &software()).unwrap().digest();
    let mut other = answers();
    other.users[0].password_hash = Some(crate::answers::PasswordHash::new("$6$x"));
    assert_ne!(plan(&probe, &other, &software()).unwrap().digest(), first);
    let bigger = machine(vec![disk("/dev/vda", "A", 21)]);
    assert_ne!(plan(&bigger, &answers(), &software()).unwrap().digest(), first);
    let again = plan(&probe, &answers(), &software()).unwrap();
    assert_eq!(again.digest(), first);
    assert!(again.is_meant_by(&first) && again.is_meant_by(&first[..16].to_uppercase()));
    assert!(!again.is_meant_by(&first[..15]) && !again.is_meant_by(&first[1..]));
}

#[test]
fn unknown_software_is_named() {
    let probe = machine(vec![disk("/dev/vda", "A", 20)]);
    let mut wanted = answers();
    wanted.software.roles = vec!["toaster".into()];
    let error = plan(&probe, &wanted, &software()).unwrap_err();
    assert_eq!(error.to_string(), "the medium has no role `toaster`");
}
