// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a main header must fulfil beyond its binary form: identity, texts, file list, scripts.

use std::collections::{BTreeMap, BTreeSet};

use super::dependencies::{LISTS, check_list};
use super::files::mode;
use super::scripts::check_scripts;
use super::store::Kind;
use super::{FileEntry, Header};
use crate::error::{Error, escape};
use crate::tag;

/// Most bytes of a path, and of one component, as the kernel has them.
const PATH_LIMIT: usize = 4095;
const COMPONENT_LIMIT: usize = 255;
/// Most bytes of a package name; it becomes part of a file name.
const NAME_LIMIT: usize = 200;

/// Most members of a hard link set; git has about 150, and each member costs time for each other.
const LINKS_LIMIT: u32 = 1024;

/// Texts for people, which may be in an old encoding.
const FREE_TEXTS: &[u32] = &[
    tag::SUMMARY,
    tag::DESCRIPTION,
    tag::GROUP,
    tag::VENDOR,
    tag::PACKAGER,
    tag::DISTRIBUTION,
    tag::LICENSE,
    tag::URL,
    tag::CHANGELOGNAME,
    tag::CHANGELOGTEXT,
    tag::CLASSDICT,
    tag::BUILDHOST,
    tag::COOKIE,
    tag::OPTFLAGS,
    tag::DISTURL,
];

/// The types rpm gives to the tags Cairn acts on.
const TYPES: &[(Kind, &[u32])] = &[
    (
        Kind::String,
        &[
            tag::NAME,
            tag::VERSION,
            tag::RELEASE,
            tag::ARCH,
            tag::OS,
            tag::SOURCERPM,
            tag::PAYLOADFORMAT,
            tag::PAYLOADCOMPRESSOR,
            tag::PREIN,
            tag::POSTIN,
            tag::PREUN,
            tag::POSTUN,
            tag::PRETRANS,
            tag::POSTTRANS,
            tag::PREUNTRANS,
            tag::POSTUNTRANS,
            tag::VERIFYSCRIPT,
        ],
    ),
    (
        Kind::Int32,
        &[
            tag::EPOCH,
            tag::SIZE,
            tag::BUILDTIME,
            tag::FILESIZES,
            tag::FILEMTIMES,
            tag::FILEFLAGS,
            tag::FILEVERIFYFLAGS,
            tag::FILEDEVICES,
            tag::FILEINODES,
            tag::FILECOLORS,
            tag::DIRINDEXES,
            tag::FILEDIGESTALGO,
            tag::PAYLOADDIGESTALGO,
            tag::PREINFLAGS,
            tag::POSTINFLAGS,
            tag::PREUNFLAGS,
            tag::POSTUNFLAGS,
            tag::PRETRANSFLAGS,
            tag::POSTTRANSFLAGS,
            tag::REQUIREFLAGS,
            tag::PROVIDEFLAGS,
            tag::CONFLICTFLAGS,
            tag::OBSOLETEFLAGS,
            tag::RECOMMENDFLAGS,
            tag::SUGGESTFLAGS,
            tag::SUPPLEMENTFLAGS,
            tag::ENHANCEFLAGS,
            tag::ORDERFLAGS,
            tag::TRIGGERFLAGS,
            tag::TRIGGERINDEX,
            tag::FILETRIGGERFLAGS,
            tag::FILETRIGGERINDEX,
            tag::FILETRIGGERPRIORITIES,
            tag::TRANSFILETRIGGERFLAGS,
            tag::TRANSFILETRIGGERINDEX,
            tag::TRANSFILETRIGGERPRIORITIES,
        ],
    ),
    (Kind::Int16, &[tag::FILEMODES, tag::FILERDEVS]),
    (Kind::Int64, &[tag::LONGFILESIZES, tag::LONGSIZE]),
    (
        Kind::StringArray,
        &[
            tag::OLDFILENAMES,
            tag::BASENAMES,
            tag::DIRNAMES,
            tag::FILEDIGESTS,
            tag::FILELINKTOS,
            tag::FILEUSERNAME,
            tag::FILEGROUPNAME,
            tag::FILELANGS,
            tag::FILECAPS,
            tag::REQUIRENAME,
            tag::REQUIREVERSION,
            tag::PROVIDENAME,
            tag::PROVIDEVERSION,
            tag::CONFLICTNAME,
            tag::CONFLICTVERSION,
            tag::OBSOLETENAME,
            tag::OBSOLETEVERSION,
            tag::RECOMMENDNAME,
            tag::RECOMMENDVERSION,
            tag::SUGGESTNAME,
            tag::SUGGESTVERSION,
            tag::SUPPLEMENTNAME,
            tag::SUPPLEMENTVERSION,
            tag::ENHANCENAME,
            tag::ENHANCEVERSION,
            tag::ORDERNAME,
            tag::ORDERVERSION,
            tag::TRIGGERSCRIPTS,
            tag::TRIGGERSCRIPTPROG,
            tag::TRIGGERNAME,
            tag::TRIGGERVERSION,
            tag::FILETRIGGERSCRIPTS,
            tag::FILETRIGGERSCRIPTPROG,
            tag::FILETRIGGERNAME,
            tag::FILETRIGGERVERSION,
            tag::TRANSFILETRIGGERSCRIPTS,
            tag::TRANSFILETRIGGERSCRIPTPROG,
            tag::TRANSFILETRIGGERNAME,
            tag::TRANSFILETRIGGERVERSION,
        ],
    ),
];

