// SPDX-License-Identifier: MIT OR Apache-2.0
//! Builds packages: RPM format 4, zstd payload, optionally signed, the same bytes every time.
//!
//! This does not use the `rpm` crate's builder: that one stamps packages with the clock and leaves
//! `SOURCERPM` at `(none)`. Headers are as rpmbuild 4.20 writes them, and every package that is
//! built was read back by the strict reader of this crate.
//!
//! What is added to the specification, as rpmbuild does: the package's own name (and
//! `name(x86-64)`) and `config(name)` as Provides, scriptlet interpreters and `rpmlib(…)` features
//! as Requires. Users, groups, sonames and the like are the caller's.

mod payload;
mod values;

use std::collections::BTreeMap;

use crate::dependency::Dependency;
use crate::error::Error;
use crate::evr::Evr;
use crate::header::{
    self, FileFlags, Header, Scriptlet, ScriptletKind, TriggerKind, Value, Values, mode, verify,
};
use crate::package::{lead, signature_header_bytes, size_value};
use crate::signature::{KeyError, SigningKey};
use crate::tag;
use payload::{Archive, write_payload};
use values::header_values;

/// What to build.
///
/// `PackageSpec::new` fills in the usual; set the rest field by field.
#[derive(Clone, Debug)]
pub struct PackageSpec {
    /// The package's name.
    pub name: String,
    /// Epoch (0 is left out), version and release.
    pub evr: Evr,
    /// The architecture: `x86_64`, `noarch`, …
    pub arch: String,
    /// One line without a full stop.
    pub summary: String,
    /// Paragraphs.
    pub description: String,
    /// SPDX expression.
    pub license: String,
    /// The project's page; empty for none.
    pub url: String,
    /// Who makes the distribution; empty for none.
    pub vendor: String,
    /// rpm's old grouping; `Unspecified` if empty.
    pub group: String,
    /// Who to ask about the package; empty for none.
    pub packager: String,
    /// Name of the distribution; empty for none.
    pub distribution: String,
    /// File name of the source package (`bash-5.2-1.src.rpm`). If empty, that of a source package
    /// with the same name and EVR.
    pub source_package: String,
    /// Provides besides those added automatically; duplicates are dropped.
    pub provides: Vec<Dependency>,
    /// Requires besides those added automatically; duplicates are dropped.
    pub requires: Vec<Dependency>,
    /// Conflicts.
    pub conflicts: Vec<Dependency>,
    /// Obsoletes.
    pub obsoletes: Vec<Dependency>,
    /// Recommends.
    pub recommends: Vec<Dependency>,
    /// Suggests.
    pub suggests: Vec<Dependency>,
    /// What comes first in a transaction, without being needed.
    pub order_with_requires: Vec<Dependency>,
    /// Supplements.
    pub supplements: Vec<Dependency>,
    /// Enhances.
    pub enhances: Vec<Dependency>,
    /// Files in any order.
    pub files: Vec<FileSpec>,
    /// Scriptlets by kind.
    pub scriptlets: BTreeMap<ScriptletKind, Scriptlet>,
    /// Triggers of all scopes, in the order they shall have.
    pub triggers: Vec<TriggerSpec>,
    /// Changelog, newest first.
    pub changelog: Vec<ChangelogEntry>,
    /// Further tags as they are; they replace tags of the same number.
    pub extra_tags: Values,
}

impl PackageSpec {
    /// Returns a specification of an empty package.
    pub fn new(name: impl Into<String>, evr: Evr, arch: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            evr,
            arch: arch.into(),
            summary: String::new(),
            description: String::new(),
            license: String::new(),
            url: String::new(),
            vendor: String::new(),
            group: String::new(),
            packager: String::new(),
            distribution: String::new(),
            source_package: String::new(),
            provides: Vec::new(),
            requires: Vec::new(),
            conflicts: Vec::new(),
            obsoletes: Vec::new(),
            recommends: Vec::new(),
            suggests: Vec::new(),
            order_with_requires: Vec::new(),
            supplements: Vec::new(),
            enhances: Vec::new(),
            files: Vec::new(),
            scriptlets: BTreeMap::new(),
            triggers: Vec::new(),
            changelog: Vec::new(),
            extra_tags: Values::new(),
        }
    }
}

/// A file to package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileSpec {
    /// Absolute path in normal form.
    pub path: String,
    /// What it is.
    pub kind: FileKind,
    /// Permission bits, setuid and the like included (`0o7777`).
    pub mode: u16,
    /// Owner's name.
    pub user: String,
    /// Group's name.
    pub group: String,
    /// Modification time, seconds since 1970; never later than [`BuildOptions::source_date`].
    pub mtime: u32,
    /// What the file is for. A directory or symlink with [`FileFlags::GHOST`] is not in the
    /// payload.
    pub flags: FileFlags,
    /// Capabilities (`cap_net_raw=ep`), empty for none.
    pub caps: String,
    /// What `rpm -V` compares, as in [`FileEntry::verify_flags`](crate::header::FileEntry); everything by default.
    pub verify_flags: u32,
}

