// SPDX-License-Identifier: MIT OR Apache-2.0
//! The pure part: from a [`VmSpec`] to QEMU's arguments and to the places of its files in the sandbox.

use super::{Bus, DiskAccess, DiskFormat, Firmware, OnReboot, Reach, VmSpec};

/// Where the machine's work directory appears in the sandbox.
pub const WORK_DIR: &str = "/vm";
/// Where Debian's `ovmf` package keeps the firmware.
pub const OVMF_DIR: &str = "/usr/share/OVMF";

/// The accelerator after [`Accel::Auto`](super::Accel::Auto) was decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// KVM.
    Kvm,
    /// TCG.
    Tcg,
}

/// Returns (code, variables) file names of the firmware below [`OVMF_DIR`], `None` for BIOS.
pub fn firmware_files(firmware: Firmware) -> Option<(&'static str, &'static str)> {
    match firmware {
        Firmware::Bios => None,
        Firmware::Uefi => Some(("OVMF_CODE_4M.fd", "OVMF_VARS_4M.fd")),
        Firmware::UefiSecureBoot => Some(("OVMF_CODE_4M.secboot.fd", "OVMF_VARS_4M.ms.fd")),
    }
}

/// Returns where disk number `index` appears in the sandbox.
pub fn disk_path(index: usize) -> String {
    format!("/disks/{index}")
}

/// Returns where the seed appears in the sandbox.
pub const SEED_PATH: &str = "/disks/seed";

/// Returns the name of credential number `index` in the work directory.
pub fn credential_file(index: usize) -> String {
    format!("credential-{index}")
}

/// Returns all arguments of QEMU. Serial console on standard input and output, QMP on `WORK_DIR/qmp`.
pub fn arguments(spec: &VmSpec, engine: Engine) -> Vec<String> {
    let mut list = Arguments(Vec::new());
    list.add_machine(spec, engine);
    list.add_firmware(spec.firmware);
    list.add_devices();
    for (index, disk) in spec.disks.iter().enumerate() {
        let drive = Drive {
            id: format!("disk{index}"),
            path: disk_path(index),
            format: disk.format,
            access: disk.access,
        };
        list.add_disk(&drive, disk.bus, Some(index + 1));
    }
    if spec.seed.is_some() {
        let drive = Drive {
            id: "seed".to_owned(),
            path: SEED_PATH.to_owned(),
            format: DiskFormat::Raw,
            access: DiskAccess::ReadOnly,
        };
        list.add_disk(&drive, Bus::VirtioBlk, None);
    }
    list.add_network(spec);
    for index in 0..spec.credentials.len() {
        list.pair("-smbios", format!("type=11,path={WORK_DIR}/{}", credential_file(index)));
    }
    if spec.on_reboot == OnReboot::Exit {
        list.one("-no-reboot");
    }
    list.0.extend(spec.extra_arguments.iter().cloned());
    list.0
}

/// Only the older of QEMU's PCs has IDE.
fn has_ide(spec: &VmSpec) -> bool {
    spec.disks.iter().any(|disk| disk.bus == Bus::Ide)
}

struct Arguments(Vec<String>);

struct Drive {
    id: String,
    path: String,
    format: DiskFormat,
    access: DiskAccess,
}

impl Arguments {
    fn one(&mut self, argument: &str) {
        self.0.push(argument.to_owned());
    }

    fn pair(&mut self, name: &str, value: impl Into<String>) {
        self.0.extend([name.to_owned(), value.into()]);
    }

    fn add_machine(&mut self, spec: &VmSpec, engine: Engine) {
        self.pair("-name", "cairn");
        self.one("-nodefaults");
        self.one("-no-user-config");
        let smm = if spec.firmware == Firmware::UefiSecureBoot { "on" } else { "off" };
        let (accel, cpus) = match engine {
            Engine::Kvm => ("kvm", spec.cpus.max(1)),
            // One thread for all processors would only make each of them slower.
            Engine::Tcg => ("tcg", 1),
        };
        let machine = if has_ide(spec) { "pc" } else { "q35" };
        self.pair("-machine", format!("{machine},accel={accel},smm={smm}"));
        self.pair("-cpu", "max");
        self.pair("-smp", cpus.to_string());
        self.pair("-m", format!("{}M", spec.memory_mib));
        self.pair("-display", "none");
        self.pair("-rtc", "base=utc");
    }

