// SPDX-License-Identifier: MIT OR Apache-2.0
//! Key lists: which keys may sign a repository's metadata, how many of them must, and how they are replaced.
//!
//! A repository that replaces keys publishes `repodata/keys/1.json`, `2.json`, …, each with its signatures in `N.json.asc`, and names the
//! newest in `repomd.xml`. As with the root role of The Update Framework (specification 5.3), a list counts when enough keys of the
//! list before it have signed it, and enough of its own; no version is left out. The first follows the keys of `gpgkey=`, of which
//! one is enough. A machine remembers the list it has arrived at, and trusts no key that was on an earlier one only.

use std::collections::BTreeSet;

use cairn_host::Root;
use cairn_rpm::signature::{Keyring, VerifyError};
use serde::{Deserialize, Serialize};

use super::error::chain;
use super::{RepoConfig, RepoError, trust};

/// Directory of the lists in a repository.
pub const DIRECTORY: &str = "repodata/keys";

/// Returns the file of a list in a repository; its signatures are in that name with `.asc`.
pub fn file_of(version: u32) -> String {
    format!("{DIRECTORY}/{version}.json")
}

/// Largest list and largest file of signatures, in bytes.
pub const SIZE_LIMIT: u64 = 1 << 20;

/// Most lists that are followed at once.
pub const STEPS_LIMIT: u32 = 1024;

/// Most keys on a list.
const KEYS_LIMIT: usize = 32;

/// A list as it is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WrittenList {
    /// Counted from 1.
    pub version: u32,
    /// How many of the keys must sign.
    pub threshold: usize,
    /// Armored public keys.
    pub keys: Vec<String>,
}

impl WrittenList {
    /// Returns the file.
    pub fn to_text(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }
}

/// Keys, of which so many must sign.
#[derive(Debug, Clone)]
pub struct KeyList {
    /// As it is written; version 0, and no keys, for those of `gpgkey=`.
    written: WrittenList,
    keyring: Keyring,
}

/// Why a key list does not count.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyListError {
    /// It is not of its form.
    #[error("{0}")]
    Malformed(String),
    /// It is another version than its name says, or than the one that follows.
    #[error("it is version {found}, expected {expected}")]
    Version {
        /// Version in the file.
        found: u32,
        /// Version that must come.
        expected: u32,
    },
    /// Too few keys have signed it.
    #[error("signed by {found} of the keys of {list}, expected at least {expected}")]
    Signatures {
        /// Whose keys.
        list: String,
        /// Different keys that have signed.
        found: usize,
        /// How many must.
        expected: usize,
    },
    /// Its signatures cannot be read.
    #[error("its signatures: {0}")]
    Unreadable(String),
}

impl KeyList {
    /// Reads a list.
    ///
    /// # Errors
    /// It is not of its form, has a key twice, or asks for more signatures than it has keys, or for none.
    pub fn parse(bytes: &[u8]) -> Result<Self, KeyListError> {
        let malformed = |problem: String| KeyListError::Malformed(problem);
        if bytes.len() as u64 > SIZE_LIMIT {
            return Err(malformed(format!("it has {} bytes, limit {SIZE_LIMIT}", bytes.len())));
        }
        let written =
            serde_json::from_slice(bytes).map_err(|error| malformed(error.to_string()))?;
        Self::new(written)
    }

    fn new(written: WrittenList) -> Result<Self, KeyListError> {
        let malformed = |problem: String| KeyListError::Malformed(problem);
        let WrittenList { version, threshold, ref keys } = written;
        if keys.len() > KEYS_LIMIT {
            return Err(malformed(format!("it has {} keys, limit {KEYS_LIMIT}", keys.len())));
        }
        if threshold == 0 || threshold > keys.len() {
            let n_keys = keys.len();
            return Err(malformed(format!("threshold {threshold} does not fit {n_keys} keys")));
        }
        let mut keyring = Keyring::new();
        let mut known = BTreeSet::new();
        for (number, text) in keys.iter().enumerate() {
            let number = number + 1;
            let added = keyring.add_armored(text);
            let added = added.map_err(|error| malformed(format!("key {number}: {error}")))?;
            let [fingerprint] = added.as_slice() else {
                return Err(malformed(format!("key {number}: {} keys in one place", added.len())));
            };
            if !known.insert(fingerprint.clone()) {
                return Err(malformed(format!("key {fingerprint} is there twice")));
            }
        }
        if version == 0 {
            return Err(malformed("versions are counted from 1".to_owned()));
        }
        Ok(Self { written, keyring })
    }

