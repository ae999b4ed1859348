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

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use cairn::compose::WorkDirectory;
use cairn::ops::iso::{Customization, customize_with};
use cairn::vm::{
    Accel, Bus, Disk, DiskAccess, DiskFormat, Firmware, Forward, OnReboot, Reach, Ssh, Vm, VmSpec,
    free_port, generate_key,
};
use lab::{Lab, MINUTE};
use serde_json::json;

/// The longest an installation may take on a loaded machine without KVM.
const LIMIT: Duration = Duration::from_secs(40 * 60);
/// What the console shows when something else happens than expected.
const ACCIDENTS: [&str; 3] = ["emergency mode", "Kernel panic", "grub>"];

/// A machine under test.
struct Machine<'a> {
    lab: &'a Lab,
    name: &'static str,
    work: WorkDirectory,
    key: PathBuf,
    public: String,
    spec: VmSpec,
    port: u16,
}

impl<'a> Machine<'a> {
    /// A machine with an empty disk of 8 GiB and 1 GiB of memory.
    fn new(lab: &'a Lab, name: &'static str, firmware: Firmware, bus: Bus) -> Self {
        let work = WorkDirectory::create(&lab.ctx, &format!("test-{name}")).unwrap();
        let keys = work.path.join("keys");
        std::fs::create_dir_all(&keys).unwrap();
        let (key, public) = generate_key(&lab.tools, &keys).unwrap();
        let disk = work.path.join("disk.raw");
        std::fs::File::create(&disk).unwrap().set_len(8 << 30).unwrap();
        let mut spec = VmSpec::of_image(&disk, DiskFormat::Raw, work.path.join("machine"));
        spec.disks[0].bus = bus;
        spec.disks[0].access = DiskAccess::Write;
        spec.firmware = firmware;
        spec.accel = Accel::Auto;
        spec.on_reboot = OnReboot::Exit;
        spec.reach = Reach::Isolated;
        let port = free_port().unwrap();
        spec.forwards.push(Forward { host_port: port, guest_port: 22 });
        Self { lab, name, work, key, public, spec, port }
    }

    fn iso(&self) -> PathBuf {
        self.lab.out.join("cairn-linux-0.1-x86_64.iso")
    }

    /// Answers for this machine; `more` replaces the tables after `[[user]]`.
    fn answers(&self, more: &str) -> String {
        format!(
            "version = 1\n[system]\nhostname = \"srv-01\"\ntimezone = \"Europe/Berlin\"\n[[user]]\nname = \"admin\"\n\
             ssh_authorized_keys = [\"{}\"]\nsudo = \"nopasswd\"\n{more}",
            self.public
        )
    }

    /// Puts answers onto a copy of the medium.
    fn customize(&self, answers: &str) -> PathBuf {
        let file = self.work.path.join("answers.toml");
        std::fs::write(&file, answers).unwrap();
        let output = self.work.path.join("install.iso");
        let wanted = Customization {
            input: self.iso(),
            answers: file,
            // A loaded host may need minutes to show the guest its CD.
            kernel_args: ["no_timer_check", "systemd.default_device_timeout_sec=600"]
                .map(str::to_owned)
                .into(),
            output: output.clone(),
        };
        let date = self.lab.upstream.lock.source_date;
        customize_with(&self.lab.ctx, &self.lab.tools, date, &wanted).unwrap();
        output
    }

    fn with_medium(&self, iso: &Path, bus: Bus) -> VmSpec {
        let mut spec = self.spec.clone();
        let access = DiskAccess::ReadOnly;
        spec.disks.push(Disk { path: iso.to_owned(), format: DiskFormat::Raw, bus, access });
        spec
    }

    fn start(&self, spec: &VmSpec) -> Vm {
        Vm::start(spec, &self.lab.tools).unwrap()
    }

