// SPDX-License-Identifier: MIT OR Apache-2.0
//! The formats of `dnf repoquery --queryformat`: text with `%{tag}`, optionally padded as in `%-20{name}`.

use crate::dnf::display::repository_of;
use cairn_pkg::query::filter::DependencyKind;
use cairn_pkg::query::{Sack, SackPackage};
use cairn_pkg::state::PackageReason;
use cairn_rpm::dependency::{Dependency, sense};
use std::collections::BTreeSet;

/// Names of all tags, sorted.
pub const TAGS: &[&str] = &[
    "arch",
    "buildtime",
    "conflicts",
    "debug_name",
    "depends",
    "description",
    "downloadsize",
    "enhances",
    "epoch",
    "evr",
    "files",
    "from_repo",
    "full_nevra",
    "group",
    "installsize",
    "installtime",
    "license",
    "location",
    "name",
    "obsoletes",
    "packager",
    "prereq_ignoreinst",
    "provides",
    "reason",
    "recommends",
    "regular_requires",
    "release",
    "repoid",
    "reponame",
    "requires",
    "requires_pre",
    "source_debug_name",
    "source_name",
    "sourcerpm",
    "suggests",
    "summary",
    "supplements",
    "url",
    "vendor",
    "version",
];

/// What a package's own data does not tell.
#[derive(Debug, Clone, Copy)]
pub struct Around<'a> {
    /// All packages.
    pub sack: &'a Sack,
    /// Where the package file lies.
    pub location: &'a str,
}

/// Returns the text for one package, its escape `\n` replaced. What is no known tag stays as it is.
pub fn render(format: &str, package: SackPackage<'_>, around: Around<'_>) -> String {
    let mut out = String::new();
    let mut rest = format;
    while let Some(position) = rest.find(['%', '\\']) {
        out.push_str(&rest[..position]);
        let marker = &rest[position..];
        let (text, length) =
            if marker.starts_with('\\') { escape(marker) } else { tag(marker, package, around) };
        out.push_str(&text);
        rest = &marker[length..];
    }
    out.push_str(rest);
    out
}

fn escape(marker: &str) -> (String, usize) {
    match marker.chars().nth(1) {
        Some('n') => ("\n".to_owned(), 2),
        Some(other) => (format!("\\{other}"), 1 + other.len_utf8()),
        None => ("\\".to_owned(), 1),
    }
}

fn tag(marker: &str, package: SackPackage<'_>, around: Around<'_>) -> (String, usize) {
    let keep = ("%".to_owned(), 1);
    let Some(open) = marker.find('{') else { return keep };
    let width_text = &marker[1..open];
    let digits = width_text.strip_prefix('-').unwrap_or(width_text);
    if !digits.chars().all(|c| c.is_ascii_digit()) {
        return keep;
    }
    let Some(close) = marker[open..].find('}').map(|index| open + index) else { return keep };
    let Some(value) = value(&marker[open + 1..close].to_ascii_lowercase(), package, around) else {
        return keep;
    };
    let width: usize = digits.parse().unwrap_or(0).min(1000);
    let text = if width_text.starts_with('-') {
        format!("{value:<width$}")
    } else {
        format!("{value:>width$}")
    };
    (text, close + 1)
}

/// Returns dependencies of one kind, one a line.
pub fn dependency_lines(package: SackPackage<'_>, kind: DependencyKind) -> Vec<String> {
    let mut lines: Vec<String> =
        kind.of(package.candidate).iter().map(ToString::to_string).collect();
    lines.sort_unstable();
    lines.dedup();
    lines
}

/// Says whether a script needs this. Metadata tells only whether it is needed before the package or its scripts are installed.
pub fn is_of_scripts(dependency: &Dependency) -> bool {
    const SCRIPTS: u32 = sense::PREREQ
        | sense::SCRIPT_PRE
        | sense::SCRIPT_POST
        | sense::SCRIPT_PREUN
        | sense::SCRIPT_POSTUN;
    dependency.sense & SCRIPTS != 0
}

/// Says whether only scripts that install need this.
fn is_of_installation(dependency: &Dependency) -> bool {
    let sense = dependency.sense;
    sense & (sense::SCRIPT_PRE | sense::SCRIPT_POST) != 0
        && sense & (sense::SCRIPT_PREUN | sense::SCRIPT_POSTUN) == 0
}

