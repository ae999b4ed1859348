// SPDX-License-Identifier: MIT OR Apache-2.0
//! `rpm --initdb`, `--verifydb`, `--rebuilddb`, `--exportdb` and `--importdb`.

use super::Context;
use super::query::os_text;
use crate::failure::{CommandResult, Failure, complain};
use cairn_pkg::rpmdb;
use cairn_rpm::header::{self, Header};
use cairn_ui::exit;
use std::io::{self, BufWriter, Read as _, Write as _};

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

/// Runs `rpm --rebuilddb`: every package that can be read is stored again, with its indexes, in one transaction. As with rpm, they
/// are numbered anew, from 1 on.
pub fn rebuild(context: &Context) -> CommandResult {
    let mut db = context.open_database(rpmdb::Access::ReadWrite)?;
    let mut blobs = Vec::new();
    let mut lost = Vec::new();
    let numbers = db.numbers()?;
    for number in &numbers {
        match db.package(*number) {
            Ok(Some(_)) => blobs.extend(db.blob(*number)?),
            Ok(None) => {}
            Err(error) => lost.push(error.to_string()),
        }
    }
    db.write(|writer| {
        numbers.iter().try_for_each(|number| writer.remove(*number))?;
        for (number, blob) in (1..).zip(&blobs) {
            writer.insert(Some(number), blob)?;
        }
        writer.restart_numbers()
    })?;
    db.close()?;
    for message in &lost {
        complain(&format!("warning: dropped: {message}"));
    }
    Ok(exit::SUCCESS)
}

/// Runs `rpmdb --exportdb`: all packages to standard output, as rpm's list of headers.
pub fn export(context: &Context) -> CommandResult {
    let Some(db) = context.database()? else {
        return Err(Failure::new("no rpm database").hint("`rpm --initdb` makes an empty one"));
    };
    let mut output = BufWriter::new(io::stdout().lock());
    let mut write = |bytes: &[u8]| {
        output.write_all(bytes).map_err(|error| {
            Failure::lines(vec![format!(
                "error: standard output: write failed: {}",
                os_text(&error)
            )])
        })
    };
    let (packages, damage) = db.packages_and_damage()?;
    for package in &packages {
        write(&header::MAGIC)?;
        write(package.header.source_bytes())?;
    }
    damage.iter().for_each(|error| complain(&format!("error: {error}")));
    output.flush().map_err(|error| {
        Failure::lines(vec![format!("error: standard output: write failed: {}", os_text(&error))])
    })?;
    Ok(u8::from(!damage.is_empty()))
}

/// Runs `rpmdb --importdb`: adds the packages of a list of headers on standard input.
pub fn import(context: &Context) -> CommandResult {
    let mut list = Vec::new();
    io::stdin().lock().read_to_end(&mut list).map_err(|error| {
        Failure::lines(vec![format!("error: standard input: read failed: {}", os_text(&error))])
    })?;
    let blobs = split(&list).map_err(|problem| {
        Failure::new(format!("standard input: {problem}"))
            .hint("give what `rpmdb --exportdb` wrote; nothing was imported")
    })?;
    let mut db = context.open_database(rpmdb::Access::Create)?;
    db.write(|writer| {
        blobs.iter().try_for_each(|blob| writer.insert(None, blob).map(|_number| ()))
    })?;
    db.close()?;
    Ok(exit::SUCCESS)
}

/// Takes a list of headers apart and checks each.
fn split(mut list: &[u8]) -> Result<Vec<&[u8]>, String> {
    let mut blobs = Vec::new();
    while !list.is_empty() {
        let at = blobs.len() + 1;
        let rest = list
            .strip_prefix(&header::MAGIC[..])
            .ok_or_else(|| format!("header {at} has no magic (expected 8eade801)"))?;
        let blob = Header::split_list(rest).map_err(|error| format!("header {at}: {error}"))?;
        Header::parse(blob).map_err(|error| format!("header {at}: {error}"))?;
        blobs.push(blob);
        list = &rest[blob.len()..];
    }
    Ok(blobs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use cairn_rpm::header::{Value, Values, write_region};
    use cairn_rpm::tag;

    fn blob(name: &str) -> Vec<u8> {
        let mut values = Values::new();
        let texts =
            [(tag::NAME, name), (tag::VERSION, "1"), (tag::RELEASE, "1"), (tag::ARCH, "noarch")];
        values.extend(texts.map(|(tag, text)| (tag, Value::text(text))));
        write_region(tag::HEADERIMMUTABLE, &values)
    }

    #[test]
    fn lists_of_headers() {
        let (a, b) = (blob("a"), blob("b"));
        let list = [&header::MAGIC[..], &a, &header::MAGIC, &b].concat();
        assert_eq!(split(&list).unwrap(), [&a[..], &b[..]]);
        assert_eq!(split(&[]).unwrap(), Vec::<&[u8]>::new());
        assert_eq!(split(&a).unwrap_err(), "header 1 has no magic (expected 8eade801)");
        let short = split(&list[..list.len() - 1]).unwrap_err();
        assert!(short.starts_with("header 2: "), "{short}");
    }
}
