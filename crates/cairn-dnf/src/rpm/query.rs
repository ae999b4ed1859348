// SPDX-License-Identifier: MIT OR Apache-2.0
//! `rpm -q`: selects packages and shows them.

use super::Context;
use super::format::{Format, Subject, date_text, permissions};
use super::options::{FileListing, Source, WhatKind};
use crate::failure::{CommandResult, Failure, complain};
use cairn_pkg::query::glob;
use cairn_pkg::query::spec::nevra_matches;
use cairn_pkg::rpmdb::RpmDb;
use cairn_rpm::dependency::Dependency;
use cairn_rpm::header::{FileEntry, FileFlags, Header};
use cairn_rpm::package::Package;
use cairn_rpm::tag;
use cairn_ui::exit;
use cairn_ui::format::{Zone, strftime};
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
    let mut selected = Vec::new();
    select(context, &mut |found| match found {
        Ok(package) if options.last => selected.push(package),
        Ok(package) if error.is_none() => error = show(context, &package, &mut format).err(),
        Ok(_) => {}
        Err(()) => failed = failed.saturating_add(1),
    })?;
    if let Some(error) = error {
        return Err(error);
    }
    let key =
        |package: &Selected| std::cmp::Reverse(package.header.u32(tag::INSTALLTIME).unwrap_or(0));
    selected.sort_by_key(|package| (key(package), std::cmp::Reverse(package.header.nevra())));
    for package in &selected {
        show(context, package, &mut format)?;
    }
    Ok(failed)
}

/// Calls `each` for every package the options select, or with `Err` after saying why an argument selects none.
pub fn select(
    context: &Context,
    each: &mut dyn FnMut(Result<Selected, ()>),
) -> Result<(), Failure> {
    let options = &context.options;
    if options.source == Source::Package {
        for path in &options.arguments {
            each(read_file(path).map_err(|message| complain(&message)));
        }
        return Ok(());
    }
    let database = context.database()?;
    match options.source {
        Source::All => {
            for package in all(database.as_ref(), &options.arguments)? {
                each(Ok(package));
            }
        }
        Source::File | Source::Path => {
            for path in &options.arguments {
                by_file(context, database.as_ref(), path, each)?;
            }
        }
        Source::What(kind) => {
            for capability in &options.arguments {
                by_dependency(context, database.as_ref(), kind, capability, each)?;
            }
        }
        Source::Group => {
            for group in &options.arguments {
                let packages = all(database.as_ref(), &[])?;
                let mut members = packages
                    .into_iter()
                    .filter(|p| p.header.string(tag::GROUP) == Some(group))
                    .peekable();
                if members.peek().is_none() {
                    missing(context, &format!("group {group} does not contain any packages"), each);
                }
                members.for_each(|package| each(Ok(package)));
            }
        }
        Source::Number => {
            for text in &options.arguments {
                let number = text.parse().unwrap_or(0);
                let found = match &database {
                    Some(db) => db.package(number)?,
                    None => None,
                };
                match found {
                    Some(package) => {
                        each(Ok(Selected { header: package.header, signature: None, number }));
                    }
                    None => missing(context, &format!("record {text} could not be read"), each),
                }
            }
        }
        Source::Label | Source::Package => {
            for label in &options.arguments {
                let found = by_label(database.as_ref(), label)?;
                if found.is_empty() {
                    missing(context, &format!("package {label} is not installed"), each);
                }
                found.into_iter().for_each(|package| each(Ok(package)));
            }
        }
    }
    Ok(())
}

/// Says on standard output, as rpm does, that nothing was found.
fn missing(context: &Context, message: &str, each: &mut dyn FnMut(Result<Selected, ()>)) {
    if !context.options.quiet {
        context.printer.data(message);
    }
    each(Err(()));
}

