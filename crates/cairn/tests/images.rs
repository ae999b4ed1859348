// SPDX-License-Identifier: MIT OR Apache-2.0
//! What `cairn build disk` made, judged by real programs: rpm, dnf, QEMU, OpenSSH.
//!
//! Needs what `cargo cairn build` leaves in `out/`: `cargo xtask vm` builds it and runs these tests, one machine at a time.

mod composition;
mod lab;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use cairn::compose::WorkDirectory;
use cairn::lock::Use;
use cairn::ops::upstream::{self, Generation, Vanishing};
use cairn::vm::Firmware;
use cairn_host::{Invocation, Tool};
use lab::{Guest, Lab, MINUTE};

#[test]
fn real_rpm_verifies_every_package() {
    let lab = Lab::open();
    let listing = lab.peer(&["sh", "-c", "mkdir -p /tmp/db && rpm --dbpath /tmp/db --import /repo/repodata/repomd.xml.key && rpm --dbpath /tmp/db -K /repo/packages/*.rpm"]);
    let bad: Vec<&str> =
        listing.lines().filter(|line| !line.ends_with(": digests signatures OK")).collect();
    assert!(bad.is_empty(), "rpm -K refuses: {bad:#?}");
    assert!(listing.lines().count() > 200, "only {} packages", listing.lines().count());
}

#[test]
fn real_dnf_reads_the_repository_and_resolves_a_server() {
    let lab = Lab::open();
    let out = lab.peer(&[
        "dnf",
        "-q",
        "--repofrompath=cairn,file:///repo",
        "--repo=cairn",
        "--setopt=cachedir=/tmp/c",
        "--setopt=persistdir=/tmp/p",
        "--setopt=logdir=/tmp/l",
        "--setopt=reposdir=/tmp/none",
        "--releasever=0.1",
        "repoquery",
        "--requires",
        "--resolve",
        "--recursive",
        "nginx",
    ]);
    assert!(out.lines().any(|line| line.starts_with("glibc-")), "{out}");
}

/// createrepo_c reads the same packages and comes to the same index entries: package, digest, size, provides, requires, files. So does
/// `cairn repo index`.
#[test]
fn createrepo_agrees_with_our_index() {
    let lab = Lab::open();
    let work = WorkDirectory::create(&lab.ctx, "test-createrepo").unwrap();
    let sandbox =
        lab.tools.clone().bind_read_only(lab.out.join("repo"), "/repo").bind(&work.path, "/work");
    let words = ["--quiet", "--general-compress-type=zstd", "--outputdir=/work", "/repo"];
    sandbox.run(&Invocation::new(Tool::CreaterepoC).args(words)).unwrap();
    let theirs = index_entries(&work.path.join("repodata"));
    let ours = index_entries(&lab.out.join("repo/repodata"));
    let indexed = work.path.join("indexed");
    std::fs::create_dir(&indexed).unwrap();
    std::os::unix::fs::symlink(lab.out.join("repo/packages"), indexed.join("packages")).unwrap();
    cairn::ops::index::index(&indexed, &cairn::ops::index::Options::default()).unwrap();
    assert_eq!(index_entries(&indexed.join("repodata")), ours);
    assert!(ours.len() > 300, "only {} packages", ours.len());
    assert_eq!(ours.len(), theirs.len());
    let mut differences = Vec::new();
    for (digest, entry) in &ours {
        let other = theirs.get(digest).unwrap_or_else(|| panic!("createrepo_c has no {digest}"));
        differences.extend(entry.difference(other).map(|line| format!("only ours: {line}")));
        differences.extend(other.difference(entry).map(|line| format!("only theirs: {line}")));
    }
    assert!(differences.is_empty(), "{} differences: {differences:#?}", differences.len());
}

/// What createrepo_c writes in another way of the same meaning: of the C library's versions only the newest; an interpreter that is
/// needed by scriptlets and otherwise twice; a version with two hyphens cut at the first.
const WRITTEN_OTHERWISE: [&str; 3] = ["\"libc.so.6(", "\"/bin/sh\"", "\"kernel-uname-r\""];

