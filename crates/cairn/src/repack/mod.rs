// SPDX-License-Identifier: MIT OR Apache-2.0
//! Turns a `.deb` into our packages, as its overlay says, and records why each file and dependency is there or not.
//!
//! [`repack`] is pure: a [`Deb`], an [`Overlay`] and the set of packages in, [`PackageSpec`]s and an [`Explanation`] out.
//! [`files`] decides each file's fate, [`split`] which of our packages gets it, [`dependencies`] translates relations, [`elf`]
//! finds sonames, [`scripts`] accounts for maintainer scripts, [`license`] reads the copyright file.
//! Debian's package URL goes into the `VCS` tag, its name and version into Provides, its source into `SOURCERPM`.

pub mod dependencies;
pub mod elf;
pub mod files;
#[cfg(test)]
pub(crate) mod fixture;
pub mod license;
pub mod placeholders;
pub mod scripts;
pub mod spec;
pub mod split;
#[cfg(test)]
mod tests;

use std::fmt::Write as _;

use cairn_rpm::build::PackageSpec;
use thiserror::Error;

pub use dependencies::PackageSet;

use crate::deb::Deb;
use crate::overlay::Overlay;
use crate::overlay::schema::{NativePackage, PackageOverlay};
use split::Draft;

/// What is the same for all packages of a build.
#[derive(Debug, Clone)]
pub struct RepackOptions {
    /// Seconds since 1970: times of files are cut to it.
    pub source_date: u32,
    /// RPM's vendor tag.
    pub vendor: String,
}

/// The packages made from one `.deb`, or of one package of ours.
#[derive(Debug)]
pub struct Repacked {
    /// The main package first, then its sub-packages.
    pub packages: Vec<PackageSpec>,
    /// Why they are as they are.
    pub explanation: Explanation,
    /// Packages with `byte-compile`, and their `.py` files that want a `__pycache__` beside them: the caller runs Python.
    pub byte_compile: Vec<(String, Vec<String>)>,
}

/// Why a package is as it is; `cairn explain` prints it.
#[derive(Debug, Clone, Default)]
pub struct Explanation {
    /// Debian binary package name; empty for packages of ours.
    pub debian_name: String,
    /// Debian version; empty for packages of ours.
    pub debian_version: String,
    /// Package URL; empty for packages of ours.
    pub purl: String,
    /// Where the overlay stands, if there is one.
    pub overlay: Option<String>,
    /// Our packages.
    pub packages: Vec<String>,
    /// Every file of the `.deb` and every added one.
    pub files: Vec<FileExplanation>,
    /// Every dependency that is there or was left out.
    pub dependencies: Vec<DependencyExplanation>,
    /// How each maintainer script is accounted for.
    pub scripts: Vec<scripts::Accounted>,
    /// What debhelper's blocks and dpkg's triggers would have done.
    pub effects: Vec<scripts::Effect>,
    /// Rules of the overlay that had nothing to do.
    pub warnings: Vec<String>,
}

/// The fate of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileExplanation {
    /// Path in the `.deb`; `None` for added files.
    pub source: Option<String>,
    /// Path in our package; `None` if it was left out.
    pub path: Option<String>,
    /// Our package that has it.
    pub package: Option<String>,
    /// Why.
    pub reason: String,
}

/// The reason of one dependency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DependencyExplanation {
    /// Our package.
    pub package: String,
    /// `Requires`, `Provides`, …
    pub kind: &'static str,
    /// As RPM writes it, or as Debian does if it was left out.
    pub text: String,
    /// Whether the package has it.
    pub kept: bool,
    /// Why.
    pub reason: String,
}

