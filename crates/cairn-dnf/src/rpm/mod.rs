// SPDX-License-Identifier: MIT OR Apache-2.0
//! `rpm`: queries, verification, installing and keys, with rpm 4.20's options, texts and exit codes.

pub mod archive;
pub mod base64;
pub mod configuration;
pub mod database;
pub mod files;
pub mod format;
pub mod formats;
pub mod install;
pub mod keyring;
pub mod keys;
pub mod macros;
pub mod options;
pub mod problems;
pub mod query;
pub mod remote;
pub mod report;
pub mod restore;
pub mod source;
pub mod trust;
pub mod verify;

use crate::failure::{CommandResult, Failure, complain};
use cairn_host::{Clock, Input, Invocation, Root, Sink, Tool};
use cairn_pkg::rpmdb::{self, RpmDb};
use cairn_rpm::macros::Macros;
use cairn_ui::{Color, Printer, Verbosity, exit};
use options::{Mode, Options};
use std::process::ExitCode;

pub use cairn_rpm::macros::RPM_VERSION;

/// One run of `rpm`.
#[derive(Debug)]
pub struct Context {
    /// Terminal.
    pub printer: Printer,
    /// Command line.
    pub options: Options,
    /// Macros of the machine and the command line.
    pub macros: Macros,
    /// System that is looked at or changed.
    pub root: Root,
    /// Clock.
    pub clock: Clock,
    /// Directory of the database below the root.
    pub database_directory: String,
}

impl Context {
    /// Opens the rpm database for reading; `None` when there is none.
    pub fn database(&self) -> Result<Option<RpmDb>, Failure> {
        if !RpmDb::exists_in(&self.root, &self.database_directory)? {
            return Ok(None);
        }
        self.open_database(rpmdb::Access::ReadOnly).map(Some)
    }

    /// Opens the rpm database.
    pub fn open_database(&self, access: rpmdb::Access) -> Result<RpmDb, Failure> {
        Ok(RpmDb::open_in(&self.root, &self.database_directory, access)?)
    }
}

/// Runs `rpm` under one of its names with the arguments of the process, the program's name first.
pub fn run(name: &str, arguments: &[String]) -> ExitCode {
    let rest = arguments.get(1..).unwrap_or_default();
    if matches!(name, "rpm2cpio" | "rpm2archive") {
        let printer = Printer::new(Verbosity::Normal, Color::Never);
        return exit::code(finish(archive::run(name, rest, &printer)));
    }
    let start = match name {
        "rpmquery" => Some(Mode::Query),
        "rpmverify" => Some(Mode::Verify),
        _ => None,
    };
    let own = if name == "rpmkeys" { keys::own_spellings(rest) } else { rest.to_vec() };
    let options = match Options::parse(start, &own).and_then(|options| fits(name, options)) {
        Ok(options) => options,
        Err(message) => {
            complain(&match message.as_str() {
                options::RELATIVE_DBPATH => message,
                macro_error if macro_error.starts_with("Macro %") => format!("error: {message}"),
                _ => format!("{name}: {message}"),
            });
            return exit::code(exit::FAILURE);
        }
    };
    if let Some(command) = &options.pipe {
        return exit::code(finish(through_pipe(arguments, command)));
    }
    let verbosity = if options.has("quiet") { Verbosity::Quiet } else { Verbosity::Normal };
    let printer = Printer::new(verbosity, Color::Auto);
    exit::code(finish(dispatch(name, options, printer)))
}

/// Runs the same program again without `--pipe`, its output read by a shell command; returns its exit code.
fn through_pipe(arguments: &[String], command: &str) -> CommandResult {
    // The code goes past the reader, through the output that `$(…)` takes.
    let script = "exec 4>&1; code=$({ { \"$0\" \"$@\" 4>&-; echo $? >&3; } 3>&5 | eval \"$CAIRN_PIPE\" >&4; } 5>&1); exit $code";
    let mut rest = Vec::new();
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        match word.strip_prefix("--pipe") {
            Some("") => drop(words.next()),
            Some(value) if value.starts_with('=') => {}
            _ => rest.push(word),
        }
    }
    let invocation = Invocation::new(Tool::Sh)
        .args(["-c", script])
        .args(rest)
        .env("CAIRN_PIPE", command)
        .stdin(Input::Inherit)
        .stdout(Sink::Inherit);
    Ok(u8::try_from(invocation.run_unchecked()?.status).unwrap_or(exit::FAILURE))
}

