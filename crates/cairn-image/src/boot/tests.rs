// SPDX-License-Identifier: MIT OR Apache-2.0
//! The life of boot entries, told step by step.

use cairn_host::Root;
use expect_test::{Expect, expect};

use super::*;

struct Machine {
    _directory: tempfile::TempDir,
    boot: Root,
    esp: Root,
    files: BootFiles,
}

impl Machine {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let boot = Root::create(directory.path().join("boot")).unwrap();
        let esp = Root::create(directory.path().join("esp")).unwrap();
        let files = BootFiles::new(boot.clone(), esp.clone());
        files.write_configuration(&GrubSettings::default()).unwrap();
        Self { _directory: directory, boot, esp, files }
    }

    fn add(&self, version: &str) {
        self.add_with(version, Trial::Required).unwrap();
    }

    fn add_with(&self, version: &str, trial: Trial) -> Result<BlsEntry, BootError> {
        self.files.add(&NewEntry {
            version,
            title: "Cairn Linux",
            options: "root=LABEL=cairn-root ro",
            kernel: format!("kernel {version}").as_bytes(),
            initrd: Some(b"initrd"),
            machine_id: None,
            trial,
        })
    }

    /// What GRUB does at a boot: counts down, and returns the entry it boots.
    fn boot(&self) -> String {
        let mut environment = self.files.environment().unwrap().unwrap();
        let saved = environment.get("saved_entry").unwrap().to_owned();
        let trial = environment.get("cairn_trial").map(str::to_owned);
        let tries: u32 = environment.get("cairn_tries").map_or(0, |text| text.parse().unwrap());
        let Some(trial) = trial.filter(|_| tries > 0) else { return saved };
        environment.set("cairn_tries", &(tries - 1).to_string());
        self.esp.write(ENVIRONMENT_PATH, &environment.to_bytes().unwrap(), 0o644).unwrap();
        trial
    }

    fn check(&self, expected: Expect) {
        let mut text = String::new();
        for EntryStatus { entry, state } in self.files.status().unwrap() {
            text += &format!("{} {state}\n", entry.id);
        }
        for problem in self.files.verify().unwrap() {
            text += &format!("problem: {problem}\n");
        }
        expected.assert_eq(&text);
    }
}

