// SPDX-License-Identifier: MIT OR Apache-2.0
//! `dnf clean`.

use crate::dnf::cli::{CleanArgs, CleanKind};
use crate::dnf::session::Session;
use crate::failure::{CommandResult, Failure};
use cairn_host::Root;
use cairn_pkg::repos::key_list;
use cairn_pkg::repos::metadata::cache_name;
use cairn_ui::exit;

/// What was removed.
#[derive(Debug, Default)]
struct Removed {
    files: u64,
    directories: u64,
    bytes: u64,
}

/// Runs `dnf clean`.
pub fn clean(session: &Session, args: &CleanArgs) -> CommandResult {
    let cache = &session.cache;
    let mut removed = Removed::default();
    let repositories: Vec<String> = if cache.root.metadata(&cache.directory)?.is_some() {
        cache.root.read_dir(&cache.directory)?
    } else {
        Vec::new()
    };
    for kind in &args.what {
        if *kind == CleanKind::Trust {
            forget_trust(session)?;
            continue;
        }
        for name in &repositories {
            let directory = format!("{}/{name}", cache.directory);
            match kind {
                CleanKind::All => remove_tree(&cache.root, &directory, &mut removed)?,
                CleanKind::Packages => {
                    remove_tree(&cache.root, &format!("{directory}/packages"), &mut removed)?;
                }
                CleanKind::Metadata => {
                    remove_tree(&cache.root, &format!("{directory}/repodata"), &mut removed)?;
                }
                CleanKind::ExpireCache => {
                    cache.root.write_atomic(format!("{directory}/expired"), b"", 0o644)?;
                }
                CleanKind::Dbcache | CleanKind::Trust => {}
            }
        }
    }
    if args.what.iter().any(|kind| *kind != CleanKind::Trust) {
        session.printer.data(&format!(
            "Removed {} files, {} directories (total of {}). 0 errors occurred.",
            removed.files,
            removed.directories,
            crate::dnf::table::size_rounded(removed.bytes)
        ));
    }
    Ok(exit::SUCCESS)
}

/// Forgets the newest revision seen, and the newest keys, of the enabled repositories.
fn forget_trust(session: &Session) -> Result<(), Failure> {
    let cache = &session.cache;
    for repository in session.configuration.enabled() {
        let revision = format!("{}/{}.json", cache.trust_directory, cache_name(repository));
        let keys = key_list::file_name(repository, &cache.trust_directory);
        for (path, what) in [(revision, "newest metadata seen"), (keys, "newest keys")] {
            if cache.root.exists(&path)? {
                cache.root.remove_file(&path)?;
                let id = &repository.id;
                session.printer.info(&format!("Forgot the {what} of repository {id}."));
            }
        }
    }
    Ok(())
}

fn remove_tree(root: &Root, path: &str, removed: &mut Removed) -> Result<(), Failure> {
    let Some(stat) = root.symlink_metadata(path)? else { return Ok(()) };
    if stat.is_dir() {
        for name in root.read_dir(path)? {
            remove_tree(root, &format!("{path}/{name}"), removed)?;
        }
        root.remove_dir(path)?;
        removed.directories += 1;
    } else {
        root.remove_file(path)?;
        removed.files += 1;
        removed.bytes += stat.size;
    }
    Ok(())
}
