// SPDX-License-Identifier: MIT OR Apache-2.0
//! Maps the scriptlets that the engine collected to programs of the tools tree, working on the staging directory from
//! outside (docs/decisions/0002). A line that is not in the table stops the build and is named.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result};
use cairn_host::{Invocation, Sandbox, Tool};
use thiserror::Error;

use super::stage::Staged;
use crate::ops::build::Build;

/// Where scriptlets note units whose presets are to be applied.
const NEW_UNITS: &str = "/systemd-update-helper/new-units";

/// Where the staging directory lies inside the sandbox.
const TARGET: &str = "/work/target";

/// A scriptlet that cannot be carried out without running it in the image.
#[derive(Debug, Error)]
#[error("{package}: {kind} has a line that cannot be carried out at compose time: `{line}`")]
pub struct Unmapped {
    /// Whose scriptlet.
    pub package: String,
    /// `%post`, `%transfiletriggerin`, …
    pub kind: String,
    /// The line.
    pub line: String,
}

impl Unmapped {
    /// What the operator can do about it.
    pub fn hint(&self) -> String {
        "use one of the lines in the table of distro/README.md, or leave the package out of the profile".into()
    }
}

/// What a scriptlet line means for a staging directory.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Effect {
    /// `ldconfig -r`
    LinkerCache,
    /// `systemd-sysusers --root`
    Sysusers,
    /// `systemd-hwdb --root --usr update`
    HardwareDatabase,
    /// `journalctl --root --update-catalog`
    Catalog,
    /// `update-ca-trust --root`
    TrustBundle,
    /// `depmod -b` for one kernel version.
    ModuleIndex(String),
    /// `kernel-install add`: the module index, which its plugin 50-depmod sees to, and the boot entry, which `compose::finish` adds.
    BootEntry(String),
    /// Presets of units: all are applied at the end.
    Presets,
    /// Only has a meaning on a running system, or is done at its boot.
    Nothing,
}

/// Returns what one line of a scriptlet means, or nothing if it is not known.
fn effect(line: &str) -> Option<Effect> {
    let line = without_guards(line.trim().trim_end_matches("|| :").trim());
    let words: Vec<&str> = line.split_whitespace().collect();
    let effect = match words.as_slice() {
        ["/usr/sbin/ldconfig"] => Effect::LinkerCache,
        ["/usr/bin/systemd-sysusers"] => Effect::Sysusers,
        ["/usr/bin/systemd-hwdb", "--usr", "update"] => Effect::HardwareDatabase,
        ["/usr/bin/journalctl", "--update-catalog"] => Effect::Catalog,
        ["/usr/bin/update-ca-trust"] => Effect::TrustBundle,
        ["/usr/sbin/depmod", "-a", version]
        | ["/usr/lib/kernel/install.d/50-depmod.install", "add", version] => {
            Effect::ModuleIndex((*version).to_owned())
        }
        ["/usr/bin/kernel-install", "add", version, ..] => Effect::BootEntry((*version).to_owned()),
        ["/usr/lib/systemd/systemd-update-helper", "post", ..] => Effect::Presets,
        ["/usr/bin/systemd-tmpfiles", "--create"]
        | ["/usr/lib/systemd/systemd-update-helper", "reload"]
        | ["/usr/lib/systemd/systemd-sysctl"]
        | ["/usr/bin/udevadm", "control", "--reload"]
        | ["/usr/bin/systemctl", ..]
        | ["set", "-e"]
        | ["exit", "0"]
        | [] => Effect::Nothing,
        _ if line.starts_with('#') => Effect::Nothing,
        _ => return None,
    };
    Some(effect)
}

/// Leaves out what decides whether a program is called: a test, and a note for systemd-update-helper that stands for its call.
fn without_guards(line: &str) -> &str {
    let is_guard = |part: &str| {
        part.starts_with("[ ") && part.ends_with(" ]")
            || part.starts_with("echo ") && part.ends_with(NEW_UNITS)
    };
    match line.rsplit_once(" || ") {
        Some((guards, call)) if guards.split(" || ").all(is_guard) => call,
        _ => line,
    }
}