/// Reads `primary.xml`: digest of a package → what follows it, sorted, without what may be written in several ways.
fn index_entries(repodata: &Path) -> BTreeMap<String, BTreeSet<String>> {
    let is_primary = |path: &PathBuf| path.to_string_lossy().ends_with("primary.xml.zst");
    let mut files = std::fs::read_dir(repodata).unwrap().map(|entry| entry.unwrap().path());
    let file = std::fs::File::open(files.find(is_primary).expect("a primary.xml.zst")).unwrap();
    let text = String::from_utf8(zstd::decode_all(file).unwrap()).unwrap();
    let entry = |package: &str| {
        let digest = package.split("pkgid=\"YES\">").nth(1).unwrap().split('<').next().unwrap();
        let compared = ["<version ", "<rpm:entry ", "<file", "<size "];
        let lines: BTreeSet<String> = package
            .lines()
            .map(str::trim)
            .filter(|line| compared.iter().any(|start| line.starts_with(start)))
            .filter(|line| !WRITTEN_OTHERWISE.iter().any(|name| line.contains(name)))
            .map(str::to_owned)
            .collect();
        (digest.to_owned(), lines)
    };
    text.split("<package ").skip(1).map(entry).collect()
}

/// The database that our engine wrote, read by rpm: all packages, all files, and its own check.
#[test]
fn real_rpm_reads_the_installed_database() {
    let lab = Lab::open();
    let work = WorkDirectory::create(&lab.ctx, "test-rpmdb").unwrap();
    let root = work.path.join("root");
    let upstream =
        upstream::open(&lab.ctx, &[Use::Os, Use::Tools], Vanishing::Stop, Generation::Current)
            .unwrap();
    composition::compose_default(&lab.ctx, upstream, &root);
    let rpm = |words: &str| {
        let sandbox = lab.tools.clone().bind(&root, "/tree");
        let words = ["--root", "/tree", "--dbpath", "/usr/lib/sysimage/rpm"]
            .into_iter()
            .chain(words.split(' '));
        let output = sandbox.run_unchecked(&Invocation::new(Tool::Rpm).args(words)).unwrap();
        (output.success(), output.stdout_text(), output.stderr_text())
    };
    assert_eq!(rpm("--verifydb"), (true, String::new(), String::new()));
    let (is_ok, all, errors) = rpm("-qa");
    assert!(is_ok && errors.is_empty(), "{errors}");
    assert!(all.lines().count() > 150, "{all}");
    assert!(rpm("-qf /usr/sbin/sshd").1.starts_with("openssh-server-"));
    // In the staging directory nobody but the builder owns files: owners, modes and capabilities are in the manifest.
    let (_, differences, errors) = rpm("-Va --nouser --nogroup --nomode --nocaps");
    let unexpected: Vec<&str> = differences
        .lines()
        .filter(|line| !lab::EXPECTED_CHANGES.iter().any(|path| line.ends_with(path)))
        .collect();
    assert!(unexpected.is_empty(), "rpm -Va: {unexpected:#?}\n{errors}");
}

#[test]
fn signed_boot_files_are_the_upstream_bytes() {
    let lab = Lab::open();
    for (package, path) in [
        ("shim-signed", "/usr/lib/shim/shimx64.efi.signed"),
        ("grub-efi-amd64-signed", "/usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed"),
    ] {
        assert_eq!(lab.upstream_digest(package, path), lab.repository_digest(path), "{path}");
    }
    let kernel = lab.upstream_kernel();
    assert_eq!(
        kernel.digest,
        lab.repository_digest(&format!("/usr/lib/modules/{}/vmlinuz", kernel.version))
    );
}

#[test]
fn bios_boots_and_dnf_installs_a_web_server() {
    let lab = Lab::open();
    let guest = Guest::boot(&lab, "bios", Firmware::Bios, &[]);
    check_health(&guest);
    check_figures(&guest, "default", Limits { packages: 220, installed_mb: 300 });
    check_rpm_database(&guest);
    check_conduct(&guest);
    guest.use_repository(&lab);
    install_nginx(&guest);
    guest.check("dnf -y remove nginx", 6 * MINUTE);
    assert_eq!(guest.status("rpm -q nginx"), 1);
    check_verified(&guest);
    guest.power_off();
}

fn install_nginx(guest: &Guest) {
    guest.check("dnf -y install nginx", 8 * MINUTE);
    guest.check("systemctl enable --now nginx", 2 * MINUTE);
    let page = guest.check("curl -sf http://127.0.0.1/", MINUTE);
    assert!(page.to_lowercase().contains("nginx"), "{page}");
    let history = guest.check("dnf history list", 2 * MINUTE);
    assert!(history.contains("install nginx"), "{history}");
    check_verified(guest);
}

/// `rpm -Va` may only name files that every running system changes.
fn check_verified(guest: &Guest) {
    let found = guest.run("rpm -Va", 10 * MINUTE);
    let unexpected: Vec<&str> = found
        .lines()
        .filter(|line| !lab::EXPECTED_CHANGES.iter().any(|path| line.ends_with(path)))
        .collect();
    assert!(unexpected.is_empty(), "rpm -Va: {unexpected:#?}");
}

