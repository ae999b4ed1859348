// SPDX-License-Identifier: MIT OR Apache-2.0
//! An installed system as plain values, read from a tar archive or from a staging directory, and the comparison of two.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::Path;

use cairn::compose::stage::Staged;
use cairn_image::manifest::{CAPABILITY_ATTRIBUTE, NodeKind, Selection, collect};

/// One object of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// `file`, `directory`, `link` or `device`.
    pub kind: &'static str,
    /// `user:group`, by name.
    pub owner: String,
    /// Permission bits.
    pub mode: u32,
    /// SHA-256 of a file, target of a link.
    pub content: String,
    /// `security.capability`, in hex.
    pub capability: String,
}

/// A whole system.
#[derive(Debug, Default)]
pub struct Tree {
    /// By absolute path.
    pub nodes: BTreeMap<String, Node>,
    /// What dpkg says its packages own, by package.
    pub dpkg_lists: BTreeMap<String, String>,
    /// `passwd`, `group`, `shadow`: lines by name, without ids.
    accounts: BTreeMap<String, String>,
    users: BTreeMap<u64, String>,
    groups: BTreeMap<u64, String>,
}

/// Files whose content is kept while reading.
const ACCOUNT_FILES: [&str; 2] = ["/etc/passwd", "/etc/group"];

impl Tree {
    /// Reads an archive as mmdebstrap writes it.
    pub fn read_tar(path: &Path) -> Self {
        let mut tree = Self::default();
        let mut owners: BTreeMap<String, (u64, u64)> = BTreeMap::new();
        let mut archive =
            tar::Archive::new(std::io::BufReader::new(std::fs::File::open(path).unwrap()));
        for entry in archive.entries().unwrap() {
            let mut entry = entry.unwrap();
            let name = String::from_utf8(entry.path_bytes().into_owned()).unwrap();
            let path = absolute(&name);
            let target =
                entry.link_name_bytes().map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
            let kind = entry.header().entry_type();
            if kind == tar::EntryType::Link {
                let target = absolute(&target.unwrap());
                tree.nodes.insert(path.clone(), tree.nodes[&target].clone());
                owners.insert(path, owners[&target]);
                continue;
            }
            let capability = capability(&mut entry);
            let header = entry.header().clone();
            let mut node = Node {
                kind: "device",
                owner: String::new(),
                mode: header.mode().unwrap() & 0o7777,
                content: String::new(),
                capability,
            };
            match kind {
                tar::EntryType::Regular => {
                    let mut bytes = Vec::new();
                    entry.read_to_end(&mut bytes).unwrap();
                    node.kind = "file";
                    node.content = tree.remember(&path, &bytes);
                }
                tar::EntryType::Directory => node.kind = "directory",
                tar::EntryType::Symlink => {
                    node.kind = "link";
                    node.content = target.unwrap();
                }
                _ => {}
            }
            owners.insert(path.clone(), (header.uid().unwrap(), header.gid().unwrap()));
            tree.nodes.insert(path, node);
        }
        tree.name_owners(&owners);
        tree
    }

    /// Reads a staged image.
    pub fn read_staged(staged: &Staged, source_date: u32) -> Self {
        let mut tree = Self::default();
        let mut owners = BTreeMap::new();
        let nodes =
            collect(&staged.root, &staged.manifest, &Selection::all(), source_date).unwrap();
        for found in nodes {
            let path = absolute(&found.path);
            owners.insert(path.clone(), (u64::from(found.uid), u64::from(found.gid)));
            let attribute = found.xattrs.get(CAPABILITY_ATTRIBUTE);
            let mut node = Node {
                kind: "device",
                owner: String::new(),
                mode: found.mode & 0o7777,
                content: String::new(),
                capability: attribute.map(hex::encode).unwrap_or_default(),
            };
            match &found.kind {
                NodeKind::Directory => node.kind = "directory",
                NodeKind::File { .. } | NodeKind::HardLink { .. } => {
                    node.kind = "file";
                    node.content = tree.remember(&path, &staged.root.read(&found.path).unwrap());
                }
                NodeKind::Symlink { target } => {
                    node.kind = "link";
                    node.content.clone_from(target);
                }
                _ => {}
            }
            tree.nodes.insert(path, node);
        }
        tree.name_owners(&owners);
        tree
    }

