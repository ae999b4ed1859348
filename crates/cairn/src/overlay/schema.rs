// SPDX-License-Identifier: MIT OR Apache-2.0
//! The schema of `distro/packages/*.toml`, exactly as `docs/reference/overlays.md` describes it.

use std::collections::BTreeMap;

use cairn_rpm::header::verify;
use serde::{Deserialize, Serialize};

use super::glob::Glob;

/// One overlay file.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OverlayFile {
    /// Debian packages taken with the defaults only.
    #[serde(default)]
    pub inherit: Vec<toml::Spanned<String>>,
    /// Overlays by Debian binary package name (or a glob with one `*`).
    #[serde(default)]
    pub package: BTreeMap<toml::Spanned<String>, PackageOverlay>,
    /// Packages of ours that have no `.deb`.
    #[serde(default)]
    pub native: BTreeMap<toml::Spanned<String>, NativePackage>,
    /// Distribution-wide rules; only in `_defaults.toml`.
    pub defaults: Option<Defaults>,
}

/// Distribution-wide rules.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Defaults {
    /// Files left out of every package.
    pub drop: Vec<Glob>,
    /// Files kept although a `drop` matches.
    pub keep: Vec<Glob>,
    /// Requirement names (or globs of generated names) left out of every package.
    pub drop_requires: Vec<String>,
    /// Directories that only the `filesystem` package lists.
    pub shared_directories: Vec<Glob>,
    /// Our names of inherited packages.
    pub names: BTreeMap<String, String>,
    /// Maintainer-script texts that many packages share.
    pub maintainer_script: Vec<Account>,
}

/// How one Debian package becomes our package or packages.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct PackageOverlay {
    /// Our name.
    pub name: Option<String>,
    /// One line.
    pub summary: Option<String>,
    /// Longer text.
    pub description: Option<String>,
    /// SPDX expression.
    pub license: Option<String>,
    /// Architecture instead of the `.deb`'s.
    pub arch: Option<Arch>,
    /// Files left out.
    pub drop: Vec<Glob>,
    /// Files kept although a `drop` matches.
    pub keep: Vec<Glob>,
    /// More configuration files.
    pub config: Vec<Glob>,
    /// Conffiles that are not configuration.
    pub not_config: Vec<Glob>,
    /// Renames.
    #[serde(rename = "move")]
    pub moves: BTreeMap<String, String>,
    /// Owners, modes and capabilities that differ from the payload.
    pub permissions: BTreeMap<String, Permissions>,
    /// Added files.
    pub file: Vec<AddedFile>,
    /// Added requirements.
    pub requires: Vec<String>,
    /// Added provides.
    pub provides: Vec<String>,
    /// Added conflicts.
    pub conflicts: Vec<String>,
    /// Added obsoletes.
    pub obsoletes: Vec<String>,
    /// Added recommends.
    pub recommends: Vec<String>,
    /// Requirement names (or globs of generated names) left out.
    pub drop_requires: Vec<String>,
    /// Members of Debian's Conflicts and Breaks that are kept.
    pub keep_conflicts: Vec<String>,
    /// Scriptlets of the main package.
    pub scriptlets: ScriptletBodies,
    /// File triggers of the main package.
    pub file_trigger: Vec<FileTrigger>,
    /// Packages split off.
    pub subpackage: Vec<Subpackage>,
    /// Accounts of what Debian's maintainer scripts do.
    pub maintainer_scripts: MaintainerScripts,
    /// What a hard link becomes.
    pub hard_links: HardLinks,
    /// What a symbolic link to a file of the same `.deb` becomes.
    pub symlinks: Symlinks,
    /// Whether `.py` files get `__pycache__`.
    pub byte_compile: bool,
}

