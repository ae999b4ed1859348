// SPDX-License-Identifier: MIT OR Apache-2.0
//! Base64 (RFC 4648) as keys and signatures use it.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::general_purpose::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// Reads with and without padding.
const TOLERANT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Returns bytes as base64 with padding, in one line.
pub fn encode(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Returns bytes as base64 in lines of 64 characters, each with a line end.
pub fn wrapped(bytes: &[u8]) -> String {
    let text = encode(bytes);
    text.as_bytes().chunks(64).map(|line| format!("{}\n", String::from_utf8_lossy(line))).collect()
}

/// Returns the bytes of a base64 text, `None` where it is not one. Blanks are skipped.
pub fn decode(text: &str) -> Option<Vec<u8>> {
    TOLERANT.decode(text.split_whitespace().collect::<String>()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trip() {
        for text in ["", "a", "ab", "abc", "abcd"] {
            assert_eq!(decode(&encode(text.as_bytes())).as_deref(), Some(text.as_bytes()));
        }
        assert_eq!(encode(b"ab"), "YWI=");
        assert_eq!(wrapped(&[0; 49]).lines().count(), 2);
        assert_eq!(decode("a*"), None);
    }
}
