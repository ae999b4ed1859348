// SPDX-License-Identifier: MIT OR Apache-2.0
//! Every digest and signature of a package file, one by one, as `rpm -K` reports them.
//!
//! This is a report for people. Whether a package may be installed is decided by [`Keyring::verify_package`].

use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};
use sha3::Sha3_256;

use super::error::VerifyError;
use super::keyring::Keyring;
use super::verify::armored;
use crate::error::Error;
use crate::header::{Header, MAGIC};
use crate::package::Package;
use crate::tag;

/// Digests and signatures that are not looked at, as if they were not there: rpm's `RPMVSF_NO…` bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ignored(pub u32);

impl Ignored {
    /// None.
    pub const NONE: Self = Self(0);
    /// All digests (`--nodigest`).
    pub const DIGESTS: Self = Self(0x3_0300);
    /// All signatures (`--nosignature`).
    pub const SIGNATURES: Self = Self(0xc_0c00);

    const HEADER_SHA1: u32 = 1 << 8;
    const HEADER_SHA256: u32 = 1 << 9;
    const HEADER_DSA: u32 = 1 << 10;
    const HEADER_RSA: u32 = 1 << 11;
    const PAYLOAD: u32 = 1 << 16;
    const MD5: u32 = 1 << 17;
    const DSA: u32 = 1 << 18;
    const RSA: u32 = 1 << 19;

    /// Returns both together.
    pub fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    fn uses(self, bit: u32) -> bool {
        self.0 & bit == 0
    }
}

/// Digests or signatures, or both: what must be there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Demand {
    /// Digests.
    pub digests: bool,
    /// Signatures.
    pub signatures: bool,
}

/// What became of one digest or signature.
#[derive(Debug)]
pub enum Finding {
    /// It is right.
    Good,
    /// It is not there.
    Missing,
    /// It is another one: expected, found.
    WrongDigest(String, String),
    /// The signature does not count.
    Refused(VerifyError),
}

/// One digest or signature.
#[derive(Debug)]
pub struct Check {
    /// As rpm calls it: `Header SHA256 digest`; of a signature that is there only the part of the package (`Header `).
    pub name: &'static str,
    /// The signature's bytes, where it is one that is there.
    pub signature: Option<Vec<u8>>,
    /// What became of it.
    pub finding: Finding,
    is_signature: bool,
    area: u8,
    /// A digest inside the header: as strong as the header's signature.
    is_inside: bool,
    /// One of several forms of the same digest, of which one must fit.
    is_alternative: bool,
}

const HEADER: u8 = 1;
const PAYLOAD: u8 = 2;

impl Check {
    /// Tells whether it is a signature, not a digest.
    pub fn is_signature(&self) -> bool {
        self.is_signature
    }

    fn is_good(&self) -> bool {
        matches!(self.finding, Finding::Good)
    }
}

/// Checks all digests and signatures of a package file.
///
/// What is `ignored` counts as missing. Returns what is wrong, what is right, and what is missing although `demand` needs it for
/// a part of the package that nothing else covers; and whether all of it is right.
///
/// # Errors
/// The file is no package.
pub fn report(
    keyring: &Keyring,
    bytes: &[u8],
    ignored: Ignored,
    demand: Demand,
) -> Result<(Vec<Check>, bool), Error> {
    let package = Package::parse(&mut &bytes[..]).or_else(|_| {
        // Where the header was altered, that is the reason.
        Package::parse_with_digest(&mut &bytes[..]).map(|(package, _)| package)
    })?;
    let (start, end) = (package.header_start as usize, package.header_end as usize);
    let whole = bytes.get(start..).unwrap_or_default();
    let header = bytes.get(start..end).unwrap_or_default();
    let mut checks = signatures(keyring, &package.signature_header, header, ignored, HEADER);
    checks.extend(header_digests(&package.signature_header, header, ignored));
    checks.extend(payload_digests(&package, bytes.get(end..).unwrap_or_default(), ignored));
    checks.extend(signatures(keyring, &package.signature_header, whole, ignored, HEADER | PAYLOAD));
    checks.push(whole_digest(&package, whole, ignored));
    Ok(judge(checks, demand))
}

