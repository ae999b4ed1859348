// SPDX-License-Identifier: MIT OR Apache-2.0
//! May this key sign? The policy over a certificate and its self-signatures.

use pgp::composed::{SignedPublicKey, SignedPublicSubKey};
use pgp::crypto::hash::HashAlgorithm;
use pgp::packet::{Signature, SignatureConfig, SignatureType, SubpacketData};
use pgp::ser::Serialize;
use pgp::types::{Fingerprint, KeyDetails, PublicParams, Tag};

use super::error::{VerifyError, date};
use super::key::hex_fingerprint;

/// Least bits of an RSA modulus.
const RSA_BITS: u16 = 2048;

/// What the self-signatures say about a key that may sign.
pub(super) struct Validity {
    /// When the key was made, seconds since 1970.
    created: u64,
    /// When the key, or the primary key it belongs to, stops being valid.
    expires: Option<u64>,
}

impl Validity {
    /// Checks that the key was valid at `time`, seconds since 1970.
    pub(super) fn check(&self, fingerprint: &str, time: u32) -> Result<(), VerifyError> {
        let fingerprint = fingerprint.to_owned();
        let time = u64::from(time);
        if time < self.created {
            let problem = "before the key was made";
            return Err(VerifyError::Time { fingerprint, date: date(time), problem });
        }
        match self.expires {
            Some(expires) if expires <= time => {
                Err(VerifyError::KeyExpired { fingerprint, date: date(expires) })
            }
            _ => Ok(()),
        }
    }
}

/// Says whether a digest is good enough for signatures.
pub(super) fn is_strong(digest: Option<HashAlgorithm>) -> bool {
    matches!(
        digest,
        Some(
            HashAlgorithm::Sha224
                | HashAlgorithm::Sha256
                | HashAlgorithm::Sha384
                | HashAlgorithm::Sha512
                | HashAlgorithm::Sha3_256
                | HashAlgorithm::Sha3_512
        )
    )
}

/// Checks everything that does not depend on the time.
pub(super) fn check_structure(
    certificate: &SignedPublicKey,
    fingerprint: Fingerprint,
) -> Result<Validity, VerifyError> {
    let primary = &certificate.primary_key;
    check_strength(primary)?;
    let name = hex_fingerprint(primary);
    let revoked = |signature: &Signature| {
        signature.typ() == Some(SignatureType::KeyRevocation)
            && signature.verify_key(primary).is_ok()
    };
    if certificate.details.revocation_signatures.iter().any(revoked) {
        return Err(VerifyError::KeyRevoked { fingerprint: name });
    }
    let Some(newest) = newest_self_signature(certificate) else {
        let problem = "has no valid self-signature";
        return Err(VerifyError::KeyUnusable { fingerprint: name, problem });
    };
    let created = u64::from(primary.created_at().as_secs());
    let expires = key_expiry(created, newest);
    if primary.fingerprint() == fingerprint {
        if !may_sign(newest) {
            let problem = "may not sign";
            return Err(VerifyError::KeyUnusable { fingerprint: name, problem });
        }
        return Ok(Validity { created, expires });
    }
    let subkey = certificate.public_subkeys.iter().find(|s| s.fingerprint() == fingerprint);
    let Some(subkey) = subkey else {
        let problem = "has no such subkey";
        return Err(VerifyError::KeyUnusable { fingerprint: name, problem });
    };
    let validity = check_subkey(certificate, subkey)?;
    let expires = [validity.expires, expires].into_iter().flatten().min();
    Ok(Validity { expires, ..validity })
}

