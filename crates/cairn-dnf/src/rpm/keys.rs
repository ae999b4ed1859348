// SPDX-License-Identifier: MIT OR Apache-2.0
//! `rpm -K`, `rpm --import` and `rpmkeys --list`.

use super::Context;
use super::base64;
use super::files;
use super::keyring::{self, Stored};
use super::query::os_text;
use super::trust;
use crate::failure::{CommandResult, complain};
use crate::keys;
use cairn_rpm::package::Package;
use cairn_rpm::signature::{Check, Demand, Finding, Keyring, Verified, VerifyError, report};
use cairn_ui::exit;

/// Writes out what `rpmkeys` of rpm 6 calls otherwise.
pub fn own_spellings(arguments: &[String]) -> Vec<String> {
    let long = |word: &String| match word.as_str() {
        "-d" | "-e" | "--erase" => "--delete".to_owned(),
        "-x" => "--export".to_owned(),
        "-i" => "--import".to_owned(),
        "-l" => "--list".to_owned(),
        _ => word.clone(),
    };
    arguments.iter().map(long).collect()
}

/// Runs `rpmkeys --rebuild`: keys that cannot be read go.
pub fn rebuild(context: &Context) -> CommandResult {
    let mut unreadable = Vec::new();
    for stored in keyring::all(context)? {
        if let Err(why) = keys::parse_armored(&stored.armored) {
            complain(&format!("warning: dropped: gpg-pubkey-{}: {why}", stored.evr()));
            unreadable.push(stored.place);
        }
    }
    keyring::remove(context, &unreadable)?;
    Ok(exit::SUCCESS)
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
        keyring::add(context, &found)?;
    }
    Ok(failed)
}

/// Runs `rpmkeys --list`.
pub fn list(context: &Context) -> CommandResult {
    let keys = keyring::all(context)?;
    let arguments = &context.options.arguments;
    let mut failed = 0_u8;
    let shown = |key: &Stored| context.printer.data(&format!("{}: {}", key.evr(), key.summary));
    if arguments.is_empty() {
        keys.iter().for_each(shown);
    }
    for argument in arguments {
        let wanted = wanted_key(argument);
        let mut found = keys.iter().filter(|key| is_key(key, &wanted)).peekable();
        if found.peek().is_none() {
            let name = argument.strip_prefix("gpg-pubkey-").unwrap_or(argument);
            context.printer.data(&format!("package gpg-pubkey-{name} is not installed"));
            failed = failed.saturating_add(1);
        }
        found.for_each(shown);
    }
    Ok(failed)
}

/// A key as [`is_key`] wants it.
fn wanted_key(argument: &str) -> String {
    argument.strip_prefix("gpg-pubkey-").unwrap_or(argument).to_ascii_lowercase()
}

/// Tells whether a key is meant by its version, its version and release, or its fingerprint.
fn is_key(key: &Stored, wanted: &str) -> bool {
    let version = key.version.to_ascii_lowercase();
    let is_tail = wanted.len() >= 16 && wanted.ends_with(&version);
    version == wanted || key.evr().to_ascii_lowercase() == wanted || is_tail
}

/// Runs `rpmkeys --delete`: keys by version, by version and release, or by fingerprint.
pub fn delete(context: &Context) -> CommandResult {
    if context.options.arguments.is_empty() {
        complain("rpmkeys: no arguments given");
        return Ok(exit::FAILURE);
    }
    let keys = keyring::all(context)?;
    let (mut failed, mut places) = (0_u8, Vec::new());
    for argument in &context.options.arguments {
        let wanted = wanted_key(argument);
        let before = places.len();
        let found = keys.iter().filter(|key| is_key(key, &wanted));
        places.extend(found.map(|key| key.place.clone()));
        if places.len() == before {
            complain(&format!("error: package gpg-pubkey-{wanted} is not installed"));
            failed = failed.saturating_add(1);
        }
    }
    if failed == 0 {
        keyring::remove(context, &places)?;
    }
    Ok(failed)
}

/// Runs `rpmkeys --export`: the keys in ASCII armor, all of them without arguments.
pub fn export(context: &Context) -> CommandResult {
    for key in keyring::all(context)? {
        let arguments = &context.options.arguments;
        if arguments.is_empty() || arguments.iter().any(|argument| argument.ends_with(&key.version))
        {
            context.printer.data(key.armored.trim_end());
        }
    }
    Ok(exit::SUCCESS)
}

