// SPDX-License-Identifier: MIT OR Apache-2.0
//! Signatures as rpm describes them, and ASCII armor.

use super::formatters::{date_text, hash_name, hex_text};
use crate::rpm::base64;

/// Describes a binary OpenPGP v4 signature packet as rpm does: `RSA/SHA256, Sun Nov 22 23:22:51 2026, Key ID 0123…`.
pub(super) fn signature_text(bytes: &[u8]) -> String {
    describe_signature(bytes).unwrap_or_else(|| "(not an OpenPGP signature)".to_owned())
}

fn describe_signature(bytes: &[u8]) -> Option<String> {
    let signature = Signature::read(bytes)?;
    let time = signature.time.map_or_else(|| "(none)".to_owned(), |t| date_text(u64::from(t)));
    Some(format!("{}, {time}, Key ID {}", signature.algorithms, signature.key))
}

/// Returns a signature as `rpm -Kv` names it: `V4 EdDSA/SHA256 Signature, key ID ed30998e`.
pub fn signature_label(bytes: &[u8]) -> Option<String> {
    let Signature { version, algorithms, key, .. } = Signature::read(bytes)?;
    let short = key.get(key.len().saturating_sub(8)..).unwrap_or_default();
    Some(format!("V{version} {algorithms} Signature, key ID {short}"))
}

/// What a signature packet of version 3 or 4 says.
struct Signature {
    version: u8,
    algorithms: String,
    time: Option<u32>,
    key: String,
}

impl Signature {
    fn read(bytes: &[u8]) -> Option<Self> {
        let body = packet_body(bytes)?;
        let version = *body.first()?;
        if version == 3 {
            // Length of what is hashed (5), type, time, key id, key algorithm, hash algorithm.
            let time = u32::from_be_bytes(body.get(3..7)?.try_into().ok()?);
            let key = hex_text(body.get(7..15)?);
            let algorithm = key_algorithm(*body.get(15)?);
            let hash = hash_name(u64::from(*body.get(16)?));
            return Some(Self {
                version,
                algorithms: format!("{algorithm}/{hash}"),
                time: Some(time),
                key,
            });
        }
        if version != 4 {
            return None;
        }
        let algorithm = key_algorithm(*body.get(2)?);
        let hash = hash_name(u64::from(*body.get(3)?));
        let hashed_length = usize::from(u16::from_be_bytes([*body.get(4)?, *body.get(5)?]));
        let hashed = body.get(6..6 + hashed_length)?;
        let after = body.get(6 + hashed_length..)?;
        let unhashed_length = usize::from(u16::from_be_bytes([*after.first()?, *after.get(1)?]));
        let unhashed = after.get(2..2 + unhashed_length)?;
        let (mut time, mut key) = (None, None);
        for area in [hashed, unhashed] {
            for (kind, data) in subpackets(area) {
                match kind {
                    2 if data.len() == 4 => {
                        time = Some(u32::from_be_bytes([data[0], data[1], data[2], data[3]]));
                    }
                    16 if data.len() == 8 => key = Some(hex_text(data)),
                    33 if data.len() == 21 && key.is_none() => key = Some(hex_text(&data[13..])),
                    _ => {}
                }
            }
        }
        Some(Self {
            version,
            algorithms: format!("{algorithm}/{hash}"),
            time,
            key: key.unwrap_or_else(|| "0".repeat(16)),
        })
    }
}

fn key_algorithm(number: u8) -> &'static str {
    match number {
        1 | 3 => "RSA",
        17 => "DSA",
        19 => "ECDSA",
        22 | 27 => "EdDSA",
        _ => "Unknown public key algorithm",
    }
}

fn packet_body(bytes: &[u8]) -> Option<&[u8]> {
    let header = *bytes.first()?;
    let (tag_number, start, length): (u8, usize, usize) = if header & 0x40 != 0 {
        let first = usize::from(*bytes.get(1)?);
        match first {
            0..=191 => (header & 0x3f, 2, first),
            192..=223 => {
                (header & 0x3f, 3, ((first - 192) << 8) + usize::from(*bytes.get(2)?) + 192)
            }
            255 => {
                (header & 0x3f, 6, u32::from_be_bytes(bytes.get(2..6)?.try_into().ok()?) as usize)
            }
            _ => return None,
        }
    } else {
        let number = (header >> 2) & 0xf;
        match header & 3 {
            0 => (number, 2, usize::from(*bytes.get(1)?)),
            1 => (number, 3, usize::from(u16::from_be_bytes([*bytes.get(1)?, *bytes.get(2)?]))),
            2 => (number, 5, u32::from_be_bytes(bytes.get(1..5)?.try_into().ok()?) as usize),
            _ => return None,
        }
    };
    if tag_number != 2 {
        return None;
    }
    bytes.get(start..start.checked_add(length)?)
}

fn subpackets(mut area: &[u8]) -> Vec<(u8, &[u8])> {
    let mut found = Vec::new();
    while let Some(first) = area.first().copied() {
        let (start, length) = match usize::from(first) {
            short @ 0..=191 => (1, short),
            255 => break,
            long => {
                let Some(second) = area.get(1) else { break };
                (2, ((long - 192) << 8) + usize::from(*second) + 192)
            }
        };
        let Some(body) = area.get(start..start + length) else { break };
        if let Some((kind, data)) = body.split_first() {
            found.push((kind & 0x7f, data));
        }
        area = &area[start + length..];
    }
    found
}

/// Wraps bytes in the armor of OpenPGP (RFC 4880, section 6), with its checksum.
pub(super) fn armored(kind: &str, bytes: &[u8]) -> String {
    let checksum = crc24(bytes).to_be_bytes();
    format!(
        "-----BEGIN PGP {kind}-----\n\n{}={}\n-----END PGP {kind}-----\n",
        base64::wrapped(bytes),
        base64::encode(&checksum[1..])
    )
}

fn crc24(bytes: &[u8]) -> u32 {
    let mut crc = 0x00b7_04ce_u32;
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
    fn armor() {
        let text = armored("PUBLIC KEY BLOCK", &base64::decode("full").unwrap());
        assert_eq!(
            text,
            "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nfull\n=Le+s\n-----END PGP PUBLIC KEY BLOCK-----\n"
        );
    }
}
