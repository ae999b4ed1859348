// SPDX-License-Identifier: MIT OR Apache-2.0
//! What administrators still type from dnf 4 and yum, as dnf5 spells it, with a note that says so.

use super::global_options::command_index;

/// Commands with one new word.
const RENAMED: [(&str, &str); 8] = [
    ("erase", "remove"),
    ("localinstall", "install"),
    ("localupdate", "upgrade"),
    ("update-to", "upgrade"),
    ("upgrade-to", "upgrade"),
    ("distrosync", "distro-sync"),
    ("distribution-synchronization", "distro-sync"),
    ("check-updates", "check-upgrade"),
];

/// Commands that became subcommands.
const SPLIT: [(&str, [&str; 2]); 10] = [
    ("grouplist", ["group", "list"]),
    ("groups", ["group", "list"]),
    ("groupinfo", ["group", "info"]),
    ("groupinstall", ["group", "install"]),
    ("groupupdate", ["group", "upgrade"]),
    ("groupremove", ["group", "remove"]),
    ("grouperase", ["group", "remove"]),
    ("upgrade-minimal", ["upgrade", "--minimal"]),
    ("update-minimal", ["upgrade", "--minimal"]),
    ("deplist", ["repoquery", "--requires"]),
];

/// Words after `list` and `info` that became options.
const LIST_WORDS: [&str; 8] = [
    "installed",
    "available",
    "upgrades",
    "updates",
    "extras",
    "obsoletes",
    "autoremove",
    "recent",
];

/// Returns the arguments in dnf5's spelling, and a note for each change.
pub fn translate(arguments: &[String], definition: &clap::Command) -> (Vec<String>, Vec<String>) {
    let Some(at) = command_index(arguments, definition) else {
        return (arguments.to_vec(), Vec::new());
    };
    let (before, rest) = arguments.split_at(at);
    let (command, after) = (rest[0].as_str(), &rest[1..]);
    let after: Vec<&str> = after.iter().map(String::as_str).collect();
    let Some(new) = respell(command, &after) else { return (arguments.to_vec(), Vec::new()) };
    let note = note(command, &after, &new);
    let mut out = before.to_vec();
    out.extend(new);
    (out, vec![note])
}

fn respell(command: &str, after: &[&str]) -> Option<Vec<String>> {
    let with = |words: &[&str], rest: &[&str]| {
        Some(words.iter().chain(rest).map(|word| (*word).to_owned()).collect::<Vec<String>>())
    };
    if let Some((_, new)) = RENAMED.iter().find(|(old, _)| *old == command) {
        return with(&[new], after);
    }
    if let Some((_, new)) = SPLIT.iter().find(|(old, _)| *old == command) {
        return with(new, after);
    }
    // The first word behind the command that is no option, and the words around it.
    let first = after.iter().position(|word| !word.starts_with('-'));
    let word = first.map(|index| after[index]);
    let others: Vec<&str> = match first {
        Some(index) => after[..index].iter().chain(&after[index + 1..]).copied().collect(),
        None => after.to_vec(),
    };
    let asks_help = after.iter().any(|word| matches!(*word, "-h" | "--help"));
    match (command, word) {
        ("list" | "info" | "ls" | "if", Some("all")) => with(&[command], &others),
        ("list" | "info" | "ls" | "if", Some(word)) if LIST_WORDS.contains(&word) => {
            with(&[command, &format!("--{word}")], &others)
        }
        ("repolist" | "repoinfo", Some(word @ ("all" | "enabled" | "disabled"))) => {
            with(&[command, &format!("--{word}")], &others)
        }
        ("history", Some("userinstalled")) => with(&["repoquery", "--userinstalled"], &others),
        ("history" | "group" | "grp" | "environment" | "advisory" | "versionlock", None)
            if !asks_help =>
        {
            with(&[command, "list"], after)
        }
        ("updateinfo", None) if !asks_help => with(&["advisory", "summary"], after),
        ("updateinfo" | "advisory", Some("list" | "info" | "summary")) => {
            advisory_words(command, word.unwrap_or_default(), &others)
        }
        ("mark", Some("install")) => with(&["mark", "user"], &others),
        ("mark", Some("remove")) => with(&["mark", "dependency"], &others),
        ("group" | "grp", Some("update")) => with(&["group", "upgrade"], &others),
        ("group" | "grp", Some("erase")) => with(&["group", "remove"], &others),
        ("versionlock", Some(word))
            if !matches!(word, "add" | "exclude" | "delete" | "clear" | "list") =>
        {
            with(&["versionlock", "add"], after)
        }
        ("config-manager", _) => config_manager(after),
        _ => None,
    }
}

