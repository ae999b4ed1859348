// SPDX-License-Identifier: MIT OR Apache-2.0
//! rpm's command line. rpm's options depend on each other in a way clap cannot say (`-i` is "install" alone and "info" after
//! `-q`; `-qpl`, `-Uvh`), so the words are read one by one, as popt does.

use std::path::PathBuf;

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
    /// `--initdb`
    InitDb,
    /// `--rebuilddb`
    RebuildDb,
    /// `--verifydb`
    VerifyDb,
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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// Installed packages by name, or another form of NEVRA.
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

/// Everything on the command line.
#[derive(Debug, Clone)]
pub struct Options {
    /// What to do.
    pub mode: Option<Mode>,
    /// Where packages come from.
    pub source: Source,
    /// File listing.
    pub files: FileListing,
    /// Query format, those of the aliases (`--requires`…) joined in order.
    pub format: Option<String>,
    /// `--last`: sort by installation.
    pub last: bool,
    /// Other arguments.
    pub arguments: Vec<String>,
    /// `--root`
    pub root: PathBuf,
    /// `--dbpath`
    pub dbpath: Option<String>,
    /// `--define NAME VALUE`
    pub defines: Vec<(String, String)>,
    /// `--eval`
    pub evals: Vec<String>,
    /// `-v`, how often
    pub verbose: u32,
    /// `--quiet`
    pub quiet: bool,
    /// `-h`
    pub hash: bool,
    /// `--percent`
    pub percent: bool,
    /// `--test`
    pub test: bool,
    /// `--nodeps`
    pub no_deps: bool,
    /// `--noscripts`
    pub no_scripts: bool,
    /// `--nofiles` (verify)
    pub no_files: bool,
    /// `--replacepkgs`
    pub replace_packages: bool,
    /// `--oldpackage`
    pub old_package: bool,
    /// `--allmatches`
    pub all_matches: bool,
    /// `--nosignature`
    pub no_signature: bool,
    /// `--nodigest`
    pub no_digest: bool,
    /// `--excludedocs`
    pub exclude_docs: bool,
    /// Checks of `-V` that are left out, by column letter.
    pub skip_checks: Vec<char>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            mode: None,
            source: Source::Label,
            files: FileListing::default(),
            format: None,
            last: false,
            arguments: Vec::new(),
            root: PathBuf::from("/"),
            dbpath: None,
            defines: Vec::new(),
            evals: Vec::new(),
            verbose: 0,
            quiet: false,
            hash: false,
            percent: false,
            test: false,
            no_deps: false,
            no_scripts: false,
            no_files: false,
            replace_packages: false,
            old_package: false,
            all_matches: false,
            no_signature: false,
            no_digest: false,
            exclude_docs: false,
            skip_checks: Vec::new(),
        }
    }
}

/// One word of the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Word {
    Short(char),
    Long(String, Option<String>),
    Plain(String),
}

/// Short options that take a value.
const SHORT_WITH_VALUE: &[char] = &['r', 'D', 'E'];
/// Long options that take a value.
const LONG_WITH_VALUE: &[&str] = &[
    "root",
    "dbpath",
    "define",
    "eval",
    "queryformat",
    "qf",
    "excludepath",
    "prefix",
    "relocate",
    "undefine",
    "rcfile",
    "macros",
];

impl Options {
    /// Parses the arguments after the program's name; `start` is the mode the program's name implies.
    ///
    /// # Errors
    /// rpm's message.
    pub fn parse(start: Option<Mode>, arguments: &[String]) -> Result<Self, String> {
        let words = split(arguments)?;
        let is_query = start == Some(Mode::Query)
            || words.iter().any(|word| matches!(word, Word::Short('q')) || is_long(word, "query"));
        let is_verify = start == Some(Mode::Verify)
            || words.iter().any(|word| matches!(word, Word::Short('V')) || is_long(word, "verify"));
        let mut options = Self { mode: start, ..Self::default() };
        if is_query {
            options.mode = Some(Mode::Query);
        } else if is_verify {
            options.mode = Some(Mode::Verify);
        }
        let selects = is_query || is_verify;
        for word in words {
            match word {
                Word::Plain(text) => options.arguments.push(text),
                Word::Short(letter) => options.short(letter, selects)?,
                Word::Long(name, value) => options.long(&name, value, selects)?,
            }
        }
        Ok(options)
    }

    fn set_mode(&mut self, mode: Mode) -> Result<(), String> {
        match self.mode {
            Some(before) if before != mode => {
                Err("only one major mode may be specified".to_owned())
            }
            _ => {
                self.mode = Some(mode);
                Ok(())
            }
        }
    }

    fn add_format(&mut self, format: &str) {
        self.format.get_or_insert_default().push_str(format);
    }

