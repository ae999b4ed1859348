// SPDX-License-Identifier: MIT OR Apache-2.0
//! What rpm says about the signatures of package files that are queried or installed.

use super::Context;
use super::keyring;
use super::keys::described;
use super::query::Selected;
use crate::failure::{Failure, complain};
use cairn_rpm::package::Package;
use cairn_rpm::signature::{
    Demand, Finding, Ignored, Keyring, VerifyError, report, report_of_header,
};
use cairn_rpm::tag;
use std::collections::BTreeSet;
use std::io::IsTerminal as _;
use std::path::Path;

/// Tells people what to do next; programs that read rpm's words get these alone.
pub fn advise(hint: &str) {
    if std::io::stderr().is_terminal() {
        complain(&format!("hint: {hint}"));
    }
}

/// What of digests and signatures is not looked at: what a macro of rpm's `RPMVSF_…` bits says, and `--nodigest` and `--nosignature`.
pub fn ignored(context: &Context, name: &str) -> Ignored {
    let mut ignored = by_macro(context, name);
    if context.options.has("nodigest") {
        ignored = ignored.and(Ignored::DIGESTS);
    }
    if context.options.has("nosignature") {
        ignored = ignored.and(Ignored::SIGNATURES);
    }
    ignored
}

/// Tells whether `%_pkgverify_flags` leave anything out.
pub fn leaves_out(context: &Context) -> bool {
    by_macro(context, "_pkgverify_flags") != Ignored::NONE
}

fn by_macro(context: &Context, name: &str) -> Ignored {
    let value = context.macros.value(name).unwrap_or_default();
    let value = value.trim();
    let bits = match value.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None => value.parse().ok(),
    };
    Ignored(bits.unwrap_or_default())
}

/// Checks the headers of package files as they are read; says once for each key that it is not there.
#[derive(Debug)]
pub struct HeaderChecks<'a> {
    context: &'a Context,
    ignored: Ignored,
    keyring: Option<Keyring>,
    told: BTreeSet<String>,
}

impl<'a> HeaderChecks<'a> {
    /// Starts without having read the keys; `flags` is the macro with what is not looked at.
    pub fn new(context: &'a Context, flags: &str) -> Self {
        let ignored = ignored(context, flags);
        Self { context, ignored, keyring: None, told: BTreeSet::new() }
    }

    /// Looks at a header's digests and signatures; says what is wrong with them, and returns whether nothing is.
    pub fn pass(&mut self, path: &str, package: &Selected) -> Result<bool, Failure> {
        const TAGS: [u32; 3] = [tag::RSAHEADER, tag::DSAHEADER, tag::OPENPGP];
        let Some(signature) = &package.signature else { return Ok(true) };
        let keyring = match self.keyring.take() {
            Some(keyring) => keyring,
            None if TAGS.iter().any(|tag| signature.has(*tag)) => keyring::trusted(self.context)?,
            None => Keyring::new(),
        };
        let mut is_good = true;
        for check in report_of_header(&keyring, signature, &package.header, self.ignored) {
            match &check.finding {
                Finding::Refused(VerifyError::UnknownKey { fingerprint }) => {
                    if self.told.insert(fingerprint.clone()) {
                        complain(&format!("warning: {path}: {}", described(&check)));
                    }
                }
                Finding::Refused(VerifyError::Mismatch { .. } | VerifyError::Malformed { .. })
                | Finding::WrongDigest(..) => {
                    complain(&format!("error: {path}: {}", described(&check)));
                    is_good = false;
                }
                // What else is wrong with a key is told where the package is to be trusted.
                Finding::Good | Finding::Missing | Finding::Refused(_) => {}
            }
        }
        if TAGS.iter().any(|tag| signature.has(*tag)) {
            self.keyring = Some(keyring);
        }
        Ok(is_good)
    }
}

/// Returns rpm's lines for a package file that is not to be installed because of its digests or signatures; `None` where it has none.
pub fn refusal(
    context: &Context,
    keyring: &Keyring,
    path: &Path,
) -> Result<Option<Vec<String>>, Failure> {
    let options = &context.options;
    let level = context.macros.value("_pkgverify_level").unwrap_or_default();
    let demand = Demand {
        digests: !options.has("nodigest") && level.trim() != "signature",
        signatures: !options.has("nosignature") && level.trim() != "digest",
    };
    let ignored = ignored(context, "_pkgverify_flags");
    let Ok(bytes) = std::fs::read(path) else { return Ok(None) };
    let Ok((checks, false)) = report(keyring, &bytes, ignored, demand) else { return Ok(None) };
    let Ok(package) = Package::parse(&mut &bytes[..]) else { return Ok(None) };
    let reason = checks.iter().find_map(|check| match &check.finding {
        Finding::Refused(VerifyError::UnknownKey { .. } | VerifyError::Mismatch { .. })
        | Finding::WrongDigest(..) => Some(described(check)),
        _ => None,
    });
    // What else is wrong with a key or a signature, rpm's words do not tell.
    let is_other = checks.iter().any(|check| matches!(check.finding, Finding::Refused(_)));
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
