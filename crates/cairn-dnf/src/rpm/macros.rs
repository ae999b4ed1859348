// SPDX-License-Identifier: MIT OR Apache-2.0
//! The few macros that queries and scripts ask for with `rpm --eval`: `%{name}`, `%{?name}`, `%{!?name:text}`, `%name`, `%%`.

use super::options::Options;

/// Nesting and repetition of macros accepted.
const DEPTH_LIMIT: usize = 32;

/// Returns `text` with its macros replaced; unknown ones stay as they are.
pub fn expand(text: &str, options: &Options) -> String {
    expand_at(text, options, 0)
}

fn value(name: &str, options: &Options, depth: usize) -> Option<String> {
    if let Some((_, body)) = options.defines.iter().rev().find(|(defined, _)| defined == name) {
        return Some(expand_at(body, options, depth + 1));
    }
    let arch = std::env::consts::ARCH;
    let text = match name {
        "_dbpath" => "/usr/lib/sysimage/rpm",
        "_arch" | "_host_cpu" | "_target_cpu" | "_build_arch" => arch,
        "_os" | "_target_os" | "_host_os" => "linux",
        "_prefix" | "_usr" => "/usr",
        "_exec_prefix" => "/usr",
        "_bindir" => "/usr/bin",
        "_sbindir" => "/usr/sbin",
        "_libexecdir" => "/usr/libexec",
        "_datadir" | "_datarootdir" => "/usr/share",
        "_sysconfdir" => "/etc",
        "_localstatedir" | "_var" => "/var",
        "_sharedstatedir" => "/var/lib",
        "_rundir" => "/run",
        "_lib" => "lib64",
        "_libdir" => "/usr/lib64",
        "_includedir" => "/usr/include",
        "_mandir" => "/usr/share/man",
        "_infodir" => "/usr/share/info",
        "_docdir" => "/usr/share/doc",
        "_unitdir" => "/usr/lib/systemd/system",
        "_userunitdir" => "/usr/lib/systemd/user",
        "_presetdir" => "/usr/lib/systemd/system-preset",
        "_udevrulesdir" => "/usr/lib/udev/rules.d",
        "_tmpfilesdir" => "/usr/lib/tmpfiles.d",
        "_sysusersdir" => "/usr/lib/sysusers.d",
        "_tmppath" => "/var/tmp",
        "_rpmconfigdir" => "/usr/lib/rpm",
        "_rpmlockpath" => "/usr/lib/sysimage/rpm/.rpm.lock",
        "_db_backend" => "sqlite",
        "_vendor" => "cairn",
        "_query_all_fmt" => "%{nvra}",
        "_pkgverify_level" => "all",
        "rpmversion" => super::RPM_VERSION,
        "nil" => "",
        _ => return None,
    };
    Some(text.to_owned())
}

fn expand_at(text: &str, options: &Options, depth: usize) -> String {
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
        } else if let Some((body, tail)) = braced(after) {
            match conditional(body, options, depth) {
                Some(found) => out.push_str(&found),
                None => out.push_str(&format!("%{{{body}}}")),
            }
            rest = tail;
        } else {
            let start = usize::from(after.starts_with('?'));
            let length = after[start..]
                .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
                .unwrap_or(after.len() - start);
            let name = &after[start..start + length];
            match value(name, options, depth) {
                Some(found) if length > 0 => out.push_str(&found),
                _ if start == 1 && length > 0 => {}
                _ => out.push_str(&format!("%{}", &after[..start + length])),
            }
            rest = &after[start + length..];
        }
    }
    out.push_str(rest);
    out
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

/// Expands the inside of `%{…}`; `None` where the macro is unknown and not conditional.
fn conditional(body: &str, options: &Options, depth: usize) -> Option<String> {
    let marks = body.len() - body.trim_start_matches(['?', '!']).len();
    let (prefix, rest) = body.split_at(marks);
    let (name, text) = match rest.split_once(':') {
        Some((name, text)) => (name, Some(text)),
        None => (rest, None),
    };
    let found = value(name, options, depth);
    if !prefix.contains('?') {
        return found;
    }
    let is_negated = prefix.matches('!').count() % 2 == 1;
    let holds = found.is_some() != is_negated;
    Some(match (holds, text) {
        (false, _) => String::new(),
        (true, Some(text)) => expand_at(text, options, depth + 1),
        (true, None) if is_negated => String::new(),
        (true, None) => found.unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn macros() {
        let mut options = Options::default();
        options.defines.push(("mine".to_owned(), "<%{_bindir}>".to_owned()));
        options.defines.push(("loop".to_owned(), "%{loop}".to_owned()));
        let table = [
            ("%{_dbpath} %_os %%", "/usr/lib/sysimage/rpm linux %"),
            ("%{mine}/x", "</usr/bin>/x"),
            ("%{nothere} %nothere %{?nothere}", "%{nothere} %nothere "),
            ("%{!?nothere:x}%{?mine:y}%{?nothere:z}", "xy"),
            ("100%", "100%"),
        ];
        for (text, expected) in table {
            assert_eq!(expand(text, &options), expected, "{text}");
        }
        assert!(expand("%{loop}", &options).contains("loop"));
    }
}
