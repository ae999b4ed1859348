// SPDX-License-Identifier: MIT OR Apache-2.0
//! `%{version}` and the like in the strings of an overlay.

use serde_json::Value;

use super::split::Draft;
use super::{RepackError, dependencies, rule_error};
use crate::deb::Deb;
use crate::overlay::Overlay;

/// Returns the overlay with its placeholders filled in for a `.deb`.
pub fn expand<'a>(deb: &Deb, overlay: &Overlay<'a>) -> Result<Overlay<'a>, RepackError> {
    let evr = dependencies::our_evr(deb.version());
    let mut values = vec![
        ("version", evr.version.clone()),
        ("release", evr.release.clone()),
        ("evr", evr.to_string()),
        ("debian-version", deb.version().to_owned()),
        ("debian-name", deb.name().to_owned()),
    ];
    if let Some(star) = &overlay.star {
        values.push(("*", star.clone()));
    }
    expand_with(overlay, values)
}

/// Returns the overlay of a package of ours with its placeholders filled in.
pub fn expand_native<'a>(draft: &Draft, overlay: &Overlay<'a>) -> Result<Overlay<'a>, RepackError> {
    let evr = &draft.evr;
    expand_with(
        overlay,
        vec![
            ("version", evr.version.clone()),
            ("release", evr.release.clone()),
            ("evr", evr.to_string()),
        ],
    )
}

fn expand_with<'a>(
    overlay: &Overlay<'a>,
    mut values: Vec<(&'static str, String)>,
) -> Result<Overlay<'a>, RepackError> {
    let name = replace(&overlay.our_name(), &values).map_err(|what| rule_error(overlay, what))?;
    values.push(("name", name));
    let mut expanded = overlay.clone();
    let as_json = serde_json::to_value(&overlay.package)
        .map_err(|error| rule_error(overlay, error.to_string()))?;
    let as_json = walk(as_json, &values).map_err(|what| rule_error(overlay, what))?;
    expanded.package =
        serde_json::from_value(as_json).map_err(|error| rule_error(overlay, error.to_string()))?;
    // The bytes of sources do not take part in serialization.
    for (file, original) in expanded.package.file.iter_mut().zip(&overlay.package.file) {
        file.bytes.clone_from(&original.bytes);
    }
    Ok(expanded)
}

fn walk(value: Value, values: &[(&'static str, String)]) -> Result<Value, String> {
    Ok(match value {
        Value::String(text) => Value::String(replace(&text, values)?),
        Value::Array(items) => Value::Array(
            items.into_iter().map(|item| walk(item, values)).collect::<Result<_, _>>()?,
        ),
        Value::Object(fields) => {
            let expanded = fields
                .into_iter()
                .map(|(key, item)| Ok::<_, String>((replace(&key, values)?, walk(item, values)?)));
            Value::Object(expanded.collect::<Result<_, _>>()?)
        }
        other @ (Value::Null | Value::Bool(_) | Value::Number(_)) => other,
    })
}

fn replace(text: &str, values: &[(&'static str, String)]) -> Result<String, String> {
    let mut expanded = text.to_owned();
    for (name, value) in values {
        expanded = expanded.replace(&format!("%{{{name}}}"), value);
    }
    // Shell text has `%{…}` too (`${x%{y}}` is not valid shell, `curl -w '%{http_code}'` is), so only plain names are looked at.
    let known = ["version", "release", "evr", "debian-version", "debian-name", "*", "name"];
    match known.iter().find(|name| expanded.contains(&format!("%{{{name}}}"))) {
        Some(name) if *name != "name" => {
            Err(format!("placeholder `%{{{name}}}` has no value here"))
        }
        Some(_) | None => Ok(expanded),
    }
}
