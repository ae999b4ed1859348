// SPDX-License-Identifier: MIT OR Apache-2.0
//! Gives a case to our solver and compares.

use std::collections::BTreeSet;

use cairn_rpm::evr::Evr;
use cairn_solve::{ActionKind, CleanRequirements, Job, Options, PackageId, solve};

use crate::testcase::{Case, JobLine, Phase};

/// Solver flags that dnf sets always, or that ask for what it does anyway.
const FLAGS_OF_DNF: [&str; 4] =
    ["bestobeypolicy", "keepexplicitobsoletes", "keeporphans", "yumobsoletes"];

/// Judges a case.
///
/// # Errors
/// What it asks for that dnf does not have, or the first difference.
pub fn judge(case: &Case) -> Result<(), String> {
    let wants = |phase: &Phase| phase.wanted.contains("transaction");
    if case.comparisons.is_empty() && !case.phases.iter().any(wants) {
        let wanted: BTreeSet<&str> =
            case.phases.iter().flat_map(|phase| &phase.wanted).map(String::as_str).collect();
        return Err(format!("asks for: {}", wanted.into_iter().collect::<Vec<_>>().join(", ")));
    }
    if let Some(what) = case.unsupported.first() {
        return Err(format!("not understood: {what}"));
    }
    compare_versions(case)?;
    for (i, phase) in case.phases.iter().enumerate().filter(|(_, phase)| wants(phase)) {
        judge_phase(case, phase).map_err(|why| format!("problem {}: {why}", i + 1))?;
    }
    Ok(())
}

/// The versions of `evrcmp` lines are ordered; equal ones are written twice alike.
fn compare_versions(case: &Case) -> Result<(), String> {
    let mut seen: Vec<&str> = Vec::new();
    for (a, b) in &case.comparisons {
        let (first, second) = (Evr::parse(a).unwrap(), Evr::parse(b).unwrap());
        if first.cmp(&second) != second.cmp(&first).reverse() || (a == b) != (first == second) {
            return Err(format!("`{a}` and `{b}` compare as {:?}", first.cmp(&second)));
        }
        seen.extend([a.as_str(), b.as_str()]);
    }
    Ok(())
}

fn judge_phase(case: &Case, phase: &Phase) -> Result<(), String> {
    let (jobs, options) = jobs_and_options(case, phase)?;
    let outcome = solve(&case.universe, &jobs, &options);
    let has_problem = phase.expected.iter().any(|line| line.starts_with("problem "));
    let found = match outcome {
        Ok(_) if has_problem => return Err("libsolv finds no solution, we do".to_owned()),
        Err(_) if has_problem => return Ok(()),
        Err(explanation) => return Err(format!("we find no solution: {explanation}")),
        Ok(solution) => solution,
    };
    let found: BTreeSet<String> = found
        .actions
        .iter()
        .map(|action| format!("{} {}", verb(action.kind), case.full_name(action.package)))
        .collect();
    let expected = phase.expected.iter().filter_map(|line| expected_action(line)).collect();
    if found != expected {
        return Err(format!("libsolv {expected:?}, we {found:?}"));
    }
    if phase.wanted.contains("recommended") {
        judge_recommended(case, phase, &found)
    } else {
        Ok(())
    }
}

/// What libsolv recommends is what we add when weak dependencies are not ignored.
fn judge_recommended(case: &Case, phase: &Phase, strong: &BTreeSet<String>) -> Result<(), String> {
    let (jobs, mut options) = jobs_and_options(case, phase)?;
    options.install_weak_deps = true;
    let solution = solve(&case.universe, &jobs, &options).map_err(|error| error.to_string())?;
    let found: BTreeSet<String> = solution
        .actions
        .iter()
        .map(|action| format!("install {}", case.full_name(action.package)))
        .filter(|action| !strong.contains(action))
        .collect();
    let expected = phase
        .expected
        .iter()
        .filter_map(|line| line.strip_prefix("recommended "))
        .map(|package| format!("install {package}"))
        .collect();
    if found == expected {
        Ok(())
    } else {
        Err(format!("libsolv recommends {expected:?}, we {found:?}"))
    }
}

fn verb(kind: ActionKind) -> &'static str {
    match kind {
        ActionKind::Remove | ActionKind::Obsoleted => "erase",
        ActionKind::Install => "install",
        ActionKind::Upgrade => "upgrade",
        ActionKind::Downgrade => "downgrade",
        ActionKind::Reinstall => "reinstall",
    }
}

