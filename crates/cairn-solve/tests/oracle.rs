// SPDX-License-Identifier: MIT OR Apache-2.0
//! Small random universes against brute force: what we find is sound, and we find something
//! whenever there is something.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::collections::BTreeSet;
use std::fmt::Write;

use cairn_rpm::dependency::{Dependency, RichDependency};
use cairn_solve::{Candidate, Job, Options, PackageId, Solution, Universe, solve};
use proptest::prelude::*;

const NAMES: [&str; 5] = ["a", "b", "c", "d", "e"];
const CAPABILITIES: [&str; 2] = ["x", "y"];

/// A deterministic stream of choices, so that a failing universe prints as text.
struct Choices(u64);

impl Choices {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }

    fn capability(&mut self) -> String {
        let n_names = NAMES.len() as u64;
        let i = self.below(n_names + CAPABILITIES.len() as u64);
        if i >= n_names {
            return CAPABILITIES[(i - n_names) as usize].to_owned();
        }
        let name = NAMES[i as usize];
        match self.below(4) {
            0 => format!("{name} >= {}", 1 + self.below(2)),
            1 => format!("{name} < 2"),
            _ => name.to_owned(),
        }
    }

    fn rich(&mut self) -> String {
        let (one, two, three) = (self.capability(), self.capability(), self.capability());
        match self.below(8) {
            0 => format!("({one} or {two})"),
            1 => format!("({one} and {two})"),
            2 => format!("({one} if {two})"),
            3 => format!("({one} if {two} else {three})"),
            4 => format!("({one} unless {two})"),
            5 => format!("(({one} or {two}) if {three})"),
            6 => format!("({one} with {two})"),
            _ => format!("({one} without {two})"),
        }
    }

    fn dependency(&mut self) -> String {
        if self.below(4) == 0 { self.rich() } else { self.capability() }
    }

    fn package(&mut self, repository: &str) -> String {
        let name = NAMES[self.below(NAMES.len() as u64) as usize];
        let mut line = format!("{repository}: {name}-{}", 1 + self.below(2));
        for (field, chance) in [("provides", 3), ("requires", 1), ("conflicts", 4)] {
            if self.below(chance + 1) == 0 {
                let value = match field {
                    "provides" => CAPABILITIES[self.below(2) as usize].to_owned(),
                    _ => self.dependency(),
                };
                write!(line, "; {field} {value}").unwrap();
            }
        }
        if self.below(8) == 0 {
            write!(line, "; obsoletes {}", NAMES[self.below(5) as usize]).unwrap();
        }
        if self.below(5) == 0 {
            write!(line, "; recommends {}", self.dependency()).unwrap();
        }
        line
    }
}

fn generate(seed: u64) -> String {
    let mut choices = Choices(seed);
    let mut lines = vec!["## random".to_owned()];
    let n_installed = choices.below(4);
    let mut seen = BTreeSet::new();
    for i in 0..=choices.below(5) + 3 {
        let line = choices.package(if i < n_installed { "installed" } else { "main" });
        // One installed package of a name, and no package twice.
        let key = line.split(';').next().unwrap().to_owned();
        let name = key.rsplit_once('-').unwrap().0.to_owned();
        let is_new = if i < n_installed { seen.insert(name) } else { seen.insert(key) };
        if is_new {
            lines.push(line);
        }
    }
    if choices.below(2) == 0 {
        lines.push("options: erasing=yes best=no".to_owned());
    } else {
        lines.push("options: best=no".to_owned());
    }
    let job = ["install", "install", "install", "upgrade"][choices.below(4) as usize];
    let name = NAMES[choices.below(5) as usize];
    lines.push(if job == "upgrade" { "> upgrade".to_owned() } else { format!("> install {name}") });
    lines.join("\n")
}

/// Says whether one package satisfies a plain, `with` or `without` dependency.
fn single(rich: &RichDependency, id: u32, provides: &dyn Fn(u32, &Dependency) -> bool) -> bool {
    match rich {
        RichDependency::Simple(wanted) => provides(id, wanted),
        RichDependency::With(parts) => parts.iter().all(|part| single(part, id, provides)),
        RichDependency::Without(first, second) => {
            single(first, id, provides) && !single(second, id, provides)
        }
        _ => unreachable!(),
    }
}

