// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reads Debian binary packages.
//!
//! A `.deb` is an `ar` archive of `debian-binary`, `control.tar.*` and `data.tar.*` (deb(5)). Everything is bounded and
//! checked while it is read; nothing is unpacked to disk. What is not here: writing, and verifying (`.deb`s carry no signature;
//! the caller compares the SHA-256 from the signed index).

use std::collections::BTreeMap;
use std::io::Read;

use thiserror::Error;

use crate::apt::packages;

const AR_MAGIC: &[u8] = b"!<arch>\n";
const AR_HEADER_SIZE: usize = 60;
/// Decompressed size of `control.tar`.
const MAX_CONTROL_SIZE: u64 = 64 << 20;
/// Decompressed size of `data.tar`.
const MAX_DATA_SIZE: u64 = 3 << 30;
const MAX_ENTRIES: usize = 500_000;
const MAX_PATH_LENGTH: usize = 4096;
/// Enough for `xz -9` (65 MiB) and then some.
const XZ_MEMORY_LIMIT: u64 = 256 << 20;

/// The five scripts a package may carry, in the order dpkg would run them.
pub const SCRIPTS: [&str; 5] = ["config", "preinst", "postinst", "prerm", "postrm"];

/// The control fields that are kept.
const FIELDS: [&str; 21] = [
    "package",
    "version",
    "architecture",
    "source",
    "maintainer",
    "installed-size",
    "section",
    "priority",
    "essential",
    "multi-arch",
    "homepage",
    "description",
    "depends",
    "pre-depends",
    "provides",
    "recommends",
    "suggests",
    "enhances",
    "conflicts",
    "breaks",
    "replaces",
];

/// A Debian binary package, read completely.
#[derive(Debug, Clone)]
pub struct Deb {
    /// The known fields of `control`, names in lower case; continuation lines joined with newlines.
    pub control: BTreeMap<String, String>,
    /// Maintainer scripts by name (see [`SCRIPTS`]). A program that is not text is kept as it is.
    pub scripts: BTreeMap<String, Vec<u8>>,
    /// Configuration files, absolute paths. Entries marked `remove-on-upgrade` are left out.
    pub conffiles: Vec<String>,
    /// Lines of `triggers` without comments.
    pub triggers: Vec<String>,
    /// MD5 by absolute path, as `md5sums` lists them. Not verified.
    pub md5sums: BTreeMap<String, String>,
    /// The payload in archive order.
    pub entries: Vec<Entry>,
}

/// One member of the payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Absolute path without `.`, `..` and a slash at its end. The root directory is `/`.
    pub path: String,
    /// What it is.
    pub kind: EntryKind,
    /// Permission bits (07777).
    pub mode: u16,
    /// Numeric owner.
    pub uid: u64,
    /// Numeric group.
    pub gid: u64,
    /// Owner's name; empty when the archive has none.
    pub user: String,
    /// Group's name; empty when the archive has none.
    pub group: String,
    /// Seconds since 1970.
    pub mtime: u64,
}

/// Kinds of payload members.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EntryKind {
    /// Regular file.
    File(Vec<u8>),
    /// Directory.
    Directory,
    /// Symbolic link and its target.
    Symlink(String),
    /// Further name of the file at this absolute path.
    HardLink(String),
    /// Character or block device, or FIFO, and what it is called.
    Special(&'static str),
}

/// What is wrong with a `.deb`.
#[derive(Debug, Error)]
pub enum DebError {
    /// A structure is not what the format says.
    #[error("{file}: {what} at byte {offset} (expected {expected}, found {found})")]
    Malformed {
        /// File, and the member inside it.
        file: String,
        /// The structure.
        what: String,
        /// Byte offset in `file` (in the decompressed archive for tar members).
        offset: u64,
        /// What should be there.
        expected: String,
        /// What is there.
        found: String,
    },
    /// A member is larger than anything in Debian.
    #[error("{file}: unpacks to more than {limit} bytes")]
    TooLarge {
        /// File, and the member inside it.
        file: String,
        /// The limit in bytes.
        limit: u64,
    },
    /// Decompression or tar reading stops.
    #[error("{file}: {reason} at byte {offset} of the unpacked data")]
    Unreadable {
        /// File, and the member inside it.
        file: String,
        /// Bytes read so far.
        offset: u64,
        /// Message of the reader.
        reason: String,
    },
}