/// Lists with one entry per file that a package with files must have.
const NEEDED_LISTS: &[u32] = &[
    tag::FILEMODES,
    tag::FILEUSERNAME,
    tag::FILEGROUPNAME,
    tag::FILELINKTOS,
    tag::FILEFLAGS,
    tag::FILEMTIMES,
    tag::FILEDIGESTS,
];

/// Lists with one entry per file that may be missing.
const OPTIONAL_LISTS: &[u32] = &[
    tag::FILESIZES,
    tag::LONGFILESIZES,
    tag::FILERDEVS,
    tag::FILEVERIFYFLAGS,
    tag::FILEDEVICES,
    tag::FILEINODES,
    tag::FILELANGS,
    tag::FILECOLORS,
    tag::FILECLASS,
    tag::FILECAPS,
    tag::FILESTATES,
];

/// Checks a main header; `from_package` is false for headers out of the database, whose packages
/// are installed already.
pub(super) fn check_main(header: &Header, from_package: bool) -> Result<(), Error> {
    check_types(header)?;
    check_identity(header, from_package)?;
    check_texts(header)?;
    check_file_lists(header)?;
    LISTS.iter().try_for_each(|list| check_list(header, list))?;
    check_scripts(header)?;
    if from_package {
        check_files(&header.files(), header.is_source())?;
    }
    Ok(())
}

/// Checks a package name: letters, digits and `._+-%{}`, not starting with `-` or `.`, at most 200
/// bytes.
pub fn check_name(name: &str) -> Result<(), Error> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._+-%{}".contains(&byte);
    let starts_well = !name.starts_with(['-', '.', '+']);
    if name.is_empty() || name.len() > NAME_LIMIT || !starts_well || !name.bytes().all(allowed) {
        return Err(Error::Name { name: escape(name.as_bytes()) });
    }
    Ok(())
}

/// Checks a version or a release: letters, digits and `._+~^%{}`, not empty, at most 200 bytes.
pub fn check_version(version: &str) -> Result<(), Error> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._+~^%{}".contains(&byte);
    if version.is_empty() || version.len() > NAME_LIMIT || !version.bytes().all(allowed) {
        return Err(Error::Version { version: escape(version.as_bytes()) });
    }
    Ok(())
}

/// Checks an architecture: letters, digits and `_`, not empty, at most 32 bytes.
pub fn check_architecture(arch: &str) -> Result<(), Error> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if arch.is_empty() || arch.len() > 32 || !arch.bytes().all(allowed) {
        return Err(Error::Architecture { arch: escape(arch.as_bytes()) });
    }
    Ok(())
}

/// Checks a file's path: absolute, in normal form (no `.`, `..`, `//`, trailing `/`), no control
/// characters, not longer than the kernel takes.
pub fn check_path(path: &str) -> Result<(), Error> {
    let unsafe_path = |problem| Error::UnsafePath { path: escape(path.as_bytes()), problem };
    let Some(relative) = path.strip_prefix('/') else {
        return Err(unsafe_path("it is not absolute"));
    };
    if path.len() > PATH_LIMIT {
        return Err(unsafe_path("it is longer than 4095 bytes"));
    }
    if path.bytes().any(|byte| byte.is_ascii_control()) {
        return Err(unsafe_path("it has control characters"));
    }
    // The root directory itself.
    if relative.is_empty() {
        return Ok(());
    }
    for component in relative.split('/') {
        match component {
            "" => return Err(unsafe_path("it has an empty component")),
            "." | ".." => return Err(unsafe_path("it has a `.` or `..` component")),
            _ if component.len() > COMPONENT_LIMIT => {
                return Err(unsafe_path("a component is longer than 255 bytes"));
            }
            _ => {}
        }
    }
    Ok(())
}

fn check_types(header: &Header) -> Result<(), Error> {
    for (kind, tags) in TYPES {
        for entry in tags.iter().filter_map(|tag| header.entry(*tag)) {
            if entry.kind != *kind {
                let (expected, found) = (kind.name(), entry.kind.name());
                return Err(Error::TagWrongType { tag: entry.tag, expected, found });
            }
        }
    }
    Ok(())
}

fn check_identity(header: &Header, from_package: bool) -> Result<(), Error> {
    let name = header.entry(tag::NAME).ok_or(Error::Missing { tag: tag::NAME })?;
    let name = header.slice(name).strip_suffix(&[0]).unwrap_or_default();
    match std::str::from_utf8(name) {
        Ok(name) => check_name(name)?,
        Err(_) => return Err(Error::Name { name: escape(name) }),
    }
    for tag in [tag::VERSION, tag::RELEASE] {
        let entry = header.entry(tag).ok_or(Error::Missing { tag })?;
        let text = header.slice(entry).strip_suffix(&[0]).unwrap_or_default();
        match std::str::from_utf8(text) {
            Ok(text) => check_version(text)?,
            Err(_) => return Err(Error::Version { version: escape(text) }),
        }
    }
    let n_epochs = header.count(tag::EPOCH);
    if n_epochs > 1 {
        return Err(Error::TagCount { tag: tag::EPOCH, count: n_epochs as u32 });
    }
    match header.string(tag::ARCH) {
        Some(arch) => check_architecture(arch),
        None if from_package => Err(Error::Missing { tag: tag::ARCH }),
        None => Ok(()),
    }
}

