// SPDX-License-Identifier: MIT OR Apache-2.0
//! Good and bad signatures, with keys made here.

use pgp::composed::{
    ArmorOptions, CleartextSignedMessage, KeyType, SignedPublicKey, SignedPublicSubKey,
};
use pgp::crypto::hash::HashAlgorithm;
use pgp::packet::{
    KeyFlags, PublicSubkey, Signature, SignatureConfig, SignatureType, Subpacket, SubpacketData,
};
use pgp::ser::Serialize;
use pgp::types::{KeyDetails, Password, Timestamp};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

use super::*;
use crate::build::build_package;
use crate::header::Value;
use crate::package::{Package, lead, signature_header_bytes};
use crate::tag;
use crate::testing::{BUILD_TIME, KEY_TIME, build, key, options, parse, small_spec, values};

const DAY: u32 = 24 * 60 * 60;
const FINGERPRINT: &str = "A0B473DF220C6BE63012EC2970125EA7B5877E20";

fn keyring(keys: &[&SigningKey]) -> Keyring {
    let mut keyring = Keyring::new();
    for key in keys {
        keyring.add_armored(&key.public_armored().unwrap()).unwrap();
    }
    keyring
}

/// Makes a key of another kind or with an end.
fn other_key(seed: u8, kind: &KeyType, lifetime: Option<u32>) -> SigningKey {
    let rng = ChaCha20Rng::from_seed([seed; 32]);
    super::key::generate("Other <other@example.org>", KEY_TIME, kind, lifetime, rng).unwrap()
}

fn signed(key: &SigningKey) -> Vec<u8> {
    build_package(&small_spec(), &options(), Some(key)).unwrap()
}

#[track_caller]
fn refused(result: Result<impl std::fmt::Debug, VerifyError>, expected: &str) {
    let error = result.unwrap_err();
    assert_eq!(error.to_string(), expected);
    assert!(error.hint().is_some());
}

#[test]
fn keys_are_deterministic_and_written_and_read() {
    let key = key();
    assert_eq!(key.fingerprint(), FINGERPRINT);
    assert_eq!(
        key.to_armored_secret().unwrap(),
        crate::testing::key().to_armored_secret().unwrap()
    );
    let read = SigningKey::from_armored(&key.to_armored_secret().unwrap()).unwrap();
    assert_eq!((read.fingerprint(), read.user_id()), (key.fingerprint(), key.user_id()));
    assert_eq!(read.created_unix(), KEY_TIME);
    assert_eq!(read.sign_detached(b"x", 5).unwrap(), key.sign_detached(b"x", 5).unwrap());
    assert_eq!(format!("{key:?}"), format!("SigningKey {{ fingerprint: {FINGERPRINT:?}, .. }}"));
    let one = SigningKey::generate("A", KEY_TIME).unwrap();
    let two = SigningKey::generate("A", KEY_TIME).unwrap();
    assert_ne!(one.fingerprint(), two.fingerprint());
}

#[test]
fn wrong_key_files_are_refused() {
    let public = SigningKey::from_armored(&key().public_armored().unwrap()).unwrap_err();
    let expected = format!("key {FINGERPRINT} is a public key (expected a secret key)");
    assert_eq!(public.to_string(), expected);
    let secret = key().to_armored_secret().unwrap();
    let error = Keyring::new().add_armored(&secret).unwrap_err();
    assert_eq!(error.to_string(), "this is a secret key (expected a public key)");
    for junk in ["", "junk", "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\njunk"] {
        assert!(matches!(Keyring::new().add(junk.as_bytes()), Err(KeyError::Malformed { .. })));
        assert!(matches!(SigningKey::from_armored(junk), Err(KeyError::Malformed { .. })));
    }
    let mut protected = key().secret().clone();
    protected.primary_key.set_password(ChaCha20Rng::from_seed([2; 32]), &"pass".into()).unwrap();
    let protected = protected.to_armored_string(ArmorOptions::default()).unwrap();
    let error = SigningKey::from_armored(&protected).unwrap_err();
    let expected = format!("key {FINGERPRINT}: the passphrase is missing or wrong");
    assert_eq!(error.to_string(), expected);
    assert!(SigningKey::from_armored_with_passphrase(&protected, "wrong").is_err());
    let read = SigningKey::from_armored_with_passphrase(&protected, "pass").unwrap();
    assert_eq!(read.sign_detached(b"x", 5).unwrap(), key().sign_detached(b"x", 5).unwrap());
}

