// SPDX-License-Identifier: MIT OR Apache-2.0
//! Accounts for Debian's maintainer scripts, which are never run.
//!
//! Debhelper's marked blocks are understood: they become [`Effect`]s that others can check. [`remaining`] is what a script
//! does beyond them; the overlay must say why that need not happen, by digest, so that a changed script is looked at again.

use std::fmt;

use sha2::{Digest as _, Sha256};

use crate::overlay::Overlay;
use crate::overlay::schema::Account;

/// Something a debhelper block or a dpkg trigger would do.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Effect {
    /// `postinst`, `triggers`, …
    pub script: String,
    /// What kind.
    pub kind: EffectKind,
    /// The unit, the configuration file, the command.
    pub detail: String,
}

/// Kinds of effects.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum EffectKind {
    /// A unit is enabled on first installation: a preset.
    EnableUnit,
    /// A unit is started, restarted or stopped.
    StartUnit,
    /// `systemd-sysusers FILE`: a file trigger.
    Sysusers,
    /// `systemd-tmpfiles --create FILE`: a file trigger.
    Tmpfiles,
    /// `update-alternatives`: a symbolic link in the overlay.
    Alternative,
    /// `ucf SOURCE TARGET`: a `move` or `file` in the overlay.
    ConfigurationFile,
    /// `pam-auth-update`: our PAM files are static.
    Pam,
    /// `/etc/nsswitch.conf` is edited: ours is static.
    NameService,
    /// An AppArmor profile is loaded, its local part created.
    AppArmor,
    /// `py3compile` and `py3clean`.
    ByteCompile,
    /// Old configuration files are removed or renamed (`dpkg-maintscript-helper`): of no concern to a new distribution.
    OldConffile,
    /// SysV init scripts.
    InitScript,
    /// `ldconfig`, by script or by trigger: a file trigger.
    Ldconfig,
    /// debconf.
    Debconf,
    /// Another dpkg trigger.
    DpkgTrigger,
    /// Another debhelper tool, by name.
    Other(String),
}

impl fmt::Display for EffectKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::EnableUnit => "enable-unit",
            Self::StartUnit => "start-unit",
            Self::Sysusers => "sysusers",
            Self::Tmpfiles => "tmpfiles",
            Self::Alternative => "alternative",
            Self::ConfigurationFile => "configuration-file",
            Self::Pam => "pam",
            Self::NameService => "name-service",
            Self::AppArmor => "apparmor",
            Self::ByteCompile => "byte-compile",
            Self::OldConffile => "old-conffile",
            Self::InitScript => "init-script",
            Self::Ldconfig => "ldconfig",
            Self::Debconf => "debconf",
            Self::DpkgTrigger => "dpkg-trigger",
            Self::Other(tool) => tool,
        })
    }
}

/// A script with something in it that no overlay accounts for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unaccounted {
    /// `postinst`, …
    pub script: String,
    /// What it does beyond debhelper's blocks; empty if an account is there for nothing.
    pub remaining: String,
    /// Digest of `remaining` (16 hex digits); empty if there is nothing.
    pub digest: String,
    /// The digest in the overlay, if it has one.
    pub found: Option<String>,
}

impl Unaccounted {
    /// Returns the TOML line that accounts for the script, the reason left to be written.
    pub fn toml_line(&self) -> String {
        if self.digest.is_empty() {
            format!(
                "remove `{}` from `maintainer-scripts`: the script has nothing left to account for",
                self.script
            )
        } else {
            format!("{} = {{ sha256 = \"{}\", reason = \"…\" }}", self.script, self.digest)
        }
    }
}

/// How one script is accounted for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accounted {
    /// `postinst`, …
    pub script: String,
    /// Why it need not run.
    pub reason: String,
}

