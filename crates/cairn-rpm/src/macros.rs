// SPDX-License-Identifier: MIT OR Apache-2.0
//! The macros that queries and scripts ask for with `rpm --eval`: `%{name}`, `%{?name}`, `%{!?name:text}`, `%name`, `%%`, and the
//! text functions (`%{upper:…}`, `%{basename:…}`, …). Nothing is run and nothing is read from disk.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::header::Header;

/// Version that is shown and recorded: the rpm whose behaviour this follows.
pub const RPM_VERSION: &str = "4.20.1";

/// Nesting and repetition of macros accepted.
const DEPTH_LIMIT: usize = 64;

/// Runs the body of `%{lua:…}` and returns what it prints, or why it failed.
pub type RunLua = fn(&Macros, &str) -> Result<String, String>;

/// Fills in a query format (`%{NAME}`, `[%{FILENAMES}]`) from a header, or says what is wrong with it.
pub type FormatHeader = fn(&Header, &str) -> Result<String, String>;

/// Macros and their bodies.
#[derive(Debug, Clone, Default)]
pub struct Macros {
    bodies: BTreeMap<String, String>,
    run_lua: Option<RunLua>,
    format_header: Option<FormatHeader>,
    /// What went wrong since it was last asked, shared by all copies.
    errors: Arc<Mutex<Vec<String>>>,
}

/// What is built in, with rpm's names and this distribution's places.
const BUILT_IN: &[(&str, &str)] = &[
    ("_bindir", "%{_exec_prefix}/bin"),
    ("_build_arch", "%{_arch}"),
    ("_build_os", "linux"),
    ("_builddir", "%{_topdir}/BUILD"),
    ("_datadir", "%{_prefix}/share"),
    ("_datarootdir", "%{_prefix}/share"),
    ("_db_backend", "sqlite"),
    ("_dbpath", "/usr/lib/sysimage/rpm"),
    ("_defaultdocdir", "%{_datadir}/doc"),
    ("_defaultlicensedir", "%{_datadir}/licenses"),
    ("_docdir", "%{_defaultdocdir}"),
    ("_exec_prefix", "%{_prefix}"),
    ("_host_cpu", "%{_arch}"),
    ("_host_os", "linux"),
    ("_includedir", "%{_prefix}/include"),
    ("_infodir", "%{_datadir}/info"),
    ("_install_langs", "all"),
    ("_keyring", "rpmdb"),
    ("_lib", "lib64"),
    ("_libdir", "%{_prefix}/%{_lib}"),
    ("_libexecdir", "%{_prefix}/libexec"),
    ("_localstatedir", "/var"),
    ("_mandir", "%{_datadir}/man"),
    ("_os", "linux"),
    ("_pkgverify_level", "all"),
    ("_prefix", "%{_usr}"),
    ("_presetdir", "/usr/lib/systemd/system-preset"),
    ("_query_all_fmt", "%%{nvr}%%{archsuffix}"),
    ("_rpmconfigdir", "%{_usr}/lib/rpm"),
    ("_rpmfilename", "%%{ARCH}/%%{NAME}-%%{VERSION}-%%{RELEASE}.%%{ARCH}.rpm"),
    ("_rpmlock_path", "%{_dbpath}/.rpm.lock"),
    ("_rpmdir", "%{_topdir}/RPMS"),
    ("_rundir", "/run"),
    ("_sbindir", "%{_exec_prefix}/sbin"),
    ("_sharedstatedir", "%{_var}/lib"),
    ("_sourcedir", "%{_topdir}/SOURCES"),
    ("_specdir", "%{_topdir}/SPECS"),
    ("_srcrpmdir", "%{_topdir}/SRPMS"),
    ("_sysconfdir", "/etc"),
    ("_sysusersdir", "/usr/lib/sysusers.d"),
    ("_target_cpu", "%{_arch}"),
    ("_target_os", "linux"),
    ("_tmpfilesdir", "/usr/lib/tmpfiles.d"),
    ("_tmppath", "%{_var}/tmp"),
    ("_udevrulesdir", "/usr/lib/udev/rules.d"),
    ("_unitdir", "/usr/lib/systemd/system"),
    ("_userunitdir", "/usr/lib/systemd/user"),
    ("_usr", "/usr"),
    ("_usrsrc", "%{_usr}/src"),
    ("_var", "/var"),
    ("_vendor", "cairn"),
    ("_vsflags_install", "%{?__vsflags}"),
    ("_vsflags_query", "%{?__vsflags}"),
    ("_vsflags_verify", "%{?__vsflags}"),
    ("nil", ""),
    ("rpmversion", RPM_VERSION),
];

impl PartialEq for Macros {
    fn eq(&self, other: &Self) -> bool {
        self.bodies == other.bodies
    }
}

impl Eq for Macros {}

impl Macros {
    /// What is built in.
    pub fn built_in() -> Self {
        let mut bodies: BTreeMap<String, String> =
            BUILT_IN.iter().map(|(name, body)| ((*name).to_owned(), (*body).to_owned())).collect();
        bodies.insert("_arch".to_owned(), std::env::consts::ARCH.to_owned());
        Self { bodies, ..Self::default() }
    }

