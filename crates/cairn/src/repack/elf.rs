// SPDX-License-Identifier: MIT OR Apache-2.0
//! Sonames and symbol versions of ELF files, as rpm's dependency generator writes them: `libfoo.so.1(VERSION)(64bit)`.
//!
//! Unlike rpm's generator it does not write `rtld(GNU_HASH)`, and libraries outside the loader's directories provide nothing.

use std::collections::BTreeSet;

use goblin::elf::Elf;
use goblin::elf::header::{EM_386, EM_X86_64, ET_DYN, ET_EXEC};

/// Directories in which the dynamic loader finds a library by its soname alone.
pub const LOADER_DIRECTORIES: [&str; 3] = ["/usr/lib/x86_64-linux-gnu", "/usr/lib64", "/usr/lib"];

/// `VER_FLG_BASE`: the version definition that only repeats the soname.
const VERSION_FLAG_BASE: u16 = 1;

/// What an ELF file gives to and wants from others.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ElfSymbols {
    /// `DT_SONAME`.
    pub soname: Option<String>,
    /// Names it would provide from a directory of the loader.
    pub provides: BTreeSet<String>,
    /// Names it needs, with the soname each belongs to.
    pub requires: BTreeSet<(String, String)>,
    /// Whether it has a `RUNPATH` or `RPATH` outside the loader's directories.
    pub has_private_runpath: bool,
}

/// Reads an ELF file; `None` for other files, relocatable ones, static ones and other machines' ones.
pub fn inspect(bytes: &[u8]) -> Option<ElfSymbols> {
    if !bytes.starts_with(b"\x7fELF") {
        return None;
    }
    let elf = Elf::parse(bytes).ok()?;
    let marker = match elf.header.e_machine {
        EM_X86_64 if elf.is_64 => "(64bit)",
        EM_386 => "",
        _ => return None,
    };
    if !matches!(elf.header.e_type, ET_DYN | ET_EXEC) || elf.dynamic.is_none() {
        return None;
    }
    let name = |library: &str, version: &str| match (version, marker) {
        ("", "") => library.to_owned(),
        (version, marker) => format!("{library}({version}){marker}"),
    };
    let text = |offset: usize| elf.dynstrtab.get_at(offset).unwrap_or_default();
    let mut symbols = ElfSymbols { soname: elf.soname.map(str::to_owned), ..ElfSymbols::default() };
    if let Some(soname) = elf.soname {
        symbols.provides.insert(name(soname, ""));
        for definition in elf
            .verdef
            .iter()
            .flatten()
            .filter(|definition| definition.vd_flags & VERSION_FLAG_BASE == 0)
        {
            // The first auxiliary entry is the version itself, further ones are those it follows.
            if let Some(version) = definition.iter().next() {
                symbols.provides.insert(name(soname, text(version.vda_name)));
            }
        }
    }
    for library in &elf.libraries {
        symbols.requires.insert((name(library, ""), (*library).to_owned()));
    }
    for need in elf.verneed.iter().flatten() {
        let library = text(need.vn_file);
        for version in &need {
            symbols.requires.insert((name(library, text(version.vna_name)), library.to_owned()));
        }
    }
    let paths = elf.runpaths.iter().chain(&elf.rpaths).flat_map(|path| path.split(':'));
    symbols.has_private_runpath = paths
        .filter(|path| !path.is_empty())
        .any(|path| !LOADER_DIRECTORIES.contains(&path.trim_end_matches('/')));
    Some(symbols)
}

/// Returns whether a file at `path` is found by its soname alone.
pub fn is_in_loader_directory(path: &str) -> bool {
    path.rsplit_once('/').is_some_and(|(directory, _)| LOADER_DIRECTORIES.contains(&directory))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_test_program() {
        let program = std::fs::read("/proc/self/exe").unwrap();
        let symbols = inspect(&program).unwrap();
        assert!(
            symbols.requires.iter().any(|(name, _)| name == "libc.so.6()(64bit)"),
            "{symbols:?}"
        );
        assert!(symbols.requires.iter().any(
            |(name, library)| name.starts_with("libc.so.6(GLIBC_2.") && library == "libc.so.6"
        ));
        assert_eq!(symbols.soname, None);
    }

    #[test]
    fn other_files() {
        assert_eq!(inspect(b"#!/bin/sh\n"), None);
        assert_eq!(inspect(b"\x7fELF and nothing more"), None);
    }

    #[test]
    fn directories() {
        assert!(is_in_loader_directory("/usr/lib/x86_64-linux-gnu/libc.so.6"));
        assert!(!is_in_loader_directory(
            "/usr/lib/x86_64-linux-gnu/systemd/libsystemd-shared-257.so"
        ));
    }
}