fn finish(result: CommandResult) -> u8 {
    match result {
        Ok(code) => code,
        Err(failure) => {
            failure.show(&Printer::new(Verbosity::Normal, Color::Auto));
            failure.code
        }
    }
}

/// `rpmkeys` and `rpmdb` have their own modes only, and need one.
fn fits(name: &str, options: Options) -> Result<Options, String> {
    let own: &[Mode] = match name {
        "rpmkeys" => &[
            Mode::CheckSignatures,
            Mode::Import,
            Mode::ListKeys,
            Mode::DeleteKeys,
            Mode::ExportKeys,
            Mode::RebuildKeys,
        ],
        "rpmdb" => &[Mode::InitDb, Mode::RebuildDb, Mode::VerifyDb, Mode::ExportDb, Mode::ImportDb],
        _ => return Ok(options),
    };
    let common = [Mode::Eval, Mode::Version, Mode::Help, Mode::QueryTags, Mode::ShowConfiguration];
    match options.mode {
        None if name == "rpmkeys" => Err("no arguments given".to_owned()),
        None => Err("only one major mode may be specified".to_owned()),
        Some(mode) if own.contains(&mode) || common.contains(&mode) => Ok(options),
        Some(_) => Err("unknown option".to_owned()),
    }
}

fn dispatch(name: &str, options: Options, printer: Printer) -> CommandResult {
    let mode = match options.mode {
        Some(Mode::Version) => {
            printer.data(&format!("RPM version {RPM_VERSION}"));
            return Ok(exit::SUCCESS);
        }
        Some(Mode::QueryTags) => {
            format::all_tags().into_iter().for_each(|tag| printer.data(tag));
            return Ok(exit::SUCCESS);
        }
        Some(Mode::Eval) => {
            let macros = macros::of(&options);
            for text in &options.evals {
                let expanded = macros.expand(text);
                if tell_errors(&macros) {
                    return Ok(exit::FAILURE);
                }
                printer.data(&expanded);
            }
            return Ok(exit::SUCCESS);
        }
        Some(Mode::ShowConfiguration) => {
            configuration::show(&options, &printer);
            return Ok(exit::SUCCESS);
        }
        Some(Mode::Help) => {
            printer.raw(HELP);
            return Ok(exit::SUCCESS);
        }
        None => {
            printer.raw(HELP);
            return Ok(exit::FAILURE);
        }
        Some(mode) => mode,
    };
    // The root of a new system need not be there.
    let root = match mode {
        Mode::Install | Mode::Upgrade | Mode::InitDb | Mode::ImportDb | Mode::Import => {
            Root::create(&options.root)?
        }
        _ => Root::open(&options.root)?,
    };
    let macros = macros::of(&options);
    let database_directory = database_directory(&options, &macros);
    let clock = Clock::system();
    let context = Context { printer, options, macros, root, clock, database_directory };
    let result = match mode {
        Mode::Query => query::run(&context, name),
        Mode::Verify => verify::run(&context, name),
        Mode::Restore => restore::run(&context),
        Mode::Install | Mode::Upgrade | Mode::Freshen | Mode::Reinstall => {
            install::install(&context, mode)
        }
        Mode::Erase => install::erase(&context),
        Mode::CheckSignatures => keys::check_signatures(&context),
        Mode::Import => keys::import(&context),
        Mode::ListKeys => keys::list(&context),
        Mode::DeleteKeys => keys::delete(&context),
        Mode::ExportKeys => keys::export(&context),
        Mode::RebuildKeys => keys::rebuild(&context),
        Mode::InitDb => database::init(&context),
        Mode::RebuildDb => database::rebuild(&context),
        Mode::VerifyDb => database::check(&context),
        Mode::ExportDb => database::export(&context),
        Mode::ImportDb => database::import(&context),
        Mode::Eval | Mode::QueryTags | Mode::Version | Mode::Help | Mode::ShowConfiguration => {
            Ok(exit::SUCCESS)
        }
    };
    tell_errors(&context.macros);
    if let Err(error) = context.printer.finish() {
        complain(&format!("Error writing to log: {}", query::os_text(&error)));
        // rpm's codes: a query says only what could be written.
        return if mode == Mode::CheckSignatures { Ok(u8::MAX) } else { result };
    }
    result
}