    /// Returns the macros with an interpreter for `%{lua:…}`.
    pub fn with_lua(self, run_lua: RunLua) -> Self {
        Self { run_lua: Some(run_lua), ..self }
    }

    /// Returns the macros with what fills in the query formats of scriptlets (`%post -q`).
    pub fn with_format(self, format_header: FormatHeader) -> Self {
        Self { format_header: Some(format_header), ..self }
    }

    /// Fills in the query format of a scriptlet, where anything can; `None` where the format is wrong, which is kept as an error.
    pub fn format(&self, header: &Header, text: &str) -> Option<String> {
        let Some(format) = self.format_header else { return Some(text.to_owned()) };
        match format(header, text) {
            Ok(text) => Some(text),
            Err(error) => {
                self.errors.lock().unwrap_or_else(PoisonError::into_inner).push(error);
                None
            }
        }
    }

    /// Defines a macro; options in parentheses after its name are dropped, since such macros take arguments.
    pub fn define(&mut self, name: &str, body: &str) {
        self.bodies.insert(name.trim_start_matches('%').to_owned(), body.to_owned());
    }

    /// Forgets a macro.
    pub fn undefine(&mut self, name: &str) {
        self.bodies.remove(name);
    }

    /// Reads a file of definitions: `%name body`, lines ending in `\` go on.
    pub fn read(&mut self, text: &str) {
        let text = text.replace("\\\n", "\n\0");
        let mut lines = text.split('\n').peekable();
        while let Some(line) = lines.next() {
            let Some(definition) = line.trim_start().strip_prefix('%') else { continue };
            let mut definition = definition.to_owned();
            while let Some(more) = lines.next_if(|next| next.starts_with('\0')) {
                definition.push('\n');
                definition.push_str(&more[1..]);
            }
            if let Some((name, body)) = definition.split_once(char::is_whitespace) {
                let name = name.split('(').next().unwrap_or_default();
                self.define(name, body.trim());
            }
        }
    }

    /// Returns the value of a macro, `None` where it is unknown.
    pub fn value(&self, name: &str) -> Option<String> {
        self.clone().value_at(name, 0)
    }

    /// Returns `text` with its macros replaced; unknown ones stay as they are. What it defines holds for the rest of it.
    pub fn expand(&self, text: &str) -> String {
        self.clone().expand_at(text, 0)
    }

    /// Returns what went wrong in expansions since this was last called, here and in copies.
    pub fn take_errors(&self) -> Vec<String> {
        std::mem::take(&mut self.errors.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Returns all names with their bodies, for `--showrc`.
    pub fn all(&self) -> impl Iterator<Item = (&String, &String)> {
        self.bodies.iter()
    }

    fn value_at(&mut self, name: &str, depth: usize) -> Option<String> {
        let body = self.bodies.get(name)?.clone();
        Some(self.expand_at(&body, depth + 1))
    }

    fn expand_at(&mut self, text: &str, depth: usize) -> String {
        if depth > DEPTH_LIMIT {
            return text.to_owned();
        }
        let mut out = String::new();
        let mut rest = text;
        while let Some(position) = rest.find('%') {
            out.push_str(&rest[..position]);
            let after = &rest[position + 1..];
            if let Some(tail) = after.strip_prefix('%') {
                out.push('%');
                rest = tail;
            } else if let Some(tail) = self.definition(after, depth) {
                rest = tail;
            } else if let Some((body, tail)) = braced(after) {
                match self.braces(body, depth) {
                    Some(found) => out.push_str(&found),
                    None => out.push_str(&format!("%{{{body}}}")),
                }
                rest = tail;
            } else {
                let start = after.len() - after.trim_start_matches(['?', '!']).len();
                let length = after[start..]
                    .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
                    .unwrap_or(after.len() - start);
                match self.braces(&after[..start + length], depth) {
                    Some(found) if length > 0 => out.push_str(&found),
                    _ => out.push_str(&format!("%{}", &after[..start + length])),
                }
                rest = &after[start + length..];
            }
        }
        out.push_str(rest);
        out
    }

    /// Carries out `define`, `global` or `undefine` behind a `%`; returns what follows it, `None` where there is none.
    fn definition<'t>(&mut self, text: &'t str, depth: usize) -> Option<&'t str> {
        let (word, rest) = text.split_once([' ', '\t'])?;
        if !matches!(word, "define" | "global" | "undefine") {
            return None;
        }
        let rest = rest.trim_start_matches([' ', '\t']);
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
        let (name, rest) = rest.split_at(end.unwrap_or(rest.len()));
        if word == "undefine" {
            self.undefine(name);
            return Some(rest);
        }
        // Options in parentheses are for macros with arguments.
        let rest = match rest.strip_prefix('(') {
            Some(options) => options.split_once(')')?.1,
            None => rest,
        };
        let rest = rest.trim_start_matches([' ', '\t']);
        let (body, rest) = match braced(rest) {
            Some(found) => found,
            None => rest.split_at(line_end(rest)),
        };
        let body = body.replace("\\\n", "\n");
        let body = if word == "global" { self.expand_at(&body, depth + 1) } else { body };
        self.define(name, body.trim());
        Some(rest)
    }

