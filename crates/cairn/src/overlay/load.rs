// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reads and checks all overlay files together.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use thiserror::Error;

use super::glob::Glob;
use super::schema::{
    AddedFile, AddedKind, Defaults, NativePackage, OverlayFile, PackageOverlay, Subpackage,
};
use super::suggest;

/// The only file that may hold `[defaults]`.
const DEFAULTS_FILE: &str = "_defaults.toml";

/// Where something stands in an overlay file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// File name as given to [`Overlays::parse`].
    pub file: String,
    /// One-based line.
    pub line: usize,
    /// One-based column in characters.
    pub column: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// What is wrong with the overlays.
#[derive(Debug, Error)]
pub enum OverlayError {
    /// A file cannot be read.
    #[error("{}: {source}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Not TOML, an unknown key or a wrong type.
    #[error("{place}: {message}")]
    Parse {
        /// Where.
        place: Place,
        /// What the reader says.
        message: String,
        /// The known key that is nearest to an unknown one.
        nearest: Option<String>,
    },
    /// A package has two overlays.
    #[error("{place}: package `{name}` has an overlay already, at {first}")]
    Twice {
        /// The second.
        place: Place,
        /// Package name.
        name: String,
        /// The first.
        first: Place,
    },
    /// The locked snapshot has no such package.
    #[error("{place}: overlay for package `{name}`, which is not in the snapshot")]
    NotInSnapshot {
        /// Where.
        place: Place,
        /// Debian package name.
        name: String,
        /// The package whose name is nearest.
        nearest: Option<String>,
    },
    /// Values that make no sense together.
    #[error("{place}: package `{name}`: {what}")]
    Invalid {
        /// Where the package begins.
        place: Place,
        /// Package name.
        name: String,
        /// Expected and found.
        what: String,
    },
}

impl OverlayError {
    /// What the operator can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Io { .. } => None,
            Self::Parse { nearest: Some(nearest), .. } | Self::NotInSnapshot { nearest: Some(nearest), .. } => Some(format!("did you mean `{nearest}`?")),
            Self::Parse { nearest: None, .. } | Self::Invalid { .. } => Some("the keys of overlays are in docs/reference/overlays.md, those of other files in distro/README.md".into()),
            Self::Twice { .. } => Some("put everything about one package into one `[package.…]` table".into()),
            Self::NotInSnapshot { nearest: None, .. } => {
                Some("remove the overlay, or lock a snapshot that has the package with `cairn lock --update`".into())
            }
        }
    }
}

/// All overlays of the distribution, checked against the schema and each other.
#[derive(Debug, Default)]
pub struct Overlays {
    defaults: Defaults,
    packages: BTreeMap<String, (Place, PackageOverlay)>,
    inherited: BTreeMap<String, Place>,
    natives: BTreeMap<String, (Place, NativePackage)>,
}

/// The overlay of one Debian package.
#[derive(Debug, Clone)]
pub struct Overlay<'a> {
    /// Debian binary package name.
    pub debian_name: String,
    /// The key in the file: the name or a glob.
    pub key: String,
    /// What the `*` of a glob key matched.
    pub star: Option<String>,
    /// Where it stands; `None` for packages nobody mentions.
    pub place: Option<Place>,
    /// The overlay; empty for inherited packages.
    pub package: PackageOverlay,
    /// Distribution-wide rules.
    pub defaults: &'a Defaults,
}

impl Overlay<'_> {
    /// Returns our name of the package.
    pub fn our_name(&self) -> String {
        let default = || {
            self.defaults
                .names
                .get(&self.debian_name)
                .cloned()
                .unwrap_or_else(|| self.debian_name.clone())
        };
        self.package.name.clone().unwrap_or_else(default)
    }

    /// Returns a SHA-256 (hex) that changes whenever anything changes that this overlay gives to the re-packager.
    pub fn fingerprint(&self) -> String {
        let mut hasher = Sha256::new();
        // `Debug` covers the bytes of source files, which serialization leaves out.
        hasher.update(format!(
            "{:?}\0{:?}\0{:?}\0{:?}",
            self.debian_name, self.star, self.package, self.defaults
        ));
        hex::encode(hasher.finalize())
    }
}

