// SPDX-License-Identifier: MIT OR Apache-2.0
//! The help of every command: the whole reference is one snapshot. Man pages and completions are files of the package: they are
//! what the definitions say, and all of them are shipped. `UPDATE_EXPECT=1` writes them anew.
#![allow(clippy::unwrap_used, reason = "a test may stop")]

use cairn_ui::docs::{Generated, bash_completion, command_pages, markdown};
use expect_test::expect_file;

#[test]
fn reference() {
    expect_file!["snapshots/dnf.md"].assert_eq(&markdown(&cairn_dnf::dnf::cli::command()));
}

/// What prints the values of arguments; the names of installed packages are there without waiting.
const VALUES: [(&str, &str); 5] = [
    ("SPEC", "rpm -qa --qf \"%{NAME}\\n\"; compgen -f -X \"!*.rpm\" -- \"$current\""),
    ("REMOVE", "rpm -qa --qf \"%{NAME}\\n\""),
    ("REPO", "dnf -q repolist --all | tail -n +2 | cut -d \" \" -f 1"),
    ("GROUP", "dnf -qC group list | tail -n +2 | cut -d \" \" -f 1"),
    (
        "TRANSACTION",
        "dnf -q history list | tail -n +2 | while read -r id rest; do echo \"$id\"; done; echo last",
    ),
];

fn files() -> Vec<(String, Generated)> {
    let command = cairn_dnf::dnf::cli::command();
    let mut files: Vec<(String, Generated)> = command_pages(&command, "8")
        .into_iter()
        .map(|page| (format!("/usr/share/man/man8/{}", page.name), page))
        .collect();
    let bash = bash_completion(&command, &VALUES);
    files.push((format!("/usr/share/bash-completion/completions/{}", bash.name), bash));
    files
}

#[test]
fn shipped_files() {
    let distro = cairn_testkit::package_directory().join("../../distro");
    let workspace = std::fs::read_to_string(distro.join("workspace.toml")).unwrap();
    let mut missing = Vec::new();
    for (path, file) in files() {
        let source = format!("dnf/share/{}", file.name);
        let here = distro.join("files").join(&source);
        std::fs::create_dir_all(here.parent().unwrap()).unwrap();
        let text = String::from_utf8(file.content).unwrap();
        expect_file![&here].assert_eq(&text);
        let entry = format!("[[native.dnf.file]]\npath = \"{path}\"\nsource = \"{source}\"\n");
        if !workspace.contains(&entry) {
            missing.push(entry);
        }
    }
    assert!(missing.is_empty(), "distro/workspace.toml does not have\n{}", missing.concat());
}

#[test]
fn bash_completes() {
    let script = bash_completion(&cairn_dnf::dnf::cli::command(), &VALUES);
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("dnf");
    std::fs::write(&path, script.content).unwrap();
    let complete = |line: &str| {
        let script = format!(
            "source {}; COMP_WORDS=({line}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); _dnf; echo \"${{COMPREPLY[*]}}\"",
            path.display()
        );
        #[allow(clippy::disallowed_methods, reason = "the test runs bash")]
        let output = std::process::Command::new("bash").args(["-c", &script]).output().unwrap();
        assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    };
    let table = [
        ("dnf hist", "history"),
        ("dnf history un", "undo"),
        ("dnf -y --repo x history re", "redo"),
        ("dnf install --skip", "--skip-unavailable --skip-broken"),
        ("dnf rm --no-a", "--no-autoremove --no-allow-vendor-change"),
        ("dnf clean ex", "expire-cache"),
        ("dnf --installr", "--installroot"),
        ("dnf nothing", ""),
    ];
    for (line, expected) in table {
        assert_eq!(complete(line), expected, "{line}");
    }
}
