// SPDX-License-Identifier: MIT OR Apache-2.0
//! Decompression with bounded memory, for every compression rpm writes by default.

use std::io::{self, BufRead, BufReader, Cursor, Read};

use crate::error::Error;
use crate::package::read_up_to;

/// Largest zstd window and xz dictionary: 128 MiB, what zstd itself takes without asking.
const WINDOW_LIMIT: u64 = 128 << 20;
/// Memory an xz decoder may take: the dictionary and its own tables.
const XZ_MEMORY_LIMIT: u64 = WINDOW_LIMIT + (16 << 20);

/// The compressed stream after its first bytes were looked at.
type Source<R> = io::Chain<Cursor<Vec<u8>>, BufReader<R>>;

/// A decompressing reader; errors of the decoder become [`Error::Decompress`] in [`map_error`].
pub(super) struct Decompressor<R: Read> {
    inner: Inner<R>,
    compressor: &'static str,
}

enum Inner<R: Read> {
    /// Nothing is left to read.
    Empty,
    None(Source<R>),
    Gzip(flate2::bufread::GzDecoder<Source<R>>),
    Bzip2(bzip2::bufread::BzDecoder<Source<R>>),
    Xz(liblzma::bufread::XzDecoder<Source<R>>),
    Zstd(Box<zstd::stream::read::Decoder<'static, Source<R>>>),
}

impl<R: Read> Decompressor<R> {
    /// Starts decompressing what the header calls `compressor`.
    pub(super) fn new(compressor: Option<&str>, reader: R) -> Result<Self, Error> {
        let mut reader = BufReader::with_capacity(1 << 16, reader);
        let start = read_up_to(&mut reader, 18)?;
        // rpm writes no name for "none", and did not for gzip in its first years.
        let unnamed = if start.starts_with(b"0707") { "none" } else { "gzip" };
        let (compressor, magic): (_, &[u8]) = match compressor.unwrap_or(unnamed) {
            "" | "none" | "uncompressed" | "identity" => ("none", b""),
            "gzip" => ("gzip", b"\x1f\x8b"),
            "bzip2" => ("bzip2", b"BZh"),
            "xz" => ("xz", b"\xfd7zXZ\0"),
            // No magic number: properties byte 0x5d is what every encoder writes.
            "lzma" => ("lzma", b"\x5d"),
            "zstd" => ("zstd", b"\x28\xb5\x2f\xfd"),
            other => {
                return Err(Error::Compressor { compressor: crate::package::shown(other) });
            }
        };
        if !start.starts_with(magic) {
            let found = hex::encode(&start[..start.len().min(magic.len())]);
            return Err(Error::CompressionMagic {
                compressor,
                expected: hex::encode(magic),
                found,
            });
        }
        if compressor == "zstd" {
            check_zstd_window(&start)?;
        }
        let source = Cursor::new(start).chain(reader);
        let inner = match compressor {
            "gzip" => Inner::Gzip(flate2::bufread::GzDecoder::new(source)),
            "bzip2" => Inner::Bzip2(bzip2::bufread::BzDecoder::new(source)),
            "xz" => {
                let stream = liblzma::stream::Stream::new_stream_decoder(XZ_MEMORY_LIMIT, 0)
                    .map_err(|error| decompress_error(compressor, &error))?;
                Inner::Xz(liblzma::bufread::XzDecoder::new_stream(source, stream))
            }
            "lzma" => {
                let stream = liblzma::stream::Stream::new_lzma_decoder(XZ_MEMORY_LIMIT)
                    .map_err(|error| decompress_error(compressor, &error))?;
                Inner::Xz(liblzma::bufread::XzDecoder::new_stream(source, stream))
            }
            "zstd" => {
                let mut decoder = zstd::stream::read::Decoder::with_buffer(source)?.single_frame();
                decoder.window_log_max(WINDOW_LIMIT.ilog2())?;
                Inner::Zstd(Box::new(decoder))
            }
            _ => Inner::None(source),
        };
        Ok(Self { inner, compressor })
    }

    /// Returns a reader without bytes.
    pub(super) fn empty() -> Self {
        Self { inner: Inner::Empty, compressor: "none" }
    }

    /// Returns how many bytes follow the end of the compressed stream; call it at the end.
    pub(super) fn trailing(self) -> Result<u64, Error> {
        let mut source = match self.inner {
            Inner::Empty => return Ok(0),
            Inner::None(source) => source,
            Inner::Gzip(decoder) => decoder.into_inner(),
            Inner::Bzip2(decoder) => decoder.into_inner(),
            Inner::Xz(decoder) => decoder.into_inner(),
            Inner::Zstd(decoder) => decoder.finish(),
        };
        let mut bytes = 0;
        loop {
            let length = source.fill_buf()?.len();
            if length == 0 {
                return Ok(bytes);
            }
            bytes += length as u64;
            source.consume(length);
        }
    }

    /// Turns the error of a read into one that says what is wrong with the payload.
    pub(super) fn map_error(&self, error: io::Error) -> Error {
        // Errors of the operating system are the medium's, all others the decoder's.
        if error.raw_os_error().is_some() {
            return Error::Io(error);
        }
        let compressor = self.compressor;
        let text = error.to_string().to_ascii_lowercase();
        let window = text.contains("memory") || text.contains("memlimit");
        if window && matches!(compressor, "zstd" | "xz") {
            return Error::Decompress { compressor, problem: "window over 128 MiB".into() };
        }
        decompress_error(compressor, &error)
    }
}

impl<R: Read> Read for Decompressor<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &mut self.inner {
            Inner::Empty => Ok(0),
            Inner::None(reader) => reader.read(buffer),
            Inner::Gzip(reader) => reader.read(buffer),
            Inner::Bzip2(reader) => reader.read(buffer),
            Inner::Xz(reader) => reader.read(buffer),
            Inner::Zstd(reader) => reader.read(buffer),
        }
    }
}

fn decompress_error(compressor: &'static str, error: &dyn std::fmt::Display) -> Error {
    Error::Decompress { compressor, problem: error.to_string() }
}

/// Refuses a first zstd frame whose window is over the limit, by name; the decoder refuses later
/// ones.
fn check_zstd_window(start: &[u8]) -> Result<(), Error> {
    let compressor = "zstd";
    let Some(&descriptor) = start.get(4) else { return Ok(()) };
    let single_segment = descriptor & 0x20 != 0;
    let bytes = if single_segment {
        // The window is the content's size, after the dictionary id.
        let dictionary = [0, 1, 2, 4][usize::from(descriptor & 3)];
        let width = [1, 2, 4, 8][usize::from(descriptor >> 6)];
        let field = start.iter().skip(5 + dictionary).take(width).rev();
        field.fold(0u64, |size, byte| size << 8 | u64::from(*byte))
    } else {
        let Some(&window) = start.get(5) else { return Ok(()) };
        let base = 1u64 << (10 + (window >> 3));
        base + base / 8 * u64::from(window & 7)
    };
    if bytes > WINDOW_LIMIT { Err(Error::Window { compressor, bytes }) } else { Ok(()) }
}
