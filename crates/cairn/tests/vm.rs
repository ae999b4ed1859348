// SPDX-License-Identifier: MIT OR Apache-2.0
//! The VM driver against real QEMU, with guests of a few instructions and a GRUB rescue image.
//!
//! Needs the tools tree of the tests and `out/`: `cargo xtask vm` makes both and runs this.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

#[expect(dead_code, reason = "shared with the tests of disk images")]
mod lab;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cairn::vm::arguments::Engine;
use cairn::vm::{
    Accel, Bus, DiskAccess, DiskFormat, Firmware, Ssh, Vm, VmError, VmSpec, free_port,
    generate_key, kvm_works, trial_guest_runs, write_seed,
};
use cairn_host::{Invocation, Sandbox, Tool};

const LIMIT: Duration = Duration::from_mins(2);

fn tools() -> Sandbox {
    lab::Lab::open().tools
}

/// A boot sector that writes `text` to the first serial port, echoes one byte it receives, and then does `end`.
fn boot_sector(dir: &Path, text: &str, end: &[u8]) -> PathBuf {
    let mut code = vec![
        0xbe, 0x40, 0x7c, // mov si, 0x7c40
        0xba, 0xf8, 0x03, // mov dx, 0x3f8
        0xac, // lodsb
        0x84, 0xc0, // test al, al
        0x74, 0x03, // jz +3
        0xee, // out dx, al
        0xeb, 0xf8, // jmp to lodsb
        0xba, 0xfd, 0x03, // mov dx, 0x3fd
        0xec, // in al, dx
        0xa8, 0x01, // test al, 1
        0x74, 0xfb, // jz to in
        0xba, 0xf8, 0x03, // mov dx, 0x3f8
        0xec, // in al, dx
        0xee, // out dx, al
    ];
    code.extend(end);
    // SeaBIOS does not read disks much smaller than 1 MiB.
    let mut sector = vec![0; 1 << 20];
    sector[..code.len()].copy_from_slice(&code);
    sector[0x40..0x40 + text.len()].copy_from_slice(text.as_bytes());
    sector[510..512].copy_from_slice(&[0x55, 0xaa]);
    let path = dir.join("sector.img");
    fs::write(&path, sector).unwrap();
    path
}

fn spec(image: PathBuf, dir: &Path) -> VmSpec {
    let mut spec = VmSpec::of_image(image, DiskFormat::Raw, dir.join("vm"));
    spec.accel = Accel::Tcg;
    spec.memory_mib = 128;
    spec.firmware = Firmware::Bios;
    spec
}

/// Reboot through the keyboard controller.
const RESET: [u8; 4] = [0xb0, 0xfe, 0xe6, 0x64];
/// Halt for ever.
const HALT: [u8; 4] = [0xfa, 0xf4, 0xeb, 0xfd];

#[test]
fn console_in_both_directions_then_the_plug() {
    let tools = tools();
    for bus in [Bus::VirtioBlk, Bus::Nvme, Bus::Sata, Bus::Ide, Bus::VirtioScsi, Bus::Usb] {
        let dir = tempfile::tempdir().unwrap();
        let mut spec =
            spec(boot_sector(dir.path(), "hello \x1b[1mfrom\x1b[0m ring 0\r\n", &HALT), dir.path());
        spec.disks[0].bus = bus;
        let mut vm = Vm::start(&spec, &tools).unwrap();
        vm.wait_for("hello from ring 0\n", LIMIT)
            .unwrap_or_else(|error| panic!("{bus:?}: {error} {:?}", error.hint()));
        vm.send("Z").unwrap();
        vm.wait_for("Z", LIMIT).unwrap();
        assert_eq!(vm.engine(), Engine::Tcg);
        assert!(vm.is_running().unwrap());
        let error = vm.wait_for("never", Duration::from_millis(100)).unwrap_err();
        assert!(
            error.to_string().starts_with("expected `never` on the console within 0 seconds"),
            "{error}"
        );
        vm.kill().unwrap();
        assert!(fs::read_to_string(spec.serial_log).unwrap().contains("\x1b[1mfrom"));
    }
}

#[test]
fn death_and_reboot_are_reported() {
    let tools = tools();
    let dir = tempfile::tempdir().unwrap();
    let mut machine = spec(boot_sector(dir.path(), "up\n", &RESET), dir.path());
    machine.on_reboot = cairn::vm::OnReboot::Exit;
    let mut vm = Vm::start(&machine, &tools).unwrap();
    vm.wait_for("up\n", LIMIT).unwrap();
    vm.send("x").unwrap();
    assert_eq!(vm.wait_for_end(LIMIT).unwrap(), 0);
    let error = vm.wait_for("more", LIMIT).unwrap_err();
    assert!(matches!(error, VmError::GuestDied { status: 0, .. }), "{error}");

    machine.extra_arguments = vec!["-device".to_owned(), "no-such-device".to_owned()];
    let error = Vm::start(&machine, &tools).unwrap().wait_for("up", LIMIT).unwrap_err().to_string();
    assert!(
        error.starts_with("the guest ended (status 1) before `up` on the console: "),
        "{error}"
    );
    assert!(error.contains("no-such-device"), "{error}");
}