fn satisfied(universe: &Universe, set: &BTreeSet<u32>, dependency: &RichDependency) -> bool {
    let provides = |id: u32, wanted: &Dependency| {
        let candidate = universe.candidate(PackageId(id));
        (candidate.nevra.name == wanted.name && wanted.matches_evr(&candidate.nevra.evr))
            || candidate.provides.iter().any(|provide| wanted.is_satisfied_by(provide))
    };
    let go = |part: &RichDependency| satisfied(universe, set, part);
    match dependency {
        RichDependency::Simple(_) | RichDependency::With(_) | RichDependency::Without(..) => {
            set.iter().any(|&id| single(dependency, id, &provides))
        }
        RichDependency::And(parts) => parts.iter().all(go),
        RichDependency::Or(parts) => parts.iter().any(go),
        RichDependency::If { requirement, condition, otherwise } => {
            if go(condition) {
                go(requirement)
            } else {
                otherwise.as_deref().is_none_or(go)
            }
        }
        RichDependency::Unless { requirement, condition, otherwise } => {
            if go(condition) {
                otherwise.as_deref().is_some_and(go)
            } else {
                go(requirement)
            }
        }
    }
}

/// Says whether all rules of a set hold. What is broken among installed packages does not count.
fn is_sound(universe: &Universe, set: &BTreeSet<u32>) -> Result<(), String> {
    let installed: BTreeSet<u32> = (0u32..)
        .zip(&universe.candidates)
        .filter(|(_, candidate)| candidate.is_installed())
        .map(|(id, _)| id)
        .collect();
    for &id in set {
        let candidate = universe.candidate(PackageId(id));
        for &other in set {
            let other_candidate = universe.candidate(PackageId(other));
            if other != id && other_candidate.nevra.name == candidate.nevra.name {
                return Err(format!("two of {}", candidate.nevra.name));
            }
            let is_old = candidate.is_installed() && other_candidate.is_installed();
            let obsoletes = |dependency: &Dependency| {
                dependency.name == other_candidate.nevra.name
                    && dependency.matches_evr(&other_candidate.nevra.evr)
            };
            if other != id && !is_old && candidate.obsoletes.iter().any(obsoletes) {
                return Err(format!("{} obsoletes {}", candidate.nevra, other_candidate.nevra));
            }
        }
        for dependency in &candidate.requires {
            let rich = RichDependency::parse(&dependency.to_string()).unwrap();
            let was_broken = candidate.is_installed() && !satisfied(universe, &installed, &rich);
            if !was_broken && !satisfied(universe, set, &rich) {
                return Err(format!("{} requires {dependency}", candidate.nevra));
            }
        }
        for dependency in &candidate.conflicts {
            let rich = RichDependency::parse(&dependency.to_string()).unwrap();
            let without_self = |all: &BTreeSet<u32>| -> BTreeSet<u32> {
                all.iter().copied().filter(|&other| other != id).collect()
            };
            // A package never conflicts with itself or another version of itself.
            let mut others = without_self(set);
            if !dependency.is_rich() && candidate.is_installed() {
                others.retain(|other| !installed.contains(other));
            }
            let was_broken = candidate.is_installed()
                && dependency.is_rich()
                && satisfied(universe, &without_self(&installed), &rich);
            if !was_broken && satisfied(universe, &others, &rich) {
                return Err(format!("{} conflicts {dependency}", candidate.nevra));
            }
        }
    }
    Ok(())
}

/// Returns the installed set after a solution.
fn apply(universe: &Universe, solution: &Solution) -> BTreeSet<u32> {
    let mut set: BTreeSet<u32> = (0u32..)
        .zip(&universe.candidates)
        .filter(|(_, candidate)| candidate.is_installed())
        .map(|(id, _)| id)
        .collect();
    for action in &solution.actions {
        if universe.candidate(action.package).is_installed() {
            assert!(set.remove(&action.package.0));
        }
        for replaced in &action.replaces {
            set.remove(&replaced.0);
        }
    }
    for action in &solution.actions {
        if !universe.candidate(action.package).is_installed() {
            set.insert(action.package.0);
        }
    }
    set
}

