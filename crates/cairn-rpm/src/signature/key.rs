// SPDX-License-Identifier: MIT OR Apache-2.0
//! Secret keys: generating, reading, writing, signing.

use pgp::composed::{
    ArmorOptions, Deserializable, DetachedSignature, KeyType, SignedKeyDetails, SignedPublicKey,
    SignedSecretKey,
};
use pgp::crypto::hash::HashAlgorithm;
use pgp::packet::{
    Features, KeyFlags, PubKeyInner, PublicKey, SecretKey, Signature, SignatureConfig,
    SignatureType, Subpacket, SubpacketData, UserId,
};
use pgp::ser::Serialize;
use pgp::types::{
    Duration, KeyDetails, KeyVersion, Password, PublicParams, SignedUser, Tag, Timestamp,
};
use rand::{RngCore, SeedableRng};
use rand_chacha::ChaCha20Rng;

use super::certificate;
use super::error::KeyError;

/// A secret key that signs packages and metadata.
///
/// `Debug` shows the fingerprint only.
pub struct SigningKey {
    key: SignedSecretKey,
    password: Password,
    /// Position among the secret subkeys of the one that signs; `None` is the primary key.
    subkey: Option<usize>,
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SigningKey")
            .field("fingerprint", &self.fingerprint())
            .finish_non_exhaustive()
    }
}

impl SigningKey {
    /// Generates an Ed25519 key (OpenPGP version 4, which rpm 4.18, rpm 4.20, gpg and apt read)
    /// without passphrase and without expiry, from the operating system's random numbers.
    ///
    /// `user_id` is `Name <address>`, `created_unix` the key's time in seconds since 1970.
    pub fn generate(user_id: &str, created_unix: u32) -> Result<Self, KeyError> {
        let mut seed = [0; 32];
        rand::rngs::OsRng.try_fill_bytes(&mut seed).map_err(failed)?;
        Self::generate_from_seed(user_id, created_unix, seed)
    }

    /// Generates a key as [`SigningKey::generate`] does, the same one for the same arguments.
    ///
    /// The seed is as secret as the key. For tests, and for keys derived from another secret.
    pub fn generate_from_seed(
        user_id: &str,
        created_unix: u32,
        seed: [u8; 32],
    ) -> Result<Self, KeyError> {
        let rng = ChaCha20Rng::from_seed(seed);
        generate(user_id, created_unix, &KeyType::Ed25519Legacy, None, rng)
    }

    /// Reads an armored secret key without passphrase.
    pub fn from_armored(armored: &str) -> Result<Self, KeyError> {
        Self::from_armored_with_passphrase(armored, "")
    }

    /// Reads an armored secret key that is protected by `passphrase`.
    ///
    /// Refuses keys that may not sign, for example revoked ones, and tries the passphrase. Whether the key is still valid depends on the
    /// time: see [`SigningKey::check_time`].
    pub fn from_armored_with_passphrase(armored: &str, passphrase: &str) -> Result<Self, KeyError> {
        if let Ok((public, _)) = SignedPublicKey::from_string(armored) {
            return Err(KeyError::Public { fingerprint: hex_fingerprint(&public.primary_key) });
        }
        let (key, _) = SignedSecretKey::from_string(armored)
            .map_err(|error| KeyError::Malformed { problem: error.to_string() })?;
        let password = if passphrase.is_empty() { Password::empty() } else { passphrase.into() };
        let fingerprint = hex_fingerprint(&key.primary_key);
        let subkey = choose_subkey(&key)?;
        let unlocked = match subkey.and_then(|index| key.secret_subkeys.get(index)) {
            Some(subkey) => subkey.key.unlock(&password, |_, _| Ok(())),
            None => key.primary_key.unlock(&password, |_, _| Ok(())),
        };
        if !matches!(unlocked, Ok(Ok(()))) {
            return Err(KeyError::Passphrase { fingerprint });
        }
        Ok(Self { key, password, subkey })
    }

