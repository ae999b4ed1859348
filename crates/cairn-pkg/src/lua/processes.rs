// SPDX-License-Identifier: MIT OR Apache-2.0
//! The part of rpm's `posix` library that makes, replaces, waits for and signals processes.
//!
//! A scriptlet already runs in a process of its own with one thread, so that `posix.fork` is safe. As in rpm, `posix.exec` is refused
//! before a fork: it would replace the interpreter itself.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use cairn_host::chroot;
use mlua::{Lua, MultiValue, Result, Table, Value, Variadic};
use rustix::process::{Pid, Signal, WaitOptions};

use super::posix::{DONE, Environment, answer, lock, number_of};

/// Adds the functions.
pub(super) fn extend(lua: &Lua, library: &Table, environment: &Environment) -> Result<()> {
    let forked = Arc::new(AtomicBool::new(false));
    let shared = Arc::clone(&forked);
    let fork = lua.create_function(move |lua, ()| {
        let result = chroot::fork().inspect(|pid| {
            if *pid == 0 {
                shared.store(true, Ordering::Relaxed);
            }
        });
        answer(lua, "", result.map(|pid| Value::Number(f64::from(pid))))
    })?;
    library.set("fork", fork)?;
    let shared = Arc::clone(environment);
    let exec = lua.create_function(move |lua, words: Variadic<String>| {
        let Some((program, arguments)) = words.split_first() else {
            return Err(mlua::Error::runtime(
                "bad argument #1 to 'exec' (string expected, got no value)",
            ));
        };
        if !forked.load(Ordering::Relaxed) {
            return Err(mlua::Error::runtime("exec not permitted in this context"));
        }
        let env: Vec<(String, String)> =
            lock(&shared)?.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        answer(lua, program, Err(chroot::replace(program, arguments, &env)))
    })?;
    library.set("exec", exec)?;
    library.set("wait", lua.create_function(|lua, pid: Option<i32>| wait(lua, pid))?)?;
    let kill = lua.create_function(|lua, (pid, signal): (i32, Option<i32>)| {
        let pid = Pid::from_raw(pid).ok_or(rustix::io::Errno::SRCH);
        let signal = match signal {
            None => Ok(Signal::TERM),
            Some(number) => Signal::from_named_raw(number).ok_or(rustix::io::Errno::INVAL),
        };
        let result = pid.and_then(|pid| rustix::process::kill_process(pid, signal?));
        answer(lua, "", result.map(|()| DONE).map_err(Into::into))
    })?;
    library.set("kill", kill)?;
    let setuid = lua.create_function(|lua, user: Value| {
        let result = number_of(&user, "/etc/passwd").ok_or(rustix::io::Errno::INVAL);
        let result =
            result.and_then(|id| rustix::thread::set_thread_uid(rustix::thread::Uid::from_raw(id)));
        answer(lua, "", result.map(|()| DONE).map_err(Into::into))
    })?;
    library.set("setuid", setuid)?;
    let setgid = lua.create_function(|lua, group: Value| {
        let result = number_of(&group, "/etc/group").ok_or(rustix::io::Errno::INVAL);
        let result =
            result.and_then(|id| rustix::thread::set_thread_gid(rustix::thread::Gid::from_raw(id)));
        answer(lua, "", result.map(|()| DONE).map_err(Into::into))
    })?;
    library.set("setgid", setgid)?;
    let ctermid = lua.create_function(|_, ()| Ok("/dev/tty"))?;
    library.set("ctermid", ctermid)?;
    library.set("redirect2null", redirect_to_null(lua)?)
}

/// `redirect2null(fd)`, which the `rpm` library has too.
pub(super) fn redirect_to_null(lua: &Lua) -> Result<mlua::Function> {
    lua.create_function(|lua, fd: i32| answer(lua, "", chroot::redirect_to_null(fd).map(|()| DONE)))
}

/// `posix.wait([pid])`: process, "exited", "killed" or "stopped", and the status or signal.
fn wait(lua: &Lua, pid: Option<i32>) -> Result<MultiValue> {
    let waited = match pid.filter(|pid| *pid > 0).and_then(Pid::from_raw) {
        Some(pid) => rustix::process::waitpid(Some(pid), WaitOptions::empty()),
        None => rustix::process::wait(WaitOptions::empty()),
    };
    let (pid, status) = match waited {
        Ok(Some(waited)) => waited,
        Ok(None) => return answer(lua, "", Err(io::Error::from(rustix::io::Errno::CHILD))),
        Err(error) => return answer(lua, "", Err(error.into())),
    };
    let (how, number) = match (status.exit_status(), status.terminating_signal()) {
        (Some(status), _) => ("exited", status),
        (None, Some(signal)) => ("killed", signal),
        (None, None) => ("stopped", status.stopping_signal().unwrap_or_default()),
    };
    Ok(MultiValue::from_vec(vec![
        Value::Number(f64::from(pid.as_raw_nonzero().get())),
        Value::String(lua.create_string(how)?),
        Value::Number(f64::from(number)),
    ]))
}
