// SPDX-License-Identifier: MIT OR Apache-2.0
//! `rpm -K`, `rpm --import` and `rpmkeys --list`.

use super::Context;
use super::query::os_text;
use crate::failure::{CommandResult, Failure, complain};
use crate::keys;
use cairn_pkg::rpmdb::{self, RpmDb};
use cairn_rpm::package::Package;
use cairn_rpm::signature::{Keyring, Verified};
use cairn_rpm::tag;
use cairn_ui::exit;

/// Returns the keys of the rpm database.
pub fn trusted_keys(context: &Context) -> Result<Keyring, Failure> {
    let mut keyring = Keyring::new();
    if let Some(db) = context.database()? {
        keys::add_installed(&db, &mut keyring)?;
    }
    Ok(keyring)
}

/// Runs `rpm --import`.
pub fn import(context: &Context) -> CommandResult {
    if context.options.arguments.is_empty() {
        complain("rpmkeys: no arguments given");
        return Ok(exit::FAILURE);
    }
    let mut failed = 0_u8;
    let mut found = Vec::new();
    for path in &context.options.arguments {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) => {
                complain(&format!("error: {path}: import read failed: {}", os_text(&error)));
                complain("hint: give the path of an armored public key");
                failed = failed.saturating_add(1);
                continue;
            }
        };
        match keys::parse_armored(&text) {
            Ok(parsed) => found.extend(parsed),
            Err(message) => {
                complain(&format!("error: {path}: key 1 not an armored public key: {message}"));
                failed = failed.saturating_add(1);
            }
        }
    }
    if !found.is_empty() {
        let mut db = RpmDb::open(&context.root, rpmdb::Access::Create)?;
        let time = u32::try_from(context.clock.now_unix()).unwrap_or(u32::MAX);
        for key in &found {
            keys::import(&mut db, key, time)?;
        }
        db.close()?;
    }
    Ok(failed)
}

/// Runs `rpmkeys --list`.
pub fn list(context: &Context) -> CommandResult {
    let Some(db) = context.database()? else { return Ok(exit::SUCCESS) };
    for package in db.by_name("gpg-pubkey")? {
        let evr = package.header.evr().without_epoch();
        let summary = package.header.string(tag::SUMMARY).unwrap_or_default();
        context.printer.data(&format!("{evr}: {summary}"));
    }
    Ok(exit::SUCCESS)
}

/// Runs `rpm -K`.
pub fn check_signatures(context: &Context) -> CommandResult {
    if context.options.arguments.is_empty() {
        complain("rpmkeys: no arguments given");
        return Ok(exit::FAILURE);
    }
    let keyring = trusted_keys(context)?;
    let mut failed = 0_u8;
    for path in &context.options.arguments {
        let bytes = match std::fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) => {
                complain(&format!("error: {path}: open failed: {}", os_text(&error)));
                failed = failed.saturating_add(1);
                continue;
            }
        };
        if !check_one(context, &keyring, path, &bytes) {
            failed = failed.saturating_add(1);
        }
    }
    Ok(failed)
}

fn check_one(context: &Context, keyring: &Keyring, path: &str, bytes: &[u8]) -> bool {
    let printer = &context.printer;
    let verbose = context.options.verbose > 0;
    let parsed = match Package::parse_with_digest(&mut &bytes[..]) {
        Ok((parsed, _)) => parsed,
        Err(error) => {
            complain(&format!("error: {path}: {}", cairn_pkg::repos::error::chain(&error)));
            error.hint().into_iter().for_each(|hint| complain(&format!("hint: {hint}")));
            return false;
        }
    };
    let is_signed = [tag::RSAHEADER, tag::DSAHEADER, tag::OPENPGP]
        .iter()
        .any(|t| parsed.signature_header.has(*t));
    let digests = Verified::<Package>::accept_unsigned(bytes);
    let signature = if is_signed && !context.options.no_signature {
        Some(keyring.verify_package(bytes))
    } else {
        None
    };
    let mut reason = None;
    if let Err(error) = &digests {
        reason = Some(error);
    } else if let Some(Err(error)) = &signature {
        reason = Some(error);
    }
    if verbose {
        printer.data(&format!("{path}:"));
        if let Some(signature) = &signature {
            let state = if signature.is_ok() { "OK" } else { "NOTTRUSTED" };
            let signer = signature
                .as_ref()
                .ok()
                .and_then(|verified| verified.signer().map(|s| s.fingerprint.clone()));
            let signer =
                signer.map(|f| format!(", key ID {}", f.to_lowercase())).unwrap_or_default();
            printer.data(&format!("    Header OpenPGP signature{signer}: {state}"));
        }
        let state = if digests.is_ok() { "OK" } else { "BAD" };
        printer.data(&format!("    Header SHA256 digest: {state}"));
        printer.data(&format!("    Payload SHA256 digest: {state}"));
    } else {
        let words = if is_signed && !context.options.no_signature {
            "digests signatures"
        } else {
            "digests"
        };
        match &reason {
            None => printer.data(&format!("{path}: {words} OK")),
            Some(_) => printer.data(&format!("{path}: {} NOT OK", words.to_uppercase())),
        }
    }
    if let Some(reason) = reason {
        complain(&format!("error: {path}: {reason}"));
        reason.hint().into_iter().for_each(|hint| complain(&format!("hint: {hint}")));
    }
    reason.is_none()
}