/// Reads a package file; the error is rpm's line.
pub fn read_file(path: &str) -> Result<Selected, String> {
    let file = std::fs::File::open(path)
        .map_err(|e| format!("error: open of {path} failed: {}", os_text(&e)))?;
    let mut reader = BufReader::new(file);
    let (package, _) = Package::parse_with_digest(&mut reader).map_err(|e| {
        let text = cairn_pkg::repos::error::chain(&e);
        let hint = e.hint().unwrap_or("is it a complete RPM package? `rpm -K` tells");
        format!("error: {path}: {text}\nhint: {hint}")
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

/// Returns all packages whose names match one of `patterns`, all without patterns; `tag=pattern` looks at another tag.
pub fn all(database: Option<&RpmDb>, patterns: &[String]) -> Result<Vec<Selected>, Failure> {
    let Some(db) = database else { return Ok(Vec::new()) };
    let (packages, damage) = db.packages_and_damage()?;
    for error in damage {
        complain(&format!("error: {error}"));
        error.hint().into_iter().for_each(|hint| complain(&format!("hint: {hint}")));
    }
    let fits = |header: &Header| {
        patterns.is_empty()
            || patterns.iter().any(|pattern| match pattern.split_once('=') {
                Some((name, value)) => {
                    let text = tag_text(header, name);
                    text.iter().any(|text| glob::matches(value, text))
                }
                None => glob::matches(pattern, header.name()),
            })
    };
    Ok(packages.into_iter().filter(|package| fits(&package.header)).map(from_installed).collect())
}

fn tag_text(header: &Header, name: &str) -> Vec<String> {
    let upper = name.to_ascii_uppercase();
    let number = (1..=5200).find(|number| tag::name(*number) == Some(&upper));
    number
        .map(|number| header.strings(number).into_iter().map(str::to_owned).collect())
        .unwrap_or_default()
}

/// Returns the installed packages that a name or another form of NEVRA means.
pub fn by_label(database: Option<&RpmDb>, label: &str) -> Result<Vec<Selected>, Failure> {
    let Some(db) = database else { return Ok(Vec::new()) };
    let named = db.by_name(label)?;
    if !named.is_empty() {
        return Ok(named.into_iter().map(from_installed).collect());
    }
    if glob::is_pattern(label) {
        return Ok(Vec::new());
    }
    // Every place where the name could end.
    let ends = label.char_indices().filter(|(_, c)| matches!(c, '-' | '.')).map(|(index, _)| index);
    let mut found = Vec::new();
    for end in ends {
        for package in db.by_name(&label[..end])? {
            let matches = nevra_matches(label, &package.header.nevra()).is_some();
            if matches && !found.iter().any(|known: &Selected| known.number == package.hnum) {
                found.push(from_installed(package));
            }
        }
    }
    Ok(found)
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

fn by_dependency(
    context: &Context,
    database: Option<&RpmDb>,
    kind: WhatKind,
    capability: &str,
    each: &mut dyn FnMut(Result<Selected, ()>),
) -> Result<(), Failure> {
    let (list, verb): (fn(&Header) -> Vec<Dependency>, &str) = match kind {
        WhatKind::Provides => (Header::provides, "provides"),
        WhatKind::Requires => (Header::requires, "requires"),
        WhatKind::Conflicts => (Header::conflicts, "conflicts"),
        WhatKind::Obsoletes => (Header::obsoletes, "obsoletes"),
        WhatKind::Recommends => (Header::recommends, "recommends"),
        WhatKind::Suggests => (Header::suggests, "suggests"),
        WhatKind::Supplements => (Header::supplements, "supplements"),
        WhatKind::Enhances => (Header::enhances, "enhances"),
    };
    let wanted = Dependency::parse(capability)
        .map_err(|error| Failure::new(format!("{capability}: {error}")))?;
    let fits = |dependency: &Dependency| {
        if wanted.constraint.is_some() {
            wanted.is_satisfied_by(dependency) || dependency.is_satisfied_by(&wanted)
        } else {
            dependency.name == wanted.name
                || dependency.is_rich() && rich_names(dependency, &wanted.name)
        }
    };
    let mut found = all(database, &[])?;
    found.retain(|package| {
        list(&package.header).iter().any(fits)
            || kind == WhatKind::Provides
                && wanted.is_file()
                && package.header.files().iter().any(|file| file.path == wanted.name)
    });
    if !found.is_empty() {
        found.into_iter().for_each(|package| each(Ok(package)));
        return Ok(());
    }
    if kind == WhatKind::Provides && wanted.is_file() {
        if context.root.symlink_metadata(&wanted.name)?.is_none() {
            complain(&format!("error: file {capability}: No such file or directory"));
            each(Err(()));
        } else {
            missing(context, &format!("file {capability} is not owned by any package"), each);
        }
        return Ok(());
    }
    missing(context, &format!("no package {verb} {capability}"), each);
    Ok(())
}

fn rich_names(dependency: &Dependency, name: &str) -> bool {
    let Ok(rich) = cairn_rpm::dependency::RichDependency::parse(&dependency.name) else {
        return false;
    };
    let mut found = false;
    rich.for_each_simple(&mut |member| found |= member.name == name);
    found
}

/// Shows one package as the options ask. `format` is parsed at the first package: without one, rpm does not look at it.
fn show(context: &Context, package: &Selected, format: &mut Option<Format>) -> Result<(), Failure> {
    let options = &context.options;
    let header = &package.header;
    let subject = Subject {
        header,
        signature: package.signature.as_ref(),
        number: package.number,
        verbose: options.verbose > 0,
    };
    if options.last {
        let time = header.u32(tag::INSTALLTIME);
        let shown = time.map_or_else(|| "(not installed)".to_owned(), |t| date_text(u64::from(t)));
        context.printer.data(&format!("{:<45} {shown}", nvra(header)));
        return Ok(());
    }
    if let (None, Some(text)) = (&format, &options.format) {
        let parsed = Format::parse(text);
        *format = Some(
            parsed.map_err(|e| Failure::lines(vec![format!("error: incorrect format: {e}")]))?,
        );
    }
    if let Some(format) = &format {
        let text = format
            .render(subject)
            .map_err(|e| Failure::lines(vec![format!("error: incorrect format: {e}")]))?;
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
        let is_plain =
            listing.all && !(listing.documentation || listing.configuration || listing.state);
        if is_plain {
            printer.data("(contains no files)");
        }
        return;
    }
    for file in files.iter().filter(|file| is_listed(file, listing)) {
        let mut line = String::new();
        if listing.state {
            line.push_str(&format!("{:<14}", state_text(file)));
        }
        if listing.dump {
            line.push_str(&dump_line(file));
        } else if context.options.verbose > 0 {
            line.push_str(&long_line(file));
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

fn state_text(file: &FileEntry) -> &'static str {
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

fn long_line(file: &FileEntry) -> String {
    let links = if file.is_directory() { 2 } else { file.nlink.max(1) };
    let time = strftime(i64::from(file.mtime), Zone::Local, "%b %e %H:%M");
    let link = if file.link_target.is_empty() {
        String::new()
    } else {
        format!(" -> {}", file.link_target)
    };
    format!(
        "{} {links:4} {:<8} {:<8} {:>20} {time} {}{link}",
        permissions(file.mode),
        file.user,
        file.group,
        file.size,
        file.path
    )
}
