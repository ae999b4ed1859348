// SPDX-License-Identifier: MIT OR Apache-2.0
//! Makes packages that are wrong in one respect and right in all others: where a change would only show as a wrong digest, digests and
//! signature are made anew.
#![allow(dead_code, reason = "each test program uses its own part")]
#![allow(clippy::unwrap_used, missing_docs, reason = "tests may stop")]

use cairn_rpm::build::{BuildOptions, PackageSpec, build_package};
use cairn_rpm::header::{MAGIC, Value, Values, write_region};
use cairn_rpm::package::{LEAD_LENGTH, Package};
use cairn_rpm::signature::SigningKey;
use cairn_rpm::tag;
use md5::Md5;
use pgp::composed::{Deserializable as _, KeyType, SecretKeyParamsBuilder, SignedSecretKey};
use pgp::crypto::hash::HashAlgorithm;
use pgp::packet::{SignatureConfig, SignatureType, Subpacket, SubpacketData};
use pgp::ser::Serialize as _;
use pgp::types::{KeyDetails as _, Password, Timestamp};
use rand::SeedableRng as _;
use rand_chacha::ChaCha20Rng;
use sha1::Sha1;
use sha2::{Digest as _, Sha256};

use crate::common::{TIME, key, package};

/// A package file in its four parts; magic and padding belong to the headers.
#[derive(Clone)]
pub struct Parts {
    pub lead: Vec<u8>,
    pub signature: Vec<u8>,
    pub header: Vec<u8>,
    pub payload: Vec<u8>,
}

/// A small good package, signed by [`key`].
pub fn good() -> Vec<u8> {
    signed(&package("x", "1.0-1", &[]))
}

pub fn signed(spec: &PackageSpec) -> Vec<u8> {
    build_package(spec, &BuildOptions::new(TIME), Some(key())).unwrap()
}

impl Parts {
    pub fn of(bytes: &[u8]) -> Self {
        let package = Package::parse(&mut &bytes[..]).unwrap();
        let (start, end) = (package.header_start as usize, package.header_end as usize);
        Self {
            lead: bytes[..LEAD_LENGTH as usize].to_vec(),
            signature: bytes[LEAD_LENGTH as usize..start].to_vec(),
            header: bytes[start..end].to_vec(),
            payload: bytes[end..].to_vec(),
        }
    }

    pub fn good() -> Self {
        Self::of(&good())
    }

    /// The file, whatever the parts are now.
    pub fn join(&self) -> Vec<u8> {
        [&self.lead[..], &self.signature, &self.header, &self.payload].concat()
    }

    /// The file with digests and signature of the parts as they are now.
    pub fn seal(&self) -> Vec<u8> {
        self.seal_with(&[(tag::DSAHEADER, key().sign_detached(&self.header, TIME).unwrap())])
    }

    /// As [`Parts::seal`], with other signatures.
    pub fn seal_with(&self, signatures: &[(u32, Vec<u8>)]) -> Vec<u8> {
        let mut values = Values::from([
            (tag::SHA256HEADER, Value::text(hex::encode(Sha256::digest(&self.header)))),
            (tag::signature::SIZE, Value::number((self.header.len() + self.payload.len()) as u32)),
        ]);
        for (tag, bytes) in signatures {
            values.insert(*tag, Value::Binary(bytes.clone()));
        }
        self.seal_signature(values)
    }

    fn seal_signature(&self, values: Values) -> Vec<u8> {
        let mut signature = MAGIC.to_vec();
        signature.extend(write_region(tag::HEADERSIGNATURES, &values));
        signature.resize(signature.len().next_multiple_of(8), 0);
        Self { signature, ..self.clone() }.join()
    }

    /// The file with the digests that rpm before 4.14 made, and nothing else.
    pub fn seal_as_of_old(&self) -> Vec<u8> {
        let old = self.clone().with_tags(|values| {
            values.remove(&tag::PAYLOADDIGEST);
            values.remove(&tag::PAYLOADDIGESTALT);
        });
        let both = Md5::new().chain_update(&old.header).chain_update(&old.payload).finalize();
        old.seal_signature(Values::from([
            (tag::SHA1HEADER, Value::text(hex::encode(Sha1::digest(&old.header)))),
            (tag::signature::MD5, Value::Binary(both.to_vec())),
        ]))
    }