fn check_texts(header: &Header) -> Result<(), Error> {
    for entry in header.entries.iter().filter(|entry| entry.kind.is_text()) {
        if FREE_TEXTS.contains(&entry.tag) {
            continue;
        }
        let bytes = header.slice(entry);
        if std::str::from_utf8(bytes).is_err() {
            let odd =
                bytes.split(|byte| *byte == 0).find(|text| std::str::from_utf8(text).is_err());
            let text = escape(odd.unwrap_or_default());
            return Err(Error::NotUtf8 { tag: entry.tag, text });
        }
    }
    Ok(())
}

fn check_file_lists(header: &Header) -> Result<(), Error> {
    let n_files = header.file_count();
    let compare = |tag: u32| {
        let found = header.count(tag);
        if found == n_files {
            return Ok(());
        }
        Err(Error::FileLists { expected: n_files, found, tag })
    };
    if header.has(tag::BASENAMES) || header.has(tag::DIRINDEXES) {
        compare(tag::DIRINDEXES)?;
    }
    if n_files > 0 {
        NEEDED_LISTS.iter().try_for_each(|tag| compare(*tag))?;
        let sizes = [tag::LONGFILESIZES, tag::FILESIZES].into_iter().find(|tag| header.has(*tag));
        compare(sizes.unwrap_or(tag::FILESIZES))?;
    }
    OPTIONAL_LISTS.iter().filter(|tag| header.has(**tag)).try_for_each(|tag| compare(*tag))?;
    let directories = header.count(tag::DIRNAMES);
    for (file, index) in header.u32s(tag::DIRINDEXES).into_iter().enumerate() {
        if index as usize >= directories {
            return Err(Error::DirectoryIndex { file, index, directories });
        }
    }
    Ok(())
}

pub(super) fn check_files(files: &[FileEntry], source: bool) -> Result<(), Error> {
    let mut seen = BTreeSet::new();
    let mut total: u64 = 0;
    for file in files {
        if source && !file.path.starts_with('/') {
            check_path(&format!("/{}", file.path))?;
        } else {
            check_path(&file.path)?;
        }
        if !seen.insert(file.path.as_str()) {
            return Err(Error::DuplicatePath { path: file.path.clone() });
        }
        check_kind(file)?;
        let sum = total.checked_add(file.size).filter(|sum| i64::try_from(*sum).is_ok());
        total = sum.ok_or(Error::FileSize { path: file.path.clone(), size: file.size })?;
    }
    check_hard_links(files)?;
    check_symlinks(files)
}

fn check_kind(file: &FileEntry) -> Result<(), Error> {
    let kinds =
        [mode::REGULAR, mode::DIRECTORY, mode::SYMLINK, mode::CHARACTER, mode::BLOCK, mode::FIFO];
    if !kinds.contains(&file.kind()) || (file.path == "/" && !file.is_directory()) {
        return Err(Error::FileKind { path: file.path.clone(), mode: file.mode });
    }
    Ok(())
}

/// Refuses sets whose members are not the same file.
fn check_hard_links(files: &[FileEntry]) -> Result<(), Error> {
    let mut sets = BTreeMap::new();
    if let Some(file) = files.iter().find(|file| file.nlink > LINKS_LIMIT) {
        let (path, links) = (file.path.clone(), file.nlink);
        return Err(Error::TooManyLinks { path, links, limit: LINKS_LIMIT });
    }
    for file in files.iter().filter(|file| file.is_hard_link()) {
        let first = *sets.entry((file.device, file.inode)).or_insert(file);
        let same = (first.size, first.mode, &first.digest, &first.user, &first.group)
            == (file.size, file.mode, &file.digest, &file.user, &file.group);
        if !same {
            return Err(Error::HardLinkDiffers { path: file.path.clone() });
        }
    }
    Ok(())
}

/// Refuses files below a symlink of the same package: they would land elsewhere than they say.
fn check_symlinks(files: &[FileEntry]) -> Result<(), Error> {
    let is_link = |file: &&FileEntry| file.is_symlink() && !file.is_ghost();
    let links: BTreeSet<&str> = files.iter().filter(is_link).map(|file| &*file.path).collect();
    if links.is_empty() {
        return Ok(());
    }
    let mut checked = BTreeSet::new();
    for file in files {
        let mut path = file.path.as_str();
        while let Some((parent, _)) = path.rsplit_once('/')
            && checked.insert(parent)
        {
            if links.contains(parent) {
                let (symlink, path) = (parent.to_owned(), file.path.clone());
                return Err(Error::ThroughSymlink { symlink, path });
            }
            path = parent;
        }
    }
    Ok(())
}
