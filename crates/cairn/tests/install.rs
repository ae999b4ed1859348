// SPDX-License-Identifier: MIT OR Apache-2.0
//! The installation medium installs: in QEMU, from the menu to a login on the new system.
//!
//! Needs `out/` with the ISO (`cargo xtask vm` builds it and runs this). Tests whose names begin with `matrix_` are further machines and
//! bad luck, for `cargo xtask vm --matrix`. One machine at a time.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test may panic and tells how long it took"
)]

#[expect(dead_code, reason = "shared with the tests of disk images")]
mod lab;
mod machine;
mod services;

use std::path::Path;
use std::time::Instant;

use cairn::ops::iso::{Customization, customize_with};
use cairn::vm::{Bus, Disk, DiskAccess, DiskFormat, Firmware, OnReboot, Reach, Ssh, Vm, VmSpec};
use lab::{Lab, MINUTE};
use machine::{LIMIT, Machine, Shell, check, choose_entry};
use serde_json::json;

/// What must be true of every installed system.
fn inspect(ssh: &Ssh, filesystem: &str) {
    let state = ssh.run("systemctl is-system-running --wait", 10 * MINUTE).unwrap();
    let failed = ssh.run("systemctl --failed --no-legend --plain", MINUTE).unwrap().stdout_text();
    assert_eq!(state.stdout_text().trim(), "running", "{failed}{}", state.stderr_text());
    inspect_names(ssh);
    assert_eq!(check(ssh, "findmnt -no FSTYPE /").trim(), filesystem);
    let cmdline = check(ssh, "cat /proc/cmdline");
    assert!(cmdline.contains("root=UUID=") && cmdline.contains("no_timer_check"), "{cmdline}");
    for leak in ["cairn.", "volatile", "rd.systemd", "squashfs", "nomodeset"] {
        assert!(!cmdline.contains(leak), "{cmdline}");
    }
    // The first boot is the only one.
    assert_eq!(check(ssh, "sudo journalctl --list-boots --no-pager -q | wc -l").trim(), "1");
    assert_eq!(check(ssh, "sudo stat -c '%a %U' /var/log/cairn-install").trim(), "700 root");
    let result = check(ssh, "sudo cat /var/log/cairn-install/result.json");
    assert!(result.contains("\"result\": \"complete\""), "{result}");
    let bad = check(ssh, "sudo rpm -Va --nomtime 2>&1 | grep -v ' c /' | grep -v '^$' || true");
    assert_eq!(bad, "", "rpm -Va");
    check(ssh, "sudo cairn-boot verify");
}

/// Host name, time zone, and locale and keyboard where answers named them.
fn inspect_names(ssh: &Ssh) {
    assert_eq!(check(ssh, "hostname").trim(), "srv-01");
    assert_eq!(check(ssh, "date +%Z").trim(), check(ssh, "TZ=Europe/Berlin date +%Z").trim());
    assert_eq!(check(ssh, "readlink /etc/localtime").trim(), "../usr/share/zoneinfo/Europe/Berlin");
}

/// The medium is the repository.
fn install_from_medium(ssh: &Ssh) {
    check(ssh, "sudo dnf -y install nginx");
    check(ssh, "sudo systemctl start nginx && curl -fsS http://127.0.0.1/ >/dev/null");
    timed("postgresql", ssh, services::postgresql);
}

