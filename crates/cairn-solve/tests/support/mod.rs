// SPDX-License-Identifier: MIT OR Apache-2.0
//! Scenarios in text: packages, one job line, and what came out.
//!
//! ```text
//! ## title
//! installed: a-1 user; requires b >= 1, /bin/sh
//! main: a-2; obsoletes c < 3
//! options: best=no erasing=yes weak=no clean=no limit=2 protect=a running=1-1.noarch exclude=b-2
//! > install a b
//! < upgrade a-2 user (a-1)
//! ```
//! Versions without a release get `-1`, packages without an architecture are `noarch`. Repositories
//! are numbered by first use; `main/10` has priority 10. Lines that start with `<` are the result.

use std::fmt::Write;

use cairn_rpm::dependency::Dependency;
use cairn_rpm::evr::{Evr, Nevra};
use cairn_solve::{
    Action, ActionKind, Candidate, CleanRequirements, Explanation, Job, Options, PackageId, Reason,
    Solution, Universe,
};

#[derive(Debug, Default)]
pub struct Scenario {
    pub universe: Universe,
    pub options: Options,
    pub jobs: Vec<Job>,
}

#[allow(dead_code, reason = "the oracle test uses only the parser")]
/// Runs every scenario of a document and returns the document with fresh `<` lines.
pub fn run_document(text: &str) -> String {
    let mut out = String::new();
    let mut blocks: Vec<Vec<&str>> = vec![Vec::new()];
    for line in text.lines().filter(|line| !line.starts_with('<')) {
        if line.starts_with("## ") {
            blocks.push(Vec::new());
        }
        blocks.last_mut().unwrap().push(line);
    }
    for block in blocks.iter().filter(|block| !block.is_empty()) {
        let lines: Vec<&str> = block.iter().copied().filter(|line| !line.is_empty()).collect();
        for line in &lines {
            writeln!(out, "{line}").unwrap();
        }
        if lines[0].starts_with("## ") {
            let scenario = Scenario::parse(&lines);
            let outcome = cairn_solve::solve(&scenario.universe, &scenario.jobs, &scenario.options);
            let again = cairn_solve::solve(&scenario.universe, &scenario.jobs, &scenario.options);
            assert_eq!(outcome, again, "not deterministic: {}", lines[0]);
            for line in render(&scenario.universe, &outcome) {
                writeln!(out, "< {line}").unwrap();
            }
        }
        out.push('\n');
    }
    out.truncate(out.trim_end().len());
    out.push('\n');
    out
}

#[allow(dead_code, reason = "the oracle test uses only the parser")]
/// Counts the scenarios of a document.
pub fn count(text: &str) -> usize {
    text.lines().filter(|line| line.starts_with("## ")).count()
}

impl Scenario {
    pub fn parse(lines: &[&str]) -> Self {
        let mut scenario = Self::default();
        scenario.universe.repositories.push("@System".to_owned());
        let mut jobs = Vec::new();
        let mut options = Vec::new();
        for line in lines.iter().filter(|line| !line.starts_with('#')) {
            if let Some(job) = line.strip_prefix("> ") {
                jobs.push(job);
            } else {
                let (head, rest) = line.split_once(':').unwrap_or_else(|| panic!("line {line:?}"));
                match head {
                    "options" => options.extend(rest.split_whitespace()),
                    _ => scenario.add_package(head, rest.trim()),
                }
            }
        }
        for option in options {
            scenario.set_option(option);
        }
        for job in jobs {
            scenario.add_job(job);
        }
        scenario
    }