    /// Refuses a key that was not valid at `time`, in seconds since 1970.
    pub fn check_time(&self, time: u32) -> Result<(), KeyError> {
        let fingerprint = match self.subkey.and_then(|index| self.key.secret_subkeys.get(index)) {
            Some(subkey) => subkey.key.fingerprint(),
            None => self.key.primary_key.fingerprint(),
        };
        let name = format!("{fingerprint:X}");
        certificate::check_structure(&self.key.to_public_key(), fingerprint)
            .and_then(|validity| validity.check(&name, time))
            .map_err(KeyError::Unusable)
    }

    /// Returns the fingerprint of the primary key, 40 hexadecimal digits in capitals.
    pub fn fingerprint(&self) -> String {
        hex_fingerprint(&self.key.primary_key)
    }

    /// Returns the key's first user id.
    pub fn user_id(&self) -> String {
        let user = self.key.details.users.first();
        user.and_then(|user| user.id.as_str()).unwrap_or_default().to_owned()
    }

    /// Returns the time the key was made, in seconds since 1970.
    pub fn created_unix(&self) -> u32 {
        self.key.primary_key.created_at().as_secs()
    }

    /// Returns the secret key as armored text. Write it to files of mode 0600 only.
    pub fn to_armored_secret(&self) -> Result<String, KeyError> {
        self.key.to_armored_string(ArmorOptions::default()).map_err(failed)
    }

    /// Returns the public key as armored text, for `rpm --import` and `gpgkey=`.
    pub fn public_armored(&self) -> Result<String, KeyError> {
        self.key.to_public_key().to_armored_string(ArmorOptions::default()).map_err(failed)
    }

    /// Returns the public key in binary form, for apt and gpg.
    pub fn public_binary(&self) -> Result<Vec<u8>, KeyError> {
        self.key.to_public_key().to_bytes().map_err(failed)
    }

    /// Signs `data` and returns the binary signature; `time` is in seconds since 1970.
    pub fn sign_detached(&self, data: &[u8], time: u32) -> Result<Vec<u8>, KeyError> {
        let signature = self.sign(SignatureType::Binary, data, time)?;
        DetachedSignature::new(signature).to_bytes().map_err(failed)
    }

    /// Signs `data` and returns the armored signature (`repomd.xml.asc`); `time` is in seconds
    /// since 1970.
    pub fn sign_detached_armored(&self, data: &[u8], time: u32) -> Result<String, KeyError> {
        let signature = self.sign(SignatureType::Binary, data, time)?;
        let signature = DetachedSignature::new(signature);
        signature.to_armored_string(ArmorOptions::default()).map_err(failed)
    }

    /// Says whether signatures are RSA ones, which packages store under another tag.
    pub fn is_rsa(&self) -> bool {
        let params = match self.subkey.and_then(|index| self.key.secret_subkeys.get(index)) {
            Some(subkey) => subkey.key.public_params(),
            None => self.key.primary_key.public_params(),
        };
        matches!(params, PublicParams::RSA(_))
    }

    pub(super) fn sign(
        &self,
        kind: SignatureType,
        data: &[u8],
        time: u32,
    ) -> Result<Signature, KeyError> {
        match self.subkey.and_then(|index| self.key.secret_subkeys.get(index)) {
            Some(subkey) => sign_with(&subkey.key, &self.password, kind, data, time),
            None => sign_with(&self.key.primary_key, &self.password, kind, data, time),
        }
    }

    #[cfg(test)]
    pub(super) fn secret(&self) -> &SignedSecretKey {
        &self.key
    }
}

