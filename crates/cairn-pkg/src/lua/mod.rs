// SPDX-License-Identifier: MIT OR Apache-2.0
//! rpm's `<lua>` scriptlets: Lua 5.4 with rpm's libraries `posix` and `rpm`, in a child process whose root is the target root, so
//! that they work before anything is installed there.
//!
//! Specification: rpm's `docs/manual/lua.md`, and the answers of rpm 4.20.

mod posix;
mod processes;
mod rpm;

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use cairn_host::{HostError, Root, chroot};
use cairn_rpm::macros::Macros;
use mlua::{HookTriggers, Lua, VmState};

use crate::scriptlet::{CollectedScriptlet, LUA, LUA_FAILED, PREFIX_VARIABLE, TIME_LIMIT};

/// Instructions between two looks at the clock.
const LOOK_EVERY: u32 = 1 << 16;

/// Time after which the expansion of a macro ends with an error; what a script starts outside may take longer.
const EXPANSION_LIMIT: Duration = Duration::from_mins(1);
/// Bytes that the expansion of a macro may use.
const EXPANSION_MEMORY: usize = 512 << 20;

/// Runs a scriptlet.
pub(crate) fn run(
    scriptlet: &CollectedScriptlet,
    root: &Root,
) -> Result<chroot::ScriptletOutput, HostError> {
    let name = format!("{}({})", scriptlet.kind, scriptlet.package);
    let work = scriptlet.clone();
    // rpm's own word for this kind.
    let chunk = name.replacen("%pre(", "%prein(", 1);
    let work = Box::new(move || interpret(&work, &chunk));
    chroot::run_function(root, &name, chroot::Function { work, time_limit: TIME_LIMIT })
}

/// In the child: runs the body, says what went wrong, returns the exit status.
fn interpret(scriptlet: &CollectedScriptlet, name: &str) -> i32 {
    let lua = Lua::new();
    match prepare(&lua, scriptlet).and_then(|()| {
        lua.load(scriptlet.body.as_deref().unwrap_or_default()).set_name(name).exec()
    }) {
        Ok(()) => 0,
        Err(error) => {
            // Nobody is left to tell where even this fails.
            let _ =
                lua.load("io.stderr:write((...))").call::<()>(format!("error: {}\n", told(&error)));
            1
        }
    }
}

/// An error in rpm's words.
fn told(error: &mlua::Error) -> String {
    let how = match error {
        mlua::Error::SyntaxError { .. } => "invalid syntax in lua script",
        _ => LUA_FAILED,
    };
    format!("{how}: {}", message(error))
}

/// The message of an error without the traceback.
fn message(error: &mlua::Error) -> String {
    match error {
        mlua::Error::CallbackError { cause, .. } => message(cause),
        mlua::Error::RuntimeError(text) | mlua::Error::SyntaxError { message: text, .. } => {
            text.split("\nstack traceback:").next().unwrap_or_default().to_owned()
        }
        other => other.to_string(),
    }
}

/// Ends what runs in `lua` with an error once the time is over.
fn limit_time(lua: &Lua, limit: Duration) -> mlua::Result<()> {
    let start = Instant::now();
    let triggers = HookTriggers::new().every_nth_instruction(LOOK_EVERY);
    lua.set_hook(triggers, move |_, _| {
        if start.elapsed() > limit {
            return Err(mlua::Error::runtime("took too long"));
        }
        Ok(VmState::Continue)
    })
}

fn prepare(lua: &Lua, scriptlet: &CollectedScriptlet) -> mlua::Result<()> {
    limit_time(lua, TIME_LIMIT)?;
    // What programs started from here write must come after what was printed before.
    lua.load("io.stdout:setvbuf('no')").exec()?;
    let arguments = lua.create_table()?;
    arguments.push(LUA)?;
    for argument in &scriptlet.args {
        arguments.push(argument.to_string())?;
    }
    lua.globals().set("arg", arguments)?;
    let numbered = |name: &str| name.strip_prefix(PREFIX_VARIABLE).is_some_and(|at| !at.is_empty());
    let prefixes: Vec<&str> = scriptlet
        .env
        .iter()
        .filter(|(name, _)| numbered(name))
        .map(|(_, value)| value.as_str())
        .collect();
    if !prefixes.is_empty() {
        lua.globals().set(PREFIX_VARIABLE, prefixes)?;
    }
    let environment = posix::environment(&scriptlet.env);
    lua.globals().set("posix", posix::library(lua, &environment)?)?;
    rpm::install(lua, &environment, scriptlet.stdin.clone(), Macros::built_in())
}