/// What a file is.
#[derive(Clone, PartialEq, Eq)]
pub enum FileKind {
    /// A regular file with its content.
    Regular(Vec<u8>),
    /// A directory.
    Directory,
    /// A symlink with its target.
    Symlink(String),
    /// A regular file the package owns and does not bring.
    Ghost,
}

impl std::fmt::Debug for FileKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Regular(bytes) => write!(f, "Regular({} bytes)", bytes.len()),
            Self::Directory => f.write_str("Directory"),
            Self::Symlink(target) => write!(f, "Symlink({target:?})"),
            Self::Ghost => f.write_str("Ghost"),
        }
    }
}

impl FileSpec {
    /// Returns a file of root's, modified at the source date, with the usual mode of its kind
    /// (0644, 0755 for directories, 0777 for symlinks).
    pub fn new(path: impl Into<String>, kind: FileKind) -> Self {
        let mode = match &kind {
            FileKind::Regular(_) | FileKind::Ghost => 0o644,
            FileKind::Directory => 0o755,
            FileKind::Symlink(_) => 0o777,
        };
        Self {
            path: path.into(),
            kind,
            mode,
            user: "root".into(),
            group: "root".into(),
            mtime: u32::MAX,
            flags: FileFlags::NONE,
            caps: String::new(),
            verify_flags: u32::MAX,
        }
    }

    /// Returns a regular file.
    pub fn regular(path: impl Into<String>, content: impl Into<Vec<u8>>) -> Self {
        Self::new(path, FileKind::Regular(content.into()))
    }

    /// Returns a directory.
    pub fn directory(path: impl Into<String>) -> Self {
        Self::new(path, FileKind::Directory)
    }

    /// Returns a symlink.
    pub fn symlink(path: impl Into<String>, target: impl Into<String>) -> Self {
        Self::new(path, FileKind::Symlink(target.into()))
    }

    /// Returns the same file with other permission bits.
    pub fn with_mode(mut self, mode: u16) -> Self {
        self.mode = mode;
        self
    }

    /// Returns the same file with further flags.
    pub fn with_flags(mut self, flags: FileFlags) -> Self {
        self.flags = self.flags | flags;
        self
    }

    /// Returns the same file for programs to write again: `rpm -V` does not compare its digest, size and time
    /// (`%verify(not md5 size mtime)`).
    pub fn rewritten(mut self) -> Self {
        self.verify_flags &= !(verify::DIGEST | verify::SIZE | verify::MTIME);
        self
    }

    fn full_mode(&self) -> u16 {
        let kind = match &self.kind {
            FileKind::Regular(_) | FileKind::Ghost => mode::REGULAR,
            FileKind::Directory => mode::DIRECTORY,
            FileKind::Symlink(_) => mode::SYMLINK,
        };
        kind | (self.mode & 0o7777)
    }

    fn is_ghost(&self) -> bool {
        self.flags.is_ghost() || self.kind == FileKind::Ghost
    }

    fn size(&self) -> u64 {
        match &self.kind {
            _ if self.is_ghost() => 0,
            FileKind::Regular(bytes) => bytes.len() as u64,
            FileKind::Symlink(target) => target.len() as u64,
            FileKind::Directory | FileKind::Ghost => 0,
        }
    }
}

/// What sets a trigger off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TriggerScope {
    /// Other packages (`%triggerin`).
    Package,
    /// Files with a prefix, once per package (`%filetriggerin`).
    File,
    /// Files with a prefix, once per transaction (`%transfiletriggerin`).
    TransactionFile,
}

/// A trigger to package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TriggerSpec {
    /// What sets it off.
    pub scope: TriggerScope,
    /// The interpreter's path or `<lua>`, without arguments.
    pub interpreter: String,
    /// The script; `None` runs the interpreter alone.
    pub body: Option<String>,
    /// See [`header::script_flags`].
    pub flags: u32,
    /// Order among file triggers, see [`header::DEFAULT_TRIGGER_PRIORITY`].
    pub priority: u32,
    /// Conditions; the names are path prefixes for file triggers.
    pub conditions: Vec<(TriggerKind, Dependency)>,
}

/// An entry of the changelog.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangelogEntry {
    /// Seconds since 1970.
    pub time: u32,
    /// `Name <address> - version`.
    pub author: String,
    /// What changed.
    pub text: String,
}

/// How to build, apart from what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuildOptions {
    /// Build and signature time, and the latest modification time of files; seconds since 1970.
    pub source_date: u32,
    /// 1 (fast) to 22 (small).
    pub zstd_level: i32,
    /// Name of the build host in the header.
    pub build_host: String,
    /// Threads that compress; does not change the result.
    pub threads: u32,
}

impl BuildOptions {
    /// Returns options with level 19, host `localhost` and one thread.
    pub fn new(source_date: u32) -> Self {
        Self { source_date, zstd_level: 19, build_host: "localhost".into(), threads: 1 }
    }
}

