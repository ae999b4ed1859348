// SPDX-License-Identifier: MIT OR Apache-2.0
//! `dnf provides`: which packages have a file or a capability.

use crate::dnf::cli::ProvidesArgs;
use crate::dnf::session::{Needs, Scope, Session};
use crate::failure::{CommandResult, Failure, complain};
use cairn_pkg::query::sack::Sack;
use cairn_pkg::query::{SackPackage, glob};
use cairn_rpm::dependency::Dependency;
use cairn_solve::PackageId;
use cairn_ui::exit;

/// Directories in which a bare program name is looked for.
const PROGRAM_DIRECTORIES: [&str; 4] = ["/usr/bin/", "/usr/sbin/", "/bin/", "/sbin/"];

/// Runs `dnf provides`.
pub fn provides(session: &Session, args: &ProvidesArgs) -> CommandResult {
    let filelists = args.specs.iter().any(|spec| spec.starts_with('/') || spec.starts_with('*'));
    let names = names(&args.specs);
    let scope = names.as_deref().map_or(Scope::All, Scope::Providers);
    let loaded = session.load_scope(Needs { filelists, ..Needs::ALL }, &[], &[], scope)?;
    let mut all_found = true;
    for spec in &args.specs {
        let mut hits = matches(&loaded.sack, spec);
        if hits.is_empty() && !spec.contains('/') {
            // As dnf: a bare word may be a program.
            hits = PROGRAM_DIRECTORIES
                .iter()
                .flat_map(|directory| matches(&loaded.sack, &format!("{directory}{spec}")))
                .collect();
        }
        all_found &= !hits.is_empty();
        for (id, what) in hits {
            show(session, loaded.sack.get(id), &what);
        }
    }
    if all_found {
        return Ok(exit::SUCCESS);
    }
    complain("No matches found.");
    complain(
        "If searching for a file, try specifying the full path or using a wildcard prefix (\"*/\") at the beginning.",
    );
    Err(Failure::silent(exit::FAILURE))
}

/// Returns the names of which a package must provide one to match; `None` when that cannot be said.
fn names(specs: &[String]) -> Option<Vec<String>> {
    let mut names = Vec::new();
    for spec in specs {
        if glob::is_pattern(spec) {
            return None;
        }
        names.extend(Dependency::parse(spec).ok().map(|wanted| wanted.name));
        names.extend(PROGRAM_DIRECTORIES.iter().map(|directory| format!("{directory}{spec}")));
    }
    Some(names)
}

/// What of a package matched.
enum Hit {
    File(String),
    Provide(String),
}

fn matches(sack: &Sack, spec: &str) -> Vec<(PackageId, Hit)> {
    let mut hits = Vec::new();
    let wanted = Dependency::parse(spec).ok();
    for package in sack.iter() {
        let file = (spec.starts_with('/') || spec.starts_with('*'))
            .then(|| package.candidate.files.iter().find(|file| glob::matches(spec, file)))
            .flatten();
        let provide = package.candidate.provides.iter().find(|provide| match &wanted {
            Some(wanted) if glob::is_pattern(&wanted.name) => {
                glob::matches(&wanted.name, &provide.name)
            }
            Some(wanted) => wanted.is_satisfied_by(provide),
            None => false,
        });
        if let Some(file) = file {
            hits.push((package.id, Hit::File(file.clone())));
        } else if let Some(provide) = provide {
            hits.push((package.id, Hit::Provide(provide.to_string())));
        }
    }
    hits
}

fn show(session: &Session, package: SackPackage<'_>, hit: &Hit) {
    let printer = &session.printer;
    printer.data(&format!("{} : {}", package.nevra(), package.details.summary));
    printer.data(&format!("Repo         : {}", package.details.repository));
    printer.data("Matched From : ");
    match hit {
        Hit::File(file) => printer.data(&format!("Filename     : {file}")),
        Hit::Provide(provide) => printer.data(&format!("Provide      : {provide}")),
    }
    printer.data("");
}
