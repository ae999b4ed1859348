// SPDX-License-Identifier: MIT OR Apache-2.0
//! rpm's `posix` library. Successes are `0.0`, failures `nil, "path: reason", number`, as rpm's own answers are.

#![expect(
    clippy::cast_precision_loss,
    reason = "rpm's posix library has floating point numbers only"
)]

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, UNIX_EPOCH};

use mlua::{Lua, MultiValue, Result, Table, Value};
use rustix::fs::{CWD, Mode};

/// The environment of the scriptlet, which programs started by it get.
pub(super) type Environment = Arc<Mutex<BTreeMap<String, String>>>;

/// Returns the environment scriptlets start with.
pub(super) fn environment(extra: &[(String, String)]) -> Environment {
    let own = [
        ("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"),
        ("LC_ALL", "C.UTF-8"),
        ("HOME", "/"),
        ("TERM", "dumb"),
    ];
    let own = own.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
    Arc::new(Mutex::new(own.chain(extra.iter().cloned()).collect()))
}

/// Makes the library.
pub(super) fn library(lua: &Lua, environment: &Environment) -> Result<Table> {
    let library = lua.create_table()?;
    paths(lua, &library)?;
    directories(lua, &library)?;
    names(lua, &library)?;
    process(lua, &library)?;
    super::processes::extend(lua, &library, environment)?;
    variables(lua, &library, environment)?;
    library.set("version", "posix library for Lua 5.4 / rpm")?;
    Ok(library)
}

/// Locks what closures share.
pub(super) fn lock<T>(shared: &Mutex<T>) -> Result<MutexGuard<'_, T>> {
    shared.lock().map_err(|_| mlua::Error::runtime("a library function failed before"))
}

/// Turns a result into rpm's answer.
pub(super) fn answer(lua: &Lua, path: &str, result: io::Result<Value>) -> Result<MultiValue> {
    let error = match result {
        Ok(value) => return Ok(MultiValue::from_vec(vec![value])),
        Err(error) => error,
    };
    let number = error.raw_os_error().unwrap_or(0);
    let text = error.to_string();
    let reason = text.split(" (os error").next().unwrap_or_default();
    let message = if path.is_empty() { reason.to_owned() } else { format!("{path}: {reason}") };
    lua.set_named_registry_value("errno", number)?;
    Ok(MultiValue::from_vec(vec![
        Value::Nil,
        Value::String(lua.create_string(message)?),
        Value::Number(f64::from(number)),
    ]))
}

pub(super) const DONE: Value = Value::Number(0.0);

type TwoPaths = fn(&str, &str) -> io::Result<()>;
type OnePath = fn(&str) -> io::Result<()>;

fn paths(lua: &Lua, library: &Table) -> Result<()> {
    let one: [(&str, OnePath); 5] = [
        ("mkdir", |path| fs::create_dir(path)),
        ("rmdir", |path| fs::remove_dir(path)),
        ("unlink", |path| fs::remove_file(path)),
        ("chdir", |path| std::env::set_current_dir(path)),
        ("mkfifo", |path| {
            let mode = Mode::from_raw_mode(0o777);
            Ok(rustix::fs::mknodat(CWD, path, rustix::fs::FileType::Fifo, mode, 0)?)
        }),
    ];
    for (name, act) in one {
        let function = lua.create_function(move |lua, path: String| {
            answer(lua, &path, act(&path).map(|()| DONE))
        })?;
        library.set(name, function)?;
    }
    let two: [(&str, TwoPaths); 2] = [
        ("symlink", |target, path| std::os::unix::fs::symlink(target, path)),
        ("link", |target, path| fs::hard_link(target, path)),
    ];
    for (name, act) in two {
        let function = lua.create_function(move |lua, (target, path): (String, String)| {
            answer(lua, "", act(&target, &path).map(|()| DONE))
        })?;
        library.set(name, function)?;
    }
    let readlink = lua.create_function(|lua, path: String| match fs::read_link(&path) {
        Ok(target) => {
            let text = lua.create_string(target.as_os_str().as_encoded_bytes())?;
            answer(lua, &path, Ok(Value::String(text)))
        }
        Err(error) => answer(lua, &path, Err(error)),
    })?;
    library.set("readlink", readlink)?;
    let access = lua.create_function(|lua, (path, how): (String, Option<String>)| {
        use rustix::fs::Access;
        let mut access = Access::EXISTS;
        for letter in how.unwrap_or_default().chars() {
            access |= match letter {
                'r' => Access::READ_OK,
                'w' => Access::WRITE_OK,
                'x' => Access::EXEC_OK,
                _ => Access::EXISTS,
            };
        }
        answer(lua, &path, rustix::fs::access(&path, access).map(|()| DONE).map_err(Into::into))
    })?;
    library.set("access", access)?;
    attributes(lua, library)
}