impl Overlays {
    /// Reads `*.toml` of `packages` (not of directories below it) and the sources they name below `files`.
    pub fn load(packages: &Path, files: &Path) -> Result<Self, OverlayError> {
        let io = |path: &Path| {
            let path = path.to_owned();
            move |source| OverlayError::Io { path, source }
        };
        let mut paths = Vec::new();
        for entry in std::fs::read_dir(packages).map_err(io(packages))? {
            let path = entry.map_err(io(packages))?.path();
            if path.extension().is_some_and(|extension| extension == "toml") {
                paths.push(path);
            }
        }
        paths.sort();
        let mut texts = Vec::new();
        for path in paths {
            let text = std::fs::read_to_string(&path).map_err(io(&path))?;
            texts.push((path.display().to_string(), text));
        }
        let mut overlays = Self::parse(&texts)?;
        overlays.read_sources(files)?;
        Ok(overlays)
    }

    /// Checks the texts of overlay files, given as `(name, text)`. Sources are not read.
    pub fn parse(files: &[(String, String)]) -> Result<Self, OverlayError> {
        let mut overlays = Self::default();
        for (file, text) in files {
            overlays.add_file(file, text)?;
        }
        Ok(overlays)
    }

    /// Returns the overlay of a Debian package; packages that no file mentions get the defaults.
    pub fn overlay_for(&self, debian_name: &str) -> Overlay<'_> {
        let by_glob = || {
            self.packages
                .iter()
                .find_map(|(key, value)| Some((key, value, star_match(key, debian_name)?)))
        };
        let (key, found, star) = match self.packages.get(debian_name) {
            Some(exact) => (debian_name, Some(exact), None),
            None => by_glob().map_or((debian_name, None, None), |(key, value, star)| {
                (key.as_str(), Some(value), Some(star))
            }),
        };
        Overlay {
            debian_name: debian_name.to_owned(),
            key: key.to_owned(),
            star,
            place: found
                .map(|(place, _)| place.clone())
                .or_else(|| self.inherited.get(debian_name).cloned())
                .or_else(|| self.natives.get(debian_name).map(|(place, _)| place.clone())),
            package: found.map(|(_, package)| package.clone()).unwrap_or_default(),
            defaults: &self.defaults,
        }
    }

    /// Returns the Debian packages that the overlays mention, out of those in the snapshot (glob keys may give several).
    pub fn select(&self, snapshot: &BTreeSet<String>) -> Result<BTreeSet<String>, OverlayError> {
        let mut selected = BTreeSet::new();
        let keys = self.packages.iter().map(|(key, (place, _))| (key, place));
        for (key, place) in keys.chain(&self.inherited) {
            let matches = |name: &&String| *name == key || star_match(key, name).is_some();
            let found: Vec<&String> = match snapshot.get(key) {
                Some(exact) => vec![exact],
                None => snapshot.iter().filter(matches).collect(),
            };
            selected.extend(found.iter().copied().cloned());
            if found.is_empty() {
                let nearest =
                    suggest::nearest(key, snapshot.iter().map(String::as_str)).map(str::to_owned);
                return Err(OverlayError::NotInSnapshot {
                    place: place.clone(),
                    name: key.clone(),
                    nearest,
                });
            }
        }
        Ok(selected)
    }

    /// Returns every name or glob the overlays mention.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.packages.keys().chain(self.inherited.keys()).map(String::as_str)
    }

    /// Returns the packages without a `.deb`.
    pub fn natives(&self) -> impl Iterator<Item = (&str, &NativePackage)> {
        self.natives.iter().map(|(name, (_, package))| (name.as_str(), package))
    }

    /// Returns the distribution-wide rules.
    pub fn defaults(&self) -> &Defaults {
        &self.defaults
    }

    fn add_file(&mut self, file: &str, text: &str) -> Result<(), OverlayError> {
        let parsed: OverlayFile =
            toml::from_str(text).map_err(|error| parse_error(file, text, &error))?;
        let place_of = |span: std::ops::Range<usize>| {
            let (line, column) = suggest::line_and_column(text, span.start);
            Place { file: file.to_owned(), line, column }
        };
        if let Some(defaults) = parsed.defaults {
            if Path::new(file).file_name().is_none_or(|name| name != DEFAULTS_FILE) {
                let place = place_of(text.find("[defaults").unwrap_or(0)..0);
                return Err(OverlayError::Parse {
                    place,
                    message: format!("`[defaults]` belongs into {DEFAULTS_FILE}"),
                    nearest: None,
                });
            }
            self.defaults = defaults;
        }
        for name in parsed.inherit {
            let place = place_of(name.span());
            self.claim(name.get_ref(), &place)?;
            self.inherited.insert(name.into_inner(), place);
        }
        for (name, overlay) in parsed.package {
            let place = place_of(name.span());
            self.claim(name.get_ref(), &place)?;
            check_package(name.get_ref(), &overlay)
                .map_err(|what| invalid(&place, name.get_ref(), what))?;
            self.packages.insert(name.into_inner(), (place, overlay));
        }
        for (name, native) in parsed.native {
            let place = place_of(name.span());
            if let Some((first, _)) = self.natives.get(name.get_ref()) {
                return Err(OverlayError::Twice {
                    place,
                    name: name.into_inner(),
                    first: first.clone(),
                });
            }
            check_files(&native.file, &native.subpackage)
                .map_err(|what| invalid(&place, name.get_ref(), what))?;
            self.natives.insert(name.into_inner(), (place, native));
        }
        Ok(())
    }

    fn claim(&self, name: &str, place: &Place) -> Result<(), OverlayError> {
        let first =
            self.packages.get(name).map(|(first, _)| first).or_else(|| self.inherited.get(name));
        match first {
            Some(first) => Err(OverlayError::Twice {
                place: place.clone(),
                name: name.to_owned(),
                first: first.clone(),
            }),
            None => Ok(()),
        }
    }

    fn read_sources(&mut self, files: &Path) -> Result<(), OverlayError> {
        let of_packages = self
            .packages
            .iter_mut()
            .map(|(name, (place, package))| (name, place, &mut package.file));
        let of_natives = self
            .natives
            .iter_mut()
            .map(|(name, (place, package))| (name, place, &mut package.file));
        for (name, place, added) in of_packages.chain(of_natives) {
            for file in added {
                let Some(source) = &file.source else { continue };
                let path = files.join(source);
                let bytes = std::fs::read(&path);
                file.bytes = Some(bytes.map_err(|error| {
                    invalid(place, name, format!("source {}: {error}", path.display()))
                })?);
            }
        }
        Ok(())
    }
}

