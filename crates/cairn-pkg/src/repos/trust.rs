// SPDX-License-Identifier: MIT OR Apache-2.0
//! Trust in metadata: who may sign `repomd.xml`, and the newest revision this machine has seen of each repository.
//!
//! The signature says who made the metadata, not when: a mirror could serve an old copy for ever, and offer the packages
//! with yesterday's holes. So the newest revision seen is kept, and an older one is refused.

use super::key_list::KeyList;
use super::{RepoConfig, RepoError, error};
use cairn_host::Root;
use cairn_rpm::evr::compare_versions;
use cairn_rpm::signature::Keyring;
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;

/// Directory of what was seen, inside the root.
pub const TRUST_DIRECTORY: &str = "var/lib/cairn/trust";

/// What was seen of one repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// Newest revision of `repomd.xml`.
    pub revision: String,
    /// When it was seen last, in Unix seconds; only of repositories whose metadata expires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<u64>,
}

/// Seconds by which a clock may be set back, as time services do, before what expires is not trusted.
const CLOCK_TOLERANCE: u64 = 600;

/// Returns what was seen of the repository with that cache name.
///
/// # Errors
/// The file exists and cannot be read or is not of its form.
pub fn load_seen(root: &Root, directory: &str, name: &str) -> Result<Option<Seen>, RepoError> {
    let path = format!("{directory}/{name}.json");
    let bytes = match root.read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.is_not_found() => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    serde_json::from_slice(&bytes).map(Some).map_err(|error| RepoError::Metadata {
        id: name.to_owned(),
        message: format!("/{path}: {error}"),
    })
}

/// Remembers what was seen.
///
/// # Errors
/// The file cannot be written.
pub fn store_seen(root: &Root, directory: &str, name: &str, seen: &Seen) -> Result<(), RepoError> {
    root.mkdir_all(directory, 0o755)?;
    let mut text = serde_json::to_string(seen).unwrap_or_default();
    text.push('\n');
    root.write_atomic(format!("{directory}/{name}.json"), text.as_bytes(), 0o644)?;
    Ok(())
}

/// Refuses a revision older than the one seen.
///
/// # Errors
/// [`RepoError::Rollback`].
pub fn check_rollback(id: &str, revision: &str, seen: Option<&Seen>) -> Result<(), RepoError> {
    match seen {
        Some(seen) if compare_revisions(revision, &seen.revision) == Ordering::Less => {
            Err(RepoError::Rollback {
                id: id.to_owned(),
                found: revision.to_owned(),
                seen: seen.revision.clone(),
            })
        }
        _ => Ok(()),
    }
}

/// Refuses metadata that has expired, and any that can expire on a clock that was set back.
///
/// # Errors
/// [`RepoError::Expired`], [`RepoError::ClockBack`].
pub fn check_expiry(
    id: &str,
    valid_until: Option<u64>,
    now: u64,
    seen: Option<&Seen>,
) -> Result<(), RepoError> {
    let Some(valid_until) = valid_until else { return Ok(()) };
    if now > valid_until {
        return Err(RepoError::Expired { id: id.to_owned(), seconds: now - valid_until });
    }
    let back = seen.and_then(|seen| seen.time).unwrap_or(0).saturating_sub(now);
    if back > CLOCK_TOLERANCE {
        return Err(RepoError::ClockBack { id: id.to_owned(), seconds: back });
    }
    Ok(())
}

/// Orders revisions: as numbers where both are, otherwise as rpm orders versions.
fn compare_revisions(a: &str, b: &str) -> Ordering {
    match (a.parse::<u128>(), b.parse::<u128>()) {
        (Ok(a), Ok(b)) => a.cmp(&b),
        _ => compare_versions(a, b),
    }
}

/// Reads the keys of a repository, from the system the configuration is of, otherwise from the host.
///
/// # Errors
/// A key file is missing or not a key.
pub fn load_keyring(repository: &RepoConfig, config_root: &Root) -> Result<Keyring, RepoError> {
    let mut keyring = Keyring::new();
    for (url, text) in read_keys(repository, config_root)? {
        keyring.add_armored(&text).map_err(|e| RepoError::Key {
            id: repository.id.clone(),
            key: url,
            message: error::chain(&e),
        })?;
    }
    Ok(keyring)
}