fn check_health(guest: &Guest) {
    assert_eq!(
        guest.run("systemctl is-system-running --wait", 6 * MINUTE).trim(),
        "running",
        "failed units: {}",
        guest.run("systemctl --failed --no-legend", MINUTE)
    );
    let listening = guest.check("ss -Hltun", MINUTE);
    let foreign: Vec<&str> = listening
        .lines()
        .filter(|line| lab::listens_off_host(line) && !line.contains(":22 "))
        .collect();
    assert!(foreign.is_empty(), "listening off-host: {foreign:#?}");
    assert_eq!(guest.check("cat /etc/os-release | grep ^ID=", MINUTE).trim(), "ID=cairn");
}

/// How large a profile may be.
struct Limits {
    packages: u64,
    installed_mb: u64,
}

/// Memory that may be used at idle, in MiB.
const IDLE_LIMIT_MIB: u64 = 170;

fn check_figures(guest: &Guest, profile: &str, limits: Limits) {
    let number = |command: &str| -> u64 {
        let text = guest.check(command, 3 * MINUTE);
        text.trim().parse().unwrap_or_else(|_| panic!("{command}: `{text}` is no number"))
    };
    let packages = number("rpm -qa | wc -l");
    let installed_mb = number("du -xs --apparent-size -B1000000 / | cut -f1");
    let used_mib = guest.idle_memory_mib();
    println!("{profile}: {packages} packages, {installed_mb} MB installed, {used_mib} MiB used");
    assert!(packages <= limits.packages, "{packages} packages");
    assert!(installed_mb <= limits.installed_mb, "{installed_mb} MB installed");
    assert!(used_mib <= IDLE_LIMIT_MIB, "{used_mib} MiB of memory used");
}

/// What every installed system promises about itself.
fn check_conduct(guest: &Guest) {
    for (command, expected) in [
        ("passwd -S root | cut -d' ' -f2", "L"),
        ("sshd -T | grep -i '^passwordauthentication'", "passwordauthentication no"),
        ("resolvectl llmnr | sed -n 's/^Global: //p'", "no"),
        ("sysctl -n kernel.kptr_restrict", "2"),
        ("cat /sys/module/apparmor/parameters/enabled", "Y"),
        ("nft list chain inet filter input | grep -o 'policy drop'", "policy drop"),
        ("systemctl is-active chronyd", "active"),
        // The short way to the root was taken, and the policy was compiled with the image.
        ("dmesg | grep -c cairn-early || :", "0"),
        ("ls /var/cache/apparmor | wc -l", "1"),
        (
            "systemctl start --wait sshd-keygen@ecdsa sshd-keygen@rsa; cut -d' ' -f1 /etc/ssh/ssh_host_*_key.pub | tr '\\n' ' '",
            "ecdsa-sha2-nistp256 ssh-ed25519 ssh-rsa",
        ),
    ] {
        assert_eq!(guest.check(command, MINUTE).trim(), expected, "{command}");
    }
}

fn check_rpm_database(guest: &Guest) {
    assert!(guest.check("rpm -qf /usr/sbin/sshd", MINUTE).starts_with("openssh-server-"));
}

#[test]
fn minimal_boots_under_uefi_without_python() {
    let lab = Lab::open();
    let image = lab.out.join("cairn-linux-0.1-minimal-x86_64.raw");
    let guest = Guest::boot_image(&lab, &image, "minimal", Firmware::Uefi, &[]);
    check_health(&guest);
    check_figures(&guest, "minimal", Limits { packages: 185, installed_mb: 200 });
    assert_eq!(guest.status("command -v python3 cloud-init"), 1);
    check_verified(&guest);
    guest.power_off();
}

const USER_DATA: &str = "\
#cloud-config
hostname: srv-01
users:
  - name: admin
    groups: wheel
    sudo: ALL=(ALL) NOPASSWD:ALL
    lock_passwd: true
    ssh_authorized_keys:
      - @KEY@
write_files:
  - path: /etc/cairn-test
    permissions: '0640'
    content: written
yum_repos:
  test:
    name: Test
    baseurl: @REPOSITORY@
    enabled: true
    gpgcheck: true
    repo_gpgcheck: true
    gpgkey: file:///etc/pki/rpm-gpg/RPM-GPG-KEY-cairn
packages:
  - tmux
runcmd:
  - [sh, -c, 'echo ran > /run/cairn-runcmd']
";