#[test]
fn good_package() {
    let bytes = signed(&key());
    let verified = keyring(&[&key()]).verify_package(&bytes).unwrap();
    let signer = verified.signer().unwrap();
    assert_eq!(signer.fingerprint, FINGERPRINT);
    assert_eq!(signer.created, BUILD_TIME);
    assert_eq!(signer.user_id, "Test <test@example.org>");
    assert_eq!(verified.header.name(), "small");
    let rsa = other_key(3, &KeyType::Rsa(2048), None);
    let bytes = signed(&rsa);
    assert!(parse(&bytes).unwrap().signature_header.has(tag::RSAHEADER));
    assert!(keyring(&[&key(), &rsa]).verify_package(&bytes).is_ok());
}

#[test]
fn six_kinds_of_distrust() {
    let trusted = keyring(&[&key()]);
    refused(trusted.verify_package(&build(&small_spec())), "not signed");
    assert!(Verified::accept_unsigned(&build(&small_spec())).unwrap().signer().is_none());

    let stranger = other_key(2, &KeyType::Ed25519Legacy, None);
    let bytes = signed(&stranger);
    let name = stranger.fingerprint();
    refused(trusted.verify_package(&bytes), &format!("signed by unknown key {name}"));
    refused(Keyring::new().verify_package(&bytes), &format!("signed by unknown key {name}"));

    let short = other_key(4, &KeyType::Ed25519Legacy, Some(50));
    let name = short.fingerprint();
    let expired = format!("key {name} expired on 2023-11-14");
    refused(keyring(&[&short]).verify_package(&signed(&short)), &expired);
    let longer = other_key(4, &KeyType::Ed25519Legacy, Some(2 * DAY));
    let bytes = signed(&longer);
    assert!(keyring(&[&longer]).verify_package(&bytes).is_ok());
    assert!(keyring(&[&longer]).at(KEY_TIME + DAY).verify_package(&bytes).is_ok());
    let later = keyring(&[&longer]).at(KEY_TIME + 2 * DAY);
    refused(later.verify_package(&bytes), &format!("key {name} expired on 2023-11-16"));
    let earlier = keyring(&[&longer]).at(KEY_TIME - 2 * DAY);
    let expected = format!("signature of key {name} is dated 2023-11-14, which is in the future");
    refused(earlier.verify_package(&bytes), &expected);

    let mut revoked = keyring(&[&key()]);
    revoked.add(&revocation(&key())).unwrap();
    assert_eq!(revoked.fingerprints(), [FINGERPRINT]);
    refused(revoked.verify_package(&signed(&key())), &format!("key {FINGERPRINT} is revoked"));

    let weak = other_key(5, &KeyType::Rsa(1024), None);
    let expected = format!(
        "key {} is RSA-1024, which is too weak (expected RSA-2048 or better, or Ed25519)",
        weak.fingerprint()
    );
    refused(keyring(&[&weak]).verify_package(&signed(&weak)), &expected);

    let rsa = other_key(3, &KeyType::Rsa(2048), None);
    let sha1 = raw_signature(&rsa, HashAlgorithm::Sha1, b"data", BUILD_TIME);
    let expected = format!(
        "signature of key {} uses SHA1, which is too weak (expected SHA-256 or better)",
        rsa.fingerprint()
    );
    refused(keyring(&[&rsa]).verify_detached(b"data", &to_bytes(&[sha1])), &expected);
}

