// SPDX-License-Identifier: MIT OR Apache-2.0
//! A deterministic tar writer: ustar headers, with POSIX pax records only where ustar has no room.
//!
//! Extended attributes are written as `SCHILY.xattr.NAME`, which libarchive (`mke2fs -d`), squashfs' `sqfstar`,
//! erofs and GNU tar understand.

use std::io::{self, Read, Write};

use super::{ManifestError, Node, NodeKind};

const BLOCK: usize = 512;

/// Writes nodes as a tar stream. Call [`TarWriter::finish`] at the end.
#[derive(Debug)]
pub struct TarWriter<W: Write> {
    output: W,
}

impl<W: Write> TarWriter<W> {
    /// Returns a writer onto `output`, which should be buffered.
    pub fn new(output: W) -> Self {
        Self { output }
    }

    /// Writes one node; `content` is read to its end for a regular file and ignored otherwise.
    pub fn append(&mut self, node: &Node, content: &mut dyn Read) -> Result<(), ManifestError> {
        let io = |source| ManifestError::Io { path: node.path.clone(), source };
        let records = pax_records(node);
        if !records.is_empty() {
            let mut header = Header::new(&pax_name(&node.path), b'x', records.len() as u64);
            header.number(100..108, 0o644);
            self.output.write_all(&header.finish()).map_err(io)?;
            self.output.write_all(&records).map_err(io)?;
            self.pad(records.len() as u64).map_err(io)?;
        }
        self.output.write_all(&ustar_header(node)).map_err(io)?;
        let NodeKind::File { size } = node.kind else { return Ok(()) };
        let copied =
            io::copy(&mut content.take(size.saturating_add(1)), &mut self.output).map_err(io)?;
        if copied != size {
            return Err(ManifestError::Changed {
                path: node.path.clone(),
                expected: size,
                found: copied,
            });
        }
        self.pad(size).map_err(io)
    }

    /// Writes the end marker and returns the output.
    pub fn finish(mut self) -> io::Result<W> {
        self.output.write_all(&[0; 2 * BLOCK])?;
        self.output.flush()?;
        Ok(self.output)
    }

    fn pad(&mut self, written: u64) -> io::Result<()> {
        let rest = (written % BLOCK as u64) as usize;
        if rest == 0 { Ok(()) } else { self.output.write_all(&[0; BLOCK][rest..]) }
    }
}

/// One ustar header block under construction.
struct Header([u8; BLOCK]);

impl Header {
    fn new(name: &str, typeflag: u8, size: u64) -> Self {
        let mut header = Self([0; BLOCK]);
        header.text(0..100, name);
        header.number(108..116, 0);
        header.number(116..124, 0);
        header.number(124..136, if size <= MAX_SIZE { size } else { 0 });
        header.number(136..148, 0);
        header.0[156] = typeflag;
        header.0[257..265].copy_from_slice(b"ustar\x0000");
        header
    }

    fn text(&mut self, field: std::ops::Range<usize>, text: &str) {
        let length = text.len().min(field.len());
        self.0[field.start..field.start + length].copy_from_slice(&text.as_bytes()[..length]);
    }

    fn number(&mut self, field: std::ops::Range<usize>, value: u64) {
        let width = field.len() - 1;
        self.text(field, &format!("{value:0width$o}"));
    }

    fn finish(mut self) -> [u8; BLOCK] {
        self.0[148..156].fill(b' ');
        let sum: u32 = self.0.iter().map(|byte| u32::from(*byte)).sum();
        self.text(148..156, &format!("{sum:06o}\0 "));
        self.0
    }
}

const MAX_ID: u32 = 0o777_7777;
const MAX_SIZE: u64 = 0o777_7777_7777;

