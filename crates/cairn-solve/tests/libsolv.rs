// SPDX-License-Identifier: MIT OR Apache-2.0
//! libsolv's own test cases (`.t` files), for those parts of them that dnf's policy has too.
//!
//! The cases are not part of this repository. To run them:
//! `CAIRN_LIBSOLV_CASES=…/libsolv/test/testcases cargo test -p cairn-solve --test libsolv -- --nocapture`
//! (the variable is read when the test is compiled). The test prints how many cases agree and shows
//! every difference; it fails only when a file cannot be read.
//!
//! Understood: `testtags` repositories given inline, the jobs install, update, distupgrade, erase,
//! lock, multiversion and allowuninstall by name, provides, pkg, oneof or all, and transaction
//! results. A case with anything else is counted as skipped.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test may panic and print")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use cairn_rpm::dependency::Dependency;
use cairn_rpm::evr::{Evr, Nevra};
use cairn_solve::{ActionKind, Candidate, Job, Options, PackageId, Universe, solve};

#[derive(Clone, Default)]
struct Case {
    universe: Universe,
    jobs: Vec<(String, Vec<String>)>,
    flags: BTreeSet<String>,
    unsupported: Option<String>,
}

#[derive(Default)]
struct Tally {
    agree: usize,
    differ: usize,
    skipped: usize,
}

#[test]
fn libsolv_cases() {
    let Some(dir) = option_env!("CAIRN_LIBSOLV_CASES") else { return };
    let mut paths = Vec::new();
    collect(Path::new(dir), &mut paths);
    paths.sort();
    let mut tally = Tally::default();
    for path in paths {
        let text = std::fs::read_to_string(&path).unwrap();
        let name = path.strip_prefix(dir).unwrap().display().to_string();
        run_file(&name, &text, &mut tally);
    }
    let Tally { agree, differ, skipped } = tally;
    println!("{agree} agree, {differ} differ, {skipped} skipped");
}

fn collect(dir: &Path, paths: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, paths);
        } else if path.extension().is_some_and(|extension| extension == "t") {
            paths.push(path);
        }
    }
}

fn run_file(name: &str, text: &str, tally: &mut Tally) {
    let mut case = Case::default();
    case.universe.repositories.push("system".to_owned());
    let mut system = "system".to_owned();
    for line in text.lines() {
        // The name of the installed repository is needed before the packages are read.
        if let Some(rest) = line.strip_prefix("system ") {
            rest.split_whitespace().nth(2).unwrap_or("system").clone_into(&mut system);
        }
    }
    let mut lines = text.lines().peekable();
    let mut number = 1;
    while let Some(line) = lines.next() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let mut inline = Vec::new();
        while let Some(next) = lines.peek().and_then(|next| next.strip_prefix("#>")) {
            inline.push(next);
            lines.next();
        }
        match words[..] {
            ["repo", repository, priority, kind, ..] => {
                let is_inline = words.last() == Some(&"<inline>");
                if kind == "testtags" && is_inline {
                    let priority: i32 = priority.split('.').next().unwrap().parse().unwrap();
                    case.add_repository(repository, repository == system, -priority, &inline);
                } else if kind != "empty" {
                    case.unsupported = Some(line.to_owned());
                }
            }
            ["job", ref job @ ..] => {
                let job: Vec<String> = job.iter().map(|&word| word.to_owned()).collect();
                case.jobs.push((job[0].clone(), job[1..].to_vec()));
            }
            ["solverflags", ref flags @ ..] => {
                case.flags = flags.iter().map(|&flag| flag.to_owned()).collect();
            }
            ["result", kinds, ..] => {
                let has_transaction = kinds.split(',').any(|kind| kind == "transaction");
                let label = format!("{name} #{number}");
                if has_transaction {
                    case.compare(&label, &inline, tally);
                } else {
                    tally.skipped += 1;
                }
            }
            ["nextjob", ..] => {
                number += 1;
                case.jobs.clear();
                case.flags.clear();
            }
            ["system", arch, kind, ..] if kind == "deb" || kind == "haiku" => {
                case.unsupported = Some(format!("system {arch} {kind}"));
            }
            ["poolflags" | "disable" | "namespace" | "genid" | "evrcmp", ..] => {
                case.unsupported = Some(line.to_owned());
            }
            _ => {}
        }
    }
}

