// SPDX-License-Identifier: MIT OR Apache-2.0
//! rpm's command line. rpm's options depend on each other in a way clap cannot say (`-i` is "install" alone and "info" after
//! `-q`; `-qpl`, `-Uvh`), so the words are read one by one, as popt does.

mod apply;
mod consistency;
mod words;

pub use self::apply::triggers;

use std::collections::BTreeSet;
use std::path::PathBuf;
use words::Word;

/// What is said of a `--dbpath` that is not absolute; without the program's name.
pub const RELATIVE_DBPATH: &str = "arguments to --dbpath must begin with '/'";

/// What rpm is asked to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// `-q`
    Query,
    /// `-V`
    Verify,
    /// `-i`
    Install,
    /// `-U`
    Upgrade,
    /// `-F`
    Freshen,
    /// `--reinstall`
    Reinstall,
    /// `-e`
    Erase,
    /// `-K`
    CheckSignatures,
    /// `--import`
    Import,
    /// `rpmkeys --list`
    ListKeys,
    /// `rpmkeys --delete`
    DeleteKeys,
    /// `rpmkeys --export`
    ExportKeys,
    /// `rpmkeys --rebuild`
    RebuildKeys,
    /// `--restore`, `--setperms`, `--setugids`, `--setcaps`
    Restore,
    /// `--showrc`
    ShowConfiguration,
    /// `--initdb`
    InitDb,
    /// `--rebuilddb`
    RebuildDb,
    /// `--verifydb`
    VerifyDb,
    /// `--exportdb`
    ExportDb,
    /// `--importdb`
    ImportDb,
    /// `--eval`
    Eval,
    /// `--querytags`
    QueryTags,
    /// `--version`
    Version,
    /// `--help`
    Help,
}

/// Where queried packages come from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Source {
    /// Installed packages by name, or another form of NEVRA.
    #[default]
    Label,
    /// `-a`
    All,
    /// `-f`
    File,
    /// `--path`
    Path,
    /// `-p`
    Package,
    /// `-g`
    Group,
    /// A dependency: `--whatprovides` and its relatives.
    What(WhatKind),
    /// `--querybynumber`
    Number,
    /// `--pkgid`
    PackageId,
    /// `--hdrid`
    HeaderId,
    /// `--tid`
    TransactionId,
    /// `--triggeredby`
    TriggeredBy,
}

/// Kinds of dependencies one can ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhatKind {
    /// `--whatprovides`
    Provides,
    /// `--whatrequires`
    Requires,
    /// `--whatconflicts`
    Conflicts,
    /// `--whatobsoletes`
    Obsoletes,
    /// `--whatrecommends`
    Recommends,
    /// `--whatsuggests`
    Suggests,
    /// `--whatsupplements`
    Supplements,
    /// `--whatenhances`
    Enhances,
}

/// Which files of a package are listed, and how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FileListing {
    /// `-l`
    pub all: bool,
    /// `-d`
    pub documentation: bool,
    /// `-c`
    pub configuration: bool,
    /// `-L`
    pub licenses: bool,
    /// `-A`
    pub artifacts: bool,
    /// `-s`
    pub state: bool,
    /// `--dump`
    pub dump: bool,
    /// `--noghost`
    pub no_ghost: bool,
    /// `--noconfig`
    pub no_config: bool,
    /// `--noartifact`
    pub no_artifact: bool,
}

impl FileListing {
    /// Returns whether files are listed at all.
    pub fn is_wanted(&self) -> bool {
        self.all
            || self.documentation
            || self.configuration
            || self.licenses
            || self.artifacts
            || self.state
            || self.dump
    }
}

/// Scriptlets and triggers that do not run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Silenced {
    /// Their kinds as rpm writes them: `%pre`, `%triggerin`, …
    pub kinds: BTreeSet<&'static str>,
}

/// Everything on the command line.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// What to do; `None`: nothing was said.
    pub mode: Option<Mode>,
    /// Where packages come from.
    pub source: Source,
    /// File listing.
    pub files: FileListing,
    /// Query format, those of the aliases (`--requires`…) joined in order.
    pub format: Option<String>,
    /// `--last`: sort by installation.
    pub last: bool,
    /// `--dupes`: what is installed more than once.
    pub duplicates: bool,
    /// Other arguments.
    pub arguments: Vec<String>,
    /// `--root`
    pub root: PathBuf,
    /// `--dbpath`
    pub dbpath: Option<String>,
    /// `--define NAME VALUE`; `None`: `--undefine NAME`.
    pub defines: Vec<(String, Option<String>)>,
    /// `--eval`
    pub evals: Vec<String>,
    /// `--load`: files of macros, besides the usual ones.
    pub loads: Vec<String>,
    /// `--macros`: files of macros in place of the usual ones, with `:` between them.
    pub macro_path: Option<String>,
    /// `--pipe`: a shell command that gets the output.
    pub pipe: Option<String>,
    /// `-v`, how often
    pub verbose: u32,
    /// All other flags by name, aliases resolved: `test`, `nodeps`, `replacepkgs`, …
    pub flags: BTreeSet<&'static str>,
    /// `--noscripts`, `--notriggers`, `--nopre` and the like.
    pub silenced: Silenced,
    /// `--excludepath`
    pub exclude_paths: Vec<String>,
    /// `--relocate OLD=NEW`
    pub relocations: Vec<String>,
    /// `--prefix`
    pub prefix: Option<String>,
    /// Checks of `-V` that are left out, by column letter.
    pub skip_checks: Vec<char>,
}

