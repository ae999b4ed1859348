// SPDX-License-Identifier: MIT OR Apache-2.0
//! Trusted public keys, and checking signatures against them.

use std::io::{BufReader, Cursor, Read, Seek, SeekFrom};

use pgp::armor::{BlockType, Dearmor};
use pgp::composed::{CleartextSignedMessage, Deserializable, SignedPublicKey};
use pgp::packet::{
    Packet, PacketParser, Signature, SignatureConfig, SignatureType, SignatureVersion,
    SignatureVersionSpecific, Subpacket, SubpacketData,
};
use pgp::types::{Fingerprint, KeyDetails, KeyId, Timestamp, VerifyingKey};

use super::certificate::{check_structure, is_strong};
use super::error::{KeyError, VerifyError, date};
use super::key::hex_fingerprint;
use crate::error::Error;

/// Most signatures looked at in one place.
const SIGNATURES_LIMIT: usize = 32;
/// Most bytes of a signature file.
const SIGNATURE_BYTES_LIMIT: u64 = 1 << 20;
/// Seconds by which a signer's clock may be ahead.
const CLOCK_TOLERANCE: u32 = 24 * 60 * 60;

/// Who signed something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignerInfo {
    /// Fingerprint of the primary key: 40 hexadecimal digits in capitals (64 for version 6 keys).
    pub fingerprint: String,
    /// Fingerprint of the key or subkey that made the signature.
    pub signing_fingerprint: String,
    /// The key's first user id.
    pub user_id: String,
    /// Time of the signature, seconds since 1970.
    pub created: u32,
}

/// Public keys whose signatures count.
#[derive(Clone, Debug, Default)]
pub struct Keyring {
    certificates: Vec<SignedPublicKey>,
    now: Option<u32>,
}

impl Keyring {
    /// Returns a keyring without keys, which trusts nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns the keyring with a present time, in seconds since 1970: keys and signatures that
    /// have expired by then, and signatures from later than a day after it, are refused.
    pub fn at(mut self, now_unix: u32) -> Self {
        self.now = Some(now_unix);
        self
    }

    /// Says whether there is no key.
    pub fn is_empty(&self) -> bool {
        self.certificates.is_empty()
    }

    /// Returns the fingerprints of all primary keys.
    pub fn fingerprints(&self) -> Vec<String> {
        self.certificates.iter().map(|key| hex_fingerprint(&key.primary_key)).collect()
    }

    /// Returns fingerprints and times of creation (seconds since 1970) of all subkeys.
    pub fn subkeys(&self) -> Vec<(String, u32)> {
        let all = self.certificates.iter().flat_map(|certificate| &certificate.public_subkeys);
        all.map(|subkey| (hex_fingerprint(&subkey.key), subkey.key.created_at().as_secs()))
            .collect()
    }

    /// Adds the keys of an armored file, which may have several blocks, and returns their
    /// fingerprints. A key that is already there gets the new copy's signatures, revocations
    /// included.
    pub fn add_armored(&mut self, armored: &str) -> Result<Vec<String>, KeyError> {
        let begin = "-----BEGIN PGP ";
        let blocks = blocks(armored, begin);
        if blocks.is_empty() {
            return Err(KeyError::Malformed { problem: format!("no line `{begin}…`") });
        }
        let mut fingerprints = Vec::new();
        for block in blocks {
            if block.starts_with("-----BEGIN PGP PRIVATE") {
                return Err(KeyError::Secret);
            }
            let (keys, _) = SignedPublicKey::from_string_many(block).map_err(malformed)?;
            fingerprints.extend(self.add_keys(keys)?);
        }
        Ok(fingerprints)
    }

    /// Adds the keys of a binary keyring file, as apt and gpg export it.
    pub fn add_binary(&mut self, bytes: &[u8]) -> Result<Vec<String>, KeyError> {
        let keys = SignedPublicKey::from_bytes_many(bytes).map_err(malformed)?;
        self.add_keys(keys)
    }

    /// Adds the keys of a file, armored or binary.
    pub fn add(&mut self, bytes: &[u8]) -> Result<Vec<String>, KeyError> {
        match std::str::from_utf8(bytes) {
            Ok(text) if text.contains("-----BEGIN PGP ") => self.add_armored(text),
            _ => self.add_binary(bytes),
        }
    }

    /// Adds all keys of another keyring.
    pub fn add_all(&mut self, other: &Self) {
        other.certificates.iter().for_each(|key| self.add_key(key.clone()));
    }

    fn add_key(&mut self, key: SignedPublicKey) {
        let same = |other: &&mut SignedPublicKey| other.fingerprint() == key.fingerprint();
        match self.certificates.iter_mut().find(same) {
            Some(known) => merge(known, key),
            None => self.certificates.push(key),
        }
    }

