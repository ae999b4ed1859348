// SPDX-License-Identifier: MIT OR Apache-2.0
//! Package files: lead, signature header, header, payload.
//!
//! [`Package::parse`] reads the first three, strictly and with bounded memory; the payload is read
//! by [`Package::payload`]. Neither checks digests or signatures: installing takes a
//! [`crate::signature::Verified`] package.

use std::io::{self, Read};

use sha2::Digest;

use crate::error::{Error, Section, escape};
use crate::header::{self, FileEntry, Header, Value, Values};
use crate::payload::PayloadReader;
use crate::tag;

/// Bytes of the lead.
pub const LEAD_LENGTH: u64 = 96;
/// The first four bytes of a package file.
pub const LEAD_MAGIC: [u8; 4] = [0xed, 0xab, 0xee, 0xdb];

/// Tags of the database that a package file has in its signature header, with their numbers there.
pub const SIGNATURE_TAGS: [(u32, u32); 17] = [
    (tag::SIGSIZE, tag::signature::SIZE),
    (tag::SIGPGP, tag::signature::PGP),
    (tag::SIGMD5, tag::signature::MD5),
    (tag::SIGGPG, tag::signature::GPG),
    (tag::DSAHEADER, tag::DSAHEADER),
    (tag::RSAHEADER, tag::RSAHEADER),
    (tag::SHA1HEADER, tag::SHA1HEADER),
    (tag::LONGSIGSIZE, tag::LONGSIGSIZE),
    (tag::LONGARCHIVESIZE, tag::LONGARCHIVESIZE),
    (tag::SHA256HEADER, tag::SHA256HEADER),
    (tag::FILESIGNATURES, tag::signature::FILESIGNATURES),
    (tag::FILESIGNATURELENGTH, tag::signature::FILESIGNATURELENGTH),
    (tag::VERITYSIGNATURES, tag::VERITYSIGNATURES),
    (tag::VERITYSIGNATUREALGO, tag::VERITYSIGNATUREALGO),
    (tag::OPENPGP, tag::OPENPGP),
    (tag::SHA3_256HEADER, tag::SHA3_256HEADER),
    (tag::ARCHIVESIZE, tag::signature::PAYLOADSIZE),
];
/// In packages of format 6 these numbers of the signature header mean nothing.
const FIRST_LEGACY: u32 = 1000;

/// Says whether a value of the signature header has the type that the database's tag demands.
fn is_of_its_type(tag: u32, value: &Value) -> bool {
    match value {
        Value::Int32(numbers) => {
            let known = [
                tag::SIGSIZE,
                tag::ARCHIVESIZE,
                tag::FILESIGNATURELENGTH,
                tag::VERITYSIGNATUREALGO,
            ];
            known.contains(&tag) && numbers.len() == 1
        }
        Value::Int64(numbers) => {
            [tag::LONGSIGSIZE, tag::LONGARCHIVESIZE].contains(&tag) && numbers.len() == 1
        }
        Value::String(_) => {
            [tag::SHA1HEADER, tag::SHA256HEADER, tag::SHA3_256HEADER].contains(&tag)
        }
        Value::Binary(_) => {
            [tag::SIGPGP, tag::SIGMD5, tag::SIGGPG, tag::DSAHEADER, tag::RSAHEADER].contains(&tag)
        }
        Value::StringArray(_) => {
            [tag::FILESIGNATURES, tag::VERITYSIGNATURES, tag::OPENPGP].contains(&tag)
        }
        Value::Char(_) | Value::Int8(_) | Value::Int16(_) | Value::I18nString(_) => false,
    }
}

/// A package file without its payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Package {
    /// The signature header. Nothing in it is trustworthy but a signature that was verified.
    pub signature_header: Header,
    /// The main header.
    pub header: Header,
    /// Offset of the main header (its magic) in the file.
    pub header_start: u64,
    /// Offset of the first byte after the main header, where the payload starts.
    pub header_end: u64,
}

impl Package {
    /// Reads a package up to its payload, which is left unread in `reader`.
    ///
    /// Allocates no more than the file really has, whatever its lengths claim.
    pub fn parse(reader: &mut impl Read) -> Result<Self, Error> {
        let (signature_header, bytes, header_start) = read_headers(reader)?;
        Ok(Self::assemble(signature_header, Header::main(bytes)?, header_start))
    }