impl Options {
    /// Parses the arguments after the program's name; `start` is the mode the program's name implies.
    ///
    /// # Errors
    /// rpm's message.
    pub fn parse(start: Option<Mode>, arguments: &[String]) -> Result<Self, String> {
        let words = words::split(arguments)?;
        let asks = |short: char, long: &str| {
            words.iter().any(|word| match word {
                Word::Short(letter) => *letter == short,
                Word::Long(name, _) => name == long,
                Word::Plain(_) => false,
            })
        };
        let selects = if start == Some(Mode::Query) || asks('q', "query") {
            Some(Mode::Query)
        } else if start == Some(Mode::Verify) || asks('V', "verify") {
            Some(Mode::Verify)
        } else if ["restore", "setperms", "setugids", "setcaps"].into_iter().any(|n| asks('\0', n))
        {
            Some(Mode::Restore)
        } else {
            None
        };
        let mut options =
            Self { mode: selects.or(start), root: PathBuf::from("/"), ..Self::default() };
        for word in words {
            match word {
                Word::Plain(text) => options.arguments.push(text),
                Word::Short(letter) => options.short(letter, selects.is_some())?,
                Word::Long(name, value) => options.long(&name, value, selects.is_some())?,
            }
        }
        options.check()?;
        Ok(options)
    }

    /// Tells whether a flag was given: `test`, `nodeps`, …
    pub fn has(&self, flag: &str) -> bool {
        self.flags.contains(flag)
    }

    /// Returns the value of `--define`, the last one first.
    pub fn defined(&self, name: &str) -> Option<&Option<String>> {
        self.defines.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Options, String> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        Options::parse(None, &words)
    }

    #[test]
    fn modes() {
        let table = [
            ("-qa", Mode::Query),
            ("-q -i foo", Mode::Query),
            ("foo -qi", Mode::Query),
            ("-ivh foo.rpm", Mode::Install),
            ("-Uvh foo.rpm", Mode::Upgrade),
            ("-F foo.rpm", Mode::Freshen),
            ("-e foo", Mode::Erase),
            ("-Va", Mode::Verify),
            ("--checksig foo.rpm", Mode::CheckSignatures),
            ("--import key", Mode::Import),
            ("-E %_arch", Mode::Eval),
            ("-e -i", Mode::Install),
            ("-iU", Mode::Upgrade),
            ("-Uq", Mode::Query),
            ("--setperms foo", Mode::Restore),
        ];
        for (line, mode) in table {
            assert_eq!(parse(line).unwrap().mode, Some(mode), "{line}");
        }
        assert_eq!(parse("--bogus").unwrap_err(), "--bogus: unknown option");
        assert_eq!(parse("-q --qf").unwrap_err(), "--qf: missing argument");
    }

    #[test]
    fn contradictions() {
        let table = [
            ("-q --test x", "--test may only be specified during package installation and erasure"),
            ("-i --allmatches x", "--allmatches may only be specified during package erasure"),
            ("-e --replacepkgs x", "only installation and upgrading may be forced"),
            ("-qa -f x", "one type of query/verify may be performed at a time"),
            ("-r x -qa", "arguments to --root (-r) must begin with a /"),
            ("-U --excludepath x y", "exclude paths must begin with a /"),
            (
                "-q --nodeps x",
                "--nodeps may only be specified during package installation, erasure, and verification",
            ),
        ];
        for (line, message) in table {
            assert_eq!(parse(line).unwrap_err(), message, "{line}");
        }
    }

    #[test]
    fn values() {
        let options = parse("-qpl --root=/x --dbpath /y --qf %{NAME} a b").unwrap();
        assert_eq!(options.source, Source::Package);
        assert!(options.files.all);
        assert_eq!((options.root.to_str(), options.dbpath.as_deref()), (Some("/x"), Some("/y")));
        assert_eq!(options.format.as_deref(), Some("%{NAME}"));
        assert_eq!(options.arguments, ["a", "b"]);
        assert_eq!(parse("-r /x -qa").unwrap().root.to_str(), Some("/x"));
    }
}
