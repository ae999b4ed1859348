// SPDX-License-Identifier: MIT OR Apache-2.0
//! `rpm -q`: selects packages and shows them.

use super::Context;
use super::files;
use super::format::{Format, Subject, date_text, permissions, texts};
use super::options::{FileListing, Mode, Source, WhatKind};
use super::remote;
use super::trust::HeaderChecks;
use crate::failure::{CommandResult, Failure, complain};
use cairn_pkg::query::glob;
use cairn_pkg::query::spec::nevra_matches;
use cairn_pkg::rpmdb::RpmDb;
use cairn_rpm::dependency::Dependency;
use cairn_rpm::error::Error;
use cairn_rpm::evr::Nevra;
use cairn_rpm::header::{FileEntry, FileFlags, Header};
use cairn_rpm::package::Package;
use cairn_rpm::tag;
use cairn_ui::exit;
use cairn_ui::format::{Zone, strftime};
use std::collections::BTreeMap;
use std::io::BufReader;
use std::path::Path;

/// A package that was selected.
#[derive(Debug)]
pub struct Selected {
    /// Header.
    pub header: Header,
    /// Signature header of package files.
    pub signature: Option<Header>,
    /// Number in the database, 0 for package files.
    pub number: u64,
}

impl Selected {
    /// Returns the package for formatting.
    pub fn subject(&self, verbose: bool) -> Subject<'_> {
        Subject {
            header: &self.header,
            signature: self.signature.as_ref(),
            number: self.number,
            verbose,
        }
    }
}

/// Runs `rpm -q`.
pub fn run(context: &Context, name: &str) -> CommandResult {
    let options = &context.options;
    if options.arguments.is_empty() && options.source != Source::All {
        complain(&format!("{name}: no arguments given for query"));
        return Ok(exit::FAILURE);
    }
    let mut failed = 0_u8;
    let mut format = None;
    let mut error = None;
    let mut collected = Vec::new();
    select(context, &mut |found| match found {
        Ok(package) if options.last || options.duplicates => collected.push(package),
        Ok(package) if error.is_none() => error = show(context, &package, &mut format).err(),
        Ok(_) => {}
        Err(()) => failed = failed.saturating_add(1),
    })?;
    if let Some(error) = error {
        return Err(error);
    }
    if options.duplicates {
        show_duplicates(context, &collected);
        return Ok(failed);
    }
    let key =
        |package: &Selected| std::cmp::Reverse(package.header.u32(tag::INSTALLTIME).unwrap_or(0));
    collected.sort_by_key(|package| (key(package), std::cmp::Reverse(package.header.nevra())));
    for package in &collected {
        show(context, package, &mut format)?;
    }
    Ok(failed)
}

/// `--dupes`: names (with architecture) that several packages have.
fn show_duplicates(context: &Context, packages: &[Selected]) {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for Selected { header, .. } in packages {
        let shown = match (header.has(tag::SOURCERPM), header.arch()) {
            (true, arch) => format!("{}.{arch}", header.name()),
            (false, "") => format!("{}-{}", header.name(), header.evr().version),
            (false, _) => header.name().to_owned(),
        };
        *counts.entry(shown).or_default() += 1;
    }
    for (shown, _) in counts.iter().filter(|(_, count)| **count > 1) {
        context.printer.data(shown);
    }
}

/// Calls `each` for every package the options select, or with `Err` after saying why an argument selects none.
pub fn select(
    context: &Context,
    each: &mut dyn FnMut(Result<Selected, ()>),
) -> Result<(), Failure> {
    select_by(context, &context.options.arguments, each)
}

