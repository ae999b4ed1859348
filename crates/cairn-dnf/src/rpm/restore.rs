// SPDX-License-Identifier: MIT OR Apache-2.0
//! `rpm --restore`, `--setperms`, `--setugids` and `--setcaps`: gives files what their packages say.

use super::Context;
use super::query;
use crate::failure::{CommandResult, complain};
use cairn_pkg::capability::Capabilities;
use cairn_pkg::owners::Owners;
use cairn_rpm::header::FileEntry;
use cairn_ui::exit;

/// What is restored.
#[derive(Clone, Copy)]
struct Parts {
    owners: bool,
    modes: bool,
    capabilities: bool,
    times: bool,
}

/// Runs the restoring modes.
pub fn run(context: &Context) -> CommandResult {
    let options = &context.options;
    let has = |flag: &str| options.has(flag);
    let all = !(has("setperms") || has("setugids") || has("setcaps"));
    let parts = Parts {
        owners: all || has("setugids"),
        modes: all || has("setperms") || has("setugids"),
        // Giving a file away drops its capabilities.
        capabilities: all || has("setcaps") || has("setugids"),
        times: all,
    };
    let mut failed = 0_u8;
    let mut selected = Vec::new();
    query::select(context, &mut |found| match found {
        Ok(package) => selected.push(package),
        Err(()) => failed = failed.saturating_add(1),
    })?;
    let owners = Owners::load(&context.root)?;
    for package in &selected {
        for file in package.header.files() {
            if file.state.is_some_and(|state| state != 0) {
                continue;
            }
            if let Err(failure) = restore(context, &owners, &file, parts) {
                complain(&format!("error: {}: {failure}", file.path));
                failed = exit::FAILURE;
            }
        }
    }
    Ok(failed)
}

fn restore(
    context: &Context,
    owners: &Owners,
    file: &FileEntry,
    parts: Parts,
) -> Result<(), String> {
    let root = &context.root;
    let text = |error: cairn_host::HostError| cairn_pkg::repos::error::chain(&error);
    let Some(stat) = root.symlink_metadata(&file.path).map_err(text)? else { return Ok(()) };
    if stat.is_symlink() != file.is_symlink() || stat.is_dir() != file.is_directory() {
        return Ok(());
    }
    if parts.owners {
        let user = owners.user(&file.user).ok_or(format!("user {} does not exist", file.user))?;
        let group =
            owners.group(&file.group).ok_or(format!("group {} does not exist", file.group))?;
        root.set_owner(&file.path, user, group).map_err(text)?;
    }
    if file.is_symlink() || file.is_ghost() {
        return Ok(());
    }
    if parts.modes {
        root.set_mode(&file.path, u32::from(file.mode & 0o7777)).map_err(text)?;
    }
    if parts.capabilities && file.is_regular() {
        const NAME: &str = "security.capability";
        match Capabilities::parse(&file.caps) {
            Some(caps) if !file.caps.is_empty() => {
                root.set_xattr(&file.path, NAME, &caps.to_attribute()).map_err(text)?;
            }
            _ if root.get_xattr(&file.path, NAME).map_err(text)?.is_some() => {
                root.remove_xattr(&file.path, NAME).map_err(text)?;
            }
            _ => {}
        }
    }
    if parts.times && file.is_regular() {
        root.set_mtime(&file.path, i64::from(file.mtime)).map_err(text)?;
    }
    Ok(())
}
