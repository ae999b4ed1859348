// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reads libsolv's `.t` files (the format of `testsolv`, described by its source `ext/testcase.c`).

use std::collections::{BTreeMap, BTreeSet};

use cairn_rpm::dependency::Dependency;
use cairn_rpm::evr::{Evr, Nevra};
use cairn_solve::{Candidate, PackageId, Universe};

/// A file: packages, and one or more problems over them.
#[derive(Clone, Default)]
pub struct Case {
    pub universe: Universe,
    pub phases: Vec<Phase>,
    /// Packages that are hidden from the solver.
    pub disabled: BTreeSet<PackageId>,
    /// `evrcmp A B` lines.
    pub comparisons: Vec<(String, String)>,
    /// What of the file cannot be expressed.
    pub unsupported: BTreeSet<String>,
}

/// What lies between two `nextjob` lines.
#[derive(Clone, Default)]
pub struct Phase {
    pub jobs: Vec<JobLine>,
    pub flags: Vec<String>,
    /// `transaction`, `problems`, … of the `result` lines.
    pub wanted: BTreeSet<String>,
    pub expected: Vec<String>,
}

/// `job VERB SELECTION WORDS… [FLAGS]`.
#[derive(Clone, Default)]
pub struct JobLine {
    pub verb: String,
    pub selection: String,
    pub words: Vec<String>,
    pub flags: Vec<String>,
}

/// Reads `files[name]`; other files of its directory may be included.
pub fn read(files: &BTreeMap<String, String>, name: &str) -> Case {
    let directory = name.rsplit_once('/').map_or("", |(directory, _)| directory);
    let text = &files[name];
    let mut case = Case::default();
    case.universe.repositories.push(installed_repository(text));
    let mut phase = Phase::default();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let mut inline = Vec::new();
        if words.last() == Some(&"<inline>") {
            while let Some(next) = lines.peek().and_then(|next| next.strip_prefix("#>")) {
                inline.push(next.to_owned());
                lines.next();
            }
        }
        match words[..] {
            [] => {}
            [comment, ..] if comment.starts_with('#') => {}
            ["repo", _, _, "empty"] => {}
            ["repo", repository, priority, "testtags", file] => {
                if file != "<inline>" {
                    let included = &files[&format!("{directory}/{file}")];
                    inline = included.lines().map(str::to_owned).collect();
                }
                case.add_repository(repository, priority, &inline);
            }
            ["system", arch, ..] => case.hide_other_architectures(arch),
            ["job", ref job @ ..] => phase.jobs.push(JobLine::parse(job)),
            ["solverflags", ref flags @ ..] => {
                phase.flags.extend(flags.iter().map(|&flag| flag.to_owned()));
            }
            ["result", kinds, ..] => {
                phase.wanted.extend(kinds.split(',').map(str::to_owned));
                phase.expected = inline;
            }
            ["nextjob", ..] => case.phases.push(std::mem::take(&mut phase)),
            ["disable", "pkg", package] => {
                let hidden = case.packages(|_, full_name| full_name == package);
                case.disabled.extend(hidden);
            }
            ["evrcmp", a, b] => case.comparisons.push((a.to_owned(), b.to_owned())),
            ["feature", "complex_deps"] => {}
            // dnf sets both; the rest of a file shows whether it matters.
            ["poolflags", "implicitobsoleteusescolors" | "whatprovideswithdisabled"] => {}
            [word, ..] => {
                case.unsupported.insert(format!("`{word}` line"));
            }
        }
    }
    case.phases.push(phase);
    case.mark_user_installed();
    case
}

/// Returns the name of the repository that stands for what is installed; empty when there is none.
fn installed_repository(text: &str) -> String {
    let system = text.lines().find_map(|line| line.strip_prefix("system "));
    system.and_then(|rest| rest.split_whitespace().nth(2)).unwrap_or_default().to_owned()
}

impl JobLine {
    fn parse(words: &[&str]) -> Self {
        let (flags, words): (Vec<&str>, Vec<&str>) =
            words.iter().partition(|word| word.starts_with('['));
        let flags = flags.iter().flat_map(|list| list.trim_matches(['[', ']']).split(','));
        Self {
            verb: words[0].to_owned(),
            selection: words.get(1).copied().unwrap_or_default().to_owned(),
            words: words.iter().skip(2).map(|&word| word.to_owned()).collect(),
            flags: flags.map(str::to_owned).collect(),
        }
    }

    pub fn has(&self, flag: &str) -> bool {
        self.flags.iter().any(|own| own == flag)
    }
}

impl Case {
    /// Returns the packages for which `test` holds; it is given `name-evr.arch@repository` too.
    pub fn packages(&self, test: impl Fn(&Candidate, &str) -> bool) -> Vec<PackageId> {
        (0u32..)
            .zip(&self.universe.candidates)
            .filter(|(id, candidate)| test(candidate, &self.full_name(PackageId(*id))))
            .map(|(id, _)| PackageId(id))
            .collect()
    }

    pub fn full_name(&self, id: PackageId) -> String {
        let candidate = self.universe.candidate(id);
        let repository = &self.universe.repositories[candidate.repository as usize];
        format!("{}@{repository}", candidate.nevra)
    }