/// Compares the scripts of a package with its overlay's accounts.
pub fn account(
    scripts: &std::collections::BTreeMap<String, Vec<u8>>,
    overlay: &Overlay<'_>,
) -> Result<Vec<Accounted>, Vec<Unaccounted>> {
    let (mut accounted, mut missing) = (Vec::new(), Vec::new());
    for script in crate::deb::SCRIPTS {
        let remaining = scripts
            .get(script)
            .map_or_else(String::new, |bytes| remaining_of_bytes(bytes, overlay.star.as_deref()));
        let found = overlay.package.maintainer_scripts.get(script);
        if remaining.is_empty() {
            if let Some(account) = found {
                missing.push(Unaccounted {
                    script: script.to_owned(),
                    remaining,
                    digest: String::new(),
                    found: Some(account.sha256.clone()),
                });
            } else if scripts.contains_key(script) {
                accounted.push(Accounted {
                    script: script.to_owned(),
                    reason: "debhelper's blocks only".into(),
                });
            }
            continue;
        }
        let digest = digest(&remaining);
        let matching = |account: &&Account| account.sha256 == digest;
        let account = found
            .filter(matching)
            .or_else(|| overlay.defaults.maintainer_script.iter().find(matching));
        match account {
            Some(account) => accounted
                .push(Accounted { script: script.to_owned(), reason: account.reason.clone() }),
            None => missing.push(Unaccounted {
                script: script.to_owned(),
                remaining,
                digest,
                found: found.map(|account| account.sha256.clone()),
            }),
        }
    }
    if missing.is_empty() { Ok(accounted) } else { Err(missing) }
}

/// Returns the first 16 hex digits of the SHA-256 of `remaining`.
pub fn digest(remaining: &str) -> String {
    let mut digest = hex::encode(Sha256::digest(remaining));
    digest.truncate(16);
    digest
}

fn remaining_of_bytes(bytes: &[u8], star: Option<&str>) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) if !text.contains('\0') => {
            let text = remaining(text);
            star.map(|star| text.replace(star, "%{*}")).unwrap_or(text)
        }
        Ok(_) | Err(_) => format!(
            "(a program of {} bytes, sha256 {})\n",
            bytes.len(),
            hex::encode(Sha256::digest(bytes))
        ),
    }
}

/// Returns what a maintainer script does beyond debhelper's marked blocks: the lines that are left without the blocks, the
/// interpreter line, comments, blank lines, `set -e`, `exit 0`, and `case` and `if` skeletons with nothing in them.
/// Lines keep their text but lose their indentation.
pub fn remaining(script: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    let mut in_block = false;
    for (index, line) in script.lines().enumerate() {
        let line = line.trim();
        if line.starts_with("# Automatically added by dh") {
            in_block = true;
        } else if line.starts_with("# End automatically added section") {
            in_block = false;
        } else if !(in_block
            || line.is_empty()
            || line.starts_with('#')
            || is_without_effect(line)
            || index == 0 && line.starts_with("#!"))
        {
            lines.push(line.to_owned());
        }
    }
    loop {
        let before = lines.len();
        remove_empty_case(&mut lines);
        remove_empty_if(&mut lines);
        if lines.len() == before {
            break;
        }
    }
    let mut text = lines.join("\n");
    if !text.is_empty() {
        text.push('\n');
    }
    text
}

fn is_without_effect(line: &str) -> bool {
    let line = line.trim_end_matches(';').trim_end();
    matches!(
        line,
        "set -e"
            | "set -eu"
            | "set -u"
            | "set -ue"
            | "exit 0"
            | ":"
            | "true"
            | "return 0"
            | ". /usr/share/debconf/confmodule"
            | "db_stop"
            | "db_stop || true"
    )
}

/// Removes the first innermost `case … esac` whose arms do nothing, or only complain about an unknown argument.
fn remove_empty_case(lines: &mut Vec<String>) {
    let mut start = None;
    for index in 0..lines.len() {
        if lines[index].starts_with("case ") && lines[index].ends_with(" in") {
            start = Some(index);
        } else if lines[index].trim_end_matches(';') == "esac"
            && let Some(start) = start.take()
            && arms_do_nothing(&lines[start + 1..index])
        {
            lines.drain(start..=index);
            return;
        }
    }
}