/// A package of ours without a `.deb`.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct NativePackage {
    /// Version.
    pub version: String,
    /// Release; `1` by default.
    #[serde(default = "first_release")]
    pub release: String,
    /// One line.
    pub summary: String,
    /// SPDX expression.
    pub license: String,
    /// Longer text.
    pub description: Option<String>,
    /// Home page.
    pub url: Option<String>,
    /// Architecture; `noarch` by default.
    pub arch: Option<Arch>,
    /// More configuration files.
    #[serde(default)]
    pub config: Vec<Glob>,
    /// Owners, modes and capabilities that differ from those in `file`.
    #[serde(default)]
    pub permissions: BTreeMap<String, Permissions>,
    /// The files.
    #[serde(default)]
    pub file: Vec<AddedFile>,
    /// Requirements.
    #[serde(default)]
    pub requires: Vec<String>,
    /// Provides.
    #[serde(default)]
    pub provides: Vec<String>,
    /// Conflicts.
    #[serde(default)]
    pub conflicts: Vec<String>,
    /// Obsoletes.
    #[serde(default)]
    pub obsoletes: Vec<String>,
    /// Recommends.
    #[serde(default)]
    pub recommends: Vec<String>,
    /// Scriptlets.
    #[serde(default)]
    pub scriptlets: ScriptletBodies,
    /// File triggers.
    #[serde(default)]
    pub file_trigger: Vec<FileTrigger>,
    /// Packages split off.
    #[serde(default)]
    pub subpackage: Vec<Subpackage>,
    /// Whether `.py` files get `__pycache__`.
    #[serde(default)]
    pub byte_compile: bool,
}

fn first_release() -> String {
    "1".to_owned()
}

/// RPM architectures we build.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Arch {
    /// 64-bit x86.
    #[serde(rename = "x86_64")]
    X86_64,
    /// Any machine.
    Noarch,
}

impl Arch {
    /// Returns RPM's name of the architecture.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::X86_64 => "x86_64",
            Self::Noarch => "noarch",
        }
    }
}

/// What a hard link of the `.deb` becomes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum HardLinks {
    /// A relative symbolic link to the first name.
    #[default]
    Symlink,
    /// A file of its own.
    Copy,
}

/// What a symbolic link to a file of the same `.deb` becomes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Symlinks {
    /// It stays one.
    #[default]
    Keep,
    /// A file of its own, so that sub-packages do not need each other.
    Copy,
}

/// What differs from the payload's owner, mode and capabilities.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Permissions {
    /// Permission bits.
    pub mode: Option<Mode>,
    /// User name.
    pub user: Option<String>,
    /// Group name.
    pub group: Option<String>,
    /// File capabilities as text (`cap_net_raw=ep`); `""` takes them away.
    pub caps: Option<String>,
}

/// Permission bits, written as an octal string.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mode(pub u16);

impl<'de> Deserialize<'de> for Mode {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        match u16::from_str_radix(&text, 8) {
            Ok(bits) if bits <= 0o7777 => Ok(Self(bits)),
            Ok(_) | Err(_) => Err(serde::de::Error::custom(format!(
                "mode `{text}` is not octal permission bits (expected such as \"0644\")"
            ))),
        }
    }
}

impl Serialize for Mode {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&format!("{:04o}", self.0))
    }
}

/// A file of ours.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct AddedFile {
    /// Absolute path, after usrmerge.
    pub path: String,
    /// What it is.
    pub kind: AddedKind,
    /// Path below `distro/files/`.
    pub source: Option<String>,
    /// The text itself.
    pub content: Option<String>,
    /// Target of a symbolic link.
    pub target: Option<String>,
    /// Permission bits; `0644`, `0755` for directories.
    pub mode: Option<Mode>,
    /// User name; `root`.
    pub user: Option<String>,
    /// Group name; `root`.
    pub group: Option<String>,
    /// File capabilities as text.
    pub caps: Option<String>,
    /// Whether it is `%config(noreplace)`.
    pub config: bool,
    /// Whether it takes the place of a file of the `.deb`.
    pub replace: bool,
    /// What `rpm -V` does not compare, `%verify(not …)`: something else changes it on every system.
    #[serde(rename = "not-verified", skip_serializing_if = "Vec::is_empty")]
    pub not_verified: Vec<Verified>,
    /// Bytes of `source`, read when the overlays are loaded.
    #[serde(skip)]
    pub bytes: Option<Vec<u8>>,
}

/// What `rpm -V` compares, by the words of `%verify`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verified {
    /// Permission bits and access control lists.
    Mode,
    /// Owner.
    User,
    /// Group.
    Group,
}