/// Tells what went wrong in macros; returns whether anything did.
fn tell_errors(macros: &Macros) -> bool {
    let errors = macros.take_errors();
    errors.iter().for_each(|error| complain(&format!("error: {error}")));
    !errors.is_empty()
}

/// Where the database lies below the root: `--dbpath`, or the macro `_dbpath`.
fn database_directory(options: &Options, macros: &Macros) -> String {
    let path = options.dbpath.as_deref().unwrap_or("%{_dbpath}");
    let path = macros.expand(path).trim_matches('/').to_owned();
    if path.is_empty() { rpmdb::DIRECTORY.to_owned() } else { path }
}

const HELP: &str = "RPM version 4.20.1 of Cairn Linux
Usage: rpm [OPTION...]

Query/Verify package selection options (with -q or -V):
  -a, --all [TAG=PATTERN|NAME]       all installed packages
  -f, --file; --path                 packages that own a file
  -g, --group                        packages of a group
  -p, --package                      package files
      --pkgid, --hdrid, --tid, --querybynumber
                                     packages by an identifier
      --triggeredby                  packages with triggers on a package
      --whatprovides, --whatrequires, --whatconflicts, --whatobsoletes,
      --whatrecommends, --whatsuggests, --whatsupplements, --whatenhances
                                     packages by a capability

Query/Verify file selection options:
  -c, --configfiles; -d, --docfiles; -L, --licensefiles; -A, --artifactfiles
                                     only files of that kind
      --noghost, --noconfig, --noartifact
                                     leave files of that kind out

Query options (with -q or --query):
  -i, --info                         details
  -l, --list                         files
  -s, --state                        files with their states
      --dump                         all that is known about files
      --qf, --queryformat=FORMAT     output in that format
  -R, --requires; -P, --provides; --conflicts, --obsoletes, --recommends,
      --suggests, --supplements, --enhances
      --scripts, --triggers, --filetriggers, --changelog, --changes,
      --xml, --json, --last, --dupes, --filesbypkg, --fileclass,
      --filecolor, --fileprovide, --filerequire, --filecaps

Verify options (with -V or --verify):
      --nodeps, --nofiles, --noscripts, --nofiledigest, --nosize, --nomtime,
      --nomode, --nouser, --nogroup, --nolinkto, --nordev, --nocaps

Install/Upgrade/Erase options:
  -i, --install                      install package files
  -U, --upgrade                      install package files in place of older ones
  -F, --freshen                      the same, if an older one is installed
      --reinstall                    install the same packages again
  -e, --erase                        remove packages
      --restore, --setperms, --setugids, --setcaps
                                     give files the modes, owners and
                                     capabilities of their packages
  -h, --hash; --percent              show progress
      --allfiles, --allmatches, --excludeartifacts, --excludeconfigs,
      --excludedocs, --excludepath=PATH, --force, --ignorearch, --ignoreos,
      --ignoresize, --justdb, --nocaps, --nodeps, --noorder, --noscripts,
      --nopre, --nopost, --nopreun, --nopostun, --nopretrans, --noposttrans,
      --nopreuntrans, --nopostuntrans, --notriggers, --notriggerprein,
      --notriggerin, --notriggerun, --notriggerpostun, --oldpackage,
      --replacefiles, --replacepkgs, --test,
      --prefix=DIR, --relocate=OLD=NEW, --badreloc
                                     install files at other places
      Source packages go to %_sourcedir and %_specdir.

Keys and signatures (also as rpmkeys, which has --list, --delete, --export and --rebuild):
  -K, --checksig                     check package files
      --import                       trust keys

Database (also as rpmdb):
      --initdb, --rebuilddb, --verifydb, --exportdb, --importdb

Common options for all modes:
  -D, --define='MACRO EXPR'; --undefine=MACRO; -E, --eval='EXPR'
      --nodigest, --nosignature, --noplugins
  -r, --root=ROOT; --dbpath=DIRECTORY
      --querytags, --showrc, --quiet, -v, --verbose, --version, -?, --help
";