/// The same for some of the arguments.
pub fn select_by(
    context: &Context,
    arguments: &[String],
    each: &mut dyn FnMut(Result<Selected, ()>),
) -> Result<(), Failure> {
    let options = &context.options;
    let flags =
        if options.mode == Some(Mode::Verify) { "_vsflags_verify" } else { "_vsflags_query" };
    let mut checks = HeaderChecks::new(context, flags);
    if options.source == Source::Package {
        let fetched = remote::fetch(context, arguments)?;
        for found in files::read_all(&fetched.arguments, !options.has("nomanifest")) {
            match found {
                Ok((path, package)) => {
                    each(if checks.pass(&path, &package)? { Ok(package) } else { Err(()) });
                }
                Err(unreadable) => {
                    complain(&unreadable.message);
                    each(Err(()));
                }
            }
        }
        return Ok(());
    }
    let database = context.database()?;
    let database = database.as_ref();
    if options.source == Source::All {
        for package in all(database, arguments)? {
            each(Ok(package));
        }
        return Ok(());
    }
    for argument in arguments {
        match options.source {
            Source::File | Source::Path => by_file(context, database, argument, each)?,
            Source::What(kind) => by_dependency(context, database, kind, argument, each)?,
            Source::Label => {
                let found = by_label(database, argument)?;
                let is_package =
                    |path: &String| Path::new(path).is_file() && path.ends_with(".rpm");
                let mut paths = files::expand(argument);
                paths.retain(is_package);
                if found.is_empty() && !paths.is_empty() {
                    for path in paths {
                        each(match read_file(&path) {
                            Ok(package) if checks.pass(&path, &package)? => Ok(package),
                            Ok(_) => Err(()),
                            Err(unreadable) => {
                                complain(&unreadable.message);
                                Err(())
                            }
                        });
                    }
                } else {
                    let message = format!("package {argument} is not installed");
                    offer(context, found, &message, each);
                }
            }
            _ => match by_number(database, options.source, argument)? {
                Numbered::Malformed(message) => {
                    complain(&format!("error: {message}"));
                    each(Err(()));
                }
                Numbered::Found(found, message) => offer(context, found, &message, each),
            },
        }
    }
    Ok(())
}

/// Passes on what was found, or says that nothing was.
fn offer(
    context: &Context,
    found: Vec<Selected>,
    message: &str,
    each: &mut dyn FnMut(Result<Selected, ()>),
) {
    if found.is_empty() {
        missing(context, message, each);
    }
    found.into_iter().for_each(|package| each(Ok(package)));
}

/// What a selector with its own form of argument finds.
enum Numbered {
    /// The argument has not that form; rpm's message.
    Malformed(String),
    /// Packages, and the message for none.
    Found(Vec<Selected>, String),
}

