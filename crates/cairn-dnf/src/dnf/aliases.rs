// SPDX-License-Identifier: MIT OR Apache-2.0
//! Own commands and options, which administrators and users define in files: `dnf5-aliases(8)`. What they stand for takes their place
//! before the command line is read, so that everything else knows nothing of them.

use super::global_options::command_index;
use cairn_host::{Root, paths};
use std::collections::BTreeMap;
use toml::{Table, Value};

/// Directories with `*.conf` files, always of the machine that dnf runs on; later files replace definitions of earlier ones.
const DIRECTORIES: [&str; 2] = ["usr/share/dnf5/aliases.d", "etc/dnf/dnf5-aliases.d"];
/// The same below the directory of the user's configuration.
const OF_USER: &str = "dnf5/aliases.d";
/// The only version of the files' format.
const VERSION: &str = "1.0";
/// How many times what an alias stands for may be an alias.
const DEPTH: usize = 16;

/// All definitions, by their path: `NAME` or `COMMAND.NAME`.
#[derive(Debug, Default)]
pub struct Aliases {
    defined: BTreeMap<String, Alias>,
    /// Files and definitions that cannot be used, and why.
    pub problems: Vec<String>,
}

/// One definition.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Alias {
    /// A word for a command and options of it.
    Command { command: Vec<String>, options: Vec<Attached>, description: String, group: String },
    /// A name for options.
    Option { long: String, short: String, takes_value: bool, options: Vec<Attached> },
    /// A heading of the help.
    Group { header: String },
}

/// An option that an alias stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Attached {
    name: String,
    value: AttachedValue,
}

/// The value of such an option.
#[derive(Debug, Clone, PartialEq, Eq)]
enum AttachedValue {
    None,
    Fixed(String),
    /// That of the alias.
    Given,
}

impl Aliases {
    /// Reads the definitions of this machine and of the user.
    pub fn load() -> Self {
        let mut all = Self::default();
        let Ok(root) = Root::open("/") else { return all };
        let home = || paths::variable("HOME").map(|home| format!("{home}/.config"));
        let of_user = paths::variable("XDG_CONFIG_HOME").or_else(home);
        let of_user = of_user.map(|directory| format!("{directory}/{OF_USER}"));
        for directory in DIRECTORIES.iter().map(|name| (*name).to_owned()).chain(of_user) {
            let directory = directory.trim_start_matches('/');
            // Most machines have none of them.
            let Ok(mut names) = root.read_dir(directory) else { continue };
            names.retain(|name| name.ends_with(".conf"));
            names.sort();
            for name in names {
                let path = format!("{directory}/{name}");
                match root.read_to_string(&path) {
                    Ok(text) => all.add_file(&path, &text),
                    Err(error) => all.problems.push(error.to_string()),
                }
            }
        }
        all
    }

    fn add_file(&mut self, path: &str, text: &str) {
        let table: Table = match text.parse() {
            Ok(table) => table,
            Err(error) => {
                let error: toml::de::Error = error;
                return self.problems.push(format!("/{path}: {}", error.message()));
            }
        };
        let version = table.get("version").and_then(Value::as_str).unwrap_or_default();
        if version != VERSION {
            let what = format!("unsupported format version {version:?} (expected {VERSION:?})");
            return self.problems.push(format!("/{path}: {what}"));
        }
        for (name, value) in
            table.iter().filter_map(|(name, value)| Some((name, value.as_table()?)))
        {
            match Alias::read(value) {
                Ok(alias) => drop(self.defined.insert(name.clone(), alias)),
                Err(what) => self.problems.push(format!("/{path}: {name}: {what}")),
            }
        }
    }

    /// Returns the arguments, the program's name first, with what the aliases in them stand for. What dnf has itself is no alias.
    pub fn translate(&self, arguments: &[String], definition: &clap::Command) -> Vec<String> {
        let mut words = arguments.to_vec();
        if self.defined.is_empty() {
            return words;
        }
        let mut at = command_index(&words, definition);
        let mut path: Vec<String> = Vec::new();
        let mut places: Vec<usize> = Vec::new();
        let mut known = Some(definition);
        for _ in 0..DEPTH {
            let Some(index) = at else { break };
            let own = known.and_then(|command| command.find_subcommand(&words[index]));
            let id = joined(&path, &words[index]);
            if let (None, Some(Alias::Command { command, options, .. })) =
                (own, self.defined.get(&id))
            {
                let options = options.iter().filter_map(|option| option.word(None));
                let new: Vec<String> = command.iter().cloned().chain(options).collect();
                words.splice(index..=index, new);
                // What the alias stands for is a whole command.
                places.drain(..).rev().for_each(|place| drop(words.remove(place)));
                path.clear();
                known = Some(definition);
                at = command_index(&words, definition);
                continue;
            }
            let Some(own) = own else { break };
            path.push(own.get_name().to_owned());
            places.push(index);
            known = Some(own);
            let next = words[index + 1..].iter().position(|word| !word.starts_with('-'));
            at = next.filter(|_| own.has_subcommands()).map(|next| index + 1 + next);
        }
        self.replace_options(words, &path, definition)
    }

