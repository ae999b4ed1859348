// SPDX-License-Identifier: MIT OR Apache-2.0
//! `dnf download`: package files without installing them.

use crate::dnf::cli::{DownloadArgs, ResolveOptions};
use crate::dnf::session::{Loaded, Needs, Session};
use crate::dnf::transact::{self, Choices, Targets, settings, solve_request, targets_of};
use crate::failure::{CommandResult, Failure, complain};
use cairn_pkg::query::{SpecScope, filter, match_spec};
use cairn_pkg::repos::metadata::resolve_base_urls;
use cairn_pkg::resolve::Request;
use cairn_solve::{Job, PackageId};
use cairn_ui::exit;

/// Runs `dnf download`.
pub fn download(session: &Session, args: &DownloadArgs) -> CommandResult {
    let needs = if args.resolve && !args.alldeps { Needs::ALL } else { Needs::AVAILABLE };
    let loaded = session.load(needs)?;
    let ids = select(session, &loaded, args)?;
    let directory = match &args.destdir {
        Some(directory) => directory.clone(),
        None => cairn_host::paths::current_dir()?,
    };
    let targets = targets_of(session, &loaded, &ids, Some(&directory))?;
    if args.url {
        return print_urls(session, &loaded, &ids, &targets, args);
    }
    session.printer.info("Downloading Packages:");
    transact::download(session, &targets.downloads)?;
    for download in &targets.downloads {
        let name = download.dest.file_name().unwrap_or_default().to_string_lossy();
        session.printer.info(&format!(" {name}"));
    }
    Ok(exit::SUCCESS)
}

/// Prints where the packages are, of the first or of all mirrors.
fn print_urls(
    session: &Session,
    loaded: &Loaded,
    ids: &[PackageId],
    targets: &Targets,
    args: &DownloadArgs,
) -> CommandResult {
    let is_wanted = |url: &str| {
        let protocol = url.split("://").next().unwrap_or_default();
        args.urlprotocol.is_empty() || args.urlprotocol.iter().any(|wanted| wanted == protocol)
    };
    if !args.allmirrors {
        for download in targets.downloads.iter().filter(|download| is_wanted(&download.url)) {
            session.printer.data(&download.url);
        }
        return Ok(exit::SUCCESS);
    }
    for details in ids.iter().map(|id| loaded.sack.get(*id).details) {
        let configs = &session.configuration.repositories;
        let Some(config) = configs.iter().find(|config| config.id == details.repository) else {
            continue;
        };
        let bases = resolve_base_urls(config, &session.fetcher)?;
        let urls = bases.iter().map(|base| format!("{base}/{}", details.location));
        let urls: Vec<String> = urls.filter(|url| is_wanted(url)).collect();
        session.printer.data(&urls.join(" "));
    }
    Ok(exit::SUCCESS)
}

fn select(
    session: &Session,
    loaded: &Loaded,
    args: &DownloadArgs,
) -> Result<Vec<PackageId>, Failure> {
    let sack = &loaded.sack;
    let mut ids = Vec::new();
    for spec in &args.specs {
        let (found, _) = match_spec(sack, spec, SpecScope::Available);
        let found: Vec<PackageId> = found
            .into_iter()
            .filter(|id| args.arch.is_empty() || args.arch.contains(&sack.get(*id).nevra().arch))
            .collect();
        if found.is_empty() && args.skip_unavailable {
            complain(&format!("No package \"{spec}\" available."));
        } else if found.is_empty() {
            return Err(Failure::lines(vec![format!(
                "No package \"{spec}\" available; You might want to use --skip-unavailable option."
            )]));
        }
        ids.extend(filter::latest(sack, &filter::best_priority(sack, &found), 1));
    }
    ids.sort_unstable();
    ids.dedup();
    if !args.resolve {
        return Ok(ids);
    }
    let options = ResolveOptions::default();
    let mut request =
        Request::new(sack, &loaded.groups, &loaded.state, settings(session, &options));
    request.jobs.extend(ids.iter().map(|id| Job::Install(vec![*id])));
    let choices = Choices { resolve: options, keep_unneeded: true, without_weak: false };
    let plan = solve_request(session, loaded, &request, &choices)?;
    ids.extend(plan.inbound().map(|item| item.id));
    ids.sort_unstable();
    ids.dedup();
    Ok(ids)
}