/// The selectors that compare one value of each package.
fn by_number(
    database: Option<&RpmDb>,
    source: Source,
    argument: &str,
) -> Result<Numbered, Failure> {
    let is_hex = |length: usize| {
        argument.len() == length && argument.bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    let number = || -> Option<u64> {
        match argument.strip_prefix("0x") {
            Some(digits) => u64::from_str_radix(digits, 16).ok(),
            None => argument.parse().ok(),
        }
    };
    let keep = |fits: &dyn Fn(&Selected) -> bool, message: String| -> Result<Numbered, Failure> {
        let mut found = all(database, &[])?;
        found.retain(fits);
        Ok(Numbered::Found(found, message))
    };
    match source {
        Source::Group => keep(
            &|package| package.header.string(tag::GROUP) == Some(argument),
            format!("group {argument} does not contain any packages"),
        ),
        Source::TriggeredBy => keep(
            &|package| package.header.strings(tag::TRIGGERNAME).contains(&argument),
            format!("no package triggers {argument}"),
        ),
        Source::PackageId if !is_hex(32) => {
            Ok(Numbered::Malformed(format!("malformed pkgid: {argument}")))
        }
        Source::PackageId => keep(
            &|package| {
                let digest = package.header.binary(tag::SIGMD5).unwrap_or_default();
                digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>()
                    == argument.to_ascii_lowercase()
            },
            format!("no package matches pkgid: {argument}"),
        ),
        Source::HeaderId if !is_hex(40) => {
            Ok(Numbered::Malformed(format!("malformed hdrid: {argument}")))
        }
        Source::HeaderId => keep(
            &|package| package.header.string(tag::SHA1HEADER) == Some(argument),
            format!("no package matches hdrid: {argument}"),
        ),
        Source::TransactionId => match number().and_then(|number| u32::try_from(number).ok()) {
            None => Ok(Numbered::Malformed(format!("malformed tid: {argument}"))),
            Some(wanted) => keep(
                &|package| package.header.u32(tag::INSTALLTID) == Some(wanted),
                format!("no package matches tid: {argument}"),
            ),
        },
        _ => {
            let Some(wanted) = number() else {
                return Ok(Numbered::Malformed(format!("invalid package number: {argument}")));
            };
            let found = database.map(|db| db.package(wanted)).transpose()?.flatten();
            Ok(match found {
                Some(package) => Numbered::Found(vec![from_installed(package)], String::new()),
                None => Numbered::Malformed(format!("record {wanted} could not be read")),
            })
        }
    }
}

/// Says on standard output, as rpm does, that nothing was found.
fn missing(context: &Context, message: &str, each: &mut dyn FnMut(Result<Selected, ()>)) {
    if !context.options.has("quiet") {
        context.printer.data(message);
    }
    each(Err(()));
}

/// A package file that cannot be read.
#[derive(Debug)]
pub struct Unreadable {
    /// Its path.
    pub path: String,
    /// rpm's line.
    pub message: String,
    /// It is a file of another kind.
    pub is_foreign: bool,
}

/// Reads a package file without looking at digests and signatures.
pub fn read_file(path: &str) -> Result<Selected, Unreadable> {
    let unreadable = |message: String, is_foreign: bool| Unreadable {
        path: path.to_owned(),
        message,
        is_foreign,
    };
    let file = std::fs::File::open(path).map_err(|error| {
        unreadable(format!("error: open of {path} failed: {}", os_text(&error)), false)
    })?;
    let altered = |error: Error| -> Error {
        // Where the header was altered, that is the reason.
        let again = std::fs::File::open(path).map(BufReader::new);
        again.ok().and_then(|mut file| Package::parse_with_digest(&mut file).err()).unwrap_or(error)
    };
    let package = Package::parse(&mut BufReader::new(file)).map_err(altered).map_err(|error| {
        let text = cairn_pkg::repos::error::chain(&error);
        let hint = error.hint().unwrap_or("is it a complete RPM package? `rpm -K` tells");
        let is_foreign = matches!(error, Error::LeadMagic { .. } | Error::Html | Error::Empty);
        unreadable(format!("error: {path}: {text}\nhint: {hint}"), is_foreign)
    })?;
    Ok(Selected { header: package.header, signature: Some(package.signature_header), number: 0 })
}

/// Returns the text of an I/O error without the number Rust adds.
pub fn os_text(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or_default().to_owned()
}

fn from_installed(package: cairn_pkg::rpmdb::Installed) -> Selected {
    Selected { header: package.header, signature: None, number: package.hnum }
}

/// Returns all packages that fit `patterns`: globs of names, `TAG=GLOB` for other tags. Of several for one tag one must fit.
pub fn all(database: Option<&RpmDb>, patterns: &[String]) -> Result<Vec<Selected>, Failure> {
    let Some(db) = database else { return Ok(Vec::new()) };
    let (packages, damage) = db.packages_and_damage()?;
    for error in damage {
        complain(&format!("error: {error}"));
        error.hint().into_iter().for_each(|hint| complain(&format!("hint: {hint}")));
    }
    let mut packages: Vec<Selected> = packages.into_iter().map(from_installed).collect();
    let mut unknown = None;
    let mut wanted: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for pattern in patterns {
        let (tag, value) = pattern.split_once('=').unwrap_or(("name", pattern));
        wanted.entry(tag).or_default().push(value);
    }
    packages.retain(|package| {
        wanted.iter().all(|(tag, patterns)| {
            if let Some(texts) = texts(tag, package.subject(false)) {
                patterns
                    .iter()
                    .any(|pattern| texts.iter().any(|text| pattern_matches(pattern, text)))
            } else {
                unknown = Some((*tag).to_owned());
                false
            }
        })
    });
    match unknown {
        Some(name) => Err(Failure::lines(vec![format!("error: unknown tag: \"{name}\"")])),
        None => Ok(packages),
    }
}

/// A glob, and behind `!` what must not match.
fn pattern_matches(pattern: &str, text: &str) -> bool {
    match pattern.strip_prefix('!') {
        Some(rest) => !glob::matches(rest, text),
        None => glob::matches(pattern, text),
    }
}

/// Returns the installed packages that a name or another form of NEVRA means.
pub fn by_label(database: Option<&RpmDb>, label: &str) -> Result<Vec<Selected>, Failure> {
    let Some(db) = database else { return Ok(Vec::new()) };
    let named = db.by_name(label)?;
    if !named.is_empty() {
        return Ok(named.into_iter().map(from_installed).collect());
    }
    // Every place where the name could end; version, release and architecture may be patterns.
    let ends = label.char_indices().filter(|(_, c)| matches!(c, '-' | '.')).map(|(index, _)| index);
    let mut found = Vec::new();
    for end in ends {
        for package in db.by_name(&label[..end])? {
            let nevra = package.header.nevra();
            let matches = nevra_matches(label, &nevra).is_some() || is_version_arch(label, &nevra);
            if matches && !found.iter().any(|known: &Selected| known.number == package.hnum) {
                found.push(from_installed(package));
            }
        }
    }
    Ok(found)
}

/// `name-version.arch`, which rpm knows and dnf does not.
fn is_version_arch(label: &str, nevra: &Nevra) -> bool {
    let form = format!("{}-{}.{}", nevra.name, nevra.evr.version, nevra.arch);
    glob::matches(label, &form)
}

fn by_file(
    context: &Context,
    database: Option<&RpmDb>,
    path: &str,
    each: &mut dyn FnMut(Result<Selected, ()>),
) -> Result<(), Failure> {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| Path::new(path).to_owned());
    let mut wanted = absolute.to_string_lossy().into_owned();
    while wanted.len() > 1 && wanted.ends_with('/') {
        wanted.pop();
    }
    let mut owners = Vec::new();
    if let Some(db) = database {
        owners = db.by_file(&wanted)?;
        if owners.is_empty()
            && let Some(resolved) = resolve_parent(context, &wanted)
        {
            owners = db.by_file(&resolved)?;
        }
    }
    if context.options.source == Source::File {
        owners.retain(|package| has_installed(&package.header, &wanted));
    }
    if !owners.is_empty() {
        owners.into_iter().for_each(|package| each(Ok(from_installed(package))));
        return Ok(());
    }
    if context.root.symlink_metadata(&wanted)?.is_none() {
        complain(&format!("error: file {path}: No such file or directory"));
        each(Err(()));
    } else {
        missing(context, &format!("file {path} is not owned by any package"), each);
    }
    Ok(())
}