    /// Returns what the keys of `gpgkey=` are before any list: version 0, one signature is enough.
    pub fn first(keyring: Keyring) -> Self {
        Self { written: WrittenList { version: 0, threshold: 1, keys: Vec::new() }, keyring }
    }

    /// Returns its version; 0 for the keys of `gpgkey=`.
    pub fn version(&self) -> u32 {
        self.written.version
    }

    /// Returns how many of the keys must sign.
    pub fn threshold(&self) -> usize {
        self.written.threshold
    }

    /// Returns the keys.
    pub fn keyring(&self) -> &Keyring {
        &self.keyring
    }

    /// Checks signatures over `data`: enough different keys must have made a good one.
    ///
    /// # Errors
    /// [`KeyListError::Signatures`], or the signatures cannot be read.
    pub fn check(&self, data: &[u8], signatures: &[u8]) -> Result<(), KeyListError> {
        let found =
            self.signers(data, signatures).map_err(|e| KeyListError::Unreadable(chain(&e)))?;
        if found.len() >= self.threshold() {
            return Ok(());
        }
        let list = match self.version() {
            0 => "`gpgkey=`".to_owned(),
            version => format!("key list {version}"),
        };
        Err(KeyListError::Signatures { list, found: found.len(), expected: self.threshold() })
    }

    /// Returns the fingerprints of the keys that have signed.
    ///
    /// # Errors
    /// The signatures cannot be read.
    pub fn signers(&self, data: &[u8], signatures: &[u8]) -> Result<BTreeSet<String>, VerifyError> {
        let signers = self.keyring.signers(data, signatures)?;
        Ok(signers.into_iter().map(|signer| signer.fingerprint).collect())
    }

    /// Returns the list that comes after this one.
    ///
    /// # Errors
    /// It is not the next version, or too few keys have signed it, of this list or of its own.
    pub fn follow(&self, next: &[u8], signatures: &[u8]) -> Result<Self, KeyListError> {
        let next_list = Self::parse_version(next, self.version() + 1)?;
        self.check(next, signatures)?;
        next_list.check(next, signatures)?;
        Ok(next_list)
    }

    /// Returns a list at which a machine that has followed none begins: enough of its own keys have signed it, one of this machine's among
    /// them. So a system that was made later needs no older lists.
    ///
    /// # Errors
    /// It is not of that version, or too few keys have signed it.
    pub fn enter(
        &self,
        bytes: &[u8],
        signatures: &[u8],
        expected: u32,
    ) -> Result<Self, KeyListError> {
        let list = Self::parse_version(bytes, expected)?;
        list.check(bytes, signatures)?;
        self.check(bytes, signatures)?;
        Ok(list)
    }

    fn parse_version(bytes: &[u8], expected: u32) -> Result<Self, KeyListError> {
        let list = Self::parse(bytes)?;
        let found = list.version();
        if found == expected { Ok(list) } else { Err(KeyListError::Version { found, expected }) }
    }

    fn fingerprints(&self) -> BTreeSet<String> {
        self.keyring.fingerprints().into_iter().collect()
    }
}

/// The keys a machine trusts for a repository.
#[derive(Debug, Clone)]
pub struct TrustedKeys {
    /// The list it has arrived at.
    pub list: KeyList,
    /// Keys of earlier lists that are on none now.
    pub retired: BTreeSet<String>,
}

