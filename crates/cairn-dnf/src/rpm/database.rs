// SPDX-License-Identifier: MIT OR Apache-2.0
//! `rpm --initdb`, `--verifydb` and `--rebuilddb`.

use super::Context;
use crate::failure::{CommandResult, Failure, complain};
use cairn_pkg::rpmdb;
use cairn_ui::exit;

/// Runs `rpm --initdb`.
pub fn init(context: &Context) -> CommandResult {
    context.open_database(rpmdb::Access::Create)?.close()?;
    Ok(exit::SUCCESS)
}

/// Runs `rpm --verifydb`.
pub fn check(context: &Context) -> CommandResult {
    let Some(db) = context.database()? else {
        return Err(Failure::new("no rpm database").hint("`rpm --initdb` makes an empty one"));
    };
    let problems = db.check()?;
    for problem in &problems {
        complain(&format!("error: rpmdb: {problem}"));
    }
    if !problems.is_empty() {
        complain("hint: `rpm --rebuilddb` drops what cannot be read");
    }
    Ok(u8::from(!problems.is_empty()))
}

/// Runs `rpm --rebuilddb`: every package that can be read is stored again, with its indexes, in one transaction.
pub fn rebuild(context: &Context) -> CommandResult {
    let mut db = context.open_database(rpmdb::Access::ReadWrite)?;
    let mut blobs = Vec::new();
    let mut lost = Vec::new();
    for number in db.numbers()? {
        match db.package(number) {
            Ok(Some(_)) => blobs.extend(db.blob(number)?.map(|blob| (number, Some(blob)))),
            Ok(None) => {}
            Err(error) => {
                lost.push(error.to_string());
                blobs.push((number, None));
            }
        }
    }
    db.write(|writer| {
        for (number, blob) in &blobs {
            writer.remove(*number)?;
            if let Some(blob) = blob {
                writer.insert(Some(*number), blob)?;
            }
        }
        Ok::<(), rpmdb::RpmDbError>(())
    })?;
    db.close()?;
    for message in &lost {
        complain(&format!("warning: dropped: {message}"));
    }
    Ok(exit::SUCCESS)
}
