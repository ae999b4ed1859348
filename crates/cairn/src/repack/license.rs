// SPDX-License-Identifier: MIT OR Apache-2.0
//! The licence field of a package, from Debian's copyright file.
//!
//! Machine-readable files (DEP-5, copyright-format 1.0) name the licence of every group of files; the package's licence is all of
//! them together. Names that SPDX does not know become `LicenseRef-…`. Other files give one `LicenseRef` that points to the text.

use std::collections::BTreeSet;

use crate::apt::packages;

/// Longer expressions are of no use to a reader; the copyright file has it all.
const MAX_LICENSES: usize = 24;

/// Returns an SPDX expression for the copyright file `text` of the Debian package `name`.
pub fn expression(name: &str, text: &str) -> String {
    let mut paragraphs = packages::paragraphs(text);
    let is_machine_readable = paragraphs.next().is_some_and(|header| {
        header.get("Format").is_some_and(|format| format.contains("copyright-format"))
    });
    if !is_machine_readable {
        return reference(name);
    }
    let mut licenses = BTreeSet::new();
    for paragraph in paragraphs {
        let (Some(_), Some(license)) = (paragraph.get("Files"), paragraph.get("License")) else {
            continue;
        };
        let short = license.lines().next().unwrap_or_default().trim();
        if !short.is_empty() {
            licenses.insert(spdx(short));
        }
    }
    if licenses.is_empty() || licenses.len() > MAX_LICENSES {
        return reference(name);
    }
    let several = licenses.len() > 1;
    let parts: Vec<String> = licenses
        .into_iter()
        .map(|part| if several && part.contains(" OR ") { format!("({part})") } else { part })
        .collect();
    parts.join(" AND ")
}

/// Returns the licence that says: read the copyright file.
pub fn reference(name: &str) -> String {
    format!("LicenseRef-Debian-{}", identifier(name))
}

fn spdx(short: &str) -> String {
    let words = short.replace(',', " ");
    let (mut expression, mut term) = (String::new(), Vec::new());
    for word in words.split_whitespace() {
        match word {
            "or" | "and" => {
                push_term(&mut expression, &term);
                term.clear();
                expression.push_str(if word == "or" { " OR " } else { " AND " });
            }
            word => term.push(word),
        }
    }
    push_term(&mut expression, &term);
    // `and` binds closer than `or` in both languages; a trailing operator means a malformed field.
    if expression.ends_with("OR ") || expression.ends_with("AND ") || expression.starts_with(' ') {
        format!("LicenseRef-{}", identifier(short))
    } else {
        expression
    }
}

fn push_term(expression: &mut String, term: &[&str]) {
    if term.is_empty() {
        return;
    }
    let (id, exception) = match term.iter().position(|word| *word == "with") {
        Some(at) => (term[..at].join("-"), term[at + 1..].join("-")),
        None => (term.join("-"), String::new()),
    };
    // SPDX has names for few of the exceptions Debian writes out: the copyright file has their texts.
    match known(&id) {
        Some(license) if exception.is_empty() => expression.push_str(&license),
        Some(_) | None => {
            expression.push_str("LicenseRef-");
            expression.push_str(&identifier(&term.join("-")));
        }
    }
}

