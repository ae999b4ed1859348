// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which values can be. Each check has its own message; none shows a password.

use std::collections::BTreeMap;

use super::locate::{Found, nearest};
use super::{Answers, DiskSelector, PasswordHash, Sudo, User};
use crate::software::Software as Medium;

/// Ids that people's accounts may have, as `/etc/login.defs` says.
const USER_IDS: std::ops::RangeInclusive<u32> = 1000..=60000;

/// Returns everything that is wrong with answers.
pub(super) fn check(answers: &Answers, medium: Option<&Medium>) -> Vec<Found> {
    let mut checker = Checker { found: Vec::new() };
    if answers.version != 1 {
        let message = format!("version {} is not supported (expected 1)", answers.version);
        checker.add("version", message, None);
        return checker.found;
    }
    checker.system(answers, medium);
    checker.users(&answers.users);
    checker.disk(answers.storage.disk.as_ref());
    checker.software(answers, medium);
    checker.found
}

struct Checker {
    found: Vec<Found>,
}

impl Checker {
    fn add(&mut self, key: &str, message: impl Into<String>, hint: Option<String>) {
        self.found.push(Found { key: key.to_owned(), message: message.into(), hint });
    }

    fn result(&mut self, key: &str, result: Result<(), String>) {
        if let Err(message) = result {
            self.add(key, message, None);
        }
    }

    fn system(&mut self, answers: &Answers, medium: Option<&Medium>) {
        let system = &answers.system;
        self.result("system.hostname", check_host_name(&system.hostname));
        let plain =
            |character: char| character.is_ascii_alphanumeric() || "/_-+".contains(character);
        let is_zone = !system.timezone.is_empty()
            && !system.timezone.starts_with('/')
            && system.timezone.chars().all(plain);
        if !is_zone {
            let message = format!("`{}` is not the name of a time zone", shown(&system.timezone));
            self.add("system.timezone", message, Some("write it like `Europe/Berlin`".to_owned()));
        } else if let Some(medium) = medium {
            self.known("system.timezone", "time zone", &system.timezone, &medium.timezones);
        }
        if let Some(medium) = medium {
            let names =
                |table: &BTreeMap<String, Vec<String>>| table.keys().cloned().collect::<Vec<_>>();
            self.known("system.locale", "locale", &system.locale, &names(&medium.locales));
            let keyboards = names(&medium.keyboards);
            self.known("system.keyboard", "keyboard layout", &system.keyboard, &keyboards);
        } else {
            for (key, value) in
                [("system.locale", &system.locale), ("system.keyboard", &system.keyboard)]
            {
                let plain = |c: char| c.is_ascii_alphanumeric() || "_.-@".contains(c);
                if value.is_empty() || !value.chars().all(plain) {
                    self.add(key, format!("`{}` is not a name", shown(value)), None);
                }
            }
        }
    }

    /// Refuses a value that is not in a list of the medium.
    fn known(&mut self, key: &str, what: &str, value: &str, known: &[String]) {
        if let Err((message, hint)) = check_known(what, value, known) {
            self.add(key, message, hint);
        }
    }

    fn users(&mut self, users: &[User]) {
        if users.is_empty() {
            self.add(
                "user",
                "there is no [[user]]: nobody could log in",
                Some("add one with `name` and `ssh_authorized_keys`".to_owned()),
            );
        }
        let mut names: BTreeMap<&str, usize> = BTreeMap::new();
        let mut ids: BTreeMap<u32, usize> = BTreeMap::new();
        for (index, user) in users.iter().enumerate() {
            let key = |field: &str| format!("user.{index}.{field}");
            self.result(&key("name"), check_user_name(&user.name));
            if names.insert(&user.name, index).is_some() {
                self.add(
                    &key("name"),
                    format!("there are two users `{}`", shown(&user.name)),
                    None,
                );
            }
            if let Some(uid) = user.uid {
                if !USER_IDS.contains(&uid) {
                    let message =
                        format!("user id {uid} is not one of a person (expected 1000 to 60000)");
                    self.add(&key("uid"), message, None);
                }
                if ids.insert(uid, index).is_some() {
                    self.add(&key("uid"), format!("there are two users with the id {uid}"), None);
                }
            }
            for (number, line) in user.ssh_authorized_keys.iter().enumerate() {
                self.result(
                    &format!("{}.{number}", key("ssh_authorized_keys")),
                    check_ssh_key(line),
                );
            }
            if let Some(hash) = &user.password_hash {
                self.result(&key("password_hash"), check_password_hash(hash));
            }
            if user.sudo == Some(Sudo::Password) && user.password_hash.is_none() {
                let message = "`sudo = \"password\"` needs a `password_hash`";
                self.add(
                    &key("sudo"),
                    message,
                    Some("make one with `openssl passwd -6`".to_owned()),
                );
            }
        }
        if !users.is_empty()
            && users
                .iter()
                .all(|user| user.ssh_authorized_keys.is_empty() && user.password_hash.is_none())
        {
            let hint = Some("give one of them `ssh_authorized_keys`".to_owned());
            self.add("user", "no user has a key or a password: nobody could log in", hint);
        }
    }

