// SPDX-License-Identifier: MIT OR Apache-2.0
//! The result as JSON: on the target after a success, in the live system after a failure. No secrets.

use cairn_host::{Clock, Root};
use serde_json::json;

use super::Run;
use crate::error::InstallError;

/// Where the installed system keeps the record.
pub const RESULT_DIRECTORY: &str = "/var/log/cairn-install";
/// Where the live system keeps what the installer needs and, after a failure, the record.
pub const STATE_DIRECTORY: &str = "/run/cairn-install";

/// Returns the installer's directory in the live system.
pub(super) fn state_root() -> Result<Root, InstallError> {
    let root = Root::create(STATE_DIRECTORY)?;
    root.set_mode("", 0o700)?;
    Ok(root)
}

/// Writes the record of a success, plan and answers to the target.
pub(super) fn success(run: &Run<'_>, target: &Root) -> Result<(), InstallError> {
    let directory = RESULT_DIRECTORY.trim_start_matches('/');
    target.mkdir_all(directory, 0o700)?;
    target.set_mode(directory, 0o700)?;
    let plan = serde_json::to_string_pretty(run.plan).unwrap_or_default() + "\n";
    for (name, text) in [
        ("result.json", result(run, None)),
        ("plan.json", plan),
        ("answers.toml", run.answers.without_secrets().to_toml()),
    ] {
        target.write(format!("{directory}/{name}"), text.as_bytes(), 0o600)?;
    }
    Ok(())
}

/// Writes the record of a failure to the live system.
pub(super) fn failure(run: &Run<'_>, reason: &str) -> Result<(), InstallError> {
    Ok(state_root()?.write("result.json", result(run, Some(reason)).as_bytes(), 0o600)?)
}

fn result(run: &Run<'_>, failure: Option<&str>) -> String {
    let software = &run.medium.software;
    let value = json!({
        "version": 1,
        "result": if failure.is_some() { "failed" } else { "complete" },
        "reason": failure,
        "product": format!("{} {}", software.name, software.release),
        "disk": run.plan.target.path,
        "serial": run.plan.target.serial,
        "plan": run.plan.digest(),
        "profile": run.answers.software.profile,
        "roles": run.answers.software.roles,
        "notes": run.notes,
        "started": run.started,
        "finished": Clock::system().now_unix(),
    });
    serde_json::to_string_pretty(&value).unwrap_or_default() + "\n"
}