    fn add_package(&mut self, repository: &str, text: &str) {
        let mut candidate = Candidate::default();
        let (name, priority) = repository.split_once('/').unwrap_or((repository, "99"));
        candidate.priority = priority.parse().unwrap();
        if name != "installed" {
            let names = &mut self.universe.repositories;
            let position = names.iter().position(|other| other == name);
            let number = position.unwrap_or_else(|| {
                names.push(name.to_owned());
                names.len() - 1
            });
            candidate.repository = number as u32;
        }
        let mut parts = text.split(';').map(str::trim);
        let mut head = parts.next().unwrap().split_whitespace();
        candidate.nevra = nevra(head.next().unwrap());
        candidate.user_installed = head.next() == Some("user");
        for part in parts.filter(|part| !part.is_empty()) {
            let (key, values) = part.split_once(' ').unwrap();
            if key == "vendor" {
                values.clone_into(&mut candidate.vendor);
                continue;
            }
            if key == "files" {
                candidate.files.extend(values.split(',').map(|path| path.trim().to_owned()));
                continue;
            }
            let dependencies =
                values.split(',').map(|value| Dependency::parse(value).unwrap()).collect();
            *match key {
                "provides" => &mut candidate.provides,
                "requires" => &mut candidate.requires,
                "conflicts" => &mut candidate.conflicts,
                "obsoletes" => &mut candidate.obsoletes,
                "recommends" => &mut candidate.recommends,
                "suggests" => &mut candidate.suggests,
                "enhances" => &mut candidate.enhances,
                "supplements" => &mut candidate.supplements,
                _ => panic!("unknown field {key}"),
            } = dependencies;
        }
        self.universe.candidates.push(candidate);
    }

    fn set_option(&mut self, option: &str) {
        let (key, value) = option.split_once('=').unwrap();
        let is_yes = value == "yes";
        match key {
            "best" => self.options.best = is_yes,
            "erasing" => self.options.allow_erasing = is_yes,
            "weak" => self.options.install_weak_deps = is_yes,
            "clean" => {
                self.options.clean_requirements = match value {
                    "always" => CleanRequirements::Always,
                    "yes" => CleanRequirements::OnRemove,
                    _ => CleanRequirements::Never,
                }
            }
            "downgrade" => self.options.allow_downgrade = is_yes,
            "vendor-change" => self.options.allow_vendor_change = is_yes,
            "focus-new" => self.options.focus_new = is_yes,
            "not-weak" => {
                self.options.exclude_from_weak = self.select(&[value]).into_iter().collect()
            }
            "unmet-weak" => self.options.exclude_unmet_weak = !is_yes,
            "prefer" => {
                let ids = self.select(&[value]).into_iter();
                self.options.preferences.extend(ids.map(|id| (id, 1)));
            }
            "avoid" => {
                let ids = self.select(&[value]).into_iter();
                self.options.preferences.extend(ids.map(|id| (id, -1)));
            }
            "limit" => self.options.installonly_limit = value.parse().unwrap(),
            "protect" => self.options.protected.push(value.to_owned()),
            "running" => self.options.running_kernel = Some(value.to_owned()),
            "exclude" => self.options.excludes = self.select(&[value]).into_iter().collect(),
            _ => panic!("unknown option {key}"),
        }
    }

    fn add_job(&mut self, text: &str) {
        let words: Vec<&str> = text.split_whitespace().collect();
        let (verb, specs) = words.split_first().unwrap();
        let some = |ids: Vec<PackageId>| if ids.is_empty() { None } else { Some(ids) };
        match *verb {
            "install" => {
                for spec in specs {
                    let ids = self.select(&[spec]);
                    self.jobs.push(Job::Install(ids));
                }
            }
            "meet" => self.jobs.push(Job::Meet(Dependency::parse(&specs.join(" ")).unwrap())),
            "remove" => self.jobs.push(Job::Remove(self.select(specs))),
            "upgrade" => self.jobs.push(Job::Upgrade(some(self.select(specs)))),
            "downgrade" => self.jobs.push(Job::Downgrade(self.select(specs))),
            "reinstall" => self.jobs.push(Job::Reinstall(self.select(specs))),
            "distro-sync" => self.jobs.push(Job::DistroSync(some(self.select(specs)))),
            "autoremove" => self.jobs.push(Job::Autoremove),
            "lock" => self.jobs.push(Job::Lock(self.select(specs))),
            _ => panic!("unknown job {verb}"),
        }
    }

