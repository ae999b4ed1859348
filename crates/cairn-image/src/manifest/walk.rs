// SPDX-License-Identifier: MIT OR Apache-2.0
//! Joins a staging directory with its manifest.

use std::collections::BTreeMap;
use std::io::{Empty, Write};
use std::path::Path;

use cairn_host::{FileKind, Root, Stat};

use super::{
    CAPABILITY_ATTRIBUTE, Entry, Kind, Manifest, ManifestError, Node, NodeKind, TarWriter,
    encode_capabilities, relative,
};

/// Which part of a staging directory becomes an archive.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// Directory that becomes the archive's root; `""` for the whole staging directory.
    pub subtree: String,
    /// Directories (relative to the staging directory) that are kept as empty mount points.
    pub emptied: Vec<String>,
}

impl Selection {
    /// Returns a selection of everything.
    pub fn all() -> Self {
        Self::default()
    }

    /// Returns everything but the content of the given directories.
    pub fn all_but_content_of(directories: &[&str]) -> Self {
        Self {
            subtree: String::new(),
            emptied: directories.iter().map(|path| relative(path)).collect(),
        }
    }

    /// Returns the content of one directory, which becomes the archive's root.
    pub fn subtree(directory: &str) -> Self {
        Self { subtree: relative(directory), emptied: Vec::new() }
    }

    fn is_emptied(&self, path: &str) -> bool {
        self.emptied.iter().any(|emptied| {
            path.strip_prefix(emptied.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
                && path != emptied
        })
    }

    /// Returns the path inside the archive, or `None` if `path` is not selected.
    fn archive_path<'a>(&self, path: &'a str) -> Option<&'a str> {
        if self.is_emptied(path) {
            return None;
        }
        if self.subtree.is_empty() || path == self.subtree {
            return Some(if path == self.subtree { "" } else { path });
        }
        path.strip_prefix(self.subtree.as_str())?.strip_prefix('/')
    }
}

/// Returns every selected object, sorted by path components, a directory before its content.
///
/// Owner 0:0 and the mode on disk apply where the manifest has no entry; modification times are never later than
/// `clamp_mtime`. Devices and pipes come from the manifest (a staging directory of an ordinary user has none). Entries
/// for files, directories and links that are not in the staging directory are ignored.
/// The root directory is always first; without an entry its mode is 0755.
pub fn collect(
    staging: &Root,
    manifest: &Manifest,
    selection: &Selection,
    clamp_mtime: u32,
) -> Result<Vec<Node>, ManifestError> {
    let mut walker = Walker { staging, manifest, selection, clamp_mtime, nodes: BTreeMap::new() };
    walker.visit_disk()?;
    walker.add_special_files()?;
    Ok(with_hard_links(walker.nodes))
}

/// Writes the selected part of `staging` as a deterministic tar stream; see [`collect`]. Returns the number of objects.
pub fn write_tar<W: Write>(
    staging: &Root,
    manifest: &Manifest,
    selection: &Selection,
    clamp_mtime: u32,
    output: W,
) -> Result<usize, ManifestError> {
    let nodes = collect(staging, manifest, selection, clamp_mtime)?;
    let mut writer = TarWriter::new(output);
    for node in &nodes {
        if let NodeKind::File { .. } = node.kind {
            let path = Path::new(&selection.subtree).join(&node.path);
            writer.append(node, &mut staging.open_read(&path)?)?;
        } else {
            writer.append(node, &mut Empty::default())?;
        }
    }
    writer.finish().map_err(|source| ManifestError::Io { path: String::new(), source })?;
    Ok(nodes.len())
}

/// Nodes by sorting key; the second value identifies files with several names: (device, inode).
type Nodes = BTreeMap<Vec<String>, (Node, Option<(u64, u64)>)>;

/// Sorting key: components, so that a directory's content follows it directly.
fn sort_key(path: &str) -> Vec<String> {
    if path.is_empty() { Vec::new() } else { path.split('/').map(str::to_owned).collect() }
}

struct Walker<'a> {
    staging: &'a Root,
    manifest: &'a Manifest,
    selection: &'a Selection,
    clamp_mtime: u32,
    nodes: Nodes,
}