/// Generates a key without subkeys, valid for `lifetime` seconds or for ever.
pub(super) fn generate(
    user_id: &str,
    created: u32,
    kind: &KeyType,
    lifetime: Option<u32>,
    mut rng: ChaCha20Rng,
) -> Result<SigningKey, KeyError> {
    let created = Timestamp::from_secs(created);
    let (public, secret) = kind.generate(&mut rng).map_err(failed)?;
    let inner = PubKeyInner::new(KeyVersion::V4, kind.to_alg(), created, None, public);
    let public = PublicKey::from_inner(inner.map_err(failed)?).map_err(failed)?;
    let secret = SecretKey::new(public.clone(), secret).map_err(failed)?;
    let id =
        UserId::from_str(pgp::types::PacketHeaderVersion::default(), user_id).map_err(failed)?;
    let mut flags = KeyFlags::default();
    flags.set_certify(true);
    flags.set_sign(true);
    let mut features = Features::default();
    features.set_seipd_v1(true);
    let mut hashed = vec![
        SubpacketData::SignatureCreationTime(created),
        SubpacketData::IssuerFingerprint(public.fingerprint()),
        SubpacketData::IsPrimary(true),
        SubpacketData::KeyFlags(flags),
        SubpacketData::PreferredHashAlgorithms(
            [HashAlgorithm::Sha512, HashAlgorithm::Sha256].into_iter().collect(),
        ),
        SubpacketData::Features(features),
    ];
    hashed.extend(lifetime.map(|s| SubpacketData::KeyExpirationTime(Duration::from_secs(s))));
    let mut config =
        SignatureConfig::v4(SignatureType::CertPositive, kind.to_alg(), HashAlgorithm::Sha512);
    config.hashed_subpackets = subpackets(hashed)?;
    config.unhashed_subpackets = subpackets([SubpacketData::IssuerKeyId(public.legacy_key_id())])?;
    let password = Password::empty();
    let signature = config.sign_certification(&secret, &public, &password, Tag::UserId, &id);
    let user = SignedUser::new(id, vec![signature.map_err(failed)?]);
    let details = SignedKeyDetails::new(Vec::new(), Vec::new(), vec![user], Vec::new());
    let key = SignedSecretKey::new(secret, details, Vec::new(), Vec::new());
    Ok(SigningKey { key, password, subkey: None })
}

fn sign_with(
    key: &impl pgp::types::SigningKey,
    password: &Password,
    kind: SignatureType,
    data: &[u8],
    time: u32,
) -> Result<Signature, KeyError> {
    let mut config = SignatureConfig::v4(kind, key.algorithm(), HashAlgorithm::Sha256);
    config.hashed_subpackets = subpackets([
        SubpacketData::SignatureCreationTime(Timestamp::from_secs(time)),
        SubpacketData::IssuerFingerprint(key.fingerprint()),
    ])?;
    config.unhashed_subpackets = subpackets([SubpacketData::IssuerKeyId(key.legacy_key_id())])?;
    config.sign(key, password, data).map_err(failed)
}

fn subpackets(data: impl IntoIterator<Item = SubpacketData>) -> Result<Vec<Subpacket>, KeyError> {
    data.into_iter().map(|data| Subpacket::regular(data).map_err(failed)).collect()
}

/// Chooses what signs: the last subkey that may sign and whose secret is there, else the primary.
fn choose_subkey(key: &SignedSecretKey) -> Result<Option<usize>, KeyError> {
    let public = key.to_public_key();
    let usable = |fingerprint| certificate::check_structure(&public, fingerprint);
    let subkeys = key.secret_subkeys.iter().enumerate().rev();
    let good = subkeys
        .filter(|(_, subkey)| usable(subkey.key.fingerprint()).is_ok())
        .map(|(index, _)| index)
        .next();
    if good.is_none() {
        usable(key.primary_key.fingerprint()).map_err(KeyError::Unusable)?;
    }
    Ok(good)
}

pub(super) fn hex_fingerprint(key: &impl KeyDetails) -> String {
    format!("{:X}", key.fingerprint())
}

fn failed(error: impl std::fmt::Display) -> KeyError {
    KeyError::Failed { problem: error.to_string() }
}