impl DebError {
    /// What the operator can do about it.
    pub fn hint(&self) -> String {
        "the file matches its locked SHA-256 or it would not have been read: compare it with `dpkg-deb --info FILE`".into()
    }
}

impl Deb {
    /// Reads a package from its bytes; `file` names it in errors.
    pub fn parse(file: &str, bytes: &[u8]) -> Result<Self, DebError> {
        let members = ar_members(file, bytes)?;
        check_format(file, &members)?;
        let mut deb = Self {
            control: BTreeMap::new(),
            scripts: BTreeMap::new(),
            conffiles: Vec::new(),
            triggers: Vec::new(),
            md5sums: BTreeMap::new(),
            entries: Vec::new(),
        };
        let control = find_member(file, &members, "control.tar")?;
        for entry in read_tar(&format!("{file}: {}", control.name), control, MAX_CONTROL_SIZE)? {
            deb.add_control_file(file, entry)?;
        }
        for field in ["package", "version", "architecture"] {
            if deb.field(field).is_empty() {
                return Err(malformed(
                    file,
                    "control",
                    0,
                    format!("a field `{field}`"),
                    "none".into(),
                ));
            }
        }
        let data = find_member(file, &members, "data.tar")?;
        deb.entries = read_tar(&format!("{file}: {}", data.name), data, MAX_DATA_SIZE)?;
        Ok(deb)
    }

    /// Returns a control field, `""` when it is absent. `name` in lower case.
    pub fn field(&self, name: &str) -> &str {
        self.control.get(name).map_or("", String::as_str)
    }

    /// Returns the binary package name.
    pub fn name(&self) -> &str {
        self.field("package")
    }

    /// Returns the Debian version.
    pub fn version(&self) -> &str {
        self.field("version")
    }

    /// Returns the Debian architecture.
    pub fn architecture(&self) -> &str {
        self.field("architecture")
    }

    /// Returns source package name and source version.
    pub fn source(&self) -> (&str, &str) {
        match self.field("source") {
            "" => (self.name(), self.version()),
            source => match source.split_once(" (") {
                Some((name, version)) => (name, version.trim_end_matches(')')),
                None => (source, self.version()),
            },
        }
    }

    fn add_control_file(&mut self, file: &str, entry: Entry) -> Result<(), DebError> {
        let EntryKind::File(bytes) = entry.kind else { return Ok(()) };
        let name = entry.path.trim_start_matches('/').to_owned();
        if SCRIPTS.contains(&name.as_str()) {
            self.scripts.insert(name, bytes);
            return Ok(());
        }
        if !["control", "conffiles", "triggers", "md5sums"].contains(&name.as_str()) {
            return Ok(());
        }
        let text = String::from_utf8(bytes).map_err(|error| {
            let offset = error.utf8_error().valid_up_to() as u64;
            malformed(file, &name, offset, "UTF-8".into(), "other bytes".into())
        })?;
        match name.as_str() {
            "control" => self.control = parse_control(file, &text)?,
            "conffiles" => {
                let lines = text.lines().map(str::trim).filter(|line| line.starts_with('/'));
                self.conffiles = lines.map(str::to_owned).collect();
            }
            "triggers" => {
                let lines = text
                    .lines()
                    .map(str::trim)
                    .filter(|line| !line.is_empty() && !line.starts_with('#'));
                self.triggers = lines.map(str::to_owned).collect();
            }
            _ => {
                let pairs = text.lines().filter_map(|line| line.split_once("  "));
                self.md5sums =
                    pairs.map(|(digest, path)| (format!("/{path}"), digest.to_owned())).collect();
            }
        }
        Ok(())
    }
}

fn malformed(file: &str, what: &str, offset: u64, expected: String, found: String) -> DebError {
    DebError::Malformed { file: file.to_owned(), what: what.to_owned(), offset, expected, found }
}

fn parse_control(file: &str, text: &str) -> Result<BTreeMap<String, String>, DebError> {
    let mut paragraphs = packages::paragraphs(text);
    let Some(paragraph) = paragraphs.next() else {
        return Err(malformed(
            file,
            "control",
            0,
            "a paragraph of fields".into(),
            "nothing".into(),
        ));
    };
    if paragraphs.next().is_some() {
        return Err(malformed(file, "control", 0, "one paragraph".into(), "several".into()));
    }
    Ok(FIELDS
        .iter()
        .filter_map(|&name| Some((name.to_owned(), paragraph.get(name)?.to_owned())))
        .collect())
}