/// An ISO that starts under BIOS and UEFI, with GRUB on the serial console.
fn rescue_iso(tools: &Sandbox, dir: &Path) -> PathBuf {
    // Under UEFI the firmware's own console reads the serial line too and would take
    // keys from GRUB's driver: there the keys come through the firmware.
    let config = "serial --unit=0\n\
                  if [ $grub_platform = pc ]; then terminal_input serial; fi\n\
                  terminal_output serial\nset timeout=0\n\
                  echo grub is up on $grub_platform\nread answer\necho got $answer\nhalt\n";
    fs::create_dir_all(dir.join("iso/boot/grub")).unwrap();
    fs::write(dir.join("iso/boot/grub/grub.cfg"), config).unwrap();
    let iso = dir.join("rescue.iso");
    fs::write(&iso, "").unwrap();
    let make = Invocation::new(Tool::GrubMkrescue).args(["-o", "/rescue.iso", "/in"]);
    tools
        .clone()
        .bind_read_only(dir.join("iso"), "/in")
        .bind(&iso, "/rescue.iso")
        .run(&make)
        .unwrap();
    iso
}

#[test]
fn grub_under_each_firmware() {
    let tools = tools();
    let dir = tempfile::tempdir().unwrap();
    let iso = rescue_iso(&tools, dir.path());
    for (firmware, bus, platform) in
        [(Firmware::Bios, Bus::Cdrom, "pc"), (Firmware::Uefi, Bus::VirtioBlk, "efi")]
    {
        let mut spec = spec(iso.clone(), dir.path());
        spec.work_dir = dir.path().join(format!("{platform}-{}", "long-name".repeat(12)));
        spec.firmware = firmware;
        spec.memory_mib = 256;
        spec.disks[0].bus = bus;
        spec.disks[0].access = DiskAccess::ReadOnly;
        let mut vm = Vm::start(&spec, &tools).unwrap();
        vm.wait_for(&format!("grub is up on {platform}"), LIMIT).unwrap();
        let picture = dir.path().join("screen.png");
        vm.screenshot(&picture).unwrap();
        assert!(fs::read(&picture).unwrap().starts_with(b"\x89PNG"));
        vm.send("42\r").unwrap();
        vm.wait_for("got 42", LIMIT).unwrap();
        assert_eq!(vm.wait_for_end(LIMIT).unwrap(), 0);
    }
}

#[test]
fn secure_boot_refuses_an_unsigned_loader() {
    let tools = tools();
    let dir = tempfile::tempdir().unwrap();
    let iso = rescue_iso(&tools, dir.path());
    let mut spec = spec(iso, dir.path());
    spec.firmware = Firmware::UefiSecureBoot;
    spec.memory_mib = 256;
    spec.disks[0].bus = Bus::Cdrom;
    let mut vm = Vm::start(&spec, &tools).unwrap();
    let found = vm.wait_for_any(&["Access Denied", "grub is up"], LIMIT).unwrap();
    assert_eq!(found, 0, "{}", vm.console_text());
    vm.quit().unwrap();
}

#[test]
fn the_trial_guest_says_whether_an_accelerator_works() {
    let tools = tools();
    let dir = tempfile::tempdir().unwrap();
    assert!(trial_guest_runs(&tools, dir.path(), Engine::Tcg).unwrap());
    println!("KVM works: {}", kvm_works(&tools, dir.path()));
}

#[test]
fn seeds_are_reproducible_and_keys_are_private() {
    use std::os::unix::fs::PermissionsExt as _;
    let tools = tools();
    let dir = tempfile::tempdir().unwrap();
    let files: BTreeMap<String, Vec<u8>> =
        [("user-data", "#cloud-config\n"), ("meta-data", "instance-id: i-1\n")]
            .map(|(name, text)| (name.to_owned(), text.into()))
            .into();
    for name in ["one", "two"] {
        write_seed(&tools, &files, &dir.path().join(format!("{name}.d")), &dir.path().join(name))
            .unwrap();
    }
    let image = fs::read(dir.path().join("one")).unwrap();
    assert_eq!(&image[32768 + 40..32768 + 46], b"cidata");
    assert!(
        image == fs::read(dir.path().join("two")).unwrap(),
        "two images of the same files differ"
    );
    let (key, public) = generate_key(&tools, &dir.path().join("keys")).unwrap();
    assert_eq!(fs::metadata(key).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(public.starts_with("ssh-ed25519 ") && public.ends_with(" cairn-vm"), "{public}");
    let nobody_listens = free_port().unwrap();
    let output = Ssh::new(&tools, dir.path().join("keys/key"), "root", nobody_listens)
        .run("true", LIMIT)
        .unwrap();
    assert_eq!(output.status, 255);
    assert!(output.stderr_text().contains("Connection refused"), "{}", output.stderr_text());
}
