// SPDX-License-Identifier: MIT OR Apache-2.0
//! `dnf mark`: changes why packages are installed.

use super::recover::recover_first;
use crate::dnf::cli::{MarkArgs, MarkReason};
use crate::dnf::session::{Needs, Session};
use crate::dnf::transact::{Choices, run_plan};
use crate::failure::{CommandResult, Failure, complain};
use cairn_pkg::query::{SpecScope, match_spec};
use cairn_pkg::resolve::{Plan, PlanAction, PlanItem};
use cairn_pkg::state::PackageReason;

/// Runs `dnf mark`.
pub fn mark(session: &Session, args: &MarkArgs) -> CommandResult {
    recover_first(session)?;
    let loaded = session.load(Needs::INSTALLED)?;
    let reason = match args.reason {
        MarkReason::User => PackageReason::User,
        MarkReason::Dependency => PackageReason::Dependency,
        MarkReason::Weak => PackageReason::WeakDependency,
    };
    let mut plan = Plan::default();
    for spec in &args.specs {
        let (ids, _) = match_spec(&loaded.sack, spec, SpecScope::Installed);
        if ids.is_empty() {
            return Err(Failure::lines(vec![
                "Failed to resolve the transaction:".to_owned(),
                format!("No match for argument: {spec}"),
            ]));
        }
        for id in ids {
            let package = loaded.sack.get(id);
            if package.details.reason == reason {
                complain(&format!(
                    "Package \"{}\" is already installed with reason \"{}\".",
                    package.nevra(),
                    reason.as_str()
                ));
            } else {
                plan.items.push(PlanItem {
                    action: PlanAction::ReasonChange,
                    id,
                    replaces: Vec::new(),
                    reason,
                });
            }
        }
    }
    plan.sort(&loaded.sack);
    plan.items.dedup();
    run_plan(session, &loaded, &plan, &Choices::default())
}