    fn add_keys(
        &mut self,
        keys: impl Iterator<Item = pgp::errors::Result<SignedPublicKey>>,
    ) -> Result<Vec<String>, KeyError> {
        let keys: Vec<SignedPublicKey> = keys.collect::<Result<_, _>>().map_err(malformed)?;
        if keys.is_empty() {
            return Err(KeyError::Malformed { problem: "it has no public key".into() });
        }
        let fingerprints = keys.iter().map(|key| hex_fingerprint(&key.primary_key)).collect();
        keys.into_iter().for_each(|key| self.add_key(key));
        Ok(fingerprints)
    }

    /// Checks a detached signature, armored or binary, over `data`.
    ///
    /// Of several signatures one good one is enough.
    pub fn verify_detached(
        &self,
        data: &[u8],
        signature: &[u8],
    ) -> Result<SignerInfo, VerifyError> {
        let signatures = read_signatures(signature)?;
        self.verify_any(&signatures, &mut Cursor::new(data), 0)
    }

    /// Returns who has made a good detached signature over `data`, armored (in one block or several) or binary. Signatures of unknown keys, and
    /// bad ones, are left out.
    ///
    /// # Errors
    /// They cannot be read, or are too many.
    pub fn signers(&self, data: &[u8], signatures: &[u8]) -> Result<Vec<SignerInfo>, VerifyError> {
        let text = std::str::from_utf8(signatures).unwrap_or_default();
        let blocks = blocks(text, "-----BEGIN PGP SIGNATURE-----");
        let mut packets = Vec::new();
        if blocks.is_empty() {
            packets = read_signatures(signatures)?;
        }
        for block in blocks {
            packets.extend(read_signatures(block.as_bytes())?);
            if packets.len() > SIGNATURES_LIMIT {
                return Err(VerifyError::TooMany { limit: SIGNATURES_LIMIT });
            }
        }
        let mut data = Cursor::new(data);
        let verify = |signature: &Signature| self.verify_one(signature, &mut data, 0).ok();
        Ok(packets.iter().filter_map(verify).collect())
    }

    /// Takes a key away, by the fingerprint of its primary key; without it nothing happens.
    pub fn remove(&mut self, fingerprint: &str) {
        self.certificates.retain(|key| hex_fingerprint(&key.primary_key) != fingerprint);
    }

    /// Checks a clear-signed text, such as Debian's `InRelease`, and returns what was signed, with
    /// `\n` at line ends.
    ///
    /// Text outside the signed part is refused. Of several signatures one good one is enough.
    pub fn verify_cleartext(&self, text: &str) -> Result<(String, SignerInfo), VerifyError> {
        let begin = "-----BEGIN PGP SIGNED MESSAGE-----";
        let text = text.trim_start_matches('\u{feff}').trim();
        if !text.starts_with(begin) {
            return Err(VerifyError::NotSigned);
        }
        let (message, _) = CleartextSignedMessage::from_string(text)
            .map_err(|error| VerifyError::Malformed { problem: error.to_string() })?;
        let signed = message.signed_text();
        let signer = self.verify_any(message.signatures(), &mut Cursor::new(&signed), 0)?;
        Ok((signed.replace("\r\n", "\n"), signer))
    }

    /// Checks signatures over what `data` holds from offset `start` on.
    pub(super) fn verify_any(
        &self,
        signatures: &[Signature],
        data: &mut (impl Read + Seek),
        start: u64,
    ) -> Result<SignerInfo, VerifyError> {
        if signatures.len() > SIGNATURES_LIMIT {
            return Err(VerifyError::TooMany { limit: SIGNATURES_LIMIT });
        }
        let mut worst = VerifyError::NotSigned;
        for signature in signatures {
            match self.verify_one(signature, data, start) {
                Ok(signer) => return Ok(signer),
                Err(VerifyError::Package(error)) => return Err(error.into()),
                Err(error) if error.rank() > worst.rank() => worst = error,
                Err(_) => {}
            }
        }
        Err(worst)
    }