#[test]
fn uefi_secure_boot_and_cloud_init() {
    let lab = Lab::open();
    let user_data = USER_DATA.replace("@REPOSITORY@", &lab.serve_repository());
    let guest = Guest::boot(
        &lab,
        "uefi",
        Firmware::UefiSecureBoot,
        &[("user-data", &user_data), ("meta-data", "instance-id: test-1\n")],
    );
    guest.check("cloud-init status --wait", 10 * MINUTE);
    assert_eq!(guest.check("hostname", MINUTE).trim(), "srv-01");
    assert_eq!(
        guest.check("stat -c '%a %U' /etc/cairn-test && cat /etc/cairn-test", MINUTE),
        "640 root\nwritten"
    );
    assert_eq!(guest.check("cat /run/cairn-runcmd", MINUTE).trim(), "ran");
    assert!(guest.check("rpm -q tmux", MINUTE).starts_with("tmux-"));
    let admin = guest.as_user("admin");
    assert_eq!(admin.check("sudo id -un", MINUTE).unwrap().trim(), "root");
    assert!(guest.check("dmesg", MINUTE).contains("Secure boot enabled"));
    check_health(&guest);
    let grown: u64 =
        guest.check("df --output=size -B1M / | tail -1", MINUTE).trim().parse().expect("MiB");
    assert!(grown > 4500, "root has {grown} MiB: growpart did not enlarge it");
    guest.power_off();
}

#[test]
fn upgrades_from_the_previous_repository_with_a_second_kernel() {
    let lab = Lab::open();
    let (old, new) = lab.kernels();
    let image = lab.out.join("previous/cairn-linux-0.1-x86_64.raw");
    let guest = Guest::boot_image(&lab, &image, "upgrade", Firmware::Bios, &[]);
    assert_eq!(guest.check("uname -r", MINUTE).trim(), old);
    guest.use_repository(&lab);
    guest.check("dnf -y upgrade", 10 * MINUTE);
    assert_eq!(guest.check("rpm -q kernel-cloud", MINUTE).lines().count(), 2);
    assert!(guest.check("rpm -q dnf", MINUTE).starts_with("dnf-0.1.0-1.cn1"));
    guest.reboot();
    assert_eq!(guest.check("uname -r", MINUTE).trim(), new);
    check_health(&guest);
    check_verified(&guest);
    check_module_index(&guest, &new);
    remove_running_kernel(&guest, &new);
    guest.reboot();
    assert_eq!(guest.check("uname -r", MINUTE).trim(), old);
    check_health(&guest);
    guest.power_off();
}

/// The index of modules that comes with a kernel is what depmod makes of them, and is made again when others are there.
fn check_module_index(guest: &Guest, version: &str) {
    let directory = format!("/usr/lib/modules/{version}");
    let see_to_it = format!("/usr/lib/kernel/install.d/50-depmod.install add {version}");
    let shown =
        format!("cd {directory} && sort modules.dep modules.alias modules.symbols | sha256sum");
    let brought = guest.check(&shown, MINUTE);
    guest.check(&format!("depmod -a {version}"), 5 * MINUTE);
    assert_eq!(guest.check(&shown, MINUTE), brought);
    let time = format!("stat -c %Y {directory}/modules.dep");
    let made = guest.check(&time, MINUTE);
    guest.check(&see_to_it, 5 * MINUTE);
    assert_eq!(guest.check(&time, MINUTE), made, "what is right was made again");
    let foreign = format!("{directory}/extra/cairn-test.ko.xz");
    guest.check(&format!("install -D $(modinfo -n loop) {foreign} && {see_to_it}"), 5 * MINUTE);
    guest.check(&format!("grep -q ^extra/cairn-test.ko.xz: {directory}/modules.dep"), MINUTE);
    guest.check(&format!("rm -r {directory}/extra && {see_to_it}"), 5 * MINUTE);
    assert_eq!(guest.check(&shown, MINUTE), brought);
    guest.check("rpm -V kernel-cloud-initramfs", MINUTE);
}

/// The running kernel is protected until the administrator says otherwise.
fn remove_running_kernel(guest: &Guest, version: &str) {
    let package = guest.check(&format!("rpm -qf /usr/lib/modules/{version}/vmlinuz"), MINUTE);
    let remove = format!("dnf -y remove {}", package.trim());
    assert_ne!(guest.status(&remove), 0, "dnf removes the running kernel");
    guest.check(&format!("{remove} --setopt=protect_running_kernel=False"), 5 * MINUTE);
    assert_eq!(guest.check("rpm -q kernel-cloud", MINUTE).lines().count(), 1);
}