impl Walker<'_> {
    fn visit_disk(&mut self) -> Result<(), ManifestError> {
        let subtree = &self.selection.subtree;
        if let Some(stat) = self.staging.symlink_metadata(subtree)? {
            let stat = if subtree.is_empty() { Stat { mode: 0o755, ..stat } } else { stat };
            self.visit(subtree, &stat)?;
            self.descend(subtree)?;
        }
        Ok(())
    }

    fn descend(&mut self, directory: &str) -> Result<(), ManifestError> {
        for name in self.staging.read_dir(directory)? {
            let path = if directory.is_empty() { name } else { format!("{directory}/{name}") };
            if self.selection.archive_path(&path).is_none() {
                continue;
            }
            let Some(stat) = self.staging.symlink_metadata(&path)? else { continue };
            self.visit(&path, &stat)?;
            if stat.is_dir() {
                self.descend(&path)?;
            }
        }
        Ok(())
    }

    fn visit(&mut self, path: &str, stat: &Stat) -> Result<(), ManifestError> {
        let Some(archive_path) = self.selection.archive_path(path) else { return Ok(()) };
        let entry = self.manifest.get(path);
        if let Some(entry) = entry {
            check_kind(path, entry, stat)?;
        }
        let kind = match stat.kind {
            FileKind::Regular => NodeKind::File { size: stat.size },
            FileKind::Directory => NodeKind::Directory,
            FileKind::Symlink => NodeKind::Symlink {
                target: self.staging.read_link(path)?.to_string_lossy().into_owned(),
            },
            FileKind::CharacterDevice => NodeKind::CharDevice(major(stat.rdev), minor(stat.rdev)),
            FileKind::BlockDevice => NodeKind::BlockDevice(major(stat.rdev), minor(stat.rdev)),
            FileKind::Fifo => NodeKind::Fifo,
            FileKind::Socket | FileKind::Other => {
                return Err(ManifestError::UnknownKind { path: path.to_owned(), mode: stat.mode });
            }
        };
        let mode =
            if stat.is_symlink() { 0o777 } else { entry.map_or(stat.mode, |entry| entry.mode) };
        let on_disk =
            u32::try_from(stat.mtime).unwrap_or(if stat.mtime < 0 { 0 } else { u32::MAX });
        let node = self.node(archive_path, kind, entry, (mode, on_disk))?;
        let link_id = (stat.is_file() && stat.n_links > 1).then_some((stat.device, stat.inode));
        self.nodes.insert(sort_key(archive_path), (node, link_id));
        Ok(())
    }

    fn add_special_files(&mut self) -> Result<(), ManifestError> {
        for (path, entry) in self.manifest.iter() {
            let Some(archive_path) = self.selection.archive_path(path) else { continue };
            let key = sort_key(archive_path);
            if self.nodes.contains_key(&key) {
                continue;
            }
            let number = || {
                entry.rdev.ok_or_else(|| ManifestError::NoDeviceNumber { path: path.to_owned() })
            };
            let kind = match entry.kind {
                Kind::CharDevice => {
                    number().map(|(major, minor)| NodeKind::CharDevice(major, minor))?
                }
                Kind::BlockDevice => {
                    number().map(|(major, minor)| NodeKind::BlockDevice(major, minor))?
                }
                Kind::Fifo => NodeKind::Fifo,
                Kind::File | Kind::Directory | Kind::Symlink => continue,
            };
            let node =
                self.node(archive_path, kind, Some(entry), (entry.mode, self.clamp_mtime))?;
            self.nodes.insert(key, (node, None));
        }
        Ok(())
    }

    fn node(
        &self,
        archive_path: &str,
        kind: NodeKind,
        entry: Option<&Entry>,
        (mode, mtime): (u32, u32),
    ) -> Result<Node, ManifestError> {
        let mut xattrs = BTreeMap::new();
        if let Some(entry) = entry {
            xattrs.clone_from(&entry.xattrs);
            if !entry.caps.is_empty() {
                let value = encode_capabilities(&entry.caps).map_err(|source| {
                    ManifestError::Capability { path: archive_path.to_owned(), source }
                })?;
                xattrs.insert(CAPABILITY_ATTRIBUTE.to_owned(), value.to_vec());
            }
        }
        let mtime = entry.and_then(|entry| entry.mtime).unwrap_or(mtime);
        Ok(Node {
            path: archive_path.to_owned(),
            kind,
            mode: mode & 0o7777,
            uid: entry.map_or(0, |entry| entry.uid),
            gid: entry.map_or(0, |entry| entry.gid),
            mtime: mtime.min(self.clamp_mtime),
            xattrs,
        })
    }
}