    fn disk(&mut self, selector: Option<&DiskSelector>) {
        let Some(selector) = selector else { return };
        let DiskSelector { path, serial, wwn, model, min_size } = selector;
        if *selector == DiskSelector::default() {
            let hint = Some("write `disk = { serial = \"…\" }`, or leave `disk` out".to_owned());
            self.add("storage.disk", "the selector is empty: every disk would match", hint);
        }
        if let Some(path) = path
            && (!path.starts_with("/dev/") || path.contains(".."))
        {
            self.add("storage.disk.path", format!("`{}` is not below /dev", shown(path)), None);
        }
        for (key, value) in [("serial", serial), ("wwn", wwn), ("model", model)] {
            if value.as_ref().is_some_and(|value| value.trim().is_empty()) {
                self.add(&format!("storage.disk.{key}"), "the text is empty", None);
            }
        }
        if let Some(size) = min_size {
            self.result("storage.disk.min_size", parse_size(size).map(drop));
        }
    }

    fn software(&mut self, answers: &Answers, medium: Option<&Medium>) {
        let software = &answers.software;
        if let Some(medium) = medium {
            let profiles: Vec<String> = medium.profiles.keys().cloned().collect();
            self.known("software.profile", "profile", &software.profile, &profiles);
            let roles: Vec<String> = medium.roles.keys().cloned().collect();
            for (index, role) in software.roles.iter().enumerate() {
                self.known(&format!("software.roles.{index}"), "role", role, &roles);
            }
        }
        for (index, package) in software.packages.iter().enumerate() {
            let plain = |c: char| c.is_ascii_alphanumeric() || "._+-".contains(c);
            if package.is_empty() || package.starts_with('-') || !package.chars().all(plain) {
                let message = format!("`{}` is not the name of a package", shown(package));
                self.add(&format!("software.packages.{index}"), message, None);
            }
        }
        let url = &software.repository;
        let is_url =
            ["https://", "http://", "file:///"].iter().any(|scheme| url.starts_with(scheme))
                && !url.contains(|c: char| c.is_whitespace() || c.is_control());
        if !url.is_empty() && !is_url {
            let hint = Some(
                "write it like `https://example.org/cairn`; empty means the medium".to_owned(),
            );
            self.add("software.repository", format!("`{}` is not a URL", shown(url)), hint);
        }
    }
}

/// Checks a name against those of the medium.
///
/// # Errors
/// What is wrong with it, and what could be meant.
pub(crate) fn check_known(
    what: &str,
    value: &str,
    known: &[String],
) -> Result<(), (String, Option<String>)> {
    if known.iter().any(|name| name == value) {
        return Ok(());
    }
    let names: Vec<&str> = known.iter().map(String::as_str).collect();
    let hint = match nearest(value, &names) {
        Some(near) => Some(format!("did you mean `{near}`?")),
        None if names.len() <= 12 => Some(format!("the medium has {}", names.join(", "))),
        None => None,
    };
    Err((format!("the medium has no {what} `{}`", shown(value)), hint))
}

/// Returns a value for a message: without control characters, and not endless.
fn shown(value: &str) -> String {
    let mut text: String = value.chars().take(64).flat_map(char::escape_debug).collect();
    if value.chars().count() > 64 {
        text.push('…');
    }
    text
}

/// Checks a host name (RFC 1123), with or without a domain.
///
/// # Errors
/// What is wrong with it.
pub fn check_host_name(name: &str) -> Result<(), String> {
    if name.is_empty() {
        return Err("the host name is empty".to_owned());
    }
    if name.len() > 64 {
        return Err(format!(
            "the host name is too long (expected at most 64 characters, found {})",
            name.chars().count()
        ));
    }
    for label in name.split('.') {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
        if label.is_empty()
            || label.len() > 63
            || !label.chars().all(plain)
            || label.starts_with('-')
            || label.ends_with('-')
        {
            return Err(format!(
                "`{}` is not a host name (letters, digits and `-`, parts separated by `.`)",
                shown(name)
            ));
        }
    }
    Ok(())
}