/// Functions that change or tell attributes of files.
fn attributes(lua: &Lua, library: &Table) -> Result<()> {
    let chmod = lua.create_function(|lua, (path, mode): (String, String)| {
        let changed = fs::metadata(&path).and_then(|metadata| {
            let mode = parse_mode(&mode, metadata.mode() & 0o7777)
                .ok_or_else(|| io::Error::other("bad mode"))?;
            fs::set_permissions(&path, fs::Permissions::from_mode(mode))
        });
        answer(lua, &path, changed.map(|()| DONE))
    })?;
    library.set("chmod", chmod)?;
    let chown = lua.create_function(|lua, (path, user, group): (String, Value, Value)| {
        let owner = number_of(&user, "/etc/passwd").zip(number_of(&group, "/etc/group"));
        let changed = match owner {
            Some((user, group)) => std::os::unix::fs::chown(&path, Some(user), Some(group)),
            None => Err(io::Error::from_raw_os_error(22)),
        };
        answer(lua, &path, changed.map(|()| DONE))
    })?;
    library.set("chown", chown)?;
    let utime = lua.create_function(
        |lua, (path, modified, accessed): (String, Option<f64>, Option<f64>)| {
            let at = |seconds: f64| UNIX_EPOCH + Duration::from_secs(seconds.max(0.0) as u64);
            let mut times = fs::FileTimes::new();
            if let Some(modified) = modified {
                times =
                    times.set_modified(at(modified)).set_accessed(at(accessed.unwrap_or(modified)));
            }
            let changed = fs::File::open(&path).and_then(|file| file.set_times(times));
            answer(lua, &path, changed.map(|()| DONE))
        },
    )?;
    library.set("utime", utime)?;
    let stat = lua.create_function(|lua, (path, selector): (String, Option<String>)| {
        let metadata = match fs::symlink_metadata(&path) {
            Ok(metadata) => metadata,
            Err(error) => return answer(lua, &path, Err(error)),
        };
        let table = describe(lua, &metadata)?;
        let value = match selector {
            Some(selector) => table.get::<Value>(selector)?,
            None => Value::Table(table),
        };
        Ok(MultiValue::from_vec(vec![value]))
    })?;
    library.set("stat", stat)
}

fn describe(lua: &Lua, metadata: &fs::Metadata) -> Result<Table> {
    let table = lua.create_table()?;
    let kind = metadata.file_type();
    let kind = match () {
        () if kind.is_file() => "regular",
        () if kind.is_dir() => "directory",
        () if kind.is_symlink() => "link",
        () if kind.is_fifo() => "fifo",
        () if kind.is_socket() => "socket",
        () if kind.is_block_device() => "block device",
        () if kind.is_char_device() => "character device",
        () => "?",
    };
    table.set("type", kind)?;
    table.set("mode", mode_text(metadata.mode()))?;
    let numbers = [
        ("_mode", f64::from(metadata.mode())),
        ("atime", metadata.atime() as f64),
        ("ctime", metadata.ctime() as f64),
        ("dev", metadata.dev() as f64),
        ("gid", f64::from(metadata.gid())),
        ("ino", metadata.ino() as f64),
        ("mtime", metadata.mtime() as f64),
        ("nlink", metadata.nlink() as f64),
        ("size", metadata.size() as f64),
        ("uid", f64::from(metadata.uid())),
    ];
    for (name, number) in numbers {
        table.set(name, number)?;
    }
    Ok(table)
}

/// Nine letters, as in `ls -l`.
fn mode_text(mode: u32) -> String {
    let mut text = String::new();
    for (shift, special, letter) in [(6, 0o4000, 's'), (3, 0o2000, 's'), (0, 0o1000, 't')] {
        let bits = mode >> shift;
        text.push(if bits & 4 != 0 { 'r' } else { '-' });
        text.push(if bits & 2 != 0 { 'w' } else { '-' });
        text.push(match (mode & special != 0, bits & 1 != 0) {
            (true, true) => letter,
            (true, false) => letter.to_ascii_uppercase(),
            (false, true) => 'x',
            (false, false) => '-',
        });
    }
    text
}