fn check_kind(path: &str, entry: &Entry, stat: &Stat) -> Result<(), ManifestError> {
    let recorded = match entry.kind {
        Kind::File => FileKind::Regular,
        Kind::Directory => FileKind::Directory,
        Kind::Symlink => FileKind::Symlink,
        Kind::CharDevice => FileKind::CharacterDevice,
        Kind::BlockDevice => FileKind::BlockDevice,
        Kind::Fifo => FileKind::Fifo,
    };
    if recorded == stat.kind {
        return Ok(());
    }
    Err(ManifestError::KindMismatch {
        path: path.to_owned(),
        recorded: kind_name(recorded),
        found: kind_name(stat.kind),
    })
}

fn kind_name(kind: FileKind) -> &'static str {
    match kind {
        FileKind::Regular => "a file",
        FileKind::Directory => "a directory",
        FileKind::Symlink => "a symbolic link",
        FileKind::CharacterDevice => "a character device",
        FileKind::BlockDevice => "a block device",
        FileKind::Fifo => "a pipe",
        FileKind::Socket => "a socket",
        FileKind::Other => "something unknown",
    }
}

/// Turns the second and further names of a file into hard links to the first one in archive order.
///
/// A name whose owner, mode or attributes are recorded differently stays a file of its own.
fn with_hard_links(nodes: Nodes) -> Vec<Node> {
    let mut first_names: BTreeMap<(u64, u64), Node> = BTreeMap::new();
    let mut list = Vec::with_capacity(nodes.len());
    for (mut node, link_id) in nodes.into_values() {
        if let Some(id) = link_id {
            match first_names.get(&id) {
                None => drop(first_names.insert(id, node.clone())),
                Some(first) if (Node { path: first.path.clone(), ..node.clone() }) == *first => {
                    node.kind = NodeKind::HardLink { target: first.path.clone() };
                    node.xattrs.clear();
                }
                Some(_) => {}
            }
        }
        list.push(node);
    }
    list
}

/// Linux' encoding of `dev_t`.
fn major(device: u64) -> u32 {
    (((device >> 8) & 0xfff) | ((device >> 32) & 0xffff_f000)) as u32
}