    /// As [`Package::parse`], comparing the header's digests before looking into it; also returns
    /// whether there was a SHA-256 digest to compare.
    pub fn parse_with_digest(reader: &mut impl Read) -> Result<(Self, bool), Error> {
        let (signature_header, bytes, header_start) = read_headers(reader)?;
        let has_digest = check_header_digests(&signature_header, &bytes)?;
        let package = Self::assemble(signature_header, Header::main(bytes)?, header_start);
        Ok((package, has_digest))
    }

    fn assemble(signature_header: Header, header: Header, header_start: u64) -> Self {
        let header_end = header_start + header.file_length();
        Self { signature_header, header, header_start, header_end }
    }

    /// Returns a reader of the payload's files; `reader` must be at [`Package::header_end`], where
    /// [`Package::parse`] leaves it.
    pub fn payload<R: Read>(&self, reader: R) -> Result<PayloadReader<R>, Error> {
        PayloadReader::new(&self.header, reader)
    }

    /// Returns the files of the header, with the IMA signatures that stand in the signature header.
    pub fn files(&self) -> Vec<FileEntry> {
        let mut files = self.header.files();
        let signatures = self.signature_header.strings(tag::signature::FILESIGNATURES);
        for (file, signature) in files.iter_mut().zip(signatures) {
            signature.clone_into(&mut file.ima_signature);
        }
        files
    }

    /// Returns what rpm copies from the signature header into the database, under the numbers the
    /// database uses: sizes, digests and signatures.
    ///
    /// Call it only for verified packages; add the install-time tags and hand it to
    /// [`Header::to_rpmdb_blob`].
    pub fn database_tags(&self) -> Values {
        let is_v6 = self.header.u32(tag::RPMFORMAT).is_some_and(|format| format >= 6);
        let tags = SIGNATURE_TAGS.iter().filter(|(_, from)| !is_v6 || *from < FIRST_LEGACY);
        let value = |(to, from): &(u32, u32)| {
            let value = self.signature_header.value(*from)?;
            is_of_its_type(*to, &value).then_some((*to, value))
        };
        tags.filter_map(value).filter(|(to, _)| !self.header.has(*to)).collect()
    }

    /// Returns the bytes of header and payload that the (unsigned) signature header claims.
    ///
    /// For telling "truncated" from "altered" in messages, nothing else.
    pub(crate) fn claimed_length(&self) -> Option<u64> {
        let short = self.signature_header.u32(tag::signature::SIZE).map(u64::from);
        short.or_else(|| self.signature_header.u64(tag::LONGSIGSIZE))
    }
}

/// Returns the lead of a binary package: fixed but for the name, which nothing reads.
pub(crate) fn lead(name: &str) -> Vec<u8> {
    let mut lead = Vec::with_capacity(LEAD_LENGTH as usize);
    lead.extend(LEAD_MAGIC);
    // Format 3.0 (also for version 4 packages), binary, architecture number.
    lead.extend([3, 0, 0, 0, 0, 1]);
    lead.extend(name.bytes().take(65));
    lead.resize(76, 0);
    // Linux, signature in a header.
    lead.extend([0, 1, 0, 5]);
    lead.resize(LEAD_LENGTH as usize, 0);
    lead
}

/// Returns the signature header as it is stored in a file: magic, bytes, padding.
pub(crate) fn signature_header_bytes(values: &Values) -> Vec<u8> {
    let mut bytes = header::MAGIC.to_vec();
    bytes.extend(header::write_region(tag::HEADERSIGNATURES, values));
    bytes.resize(bytes.len().next_multiple_of(8), 0);
    bytes
}

/// Returns the value of a size tag: a 32-bit tag where the size fits, else the 64-bit one.
pub(crate) fn size_value(size: u64, short: u32, long: u32) -> (u32, Value) {
    match u32::try_from(size) {
        Ok(size) => (short, Value::number(size)),
        Err(_) => (long, Value::Int64(vec![size])),
    }
}

