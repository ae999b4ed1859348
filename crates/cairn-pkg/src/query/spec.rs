// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a person types for packages: a name, a NEVRA in one of its forms, a glob, a capability, a file.

use super::glob;
use super::sack::{Sack, SackPackage};
use cairn_rpm::dependency::Dependency;
use cairn_rpm::evr::{Evr, Nevra};
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

/// Returns the packages that a spec names, in any case, or that have a file of that path: what commands that only ask go by.
pub fn match_question(sack: &Sack, spec: &str) -> Vec<PackageId> {
    let mut best: Option<NevraForm> = None;
    let mut found: Vec<PackageId> = Vec::new();
    for package in sack.iter() {
        let Some(form) = nevra_matches_in_any_case(spec, package.nevra()) else { continue };
        if best.is_none_or(|b| form < b) {
            best = Some(form);
            found.clear();
        }
        if best == Some(form) {
            found.push(package.id);
        }
    }
    if found.is_empty() && (spec.starts_with('/') || spec.starts_with("*/")) {
        found = match_files(sack, spec, &|_| true);
    }
    found
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
    if glob::is_pattern(pattern) {
        return pattern_matches(pattern, nevra);
    }
    if !pattern.starts_with(name.as_str()) && !pattern.contains(':') {
        return None;
    }
    let matches = |text: &str| pattern == text;
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

/// As [`nevra_matches`], with the case of ASCII letters ignored.
pub fn nevra_matches_in_any_case(pattern: &str, nevra: &Nevra) -> Option<NevraForm> {
    let lower = |text: &str| text.to_ascii_lowercase();
    let first = pattern.as_bytes().first()?;
    let is_plain = first.is_ascii_alphanumeric() && !pattern.contains(':');
    if is_plain && !nevra.name.as_bytes().first().is_some_and(|own| own.eq_ignore_ascii_case(first))
    {
        return None;
    }
    let Nevra { name, evr, arch } = nevra;
    let evr = Evr { epoch: evr.epoch, version: lower(&evr.version), release: lower(&evr.release) };
    nevra_matches(&lower(pattern), &Nevra { name: lower(name), evr, arch: lower(arch) })
}

/// Returns the form in which a glob names `nevra`: its parts are globs of the parts of the name, and at last it is one of the whole.
fn pattern_matches(pattern: &str, nevra: &Nevra) -> Option<NevraForm> {
    use NevraForm as F;
    let forms = [F::Nevra, F::NameArch, F::Name, F::Nevr, F::Nev];
    let is_named = |form: &F| Parts::split(pattern, *form).is_some_and(|parts| parts.fit(nevra));
    let form = forms.into_iter().find(is_named);
    form.or_else(|| matches_whole(pattern, nevra).then_some(F::Nevra))
}

/// Returns whether a glob matches `name-version-release.arch`, with the epoch or without it.
fn matches_whole(pattern: &str, nevra: &Nevra) -> bool {
    let Nevra { name, evr, arch } = nevra;
    let tail = format!("{}-{}.{arch}", evr.version, evr.release);
    glob::matches(pattern, &format!("{name}-{tail}"))
        || pattern.contains(':') && glob::matches(pattern, &format!("{name}-{}:{tail}", evr.epoch))
}

/// A glob, cut where the parts of a name are.
#[derive(Debug, Default, PartialEq, Eq)]
struct Parts<'a> {
    name: &'a str,
    epoch: Option<&'a str>,
    version: Option<&'a str>,
    release: Option<&'a str>,
    arch: Option<&'a str>,
}

impl<'a> Parts<'a> {
    /// Cuts a glob, `None` where it has not that form.
    fn split(pattern: &'a str, form: NevraForm) -> Option<Self> {
        let mut parts = Self::default();
        let mut rest = pattern;
        if matches!(form, NevraForm::Nevra | NevraForm::NameArch) {
            let at = last_outside_of_sets(rest, b'.')?;
            parts.arch = Some(&rest[at + 1..]);
            rest = &rest[..at];
        }
        if matches!(form, NevraForm::Nevra | NevraForm::Nevr) {
            let at = last_outside_of_sets(rest, b'-')?;
            parts.release = Some(&rest[at + 1..]);
            rest = &rest[..at];
        }
        if matches!(form, NevraForm::Nevra | NevraForm::Nevr | NevraForm::Nev) {
            let at = last_outside_of_sets(rest, b'-')?;
            let version = &rest[at + 1..];
            rest = &rest[..at];
            match version.split_once(':') {
                Some((epoch, version)) => {
                    parts.epoch = Some(epoch);
                    parts.version = Some(version);
                }
                None => parts.version = Some(version),
            }
        }
        parts.name = rest;
        (!rest.is_empty()).then_some(parts)
    }

    fn fit(&self, nevra: &Nevra) -> bool {
        let Nevra { name, evr, arch } = nevra;
        let fits = |pattern: Option<&str>, text: &str| {
            pattern.is_none_or(|pattern| glob::matches(pattern, text))
        };
        glob::matches(self.name, name)
            && fits(self.version, &evr.version)
            && fits(self.release, &evr.release)
            && fits(self.arch, arch)
            && (self.epoch.is_none() || fits(self.epoch, &evr.epoch.to_string()))
    }
}

/// Returns where a character stands last, those inside of `[…]` left out.
fn last_outside_of_sets(pattern: &str, wanted: u8) -> Option<usize> {
    let mut found = None;
    let mut set_until = 0;
    for (at, byte) in pattern.bytes().enumerate() {
        if at < set_until {
            continue;
        }
        match byte {
            b'[' => {
                let end = pattern[at + 1..].find(']');
                set_until = end.map_or(0, |end| at + 1 + end);
            }
            _ if byte == wanted => found = Some(at),
            _ => {}
        }
    }
    found
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
            ("foo*", Some(NevraForm::Name)),
            ("foo-*-[2-3].0", Some(NevraForm::Nev)),
            ("foo[-a-f]*-2*", Some(NevraForm::Nev)),
            ("foo-bar-1:2.0*3.cn1.noarch", Some(NevraForm::Nevra)),
            ("foo-bar-2*noarch", Some(NevraForm::Nevra)),
            ("*[-x]*-[2-3].[0-9]*.noarch", Some(NevraForm::Nevra)),
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
