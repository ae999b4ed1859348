// SPDX-License-Identifier: MIT OR Apache-2.0
//! `dnf builddep`: installs what building packages requires and removes what conflicts with building them. Source packages carry
//! that themselves; spec files are read by `rpmspec`, since only rpm's own build system knows what their macros mean.

use super::change::request;
use super::recover::recover_first;
use crate::dnf::cli::BuilddepArgs;
use crate::dnf::local::{is_url, split_specs};
use crate::dnf::session::{Needs, Session};
use crate::dnf::transact::{Choices, run_plan, solve_request, unresolvable};
use crate::failure::{CommandResult, Failure, complain};
use cairn_host::{Invocation, Tool};
use cairn_pkg::query::{Sack, SackPackage, SpecScope, filter, match_spec};
use cairn_pkg::resolve::{Plan, PlanAction};
use cairn_rpm::dependency::Dependency;
use cairn_solve::PackageId;
use std::collections::BTreeSet;

/// What has to be there and what must not.
#[derive(Debug, Default)]
struct BuildNeeds {
    requires: Vec<Dependency>,
    conflicts: Vec<Dependency>,
}

/// Runs `dnf builddep`.
pub fn builddep(session: &Session, args: &BuilddepArgs) -> CommandResult {
    recover_first(session)?;
    let mut build = BuildNeeds::default();
    let mut names: Vec<&String> = Vec::new();
    for text in &args.specs {
        if args.spec || !args.srpm && text.ends_with(".spec") {
            build.add_spec_file(text, args)?;
        } else if args.srpm || is_source_file(text) {
            if ![&args.define, &args.with, &args.without].iter().all(|list| list.is_empty()) {
                complain(
                    "Warning: -D/--define/--with/--without arguments have no effect on source rpm packages.",
                );
            }
            build.add_source_file(session, text)?;
        } else {
            names.push(text);
        }
    }
    let filelists = build.requires.iter().any(Dependency::is_file) || !names.is_empty();
    let mut loaded = session.load(Needs { filelists, ..Needs::ALL })?;
    let mut is_missing = false;
    for name in names {
        let sources = sources_of(&loaded.sack, name);
        if sources.is_empty() {
            complain(&format!("No package matched \"{name}\"."));
            is_missing = true;
        }
        for id in sources {
            let candidate = loaded.sack.get(id).candidate;
            build.requires.extend(candidate.requires.iter().cloned());
            build.conflicts.extend(candidate.conflicts.iter().cloned());
        }
    }
    if is_missing {
        return Err(Failure::lines(vec!["Failed to parse some inputs.".to_owned()]));
    }
    let obsoleters = obsoleters(&loaded.sack, &build.requires);
    loaded.excluded.extend(obsoleters);
    let unwanted = offered(&loaded.sack, &build.conflicts);
    loaded.excluded.extend(unwanted);
    let mut request = request(session, &loaded, &args.resolve);
    let mut seen = BTreeSet::new();
    for wanted in build.requires.iter().filter(|wanted| seen.insert(wanted.to_string())) {
        request.require(wanted);
    }
    build.conflicts.iter().for_each(|unwanted| request.forbid(unwanted));
    if !request.problems.is_empty() {
        return Err(unresolvable(&request));
    }
    let choices = Choices { resolve: args.resolve.clone(), ..Choices::default() };
    let plan = solve_request(session, &loaded, &request, &choices)?;
    if !args.resolve.skip_unavailable && !args.resolve.skip_broken {
        check(&loaded.sack, &plan, &build.requires)?;
    }
    request.messages.iter().for_each(|message| complain(message));
    run_plan(session, &loaded, &plan, &choices)
}

/// Returns what would be installed in the place of what is required without providing it.
fn obsoleters(sack: &Sack, requires: &[Dependency]) -> Vec<PackageId> {
    let wanted = requires.iter().filter(|wanted| !wanted.is_rich());
    let providers: Vec<SackPackage<'_>> =
        wanted.flat_map(|wanted| sack.providers(wanted)).collect();
    let is_provider = |id: PackageId| providers.iter().any(|provider| provider.id == id);
    let obsoletes = |package: &SackPackage<'_>| {
        package.candidate.obsoletes.iter().any(|obsolete| {
            providers.iter().any(|provider| {
                let nevra = provider.nevra();
                nevra.name == obsolete.name && obsolete.matches_evr(&nevra.evr)
            })
        })
    };
    let found = sack.available().filter(|package| obsoletes(package) && !is_provider(package.id));
    found.map(|package| package.id).collect()
}

