// SPDX-License-Identifier: MIT OR Apache-2.0
//! `dnf reposync`: a copy of the packages, and of the metadata if wanted, of the enabled repositories.

use super::changelog::start_of_day;
use super::download::{fetch, once};
use crate::dnf::cli::ReposyncArgs;
use crate::dnf::local::packages_below;
use crate::dnf::session::{Loaded, Needs, Session};
use crate::dnf::transact::{self, targets_of};
use crate::failure::{CommandResult, Failure, complain};
use crate::keys;
use cairn_host::fetch::{Download, Expected};
use cairn_pkg::query::filter;
use cairn_pkg::repos::metadata::Repository;
use cairn_pkg::repos::mirrors::normalized;
use cairn_rpm::signature::{Keyring, VerifyError};
use cairn_solve::PackageId;
use cairn_ui::exit;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Runs `dnf reposync`.
pub fn reposync(session: &Session, args: &ReposyncArgs) -> CommandResult {
    let ids: Vec<String> =
        session.configuration.enabled().map(|config| config.id.clone()).collect();
    if args.norepopath && ids.len() > 1 {
        return Err(Failure::usage("Can't use --norepopath with multiple repositories enabled.")
            .hint("choose one with --repo=REPO"));
    }
    let loaded = session.load(Needs::AVAILABLE)?;
    let since = args.min_buildtime.as_deref().map(start_of_day).transpose()?;
    if args.download_metadata {
        for repository in session.load_repositories()? {
            copy_metadata(session, &repository, args)?;
        }
    }
    for repository in &ids {
        let chosen = select(&loaded, repository, args, since);
        copy_packages(session, &loaded, &chosen, (repository, args))?;
    }
    Ok(exit::SUCCESS)
}

fn select(
    loaded: &Loaded,
    repository: &str,
    args: &ReposyncArgs,
    since: Option<i64>,
) -> Vec<PackageId> {
    let sack = &loaded.sack;
    let mut ids: Vec<PackageId> = sack
        .available()
        .filter(|package| package.details.repository == repository)
        .filter(|package| match args.arch.as_slice() {
            [] => !args.srpm || package.nevra().arch == "src",
            wanted => {
                wanted.contains(&package.nevra().arch) || args.srpm && package.nevra().arch == "src"
            }
        })
        .filter(|package| {
            let built = i64::try_from(package.details.time_build).unwrap_or(i64::MAX);
            since.is_none_or(|since| built >= since)
        })
        .map(|package| package.id)
        .collect();
    if args.newest_only {
        ids = filter::latest(sack, &ids, 1);
    }
    once(sack, &mut ids);
    ids
}

/// Returns the directory of a repository below one of the options.
fn directory(
    root: Option<&Path>,
    repository: &str,
    args: &ReposyncArgs,
) -> Result<PathBuf, Failure> {
    let root = match root {
        Some(root) => root.to_owned(),
        None => cairn_host::paths::current_dir()?,
    };
    Ok(if args.norepopath { root } else { root.join(repository) })
}

fn copy_packages(
    session: &Session,
    loaded: &Loaded,
    ids: &[PackageId],
    (repository, args): (&str, &ReposyncArgs),
) -> Result<(), Failure> {
    let directory = directory(args.destdir.as_deref(), repository, args)?;
    let mut targets = targets_of(session, loaded, ids, Some(&directory))?;
    for (id, download) in ids.iter().zip(&mut targets.downloads) {
        // The copy has the paths of the repository, which its metadata names. They were checked when that was read.
        download.dest = directory.join(&loaded.sack.get(*id).details.location);
    }
    if args.urls {
        targets.downloads.iter().for_each(|download| session.printer.data(&download.url));
        return Ok(());
    }
    fetch(session, loaded, ids, &targets.downloads)?;
    if args.gpgcheck {
        remove_untrusted(session, &targets.downloads)?;
    }
    if args.delete {
        let kept: BTreeSet<&Path> =
            targets.downloads.iter().map(|download| download.dest.as_path()).collect();
        delete_others(session, &directory, &kept)?;
    }
    Ok(())
}

/// Removes the copies that no installed key has signed; an error when there was one.
fn remove_untrusted(session: &Session, copies: &[Download]) -> Result<(), Failure> {
    let mut keyring = Keyring::new();
    if let Some(db) = session.rpmdb()? {
        keys::add_installed(&db, &mut keyring)?;
    }
    let mut is_good = true;
    for path in copies.iter().map(|download| &download.dest) {
        let shown = path.display();
        let failed = |error: std::io::Error| Failure::new(format!("{shown}: {error}"));
        let mut file = std::fs::File::open(path).map_err(failed)?;
        let Err(error) = keyring.verify_package_from(&mut file) else { continue };
        complain(&format!("Removing '{shown}' with failing OpenPGP check: {}", reason(&error)));
        std::fs::remove_file(path).map_err(failed)?;
        is_good = false;
    }
    if is_good {
        Ok(())
    } else {
        Err(Failure::lines(vec!["OpenPGP signature check failed".to_owned()]))
    }
}

/// Says why a package is not trusted, in dnf5's words where it has some.
fn reason(error: &VerifyError) -> String {
    match error {
        VerifyError::NotSigned => "The package is not signed.".to_owned(),
        VerifyError::UnknownKey { .. } => "No corresponding key was found.".to_owned(),
        other => other.to_string(),
    }
}

/// Removes the package files below a directory that the repository does not have.
fn delete_others(
    session: &Session,
    directory: &Path,
    kept: &BTreeSet<&Path>,
) -> Result<(), Failure> {
    for path in packages_below(directory)? {
        if !kept.contains(path.as_path()) {
            std::fs::remove_file(&path)
                .map_err(|error| Failure::new(format!("{}: {error}", path.display())))?;
            // As dnf5 names it; where the working directory is gone, as it was found.
            let shown = std::path::absolute(&path).unwrap_or(path);
            session.printer.data(&format!("[DELETED] {}", shown.display()));
        }
    }
    Ok(())
}

fn copy_metadata(
    session: &Session,
    repository: &Repository,
    args: &ReposyncArgs,
) -> Result<(), Failure> {
    let root = args.metadata_path.as_deref().or(args.destdir.as_deref());
    let directory = directory(root, &repository.config.id, args)?;
    let base = repository.base_urls.first().map(|url| normalized(url)).unwrap_or_default();
    let file = |location: &str, expected: Expected| Download {
        url: format!("{base}/{location}"),
        dest: directory.join(location),
        expected,
        way: session.network.way(&repository.config.id),
    };
    let unknown = Expected { sha256: None, size: None };
    let mut downloads: Vec<Download> = repository
        .repomd
        .records
        .iter()
        .map(|record| {
            let sha256 = Some(record.checksum.clone()).filter(|digest| digest.len() == 64);
            file(&record.location, Expected { sha256, size: record.size })
        })
        .collect();
    if args.urls {
        downloads.iter().for_each(|download| session.printer.data(&download.url));
        return Ok(());
    }
    downloads.push(file("repodata/repomd.xml", unknown));
    transact::download(session, &downloads)
}