/// Tells whether a file of a package was really installed, and not left out or overwritten: under the same name in a directory
/// that may be reached by other names.
fn has_installed(header: &Header, path: &str) -> bool {
    let base = |path: &str| path.rsplit('/').next().map(str::to_owned);
    let mut files = header.files().into_iter().filter(|file| base(&file.path) == base(path));
    let exact = |file: &FileEntry| file.path == path;
    let is_there = |file: &FileEntry| file.state.is_none_or(|state| state == 0);
    match files.clone().find(exact) {
        Some(file) => is_there(&file),
        None => files.any(|file| is_there(&file)),
    }
}

/// Returns the path with links in its directories followed, inside the root: `/bin/sh` is `/usr/bin/sh`.
fn resolve_parent(context: &Context, path: &str) -> Option<String> {
    let (directory, name) = path.rsplit_once('/')?;
    let mut resolved = String::new();
    let mut rest: Vec<String> =
        directory.split('/').filter(|p| !p.is_empty()).rev().map(str::to_owned).collect();
    let mut budget = 40;
    while let Some(part) = rest.pop() {
        if part == ".." {
            resolved.truncate(resolved.rfind('/').unwrap_or(0));
            continue;
        }
        let candidate = format!("{resolved}/{part}");
        match context.root.read_link(&candidate) {
            Ok(target) if budget > 0 => {
                budget -= 1;
                let target = target.to_string_lossy().into_owned();
                if target.starts_with('/') {
                    resolved.clear();
                }
                rest.extend(
                    target
                        .split('/')
                        .filter(|p| !p.is_empty() && *p != ".")
                        .rev()
                        .map(str::to_owned),
                );
            }
            _ => resolved = candidate,
        }
    }
    Some(format!("{resolved}/{name}"))
}