/// Returns the public key with its revocation, binary.
fn revocation(key: &SigningKey) -> Vec<u8> {
    let mut public = key.secret().to_public_key();
    let primary = &key.secret().primary_key;
    let mut config = SignatureConfig::v4(
        SignatureType::KeyRevocation,
        primary.algorithm(),
        HashAlgorithm::Sha256,
    );
    config.hashed_subpackets = hashed(primary, BUILD_TIME);
    let signature = config.sign_key(primary, &Password::empty(), &public.primary_key).unwrap();
    public.details.revocation_signatures.push(signature);
    public.to_bytes().unwrap()
}

fn hashed(key: &impl KeyDetails, time: u32) -> Vec<Subpacket> {
    [
        SubpacketData::SignatureCreationTime(Timestamp::from_secs(time)),
        SubpacketData::IssuerFingerprint(key.fingerprint()),
    ]
    .into_iter()
    .map(|data| Subpacket::regular(data).unwrap())
    .collect()
}

fn raw_signature(key: &SigningKey, hash: HashAlgorithm, data: &[u8], time: u32) -> Signature {
    let primary = &key.secret().primary_key;
    let mut config = SignatureConfig::v4(SignatureType::Binary, primary.algorithm(), hash);
    config.hashed_subpackets = hashed(primary, time);
    config.sign(primary, &Password::empty(), data).unwrap()
}

fn to_bytes(signatures: &[Signature]) -> Vec<u8> {
    let detached = |signature: &Signature| {
        pgp::composed::DetachedSignature::new(signature.clone()).to_bytes().unwrap()
    };
    signatures.iter().flat_map(detached).collect()
}

#[test]
fn detached() {
    let trusted = keyring(&[&key()]);
    let armored = key().sign_detached_armored(b"data", BUILD_TIME).unwrap();
    let binary = key().sign_detached(b"data", BUILD_TIME).unwrap();
    assert_eq!(trusted.verify_detached(b"data", armored.as_bytes()).unwrap().created, BUILD_TIME);
    assert!(trusted.verify_detached(b"data", &binary).is_ok());
    let mismatch = format!("signature of key {FINGERPRINT} does not match");
    refused(trusted.verify_detached(b"date", &binary), &mismatch);
    refused(trusted.verify_detached(b"data", b""), "not signed");
    for junk in [&b"junk"[..], b"-----BEGIN PGP SIGNATURE-----\n\nAAAA\n", &[0xc2; 300]] {
        let error = trusted.verify_detached(b"data", junk).unwrap_err();
        assert!(matches!(error, VerifyError::Malformed { .. }), "{error}");
    }
    // One good signature is enough, whatever is beside it, up to a limit.
    let stranger = other_key(2, &KeyType::Ed25519Legacy, None);
    let two = [stranger.sign_detached(b"data", BUILD_TIME).unwrap(), binary.clone()].concat();
    assert!(trusted.verify_detached(b"data", &two).is_ok());
    refused(trusted.verify_detached(b"data", &binary.repeat(1000)), "more than 32 signatures");
    let before = key().sign_detached(b"data", KEY_TIME - DAY).unwrap();
    let expected =
        format!("signature of key {FINGERPRINT} is dated 2023-11-13, before the key was made");
    refused(trusted.verify_detached(b"data", &before), &expected);
}

