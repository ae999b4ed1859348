// SPDX-License-Identifier: MIT OR Apache-2.0
//! Initramfs images: a staging directory and its manifest as a deterministic "newc" cpio archive, zstd-compressed.
//!
//! Format: Linux, `Documentation/driver-api/early-userspace/buffer-format.rst`. Inode numbers count from 1 in archive
//! order; capabilities and other attributes cannot be stored and are an error.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::path::Path;

use cairn_host::Root;

use crate::manifest::{Manifest, ManifestError, Node, NodeKind, Selection, collect};

/// Why an initramfs could not be made.
#[derive(Debug, thiserror::Error)]
pub enum InitramfsError {
    /// Staging directory or manifest.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// An object carries what cpio cannot store.
    #[error("`/{path}` has extended attributes or capabilities, which an initramfs cannot hold")]
    Attributes {
        /// Path in question.
        path: String,
    },
    /// A file is larger than 4 GiB - 1.
    #[error("`/{path}` is too large for an initramfs ({size} bytes, expected at most 4294967295)")]
    TooLarge {
        /// Path in question.
        path: String,
        /// Its size.
        size: u64,
    },
    /// Writing or compressing went wrong.
    #[error("cannot write the initramfs")]
    Io(#[from] io::Error),
}

/// Writes the selected part of `staging` as an uncompressed newc archive. Returns the number of objects.
pub fn write_cpio<W: Write>(
    staging: &Root,
    manifest: &Manifest,
    clamp_mtime: u32,
    output: &mut W,
) -> Result<usize, InitramfsError> {
    let nodes = collect(staging, manifest, &Selection::all(), clamp_mtime)?;
    let mut link_counts: BTreeMap<&str, u32> = BTreeMap::new();
    for node in &nodes {
        if let NodeKind::HardLink { target } = &node.kind {
            *link_counts.entry(target).or_insert(1) += 1;
        }
    }
    let mut inodes: BTreeMap<&str, u32> = BTreeMap::new();
    let mut next_inode = 1;
    for node in &nodes {
        if !node.xattrs.is_empty() {
            return Err(InitramfsError::Attributes { path: node.path.clone() });
        }
        let first =
            if let NodeKind::HardLink { target } = &node.kind { target } else { &node.path };
        let inode = *inodes.entry(first).or_insert_with(|| {
            next_inode += 1;
            next_inode - 1
        });
        let links = link_counts.get(first.as_str()).copied().unwrap_or(1);
        write_node(staging, node, Numbers { inode, links }, output)?;
    }
    write_header(output, "TRAILER!!!", &Fields { links: 1, ..Fields::default() })?;
    Ok(nodes.len() + 1)
}

/// Returns `staging` as `zstd`-compressed newc archive.
///
/// `level` is zstd's (1 to 22; 19 is a good choice for images that are built once). One thread, so that the bytes do not
/// depend on the machine.
pub fn build(
    staging: &Root,
    manifest: &Manifest,
    clamp_mtime: u32,
    level: i32,
) -> Result<Vec<u8>, InitramfsError> {
    let mut encoder = zstd::Encoder::new(Vec::new(), level)?;
    // The kernel's decompressor allocates the window: 2^27 is its limit, 2^23 costs little.
    encoder.window_log(23)?;
    encoder.include_checksum(true)?;
    write_cpio(staging, manifest, clamp_mtime, &mut encoder)?;
    Ok(encoder.finish()?)
}

#[derive(Clone, Copy)]
struct Numbers {
    inode: u32,
    links: u32,
}

#[derive(Default)]
struct Fields {
    inode: u32,
    mode: u32,
    uid: u32,
    gid: u32,
    links: u32,
    mtime: u32,
    size: u32,
    device: (u32, u32),
}

fn write_node<W: Write>(
    staging: &Root,
    node: &Node,
    numbers: Numbers,
    output: &mut W,
) -> Result<(), InitramfsError> {
    let (type_bits, device) = match &node.kind {
        // All names of a file but the first are written without content: the kernel links them to the first.
        NodeKind::File { .. } | NodeKind::HardLink { .. } => (0o100_000, (0, 0)),
        NodeKind::Directory => (0o040_000, (0, 0)),
        NodeKind::Symlink { .. } => (0o120_000, (0, 0)),
        NodeKind::CharDevice(major, minor) => (0o020_000, (*major, *minor)),
        NodeKind::BlockDevice(major, minor) => (0o060_000, (*major, *minor)),
        NodeKind::Fifo => (0o010_000, (0, 0)),
    };
    let size = match &node.kind {
        NodeKind::File { size } => u32::try_from(*size)
            .map_err(|_| InitramfsError::TooLarge { path: node.path.clone(), size: *size })?,
        NodeKind::Symlink { target } => target.len() as u32,
        _ => 0,
    };
    let fields = Fields {
        inode: numbers.inode,
        mode: type_bits | node.mode,
        uid: node.uid,
        gid: node.gid,
        links: if node.kind == NodeKind::Directory { 2 } else { numbers.links },
        mtime: node.mtime,
        size,
        device,
    };
    write_header(output, if node.path.is_empty() { "." } else { &node.path }, &fields)?;
    match &node.kind {
        NodeKind::File { size: expected } => {
            let file = staging.open_read(Path::new(&node.path)).map_err(ManifestError::from)?;
            let found = io::copy(&mut file.take(expected.saturating_add(1)), output)?;
            if found != *expected {
                let path = node.path.clone();
                return Err(ManifestError::Changed { path, expected: *expected, found }.into());
            }
        }
        NodeKind::Symlink { target } => output.write_all(target.as_bytes())?,
        _ => {}
    }
    pad(output, size as usize)?;
    Ok(())
}

fn write_header<W: Write>(output: &mut W, name: &str, fields: &Fields) -> io::Result<()> {
    let name_size = name.len() as u32 + 1;
    let numbers = [
        fields.inode,
        fields.mode,
        fields.uid,
        fields.gid,
        fields.links,
        fields.mtime,
        fields.size,
        0,
        0,
        fields.device.0,
        fields.device.1,
        name_size,
        0,
    ];
    let mut header = String::from("070701");
    for number in numbers {
        header += &format!("{number:08x}");
    }
    header += name;
    header.push('\0');
    output.write_all(header.as_bytes())?;
    pad(output, header.len())
}

fn pad<W: Write>(output: &mut W, written: usize) -> io::Result<()> {
    output.write_all(&[0; 4][..(4 - written % 4) % 4])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::{Entry, Kind};

    fn staging() -> (tempfile::TempDir, Root, Manifest) {
        let directory = tempfile::tempdir().unwrap();
        let root = Root::open(directory.path()).unwrap();
        root.mkdir_all("bin", 0o755).unwrap();
        root.write("init", b"#!/bin/sh\n", 0o755).unwrap();
        root.hard_link("init", "sbin-init").unwrap();
        root.symlink("init", "linuxrc").unwrap();
        let mut manifest = Manifest::new();
        manifest.insert("bin", Entry::new(Kind::Directory, 0o755).owned_by(1, 2));
        manifest
            .insert("console", Entry { rdev: Some((5, 1)), ..Entry::new(Kind::CharDevice, 0o600) });
        (directory, root, manifest)
    }

    #[test]
    fn archive_has_the_documented_form() {
        let (_directory, root, manifest) = staging();
        let mut bytes = Vec::new();
        assert_eq!(write_cpio(&root, &manifest, 1_000, &mut bytes).unwrap(), 7);
        let mut rest = bytes.as_slice();
        let mut text = String::new();
        loop {
            let number = |index: usize| {
                u32::from_str_radix(
                    std::str::from_utf8(&rest[6 + index * 8..14 + index * 8]).unwrap(),
                    16,
                )
                .unwrap()
            };
            assert_eq!(&rest[..6], b"070701");
            let name_end = 110 + number(11) as usize - 1;
            let name = std::str::from_utf8(&rest[110..name_end]).unwrap();
            assert_eq!(rest[name_end], 0);
            let start = (name_end + 1).next_multiple_of(4);
            let end = start + number(6) as usize;
            let content = std::str::from_utf8(&rest[start..end]).unwrap();
            text += &format!(
                "{} {:o} {}:{} n{} t{} {},{} {name} {content:?}\n",
                number(0),
                number(1),
                number(2),
                number(3),
                number(4),
                number(5),
                number(9),
                number(10)
            );
            if name == "TRAILER!!!" {
                break;
            }
            rest = &rest[end.next_multiple_of(4)..];
        }
        expect_test::expect![[r##"
            1 40755 0:0 n2 t1000 0,0 . ""
            2 40755 1:2 n2 t1000 0,0 bin ""
            3 20600 0:0 n1 t1000 5,1 console ""
            4 100755 0:0 n2 t1000 0,0 init "#!/bin/sh\n"
            5 120777 0:0 n1 t1000 0,0 linuxrc "init"
            4 100755 0:0 n2 t1000 0,0 sbin-init ""
            0 0 0:0 n1 t0 0,0 TRAILER!!! ""
        "##]]
        .assert_eq(&text);
    }

    #[test]
    fn compressed_image_is_stable_and_reads_back() {
        let (_directory, root, manifest) = staging();
        let image = build(&root, &manifest, 1_000, 3).unwrap();
        assert_eq!(image, build(&root, &manifest, 1_000, 3).unwrap());
        let mut plain = Vec::new();
        write_cpio(&root, &manifest, 1_000, &mut plain).unwrap();
        assert_eq!(zstd::decode_all(image.as_slice()).unwrap(), plain);
    }

    #[test]
    fn capabilities_are_refused() {
        let (_directory, root, mut manifest) = staging();
        manifest.insert(
            "init",
            Entry { caps: "cap_net_raw=p".into(), ..Entry::new(Kind::File, 0o755) },
        );
        let error = build(&root, &manifest, 1_000, 3).unwrap_err();
        assert_eq!(
            error.to_string(),
            "`/init` has extended attributes or capabilities, which an initramfs cannot hold"
        );
    }
}