/// Reads one kind of dependencies of a header.
type ListOf = fn(&Header) -> Vec<Dependency>;

fn by_dependency(
    context: &Context,
    database: Option<&RpmDb>,
    kind: WhatKind,
    capability: &str,
    each: &mut dyn FnMut(Result<Selected, ()>),
) -> Result<(), Failure> {
    let (list, verb, table): (ListOf, &str, u32) = match kind {
        WhatKind::Provides => (Header::provides, "provides", tag::PROVIDENAME),
        WhatKind::Requires => (Header::requires, "requires", tag::REQUIRENAME),
        WhatKind::Conflicts => (Header::conflicts, "conflicts", tag::CONFLICTNAME),
        WhatKind::Obsoletes => (Header::obsoletes, "obsoletes", tag::OBSOLETENAME),
        WhatKind::Recommends => (Header::recommends, "recommends", tag::RECOMMENDNAME),
        WhatKind::Suggests => (Header::suggests, "suggests", tag::SUGGESTNAME),
        WhatKind::Supplements => (Header::supplements, "supplements", tag::SUPPLEMENTNAME),
        WhatKind::Enhances => (Header::enhances, "enhances", tag::ENHANCENAME),
    };
    let wanted = Dependency::parse(capability).ok();
    let name = wanted.as_ref().map_or(capability, |wanted| wanted.name.as_str());
    let mut found: Vec<Selected> = match database {
        Some(db) => db.by_index(table, name)?.into_iter().map(from_installed).collect(),
        None => Vec::new(),
    };
    if let Some(wanted) = wanted.as_ref().filter(|wanted| wanted.constraint.is_some()) {
        found.retain(|package| {
            list(&package.header).iter().any(|dependency| {
                wanted.is_satisfied_by(dependency) || dependency.is_satisfied_by(wanted)
            })
        });
    }
    if found.is_empty() && kind == WhatKind::Provides && capability.starts_with(['/', '.']) {
        return by_file(context, database, capability, each);
    }
    offer(context, found, &format!("no package {verb} {capability}"), each);
    Ok(())
}

/// Returns rpm's words for a bad format. As in rpm, it does not make the query fail.
fn format_failure(error: &str) -> Failure {
    Failure {
        code: exit::SUCCESS,
        ..Failure::lines(vec![format!("error: incorrect format: {error}")])
    }
}

/// Shows one package as the options ask. `format` is parsed at the first package: without one, rpm does not look at it.
fn show(context: &Context, package: &Selected, format: &mut Option<Format>) -> Result<(), Failure> {
    let options = &context.options;
    let header = &package.header;
    let subject = package.subject(options.verbose > 0);
    if options.last {
        let time = header.u32(tag::INSTALLTIME);
        let shown = time.map_or_else(|| "(not installed)".to_owned(), |t| date_text(u64::from(t)));
        context.printer.data(&format!("{:<45} {shown}", nvra(header)));
        return Ok(());
    }
    if let (None, Some(text)) = (&format, &options.format) {
        let parsed = Format::parse(text);
        *format = Some(parsed.map_err(|error| format_failure(&error))?);
    }
    if let Some(format) = &format {
        let text = format.render(subject).map_err(|error| format_failure(&error))?;
        context.printer.raw(&text);
    }
    if options.files.is_wanted() {
        list_files(context, header, options.files);
    } else if format.is_none() {
        context.printer.data(&nvra(header));
    }
    Ok(())
}