    /// Returns the packages a job names.
    pub fn select(&self, job: &JobLine) -> Result<Vec<PackageId>, String> {
        let text = job.words.join(" ");
        let wanted = || Dependency::parse(&text).map_err(|error| error.to_string());
        match job.selection.as_str() {
            "name" => {
                let wanted = wanted()?;
                let (name, arch) = wanted.name.rsplit_once('.').unwrap_or((&wanted.name, ""));
                Ok(self.packages(|candidate, _| {
                    let nevra = &candidate.nevra;
                    let is_named =
                        nevra.name == wanted.name || (nevra.name == name && nevra.arch == arch);
                    is_named && wanted.matches_evr(&nevra.evr)
                }))
            }
            "provides" if text.starts_with("namespace:") => Err("namespace".to_owned()),
            "provides" => {
                let wanted = wanted()?;
                Ok(self.packages(|candidate, _| {
                    let is_self = candidate.nevra.name == wanted.name
                        && wanted.matches_evr(&candidate.nevra.evr);
                    is_self
                        || candidate.provides.iter().any(|provide| wanted.is_satisfied_by(provide))
                }))
            }
            "pkg" | "oneof" => {
                Ok(self.packages(|_, full_name| job.words.iter().any(|word| word == full_name)))
            }
            "all" => Ok(self.packages(|_, _| true)),
            "repo" => {
                let repositories = &self.universe.repositories;
                Ok(self.packages(|candidate, _| {
                    repositories[candidate.repository as usize] == job.words[0]
                }))
            }
            other => Err(format!("selection `{other}`")),
        }
    }

    fn add_repository(&mut self, name: &str, priority: &str, lines: &[String]) {
        let repositories = &mut self.universe.repositories;
        let repository = if repositories[0] == name {
            0
        } else {
            repositories.push(name.to_owned());
            repositories.len() as u32 - 1
        };
        let priority: i32 = priority.split('.').next().unwrap().parse().unwrap();
        for line in lines {
            let Some((key, value)) = line.strip_prefix('=').and_then(|rest| rest.split_once(':'))
            else {
                assert!(line.trim().is_empty() || line.starts_with('#'), "testtags: {line}");
                continue;
            };
            if key == "Pkg" {
                // libsolv prefers the highest priority, .repo files the lowest.
                self.add_package(value, repository, -priority);
            } else if key != "Ver" {
                self.add_tag(key, value.trim());
            }
        }
    }

    fn add_package(&mut self, value: &str, repository: u32, priority: i32) {
        let words: Vec<&str> = value.split_whitespace().collect();
        let evr = Evr::parse(&format!("{}-{}", words[1], words[2])).unwrap();
        let nevra = Nevra::new(words[0], evr, words.get(3).copied().unwrap_or_default());
        let candidate = Candidate { nevra, repository, priority, ..Candidate::default() };
        self.universe.candidates.push(candidate);
    }

    fn add_tag(&mut self, key: &str, value: &str) {
        let candidate = self.universe.candidates.last_mut().unwrap();
        let list = match key {
            "Prv" if value.starts_with('/') => return candidate.files.push(value.to_owned()),
            "Vnd" => return value.clone_into(&mut candidate.vendor),
            "Prv" => &mut candidate.provides,
            "Req" => &mut candidate.requires,
            "Con" => &mut candidate.conflicts,
            "Obs" => &mut candidate.obsoletes,
            "Rec" => &mut candidate.recommends,
            "Sup" => &mut candidate.supplements,
            "Sug" => &mut candidate.suggests,
            "Enh" => &mut candidate.enhances,
            other => {
                self.unsupported.insert(format!("tag `{other}`"));
                return;
            }
        };
        match Dependency::parse(&rpm_operators(value)) {
            Ok(dependency) => list.push(dependency),
            Err(error) => {
                self.unsupported.insert(error.to_string());
            }
        }
    }

    /// The files do not say why a package is installed: what another one requires came as its dependency.
    fn mark_user_installed(&mut self) {
        let universe = self.universe.clone();
        let installed = |candidate: &&Candidate| candidate.is_installed();
        let required: Vec<&Dependency> =
            universe.candidates.iter().filter(installed).flat_map(|own| &own.requires).collect();
        for candidate in self.universe.candidates.iter_mut().filter(|own| own.is_installed()) {
            candidate.user_installed = !required.iter().any(|wanted| {
                wanted.name == candidate.nevra.name
                    || candidate.provides.iter().any(|provide| wanted.is_satisfied_by(provide))
            });
        }
    }

    /// Hides what the machine cannot run.
    fn hide_other_architectures(&mut self, machine: &str) {
        let known: &[&str] = match machine {
            "x86_64" => &["x86_64", "i686", "i586", "i486", "i386", "noarch", ""],
            "i686" => &["i686", "i586", "i486", "i386", "noarch", ""],
            "i586" => &["i586", "i486", "i386", "noarch", ""],
            "unset" | "amd64" => return,
            other => panic!("architecture {other}"),
        };
        let foreign = self.packages(|candidate, _| !known.contains(&candidate.nevra.arch.as_str()));
        self.disabled.extend(foreign);
    }
}

/// Turns libsolv's rich operators into rpm's.
fn rpm_operators(text: &str) -> String {
    let operators = [
        (" & ", " and "),
        (" | ", " or "),
        (" <IF> ", " if "),
        (" <UNLESS> ", " unless "),
        (" <ELSE> ", " else "),
        (" + ", " with "),
        (" - ", " without "),
    ];
    if !operators.iter().any(|(operator, _)| text.contains(operator)) {
        return text.to_owned();
    }
    let mut text = text.to_owned();
    if text.contains(" <ELSE> ") {
        // `A <IF> (B <ELSE> C)` is rpm's `(A if B else C)`.
        text = text.replace(" <IF> (", " <IF> ").trim_end_matches(')').to_owned();
    }
    let text = operators.iter().fold(text, |text, (ours, rpm)| text.replace(ours, rpm));
    if text.starts_with('(') && text.ends_with(')') { text } else { format!("({text})") }
}