    /// Waits for one of `wanted` (returns which) or an accident.
    fn wait(&self, vm: &mut Vm, wanted: &[&str], limit: Duration) -> usize {
        let markers: Vec<&str> = wanted.iter().copied().chain(ACCIDENTS).collect();
        match vm.wait_for_any(&markers, limit) {
            Ok(index) if index < wanted.len() => index,
            other => panic!("{}: {other:?}\n{}", self.name, vm.console_text()),
        }
    }

    /// Installs from a medium that needs no keys; the machine switches itself off.
    fn install(&self, spec: &VmSpec) {
        let start = Instant::now();
        let mut vm = self.start(spec);
        self.wait(&mut vm, &["Installing with"], LIMIT);
        let begin = start.elapsed();
        match self.wait(&mut vm, &["cairn-install: complete", "cairn-install: failed"], LIMIT) {
            0 => {}
            _ => panic!("{}\n{}", self.name, vm.console_text()),
        }
        println!(
            "{}: installer after {:.0} s, complete after {:.0} s more",
            self.name,
            begin.as_secs_f32(),
            (start.elapsed() - begin).as_secs_f32()
        );
        vm.wait_for_end(5 * MINUTE).unwrap();
    }

    /// What the installer says when it fails.
    fn failure(&self, spec: &VmSpec) -> String {
        let mut vm = self.start(spec);
        self.wait(&mut vm, &["cairn-install: failed: "], LIMIT);
        vm.wait_for("\n", MINUTE).unwrap();
        let text = vm.console_text();
        let line = text.lines().rev().find(|line| line.contains("cairn-install: failed: "));
        line.unwrap().trim().to_owned()
    }

    /// Starts the installed system and logs in.
    fn boot(&self, spec: &VmSpec) -> (Vm, Ssh) {
        let start = Instant::now();
        let mut vm = self.start(spec);
        self.wait(&mut vm, &["login:"], 10 * MINUTE);
        let ssh = Ssh::new(&self.lab.tools, &self.key, "admin", self.port);
        ssh.wait_until_reachable(5 * MINUTE)
            .unwrap_or_else(|error| panic!("{}: {error}\n{}", self.name, vm.console_text()));
        println!("{}: logged in after {:.0} s", self.name, start.elapsed().as_secs_f32());
        (vm, ssh)
    }

    /// The disk's digest, without holes being read from the host's disk twice.
    fn digest(path: &Path) -> String {
        cairn::digest::sha256_file(path).unwrap()
    }
}

fn check(ssh: &Ssh, command: &str) -> String {
    ssh.check(command, 10 * MINUTE).unwrap_or_else(|error| panic!("{command}: {error}"))
}