    fn replace_options(
        &self,
        words: Vec<String>,
        path: &[String],
        definition: &clap::Command,
    ) -> Vec<String> {
        let mut commands = vec![definition];
        for word in path {
            let last = commands.last().copied();
            commands.extend(last.and_then(|command| command.find_subcommand(word)));
        }
        let is_own = |name: &str| {
            let mut options = commands.iter().flat_map(|command| command.get_arguments());
            options.any(|arg| super::global_options::has_long(arg, name))
        };
        let mut out = Vec::new();
        let mut words = words.into_iter();
        while let Some(word) = words.next() {
            if word == "--" {
                out.push(word);
                out.extend(words);
                break;
            }
            let (name, value) = match word.split_once('=') {
                Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
                None => (word.clone(), None),
            };
            let long = name.strip_prefix("--").filter(|long| !is_own(long));
            let short = name.strip_prefix('-').filter(|short| short.chars().count() == 1);
            let Some((takes_value, options)) = self.option(path, long, short) else {
                out.push(word);
                continue;
            };
            let value = if takes_value { value.or_else(|| words.next()) } else { value };
            out.extend(options.iter().filter_map(|option| option.word(value.as_deref())));
        }
        out
    }

    /// Returns the option alias of these names that holds for the command, and whether a value follows it.
    fn option(
        &self,
        path: &[String],
        wanted_long: Option<&str>,
        wanted_short: Option<&str>,
    ) -> Option<(bool, &Vec<Attached>)> {
        self.defined.iter().find_map(|(id, alias)| {
            let Alias::Option { long, short, takes_value, options } = alias else { return None };
            let place = id.rsplit_once('.').map_or("", |(place, _)| place);
            let is_here = place.is_empty() || place == path.join(".");
            let is_meant =
                wanted_long == Some(long.as_str()) || wanted_short == Some(short.as_str());
            (is_here && is_meant).then_some((*takes_value, options))
        })
    }

    /// Adds the commands to the help, below the headings of their groups.
    pub fn describe(&self, definition: clap::Command) -> clap::Command {
        let mut by_command: BTreeMap<String, BTreeMap<String, Vec<String>>> = BTreeMap::new();
        for (id, alias) in &self.defined {
            let Alias::Command { description, group, .. } = alias else { continue };
            let (place, name) = id.rsplit_once('.').unwrap_or(("", id));
            let mut above = place.split('.').filter(|word| !word.is_empty());
            let above = above.try_fold(&definition, |at, word| at.find_subcommand(word));
            // What dnf has itself is no alias.
            if above.is_some_and(|above| above.find_subcommand(name).is_some()) {
                continue;
            }
            let header = match self.defined.get(&joined_place(place, group)) {
                Some(Alias::Group { header }) => header.clone(),
                _ => "Aliases:".to_owned(),
            };
            let headings = by_command.entry(place.to_owned()).or_default();
            headings.entry(header).or_default().push(format!("  {name:<28}  {description}"));
        }
        by_command.into_iter().fold(definition, |definition, (place, headings)| {
            let lines =
                |(header, lines): (String, Vec<String>)| format!("{header}\n{}", lines.join("\n"));
            let text = headings.into_iter().map(lines).collect::<Vec<_>>().join("\n\n");
            let path: Vec<&str> = place.split('.').filter(|word| !word.is_empty()).collect();
            add_help(definition, &path, &text)
        })
    }
}

/// Adds text to the end of the help of a command, the names of the commands above it first.
fn add_help(definition: clap::Command, path: &[&str], text: &str) -> clap::Command {
    match path {
        [] => {
            let before = definition.get_after_help().map(ToString::to_string);
            let text =
                before.map_or_else(|| text.to_owned(), |before| format!("{text}\n\n{before}"));
            definition.after_help(text)
        }
        [first, rest @ ..] if definition.find_subcommand(first).is_some() => {
            definition.mut_subcommand(first, |command| add_help(command, rest, text))
        }
        _ => definition,
    }
}

fn joined(path: &[String], name: &str) -> String {
    joined_place(&path.join("."), name)
}

fn joined_place(place: &str, name: &str) -> String {
    if place.is_empty() { name.to_owned() } else { format!("{place}.{name}") }
}

impl Alias {
    fn read(table: &Table) -> Result<Self, String> {
        let text =
            |key: &str| table.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let needed = |key: &str| {
            let text = text(key);
            if text.is_empty() { Err(format!("no {key}")) } else { Ok(text) }
        };
        let options = || {
            let list = table.get("attached_named_args").and_then(Value::as_array);
            list.into_iter()
                .flatten()
                .map(Attached::read)
                .collect::<Result<Vec<Attached>, String>>()
        };
        match text("type").as_str() {
            "command" => Ok(Self::Command {
                command: needed("attached_command")?.split('.').map(str::to_owned).collect(),
                options: options()?,
                description: text("descr"),
                group: text("group_id"),
            }),
            "cloned_named_arg" => {
                let source = needed("source")?;
                let name = source.rsplit('.').next().unwrap_or_default().to_owned();
                let options = vec![Attached { name, value: AttachedValue::Given }];
                let (long, short) = (text("long_name"), text("short_name"));
                // Whether a value follows, its own definition says; it stays where it is.
                Ok(Self::Option { long, short, takes_value: false, options })
            }
            "named_arg" => {
                let takes_value = table.get("has_value").and_then(Value::as_bool).unwrap_or(false);
                let (long, short) = (text("long_name"), text("short_name"));
                Ok(Self::Option { long, short, takes_value, options: options()? })
            }
            "group" => Ok(Self::Group { header: needed("header")? }),
            other => Err(format!("unknown type {other:?}")),
        }
    }
}