    fn add_firmware(&mut self, firmware: Firmware) {
        let Some((code, _)) = firmware_files(firmware) else { return };
        if firmware == Firmware::UefiSecureBoot {
            self.pair("-global", "driver=cfi.pflash01,property=secure,value=on");
            self.pair("-global", "ICH9-LPC.disable_s3=1");
        }
        self.pair(
            "-drive",
            format!("if=pflash,unit=0,format=raw,readonly=on,file={OVMF_DIR}/{code}"),
        );
        self.pair("-drive", format!("if=pflash,unit=1,format=raw,file={WORK_DIR}/vars.fd"));
    }

    fn add_devices(&mut self) {
        self.pair("-device", "VGA");
        self.pair("-device", "virtio-rng-pci");
        self.pair("-chardev", "stdio,id=console,signal=off");
        self.pair("-serial", "chardev:console");
        self.pair("-qmp", format!("unix:{WORK_DIR}/qmp,server=on,wait=off"));
    }

    fn add_disk(&mut self, drive: &Drive, bus: Bus, boot_index: Option<usize>) {
        let Drive { id, path, .. } = drive;
        let format = match drive.format {
            DiskFormat::Raw => "raw",
            DiskFormat::Qcow2 => "qcow2",
            DiskFormat::Vpc => "vpc",
            DiskFormat::Vhdx => "vhdx",
            DiskFormat::Vmdk => "vmdk",
        };
        let access = match drive.access {
            _ if bus == Bus::Cdrom => ",media=cdrom,readonly=on",
            DiskAccess::Write => ",discard=unmap",
            // Nobody needs what was written after a crash of the host.
            DiskAccess::Snapshot => ",snapshot=on,cache=unsafe",
            DiskAccess::ReadOnly => ",readonly=on",
        };
        self.pair("-drive", format!("if=none,id={id},file={path},format={format}{access}"));
        let boot = boot_index.map(|index| format!(",bootindex={index}")).unwrap_or_default();
        // Each port of the AHCI controller, and each cable of an IDE controller, is a bus: one drive on each is enough.
        let port = self.0.iter().filter(|argument| argument.starts_with("ide-")).count();
        let device = match bus {
            Bus::VirtioBlk => format!("virtio-blk-pci,drive={id},serial={id}{boot}"),
            Bus::Nvme => format!("nvme,drive={id},serial={id}{boot}"),
            Bus::Sata | Bus::Ide => format!("ide-hd,bus=ide.{port},drive={id},serial={id}{boot}"),
            Bus::Cdrom => format!("ide-cd,bus=ide.{port},drive={id}{boot}"),
            Bus::VirtioScsi => {
                self.pair("-device", format!("virtio-scsi-pci,id={id}-bus"));
                format!("scsi-hd,bus={id}-bus.0,drive={id},serial={id}{boot}")
            }
            Bus::VmwarePvscsi => {
                self.pair("-device", format!("pvscsi,id={id}-bus"));
                format!("scsi-hd,bus={id}-bus.0,drive={id},serial={id}{boot}")
            }
            Bus::Usb => {
                self.pair("-device", format!("qemu-xhci,id={id}-bus"));
                format!("usb-storage,id={id}-stick,bus={id}-bus.0,drive={id},serial={id}{boot}")
            }
        };
        self.pair("-device", device);
    }