/// Reads `0755`, `rwxr-xr-x` or `u+w,go-x`.
fn parse_mode(text: &str, present: u32) -> Option<u32> {
    if !text.is_empty() && text.bytes().all(|byte| (b'0'..=b'7').contains(&byte)) {
        return u32::from_str_radix(text, 8).ok().filter(|mode| *mode <= 0o7777);
    }
    if text.len() == 9 && text.bytes().all(|byte| b"rwxsStT-".contains(&byte)) {
        return Some(full_mode(text));
    }
    let mut mode = present;
    for clause in text.split(',') {
        let at = clause.find(['+', '-', '='])?;
        let (who, change) = clause.split_at(at);
        let who = if who.is_empty() || who.contains('a') { "ugo" } else { who };
        let (operator, letters) = change.split_at(1);
        let mut bits = 0;
        let mut mask = 0;
        for class in who.chars() {
            let (shift, set_id) = match class {
                'u' => (6, 0o4000),
                'g' => (3, 0o2000),
                'o' => (0, 0),
                _ => return None,
            };
            mask |= 7 << shift;
            for letter in letters.chars() {
                bits |= match letter {
                    'r' => 4 << shift,
                    'w' => 2 << shift,
                    'x' => 1 << shift,
                    's' => set_id,
                    't' => 0o1000,
                    _ => return None,
                };
            }
        }
        mode = match operator {
            "+" => mode | bits,
            "-" => mode & !bits,
            _ => mode & !mask | bits,
        };
    }
    Some(mode)
}

fn full_mode(text: &str) -> u32 {
    let mut mode = 0;
    for (at, letter) in text.chars().enumerate() {
        let bit = 1 << (8 - at);
        let special = 0o4000 >> (at / 3);
        mode |= match letter {
            '-' => 0,
            's' | 't' => bit | special,
            'S' | 'T' => special,
            _ => bit,
        };
    }
    mode
}

fn directories(lua: &Lua, library: &Table) -> Result<()> {
    fn list(path: Option<String>) -> (String, io::Result<Vec<String>>) {
        let path = path.unwrap_or_else(|| ".".to_owned());
        let read = |path: &str| -> io::Result<Vec<String>> {
            let mut names = vec![".".to_owned(), "..".to_owned()];
            for entry in fs::read_dir(path)? {
                names.push(entry?.file_name().to_string_lossy().into_owned());
            }
            Ok(names)
        };
        let names = read(&path);
        (path, names)
    }
    let dir = lua.create_function(|lua, path: Option<String>| {
        let (path, names) = list(path);
        match names {
            Ok(names) => {
                let table = Value::Table(lua.create_sequence_from(names)?);
                Ok(MultiValue::from_vec(vec![table]))
            }
            Err(error) => answer(lua, &path, Err(error)),
        }
    })?;
    library.set("dir", dir)?;
    let files = lua.create_function(|lua, path: Option<String>| {
        let (path, names) = list(path);
        let mut names =
            names.map_err(|error| mlua::Error::runtime(format!("{path}: {error}")))?.into_iter();
        lua.create_function_mut(move |_, _: MultiValue| Ok(names.next()))
    })?;
    library.set("files", files)?;
    let getcwd = lua.create_function(|_, ()| {
        Ok(std::env::current_dir().map(|path| path.to_string_lossy().into_owned()).ok())
    })?;
    library.set("getcwd", getcwd)
}

/// The lines of a file of names, each split at its colons.
fn entries(file: &str) -> Vec<Vec<String>> {
    let text = fs::read_to_string(file).unwrap_or_default();
    text.lines().map(|line| line.split(':').map(str::to_owned).collect()).collect()
}

/// A name or a number, as scripts give users and groups.
fn entry_of(key: &Value, file: &str) -> Option<Vec<String>> {
    let text = match key {
        Value::Integer(number) => number.to_string(),
        Value::Number(number) => format!("{number:.0}"),
        Value::String(text) => text.to_string_lossy(),
        _ => "0".to_owned(),
    };
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    let column = if is_number { 2 } else { 0 };
    entries(file).into_iter().find(|entry| entry.get(column) == Some(&text))
}

pub(super) fn number_of(key: &Value, file: &str) -> Option<u32> {
    match key {
        Value::Integer(number) => u32::try_from(*number).ok(),
        Value::Number(number) => Some(*number as u32),
        _ => entry_of(key, file)?.get(2)?.parse().ok(),
    }
}

fn names(lua: &Lua, library: &Table) -> Result<()> {
    let getpasswd = lua.create_function(|lua, (key, selector): (Value, Option<String>)| {
        let Some(entry) = entry_of(&key, "/etc/passwd") else { return Ok(Value::Nil) };
        let table = lua.create_table()?;
        let fields = ["name", "passwd", "uid", "gid", "gecos", "dir", "shell"];
        for (field, text) in fields.into_iter().zip(entry) {
            match field {
                "uid" | "gid" => table.set(field, text.parse::<f64>().unwrap_or(0.0))?,
                _ => table.set(field, text)?,
            }
        }
        match selector {
            Some(selector) => table.get::<Value>(selector),
            None => Ok(Value::Table(table)),
        }
    })?;
    library.set("getpasswd", getpasswd)?;
    let getgroup = lua.create_function(|lua, key: Value| {
        let Some(entry) = entry_of(&key, "/etc/group") else { return Ok(Value::Nil) };
        let table = lua.create_table()?;
        table.set("name", entry.first().cloned())?;
        table.set("gid", entry.get(2).and_then(|text| text.parse::<f64>().ok()).unwrap_or(0.0))?;
        let members = entry.get(3).cloned().unwrap_or_default();
        for member in members.split(',').filter(|member| !member.is_empty()) {
            table.push(member)?;
        }
        Ok(Value::Table(table))
    })?;
    library.set("getgroup", getgroup)
}