/// Why a package cannot be made.
#[derive(Debug, Error)]
pub enum RepackError {
    /// Maintainer scripts do more than the overlay accounts for. [`RepackError::details`] has their text.
    #[error(
        "package {package}: the maintainer {} {} not accounted for (expected an account in {place}, found {})",
        plural("script", scripts),
        names(scripts),
        found(scripts)
    )]
    Unaccounted {
        /// Debian package name.
        package: String,
        /// The overlay's key: the name or a glob.
        key: String,
        /// The overlay's place.
        place: String,
        /// Each script.
        scripts: Vec<scripts::Unaccounted>,
    },
    /// The overlay and the payload do not fit together.
    #[error("package {package}: {what}")]
    Rule {
        /// Debian package name.
        package: String,
        /// The overlay's place.
        place: String,
        /// Expected and found.
        what: String,
    },
    /// A field of the `.deb` is not as Debian's policy says.
    #[error("package {package}: field {field}: {what}")]
    Field {
        /// Debian package name.
        package: String,
        /// Which field.
        field: &'static str,
        /// Expected and found.
        what: String,
    },
}

fn plural(noun: &str, scripts: &[scripts::Unaccounted]) -> String {
    if scripts.len() == 1 { noun.to_owned() } else { format!("{noun}s") }
}

fn names(scripts: &[scripts::Unaccounted]) -> String {
    let names: Vec<&str> = scripts.iter().map(|script| script.script.as_str()).collect();
    format!("{} {}", names.join(", "), if names.len() == 1 { "is" } else { "are" })
}

fn found(scripts: &[scripts::Unaccounted]) -> String {
    let found: Vec<String> = scripts
        .iter()
        .map(|script| {
            script
                .found
                .as_ref()
                .map_or_else(|| "none".into(), |digest| format!("one for {digest}"))
        })
        .collect();
    found.join(", ")
}

impl RepackError {
    /// What the operator can do about it.
    pub fn hint(&self) -> String {
        match self {
            Self::Unaccounted { key, scripts, .. } => {
                let lines: Vec<String> =
                    scripts.iter().map(scripts::Unaccounted::toml_line).collect();
                let is_bare = key.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c));
                let key = if is_bare { key.clone() } else { format!("\"{key}\"") };
                format!(
                    "read them, reproduce what matters, then write under `[package.{key}.maintainer-scripts]`: {}",
                    lines.join("; ")
                )
            }
            Self::Rule { place, .. } => {
                format!("correct {place}; `cairn explain` shows every file and dependency")
            }
            Self::Field { .. } => {
                "the package is not one Debian's archive accepts: lock another version".into()
            }
        }
    }

    /// Returns further lines to show below the error: the remaining text of unaccounted scripts.
    pub fn details(&self) -> String {
        let Self::Unaccounted { scripts, .. } = self else { return String::new() };
        let mut text = String::new();
        for script in scripts.iter().filter(|script| !script.remaining.is_empty()) {
            let _ = writeln!(text, "  {} (debhelper's blocks left out):", script.script);
            for line in script.remaining.lines() {
                let _ = writeln!(text, "    {line}");
            }
        }
        text
    }
}

pub(crate) fn rule_error(overlay: &Overlay<'_>, what: String) -> RepackError {
    RepackError::Rule { package: overlay.debian_name.clone(), place: place_of(overlay), what }
}

fn place_of(overlay: &Overlay<'_>) -> String {
    overlay.place.as_ref().map_or_else(|| "distro/packages".to_owned(), ToString::to_string)
}

/// Makes our packages from a `.deb`.
pub fn repack(
    deb: &Deb,
    overlay: &Overlay<'_>,
    set: &PackageSet,
    options: &RepackOptions,
) -> Result<Repacked, RepackError> {
    let overlay = &placeholders::expand(deb, overlay)?;
    let accounted =
        scripts::account(&deb.scripts, overlay).map_err(|scripts| RepackError::Unaccounted {
            package: overlay.debian_name.clone(),
            key: overlay.key.clone(),
            place: place_of(overlay),
            scripts,
        })?;
    let mut explanation = Explanation {
        debian_name: deb.name().to_owned(),
        debian_version: deb.version().to_owned(),
        purl: purl(deb),
        overlay: overlay.place.as_ref().map(ToString::to_string),
        scripts: accounted,
        effects: scripts::effects(&deb.scripts, &deb.triggers),
        ..Explanation::default()
    };
    let plan = files::plan(deb, overlay, &set.names, options.source_date)?;
    explanation.warnings = plan.warnings;
    explanation.files = plan.explanations;
    let main = Draft::from_deb(deb, overlay, &plan.files);
    let mut drafts = split::split(main, plan.files, overlay, &mut explanation)?;
    split::add_debian_relations(&mut drafts, deb, overlay, set, &mut explanation)?;
    finish(drafts, overlay, set, explanation, options)
}