/// Runs the body of `%{lua:…}`, with bounds on time and memory: returns what it prints, or rpm's words for what is wrong.
pub fn expand(macros: &Macros, body: &str) -> Result<String, String> {
    expand_within(macros, body, EXPANSION_LIMIT)
}

fn expand_within(macros: &Macros, body: &str, limit: Duration) -> Result<String, String> {
    let printed = Arc::new(Mutex::new(String::new()));
    let run = || -> mlua::Result<String> {
        let lua = Lua::new();
        lua.set_memory_limit(EXPANSION_MEMORY)?;
        limit_time(&lua, limit)?;
        let environment = posix::environment(&[]);
        lua.globals().set("posix", posix::library(&lua, &environment)?)?;
        rpm::install(&lua, &environment, Vec::new(), macros.clone())?;
        let sink = Arc::clone(&printed);
        let print = lua.create_function(move |_, values: mlua::Variadic<mlua::Value>| {
            let texts: Vec<String> =
                values.iter().map(mlua::Value::to_string).collect::<mlua::Result<_>>()?;
            posix::lock(&sink)?.push_str(&texts.join("\t"));
            Ok(())
        })?;
        lua.globals().set("print", print)?;
        lua.load(body).set_name("<lua>").exec()?;
        Ok(posix::lock(&printed)?.clone())
    };
    run().map_err(|error| told(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn output(body: &str) -> (String, chroot::Ending) {
        let directory = tempfile::tempdir().unwrap();
        let root = Root::open(directory.path()).unwrap();
        root.mkdir_all("etc", 0o755).unwrap();
        root.write("etc/passwd", b"root:x:0:0:root:/root:/bin/sh\nme:x:7:8::/:/bin/x\n", 0o644)
            .unwrap();
        root.write("etc/group", b"root:x:0:\nwe:x:8:me,you\n", 0o644).unwrap();
        let scriptlet = CollectedScriptlet {
            package: "a-1-1.noarch".to_owned(),
            kind: "%post".to_owned(),
            interpreter: vec![LUA.to_owned()],
            body: Some(body.to_owned()),
            args: vec![2],
            stdin: vec!["/one".to_owned(), "/two".to_owned()],
            env: Vec::new(),
        };
        let output = run(&scriptlet, &root).unwrap();
        (output.text, output.ending)
    }

    #[test]
    fn answers_as_rpm_gives_them() {
        let table = [
            ("print(#arg, arg[1], arg[2])", "2\t<lua>\t2\n"),
            (
                "print(posix.stat('/etc', 'type'), posix.stat('/etc/passwd', 'mode'))",
                "directory\trw-r--r--\n",
            ),
            ("print(posix.stat('/nosuch'))", "nil\t/nosuch: No such file or directory\t2.0\n"),
            ("print(posix.mkdir('/d'), posix.mkdir('/d'))", "0.0\tnil\t/d: File exists\t17.0\n"),
            ("print(posix.symlink('x', '/l'), posix.readlink('/l'))", "0.0\tx\n"),
            (
                "posix.mkdir('/d') print(posix.chmod('/d', 'u-w'), posix.stat('/d', 'mode'))",
                "0.0\tr-xr-xr-x\n",
            ),
            (
                "posix.mkdir('/d') posix.chmod('/d', '4711') print(posix.stat('/d', 'mode'))",
                "rws--x--x\n",
            ),
            (
                "posix.mkdir('/d') print(#posix.dir('/d'), posix.rmdir('/d'), posix.access('/d'))",
                "2\t0.0\tnil\t/d: No such file or directory\t2.0\n",
            ),
            (
                "print(posix.getpasswd('me', 'uid'), posix.getpasswd(7, 'shell'), posix.getpasswd('x'))",
                "7.0\t/bin/x\tnil\n",
            ),
            ("local g = posix.getgroup('we') print(g.gid, g[1], g[2])", "8.0\tme\tyou\n"),
            (
                "print(posix.setenv('X', 'y'), posix.getenv('X'), posix.unsetenv('X'), posix.getenv('X'))",
                "0.0\ty\tnil\tnil\n",
            ),
            (
                "print(rpm.expand('%{_bindir}'), rpm.vercmp('1.0', '2.0'), rpm.isdefined('nosuch'))",
                "/usr/bin\t-1\tfalse\tfalse\n",
            ),
            ("rpm.define('foo bar') print(rpm.expand('%foo'), macros.foo)", "bar\tbar\n"),
            (
                "print(rpm.b64decode('aGVsbG8='), rpm.ver('1') < rpm.ver('2'), rpm.ver('1:2-3'))",
                "hello\ttrue\t1:2-3\n",
            ),
            ("print(rpm.next_file(), rpm.next_file(), rpm.next_file())", "/one\t/two\tnil\n"),
            (
                "local f = io.open('/f', 'w') f:write('hi') f:close() print(io.open('/f'):read('a'))",
                "hi\n",
            ),
            (
                "local f = rpm.open('/f', 'w.ufdio') print(f:write('%mine <%{_bindir}>\\n')) f:close() local g = rpm.open('/f') print(g:read(5), g:seek('set', 0), #g:read()) rpm.load('/f') print(rpm.expand('%mine'))",
                "19\n%mine\t0\t19\n</usr/bin>\n",
            ),
            ("print(pcall(rpm.open, '/nosuch'))", "false\t/nosuch: No such file or directory\n"),
            ("io.stderr:write('e\\n')", "e\n"),
            (
                "local p = posix.fork() if p == 0 then posix.exec('/nosuch') os.exit(7) end local w, how, n = posix.wait(p) print(w == p, how, n)",
                "true\texited\t7.0\n",
            ),
            (
                "local p = posix.fork() if p == 0 then posix.sleep(60) end posix.kill(p, 9) print(select(2, posix.wait(p)))",
                "killed\t9.0\n",
            ),
            (
                "local ok, why = pcall(posix.exec, '/bin/true') print(ok, tostring(why):match('exec not %a+ in this context'))",
                "false\texec not permitted in this context\n",
            ),
            ("print(posix.wait())", "nil\tNo child processes\t10.0\n"),
            (
                "posix.mkdir('/dev') io.open('/dev/null', 'w'):close() posix.redirect2null(1) print('lost')",
                "",
            ),
            (
                "posix.mkdir('/g') for _, n in ipairs{'b', 'a', '.h'} do io.open('/g/' .. n, 'w'):close() end for _, f in ipairs(rpm.glob('/g/*')) do print(f) end",
                "/g/a\n/g/b\n",
            ),
            ("print(#rpm.glob('/nosuch*'), rpm.glob('/nosuch*', 'c')[1])", "0\t/nosuch*\n"),
        ];
        for (body, expected) in table {
            assert_eq!(output(body), (expected.to_owned(), chroot::Ending::Exited(0)), "{body}");
        }
    }

    #[test]
    fn errors() {
        assert_eq!(
            output("error('boom')"),
            (
                "error: lua script failed: [string \"%post(a-1-1.noarch)\"]:1: boom\n".to_owned(),
                chroot::Ending::Exited(1)
            )
        );
        let wrong = output("this is not lua").0;
        assert!(wrong.starts_with("error: invalid syntax in lua script: "), "{wrong}");
    }

    #[test]
    fn expansions_are_bounded_and_tell_what_is_wrong() {
        let macros = Macros::built_in().with_lua(expand);
        assert_eq!(expand(&macros, "print(rpm.expand('%{_bindir}'))"), Ok("/usr/bin".to_owned()));
        assert_eq!(
            expand(&macros, "error('no')").unwrap_err(),
            "lua script failed: [string \"<lua>\"]:1: no"
        );
        let endless = expand_within(&macros, "while true do end", Duration::from_millis(20));
        assert!(endless.unwrap_err().contains("took too long"));
        let large =
            expand(&macros, "local t = {} while true do t[#t + 1] = ('x'):rep(1 << 20) .. #t end");
        assert!(large.unwrap_err().contains("not enough memory"));
    }
}
