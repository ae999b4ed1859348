// SPDX-License-Identifier: MIT OR Apache-2.0
//! The formats of `dnf repoquery --queryformat`: text with `%{tag}`, optionally padded as in `%-20{name}`.

use cairn_pkg::query::SackPackage;
use cairn_pkg::query::filter::DependencyKind;
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

/// Returns the text for one package, its escape `\n` replaced. What is no known tag stays as it is. `location` is where the package lies.
pub fn render(format: &str, package: SackPackage<'_>, location: &str) -> String {
    let mut out = String::new();
    let mut rest = format;
    while let Some(position) = rest.find(['%', '\\']) {
        out.push_str(&rest[..position]);
        let marker = &rest[position..];
        let (text, length) =
            if marker.starts_with('\\') { escape(marker) } else { tag(marker, package, location) };
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

fn tag(marker: &str, package: SackPackage<'_>, location: &str) -> (String, usize) {
    let keep = ("%".to_owned(), 1);
    if marker.starts_with("%%") {
        return ("%%".to_owned(), 2);
    }
    let Some(open) = marker.find('{') else { return keep };
    let width_text = &marker[1..open];
    let digits = width_text.strip_prefix('-').unwrap_or(width_text);
    if !digits.chars().all(|c| c.is_ascii_digit()) {
        return keep;
    }
    let Some(close) = marker[open..].find('}').map(|index| open + index) else { return keep };
    let Some(value) = value(&marker[open + 1..close].to_ascii_lowercase(), package, location)
    else {
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

/// Says whether a script needs this.
pub fn is_of_scripts(dependency: &Dependency) -> bool {
    dependency.sense & sense::PREREQ != 0
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

fn value(name: &str, package: SackPackage<'_>, location: &str) -> Option<String> {
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
        "full_nevra" => format!("{}-{}.{}", nevra.name, evr.with_epoch(), nevra.arch),
        "repoid" | "reponame" => about.repository.clone(),
        "from_repo" => about.from_repository.clone(),
        "reason" if package.is_installed() => about.reason.as_str().to_owned(),
        "reason" => "None".to_owned(),
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
        "location" => location.to_owned(),
        "downloadsize" => about.size_package.to_string(),
        "installsize" => about.size_installed.to_string(),
        "buildtime" => about.time_build.to_string(),
        "installtime" => about.time_install.to_string(),
        "files" => listed(package.candidate.files.iter().cloned()),
        "provides" => dependencies(DependencyKind::Provides),
        "requires" => dependencies(DependencyKind::Requires),
        "requires_pre" | "prereq_ignoreinst" => listed(requirement_lines(package, true)),
        "regular_requires" => listed(requirement_lines(package, false)),
        "conflicts" => dependencies(DependencyKind::Conflicts),
        "obsoletes" => dependencies(DependencyKind::Obsoletes),
        "recommends" => dependencies(DependencyKind::Recommends),
        "suggests" => dependencies(DependencyKind::Suggests),
        "supplements" => dependencies(DependencyKind::Supplements),
        "enhances" => dependencies(DependencyKind::Enhances),
        "depends" => {
            let kinds = DependencyKind::DEPENDS.into_iter();
            let lines = kinds.flat_map(|kind| dependency_lines(package, kind));
            listed(lines.collect::<BTreeSet<_>>())
        }
        _ => return None,
    })
}
