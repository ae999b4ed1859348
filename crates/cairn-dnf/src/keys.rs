// SPDX-License-Identifier: MIT OR Apache-2.0
//! Trusted keys: `gpg-pubkey` packages in the rpm database, as rpm 4.20 makes them.

use crate::failure::Failure;
use crate::rpm::base64;
use cairn_pkg::rpmdb::RpmDb;
use cairn_rpm::header::{Value, Values, write_region};
use cairn_rpm::signature::Keyring;
use cairn_rpm::tag;
use cairn_ui::Problem;

/// rpm's tag with the base64 text of a key.
const PUBKEYS: u32 = 266;
/// Flags of the Provides of a key: equal, of the keyring.
const KEY_SENSE: u32 = 8 | 1 << 26;

/// A public key as rpm stores it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    /// Fingerprint, lower-case hexadecimal.
    pub fingerprint: String,
    /// First user id.
    pub user_id: String,
    /// Creation, seconds since 1970.
    pub created: u32,
    /// Fingerprints, lower-case hexadecimal, and creation of its subkeys.
    pub subkeys: Vec<(String, u32)>,
    /// The binary key.
    pub bytes: Vec<u8>,
}

impl PublicKey {
    /// Returns the last 16 digits of the fingerprint.
    pub fn key_id(&self) -> &str {
        &self.fingerprint[self.fingerprint.len().saturating_sub(16)..]
    }

    /// Returns the version of its package: the last 8 digits.
    pub fn version(&self) -> &str {
        &self.fingerprint[self.fingerprint.len().saturating_sub(8)..]
    }

    /// Returns the release of its package: the time of creation.
    pub fn release(&self) -> String {
        format!("{:08x}", self.created)
    }
}

/// Adds the keys of the rpm database to a keyring. A key that cannot be read is an error: it might be one that was revoked.
pub fn add_installed(db: &RpmDb, keyring: &mut Keyring) -> Result<(), Failure> {
    for package in db.by_name("gpg-pubkey")? {
        let Some(armored) = package.header.string(tag::DESCRIPTION) else { continue };
        keyring.add_armored(armored).map_err(|error| {
            let text = Problem::from_error(&error)
                .render("")
                .trim_start_matches(": ")
                .trim_end()
                .to_owned();
            Failure::new(format!("key {} in the rpm database: {text}", package.header.nevra()))
                .hint(format!("`rpm -e {}` removes it", package.header.nevra()))
        })?;
    }
    Ok(())
}

/// Reads the keys of an armored file.
pub fn parse_armored(text: &str) -> Result<Vec<PublicKey>, String> {
    let mut keys = Vec::new();
    for block in text.split("-----BEGIN PGP PUBLIC KEY BLOCK-----").skip(1) {
        let Some((body, _)) = block.split_once("-----END PGP PUBLIC KEY BLOCK-----") else {
            return Err("key block without its end".to_owned());
        };
        // The keyring checks the key itself; here only its number and name are read.
        let armored = format!(
            "-----BEGIN PGP PUBLIC KEY BLOCK-----{body}-----END PGP PUBLIC KEY BLOCK-----\n"
        );
        let mut keyring = Keyring::new();
        let fingerprints = keyring.add_armored(&armored).map_err(|e| {
            Problem::from_error(&e).render("").trim_start_matches(": ").trim_end().to_owned()
        })?;
        let bytes = base64::decode(&armor_body(body)).ok_or("the key is not base64")?;
        let fingerprint = fingerprints.first().map(|f| f.to_lowercase()).unwrap_or_default();
        let (created, user_id) = read_packets(&bytes).ok_or("the key has no user id")?;
        let subkeys = keyring.subkeys().into_iter().map(|(key, time)| (key.to_lowercase(), time));
        let subkeys = subkeys.collect();
        keys.push(PublicKey { fingerprint, user_id, created, subkeys, bytes });
    }
    if keys.is_empty() { Err("no key in it".to_owned()) } else { Ok(keys) }
}

/// Stores a key; returns whether it was new.
pub fn import(db: &mut RpmDb, key: &PublicKey, time: u32) -> Result<bool, Failure> {
    for package in db.by_name("gpg-pubkey")? {
        let evr = package.header.evr();
        if evr.version == key.version() && evr.release == key.release() {
            return Ok(false);
        }
    }
    let blob = key_blob(key, time);
    db.write(|writer| writer.insert(None, &blob))
        .map_err(|error: cairn_pkg::rpmdb::RpmDbError| Failure::from(error))?;
    Ok(true)
}

/// Returns a key in ASCII armor.
pub fn armored(key: &PublicKey) -> String {
    format!(
        "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n{}={}\n-----END PGP PUBLIC KEY BLOCK-----\n",
        base64::wrapped(&key.bytes),
        base64::encode(&crc24(&key.bytes).to_be_bytes()[1..])
    )
}

