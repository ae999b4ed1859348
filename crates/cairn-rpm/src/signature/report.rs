// SPDX-License-Identifier: MIT OR Apache-2.0
//! Every digest and signature of a package file, one by one, as `rpm -K` reports them.
//!
//! This is a report for people. Whether a package may be installed is decided by [`Keyring::verify_package`].

use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};

use super::error::VerifyError;
use super::keyring::Keyring;
use super::verify::armored;
use crate::error::Error;
use crate::package::Package;
use crate::tag;

/// Digests or signatures, or both: what counts, and what must be there.
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
/// What is not `used` counts as missing. Returns what is wrong, what is right, and what is missing although `demand` needs it for
/// a part of the package that nothing else covers; and whether all of it is right.
///
/// # Errors
/// The file is no package.
pub fn report(
    keyring: &Keyring,
    bytes: &[u8],
    used: Demand,
    demand: Demand,
) -> Result<(Vec<Check>, bool), Error> {
    let package = Package::parse(&mut &bytes[..]).or_else(|_| {
        // Where the header was altered, that is the reason.
        Package::parse_with_digest(&mut &bytes[..]).map(|(package, _)| package)
    })?;
    let mut checks = signatures(keyring, &package, bytes, used.signatures, true);
    checks.extend(digests(&package, bytes, used.digests));
    checks.extend(signatures(keyring, &package, bytes, used.signatures, false));
    checks.push(whole_digest(&package, bytes, used.digests));
    Ok(judge(checks, demand))
}

/// Checks the signatures of a package's header; `head` is the file up to the header's end.
pub fn report_of_header(keyring: &Keyring, package: &Package, head: &[u8]) -> Vec<Check> {
    let mut checks = signatures(keyring, package, head, true, true);
    checks.retain(|check| check.signature.is_some());
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
    package: &Package,
    bytes: &[u8],
    used: bool,
    of_header: bool,
) -> Vec<Check> {
    let (start, end) = (package.header_start as usize, package.header_end as usize);
    let (names, tags, area, prefix, end): (_, _, _, _, usize) = if of_header {
        let names = ["Header RSA signature", "Header DSA signature"];
        (names, [tag::RSAHEADER, tag::DSAHEADER], HEADER, "Header ", end)
    } else {
        let tags = [tag::signature::PGP, tag::signature::GPG];
        (["RSA signature", "DSA signature"], tags, HEADER | PAYLOAD, "", bytes.len())
    };
    let signed = bytes.get(start..end).unwrap_or_default();
    let mut found: Vec<(&'static str, Option<Vec<u8>>)> = Vec::new();
    for (name, tag) in names.into_iter().zip(tags) {
        found.push((name, package.signature_header.binary(tag).map(<[u8]>::to_vec)));
    }
    if of_header {
        let texts = package.signature_header.strings(tag::OPENPGP);
        let blocks = texts.into_iter().map(armored);
        // rpm 6 writes a signature twice, for older ones too.
        if found.iter().all(|(_, signature)| signature.is_none()) {
            found.extend(blocks.map(|block| (prefix, Some(block.into_bytes()))));
        }
    }
    let check = |(name, signature): (&'static str, Option<Vec<u8>>)| {
        let finding = match &signature {
            Some(signature) if used => match keyring.verify_detached(signed, signature) {
                Ok(_) => Finding::Good,
                Err(error) => Finding::Refused(error),
            },
            _ => Finding::Missing,
        };
        let signature = signature.filter(|_| used);
        let name = if signature.is_some() { prefix } else { name };
        let (is_inside, is_alternative) = (false, false);
        Check { name, signature, finding, is_signature: true, area, is_inside, is_alternative }
    };
    found.into_iter().map(check).collect()
}

/// Digests of header and payload on their own.
fn digests(package: &Package, bytes: &[u8], used: bool) -> Vec<Check> {
    let (start, end) = (package.header_start as usize, package.header_end as usize);
    let header = bytes.get(start..end).unwrap_or_default();
    let payload = bytes.get(end..).unwrap_or_default();
    let signature = |tag| package.signature_header.string(tag).map(str::to_owned);
    let inside = |tag| package.header.strings(tag).first().map(|text| (*text).to_owned());
    let sha512 = package.header.u32(tag::PAYLOADDIGESTALGO) == Some(10);
    let of_payload: fn(&[u8]) -> String = if sha512 { hex_of::<Sha512> } else { hex_of::<Sha256> };
    let names = if sha512 {
        ["Payload SHA512 digest", "Payload SHA512 ALT digest"]
    } else {
        ["Payload SHA256 digest", "Payload SHA256 ALT digest"]
    };
    let mut checks = vec![
        digest("Header SHA256 digest", HEADER, used, signature(tag::SHA256HEADER), || {
            hex_of::<Sha256>(header)
        }),
        digest("Header SHA1 digest", HEADER, used, signature(tag::SHA1HEADER), || {
            hex_of::<Sha1>(header)
        }),
    ];
    for (name, tag) in names.into_iter().zip([tag::PAYLOADDIGEST, tag::PAYLOADDIGESTALT]) {
        let check = digest(name, PAYLOAD, used, inside(tag), || of_payload(payload));
        checks.push(Check { is_inside: true, is_alternative: true, ..check });
    }
    checks
}

/// rpm's old digest of header and payload together.
fn whole_digest(package: &Package, bytes: &[u8], used: bool) -> Check {
    let expected = package.signature_header.binary(tag::signature::MD5).map(hex::encode);
    let signed = bytes.get(package.header_start as usize..).unwrap_or_default();
    digest("MD5 digest", HEADER | PAYLOAD, used, expected, || hex_of::<Md5>(signed))
}

fn digest(
    name: &'static str,
    area: u8,
    used: bool,
    expected: Option<String>,
    compute: impl FnOnce() -> String,
) -> Check {
    let finding = match expected.filter(|_| used) {
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