    /// Changes tags of the header; the digest of the payload is that of the payload.
    pub fn with_tags(mut self, change: impl FnOnce(&mut Values)) -> Self {
        let package = Package::parse(&mut &self.join()[..]).unwrap();
        let header = &package.header;
        let mut values: Values =
            header.tags().filter_map(|tag| Some((tag, header.value(tag)?))).collect();
        let digest = hex::encode(Sha256::digest(&self.payload));
        values.insert(tag::PAYLOADDIGEST, Value::StringArray(vec![digest]));
        change(&mut values);
        self.header = MAGIC.to_vec();
        self.header.extend(write_region(tag::HEADERIMMUTABLE, &values));
        self
    }

    /// Replaces the payload by another archive, compressed and with its digest in the header.
    pub fn with_archive(mut self, archive: &[u8]) -> Self {
        let good = self.clone();
        self.payload = zstd::encode_all(archive, 3).unwrap();
        let digest = hex::encode(Sha256::digest(&self.payload));
        let changed = good.with_tags(|values| {
            values.insert(tag::PAYLOADDIGEST, Value::StringArray(vec![digest]));
        });
        self.header = changed.header;
        self
    }

    /// Changes bytes of the main header's index: entry `tag`, field 0 (tag) to 3 (count).
    pub fn with_index(mut self, tag: u32, field: usize, value: u32) -> Self {
        let count = u32::from_be_bytes(self.header[8..12].try_into().unwrap()) as usize;
        let position = (0..count)
            .map(|entry| 16 + entry * 16)
            .find(|at| self.header[*at..at + 4] == tag.to_be_bytes())
            .unwrap();
        let at = position + field * 4;
        self.header[at..at + 4].copy_from_slice(&value.to_be_bytes());
        self
    }
}

/// An archive of the form that rpm calls newc.
pub fn archive(entries: &[(&[u8], u32, &[u8])]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let last: (&[u8], u32, &[u8]) = (b"TRAILER!!!", 0, b"");
    for (inode, (name, mode, content)) in entries.iter().chain([&last]).enumerate() {
        let fields = [
            inode as u32 + 1,
            *mode,
            0,
            0,
            1,
            TIME,
            content.len() as u32,
            0,
            0,
            0,
            0,
            name.len() as u32 + 1,
            0,
        ];
        bytes.extend(b"070701");
        fields.iter().for_each(|field| bytes.extend(format!("{field:08x}").bytes()));
        bytes.extend(*name);
        bytes.push(0);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes.extend(*content);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
    }
    bytes
}

/// A key of any kind, made with a library that asks no questions.
pub struct OtherKey(SignedSecretKey);

impl OtherKey {
    /// One that is strong enough, always the same.
    pub fn rsa() -> Self {
        let mut builder = SecretKeyParamsBuilder::default();
        builder
            .key_type(KeyType::Rsa(2048))
            .can_sign(true)
            .created_at(Timestamp::from_secs(TIME))
            .primary_user_id("Other <other@example.invalid>".to_owned());
        Self(builder.build().unwrap().generate(ChaCha20Rng::from_seed([2; 32])).unwrap())
    }

    /// One with 1024 bits.
    pub fn weak() -> Self {
        Self(SignedSecretKey::from_string(include_str!("../data/rsa1024.asc")).unwrap().0)
    }

    pub fn public_armored(&self) -> String {
        self.0.to_public_key().to_armored_string(pgp::composed::ArmorOptions::default()).unwrap()
    }

    pub fn fingerprint(&self) -> String {
        format!("{:X}", self.0.primary_key.fingerprint())
    }

    pub fn sign(&self, data: &[u8], hash: HashAlgorithm) -> Vec<u8> {
        let key = &self.0.primary_key;
        let mut config = SignatureConfig::v4(SignatureType::Binary, key.algorithm(), hash);
        config.hashed_subpackets = [
            SubpacketData::SignatureCreationTime(Timestamp::from_secs(TIME)),
            SubpacketData::IssuerFingerprint(key.fingerprint()),
        ]
        .into_iter()
        .map(|data| Subpacket::regular(data).unwrap())
        .collect();
        let signature = config.sign(key, &Password::empty(), data).unwrap();
        pgp::composed::DetachedSignature::new(signature).to_bytes().unwrap()
    }
}

/// A key that signs long after it expired: valid for a day.
pub fn expired_key() -> SigningKey {
    let text = include_str!("../data/expired.asc");
    SigningKey::from_armored(text).unwrap()
}