struct Member<'a> {
    name: String,
    offset: usize,
    bytes: &'a [u8],
}

fn ar_members<'a>(file: &str, bytes: &'a [u8]) -> Result<Vec<Member<'a>>, DebError> {
    if !bytes.starts_with(AR_MAGIC) {
        let found =
            format!("{:?}", String::from_utf8_lossy(&bytes[..bytes.len().min(AR_MAGIC.len())]));
        return Err(malformed(file, "archive magic", 0, "\"!<arch>\\n\"".into(), found));
    }
    let mut members = Vec::new();
    let mut offset = AR_MAGIC.len();
    while offset < bytes.len() {
        let header = bytes.get(offset..offset + AR_HEADER_SIZE).ok_or_else(|| {
            malformed(
                file,
                "member header",
                offset as u64,
                format!("{AR_HEADER_SIZE} bytes"),
                format!("{} bytes", bytes.len() - offset),
            )
        })?;
        let text = String::from_utf8_lossy(header);
        if &header[58..60] != b"`\n" {
            return Err(malformed(
                file,
                "member header",
                offset as u64 + 58,
                "\"`\\n\"".into(),
                format!("{:?}", String::from_utf8_lossy(&header[58..])),
            ));
        }
        // A header with bytes outside ASCII has no fixed columns in `text`; `get` then fails and so does the number.
        let name = text.get(..16).unwrap_or_default().trim_end().trim_end_matches('/').to_owned();
        let size_field = text.get(48..58).unwrap_or_default().trim();
        let size: usize = size_field.parse().map_err(|_| {
            malformed(
                file,
                "member size",
                offset as u64 + 48,
                "a decimal number".into(),
                format!("{size_field:?}"),
            )
        })?;
        let start = offset + AR_HEADER_SIZE;
        let data =
            start.checked_add(size).and_then(|end| bytes.get(start..end)).ok_or_else(|| {
                malformed(
                    file,
                    &format!("member {name}"),
                    start as u64,
                    format!("{size} bytes"),
                    format!("{} bytes", bytes.len() - start),
                )
            })?;
        members.push(Member { name, offset: start, bytes: data });
        offset = start + size + size % 2;
    }
    Ok(members)
}

fn check_format(file: &str, members: &[Member<'_>]) -> Result<(), DebError> {
    let first = members.first().ok_or_else(|| {
        malformed(file, "first member", 8, "debian-binary".into(), "no member".into())
    })?;
    if first.name != "debian-binary" {
        return Err(malformed(file, "first member", 8, "debian-binary".into(), first.name.clone()));
    }
    if !first.bytes.starts_with(b"2.") {
        let found =
            String::from_utf8_lossy(&first.bytes[..first.bytes.len().min(8)]).trim().to_owned();
        return Err(malformed(
            file,
            "format version",
            first.offset as u64,
            "2.0".into(),
            format!("{found:?}"),
        ));
    }
    Ok(())
}

fn find_member<'a, 'b>(
    file: &str,
    members: &'a [Member<'b>],
    stem: &str,
) -> Result<&'a Member<'b>, DebError> {
    members
        .iter()
        .find(|member| {
            member
                .name
                .strip_prefix(stem)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        })
        .ok_or_else(|| {
            let names: Vec<&str> = members.iter().map(|member| member.name.as_str()).collect();
            malformed(file, "archive", 0, format!("a member {stem}.*"), names.join(", "))
        })
}

fn decompressor<'a>(file: &str, member: &Member<'a>) -> Result<Box<dyn Read + 'a>, DebError> {
    let unreadable =
        |reason: String| DebError::Unreadable { file: file.to_owned(), offset: 0, reason };
    let extension = member.name.rsplit_once(".tar").map_or("", |(_, extension)| extension);
    Ok(match extension {
        "" => Box::new(member.bytes),
        ".gz" => Box::new(flate2::read::MultiGzDecoder::new(member.bytes)),
        ".xz" => {
            let stream = liblzma::stream::Stream::new_stream_decoder(
                XZ_MEMORY_LIMIT,
                liblzma::stream::CONCATENATED,
            )
            .map_err(|e| unreadable(e.to_string()))?;
            Box::new(liblzma::read::XzDecoder::new_stream(member.bytes, stream))
        }
        ".zst" => {
            Box::new(zstd::Decoder::new(member.bytes).map_err(|e| unreadable(e.to_string()))?)
        }
        other => {
            return Err(malformed(
                file,
                "compression",
                member.offset as u64,
                ".gz, .xz, .zst or none".into(),
                other.to_owned(),
            ));
        }
    })
}