fn process(lua: &Lua, library: &Table) -> Result<()> {
    let umask = lua.create_function(|_, wanted: Option<String>| {
        let present = rustix::process::umask(Mode::empty());
        let permitted = !present.as_raw_mode() & 0o777;
        // What is given is what is permitted, not what is taken away.
        let permitted = match wanted.as_deref().and_then(|text| parse_mode(text, permitted)) {
            Some(mode) => mode & 0o777,
            None => permitted,
        };
        rustix::process::umask(Mode::from_raw_mode(!permitted & 0o777));
        Ok(mode_text(permitted))
    })?;
    library.set("umask", umask)?;
    let uname = lua.create_function(|_, format: Option<String>| {
        let names = rustix::system::uname();
        let text = format.unwrap_or_else(|| "%s %n %r %v %m".to_owned());
        Ok([
            ("%s", names.sysname()),
            ("%n", names.nodename()),
            ("%r", names.release()),
            ("%v", names.version()),
            ("%m", names.machine()),
        ]
        .into_iter()
        .fold(text, |text, (mark, value)| text.replace(mark, &value.to_string_lossy())))
    })?;
    library.set("uname", uname)?;
    let getprocessid = lua.create_function(|_, selector: Option<String>| {
        Ok(match selector.as_deref() {
            Some("uid") => f64::from(rustix::process::getuid().as_raw()),
            Some("euid") => f64::from(rustix::process::geteuid().as_raw()),
            Some("gid") => f64::from(rustix::process::getgid().as_raw()),
            Some("egid") => f64::from(rustix::process::getegid().as_raw()),
            Some("ppid") => {
                f64::from(rustix::process::getppid().map_or(0, |pid| pid.as_raw_nonzero().get()))
            }
            _ => f64::from(std::process::id()),
        })
    })?;
    library.set("getprocessid", getprocessid)?;
    let sleep = lua.create_function(|_, seconds: f64| {
        std::thread::sleep(Duration::from_secs_f64(seconds.clamp(0.0, 86_400.0)));
        Ok(0.0)
    })?;
    library.set("sleep", sleep)?;
    let errno = lua.create_function(|lua, ()| {
        let number: i32 = lua.named_registry_value("errno").unwrap_or(0);
        let text = io::Error::from_raw_os_error(number).to_string();
        let reason = text.split(" (os error").next().unwrap_or_default().to_owned();
        Ok((reason, f64::from(number)))
    })?;
    library.set("errno", errno)?;
    let refused = ["mkstemp", "times", "sysconf", "pathconf", "ttyname", "getlogin"];
    for name in refused {
        let refuse = lua.create_function(move |_, _: MultiValue| -> Result<()> {
            Err(mlua::Error::runtime(format!("posix.{name} is not available")))
        })?;
        library.set(name, refuse)?;
    }
    Ok(())
}

fn variables(lua: &Lua, library: &Table, environment: &Environment) -> Result<()> {
    let known = Arc::clone(environment);
    let getenv = lua.create_function(move |lua, name: Option<String>| {
        let known = lock(&known)?;
        match name {
            Some(name) => known
                .get(&name)
                .map_or(Ok(Value::Nil), |text| lua.create_string(text).map(Value::String)),
            None => lua.create_table_from(known.clone()).map(Value::Table),
        }
    })?;
    library.set("getenv", getenv)?;
    let known = Arc::clone(environment);
    let setenv = lua.create_function(move |_, (name, value): (String, String)| {
        lock(&known)?.insert(name, value);
        Ok(0.0)
    })?;
    library.set("setenv", setenv)?;
    let known = Arc::clone(environment);
    let putenv = lua.create_function(move |_, text: String| {
        let (name, value) = text.split_once('=').unwrap_or((&text, ""));
        lock(&known)?.insert(name.to_owned(), value.to_owned());
        Ok(0.0)
    })?;
    library.set("putenv", putenv)?;
    let known = Arc::clone(environment);
    let unsetenv = lua.create_function(move |_, name: String| {
        lock(&known)?.remove(&name);
        Ok(Value::Nil)
    })?;
    library.set("unsetenv", unsetenv)
}
