// SPDX-License-Identifier: MIT OR Apache-2.0
//! The dependency closure of a set of Debian packages, for tools trees.
//!
//! No solving: the first alternative that exists is taken, conflicts are ignored, recommendations are not followed.
//! That is right for programs that only run from an unpacked tree, and wrong for an installed system.

use std::collections::{BTreeMap, BTreeSet};

use super::AptError;
use super::packages::{Index, IndexEntry, split_dependencies};

/// Returns the closure of `wanted` by name. `skipped` names are never followed (they configure an installed system).
pub fn closure<'a>(
    index: &'a Index,
    wanted: &[String],
    skipped: &BTreeSet<String>,
    suites: &str,
) -> Result<BTreeMap<String, &'a IndexEntry>, AptError> {
    let mut found = BTreeMap::new();
    let mut queue: Vec<(String, String)> = wanted
        .iter()
        .rev()
        .map(|name| (name.clone(), "named in distro/distro.toml".to_owned()))
        .collect();
    while let Some((name, wanted_by)) = queue.pop() {
        if found.contains_key(&name) || skipped.contains(&name) {
            continue;
        }
        let entry = index.get(&name).ok_or_else(|| AptError::UnknownPackage {
            name: name.clone(),
            suites: suites.to_owned(),
            wanted_by,
        })?;
        found.insert(name.clone(), entry);
        for group in split_dependencies(&entry.depends) {
            let known =
                |candidate: &str| found.contains_key(candidate) || skipped.contains(candidate);
            let satisfied = group
                .iter()
                .any(|a| known(a.name) || index.providers(a.name).iter().any(|p| known(p)));
            if satisfied {
                continue;
            }
            let choice = group.iter().find_map(|a| match index.get(a.name) {
                Some(_) => Some(a.name.to_owned()),
                None => index.providers(a.name).first().cloned(),
            });
            match choice {
                Some(choice) => queue.push((choice, format!("needed by {name}"))),
                None => {
                    return Err(AptError::UnknownPackage {
                        name: group.first().map_or("", |a| a.name).to_owned(),
                        suites: suites.to_owned(),
                        wanted_by: format!("needed by {name}"),
                    });
                }
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn follows_first_existing_alternative_and_virtual_packages() {
        let mut index = Index::default();
        let add = |index: &mut Index, name: &str, depends: &str, provides: &str| {
            index
                .add("s", &format!("Package: {name}\nVersion: 1\nArchitecture: all\nFilename: p\nSize: 1\nSHA256: 0\nDepends: {depends}\nProvides: {provides}\n"))
                .unwrap();
        };
        add(&mut index, "a", "missing | b, virtual, debconf", "");
        add(&mut index, "b", "a", "");
        add(&mut index, "p", "", "virtual");
        let skipped = BTreeSet::from(["debconf".to_owned()]);
        let names: Vec<String> =
            closure(&index, &["a".into()], &skipped, "s").unwrap().into_keys().collect();
        assert_eq!(names, ["a", "b", "p"]);
        let error = closure(&index, &["zz".into()], &skipped, "s").unwrap_err();
        assert_eq!(
            error.to_string(),
            "package zz is in none of the suites s (named in distro/distro.toml)"
        );
    }
}