/// Runs `rpm -K`.
pub fn check_signatures(context: &Context) -> CommandResult {
    if context.options.arguments.is_empty() {
        complain("rpmkeys: no arguments given");
        return Ok(exit::FAILURE);
    }
    let keyring = keyring::trusted(context)?;
    let mut failed = 0_u8;
    for path in context.options.arguments.iter().flat_map(|argument| files::expand(argument)) {
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) => {
                complain(&format!("error: {path}: open failed: {}", os_text(&error)));
                failed = failed.saturating_add(1);
                continue;
            }
        };
        if !check_one(context, &keyring, &path, &bytes) {
            failed = failed.saturating_add(1);
        }
    }
    Ok(failed)
}

fn check_one(context: &Context, keyring: &Keyring, path: &str, bytes: &[u8]) -> bool {
    let (printer, options) = (&context.printer, &context.options);
    let verbose = options.verbose > 0;
    if verbose {
        printer.data(&format!("{path}:"));
    }
    let level = context.macros.value("_pkgverify_level").unwrap_or_default();
    let demand = Demand {
        digests: !options.has("nodigest") && matches!(level.trim(), "all" | "digest"),
        signatures: !options.has("nosignature") && matches!(level.trim(), "all" | "signature"),
    };
    let ignored = trust::ignored(context, "_pkgverify_flags");
    let (checks, is_good) = match report(keyring, bytes, ignored, demand) {
        Ok(found) => found,
        Err(error) => {
            complain(&format!("error: {path}: {}", cairn_pkg::repos::error::chain(&error)));
            error.hint().into_iter().for_each(trust::advise);
            return false;
        }
    };
    if verbose {
        checks.iter().for_each(|check| printer.data(&format!("    {}", described(check))));
        return is_good;
    }
    // The words that are right are small, those that are wrong are large.
    let mut words = format!("{path}:");
    for (name, is_it) in [("digests", false), ("signatures", true)] {
        let mut of_kind = checks.iter().filter(|check| check.is_signature() == is_it).peekable();
        if of_kind.peek().is_some() {
            let all_good = of_kind.all(|check| matches!(check.finding, Finding::Good));
            words.push(' ');
            words.push_str(&if all_good { name.to_owned() } else { name.to_uppercase() });
        }
    }
    printer.data(&format!("{words} {}", if is_good { "OK" } else { "NOT OK" }));
    // What the administrator left out of the check is no reason.
    if !is_good && !trust::leaves_out(context) {
        say_why(path, keyring, bytes, &checks);
    }
    is_good
}

/// Says in one line why a package is not trusted, and what can be done.
fn say_why(path: &str, keyring: &Keyring, bytes: &[u8], checks: &[Check]) {
    let refused = checks.iter().find_map(|check| match &check.finding {
        Finding::Refused(error) => Some(error),
        _ => None,
    });
    let verified =
        Verified::<Package>::accept_unsigned(bytes).and_then(|_| keyring.verify_package(bytes));
    let ((Err(reason), _) | (Ok(_), Some(reason))) = (&verified, refused) else { return };
    let is_said = matches!(reason, VerifyError::NotSigned | VerifyError::UnknownKey { .. });
    if is_said {
        // The line says as much; rpm adds nothing.
        trust::advise(&format!("{reason}"));
    } else {
        complain(&format!("error: {path}: {reason}"));
    }
    reason.hint().into_iter().for_each(trust::advise);
}

/// A line of `rpm -Kv`: `Header SHA256 digest: OK`.
pub fn described(check: &Check) -> String {
    let name = match &check.signature {
        Some(bytes) => format!("{}{}", check.name, described_signature(bytes)),
        None => check.name.to_owned(),
    };
    match &check.finding {
        Finding::Good => format!("{name}: OK"),
        Finding::Missing => format!("{name}: NOTFOUND"),
        Finding::WrongDigest(expected, found) => {
            format!("{name}: BAD (Expected {expected} != {found})")
        }
        Finding::Refused(VerifyError::UnknownKey { .. }) => format!("{name}: NOKEY"),
        Finding::Refused(VerifyError::Mismatch { .. } | VerifyError::Malformed { .. }) => {
            format!("{name}: BAD")
        }
        Finding::Refused(_) => format!("{name}: NOTTRUSTED"),
    }
}

/// A signature as `rpm -Kv` names it: `V4 EdDSA/SHA256 Signature, key ID ed30998e`.
fn described_signature(bytes: &[u8]) -> String {
    let armored = std::str::from_utf8(bytes).ok().and_then(|text| {
        let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with("-----"));
        base64::decode(&lines.collect::<String>())
    });
    let bytes = armored.as_deref().unwrap_or(bytes);
    super::format::signature_label(bytes).unwrap_or_else(|| "OpenPGP signature".to_owned())
}