/// What is remembered.
#[derive(Debug, Serialize, Deserialize)]
struct Remembered {
    list: WrittenList,
    retired: BTreeSet<String>,
}

impl TrustedKeys {
    /// Returns what is remembered of a repository, otherwise the keys of its configuration.
    ///
    /// # Errors
    /// A key file is missing or not a key; what is remembered cannot be read.
    pub fn load(
        repository: &RepoConfig,
        (root, directory): (&Root, &str),
        config_root: &Root,
    ) -> Result<Self, RepoError> {
        let path = file_name(repository, directory);
        match root.read(&path) {
            Ok(bytes) => Self::remembered(&bytes).map_err(|message| RepoError::Metadata {
                id: repository.id.clone(),
                message: format!("/{path}: {message}"),
            }),
            Err(error) if error.is_not_found() => {
                let keyring = trust::load_keyring(repository, config_root)?;
                Ok(Self { list: KeyList::first(keyring), retired: BTreeSet::new() })
            }
            Err(error) => Err(error.into()),
        }
    }

    fn remembered(bytes: &[u8]) -> Result<Self, String> {
        let Remembered { list, retired } =
            serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        let list = KeyList::new(list).map_err(|error| error.to_string())?;
        Ok(Self { list, retired })
    }

    /// Goes on to a list; keys that are not on it are retired.
    pub fn advance(&mut self, next: KeyList) {
        self.retired.extend(self.list.fingerprints());
        let current = next.fingerprints();
        self.retired.retain(|fingerprint| !current.contains(fingerprint));
        self.list = next;
    }

    /// Remembers this.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn store(
        &self,
        repository: &RepoConfig,
        (root, directory): (&Root, &str),
    ) -> Result<(), RepoError> {
        let (list, retired) = (self.list.written.clone(), self.retired.clone());
        let text = serde_json::to_vec_pretty(&Remembered { list, retired });
        let text = text.map_err(|error| RepoError::Metadata {
            id: repository.id.clone(),
            message: error.to_string(),
        })?;
        root.mkdir_all(directory, 0o755)?;
        Ok(root.write_atomic(file_name(repository, directory), &text, 0o644)?)
    }
}

/// Returns where the list of a repository is remembered.
pub fn file_name(repository: &RepoConfig, directory: &str) -> String {
    format!("{directory}/{}.keys.json", super::metadata::cache_name(repository))
}

#[cfg(test)]
mod tests {
    use super::*;
    use cairn_rpm::signature::SigningKey;

    const TIME: u32 = 1_700_000_000;

    fn key(number: u8) -> SigningKey {
        SigningKey::generate_from_seed(&format!("key {number}"), TIME, [number; 32]).unwrap()
    }

    fn list(version: u32, threshold: usize, keys: &[u8]) -> String {
        let keys = keys.iter().map(|number| key(*number).public_armored().unwrap()).collect();
        WrittenList { version, threshold, keys }.to_text()
    }

    fn signed(text: &str, by: &[u8]) -> String {
        let sign = |number: &u8| key(*number).sign_detached_armored(text.as_bytes(), TIME + 1);
        by.iter().map(|number| sign(number).unwrap()).collect()
    }

    fn machine(keys: &[u8]) -> KeyList {
        let mut keyring = Keyring::new();
        for number in keys {
            keyring.add_armored(&key(*number).public_armored().unwrap()).unwrap();
        }
        KeyList::first(keyring)
    }

    fn follow(from: &KeyList, text: &str, by: &[u8]) -> Result<KeyList, String> {
        from.follow(text.as_bytes(), signed(text, by).as_bytes()).map_err(|e| e.to_string())
    }