/// Why a package was not built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The result would be no valid package.
    #[error("package {name}: {source}")]
    Invalid {
        /// The package's name.
        name: String,
        /// What is wrong.
        source: Error,
    },
    /// A text with a NUL byte.
    #[error("package {name}: tag {}: text with a NUL byte", tag::label(*tag))]
    Nul {
        /// The package's name.
        name: String,
        /// The tag.
        tag: u32,
    },
    /// Compression failed.
    #[error("package {name}: compressing the payload: {source}")]
    Compress {
        /// The package's name.
        name: String,
        /// The compressor's error.
        source: std::io::Error,
    },
    /// Signing failed.
    #[error("package {name}: signing: {source}")]
    Sign {
        /// The package's name.
        name: String,
        /// What is wrong.
        source: KeyError,
    },
}

impl BuildError {
    /// Returns what an operator can do, where there is something.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Invalid { .. } | Self::Nul { .. } => Some("correct the package's definition"),
            Self::Compress { .. } => Some("use a zstd level from 1 to 22"),
            Self::Sign { source, .. } => source.hint(),
        }
    }
}

/// A package in two parts, so that a large payload need not be copied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuiltPackage {
    /// Lead, signature header and header.
    pub head: Vec<u8>,
    /// The compressed payload, which follows.
    pub payload: Vec<u8>,
}

impl BuiltPackage {
    /// Returns the whole file.
    pub fn into_bytes(self) -> Vec<u8> {
        let mut bytes = self.head;
        bytes.extend_from_slice(&self.payload);
        bytes
    }
}

/// Builds a package file; see [`build_package_parts`].
pub fn build_package(
    spec: &PackageSpec,
    options: &BuildOptions,
    signer: Option<&SigningKey>,
) -> Result<Vec<u8>, BuildError> {
    build_package_parts(spec, options, signer).map(BuiltPackage::into_bytes)
}

/// Builds a package, signed if there is a signer; the signature's time is the source date.
///
/// The same specification, options and key give the same bytes on every machine.
pub fn build_package_parts(
    spec: &PackageSpec,
    options: &BuildOptions,
    signer: Option<&SigningKey>,
) -> Result<BuiltPackage, BuildError> {
    let name = || spec.name.clone();
    let files = sorted_files(spec);
    let archive = write_payload(&files, options)
        .map_err(|source| BuildError::Compress { name: name(), source })?;
    let values = header_values(spec, options, &files, &archive);
    check_nul(&values).map_err(|tag| BuildError::Nul { name: name(), tag })?;
    let header = header::write_region(tag::HEADERIMMUTABLE, &values);
    let mut header_bytes = header::MAGIC.to_vec();
    header_bytes.extend_from_slice(&header);
    Header::main(header).map_err(|source| BuildError::Invalid { name: name(), source })?;
    let signature = signer
        .map(|key| key.sign_detached(&header_bytes, options.source_date.max(key.created_unix())))
        .transpose()
        .map_err(|source| BuildError::Sign { name: name(), source })?;
    let signature = signature.map(|bytes| {
        let is_rsa = signer.is_some_and(SigningKey::is_rsa);
        (if is_rsa { tag::RSAHEADER } else { tag::DSAHEADER }, bytes)
    });
    let signature = signature_values(&header_bytes, &archive, signature);
    let mut head = lead(&format!("{}-{}", spec.name, spec.evr.without_epoch()));
    head.extend(signature_header_bytes(&signature));
    head.extend(header_bytes);
    Ok(BuiltPackage { head, payload: archive.bytes })
}

/// Returns the values of a signature header: digests, sizes and the header's signature.
fn signature_values(header: &[u8], archive: &Archive, signature: Option<(u32, Vec<u8>)>) -> Values {
    use md5::Digest;
    let mut md5 = md5::Md5::new();
    md5.update(header);
    md5.update(&archive.bytes);
    let length = (header.len() + archive.bytes.len()) as u64;
    let mut values = Values::from([
        (tag::SHA1HEADER, Value::text(hex::encode(sha1::Sha1::digest(header)))),
        (tag::SHA256HEADER, Value::text(hex::encode(sha2::Sha256::digest(header)))),
        (tag::signature::MD5, Value::Binary(md5.finalize().to_vec())),
        size_value(length, tag::signature::SIZE, tag::LONGSIGSIZE),
        size_value(archive.size, tag::signature::PAYLOADSIZE, tag::LONGARCHIVESIZE),
    ]);
    values.extend(signature.map(|(tag, bytes)| (tag, Value::Binary(bytes))));
    values
}

fn sorted_files(spec: &PackageSpec) -> Vec<&FileSpec> {
    let mut files: Vec<&FileSpec> = spec.files.iter().collect();
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files
}

fn check_nul(values: &Values) -> Result<(), u32> {
    for (tag, value) in values {
        let texts = match value {
            Value::String(text) => std::slice::from_ref(text),
            Value::StringArray(texts) | Value::I18nString(texts) => texts,
            _ => continue,
        };
        if texts.iter().any(|text| text.contains('\0')) {
            return Err(*tag);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