impl Attached {
    fn read(value: &Value) -> Result<Self, String> {
        let text = |key: &str| value.get(key).and_then(Value::as_str);
        let path = text("id_path").ok_or("attached_named_args without id_path")?;
        let value = match text("value") {
            None => AttachedValue::None,
            Some("${}") => AttachedValue::Given,
            Some(fixed) => AttachedValue::Fixed(fixed.to_owned()),
        };
        Ok(Self { name: path.rsplit('.').next().unwrap_or_default().to_owned(), value })
    }

    /// Returns the option as a word of the command line.
    fn word(&self, given: Option<&str>) -> Option<String> {
        let name = self.name.replace('_', "-");
        (!name.is_empty()).then(|| match (&self.value, given) {
            (AttachedValue::Fixed(value), _) => format!("--{name}={value}"),
            (AttachedValue::Given, Some(value)) => format!("--{name}={value}"),
            (AttachedValue::None, _) | (AttachedValue::Given, None) => format!("--{name}"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "version = '1.0'\n\
        ['put']\ntype = 'command'\nattached_command = 'install'\ndescr = 'Puts'\n\
        attached_named_args = [{ id_path = 'assumeno' }, { id_path = 'repo', value = 'x' }]\n\
        ['twice']\ntype = 'command'\nattached_command = 'put'\n\
        ['repo.ls']\ntype = 'command'\nattached_command = 'repo.list'\ngroup_id = 'own'\n\
        ['repo.own']\ntype = 'group'\nheader = 'Own:'\n\
        ['from']\ntype = 'cloned_named_arg'\nlong_name = 'FROM'\nshort_name = 'F'\nsource = 'repo'\n\
        ['list.every']\ntype = 'named_arg'\nlong_name = 'every'\n\
        attached_named_args = [{ id_path = 'list.showduplicates' }, { id_path = 'list.available' }]\n\
        ['list.only']\ntype = 'named_arg'\nlong_name = 'only'\nhas_value = true\n\
        attached_named_args = [{ id_path = 'list.repo', value = '${}' }]\n\
        ['install']\ntype = 'command'\nattached_command = 'remove'\n";

    fn words(text: &str) -> Vec<String> {
        std::iter::once("dnf").chain(text.split(' ')).map(str::to_owned).collect()
    }

    #[test]
    fn they_are_replaced() {
        let definition = crate::dnf::cli::command();
        let mut aliases = Aliases::default();
        aliases.add_file("x", FILE);
        assert_eq!(aliases.problems, Vec::<String>::new());
        let table = [
            ("put a", "install --assumeno --repo=x a"),
            ("-y twice a", "-y install --assumeno --repo=x a"),
            ("repo ls --all", "repo list --all"),
            ("ls a", "ls a"),
            ("install a", "install a"),
            ("install a --FROM=b", "install a --repo=b"),
            ("-F b install a", "--repo b install a"),
            ("list --every a", "list --showduplicates --available a"),
            ("info --every a", "info --every a"),
            ("list --only b a", "list --repo=b a"),
            ("install -- --FROM", "install -- --FROM"),
        ];
        for (line, expected) in table {
            assert_eq!(aliases.translate(&words(line), &definition), words(expected), "{line}");
        }
    }

    #[test]
    fn they_are_in_the_help() {
        let mut aliases = Aliases::default();
        aliases.add_file("x", FILE);
        let mut definition = aliases.describe(crate::dnf::cli::command());
        let help = definition.render_help().to_string();
        assert!(help.contains("Aliases:\n  put  ") && help.contains("  Puts\n"), "{help}");
        assert!(
            help.contains("\n  twice  ") && help.matches("\n  install ").count() == 1,
            "{help}"
        );
        let repo = definition.find_subcommand_mut("repo").unwrap().render_help().to_string();
        assert!(repo.ends_with("\nOwn:\n  ls\n"), "{repo}");
    }

    #[test]
    fn what_cannot_be_used() {
        let mut aliases = Aliases::default();
        aliases.add_file("a", "version = [");
        aliases.add_file("b", "version = '2'");
        aliases.add_file("c", "version = '1.0'\n[a]\ntype = 'x'\n[b]\ntype = 'command'\n");
        let problems = aliases.problems.join("\n");
        for part in [
            "/a: ",
            "/b: unsupported format version \"2\" (expected \"1.0\")",
            "/c: a: unknown type \"x\"",
            "/c: b: no attached_command",
        ] {
            assert!(problems.contains(part), "{problems}");
        }
    }
}