    #[test]
    fn keys_are_replaced_one_list_after_the_other() {
        let mut current = machine(&[1]);
        // From one key to two of three, and from there to five other keys in turn.
        for (version, threshold, keys, by) in [
            (1, 2, &[1, 2, 3][..], &[1, 2][..]),
            (2, 2, &[2, 3, 4], &[2, 3]),
            (3, 2, &[3, 4, 5], &[3, 4]),
            (4, 2, &[4, 5, 6], &[5, 4]),
            (5, 2, &[7, 6, 5], &[5, 6, 7]),
        ] {
            current = follow(&current, &list(version, threshold, keys), by).unwrap();
            assert_eq!((current.version(), current.threshold()), (version, threshold));
        }
        let data = b"repomd";
        let check = |by: &[u8]| {
            let signatures: String = by
                .iter()
                .map(|number| key(*number).sign_detached_armored(data, TIME + 2).unwrap())
                .collect();
            current.check(data, signatures.as_bytes()).map_err(|error| error.to_string())
        };
        check(&[7, 5]).unwrap();
        assert_eq!(
            check(&[1, 2, 7]).unwrap_err(),
            "signed by 1 of the keys of key list 5, expected at least 2"
        );
    }

    #[test]
    fn lists_that_do_not_count() {
        let first = machine(&[1]);
        let two_of_three = follow(&first, &list(1, 2, &[1, 2, 3]), &[1, 2]).unwrap();
        for (from, text, by, expected) in [
            // A version is left out, or repeated.
            (&two_of_three, list(3, 1, &[4]), &[1, 2, 4][..], "it is version 3, expected 2"),
            (&two_of_three, list(1, 1, &[4]), &[1, 2, 4], "it is version 1, expected 2"),
            // One key twice is one signature.
            (
                &two_of_three,
                list(2, 1, &[4]),
                &[1, 1, 4],
                "signed by 1 of the keys of key list 1, expected at least 2",
            ),
            // The new keys must show that somebody has them.
            (
                &two_of_three,
                list(2, 2, &[4, 5]),
                &[1, 2, 4],
                "signed by 1 of the keys of key list 2, expected at least 2",
            ),
            (
                &first,
                list(1, 1, &[4]),
                &[4],
                "signed by 0 of the keys of `gpgkey=`, expected at least 1",
            ),
            (&first, list(1, 0, &[4]), &[1, 4], "threshold 0 does not fit 1 keys"),
            (&first, list(1, 3, &[1, 4]), &[1, 4], "threshold 3 does not fit 2 keys"),
            (&first, list(0, 1, &[1]), &[1], "versions are counted from 1"),
        ] {
            assert_eq!(
                follow(from, &text, by).map(|list| list.version()),
                Err(expected.to_owned())
            );
        }
        let twice = follow(&first, &list(1, 1, &[1, 1]), &[1]).unwrap_err();
        assert!(twice.ends_with("is there twice"), "{twice}");
    }

    #[test]
    fn a_new_machine_enters_at_the_list_of_its_keys() {
        let text = list(7, 2, &[5, 6, 7]);
        let enter = |keys: &[u8], by: &[u8], version| {
            let entered =
                machine(keys).enter(text.as_bytes(), signed(&text, by).as_bytes(), version);
            entered.map(|list| list.version()).map_err(|error| error.to_string())
        };
        assert_eq!(enter(&[5, 6, 7], &[6, 7], 7), Ok(7));
        assert_eq!(enter(&[5, 6, 7], &[6, 7], 8), Err("it is version 7, expected 8".to_owned()));
        assert_eq!(
            enter(&[1], &[6, 7], 7),
            Err("signed by 0 of the keys of `gpgkey=`, expected at least 1".to_owned())
        );
    }

    #[test]
    fn retired_keys() {
        let mut trusted = TrustedKeys { list: machine(&[1]), retired: BTreeSet::new() };
        let next = follow(&trusted.list, &list(1, 1, &[2, 3]), &[1, 2]).unwrap();
        trusted.advance(next);
        assert_eq!(trusted.retired, BTreeSet::from([key(1).fingerprint()]));
        let next = follow(&trusted.list, &list(2, 1, &[1, 3]), &[2, 1]).unwrap();
        trusted.advance(next);
        assert_eq!(trusted.retired, BTreeSet::from([key(2).fingerprint()]));
    }
}
