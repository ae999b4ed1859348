// SPDX-License-Identifier: MIT OR Apache-2.0
//! `rpm`: queries, verification, installing and keys, with rpm 4.20's options, texts and exit codes.

pub mod base64;
pub mod database;
pub mod format;
pub mod formats;
pub mod install;
pub mod keys;
pub mod macros;
pub mod options;
pub mod problems;
pub mod query;
pub mod verify;

use crate::failure::{CommandResult, Failure, complain};
use cairn_host::{Clock, Root};
use cairn_pkg::rpmdb::{self, RpmDb};
use cairn_ui::{Color, Printer, Verbosity, exit};
use options::{Mode, Options};
use std::process::ExitCode;

/// Version that is shown and recorded: the rpm whose behaviour this follows.
pub const RPM_VERSION: &str = "4.20.1";

/// One run of `rpm`.
#[derive(Debug)]
pub struct Context {
    /// Terminal.
    pub printer: Printer,
    /// Command line.
    pub options: Options,
    /// System that is looked at or changed.
    pub root: Root,
    /// Clock.
    pub clock: Clock,
}

impl Context {
    /// Opens the rpm database for reading; `None` when there is none.
    pub fn database(&self) -> Result<Option<RpmDb>, Failure> {
        if !RpmDb::exists(&self.root)? {
            return Ok(None);
        }
        Ok(Some(RpmDb::open(&self.root, rpmdb::Access::ReadOnly)?))
    }
}

/// Runs `rpm` under one of its names with the arguments of the process, the program's name first.
pub fn run(name: &str, arguments: &[String]) -> ExitCode {
    let start = match name {
        "rpmquery" => Some(Mode::Query),
        "rpmverify" => Some(Mode::Verify),
        _ => None,
    };
    let options = match Options::parse(start, arguments.get(1..).unwrap_or_default()) {
        Ok(options) => options,
        Err(message) => {
            complain(&format!("{name}: {message}"));
            return exit::code(exit::FAILURE);
        }
    };
    let verbosity = if options.quiet { Verbosity::Quiet } else { Verbosity::Normal };
    let printer = Printer::new(verbosity, Color::Auto);
    let code = match dispatch(name, options, printer) {
        Ok(code) => code,
        Err(failure) => {
            failure.show(&Printer::new(Verbosity::Normal, Color::Auto));
            failure.code
        }
    };
    exit::code(code)
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
            for text in &options.evals {
                printer.data(&macros::expand(text, &options));
            }
            return Ok(exit::SUCCESS);
        }
        Some(Mode::Help) | None => {
            printer.raw(HELP);
            return Ok(exit::SUCCESS);
        }
        Some(mode) => mode,
    };
    check_database_path(&options)?;
    let root = Root::open(&options.root)?;
    let context = Context { printer, options, root, clock: Clock::system() };
    match mode {
        Mode::Query => query::run(&context, name),
        Mode::Verify => verify::run(&context, name),
        Mode::Install | Mode::Upgrade | Mode::Freshen | Mode::Reinstall => {
            install::install(&context, mode)
        }
        Mode::Erase => install::erase(&context),
        Mode::CheckSignatures => keys::check_signatures(&context),
        Mode::Import => keys::import(&context),
        Mode::ListKeys => keys::list(&context),
        Mode::InitDb => database::init(&context),
        Mode::RebuildDb => database::rebuild(&context),
        Mode::VerifyDb => database::check(&context),
        Mode::Eval | Mode::QueryTags | Mode::Version | Mode::Help => Ok(exit::SUCCESS),
    }
}

/// The engine has one place for the database; naming it again is fine, another one is not supported.
fn check_database_path(options: &Options) -> Result<(), Failure> {
    let from_define = options
        .defines
        .iter()
        .rev()
        .find(|(name, _)| name == "_dbpath")
        .map(|(_, value)| value.as_str());
    let Some(path) = options.dbpath.as_deref().or(from_define) else { return Ok(()) };
    let path = macros::expand(path, options);
    if path.trim_matches('/') == rpmdb::DIRECTORY {
        return Ok(());
    }
    Err(Failure::new(format!(
        "database path {path} is not supported (expected /{})",
        rpmdb::DIRECTORY
    ))
    .hint("use --root=DIR for another system"))
}

const HELP: &str = "Usage: rpm [OPTION...]

Query options (with -q or --query):
  -a, --all               all installed packages
  -f, --file              packages that own a file
  -p, --package           package files
  -g, --group             packages of a group
  --whatprovides, --whatrequires, --whatconflicts, --whatobsoletes, --whatrecommends, --whatsuggests,
  --whatsupplements, --whatenhances
                          packages by a capability
  -i, --info              details
  -l, --list              files
  -s, --state             files with their states
  -d, --docfiles          documentation files
  -c, --configfiles       configuration files
  -L, --licensefiles      licence files
  --dump                  all that is known about files
  -R, --requires; --provides, --conflicts, --obsoletes, --recommends, --suggests, --supplements, --enhances
  --scripts, --triggers, --filetriggers, --changelog, --changes, --last, --filesbypkg
  --qf, --queryformat=FORMAT

Verify options (with -V or --verify):
  -a, -f, -p              as in queries
  --nodeps, --nofiles, --nofiledigest, --nosize, --nomtime, --nomode, --nouser, --nogroup, --nolinkto

Install, upgrade and erase options:
  -i, --install           install package files
  -U, --upgrade           upgrade or install package files
  -F, --freshen           upgrade packages that are installed
  --reinstall             install the same packages again
  -e, --erase             remove packages
  -h, --hash; --percent   show progress
  --test, --nodeps, --noscripts, --force, --replacepkgs, --oldpackage, --allmatches, --excludedocs

Keys and signatures:
  -K, --checksig          check package files
  --import                trust keys

Database:
  --initdb, --rebuilddb, --verifydb

Options of all modes:
  -v, --verbose; --quiet; --root=DIR; --dbpath=DIR; --define='NAME VALUE'; --eval=TEXT;
  --nosignature; --nodigest; --querytags; --version; --help
";