    /// Keeps what later steps read, and returns the digest.
    fn remember(&mut self, path: &str, bytes: &[u8]) -> String {
        let text = || String::from_utf8(bytes.to_vec()).unwrap();
        if let Some(file) = path.strip_prefix("/var/lib/dpkg/info/")
            && let Some(package) = file.strip_suffix(".list")
        {
            let package = package.split(':').next().unwrap();
            self.dpkg_lists.insert(package.to_owned(), text());
        }
        if ACCOUNT_FILES.contains(&path) {
            let names = if path == "/etc/passwd" { &mut self.users } else { &mut self.groups };
            for line in text().lines() {
                let mut fields: Vec<&str> = line.split(':').collect();
                names.insert(fields[2].parse().unwrap(), fields[0].to_owned());
                // Ids differ on purpose: Debian gives them out as packages come.
                fields[2] = "";
                if path == "/etc/passwd" {
                    fields[3] = "";
                }
                self.accounts.insert(format!("{path}/{}", fields[0]), fields.join(":"));
            }
        }
        cairn::digest::sha256_hex(bytes)
    }

    fn name_owners(&mut self, owners: &BTreeMap<String, (u64, u64)>) {
        let name = |names: &BTreeMap<u64, String>, id: u64| {
            names.get(&id).cloned().unwrap_or_else(|| id.to_string())
        };
        for (path, node) in &mut self.nodes {
            let (uid, gid) = owners[path];
            node.owner = format!("{}:{}", name(&self.users, uid), name(&self.groups, gid));
        }
    }
}

fn absolute(name: &str) -> String {
    format!("/{}", name.trim_start_matches("./").trim_matches('/'))
}

fn capability(entry: &mut tar::Entry<'_, impl Read>) -> String {
    let Some(extensions) = entry.pax_extensions().unwrap() else { return String::new() };
    extensions
        .filter_map(Result::ok)
        .find(|extension| extension.key() == Ok("SCHILY.xattr.security.capability"))
        .map(|extension| hex::encode(extension.value_bytes()))
        .unwrap_or_default()
}

/// One difference between Debian's tree and ours.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Difference {
    /// Absolute path; of an account, its file and name.
    pub path: String,
    /// `missing`, `extra`, `type`, `owner`, `mode`, `content`, `capability` or `account`.
    pub kind: &'static str,
    /// Debian's value and ours.
    pub values: String,
}

/// Returns every difference, in path order.
pub fn compare(debian: &Tree, ours: &Tree) -> Vec<Difference> {
    let mut found = Vec::new();
    let paths: BTreeSet<&String> = debian.nodes.keys().chain(ours.nodes.keys()).collect();
    for path in paths {
        let mut add = |kind: &'static str, theirs: String, ours: String| {
            found.push(Difference {
                path: path.clone(),
                kind,
                values: format!("{theirs} → {ours}"),
            });
        };
        match (debian.nodes.get(path), ours.nodes.get(path)) {
            (Some(theirs), None) => add("missing", theirs.kind.into(), "-".into()),
            (None, Some(ours)) => add("extra", "-".into(), ours.kind.into()),
            (Some(theirs), Some(ours)) => {
                if theirs.kind != ours.kind {
                    add("type", theirs.kind.into(), ours.kind.into());
                    continue;
                }
                if theirs.owner != ours.owner {
                    add("owner", theirs.owner.clone(), ours.owner.clone());
                }
                if theirs.mode != ours.mode && theirs.kind != "link" {
                    add("mode", format!("{:04o}", theirs.mode), format!("{:04o}", ours.mode));
                }
                if theirs.content != ours.content {
                    let is_link = theirs.kind == "link";
                    let show =
                        |text: &str| if is_link { text.to_owned() } else { "…".to_owned() };
                    add("content", show(&theirs.content), show(&ours.content));
                }
                if theirs.capability != ours.capability {
                    add("capability", theirs.capability.clone(), ours.capability.clone());
                }
            }
            (None, None) => unreachable!("the path comes from one of the two"),
        }
    }
    let accounts: BTreeSet<&String> = debian.accounts.keys().chain(ours.accounts.keys()).collect();
    for account in accounts {
        let (theirs, ours) = (debian.accounts.get(account), ours.accounts.get(account));
        if theirs != ours {
            let kind = match (theirs, ours) {
                (Some(_), None) => "missing",
                (None, _) => "extra",
                _ => "account",
            };
            let show = |line: Option<&String>| line.cloned().unwrap_or_else(|| "-".into());
            found.push(Difference {
                path: account.clone(),
                kind,
                values: format!("{} → {}", show(theirs), show(ours)),
            });
        }
    }
    found
}
