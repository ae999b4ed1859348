// SPDX-License-Identifier: MIT OR Apache-2.0
//! The cookie of an rpm database: what `rpmdbCookie` of librpm computes and dnf5 stores in `system.toml` and history.

use sha2::{Digest, Sha256};

/// Returns the cookie of a database with these packages; the order of `packages` does not matter.
///
/// It is the SHA-256 of each name, in byte order, followed by the numbers of its headers as 32-bit little-endian.
pub fn rpmdb_cookie<'a>(packages: impl IntoIterator<Item = (&'a str, u32)>) -> String {
    let mut sorted: Vec<(&str, u32)> = packages.into_iter().collect();
    sorted.sort_unstable();
    let mut hash = Sha256::new();
    let mut previous = None;
    for (name, number) in sorted {
        if previous != Some(name) {
            hash.update(name.as_bytes());
            previous = Some(name);
        }
        hash.update(number.to_le_bytes());
    }
    hex::encode(hash.finalize())
}

#[cfg(test)]
mod tests {
    use super::rpmdb_cookie;

    #[test]
    fn equals_librpm() {
        assert_eq!(
            rpmdb_cookie([]),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
        // As rpm 6.1 computed it for a database with that one package.
        assert_eq!(
            rpmdb_cookie([("libfoo", 8)]),
            "213b87a308a1c8ed0f39f08cba64f82ff0a668e4a5d18dddecca4d2a677368a0"
        );
    }
}
