// SPDX-License-Identifier: MIT OR Apache-2.0
//! Good and bad answer files.

use expect_test::expect;

use super::*;

pub const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHsVrDjaBY0ZX2VDNcCVdgl+b1Q9f7tDMbbz6xYQDzVe admin@example";

fn good() -> String {
    format!(
        r#"version = 1
[system]
hostname = "srv-01"
[[user]]
name = "admin"
ssh_authorized_keys = ["{KEY}"]
sudo = "nopasswd"
[storage]
disk = {{ serial = "CAIRN0" }}
layout = "lvm"
filesystem = "xfs"
[software]
roles = []
[finish]
action = "reboot"
"#
    )
}

/// Replaces a part of the good file and returns what the parser says.
fn with(from: &str, to: &str) -> String {
    let text = good().replace(from, to);
    assert_ne!(text, good(), "{from}");
    let error = parse("a.toml", &text, None).unwrap_err();
    match error.hint() {
        Some(hint) => format!("{error} ({hint})"),
        None => error.to_string(),
    }
}

#[test]
fn the_issues_example_is_read() {
    let answers = parse("a.toml", &good(), None).unwrap();
    assert_eq!(answers.system.hostname, "srv-01");
    assert_eq!(answers.system.timezone, "UTC");
    assert_eq!(answers.storage.layout, Layout::Lvm);
    assert_eq!(answers.storage.filesystem, Filesystem::Xfs);
    assert_eq!(answers.finish.action, FinishAction::Reboot);
    assert_eq!(parse("b.toml", &answers.to_toml(), None).unwrap(), answers);
}

