// SPDX-License-Identifier: MIT OR Apache-2.0
//! The TOML files of [`SystemState`], in dnf5's own layout (inline tables, keys sorted).

use super::{GroupState, PackageReason, STATE_DIRECTORY, StateError, SystemState};
use cairn_host::Root;
use std::fmt::Write as _;
use toml::{Table, Value};

pub(super) fn load(root: &Root) -> Result<SystemState, StateError> {
    let mut state = SystemState::default();
    if let Some(table) = load_table(root, "packages.toml", "packages")? {
        state.exists = true;
        for (key, value) in table {
            let reason = value.get("reason").and_then(Value::as_str).unwrap_or_default();
            let reason = PackageReason::parse(reason).ok_or_else(|| StateError::Malformed {
                file: "packages.toml",
                message: format!("{key}: unknown reason {reason:?}"),
            })?;
            state.packages.insert(key, reason);
        }
    }
    for (key, value) in load_table(root, "nevras.toml", "nevras")?.unwrap_or_default() {
        let from = value.get("from_repo").and_then(Value::as_str).unwrap_or_default();
        state.nevras.insert(key, from.to_owned());
    }
    for (key, value) in load_table(root, "groups.toml", "groups")?.unwrap_or_default() {
        let group = GroupState {
            user_installed: value.get("userinstalled").and_then(Value::as_bool).unwrap_or(false),
            package_types: texts(value.get("package_types")),
            packages: texts(value.get("packages")),
        };
        state.groups.insert(key, group);
    }
    for (key, value) in load_table(root, "environments.toml", "environments")?.unwrap_or_default() {
        state.environments.insert(key, texts(value.get("groups")));
    }
    if let Some(table) = load_table(root, "system.toml", "system")? {
        let cookie = table.get("rpmdb_cookie").and_then(Value::as_str);
        cookie.unwrap_or_default().clone_into(&mut state.rpmdb_cookie);
    }
    Ok(state)
}

pub(super) fn save(state: &SystemState, root: &Root) -> Result<(), StateError> {
    root.mkdir_all(STATE_DIRECTORY, 0o755)?;
    for (name, text) in files(state) {
        if name == "modules.toml" && root.exists(format!("{STATE_DIRECTORY}/{name}"))? {
            continue;
        }
        root.write_atomic(format!("{STATE_DIRECTORY}/{name}"), text.as_bytes(), 0o644)?;
    }
    Ok(())
}

/// Returns every file's name and text.
pub(super) fn files(state: &SystemState) -> Vec<(&'static str, String)> {
    let mut packages = header("packages");
    for (key, reason) in &state.packages {
        let _ = writeln!(packages, "{} = {{reason = {}}}", key_text(key), quoted(reason.as_str()));
    }
    let mut nevras = header("nevras");
    for (key, repository) in &state.nevras {
        let _ = writeln!(nevras, "{} = {{from_repo = {}}}", key_text(key), quoted(repository));
    }
    let mut groups = header("groups");
    for (key, group) in &state.groups {
        let _ = writeln!(
            groups,
            "[groups.{}]\npackage_types = {}\npackages = {}\nuserinstalled = {}",
            key_text(key),
            array(&group.package_types),
            array(&group.packages),
            group.user_installed
        );
    }
    let mut environments = header("environments");
    for (key, list) in &state.environments {
        let _ = writeln!(environments, "{} = {{groups = {}}}", key_text(key), array(list));
    }
    let system =
        format!("version = \"1.0\"\nsystem = {{rpmdb_cookie = {}}}\n", quoted(&state.rpmdb_cookie));
    vec![
        ("packages.toml", packages),
        ("nevras.toml", nevras),
        ("groups.toml", groups),
        ("environments.toml", environments),
        ("modules.toml", header("modules")),
        ("system.toml", system),
    ]
}

fn header(section: &str) -> String {
    format!("version = \"1.0\"\n\n[{section}]\n")
}

fn key_text(key: &str) -> String {
    let bare =
        !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    if bare { key.to_owned() } else { quoted(key) }
}

fn quoted(text: &str) -> String {
    Value::String(text.to_owned()).to_string()
}

