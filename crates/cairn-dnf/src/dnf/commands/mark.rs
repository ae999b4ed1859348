// SPDX-License-Identifier: MIT OR Apache-2.0
//! `dnf mark`: changes why packages are installed.

use super::change::request;
use super::recover::recover_first;
use crate::dnf::cli::{KeepOptions, MarkArgs, MarkCommand, MarkSpecs, ResolveOptions};
use crate::dnf::session::{Loaded, Needs, Session};
use crate::dnf::transact::{Choices, run_plan, unresolvable};
use crate::failure::{CommandResult, Failure, complain};
use cairn_pkg::query::{SpecScope, match_spec};
use cairn_pkg::resolve::{Plan, PlanAction, PlanItem, Problem};
use cairn_pkg::state::PackageReason;

/// Runs `dnf mark`.
pub fn mark(session: &Session, args: &MarkArgs) -> CommandResult {
    recover_first(session)?;
    let loaded = session.load(Needs::INSTALLED)?;
    let (specs, reason) = match &args.reason {
        MarkCommand::User(specs) => (specs, PackageReason::User),
        MarkCommand::Dependency(specs) => (specs, PackageReason::Dependency),
        MarkCommand::Weak(specs) => (specs, PackageReason::WeakDependency),
        MarkCommand::Group(args) => (&args.packages, PackageReason::Group),
    };
    let keep = KeepOptions { offline: args.offline, store: args.store.clone() };
    let options = ResolveOptions { skip_unavailable: args.skip_unavailable, ..keep.resolve() };
    let mut plan = plan((session, &loaded), specs, reason, &options)?;
    if let MarkCommand::Group(args) = &args.reason {
        let mut request = request(session, &loaded, &ResolveOptions::default());
        if !request.check_group(&args.group) {
            return Err(unresolvable(&request));
        }
        let names = plan.items.iter().map(|item| loaded.sack.get(item.id).nevra().name.clone());
        plan.group_members = names.map(|name| (args.group.clone(), name)).collect();
    }
    let choices = Choices { resolve: options, ..Choices::default() };
    run_plan(session, &loaded, &plan, &choices)
}

fn plan(
    (session, loaded): (&Session, &Loaded),
    specs: &MarkSpecs,
    reason: PackageReason,
    options: &ResolveOptions,
) -> Result<Plan, Failure> {
    let mut request = request(session, loaded, options);
    let mut plan = Plan::default();
    for spec in &specs.specs {
        let (ids, _) = match_spec(&loaded.sack, spec, SpecScope::Installed);
        if ids.is_empty() {
            let message = format!("No match for argument: {spec}");
            if options.skip_unavailable {
                complain(&message);
            } else {
                request.problems.push(Problem { message, is_unavailable: false });
            }
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
                let action = PlanAction::ReasonChange;
                plan.items.push(PlanItem { action, id, replaces: Vec::new(), reason });
            }
        }
    }
    if !request.problems.is_empty() {
        return Err(unresolvable(&request));
    }
    plan.sort(&loaded.sack);
    plan.items.dedup();
    Ok(plan)
}
