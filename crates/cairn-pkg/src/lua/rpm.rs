// SPDX-License-Identifier: MIT OR Apache-2.0
//! rpm's `rpm` library and its table `macros`.

use std::cmp::Ordering;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cairn_host::chroot;
use cairn_rpm::evr::{Evr, compare_versions};
use cairn_rpm::macros::Macros;
use mlua::{Lua, MetaMethod, MultiValue, Result, Table, UserData, UserDataMethods, Value};

use super::posix::{Environment, lock};
use crate::query::glob::{is_pattern, matches};

/// Sets the globals `rpm` and `macros`; `files` is what `rpm.next_file()` returns.
pub(super) fn install(
    lua: &Lua,
    environment: &Environment,
    files: Vec<String>,
    known: Macros,
) -> Result<()> {
    let library = lua.create_table()?;
    macros(lua, &library, known)?;
    versions(lua, &library)?;
    programs(lua, &library, environment)?;
    // Only triggers that get paths have it.
    if !files.is_empty() {
        let mut files = files.into_iter();
        library.set("next_file", lua.create_function_mut(move |_, ()| Ok(files.next()))?)?;
    }
    let encode =
        lua.create_function(|_, bytes: mlua::String| Ok(STANDARD.encode(bytes.as_bytes())))?;
    library.set("b64encode", encode)?;
    let decode = lua.create_function(|lua, text: String| {
        let text: String = text.split_whitespace().collect();
        match STANDARD.decode(text) {
            Ok(bytes) => lua.create_string(bytes).map(Value::String),
            Err(_) => Ok(Value::Nil),
        }
    })?;
    library.set("b64decode", decode)?;
    let glob = lua.create_function(|lua, (pattern, flags): (String, Option<String>)| {
        let mut found = glob(&pattern);
        // "c": what matches nothing stands for itself.
        if found.is_empty() && flags.unwrap_or_default().contains('c') {
            found.push(pattern);
        }
        lua.create_sequence_from(found)
    })?;
    library.set("glob", glob)?;
    library.set("open", lua.load(OPEN).eval::<Value>()?)?;
    library.set("redirect2null", super::processes::redirect_to_null(lua)?)?;
    lua.globals().set("rpm", library)
}

/// `rpm.open`: a file of Lua's own, of which `read()` returns all that is left. What stands behind a dot in the mode says how
/// rpm reads and writes; here all files are plain.
const OPEN: &str = r"
local methods = {}
methods.__index = methods
function methods:read(length) return self.file:read(length or 'a') end
function methods:write(text, length)
    if length then text = text:sub(1, length) end
    return self.file:write(text) and #text
end
function methods:seek(from, offset) return self.file:seek(from, offset) end
function methods:flush() return self.file:flush() end
function methods:close() return self.file:close() end
methods.__gc = function(self) pcall(self.file.close, self.file) end
return function(path, mode)
    local file, why = io.open(path, ((mode or 'r'):gsub('%..*', '')))
    if not file then error(why, 2) end
    return setmetatable({ file = file }, methods)
end
";

/// Returns the paths that match a pattern, sorted.
fn glob(pattern: &str) -> Vec<String> {
    let mut found = vec![if pattern.starts_with('/') { "/".to_owned() } else { String::new() }];
    for part in pattern.split('/').filter(|part| !part.is_empty()) {
        let join = |directory: &String, name: &str| match directory.as_str() {
            "" | "/" => format!("{directory}{name}"),
            _ => format!("{directory}/{name}"),
        };
        let below = |directory: &String| -> Vec<String> {
            if !is_pattern(part) {
                return vec![join(directory, part)];
            }
            let place = if directory.is_empty() { "." } else { directory.as_str() };
            let entries = std::fs::read_dir(place).into_iter().flatten().flatten();
            let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
            let visible = names.filter(|name| part.starts_with('.') || !name.starts_with('.'));
            let mut names: Vec<String> = visible.filter(|name| matches(part, name)).collect();
            names.sort();
            names.iter().map(|name| join(directory, name)).collect()
        };
        found = found.iter().flat_map(below).collect();
    }
    found.retain(|path| std::fs::symlink_metadata(path).is_ok());
    found
}

fn macros(lua: &Lua, library: &Table, known: Macros) -> Result<()> {
    let known = Arc::new(Mutex::new(known));
    let shared = Arc::clone(&known);
    let expand = lua.create_function(move |_, text: String| Ok(lock(&shared)?.expand(&text)))?;
    library.set("expand", expand)?;
    let shared = Arc::clone(&known);
    let define = lua.create_function(move |_, text: String| {
        let (name, body) = text.trim().split_once(char::is_whitespace).unwrap_or((&text, ""));
        lock(&shared)?.define(name, body.trim());
        Ok(())
    })?;
    library.set("define", define)?;
    let shared = Arc::clone(&known);
    let undefine = lua.create_function(move |_, name: String| {
        lock(&shared)?.undefine(name.trim());
        Ok(())
    })?;
    library.set("undefine", undefine)?;
    let shared = Arc::clone(&known);
    let load = lua.create_function(move |_, path: String| {
        let text = std::fs::read_to_string(&path)
            .map_err(|error| mlua::Error::runtime(format!("{path}: {error}")))?;
        lock(&shared)?.read(&text);
        Ok(())
    })?;
    library.set("load", load)?;
    let shared = Arc::clone(&known);
    let isdefined = lua.create_function(move |_, name: String| {
        Ok((lock(&shared)?.value(&name).is_some(), false))
    })?;
    library.set("isdefined", isdefined)?;
    let table = lua.create_table()?;
    let meta = lua.create_table()?;
    let shared = Arc::clone(&known);
    let index =
        lua.create_function(move |_, (_, name): (Value, String)| Ok(lock(&shared)?.value(&name)))?;
    meta.set("__index", index)?;
    let new_index =
        lua.create_function(move |_, (_, name, value): (Value, String, Option<String>)| {
            let mut macros = lock(&known)?;
            match value {
                Some(value) => macros.define(&name, &value),
                None => macros.undefine(&name),
            }
            Ok(())
        })?;
    meta.set("__newindex", new_index)?;
    table.set_metatable(Some(meta))?;
    lua.globals().set("macros", table)
}

