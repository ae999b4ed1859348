// SPDX-License-Identifier: MIT OR Apache-2.0
//! Compares an installed package with the disk, as `rpm -V` does.

use cairn_host::{FileKind, HostError, Root, Stat};
use cairn_rpm::header::{FileEntry, FileFlags, Header, mode, verify};

use crate::capability::{self, Capabilities};
use crate::digest::file_digest;
use crate::error::TransactionError;
use crate::owners::Owners;
use crate::parallel::in_order;
use crate::rpmdb::FileState;

/// The attribute with an access control list. The kernel keeps none that says the same as the mode.
const ACCESS_LIST: &str = "system.posix_acl_access";

/// Columns of rpm's output: bit and letter, in order.
const COLUMNS: [(u32, char); 9] = [
    (verify::SIZE, 'S'),
    (verify::MODE, 'M'),
    (verify::DIGEST, '5'),
    (verify::RDEV, 'D'),
    (verify::LINK, 'L'),
    (verify::USER, 'U'),
    (verify::GROUP, 'G'),
    (verify::MTIME, 'T'),
    (verify::CAPS, 'P'),
];

/// What was found about one file that is not as the package says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileVerdict {
    /// Absolute path.
    pub path: String,
    /// rpm's letter for special files: `c` configuration, `d` documentation, `g` ghost, `l` licence, `r` readme, `a` artifact.
    pub attribute: Option<char>,
    /// What differs.
    pub finding: Finding,
}

/// How a file differs from its package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// It is not there.
    Missing,
    /// It cannot be looked at; why.
    Unreadable(String),
    /// The nine columns of `rpm -V`: `S.5....T.`.
    Changed(String),
}

impl std::fmt::Display for FileVerdict {
    /// Writes the line `rpm -V` prints.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let attribute = self.attribute.unwrap_or(' ');
        match &self.finding {
            Finding::Missing => write!(formatter, "missing   {attribute} {}", self.path),
            Finding::Unreadable(reason) => {
                write!(formatter, "missing   {attribute} {} ({reason})", self.path)
            }
            Finding::Changed(columns) => write!(formatter, "{columns}  {attribute} {}", self.path),
        }
    }
}

/// Returns the system's own words for an error.
fn reason(error: &HostError) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    let text = cause.to_string();
    text.split(" (os error").next().unwrap_or_default().to_owned()
}

/// Compares all files of installed packages with the disk, the packages side by side; returns of each what differs, in its order.
pub fn verify_packages(
    root: &Root,
    headers: &[&Header],
) -> Result<Vec<Vec<FileVerdict>>, TransactionError> {
    let owners = Owners::load(root)?;
    let mut verdicts = Vec::new();
    let work = |number: usize| verify_package(root, &owners, headers[number]);
    in_order(headers.len(), &work, &mut |_, result| result.map(|found| verdicts.push(found)))?;
    Ok(verdicts)
}

fn verify_package(
    root: &Root,
    owners: &Owners,
    header: &Header,
) -> Result<Vec<FileVerdict>, TransactionError> {
    let mut verdicts = Vec::new();
    for file in header.files() {
        let Some(file) = comparable(file) else { continue };
        let finding = match root.symlink_metadata(&file.path) {
            Ok(None) if may_miss(&file) => continue,
            Ok(None) => missing(root, &file.path)?,
            Err(error) => Finding::Unreadable(reason(&error)),
            Ok(Some(stat)) => {
                let stat = followed(root, &file, stat)?;
                match changes(root, owners, &file, &stat)? {
                    0 => continue,
                    found => Finding::Changed(columns(found)),
                }
            }
        };
        verdicts.push(FileVerdict { attribute: attribute(&file), path: file.path, finding });
    }
    Ok(verdicts)
}

/// Tells whether nothing is wrong when a file is not there.
pub fn may_miss(file: &FileEntry) -> bool {
    file.is_ghost() || file.flags.contains(FileFlags::MISSINGOK)
}

/// Says how a path that leads nowhere is missing.
pub fn missing(root: &Root, path: &str) -> Result<Finding, TransactionError> {
    Ok(if is_below_file(root, path)? {
        Finding::Unreadable("Not a directory".to_owned())
    } else {
        Finding::Missing
    })
}

/// Tells whether something else than a directory is where a directory above the file should be.
fn is_below_file(root: &Root, path: &str) -> Result<bool, TransactionError> {
    let parents = std::path::Path::new(path).ancestors().skip(1);
    for parent in parents.take_while(|parent| parent.as_os_str() != "/") {
        if let Some(stat) = root.metadata(parent)? {
            return Ok(!stat.is_dir());
        }
    }
    Ok(false)
}

/// Returns a file with what of it can be compared, by its state; `None` where it was left out.
fn comparable(mut file: FileEntry) -> Option<FileEntry> {
    let is = |state: FileState| file.state == Some(state.as_byte());
    if is(FileState::NotInstalled) || is(FileState::NetShared) {
        return None;
    }
    if is(FileState::Replaced) {
        file.verify_flags = 0;
    } else if is(FileState::WrongColor) {
        // The other architecture's file has the same owner and mode.
        file.verify_flags &= !(verify::DIGEST | verify::SIZE | verify::MTIME | verify::RDEV);
    }
    Some(file)
}