#[test]
fn cleartext() {
    let stranger = other_key(2, &KeyType::Ed25519Legacy, None);
    let rsa = other_key(3, &KeyType::Rsa(2048), None);
    let text = "Origin: Debian\n- dashed\nSHA256:\n abc 1 main\n";
    let sign = |keys: &[&SigningKey]| {
        let sign_all = |data: &str| {
            let sign =
                |key: &&SigningKey| key.sign(SignatureType::Text, data.as_bytes(), BUILD_TIME);
            Ok(keys.iter().map(|key| sign(key).unwrap()).collect())
        };
        let message = CleartextSignedMessage::new_many(text, sign_all).unwrap();
        message.to_armored_string(ArmorOptions::default()).unwrap()
    };
    let message = sign(&[&stranger, &key(), &rsa]);
    for trusted in [key(), rsa] {
        let (content, signer) = keyring(&[&trusted]).verify_cleartext(&message).unwrap();
        assert_eq!(signer.fingerprint, trusted.fingerprint());
        assert_eq!(content.trim_end(), text.trim_end());
    }
    let trusted = keyring(&[&key()]);
    let altered = message.replace("abc 1", "abd 1");
    let mismatch = format!("signature of key {FINGERPRINT} does not match");
    refused(trusted.verify_cleartext(&altered), &mismatch);
    let unknown = format!("signed by unknown key {}", stranger.fingerprint());
    refused(trusted.verify_cleartext(&sign(&[&stranger])), &unknown);
    refused(trusted.verify_cleartext(text), "not signed");
    refused(trusted.verify_cleartext(&format!("Evil: yes\n{message}")), "not signed");
    let after = trusted.verify_cleartext(&format!("{message}Evil: yes\n")).unwrap_err();
    assert!(matches!(after, VerifyError::Malformed { .. }), "{after}");
}

#[test]
fn altered_packages() {
    let trusted = keyring(&[&key()]);
    let good = signed(&key());
    let package: Package = parse(&good).unwrap();
    let flip = |offset: u64| {
        let mut bytes = good.clone();
        bytes[offset as usize] ^= 1;
        trusted.verify_package(&bytes).unwrap_err().to_string()
    };
    for offset in (package.header_start + 16..package.header_end).step_by(97) {
        assert!(flip(offset).starts_with("header digest mismatch: expected "), "{offset}");
    }
    for offset in (package.header_end..good.len() as u64).step_by(13) {
        assert!(flip(offset).starts_with("payload digest mismatch: expected "), "{offset}");
    }
    let junk = [good.clone(), vec![b'j'; 4096]].concat();
    refused(trusted.verify_package(&junk), "4096 bytes after the end of the payload");
    let (end, length) = (package.header_end, good.len() as u64 - package.header_end);
    let expected = format!(
        "truncated in payload at byte {end} (expected {length} bytes, found {})",
        length - 5
    );
    refused(trusted.verify_package(&good[..good.len() - 5]), &expected);
}

/// Replaces the header's digests in the signature header, which nothing protects.
#[test]
fn right_digests_do_not_replace_a_signature() {
    let good = signed(&key());
    let package = parse(&good).unwrap();
    let mut spec = small_spec();
    spec.summary = "Smile".into();
    let other = build(&spec);
    let other_package = parse(&other).unwrap();
    let mut signature = values(&other_package.signature_header);
    let stolen = package.signature_header.value(tag::DSAHEADER).unwrap();
    signature.insert(tag::DSAHEADER, stolen);
    let forged = [
        lead("small"),
        signature_header_bytes(&signature),
        other[other_package.header_start as usize..].to_vec(),
    ]
    .concat();
    let mismatch = format!("signature of key {FINGERPRINT} does not match");
    refused(keyring(&[&key()]).verify_package(&forged), &mismatch);
    assert!(Verified::accept_unsigned(&forged).is_ok());
}

