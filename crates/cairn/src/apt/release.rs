// SPDX-License-Identifier: MIT OR Apache-2.0
//! Authenticates a suite: `InRelease` → signed list of index files → `Packages`.

use cairn_host::fetch::Fetcher;
use cairn_rpm::signature::Keyring;

use super::AptError;
use super::packages::paragraphs;

/// The largest `InRelease` accepted, in bytes (Debian's is about 200 kB).
const INRELEASE_LIMIT: u64 = 8 << 20;
/// The largest compressed index accepted, in bytes.
const INDEX_LIMIT: u64 = 256 << 20;
/// The largest index accepted after decompression, in bytes.
const INDEX_OPEN_LIMIT: u64 = 1 << 30;

/// The authenticated facts of one suite.
#[derive(Debug, Clone)]
pub struct Release {
    /// Suite as asked for, `trixie-security`.
    pub suite: String,
    /// `Date`, seconds since 1970.
    pub date: i64,
    /// `Valid-Until`, seconds since 1970 and as written.
    pub valid_until: Option<(i64, String)>,
    files: Vec<(String, u64, String)>,
}

/// Parses Release content that has already been authenticated.
pub fn parse_release(suite: &str, content: &str) -> Result<Release, AptError> {
    let malformed = |what: String| AptError::Malformed { file: format!("{suite} Release"), what };
    let paragraph = paragraphs(content).next().ok_or_else(|| malformed("file is empty".into()))?;
    let date = paragraph.get("Date").ok_or_else(|| malformed("no Date field".into()))?;
    let seconds = |text: &str| {
        jiff::fmt::rfc2822::parse(&text.replace("UTC", "+0000"))
            .map(|zoned| zoned.timestamp().as_second())
            .map_err(|error| malformed(format!("date `{text}`: {error}")))
    };
    let valid_until = paragraph
        .get("Valid-Until")
        .map(|text| Ok::<_, AptError>((seconds(text)?, text.to_owned())))
        .transpose()?;
    let mut files = Vec::new();
    for line in
        paragraph.get("SHA256").unwrap_or_default().lines().filter(|line| !line.trim().is_empty())
    {
        let mut words = line.split_whitespace();
        let (Some(digest), Some(size), Some(name)) = (words.next(), words.next(), words.next())
        else {
            return Err(malformed(format!("SHA256 line `{line}` is not `digest size name`")));
        };
        let size = size.parse().map_err(|_| malformed(format!("size `{size}` of {name}")))?;
        files.push((name.to_owned(), size, digest.to_owned()));
    }
    Ok(Release { suite: suite.to_owned(), date: seconds(date)?, valid_until, files })
}

impl Release {
    /// Fetches and authenticates `dists/SUITE/InRelease` below `archive`.
    pub fn fetch(
        fetcher: &Fetcher,
        archive: &str,
        suite: &str,
        keyring: &Keyring,
    ) -> Result<Self, AptError> {
        let bytes = fetcher.get(&format!("{archive}/dists/{suite}/InRelease"), INRELEASE_LIMIT)?;
        let bad = |reason: String| AptError::BadSignature { suite: suite.to_owned(), reason };
        let text = String::from_utf8(bytes).map_err(|_| bad("the file is not text".into()))?;
        let (content, _signer) =
            keyring.verify_cleartext(&text).map_err(|error| bad(error.to_string()))?;
        parse_release(suite, &content)
    }

    /// Refuses a Release whose `Valid-Until` lies before `now` (seconds since 1970).
    pub fn check_valid(&self, now: i64) -> Result<(), AptError> {
        match &self.valid_until {
            Some((until, text)) if *until < now => {
                Err(AptError::Expired { suite: self.suite.clone(), valid_until: text.clone() })
            }
            _ => Ok(()),
        }
    }

    /// Fetches the `Packages` index of a component and architecture and checks it against the signed list.
    pub fn fetch_packages(
        &self,
        fetcher: &Fetcher,
        archive: &str,
        component: &str,
        architecture: &str,
    ) -> Result<String, AptError> {
        self.fetch_index(
            fetcher,
            archive,
            &format!("{component}/binary-{architecture}/Packages.xz"),
        )
    }

    /// Fetches the `Sources` index of a component and checks it against the signed list.
    pub fn fetch_sources(
        &self,
        fetcher: &Fetcher,
        archive: &str,
        component: &str,
    ) -> Result<String, AptError> {
        self.fetch_index(fetcher, archive, &format!("{component}/source/Sources.xz"))
    }

    /// Fetches an index by its digest, or by its `name` where a mirror has no `by-hash`.
    fn fetch_index(
        &self,
        fetcher: &Fetcher,
        archive: &str,
        name: &str,
    ) -> Result<String, AptError> {
        let malformed =
            |what: String| AptError::Malformed { file: format!("{} {name}", self.suite), what };
        let (_, size, digest) = self
            .files
            .iter()
            .find(|(file, ..)| file == name)
            .ok_or_else(|| malformed("not listed in the Release file".into()))?;
        let directory = name.rsplit_once('/').map_or("", |(directory, _)| directory);
        let url = format!("{archive}/dists/{}/{directory}/by-hash/SHA256/{digest}", self.suite);
        let plain = format!("{archive}/dists/{}/{name}", self.suite);
        let bytes = fetcher.get(&url, INDEX_LIMIT).or_else(|_| fetcher.get(&plain, INDEX_LIMIT))?;
        let found = crate::digest::sha256_hex(&bytes);
        if bytes.len() as u64 != *size || found != *digest {
            return Err(malformed(format!(
                "index differs from the signed list (expected sha256 {digest}, found {found})"
            )));
        }
        let mut text = String::new();
        let reader = liblzma::read::XzDecoder::new(bytes.as_slice());
        std::io::Read::read_to_string(
            &mut std::io::Read::take(reader, INDEX_OPEN_LIMIT),
            &mut text,
        )
        .map_err(|error| malformed(format!("cannot be decompressed: {error}")))?;
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_dates_and_the_file_list() {
        let release = parse_release(
            "trixie-security",
            "Origin: Debian\nDate: Sat, 21 Nov 2026 10:00:00 UTC\nValid-Until: Sat, 28 Nov 2026 10:00:00 UTC\nSHA256:\n 00ff 12 main/binary-amd64/Packages.xz\n 11ff 13 x\n",
        )
        .unwrap();
        assert_eq!(release.date, 1_795_255_200);
        assert_eq!(release.files.len(), 2);
        release.check_valid(release.date).unwrap();
        let error = release.check_valid(release.date + 8 * 86_400).unwrap_err();
        assert_eq!(
            error.to_string(),
            "trixie-security: Release expired on Sat, 28 Nov 2026 10:00:00 UTC: the mirror is stale or withholds updates"
        );
    }
}