/// Makes a package of ours that has no `.deb`.
pub fn native(
    name: &str,
    package: &NativePackage,
    overlay: &Overlay<'_>,
    set: &PackageSet,
    options: &RepackOptions,
) -> Result<Repacked, RepackError> {
    let as_overlay = PackageOverlay {
        name: Some(name.to_owned()),
        config: package.config.clone(),
        permissions: package.permissions.clone(),
        file: package.file.clone(),
        requires: package.requires.clone(),
        provides: package.provides.clone(),
        conflicts: package.conflicts.clone(),
        obsoletes: package.obsoletes.clone(),
        recommends: package.recommends.clone(),
        scriptlets: package.scriptlets.clone(),
        file_trigger: package.file_trigger.clone(),
        subpackage: package.subpackage.clone(),
        byte_compile: package.byte_compile,
        ..PackageOverlay::default()
    };
    let main = Draft::from_native(name, package);
    let overlay = Overlay {
        debian_name: name.to_owned(),
        key: name.to_owned(),
        star: None,
        package: as_overlay,
        place: overlay.place.clone(),
        defaults: overlay.defaults,
    };
    let overlay = placeholders::expand_native(&main, &overlay)?;
    let plan = files::plan_native(&overlay, options.source_date)?;
    let mut explanation = Explanation {
        overlay: overlay.place.as_ref().map(ToString::to_string),
        files: plan.explanations,
        ..Explanation::default()
    };
    let drafts = split::split(main, plan.files, &overlay, &mut explanation)?;
    finish(drafts, &overlay, set, explanation, options)
}

/// Adds what is found in the files and what the overlay says, and makes the specs.
fn finish(
    mut drafts: Vec<Draft>,
    overlay: &Overlay<'_>,
    set: &PackageSet,
    mut explanation: Explanation,
    options: &RepackOptions,
) -> Result<Repacked, RepackError> {
    let filter = split::requirement_filter(overlay)?;
    for draft in &mut drafts {
        split::add_generated_dependencies(draft, set, &filter, &mut explanation);
    }
    split::add_overlay_dependencies(&mut drafts, overlay, &mut explanation);
    let byte_compile = if overlay.package.byte_compile {
        drafts.iter().map(split::python_files).filter(|(_, files)| !files.is_empty()).collect()
    } else {
        Vec::new()
    };
    explanation.packages = drafts.iter().map(|draft| draft.name.clone()).collect();
    let packages = drafts
        .into_iter()
        .map(|draft| spec::spec(draft, overlay, options))
        .collect::<Result<_, _>>()?;
    Ok(Repacked { packages, explanation, byte_compile })
}

/// Returns the package URL by which vulnerability scanners know the Debian package.
pub fn purl(deb: &Deb) -> String {
    let mut url = String::from("pkg:deb/debian/");
    percent_encode(deb.name(), &mut url);
    url.push('@');
    percent_encode(deb.version(), &mut url);
    let _ = write!(url, "?arch={}", deb.architecture());
    url
}

/// Characters other than letters, digits and `.-_~:` are percent-encoded, as the purl specification says.
fn percent_encode(text: &str, url: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b".-_~:".contains(&byte) {
            url.push(byte as char);
        } else {
            let _ = write!(url, "%{byte:02X}");
        }
    }
}