/// Reads `install NEW`, `erase OLD [OBSOLETER]`, `upgrade OLD NEW`; `None` for lines on other results.
fn expected_action(line: &str) -> Option<String> {
    match line.split_whitespace().collect::<Vec<_>>()[..] {
        [verb @ ("install" | "erase"), package, ..]
        | [verb @ ("upgrade" | "downgrade" | "reinstall"), _, package] => {
            Some(format!("{verb} {package}"))
        }
        _ => None,
    }
}

fn jobs_and_options(case: &Case, phase: &Phase) -> Result<(Vec<Job>, Options), String> {
    let mut options = Options {
        best: false,
        installonly_limit: 0,
        installonly_names: Vec::new(),
        clean_requirements: CleanRequirements::Never,
        excludes: case.disabled.clone(),
        exclude_unmet_weak: false,
        allow_downgrade: false,
        allow_vendor_change: false,
        focus_new: false,
        ..Options::default()
    };
    let is_installed = |id: &PackageId| case.universe.candidate(*id).is_installed();
    // What is hidden of the system stays as it is.
    let hidden = case.disabled.iter().copied().filter(is_installed).collect();
    let mut jobs = vec![Job::Lock(hidden)];
    for flag in &phase.flags {
        match flag.as_str() {
            "allowuninstall" => options.allow_erasing = true,
            "allowvendorchange" => options.allow_vendor_change = true,
            "focusnew" => options.focus_new = true,
            "ignorerecommended" => options.install_weak_deps = false,
            // Only the highest priority counts: so it does for the best.
            "strictrepopriority" => options.best = true,
            // Changes what jobs select.
            "noautotarget" => {}
            flag if FLAGS_OF_DNF.contains(&flag) => {}
            other => return Err(format!("solver flag `{other}`")),
        }
    }
    for (number, job) in (1i32..).zip(&phase.jobs) {
        let ids = case.select(job)?;
        let is_all = job.selection == "all";
        for flag in &job.flags {
            match flag.as_str() {
                "forcebest" => options.best = true,
                "cleandeps" => options.clean_requirements = CleanRequirements::Always,
                // Given with what dnf resolved already, as the packages of the job show.
                "targeted" | "setevr" | "setarch" => {}
                other => return Err(format!("job flag `{other}`")),
            }
        }
        match job.verb.as_str() {
            "install" => jobs.push(Job::Install(ids)),
            "erase" => jobs.push(Job::Remove(ids)),
            "update" if is_all => jobs.push(Job::Upgrade(None)),
            "distupgrade" if is_all => jobs.push(Job::DistroSync(None)),
            "update" => jobs.push(Job::Upgrade(Some(targets(case, phase, job, ids)))),
            "distupgrade" => jobs.push(Job::DistroSync(Some(targets(case, phase, job, ids)))),
            "allowuninstall" => options.allow_erasing = true,
            "excludefromweak" => options.exclude_from_weak.extend(ids),
            // The last one wins.
            "favor" => options.preferences.extend(ids.into_iter().map(|id| (id, number))),
            "disfavor" => options.preferences.extend(ids.into_iter().map(|id| (id, -number))),
            "multiversion" => options.installonly_names.push(job.words.join(" ")),
            "lock" => {
                let (installed, available) = ids.into_iter().partition(is_installed);
                jobs.push(Job::Lock(installed));
                options.excludes.extend::<Vec<_>>(available);
            }
            other => return Err(format!("job `{other}`")),
        }
    }
    Ok((jobs, options))
}

/// Returns what a job on some packages means: a selection without an installed package names the versions to go to ("targeted"), any
/// other one what may go anywhere.
fn targets(case: &Case, phase: &Phase, job: &JobLine, ids: Vec<PackageId>) -> Vec<PackageId> {
    let is_installed = |id: &PackageId| case.universe.candidate(*id).is_installed();
    let has_installed = ids.iter().any(is_installed);
    let is_automatic = !phase.flags.iter().any(|flag| flag == "noautotarget");
    let is_targeted =
        job.has("targeted") || job.selection == "repo" || (is_automatic && !has_installed);
    match is_targeted {
        true if ids.iter().all(is_installed) => Vec::new(),
        true => ids,
        false => ids.into_iter().filter(is_installed).collect(),
    }
}
