// SPDX-License-Identifier: MIT OR Apache-2.0
//! What no package knows: names, places, accounts, repository, units.

use cairn_host::{Clock, Root, Tool};

use super::accounts::{self, Files};
use super::{TARGET, call};
use crate::answers::Answers;
use crate::error::InstallError;
use crate::medium::{KEY, Medium};
use crate::plan::Plan;
use crate::probe::MEDIUM;

/// Sets the installed system up.
pub(super) fn configure(
    plan: &Plan,
    answers: &Answers,
    medium: &Medium,
    target: &Root,
) -> Result<(), InstallError> {
    let from_medium = answers.software.repository.is_empty();
    let volume = from_medium.then_some(medium.software.volume_id.as_str());
    target.write_atomic("etc/fstab", plan.fstab(volume).as_bytes(), 0o644)?;
    names(answers, target)?;
    repository(answers, medium, target)?;
    users(answers, target)?;
    role_files(answers, medium, target)?;
    units(plan)?;
    // Not a "first boot" in systemd's sense: presets have been applied; an id is made when it starts.
    target.write_atomic("etc/machine-id", b"", 0o444)?;
    stamp(target)?;
    for left in [
        "etc/.pwd.lock",
        "etc/passwd-",
        "etc/group-",
        "etc/shadow-",
        "etc/gshadow-",
        "var/lib/cairn/lock",
    ] {
        target.remove_all(left)?;
    }
    Ok(())
}

fn names(answers: &Answers, target: &Root) -> Result<(), InstallError> {
    let system = &answers.system;
    target.write_atomic("etc/hostname", format!("{}\n", system.hostname).as_bytes(), 0o644)?;
    target.write_atomic(
        "etc/locale.conf",
        format!("LANG={}\n", system.locale).as_bytes(),
        0o644,
    )?;
    if system.keyboard != "us" {
        let text = format!("KEYMAP={}\n", system.keyboard);
        target.write_atomic("etc/vconsole.conf", text.as_bytes(), 0o644)?;
    }
    target.remove_all("etc/localtime")?;
    target.symlink(format!("../usr/share/zoneinfo/{}", system.timezone), "etc/localtime")?;
    Ok(())
}

fn repository(answers: &Answers, medium: &Medium, target: &Root) -> Result<(), InstallError> {
    let wanted = &answers.software.repository;
    let url = if wanted.is_empty() { format!("file://{MEDIUM}/repo") } else { wanted.clone() };
    let text = format!(
        "# Written by cairn-install.\n[cairn]\nname={} $releasever - $basearch\nbaseurl={url}\nenabled=1\n\
         gpgcheck=1\nrepo_gpgcheck=1\ngpgkey=file:///{KEY}\n",
        medium.software.name
    );
    target.write_atomic("etc/yum.repos.d/cairn.repo", text.as_bytes(), 0o644)?;
    target.mkdir_all("etc/pki/rpm-gpg", 0o755)?;
    target.write_atomic(KEY, medium.key.as_bytes(), 0o644)?;
    Ok(())
}