#[test]
fn old_packages() {
    let good = signed(&key());
    let package = parse(&good).unwrap();
    // Without a digest of the payload, a signature of the header says nothing about it.
    let mut header = values(&package.header);
    header.remove(&tag::PAYLOADDIGEST);
    let header = crate::header::write_region(tag::HEADERIMMUTABLE, &header);
    let header = [&crate::header::MAGIC, header.as_slice()].concat();
    let payload = &good[package.header_end as usize..];
    let assemble = |tag: u32, signature: Vec<u8>| {
        let signature = [(tag, Value::Binary(signature))].into();
        [&lead("x"), &signature_header_bytes(&signature), &header, payload].concat()
    };
    let trusted = keyring(&[&key()]);
    let signature = key().sign_detached(&header, BUILD_TIME).unwrap();
    let bytes = assemble(tag::DSAHEADER, signature);
    refused(trusted.verify_package(&bytes), "payload has no SHA-256 digest");
    refused(Verified::accept_unsigned(&bytes), "header has no SHA-256 digest");
    // A signature of both does.
    let both = [header.as_slice(), payload].concat();
    let signature = key().sign_detached(&both, BUILD_TIME).unwrap();
    assert!(trusted.verify_package(&assemble(tag::signature::GPG, signature)).is_ok());
}

/// Packages of rpm 6 have their signatures in base64 under a tag of their own.
#[test]
fn signatures_in_base64() {
    let good = signed(&key());
    let package = parse(&good).unwrap();
    let (start, end) = (package.header_start as usize, package.header_end as usize);
    let armored = key().sign_detached_armored(&good[start..end], BUILD_TIME).unwrap();
    let is_data = |line: &&str| !line.is_empty() && !line.starts_with(['-', '=']);
    let base64: String = armored.lines().filter(is_data).collect();
    let mut signature = values(&package.signature_header);
    signature.remove(&tag::DSAHEADER);
    signature.insert(tag::OPENPGP, Value::StringArray(vec![base64]));
    let bytes = [&lead("x"), &signature_header_bytes(&signature), &good[start..]].concat();
    assert!(keyring(&[&key()]).verify_package(&bytes).is_ok());
}

/// Binds a subkey to `owner` without the subkey's consent, as a thief of signatures would.
#[test]
fn adopted_subkey_may_not_sign() {
    let (owner, victim) = (key(), other_key(2, &KeyType::Ed25519Legacy, None));
    let mut certificate: SignedPublicKey = owner.secret().to_public_key();
    let inner = pgp::packet::PubKeyInner::new(
        pgp::types::KeyVersion::V4,
        victim.secret().primary_key.algorithm(),
        victim.secret().primary_key.created_at(),
        None,
        victim.secret().primary_key.public_params().clone(),
    );
    let subkey = PublicSubkey::from_inner(inner.unwrap()).unwrap();
    let primary = &owner.secret().primary_key;
    let mut flags = KeyFlags::default();
    flags.set_sign(true);
    let mut config = SignatureConfig::v4(
        SignatureType::SubkeyBinding,
        primary.algorithm(),
        HashAlgorithm::Sha256,
    );
    config.hashed_subpackets = hashed(primary, KEY_TIME);
    config.hashed_subpackets.push(Subpacket::regular(SubpacketData::KeyFlags(flags)).unwrap());
    let binding = config
        .sign_subkey_binding(primary, primary.public_key(), &Password::empty(), &subkey)
        .unwrap();
    certificate.public_subkeys.push(SignedPublicSubKey::new(subkey, vec![binding]));
    let mut keyring = Keyring::new();
    keyring.add(&certificate.to_bytes().unwrap()).unwrap();
    let bytes = signed(&victim);
    let expected = format!("key {} may not sign", victim.fingerprint());
    refused(keyring.verify_package(&bytes), &expected);
}

#[test]
fn keys_without_a_valid_self_signature_are_useless() {
    let mut certificate = key().secret().to_public_key();
    let other = other_key(2, &KeyType::Ed25519Legacy, None).secret().to_public_key();
    certificate.details.users = other.details.users;
    let mut keyring = Keyring::new();
    keyring.add(&certificate.to_bytes().unwrap()).unwrap();
    let expected = format!("key {FINGERPRINT} has no valid self-signature");
    refused(keyring.verify_package(&signed(&key())), &expected);
}

