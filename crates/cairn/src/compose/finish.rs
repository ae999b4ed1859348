// SPDX-License-Identifier: MIT OR Apache-2.0
//! The last steps of an image: what no package can know.

use anyhow::{Context as _, Result, bail};
use cairn_host::{Invocation, Root, Tool};
use cairn_image::boot::{BootFiles, GrubSettings, NewEntry, Trial};
use cairn_image::disk::DiskPlan;
use cairn_image::esp;
use cairn_image::manifest::{Entry, Kind};

use super::Profile;
use super::stage::Staged;
use crate::ops::build::Build;

/// Writes fstab, the kernel command line, the key of the repository and the stamps of an image that was never booted.
pub fn configure(
    build: &Build<'_>,
    staged: &mut Staged,
    plan: &DiskPlan,
    profile: &Profile,
) -> Result<()> {
    let root = &staged.root;
    root.write_atomic("etc/fstab", plan.fstab().as_bytes(), 0o644)?;
    root.mkdir_all("etc/kernel", 0o755)?;
    root.write_atomic(
        "etc/kernel/cmdline",
        format!("{}\n", command_line(plan, profile)).as_bytes(),
        0o644,
    )?;
    compile_policy(build, staged)?;
    seal(build, staged)
}

/// Compiles the AppArmor profiles of the image into the cache that apparmor_parser(8) looks into at boot. What a kernel can enforce is
/// part of the cache's name, so another kernel compiles its own; `kernel-features` is what the kernel of the images says
/// (`.features` in the cache of a running system).
fn compile_policy(build: &Build<'_>, staged: &Staged) -> Result<()> {
    const ROOT: &str = "/work/target";
    const FEATURES: &str = "/work/kernel-features";
    if !staged.root.exists("etc/apparmor.d")? {
        return Ok(());
    }
    let parser = Invocation::new(Tool::ApparmorParser)
        .args(["--quiet", "--skip-kernel-load", "--skip-read-cache", "--write-cache"])
        .arg(format!("--kernel-features={FEATURES}"))
        .arg(format!("--policy-features={ROOT}/usr/share/apparmor-features/features"))
        .arg(format!("--base={ROOT}/etc/apparmor.d"))
        .arg(format!("--cache-loc={ROOT}/var/cache/apparmor"))
        .arg(format!("{ROOT}/etc/apparmor.d"));
    build
        .tools
        .clone()
        .bind(&staged.path, ROOT)
        .bind_read_only(build.ctx.distro_dir().join("files/apparmor/kernel-features"), FEATURES)
        .run(&parser)
        .context("compiling the AppArmor profiles of the image")?;
    Ok(())
}

/// Writes what every image has: the key of the repository, no machine id, and stamps of an up-to-date /etc and /var.
pub fn seal(build: &Build<'_>, staged: &mut Staged) -> Result<()> {
    let root = &staged.root;
    root.mkdir_all("etc/pki/rpm-gpg", 0o755)?;
    root.write_atomic(
        "etc/pki/rpm-gpg/RPM-GPG-KEY-cairn",
        build.key.public_armored()?.as_bytes(),
        0o644,
    )?;
    // Empty: a machine id is made at the first boot, which is still not a "first boot" that applies presets again.
    root.write_atomic("etc/machine-id", b"", 0o444)?;
    stamp(root, build)?;
    remove_locks(staged)
}

/// Returns the kernel command line of the installed system.
fn command_line(plan: &DiskPlan, profile: &Profile) -> String {
    let mut words = vec![format!("root=UUID={}", plan.root_uuid), "rw".to_owned()];
    words.extend(profile.cmdline.iter().cloned());
    words.join(" ")
}

/// Marks /etc and /var as up to date with /usr, so that no unit rebuilds at boot what the image has (systemd.unit(5),
/// `ConditionNeedsUpdate`).
fn stamp(root: &Root, build: &Build<'_>) -> Result<()> {
    let seconds = build.upstream.lock.source_date;
    let text = format!(
        "# This file was created by cairn. It holds the time stamp of /usr.\nTIMESTAMP_NSEC={seconds}000000000\n"
    );
    for path in ["etc/.updated", "var/.updated"] {
        root.write_atomic(path, text.as_bytes(), 0o644)?;
        root.set_mtime(path, i64::from(seconds))?;
    }
    Ok(())
}

/// Removes what programs left behind that must not be in an image.
fn remove_locks(staged: &mut Staged) -> Result<()> {
    for path in [
        "etc/.pwd.lock",
        "var/lib/cairn/lock",
        "etc/passwd-",
        "etc/group-",
        "etc/shadow-",
        "etc/gshadow-",
    ] {
        if staged.root.exists(path)? {
            staged.root.remove_file(path)?;
            staged.manifest.remove(path);
        }
    }
    Ok(())
}

/// Adds the boot entries of the staged kernels, the static GRUB configuration and the signed boot loaders.
pub fn make_bootable(
    build: &Build<'_>,
    staged: &mut Staged,
    esp_root: &Root,
    plan: &DiskPlan,
    profile: &Profile,
) -> Result<()> {
    if staged.kernels.is_empty() {
        bail!("the profile `{}` installs no kernel", profile.name);
    }
    esp::install(&staged.root, esp_root)?;
    staged.root.mkdir_all("boot", 0o755)?;
    let boot = BootFiles::new(staged.root.open_root("boot")?, esp_root.clone());
    boot.write_configuration(&GrubSettings {
        boot: plan.boot_search(),
        ..GrubSettings::default()
    })?;
    let options = command_line(plan, profile);
    for version in staged.kernels.clone() {
        let directory = format!("usr/lib/modules/{version}");
        let initrd = staged
            .root
            .read(format!("{directory}/initrd"))
            .with_context(|| format!("reading the initramfs of {version}"))?;
        let kernel = staged
            .root
            .read(format!("{directory}/vmlinuz"))
            .with_context(|| format!("reading the kernel {version}"))?;
        boot.add(&NewEntry {
            version: &version,
            title: &build.upstream.distro.name,
            options: &options,
            kernel: &kernel,
            initrd: Some(&initrd),
            machine_id: None,
            trial: Trial::Skipped,
        })?;
    }
    staged.manifest.insert("boot", Entry::new(Kind::Directory, 0o755));
    Ok(())
}