impl Case {
    fn add_repository(&mut self, name: &str, is_system: bool, priority: i32, lines: &[&str]) {
        let repository = if is_system {
            0
        } else {
            self.universe.repositories.push(name.to_owned());
            self.universe.repositories.len() as u32 - 1
        };
        let mut block = None;
        for line in lines {
            let (key, value) = match block {
                Some(key) if !line.starts_with('=') && !line.starts_with('-') => (key, *line),
                _ => match (line.get(..1), line.get(1..).and_then(|rest| rest.split_once(':'))) {
                    (Some("="), Some((key, value))) => (key, value.trim()),
                    (Some("+"), Some((key, _))) => {
                        block = Some(key);
                        continue;
                    }
                    (Some("-"), _) => {
                        block = None;
                        continue;
                    }
                    _ => continue,
                },
            };
            self.add_tag(key, value, repository, priority);
        }
    }

    fn add_tag(&mut self, key: &str, value: &str, repository: u32, priority: i32) {
        if key == "Pkg" {
            let words: Vec<&str> = value.split_whitespace().collect();
            if words.len() < 4 {
                self.unsupported = Some(format!("package {value}"));
                return;
            }
            let evr = if words[2] == "-" || words[2].is_empty() {
                words[1].to_owned()
            } else {
                format!("{}-{}", words[1], words[2])
            };
            let nevra = Nevra::new(words[0], Evr::parse(&evr).unwrap(), words[3]);
            let candidate = Candidate { nevra, repository, priority, ..Candidate::default() };
            self.universe.candidates.push(candidate);
            return;
        }
        let Some(candidate) = self.universe.candidates.last_mut() else { return };
        let list = match key {
            "Prv" => &mut candidate.provides,
            "Req" => &mut candidate.requires,
            "Con" => &mut candidate.conflicts,
            "Obs" => &mut candidate.obsoletes,
            "Rec" => &mut candidate.recommends,
            "Sup" => &mut candidate.supplements,
            "Sug" => &mut candidate.suggests,
            "Ver" | "Vnd" => return,
            other => {
                self.unsupported = Some(format!("tag {other}"));
                return;
            }
        };
        if key == "Prv" && value.starts_with('/') {
            candidate.files.push(value.to_owned());
            return;
        }
        match Dependency::parse(&translate(value)) {
            Ok(dependency) => list.push(dependency),
            Err(error) => self.unsupported = Some(error.to_string()),
        }
    }

    fn compare(&self, label: &str, expected: &[&str], tally: &mut Tally) {
        let (jobs, options) = match self.jobs_and_options() {
            Ok(both) => both,
            Err(reason) => {
                println!("skipped {label}: {reason}");
                tally.skipped += 1;
                return;
            }
        };
        let has_problem = expected.iter().any(|line| line.starts_with("problem"));
        let outcome = solve(&self.universe, &jobs, &options);
        let found: BTreeSet<String> = match &outcome {
            Ok(solution) => solution
                .actions
                .iter()
                .map(|action| {
                    let verb = match action.kind {
                        ActionKind::Remove | ActionKind::Obsoleted => "erase",
                        ActionKind::Install => "install",
                        ActionKind::Upgrade => "upgrade",
                        ActionKind::Downgrade => "downgrade",
                        ActionKind::Reinstall => "reinstall",
                    };
                    let nevra = &self.universe.candidate(action.package).nevra;
                    format!("{verb} {nevra}")
                })
                .collect(),
            Err(_) => BTreeSet::from(["problem".to_owned()]),
        };
        let wanted: BTreeSet<String> = if has_problem {
            BTreeSet::from(["problem".to_owned()])
        } else {
            expected.iter().filter_map(|line| expected_action(line)).collect()
        };
        if found == wanted {
            tally.agree += 1;
        } else {
            tally.differ += 1;
            println!("differ {label}: {:?} {:?}", self.jobs, self.flags);
            println!("  libsolv {wanted:?}\n  cairn   {found:?}");
            if let Err(explanation) = outcome {
                println!("  {explanation}");
            }
        }
    }

