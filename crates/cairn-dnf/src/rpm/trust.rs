// SPDX-License-Identifier: MIT OR Apache-2.0
//! What rpm says about the signatures of package files that are queried or installed.

use super::Context;
use super::keys::{described, trusted_keys};
use super::query::Selected;
use crate::failure::{Failure, complain};
use cairn_rpm::package::Package;
use cairn_rpm::signature::{
    Check, Demand, Finding, Keyring, VerifyError, report, report_of_header,
};
use cairn_rpm::tag;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufReader, IsTerminal as _, Read as _};
use std::path::Path;

/// Tells people what to do next; programs that read rpm's words get these alone.
pub fn advise(hint: &str) {
    if std::io::stderr().is_terminal() {
        complain(&format!("hint: {hint}"));
    }
}

/// Warns of packages whose keys are not there, once for each key.
#[derive(Debug)]
pub struct UnknownKeys<'a> {
    context: &'a Context,
    keyring: Option<Keyring>,
    told: BTreeSet<String>,
}

impl<'a> UnknownKeys<'a> {
    /// Starts without having read the keys.
    pub fn new(context: &'a Context) -> Self {
        Self { context, keyring: None, told: BTreeSet::new() }
    }

    /// Looks at the header's signature of a package file.
    pub fn warn(&mut self, path: &str, package: &Selected) -> Result<(), Failure> {
        const TAGS: [u32; 3] = [tag::RSAHEADER, tag::DSAHEADER, tag::OPENPGP];
        let is_signed = package
            .signature
            .as_ref()
            .is_some_and(|header| TAGS.iter().any(|tag| header.has(*tag)));
        if !is_signed || self.context.options.has("nosignature") {
            return Ok(());
        }
        let keyring = match self.keyring.take() {
            Some(keyring) => keyring,
            None => trusted_keys(self.context)?,
        };
        // What cannot be read is reported where it is needed.
        for check in checks_of_header(&keyring, path).unwrap_or_default() {
            if let Finding::Refused(VerifyError::UnknownKey { fingerprint }) = &check.finding
                && self.told.insert(fingerprint.clone())
            {
                complain(&format!("warning: {path}: {}", described(&check)));
            }
        }
        self.keyring = Some(keyring);
        Ok(())
    }
}

fn checks_of_header(keyring: &Keyring, path: &str) -> Option<Vec<Check>> {
    let mut reader = BufReader::new(File::open(path).ok()?);
    let (package, _) = Package::parse_with_digest(&mut reader).ok()?;
    let mut head = Vec::new();
    File::open(path).ok()?.take(package.header_end).read_to_end(&mut head).ok()?;
    Some(report_of_header(keyring, &package, &head))
}

/// Returns rpm's lines for a package file that is not to be installed because of its digests or signatures; `None` where it has none.
pub fn refusal(
    context: &Context,
    keyring: &Keyring,
    path: &Path,
) -> Result<Option<Vec<String>>, Failure> {
    let options = &context.options;
    let level = context.macros.value("_pkgverify_level").unwrap_or_default();
    let used =
        Demand { digests: !options.has("nodigest"), signatures: !options.has("nosignature") };
    let demand = Demand {
        digests: used.digests && level.trim() != "signature",
        signatures: used.signatures && level.trim() != "digest",
    };
    let Ok(bytes) = std::fs::read(path) else { return Ok(None) };
    let Ok((checks, false)) = report(keyring, &bytes, used, demand) else { return Ok(None) };
    let Ok(package) = Package::parse(&mut &bytes[..]) else { return Ok(None) };
    let reason = checks.iter().find_map(|check| match &check.finding {
        Finding::Refused(VerifyError::UnknownKey { .. } | VerifyError::Mismatch { .. }) => {
            Some(described(check))
        }
        _ => None,
    });
    // What else is wrong with a digest, a key or a signature, rpm's words do not tell.
    let is_other = checks
        .iter()
        .any(|check| matches!(check.finding, Finding::Refused(_) | Finding::WrongDigest(..)));
    let missing = checks.iter().find(|check| matches!(check.finding, Finding::Missing));
    let reason = match (reason, missing) {
        (Some(reason), _) => reason,
        (None, Some(check)) if !is_other => {
            if check.is_signature() { "no signature" } else { "no digest" }.to_owned()
        }
        _ => return Ok(None),
    };
    Ok(Some(vec![format!("\tpackage {} does not verify: {reason}", package.header.nevra())]))
}
