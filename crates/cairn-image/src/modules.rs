// SPDX-License-Identifier: MIT OR Apache-2.0
//! Kernel modules: which files a list of module names needs, from `modules.dep` and its companions.

use std::collections::{BTreeMap, BTreeSet};

/// The dependency tables of one `/usr/lib/modules/VERSION` directory.
#[derive(Debug, Clone, Default)]
pub struct ModuleIndex {
    /// Path relative to the directory → paths it needs.
    needs: BTreeMap<String, Vec<String>>,
    /// Module name (`_`, never `-`) → path.
    paths: BTreeMap<String, String>,
    /// Names that are compiled into the kernel.
    builtin: BTreeSet<String>,
    /// Module name → names to load before or after it.
    soft: BTreeMap<String, Vec<String>>,
}

/// What a list of names needs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ModuleClosure {
    /// Module files relative to `/usr/lib/modules/VERSION`, sorted.
    pub files: Vec<String>,
    /// Names asked for that are neither a module nor compiled in, sorted.
    pub missing: Vec<String>,
}

impl ModuleIndex {
    /// Reads the tables: `modules.dep`, `modules.builtin` and `modules.softdep` (the last two may be empty).
    pub fn parse(modules_dep: &str, modules_builtin: &str, modules_softdep: &str) -> Self {
        let mut index = Self::default();
        for line in modules_dep.lines() {
            let Some((path, needed)) = line.split_once(':') else { continue };
            index.paths.insert(module_name(path), path.to_owned());
            index
                .needs
                .insert(path.to_owned(), needed.split_whitespace().map(str::to_owned).collect());
        }
        index.builtin = modules_builtin.lines().map(module_name).collect();
        for line in modules_softdep.lines() {
            let mut words = line.split_whitespace();
            if words.next() != Some("softdep") {
                continue;
            }
            let Some(name) = words.next() else { continue };
            let names = words.filter(|word| !matches!(*word, "pre:" | "post:")).map(module_name);
            index.soft.entry(module_name(name)).or_default().extend(names);
        }
        index
    }

    /// Returns every file that `wanted` (module names, or directory prefixes ending in `/` such as
    /// `kernel/drivers/nvme/`) needs, soft dependencies included.
    pub fn closure(&self, wanted: &[&str]) -> ModuleClosure {
        let mut files = BTreeSet::new();
        let mut missing = BTreeSet::new();
        let mut queue = Vec::new();
        for name in wanted {
            let found: Vec<&String> = if name.ends_with('/') {
                self.needs.keys().filter(|path| path.starts_with(name)).collect()
            } else {
                self.paths.get(&module_name(name)).into_iter().collect()
            };
            if found.is_empty() && !self.builtin.contains(&module_name(name)) {
                missing.insert((*name).to_owned());
            }
            queue.extend(found);
        }
        while let Some(path) = queue.pop() {
            if !files.insert(path.clone()) {
                continue;
            }
            queue.extend(self.needs.get(path).into_iter().flatten());
            let soft = self.soft.get(&module_name(path)).into_iter().flatten();
            queue.extend(soft.filter_map(|name| self.paths.get(name)));
        }
        ModuleClosure { files: files.into_iter().collect(), missing: missing.into_iter().collect() }
    }
}

/// Returns the module name of a path or name: no directory, no `.ko…`, `-` as `_`.
fn module_name(path: &str) -> String {
    let file = path.rsplit('/').next().unwrap_or(path);
    file.split(".ko").next().unwrap_or(file).replace('-', "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEP: &str = "\
kernel/fs/ext4/ext4.ko.xz: kernel/fs/jbd2/jbd2.ko.xz kernel/lib/crc16.ko.xz
kernel/fs/jbd2/jbd2.ko.xz:
kernel/lib/crc16.ko.xz:
kernel/lib/libcrc32c.ko.xz:
kernel/arch/x86/crypto/crc32c-intel.ko.xz:
kernel/drivers/nvme/host/nvme.ko.xz: kernel/drivers/nvme/host/nvme-core.ko.xz
kernel/drivers/nvme/host/nvme-core.ko.xz:
";

    #[test]
    fn closures() {
        let index = ModuleIndex::parse(
            DEP,
            "kernel/fs/fat/vfat.ko\n",
            "# soft\nsoftdep jbd2 pre: crc32c-intel absent\n",
        );
        let check = |wanted: &[&str], files: &[&str], missing: &[&str]| {
            let closure = index.closure(wanted);
            let names: Vec<String> = closure.files.iter().map(|path| module_name(path)).collect();
            assert_eq!(names, files, "{wanted:?}");
            assert_eq!(closure.missing, missing, "{wanted:?}");
        };
        check(&["ext4"], &["crc32c_intel", "ext4", "jbd2", "crc16"], &[]);
        check(&["nvme-core", "nvme_core"], &["nvme_core"], &[]);
        check(&["kernel/drivers/nvme/"], &["nvme_core", "nvme"], &[]);
        check(&["vfat", "zfs"], &[], &["zfs"]);
        check(&["kernel/none/"], &[], &["kernel/none/"]);
    }
}
