// SPDX-License-Identifier: MIT OR Apache-2.0
//! Writing primary.xml, filelists.xml and other.xml, in the form `createrepo_c` gives them.

use super::package::{RepoFileKind, RepoPackage, is_primary_path};
use crate::dependency::{Comparison, Dependency, sense};
use crate::evr::Evr;

const HEAD: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

/// Appends `text` with XML's special characters escaped; characters XML cannot hold are dropped.
pub(super) fn escape(out: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\r' => out.push_str("&#13;"),
            '\t' | '\n' => out.push(c),
            '\0'..='\x1f' | '\u{fffe}' | '\u{ffff}' => {}
            c => out.push(c),
        }
    }
}

/// Appends ` name="value"`.
pub(super) fn attribute(out: &mut String, name: &str, value: &str) {
    out.push(' ');
    out.push_str(name);
    out.push_str("=\"");
    escape(out, value);
    out.push('"');
}

/// Appends a line `<name>text</name>`, or `<name/>` when there is no text.
pub(super) fn element(out: &mut String, indent: usize, name: &str, text: &str) {
    for _ in 0..indent {
        out.push_str("  ");
    }
    if text.is_empty() {
        out.push_str(&format!("<{name}/>\n"));
        return;
    }
    out.push_str(&format!("<{name}>"));
    escape(out, text);
    out.push_str(&format!("</{name}>\n"));
}

/// Writes primary.xml for packages in the order given. Of their files it lists those of
/// [`is_primary_path`].
pub fn write_primary(packages: &[RepoPackage]) -> String {
    let mut out = String::from(HEAD);
    out.push_str(&format!(
        "<metadata xmlns=\"http://linux.duke.edu/metadata/common\" xmlns:rpm=\"http://linux.duke.edu/metadata/rpm\" packages=\"{}\">\n",
        packages.len()
    ));
    for package in packages {
        primary_package(&mut out, package);
    }
    out.push_str("</metadata>\n");
    out
}

/// Writes filelists.xml for packages in the order given.
pub fn write_filelists(packages: &[RepoPackage]) -> String {
    let mut out = String::from(HEAD);
    out.push_str(&format!(
        "<filelists xmlns=\"http://linux.duke.edu/metadata/filelists\" packages=\"{}\">\n",
        packages.len()
    ));
    for package in packages {
        package_start(&mut out, package);
        files(&mut out, 2, package, |_| true);
        out.push_str("</package>\n");
    }
    out.push_str("</filelists>\n");
    out
}

/// Writes other.xml (change logs) for packages in the order given.
pub fn write_other(packages: &[RepoPackage]) -> String {
    let mut out = String::from(HEAD);
    out.push_str(&format!(
        "<otherdata xmlns=\"http://linux.duke.edu/metadata/other\" packages=\"{}\">\n",
        packages.len()
    ));
    for package in packages {
        package_start(&mut out, package);
        for changelog in &package.changelogs {
            out.push_str("  <changelog");
            attribute(&mut out, "author", &changelog.author);
            attribute(&mut out, "date", &changelog.time.to_string());
            out.push('>');
            escape(&mut out, &changelog.text);
            out.push_str("</changelog>\n");
        }
        out.push_str("</package>\n");
    }
    out.push_str("</otherdata>\n");
    out
}

fn package_start(out: &mut String, package: &RepoPackage) {
    out.push_str("<package");
    attribute(out, "pkgid", &package.pkgid);
    attribute(out, "name", &package.nevra.name);
    attribute(out, "arch", &package.nevra.arch);
    out.push_str(">\n  <version");
    version(out, &package.nevra.evr);
    out.push_str("/>\n");
}

/// Appends the attributes of a version; the epoch is always written.
fn version(out: &mut String, evr: &Evr) {
    attribute(out, "epoch", &evr.epoch.to_string());
    attribute(out, "ver", &evr.version);
    if !evr.release.is_empty() {
        attribute(out, "rel", &evr.release);
    }
}

fn primary_package(out: &mut String, package: &RepoPackage) {
    out.push_str("<package type=\"rpm\">\n");
    element(out, 1, "name", &package.nevra.name);
    element(out, 1, "arch", &package.nevra.arch);
    out.push_str("  <version");
    version(out, &package.nevra.evr);
    out.push_str("/>\n");
    out.push_str(&format!(
        "  <checksum type=\"sha256\" pkgid=\"YES\">{}</checksum>\n",
        package.pkgid
    ));
    element(out, 1, "summary", &package.summary);
    element(out, 1, "description", &package.description);
    element(out, 1, "packager", &package.packager);
    element(out, 1, "url", &package.url);
    out.push_str(&format!(
        "  <time file=\"{}\" build=\"{}\"/>\n",
        package.time_file, package.time_build
    ));
    out.push_str(&format!(
        "  <size package=\"{}\" installed=\"{}\" archive=\"{}\"/>\n",
        package.size_package, package.size_installed, package.size_archive
    ));
    out.push_str("  <location");
    if let Some(base) = &package.base {
        attribute(out, "xml:base", base);
    }
    attribute(out, "href", &package.location);
    out.push_str("/>\n  <format>\n");
    element(out, 2, "rpm:license", &package.license);
    element(out, 2, "rpm:vendor", &package.vendor);
    element(out, 2, "rpm:group", &package.group);
    element(out, 2, "rpm:buildhost", &package.buildhost);
    element(out, 2, "rpm:sourcerpm", &package.sourcerpm);
    out.push_str(&format!(
        "    <rpm:header-range start=\"{}\" end=\"{}\"/>\n",
        package.header_start, package.header_end
    ));
    for (name, list) in [
        ("provides", &package.provides),
        ("requires", &package.requires),
        ("conflicts", &package.conflicts),
        ("obsoletes", &package.obsoletes),
        ("suggests", &package.suggests),
        ("enhances", &package.enhances),
        ("recommends", &package.recommends),
        ("supplements", &package.supplements),
    ] {
        dependencies(out, name, list);
    }
    files(out, 4, package, is_primary_path);
    out.push_str("  </format>\n</package>\n");
}

/// Sense bits that createrepo shows as `pre="1"`.
const PRE: u32 = sense::PREREQ | sense::SCRIPT_PRE | sense::SCRIPT_POST;

fn dependencies(out: &mut String, name: &str, list: &[Dependency]) {
    if list.is_empty() {
        return;
    }
    out.push_str(&format!("    <rpm:{name}>\n"));
    for dependency in list {
        out.push_str("      <rpm:entry");
        attribute(out, "name", &dependency.name);
        if let Some((comparison, evr)) = &dependency.constraint {
            let flags = match comparison {
                Comparison::Less => "LT",
                Comparison::LessOrEqual => "LE",
                Comparison::Equal => "EQ",
                Comparison::GreaterOrEqual => "GE",
                Comparison::Greater => "GT",
            };
            attribute(out, "flags", flags);
            version(out, evr);
        }
        if name == "requires" && dependency.sense & PRE != 0 {
            attribute(out, "pre", "1");
        }
        out.push_str("/>\n");
    }
    out.push_str(&format!("    </rpm:{name}>\n"));
}

fn files(out: &mut String, indent: usize, package: &RepoPackage, is_listed: fn(&str) -> bool) {
    for file in package.files.iter().filter(|file| is_listed(&file.path)) {
        out.extend(std::iter::repeat_n(' ', indent));
        out.push_str("<file");
        if file.kind != RepoFileKind::File {
            attribute(out, "type", file.kind.as_str());
        }
        out.push('>');
        escape(out, &file.path);
        out.push_str("</file>\n");
    }
}
