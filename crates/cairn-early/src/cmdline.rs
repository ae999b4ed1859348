// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the kernel command line and `/etc/fstab` say, and whether it is simple enough. Pure.

use std::fmt;

/// A root that is a partition, as the command line names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlainRoot {
    /// `UUID`, `LABEL`, `PARTUUID` or `PARTLABEL`.
    pub tag: String,
    /// Its value.
    pub value: String,
    /// Mounted read-only, the kernel's default without `rw`.
    pub is_read_only: bool,
}

impl fmt::Display for PlainRoot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.tag, self.value)
    }
}

/// Who finds the root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// We do.
    Plain(PlainRoot),
    /// systemd does, for this reason.
    Systemd(String),
}

/// Options, or their beginnings, that speak to the initramfs or change where the system lies; systemd understands them.
const NOT_PLAIN: [&str; 17] = [
    "rd.",
    "luks",
    "resume",
    "noresume",
    "roothash",
    "usrhash",
    "rootflags",
    "rootfstype",
    "mount.",
    "init=",
    "cairn.",
    "fsck.",
    "systemd.volatile",
    "systemd.verity",
    "systemd.unit",
    "systemd.debug",
    "systemd.break",
];
/// Words that ask for a shell.
const RESCUE: [&str; 6] = ["emergency", "rescue", "single", "1", "s", "S"];

/// Decides from the kernel command line (kernel-command-line(7)).
pub fn decide(text: &str) -> Decision {
    let mut root = None;
    let mut is_read_only = true;
    for word in text.split_whitespace() {
        match word {
            "ro" => is_read_only = true,
            "rw" => is_read_only = false,
            _ if word.contains('"') => return Decision::Systemd(format!("`{word}` is quoted")),
            _ if RESCUE.contains(&word)
                || NOT_PLAIN.iter().any(|start| word.starts_with(start)) =>
            {
                return Decision::Systemd(format!("`{word}` is given"));
            }
            _ => root = word.strip_prefix("root=").or(root),
        }
    }
    let Some(root) = root else { return Decision::Systemd("no root is given".to_owned()) };
    match root.split_once('=') {
        Some((tag @ ("UUID" | "LABEL" | "PARTUUID" | "PARTLABEL"), value)) if !value.is_empty() => {
            Decision::Plain(PlainRoot {
                tag: tag.to_owned(),
                value: value.to_owned(),
                is_read_only,
            })
        }
        _ => Decision::Systemd(format!("root={root} is no tag of a partition")),
    }
}

/// Returns the first line of an fstab(5) that the initramfs has to mount.
pub fn early_mount(fstab: &str) -> Option<&str> {
    let mut entries = fstab.lines().map(str::trim).filter(|line| !line.starts_with('#'));
    entries.find(|line| {
        let mut fields = line.split_whitespace().skip(1);
        let place = fields.next().unwrap_or_default();
        let options = fields.nth(1).unwrap_or_default();
        place == "/usr" || options.split(',').any(|option| option == "x-initrd.mount")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_root_is_ours() {
        let text = "root=UUID=68473e1b-417d-8478-a86e-ceade5466042 rw console=tty0 console=ttyS0,115200 lockdown=integrity\n";
        let Decision::Plain(root) = decide(text) else { panic!("not plain") };
        assert_eq!(root.to_string(), "UUID=68473e1b-417d-8478-a86e-ceade5466042");
        assert!(!root.is_read_only);
        let Decision::Plain(root) = decide("root=LABEL=cairn-root") else { panic!("not plain") };
        assert!(root.is_read_only, "the kernel's default");
    }

    #[test]
    fn everything_else_is_systemds() {
        for (text, reason) in [
            ("quiet", "no root is given"),
            ("root=/dev/mapper/vg-root rw", "root=/dev/mapper/vg-root is no tag of a partition"),
            ("root=UUID= rw", "root=UUID= is no tag of a partition"),
            ("root=UUID=1 rd.luks.uuid=2", "`rd.luks.uuid=2` is given"),
            ("root=UUID=1 emergency", "`emergency` is given"),
            ("root=UUID=1 init=/bin/sh", "`init=/bin/sh` is given"),
            ("root=UUID=1 rootflags=subvol=@", "`rootflags=subvol=@` is given"),
            ("root=LABEL=\"a b\" rw", "`root=LABEL=\"a` is quoted"),
        ] {
            assert_eq!(decide(text), Decision::Systemd(reason.to_owned()), "{text}");
        }
    }

    #[test]
    fn usr_and_marked_file_systems_are_mounted_before_the_start() {
        let plain = "# x-initrd.mount\nUUID=1  /  ext4  defaults  0 1\nUUID=2 /boot ext4 nodev,x-initrd 0 2\n";
        assert_eq!(early_mount(plain), None);
        assert_eq!(early_mount("UUID=1 / ext4\nUUID=3 /usr xfs\n"), Some("UUID=3 /usr xfs"));
        let marked = "UUID=4 /var ext4 noatime,x-initrd.mount 0 2";
        assert_eq!(early_mount(marked), Some(marked));
    }
}
