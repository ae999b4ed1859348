// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which of our packages gets which file and dependency.

use std::collections::{BTreeMap, BTreeSet};

use cairn_rpm::evr::Evr;

use super::dependencies::{self, NameFilter, PackageSet};
use super::files::{PlannedFile, PlannedKind};
use super::{DependencyExplanation, Explanation, RepackError, elf, license, purl, rule_error};
use crate::deb::Deb;
use crate::overlay::Overlay;
use crate::overlay::schema::{Arch, FileTrigger, NativePackage, ScriptletBodies};

/// One of our packages while it is put together. Dependencies are RPM's text.
#[derive(Debug, Clone)]
pub struct Draft {
    /// Our name.
    pub name: String,
    /// Our version.
    pub evr: Evr,
    /// Architecture.
    pub arch: Arch,
    /// One line.
    pub summary: String,
    /// Longer text.
    pub description: String,
    /// Licence expression.
    pub license: String,
    /// Home page; may be empty.
    pub url: String,
    /// Package URL of the Debian package; may be empty.
    pub vcs: String,
    /// `SOURCERPM`.
    pub source_package: String,
    /// Files by path.
    pub files: BTreeMap<String, PlannedFile>,
    /// `Requires`.
    pub requires: BTreeSet<String>,
    /// `Provides`.
    pub provides: BTreeSet<String>,
    /// `Conflicts`.
    pub conflicts: BTreeSet<String>,
    /// `Obsoletes`.
    pub obsoletes: BTreeSet<String>,
    /// `Recommends`.
    pub recommends: BTreeSet<String>,
    /// Scriptlets.
    pub scriptlets: ScriptletBodies,
    /// File triggers.
    pub file_triggers: Vec<FileTrigger>,
}

/// Programs that scripts name in their first line, and the Debian package that has them.
const INTERPRETERS: [(&str, &str, &str); 8] = [
    ("sh", "/bin/sh", "bash"),
    ("bash", "/usr/bin/bash", "bash"),
    ("perl", "/usr/bin/perl", "perl-base"),
    ("python3", "/usr/bin/python3", "python3-minimal"),
    ("awk", "/usr/bin/awk", "mawk"),
    ("mawk", "/usr/bin/mawk", "mawk"),
    ("gawk", "/usr/bin/gawk", "gawk"),
    ("sed", "/usr/bin/sed", "sed"),
];

impl Draft {
    fn new(name: &str, evr: Evr, arch: Arch) -> Self {
        let source_package = format!("{name}-{}-{}.src.rpm", evr.version, evr.release);
        Self {
            name: name.to_owned(),
            evr,
            arch,
            summary: String::new(),
            description: String::new(),
            license: String::new(),
            url: String::new(),
            vcs: String::new(),
            source_package,
            files: BTreeMap::new(),
            requires: BTreeSet::new(),
            provides: BTreeSet::new(),
            conflicts: BTreeSet::new(),
            obsoletes: BTreeSet::new(),
            recommends: BTreeSet::new(),
            scriptlets: ScriptletBodies::default(),
            file_triggers: Vec::new(),
        }
    }

    /// Begins the main package of a `.deb`; `files` are searched for the copyright file.
    pub fn from_deb(
        deb: &Deb,
        overlay: &Overlay<'_>,
        files: &BTreeMap<String, PlannedFile>,
    ) -> Self {
        let package = &overlay.package;
        let default_arch = if deb.architecture() == "all" { Arch::Noarch } else { Arch::X86_64 };
        let (summary, description) = debian_description(deb.field("description"));
        let (source, source_version) = deb.source();
        let source_evr = dependencies::our_evr(source_version);
        let copyright = files.values().find_map(|file| match &file.kind {
            PlannedKind::Regular(bytes) if file.license => Some(String::from_utf8_lossy(bytes)),
            _ => None,
        });
        let from_copyright = || {
            copyright.map_or_else(
                || license::reference(deb.name()),
                |text| license::expression(deb.name(), &text),
            )
        };
        Self {
            summary: package.summary.clone().unwrap_or(summary),
            description: package.description.clone().unwrap_or(description),
            license: package.license.clone().unwrap_or_else(from_copyright),
            url: deb.field("homepage").to_owned(),
            vcs: purl(deb),
            source_package: format!(
                "{source}-{}-{}.src.rpm",
                source_evr.version, source_evr.release
            ),
            scriptlets: package.scriptlets.clone(),
            file_triggers: package.file_trigger.clone(),
            ..Self::new(
                &overlay.our_name(),
                dependencies::our_evr(deb.version()),
                package.arch.unwrap_or(default_arch),
            )
        }
    }

