// SPDX-License-Identifier: MIT OR Apache-2.0
//! What each option means.

use super::{Mode, Options, Source, WhatKind};
use crate::rpm::formats;
use std::path::PathBuf;

/// Flags that are only noted, under their own names.
const FLAGS: &[&str] = &[
    "allfiles",
    "allmatches",
    "badreloc",
    "excludeartifacts",
    "excludeconfigs",
    "excludedocs",
    "hash",
    "ignorearch",
    "ignoreos",
    "ignoresize",
    "includedocs",
    "justdb",
    "nocaps",
    "nocontexts",
    "nodb",
    "nodeps",
    "nodigest",
    "nofiles",
    "nomanifest",
    "noorder",
    "noplugins",
    "nosignature",
    "noverify",
    "oldpackage",
    "percent",
    "quiet",
    "replacefiles",
    "replacepkgs",
    "setcaps",
    "setperms",
    "setugids",
    "test",
];

/// Scriptlets that `--noscripts` leaves out, together with all triggers.
const SCRIPTLETS: &[(&str, &str)] = &[
    ("nopre", "%pre"),
    ("nopost", "%post"),
    ("nopreun", "%preun"),
    ("nopostun", "%postun"),
    ("nopretrans", "%pretrans"),
    ("noposttrans", "%posttrans"),
    ("nopreuntrans", "%preuntrans"),
    ("nopostuntrans", "%postuntrans"),
    ("nosysusers", "%sysusers"),
];

/// Triggers that `--notriggers` leaves out.
const TRIGGERS: &[(&str, &[&str])] = &[
    ("notriggerprein", &["%triggerprein"]),
    ("notriggerin", &["%triggerin", "%filetriggerin", "%transfiletriggerin"]),
    ("notriggerun", &["%triggerun", "%filetriggerun", "%transfiletriggerun"]),
    ("notriggerpostun", &["%triggerpostun", "%filetriggerpostun", "%transfiletriggerpostun"]),
];

/// The kinds of scriptlets that `--notriggers` leaves out.
pub fn triggers() -> impl Iterator<Item = &'static str> {
    TRIGGERS.iter().flat_map(|(_, kinds)| *kinds).copied()
}

/// Checks of `-V` by option.
const CHECKS: &[(&str, char)] = &[
    ("nomtime", 'T'),
    ("nosize", 'S'),
    ("nofiledigest", '5'),
    ("nomd5", '5'),
    ("nomode", 'M'),
    ("nouser", 'U'),
    ("nogroup", 'G'),
    ("nolinkto", 'L'),
    ("nordev", 'D'),
    ("nocaps", 'P'),
];

impl Options {
    /// Install modes win over erasing, queries over both, as in rpm.
    fn set_mode(&mut self, mode: Mode) -> Result<(), String> {
        let rank = |mode: Mode| match mode {
            Mode::Erase => 0,
            Mode::Install => 1,
            Mode::Freshen => 2,
            Mode::Reinstall => 3,
            Mode::Upgrade => 4,
            Mode::Query | Mode::Verify | Mode::Restore => 5,
            _ => 6,
        };
        match self.mode {
            Some(before) if rank(before) == 6 && before != mode => {
                Err("only one major mode may be specified".to_owned())
            }
            Some(before) if rank(before) > rank(mode) => Ok(()),
            Some(Mode::Query | Mode::Verify | Mode::Restore) if rank(mode) == 5 => Ok(()),
            _ => {
                self.mode = Some(mode);
                Ok(())
            }
        }
    }

    fn set_source(&mut self, source: Source) -> Result<(), String> {
        if source == Source::All && self.source != Source::Label {
            return Ok(());
        }
        if self.source != Source::Label && self.source != source {
            return Err("one type of query/verify may be performed at a time".to_owned());
        }
        self.source = source;
        Ok(())
    }

    fn add_format(&mut self, format: &str) {
        self.format.get_or_insert_default().push_str(format);
    }

