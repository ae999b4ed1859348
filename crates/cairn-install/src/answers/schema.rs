// SPDX-License-Identifier: MIT OR Apache-2.0
//! The JSON Schema of the answer file, generated from one table. A test holds the table against the types.

use serde_json::{Map, Value, json};

/// Type of a value.
#[derive(Debug, Clone, Copy)]
enum Kind {
    /// A text.
    Text,
    /// A whole number.
    Number,
    /// A list of texts.
    Texts,
    /// One of these texts.
    OneOf(&'static [&'static str]),
    /// A table of its own.
    Table(&'static [Field]),
}

/// A key.
#[derive(Debug, Clone, Copy)]
struct Field {
    name: &'static str,
    kind: Kind,
    text: &'static str,
    default: Option<&'static str>,
    required: bool,
}

const fn field(name: &'static str, kind: Kind, text: &'static str) -> Field {
    Field { name, kind, text, default: None, required: false }
}

const fn preset(
    name: &'static str,
    kind: Kind,
    default: &'static str,
    text: &'static str,
) -> Field {
    Field { name, kind, text, default: Some(default), required: false }
}

const SYSTEM: &[Field] = &[
    preset("hostname", Kind::Text, "cairn", "Host name, with or without a domain"),
    preset("timezone", Kind::Text, "UTC", "Name of a time zone, for example Europe/Berlin"),
    preset("locale", Kind::Text, "C.UTF-8", "LANG of the installed system"),
    preset("keyboard", Kind::Text, "us", "Keyboard layout of the console"),
];

const USER: &[Field] = &[
    Field { required: true, ..field("name", Kind::Text, "Login name") },
    field("uid", Kind::Number, "User id, 1000 to 60000; the next free one where it is not given"),
    field(
        "ssh_authorized_keys",
        Kind::Texts,
        "Public keys that may log in, one per entry, without options",
    ),
    field(
        "sudo",
        Kind::OneOf(&["nopasswd", "password"]),
        "How the user may become root; not at all where it is not given",
    ),
    field("password_hash", Kind::Text, "crypt(5) hash of the password, never the password"),
];

const DISK: &[Field] = &[
    field("path", Kind::Text, "Device node or link below /dev/disk"),
    field("serial", Kind::Text, "Serial number"),
    field("wwn", Kind::Text, "World wide name"),
    field("model", Kind::Text, "Model"),
    field("min_size", Kind::Text, "Smallest size, for example 20GiB"),
];

const STORAGE: &[Field] = &[
    field(
        "disk",
        Kind::Table(DISK),
        "What must be true of the disk; must match exactly one. Without it there must be exactly one candidate",
    ),
    preset(
        "layout",
        Kind::OneOf(&["plain", "lvm"]),
        "plain",
        "Root in a partition or in a logical volume",
    ),
    preset("filesystem", Kind::OneOf(&["ext4", "xfs"]), "ext4", "File system of /"),
];

const SOFTWARE: &[Field] = &[
    preset("profile", Kind::Text, "default", "Profile of the medium"),
    field("roles", Kind::Texts, "Roles of the medium"),
    field("packages", Kind::Texts, "Further packages"),
    preset(
        "repository",
        Kind::Text,
        "",
        "URL of the repository that the installed system uses; empty: the install medium",
    ),
];

const FINISH: &[Field] = &[preset(
    "action",
    Kind::OneOf(&["poweroff", "reboot"]),
    "poweroff",
    "What happens after the installation",
)];

/// Returns the schema as pretty JSON with a final line break.
pub fn text() -> String {
    let user = object(USER);
    let mut properties = Map::new();
    properties.insert(
        "version".to_owned(),
        json!({ "const": 1, "description": "Version of the format" }),
    );
    for (name, fields, text) in [
        ("system", SYSTEM, "Names and places"),
        ("storage", STORAGE, "Where to install"),
        ("software", SOFTWARE, "What to install"),
        ("finish", FINISH, "What comes after"),
    ] {
        properties.insert(name.to_owned(), described(object(fields), text));
    }
    properties.insert(
        "user".to_owned(),
        json!({ "type": "array", "minItems": 1, "items": user, "description": "Accounts; one of them must be able to log in" }),
    );
    let schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Answer file of cairn-install, version 1",
        "type": "object",
        "additionalProperties": false,
        "required": ["version", "user"],
        "properties": properties,
    });
    // A JSON value that was made here can be written.
    serde_json::to_string_pretty(&schema).unwrap_or_default() + "\n"
}

fn object(fields: &[Field]) -> Value {
    let mut properties = Map::new();
    for field in fields {
        let mut value = match field.kind {
            Kind::Text => json!({ "type": "string" }),
            Kind::Number => json!({ "type": "integer", "minimum": 1000, "maximum": 60000 }),
            Kind::Texts => json!({ "type": "array", "items": { "type": "string" } }),
            Kind::OneOf(names) => json!({ "enum": names }),
            Kind::Table(fields) => object(fields),
        };
        if let (Some(default), Some(map)) = (field.default, value.as_object_mut()) {
            map.insert("default".to_owned(), json!(default));
        }
        properties.insert(field.name.to_owned(), described(value, field.text));
    }
    let required: Vec<&str> =
        fields.iter().filter(|field| field.required).map(|field| field.name).collect();
    let mut object =
        json!({ "type": "object", "additionalProperties": false, "properties": properties });
    if let (false, Some(map)) = (required.is_empty(), object.as_object_mut()) {
        map.insert("required".to_owned(), json!(required));
    }
    object
}

fn described(mut value: Value, text: &str) -> Value {
    if let Some(map) = value.as_object_mut() {
        map.insert("description".to_owned(), json!(text));
    }
    value
}