    /// Begins a package of ours.
    pub fn from_native(name: &str, package: &NativePackage) -> Self {
        let evr = Evr::new(0, package.version.clone(), package.release.clone());
        Self {
            summary: package.summary.clone(),
            description: package.description.clone().unwrap_or_else(|| package.summary.clone()),
            license: package.license.clone(),
            url: package.url.clone().unwrap_or_default(),
            scriptlets: package.scriptlets.clone(),
            file_triggers: package.file_trigger.clone(),
            ..Self::new(name, evr, package.arch.unwrap_or(Arch::Noarch))
        }
    }
}

/// Returns summary and description of a Debian `Description` field.
fn debian_description(field: &str) -> (String, String) {
    let (summary, rest) = field.split_once('\n').unwrap_or((field, ""));
    let lines: Vec<&str> =
        rest.lines().map(|line| if line.trim() == "." { "" } else { line.trim() }).collect();
    let description = lines.join("\n");
    let description = if description.trim().is_empty() { summary.to_owned() } else { description };
    (summary.trim().to_owned(), description)
}

/// Gives every file to the main package or to the first sub-package that wants it. The main package comes first in the result.
pub fn split(
    main: Draft,
    files: BTreeMap<String, PlannedFile>,
    overlay: &Overlay<'_>,
    explanation: &mut Explanation,
) -> Result<Vec<Draft>, RepackError> {
    let subpackages = &overlay.package.subpackage;
    let mut drafts = vec![main];
    for subpackage in subpackages {
        let main = &drafts[0];
        let mut draft =
            Draft { name: subpackage.name.clone(), files: BTreeMap::new(), ..main.clone() };
        draft.summary = subpackage.summary.clone().unwrap_or_else(|| main.summary.clone());
        draft.description = subpackage.description.clone().unwrap_or_else(|| draft.summary.clone());
        draft.scriptlets = subpackage.scriptlets.clone();
        draft.file_triggers.clone_from(&subpackage.file_trigger);
        drafts.push(draft);
    }
    let mut matched = BTreeSet::new();
    for (path, file) in files {
        let wanted = subpackages.iter().position(|subpackage| {
            let glob = subpackage.files.iter().find(|glob| glob.covers(&path));
            matched.extend(glob.map(|glob| (subpackage.name.clone(), glob.as_str().to_owned())));
            glob.is_some()
        });
        drafts[wanted.map_or(0, |index| index + 1)].files.insert(path, file);
    }
    for subpackage in subpackages {
        if let Some(glob) = subpackage
            .files
            .iter()
            .find(|glob| !matched.contains(&(subpackage.name.clone(), glob.as_str().to_owned())))
        {
            return Err(rule_error(
                overlay,
                format!("`{}` of subpackage {} matches no file", glob.as_str(), subpackage.name),
            ));
        }
    }
    for row in &mut explanation.files {
        let owner = row
            .path
            .as_ref()
            .and_then(|path| drafts.iter().find(|draft| draft.files.contains_key(path)));
        row.package = owner.map(|draft| draft.name.clone());
    }
    for draft in &mut drafts {
        // A package is noarch only if all of it is; a split-off part without machine code may be.
        let has_code = draft.files.values().any(|file| matches!(&file.kind, PlannedKind::Regular(bytes) if bytes.starts_with(b"\x7fELF")));
        if draft.arch == Arch::Noarch && has_code && overlay.package.arch == Some(Arch::Noarch) {
            return Err(rule_error(
                overlay,
                format!("{} has machine code (expected `arch = \"x86_64\"`)", draft.name),
            ));
        }
    }
    Ok(drafts)
}

/// Returns the requirement names that the overlay and the defaults leave out.
pub fn requirement_filter(overlay: &Overlay<'_>) -> Result<NameFilter, RepackError> {
    let mut filter = NameFilter::default();
    let added = filter.add(&overlay.defaults.drop_requires, "left out by the defaults");
    let added =
        added.and_then(|()| filter.add(&overlay.package.drop_requires, "left out by the overlay"));
    added.map_err(|what| rule_error(overlay, what))?;
    Ok(filter)
}

