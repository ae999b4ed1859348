// SPDX-License-Identifier: MIT OR Apache-2.0
//! One attempt at one URL: the request, the streaming body, its limits, the `.part` file and its verification.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use sha2::{Digest as _, Sha256};

use super::agent::Agents;
use super::error::{FetchError, shown};
use super::{Expected, Limits};

/// What an attempt needs to know.
pub(super) struct Transfer<'a> {
    pub(super) agents: &'a Agents,
    pub(super) limits: &'a Limits,
    pub(super) url: &'a str,
    /// Set when another download failed.
    pub(super) cancel: &'a AtomicBool,
}

/// A body that is about to be read.
struct Source {
    reader: Box<dyn Read>,
    /// Offset of its first byte in the whole file.
    start: u64,
    /// Size of the whole file, if known.
    total: Option<u64>,
}

impl Transfer<'_> {
    pub(super) fn get(&self, limit: u64) -> Result<Vec<u8>, FetchError> {
        let source = self.open(0)?;
        let too_large = || FetchError::TooLarge { url: shown(self.url), limit };
        if source.total.is_some_and(|total| total > limit) {
            return Err(too_large());
        }
        let mut bytes = Vec::new();
        self.pump(source.reader, &mut |chunk| {
            if bytes.len() as u64 + chunk.len() as u64 > limit {
                return Err(too_large());
            }
            bytes.extend_from_slice(chunk);
            Ok(())
        })?;
        match source.total {
            Some(total) if total != bytes.len() as u64 => {
                Err(self.size_error(total, bytes.len() as u64))
            }
            _ => Ok(bytes),
        }
    }

    /// Returns the size of the finished file.
    pub(super) fn download(
        &self,
        dest: &Path,
        expected: &Expected,
        progress: &mut dyn FnMut(u64, Option<u64>),
    ) -> Result<u64, FetchError> {
        let part = part_path(dest);
        let (mut hash, mut received) =
            if expected.sha256.is_some() { resume(&part, expected)? } else { (Sha256::new(), 0) };
        if received == 0 || expected.size != Some(received) {
            let source = self.open(received)?;
            if source.start != received {
                (hash, received) = (Sha256::new(), 0);
            }
            if let (Some(want), Some(total)) = (expected.size, source.total)
                && want != total
            {
                return Err(self.size_error(want, total));
            }
            let total = expected.size.or(source.total);
            let mut file = open_part(&part, received)?;
            progress(received, total);
            self.pump(source.reader, &mut |chunk| {
                received += chunk.len() as u64;
                if let Some(want) = expected.size.filter(|want| received > *want) {
                    return Err(self.size_error(want, received));
                }
                hash.update(chunk);
                file.write_all(chunk).map_err(|cause| FetchError::file("write", &part, cause))?;
                progress(received, total);
                Ok(())
            })
            .or_else(|error| {
                if keeps_part(&error) { Err(error) } else { discard(&part).and(Err(error)) }
            })?;
            if let Some(want) = total.filter(|want| *want != received) {
                return Err(self.size_error(want, received));
            }
        }
        self.finish(dest, expected, &hex::encode(hash.finalize()))?;
        Ok(received)
    }

    /// Compares the digest and gives the file its name.
    fn finish(&self, dest: &Path, expected: &Expected, found: &str) -> Result<(), FetchError> {
        let part = part_path(dest);
        match &expected.sha256 {
            Some(want) if !want.eq_ignore_ascii_case(found) => {
                discard(&part)?;
                Err(FetchError::Digest {
                    url: shown(self.url),
                    expected: want.clone(),
                    found: found.to_owned(),
                    attempts: 1,
                })
            }
            _ => {
                fs::rename(&part, dest).map_err(|cause| FetchError::file("rename to", dest, cause))
            }
        }
    }

    /// Asks for the bytes from `start` on; the result may start at 0 if the server does not do ranges.
    fn open(&self, start: u64) -> Result<Source, FetchError> {
        if let Some(path) = file_path(self.url) {
            let failed = |cause| FetchError::file("read", &path, cause);
            let file = File::open(&path).map_err(failed)?;
            let total = file.metadata().map_err(failed)?.len();
            return Ok(Source { reader: Box::new(file), start: 0, total: Some(total) });
        }
        let mut request = self.agents.get(self.url, self.limits)?;
        if start > 0 {
            request = request.header("range", format!("bytes={start}-"));
        }
        let response = request.call().map_err(|cause| FetchError::network(self.url, cause))?;
        let header =
            |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok());
        let length: Option<u64> = header("content-length").and_then(|text| text.parse().ok());
        let (first, total) = match response.status().as_u16() {
            200 => (0, length),
            206 if start > 0 => match header("content-range").and_then(parse_content_range) {
                Some((first, total)) if first == start => (first, total),
                // A range nobody asked for: begin again without one.
                _ => return self.open(0),
            },
            // The part is longer than the file is now.
            416 if start > 0 => return self.open(0),
            status => return Err(FetchError::Status { url: shown(self.url), status, attempts: 1 }),
        };
        Ok(Source { reader: Box::new(response.into_body().into_reader()), start: first, total })
    }

    /// Reads to the end and watches that it does not take for ever.
    fn pump(
        &self,
        mut reader: impl Read,
        sink: &mut dyn FnMut(&[u8]) -> Result<(), FetchError>,
    ) -> Result<(), FetchError> {
        let mut buffer = vec![0; 64 * 1024];
        let mut window = Instant::now();
        let mut in_window = 0u64;
        loop {
            if self.cancel.load(Ordering::Relaxed) {
                return Err(FetchError::Cancelled { url: shown(self.url) });
            }
            let length = match reader.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(length) => length,
                Err(cause) if cause.kind() == io::ErrorKind::Interrupted => continue,
                Err(cause) => return Err(FetchError::network(self.url, cause.into())),
            };
            sink(&buffer[..length])?;
            in_window += length as u64;
            if window.elapsed() >= self.limits.window {
                if in_window < self.limits.slowest {
                    return Err(FetchError::TooSlow {
                        url: shown(self.url),
                        expected: self.limits.slowest,
                        found: in_window,
                        seconds: self.limits.window.as_secs(),
                        attempts: 1,
                    });
                }
                (window, in_window) = (Instant::now(), 0);
            }
        }
    }

    /// Says what is wrong with a file that is used where it lies.
    pub(super) fn wrong_in_place(&self, path: &Path, expected: &Expected) -> FetchError {
        let found = File::open(path).and_then(hash_file);
        match (found, expected.size, &expected.sha256) {
            (Err(cause), ..) => FetchError::file("read", path, cause),
            (Ok((_, found)), Some(want), _) if found != want => self.size_error(want, found),
            (Ok((hash, _)), _, want) => FetchError::Digest {
                url: shown(self.url),
                expected: want.clone().unwrap_or_default(),
                found: hex::encode(hash.finalize()),
                attempts: 1,
            },
        }
    }

    fn size_error(&self, expected: u64, found: u64) -> FetchError {
        FetchError::Size { url: shown(self.url), expected, found, attempts: 1 }
    }
}

