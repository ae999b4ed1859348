// SPDX-License-Identifier: MIT OR Apache-2.0
//! SHA-512 crypt (Drepper, "Unix crypt using SHA-256 and SHA-512"): the hash of a password typed at the console.

use sha2::{Digest, Sha512};

use crate::answers::PasswordHash;

const ROUNDS: usize = 5000;
const ALPHABET: &[u8; 64] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Hashes a password. The salt is made of the given random bytes.
pub fn hash(password: &str, random: &[u8]) -> PasswordHash {
    let salt: String =
        random.iter().take(16).map(|byte| char::from(ALPHABET[usize::from(*byte) % 64])).collect();
    PasswordHash::new(sha512_crypt(password.as_bytes(), &salt))
}

fn sha512_crypt(password: &[u8], salt: &str) -> String {
    let salt_bytes = salt.as_bytes();
    let alternate = Sha512::new()
        .chain_update(password)
        .chain_update(salt_bytes)
        .chain_update(password)
        .finalize();
    let mut hash = Sha512::new().chain_update(password).chain_update(salt_bytes);
    hash.update(repeated(&alternate, password.len()));
    let mut length = password.len();
    while length > 0 {
        if length & 1 == 1 {
            hash.update(alternate);
        } else {
            hash.update(password);
        }
        length >>= 1;
    }
    let mut digest = hash.finalize();
    let mut hash = Sha512::new();
    for _ in 0..password.len() {
        hash.update(password);
    }
    let password_bytes = repeated(&hash.finalize(), password.len());
    let mut hash = Sha512::new();
    for _ in 0..16 + usize::from(digest[0]) {
        hash.update(salt_bytes);
    }
    let salt_sequence = repeated(&hash.finalize(), salt_bytes.len());
    for round in 0..ROUNDS {
        let mut hash = Sha512::new();
        if round % 2 == 1 {
            hash.update(&password_bytes);
        } else {
            hash.update(digest);
        }
        if round % 3 != 0 {
            hash.update(&salt_sequence);
        }
        if round % 7 != 0 {
            hash.update(&password_bytes);
        }
        if round % 2 == 1 {
            hash.update(digest);
        } else {
            hash.update(&password_bytes);
        }
        digest = hash.finalize();
    }
    format!("$6${salt}${}", encode(&digest))
}

fn repeated(bytes: &[u8], length: usize) -> Vec<u8> {
    bytes.iter().copied().cycle().take(length).collect()
}

/// Writes a digest in crypt's own order and alphabet.
fn encode(digest: &[u8]) -> String {
    let mut text = String::new();
    let mut push = |value: u32, n_characters: usize| {
        for index in 0..n_characters {
            text.push(char::from(ALPHABET[(value >> (6 * index) & 0x3f) as usize]));
        }
    };
    let (mut a, mut b, mut c) = (0, 21, 42);
    for _ in 0..21 {
        let value = u32::from(digest[a]) << 16 | u32::from(digest[b]) << 8 | u32::from(digest[c]);
        push(value, 4);
        (a, b, c) = (b + 1, c + 1, a + 1);
    }
    push(u32::from(digest[63]), 2);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_hashes() {
        assert_eq!(
            sha512_crypt(b"Hello world!", "saltstring"),
            "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1"
        );
        let made = hash("secret", &[0; 16]);
        assert!(made.reveal().starts_with("$6$................$"));
        assert_eq!(format!("{made:?}"), "PasswordHash(…)");
    }
}