fn arms_do_nothing(lines: &[String]) -> bool {
    // `pattern)` and `;;` may stand on one line or on several; commands are what is between them.
    let text = lines.join("\n");
    text.split(";;").all(|arm| {
        let arm = arm.trim();
        let Some((pattern, commands)) = arm.split_once(')') else { return arm.is_empty() };
        let is_pattern = pattern
            .trim_start_matches('(')
            .chars()
            .all(|c| c.is_alphanumeric() || "-_|*\"'\\. \n".contains(c));
        let mut commands = commands
            .split(['\n', ';'])
            .map(str::trim)
            .filter(|command| !command.is_empty() && !is_without_effect(command));
        is_pattern
            && (pattern.trim() == "*" && commands.clone().all(is_complaint)
                || commands.next().is_none())
    })
}

/// What the default arm of debhelper's template does.
fn is_complaint(command: &str) -> bool {
    command.starts_with("echo ") && command.contains("unknown argument") || command == "exit 1"
}

/// Removes the first `if [ … ]; then fi` with nothing in it.
fn remove_empty_if(lines: &mut Vec<String>) {
    let empty = lines
        .windows(2)
        .position(|pair| is_plain_test(&pair[0]) && pair[1].trim_end_matches(';') == "fi");
    if let Some(index) = empty {
        lines.drain(index..=index + 1);
    }
}

/// `if [ "$1" = "configure" ] && [ -z "$2" ]; then`: tests of arguments run no program.
fn is_plain_test(line: &str) -> bool {
    line.starts_with("if [ ")
        && line.ends_with("then")
        && !line.contains("$(")
        && !line.contains('`')
}

/// Returns what the debhelper blocks of the scripts and the dpkg triggers would do, sorted.
pub fn effects(
    scripts: &std::collections::BTreeMap<String, Vec<u8>>,
    triggers: &[String],
) -> Vec<Effect> {
    let mut effects = Vec::new();
    for (script, bytes) in scripts {
        let Ok(text) = std::str::from_utf8(bytes) else { continue };
        let mut tool = None;
        let mut block = String::new();
        for line in text.lines() {
            if let Some(name) = line.trim().strip_prefix("# Automatically added by ") {
                tool = Some(name.split('/').next().unwrap_or(name).trim().to_owned());
                block.clear();
            } else if line.trim().starts_with("# End automatically added section") {
                if let Some(tool) = tool.take() {
                    effects.extend(block_effects(script, &tool, &block));
                }
            } else if tool.is_some() {
                block.push_str(line.trim().trim_end_matches('\\'));
                // Joined continuation lines read as one command.
                block.push(if line.ends_with('\\') { ' ' } else { '\n' });
            }
        }
    }
    for trigger in triggers {
        let kind = if trigger.ends_with(" ldconfig") {
            EffectKind::Ldconfig
        } else {
            EffectKind::DpkgTrigger
        };
        effects.push(Effect { script: "triggers".into(), kind, detail: trigger.clone() });
    }
    effects.sort();
    effects.dedup();
    effects
}

fn block_effects(script: &str, tool: &str, block: &str) -> Vec<Effect> {
    let effect =
        |kind: EffectKind, detail: String| Effect { script: script.to_owned(), kind, detail };
    let all = |kind: EffectKind, commands: &[&str]| -> Vec<Effect> {
        commands
            .iter()
            .flat_map(|command| arguments_after(block, command))
            .map(|detail| effect(kind.clone(), detail))
            .collect()
    };
    let found = match tool {
        "dh_installsystemd"
        | "dh_systemd_enable"
        | "dh_systemd_start"
        | "dh_installsystemduser" => {
            let mut found = all(
                EffectKind::EnableUnit,
                &["deb-systemd-helper enable", "deb-systemd-helper --user enable"],
            );
            found.extend(all(
                EffectKind::StartUnit,
                &[
                    "deb-systemd-invoke $_dh_action",
                    "deb-systemd-invoke start",
                    "deb-systemd-invoke restart",
                    "deb-systemd-invoke stop",
                ],
            ));
            if found.is_empty() {
                vec![effect(EffectKind::StartUnit, "state of units after removal".into())]
            } else {
                found
            }
        }
        "dh_installsysusers" => all(EffectKind::Sysusers, &["systemd-sysusers"]),
        "dh_installtmpfiles" => all(EffectKind::Tmpfiles, &["systemd-tmpfiles"]),
        "dh_installalternatives" => all(EffectKind::Alternative, &["update-alternatives"]),
        "dh_ucf" => all(EffectKind::ConfigurationFile, &["ucf"]),
        "dh_installpam" => all(EffectKind::Pam, &["pam-auth-update"]),
        "dh_installnss" => vec![effect(EffectKind::NameService, script.to_owned())],
        "dh_apparmor" => vec![effect(EffectKind::AppArmor, first_path(block, "/etc/apparmor.d/"))],
        "dh_python3" | "dh_python2" => all(EffectKind::ByteCompile, &["py3compile", "py3clean"]),
        "dh_installdeb" => all(EffectKind::OldConffile, &["dpkg-maintscript-helper"]),
        "dh_installinit" => vec![effect(EffectKind::InitScript, first_path(block, "/etc/init.d/"))],
        "dh_makeshlibs" => vec![effect(EffectKind::Ldconfig, "ldconfig".into())],
        "dh_installdebconf" => vec![effect(EffectKind::Debconf, script.to_owned())],
        other => vec![effect(EffectKind::Other(other.to_owned()), first_line(block))],
    };
    if found.is_empty() {
        vec![effect(EffectKind::Other(tool.to_owned()), first_line(block))]
    } else {
        found
    }
}

