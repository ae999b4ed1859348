// SPDX-License-Identifier: MIT OR Apache-2.0
//! The fate of every file: usrmerge, drops, moves, links, permissions, added files, configuration.

use std::collections::{BTreeMap, BTreeSet};

use super::{FileExplanation, RepackError, rule_error};
use crate::deb::{Deb, Entry, EntryKind};
use crate::overlay::Overlay;
use crate::overlay::glob::Glob;
use crate::overlay::schema::{AddedFile, AddedKind, HardLinks, Permissions, Symlinks};

/// A file of one of our packages before it is given to the RPM builder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedFile {
    /// Absolute path.
    pub path: String,
    /// What it is.
    pub kind: PlannedKind,
    /// Permission bits.
    pub mode: u16,
    /// User name.
    pub user: String,
    /// Group name.
    pub group: String,
    /// Seconds since 1970.
    pub mtime: u32,
    /// Capabilities as text.
    pub caps: String,
    /// `%config(noreplace)`.
    pub config: bool,
    /// `%license`.
    pub license: bool,
    /// What `rpm -V` compares, as in `FILEVERIFYFLAGS`.
    pub verify_flags: u32,
}

/// Kinds of planned files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlannedKind {
    /// Regular file.
    Regular(Vec<u8>),
    /// Directory.
    Directory,
    /// Symbolic link and its target.
    Symlink(String),
    /// Owned, not in the payload.
    Ghost,
}

/// What the files became.
#[derive(Debug, Default)]
pub struct FilePlan {
    /// By path.
    pub files: BTreeMap<String, PlannedFile>,
    /// One row per file of the `.deb` and per added file.
    pub explanations: Vec<FileExplanation>,
    /// Globs that matched nothing.
    pub warnings: Vec<String>,
}

/// Owners and groups of Debian's base-passwd, for archives without names.
const USERS: [(u64, &str); 19] = [
    (0, "root"),
    (1, "daemon"),
    (2, "bin"),
    (3, "sys"),
    (4, "sync"),
    (5, "games"),
    (6, "man"),
    (7, "lp"),
    (8, "mail"),
    (9, "news"),
    (10, "uucp"),
    (13, "proxy"),
    (33, "www-data"),
    (34, "backup"),
    (38, "list"),
    (39, "irc"),
    (41, "gnats"),
    (42, "_apt"),
    (65534, "nobody"),
];
const GROUPS: [(u64, &str); 37] = [
    (0, "root"),
    (1, "daemon"),
    (2, "bin"),
    (3, "sys"),
    (4, "adm"),
    (5, "tty"),
    (6, "disk"),
    (7, "lp"),
    (8, "mail"),
    (9, "news"),
    (10, "uucp"),
    (12, "man"),
    (13, "proxy"),
    (15, "kmem"),
    (20, "dialout"),
    (21, "fax"),
    (22, "voice"),
    (24, "cdrom"),
    (25, "floppy"),
    (26, "tape"),
    (27, "sudo"),
    (29, "audio"),
    (30, "dip"),
    (33, "www-data"),
    (34, "backup"),
    (37, "operator"),
    (38, "list"),
    (39, "irc"),
    (40, "src"),
    (42, "shadow"),
    (43, "utmp"),
    (44, "video"),
    (45, "sasl"),
    (46, "plugdev"),
    (50, "staff"),
    (60, "games"),
    (100, "users"),
];

/// Plans the files of the `.deb` and the overlay's. `names` gives our name by Debian name, for links between copyright files.
pub fn plan(
    deb: &Deb,
    overlay: &Overlay<'_>,
    names: &BTreeMap<String, String>,
    source_date: u32,
) -> Result<FilePlan, RepackError> {
    let mut planner = Planner {
        deb,
        overlay,
        names,
        source_date,
        plan: FilePlan::default(),
        matched: BTreeSet::new(),
        finals: BTreeMap::new(),
    };
    planner.take_payload()?;
    planner.resolve_hard_links()?;
    planner.check_moves()?;
    let mut plan = planner.plan;
    let matched = planner.matched;
    remove_emptied_directories(deb, overlay, &mut plan);
    add_files(&mut plan, overlay, &overlay.package.file, source_date)?;
    mark_configuration(deb, overlay, &mut plan);
    set_permissions(&mut plan, overlay, &overlay.package.permissions)?;
    for glob in overlay
        .package
        .drop
        .iter()
        .chain(&overlay.package.keep)
        .filter(|glob| !matched.contains(glob.as_str()))
    {
        plan.warnings.push(format!("`{}` matches no file of {}", glob.as_str(), deb.name()));
    }
    Ok(plan)
}

