// SPDX-License-Identifier: MIT OR Apache-2.0
//! `rpm -K`, `rpm --import` and `rpmkeys --list`.

use super::Context;
use super::base64;
use super::query::os_text;
use crate::failure::{CommandResult, Failure, complain};
use crate::keys;
use cairn_pkg::rpmdb;
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
        let mut db = context.open_database(rpmdb::Access::Create)?;
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

/// Runs `rpmkeys --delete`: keys by version, by version and release, or by fingerprint.
pub fn delete(context: &Context) -> CommandResult {
    if context.options.arguments.is_empty() {
        complain("rpmkeys: no arguments given");
        return Ok(exit::FAILURE);
    }
    let Some(db) = context.database()? else { return Ok(exit::FAILURE) };
    let (mut failed, mut numbers) = (0_u8, Vec::new());
    for argument in &context.options.arguments {
        let wanted = argument.strip_prefix("gpg-pubkey-").unwrap_or(argument).to_ascii_lowercase();
        let found: Vec<u64> = db
            .by_name("gpg-pubkey")?
            .iter()
            .filter(|package| {
                let evr = package.header.evr();
                let version = evr.version.to_ascii_lowercase();
                let is_tail = wanted.len() >= 16 && wanted.ends_with(&version);
                version == wanted || evr.without_epoch().to_ascii_lowercase() == wanted || is_tail
            })
            .map(|package| package.hnum)
            .collect();
        if found.is_empty() {
            complain(&format!("error: package gpg-pubkey-{wanted} is not installed"));
            failed = failed.saturating_add(1);
        }
        numbers.extend(found);
    }
    drop(db);
    if failed == 0 {
        let mut db = context.open_database(rpmdb::Access::ReadWrite)?;
        db.write(|writer| numbers.iter().try_for_each(|number| writer.remove(*number)))?;
        db.close()?;
    }
    Ok(failed)
}

/// Runs `rpmkeys --export`: the keys in ASCII armor, all of them without arguments.
pub fn export(context: &Context) -> CommandResult {
    let Some(db) = context.database()? else { return Ok(exit::SUCCESS) };
    for package in db.by_name("gpg-pubkey")? {
        let version = package.header.evr().version;
        let arguments = &context.options.arguments;
        if !arguments.is_empty() && !arguments.iter().any(|argument| argument.ends_with(&version)) {
            continue;
        }
        let text = package.header.string(tag::DESCRIPTION).unwrap_or_default().trim_end();
        context.printer.data(text);
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
    let options = &context.options;
    let is_signed = [tag::RSAHEADER, tag::DSAHEADER, tag::OPENPGP]
        .iter()
        .any(|t| parsed.signature_header.has(*t));
    let digests = Verified::<Package>::accept_unsigned(bytes);
    let signature =
        (is_signed && !options.has("nosignature")).then(|| keyring.verify_package(bytes));
    // The words that are right are small, those that are wrong are large.
    let mut words = Vec::new();
    let mut word = |text: &str, is_good: bool| {
        words.push(if is_good { text.to_owned() } else { text.to_uppercase() });
    };
    if !options.has("nodigest") {
        word("digests", digests.is_ok());
    }
    if let Some(signature) = &signature {
        word("signatures", signature.is_ok() || digests.is_err());
    }
    let mut reason = None;
    if let Err(error) = &digests {
        reason = Some(error);
    } else if let Some(Err(error)) = &signature {
        reason = Some(error);
    }
    if verbose {
        printer.data(&format!("{path}:"));
        if let Some(result) = &signature {
            let shown = described_signature(&parsed.signature_header);
            let state = if result.is_ok() { "OK" } else { "NOKEY" };
            printer.data(&format!("    Header {shown}: {state}"));
        }
        let state = if digests.is_ok() { "OK" } else { "BAD" };
        for (there, name) in [
            (parsed.signature_header.has(tag::SHA256HEADER), "Header SHA256 digest"),
            (parsed.signature_header.has(tag::SHA1HEADER), "Header SHA1 digest"),
            (parsed.header.has(tag::PAYLOADDIGEST), "Payload SHA256 digest"),
            (parsed.signature_header.has(tag::signature::MD5), "MD5 digest"),
        ] {
            if there && !options.has("nodigest") {
                printer.data(&format!("    {name}: {state}"));
            }
        }
    } else {
        words.push(if reason.is_none() { "OK" } else { "NOT OK" }.to_owned());
        printer.data(&format!("{path}: {}", words.join(" ")));
    }
    if let Some(reason) = reason {
        complain(&format!("error: {path}: {reason}"));
        reason.hint().into_iter().for_each(|hint| complain(&format!("hint: {hint}")));
    }
    reason.is_none()
}

/// A signature as `rpm -Kv` names it: `V4 EdDSA/SHA256 Signature, key ID ed30998e`.
fn described_signature(signature: &cairn_rpm::header::Header) -> String {
    let bytes = [tag::DSAHEADER, tag::RSAHEADER].iter().find_map(|t| signature.binary(*t));
    let from_text = || base64::decode(signature.string(tag::OPENPGP)?);
    let bytes = bytes.map(<[u8]>::to_vec).or_else(from_text).unwrap_or_default();
    super::format::signature_label(&bytes).unwrap_or_else(|| "OpenPGP signature".to_owned())
}