fn key_blob(key: &PublicKey, time: u32) -> Vec<u8> {
    let body = base64::wrapped(&key.bytes);
    let armored = armored(key);
    let text = |text: &str| Value::text(text);
    let evr = format!("4:{}-{}", key.key_id(), key.release());
    let mut provides = vec![(format!("gpg({})", key.user_id), evr.clone())];
    let own = (key.fingerprint.clone(), key.created);
    for (fingerprint, created) in std::iter::once(&own).chain(&key.subkeys) {
        let tail = |length: usize| &fingerprint[fingerprint.len().saturating_sub(length)..];
        let evr = format!("4:{}-{created:08x}", tail(16));
        provides.push((format!("gpg({})", tail(8)), evr.clone()));
        provides.push((format!("gpg({})", tail(16)), evr));
    }
    let n_provides = provides.len();
    let (names, versions) = provides.into_iter().unzip();
    let mut values: Values = Values::new();
    values.insert(PUBKEYS, Value::StringArray(vec![body]));
    values.insert(tag::NAME, text("gpg-pubkey"));
    values.insert(tag::VERSION, text(key.version()));
    values.insert(tag::RELEASE, text(&key.release()));
    values.insert(tag::SUMMARY, Value::I18nString(vec![format!("{} public key", key.user_id)]));
    values.insert(tag::DESCRIPTION, Value::I18nString(vec![armored]));
    values.insert(tag::GROUP, Value::I18nString(vec!["Public Keys".to_owned()]));
    values.insert(tag::HEADERI18NTABLE, Value::StringArray(vec!["C".to_owned()]));
    values.insert(tag::BUILDTIME, Value::number(key.created));
    values.insert(tag::BUILDHOST, text("localhost"));
    values.insert(tag::INSTALLTIME, Value::number(time));
    values.insert(tag::INSTALLTID, Value::number(time));
    values.insert(tag::SIZE, Value::number(0));
    values.insert(tag::LICENSE, text("pubkey"));
    values.insert(tag::PACKAGER, text(&key.user_id));
    values.insert(tag::SOURCERPM, text("(none)"));
    values.insert(tag::RPMVERSION, text("4.20.1"));
    values.insert(tag::PROVIDENAME, Value::StringArray(names));
    values.insert(tag::PROVIDEFLAGS, Value::Int32(vec![KEY_SENSE; n_provides]));
    values.insert(tag::PROVIDEVERSION, Value::StringArray(versions));
    write_region(tag::HEADERIMMUTABLE, &values)
}

/// Returns the base64 lines of an armored block: without headers and checksum.
fn armor_body(block: &str) -> String {
    let lines = block.lines().map(str::trim);
    lines.filter(|line| !line.is_empty() && !line.contains(':') && !line.starts_with('=')).collect()
}

/// Returns the creation time of the first packet and the first user id.
fn read_packets(bytes: &[u8]) -> Option<(u32, String)> {
    let mut rest = bytes;
    let mut created = None;
    while !rest.is_empty() {
        let (kind, body, length) = packet(rest)?;
        match kind {
            6 => created = created.or(Some(u32::from_be_bytes(body.get(1..5)?.try_into().ok()?))),
            13 => return Some((created?, String::from_utf8_lossy(body).into_owned())),
            _ => {}
        }
        rest = rest.get(length..)?;
    }
    None
}

/// Returns kind, body and whole length of the first packet (RFC 9580, section 4.2).
fn packet(bytes: &[u8]) -> Option<(u8, &[u8], usize)> {
    let first = *bytes.first()?;
    let byte = |index: usize| bytes.get(index).map(|b| usize::from(*b));
    let (kind, start, length): (u8, usize, usize) = if first & 0x40 != 0 {
        match byte(1)? {
            short @ 0..=191 => (first & 0x3f, 2, short),
            long @ 192..=223 => (first & 0x3f, 3, ((long - 192) << 8) + byte(2)? + 192),
            255 => {
                (first & 0x3f, 6, u32::from_be_bytes(bytes.get(2..6)?.try_into().ok()?) as usize)
            }
            _ => return None,
        }
    } else {
        let kind = (first >> 2) & 0xf;
        match first & 3 {
            0 => (kind, 2, byte(1)?),
            1 => (kind, 3, (byte(1)? << 8) + byte(2)?),
            2 => (kind, 5, u32::from_be_bytes(bytes.get(1..5)?.try_into().ok()?) as usize),
            _ => return None,
        }
    };
    let end = start.checked_add(length)?;
    Some((kind, bytes.get(start..end)?, end))
}

/// Computes the checksum of ASCII armor (RFC 9580, section 6.1.1).
fn crc24(bytes: &[u8]) -> u32 {
    let mut crc: u32 = 0x00b7_04ce;
    for byte in bytes {
        crc ^= u32::from(*byte) << 16;
        for _ in 0..8 {
            crc <<= 1;
            if crc & 0x0100_0000 != 0 {
                crc ^= 0x0186_4cfb;
            }
        }
    }
    crc & 0x00ff_ffff
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksum() {
        assert_eq!(crc24(b""), 0x00b7_04ce);
        assert_eq!(crc24(b"123456789"), 0x0021_cf02);
    }

    #[test]
    fn packets() {
        assert_eq!(packet(&[0xb4, 2, b'a', b'b', 9]), Some((13, &b"ab"[..], 4)));
        assert_eq!(packet(&[0xcd, 1, b'x']), Some((13, &b"x"[..], 3)));
        assert_eq!(packet(&[0xcd, 5, b'x']), None);
    }
}