/// Counts what is read and stops at a limit, so that a small file cannot fill the memory.
struct Bounded<R> {
    inner: R,
    read: std::rc::Rc<std::cell::Cell<u64>>,
    limit: u64,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let n_read = self.inner.read(buffer)?;
        self.read.set(self.read.get() + n_read as u64);
        if self.read.get() > self.limit {
            return Err(std::io::Error::new(
                std::io::ErrorKind::FileTooLarge,
                "larger than allowed",
            ));
        }
        Ok(n_read)
    }
}

fn read_tar(file: &str, member: &Member<'_>, limit: u64) -> Result<Vec<Entry>, DebError> {
    let position = std::rc::Rc::new(std::cell::Cell::new(0));
    let reader = Bounded { inner: decompressor(file, member)?, read: position.clone(), limit };
    let failed = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::FileTooLarge => DebError::TooLarge { file: file.to_owned(), limit },
        _ => DebError::Unreadable {
            file: file.to_owned(),
            offset: position.get(),
            reason: innermost(&error),
        },
    };
    let mut archive = tar::Archive::new(reader);
    let mut entries = Vec::new();
    for entry in archive.entries().map_err(failed)? {
        let mut entry = entry.map_err(failed)?;
        if entries.len() == MAX_ENTRIES {
            return Err(malformed(
                file,
                "archive",
                position.get(),
                format!("at most {MAX_ENTRIES} entries"),
                "more".into(),
            ));
        }
        if let Some(read) = read_entry(file, &mut entry, &failed)? {
            entries.push(read);
        }
    }
    // A truncated stream must not pass for a short one: tar ends at its end mark, the compressed stream may not.
    let mut reader = archive.into_inner();
    std::io::copy(&mut reader, &mut std::io::sink()).map_err(failed)?;
    if position.get() == 0 {
        return Err(malformed(file, "archive", 0, "a tar archive".into(), "nothing".into()));
    }
    Ok(entries)
}

/// The tar crate wraps causes; the last one says what happened.
fn innermost(error: &std::io::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}

fn read_entry<R: Read>(
    file: &str,
    entry: &mut tar::Entry<'_, R>,
    failed: &impl Fn(std::io::Error) -> DebError,
) -> Result<Option<Entry>, DebError> {
    let offset = entry.raw_header_position();
    let path = normal_path(file, offset, &entry.path_bytes())?;
    let header = entry.header();
    let number = |result: std::io::Result<u64>, what: &str| {
        result.map_err(|error| {
            malformed(file, what, offset, "an octal number".into(), error.to_string())
        })
    };
    let mode = number(header.mode().map(u64::from), "mode")?;
    let (uid, gid, mtime) = (
        number(header.uid(), "owner")?,
        number(header.gid(), "group")?,
        number(header.mtime(), "time")?,
    );
    let name =
        |bytes: Option<&[u8]>| String::from_utf8_lossy(bytes.unwrap_or_default()).into_owned();
    let (user, group) = (name(header.username_bytes()), name(header.groupname_bytes()));
    let kind_of_entry = header.entry_type();
    let target = |entry: &tar::Entry<'_, R>| -> Result<String, DebError> {
        let bytes = entry.link_name_bytes().unwrap_or_default();
        match String::from_utf8(bytes.into_owned()) {
            Ok(target) if !target.is_empty() && target.len() <= MAX_PATH_LENGTH => Ok(target),
            Ok(_) | Err(_) => Err(malformed(
                file,
                &format!("link target of {path}"),
                offset,
                "a name in UTF-8".into(),
                "none".into(),
            )),
        }
    };
    let kind = match kind_of_entry {
        tar::EntryType::Regular | tar::EntryType::Continuous | tar::EntryType::GNUSparse => {
            let mut content = Vec::new();
            entry.read_to_end(&mut content).map_err(failed)?;
            if content.len() as u64 != entry.size() {
                return Err(malformed(
                    file,
                    &path,
                    offset,
                    format!("{} bytes", entry.size()),
                    format!("{} bytes", content.len()),
                ));
            }
            EntryKind::File(content)
        }
        tar::EntryType::Directory => EntryKind::Directory,
        tar::EntryType::Symlink => EntryKind::Symlink(target(entry)?),
        tar::EntryType::Link => {
            EntryKind::HardLink(normal_path(file, offset, target(entry)?.as_bytes())?)
        }
        tar::EntryType::Char => EntryKind::Special("character device"),
        tar::EntryType::Block => EntryKind::Special("block device"),
        tar::EntryType::Fifo => EntryKind::Special("FIFO"),
        tar::EntryType::XGlobalHeader => return Ok(None),
        other => {
            return Err(malformed(
                file,
                &format!("kind of {path}"),
                offset,
                "a file, directory or link".into(),
                format!("{other:?}"),
            ));
        }
    };
    Ok(Some(Entry { path, kind, mode: (mode & 0o7777) as u16, uid, gid, user, group, mtime }))
}