fn minor(device: u64) -> u32 {
    ((device & 0xff) | ((device >> 12) & 0xffff_ff00)) as u32
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    fn staging() -> (tempfile::TempDir, Root) {
        let directory = tempfile::tempdir().unwrap();
        let root = Root::open(directory.path()).unwrap();
        for path in ["usr/bin", "etc", "boot/loader", "dev", "a-b", "a"] {
            root.mkdir_all(path, 0o755).unwrap();
        }
        for (path, mode) in [
            ("usr/bin/ping", 0o755),
            ("etc/shadow", 0o600),
            ("boot/loader/entry.conf", 0o644),
            ("boot/top", 0o644),
            ("a/x", 0o644),
            ("a-b/y", 0o644),
        ] {
            root.write(path, path.as_bytes(), mode).unwrap();
            root.set_mtime(path, 1_000).unwrap();
        }
        root.set_mtime("etc/shadow", 4_000_000_000).unwrap();
        root.symlink("usr/bin", "bin").unwrap();
        root.hard_link("usr/bin/ping", "usr/bin/ping4").unwrap();
        root.hard_link("usr/bin/ping", "usr/bin/other").unwrap();
        (directory, root)
    }

    fn manifest() -> Manifest {
        let mut manifest = Manifest::new();
        manifest.insert("/etc/shadow", Entry::new(Kind::File, 0o640).owned_by(0, 42));
        for path in ["usr/bin/ping", "usr/bin/ping4"] {
            manifest.insert(
                path,
                Entry { caps: "cap_net_raw=ep".into(), ..Entry::new(Kind::File, 0o755) },
            );
        }
        manifest.insert(
            "dev/null",
            Entry { rdev: Some((1, 3)), ..Entry::new(Kind::CharDevice, 0o666) },
        );
        manifest.insert("./dev/initctl", Entry::new(Kind::Fifo, 0o600));
        manifest.insert("usr/share/doc/removed", Entry::new(Kind::File, 0o644));
        manifest
    }

    fn check(selection: &Selection, expected: Expect) {
        let (_directory, root) = staging();
        let mut text = String::new();
        for node in collect(&root, &manifest(), selection, 2_000).unwrap() {
            let xattrs: Vec<_> = node.xattrs.keys().collect();
            text += &format!(
                "/{} {:?} {:o} {}:{} {} {xattrs:?}\n",
                node.path, node.kind, node.mode, node.uid, node.gid, node.mtime
            );
        }
        expected.assert_eq(&text);
    }

    #[test]
    fn everything() {
        check(
            &Selection::all(),
            expect![[r#"
            / Directory 755 0:0 2000 []
            /a Directory 755 0:0 2000 []
            /a/x File { size: 3 } 644 0:0 1000 []
            /a-b Directory 755 0:0 2000 []
            /a-b/y File { size: 5 } 644 0:0 1000 []
            /bin Symlink { target: "usr/bin" } 777 0:0 2000 []
            /boot Directory 755 0:0 2000 []
            /boot/loader Directory 755 0:0 2000 []
            /boot/loader/entry.conf File { size: 22 } 644 0:0 1000 []
            /boot/top File { size: 8 } 644 0:0 1000 []
            /dev Directory 755 0:0 2000 []
            /dev/initctl Fifo 600 0:0 2000 []
            /dev/null CharDevice(1, 3) 666 0:0 2000 []
            /etc Directory 755 0:0 2000 []
            /etc/shadow File { size: 10 } 640 0:42 2000 []
            /usr Directory 755 0:0 2000 []
            /usr/bin Directory 755 0:0 2000 []
            /usr/bin/other File { size: 12 } 755 0:0 1000 []
            /usr/bin/ping File { size: 12 } 755 0:0 1000 ["security.capability"]
            /usr/bin/ping4 File { size: 12 } 755 0:0 1000 ["security.capability"]
        "#]],
        );
    }

    #[test]
    fn a_subtree_and_the_rest() {
        check(
            &Selection::subtree("/boot"),
            expect![[r#"
            / Directory 755 0:0 2000 []
            /loader Directory 755 0:0 2000 []
            /loader/entry.conf File { size: 22 } 644 0:0 1000 []
            /top File { size: 8 } 644 0:0 1000 []
        "#]],
        );
        check(
            &Selection::all_but_content_of(&["boot", "usr", "etc", "a", "a-b"]),
            expect![[r#"
            / Directory 755 0:0 2000 []
            /a Directory 755 0:0 2000 []
            /a-b Directory 755 0:0 2000 []
            /bin Symlink { target: "usr/bin" } 777 0:0 2000 []
            /boot Directory 755 0:0 2000 []
            /dev Directory 755 0:0 2000 []
            /dev/initctl Fifo 600 0:0 2000 []
            /dev/null CharDevice(1, 3) 666 0:0 2000 []
            /etc Directory 755 0:0 2000 []
            /usr Directory 755 0:0 2000 []
        "#]],
        );
    }

    #[test]
    fn two_archives_are_identical_whatever_the_disk_order() {
        let (_first, first) = staging();
        let (_second, second) = staging();
        second.rename("a", "zz").unwrap();
        second.rename("zz", "a").unwrap();
        let tar = |root: &Root| {
            let mut bytes = Vec::new();
            write_tar(root, &manifest(), &Selection::all(), 2_000, &mut bytes).unwrap();
            bytes
        };
        assert_eq!(tar(&first), tar(&second));
    }

    #[test]
    fn disagreement_is_an_error() {
        let (_directory, root) = staging();
        let mut manifest = Manifest::new();
        manifest.insert("etc", Entry::new(Kind::File, 0o644));
        let error = collect(&root, &manifest, &Selection::all(), 0).unwrap_err();
        assert_eq!(
            error.to_string(),
            "`/etc` is recorded as a file but the staging directory holds a directory"
        );
        let mut manifest = Manifest::new();
        manifest.insert(
            "etc/shadow",
            Entry { caps: "cap_x=e".into(), ..Entry::new(Kind::File, 0o644) },
        );
        let error = collect(&root, &manifest, &Selection::all(), 0).unwrap_err();
        assert_eq!(error.to_string(), "cannot store the capabilities of `/etc/shadow`");
        let cause = std::error::Error::source(&error).unwrap().to_string();
        assert_eq!(cause, "invalid file capabilities `cap_x=e`: unknown capability `cap_x`");
        let mut manifest = Manifest::new();
        manifest.insert("dev/sda", Entry::new(Kind::BlockDevice, 0o660));
        let error = collect(&root, &manifest, &Selection::all(), 0).unwrap_err();
        assert_eq!(error.to_string(), "`/dev/sda` is a device without major and minor number");
    }

    #[test]
    fn manifest_survives_json() {
        let manifest = manifest();
        let text = serde_json::to_string(&manifest).unwrap();
        assert_eq!(serde_json::from_str::<Manifest>(&text).unwrap(), manifest);
    }
}
