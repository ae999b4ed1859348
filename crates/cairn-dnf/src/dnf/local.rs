// SPDX-License-Identifier: MIT OR Apache-2.0
//! Package files named on the command line: paths and URLs that end in `.rpm`.

use super::session::Session;
use crate::failure::Failure;
use cairn_rpm::header::Header;
use cairn_rpm::package::Package;
use cairn_ui::Problem;
use std::io::BufReader;
use std::path::{Path, PathBuf};

/// A package file: its path, header and size.
pub type LocalPackage = (PathBuf, Header, u64);

/// Takes the package files out of `specs` and returns them and the other arguments.
pub fn split_specs(
    session: &Session,
    specs: &[String],
) -> Result<(Vec<LocalPackage>, Vec<String>), Failure> {
    let mut files = Vec::new();
    let mut rest = Vec::new();
    for spec in specs {
        let path = if is_url(spec) {
            fetch(session, spec)?
        } else if is_named_as_package(Path::new(spec)) {
            std::path::absolute(spec).unwrap_or_else(|_| PathBuf::from(spec))
        } else {
            rest.push(spec.clone());
            continue;
        };
        // A file that is named twice is meant once.
        if !files.iter().any(|(known, ..): &LocalPackage| *known == path) {
            files.push(read_package(&path)?);
        }
    }
    Ok((files, rest))
}

/// Returns whether an argument is the URL of a file.
pub fn is_url(spec: &str) -> bool {
    ["http://", "https://", "file://"].iter().any(|scheme| after_scheme(spec, scheme).is_some())
}

/// Returns what follows a scheme, whose letters may be large.
fn after_scheme<'a>(url: &'a str, scheme: &str) -> Option<&'a str> {
    let (head, rest) = url.split_at_checked(scheme.len())?;
    head.eq_ignore_ascii_case(scheme).then_some(rest)
}

fn is_named_as_package(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "rpm")
}

/// Returns the package files of a directory and of those below it, sorted; links to directories are not followed.
pub fn packages_below(directory: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut found = Vec::new();
    let mut directories = vec![directory.to_owned()];
    while let Some(directory) = directories.pop() {
        let failed = |error: std::io::Error| unreadable(&directory, &error);
        for entry in std::fs::read_dir(&directory).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            if path.is_dir() && !path.is_symlink() {
                directories.push(path);
            } else if is_named_as_package(&path) {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Says that a directory of packages cannot be read.
pub fn unreadable(directory: &Path, error: &std::io::Error) -> Failure {
    Failure::new(format!("cannot read `{}`: {error}", directory.display()))
        .hint("give a directory with packages, or a directory or URL with repodata/")
}

/// Reads the header of a package file.
pub fn read_package(path: &Path) -> Result<LocalPackage, Failure> {
    let shown = path.display();
    let file = std::fs::File::open(path)
        .map_err(|error| Failure::new(format!("cannot open `{shown}`: {error}")))?;
    let size = file.metadata().map_or(0, |stat| stat.len());
    let package = Package::parse(&mut BufReader::new(file)).map_err(|error| {
        let message =
            Problem::from_error(&error).render("").trim_start_matches(": ").trim_end().to_owned();
        Failure::new(format!("{shown}: {message}")).hint("give the path of an RPM package")
    })?;
    Ok((path.to_owned(), package.header, size))
}

fn fetch(session: &Session, url: &str) -> Result<PathBuf, Failure> {
    if let Some(path) = after_scheme(url, "file://") {
        return Ok(PathBuf::from(path));
    }
    let directory = session
        .cache
        .root
        .path_for_display()
        .join(&session.cache.directory)
        .join("@commandline/packages");
    let path = directory.join(file_name_of(url));
    session.printer.info(&format!("Downloading {url}"));
    let expected = cairn_host::fetch::Expected::default();
    // The name says nothing about the content: an earlier file of that name must not be taken for it.
    let _ = std::fs::remove_file(&path);
    session.network.fetcher.download(url, &path, &expected, &mut |_| {})?;
    Ok(path)
}

/// Returns a safe file name for what a URL names: its last part, plain characters only.
fn file_name_of(url: &str) -> String {
    let last =
        url.split(['?', '#']).next().unwrap_or_default().rsplit('/').next().unwrap_or_default();
    let plain = |c: char| if c.is_ascii_alphanumeric() || "-_.+~^".contains(c) { c } else { '_' };
    let name: String = last.chars().map(plain).collect();
    if name.is_empty() || name.starts_with('.') { format!("package{name}") } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        assert_eq!(file_name_of("http://h/a/b-1.rpm?x=/y"), "b-1.rpm");
        assert_eq!(file_name_of("http://h/.."), "package..");
        assert_eq!(after_scheme("FiLe:///a", "file://"), Some("/a"));
        assert!(is_url("hTTp://h/a") && !is_url("http:/h/a") && !is_url("é"));
    }
}