/// Returns what is available and provides one of these.
fn offered(sack: &Sack, capabilities: &[Dependency]) -> Vec<PackageId> {
    let plain = capabilities.iter().filter(|capability| !capability.is_rich());
    let providers = plain.flat_map(|capability| sack.providers(capability));
    providers.filter(|package| !package.is_installed()).map(|package| package.id).collect()
}

/// What is installed already may obsolete a requirement without providing it.
fn check(sack: &Sack, plan: &Plan, requires: &[Dependency]) -> Result<(), Failure> {
    let gone: BTreeSet<PackageId> = plan
        .items
        .iter()
        .flat_map(|item| {
            let removed = (item.action == PlanAction::Remove).then_some(item.id);
            item.replaces.iter().copied().chain(removed)
        })
        .collect();
    let stays = sack.installed().map(|package| package.id).filter(|id| !gone.contains(id));
    let after: Vec<_> =
        stays.chain(plan.inbound().map(|item| item.id)).map(|id| sack.get(id).candidate).collect();
    let is_open = |wanted: &&Dependency| !wanted.is_rpmlib() && !filter::is_met(wanted, &after);
    let mut open: Vec<String> =
        requires.iter().filter(is_open).map(|wanted| format!("  - {wanted}")).collect();
    if open.is_empty() {
        return Ok(());
    }
    open.sort();
    open.dedup();
    open.insert(
        0,
        "Problem: what is required for building is obsoleted by other packages".to_owned(),
    );
    open.insert(0, "Failed to resolve the transaction:".to_owned());
    Err(Failure::lines(open))
}

fn is_source_file(text: &str) -> bool {
    text.ends_with(".src.rpm") || text.ends_with(".nosrc.rpm")
}

impl BuildNeeds {
    fn add_source_file(&mut self, session: &Session, text: &str) -> Result<(), Failure> {
        // With a slash a name is a file's, wherever it lies.
        let path =
            if is_url(text) || text.contains('/') { text.to_owned() } else { format!("./{text}") };
        if !is_url(&path) && !std::path::Path::new(&path).exists() {
            return Err(Failure::lines(vec![
                format!("Failed to open \"{text}\": No such file or directory"),
                "Failed to parse some inputs.".to_owned(),
            ]));
        }
        let (files, _) = split_specs(session, &[path])?;
        let Some((_, header, _)) = files.first() else {
            return Err(Failure::new(format!("`{text}` is no source package"))
                .hint("give the path of a .src.rpm file"));
        };
        self.requires.extend(header.requires());
        self.conflicts.extend(header.conflicts());
        Ok(())
    }

    fn add_spec_file(&mut self, path: &str, args: &BuilddepArgs) -> Result<(), Failure> {
        for (option, into) in
            [("--buildrequires", &mut self.requires), ("--buildconflicts", &mut self.conflicts)]
        {
            let mut invocation = Invocation::new(Tool::Rpmspec).args(["--query", "--srpm", option]);
            for text in &args.define {
                invocation = invocation.args(["--define", text]);
            }
            let conditions = args.with.iter().map(|name| format!("--with={name}"));
            let conditions =
                conditions.chain(args.without.iter().map(|n| format!("--without={n}")));
            let output = invocation.args(conditions).args(["--", path]).run_unchecked()?;
            if !output.success() {
                let text = output.stderr_text();
                // That the program could not do what it was asked for is said below.
                let lines =
                    text.lines().filter(|line| !line.starts_with("error: query of specfile"));
                let mut lines: Vec<String> = lines.map(str::to_owned).collect();
                lines.push(format!("Failed to parse spec file \"{path}\"."));
                lines.push("Failed to parse some inputs.".to_owned());
                return Err(Failure::lines(lines));
            }
            for line in output.stdout_text().lines().filter(|line| !line.trim().is_empty()) {
                let dependency = Dependency::parse(line.trim())
                    .map_err(|error| Failure::new(format!("{path}: `{line}`: {error}")))?;
                into.push(dependency);
            }
        }
        Ok(())
    }
}

/// Returns the newest source packages that a spec means: itself, or those its packages were built from.
fn sources_of(sack: &Sack, spec: &str) -> Vec<PackageId> {
    let (found, _) = match_spec(sack, spec, SpecScope::Available);
    let (own, built): (Vec<PackageId>, Vec<PackageId>) =
        found.into_iter().partition(|id| sack.get(*id).nevra().arch == "src");
    if !own.is_empty() {
        return filter::latest(sack, &own, 1);
    }
    filter::sources_of(sack, &filter::latest(sack, &built, 1))
}
