// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a person types for packages: a name, a NEVRA in one of its forms, a glob, a capability, a file.

use super::glob;
use super::sack::{Sack, SackPackage};
use cairn_rpm::dependency::Dependency;
use cairn_rpm::evr::Nevra;
use cairn_solve::PackageId;

/// Where programs are that a package is named by.
pub(super) const BINARY_DIRECTORIES: [&str; 2] = ["/usr/bin", "/usr/sbin"];

/// Which packages may match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpecScope {
    /// Installed ones.
    Installed,
    /// Those of repositories and files.
    Available,
    /// All.
    All,
}

/// Form of a NEVRA, in the order they are tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum NevraForm {
    /// `name-[epoch:]version-release.arch`
    Nevra,
    /// `name.arch`
    NameArch,
    /// `name`
    Name,
    /// `name-[epoch:]version-release`
    Nevr,
    /// `name-[epoch:]version`
    Nev,
}

/// How a spec matched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MatchKind {
    /// As a NEVRA in this form.
    Nevra(NevraForm),
    /// As a capability.
    Provide,
    /// As a file.
    File,
    /// Not at all.
    Nothing,
}

/// Returns the packages a spec means, sorted by index, and how it matched.
pub fn match_spec(sack: &Sack, spec: &str, scope: SpecScope) -> (Vec<PackageId>, MatchKind) {
    let in_scope = |package: &SackPackage<'_>| match scope {
        SpecScope::Installed => package.is_installed(),
        SpecScope::Available => !package.is_installed(),
        SpecScope::All => true,
    };
    let mut best: Option<NevraForm> = None;
    let mut found: Vec<PackageId> = Vec::new();
    let mut consider = |package: SackPackage<'_>| {
        let Some(form) = nevra_matches(spec, package.nevra()) else { return };
        if best.is_none_or(|b| form < b) {
            best = Some(form);
            found.clear();
        }
        if best == Some(form) {
            found.push(package.id);
        }
    };
    if glob::is_pattern(spec) {
        sack.iter().filter(in_scope).for_each(&mut consider);
    } else {
        for name in possible_names(spec) {
            sack.by_name(name).filter(in_scope).for_each(&mut consider);
        }
    }
    if let Some(form) = best {
        found.sort_unstable();
        found.dedup();
        return (found, MatchKind::Nevra(form));
    }
    let provides = match_provides(sack, spec, &in_scope);
    if !provides.is_empty() {
        return (provides, MatchKind::Provide);
    }
    if spec.starts_with('/') || spec.starts_with("*/") {
        let files = match_files(sack, spec, &in_scope);
        if !files.is_empty() {
            return (files, MatchKind::File);
        }
    }
    (Vec::new(), MatchKind::Nothing)
}

/// Returns the packages that an argument of a changing command means: where no package, capability or file fits, those with a program
/// of that name.
pub fn match_argument(sack: &Sack, spec: &str, scope: SpecScope) -> (Vec<PackageId>, MatchKind) {
    let found = match_spec(sack, spec, scope);
    if found.1 != MatchKind::Nothing || spec.is_empty() || spec.contains(['/', ' ']) {
        return found;
    }
    let in_scope = |package: &SackPackage<'_>| match scope {
        SpecScope::Installed => package.is_installed(),
        SpecScope::Available => !package.is_installed(),
        SpecScope::All => true,
    };
    let mut programs = Vec::new();
    for directory in BINARY_DIRECTORIES {
        programs.extend(match_files(sack, &format!("{directory}/{spec}"), &in_scope));
    }
    programs.sort_unstable();
    programs.dedup();
    let kind = if programs.is_empty() { MatchKind::Nothing } else { MatchKind::File };
    (programs, kind)
}

/// Returns the packages that provide a capability, given as `name`, `name >= version` or a glob.
pub fn match_provides(
    sack: &Sack,
    spec: &str,
    in_scope: &dyn Fn(&SackPackage<'_>) -> bool,
) -> Vec<PackageId> {
    let Ok(wanted) = Dependency::parse(spec) else { return Vec::new() };
    let is_pattern = glob::is_pattern(&wanted.name);
    let matches = |package: &SackPackage<'_>| {
        package.candidate.provides.iter().any(|provide| {
            if is_pattern {
                let named = Dependency { name: provide.name.clone(), ..wanted.clone() };
                glob::matches(&wanted.name, &provide.name) && named.is_satisfied_by(provide)
            } else {
                wanted.is_satisfied_by(provide)
            }
        })
    };
    sack.iter()
        .filter(|package| in_scope(package) && matches(package))
        .map(|package| package.id)
        .collect()
}