/// Checks the digests and signatures of a package's header alone; those that are there.
pub fn report_of_header(
    keyring: &Keyring,
    signature_header: &Header,
    header: &Header,
    ignored: Ignored,
) -> Vec<Check> {
    let bytes = [&MAGIC[..], header.source_bytes()].concat();
    let mut checks = signatures(keyring, signature_header, &bytes, ignored, HEADER);
    checks.extend(header_digests(signature_header, &bytes, ignored));
    checks.retain(|check| !matches!(check.finding, Finding::Missing));
    checks
}

/// Sorts out what is shown, and says whether all of it is good.
fn judge(mut checks: Vec<Check>, demand: Demand) -> (Vec<Check>, bool) {
    let covered = |checks: &[Check], is_it: &dyn Fn(&Check) -> bool| {
        checks.iter().filter(|check| check.is_good() && is_it(check)).fold(0, |a, c| a | c.area)
    };
    let digested = covered(&checks, &|check| !check.is_signature);
    let header_signed = covered(&checks, &|check| check.is_signature) & HEADER != 0;
    let signed = covered(&checks, &|check| check.is_signature || check.is_inside && header_signed);
    // Where a signature is good, all of the package must be signed.
    let needs_signatures = demand.signatures || signed != 0;
    let fits_otherwise = checks.iter().any(|check| check.is_alternative && check.is_good());
    for check in &mut checks {
        if check.is_alternative && fits_otherwise && !check.is_good() {
            check.finding = Finding::Missing;
        }
    }
    let is_needed = |check: &Check| {
        let by_digests = demand.digests && !check.is_signature && check.area & !digested != 0;
        let is_signature = check.is_signature || check.is_inside && header_signed;
        by_digests || needs_signatures && is_signature && check.area & !signed != 0
    };
    checks.retain(|check| !matches!(check.finding, Finding::Missing) || is_needed(check));
    let is_good = checks.iter().all(Check::is_good);
    (checks, is_good)
}

