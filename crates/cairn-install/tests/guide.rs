// SPDX-License-Identifier: MIT OR Apache-2.0
//! The guide shows only command lines that the program understands, and an answer file that it accepts.

use cairn_testkit::{Session, guide_commands};

#[test]
fn command_lines_of_the_guide() {
    let directory = tempfile::tempdir().unwrap();
    let session = Session::new(env!("CARGO_BIN_EXE_cairn-install"), directory.path());
    let commands = guide_commands("cairn-install").unwrap();
    assert!(!commands.is_empty(), "the guide shows no `cairn-install`");
    for command in commands {
        // `--help` at the end: everything before it is parsed, nothing is done.
        let words = command.arguments.iter().map(String::as_str).chain(["--help"]);
        let shown = session.run(words).unwrap();
        assert!(
            shown.starts_with("exit: 0\n"),
            "{}: {:?}\n{shown}",
            command.place,
            command.arguments
        );
    }
}

#[test]
fn the_answer_file_of_the_guide_is_valid() {
    let guide = include_str!("../../../docs/guide/install.md");
    let answers = guide.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    // What the guide shortens must be a real key.
    let key = "AAAAC3NzaC1lZDI1NTE5AAAAIJ3AprZsMvgPCbhw4IqV4yBbnXVIoBxBDbVZ0lpXgEBW";
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("answers.toml"), answers.replace("AAAA…", key)).unwrap();
    let session = Session::new(env!("CARGO_BIN_EXE_cairn-install"), directory.path());
    let shown = session.run(["validate", "answers.toml"]).unwrap();
    assert!(shown.starts_with("exit: 0\n"), "{shown}");
}