    fn verify_one(
        &self,
        signature: &Signature,
        data: &mut (impl Read + Seek),
        start: u64,
    ) -> Result<SignerInfo, VerifyError> {
        let issuer = issuer_name(signature);
        let created = check_signature(signature, &issuer)?;
        let Some((certificate, fingerprint)) = self.find(signature) else {
            data.seek(SeekFrom::Start(start)).map_err(Error::Io)?;
            return Err(if may_match(signature, data) {
                VerifyError::UnknownKey { fingerprint: issuer }
            } else {
                VerifyError::Mismatch { fingerprint: issuer }
            });
        };
        let signing_fingerprint = format!("{fingerprint:X}");
        let validity = check_structure(certificate, fingerprint.clone())?;
        validity.check(&signing_fingerprint, created)?;
        self.check_time(signature, &signing_fingerprint, created, &validity)?;
        data.seek(SeekFrom::Start(start)).map_err(Error::Io)?;
        let primary = &certificate.primary_key;
        let subkey = certificate.public_subkeys.iter().find(|s| s.fingerprint() == fingerprint);
        let good = match subkey {
            Some(subkey) => matches(signature, &subkey.key, data),
            None => matches(signature, primary, data),
        };
        if !good {
            return Err(VerifyError::Mismatch { fingerprint: signing_fingerprint });
        }
        let user = certificate.details.users.first();
        Ok(SignerInfo {
            fingerprint: hex_fingerprint(primary),
            signing_fingerprint,
            user_id: user.and_then(|user| user.id.as_str()).unwrap_or_default().to_owned(),
            created,
        })
    }

    fn check_time(
        &self,
        signature: &Signature,
        fingerprint: &str,
        created: u32,
        validity: &super::certificate::Validity,
    ) -> Result<(), VerifyError> {
        let Some(now) = self.now else { return Ok(()) };
        let fingerprint = fingerprint.to_owned();
        if created > now.saturating_add(CLOCK_TOLERANCE) {
            let problem = "which is in the future";
            let date = date(u64::from(created));
            return Err(VerifyError::Time { fingerprint, date, problem });
        }
        let lifetime = signature.signature_expiration_time().map_or(0, |s| u64::from(s.as_secs()));
        let expires = u64::from(created) + lifetime;
        if lifetime > 0 && expires <= u64::from(now) {
            return Err(VerifyError::SignatureExpired { fingerprint, date: date(expires) });
        }
        validity.check(&fingerprint, now.max(created))
    }

    /// Finds the key or subkey that a signature names.
    fn find(&self, signature: &Signature) -> Option<(&SignedPublicKey, Fingerprint)> {
        let (ids, fingerprints) = (signature.issuer_key_id(), signature.issuer_fingerprint());
        let is_issuer = |fingerprint: &Fingerprint, id: &KeyId| {
            if fingerprints.is_empty() {
                ids.contains(&id)
            } else {
                fingerprints.contains(&fingerprint)
            }
        };
        self.certificates.iter().find_map(|certificate| {
            let primary = &certificate.primary_key;
            let subkeys = certificate.public_subkeys.iter();
            let all = std::iter::once((primary.fingerprint(), primary.legacy_key_id()))
                .chain(subkeys.map(|subkey| (subkey.fingerprint(), subkey.legacy_key_id())));
            let found = all.into_iter().find(|(fingerprint, id)| is_issuer(fingerprint, id));
            found.map(|(fingerprint, _)| (certificate, fingerprint))
        })
    }
}

/// Tells whether the two bytes of the digest that a signature shows fit the data. They prove nothing; other ones show, without the key,
/// that the data was altered.
fn may_match(signature: &Signature, data: impl Read) -> bool {
    let (Some(config), Some(shown)) = (signature.config(), signature.signed_hash_value()) else {
        return true;
    };
    let digest = || -> pgp::errors::Result<[u8; 2]> {
        let mut hasher = config.hash_alg.new_hasher()?;
        if let SignatureVersionSpecific::V6 { salt } = &config.version_specific {
            hasher.update(salt);
        }
        config.hash_data_to_sign(&mut hasher, data)?;
        let length = config.hash_signature_data(&mut hasher)?;
        hasher.update(&config.trailer(length)?);
        let digest = hasher.finalize();
        Ok([digest[0], digest[1]])
    };
    // What cannot be computed is not known to be wrong. Signatures of texts are over other line ends.
    signature.typ() == Some(SignatureType::Text) || digest().map_or(true, |found| found == shown)
}

/// Takes an armored text apart where its blocks begin.
fn blocks<'t>(armored: &'t str, begin: &str) -> Vec<&'t str> {
    let starts: Vec<usize> = armored.match_indices(begin).map(|(start, _)| start).collect();
    let ends = starts.iter().skip(1).copied().chain([armored.len()]);
    starts.iter().zip(ends).map(|(start, end)| &armored[*start..end]).collect()
}

fn matches(signature: &Signature, key: &impl VerifyingKey, data: impl Read) -> bool {
    signature.verify(key, data).is_ok()
}