/// Checks the name of an account.
///
/// # Errors
/// What is wrong with it.
pub fn check_user_name(name: &str) -> Result<(), String> {
    if name == "root" {
        return Err("`root` exists already; give an administrator `sudo` instead".to_owned());
    }
    if name.is_empty() {
        return Err("the user name is empty".to_owned());
    }
    if name.len() > 32 {
        return Err(format!(
            "the user name is too long (expected at most 32 characters, found {})",
            name.chars().count()
        ));
    }
    let first = |c: char| c.is_ascii_lowercase() || c == '_';
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-';
    if !name.starts_with(first) || !name.chars().all(plain) {
        return Err(format!(
            "`{}` is not a user name (small letters, digits, `_` and `-`, beginning with a letter)",
            shown(name)
        ));
    }
    Ok(())
}

/// Checks one line of `authorized_keys`: kind, key, comment; no options.
///
/// # Errors
/// What is wrong with it.
pub fn check_ssh_key(line: &str) -> Result<(), String> {
    const KINDS: [&str; 7] = [
        "ssh-ed25519",
        "ecdsa-sha2-nistp256",
        "ecdsa-sha2-nistp384",
        "ecdsa-sha2-nistp521",
        "sk-ssh-ed25519@openssh.com",
        "sk-ecdsa-sha2-nistp256@openssh.com",
        "ssh-rsa",
    ];
    if line.contains(char::is_control) {
        return Err(
            "the key holds a line break or control character; write one key per entry".to_owned()
        );
    }
    let mut words = line.split(' ').filter(|word| !word.is_empty());
    let kind = words.next().unwrap_or_default();
    if kind == "ssh-dss" {
        return Err("DSA keys (`ssh-dss`) are refused by sshd; use an Ed25519 key".to_owned());
    }
    if line.contains("PRIVATE KEY") {
        return Err("this is a private key; give the public one (`.pub`)".to_owned());
    }
    if !KINDS.contains(&kind) {
        return Err(format!(
            "`{}` is not a kind of key; options before the key are not taken (expected `ssh-ed25519 AAAA… name`)",
            shown(kind)
        ));
    }
    let body = words.next().unwrap_or_default();
    let bytes = decode_base64(body).ok_or("the key is not base64")?;
    let length = bytes
        .get(..4)
        .map_or(0, |head| u32::from_be_bytes([head[0], head[1], head[2], head[3]]) as usize);
    if bytes.get(4..4 + length) != Some(kind.as_bytes()) || bytes.len() < 4 + length + 32 {
        return Err(format!("the key is cut off or not of the kind `{kind}`"));
    }
    Ok(())
}

/// Decodes base64 with or without padding.
fn decode_base64(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut buffer, mut n_bits) = (0_u32, 0);
    for byte in text.trim_end_matches('=').bytes() {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        buffer = buffer << 6 | u32::from(value);
        n_bits += 6;
        if n_bits >= 8 {
            n_bits -= 8;
            bytes.push((buffer >> n_bits) as u8);
            buffer &= (1 << n_bits) - 1;
        }
    }
    Some(bytes)
}

/// Checks a crypt(5) hash without ever showing it.
fn check_password_hash(hash: &PasswordHash) -> Result<(), String> {
    const METHODS: [&str; 8] = ["y", "gy", "7", "2b", "2a", "2y", "6", "5"];
    let text = hash.reveal();
    let Some(rest) = text.strip_prefix('$') else {
        return Err(
            "this is not a crypt hash (it looks like a password in clear, which is not shown here); make one with `openssl passwd -6`"
                .to_owned(),
        );
    };
    let (method, rest) = rest.split_once('$').unwrap_or_default();
    if !METHODS.contains(&method) {
        return Err("the crypt hash has an unknown or weak method (expected $y$, $gy$, $7$, $2b$, $6$ or $5$)".to_owned());
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || "./$=,".contains(c);
    let length = rest.rsplit('$').next().map_or(0, str::len);
    let expected = match method {
        "6" => 86..=86,
        "5" | "y" | "gy" | "7" => 43..=43,
        _ => 53..=53,
    };
    if !rest.chars().all(plain) || !expected.contains(&length) {
        return Err(format!(
            "the crypt hash is damaged: its last part has {length} characters (expected {})",
            expected.start()
        ));
    }
    Ok(())
}

/// Reads a size: a whole number and a unit (`MiB`, `GiB`, `TiB`, or `MB`, `GB`, `TB`).
///
/// # Errors
/// What is wrong with it.
pub fn parse_size(text: &str) -> Result<u64, String> {
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let factor: u64 = match text[digits..].trim_start() {
        "MiB" | "M" => 1 << 20,
        "GiB" | "G" => 1 << 30,
        "TiB" | "T" => 1 << 40,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        "TB" => 1_000_000_000_000,
        _ => return Err(format!("`{}` is not a size (expected for example `20GiB`)", shown(text))),
    };
    text[..digits]
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_mul(factor))
        .filter(|bytes| *bytes > 0)
        .ok_or_else(|| format!("`{}` is not a size (expected for example `20GiB`)", shown(text)))
}
