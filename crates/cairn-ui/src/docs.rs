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

/// Returns one man page for the command and one for each visible subcommand, those below it as sections of its page. Options of
/// all commands stand on the first page only.
pub fn command_pages(command: &Command, section: &str) -> Vec<Generated> {
    let mut command = command.clone();
    command.build();
    let title = command.get_name().to_owned();
    let mut pages = vec![page(command.clone(), &title, section)];
    for subcommand in visible_subcommands(&command) {
        let name = format!("{title}-{}", subcommand.get_name());
        let mut made = page(without_global(subcommand), &name, section);
        // What is below has no pages of its own.
        let own = format!("{title}\\-{}\\-", subcommand.get_name());
        let text = String::from_utf8_lossy(&made.content);
        let text = text.lines().map(|line| match line.strip_prefix(&own) {
            Some(rest) => rest.trim_end_matches(&format!("({section})")).to_owned() + "\n",
            None => format!("{line}\n"),
        });
        made.content = text.collect::<String>().into_bytes();
        let text = &mut made.content;
        for nested in visible_subcommands(subcommand) {
            append_nested(
                text,
                &without_global(nested),
                &format!("{title} {}", subcommand.get_name()),
            );
        }
        let seen = format!(".SH \"SEE ALSO\"\n\\fB{title}\\fR({section})\n");
        text.extend_from_slice(seen.as_bytes());
        pages.push(made);
    }
    pages.sort_by(|one, other| one.name.cmp(&other.name));
    pages
}

fn page(command: Command, name: &str, section: &str) -> Generated {
    let man = Man::new(command)
        .title(name.to_uppercase())
        .section(section)
        .date("")
        .manual("Cairn Linux");
    let mut content = Vec::new();
    man.render(&mut content).expect("writing to memory does not fail");
    Generated { name: format!("{name}.{section}"), content }
}

fn append_nested(text: &mut Vec<u8>, command: &Command, path: &str) {
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    let path = format!("{path} {}", command.get_name());
    text.extend_from_slice(format!(".SH \"{}\"\n{about}\n", path.to_uppercase()).as_bytes());
    let man = Man::new(command.clone());
    let mut body = Vec::new();
    man.render_synopsis_section(&mut body).expect("writing to memory does not fail");
    man.render_options_section(&mut body).expect("writing to memory does not fail");
    // Below the heading of the command these are subsections, and what all commands share says nothing here.
    let body = String::from_utf8_lossy(&body).replace(".SH ", ".SS ");
    let is_preamble = |line: &&str| line.starts_with(".ie ") || line.starts_with(".el ");
    for line in body.lines().filter(|line| !is_preamble(line)) {
        text.extend_from_slice(line.trim_end().as_bytes());
        text.push(b'\n');
    }
}

fn without_global(command: &Command) -> Command {
    command.clone().mut_args(|arg| {
        let hide = arg.is_hide_set() || arg.is_global_set() || arg.get_id() == "help";
        arg.hide(hide)
    })
}