/// Returns `name-version-release.arch`, as rpm shows packages.
pub fn nvra(header: &Header) -> String {
    let base = format!("{}-{}", header.name(), header.evr().without_epoch());
    match header.arch() {
        "" => base,
        arch => format!("{base}.{arch}"),
    }
}

fn list_files(context: &Context, header: &Header, listing: FileListing) {
    let files = header.files();
    let printer = &context.printer;
    if files.is_empty() {
        printer.data("(contains no files)");
        return;
    }
    let now = context.clock.now_unix();
    for file in files.iter().filter(|file| is_listed(file, listing)) {
        let mut line = String::new();
        if listing.state {
            line.push_str(&format!("{:<14}", state_text(file)));
        }
        if listing.dump {
            line.push_str(&dump_line(file));
        } else if context.options.verbose > 0 {
            line.push_str(&long_line(file, now));
        } else {
            line.push_str(&file.path);
        }
        printer.data(&line);
    }
}

fn is_listed(file: &FileEntry, listing: FileListing) -> bool {
    let has = |flag| file.flags.contains(flag);
    let restricts =
        listing.documentation || listing.configuration || listing.licenses || listing.artifacts;
    let wanted = !restricts
        || listing.documentation && has(FileFlags::DOC)
        || listing.configuration && has(FileFlags::CONFIG)
        || listing.licenses && has(FileFlags::LICENSE)
        || listing.artifacts && has(FileFlags::ARTIFACT);
    wanted
        && !(listing.no_ghost && has(FileFlags::GHOST))
        && !(listing.no_config && has(FileFlags::CONFIG))
        && !(listing.no_artifact && has(FileFlags::ARTIFACT))
}

/// Returns the state of an installed file in rpm's words.
pub fn state_text(file: &FileEntry) -> &'static str {
    match file.state {
        Some(0) => "normal",
        Some(1) => "replaced",
        Some(2) => "not installed",
        Some(3) => "net shared",
        Some(4) => "wrong color",
        Some(_) => "(unknown)",
        None => "(no state)",
    }
}

fn dump_line(file: &FileEntry) -> String {
    let digest = if file.digest.is_empty() { "0".repeat(64) } else { file.digest.clone() };
    let yes = |flag| u8::from(file.flags.contains(flag));
    let link = if file.link_target.is_empty() { "X" } else { &file.link_target };
    format!(
        "{} {} {} {digest} 0{:o} {} {} {} {} {} {link}",
        file.path,
        file.size,
        file.mtime,
        file.mode,
        file.user,
        file.group,
        yes(FileFlags::CONFIG),
        yes(FileFlags::DOC),
        file.rdev
    )
}

fn long_line(file: &FileEntry, now: u64) -> String {
    let links = if file.is_directory() { 2 } else { file.nlink.max(1) };
    // As `ls`: the year instead of the hour for what is older than half a year, or lies in the future.
    let age = i64::try_from(now).unwrap_or(i64::MAX) - i64::from(file.mtime);
    let is_far = !(-3600..=180 * 24 * 3600).contains(&age);
    let form = if is_far { "%b %e  %Y" } else { "%b %e %H:%M" };
    let time = strftime(i64::from(file.mtime), Zone::Local, form);
    let link = if file.link_target.is_empty() {
        String::new()
    } else {
        format!(" -> {}", file.link_target)
    };
    format!(
        "{} {links:4} {:<8.8} {:<8.8} {:>20} {time} {}{link}",
        permissions(file.mode),
        file.user,
        file.group,
        file.size,
        file.path
    )
}