    /// Returns the packages a word means: a name, name-version, or something provided.
    fn select(&self, specs: &[&str]) -> Vec<PackageId> {
        let find = |test: &dyn Fn(&Candidate) -> bool| -> Vec<PackageId> {
            let all = (0u32..).zip(&self.universe.candidates);
            all.filter(|(_, candidate)| test(candidate)).map(|(id, _)| PackageId(id)).collect()
        };
        let mut found = Vec::new();
        for spec in specs {
            let mut ids = find(&|candidate| candidate.nevra.name == *spec);
            if ids.is_empty() {
                ids = find(&|candidate| short(&candidate.nevra) == *spec);
            }
            if ids.is_empty() {
                ids = find(&|candidate| candidate.nevra.to_string() == *spec);
            }
            if ids.is_empty() {
                ids = find(&|candidate| {
                    candidate.provides.iter().any(|provide| provide.name == *spec)
                });
            }
            found.extend(ids);
        }
        found
    }
}

fn nevra(text: &str) -> Nevra {
    let (text, arch) = match text.rsplit_once('.') {
        Some((rest, arch)) if ["noarch", "x86_64", "i686"].contains(&arch) => (rest, arch),
        _ => (text, "noarch"),
    };
    let mut parts = text.rsplitn(3, '-').collect::<Vec<_>>();
    parts.reverse();
    match parts[..] {
        [name, version, release] if version.starts_with(|c: char| c.is_ascii_digit()) => {
            let evr = Evr::parse(&format!("{version}-{release}")).unwrap();
            Nevra::new(name, evr, arch)
        }
        _ => {
            let (name, version) = text.rsplit_once('-').unwrap();
            let mut evr = Evr::parse(version).unwrap();
            "1".clone_into(&mut evr.release);
            Nevra::new(name, evr, arch)
        }
    }
}

fn short(nevra: &Nevra) -> String {
    let text = nevra.to_string();
    let text = text.strip_suffix(".noarch").unwrap_or(&text);
    text.strip_suffix("-1").unwrap_or(text).to_owned()
}

pub fn render(universe: &Universe, outcome: &Result<Solution, Explanation>) -> Vec<String> {
    let solution = match outcome {
        Ok(solution) => solution,
        Err(explanation) => {
            let lines = explanation.lines.iter().enumerate();
            return lines
                .map(
                    |(i, line)| if i == 0 { format!("error: {line}") } else { format!("- {line}") },
                )
                .collect();
        }
    };
    let mut lines: Vec<String> =
        solution.actions.iter().map(|action| render_action(universe, action)).collect();
    if lines.is_empty() {
        lines.push("nothing to do".to_owned());
    }
    for skipped in &solution.skipped {
        lines.push(format!("skipped {}", short(&universe.candidate(skipped.package).nevra)));
        lines.extend(skipped.explanation.lines.iter().map(|line| format!("- {line}")));
    }
    lines
}

fn render_action(universe: &Universe, action: &Action) -> String {
    let name = |id: PackageId| short(&universe.candidate(id).nevra);
    let kind = match action.kind {
        ActionKind::Remove => "remove",
        ActionKind::Obsoleted => "obsoleted",
        ActionKind::Install => "install",
        ActionKind::Upgrade => "upgrade",
        ActionKind::Downgrade => "downgrade",
        ActionKind::Reinstall => "reinstall",
    };
    let reason = match action.reason {
        Reason::User => "user",
        Reason::Dependency => "dependency",
        Reason::WeakDependency => "weak",
        Reason::Group => "group",
        Reason::Clean => "clean",
        Reason::External => "external",
    };
    let mut line = format!("{kind} {} {reason}", name(action.package));
    let repository = universe.candidate(action.package).repository;
    if repository > 1 {
        write!(line, " from {}", universe.repository_name(repository)).unwrap();
    }
    if !action.replaces.is_empty() {
        let replaced: Vec<String> = action.replaces.iter().map(|&id| name(id)).collect();
        write!(line, " ({})", replaced.join(", ")).unwrap();
    }
    line
}