fn invalid(place: &Place, name: &str, what: String) -> OverlayError {
    OverlayError::Invalid { place: place.clone(), name: name.to_owned(), what }
}

/// Turns the reader's words about any TOML file of the definition into one line, with the known key that is nearest to an unknown one.
pub(crate) fn parse_error(file: &str, text: &str, error: &toml::de::Error) -> OverlayError {
    let (line, column) = suggest::line_and_column(text, error.span().map_or(0, |span| span.start));
    let message = error.message().trim().replace('\n', ", ");
    let nearest = message
        .starts_with("unknown ")
        .then(|| suggest::quoted_names(&message))
        .and_then(|names| {
            let (unknown, known) = names.split_first()?;
            suggest::nearest(unknown, known.iter().copied()).map(str::to_owned)
        });
    // The list of all keys does not fit into one line of an error; the hint says where it is.
    let message = match message.split_once(", expected one of ") {
        Some((what, list)) if list.len() > 60 => what.to_owned(),
        _ => message,
    };
    OverlayError::Parse { place: Place { file: file.to_owned(), line, column }, message, nearest }
}

/// Returns what the one `*` of `key` matches in `name`.
fn star_match(key: &str, name: &str) -> Option<String> {
    let (start, end) = key.split_once('*')?;
    let middle = name.strip_prefix(start)?.strip_suffix(end)?;
    (!middle.is_empty()).then(|| middle.to_owned())
}

fn check_package(name: &str, overlay: &PackageOverlay) -> Result<(), String> {
    if name.matches('*').count() > 1 {
        return Err("expected at most one `*` in the name".into());
    }
    for (from, to) in &overlay.moves {
        check_path(from)?;
        check_path(to)?;
    }
    for glob in overlay.permissions.keys() {
        Glob::parse(glob)?;
    }
    let accounts = &overlay.maintainer_scripts;
    for script in ["preinst", "postinst", "prerm", "postrm", "config"] {
        if let Some(account) = accounts.get(script) {
            check_account(account).map_err(|what| format!("{script}: {what}"))?;
        }
    }
    check_files(&overlay.file, &overlay.subpackage)
}