    pub(super) fn short(&mut self, letter: char, selects: bool) -> Result<(), String> {
        match letter {
            'q' | 'V' => {}
            'v' => self.verbose += 1,
            'h' => {
                self.flags.insert("hash");
            }
            'a' => self.set_source(Source::All)?,
            'f' => self.set_source(Source::File)?,
            'p' => self.set_source(Source::Package)?,
            'g' => self.set_source(Source::Group)?,
            'i' if selects => self.add_format(formats::INFO),
            'l' => self.files.all = true,
            's' => self.files.state = true,
            'd' => self.files.documentation = true,
            'c' => self.files.configuration = true,
            'L' => self.files.licenses = true,
            'A' => self.files.artifacts = true,
            'R' => self.add_format(&formats::dependencies("REQUIRE")),
            'P' => self.add_format(&formats::dependencies("PROVIDE")),
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

    pub(super) fn long(
        &mut self,
        name: &str,
        value: Option<String>,
        selects: bool,
    ) -> Result<(), String> {
        let known = self.long_value(name, value)?
            || self.long_mode(name, selects)?
            || self.long_flag(name)
            || self.long_source(name)?
            || self.long_output(name, selects);
        if known { Ok(()) } else { Err(format!("--{name}: unknown option")) }
    }

    /// Options with a value; returns whether it was one.
    fn long_value(&mut self, name: &str, value: Option<String>) -> Result<bool, String> {
        let Some(value) = value else { return Ok(false) };
        match name {
            "root" | "r" => self.root = PathBuf::from(value),
            "dbpath" => self.dbpath = Some(value),
            "define" | "D" | "predefine" => {
                let Some((key, text)) = value.trim().split_once(char::is_whitespace) else {
                    return Err(format!("Macro %{value} has empty body"));
                };
                self.defines.push((key.to_owned(), Some(text.trim().to_owned())));
            }
            "undefine" => self.defines.push((value.trim().to_owned(), None)),
            "eval" | "E" => {
                self.set_mode(Mode::Eval)?;
                self.evals.push(value);
            }
            "queryformat" | "qf" => self.add_format(&value),
            "excludepath" => self.exclude_paths.push(value),
            "relocate" => self.relocations.push(value),
            "prefix" => self.prefix = Some(value),
            "load" => self.loads.push(value),
            "macros" => self.macro_path = Some(value),
            "pipe" => self.pipe = Some(value),
            // What rpmrc says is built in.
            "rcfile" | "target" | "from" => {}
            _ => return Err(format!("--{name}: option does not take an argument")),
        }
        Ok(true)
    }

    fn long_mode(&mut self, name: &str, selects: bool) -> Result<bool, String> {
        let mode = match name {
            "query" | "verify" | "restore" => return Ok(true),
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
            "exportdb" => Mode::ExportDb,
            "importdb" => Mode::ImportDb,
            "querytags" => Mode::QueryTags,
            "showrc" => Mode::ShowConfiguration,
            "version" => Mode::Version,
            "help" | "usage" => Mode::Help,
            "delete" if !selects => Mode::DeleteKeys,
            "export" if !selects => Mode::ExportKeys,
            "rebuild" if !selects => Mode::RebuildKeys,
            "list" if !selects => Mode::ListKeys,
            _ => return Ok(false),
        };
        self.set_mode(mode)?;
        Ok(true)
    }

    fn long_flag(&mut self, name: &str) -> bool {
        let mut known = true;
        match name {
            "verbose" => self.verbose += 1,
            "force" => self.flags.extend(["replacepkgs", "replacefiles", "oldpackage"]),
            "nodocs" => {
                self.flags.insert("excludedocs");
            }
            "noconfigs" => {
                self.flags.insert("excludeconfigs");
            }
            // For those who look for mistakes in rpm itself.
            "debug" | "deploops" | "fsmdebug" | "noglob" | "nohdrchk" | "prtpkts"
            | "rpmfcdebug" | "rpmiodebug" | "stats" | "trace" => {}
            "noscripts" | "noscript" => {
                self.flags.insert("noscripts");
                self.silenced.kinds.extend(SCRIPTLETS.iter().map(|(_, kind)| *kind));
                self.silenced.kinds.extend(triggers());
            }
            "notriggers" => {
                self.silenced.kinds.extend(triggers());
            }
            _ => known = false,
        }
        if let Some(flag) = FLAGS.iter().find(|flag| **flag == name) {
            self.flags.insert(flag);
            known = true;
        }
        if let Some((_, letter)) = CHECKS.iter().find(|(option, _)| *option == name) {
            self.skip_checks.push(*letter);
            known = true;
        }
        if let Some((_, kind)) = SCRIPTLETS.iter().find(|(option, _)| *option == name) {
            self.silenced.kinds.insert(kind);
            known = true;
        }
        if let Some((_, kinds)) = TRIGGERS.iter().find(|(option, _)| *option == name) {
            self.silenced.kinds.extend(*kinds);
            known = true;
        }
        known
    }

    fn long_source(&mut self, name: &str) -> Result<bool, String> {
        let source = match name {
            "all" => Source::All,
            "file" => Source::File,
            "path" => Source::Path,
            "package" => Source::Package,
            "group" => Source::Group,
            "querybynumber" => Source::Number,
            "pkgid" => Source::PackageId,
            "hdrid" => Source::HeaderId,
            "tid" => Source::TransactionId,
            "triggeredby" => Source::TriggeredBy,
            "whatprovides" => Source::What(WhatKind::Provides),
            "whatrequires" => Source::What(WhatKind::Requires),
            "whatconflicts" => Source::What(WhatKind::Conflicts),
            "whatobsoletes" => Source::What(WhatKind::Obsoletes),
            "whatrecommends" => Source::What(WhatKind::Recommends),
            "whatsuggests" => Source::What(WhatKind::Suggests),
            "whatsupplements" => Source::What(WhatKind::Supplements),
            "whatenhances" => Source::What(WhatKind::Enhances),
            _ => return Ok(false),
        };
        self.set_source(source)?;
        Ok(true)
    }

    fn long_output(&mut self, name: &str, selects: bool) -> bool {
        match name {
            "list" if selects => self.files.all = true,
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
            "dupes" => self.duplicates = true,
            other => match formats::alias(other) {
                Some(format) => self.add_format(&format),
                None => return false,
            },
        }
        true
    }
}