fn ustar_header(node: &Node) -> [u8; BLOCK] {
    let (typeflag, size, link) = match &node.kind {
        NodeKind::File { size } => (b'0', *size, ""),
        NodeKind::HardLink { target } => (b'1', 0, target.as_str()),
        NodeKind::Symlink { target } => (b'2', 0, target.as_str()),
        NodeKind::CharDevice(..) => (b'3', 0, ""),
        NodeKind::BlockDevice(..) => (b'4', 0, ""),
        NodeKind::Directory => (b'5', 0, ""),
        NodeKind::Fifo => (b'6', 0, ""),
    };
    let mut header = Header::new(&archive_name(node), typeflag, size);
    header.number(100..108, u64::from(node.mode & 0o7777));
    header.number(108..116, u64::from(if node.uid <= MAX_ID { node.uid } else { 0 }));
    header.number(116..124, u64::from(if node.gid <= MAX_ID { node.gid } else { 0 }));
    header.number(136..148, u64::from(node.mtime));
    header.text(157..257, link);
    if let NodeKind::CharDevice(major, minor) | NodeKind::BlockDevice(major, minor) = node.kind {
        header.number(329..337, u64::from(major));
        header.number(337..345, u64::from(minor));
    }
    header.finish()
}

/// Directories end in a slash; the root directory is `./`.
fn archive_name(node: &Node) -> String {
    match (&node.kind, node.path.as_str()) {
        (_, "") => "./".to_owned(),
        (NodeKind::Directory, path) => format!("{path}/"),
        (_, path) => path.to_owned(),
    }
}

fn pax_name(path: &str) -> String {
    let name = path.rsplit('/').next().unwrap_or_default();
    let mut text = format!("PaxHeaders/{name}");
    while text.len() > 100 {
        text.pop();
    }
    text
}

fn pax_records(node: &Node) -> Vec<u8> {
    let mut records = Vec::new();
    let name = archive_name(node);
    if name.len() > 100 || !name.is_ascii() {
        push_record(&mut records, "path", name.as_bytes());
    }
    if let NodeKind::Symlink { target } | NodeKind::HardLink { target } = &node.kind
        && (target.len() > 100 || !target.is_ascii())
    {
        push_record(&mut records, "linkpath", target.as_bytes());
    }
    if let NodeKind::File { size } = node.kind
        && size > MAX_SIZE
    {
        push_record(&mut records, "size", size.to_string().as_bytes());
    }
    for (key, id) in [("uid", node.uid), ("gid", node.gid)] {
        if id > MAX_ID {
            push_record(&mut records, key, id.to_string().as_bytes());
        }
    }
    for (attribute, value) in &node.xattrs {
        push_record(&mut records, &format!("SCHILY.xattr.{attribute}"), value);
    }
    records
}