/// Returns the packages with a file, given as a path or a glob.
pub fn match_files(
    sack: &Sack,
    spec: &str,
    in_scope: &dyn Fn(&SackPackage<'_>) -> bool,
) -> Vec<PackageId> {
    let matches = |package: &SackPackage<'_>| {
        package.candidate.files.iter().any(|file| glob::matches(spec, file))
    };
    sack.iter()
        .filter(|package| in_scope(package) && matches(package))
        .map(|package| package.id)
        .collect()
}

/// Returns the form in which `pattern` names `nevra`, the first in dnf5's order.
pub fn nevra_matches(pattern: &str, nevra: &Nevra) -> Option<NevraForm> {
    let Nevra { name, evr, arch } = nevra;
    if !glob::is_pattern(pattern) && !pattern.starts_with(name.as_str()) && !pattern.contains(':') {
        return None;
    }
    let matches = |text: &str| glob::matches(pattern, text);
    let version = &evr.version;
    let version_release = format!("{version}-{}", evr.release);
    let epoch = evr.epoch;
    let has_epoch = pattern.contains(':');
    if matches(&format!("{name}-{version_release}.{arch}")) && (epoch == 0 || !has_epoch)
        || has_epoch
            && (matches(&format!("{name}-{epoch}:{version_release}.{arch}"))
                || matches(&format!("{epoch}:{name}-{version_release}.{arch}")))
    {
        return Some(NevraForm::Nevra);
    }
    if matches(&format!("{name}.{arch}")) {
        return Some(NevraForm::NameArch);
    }
    if matches(name) {
        return Some(NevraForm::Name);
    }
    if matches(&format!("{name}-{version_release}"))
        || has_epoch && matches(&format!("{name}-{epoch}:{version_release}"))
    {
        return Some(NevraForm::Nevr);
    }
    if matches(&format!("{name}-{version}"))
        || has_epoch && matches(&format!("{name}-{epoch}:{version}"))
    {
        return Some(NevraForm::Nev);
    }
    None
}

/// Returns every name a spec without pattern characters can begin with.
pub(super) fn possible_names(spec: &str) -> Vec<&str> {
    let mut names = vec![spec];
    if let Some((rest, _)) = spec.rsplit_once('.') {
        names.push(rest);
    }
    names.extend(spec.char_indices().filter(|(_, c)| *c == '-').map(|(index, _)| &spec[..index]));
    if let Some((_, rest)) = spec.split_once(':') {
        names.extend(
            rest.char_indices().filter(|(_, c)| *c == '-').map(|(index, _)| &rest[..index]),
        );
    }
    names.sort_unstable();
    names.dedup();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms() {
        let nevra = Nevra::parse("foo-bar-1:2.0-3.cn1.noarch").unwrap();
        let table = [
            ("foo-bar", Some(NevraForm::Name)),
            ("foo-bar.noarch", Some(NevraForm::NameArch)),
            ("foo-bar-2.0", Some(NevraForm::Nev)),
            ("foo-bar-1:2.0", Some(NevraForm::Nev)),
            ("foo-bar-2.0-3.cn1", Some(NevraForm::Nevr)),
            ("foo-bar-2.0-3.cn1.noarch", Some(NevraForm::Nevra)),
            ("foo-bar-1:2.0-3.cn1.noarch", Some(NevraForm::Nevra)),
            ("1:foo-bar-2.0-3.cn1.noarch", Some(NevraForm::Nevra)),
            ("foo-bar-0:2.0-3.cn1.noarch", None),
            ("foo*", Some(NevraForm::Nevra)),
            ("*-bar", Some(NevraForm::Name)),
            ("foo", None),
            ("foo-bar-3.0", None),
        ];
        for (pattern, expected) in table {
            assert_eq!(nevra_matches(pattern, &nevra), expected, "{pattern}");
        }
    }

    #[test]
    fn names() {
        assert_eq!(possible_names("a-b-1.noarch"), ["a", "a-b", "a-b-1", "a-b-1.noarch"]);
    }
}
