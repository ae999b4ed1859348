// SPDX-License-Identifier: MIT OR Apache-2.0
//! Decompression of metadata: by magic, never by file name, and never beyond a size.

use std::io::{BufRead, BufReader, Read};

/// Bytes a file without a stated size may expand to.
pub const DEFAULT_LIMIT: u64 = 1 << 30;
/// Expansion accepted where the size is not stated.
const RATIO_LIMIT: u64 = 200;

/// Returns how many bytes a metadata file may expand to.
pub fn limit(compressed: u64, open_size: Option<u64>) -> u64 {
    open_size
        .unwrap_or_else(|| DEFAULT_LIMIT.min(compressed.saturating_mul(RATIO_LIMIT).max(1 << 20)))
}

/// Returns a reader of the decompressed bytes that fails after `limit` bytes.
///
/// # Errors
/// The decoder cannot be set up.
pub fn open(bytes: &[u8], limit: u64) -> std::io::Result<Box<dyn BufRead + Send + '_>> {
    open_stream(bytes, limit)
}

/// As [`open`], for what is read piece by piece.
///
/// # Errors
/// The first bytes cannot be read, or the decoder cannot be set up.
pub fn open_stream<'a>(
    mut bytes: impl BufRead + Send + 'a,
    limit: u64,
) -> std::io::Result<Box<dyn BufRead + Send + 'a>> {
    let head = bytes.fill_buf()?;
    let inner: Box<dyn Read + Send + 'a> = if head.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
        let mut decoder = zstd::stream::read::Decoder::with_buffer(bytes)?;
        decoder.window_log_max(27)?;
        Box::new(decoder)
    } else if head.starts_with(&[0x1f, 0x8b]) {
        Box::new(flate2::bufread::MultiGzDecoder::new(bytes))
    } else if head.starts_with(b"\xfd7zXZ\0") {
        Box::new(liblzma::bufread::XzDecoder::new(bytes))
    } else if head.starts_with(b"BZh") {
        Box::new(bzip2::bufread::BzDecoder::new(bytes))
    } else {
        Box::new(bytes)
    };
    Ok(Box::new(BufReader::with_capacity(1 << 16, Limited { inner, left: limit, limit })))
}

/// Fails, instead of ending, where more than the limit comes.
struct Limited<'a> {
    inner: Box<dyn Read + Send + 'a>,
    left: u64,
    limit: u64,
}

impl Read for Limited<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.inner.read(buffer)?;
        match self.left.checked_sub(count as u64) {
            Some(left) => {
                self.left = left;
                Ok(count)
            }
            None => Err(std::io::Error::other(format!(
                "expands to more than {} bytes, which is the limit here",
                self.limit
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(bytes: &[u8], limit: u64) -> Result<Vec<u8>, String> {
        let mut out = Vec::new();
        open(bytes, limit).unwrap().read_to_end(&mut out).map_err(|e| e.to_string())?;
        Ok(out)
    }

    #[test]
    fn formats_and_limit() {
        let text = b"<metadata/>".repeat(50);
        let zstd = zstd::encode_all(&text[..], 3).unwrap();
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        std::io::Write::write_all(&mut gzip, &text).unwrap();
        let gzip = gzip.finish().unwrap();
        for bytes in [&zstd, &gzip, &text] {
            assert_eq!(all(bytes, 550).unwrap(), text);
            assert_eq!(
                all(bytes, 549).unwrap_err(),
                "expands to more than 549 bytes, which is the limit here"
            );
        }
        assert_eq!(limit(1000, None), 1 << 20);
        assert_eq!(limit(1 << 30, None), DEFAULT_LIMIT);
        assert_eq!(limit(1000, Some(77)), 77);
    }
}