/// Appends `LENGTH KEY=VALUE\n`, where the length counts itself.
fn push_record(records: &mut Vec<u8>, key: &str, value: &[u8]) {
    let rest = key.len() + value.len() + 3;
    let mut length = rest + 1;
    while length != rest + length.to_string().len() {
        length = rest + length.to_string().len();
    }
    records.extend_from_slice(format!("{length} {key}=").as_bytes());
    records.extend_from_slice(value);
    records.push(b'\n');
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use expect_test::expect;

    use super::*;

    fn node(path: &str, kind: NodeKind, mode: u32) -> Node {
        Node {
            path: path.to_owned(),
            kind,
            mode,
            uid: 0,
            gid: 0,
            mtime: 1_700_000_000,
            xattrs: BTreeMap::new(),
        }
    }

    /// Reads the stream back with the `tar` crate.
    fn describe(bytes: &[u8]) -> String {
        let mut text = String::new();
        let mut archive = ::tar::Archive::new(bytes);
        for entry in archive.entries().unwrap() {
            let mut entry = entry.unwrap();
            let mut extra = String::new();
            for extension in entry.pax_extensions().unwrap().into_iter().flatten() {
                let extension = extension.unwrap();
                extra +=
                    &format!(" {}={}B", extension.key().unwrap(), extension.value_bytes().len());
            }
            let header = entry.header().clone();
            let path = String::from_utf8(entry.path_bytes().into_owned()).unwrap();
            let link =
                entry.link_name_bytes().map(|link| String::from_utf8(link.into_owned()).unwrap());
            let mut content = String::new();
            entry.read_to_string(&mut content).unwrap();
            text += &format!(
                "{:?} {} {:o} {}:{} {} {:?} {:?}{extra}\n",
                header.entry_type(),
                if path.len() > 40 { format!("{}…{}", &path[..10], path.len()) } else { path },
                header.mode().unwrap(),
                entry.header().uid().unwrap(),
                entry.header().gid().unwrap(),
                header.mtime().unwrap(),
                link.unwrap_or_default(),
                content
            );
        }
        text
    }

    #[test]
    fn every_kind_reads_back() {
        let mut ping = node("usr/bin/ping", NodeKind::File { size: 5 }, 0o755);
        ping.xattrs.insert("security.capability".into(), vec![0, b'=', 255]);
        let mut shadow = node("etc/shadow", NodeKind::File { size: 0 }, 0o640);
        shadow.gid = 42;
        let mut big = node("big-id", NodeKind::Fifo, 0o600);
        big.uid = 3_000_000;
        let nodes = [
            node("", NodeKind::Directory, 0o755),
            shadow,
            ping,
            node("usr/bin/ping6", NodeKind::HardLink { target: "usr/bin/ping".into() }, 0o755),
            node("lib", NodeKind::Symlink { target: "usr/lib".into() }, 0o777),
            node("dev/null", NodeKind::CharDevice(1, 3), 0o666),
            big,
            node(&format!("{}/end", "long/".repeat(30)), NodeKind::Directory, 0o1777),
        ];
        let mut writer = TarWriter::new(Vec::new());
        for node in &nodes {
            writer
                .append(node, &mut &b"hello"[..if node.path == "usr/bin/ping" { 5 } else { 0 }])
                .unwrap();
        }
        let bytes = writer.finish().unwrap();
        assert_eq!(bytes.len() % BLOCK, 0);
        expect![[r#"
            Directory ./ 755 0:0 1700000000 "" ""
            Regular etc/shadow 640 0:42 1700000000 "" ""
            Regular usr/bin/ping 755 0:0 1700000000 "" "hello" SCHILY.xattr.security.capability=3B
            Link usr/bin/ping6 755 0:0 1700000000 "usr/bin/ping" ""
            Symlink lib 777 0:0 1700000000 "usr/lib" ""
            Char dev/null 666 0:0 1700000000 "" ""
            Fifo big-id 600 3000000:0 1700000000 "" "" uid=7B
            Directory long/long/…155 1777 0:0 1700000000 "" "" path=155B
        "#]]
        .assert_eq(&describe(&bytes));
    }

    #[test]
    fn a_file_that_changes_is_an_error() {
        for content in [&b"hell"[..], b"hello!"] {
            let error = TarWriter::new(Vec::new())
                .append(&node("f", NodeKind::File { size: 5 }, 0o644), &mut &*content)
                .unwrap_err();
            assert_eq!(
                error.to_string(),
                format!(
                    "`/f` changed while it was read (expected 5 bytes, found {})",
                    content.len()
                )
            );
        }
    }

    #[test]
    fn record_lengths_count_themselves() {
        for (size, start) in [
            (0, "5 k=\n"),
            (4, "9 k=xxxx\n"),
            (5, "11 k=xxxxx\n"),
            (92, "98 k="),
            (93, "99 k="),
            (94, "101 k="),
        ] {
            let mut records = Vec::new();
            push_record(&mut records, "k", &vec![b'x'; size]);
            let text = String::from_utf8(records).unwrap();
            assert!(text.starts_with(start), "{text:?}");
            let length: usize = text.split(' ').next().unwrap().parse().unwrap();
            assert_eq!(length, text.len());
        }
    }
}
