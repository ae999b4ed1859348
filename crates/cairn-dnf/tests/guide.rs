// SPDX-License-Identifier: MIT OR Apache-2.0
//! The guide shows only command lines that the program understands.

use cairn_testkit::{Session, guide_commands};

#[test]
fn command_lines_of_the_guide() {
    // One program: what it is follows from its name.
    let directory = tempfile::tempdir().unwrap();
    for program in ["dnf", "rpm"] {
        let path = directory.path().join(program);
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_dnf"), &path).unwrap();
        check(program, path.to_str().unwrap());
    }
}

fn check(program: &str, path: &str) {
    let directory = tempfile::tempdir().unwrap();
    let session = Session::new(path, directory.path());
    let commands = guide_commands(program).unwrap();
    assert!(!commands.is_empty(), "the guide shows no `{program}`");
    for command in commands {
        // `--help` at the end: everything before it is parsed, nothing is done.
        let shown =
            session.run(command.arguments.iter().map(String::as_str).chain(["--help"])).unwrap();
        assert!(
            shown.starts_with("exit: 0\n"),
            "{}: {program} {:?}\n{shown}",
            command.place,
            command.arguments
        );
    }
}
