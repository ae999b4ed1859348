// SPDX-License-Identifier: MIT OR Apache-2.0
//! Commands on a system in a directory: command line in, text out.

use cairn_host::Root;
use cairn_ui::{Printer, Verbosity};
use clap::{CommandFactory, Parser};
use expect_test::{Expect, expect};

use crate::arguments::Arguments;
use crate::commands;

struct Machine {
    directory: tempfile::TempDir,
    root: Root,
}

impl Machine {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let root = Root::open(directory.path()).unwrap();
        for path in [
            "boot/efi",
            "etc/kernel",
            "usr/lib/shim",
            "usr/lib/grub/x86_64-efi-signed",
            "usr/lib/modules/6.1",
        ] {
            root.mkdir_all(path, 0o755).unwrap();
        }
        for (path, text) in [
            ("etc/os-release", "ID=cairn\nNAME=\"Cairn Linux\"\n"),
            ("etc/kernel/cmdline", "# comment\nroot=LABEL=cairn-root ro\n  quiet\n"),
            ("usr/lib/shim/shimx64.efi.signed", "shim"),
            ("usr/lib/shim/mmx64.efi.signed", "mm"),
            ("usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed", "grub"),
            ("usr/lib/modules/6.1/vmlinuz", "kernel"),
            ("usr/lib/modules/6.1/initrd", "initrd"),
        ] {
            root.write(path, text.as_bytes(), 0o644).unwrap();
        }
        Self { directory, root }
    }

    fn run(&self, line: &str) -> String {
        let root = self.directory.path().to_str().unwrap();
        let words = ["cairn-boot", "--root", root].into_iter().chain(line.split_whitespace());
        let arguments = Arguments::try_parse_from(words).unwrap();
        let (printer, captured) = Printer::captured(Verbosity::Normal, None);
        let code = match commands::run(&arguments, &printer) {
            Ok(code) => code,
            Err(failure) => {
                printer.error(&failure.problem);
                1
            }
        };
        format!("{}{}exit {code}\n", captured.out(), captured.err()).replace(root, "")
    }

    fn check(&self, line: &str, expected: Expect) {
        expected.assert_eq(&self.run(line));
    }
}