/// What must be true of every installed system.
fn inspect(ssh: &Ssh, filesystem: &str) {
    let state = ssh.run("systemctl is-system-running --wait", 10 * MINUTE).unwrap();
    let failed = ssh.run("systemctl --failed --no-legend --plain", MINUTE).unwrap().stdout_text();
    assert_eq!(state.stdout_text().trim(), "running", "{failed}");
    assert_eq!(check(ssh, "hostname").trim(), "srv-01");
    assert_eq!(check(ssh, "findmnt -no FSTYPE /").trim(), filesystem);
    assert_eq!(check(ssh, "date +%Z").trim(), check(ssh, "TZ=Europe/Berlin date +%Z").trim());
    assert_eq!(check(ssh, "readlink /etc/localtime").trim(), "../usr/share/zoneinfo/Europe/Berlin");
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

/// The medium is the repository.
fn install_from_medium(ssh: &Ssh) {
    check(ssh, "sudo dnf -y install nginx postgresql-server postgresql");
    check(ssh, "sudo systemctl start nginx && curl -fsS http://127.0.0.1/ >/dev/null");
    check(ssh, "sudo postgresql-setup --initdb && sudo systemctl start postgresql");
    let answer = check(ssh, "sudo -u postgres psql -Atc 'select 6 * 7'");
    assert_eq!(answer.trim(), "42");
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
    power_off(vm, &ssh);
}

#[test]
fn secure_boot_nvme_lvm_xfs() {
    let lab = Lab::open();
    let machine = Machine::new(&lab, "secure-boot", Firmware::UefiSecureBoot, Bus::Nvme);
    let storage =
        "[storage]\ndisk = { serial = \"disk0\" }\nlayout = \"lvm\"\nfilesystem = \"xfs\"\n";
    let iso = machine.customize(&machine.answers(storage));
    let spec = machine.with_medium(&iso, Bus::Cdrom);
    machine.install(&spec);
    let (vm, ssh) = machine.boot(&spec);
    inspect(&ssh, "xfs");
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

/// Installs and boots on one more kind of machine.
fn round_trip(machine: &Machine<'_>, medium: Bus) {
    let iso = machine.customize(&machine.answers("[storage]\ndisk = { serial = \"disk0\" }\n"));
    let spec = machine.with_medium(&iso, medium);
    machine.install(&spec);
    let (vm, ssh) = machine.boot(&machine.spec);
    inspect(&ssh, "ext4");
    power_off(vm, &ssh);
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

#[test]
fn matrix_vmware() {
    let lab = Lab::open();
    let mut machine = Machine::new(&lab, "vmware", Firmware::Uefi, Bus::VmwarePvscsi);
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
fn matrix_keys_over_the_serial_line() {
    let lab = Lab::open();
    let machine = Machine::new(&lab, "keys", Firmware::Bios, Bus::VirtioBlk);
    let spec = machine.with_medium(&machine.iso(), Bus::Cdrom);
    let mut vm = machine.start(&spec);
    for (question, answer) in [
        ("Press Enter to begin.", ""),
        ("Disk [1]:", ""),
        ("Layout [1]:", ""),
        ("Administrator [admin]:", ""),
        ("SSH public key", machine.public.as_str()),
        ("Host name [cairn]:", "srv-01"),
        ("Profile [default]:", ""),
        ("Roles, separated by spaces [none]:", ""),
        ("Type yes to ERASE", "yes"),
    ] {
        machine.wait(&mut vm, &[question], LIMIT);
        vm.send(&format!("{answer}\n")).unwrap();
    }
    machine.wait(&mut vm, &["cairn-install: complete"], LIMIT);
    vm.wait_for_end(5 * MINUTE).unwrap();
    drop(vm);
    let (vm, ssh) = machine.boot(&machine.spec);
    assert_eq!(check(&ssh, "hostname").trim(), "srv-01");
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

/// One flipped byte in one package that will be installed: it is named, and the disk stays untouched.
#[test]
fn matrix_flipped_byte() {
    let lab = Lab::open();
    let machine = Machine::new(&lab, "flipped", Firmware::Bios, Bus::VirtioBlk);
    let iso = machine.customize(&machine.answers(""));
    let package = std::fs::read_dir(lab.out.join("repo/packages"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.file_name().unwrap().to_string_lossy().starts_with("systemd-2"))
        .unwrap();
    let bytes = std::fs::read(&package).unwrap();
    let mut image = std::fs::read(&iso).unwrap();
    let needle = &bytes[bytes.len() / 2..bytes.len() / 2 + 64];
    let offset = image.windows(64).position(|window| window == needle).unwrap();
    image[offset] ^= 1;
    std::fs::write(&iso, image).unwrap();
    let line = machine.failure(&machine.with_medium(&iso, Bus::Cdrom));
    assert!(line.contains("systemd-2") && line.contains("is damaged"), "{line}");
    let disk = std::fs::File::open(&machine.spec.disks[0].path).unwrap();
    assert_eq!(
        std::os::unix::fs::MetadataExt::blocks(&disk.metadata().unwrap()),
        0,
        "the disk was written"
    );
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
    machine.install(&spec);
    let (vm, ssh) = machine.boot(&machine.spec);
    inspect(&ssh, "ext4");
    power_off(vm, &ssh);
}