/// `updateinfo list sec` and the like: the type of dnf 4 is a word, that of dnf5 an option.
fn advisory_words(command: &str, sub: &str, others: &[&str]) -> Option<Vec<String>> {
    let mut found = false;
    let mut out = vec![command.to_owned(), sub.to_owned()];
    for word in others {
        let option = match *word {
            "sec" | "security" => "--security",
            "bugfix" => "--bugfix",
            "enhancement" => "--enhancement",
            "newpackage" => "--newpackage",
            "cves" => "--with-cve",
            "bzs" | "bugzillas" => "--with-bz",
            "all" => "--all",
            "installed" => "--installed",
            "available" => "--available",
            "updates" => "--updates",
            other => {
                out.push(other.to_owned());
                continue;
            }
        };
        found = true;
        out.push(option.to_owned());
    }
    found.then_some(out)
}

/// `--add-repo`, `--enable`, `--disable` and `--save --setopt` of dnf 4's config-manager.
fn config_manager(after: &[&str]) -> Option<Vec<String>> {
    let value = |index: usize| {
        let word = after[index];
        word.split_once('=').map_or_else(|| after.get(index + 1).copied(), |(_, value)| Some(value))
    };
    let words = |list: &[&str]| {
        let list = ["config-manager"].iter().chain(list);
        Some(list.map(|word| (*word).to_owned()).collect())
    };
    for (index, word) in after.iter().enumerate() {
        let name = word.split('=').next().unwrap_or_default();
        match name {
            "--add-repo" => {
                let url = value(index)?;
                let is_file = url.ends_with(".repo");
                let argument = if is_file {
                    format!("--from-repofile={url}")
                } else {
                    format!("--set=baseurl={url}")
                };
                return words(&["addrepo", &argument]);
            }
            "--set-enabled" | "--enable" | "--set-disabled" | "--disable" => {
                let switch = if name.ends_with("able") && name.contains("dis")
                    || name.contains("disabled")
                {
                    "0"
                } else {
                    "1"
                };
                let mut ids: Vec<&str> = Vec::new();
                ids.extend(word.split_once('=').map(|(_, id)| id));
                ids.extend(after.iter().copied().filter(|word| !word.starts_with('-')));
                let mut list = vec!["setopt".to_owned(), "--create-missing-dir".to_owned()];
                let ids = ids.iter().flat_map(|ids| ids.split(','));
                list.extend(ids.map(|id| format!("{id}.enabled={switch}")));
                let list: Vec<&str> = list.iter().map(String::as_str).collect();
                return words(&list);
            }
            "--save" => {
                let mut list = vec!["setopt", "--create-missing-dir"];
                for (index, word) in after.iter().enumerate() {
                    if word.split('=').next() == Some("--setopt") {
                        list.push(match word.strip_prefix("--setopt=") {
                            Some(setting) => setting,
                            None => after.get(index + 1)?,
                        });
                    }
                }
                return words(&list);
            }
            _ => {}
        }
    }
    None
}