/// Returns what follows `command` on the lines that have it, without redirections, quotes and `|| true`.
fn arguments_after(block: &str, command: &str) -> Vec<String> {
    let mut found = Vec::new();
    for line in block.lines() {
        let Some((before, rest)) = line.split_once(command) else { continue };
        let at_word =
            !before.ends_with(|c: char| c.is_alphanumeric() || c == '-') && rest.starts_with(' ');
        // `if [ -x "$(command -v systemd-tmpfiles)" ]` names the program but does not run it.
        if !at_word || before.contains("command -v") {
            continue;
        }
        let end = ["||", "&&", ">", ";"]
            .iter()
            .filter_map(|mark| rest.find(mark))
            .min()
            .unwrap_or(rest.len());
        let words = rest[..end].replace(['\'', '"'], "");
        found.push(words.split_whitespace().collect::<Vec<_>>().join(" "));
    }
    found
}

fn first_line(block: &str) -> String {
    block.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default().to_owned()
}

fn first_path(block: &str, prefix: &str) -> String {
    let Some(start) = block.find(prefix) else { return first_line(block) };
    let rest = &block[start..];
    rest[..rest.find(['"', '\'', ' ', '\n', ';']).unwrap_or(rest.len())].to_owned()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use expect_test::expect;

    use super::*;
    use crate::overlay::Overlays;

    #[test]
    fn skeletons_leave_nothing() {
        let table = [
            "#!/bin/sh\nset -e\n# Automatically added by dh_makeshlibs/13\nldconfig\n# End automatically added section\nexit 0\n",
            "#!/bin/sh\n\ncase \"$1\" in\n    configure)\n    ;;\n    abort-upgrade|abort-remove)\n    ;;\n    *)\n        echo \"postinst called with unknown argument \\`$1'\" >&2\n        exit 1\n    ;;\nesac\n",
            "#!/bin/sh\ncase $1 in\n remove|purge) ;;\nesac\n",
            "#!/bin/sh\nif [ \"$1\" = configure ]; then\n# Automatically added by dh_x\nfoo\n# End automatically added section\nfi\n",
            "#!/bin/sh\ncase \"$1\" in\nconfigure)\nif [ -n \"$2\" ]; then\n:\nfi\n;;\nesac\n",
        ];
        for script in table {
            assert_eq!(remaining(script), "", "{script}");
        }
    }

    #[test]
    fn what_is_left() {
        let script = "#!/bin/sh\nset -e\ncase \"$1\" in\n  configure)\n    # comment\n    chown root:_chrony /etc/chrony/chrony.keys\n  ;;\nesac\n\
            # Automatically added by dh_ucf/13.24\nucf x y\n# End automatically added section\nexit 0\n";
        expect![[r#"
            case "$1" in
            configure)
            chown root:_chrony /etc/chrony/chrony.keys
            ;;
            esac
        "#]]
        .assert_eq(&remaining(script));
        assert_eq!(
            remaining("if [ -x $(which x) ]; then\nfi\n"),
            "if [ -x $(which x) ]; then\nfi\n"
        );
        assert_eq!(
            remaining("case $x in\n*) rm -rf /x ;;\nesac\n"),
            "case $x in\n*) rm -rf /x ;;\nesac\n"
        );
    }

    fn overlays(text: &str) -> Overlays {
        Overlays::parse(&[("_defaults.toml".into(), text.into())]).unwrap()
    }

    #[test]
    fn accounts() {
        let scripts =
            BTreeMap::from([("postinst".to_owned(), b"#!/bin/sh\nmkdir /var/x-6.12\n".to_vec())]);
        let digest = digest("mkdir /var/x-%{*}\n");

        let missing =
            account(&scripts, &overlays("[package.\"x-*\"]\n").overlay_for("x-6.12")).unwrap_err();
        assert_eq!(
            (missing[0].remaining.as_str(), missing[0].digest.as_str()),
            ("mkdir /var/x-%{*}\n", digest.as_str())
        );
        assert_eq!(
            missing[0].toml_line(),
            format!("postinst = {{ sha256 = \"{digest}\", reason = \"…\" }}")
        );

        let own = format!(
            "[package.\"x-*\".maintainer-scripts]\npostinst = {{ sha256 = \"{digest}\", reason = \"tmpfiles\" }}\n"
        );
        assert_eq!(
            account(&scripts, &overlays(&own).overlay_for("x-6.12")).unwrap()[0].reason,
            "tmpfiles"
        );

        let shared = format!(
            "[package.\"x-*\"]\n[[defaults.maintainer-script]]\nsha256 = \"{digest}\"\nreason = \"shared\"\n"
        );
        assert_eq!(
            account(&scripts, &overlays(&shared).overlay_for("x-6.12")).unwrap()[0].reason,
            "shared"
        );

        let stale = overlays(
            "[package.x.maintainer-scripts]\nprerm = { sha256 = \"0123456789abcdef\", reason = \"gone\" }\n",
        );
        let missing = account(&BTreeMap::new(), &stale.overlay_for("x")).unwrap_err();
        assert!(missing[0].toml_line().starts_with("remove `prerm`"));
    }

    #[test]
    fn effects_of_blocks() {
        let script = "# Automatically added by dh_installsystemd/13.24.2\nif [ \"$1\" = \"configure\" ]; then\n\tif deb-systemd-helper --quiet was-enabled 'chrony.service'; then\n\t\tdeb-systemd-helper enable 'chrony.service' >/dev/null || true\n\tfi\nfi\n# End automatically added section\n\
            # Automatically added by dh_installtmpfiles/13\nif [ -x \"$(command -v systemd-tmpfiles)\" ]; then\n\tsystemd-tmpfiles ${DPKG_ROOT:+--root=\"$DPKG_ROOT\"} --create chrony.conf || true\nfi\n# End automatically added section\n\
            # Automatically added by dh_installalternatives/13\nupdate-alternatives --install /usr/bin/pager pager /usr/bin/less 77 \\\n  --slave /usr/share/man/x x y\n# End automatically added section\n";
        let scripts = BTreeMap::from([("postinst".to_owned(), script.as_bytes().to_vec())]);
        let found = effects(
            &scripts,
            &["activate-noawait ldconfig".into(), "interest-noawait /usr/share/x".into()],
        );
        let lines: Vec<String> = found
            .iter()
            .map(|effect| format!("{} {}: {}\n", effect.script, effect.kind, effect.detail))
            .collect();
        expect![[r"
            postinst enable-unit: chrony.service
            postinst tmpfiles: ${DPKG_ROOT:+--root=$DPKG_ROOT} --create chrony.conf
            postinst alternative: --install /usr/bin/pager pager /usr/bin/less 77 --slave /usr/share/man/x x y
            triggers ldconfig: activate-noawait ldconfig
            triggers dpkg-trigger: interest-noawait /usr/share/x
        "]]
        .assert_eq(&lines.concat());
    }
}