fn timed(name: &str, ssh: &Ssh, service: fn(services::Shell<'_>)) {
    let start = Instant::now();
    service(&|command| check(ssh, command));
    println!("{name}: started and answered after {:.0} s", start.elapsed().as_secs_f32());
}

fn power_off(mut vm: Vm, ssh: &Ssh) {
    // The connection ends with the guest, so the status of ssh says nothing.
    let _ = ssh.run("sudo systemctl poweroff", MINUTE);
    vm.wait_for_end(5 * MINUTE).unwrap();
}

#[test]
fn bios_virtio_plain_ext4() {
    let lab = Lab::open();
    let machine = Machine::new(&lab, "bios", Firmware::Bios, Bus::VirtioBlk);
    let iso = machine.customize(&machine.answers("[storage]\ndisk = { serial = \"disk0\" }\n"));
    let spec = machine.with_medium(&iso, Bus::Cdrom);
    machine.install(&spec);
    let (vm, ssh) = machine.boot(&spec);
    inspect(&ssh, "ext4");
    install_from_medium(&ssh);
    timed("valkey", &ssh, services::valkey);
    timed("nfs", &ssh, services::nfs);
    timed("podman", &ssh, services::podman);
    timed("podman of a user", &ssh, services::podman_of_a_user);
    timed("containerd", &ssh, services::containerd);
    power_off(vm, &ssh);
}

#[test]
fn secure_boot_nvme_lvm_xfs() {
    let lab = Lab::open();
    let machine = Machine::new(&lab, "secure-boot", Firmware::UefiSecureBoot, Bus::Nvme);
    let storage =
        "[storage]\ndisk = { serial = \"disk0\" }\nlayout = \"lvm\"\nfilesystem = \"xfs\"\n";
    let german = "[system]\nlocale = \"de_DE.UTF-8\"\nkeyboard = \"de-latin1-nodeadkeys\"\n";
    let answers = machine.answers(storage).replace("[system]\n", german);
    let iso = machine.customize(&answers);
    let spec = machine.with_medium(&iso, Bus::Cdrom);
    machine.install(&spec);
    let (vm, ssh) = machine.boot(&spec);
    inspect(&ssh, "xfs");
    assert_eq!(check(&ssh, "LC_ALL= LANG=de_DE.UTF-8 date -d 2026-03-01 +%B").trim(), "März");
    assert!(check(&ssh, "cat /etc/locale.conf").contains("LANG=de_DE.UTF-8"));
    // Every layout that the medium offers can be loaded.
    let unloadable = "for file in /usr/share/keymaps/i386/*/*.kmap.gz; do loadkeys --unicode --bkeymap $(basename $file .kmap.gz) \
                      >/dev/null 2>&1 || echo $file; done";
    assert_eq!(check(&ssh, unloadable), "");
    // Key 44 has `z` on a US keyboard and `y` on a German one.
    assert!(check(&ssh, "sudo dumpkeys -C /dev/tty0 | grep -m1 'keycode  44 '").contains("y"));
    let kernel_log = check(&ssh, "sudo dmesg");
    assert!(kernel_log.contains("Secure boot enabled"));
    assert!(kernel_log.contains("systemd finds the root: there is a device of type LVM2_member"));
    assert!(check(&ssh, "cat /sys/kernel/security/lockdown").contains("[integrity]"));
    assert!(check(&ssh, "sudo efibootmgr").contains("Cairn Linux"));
    install_from_medium(&ssh);
    power_off(vm, &ssh);
}

#[test]
fn customized_media_are_reproducible_and_checked() {
    let lab = Lab::open();
    let machine = Machine::new(&lab, "customize", Firmware::Bios, Bus::VirtioBlk);
    let answers = machine.answers("");
    let first = Machine::digest(&machine.customize(&answers));
    let iso = machine.customize(&answers);
    assert_eq!(Machine::digest(&iso), first);
    assert_ne!(Machine::digest(&machine.iso()), first);
    let file = machine.work.path.join("bad.toml");
    std::fs::write(&file, answers.replace("admin\"\n", "root\"\n")).unwrap();
    let wanted = Customization {
        input: machine.iso(),
        answers: file,
        kernel_args: Vec::new(),
        output: machine.work.path.join("never.iso"),
    };
    let error = customize_with(&lab.ctx, &lab.tools, 0, &wanted).unwrap_err();
    assert!(error.to_string().contains("bad.toml:6:8: `root` exists already"), "{error}");
    assert!(!wanted.output.exists());
}

/// Installs from a medium, then starts what was installed without it.
fn install_and_start(machine: &Machine<'_>, with_medium: &VmSpec) {
    machine.install(with_medium);
    let (vm, ssh) = machine.boot(&machine.spec);
    inspect(&ssh, "ext4");
    power_off(vm, &ssh);
}

/// Installs and boots on one more kind of machine.
fn round_trip(machine: &Machine<'_>, medium: Bus) {
    let iso = machine.customize(&machine.answers("[storage]\ndisk = { serial = \"disk0\" }\n"));
    let spec = machine.with_medium(&iso, medium);
    install_and_start(machine, &spec);
}

/// Another network card than virtio's.
fn with_card(machine: &mut Machine<'_>, card: &str) {
    machine.spec.reach = Reach::NoCard;
    machine.spec.forwards.clear();
    machine.spec.extra_arguments = vec![
        "-netdev".to_owned(),
        format!("user,id=net0,restrict=on,hostfwd=tcp:127.0.0.1:{}-:22", machine.port),
        "-device".to_owned(),
        format!("{card},netdev=net0,romfile="),
    ];
}

#[test]
fn matrix_usb_stick() {
    let lab = Lab::open();
    round_trip(&Machine::new(&lab, "usb", Firmware::Uefi, Bus::VirtioBlk), Bus::Usb);
}

/// A BIOS starts from one disk only, the first: that is the stick.
#[test]
fn matrix_usb_stick_bios() {
    let lab = Lab::open();
    let machine = Machine::new(&lab, "usb-bios", Firmware::Bios, Bus::VirtioBlk);
    let path = machine.customize(&machine.answers("[storage]\ndisk = { serial = \"disk1\" }\n"));
    let mut with_stick = machine.spec.clone();
    let (format, bus, access) = (DiskFormat::Raw, Bus::Usb, DiskAccess::ReadOnly);
    with_stick.disks.insert(0, Disk { path, format, bus, access });
    install_and_start(&machine, &with_stick);
}

/// BIOS, because OVMF as Debian builds it has no driver for this controller.
#[test]
fn matrix_vmware() {
    let lab = Lab::open();
    let mut machine = Machine::new(&lab, "vmware", Firmware::Bios, Bus::VmwarePvscsi);
    with_card(&mut machine, "vmxnet3");
    round_trip(&machine, Bus::Cdrom);
}

#[test]
fn matrix_ahci_e1000e() {
    let lab = Lab::open();
    let mut machine = Machine::new(&lab, "ahci", Firmware::Bios, Bus::Sata);
    with_card(&mut machine, "e1000e");
    round_trip(&machine, Bus::Cdrom);
}

#[test]
fn matrix_ide() {
    let lab = Lab::open();
    round_trip(&Machine::new(&lab, "ide", Firmware::Bios, Bus::Ide), Bus::Cdrom);
}

/// Installs by questions with all defaults: twelve keys, a pasted key not counted.
#[test]
fn matrix_keys_over_the_serial_line() {
    let lab = Lab::open();
    let machine = Machine::new(&lab, "keys", Firmware::Bios, Bus::VirtioBlk);
    let spec = machine.with_medium(&machine.iso(), Bus::Cdrom);
    let mut vm = machine.start(&spec);
    let mut n_keys = 0;
    for (question, answer) in [
        ("keyboard layout [us]:", ""),
        ("Disk [1]:", ""),
        ("Layout [1]:", ""),
        ("Administrator [admin]:", ""),
        ("SSH public key", machine.public.as_str()),
        ("Host name [cairn]:", ""),
        ("Profile [default]:", ""),
        ("Roles, separated by spaces [none]:", ""),
        ("Type yes to ERASE", "yes"),
    ] {
        machine.wait(&mut vm, &[question], LIMIT);
        vm.send(&format!("{answer}\n")).unwrap();
        n_keys += 1 + if answer == machine.public { 0 } else { answer.len() };
    }
    assert!(n_keys <= 12, "{n_keys} keys");
    machine.wait(&mut vm, &["cairn-install: complete"], LIMIT);
    vm.wait_for_end(5 * MINUTE).unwrap();
    drop(vm);
    let (vm, ssh) = machine.boot(&machine.spec);
    assert_eq!(check(&ssh, "hostname").trim(), "cairn");
    power_off(vm, &ssh);
}

/// A second disk gets no write request, and its bytes stay.
#[test]
fn matrix_other_disk_is_never_written() {
    let lab = Lab::open();
    let mut machine = Machine::new(&lab, "other-disk", Firmware::Bios, Bus::VirtioBlk);
    let other = machine.work.path.join("other.raw");
    std::fs::copy(lab.out.join("cairn-linux-0.1-minimal-x86_64.raw"), &other).unwrap();
    let before = Machine::digest(&other);
    machine.spec.disks.push(Disk {
        path: other.clone(),
        format: DiskFormat::Raw,
        bus: Bus::Sata,
        access: DiskAccess::Write,
    });
    machine.spec.extra_arguments = vec!["-no-shutdown".to_owned()];
    let iso = machine.customize(&machine.answers("[storage]\ndisk = { serial = \"disk0\" }\n"));
    let spec = machine.with_medium(&iso, Bus::Cdrom);
    let mut vm = machine.start(&spec);
    machine.wait(&mut vm, &["cairn-install: complete"], LIMIT);
    let stats = vm.qmp("query-blockstats", &json!({})).unwrap();
    let of = |name: &str| {
        stats.as_array().unwrap().iter().find(|one| one["device"] == name).unwrap()["stats"]["wr_operations"].as_u64().unwrap()
    };
    assert!(of("disk0") > 0);
    assert_eq!(of("disk1"), 0);
    drop(vm);
    assert_eq!(Machine::digest(&other), before);
}

#[test]
fn matrix_two_disks_and_no_selector() {
    let lab = Lab::open();
    let mut machine = Machine::new(&lab, "two-disks", Firmware::Bios, Bus::VirtioBlk);
    let other = machine.work.path.join("other.raw");
    std::fs::File::create(&other).unwrap().set_len(8 << 30).unwrap();
    machine.spec.disks.push(Disk {
        path: other,
        format: DiskFormat::Raw,
        bus: Bus::Sata,
        access: DiskAccess::Write,
    });
    let iso = machine.customize(&machine.answers(""));
    let line = machine.failure(&machine.with_medium(&iso, Bus::Cdrom));
    assert!(
        line.contains("2 disks could be meant")
            && line.contains("/dev/vda")
            && line.contains("/dev/sda"),
        "{line}"
    );
}

#[test]
fn matrix_too_little_memory() {
    let lab = Lab::open();
    let mut machine = Machine::new(&lab, "memory", Firmware::Bios, Bus::VirtioBlk);
    machine.spec.memory_mib = 512;
    let iso = machine.customize(&machine.answers(""));
    let line = machine.failure(&machine.with_medium(&iso, Bus::Cdrom));
    assert!(line.contains("too little memory (expected at least"), "{line}");
}

/// Flips one bit in the middle of a package on a medium.
fn flip_byte(lab: &Lab, iso: &Path, package: &str) {
    let path = std::fs::read_dir(lab.out.join("repo/packages"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.file_name().unwrap().to_string_lossy().starts_with(package))
        .unwrap();
    let bytes = std::fs::read(&path).unwrap();
    let mut image = std::fs::read(iso).unwrap();
    let needle = &bytes[bytes.len() / 2..bytes.len() / 2 + 64];
    let offset = image.windows(64).position(|window| window == needle).unwrap();
    image[offset] ^= 1;
    std::fs::write(iso, image).unwrap();
}

/// One flipped byte in one package, even one that will not be installed now: it is named, and the disk stays untouched.
#[test]
fn matrix_flipped_byte() {
    let lab = Lab::open();
    let machine = Machine::new(&lab, "flipped", Firmware::Bios, Bus::VirtioBlk);
    let iso = machine.customize(&machine.answers(""));
    flip_byte(&lab, &iso, "valkey-8");
    let line = machine.failure(&machine.with_medium(&iso, Bus::Cdrom));
    assert!(line.contains("valkey-8") && line.contains("is damaged"), "{line}");
    machine.assert_untouched();
}

/// The power fails while packages are installed; the second run succeeds.
#[test]
fn matrix_power_cut() {
    let lab = Lab::open();
    let machine = Machine::new(&lab, "power-cut", Firmware::Bios, Bus::VirtioBlk);
    let storage = "[storage]\ndisk = { serial = \"disk0\" }\nlayout = \"lvm\"\n";
    let iso = machine.customize(&machine.answers(storage));
    let spec = machine.with_medium(&iso, Bus::Cdrom);
    let mut vm = machine.start(&spec);
    machine.wait(&mut vm, &["Install the profile"], LIMIT);
    machine.wait(&mut vm, &["40 %", "50 %", "60 %"], LIMIT);
    drop(vm);
    install_and_start(&machine, &spec);
}

/// Answers on a volume are shown and asked about; a no leads to the questions, a yes installs. The volume is not written to.
#[test]
fn matrix_answers_on_a_volume_are_confirmed() {
    let lab = Lab::open();
    let mut machine = Machine::new(&lab, "volume", Firmware::Bios, Bus::VirtioBlk);
    let volume = machine.answers_volume(&machine.answers(""));
    let before = Machine::digest(&volume.path);
    machine.spec.disks.push(volume.clone());
    let mut spec = machine.with_medium(&machine.iso(), Bus::Cdrom);
    spec.on_reboot = OnReboot::Restart;
    let mut vm = machine.start(&spec);
    machine.wait(&mut vm, &["There are answers: answers.toml on CAIRN-ANSWERS"], LIMIT);
    machine.wait(&mut vm, &["Type yes to ERASE /dev/vda"], MINUTE);
    vm.send("no\n").unwrap();
    machine.wait(&mut vm, &["keyboard layout [us]:"], MINUTE);
    machine.assert_untouched();
    vm.reset().unwrap();
    machine.wait(&mut vm, &["Type yes to ERASE /dev/vda"], LIMIT);
    vm.send("yes\n").unwrap();
    machine.wait(&mut vm, &["cairn-install: complete"], LIMIT);
    vm.wait_for_end(5 * MINUTE).unwrap();
    drop(vm);
    assert_eq!(Machine::digest(&volume.path), before);
    let (vm, ssh) = machine.boot(&machine.spec);
    inspect_names(&ssh);
    power_off(vm, &ssh);
}

/// With `cairn.auto`, typed in the boot menu's editor, answers on a volume need no confirmation.
#[test]
fn matrix_answers_on_a_volume_with_cairn_auto() {
    let lab = Lab::open();
    let mut machine = Machine::new(&lab, "auto", Firmware::Bios, Bus::VirtioBlk);
    machine.spec.disks.push(machine.answers_volume(&machine.answers("")));
    let spec = machine.with_medium(&machine.iso(), Bus::Cdrom);
    let mut vm = machine.start(&spec);
    add_kernel_option(&machine, &mut vm, "cairn.auto");
    machine.wait(&mut vm, &["Installing with answers.toml on CAIRN-ANSWERS"], LIMIT);
    machine.wait(&mut vm, &["cairn-install: complete"], LIMIT);
    vm.wait_for_end(5 * MINUTE).unwrap();
}

/// Types a kernel option in the editor of the boot menu and starts the first entry.
fn add_kernel_option(machine: &Machine<'_>, vm: &mut Vm, option: &str) {
    machine.wait(vm, &["Check this medium"], 5 * MINUTE);
    vm.send("e").unwrap();
    machine.wait(vm, &["initrd"], 2 * MINUTE);
    // Down to the line that begins with `linux` (below the title and an empty line), to its end, and start: GRUB's editor has Emacs' keys.
    vm.send(&format!("\x0e\x0e\x05 {option}\x18")).unwrap();
}

/// The rescue shell: who sits at the machine is root, and nobody else gets in.
#[test]
fn matrix_rescue_shell() {
    let lab = Lab::open();
    let machine = Machine::new(&lab, "rescue", Firmware::Bios, Bus::VirtioBlk);
    let vm = machine.start(&machine.with_medium(&machine.iso(), Bus::Cdrom));
    let mut shell = Shell::rescue(&machine, vm);
    shell.run("[ $(id -u) = 0 ]");
    shell.run("ss -Hltun | grep -v '127\\.0\\.0\\.5[34]\\|:68 \\|:546 ' ; [ $? = 1 ]");
    shell.run("passwd --status root | grep '^root L'");
    machine.assert_untouched();
}

/// The menu's check finds a good medium good, and names the one file that is not.
#[test]
fn matrix_check_this_medium() {
    let lab = Lab::open();
    let machine = Machine::new(&lab, "check", Firmware::Bios, Bus::VirtioBlk);
    let iso = machine.work.path.join("damaged.iso");
    std::fs::copy(machine.iso(), &iso).unwrap();
    for (damage, expected) in
        [(false, "cairn-check: good: "), (true, "cairn-check: damaged: 1 of ")]
    {
        if damage {
            flip_byte(&lab, &iso, "valkey-8");
        }
        let mut vm = machine.start(&machine.with_medium(&iso, Bus::Cdrom));
        choose_entry(&machine, &mut vm, 4);
        machine.wait(&mut vm, &[expected], LIMIT);
        assert_eq!(vm.console_text().contains("  DAMAGED: /repo/packages/valkey-8"), damage);
    }
    machine.assert_untouched();
}

/// Wrong answers stop before anything is written, with file, line and column on the console.
#[test]
fn matrix_wrong_answers_stop_before_the_disk() {
    let lab = Lab::open();
    let mut machine = Machine::new(&lab, "wrong", Firmware::Bios, Bus::VirtioBlk);
    let answers = machine.answers("").replace("hostname =", "hostnam =");
    machine.spec.disks.push(machine.answers_volume(&answers));
    let line = machine.failure(&machine.with_medium(&machine.iso(), Bus::Cdrom));
    let expected = "answers.toml on CAIRN-ANSWERS:3:1: unknown key `hostnam`";
    assert!(line.contains(expected), "{line}");
    machine.assert_untouched();
}

/// The medium is pulled out while packages are installed: it is said so, and the second run succeeds.
fn medium_pulled_out(machine: &Machine<'_>, medium: Bus, pull: fn(&mut Vm)) {
    let iso = machine.customize(&machine.answers("[storage]\ndisk = { serial = \"disk0\" }\n"));
    let spec = machine.with_medium(&iso, medium);
    let mut vm = machine.start(&spec);
    machine.wait(&mut vm, &["Install the profile"], LIMIT);
    machine.wait(&mut vm, &["20 %", "30 %"], LIMIT);
    pull(&mut vm);
    machine.wait(&mut vm, &["cairn-install: failed: the install medium was taken out"], LIMIT);
    drop(vm);
    install_and_start(machine, &spec);
}

#[test]
fn matrix_usb_stick_is_pulled_out() {
    let lab = Lab::open();
    let machine = Machine::new(&lab, "stick-gone", Firmware::Uefi, Bus::VirtioBlk);
    medium_pulled_out(&machine, Bus::Usb, |vm| {
        vm.qmp("device_del", &json!({ "id": "disk1-stick" })).unwrap();
    });
}

#[test]
fn matrix_cd_is_taken_out() {
    let lab = Lab::open();
    let machine = Machine::new(&lab, "cd-gone", Firmware::Bios, Bus::VirtioBlk);
    medium_pulled_out(&machine, Bus::Cdrom, |vm| {
        vm.qmp("eject", &json!({ "device": "disk1", "force": true })).unwrap();
    });
}

/// The disk disappears while it is written to.
#[test]
fn matrix_disk_vanishes() {
    let lab = Lab::open();
    let machine = Machine::new(&lab, "disk-gone", Firmware::Bios, Bus::Usb);
    let iso = machine.customize(&machine.answers(""));
    let mut vm = machine.start(&machine.with_medium(&iso, Bus::Cdrom));
    machine.wait(&mut vm, &["Install the profile"], LIMIT);
    machine.wait(&mut vm, &["20 %", "30 %"], LIMIT);
    vm.qmp("device_del", &json!({ "id": "disk0-stick" })).unwrap();
    machine.wait(&mut vm, &["cairn-install: failed: "], LIMIT);
}

/// A BIOS that starts from the medium first: the restart after the installation leads into the new system.
#[test]
fn matrix_medium_stays_in_the_machine() {
    medium_stays("stays", Firmware::Bios);
}

/// The same with UEFI, where the medium's boot loader hands over to the new system's.
#[test]
fn matrix_medium_stays_in_the_machine_uefi() {
    medium_stays("stays-uefi", Firmware::UefiSecureBoot);
}

fn medium_stays(name: &'static str, firmware: Firmware) {
    let lab = Lab::open();
    let mut machine = Machine::new(&lab, name, firmware, Bus::VirtioBlk);
    let more = "[storage]\ndisk = { serial = \"disk1\" }\n[finish]\naction = \"reboot\"\n";
    let iso = machine.customize(&machine.answers(more));
    let (bus, access) = (Bus::Cdrom, DiskAccess::ReadOnly);
    machine.spec.disks.insert(0, Disk { path: iso, format: DiskFormat::Raw, bus, access });
    machine.spec.on_reboot = OnReboot::Restart;
    let mut vm = machine.start(&machine.spec);
    machine.wait(&mut vm, &["cairn-install: complete"], LIMIT);
    let outcome = machine.wait(&mut vm, &["login:", "Installing with"], LIMIT);
    assert_eq!(outcome, 0, "{}", vm.console_text());
    let ssh = Ssh::new(&lab.tools, &machine.key, "admin", machine.port);
    ssh.wait_until_reachable(5 * MINUTE).unwrap();
    inspect(&ssh, "ext4");
    power_off(vm, &ssh);
}
