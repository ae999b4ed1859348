// SPDX-License-Identifier: MIT OR Apache-2.0
//! Relocation: the files of a package at other places than it says (`--prefix`, `--relocate`).
//!
//! As in rpm, the header keeps its region as it was signed; the new file names follow it, together
//! with the names in the payload (`ORIGBASENAMES`…) and the prefixes that scriptlets are told
//! (`INSTPREFIXES`).

use super::check::check_files;
use super::{Header, Value, Values};
use crate::error::Error;
use crate::tag;

/// One directory or file, and where it goes instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relocation {
    /// Absolute path in the package.
    pub old: String,
    /// Absolute path in its place.
    pub new: String,
}

impl Relocation {
    /// Makes one; slashes at the ends do not count.
    pub fn new(old: &str, new: &str) -> Self {
        let trimmed = |path: &str| match path.trim_end_matches('/') {
            "" => "/".to_owned(),
            path => path.to_owned(),
        };
        Self { old: trimmed(old), new: trimmed(new) }
    }

    /// Returns what follows the old path in `path`, which is it or lies below it.
    fn rest<'p>(&self, path: &'p str) -> Option<&'p str> {
        let old = if self.old == "/" { "" } else { &self.old };
        path.strip_prefix(old).filter(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    fn applied(&self, rest: &str) -> String {
        format!("{}{rest}", self.new.trim_end_matches('/'))
    }
}

impl Header {
    /// Returns the places that the package's files may be moved from (`Prefix:`).
    pub fn prefixes(&self) -> Vec<&str> {
        self.strings(tag::PREFIXES)
    }

    /// Returns the places where the prefixes lie, as scriptlets see them in `RPM_INSTALL_PREFIX`.
    pub fn install_prefixes(&self) -> Vec<&str> {
        match self.strings(tag::INSTPREFIXES) {
            moved if moved.is_empty() => self.prefixes(),
            moved => moved,
        }
    }

    /// Returns the header with its files at other places, `None` where it would be the same; `relocations` may name paths that are no
    /// prefix of the package.
    ///
    /// A relocation of a directory holds for everything below it, the innermost one first.
    ///
    /// # Errors
    /// A path is no longer one that packages can have.
    pub fn relocated(&self, relocations: &[Relocation]) -> Result<Option<Self>, Error> {
        let mut sorted = relocations.to_vec();
        sorted.sort_by(|a, b| a.old.cmp(&b.old));
        let mut values = Values::new();
        let prefixes = self.prefixes().into_iter().map(|prefix| {
            let moved = sorted.iter().find(|relocation| relocation.old == prefix);
            moved.map_or(prefix, |relocation| relocation.new.as_str()).to_owned()
        });
        let prefixes: Vec<String> = prefixes.collect();
        if prefixes.is_empty() && sorted.is_empty() {
            return Ok(None);
        }
        values.insert(tag::INSTPREFIXES, Value::StringArray(prefixes));
        if let Some(names) = Names::of(self).moved(&sorted) {
            values.extend(names);
        }
        let header = Self::parse(&self.to_rpmdb_blob(&values))?;
        check_files(&header.files(), false)?;
        Ok(Some(header))
    }

    /// Returns the paths that the payload has the files under: those from before a relocation.
    pub(crate) fn paths_in_payload(&self) -> Vec<String> {
        let directories = self.strings(tag::ORIGDIRNAMES);
        if directories.is_empty() {
            return self.paths();
        }
        let indexes = self.u32s(tag::ORIGDIRINDEXES);
        let names = self.strings(tag::ORIGBASENAMES).into_iter();
        let directory = |index: u32| directories.get(index as usize).copied().unwrap_or_default();
        names.zip(indexes).map(|(name, index)| format!("{}{name}", directory(index))).collect()
    }
}

/// A file list as headers store it.
struct Names<'h> {
    header: &'h Header,
    directories: Vec<String>,
    indexes: Vec<u32>,
    names: Vec<String>,
}

impl<'h> Names<'h> {
    fn of(header: &'h Header) -> Self {
        let owned = |tag| header.strings(tag).into_iter().map(str::to_owned).collect();
        Self {
            header,
            directories: owned(tag::DIRNAMES),
            indexes: header.u32s(tag::DIRINDEXES),
            names: owned(tag::BASENAMES),
        }
    }