/// Returns what a package itself needs and what goes well with it, in dnf5's order of the kinds.
pub fn depends_lines(package: SackPackage<'_>) -> Vec<String> {
    use DependencyKind as K;
    let mut lines = requirement_lines(package, false);
    for kind in [K::Enhances, K::Suggests, K::Supplements, K::Recommends] {
        lines.extend(dependency_lines(package, kind));
    }
    lines
}

/// Returns the requirements of scripts (`true`) or the other ones.
pub fn requirement_lines(package: SackPackage<'_>, of_scripts: bool) -> Vec<String> {
    let is_wanted = |dependency: &&Dependency| is_of_scripts(dependency) == of_scripts;
    let mut lines: Vec<String> =
        package.candidate.requires.iter().filter(is_wanted).map(ToString::to_string).collect();
    lines.sort_unstable();
    lines.dedup();
    lines
}

/// Returns a list, each entry on a line of its own.
fn listed(lines: impl IntoIterator<Item = String>) -> String {
    lines.into_iter().map(|line| line + "\n").collect()
}

/// Returns why a package is installed; of one that is not, why the installed one of its name and architecture is.
fn reason(package: SackPackage<'_>, sack: &Sack) -> PackageReason {
    let nevra = package.nevra();
    let own = package.is_installed().then_some(package);
    let is_other =
        |other: &SackPackage<'_>| other.is_installed() && other.nevra().arch == nevra.arch;
    let installed = own.or_else(|| sack.by_name(&nevra.name).find(is_other));
    installed.map_or(PackageReason::None, |package| package.details.reason)
}

fn value(name: &str, package: SackPackage<'_>, around: Around<'_>) -> Option<String> {
    let (nevra, about) = (package.nevra(), package.details);
    let evr = &nevra.evr;
    let dependencies = |kind| listed(dependency_lines(package, kind));
    let source = about.sourcerpm.strip_suffix(".src.rpm").unwrap_or(&about.sourcerpm);
    let source_name = || source.rsplitn(3, '-').nth(2).unwrap_or_default().to_owned();
    Some(match name {
        "name" => nevra.name.clone(),
        "epoch" => evr.epoch.to_string(),
        "version" => evr.version.clone(),
        "release" => evr.release.clone(),
        "arch" => nevra.arch.clone(),
        "evr" => evr.to_string(),
        "full_nevra" => nevra.with_epoch(),
        "repoid" | "reponame" => about.repository.clone(),
        "from_repo" if package.is_installed() => repository_of(around.sack, package.id).to_owned(),
        "from_repo" => String::new(),
        "reason" => reason(package, around.sack).as_str().to_owned(),
        "summary" => about.summary.clone(),
        "description" => about.description.clone(),
        "url" => about.url.clone(),
        "license" => about.license.clone(),
        "vendor" => package.candidate.vendor.clone(),
        "group" => about.group.clone(),
        "packager" => about.packager.clone(),
        "sourcerpm" => about.sourcerpm.clone(),
        "source_name" => source_name(),
        "debug_name" => format!("{}-debuginfo", nevra.name),
        "source_debug_name" => format!("{}-debuginfo", source_name()),
        "location" => around.location.to_owned(),
        "downloadsize" => about.size_package.to_string(),
        "installsize" => about.size_installed.to_string(),
        "buildtime" => about.time_build.to_string(),
        "installtime" => about.time_install.to_string(),
        "files" => listed(package.candidate.files.iter().cloned()),
        "provides" => dependencies(DependencyKind::Provides),
        "requires" => dependencies(DependencyKind::Requires),
        "requires_pre" => listed(requirement_lines(package, true)),
        // Metadata does not tell what matters only while a package is installed.
        "prereq_ignoreinst" if !package.is_installed() => String::new(),
        "prereq_ignoreinst" => {
            let requires = package.candidate.requires.iter().filter(|of| is_of_installation(of));
            let lines: BTreeSet<String> = requires.map(ToString::to_string).collect();
            listed(lines)
        }
        "regular_requires" => listed(requirement_lines(package, false)),
        "conflicts" => dependencies(DependencyKind::Conflicts),
        "obsoletes" => dependencies(DependencyKind::Obsoletes),
        "recommends" => dependencies(DependencyKind::Recommends),
        "suggests" => dependencies(DependencyKind::Suggests),
        "supplements" => dependencies(DependencyKind::Supplements),
        "enhances" => dependencies(DependencyKind::Enhances),
        "depends" => listed(depends_lines(package)),
        _ => return None,
    })
}