fn identifier(text: &str) -> String {
    let mapped: String =
        text.chars().map(|c| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' }).collect();
    mapped.trim_matches('-').to_owned()
}

/// Returns the SPDX name of one of Debian's short names.
fn known(short: &str) -> Option<String> {
    let lower = short.to_ascii_lowercase();
    for (family, spdx) in [("agpl", "AGPL"), ("lgpl", "LGPL"), ("gpl", "GPL"), ("gfdl", "GFDL")] {
        let Some(rest) = lower.strip_prefix(family) else { continue };
        let rest = rest
            .trim_start_matches("-v")
            .trim_start_matches('-')
            .replace("-or-later", "+")
            .replace("-only", "");
        let rest = rest.replace("niv-", "").replace("-no-invariants", "");
        let (number, later) =
            rest.strip_suffix('+').map_or((rest.as_str(), false), |number| (number, true));
        let version = match number {
            "1" | "2" | "3" => format!("{number}.0"),
            "1.0" | "1.1" | "1.2" | "1.3" | "2.0" | "2.1" | "3.0" => number.to_owned(),
            _ => return None,
        };
        return Some(format!("{spdx}-{version}-{}", if later { "or-later" } else { "only" }));
    }
    let spdx = match lower.as_str() {
        "expat" | "mit" | "mit-expat" | "mit/expat" => "MIT",
        "mit/x11" | "x11" => "X11",
        "bsd-2-clause" | "bsd-2" | "bsd2" => "BSD-2-Clause",
        "bsd-3-clause" | "bsd-3" | "bsd3" => "BSD-3-Clause",
        "bsd-4-clause" | "bsd-4" => "BSD-4-Clause",
        "bsd-4-clause-uc" => "BSD-4-Clause-UC",
        "0bsd" => "0BSD",
        "isc" => "ISC",
        "zlib" => "Zlib",
        "apache-2.0" | "apache-2" => "Apache-2.0",
        "artistic" | "artistic-1" | "artistic-1.0" => "Artistic-1.0-Perl",
        "artistic-2" | "artistic-2.0" => "Artistic-2.0",
        "mpl-1.1" => "MPL-1.1",
        "mpl-2" | "mpl-2.0" => "MPL-2.0",
        "cc0" | "cc0-1.0" => "CC0-1.0",
        "cc-by-3.0" => "CC-BY-3.0",
        "cc-by-4.0" => "CC-BY-4.0",
        "cc-by-sa-3.0" => "CC-BY-SA-3.0",
        "cc-by-sa-4.0" => "CC-BY-SA-4.0",
        "psf-2" | "psf-2.0" => "PSF-2.0",
        "python-2.0" => "Python-2.0",
        "openldap-2.8" => "OLDAP-2.8",
        "ofl-1.1" => "OFL-1.1",
        "curl" => "curl",
        "openssl" => "OpenSSL",
        "unlicense" => "Unlicense",
        "wtfpl" => "WTFPL",
        "fsfap" => "FSFAP",
        "fsful" => "FSFUL",
        "fsfullr" => "FSFULLR",
        "beerware" => "Beerware",
        "bsl-1" | "bsl-1.0" => "BSL-1.0",
        "ijg" => "IJG",
        "postgresql" => "PostgreSQL",
        "unicode-dfs-2016" => "Unicode-DFS-2016",
        "w3c" => "W3C",
        _ => return None,
    };
    Some(spdx.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn machine_readable() {
        let text = "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\nUpstream-Name: x\n\nFiles: *\nCopyright: me\nLicense: GPL-2+\n text\n\n\
            Files: a\nCopyright: x\nLicense: GPL-2+ or Artistic\n\nFiles: b\nCopyright: x\nLicense: weird-one\n\nLicense: GPL-2+\n text\n";
        assert_eq!(
            expression("x", text),
            "GPL-2.0-or-later AND (GPL-2.0-or-later OR Artistic-1.0-Perl) AND LicenseRef-weird-one"
        );
        assert_eq!(
            expression("libx+1", "This package was debianized by…\n"),
            "LicenseRef-Debian-libx-1"
        );
    }

    #[test]
    fn names() {
        let table = [
            ("LGPL-2.1+", "LGPL-2.1-or-later"),
            ("GPL-3", "GPL-3.0-only"),
            ("GPL-3.0-or-later", "GPL-3.0-or-later"),
            ("Expat", "MIT"),
            ("GPL-2+ with OpenSSL exception", "LicenseRef-GPL-2--with-OpenSSL-exception"),
            ("GPL-2+ with foo exception", "LicenseRef-GPL-2--with-foo-exception"),
            ("public-domain", "LicenseRef-public-domain"),
            ("GPL-2+ and BSD-3-clause", "GPL-2.0-or-later AND BSD-3-Clause"),
        ];
        for (debian, expected) in table {
            assert_eq!(spdx(debian), expected);
        }
    }
}