/// A link of root's, or of the directory's owner, may lead to a packaged directory that was moved.
fn followed(root: &Root, file: &FileEntry, stat: Stat) -> Result<Stat, TransactionError> {
    if !file.is_directory() || !stat.is_symlink() {
        return Ok(stat);
    }
    let target = root.metadata(&file.path)?.filter(Stat::is_dir);
    Ok(target.filter(|target| stat.uid == 0 || stat.uid == target.uid).unwrap_or(stat))
}

fn columns(found: u32) -> String {
    COLUMNS.iter().map(|(bit, letter)| if found & bit != 0 { *letter } else { '.' }).collect()
}

/// Returns the letter that says what a file is for: `c` for configuration, `d` for documentation, …
pub fn attribute(file: &FileEntry) -> Option<char> {
    let letters = [
        (FileFlags::DOC, 'd'),
        (FileFlags::CONFIG, 'c'),
        (FileFlags::MISSINGOK, 'm'),
        (FileFlags::NOREPLACE, 'n'),
        (FileFlags::GHOST, 'g'),
        (FileFlags::LICENSE, 'l'),
        (FileFlags::README, 'r'),
        (FileFlags::ARTIFACT, 'a'),
    ];
    letters.into_iter().find(|(flag, _)| file.flags.contains(*flag)).map(|(_, letter)| letter)
}

/// Returns the bits of what differs.
fn changes(
    root: &Root,
    owners: &Owners,
    file: &FileEntry,
    stat: &Stat,
) -> Result<u32, TransactionError> {
    let mut found = 0;
    let mut differs = |bit: u32, different: bool| {
        if different {
            found |= bit;
        }
    };
    let wanted = file.verify_flags & applicable(file, stat);
    let attributes = if wanted & (verify::MODE | verify::CAPS) == 0 {
        Vec::new()
    } else {
        root.xattr_names(&file.path)?
    };
    let expected = owners.resolve(&file.user, &file.group, u32::from(file.mode & 0o7777));
    if wanted & verify::SIZE != 0 {
        differs(verify::SIZE, stat.size != file.size);
    }
    if wanted & verify::MODE != 0 {
        let kind_differs = !file.is_ghost() && file.kind() != kind_bits(stat.kind);
        // A package cannot give further rights, so that rpm counts them as a change of the mode.
        let has_acl = attributes.iter().any(|name| name == ACCESS_LIST);
        differs(verify::MODE, kind_differs || stat.mode != expected.mode || has_acl);
    }
    if wanted & verify::DIGEST != 0 {
        differs(
            verify::DIGEST,
            !stat.is_file() || !file_digest(root, &file.path, &file.digest)?.is(&file.digest),
        );
    }
    if wanted & verify::RDEV != 0 {
        let device = matches!(stat.kind, FileKind::CharacterDevice | FileKind::BlockDevice);
        differs(verify::RDEV, !device || stat.rdev & 0xffff != u64::from(file.rdev));
    }
    if wanted & verify::LINK != 0 {
        let target = if stat.is_symlink() { Some(root.read_link(&file.path)?) } else { None };
        differs(
            verify::LINK,
            target.is_none_or(|target| target.to_string_lossy() != file.link_target.as_str()),
        );
    }
    if wanted & verify::USER != 0 {
        differs(verify::USER, stat.uid != expected.user);
    }
    if wanted & verify::GROUP != 0 {
        differs(verify::GROUP, stat.gid != expected.group);
    }
    if wanted & verify::MTIME != 0 {
        differs(verify::MTIME, stat.mtime != i64::from(file.mtime));
    }
    if wanted & verify::CAPS != 0 {
        let is_set = attributes.iter().any(|name| name == capability::ATTRIBUTE);
        let value = if is_set { root.get_xattr(&file.path, capability::ATTRIBUTE)? } else { None };
        let on_disk = value.as_deref().and_then(Capabilities::from_attribute);
        let packaged = if file.caps.is_empty() { None } else { Capabilities::parse(&file.caps) };
        differs(verify::CAPS, on_disk != packaged);
    }
    Ok(found)
}

/// Not everything can be compared for every type of file; what is on disk decides, as in rpm.
fn applicable(file: &FileEntry, stat: &Stat) -> u32 {
    let owner = verify::USER | verify::GROUP;
    let mut bits = match stat.kind {
        FileKind::Directory | FileKind::Fifo => owner | verify::MODE,
        FileKind::Symlink => owner | verify::LINK,
        FileKind::CharacterDevice | FileKind::BlockDevice => owner | verify::MODE | verify::RDEV,
        _ => owner | verify::MODE | verify::SIZE | verify::DIGEST | verify::MTIME | verify::CAPS,
    };
    if file.is_ghost() {
        bits &= !(verify::DIGEST | verify::SIZE | verify::MTIME | verify::LINK | verify::CAPS);
    }
    bits
}

fn kind_bits(kind: FileKind) -> u16 {
    match kind {
        FileKind::Regular => mode::REGULAR,
        FileKind::Directory => mode::DIRECTORY,
        FileKind::Symlink => mode::SYMLINK,
        FileKind::CharacterDevice => mode::CHARACTER,
        FileKind::BlockDevice => mode::BLOCK,
        FileKind::Fifo => mode::FIFO,
        FileKind::Socket | FileKind::Other => 0o140_000,
    }
}