/// Checks what a signature says about itself and returns its time.
fn check_signature(signature: &Signature, issuer: &str) -> Result<u32, VerifyError> {
    let malformed = |problem: &str| VerifyError::Malformed { problem: problem.to_owned() };
    // Those of version 3, which build systems still make, sign their time too, and have no conditions.
    let versions = [SignatureVersion::V3, SignatureVersion::V4, SignatureVersion::V6];
    if !versions.contains(&signature.version()) {
        return Err(malformed("it is of an old version (expected 3, 4 or 6)"));
    }
    if !matches!(signature.typ(), Some(SignatureType::Binary | SignatureType::Text)) {
        return Err(malformed("it is no signature of a document"));
    }
    if !is_strong(signature.hash_alg()) {
        let digest = signature.hash_alg().map_or_else(|| "no digest".into(), |d| d.to_string());
        return Err(VerifyError::WeakDigest { fingerprint: issuer.to_owned(), digest });
    }
    let hashed = || signature.config().into_iter().flat_map(SignatureConfig::hashed_subpackets);
    if hashed().any(is_critical_unknown) {
        return Err(malformed("it has a critical condition that Cairn does not know"));
    }
    let time = hashed().find_map(|subpacket| match subpacket.data {
        SubpacketData::SignatureCreationTime(time) => Some(time.as_secs()),
        _ => None,
    });
    let old = || signature.created().filter(|_| signature.version() == SignatureVersion::V3);
    time.or_else(|| old().map(Timestamp::as_secs)).ok_or_else(|| malformed("it has no time"))
}

fn is_critical_unknown(subpacket: &Subpacket) -> bool {
    subpacket.is_critical
        && matches!(
            subpacket.data,
            SubpacketData::Notation(_) | SubpacketData::Experimental(..) | SubpacketData::Other(..)
        )
}

/// Returns the fingerprint a signature names, or the key id.
fn issuer_name(signature: &Signature) -> String {
    let (ids, fingerprints) = (signature.issuer_key_id(), signature.issuer_fingerprint());
    if let Some(fingerprint) = fingerprints.first() {
        return format!("{fingerprint:X}");
    }
    ids.first().map_or_else(|| "(unnamed)".into(), |id| hex::encode_upper(id.as_ref()))
}

/// Reads signature packets, armored or binary.
pub(super) fn read_signatures(bytes: &[u8]) -> Result<Vec<Signature>, VerifyError> {
    let malformed = |problem: String| VerifyError::Malformed { problem };
    if bytes.len() as u64 > SIGNATURE_BYTES_LIMIT {
        return Err(malformed(format!("{} bytes, limit {SIGNATURE_BYTES_LIMIT}", bytes.len())));
    }
    let mut packets = Vec::new();
    if bytes.trim_ascii_start().starts_with(b"-----BEGIN") {
        let mut dearmor = Dearmor::new(BufReader::new(bytes.trim_ascii_start()));
        dearmor.read_header().map_err(|error| malformed(error.to_string()))?;
        if dearmor.typ != Some(BlockType::Signature) {
            return Err(malformed("the block is no signature".into()));
        }
        dearmor.read_to_end(&mut packets).map_err(|error| malformed(error.to_string()))?;
    } else {
        packets.extend_from_slice(bytes);
    }
    let mut signatures = Vec::new();
    for packet in PacketParser::new(packets.as_slice()) {
        match packet {
            Ok(Packet::Signature(signature)) => signatures.push(signature),
            Ok(_) => return Err(malformed("it has packets that are no signatures".into())),
            Err(error) => return Err(malformed(error.to_string())),
        }
        if signatures.len() > SIGNATURES_LIMIT {
            return Err(VerifyError::TooMany { limit: SIGNATURES_LIMIT });
        }
    }
    Ok(signatures)
}

fn merge(known: &mut SignedPublicKey, new: SignedPublicKey) {
    let details = &mut known.details;
    details.revocation_signatures.extend(new.details.revocation_signatures);
    details.direct_signatures.extend(new.details.direct_signatures);
    for user in new.details.users {
        match details.users.iter_mut().find(|other| other.id.id() == user.id.id()) {
            Some(other) => other.signatures.extend(user.signatures),
            None => details.users.push(user),
        }
    }
    for subkey in new.public_subkeys {
        let same = |other: &&mut pgp::composed::SignedPublicSubKey| {
            other.fingerprint() == subkey.fingerprint()
        };
        match known.public_subkeys.iter_mut().find(same) {
            Some(other) => other.signatures.extend(subkey.signatures),
            None => known.public_subkeys.push(subkey),
        }
    }
}

fn malformed(error: pgp::errors::Error) -> KeyError {
    KeyError::Malformed { problem: error.to_string() }
}
