// SPDX-License-Identifier: MIT OR Apache-2.0
//! What can be wrong with a package file, and what a person can do about it.
//!
//! Every text that comes from the package is escaped, so a message never carries control
//! characters to a terminal.

use crate::dependency::DependencyError;
use crate::tag::label;

/// The part of a package file in which something was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Section {
    /// The 96 byte lead.
    Lead,
    /// The signature header.
    Signature,
    /// The main header.
    Header,
    /// The compressed archive of files.
    Payload,
}

impl std::fmt::Display for Section {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Lead => "lead",
            Self::Signature => "signature header",
            Self::Header => "header",
            Self::Payload => "payload",
        })
    }
}

/// Why a package, or a header from the rpm database, was refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Reading failed.
    #[error("reading the package: {0}")]
    Io(#[from] std::io::Error),
    /// The file has no bytes.
    #[error("not an RPM: file is empty")]
    Empty,
    /// The file is a web page.
    #[error("not an RPM: looks like an HTML page; the server answered an error page")]
    Html,
    /// The first four bytes are not those of an RPM.
    #[error("not an RPM: magic {found}, expected edabeedb")]
    LeadMagic {
        /// The first bytes in hexadecimal.
        found: String,
    },
    /// A major version other than 3 or 4.
    #[error("unsupported RPM format {major}")]
    Format {
        /// The major version in the lead.
        major: u8,
    },
    /// A signature that is not stored as a header.
    #[error("unsupported signature type {kind}")]
    SignatureType {
        /// The type in the lead.
        kind: u16,
    },
    /// The file ends early.
    #[error("truncated in {section} at byte {offset} (expected {need} bytes, found {have})")]
    Truncated {
        /// Where.
        section: Section,
        /// Offset of the section in the file.
        offset: u64,
        /// Bytes the section needs.
        need: u64,
        /// Bytes there are.
        have: u64,
    },
    /// A header that does not start with header magic.
    #[error("{section} at byte {offset}: bad magic (expected 8eade801, found {found})")]
    HeaderMagic {
        /// Which header.
        section: Section,
        /// Its offset in the file.
        offset: u64,
        /// The first bytes in hexadecimal.
        found: String,
    },
    /// Too many tags.
    #[error("{section} claims {count} tags, limit {}", crate::header::TAGS_LIMIT)]
    TooManyTags {
        /// Which header.
        section: Section,
        /// Claimed number of tags.
        count: u32,
    },
    /// Too much data.
    #[error("{section} data {bytes} bytes, limit {}", crate::header::DATA_LIMIT)]
    TooMuchData {
        /// Which header.
        section: Section,
        /// Claimed bytes.
        bytes: u32,
    },
    /// A header without tags.
    #[error("{section} has no tags")]
    NoTags {
        /// Which header.
        section: Section,
    },
    /// A database entry whose length is not what it says.
    #[error("{section} has {found} bytes (expected {expected})")]
    Length {
        /// Which header.
        section: Section,
        /// Bytes it says it has.
        expected: u64,
        /// Bytes it has.
        found: u64,
    },
    /// A tag outside the data.
    #[error("tag {}: offset {offset} outside {bytes} bytes", label(*tag))]
    TagOffset {
        /// The tag.
        tag: u32,
        /// Its offset.
        offset: i32,
        /// Bytes of data in the header.
        bytes: usize,
    },
    /// A tag number that rpm reserves.
    #[error("tag {}: the number is reserved", label(*tag))]
    TagReserved {
        /// The tag.
        tag: u32,
    },
    /// A type that rpm does not have.
    #[error("tag {}: unknown type {kind}", label(*tag))]
    TagType {
        /// The tag.
        tag: u32,
        /// The type.
        kind: u32,
    },
    /// A tag whose type is not the one rpm gives it.
    #[error("tag {}: type {found} (expected {expected})", label(*tag))]
    TagWrongType {
        /// The tag.
        tag: u32,
        /// What rpm stores there.
        expected: &'static str,
        /// What was found.
        found: &'static str,
    },
    /// An offset that is no multiple of the type's size.
    #[error("tag {}: offset {offset} is not aligned to {alignment} bytes", label(*tag))]
    TagAlignment {
        /// The tag.
        tag: u32,
        /// Its offset.
        offset: i32,
        /// The alignment of its type.
        alignment: usize,
    },
    /// A count that does not fit the data.
    #[error("tag {}: count {count} does not fit", label(*tag))]
    TagCount {
        /// The tag.
        tag: u32,
        /// The count.
        count: u32,
    },
    /// A string without its end.
    #[error("tag {}: unterminated string", label(*tag))]
    Unterminated {
        /// The tag.
        tag: u32,
    },
    /// Two tags that share bytes, or that are stored out of order.
    #[error("tags {} and {} overlap", label(*first), label(*second))]
    Overlap {
        /// The tag that comes first in the index.
        first: u32,
        /// The tag after it.
        second: u32,
    },
    /// The signed region is broken or missing.
    #[error("immutable region is malformed in the {section}")]
    Region {
        /// Which header.
        section: Section,
    },
    /// A tag that is there twice.
    #[error("tag {} occurs twice", label(*tag))]
    Duplicate {
        /// The tag.
        tag: u32,
    },
    /// Text that is not UTF-8.
    #[error("tag {}: text is not UTF-8: \"{text}\"", label(*tag))]
    NotUtf8 {
        /// The tag.
        tag: u32,
        /// The text with the odd bytes escaped.
        text: String,
    },
    /// A tag every package has.
    #[error("tag {} is missing", label(*tag))]
    Missing {
        /// The tag.
        tag: u32,
    },
    /// Arrays with one entry per file that differ in length.
    #[error("file lists differ in length: {expected} / {found} (tag {})", label(*tag))]
    FileLists {
        /// Entries in the list of names.
        expected: usize,
        /// Entries in the other list.
        found: usize,
        /// The other list.
        tag: u32,
    },
    /// Parallel arrays other than file lists that differ in length.
    #[error("lists differ in length: {expected} / {found} (tag {})", label(*tag))]
    Lists {
        /// Entries in the list of names.
        expected: usize,
        /// Entries in the other list.
        found: usize,
        /// The other list.
        tag: u32,
    },
    /// A file in a directory that is not listed.
    #[error("file {file}: directory index {index}, {directories} directories")]
    DirectoryIndex {
        /// Position of the file in the header, from 0.
        file: usize,
        /// The index found.
        index: u32,
        /// How many directories there are.
        directories: usize,
    },
    /// A path that could lead out of the target root, or that is not in normal form.
    #[error("unsafe path in package: \"{path}\" ({problem})")]
    UnsafePath {
        /// The path, escaped and shortened.
        path: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A file below a symlink that the same package brings.
    #[error("path passes through symlink {symlink}: \"{path}\"")]
    ThroughSymlink {
        /// The symlink.
        symlink: String,
        /// The directory below it.
        path: String,
    },
    /// A path the header lists twice.
    #[error("the header lists \"{path}\" twice")]
    DuplicatePath {
        /// The path.
        path: String,
    },
    /// A device, socket or unknown kind of file where the header and payload do not agree, or a
    /// kind no package may carry.
    #[error("file \"{path}\": mode {mode:o} is no kind of file a package can carry")]
    FileKind {
        /// The path.
        path: String,
        /// The mode in the header.
        mode: u16,
    },
    /// A file so large that sizes overflow.
    #[error("file \"{path}\": size {size} is out of range")]
    FileSize {
        /// The path.
        path: String,
        /// The size in the header.
        size: u64,
    },
    /// A hard link set that is not whole.
    #[error("hardlink set incomplete: \"{path}\" (expected {expected} links, found {found})")]
    HardLinks {
        /// One member.
        path: String,
        /// Links in the header.
        expected: u32,
        /// Links in the payload.
        found: u32,
    },
    /// A hard link set that is too large.
    #[error("hardlink set of \"{path}\" has {links} links, limit {limit}")]
    TooManyLinks {
        /// One member.
        path: String,
        /// Its members.
        links: u32,
        /// Most there may be.
        limit: u32,
    },
    /// A hard link set whose members are not the same file.
    #[error("hardlink set incomplete: \"{path}\" is not the same file as the other links")]
    HardLinkDiffers {
        /// The member that differs.
        path: String,
    },
    /// A package name that is empty, too long or has forbidden characters.
    #[error("invalid package name \"{name}\"")]
    Name {
        /// The name, escaped and shortened.
        name: String,
    },
    /// An epoch, version or release that rpm would not build.
    #[error("invalid version \"{version}\"")]
    Version {
        /// The text, escaped and shortened.
        version: String,
    },
    /// An architecture with forbidden characters.
    #[error("invalid architecture \"{arch}\"")]
    Architecture {
        /// The text, escaped and shortened.
        arch: String,
    },
    /// A dependency that cannot be read.
    #[error("{kind}: {source}")]
    Dependency {
        /// Which list, for example `requires`.
        kind: &'static str,
        /// What is wrong.
        source: DependencyError,
    },
    /// A script with a NUL byte, or larger than the limit.
    #[error("{script}: {problem}")]
    Script {
        /// rpm's name of the script, for example `%post`.
        script: &'static str,
        /// What is wrong.
        problem: String,
    },
    /// A payload format other than cpio.
    #[error("unsupported payload format \"{format}\"")]
    PayloadFormat {
        /// What the header names.
        format: String,
    },
    /// A compression Cairn does not read.
    #[error("unsupported payload compression \"{compressor}\"")]
    Compressor {
        /// What the header names.
        compressor: String,
    },
    /// Compressed data that does not start as the header says.
    #[error("payload is not {compressor}: magic {found}, expected {expected}")]
    CompressionMagic {
        /// What the header names.
        compressor: &'static str,
        /// Magic of that format.
        expected: String,
        /// The first bytes in hexadecimal.
        found: String,
    },
    /// Compressed data that cannot be decompressed.
    #[error("payload is damaged: {compressor}: {problem}")]
    Decompress {
        /// The format.
        compressor: &'static str,
        /// The decompressor's words.
        problem: String,
    },
    /// A compression window too large for the memory a package may take.
    #[error("{compressor} window {}, limit 128 MiB", binary_size(*bytes))]
    Window {
        /// The format.
        compressor: &'static str,
        /// Bytes wanted.
        bytes: u64,
    },
    /// A payload that goes on after what the header declares.
    #[error("payload larger than the {declared} bytes declared")]
    PayloadTooLarge {
        /// Bytes the header declares for the file at hand.
        declared: u64,
    },
    /// A payload file of another size than the header says.
    #[error("payload file \"{path}\" has {found} bytes (expected {expected})")]
    PayloadSize {
        /// The path.
        path: String,
        /// Bytes in the header.
        expected: u64,
        /// Bytes in the payload.
        found: u64,
    },
    /// Bytes after the end.
    #[error("{bytes} bytes after the end of the payload")]
    Trailing {
        /// How many.
        bytes: u64,
    },
    /// A file the header does not list.
    #[error("payload has a file the header does not list: {path}")]
    Unlisted {
        /// The name in the payload, escaped and shortened.
        path: String,
    },
    /// A file that is in the payload twice.
    #[error("payload has \"{path}\" twice")]
    PayloadDuplicate {
        /// The path.
        path: String,
    },
    /// A file the header lists and the payload does not have.
    #[error("payload lacks a file the header lists: {path}")]
    PayloadMissing {
        /// The path.
        path: String,
    },
    /// A file that is a directory here and a symlink there.
    #[error("payload file \"{path}\" has mode {found:o} (expected {expected:o})")]
    PayloadKind {
        /// The path.
        path: String,
        /// Mode in the header.
        expected: u16,
        /// Mode in the payload.
        found: u32,
    },
    /// A symlink with another target than the header says.
    #[error("payload symlink \"{path}\" leads to \"{found}\" (expected \"{expected}\")")]
    PayloadLink {
        /// The path.
        path: String,
        /// Target in the header.
        expected: String,
        /// Target in the payload.
        found: String,
    },
    /// An archive entry that is no cpio entry.
    #[error("payload archive at byte {offset}: {problem}")]
    Cpio {
        /// Offset in the uncompressed archive.
        offset: u64,
        /// What is wrong.
        problem: String,
    },
    /// A digest that does not fit.
    #[error("{section} digest mismatch: expected {expected} .. found {found}")]
    Digest {
        /// Which part of the file.
        section: Section,
        /// Digest in the package.
        expected: String,
        /// Digest of the bytes.
        found: String,
    },
    /// A package without any digest Cairn trusts for a part of it.
    #[error("{section} has no SHA-256 digest")]
    NoDigest {
        /// Which part of the file.
        section: Section,
    },
}

impl Error {
    /// Returns what an operator can do, where there is something.
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::Io(_) => "check the disk or the medium the package is on",
            Self::Html | Self::Empty => "check the URL, or try another mirror",
            Self::LeadMagic { .. } => "name an .rpm file",
            Self::Truncated { .. } | Self::Trailing { .. } | Self::Decompress { .. } => {
                "the download is incomplete or damaged: download the package again"
            }
            Self::Digest { .. } => {
                "the file is damaged or was altered: download it again from a source you trust"
            }
            Self::Format { .. } | Self::SignatureType { .. } => {
                "rebuild the package in RPM format 4"
            }
            Self::NoDigest { .. } => "rebuild the package with rpm 4.14 or later",
            Self::PayloadFormat { .. } | Self::Compressor { .. } | Self::Window { .. } => {
                "rebuild the package with a cpio payload compressed by zstd, xz, gzip or bzip2"
            }
            Self::Script { .. } | Self::Dependency { .. } => "report this to the package's vendor",
            _ => "the package is malformed: do not install it, and report it to its vendor",
        })
    }
}

/// Returns bytes as the largest binary unit that divides them evenly, for example `2 GiB`.
fn binary_size(bytes: u64) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    let mut value = bytes;
    let mut unit = 0;
    while value >= 1024 && value.is_multiple_of(1024) && unit + 1 < units.len() {
        value /= 1024;
        unit += 1;
    }
    format!("{value} {}", units[unit])
}

/// Escapes bytes for a message: printable ASCII stays, the rest becomes `\xNN`; at most 80 bytes.
pub(crate) fn escape(bytes: &[u8]) -> String {
    let mut text = String::new();
    for &byte in bytes.iter().take(80) {
        match byte {
            b'"' | b'\\' => text.extend(['\\', byte as char]),
            0x20..=0x7e => text.push(byte as char),
            _ => text.push_str(&format!("\\x{byte:02x}")),
        }
    }
    if bytes.len() > 80 {
        text.push('…');
    }
    text
}