/// Makes `./usr/bin/` to `/usr/bin`.
fn normal_path(file: &str, offset: u64, raw: &[u8]) -> Result<String, DebError> {
    let refused = |why: &str| {
        malformed(
            file,
            "path",
            offset,
            why.to_owned(),
            format!("{:?}", String::from_utf8_lossy(&raw[..raw.len().min(80)])),
        )
    };
    let text = std::str::from_utf8(raw).map_err(|_| refused("a name in UTF-8"))?;
    if text.len() > MAX_PATH_LENGTH || text.chars().any(char::is_control) {
        return Err(refused("a name of at most 4096 bytes without control characters"));
    }
    let mut path = String::new();
    for part in text.split('/') {
        match part {
            "" | "." => {}
            ".." => return Err(refused("a path without `..`")),
            part => {
                path.push('/');
                path.push_str(part);
            }
        }
    }
    Ok(if path.is_empty() { "/".to_owned() } else { path })
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;
    use crate::repack::fixture::{Compression, Fixture, archive};

    fn sample() -> Fixture {
        Fixture::new("x", "1:2.0-3", "Source: sx (2.0-3)\nDepends: a, b\n")
            .control_file("conffiles", "/etc/x\nremove-on-upgrade /etc/old\n")
            .control_file("postinst", "#!/bin/sh\nexit 0\n")
            .control_file("triggers", "# comment\nactivate-noawait ldconfig\n")
            .control_file("md5sums", "d41d8cd98f00b204e9800998ecf8427e  etc/x\n")
            .directory("/")
            .directory("/etc/")
            .file("/etc/x", 0o640, b"text")
            .symlink("/etc/y", "x")
            .hard_link("/etc/z", "./etc/x")
            .entry("/dev/null", tar::EntryType::Char, 0o666, b"", "")
            .file(&format!("/usr/share/{}", "long/".repeat(40) + "name"), 0o4755, b"")
    }

    #[test]
    fn every_compression() {
        for compression in
            [Compression::None, Compression::Gzip, Compression::Xz, Compression::Zstd]
        {
            let deb = Deb::parse("x.deb", &sample().build_with(compression)).unwrap();
            assert_eq!(
                (deb.name(), deb.version(), deb.architecture(), deb.source()),
                ("x", "1:2.0-3", "amd64", ("sx", "2.0-3"))
            );
            assert_eq!(deb.conffiles, ["/etc/x"]);
            assert_eq!(deb.triggers, ["activate-noawait ldconfig"]);
            assert_eq!(deb.scripts["postinst"], b"#!/bin/sh\nexit 0\n");
            assert_eq!(deb.md5sums["/etc/x"], "d41d8cd98f00b204e9800998ecf8427e");
            assert_eq!(deb.field("depends"), "a, b");
            let kinds: Vec<(&str, &EntryKind)> =
                deb.entries.iter().map(|entry| (entry.path.as_str(), &entry.kind)).collect();
            assert_eq!(kinds[0], ("/", &EntryKind::Directory));
            assert_eq!(kinds[2], ("/etc/x", &EntryKind::File(b"text".to_vec())));
            assert_eq!(kinds[3], ("/etc/y", &EntryKind::Symlink("x".into())));
            assert_eq!(kinds[4], ("/etc/z", &EntryKind::HardLink("/etc/x".into())));
            assert_eq!(kinds[5], ("/dev/null", &EntryKind::Special("character device")));
            assert_eq!(
                (deb.entries[2].mode, deb.entries[2].mtime, deb.entries[6].mode),
                (0o640, 2_000_000_000, 0o4755)
            );
            assert!(kinds[6].0.ends_with("long/name"), "{}", kinds[6].0);
        }
    }

    fn check_error(bytes: &[u8], expected: Expect) {
        expected.assert_eq(&Deb::parse("x.deb", bytes).unwrap_err().to_string());
    }

    #[test]
    fn malformed_archives() {
        let good = sample().build_with(Compression::Xz);
        check_error(
            b"",
            expect![[r#"x.deb: archive magic at byte 0 (expected "!<arch>\n", found "")"#]],
        );
        check_error(
            b"PK\x03\x04abcdefgh",
            expect![[
                r#"x.deb: archive magic at byte 0 (expected "!<arch>\n", found "PK\u{3}\u{4}abcd")"#
            ]],
        );
        check_error(
            &good[..100],
            expect!["x.deb: member header at byte 72 (expected 60 bytes, found 28 bytes)"],
        );
        check_error(
            &good[..good.len() - 10],
            expect!["x.deb: member data.tar.xz at byte 624 (expected 296 bytes, found 286 bytes)"],
        );
        check_error(
            &archive(&[("debian-binary", b"3.0\n")]),
            expect![[r#"x.deb: format version at byte 68 (expected 2.0, found "3.0")"#]],
        );
        check_error(
            &archive(&[("debian-binary", b"2.0\n"), ("data.tar.xz", b"")]),
            expect![
                "x.deb: archive at byte 0 (expected a member control.tar.*, found debian-binary, data.tar.xz)"
            ],
        );
        check_error(
            &archive(&[("debian-binary", b"2.0\n"), ("control.tar.lz", b"")]),
            expect![
                "x.deb: control.tar.lz: compression at byte 132 (expected .gz, .xz, .zst or none, found .lz)"
            ],
        );
        check_error(
            &archive(&[("debian-binary", b"2.0\n"), ("control.tar.xz", b"not xz at all")]),
            expect![
                "x.deb: control.tar.xz: stream/file format not recognized at byte 0 of the unpacked data"
            ],
        );
        check_error(
            &archive(&[("debian-binary", b"2.0\n"), ("control.tar", &[0; 1024])]),
            expect!["x.deb: control at byte 0 (expected a field `package`, found none)"],
        );
        let mut size = good.clone();
        size[8 + 48..8 + 58].copy_from_slice(b"-1        ");
        check_error(
            &size,
            expect![[r#"x.deb: member size at byte 56 (expected a decimal number, found "-1")"#]],
        );
    }

    #[test]
    fn damage_anywhere_is_an_error_or_harmless() {
        let good = sample().build_with(Compression::Zstd);
        for index in 0..good.len() {
            let mut bad = good.clone();
            bad[index] ^= 0x55;
            // No panic, whatever the result.
            let _ = Deb::parse("x.deb", &bad);
            let _ = Deb::parse("x.deb", &good[..index]);
        }
    }

    #[test]
    fn refused_paths() {
        let mut header = tar::Header::new_gnu();
        header.set_size(0);
        header.set_mode(0o644);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        header.as_mut_bytes()[..7].copy_from_slice(b"./../x\0");
        header.set_cksum();
        let mut data = header.as_bytes().to_vec();
        data.extend([0; 1024]);
        let mut control = tar::Builder::new(Vec::new());
        let text = b"Package: x\nVersion: 1\nArchitecture: all\n";
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        control.append_data(&mut header, "./control", text.as_slice()).unwrap();
        let control = control.into_inner().unwrap();
        check_error(
            &archive(&[
                ("debian-binary", b"2.0\n"),
                ("control.tar", &control),
                ("data.tar", &data),
            ]),
            expect![[
                r#"x.deb: data.tar: path at byte 0 (expected a path without `..`, found "./../x")"#
            ]],
        );
    }
}