impl Verified {
    /// Returns the bit of rpm's `FILEVERIFYFLAGS`.
    pub fn bit(self) -> u32 {
        match self {
            Self::User => verify::USER,
            Self::Group => verify::GROUP,
            Self::Mode => verify::MODE,
        }
    }
}

/// Kind of an added file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum AddedKind {
    /// Regular file.
    #[default]
    File,
    /// Directory.
    Dir,
    /// Symbolic link.
    Symlink,
    /// Owned by the package but not in its payload.
    Ghost,
}

/// Scriptlet bodies, run by `/bin/sh`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct ScriptletBodies {
    /// `%pre`.
    pub pre: Option<String>,
    /// `%post`.
    pub post: Option<String>,
    /// `%preun`.
    pub preun: Option<String>,
    /// `%postun`.
    pub postun: Option<String>,
    /// `%pretrans`.
    pub pretrans: Option<String>,
    /// `%posttrans`.
    pub posttrans: Option<String>,
    /// Units that scriptlets enable, stop and restart.
    pub units: Units,
}

/// Units of a package, separated by spaces, that its scriptlets hand to systemd where that is installed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Units {
    /// Enabled or disabled by the presets when the package is installed, in `%post`.
    pub post: Option<String>,
    /// Disabled and stopped when it is removed, in `%preun`.
    pub preun: Option<String>,
    /// Restarted when it was upgraded, in `%postun`.
    pub postun: Option<String>,
}

/// A file trigger.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct FileTrigger {
    /// When it runs.
    pub kind: FileTriggerKind,
    /// Path prefixes.
    pub paths: Vec<String>,
    /// Body; without one the program is run alone, and gets no arguments.
    pub script: Option<String>,
    /// Higher runs earlier.
    #[serde(default = "default_priority")]
    pub priority: u32,
    /// Program that runs the body, or is run.
    #[serde(default = "default_interpreter")]
    pub interpreter: String,
}

fn default_priority() -> u32 {
    1_000_000
}

fn default_interpreter() -> String {
    "/bin/sh".to_owned()
}

/// When a file trigger runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FileTriggerKind {
    /// `%filetriggerin`.
    In,
    /// `%filetriggerun`.
    Un,
    /// `%filetriggerpostun`.
    Postun,
    /// `%transfiletriggerin`.
    TransactionIn,
    /// `%transfiletriggerun`.
    TransactionUn,
    /// `%transfiletriggerpostun`.
    TransactionPostun,
}

/// A package split off the main one.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Subpackage {
    /// Our name.
    pub name: String,
    /// Which files go there.
    pub files: Vec<Glob>,
    /// One line.
    pub summary: Option<String>,
    /// Longer text.
    pub description: Option<String>,
    /// Added requirements.
    pub requires: Vec<String>,
    /// Added provides.
    pub provides: Vec<String>,
    /// Added conflicts.
    pub conflicts: Vec<String>,
    /// Added obsoletes.
    pub obsoletes: Vec<String>,
    /// Added recommends.
    pub recommends: Vec<String>,
    /// Debian dependencies that move here.
    pub take_requires: Vec<String>,
    /// Whether it does not require the main package.
    pub standalone: bool,
    /// Scriptlets.
    pub scriptlets: ScriptletBodies,
    /// File triggers.
    pub file_trigger: Vec<FileTrigger>,
}

/// Accounts by script.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct MaintainerScripts {
    /// Before unpacking.
    pub preinst: Option<Account>,
    /// After unpacking.
    pub postinst: Option<Account>,
    /// Before removal.
    pub prerm: Option<Account>,
    /// After removal.
    pub postrm: Option<Account>,
    /// debconf questions.
    pub config: Option<Account>,
}

/// Why a maintainer script need not run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// First 16 hex digits of the SHA-256 of the remaining text.
    pub sha256: String,
    /// The reason.
    pub reason: String,
}

impl MaintainerScripts {
    /// Returns the account of one script by its Debian name.
    pub fn get(&self, script: &str) -> Option<&Account> {
        match script {
            "preinst" => self.preinst.as_ref(),
            "postinst" => self.postinst.as_ref(),
            "prerm" => self.prerm.as_ref(),
            "postrm" => self.postrm.as_ref(),
            "config" => self.config.as_ref(),
            _ => None,
        }
    }
}