    fn add_network(&mut self, spec: &VmSpec) {
        let restrict = match spec.reach {
            Reach::NoCard => return,
            Reach::Isolated => ",restrict=on",
            Reach::Open => "",
        };
        let forward = |forward: &super::Forward| {
            format!(",hostfwd=tcp:127.0.0.1:{}-:{}", forward.host_port, forward.guest_port)
        };
        let forwards: String = spec.forwards.iter().map(forward).collect::<Vec<_>>().concat();
        self.pair("-netdev", format!("user,id=net0{restrict}{forwards}"));
        // No option ROM: booting from the network is not wanted and its search takes long.
        self.pair("-device", "virtio-net-pci,netdev=net0,mac=52:54:00:ca:19:01,romfile=");
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use expect_test::expect;

    use super::super::{Accel, Credential, Disk, Forward};
    use super::*;

    fn lines(spec: &VmSpec, engine: Engine) -> String {
        arguments(spec, engine)
            .join("\n")
            .replace("\n-", "\n  -")
            .split("\n  ")
            .map(|line| line.replace('\n', " ") + "\n")
            .collect()
    }

    #[test]
    fn bios_machine_under_tcg() {
        let mut spec = VmSpec::of_image("/images/a,b.raw", DiskFormat::Raw, "/work");
        spec.firmware = Firmware::Bios;
        spec.reach = Reach::NoCard;
        expect![[r"
            -name cairn
            -nodefaults
            -no-user-config
            -machine q35,accel=tcg,smm=off
            -cpu max
            -smp 1
            -m 1024M
            -display none
            -rtc base=utc
            -device VGA
            -device virtio-rng-pci
            -chardev stdio,id=console,signal=off
            -serial chardev:console
            -qmp unix:/vm/qmp,server=on,wait=off
            -drive if=none,id=disk0,file=/disks/0,format=raw,snapshot=on,cache=unsafe
            -device virtio-blk-pci,drive=disk0,serial=disk0,bootindex=1
        "]]
        .assert_eq(&lines(&spec, Engine::Tcg));
    }

    #[test]
    fn everything_at_once_and_no_secret_in_it() {
        let mut spec = VmSpec::of_image("/i", DiskFormat::Qcow2, "/work");
        spec.firmware = Firmware::UefiSecureBoot;
        spec.accel = Accel::Kvm;
        spec.disks[0].bus = Bus::VirtioScsi;
        spec.disks.push(Disk {
            path: PathBuf::from("/iso"),
            format: DiskFormat::Raw,
            bus: Bus::Cdrom,
            access: DiskAccess::Write,
        });
        spec.seed = Some(PathBuf::from("/seed"));
        spec.forwards = vec![Forward { host_port: 2222, guest_port: 22 }];
        spec.credentials = vec![Credential {
            name: "passwd.hashed-password.root".to_owned(),
            value: b"geheim".to_vec(),
        }];
        spec.on_reboot = OnReboot::Exit;
        let text = lines(&spec, Engine::Kvm);
        expect![[r"
            -name cairn
            -nodefaults
            -no-user-config
            -machine q35,accel=kvm,smm=on
            -cpu max
            -smp 2
            -m 1024M
            -display none
            -rtc base=utc
            -global driver=cfi.pflash01,property=secure,value=on
            -global ICH9-LPC.disable_s3=1
            -drive if=pflash,unit=0,format=raw,readonly=on,file=/usr/share/OVMF/OVMF_CODE_4M.secboot.fd
            -drive if=pflash,unit=1,format=raw,file=/vm/vars.fd
            -device VGA
            -device virtio-rng-pci
            -chardev stdio,id=console,signal=off
            -serial chardev:console
            -qmp unix:/vm/qmp,server=on,wait=off
            -drive if=none,id=disk0,file=/disks/0,format=qcow2,snapshot=on,cache=unsafe
            -device virtio-scsi-pci,id=disk0-bus
            -device scsi-hd,bus=disk0-bus.0,drive=disk0,serial=disk0,bootindex=1
            -drive if=none,id=disk1,file=/disks/1,format=raw,media=cdrom,readonly=on
            -device ide-cd,bus=ide.0,drive=disk1,bootindex=2
            -drive if=none,id=seed,file=/disks/seed,format=raw,readonly=on
            -device virtio-blk-pci,drive=seed,serial=seed
            -netdev user,id=net0,restrict=on,hostfwd=tcp:127.0.0.1:2222-:22
            -device virtio-net-pci,netdev=net0,mac=52:54:00:ca:19:01,romfile=
            -smbios type=11,path=/vm/credential-0
            -no-reboot
        "]]
        .assert_eq(&text);
        assert!(!format!("{spec:?}").contains("geheim"));
    }
}