fn users(answers: &Answers, target: &Root) -> Result<(), InstallError> {
    let read = |path: &str| -> Result<String, InstallError> {
        Ok(if target.exists(path)? { target.read_to_string(path)? } else { String::new() })
    };
    let mut files = Files {
        passwd: read("etc/passwd")?,
        shadow: read("etc/shadow")?,
        group: read("etc/group")?,
        gshadow: read("etc/gshadow")?,
        subuid: read("etc/subuid")?,
        subgid: read("etc/subgid")?,
    };
    let day = Clock::system().now_unix() / 86_400;
    let added = accounts::add(&mut files, &answers.users, day).map_err(InstallError::Machine)?;
    for (path, text, mode) in [
        ("etc/passwd", &files.passwd, 0o644),
        ("etc/group", &files.group, 0o644),
        ("etc/shadow", &files.shadow, 0o640),
        ("etc/gshadow", &files.gshadow, 0o640),
        ("etc/subuid", &files.subuid, 0o644),
        ("etc/subgid", &files.subgid, 0o644),
    ] {
        // Owner and mode of the package's file, where there is one.
        let before = target.symlink_metadata(path)?;
        let mode = before.as_ref().map_or(mode, |stat| stat.mode & 0o7777);
        target.write_atomic(path, text.as_bytes(), mode)?;
        if let Some(stat) = before {
            target.set_owner(path, stat.uid, stat.gid)?;
            target.set_mode(path, mode)?;
        }
    }
    if let Some(text) = accounts::sudoers(&answers.users) {
        target.mkdir_all("etc/sudoers.d", 0o750)?;
        target.write_atomic("etc/sudoers.d/50-cairn-install", text.as_bytes(), 0o440)?;
    }
    target.mkdir_all("home", 0o755)?;
    for (account, user) in added.iter().zip(&answers.users) {
        home(target, &account.name, account.id, &user.ssh_authorized_keys)?;
    }
    Ok(())
}

/// Makes a home directory: what `/etc/skel` holds, and the keys.
fn home(target: &Root, name: &str, id: u32, keys: &[String]) -> Result<(), InstallError> {
    let home = format!("home/{name}");
    target.mkdir_all(&home, 0o700)?;
    let mut made = vec![home.clone()];
    if target.exists("etc/skel")? {
        for file in target.read_dir("etc/skel")? {
            let from = format!("etc/skel/{file}");
            if target.symlink_metadata(&from)?.is_some_and(|stat| stat.is_file()) {
                let to = format!("{home}/{file}");
                target.write(&to, &target.read(&from)?, 0o644)?;
                made.push(to);
            }
        }
    }
    if !keys.is_empty() {
        target.mkdir_all(format!("{home}/.ssh"), 0o700)?;
        let path = format!("{home}/.ssh/authorized_keys");
        target.write(&path, (keys.join("\n") + "\n").as_bytes(), 0o600)?;
        made.extend([format!("{home}/.ssh"), path]);
    }
    for path in made {
        target.set_owner(&path, id, id)?;
    }
    Ok(())
}

/// Writes the files of the roles.
fn role_files(answers: &Answers, medium: &Medium, target: &Root) -> Result<(), InstallError> {
    let roles = answers.software.roles.iter().filter_map(|name| medium.software.roles.get(name));
    for (path, text) in roles.flat_map(|role| &role.files) {
        let path = path.trim_start_matches('/');
        if let Some((directory, _)) = path.rsplit_once('/') {
            target.mkdir_all(directory, 0o755)?;
        }
        target.write_atomic(path, text.as_bytes(), 0o644)?;
    }
    Ok(())
}

/// Applies the presets to all units, as images do, and enables those of the roles.
fn units(plan: &Plan) -> Result<(), InstallError> {
    let root = format!("--root={TARGET}");
    call(Tool::Systemctl, &["--quiet", &root, "preset-all"])?;
    if !plan.units.is_empty() {
        let mut arguments = vec!["--quiet", &root, "enable"];
        arguments.extend(plan.units.iter().map(String::as_str));
        call(Tool::Systemctl, &arguments)?;
    }
    Ok(())
}

/// Marks /etc and /var as up to date with /usr (systemd.unit(5), `ConditionNeedsUpdate`).
fn stamp(target: &Root) -> Result<(), InstallError> {
    let seconds = target.metadata("usr")?.map_or(0, |stat| stat.mtime);
    let text = format!(
        "# This file was created by cairn-install. It holds the time stamp of /usr.\nTIMESTAMP_NSEC={seconds}999999999\n"
    );
    for path in ["etc/.updated", "var/.updated"] {
        target.write_atomic(path, text.as_bytes(), 0o644)?;
        target.set_mtime(path, seconds + 1)?;
    }
    Ok(())
}