/// Returns the size of `path` if it exists and is what is expected. Where nothing is expected it never is, so it is fetched anew.
pub(super) fn verified_size(path: &Path, expected: &Expected) -> Result<Option<u64>, FetchError> {
    let Some(want) = &expected.sha256 else { return Ok(None) };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(cause) => return Err(FetchError::file("read", path, cause)),
    };
    let size = file.metadata().map_err(|cause| FetchError::file("read", path, cause))?.len();
    if expected.size.is_some_and(|want| want != size) {
        return Ok(None);
    }
    let (hash, _) = hash_file(file).map_err(|cause| FetchError::file("read", path, cause))?;
    Ok(want.eq_ignore_ascii_case(&hex::encode(hash.finalize())).then_some(size))
}

fn part_path(dest: &Path) -> PathBuf {
    let mut name: OsString = dest.as_os_str().to_owned();
    name.push(".part");
    name.into()
}

/// Hashes what an earlier run left; a part that is too long is thrown away.
fn resume(part: &Path, expected: &Expected) -> Result<(Sha256, u64), FetchError> {
    let failed = |cause| FetchError::file("read", part, cause);
    let file = match File::open(part) {
        Ok(file) => file,
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok((Sha256::new(), 0)),
        Err(cause) => return Err(failed(cause)),
    };
    let size = file.metadata().map_err(failed)?.len();
    if expected.size.is_some_and(|want| size > want) {
        discard(part)?;
        return Ok((Sha256::new(), 0));
    }
    hash_file(file).map_err(failed)
}