/// `rpm.ver`: an epoch, version and release that can be compared and shown.
struct Version(Evr);

impl UserData for Version {
    fn add_methods<M: UserDataMethods<Self>>(methods: &mut M) {
        type Other = mlua::UserDataRef<Version>;
        methods.add_meta_method(MetaMethod::ToString, |_, this, ()| Ok(this.0.to_string()));
        methods.add_meta_method(MetaMethod::Lt, |_, this, other: Other| Ok(this.0 < other.0));
        methods.add_meta_method(MetaMethod::Le, |_, this, other: Other| Ok(this.0 <= other.0));
        methods.add_meta_method(MetaMethod::Eq, |_, this, other: Other| Ok(this.0 == other.0));
        methods.add_meta_method(MetaMethod::Index, |_, this, field: String| {
            Ok(match field.as_str() {
                "e" if this.0.epoch > 0 => Some(this.0.epoch.to_string()),
                "v" => Some(this.0.version.clone()),
                "r" if !this.0.release.is_empty() => Some(this.0.release.clone()),
                _ => None,
            })
        });
    }
}

fn versions(lua: &Lua, library: &Table) -> Result<()> {
    let vercmp = lua.create_function(|_, (one, other): (String, String)| {
        let read = |text: &str| Evr::parse(text).ok();
        let order = match (read(&one), read(&other)) {
            (Some(one), Some(other)) => one.cmp(&other),
            _ => compare_versions(&one, &other),
        };
        Ok(match order {
            Ordering::Less => -1,
            Ordering::Equal => 0,
            Ordering::Greater => 1,
        })
    })?;
    library.set("vercmp", vercmp)?;
    let ver = lua.create_function(|_, text: String| {
        Evr::parse(&text)
            .map(Version)
            .map_err(|error| mlua::Error::runtime(format!("invalid version \"{text}\": {error}")))
    })?;
    library.set("ver", ver)
}

fn programs(lua: &Lua, library: &Table, environment: &Environment) -> Result<()> {
    fn start(words: &[String], environment: &Environment) -> Result<i32> {
        let Some((program, arguments)) = words.split_first() else {
            return Err(mlua::Error::runtime("command not supplied"));
        };
        let env: Vec<(String, String)> =
            lock(environment)?.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        chroot::execute(program, arguments, &env)
            .map_err(|error| mlua::Error::runtime(format!("{program}: {error}")))
    }
    /// As Lua's own `os.execute`: true or nil, how it ended, and the number.
    fn ending(lua: &Lua, status: i32) -> Result<MultiValue> {
        let (good, how) = match status {
            0 => return Ok(MultiValue::from_vec(vec![Value::Boolean(true), Value::Number(0.0)])),
            1.. => (Value::Nil, "exit"),
            _ => (Value::Nil, "signal"),
        };
        let how = Value::String(lua.create_string(how)?);
        Ok(MultiValue::from_vec(vec![good, how, Value::Number(f64::from(status.abs()))]))
    }
    let shared = Arc::clone(environment);
    let execute = lua.create_function(move |lua, words: mlua::Variadic<String>| {
        ending(lua, start(&words, &shared)?)
    })?;
    library.set("execute", execute)?;
    let shared = Arc::clone(environment);
    let spawn = lua.create_function(move |lua, words: Table| {
        let words: Vec<String> = words.sequence_values().collect::<Result<_>>()?;
        ending(lua, start(&words, &shared)?)
    })?;
    library.set("spawn", spawn)?;
    let shared = Arc::clone(environment);
    let shell = lua.create_function(move |lua, command: Option<String>| {
        let Some(command) = command else {
            return Ok(MultiValue::from_vec(vec![Value::Boolean(true)]));
        };
        let words = ["/bin/sh".to_owned(), "-c".to_owned(), command];
        let status = start(&words, &shared)?;
        let good = if status == 0 { Value::Boolean(true) } else { Value::Nil };
        let how = lua.create_string(if status < 0 { "signal" } else { "exit" })?;
        Ok(MultiValue::from_vec(vec![
            good,
            Value::String(how),
            Value::Integer(i64::from(status.abs())),
        ]))
    })?;
    lua.globals().get::<Table>("os")?.set("execute", shell)
}