#[test]
fn a_new_kernel_that_works_is_blessed() {
    let machine = Machine::new();
    machine.add("6.12.9");
    machine.add("6.12.10");
    machine.check(expect![[r#"
        cairn-6.12.10 on trial (3 tries left)
        cairn-6.12.9 default
    "#]]);
    assert_eq!(machine.boot(), "cairn-6.12.10");
    machine.check(expect![[r#"
        cairn-6.12.10 on trial (2 tries left)
        cairn-6.12.9 default
    "#]]);
    assert!(machine.files.bless("6.12.10").unwrap());
    assert!(!machine.files.bless("6.12.10").unwrap());
    machine.check(expect![[r#"
        cairn-6.12.10 default
        cairn-6.12.9 ready
    "#]]);
    assert_eq!(machine.boot(), "cairn-6.12.10");
}

#[test]
fn a_new_kernel_that_fails_gives_way_after_three_tries() {
    let machine = Machine::new();
    machine.add("6.12.9");
    machine.add("6.12.10");
    let booted: Vec<String> = (0..5).map(|_| machine.boot()).collect();
    assert_eq!(
        booted,
        ["cairn-6.12.10", "cairn-6.12.10", "cairn-6.12.10", "cairn-6.12.9", "cairn-6.12.9"]
    );
    assert!(!machine.files.bless("6.12.9").unwrap());
    machine.check(expect![[r#"
        cairn-6.12.10 failed
        cairn-6.12.9 default
    "#]]);
    machine.add("6.12.11");
    machine.check(expect![[r#"
        cairn-6.12.11 on trial (3 tries left)
        cairn-6.12.10 ready
        cairn-6.12.9 default
    "#]]);
    machine.files.remove("6.12.11").unwrap();
    machine.files.remove("6.12.10").unwrap();
    machine.check(expect![[r#"
        cairn-6.12.9 default
    "#]]);
    let error = machine.files.remove("6.12.9").unwrap_err();
    assert_eq!(error.to_string(), "`cairn-6.12.9` is the only boot entry");
    assert!(matches!(machine.files.remove("6.12.10"), Err(BootError::UnknownEntry(_))));
}

#[test]
fn files_on_disk() {
    let machine = Machine::new();
    machine.add("6.12.9");
    machine.add("6.12.10+deb13-amd64");
    let mut text = String::new();
    for root in [&machine.boot, &machine.esp] {
        root.walk("", &mut |path, stat| {
            if stat.is_file() {
                text += &format!("{} {:o} {}\n", path.display(), stat.mode, stat.size);
            }
            Ok(())
        })
        .unwrap();
    }
    expect![[r#"
        cairn/6.12.10+deb13-amd64/SHA256SUMS 644 145
        cairn/6.12.10+deb13-amd64/initrd 644 6
        cairn/6.12.10+deb13-amd64/linux 644 26
        cairn/6.12.9/SHA256SUMS 644 145
        cairn/6.12.9/initrd 644 6
        cairn/6.12.9/linux 644 13
        loader/cairn/00-cairn-6.12.10+deb13-amd64.cfg 644 502
        loader/cairn/01-cairn-6.12.9.cfg 644 437
        loader/entries/cairn-6.12.10+deb13-amd64.conf 644 218
        loader/entries/cairn-6.12.9.conf 644 166
        EFI/debian/grub.cfg 644 2277
        EFI/debian/grubenv 644 1024
    "#]]
    .assert_eq(&text);
    expect![[r#"
        title      Cairn Linux (6.12.9)
        version    6.12.9
        sort-key   cairn
        linux      /cairn/6.12.9/linux
        initrd     /cairn/6.12.9/initrd
        options    root=LABEL=cairn-root ro
    "#]]
    .assert_eq(&machine.boot.read_to_string("loader/entries/cairn-6.12.9.conf").unwrap());
    expect![[r#"
        09e6c018d2c8c4903308613dd1b72484d57eadf12ec50ddc8f52e5accce470f2  initrd
        8c06ebc2d982863a29e16a4637cb0900797910aea44184b2bda8bb36086ae6ac  linux
    "#]]
    .assert_eq(&machine.boot.read_to_string("cairn/6.12.9/SHA256SUMS").unwrap());
}

#[test]
fn verify_names_what_is_wrong() {
    let machine = Machine::new();
    machine.check(expect![[r#"
        problem: there is no boot entry
    "#]]);
    machine.add("1");
    machine.add("2");
    machine.boot.write("cairn/1/linux", b"evil", 0o644).unwrap();
    machine.boot.remove_file("cairn/2/initrd").unwrap();
    machine.boot.write("loader/cairn/09-stray.cfg", b"", 0o644).unwrap();
    machine.boot.write("loader/entries/cairn-broken.conf", b"title x\n", 0o644).unwrap();
    machine.esp.remove_file(CONFIGURATION_PATH).unwrap();
    let problems: Vec<String> =
        machine.files.verify().unwrap().iter().map(ToString::to_string).collect();
    expect![[r#"
        `/loader/entries/cairn-broken.conf` has no `linux` line
        `/boot/cairn/2/initrd` is missing
        `/boot/cairn/1/linux` differs from the file that was added
        the GRUB snippets do not match the boot entries
        `ESP:/EFI/debian/grub.cfg` is missing"#]]
    .assert_eq(&problems.join("\n"));
    machine.boot.remove_file("loader/entries/cairn-broken.conf").unwrap();
    machine.esp.write(ENVIRONMENT_PATH, &[0; 1024], 0o644).unwrap();
    assert!(machine.files.update().unwrap());
    machine.check(expect![[r#"
        cairn-2 default
        cairn-1 ready
        problem: `/boot/cairn/2/initrd` is missing
        problem: `/boot/cairn/1/linux` differs from the file that was added
        problem: `ESP:/EFI/debian/grub.cfg` is missing
    "#]]);
}

#[test]
fn versions_and_options_are_checked_before_anything_is_written() {
    let machine = Machine::new();
    for version in ["", "../x", "a b", "-x", "6/1", ".hidden"] {
        assert!(
            matches!(machine.add_with(version, Trial::Required), Err(BootError::InvalidVersion(_))),
            "{version}"
        );
    }
    let error = machine
        .files
        .add(&NewEntry {
            version: "1",
            title: "t",
            options: "a=\\",
            kernel: b"",
            initrd: None,
            machine_id: None,
            trial: Trial::Skipped,
        })
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "kernel options hold '\\\\', which GRUB cannot pass on unchanged: `a=\\`"
    );
    assert!(machine.boot.read_dir("").unwrap().is_empty());
}

#[test]
fn next_boot_and_default_can_be_chosen() {
    let machine = Machine::new();
    machine.add("1");
    machine.add_with("2", Trial::Skipped).unwrap();
    machine.files.set_next("1").unwrap();
    assert_eq!(machine.files.environment().unwrap().unwrap().get("next_entry"), Some("cairn-1"));
    machine.check(expect![[r#"
        cairn-2 default
        cairn-1 ready
    "#]]);
    machine.files.set_default("1").unwrap();
    machine.files.remove("2").unwrap();
    machine.check(expect![[r#"
        cairn-1 default
    "#]]);
    assert!(matches!(machine.files.set_next("2"), Err(BootError::UnknownEntry(_))));
}