/// Reads lead and both headers; the main one is returned as bytes without magic, with its offset.
fn read_headers(reader: &mut impl Read) -> Result<(Header, Vec<u8>, u64), Error> {
    read_lead(reader)?;
    let signature = read_header(reader, Section::Signature, LEAD_LENGTH)?;
    let signature_header = Header::signature(signature)?;
    let length = signature_header.file_length();
    let padding = length.next_multiple_of(8) - length;
    let header_start = LEAD_LENGTH + length + padding;
    read_padding(reader, padding, header_start)?;
    let bytes = read_header(reader, Section::Header, header_start)?;
    Ok((signature_header, bytes, header_start))
}

/// Compares the digests of the main header; says whether a SHA-256 was among them.
fn check_header_digests(signature_header: &Header, bytes: &[u8]) -> Result<bool, Error> {
    let compare = |tag: u32, found: &dyn Fn() -> String| {
        let Some(expected) = signature_header.string(tag) else { return Ok(false) };
        let (expected, found) = (expected.to_ascii_lowercase(), found());
        if expected == found {
            return Ok(true);
        }
        let expected = shown(&expected);
        Err(Error::Digest { section: Section::Header, expected, found })
    };
    let has_sha256 = compare(tag::SHA256HEADER, &|| header_digest::<sha2::Sha256>(bytes))?;
    compare(tag::SHA1HEADER, &|| header_digest::<sha1::Sha1>(bytes))?;
    Ok(has_sha256)
}

fn header_digest<D: Digest>(bytes: &[u8]) -> String {
    hex::encode(D::new().chain_update(header::MAGIC).chain_update(bytes).finalize())
}

fn read_lead(reader: &mut impl Read) -> Result<(), Error> {
    let lead = read_up_to(reader, LEAD_LENGTH)?;
    if lead.is_empty() {
        return Err(Error::Empty);
    }
    if !lead.starts_with(&LEAD_MAGIC) {
        if looks_like_html(&lead) {
            return Err(Error::Html);
        }
        return Err(Error::LeadMagic { found: hex::encode(&lead[..lead.len().min(4)]) });
    }
    let have = lead.len() as u64;
    if have < LEAD_LENGTH {
        let section = Section::Lead;
        return Err(Error::Truncated { section, offset: 0, need: LEAD_LENGTH, have });
    }
    if !matches!(lead[4], 3 | 4) {
        return Err(Error::Format { major: lead[4] });
    }
    let kind = u16::from_be_bytes([lead[78], lead[79]]);
    if kind != 5 {
        return Err(Error::SignatureType { kind });
    }
    Ok(())
}

fn looks_like_html(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes).to_ascii_lowercase();
    let text = text.trim_start_matches('\u{feff}').trim_start();
    ["<!doctype", "<html", "<head", "<?xml", "<body"].iter().any(|start| text.starts_with(start))
}

/// Reads magic, index and data of one header; returns them without the magic.
fn read_header(reader: &mut impl Read, section: Section, offset: u64) -> Result<Vec<u8>, Error> {
    let intro = read_up_to(reader, 16)?;
    let have = intro.len() as u64;
    let Some(&intro) = intro.first_chunk::<16>() else {
        return Err(Error::Truncated { section, offset, need: 16, have });
    };
    if intro[..8] != header::MAGIC {
        return Err(Error::HeaderMagic { section, offset, found: hex::encode(&intro[..4]) });
    }
    let mut lengths = [0; 8];
    lengths.copy_from_slice(&intro[8..]);
    let (count, data) = header::read_lengths(lengths, section)?;
    let length = u64::from(count) * 16 + u64::from(data);
    let mut bytes = lengths.to_vec();
    reader.by_ref().take(length).read_to_end(&mut bytes)?;
    let have = bytes.len() as u64 - 8;
    if have < length {
        let (need, have) = (length + 16, have + 16);
        return Err(Error::Truncated { section, offset, need, have });
    }
    Ok(bytes)
}

fn read_padding(reader: &mut impl Read, padding: u64, header_start: u64) -> Result<(), Error> {
    let bytes = read_up_to(reader, padding)?;
    let have = bytes.len() as u64;
    if have < padding {
        let (section, offset) = (Section::Signature, header_start - padding);
        return Err(Error::Truncated { section, offset, need: padding, have });
    }
    Ok(())
}

/// Reads `limit` bytes, fewer only at the end of the file.
pub(crate) fn read_up_to(reader: &mut impl Read, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reader.by_ref().take(limit).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Returns a text from a package for use in a message.
pub(crate) fn shown(text: &str) -> String {
    escape(text.as_bytes())
}