    fn short(&mut self, letter: char, selects: bool) -> Result<(), String> {
        match letter {
            'q' | 'V' => {}
            'v' => self.verbose += 1,
            'h' => self.hash = true,
            'a' if selects => self.source = Source::All,
            'f' if selects => self.source = Source::File,
            'p' if selects => self.source = Source::Package,
            'g' if selects => self.source = Source::Group,
            'i' if selects => self.add_format(super::formats::INFO),
            'l' if selects => self.files.all = true,
            's' if selects => self.files.state = true,
            'd' if selects => self.files.documentation = true,
            'c' if selects => self.files.configuration = true,
            'L' if selects => self.files.licenses = true,
            'A' if selects => self.files.artifacts = true,
            'R' if selects => self.add_format(&super::formats::dependencies("REQUIRE")),
            'P' if selects => self.add_format(&super::formats::dependencies("PROVIDE")),
            'i' => self.set_mode(Mode::Install)?,
            'U' => self.set_mode(Mode::Upgrade)?,
            'F' => self.set_mode(Mode::Freshen)?,
            'e' => self.set_mode(Mode::Erase)?,
            'K' => self.set_mode(Mode::CheckSignatures)?,
            '?' => self.set_mode(Mode::Help)?,
            other => return Err(format!("-{other}: unknown option")),
        }
        Ok(())
    }

    fn long(&mut self, name: &str, value: Option<String>, selects: bool) -> Result<(), String> {
        if self.long_value(name, value)? || self.long_mode(name)? || self.long_flag(name) {
            return Ok(());
        }
        if selects && (self.long_source(name) || self.long_output(name)) {
            return Ok(());
        }
        Err(format!("--{name}: unknown option"))
    }

    /// Options with a value; returns whether it was one.
    fn long_value(&mut self, name: &str, value: Option<String>) -> Result<bool, String> {
        let Some(value) = value else { return Ok(false) };
        match name {
            "root" | "r" => self.root = PathBuf::from(value),
            "dbpath" => self.dbpath = Some(value),
            "define" | "D" => {
                let Some((key, text)) = value.trim().split_once(char::is_whitespace) else {
                    return Err(format!("Macro %{value} has empty body"));
                };
                self.defines.push((key.to_owned(), text.trim().to_owned()));
            }
            "eval" | "E" => {
                self.set_mode(Mode::Eval)?;
                self.evals.push(value);
            }
            "queryformat" | "qf" => self.add_format(&value),
            "undefine" | "rcfile" | "macros" => {}
            "excludepath" | "prefix" | "relocate" => {
                return Err(format!("--{name} is not supported"));
            }
            _ => return Err(format!("--{name}: option does not take an argument")),
        }
        Ok(true)
    }

    fn long_mode(&mut self, name: &str) -> Result<bool, String> {
        let mode = match name {
            "query" | "verify" => return Ok(true),
            "install" => Mode::Install,
            "upgrade" => Mode::Upgrade,
            "freshen" => Mode::Freshen,
            "reinstall" => Mode::Reinstall,
            "erase" => Mode::Erase,
            "checksig" => Mode::CheckSignatures,
            "import" => Mode::Import,
            "initdb" => Mode::InitDb,
            "rebuilddb" => Mode::RebuildDb,
            "verifydb" => Mode::VerifyDb,
            "querytags" => Mode::QueryTags,
            "version" => Mode::Version,
            "help" | "usage" => Mode::Help,
            "list" if matches!(self.mode, None | Some(Mode::ListKeys)) => Mode::ListKeys,
            _ => return Ok(false),
        };
        if !(mode == Mode::Install && matches!(self.mode, Some(Mode::Query))) {
            self.set_mode(mode)?;
        }
        Ok(true)
    }

    fn long_flag(&mut self, name: &str) -> bool {
        match name {
            "verbose" => self.verbose += 1,
            "quiet" => self.quiet = true,
            "hash" => self.hash = true,
            "percent" => self.percent = true,
            "test" => self.test = true,
            "nodeps" => self.no_deps = true,
            "noscripts" | "noscript" => self.no_scripts = true,
            "nofiles" => self.no_files = true,
            "replacepkgs" => self.replace_packages = true,
            "oldpackage" => self.old_package = true,
            "force" => {
                self.replace_packages = true;
                self.old_package = true;
            }
            "allmatches" => self.all_matches = true,
            "nosignature" => self.no_signature = true,
            "nodigest" => self.no_digest = true,
            "excludedocs" => self.exclude_docs = true,
            "nomtime" => self.skip_checks.push('T'),
            "nosize" => self.skip_checks.push('S'),
            "nofiledigest" | "nomd5" => self.skip_checks.push('5'),
            "nomode" => self.skip_checks.push('M'),
            "nouser" => self.skip_checks.push('U'),
            "nogroup" => self.skip_checks.push('G'),
            "nolinkto" => self.skip_checks.push('L'),
            "nordev" => self.skip_checks.push('D'),
            "nocaps" => self.skip_checks.push('P'),
            // Nothing here has these, so that leaving them out changes nothing.
            "noplugins" | "nocontexts" | "includedocs" | "ignoresize" | "ignorearch"
            | "ignoreos" | "noorder" => {}
            _ => return false,
        }
        true
    }