fn hash_file(mut file: File) -> io::Result<(Sha256, u64)> {
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 64 * 1024];
    let mut size = 0;
    loop {
        let length = file.read(&mut buffer)?;
        if length == 0 {
            return Ok((hash, size));
        }
        hash.update(&buffer[..length]);
        size += length as u64;
    }
}

fn open_part(part: &Path, received: u64) -> Result<File, FetchError> {
    let mut options = OpenOptions::new();
    options.create(true).write(true);
    let options = if received > 0 { options.append(true) } else { options.truncate(true) };
    options.open(part).map_err(|cause| FetchError::file("write", part, cause))
}

/// A broken connection leaves a good beginning; wrong bytes do not.
fn keeps_part(error: &FetchError) -> bool {
    matches!(
        error,
        FetchError::Network { .. } | FetchError::TooSlow { .. } | FetchError::Cancelled { .. }
    )
}

fn discard(part: &Path) -> Result<(), FetchError> {
    match fs::remove_file(part) {
        Err(cause) if cause.kind() != io::ErrorKind::NotFound => {
            Err(FetchError::file("remove", part, cause))
        }
        _ => Ok(()),
    }
}

/// Parses `bytes 100-199/200`.
fn parse_content_range(text: &str) -> Option<(u64, Option<u64>)> {
    let (range, total) = text.trim().strip_prefix("bytes ")?.split_once('/')?;
    let (first, _) = range.split_once('-')?;
    Some((first.trim().parse().ok()?, total.trim().parse().ok()))
}

/// Tells whether a file is where it is to be fetched to.
pub(super) fn is_in_place(url: &str, dest: &Path) -> bool {
    file_path(url).is_some_and(|path| path == dest)
}

/// Returns the path of a `file:` URL (`file:/path`, `file:///path`, `file://localhost/path`), with %XX decoded.
pub fn file_path(url: &str) -> Option<PathBuf> {
    let rest = url.strip_prefix("file:")?;
    let path = rest.strip_prefix("//localhost").or_else(|| rest.strip_prefix("//")).unwrap_or(rest);
    let mut bytes = Vec::with_capacity(path.len());
    let mut input = path.as_bytes();
    while let Some((byte, rest)) = input.split_first() {
        let digits = rest
            .get(..2)
            .filter(|_| *byte == b'%')
            .and_then(|digits| std::str::from_utf8(digits).ok());
        let decoded = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(decoded.unwrap_or(*byte));
        input = if decoded.is_some() { &rest[2..] } else { rest };
    }
    Some(PathBuf::from(<std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(&bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_urls() {
        for (url, path) in [
            ("file:///srv/a%20b", Some("/srv/a b")),
            ("file:/srv/x%2", Some("/srv/x%2")),
            ("file://localhost/x%zz", Some("/x%zz")),
            ("http://h/x", None),
        ] {
            assert_eq!(file_path(url).as_deref(), path.map(Path::new), "{url}");
        }
    }

    #[test]
    fn content_ranges() {
        for (text, expected) in [
            ("bytes 5-9/10", Some((5, Some(10)))),
            ("bytes 5-9/*", Some((5, None))),
            ("bytes */10", None),
            ("items 1-2/3", None),
        ] {
            assert_eq!(parse_content_range(text), expected, "{text}");
        }
    }

    #[test]
    fn passwords_are_not_shown() {
        assert_eq!(shown("https://user:pass@host/a@b"), "https://host/a@b");
        assert_eq!(shown("https://host/a@b"), "https://host/a@b");
    }
}