/// Plans the files of a package without a `.deb`.
pub fn plan_native(overlay: &Overlay<'_>, source_date: u32) -> Result<FilePlan, RepackError> {
    let mut plan = FilePlan::default();
    add_files(&mut plan, overlay, &overlay.package.file, source_date)?;
    for (path, file) in &mut plan.files {
        file.config |= overlay.package.config.iter().any(|glob| glob.covers(path))
            && matches!(file.kind, PlannedKind::Regular(_));
    }
    set_permissions(&mut plan, overlay, &overlay.package.permissions)?;
    Ok(plan)
}

struct Planner<'a> {
    deb: &'a Deb,
    overlay: &'a Overlay<'a>,
    names: &'a BTreeMap<String, String>,
    source_date: u32,
    plan: FilePlan,
    /// The overlay's globs that matched something.
    matched: BTreeSet<String>,
    /// Final path of each kept payload path (after usrmerge).
    finals: BTreeMap<String, String>,
}

impl Planner<'_> {
    fn take_payload(&mut self) -> Result<(), RepackError> {
        let deb = self.deb;
        for entry in deb.entries.iter().filter(|entry| entry.path != "/") {
            let path = merged_entry(entry);
            if let Some(planned) = self.copyright(entry, &path)? {
                self.explain(
                    &entry.path,
                    Some(&planned.path),
                    "the copyright file: %license".into(),
                );
                self.plan.files.insert(planned.path.clone(), planned);
                continue;
            }
            if let Some(rule) = self.drop_rule(&path) {
                self.explain(&entry.path, None, rule);
                continue;
            }
            let is_directory = entry.kind == EntryKind::Directory;
            if is_directory
                && self.overlay.defaults.shared_directories.iter().any(|glob| glob.matches(&path))
            {
                self.explain(&entry.path, None, "shared directory: owned by filesystem".into());
                continue;
            }
            let (target, reason) = self.final_path(&entry.path, &path);
            self.finals.insert(path.clone(), target.clone());
            if matches!(entry.kind, EntryKind::HardLink(_)) {
                // Resolved when every final path is known.
                continue;
            }
            let planned = self.planned(entry, &path, &target)?;
            self.explain(&entry.path, Some(&target), reason);
            self.insert(planned)?;
        }
        Ok(())
    }

    fn insert(&mut self, planned: PlannedFile) -> Result<(), RepackError> {
        match self.plan.files.get(&planned.path) {
            Some(first)
                if first.kind != PlannedKind::Directory
                    || planned.kind != PlannedKind::Directory =>
            {
                Err(rule_error(
                    self.overlay,
                    format!("two files of the .deb become {}", planned.path),
                ))
            }
            Some(_) => Ok(()),
            None => {
                self.plan.files.insert(planned.path.clone(), planned);
                Ok(())
            }
        }
    }

    fn explain(&mut self, from: &str, to: Option<&str>, reason: String) {
        self.plan.explanations.push(FileExplanation {
            source: Some(from.to_owned()),
            path: to.map(str::to_owned),
            package: None,
            reason,
        });
    }

    /// Versions that stand side by side must not share a file: its time would differ from what one of them records.
    fn copyright_name(&self) -> String {
        let provides = &self.overlay.package.provides;
        if provides.iter().any(|provide| provide.starts_with("installonlypkg(")) {
            format!("copyright-{}", self.deb.version())
        } else {
            "copyright".to_owned()
        }
    }

    /// The copyright file, or the link to another package's, becomes a licence file.
    fn copyright(&self, entry: &Entry, path: &str) -> Result<Option<PlannedFile>, RepackError> {
        let doc = format!("/usr/share/doc/{}", self.deb.name());
        let ours = format!("/usr/share/licenses/{}", self.overlay.our_name());
        let other_name =
            |debian: &str| self.names.get(debian).cloned().unwrap_or_else(|| debian.to_owned());
        let planned = if path == format!("{doc}/copyright") {
            let target = format!("{ours}/{}", self.copyright_name());
            let mut planned = match &entry.kind {
                EntryKind::HardLink(_) | EntryKind::Directory | EntryKind::Special(_) => {
                    return Ok(None);
                }
                EntryKind::File(_) | EntryKind::Symlink(_) => self.planned(entry, path, &target)?,
            };
            if let PlannedKind::Symlink(link) = &mut planned.kind {
                let absolute = absolute_target(path, link);
                if let Some(debian) = absolute
                    .strip_prefix("/usr/share/doc/")
                    .and_then(|rest| rest.strip_suffix("/copyright"))
                {
                    *link = format!("../{}/copyright", other_name(debian));
                }
            }
            planned
        } else if path == doc
            && let EntryKind::Symlink(link) = &entry.kind
        {
            let absolute = absolute_target(path, link);
            let Some(debian) = absolute.strip_prefix("/usr/share/doc/") else { return Ok(None) };
            let mut planned = self.planned(entry, path, &ours)?;
            planned.kind = PlannedKind::Symlink(other_name(debian));
            planned
        } else {
            return Ok(None);
        };
        let is_regular = matches!(planned.kind, PlannedKind::Regular(_));
        Ok(Some(PlannedFile { license: is_regular, ..planned }))
    }

    fn drop_rule(&mut self, path: &str) -> Option<String> {
        let covering = |globs: &[Glob]| {
            globs.iter().find(|glob| glob.covers(path)).map(|glob| glob.as_str().to_owned())
        };
        let own = covering(&self.overlay.package.drop);
        let rule = match (&own, covering(&self.overlay.defaults.drop)) {
            (Some(glob), _) => format!("dropped by the overlay: `{glob}`"),
            (None, Some(glob)) => format!("dropped by the defaults: `{glob}`"),
            (None, None) => return None,
        };
        self.matched.extend(own);
        if let Some(glob) = covering(&self.overlay.package.keep) {
            self.matched.insert(glob);
            return None;
        }
        if covering(&self.overlay.defaults.keep).is_some() {
            return None;
        }
        Some(rule)
    }

    fn final_path(&self, original: &str, path: &str) -> (String, String) {
        for (from, to) in &self.overlay.package.moves {
            if let Some(rest) = path
                .strip_prefix(from.as_str())
                .filter(|rest| rest.is_empty() || rest.starts_with('/'))
            {
                return (format!("{to}{rest}"), "moved by the overlay".into());
            }
        }
        let reason = if original == path { "kept" } else { "kept (usrmerge)" };
        (path.to_owned(), reason.to_owned())
    }

    fn planned(
        &self,
        entry: &Entry,
        merged_path: &str,
        target: &str,
    ) -> Result<PlannedFile, RepackError> {
        let mut entry_mode = entry.mode;
        let kind = match &entry.kind {
            EntryKind::File(bytes) => PlannedKind::Regular(bytes.clone()),
            EntryKind::Directory => PlannedKind::Directory,
            EntryKind::Symlink(link) => match self.linked_content(entry, link) {
                Some((bytes, mode)) => {
                    entry_mode = mode;
                    PlannedKind::Regular(bytes.to_vec())
                }
                None => PlannedKind::Symlink(moved_link(&entry.path, link, target, |to| {
                    self.final_path(to, to).0
                })),
            },
            EntryKind::HardLink(_) => PlannedKind::Regular(Vec::new()),
            EntryKind::Special(what) => {
                return Err(rule_error(
                    self.overlay,
                    format!("{merged_path} is a {what} (expected a file, directory or link)"),
                ));
            }
        };
        let mode = if matches!(kind, PlannedKind::Symlink(_)) { 0o777 } else { entry_mode };
        Ok(PlannedFile {
            path: target.to_owned(),
            kind,
            mode,
            user: self.owner(&entry.user, entry.uid, &USERS, &entry.path)?,
            group: self.owner(&entry.group, entry.gid, &GROUPS, &entry.path)?,
            mtime: u32::try_from(entry.mtime).unwrap_or(u32::MAX).min(self.source_date),
            caps: String::new(),
            config: false,
            license: false,
            verify_flags: u32::MAX,
        })
    }

    /// Returns content and mode of the file of the same `.deb` that a symbolic link leads to, where links become copies.
    fn linked_content(&self, entry: &Entry, link: &str) -> Option<(&[u8], u16)> {
        if self.overlay.package.symlinks == Symlinks::Keep {
            return None;
        }
        let wanted = absolute_target(&entry.path, link);
        let found = self.deb.entries.iter().find(|other| merged(&other.path) == wanted)?;
        match &found.kind {
            EntryKind::File(bytes) => Some((bytes, found.mode)),
            _ => None,
        }
    }

    fn owner(
        &self,
        name: &str,
        id: u64,
        table: &[(u64, &str)],
        path: &str,
    ) -> Result<String, RepackError> {
        if !name.is_empty() {
            return Ok(name.to_owned());
        }
        let known =
            table.iter().find(|(known, _)| *known == id).map(|(_, name)| (*name).to_owned());
        known.ok_or_else(|| {
            rule_error(
                self.overlay,
                format!(
                    "{path} belongs to id {id}, which has no name (expected one of base-passwd's)"
                ),
            )
        })
    }

    fn resolve_hard_links(&mut self) -> Result<(), RepackError> {
        let deb = self.deb;
        for entry in &deb.entries {
            let EntryKind::HardLink(first) = &entry.kind else { continue };
            let path = merged(&entry.path);
            let Some(target) = self.finals.get(&path).cloned() else { continue };
            let first_path = merged(first);
            let mut planned = self.planned(entry, &path, &target)?;
            let kept = self
                .finals
                .get(&first_path)
                .filter(|_| self.overlay.package.hard_links == HardLinks::Symlink);
            let reason = if let Some(kept) = kept {
                planned.kind = PlannedKind::Symlink(relative_link(&target, kept));
                planned.mode = 0o777;
                format!("hard link: symbolic link to {kept}")
            } else {
                let content = deb.entries.iter().find_map(|other| match &other.kind {
                    EntryKind::File(bytes) if other.path == *first => Some(bytes.clone()),
                    _ => None,
                });
                let content = content.ok_or_else(|| {
                    rule_error(
                        self.overlay,
                        format!(
                            "{} is a hard link to {first}, which the .deb does not have",
                            entry.path
                        ),
                    )
                })?;
                planned.kind = PlannedKind::Regular(content);
                format!("hard link: copy of {first}")
            };
            self.explain(&entry.path, Some(&target), reason);
            self.insert(planned)?;
        }
        Ok(())
    }

    fn check_moves(&self) -> Result<(), RepackError> {
        for from in self.overlay.package.moves.keys() {
            let below = format!("{from}/");
            if !self.finals.keys().any(|path| path == from || path.starts_with(&below)) {
                return Err(rule_error(
                    self.overlay,
                    format!("`move` of {from}: the .deb has no such file (or a `drop` takes it)"),
                ));
            }
        }
        Ok(())
    }
}