fn check_subkey(
    certificate: &SignedPublicKey,
    subkey: &SignedPublicSubKey,
) -> Result<Validity, VerifyError> {
    let primary = &certificate.primary_key;
    check_strength(&subkey.key)?;
    let fingerprint = hex_fingerprint(&subkey.key);
    let valid =
        |signature: &&Signature| signature.verify_subkey_binding(primary, &subkey.key).is_ok();
    let of = |kind: SignatureType| {
        subkey.signatures.iter().filter(move |signature| signature.typ() == Some(kind))
    };
    if of(SignatureType::SubkeyRevocation).any(|signature| valid(&signature)) {
        return Err(VerifyError::KeyRevoked { fingerprint });
    }
    let binding = of(SignatureType::SubkeyBinding)
        .filter(|signature| is_strong(signature.hash_alg()))
        .filter(valid)
        .max_by_key(|signature| signature.created());
    let Some(binding) = binding else {
        let problem = "is not bound to its primary key by a valid signature";
        return Err(VerifyError::KeyUnusable { fingerprint, problem });
    };
    // Without the subkey's own signature anybody could adopt a foreign subkey as theirs.
    let back_signed = binding.embedded_signature().is_some_and(|signature| {
        is_strong(signature.hash_alg())
            && signature.verify_primary_key_binding(&subkey.key, primary).is_ok()
    });
    if !binding.key_flags().sign() || !back_signed {
        let problem = "may not sign";
        return Err(VerifyError::KeyUnusable { fingerprint, problem });
    }
    let created = u64::from(subkey.key.created_at().as_secs());
    Ok(Validity { created, expires: key_expiry(created, binding) })
}

/// Returns the newest valid direct key signature or user id certification by the key itself.
fn newest_self_signature(certificate: &SignedPublicKey) -> Option<&Signature> {
    let primary = &certificate.primary_key;
    let strong = |signature: &&Signature| is_strong(signature.hash_alg());
    let direct = certificate.details.direct_signatures.iter().filter(strong).filter(|signature| {
        signature.typ() == Some(SignatureType::Key) && signature.verify_key(primary).is_ok()
    });
    let users = certificate.details.users.iter().filter_map(|user| {
        let verifies = |signature: &&Signature| {
            is_by(signature, primary)
                && signature.verify_certification(primary, Tag::UserId, &user.id).is_ok()
        };
        let is_revocation =
            |signature: &&Signature| signature.typ() == Some(SignatureType::CertRevocation);
        let newest = |revocations: bool| {
            user.signatures
                .iter()
                .filter(|signature| is_revocation(signature) == revocations)
                .filter(|signature| revocations || is_strong(signature.hash_alg()))
                .filter(verifies)
                .max_by_key(|signature| signature.created())
        };
        let (certification, revocation) = (newest(false)?, newest(true));
        let is_revoked = revocation.is_some_and(|r| r.created() >= certification.created());
        (!is_revoked).then_some(certification)
    });
    direct.chain(users).max_by_key(|signature| signature.created())
}

/// Says whether a signature names `key` as its issuer, to spare the mathematics for others'.
fn is_by(signature: &Signature, key: &impl KeyDetails) -> bool {
    let (ids, fingerprints) = (signature.issuer_key_id(), signature.issuer_fingerprint());
    ids.iter().any(|id| **id == key.legacy_key_id())
        || fingerprints.iter().any(|fingerprint| **fingerprint == key.fingerprint())
}

fn key_expiry(created: u64, signature: &Signature) -> Option<u64> {
    let seconds = u64::from(signature.key_expiration_time()?.as_secs());
    // Zero means "never".
    (seconds > 0).then_some(created + seconds)
}

/// Old self-signatures do not say what the key is for; then it may sign.
fn may_sign(signature: &Signature) -> bool {
    let says = |signature: &Signature| {
        let mut hashed =
            signature.config().into_iter().flat_map(SignatureConfig::hashed_subpackets);
        hashed.any(|subpacket| matches!(subpacket.data, SubpacketData::KeyFlags(_)))
    };
    !says(signature) || signature.key_flags().sign()
}

fn check_strength(key: &impl KeyDetails) -> Result<(), VerifyError> {
    let weak = |algorithm: String| {
        Err(VerifyError::WeakKey { fingerprint: hex_fingerprint(key), algorithm })
    };
    match key.public_params() {
        PublicParams::RSA(params) => {
            // The modulus comes first; a number starts with its length in bits.
            let bytes = params.to_bytes().unwrap_or_default();
            let bits = bytes.first_chunk::<2>().map_or(0, |bits| u16::from_be_bytes(*bits));
            if bits < RSA_BITS { weak(format!("RSA-{bits}")) } else { Ok(()) }
        }
        PublicParams::DSA(_) => weak("DSA".into()),
        PublicParams::EdDSALegacy(_)
        | PublicParams::Ed25519(_)
        | PublicParams::Ed448(_)
        | PublicParams::ECDSA(_) => Ok(()),
        _ => weak(format!("{:?}", key.algorithm())),
    }
}