fn check_account(account: &super::schema::Account) -> Result<(), String> {
    if account.reason.trim().is_empty() {
        return Err("the reason is empty (expected why the script need not run)".into());
    }
    Ok(())
}

fn check_files(files: &[AddedFile], subpackages: &[Subpackage]) -> Result<(), String> {
    let mut seen = BTreeSet::new();
    for file in files {
        check_path(&file.path)?;
        if !seen.insert(&file.path) {
            return Err(format!("file {} is added twice", file.path));
        }
        let given = (file.source.is_some(), file.content.is_some(), file.target.is_some());
        let (fits, expected) = match file.kind {
            AddedKind::File => (
                matches!(given, (true, false, false) | (false, true, false)),
                "either `source` or `content`",
            ),
            AddedKind::Symlink => (given == (false, false, true), "a `target` alone"),
            AddedKind::Dir | AddedKind::Ghost => {
                (given == (false, false, false), "no `source`, `content` or `target`")
            }
        };
        if !fits {
            return Err(format!("file {} (expected {expected} for its kind)", file.path));
        }
        let escapes =
            |source: &String| source.starts_with('/') || source.split('/').any(|part| part == "..");
        if file.source.as_ref().is_some_and(escapes) {
            return Err(format!("source of {} (expected a path below distro/files/)", file.path));
        }
    }
    for subpackage in subpackages {
        if subpackage.name.is_empty() {
            return Err("a subpackage has no `name`".into());
        }
        if subpackage.files.is_empty() {
            return Err(format!("subpackage {} has no `files`", subpackage.name));
        }
    }
    Ok(())
}