#[test]
fn files_that_are_no_answers() {
    let messages = [
        with("hostname =", "hostnam ="),
        with("[storage]", "[storge]"),
        with("\"lvm\"", "\"lvmm\""),
        with("\"xfs\"", "\"btrfs\""),
        with("hostname = \"srv-01\"", "hostname = \"a\"\nhostname = \"b\""),
        with("hostname = \"srv-01\"", "hostname = 5"),
        with("version = 1", "version = 2"),
        with("[finish]", "[finish"),
        with("serial =", "serail ="),
    ];
    expect![[r#"
        a.toml:3:1: unknown key `hostnam` (did you mean `hostname`?)
        a.toml:8:2: unknown key `storge` (did you mean `storage`?)
        a.toml:10:10: unknown value `lvmm` (did you mean `lvm`?)
        a.toml:11:14: unknown value `btrfs` (known are ext4, xfs)
        a.toml:4:1: duplicate key
        a.toml:3:12: invalid type: integer `5`, expected a string
        a.toml:1:11: version 2 is not supported (expected 1)
        a.toml:14:8: unclosed table, expected `]`
        a.toml:9:10: unknown key `serail` (did you mean `serial`?)"#]]
    .assert_eq(&messages.join("\n"));
    let error = parse("a.toml", &" ".repeat(SIZE_LIMIT + 1), None).unwrap_err();
    assert_eq!(
        error.to_string(),
        "a.toml: the file is too large (expected at most 1 MiB, found 1048577 bytes)"
    );
}

/// Files of other installers: kickstart, autoinstall, cloud-config, preseed; and TOML that goes wrong in further ways (row 49 of the
/// table of bad inputs).
#[test]
fn files_of_another_kind() {
    let message = |text: &str| {
        let error = parse("a.toml", text, None).unwrap_err();
        match error.hint() {
            Some(hint) => format!("{error} ({hint})"),
            None => error.to_string(),
        }
    };
    let messages = [
        message(""),
        message("#version=RHEL9\nclearpart --all --initlabel\n%post\necho hi\n"),
        message("version: 1\nidentity:\n  hostname: a\n"),
        message("d-i partman-auto/method string lvm\n"),
        message("<html><head><title>404 Not Found</title>"),
        message("version = 1\ninclude = [\"a.toml\"]\n"),
        message("version = 1\n[storage]\nlayout = \"plain\"\nswap = \"0\"\n"),
        message("version = 1\n[[storage]]\n"),
        message("version = 1\nsystem = [\"srv-01\", \"UTC\"]\n"),
        message("version = 1\nuser = [[\"admin\"]]\n"),
        message("version = 1\n[storage]\ndisk = [\"/dev/sda\"]\n"),
        message("version = 1\n[storage]\ndisk = \"/dev/sda\"\n"),
        message("version = \"1\"\n"),
        message("version = 1\nversion = 1\n"),
        message("version = 1\n[system]\nhostname = \"a\n"),
        message("version = 1\n\u{0}\n"),
        message("[system]\n"),
    ];
    expect![[r#"
        a.toml:1:1: missing field `version`
        a.toml:2:11: key with no value, expected `=` (an answer file is TOML, `key = value`: kickstart, YAML and preseed files are not read)
        a.toml:1:10: key with no value, expected `=` (an answer file is TOML, `key = value`: kickstart, YAML and preseed files are not read)
        a.toml:1:5: key with no value, expected `=` (an answer file is TOML, `key = value`: kickstart, YAML and preseed files are not read)
        a.toml:1:24: key with no value, expected `=` (an answer file is TOML, `key = value`: kickstart, YAML and preseed files are not read)
        a.toml:2:1: unknown key `include` (known are version, system, user, storage, software, finish)
        a.toml:4:1: unknown key `swap` (known are disk, layout, filesystem)
        a.toml:2:1: `storage` is not a table (write `[storage]`, then its keys)
        a.toml:2:10: `system` is not a table (write `[system]`, then its keys)
        a.toml:2:9: `user` holds something else than tables (write `[[user]]`, then its keys)
        a.toml:3:8: `disk` is not a selector (write it like `disk = { serial = "…" }`)
        a.toml:3:8: `disk` is not a selector (write it like `disk = { serial = "…" }`)
        a.toml:1:11: invalid type: string "1", expected u32
        a.toml:2:1: duplicate key
        a.toml:3:14: invalid basic string, expected `"`
        a.toml:2:2: key with no value, expected `=` (an answer file is TOML, `key = value`: kickstart, YAML and preseed files are not read)
        a.toml:1:1: missing field `version`"#]]
    .assert_eq(&messages.join("\n"));
}

#[test]
fn names_that_cannot_be() {
    let long = "x".repeat(33);
    let names: Vec<String> = ["root", "a b", "-x", &long, "jürgen", "A", ""]
        .iter()
        .map(|name| with("name = \"admin\"", &format!("name = {name:?}")))
        .collect();
    expect![[r#"
        a.toml:5:8: `root` exists already; give an administrator `sudo` instead
        a.toml:5:8: `a b` is not a user name (small letters, digits, `_` and `-`, beginning with a letter)
        a.toml:5:8: `-x` is not a user name (small letters, digits, `_` and `-`, beginning with a letter)
        a.toml:5:8: the user name is too long (expected at most 32 characters, found 33)
        a.toml:5:8: `jürgen` is not a user name (small letters, digits, `_` and `-`, beginning with a letter)
        a.toml:5:8: `A` is not a user name (small letters, digits, `_` and `-`, beginning with a letter)
        a.toml:5:8: the user name is empty"#]]
    .assert_eq(&names.join("\n"));
    let long = "x".repeat(254);
    let hosts: Vec<String> = ["_", &long, "", "a..b", "-a"]
        .iter()
        .map(|name| with("hostname = \"srv-01\"", &format!("hostname = {name:?}")))
        .collect();
    expect![[r#"
        a.toml:3:12: `_` is not a host name (letters, digits and `-`, parts separated by `.`)
        a.toml:3:12: the host name is too long (expected at most 64 characters, found 254)
        a.toml:3:12: the host name is empty
        a.toml:3:12: `a..b` is not a host name (letters, digits and `-`, parts separated by `.`)
        a.toml:3:12: `-a` is not a host name (letters, digits and `-`, parts separated by `.`)"#]]
    .assert_eq(&hosts.join("\n"));
    let zone = with("hostname = \"srv-01\"", "timezone = \"../../etc/shadow\"");
    assert_eq!(
        zone,
        "a.toml:3:12: `../../etc/shadow` is not the name of a time zone (write it like `Europe/Berlin`)"
    );
}

#[test]
fn keys_that_cannot_be() {
    let keys: Vec<String> = [
        "ssh-dss AAAAB3NzaC1kc3M= x",
        "command=\\\"id\\\" ssh-ed25519 AAAA",
        "ssh-ed25519 AAAA\\nssh-ed25519 BBBB",
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA x",
        "ssh-ed25519 !!!!",
        "-----BEGIN OPENSSH PRIVATE KEY-----",
    ]
    .iter()
    .map(|key| with(KEY, key))
    .collect();
    expect![[r#"
        a.toml:6:24: DSA keys (`ssh-dss`) are refused by sshd; use an Ed25519 key
        a.toml:6:24: `command=\"id\"` is not a kind of key; options before the key are not taken (expected `ssh-ed25519 AAAA… name`)
        a.toml:6:24: the key holds a line break or control character; write one key per entry
        a.toml:6:24: the key is cut off or not of the kind `ssh-ed25519`
        a.toml:6:24: the key is not base64
        a.toml:6:24: this is a private key; give the public one (`.pub`)"#]]
    .assert_eq(&keys.join("\n"));
}

#[test]
fn passwords_are_never_shown() {
    let secret = "Geheim-4711";
    for value in [
        format!("{secret:?}"),
        format!("[{secret:?}]"),
        format!("\"$9${secret}\""),
        format!("\"$6$salt${secret}\""),
    ] {
        let message = with("sudo = \"nopasswd\"", &format!("password_hash = {value}"));
        assert!(!message.contains(secret) && message.starts_with("a.toml:7:1"), "{message}");
    }
    let message = with("sudo = \"nopasswd\"", &format!("password = {secret:?}"));
    assert_eq!(message, "a.toml:7:1: unknown key `password` (did you mean `password_hash`?)");
    let hash = format!("$6$salt${}", "a".repeat(86));
    let text = good().replace("\"nopasswd\"", &format!("\"password\"\npassword_hash = {hash:?}"));
    let answers = parse("a.toml", &text, None).unwrap();
    assert!(!format!("{answers:?}").contains(&hash));
    assert!(!answers.without_secrets().to_toml().contains(&hash));
}

#[test]
fn users_that_cannot_log_in_or_are_there_twice() {
    let messages = [
        with("sudo = \"nopasswd\"", "sudo = \"password\""),
        with(&format!("\"{KEY}\""), ""),
        with("sudo = \"nopasswd\"", "uid = 999"),
        with("[storage]", "[[user]]\nname = \"admin\"\n[storage]"),
        with("sudo = \"nopasswd\"", "uid = 1000\n[[user]]\nname = \"b\"\nuid = 1000"),
    ];
    expect![[r#"
        a.toml:7:8: `sudo = "password"` needs a `password_hash` (make one with `openssl passwd -6`)
        a.toml:4:1: no user has a key or a password: nobody could log in (give one of them `ssh_authorized_keys`)
        a.toml:7:7: user id 999 is not one of a person (expected 1000 to 60000)
        a.toml:9:8: there are two users `admin`
        a.toml:10:7: there are two users with the id 1000"#]]
    .assert_eq(&messages.join("\n"));
}

#[test]
fn selectors_and_software_that_cannot_be() {
    let disk = |to: &str| with("{ serial = \"CAIRN0\" }", to);
    let messages = [
        disk("{}"),
        disk("{ path = \"sda\" }"),
        disk("{ min_size = \"10GG\" }"),
        disk("{ min_size = \"-1\" }"),
        disk("{ min_size = \"1e99\" }"),
        disk("{ min_size = \"99999999999TiB\" }"),
        disk("{ serial = \" \" }"),
        with("roles = []", "packages = [\"--root=/\"]"),
        with("roles = []", "repository = \"ftp://x\""),
    ];
    expect![[r#"
        a.toml:9:8: the selector is empty: every disk would match (write `disk = { serial = "…" }`, or leave `disk` out)
        a.toml:9:17: `sda` is not below /dev
        a.toml:9:21: `10GG` is not a size (expected for example `20GiB`)
        a.toml:9:21: `-1` is not a size (expected for example `20GiB`)
        a.toml:9:21: `1e99` is not a size (expected for example `20GiB`)
        a.toml:9:21: `99999999999TiB` is not a size (expected for example `20GiB`)
        a.toml:9:19: the text is empty
        a.toml:13:13: `--root=/` is not the name of a package
        a.toml:13:14: `ftp://x` is not a URL (write it like `https://example.org/cairn`; empty means the medium)"#]]
    .assert_eq(&messages.join("\n"));
    assert_eq!(parse_size("20GiB"), Ok(20 << 30));
}

#[test]
fn names_of_the_medium_are_known() {
    let medium = crate::plan::fixtures::software();
    let text =
        good().replace("roles = []", "profile = \"defalt\"\nroles = [\"web-servr\"]").replace(
            "hostname = \"srv-01\"",
            "timezone = \"Europe/Berlim\"\nkeyboard = \"xx\"\nlocale = \"de_DE\"",
        );
    let error = parse("a.toml", &text, Some(&medium)).unwrap_err();
    expect![[r#"
        a.toml:3:12: the medium has no time zone `Europe/Berlim`
        a.toml:4:12: the medium has no keyboard layout `xx`
        a.toml:5:10: the medium has no locale `de_DE`
        a.toml:15:11: the medium has no profile `defalt`
        a.toml:16:10: the medium has no role `web-servr`"#]]
    .assert_eq(&error.to_string());
    assert_eq!(error.hint().as_deref(), Some("did you mean `Europe/Berlin`?"));
}

#[test]
fn the_schema_is_fresh_and_names_every_key() {
    let path = cairn_testkit::package_directory().join("../../docs/reference/answers.schema.json");
    let schema = schema::text();
    if cairn_host::paths::variable("UPDATE_EXPECT").is_some() {
        std::fs::write(&path, &schema).unwrap();
    }
    assert_eq!(std::fs::read_to_string(&path).unwrap(), schema, "run it with UPDATE_EXPECT=1");
    let schema: serde_json::Value = serde_json::from_str(&schema).unwrap();
    let full = r#"
version = 1
[system]
[[user]]
name = "a"
uid = 1000
ssh_authorized_keys = []
sudo = "nopasswd"
password_hash = "x"
[storage]
disk = { path = "/dev/a", serial = "a", wwn = "a", model = "a", min_size = "1GiB" }
[software]
[finish]
"#;
    let answers: Answers = toml::from_str(full).unwrap();
    let value = serde_json::to_value(&answers).unwrap();
    compare(&value, &schema, "");
}

/// Every key of the types is in the schema, and the other way round.
fn compare(value: &serde_json::Value, schema: &serde_json::Value, at: &str) {
    if let Some(items) = value.as_array() {
        for item in items {
            compare(item, &schema["items"], at);
        }
    }
    let Some(map) = value.as_object() else { return };
    let known: Vec<&String> = schema["properties"].as_object().unwrap().keys().collect();
    let mut keys: Vec<&String> = map.keys().collect();
    keys.sort();
    assert_eq!(keys, known, "{at}");
    for (key, value) in map {
        let property = &schema["properties"][key];
        compare(value, property, &format!("{at}.{key}"));
        if let Some(default) = property.get("default") {
            assert_eq!(default, value, "{at}.{key}");
        }
    }
}