    fn long_source(&mut self, name: &str) -> bool {
        self.source = match name {
            "all" => Source::All,
            "file" => Source::File,
            "path" => Source::Path,
            "package" => Source::Package,
            "group" => Source::Group,
            "querybynumber" => Source::Number,
            "whatprovides" => Source::What(WhatKind::Provides),
            "whatrequires" => Source::What(WhatKind::Requires),
            "whatconflicts" => Source::What(WhatKind::Conflicts),
            "whatobsoletes" => Source::What(WhatKind::Obsoletes),
            "whatrecommends" => Source::What(WhatKind::Recommends),
            "whatsuggests" => Source::What(WhatKind::Suggests),
            "whatsupplements" => Source::What(WhatKind::Supplements),
            "whatenhances" => Source::What(WhatKind::Enhances),
            _ => return false,
        };
        true
    }

    fn long_output(&mut self, name: &str) -> bool {
        use super::formats;
        match name {
            "info" => self.add_format(formats::INFO),
            "list" => self.files.all = true,
            "state" => self.files.state = true,
            "docfiles" => self.files.documentation = true,
            "configfiles" => self.files.configuration = true,
            "licensefiles" => self.files.licenses = true,
            "artifactfiles" => self.files.artifacts = true,
            "dump" => self.files.dump = true,
            "noghost" => self.files.no_ghost = true,
            "noconfig" => self.files.no_config = true,
            "noartifact" => self.files.no_artifact = true,
            "last" => self.last = true,
            "requires" => self.add_format(&formats::dependencies("REQUIRE")),
            "provides" => self.add_format(&formats::dependencies("PROVIDE")),
            "conflicts" => self.add_format(&formats::dependencies("CONFLICT")),
            "obsoletes" => self.add_format(&formats::dependencies("OBSOLETE")),
            "recommends" => self.add_format(&formats::dependencies("RECOMMEND")),
            "suggests" => self.add_format(&formats::dependencies("SUGGEST")),
            "supplements" => self.add_format(&formats::dependencies("SUPPLEMENT")),
            "enhances" => self.add_format(&formats::dependencies("ENHANCE")),
            "scripts" => self.add_format(&formats::scripts()),
            "triggers" | "triggerscripts" => self.add_format(formats::TRIGGERS),
            "filetriggers" | "filetriggerscripts" => self.add_format(formats::FILE_TRIGGERS),
            "changelog" => self.add_format(formats::CHANGELOG),
            "changes" => self.add_format(formats::CHANGES),
            "filesbypkg" => self.add_format("[%-25{=NAME} %{FILENAMES}\\n]"),
            "filecaps" => self.add_format("[%{FILENAMES}\\t%|FILECAPS?{%{FILECAPS}}|\\n]"),
            "filecolor" => self.add_format("[%{FILENAMES}\\t%{FILECOLORS}\\n]"),
            "fileclass" => self.add_format("[%{FILENAMES}\\t%{FILECLASS}\\n]"),
            _ => return false,
        }
        true
    }
}

fn is_long(word: &Word, name: &str) -> bool {
    matches!(word, Word::Long(long, _) if long == name)
}

fn split(arguments: &[String]) -> Result<Vec<Word>, String> {
    let mut words = Vec::new();
    let mut rest = arguments.iter();
    let mut only_plain = false;
    while let Some(argument) = rest.next() {
        if only_plain || argument == "-" || !argument.starts_with('-') {
            words.push(Word::Plain(argument.clone()));
        } else if argument == "--" {
            only_plain = true;
        } else if let Some(long) = argument.strip_prefix("--") {
            let (name, value) = match long.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (long, None),
            };
            let value = match value {
                None if LONG_WITH_VALUE.contains(&name) => {
                    let next = rest.next().ok_or_else(|| format!("--{name}: missing argument"))?;
                    Some(next.clone())
                }
                other => other,
            };
            words.push(Word::Long(name.to_owned(), value));
        } else {
            split_short(argument, &mut rest, &mut words)?;
        }
    }
    Ok(words)
}

fn split_short<'a>(
    argument: &str,
    rest: &mut impl Iterator<Item = &'a String>,
    words: &mut Vec<Word>,
) -> Result<(), String> {
    for (index, letter) in argument.char_indices().skip(1) {
        if !SHORT_WITH_VALUE.contains(&letter) {
            words.push(Word::Short(letter));
            continue;
        }
        let attached = &argument[index + letter.len_utf8()..];
        let value = if attached.is_empty() {
            rest.next().cloned().ok_or_else(|| format!("-{letter}: missing argument"))?
        } else {
            attached.trim_start_matches('=').to_owned()
        };
        words.push(Word::Long(letter.to_string(), Some(value)));
        return Ok(());
    }
    Ok(())
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
        ];
        for (line, mode) in table {
            assert_eq!(parse(line).unwrap().mode, Some(mode), "{line}");
        }
        assert_eq!(parse("-i -e").unwrap_err(), "only one major mode may be specified");
        assert_eq!(parse("--bogus").unwrap_err(), "--bogus: unknown option");
        assert_eq!(parse("-q --qf").unwrap_err(), "--qf: missing argument");
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