fn note(command: &str, after: &[&str], new: &[String]) -> String {
    // What both have at the end says nothing.
    let old: Vec<&str> = std::iter::once(command).chain(after.iter().copied()).collect();
    let new: Vec<&str> = new.iter().map(String::as_str).collect();
    let same = old.iter().rev().zip(new.iter().rev()).take_while(|(a, b)| a == b).count();
    let keep = |words: &[&str]| words[..words.len().saturating_sub(same).max(1)].join(" ");
    format!("dnf5 spells `{}` as `{}`", keep(&old), keep(&new))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_words() {
        let table = [
            ("erase foo", "remove foo", "dnf5 spells `erase` as `remove`"),
            ("-y erase foo", "-y remove foo", "dnf5 spells `erase` as `remove`"),
            (
                "--installroot /x groupinstall a b",
                "--installroot /x group install a b",
                "dnf5 spells `groupinstall` as `group install`",
            ),
            (
                "list installed",
                "list --installed",
                "dnf5 spells `list installed` as `list --installed`",
            ),
            (
                "list -q updates 'f*'",
                "list --updates -q 'f*'",
                "dnf5 spells `list -q updates` as `list --updates -q`",
            ),
            ("list all", "list", "dnf5 spells `list all` as `list`"),
            ("repolist all", "repolist --all", "dnf5 spells `repolist all` as `repolist --all`"),
            ("history", "history list", "dnf5 spells `history` as `history list`"),
            (
                "history userinstalled",
                "repoquery --userinstalled",
                "dnf5 spells `history userinstalled` as `repoquery --userinstalled`",
            ),
            (
                "updateinfo list sec",
                "updateinfo list --security",
                "dnf5 spells `updateinfo list sec` as `updateinfo list --security`",
            ),
            ("mark install foo", "mark user foo", "dnf5 spells `mark install` as `mark user`"),
            (
                "versionlock foo",
                "versionlock add foo",
                "dnf5 spells `versionlock` as `versionlock add`",
            ),
            ("versionlock", "versionlock list", "dnf5 spells `versionlock` as `versionlock list`"),
            (
                "config-manager --add-repo https://e.invalid/a.repo",
                "config-manager addrepo --from-repofile=https://e.invalid/a.repo",
                "dnf5 spells `config-manager --add-repo https://e.invalid/a.repo` as `config-manager addrepo --from-repofile=https://e.invalid/a.repo`",
            ),
            (
                "config-manager --set-disabled a",
                "config-manager setopt --create-missing-dir a.enabled=0",
                "dnf5 spells `config-manager --set-disabled a` as `config-manager setopt --create-missing-dir a.enabled=0`",
            ),
            (
                "config-manager --enable a",
                "config-manager setopt --create-missing-dir a.enabled=1",
                "dnf5 spells `config-manager --enable a` as `config-manager setopt --create-missing-dir a.enabled=1`",
            ),
            (
                "config-manager --save --setopt=keepcache=1",
                "config-manager setopt --create-missing-dir keepcache=1",
                "dnf5 spells `config-manager --save --setopt=keepcache=1` as `config-manager setopt --create-missing-dir keepcache=1`",
            ),
        ];
        for (old, new, expected) in table {
            let words = |text: &str| -> Vec<String> {
                std::iter::once("dnf").chain(text.split(' ')).map(str::to_owned).collect()
            };
            let (translated, notes) = translate(&words(old), &crate::dnf::cli::command());
            assert_eq!(translated, words(new), "{old}");
            assert_eq!(notes, [expected], "{old}");
        }
    }

    #[test]
    fn new_words_stay() {
        for text in [
            "install erase",
            "list --installed",
            "history list",
            "history --help",
            "mark user a",
            "versionlock add list",
        ] {
            let words: Vec<String> =
                std::iter::once("dnf").chain(text.split(' ')).map(str::to_owned).collect();
            assert_eq!(
                translate(&words, &crate::dnf::cli::command()),
                (words.clone(), Vec::new()),
                "{text}"
            );
        }
    }
}