/// Says whether each installed package is still there in some version, or obsoleted.
fn keeps_installed(universe: &Universe, set: &BTreeSet<u32>) -> bool {
    universe.candidates.iter().filter(|candidate| candidate.is_installed()).all(|installed| {
        set.iter().map(|&id| universe.candidate(PackageId(id))).any(|candidate: &Candidate| {
            candidate.nevra.name == installed.nevra.name
                || candidate.obsoletes.iter().any(|obsolete| {
                    obsolete.name == installed.nevra.name
                        && obsolete.matches_evr(&installed.nevra.evr)
                })
        })
    })
}

fn brute_force(universe: &Universe, jobs: &[Job], options: &Options) -> bool {
    let n_packages = universe.candidates.len() as u32;
    (0u32..1 << n_packages).any(|bits| {
        let set: BTreeSet<u32> = (0..n_packages).filter(|id| bits & (1 << id) != 0).collect();
        let does_jobs = jobs.iter().all(|job| match job {
            Job::Install(ids) => ids.iter().any(|id| set.contains(&id.0)),
            _ => true,
        });
        does_jobs
            && (options.allow_erasing || keeps_installed(universe, &set))
            && is_sound(universe, &set).is_ok()
    })
}

/// Says whether a rich conflict names its own package: what that means is anybody's guess.
fn conflicts_with_itself(candidate: &Candidate) -> bool {
    let mut is_found = false;
    for dependency in candidate.conflicts.iter().filter(|dependency| dependency.is_rich()) {
        let rich = RichDependency::parse(&dependency.name).unwrap();
        rich.for_each_simple(&mut |simple| {
            is_found |= simple.name == candidate.nevra.name
                || candidate.provides.iter().any(|provide| provide.name == simple.name);
        });
    }
    is_found
}

fn check(seed: u64) -> Result<(), String> {
    let text = generate(seed);
    let lines: Vec<&str> = text.lines().collect();
    let scenario = support::Scenario::parse(&lines);
    let universe = &scenario.universe;
    if scenario.jobs.iter().any(|job| matches!(job, Job::Install(ids) if ids.is_empty())) {
        return Ok(());
    }
    if universe.candidates.iter().any(conflicts_with_itself) {
        return Ok(());
    }
    let outcome = solve(universe, &scenario.jobs, &scenario.options);
    let fail = |what: String| {
        let lines = support::render(universe, &outcome).join("\n");
        Err(format!("seed {seed}: {what}\n{text}\n{lines}"))
    };
    match &outcome {
        Ok(solution) => {
            let set = apply(universe, solution);
            if let Err(problem) = is_sound(universe, &set) {
                return fail(problem);
            }
            let does_jobs = scenario.jobs.iter().all(|job| match job {
                // A successor that obsoletes what was asked for will do.
                Job::Install(ids) => ids.iter().any(|id| {
                    let wanted = universe.candidate(*id);
                    set.contains(&id.0)
                        || set.iter().any(|&other| {
                            universe.candidate(PackageId(other)).obsoletes.iter().any(|obsolete| {
                                obsolete.name == wanted.nevra.name
                                    && obsolete.matches_evr(&wanted.nevra.evr)
                            })
                        })
                }),
                _ => true,
            });
            if !does_jobs {
                return fail("the job is not done".to_owned());
            }
            if !scenario.options.allow_erasing && !keeps_installed(universe, &set) {
                return fail("something was removed".to_owned());
            }
            Ok(())
        }
        Err(explanation) if explanation.lines[0].starts_with("internal") => {
            fail("internal error".to_owned())
        }
        Err(_) if brute_force(universe, &scenario.jobs, &scenario.options) => {
            fail("there is a solution".to_owned())
        }
        Err(explanation) => {
            assert!(explanation.lines.len() > 1, "{text}\n{explanation}");
            Ok(())
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn sound_and_complete(seed in any::<u64>()) {
        if let Err(message) = check(seed) {
            return Err(TestCaseError::fail(message));
        }
    }
}
