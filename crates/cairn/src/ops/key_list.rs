// SPDX-License-Identifier: MIT OR Apache-2.0
//! Key lists of a repository (`repodata/keys/N.json`) and signatures of its `repomd.xml`, by one or several keys.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use cairn_host::Root;
use cairn_pkg::repos::key_list::{DIRECTORY, KeyList, WrittenList, file_of};
use cairn_rpm::signature::{Keyring, SigningKey};

/// What a new list says; without keys only signatures are added to the newest one.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Files of armored public keys, one key each.
    pub keys: Vec<PathBuf>,
    /// How many of them must sign.
    pub threshold: usize,
}

/// Signatures that a list has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count {
    /// Different keys that have signed.
    pub found: usize,
    /// How many must.
    pub needed: usize,
}

/// The newest list of a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// Its version.
    pub version: u32,
    /// Signatures by keys of the list before it; `None` for the first, which the keys of `gpgkey=` sign.
    pub before: Option<Count>,
    /// Signatures by its own keys.
    pub own: Count,
}

impl Status {
    /// Tells whether nothing is missing. Whether a machine's `gpgkey=` has signed the first list cannot be known here.
    pub fn is_complete(&self) -> bool {
        let is_enough = |count: Count| count.found >= count.needed;
        is_enough(self.own) && self.before.is_none_or(is_enough)
    }
}

/// Returns the version of the newest list of a repository, 0 where it has none.
pub fn newest(root: &Root) -> Result<u32> {
    let mut version = 0;
    while root.exists(file_of(version + 1))? {
        version += 1;
    }
    Ok(version)
}

/// Writes the next list, or adds signatures to the newest.
pub fn write(directory: &Path, wanted: &Wanted, by: &[SigningKey], now: u32) -> Result<Status> {
    let root = Root::open(directory)?;
    let mut version = newest(&root)?;
    if !wanted.keys.is_empty() {
        if version > 0 && !status(&root, version)?.is_complete() {
            bail!("key list {version} still lacks signatures: nobody would follow a list after it");
        }
        version += 1;
        let text = text_of(wanted, version)?;
        KeyList::parse(text.as_bytes()).with_context(|| format!("key list {version}"))?;
        root.mkdir_all(DIRECTORY, 0o755)?;
        root.write_atomic(file_of(version), text.as_bytes(), 0o644)?;
    } else if version == 0 {
        bail!("{} has no key list: name its keys with --key", directory.display());
    }
    add_signatures(&root, &file_of(version), by, now)?;
    status(&root, version)
}

/// Adds signatures to `repomd.xml.asc`.
pub fn sign_index(directory: &Path, by: &[SigningKey], now: u32) -> Result<()> {
    add_signatures(&Root::open(directory)?, "repodata/repomd.xml", by, now)
}

fn text_of(wanted: &Wanted, version: u32) -> Result<String> {
    let read = |path: &PathBuf| {
        std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))
    };
    let keys = wanted.keys.iter().map(read).collect::<Result<_>>()?;
    Ok(WrittenList { version, threshold: wanted.threshold, keys }.to_text())
}

/// Adds signatures of the keys that have not signed a file yet.
fn add_signatures(root: &Root, path: &str, by: &[SigningKey], now: u32) -> Result<()> {
    let data = root.read(path)?;
    let signatures = format!("{path}.asc");
    let mut text =
        if root.exists(&signatures)? { root.read_to_string(&signatures)? } else { String::new() };
    for key in by {
        let mut keyring = Keyring::new();
        keyring.add_armored(&key.public_armored()?)?;
        let has_signed = !text.is_empty() && !keyring.signers(&data, text.as_bytes())?.is_empty();
        if !has_signed {
            text.push_str(&key.sign_detached_armored(&data, now)?);
        }
    }
    Ok(root.write_atomic(&signatures, text.as_bytes(), 0o644)?)
}

fn status(root: &Root, version: u32) -> Result<Status> {
    let data = root.read(file_of(version))?;
    let signatures = root.read(format!("{}.asc", file_of(version)))?;
    let count = |version: u32| -> Result<Count> {
        let list =
            KeyList::parse(&root.read(file_of(version))?).with_context(|| file_of(version))?;
        let found = list.signers(&data, &signatures)?.len();
        Ok(Count { found, needed: list.threshold() })
    };
    let before = (version > 1).then(|| count(version - 1)).transpose()?;
    Ok(Status { version, before, own: count(version)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIME: u32 = 1_700_000_000;

    #[test]
    fn holders_sign_in_turn() {
        let directory = tempfile::tempdir().unwrap();
        let key =
            |n: u8| SigningKey::generate_from_seed(&format!("key {n}"), TIME, [n; 32]).unwrap();
        let public = |n: u8| {
            let path = directory.path().join(format!("{n}.asc"));
            std::fs::write(&path, key(n).public_armored().unwrap()).unwrap();
            path
        };
        let wanted = |keys: &[u8], threshold| Wanted {
            keys: keys.iter().map(|n| public(*n)).collect(),
            threshold,
        };
        let write = |wanted: &Wanted, by: &[u8]| {
            let by: Vec<SigningKey> = by.iter().map(|n| key(*n)).collect();
            write(directory.path(), wanted, &by, TIME + 1)
        };
        let nothing = Wanted::default();
        assert!(write(&nothing, &[1]).unwrap_err().to_string().contains("has no key list"));
        let own = |found, needed| Count { found, needed };
        let first = write(&wanted(&[1, 2, 3], 2), &[1]).unwrap();
        assert_eq!(first, Status { version: 1, before: None, own: own(1, 2) });
        assert!(!first.is_complete());
        let early = write(&wanted(&[2, 3, 4], 2), &[2]).unwrap_err().to_string();
        assert!(early.contains("key list 1 still lacks signatures"), "{early}");
        // The same key again is no second signature.
        assert!(!write(&nothing, &[1]).unwrap().is_complete());
        assert!(write(&nothing, &[3]).unwrap().is_complete());
        let second = write(&wanted(&[2, 3, 4], 2), &[2, 4]).unwrap();
        assert_eq!(second.before, Some(own(1, 2)));
        let second = write(&nothing, &[3]).unwrap();
        assert_eq!(second, Status { version: 2, before: Some(own(2, 2)), own: own(3, 2) });
        assert!(second.is_complete());
        assert_eq!(newest(&Root::open(directory.path()).unwrap()).unwrap(), 2);
    }
}
