// SPDX-License-Identifier: MIT OR Apache-2.0
//! Source packages of `rpm -i` and `-U`: their files go to `%_sourcedir` and `%_specdir`, for `rpmbuild`.

use super::Context;
use super::install::demanded_trust;
use super::keyring;
use super::trust;
use crate::failure::{CommandResult, Failure, complain};
use cairn_pkg::TransactionError;
use cairn_pkg::source::{self, Places};
use cairn_rpm::header::Header;
use cairn_rpm::tag;
use cairn_ui::exit;
use std::path::PathBuf;

/// Puts the files of source packages into their places; returns how many of them could not be installed.
pub fn install(context: &Context, packages: &[(PathBuf, Header)]) -> CommandResult {
    let mut failed = exit::SUCCESS;
    if packages.is_empty() || context.options.has("test") {
        return Ok(failed);
    }
    let keyring = keyring::trusted(context)?;
    let demanded = demanded_trust(context);
    for (path, header) in packages {
        let places = places(context, header);
        let done = source::install(&context.root, path, &places, (demanded, &keyring));
        let Err(error) = done else { continue };
        match &error {
            TransactionError::Package { .. } => match trust::refusal(context, &keyring, path)? {
                Some(lines) => lines.iter().for_each(|line| complain(line)),
                None => Failure::from(error).show(&context.printer),
            },
            _ => Failure::from(error).show(&context.printer),
        }
        complain(&format!("error: {} cannot be installed", path.display()));
        failed = failed.saturating_add(1);
    }
    Ok(failed)
}

/// Where the files of one go; the macros may name the package.
fn places(context: &Context, header: &Header) -> Places {
    let mut macros = context.macros.clone();
    let evr = header.evr();
    macros.define("name", header.name());
    macros.define("version", &evr.version);
    macros.define("release", &evr.release);
    if let Some(epoch) = header.u32(tag::EPOCH) {
        macros.define("epoch", &epoch.to_string());
    }
    let place = |text: &str| macros.expand(text).trim_matches('/').to_owned();
    Places { sources: place("%{_sourcedir}"), specs: place("%{_specdir}") }
}
