// SPDX-License-Identifier: MIT OR Apache-2.0
//! `dnf repomanage`: the newest or the older packages of a directory, for programs that move or remove them.

use crate::dnf::cli::RepomanageArgs;
use crate::dnf::local::{is_url, packages_below, read_package, unreadable};
use crate::dnf::session::Session;
use crate::failure::{CommandResult, Failure};
use cairn_pkg::query::sack::Origin;
use cairn_pkg::query::{Sack, SackBuilder, SackPackage, filter};
use cairn_pkg::repos::RepoConfig;
use cairn_pkg::repos::config::Position;
use cairn_pkg::repos::metadata::{Freshness, LoadContext, load_repository};
use cairn_ui::exit;
use std::collections::BTreeSet;
use std::path::Path;

/// Runs `dnf repomanage`.
pub fn repomanage(session: &Session, args: &RepomanageArgs) -> CommandResult {
    let base = args.path.trim_end_matches('/');
    let has_metadata = is_url(&args.path) || Path::new(base).join("repodata/repomd.xml").exists();
    let sack = if has_metadata { read_metadata(session, base)? } else { read_files(base)? };
    let all: Vec<_> = sack.available().map(|package| package.id).collect();
    let keep = i64::from(args.keep);
    let chosen = filter::latest(&sack, &all, if args.old { -keep } else { keep });
    let mut paths: Vec<String> =
        chosen.into_iter().map(|id| location(sack.get(id), base)).collect();
    paths.sort();
    for path in paths {
        if args.space {
            session.printer.raw(&format!("{path} "));
        } else {
            session.printer.data(&path);
        }
    }
    Ok(exit::SUCCESS)
}

fn location(package: SackPackage<'_>, base: &str) -> String {
    match &package.details.origin {
        Origin::File(path) => path.display().to_string(),
        Origin::Repository(_) | Origin::Installed(_) => {
            format!("{base}/{}", package.details.location)
        }
    }
}

/// Reads the metadata of a directory or URL, signed or not: nothing is installed from it.
fn read_metadata(session: &Session, base: &str) -> Result<Sack, Failure> {
    let url = if is_url(base) {
        base.to_owned()
    } else {
        let path =
            std::path::absolute(base).map_err(|error| unreadable(Path::new(base), &error))?;
        format!("file://{}", path.display())
    };
    let mut config = RepoConfig::new("repomanage_repo");
    config.set("baseurl", &url, Position { file: "repomanage", line: 0 })?;
    config.repo_gpgcheck = Some(false);
    config.gpgcheck = Some(false);
    let context = LoadContext { freshness: Freshness::Refresh, ..session.load_context(false) };
    let repository = load_repository(&config, &context, &mut |event| session.show(event))?;
    let architectures: BTreeSet<String> =
        repository.packages.iter().map(|package| package.nevra.arch.clone()).collect();
    let architectures: Vec<&str> = architectures.iter().map(String::as_str).collect();
    let mut builder = SackBuilder::new();
    builder.add_repository(repository, false, &architectures, &[]);
    Ok(builder.build())
}

/// Reads the package files of a directory and of those below it.
fn read_files(base: &str) -> Result<Sack, Failure> {
    let mut builder = SackBuilder::new();
    for path in packages_below(Path::new(base))? {
        let (path, header, size) = read_package(&path)?;
        builder.add_file(path, &header, size);
    }
    Ok(builder.build())
}
