// SPDX-License-Identifier: MIT OR Apache-2.0
//! Every external program that Cairn starts, one variant each. A new one is one line in the table below.

/// Declares the enum, its names and the list of all tools from one table.
macro_rules! tools {
    ($($variant:ident = $name:literal),+ $(,)?) => {
        /// An external program.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Tool {
            $(#[doc = concat!("The program `", $name, "`.")] $variant,)+
        }

        impl Tool {
            /// Every tool, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// Returns the file name of the program.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }
        }
    };
}

tools! {
    // File systems and partitions
    Mke2fs = "mke2fs",
    Tune2fs = "tune2fs",
    E2fsck = "e2fsck",
    Debugfs = "debugfs",
    Resize2fs = "resize2fs",
    MkfsFat = "mkfs.fat",
    FsckFat = "fsck.fat",
    MkfsXfs = "mkfs.xfs",
    MkfsBtrfs = "mkfs.btrfs",
    MkfsErofs = "mkfs.erofs",
    Mkswap = "mkswap",
    Mksquashfs = "mksquashfs",
    Unsquashfs = "unsquashfs",
    Sqfstar = "sqfstar",
    Mcopy = "mcopy",
    Mmd = "mmd",
    Mdir = "mdir",
    Mtype = "mtype",
    Mdel = "mdel",
    Mattrib = "mattrib",
    Sfdisk = "sfdisk",
    Sgdisk = "sgdisk",
    Partx = "partx",
    Blockdev = "blockdev",
    Blkid = "blkid",
    Wipefs = "wipefs",
    Loadkeys = "loadkeys",
    Lsblk = "lsblk",
    Findmnt = "findmnt",
    Mount = "mount",
    Umount = "umount",
    Losetup = "losetup",
    Fallocate = "fallocate",
    Veritysetup = "veritysetup",
    Cryptsetup = "cryptsetup",
    Lvm = "lvm",
    Mdadm = "mdadm",
    Udevadm = "udevadm",
    // Images and boot
    Xorriso = "xorriso",
    QemuImg = "qemu-img",
    QemuNbd = "qemu-nbd",
    QemuSystem = "qemu-system-x86_64",
    Swtpm = "swtpm",
    GrubMkimage = "grub-mkimage",
    GrubMkrescue = "grub-mkrescue",
    GrubBiosSetup = "grub-bios-setup",
    GrubInstall = "grub-install",
    GrubEditenv = "grub-editenv",
    GrubScriptCheck = "grub-script-check",
    Efibootmgr = "efibootmgr",
    Bootctl = "bootctl",
    KernelInstall = "kernel-install",
    Ukify = "ukify",
    Sbsign = "sbsign",
    Sbverify = "sbverify",
    VirtFwVars = "virt-fw-vars",
    Implantisomd5 = "implantisomd5",
    Mokutil = "mokutil",
    // systemd and the rest of what works on a root from outside
    Systemctl = "systemctl",
    SystemdSysusers = "systemd-sysusers",
    SystemdTmpfiles = "systemd-tmpfiles",
    SystemdHwdb = "systemd-hwdb",
    SystemdFirstboot = "systemd-firstboot",
    SystemdMachineIdSetup = "systemd-machine-id-setup",
    SystemdRepart = "systemd-repart",
    SystemdAnalyze = "systemd-analyze",
    SystemdCreds = "systemd-creds",
    SystemdRun = "systemd-run",
    SystemdDetectVirt = "systemd-detect-virt",
    Journalctl = "journalctl",
    Ldconfig = "ldconfig",
    Depmod = "depmod",
    Modprobe = "modprobe",
    Modinfo = "modinfo",
    Localedef = "localedef",
    Trust = "trust",
    UpdateCaCertificates = "update-ca-certificates",
    Openssl = "openssl",
    Useradd = "useradd",
    Passwd = "passwd",
    Chpasswd = "chpasswd",
    Mkpasswd = "mkpasswd",
    Setfiles = "setfiles",
    Getcap = "getcap",
    Setcap = "setcap",
    Reboot = "reboot",
    ApparmorParser = "apparmor_parser",
    // Archives
    Tar = "tar",
    Cpio = "cpio",
    Gzip = "gzip",
    Xz = "xz",
    Zstd = "zstd",
    Bsdtar = "bsdtar",
    // Building and sources
    Cargo = "cargo",
    Rustc = "rustc",
    Git = "git",
    Cc = "cc",
    Strip = "strip",
    Objcopy = "objcopy",
    Python3 = "python3",
    AptConfig = "apt-config",
    AptGet = "apt-get",
    DpkgDeb = "dpkg-deb",
    Gpg = "gpg",
    Gpgv = "gpgv",
    // Network and access
    Ssh = "ssh",
    SshKeygen = "ssh-keygen",
    Scp = "scp",
    Curl = "curl",
    // Shells and small programs
    Sh = "sh",
    Bash = "bash",
    Env = "env",
    Id = "id",
    Cat = "cat",
    Cp = "cp",
    True = "true",
    Sync = "sync",
    // Reads spec files
    Rpmspec = "rpmspec",
    // Peers in tests
    Rpm = "rpm",
    Rpmbuild = "rpmbuild",
    Rpmkeys = "rpmkeys",
    Dnf = "dnf",
    DnfPeer = "dnf-3",
    CreaterepoC = "createrepo_c",
    Repodiff = "repodiff",
    Testsolv = "testsolv",
    Sqlite3 = "sqlite3",
    Diff = "diff",
}

#[cfg(test)]
mod tests {
    use super::Tool;

    #[test]
    fn names_are_unique_file_names() {
        let mut names: Vec<_> = Tool::ALL.iter().map(|tool| tool.name()).collect();
        names.sort_unstable();
        assert!(names.windows(2).all(|pair| pair[0] != pair[1]));
        assert!(names.iter().all(|name| !name.contains('/')));
    }
}