/// Adds Debian's Depends, Pre-Depends, Provides and kept Conflicts.
pub fn add_debian_relations(
    drafts: &mut [Draft],
    deb: &Deb,
    overlay: &Overlay<'_>,
    set: &PackageSet,
    explanation: &mut Explanation,
) -> Result<(), RepackError> {
    let filter = requirement_filter(overlay)?;
    let field_error =
        |field| move |what| RepackError::Field { package: deb.name().to_owned(), field, what };
    for field in ["pre-depends", "depends"] {
        for group in dependencies::parse_relations(deb.field(field)).map_err(field_error(field))? {
            let translated = dependencies::translate(&group, set, &filter);
            let taker =
                overlay.package.subpackage.iter().position(|sub| {
                    group.iter().any(|atom| sub.take_requires.contains(&atom.name))
                });
            let draft = &mut drafts[taker.map_or(0, |index| index + 1)];
            note(
                explanation,
                draft,
                "Requires",
                translated.rpm.as_deref(),
                &translated.debian,
                translated.reason.clone(),
            );
            draft.requires.extend(translated.rpm);
        }
    }
    for text in dependencies::provides(deb.name(), deb.version(), deb.field("provides"))
        .map_err(field_error("provides"))?
    {
        note(
            explanation,
            &drafts[0],
            "Provides",
            Some(&text),
            &text,
            "Debian's name or Provides".into(),
        );
        drafts[0].provides.insert(text);
    }
    for field in ["conflicts", "breaks"] {
        for group in dependencies::parse_relations(deb.field(field)).map_err(field_error(field))? {
            for atom in group {
                let keep = overlay.package.keep_conflicts.contains(&atom.name);
                let rpm = keep.then(|| atom.to_rpm());
                let debian = dependencies::debian_text(std::slice::from_ref(&atom));
                let reason = if keep {
                    "kept by the overlay"
                } else {
                    "Debian's Conflicts and Breaks are left out: RPM matches them against unversioned Provides"
                };
                note(explanation, &drafts[0], "Conflicts", rpm.as_deref(), &debian, reason.into());
                drafts[0].conflicts.extend(rpm);
            }
        }
    }
    let recommends = dependencies::parse_relations(deb.field("recommends"));
    for group in recommends.map_err(field_error("recommends"))? {
        let reason =
            "Debian's Recommends are left out: the overlay or the image says what is wanted";
        let debian = dependencies::debian_text(&group);
        note(explanation, &drafts[0], "Recommends", None, &debian, reason.into());
    }
    Ok(())
}

fn note(
    explanation: &mut Explanation,
    draft: &Draft,
    kind: &'static str,
    rpm: Option<&str>,
    debian: &str,
    reason: String,
) {
    explanation.dependencies.push(DependencyExplanation {
        package: draft.name.clone(),
        kind,
        text: rpm.unwrap_or(debian).to_owned(),
        kept: rpm.is_some(),
        reason,
    });
}

/// Adds sonames and interpreters found in the files.
pub fn add_generated_dependencies(
    draft: &mut Draft,
    set: &PackageSet,
    filter: &NameFilter,
    explanation: &mut Explanation,
) {
    let mut found = Generated::default();
    for file in draft.files.values() {
        let PlannedKind::Regular(bytes) = &file.kind else { continue };
        if let Some(symbols) = elf::inspect(bytes) {
            found.add_elf(&file.path, symbols);
        } else if file.mode & 0o111 != 0 {
            found.interpreters.extend(interpreter(bytes));
        }
    }
    for name in &found.provides {
        note(
            explanation,
            draft,
            "Provides",
            Some(name),
            name,
            "soname of a library in the loader's directories".into(),
        );
    }
    for (name, wanted) in std::mem::take(&mut found.requires) {
        let reason = if found.provides.contains(&name) {
            Err("the package's own library".to_owned())
        } else if found.private.contains(&wanted.library)
            || wanted.private && !wanted.library.contains(".so.")
        {
            Err("private library, found by RUNPATH".to_owned())
        } else if let Some(rule) = filter.rule(&name) {
            Err(rule.to_owned())
        } else {
            Ok(format!("needed by {}", wanted.by))
        };
        let kept = reason.is_ok();
        note(
            explanation,
            draft,
            "Requires",
            kept.then_some(name.as_str()),
            &name,
            reason.unwrap_or_else(|reason| reason),
        );
        if kept {
            draft.requires.insert(name);
        }
    }
    for path in found.interpreters {
        let package = INTERPRETERS
            .iter()
            .find(|(_, known, _)| *known == path)
            .map(|(_, _, package)| *package);
        let reason = match (filter.rule(&path), package) {
            (Some(rule), _) => Err(rule.to_owned()),
            (None, Some(package)) if set.contains(package) => {
                Ok("interpreter of a script".to_owned())
            }
            (None, _) => {
                Err("interpreter of a script, from a package that is not in the set".to_owned())
            }
        };
        let kept = reason.is_ok();
        note(
            explanation,
            draft,
            "Requires",
            kept.then_some(path.as_str()),
            &path,
            reason.unwrap_or_else(|reason| reason),
        );
        if kept {
            draft.requires.insert(path);
        }
    }
    draft.provides.append(&mut found.provides);
}

/// A soname that some file needs.
struct Wanted {
    library: String,
    by: String,
    private: bool,
}

#[derive(Default)]
struct Generated {
    provides: BTreeSet<String>,
    requires: BTreeMap<String, Wanted>,
    /// Sonames of libraries outside the loader's directories.
    private: BTreeSet<String>,
    interpreters: BTreeSet<String>,
}

