// SPDX-License-Identifier: MIT OR Apache-2.0
//! The dependency lists of a header.

use super::Header;
use crate::dependency::Dependency;
use crate::error::Error;
use crate::tag;

/// One list: what it is called and its three parallel tags.
pub(super) struct List {
    pub kind: &'static str,
    pub names: u32,
    pub flags: u32,
    pub versions: u32,
}

macro_rules! lists {
    ($($(#[$doc:meta])* $method:ident, $kind:literal, $names:ident, $flags:ident, $versions:ident;)*) => {
        /// All lists, for checking.
        pub(super) const LISTS: &[List] = &[$(List {
            kind: $kind, names: tag::$names, flags: tag::$flags, versions: tag::$versions,
        },)*];

        impl Header {
            $($(#[$doc])* pub fn $method(&self) -> Vec<Dependency> {
                self.dependencies(tag::$names, tag::$flags, tag::$versions)
            })*
        }
    };
}

lists! {
    /// Returns what the package needs, `rpmlib(…)` features included.
    requires, "requires", REQUIRENAME, REQUIREFLAGS, REQUIREVERSION;
    /// Returns the capabilities the package offers; its files are offered too, but not listed.
    provides, "provides", PROVIDENAME, PROVIDEFLAGS, PROVIDEVERSION;
    /// Returns what must not be installed at the same time.
    conflicts, "conflicts", CONFLICTNAME, CONFLICTFLAGS, CONFLICTVERSION;
    /// Returns what the package replaces.
    obsoletes, "obsoletes", OBSOLETENAME, OBSOLETEFLAGS, OBSOLETEVERSION;
    /// Returns what is installed along unless it is impossible or unwanted.
    recommends, "recommends", RECOMMENDNAME, RECOMMENDFLAGS, RECOMMENDVERSION;
    /// Returns what might be of interest.
    suggests, "suggests", SUGGESTNAME, SUGGESTFLAGS, SUGGESTVERSION;
    /// Returns what this package is recommended for (reverse recommends).
    supplements, "supplements", SUPPLEMENTNAME, SUPPLEMENTFLAGS, SUPPLEMENTVERSION;
    /// Returns what this package is suggested for (reverse suggests).
    enhances, "enhances", ENHANCENAME, ENHANCEFLAGS, ENHANCEVERSION;
    /// Returns what orders the transaction without being needed.
    order_with_requires, "order", ORDERNAME, ORDERFLAGS, ORDERVERSION;
}

impl Header {
    /// Unreadable dependencies were refused when the header was read (see [`check_list`]).
    pub(super) fn dependencies(&self, names: u32, flags: u32, versions: u32) -> Vec<Dependency> {
        let names = self.strings(names).into_iter();
        names
            .zip(self.u32s(flags))
            .zip(self.strings(versions))
            .filter_map(|((name, flags), evr)| Dependency::from_header(name, flags, evr).ok())
            .collect()
    }
}

/// Refuses lists whose three tags differ in length, and dependencies that cannot be read.
pub(super) fn check_list(header: &Header, list: &List) -> Result<(), Error> {
    let expected = header.count(list.names);
    for tag in [list.flags, list.versions] {
        let found = header.count(tag);
        if found != expected {
            return Err(Error::Lists { expected, found, tag });
        }
    }
    let names = header.strings(list.names).into_iter();
    let lists = names.zip(header.u32s(list.flags)).zip(header.strings(list.versions));
    for ((name, flags), evr) in lists {
        let dependency = Dependency::from_header(name, flags, evr).and_then(|dependency| {
            if dependency.is_rich() { Dependency::parse(name) } else { Ok(dependency) }
        });
        dependency.map_err(|source| Error::Dependency { kind: list.kind, source })?;
    }
    Ok(())
}
