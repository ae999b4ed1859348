// SPDX-License-Identifier: MIT OR Apache-2.0
//! The part of rpm's scenarios that is judged in a minute, without the tree of sid: `cargo xtask differential quick`.

use crate::scenario::Scenario;

/// How it is called.
pub const WORD: &str = "quick";

/// One or two scenarios of each kind.
const NAMES: [&str; 47] = [
    "config-noreplace-edited-changed",
    "config-plain-link-gone",
    "scripts-upgrade",
    "scripts-reinstall",
    "scripts-output",
    "failing-pre-upgrade",
    "failing-post-install",
    "one-fails-pre-upgrade",
    "accounts-fresh-root",
    "triggerin-any-before",
    "triggers-together",
    "filetriggerin-high-together",
    "filetriggers-own",
    "requires-9",
    "requires-pre",
    "conflicts-1-old",
    "requires-breaks-on-upgrade",
    "files-file-replaced",
    "files-directory-first",
    "obsoletes-below-upgrade",
    "versions-epoch",
    "versions-both",
    "directory-stays",
    "option-10",
    "option-23",
    "erase-option-5",
    "payload-w3-zstdio",
    "hardlinks-partly",
    "lua-posix-post",
    "lua-error-pretrans",
    "verify-3",
    "order-ring-both",
    "order-random-3",
    "kind-config-noreplace-edited",
    "color-small-first",
    "several-transfiletriggerin",
    "failing-filetriggerin",
    "fails-killed-pre",
    "sysusers-member",
    "depends-rich-nested",
    "format-3",
    "tags-4",
    "asking-12",
    "list-17",
    "verifying-modes",
    "file-payload",
    "line-10",
];

/// The scenarios with these names.
pub fn choose(mut all: Vec<Scenario>) -> Vec<Scenario> {
    all.retain(|scenario| NAMES.contains(&scenario.name.as_str()));
    assert_eq!(all.len(), NAMES.len(), "a scenario is not there any more");
    all
}