#[test]
fn several_keys_in_one_file() {
    let other = other_key(2, &KeyType::Ed25519Legacy, None);
    let armored = [key().public_armored().unwrap(), other.public_armored().unwrap()].join("\n");
    let mut keyring = Keyring::new();
    let fingerprints = keyring.add(armored.as_bytes()).unwrap();
    assert_eq!(fingerprints, [key().fingerprint(), other.fingerprint()]);
    let binary = [key().public_binary().unwrap(), other.public_binary().unwrap()].concat();
    let mut keyring = Keyring::new();
    assert_eq!(keyring.add(&binary).unwrap(), fingerprints);
    assert!(!keyring.is_empty());
}

#[test]
fn dates() {
    for (unix, expected) in [
        (0, "1970-01-01"),
        (951_782_400, "2000-02-29"),
        (1_709_164_800, "2024-02-29"),
        (1_735_603_200, "2024-12-31"),
        (4_294_967_295, "2106-02-07"),
    ] {
        assert_eq!(super::error::date(unix), expected);
    }
}

/// Build systems still make signatures of version 3: time and key are in the packet, no conditions.
#[test]
fn version_3() {
    let rng = ChaCha20Rng::from_seed([9; 32]);
    let mut params = pgp::composed::SecretKeyParamsBuilder::default();
    params
        .key_type(KeyType::Rsa(2048))
        .can_sign(true)
        .created_at(Timestamp::from_secs(KEY_TIME))
        .primary_user_id("Old <old@example.org>".to_owned());
    let secret = params.build().unwrap().generate(rng).unwrap();
    let key = &secret.primary_key;
    let sign = |data: &[u8], hash: HashAlgorithm, created: u32| {
        let created = Timestamp::from_secs(created);
        let version_specific = pgp::packet::SignatureVersionSpecific::V3 {
            created,
            issuer_key_id: key.legacy_key_id(),
        };
        let mut config = SignatureConfig::v4(SignatureType::Binary, key.algorithm(), hash);
        config.version_specific = version_specific;
        // rPGP reads them and makes none.
        let mut hasher = hash.new_hasher().unwrap();
        config.hash_data_to_sign(&mut hasher, data).unwrap();
        config.hash_signature_data(&mut hasher).unwrap();
        let digest = hasher.finalize();
        let bytes = pgp::types::SigningKey::sign(key, &Password::empty(), hash, &digest).unwrap();
        let shown = [digest[0], digest[1]];
        let signature = Signature::from_config(config, shown, bytes).unwrap();
        pgp::composed::DetachedSignature::new(signature).to_bytes().unwrap()
    };
    let mut keyring = Keyring::new();
    let public = secret.to_public_key().to_armored_string(ArmorOptions::default()).unwrap();
    keyring.add_armored(&public).unwrap();
    let good = sign(b"data", HashAlgorithm::Sha256, KEY_TIME + DAY);
    assert_eq!(keyring.verify_detached(b"data", &good).unwrap().created, KEY_TIME + DAY);
    let changed = keyring.verify_detached(b"date", &good).unwrap_err();
    assert!(matches!(changed, VerifyError::Mismatch { .. }), "{changed}");
    let early = sign(b"data", HashAlgorithm::Sha256, KEY_TIME - DAY);
    let early = keyring.verify_detached(b"data", &early).unwrap_err();
    assert!(matches!(early, VerifyError::Time { .. }), "{early}");
    let weak = sign(b"data", HashAlgorithm::Sha1, KEY_TIME + DAY);
    let weak = keyring.verify_detached(b"data", &weak).unwrap_err();
    assert!(matches!(weak, VerifyError::WeakDigest { .. }), "{weak}");
    // Without the key, the digest's first bytes still tell an altered text.
    let unknown = |data: &[u8]| Keyring::new().verify_detached(data, &good).unwrap_err();
    assert!(matches!(unknown(b"data"), VerifyError::UnknownKey { .. }));
    assert!(matches!(unknown(b"date"), VerifyError::Mismatch { .. }));
}