fn signatures(
    keyring: &Keyring,
    signature_header: &Header,
    signed: &[u8],
    ignored: Ignored,
    area: u8,
) -> Vec<Check> {
    let of_header = area == HEADER;
    let (prefix, kinds) = if of_header {
        let rsa = ("Header RSA signature", tag::RSAHEADER, Ignored::HEADER_RSA);
        ("Header ", [rsa, ("Header DSA signature", tag::DSAHEADER, Ignored::HEADER_DSA)])
    } else {
        let rsa = ("RSA signature", tag::signature::PGP, Ignored::RSA);
        ("", [rsa, ("DSA signature", tag::signature::GPG, Ignored::DSA)])
    };
    let mut found: Vec<(&'static str, Option<Vec<u8>>)> = Vec::new();
    for (name, tag, bit) in kinds {
        let signature = signature_header.binary(tag).filter(|_| ignored.uses(bit));
        found.push((name, signature.map(<[u8]>::to_vec)));
    }
    let is_any_used = ignored.0 & Ignored::SIGNATURES.0 != Ignored::SIGNATURES.0;
    // rpm 6 writes a signature twice, for older ones too.
    if of_header && is_any_used && found.iter().all(|(_, signature)| signature.is_none()) {
        let blocks = signature_header.strings(tag::OPENPGP).into_iter().map(armored);
        found.extend(blocks.map(|block| (prefix, Some(block.into_bytes()))));
    }
    let check = |(name, signature): (&'static str, Option<Vec<u8>>)| {
        let finding = match &signature {
            Some(signature) => match keyring.verify_detached(signed, signature) {
                Ok(_) => Finding::Good,
                Err(error) => Finding::Refused(error),
            },
            None => Finding::Missing,
        };
        let name = if signature.is_some() { prefix } else { name };
        let (is_inside, is_alternative) = (false, false);
        Check { name, signature, finding, is_signature: true, area, is_inside, is_alternative }
    };
    found.into_iter().map(check).collect()
}

/// Digests of the header, whose bytes (with magic) are `header`.
fn header_digests(signature_header: &Header, header: &[u8], ignored: Ignored) -> Vec<Check> {
    let expected =
        |tag, bit| signature_header.string(tag).filter(|_| ignored.uses(bit)).map(str::to_owned);
    let sha256 = expected(tag::SHA256HEADER, Ignored::HEADER_SHA256);
    let sha1 = expected(tag::SHA1HEADER, Ignored::HEADER_SHA1);
    let sha3 = expected(tag::SHA3_256HEADER, Ignored::HEADER_SHA256);
    // That of rpm 6 only where it is there.
    let sha3 = sha3.map(|sha3| {
        digest("Header SHA3-256 digest", HEADER, Some(sha3), || hex_of::<Sha3_256>(header))
    });
    let usual = [
        digest("Header SHA256 digest", HEADER, sha256, || hex_of::<Sha256>(header)),
        digest("Header SHA1 digest", HEADER, sha1, || hex_of::<Sha1>(header)),
    ];
    sha3.into_iter().chain(usual).collect()
}

/// Digests of the payload that the header has.
fn payload_digests(package: &Package, payload: &[u8], ignored: Ignored) -> Vec<Check> {
    let expected = |tag| {
        let texts = package.header.strings(tag).into_iter();
        texts.map(str::to_owned).next().filter(|_| ignored.uses(Ignored::PAYLOAD))
    };
    let sha512 = package.header.u32(tag::PAYLOADDIGESTALGO) == Some(10);
    let of_payload: fn(&[u8]) -> String = if sha512 { hex_of::<Sha512> } else { hex_of::<Sha256> };
    let names = if sha512 {
        ["Payload SHA512 digest", "Payload SHA512 ALT digest"]
    } else {
        ["Payload SHA256 digest", "Payload SHA256 ALT digest"]
    };
    let check = |(name, tag): (&'static str, u32)| {
        let check = digest(name, PAYLOAD, expected(tag), || of_payload(payload));
        Check { is_inside: true, is_alternative: true, ..check }
    };
    // Those of rpm 6, beside the usual one.
    let sha3 = expected(tag::PAYLOADSHA3_256);
    let sha3 = digest("Payload SHA3-256 digest", PAYLOAD, sha3, || hex_of::<Sha3_256>(payload));
    let sha512 = expected(tag::PAYLOADSHA512);
    let sha512 = digest("Payload SHA512 digest", PAYLOAD, sha512, || hex_of::<Sha512>(payload));
    let new = [sha3, sha512].into_iter().filter(|check| !matches!(check.finding, Finding::Missing));
    let usual = names.into_iter().zip([tag::PAYLOADDIGEST, tag::PAYLOADDIGESTALT]).map(check);
    new.map(|check| Check { is_inside: true, ..check }).chain(usual).collect()
}

/// rpm's old digest of header and payload together.
fn whole_digest(package: &Package, signed: &[u8], ignored: Ignored) -> Check {
    let expected = package.signature_header.binary(tag::signature::MD5).map(hex::encode);
    let expected = expected.filter(|_| ignored.uses(Ignored::MD5));
    digest("MD5 digest", HEADER | PAYLOAD, expected, || hex_of::<Md5>(signed))
}

fn digest(
    name: &'static str,
    area: u8,
    expected: Option<String>,
    compute: impl FnOnce() -> String,
) -> Check {
    let finding = match expected {
        None => Finding::Missing,
        Some(expected) => {
            let (expected, found) = (expected.to_ascii_lowercase(), compute());
            if expected == found {
                Finding::Good
            } else {
                Finding::WrongDigest(crate::package::shown(&expected), found)
            }
        }
    };
    Check {
        name,
        signature: None,
        finding,
        is_signature: false,
        area,
        is_inside: false,
        is_alternative: false,
    }
}

fn hex_of<D: Digest>(bytes: &[u8]) -> String {
    hex::encode(D::digest(bytes))
}