/// Returns the path after usrmerge. The links `/bin`, `/lib`… themselves stay.
pub fn merged(path: &str) -> String {
    let is_merged = ["/bin/", "/sbin/", "/lib/", "/lib32/", "/lib64/", "/libx32/"]
        .iter()
        .any(|top| path.starts_with(top));
    if is_merged { format!("/usr{path}") } else { path.to_owned() }
}

/// A directory `/lib` of an old package is `/usr/lib` too; the link `/lib` stays what it is.
fn merged_entry(entry: &Entry) -> String {
    match entry.kind {
        EntryKind::Directory => {
            merged(&format!("{}/", entry.path)).trim_end_matches('/').to_owned()
        }
        EntryKind::File(_)
        | EntryKind::Symlink(_)
        | EntryKind::HardLink(_)
        | EntryKind::Special(_) => merged(&entry.path),
    }
}

/// Returns what a symbolic link at `path` points to, as an absolute path.
pub fn absolute_target(path: &str, link: &str) -> String {
    let directory = path.rsplit_once('/').map_or("", |(directory, _)| directory);
    let joined =
        if link.starts_with('/') { link.to_owned() } else { format!("{directory}/{link}") };
    let mut parts: Vec<&str> = Vec::new();
    for part in joined.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

/// A relative link keeps its meaning when the file moves to another directory.
fn moved_link(
    original: &str,
    link: &str,
    target: &str,
    final_path: impl Fn(&str) -> String,
) -> String {
    let directory = |path: &str| {
        path.rsplit_once('/').map_or(String::new(), |(directory, _)| directory.to_owned())
    };
    if link.starts_with('/') || directory(original) == directory(target) {
        return link.to_owned();
    }
    relative_link(target, &final_path(&merged(&absolute_target(original, link))))
}

/// Returns the relative link text from `from` to `to`.
fn relative_link(from: &str, to: &str) -> String {
    let from: Vec<&str> = from.split('/').skip(1).collect();
    let to: Vec<&str> = to.split('/').skip(1).collect();
    let n_common = from
        .iter()
        .take(from.len() - 1)
        .zip(to.iter().take(to.len() - 1))
        .take_while(|(a, b)| a == b)
        .count();
    let up = vec![".."; from.len() - 1 - n_common];
    up.into_iter().chain(to[n_common..].iter().copied()).collect::<Vec<_>>().join("/")
}

/// Directories that had something in them and have nothing left.
fn remove_emptied_directories(deb: &Deb, overlay: &Overlay<'_>, plan: &mut FilePlan) {
    let mut had_content = BTreeSet::new();
    for entry in &deb.entries {
        let path = merged_entry(entry);
        had_content.extend(path.match_indices('/').map(|(end, _)| path[..end].to_owned()));
    }
    let directories: Vec<String> = plan
        .files
        .values()
        .filter(|file| file.kind == PlannedKind::Directory)
        .map(|file| file.path.clone())
        .collect();
    // Deepest first, so that a parent is looked at after its children are gone.
    for directory in directories.into_iter().rev() {
        let below = format!("{directory}/");
        let is_empty = plan
            .files
            .range(below.clone()..)
            .next()
            .is_none_or(|(path, _)| !path.starts_with(&below));
        let is_wanted = overlay.package.keep.iter().any(|glob| glob.matches(&directory));
        if is_empty && had_content.contains(&directory) && !is_wanted {
            plan.files.remove(&directory);
            let row =
                plan.explanations.iter_mut().find(|row| row.path.as_deref() == Some(&directory));
            if let Some(row) = row {
                row.path = None;
                row.reason = "empty after the drops".into();
            }
        }
    }
}

fn add_files(
    plan: &mut FilePlan,
    overlay: &Overlay<'_>,
    added: &[AddedFile],
    source_date: u32,
) -> Result<(), RepackError> {
    for file in added {
        let (kind, origin) = match file.kind {
            AddedKind::Dir => (PlannedKind::Directory, "a directory of ours".to_owned()),
            AddedKind::Ghost => (PlannedKind::Ghost, "%ghost".to_owned()),
            AddedKind::Symlink => {
                let target = file.target.clone().unwrap_or_default();
                let origin = format!("link of ours to {target}");
                (PlannedKind::Symlink(target), origin)
            }
            AddedKind::File => match (&file.content, &file.bytes, &file.source) {
                (Some(text), _, _) => (
                    PlannedKind::Regular(text.clone().into_bytes()),
                    "text in the overlay".to_owned(),
                ),
                (None, Some(bytes), source) => (
                    PlannedKind::Regular(bytes.clone()),
                    format!("distro/files/{}", source.as_deref().unwrap_or_default()),
                ),
                (None, None, source) => {
                    return Err(rule_error(
                        overlay,
                        format!("source {} was not read", source.as_deref().unwrap_or_default()),
                    ));
                }
            },
        };
        let existing = plan.files.get(&file.path);
        // A directory of both is the overlay's: it may be there only because everything in it is dropped.
        let is_same_directory = kind == PlannedKind::Directory
            && existing.is_some_and(|file| file.kind == PlannedKind::Directory);
        let existing = existing.is_some();
        if existing != file.replace && !is_same_directory {
            let what = if existing {
                "is in the .deb already (expected `replace = true`, `drop` or another path)"
            } else {
                "replaces nothing (expected a file of the .deb there)"
            };
            return Err(rule_error(overlay, format!("added file {} {what}", file.path)));
        }
        if let Some(row) = plan
            .explanations
            .iter_mut()
            .find(|row| existing && row.path.as_deref() == Some(&file.path))
        {
            row.path = None;
            row.reason = "replaced by the overlay".into();
        }
        let default_mode = match kind {
            PlannedKind::Directory => 0o755,
            PlannedKind::Symlink(_) => 0o777,
            PlannedKind::Regular(_) | PlannedKind::Ghost => 0o644,
        };
        let planned = PlannedFile {
            path: file.path.clone(),
            kind,
            mode: file.mode.map_or(default_mode, |mode| mode.0),
            user: file.user.clone().unwrap_or_else(|| "root".into()),
            group: file.group.clone().unwrap_or_else(|| "root".into()),
            mtime: source_date,
            caps: file.caps.clone().unwrap_or_default(),
            config: file.config,
            license: false,
            verify_flags: file.not_verified.iter().fold(u32::MAX, |all, one| all & !one.bit()),
        };
        plan.files.insert(file.path.clone(), planned);
        plan.explanations.push(FileExplanation {
            source: None,
            path: Some(file.path.clone()),
            package: None,
            reason: format!("added: {origin}"),
        });
    }
    Ok(())
}

fn mark_configuration(deb: &Deb, overlay: &Overlay<'_>, plan: &mut FilePlan) {
    let package = &overlay.package;
    let mut conffiles = BTreeSet::new();
    for conffile in &deb.conffiles {
        let path = merged(conffile);
        let moved = plan
            .explanations
            .iter()
            .find(|row| row.source.as_deref() == Some(conffile))
            .and_then(|row| row.path.clone());
        conffiles.insert(moved.unwrap_or(path));
    }
    let mut matched = BTreeSet::new();
    for (path, file) in &mut plan.files {
        if !matches!(file.kind, PlannedKind::Regular(_) | PlannedKind::Ghost) {
            continue;
        }
        let mut covered = |globs: &[Glob]| {
            let glob = globs.iter().find(|glob| glob.covers(path));
            matched.extend(glob.map(|glob| glob.as_str().to_owned()));
            glob.is_some()
        };
        let wanted = file.config || conffiles.contains(path) || covered(&package.config);
        file.config = wanted && !covered(&package.not_config);
    }
    for glob in package
        .config
        .iter()
        .chain(&package.not_config)
        .filter(|glob| !matched.contains(glob.as_str()))
    {
        plan.warnings.push(format!(
            "`{}` (config) matches no file of {}",
            glob.as_str(),
            deb.name()
        ));
    }
}

fn set_permissions(
    plan: &mut FilePlan,
    overlay: &Overlay<'_>,
    permissions: &BTreeMap<String, Permissions>,
) -> Result<(), RepackError> {
    for (text, wanted) in permissions {
        let glob = Glob::parse(text).map_err(|what| rule_error(overlay, what))?;
        let mut found = false;
        for (_, file) in plan.files.iter_mut().filter(|(path, _)| glob.matches(path)) {
            found = true;
            if let Some(mode) = wanted.mode {
                file.mode = mode.0;
            }
            file.user = wanted.user.clone().unwrap_or_else(|| file.user.clone());
            file.group = wanted.group.clone().unwrap_or_else(|| file.group.clone());
            file.caps = wanted.caps.clone().unwrap_or_else(|| file.caps.clone());
        }
        if !found {
            return Err(rule_error(
                overlay,
                format!("`permissions` of `{text}`: no file has that path"),
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths() {
        let table = [
            ("/bin/ls", "/usr/bin/ls"),
            ("/lib64/ld.so", "/usr/lib64/ld.so"),
            ("/lib", "/lib"),
            ("/library/x", "/library/x"),
            ("/usr/lib/x", "/usr/lib/x"),
        ];
        for (path, expected) in table {
            assert_eq!(merged(path), expected);
        }
    }

    #[test]
    fn links() {
        assert_eq!(relative_link("/usr/bin/b", "/usr/bin/a"), "a");
        assert_eq!(relative_link("/usr/sbin/b", "/usr/lib/x/a"), "../lib/x/a");
        assert_eq!(relative_link("/b", "/usr/a"), "usr/a");
        let stays = |path: &str| path.to_owned();
        assert_eq!(moved_link("/lib/x/b", "../../etc/a", "/usr/lib/x/b", stays), "../../../etc/a");
        assert_eq!(moved_link("/lib/x/b", "../y/a", "/usr/lib/x/b", stays), "../y/a");
        assert_eq!(moved_link("/usr/lib/b", "a", "/usr/lib/c", stays), "a");
        assert_eq!(moved_link("/usr/a/b", "c", "/usr/z/b", |path| path.replace("/a/", "/z/")), "c");
        assert_eq!(
            absolute_target("/usr/share/doc/x", "gcc-14-base"),
            "/usr/share/doc/gcc-14-base"
        );
    }
}
