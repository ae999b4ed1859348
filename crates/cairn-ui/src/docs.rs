// SPDX-License-Identifier: MIT OR Apache-2.0
//! Man pages, shell completions and the Markdown reference, all from the same clap commands. The output depends on nothing else: no
//! date, no terminal width.

use std::fmt::Write as _;

use clap::{Arg, Command};
use clap_complete::Shell;
use clap_mangen::Man;

/// A generated file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Generated {
    /// File name, for example `cairn-image.1` or `_cairn`.
    pub name: String,
    /// Content.
    pub content: Vec<u8>,
}

/// Returns one man page of section `section` for the command and one for each visible subcommand, sorted by name.
pub fn man_pages(command: &Command, section: &str) -> Vec<Generated> {
    let mut command = command.clone();
    command.build();
    let mut pages = Vec::new();
    collect_pages(&command, section, &mut pages);
    pages.sort_by(|one, other| one.name.cmp(&other.name));
    pages
}

/// Returns completions of the program `name` for bash, zsh and fish, under the file names these shells look for.
pub fn completions(command: &Command, name: &str) -> Vec<Generated> {
    let generate = |shell: Shell, file: String| {
        let mut content = Vec::new();
        clap_complete::generate(shell, &mut command.clone(), name, &mut content);
        Generated { name: file, content }
    };
    vec![
        generate(Shell::Bash, name.to_owned()),
        generate(Shell::Zsh, format!("_{name}")),
        generate(Shell::Fish, format!("{name}.fish")),
    ]
}

/// Returns the reference of the command and all visible subcommands in Markdown.
pub fn markdown(command: &Command) -> String {
    let mut command = command.clone().term_width(100);
    command.build();
    let mut text = format!("# `{}`\n", command.get_name());
    write_command(&mut text, &command, command.get_name());
    text
}

fn collect_pages(command: &Command, section: &str, pages: &mut Vec<Generated>) {
    let name = command.get_display_name().unwrap_or(command.get_name()).to_owned();
    let man = Man::new(command.clone())
        .title(name.to_uppercase())
        .section(section)
        .date("")
        .manual("Cairn Linux");
    let mut content = Vec::new();
    man.render(&mut content).expect("writing to memory does not fail");
    pages.push(Generated { name: format!("{name}.{section}"), content });
    for subcommand in visible_subcommands(command) {
        collect_pages(subcommand, section, pages);
    }
}

fn visible_subcommands(command: &Command) -> impl Iterator<Item = &Command> {
    command
        .get_subcommands()
        .filter(|subcommand| !subcommand.is_hide_set() && subcommand.get_name() != "help")
}

fn write_command(text: &mut String, command: &Command, path: &str) {
    if let Some(about) = command.get_long_about().or(command.get_about()) {
        let _ = writeln!(text, "\n{about}");
    }
    let usage = command.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage:").trim();
    let _ = writeln!(text, "\n```text\n{usage}\n```");
    let arguments: Vec<&Arg> = command.get_arguments().filter(|arg| !arg.is_hide_set()).collect();
    if !arguments.is_empty() {
        let _ = writeln!(text, "\n| argument | meaning |\n|---|---|");
    }
    for argument in arguments {
        let _ = writeln!(text, "| {} | {} |", argument_name(argument), argument_text(argument));
    }
    for subcommand in visible_subcommands(command) {
        let path = format!("{path} {}", subcommand.get_name());
        let _ = writeln!(text, "\n## `{path}`");
        write_command(text, subcommand, &path);
    }
}

fn argument_name(argument: &Arg) -> String {
    let value = match argument.get_value_names() {
        _ if !argument.get_action().takes_values() => String::new(),
        Some(names) => format!(" <{}>", names.join("> <")),
        None => format!(" <{}>", argument.get_id()),
    };
    let names: Vec<String> = [
        argument.get_short().map(|short| format!("`-{short}{value}`")),
        argument.get_long().map(|long| format!("`--{long}{value}`")),
    ]
    .into_iter()
    .flatten()
    .collect();
    if names.is_empty() { format!("`{}`", value.trim()) } else { names.join(", ") }
}

fn argument_text(argument: &Arg) -> String {
    let mut text = argument
        .get_long_help()
        .or(argument.get_help())
        .map(ToString::to_string)
        .unwrap_or_default();
    let possible: Vec<String> = argument
        .get_possible_values()
        .iter()
        .filter(|value| !value.is_hide_set())
        .map(|value| format!("`{}`", value.get_name()))
        .collect();
    if argument.get_action().takes_values() && !possible.is_empty() {
        let _ = write!(text, " (one of {})", possible.join(", "));
    }
    let defaults: Vec<String> = argument
        .get_default_values()
        .iter()
        .map(|value| format!("`{}`", value.to_string_lossy()))
        .collect();
    if argument.get_action().takes_values() && !defaults.is_empty() {
        let _ = write!(text, " (default {})", defaults.join(", "));
    }
    text.replace('\n', " ").replace('|', "\\|").trim().to_owned()
}

#[cfg(test)]
mod tests {
    use clap::value_parser;
    use expect_test::expect;

    use super::*;

    fn command() -> Command {
        Command::new("tool")
            .about("Does things")
            .arg(
                Arg::new("level")
                    .short('l')
                    .long("level")
                    .default_value("1")
                    .value_parser(value_parser!(u8))
                    .help("How much | how far"),
            )
            .subcommand(
                Command::new("run")
                    .about("Runs it")
                    .arg(Arg::new("FILE").required(true).help("What to run")),
            )
            .subcommand(Command::new("secret").hide(true))
    }

    #[test]
    fn reference() {
        expect![[r"
            # `tool`

            Does things

            ```text
            tool [OPTIONS] [COMMAND]
            ```

            | argument | meaning |
            |---|---|
            | `-l <level>`, `--level <level>` | How much \| how far (default `1`) |
            | `-h`, `--help` | Print help |

            ## `tool run`

            Runs it

            ```text
            tool run <FILE>
            ```

            | argument | meaning |
            |---|---|
            | `<FILE>` | What to run |
            | `-h`, `--help` | Print help |
        "]]
        .assert_eq(&markdown(&command()));
    }

    #[test]
    fn man_pages_and_completions() {
        let pages = man_pages(&command(), "8");
        let names: Vec<&str> = pages.iter().map(|page| page.name.as_str()).collect();
        assert_eq!(names, ["tool-run.8", "tool.8"]);
        let text = String::from_utf8_lossy(&pages[1].content).into_owned();
        assert!(
            text.contains(".TH TOOL 8") && text.contains("Does things") && !text.contains("secret"),
            "{text}"
        );
        let names: Vec<String> =
            completions(&command(), "tool").into_iter().map(|file| file.name).collect();
        assert_eq!(names, ["tool", "_tool", "tool.fish"]);
        assert_eq!(man_pages(&command(), "8"), pages, "the same every time");
    }
}