/// Carries out every collected scriptlet once. Returns the kernel versions that want a boot entry in `staged.kernels`.
pub fn run(build: &Build<'_>, staged: &mut Staged) -> Result<()> {
    let mut effects = BTreeSet::new();
    for scriptlet in &staged.scriptlets {
        let program = scriptlet.interpreter.join(" ");
        for line in scriptlet.body.as_deref().unwrap_or(&program).lines() {
            let effect = effect(line).ok_or_else(|| Unmapped {
                package: scriptlet.package.clone(),
                kind: scriptlet.kind.clone(),
                line: line.trim().to_owned(),
            })?;
            effects.insert(effect);
        }
    }
    let sandbox = build.tools.clone().bind(&staged.path, TARGET);
    for effect in &effects {
        if let Effect::BootEntry(version) = effect {
            staged.kernels.push(version.clone());
        }
        carry_out(&sandbox, effect)
            .with_context(|| format!("carrying out {effect:?} on the image"))?;
    }
    if effects.contains(&Effect::Presets) {
        sandbox
            .run(
                &Invocation::new(Tool::Systemctl).args([&format!("--root={TARGET}"), "preset-all"]),
            )
            .context("applying unit presets to the image")?;
    }
    staged.ids = super::stage::Ids::load(&staged.root)?;
    Ok(())
}

fn carry_out(sandbox: &Sandbox, effect: &Effect) -> Result<()> {
    let root = format!("--root={TARGET}");
    let invocation = match effect {
        Effect::LinkerCache => Invocation::new(Tool::Ldconfig).args(["-r", TARGET]),
        Effect::Sysusers => Invocation::new(Tool::SystemdSysusers).arg(&root),
        Effect::HardwareDatabase => {
            Invocation::new(Tool::SystemdHwdb).args([&root, "--usr", "update"])
        }
        Effect::Catalog => Invocation::new(Tool::Journalctl).args([&root, "--update-catalog"]),
        Effect::TrustBundle => Invocation::new(Tool::Sh).args([
            &format!("{TARGET}/usr/bin/update-ca-trust"),
            "--root",
            TARGET,
        ]),
        Effect::ModuleIndex(version) | Effect::BootEntry(version) => {
            Invocation::new(Tool::Depmod).args(["-b", TARGET, version])
        }
        Effect::Presets | Effect::Nothing => return Ok(()),
    };
    sandbox.run(&invocation)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_lines_have_a_meaning_and_others_none() {
        for (line, expected) in [
            ("/usr/sbin/ldconfig", Some(Effect::LinkerCache)),
            ("  /usr/bin/udevadm control --reload || :", Some(Effect::Nothing)),
            (
                "/usr/bin/kernel-install add 6.12.1-amd64 /usr/lib/modules/6.12.1-amd64/vmlinuz",
                Some(Effect::BootEntry("6.12.1-amd64".into())),
            ),
            (
                "[ ! -x /usr/lib/systemd/systemd-update-helper ] || /usr/lib/systemd/systemd-update-helper post $1 sshd.service",
                Some(Effect::Presets),
            ),
            (
                "[ $1 -gt 1 ] || echo a.service 2> /dev/null >> /var/lib/rpm-state/systemd-update-helper/new-units || [ ! -x /h ] || /usr/lib/systemd/systemd-update-helper post $1 a.service",
                Some(Effect::Presets),
            ),
            ("[ ! -x /usr/sbin/ldconfig ] || /usr/bin/rm x", None),
            ("rm -rf / || /usr/sbin/ldconfig", None),
            (
                "/usr/lib/kernel/install.d/50-depmod.install add 6.12.1-amd64",
                Some(Effect::ModuleIndex("6.12.1-amd64".into())),
            ),
            ("# why", Some(Effect::Nothing)),
            ("rm -rf /", None),
        ] {
            assert_eq!(effect(line), expected, "{line}");
        }
    }
}
