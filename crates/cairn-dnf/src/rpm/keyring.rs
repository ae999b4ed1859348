// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where `rpm` keeps keys: packages `gpg-pubkey` of the database, or with `%_keyring fs` files in `%_keyringpath`.

use super::Context;
use crate::failure::Failure;
use crate::keys::{self, PublicKey};
use cairn_pkg::rpmdb;
use cairn_rpm::signature::Keyring;
use cairn_rpm::tag;
use cairn_ui::Problem;

/// A stored key.
#[derive(Debug)]
pub struct Stored {
    /// The last digits of its fingerprint.
    pub version: String,
    /// When it was made, in hexadecimal.
    pub release: String,
    /// Whose it is.
    pub summary: String,
    /// Its text.
    pub armored: String,
    /// Where it is.
    pub place: Place,
}

/// Where a key is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// Number in the database.
    Row(u64),
    /// Path below the root.
    File(String),
}

impl Stored {
    /// Returns version and release as they are shown.
    pub fn evr(&self) -> String {
        format!("{}-{}", self.version, self.release)
    }
}

/// Returns the directory of key files below the root; `None` where keys are in the database.
fn directory(context: &Context) -> Option<String> {
    let kind = context.macros.value("_keyring").unwrap_or_default();
    (kind.trim() == "fs").then(|| {
        let usual = format!("{}/pubkeys", context.database_directory);
        let path = context.macros.value("_keyringpath").unwrap_or(usual);
        path.trim().trim_matches('/').to_owned()
    })
}

/// Returns all keys.
pub fn all(context: &Context) -> Result<Vec<Stored>, Failure> {
    let Some(directory) = directory(context) else { return in_database(context) };
    if !context.root.exists(&directory)? {
        return Ok(Vec::new());
    }
    let mut names = context.root.read_dir(&directory)?;
    names.retain(|name| name.starts_with("gpg-pubkey-") && name.ends_with(".key"));
    names.sort();
    let read = |name: String| -> Result<Stored, Failure> {
        let path = format!("{directory}/{name}");
        let armored = context.root.read_to_string(&path)?;
        let middle = name.trim_start_matches("gpg-pubkey-").trim_end_matches(".key");
        let (version, release) = middle.rsplit_once('-').unwrap_or((middle, ""));
        let user =
            keys::parse_armored(&armored).ok().and_then(|keys| Some(keys.first()?.user_id.clone()));
        Ok(Stored {
            version: version.to_owned(),
            release: release.to_owned(),
            summary: user.map_or_else(String::new, |user| format!("{user} public key")),
            armored,
            place: Place::File(path),
        })
    };
    names.into_iter().map(read).collect()
}

fn in_database(context: &Context) -> Result<Vec<Stored>, Failure> {
    let Some(db) = context.database()? else { return Ok(Vec::new()) };
    let stored = db.by_name("gpg-pubkey")?.into_iter().map(|package| {
        let evr = package.header.evr();
        let text = |tag| package.header.string(tag).unwrap_or_default().to_owned();
        Stored {
            version: evr.version,
            release: evr.release,
            summary: text(tag::SUMMARY),
            armored: text(tag::DESCRIPTION),
            place: Place::Row(package.hnum),
        }
    });
    Ok(stored.collect())
}

/// Returns the keys whose signatures count. A key that cannot be read is an error: it might be one that was revoked.
pub fn trusted(context: &Context) -> Result<Keyring, Failure> {
    let mut keyring = Keyring::new();
    if directory(context).is_none() {
        if let Some(db) = context.database()? {
            keys::add_installed(&db, &mut keyring)?;
        }
        return Ok(keyring);
    }
    for stored in all(context)? {
        keyring.add_armored(&stored.armored).map_err(|error| {
            let text = Problem::from_error(&error).render("");
            let text = text.trim_start_matches(": ").trim_end();
            Failure::new(format!("key gpg-pubkey-{}: {text}", stored.evr()))
                .hint(format!("`rpmkeys --delete {}` removes it", stored.evr()))
        })?;
    }
    Ok(keyring)
}

/// Stores keys; those that are there stay as they are.
pub fn add(context: &Context, new: &[PublicKey]) -> Result<(), Failure> {
    let Some(directory) = directory(context) else {
        let mut db = context.open_database(rpmdb::Access::Create)?;
        let time = u32::try_from(context.clock.now_unix()).unwrap_or(u32::MAX);
        for key in new {
            keys::import(&mut db, key, time)?;
        }
        return Ok(db.close()?);
    };
    context.root.mkdir_all(&directory, 0o755)?;
    for key in new {
        let path = format!("{directory}/gpg-pubkey-{}-{}.key", key.version(), key.release());
        if !context.root.exists(&path)? {
            context.root.write_atomic(&path, keys::armored(key).as_bytes(), 0o644)?;
        }
    }
    Ok(())
}

/// Removes keys.
pub fn remove(context: &Context, places: &[Place]) -> Result<(), Failure> {
    let mut rows = Vec::new();
    for place in places {
        match place {
            Place::Row(number) => rows.push(*number),
            Place::File(path) => context.root.remove_file(path)?,
        }
    }
    if rows.is_empty() {
        return Ok(());
    }
    let mut db = context.open_database(rpmdb::Access::ReadWrite)?;
    db.write(|writer| rows.iter().try_for_each(|number| writer.remove(*number)))
        .map_err(|error: rpmdb::RpmDbError| Failure::from(error))?;
    Ok(db.close()?)
}