#[test]
fn a_system_is_installed_updated_and_checked() {
    let machine = Machine::new();
    machine.check(
        "install --boot-uuid 1234",
        expect![[r#"
               Wrote EFI/BOOT/grubx64.efi
               Wrote EFI/debian/grubx64.efi
               Wrote EFI/BOOT/mmx64.efi
               Wrote EFI/debian/mmx64.efi
               Wrote EFI/BOOT/BOOTX64.EFI
               Wrote EFI/debian/shimx64.efi
        exit 0
    "#]],
    );
    machine.check(
        "verify",
        expect![[r#"
        error: this system may not boot
          there is no boot entry
        hint: `cairn-boot update` repairs snippets, environment block and boot loaders
        hint: `kernel-install add VERSION IMAGE INITRD` copies a kernel again
        exit 1
    "#]],
    );
    machine.check(
        "add 6.1 /usr/lib/modules/6.1/vmlinuz /usr/lib/modules/6.1/initrd",
        expect![[r#"
                   Added cairn-6.1: default
            exit 0
        "#]],
    );
    machine.check(
        "add 6.2 /usr/lib/modules/6.1/vmlinuz",
        expect![[r#"
               Added cairn-6.2: on trial (3 tries left)
        exit 0
    "#]],
    );
    machine.check(
        "list",
        expect![[r#"
        version  state                    options
        6.2      on trial (3 tries left)  root=LABEL=cairn-root ro quiet
        6.1      default                  root=LABEL=cairn-root ro quiet
        exit 0
    "#]],
    );
    machine.check("list --json", expect![[r#"
        [{"id":"cairn-6.2","initrd":[],"linux":"/cairn/6.2/linux","options":"root=LABEL=cairn-root ro quiet","running":false,"state":"on-trial","title":"Cairn Linux (6.2)","tries_left":3,"version":"6.2"},{"id":"cairn-6.1","initrd":["/cairn/6.1/initrd"],"linux":"/cairn/6.1/linux","options":"root=LABEL=cairn-root ro quiet","running":false,"state":"default","title":"Cairn Linux (6.1)","tries_left":null,"version":"6.1"}]
        exit 0
    "#]]);
    machine.check(
        "status",
        expect![[r#"
        on trial  cairn-6.2 (3 tries left)
        default   cairn-6.1
        exit 0
    "#]],
    );
    machine.check(
        "bless 6.2",
        expect![[r#"
             Blessed cairn-6.2
        exit 0
    "#]],
    );
    machine.check(
        "set-next 6.1",
        expect![[r#"
           Next boot cairn-6.1
        exit 0
    "#]],
    );
    machine.check(
        "status",
        expect![[r#"
        next boot  cairn-6.1
        default    cairn-6.2
        ready      cairn-6.1
        exit 0
    "#]],
    );
    machine.check(
        "verify",
        expect![[r#"
            Verified 2 boot entries
        exit 0
    "#]],
    );
}

#[test]
fn damage_is_found_and_repaired() {
    let machine = Machine::new();
    for line in
        ["install", "add 6.1 /usr/lib/modules/6.1/vmlinuz", "add 6.2 /usr/lib/modules/6.1/vmlinuz"]
    {
        assert!(machine.run(line).ends_with("exit 0\n"));
    }
    machine.root.write("usr/lib/shim/shimx64.efi.signed", b"new shim", 0o644).unwrap();
    machine.root.write("boot/efi/EFI/debian/grubenv", b"damaged", 0o644).unwrap();
    machine.check(
        "verify",
        expect![[r#"
        error: this system may not boot
          GRUB environment block is damaged: expected 1024 bytes, found 7
          `ESP:/EFI/BOOT/BOOTX64.EFI` is missing or differs from the installed package
          `ESP:/EFI/debian/shimx64.efi` is missing or differs from the installed package
        hint: `cairn-boot update` repairs snippets, environment block and boot loaders
        hint: `kernel-install add VERSION IMAGE INITRD` copies a kernel again
        exit 1
    "#]],
    );
    machine.check(
        "update",
        expect![[r#"
            Repaired GRUB environment block
           Refreshed EFI/BOOT/BOOTX64.EFI
           Refreshed EFI/debian/shimx64.efi
        exit 0
    "#]],
    );
    machine.check(
        "remove 6.2",
        expect![[r#"
             Removed cairn-6.2
        exit 0
    "#]],
    );
    machine.check(
        "remove 6.1",
        expect![[r#"
        error: `cairn-6.1` is the only boot entry
        hint: add another kernel first: without an entry the machine cannot boot
        exit 1
    "#]],
    );
    machine.check(
        "verify",
        expect![[r#"
            Verified 1 boot entry
        exit 0
    "#]],
    );
}

#[test]
fn refusals() {
    let machine = Machine::new();
    machine.check(
        "add 6.1 /nowhere",
        expect![[r#"
        error: cannot open `/nowhere`: No such file or directory (os error 2)
        exit 1
    "#]],
    );
    machine.check("add ../6.1 /usr/lib/modules/6.1/vmlinuz", expect![[r#"
        error: invalid kernel version `../6.1` (expected letters, digits and `._+~-`, not beginning with a dot or a dash)
        exit 1
    "#]]);
    machine.check(
        "remove 6.1",
        expect![[r#"
        error: no boot entry for `6.1`
        hint: `cairn-boot list` shows what there is
        exit 1
    "#]],
    );
    machine.check(
        "bless",
        expect![[r#"
        error: no kernel of this directory is running
        hint: name the version: `cairn-boot bless VERSION`
        exit 1
    "#]],
    );
    machine.root.remove_file("etc/kernel/cmdline").unwrap();
    machine.check("add 6.1 /usr/lib/modules/6.1/vmlinuz", expect![[r#"
        error: `/etc/kernel/cmdline` does not exist
        hint: write the kernel command line (`root=UUID=… ro`) to that file, or give it with `--options`
        exit 1
    "#]]);
    machine.root.remove_all("boot/efi").unwrap();
    machine.check(
        "list",
        expect![[r#"
        error: `/boot/efi` does not exist
        hint: mount the EFI system partition there, or name its directory with `--esp`
        exit 1
    "#]],
    );
}

#[test]
fn command_line_is_consistent() {
    Arguments::command().debug_assert();
}