/// Returns a completion script for bash that is small: options of all commands stand in it once. `values` are pairs of an argument's
/// value name and the shell command that prints what can stand there.
pub fn bash_completion(command: &Command, values: &[(&str, &str)]) -> Generated {
    let mut command = command.clone();
    command.build();
    let name = command.get_name().to_owned();
    let mut cases = String::new();
    write_cases(&mut cases, &command, "", values);
    let global = option_words(&command);
    let with_value = command.get_arguments().filter(|arg| arg.get_action().takes_values());
    let mut with_value: Vec<String> = with_value.flat_map(argument_words).collect();
    with_value.sort();
    let content = format!(
        r#"# Made from the definition of the command line.
_{name}() {{
    local current=${{COMP_WORDS[COMP_CWORD]}} path= word skip= words= values= next
    local index
    for ((index = 1; index < COMP_CWORD; index++)); do
        word=${{COMP_WORDS[index]}}
        if [[ $skip ]]; then skip=; continue; fi
        case $word in
        {with_value}) skip=1; continue ;;
        -* | =) continue ;;
        esac
        next=$(_{name}_words "$path")
        if [[ " ${{next%%|*}} " == *" $word "* ]]; then path="$path $word"; fi
    done
    next=$(_{name}_words "$path")
    words=${{next%%|*}}
    values=${{next#*|}}
    if [[ $current == -* ]]; then
        words="$words {global}"
    elif [[ $values ]]; then
        words="$words $(eval "$values" 2>/dev/null)"
    fi
    COMPREPLY=($(compgen -W "$words" -- "$current"))
    if [[ $current == */* ]]; then COMPREPLY+=($(compgen -f -- "$current")); fi
}}

_{name}_words() {{
    case $1 in
{cases}    esac
}}

complete -o bashdefault -F _{name} {name}
"#,
        with_value = with_value.join(" | "),
    );
    Generated { name, content: content.into_bytes() }
}

/// Writes one line for each command: its subcommands and options, `|`, and what prints its arguments.
fn write_cases(cases: &mut String, command: &Command, path: &str, values: &[(&str, &str)]) {
    let mut words: Vec<String> = Vec::new();
    for subcommand in visible_subcommands(command) {
        words.push(subcommand.get_name().to_owned());
        words.extend(subcommand.get_visible_aliases().map(str::to_owned));
    }
    if !path.is_empty() {
        words.extend(option_words(command).split(' ').filter(|w| !w.is_empty()).map(str::to_owned));
    }
    let source = command
        .get_positionals()
        .map(|arg| match arg.get_value_names() {
            Some([name, ..]) => name.as_str(),
            _ => arg.get_id().as_str(),
        })
        .find_map(|name| values.iter().find(|(known, _)| *known == name))
        .map_or("", |(_, source)| source);
    for argument in command.get_positionals() {
        let possible = argument.get_possible_values();
        words.extend(possible.iter().filter(|v| !v.is_hide_set()).map(|v| v.get_name().to_owned()));
    }
    let _ = writeln!(cases, "    \"{path}\") echo '{}|{source}' ;;", words.join(" "));
    for subcommand in visible_subcommands(command) {
        let path = format!("{path} {}", subcommand.get_name());
        write_cases(cases, subcommand, &path, values);
        for alias in subcommand.get_visible_aliases() {
            let parent = path.rsplit_once(' ').map_or("", |(parent, _)| parent);
            let _ = writeln!(
                cases,
                "    \"{parent} {alias}\") _{}_words '{path}' ;;",
                program(command)
            );
        }
    }
}

/// Returns the name of the program that a command belongs to.
fn program(command: &Command) -> String {
    let name = command.get_bin_name().unwrap_or(command.get_name());
    name.split(' ').next().unwrap_or_default().to_owned()
}

/// Returns the options of a command, those of all commands only where it is the first.
fn option_words(command: &Command) -> String {
    let is_first = command.get_bin_name().is_none_or(|name| !name.contains(' '));
    let own = command.get_arguments().filter(|arg| {
        !arg.is_hide_set() && (is_first || !arg.is_global_set()) && arg.get_id() != "help"
    });
    let words: Vec<String> = own.flat_map(argument_words).collect();
    words.join(" ")
}

fn argument_words(argument: &Arg) -> Vec<String> {
    let long = argument.get_long().map(|long| format!("--{long}"));
    let short = argument.get_short().map(|short| format!("-{short}"));
    long.into_iter().chain(short).collect()
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
    fn one_page_for_each_command() {
        let command = command().bin_name("tool").subcommand(
            Command::new("set").about("Sets").subcommand(Command::new("up").about("Goes up")),
        );
        let pages = command_pages(&command, "8");
        let names: Vec<&str> = pages.iter().map(|page| page.name.as_str()).collect();
        assert_eq!(names, ["tool-run.8", "tool-set.8", "tool.8"]);
        let text = String::from_utf8_lossy(&pages[1].content).into_owned();
        assert!(text.contains(".SH \"TOOL SET UP\"\nGoes up\n"), "{text}");
        let script =
            String::from_utf8(bash_completion(&command, &[("FILE", "ls")]).content).unwrap();
        assert!(
            script.contains("\" run\") echo '|ls' ;;\n    \" set\") echo 'up|' ;;"),
            "{script}"
        );
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
