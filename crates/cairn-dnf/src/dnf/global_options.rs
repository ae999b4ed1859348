// SPDX-License-Identifier: MIT OR Apache-2.0
//! Options of every command may stand before and after its name. clap keeps only one side of those that can be repeated, so all of
//! them are put before the first command, in the order in which they were typed.

use clap::{Arg, Command};

/// Returns the arguments, the program's name first, with the options of every command before the first command.
pub fn to_front(arguments: &[String], definition: &Command) -> Vec<String> {
    let mut words = arguments.iter();
    let mut front: Vec<String> = words.next().cloned().into_iter().collect();
    let mut rest: Vec<String> = Vec::new();
    let mut place = Place { global: definition, command: definition };
    while let Some(word) = words.next() {
        if word == "--" {
            rest.push(word.clone());
            rest.extend(words.cloned());
            break;
        }
        let Some(options) = place.split(word) else {
            place.enter(word);
            rest.push(word.clone());
            continue;
        };
        for option in options {
            let side = if option.is_global { &mut front } else { &mut rest };
            side.push(option.text);
            if option.takes_next {
                side.extend(words.next().cloned());
            }
        }
    }
    front.extend(rest);
    front
}

/// Returns the place of the command: the first word that is no option and no option's value.
pub fn command_index(arguments: &[String], definition: &Command) -> Option<usize> {
    let place = Place { global: definition, command: definition };
    let mut is_value = false;
    for (index, word) in arguments.iter().enumerate().skip(1) {
        if is_value {
            is_value = false;
            continue;
        }
        let Some(options) = place.split(word) else { return Some(index) };
        is_value = options.iter().any(|option| option.takes_next);
    }
    None
}

/// How far the command line is understood.
#[derive(Debug)]
struct Place<'a> {
    /// Has the options of every command.
    global: &'a Command,
    /// Has those of the command whose arguments are read.
    command: &'a Command,
}

/// One option of a word.
#[derive(Debug)]
struct FoundOption {
    text: String,
    is_global: bool,
    takes_next: bool,
}

impl<'a> Place<'a> {
    /// Goes on with the arguments of a command.
    fn enter(&mut self, word: &str) {
        if let Some(command) = self.command.find_subcommand(word) {
            self.command = command;
        }
    }

    /// Returns the options of a word, several of `-yx`; `None` for what is no option.
    fn split(&self, word: &str) -> Option<Vec<FoundOption>> {
        if let Some(long) = word.strip_prefix("--") {
            let (name, value) = long.split_once('=').map_or((long, None), |(n, v)| (n, Some(v)));
            let (found, is_global) = self.find(|arg| has_long(arg, name));
            let takes_next = value.is_none() && found.is_some_and(takes_next_word);
            return Some(vec![FoundOption { text: word.to_owned(), is_global, takes_next }]);
        }
        let letters = word.strip_prefix('-').filter(|letters| !letters.is_empty())?;
        let mut options = Vec::new();
        for (index, letter) in letters.char_indices() {
            let (found, is_global) = self.find(|arg| arg.get_short() == Some(letter));
            if found.is_none() && letter != 'h' {
                // What is unknown is clap's to name, as it was typed.
                let text = word.to_owned();
                return Some(vec![FoundOption { text, is_global: false, takes_next: false }]);
            }
            if found.is_some_and(|arg| arg.get_action().takes_values()) {
                let text = format!("-{}", &letters[index..]);
                let takes_next = text.len() == 1 + letter.len_utf8();
                options.push(FoundOption { text, is_global, takes_next });
                break;
            }
            options.push(FoundOption { text: format!("-{letter}"), is_global, takes_next: false });
        }
        Some(options)
    }

    /// Returns an option and whether it is one of every command.
    fn find(&self, is_meant: impl Fn(&Arg) -> bool) -> (Option<&'a Arg>, bool) {
        let is_first = std::ptr::eq(self.command, self.global);
        let own = self.command.get_arguments().find(|arg| !is_first && is_meant(arg));
        if own.is_some() {
            return (own, false);
        }
        let of_all = self.global.get_arguments().find(|arg| arg.is_global_set() && is_meant(arg));
        (of_all, of_all.is_some())
    }
}

/// Says whether an option has a name.
pub fn has_long(arg: &Arg, name: &str) -> bool {
    arg.get_long() == Some(name)
        || arg.get_all_aliases().is_some_and(|aliases| aliases.contains(&name))
}

fn takes_next_word(arg: &Arg) -> bool {
    arg.get_action().takes_values() && !arg.is_require_equals_set()
}

#[cfg(test)]
mod tests {
    #[test]
    fn they_keep_their_order() {
        let definition = super::super::cli::command();
        let table = [
            ("dnf -y install foo", "dnf -y install foo"),
            ("dnf install foo -x bar -y", "dnf -x bar -y install foo"),
            (
                "dnf --setopt a=1 install --setopt=b=2 foo",
                "dnf --setopt a=1 --setopt=b=2 install foo",
            ),
            (
                "dnf --repo=a group --repoid b list --repo c",
                "dnf --repo=a --repoid b --repo c group list",
            ),
            ("dnf repoquery -lx foo bar", "dnf -x foo repoquery -l bar"),
            ("dnf install -yqxfoo bar", "dnf -y -q -xfoo install bar"),
            ("dnf install --destdir --repo foo", "dnf install --destdir --repo foo"),
            ("dnf install --comment list -- -y", "dnf --comment list install -- -y"),
            ("dnf repoquery --latest-limit -y", "dnf -y repoquery --latest-limit"),
            ("dnf history info -1", "dnf history info -1"),
            ("dnf mark --store -y user foo -y", "dnf -y mark --store -y user foo"),
            ("dnf install --nothing -Zy", "dnf install --nothing -Zy"),
            ("dnf", "dnf"),
        ];
        for (line, expected) in table {
            let arguments: Vec<String> = line.split(' ').map(str::to_owned).collect();
            assert_eq!(super::to_front(&arguments, &definition).join(" "), expected, "{line}");
        }
    }
}
