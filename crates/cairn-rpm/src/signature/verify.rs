// SPDX-License-Identifier: MIT OR Apache-2.0
//! Verified packages.

use std::io::{self, Cursor, Read, Seek, SeekFrom};

use pgp::packet::Signature;
use sha2::{Digest, Sha256, Sha384, Sha512};

use super::error::VerifyError;
use super::keyring::{Keyring, SignerInfo, read_signatures};
use super::report::{Demand, Finding, report};
use crate::error::{Error, Section};
use crate::header::{Header, MAGIC};
use crate::package::Package;
use crate::tag;

/// Something whose every byte was verified; nothing outside this module makes one.
#[derive(Clone, Debug)]
pub struct Verified<T> {
    value: T,
    signer: Option<SignerInfo>,
}

impl<T> Verified<T> {
    /// Returns who signed it; `None` if it was accepted unsigned.
    pub fn signer(&self) -> Option<&SignerInfo> {
        self.signer.as_ref()
    }

    /// Returns the value, which is then no longer known to be verified.
    pub fn into_inner(self) -> T {
        self.value
    }
}

impl<T> std::ops::Deref for Verified<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl Verified<Package> {
    /// Accepts a package whoever made it (`gpgcheck=0`), after checking its digests: it is whole,
    /// and nothing more is known about it.
    pub fn accept_unsigned(bytes: &[u8]) -> Result<Self, VerifyError> {
        Self::accept_unsigned_from(&mut Cursor::new(bytes))
    }

    /// Accepts a package whoever made it with whatever digests it has, MD5 and SHA-1 too, as rpm does at the verification level
    /// `digest`; not with none. For packages from before rpm 4.14.
    pub fn accept_old_digests(bytes: &[u8]) -> Result<Self, VerifyError> {
        let any = Demand { digests: true, signatures: false };
        let (checks, is_good) = report(&Keyring::new(), bytes, any, any)?;
        let wrong = checks.into_iter().find_map(|check| match check.finding {
            Finding::WrongDigest(expected, found) => Some((check.name, expected, found)),
            _ => None,
        });
        match wrong {
            _ if is_good => Ok(Self { value: Package::parse(&mut &bytes[..])?, signer: None }),
            Some((name, expected, found)) => {
                let section =
                    if name.starts_with("Header") { Section::Header } else { Section::Payload };
                Err(Error::Digest { section, expected, found }.into())
            }
            None => Err(Error::NoDigest { section: Section::Payload }.into()),
        }
    }

    /// Accepts whatever can be read (`--nodigest --nosignature`).
    pub fn accept_unverified_from(reader: &mut impl Read) -> Result<Self, VerifyError> {
        Ok(Self { value: Package::parse(reader)?, signer: None })
    }

    /// As [`Verified::accept_unsigned`], from a reader whose first byte is the package's.
    pub fn accept_unsigned_from(reader: &mut (impl Read + Seek)) -> Result<Self, VerifyError> {
        let checked = check_digests(reader)?;
        if !checked.header_digest {
            return Err(Error::NoDigest { section: Section::Header }.into());
        }
        if !checked.payload_digest {
            return Err(Error::NoDigest { section: Section::Payload }.into());
        }
        Ok(Self { value: checked.package, signer: None })
    }
}

impl Keyring {
    /// Checks the digests and the signature of a package.
    ///
    /// The header's signature must be good, and the header must have a SHA-256 (or better) digest
    /// of the payload; old packages with one signature over both are accepted too.
    pub fn verify_package(&self, bytes: &[u8]) -> Result<Verified<Package>, VerifyError> {
        self.verify_package_from(&mut Cursor::new(bytes))
    }