    /// Expands the inside of `%{…}`; `None` where the macro is unknown and not conditional.
    fn braces(&mut self, body: &str, depth: usize) -> Option<String> {
        let marks = body.len() - body.trim_start_matches(['?', '!']).len();
        let (prefix, rest) = body.split_at(marks);
        let (name, text) = match rest.split_once(':') {
            Some((name, text)) => (name, Some(text)),
            None => match rest.split_once(' ') {
                Some((name, text)) if self.is_function(name) => (name, Some(text)),
                _ => (rest, None),
            },
        };
        if let ("lua", Some(text), Some(run)) = (name, text, self.run_lua) {
            return Some(run(self, text).unwrap_or_else(|error| {
                self.errors.lock().unwrap_or_else(PoisonError::into_inner).push(error);
                String::new()
            }));
        }
        if !prefix.contains('?') {
            if let Some(text) = text {
                let expanded = self.expand_at(text, depth + 1);
                if let Some(result) = self.function(name, &expanded, depth) {
                    return Some(result);
                }
            }
            return self.value_at(name, depth);
        }
        let found = self.value_at(name, depth);
        let is_negated = prefix.matches('!').count() % 2 == 1;
        let holds = found.is_some() != is_negated;
        Some(match (holds, text) {
            (false, _) => String::new(),
            (true, Some(text)) => self.expand_at(text, depth + 1),
            (true, None) if is_negated => String::new(),
            (true, None) => found.unwrap_or_default(),
        })
    }

    fn is_function(&mut self, name: &str) -> bool {
        self.function(name, "", DEPTH_LIMIT).is_some()
    }

    /// The text functions.
    fn function(&mut self, name: &str, text: &str, depth: usize) -> Option<String> {
        let flag = |holds: bool| if holds { "1" } else { "0" }.to_owned();
        Some(match name {
            "expand" => self.expand_at(text, depth + 1),
            "upper" => text.to_uppercase(),
            "lower" => text.to_lowercase(),
            "reverse" => text.chars().rev().collect(),
            "len" => text.len().to_string(),
            "quote" => text.to_owned(),
            "shrink" => text.split_whitespace().collect::<Vec<_>>().join(" "),
            "basename" => text.rsplit('/').next().unwrap_or_default().to_owned(),
            "dirname" => text.rsplit_once('/').map_or(".", |(directory, _)| directory).to_owned(),
            "suffix" => text.rsplit_once('.').map_or("", |(_, suffix)| suffix).to_owned(),
            "defined" => flag(self.bodies.contains_key(text.trim())),
            "undefined" => flag(!self.bodies.contains_key(text.trim())),
            _ => return None,
        })
    }
}

/// Returns where a line ends that goes on behind each `\\` at its end.
fn line_end(text: &str) -> usize {
    let mut from = 0;
    while let Some(at) = text[from..].find('\n').map(|at| from + at) {
        if !text[..at].ends_with('\\') {
            return at;
        }
        from = at + 1;
    }
    text.len()
}

/// Splits `{body}rest`; braces inside the body are counted.
fn braced(text: &str) -> Option<(&str, &str)> {
    let inner = text.strip_prefix('{')?;
    let mut depth = 0_usize;
    for (index, byte) in inner.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' if depth == 0 => return Some((&inner[..index], &inner[index + 1..])),
            b'}' => depth -= 1,
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expansion() {
        let mut macros = Macros::built_in();
        macros.define("mine", "<%{_bindir}>");
        macros.define("loop", "%{loop}");
        macros.read("# comment\n%one first \\\n second\n%two() x\n  %three 3\nnot a macro\n");
        let table = [
            ("%{_dbpath} %_os %%", "/usr/lib/sysimage/rpm linux %"),
            ("%{mine}/x", "</usr/bin>/x"),
            ("%{nothere} %nothere %{?nothere}%?nothere", "%{nothere} %nothere "),
            ("%{!?nothere:x}%{?mine:y}%{?nothere:z}", "xy"),
            ("100%", "100%"),
            ("%{one}|%two|%three", "first \n second|x|3"),
            ("%{upper:%{_os}} %{basename:/a/b.c} %{dirname:/a/b} %{len:abc}", "LINUX b.c /a 3"),
            ("%define x 1\n%x %{!?y:%global y <%x>}%{y}", "\n1 <1>"),
            ("%define x {a b}%undefine mine %x %mine", " a b %mine"),
            ("%{expand:%%{_os}} %{shrink: a  b } %{defined mine}%{undefined mine}", "linux a b 10"),
        ];
        for (text, expected) in table {
            assert_eq!(macros.expand(text), expected, "{text}");
        }
        assert!(macros.expand("%{loop}").contains("loop"));
    }

    #[test]
    fn errors_of_scripts_are_kept() {
        let macros = Macros::built_in().with_lua(|_, body| Err(format!("bad: {body}")));
        assert_eq!(macros.expand("a%{lua:x}b"), "ab");
        assert_eq!(macros.clone().take_errors(), ["bad: x"]);
        assert!(macros.take_errors().is_empty());
    }
}
