// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which packages of a plan must be signed, and by whom.

use super::session::{Loaded, Session};
use super::transact::Targets;
use crate::failure::Failure;
use crate::keys;
use cairn_pkg::query::sack::Origin;
use cairn_pkg::repos::RepoConfig;
use cairn_pkg::repos::key_list::TrustedKeys;
use cairn_pkg::repos::metadata::must_sign_packages;
use cairn_pkg::resolve::Plan;
use cairn_pkg::transaction::Trust;
use cairn_rpm::signature::Keyring;
use cairn_ui::Problem;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// How the engine checks the packages of a plan.
#[derive(Debug)]
pub struct PackageTrust {
    /// What every package must prove.
    pub trust: Trust,
    /// Keys.
    pub keyring: Arc<Keyring>,
}

/// Checks the packages of a plan and returns how the engine has to check them again.
///
/// Where every package must be signed, the engine does the work. Where some need not be, those that must are checked
/// here, and the engine checks digests.
pub fn check_packages(
    session: &Session,
    loaded: &Loaded,
    plan: &Plan,
    targets: &Targets,
) -> Result<PackageTrust, Failure> {
    let keyring = load_keyring(session, loaded)?;
    let mut unsigned: BTreeMap<&str, usize> = BTreeMap::new();
    let mut signed = Vec::new();
    for item in plan.inbound() {
        let details = loaded.sack.get(item.id).details;
        let must_sign = match details.origin {
            Origin::Repository(index) => loaded.sack.repositories[index].must_sign,
            // A stored transaction has files of repositories.
            Origin::File(_) => match repository_config(session, &details.repository) {
                Some(config) => must_sign_packages(config, &session.configuration.main),
                None => session.configuration.main.localpkg_gpgcheck,
            },
            Origin::Installed(_) => false,
        };
        if must_sign {
            signed.push(item.id);
        } else {
            *unsigned.entry(details.repository.as_str()).or_default() += 1;
        }
    }
    if unsigned.is_empty() {
        return Ok(PackageTrust { trust: Trust::Signature, keyring: Arc::new(keyring) });
    }
    for id in signed {
        let Some(path) = targets.files.get(&id) else { continue };
        let shown = path.display();
        let bytes = std::fs::read(path)
            .map_err(|error| Failure::new(format!("cannot read `{shown}`: {error}")))?;
        keyring.verify_package(&bytes).map_err(|error| {
            let problem = Problem::from_error(&error);
            let message = problem.render("").trim_start_matches(": ").trim_end().to_owned();
            Failure::new(format!("{}: {message}", loaded.sack.get(id).nevra()))
                .hint(error.hint().unwrap_or("use a package that is signed by a trusted key"))
        })?;
    }
    for (repository, count) in unsigned {
        let noun = if count == 1 { "package" } else { "packages" };
        let message =
            format!("skipped OpenPGP checks for {count} {noun} from repository: {repository}");
        session.printer.warning(&Problem::new(message));
    }
    Ok(PackageTrust { trust: Trust::Digests, keyring: Arc::new(keyring) })
}

fn repository_config<'a>(session: &'a Session, id: &str) -> Option<&'a RepoConfig> {
    session.configuration.repositories.iter().find(|config| config.id == id)
}

/// Returns the keys of the rpm database and of the repositories in use, without those that these have replaced.
fn load_keyring(session: &Session, loaded: &Loaded) -> Result<Keyring, Failure> {
    let mut keyring = Keyring::new();
    if let Some(db) = session.rpmdb()? {
        keys::add_installed(&db, &mut keyring)?;
    }
    let loaded_ones = loaded.sack.repositories.iter().map(|repository| repository.id.as_str());
    let of_files = loaded.files.iter().map(|id| loaded.sack.get(*id).details.repository.as_str());
    let ids: BTreeSet<&str> = loaded_ones.chain(of_files).collect();
    let place = (&session.cache.root, session.cache.trust_directory.as_str());
    let (mut current, mut retired) = (BTreeSet::new(), BTreeSet::new());
    for config in ids.into_iter().filter_map(|id| repository_config(session, id)) {
        if !must_sign_packages(config, &session.configuration.main) {
            continue;
        }
        let trusted = TrustedKeys::load(config, place, &session.config_root)?;
        current.extend(trusted.list.keyring().fingerprints());
        retired.extend(trusted.retired);
        keyring.add_all(trusted.list.keyring());
    }
    retired.difference(&current).for_each(|fingerprint| keyring.remove(fingerprint));
    Ok(keyring)
}