    /// As [`Keyring::verify_package`], from a reader whose first byte is the package's; the payload
    /// is never in memory as a whole. Seek to [`Package::header_end`] to read it afterwards.
    pub fn verify_package_from(
        &self,
        reader: &mut (impl Read + Seek),
    ) -> Result<Verified<Package>, VerifyError> {
        let checked = check_digests(reader)?;
        let package = checked.package;
        let header_signatures = header_signatures(&package.signature_header)?;
        let signer = if header_signatures.is_empty() {
            let signatures = legacy_signatures(&package.signature_header)?;
            self.verify_any(&signatures, reader, package.header_start)?
        } else {
            let signed = [MAGIC.as_slice(), package.header.source_bytes()].concat();
            let signer = self.verify_any(&header_signatures, &mut Cursor::new(signed), 0)?;
            if !checked.payload_digest {
                return Err(Error::NoDigest { section: Section::Payload }.into());
            }
            signer
        };
        Ok(Verified { value: package, signer: Some(signer) })
    }
}

struct Checked {
    package: Package,
    /// Whether there was a good digest of the header.
    header_digest: bool,
    /// Whether there was one of the payload.
    payload_digest: bool,
}

/// Reads a whole package and compares all digests.
fn check_digests(reader: &mut (impl Read + Seek)) -> Result<Checked, VerifyError> {
    reader.seek(SeekFrom::Start(0)).map_err(Error::Io)?;
    let (package, header_digest) = Package::parse_with_digest(reader)?;
    let payload_digest = check_payload_digest(&package, reader)?;
    Ok(Checked { package, header_digest, payload_digest })
}

fn check_payload_digest(package: &Package, reader: &mut impl Read) -> Result<bool, Error> {
    let expected = package.header.strings(tag::PAYLOADDIGEST);
    let expected = expected.first().map(|digest| digest.to_ascii_lowercase());
    let algorithm = package.header.u32(tag::PAYLOADDIGESTALGO).unwrap_or(8);
    let (found, length) = match algorithm {
        9 => digest_of::<Sha384>(reader)?,
        10 => digest_of::<Sha512>(reader)?,
        _ => digest_of::<Sha256>(reader)?,
    };
    let claimed = package.claimed_length().map(|n| n.saturating_sub(package.header.file_length()));
    let truncated = |need| Error::Truncated {
        section: Section::Payload,
        offset: package.header_end,
        need,
        have: length,
    };
    let Some(expected) = expected.filter(|_| matches!(algorithm, 8..=10)) else {
        return match claimed {
            Some(need) if need > length => Err(truncated(need)),
            _ => Ok(false),
        };
    };
    if expected == found {
        return Ok(true);
    }
    Err(match claimed {
        Some(need) if need > length => truncated(need),
        Some(claimed) if claimed < length => Error::Trailing { bytes: length - claimed },
        _ => Error::Digest { section: Section::Payload, expected, found },
    })
}

/// Returns the hexadecimal digest of all that is left, and its length.
fn digest_of<D: Digest>(reader: &mut impl Read) -> io::Result<(String, u64)> {
    let mut hasher = D::new();
    let mut buffer = vec![0; 1 << 17];
    let mut length = 0;
    loop {
        match reader.read(&mut buffer) {
            Ok(0) => return Ok((hex::encode(hasher.finalize()), length)),
            Ok(n) => {
                hasher.update(&buffer[..n]);
                length += n as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Returns the signatures over the header alone.
fn header_signatures(header: &Header) -> Result<Vec<Signature>, VerifyError> {
    let mut signatures = Vec::new();
    for tag in [tag::RSAHEADER, tag::DSAHEADER] {
        if let Some(bytes) = header.binary(tag) {
            signatures.extend(read_signatures(bytes)?);
        }
    }
    for text in header.strings(tag::OPENPGP) {
        signatures.extend(read_signatures(armored(text).as_bytes())?);
    }
    Ok(signatures)
}

/// Returns a signature of rpm 6, which is armor without its frame, with the frame.
pub(super) fn armored(text: &str) -> String {
    format!("-----BEGIN PGP SIGNATURE-----\n\n{text}\n-----END PGP SIGNATURE-----\n")
}

/// Returns the signatures over header and payload together, as rpm made them before 4.14.
fn legacy_signatures(header: &Header) -> Result<Vec<Signature>, VerifyError> {
    let mut signatures = Vec::new();
    for tag in [tag::signature::PGP, tag::signature::GPG] {
        if let Some(bytes) = header.binary(tag) {
            signatures.extend(read_signatures(bytes)?);
        }
    }
    Ok(signatures)
}