/// Returns the key files of a repository: URL and armored text.
///
/// # Errors
/// A file cannot be read.
fn read_keys(
    repository: &RepoConfig,
    config_root: &Root,
) -> Result<Vec<(String, String)>, RepoError> {
    let mut keys = Vec::new();
    for url in &repository.gpgkey {
        let path = url.strip_prefix("file://").unwrap_or(url);
        let text = match config_root.read_to_string(path) {
            Err(error) if error.is_not_found() => {
                Root::open("/").and_then(|host| host.read_to_string(path))
            }
            other => other,
        };
        let text = text.map_err(|e| RepoError::Key {
            id: repository.id.clone(),
            key: url.clone(),
            message: error::chain(&e),
        })?;
        keys.push((url.clone(), text));
    }
    Ok(keys)
}

/// Checks the signature of `repomd.xml`.
///
/// # Errors
/// No key is configured, or there are no good signatures of enough of these keys.
pub fn check_signature(
    repository: &RepoConfig,
    keys: &KeyList,
    repomd: &[u8],
    signature: &[u8],
) -> Result<(), RepoError> {
    let id = || repository.id.clone();
    if repository.gpgkey.is_empty() && keys.version() == 0 {
        return Err(RepoError::Signature {
            id: id(),
            message: "no key to check it with".to_owned(),
            hint: Some(format!(
                "add `gpgkey=file:///etc/pki/rpm-gpg/KEY` to [{}], or `repo_gpgcheck=0` to accept unsigned metadata",
                repository.id
            )),
        });
    }
    let Err(error) = keys.check(repomd, signature) else { return Ok(()) };
    // Where one is enough, what is wrong with it says more than that there is none.
    let single = || keys.keyring().verify_detached(repomd, signature).err();
    let single = (keys.threshold() == 1).then(single).flatten();
    Err(RepoError::Signature {
        id: id(),
        message: single.map_or_else(|| error.to_string(), |error| error::chain(&error)),
        hint: Some(
            "the mirror is being updated, or the metadata was changed: try again later".to_owned(),
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rollback() {
        let seen = Seen { revision: "200".to_owned(), time: None };
        assert!(check_rollback("x", "200", Some(&seen)).is_ok());
        assert!(check_rollback("x", "1000", Some(&seen)).is_ok());
        assert!(check_rollback("x", "1", None).is_ok());
        assert_eq!(
            check_rollback("x", "100", Some(&seen)).unwrap_err().to_string(),
            "repository x: metadata is older than what this machine has already trusted (100 < 200): possible rollback"
        );
    }

    #[test]
    fn expiry() {
        let seen = Seen { revision: "1".to_owned(), time: Some(1_000_000) };
        let check = |until, now| {
            let result = check_expiry("x", until, now, Some(&seen));
            result.map_or_else(|error| error.to_string(), |()| String::new())
        };
        assert_eq!(check(None, 5), "");
        assert_eq!(check(Some(2_000_000), 1_000_000), "");
        assert_eq!(check(Some(2_000_000), 999_500), "");
        assert_eq!(
            check(Some(2_000_000), 900_000),
            "repository x: system clock is 1 day earlier than when this repository was last seen"
        );
        assert_eq!(
            check(Some(2_000_000), 2_000_000 + 3 * 86_400),
            "repository x: metadata expired 3 days ago: mirror stale or update withheld"
        );
    }

    #[test]
    fn remembers() {
        let directory = tempfile::tempdir().unwrap();
        let root = Root::open(directory.path()).unwrap();
        assert_eq!(load_seen(&root, TRUST_DIRECTORY, "x-1").unwrap(), None);
        let seen = Seen { revision: "7".to_owned(), time: Some(9) };
        store_seen(&root, TRUST_DIRECTORY, "x-1", &seen).unwrap();
        assert_eq!(load_seen(&root, TRUST_DIRECTORY, "x-1").unwrap(), Some(seen));
    }
}