    fn jobs_and_options(&self) -> Result<(Vec<Job>, Options), String> {
        if let Some(reason) = &self.unsupported {
            return Err(reason.clone());
        }
        let mut options = Options { best: false, installonly_limit: 0, ..Options::default() };
        options.installonly_names.clear();
        options.clean_requirements_on_remove = false;
        for flag in &self.flags {
            match flag.as_str() {
                "allowuninstall" => options.allow_erasing = true,
                "ignorerecommended" => options.install_weak_deps = false,
                // What dnf sets and we always do.
                "keeporphans"
                | "bestobeypolicy"
                | "yumobsoletes"
                | "keepexplicitobsoletes"
                | "allowvendorchange" => {}
                other => return Err(format!("flag {other}")),
            }
        }
        let mut jobs = Vec::new();
        for (verb, words) in &self.jobs {
            let flags = words.iter().find(|word| word.starts_with('['));
            if flags.is_some_and(|flags| flags.contains("forcebest")) {
                options.best = true;
            } else if let Some(flags) = flags {
                return Err(format!("job flags {flags}"));
            }
            let words: Vec<&str> =
                words.iter().map(String::as_str).filter(|word| !word.starts_with('[')).collect();
            let is_all = words[0] == "all";
            let ids = if is_all { Vec::new() } else { self.select(&words)? };
            match verb.as_str() {
                "install" => jobs.push(Job::Install(ids)),
                "erase" => jobs.push(Job::Remove(ids)),
                "lock" => jobs.push(Job::Lock(ids)),
                "update" if is_all => jobs.push(Job::Upgrade(None)),
                "update" => jobs.push(Job::Upgrade(Some(ids))),
                "distupgrade" if is_all => jobs.push(Job::DistroSync(None)),
                "distupgrade" if words[0] != "repo" => jobs.push(Job::DistroSync(Some(ids))),
                "multiversion" => options.installonly_names.push(words[1].to_owned()),
                "allowuninstall" => options.allow_erasing = true,
                other => return Err(format!("job {other} {}", words[0])),
            }
        }
        Ok((jobs, options))
    }

    fn select(&self, words: &[&str]) -> Result<Vec<PackageId>, String> {
        let find = |test: &dyn Fn(&Candidate) -> bool| -> Vec<PackageId> {
            let all = (0u32..).zip(&self.universe.candidates);
            all.filter(|(_, candidate)| test(candidate)).map(|(id, _)| PackageId(id)).collect()
        };
        let full_name = |candidate: &Candidate| {
            let repository = &self.universe.repositories[candidate.repository as usize];
            format!("{}@{repository}", candidate.nevra)
        };
        let dependency =
            || Dependency::parse(&words[1..].join(" ")).map_err(|error| error.to_string());
        match words[0] {
            "name" => {
                let wanted = dependency()?;
                Ok(find(&|candidate| {
                    let (name, arch) = wanted.name.rsplit_once('.').unwrap_or((&wanted.name, ""));
                    let nevra = &candidate.nevra;
                    let is_named =
                        nevra.name == wanted.name || (nevra.name == name && nevra.arch == arch);
                    is_named && wanted.matches_evr(&nevra.evr)
                }))
            }
            "provides" => {
                let wanted = dependency()?;
                Ok(find(&|candidate| {
                    let own = Dependency::new(candidate.nevra.name.as_str());
                    own.name == wanted.name
                        || candidate.provides.iter().any(|provide| wanted.is_satisfied_by(provide))
                }))
            }
            "pkg" | "oneof" => Ok(find(&|candidate| words[1..].contains(&&*full_name(candidate)))),
            other => Err(format!("selection {other}")),
        }
    }
}

/// Reads `install a-1-1.noarch@repo`, `upgrade a-1… a-2…`; `None` for lines on other results and
/// for the old version of an obsoleted package, which counts as erased.
fn expected_action(line: &str) -> Option<String> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let without_repository =
        |word: &str| word.rsplit_once('@').map_or(word, |(name, _)| name).to_owned();
    match words[..] {
        [verb @ ("install" | "erase"), package, ..]
        | [verb @ ("upgrade" | "downgrade" | "reinstall"), .., package] => {
            Some(format!("{verb} {}", without_repository(package)))
        }
        _ => None,
    }
}

/// Turns libsolv's rich operators into rpm's.
fn translate(text: &str) -> String {
    let is_rich = [" & ", " | ", " <IF> ", " <UNLESS> ", " <ELSE> ", " + ", " - "]
        .iter()
        .any(|operator| text.contains(operator));
    if !is_rich {
        return text.to_owned();
    }
    let text = text
        .replace(" & ", " and ")
        .replace(" | ", " or ")
        .replace(" <IF> ", " if ")
        .replace(" <UNLESS> ", " unless ")
        .replace(" <ELSE> ", " else ")
        .replace(" + ", " with ")
        .replace(" - ", " without ");
    if text.starts_with('(') && text.ends_with(')') { text } else { format!("({text})") }
}