impl Generated {
    fn add_elf(&mut self, path: &str, symbols: elf::ElfSymbols) {
        if elf::is_in_loader_directory(path) {
            self.provides.extend(symbols.provides);
        } else {
            self.private.extend(symbols.soname);
        }
        for (name, library) in symbols.requires {
            let wanted = self.requires.entry(name).or_insert_with(|| Wanted {
                library,
                by: path.to_owned(),
                private: symbols.has_private_runpath,
            });
            wanted.private &= symbols.has_private_runpath;
        }
    }
}

/// Returns the path of the program that runs a script, in the spelling that packages provide.
fn interpreter(bytes: &[u8]) -> Option<String> {
    let line = bytes.strip_prefix(b"#!")?;
    let line = std::str::from_utf8(
        &line[..line.iter().position(|&b| b == b'\n').unwrap_or(line.len()).min(256)],
    )
    .ok()?;
    let mut words = line.split_whitespace();
    let mut program = words.next()?;
    if program.ends_with("/env") {
        program = words.find(|word| !word.starts_with('-') && !word.contains('='))?;
    }
    let name = program.rsplit('/').next()?;
    let known = INTERPRETERS
        .iter()
        .find(|(known, _, _)| *known == name)
        .map(|(_, path, _)| (*path).to_owned());
    known.or_else(|| program.starts_with('/').then(|| super::files::merged(program)))
}

/// Adds what the overlay says, and the requirement of each sub-package on the main one.
pub fn add_overlay_dependencies(
    drafts: &mut [Draft],
    overlay: &Overlay<'_>,
    explanation: &mut Explanation,
) {
    let package = &overlay.package;
    let own = [
        &package.requires,
        &package.provides,
        &package.conflicts,
        &package.obsoletes,
        &package.recommends,
    ];
    add_lists(&mut drafts[0], own, explanation);
    let main = format!("{} = {}", drafts[0].name, drafts[0].evr);
    for (draft, subpackage) in drafts[1..].iter_mut().zip(&package.subpackage) {
        let lists = [
            &subpackage.requires,
            &subpackage.provides,
            &subpackage.conflicts,
            &subpackage.obsoletes,
            &subpackage.recommends,
        ];
        add_lists(draft, lists, explanation);
        if !subpackage.standalone {
            note(
                explanation,
                draft,
                "Requires",
                Some(&main),
                &main,
                "sub-package of the same build".into(),
            );
            draft.requires.insert(main.clone());
        }
    }
}

fn add_lists(draft: &mut Draft, lists: [&Vec<String>; 5], explanation: &mut Explanation) {
    let kinds = ["Requires", "Provides", "Conflicts", "Obsoletes", "Recommends"];
    for (kind, list) in kinds.into_iter().zip(lists) {
        for text in list {
            note(explanation, draft, kind, Some(text), text, "the overlay".into());
        }
    }
    let [requires, provides, conflicts, obsoletes, recommends] =
        lists.map(|list| list.iter().cloned());
    draft.requires.extend(requires);
    draft.provides.extend(provides);
    draft.conflicts.extend(conflicts);
    draft.obsoletes.extend(obsoletes);
    draft.recommends.extend(recommends);
}

/// Returns a package's name and its `.py` files.
pub fn python_files(draft: &Draft) -> (String, Vec<String>) {
    // Python reads configuration through links in /usr: a cache beside it in /etc would never be used.
    let is_python = |file: &&PlannedFile| {
        !file.path.starts_with("/etc/")
            && file.path.rsplit_once('.').is_some_and(|(_, extension)| extension == "py")
            && matches!(file.kind, PlannedKind::Regular(_))
    };
    (
        draft.name.clone(),
        draft.files.values().filter(is_python).map(|file| file.path.clone()).collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interpreters() {
        let table = [
            ("#!/bin/sh -e\n", Some("/bin/sh")),
            ("#! /usr/bin/perl -w\n", Some("/usr/bin/perl")),
            ("#!/usr/bin/env python3\n", Some("/usr/bin/python3")),
            ("#!/usr/bin/env -S python3 -u\n", Some("/usr/bin/python3")),
            ("#!/sbin/nft -f\n", Some("/usr/sbin/nft")),
            ("echo\n", None),
        ];
        for (script, expected) in table {
            assert_eq!(interpreter(script.as_bytes()).as_deref(), expected, "{script}");
        }
    }

    #[test]
    fn descriptions() {
        assert_eq!(
            debian_description("short\nlong one\n.\nmore"),
            ("short".into(), "long one\n\nmore".into())
        );
        assert_eq!(debian_description("short"), ("short".into(), "short".into()));
    }
}
