// SPDX-License-Identifier: MIT OR Apache-2.0
//! Sessions with scripted keys.

use expect_test::expect;

use super::*;
use crate::plan::fixtures::{disk, machine, software};
use crate::plan::plan;

const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHsVrDjaBY0ZX2VDNcCVdgl+b1Q9f7tDMbbz6xYQDzVe admin@example";

struct Script {
    lines: Vec<&'static str>,
    shown: String,
    keys: usize,
}

impl Script {
    fn new(lines: &[&'static str]) -> Self {
        Self { lines: lines.iter().rev().copied().collect(), shown: String::new(), keys: 0 }
    }
}

impl Terminal for Script {
    fn say(&mut self, line: &str) {
        self.shown += &format!("{line}\n");
    }

    fn ask(&mut self, question: &str) -> io::Result<String> {
        let line = self.lines.pop().ok_or(io::ErrorKind::UnexpectedEof)?;
        // A pasted key is one action.
        self.keys += 1 + if line == KEY { 0 } else { line.len() };
        self.shown += &format!("{question}{line}\n");
        Ok(line.to_owned())
    }

    fn ask_hidden(&mut self, question: &str) -> io::Result<String> {
        let line = self.lines.pop().ok_or(io::ErrorKind::UnexpectedEof)?;
        self.shown += &format!("{question}\n");
        Ok(line.to_owned())
    }
}

#[test]
fn defaults_need_twelve_keys() {
    let probe = machine(vec![disk("/dev/vda", "CAIRN0", 20)]);
    let mut script = Script::new(&["", "", "", "", KEY, "", "", "", "yes"]);
    assert_eq!(
        begin(&mut script, &software(), &mut |_| Err("not asked for".into())).unwrap(),
        "us"
    );
    let answers = ask(&mut script, &probe, &software(), &[7; 16]).unwrap();
    let made = plan(&probe, &answers, &software()).unwrap();
    confirm(&mut script, &made).unwrap();
    assert_eq!(script.keys, 12);
    expect![[r#"
        Press Enter to begin, or type a keyboard layout [us]: 
        Cairn Linux 0.1: installation
        Enter takes the value in [brackets]. Nothing is changed before you type `yes`.

          1  /dev/vda  20 GiB  QEMU HARDDISK  sata  serial CAIRN0  (empty)
        Disk [1]: 

          1  plain partitions, ext4
          2  plain partitions, XFS
          3  LVM, ext4
          4  LVM, XFS
        Layout [1]: 

        Administrator [admin]: 
        SSH public key (empty: set a password instead): ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHsVrDjaBY0ZX2VDNcCVdgl+b1Q9f7tDMbbz6xYQDzVe admin@example
        Host name [cairn]: 

          default: A profile
          minimal: A profile
        Profile [default]: 
          database: A role
          web-server: A role
        Roles, separated by spaces [none]: 

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
        Plan      a2c0ae3153f95387

        Type yes to ERASE /dev/vda and install: yes
    "#]].assert_eq(&script.shown);
    assert!(script.shown.lines().all(|line| line.len() < 80 || line.contains(KEY)));
    expect![[r#"
        version = 1

        [system]
        hostname = "cairn"
        timezone = "UTC"
        locale = "C.UTF-8"
        keyboard = "us"

        [[user]]
        name = "admin"
        ssh_authorized_keys = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHsVrDjaBY0ZX2VDNcCVdgl+b1Q9f7tDMbbz6xYQDzVe admin@example"]
        sudo = "nopasswd"

        [storage]
        layout = "plain"
        filesystem = "ext4"

        [storage.disk]
        path = "/dev/vda"
        serial = "CAIRN0"

        [software]
        profile = "default"
        roles = []
        packages = []
        repository = ""

        [finish]
        action = "poweroff"
    "#]].assert_eq(&answers.to_toml());
}

#[test]
fn wrong_answers_are_asked_again() {
    let probe = machine(vec![disk("/dev/sda", "A", 20), disk("/dev/sdb", "B", 20)]);
    let mut script = Script::new(&[
        "",
        "3",
        "2",
        "9",
        "4",
        "root",
        "ops",
        "ssh-dss AAAA",
        "",
        "short",
        "long enough",
        "different",
        "long enough",
        "long enough",
        "_",
        "web",
        "full",
        "minimal",
        "toaster",
        "web-server, database",
        "no",
    ]);
    let answers = ask(&mut script, &probe, &software(), &[7; 16]).unwrap();
    let made = plan(&probe, &answers, &software()).unwrap();
    assert_eq!(made.target.path, "/dev/sdb");
    assert!(matches!(confirm(&mut script, &made), Err(InstallError::NotConfirmed)));
    assert!(!script.shown.contains("long enough"));
    let user = &answers.users[0];
    assert_eq!((user.name.as_str(), user.sudo), ("ops", Some(Sudo::Password)));
    assert!(user.password_hash.as_ref().unwrap().reveal().starts_with("$6$"));
    assert_eq!(answers.software.roles, ["web-server", "database"]);
    assert_eq!(answers.system.hostname, "web");
    assert!(crate::answers::check_values(&answers, Some(&software())).is_ok());
}

#[test]
fn keyboards_are_known_and_loaded() {
    let mut script = Script::new(&["dee", "de", "de"]);
    let mut tries = 0;
    let mut load = |name: &str| {
        tries += 1;
        if tries == 1 { Err(format!("no console for {name}")) } else { Ok(()) }
    };
    assert_eq!(begin(&mut script, &software(), &mut load).unwrap(), "de");
    expect![[r#"
        Press Enter to begin, or type a keyboard layout [us]: dee
          the medium has no keyboard layout `dee`; did you mean `de`?
        Press Enter to begin, or type a keyboard layout [us]: de
          no console for de
        Press Enter to begin, or type a keyboard layout [us]: de
    "#]]
    .assert_eq(&script.shown);
}

#[test]
fn a_closed_console_or_no_disk_ends_it() {
    let probe = machine(vec![disk("/dev/sda", "A", 20)]);
    assert!(matches!(
        ask(&mut Script::new(&[""]), &probe, &software(), &[]),
        Err(InstallError::Console(_))
    ));
    let error = ask(&mut Script::new(&[]), &machine(Vec::new()), &software(), &[]).unwrap_err();
    assert_eq!(error.to_string(), "there is no disk to install to");
}