fn array(items: &[String]) -> String {
    let items: Vec<String> = items.iter().map(|item| quoted(item)).collect();
    format!("[{}]", items.join(", "))
}

fn texts(value: Option<&Value>) -> Vec<String> {
    let items = value.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    items.iter().filter_map(|item| item.as_str().map(str::to_owned)).collect()
}

fn load_table(root: &Root, file: &'static str, section: &str) -> Result<Option<Table>, StateError> {
    let path = format!("{STATE_DIRECTORY}/{file}");
    let text = match root.read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.is_not_found() => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    parse_table(file, section, &text).map(Some)
}

fn parse_table(file: &'static str, section: &str, text: &str) -> Result<Table, StateError> {
    let mut document: Table = text.parse().map_err(|error: toml::de::Error| {
        let line = error.span().map_or(0, |span| text[..span.start].matches('\n').count() + 1);
        StateError::Malformed { file, message: format!("line {line}: {}", error.message()) }
    })?;
    let version = document.get("version").and_then(Value::as_str).unwrap_or_default();
    if version != "1.0" {
        return Err(StateError::Version { file, found: version.to_owned() });
    }
    match document.remove(section) {
        Some(Value::Table(table)) => Ok(table),
        _ => Err(StateError::Malformed { file, message: format!("no table [{section}]") }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    fn sample() -> SystemState {
        let mut state =
            SystemState { rpmdb_cookie: "213b".to_owned(), exists: true, ..SystemState::default() };
        state.set_reason("libfoo", "noarch", PackageReason::User);
        state.set_reason("bar", "x86_64", PackageReason::WeakDependency);
        state.nevras.insert("libfoo-1.0-1.noarch".to_owned(), "t".to_owned());
        let group = GroupState {
            user_installed: true,
            package_types: vec!["mandatory".to_owned(), "default".to_owned()],
            packages: vec!["baz".to_owned()],
        };
        state.groups.insert("core".to_owned(), group);
        state.environments.insert("server-environment".to_owned(), vec!["core".to_owned()]);
        state
    }

    #[test]
    fn writes_as_dnf5() {
        let text: String =
            files(&sample()).into_iter().map(|(name, text)| format!("# {name}\n{text}")).collect();
        expect![[r##"
            # packages.toml
            version = "1.0"

            [packages]
            "bar.x86_64" = {reason = "Weak Dependency"}
            "libfoo.noarch" = {reason = "User"}
            # nevras.toml
            version = "1.0"

            [nevras]
            "libfoo-1.0-1.noarch" = {from_repo = "t"}
            # groups.toml
            version = "1.0"

            [groups]
            [groups.core]
            package_types = ["mandatory", "default"]
            packages = ["baz"]
            userinstalled = true
            # environments.toml
            version = "1.0"

            [environments]
            server-environment = {groups = ["core"]}
            # modules.toml
            version = "1.0"

            [modules]
            # system.toml
            version = "1.0"
            system = {rpmdb_cookie = "213b"}
        "##]]
        .assert_eq(&text);
    }

    #[test]
    fn round_trip() {
        let directory = tempfile::tempdir().unwrap();
        let root = Root::open(directory.path()).unwrap();
        assert_eq!(SystemState::load(&root).unwrap(), SystemState::default());
        sample().save(&root).unwrap();
        let loaded = SystemState::load(&root).unwrap();
        assert_eq!(loaded, sample());
        assert_eq!(loaded.reason("baz", "noarch"), PackageReason::Group);
        assert_eq!(loaded.reason("nothing", "noarch"), PackageReason::ExternalUser);
    }

    #[test]
    fn refuses() {
        let show = |text| parse_table("packages.toml", "packages", text).unwrap_err().to_string();
        assert_eq!(
            show("version = \"2.0\"\n[packages]\n"),
            "/usr/lib/sysimage/libdnf5/packages.toml: unsupported format version \"2.0\" (expected \"1.0\")"
        );
        assert!(show("version = \"1.0\"\n\n[packages\n").contains("packages.toml: line 3: "));
    }
}