fn check_path(path: &str) -> Result<(), String> {
    let clean = path.starts_with('/')
        && !path.ends_with('/')
        && path.split('/').skip(1).all(|part| !matches!(part, "" | "." | ".."));
    let merged = ["/bin/", "/sbin/", "/lib/", "/lib64/"].iter().any(|top| path.starts_with(top));
    if !clean {
        return Err(format!(
            "path `{path}` (expected an absolute path without `.`, `..`, `//` or a slash at its end)"
        ));
    }
    if merged {
        return Err(format!("path `{path}` (expected `/usr{path}`: usrmerge)"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    fn parse(text: &str) -> Result<Overlays, OverlayError> {
        Overlays::parse(&[("distro/packages/x.toml".to_owned(), text.to_owned())])
    }

    fn check_error(text: &str, expected: Expect) {
        let error = parse(text).map(|_| ()).unwrap_err();
        expected
            .assert_eq(&format!("error: {error}\nhint: {}\n", error.hint().unwrap_or_default()));
    }

    #[test]
    fn unknown_key_names_the_nearest() {
        check_error(
            "[package.bash]\nname = \"bash\"\nrequire = [\"x\"]\n",
            expect![[r"
                error: distro/packages/x.toml:3:1: unknown field `require`
                hint: did you mean `requires`?
            "]],
        );
        check_error(
            "[[package.bash.file]]\npath = \"/etc/x\"\ncontnet = \"x\"\n",
            expect![[r"
                error: distro/packages/x.toml:3:1: unknown field `contnet`
                hint: did you mean `content`?
            "]],
        );
        check_error(
            "[pakage.bash]\n",
            expect![[r"
                error: distro/packages/x.toml:1:2: unknown field `pakage`, expected one of `inherit`, `package`, `native`, `defaults`
                hint: did you mean `package`?
            "]],
        );
    }

    #[test]
    fn wrong_values() {
        check_error(
            "[package.bash]\ndrop = \"/x\"\n",
            expect![[r#"
            error: distro/packages/x.toml:2:8: invalid type: string "/x", expected a sequence
            hint: the keys of overlays are in docs/reference/overlays.md, those of other files in distro/README.md
        "#]],
        );
        check_error(
            "[package.bash.permissions]\n\"/x\" = { mode = \"rwx\" }\n",
            expect![[r#"
            error: distro/packages/x.toml:2:17: mode `rwx` is not octal permission bits (expected such as "0644")
            hint: the keys of overlays are in docs/reference/overlays.md, those of other files in distro/README.md
        "#]],
        );
        check_error(
            "[[package.bash.file]]\npath = \"/etc/x\"\n",
            expect![[r"
            error: distro/packages/x.toml:1:11: package `bash`: file /etc/x (expected either `source` or `content` for its kind)
            hint: the keys of overlays are in docs/reference/overlays.md, those of other files in distro/README.md
        "]],
        );
        check_error(
            "[package.bash]\nmove = { \"/a\" = \"/sbin/b\" }\n",
            expect![[r"
            error: distro/packages/x.toml:1:10: package `bash`: path `/sbin/b` (expected `/usr/sbin/b`: usrmerge)
            hint: the keys of overlays are in docs/reference/overlays.md, those of other files in distro/README.md
        "]],
        );
        check_error(
            "[package.bash.maintainer-scripts]\npostinst = { sha256 = \"12\", reason = \"\" }\n",
            expect![[r"
            error: distro/packages/x.toml:1:10: package `bash`: postinst: the reason is empty (expected why the script need not run)
            hint: the keys of overlays are in docs/reference/overlays.md, those of other files in distro/README.md
        "]],
        );
    }

    #[test]
    fn two_overlays_of_one_package() {
        check_error(
            "inherit = [\"bash\"]\n[package.bash]\nname = \"bash\"\n",
            expect![[r"
            error: distro/packages/x.toml:2:10: package `bash` has an overlay already, at distro/packages/x.toml:1:12
            hint: put everything about one package into one `[package.…]` table
        "]],
        );
    }

    #[test]
    fn selection_from_the_snapshot() {
        let snapshot: BTreeSet<String> = [
            "bash",
            "libacl1",
            "linux-image-6.12.9+deb13-amd64",
            "linux-image-6.12.9+deb13-cloud-amd64",
        ]
        .map(String::from)
        .into();
        let overlays = parse("inherit = [\"libacl1\"]\n[package.\"linux-image-*+deb13-amd64\"]\nname = \"kernel-core\"\n").unwrap();
        let selected: Vec<_> = overlays.select(&snapshot).unwrap().into_iter().collect();
        assert_eq!(selected, ["libacl1", "linux-image-6.12.9+deb13-amd64"]);
        let kernel = overlays.overlay_for("linux-image-6.12.9+deb13-amd64");
        assert_eq!(
            (kernel.our_name(), kernel.star.as_deref()),
            ("kernel-core".to_owned(), Some("6.12.9"))
        );
        assert_eq!(overlays.overlay_for("libacl1").our_name(), "libacl1");

        let error = parse("inherit = [\"libacl\"]\n").unwrap().select(&snapshot).unwrap_err();
        expect![[r"
            distro/packages/x.toml:1:12: overlay for package `libacl`, which is not in the snapshot
            did you mean `libacl1`?"]]
        .assert_eq(&format!("{error}\n{}", error.hint().unwrap()));
    }

    #[test]
    fn the_reference_example_is_valid() {
        let reference = include_str!("../../../../docs/reference/overlays.md");
        let blocks: Vec<&str> = reference
            .split("```toml\n")
            .skip(1)
            .filter_map(|rest| rest.split("```").next())
            .collect();
        assert_eq!(blocks.len(), 2);
        let files = [
            ("x.toml".to_owned(), blocks[0].to_owned()),
            (DEFAULTS_FILE.to_owned(), blocks[1].to_owned()),
        ];
        let overlays = Overlays::parse(&files).unwrap();
        assert_eq!(overlays.overlay_for("openssh-server").package.file.len(), 2);
        assert_eq!(overlays.natives().count(), 1);
    }

    #[test]
    fn fingerprint_follows_the_sources() {
        let overlays = parse("[[package.bash.file]]\npath = \"/etc/x\"\nsource = \"x\"\n").unwrap();
        let mut overlay = overlays.overlay_for("bash");
        let before = overlay.fingerprint();
        overlay.package.file[0].bytes = Some(vec![1]);
        assert_ne!(before, overlay.fingerprint());
    }
}
