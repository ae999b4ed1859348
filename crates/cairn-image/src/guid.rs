// SPDX-License-Identifier: MIT OR Apache-2.0
//! 128-bit identifiers that are derived, never drawn: the same seed and label give the same GUID.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest, Sha256};

/// A GUID/UUID, kept in the order its text form is written (big-endian fields).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Guid(pub [u8; 16]);

/// A text that is not a GUID.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid GUID `{0}` (expected 8-4-4-4-12 hexadecimal digits)")]
pub struct ParseGuidError(pub String);

impl Guid {
    /// Returns the GUID (RFC 9562 version 8) that belongs to `label` under `seed`.
    ///
    /// Both texts are hashed with SHA-256, each preceded by its length, so that no two pairs collide by joining.
    pub fn derive(seed: &str, label: &str) -> Self {
        let mut hash = Sha256::new();
        hash.update(b"cairn-guid\0");
        for text in [seed, label] {
            hash.update((text.len() as u64).to_le_bytes());
            hash.update(text.as_bytes());
        }
        let digest = hash.finalize();
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&digest[..16]);
        bytes[6] = (bytes[6] & 0x0f) | 0x80;
        bytes[8] = (bytes[8] & 0x3f) | 0x80;
        Self(bytes)
    }

    /// Returns the mixed-endian bytes that a GPT stores (first three fields little-endian).
    pub fn to_disk_bytes(self) -> [u8; 16] {
        let mut bytes = self.0;
        bytes[0..4].reverse();
        bytes[4..6].reverse();
        bytes[6..8].reverse();
        bytes
    }

    /// Returns a 32-bit number made from the GUID, for FAT volume serial numbers.
    pub fn to_serial(self) -> u32 {
        u32::from_be_bytes([self.0[0], self.0[1], self.0[2], self.0[3]])
    }
}

impl fmt::Display for Guid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, byte) in self.0.iter().enumerate() {
            if matches!(index, 4 | 6 | 8 | 10) {
                f.write_str("-")?;
            }
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Guid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Guid {
    type Err = ParseGuidError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || ParseGuidError(text.to_owned());
        let groups: Vec<&str> = text.split('-').collect();
        if groups.iter().map(|group| group.len()).collect::<Vec<_>>() != [8, 4, 4, 4, 12] {
            return Err(error());
        }
        let mut bytes = [0; 16];
        hex::decode_to_slice(groups.concat(), &mut bytes).map_err(|_| error())?;
        Ok(Self(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn derived_guids_are_stable_and_differ_by_label() {
        let root = Guid::derive("cairn 0.1", "root");
        assert_eq!(root, Guid::derive("cairn 0.1", "root"));
        assert_ne!(root, Guid::derive("cairn 0.1", "boot"));
        assert_ne!(Guid::derive("a", "bc"), Guid::derive("ab", "c"));
        let text = root.to_string();
        assert_eq!(&text[14..15], "8");
        assert!("89ab".contains(&text[19..20]));
    }

    #[test]
    fn text_and_disk_forms() {
        let guid: Guid = "C12A7328-F81F-11D2-BA4B-00A0C93EC93B".parse().unwrap();
        assert_eq!(guid.to_string(), "c12a7328-f81f-11d2-ba4b-00a0c93ec93b");
        assert_eq!(hex::encode(guid.to_disk_bytes()), "28732ac11ff8d211ba4b00a0c93ec93b");
        assert!("C12A7328-F81F-11D2-BA4B00A0C93EC93B".parse::<Guid>().is_err());
        assert!("C12A7328-F81F-11D2-BA4B-00A0C93EC93X".parse::<Guid>().is_err());
    }
}
