// SPDX-License-Identifier: MIT OR Apache-2.0
//! Verified packages.

use std::io::{self, Cursor, Read, Seek, SeekFrom};

use pgp::packet::Signature;
use sha2::{Digest, Sha256, Sha384, Sha512};

use super::error::VerifyError;
use super::keyring::{Keyring, SignerInfo, read_signatures};
use super::report::{Demand, Finding, Ignored, report};
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
        let (checks, is_good) = report(&Keyring::new(), bytes, Ignored::SIGNATURES, any)?;
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
        Unread::accept_unsigned(reader)?.read(reader)
    }
}

/// A package whose header was verified and whose payload was not read: enough to plan with, not to install.
#[derive(Debug)]
pub struct Unread {
    package: Package,
    signer: Option<SignerInfo>,
    payload: PayloadCheck,
}

impl Unread {
    /// Reads a package, whoever made it, up to its payload; its header has a digest, and that is right. The first byte of the reader is the
    /// package's.
    pub fn accept_unsigned(reader: &mut (impl Read + Seek)) -> Result<Self, VerifyError> {
        reader.seek(SeekFrom::Start(0)).map_err(Error::Io)?;
        let (package, has_digest) = Package::parse_with_digest(reader)?;
        if !has_digest {
            return Err(Error::NoDigest { section: Section::Header }.into());
        }
        let payload = PayloadCheck::new(&package, true);
        Ok(Self { package, signer: None, payload })
    }

    /// Verifies the payload too.
    pub fn read(self, reader: &mut (impl Read + Seek)) -> Result<Verified<Package>, VerifyError> {
        self.payload.run(reader)?;
        Ok(Verified { value: self.package, signer: self.signer })
    }

    /// Returns the package, and what its payload must still pass.
    pub fn into_parts(self) -> (Package, PayloadCheck) {
        (self.package, self.payload)
    }
}

/// What the payload of a package must be.
#[derive(Clone, Debug)]
pub struct PayloadCheck {
    start: u64,
    /// Bytes of the payload that the signature header claims.
    claimed: Option<u64>,
    /// The digest in lower case, and its algorithm (OpenPGP's number).
    expected: Option<(String, u32)>,
    /// Without a digest nothing else vouches for the payload.
    needs_digest: bool,
}

impl PayloadCheck {
    fn new(package: &Package, needs_digest: bool) -> Self {
        let algorithm = package.header.u32(tag::PAYLOADDIGESTALGO).unwrap_or(8);
        let expected = package.header.strings(tag::PAYLOADDIGEST).first().copied();
        let expected = expected.filter(|_| matches!(algorithm, 8..=10));
        let length = package.header.file_length();
        Self {
            start: package.header_end,
            claimed: package.claimed_length().map(|claimed| claimed.saturating_sub(length)),
            expected: expected.map(|digest| (digest.to_ascii_lowercase(), algorithm)),
            needs_digest,
        }
    }

    /// Reads the payload and compares it; the first byte of the reader is the package's.
    pub fn run(&self, reader: &mut (impl Read + Seek)) -> Result<(), VerifyError> {
        reader.seek(SeekFrom::Start(self.start)).map_err(Error::Io)?;
        let (found, length) = match &self.expected {
            Some((_, 9)) => digest_of::<Sha384>(reader),
            Some((_, 10)) => digest_of::<Sha512>(reader),
            _ => digest_of::<Sha256>(reader),
        }
        .map_err(Error::Io)?;
        let section = Section::Payload;
        let is_short = self.claimed.is_some_and(|need| need > length);
        let error = match (&self.expected, self.claimed) {
            (Some((expected, _)), _) if *expected == found => return Ok(()),
            (_, Some(need)) if is_short => {
                Error::Truncated { section, offset: self.start, need, have: length }
            }
            (None, _) if self.needs_digest => Error::NoDigest { section },
            (None, _) => return Ok(()),
            (_, Some(claimed)) if claimed < length => Error::Trailing { bytes: length - claimed },
            (Some((expected, _)), _) => {
                Error::Digest { section, expected: expected.clone(), found }
            }
        };
        Err(error.into())
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
        self.verify_header_from(reader)?.read(reader)
    }

    /// As [`Keyring::verify_package_from`], but the payload of a package with a signed header is left unread.
    pub fn verify_header_from(
        &self,
        reader: &mut (impl Read + Seek),
    ) -> Result<Unread, VerifyError> {
        reader.seek(SeekFrom::Start(0)).map_err(Error::Io)?;
        let (package, _) = Package::parse_with_digest(reader)?;
        let header_signatures = header_signatures(&package.signature_header)?;
        let is_whole = header_signatures.is_empty();
        let signer = if is_whole {
            let signatures = legacy_signatures(&package.signature_header)?;
            self.verify_any(&signatures, reader, package.header_start)?
        } else {
            let signed = [MAGIC.as_slice(), package.header.source_bytes()].concat();
            self.verify_any(&header_signatures, &mut Cursor::new(signed), 0)?
        };
        let payload = PayloadCheck::new(&package, !is_whole);
        Ok(Unread { package, signer: Some(signer), payload })
    }
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
