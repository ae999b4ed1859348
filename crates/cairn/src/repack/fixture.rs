// SPDX-License-Identifier: MIT OR Apache-2.0
//! Small `.deb`s for tests, made in memory.

use std::fmt::Write as _;
use std::io::Write as _;

/// A `.deb` in the making.
pub struct Fixture {
    control: Vec<(String, Vec<u8>)>,
    data: tar::Builder<Vec<u8>>,
}

/// How the members are compressed.
#[derive(Debug, Clone, Copy)]
pub enum Compression {
    None,
    Gzip,
    Xz,
    Zstd,
}

impl Fixture {
    /// Begins a package with a control file made of `fields` (further lines).
    pub fn new(name: &str, version: &str, fields: &str) -> Self {
        let control = format!(
            "Package: {name}\nVersion: {version}\nArchitecture: amd64\nDescription: a test\n with two\n .\n paragraphs\n{fields}"
        );
        Self {
            control: vec![("control".into(), control.into_bytes())],
            data: tar::Builder::new(Vec::new()),
        }
    }

    pub fn control_file(mut self, name: &str, text: &str) -> Self {
        self.control.push((name.into(), text.into()));
        self
    }

    pub fn file(self, path: &str, mode: u32, content: &[u8]) -> Self {
        self.entry(path, tar::EntryType::Regular, mode, content, "")
    }

    pub fn directory(self, path: &str) -> Self {
        self.entry(path, tar::EntryType::Directory, 0o755, b"", "")
    }

    pub fn symlink(self, path: &str, target: &str) -> Self {
        self.entry(path, tar::EntryType::Symlink, 0o777, b"", target)
    }

    pub fn hard_link(self, path: &str, target: &str) -> Self {
        self.entry(path, tar::EntryType::Link, 0o644, b"", target)
    }

    pub fn entry(
        mut self,
        path: &str,
        kind: tar::EntryType,
        mode: u32,
        content: &[u8],
        target: &str,
    ) -> Self {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_uid(0);
        header.set_gid(if path.contains("shadow") { 42 } else { 0 });
        header.set_mtime(2_000_000_000);
        header.set_size(content.len() as u64);
        if target.is_empty() {
            self.data.append_data(&mut header, format!(".{path}"), content).unwrap();
        } else {
            self.data.append_link(&mut header, format!(".{path}"), target).unwrap();
        }
        self
    }

    pub fn build(self) -> Vec<u8> {
        self.build_with(Compression::Zstd)
    }

    pub fn build_with(self, compression: Compression) -> Vec<u8> {
        let mut control = tar::Builder::new(Vec::new());
        for (name, content) in &self.control {
            let mut header = tar::Header::new_gnu();
            header.set_mode(0o755);
            header.set_uid(0);
            header.set_gid(0);
            header.set_mtime(0);
            header.set_size(content.len() as u64);
            control.append_data(&mut header, format!("./{name}"), content.as_slice()).unwrap();
        }
        let (control, extension) = compress(&control.into_inner().unwrap(), compression);
        let (data, _) = compress(&self.data.into_inner().unwrap(), compression);
        archive(&[
            ("debian-binary", b"2.0\n"),
            (&format!("control.tar{extension}"), &control),
            (&format!("data.tar{extension}"), &data),
        ])
    }
}

/// Writes an `ar` archive.
pub fn archive(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut bytes = b"!<arch>\n".to_vec();
    for (name, content) in members {
        let mut header = String::new();
        writeln!(
            header,
            "{name:<16}{:<12}{:<6}{:<6}{:<8}{:<10}`",
            0,
            0,
            0,
            "100644",
            content.len()
        )
        .unwrap();
        bytes.extend(header.as_bytes());
        bytes.extend(*content);
        if content.len() % 2 == 1 {
            bytes.push(b'\n');
        }
    }
    bytes
}

fn compress(bytes: &[u8], compression: Compression) -> (Vec<u8>, &'static str) {
    match compression {
        Compression::None => (bytes.to_vec(), ""),
        Compression::Gzip => {
            let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            writer.write_all(bytes).unwrap();
            (writer.finish().unwrap(), ".gz")
        }
        Compression::Xz => {
            let mut writer = liblzma::write::XzEncoder::new(Vec::new(), 1);
            writer.write_all(bytes).unwrap();
            (writer.finish().unwrap(), ".xz")
        }
        Compression::Zstd => (zstd::encode_all(bytes, 1).unwrap(), ".zst"),
    }
}