    /// Returns the tags that change, none where no file is moved.
    fn moved(mut self, relocations: &[Relocation]) -> Option<Values> {
        // Those that are named themselves, then what lies below others, by its directory.
        let n_directories = self.directories.len();
        for (at, path) in self.header.paths().iter().enumerate() {
            let Some((relocation, "")) = innermost(relocations, path) else { continue };
            let (directory, name) =
                relocation.new.rsplit_once('/').unwrap_or(("", &relocation.new));
            let directory = format!("{directory}/");
            name.clone_into(&mut self.names[at]);
            let known = self.directories.iter().position(|known| *known == directory);
            self.indexes[at] = known.unwrap_or_else(|| {
                self.directories.push(directory);
                self.directories.len() - 1
            }) as u32;
        }
        for directory in &mut self.directories[..n_directories] {
            let path = directory.trim_end_matches('/');
            if let Some((relocation, rest)) = innermost(relocations, path) {
                *directory = format!("{}/", relocation.applied(rest).trim_end_matches('/'));
            }
        }
        let old = [
            (tag::DIRNAMES, tag::ORIGDIRNAMES),
            (tag::DIRINDEXES, tag::ORIGDIRINDEXES),
            (tag::BASENAMES, tag::ORIGBASENAMES),
        ];
        let is_moved = self.header.strings(tag::DIRNAMES) != self.directories
            || self.header.strings(tag::BASENAMES) != self.names;
        let old = old.into_iter().filter_map(|(from, to)| Some((to, self.header.value(from)?)));
        let mut values: Values = old.collect();
        values.insert(tag::DIRNAMES, Value::StringArray(self.directories));
        values.insert(tag::DIRINDEXES, Value::Int32(self.indexes));
        values.insert(tag::BASENAMES, Value::StringArray(self.names));
        is_moved.then_some(values)
    }
}

/// Returns the relocation that holds for a path, and what follows its old path; `relocations` are sorted.
fn innermost<'r, 'p>(
    relocations: &'r [Relocation],
    path: &'p str,
) -> Option<(&'r Relocation, &'p str)> {
    relocations.iter().rev().find_map(|relocation| Some((relocation, relocation.rest(path)?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{build, parse, small_spec};

    fn moved(relocations: &[(&str, &str)]) -> Header {
        let header = parse(&build(&small_spec())).unwrap().header;
        let relocations: Vec<_> =
            relocations.iter().map(|(old, new)| Relocation::new(old, new)).collect();
        header.relocated(&relocations).unwrap().unwrap()
    }

    #[test]
    fn the_innermost_relocation_holds() {
        let header = moved(&[("/usr", "/opt/"), ("/usr/share/small/a", "/etc/b")]);
        assert_eq!(header.paths(), ["/opt/share/small", "/etc/b", "/opt/share/small/link"]);
        let original = ["/usr/share/small", "/usr/share/small/a", "/usr/share/small/link"];
        assert_eq!(header.paths_in_payload(), original);
        assert_eq!(header.strings(tag::ORIGBASENAMES), ["small", "a", "link"]);
        assert!(!header.has(tag::INSTPREFIXES), "the package has no prefix");
    }

    #[test]
    fn to_and_from_the_root_directory() {
        assert_eq!(moved(&[("/usr/share", "/")]).paths(), ["/small", "/small/a", "/small/link"]);
        let below = moved(&[("/", "/new")]).paths();
        assert_eq!(below[1], "/new/usr/share/small/a");
        let same = moved(&[("/usr/shar", "/x")]);
        assert_eq!(same.paths()[1], "/usr/share/small/a");
        assert!(!same.has(tag::ORIGBASENAMES));
    }

    #[test]
    fn paths_that_packages_cannot_have_are_refused() {
        let header = parse(&build(&small_spec())).unwrap().header;
        let up = header.relocated(&[Relocation::new("/usr", "/../x")]);
        assert!(matches!(up, Err(Error::UnsafePath { .. })), "{up:?}");
        assert_eq!(header.relocated(&[]).unwrap(), None);
    }

    #[test]
    fn a_moved_header_goes_through_the_database() {
        let header = moved(&[("/usr/share/small", "/srv")]);
        let again = Header::parse(&header.to_rpmdb_blob(&Values::new())).unwrap();
        assert_eq!(again.paths(), ["/srv", "/srv/a", "/srv/link"]);
        assert_eq!(again.string(tag::NAME), Some("small"));
    }
}
