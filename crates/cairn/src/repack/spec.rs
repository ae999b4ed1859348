// SPDX-License-Identifier: MIT OR Apache-2.0
//! Makes the RPM builder's [`PackageSpec`] from a [`Draft`].

use std::collections::{BTreeMap, BTreeSet};

use cairn_rpm::build::{FileKind, FileSpec, PackageSpec, TriggerScope, TriggerSpec};
use cairn_rpm::dependency::Dependency;
use cairn_rpm::header::{FileFlags, Scriptlet, ScriptletKind, TriggerKind, Value};
use cairn_rpm::tag;

use super::files::{PlannedFile, PlannedKind};
use super::split::Draft;
use super::{RepackError, RepackOptions, rule_error};
use crate::overlay::Overlay;
use crate::overlay::schema::{FileTrigger, FileTriggerKind, ScriptletBodies, Units};

/// Part of systemd; what packages with units call.
const UPDATE_HELPER: &str = "/usr/lib/systemd/systemd-update-helper";

/// Units that came with a transaction; their presets are applied at its end.
const NEW_UNITS: &str = "/var/lib/rpm-state/systemd-update-helper/new-units";

/// Makes the builder's description of a package.
pub fn spec(
    draft: Draft,
    overlay: &Overlay<'_>,
    options: &RepackOptions,
) -> Result<PackageSpec, RepackError> {
    let dependencies =
        |kind: &str, texts: BTreeSet<String>| -> Result<Vec<Dependency>, RepackError> {
            let parse = |text: String| {
                Dependency::parse(&text)
                    .map_err(|error| rule_error(overlay, format!("{kind} `{text}`: {error}")))
            };
            texts.into_iter().map(parse).collect()
        };
    let mut spec = PackageSpec::new(draft.name, draft.evr, draft.arch.as_str());
    spec.summary = draft.summary;
    spec.description = draft.description;
    spec.license = draft.license;
    spec.url = draft.url;
    spec.vendor.clone_from(&options.vendor);
    spec.source_package = draft.source_package;
    spec.requires = dependencies("requires", draft.requires)?;
    spec.provides = dependencies("provides", draft.provides)?;
    spec.conflicts = dependencies("conflicts", draft.conflicts)?;
    spec.obsoletes = dependencies("obsoletes", draft.obsoletes)?;
    spec.recommends = dependencies("recommends", draft.recommends)?;
    spec.files = draft.files.into_values().map(file_spec).collect();
    if draft.scriptlets.units != Units::default() {
        // Presets need systemd, but no service needs systemd in a container.
        spec.order_with_requires = dependencies("units", ["systemd".to_owned()].into())?;
    }
    spec.scriptlets = scriptlets(draft.scriptlets);
    spec.triggers = draft.file_triggers.into_iter().map(trigger).collect();
    if !draft.vcs.is_empty() {
        spec.extra_tags.insert(tag::VCS, Value::text(draft.vcs));
    }
    Ok(spec)
}

fn file_spec(file: PlannedFile) -> FileSpec {
    let mut flags = FileFlags::NONE;
    if file.config {
        flags = flags | FileFlags::CONFIG | FileFlags::NOREPLACE;
    }
    if file.license {
        flags = flags | FileFlags::LICENSE;
    }
    let kind = match file.kind {
        PlannedKind::Regular(bytes) => FileKind::Regular(bytes),
        PlannedKind::Directory => FileKind::Directory,
        PlannedKind::Symlink(target) => FileKind::Symlink(target),
        PlannedKind::Ghost => {
            flags = flags | FileFlags::GHOST;
            FileKind::Ghost
        }
    };
    FileSpec {
        path: file.path,
        kind,
        mode: file.mode,
        user: file.user,
        group: file.group,
        mtime: file.mtime,
        flags,
        caps: file.caps,
        verify_flags: file.verify_flags,
    }
}

fn scriptlets(bodies: ScriptletBodies) -> BTreeMap<ScriptletKind, Scriptlet> {
    let Units { post, preun, postun } = bodies.units;
    let bodies = [
        (ScriptletKind::PreTransaction, bodies.pretrans),
        (ScriptletKind::PreInstall, bodies.pre),
        (ScriptletKind::PostInstall, with_units(bodies.post, "post", post)),
        (ScriptletKind::PreUninstall, with_units(bodies.preun, "preun", preun)),
        (ScriptletKind::PostUninstall, with_units(bodies.postun, "postun", postun)),
        (ScriptletKind::PostTransaction, bodies.posttrans),
    ];
    let shell = |body: String| Scriptlet {
        interpreter: vec!["/bin/sh".to_owned()],
        body: Some(body),
        flags: 0,
    };
    bodies.into_iter().filter_map(|(kind, body)| Some((kind, shell(body?)))).collect()
}

/// Adds to a scriptlet what it does with units.
fn with_units(body: Option<String>, action: &str, units: Option<String>) -> Option<String> {
    let Some(units) = units else { return body };
    let call = format!("[ ! -x {UPDATE_HELPER} ] || {UPDATE_HELPER} {action} $1 {units}");
    let call = if action == "post" {
        // What the helper does, which makes the directory, without starting it for every package.
        format!("[ $1 -gt 1 ] || echo {units} 2> /dev/null >> {NEW_UNITS} || {call}")
    } else {
        call
    };
    Some(body.into_iter().chain([call]).collect::<Vec<_>>().join("\n"))
}

fn trigger(trigger: FileTrigger) -> TriggerSpec {
    let (scope, kind) = match trigger.kind {
        FileTriggerKind::In => (TriggerScope::File, TriggerKind::Install),
        FileTriggerKind::Un => (TriggerScope::File, TriggerKind::Uninstall),
        FileTriggerKind::Postun => (TriggerScope::File, TriggerKind::PostUninstall),
        FileTriggerKind::TransactionIn => (TriggerScope::TransactionFile, TriggerKind::Install),
        FileTriggerKind::TransactionUn => (TriggerScope::TransactionFile, TriggerKind::Uninstall),
        FileTriggerKind::TransactionPostun => {
            (TriggerScope::TransactionFile, TriggerKind::PostUninstall)
        }
    };
    let condition = |path: String| (kind, Dependency { name: path, constraint: None, sense: 0 });
    TriggerSpec {
        scope,
        interpreter: trigger.interpreter,
        body: trigger.script,
        flags: 0,
        priority: trigger.priority,
        conditions: trigger.paths.into_iter().map(condition).collect(),
    }
}

/// Returns the flags of a file in words.
#[cfg(test)]
pub(crate) fn flag_names(file: &FileSpec) -> String {
    let names = [
        (FileFlags::CONFIG, "config"),
        (FileFlags::NOREPLACE, "noreplace"),
        (FileFlags::GHOST, "ghost"),
        (FileFlags::LICENSE, "license"),
    ];
    let set = names.iter().filter(|(flag, _)| file.flags.contains(*flag)).map(|(_, name)| *name);
    let not_verified =
        (file.verify_flags != u32::MAX).then(|| format!("not verified: {:#x}", !file.verify_flags));
    set.map(str::to_owned).chain(not_verified).collect::<Vec<_>>().join(" ")
}
